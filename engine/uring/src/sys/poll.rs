//! A plain level-triggered epoll for tools that are no shard: baselines and load generators.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use super::{epoll_add, epoll_create, epoll_remove, epoll_wait};

/// Waits for descriptors to become readable or writable.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
    events: Vec<libc::epoll_event>,
}

/// What one descriptor is ready for. Errors and hang-ups count as both, so that the next call
/// tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// What was given to [`Poller::add`].
    pub data: u64,
    /// A receive would not wait.
    pub readable: bool,
    /// A send would not wait.
    pub writable: bool,
}

impl Poller {
    /// Watches nothing yet; one wait returns up to `events_max` descriptors.
    pub fn new(events_max: usize) -> io::Result<Self> {
        Ok(Self { epoll: epoll_create()?, events: Vec::with_capacity(events_max.max(1)) })
    }

    /// Watches for readable.
    pub fn add(&self, fd: BorrowedFd<'_>, data: u64) -> io::Result<()> {
        epoll_add(self.epoll.as_fd(), fd, libc::EPOLLIN, data)
    }

    /// Watches for readable and writable, from now on until [`Self::remove`].
    pub fn add_both(&self, fd: BorrowedFd<'_>, data: u64) -> io::Result<()> {
        epoll_add(self.epoll.as_fd(), fd, libc::EPOLLIN | libc::EPOLLOUT, data)
    }

    /// Stops watching.
    pub fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        epoll_remove(self.epoll.as_fd(), fd)
    }

    /// Waits until something is ready, `timeout_ns` at most (`None`: without end).
    pub fn wait(&mut self, timeout_ns: Option<u64>) -> io::Result<impl Iterator<Item = Ready>> {
        epoll_wait(self.epoll.as_fd(), &mut self.events, timeout_ns)?;
        let ended = (libc::EPOLLERR | libc::EPOLLHUP) as u32;
        Ok(self.events.iter().map(move |event| Ready {
            data: event.u64,
            readable: event.events & (libc::EPOLLIN as u32 | ended) != 0,
            writable: event.events & (libc::EPOLLOUT as u32 | ended) != 0,
        }))
    }
}

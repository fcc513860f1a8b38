//! What reaches a shard from outside its own ring: helper results, stop requests, the wake-up.

use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{io, mem};

use millrace_io::{Completion, Computed, DirEntry, FileRef, IoError, Token};

use crate::doze::Doze;
use crate::sys;

/// Wakes one shard.
#[derive(Debug)]
pub(crate) struct Bell {
    pub(crate) doze: Doze,
    /// Any thread can ring this.
    pub(crate) event: OwnedFd,
    /// The shard's ring, for shards that can send it a message; -1 if it has none.
    pub(crate) ring_fd: AtomicI32,
}

/// One shard's bell and what waits beside it.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) bell: Bell,
    results: Mutex<Vec<FileDone>>,
    stop: AtomicBool,
    /// Something is in `results`, or `stop` was set.
    pending: AtomicBool,
}

impl Inbox {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            bell: Bell { doze: Doze::new(), event: sys::event()?, ring_fd: AtomicI32::new(-1) },
            results: Mutex::new(Vec::new()),
            stop: AtomicBool::new(false),
            pending: AtomicBool::new(false),
        })
    }

    /// Brings a result and wakes the shard if it sleeps.
    pub(crate) fn deliver(&self, done: FileDone) {
        self.results().push(done);
        self.pending.store(true, Ordering::Release);
        self.wake();
    }

    /// Asks the shard to stop and wakes it if it sleeps.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.pending.store(true, Ordering::Release);
        self.wake();
    }

    /// Wakes the shard if it sleeps. Returns whether it did.
    pub(crate) fn wake(&self) -> bool {
        let asleep = self.bell.doze.must_wake();
        if asleep {
            sys::event_ring(self.bell.event.as_fd());
        }
        asleep
    }

    pub(crate) fn has_more(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// Moves what came into `completions`.
    pub(crate) fn drain<M>(&self, completions: &mut Vec<Completion<M>>) {
        if !self.pending.swap(false, Ordering::AcqRel) {
            return;
        }
        let results = mem::take(&mut *self.results());
        completions.extend(results.into_iter().map(FileDone::into_completion));
        if self.stop.swap(false, Ordering::Relaxed) {
            completions.push(Completion::Stop);
        }
    }

    fn results(&self) -> MutexGuard<'_, Vec<FileDone>> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file operation that ended: a [`Completion`] without the mail type.
#[derive(Debug)]
pub(crate) struct FileDone {
    pub(crate) token: Token,
    pub(crate) outcome: Outcome,
}

/// How it ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Opened(Result<(FileRef, u64), IoError>),
    Read(Result<bytes::Bytes, IoError>),
    Wrote(Vec<bytes::Bytes>, Result<(), IoError>),
    Done(Result<(), IoError>),
    Listed(Result<Vec<DirEntry>, IoError>),
    Computed(Result<Computed, IoError>),
}

impl FileDone {
    pub(crate) fn into_completion<M>(self) -> Completion<M> {
        let token = self.token;
        match self.outcome {
            Outcome::Opened(result) => Completion::Opened { token, result },
            Outcome::Read(result) => Completion::Read { token, result },
            Outcome::Wrote(chunks, result) => Completion::Wrote { token, chunks, result },
            Outcome::Done(result) => Completion::Done { token, result },
            Outcome::Listed(result) => Completion::Listed { token, result },
            Outcome::Computed(result) => Completion::Computed { token, result },
        }
    }
}

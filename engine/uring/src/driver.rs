//! One shard's driver: ops in, completions out, one wait per turn.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use millrace_io::{
    BufferPool, Chunk, Completion, FileRef, ListenerId, Mono, Now, Op, ShardId, SocketId, Token,
};

use crate::background::Behind;
use crate::bell::Inbox;
use crate::config::{AppendPolicy, Backend, DriverConfig};
use crate::counters::Counters;
use crate::epoll::{Epoll, Target, adopted};
use crate::files::{self, Cursor, handle};
use crate::helpers::{Chore, HelpersGuard, Job, Task};
use crate::mesh::{Connection, Envelope, MeshEnd};
use crate::sys;
use crate::uring::Uring;

/// One shard's driver. Made on the shard's own thread by [`crate::Seat::into_driver`] and used there.
///
/// The loop of a shard is
/// `let now = driver.turn(&mut ops, shard.next_deadline(), &mut completions)` and then
/// `shard.step(now, &mut completions, &mut ops)`.
#[derive(Debug)]
pub struct Driver<M> {
    mesh: MeshEnd<M>,
    backend: Sockets,
    shared: Shared,
    connections: Vec<Connection>,
    /// Turns in a row that did not look at the kernel because there was work already.
    unpolled: u32,
}

/// What both backends use.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: DriverConfig,
    pub(crate) counters: Arc<Counters>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) helpers: Arc<HelpersGuard>,
    pub(crate) pool: BufferPool,
    /// This turn's jobs for helper threads.
    pub(crate) jobs: Vec<Job>,
}

#[derive(Debug)]
enum Sockets {
    Epoll(Box<Epoll>),
    Uring(Box<Uring>),
}

impl<M: Send> Driver<M> {
    pub(crate) fn new(
        mesh: MeshEnd<M>,
        config: DriverConfig,
        counters: Arc<Counters>,
        helpers: Arc<HelpersGuard>,
        pool: BufferPool,
    ) -> io::Result<Self> {
        let inbox = Arc::clone(&mesh.bells[usize::from(mesh.shard.0)]);
        let backend = Sockets::new(&config, &pool, &inbox, &mesh.bells, &counters)?;
        Ok(Self {
            mesh,
            backend,
            shared: Shared { config, counters, inbox, helpers, pool, jobs: Vec::new() },
            connections: Vec::new(),
            unpolled: 0,
        })
    }

    /// The shard this is.
    pub const fn shard(&self) -> ShardId {
        self.mesh.shard
    }

    /// `uring` or `epoll`.
    pub const fn backend_name(&self) -> &'static str {
        match self.backend {
            Sockets::Epoll(_) => "epoll",
            Sockets::Uring(_) => "uring",
        }
    }

    /// This shard's counters; share the `Arc` to read them elsewhere.
    pub const fn counters(&self) -> &Arc<Counters> {
        &self.shared.counters
    }

    /// Connections open on this shard.
    pub fn socket_count(&self) -> usize {
        match &self.backend {
            Sockets::Epoll(epoll) => epoll.socket_count(),
            Sockets::Uring(uring) => uring.socket_count(),
        }
    }

    /// True if mail waits here because its target's ring is full. A shard that ends goes on turning
    /// until this is false, or what it posted is lost.
    pub fn has_unsent_mail(&self) -> bool {
        self.mesh.has_overflow()
    }

    /// Listens on an address; port 0 takes a free one. Connections come as
    /// [`Completion::Accepted`] on this shard. Returns the address that was bound.
    pub fn listen(&mut self, addr: SocketAddr) -> io::Result<(ListenerId, SocketAddr)> {
        let config = &self.shared.config;
        let (fd, local) = sys::listen(
            addr,
            config.backlog,
            config.send_buffer_bytes,
            config.socket_receive_buffer_bytes,
        )?;
        let listener = match &mut self.backend {
            Sockets::Epoll(epoll) => epoll.add_listener(fd)?,
            Sockets::Uring(uring) => uring.add_listener(fd)?,
        };
        Ok((listener, local))
    }

    /// Takes in a connected stream socket made elsewhere, for tools and tests. It comes as
    /// [`Completion::Accepted`] with listener `u16::MAX` in the next turn.
    pub fn adopt(&mut self, fd: OwnedFd) -> io::Result<()> {
        let socket = socket2::SockRef::from(&fd);
        socket.set_nonblocking(true)?;
        let (peer, local) = sys::addresses(fd.as_fd())?;
        let origin = adopted(peer, local);
        let envelope = Envelope::Connection(Connection { fd, origin });
        self.mesh.post(self.mesh.shard, envelope, &self.shared.counters);
        Ok(())
    }

    /// Does all of `ops`, waits until there is at least one completion or `deadline` has come
    /// (`None`: without end), and appends what happened to `completions`. Does not wait if
    /// something is there already. Returns both clocks, read once, after the wait.
    ///
    /// Panics if the kernel refuses to wait at all: there is nothing a shard could do then.
    pub fn turn(
        &mut self,
        ops: &mut Vec<Op<M>>,
        deadline: Option<Mono>,
        completions: &mut Vec<Completion<M>>,
    ) -> Now {
        let counters = Arc::clone(&self.shared.counters);
        counters.turns.bump();
        for op in ops.drain(..) {
            self.perform(op, completions);
        }
        self.shared.flush_jobs();
        let backend = &mut self.backend;
        self.mesh.publish(|inbox| {
            counters.wakes_sent.bump();
            match backend {
                Sockets::Epoll(_) => {
                    counters.other_calls.bump();
                    sys::event_ring(inbox.bell.event.as_fd());
                }
                Sockets::Uring(uring) => uring.wake(inbox),
            }
        });
        match &mut self.backend {
            Sockets::Epoll(epoll) => {
                epoll.maybe_resume_accepting();
                epoll.begin(completions, &counters);
            }
            Sockets::Uring(uring) => uring.begin(completions),
        }
        self.collect(completions);
        if completions.is_empty() || self.unpolled >= UNPOLLED_MAX {
            self.unpolled = 0;
            self.wait(deadline, completions);
            self.collect(completions);
        } else {
            self.unpolled += 1;
        }
        sys::now()
    }

    /// What came from other threads.
    fn collect(&mut self, completions: &mut Vec<Completion<M>>) {
        self.shared.inbox.drain(completions);
        self.mesh.drain(completions, &mut self.connections, &self.shared.counters);
        let counters = &self.shared.counters;
        for connection in self.connections.drain(..) {
            match &mut self.backend {
                Sockets::Epoll(epoll) => epoll.adopt(connection, completions, counters),
                Sockets::Uring(uring) => uring.adopt(connection, completions),
            }
        }
    }

    fn wait(&mut self, deadline: Option<Mono>, completions: &mut Vec<Completion<M>>) {
        let doze = &self.shared.inbox.bell.doze;
        let mut timeout_ns = Some(0);
        let ready = match &self.backend {
            Sockets::Epoll(epoll) => epoll.has_ready(),
            Sockets::Uring(uring) => uring.has_ready(),
        };
        if completions.is_empty() && !ready {
            doze.announce();
            if !self.mesh.has_more() && !self.shared.inbox.has_more() {
                let own = match &self.backend {
                    Sockets::Epoll(epoll) => epoll.deadline(),
                    Sockets::Uring(uring) => uring.deadline(),
                };
                let deadline = own.into_iter().chain(deadline).min();
                timeout_ns = deadline.map(|at| at.since(sys::mono()));
            }
        }
        let counters = &self.shared.counters;
        let bell = self.shared.inbox.bell.event.as_fd();
        let waited = match &mut self.backend {
            Sockets::Epoll(epoll) => {
                epoll.poll(timeout_ns, bell, &mut self.connections, completions, counters)
            }
            Sockets::Uring(uring) => uring.poll(timeout_ns, &mut self.connections, completions),
        };
        self.shared.inbox.bell.doze.up();
        waited.expect("the kernel lets a thread wait on its own descriptors");
    }

    fn perform(&mut self, op: Op<M>, completions: &mut Vec<Completion<M>>) {
        let shared = &mut self.shared;
        let sockets = &mut self.backend;
        match op {
            Op::Open { token, path, mode } => shared.job(token, Task::Open(path, mode)),
            Op::Read { token, file, position, length } => {
                self.read(token, file, position, length, completions);
            }
            Op::Write { token, file, position, chunks } => {
                self.write(token, file, position, chunks, completions);
            }
            Op::ReadBehind { token, file, position, length } => {
                shared.behind(token, Behind::Read { file, position, length });
            }
            Op::WriteBehind { token, file, position, chunks } => {
                let bytes: usize = chunks.iter().map(Bytes::len).sum();
                shared.counters.write_bytes.add(bytes as u64);
                shared.behind(token, Behind::Write { file, position, chunks });
            }
            Op::Sync { token, file } => {
                shared.counters.syncs.bump();
                match sockets {
                    Sockets::Epoll(_) => shared.job(token, Task::Sync(file)),
                    Sockets::Uring(uring) => uring.sync(token, file),
                }
            }
            Op::Writeback { file, position, length } => {
                shared.chore(Chore::Writeback { file, position, length });
            }
            Op::DropCache { file, position, length } => {
                shared.counters.other_calls.bump();
                shared.helpers.helpers.forget(file, position, length);
            }
            Op::Prefetch { token, file, position, length } => {
                self.prefetch(token, file, position, length, completions);
            }
            Op::Allocate { token, file, position, length } => {
                shared.job(token, Task::Allocate { file, position, length });
            }
            Op::Truncate { token, file, length } => {
                shared.job(token, Task::Truncate { file, length });
            }
            Op::ReadWhole { token, path, length_max } => {
                shared.job(token, Task::ReadWhole(path, length_max));
            }
            Op::WriteWhole { token, path, content } => {
                shared.job(token, Task::WriteWhole(path, content));
            }
            Op::Rename { token, from, to } => shared.job(token, Task::Rename { from, to }),
            Op::Remove { token, path } => shared.job(token, Task::Remove(path)),
            Op::Touch { token, path } => shared.job(token, Task::Touch(path)),
            Op::MakeDir { token, path, is_new } => {
                shared.job(token, Task::MakeDir { path, is_new });
            }
            Op::SyncDir { token, path } => shared.job(token, Task::SyncDir(path)),
            Op::List { token, path } => shared.job(token, Task::List(path)),
            Op::Compute { token, work } => shared.behind(token, Behind::Compute(work)),
            Op::Receive { socket } => sockets.receive(socket),
            Op::ReceiveStop { socket } => sockets.receive_stop(socket),
            Op::ReceiveInto { socket, buffer, bytes_min, bytes_max } => {
                sockets.receive_into(socket, Target::new(buffer, bytes_min, bytes_max));
            }
            Op::Send { socket, chunks } => sockets.send(socket, chunks),
            Op::Close { socket } => sockets.close(socket, &shared.counters),
            Op::HandOver { socket, to } => {
                if let Some(connection) = sockets.release(socket, &shared.counters) {
                    let envelope = Envelope::Connection(connection);
                    self.mesh.post(to, envelope, &shared.counters);
                }
            }
            Op::Mail { to, mail } => self.mesh.post(to, Envelope::Mail(mail), &shared.counters),
        }
    }

    /// What is cached is read at once; what is not is read where waiting hurts nobody.
    fn read(
        &mut self,
        token: Token,
        file: FileRef,
        position: u64,
        length: u32,
        completions: &mut Vec<Completion<M>>,
    ) {
        let shared = &mut self.shared;
        if let Some(data) = shared.read_cached(&file, position, length) {
            completions.push(Completion::Read { token, result: Ok(data) });
            return;
        }
        match &mut self.backend {
            Sockets::Epoll(_) => shared.job(token, Task::Read { file, position, length }),
            Sockets::Uring(uring) => uring.read(token, file, position, length),
        }
    }

    fn write(
        &mut self,
        token: Token,
        file: FileRef,
        position: u64,
        chunks: Vec<Bytes>,
        completions: &mut Vec<Completion<M>>,
    ) {
        let shared = &mut self.shared;
        let bytes: usize = chunks.iter().map(Bytes::len).sum();
        shared.counters.write_bytes.add(bytes as u64);
        let start = sys::mono();
        let inline = match shared.config.append_policy {
            AppendPolicy::Auto => self.backend.prefers_inline(&file, bytes, &shared.config, start),
            AppendPolicy::Inline => true,
            AppendPolicy::Ring => false,
        };
        if inline {
            let result = shared.write_inline(&file, position, &chunks, start);
            completions.push(Completion::Wrote { token, chunks, result });
            return;
        }
        match &mut self.backend {
            Sockets::Epoll(_) => {
                shared.counters.write_helper.bump();
                shared.job(token, Task::Write { file, position, chunks });
            }
            Sockets::Uring(uring) => uring.write(token, file, position, chunks),
        }
    }

    fn prefetch(
        &mut self,
        token: Token,
        file: FileRef,
        position: u64,
        length: u64,
        completions: &mut Vec<Completion<M>>,
    ) {
        self.shared.counters.other_calls.bump();
        if files::is_cached(handle(&file), position, length) {
            completions.push(Completion::Done { token, result: Ok(()) });
            return;
        }
        let task = Task::Prefetch { file, position, length };
        self.shared.job(token, task);
    }
}

/// With completions in hand, at most so many turns go by without asking the kernel for more.
const UNPOLLED_MAX: u32 = 2;

impl Sockets {
    /// The kind the configuration asks for; epoll instead of io_uring under `Auto`, should this
    /// thread's ring be refused although the probe's was not.
    fn new(
        config: &DriverConfig,
        pool: &BufferPool,
        inbox: &Arc<Inbox>,
        bells: &Arc<[Arc<Inbox>]>,
        counters: &Arc<Counters>,
    ) -> io::Result<Self> {
        let epoll = || Epoll::new(config, pool.clone(), inbox.bell.event.as_fd());
        let uring = || {
            let (inbox, bells) = (Arc::clone(inbox), Arc::clone(bells));
            Uring::new(config, pool.clone(), inbox, bells, Arc::clone(counters))
        };
        match config.backend {
            Backend::Epoll => epoll().map(|epoll| Self::Epoll(Box::new(epoll))),
            Backend::Uring => uring().map(|uring| Self::Uring(Box::new(uring))),
            Backend::Auto => match uring() {
                Ok(uring) => Ok(Self::Uring(Box::new(uring))),
                Err(_) => epoll().map(|epoll| Self::Epoll(Box::new(epoll))),
            },
        }
    }

    /// Whether a write is better made by a plain call. With epoll the alternative is a helper
    /// thread, which only a slow file is worth. With io_uring it is the ring, which completes
    /// writes inline on some filesystems and hands them to a worker on others.
    fn prefers_inline(
        &self,
        file: &FileRef,
        bytes: usize,
        config: &DriverConfig,
        now: Mono,
    ) -> bool {
        let handle = handle(file);
        if handle.is_slow(now) {
            return false;
        }
        match self {
            Self::Epoll(_) => true,
            Self::Uring(_) => !handle.ring_is_inline() && bytes <= config.inline_write_bytes_max,
        }
    }

    fn receive(&mut self, socket: SocketId) {
        match self {
            Self::Epoll(epoll) => epoll.receive(socket),
            Self::Uring(uring) => uring.receive(socket),
        }
    }

    fn receive_stop(&mut self, socket: SocketId) {
        match self {
            Self::Epoll(epoll) => epoll.receive_stop(socket),
            Self::Uring(uring) => uring.receive_stop(socket),
        }
    }

    fn receive_into(&mut self, socket: SocketId, target: Target) {
        match self {
            Self::Epoll(epoll) => epoll.receive_into(socket, target),
            Self::Uring(uring) => uring.receive_into(socket, target),
        }
    }

    fn send(&mut self, socket: SocketId, chunks: Vec<Chunk>) {
        match self {
            Self::Epoll(epoll) => epoll.send(socket, chunks),
            Self::Uring(uring) => uring.send(socket, chunks),
        }
    }

    fn close(&mut self, socket: SocketId, counters: &Counters) {
        match self {
            Self::Epoll(epoll) => epoll.close(socket, counters),
            Self::Uring(uring) => uring.close(socket),
        }
    }

    fn release(&mut self, socket: SocketId, counters: &Counters) -> Option<Connection> {
        match self {
            Self::Epoll(epoll) => epoll.release(socket, counters),
            Self::Uring(uring) => uring.release(socket),
        }
    }
}

impl Shared {
    pub(crate) fn job(&mut self, token: Token, task: Task) {
        let inbox = Arc::clone(&self.inbox);
        self.jobs.push(Job { inbox, token, task });
    }

    fn flush_jobs(&mut self) {
        if self.jobs.is_empty() {
            return;
        }
        self.counters.helper_jobs.add(self.jobs.len() as u64);
        // The futex call that wakes a helper.
        self.counters.other_calls.bump();
        self.helpers.helpers.submit(&mut self.jobs);
    }

    fn behind(&self, token: Token, task: Behind) {
        self.counters.other_calls.bump();
        self.helpers.helpers.behind(&self.inbox, token, task);
    }

    fn chore(&self, chore: Chore) {
        self.counters.other_calls.bump();
        self.helpers.helpers.chore(chore);
    }

    /// All of a range, if it is in the page cache.
    pub(crate) fn read_cached(&self, file: &FileRef, position: u64, length: u32) -> Option<Bytes> {
        let length = length as usize;
        let handle = handle(file);
        let mut buffer = self.pool.take(length);
        while buffer.len() < length {
            self.counters.read_calls.bump();
            let rest = length - buffer.len();
            let at = position + buffer.len() as u64;
            let vec = buffer.as_mut_vec();
            let read = match sys::read_append_cached(handle.as_fd(), vec, rest, at) {
                // tmpfs cannot tell, and has no disk to wait for.
                Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
                    sys::read_append(handle.as_fd(), vec, rest, at)
                }
                other => other,
            };
            match read {
                Ok(0) => break,
                Ok(_) => {}
                // Not cached, or an error that the slow path will meet again and report.
                Err(_) => return None,
            }
        }
        self.counters.read_bytes.add(buffer.len() as u64);
        Some(buffer.freeze())
    }

    pub(crate) fn write_inline(
        &self,
        file: &FileRef,
        position: u64,
        chunks: &[Bytes],
        start: Mono,
    ) -> Result<(), millrace_io::IoError> {
        let handle = handle(file);
        let (calls, result) = files::write_all(handle.as_fd(), chunks, Cursor::default(), position);
        self.counters.write_calls.add(calls);
        if handle.note_write(start, sys::mono()) {
            self.counters.write_slow.bump();
        }
        result.map_err(|error| sys::io_error(&error))
    }
}

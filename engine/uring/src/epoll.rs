//! The epoll driver's sockets: edge-triggered readiness, plain calls.
//!
//! Every socket is registered once, for both directions, and remembers what the edges said. So
//! starting and stopping to receive costs no system call.
//!
//! ```text
//!  edge or op ──▶ queue of sockets with something to do ──▶ advance: receive once, send a share
//!                      ▲                                        │ still something to do
//!                      └────────────────────────────────────────┘ next turn, without waiting
//! ```

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::{io, mem};

use millrace_io::{
    BufferPool, Chunk, CloseReason, Completion, ListenerId, Mono, PooledBuffer, SocketId,
};

use crate::config::DriverConfig;
use crate::counters::Counters;
use crate::mesh::{Connection, Origin};
use crate::send::{Cork, SendStep, Sending};
use crate::sys;
use crate::table::{Key, Table};

#[derive(Debug)]
pub(crate) struct Epoll {
    watch: OwnedFd,
    events: Vec<libc::epoll_event>,
    sockets: Table<Socket>,
    listeners: Vec<Listener>,
    /// Sockets with something to do. A key may be stale.
    ready: VecDeque<Key>,
    pool: BufferPool,
    receive_buffer_bytes: usize,
    turn: u64,
    /// When listeners that ran out of descriptors are tried again.
    accept_again: Option<Mono>,
}

#[derive(Debug)]
struct Listener {
    fd: OwnedFd,
    paused: bool,
}

#[derive(Debug)]
struct Socket {
    fd: OwnedFd,
    origin: Origin,
    readable: bool,
    writable: bool,
    /// The peer has ended or broken the connection: what is left to read ends with that news, and
    /// no further edge will tell.
    over: bool,
    /// In `ready`.
    queued: bool,
    receive: Receive,
    /// The last turn that delivered something: the shard may answer it with `ReceiveInto`, so there
    /// is one delivery per turn.
    delivered: u64,
    sending: Option<Sending>,
    cork: Cork,
    told_eof: bool,
    told_error: bool,
}

/// What a socket's owner wants of it.
#[derive(Debug)]
pub(crate) enum Receive {
    Stopped,
    Pooled,
    Into(Target),
}

/// Where a bulk receive goes.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) buffer: PooledBuffer,
    /// The buffer's length from which on it is filled.
    pub(crate) length_min: usize,
    /// The buffer's length that is never passed.
    pub(crate) length_max: usize,
}

impl Target {
    pub(crate) fn new(mut buffer: PooledBuffer, bytes_min: usize, bytes_max: usize) -> Self {
        let length = buffer.len();
        assert!(
            bytes_min <= bytes_max && bytes_max > 0,
            "a receive of {bytes_min} to {bytes_max} bytes"
        );
        let room = buffer.as_mut_vec().capacity() - length;
        assert!(bytes_max <= room, "room for {room} bytes, {bytes_max} wanted");
        Self { buffer, length_min: length + bytes_min, length_max: length + bytes_max }
    }

    pub(crate) fn is_filled(&self) -> bool {
        self.buffer.len() >= self.length_min
    }

    /// Bytes it may still take.
    pub(crate) fn room(&self) -> usize {
        self.length_max - self.buffer.len()
    }
}

impl Epoll {
    pub(crate) fn new(
        config: &DriverConfig,
        pool: BufferPool,
        bell: BorrowedFd<'_>,
    ) -> io::Result<Self> {
        let watch = sys::epoll_create()?;
        sys::epoll_add(watch.as_fd(), bell, libc::EPOLLIN | libc::EPOLLET, BELL)?;
        Ok(Self {
            watch,
            events: Vec::with_capacity(EVENTS_MAX),
            sockets: Table::new(),
            listeners: Vec::new(),
            ready: VecDeque::new(),
            pool,
            receive_buffer_bytes: config.receive_buffer_bytes as usize,
            turn: 0,
            accept_again: None,
        })
    }

    pub(crate) fn add_listener(&mut self, fd: OwnedFd) -> io::Result<ListenerId> {
        let index = u16::try_from(self.listeners.len()).map_err(|_| sys::errno(libc::EMFILE))?;
        self.watch_listener(fd.as_fd(), index)?;
        self.listeners.push(Listener { fd, paused: false });
        Ok(ListenerId(index))
    }

    /// Level-triggered: what one turn leaves in the queue comes up in the next.
    fn watch_listener(&self, fd: BorrowedFd<'_>, index: u16) -> io::Result<()> {
        let data = LISTENER | u64::from(index);
        sys::epoll_add(self.watch.as_fd(), fd, libc::EPOLLIN, data)
    }

    /// Takes a connection in.
    pub(crate) fn adopt<M>(
        &mut self,
        connection: Connection,
        completions: &mut Vec<Completion<M>>,
        counters: &Counters,
    ) {
        let Connection { fd, origin } = connection;
        let key = self.sockets.insert(Socket {
            fd,
            origin,
            readable: false,
            writable: true,
            over: false,
            queued: false,
            receive: Receive::Stopped,
            delivered: 0,
            sending: None,
            cork: Cork::default(),
            told_eof: false,
            told_error: false,
        });
        let socket = self.sockets.get_mut(key).expect("just inserted");
        let mask = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
        let data = u64::from(key.generation) << 32 | u64::from(key.slot);
        counters.other_calls.bump();
        if sys::epoll_add(self.watch.as_fd(), socket.fd.as_fd(), mask, data).is_err() {
            // Out of kernel memory: the client sees a closed connection and comes back.
            self.sockets.remove(key);
            return;
        }
        completions.push(Completion::Accepted {
            socket: socket_id(key),
            listener: origin.listener,
            peer: origin.peer,
            local: origin.local,
        });
    }

    /// Gives a connection away, if it is still ours.
    pub(crate) fn release(&mut self, socket: SocketId, counters: &Counters) -> Option<Connection> {
        let Socket { fd, origin, .. } = self.sockets.remove(key_of(socket))?;
        counters.other_calls.bump();
        // Descriptors are watched until closed, and this one is not: it would keep telling us.
        sys::epoll_remove(self.watch.as_fd(), fd.as_fd()).ok()?;
        Some(Connection { fd, origin })
    }

    pub(crate) fn receive(&mut self, socket: SocketId) {
        self.set_receive(socket, Receive::Pooled);
    }

    pub(crate) fn receive_stop(&mut self, socket: SocketId) {
        self.set_receive(socket, Receive::Stopped);
    }

    pub(crate) fn receive_into(&mut self, socket: SocketId, target: Target) {
        self.set_receive(socket, Receive::Into(target));
    }

    fn set_receive(&mut self, socket: SocketId, receive: Receive) {
        let key = key_of(socket);
        if let Some(socket) = self.sockets.get_mut(key) {
            if matches!(socket.receive, Receive::Into(_)) {
                // A bulk receive ends by being filled, or with the connection.
                return;
            }
            socket.receive = receive;
            self.enqueue(key);
        }
    }

    pub(crate) fn send(&mut self, socket: SocketId, chunks: Vec<Chunk>) {
        let key = key_of(socket);
        if let Some(socket) = self.sockets.get_mut(key) {
            assert!(socket.sending.is_none(), "one send per socket at a time");
            socket.sending = Some(Sending::new(chunks));
            self.enqueue(key);
        }
    }

    pub(crate) fn close(&mut self, socket: SocketId, counters: &Counters) {
        if self.sockets.remove(key_of(socket)).is_some() {
            counters.closed.bump();
            counters.other_calls.bump();
            self.accept_again = self.accept_again.map(|_| Mono(0));
        }
    }

    pub(crate) fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    fn enqueue(&mut self, key: Key) {
        if let Some(socket) = self.sockets.get_mut(key)
            && !socket.queued
            && socket.has_work()
        {
            socket.queued = true;
            self.ready.push_back(key);
        }
    }

    /// A new turn: what was queued, by ops or by the last turn, is done.
    pub(crate) fn begin<M>(&mut self, completions: &mut Vec<Completion<M>>, counters: &Counters) {
        self.turn += 1;
        self.advance_ready(completions, counters);
    }

    /// True if the next turn has something to do already.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When the driver itself wants to be woken.
    pub(crate) const fn deadline(&self) -> Option<Mono> {
        self.accept_again
    }

    /// Waits up to `timeout_ns` and does what became possible. New connections go to `connections`.
    pub(crate) fn poll<M>(
        &mut self,
        timeout_ns: Option<u64>,
        bell: BorrowedFd<'_>,
        connections: &mut Vec<Connection>,
        completions: &mut Vec<Completion<M>>,
        counters: &Counters,
    ) -> io::Result<()> {
        counters.epoll_waits.bump();
        sys::epoll_wait(self.watch.as_fd(), &mut self.events, timeout_ns)?;
        let events = mem::take(&mut self.events);
        for event in &events {
            let (mask, data) = (event.events, event.u64);
            if data == BELL {
                counters.other_calls.bump();
                sys::event_clear(bell);
            } else if data & LISTENER == LISTENER {
                self.accept((data & 0xffff) as usize, connections, counters);
            } else {
                self.on_edge(mask, data);
            }
        }
        self.events = events;
        self.advance_ready(completions, counters);
        Ok(())
    }

    fn on_edge(&mut self, mask: u32, data: u64) {
        let key = Key { slot: (data & 0xffff_ffff) as u32, generation: (data >> 32) as u32 };
        let Some(socket) = self.sockets.get_mut(key) else {
            return;
        };
        let over = libc::EPOLLHUP | libc::EPOLLERR;
        let input = libc::EPOLLIN | libc::EPOLLRDHUP | over;
        let output = libc::EPOLLOUT | over;
        socket.over |= mask & (over | libc::EPOLLRDHUP) as u32 != 0;
        socket.readable |= mask & input as u32 != 0;
        socket.writable |= mask & output as u32 != 0;
        self.enqueue(key);
    }

    fn advance_ready<M>(&mut self, completions: &mut Vec<Completion<M>>, counters: &Counters) {
        for _ in 0..self.ready.len() {
            let Some(key) = self.ready.pop_front() else {
                return;
            };
            let Some(socket) = self.sockets.get_mut(key) else {
                continue;
            };
            socket.queued = false;
            if socket.delivered != self.turn {
                let delivered = socket.advance_receive(
                    socket_id(key),
                    &self.pool,
                    self.receive_buffer_bytes,
                    completions,
                    counters,
                );
                if delivered {
                    socket.delivered = self.turn;
                }
            }
            socket.advance_send(socket_id(key), completions, counters);
            self.enqueue(key);
        }
    }

    fn accept(&mut self, index: usize, connections: &mut Vec<Connection>, counters: &Counters) {
        let Ok(listener) = u16::try_from(index).map(ListenerId) else {
            return;
        };
        for _ in 0..ACCEPTS_PER_TURN {
            counters.other_calls.bump();
            let accepted = sys::accept(self.listeners[index].fd.as_fd());
            match accepted {
                Ok(fd) => {
                    counters.accepted.bump();
                    counters.other_calls.add(2);
                    // It may be gone again already.
                    if let Ok((peer, local)) = sys::addresses(fd.as_fd()) {
                        let origin = Origin { listener, peer, local };
                        connections.push(Connection { fd, origin });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if sys::is_exhausted(&error) => {
                    counters.accept_pauses.bump();
                    self.pause_accepting(index);
                    return;
                }
                // The connection failed before we took it.
                Err(_) => {}
            }
        }
    }

    /// Out of descriptors: a level-triggered listener would spin, so it is not watched for a while.
    fn pause_accepting(&mut self, index: usize) {
        let listener = &mut self.listeners[index];
        if !listener.paused && sys::epoll_remove(self.watch.as_fd(), listener.fd.as_fd()).is_ok() {
            listener.paused = true;
            self.accept_again = Some(sys::mono().plus_ms(ACCEPT_PAUSE_MS));
        }
    }

    /// Takes up listening again once its time has come.
    pub(crate) fn maybe_resume_accepting(&mut self) {
        if self.accept_again.is_none_or(|at| sys::mono() < at) {
            return;
        }
        self.accept_again = None;
        for index in 0..self.listeners.len() {
            let watched = !self.listeners[index].paused
                || self
                    .watch_listener(
                        self.listeners[index].fd.as_fd(),
                        u16::try_from(index).unwrap_or(u16::MAX),
                    )
                    .is_ok();
            self.listeners[index].paused = !watched;
            if !watched {
                self.accept_again = Some(sys::mono().plus_ms(ACCEPT_PAUSE_MS));
            }
        }
    }
}

impl Socket {
    fn has_work(&self) -> bool {
        let receives = !matches!(self.receive, Receive::Stopped) && !self.told_eof;
        (receives && self.readable && !self.told_error) || (self.sending.is_some() && self.writable)
    }

    /// Receives once. True if something was delivered.
    fn advance_receive<M>(
        &mut self,
        id: SocketId,
        pool: &BufferPool,
        piece_bytes: usize,
        completions: &mut Vec<Completion<M>>,
        counters: &Counters,
    ) -> bool {
        if !self.readable || self.told_eof || self.told_error {
            return false;
        }
        let result = match &mut self.receive {
            Receive::Stopped => return false,
            Receive::Pooled => {
                let mut buffer = pool.take(piece_bytes);
                let result = receive(&self.fd, buffer.as_mut_vec(), piece_bytes, counters);
                if let Ok(count @ 1..) = result {
                    self.readable = count == piece_bytes || self.over;
                    let data = buffer.freeze();
                    completions.push(Completion::Received { socket: id, data });
                    return true;
                }
                result
            }
            Receive::Into(target) => {
                let room = target.room();
                let result = receive(&self.fd, target.buffer.as_mut_vec(), room, counters);
                if let Ok(count @ 1..) = result {
                    self.readable = count == room || self.over;
                    return self.maybe_filled(id, completions);
                }
                result
            }
        };
        match result {
            Ok(_) => self.tell_eof(id, completions),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                false
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
            Err(error) => {
                self.tell_error(id, CloseReason::Error(sys::io_error(&error)), completions);
                true
            }
        }
    }

    fn maybe_filled<M>(&mut self, id: SocketId, completions: &mut Vec<Completion<M>>) -> bool {
        match mem::replace(&mut self.receive, Receive::Stopped) {
            Receive::Into(target) if target.is_filled() => {
                completions.push(Completion::Filled { socket: id, buffer: target.buffer });
                true
            }
            other @ (Receive::Into(_) | Receive::Pooled | Receive::Stopped) => {
                self.receive = other;
                false
            }
        }
    }

    fn tell_eof<M>(&mut self, id: SocketId, completions: &mut Vec<Completion<M>>) -> bool {
        self.told_eof = true;
        self.receive = Receive::Stopped;
        completions.push(Completion::Closed { socket: id, reason: CloseReason::Eof });
        true
    }

    fn tell_error<M>(
        &mut self,
        id: SocketId,
        reason: CloseReason,
        completions: &mut Vec<Completion<M>>,
    ) {
        self.receive = Receive::Stopped;
        self.sending = None;
        if !self.told_error {
            self.told_error = true;
            completions.push(Completion::Closed { socket: id, reason });
        }
    }

    fn advance_send<M>(
        &mut self,
        id: SocketId,
        completions: &mut Vec<Completion<M>>,
        counters: &Counters,
    ) {
        if !self.writable {
            return;
        }
        let Some(sending) = &mut self.sending else {
            return;
        };
        match sending.advance(self.fd.as_fd(), &mut self.cork, counters) {
            SendStep::Done => {
                self.sending = None;
                completions.push(Completion::Sent { socket: id });
            }
            SendStep::Blocked => self.writable = false,
            SendStep::Yielded => {}
            SendStep::Failed(reason) => self.tell_error(id, reason, completions),
        }
    }
}

fn receive(
    fd: &OwnedFd,
    buffer: &mut Vec<u8>,
    length: usize,
    counters: &Counters,
) -> io::Result<usize> {
    counters.recv_calls.bump();
    let count = sys::receive_append(fd.as_fd(), buffer, length)?;
    counters.recv_bytes.add(count as u64);
    Ok(count)
}

pub(crate) const fn socket_id(key: Key) -> SocketId {
    SocketId { slot: key.slot, generation: key.generation }
}

pub(crate) const fn key_of(socket: SocketId) -> Key {
    Key { slot: socket.slot, generation: socket.generation }
}

/// Where a connection that nobody listened for comes from.
pub(crate) fn adopted(peer: SocketAddr, local: SocketAddr) -> Origin {
    Origin { listener: ListenerId(u16::MAX), peer, local }
}

/// Events taken per wait.
const EVENTS_MAX: usize = 1024;
/// Connections taken per listener and turn, so that a storm of them leaves time for the others.
const ACCEPTS_PER_TURN: usize = 64;
/// How long a listener rests when the process is out of descriptors.
pub(crate) const ACCEPT_PAUSE_MS: u64 = 100;
/// Event data of the bell. Sockets use slot numbers far below.
const BELL: u64 = u64::MAX;
/// Event data of listeners: this and the index. The slot part is above any real one.
const LISTENER: u64 = 0xffff_0000;

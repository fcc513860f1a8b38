//! The io_uring driver's sockets and files.
//!
//! A connection receives in one of three ways, and the way follows from what it has used:
//!
//! ```text
//!             Receive                 ReceiveInto: cancel what is armed,
//!  new ──────▶ many shots, pooled ──▶ what it had delivered goes into the buffer first ──▶ bulk
//!
//!  bulk: each receive is one shot, armed only after the shard had its say about the last delivery,
//!        so nothing is ever in the air that the next ReceiveInto would have to cancel
//! ```
//!
//! What completes is put into the connection's backlog; a queue of connections with something to
//! do hands it on, one delivery per connection and turn, since the shard may answer any delivery
//! with a bulk receive that has to get the rest.

mod buffers;
mod flight;
mod raw;
mod ring;

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use io_uring::cqueue;
use millrace_io::{
    BufferPool, Chunk, CloseReason, Completion, FileRef, ListenerId, Mono, SocketId, Token,
};

pub(crate) use self::buffers::ProvidedBuffers;
use self::flight::{Flight, Message, Writing};
pub(crate) use self::ring::build;
use self::ring::{Batching, Ring, key_of as flight_of};
use crate::bell::Inbox;
use crate::config::DriverConfig;
use crate::counters::Counters;
use crate::epoll::{ACCEPT_PAUSE_MS, Target, key_of, socket_id};
use crate::files::Cursor;
use crate::mesh::{Connection, Origin};
use crate::send::{Cork, SendStep, Sending};
use crate::sys;
use crate::table::{Key, Table};

#[derive(Debug)]
pub(crate) struct Uring {
    // Dropped in this order: the ring is closed before the memory it was given is unmapped.
    ring: Ring,
    buffers: ProvidedBuffers,
    sockets: Table<Socket>,
    listeners: Vec<Rc<OwnedFd>>,
    /// Connections with something to do. A key may be stale.
    ready: VecDeque<Key>,
    /// Connections that found no provided buffer.
    starved: Vec<Key>,
    /// When starved connections get memory of their own.
    relief: Option<Mono>,
    pool: BufferPool,
    relief_bytes: usize,
    inbox: Arc<Inbox>,
    bells: Arc<[Arc<Inbox>]>,
    counters: Arc<Counters>,
    turn: u64,
    /// When listeners that ran out of descriptors are tried again, and which.
    accept_again: Option<Mono>,
    paused: Vec<u16>,
}

#[derive(Debug)]
struct Socket {
    fd: Rc<OwnedFd>,
    origin: Origin,
    receive: Want,
    armed: Option<Armed>,
    /// Received and not delivered.
    backlog: VecDeque<Bytes>,
    /// How the stream ended, to be told after the backlog.
    ended: Option<CloseReason>,
    /// Has used `ReceiveInto`.
    bulk: bool,
    queued: bool,
    starved: bool,
    /// The last turn that delivered something.
    delivered: u64,
    send: SendState,
    cork: Cork,
    /// Flights that belong to this connection, for the cancellation when it closes.
    flights: u32,
    told_eof: bool,
    told_error: bool,
}

/// What the shard wants received.
#[derive(Debug)]
enum Want {
    Stopped,
    Pooled,
    /// Held here until what is armed has ended.
    Into(Target),
    /// The target is with the kernel.
    IntoArmed,
}

/// The receive the kernel holds.
#[derive(Clone, Copy, Debug)]
struct Armed {
    flight: Key,
    cancelled: bool,
}

#[derive(Debug)]
enum SendState {
    Idle,
    /// With the kernel.
    InFlight,
    /// By plain calls; to be continued.
    Direct(Sending),
    /// By plain calls; waiting for room.
    Blocked(Sending),
}

/// How long starved connections wait for a buffer before they get memory of their own: longer than
/// a turn, shorter than anyone notices.
const RELIEF_MS: u64 = 5;

impl Uring {
    pub(crate) fn new(
        config: &DriverConfig,
        pool: BufferPool,
        inbox: Arc<Inbox>,
        bells: Arc<[Arc<Inbox>]>,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let batching = (config.batch_wait_us > 0).then_some(Batching {
            wait_us: config.batch_wait_us,
            completions: config.batch_completions,
        });
        let mut ring = Ring::new(Arc::clone(&counters), batching, config.sent_wait_us)?;
        let buffer_bytes = config.receive_buffer_bytes as usize;
        let buffers = ProvidedBuffers::new(ring.io(), config.receive_buffer_count, buffer_bytes)?;
        ring.launch(Flight::Bell { fd: inbox.bell.event.as_raw_fd() });
        inbox.bell.ring_fd.store(ring.fd(), Ordering::Release);
        Ok(Self {
            ring,
            buffers,
            sockets: Table::new(),
            listeners: Vec::new(),
            ready: VecDeque::new(),
            starved: Vec::new(),
            relief: None,
            pool,
            relief_bytes: buffer_bytes,
            inbox,
            bells,
            counters,
            turn: 0,
            accept_again: None,
            paused: Vec::new(),
        })
    }

    pub(crate) fn add_listener(&mut self, fd: OwnedFd) -> io::Result<ListenerId> {
        let listener = u16::try_from(self.listeners.len()).map_err(|_| sys::errno(libc::EMFILE))?;
        let fd = Rc::new(fd);
        self.ring.launch(Flight::Accept { listener, fd: Rc::clone(&fd) });
        self.listeners.push(fd);
        Ok(ListenerId(listener))
    }

    pub(crate) fn adopt<M>(
        &mut self,
        connection: Connection,
        completions: &mut Vec<Completion<M>>,
    ) {
        let Connection { fd, origin } = connection;
        let key = self.sockets.insert(Socket {
            fd: Rc::new(fd),
            origin,
            receive: Want::Stopped,
            armed: None,
            backlog: VecDeque::new(),
            ended: None,
            bulk: false,
            queued: false,
            starved: false,
            delivered: 0,
            send: SendState::Idle,
            cork: Cork::default(),
            flights: 0,
            told_eof: false,
            told_error: false,
        });
        completions.push(Completion::Accepted {
            socket: socket_id(key),
            listener: origin.listener,
            peer: origin.peer,
            local: origin.local,
        });
    }

    /// Gives a connection away, if it is still ours and nothing was done with it.
    pub(crate) fn release(&mut self, socket: SocketId) -> Option<Connection> {
        let key = key_of(socket);
        let flights = self.sockets.get_mut(key)?.flights;
        assert_eq!(flights, 0, "handed over after it was used");
        let Socket { fd, origin, .. } = self.sockets.remove(key)?;
        let fd = Rc::into_inner(fd).expect("no flight holds it");
        Some(Connection { fd, origin })
    }

    pub(crate) fn receive(&mut self, socket: SocketId) {
        self.set_want(socket, Want::Pooled);
    }

    pub(crate) fn receive_stop(&mut self, socket: SocketId) {
        self.set_want(socket, Want::Stopped);
    }

    pub(crate) fn receive_into(&mut self, socket: SocketId, target: Target) {
        self.set_want(socket, Want::Into(target));
    }

    fn set_want(&mut self, socket: SocketId, want: Want) {
        let key = key_of(socket);
        let Some(socket) = self.sockets.get_mut(key) else { return };
        match socket.receive {
            // A bulk receive ends by being filled, or with the connection.
            Want::Into(_) | Want::IntoArmed => return,
            Want::Stopped | Want::Pooled => {}
        }
        socket.bulk |= matches!(want, Want::Into(_));
        socket.receive = want;
        self.enqueue(key);
    }

    pub(crate) fn send(&mut self, socket: SocketId, chunks: Vec<Chunk>) {
        let key = key_of(socket);
        let Some(socket) = self.sockets.get_mut(key) else { return };
        assert!(matches!(socket.send, SendState::Idle), "one send per socket at a time");
        let mut sending = Sending::new(chunks);
        sending.settle(0);
        let is_empty = sending.rest().0.is_empty();
        if is_empty || !sending.is_bytes_only() || socket.cork == Cork::In {
            socket.send = SendState::Direct(sending);
            self.enqueue(key);
            return;
        }
        self.counters.send_ring.bump();
        self.launch_send(key, sending);
    }

    fn launch_send(&mut self, key: Key, sending: Sending) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        socket.send = SendState::InFlight;
        socket.flights += 1;
        let fd = Rc::clone(&socket.fd);
        self.ring.launch(Flight::Send { socket: key, fd, sending, message: Message::new() });
    }

    pub(crate) fn close(&mut self, socket: SocketId) {
        let Some(socket) = self.sockets.remove(key_of(socket)) else { return };
        self.counters.closed.bump();
        self.counters.other_calls.bump();
        if socket.flights > 0 {
            // The descriptor is closed with the last of them.
            self.ring.cancel_on(socket.fd.as_raw_fd());
        }
        self.accept_again = self.accept_again.map(|_| Mono(0));
    }

    pub(crate) fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    /// Reads what was not cached, without holding up anyone.
    pub(crate) fn read(&mut self, token: Token, file: FileRef, position: u64, length: u32) {
        self.counters.read_ring.bump();
        let length = length as usize;
        let buffer = self.pool.take(length);
        self.ring.launch(Flight::Read { token, file, position, length, buffer });
    }

    pub(crate) fn write(&mut self, token: Token, file: FileRef, position: u64, chunks: Vec<Bytes>) {
        self.counters.write_ring.bump();
        let mut cursor = Cursor::default();
        cursor.advance(&chunks, 0);
        let vectors = Vec::new();
        let writing = Writing { token, file, chunks, cursor, position, vectors };
        self.ring.launch(Flight::Write(Box::new(writing)));
    }

    pub(crate) fn sync(&mut self, token: Token, file: FileRef) {
        self.ring.launch(Flight::Sync { token, file });
    }

    /// Wakes a shard that sleeps.
    pub(crate) fn wake(&mut self, inbox: &Inbox) {
        let ring_fd = inbox.bell.ring_fd.load(Ordering::Acquire);
        if ring_fd >= 0 {
            self.ring.wake(ring_fd);
        } else {
            self.counters.other_calls.bump();
            sys::event_ring(inbox.bell.event.as_fd());
        }
    }

    fn enqueue(&mut self, key: Key) {
        if let Some(socket) = self.sockets.get_mut(key)
            && !socket.queued
        {
            socket.queued = true;
            self.ready.push_back(key);
        }
    }

    /// A new turn: what was queued, by ops or by the last turn, is done.
    pub(crate) fn begin<M>(&mut self, completions: &mut Vec<Completion<M>>) {
        self.turn += 1;
        self.maybe_resume_accepting();
        self.feed_starved();
        self.advance_ready(completions);
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When the driver itself wants to be woken.
    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.accept_again.into_iter().chain(self.relief).min()
    }

    /// Submits, waits up to `timeout_ns` and does what became possible.
    pub(crate) fn poll<M>(
        &mut self,
        timeout_ns: Option<u64>,
        connections: &mut Vec<Connection>,
        completions: &mut Vec<Completion<M>>,
    ) -> io::Result<()> {
        self.ring.enter(timeout_ns)?;
        let entries = self.ring.take_reaped();
        if self.ring.take_wake_failed() {
            // Whoever it was for sleeps on: wake them all, the other way.
            for bell in self.bells.iter() {
                self.counters.other_calls.bump();
                sys::event_ring(bell.bell.event.as_fd());
            }
        }
        for entry in &entries {
            self.on_completion(entry, connections, completions);
        }
        self.ring.give_back(entries);
        self.advance_ready(completions);
        Ok(())
    }

    fn on_completion<M>(
        &mut self,
        entry: &cqueue::Entry,
        connections: &mut Vec<Connection>,
        completions: &mut Vec<Completion<M>>,
    ) {
        let key = flight_of(entry.user_data());
        let Some(launched) = self.ring.flights.get_mut(key) else {
            debug_assert!(false, "a completion of nothing");
            return;
        };
        let more = cqueue::more(entry.flags());
        match &launched.flight {
            Flight::Bell { .. } => {
                self.counters.other_calls.bump();
                sys::event_clear(self.inbox.bell.event.as_fd());
                if !more {
                    self.ring.launch_again(key);
                }
            }
            Flight::Accept { listener, .. } => {
                let listener = *listener;
                self.on_accepted(listener, entry.result(), connections);
                if !more {
                    self.on_accept_ended(key, listener, entry.result());
                }
            }
            Flight::ReceiveMany { socket, .. } | Flight::ReceiveOnce { socket, .. } => {
                let socket = *socket;
                if !more {
                    self.ring.flights.remove(key);
                }
                self.on_received(socket, entry, more);
            }
            Flight::ReceiveInto { .. }
            | Flight::Send { .. }
            | Flight::Writable { .. }
            | Flight::Read { .. }
            | Flight::Write(_)
            | Flight::Sync { .. } => {
                let punted = self.ring.was_punted(key);
                let launched = self.ring.flights.remove(key).expect("it was just found");
                self.on_last(launched.flight, entry.result(), punted, completions);
            }
        }
    }

    /// The one completion of an operation that has only one.
    fn on_last<M>(
        &mut self,
        flight: Flight,
        result: i32,
        punted: bool,
        completions: &mut Vec<Completion<M>>,
    ) {
        let answer = usize::try_from(result).map_err(|_| sys::errno(-result));
        match flight {
            Flight::ReceiveInto { socket, target, .. } => self.on_filled(socket, target, answer),
            Flight::Send { socket, sending, .. } => {
                self.on_sent(socket, sending, answer, completions);
            }
            Flight::Writable { socket, .. } => {
                let Some(found) = self.sockets.get_mut(socket) else { return };
                found.flights -= 1;
                if let SendState::Blocked(sending) = mem::replace(&mut found.send, SendState::Idle)
                {
                    found.send = SendState::Direct(sending);
                }
                self.enqueue(socket);
            }
            Flight::Read { token, file, position, length, mut buffer } => {
                self.counters.punts.add(u64::from(punted));
                let result = match answer {
                    Ok(count) => {
                        sys::grow(buffer.as_mut_vec(), count);
                        self.counters.read_bytes.add(count as u64);
                        if count > 0 && buffer.len() < length {
                            let flight = Flight::Read { token, file, position, length, buffer };
                            self.ring.launch(flight);
                            return;
                        }
                        Ok(buffer.freeze())
                    }
                    Err(error) => Err(sys::io_error(&error)),
                };
                completions.push(Completion::Read { token, result });
            }
            Flight::Write(writing) => {
                self.counters.punts.add(u64::from(punted));
                self.on_wrote(writing, answer, completions);
            }
            Flight::Sync { token, .. } => {
                let result = answer.map(drop).map_err(|error| sys::io_error(&error));
                completions.push(Completion::Done { token, result });
            }
            Flight::Bell { .. }
            | Flight::Accept { .. }
            | Flight::ReceiveMany { .. }
            | Flight::ReceiveOnce { .. } => unreachable!("it has many completions"),
        }
    }

    fn on_wrote<M>(
        &mut self,
        mut writing: Box<Writing>,
        answer: io::Result<usize>,
        completions: &mut Vec<Completion<M>>,
    ) {
        let result = match answer {
            Ok(count) => {
                writing.cursor.advance(&writing.chunks, count);
                writing.position += count as u64;
                let rest = writing.cursor.chunk < writing.chunks.len();
                if count > 0 && rest {
                    self.ring.launch(Flight::Write(writing));
                    return;
                }
                if rest { Err(sys::io_error(&io::ErrorKind::WriteZero.into())) } else { Ok(()) }
            }
            Err(error) => Err(sys::io_error(&error)),
        };
        let Writing { token, chunks, .. } = *writing;
        completions.push(Completion::Wrote { token, chunks, result });
    }

    fn on_accepted(&mut self, listener: u16, result: i32, connections: &mut Vec<Connection>) {
        let Ok(fd) = usize::try_from(result) else { return };
        let fd = sys::owned(fd);
        self.counters.accepted.bump();
        self.counters.other_calls.add(2);
        // It may be gone again already.
        if let Ok((peer, local)) = sys::addresses(fd.as_fd()) {
            let origin = Origin { listener: ListenerId(listener), peer, local };
            connections.push(Connection { fd, origin });
        }
    }

    /// Accepting goes on, after a rest if it ended for want of descriptors.
    fn on_accept_ended(&mut self, key: Key, listener: u16, result: i32) {
        if result < 0 && sys::is_exhausted(&sys::errno(-result)) {
            self.ring.flights.remove(key);
            self.paused.push(listener);
            self.counters.accept_pauses.bump();
            self.accept_again = Some(sys::mono().plus_ms(ACCEPT_PAUSE_MS));
        } else {
            self.ring.launch_again(key);
        }
    }

    fn maybe_resume_accepting(&mut self) {
        if self.accept_again.is_none_or(|at| sys::mono() < at) {
            return;
        }
        self.accept_again = None;
        for listener in mem::take(&mut self.paused) {
            let fd = Rc::clone(&self.listeners[usize::from(listener)]);
            self.ring.launch(Flight::Accept { listener, fd });
        }
    }

    /// A receive into provided buffers completed, for the last time unless `more`.
    fn on_received(&mut self, key: Key, entry: &cqueue::Entry, more: bool) {
        let result = entry.result();
        let length = usize::try_from(result).unwrap_or(0);
        // Also for a socket that is gone: the buffer is to come back.
        let received = self.buffers.received(entry.flags(), length);
        let Some(socket) = self.sockets.get_mut(key) else { return };
        if !more {
            socket.armed = None;
            socket.flights -= 1;
        }
        match (received, result) {
            (Some((data, copied)), _) => {
                self.counters.recv_bytes.add(length as u64);
                self.counters.copied_bytes.add(copied as u64);
                socket.backlog.push_back(data);
            }
            (None, 0) => socket.ended = Some(CloseReason::Eof),
            (None, result) => {
                self.on_receive_error(key, -result);
                return;
            }
        }
        self.enqueue(key);
    }

    fn on_receive_error(&mut self, key: Key, errno: i32) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        match errno {
            libc::ENOBUFS => {
                self.counters.recv_starved.bump();
                self.buffers.on_starved();
                if !socket.starved {
                    socket.starved = true;
                    self.starved.push(key);
                }
            }
            // Cancelled by us, or to be tried again.
            libc::ECANCELED | libc::EAGAIN | libc::EINTR => {}
            errno => {
                let error = sys::io_error(&sys::errno(errno));
                socket.ended = Some(CloseReason::Error(error));
            }
        }
        self.enqueue(key);
    }

    /// Connections that found no buffer try again when there are some, and get memory of their own
    /// if there are none for long: pieces of frames may be holding all buffers, and only more bytes
    /// would free them.
    fn feed_starved(&mut self) {
        let has_buffers = self.buffers.replenish();
        if self.starved.is_empty() {
            return;
        }
        let now = sys::mono();
        if !has_buffers {
            match self.relief {
                None => {
                    self.relief = Some(now.plus_ms(RELIEF_MS));
                    return;
                }
                Some(at) if now < at => return,
                Some(_) => {}
            }
        }
        self.relief = None;
        for key in mem::take(&mut self.starved) {
            let Some(socket) = self.sockets.get_mut(key) else { continue };
            socket.starved = false;
            let wants = matches!(socket.receive, Want::Pooled);
            if !has_buffers && wants && socket.armed.is_none() && socket.ended.is_none() {
                let buffer = self.pool.take(self.relief_bytes);
                let target = Target::new(buffer, 1, self.relief_bytes);
                self.arm(key, |socket, fd| Flight::ReceiveInto { socket, fd, target });
            }
            self.enqueue(key);
        }
    }

    /// Gives the kernel a receive for a connection that has none armed.
    fn arm(&mut self, key: Key, flight: impl FnOnce(Key, Rc<OwnedFd>) -> Flight) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        debug_assert!(socket.armed.is_none(), "armed twice");
        let flight = self.ring.launch(flight(key, Rc::clone(&socket.fd)));
        socket.armed = Some(Armed { flight, cancelled: false });
        socket.flights += 1;
    }

    /// A receive into memory of its own completed.
    fn on_filled(&mut self, key: Key, mut target: Target, answer: io::Result<usize>) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        socket.armed = None;
        socket.flights -= 1;
        match answer {
            Ok(0) => socket.ended = Some(CloseReason::Eof),
            Ok(count) => {
                self.counters.recv_bytes.add(count as u64);
                sys::grow(target.buffer.as_mut_vec(), count);
            }
            Err(error) => {
                let errno = error.raw_os_error();
                if !matches!(errno, Some(libc::EAGAIN | libc::EINTR | libc::ECANCELED)) {
                    socket.ended = Some(CloseReason::Error(sys::io_error(&error)));
                }
            }
        }
        match socket.receive {
            Want::IntoArmed => socket.receive = Want::Into(target),
            // Memory lent to a starved connection.
            Want::Pooled | Want::Stopped | Want::Into(_) => {
                if !target.buffer.is_empty() {
                    socket.backlog.push_back(target.buffer.freeze());
                }
            }
        }
        self.enqueue(key);
    }

    fn on_sent<M>(
        &mut self,
        key: Key,
        mut sending: Sending,
        answer: io::Result<usize>,
        completions: &mut Vec<Completion<M>>,
    ) {
        let Some(socket) = self.sockets.get_mut(key) else { return };
        socket.flights -= 1;
        socket.send = SendState::Idle;
        match answer {
            Ok(count) => {
                self.counters.send_bytes.add(count as u64);
                sending.settle(count);
                if sending.rest().0.is_empty() {
                    completions.push(Completion::Sent { socket: socket_id(key) });
                } else {
                    self.launch_send(key, sending);
                }
            }
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINTR | libc::EAGAIN)) => {
                self.launch_send(key, sending);
            }
            Err(error) => {
                let reason = CloseReason::Error(sys::io_error(&error));
                socket.tell_error(socket_id(key), reason, completions);
            }
        }
    }

    fn advance_ready<M>(&mut self, completions: &mut Vec<Completion<M>>) {
        for _ in 0..self.ready.len() {
            let Some(key) = self.ready.pop_front() else { return };
            let Some(socket) = self.sockets.get_mut(key) else { continue };
            socket.queued = false;
            let again_receive = self.advance_receive(key, completions);
            let again_send = self.advance_send(key, completions);
            if again_receive || again_send {
                self.enqueue(key);
            }
        }
    }

    /// Delivers what can be, and arms or cancels what the shard wants. True if there is more to do
    /// in the next turn.
    fn advance_receive<M>(&mut self, key: Key, completions: &mut Vec<Completion<M>>) -> bool {
        let turn = self.turn;
        let Some(socket) = self.sockets.get_mut(key) else { return false };
        if socket.told_eof || socket.told_error {
            return false;
        }
        let had_its_say = socket.delivered != turn;
        match &mut socket.receive {
            Want::IntoArmed => return false,
            Want::Stopped => {
                self.disarm(key);
                return false;
            }
            Want::Pooled => {
                if let Some(data) = socket.backlog.front() {
                    if had_its_say {
                        let data = data.clone();
                        socket.backlog.pop_front();
                        socket.delivered = turn;
                        completions.push(Completion::Received { socket: socket_id(key), data });
                    }
                    let again = !socket.backlog.is_empty() || socket.ended.is_some() || socket.bulk;
                    if again || socket.armed.is_some() {
                        return again;
                    }
                }
            }
            Want::Into(target) => {
                let copied = pour(&mut socket.backlog, target);
                self.counters.copied_bytes.add(copied as u64);
                if target.is_filled() {
                    if !had_its_say {
                        return true;
                    }
                    socket.delivered = turn;
                    socket.deliver_filled(socket_id(key), completions);
                    self.disarm(key);
                    return false;
                }
            }
        }
        self.arm_wanted(key, completions)
    }

    /// All that was received is delivered: says how the stream ended, or receives on. True if the
    /// connection is to be looked at again in the next turn.
    fn arm_wanted<M>(&mut self, key: Key, completions: &mut Vec<Completion<M>>) -> bool {
        let turn = self.turn;
        let Some(socket) = self.sockets.get_mut(key) else { return false };
        if let Some(reason) = socket.ended {
            socket.tell_end(socket_id(key), reason, completions);
            return false;
        }
        if matches!(socket.receive, Want::Into(_)) && socket.armed.is_some() {
            self.disarm(key);
            return false;
        }
        if socket.armed.is_some() || socket.starved {
            return false;
        }
        if socket.bulk && matches!(socket.receive, Want::Pooled) {
            if socket.delivered == turn {
                return true;
            }
            self.arm(key, |socket, fd| Flight::ReceiveOnce { socket, fd });
            return false;
        }
        match mem::replace(&mut socket.receive, Want::IntoArmed) {
            Want::Into(target) => {
                self.arm(key, |socket, fd| Flight::ReceiveInto { socket, fd, target });
            }
            other @ (Want::Pooled | Want::Stopped | Want::IntoArmed) => {
                socket.receive = other;
                self.arm(key, |socket, fd| Flight::ReceiveMany { socket, fd });
            }
        }
        false
    }

    /// Cancels the armed receive, if there is one; what it had completes still.
    fn disarm(&mut self, key: Key) {
        if let Some(socket) = self.sockets.get_mut(key)
            && let Some(armed) = &mut socket.armed
            && !armed.cancelled
        {
            armed.cancelled = true;
            self.ring.cancel(armed.flight);
        }
    }

    /// Goes on with a send by plain calls. True if there is more to do in the next turn.
    fn advance_send<M>(&mut self, key: Key, completions: &mut Vec<Completion<M>>) -> bool {
        let Some(socket) = self.sockets.get_mut(key) else { return false };
        let mut sending = match mem::replace(&mut socket.send, SendState::Idle) {
            SendState::Direct(sending) => sending,
            other @ (SendState::Idle | SendState::InFlight | SendState::Blocked(_)) => {
                socket.send = other;
                return false;
            }
        };
        match sending.advance(socket.fd.as_fd(), &mut socket.cork, &self.counters) {
            SendStep::Done => {
                completions.push(Completion::Sent { socket: socket_id(key) });
                false
            }
            SendStep::Yielded => {
                socket.send = SendState::Direct(sending);
                true
            }
            SendStep::Blocked => {
                socket.send = SendState::Blocked(sending);
                socket.flights += 1;
                let fd = Rc::clone(&socket.fd);
                self.ring.launch(Flight::Writable { socket: key, fd });
                false
            }
            SendStep::Failed(reason) => {
                socket.tell_error(socket_id(key), reason, completions);
                false
            }
        }
    }
}

/// Moves what was received into a bulk target, as far as it has room. Returns the bytes copied.
fn pour(backlog: &mut VecDeque<Bytes>, target: &mut Target) -> usize {
    let mut copied = 0;
    while target.room() > 0
        && let Some(data) = backlog.front_mut()
    {
        let part = data.split_to(data.len().min(target.room()));
        target.buffer.as_mut_vec().extend_from_slice(&part);
        copied += part.len();
        if data.is_empty() {
            backlog.pop_front();
        }
    }
    copied
}

impl Socket {
    fn deliver_filled<M>(&mut self, id: SocketId, completions: &mut Vec<Completion<M>>) {
        match mem::replace(&mut self.receive, Want::Stopped) {
            Want::Into(target) => {
                completions.push(Completion::Filled { socket: id, buffer: target.buffer });
            }
            Want::Stopped | Want::Pooled | Want::IntoArmed => {
                unreachable!("the caller saw the target")
            }
        }
    }

    fn tell_end<M>(
        &mut self,
        id: SocketId,
        reason: CloseReason,
        completions: &mut Vec<Completion<M>>,
    ) {
        self.receive = Want::Stopped;
        match reason {
            CloseReason::Eof => {
                self.told_eof = true;
                completions.push(Completion::Closed { socket: id, reason });
            }
            CloseReason::Error(_) => self.tell_error(id, reason, completions),
        }
    }

    fn tell_error<M>(
        &mut self,
        id: SocketId,
        reason: CloseReason,
        completions: &mut Vec<Completion<M>>,
    ) {
        self.receive = Want::Stopped;
        if !self.told_error {
            self.told_error = true;
            completions.push(Completion::Closed { socket: id, reason });
        }
    }
}

impl Drop for Uring {
    fn drop(&mut self) {
        self.inbox.bell.ring_fd.store(-1, Ordering::Release);
        self.ring.shut_down(|accepted| {
            if let Ok(fd) = usize::try_from(accepted) {
                drop(sys::owned(fd));
            }
        });
    }
}

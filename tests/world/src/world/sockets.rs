//! The server's end of connections: what drivers do with sockets.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::{Buf, Bytes};
use millrace_io::{
    Chunk, CloseReason, Completion, IoError, IoErrorKind, Op, PooledBuffer, ShardId, SocketId,
};

use super::file_ops::handle;
use super::{Event, World, index};
use crate::Broken;
use crate::disk::EIO;
use crate::net::{ClientId, Fin, Mode, Server, Socket};

const RESET: CloseReason =
    CloseReason::Error(IoError { kind: IoErrorKind::Disconnected, errno: 104 });
/// A file was shorter than what was promised of it.
const SHORT_FILE: CloseReason = CloseReason::Error(IoError { kind: IoErrorKind::Other, errno: 0 });

/// A thing that happens to a connection.
#[derive(Debug)]
pub(super) enum NetEvent {
    /// The shard gets the connection.
    Accept(ClientId, ShardId),
    /// Bytes reach the server.
    ToServer(ClientId, Bytes),
    /// Bytes reach the client.
    ToClient(ClientId, Bytes),
    /// The server learns that the client sends no more.
    FinToServer(ClientId),
    /// The client learns that the server is through.
    FinToClient(ClientId),
    /// Both ends learn that the connection is broken.
    Reset(ClientId),
    /// The kernel takes more of a pending send.
    Pump(ClientId),
}

impl<M> World<M> {
    /// Runs an operation on a socket, or gives it back if it is none.
    pub(super) fn socket_op(&mut self, shard: ShardId, op: Op<M>) -> Result<(), Op<M>> {
        match op {
            Op::Receive { socket } => self.set_mode(shard, socket, Mode::Receiving),
            Op::ReceiveStop { socket } => self.set_mode(shard, socket, Mode::Stopped),
            Op::ReceiveInto { socket, mut buffer, bytes_min, bytes_max } => {
                assert!(
                    bytes_min > 0 && bytes_min <= bytes_max,
                    "receive {bytes_min}..={bytes_max} bytes"
                );
                let room = capacity_left(&mut buffer);
                assert!(room >= bytes_max, "room for {room} of {bytes_max} bytes");
                self.untake(shard, socket);
                self.set_mode(shard, socket, Mode::Into { buffer, bytes_min, bytes_max });
            }
            Op::Send { socket, chunks } => self.send(shard, socket, chunks),
            Op::Close { socket } => self.close(shard, socket),
            Op::HandOver { socket, to } => self.hand_over(shard, socket, to),
            Op::Open { .. }
            | Op::Read { .. }
            | Op::Write { .. }
            | Op::ReadBehind { .. }
            | Op::WriteBehind { .. }
            | Op::Sync { .. }
            | Op::Writeback { .. }
            | Op::DropCache { .. }
            | Op::Prefetch { .. }
            | Op::Allocate { .. }
            | Op::Truncate { .. }
            | Op::ReadWhole { .. }
            | Op::WriteWhole { .. }
            | Op::Rename { .. }
            | Op::Remove { .. }
            | Op::Touch { .. }
            | Op::MakeDir { .. }
            | Op::SyncDir { .. }
            | Op::Compute { .. }
            | Op::List { .. }
            | Op::Mail { .. } => return Err(op),
        }
        Ok(())
    }

    pub(super) fn net_event(&mut self, event: NetEvent) {
        match event {
            NetEvent::Accept(client, shard) => self.accept(client, shard),
            NetEvent::ToServer(client, bytes) => {
                let Some(link) = self.net.links.get_mut(&client) else { return };
                link.to_server.wire_bytes -= bytes.len();
                if matches!(link.server, Server::Gone) {
                    // Nobody listens any more: the answer is a reset.
                    self.end_client(client, RESET);
                    return;
                }
                link.to_server.arrived.extend_from_slice(&bytes);
                self.feed(client);
            }
            NetEvent::ToClient(client, bytes) => {
                let Some(link) = self.net.links.get_mut(&client) else { return };
                link.to_client.wire_bytes -= bytes.len();
                if link.client_end.is_some() {
                    return;
                }
                if link.client_reads {
                    link.to_client.arrived.extend_from_slice(&bytes);
                    self.net.add_news(client);
                } else {
                    self.break_server(client, RESET);
                }
            }
            NetEvent::FinToServer(client) => {
                let Some(link) = self.net.links.get_mut(&client) else { return };
                link.to_server.fin = Fin::Arrived;
                self.feed(client);
            }
            NetEvent::FinToClient(client) => self.end_client(client, CloseReason::Eof),
            NetEvent::Reset(client) => {
                self.end_client(client, RESET);
                self.break_server(client, RESET);
            }
            NetEvent::Pump(client) => self.pump_to_client(client),
        }
    }

    /// Gives the shard what it may have now: bytes, a filled buffer, or the end.
    pub(super) fn feed(&mut self, client: ClientId) {
        let Some(link) = self.net.links.get_mut(&client) else { return };
        let arrived = &mut link.to_server.arrived;
        let Server::Open(socket) = &mut link.server else { return };
        if socket.told_closed {
            return;
        }
        let ready = &mut self.shards[index(socket.shard)].ready;
        let id = socket.id;
        match std::mem::replace(&mut socket.mode, Mode::Stopped) {
            Mode::Stopped => return,
            Mode::Receiving => {
                // One delivery a turn: the shard may answer it with `ReceiveInto`.
                if !arrived.is_empty() && socket.taken_bytes == 0 {
                    let bytes_max =
                        if self.rng.chance(self.faults.trickle) { 8 } else { 16 * 1024 };
                    let there = arrived.len().min(bytes_max);
                    let length =
                        if self.rng.chance(600) { there } else { 1 + self.rng.index(there) };
                    let data = arrived.split_to(length).freeze();
                    socket.taken_bytes += length;
                    ready.push_back(Completion::Received { socket: id, data });
                }
                socket.mode = Mode::Receiving;
            }
            Mode::Into { mut buffer, bytes_min, bytes_max } => {
                let there = arrived.len().min(bytes_max);
                let length = if there < bytes_min {
                    there
                } else {
                    usize::try_from(self.rng.between(bytes_min as u64, there as u64))
                        .expect("at most what is there")
                };
                buffer.as_mut_vec().extend_from_slice(&arrived[..length]);
                arrived.advance(length);
                if length >= bytes_min {
                    ready.push_back(Completion::Filled { socket: id, buffer });
                } else {
                    let (bytes_min, bytes_max) = (bytes_min - length, bytes_max - length);
                    socket.mode = Mode::Into { buffer, bytes_min, bytes_max };
                }
            }
        }
        let wants_more = !matches!(socket.mode, Mode::Stopped) && socket.taken_bytes == 0;
        if wants_more && arrived.is_empty() && link.to_server.fin == Fin::Arrived {
            socket.told_closed = true;
            socket.mode = Mode::Stopped;
            ready.push_back(Completion::Closed { socket: id, reason: CloseReason::Eof });
        }
        self.pump_to_server(client);
    }

    /// Puts more of what the client wants to send on the way.
    pub(super) fn pump_to_server(&mut self, client: ClientId) {
        let Some(link) = self.net.links.get_mut(&client) else { return };
        let pipe = &mut link.to_server;
        // A receiver that frees its window byte by byte must not be fed byte by byte.
        if pipe.room_bytes() < pipe.window_bytes / 2 {
            return;
        }
        let mut events = Vec::new();
        while !pipe.unsent.is_empty() && pipe.room_bytes() > 0 {
            let bytes_max = if self.rng.chance(self.faults.trickle) { 16 } else { 64 * 1024 };
            let there = pipe.unsent.len().min(pipe.room_bytes()).min(bytes_max);
            // Mostly whole, as on a fast network; cut anywhere otherwise.
            let length = if self.rng.chance(600) { there } else { 1 + self.rng.index(there) };
            let bytes = pipe.unsent.split_to(length).freeze();
            pipe.wire_bytes += length;
            events.push(NetEvent::ToServer(client, bytes));
        }
        if pipe.unsent.is_empty() && pipe.fin == Fin::Wanted {
            pipe.fin = Fin::Sent;
            events.push(NetEvent::FinToServer(client));
        }
        for event in events {
            let delay = self.net_delay();
            let Some(link) = self.net.links.get_mut(&client) else { return };
            let at = (self.time + delay).max(link.to_server.until);
            link.to_server.until = at;
            self.schedule_piece(client, at, event);
        }
    }

    /// Whether the pending send goes on with a file whose reading is to fail once.
    fn next_read_breaks(&mut self, client: ClientId) -> bool {
        let Some(link) = self.net.links.get(&client) else { return false };
        let Server::Open(socket) = &link.server else { return false };
        let chunks = socket.sending.iter().flatten().find(|chunk| !chunk.is_empty());
        let Some(Chunk::File { file, .. }) = chunks else { return false };
        let file = file.clone();
        self.breaks_file(Broken::Read, &file)
    }

    /// Moves more of the pending send towards the client; tells the shard when all of it went.
    fn pump_to_client(&mut self, client: ClientId) {
        loop {
            let reads_break = self.next_read_breaks(client);
            let Some(link) = self.net.links.get_mut(&client) else { return };
            let room = if link.client_reads { link.to_client.room_bytes() } else { usize::MAX };
            let Server::Open(socket) = &mut link.server else { return };
            let Some(chunks) = &mut socket.sending else { return };
            while chunks.front().is_some_and(Chunk::is_empty) {
                chunks.pop_front();
            }
            let Some(chunk) = chunks.front_mut() else {
                socket.sending = None;
                let (shard, id) = (socket.shard, socket.id);
                self.shards[index(shard)].ready.push_back(Completion::Sent { socket: id });
                return;
            };
            if room == 0 {
                return;
            }
            let there = chunk.len().min(room).min(64 * 1024);
            let length = if self.rng.chance(600) { there } else { 1 + self.rng.index(there) };
            let piece = match chunk {
                Chunk::Bytes(bytes) => bytes.split_to(length),
                Chunk::File { file, position, length: left } => {
                    if reads_break || self.rng.chance(self.faults.read_error) {
                        self.break_server(client, CloseReason::Error(EIO));
                        self.end_client(client, RESET);
                        return;
                    }
                    let bytes = self.disk.read(handle(file, self.life), *position, length as u64);
                    if bytes.len() < length {
                        self.break_server(client, SHORT_FILE);
                        self.end_client(client, RESET);
                        return;
                    }
                    *position += length as u64;
                    *left -= u32::try_from(length).expect("part of a u32");
                    Bytes::copy_from_slice(bytes)
                }
            };
            link.to_client.wire_bytes += length;
            let delay = self.net_delay();
            let Some(link) = self.net.links.get_mut(&client) else { return };
            let at = (self.time + delay).max(link.to_client.until);
            link.to_client.until = at;
            self.schedule_piece(client, at, NetEvent::ToClient(client, piece));
            // The rest is taken a little later, so that files change between the pieces.
            if self.rng.chance(200) {
                let at = self.time + self.rng.between(1_000, 100_000);
                self.schedule(at, Event::Net(NetEvent::Pump(client)));
                return;
            }
        }
    }

    /// Schedules a piece on its way, or a reset in its place.
    fn schedule_piece(&mut self, client: ClientId, at: u64, event: NetEvent) {
        self.schedule(at, Event::Net(event));
        if self.rng.chance(self.faults.reset) {
            self.schedule(at, Event::Net(NetEvent::Reset(client)));
        }
    }

    /// How long a piece is on the way, ns.
    pub(super) fn net_delay(&mut self) -> u64 {
        if self.rng.chance(self.faults.spike) {
            return self.rng.below(self.faults.spike_ms_max.max(1) * 1_000_000);
        }
        self.rng.between(5_000, 150_000)
    }

    /// The shard saw its completions: bytes of a socket that waited in them make room.
    pub(super) fn on_delivered(&mut self, shard: ShardId, socket: SocketId, length: usize) {
        let Some(client) = self.net.client_of(shard, socket) else { return };
        if let Some(socket) = self.net.links.get_mut(&client).and_then(|link| link.socket_mut()) {
            socket.taken_bytes -= length;
        }
        self.feed(client);
    }

    /// The client sees the connection end.
    pub(super) fn end_client(&mut self, client: ClientId, reason: CloseReason) {
        let Some(link) = self.net.links.get_mut(&client) else { return };
        if link.client_end.is_some() {
            return;
        }
        if reason != CloseReason::Eof {
            link.to_server.unsent.clear();
            // What was on the way when the connection broke is lost or not.
            if self.rng.chance(500) {
                link.to_client.arrived.clear();
            }
        }
        link.client_end = Some(reason);
        if link.client_reads {
            self.net.add_news(client);
        } else {
            self.net.forget_if_over(client);
        }
    }

    /// The server's socket is broken: the shard is told now, or when it next uses the socket.
    pub(super) fn break_server(&mut self, client: ClientId, reason: CloseReason) {
        let later = self.rng.chance(300);
        let Some(link) = self.net.links.get_mut(&client) else { return };
        link.to_server.arrived.clear();
        let Server::Open(socket) = &mut link.server else { return };
        // Who waits for something is told at once.
        let waits = socket.sending.take().is_some() || !matches!(socket.mode, Mode::Stopped);
        if socket.told_closed || socket.broken.is_some() {
            return;
        }
        socket.broken = Some(reason);
        if waits || !later {
            self.tell_broken(client);
        }
    }

    fn tell_broken(&mut self, client: ClientId) {
        let Some(socket) = self.net.links.get_mut(&client).and_then(|link| link.socket_mut())
        else {
            return;
        };
        let Some(reason) = socket.broken.filter(|_| !socket.told_closed) else { return };
        socket.told_closed = true;
        socket.mode = Mode::Stopped;
        let (shard, id) = (socket.shard, socket.id);
        self.shards[index(shard)].ready.push_back(Completion::Closed { socket: id, reason });
    }

    fn accept(&mut self, client: ClientId, shard: ShardId) {
        let Some(link) = self.net.links.get_mut(&client) else { return };
        if link.client_end.is_some() {
            link.server = Server::Gone;
            self.net.forget_if_over(client);
            return;
        }
        let id = self.net.take_slot(shard, client);
        let Some(link) = self.net.links.get_mut(&client) else { return };
        link.server = Server::Open(Socket {
            shard,
            id,
            mode: Mode::Stopped,
            sending: None,
            taken_bytes: 0,
            told_closed: false,
            broken: None,
        });
        let (listener, peer) = (link.listener, link.peer);
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 9092 + listener.0));
        let accepted = Completion::Accepted { socket: id, listener, peer, local };
        self.shards[index(shard)].ready.push_back(accepted);
    }

    fn set_mode(&mut self, shard: ShardId, socket: SocketId, mode: Mode) {
        let Some(client) = self.net.client_of(shard, socket) else { return };
        let Some(socket) = self.net.links.get_mut(&client).and_then(|link| link.socket_mut())
        else {
            return;
        };
        if !socket.told_closed {
            socket.mode = mode;
        }
        self.tell_broken(client);
        self.feed(client);
    }

    /// Takes back bytes in completions that the shard has not seen: they come first in the buffer.
    fn untake(&mut self, shard: ShardId, id: SocketId) {
        let Some(client) = self.net.client_of(shard, id) else { return };
        let Some(link) = self.net.links.get_mut(&client) else { return };
        let mut taken = bytes::BytesMut::new();
        self.shards[index(shard)].ready.retain(|completion| match completion {
            Completion::Received { socket, data } if *socket == id => {
                taken.extend_from_slice(data);
                false
            }
            Completion::Received { .. }
            | Completion::Opened { .. }
            | Completion::Read { .. }
            | Completion::Wrote { .. }
            | Completion::Done { .. }
            | Completion::Listed { .. }
            | Completion::Computed { .. }
            | Completion::Accepted { .. }
            | Completion::Filled { .. }
            | Completion::Sent { .. }
            | Completion::Closed { .. }
            | Completion::Mail { .. }
            | Completion::Stop => true,
        });
        if taken.is_empty() {
            return;
        }
        taken.extend_from_slice(&link.to_server.arrived);
        link.to_server.arrived = taken;
        let told_closed = link.socket_mut().is_some_and(|socket| {
            socket.taken_bytes = 0;
            socket.told_closed
        });
        // An end that the shard has not seen either comes after those bytes.
        if told_closed {
            self.untell_closed(client);
        }
    }

    fn untell_closed(&mut self, client: ClientId) {
        let Some(socket) = self.net.links.get_mut(&client).and_then(|link| link.socket_mut())
        else {
            return;
        };
        let ready = &mut self.shards[index(socket.shard)].ready;
        let is_end = |completion: &Completion<M>| {
            matches!(completion, Completion::Closed { socket: other, reason: CloseReason::Eof }
                if *other == socket.id)
        };
        if let Some(at) = ready.iter().position(is_end) {
            ready.remove(at);
            socket.told_closed = false;
        }
    }

    fn send(&mut self, shard: ShardId, socket: SocketId, chunks: Vec<Chunk>) {
        let Some(client) = self.net.client_of(shard, socket) else { return };
        let Some(socket) = self.net.links.get_mut(&client).and_then(|link| link.socket_mut())
        else {
            return;
        };
        assert!(socket.sending.is_none(), "{:?}: one send at a time", socket.id);
        if socket.broken.is_some() {
            self.tell_broken(client);
            return;
        }
        socket.sending = Some(VecDeque::from(chunks));
        let at = self.time + self.rng.between(500, 20_000);
        self.schedule(at, Event::Net(NetEvent::Pump(client)));
    }

    fn close(&mut self, shard: ShardId, id: SocketId) {
        let Some(client) = self.net.client_of(shard, id) else { return };
        self.net.free_slot(shard, id);
        self.shards[index(shard)].ready.retain(|completion| socket_of(completion) != Some(id));
        let Some(link) = self.net.links.get_mut(&client) else { return };
        let unread = !link.to_server.arrived.is_empty();
        link.server = Server::Gone;
        link.to_server.arrived.clear();
        let delay = self.net_delay();
        if let Some(link) = self.net.links.get_mut(&client) {
            let at = (self.time + delay).max(link.to_client.until);
            link.to_client.until = at;
            let event = if unread { NetEvent::Reset } else { NetEvent::FinToClient };
            self.schedule(at, Event::Net(event(client)));
        }
        self.net.forget_if_over(client);
    }

    fn hand_over(&mut self, shard: ShardId, id: SocketId, to: ShardId) {
        let Some(client) = self.net.client_of(shard, id) else { return };
        self.net.free_slot(shard, id);
        self.shards[index(shard)].ready.retain(|completion| socket_of(completion) != Some(id));
        if let Some(link) = self.net.links.get_mut(&client) {
            link.server = Server::Waiting;
        }
        let at = self.time + self.rng.between(1_000, 50_000);
        self.schedule(at, Event::Net(NetEvent::Accept(client, to)));
    }

    /// The process is dead: its connections end, after some of what was on the way.
    ///
    /// - `on_the_way`: pieces to clients that had not arrived, in order.
    pub(super) fn end_connections(&mut self, on_the_way: Vec<(ClientId, Bytes)>) {
        for (client, bytes) in on_the_way {
            let arrives = self.rng.chance(500);
            let Some(link) = self.net.links.get_mut(&client) else { continue };
            // Once a piece is lost, so is all that follows: marked by a closed window.
            if !arrives {
                link.to_client.window_bytes = 0;
            } else if link.to_client.window_bytes > 0 {
                link.to_client.arrived.extend_from_slice(&bytes);
            }
        }
        self.net.clear_tables();
        let clients: Vec<_> = self.net.links.keys().copied().collect();
        for client in clients {
            let reason = if self.rng.chance(500) { RESET } else { CloseReason::Eof };
            if let Some(link) = self.net.links.get_mut(&client) {
                link.server = Server::Gone;
                link.to_server.unsent.clear();
            }
            self.end_client(client, reason);
            self.net.forget_if_over(client);
        }
    }
}

/// Bytes that fit into the buffer without growing it.
const fn capacity_left(buffer: &mut PooledBuffer) -> usize {
    let bytes = buffer.as_mut_vec();
    bytes.capacity() - bytes.len()
}

/// The socket a completion is about.
fn socket_of<M>(completion: &Completion<M>) -> Option<SocketId> {
    match completion {
        Completion::Accepted { socket, .. }
        | Completion::Received { socket, .. }
        | Completion::Filled { socket, .. }
        | Completion::Sent { socket }
        | Completion::Closed { socket, .. } => Some(*socket),
        Completion::Opened { .. }
        | Completion::Read { .. }
        | Completion::Wrote { .. }
        | Completion::Done { .. }
        | Completion::Listed { .. }
        | Completion::Computed { .. }
        | Completion::Mail { .. }
        | Completion::Stop => None,
    }
}

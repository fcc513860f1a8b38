//! Connections of a shard: taking them in, feeding their requests, sending replies, closing.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use millrace_io::{ListenerId, Mono, Op, PooledBuffer, ShardId, SocketId};
use millrace_net::{Connection, FrameError};
use millrace_replication::Image;

use super::{Due, Shard, Turn};
use crate::client::{Busy, Client};
use crate::config::connections;
use crate::counters::Stage;
use crate::gate::{Arrival, Limits, Verdict};
use crate::mail::Letter;
use crate::setup::Setup;
use crate::slab::Key;
use crate::topic_config;

/// How often connections are looked through for idle ones: this often per idle time-out.
const IDLE_LOOKS: u64 = 10;

impl Shard {
    /// A connection arrives. Shard 0 accepts for all and hands each to the least loaded shard.
    pub(super) fn on_accepted(
        &mut self,
        turn: &mut Turn,
        socket: SocketId,
        listener: ListenerId,
        (peer, local): (SocketAddr, SocketAddr),
    ) {
        let arrival = Arrival { socket, listener, peer, local };
        if self.gate.is_some() && !self.admit(turn, socket, peer) {
            return;
        }
        let Some(gate) = &mut self.gate else {
            return self.take_client(turn, arrival);
        };
        if gate.arrive(arrival) {
            self.open_gate(turn);
        } else {
            self.counters.connections_refused.add(1);
            turn.ops.push(Op::Close { socket });
        }
    }

    /// Shard 0: lets in whose turn it is.
    pub(super) fn open_gate(&mut self, turn: &mut Turn) {
        while let Some(verdict) = self.gate.as_mut().and_then(|gate| gate.next(turn.now.mono)) {
            match verdict {
                Verdict::In(arrival) => self.place(turn, arrival),
                Verdict::Refused(arrival) => {
                    self.counters.connections_refused.add(1);
                    turn.ops.push(Op::Close { socket: arrival.socket });
                }
            }
        }
        let Some(gate) = &self.gate else { return };
        self.counters.connections_waiting.set(gate.waiting() as u64);
        let deadline = gate.deadline();
        if deadline != self.gate_deadline {
            if let Some(old) = std::mem::replace(&mut self.gate_deadline, deadline) {
                self.deadlines.remove(old, Due::Gate);
            }
            if let Some(new) = deadline {
                self.deadlines.add(new, Due::Gate);
            }
        }
    }

    pub(super) fn on_gate_due(&mut self, turn: &mut Turn) {
        self.gate_deadline = None;
        self.open_gate(turn);
    }

    /// Shard 0: new limits may be in force.
    pub(super) fn update_gate(&mut self) {
        if let Some(gate) = &mut self.gate {
            gate.set_limits(connection_limits(&self.setup, &self.image));
            // Whoever waits is looked at again.
            if gate.waiting() > 0 && self.gate_deadline.is_none() {
                self.gate_deadline = Some(Mono(0));
                self.deadlines.add(Mono(0), Due::Gate);
            }
        }
    }

    fn place(&mut self, turn: &mut Turn, arrival: Arrival) {
        let loads = self.loads.iter().zip(0..);
        let least = loads.min_by_key(|(load, _)| **load).map_or(0, |(_, shard)| shard);
        self.loads[usize::from(least)] += 1;
        if least == 0 {
            self.take_client(turn, arrival);
        } else {
            turn.ops.push(Op::HandOver { socket: arrival.socket, to: ShardId(least) });
        }
    }

    /// A connection is this shard's.
    fn take_client(&mut self, turn: &mut Turn, arrival: Arrival) {
        let Arrival { socket, listener, peer, local } = arrival;
        if self.clients.is_full() || self.is_stopping() {
            turn.ops.push(Op::Close { socket });
            self.tell_gone(peer.ip());
            return;
        }
        let connection = Connection::new(socket, self.setup.request_bytes_max);
        let client = Client::new(connection, listener.0, peer, local, turn.now.mono);
        let key = self.clients.insert(client);
        let slot = socket.slot as usize;
        if self.sockets.len() <= slot {
            self.sockets.resize(slot + 1, None);
        }
        self.sockets[slot] = Some(key);
        self.counters.connections_accepted.add(1);
        self.counters.connections.set(self.clients.len() as u64);
        if self.is_serving() {
            self.start_client(turn, key);
        }
    }

    /// Lets a connection speak. Connections that came before the broker was ready wait for this.
    fn start_client(&mut self, turn: &mut Turn, key: Key) {
        if let Some(client) = self.clients.get_mut(key) {
            client.connection.start(turn.ops);
        }
    }

    /// The broker is ready: all connections that wait may speak.
    pub(super) fn start_all_clients(&mut self, turn: &mut Turn) {
        let keys: Vec<Key> = self.clients.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.start_client(turn, key);
        }
        if let Some(idle_ms) = self.setup.connections_max_idle_ms {
            let next = turn.now.mono.plus_ms((idle_ms / IDLE_LOOKS).max(1));
            self.deadlines.add(next, Due::IdleClients);
        }
    }

    fn client_of(&self, socket: SocketId) -> Option<Key> {
        let key = (*self.sockets.get(socket.slot as usize)?)?;
        self.clients.get(key).filter(|client| client.socket() == socket).map(|_| key)
    }

    pub(super) fn on_received(&mut self, turn: &mut Turn, socket: SocketId, data: Bytes) {
        let Some(key) = self.client_of(socket) else { return };
        let Some(client) = self.clients.get_mut(key) else { return };
        let mut frames = Vec::new();
        let result = client.connection.on_received(data, &self.pool, &mut frames, turn.ops);
        self.take_frames(turn, key, frames, result);
    }

    pub(super) fn on_filled(&mut self, turn: &mut Turn, socket: SocketId, buffer: PooledBuffer) {
        let Some(key) = self.client_of(socket) else { return };
        let Some(client) = self.clients.get_mut(key) else { return };
        let mut frames = Vec::new();
        let result = client.connection.on_filled(buffer, &self.pool, &mut frames, turn.ops);
        self.take_frames(turn, key, frames, result);
    }

    /// Queues what was received. Bytes that are no frame end the connection at once.
    fn take_frames(
        &mut self,
        turn: &mut Turn,
        key: Key,
        frames: Vec<Bytes>,
        result: Result<(), FrameError>,
    ) {
        let Some(client) = self.clients.get_mut(key) else { return };
        if result.is_err() {
            self.counters.frames_refused.add(1);
            self.close_client(turn, key);
            return;
        }
        client.last_active = turn.now.mono;
        if frames.is_empty() {
            return;
        }
        for frame in frames {
            self.request_bytes += frame.len();
            client.enqueue(turn.now.mono, frame);
        }
        if client.is_saturated() {
            client.connection.pause(turn.ops);
        } else if self.request_bytes > self.setup.request_bytes_in_flight_max {
            client.connection.pause(turn.ops);
            self.starved.push_back(key);
            self.counters.connections_paused.add(1);
        }
        self.runnable.push_back(key);
    }

    /// Runs what may run of a connection's requests.
    pub(super) fn run_requests(&mut self, turn: &mut Turn, key: Key) {
        while let Some((received, frame)) =
            self.clients.get_mut(key).and_then(Client::next_runnable)
        {
            self.dispatch(turn, key, frame, received);
        }
    }

    /// A request is over: its memory is given back, and what waited behind it may run.
    pub(crate) fn finish_request(&mut self, turn: &mut Turn, key: Key, frame_bytes: usize) {
        self.request_bytes -= frame_bytes;
        if let Some(client) = self.clients.get_mut(key) {
            client.finish(frame_bytes);
            self.runnable.push_back(key);
            self.flushable.push(key);
        }
        while self.request_bytes <= self.setup.request_bytes_in_flight_max
            && let Some(key) = self.starved.pop_front()
        {
            self.maybe_resume(turn, key);
        }
    }

    fn maybe_resume(&mut self, turn: &mut Turn, key: Key) {
        if let Some(client) = self.clients.get_mut(key)
            && client.connection.is_paused()
            && client.throttled_until.is_none()
            && !client.is_saturated()
            && self.request_bytes <= self.setup.request_bytes_in_flight_max
        {
            client.connection.resume(turn.ops);
        }
    }

    /// Resumes a connection, or puts it on the list of those that wait for memory.
    pub(super) fn resume_or_starve(&mut self, turn: &mut Turn, key: Key) {
        self.maybe_resume(turn, key);
        if self.request_bytes > self.setup.request_bytes_in_flight_max
            && self.clients.get(key).is_some_and(|client| client.connection.is_paused())
        {
            self.starved.push_back(key);
        }
    }

    /// Sends what is ready, on each connection that has something new.
    pub(super) fn flush_clients(&mut self, turn: &mut Turn) {
        let mut flushable = std::mem::take(&mut self.flushable);
        for key in flushable.drain(..) {
            let Some(client) = self.clients.get_mut(key) else { continue };
            if client.connection.flush(&self.pool, turn.ops) {
                client.send_began = turn.now.mono;
            }
            let drained = !client.connection.is_sending() && client.connection.in_flight() == 0;
            if client.closing && drained {
                self.close_client(turn, key);
            } else {
                self.maybe_resume(turn, key);
            }
        }
        self.flushable = flushable;
    }

    pub(super) fn on_sent(&mut self, turn: &mut Turn, socket: SocketId) {
        let Some(key) = self.client_of(socket) else { return };
        if let Some(client) = self.clients.get_mut(key) {
            client.connection.on_sent();
            let send_ns = turn.now.mono.since(client.send_began);
            self.counters.stage(Stage::Send).observe(send_ns);
            client.last_active = turn.now.mono;
            self.flushable.push(key);
            // What waited for the peer to take its replies may run.
            self.runnable.push_back(key);
        }
    }

    pub(super) fn on_closed(&mut self, turn: &mut Turn, socket: SocketId) {
        if let Some(key) = self.client_of(socket) {
            self.close_client(turn, key);
        } else if self.gate.as_mut().is_some_and(|gate| gate.forget(socket)) {
            turn.ops.push(Op::Close { socket });
        }
    }

    /// Closes once what is ready has been sent; no further request runs.
    pub(crate) fn close_client_after_replies(&mut self, key: Key) {
        if let Some(client) = self.clients.get_mut(key) {
            client.closing = true;
            self.flushable.push(key);
        }
    }

    /// Closes now. A request that waits for more records is dropped; one that changes something
    /// runs to its end, and its reply goes nowhere.
    pub(crate) fn close_client(&mut self, turn: &mut Turn, key: Key) {
        let Some(client) = self.clients.remove(key) else { return };
        let socket = client.socket();
        self.sockets[socket.slot as usize] = None;
        turn.ops.push(Op::Close { socket });
        self.request_bytes -= client.unstarted_bytes();
        if let Busy::Exclusive(Some(request)) = client.busy {
            self.abandon_request(turn, request);
        }
        self.counters.connections.set(self.clients.len() as u64);
        self.tell_gone(client.peer.ip());
    }

    /// A connection of this shard is gone.
    fn tell_gone(&mut self, ip: IpAddr) {
        self.send(ShardId(0), Letter::Gone(ip));
    }

    /// Shard 0: a connection of some shard is gone, and another may come in.
    pub(super) fn on_gone(&mut self, turn: &mut Turn, from: ShardId, ip: IpAddr) {
        self.loads[usize::from(from.0)] -= 1;
        if let Some(gate) = &mut self.gate {
            gate.on_gone(ip);
            self.open_gate(turn);
        }
    }

    /// Closes connections that said nothing for `connections.max.idle.ms`.
    pub(super) fn close_idle_clients(&mut self, turn: &mut Turn) {
        let Some(idle_ms) = self.setup.connections_max_idle_ms else { return };
        let idle: Vec<Key> = self
            .clients
            .iter()
            .filter(|(_, client)| {
                client.busy == Busy::Idle && client.last_active.plus_ms(idle_ms) <= turn.now.mono
            })
            .map(|(key, _)| key)
            .collect();
        for key in idle {
            self.counters.connections_idle_closed.add(1);
            self.close_client(turn, key);
        }
        let next = turn.now.mono.plus_ms((idle_ms / IDLE_LOOKS).max(1));
        self.deadlines.add(next, Due::IdleClients);
    }
}

/// The limits on connections that are in force. A host that is no address counts as the addresses
/// that it had at the start; one that came since is passed over.
pub(super) fn connection_limits(setup: &Setup, image: &Image) -> Limits {
    let view = topic_config::view(setup, image);
    let count = |name: &str| u32::try_from(view.int(name)).unwrap_or(0);
    let rate = view.int("max.connection.creation.rate");
    let mut per_ip_overrides = BTreeMap::new();
    for (host, limit) in connections(&view).map(|it| it.per_ip_overrides).unwrap_or_default() {
        let limit = u32::try_from(limit).unwrap_or(0);
        let known = setup.hosts.get(&host).cloned().unwrap_or_default();
        for ip in host.parse().into_iter().chain(known) {
            per_ip_overrides.insert(ip, limit);
        }
    }
    Limits {
        count_max: count("max.connections"),
        per_ip_max: count("max.connections.per.ip"),
        per_ip_overrides,
        rate_max: u32::try_from(rate).ok().filter(|_| rate < i32::MAX),
        samples: count("quota.window.num"),
        sample_seconds: count("quota.window.size.seconds"),
    }
}

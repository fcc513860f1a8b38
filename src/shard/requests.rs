//! Requests that wait: for partitions' answers, for the controller, for more records, for time.
//!
//! A waiting request lives in one slab; its parts come back with tickets. A ticket of a request
//! that is gone finds nothing, so late answers are harmless.

use std::sync::Arc;

use bytes::Bytes;
use millrace_io::{Chunk, Mono};
use millrace_net::header::{begin_response, finish_frame};
use millrace_net::{ApiKey, ReplySlot};
use millrace_wire::Writer;

use super::quotas::tell_wait;
use super::{Due, Shard, Turn};
use crate::client::Busy;
use crate::controller::{AdminAnswer, AdminAsk, Charge};
use crate::coordinator::AppendId;
use crate::handlers;
use crate::mail::{Answer, Ask, Letter, PartitionId};
use crate::slab::Key;
use crate::slowest::{CLIENT_ID_CHARS_MAX, SLOW_NS_MIN, SlowRequest, Slowest};
use crate::ticket::Ticket;

/// Where the reply to a request goes, and how it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReplyTo {
    /// The connection.
    pub client: Key,
    /// The reply's place; none for Produce with acks=0.
    pub slot: Option<ReplySlot>,
    /// Echoed.
    pub correlation_id: i32,
    /// The API.
    pub api: ApiKey,
    /// The request's version, and the reply's.
    pub version: i16,
    /// Bytes of the request's frame, given back when it is over.
    pub frame_bytes: usize,
    /// When the request was taken up.
    pub began: Mono,
    /// How long the client has to wait for what its requests before took, ms.
    pub throttle_ms: i32,
    /// From being received to being taken up, ns.
    pub queue_ns: u64,
    /// How long it waited for records, ns.
    pub park_ns: u64,
}

/// A request that waits.
#[derive(Debug)]
pub(crate) enum Pending {
    /// For appends.
    Produce(Box<handlers::produce::Waiting>),
    /// For reads, or for more to read.
    Fetch(Box<handlers::fetch::Waiting>),
    /// For answers of several partitions.
    Gather(Box<handlers::gather::Waiting>),
    /// For the controller.
    Admin(Box<handlers::admin::Waiting>),
    /// For group coordinators.
    Groups(Box<handlers::groups::Waiting>),
    /// A coordinator of this shard waits for an append of its own.
    GroupAppend(PartitionId, AppendId),
    /// A coordinator of this shard is being loaded.
    GroupLoad(PartitionId),
    /// A snapshot of a coordinator of this shard is being written.
    GroupSnapshot(PartitionId),
    /// It is being computed what the expressions of a group of this shard stand for.
    GroupResolve(PartitionId, Arc<str>),
}

impl Shard {
    /// Asks a partition's owner; the answer comes with the ticket, perhaps at once.
    pub(crate) fn ask(
        &mut self,
        turn: &mut Turn,
        partition: PartitionId,
        ticket: Ticket,
        ask: Ask,
    ) {
        let owner = super::owner_of(partition, self.setup.shards);
        if owner == self.id {
            self.ask_here(turn, partition, ticket, ask);
        } else {
            self.send(owner, Letter::Ask { partition, ticket, ask });
        }
    }

    /// Asks the controller to change the cluster's state.
    pub(crate) fn ask_controller(&mut self, request: Key, ask: AdminAsk, charge: Option<Charge>) {
        let ticket = self.ticket(request, 0);
        self.send(millrace_io::ShardId(0), Letter::Admin { ticket, ask, charge });
    }

    /// A ticket for an item of one of this shard's requests.
    pub(crate) const fn ticket(&self, request: Key, item: u32) -> Ticket {
        Ticket { origin: self.id, request, item }
    }

    /// Sends an answer to the shard where its request waits.
    pub(crate) fn answer(&mut self, ticket: Ticket, answer: Answer) {
        if ticket.origin == self.id {
            self.answers.push_back((ticket, answer));
        } else {
            self.send(ticket.origin, Letter::Answer { ticket, answer });
        }
    }

    /// Makes a request wait. The connection remembers it, to drop it if the client goes.
    pub(crate) fn park(&mut self, reply_to: &ReplyTo, pending: Pending) -> Key {
        let key = self.requests.insert(pending);
        if let Some(client) = self.clients.get_mut(reply_to.client)
            && client.busy == Busy::Exclusive(None)
        {
            client.busy = Busy::Exclusive(Some(key));
        }
        key
    }

    pub(super) fn on_answer(&mut self, turn: &mut Turn, ticket: Ticket, answer: Answer) {
        let key = ticket.request;
        match self.requests.get(key) {
            Some(Pending::Produce(_)) => self.on_produce_answer(turn, key, ticket.item, answer),
            Some(Pending::Fetch(_)) => self.on_fetch_answer(turn, key, ticket.item, answer),
            Some(Pending::Gather(_)) => self.on_gather_answer(turn, key, ticket.item, answer),
            Some(Pending::Groups(_)) => self.on_groups_answer(turn, key, ticket.item, answer),
            Some(Pending::GroupAppend(..)) => self.on_group_append_answer(turn, key, answer),
            Some(Pending::GroupLoad(_)) => self.on_group_load_answer(turn, key, answer),
            Some(Pending::Admin(_) | Pending::GroupSnapshot(_) | Pending::GroupResolve(..))
            | None => {
                self.on_stray_answer(answer);
            }
        }
    }

    /// An answer whose request is gone. A waiter it set up is taken down again.
    fn on_stray_answer(&mut self, answer: Answer) {
        if let Answer::Read(Ok(done)) = answer
            && let Some(waiter) = done.waiter
        {
            self.send(waiter.shard, Letter::Unwatch(waiter.key));
        }
    }

    pub(super) fn on_wake(&mut self, turn: &mut Turn, ticket: Ticket) {
        if ticket.origin != self.id {
            self.send(ticket.origin, Letter::Wake(ticket));
        } else if let Some(Pending::Fetch(_)) = self.requests.get(ticket.request) {
            self.on_fetch_woken(turn, ticket.request, ticket.item);
        }
    }

    pub(super) fn on_admin_answer(
        &mut self,
        turn: &mut Turn,
        ticket: Ticket,
        answer: AdminAnswer,
        wait_ms: u64,
    ) {
        if let Some(Pending::Admin(_)) = self.requests.get(ticket.request)
            && let Some(Pending::Admin(waiting)) = self.requests.remove(ticket.request)
        {
            self.finish_admin(turn, *waiting, answer, wait_ms);
        }
    }

    pub(super) fn on_request_due(&mut self, turn: &mut Turn, key: Key) {
        match self.requests.get(key) {
            Some(Pending::Fetch(_)) => self.on_fetch_due(turn, key),
            Some(
                Pending::Produce(_)
                | Pending::Gather(_)
                | Pending::Admin(_)
                | Pending::Groups(_)
                | Pending::GroupAppend(..)
                | Pending::GroupLoad(_)
                | Pending::GroupSnapshot(_)
                | Pending::GroupResolve(..),
            )
            | None => {}
        }
    }

    /// The client of a waiting request is gone.
    pub(super) fn abandon_request(&mut self, turn: &mut Turn, key: Key) {
        if let Some(Pending::Fetch(_)) = self.requests.get(key) {
            self.abandon_fetch(turn, key);
        }
    }

    /// Sets or moves a request's deadline.
    pub(crate) fn set_deadline(&mut self, at: Mono, request: Key) {
        self.deadlines.add(at, Due::Request(request));
    }

    /// Takes a request's deadline back.
    pub(crate) fn clear_deadline(&mut self, at: Mono, request: Key) {
        self.deadlines.remove(at, Due::Request(request));
    }

    /// Replies with a body, and ends the request.
    pub(crate) fn reply(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        body: impl FnOnce(&mut Writer, i16),
    ) {
        let mut writer = begin_response(to.api, to.version, to.correlation_id);
        let header_bytes = writer.as_slice().len();
        body(&mut writer, to.version);
        let mut frame = finish_frame(writer);
        if to.throttle_ms > 0 {
            tell_wait(&mut frame, to, header_bytes);
        }
        let frame = Bytes::from(frame);
        self.reply_chunks(turn, to, vec![Chunk::Bytes(frame)]);
    }

    /// Replies with finished chunks, prefix and header included, and ends the request.
    pub(crate) fn reply_chunks(&mut self, turn: &mut Turn, to: &ReplyTo, chunks: Vec<Chunk>) {
        if let Some(slot) = to.slot
            && let Some(client) = self.clients.get_mut(to.client)
        {
            client.connection.reply(slot, chunks);
        }
        let took_ns = turn.now.mono.since(to.began);
        self.counters.api(to.api).observe(took_ns);
        self.note_if_slow(turn, to, took_ns);
        self.finish_request(turn, to.client, to.frame_bytes);
    }

    /// Hands a request to the recorder of slow ones, unless it is faster than all in there.
    fn note_if_slow(&mut self, turn: &Turn, to: &ReplyTo, took_ns: u64) {
        let work_ns = took_ns.saturating_sub(to.park_ns);
        let period = Slowest::period_of(turn.now.mono);
        if period != self.slow_period {
            (self.slow_period, self.slow_ns_min) = (period, SLOW_NS_MIN);
        }
        if to.queue_ns + work_ns <= self.slow_ns_min {
            return;
        }
        let Some(client) = self.clients.get(to.client) else { return };
        let name = client.client_id().unwrap_or_default();
        self.slow_ns_min = self.counters.slowest.note(SlowRequest {
            api: to.api,
            client_id: name.chars().take(CLIENT_ID_CHARS_MAX).collect(),
            peer: client.peer,
            ended: turn.now.mono,
            queue_ns: to.queue_ns,
            work_ns,
            park_ns: to.park_ns,
        });
    }

    /// Ends a request that owes no reply.
    pub(crate) fn finish_silently(&mut self, turn: &mut Turn, to: &ReplyTo) {
        self.reply_chunks(turn, to, Vec::new());
    }
}

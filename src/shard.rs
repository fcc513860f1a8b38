//! One shard: a thread's worth of broker. Takes completions, gives operations, never waits.
//!
//! It owns some connections and some partitions, and composes what the pure crates decide. Not
//! here: what any one API does (`handlers/`), the cluster's state (`controller.rs`, on shard 0).
//! The rooms of this file: `clients` (connections), `requests` (what waits), `partitions` (the
//! owned logs), `dispatch` (which handler), `life` (start, checkpoints, stop).
//!
//! One turn:
//!
//! ```text
//! completions ─▶ frames, file results, mail
//!      deadlines ─▶ time-outs, log timers, checkpoints
//!          until nothing moves: answers to requests, next requests of connections
//!              partitions that were touched: one vectored write each
//!                  connections with ready replies: one send each
//!                      letters: one mail per shard
//! ```
//!
//! Invariants: an op is emitted in the turn that decided it; nothing is looked at that did not
//! change; all that waits has a deadline or something that wakes it.

mod clients;
mod compaction;
mod dispatch;
mod group_loading;
mod group_snapshot;
mod groups;
mod image;
mod lag;
mod life;
mod partitions;
mod quota_use;
mod quotas;
mod requests;
mod shortage;

use std::collections::VecDeque;
use std::sync::Arc;

use millrace_io::{BufferPool, Completion, Mono, Now, Op, ShardId};
use millrace_replication::Image;

pub(crate) use dispatch::{HANDLED, Request};
pub use groups::GroupState;
pub(crate) use life::LifeLetter;
pub(crate) use partitions::owner_of;
pub(crate) use requests::{Pending, ReplyTo};

use clients::connection_limits;
pub(crate) use quotas::{ANONYMOUS, mutation_charge};

use crate::client::Client;
use crate::controller::Controller;
use crate::counters::Counters;
use crate::deadlines::Deadlines;
use crate::fetch_session::FetchSessions;
use crate::gate::Gate;
use crate::mail::{Answer, Letter, Mail, PartitionId};
use crate::random::Random;
use crate::setup::Setup;
use crate::slab::{Key, Slab};
use crate::slowest::SLOW_NS_MIN;
use crate::ticket::{REQUESTS_MAX, Ticket};
use crate::topics::Topics;
use crate::waiters::Waiters;

/// Token owners below this are the shard's own; logs have those above.
pub(crate) const LOG_OWNER_BASE: u32 = 16;
/// Token owner of the operations around start and stop.
pub(crate) const LIFE_OWNER: u32 = 0;
/// Token owner of the metadata log.
pub(crate) const METADATA_OWNER: u32 = 1;
/// Token owner of the controller's other files.
pub(crate) const CONTROLLER_OWNER: u32 = 2;
/// Token owner of the reads that load group coordinators.
pub(crate) const GROUPS_OWNER: u32 = 3;
/// Token owner of the files that tell up to where logs are compacted.
pub(crate) const COMPACTION_OWNER: u32 = 4;

/// Connections one shard takes (`max.connections` bounds them below this).
const CLIENTS_MAX: u32 = 1 << 20;

/// What a step is given and gives: the clocks, read once, and the ops to run.
pub(crate) struct Turn<'a> {
    /// The time of the turn.
    pub now: Now,
    /// Where operations go.
    pub ops: &'a mut Vec<Op<Mail>>,
}

/// What has a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A waiting request times out.
    Request(Key),
    /// A log wants its timer, by partition slot.
    Log(u32),
    /// Connections are looked through for idle ones.
    IdleClients,
    /// Retention is enforced.
    Retention,
    /// The shard's partitions are checkpointed.
    Checkpoint,
    /// Kafka's checkpoint files are written.
    OffsetFiles,
    /// A connection that waits may come in.
    Gate,
    /// The controller has something to do.
    Controller,
    /// A compaction may go on, or the next one begin.
    Compaction,
    /// A group coordinator has something to do.
    Groups(PartitionId),
    /// A coordinator whose loading failed tries again.
    GroupLoad(PartitionId),
    /// A snapshot of a coordinator waits for its log to be durable.
    GroupSnapshot(PartitionId),
    /// Consumer lag is to be told.
    GroupLag,
    /// What clients used is to be told to the other shards.
    Quotas,
    /// What clients used is to be told to whoever watches.
    QuotaUse,
    /// A connection has waited for long enough.
    Throttled(Key),
    /// Connections beyond the rate of their address are closed.
    HeldSockets,
    /// Stopping takes too long.
    Stop,
}

/// How much a disk holds, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// In all.
    pub bytes_total: u64,
    /// What may still be written.
    pub bytes_usable: u64,
}

/// One shard's state.
pub struct Shard {
    pub(crate) id: ShardId,
    pub(crate) setup: Arc<Setup>,
    pub(crate) image: Arc<Image>,
    pub(crate) pool: BufferPool,
    pub(crate) random: Random,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clients: Slab<Client>,
    /// Connection keys by the driver's socket slot.
    sockets: Vec<Option<Key>>,
    pub(crate) requests: Slab<Pending>,
    pub(crate) deadlines: Deadlines<Due>,
    pub(crate) waiters: Waiters,
    pub(crate) sessions: FetchSessions,
    pub(crate) partitions: partitions::Partitions,
    pub(crate) controller: Option<Controller>,
    groups: groups::Groups,
    lag: lag::LagRounds,
    compactions: compaction::Compactions,
    quotas: quotas::Quotas,
    quota_use: quota_use::QuotaReport,
    shortage: shortage::Shortage,
    life: life::Life,
    /// Letters of this turn, by shard.
    outbox: Vec<Vec<Letter>>,
    /// Answers to this shard's own requests.
    answers: VecDeque<(Ticket, Answer)>,
    /// Letters to itself, of the kinds that are not answers.
    inbox: VecDeque<Letter>,
    /// Connections with requests that may run.
    runnable: VecDeque<Key>,
    /// Connections with replies that may leave.
    flushable: Vec<Key>,
    /// Connections that were paused because the shard holds too much.
    starved: VecDeque<Key>,
    /// Bytes of requests received and not answered.
    request_bytes: usize,
    /// Connections each shard has or is about to get (shard 0 only).
    loads: Vec<u32>,
    /// Who may connect (shard 0 only).
    gate: Option<Gate>,
    gate_deadline: Option<Mono>,
    /// The shard's block of producer ids.
    pub(crate) producer_ids: std::ops::Range<i64>,
    pub(crate) topics: Topics,
    /// Of each log dir's disk, as far as it is known.
    pub(crate) disk_space: Vec<Option<DiskSpace>>,
    /// Faster requests than this are none of the slowest of the present minute, ns.
    slow_ns_min: u64,
    slow_period: u64,
    /// Why the process must end, if it must.
    failure: Option<String>,
}

impl Shard {
    /// Shard `id` of `setup.shards`, before its first step. `seed` decides all that is random.
    pub fn new(id: ShardId, setup: Arc<Setup>, seed: u64) -> Self {
        assert!(id.0 < setup.shards, "shard {} of {}", id.0, setup.shards);
        let mut random = Random::new(seed ^ u64::from(id.0).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let sessions = FetchSessions::new(
            setup.fetch_sessions_max / usize::from(setup.shards),
            id.0,
            setup.shards,
            random.u32(),
        );
        let image = Arc::new(Image::empty());
        let controller = (id.0 == 0).then(|| Controller::new(&setup, random.u64()));
        let secret = (random.u64(), random.u64());
        Self {
            id,
            image: Arc::clone(&image),
            pool: BufferPool::new(setup.pool_class_bytes_max),
            random,
            counters: Arc::new(Counters::default()),
            clients: Slab::new(CLIENTS_MAX),
            sockets: Vec::new(),
            requests: Slab::new(REQUESTS_MAX),
            deadlines: Deadlines::default(),
            waiters: Waiters::default(),
            sessions,
            partitions: partitions::Partitions::new(),
            controller,
            groups: groups::Groups::default(),
            lag: lag::LagRounds::default(),
            compactions: compaction::Compactions::new(secret),
            quotas: quotas::Quotas::new(&setup),
            quota_use: quota_use::QuotaReport::default(),
            shortage: shortage::Shortage::default(),
            life: life::Life::new(setup.shards),
            outbox: (0..setup.shards).map(|_| Vec::new()).collect(),
            answers: VecDeque::new(),
            inbox: VecDeque::new(),
            runnable: VecDeque::new(),
            flushable: Vec::new(),
            starved: VecDeque::new(),
            request_bytes: 0,
            loads: vec![0; usize::from(setup.shards)],
            gate: (id.0 == 0).then(|| Gate::new(connection_limits(&setup, &image))),
            gate_deadline: None,
            producer_ids: 0..0,
            topics: Topics::default(),
            disk_space: Vec::new(),
            slow_ns_min: SLOW_NS_MIN,
            slow_period: 0,
            failure: None,
            setup,
        }
    }

    /// The shard's counters, to be read from elsewhere.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Runs one turn to completion: takes all `completions`, appends to `ops`.
    pub fn step(
        &mut self,
        now: Now,
        completions: &mut Vec<Completion<Mail>>,
        ops: &mut Vec<Op<Mail>>,
    ) {
        let turn = &mut Turn { now, ops };
        self.begin_life(turn);
        for completion in completions.drain(..) {
            self.on_completion(turn, completion);
        }
        self.on_deadlines(turn);
        self.settle(turn);
        // A phase may end in the settling of the one before it, with nothing else to wake us.
        while self.advance_life(turn) {
            self.settle(turn);
        }
        self.post(turn);
    }

    /// Why the process must end, once something has happened that it cannot go on after.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Tells how full the disks of the log dirs are, in the order of the log dirs; none where
    /// nobody knows. Whoever drives the shard measures it; without, clients are told that it is
    /// not known.
    pub fn set_disk_space(&mut self, space: Vec<Option<DiskSpace>>) {
        self.disk_space = space;
    }

    /// When the shard wants its next turn, at the latest.
    pub fn next_deadline(&self) -> Option<Mono> {
        self.deadlines.next()
    }

    fn on_completion(&mut self, turn: &mut Turn, completion: Completion<Mail>) {
        match completion {
            Completion::Accepted { socket, listener, peer, local } => {
                self.on_accepted(turn, socket, listener, (peer, local));
            }
            Completion::Received { socket, data } => self.on_received(turn, socket, data),
            Completion::Filled { socket, buffer } => self.on_filled(turn, socket, buffer),
            Completion::Sent { socket } => self.on_sent(turn, socket),
            Completion::Closed { socket, reason: _ } => self.on_closed(turn, socket),
            Completion::Mail { from, mail: Mail(letters) } => {
                for letter in letters {
                    self.on_letter(turn, from, letter);
                }
            }
            Completion::Stop => self.begin_stop(turn),
            Completion::Opened { token, .. }
            | Completion::Read { token, .. }
            | Completion::Wrote { token, .. }
            | Completion::Done { token, .. }
            | Completion::Listed { token, .. }
            | Completion::Computed { token, .. } => match token.owner {
                LIFE_OWNER => self.on_life_completion(turn, completion),
                METADATA_OWNER | CONTROLLER_OWNER => {
                    self.on_controller_completion(turn, completion);
                }
                GROUPS_OWNER => self.on_group_completion(turn, completion),
                COMPACTION_OWNER => self.on_cleaner_completion(turn, completion),
                owner => self.on_log_completion(turn, owner - LOG_OWNER_BASE, completion),
            },
        }
    }

    fn on_letter(&mut self, turn: &mut Turn, from: ShardId, letter: Letter) {
        match letter {
            Letter::Ask { partition, ticket, ask } => {
                self.ask_here(turn, partition, ticket, ask);
            }
            Letter::Answer { ticket, answer } => self.answers.push_back((ticket, answer)),
            Letter::Wake(ticket) => self.on_wake(turn, ticket),
            Letter::Unwatch(waiter) => self.unwatch_here(waiter),
            Letter::Admin { ticket, ask, charge } => {
                self.on_admin_ask(turn, ticket, (ask, charge));
            }
            Letter::AdminAnswer { ticket, answer, wait_ms } => {
                self.on_admin_answer(turn, ticket, answer, wait_ms);
            }
            Letter::LoadGroups(partition) => self.load_groups(turn, partition),
            Letter::AskWatermarks { from, number, partitions } => {
                self.tell_watermarks(from, number, &partitions);
            }
            Letter::Watermarks { number, watermarks } => self.on_watermarks(number, watermarks),
            Letter::QuotaUsage(news) => self.on_quota_usage(turn, &news),
            Letter::Life(letter) => self.on_life_letter(turn, from, letter),
            Letter::Cleaned(key, offset) => self.on_cleaned(turn, key, offset),
            Letter::Gone(ip) => self.on_gone(turn, from, ip),
        }
    }

    fn on_deadlines(&mut self, turn: &mut Turn) {
        while let Some(due) = self.deadlines.pop_due(turn.now.mono) {
            match due {
                Due::Request(key) => self.on_request_due(turn, key),
                Due::Log(slot) => self.on_log_due(turn, slot),
                Due::IdleClients => self.close_idle_clients(turn),
                Due::Retention => self.enforce_retention(turn),
                Due::Checkpoint => self.on_checkpoint_due(turn),
                Due::Gate => self.on_gate_due(turn),
                Due::OffsetFiles => self.on_offset_files_due(turn),
                Due::Controller => self.on_controller_due(turn),
                Due::Compaction => self.on_compaction_due(turn),
                Due::Groups(partition) => self.on_groups_due(turn, partition),
                Due::GroupLoad(partition) => self.on_group_load_due(turn, partition),
                Due::GroupSnapshot(partition) => self.on_group_snapshot_due(turn, partition),
                Due::Quotas => self.on_quotas_due(turn),
                Due::QuotaUse => self.on_quota_use_due(turn),
                Due::Throttled(key) => self.on_throttle_due(turn, key),
                Due::HeldSockets => self.close_held_sockets(turn),
                Due::GroupLag => self.on_group_lag_due(turn),
                Due::Stop => self.on_stop_due(turn),
            }
        }
    }

    /// Works until nothing moves any more: answers finish requests, which lets others run, whose
    /// appends and reads may be answered at once.
    fn settle(&mut self, turn: &mut Turn) {
        loop {
            while let Some(letter) = self.inbox.pop_front() {
                self.on_letter(turn, self.id, letter);
            }
            while let Some((ticket, answer)) = self.answers.pop_front() {
                self.on_answer(turn, ticket, answer);
            }
            while let Some(key) = self.runnable.pop_front() {
                self.run_requests(turn, key);
            }
            self.run_compactions(turn);
            self.relieve_shortage(turn);
            self.end_log_turns(turn);
            if self.compactions.has_events() {
                continue;
            }
            if self.answers.is_empty() && self.runnable.is_empty() && self.inbox.is_empty() {
                break;
            }
        }
        self.flush_clients(turn);
    }

    /// Puts a letter in the mail. To itself it arrives in the same turn.
    pub(crate) fn send(&mut self, to: ShardId, letter: Letter) {
        if to == self.id {
            self.inbox.push_back(letter);
        } else {
            self.outbox[usize::from(to.0)].push(letter);
        }
    }

    /// Puts a letter to every shard in the mail, this one included.
    pub(crate) fn send_all(&mut self, mut letter: impl FnMut() -> Letter) {
        for shard in 0..self.setup.shards {
            self.send(ShardId(shard), letter());
        }
    }

    fn post(&mut self, turn: &mut Turn) {
        for (shard, letters) in (0..).zip(&mut self.outbox) {
            if !letters.is_empty() {
                let mail = Mail(std::mem::take(letters));
                turn.ops.push(Op::Mail { to: ShardId(shard), mail });
            }
        }
    }
}

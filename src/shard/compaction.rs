//! The shard's compactions: which log is next, how fast, and what becomes known of it.
//!
//! ```text
//!  due ─▶ the dirtiest log that is dirty enough, or overdue ─▶ begin ─┐
//!   ▲                                                                 ▼
//!   │ nothing to do: log.cleaner.backoff.ms          a piece is done ─┴▶ at the rate allowed: the next
//!   └──────────────── done: what is clean is written down, the next log ◀─┘
//! ```
//!
//! One log at a time. What a compaction does is in `engine/src/compaction`; its computing runs on
//! the process's one thread for that, its reading and writing goes through the driver like all
//! else. A log whose compaction failed is told, counted, and left alone until the next start, as in
//! Kafka; a compaction that only found the disk full comes again.
//!
//! Shard 0 also keeps `cleaner-offset-checkpoint` of each log dir: the others tell it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use millrace_engine::checkpoint_file::{CLEANER_FILE, OffsetEntry, write_offsets};
use millrace_engine::{CompactionEvent, CompactionLimits, CompactionReport, MapRules, Offset};
use millrace_io::{Completion, Mono, Op, ShardId, Token};

mod pace;

use pace::Pace;

use super::{COMPACTION_OWNER, Due, Shard, Turn};
use crate::mail::{Letter, Mail, PartitionId};
use crate::topic_config;

/// A partition's place in `cleaner-offset-checkpoint`: log dir, topic, partition.
pub(super) type CleanerKey = (usize, Arc<str>, i32);

/// How long one piece may take to be computed before it is worth a line, ms.
const STALL_MS: u64 = 60_000;
/// The smallest map of keys, bytes; Kafka does not start with less.
const MAP_BYTES_MIN: usize = 1 << 20;
/// Bounds of a read, bytes. Each piece is three rounds between the shard and the background, which
/// is to take less time than the piece; and one whose end was waited for is a millisecond's work.
const READ_BYTES_MIN: u32 = 4 << 10;
/// See [`READ_BYTES_MIN`].
const READ_BYTES_MAX: u32 = 1 << 20;

/// The compaction that is under way.
#[derive(Debug)]
struct Running {
    id: PartitionId,
    slot: u32,
    since: Mono,
    /// When its last piece began.
    moved_at: Mono,
    is_stalled: bool,
}

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Compactions {
    running: Option<Running>,
    /// Bytes read and written beyond what the rate allowed up to `owed_at`.
    owed_bytes: u64,
    owed_at: Mono,
    pace: Pace,
    deadline: Option<Mono>,
    /// What logs told and nobody has looked at.
    events: Vec<(u32, CompactionEvent)>,
    /// Logs whose compaction failed.
    uncleanable: BTreeSet<PartitionId>,
    /// Keys the hash of keys.
    secret: (u64, u64),
    /// Shard 0: up to where logs are compacted.
    cleaned: BTreeMap<CleanerKey, Offset>,
    /// Log dirs whose file is to be written.
    unwritten: BTreeSet<usize>,
    is_writing: bool,
}

/// What the broker's configuration allows compactions.
struct Allowance {
    is_on: bool,
    backoff_ms: u64,
    limits: CompactionLimits,
    /// Bytes per second that all shards may read and write, if it was said.
    bytes_per_second: Option<u64>,
}

impl Compactions {
    pub(super) fn new(secret: (u64, u64)) -> Self {
        Self { secret, ..Self::default() }
    }

    /// True if something is to be looked at in this turn.
    pub(super) const fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// A log told something of its compaction.
    pub(super) fn on_event(&mut self, slot: u32, event: CompactionEvent) {
        self.events.push((slot, event));
    }

    /// A partition is gone.
    pub(super) fn forget(&mut self, id: PartitionId) {
        self.uncleanable.remove(&id);
        if self.running.as_ref().is_some_and(|running| running.id == id) {
            self.running = None;
        }
    }
}

impl Shard {
    fn compaction_allowance(&self) -> Allowance {
        let view = topic_config::view(&self.setup, &self.image);
        let bytes = |name| usize::try_from(view.number(name)).unwrap_or(0);
        let map_bytes = bytes("log.cleaner.dedupe.buffer.size") / usize::from(self.setup.shards);
        let percent = view.scaled("log.cleaner.io.buffer.load.factor", 100).clamp(1, 95);
        let read_bytes = view.number("log.cleaner.io.buffer.size");
        let rate = view.scaled("log.cleaner.io.max.bytes.per.second", 1);
        Allowance {
            is_on: view.flag("log.cleaner.enable") && view.number("log.cleaner.threads") > 0,
            backoff_ms: u64::try_from(view.number("log.cleaner.backoff.ms")).unwrap_or(0).max(1),
            limits: CompactionLimits {
                map: MapRules {
                    bytes_max: map_bytes.max(MAP_BYTES_MIN),
                    load_percent: u8::try_from(percent).unwrap_or(95),
                    secret: self.compactions.secret,
                },
                read_bytes: u32::try_from(read_bytes)
                    .unwrap_or(READ_BYTES_MAX)
                    .clamp(READ_BYTES_MIN, READ_BYTES_MAX),
            },
            bytes_per_second: Some(rate).filter(|rate| *rate < u64::MAX),
        }
    }

    /// From here on logs are compacted.
    pub(super) fn begin_compactions(&mut self, turn: &Turn) {
        self.set_compaction_due(turn.now.mono.plus_ms(1));
    }

    /// Configurations of brokers have changed: what waited for `log.cleaner.backoff.ms` is looked at
    /// now. Kafka's cleaner starts anew.
    pub(super) fn hasten_compaction(&mut self, turn: &Turn) {
        if self.compactions.running.is_none() && self.compactions.deadline.is_some() {
            self.set_compaction_due(turn.now.mono.plus_ms(1));
        }
    }

    fn set_compaction_due(&mut self, at: Mono) {
        if let Some(old) = self.compactions.deadline.replace(at) {
            self.deadlines.remove(old, Due::Compaction);
        }
        self.deadlines.add(at, Due::Compaction);
    }

    /// The next piece may begin, or the next log.
    pub(super) fn on_compaction_due(&mut self, turn: &mut Turn) {
        self.compactions.deadline = None;
        if self.is_stopping() {
            return;
        }
        let Some(running) = &mut self.compactions.running else {
            self.begin_next_compaction(turn);
            return;
        };
        let (id, slot) = (running.id, running.slot);
        let is_late = turn.now.mono >= running.moved_at.plus_ms(STALL_MS);
        if is_late && !std::mem::replace(&mut running.is_stalled, true) {
            let name = self.partitions.name(slot);
            self.note(format!("{name}: a piece of its compaction takes more than a minute"));
        }
        let is_there = self.partitions.get(id).is_some_and(|it| it.log.is_compacting());
        if !is_there {
            self.compactions.running = None;
            self.set_compaction_due(turn.now.mono.plus_ms(1));
            return;
        }
        self.go_on_or_wait(turn, slot);
    }

    /// Does the next piece if the rate allows it, or waits until it does.
    fn go_on_or_wait(&mut self, turn: &mut Turn, slot: u32) {
        let configured = self.compaction_allowance().bytes_per_second;
        let (now, shards) = (turn.now.mono, u64::from(self.setup.shards));
        let requests = self.counters.requests.get();
        let rate = self.compactions.pace.allowed(now, requests, configured, shards);
        let rate = u128::from(rate);
        let compactions = &mut self.compactions;
        let paid = u128::from(now.since(compactions.owed_at)) * rate / 1_000_000_000;
        let owed = u128::from(compactions.owed_bytes).saturating_sub(paid);
        compactions.owed_bytes = u64::try_from(owed).unwrap_or(u64::MAX);
        compactions.owed_at = now;
        let wait_ns = u64::try_from(owed * 1_000_000_000 / rate).unwrap_or(u64::MAX);
        // Less than a timer's grain is carried on, not waited for; and the rate may be changed.
        if wait_ns < WAIT_NS_MIN {
            self.advance_compaction_of(turn, slot);
            self.set_compaction_due(now.plus_ms(STALL_MS));
        } else {
            self.set_compaction_due(Mono(now.0 + wait_ns.min(WAIT_NS_MAX)));
        }
    }

    fn advance_compaction_of(&mut self, turn: &mut Turn, slot: u32) {
        if let Some(running) = &mut self.compactions.running {
            running.moved_at = turn.now.mono;
        }
        if let Some(partition) = self.partitions.at_mut(slot) {
            partition.log.advance_compaction(turn.now, turn.ops);
            self.partitions.touch(slot);
        }
    }

    /// Begins with the log that needs it most; without one, looks again later.
    fn begin_next_compaction(&mut self, turn: &mut Turn) {
        let allowance = self.compaction_allowance();
        let chosen = if allowance.is_on { self.dirtiest(turn) } else { None };
        let Some((id, slot)) = chosen else {
            self.set_compaction_due(turn.now.mono.plus_ms(allowance.backoff_ms));
            return;
        };
        let now = turn.now;
        if let Some(partition) = self.partitions.at_mut(slot)
            && partition.log.begin_compaction(now, allowance.limits, turn.ops)
        {
            let (since, moved_at) = (now.mono, now.mono);
            let running = Running { id, slot, since, moved_at, is_stalled: false };
            self.compactions.running = Some(running);
            self.counters.compaction_running.set(1);
            let (requests, dirty) =
                (&self.counters.requests, &self.counters.compaction_dirty_bytes);
            self.compactions.pace.begin(now.mono, requests.get(), dirty.get());
            self.partitions.touch(slot);
            self.set_compaction_due(now.mono.plus_ms(STALL_MS));
        } else {
            self.set_compaction_due(now.mono.plus_ms(allowance.backoff_ms));
        }
    }

    /// The log with the largest dirty share among those that are dirty enough or overdue.
    fn dirtiest(&mut self, turn: &Turn) -> Option<(PartitionId, u32)> {
        let mut best: Option<(u64, PartitionId, u32)> = None;
        let (mut ppm_max, mut dirty_bytes) = (0, 0_u64);
        for (slot, partition) in self.partitions.iter_slots() {
            if !partition.is_ready {
                continue;
            }
            let Some(cleanable) = partition.log.cleanable(turn.now) else { continue };
            let ppm = cleanable.dirty_ppm();
            ppm_max = ppm_max.max(ppm);
            dirty_bytes = dirty_bytes.saturating_add(cleanable.dirty_bytes);
            let is_wanted = cleanable.is_dirty_enough || cleanable.is_overdue;
            let is_better = best.is_none_or(|(most, ..)| ppm > most);
            if is_wanted && is_better && !self.compactions.uncleanable.contains(&partition.id) {
                best = Some((ppm, partition.id, slot));
            }
        }
        self.counters.compaction_dirty_percent_max.set(ppm_max / 10_000);
        self.counters.compaction_dirty_bytes.set(dirty_bytes);
        best.map(|(_, id, slot)| (id, slot))
    }

    /// Looks at what logs told in this turn.
    pub(super) fn run_compactions(&mut self, turn: &mut Turn) {
        for (slot, event) in std::mem::take(&mut self.compactions.events) {
            match event {
                CompactionEvent::Moved { bytes_read, bytes_written } => {
                    self.on_compaction_moved(turn, slot, (bytes_read, bytes_written));
                }
                CompactionEvent::Done(report) => self.on_compacted(turn, slot, report),
                CompactionEvent::GivenUp => self.end_compaction(turn),
                CompactionEvent::Postponed(error) => {
                    let name = self.partitions.name(slot);
                    self.note(format!("{name}: compaction is put off: {error}"));
                    self.end_compaction(turn);
                }
                CompactionEvent::Failed { reason, has_worker_died } => {
                    self.on_compaction_failed(turn, slot, &reason, has_worker_died);
                }
            }
        }
    }

    fn on_compaction_moved(&mut self, turn: &mut Turn, slot: u32, (read, written): (u64, u64)) {
        self.counters.compaction_bytes_read.add(read);
        self.counters.compaction_bytes_written.add(written);
        if self.is_stopping() {
            return;
        }
        self.compactions.owed_bytes = self.compactions.owed_bytes.saturating_add(read + written);
        if let Some(running) = &mut self.compactions.running {
            running.is_stalled = false;
        }
        self.go_on_or_wait(turn, slot);
    }

    fn on_compacted(&mut self, turn: &mut Turn, slot: u32, report: CompactionReport) {
        self.counters.compaction_runs.add(1);
        self.counters.compaction_records_removed.add(report.removed_records);
        if let Some(running) = &self.compactions.running {
            let ms = turn.now.mono.since(running.since) / 1_000_000;
            self.counters.compaction_run_milliseconds.add(ms);
        }
        if let Some(partition) = self.partitions.at_mut(slot) {
            let key = (partition.log_dir, Arc::clone(&partition.topic), partition.id.index);
            let offset = report.cleaned_to;
            self.partitions.is_changed = true;
            self.send(ShardId(0), Letter::Cleaned(key, offset));
        }
        self.compactions.running = None;
        self.counters.compaction_running.set(0);
        // At once: the next one may be as dirty.
        self.set_compaction_due(turn.now.mono.plus_ms(1));
    }

    fn on_compaction_failed(
        &mut self,
        turn: &mut Turn,
        slot: u32,
        reason: &str,
        has_worker_died: bool,
    ) {
        let name = self.partitions.name(slot);
        self.note(format!("{name}: is not compacted any more until the next start: {reason}"));
        self.counters.compaction_failures.add(1);
        self.counters
            .compaction_last_failure_seconds
            .set(u64::try_from(turn.now.wall.0 / 1000).unwrap_or(0));
        if has_worker_died {
            self.counters.compaction_worker_restarts.add(1);
        }
        if let Some(partition) = self.partitions.at_mut(slot) {
            self.compactions.uncleanable.insert(partition.id);
        }
        let count = self.compactions.uncleanable.len() as u64;
        self.counters.compaction_uncleanable_partitions.set(count);
        self.end_compaction(turn);
    }

    fn end_compaction(&mut self, turn: &Turn) {
        self.compactions.running = None;
        self.counters.compaction_running.set(0);
        if !self.is_stopping() {
            let backoff_ms = self.compaction_allowance().backoff_ms;
            self.set_compaction_due(turn.now.mono.plus_ms(backoff_ms));
        }
    }

    /// A partition is gone.
    pub(super) fn forget_compaction(&mut self, id: PartitionId) {
        self.compactions.forget(id);
        let count = self.compactions.uncleanable.len() as u64;
        self.counters.compaction_uncleanable_partitions.set(count);
    }

    /// Shard 0: what the last process left.
    pub(super) fn take_cleaned(&mut self, cleaned: BTreeMap<CleanerKey, Offset>) {
        if self.id == ShardId(0) {
            self.compactions.cleaned = cleaned;
        }
    }

    /// Shard 0: a log is compacted up to an offset.
    pub(super) fn on_cleaned(&mut self, turn: &mut Turn, key: CleanerKey, offset: Offset) {
        self.compactions.unwritten.insert(key.0);
        self.compactions.cleaned.insert(key, offset);
        self.write_cleaned(turn);
    }

    /// Shard 0: a topic is gone; another of its name begins dirty.
    pub(super) fn drop_cleaned(&mut self, turn: &mut Turn, topic: &str) {
        let before = self.compactions.cleaned.len();
        let mut dirs = BTreeSet::new();
        self.compactions.cleaned.retain(|(dir, name, _), _| {
            let is_it = **name == *topic;
            if is_it {
                dirs.insert(*dir);
            }
            !is_it
        });
        if self.compactions.cleaned.len() < before {
            self.compactions.unwritten.extend(dirs);
            self.write_cleaned(turn);
        }
    }

    fn write_cleaned(&mut self, turn: &mut Turn) {
        if self.compactions.is_writing {
            return;
        }
        let Some(dir) = self.compactions.unwritten.pop_first() else { return };
        let entries: Vec<OffsetEntry> = self
            .compactions
            .cleaned
            .iter()
            .filter(|((at, ..), _)| *at == dir)
            .map(|((_, topic, partition), offset)| OffsetEntry {
                topic: topic.to_string(),
                partition: *partition,
                offset: *offset,
            })
            .collect();
        self.compactions.is_writing = true;
        let token = Token { owner: COMPACTION_OWNER, seq: 0 };
        let path = self.setup.log_dirs[dir].path.join(CLEANER_FILE);
        let content = Bytes::from(write_offsets(entries.iter()));
        turn.ops.push(Op::WriteWhole { token, path, content });
    }

    /// Shard 0: a `cleaner-offset-checkpoint` is written.
    pub(super) fn on_cleaner_completion(&mut self, turn: &mut Turn, completion: Completion<Mail>) {
        let Completion::Done { result, .. } = completion else { return };
        self.compactions.is_writing = false;
        if let Err(error) = result {
            // The old one stands: the next start compacts a little more than it would have to.
            self.note(format!("{CLEANER_FILE} cannot be written: {error}"));
        }
        if !self.is_stopping() {
            self.write_cleaned(turn);
        }
    }
}

/// Waits shorter than this are none, ns.
const WAIT_NS_MIN: u64 = 1_000_000;
/// After this time the rate is looked at again, ns.
const WAIT_NS_MAX: u64 = 1_000_000_000;

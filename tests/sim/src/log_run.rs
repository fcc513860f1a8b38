//! One partition's log alone on the simulated machine: the same troubles and the same oracle as in a
//! whole run, many times faster, and a failure points at the log.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use millrace_engine::{
    AppendError, AppendOutcome, Codec, Durability, LeaderEpoch, Log, LogConfig, LogEvent, LogSpec,
    Offset, Opening, Origin, PartitionCheckpoint, ProducerId, ProducerStamp, ReadError,
    ReadOutcome, ReadPlan, ReadRequest, ValidatedBatch, ValidationRules, validate,
};
use millrace_io::{Completion, IoErrorKind, Op, ShardId, Token};
use millrace_wire::Uuid;
use millrace_world::{Faults, Rng, World, WorldConfig};

use crate::oracle::{Contract, Guarantee, Oracle, Place};
use crate::outcome::Outcome;
use crate::plan::Plant;
use crate::plant;
use crate::record::{self, RecordId};

const PLACE: Place = Place { topic: 0, partition: 0 };
const SHARD: ShardId = ShardId(0);
const LOG_OWNER: u32 = 1;
/// Owner of the operations by which the run itself reads; the sequence is the offset it starts at.
const READ_OWNER: u32 = 2;
/// Batches of a writer under way: a log remembers five, and clients send no more.
const IN_FLIGHT_MAX: usize = 5;
/// Turns for what was begun to end once it is calm.
const CALM_TURNS_MAX: u32 = 20_000;

/// What would be in the broker's checkpoint files, which survive everything.
#[derive(Clone, Debug, Default)]
struct Checkpoints {
    checkpoint: Option<PartitionCheckpoint>,
    boot: u32,
    recovery_point: Offset,
    log_start: Offset,
    high_watermark: Offset,
}

/// A producer with a sequence.
#[derive(Debug)]
struct Writer {
    number: u32,
    id: ProducerId,
    next_number: u32,
    next_sequence: i32,
    /// Not acknowledged, oldest first, with the ticket if it is under way.
    queue: VecDeque<(Option<u64>, Vec<RecordId>, i32)>,
}

struct LogRun {
    world: World<()>,
    log: Log,
    config: Arc<LogConfig>,
    rng: Rng,
    oracle: Oracle,
    writers: Vec<Writer>,
    checkpoints: Checkpoints,
    boot: u32,
    ops: Vec<Op<()>>,
    completions: Vec<Completion<()>>,
    events: Vec<LogEvent>,
    next_ticket: u64,
    next_producer_id: i64,
    /// Reads under way: where they start and where they must end.
    reads: BTreeMap<u32, (i64, i64)>,
    next_read: u32,
    is_ready: bool,
    /// It was asked to close.
    is_closing: bool,
    is_closed: bool,
    has_failed: bool,
    /// It failed, and what it does on that is still to be done.
    is_ending: bool,
    /// A power loss took what the contract does not cover; where the log ends is not known yet.
    is_inspecting: bool,
    /// Syncs that had failed when the log was opened.
    sync_failures_before: u64,
    plant: Plant,
    turns: u64,
}

/// Plays one seed.
///
/// - `tell`: told the story, line by line, if it is wanted.
pub fn run_seed(seed: u64, plant: Plant, mut tell: Option<&mut dyn FnMut(&str)>) -> Outcome {
    let mut run = LogRun::new(seed, plant);
    if tell.is_some() {
        run.world.trace_mut().tell();
    }
    let steps = run.rng.between(20, 600);
    for _ in 0..steps {
        if run.oracle.violation().is_some() {
            break;
        }
        run.act();
        run.turn();
        if let Some(tell) = &mut tell {
            run.world.trace_mut().take_story().iter().for_each(|line| tell(line));
        }
    }
    run.audit();
    if let Some(tell) = &mut tell {
        run.world.trace_mut().take_story().iter().for_each(|line| tell(line));
    }
    Outcome {
        violation: run.oracle.violation().map(|what| format!("log: {what}")),
        trace: run.world.trace().hash(),
        acked_count: run.oracle.acked_count,
        read_count: run.oracle.read_count,
        compacted_count: 0,
        commit_count: 0,
        fenced_count: 0,
        forgotten_count: 0,
        states_compared: 0,
        snapshots_compared: 0,
        offsets_removed: 0,
        turns: run.turns,
    }
}

fn config(rng: &mut Rng) -> LogConfig {
    let durability =
        [Durability::PageCache, Durability::GroupCommit, Durability::EveryBatch][rng.index(3)];
    LogConfig {
        segment_bytes: [2048, 4096, 20_000, 1 << 20][rng.index(4)],
        index_interval_bytes: [0, 100, 1000, 4096][rng.index(4)],
        segment_index_bytes: [64, 1024, 10 << 20][rng.index(3)],
        preallocate: rng.chance(500),
        writeback_bytes: [0, 1000, 8 << 20][rng.index(3)],
        retention_ms: None,
        durability,
        ..LogConfig::default()
    }
}

impl LogRun {
    fn new(seed: u64, plant: Plant) -> Self {
        let mut rng = Rng::new(seed ^ 0x6C6F_6731);
        let config = Arc::new(config(&mut rng));
        let mut faults = Faults::swarm(&mut rng);
        let is_durable = config.contract() != Durability::PageCache;
        if rng.chance(200) {
            faults.sync_error = 20;
        }
        // Not drawn: other seeds keep their runs.
        faults.open_exhausted = [0, 0, 0, 5, 0, 0, 0, 100][usize::try_from(seed % 8).unwrap_or(0)];
        let mut world = World::new(WorldConfig { faults, ..WorldConfig::new(seed) });
        world.disk_mut().put("/data/x", Vec::new());
        let mut oracle = Oracle::default();
        let contract = if is_durable { Contract::Durable } else { Contract::PageCache };
        oracle.add_topic("t", Uuid(1), contract, 1);
        let mut ops = Vec::new();
        let log = Log::create(spec(&config), world.now(), &mut ops);
        let mut run = Self {
            world,
            log,
            config,
            rng,
            oracle,
            writers: Vec::new(),
            checkpoints: Checkpoints::default(),
            boot: 0,
            ops,
            completions: Vec::new(),
            events: Vec::new(),
            next_ticket: 0,
            next_producer_id: 1,
            reads: BTreeMap::new(),
            next_read: 0,
            is_ready: false,
            is_closing: false,
            is_closed: false,
            has_failed: false,
            is_ending: false,
            is_inspecting: false,
            sync_failures_before: 0,
            plant,
            turns: 0,
        };
        for _ in 0..=run.rng.index(3) {
            run.add_writer();
        }
        run
    }

    fn add_writer(&mut self) {
        let number = self.oracle.add_producer(Guarantee::OnceInOrder);
        let id = ProducerId(self.next_producer_id);
        self.next_producer_id += 1;
        let queue = VecDeque::new();
        self.writers.push(Writer { number, id, next_number: 0, next_sequence: 0, queue });
    }

    /// One thing that somebody does.
    fn act(&mut self) {
        match self.rng.below(1000) {
            0..=8 => self.kill(),
            9..=14 => self.lose_power(),
            15..=20 => self.stop(),
            21..=24 => {
                let bytes = self.rng.below(3000);
                let disk_bytes_max = self.world.disk().used_bytes() + bytes;
                self.world.set_faults(Faults { disk_bytes_max, ..self.world.faults().clone() });
            }
            25..=34 => {
                let disk_bytes_max = u64::MAX;
                self.world.set_faults(Faults { disk_bytes_max, ..self.world.faults().clone() });
            }
            35..=60 => self.checkpoint(),
            61..=70 => self.delete_records(),
            71..=250 => self.read(),
            251..=700 => self.append(),
            _ => {}
        }
    }

    fn append(&mut self) {
        for _ in 0..=self.rng.index(3) {
            let at = self.rng.index(self.writers.len());
            let queue = &self.writers[at].queue;
            let all_sent = queue.iter().all(|(ticket, ..)| ticket.is_some());
            if all_sent && queue.len() < IN_FLIGHT_MAX {
                self.make_batch(at);
            }
            self.append_next(at);
        }
    }

    fn make_batch(&mut self, at: usize) {
        let count = self.rng.between(1, 6);
        let writer = &mut self.writers[at];
        let count = u32::try_from(count).expect("at most 6");
        let numbers = writer.next_number..writer.next_number + count;
        let ids: Vec<_> =
            numbers.map(|number| RecordId { producer: writer.number, number }).collect();
        let sequence = writer.next_sequence;
        writer.next_number += count;
        writer.next_sequence += count.cast_signed();
        writer.queue.push_back((None, ids, sequence));
    }

    /// Appends the writer's first batch that is not under way, unless an earlier one waits again.
    fn append_next(&mut self, at: usize) {
        let length_max = [50, 300, 1200][self.rng.index(3)];
        let length = self.rng.between(8, length_max);
        let length = usize::try_from(length).expect("small");
        let now = self.world.now();
        let writer = &mut self.writers[at];
        let Some((ticket, ids, sequence)) =
            writer.queue.iter_mut().find(|(ticket, ..)| ticket.is_none())
        else {
            return;
        };
        let stamp = ProducerStamp { id: writer.id, epoch: 0, base_sequence: *sequence };
        let codec = if ids.len() > 3 { Codec::Lz4 } else { Codec::None };
        let bytes = record::build(ids, stamp, codec, length, now.wall.0);
        let batch = validated(&bytes, now.wall);
        self.next_ticket += 1;
        match self.log.append(now, &batch, self.next_ticket) {
            Ok(AppendOutcome::Queued { .. }) => *ticket = Some(self.next_ticket),
            Ok(AppendOutcome::Duplicate { base_offset, .. }) => {
                let ids = ids.clone();
                let trace = self.world.trace_mut();
                trace.line(format_args!("acked again at {base_offset}: {ids:?}"));
                self.oracle.on_acked(PLACE, base_offset.0, &ids);
                writer.queue.retain(|(_, other, _)| *other != ids);
            }
            Err(AppendError::Producer(error)) => {
                let first = writer.queue.front().is_some_and(|(ticket, ..)| ticket.is_none());
                if first {
                    self.oracle.fail(format!("{error:?} for the next batch in order"));
                }
            }
            Err(AppendError::Failed) => {
                if !self.has_failed {
                    self.oracle.fail("a log that has not failed says so");
                }
            }
            Err(
                AppendError::NotReady
                | AppendError::NoSpace
                | AppendError::Closed
                | AppendError::TooLarge
                | AppendError::QueueFull,
            ) => {}
        }
        self.log.verify();
    }

    fn read(&mut self) {
        if !self.is_ready || self.is_inspecting {
            return;
        }
        let (start, high) = (self.log.log_start_offset().0, self.log.high_watermark().0);
        let offset = self.rng.between(start.unsigned_abs(), high.unsigned_abs()).cast_signed();
        let bytes_max = [1, 200, 3000, 1 << 20][self.rng.index(4)];
        self.ask_read(offset, bytes_max);
    }

    fn ask_read(&mut self, offset: i64, bytes_max: u32) {
        self.next_read += 1;
        let limit = self.log.high_watermark();
        self.reads.insert(self.next_read, (offset, limit.0));
        let request = ReadRequest {
            offset: Offset(offset),
            limit,
            bytes_max,
            at_least_one_batch: true,
            ticket: u64::from(self.next_read),
        };
        let outcome = self.log.read(self.world.now(), request, &mut self.ops);
        self.on_read_outcome(self.next_read, outcome);
    }

    fn on_read_outcome(&mut self, read: u32, outcome: ReadOutcome) {
        let Some(&(offset, limit)) = self.reads.get(&read) else { return };
        match outcome {
            ReadOutcome::Ready(ReadPlan { file, position, length, base_offset }) => {
                if base_offset.0 > offset {
                    self.oracle.fail(format!("a read of {offset} starts at {base_offset:?}"));
                }
                let token = Token { owner: READ_OWNER, seq: read };
                self.ops.push(Op::Read { token, file, position, length });
            }
            ReadOutcome::Pending => {}
            ReadOutcome::Empty => {
                self.reads.remove(&read);
                if offset < limit {
                    self.oracle.fail(format!("nothing at {offset} below {limit}"));
                }
            }
            ReadOutcome::OutOfRange => {
                self.reads.remove(&read);
                if offset >= self.oracle.partition(PLACE).deletable_end() {
                    self.oracle.fail(format!("{offset} is said to be out of range"));
                }
            }
            ReadOutcome::Failed(error) => {
                self.reads.remove(&read);
                let may_fail = self.has_failed || self.is_closing || !self.is_ready;
                // A failed sync may have dropped bytes before anybody is told of it.
                let may_fail = may_fail || self.has_sync_failed();
                let is_busy = matches!(error, ReadError::Busy);
                // Descriptors are short: whoever reads comes again.
                let is_short = matches!(error, ReadError::Io(error)
                    if error.kind == IoErrorKind::Exhausted && self.world.faults().open_exhausted > 0);
                if !may_fail && !is_busy && !is_short {
                    self.oracle.fail(format!("reading {offset}: {error:?}"));
                }
            }
        }
    }

    fn on_bytes(&mut self, read: u32, bytes: &Bytes) {
        let Some((offset, limit)) = self.reads.remove(&read) else { return };
        if self.has_failed {
            return;
        }
        match record::read(bytes) {
            // The same.
            Err(_) if self.has_sync_failed() => {}
            Err(wrong) => self.oracle.fail(format!("read at {offset}: {wrong}")),
            Ok(records) => {
                let mut next = offset;
                for (at, id) in records {
                    if at.0 >= offset && at.0 < limit {
                        if at.0 != next {
                            self.oracle.fail(format!("{at:?} where {next} is due"));
                        }
                        next = at.0 + 1;
                        self.oracle.on_read(PLACE, at.0, id);
                    }
                }
                if next == offset && offset < limit && !self.has_sync_failed() {
                    self.oracle.fail(format!("a read of {offset} brings nothing"));
                }
            }
        }
    }

    fn delete_records(&mut self) {
        if !self.is_ready || self.is_inspecting {
            return;
        }
        let high = self.log.high_watermark().0.unsigned_abs();
        let offset = self.rng.between(0, high).cast_signed();
        self.oracle.on_delete_asked(PLACE, offset);
        let now = self.world.now();
        if let Ok(start) = self.log.advance_log_start(now, Offset(offset), &mut self.ops) {
            self.oracle.on_deleted(PLACE, start.0, self.oracle.crashes);
            self.checkpoints.log_start = start;
        }
    }

    /// Notes what the broker's checkpoint files would say from now on.
    fn checkpoint(&mut self) {
        if !self.is_ready || self.has_failed {
            return;
        }
        self.checkpoints.recovery_point = self.log.recovery_point();
        self.checkpoints.high_watermark = self.log.high_watermark();
        self.checkpoints.log_start = self.log.log_start_offset();
        if self.rng.chance(500) {
            self.checkpoints.checkpoint = Some(self.log.checkpoint());
            self.checkpoints.boot = self.boot;
        }
    }

    fn kill(&mut self) {
        // The log may not have heard of it yet.
        let has_sync_failed = self.has_sync_failed();
        self.ops.clear();
        self.world.kill();
        plant::spoil(self.plant, &mut self.world, &mut self.rng);
        self.open(false);
        if has_sync_failed {
            self.on_loss();
        }
    }

    /// A sync failed since the log was opened. The page cache may have dropped what was to be synced,
    /// which no contract covers that stands on the page cache alone.
    fn has_sync_failed(&self) -> bool {
        self.world.sync_failures() > self.sync_failures_before
    }

    fn lose_power(&mut self) {
        self.ops.clear();
        self.world.lose_power();
        plant::spoil(self.plant, &mut self.world, &mut self.rng);
        self.boot += 1;
        self.open(false);
        self.on_loss();
    }

    /// A sync failed, and the process ends, once the log has left a word of it. Half of the time the machine goes on: its page cache
    /// may show what the disk does not have, or may have forgotten it.
    fn end_failed(&mut self) {
        self.is_ending = true;
        let marker = "/data/t-0/sync-pending";
        for _ in 0..CALM_TURNS_MAX {
            if self.world.disk().content(marker).is_some() || self.world.in_flight() == 0 {
                break;
            }
            self.turn();
        }
        self.is_ending = false;
        if self.rng.chance(500) {
            self.lose_power();
        } else {
            self.kill();
        }
    }

    /// What the page-cache contract does not cover may be gone.
    fn on_loss(&mut self) {
        self.is_inspecting = true;
        if self.config.contract() == Durability::PageCache {
            // What the log knows of them may be gone.
            let count = self.writers.len();
            self.writers.clear();
            (0..count).for_each(|_| self.add_writer());
        }
    }

    /// A clean stop and a new start.
    fn stop(&mut self) {
        if !self.is_ready || self.has_failed {
            return;
        }
        self.is_closing = true;
        let now = self.world.now();
        self.log.close(now, &mut self.ops);
        for _ in 0..CALM_TURNS_MAX {
            self.turn();
            if !self.is_closing {
                // It failed meanwhile and was started again.
                return;
            }
            if self.is_closed {
                break;
            }
        }
        if !self.is_closed {
            self.oracle.fail("a log that is closed does not end");
        }
        self.checkpoint();
        self.checkpoints.checkpoint = Some(self.log.checkpoint());
        self.checkpoints.boot = self.boot;
        self.ops.clear();
        self.world.kill();
        self.open(true);
    }

    fn open(&mut self, is_clean: bool) {
        self.sync_failures_before = self.world.sync_failures();
        self.reads.clear();
        self.completions.clear();
        self.events.clear();
        self.is_ready = false;
        self.is_closing = false;
        self.is_closed = false;
        self.has_failed = false;
        for (ticket, ..) in self.writers.iter_mut().flat_map(|writer| &mut writer.queue) {
            *ticket = None;
        }
        let saved = self.checkpoints.clone();
        let opening = Opening {
            is_clean,
            checkpoint: saved.checkpoint,
            is_same_boot: saved.boot == self.boot,
            recovery_point: saved.recovery_point,
            log_start: saved.log_start,
            high_watermark: saved.high_watermark,
            cleaned_to: Offset(0),
        };
        self.log = Log::open(spec(&self.config), opening, self.world.now(), &mut self.ops);
    }

    fn turn(&mut self) {
        self.turns += 1;
        let now = self.world.now();
        self.log.end_turn(now, &mut self.ops);
        self.log.take_events(&mut self.events);
        self.on_events();
        plant::pervert(self.plant, &mut self.world, SHARD, &mut self.ops);
        let soon = now.mono.plus_ms(20);
        let deadline = self.log.next_deadline().map_or(soon, |at| at.min(soon));
        let now = self.world.turn(SHARD, &mut self.ops, Some(deadline), &mut self.completions);
        for completion in std::mem::take(&mut self.completions) {
            if let Completion::Read { token, result } = &completion
                && token.owner == READ_OWNER
            {
                match result {
                    Ok(bytes) => self.on_bytes(token.seq, bytes),
                    Err(_) => {
                        self.reads.remove(&token.seq);
                    }
                }
                continue;
            }
            self.log.on_completion(now, completion, &mut self.ops, &mut self.events);
            self.log.verify();
        }
        if self.log.next_deadline().is_some_and(|at| at <= now.mono) {
            self.log.on_timer(now, &mut self.ops);
        }
        self.log.take_events(&mut self.events);
        self.on_events();
        self.log.verify();
    }

    fn on_events(&mut self) {
        for event in std::mem::take(&mut self.events) {
            match event {
                LogEvent::Ready(_) => self.on_ready(),
                LogEvent::Appended { ticket, base_offset, .. } => {
                    let is_it = |(other, ..): &(Option<u64>, _, _)| *other == Some(ticket);
                    for writer in &mut self.writers {
                        if let Some(at) = writer.queue.iter().position(is_it)
                            && let Some((_, ids, _)) = writer.queue.remove(at)
                        {
                            let trace = self.world.trace_mut();
                            trace.line(format_args!("acked at {base_offset}: {ids:?}"));
                            self.oracle.on_acked(PLACE, base_offset.0, &ids);
                        }
                    }
                }
                LogEvent::AppendFailed { ticket, .. } => {
                    let all = self.writers.iter_mut().flat_map(|writer| &mut writer.queue);
                    for (other, ..) in all {
                        if *other == Some(ticket) {
                            *other = None;
                        }
                    }
                }
                LogEvent::ReadReady { ticket, outcome } => {
                    let read = u32::try_from(ticket).expect("few reads");
                    self.on_read_outcome(read, outcome);
                }
                LogEvent::Corrupt { .. } if self.has_sync_failed() => {}
                LogEvent::Corrupt { segment, position, reason } => {
                    self.oracle.fail(format!("corrupt: {segment:?} at {position}: {reason}"));
                }
                LogEvent::Fatal { reason } => {
                    self.world.trace_mut().line(format_args!("fatal: {reason}"));
                    self.has_failed = true;
                    if !self.has_sync_failed() {
                        self.oracle.fail(format!("fatal: {reason}"));
                    }
                    self.is_ready = false;
                }
                LogEvent::Closed => self.is_closed = true,
                LogEvent::TimestampReady { .. }
                | LogEvent::CommittedAdvanced
                | LogEvent::LogStartAdvanced
                | LogEvent::Compaction(_)
                | LogEvent::SpaceGone
                | LogEvent::SpaceBack
                | LogEvent::Exhausted { .. }
                | LogEvent::Deleted => {}
            }
        }
        if self.is_ready {
            self.log.set_high_watermark(self.log.committed_offset());
        }
        if self.has_failed && !self.is_closed && !self.is_ending {
            self.end_failed();
        }
    }

    fn on_ready(&mut self) {
        self.is_ready = true;
        let trace = self.world.trace_mut();
        trace.line(format_args!("ready, ends at {}", self.log.log_end_offset()));
        let end = self.log.log_end_offset().0;
        if std::mem::take(&mut self.is_inspecting)
            && self.config.contract() == Durability::PageCache
        {
            self.oracle.on_loss(PLACE, end);
            // The front may be lost and what follows not: then the log starts there.
            self.oracle.on_delete_asked(PLACE, self.log.log_start_offset().0);
        }
        self.oracle.on_end(PLACE, end);
        let start = self.log.log_start_offset().0;
        if start == end {
            // An empty log may start anywhere from the acknowledged end on: the records before it
            // were on their way to a segment of which only the name is left.
            self.oracle.on_delete_asked(PLACE, start);
        }
        self.oracle.on_bounds(PLACE, start, end, end);
        // What recovery cut off must not stay in checkpoints once something else takes its offsets:
        // a broker replaces them before it takes the first append.
        self.checkpoint();
        self.checkpoints.checkpoint = Some(self.log.checkpoint());
        self.checkpoints.boot = self.boot;
    }

    /// It becomes calm; everything is finished, and read from the beginning by another process.
    fn audit(&mut self) {
        if self.oracle.violation().is_some() {
            return;
        }
        let torn_page = self.world.faults().torn_page;
        self.world.set_faults(Faults { torn_page, ..Faults::none() });
        match self.rng.below(3) {
            0 => self.kill(),
            1 => self.lose_power(),
            _ => self.stop(),
        }
        if !self.finish() {
            return;
        }
        let end = self.log.high_watermark().0;
        self.oracle.on_end(PLACE, end);
        let mut next = self.log.log_start_offset().0;
        while next < end && self.oracle.violation().is_none() {
            let before = self.oracle.read_count;
            self.ask_read(next, 3000);
            for _ in 0..CALM_TURNS_MAX {
                if self.reads.is_empty() {
                    break;
                }
                self.turn();
            }
            let read = self.oracle.read_count - before;
            if read == 0 {
                self.oracle.fail(format!("the audit does not get beyond {next} of {end}"));
            }
            next += read.cast_signed();
        }
    }

    /// Lets every writer finish; says whether all could.
    fn finish(&mut self) -> bool {
        for _ in 0..CALM_TURNS_MAX {
            if self.oracle.violation().is_some() {
                return false;
            }
            let is_done = self.writers.iter().all(|writer| writer.queue.is_empty());
            if is_done && self.is_ready && self.reads.is_empty() {
                return true;
            }
            for at in 0..self.writers.len() {
                self.append_next(at);
            }
            self.turn();
        }
        let waiting: Vec<_> = self.writers.iter().map(|writer| &writer.queue).collect();
        let (is_ready, reads) = (self.is_ready, &self.reads);
        self.oracle.fail(format!(
            "no progress once it was calm: ready {is_ready}, reads {reads:?}, batches {waiting:?}"
        ));
        false
    }
}

fn spec(config: &Arc<LogConfig>) -> LogSpec {
    LogSpec {
        owner: LOG_OWNER,
        dir: PathBuf::from("/data/t-0"),
        topic_id: Uuid(1),
        config: Arc::clone(config),
        leader_epoch: LeaderEpoch(0),
    }
}

fn validated(bytes: &Bytes, wall: millrace_io::WallMs) -> ValidatedBatch {
    let origin = Origin::Client { produce_version: 9 };
    validate(bytes, origin, &ValidationRules::default(), wall).expect("a good batch")
}

//! One log on a simulated machine, driven to rest after every call.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use millrace_engine::{
    AppendError, AppendOutcome, BatchBuilder, BatchIter, BatchSpec, CompactionLimits, LeaderEpoch,
    Log, LogConfig, LogEvent, LogSpec, Offset, Opening, Origin, PartitionCheckpoint, ProducerStamp,
    ReadError, ReadOutcome, ReadPlan, ReadRequest, RecoveryReport, TimestampOutcome,
    ValidatedBatch, ValidationRules, validate,
};
use millrace_io::{Completion, Mono, Op, ShardId, Token};
use millrace_wire::Uuid;
use millrace_world::{World, WorldConfig};

pub(crate) const DIR: &str = "/data/logs-0";
const OWNER: u32 = 7;
/// Owner of the ops by which the rig itself reads.
const RIG: u32 = 8;

pub(crate) struct Rig {
    pub(crate) world: World<()>,
    pub(crate) log: Log,
    pub(crate) config: Arc<LogConfig>,
    pub(crate) events: Vec<LogEvent>,
    ops: Vec<Op<()>>,
    ticket: u64,
    last_read: Option<Bytes>,
    /// The last read was answered by [`Log::read_recent`] too.
    pub(crate) is_recent: bool,
}

pub(crate) fn spec(config: &Arc<LogConfig>) -> LogSpec {
    LogSpec {
        owner: OWNER,
        dir: PathBuf::from(DIR),
        topic_id: Uuid(0x1234),
        config: Arc::clone(config),
        leader_epoch: LeaderEpoch(0),
    }
}

/// A small configuration: rolls early, indexes often.
pub(crate) fn small() -> LogConfig {
    LogConfig { segment_bytes: 4096, index_interval_bytes: 256, ..LogConfig::default() }
}

impl Rig {
    pub(crate) fn new(config: LogConfig) -> Self {
        Self::with_world(World::new(WorldConfig::new(1)), config)
    }

    pub(crate) fn with_world(world: World<()>, config: LogConfig) -> Self {
        let config = Arc::new(config);
        let mut ops = Vec::new();
        let log = Log::create(spec(&config), world.now(), &mut ops);
        let mut rig = Self {
            world,
            log,
            config,
            events: Vec::new(),
            ops,
            ticket: 0,
            last_read: None,
            is_recent: false,
        };
        rig.settle();
        rig.report();
        rig
    }

    /// Runs the world until nothing is under way, without letting deadlines pass.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            let now = self.world.now();
            self.log.end_turn(now, &mut self.ops);
            self.log.take_events(&mut self.events);
            if self.ops.is_empty() && self.world.in_flight() == 0 {
                return;
            }
            self.step(None);
        }
        panic!("the log does not come to rest");
    }

    /// One turn of the driver.
    fn step(&mut self, deadline: Option<Mono>) {
        let mut completions: Vec<Completion<()>> = Vec::new();
        let now = self.world.turn(ShardId(0), &mut self.ops, deadline, &mut completions);
        for completion in completions {
            match completion {
                Completion::Read { token: Token { owner: RIG, .. }, result } => {
                    self.last_read = Some(result.expect("the rig reads what it was promised"));
                }
                other => self.log.on_completion(now, other, &mut self.ops, &mut self.events),
            }
            self.log.verify();
        }
    }

    /// Lets `ms` pass, timers included.
    pub(crate) fn pass(&mut self, ms: u64) {
        let end = self.world.now().mono.plus_ms(ms);
        for _ in 0..100_000 {
            let now = self.world.now();
            if now.mono >= end {
                self.settle();
                return;
            }
            let deadline = self.log.next_deadline().map_or(end, |deadline| deadline.min(end));
            self.step(Some(deadline));
            let now = self.world.now();
            self.log.on_timer(now, &mut self.ops);
            self.log.end_turn(now, &mut self.ops);
            self.log.take_events(&mut self.events);
            self.log.verify();
        }
        panic!("a timer that never ends");
    }

    /// Lets time pass, timers included, until something holds, for `ms` at most.
    pub(crate) fn pass_until(&mut self, ms: u64, holds: impl Fn(&Self) -> bool) {
        let end = self.world.now().mono.plus_ms(ms);
        while !holds(self) {
            assert!(self.world.now().mono < end, "it does not come to that");
            let deadline = self.log.next_deadline().map_or(end, |deadline| deadline.min(end));
            self.step(Some(deadline));
            let now = self.world.now();
            self.log.on_timer(now, &mut self.ops);
            self.log.end_turn(now, &mut self.ops);
        }
    }

    /// The one `Ready` that came.
    pub(crate) fn report(&mut self) -> RecoveryReport {
        let at = self.events.iter().position(|event| matches!(event, LogEvent::Ready(_)));
        let at = at.unwrap_or_else(|| panic!("not ready: {:?}", self.events));
        match self.events.remove(at) {
            LogEvent::Ready(report) => report,
            other => panic!("{other:?}"),
        }
    }

    /// Queues a batch and does not wait.
    pub(crate) fn queue(
        &mut self,
        batch: &ValidatedBatch,
    ) -> (u64, Result<AppendOutcome, AppendError>) {
        self.ticket += 1;
        let outcome = self.log.append(self.world.now(), batch, self.ticket);
        self.log.verify();
        (self.ticket, outcome)
    }

    /// Appends a batch, waits, moves the high watermark, and returns its base offset.
    pub(crate) fn append(&mut self, batch: &ValidatedBatch) -> Result<Offset, AppendError> {
        let (ticket, outcome) = self.queue(batch);
        match outcome? {
            AppendOutcome::Duplicate { base_offset, .. } => Ok(base_offset),
            AppendOutcome::Queued { base_offset, .. } => {
                self.settle();
                let offset = self.outcome(ticket)?;
                assert_eq!(offset, base_offset, "the event says what the append said");
                self.advance();
                Ok(offset)
            }
        }
    }

    pub(crate) fn advance(&mut self) {
        self.log.set_high_watermark(self.log.committed_offset());
    }

    /// What the events say about a ticket.
    pub(crate) fn outcome(&mut self, ticket: u64) -> Result<Offset, AppendError> {
        for event in &self.events {
            match event {
                LogEvent::Appended { ticket: told, base_offset, .. } if *told == ticket => {
                    return Ok(*base_offset);
                }
                LogEvent::AppendFailed { ticket: told, error } if *told == ticket => {
                    return Err(*error);
                }
                _ => {}
            }
        }
        panic!("nothing was told about {ticket}: {:?}", self.events);
    }

    pub(crate) fn read_plan(&mut self, offset: i64, bytes_max: u32) -> ReadOutcome {
        self.read_plan_below(offset, self.log.high_watermark(), bytes_max)
    }

    /// Base offsets of the batches that one read gives below a limit.
    pub(crate) fn read_below(&mut self, offset: i64, limit: i64, bytes_max: u32) -> Vec<i64> {
        match self.read_plan_below(offset, Offset(limit), bytes_max) {
            ReadOutcome::Ready(plan) => {
                let bytes = self.fetch(&plan);
                BatchIter::new(&bytes).map(|batch| batch.header.base_offset.0).collect()
            }
            ReadOutcome::Empty => Vec::new(),
            other => panic!("{other:?}"),
        }
    }

    fn read_plan_below(&mut self, offset: i64, limit: Offset, bytes_max: u32) -> ReadOutcome {
        self.ticket += 1;
        let request = ReadRequest {
            offset: Offset(offset),
            limit,
            bytes_max,
            at_least_one_batch: true,
            ticket: self.ticket,
        };
        let now = self.world.now();
        let recent = self.log.read_recent(now, request);
        self.is_recent = recent.is_some();
        let outcome = self.log.read(now, request, &mut self.ops);
        if let Some(recent) = recent {
            assert_eq!(recent, outcome, "the short way and the long way agree");
        }
        if outcome != ReadOutcome::Pending {
            return outcome;
        }
        self.settle();
        let ticket = self.ticket;
        let told = self.events.iter().find_map(|event| match event {
            LogEvent::ReadReady { ticket: told, outcome } if *told == ticket => {
                Some(outcome.clone())
            }
            _ => None,
        });
        told.unwrap_or_else(|| panic!("read {ticket} has no outcome: {:?}", self.events))
    }

    /// The bytes of a plan.
    pub(crate) fn fetch(&mut self, plan: &ReadPlan) -> Bytes {
        self.ops.push(Op::Read {
            token: Token { owner: RIG, seq: 0 },
            file: plan.file.clone(),
            position: plan.position,
            length: plan.length,
        });
        self.last_read = None;
        self.settle();
        let bytes = self.last_read.take().expect("the read completed");
        assert_eq!(bytes.len(), plan.length as usize, "the plan's bytes are there");
        bytes
    }

    /// Base offsets of the batches that one read gives.
    pub(crate) fn read(&mut self, offset: i64, bytes_max: u32) -> Result<Vec<i64>, ReadError> {
        match self.read_plan(offset, bytes_max) {
            ReadOutcome::Ready(plan) => {
                let bytes = self.fetch(&plan);
                let batches: Vec<_> = BatchIter::new(&bytes).collect();
                assert!(batches.iter().all(millrace_engine::BatchView::is_crc_right));
                assert_eq!(
                    batches.first().map(|batch| batch.header.base_offset),
                    Some(plan.base_offset)
                );
                Ok(batches.iter().map(|batch| batch.header.base_offset.0).collect())
            }
            ReadOutcome::Empty => Ok(Vec::new()),
            ReadOutcome::Failed(error) => Err(error),
            other @ (ReadOutcome::OutOfRange | ReadOutcome::Pending) => panic!("{other:?}"),
        }
    }

    /// Base offsets of all batches from `offset` to the high watermark, by reads of `bytes_max`.
    pub(crate) fn read_all(&mut self, offset: i64, bytes_max: u32) -> Vec<i64> {
        let mut all = Vec::new();
        let mut next = offset;
        while Offset(next) < self.log.high_watermark() {
            let plan = match self.read_plan(next, bytes_max) {
                ReadOutcome::Ready(plan) => plan,
                ReadOutcome::Empty => return all,
                other => panic!("reading {next}: {other:?}"),
            };
            let bytes = self.fetch(&plan);
            let before = next;
            for batch in BatchIter::new(&bytes) {
                assert!(batch.is_crc_right());
                all.push(batch.header.base_offset.0);
                next = batch.header.next_offset().0;
            }
            assert!(next > before, "a read brings at least one whole batch");
        }
        all
    }

    pub(crate) fn timestamp(&mut self, target: i64) -> Option<(i64, i64)> {
        self.ticket += 1;
        let now = self.world.now();
        let mut outcome = self.log.offset_for_timestamp(now, target, self.ticket, &mut self.ops);
        if outcome == TimestampOutcome::Pending {
            self.settle();
            let ticket = self.ticket;
            outcome = self
                .events
                .iter()
                .find_map(|event| match event {
                    LogEvent::TimestampReady { ticket: told, outcome } if *told == ticket => {
                        Some(*outcome)
                    }
                    _ => None,
                })
                .expect("the lookup has an outcome");
        }
        match outcome {
            TimestampOutcome::Found(found) => Some((found.offset.0, found.timestamp)),
            TimestampOutcome::None => None,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn max_timestamp(&mut self) -> Option<(i64, i64)> {
        self.ticket += 1;
        let now = self.world.now();
        let mut outcome = self.log.offset_of_max_timestamp(now, self.ticket, &mut self.ops);
        if outcome == TimestampOutcome::Pending {
            self.settle();
            outcome = match self.events.last() {
                Some(LogEvent::TimestampReady { outcome, .. }) => *outcome,
                other => panic!("{other:?}"),
            };
        }
        match outcome {
            TimestampOutcome::Found(found) => Some((found.offset.0, found.timestamp)),
            TimestampOutcome::None => None,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn retention(&mut self) {
        let now = self.world.now();
        self.log.enforce_retention(now, &mut self.ops);
        self.settle();
    }

    pub(crate) fn advance_log_start(
        &mut self,
        offset: i64,
    ) -> Result<Offset, millrace_engine::LogStartError> {
        let now = self.world.now();
        let result = self.log.advance_log_start(now, Offset(offset), &mut self.ops);
        self.settle();
        result
    }

    pub(crate) fn begin_compaction(&mut self, limits: CompactionLimits) -> bool {
        let now = self.world.now();
        let has_begun = self.log.begin_compaction(now, limits, &mut self.ops);
        self.log.verify();
        has_begun
    }

    pub(crate) fn advance_compaction(&mut self) {
        let now = self.world.now();
        self.log.advance_compaction(now, &mut self.ops);
        self.log.take_events(&mut self.events);
        self.log.verify();
    }

    pub(crate) fn delete(&mut self) {
        self.log.delete(0xabcd, &mut self.ops);
        self.settle();
    }

    /// Stops cleanly; the checkpoint is what the next life opens with.
    pub(crate) fn close(&mut self) -> PartitionCheckpoint {
        let now = self.world.now();
        self.log.close(now, &mut self.ops);
        self.settle();
        assert!(
            self.events.iter().any(|event| matches!(event, LogEvent::Closed)),
            "closed: {:?}",
            self.events
        );
        self.log.checkpoint()
    }

    /// Opens the log in a new process and waits until it is ready.
    pub(crate) fn reopen(&mut self, opening: Opening) -> RecoveryReport {
        self.open(opening);
        self.settle();
        self.report()
    }

    /// Opens the log in a new process.
    pub(crate) fn open(&mut self, opening: Opening) {
        self.ops.clear();
        self.events.clear();
        let now = self.world.now();
        self.log = Log::open(spec(&self.config), opening, now, &mut self.ops);
        self.log.take_events(&mut self.events);
    }

    pub(crate) fn op_count(&self) -> usize {
        self.ops.len()
    }

    pub(crate) fn kill(&mut self) {
        self.ops.clear();
        self.world.kill();
    }

    pub(crate) fn lose_power(&mut self) {
        self.ops.clear();
        self.world.lose_power();
    }

    /// Ends the turn and runs one more; false once nothing is under way.
    pub(crate) fn nudge(&mut self) -> bool {
        let now = self.world.now();
        self.log.end_turn(now, &mut self.ops);
        self.log.take_events(&mut self.events);
        if self.ops.is_empty() && self.world.in_flight() == 0 {
            return false;
        }
        self.step(None);
        true
    }

    /// Removes a file of the log, or with an empty name its folder.
    pub(crate) fn remove(&mut self, name: &str) {
        let path = if name.is_empty() { PathBuf::from(DIR) } else { Self::path(name) };
        self.do_aside(Op::Remove { token: Token { owner: RIG, seq: 0 }, path });
    }

    /// Puts a file into the folder, as somebody else would.
    pub(crate) fn write_whole(&mut self, name: &str, content: Vec<u8>) {
        let (token, path) = (Token { owner: RIG, seq: 0 }, Self::path(name));
        self.do_aside(Op::WriteWhole { token, path, content: Bytes::from(content) });
    }

    fn do_aside(&mut self, op: Op<()>) {
        self.ops.push(op);
        while !self.ops.is_empty() || self.world.in_flight() > 0 {
            let mut completions: Vec<Completion<()>> = Vec::new();
            self.world.turn(ShardId(0), &mut self.ops, None, &mut completions);
        }
    }

    pub(crate) fn path(name: &str) -> PathBuf {
        Path::new(DIR).join(name)
    }

    /// The content of a file of the log.
    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        self.world.disk().content(Self::path(name)).unwrap_or_default().to_vec()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.world.disk().list(DIR).unwrap_or_default();
        entries.into_iter().map(|entry| entry.name).collect()
    }

    pub(crate) fn has_event(&self, is_it: impl Fn(&LogEvent) -> bool) -> bool {
        self.events.iter().any(is_it)
    }
}

/// A batch as a producer sends it.
pub(crate) fn batch(records: usize, value_bytes: usize, timestamp: i64) -> ValidatedBatch {
    produced(records, value_bytes, timestamp, ProducerStamp::default())
}

pub(crate) fn produced(
    records: usize,
    value_bytes: usize,
    timestamp: i64,
    producer: ProducerStamp,
) -> ValidatedBatch {
    let mut builder = BatchBuilder::new(BatchSpec { producer, ..BatchSpec::default() });
    for index in 0..records {
        builder.append(timestamp + index as i64, None, Some(&vec![b'x'; value_bytes]), &[]);
    }
    valid(&builder.build().expect("no codec, no failure"), &ValidationRules::default())
}

pub(crate) fn valid(bytes: &Bytes, rules: &ValidationRules) -> ValidatedBatch {
    let rules = ValidationRules { message_bytes_max: 1 << 30, ..*rules };
    let origin = Origin::Client { produce_version: 9 };
    validate(bytes, origin, &rules, millrace_io::WallMs(1_767_225_600_000)).expect("a good batch")
}

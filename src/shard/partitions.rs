//! The partitions a shard owns: their logs, who waits on them, and what others ask of them.
//!
//! Not here: how a log works (`engine`), what a request is made of (`handlers`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use millrace_engine::{
    AppendError, AppendOutcome, LeaderEpoch, Log, LogEvent, LogStartError, Offset, Opening,
    ReadOutcome, ReadRequest, TimestampOutcome,
};
use millrace_io::{Completion, Mono, Now, ShardId};
use millrace_net::ErrorCode;
use millrace_replication::image::Topic;

use super::life::Known;
use super::{Due, LOG_OWNER_BASE, Shard, Turn};
use crate::coordinator::GroupAsk;
use crate::counters::Stage;
use crate::error_map;
use crate::mail::{
    Answer, AppendFailure, Appended, Ask, FoundOffset, Letter, LogSize, Mail, PartitionId,
    ProducerInfo, ReadAsk, ReadDone, WaiterRef, Watch,
};
use crate::slab::{Key, Slab};
use crate::ticket::Ticket;
use crate::waiters::WaiterList;

/// Partitions one shard can own.
const PARTITIONS_MAX: u32 = 1 << 20;
/// Logs of a shard that close at the same time. Each holds a handful of descriptors meanwhile.
const LOGS_CLOSING_MAX: usize = 64;

/// The shard that owns a partition. The same on every shard; partitions of a topic go round.
pub(crate) fn owner_of(partition: PartitionId, shards: u16) -> ShardId {
    // Topic ids are random: any of their bits spread topics evenly.
    let start = partition.topic.0 & 0xffff_ffff;
    let index = u128::from(partition.index.unsigned_abs());
    let shard = (start + index) % u128::from(shards.max(1));
    ShardId(u16::try_from(shard).unwrap_or(0))
}

/// A partition that this shard owns.
#[derive(Debug)]
pub(crate) struct Partition {
    pub id: PartitionId,
    pub topic: Arc<str>,
    /// The log dir it lies in, by index into the configured ones.
    pub log_dir: usize,
    pub log: Log,
    waiters: WaiterList,
    /// Reads that wait for the disk, with what they asked.
    reads: Vec<(Ticket, ReadAsk)>,
    /// It has something to do at the end of the turn.
    touched: bool,
    deadline: Option<Mono>,
    pub is_ready: bool,
    /// What the last process left of it, until the log is open.
    pub opening: Option<Box<Opening>>,
    /// The start waits for its log to open, or to fail at that.
    is_awaited: bool,
    /// The stop waits for its log to close, or to fail at that.
    is_closing: bool,
    /// The log takes nothing more until the next start.
    pub has_failed: bool,
    /// The log has no space to write to.
    is_full: bool,
    /// It goes away: asks find nothing.
    is_deleted: bool,
}

/// All partitions of a shard.
#[derive(Debug)]
pub(crate) struct Partitions {
    slab: Slab<Partition>,
    by_id: BTreeMap<PartitionId, Key>,
    touched: Vec<u32>,
    /// Logs that are still opening.
    pub opening: usize,
    /// Partitions of the start whose turn to open has not come.
    pub unopened: VecDeque<(Arc<Topic>, i32)>,
    /// What the last process left, until all are open.
    pub known: Option<Arc<Known>>,
    /// Folders that are not their partitions': log dir and name. A log that would be made there
    /// waits.
    pub occupied: BTreeSet<(usize, String)>,
    /// Logs that are still closing, while the shard stops.
    pub closing: usize,
    /// Logs whose turn to close has not come.
    pub unclosed: Vec<Key>,
    /// Something moved since the last checkpoint.
    pub is_changed: bool,
    /// Some log may have moved since shard 0 was told where they stand.
    pub has_moved: bool,
    /// Logs that have no space to write to.
    full: u64,
    events: Vec<LogEvent>,
}

impl Partitions {
    pub(super) const fn new() -> Self {
        Self {
            slab: Slab::new(PARTITIONS_MAX),
            by_id: BTreeMap::new(),
            touched: Vec::new(),
            opening: 0,
            unopened: VecDeque::new(),
            known: None,
            occupied: BTreeSet::new(),
            closing: 0,
            unclosed: Vec::new(),
            is_changed: true,
            has_moved: true,
            full: 0,
            events: Vec::new(),
        }
    }

    /// Partitions owned, without those that are being deleted.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The partitions owned, in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Partition> {
        self.by_id.values().filter_map(|key| self.slab.get(*key))
    }

    /// The partitions owned with their slots, in the order of their ids.
    pub(super) fn iter_slots(&self) -> impl Iterator<Item = (u32, &Partition)> {
        self.by_id.values().filter_map(|key| Some((key.slot, self.slab.get(*key)?)))
    }

    /// Closes the files of all logs that are only kept open in case.
    pub(super) fn shed_files(&mut self, now: Now) {
        let slots: Vec<u32> = self.by_id.values().map(|key| key.slot).collect();
        for slot in slots {
            if let Some(partition) = self.slab.at_mut(slot) {
                partition.log.shed_files(now);
                self.touch(slot);
            }
        }
    }

    /// A partition by its slot.
    pub(super) fn at_mut(&mut self, slot: u32) -> Option<&mut Partition> {
        self.slab.at_mut(slot)
    }

    /// A partition by its id.
    pub(super) fn get_mut(&mut self, id: PartitionId) -> Option<&mut Partition> {
        let key = *self.by_id.get(&id)?;
        self.slab.get_mut(key)
    }

    /// A partition by its id.
    pub(crate) fn get(&self, id: PartitionId) -> Option<&Partition> {
        self.by_id.get(&id).and_then(|key| self.slab.get(*key))
    }

    /// True if the shard owns it.
    pub(crate) fn contains(&self, id: PartitionId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// A partition's name, for the log of the process.
    pub(super) fn name(&self, slot: u32) -> String {
        let partition = self.slab.at(slot);
        partition.map_or_else(String::new, |it| format!("{}-{}", it.topic, it.id.index))
    }

    /// Puts a partition on the list of those whose turn is to be ended.
    pub(super) fn touch(&mut self, slot: u32) {
        if let Some(partition) = self.slab.at_mut(slot)
            && !partition.touched
        {
            partition.touched = true;
            self.touched.push(slot);
        }
    }
}

impl Shard {
    /// Takes a partition in. `make` gets the token owner and makes its log.
    pub(super) fn add_partition(
        &mut self,
        turn: &mut Turn,
        id: PartitionId,
        topic: Arc<str>,
        log_dir: usize,
        opening: Option<Opening>,
        make: impl FnOnce(u32, &mut Turn) -> Log,
    ) {
        // The slot names the log's tokens, so it is taken before the log exists.
        let owner = LOG_OWNER_BASE + self.partitions.slab.next_slot();
        let log = make(owner, turn);
        let partition = Partition {
            id,
            topic,
            log_dir,
            log,
            waiters: WaiterList::default(),
            reads: Vec::new(),
            touched: false,
            deadline: None,
            is_ready: false,
            opening: opening.map(Box::new),
            is_awaited: true,
            is_closing: false,
            has_failed: false,
            is_full: false,
            is_deleted: false,
        };
        let key = self.partitions.slab.insert(partition);
        assert_eq!(LOG_OWNER_BASE + key.slot, owner, "a slot was taken in between");
        self.partitions.by_id.insert(id, key);
        self.partitions.opening += 1;
        self.partitions.has_moved = true;
        self.partitions.touch(key.slot);
        self.counters.partitions.set(self.partitions.len() as u64);
    }

    /// Lets a partition go: asks find nothing any more, its files go in the background.
    pub(super) fn delete_partition(&mut self, turn: &mut Turn, id: PartitionId) {
        let Some(key) = self.partitions.by_id.remove(&id) else { return };
        let Some(partition) = self.partitions.slab.get_mut(key) else { return };
        partition.is_deleted = true;
        let unique = self.random.uuid().0;
        partition.log.delete(unique, turn.ops);
        self.wake_waiters(key.slot);
        self.partitions.has_moved = true;
        self.partitions.touch(key.slot);
        self.forget_compaction(id);
        self.counters.partitions.set(self.partitions.len() as u64);
    }

    /// Changes a partition's log configuration.
    pub(super) fn reconfigure_partition(
        &mut self,
        id: PartitionId,
        config: &Arc<millrace_engine::LogConfig>,
    ) {
        if let Some(key) = self.partitions.by_id.get(&id).copied()
            && let Some(partition) = self.partitions.slab.get_mut(key)
        {
            partition.log.update_config(Arc::clone(config));
            self.partitions.touch(key.slot);
        }
    }

    /// Does work for a partition of this shard.
    pub(super) fn ask_here(&mut self, turn: &mut Turn, id: PartitionId, ticket: Ticket, ask: Ask) {
        let Some(key) = self.partitions.by_id.get(&id).copied() else {
            // The asker's image is ahead of ours, or behind it: the partition is being made, or
            // has just gone. Source: Kafka's ReplicaManager.getPartitionOrError.
            self.answer(ticket, refuse(&ask, ErrorCode::UnknownTopicOrPartition));
            return;
        };
        self.partitions.touch(key.slot);
        let Some(partition) = self.partitions.slab.get_mut(key) else { return };
        if partition.has_failed && !is_group_listing(&ask) {
            // Where such a log starts and ends is not known. Source: Kafka's
            // ReplicaManager.getPartitionOrError of an offline partition. Its coordinator does not know
            // what the next process will find of what failed: it may not tell members what they have.
            self.answer(ticket, refuse(&ask, ErrorCode::KafkaStorageError));
            return;
        }
        let answer = match ask {
            Ask::Append { batch } => match partition.log.append(turn.now, &batch, ticket.pack()) {
                Ok(AppendOutcome::Queued { .. }) => None,
                Ok(AppendOutcome::Duplicate { base_offset, log_append_time_ms }) => {
                    Some(Answer::Appended(Ok(Appended {
                        base_offset: base_offset.0,
                        log_append_time_ms,
                        log_start_offset: partition.log.log_start_offset().0,
                    })))
                }
                Err(error) => Some(Answer::Appended(Err(append_failure(partition, error)))),
            },
            Ask::Read(read) => return self.read_here(turn, key, ticket, read),
            Ask::Group(ask) => return self.group_ask_here(turn, id, ticket, *ask),
            Ask::Offset { timestamp, read_committed, current_leader_epoch } => {
                partition.check_epoch(current_leader_epoch).map_or_else(
                    |error| Some(Answer::Offset(Err(error))),
                    |()| partition.find_offset(turn, timestamp, read_committed, ticket),
                )
            }
            Ask::EpochEnd { current_leader_epoch, leader_epoch } => {
                let found = partition
                    .check_epoch(current_leader_epoch)
                    .map(|()| partition.epoch_end(leader_epoch));
                Some(Answer::EpochEnd(found))
            }
            Ask::DeleteRecords { offset } => {
                Some(Answer::DeletedRecords(partition.delete_records(turn, offset)))
            }
            Ask::Producers => Some(Answer::Producers(Ok(partition.producers()))),
            Ask::Size => {
                let log_dir = self.setup.log_dirs[partition.log_dir].name.clone();
                Some(Answer::Size(Ok(LogSize { bytes: partition.log.size_bytes(), log_dir })))
            }
        };
        if let Some(answer) = answer {
            self.answer(ticket, answer);
        }
    }

    fn read_here(&mut self, turn: &mut Turn, key: Key, ticket: Ticket, ask: ReadAsk) {
        let Some(partition) = self.partitions.slab.get_mut(key) else { return };
        if let Err(error) = partition.check_epoch(ask.current_leader_epoch) {
            self.answer(ticket, Answer::Read(Err(error)));
            return;
        }
        let parted = match partition.diverging(&ask) {
            Ok(None) => None,
            Ok(parted) => Some(Ok(partition.read_done(None, None, parted))),
            Err(error) => Some(Err(error)),
        };
        if let Some(answer) = parted {
            self.answer(ticket, Answer::Read(answer));
            return;
        }
        let request = partition.request(&ask, ticket.pack());
        let outcome = partition.log.read(turn.now, request, turn.ops);
        if matches!(outcome, ReadOutcome::Pending) {
            partition.reads.push((ticket, ask));
        } else {
            self.answer_read(key.slot, ticket, ask, outcome);
        }
    }

    /// Reads from a partition of this shard, if that takes no file operation: no waiter is set up,
    /// and nothing follows. `None` where it does, or where the partition is not this shard's.
    pub(crate) fn read_recent_here(
        &mut self,
        turn: &Turn,
        id: PartitionId,
        ask: ReadAsk,
    ) -> Option<Result<ReadDone, ErrorCode>> {
        let key = self.partitions.by_id.get(&id).copied()?;
        let partition = self.partitions.slab.get_mut(key)?;
        let parted = partition.check_epoch(ask.current_leader_epoch);
        match parted.and_then(|()| partition.diverging(&ask)) {
            Ok(None) => {}
            Ok(parted) => return Some(Ok(partition.read_done(None, None, parted))),
            Err(error) => return Some(Err(error)),
        }
        let plan = match partition.log.read_recent(turn.now, partition.request(&ask, 0))? {
            ReadOutcome::Ready(plan) => Some(plan),
            ReadOutcome::Empty => None,
            ReadOutcome::OutOfRange => return Some(Err(ErrorCode::OffsetOutOfRange)),
            ReadOutcome::Failed(_) | ReadOutcome::Pending => return None,
        };
        Some(Ok(partition.read_done(plan, None, None)))
    }

    fn answer_read(&mut self, slot: u32, ticket: Ticket, ask: ReadAsk, outcome: ReadOutcome) {
        let Some(partition) = self.partitions.slab.at_mut(slot) else { return };
        let plan = match outcome {
            ReadOutcome::Ready(plan) => Some(plan),
            ReadOutcome::Empty => None,
            ReadOutcome::OutOfRange => {
                let answer = Answer::Read(Err(ErrorCode::OffsetOutOfRange));
                return self.answer(ticket, answer);
            }
            ReadOutcome::Failed(_) | ReadOutcome::Pending => {
                let answer = Answer::Read(Err(ErrorCode::KafkaStorageError));
                return self.answer(ticket, answer);
            }
        };
        let wants_waiter = match ask.watch {
            Watch::No => false,
            Watch::IfEmpty => plan.is_none(),
            Watch::Always => true,
        };
        let waiter = if wants_waiter && !partition.is_deleted {
            let key = self.waiters.add(&mut partition.waiters, slot, ticket);
            key.map(|key| WaiterRef { shard: self.id, key })
        } else {
            None
        };
        let done = partition.read_done(plan, waiter, None);
        self.answer(ticket, Answer::Read(Ok(done)));
    }

    /// Takes a waiter off its partition's list.
    pub(super) fn unwatch_here(&mut self, waiter: Key) {
        if let Some(slot) = self.waiters.partition_of(waiter)
            && let Some(partition) = self.partitions.slab.at_mut(slot)
        {
            self.waiters.remove(&mut partition.waiters, waiter);
        }
    }

    fn wake_waiters(&mut self, slot: u32) {
        let Some(partition) = self.partitions.slab.at_mut(slot) else { return };
        if partition.waiters.is_empty() {
            return;
        }
        let mut woken = Vec::new();
        self.waiters.drain(&mut partition.waiters, |ticket| woken.push(ticket));
        self.counters.waiters_woken.add(woken.len() as u64);
        for ticket in woken {
            self.send(ticket.origin, Letter::Wake(ticket));
        }
    }

    pub(super) fn on_log_completion(
        &mut self,
        turn: &mut Turn,
        slot: u32,
        completion: Completion<Mail>,
    ) {
        let mut events = std::mem::take(&mut self.partitions.events);
        if let Some(partition) = self.partitions.slab.at_mut(slot) {
            partition.log.on_completion(turn.now, completion, turn.ops, &mut events);
            if let Some(ns) = partition.log.take_sync_ns() {
                self.counters.stage(Stage::Sync).observe(ns);
            }
        }
        self.partitions.has_moved = true;
        self.partitions.touch(slot);
        self.on_log_events(slot, &mut events);
        self.partitions.events = events;
    }

    pub(super) fn on_log_due(&mut self, turn: &mut Turn, slot: u32) {
        if let Some(partition) = self.partitions.slab.at_mut(slot) {
            partition.deadline = None;
            partition.log.on_timer(turn.now, turn.ops);
            self.partitions.touch(slot);
        }
    }

    /// Ends the turn of each log that was touched: its queued batches go down in one write.
    pub(super) fn end_log_turns(&mut self, turn: &mut Turn) {
        let mut events = std::mem::take(&mut self.partitions.events);
        while let Some(slot) = self.partitions.touched.pop() {
            let Some(partition) = self.partitions.slab.at_mut(slot) else { continue };
            partition.touched = false;
            partition.log.end_turn(turn.now, turn.ops);
            partition.log.take_events(&mut events);
            let deadline = partition.log.next_deadline();
            if deadline != partition.deadline {
                if let Some(old) = std::mem::replace(&mut partition.deadline, deadline) {
                    self.deadlines.remove(old, Due::Log(slot));
                }
                if let Some(new) = deadline {
                    self.deadlines.add(new, Due::Log(slot));
                }
            }
            self.on_log_events(slot, &mut events);
        }
        self.partitions.events = events;
    }

    fn on_log_events(&mut self, slot: u32, events: &mut Vec<LogEvent>) {
        for event in events.drain(..) {
            self.on_log_event(slot, event);
        }
    }

    fn on_log_event(&mut self, slot: u32, event: LogEvent) {
        let Some(partition) = self.partitions.slab.at_mut(slot) else { return };
        match event {
            LogEvent::Ready(report) => {
                partition.is_ready = true;
                partition.opening = None;
                let committed = partition.log.committed_offset();
                partition.log.set_high_watermark(committed);
                let id = partition.id;
                self.end_opening(slot);
                self.note_recovery(slot, &report);
                self.maybe_load_groups(id);
            }
            LogEvent::Appended { ticket, base_offset, log_append_time_ms, log_start_offset } => {
                let appended = Appended {
                    base_offset: base_offset.0,
                    log_append_time_ms,
                    log_start_offset: log_start_offset.0,
                };
                self.answer(Ticket::unpack(ticket), Answer::Appended(Ok(appended)));
            }
            LogEvent::AppendFailed { ticket, error } => {
                let failure = append_failure(partition, error);
                self.answer(Ticket::unpack(ticket), Answer::Appended(Err(failure)));
            }
            LogEvent::ReadReady { ticket, outcome } => {
                let ticket = Ticket::unpack(ticket);
                let found = partition.reads.iter().position(|(read, _)| *read == ticket);
                if let Some(index) = found {
                    let (ticket, ask) = partition.reads.swap_remove(index);
                    self.answer_read(slot, ticket, ask, outcome);
                }
            }
            LogEvent::TimestampReady { ticket, outcome } => {
                let answer = Answer::Offset(partition.found_offset(outcome));
                self.answer(Ticket::unpack(ticket), answer);
            }
            LogEvent::CommittedAdvanced => {
                self.partitions.is_changed = true;
                let committed = partition.log.committed_offset();
                partition.log.set_high_watermark(committed);
                self.wake_waiters(slot);
            }
            LogEvent::LogStartAdvanced => {
                self.partitions.is_changed = true;
                self.partitions.has_moved = true;
                self.wake_waiters(slot);
            }
            LogEvent::Compaction(event) => self.compactions.on_event(slot, event),
            LogEvent::SpaceGone => self.note_space(slot, true),
            LogEvent::Exhausted { what, error } => self.on_log_exhausted(slot, what, error),
            LogEvent::SpaceBack => self.note_space(slot, false),
            LogEvent::Corrupt { segment, position, reason } => {
                self.note_corruption(slot, segment, position, reason);
            }
            LogEvent::Fatal { reason } => {
                partition.has_failed = true;
                self.end_opening(slot);
                self.end_closing(slot);
                self.note_space(slot, false);
                self.note_fatal(slot, &reason);
                self.wake_waiters(slot);
            }
            LogEvent::Closed => self.end_closing(slot),
            LogEvent::Deleted => self.drop_partition(slot),
        }
    }

    /// A log is open or cannot be opened: nobody waits for it any more. One that failed must not
    /// keep the others from being served.
    fn end_opening(&mut self, slot: u32) {
        if let Some(partition) = self.partitions.slab.at_mut(slot)
            && std::mem::take(&mut partition.is_awaited)
        {
            self.partitions.opening -= 1;
        }
    }

    /// A log is closed, or will never be: the stop goes on.
    fn end_closing(&mut self, slot: u32) {
        if let Some(partition) = self.partitions.slab.at_mut(slot)
            && std::mem::take(&mut partition.is_closing)
        {
            self.partitions.closing -= 1;
        }
    }

    /// Counts the logs without space: one that has some again says nothing of the others.
    fn note_space(&mut self, slot: u32, is_full: bool) {
        let Some(partition) = self.partitions.slab.at_mut(slot) else { return };
        if std::mem::replace(&mut partition.is_full, is_full) != is_full {
            let full = &mut self.partitions.full;
            *full = if is_full { *full + 1 } else { *full - 1 };
            self.counters.disk_full.set(*full);
        }
    }

    fn drop_partition(&mut self, slot: u32) {
        self.note_space(slot, false);
        if let Some(key) = self.partitions.slab.key_at(slot)
            && let Some(partition) = self.partitions.slab.remove(key)
            && let Some(deadline) = partition.deadline
        {
            self.deadlines.remove(deadline, Due::Log(slot));
        }
    }

    /// Runs a retention pass over all owned partitions.
    pub(super) fn enforce_retention(&mut self, turn: &mut Turn) {
        let keys: Vec<Key> = self.partitions.by_id.values().copied().collect();
        for key in keys {
            if let Some(partition) = self.partitions.slab.get_mut(key) {
                partition.log.enforce_retention(turn.now, turn.ops);
                partition.log.expire_producers(turn.now);
                self.partitions.touch(key.slot);
            }
        }
        let next = turn.now.mono.plus_ms(self.setup.retention_check_ms);
        self.deadlines.add(next, Due::Retention);
    }

    /// Closes all logs, so many at once.
    pub(super) fn close_logs(&mut self, turn: &mut Turn) {
        self.partitions.unclosed = self.partitions.by_id.values().rev().copied().collect();
        self.close_more(turn);
    }

    /// Closes the next logs of a stop. True if there were any.
    pub(super) fn close_more(&mut self, turn: &mut Turn) -> bool {
        let before = self.partitions.unclosed.len();
        while self.partitions.closing < LOGS_CLOSING_MAX
            && let Some(key) = self.partitions.unclosed.pop()
        {
            let Some(partition) = self.partitions.slab.get_mut(key) else { continue };
            if partition.has_failed {
                continue;
            }
            partition.log.close(turn.now, turn.ops);
            partition.is_closing = true;
            self.partitions.closing += 1;
            self.partitions.touch(key.slot);
        }
        before > self.partitions.unclosed.len()
    }
}

impl Partition {
    /// Refuses a client that believes in another leader epoch. Source: KIP-320.
    fn check_epoch(&self, current: i32) -> Result<(), ErrorCode> {
        let ours = self.log.spec().leader_epoch.0;
        match current {
            -1 => Ok(()),
            epoch if epoch < ours => Err(ErrorCode::FencedLeaderEpoch),
            epoch if epoch > ours => Err(ErrorCode::UnknownLeaderEpoch),
            _ => Ok(()),
        }
    }

    /// Where a read must stop.
    fn limit(&self, read_committed: bool) -> Offset {
        if read_committed { self.log.last_stable_offset() } else { self.log.high_watermark() }
    }

    /// What its log is asked for a fetch.
    fn request(&self, ask: &ReadAsk, ticket: u64) -> ReadRequest {
        ReadRequest {
            offset: Offset(ask.offset),
            limit: self.limit(ask.read_committed),
            bytes_max: ask.bytes_max,
            at_least_one_batch: true,
            ticket,
        }
    }

    /// Where the log that the client has read parted from this one before its offset; `None` if it
    /// did not. An epoch that this log has not come to has no offsets. Source: KIP-595.
    fn diverging(&self, ask: &ReadAsk) -> Result<Option<(i32, i64)>, ErrorCode> {
        if ask.last_fetched_epoch < 0 {
            return Ok(None);
        }
        let (epoch, end) = self.epoch_end(ask.last_fetched_epoch);
        let parted = epoch < ask.last_fetched_epoch || end < ask.offset;
        if epoch < 0 {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        Ok(parted.then_some((epoch, end)))
    }

    fn epoch_end(&self, epoch: i32) -> (i32, i64) {
        let end = self.log.epoch_end(LeaderEpoch(epoch));
        // The leader's own epoch is there from its election on, before it has a record.
        let is_own = epoch == self.log.spec().leader_epoch.0;
        let without = if is_own { (epoch, self.log.committed_offset().0) } else { (-1, -1) };
        end.map_or(without, |end| (end.epoch.0, end.end_offset.0))
    }

    fn read_done(
        &self,
        plan: Option<millrace_engine::ReadPlan>,
        waiter: Option<WaiterRef>,
        diverging: Option<(i32, i64)>,
    ) -> ReadDone {
        ReadDone {
            plan,
            high_watermark: self.log.high_watermark().0,
            last_stable_offset: self.log.last_stable_offset().0,
            log_start_offset: self.log.log_start_offset().0,
            waiter,
            diverging,
        }
    }

    /// Answers ListOffsets; `None` when the log has to look.
    fn find_offset(
        &mut self,
        turn: &mut Turn,
        timestamp: i64,
        read_committed: bool,
        ticket: Ticket,
    ) -> Option<Answer> {
        let epoch = self.log.spec().leader_epoch.0;
        let at = |offset: Offset| {
            Answer::Offset(Ok(FoundOffset { offset: offset.0, timestamp: -1, leader_epoch: epoch }))
        };
        match timestamp {
            LATEST => Some(at(self.limit(read_committed))),
            EARLIEST | EARLIEST_LOCAL => Some(at(self.log.log_start_offset())),
            // Nothing is tiered here.
            LAST_TIERED | PENDING_UPLOAD => Some(Answer::Offset(Ok(NOTHING_FOUND))),
            MAX_TIMESTAMP => {
                let outcome = self.log.offset_of_max_timestamp(turn.now, ticket.pack(), turn.ops);
                self.timestamp_answer(outcome)
            }
            timestamp if timestamp < 0 => Some(Answer::Offset(Err(ErrorCode::UnsupportedVersion))),
            timestamp => {
                let ticket = ticket.pack();
                let outcome = self.log.offset_for_timestamp(turn.now, timestamp, ticket, turn.ops);
                self.timestamp_answer(outcome)
            }
        }
    }

    fn timestamp_answer(&self, outcome: TimestampOutcome) -> Option<Answer> {
        let is_pending = matches!(outcome, TimestampOutcome::Pending);
        (!is_pending).then(|| Answer::Offset(self.found_offset(outcome)))
    }

    fn found_offset(&self, outcome: TimestampOutcome) -> Result<FoundOffset, ErrorCode> {
        match outcome {
            TimestampOutcome::Found(found) if found.offset < self.log.high_watermark() => {
                Ok(FoundOffset {
                    offset: found.offset.0,
                    timestamp: found.timestamp,
                    leader_epoch: found.leader_epoch.0,
                })
            }
            TimestampOutcome::Found(_) | TimestampOutcome::None => Ok(NOTHING_FOUND),
            TimestampOutcome::Failed(_) | TimestampOutcome::Pending => {
                Err(ErrorCode::KafkaStorageError)
            }
        }
    }

    fn delete_records(&mut self, turn: &mut Turn, offset: i64) -> Result<i64, ErrorCode> {
        let high_watermark = self.log.high_watermark();
        let target = if offset == -1 { high_watermark } else { Offset(offset) };
        if target.0 < 0 || target > high_watermark {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        match self.log.advance_log_start(turn.now, target, turn.ops) {
            Ok(offset) => Ok(offset.0),
            Err(LogStartError::OutOfRange) => Err(ErrorCode::OffsetOutOfRange),
            Err(LogStartError::NotReady) => Err(ErrorCode::KafkaStorageError),
        }
    }

    fn producers(&self) -> Vec<ProducerInfo> {
        self.log
            .producers()
            .iter()
            .map(|(id, producer)| ProducerInfo {
                producer_id: id.0,
                producer_epoch: producer.epoch.into(),
                last_sequence: producer.last_sequence(),
                last_timestamp: producer.last_timestamp,
                coordinator_epoch: producer.coordinator_epoch,
                current_txn_start_offset: producer.txn_first_offset.map_or(-1, |offset| offset.0),
            })
            .collect()
    }
}

/// ListOffsets' special timestamps. Source: KIP-79, KIP-405, KIP-734, KIP-1005.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LAST_TIERED: i64 = -5;
const PENDING_UPLOAD: i64 = -6;

const NOTHING_FOUND: FoundOffset = FoundOffset { offset: -1, timestamp: -1, leader_epoch: -1 };

fn append_failure(partition: &Partition, error: AppendError) -> AppendFailure {
    // Kafka tells where the log starts when its producer state refused the batch, and only then.
    let judged = matches!(error, AppendError::Producer(_));
    let log_start_offset = if judged { partition.log.log_start_offset().0 } else { -1 };
    let (error, message) = error_map::append_error(&error);
    AppendFailure { error, message, records: Vec::new(), log_start_offset }
}

/// Whether all is asked that is known of groups, which is not refused for one partition's sake.
fn is_group_listing(ask: &Ask) -> bool {
    matches!(ask, Ask::Group(ask) if matches!(**ask, GroupAsk::List { .. }))
}

/// The answer to an ask that cannot be done at all.
pub(crate) fn refuse(ask: &Ask, error: ErrorCode) -> Answer {
    match ask {
        Ask::Append { .. } => Answer::Appended(Err(AppendFailure {
            error,
            message: None,
            records: Vec::new(),
            log_start_offset: -1,
        })),
        Ask::Read(_) => Answer::Read(Err(error)),
        Ask::Offset { .. } => Answer::Offset(Err(error)),
        Ask::EpochEnd { .. } => Answer::EpochEnd(Err(error)),
        Ask::DeleteRecords { .. } => Answer::DeletedRecords(Err(error)),
        Ask::Producers => Answer::Producers(Err(error)),
        Ask::Size => Answer::Size(Err(error)),
        // A client that hears this looks for the coordinator again.
        Ask::Group(ask) => Answer::Group(Box::new(ask.refuse(ErrorCode::NotCoordinator))),
    }
}

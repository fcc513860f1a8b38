//! Appending: batches get their offsets at once, gather, and go down in one vectored write.
//!
//! ```text
//!  append ─▶ queue ─▶ one Write in flight ─▶ written ─▶ (sync pass) ─▶ durable
//!     │       │ the next group gathers          │                        │
//!     └ ack ──┴─────────────────────────────────┴──── told when committed ┘
//! ```
//!
//! - One write per partition at a time: what the file holds is always a prefix of what was
//!   assigned, and a failure leaves nothing behind it that could be acknowledged.
//! - Frames are never changed: each batch is its stamped front out of one small arena per group,
//!   then the rest of the frame's slice. The work does not depend on the number of records.
//! - A full disk, or too many open files: everything assigned and not written fails, offsets go back to the written end,
//!   the file is cut there, and a probe finds out when space is back. Anything else is fatal.
//! - A failed sync is fatal and never retried: the kernel may have dropped the pages.

use std::collections::VecDeque;

use bytes::Bytes;
use millrace_io::{FileRef, IoError, Mono, Now, Op, OpenMode, WallMs};

use crate::Offset;
use crate::batch::{BatchHeader, StampedHeader};
use crate::config::{Durability, LogConfig};
use crate::leader_epoch::EpochChange;
use crate::log::{AppendError, Log, LogEvent, Outcome, Pending, Phase, is_exhausted, may_pass};
use crate::producer_state::{Admission, BatchMetadata, ProducerEntry};
use crate::roll::NextSegment;
use crate::segment::{LazyFile, SYNC_PENDING_FILE, Segment};
use crate::validate::ValidatedBatch;

/// Batches that may wait for their write; behind it appends are refused.
pub const QUEUE_BATCHES_MAX: usize = 16_384;
/// Batches in one vectored write: two pieces each, and the kernel takes 1024 pieces (IOV_MAX).
pub const GROUP_BATCHES_MAX: usize = 512;
/// Bytes after which one vectored write takes no further batch.
pub const GROUP_BYTES_MAX: u64 = 16 << 20;
/// How long after a failure the disk is tried again, ms.
pub const SPACE_RETRY_MS: u64 = 1_000;
/// Bytes that must be free before appends are taken again; a batch of the default limit and more.
pub const SPACE_PROBE_BYTES: u64 = 4 << 20;
/// Under the page-cache contract: unsynced bytes that start a sync by themselves, so that a
/// recovery has a bounded tail to read.
pub const BACKGROUND_SYNC_BYTES: u64 = 256 << 20;
/// Under the page-cache contract: the longest that written bytes stay unsynced, ms.
pub const BACKGROUND_SYNC_MS: u64 = 60_000;

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// It has its offsets; `Appended` or `AppendFailed` follows with the ticket.
    Queued {
        /// Offset of its first record.
        base_offset: Offset,
        /// Offset of its last record.
        last_offset: Offset,
    },
    /// The producer sent it before and it is committed: no event follows.
    Duplicate {
        /// Offset of its first record, then.
        base_offset: Offset,
        /// The time stamped then, ms; -1 with CreateTime.
        log_append_time_ms: i64,
    },
}

/// A batch with its offsets that no write has taken.
#[derive(Debug)]
struct Queued {
    stamped: StampedHeader,
    bytes: Bytes,
    /// The batch starts a new segment.
    rolls: bool,
    /// What was known of its producer before it, to go back to if the write fails.
    before: Option<ProducerEntry>,
}

/// Somebody to be told once `end` is committed.
#[derive(Debug)]
struct Ack {
    ticket: u64,
    base_offset: Offset,
    /// Offset behind the batch.
    end: Offset,
    log_append_time_ms: i64,
}

/// The active segment as it will be once all that is queued is written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tip {
    pub(crate) base: Offset,
    pub(crate) bytes: u64,
    pub(crate) first_timestamp: Option<i64>,
    pub(crate) made_ms: i64,
}

/// Whether the disk takes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    Healthy,
    /// The file is being cut back to the written end and the next segment's file removed.
    Cutting {
        retry_at: Mono,
    },
    /// Waiting to probe.
    Full {
        retry_at: Mono,
    },
    /// Asking for blocks.
    Probing {
        retry_at: Mono,
    },
}

/// The appending half of a log.
#[derive(Debug)]
pub(crate) struct Appender {
    pub(crate) contract: Durability,
    queue: VecDeque<Queued>,
    /// Headers of the batches in the write that is under way; empty if none is.
    in_flight: Vec<(BatchHeader, Option<ProducerEntry>)>,
    /// Ascending by `end`.
    acks: VecDeque<Ack>,
    pub(crate) tip: Tip,
    pub(crate) next: Option<NextSegment>,
    pub(crate) storage: Storage,
    /// The folder is not there, or not this log's yet.
    pub(crate) is_folder_missing: bool,
    /// Since when it has been there without a word of whose it is.
    pub(crate) folder_nobodys_since: Option<Mono>,
    /// Time stamped last; LogAppendTime never goes back, whatever the clock does.
    last_append_ms: i64,
    /// Reused vector of the write's pieces.
    pieces: Vec<Bytes>,
    /// Where early writeback has got to in the active segment, bytes.
    pub(crate) writeback_from: u64,
}

impl Appender {
    pub(crate) fn new(config: &LogConfig) -> Self {
        Self {
            contract: config.contract(),
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            acks: VecDeque::new(),
            tip: Tip::default(),
            next: None,
            storage: Storage::Healthy,
            is_folder_missing: false,
            folder_nobodys_since: None,
            last_append_ms: -1,
            pieces: Vec::new(),
            writeback_from: 0,
        }
    }

    pub(crate) fn on_config(&mut self, config: &LogConfig) {
        self.contract = config.contract();
    }

    /// Forgets what was queued: the tip is what is written.
    pub(crate) fn reset_tip(&mut self, segments: &[Segment]) {
        let active = segments.last().expect("a running log has an active segment");
        self.tip = Tip {
            base: active.base_offset,
            bytes: active.bytes,
            first_timestamp: active.first_timestamp,
            made_ms: active.touched_ms,
        };
    }

    /// Nothing is queued and nothing in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.in_flight.is_empty()
    }

    pub(crate) fn queued_count(&self) -> usize {
        self.queue.len()
    }

    /// The base offset of the segment that a queued batch will start, if one will.
    pub(crate) fn next_base(&self) -> Option<Offset> {
        let first = self.queue.iter().find(|queued| queued.rolls)?;
        Some(first.stamped.header.base_offset)
    }

    /// The next segment is the active one now.
    pub(crate) const fn on_switched(&mut self) {
        self.writeback_from = 0;
    }

    pub(crate) const fn has_next_file(&self) -> bool {
        matches!(self.next, Some(NextSegment { file: LazyFile::Open(_), .. }))
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.queue.capacity() * size_of::<Queued>()
            + self.in_flight.capacity() * size_of::<(BatchHeader, Option<ProducerEntry>)>()
            + self.acks.capacity() * size_of::<Ack>()
            + self.pieces.capacity() * size_of::<Bytes>()
    }

    /// Gives back what only a busy partition needs.
    pub(crate) fn shrink(&mut self) {
        if self.is_idle() {
            self.queue = VecDeque::new();
            self.in_flight = Vec::new();
            self.pieces = Vec::new();
        }
        if self.acks.is_empty() {
            self.acks = VecDeque::new();
        }
    }
}

/// A round of syncs: of every file that holds unsynced bytes, and of the folder if it changed.
#[derive(Debug, Default)]
pub(crate) struct SyncPass {
    /// The written end when the round began; durable once it has ended.
    target: Offset,
    /// Syncs under way; 0: no round.
    outstanding: u32,
    /// When the oldest unsynced byte was written.
    pub(crate) dirty_since: Option<Mono>,
    /// Entries of the folder changed since it was synced.
    pub(crate) is_folder_dirty: bool,
    /// A file for the round could not be opened for want of descriptors: not before this.
    pub(crate) retry_at: Option<Mono>,
    /// When the round under way began.
    began: Mono,
    /// How long the last round took, ns, until somebody asks.
    took: Option<u64>,
    /// A round was asked for whatever the contract says (roll, close).
    pub(crate) is_wanted: bool,
    /// Whether the folder says that a sync is under way.
    pub(crate) mark: Mark,
    /// Syncs outside of rounds that wait for that, or for the round to end; and cuts, for that.
    deferred: Vec<(Pending, FileRef)>,
}

/// The file that says that a sync was begun and is not known to have worked. A process may be killed
/// before it hears that a sync failed; the next one would take the page cache for what it is not, and
/// a sync that then succeeds, and proves nothing, for the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It is not there.
    #[default]
    Absent,
    /// It is being made.
    Making,
    /// It is there.
    Made,
    /// There is no room for it, and the log closes: the round goes on without.
    Skipped,
    /// It is being removed.
    Removing,
}

impl SyncPass {
    pub(crate) const fn is_running(&self) -> bool {
        self.outstanding > 0
    }

    pub(crate) const fn take_took(&mut self) -> Option<u64> {
        self.took.take()
    }

    /// A completion was taken; `was_running` tells whether a round was under way before.
    pub(crate) const fn note_end(&mut self, was_running: bool, now: Mono) {
        if was_running && !self.is_running() {
            self.took = Some(now.since(self.began));
        }
    }
}

impl Log {
    /// Assigns offsets to a batch and queues it; [`Self::end_turn`] writes.
    ///
    /// - `batch`: validated; its CRC was checked.
    /// - `ticket`: names the append in the event that follows [`AppendOutcome::Queued`].
    pub fn append(
        &mut self,
        now: Now,
        batch: &ValidatedBatch,
        ticket: u64,
    ) -> Result<AppendOutcome, AppendError> {
        self.admit(batch).inspect_err(|_| self.producers.note_refused(&batch.header))?;
        self.last_activity = now.mono;
        self.is_touched = true;
        if let Admission::Duplicate(original) =
            self.producers.check(&batch.header).map_err(AppendError::Producer)?
        {
            return Ok(self.answer_duplicate(original, ticket));
        }
        let base_offset = self.log_end;
        let time = WallMs(self.appender.last_append_ms.max(now.wall.0));
        let stamped = batch.stamp(base_offset, self.spec.leader_epoch, time);
        let log_append_time_ms = batch.log_append_time(time).0;
        self.appender.last_append_ms = self.appender.last_append_ms.max(log_append_time_ms);
        let header = stamped.header;
        let rolls = self.must_roll(now, &header);
        self.advance_tip(now, &header, rolls);
        self.log_end = header.next_offset();
        let before = self.producers.entry(header.producer_id).copied();
        self.producers.record(&header);
        self.note_epoch(self.spec.leader_epoch, base_offset);
        let bytes = batch.bytes.clone();
        self.appender.queue.push_back(Queued { stamped, bytes, rolls, before });
        let end = self.log_end;
        self.appender.acks.push_back(Ack { ticket, base_offset, end, log_append_time_ms });
        Ok(AppendOutcome::Queued { base_offset, last_offset: header.last_offset() })
    }

    /// A batch that is in the log already, or on its way there.
    fn answer_duplicate(&mut self, original: BatchMetadata, ticket: u64) -> AppendOutcome {
        let base_offset = original.base_offset();
        let end = original.last_offset.next();
        // Kafka tells a duplicate's stored time whatever kind of time it is.
        let log_append_time_ms = original.timestamp;
        if end <= self.committed_offset() {
            return AppendOutcome::Duplicate { base_offset, log_append_time_ms };
        }
        let at = self.appender.acks.partition_point(|ack| ack.end <= end);
        self.appender.acks.insert(at, Ack { ticket, base_offset, end, log_append_time_ms });
        AppendOutcome::Queued { base_offset, last_offset: original.last_offset }
    }

    /// Whether a batch may be queued at all.
    fn admit(&self, batch: &ValidatedBatch) -> Result<(), AppendError> {
        match self.phase {
            Phase::Running => {}
            Phase::Opening(_) => return Err(AppendError::NotReady),
            Phase::Failed => return Err(AppendError::Failed),
            Phase::Closing | Phase::Closed | Phase::Deleting | Phase::Deleted => {
                return Err(AppendError::Closed);
            }
        }
        if self.appender.storage != Storage::Healthy {
            return Err(AppendError::NoSpace);
        }
        assert_eq!(batch.header.bytes_total(), batch.bytes.len(), "one batch, exactly");
        assert!(batch.header.last_offset_delta >= 0, "offsets grow within a batch");
        if batch.bytes.len() as u64 > u64::from(self.spec.config.segment_bytes) {
            return Err(AppendError::TooLarge);
        }
        if self.appender.queue.len() >= QUEUE_BATCHES_MAX {
            return Err(AppendError::QueueFull);
        }
        Ok(())
    }

    fn advance_tip(&mut self, now: Now, header: &BatchHeader, rolls: bool) {
        let tip = &mut self.appender.tip;
        if rolls {
            *tip = Tip {
                base: header.base_offset,
                bytes: 0,
                first_timestamp: None,
                made_ms: now.wall.0,
            };
        }
        tip.first_timestamp.get_or_insert(header.max_timestamp);
        tip.bytes += header.bytes_total() as u64;
    }

    /// Ends a turn: emits the write of what gathered, if none is in flight; rolls; syncs.
    pub fn end_turn<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        if !matches!(self.phase, Phase::Running | Phase::Closing) {
            return;
        }
        if self.appender.storage == Storage::Healthy {
            self.prepare_next(ops);
            self.maybe_write(now, ops);
        } else {
            self.pursue_space(now, ops);
        }
        self.maybe_sync(now, ops);
    }

    fn maybe_write<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        let waits_for_sync =
            self.appender.contract == Durability::EveryBatch && self.durable < self.written;
        if !self.appender.in_flight.is_empty() || waits_for_sync {
            return;
        }
        let Some(front) = self.appender.queue.front() else {
            return;
        };
        if front.rolls && !self.maybe_switch_segment(now, ops) {
            return;
        }
        if self.appender.is_folder_missing {
            self.make_folder(ops);
            return;
        }
        let active = self.segments.len() - 1;
        let Some(file) = self.segments[active].file.get().cloned() else {
            self.open_segment(active, ops);
            return;
        };
        if self.segments[active].is_trimming {
            return;
        }
        let position = self.segments[active].bytes;
        let chunks = self.gather();
        let token = self.wires.token(Pending::Written);
        ops.push(Op::Write { token, file, position, chunks });
    }

    /// Moves the next group from the queue into flight and makes the pieces of its write.
    fn gather(&mut self) -> Vec<Bytes> {
        let appender = &mut self.appender;
        let count_max = match appender.contract {
            Durability::EveryBatch => 1,
            Durability::PageCache | Durability::GroupCommit => GROUP_BATCHES_MAX,
        };
        let mut bytes = 0;
        let mut count = 0;
        for (index, queued) in appender.queue.iter().enumerate() {
            let is_beyond = index > 0 && (queued.rolls || bytes >= GROUP_BYTES_MAX);
            if index == count_max || is_beyond {
                break;
            }
            bytes += queued.bytes.len() as u64;
            count += 1;
        }
        let fronts: usize =
            appender.queue.iter().take(count).map(|queued| queued.stamped.resume_at()).sum();
        let mut arena = Vec::with_capacity(fronts);
        for queued in appender.queue.iter().take(count) {
            arena.extend_from_slice(queued.stamped.as_slice());
        }
        let mut arena = Bytes::from(arena);
        let mut chunks = std::mem::take(&mut appender.pieces);
        chunks.clear();
        for queued in appender.queue.drain(..count) {
            let resume_at = queued.stamped.resume_at();
            chunks.push(arena.split_to(resume_at));
            if queued.bytes.len() > resume_at {
                chunks.push(queued.bytes.slice(resume_at..));
            }
            appender.in_flight.push((queued.stamped.header, queued.before));
        }
        chunks
    }

    pub(crate) fn on_written<M>(&mut self, now: Now, outcome: Outcome, ops: &mut Vec<Op<M>>) {
        let Outcome::Wrote(mut chunks, result) = outcome else {
            self.fail("a write was answered as something else".to_owned());
            return;
        };
        chunks.clear();
        self.appender.pieces = chunks;
        if let Err(error) = result {
            self.on_storage_error(now, error, "write", ops);
            return;
        }
        let interval = self.spec.config.index_interval_bytes;
        let headers = std::mem::take(&mut self.appender.in_flight);
        for (header, _) in &headers {
            let active = self.segments.last_mut().expect("a running log has an active segment");
            self.reader.remember(active, header);
            active.take_in(*header, interval);
            active.touched_ms = now.wall.0;
            self.written = header.next_offset();
        }
        self.appender.in_flight = headers;
        self.appender.in_flight.clear();
        self.sync.dirty_since.get_or_insert(now.mono);
        self.after_write(ops);
    }

    /// Tells everybody whose batch is committed now. `before`: where the committed offset was.
    pub(crate) fn settle_acks(&mut self, before: Offset) {
        let committed = self.committed_offset();
        while let Some(ack) = self.appender.acks.front() {
            if ack.end > committed {
                break;
            }
            self.events.push(LogEvent::Appended {
                ticket: ack.ticket,
                base_offset: ack.base_offset,
                log_append_time_ms: ack.log_append_time_ms,
                log_start_offset: self.log_start,
            });
            self.appender.acks.pop_front();
        }
        if committed > before {
            self.events.push(LogEvent::CommittedAdvanced);
        }
    }

    /// A write, or the making of a segment, failed.
    pub(crate) fn on_storage_error<M>(
        &mut self,
        now: Now,
        error: IoError,
        what: &'static str,
        ops: &mut Vec<Op<M>>,
    ) {
        if !may_pass(error) {
            self.fail(format!("{what} in {} failed: {error}", self.spec.dir.display()));
            return;
        }
        self.abandon_appends(AppendError::NoSpace);
        let retry_at = now.mono.plus_ms(SPACE_RETRY_MS);
        if is_exhausted(error) {
            self.note_exhausted(what, error);
        } else {
            self.events.push(LogEvent::SpaceGone);
        }
        self.begin_cutting(retry_at, ops);
    }

    /// Fails everything assigned and not written; offsets go back to the written end.
    pub(crate) fn abandon_appends(&mut self, error: AppendError) {
        let keep_from = match error {
            // Written and waiting for its sync: that may still come.
            AppendError::NoSpace => self.written,
            AppendError::NotReady
            | AppendError::Failed
            | AppendError::Closed
            | AppendError::TooLarge
            | AppendError::QueueFull
            | AppendError::Producer(_) => Offset(-1),
        };
        let first = self.appender.acks.partition_point(|ack| ack.end <= keep_from);
        for ack in self.appender.acks.drain(first..) {
            self.events.push(LogEvent::AppendFailed { ticket: ack.ticket, error });
        }
        let queue = std::mem::take(&mut self.appender.queue);
        for queued in queue.into_iter().rev() {
            self.producers.rewind(queued.stamped.header.producer_id, queued.before);
            self.producers.note_refused(&queued.stamped.header);
        }
        for (header, before) in std::mem::take(&mut self.appender.in_flight).into_iter().rev() {
            self.producers.rewind(header.producer_id, before);
            self.producers.note_refused(&header);
        }
        self.log_end = self.written;
        if self.epochs.truncate_from_end(self.log_end) == EpochChange::Changed {
            self.is_epochs_dirty = true;
        }
        if !self.segments.is_empty() {
            self.appender.reset_tip(&self.segments);
        }
    }

    /// Cuts what a failed write may have left, and lets go of the segment that was to follow.
    pub(crate) fn begin_cutting<M>(&mut self, retry_at: Mono, ops: &mut Vec<Op<M>>) {
        self.appender.storage = Storage::Cutting { retry_at };
        let active = self.active_mut();
        active.reserved_bytes = 0;
        if let Some(file) = active.file.get().cloned() {
            // The next process, if this one is killed before the cut is synced, must know: a power loss
            // would bring back what was cut off in the place of what that one appends.
            if self.is_marked_for_sync(ops) {
                self.cut(file, ops);
            } else {
                self.sync.deferred.push((Pending::Cut, file));
            }
        }
        self.maybe_drop_next(ops);
    }

    /// Cuts the active segment back to what is known to be written.
    fn cut<M>(&mut self, file: FileRef, ops: &mut Vec<Op<M>>) {
        let length = self.active().bytes;
        let token = self.wires.token(Pending::Cut);
        ops.push(Op::Truncate { token, file, length });
    }

    /// Removes the file of the next segment, once it is not being opened any more: its name is an
    /// offset that no batch will have.
    fn maybe_drop_next<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let is_droppable =
            self.appender.next.as_ref().is_some_and(|next| !matches!(next.file, LazyFile::Opening));
        if !is_droppable {
            return;
        }
        if let Some(next) = self.appender.next.take() {
            let path = self.spec.dir.join(crate::segment::log_name(next.base));
            let token = self.wires.token(Pending::NextRemoved { base: next.base });
            ops.push(Op::Remove { token, path });
        }
    }

    /// One of the ops that lead out of a full disk ended.
    pub(crate) fn on_space_step<M>(
        &mut self,
        now: Now,
        step: &Pending,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        let retry_at = now.mono.plus_ms(SPACE_RETRY_MS);
        match (step, result) {
            (Pending::Probed, Ok(())) => {
                self.appender.storage = Storage::Healthy;
                self.events.push(LogEvent::SpaceBack);
                self.flush_sealed_indexes(ops);
            }
            (Pending::Probed, Err(_)) => self.appender.storage = Storage::Full { retry_at },
            // Until this is synced a power loss may bring back what was cut off, whole batches of
            // which producers heard that they failed: in the place of others that were acknowledged
            // since, or between this segment and the next.
            (Pending::Cut, Ok(())) => self.sync_cut(ops),
            (Pending::CutSynced, Err(error)) => {
                let dir = self.spec.dir.display().to_string();
                self.fail_sync(format!("sync of a segment in {dir} failed: {error}"));
            }
            // Nothing that is appended here from now on is durable before the removal is: a power loss
            // that brought the file back would make this segment end where it begins.
            (Pending::NextRemoved { .. }, Ok(())) => self.sync.is_folder_dirty = true,
            (Pending::NextRemoved { base }, Err(error)) if may_pass(error) => {
                let file = LazyFile::Closed;
                self.appender.next = Some(NextSegment { base: *base, file, failed: None });
                self.appender.storage = Storage::Full { retry_at };
            }
            (_, Ok(())) => {}
            (_, Err(error)) if may_pass(error) => self.begin_cutting(retry_at, ops),
            (_, Err(error)) => self.fail(format!(
                "cutting back {} after a failed write: {error}",
                self.spec.dir.display()
            )),
        }
    }

    /// Makes the cut durable before anything is written in the place of what was cut off, once the
    /// round under way has ended, which may sync the same file.
    fn sync_cut<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let Some(file) = self.active().file.get().cloned() else {
            return;
        };
        if self.sync.is_running() {
            self.sync.deferred.push((Pending::CutSynced, file));
        } else {
            self.sync_file(Pending::CutSynced, file, ops);
        }
    }

    /// Whether a cut is being made durable: its file may not be synced by a round as well. One of two
    /// syncs may be told that all is well when the other one is told of a failure.
    fn is_cut_in_sync(&self) -> bool {
        let is_cut = |pending: &Pending| matches!(pending, Pending::CutSynced);
        self.wires.has(is_cut) || self.sync.deferred.iter().any(|(pending, _)| is_cut(pending))
    }

    /// Goes the next step out of a full disk.
    fn pursue_space<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        let waits = |until: Mono| now.mono < until;
        if !matches!(self.appender.storage, Storage::Full { retry_at } if waits(retry_at)) {
            self.maybe_drop_next(ops);
        }
        let is_cutting = self.appender.next.is_some()
            || self.sync.deferred.iter().any(|(pending, _)| pending.is_of_cutting())
            || self.wires.has(Pending::is_of_cutting)
            || self.active().is_reserving
            || self.active().is_trimming;
        match self.appender.storage {
            Storage::Cutting { retry_at } if !is_cutting => {
                self.appender.storage = Storage::Full { retry_at };
            }
            Storage::Full { retry_at } if waits(retry_at) => {}
            // The file of the next segment could not be removed the last time.
            Storage::Full { .. } if is_cutting => {
                let retry_at = now.mono.plus_ms(SPACE_RETRY_MS);
                self.appender.storage = Storage::Cutting { retry_at };
            }
            Storage::Full { retry_at } => self.probe(retry_at, ops),
            Storage::Healthy | Storage::Cutting { .. } | Storage::Probing { .. } => {}
        }
    }

    /// Asks for blocks behind the end: what a write would need, without writing.
    fn probe<M>(&mut self, retry_at: Mono, ops: &mut Vec<Op<M>>) {
        self.appender.storage = Storage::Probing { retry_at };
        let length = match self.spec.config.reserve_bytes {
            0 => SPACE_PROBE_BYTES,
            bytes => bytes,
        };
        let active = self.active_mut();
        let position = active.bytes;
        let token_for = Pending::Probed;
        if let Some(file) = active.file.get().cloned() {
            active.reserved_bytes = position + length;
            let token = self.wires.token(token_for);
            ops.push(Op::Allocate { token, file, position, length });
        } else {
            // The file itself could not be made: the next append tries again.
            self.appender.storage = Storage::Healthy;
            self.events.push(LogEvent::SpaceBack);
        }
    }

    /// Starts a round of syncs if the contract, `flush.*`, a roll or the bound on the tail asks.
    pub(crate) fn maybe_sync<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        let is_clean = self.durable == self.written
            && !self.sync.is_wanted
            && !self.segments.last().is_some_and(|active| active.is_cut);
        let is_early = self.sync.retry_at.is_some_and(|retry_at| now.mono < retry_at);
        if self.sync.is_running() {
            return;
        }
        if !self.sync.deferred.is_empty() && self.is_marked_for_sync(ops) {
            self.sync_deferred(ops);
        }
        if self.is_cut_in_sync() {
            return;
        }
        if is_clean || is_early || !self.is_sync_due(now) {
            self.sync.retry_at = self.sync.retry_at.filter(|_| is_early);
            self.maybe_unmark_sync(ops);
            return;
        }
        self.sync.retry_at = None;
        if self.opens_for_sync(ops) || !self.is_marked_for_sync(ops) {
            return;
        }
        self.sync.is_wanted = false;
        self.sync.target = self.written;
        self.sync.began = now.mono;
        if std::mem::take(&mut self.sync.is_folder_dirty) {
            self.sync.outstanding += 1;
            let token = self.wires.token(Pending::FolderSynced);
            ops.push(Op::SyncDir { token, path: self.spec.dir.clone() });
        }
        for segment in &mut self.segments {
            let Some(file) = segment.file.get().cloned() else { continue };
            if !segment.is_unsynced() {
                continue;
            }
            segment.is_cut = false;
            self.sync.outstanding += 1;
            let (base, bytes) = (segment.base_offset, segment.bytes);
            let token = self.wires.token(Pending::Synced { base, bytes });
            ops.push(Op::Sync { token, file });
        }
        self.maybe_end_sync();
    }

    /// Syncs a file outside of a round, once the folder says that a sync is under way.
    pub(crate) fn sync_file<M>(&mut self, pending: Pending, file: FileRef, ops: &mut Vec<Op<M>>) {
        if self.is_marked_for_sync(ops) {
            let token = self.wires.token(pending);
            ops.push(Op::Sync { token, file });
        } else {
            self.sync.deferred.push((pending, file));
        }
    }

    /// Whether the folder says that a sync is under way; else that is seen to.
    ///
    /// Only under the page-cache contract, where syncs are rare: the others distrust the page cache
    /// after every unclean stop.
    fn is_marked_for_sync<M>(&mut self, ops: &mut Vec<Op<M>>) -> bool {
        if self.appender.contract != Durability::PageCache {
            return true;
        }
        if self.sync.mark == Mark::Absent {
            self.sync.mark = Mark::Making;
            self.make_sync_mark(ops);
        }
        matches!(self.sync.mark, Mark::Made | Mark::Skipped)
    }

    fn make_sync_mark<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let path = self.spec.dir.join(SYNC_PENDING_FILE);
        let token = self.wires.token(Pending::SyncMarked);
        ops.push(Op::Touch { token, path });
    }

    pub(crate) fn on_sync_marked<M>(
        &mut self,
        now: Now,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        match result {
            Ok(()) => self.sync.mark = Mark::Made,
            Err(error) if !may_pass(error) => {
                let dir = self.spec.dir.display();
                self.fail(format!("noting a sync in {dir} failed: {error}"));
            }
            Err(_) if matches!(self.phase, Phase::Closing) => self.sync.mark = Mark::Skipped,
            Err(_) => {
                // Nothing more is written to a full disk, so that nothing more waits for the sync.
                self.sync.mark = Mark::Absent;
                self.sync.retry_at = Some(now.mono.plus_ms(SPACE_RETRY_MS));
            }
        }
        // Those outside of rounds cannot wait for room: some lead out of a full disk.
        self.sync_deferred(ops);
    }

    fn sync_deferred<M>(&mut self, ops: &mut Vec<Op<M>>) {
        for (pending, file) in std::mem::take(&mut self.sync.deferred) {
            if matches!(pending, Pending::Cut) {
                self.cut(file, ops);
            } else {
                let token = self.wires.token(pending);
                ops.push(Op::Sync { token, file });
            }
        }
    }

    pub(crate) fn on_sync_unmarked<M>(&mut self, ops: &mut Vec<Op<M>>) {
        // One that stays costs the next unclean start some work.
        self.sync.mark = Mark::Absent;
        if !self.sync.deferred.is_empty() {
            self.is_marked_for_sync(ops);
        }
    }

    /// Takes the note away once all syncs have worked.
    fn maybe_unmark_sync<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let is_needed = |pending: &Pending| pending.is_sync() || pending.is_of_cutting();
        if self.sync.mark == Mark::Made && !self.wires.has(is_needed) {
            self.sync.mark = Mark::Removing;
            let path = self.spec.dir.join(SYNC_PENDING_FILE);
            let token = self.wires.token(Pending::SyncUnmarked);
            ops.push(Op::Remove { token, path });
        }
    }

    /// Asks for the files that the round needs and that are closed; true if it has to wait for them.
    fn opens_for_sync<M>(&mut self, ops: &mut Vec<Op<M>>) -> bool {
        let closed = |segment: &Segment| segment.is_unsynced() && segment.file.get().is_none();
        let waiting: Vec<usize> =
            (0..self.segments.len()).filter(|index| closed(&self.segments[*index])).collect();
        for index in &waiting {
            self.open_segment(*index, ops);
        }
        !waiting.is_empty()
    }

    fn is_sync_due(&self, now: Now) -> bool {
        let config = &self.spec.config;
        if self.sync.is_wanted || self.appender.contract != Durability::PageCache {
            return true;
        }
        let messages = u64::try_from(self.written.0 - self.durable.0).unwrap_or(0);
        let segment = self.active();
        messages >= config.flush_messages
            || segment.bytes - segment.synced_bytes >= BACKGROUND_SYNC_BYTES
            || self.sync_deadline().is_some_and(|deadline| now.mono >= deadline)
    }

    /// When what is written has to be synced at the latest.
    pub(crate) fn sync_deadline(&self) -> Option<Mono> {
        let ms = self.spec.config.flush_ms.min(BACKGROUND_SYNC_MS);
        if self.sync.is_running() {
            return None;
        }
        let due = self.sync.dirty_since.map(|since| since.plus_ms(ms));
        due.max(self.sync.retry_at)
    }

    /// A sync failed, for good: a second one would prove nothing, as the kernel may call the pages
    /// clean that it could not write.
    pub(crate) fn fail_sync(&mut self, reason: String) {
        self.has_sync_failed = true;
        self.fail(reason);
    }

    /// Leaves a word for the next opening that the page cache shows what the disk may not have. It
    /// is for this boot of the machine only, and so needs no sync.
    pub(crate) fn maybe_mark_sync_failed<M>(&mut self, ops: &mut Vec<Op<M>>) {
        if self.has_sync_failed && !matches!(self.sync.mark, Mark::Making | Mark::Removing) {
            self.has_sync_failed = false;
            if self.sync.mark != Mark::Made {
                self.sync.mark = Mark::Making;
                self.make_sync_mark(ops);
            }
        }
    }

    pub(crate) fn on_synced(&mut self, base: Offset, bytes: u64, result: Result<(), IoError>) {
        if let Err(error) = result {
            let dir = self.spec.dir.display();
            self.fail_sync(format!("sync of segment {base} in {dir} failed: {error}"));
            return;
        }
        if let Some(segment) = self.segment_mut(base) {
            // Compaction may have put a smaller one there since.
            segment.synced_bytes = segment.synced_bytes.max(bytes).min(segment.bytes);
        }
        self.sync.outstanding -= 1;
        self.maybe_end_sync();
    }

    pub(crate) fn on_folder_synced(&mut self, now: Now, result: Result<(), IoError>) {
        if let Err(error) = result {
            if is_exhausted(error) {
                self.put_off_folder_sync(now, error);
                return;
            }
            self.fail_sync(format!("sync of folder {} failed: {error}", self.spec.dir.display()));
            return;
        }
        self.sync.outstanding -= 1;
        self.maybe_end_sync();
    }

    /// The folder could not be opened for its sync: nothing was tried, so nothing failed. What the
    /// round was for is not durable before the names are.
    fn put_off_folder_sync(&mut self, now: Now, error: IoError) {
        // A log that closes does without: its checkpoint says what is durable, and what is not.
        self.note_exhausted("the sync of a folder", error);
        self.sync.target = self.durable;
        self.sync.is_folder_dirty = true;
        self.sync.is_wanted = true;
        self.sync.retry_at = Some(now.mono.plus_ms(SPACE_RETRY_MS));
        self.sync.outstanding -= 1;
        self.maybe_end_sync();
    }

    fn maybe_end_sync(&mut self) {
        if self.sync.outstanding > 0 {
            return;
        }
        self.durable = self.durable.max(self.sync.target);
        // What was written meanwhile is younger than it could be told here; syncing it a little
        // later than asked would break `flush.ms`, a little earlier does not.
        self.sync.dirty_since = self.sync.dirty_since.filter(|_| self.durable < self.written);
    }

    /// See [`Self::verify`].
    pub(crate) fn verify_appends(&self) {
        let ends = self.appender.acks.iter().map(|ack| ack.end);
        assert!(
            ends.clone().is_sorted(),
            "acknowledgements ascend: {:?}",
            ends.collect::<Vec<_>>()
        );
        let mut end = self.written;
        let headers = self.appender.in_flight.iter().map(|(header, _)| header);
        let queued = self.appender.queue.iter().map(|queued| &queued.stamped.header);
        for header in headers.chain(queued) {
            assert_eq!(header.base_offset, end, "what waits follows what is written, without gap");
            end = header.next_offset();
        }
        assert_eq!(end, self.log_end, "the end is the end of what waits");
    }
}

/// The mode in which a new segment is opened.
pub(crate) const NEW_SEGMENT: OpenMode = OpenMode::Create;

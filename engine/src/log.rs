//! One partition's log: the state machine that the other files of this crate are parts of.
//!
//! ```text
//!            create ──────────────────────────────┐
//!            open (clean, with checkpoint) ───────┤
//!                                                 ▼
//!  open ──▶ Opening ── recovery ended ──────▶ Running ── close ──▶ Closing ──▶ Closed
//!              │                                 │  │
//!              │       device error, failed sync │  └─ delete ──▶ Deleting ──▶ Deleted
//!              └────────────▶ Failed ◀───────────┘   (delete is legal everywhere)
//! ```
//!
//! Calls take what is asked, emit [`Op`]s, and say what came of it in [`LogEvent`]s; nothing here
//! blocks, reads a clock or logs. Callers keep two rules:
//! - completions whose token carries this log's owner come to [`Log::on_completion`], all of them,
//!   until `Closed`, `Deleted` or the end of the process;
//! - a turn that called [`Log::append`] ends with [`Log::end_turn`]; after any other call that has
//!   no `events` argument, [`Log::take_events`] tells what happened.
//!
//! Offsets always satisfy
//! `log_start <= high_watermark <= committed <= written <= log_end` and `durable <= written`.
//!
//! Parts: `append` (queue, write, acknowledge), `roll` (segments, indexes, reserved blocks),
//! `read` (plans, timestamps), `cold` (read-ahead), `recovery`, `retention`, `compaction`,
//! `checkpoint`.

use std::path::PathBuf;
use std::sync::Arc;

use millrace_io::{Completion, IoError, IoErrorKind, Mono, Now, Op, Token};
use millrace_wire::Uuid;

use crate::append::{Appender, SyncPass};
use crate::checkpoint::PartitionCheckpoint;
use crate::compaction::{Compaction, CompactionEvent};
use crate::config::{Durability, LogConfig};
use crate::leader_epoch::LeaderEpochs;
use crate::producer_state::{ProducerError, ProducerState};
use crate::read::{ReadOutcome, Reader, TimestampOutcome};
use crate::recovery::{Opening, Recovery, RecoveryReport};
use crate::retention::{Doom, Janitor};
use crate::segment::{LazyFile, Segment};
use crate::{LeaderEpoch, Offset};

mod state;

/// Which partition, where, and how.
#[derive(Clone, Debug)]
pub struct LogSpec {
    /// `Token.owner` of all its ops.
    pub owner: u32,
    /// `<log.dir>/<topic>-<partition>`.
    pub dir: PathBuf,
    /// Goes into `partition.metadata`.
    pub topic_id: Uuid,
    /// Shared by the partitions of the topic.
    pub config: Arc<LogConfig>,
    /// Stamped into what is appended.
    pub leader_epoch: LeaderEpoch,
}

/// One partition's log. See the file's head.
#[derive(Debug)]
#[allow(clippy::struct_field_names, reason = "log_start and log_end are Kafka's words")]
pub struct Log {
    pub(crate) spec: LogSpec,
    pub(crate) phase: Phase,
    pub(crate) wires: Wires,
    pub(crate) events: Vec<LogEvent>,
    /// Ascending by base offset; the last one is active. Empty only while opening.
    pub(crate) segments: Vec<Segment>,
    pub(crate) log_start: Offset,
    pub(crate) high_watermark: Offset,
    /// Assigned.
    pub(crate) log_end: Offset,
    /// In the page cache.
    pub(crate) written: Offset,
    /// On the device, as far as it tells the truth.
    pub(crate) durable: Offset,
    pub(crate) appender: Appender,
    pub(crate) sync: SyncPass,
    pub(crate) reader: Reader,
    pub(crate) janitor: Janitor,
    pub(crate) compaction: Option<Box<Compaction>>,
    /// Everything below was compacted, as far as was told or done.
    pub(crate) cleaned_to: Offset,
    /// See [`Log::keep_tombstones_from`].
    pub(crate) tombstones_kept_from: Offset,
    /// As of the assigned end.
    pub(crate) producers: ProducerState,
    pub(crate) epochs: LeaderEpochs,
    /// The epochs changed since they were written down.
    pub(crate) is_epochs_dirty: bool,
    /// The newest offset at which the producers' state is stored somewhere; while a snapshot is
    /// being written, the one before it.
    pub(crate) producers_stored: Offset,
    /// Whether the newest snapshot could not be written, and what is done about it.
    pub(crate) snapshot_retry: SnapshotRetry,
    /// The newest snapshot that belongs to no segment's start.
    pub(crate) loose_snapshot: Option<Offset>,
    /// A sync failed: the next opening is to be told.
    pub(crate) has_sync_failed: bool,
    /// Something was appended since it was opened.
    pub(crate) is_touched: bool,
    /// The last time anything was asked of it, for closing files when idle.
    pub(crate) last_activity: Mono,
    /// Counts readings, to find the least recently used segment.
    pub(crate) ticks: u32,
}

/// Where the log stands; the table is in the file's head.
#[derive(Debug)]
pub(crate) enum Phase {
    Opening(Box<Recovery>),
    Running,
    Closing,
    Closed,
    Failed,
    Deleting,
    Deleted,
}

/// What happened in the log.
#[derive(Debug)]
pub enum LogEvent {
    /// The log is open: appends and reads are taken.
    Ready(RecoveryReport),
    /// A batch counts as committed under the topic's contract.
    Appended {
        /// The append's.
        ticket: u64,
        /// Offset of its first record.
        base_offset: Offset,
        /// The time that was stamped, ms; -1 with CreateTime.
        log_append_time_ms: i64,
        /// Where the log starts.
        log_start_offset: Offset,
    },
    /// A batch did not make it; nothing of it can be read.
    AppendFailed {
        /// The append's.
        ticket: u64,
        /// Why.
        error: AppendError,
    },
    /// What [`Log::read`] left pending.
    ReadReady {
        /// The read's.
        ticket: u64,
        /// Never `Pending`.
        outcome: ReadOutcome,
    },
    /// What [`Log::offset_for_timestamp`] left pending.
    TimestampReady {
        /// The lookup's.
        ticket: u64,
        /// Never `Pending`.
        outcome: TimestampOutcome,
    },
    /// [`Log::committed_offset`] moved.
    CommittedAdvanced,
    /// [`Log::log_start_offset`] moved.
    LogStartAdvanced,
    /// The disk was full; appends are refused until `SpaceBack`.
    SpaceGone,
    /// Appends are taken again.
    SpaceBack,
    /// Descriptors or memory are short: what is named waits, and is tried again by itself.
    Exhausted {
        /// What could not be done.
        what: &'static str,
        /// What the system said.
        error: IoError,
    },
    /// Something of a compaction.
    Compaction(CompactionEvent),
    /// Bytes below the end are no batches. They are not served; what lies before them is.
    Corrupt {
        /// Base offset of the segment.
        segment: Offset,
        /// First bad byte of its file.
        position: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// The log takes nothing any more; its data folder is not to be trusted.
    Fatal {
        /// For the operator.
        reason: String,
    },
    /// [`Log::close`] is done.
    Closed,
    /// [`Log::delete`] is done, and nothing of the log is under way any more.
    Deleted,
}

/// Why a batch was not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// Still opening. Kafka: 5 or 56, retriable.
    NotReady,
    /// The disk is full, or descriptors are short; passes. Kafka: 56 KAFKA_STORAGE_ERROR.
    NoSpace,
    /// The log failed for good. Kafka: 56 KAFKA_STORAGE_ERROR.
    Failed,
    /// Closing, closed or deleted. Kafka: 6 NOT_LEADER_OR_FOLLOWER.
    Closed,
    /// Larger than `segment.bytes`. Kafka: 18 RECORD_LIST_TOO_LARGE.
    TooLarge,
    /// Too much waits to be written ([`crate::append::QUEUE_BATCHES_MAX`]).
    QueueFull,
    /// The producer may not append this. Kafka: 45, 47, …
    Producer(ProducerError),
}

/// What an op was for; found again by its token.
#[derive(Clone, Debug)]
pub(crate) enum Pending {
    FolderMade,
    /// Whose the folder is that is there already.
    FolderLookedAt,
    MetadataWritten,
    EpochsWritten,
    SnapshotWritten {
        offset: Offset,
    },
    SegmentOpened {
        base: Offset,
    },
    NextOpened {
        base: Offset,
    },
    NextRemoved {
        base: Offset,
    },
    Written,
    Cut,
    CutSynced,
    Probed,
    Synced {
        base: Offset,
        bytes: u64,
    },
    FolderSynced,
    SyncMarked,
    SyncUnmarked,
    Reserved {
        base: Offset,
        end: u64,
    },
    Trimmed {
        base: Offset,
    },
    IndexOpened {
        base: Offset,
        kind: IndexKind,
    },
    IndexCut {
        base: Offset,
        kind: IndexKind,
        file: millrace_io::FileRef,
    },
    IndexCutSynced {
        base: Offset,
        kind: IndexKind,
        file: millrace_io::FileRef,
    },
    IndexWritten {
        base: Offset,
        kind: IndexKind,
        file: millrace_io::FileRef,
    },
    IndexSynced {
        base: Offset,
        kind: IndexKind,
    },
    IndexRead {
        base: Offset,
        kind: IndexKind,
    },
    Rebuild {
        base: Offset,
    },
    JobRead {
        job: u32,
    },
    JobPrefetched {
        job: u32,
        bytes: u64,
    },
    Recovery(crate::recovery::Step),
    Compaction(crate::compaction::Step),
    /// A segment's `.log` was renamed, or removed at once.
    LogDoomed {
        base: Offset,
        how: Doom,
    },
    /// Another of its files was renamed to be removed later.
    Doomed {
        file: PathBuf,
    },
    Housekeeping,
    FolderRenamed {
        to: PathBuf,
    },
    FolderRemoved,
}

impl Pending {
    /// True for the ops that end before a full disk is probed.
    pub(crate) const fn is_of_cutting(&self) -> bool {
        matches!(self, Self::Cut | Self::CutSynced | Self::NextRemoved { .. })
    }

    /// True for syncs of what the log consists of.
    pub(crate) const fn is_sync(&self) -> bool {
        matches!(
            self,
            Self::Synced { .. }
                | Self::FolderSynced
                | Self::CutSynced
                | Self::IndexCutSynced { .. }
                | Self::IndexSynced { .. }
        )
    }
}

/// One of a segment's indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IndexKind {
    Offset,
    Time,
}

/// What becomes of a producer snapshot that could not be written: segments go without it on a full
/// disk, but not before it was tried once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SnapshotRetry {
    /// It was written.
    None,
    /// It was not, and is tried again before segments go.
    Due,
    /// It is being tried; segments wait.
    UnderWay,
}

/// Tokens out, purposes back.
#[derive(Debug)]
pub(crate) struct Wires {
    owner: u32,
    seq: u32,
    pending: Vec<(u32, Pending)>,
}

impl Wires {
    /// A token for an op that is for `pending`.
    pub(crate) fn token(&mut self, pending: Pending) -> Token {
        self.seq = self.seq.wrapping_add(1);
        self.pending.push((self.seq, pending));
        Token { owner: self.owner, seq: self.seq }
    }

    fn take(&mut self, token: Token) -> Option<Pending> {
        let index = self.pending.iter().position(|(seq, _)| *seq == token.seq)?;
        let (_, pending) = self.pending.swap_remove(index);
        if self.pending.is_empty() && self.pending.capacity() > 16 {
            self.pending = Vec::new();
        }
        Some(pending)
    }

    /// True if an op for which `is_it` holds is under way.
    pub(crate) fn has(&self, is_it: impl Fn(&Pending) -> bool) -> bool {
        self.pending.iter().any(|(_, pending)| is_it(pending))
    }

    /// Ops under way.
    pub(crate) fn count(&self) -> usize {
        self.pending.len()
    }
}

impl Log {
    /// Makes a partition's log that does not exist yet, folder included.
    ///
    /// - Appends are taken at once and gather until the folder and the first file are there.
    /// - A folder that already holds records is [`LogEvent::Fatal`]: open that one.
    pub fn create<M>(spec: LogSpec, now: Now, ops: &mut Vec<Op<M>>) -> Self {
        let mut log = Self::bare(spec, now);
        log.phase = Phase::Running;
        log.segments.push(Segment::empty(Offset(0), now.wall.0));
        log.appender.reset_tip(&log.segments);
        log.appender.is_folder_missing = true;
        log.make_folder(ops);
        log.events.push(LogEvent::Ready(RecoveryReport::default()));
        log
    }

    /// Opens a partition's log that may exist.
    ///
    /// - After a clean stop with a checkpoint, no file is touched before the log is used.
    /// - Otherwise the folder is read and the end of the log recovered; see `recovery.rs`.
    /// - [`LogEvent::Ready`] follows, from [`Self::take_events`] in the first case.
    pub fn open<M>(spec: LogSpec, opening: Opening, now: Now, ops: &mut Vec<Op<M>>) -> Self {
        let mut log = Self::bare(spec, now);
        log.begin_recovery(opening, now, ops);
        log
    }

    fn bare(spec: LogSpec, now: Now) -> Self {
        Self {
            phase: Phase::Running,
            wires: Wires { owner: spec.owner, seq: 0, pending: Vec::new() },
            events: Vec::new(),
            segments: Vec::new(),
            log_start: Offset(0),
            high_watermark: Offset(0),
            log_end: Offset(0),
            written: Offset(0),
            durable: Offset(0),
            appender: Appender::new(&spec.config),
            sync: SyncPass::default(),
            reader: Reader::default(),
            janitor: Janitor::default(),
            compaction: None,
            cleaned_to: Offset(0),
            tombstones_kept_from: Offset(i64::MAX),
            producers: ProducerState::new(spec.config.producers_max),
            epochs: LeaderEpochs::new(),
            is_epochs_dirty: false,
            producers_stored: Offset(0),
            snapshot_retry: SnapshotRetry::None,
            loose_snapshot: None,
            has_sync_failed: false,
            is_touched: false,
            last_activity: now.mono,
            ticks: 0,
            spec,
        }
    }

    /// Takes the completion of one of this log's ops.
    pub fn on_completion<M>(
        &mut self,
        now: Now,
        completion: Completion<M>,
        ops: &mut Vec<Op<M>>,
        events: &mut Vec<LogEvent>,
    ) {
        let Some((token, outcome)) = Outcome::of(completion) else {
            return;
        };
        let Some(pending) = self.wires.take(token) else {
            panic!("a completion nobody waits for: {token:?}");
        };
        let committed = self.committed_offset();
        let was_syncing = self.sync.is_running();
        self.dispatch(now, pending, outcome, ops);
        self.sync.note_end(was_syncing, now.mono);
        self.maybe_mark_sync_failed(ops);
        self.maybe_end_recovery(now, ops);
        self.maybe_resume_retention(now, ops);
        self.pursue_compaction(now, ops);
        self.end_turn(now, ops);
        self.settle_acks(committed);
        self.maybe_flush_for_close(now, ops);
        self.maybe_closed();
        self.maybe_leave_folder(ops);
        self.maybe_deleted();
        self.check();
        events.append(&mut self.events);
    }

    fn dispatch<M>(&mut self, now: Now, pending: Pending, outcome: Outcome, ops: &mut Vec<Op<M>>) {
        match pending {
            Pending::FolderLookedAt => self.on_folder_looked_at(now, outcome.read(), ops),
            Pending::FolderMade => self.on_folder_made(now, outcome.done(), ops),
            Pending::MetadataWritten | Pending::EpochsWritten => self.on_small_file(outcome.done()),
            Pending::SnapshotWritten { offset } => {
                self.on_snapshot(offset, outcome.done(), ops);
            }
            Pending::SegmentOpened { base } => {
                self.on_segment_opened(now, base, outcome.opened(), ops);
            }
            Pending::NextOpened { base } => self.on_next_opened(base, outcome.opened()),
            Pending::NextRemoved { .. } | Pending::Cut | Pending::CutSynced | Pending::Probed => {
                self.on_space_step(now, &pending, outcome.done(), ops);
            }
            Pending::Written => self.on_written(now, outcome, ops),
            Pending::Synced { base, bytes } => self.on_synced(base, bytes, outcome.done()),
            Pending::FolderSynced => self.on_folder_synced(now, outcome.done()),
            Pending::SyncMarked => self.on_sync_marked(now, outcome.done(), ops),
            Pending::SyncUnmarked => self.on_sync_unmarked(ops),
            Pending::Reserved { base, end } => self.on_reserved(base, end, outcome.done(), ops),
            Pending::IndexOpened { base, kind } => {
                self.on_index_opened(base, kind, outcome.opened(), ops);
            }
            Pending::IndexCut { base, kind, file } => {
                self.on_index_cut(base, kind, file, outcome.done(), ops);
            }
            Pending::IndexCutSynced { base, kind, file } => {
                self.on_index_cut_synced(base, kind, file, outcome.done(), ops);
            }
            Pending::IndexWritten { base, kind, file } => {
                self.on_index_written(base, kind, file, outcome.done(), ops);
            }
            Pending::IndexSynced { base, kind } => {
                self.on_index_synced(base, kind, outcome.done(), ops);
            }
            Pending::IndexRead { base, kind } => {
                self.on_index_read(base, kind, outcome.read(), ops);
            }
            Pending::Rebuild { base } => self.on_rebuild_read(base, outcome.read(), ops),
            Pending::JobRead { job } => self.on_job_read(job, outcome.read(), ops),
            Pending::JobPrefetched { job, bytes } => {
                self.on_job_prefetched(job, bytes, outcome.done(), ops);
            }
            Pending::Recovery(step) => self.on_recovery(now, step, outcome, ops),
            Pending::Compaction(step) => self.on_compaction(now, step, outcome, ops),
            Pending::LogDoomed { base, how } => {
                self.on_log_doomed(now, base, how, outcome.done(), ops);
            }
            Pending::Doomed { file } => self.on_doomed(file, outcome.done(), ops),
            Pending::Trimmed { base } => self.on_trimmed(base),
            Pending::Housekeeping => {}
            Pending::FolderRenamed { to } => self.on_folder_renamed(to, outcome.done(), ops),
            Pending::FolderRemoved => self.on_folder_removed(outcome.done()),
        }
    }

    /// How long the last round of syncs took, ns; once for each round.
    pub const fn take_sync_ns(&mut self) -> Option<u64> {
        self.sync.take_took()
    }

    /// What happened in calls without an `events` argument.
    pub fn take_events(&mut self, events: &mut Vec<LogEvent>) {
        events.append(&mut self.events);
    }

    /// Takes a new configuration; it counts from the next append and the next retention pass.
    pub fn update_config(&mut self, config: Arc<LogConfig>) {
        self.appender.on_config(&config);
        self.spec.config = config;
    }

    /// Tells that something waits for descriptors or memory, if that is what `error` is.
    pub(crate) fn note_exhausted(&mut self, what: &'static str, error: IoError) {
        if is_exhausted(error) {
            self.events.push(LogEvent::Exhausted { what, error });
        }
    }

    /// Ends the log for good: everything that waits is told so.
    pub(crate) fn fail(&mut self, reason: String) {
        if matches!(self.phase, Phase::Failed | Phase::Deleting | Phase::Deleted) {
            return;
        }
        if matches!(self.phase, Phase::Opening(_)) {
            // Recovery had set some of the offsets. Nothing is served, but they are to be in order.
            let start = self.log_start;
            (self.high_watermark, self.written, self.log_end) = (start, start, start);
            self.durable = self.durable.min(start);
        }
        self.phase = Phase::Failed;
        self.drop_compaction();
        self.abandon_appends(AppendError::Failed);
        self.fail_jobs();
        self.events.push(LogEvent::Fatal { reason });
    }

    /// Where the log starts: the smallest offset that can be read.
    pub const fn log_start_offset(&self) -> Offset {
        self.log_start
    }

    /// The offset the next record gets. What lies between `written` and here is in flight.
    pub const fn log_end_offset(&self) -> Offset {
        self.log_end
    }

    /// End of what the kernel has.
    pub const fn written_offset(&self) -> Offset {
        self.written
    }

    /// End of what was synced.
    pub const fn durable_offset(&self) -> Offset {
        self.durable
    }

    /// End of what counts as appended under the topic's contract.
    pub fn committed_offset(&self) -> Offset {
        match self.appender.contract {
            Durability::PageCache => self.written,
            Durability::GroupCommit | Durability::EveryBatch => self.durable.max(self.log_start),
        }
    }

    /// End of what consumers may read, as last set.
    pub const fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// Moves the high watermark. It never moves back and never beyond what is committed; it lies
    /// where a batch ends.
    pub fn set_high_watermark(&mut self, offset: Offset) {
        let bounded = offset.min(self.committed_offset());
        if bounded > self.high_watermark {
            self.high_watermark = bounded;
        }
        self.check();
    }

    /// The leader epoch that is stamped from now on; never smaller than before.
    pub fn become_leader(&mut self, epoch: LeaderEpoch) {
        assert!(epoch >= self.spec.leader_epoch, "leader epochs grow: {epoch}");
        self.spec.leader_epoch = epoch;
    }

    /// The partition's specification.
    pub const fn spec(&self) -> &LogSpec {
        &self.spec
    }

    /// True once `Ready` was told and until it stops.
    pub const fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running)
    }

    /// Whether it failed, or was closed before it was open: its folder is not as a clean stop leaves it.
    pub const fn has_failed(&self) -> bool {
        matches!(self.phase, Phase::Failed)
    }

    /// Bytes of all segments.
    pub fn size_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Segments, the active one included.
    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Files open. Zero for a log that nobody uses.
    pub fn open_file_count(&self) -> usize {
        let open = |segment: &&Segment| segment.file.get().is_some();
        self.segments.iter().filter(open).count() + usize::from(self.appender.has_next_file())
    }

    /// Memory of this log on the heap, bytes, roughly; the struct itself comes on top.
    pub fn memory_bytes(&self) -> usize {
        let indexes: usize = self
            .segments
            .iter()
            .map(|segment| segment.offsets.memory_bytes() + segment.times.memory_bytes())
            .sum();
        indexes
            + self.segments.capacity() * size_of::<Segment>()
            + self.appender.memory_bytes()
            + self.reader.memory_bytes()
            + self.spec.dir.capacity()
    }

    pub(crate) fn active(&self) -> &Segment {
        self.segments.last().expect("a running log has an active segment")
    }

    pub(crate) fn active_mut(&mut self) -> &mut Segment {
        self.segments.last_mut().expect("a running log has an active segment")
    }

    /// The segment of that base offset, if it is still there.
    pub(crate) fn segment_mut(&mut self, base: Offset) -> Option<&mut Segment> {
        let index =
            self.segments.binary_search_by_key(&base, |segment| segment.base_offset).ok()?;
        self.segments.get_mut(index)
    }

    /// The segment that holds `offset` if any does: the last one that starts at or before it.
    pub(crate) fn segment_index_of(&self, offset: Offset) -> usize {
        self.segments.partition_point(|segment| segment.base_offset <= offset).saturating_sub(1)
    }

    /// The end of segment `index`: the base of the next, or the written end.
    pub(crate) fn segment_end(&self, index: usize) -> Offset {
        self.segments.get(index + 1).map_or(self.written, |next| next.base_offset)
    }

    /// Asks for a segment's file, unless that was asked already.
    pub(crate) fn open_segment<M>(&mut self, index: usize, ops: &mut Vec<Op<M>>) {
        let is_active = index + 1 == self.segments.len();
        let segment = &mut self.segments[index];
        if !matches!(segment.file, LazyFile::Closed) {
            return;
        }
        segment.file = LazyFile::Opening;
        let mode = if is_active && segment.bytes == 0 {
            millrace_io::OpenMode::Create
        } else if is_active {
            millrace_io::OpenMode::ReadWrite
        } else {
            millrace_io::OpenMode::Read
        };
        let path = segment.path(&self.spec.dir, crate::segment::LOG_SUFFIX);
        let base = segment.base_offset;
        let token = self.wires.token(Pending::SegmentOpened { base });
        ops.push(Op::Open { token, path, mode });
    }

    /// The invariants that cost nothing; after everything that moves an offset.
    pub(crate) fn check(&self) {
        if matches!(self.phase, Phase::Opening(_) | Phase::Deleted) {
            return;
        }
        assert!(
            self.log_start <= self.high_watermark,
            "log start {} above the high watermark {}",
            self.log_start,
            self.high_watermark
        );
        assert!(
            self.high_watermark <= self.written,
            "high watermark {} above the written end {}",
            self.high_watermark,
            self.written
        );
        assert!(
            self.written <= self.log_end,
            "written end {} above the log end {}",
            self.written,
            self.log_end
        );
        assert!(
            self.durable <= self.written,
            "durable end {} above the written end {}",
            self.durable,
            self.written
        );
    }

    /// Everything that must hold, at any cost. For tests and the simulator, after every step.
    pub fn verify(&self) {
        if matches!(self.phase, Phase::Opening(_)) {
            return;
        }
        self.check();
        let bases = self.segments.iter().map(|segment| segment.base_offset);
        assert!(bases.is_sorted_by(|a, b| a < b), "segments ascend");
        if let Some(first) = self.segments.first() {
            assert!(
                first.base_offset <= self.log_start || self.segments.len() == 1,
                "log start {} lies below the first segment {}",
                self.log_start,
                first.base_offset
            );
        }
        for segment in &self.segments {
            assert!(segment.synced_bytes <= segment.bytes, "synced more than written");
        }
        self.verify_appends();
        self.verify_recent();
        self.producers.verify();
        self.epochs.verify();
        self.verify_compaction();
    }

    /// What a later start needs to open this log without reading it.
    pub fn checkpoint(&self) -> PartitionCheckpoint {
        PartitionCheckpoint::of(self)
    }
}

/// A completion's outcome, whatever op it was of.
#[derive(Debug)]
pub(crate) enum Outcome {
    Opened(Result<(millrace_io::FileRef, u64), IoError>),
    Read(Result<bytes::Bytes, IoError>),
    Wrote(Vec<bytes::Bytes>, Result<(), IoError>),
    Done(Result<(), IoError>),
    Listed(Result<Vec<millrace_io::DirEntry>, IoError>),
    Computed(Result<millrace_io::Computed, IoError>),
}

impl Outcome {
    fn of<M>(completion: Completion<M>) -> Option<(Token, Self)> {
        match completion {
            Completion::Opened { token, result } => Some((token, Self::Opened(result))),
            Completion::Read { token, result } => Some((token, Self::Read(result))),
            Completion::Wrote { token, chunks, result } => {
                Some((token, Self::Wrote(chunks, result)))
            }
            Completion::Done { token, result } => Some((token, Self::Done(result))),
            Completion::Listed { token, result } => Some((token, Self::Listed(result))),
            Completion::Computed { token, result } => Some((token, Self::Computed(result))),
            Completion::Accepted { .. }
            | Completion::Received { .. }
            | Completion::Filled { .. }
            | Completion::Sent { .. }
            | Completion::Closed { .. }
            | Completion::Mail { .. }
            | Completion::Stop => None,
        }
    }

    /// The error, if the op failed for want of descriptors or memory.
    pub(crate) fn exhausted(&self) -> Option<IoError> {
        let error = match self {
            Self::Opened(result) => result.as_ref().err(),
            Self::Read(result) => result.as_ref().err(),
            Self::Wrote(_, result) | Self::Done(result) => result.as_ref().err(),
            Self::Listed(result) => result.as_ref().err(),
            Self::Computed(result) => result.as_ref().err(),
        };
        error.copied().filter(|error| is_exhausted(*error))
    }

    /// The outcome of an op that completes with `Done` or `Wrote`.
    pub(crate) fn done(self) -> Result<(), IoError> {
        match self {
            Self::Done(result) | Self::Wrote(_, result) => result,
            Self::Opened(_) | Self::Read(_) | Self::Listed(_) | Self::Computed(_) => {
                Err(WRONG_KIND)
            }
        }
    }

    pub(crate) fn opened(self) -> Result<(millrace_io::FileRef, u64), IoError> {
        match self {
            Self::Opened(result) => result,
            Self::Done(_)
            | Self::Wrote(..)
            | Self::Read(_)
            | Self::Listed(_)
            | Self::Computed(_) => Err(WRONG_KIND),
        }
    }

    pub(crate) fn read(self) -> Result<bytes::Bytes, IoError> {
        match self {
            Self::Read(result) => result,
            Self::Done(_)
            | Self::Wrote(..)
            | Self::Opened(_)
            | Self::Listed(_)
            | Self::Computed(_) => Err(WRONG_KIND),
        }
    }

    pub(crate) fn listed(self) -> Result<Vec<millrace_io::DirEntry>, IoError> {
        match self {
            Self::Listed(result) => result,
            Self::Done(_)
            | Self::Wrote(..)
            | Self::Opened(_)
            | Self::Read(_)
            | Self::Computed(_) => Err(WRONG_KIND),
        }
    }

    pub(crate) fn computed(self) -> Result<millrace_io::Computed, IoError> {
        match self {
            Self::Computed(result) => result,
            Self::Done(_) | Self::Wrote(..) | Self::Opened(_) | Self::Read(_) | Self::Listed(_) => {
                Err(WRONG_KIND)
            }
        }
    }
}

/// A driver answered an op with another op's completion.
const WRONG_KIND: IoError = IoError { kind: IoErrorKind::Other, errno: 0 };

/// True for want of descriptors or memory.
pub(crate) const fn is_exhausted(error: IoError) -> bool {
    matches!(error.kind, IoErrorKind::Exhausted)
}

/// True for failures that end when somebody frees something.
pub(crate) const fn may_pass(error: IoError) -> bool {
    matches!(error.kind, IoErrorKind::NoSpace | IoErrorKind::Exhausted)
}

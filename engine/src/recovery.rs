//! Opening a log: from a checkpoint without touching a file, or from its folder.
//!
//! ```text
//!  clean stop, checkpoint ──▶ Ready                                  (no file operation)
//!
//!  else:  list folder ─▶ epochs ─▶ newest producer snapshot ─▶ index of the first segment to scan
//!              │                                                           │
//!              └ orphans removed                                           ▼
//!         Ready ◀─ finish ◀── scan of every batch from the recovery point on, CRC and all
//!                  (cut the tail, drop what lies behind a cut, write what was rebuilt)
//! ```
//!
//! - The scan starts at the recovery point, or at the newest producers' state if that is older,
//!   never at the start of the log: at the last index entry before it.
//! - At or above the recovery point the first bytes that are no whole, right batch end the log: the
//!   file is cut there and later segments go. [`RecoveryReport`] says what went.
//! - Below it such bytes were promised to be durable. They are never cut: a batch with a wrong
//!   CRC puts its segment into quarantine from there; where no batch can be found at all the log
//!   fails, and the operator decides.
//! - After a kill the page cache still has what was written, so on the same boot of the machine the
//!   checkpoint's written end counts as the recovery point.
//! - Where descriptors or memory are short, the recovery begins anew a second later, as if the process
//!   had been killed there: what it has changed by then is what another one would have changed.
//! - After a sync that failed, or whose end nobody saw, it may show what the disk does not have, and a
//!   second sync would seem to work. Then, and always where only durable records count, all that is not known to be durable
//!   is written once more, as it is read, and synced before the log is open.

use bytes::Bytes;
use millrace_io::{FileRef, IoError, IoErrorKind, Mono, Now, Op, OpenMode};

use crate::append::{SPACE_RETRY_MS, SyncPass};
use crate::checkpoint::{PartitionCheckpoint, SegmentCheckpoint};
use crate::checkpoint_file::read_epochs;
use crate::config::Durability;
use crate::index::{
    OffsetIndex, TimeIndex, offset_entries_before, sane_offset_bytes, sane_time_bytes,
    time_entries_until,
};
use crate::leader_epoch::LeaderEpochs;
use crate::log::{AppendError, Log, LogEvent, Outcome, Pending, Phase, may_pass};
use crate::producer_state::ProducerState;
use crate::segment::{
    LOG_SUFFIX, LazyFile, MaxTimestamp, OFFSET_INDEX_SUFFIX, SNAPSHOT_SUFFIX, TIME_INDEX_SUFFIX,
    file_name,
};
use crate::{Offset, producer_snapshot};

mod finish;
mod listing;
mod scan;
mod swap;

pub use scan::{CutReason, SCAN_BYTES};
pub(crate) use scan::{Found, Scanner, Want};

/// What is known before a log is opened.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The last process stopped cleanly: everything in the folder can be trusted.
    pub is_clean: bool,
    /// From the shard checkpoint, if there is one.
    pub checkpoint: Option<PartitionCheckpoint>,
    /// The machine was not restarted since the checkpoint was written.
    pub is_same_boot: bool,
    /// From `recovery-point-offset-checkpoint`; 0 if it is not there.
    pub recovery_point: Offset,
    /// From `log-start-offset-checkpoint`; 0 if it is not there.
    pub log_start: Offset,
    /// From `replication-offset-checkpoint`; 0 if it is not there.
    pub high_watermark: Offset,
    /// From `cleaner-offset-checkpoint`; 0 if it is not there.
    pub cleaned_to: Offset,
}

impl Opening {
    /// What a later start is to be told of a log that was not opened with this: what was known of it
    /// stays, for it may yet be mended. But that start takes the checkpoint for one of this boot, so
    /// what was only written on an earlier one does not count any more.
    pub fn carried(&self) -> Option<PartitionCheckpoint> {
        let mut checkpoint = self.checkpoint.clone()?;
        if !self.is_same_boot {
            checkpoint.written = checkpoint.written.min(checkpoint.recovery_point);
        }
        Some(checkpoint)
    }
}

/// What opening a log came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Where the log ends.
    pub log_end: Offset,
    /// Bytes read and checked.
    pub scanned_bytes: u64,
    /// Batches found whole.
    pub scanned_batches: u64,
    /// What was cut off the end, if anything was.
    pub cut: Option<TailCut>,
    /// Segments behind the cut that went with it.
    pub dropped_segments: u32,
    /// Leftovers (`.deleted`, `.cleaned`) that were removed.
    pub orphan_files: u32,
    /// Records from here to the recovery point were promised to be durable and are gone.
    pub missing_from: Option<Offset>,
    /// The folder was not there: whatever the log held is gone, or it never held anything.
    pub is_folder_missing: bool,
}

/// A tail that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailCut {
    /// Base offset of the segment.
    pub segment: Offset,
    /// New length of its file, bytes.
    pub position: u64,
    /// Bytes cut off, those of dropped segments included.
    pub bytes: u64,
    /// Why the batch there does not count.
    pub reason: CutReason,
}

/// The largest epoch or snapshot file that is read, bytes.
const SMALL_FILE_BYTES_MAX: u32 = 64 << 20;
/// The largest index file that is read, bytes; Kafka's default is 10 MiB.
const INDEX_BYTES_MAX: u32 = 256 << 20;
/// A segment above this size has index entries: twice Kafka's default interval.
const INDEXED_FROM_BYTES: u64 = 16 << 10;

/// Which answer of the world recovery waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Listed,
    Epochs,
    Snapshot,
    OffsetIndex,
    TimeIndex,
    File,
    Bytes,
    Rewritten,
    SwapFile,
    SwapBytes,
    Ended,
}

/// A recovery under way.
#[derive(Debug)]
pub(crate) struct Recovery {
    opening: Opening,
    report: RecoveryReport,
    /// Offsets of the snapshot files that may still be tried, ascending.
    snapshots: Vec<Offset>,
    /// All of them.
    snapshots_all: Vec<Offset>,
    /// Lengths of the `.log` files.
    lengths: Vec<(Offset, u64)>,
    /// The producers count up to here; the scan goes on from there.
    producers_from: Offset,
    /// The end of the log turned out to lie below the producers' state: start over with one that
    /// is at most this.
    producers_limit: Offset,
    /// Everything below must be there: it is durable, or in the page cache of this very boot.
    point: Offset,
    /// Everything below was synced.
    durable: Offset,
    /// What is read is written once more: its pages may be clean and yet not on the disk.
    rewrites: bool,
    /// A sync was begun on this boot and is not known to have worked; a file says so.
    is_sync_pending: bool,
    /// Bytes that were read and are being written once more.
    rewriting: Bytes,
    /// The first segment that was scanned, and the one being scanned.
    first_scanned: usize,
    index: usize,
    /// Where its scan began.
    start: u64,
    offset_index: Bytes,
    file: Option<FileRef>,
    scanner: Option<Scanner>,
    has_metadata: bool,
    is_finishing: bool,
    /// The folder was synced, or is being: all names that are there are durable then.
    is_folder_synced: bool,
    /// Swap files that are put into their places first.
    swap: Option<Box<swap::Swap>>,
    /// Descriptors or memory are short: what is under way is let end.
    is_exhausted: bool,
    /// It has ended: when the recovery begins anew.
    retry_at: Option<Mono>,
}

impl Recovery {
    fn new(opening: Opening, contract: Durability) -> Self {
        let checkpoint = opening.checkpoint.as_ref();
        let is_cached = opening.is_same_boot && contract == Durability::PageCache;
        let written = checkpoint.filter(|_| is_cached).map_or(0, |known| known.written);
        let synced = checkpoint.map_or(0, |known| known.recovery_point);
        let durable = opening.recovery_point.max(Offset(synced));
        let point = durable.max(Offset(written));
        // Without a checkpoint nobody knows whether the machine was started anew since.
        let is_other_boot = checkpoint.is_some() && !opening.is_same_boot;
        let rewrites = contract != Durability::PageCache && !opening.is_clean && !is_other_boot;
        Self {
            report: RecoveryReport::default(),
            snapshots: Vec::new(),
            snapshots_all: Vec::new(),
            lengths: Vec::new(),
            producers_from: Offset(0),
            producers_limit: Offset(i64::MAX),
            point,
            durable,
            rewrites,
            is_sync_pending: false,
            rewriting: Bytes::new(),
            first_scanned: 0,
            index: 0,
            start: 0,
            offset_index: Bytes::new(),
            file: None,
            scanner: None,
            has_metadata: false,
            is_finishing: false,
            is_folder_synced: false,
            swap: None,
            is_exhausted: false,
            retry_at: None,
            opening,
        }
    }

    /// Something has to wait for descriptors, memory or room: once nothing is under way it is let go
    /// of, and the recovery begins anew a second later.
    pub(crate) fn begin_anew_later(&mut self) {
        self.is_exhausted = true;
    }

    fn known_segment(&self, base: Offset) -> Option<&SegmentCheckpoint> {
        let segments = &self.opening.checkpoint.as_ref()?.segments;
        segments.iter().find(|segment| segment.base_offset == base.0)
    }
}

impl Log {
    /// Installs the checkpoint of a clean stop, or begins to read the folder.
    pub(crate) fn begin_recovery<M>(&mut self, opening: Opening, now: Now, ops: &mut Vec<Op<M>>) {
        self.cleaned_to = opening.cleaned_to;
        if opening.is_clean
            && let Some(checkpoint) = &opening.checkpoint
            && self.install(checkpoint)
        {
            self.log_start = self.log_start.max(opening.log_start.min(self.written));
            self.high_watermark = self.high_watermark.max(self.log_start);
            self.become_ready(now, RecoveryReport { log_end: self.log_end, ..Default::default() });
            return;
        }
        self.phase = Phase::Opening(Box::new(Recovery::new(opening, self.appender.contract)));
        let path = self.spec.dir.clone();
        self.recovery_op(Step::Listed, ops, |token| Op::List { token, path });
    }

    /// The active segment's file, opened for the first time since a clean stop, is not as long as it
    /// was left: somebody else was at the folder. The log is opened as after a crash; what was on
    /// its way is refused, and comes again.
    ///
    /// While something else is under way, nothing is done: its completion leads here again.
    pub(crate) fn recover_anew<M>(&mut self, now: Now, length: u64, ops: &mut Vec<Op<M>>) {
        if self.wires.count() > 0 {
            return;
        }
        self.drop_compaction();
        self.fail_jobs();
        self.abandon_appends(AppendError::NotReady);
        let active = self.active();
        let (segment, position) = (active.base_offset, length.min(active.bytes));
        let reason = "the file is not as long as at the last stop; the log is recovered";
        self.events.push(LogEvent::Corrupt { segment, position, reason });
        let opening = Opening {
            is_clean: false,
            is_same_boot: false,
            checkpoint: None,
            // The segments below were left alone as far as is known.
            recovery_point: segment.min(self.durable),
            log_start: self.log_start,
            high_watermark: self.high_watermark,
            cleaned_to: self.cleaned_to,
        };
        self.reader.forget_recent();
        self.reader.rebuilds.clear();
        self.appender.next = None;
        self.begin_recovery(opening, now, ops);
    }

    /// Takes a clean checkpoint over; false if it contradicts itself.
    fn install(&mut self, checkpoint: &PartitionCheckpoint) -> bool {
        let bases = checkpoint.segments.iter().map(|segment| segment.base_offset);
        let is_sane = !checkpoint.segments.is_empty()
            && bases.is_sorted_by(|a, b| a < b)
            && checkpoint.log_start <= checkpoint.high_watermark
            && checkpoint.high_watermark <= checkpoint.written
            && checkpoint.producers_offset == checkpoint.written
            && checkpoint
                .segments
                .last()
                .is_some_and(|last| last.base_offset <= checkpoint.written);
        let producers =
            producer_snapshot::decode(&checkpoint.producers, self.spec.config.producers_max);
        let (true, Ok(producers)) = (is_sane, producers) else {
            return false;
        };
        self.producers = producers;
        self.segments = checkpoint.segments.iter().map(SegmentCheckpoint::to_segment).collect();
        self.log_start = Offset(checkpoint.log_start);
        self.high_watermark = Offset(checkpoint.high_watermark);
        self.written = Offset(checkpoint.written);
        self.log_end = self.written;
        self.producers_stored = self.written;
        self.durable = Offset(checkpoint.recovery_point).min(self.written);
        // The stop may have left the folder to sync: it had no descriptor for it, or nothing else to sync.
        self.sync.is_folder_dirty = true;
        self.install_epochs(&checkpoint.epochs);
        true
    }

    fn become_ready(&mut self, now: Now, report: RecoveryReport) {
        self.phase = Phase::Running;
        self.appender.reset_tip(&self.segments);
        self.reader.hot_from = self.log_end;
        self.sync.dirty_since = (self.durable < self.written).then_some(now.mono);
        self.events.push(LogEvent::Ready(report));
    }

    fn recovery_op<M>(
        &mut self,
        step: Step,
        ops: &mut Vec<Op<M>>,
        op: impl FnOnce(millrace_io::Token) -> Op<M>,
    ) {
        let token = self.wires.token(Pending::Recovery(step));
        ops.push(op(token));
    }

    /// An answer of the world to one of the steps.
    pub(crate) fn on_recovery<M>(
        &mut self,
        now: Now,
        step: Step,
        outcome: Outcome,
        ops: &mut Vec<Op<M>>,
    ) {
        if !matches!(self.phase, Phase::Opening(_)) {
            // Failed or deleted meanwhile: the answer is of no interest.
            return;
        }
        let Phase::Opening(mut recovery) = std::mem::replace(&mut self.phase, Phase::Failed) else {
            return;
        };
        if let Some(error) = outcome.exhausted() {
            self.note_exhausted("opening the log", error);
            recovery.begin_anew_later();
        }
        if recovery.is_exhausted {
            self.phase = Phase::Opening(recovery);
            return;
        }
        let result = match step {
            Step::Listed => self.on_listed(now, &mut recovery, outcome.listed(), ops),
            Step::Epochs => self.on_epochs_read(&mut recovery, outcome.read(), ops),
            Step::Snapshot => self.on_snapshot_read(&mut recovery, outcome.read(), ops),
            Step::OffsetIndex => self.on_offset_index(&mut recovery, outcome.read(), ops),
            Step::TimeIndex => self.on_time_index(&mut recovery, &outcome.read(), ops),
            Step::File => self.on_file_opened(&mut recovery, outcome.opened(), ops),
            Step::Bytes => self.on_bytes(&mut recovery, outcome.read(), ops),
            Step::Rewritten => self.on_rewritten(&mut recovery, outcome.done(), ops),
            Step::SwapFile => self.on_swap_opened(&mut recovery, outcome.opened(), ops),
            Step::SwapBytes => self.on_swap_bytes(&mut recovery, outcome.read(), ops),
            Step::Ended => outcome.done().map_err(Failure::Io),
        };
        self.phase = Phase::Opening(recovery);
        if let Err(failure) = result {
            let dir = self.spec.dir.display().to_string();
            self.fail(match failure {
                Failure::Io(error) => format!("recovery of {dir} failed: {error}"),
                Failure::Corrupt { segment, position } => format!(
                    "{dir} holds no batch at byte {position} of segment {segment}, below the \
                     recovery point; nothing was changed"
                ),
            });
        }
    }
}

impl Log {
    /// Lets go of what a recovery holds that ran out of descriptors or memory, once nothing of it is
    /// under way. True if it did, or waits already.
    fn pause_recovery(&mut self, now: Now) -> bool {
        let Phase::Opening(recovery) = &mut self.phase else { return false };
        if recovery.is_exhausted && recovery.retry_at.is_none() && self.wires.count() == 0 {
            recovery.retry_at = Some(now.mono.plus_ms(SPACE_RETRY_MS));
            (recovery.file, recovery.scanner, recovery.swap) = (None, None, None);
            self.segments.clear();
        }
        recovery.is_exhausted
    }

    /// Begins a recovery anew that ran out of descriptors or memory, once its time has come.
    pub(crate) fn maybe_recover_again<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        let Phase::Opening(recovery) = &mut self.phase else { return };
        if recovery.retry_at.is_none_or(|retry_at| now.mono < retry_at) {
            return;
        }
        let report = std::mem::take(&mut recovery.report);
        let opening = std::mem::take(&mut recovery.opening);
        let start = Offset(0);
        (self.log_start, self.high_watermark, self.written) = (start, start, start);
        (self.log_end, self.durable, self.producers_stored) = (start, start, start);
        self.epochs = LeaderEpochs::new();
        self.is_epochs_dirty = false;
        self.loose_snapshot = None;
        // Names that were changed are not durable.
        self.sync = SyncPass::default();
        self.sync.is_folder_dirty = true;
        self.begin_recovery(opening, now, ops);
        if let Phase::Opening(recovery) = &mut self.phase {
            // What was cut, dropped and removed is not found again.
            recovery.report = report;
        }
    }
}

/// Why a recovery cannot go on.
enum Failure {
    Io(IoError),
    Corrupt { segment: Offset, position: u64 },
}

type Progress = Result<(), Failure>;

/// A device's failure ends the recovery; anything else is as if the file were not there. Want of
/// descriptors or memory never comes here.
fn unless_device_failed<T>(result: Result<T, IoError>) -> Result<Result<T, IoError>, Failure> {
    match result {
        Err(error) if error.kind == IoErrorKind::Device => Err(Failure::Io(error)),
        other => Ok(other),
    }
}

impl Log {
    fn on_epochs_read<M>(
        &mut self,
        recovery: &mut Recovery,
        result: Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        // An unreadable epoch file is rebuilt as far as the scan reaches; older epochs come from
        // the checkpoint, if there is one. A file that may be read another time is not that.
        let result = unless_device_failed(result)?;
        let read = result.ok().and_then(|bytes| read_epochs(&bytes).ok());
        match (read, &recovery.opening.checkpoint) {
            (Some(epochs), _) => self.epochs = epochs,
            (None, Some(checkpoint)) => {
                let entries = checkpoint.epochs.clone();
                self.install_epochs(&entries);
            }
            (None, None) => {}
        }
        self.choose_producers(recovery, ops)
    }

    /// Finds the newest producers' state that may count: the checkpoint's or a snapshot file's.
    fn choose_producers<M>(&mut self, recovery: &mut Recovery, ops: &mut Vec<Op<M>>) -> Progress {
        let limit = recovery.producers_limit;
        self.producers = ProducerState::new(self.spec.config.producers_max);
        recovery.snapshots.retain(|offset| *offset <= limit);
        let newest_file = recovery.snapshots.last().copied();
        // A snapshot file may be the newer one, and then perhaps the only one that counts: the
        // records between the checkpoint and it may have been deleted since.
        if let Some(checkpoint) = &recovery.opening.checkpoint
            && let Some(offset) = recovery.checkpointed_producers()
            && newest_file.is_none_or(|newest| offset >= newest)
            && let Ok(producers) =
                producer_snapshot::decode(&checkpoint.producers, self.spec.config.producers_max)
        {
            self.producers = producers;
            recovery.producers_from = offset;
            return self.begin_scan(recovery, ops);
        }
        if let Some(offset) = newest_file {
            let path = self.spec.dir.join(file_name(offset, SNAPSHOT_SUFFIX));
            self.recovery_op(Step::Snapshot, ops, |token| Op::ReadWhole {
                token,
                path,
                length_max: SMALL_FILE_BYTES_MAX,
            });
            return Ok(());
        }
        // No state at all. Only a folder that was left in order is believed to need none; else it is
        // built from every record there is, as Kafka does.
        let segment =
            if recovery.opening.is_clean { self.segments.last() } else { self.segments.first() };
        let base = segment.map_or(Offset(0), |segment| segment.base_offset);
        recovery.producers_from = base.min(limit);
        self.begin_scan(recovery, ops)
    }

    fn on_snapshot_read<M>(
        &mut self,
        recovery: &mut Recovery,
        result: Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        // What may be readable another time is not to be removed for good.
        let result = unless_device_failed(result)?;
        let offset = recovery.snapshots.pop().unwrap_or_default();
        let decoded = result.ok().and_then(|bytes| {
            producer_snapshot::decode(&bytes, self.spec.config.producers_max).ok()
        });
        let Some(producers) = decoded else {
            let path = self.spec.dir.join(file_name(offset, SNAPSHOT_SUFFIX));
            let token = self.wires.token(Pending::Housekeeping);
            ops.push(Op::Remove { token, path });
            return self.choose_producers(recovery, ops);
        };
        self.producers = producers;
        recovery.producers_from = offset;
        self.begin_scan(recovery, ops)
    }

    /// Finds the segment to start in, and reads its indexes.
    fn begin_scan<M>(&mut self, recovery: &mut Recovery, ops: &mut Vec<Op<M>>) -> Progress {
        let first = self.segments.first().map_or(Offset(0), |segment| segment.base_offset);
        if recovery.producers_from < first {
            // What producers did in between is gone. To take them for unknown lets them go on; to
            // go by what was known before would refuse their next batches.
            self.producers.clear();
            recovery.producers_from = first;
        }
        self.producers_stored = recovery.producers_from;
        let from = recovery.scan_from();
        recovery.index = self.segment_index_of(from);
        recovery.first_scanned = recovery.index;
        for segment in &mut self.segments[recovery.index..] {
            let length = recovery.lengths.iter().find(|(base, _)| *base == segment.base_offset);
            segment.bytes = length.map_or(0, |(_, length)| *length);
        }
        let base = self.segments[recovery.index].base_offset;
        self.written = base;
        let path = self.spec.dir.join(file_name(base, OFFSET_INDEX_SUFFIX));
        self.recovery_op(Step::OffsetIndex, ops, |token| Op::ReadWhole {
            token,
            path,
            length_max: INDEX_BYTES_MAX,
        });
        Ok(())
    }

    fn on_offset_index<M>(
        &mut self,
        recovery: &mut Recovery,
        result: Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        recovery.offset_index = result.unwrap_or_default();
        let base = self.segments[recovery.index].base_offset;
        let path = self.spec.dir.join(file_name(base, TIME_INDEX_SUFFIX));
        self.recovery_op(Step::TimeIndex, ops, |token| Op::ReadWhole {
            token,
            path,
            length_max: INDEX_BYTES_MAX,
        });
        Ok(())
    }

    /// Both indexes are read: what lies before the scan stays, the scan starts at the last entry.
    fn on_time_index<M>(
        &mut self,
        recovery: &mut Recovery,
        result: &Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let times = result.as_ref().map_or(&[][..], |bytes| bytes);
        let from = recovery.scan_from();
        let known = recovery.known_segment(self.segments[recovery.index].base_offset).cloned();
        let segment = &mut self.segments[recovery.index];
        let offsets = &recovery.offset_index;
        let offsets = &offsets[..sane_offset_bytes(offsets, segment.bytes)];
        let (kept, last) = offset_entries_before(offsets, segment.relative(from));
        segment.offsets = OffsetIndex::stored(u32::try_from(kept).unwrap_or(0));
        segment.offsets.load(&offsets[..kept]);
        let times = &times[..sane_time_bytes(times)];
        let (kept, time) = time_entries_until(times, last.map(|entry| entry.relative));
        segment.times = TimeIndex::stored(u32::try_from(kept).unwrap_or(0));
        segment.times.load(&times[..kept]);
        segment.time_indexed = time.map_or(-1, |entry| entry.timestamp);
        let max = time.map_or(MaxTimestamp::NONE, |entry| MaxTimestamp {
            timestamp: entry.timestamp,
            offset: segment.base_offset.plus(i64::from(entry.relative)),
        });
        let known_max = known.as_ref().and_then(SegmentCheckpoint::max).filter(|_| last.is_some());
        segment.max_timestamp =
            Some(known_max.filter(|known| known.timestamp > max.timestamp).unwrap_or(max));
        segment.first_timestamp = known.as_ref().and_then(SegmentCheckpoint::first);
        let position = last.map_or(0, |entry| u64::from(entry.position));
        self.open_for_scan(recovery, position, ops);
        Ok(())
    }

    /// Opens the segment to scan; the scan begins at `position`.
    fn open_for_scan<M>(&mut self, recovery: &mut Recovery, position: u64, ops: &mut Vec<Op<M>>) {
        let next = self.segments.get(recovery.index + 1);
        let limit = next.map_or(Offset(i64::MAX), |next| next.base_offset);
        let segment = &mut self.segments[recovery.index];
        let end = segment.bytes;
        segment.bytes = position;
        segment.synced_bytes = 0;
        segment.unindexed_bytes = 0;
        recovery.start = position;
        recovery.scanner = Some(Scanner::new(position, end, segment.base_offset).until(limit));
        let path = segment.path(&self.spec.dir, LOG_SUFFIX);
        let mode = OpenMode::ReadWrite;
        self.recovery_op(Step::File, ops, |token| Op::Open { token, path, mode });
    }

    fn on_file_opened<M>(
        &mut self,
        recovery: &mut Recovery,
        result: Result<(FileRef, u64), IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let (file, _) = result.map_err(Failure::Io)?;
        recovery.file = Some(file);
        self.scan_on(recovery, ops)
    }

    /// Asks for the next bytes, or ends the scan of a segment.
    fn scan_on<M>(&mut self, recovery: &mut Recovery, ops: &mut Vec<Op<M>>) -> Progress {
        let (Some(scanner), Some(file)) = (&recovery.scanner, recovery.file.clone()) else {
            return Ok(());
        };
        match scanner.want() {
            Want::Read { position, length } => {
                let op = |token| Op::Read { token, file, position, length };
                self.recovery_op(Step::Bytes, ops, op);
                Ok(())
            }
            Want::End { position, cut } => self.end_segment(recovery, position, cut, ops),
        }
    }

    fn on_bytes<M>(
        &mut self,
        recovery: &mut Recovery,
        result: Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let bytes = result.map_err(Failure::Io)?;
        recovery.report.scanned_bytes += bytes.len() as u64;
        if recovery.rewrites
            && !bytes.is_empty()
            && let Some(Want::Read { position, .. }) = recovery.scanner.as_ref().map(Scanner::want)
            && let Some(file) = recovery.file.clone()
        {
            recovery.rewriting = bytes.clone();
            let op = |token| Op::Write { token, file, position, chunks: vec![bytes] };
            self.recovery_op(Step::Rewritten, ops, op);
            return Ok(());
        }
        self.scan_bytes(recovery, &bytes, ops)
    }

    fn on_rewritten<M>(
        &mut self,
        recovery: &mut Recovery,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        // A filesystem that never writes in place may have no room for it; the sync tells the rest.
        result.or_else(|error| if may_pass(error) { Ok(()) } else { Err(Failure::Io(error)) })?;
        let bytes = std::mem::take(&mut recovery.rewriting);
        self.scan_bytes(recovery, &bytes, ops)
    }

    fn scan_bytes<M>(
        &mut self,
        recovery: &mut Recovery,
        bytes: &[u8],
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let Some(mut scanner) = recovery.scanner.take() else {
            return Ok(());
        };
        scanner.feed(bytes, &mut |found| self.on_found(recovery, &found));
        recovery.scanner = Some(scanner);
        self.scan_on(recovery, ops)
    }

    /// A whole batch.
    fn on_found(&mut self, recovery: &mut Recovery, found: &Found<'_>) {
        recovery.report.scanned_batches += 1;
        let header = &found.header;
        let interval = self.spec.config.index_interval_bytes;
        let segment = &mut self.segments[recovery.index];
        segment.take_in(*header, interval);
        self.note_epoch(header.leader_epoch, header.base_offset);
        if header.base_offset >= recovery.producers_from {
            self.replay(header, found.bytes);
        }
        self.written = self.written.max(header.next_offset());
    }

    /// The scan of one segment ended: on to the next, or cut here.
    fn end_segment<M>(
        &mut self,
        recovery: &mut Recovery,
        position: u64,
        cut: Option<CutReason>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let base = self.segments[recovery.index].base_offset;
        if cut.is_some() && position == recovery.start && position > 0 {
            // The index led astray: without it.
            self.scan_anew(recovery, ops);
            return Ok(());
        }
        if let Some(reason) = cut {
            if self.maybe_quarantine(recovery, position) {
                return self.scan_on(recovery, ops);
            }
            let end = recovery.scanner.as_ref().map_or(base, Scanner::next_offset);
            // What was promised lies at or above the log's start.
            if end < recovery.point && self.log_start < recovery.point {
                return Err(Failure::Corrupt { segment: base, position });
            }
            let next = self.segments.get(recovery.index + 1).map(|next| next.base_offset);
            if next != Some(end) {
                self.cut_tail(recovery, position, reason, ops);
                return self.end_scan(recovery, ops);
            }
            self.trim_sealed(recovery, position, ops);
        }
        self.segments[recovery.index].file = match recovery.file.take() {
            Some(file) => LazyFile::Open(file),
            None => LazyFile::Closed,
        };
        let Some(next) = self.segments.get(recovery.index + 1).map(|next| next.base_offset) else {
            return self.end_scan(recovery, ops);
        };
        // Compaction may leave gaps; elsewhere one above the recovery point is a tail that was lost.
        if self.written < next
            && self.written >= recovery.point
            && !self.spec.config.cleanup_compact
        {
            self.cut_tail(recovery, position, CutReason::Gap, ops);
            return self.end_scan(recovery, ops);
        }
        // A sealed segment has its largest timestamp in the index, and no gap behind it that a
        // lost tail would leave: the next one starts at or behind its end.
        self.segments[recovery.index].index_time();
        recovery.index += 1;
        self.written = self.written.max(self.segments[recovery.index].base_offset);
        self.scan_anew(recovery, ops);
        Ok(())
    }

    /// Scans the whole of the current segment and builds its indexes from nothing.
    fn scan_anew<M>(&mut self, recovery: &mut Recovery, ops: &mut Vec<Op<M>>) {
        let segment = &mut self.segments[recovery.index];
        let length = recovery.lengths.iter().find(|(base, _)| *base == segment.base_offset);
        segment.bytes = length.map_or(0, |(_, length)| *length);
        segment.offsets = OffsetIndex::empty();
        segment.times = TimeIndex::empty();
        segment.max_timestamp = Some(MaxTimestamp::NONE);
        segment.first_timestamp = None;
        segment.time_indexed = -1;
        self.open_for_scan(recovery, 0, ops);
    }

    /// A batch with a wrong CRC that was promised to be durable stays, unread, and the scan goes on
    /// behind it. False if it was not promised, or is no batch.
    fn maybe_quarantine(&mut self, recovery: &mut Recovery, position: u64) -> bool {
        let Some(scanner) = recovery.scanner.as_mut() else {
            return false;
        };
        let Some(header) = scanner.skip_bad_batch(recovery.point) else {
            return false;
        };
        let base = self.segments[recovery.index].base_offset;
        let interval = self.spec.config.index_interval_bytes;
        self.segments[recovery.index].take_in(header, interval);
        self.written = self.written.max(header.next_offset());
        self.quarantine(base, position, "wrong CRC below the recovery point");
        true
    }
}

impl Recovery {
    /// When it begins anew, if it waits for descriptors or memory.
    pub(crate) const fn retry_at(&self) -> Option<Mono> {
        self.retry_at
    }

    /// The offset of the checkpoint's producers, if it has some that may count.
    fn checkpointed_producers(&self) -> Option<Offset> {
        let offset = Offset(self.opening.checkpoint.as_ref()?.producers_offset);
        (offset >= Offset(0) && offset <= self.producers_limit).then_some(offset)
    }

    /// The page cache of this boot proves nothing.
    fn on_sync_pending(&mut self) {
        self.is_sync_pending = true;
        self.rewrites = true;
        self.point = self.durable;
    }

    /// Where the scan has to begin: at the older of what is durable and what the producers know.
    fn scan_from(&self) -> Offset {
        if self.opening.is_clean {
            return self.producers_from;
        }
        if self.rewrites {
            return self.durable.min(self.producers_from);
        }
        self.point.min(self.producers_from)
    }
}

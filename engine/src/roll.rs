//! Segments come and go: rolling, reserving blocks, flushing indexes, and closing what is idle.
//!
//! ```text
//!  append decides ──▶ next file is opened ──▶ last write to the old segment ends ──▶ switch ──▶ write
//!  (offset known)     beside that write         (index flushed, blocks freed)
//! ```
//!
//! - The next file is made in the turn that decides the roll, beside the old segment's last write,
//!   so its cost is hidden; nothing goes into it before that write has ended. A crash in between
//!   leaves an empty file whose name is the end of the log, or lies behind it: recovery drops it.
//! - Blocks are reserved without changing the file's length: the length always bounds the data.
//! - Indexes are flushed lazily; recovery builds what is missing from the batches.

use bytes::Bytes;
use millrace_io::{FileRef, IoError, IoErrorKind, Mono, Now, Op};

use crate::append::{SPACE_RETRY_MS, Storage};
use crate::batch::BatchHeader;
use crate::log::{AppendError, Log, LogEvent, Pending, Phase, is_exhausted, may_pass};
use crate::partition_metadata::{PARTITION_METADATA_FILE, read_partition_metadata};
use crate::segment::{LazyFile, Segment, log_name};
use crate::{Offset, index};

/// Bytes of unflushed index entries that start a flush.
pub const INDEX_FLUSH_BYTES: usize = 4096;
/// The smallest and the largest reservation, bytes. In between as much as the segment holds, so
/// that a small partition costs little and a large one does not stop often.
pub const RESERVE_BYTES_MIN: u64 = 1 << 20;
/// See [`RESERVE_BYTES_MIN`].
pub const RESERVE_BYTES_MAX: u64 = 64 << 20;
/// A segment with fewer bytes reserves nothing.
pub const RESERVE_FROM_BYTES: u64 = 256 << 10;
/// After this time without a call a log closes its files and frees what it can, ms.
pub const IDLE_MS: u64 = 30_000;

/// After this time it is looked again whether another topic's folder is gone, ms.
const FOLDER_RETRY_MS: u64 = 50;
/// A folder without a word of whose it is belongs to nobody when that has been so for this time, ms.
const FOLDER_PATIENCE_MS: u64 = 30_000;
/// The largest `partition.metadata` that is read, bytes.
const METADATA_BYTES_MAX: u32 = 4096;

/// A log that nobody called for so long is synced where descriptors are short, ms.
pub const SHED_REST_MS: u64 = 500;

/// The segment that will follow the active one.
#[derive(Debug)]
pub(crate) struct NextSegment {
    pub(crate) base: Offset,
    pub(crate) file: LazyFile,
    /// It could not be made.
    pub(crate) failed: Option<IoError>,
}

impl Log {
    /// Whether a batch has to start a new segment. Kafka's `LogSegment.shouldRoll`.
    pub(crate) fn must_roll(&self, now: Now, header: &BatchHeader) -> bool {
        let tip = &self.appender.tip;
        let config = &self.spec.config;
        if tip.bytes == 0 {
            return false;
        }
        let bytes = header.bytes_total() as u64;
        let is_full = tip.bytes + bytes > u64::from(config.segment_bytes);
        let is_far = header.last_offset().0 - tip.base.0 > i64::from(i32::MAX);
        // Nothing would be served of what came behind bytes that are no batches.
        let active = self.active();
        let is_bad = active.base_offset == tip.base && active.quarantined_from.is_some();
        is_full || is_far || is_bad || self.is_old(now, header) || self.is_index_full()
    }

    fn is_old(&self, now: Now, header: &BatchHeader) -> bool {
        let tip = &self.appender.tip;
        let age_ms = match tip.first_timestamp {
            Some(first) if first >= 0 && header.max_timestamp >= 0 => {
                header.max_timestamp.saturating_sub(first)
            }
            Some(_) | None => now.wall.0.saturating_sub(tip.made_ms),
        };
        let config = &self.spec.config;
        let jitter_max = config.segment_jitter_ms.min(config.segment_ms);
        let jitter = self.jitter(tip.base) % jitter_max.saturating_add(1).max(1);
        u64::try_from(age_ms).unwrap_or(0) > config.segment_ms - jitter
    }

    /// A number that differs between segments and partitions and is the same after a restart.
    fn jitter(&self, base: Offset) -> u64 {
        let mut mixed = base.0 as u64
            ^ u64::try_from(self.spec.topic_id.0 >> 64).unwrap_or(0)
            ^ u64::from(self.spec.owner);
        for shift in [33, 29, 32] {
            mixed = (mixed ^ (mixed >> shift)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        mixed
    }

    /// True if what is queued could overfill an index of the active segment.
    fn is_index_full(&self) -> bool {
        let active = self.active();
        let bytes_max = self.spec.config.segment_index_bytes as usize;
        let queued = self.appender.queued_count() + 2;
        active.offsets.bytes_total() + queued * index::OFFSET_ENTRY_BYTES > bytes_max
            || active.times.bytes_total() + queued * index::TIME_ENTRY_BYTES > bytes_max
    }

    /// Has the file of the next segment made as soon as its offset is known.
    pub(crate) fn prepare_next<M>(&mut self, ops: &mut Vec<Op<M>>) {
        // A second segment before the first one is there would fail for want of a folder, or be
        // taken for the log's beginning after a crash. Both were found by the simulator.
        let active = self.active();
        let is_first_missing = active.bytes == 0 && active.file.get().is_none();
        if self.appender.next.is_some() || self.appender.is_folder_missing || is_first_missing {
            return;
        }
        let Some(base) = self.appender.next_base() else {
            return;
        };
        self.appender.next = Some(NextSegment { base, file: LazyFile::Opening, failed: None });
        let path = self.spec.dir.join(log_name(base));
        let token = self.wires.token(Pending::NextOpened { base });
        ops.push(Op::Open { token, path, mode: crate::append::NEW_SEGMENT });
    }

    pub(crate) fn on_next_opened(&mut self, base: Offset, result: Result<(FileRef, u64), IoError>) {
        let dir = self.spec.dir.display().to_string();
        let Some(next) = self.appender.next.as_mut().filter(|next| next.base == base) else {
            return;
        };
        match result {
            Ok((file, 0)) => next.file = LazyFile::Open(file),
            Ok((_, length)) => {
                self.fail(format!("new segment {base} in {dir} already holds {length} bytes"));
            }
            Err(error) => {
                next.file = LazyFile::Closed;
                next.failed = Some(error);
            }
        }
    }

    /// Makes the next segment the active one, if its file is there. No write is in flight.
    pub(crate) fn maybe_switch_segment<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) -> bool {
        let Some(next) = self.appender.next.take() else {
            return false;
        };
        if let Some(error) = next.failed {
            self.appender.next = Some(next);
            self.on_storage_error(now, error, "making a segment", ops);
            return false;
        }
        let LazyFile::Open(file) = next.file else {
            self.appender.next = Some(next);
            return false;
        };
        assert_eq!(next.base, self.written, "a segment starts where the last one ends");
        self.seal_active(ops);
        let mut segment = Segment::empty(next.base, now.wall.0);
        segment.file = LazyFile::Open(file);
        self.segments.push(segment);
        self.appender.on_switched();
        self.reader.forget_recent();
        self.sync.is_folder_dirty = true;
        self.sync.is_wanted = true;
        self.write_snapshot(next.base, ops);
        true
    }

    /// Closes the active segment for writing: its indexes are complete, its reserve goes back.
    fn seal_active<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let active = self.active_mut();
        active.index_time();
        active.is_index_unsynced = true;
        let base = active.base_offset;
        self.flush_indexes(base, ops);
        self.maybe_trim(base, ops);
    }

    /// Frees the blocks reserved behind a segment's end.
    fn maybe_trim<M>(&mut self, base: Offset, ops: &mut Vec<Op<M>>) {
        let Some(segment) = self.segment_mut(base) else {
            return;
        };
        let is_idle = !segment.is_reserving && !segment.is_trimming;
        if segment.reserved_bytes <= segment.bytes || !is_idle {
            return;
        }
        segment.reserved_bytes = 0;
        let length = segment.bytes;
        if let Some(file) = segment.file.get().cloned() {
            segment.is_trimming = true;
            let token = self.wires.token(Pending::Trimmed { base });
            ops.push(Op::Truncate { token, file, length });
        }
    }

    /// Blocks that stay reserved do no harm: what came of it is of no interest.
    pub(crate) fn on_trimmed(&mut self, base: Offset) {
        if let Some(segment) = self.segment_mut(base) {
            segment.is_trimming = false;
        }
    }

    /// What a write leaves to do: reserve more, write back early, flush a full index tail.
    pub(crate) fn after_write<M>(&mut self, ops: &mut Vec<Op<M>>) {
        self.maybe_reserve(ops);
        self.maybe_write_back(ops);
        self.maybe_write_epochs(ops);
        let active = self.active();
        let base = active.base_offset;
        let is_due = |bytes: usize| bytes >= INDEX_FLUSH_BYTES;
        if is_due(active.offsets.unflushed_bytes()) || is_due(active.times.unflushed_bytes()) {
            self.flush_indexes(base, ops);
        }
    }

    fn maybe_reserve<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let limit = u64::from(self.spec.config.segment_bytes);
        let always = self.spec.config.reserve_bytes;
        let is_on = self.spec.config.preallocate || always > 0;
        let is_running = self.is_running();
        let active = self.active_mut();
        let window = match always {
            0 => active.bytes.clamp(RESERVE_BYTES_MIN, RESERVE_BYTES_MAX),
            bytes => bytes,
        };
        let is_due = (active.bytes >= RESERVE_FROM_BYTES || always > 0)
            && active.reserved_bytes < limit
            && active.reserved_bytes < active.bytes + window / 2;
        if !is_on || active.is_reserving || !is_due || !is_running {
            return;
        }
        let position = active.reserved_bytes.max(active.bytes);
        let end = (position + window).min(limit);
        let Some(file) = active.file.get().cloned() else {
            return;
        };
        if end <= position {
            return;
        }
        active.is_reserving = true;
        let base = active.base_offset;
        let token = self.wires.token(Pending::Reserved { base, end });
        ops.push(Op::Allocate { token, file, position, length: end - position });
    }

    /// A reservation ended. Without room it is not repeated before the next window: the write
    /// itself tells whether the disk is full.
    pub(crate) fn on_reserved<M>(
        &mut self,
        base: Offset,
        end: u64,
        _result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        let is_active = self.segments.last().is_some_and(|active| active.base_offset == base);
        let is_healthy = self.appender.storage == Storage::Healthy;
        let Some(segment) = self.segment_mut(base) else {
            return;
        };
        segment.is_reserving = false;
        segment.reserved_bytes = segment.reserved_bytes.max(end);
        // The active one of a log that closes is trimmed when nothing is written to it any more.
        if !is_active || !is_healthy {
            self.maybe_trim(base, ops);
        }
    }

    /// Sends the window before the current one to the device, so that the kernel's own write-back
    /// never finds so much that it stops the writer.
    fn maybe_write_back<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let window = u64::from(self.spec.config.writeback_bytes);
        let from = self.appender.writeback_from;
        let active = self.active();
        if window == 0 || active.bytes < from + 2 * window {
            return;
        }
        let Some(file) = active.file.get().cloned() else {
            return;
        };
        let length = (active.bytes - from) / window * window - window;
        ops.push(Op::Writeback { file, position: from, length });
        self.appender.writeback_from = from + length;
    }

    /// Makes the log's folder, unless that is under way.
    pub(crate) fn make_folder<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let is_of_it =
            |pending: &Pending| matches!(pending, Pending::FolderMade | Pending::FolderLookedAt);
        if !self.wires.has(is_of_it) {
            let token = self.wires.token(Pending::FolderMade);
            ops.push(Op::MakeDir { token, path: self.spec.dir.clone(), is_new: true });
        }
    }

    /// The folder of a new log is there: the first file and `partition.metadata` follow. If it was
    /// there before, it is another topic's: one that was deleted and made anew has the folder's name
    /// while the old one is still being renamed, here or on another shard, and what is made in it now
    /// would be made of the old one's records, and go with it.
    pub(crate) fn on_folder_made<M>(
        &mut self,
        now: Now,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        match (result, &self.phase) {
            (Ok(()), _) => self.on_folder_there(ops),
            (Err(error), Phase::Running | Phase::Closing) if error.kind == IoErrorKind::Exists => {
                let path = self.spec.dir.join(PARTITION_METADATA_FILE);
                let token = self.wires.token(Pending::FolderLookedAt);
                ops.push(Op::ReadWhole { token, path, length_max: METADATA_BYTES_MAX });
            }
            // The next append tries again.
            (Err(error), Phase::Running) => {
                self.on_storage_error(now, error, "making the folder", ops);
            }
            (Err(error), Phase::Opening(_)) if may_pass(error) => {
                self.sync.is_folder_dirty = false;
            }
            (Err(error), Phase::Closing) if may_pass(error) => {
                self.abandon_appends(AppendError::NoSpace);
            }
            (
                Err(error),
                Phase::Opening(_)
                | Phase::Closing
                | Phase::Closed
                | Phase::Failed
                | Phase::Deleting
                | Phase::Deleted,
            ) => {
                let dir = self.spec.dir.display();
                self.fail(format!("making folder {dir} failed: {error}"));
            }
        }
    }

    fn on_folder_there<M>(&mut self, ops: &mut Vec<Op<M>>) {
        self.appender.is_folder_missing = false;
        self.sync.is_folder_dirty = true;
        if matches!(self.phase, Phase::Deleting) {
            return;
        }
        self.write_partition_metadata(ops);
        if self.phase_takes_writes() {
            self.open_segment(self.segments.len() - 1, ops);
        }
    }

    /// Whose the folder is that is there. Until another log's is gone appends are refused, and come
    /// again. One that does not say whose it is may be another log's as well, which is just being
    /// made: it is taken over when that has been so for long.
    pub(crate) fn on_folder_looked_at<M>(
        &mut self,
        now: Now,
        result: Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        if !self.phase_takes_writes() {
            return;
        }
        if let Err(error) = result
            && is_exhausted(error)
        {
            self.on_folder_made(now, Err(error), ops);
            return;
        }
        let owner = result.ok().and_then(|bytes| read_partition_metadata(&bytes).ok());
        let is_ours = if let Some(topic_id) = owner {
            self.appender.folder_nobodys_since = None;
            topic_id == self.spec.topic_id
        } else {
            let since = *self.appender.folder_nobodys_since.get_or_insert(now.mono);
            now.mono >= since.plus_ms(FOLDER_PATIENCE_MS)
        };
        if is_ours {
            self.on_folder_there(ops);
            return;
        }
        self.abandon_appends(AppendError::NoSpace);
        if self.is_running() {
            self.begin_cutting(now.mono.plus_ms(FOLDER_RETRY_MS), ops);
        }
    }

    /// A segment's file is open, or not.
    pub(crate) fn on_segment_opened<M>(
        &mut self,
        now: Now,
        base: Offset,
        result: Result<(FileRef, u64), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        let is_active = self.segments.last().is_some_and(|active| active.base_offset == base);
        let dir = self.spec.dir.display().to_string();
        let Some(segment) = self.segment_mut(base) else {
            return;
        };
        segment.file = LazyFile::Closed;
        match result {
            Ok((file, length)) if length == segment.bytes => {
                segment.file = LazyFile::Open(file);
                // It may have been made just now: then its name is not durable.
                self.sync.is_folder_dirty |= is_active && length == 0;
            }
            Ok((file, length)) if !is_active => {
                // What is behind its batches is never read; what is missing is not served.
                let bytes = segment.bytes;
                segment.file = LazyFile::Open(file);
                if length < bytes {
                    self.quarantine(base, length, "the file is shorter than at the last stop");
                }
            }
            Ok((_, length)) => self.recover_anew(now, length, ops),
            // Somebody took the folder away since the last stop.
            Err(error) if is_active && error.kind == IoErrorKind::NotFound => {
                self.recover_anew(now, 0, ops);
            }
            Err(error) if may_pass(error) => {
                self.sync.retry_at = Some(now.mono.plus_ms(SPACE_RETRY_MS));
                self.drop_rebuild(base);
                self.fail_jobs_of(base);
                if is_active && !self.appender.is_idle() {
                    self.on_storage_error(now, error, "opening the active segment", ops);
                } else {
                    self.note_exhausted("opening a segment", error);
                }
            }
            Err(error) => self.fail(format!("opening segment {base} in {dir} failed: {error}")),
        }
        self.pursue_rebuilds(ops);
        self.drive_jobs(ops);
    }

    pub(crate) fn on_small_file(&mut self, result: Result<(), IoError>) {
        // Metadata, epochs and snapshots are rebuilt or written again; a device error is not that.
        if let Err(error) = result
            && !may_pass(error)
        {
            self.fail(format!("writing beside {} failed: {error}", self.spec.dir.display()));
        }
    }

    /// When [`Self::on_timer`] has something to do, if ever.
    pub fn next_deadline(&self) -> Option<Mono> {
        if let Phase::Opening(recovery) = &self.phase {
            return recovery.retry_at();
        }
        if !matches!(self.phase, Phase::Running) {
            return None;
        }
        let space = match self.appender.storage {
            Storage::Full { retry_at } => Some(retry_at),
            Storage::Healthy | Storage::Cutting { .. } | Storage::Probing { .. } => None,
        };
        let idle = self.is_holding().then(|| self.last_activity.plus_ms(IDLE_MS));
        let swap = self.compaction.as_ref().and_then(|run| run.retry_at);
        let sync = self.sync.retry_at.filter(|_| !self.sync.is_running());
        let deadlines = [space, idle, swap, sync, self.sync_deadline(), self.janitor.deadline()];
        deadlines.into_iter().flatten().min()
    }

    /// Does what [`Self::next_deadline`] announced. Calling it at other times is harmless.
    pub fn on_timer<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        self.maybe_recover_again(now, ops);
        if !matches!(self.phase, Phase::Running) {
            return;
        }
        self.remove_doomed(now, ops);
        self.pursue_compaction(now, ops);
        self.end_turn(now, ops);
        if self.is_holding() && now.mono >= self.last_activity.plus_ms(IDLE_MS) {
            self.become_idle(now, ops);
        }
    }

    /// True if there is something that an idle log would give back.
    fn is_holding(&self) -> bool {
        let holds = |segment: &Segment| {
            segment.file.get().is_some()
                || segment.offsets.memory_bytes() > 0
                || segment.times.memory_bytes() > 0
        };
        self.reader.is_holding() || self.segments.iter().any(holds)
    }

    /// Flushes indexes, closes files, frees memory: an idle log is a struct and a few bytes.
    fn become_idle<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        // Not everything goes in one step: a sync or a flush must end first, then it comes here again.
        self.last_activity = now.mono;
        if !self.appender.is_idle() || self.reader.is_busy() {
            return;
        }
        let is_unsynced =
            self.durable < self.written || self.segments.iter().any(Segment::is_unsynced);
        if is_unsynced {
            self.sync.is_wanted = true;
            self.maybe_sync(now, ops);
        }
        let bases: Vec<Offset> = self.segments.iter().map(|segment| segment.base_offset).collect();
        for base in bases {
            self.flush_indexes(base, ops);
            if !is_unsynced {
                self.maybe_trim(base, ops);
            }
        }
        for segment in &mut self.segments {
            if segment.is_pinned {
                continue;
            }
            let is_syncing = is_unsynced || segment.is_unsynced();
            if !is_syncing && !segment.is_reserving && segment.file.get().is_some() {
                segment.file = LazyFile::Closed;
            }
            if !segment.is_loading {
                segment.offsets.unload();
                segment.times.unload();
            }
        }
        self.appender.shrink();
        self.reader.shrink();
        self.events.shrink_to_fit();
    }

    /// Closes the files that are only kept open in case, because descriptors are short elsewhere:
    /// those of segments that are synced and that nothing is being done to. Who reads from one
    /// keeps it. What was written some time ago is synced, for the next time.
    pub fn shed_files(&mut self, now: Now) {
        if !matches!(self.phase, Phase::Running) || self.sync.is_running() {
            return;
        }
        let is_quiet = self.appender.is_idle()
            && self.appender.storage == Storage::Healthy
            && self.durable == self.written;
        let is_at_rest = now.mono >= self.last_activity.plus_ms(SHED_REST_MS);
        self.sync.is_wanted |= self.durable < self.written && is_at_rest;
        let active = self.segments.len() - 1;
        for (index, segment) in self.segments.iter_mut().enumerate() {
            let is_busy = segment.is_pinned
                || segment.is_reserving
                || segment.is_trimming
                || segment.is_loading
                || segment.is_unsynced()
                || (index == active && !is_quiet);
            if !is_busy && segment.file.get().is_some() {
                segment.file = LazyFile::Closed;
            }
        }
    }

    pub(crate) const fn phase_takes_writes(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Closing)
    }

    /// Ends the log cleanly: writes what is queued, flushes indexes and producers, syncs.
    ///
    /// [`LogEvent::Closed`] follows, at once for a log that nobody touched; then
    /// [`Self::checkpoint`] is what the next start needs. Reads under way fail.
    pub fn close<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        if !matches!(self.phase, Phase::Running) {
            if matches!(self.phase, Phase::Opening(_)) {
                self.phase = Phase::Failed;
            }
            self.events.push(LogEvent::Closed);
            return;
        }
        self.phase = Phase::Closing;
        self.fail_jobs();
        self.janitor.is_flushed = false;
        self.give_up_compaction(now, ops);
        self.end_turn(now, ops);
        self.maybe_flush_for_close(now, ops);
        self.maybe_closed();
    }

    /// Once nothing is queued: the last flushes and the sync of a clean stop.
    pub(crate) fn maybe_flush_for_close<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        let is_due = matches!(self.phase, Phase::Closing)
            && !self.janitor.is_flushed
            && self.compaction.is_none()
            && self.wires.count() == 0
            && (self.appender.is_idle() || self.appender.storage != Storage::Healthy);
        if !is_due {
            return;
        }
        self.janitor.is_flushed = true;
        self.abandon_appends(crate::log::AppendError::NoSpace);
        if self.active().max_timestamp.is_some() {
            self.active_mut().index_time();
        }
        let bases: Vec<Offset> = self.segments.iter().map(|segment| segment.base_offset).collect();
        for base in bases {
            self.flush_indexes(base, ops);
            self.maybe_trim(base, ops);
        }
        self.write_closing_state(ops);
        self.sync.retry_at = None;
        if self.durable < self.written {
            self.sync.is_wanted = true;
        }
        self.maybe_sync(now, ops);
    }

    /// Tells `Closed` once nothing is under way any more.
    pub(crate) fn maybe_closed(&mut self) {
        let is_done = matches!(self.phase, Phase::Closing)
            && self.janitor.is_flushed
            && self.wires.count() == 0;
        if !is_done {
            return;
        }
        for segment in &mut self.segments {
            segment.file = LazyFile::Closed;
        }
        self.phase = Phase::Closed;
        self.events.push(LogEvent::Closed);
    }
}

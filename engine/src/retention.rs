//! What goes away: old segments, records below the log's start, the whole log.
//!
//! - Only whole segments go, oldest first, and never what the high watermark has not passed.
//! - A removed segment's files get `.deleted` behind their names at once and are removed
//!   `file.delete.delay.ms` later; readers that hold the file finish undisturbed.
//! - The rules of time and size are Kafka's (`UnifiedLog.deleteOldSegments`).

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use millrace_io::{IoError, IoErrorKind, Mono, Now, Op};

use crate::Offset;
use crate::log::{AppendError, Log, LogEvent, Pending, Phase, SnapshotRetry};
use crate::segment::{DELETED_SUFFIX, LOG_SUFFIX, LazyFile, SEGMENT_SUFFIXES, Segment, file_name};

/// Segments removed in one go; the rest follows with the next call.
pub const RETENTION_SEGMENTS_MAX: usize = 1024;

/// What is to be removed, and the end of the log's life.
#[derive(Debug, Default)]
pub(crate) struct Janitor {
    /// Segments off the front whose files are still to go, oldest first.
    leaving: VecDeque<(Offset, Doom)>,
    /// The first of them is on its way.
    is_dooming: bool,
    /// Files renamed to `.deleted`, and when they may be removed. Ascending.
    doomed: VecDeque<(Mono, PathBuf)>,
    /// A retention pass waits for an index to be loaded.
    pub(crate) is_retention_waiting: bool,
    /// Segments below the log's start stay until a swap is over.
    pub(crate) is_drop_waiting: bool,
    /// The flushes of a clean stop were emitted.
    pub(crate) is_flushed: bool,
    /// What the folder of a log that is deleted is to be called, once nothing else is under way.
    removed_as: Option<PathBuf>,
}

impl Janitor {
    pub(crate) fn deadline(&self) -> Option<Mono> {
        self.doomed.front().map(|(deadline, _)| *deadline)
    }

    /// Notes a file to be removed later. The delay may be another one than it was for those before.
    fn put_aside(&mut self, deadline: Mono, path: PathBuf) {
        let at = self.doomed.partition_point(|(other, _)| *other <= deadline);
        self.doomed.insert(at, (deadline, path));
    }
}

/// How a segment's files go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doom {
    /// Renamed to `.deleted`, and removed later.
    Rename,
    /// The same of one that never had a byte: there is its `.log` alone.
    RenameEmpty,
    /// Removed at once.
    Remove,
}

/// Why the log's start was not moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogStartError {
    /// Above the high watermark. Kafka: 1 OFFSET_OUT_OF_RANGE.
    OutOfRange,
    /// The log is not open. Kafka: 56 KAFKA_STORAGE_ERROR.
    NotReady,
}

impl Log {
    /// Moves the log's start (DeleteRecords) and removes the segments that lie below it as a whole.
    ///
    /// - `offset`: at most the high watermark. Below the start there is nothing to do.
    /// - Returns where the log starts now. The caller writes it to the log-start checkpoint.
    pub fn advance_log_start<M>(
        &mut self,
        now: Now,
        offset: Offset,
        ops: &mut Vec<Op<M>>,
    ) -> Result<Offset, LogStartError> {
        if !matches!(self.phase, Phase::Running) {
            return Err(LogStartError::NotReady);
        }
        if offset > self.high_watermark {
            return Err(LogStartError::OutOfRange);
        }
        self.last_activity = now.mono;
        if offset > self.log_start {
            self.log_start = offset;
            self.events.push(LogEvent::LogStartAdvanced);
            self.drop_below_start(ops);
        }
        self.check();
        Ok(self.log_start)
    }

    /// Removes the segments that end at or below the log's start.
    pub(crate) fn drop_below_start<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let sealed = self.segments.len() - 1;
        let count = (0..sealed).take_while(|index| self.segment_end(*index) <= self.log_start);
        let count = count.count();
        self.drop_front(count, ops);
    }

    /// Removes what `retention.ms` and `retention.bytes` do not keep any more.
    ///
    /// It may have to load the index of a segment first; then it goes on by itself.
    pub fn enforce_retention<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        if !matches!(self.phase, Phase::Running) || !self.spec.config.cleanup_delete {
            return;
        }
        self.janitor.is_retention_waiting = false;
        let expired = self.expired_count(now, ops);
        let oversize = self.oversize_count();
        let mut count = expired.max(oversize).min(RETENTION_SEGMENTS_MAX);
        if count == self.segments.len() && !self.maybe_roll_for_retention(now, ops) {
            count -= 1;
        }
        if count == 0 {
            return;
        }
        let end = self.segment_end(count - 1);
        if end > self.log_start {
            self.log_start = end;
            self.events.push(LogEvent::LogStartAdvanced);
        }
        self.drop_front(count, ops);
        self.check();
    }

    /// Goes on with a pass that waited for an index.
    pub(crate) fn maybe_resume_retention<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        let is_loading = |segment: &Segment| segment.is_loading || segment.is_flushing;
        if self.janitor.is_retention_waiting && !self.segments.iter().any(is_loading) {
            self.enforce_retention(now, ops);
        }
    }

    /// How many segments at the front are older than `retention.ms`.
    fn expired_count<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) -> usize {
        let Some(retention_ms) = self.spec.config.retention_ms else {
            return 0;
        };
        for index in 0..self.segments.len() {
            if !self.is_removable(index) {
                return index;
            }
            let Some(max) = self.max_timestamp_of(index, ops) else {
                self.janitor.is_retention_waiting = true;
                return index;
            };
            let youngest =
                if max.timestamp >= 0 { max.timestamp } else { self.segments[index].touched_ms };
            let age_ms = u64::try_from(now.wall.0.saturating_sub(youngest)).unwrap_or(0);
            if age_ms <= retention_ms {
                return index;
            }
        }
        self.segments.len()
    }

    /// How many segments at the front have to go until `retention.bytes` are left.
    fn oversize_count(&self) -> usize {
        let Some(retention_bytes) = self.spec.config.retention_bytes else {
            return 0;
        };
        let mut excess = self.size_bytes().saturating_sub(retention_bytes);
        let mut count = 0;
        for (index, segment) in self.segments.iter().enumerate() {
            if excess < segment.bytes || excess == 0 || !self.is_removable(index) {
                break;
            }
            excess -= segment.bytes;
            count += 1;
        }
        count
    }

    /// True if nothing of a segment lies above the high watermark and it is not the empty end.
    fn is_removable(&self, index: usize) -> bool {
        let is_active = index + 1 == self.segments.len();
        let segment = &self.segments[index];
        self.segment_end(index) <= self.high_watermark && !(is_active && segment.bytes == 0)
    }

    /// The active segment is to go too: an empty one takes its place. False if it is in use.
    fn maybe_roll_for_retention<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) -> bool {
        let is_quiet = self.appender.is_idle()
            && self.appender.next.is_none()
            && self.appender.storage == crate::append::Storage::Healthy
            && !matches!(self.active().file, LazyFile::Opening)
            && self.log_end == self.written;
        if !is_quiet {
            return false;
        }
        self.segments.push(Segment::empty(self.log_end, now.wall.0));
        self.appender.reset_tip(&self.segments);
        self.appender.on_switched();
        self.reader.forget_recent();
        self.open_segment(self.segments.len() - 1, ops);
        self.sync.is_folder_dirty = true;
        self.write_snapshot(self.log_end, ops);
        true
    }

    /// Takes `count` segments off the front and dooms their files; fewer, or none, if the producers'
    /// state at the start of the next one is still on its way to the disk: the others follow it.
    fn drop_front<M>(&mut self, count: usize, ops: &mut Vec<Op<M>>) {
        let bases = self.segments.iter().skip(1).map(|segment| segment.base_offset);
        let stored = bases.take_while(|base| *base <= self.producers_stored).count();
        let count = count.min(stored);
        if count == 0 {
            return;
        }
        assert!(count < self.segments.len(), "the active segment stays");
        match self.snapshot_retry {
            SnapshotRetry::None => {}
            SnapshotRetry::Due => {
                self.snapshot_retry = SnapshotRetry::UnderWay;
                self.write_snapshot(self.written, ops);
                return;
            }
            SnapshotRetry::UnderWay => return,
        }
        if self.is_swapping() {
            self.janitor.is_drop_waiting = true;
            return;
        }
        let gone: Vec<Segment> = self.segments.drain(..count).collect();
        for segment in gone {
            let how = if segment.bytes > 0 { Doom::Rename } else { Doom::RenameEmpty };
            self.janitor.leaving.push_back((segment.base_offset, how));
        }
        self.doom_next(ops);
        self.on_front_dropped(ops);
        self.drive_jobs(ops);
    }

    /// Renames the files of a segment that another one has taken the place of, and notes when they
    /// may go.
    pub(crate) fn doom<M>(&mut self, now: Now, base: Offset, ops: &mut Vec<Op<M>>) {
        let deadline = now.mono.plus_ms(self.spec.config.file_delete_delay_ms);
        for suffix in SEGMENT_SUFFIXES {
            let from = self.spec.dir.join(file_name(base, suffix));
            let to = with_suffix(&from, DELETED_SUFFIX);
            let token = self.wires.token(Pending::Doomed { file: from.clone() });
            ops.push(Op::Rename { token, from, to: to.clone() });
            self.janitor.put_aside(deadline, to);
        }
    }

    /// Lets a segment's files go without notice: recovery found it below the log's start.
    pub(crate) fn doom_found<M>(&mut self, base: Offset, ops: &mut Vec<Op<M>>) {
        self.janitor.leaving.push_back((base, Doom::Remove));
        // Whatever the phase: within a step of recovery it is that of a log that failed.
        self.doom_first(ops);
    }

    /// Goes on with the segments that are to go, unless the log is over.
    fn doom_next<M>(&mut self, ops: &mut Vec<Op<M>>) {
        if !matches!(self.phase, Phase::Failed | Phase::Deleting | Phase::Deleted) {
            self.doom_first(ops);
        }
    }

    /// Takes the next segment's `.log` away, one after the other: what a crash leaves has no gap,
    /// before which the log would seem to end.
    fn doom_first<M>(&mut self, ops: &mut Vec<Op<M>>) {
        if self.janitor.is_dooming {
            return;
        }
        let Some((base, how)) = self.janitor.leaving.pop_front() else { return };
        self.janitor.is_dooming = true;
        let path = self.spec.dir.join(file_name(base, LOG_SUFFIX));
        let token = self.wires.token(Pending::LogDoomed { base, how });
        ops.push(match how {
            Doom::Rename | Doom::RenameEmpty => {
                Op::Rename { token, to: with_suffix(&path, DELETED_SUFFIX), from: path }
            }
            Doom::Remove => Op::Remove { token, path },
        });
    }

    /// A segment's `.log` is gone: its other files follow, and the next segment.
    ///
    /// One that could not be renamed is removed at once: on a full disk the longer name may need a
    /// block that is not to be had, and the file that stays would keep the disk full.
    pub(crate) fn on_log_doomed<M>(
        &mut self,
        now: Now,
        base: Offset,
        how: Doom,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        self.janitor.is_dooming = false;
        if result.is_err() && how != Doom::Remove {
            self.janitor.leaving.push_front((base, Doom::Remove));
            self.doom_next(ops);
            return;
        }
        let deadline = now.mono.plus_ms(self.spec.config.file_delete_delay_ms);
        for suffix in SEGMENT_SUFFIXES {
            let file = self.spec.dir.join(file_name(base, suffix));
            let to = with_suffix(&file, DELETED_SUFFIX);
            match how {
                Doom::Rename if suffix != LOG_SUFFIX => {
                    let token = self.wires.token(Pending::Doomed { file: file.clone() });
                    ops.push(Op::Rename { token, from: file, to: to.clone() });
                    self.janitor.put_aside(deadline, to);
                }
                Doom::Rename | Doom::RenameEmpty => self.janitor.put_aside(deadline, to),
                Doom::Remove if suffix != LOG_SUFFIX => {
                    let token = self.wires.token(Pending::Housekeeping);
                    ops.push(Op::Remove { token, path: file });
                }
                Doom::Remove => {}
            }
        }
        self.doom_next(ops);
    }

    /// A file that could not be renamed is removed at once; what is not there cannot be renamed
    /// either, and removing it is no error.
    pub(crate) fn on_doomed<M>(
        &mut self,
        file: PathBuf,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        if result.is_err() && !matches!(self.phase, Phase::Deleting | Phase::Deleted) {
            let token = self.wires.token(Pending::Housekeeping);
            ops.push(Op::Remove { token, path: file });
        }
    }

    /// Removes the files whose delay is over.
    pub(crate) fn remove_doomed<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        while let Some((deadline, _)) = self.janitor.doomed.front() {
            if *deadline > now.mono {
                return;
            }
            if let Some((_, path)) = self.janitor.doomed.pop_front() {
                let token = self.wires.token(Pending::Housekeeping);
                ops.push(Op::Remove { token, path });
            }
        }
        self.janitor.doomed = VecDeque::new();
    }

    /// Deletes the log: the folder is renamed to Kafka's `<topic>-<partition>.<id>-delete`, so that
    /// its name is free at once, and then removed. [`LogEvent::Deleted`] follows.
    ///
    /// - `unique`: a random number that makes the name unique.
    /// - Legal in every state but after itself. What waits fails.
    pub fn delete<M>(&mut self, unique: u128, ops: &mut Vec<Op<M>>) {
        if matches!(self.phase, Phase::Deleting | Phase::Deleted) {
            return;
        }
        self.phase = Phase::Deleting;
        self.drop_compaction();
        self.abandon_appends(AppendError::Closed);
        self.fail_jobs();
        for segment in &mut self.segments {
            segment.file = LazyFile::Closed;
        }
        let name = self
            .spec
            .dir
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let suffix = format!(".{unique:032x}-delete");
        let kept: String = name.chars().take(FILE_NAME_BYTES_MAX - suffix.len()).collect();
        self.janitor.removed_as = Some(self.spec.dir.with_file_name(format!("{kept}{suffix}")));
        self.maybe_leave_folder(ops);
        self.maybe_deleted();
    }

    /// Lets the folder go once nothing else of the log is under way: the next topic of its name makes
    /// it anew at once, and what is on its way to a path would end there.
    pub(crate) fn maybe_leave_folder<M>(&mut self, ops: &mut Vec<Op<M>>) {
        if self.wires.count() > 0 {
            return;
        }
        let Some(to) = self.janitor.removed_as.take() else {
            return;
        };
        if self.appender.is_folder_missing {
            // It never had one: what is there is another log's.
            self.phase = Phase::Deleted;
            return;
        }
        let from = self.spec.dir.clone();
        let token = self.wires.token(Pending::FolderRenamed { to: to.clone() });
        ops.push(Op::Rename { token, from, to });
    }

    pub(crate) fn on_folder_renamed<M>(
        &mut self,
        to: PathBuf,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        let path = match result {
            Ok(()) => to,
            Err(error) if error.kind == IoErrorKind::NotFound => {
                self.phase = Phase::Deleted;
                return;
            }
            // If the folder cannot be renamed it is removed where it is.
            Err(_) => self.spec.dir.clone(),
        };
        let token = self.wires.token(Pending::FolderRemoved);
        ops.push(Op::Remove { token, path });
    }

    pub(crate) fn on_folder_removed(&mut self, _result: Result<(), IoError>) {
        // A folder that stays carries `-delete` in its name; the next start removes it.
        self.phase = Phase::Deleted;
    }

    /// Tells that the log is gone once nothing of it is under way any more: only then may its
    /// token owner serve another log.
    pub(crate) fn maybe_deleted(&mut self) {
        if matches!(self.phase, Phase::Deleted) && self.wires.count() == 0 {
            self.events.push(LogEvent::Deleted);
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The longest name a file system takes. Topic names are ASCII, so characters are bytes.
const FILE_NAME_BYTES_MAX: usize = 255;

//! The end of a recovery: cutting, dropping, and writing down what was found.

use std::path::PathBuf;

use millrace_io::{Now, Op};

use super::{CutReason, Progress, Recovery, Step, TailCut};
use crate::Offset;
use crate::config::Durability;
use crate::log::{Log, Phase};
use crate::segment::{LazyFile, SEGMENT_SUFFIXES, SNAPSHOT_SUFFIX, Segment, file_name};

impl Log {
    /// Cuts what follows the last batch of a sealed segment. The next segment starts at its very end,
    /// so nothing of the log is there: a failed write left it, and a power loss undid its cutting.
    pub(super) fn trim_sealed<M>(
        &mut self,
        recovery: &mut Recovery,
        position: u64,
        ops: &mut Vec<Op<M>>,
    ) {
        self.segments[recovery.index].is_cut = true;
        if let Some(file) = recovery.file.clone() {
            self.recovery_op(Step::Ended, ops, |token| Op::Truncate {
                token,
                file,
                length: position,
            });
        }
    }

    /// Cuts the segment being scanned at `position` and drops those behind it.
    pub(super) fn cut_tail<M>(
        &mut self,
        recovery: &mut Recovery,
        position: u64,
        reason: CutReason,
        ops: &mut Vec<Op<M>>,
    ) {
        let dropped: Vec<Segment> = self.segments.drain(recovery.index + 1..).collect();
        let segment = &mut self.segments[recovery.index];
        let length = recovery.lengths.iter().find(|(base, _)| *base == segment.base_offset);
        let mut bytes = length.map_or(0, |(_, length)| length.saturating_sub(position));
        bytes += dropped.iter().map(|segment| segment.bytes).sum::<u64>();
        recovery.report.dropped_segments += u32::try_from(dropped.len()).unwrap_or(u32::MAX);
        recovery.report.cut =
            Some(TailCut { segment: segment.base_offset, position, bytes, reason });
        if let Some(file) = recovery.file.take() {
            segment.file = LazyFile::Open(file.clone());
            segment.is_cut = true;
            self.recovery_op(Step::Ended, ops, |token| Op::Truncate {
                token,
                file,
                length: position,
            });
        }
        for segment in dropped {
            for suffix in SEGMENT_SUFFIXES {
                let path = segment.path(&self.spec.dir, suffix);
                self.remove_for_good(path, ops);
            }
        }
    }

    /// The end of the log is known.
    pub(super) fn end_scan<M>(
        &mut self,
        recovery: &mut Recovery,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        if recovery.producers_from > self.written {
            // The producers' state is of batches that did not survive: an older one, once more.
            recovery.producers_limit = self.written;
            for segment in &mut self.segments {
                segment.file = LazyFile::Closed;
            }
            return self.choose_producers(recovery, ops);
        }
        if self.written.max(self.log_start) < recovery.point {
            recovery.report.missing_from = Some(self.written);
        }
        if self.log_start > self.written {
            self.restart_at_log_start(recovery, ops);
        }
        self.log_end = self.written;
        self.epochs.truncate_from_end(self.log_end);
        self.is_epochs_dirty = true;
        self.log_start = self.log_start.max(self.segments[0].base_offset).min(self.log_end);
        self.high_watermark = recovery.opening.high_watermark.max(self.log_start).min(self.log_end);
        let durable = if recovery.opening.is_clean { self.log_end } else { recovery.durable };
        self.durable = durable.min(self.log_end);
        self.drop_stale_files(recovery, ops);
        let bases: Vec<Offset> = self.segments.iter().map(|segment| segment.base_offset).collect();
        for (index, base) in bases.into_iter().enumerate() {
            if self.segment_end(index) > self.durable {
                self.segments[index].synced_bytes = 0;
            }
            if index >= recovery.first_scanned {
                self.cut_indexes(base, ops);
            }
        }
        if !recovery.has_metadata {
            self.write_partition_metadata(ops);
        }
        self.maybe_write_epochs(ops);
        recovery.report.log_end = self.log_end;
        recovery.is_finishing = true;
        Ok(())
    }

    /// The log lost its end below its start: it goes on, empty, where it starts, so that no offset
    /// that was deleted is given out again.
    fn restart_at_log_start<M>(&mut self, recovery: &mut Recovery, ops: &mut Vec<Op<M>>) {
        let gone: Vec<Segment> = self.segments.drain(..).collect();
        recovery.report.dropped_segments += u32::try_from(gone.len()).unwrap_or(u32::MAX);
        for segment in gone {
            for suffix in SEGMENT_SUFFIXES {
                let path = segment.path(&self.spec.dir, suffix);
                self.remove_for_good(path, ops);
            }
        }
        self.segments.push(Segment::empty(self.log_start, 0));
        self.written = self.log_start;
        self.producers.clear();
        recovery.first_scanned = 0;
    }

    /// Removes snapshots of offsets that the log does not reach any more.
    pub(super) fn drop_stale_files<M>(&mut self, recovery: &Recovery, ops: &mut Vec<Op<M>>) {
        for offset in &recovery.snapshots_all {
            let is_stale = *offset > self.log_end;
            let is_loose = *offset <= self.log_end && self.segment_mut(*offset).is_none();
            if is_loose {
                self.loose_snapshot = self.loose_snapshot.max(Some(*offset));
            }
            if is_stale {
                let path = self.spec.dir.join(file_name(*offset, SNAPSHOT_SUFFIX));
                self.remove_for_good(path, ops);
            }
        }
    }

    /// Removes a file that must not be found again: the folder is synced before the log is open.
    fn remove_for_good<M>(&mut self, path: PathBuf, ops: &mut Vec<Op<M>>) {
        self.sync.is_folder_dirty = true;
        self.recovery_op(Step::Ended, ops, |token| Op::Remove { token, path });
    }

    /// Once everything that recovery writes is written, the log is open.
    pub(crate) fn maybe_end_recovery<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        if self.pause_recovery(now) {
            return;
        }
        let Phase::Opening(recovery) = &self.phase else {
            return;
        };
        if recovery.swap.is_some() && self.wires.count() == 0 {
            self.with_recovery(|log, recovery| log.swap_on(recovery, ops));
            return;
        }
        if recovery.is_finishing && self.wires.count() == 0 {
            let (report, is_folder_synced) = (recovery.report.clone(), recovery.is_folder_synced);
            // Else a power loss brings back what was cut off, once others have taken its offsets.
            if std::mem::take(&mut self.sync.is_folder_dirty) {
                let path = self.spec.dir.clone();
                self.recovery_op(Step::Ended, ops, |token| Op::SyncDir { token, path });
                self.with_recovery(|_, recovery| recovery.is_folder_synced = true);
                return;
            }
            // Where only durable records count, those that a killed process acknowledged are synced
            // before anybody asks: else the high watermark would go back for a moment.
            let is_strict =
                recovery.is_sync_pending || self.appender.contract != Durability::PageCache;
            if is_strict && self.durable < self.written {
                self.sync.is_wanted = true;
                self.sync.is_folder_dirty |= !is_folder_synced;
                self.maybe_sync(now, ops);
                if self.sync.is_running() {
                    self.with_recovery(|_, recovery| recovery.is_folder_synced = true);
                }
                if self.wires.count() > 0 {
                    return;
                }
                if self.sync.retry_at.is_some() {
                    // Out of descriptors: as anywhere else in a recovery.
                    self.with_recovery(|_, recovery| recovery.begin_anew_later());
                    self.pause_recovery(now);
                    return;
                }
            }
            self.become_ready(now, report);
            // A file that a killed process made may be there and not be durable: what is acknowledged
            // from it needs its name, too.
            self.sync.is_folder_dirty |= !is_folder_synced;
            self.drop_what_producers_needed(ops);
            self.sync.is_wanted =
                self.durable < self.written || self.segments.iter().any(Segment::is_unsynced);
        }
    }

    /// Drops segments below the log's start that were kept for the producers' state alone.
    fn drop_what_producers_needed<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let is_below = self.segments.get(1).is_some_and(|next| next.base_offset <= self.log_start);
        if is_below && self.producers_stored < self.log_start {
            self.write_snapshot(self.written, ops);
        }
        self.drop_below_start(ops);
    }

    /// Runs a step with the recovery taken out of the log.
    fn with_recovery(&mut self, step: impl FnOnce(&mut Self, &mut Recovery)) {
        let phase = std::mem::replace(&mut self.phase, Phase::Failed);
        if let Phase::Opening(mut recovery) = phase {
            step(self, &mut recovery);
            self.phase = Phase::Opening(recovery);
        } else {
            self.phase = phase;
        }
    }
}

//! Index entries on their way to their files.
//!
//! ```text
//!  flush ──▶ open .timeindex ─▶ (cut, sync) ─▶ write ─▶ (sync) ──▶ the same with .index ──▶ settled
//! ```
//!
//! - The time index goes first, so that after a kill the offset index never knows of batches that the
//!   time index does not.
//! - What recovery cuts off a file is synced before anything is written in its place: a power loss
//!   would else bring back entries of batches that are not there any more.
//! - Recovery takes what lies below the recovery point for settled and goes by its indexes. So the
//!   recovery point passes a sealed segment only when its indexes were synced.

use std::cmp::Ordering;

use bytes::Bytes;
use millrace_io::{FileRef, IoError, IoErrorKind, Op, OpenMode};

use crate::Offset;
use crate::log::{IndexKind, Log, Pending, Phase, may_pass};
use crate::segment::{OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, file_name};

impl Log {
    /// Up to where recovery may take the log for settled: all below is durable, indexes included.
    pub fn recovery_point(&self) -> Offset {
        let unsettled = self.segments.iter().find(|segment| segment.is_index_unsynced);
        unsettled.map_or(self.durable, |segment| segment.base_offset.min(self.durable))
    }

    /// Starts bringing a segment's new index entries to their files.
    pub(crate) fn flush_indexes<M>(&mut self, base: Offset, ops: &mut Vec<Op<M>>) {
        let Some(segment) = self.segment_mut(base) else {
            return;
        };
        let is_busy = segment.is_loading || segment.is_flushing;
        let kind = if segment.times.unflushed_bytes() > 0 || segment.is_index_unsynced {
            IndexKind::Time
        } else if segment.offsets.unflushed_bytes() > 0 {
            IndexKind::Offset
        } else {
            return;
        };
        if !is_busy {
            segment.is_flushing = true;
            self.open_index(base, kind, ops);
        }
    }

    /// Recovery knows what the index files should hold: what lies behind is cut, the rest written.
    pub(crate) fn cut_indexes<M>(&mut self, base: Offset, ops: &mut Vec<Op<M>>) {
        let is_sealed = self.segments.last().is_some_and(|active| active.base_offset != base);
        if let Some(segment) = self.segment_mut(base) {
            segment.is_flushing = true;
            segment.is_index_unsynced = is_sealed;
            self.open_index(base, IndexKind::Time, ops);
        }
    }

    /// Tries again what a full disk did not take.
    pub(crate) fn flush_sealed_indexes<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let unsettled = self.segments.iter().filter(|segment| segment.is_index_unsynced);
        let bases: Vec<Offset> = unsettled.map(|segment| segment.base_offset).collect();
        for base in bases {
            self.flush_indexes(base, ops);
        }
    }

    fn open_index<M>(&mut self, base: Offset, kind: IndexKind, ops: &mut Vec<Op<M>>) {
        let suffix = match kind {
            IndexKind::Offset => OFFSET_INDEX_SUFFIX,
            IndexKind::Time => TIME_INDEX_SUFFIX,
        };
        let path = self.spec.dir.join(file_name(base, suffix));
        let token = self.wires.token(Pending::IndexOpened { base, kind });
        ops.push(Op::Open { token, path, mode: OpenMode::Create });
    }

    /// A flush ended, well or not: what could not be written stays in memory for the next.
    fn end_index_flush<M>(&mut self, base: Offset, ops: &mut Vec<Op<M>>) {
        if let Some(segment) = self.segment_mut(base) {
            segment.is_flushing = false;
        }
        // A read may wait for the flush to end, to load what was flushed.
        self.drive_jobs(ops);
    }

    /// The index file is open: cut what is not known to be entries, or write at once.
    pub(crate) fn on_index_opened<M>(
        &mut self,
        base: Offset,
        kind: IndexKind,
        result: Result<(FileRef, u64), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        let (file, length) = match result {
            Ok(opened) => opened,
            Err(error) => {
                // Where there is no room to make it there is none that holds anything.
                if error.kind != IoErrorKind::NoSpace {
                    self.keep_recovery_from_ending(error);
                }
                self.end_index_flush(base, ops);
                return;
            }
        };
        let Some(segment) = self.segment_mut(base) else {
            return;
        };
        let stored = match kind {
            IndexKind::Offset => segment.offsets.stored_bytes(),
            IndexKind::Time => segment.times.stored_bytes(),
        };
        match length.cmp(&u64::from(stored)) {
            Ordering::Greater => {
                let pending = Pending::IndexCut { base, kind, file: file.clone() };
                let token = self.wires.token(pending);
                ops.push(Op::Truncate { token, file, length: u64::from(stored) });
            }
            Ordering::Equal => self.write_index(base, kind, file, ops),
            // Entries are missing from the file: reading it finds out and rebuilds the index.
            Ordering::Less => {
                let is_unsettled = segment.is_index_unsynced;
                self.end_index_flush(base, ops);
                if is_unsettled {
                    self.rebuild_indexes(base, ops);
                }
            }
        }
    }

    pub(crate) fn on_index_cut<M>(
        &mut self,
        base: Offset,
        kind: IndexKind,
        file: FileRef,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        if let Err(error) = result {
            self.keep_recovery_from_ending(error);
            self.end_index_flush(base, ops);
            return;
        }
        let pending = Pending::IndexCutSynced { base, kind, file: file.clone() };
        self.sync_file(pending, file, ops);
    }

    pub(crate) fn on_index_cut_synced<M>(
        &mut self,
        base: Offset,
        kind: IndexKind,
        file: FileRef,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        match result {
            Ok(()) => self.write_index(base, kind, file, ops),
            Err(error) => self.fail_index_sync(base, error),
        }
    }

    /// An index file could not be cut to what recovery has found. Entries of batches that are gone
    /// would look right again, at wrong positions, once as many bytes are written as before: the log
    /// is not open before they are cut.
    fn keep_recovery_from_ending(&mut self, error: IoError) {
        let Phase::Opening(recovery) = &mut self.phase else {
            return;
        };
        if may_pass(error) {
            recovery.begin_anew_later();
            self.note_exhausted("cutting an index", error);
        } else {
            let dir = self.spec.dir.display();
            self.fail(format!("recovery of {dir} failed, at an index: {error}"));
        }
    }

    fn fail_index_sync(&mut self, base: Offset, error: IoError) {
        let dir = self.spec.dir.display();
        self.fail_sync(format!("sync of an index of segment {base} in {dir} failed: {error}"));
    }

    fn write_index<M>(
        &mut self,
        base: Offset,
        kind: IndexKind,
        file: FileRef,
        ops: &mut Vec<Op<M>>,
    ) {
        let Some(segment) = self.segment_mut(base) else {
            return;
        };
        let (position, entries) = match kind {
            IndexKind::Offset => {
                (segment.offsets.stored_bytes(), segment.offsets.begin_flush().to_vec())
            }
            IndexKind::Time => (segment.times.stored_bytes(), segment.times.begin_flush().to_vec()),
        };
        if entries.is_empty() {
            self.maybe_sync_index(base, kind, file, ops);
            return;
        }
        let token = self.wires.token(Pending::IndexWritten { base, kind, file: file.clone() });
        let chunks = vec![Bytes::from(entries)];
        ops.push(Op::Write { token, file, position: u64::from(position), chunks });
    }

    pub(crate) fn on_index_written<M>(
        &mut self,
        base: Offset,
        kind: IndexKind,
        file: FileRef,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        let Some(segment) = self.segment_mut(base) else {
            return;
        };
        match kind {
            IndexKind::Offset => segment.offsets.end_flush(result.is_ok()),
            IndexKind::Time => segment.times.end_flush(result.is_ok()),
        }
        if result.is_ok() {
            self.maybe_sync_index(base, kind, file, ops);
        } else {
            self.end_index_flush(base, ops);
        }
    }

    /// The index of a segment that is sealed, or of a log that closes, is synced.
    fn maybe_sync_index<M>(
        &mut self,
        base: Offset,
        kind: IndexKind,
        file: FileRef,
        ops: &mut Vec<Op<M>>,
    ) {
        let is_closing = matches!(self.phase, Phase::Closing);
        if is_closing || self.segment_mut(base).is_some_and(|segment| segment.is_index_unsynced) {
            self.sync_file(Pending::IndexSynced { base, kind }, file, ops);
        } else {
            self.next_index(base, kind, ops);
        }
    }

    pub(crate) fn on_index_synced<M>(
        &mut self,
        base: Offset,
        kind: IndexKind,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        if let Err(error) = result {
            self.fail_index_sync(base, error);
            return;
        }
        if let Some(segment) = self.segment_mut(base) {
            let is_more = segment.times.unflushed_bytes() + segment.offsets.unflushed_bytes() > 0;
            if kind == IndexKind::Offset && !is_more {
                segment.is_index_unsynced = false;
            }
        }
        self.next_index(base, kind, ops);
    }

    /// After the time index the offset index.
    fn next_index<M>(&mut self, base: Offset, kind: IndexKind, ops: &mut Vec<Op<M>>) {
        match kind {
            IndexKind::Time => self.open_index(base, IndexKind::Offset, ops),
            IndexKind::Offset => {
                self.end_index_flush(base, ops);
                // It was sealed meanwhile: the last entries follow.
                if self.segment_mut(base).is_some_and(|segment| segment.is_index_unsynced) {
                    self.flush_indexes(base, ops);
                }
            }
        }
    }
}

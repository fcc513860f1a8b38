//! What a folder holds, and what of it does not belong there any more.

use millrace_io::{DirEntry, IoError, IoErrorKind, Now, Op};

use super::{Failure, INDEXED_FROM_BYTES, Progress, Recovery, SMALL_FILE_BYTES_MAX, Step};
use crate::Offset;
use crate::append::Mark;
use crate::checkpoint_file::LEADER_EPOCH_FILE;
use crate::index::{OffsetIndex, TimeIndex};
use crate::log::{Log, Pending};
use crate::partition_metadata::PARTITION_METADATA_FILE;
use crate::segment::{
    CLEANED_SUFFIX, DELETED_SUFFIX, IndexBytes, LOG_SUFFIX, OFFSET_INDEX_SUFFIX, SNAPSHOT_SUFFIX,
    SYNC_PENDING_FILE, Segment, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX, file_name, parse_file_name,
};

impl Log {
    /// The folder's entries: what is there, and what is left over.
    pub(super) fn on_listed<M>(
        &mut self,
        now: Now,
        recovery: &mut Recovery,
        result: Result<Vec<DirEntry>, IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let entries = match result {
            Ok(entries) => entries,
            Err(error) if error.kind == IoErrorKind::NotFound => {
                recovery.report.is_folder_missing = true;
                Vec::new()
            }
            Err(error) => return Err(Failure::Io(error)),
        };
        if self.begin_swap(recovery, &entries, ops) {
            return Ok(());
        }
        for entry in entries.iter().filter(|entry| !entry.is_dir) {
            self.on_entry(recovery, entry, ops);
        }
        if entries.iter().any(|entry| entry.name == SYNC_PENDING_FILE) {
            recovery.on_sync_pending();
            self.sync.mark = Mark::Made;
        }
        recovery.has_metadata = entries.iter().any(|entry| entry.name == PARTITION_METADATA_FILE);
        self.segments = found_segments(&entries, recovery);
        self.log_start = recovery.opening.log_start;
        if let Some(checkpoint) = &recovery.opening.checkpoint {
            self.log_start = self.log_start.max(Offset(checkpoint.log_start));
        }
        self.drop_below_log_start(recovery, ops);
        self.drop_empty_segments(recovery, ops);
        self.drop_orphan_indexes(recovery, &entries, ops);
        if self.segments.is_empty() {
            return self.begin_empty(now, recovery, ops);
        }
        let path = self.spec.dir.join(LEADER_EPOCH_FILE);
        self.recovery_op(Step::Epochs, ops, |token| Op::ReadWhole {
            token,
            path,
            length_max: SMALL_FILE_BYTES_MAX,
        });
        Ok(())
    }

    /// Drops segments that end at or below the log's start: their removal was not made durable.
    ///
    /// Those that the producers' state is still to be built from stay until the log is open.
    fn drop_below_log_start<M>(&mut self, recovery: &Recovery, ops: &mut Vec<Op<M>>) {
        let newest = recovery.snapshots_all.iter().max().copied();
        let newest = newest.max(recovery.checkpointed_producers()).unwrap_or_default();
        let limit = self.log_start.min(newest);
        let bases = self.segments.iter().map(|segment| segment.base_offset);
        let count = bases.skip(1).take_while(|base| *base <= limit).count();
        for segment in self.segments.drain(..count).collect::<Vec<_>>() {
            self.doom_found(segment.base_offset, ops);
        }
    }

    /// Drops segments without a byte, unless nothing else is there.
    ///
    /// One may be the next segment of a roll that never happened, whose removal a power loss undid:
    /// its name then lies within the segment before it. If it was the active one, the log simply
    /// goes on in the segment before it.
    ///
    /// The first one stays where compaction may have emptied it: the log starts there. Elsewhere its
    /// bytes were lost, and it stays too: what comes behind it lies beyond a gap, unless all of that
    /// was promised to be durable.
    fn drop_empty_segments<M>(&mut self, recovery: &mut Recovery, ops: &mut Vec<Op<M>>) {
        if recovery.opening.is_clean {
            return;
        }
        let last = self.segments.last().map(|segment| segment.base_offset);
        let first = self.segments.first().map(|segment| segment.base_offset);
        let full = self.segments.iter().find(|segment| segment.bytes > 0);
        let has_bytes = full.is_some();
        let is_front_lost = full.is_some_and(|full| full.base_offset > recovery.point);
        let first = first.filter(|_| self.spec.config.cleanup_compact || is_front_lost);
        let mut dropped = Vec::new();
        self.segments.retain(|segment| {
            let base = Some(segment.base_offset);
            let is_kept = segment.bytes > 0 || (!has_bytes && base == last) || base == first;
            if !is_kept {
                dropped.push(segment.path(&self.spec.dir, LOG_SUFFIX));
            }
            is_kept
        });
        for path in dropped {
            self.recovery_op(Step::Ended, ops, |token| Op::Remove { token, path });
        }
    }

    /// Drops indexes without their segment: a power loss may have taken its bytes, or undone the
    /// indexes' removal. A new segment of that name would otherwise have an index that is not its own,
    /// once a kill comes between the sync of its records and the writing of its indexes.
    ///
    /// The removals need no sync of their own: the folder is synced before a record of that new segment
    /// counts as durable, and until then the segment is scanned and its indexes are written anew.
    fn drop_orphan_indexes<M>(
        &mut self,
        recovery: &mut Recovery,
        entries: &[DirEntry],
        ops: &mut Vec<Op<M>>,
    ) {
        for entry in entries.iter().filter(|entry| !entry.is_dir) {
            let Some((base, suffix)) = parse_file_name(&entry.name) else {
                continue;
            };
            if INDEX_SUFFIXES.contains(&suffix) && self.segment_mut(base).is_none() {
                recovery.report.orphan_files += 1;
                let path = self.spec.dir.join(&entry.name);
                self.recovery_op(Step::Ended, ops, |token| Op::Remove { token, path });
            }
        }
    }

    /// Notes a snapshot; removes what an interrupted deletion or compaction left.
    fn on_entry<M>(&mut self, recovery: &mut Recovery, entry: &DirEntry, ops: &mut Vec<Op<M>>) {
        let Some((offset, suffix)) = parse_file_name(&entry.name) else {
            return;
        };
        if suffix == SNAPSHOT_SUFFIX {
            recovery.snapshots.push(offset);
            recovery.snapshots_all.push(offset);
        }
        // What compaction did not finish writing never replaced anything.
        let is_aside = suffix.strip_suffix(ASIDE_SUFFIX).is_some_and(is_cleaned);
        if suffix.ends_with(DELETED_SUFFIX) || is_cleaned(suffix) || is_aside {
            recovery.report.orphan_files += 1;
            let path = self.spec.dir.join(&entry.name);
            let token = self.wires.token(Pending::Housekeeping);
            ops.push(Op::Remove { token, path });
        }
    }

    /// A folder without a segment: the log starts empty where its checkpoint says.
    fn begin_empty<M>(
        &mut self,
        now: Now,
        recovery: &mut Recovery,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let start = self.log_start;
        self.segments = vec![Segment::empty(start, now.wall.0)];
        (self.log_end, self.written, self.durable) = (start, start, start);
        self.high_watermark = start;
        // Of a history that a power loss has brought back: others will have those offsets.
        self.drop_stale_files(recovery, ops);
        self.appender.is_folder_missing = true;
        let path = self.spec.dir.clone();
        let token = self.wires.token(Pending::FolderMade);
        ops.push(Op::MakeDir { token, path, is_new: false });
        recovery.is_finishing = true;
        Ok(())
    }
}

/// Indexes of a segment, on the disk.
const INDEX_SUFFIXES: [&str; 3] = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX];

/// What a file that is written as a whole has behind its name until it is.
const ASIDE_SUFFIX: &str = ".tmp";

fn is_cleaned(suffix: &str) -> bool {
    suffix.ends_with(CLEANED_SUFFIX)
}

/// The segments of a folder, ascending, with what the checkpoint knows about them.
fn found_segments(entries: &[DirEntry], recovery: &mut Recovery) -> Vec<Segment> {
    let length_of = |base: Offset, suffix: &str| {
        let name = file_name(base, suffix);
        let found = entries.binary_search_by(|entry| entry.name.as_str().cmp(&name)).ok();
        found.and_then(|index| u32::try_from(entries[index].length).ok())
    };
    let mut segments = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.is_dir) {
        let Some((base, LOG_SUFFIX)) = parse_file_name(&entry.name) else {
            continue;
        };
        let (offsets, times) =
            (length_of(base, OFFSET_INDEX_SUFFIX), length_of(base, TIME_INDEX_SUFFIX));
        let indexes = IndexBytes { offsets: offsets.unwrap_or(0), times: times.unwrap_or(0) };
        let mut segment = Segment::found(base, entry.length, indexes, entry.modified_ms);
        let is_lost = offsets.unwrap_or(0) == 0 || times.unwrap_or(0) == 0;
        if is_lost && entry.length > INDEXED_FROM_BYTES {
            segment.offsets = OffsetIndex::claimed();
            segment.times = TimeIndex::empty();
        }
        if let Some(known) =
            recovery.known_segment(base).filter(|known| known.bytes == entry.length)
        {
            segment.max_timestamp = known.max();
            segment.first_timestamp = known.first();
        }
        recovery.lengths.push((base, entry.length));
        segments.push(segment);
    }
    segments
}

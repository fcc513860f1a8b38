//! Brings a segment's indexes into memory, or builds them anew from the batches.

use bytes::Bytes;
use millrace_io::{IoError, IoErrorKind, Op};

use super::{TimeEntry, sane_offset_bytes, sane_time_bytes};
use crate::Offset;
use crate::log::{IndexKind, Log, Pending, may_pass};
use crate::recovery::{Scanner, Want};
use crate::segment::{
    LazyFile, MaxTimestamp, OFFSET_INDEX_SUFFIX, Segment, TIME_INDEX_SUFFIX, file_name,
};

/// Segments whose indexes stay in memory beside the active one's.
pub const LOADED_SEGMENTS_MAX: usize = 4;
/// Segments whose files stay open beside the active one's.
pub const OPEN_SEGMENTS_MAX: usize = 8;
/// The largest index file that is read, bytes; Kafka's default is 10 MiB.
const INDEX_FILE_BYTES_MAX: u32 = 256 << 20;

/// A rebuilding of one segment's indexes.
#[derive(Debug)]
pub(crate) struct Rebuild {
    scanner: Scanner,
    /// Collects what the batches say; takes the real segment's place for indexes and timestamps.
    built: Segment,
}

impl Log {
    /// Has both indexes of segment `index` loaded. The jobs that need them go on afterwards.
    pub(crate) fn load_indexes<M>(&mut self, index: usize, ops: &mut Vec<Op<M>>) {
        let segment = &mut self.segments[index];
        let is_known = segment.is_indexed() && segment.max_timestamp.is_some();
        if segment.is_loading || is_known || segment.is_flushing {
            return;
        }
        segment.is_loading = true;
        let base = segment.base_offset;
        if segment.bytes > 0 && segment.times.bytes_total() == 0 {
            // A sealed segment has an entry for its largest timestamp, if it has any.
            self.begin_rebuild(base, ops);
            return;
        }
        self.read_index(base, IndexKind::Time, ops);
    }

    fn read_index<M>(&mut self, base: Offset, kind: IndexKind, ops: &mut Vec<Op<M>>) {
        let suffix = match kind {
            IndexKind::Offset => OFFSET_INDEX_SUFFIX,
            IndexKind::Time => TIME_INDEX_SUFFIX,
        };
        let path = self.spec.dir.join(file_name(base, suffix));
        let token = self.wires.token(Pending::IndexRead { base, kind });
        ops.push(Op::ReadWhole { token, path, length_max: INDEX_FILE_BYTES_MAX });
    }

    pub(crate) fn on_index_read<M>(
        &mut self,
        base: Offset,
        kind: IndexKind,
        result: Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        let Some(segment) = self.segment_mut(base) else {
            self.drive_jobs(ops);
            return;
        };
        let is_loaded = match &result {
            Ok(bytes) => take_index(segment, kind, bytes),
            Err(error) if error.kind == IoErrorKind::NotFound => take_index(segment, kind, &[]),
            Err(_) => false,
        };
        match (kind, is_loaded, result) {
            (_, false, Err(error)) if may_pass(error) => {
                segment.is_loading = false;
                self.fail_jobs_of(base);
            }
            (_, false, _) => self.begin_rebuild(base, ops),
            (IndexKind::Time, true, _) => self.read_index(base, IndexKind::Offset, ops),
            (IndexKind::Offset, true, _) => self.end_loading(base, ops),
        }
    }

    /// Both indexes are in memory.
    fn end_loading<M>(&mut self, base: Offset, ops: &mut Vec<Op<M>>) {
        if let Some(segment) = self.segment_mut(base) {
            segment.is_loading = false;
            if segment.max_timestamp.is_none() {
                let last = segment.times.last_entry();
                segment.max_timestamp =
                    Some(last.map_or(MaxTimestamp::NONE, |entry| entry_timestamp(segment, entry)));
                segment.time_indexed = last.map_or(-1, |entry| entry.timestamp);
            }
        }
        self.unload_others(base);
        self.drive_jobs(ops);
    }

    /// Keeps the memory and the descriptors of a log with many segments bounded.
    fn unload_others(&mut self, base: Offset) {
        let active = self.segments.len() - 1;
        let mut order: Vec<(u32, usize)> = self.segments[..active]
            .iter()
            .enumerate()
            .filter(|(_, segment)| segment.base_offset != base)
            .map(|(index, segment)| (segment.last_use, index))
            .collect();
        order.sort_unstable_by(|a, b| b.cmp(a));
        for (rank, (_, index)) in order.into_iter().enumerate() {
            let segment = &mut self.segments[index];
            if segment.is_pinned {
                continue;
            }
            if rank + 1 >= LOADED_SEGMENTS_MAX && !segment.is_loading {
                segment.offsets.unload();
                segment.times.unload();
            }
            let is_synced = !segment.is_unsynced();
            if rank + 1 >= OPEN_SEGMENTS_MAX && is_synced && segment.file.get().is_some() {
                segment.file = LazyFile::Closed;
            }
        }
    }

    /// Builds the indexes of a segment anew, whatever its files hold.
    pub(crate) fn rebuild_indexes<M>(&mut self, base: Offset, ops: &mut Vec<Op<M>>) {
        if let Some(segment) = self.segment_mut(base)
            && !segment.is_loading
        {
            segment.is_loading = true;
            self.begin_rebuild(base, ops);
        }
    }

    /// Builds the indexes of a segment from its batches.
    fn begin_rebuild<M>(&mut self, base: Offset, ops: &mut Vec<Op<M>>) {
        let Some(segment) = self.segment_mut(base) else {
            return;
        };
        let scanner = Scanner::new(0, segment.readable_bytes(), base);
        let built = Segment::empty(base, segment.touched_ms);
        self.reader.rebuilds.push((base, Rebuild { scanner, built }));
        self.pursue_rebuilds(ops);
    }

    /// Asks for the next bytes of the rebuildings that wait for their file.
    pub(crate) fn pursue_rebuilds<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let bases: Vec<Offset> = self.reader.rebuilds.iter().map(|(base, _)| *base).collect();
        for base in bases {
            let is_reading = self.wires.has(
                |pending| matches!(pending, Pending::Rebuild { base: other } if *other == base),
            );
            let Ok(index) =
                self.segments.binary_search_by_key(&base, |segment| segment.base_offset)
            else {
                self.reader.rebuilds.retain(|(other, _)| *other != base);
                continue;
            };
            if is_reading {
                continue;
            }
            let Some(file) = self.segments[index].file.get().cloned() else {
                self.open_segment(index, ops);
                continue;
            };
            let end = self.segments[index].readable_bytes();
            let rebuild = self.reader.rebuilds.iter_mut().find(|(other, _)| *other == base);
            let want = rebuild.map(|(_, rebuild)| {
                // The active segment may have grown meanwhile.
                rebuild.scanner.extend(end);
                rebuild.scanner.want()
            });
            if let Some(Want::Read { position, length }) = want {
                let token = self.wires.token(Pending::Rebuild { base });
                ops.push(Op::Read { token, file, position, length });
            } else {
                self.end_rebuild(base, ops);
            }
        }
    }

    pub(crate) fn on_rebuild_read<M>(
        &mut self,
        base: Offset,
        result: Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        let interval = self.spec.config.index_interval_bytes;
        let entry = self.reader.rebuilds.iter_mut().find(|(other, _)| *other == base);
        let Some((_, rebuild)) = entry else {
            return;
        };
        match result {
            Ok(bytes) => {
                let built = &mut rebuild.built;
                rebuild.scanner.feed(&bytes, &mut |found| built.take_in(found.header, interval));
                self.pursue_rebuilds(ops);
            }
            Err(_) => {
                self.drop_rebuild(base);
                self.fail_jobs_of(base);
            }
        }
    }

    /// Gives a rebuilding up; the next that needs it begins anew.
    pub(crate) fn drop_rebuild(&mut self, base: Offset) {
        self.reader.rebuilds.retain(|(other, _)| *other != base);
        if let Some(segment) = self.segment_mut(base) {
            segment.is_loading = false;
        }
    }

    /// The scan of a rebuilding is over: its result takes the place of what was there.
    fn end_rebuild<M>(&mut self, base: Offset, ops: &mut Vec<Op<M>>) {
        let Some(at) = self.reader.rebuilds.iter().position(|(other, _)| *other == base) else {
            return;
        };
        let (_, rebuild) = self.reader.rebuilds.swap_remove(at);
        let is_active = self.segments.last().is_some_and(|active| active.base_offset == base);
        if let Want::End { position, cut: Some(_) } = rebuild.scanner.want() {
            self.quarantine(base, position, "batch that fails its check");
        }
        let Some(segment) = self.segment_mut(base) else {
            return;
        };
        let mut built = rebuild.built;
        if !is_active {
            built.index_time();
        }
        segment.max_timestamp = built.max_timestamp.or(segment.max_timestamp);
        segment.first_timestamp = segment.first_timestamp.or(built.first_timestamp);
        segment.time_indexed = built.time_indexed;
        segment.offsets = built.offsets;
        segment.times = built.times;
        segment.is_loading = false;
        segment.is_index_unsynced |= !is_active;
        self.flush_indexes(base, ops);
        self.drive_jobs(ops);
    }
}

/// Takes a file's bytes in as the stored part of an index; false if they are not what it should be.
fn take_index(segment: &mut Segment, kind: IndexKind, bytes: &[u8]) -> bool {
    match kind {
        IndexKind::Offset => {
            let stored = segment.offsets.stored_bytes() as usize;
            let is_sane = bytes.len() >= stored
                && sane_offset_bytes(&bytes[..stored], segment.bytes) == stored;
            if is_sane {
                segment.offsets.load(&bytes[..stored]);
            }
            is_sane
        }
        IndexKind::Time => {
            let stored = segment.times.stored_bytes() as usize;
            let is_sane = bytes.len() >= stored && sane_time_bytes(&bytes[..stored]) == stored;
            if is_sane {
                segment.times.load(&bytes[..stored]);
            }
            is_sane
        }
    }
}

fn entry_timestamp(segment: &Segment, entry: TimeEntry) -> MaxTimestamp {
    MaxTimestamp {
        timestamp: entry.timestamp,
        offset: segment.base_offset.plus(i64::from(entry.relative)),
    }
}

//! One segment: a `.log` file, its indexes, and what is known about it without reading either.
//!
//! ```text
//!  base_offset                                                     base_offset of the next segment
//!  ┌─────────────────────────────────────┬──────────────┐ ← reserved blocks, behind the length
//!  │ whole batches, `bytes` long         │ (no bytes)   │
//!  └─────────────────────────────────────┴──────────────┘
//! ```
//!
//! Everything here is about *written* bytes; what is assigned but still in flight is `append.rs`'s.
//! Opening files and indexes is lazy, so an untouched segment is this struct and nothing else.
//! Source for the names: Kafka's `LogFileUtils`.

use std::path::{Path, PathBuf};

use millrace_io::FileRef;

use crate::Offset;
use crate::batch::BatchHeader;
use crate::index::{OffsetEntry, OffsetIndex, TimeEntry, TimeIndex};

/// The file name of a segment's log, without folder: 20 digits.
pub fn log_name(base_offset: Offset) -> String {
    file_name(base_offset, LOG_SUFFIX)
}

/// The file name of `base_offset` with one of the suffixes below.
pub fn file_name(base_offset: Offset, suffix: &str) -> String {
    format!("{:020}{suffix}", base_offset.0)
}

/// The offset and the suffix (the first dot and all behind it) of a segment's file name.
pub fn parse_file_name(name: &str) -> Option<(Offset, &str)> {
    let (digits, suffix) = name.split_at_checked(20)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !suffix.starts_with('.') {
        return None;
    }
    digits.parse().ok().map(|offset| (Offset(offset), suffix))
}

/// Suffix of the records.
pub const LOG_SUFFIX: &str = ".log";
/// Suffix of the offset index.
pub const OFFSET_INDEX_SUFFIX: &str = ".index";
/// Suffix of the time index.
pub const TIME_INDEX_SUFFIX: &str = ".timeindex";
/// Suffix of the index of aborted transactions.
pub const TXN_INDEX_SUFFIX: &str = ".txnindex";
/// Suffix of the producers' state at an offset.
pub const SNAPSHOT_SUFFIX: &str = ".snapshot";
/// An empty file of this name says that a sync was begun since the machine was started and is not
/// known to have worked.
pub(crate) const SYNC_PENDING_FILE: &str = "sync-pending";
/// Added to the files of a segment that was removed and is deleted later.
pub const DELETED_SUFFIX: &str = ".deleted";
/// Added to the files that compaction is writing.
pub const CLEANED_SUFFIX: &str = ".cleaned";
/// Added to the files that compaction has written and that replace others.
pub const SWAP_SUFFIX: &str = ".swap";

/// The files a segment may have.
pub(crate) const SEGMENT_SUFFIXES: [&str; 5] =
    [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TXN_INDEX_SUFFIX, SNAPSHOT_SUFFIX];

/// A lazily opened file.
#[derive(Debug, Default)]
pub(crate) enum LazyFile {
    /// Not open.
    #[default]
    Closed,
    /// An open is under way.
    Opening,
    /// Open.
    Open(FileRef),
}

impl LazyFile {
    /// The file, if it is open.
    pub(crate) const fn get(&self) -> Option<&FileRef> {
        match self {
            Self::Open(file) => Some(file),
            Self::Closed | Self::Opening => None,
        }
    }
}

/// The largest timestamp of a segment and the last offset of the batch that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxTimestamp {
    /// Ms since 1970; -1 if no record has one.
    pub timestamp: i64,
    /// Last offset of the first batch that has it; -1 with it.
    pub offset: Offset,
}

impl MaxTimestamp {
    /// No record has a timestamp.
    pub const NONE: Self = Self { timestamp: -1, offset: Offset(-1) };
}

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Offset in its name; no batch in it is below.
    pub(crate) base_offset: Offset,
    /// Whole batches written, bytes.
    pub(crate) bytes: u64,
    /// Bytes of them known to be durable.
    pub(crate) synced_bytes: u64,
    /// Its length was cut back since: that, too, has to be synced.
    pub(crate) is_cut: bool,
    /// End of the reserved blocks, bytes from the start; 0 if none were reserved.
    pub(crate) reserved_bytes: u64,
    /// A reservation is under way.
    pub(crate) is_reserving: bool,
    /// Reserved blocks are being freed, by cutting the file at its end: nothing may be written there
    /// meanwhile, or it would be cut off.
    pub(crate) is_trimming: bool,
    /// `None`: not known before the time index is loaded.
    pub(crate) max_timestamp: Option<MaxTimestamp>,
    /// The last timestamp that went into the time index, -1 if none did.
    pub(crate) time_indexed: i64,
    /// Largest timestamp of the first batch, if known: the age of the segment (`segment.ms`).
    pub(crate) first_timestamp: Option<i64>,
    /// When it was made or, for an old one, last changed; ms since 1970.
    pub(crate) touched_ms: i64,
    /// The `.log` file.
    pub(crate) file: LazyFile,
    /// `.index`.
    pub(crate) offsets: OffsetIndex,
    /// `.timeindex`.
    pub(crate) times: TimeIndex,
    /// Loading or rebuilding of the indexes is under way.
    pub(crate) is_loading: bool,
    /// It was sealed, and its index files are not known to be durable as they stand.
    pub(crate) is_index_unsynced: bool,
    /// A flush of the indexes is under way.
    pub(crate) is_flushing: bool,
    /// Bytes appended since the last index entry.
    pub(crate) unindexed_bytes: u64,
    /// Its files do not have their final names yet: the open file and the indexes in memory are all
    /// there is of it.
    pub(crate) is_pinned: bool,
    /// From this position on the bytes were found to be no batches; nothing of it is served.
    pub(crate) quarantined_from: Option<u64>,
    /// When it was last read, for closing what is idle; the log's own ticks.
    pub(crate) last_use: u32,
}

impl Segment {
    /// A segment without a byte.
    pub(crate) fn empty(base_offset: Offset, now_ms: i64) -> Self {
        Self {
            base_offset,
            bytes: 0,
            synced_bytes: 0,
            is_cut: false,
            reserved_bytes: 0,
            is_reserving: false,
            is_trimming: false,
            max_timestamp: Some(MaxTimestamp::NONE),
            time_indexed: -1,
            first_timestamp: None,
            touched_ms: now_ms,
            file: LazyFile::Closed,
            offsets: OffsetIndex::empty(),
            times: TimeIndex::empty(),
            is_loading: false,
            is_index_unsynced: false,
            is_flushing: false,
            unindexed_bytes: 0,
            is_pinned: false,
            quarantined_from: None,
            last_use: 0,
        }
    }

    /// A segment found on disk: `bytes` long, its index files as long as told.
    pub(crate) fn found(base_offset: Offset, bytes: u64, indexes: IndexBytes, now_ms: i64) -> Self {
        Self {
            bytes,
            synced_bytes: bytes,
            max_timestamp: None,
            offsets: OffsetIndex::stored(indexes.offsets),
            times: TimeIndex::stored(indexes.times),
            ..Self::empty(base_offset, now_ms)
        }
    }

    /// Where one of its files lies.
    pub(crate) fn path(&self, dir: &Path, suffix: &str) -> PathBuf {
        dir.join(file_name(self.base_offset, suffix))
    }

    /// Takes in a batch that lies at the end of what was known, and indexes it where due.
    ///
    /// - `interval_bytes`: `index.interval.bytes`.
    /// - The rules are Kafka's (`LogSegment.append`): a batch gets an entry if more than that many
    ///   bytes lie between it and the batch of the last entry.
    pub(crate) fn take_in(&mut self, batch: BatchHeader, interval_bytes: u32) {
        let last_offset = batch.last_offset();
        let known = self.max_timestamp.unwrap_or(MaxTimestamp::NONE);
        // A batch that compaction emptied still tells the time of records that are gone.
        let max = if batch.max_timestamp > known.timestamp && batch.record_count > 0 {
            MaxTimestamp { timestamp: batch.max_timestamp, offset: last_offset }
        } else {
            known
        };
        self.max_timestamp = Some(max);
        if self.bytes == 0 {
            self.first_timestamp = Some(batch.max_timestamp);
        }
        if self.unindexed_bytes > u64::from(interval_bytes) {
            self.offsets.push(OffsetEntry {
                relative: self.relative(last_offset),
                position: u32::try_from(self.bytes).unwrap_or(u32::MAX),
            });
            self.index_time();
            self.unindexed_bytes = 0;
        }
        self.bytes += batch.bytes_total() as u64;
        self.unindexed_bytes += batch.bytes_total() as u64;
    }

    /// Puts the largest timestamp so far into the time index, if it is not there.
    pub(crate) fn index_time(&mut self) {
        let Some(max) = self.max_timestamp else { return };
        if max.timestamp > self.time_indexed {
            self.times
                .push(TimeEntry { timestamp: max.timestamp, relative: self.relative(max.offset) });
            self.time_indexed = max.timestamp;
        }
    }

    /// `offset` relative to the base, 0 below it; the log rolls before it would not fit.
    pub(crate) fn relative(&self, offset: Offset) -> u32 {
        u32::try_from((offset.0 - self.base_offset.0).max(0)).unwrap_or(u32::MAX)
    }

    /// True if both indexes are in memory.
    pub(crate) const fn is_indexed(&self) -> bool {
        self.offsets.is_loaded() && self.times.is_loaded()
    }

    /// True if a sync has something to do for it.
    pub(crate) const fn is_unsynced(&self) -> bool {
        self.is_cut || self.synced_bytes < self.bytes
    }

    /// Bytes that may be served: all, or those before the quarantine.
    pub(crate) fn readable_bytes(&self) -> u64 {
        self.quarantined_from.map_or(self.bytes, |from| from.min(self.bytes))
    }
}

/// Lengths of a segment's index files, bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IndexBytes {
    pub(crate) offsets: u32,
    pub(crate) times: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kafkas_and_parse_back() {
        assert_eq!(log_name(Offset(368_769)), "00000000000000368769.log");
        assert_eq!(
            parse_file_name("00000000000000368769.timeindex.deleted"),
            Some((Offset(368_769), ".timeindex.deleted"))
        );
        assert_eq!(parse_file_name("leader-epoch-checkpoint"), None);
        assert_eq!(parse_file_name("0000000000000036876é.log"), None);
    }
}

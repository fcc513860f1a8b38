//! A segment's two sparse indexes: offset to position, timestamp to offset.
//!
//! ```text
//!  .index       8 bytes an entry: relative offset u32 | position u32      both strictly grow
//!  .timeindex  12 bytes an entry: timestamp i64 | relative offset u32     both strictly grow
//! ```
//!
//! An offset entry names a batch: its **last** offset, relative to the segment's base, and where
//! the batch starts. A time entry says: up to and with the batch that ends at this offset, this is
//! the largest timestamp. Both are kept as the very bytes of the file, big-endian, so that loading
//! is a read and flushing is a slice.
//!
//! The file holds a prefix of the entries, `tail` what came since; the prefix need not be in
//! memory ([`SparseIndex::unload`]). Nothing here does I/O: `roll.rs` flushes, `read.rs` loads.
//! Source: Kafka's `OffsetIndex` and `TimeIndex`.

mod flushing;
pub mod loading;

pub(crate) use loading::Rebuild;

/// Bytes of an entry of the offset index.
pub const OFFSET_ENTRY_BYTES: usize = 8;
/// Bytes of an entry of the time index.
pub const TIME_ENTRY_BYTES: usize = 12;

/// An index file of `ENTRY`-byte entries: what the file holds, and what it does not hold yet.
#[derive(Debug)]
pub(crate) struct SparseIndex<const ENTRY: usize> {
    /// Bytes of entries in the file.
    stored_bytes: u32,
    /// Those bytes, if they are in memory. Always there while the file is empty.
    loaded: Option<Box<[u8]>>,
    /// Entries behind them.
    tail: Vec<u8>,
    /// Bytes at the front of `tail` that a write is taking to the file.
    flushing_bytes: u32,
}

impl<const ENTRY: usize> SparseIndex<ENTRY> {
    /// An index whose file is empty or not there.
    pub(crate) fn empty() -> Self {
        Self::stored(0)
    }

    /// An index whose file holds `bytes` of entries, which are not in memory.
    pub(crate) fn stored(bytes: u32) -> Self {
        Self {
            stored_bytes: bytes - bytes % u32::try_from(ENTRY).unwrap_or(1),
            loaded: None,
            tail: Vec::new(),
            flushing_bytes: 0,
        }
    }

    /// True if every entry is in memory.
    pub(crate) const fn is_loaded(&self) -> bool {
        self.stored_bytes == 0 || self.loaded.is_some()
    }

    /// Bytes of entries in the file.
    pub(crate) const fn stored_bytes(&self) -> u32 {
        self.stored_bytes
    }

    /// Bytes of entries, in the file and not.
    pub(crate) fn bytes_total(&self) -> usize {
        self.stored_bytes as usize + self.tail.len()
    }

    /// Bytes of entries that no write has taken yet.
    pub(crate) fn unflushed_bytes(&self) -> usize {
        self.tail.len() - self.flushing_bytes as usize
    }

    /// True while a flush is under way.
    pub(crate) const fn is_flushing(&self) -> bool {
        self.flushing_bytes > 0
    }

    /// The file's bytes. `bytes` must be `stored_bytes` long.
    pub(crate) fn load(&mut self, bytes: &[u8]) {
        assert_eq!(bytes.len(), self.stored_bytes as usize, "the file's entries, all of them");
        self.loaded = Some(bytes.into());
    }

    /// Gives the memory of what the file holds back.
    pub(crate) fn unload(&mut self) {
        self.loaded = None;
    }

    /// What is to be written at `stored_bytes` of the file; remembers that it is under way.
    pub(crate) fn begin_flush(&mut self) -> &[u8] {
        assert!(!self.is_flushing(), "one flush at a time");
        self.flushing_bytes = u32::try_from(self.tail.len()).unwrap_or(u32::MAX);
        &self.tail
    }

    /// The write of [`Self::begin_flush`] ended; `written` tells whether the file holds it now.
    pub(crate) fn end_flush(&mut self, written: bool) {
        let bytes = std::mem::take(&mut self.flushing_bytes);
        if !written {
            return;
        }
        let front: Vec<u8> = self.tail.drain(..bytes as usize).collect();
        if self.tail.is_empty() {
            self.tail = Vec::new();
        }
        if self.is_loaded() {
            let mut all = self.loaded.take().map_or_else(Vec::new, Vec::from);
            all.extend_from_slice(&front);
            self.loaded = Some(all.into_boxed_slice());
        }
        self.stored_bytes += bytes;
    }

    /// Entries in memory; all there are once [`Self::is_loaded`].
    fn count(&self) -> usize {
        (self.loaded.as_ref().map_or(0, |bytes| bytes.len()) + self.tail.len()) / ENTRY
    }

    /// Entry `index` of those in memory.
    fn entry(&self, index: usize) -> [u8; ENTRY] {
        let at = index * ENTRY;
        let loaded = self.loaded.as_deref().unwrap_or_default();
        let bytes = if at < loaded.len() {
            &loaded[at..at + ENTRY]
        } else {
            &self.tail[at - loaded.len()..at - loaded.len() + ENTRY]
        };
        let mut entry = [0; ENTRY];
        entry.copy_from_slice(bytes);
        entry
    }

    /// The last entry in memory for which `at_most` holds; it must hold for a prefix.
    fn last_where(&self, at_most: impl Fn(&[u8; ENTRY]) -> bool) -> Option<[u8; ENTRY]> {
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = low + (high - low) / 2;
            if at_most(&self.entry(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1).map(|index| self.entry(index))
    }

    fn last(&self) -> Option<[u8; ENTRY]> {
        self.count().checked_sub(1).map(|index| self.entry(index))
    }

    /// Memory on the heap, bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.loaded.as_ref().map_or(0, |bytes| bytes.len()) + self.tail.capacity()
    }
}

/// An entry of the offset index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    /// Last offset of the batch, relative to the segment's base.
    pub(crate) relative: u32,
    /// Where the batch starts, bytes.
    pub(crate) position: u32,
}

impl OffsetEntry {
    fn decode(bytes: [u8; OFFSET_ENTRY_BYTES]) -> Self {
        Self { relative: u32_at(&bytes, 0), position: u32_at(&bytes, 4) }
    }
}

/// An entry of the time index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    /// The largest timestamp so far, ms.
    pub(crate) timestamp: i64,
    /// Last offset of the batch that has it, relative to the segment's base.
    pub(crate) relative: u32,
}

impl TimeEntry {
    fn decode(bytes: [u8; TIME_ENTRY_BYTES]) -> Self {
        let (high, low) = (u32_at(&bytes, 0), u32_at(&bytes, 4));
        Self {
            timestamp: ((u64::from(high) << 32) | u64::from(low)) as i64,
            relative: u32_at(&bytes, 8),
        }
    }
}

/// The big-endian number at a place within an entry.
fn u32_at(entry: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]])
}

/// The offset index of a segment.
pub(crate) type OffsetIndex = SparseIndex<OFFSET_ENTRY_BYTES>;
/// The time index of a segment.
pub(crate) type TimeIndex = SparseIndex<TIME_ENTRY_BYTES>;

impl OffsetIndex {
    /// An index that is known to be missing: it claims an entry, so that loading it fails and it is
    /// built from the batches.
    pub(crate) fn claimed() -> Self {
        Self::stored(u32::try_from(OFFSET_ENTRY_BYTES).unwrap_or(1))
    }

    /// Adds an entry; one that does not lie behind the last is left out.
    pub(crate) fn push(&mut self, entry: OffsetEntry) {
        if self.last_entry().is_some_and(|last| last.relative >= entry.relative) {
            return;
        }
        self.tail.extend_from_slice(&entry.relative.to_be_bytes());
        self.tail.extend_from_slice(&entry.position.to_be_bytes());
    }

    /// The last entry in memory.
    pub(crate) fn last_entry(&self) -> Option<OffsetEntry> {
        self.last().map(OffsetEntry::decode)
    }

    /// A position at or before the batch that holds the offset `relative` to the base; 0 if the
    /// index knows nothing better.
    pub(crate) fn position_before(&self, relative: u32) -> u32 {
        self.last_where(|bytes| OffsetEntry::decode(*bytes).relative <= relative)
            .map_or(0, |bytes| OffsetEntry::decode(bytes).position)
    }
}

impl TimeIndex {
    /// Adds an entry; one whose timestamp is not larger than the last is left out.
    pub(crate) fn push(&mut self, entry: TimeEntry) {
        let is_newer =
            |last: TimeEntry| entry.timestamp > last.timestamp && entry.relative > last.relative;
        if self.last_entry().is_some_and(|last| !is_newer(last)) || entry.timestamp < 0 {
            return;
        }
        self.tail.extend_from_slice(&entry.timestamp.to_be_bytes());
        self.tail.extend_from_slice(&entry.relative.to_be_bytes());
    }

    /// The last entry in memory.
    pub(crate) fn last_entry(&self) -> Option<TimeEntry> {
        self.last().map(TimeEntry::decode)
    }

    /// The last entry whose timestamp is at most `timestamp`: what has a larger one lies behind it.
    pub(crate) fn entry_before(&self, timestamp: i64) -> Option<TimeEntry> {
        self.last_where(|bytes| TimeEntry::decode(*bytes).timestamp <= timestamp)
            .map(TimeEntry::decode)
    }
}

/// The sane front of an offset index file: entries that strictly grow and lie within the segment.
///
/// - `segment_bytes`: no entry may point at or behind this.
/// - Returns the bytes of the sane entries. A file that was allocated ahead (Kafka's active
///   segment) ends in zeros, which do not grow and so are cut here.
pub(crate) fn sane_offset_bytes(bytes: &[u8], segment_bytes: u64) -> usize {
    let mut previous: Option<OffsetEntry> = None;
    sane_prefix::<OFFSET_ENTRY_BYTES>(bytes, |raw| {
        let entry = OffsetEntry::decode(raw);
        let grows = previous
            .is_none_or(|last| entry.relative > last.relative && entry.position > last.position);
        // Position 0 never gets an entry, so this is a file allocated ahead.
        let is_zero = entry.relative == 0 && entry.position == 0;
        previous = Some(entry);
        grows && !is_zero && u64::from(entry.position) < segment_bytes
    })
}

/// The sane front of a time index file: entries that strictly grow. See [`sane_offset_bytes`].
pub(crate) fn sane_time_bytes(bytes: &[u8]) -> usize {
    let mut previous: Option<TimeEntry> = None;
    sane_prefix::<TIME_ENTRY_BYTES>(bytes, |raw| {
        let entry = TimeEntry::decode(raw);
        let grows = previous
            .is_none_or(|last| entry.timestamp > last.timestamp && entry.relative >= last.relative);
        let is_blank = entry.timestamp == 0 && entry.relative == 0;
        previous = Some(entry);
        grows && !is_blank
    })
}

fn sane_prefix<const ENTRY: usize>(
    bytes: &[u8],
    mut is_sane: impl FnMut([u8; ENTRY]) -> bool,
) -> usize {
    let mut sane = 0;
    for chunk in bytes.chunks_exact(ENTRY) {
        let mut raw = [0; ENTRY];
        raw.copy_from_slice(chunk);
        if !is_sane(raw) {
            break;
        }
        sane += ENTRY;
    }
    sane
}

/// Entries of a time index file's sane bytes up to and with `relative`, and the last one. `None`:
/// no entries.
pub(crate) fn time_entries_until(
    bytes: &[u8],
    relative: Option<u32>,
) -> (usize, Option<TimeEntry>) {
    let mut last = None;
    let kept = sane_prefix::<TIME_ENTRY_BYTES>(bytes, |raw| {
        let entry = TimeEntry::decode(raw);
        let keep = relative.is_some_and(|relative| entry.relative <= relative);
        if keep {
            last = Some(entry);
        }
        keep
    });
    (kept, last)
}

/// Entries of an offset index file's sane bytes whose batch ends below `relative`, and the last one.
pub(crate) fn offset_entries_before(bytes: &[u8], relative: u32) -> (usize, Option<OffsetEntry>) {
    let mut last = None;
    let kept = sane_prefix::<OFFSET_ENTRY_BYTES>(bytes, |raw| {
        let entry = OffsetEntry::decode(raw);
        let keep = entry.relative < relative;
        if keep {
            last = Some(entry);
        }
        keep
    });
    (kept, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled() -> OffsetIndex {
        let mut index = OffsetIndex::empty();
        for step in 1..=100_u32 {
            index.push(OffsetEntry { relative: step * 10, position: step * 4200 });
        }
        index
    }

    #[test]
    fn lookup_gives_the_last_batch_that_ends_at_or_before_the_offset() {
        let index = filled();
        assert_eq!(index.position_before(9), 0);
        assert_eq!(index.position_before(10), 4200);
        assert_eq!(index.position_before(19), 4200);
        assert_eq!(index.position_before(20), 8400);
        assert_eq!(index.position_before(u32::MAX), 420_000);
    }

    #[test]
    fn a_flush_moves_entries_to_the_file_and_a_load_brings_them_back() {
        let mut index = filled();
        let file = index.begin_flush().to_vec();
        index.push(OffsetEntry { relative: 2000, position: 500_000 });
        index.end_flush(true);
        assert_eq!((file.len(), index.stored_bytes(), index.unflushed_bytes()), (800, 800, 8));
        assert_eq!(index.position_before(20), 8400);
        index.unload();
        assert!(!index.is_loaded());
        index.load(&file);
        assert_eq!(index.position_before(20), 8400);
        assert_eq!(index.position_before(2000), 500_000);
    }

    #[test]
    fn a_failed_flush_keeps_the_entries() {
        let mut index = filled();
        index.begin_flush();
        index.end_flush(false);
        assert_eq!((index.stored_bytes(), index.unflushed_bytes()), (0, 800));
    }

    #[test]
    fn zeros_behind_the_entries_and_positions_behind_the_end_are_cut() {
        let mut index = filled();
        let mut file = index.begin_flush().to_vec();
        file.resize(2000, 0);
        assert_eq!(sane_offset_bytes(&file, 1 << 20), 800);
        assert_eq!(sane_offset_bytes(&file, 420_000), 792);
        assert_eq!(sane_time_bytes(&[0; 1200]), 0);
    }

    #[test]
    fn time_entries_grow_or_are_left_out() {
        let mut index = TimeIndex::empty();
        index.push(TimeEntry { timestamp: 5, relative: 1 });
        index.push(TimeEntry { timestamp: 5, relative: 2 });
        index.push(TimeEntry { timestamp: 9, relative: 3 });
        assert_eq!(index.bytes_total(), 24);
        assert_eq!(index.entry_before(8).map(|entry| entry.relative), Some(1));
        assert_eq!(index.entry_before(4), None);
    }
}

//! Aborted transactions of segments that become one: their `.txnindex` files become one, too.
//!
//! This log writes none and reads none; they come with folders that Kafka has written, and Kafka
//! needs them if it gets the folder back. Transactions' batches are compacted as they are, so every
//! entry goes on counting.
//!
//! The entries are written as a whole under the first segment's own name before the swap begins. If
//! the swap does not come to pass, that segment tells of transactions that end in later ones as well,
//! which those tell, too: whoever collects them for a range meets some twice, and they say the same.
//! The next compaction leaves one of each.

use std::collections::BTreeMap;

use bytes::Bytes;
use millrace_io::{IoError, IoErrorKind, Op};

use super::Compaction;
use super::run::{Next, Progress, Step, Trouble};
use crate::Offset;
use crate::log::Log;
use crate::segment::{TXN_INDEX_SUFFIX, file_name};

/// Bytes of an entry: version i16, producer id, first, last and last stable offset, i64 each.
const ENTRY_BYTES: usize = 34;
/// Where the last offset stands in it: entries are in its order.
const LAST_OFFSET_AT: usize = 2 + 8 + 8;
/// The longest file that is read, bytes; a segment's batches are no more than 2 GiB, and each aborted
/// transaction takes a marker among them.
const FILE_BYTES_MAX: u32 = 1 << 30;

/// The files of a group, on their way into one.
#[derive(Debug, Default)]
pub(super) struct TxnIndexes {
    /// Segments whose files are still to be read, the last first.
    left: Vec<Offset>,
    /// Entries by last offset.
    entries: BTreeMap<i64, Vec<[u8; ENTRY_BYTES]>>,
    has_several: bool,
    is_written: bool,
}

impl TxnIndexes {
    /// Those of segments that become one.
    pub(super) fn of(sources: &[Offset]) -> Self {
        if sources.len() < 2 {
            return Self { is_written: true, ..Self::default() };
        }
        Self { left: sources.iter().rev().copied().collect(), ..Self::default() }
    }

    /// Takes in a segment's entries; another one of the same bytes is left out.
    fn take(&mut self, is_first: bool, bytes: &[u8]) -> Result<(), &'static str> {
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        if !rest.is_empty() {
            return Err("a .txnindex that is cut off");
        }
        self.has_several |= !is_first && !entries.is_empty();
        for entry in entries {
            let last = entry[LAST_OFFSET_AT..].first_chunk().copied().unwrap_or_default();
            let same = self.entries.entry(i64::from_be_bytes(last)).or_default();
            if !same.contains(entry) {
                same.push(*entry);
            }
        }
        Ok(())
    }

    fn content(&self) -> Bytes {
        let entries: Vec<u8> = self.entries.values().flatten().flatten().copied().collect();
        Bytes::from(entries)
    }
}

impl Log {
    /// The next step; `None` if the group's files are one.
    pub(super) fn join_txn_indexes<M>(
        &mut self,
        run: &mut Compaction,
        ops: &mut Vec<Op<M>>,
    ) -> Option<Progress> {
        let target = run.target.as_deref_mut()?;
        let indexes = &mut target.txn_indexes;
        if let Some(base) = indexes.left.last().copied() {
            let path = self.spec.dir.join(file_name(base, TXN_INDEX_SUFFIX));
            let read = |token| Op::ReadWhole { token, path, length_max: FILE_BYTES_MAX };
            return Some(self.compaction_op(run, Step::TxnIndexRead, ops, read));
        }
        let is_needed = indexes.has_several && !indexes.is_written;
        if !is_needed {
            return None;
        }
        indexes.is_written = true;
        let content = indexes.content();
        let name = file_name(target.segment.base_offset, TXN_INDEX_SUFFIX);
        let path = self.spec.dir.join(name);
        let write = |token| Op::WriteWhole { token, path, content };
        Some(self.compaction_op(run, Step::TxnIndexWritten, ops, write))
    }
}

/// One of a group's files is read, or is not there.
pub(super) fn on_txn_index_read(run: &mut Compaction, result: Result<Bytes, IoError>) -> Progress {
    let Some(target) = &mut run.target else { return Err(Trouble::Gone) };
    let is_first = target.txn_indexes.left.len() == target.sources.len();
    let Some(segment) = target.txn_indexes.left.pop() else { return Err(Trouble::Gone) };
    match result {
        Ok(bytes) => {
            let taken = target.txn_indexes.take(is_first, &bytes);
            taken.map_err(|reason| Trouble::Bad { segment, position: 0, reason })?;
            Ok(Next::Go)
        }
        Err(error) if error.kind == IoErrorKind::NotFound => Ok(Next::Go),
        Err(error) => Err(Trouble::Io(error, "reading a .txnindex")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(producer: i64, last: i64) -> Vec<u8> {
        let mut bytes = vec![0, 0];
        for field in [producer, last - 1, last, last] {
            bytes.extend_from_slice(&field.to_be_bytes());
        }
        bytes
    }

    #[test]
    fn entries_are_joined_in_order_and_once() {
        let mut indexes = TxnIndexes::of(&[Offset(0), Offset(10)]);
        let first = [entry(1, 4), entry(2, 12)].concat();
        indexes.take(true, &first).expect("whole");
        assert!(!indexes.has_several);
        let second = [entry(2, 12), entry(3, 15)].concat();
        indexes.take(false, &second).expect("whole");
        assert!(indexes.has_several);
        let joined = [entry(1, 4), entry(2, 12), entry(3, 15)].concat();
        assert_eq!(indexes.content(), joined);
        assert!(indexes.take(false, &first[..40]).is_err());
    }
}

//! The two passes over a piece of a segment, as functions of what they are given: they run on the
//! thread that computes ([`millrace_io::Work`]), not on the shard's.
//!
//! Every batch's CRC is checked before it is believed, and its offsets, which lie outside it. A batch
//! that fails is neither dropped nor written anew with a right one: the pass ends, and the log stays
//! as it is.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::{BatchFate, CleanRules, Cleaned, KeyOffsets, Taken, WhenEmpty, clean_batch};
use crate::Offset;
use crate::batch::{BatchEnd, BatchHeader, BatchIter, BatchView, HEADER_BYTES};
use crate::ids::ProducerId;

/// Last offset of the last batch of each producer that is remembered.
pub(super) type LastOffsets = Arc<BTreeMap<ProducerId, Offset>>;

/// How far a pass got in its piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceEnd {
    /// The next batch starts at `used`; less of it than a whole one is there, if anything.
    Next {
        /// Bytes the next batch takes, if that is known.
        batch_bytes: Option<usize>,
    },
    /// The map is full; the batch at `used` is for another round.
    Full,
    /// The batch at `used` is none.
    Bad(&'static str),
}

/// Where a piece's batches must lie: none starts below the first offset or reaches beyond the last.
pub(super) type Bounds = Range<Offset>;

/// What pass 1 is given.
#[derive(Debug)]
pub(super) struct MapPiece {
    pub(super) keys: KeyOffsets,
    pub(super) bytes: Bytes,
    pub(super) bounds: Bounds,
    /// Batches that end below this are not dirty.
    pub(super) from: Offset,
    pub(super) limit_bytes: usize,
}

/// What pass 1 gives.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) keys: KeyOffsets,
    /// Bytes of whole batches from the front of the piece on.
    pub(super) used: usize,
    /// The offset behind the last of them.
    pub(super) next: Offset,
    pub(super) end: PieceEnd,
}

/// Pass 1 over a piece: notes the keys of its batches.
pub(super) fn map_piece(piece: MapPiece) -> Mapped {
    let MapPiece { mut keys, bytes, bounds, from, limit_bytes } = piece;
    let (used, next, end) = walk(&bytes, bounds, |view| {
        if view.header.next_offset() <= from {
            return Ok(());
        }
        match keys.take(view, fate_of(&view.header), limit_bytes) {
            Ok(Taken::Yes) => Ok(()),
            Ok(Taken::Full) => Err(PieceEnd::Full),
            Err(_) => Err(PieceEnd::Bad("a batch that cannot be opened")),
        }
    });
    Mapped { keys, used, next, end }
}

/// What pass 2 is given.
#[derive(Debug)]
pub(super) struct CleanPiece {
    pub(super) keys: KeyOffsets,
    pub(super) bytes: Bytes,
    pub(super) bounds: Bounds,
    pub(super) last_offsets: LastOffsets,
    pub(super) rules: CleanRules,
}

/// What pass 2 gives.
#[derive(Debug)]
pub(super) struct Swept {
    pub(super) keys: KeyOffsets,
    pub(super) used: usize,
    pub(super) next: Offset,
    pub(super) end: PieceEnd,
    /// The batches that are left, in order.
    pub(super) kept: Vec<BatchHeader>,
    /// Their bytes; neighbours that stay as they are are one slice of the piece.
    pub(super) chunks: Vec<Bytes>,
    /// Batches that were changed or are gone.
    pub(super) changed: u64,
    /// Records gone.
    pub(super) removed_records: u64,
}

/// Pass 2 over a piece: what is left of its batches.
pub(super) fn clean_piece(piece: CleanPiece) -> Swept {
    let CleanPiece { keys, bytes, bounds, last_offsets, rules } = piece;
    let (mut kept, mut changed, mut removed_records) = (Vec::new(), 0, 0);
    let mut chunks = Vec::new();
    // Of the piece: what stays as it is and is not among the chunks yet.
    let mut run = 0..0;
    let (used, next, end) = walk(&bytes, bounds, |view| {
        let header = view.header;
        let is_last = last_offsets.get(&header.producer_id) == Some(&header.last_offset());
        let when_empty = if is_last { WhenEmpty::KeepHeader } else { WhenEmpty::Remove };
        let before = u64::from(header.record_count.unsigned_abs());
        match clean_batch(view, &keys, (fate_of(&header), when_empty), rules) {
            Ok(Cleaned::Keep) => {
                if run.end != view.position {
                    flush(&bytes, &run, &mut chunks);
                    run.start = view.position;
                }
                run.end = view.position + view.bytes.len();
                kept.push(header);
            }
            Ok(Cleaned::Rewrite(anew)) => {
                let header = BatchHeader::parse(&anew)
                    .map_err(|_| PieceEnd::Bad("a batch that was written anew"))?;
                changed += 1;
                removed_records += before - u64::from(header.record_count.unsigned_abs());
                flush(&bytes, &run, &mut chunks);
                run = 0..0;
                kept.push(header);
                chunks.push(anew);
            }
            Ok(Cleaned::Remove) => {
                changed += 1;
                removed_records += before;
            }
            Err(_) => return Err(PieceEnd::Bad("a batch that cannot be opened")),
        }
        Ok(())
    });
    flush(&bytes, &run, &mut chunks);
    Swept { keys, used, next, end, kept, chunks, changed, removed_records }
}

fn flush(bytes: &Bytes, run: &Range<usize>, chunks: &mut Vec<Bytes>) {
    if !run.is_empty() {
        chunks.push(bytes.slice(run.clone()));
    }
}

/// Shows the whole, right batches of a piece to `take` until it has enough. Returns the bytes
/// walked over, the offset behind them, and why the walk ended.
fn walk(
    bytes: &[u8],
    mut bounds: Bounds,
    mut take: impl FnMut(&BatchView<'_>) -> Result<(), PieceEnd>,
) -> (usize, Offset, PieceEnd) {
    let mut batches = BatchIter::new(bytes);
    loop {
        let at = batches.position();
        let Some(view) = batches.next() else { break };
        let header = &view.header;
        let is_within = header.base_offset >= bounds.start
            && header.last_offset_delta >= 0
            && header.next_offset() <= bounds.end;
        if !is_within {
            return (at, bounds.start, PieceEnd::Bad("a batch with the wrong offsets"));
        }
        if !view.is_crc_right() {
            return (at, bounds.start, PieceEnd::Bad("a batch with a wrong CRC"));
        }
        if let Err(end) = take(&view) {
            return (at, bounds.start, end);
        }
        bounds.start = header.next_offset();
    }
    let end = match batches.end() {
        Some(BatchEnd::Torn { batch_bytes, .. }) => PieceEnd::Next { batch_bytes },
        // The first bytes of a small offset are zeros.
        Some(BatchEnd::Blank { position }) if bytes.len() - position < HEADER_BYTES => {
            PieceEnd::Next { batch_bytes: None }
        }
        Some(BatchEnd::Blank { .. } | BatchEnd::Corrupt { .. }) => {
            PieceEnd::Bad("bytes that are no batch")
        }
        Some(BatchEnd::Clean) | None => PieceEnd::Next { batch_bytes: None },
    };
    (batches.position(), bounds.start, end)
}

/// What is known of a batch's transaction: nothing until somebody keeps account of them. Markers
/// are control batches and stay.
const fn fate_of(header: &BatchHeader) -> BatchFate {
    if header.is_transactional() && !header.is_control() {
        BatchFate::Unknown
    } else {
        BatchFate::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Codec;
    use crate::builder::{BatchBuilder, BatchSpec};
    use crate::compaction::MapRules;
    use millrace_io::WallMs;

    const LIMIT: usize = 1 << 20;

    fn batch(base: i64, key: &str) -> Bytes {
        let codec = Codec::Lz4;
        let spec = BatchSpec { base_offset: Offset(base), codec, ..BatchSpec::default() };
        let mut builder = BatchBuilder::new(spec);
        builder.append(1000, Some(key.as_bytes()), Some(b"value"), &[]);
        builder.build().expect("lz4 is in")
    }

    fn keys() -> KeyOffsets {
        let rules = MapRules { bytes_max: LIMIT, load_percent: 90, secret: (3, 4) };
        KeyOffsets::new(Offset(0), rules)
    }

    fn map(bytes: Bytes) -> Mapped {
        let (bounds, from) = (Offset(0)..Offset(9), Offset(0));
        map_piece(MapPiece { keys: keys(), bytes, bounds, from, limit_bytes: LIMIT })
    }

    #[test]
    fn a_piece_that_ends_within_a_batch_is_used_up_to_it() {
        let (first, second) = (batch(0, "a"), batch(1, "b"));
        let all = [first.clone(), second.clone()].concat();
        let bytes = Bytes::from(all).slice(..first.len() + 30);
        let mapped = map(bytes);
        assert_eq!(mapped.used, first.len());
        assert_eq!(mapped.end, PieceEnd::Next { batch_bytes: None });
        let front = map(second.slice(..second.len() - 1));
        let batch_bytes = Some(second.len());
        assert_eq!((front.used, front.end), (0, PieceEnd::Next { batch_bytes }));
    }

    #[test]
    fn offsets_that_go_back_or_beyond_the_segment_end_the_pass() {
        let bad = PieceEnd::Bad("a batch with the wrong offsets");
        let back = Bytes::from([batch(5, "a"), batch(4, "b")].concat());
        let mapped = map(back);
        assert_eq!((mapped.next, mapped.end), (Offset(6), bad));
        assert_eq!(map(batch(9, "a")).end, bad);
    }

    #[test]
    fn a_wrong_crc_ends_both_passes_before_the_batch() {
        let first = batch(0, "a");
        let mut all = [first.clone(), batch(1, "a")].concat();
        let last = all.len() - 1;
        all[last] ^= 1;
        let bytes = Bytes::from(all);
        let mapped = map(bytes.clone());
        let bad = PieceEnd::Bad("a batch with a wrong CRC");
        assert_eq!((mapped.used, mapped.end), (first.len(), bad));
        let rules = CleanRules {
            now: WallMs(0),
            delete_retention_ms: 0,
            limit_bytes: LIMIT,
            tombstones_below: Offset(i64::MAX),
        };
        let last_offsets = LastOffsets::default();
        let bounds = Offset(0)..Offset(9);
        let keys = mapped.keys;
        let swept = clean_piece(CleanPiece { keys, bytes, bounds, last_offsets, rules });
        assert_eq!((swept.used, swept.end, swept.kept.len()), (first.len(), bad, 1));
    }
}

//! Log compaction over batches, as pure functions: which record of a key is the last, and what is
//! left of a batch once older ones are gone.
//!
//! ```text
//!  pass 1, over the dirty part            pass 2, over everything below the map's end
//!  batch ─▶ KeyOffsets::take              batch ─▶ clean_batch ─▶ Keep │ Rewrite(bytes) │ Remove
//!           key ─▶ last offset                      a record stays if no later one has its key
//! ```
//!
//! What never changes: offsets of records, a batch's first and last offset, its sequences and its
//! leader epoch. So a rewritten batch has gaps, `record_count` is less than `last_offset_delta + 1`,
//! and a producer's last batch stays even when nothing is left in it: its sequence is what makes a
//! retry a duplicate.
//!
//! A tombstone (null value) outlives the records that it deletes: the pass that first meets it
//! writes a delete horizon into its batch (attribute bit 6, in place of the base timestamp) and it
//! goes once that has passed, so that a slow consumer still learns of the deletion. Markers of
//! transactions without records left go the same way. Source: KIP-534, KIP-98.
//!
//! This file judges batches. `keys` is the map, `passes` walks pieces of segments with both, off the
//! shard's thread; `plan` says what of a log is to be compacted, `run` reads and writes it, `swap`
//! puts the result into its place.

mod keys;
mod passes;
mod plan;
mod run;
mod swap;
mod txn_index;

use bytes::Bytes;
use millrace_io::WallMs;

use crate::batch::{BatchFlags, BatchHeader, BatchView, Codec};
use crate::builder::{BatchBuilder, BatchSpec, ProducerStamp};
use crate::ids::Offset;
use crate::open_batch::{LogRecord, OpenBatch, OpenError};
use keys::KeyTable;

pub use plan::Cleanable;
pub(crate) use run::{Compaction, Step};
pub use run::{CompactionEvent, CompactionLimits, CompactionReport};

/// What became of a batch's transaction, as far as compaction asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchFate {
    /// Its records count: not transactional, committed, or a marker that is still needed.
    Live,
    /// Nobody knows yet what became of its transaction: it stays as it is, and its records
    /// supersede nothing.
    Unknown,
    /// Its transaction was aborted: all of it goes.
    Aborted,
    /// A marker whose transaction has no records left: it goes once its horizon has passed.
    MarkerOfNothing,
}

/// Whether a batch that becomes empty stays as a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenEmpty {
    /// It goes.
    Remove,
    /// It is the last of a producer that is still remembered, and stays.
    KeepHeader,
}

/// Whether pass 1 took a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Yes; the map's end is behind it.
    Yes,
    /// The map is full. Pass 2 cleans what was taken; the next round starts here.
    Full,
}

/// What bounds a map of keys.
#[derive(Clone, Copy, Debug)]
pub struct MapRules {
    /// Most bytes of the table. Kafka: `log.cleaner.dedupe.buffer.size`.
    pub bytes_max: usize,
    /// How full it may get, percent. Kafka: `log.cleaner.io.buffer.load.factor`.
    pub load_percent: u8,
    /// Keys the hash; random, and the same for the life of the process.
    pub secret: (u64, u64),
}

/// Keys of the dirty part of a log and the last offset of each, within a bound on memory.
#[derive(Clone, Debug)]
pub struct KeyOffsets {
    table: KeyTable,
    end_offset: Offset,
}

impl KeyOffsets {
    /// An empty map for a log that is dirty from `start_offset` on.
    pub fn new(start_offset: Offset, rules: MapRules) -> Self {
        Self { table: KeyTable::new(rules), end_offset: start_offset }
    }

    /// Everything below was looked at. Exclusive.
    pub const fn end_offset(&self) -> Offset {
        self.end_offset
    }

    /// There is nothing more below `offset`: everything up to there was looked at.
    pub fn close(&mut self, offset: Offset) {
        self.end_offset = self.end_offset.max(offset);
    }

    /// Keys in the map.
    pub const fn len(&self) -> usize {
        self.table.len()
    }

    /// True if no key was met.
    pub const fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Notes the keys of a batch, whole or not at all.
    ///
    /// - Batches come in the order of the log.
    /// - The first batch is taken even beyond the bound: a round that takes nothing would be
    ///   repeated for ever. It is as large as one batch may be, `limit_bytes` unpacked.
    pub fn take(
        &mut self,
        view: &BatchView<'_>,
        fate: BatchFate,
        limit_bytes: usize,
    ) -> Result<Taken, OpenError> {
        if view.header.is_control() || fate != BatchFate::Live {
            self.end_offset = self.end_offset.max(view.header.next_offset());
            return Ok(Taken::Yes);
        }
        let count = usize::try_from(view.header.record_count).unwrap_or(0);
        if !self.table.has_room(count) && !self.is_empty() {
            return Ok(Taken::Full);
        }
        let batch = OpenBatch::open(view, limit_bytes)?;
        let mut keys = Vec::new();
        for record in batch.records() {
            let LogRecord { offset, record, .. } = record?;
            keys.extend(record.key.map(|key| (self.table.hash(key), offset)));
        }
        self.table.put_all(&keys);
        self.end_offset = self.end_offset.max(view.header.next_offset());
        Ok(Taken::Yes)
    }
}

/// What pass 2 goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanRules {
    /// The wall clock when the pass began.
    pub now: WallMs,
    /// `delete.retention.ms`: how long a tombstone stays after it was first met.
    pub delete_retention_ms: i64,
    /// Most bytes that a batch's body may unpack to.
    pub limit_bytes: usize,
    /// Tombstones from here on stay, however old.
    pub tombstones_below: Offset,
}

/// What is left of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cleaned {
    /// The batch as it is.
    Keep,
    /// This one in its place; no packed batch grows by more than its codec makes of fewer records.
    Rewrite(Bytes),
    /// Nothing.
    Remove,
}

/// Decides what is left of a batch.
///
/// - `keys`: from pass 1; the batch lies below its end, or is kept whole.
/// - Doing it again with the same arguments gives [`Cleaned::Keep`] for what was rewritten.
pub fn clean_batch(
    view: &BatchView<'_>,
    keys: &KeyOffsets,
    (fate, when_empty): (BatchFate, WhenEmpty),
    rules: CleanRules,
) -> Result<Cleaned, OpenError> {
    let header = view.header;
    if header.last_offset() >= keys.end_offset() {
        return Ok(Cleaned::Keep);
    }
    match fate {
        BatchFate::Unknown => Ok(Cleaned::Keep),
        BatchFate::Aborted => Ok(emptied(&header, when_empty)),
        BatchFate::MarkerOfNothing => match horizon_of(&header) {
            Some(horizon) if horizon <= rules.now => Ok(emptied(&header, when_empty)),
            Some(_) => Ok(Cleaned::Keep),
            None => {
                let batch = OpenBatch::open(view, rules.limit_bytes)?;
                let all: Vec<_> = batch.records().collect::<Result<_, _>>()?;
                if all.is_empty() {
                    return Ok(emptied(&header, when_empty));
                }
                rewritten(&header, &all, Some(next_horizon(rules)))
            }
        },
        BatchFate::Live if header.is_control() => Ok(Cleaned::Keep),
        BatchFate::Live => clean_records(view, keys, when_empty, rules),
    }
}

fn clean_records(
    view: &BatchView<'_>,
    keys: &KeyOffsets,
    when_empty: WhenEmpty,
    rules: CleanRules,
) -> Result<Cleaned, OpenError> {
    let header = view.header;
    let horizon = horizon_of(&header);
    let are_tombstones_due = horizon.is_some_and(|horizon| horizon <= rules.now);
    let batch = OpenBatch::open(view, rules.limit_bytes)?;
    let (mut hashes, mut kept) = (Vec::new(), Vec::new());
    for record in batch.records() {
        let record = record?;
        // Without a key nothing can supersede it; Kafka drops such records from compacted topics.
        let Some(key) = record.record.key else { continue };
        let is_due = are_tombstones_due
            && record.record.value.is_none()
            && record.offset < rules.tombstones_below;
        if !is_due {
            hashes.push(keys.table.hash(key));
            kept.push(record);
        }
    }
    // Those stay that no later record in the dirty part has the key of.
    let mut last_offsets = keys.table.get_all(&hashes).into_iter();
    kept.retain(|record| last_offsets.next().flatten().is_none_or(|last| last <= record.offset));
    if kept.is_empty() {
        return Ok(emptied(&header, when_empty));
    }
    let has_tombstone = kept.iter().any(|record| record.record.value.is_none());
    let needs_horizon = has_tombstone && horizon.is_none();
    if i32::try_from(kept.len()) == Ok(header.record_count) && !needs_horizon {
        return Ok(Cleaned::Keep);
    }
    rewritten(&header, &kept, if needs_horizon { Some(next_horizon(rules)) } else { horizon })
}

/// When tombstones and markers of the batch may go, if that was decided already.
fn horizon_of(header: &BatchHeader) -> Option<WallMs> {
    header.has_delete_horizon().then_some(WallMs(header.base_timestamp))
}

fn next_horizon(rules: CleanRules) -> WallMs {
    WallMs(rules.now.0.saturating_add(rules.delete_retention_ms))
}

/// A batch without records: gone, or a header alone.
fn emptied(header: &BatchHeader, when_empty: WhenEmpty) -> Cleaned {
    match when_empty {
        WhenEmpty::Remove => Cleaned::Remove,
        WhenEmpty::KeepHeader if header.record_count == 0 => Cleaned::Keep,
        WhenEmpty::KeepHeader => {
            let mut spec = spec_of(header, None);
            spec.codec = Codec::None;
            let mut builder = BatchBuilder::new(spec);
            builder.keep_last_offset_delta(header.last_offset_delta);
            builder.keep_max_timestamp(header.max_timestamp);
            Cleaned::Rewrite(builder.build().expect("a batch that is not packed cannot fail"))
        }
    }
}

/// The batch with these of its records only.
fn rewritten(
    header: &BatchHeader,
    kept: &[LogRecord<'_>],
    horizon: Option<WallMs>,
) -> Result<Cleaned, OpenError> {
    let mut builder = BatchBuilder::new(spec_of(header, horizon));
    for LogRecord { timestamp, record, .. } in kept {
        let headers: Vec<_> = record.headers.iter().collect();
        let content = (record.key, record.value);
        builder.append_at(record.offset_delta, *timestamp, content, headers.iter().copied());
    }
    builder.keep_last_offset_delta(header.last_offset_delta);
    Ok(Cleaned::Rewrite(builder.build()?))
}

fn spec_of(header: &BatchHeader, horizon: Option<WallMs>) -> BatchSpec {
    BatchSpec {
        base_offset: header.base_offset,
        leader_epoch: header.leader_epoch,
        // Opened batches have one that exists; emptied ones are not packed.
        codec: header.codec().unwrap_or_default(),
        level: None,
        timestamp_type: header.timestamp_type(),
        flags: BatchFlags {
            transactional: header.is_transactional(),
            control: header.is_control(),
            delete_horizon: horizon.is_some(),
        },
        producer: ProducerStamp {
            id: header.producer_id,
            epoch: header.producer_epoch,
            base_sequence: header.base_sequence,
        },
        base_timestamp: horizon.map(|horizon| horizon.0),
    }
}

#[cfg(test)]
mod tests;

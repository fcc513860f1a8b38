//! What a leader demands of a produced batch before it appends it.
//!
//! Two strictnesses. [`Strictness::Header`] checks the header, the CRC over everything, the counts
//! and the window of timestamps as the header states them: work that does not depend on what the
//! records are. [`Strictness::Full`] opens every batch and checks every record, as Kafka does.
//! Some batches are opened in both: where the topic is compacted (each record needs a key), where
//! it has a codec of its own, and where the header looks wrong, so that the answer names records.
//!
//! The order of the checks is Kafka's, so that a batch with two faults gets Kafka's error:
//!
//! ```text
//! one batch there ▸ magic ▸ zstd known to the client ▸ not two ▸ base offset 0 ▸ size ▸ CRC ▸ codec
//!   ▸ offsets and count ▸ no control ▸ sequence ▸ records: readable, key, timestamp ▸ size again
//! ```
//!
//! What needs the partition's state (duplicates, epochs) is [`crate::producer_state`]'s. This file
//! allocates only where a batch is opened, and can run on any shard before the owner is asked.

mod error;

use std::borrow::Cow;

use bytes::Bytes;
use millrace_io::WallMs;

use crate::batch::{
    BatchError, BatchFlags, BatchHeader, BatchView, Codec, LOG_OVERHEAD_BYTES, MAGIC, MAGIC_AT,
    StampedHeader, TimestampType, Timestamps,
};
use crate::builder::{BatchBuilder, BatchSpec, NO_TIMESTAMP, ProducerStamp};
use crate::compression::{self, Level};
use crate::ids::{LeaderEpoch, Offset};
use crate::open_batch::timestamp_of;
use crate::record::{Record, RecordIter};

pub use error::{ProduceError, REJECTIONS_MAX, Rejection, RejectionReason};

/// Most bytes that a batch may unpack to when it is opened: about 100 times the largest batch
/// that the default `max.message.bytes` lets in. Kafka streams and has no such limit.
pub const UNPACKED_BYTES_MAX: usize = 128 << 20;

/// The first Produce version whose clients know zstd (KIP-110).
const PRODUCE_VERSION_ZSTD: i16 = 7;

/// The smallest `batch_length` of any format version; anything below is corrupt before the magic
/// is looked at.
const BATCH_LENGTH_ANY_MIN: i32 = 14;

/// How deep a batch is looked into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// Header, CRC, counts.
    #[default]
    Header,
    /// Every record, as Kafka.
    Full,
}

/// `compression.type` of the topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompressionPolicy {
    /// `producer`: batches stay as they came.
    #[default]
    Producer,
    /// Any other value: a batch in another codec is packed anew.
    Topic {
        /// The topic's codec; `Codec::None` for `uncompressed`.
        codec: Codec,
        /// How hard it works.
        level: Level,
    },
}

/// Whether the topic's `cleanup.policy` lists `compact`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    /// Records may have no key.
    #[default]
    Optional,
    /// The topic is compacted: every record has a key.
    Required,
}

/// The topic's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidationRules {
    /// How deep to look.
    pub strictness: Strictness,
    /// `max.message.bytes`: most bytes of one batch as it is stored.
    pub message_bytes_max: usize,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: how far a timestamp may lie in the past.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`: how far a timestamp may lie in the future.
    pub timestamp_after_max_ms: i64,
    /// Whether keys are needed.
    pub keys: Keys,
    /// `compression.type`.
    pub compression: CompressionPolicy,
}

impl Default for ValidationRules {
    /// Kafka's defaults, except that batches are not opened.
    fn default() -> Self {
        Self {
            strictness: Strictness::Header,
            message_bytes_max: 1_048_588,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 3_600_000,
            keys: Keys::Optional,
            compression: CompressionPolicy::Producer,
        }
    }
}

/// Who sent the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A client, with this version of Produce.
    Client {
        /// The request's version; 3 or more.
        produce_version: i16,
    },
    /// A coordinator of this broker: control batches are its business, sequences are not.
    Coordinator,
}

/// What stamping does to a batch's timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampPlan {
    /// They stay; 16 bytes are stamped.
    Keep,
    /// The header was wrong about them, 61 bytes are stamped.
    Mend(Timestamps),
    /// The time of the append, 61 bytes are stamped.
    LogAppendTime,
}

/// A batch that may be appended, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatedBatch {
    /// The header of [`Self::bytes`], not stamped.
    pub header: BatchHeader,
    /// The batch exactly: a slice of the frame, or a new batch if it was packed anew.
    pub bytes: Bytes,
    /// What stamping does to the timestamps.
    pub timestamps: TimestampPlan,
}

impl ValidatedBatch {
    /// The header to write in place of the front of [`Self::bytes`].
    ///
    /// - `appended`: the time of the append; used if the topic's timestamps are LogAppendTime.
    pub fn stamp(
        &self,
        base_offset: Offset,
        epoch: LeaderEpoch,
        appended: WallMs,
    ) -> StampedHeader {
        match self.timestamps {
            TimestampPlan::Keep => StampedHeader::create_time(&self.header, base_offset, epoch),
            TimestampPlan::Mend(times) => {
                StampedHeader::with_timestamps(&self.header, base_offset, epoch, times)
            }
            TimestampPlan::LogAppendTime => {
                StampedHeader::log_append_time(&self.header, base_offset, epoch, appended)
            }
        }
    }

    /// What Produce answers as `log_append_time`: the time, or -1 with CreateTime.
    pub const fn log_append_time(&self, appended: WallMs) -> WallMs {
        match self.timestamps {
            TimestampPlan::Keep | TimestampPlan::Mend(_) => WallMs(NO_TIMESTAMP),
            TimestampPlan::LogAppendTime => appended,
        }
    }
}

/// Checks what a Produce request holds for one partition.
///
/// - `records`: the partition's bytes; a torn batch behind a whole one is cut off, as in Kafka.
/// - `now`: the wall clock, for the window of timestamps.
pub fn validate(
    records: &Bytes,
    origin: Origin,
    rules: &ValidationRules,
    now: WallMs,
) -> Result<ValidatedBatch, ProduceError> {
    let view = single_batch(records, origin)?;
    let header = view.header;
    if matches!(origin, Origin::Client { .. }) && header.base_offset != Offset(0) {
        return Err(ProduceError::BaseOffset { base_offset: header.base_offset });
    }
    check_size(view.bytes.len(), rules)?;
    let computed = view.crc_computed();
    if computed != header.crc {
        return Err(ProduceError::Crc { stored: header.crc, computed });
    }
    let codec = header.codec().map_err(|id| ProduceError::UnknownCodec { id })?;
    if matches!(origin, Origin::Client { .. }) {
        check_client_header(&header)?;
    }
    let target = target_of(&header, codec, rules);
    let must_open = rules.strictness == Strictness::Full
        || rules.keys == Keys::Required
        || target.0 != codec
        || is_time_doubtful(&header, rules, now);
    if !must_open {
        return Ok(ValidatedBatch {
            header,
            bytes: records.slice(..view.bytes.len()),
            timestamps: match rules.timestamp_type {
                TimestampType::CreateTime => TimestampPlan::Keep,
                TimestampType::LogAppendTime => TimestampPlan::LogAppendTime,
            },
        });
    }
    open(records, &view, (codec, target), rules, now)
}

/// The only batch in `records`.
fn single_batch(records: &Bytes, origin: Origin) -> Result<BatchView<'_>, ProduceError> {
    let Some(length) = next_batch_bytes(records)? else { return Err(ProduceError::Empty) };
    let magic = i8::from_be_bytes([records[MAGIC_AT]]);
    if magic != MAGIC {
        return Err(ProduceError::OldMagic { magic });
    }
    // A length between the smallest of any version and a header of this one.
    let view = BatchView::first(&records[..length]).map_err(ProduceError::Corrupt);
    if let (Ok(view), Origin::Client { produce_version }) = (&view, origin)
        && produce_version < PRODUCE_VERSION_ZSTD
        && view.header.codec() == Ok(Codec::Zstd)
    {
        return Err(ProduceError::ZstdTooEarly { produce_version });
    }
    if next_batch_bytes(&records[length..])?.is_some() {
        return Err(ProduceError::ManyBatches);
    }
    view
}

/// Length of the whole batch of any version at the front of `bytes`; `None` if it is cut.
fn next_batch_bytes(bytes: &[u8]) -> Result<Option<usize>, ProduceError> {
    let Some(front) = bytes.first_chunk::<LOG_OVERHEAD_BYTES>() else { return Ok(None) };
    let [.., a, b, c, d] = *front;
    let batch_length = i32::from_be_bytes([a, b, c, d]);
    let length = usize::try_from(batch_length).unwrap_or(0);
    if batch_length < BATCH_LENGTH_ANY_MIN {
        return Err(ProduceError::Corrupt(BatchError::Length { batch_length }));
    }
    let Some(magic) = bytes.get(MAGIC_AT) else { return Ok(None) };
    let magic = i8::from_be_bytes([*magic]);
    if !(0..=MAGIC).contains(&magic) {
        return Err(ProduceError::Corrupt(BatchError::Magic { magic }));
    }
    let total = LOG_OVERHEAD_BYTES + length;
    Ok((total <= bytes.len()).then_some(total))
}

fn check_size(bytes: usize, rules: &ValidationRules) -> Result<(), ProduceError> {
    let bytes_max = rules.message_bytes_max;
    if bytes > bytes_max { Err(ProduceError::TooLarge { bytes, bytes_max }) } else { Ok(()) }
}

fn check_client_header(header: &BatchHeader) -> Result<(), ProduceError> {
    let BatchHeader { last_offset_delta, record_count, producer_id, base_sequence, .. } = *header;
    if last_offset_delta < 0 {
        return Err(ProduceError::OffsetRange { last_offset_delta });
    }
    if record_count <= 0 {
        return Err(ProduceError::RecordCount { record_count });
    }
    if i64::from(last_offset_delta) + 1 != i64::from(record_count) {
        return Err(ProduceError::CountMismatch { last_offset_delta, record_count });
    }
    if header.is_control() {
        return Err(ProduceError::Control);
    }
    if producer_id.is_some() && base_sequence < 0 {
        return Err(ProduceError::Sequence { producer_id, base_sequence });
    }
    Ok(())
}

/// The codec that the batch is to be stored in. Control batches stay unpacked if they came so.
fn target_of(header: &BatchHeader, codec: Codec, rules: &ValidationRules) -> (Codec, Level) {
    match rules.compression {
        CompressionPolicy::Topic { codec: target, level }
            if !(codec == Codec::None && header.is_control()) =>
        {
            (target, level)
        }
        CompressionPolicy::Topic { .. } | CompressionPolicy::Producer => (codec, None),
    }
}

/// True if the header says something about time that the records must confirm or be blamed for.
fn is_time_doubtful(header: &BatchHeader, rules: &ValidationRules, now: WallMs) -> bool {
    if header.timestamp_type() == TimestampType::LogAppendTime {
        return true;
    }
    rules.timestamp_type == TimestampType::CreateTime
        && (is_outside(header.max_timestamp, rules, now)
            || is_outside(header.base_timestamp, rules, now))
}

/// True if the timestamp is outside the topic's window. The differences wrap as Kafka's do.
fn is_outside(timestamp: i64, rules: &ValidationRules, now: WallMs) -> bool {
    if timestamp == NO_TIMESTAMP {
        return false;
    }
    let age = now.0.wrapping_sub(timestamp);
    age > rules.timestamp_before_max_ms || age.wrapping_neg() > rules.timestamp_after_max_ms
}

/// Checks every record of the batch, and packs it anew where the topic or the client asks for it.
fn open(
    records: &Bytes,
    view: &BatchView<'_>,
    (codec, target): (Codec, (Codec, Level)),
    rules: &ValidationRules,
    now: WallMs,
) -> Result<ValidatedBatch, ProduceError> {
    let header = view.header;
    let body = match codec {
        Codec::None => Cow::Borrowed(view.records()),
        Codec::Gzip | Codec::Snappy | Codec::Lz4 | Codec::Zstd => Cow::Owned(
            compression::decompress(codec, view.records(), UNPACKED_BYTES_MAX)
                .map_err(ProduceError::Compression)?,
        ),
    };
    let found = check_records(&header, &body, rules, now)?;
    let timestamps = match rules.timestamp_type {
        TimestampType::LogAppendTime => TimestampPlan::LogAppendTime,
        TimestampType::CreateTime => {
            let is_right = header.timestamp_type() == TimestampType::CreateTime
                && header.max_timestamp == found.max_timestamp.0;
            let times = Timestamps { kind: TimestampType::CreateTime, max: found.max_timestamp };
            if is_right { TimestampPlan::Keep } else { TimestampPlan::Mend(times) }
        }
    };
    // Kafka counts the offsets inside a packed batch anew if a client left gaps, and looks at
    // those of a plain batch never.
    let keeps_offsets = codec == Codec::None || found.offsets == InnerOffsets::Consecutive;
    if target.0 == codec && keeps_offsets {
        let bytes = records.slice(..view.bytes.len());
        return Ok(ValidatedBatch { header, bytes, timestamps });
    }
    let bytes = rebuild(&header, &body, target)?;
    check_size(bytes.len(), rules)?;
    let header = BatchHeader::parse(&bytes).map_err(ProduceError::Corrupt)?;
    let timestamps = match timestamps {
        // The new header was made from the records and is right.
        TimestampPlan::Keep => TimestampPlan::Keep,
        TimestampPlan::Mend(_) if header.max_timestamp == found.max_timestamp.0 => {
            TimestampPlan::Keep
        }
        plan @ (TimestampPlan::Mend(_) | TimestampPlan::LogAppendTime) => plan,
    };
    Ok(ValidatedBatch { header, bytes, timestamps })
}

/// Whether the records' offset deltas count 0, 1, 2, …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InnerOffsets {
    Consecutive,
    Other,
}

/// What the records say about their batch.
struct Found {
    max_timestamp: WallMs,
    offsets: InnerOffsets,
}

fn check_records(
    header: &BatchHeader,
    body: &[u8],
    rules: &ValidationRules,
    now: WallMs,
) -> Result<Found, ProduceError> {
    let mut found =
        Found { max_timestamp: WallMs(NO_TIMESTAMP), offsets: InnerOffsets::Consecutive };
    let mut rejections = Vec::new();
    let mut count = 0_usize;
    let mut is_about_time = false;
    for (record, index) in RecordIter::new(body, header.record_count).zip(0..) {
        let record = record.map_err(ProduceError::Body)?;
        let timestamp = timestamp_of(header, &record);
        found.max_timestamp = found.max_timestamp.max(WallMs(timestamp));
        if record.offset_delta != index {
            found.offsets = InnerOffsets::Other;
        }
        if let Some(reason) = rejection_of(header, &record, timestamp, (rules, now)) {
            count += 1;
            is_about_time |= reason != RejectionReason::NoKey;
            if rejections.len() < REJECTIONS_MAX {
                rejections.push(Rejection { index, reason });
            }
        }
    }
    if count > 0 {
        return Err(ProduceError::Rejected { rejections, count, is_about_time });
    }
    Ok(found)
}

fn rejection_of(
    header: &BatchHeader,
    record: &Record<'_>,
    timestamp: i64,
    (rules, now): (&ValidationRules, WallMs),
) -> Option<RejectionReason> {
    if rules.keys == Keys::Required && record.key.is_none() {
        return Some(RejectionReason::NoKey);
    }
    if rules.timestamp_type == TimestampType::CreateTime && timestamp != NO_TIMESTAMP {
        return is_outside(timestamp, rules, now).then_some(RejectionReason::Timestamp {
            timestamp,
            earliest: now.0.saturating_sub(rules.timestamp_before_max_ms),
            latest: now.0.saturating_add(rules.timestamp_after_max_ms),
        });
    }
    (header.timestamp_type() == TimestampType::LogAppendTime)
        .then_some(RejectionReason::LogAppendTime)
}

/// The same records at consecutive offsets in another codec.
fn rebuild(
    header: &BatchHeader,
    body: &[u8],
    (codec, level): (Codec, Level),
) -> Result<Bytes, ProduceError> {
    let mut builder = BatchBuilder::new(BatchSpec {
        base_offset: header.base_offset,
        leader_epoch: header.leader_epoch,
        codec,
        level,
        timestamp_type: TimestampType::CreateTime,
        flags: BatchFlags {
            transactional: header.is_transactional(),
            control: header.is_control(),
            delete_horizon: false,
        },
        producer: ProducerStamp {
            id: header.producer_id,
            epoch: header.producer_epoch,
            base_sequence: header.base_sequence,
        },
        base_timestamp: None,
    });
    for (record, index) in RecordIter::new(body, header.record_count).zip(0..) {
        let record = record.map_err(ProduceError::Body)?;
        let timestamp = timestamp_of(header, &record);
        let content = (record.key, record.value);
        let headers: Vec<_> = record.headers.iter().collect();
        builder.append_at(index, timestamp, content, headers.iter().copied());
    }
    builder.build().map_err(ProduceError::Compression)
}

#[cfg(test)]
mod tests;

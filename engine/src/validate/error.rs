//! Why a produced batch is refused, with Kafka's error code for each case.
//!
//! The code itself is chosen in one place of the broker; the docs here are what it follows.

use crate::batch::{BatchError, MAGIC};
use crate::compression::CompressionError;
use crate::ids::{Offset, ProducerId};
use crate::record::RecordError;

/// Rejected records that one answer names; a hostile batch would otherwise be answered with more
/// bytes than it has. Kafka names all.
pub const REJECTIONS_MAX: usize = 1_000;

/// Why a record is refused. Together they make 87 INVALID_RECORD, or 32 INVALID_TIMESTAMP if one
/// of them is about time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionReason {
    /// No key, on a compacted topic.
    NoKey,
    /// The timestamp is outside the topic's window.
    Timestamp {
        /// The record's, ms.
        timestamp: i64,
        /// The earliest allowed, ms.
        earliest: i64,
        /// The latest allowed, ms.
        latest: i64,
    },
    /// The client claims LogAppendTime, which is the broker's to set.
    LogAppendTime,
}

/// A refused record; `record_errors` of Produce 8 and later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// 0-based index in the batch.
    pub index: i32,
    /// Why.
    pub reason: RejectionReason,
}

impl std::fmt::Display for RejectionReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoKey => f.write_str("a compacted topic needs a key in every record"),
            Self::Timestamp { timestamp, earliest, latest } => {
                write!(f, "timestamp {timestamp} is outside [{earliest}, {latest}]")
            }
            Self::LogAppendTime => {
                f.write_str("a producer may not set the timestamp type LogAppendTime")
            }
        }
    }
}

/// Why a batch is refused, with Kafka's error code for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProduceError {
    /// No whole batch is there. 87 INVALID_RECORD.
    Empty,
    /// More than one batch is there. 87 INVALID_RECORD.
    ManyBatches,
    /// A format before version 2. 87 INVALID_RECORD.
    OldMagic {
        /// 0 or 1.
        magic: i8,
    },
    /// Not a batch: an unknown magic, or a length that no batch has. 2 CORRUPT_MESSAGE.
    Corrupt(BatchError),
    /// zstd from a client that asks with a version from before it. 76 UNSUPPORTED_COMPRESSION_TYPE.
    ZstdTooEarly {
        /// The request's version.
        produce_version: i16,
    },
    /// The client chose an offset. 87 INVALID_RECORD.
    BaseOffset {
        /// As read.
        base_offset: Offset,
    },
    /// Larger than the topic takes, as it came or as it would be stored. 10 MESSAGE_TOO_LARGE.
    TooLarge {
        /// The batch, bytes.
        bytes: usize,
        /// `max.message.bytes`.
        bytes_max: usize,
    },
    /// The CRC is not that of the bytes. 2 CORRUPT_MESSAGE.
    Crc {
        /// As read.
        stored: u32,
        /// Of the bytes.
        computed: u32,
    },
    /// A codec that does not exist. Kafka fails inside and answers -1 UNKNOWN_SERVER_ERROR;
    /// 76 UNSUPPORTED_COMPRESSION_TYPE is what it means.
    UnknownCodec {
        /// 5 to 7.
        id: i16,
    },
    /// The last offset lies before the first. 87 INVALID_RECORD.
    OffsetRange {
        /// As read.
        last_offset_delta: i32,
    },
    /// No record, or fewer. 87 INVALID_RECORD.
    RecordCount {
        /// As read.
        record_count: i32,
    },
    /// Offsets and count disagree. 87 INVALID_RECORD.
    CountMismatch {
        /// As read.
        last_offset_delta: i32,
        /// As read.
        record_count: i32,
    },
    /// A client may not write control records. 87 INVALID_RECORD.
    Control,
    /// A producer id without a sequence. 87 INVALID_RECORD.
    Sequence {
        /// As read.
        producer_id: ProducerId,
        /// As read.
        base_sequence: i32,
    },
    /// The body cannot be unpacked. Kafka answers -1, or 87 if it ends early; 87 here.
    /// [`CompressionError::TooLarge`] is 10 MESSAGE_TOO_LARGE, `Unsupported` is 76.
    Compression(CompressionError),
    /// The body is not the records that the header declares. 87 INVALID_RECORD.
    Body(RecordError),
    /// Some records are refused, and so the batch is. 32 INVALID_TIMESTAMP if one of `rejections`
    /// is about time, else 87 INVALID_RECORD.
    Rejected {
        /// The first of them, at most [`REJECTIONS_MAX`].
        rejections: Vec<Rejection>,
        /// How many there are.
        count: usize,
        /// True if any of all of them is about time.
        is_about_time: bool,
    },
}

impl ProduceError {
    /// Whether Kafka's log is who finds this, so that its answer tells where the log starts. The
    /// rest is found before the log is asked, or while its size is looked at.
    pub const fn is_found_by_the_log(&self) -> bool {
        match self {
            Self::Empty
            | Self::ManyBatches
            | Self::OldMagic { .. }
            | Self::Corrupt(_)
            | Self::ZstdTooEarly { .. }
            | Self::TooLarge { .. }
            | Self::Crc { .. } => false,
            Self::BaseOffset { .. }
            | Self::UnknownCodec { .. }
            | Self::OffsetRange { .. }
            | Self::RecordCount { .. }
            | Self::CountMismatch { .. }
            | Self::Control
            | Self::Sequence { .. }
            | Self::Compression(_)
            | Self::Body(_)
            | Self::Rejected { .. } => true,
        }
    }
}

impl std::fmt::Display for ProduceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("no whole record batch"),
            Self::ManyBatches => f.write_str("more than one record batch"),
            Self::OldMagic { magic } => write!(f, "magic {magic}, only {MAGIC} is accepted"),
            Self::Corrupt(error) => error.fmt(f),
            Self::ZstdTooEarly { produce_version } => {
                write!(f, "zstd needs a later Produce than {produce_version}")
            }
            Self::BaseOffset { base_offset } => {
                write!(f, "the base offset is {base_offset}, not 0")
            }
            Self::TooLarge { bytes, bytes_max } => {
                write!(f, "the batch of {bytes} bytes exceeds the topic's {bytes_max}")
            }
            Self::Crc { stored, computed } => {
                write!(f, "stored CRC {stored:#010x}, computed {computed:#010x}")
            }
            Self::UnknownCodec { id } => write!(f, "no codec has the number {id}"),
            Self::OffsetRange { last_offset_delta } => {
                write!(f, "the last offset delta is {last_offset_delta}")
            }
            Self::RecordCount { record_count } => {
                write!(f, "the record count is {record_count}")
            }
            Self::CountMismatch { last_offset_delta, record_count } => {
                write!(f, "last offset delta {last_offset_delta} with {record_count} records")
            }
            Self::Control => f.write_str("clients may not write control records"),
            Self::Sequence { producer_id, base_sequence } => {
                write!(f, "sequence {base_sequence} with producer id {producer_id}")
            }
            Self::Compression(error) => error.fmt(f),
            Self::Body(error) => error.fmt(f),
            Self::Rejected { rejections, count, .. } => {
                write!(f, "{count} records are refused")?;
                for rejection in rejections.iter().take(3) {
                    write!(f, "; record {}: {}", rejection.index, rejection.reason)?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ProduceError {}

//! The record batch, version 2: its 61-byte header, walking batches in a slice, and stamping.
//!
//! ```text
//!  0            8         12        16 17     21   23        27       35       43    51   53    57    61
//!  ┌────────────┬─────────┬─────────┬──┬──────┬────┬─────────┬────────┬────────┬─────┬────┬─────┬─────┬────
//!  │ base       │ batch   │ leader  │ma│ crc  │attr│ last    │ base   │ max    │prod.│pro.│base │rec. │ records,
//!  │ offset     │ length  │ epoch   │gi│      │    │ offset  │ time-  │ time-  │ id  │epo.│seq. │count│ one blob
//!  │            │         │         │c │      │    │ delta   │ stamp  │ stamp  │     │    │     │     │ if packed
//!  └────────────┴─────────┴─────────┴──┴──────┴────┴─────────┴────────┴────────┴─────┴────┴─────┴─────┴────
//!   ◀──── stamped by the leader ───▶           ◀──────────────── under the CRC-32C ──────────────────────▶
//! ```
//!
//! `batch_length` counts from byte 12. The leader's stamp lies outside the CRC, so appending costs
//! the same for one record and for a million; only LogAppendTime changes bytes under it, and then
//! the CRC is moved, not computed again ([`crate::crc::replaced_prefix`]).
//!
//! This file knows headers. What is inside is [`crate::record`]'s, whether a leader may accept it
//! is [`crate::validate`]'s. Nothing here panics on any bytes, and nothing allocates.
//! Source: Kafka's "Record Batch" documentation; KIP-98, KIP-534.

use millrace_io::WallMs;

use crate::crc;
use crate::ids::{LeaderEpoch, Offset, ProducerId};

/// Position of `base_offset`, bytes from the start of the batch.
pub const BASE_OFFSET_AT: usize = 0;
/// Position of `batch_length`.
pub const BATCH_LENGTH_AT: usize = 8;
/// Position of `partition_leader_epoch`; `batch_length` counts from here.
pub const LEADER_EPOCH_AT: usize = 12;
/// Position of `magic`, the same in every version of the format.
pub const MAGIC_AT: usize = 16;
/// Position of the CRC-32C.
pub const CRC_AT: usize = 17;
/// Position of `attributes`; the CRC covers everything from here to the end.
pub const ATTRIBUTES_AT: usize = 21;
/// Position of `last_offset_delta`.
pub const LAST_OFFSET_DELTA_AT: usize = 23;
/// Position of `base_timestamp`.
pub const BASE_TIMESTAMP_AT: usize = 27;
/// Position of `max_timestamp`.
pub const MAX_TIMESTAMP_AT: usize = 35;
/// Position of `producer_id`.
pub const PRODUCER_ID_AT: usize = 43;
/// Position of `producer_epoch`.
pub const PRODUCER_EPOCH_AT: usize = 51;
/// Position of `base_sequence`.
pub const BASE_SEQUENCE_AT: usize = 53;
/// Position of `record_count`.
pub const RECORD_COUNT_AT: usize = 57;
/// Length of the header; the records start here.
pub const HEADER_BYTES: usize = 61;
/// What `batch_length` does not count: base offset and itself. Kafka: `LOG_OVERHEAD`.
pub const LOG_OVERHEAD_BYTES: usize = 12;
/// What the leader stamps without touching the CRC: offset, length (unchanged), epoch.
pub const STAMP_BYTES: usize = 16;
/// The version of the format, and the only one that is read or written.
pub const MAGIC: i8 = 2;

/// The smallest `batch_length`: a header without a record.
const BATCH_LENGTH_MIN: i32 = 49;
const _: () = assert!(HEADER_BYTES - LOG_OVERHEAD_BYTES == 49);

const ATTRIBUTE_CODEC: i16 = 0b0000_0111;
const ATTRIBUTE_LOG_APPEND_TIME: i16 = 0b0000_1000;
const ATTRIBUTE_TRANSACTIONAL: i16 = 0b0001_0000;
const ATTRIBUTE_CONTROL: i16 = 0b0010_0000;
const ATTRIBUTE_DELETE_HORIZON: i16 = 0b0100_0000;

/// How the records of a batch are packed: attributes, bits 0 to 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Codec {
    /// Not packed.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy, in the Xerial stream framing or raw.
    Snappy,
    /// The LZ4 frame format.
    Lz4,
    /// RFC 8878.
    Zstd,
}

impl Codec {
    /// The codec with this number, if there is one.
    pub const fn from_id(id: i16) -> Option<Self> {
        match id {
            0 => Some(Self::None),
            1 => Some(Self::Gzip),
            2 => Some(Self::Snappy),
            3 => Some(Self::Lz4),
            4 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The codec's number in the attributes.
    pub const fn id(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// Kafka's name, as in `compression.type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// Who set the timestamps of a batch's records: attributes, bit 3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimestampType {
    /// The producer, each record its own.
    #[default]
    CreateTime,
    /// The leader: every record carries `max_timestamp`.
    LogAppendTime,
}

/// Why bytes are not the start of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// Fewer bytes than a header takes.
    Short {
        /// Bytes there are.
        bytes: usize,
    },
    /// `batch_length` is smaller than a header. Kafka: 2 CORRUPT_MESSAGE.
    Length {
        /// As read.
        batch_length: i32,
    },
    /// Not version 2. Kafka: 87 INVALID_RECORD for 0 and 1 from Produce 3 on, else 2.
    Magic {
        /// As read.
        magic: i8,
    },
}

impl std::fmt::Display for BatchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short { bytes } => {
                write!(f, "{bytes} bytes are less than a batch header's {HEADER_BYTES}")
            }
            Self::Length { batch_length } => {
                write!(f, "batch length {batch_length} is less than {BATCH_LENGTH_MIN}")
            }
            Self::Magic { magic } => write!(f, "magic {magic} is not {MAGIC}"),
        }
    }
}

impl std::error::Error for BatchError {}

/// A batch's header, decoded. Plain numbers: what they say is believed by nobody yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record, even if compaction removed it.
    pub base_offset: Offset,
    /// Bytes from byte 12 to the end; at least 49 in a parsed header.
    pub batch_length: i32,
    /// Epoch of the leader that appended the batch.
    pub leader_epoch: LeaderEpoch,
    /// CRC-32C over byte 21 to the end.
    pub crc: u32,
    /// The flag bits; read them with the methods.
    pub attributes: i16,
    /// Last record's offset minus `base_offset`, and the same for sequences.
    pub last_offset_delta: i32,
    /// First record's timestamp, ms; the delete horizon if that flag is set.
    pub base_timestamp: i64,
    /// Largest timestamp of the records, ms; -1 if they have none.
    pub max_timestamp: i64,
    /// The idempotent producer, or none.
    pub producer_id: ProducerId,
    /// Its epoch, or -1.
    pub producer_epoch: i16,
    /// The first record's sequence, or -1.
    pub base_sequence: i32,
    /// Records in the batch; after compaction fewer than `last_offset_delta + 1`.
    pub record_count: i32,
}

impl BatchHeader {
    /// Decodes the header at the front of `bytes`, which may hold less or more than the batch.
    ///
    /// Checked: the length of `bytes`, the magic, `batch_length >= 49`. Nothing else is.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(BatchError::Short { bytes: bytes.len() });
        };
        let magic = i8::from_be_bytes(field::<MAGIC_AT, 1>(header));
        if magic != MAGIC {
            return Err(BatchError::Magic { magic });
        }
        let batch_length = i32::from_be_bytes(field::<BATCH_LENGTH_AT, 4>(header));
        if batch_length < BATCH_LENGTH_MIN {
            return Err(BatchError::Length { batch_length });
        }
        Ok(Self {
            base_offset: Offset(i64::from_be_bytes(field::<BASE_OFFSET_AT, 8>(header))),
            batch_length,
            leader_epoch: LeaderEpoch(i32::from_be_bytes(field::<LEADER_EPOCH_AT, 4>(header))),
            crc: u32::from_be_bytes(field::<CRC_AT, 4>(header)),
            attributes: i16::from_be_bytes(field::<ATTRIBUTES_AT, 2>(header)),
            last_offset_delta: i32::from_be_bytes(field::<LAST_OFFSET_DELTA_AT, 4>(header)),
            base_timestamp: i64::from_be_bytes(field::<BASE_TIMESTAMP_AT, 8>(header)),
            max_timestamp: i64::from_be_bytes(field::<MAX_TIMESTAMP_AT, 8>(header)),
            producer_id: ProducerId(i64::from_be_bytes(field::<PRODUCER_ID_AT, 8>(header))),
            producer_epoch: i16::from_be_bytes(field::<PRODUCER_EPOCH_AT, 2>(header)),
            base_sequence: i32::from_be_bytes(field::<BASE_SEQUENCE_AT, 4>(header)),
            record_count: i32::from_be_bytes(field::<RECORD_COUNT_AT, 4>(header)),
        })
    }

    /// The 61 bytes of the header.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        put(&mut bytes, BASE_OFFSET_AT, self.base_offset.0.to_be_bytes());
        put(&mut bytes, BATCH_LENGTH_AT, self.batch_length.to_be_bytes());
        put(&mut bytes, LEADER_EPOCH_AT, self.leader_epoch.0.to_be_bytes());
        put(&mut bytes, MAGIC_AT, MAGIC.to_be_bytes());
        put(&mut bytes, CRC_AT, self.crc.to_be_bytes());
        put(&mut bytes, ATTRIBUTES_AT, self.attributes.to_be_bytes());
        put(&mut bytes, LAST_OFFSET_DELTA_AT, self.last_offset_delta.to_be_bytes());
        put(&mut bytes, BASE_TIMESTAMP_AT, self.base_timestamp.to_be_bytes());
        put(&mut bytes, MAX_TIMESTAMP_AT, self.max_timestamp.to_be_bytes());
        put(&mut bytes, PRODUCER_ID_AT, self.producer_id.0.to_be_bytes());
        put(&mut bytes, PRODUCER_EPOCH_AT, self.producer_epoch.to_be_bytes());
        put(&mut bytes, BASE_SEQUENCE_AT, self.base_sequence.to_be_bytes());
        put(&mut bytes, RECORD_COUNT_AT, self.record_count.to_be_bytes());
        bytes
    }

    /// Length of the whole batch, header and records, bytes.
    pub fn bytes_total(&self) -> usize {
        LOG_OVERHEAD_BYTES + usize::try_from(self.batch_length).unwrap_or(0)
    }

    /// Length of the records as they lie there (packed or not), bytes.
    pub fn records_bytes(&self) -> usize {
        self.bytes_total().saturating_sub(HEADER_BYTES)
    }

    /// Offset of the last record, inclusive, even if compaction removed it.
    pub const fn last_offset(&self) -> Offset {
        self.base_offset.plus(self.last_offset_delta as i64)
    }

    /// Offset of the batch behind this one.
    pub const fn next_offset(&self) -> Offset {
        self.last_offset().next()
    }

    /// Sequence of the last record; sequences wrap from 2^31 - 1 to 0. -1 without a sequence.
    pub const fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return -1;
        }
        // Both are non-negative in a valid batch: masking the sign bit is the modulus by 2^31.
        self.base_sequence.wrapping_add(self.last_offset_delta) & i32::MAX
    }

    /// The codec, or its number if no codec has it. Kafka: 76 or 2.
    pub const fn codec(&self) -> Result<Codec, i16> {
        let id = self.attributes & ATTRIBUTE_CODEC;
        match Codec::from_id(id) {
            Some(codec) => Ok(codec),
            None => Err(id),
        }
    }

    /// Who set the timestamps.
    pub const fn timestamp_type(&self) -> TimestampType {
        if self.attributes & ATTRIBUTE_LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// True if the batch belongs to a transaction.
    pub const fn is_transactional(&self) -> bool {
        self.attributes & ATTRIBUTE_TRANSACTIONAL != 0
    }

    /// True if the records are markers for the log itself, not for consumers.
    pub const fn is_control(&self) -> bool {
        self.attributes & ATTRIBUTE_CONTROL != 0
    }

    /// True if `base_timestamp` is the time from which tombstones and markers may go (KIP-534).
    pub const fn has_delete_horizon(&self) -> bool {
        self.attributes & ATTRIBUTE_DELETE_HORIZON != 0
    }

    /// The attributes that these facts make.
    pub const fn attributes_of(codec: Codec, timestamps: TimestampType, flags: BatchFlags) -> i16 {
        let mut attributes = codec.id();
        if matches!(timestamps, TimestampType::LogAppendTime) {
            attributes |= ATTRIBUTE_LOG_APPEND_TIME;
        }
        if flags.transactional {
            attributes |= ATTRIBUTE_TRANSACTIONAL;
        }
        if flags.control {
            attributes |= ATTRIBUTE_CONTROL;
        }
        if flags.delete_horizon {
            attributes |= ATTRIBUTE_DELETE_HORIZON;
        }
        attributes
    }
}

/// The flags among a batch's attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchFlags {
    /// Belongs to a transaction.
    pub transactional: bool,
    /// Holds markers.
    pub control: bool,
    /// `base_timestamp` is a delete horizon.
    pub delete_horizon: bool,
}

/// One whole batch in a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchView<'a> {
    /// The header, decoded.
    pub header: BatchHeader,
    /// Header and records, exactly.
    pub bytes: &'a [u8],
    /// Where the batch starts in the slice that was walked, bytes.
    pub position: usize,
}

impl<'a> BatchView<'a> {
    /// The batch at the front of `bytes`; what follows it is ignored.
    pub fn first(bytes: &'a [u8]) -> Result<Self, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        let total = header.bytes_total();
        bytes.get(..total).map_or(Err(BatchError::Short { bytes: bytes.len() }), |bytes| {
            Ok(Self { header, bytes, position: 0 })
        })
    }

    /// The records as they lie there, packed or not.
    pub fn records(&self) -> &'a [u8] {
        self.bytes.get(HEADER_BYTES..).unwrap_or_default()
    }

    /// True if the stored CRC-32C is that of the bytes it covers. Reads the whole batch.
    pub fn is_crc_right(&self) -> bool {
        self.crc_computed() == self.header.crc
    }

    /// The CRC-32C of the bytes that the stored one covers. Reads the whole batch.
    pub fn crc_computed(&self) -> u32 {
        crc::crc32c(self.bytes.get(ATTRIBUTES_AT..).unwrap_or_default())
    }
}

/// Why a walk over batches ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchEnd {
    /// The slice ends where a batch ends.
    Clean,
    /// The slice ends inside a batch: a torn write, or a read that stopped early.
    Torn {
        /// Where that batch starts, bytes.
        position: usize,
        /// Bytes it takes as a whole, if its header is there.
        batch_bytes: Option<usize>,
    },
    /// Zeros where a header is due: space that was reserved and never written.
    Blank {
        /// Where they start, bytes.
        position: usize,
    },
    /// Something that is not a batch.
    Corrupt {
        /// Where it starts, bytes.
        position: usize,
        /// What is wrong with it.
        error: BatchError,
    },
}

/// Walks the whole batches of a slice, front to back. Checks headers only; CRCs are the caller's.
#[derive(Clone, Debug)]
pub struct BatchIter<'a> {
    bytes: &'a [u8],
    position: usize,
    end: Option<BatchEnd>,
}

impl<'a> BatchIter<'a> {
    /// A walk from the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, end: None }
    }

    /// Where the next batch starts, bytes; at the end, the end of the last whole batch.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Why the walk ended; `None` while it goes on.
    pub const fn end(&self) -> Option<BatchEnd> {
        self.end
    }

    /// The next batch, or why there is none.
    fn step(&self) -> Result<BatchView<'a>, BatchEnd> {
        let position = self.position;
        let rest = self.bytes.get(position..).unwrap_or_default();
        if rest.is_empty() {
            return Err(BatchEnd::Clean);
        }
        if rest.iter().take(HEADER_BYTES).all(|byte| *byte == 0) {
            return Err(BatchEnd::Blank { position });
        }
        let header = match BatchHeader::parse(rest) {
            Ok(header) => header,
            Err(BatchError::Short { .. }) => {
                return Err(BatchEnd::Torn { position, batch_bytes: None });
            }
            Err(error) => return Err(BatchEnd::Corrupt { position, error }),
        };
        let total = header.bytes_total();
        rest.get(..total)
            .map_or(Err(BatchEnd::Torn { position, batch_bytes: Some(total) }), |bytes| {
                Ok(BatchView { header, bytes, position })
            })
    }
}

impl<'a> Iterator for BatchIter<'a> {
    type Item = BatchView<'a>;

    fn next(&mut self) -> Option<BatchView<'a>> {
        if self.end.is_some() {
            return None;
        }
        match self.step() {
            Ok(view) => {
                self.position += view.bytes.len();
                Some(view)
            }
            Err(end) => {
                self.end = Some(end);
                None
            }
        }
    }
}

/// Who timed a batch, and its largest timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamps {
    /// Attributes, bit 3.
    pub kind: TimestampType,
    /// `max_timestamp`.
    pub max: WallMs,
}

/// The new front of a batch: write it, then the batch's own bytes from [`Self::resume_at`] on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StampedHeader {
    bytes: [u8; HEADER_BYTES],
    length: usize,
    /// The header as it will stand in the log.
    pub header: BatchHeader,
}

impl StampedHeader {
    /// Stamps offset and epoch and keeps the timestamps: 16 bytes, none of them under the CRC.
    pub fn create_time(header: &BatchHeader, base_offset: Offset, epoch: LeaderEpoch) -> Self {
        let header = BatchHeader { base_offset, leader_epoch: epoch, ..*header };
        Self { bytes: header.encode(), length: STAMP_BYTES, header }
    }

    /// Stamps offset, epoch and append time: 61 bytes, with the CRC moved along.
    ///
    /// - `header`: of the batch as it came; its CRC must have been found right.
    /// - The records are not read: their share of the CRC is the same before and after.
    pub fn log_append_time(
        header: &BatchHeader,
        base_offset: Offset,
        epoch: LeaderEpoch,
        appended: WallMs,
    ) -> Self {
        let times = Timestamps { kind: TimestampType::LogAppendTime, max: appended };
        Self::with_timestamps(header, base_offset, epoch, times)
    }

    /// Stamps offset and epoch and sets who timed the batch and its largest timestamp: 61 bytes,
    /// with the CRC moved along. Conditions as for [`Self::log_append_time`].
    pub fn with_timestamps(
        header: &BatchHeader,
        base_offset: Offset,
        epoch: LeaderEpoch,
        times: Timestamps,
    ) -> Self {
        let log_append_time = match times.kind {
            TimestampType::CreateTime => 0,
            TimestampType::LogAppendTime => ATTRIBUTE_LOG_APPEND_TIME,
        };
        let mut stamped = BatchHeader {
            base_offset,
            leader_epoch: epoch,
            attributes: header.attributes & !ATTRIBUTE_LOG_APPEND_TIME | log_append_time,
            max_timestamp: times.max.0,
            ..*header
        };
        stamped.move_crc_from(header);
        Self { bytes: stamped.encode(), length: HEADER_BYTES, header: stamped }
    }

    /// The bytes to write in place of the batch's first [`Self::resume_at`] bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Where the batch's own bytes go on, bytes from its start: 16 or 61.
    pub const fn resume_at(&self) -> usize {
        self.length
    }
}

impl BatchHeader {
    /// Sets the CRC to what it is after this header replaced `old` in front of the same records.
    fn move_crc_from(&mut self, old: &Self) {
        let before = old.encode();
        let after = self.encode();
        self.crc = crc::replaced_prefix(
            old.crc,
            before.get(ATTRIBUTES_AT..).unwrap_or_default(),
            after.get(ATTRIBUTES_AT..).unwrap_or_default(),
            self.records_bytes() as u64,
        );
    }
}

/// The `N` bytes at `AT`; both are constants, so that the bounds are checked when compiling.
fn field<const AT: usize, const N: usize>(header: &[u8; HEADER_BYTES]) -> [u8; N] {
    const { assert!(AT + N <= HEADER_BYTES) };
    let mut bytes = [0; N];
    bytes.copy_from_slice(&header[AT..AT + N]);
    bytes
}

fn put<const N: usize>(header: &mut [u8; HEADER_BYTES], at: usize, value: [u8; N]) {
    header[at..at + N].copy_from_slice(&value);
}

#[cfg(test)]
mod tests;

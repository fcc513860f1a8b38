//! What lets a log open without reading it, and the archive that holds it for a whole shard.
//!
//! ```text
//!  0        8         12        16               24      28
//!  ┌────────┬─────────┬─────────┬────────────────┬───────┬──────────────────────────────┐
//!  │ magic  │ version │ 0       │ archive bytes  │ CRC   │ rkyv archive                 │
//!  │ 8 B    │ u32     │ u32     │ u64            │ u32   │ (little endian, unaligned)   │
//!  └────────┴─────────┴─────────┴────────────────┴───────┴──────────────────────────────┘
//! ```
//!
//! Numbers of the front are little endian; the CRC-32C covers the archive. An archive is not
//! self-describing, so a change of a type below is a new version; another version, a wrong length
//! or CRC, or bytes that fail the checked access mean "no checkpoint": partitions are then recovered
//! from their folders. Nothing here is needed to read a log, it only saves the reading.

use rkyv::{Archive, Deserialize, Serialize, rancor};

use crate::Offset;
use crate::crc;
use crate::log::Log;
use crate::producer_snapshot;
use crate::segment::{IndexBytes, MaxTimestamp, Segment};

/// First bytes of a shard checkpoint.
pub const SHARD_CHECKPOINT_MAGIC: [u8; 8] = *b"MILLRCKP";
/// Version of the types below.
pub const SHARD_CHECKPOINT_VERSION: u32 = 1;
/// Bytes before the archive.
pub const SHARD_CHECKPOINT_FRONT_BYTES: usize = 28;

/// One segment, as a checkpoint has it. Offsets are plain numbers: they go into an archive.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SegmentCheckpoint {
    /// Base offset.
    pub base_offset: i64,
    /// Whole batches, bytes.
    pub bytes: u64,
    /// Bytes known to be durable.
    pub synced_bytes: u64,
    /// Length of `.index`, bytes.
    pub offset_index_bytes: u32,
    /// Length of `.timeindex`, bytes.
    pub time_index_bytes: u32,
    /// Largest timestamp, ms; -1 if no record has one, `i64::MIN` if it is not known.
    pub max_timestamp: i64,
    /// Last offset of the batch that has it, or -1.
    pub max_timestamp_offset: i64,
    /// Largest timestamp of the first batch, ms; `i64::MIN` if it is not known.
    pub first_timestamp: i64,
    /// Last change, ms since 1970.
    pub touched_ms: i64,
}

/// One partition's log at some moment.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct PartitionCheckpoint {
    /// Ascending; the last one is active. None if the log has no folder yet: then it is opened by
    /// looking for one.
    pub segments: Vec<SegmentCheckpoint>,
    /// Where the log starts.
    pub log_start: i64,
    /// What consumers may read.
    pub high_watermark: i64,
    /// End of what the kernel has; the log end after a clean stop.
    pub written: i64,
    /// End of what was synced.
    pub recovery_point: i64,
    /// Leader epochs and where each starts.
    pub epochs: Vec<(i32, i64)>,
    /// The end up to which `producers` counts; -1 if they are not in here.
    pub producers_offset: i64,
    /// The producers, as in a `.snapshot` file.
    pub producers: Vec<u8>,
}

/// All partitions of one shard.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardCheckpoint {
    /// Identifies the boot of the machine: as long as it is the same, the page cache has not lost
    /// what was written.
    pub boot_id: u128,
    /// Folder (`<log.dir>/<topic>-<partition>`), topic id, state.
    pub partitions: Vec<(String, u128, PartitionCheckpoint)>,
}

/// Why there is no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckpointError {
    /// Not a shard checkpoint, or cut.
    Front,
    /// Of another version.
    Version(u32),
    /// The CRC is not that of the archive.
    Crc,
    /// The archive is not one.
    Archive,
}

impl ShardCheckpoint {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let archive =
            rkyv::to_bytes::<rancor::Error>(self).expect("plain values in memory always archive");
        let mut bytes = Vec::with_capacity(SHARD_CHECKPOINT_FRONT_BYTES + archive.len());
        bytes.extend_from_slice(&SHARD_CHECKPOINT_MAGIC);
        bytes.extend_from_slice(&SHARD_CHECKPOINT_VERSION.to_le_bytes());
        bytes.extend_from_slice(&0_u32.to_le_bytes());
        bytes.extend_from_slice(&(archive.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&crc::crc32c(&archive).to_le_bytes());
        bytes.extend_from_slice(&archive);
        bytes
    }

    /// Reads a file's bytes, checking front, CRC and the archive, in this order.
    pub fn decode(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (front, archive) = bytes
            .split_first_chunk::<SHARD_CHECKPOINT_FRONT_BYTES>()
            .ok_or(CheckpointError::Front)?;
        if !front.starts_with(&SHARD_CHECKPOINT_MAGIC) {
            return Err(CheckpointError::Front);
        }
        let version = u32_at(front, 8);
        if version != SHARD_CHECKPOINT_VERSION {
            return Err(CheckpointError::Version(version));
        }
        let length = u64::from(u32_at(front, 16)) | (u64::from(u32_at(front, 20)) << 32);
        if length != archive.len() as u64 {
            return Err(CheckpointError::Front);
        }
        if crc::crc32c(archive) != u32_at(front, 24) {
            return Err(CheckpointError::Crc);
        }
        let archived = rkyv::access::<ArchivedShardCheckpoint, rancor::Error>(archive)
            .map_err(|_| CheckpointError::Archive)?;
        rkyv::deserialize::<Self, rancor::Error>(archived).map_err(|_| CheckpointError::Archive)
    }
}

fn u32_at(front: &[u8; SHARD_CHECKPOINT_FRONT_BYTES], at: usize) -> u32 {
    u32::from_le_bytes([front[at], front[at + 1], front[at + 2], front[at + 3]])
}

/// Stands for a timestamp that is not known.
const UNKNOWN: i64 = i64::MIN;

impl SegmentCheckpoint {
    fn of(segment: &Segment) -> Self {
        let max = segment.max_timestamp;
        Self {
            base_offset: segment.base_offset.0,
            bytes: segment.bytes,
            synced_bytes: segment.synced_bytes,
            offset_index_bytes: segment.offsets.stored_bytes(),
            time_index_bytes: segment.times.stored_bytes(),
            max_timestamp: max.map_or(UNKNOWN, |max| max.timestamp),
            max_timestamp_offset: max.map_or(-1, |max| max.offset.0),
            first_timestamp: segment.first_timestamp.unwrap_or(UNKNOWN),
            touched_ms: segment.touched_ms,
        }
    }

    /// What is known about the largest timestamp.
    pub(crate) fn max(&self) -> Option<MaxTimestamp> {
        (self.max_timestamp != UNKNOWN).then_some(MaxTimestamp {
            timestamp: self.max_timestamp,
            offset: Offset(self.max_timestamp_offset),
        })
    }

    /// What is known about the first batch's timestamp.
    pub(crate) fn first(&self) -> Option<i64> {
        (self.first_timestamp != UNKNOWN).then_some(self.first_timestamp)
    }

    /// The segment, trusted as it stands here.
    pub(crate) fn to_segment(&self) -> Segment {
        let indexes = IndexBytes { offsets: self.offset_index_bytes, times: self.time_index_bytes };
        let base = Offset(self.base_offset);
        let mut segment = Segment::found(base, self.bytes, indexes, self.touched_ms);
        segment.synced_bytes = self.synced_bytes.min(self.bytes);
        segment.max_timestamp = self.max();
        segment.first_timestamp = self.first();
        // A clean stop put the largest timestamp into the index; see `Log::close`.
        segment.time_indexed = segment.max_timestamp.map_or(-1, |max| max.timestamp);
        segment
    }
}

impl PartitionCheckpoint {
    pub(crate) fn of(log: &Log) -> Self {
        let segments = if log.appender.is_folder_missing { &[] } else { &log.segments[..] };
        Self {
            segments: segments.iter().map(SegmentCheckpoint::of).collect(),
            log_start: log.log_start.0,
            high_watermark: log.high_watermark.0,
            written: log.written.0,
            recovery_point: log.recovery_point().0,
            epochs: log.epoch_entries(),
            // Not the assigned end: what is on its way may fail, and others take its offsets.
            producers_offset: log.written.0,
            producers: producer_snapshot::encode(&log.producers, log.written),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> ShardCheckpoint {
        let segment = SegmentCheckpoint {
            base_offset: 7,
            bytes: 4096,
            synced_bytes: 100,
            offset_index_bytes: 8,
            time_index_bytes: 12,
            max_timestamp: 1_700_000_000_000,
            max_timestamp_offset: 9,
            first_timestamp: UNKNOWN,
            touched_ms: 5,
        };
        let partition = PartitionCheckpoint {
            segments: vec![segment],
            log_start: 7,
            high_watermark: 10,
            written: 10,
            recovery_point: 8,
            epochs: vec![(0, 0), (3, 8)],
            producers_offset: 10,
            producers: vec![1, 2, 3],
        };
        ShardCheckpoint { boot_id: 99, partitions: vec![("data/logs-0".to_owned(), 1, partition)] }
    }

    #[test]
    fn an_archive_reads_back() {
        assert_eq!(ShardCheckpoint::decode(&sample().encode()), Ok(sample()));
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_refused() {
        let bytes = sample().encode();
        for at in 0..bytes.len() {
            assert!(ShardCheckpoint::decode(&bytes[..at]).is_err(), "cut at {at}");
            // Bytes 12 to 16 are reserved.
            if !(12..16).contains(&at) {
                let mut flipped = bytes.clone();
                flipped[at] ^= 0x41;
                assert!(ShardCheckpoint::decode(&flipped).is_err(), "flipped at {at}");
            }
        }
    }
}

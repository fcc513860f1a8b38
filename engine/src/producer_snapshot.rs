//! Kafka's producer snapshot file, `<offset>.snapshot`: the producer state at that offset.
//!
//! ```text
//! version i16 = 1 │ crc u32: CRC-32C of all that follows │ count i32 │ entries, 46 bytes each:
//!   producer id i64 │ epoch i16 │ last sequence i32 │ last offset i64 │ offset delta i32
//!   │ timestamp i64 │ coordinator epoch i32 │ first offset of the open transaction i64 (-1 none)
//! ```
//!
//! Entries are written in the order of producer ids. A producer has one entry for each batch that is
//! remembered, oldest first, where Kafka writes the newest alone: a client that repeats its five
//! batches under way after a restart would otherwise be told that the older ones are out of order,
//! start a new epoch, and have them appended a second time. Kafka reads such a file too: of entries
//! with one id the last counts.

use millrace_wire::{Reader, WireError, Writer};

use crate::crc;
use crate::ids::{Offset, ProducerId};
use crate::producer_state::{BatchMetadata, ProducerEntry, ProducerState, RestoredProducer};

/// The version that is written, and the only one that is read.
pub const SNAPSHOT_VERSION: i16 = 1;

/// Version and CRC; the CRC covers what follows.
const FRONT_BYTES: usize = 6;
const CRC_POSITION: usize = 2;
const ENTRY_BYTES: usize = 46;

/// Why a snapshot file cannot be used; an older one or the log has the same facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// Not version 1.
    Version {
        /// As read.
        version: i16,
    },
    /// The CRC is not that of the bytes.
    Crc {
        /// As read.
        stored: u32,
        /// Of the bytes.
        computed: u32,
    },
    /// Cut, or its count disagrees with its length.
    Wire(WireError),
    /// Bytes behind the last entry.
    Remaining {
        /// How many.
        bytes: usize,
    },
}

impl std::fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version { version } => write!(f, "version {version} is not {SNAPSHOT_VERSION}"),
            Self::Crc { stored, computed } => {
                write!(f, "stored CRC {stored:#010x}, computed {computed:#010x}")
            }
            Self::Wire(error) => error.fmt(f),
            Self::Remaining { bytes } => write!(f, "{bytes} bytes behind the last entry"),
        }
    }
}

impl std::error::Error for SnapshotError {}

impl From<WireError> for SnapshotError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

/// The bytes of a snapshot of `state` at the offset `end`: what batches and transactions from there on
/// have left in it stays out, so that it may be ahead.
///
/// A state that counts batches which a crash then loses would have their repetitions taken for
/// duplicates, and acknowledged.
pub fn encode(state: &ProducerState, end: Offset) -> Vec<u8> {
    let below =
        |entry: &ProducerEntry| entry.batches().partition_point(|batch| batch.last_offset < end);
    let kept = |entry: &ProducerEntry| entry.batches().is_empty() || below(entry) > 0;
    let entries = || state.iter().filter(|(_, entry)| kept(entry));
    let count: usize = entries().map(|(_, entry)| below(entry).max(1)).sum();
    let mut writer = Writer::over(Vec::with_capacity(FRONT_BYTES + 4 + ENTRY_BYTES * count));
    writer.i16(SNAPSHOT_VERSION);
    writer.u32(0);
    writer.array_count(Some(count));
    for (producer_id, entry) in entries() {
        let batches = entry.batches().get(..below(entry)).unwrap_or_default();
        let is_all = batches.len() == entry.batches().len();
        match batches.split_last() {
            None => write_entry(&mut writer, producer_id, entry, (None, end)),
            Some((last, older)) => {
                for batch in older {
                    write_entry(&mut writer, producer_id, entry, (Some(*batch), end));
                }
                let timestamp = if is_all { entry.last_timestamp } else { last.timestamp };
                let last = BatchMetadata { timestamp, ..*last };
                write_entry(&mut writer, producer_id, entry, (Some(last), end));
            }
        }
    }
    let mut bytes = writer.into_vec();
    let crc = crc::crc32c(&bytes[FRONT_BYTES..]);
    bytes[CRC_POSITION..FRONT_BYTES].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn write_entry(
    writer: &mut Writer,
    producer_id: ProducerId,
    entry: &ProducerEntry,
    (batch, end): (Option<BatchMetadata>, Offset),
) {
    let txn_first_offset = entry.txn_first_offset.filter(|offset| *offset < end);
    writer.i64(producer_id.0);
    writer.i16(entry.epoch);
    writer.i32(batch.map_or(-1, |batch| batch.last_sequence));
    writer.i64(batch.map_or(-1, |batch| batch.last_offset.0));
    writer.i32(batch.map_or(0, |batch| batch.offset_delta));
    writer.i64(batch.map_or(entry.last_timestamp, |batch| batch.timestamp));
    writer.i32(entry.coordinator_epoch);
    writer.i64(txn_first_offset.map_or(-1, |offset| offset.0));
}

/// The state that a snapshot holds.
///
/// - `producers_max`: as for [`ProducerState::new`].
/// - The caller drops producers that expired meanwhile ([`ProducerState::expire`]).
pub fn decode(bytes: &[u8], producers_max: usize) -> Result<ProducerState, SnapshotError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?;
    if version != SNAPSHOT_VERSION {
        return Err(SnapshotError::Version { version });
    }
    let stored = reader.u32()?;
    let computed = crc::crc32c(reader.rest());
    if stored != computed {
        return Err(SnapshotError::Crc { stored, computed });
    }
    let count = reader
        .array_count(ENTRY_BYTES)?
        .ok_or(WireError::Invalid("the count of producers is null"))?;
    let mut state = ProducerState::new(producers_max);
    for _ in 0..count {
        let producer_id = ProducerId(reader.i64()?);
        let epoch = reader.i16()?;
        let last_sequence = reader.i32()?;
        let last_offset = Offset(reader.i64()?);
        let offset_delta = reader.i32()?;
        let last_timestamp = reader.i64()?;
        let coordinator_epoch = reader.i32()?;
        let txn_first_offset = Offset(reader.i64()?);
        let batch =
            BatchMetadata { last_sequence, last_offset, offset_delta, timestamp: last_timestamp };
        state.restore(
            producer_id,
            RestoredProducer {
                epoch,
                coordinator_epoch,
                last_timestamp,
                txn_first_offset: (txn_first_offset.0 >= 0).then_some(txn_first_offset),
                last_batch: (last_offset.0 >= 0).then_some(batch),
            },
        );
    }
    match reader.remaining() {
        0 => Ok(state),
        bytes => Err(SnapshotError::Remaining { bytes }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchHeader;
    use crate::ids::LeaderEpoch;
    use proptest::prelude::*;

    fn header(producer: (i64, i16), base: (i64, i32), attributes: i16) -> BatchHeader {
        BatchHeader {
            base_offset: Offset(base.0),
            batch_length: 49,
            leader_epoch: LeaderEpoch(0),
            crc: 0,
            attributes,
            last_offset_delta: 2,
            base_timestamp: 0x0102,
            max_timestamp: 0x0304,
            producer_id: ProducerId(producer.0),
            producer_epoch: producer.1,
            base_sequence: base.1,
            record_count: 3,
        }
    }

    /// Above every offset here.
    const END: Offset = Offset(1 << 40);

    // Put together by hand from the schema that Kafka's snapshot reader declares.
    const GOLDEN: &[u8] = b"\x00\x01\x72\xce\xf0\x1d\x00\x00\x00\x02\
        \x00\x00\x00\x00\x00\x00\x00\x07\x00\x02\x00\x00\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x66\
        \x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x03\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
        \x00\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x69\
        \x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x03\x04\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x67";

    fn golden_state() -> ProducerState {
        let mut state = ProducerState::new(10);
        state.record(&header((7, 2), (100, 9), 0));
        state.record(&header((8, 0), (103, 0), 0b1_0000));
        state
    }

    #[test]
    fn a_snapshot_has_kafkas_bytes() {
        assert_eq!(encode(&golden_state(), END), GOLDEN);
        assert_eq!(decode(GOLDEN, 10), Ok(golden_state()));
        assert_eq!(
            decode(GOLDEN, 10).expect("readable").first_undecided_offset(),
            Some(Offset(103))
        );
        assert_eq!(encode(&ProducerState::new(10), END).len(), 10);
    }

    // Found by the simulator: after a restart a client's older batches under way were out of order.
    #[test]
    fn every_remembered_batch_survives() {
        let mut state = ProducerState::new(10);
        for (offset, sequence) in [(100, 0), (103, 3), (200, 6), (203, 9), (206, 12), (209, 15)] {
            state.record(&header((7, 2), (offset, sequence), 0));
        }
        let back = decode(&encode(&state, END), 10).expect("readable");
        assert_eq!(back, state);
        let again = back.check(&header((7, 2), (0, 3), 0)).expect("a duplicate is no error");
        assert!(matches!(again, crate::Admission::Duplicate(_)), "{again:?}");
    }

    // Found by the simulator: a segment's snapshot held batches that were still on their way to that
    // segment; a power loss took them, and their repetitions were acknowledged as duplicates.
    #[test]
    fn batches_from_the_end_on_stay_out() {
        let mut state = ProducerState::new(10);
        state.record(&header((7, 2), (100, 0), 0));
        let before = state.clone();
        state.record(&header((7, 2), (103, 3), 0));
        state.record(&header((8, 0), (106, 0), 0b1_0000));
        assert_eq!(decode(&encode(&state, Offset(103)), 10), Ok(before));
        assert_eq!(decode(&encode(&state, Offset(109)), 10), Ok(state));
    }

    #[test]
    fn a_producer_with_a_marker_alone_survives() {
        let mut state = ProducerState::new(10);
        let marker = crate::producer_state::EndTxn {
            outcome: crate::producer_state::TxnOutcome::Committed,
            coordinator_epoch: 5,
            timestamp: 9,
        };
        state.record_marker(&header((1, 3), (50, -1), 0b11_0000), marker);
        let back = decode(&encode(&state, END), 10).expect("readable");
        let entry = back.entry(ProducerId(1)).expect("there");
        assert_eq!((entry.epoch, entry.coordinator_epoch, entry.last_timestamp), (3, 5, 9));
        assert_eq!(entry.last_batch(), None);
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_an_error() {
        for at in 0..GOLDEN.len() {
            let mut bytes = GOLDEN.to_vec();
            bytes[at] ^= 0x10;
            assert!(decode(&bytes, 10).is_err(), "byte {at}");
            assert!(decode(&GOLDEN[..at], 10).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_right_crc_over_a_wrong_count_is_an_error() {
        let with_body = |body: &[u8]| {
            let crc = crc::crc32c(body).to_be_bytes();
            [&[0, 1][..], &crc, body].concat()
        };
        for count in [-1_i32, i32::MIN, i32::MAX, 1] {
            let result = decode(&with_body(&count.to_be_bytes()), 10);
            assert!(matches!(result, Err(SnapshotError::Wire(_))), "{count}");
        }
        assert_eq!(
            decode(&with_body(&[0, 0, 0, 0, 9]), 10),
            Err(SnapshotError::Remaining { bytes: 1 })
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(
            body in proptest::collection::vec(any::<u8>(), 0..300),
            count in 0_i32..8,
        ) {
            let mut bytes = count.to_be_bytes().to_vec();
            bytes.extend_from_slice(&body);
            let crc = crc::crc32c(&bytes).to_be_bytes();
            let _ = decode(&[&[0, 1][..], &crc, &bytes].concat(), 3);
            let _ = decode(&body, 3);
        }
    }
}

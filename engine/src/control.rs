//! Control records: what the log says to itself. Consumers never see them; they take an offset.
//!
//! ```text
//!  key    version i16 = 0 │ type i16: 0 abort, 1 commit, 2 leader change, 3 and 4 snapshot edges, …
//!  value  of 0 and 1: version i16 = 0 │ coordinator epoch i32
//! ```
//!
//! Source: KIP-98 (markers), KIP-595 and KIP-630 (the metadata log's).

use bytes::Bytes;
use millrace_io::WallMs;
use millrace_wire::{Reader, WireError, Writer};

use crate::batch::{BatchFlags, BatchView};
use crate::builder::{BatchBuilder, BatchSpec, ProducerStamp};
use crate::open_batch::{OpenBatch, OpenError};
use crate::producer_state::{EndTxn, TxnOutcome};
use crate::record::Record;

/// What a control record is about: the second field of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlType {
    /// The producer's transaction is aborted.
    Abort,
    /// The producer's transaction is committed.
    Commit,
    /// A quorum elected a leader.
    LeaderChange,
    /// A metadata snapshot begins.
    SnapshotHeader,
    /// A metadata snapshot ends.
    SnapshotFooter,
    /// The quorum's protocol version.
    KraftVersion,
    /// The quorum's voters.
    KraftVoters,
    /// From a later Kafka; skipped.
    Unknown(i16),
}

impl ControlType {
    /// The type in a control record's key.
    pub fn of_key(key: Option<&[u8]>) -> Result<Self, WireError> {
        let key = key.ok_or(WireError::Invalid("a control record has no key"))?;
        let mut reader = Reader::new(key);
        if reader.i16()? < 0 {
            return Err(WireError::Invalid("the version of a control record is negative"));
        }
        Ok(match reader.i16()? {
            0 => Self::Abort,
            1 => Self::Commit,
            2 => Self::LeaderChange,
            3 => Self::SnapshotHeader,
            4 => Self::SnapshotFooter,
            5 => Self::KraftVersion,
            6 => Self::KraftVoters,
            other => Self::Unknown(other),
        })
    }

    /// The type's number in the key.
    pub const fn id(self) -> i16 {
        match self {
            Self::Abort => 0,
            Self::Commit => 1,
            Self::LeaderChange => 2,
            Self::SnapshotHeader => 3,
            Self::SnapshotFooter => 4,
            Self::KraftVersion => 5,
            Self::KraftVoters => 6,
            Self::Unknown(other) => other,
        }
    }

    /// The key of a control record of this type.
    pub fn key(self) -> [u8; 4] {
        let [high, low] = self.id().to_be_bytes();
        [0, 0, high, low]
    }
}

/// The transaction marker in a control batch; `None` if the batch is of another type or emptied.
pub fn end_txn_of(view: &BatchView<'_>) -> Result<Option<EndTxn>, OpenError> {
    let batch = OpenBatch::open(view, MARKER_BYTES_MAX)?;
    let Some(first) = batch.records().next() else { return Ok(None) };
    let log_record = first?;
    read_end_txn(&log_record.record, WallMs(log_record.timestamp)).map_err(OpenError::Control)
}

fn read_end_txn(record: &Record<'_>, timestamp: WallMs) -> Result<Option<EndTxn>, WireError> {
    let outcome = match ControlType::of_key(record.key)? {
        ControlType::Abort => TxnOutcome::Aborted,
        ControlType::Commit => TxnOutcome::Committed,
        ControlType::LeaderChange
        | ControlType::SnapshotHeader
        | ControlType::SnapshotFooter
        | ControlType::KraftVersion
        | ControlType::KraftVoters
        | ControlType::Unknown(_) => return Ok(None),
    };
    let value = record.value.ok_or(WireError::Invalid("a transaction marker has no value"))?;
    let mut reader = Reader::new(value);
    if reader.i16()? < 0 {
        return Err(WireError::Invalid("the version of a transaction marker is negative"));
    }
    Ok(Some(EndTxn { outcome, coordinator_epoch: reader.i32()?, timestamp: timestamp.0 }))
}

/// The batch that ends a transaction, to be stamped by the leader as any other.
///
/// - `producer`: id and epoch; a marker has no sequence.
pub fn end_txn_batch(producer: ProducerStamp, marker: EndTxn) -> Bytes {
    let mut builder = BatchBuilder::new(BatchSpec {
        flags: BatchFlags { transactional: true, control: true, delete_horizon: false },
        producer: ProducerStamp { base_sequence: -1, ..producer },
        ..BatchSpec::default()
    });
    let kind = match marker.outcome {
        TxnOutcome::Committed => ControlType::Commit,
        TxnOutcome::Aborted => ControlType::Abort,
    };
    let mut value = Writer::new();
    value.i16(0);
    value.i32(marker.coordinator_epoch);
    builder.append(marker.timestamp, Some(&kind.key()), Some(value.as_slice()), &[]);
    builder.build().expect("a batch that is not packed cannot fail")
}

/// Control batches are tiny; one that unpacks to more is not one.
const MARKER_BYTES_MAX: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ProducerId;
    use proptest::prelude::*;

    #[test]
    fn a_marker_has_kafkas_bytes_and_reads_back() {
        let producer = ProducerStamp { id: ProducerId(9), epoch: 4, base_sequence: -1 };
        for outcome in [TxnOutcome::Committed, TxnOutcome::Aborted] {
            let marker = EndTxn { outcome, coordinator_epoch: 77, timestamp: 1234 };
            let bytes = end_txn_batch(producer, marker);
            let view = BatchView::first(&bytes).expect("batch");
            assert!(view.is_crc_right() && view.header.is_control());
            assert!(view.header.is_transactional());
            assert_eq!(view.header.base_sequence, -1);
            assert_eq!(end_txn_of(&view), Ok(Some(marker)));
            // Length 16; key of 4 bytes, value of 6: version 0, epoch 77.
            let kind = u8::from(outcome == TxnOutcome::Committed);
            let golden = [0x20, 0, 0, 0, 8, 0, 0, 0, kind, 12, 0, 0, 0, 0, 0, 77, 0];
            assert_eq!(view.records(), golden);
        }
    }

    #[test]
    fn other_control_records_are_no_markers() {
        let flags = BatchFlags { control: true, ..BatchFlags::default() };
        let mut builder = BatchBuilder::new(BatchSpec { flags, ..BatchSpec::default() });
        builder.append(0, Some(&ControlType::LeaderChange.key()), Some(b"anything"), &[]);
        let bytes = builder.build().expect("plain");
        assert_eq!(end_txn_of(&BatchView::first(&bytes).expect("batch")), Ok(None));
        assert_eq!(ControlType::of_key(Some(&[0, 0, 0, 99])), Ok(ControlType::Unknown(99)));
        assert!(ControlType::of_key(None).is_err());
        assert!(ControlType::of_key(Some(&[0, 0, 1])).is_err());
    }

    proptest! {
        #[test]
        fn no_marker_makes_reading_panic(
            key in proptest::option::of(proptest::collection::vec(0_u8..3, 0..6)),
            value in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..8)),
        ) {
            let mut builder = BatchBuilder::new(BatchSpec::default());
            builder.append(0, key.as_deref(), value.as_deref(), &[]);
            let bytes = builder.build().expect("plain");
            let _ = end_txn_of(&BatchView::first(&bytes).expect("batch"));
        }
    }
}

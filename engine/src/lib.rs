//! One partition's log.

#![forbid(unsafe_code)]

pub mod batch;
pub mod builder;
pub mod checkpoint_file;
pub mod compaction;
pub mod compression;
pub mod control;
pub mod crc;
mod ids;
pub mod leader_epoch;
pub mod open_batch;
pub mod partition_metadata;
pub mod producer_snapshot;
pub mod producer_state;
pub mod record;
pub mod validate;

pub use batch::{
    BatchEnd, BatchError, BatchFlags, BatchHeader, BatchIter, BatchView, Codec, StampedHeader,
    TimestampType, Timestamps,
};
pub use builder::{BatchBuilder, BatchSpec, NO_TIMESTAMP, ProducerStamp};
pub use checkpoint_file::{OffsetEntry, TextError};
pub use compression::CompressionError;
pub use control::{ControlType, end_txn_batch};
pub use ids::{LeaderEpoch, Offset, ProducerId};
pub use leader_epoch::{EpochChange, EpochEnd, EpochEntry, LeaderEpochs};
pub use open_batch::{LogRecord, OpenBatch, OpenError};
pub use partition_metadata::MetaProperties;
pub use producer_snapshot::SnapshotError;
pub use producer_state::{
    Admission, BatchMetadata, CompletedTxn, EndTxn, ProducerEntry, ProducerError, ProducerState,
    TxnOutcome,
};
pub use record::{Header, Headers, Record, RecordError, RecordIter};
pub use validate::{
    CompressionPolicy, Keys, Origin, ProduceError, Rejection, RejectionReason, Strictness,
    TimestampPlan, ValidatedBatch, ValidationRules, validate,
};

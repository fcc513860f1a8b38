//! One partition's log.

#![forbid(unsafe_code)]

pub mod append;
pub mod batch;
pub mod builder;
pub mod checkpoint;
pub mod checkpoint_file;
pub mod cold;
pub mod compaction;
pub mod compression;
pub mod config;
pub mod control;
pub mod crc;
mod ids;
pub mod index;
pub mod leader_epoch;
mod log;
pub mod open_batch;
pub mod partition_metadata;
pub mod producer_snapshot;
pub mod producer_state;
pub mod read;
pub mod record;
pub mod recovery;
pub mod retention;
pub mod roll;
pub mod segment;
pub mod validate;

pub use append::AppendOutcome;
pub use batch::{
    BatchEnd, BatchError, BatchFlags, BatchHeader, BatchIter, BatchView, Codec, StampedHeader,
    TimestampType, Timestamps,
};
pub use builder::{BatchBuilder, BatchSpec, NO_TIMESTAMP, ProducerStamp};
pub use checkpoint::{PartitionCheckpoint, ShardCheckpoint};
pub use checkpoint_file::{OffsetEntry, TextError};
pub use compaction::{Cleanable, CompactionEvent, CompactionLimits, CompactionReport, MapRules};
pub use compression::CompressionError;
pub use config::{Durability, LogConfig};
pub use control::{ControlType, end_txn_batch};
pub use ids::{LeaderEpoch, Offset, ProducerId};
pub use leader_epoch::{EpochChange, EpochEnd, EpochEntry, LeaderEpochs};
pub use log::{AppendError, Log, LogEvent, LogSpec};
pub use open_batch::{LogRecord, OpenBatch, OpenError};
pub use partition_metadata::MetaProperties;
pub use producer_snapshot::SnapshotError;
pub use producer_state::{
    Admission, BatchMetadata, CompletedTxn, EndTxn, ProducerEntry, ProducerError, ProducerState,
    TxnOutcome,
};
pub use read::{
    ReadError, ReadOutcome, ReadPlan, ReadRequest, TimestampOutcome, TimestampedOffset,
};
pub use record::{Header, Headers, Record, RecordError, RecordIter};
pub use recovery::{CutReason, Opening, RecoveryReport, TailCut};
pub use retention::LogStartError;
pub use validate::{
    CompressionPolicy, Keys, Origin, ProduceError, Rejection, RejectionReason, Strictness,
    TimestampPlan, ValidatedBatch, ValidationRules, validate,
};

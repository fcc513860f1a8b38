//! One partition's log.

#![forbid(unsafe_code)]

pub mod batch;
pub mod crc;
mod ids;

pub use batch::{
    BatchEnd, BatchError, BatchHeader, BatchIter, BatchView, Codec, StampedHeader, TimestampType,
};
pub use ids::{LeaderEpoch, Offset, ProducerId};

//! The Kafka protocol.

#![forbid(unsafe_code)]

mod connection;

pub use connection::{Connection, FrameError, ReplySlot};

//! The Kafka protocol.

#![forbid(unsafe_code)]

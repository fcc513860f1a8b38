//! Apache Kafka as oracle: scripted requests, recorded answers, comparison field by field.
//!
//! A *case* is a script of requests over one connection and topics of its own. `record` plays
//! every case against Apache Kafka and writes the answers down (`corpus/*.txt`); `check` plays the
//! same cases against any broker and compares. Messages are encoded and decoded from `layouts.txt`,
//! field tables taken from the message descriptions that Kafka's client jar carries, so nothing of
//! Millrace's own codec is on this side.
//!
//! What may differ from run to run (ids, times, ports, message texts) is masked by the explicit
//! rules of `mask.rs`; what differs for a reason is in `allow.txt` with that reason.

#![forbid(unsafe_code)]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "JSON values and error kinds are other people's enums; the rest is one case here"
)]

pub mod batch;
pub mod broker;
pub mod cases;
pub mod check;
pub mod codec;
pub mod compare;
pub mod connection;
pub mod corpus;
pub mod import;
pub mod layout;
pub mod mask;
pub mod script;

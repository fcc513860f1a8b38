//! The Kafka protocol, without a socket: messages, headers, error codes, and what is advertised.
//!
//! - [`messages`]: every request and response as a plain struct with `decode` and `encode` for all
//!   its versions, generated from the schemas in `net/schema` by `net/codegen`.
//! - [`header`]: what stands before a body, and whole frames.
//! - [`produce`], [`fetch_request`]: Produce and Fetch requests read in place; [`fetch`]: a Fetch
//!   response written around the file ranges that are sent without being read.
//! - [`api_versions`]: the versions a broker tells its clients.
//! - [`Connection`]: bytes into frames, and replies in order.
//! - [`quota`]: what clients may use, and how long they wait when they used more.
//!
//! Invariants: decoding never panics and never reserves more than the frame's bytes justify;
//! encoding a message in a version it does not have is our own fault. This crate knows nothing of
//! logs, topics or shards.

#![forbid(unsafe_code)]

pub mod api_key;
pub mod api_versions;
mod connection;
pub mod error_code;
pub mod fetch;
pub mod fetch_request;
pub mod frame;
pub mod header;
pub mod message;
pub mod messages;
pub mod produce;
pub mod quota;
pub mod throttle;

pub use api_key::ApiKey;
pub use connection::{Connection, FrameError, ReplySlot};
pub use error_code::ErrorCode;
pub use message::{Message, Request};

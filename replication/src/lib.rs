//! Cluster metadata, pure: Kafka's metadata records and the image they replay into.
//!
//! State is a log of records; [`ImageDraft::replay`] is the only thing that changes an image, live
//! and at start-up alike. The controller ([`controller`]) is functions from an image and a request
//! to records and an answer: whoever owns the log appends the records, replays them and then
//! sends the answer. Nothing here knows files, sockets, clocks or batches; random ids and the time
//! are arguments.

#![forbid(unsafe_code)]

pub mod config_key;
pub mod control;
pub mod controller;
pub mod image;
pub mod record;
mod types;

pub use image::{Image, ImageDelta, ImageDraft, ReplayError};
pub use record::{Record, RecordError};
pub use types::{BrokerId, ConfigResource, ResourceType, SecurityProtocol, directory};

//! Millrace, the broker: composes the pure crates with a driver. `main.rs` is the program.

#![forbid(unsafe_code)]

pub mod admin;
pub mod civil;
pub mod cli;
pub mod client;
pub mod config;
mod controller;
pub mod coordinator;
pub mod counters;
pub mod deadlines;
pub mod decoders;
mod error_map;
pub mod fetch_session;
pub mod gate;
pub mod group_lag;
mod handlers;
pub mod mail;
mod metadata_snapshot;
mod offsets_snapshot;
mod offsets_topic;
pub mod published;
pub mod quota_use;
pub mod random;
pub mod server;
pub mod setup;
pub mod shard;
pub mod slab;
pub mod slowest;
pub mod ticket;
mod topic_config;
mod topics;
pub mod waiters;

//! Millrace, the broker: composes the pure crates with a driver. `main.rs` is the program.

#![forbid(unsafe_code)]

pub mod config;
pub mod deadlines;
pub mod fetch_session;
pub mod slab;
pub mod ticket;
pub mod waiters;

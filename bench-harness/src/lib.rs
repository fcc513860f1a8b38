//! Benchmarks: baselines, a light load generator, CPU accounting, interleaved comparisons.
//!
//! Everything is measured as a ratio between two servers in one run: the broker, and a baseline
//! that does the least a server could do for the same bytes. What counts is CPU time of the
//! server's process, because wall time on a small shared machine says little.
//!
//! - [`baseline`]: `sink`, `sink-co`, `crcsink`, `source`, `echo`.
//! - [`load`]: requests built beforehand, pushed down many connections by one thread.
//! - [`server`]: the servers as child processes, and what they used.
//! - [`report`]: tables and JSON; [`plot`]: pictures of them.
//! - [`compare`]: A-B-B-A pairs, medians, bootstrap intervals; [`suites`] are made of it.
//!
//! This crate may read clocks, open files and sockets and start processes; it has no `unsafe`.

#![forbid(unsafe_code)]
#![allow(clippy::cast_precision_loss, reason = "figures are printed, not decided by")]

pub mod baseline;
pub mod canary;
pub mod client;
pub mod compare;
pub mod load;
pub mod meter;
pub mod plot;
pub mod report;
pub mod server;
pub mod stats;
pub mod suites;

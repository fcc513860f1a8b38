//! The load generator: one thread, many connections, requests built beforehand.
//!
//! On two processors the client is half of the machine, so it does as little as possible: produce
//! frames lie ready in memory (and, when large, in a memory file that `sendfile` pushes without a
//! copy), fetched bytes are thrown away inside the kernel unless a copy is asked for, answers are
//! checked at the few places that can differ.
//!
//! - Closed loop: each connection keeps `depth` requests in flight until the run's count is done.
//! - Open loop: requests leave by a schedule fixed in advance, and latency counts from the moment a
//!   request was due, not from the moment it could be sent (else a stall would hide the requests it
//!   delayed).

mod batch;
mod engine;
mod fetch;
mod produce;

pub use batch::{BatchShape, Noise, build_batch, build_keyed_batch};
pub use engine::{Outcome, Pace, RunOptions, run};
pub use fetch::{Consume, FetchPlan, FetchShape};
pub use produce::{ProducePlan, ProduceShape};

use std::io;
use std::net::TcpStream;

use anyhow::Result;

/// What a connection sends and how it reads the answers.
pub trait Plan {
    /// State of one connection.
    type Connection;

    /// State for connection number `index`.
    fn connect(&self, index: usize) -> Self::Connection;

    /// Makes one more request ready to be sent.
    fn queue(&mut self, connection: &mut Self::Connection);

    /// Sends what is queued, as much as the socket takes. `true` if all of it went.
    fn send(&mut self, connection: &mut Self::Connection, stream: &TcpStream) -> io::Result<bool>;

    /// Receives once and returns how many answers were completed by it; `None` if there is nothing
    /// to receive right now. An answer that is wrong is an error.
    fn receive(
        &mut self,
        connection: &mut Self::Connection,
        stream: &TcpStream,
    ) -> Result<Option<usize>>;

    /// Record bytes moved by all answers up to now.
    fn record_bytes(&self) -> u64;
}

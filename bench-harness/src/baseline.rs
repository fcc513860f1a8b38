//! The baselines: the least a server can do for the same bytes on the same sockets.
//!
//! | name      | for each request                                                          |
//! | --------- | ------------------------------------------------------------------------- |
//! | `sink`    | receive into a reused buffer, one write, one canned Produce response      |
//! | `crcsink` | the same, and the CRC-32C of the batch is checked before the write        |
//! | `sink-co` | the same as `sink`, but one write and one send a connection per loop turn |
//! | `source`  | a canned Fetch header and `sendfile` of cached bytes                      |
//! | `echo`    | the same bytes back                                                       |
//!
//! They speak just enough of the protocol that the generator cannot tell them from a broker: the
//! answer to a connection's first request is made by the codec, later ones are copies of it with
//! the correlation id put in.

mod frames;
mod sink;
mod source;
mod store;

pub use source::SourceOptions;
pub use store::Files;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::ValueEnum;

/// Which baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Receive, write, answer.
    Sink,
    /// Receive, check the CRC, write, answer.
    Crcsink,
    /// As `sink`, coalesced over a turn of the loop.
    SinkCo,
    /// Answer with file bytes.
    Source,
    /// Answer with the request.
    Echo,
}

impl Kind {
    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Crcsink => "crcsink",
            Self::SinkCo => "sink-co",
            Self::Source => "source",
            Self::Echo => "echo",
        }
    }
}

/// How a baseline serves its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Loop {
    /// One thread, epoll, non-blocking sockets.
    Epoll,
    /// One thread a connection, blocking sockets. Cheaper for few busy connections.
    Threads,
}

/// What a baseline needs to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which one.
    pub kind: Kind,
    /// How it serves. `sink-co` has one way and ignores it.
    pub serve: Loop,
    /// The folder for its files.
    pub dir: PathBuf,
    /// How its files are used.
    pub files: Files,
    /// Record bytes of one `source` answer.
    pub fetch_bytes: u32,
}

/// Runs a baseline on 127.0.0.1 until the process is killed. Prints `listening ADDRESS` once it
/// answers.
pub fn run(options: &Options, port: u16) -> Result<()> {
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = TcpListener::bind(addr).with_context(|| format!("cannot listen on {addr}"))?;
    let mut out = std::io::stdout();
    writeln!(out, "listening {}", listener.local_addr()?)?;
    out.flush()?;
    match options.kind {
        Kind::Source => match options.serve {
            Loop::Epoll => source::run_epoll(&listener, &SourceOptions::of(options)),
            Loop::Threads => source::run_threads(&listener, &SourceOptions::of(options)),
        },
        Kind::SinkCo => sink::run_coalesced(&listener, options),
        Kind::Sink | Kind::Crcsink | Kind::Echo => match options.serve {
            Loop::Epoll => sink::run_epoll(&listener, options),
            Loop::Threads => sink::run_threads(&listener, options),
        },
    }
}

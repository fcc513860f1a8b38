//! The drivers: what turns [`millrace_io::Op`]s into system calls and their answers into
//! [`millrace_io::Completion`]s.
//!
//! One [`Driver`] per shard, on the shard's own thread; the [`Mesh`] joins them. Two kinds of driver
//! stand behind one interface: io_uring, and epoll with positional I/O for the many places where
//! io_uring is refused. [`probe`] says which this machine gets, and why.
//!
//! ```text
//!  Mesh ── seats ──▶ thread 0: Driver 0 ◀─ mail rings, bells ─▶ Driver 1: thread 1
//!   │                   │ Backend: Uring | Epoll                    │
//!   └── helper threads ◀┴──── slow file operations ────────────────┘
//! ```
//!
//! This is the only crate with `unsafe`, and the only one that reads clocks, opens files and
//! sockets or makes threads. It imports `millrace-io` and nothing else of Millrace's.

mod append;
mod background;
mod bell;
mod config;
mod containment;
mod counters;
mod doze;
mod driver;
mod epoll;
mod files;
mod helpers;
mod lock;
mod mesh;
mod probe;
mod returns;
mod send;
mod shards;
mod spsc;
mod sync;
pub mod sys;
mod table;
mod uring;

pub use append::{AppendReport, probe_append};
pub use config::{AppendPolicy, Backend, DriverConfig};
pub use counters::{Counter, CounterValues, Counters};
pub use driver::Driver;
pub use files::{FileHandle, handle};
pub use lock::{FolderLock, LOCK_FILE, lock_folder};
pub use probe::{ProbeReport, probe};
pub use shards::{Mesh, Seat, Shards, StopHandle, start_shards};

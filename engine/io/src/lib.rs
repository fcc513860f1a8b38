//! The seam: what Millrace's pure code and the world say to each other, as plain data.
//!
//! Pure code takes [`Completion`] values and emits [`Op`] values; a driver (io_uring, epoll or the
//! simulated world) does the rest. This crate is vocabulary: no trait, no callback, no `async`, no
//! I/O, no clock. It imports nothing of Millrace's.
//!
//! One turn of a shard:
//!
//! ```text
//!        completions, now                      ops
//!  driver ───────────────▶ Shard::step ───────────────▶ driver
//!     ▲                                                   │ runs them, inline or in the kernel
//!     └───────────────────────────────────────────────────┘
//! ```
//!
//! Invariants every driver keeps, and the contract suite in `tests/sim` checks:
//! - every op that carries a [`Token`] gets exactly one completion with that token;
//! - ops on different files and sockets complete in any order; two ops on one file may too, so pure
//!   code waits for the first where order matters;
//! - bytes of one socket arrive in order, and leave in the order of its [`Op::Send`]s;
//! - one turn brings at most one [`Completion::Received`] of a socket, so that the shard may answer
//!   it with [`Op::ReceiveInto`] before more arrives;
//! - after [`Op::Close`] nothing more is delivered for that socket;
//! - mail from one shard to another arrives in the order it was posted.

#![forbid(unsafe_code)]

mod buffer;
mod completion;
mod file;
mod op;
mod time;
mod work;

pub use buffer::{BufferPool, PooledBuffer};
pub use completion::{CloseReason, Completion, DirEntry, IoError, IoErrorKind};
pub use file::{FileRef, OpenMode};
pub use op::{Chunk, Op};
pub use time::{Mono, Now, WallMs};
pub use work::{Computed, Work};

/// Names one op to whoever emitted it; echoed in its completion, meaningless to the driver.
///
/// `owner` is a slot that the shard gave to a component (one log, the metadata log, …), `seq` is
/// that component's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// The component that emitted the op; the shard routes the completion by it.
    pub owner: u32,
    /// The component's own number for the op.
    pub seq: u32,
}

/// A shard: one thread, one ring, its own partitions and connections. 0-based and dense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u16);

/// A connection on its shard. Slot and generation, so that a late completion never meets a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId {
    /// Slot in the driver's socket table.
    pub slot: u32,
    /// Counts the slot's uses.
    pub generation: u32,
}

/// A listening socket, in the order the driver was told to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerId(pub u16);

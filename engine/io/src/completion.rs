//! What the world answers.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::{Computed, FileRef, ListenerId, PooledBuffer, ShardId, SocketId, Token};

/// One thing that happened. `M` is the mail that shards send each other.
#[derive(Debug)]
pub enum Completion<M> {
    /// A file is open. Also tells its length.
    Opened {
        /// The op's.
        token: Token,
        /// The file and its length in bytes, or why not.
        result: Result<(FileRef, u64), IoError>,
    },
    /// Bytes of a file.
    Read {
        /// The op's.
        token: Token,
        /// The bytes, fewer than asked for only at the end of the file.
        result: Result<Bytes, IoError>,
    },
    /// A write ended.
    Wrote {
        /// The op's.
        token: Token,
        /// The op's chunks, for reuse of the vector.
        chunks: Vec<Bytes>,
        /// Whether all of it was written.
        result: Result<(), IoError>,
    },
    /// An operation without a value ended.
    Done {
        /// The op's.
        token: Token,
        /// Whether it worked.
        result: Result<(), IoError>,
    },
    /// A folder's entries, sorted by name.
    Listed {
        /// The op's.
        token: Token,
        /// The entries.
        result: Result<Vec<DirEntry>, IoError>,
    },

    /// [`crate::Op::Compute`] ended.
    Computed {
        /// The op's.
        token: Token,
        /// What it gave, or that whoever ran it died over it.
        result: Result<Computed, IoError>,
    },

    /// A client connected, or another shard handed it over. Nothing is received before
    /// [`crate::Op::Receive`].
    Accepted {
        /// The new connection.
        socket: SocketId,
        /// The listener it came through.
        listener: ListenerId,
        /// The client's address.
        peer: SocketAddr,
        /// The address the client connected to.
        local: SocketAddr,
    },
    /// Bytes arrived. They hold driver memory until the last slice drops, so keep them briefly.
    Received {
        /// From where.
        socket: SocketId,
        /// The bytes, at least one.
        data: Bytes,
    },
    /// [`crate::Op::ReceiveInto`] got its bytes.
    Filled {
        /// From where.
        socket: SocketId,
        /// The op's buffer, longer by at least `bytes_min`.
        buffer: PooledBuffer,
    },
    /// All of [`crate::Op::Send`] went to the kernel.
    Sent {
        /// Where to.
        socket: SocketId,
    },
    /// The connection ended from outside. The socket is still to be closed with
    /// [`crate::Op::Close`].
    Closed {
        /// Which.
        socket: SocketId,
        /// How.
        reason: CloseReason,
    },

    /// Mail from a shard.
    Mail {
        /// Who posted it.
        from: ShardId,
        /// What.
        mail: M,
    },
    /// The process was asked to stop (SIGTERM, SIGINT). Comes to every shard.
    Stop,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer closed its sending side.
    Eof,
    /// The connection broke (reset, time-out …).
    Error(IoError),
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Its name. Names that are not UTF-8 are not ours and are left out.
    pub name: String,
    /// Its length in bytes, if it is a file.
    pub length: u64,
    /// When its content last changed, ms since 1970.
    pub modified_ms: i64,
    /// Whether it is a folder.
    pub is_dir: bool,
}

/// An operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoError {
    /// What pure code decides by.
    pub kind: IoErrorKind,
    /// The system's number for it, for the log; 0 if there is none.
    pub errno: i32,
}

/// The failures that pure code tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoErrorKind {
    /// The disk, or the quota, is full.
    NoSpace,
    /// There is no such file or folder.
    NotFound,
    /// It is there already.
    Exists,
    /// Out of descriptors or memory; may pass.
    Exhausted,
    /// The device failed (EIO and its like).
    Device,
    /// The peer reset or vanished.
    Disconnected,
    /// Anything else; see `errno`.
    Other,
}

impl std::fmt::Display for IoError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} (errno {})", self.kind, self.errno)
    }
}

impl std::error::Error for IoError {}

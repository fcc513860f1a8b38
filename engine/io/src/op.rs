//! What pure code asks of the world.

use std::path::PathBuf;

use bytes::Bytes;

use crate::{FileRef, OpenMode, PooledBuffer, ShardId, SocketId, Token, Work};

/// One operation. `M` is the mail that shards send each other.
///
/// File operations take a [`Token`] and get one completion; those without are hints. Paths are
/// used as they are. A driver may run any of them inline, on a ring or on a helper thread, but an
/// operation that can take long (`Sync`, opening, renaming, directories) never holds up the shard.
#[derive(Debug)]
pub enum Op<M> {
    /// Opens a file. Completes with [`crate::Completion::Opened`].
    Open {
        /// Echoed.
        token: Token,
        /// Where.
        path: PathBuf,
        /// How.
        mode: OpenMode,
    },
    /// Reads `length` bytes at `position`; short only at the end of the file. Completes with
    /// [`crate::Completion::Read`].
    Read {
        /// Echoed.
        token: Token,
        /// From where.
        file: FileRef,
        /// Bytes from the start of the file.
        position: u64,
        /// Bytes to read.
        length: u32,
    },
    /// Writes all `chunks` one after the other at `position`; a short write is continued by the
    /// driver. Completes with [`crate::Completion::Wrote`]; after an error, any prefix may be there.
    Write {
        /// Echoed.
        token: Token,
        /// Where to.
        file: FileRef,
        /// Bytes from the start of the file.
        position: u64,
        /// What; given back in the completion so that the vector can be reused.
        chunks: Vec<Bytes>,
    },
    /// As [`Op::Read`], in no hurry: in the background, after all that serves, and what it brings
    /// into the page cache is forgotten again once the caller says so ([`Op::DropCache`]); what was
    /// there before stays. Completes with [`crate::Completion::Read`].
    ReadBehind {
        /// Echoed.
        token: Token,
        /// From where.
        file: FileRef,
        /// Bytes from the start of the file.
        position: u64,
        /// Bytes to read.
        length: u32,
    },
    /// As [`Op::Write`], in no hurry: in the background, after all that serves. Completes with
    /// [`crate::Completion::Wrote`].
    WriteBehind {
        /// Echoed.
        token: Token,
        /// Where to.
        file: FileRef,
        /// Bytes from the start of the file.
        position: u64,
        /// What.
        chunks: Vec<Bytes>,
    },
    /// Makes everything written to the file durable (fdatasync). Completes with
    /// [`crate::Completion::Done`]. A failure is final for the file: the kernel may have dropped
    /// the dirty pages, so a second call that succeeds proves nothing. So at most one may be under
    /// way for a file: of two, the kernel may tell one of the failure and the other that all is well.
    Sync {
        /// Echoed.
        token: Token,
        /// Which.
        file: FileRef,
    },
    /// Starts writing a range back, without waiting (sync_file_range). A hint; no completion.
    Writeback {
        /// Which.
        file: FileRef,
        /// Bytes from the start of the file.
        position: u64,
        /// Bytes.
        length: u64,
    },
    /// Lets the page cache forget a range. A hint; no completion.
    DropCache {
        /// Which.
        file: FileRef,
        /// Bytes from the start of the file.
        position: u64,
        /// Bytes.
        length: u64,
    },
    /// Brings a range into the page cache without pushing others out more than needed, and without
    /// stalling the shard. Completes with [`crate::Completion::Done`] once it was resident.
    Prefetch {
        /// Echoed.
        token: Token,
        /// Which.
        file: FileRef,
        /// Bytes from the start of the file.
        position: u64,
        /// Bytes.
        length: u64,
    },
    /// Reserves disk blocks for a range without changing the file's length. Completes with
    /// [`crate::Completion::Done`]; a filesystem that cannot is not an error.
    Allocate {
        /// Echoed.
        token: Token,
        /// Which.
        file: FileRef,
        /// Bytes from the start of the file.
        position: u64,
        /// Bytes.
        length: u64,
    },
    /// Sets the file's length; blocks reserved behind it are freed. Completes with
    /// [`crate::Completion::Done`].
    Truncate {
        /// Echoed.
        token: Token,
        /// Which.
        file: FileRef,
        /// The new length, bytes.
        length: u64,
    },
    /// Reads a small file as a whole, if it is at most `length_max` bytes (longer: an error of kind
    /// `Other`). Completes with [`crate::Completion::Read`].
    ReadWhole {
        /// Echoed.
        token: Token,
        /// Which.
        path: PathBuf,
        /// Bound on the file's length, bytes.
        length_max: u32,
    },
    /// Writes a file as a whole: aside, synced, renamed into place, the directory synced. After a
    /// crash the file is the old one or the new one. Completes with [`crate::Completion::Done`].
    WriteWhole {
        /// Echoed.
        token: Token,
        /// Which.
        path: PathBuf,
        /// The new content.
        content: Bytes,
    },
    /// Renames a file or folder. Completes with [`crate::Completion::Done`].
    Rename {
        /// Echoed.
        token: Token,
        /// From.
        from: PathBuf,
        /// To; replaced if it is a file.
        to: PathBuf,
    },
    /// Removes a file, or a folder with all that is in it. Completes with
    /// [`crate::Completion::Done`]; what is not there counts as removed.
    Remove {
        /// Echoed.
        token: Token,
        /// Which.
        path: PathBuf,
    },
    /// Makes an empty file where there is none, and holds no descriptor. Completes with
    /// [`crate::Completion::Done`].
    Touch {
        /// Echoed.
        token: Token,
        /// Which.
        path: PathBuf,
    },
    /// Makes a folder and those above it. Completes with [`crate::Completion::Done`].
    MakeDir {
        /// Echoed.
        token: Token,
        /// Which.
        path: PathBuf,
        /// It must not be there yet: otherwise it fails with [`crate::IoErrorKind::Exists`].
        is_new: bool,
    },
    /// Makes a folder's entries durable (fsync on it). Completes with [`crate::Completion::Done`].
    SyncDir {
        /// Echoed.
        token: Token,
        /// Which.
        path: PathBuf,
    },
    /// Lists a folder, sorted by name. Completes with [`crate::Completion::Listed`].
    List {
        /// Echoed.
        token: Token,
        /// Which.
        path: PathBuf,
    },

    /// Runs a function in the background, one at a time per process and after all that serves: for
    /// work of milliseconds, in no hurry. Completes with [`crate::Completion::Computed`].
    Compute {
        /// Echoed.
        token: Token,
        /// What.
        work: Work,
    },

    /// Delivers what arrives on the socket from now on, as [`crate::Completion::Received`], until
    /// `ReceiveStop`, `ReceiveInto` or the end of the connection. Legal at any time; once is enough.
    Receive {
        /// Which.
        socket: SocketId,
    },
    /// Stops delivering (back-pressure). What was already taken from the socket may still come.
    ReceiveStop {
        /// Which.
        socket: SocketId,
    },
    /// Receives straight into `buffer`, appending at its end: at least `bytes_min` and at most
    /// `bytes_max` more bytes, then [`crate::Completion::Filled`] once. Bytes the driver already
    /// took from the socket come first. Afterwards the socket is stopped: the next op says how to
    /// go on.
    ReceiveInto {
        /// Which.
        socket: SocketId,
        /// Where to; its capacity holds `bytes_max` more.
        buffer: PooledBuffer,
        /// Completes once this many bytes were appended.
        bytes_min: usize,
        /// Appends no more than this.
        bytes_max: usize,
    },
    /// Sends `chunks` in order. One send per socket at a time: the next is legal after
    /// [`crate::Completion::Sent`].
    Send {
        /// Which.
        socket: SocketId,
        /// What: bytes, and ranges of files that go out by `sendfile`.
        chunks: Vec<Chunk>,
    },
    /// Closes the socket at once, pending operations included. Nothing more is delivered for it.
    Close {
        /// Which.
        socket: SocketId,
    },
    /// Hands a connection, of which nothing was received yet, to another shard, where it appears
    /// as [`crate::Completion::Accepted`].
    HandOver {
        /// Which.
        socket: SocketId,
        /// To whom.
        to: ShardId,
    },

    /// Posts mail to another shard (or to this one).
    Mail {
        /// To whom.
        to: ShardId,
        /// What.
        mail: M,
    },
}

impl<M> Op<M> {
    /// The operation as one in a hurry: for worlds in which only what is done counts, not when.
    #[must_use]
    pub fn in_front(self) -> Self {
        if let Self::ReadBehind { token, file, position, length } = self {
            return Self::Read { token, file, position, length };
        }
        if let Self::WriteBehind { token, file, position, chunks } = self {
            return Self::Write { token, file, position, chunks };
        }
        self
    }
}

/// A part of what is sent.
#[derive(Clone, Debug)]
pub enum Chunk {
    /// Bytes from memory.
    Bytes(Bytes),
    /// A range of a file, sent from the page cache without passing through the process. If the
    /// file turns out shorter, the connection is closed: the length was promised already.
    File {
        /// Which.
        file: FileRef,
        /// Bytes from the start of the file.
        position: u64,
        /// Bytes.
        length: u32,
    },
}

impl Chunk {
    /// The chunk's length, bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File { length, .. } => *length as usize,
        }
    }

    /// True if the chunk sends nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

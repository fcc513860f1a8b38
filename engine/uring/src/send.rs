//! One send as plain calls: bytes by sendmsg, ranges of files by sendfile, continued where it stopped.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd as _, BorrowedFd};

use millrace_io::{Chunk, CloseReason};

use crate::counters::Counters;
use crate::files::{SLOW_NS, handle};
use crate::sys;

/// A send under way.
#[derive(Debug)]
pub(crate) struct Sending {
    chunks: Vec<Chunk>,
    index: usize,
    /// Bytes of `chunks[index]` that were sent.
    offset: usize,
    /// Nothing was done yet.
    is_new: bool,
}

/// Whether the kernel holds back a socket's packets that are not full (TCP_CORK).
///
/// The end of a `sendfile` goes out as it is: `sendfile` has no flag that says "more follows". Where
/// bytes do follow a range of a file, as the tag sections behind the records of a Fetch response,
/// that makes one packet more, and wakes the peer before it has its answer: 64 KiB fetches over
/// loopback cost a tenth more CPU.
///
/// The cork stays in behind such a send, since more of its kind will follow: what is held back at the
/// end is pushed by TCP_NODELAY, one call where taking the cork out and putting it in are two
/// (`tcp(7)`: setting it flushes what is pending, even in a corked socket).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cork {
    /// Everything is sent at once.
    #[default]
    Out,
    /// It is in.
    In,
}

/// Where a send stands after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendStep {
    /// All of it went to the kernel.
    Done,
    /// The socket's buffer is full.
    Blocked,
    /// It had its share of the turn; the socket may take more.
    Yielded,
    /// The connection is of no more use.
    Failed(CloseReason),
}

impl Sending {
    pub(crate) const fn new(chunks: Vec<Chunk>) -> Self {
        Self { chunks, index: 0, offset: 0, is_new: true }
    }

    /// True if no range of a file is left to send.
    pub(crate) fn is_bytes_only(&self) -> bool {
        !self.chunks[self.index..].iter().any(|chunk| matches!(chunk, Chunk::File { .. }))
    }

    /// The chunks left to send, and how much of the first of them was sent.
    pub(crate) fn rest(&self) -> (&[Chunk], usize) {
        (&self.chunks[self.index..], self.offset)
    }

    /// Sends as much as the socket takes, up to a bound that keeps one fast reader from holding the
    /// turn.
    pub(crate) fn advance(
        &mut self,
        socket: BorrowedFd<'_>,
        cork: &mut Cork,
        counters: &Counters,
    ) -> SendStep {
        let mut share = SEND_SHARE_BYTES;
        if std::mem::take(&mut self.is_new) {
            self.set_cork(socket, cork, counters);
        }
        loop {
            self.settle(0);
            let Some(chunk) = self.chunks.get(self.index) else {
                if *cork == Cork::In {
                    counters.other_calls.bump();
                    sys::push(socket);
                }
                return SendStep::Done;
            };
            if share == 0 {
                return SendStep::Yielded;
            }
            let sent = match chunk {
                Chunk::Bytes(_) => self.send_bytes(socket, counters),
                Chunk::File { .. } => self.send_file(socket, share, counters),
            };
            match sent {
                Ok(count) => {
                    self.settle(count);
                    share = share.saturating_sub(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return SendStep::Blocked;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return SendStep::Failed(CloseReason::Error(sys::io_error(&error))),
            }
        }
    }

    /// Puts the cork in where bytes follow a range of a file, and out for bytes alone.
    fn set_cork(&self, socket: BorrowedFd<'_>, cork: &mut Cork, counters: &Counters) {
        let is_followed = |pair: &[Chunk]| matches!(pair, [Chunk::File { .. }, Chunk::Bytes(_)]);
        let wanted = if self.chunks.windows(2).any(is_followed) {
            Cork::In
        } else if self.is_bytes_only() {
            Cork::Out
        } else {
            *cork
        };
        if wanted != *cork {
            *cork = wanted;
            counters.other_calls.bump();
            sys::set_cork(socket, wanted == Cork::In);
        }
    }

    /// Moves on by `count` sent bytes, and past what is empty.
    pub(crate) fn settle(&mut self, count: usize) {
        self.offset += count;
        while let Some(chunk) = self.chunks.get(self.index) {
            if self.offset < chunk.len() {
                return;
            }
            self.offset -= chunk.len();
            self.index += 1;
        }
        assert_eq!(self.offset, 0, "more was sent than there is");
    }

    /// The run of byte chunks from here on as slices. Returns how many, and whether more follows.
    pub(crate) fn gather<'a>(&'a self, parts: &mut [IoSlice<'a>]) -> (usize, sys::More) {
        let mut count = 0;
        let mut offset = self.offset;
        for chunk in &self.chunks[self.index..] {
            let Chunk::Bytes(bytes) = chunk else {
                return (count, sys::More::Follows);
            };
            if count == parts.len() {
                return (count, sys::More::Follows);
            }
            parts[count] = IoSlice::new(&bytes[offset..]);
            count += 1;
            offset = 0;
        }
        (count, sys::More::Last)
    }

    fn send_bytes(&self, socket: BorrowedFd<'_>, counters: &Counters) -> io::Result<usize> {
        let mut parts = [IoSlice::new(&[]); PARTS_MAX];
        let (count, more) = self.gather(&mut parts);
        counters.send_calls.bump();
        let sent = sys::send_vectored(socket, &parts[..count], more)?;
        counters.send_bytes.add(sent as u64);
        Ok(sent)
    }

    fn send_file(
        &self,
        socket: BorrowedFd<'_>,
        share: usize,
        counters: &Counters,
    ) -> io::Result<usize> {
        let Some(Chunk::File { file, position, length }) = self.chunks.get(self.index) else {
            unreachable!("the caller saw a range of a file here");
        };
        let position = position + self.offset as u64;
        let length = (*length as usize - self.offset).min(share);
        counters.sendfile_calls.bump();
        let start = sys::mono();
        let sent = sys::sendfile(socket, handle(file).as_fd(), position, length);
        if sys::mono().since(start) > SLOW_NS {
            counters.sendfile_slow.bump();
        }
        let sent = sent?;
        if sent == 0 {
            // The length was promised to the client already.
            return Err(sys::errno(libc::ENODATA));
        }
        counters.sendfile_bytes.add(sent as u64);
        Ok(sent)
    }
}

/// What one socket may send in one turn before others get theirs.
const SEND_SHARE_BYTES: usize = 4 * 1024 * 1024;
/// Slices per sendmsg.
pub(crate) const PARTS_MAX: usize = 64;

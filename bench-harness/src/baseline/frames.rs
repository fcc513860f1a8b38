//! Bytes of one connection into frames, in one reused buffer.

use std::io::{self, Read as _};
use std::net::TcpStream;
use std::ops::Range;

/// The buffer before a larger frame makes it grow, bytes.
const BUFFER_BYTES: usize = 64 * 1024;
/// Frames above this are received exactly, with the next frame's length: nothing has to be moved.
const EXACT_BYTES: usize = 16 * 1024;
/// A frame's length field.
const LENGTH_BYTES: usize = 4;
/// What a broker would accept by default.
const FRAME_BYTES_MAX: usize = 100 * 1024 * 1024;

/// What one connection has received and not answered.
#[derive(Debug)]
pub(super) struct Inbox {
    buffer: Vec<u8>,
    filled: usize,
    /// Start of the first frame that was not taken yet.
    start: usize,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self { buffer: vec![0; BUFFER_BYTES], filled: 0, start: 0 }
    }

    /// Length of the frame at `self.start`, its length field included, if that much is known.
    fn frame_bytes(&self) -> io::Result<Option<usize>> {
        let Some(field) = self.buffer[self.start..self.filled].first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let body = u32::from_be_bytes(*field) as usize;
        if body > FRAME_BYTES_MAX {
            return Err(io::Error::other(format!("a frame of {body} bytes")));
        }
        Ok(Some(LENGTH_BYTES + body))
    }

    /// Receives once. `false` at the end of the stream.
    pub(super) fn receive(&mut self, mut stream: &TcpStream) -> io::Result<bool> {
        debug_assert_eq!(self.start, 0, "compacted after the last take");
        let mut limit = self.buffer.len();
        if let Some(bytes) = self.frame_bytes()?
            && bytes > EXACT_BYTES
        {
            if bytes + LENGTH_BYTES > self.buffer.len() {
                self.buffer.resize(bytes + LENGTH_BYTES, 0);
            }
            limit = bytes + LENGTH_BYTES;
        }
        let count = stream.read(&mut self.buffer[self.filled..limit])?;
        self.filled += count;
        Ok(count > 0)
    }

    /// The next whole frame, as a range of [`Self::bytes`].
    pub(super) fn take(&mut self) -> io::Result<Option<Range<usize>>> {
        match self.frame_bytes()? {
            Some(bytes) if self.start + bytes <= self.filled => {
                let frame = self.start..self.start + bytes;
                self.start += bytes;
                Ok(Some(frame))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// The buffer that ranges of [`Self::take`] point into, until [`Self::compact`].
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// Moves what is left to the front.
    pub(super) fn compact(&mut self) {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
    }
}

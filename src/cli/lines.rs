//! Input in whole lines, read by a thread of its own so that whoever waits for lines can time out.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a person's client reads files and waits for its input"
)]

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::error::CliError;

/// Bytes asked for at once.
const READ_BYTES: usize = 256 << 10;
/// Blocks of lines that wait at most.
const BLOCKS_MAX: usize = 16;
/// The longest line, bytes; no broker takes a record that large.
const LINE_BYTES_MAX: usize = 512 << 20;

/// What came.
#[derive(Debug)]
pub(crate) enum Input {
    /// Whole lines, each ended by a line feed but perhaps the very last.
    Lines(Vec<u8>),
    /// Nothing within the time.
    Quiet,
    /// The end.
    End,
}

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Lines {
    blocks: Receiver<io::Result<Vec<u8>>>,
    name: String,
    /// Bytes there are, if it is a file.
    pub(crate) bytes: Option<u64>,
}

impl Lines {
    /// Reads a file, or standard input.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, CliError> {
        let (sender, blocks) = sync_channel(BLOCKS_MAX);
        let Some(path) = path else {
            thread::spawn(move || pump(io::stdin(), &sender));
            return Ok(Self { blocks, name: "standard input".to_owned(), bytes: None });
        };
        let name = path.display().to_string();
        let file = File::open(path)
            .map_err(|error| CliError::refused(format!("--file {name}: {error}")))?;
        let bytes = file.metadata().ok().map(|metadata| metadata.len());
        thread::spawn(move || pump(file, &sender));
        Ok(Self { blocks, name, bytes })
    }

    /// Waits for lines, for `patience` at most if it is given.
    pub(crate) fn next(&self, patience: Option<Duration>) -> Result<Input, CliError> {
        let received = match patience {
            Some(patience) => self.blocks.recv_timeout(patience),
            None => self.blocks.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match received {
            Ok(Ok(lines)) => Ok(Input::Lines(lines)),
            Ok(Err(error)) => Err(CliError::refused(format!("{}: {error}", self.name))),
            Err(RecvTimeoutError::Timeout) => Ok(Input::Quiet),
            Err(RecvTimeoutError::Disconnected) => Ok(Input::End),
        }
    }
}

fn pump(mut source: impl Read, blocks: &SyncSender<io::Result<Vec<u8>>>) {
    let mut held: Vec<u8> = Vec::new();
    loop {
        let from = held.len();
        held.resize(from + READ_BYTES, 0);
        let read = source.read(&mut held[from..]);
        held.truncate(from + read.as_ref().map_or(0, |bytes| *bytes));
        let is_end = match read {
            Ok(bytes) => bytes == 0,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => false,
            Err(error) => {
                let _ = blocks.send(Err(error));
                return;
            }
        };
        if held.len() > LINE_BYTES_MAX {
            let _ = blocks.send(Err(io::Error::other("a line is longer than 512 MiB")));
            return;
        }
        let whole = if is_end {
            held.len()
        } else {
            let new = &held[from..];
            new.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| from + at + 1)
        };
        if whole > 0 {
            let rest = held.split_off(whole);
            // Nobody listens any more: the command failed and is about to end.
            if blocks.send(Ok(std::mem::replace(&mut held, rest))).is_err() {
                return;
            }
        }
        if is_end {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out its text in small pieces.
    struct Dribble<'a>(&'a [u8]);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let bytes = self.0.len().min(3);
            buffer[..bytes].copy_from_slice(&self.0[..bytes]);
            self.0 = &self.0[bytes..];
            Ok(bytes)
        }
    }

    #[test]
    fn lines_are_never_cut_and_none_is_lost() {
        let text = b"a\n\nlonger line\nlast without end";
        let (sender, blocks) = sync_channel(100);
        pump(Dribble(text), &sender);
        drop(sender);
        let blocks: Vec<Vec<u8>> = blocks.iter().map(|block| block.unwrap()).collect();
        let (last, before) = blocks.split_last().unwrap();
        assert!(before.iter().all(|block| block.ends_with(b"\n")));
        assert_eq!(last, b"last without end");
        assert_eq!(blocks.concat(), text);
    }
}

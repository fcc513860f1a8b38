//! Walks a segment's file batch by batch, one in memory at a time.

#![expect(clippy::disallowed_types, reason = "a tool that reads files; no broker runs here")]

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use millrace_engine::batch::{BatchIter, HEADER_BYTES};
use millrace_engine::{BatchEnd, BatchHeader, BatchView};

use crate::cli::error::CliError;

/// Bytes read at once.
const READ_BYTES: usize = 1 << 20;

/// See the file's head.
#[derive(Debug)]
pub(super) struct SegmentReader {
    file: BufReader<File>,
    path: PathBuf,
    /// Length of the file.
    pub(super) bytes: u64,
    /// Where the next batch starts.
    pub(super) position: u64,
    batch: Vec<u8>,
}

/// What stands next in a segment.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// A whole batch.
    Batch {
        /// Where it starts, bytes.
        at: u64,
        /// Its CRC is not checked.
        view: BatchView<'a>,
    },
    /// The end, or zeros up to it.
    End,
    /// Something that is not a batch, and what follows it.
    Damage {
        /// Where, bytes.
        at: u64,
        /// What.
        what: String,
    },
}

impl SegmentReader {
    /// Opens a `.log` file.
    pub(super) fn open(path: &Path) -> Result<Self, CliError> {
        let failed = |error: io::Error| CliError::refused(format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        Ok(Self {
            file: BufReader::with_capacity(READ_BYTES, file),
            path: path.to_path_buf(),
            bytes,
            position: 0,
            batch: Vec::new(),
        })
    }

    /// The next batch. After damage the walk is over.
    pub(super) fn next(&mut self) -> Result<Step<'_>, CliError> {
        let at = self.position;
        let left = self.bytes.saturating_sub(at);
        let mut wanted = left.min(HEADER_BYTES as u64);
        self.batch.clear();
        self.fill(wanted)?;
        if self.batch.len() == HEADER_BYTES
            && let Ok(header) = BatchHeader::parse(&self.batch)
        {
            // A length that reaches beyond the file takes no memory beyond it.
            wanted = left.min(header.bytes_total() as u64) - wanted;
            self.fill(wanted)?;
        }
        self.position += self.batch.len() as u64;
        let mut walk = BatchIter::new(&self.batch);
        let is_whole = walk.next().is_some();
        let what = match walk.end() {
            _ if is_whole => return Ok(self.whole(at)),
            None | Some(BatchEnd::Clean) => return Ok(Step::End),
            Some(BatchEnd::Blank { .. }) => return self.blank(at),
            Some(BatchEnd::Torn { batch_bytes: Some(bytes), .. }) => {
                format!("a batch of {bytes} bytes, of which {left} are there")
            }
            Some(BatchEnd::Torn { batch_bytes: None, .. }) => {
                format!("{left} bytes, less than a batch's header")
            }
            Some(BatchEnd::Corrupt { error, .. }) => format!("not a batch: {error}"),
        };
        Ok(Step::Damage { at, what })
    }

    /// The batch that was read, once more, for the caller to keep.
    fn whole(&self, at: u64) -> Step<'_> {
        BatchIter::new(&self.batch).next().map_or(Step::End, |view| Step::Batch { at, view })
    }

    fn fill(&mut self, bytes: u64) -> Result<(), CliError> {
        let read = (&mut self.file).take(bytes).read_to_end(&mut self.batch);
        let path = self.path.display();
        read.map(drop).map_err(|error| CliError::refused(format!("{path}: {error}")))
    }

    /// Zeros are reserved space if nothing but zeros follows.
    fn blank(&mut self, at: u64) -> Result<Step<'_>, CliError> {
        loop {
            self.batch.clear();
            self.fill(READ_BYTES as u64)?;
            if self.batch.is_empty() {
                return Ok(Step::End);
            }
            if self.batch.iter().any(|byte| *byte != 0) {
                return Ok(Step::Damage { at, what: "zeros, and data behind them".to_owned() });
            }
        }
    }
}

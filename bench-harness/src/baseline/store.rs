//! Where a sink writes.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use millrace_uring::sys;

/// How a sink's files use memory; it decides what a write costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Files {
    /// One file of a fixed length is overwritten again and again: its pages stay in the cache.
    Recycled,
    /// New files of a segment's length, old ones removed: every page is new to the file.
    Fresh,
    /// As fresh, but the file that would be removed is renamed to be the next segment, and
    /// overwritten: what a log with short retention could do.
    Renamed,
    /// Nothing is written.
    Nowhere,
}

/// Length of the recycled file, and of all files that a fresh store keeps. A few runs fill it, so
/// that what is recycled has been written before.
const KEPT_BYTES: u64 = 256 << 20;
/// Length of one of the fresh files.
const SEGMENT_BYTES: u64 = 64 << 20;

/// An append-only store in one folder.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    files: Files,
    file: File,
    position: u64,
    segment: u64,
}

impl Store {
    pub(super) fn open(dir: &Path, files: Files) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let file = segment_file(dir, 0)?;
        Ok(Self { dir: dir.to_owned(), files, file, position: 0, segment: 0 })
    }

    /// Appends one frame: one system call unless the kernel writes less.
    pub(super) fn append(&mut self, frame: &[u8]) -> io::Result<()> {
        self.append_all(&mut [IoSlice::new(frame)])
    }

    /// Appends frames with as few calls as the kernel allows.
    pub(super) fn append_all(&mut self, frames: &mut [IoSlice<'_>]) -> io::Result<()> {
        if self.files == Files::Nowhere {
            return Ok(());
        }
        let limit = match self.files {
            Files::Recycled | Files::Nowhere => KEPT_BYTES,
            Files::Fresh | Files::Renamed => SEGMENT_BYTES,
        };
        if self.position >= limit {
            self.roll()?;
        }
        let mut left = frames;
        while !left.is_empty() {
            let written = sys::write_vectored_at(self.file.as_fd(), left, self.position)?;
            self.position += written as u64;
            IoSlice::advance_slices(&mut left, written);
        }
        Ok(())
    }

    fn roll(&mut self) -> io::Result<()> {
        self.position = 0;
        if matches!(self.files, Files::Recycled | Files::Nowhere) {
            return Ok(());
        }
        self.segment += 1;
        let old = self.segment.checked_sub(KEPT_BYTES / SEGMENT_BYTES);
        let old = old.map(|old| segment_path(&self.dir, old));
        match (old, self.files) {
            (Some(old), Files::Renamed) => {
                std::fs::rename(old, segment_path(&self.dir, self.segment))?;
                self.file = segment_file(&self.dir, self.segment)?;
            }
            (old, _) => {
                self.file = segment_file(&self.dir, self.segment)?;
                if let Some(old) = old {
                    std::fs::remove_file(old)?;
                }
            }
        }
        Ok(())
    }
}

fn segment_path(dir: &Path, segment: u64) -> PathBuf {
    dir.join(format!("{segment:020}.log"))
}

fn segment_file(dir: &Path, segment: u64) -> io::Result<File> {
    let path = segment_path(dir, segment);
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

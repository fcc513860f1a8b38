//! How a filesystem takes appends: measured once per data folder, at start-up.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use io_uring::{opcode, types};

use crate::files::{Cursor, write_all};
use crate::sys::{self, FsKind};

/// What a data folder's filesystem does with appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendReport {
    /// The filesystem.
    pub fs: FsKind,
    /// Whether a write by the ring completes within the call that submits it. `None`: no ring here.
    pub ring_is_inline: Option<bool>,
    /// Median of appends by a plain call, ns.
    pub inline_ns: u64,
    /// Median of appends by the ring from submission to completion, ns; 0 without a ring.
    pub ring_ns: u64,
}

impl std::fmt::Display for AppendReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let by_ring = match self.ring_is_inline {
            Some(true) => "the ring completes them inline, so appends go by ring",
            Some(false) => "the ring hands them to a worker, so small appends go by plain calls",
            None => "no ring, so appends go by plain calls",
        };
        let (inline_us, ring_us) = (self.inline_ns / 1000, self.ring_ns / 1000);
        write!(f, "{:?}: {by_ring} (16 KiB: call {inline_us} µs, ring {ring_us} µs)", self.fs)
    }
}

/// Appends to a file in `dir` (made and removed again) both ways, and lets the drivers of this
/// process go by what was found for all files on the same device opened from now on.
pub fn probe_append(dir: &Path) -> io::Result<AppendReport> {
    let path = dir.join(".millrace-append-probe");
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
    let report = measure(&file);
    std::fs::remove_file(&path)?;
    let report = report?;
    if let Some(ring_is_inline) = report.ring_is_inline {
        found().insert(file.metadata()?.dev(), ring_is_inline);
    }
    Ok(report)
}

/// What was found out, by device.
static FOUND: Mutex<BTreeMap<u64, bool>> = Mutex::new(BTreeMap::new());

fn found() -> std::sync::MutexGuard<'static, BTreeMap<u64, bool>> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether ring writes complete inline on a device: as measured, else as the filesystem is known.
pub(crate) fn ring_is_inline(device: u64, fs: FsKind) -> bool {
    let known = matches!(fs, FsKind::Xfs | FsKind::Btrfs);
    found().get(&device).copied().unwrap_or(known)
}

const WRITES: usize = 15;
const WRITE_BYTES: usize = 16 * 1024;

fn measure(file: &File) -> io::Result<AppendReport> {
    let fs = sys::fs_info(file.as_fd())?.kind;
    let chunk = [Bytes::from(vec![0; WRITE_BYTES])];
    let mut position = 0;
    let mut inline_ns = Vec::new();
    for _ in 0..WRITES {
        let start = sys::mono();
        write_all(file.as_fd(), &chunk, Cursor::default(), position).1?;
        inline_ns.push(sys::mono().since(start));
        position += WRITE_BYTES as u64;
    }
    let (ring_is_inline, ring_ns) = match measure_ring(file, &chunk[0], position) {
        Some((inline, ns)) => (Some(inline), ns),
        None => (None, 0),
    };
    Ok(AppendReport { fs, ring_is_inline, inline_ns: median(inline_ns), ring_ns })
}

/// Whether most writes completed inline, and how long they took.
fn measure_ring(file: &File, chunk: &Bytes, mut position: u64) -> Option<(bool, u64)> {
    let (mut io, _) = crate::uring::build().ok()?;
    let mut inline = 0;
    let mut ring_ns = Vec::new();
    for _ in 0..WRITES {
        let length = u32::try_from(chunk.len()).ok()?;
        let write = opcode::Write::new(types::Fd(file.as_raw_fd()), chunk.as_ptr(), length)
            .offset(position)
            .build();
        position += u64::from(length);
        let start = sys::mono();
        // SAFETY: the chunk and the file outlive the operation: its completion is awaited below.
        unsafe { io.submission().push(&write) }.ok()?;
        io.submit().ok()?;
        let completed = io.completion().next();
        inline += usize::from(completed.is_some());
        let completed = completed.or_else(|| {
            io.submit_and_wait(1).ok()?;
            io.completion().next()
        });
        let Some(completed) = completed else {
            // It may still be running: its memory must outlive it.
            std::mem::forget((chunk.clone(), io));
            return None;
        };
        ring_ns.push(sys::mono().since(start));
        if completed.result() < 0 {
            return None;
        }
    }
    Some((inline * 2 > WRITES, median(ring_ns)))
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_leaves_nothing_behind_and_is_remembered() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let report = probe_append(dir.path()).expect("a writable folder");
        assert_eq!(std::fs::read_dir(dir.path()).expect("a folder").count(), 0);
        assert!(report.inline_ns > 0);
        let device = std::fs::metadata(dir.path()).expect("a folder").dev();
        if let Some(inline) = report.ring_is_inline {
            assert_eq!(ring_is_inline(device, FsKind::Other(0)), inline);
        }
    }

    #[test]
    fn an_unmeasured_device_goes_by_its_filesystem() {
        assert!(ring_is_inline(u64::MAX, FsKind::Xfs));
        assert!(!ring_is_inline(u64::MAX, FsKind::Ext4));
    }
}

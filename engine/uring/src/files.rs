//! File operations as plain calls: what a shard runs inline and what helper threads run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Write as _};
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use millrace_io::{BufferPool, DirEntry, FileRef, Mono, OpenMode};

use crate::append;
use crate::helpers::Helpers;
use crate::sys::{self, FsKind};

/// What a [`FileRef`] of these drivers holds.
#[derive(Debug)]
pub struct FileHandle {
    /// `None` only while dropping.
    fd: Option<OwnedFd>,
    fs: FsKind,
    ring_is_inline: bool,
    /// Inline writes in a row that were slow.
    slow_streak: AtomicU32,
    /// Until then (monotonic ns) writes do not go inline, because several were slow.
    slow_until: AtomicU64,
    bytes_at_open: u64,
    /// Whether most of it was in the page cache when it was first read from behind: see
    /// [`FileHandle::begin_behind`].
    cached: OnceLock<bool>,
    /// Up to where its pages were asked for: see [`FileHandle::read_ahead`].
    ahead: AtomicU64,
    /// Closes the file: that can take long when it frees the blocks of a removed file.
    helpers: Arc<Helpers>,
}

impl FileHandle {
    /// The filesystem it is on.
    pub const fn fs(&self) -> FsKind {
        self.fs
    }

    /// Remembers how long an inline write took. True if it was slow. One slow write may only mean
    /// that the thread lost its CPU in the middle; a disk that is behind slows the next one too.
    pub(crate) fn note_write(&self, start: Mono, end: Mono) -> bool {
        if end.since(start) <= SLOW_NS {
            self.slow_streak.store(0, Ordering::Relaxed);
            return false;
        }
        let streak = self.slow_streak.load(Ordering::Relaxed) + 1;
        if streak < SLOW_STREAK || self.fs == FsKind::Tmpfs {
            self.slow_streak.store(streak, Ordering::Relaxed);
            return true;
        }
        self.slow_streak.store(0, Ordering::Relaxed);
        self.slow_until.store(end.0.saturating_add(SLOW_MEMORY_NS), Ordering::Relaxed);
        true
    }

    /// Before a first read from behind. Is most of the file in the page cache? Then others read it,
    /// and it is not to be forgotten. And from now on the kernel reads nothing ahead on its own: see
    /// [`FileHandle::read_ahead`].
    pub(crate) fn begin_behind(&self) {
        let _first = self.cached.get_or_init(|| {
            drop(sys::advise(self.as_fd(), 0, 0, sys::Advice::Random));
            let parts = slices(0, self.bytes_at_open, LOOK_BYTES);
            let pages = parts.map(|(position, length)| {
                give_way();
                sys::cached_pages(self.as_fd(), position, length).unwrap_or(0)
            });
            pages.sum::<u64>() > self.bytes_at_open / PAGE_BYTES / 2
        });
    }

    /// Has the kernel begin to read what is needed soon, when the range is about to be read. In
    /// steps: what it reads ahead by itself is as much as the device's `read_ahead_kb` says, 8 MiB in
    /// one call that took a millisecond where it was measured, and a shard that wakes on that CPU
    /// waits for it.
    pub(crate) fn read_ahead(&self, range: Range<u64>) {
        let whole_steps = (range.end + AHEAD_BYTES) / AHEAD_STEP_BYTES * AHEAD_STEP_BYTES;
        let end = self.bytes_at_open.min(whole_steps);
        let from = self.ahead.fetch_max(end, Ordering::Relaxed).max(range.start);
        for (position, length) in slices(from, end, AHEAD_STEP_BYTES) {
            give_way();
            drop(sys::advise(self.as_fd(), position, length, sys::Advice::WillNeed));
        }
    }

    /// Whether it was; false if nobody looked.
    pub(crate) fn was_cached(&self) -> bool {
        self.cached.get().copied().unwrap_or(false)
    }

    /// Whether writes by the ring complete without a kernel worker here.
    pub(crate) const fn ring_is_inline(&self) -> bool {
        self.ring_is_inline
    }

    pub(crate) fn is_slow(&self, now: Mono) -> bool {
        now.0 < self.slow_until.load(Ordering::Relaxed)
    }
}

/// A call that takes longer than this held up the shard.
pub(crate) const SLOW_NS: u64 = 1_000_000;
/// So many slow writes in a row keep a file off the inline path.
const SLOW_STREAK: u32 = 2;
/// How long a slow file is kept off the inline path. Long enough to outlast a writeback burst or a
/// journal commit, short enough that one hiccup does not cost throughput for good.
const SLOW_MEMORY_NS: u64 = 500_000_000;

/// How far ahead of what is read from behind the kernel reads, bytes.
const AHEAD_BYTES: u64 = 1 << 20;
/// In steps of so many, bytes.
const AHEAD_STEP_BYTES: u64 = 128 << 10;
/// Of how many bytes one call tells whether they are in the page cache: some 50 us if they are.
const LOOK_BYTES: u64 = 16 << 20;

/// Between two calls of what nobody waits for: lets a shard have the CPU that became ready meanwhile.
/// The scheduler may let even an idle thread go on beside it, up to the next tick of its clock, if the
/// shard had more than its share before.
pub(crate) fn give_way() {
    thread::yield_now();
}

/// A range cut at every multiple of `bytes`: positions and lengths, none if it is empty.
pub(crate) fn slices(from: u64, until: u64, bytes: u64) -> impl Iterator<Item = (u64, u64)> {
    let mut position = from;
    std::iter::from_fn(move || {
        let end = until.min((position / bytes + 1) * bytes);
        let slice = (position < end).then_some((position, end.saturating_sub(position)));
        position = end;
        slice
    })
}

impl AsFd for FileHandle {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let fd = self.fd.as_ref();
        fd.expect("the descriptor is taken out only in drop").as_fd()
    }
}

impl AsRawFd for FileHandle {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl Drop for FileHandle {
    fn drop(&mut self) {
        if let Some(fd) = self.fd.take() {
            self.helpers.close(fd);
        }
    }
}

/// The driver's side of a file. Files come from a driver of this process, so it is always there.
pub fn handle(file: &FileRef) -> &FileHandle {
    file.handle().expect("files are opened by the drivers of this crate")
}

/// Opens a file and tells its length.
pub(crate) fn open(
    path: &Path,
    mode: OpenMode,
    helpers: &Arc<Helpers>,
) -> io::Result<(FileRef, u64)> {
    let mut options = OpenOptions::new();
    options.read(true);
    match mode {
        OpenMode::Read => {}
        OpenMode::ReadWrite => {
            options.write(true);
        }
        OpenMode::Create => {
            options.write(true).create(true).truncate(false);
        }
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    let length = metadata.len();
    let fs = sys::fs_info(file.as_fd())?.kind;
    let handle = FileHandle {
        fd: Some(file.into()),
        fs,
        ring_is_inline: append::ring_is_inline(metadata.dev(), fs),
        slow_streak: AtomicU32::new(0),
        slow_until: AtomicU64::new(0),
        bytes_at_open: length,
        cached: OnceLock::new(),
        ahead: AtomicU64::new(0),
        helpers: Arc::clone(helpers),
    };
    let id = FILES.fetch_add(1, Ordering::Relaxed);
    Ok((FileRef::new(id, Arc::new(handle)), length))
}

/// Numbers the files of the process.
static FILES: AtomicU64 = AtomicU64::new(1);

/// Reads all of a range, blocking; short only at the end of the file.
pub(crate) fn read(
    fd: BorrowedFd<'_>,
    position: u64,
    length: u32,
    pool: &BufferPool,
) -> io::Result<Bytes> {
    let mut buffer = pool.take(length as usize);
    read_rest(fd, position, length as usize, buffer.as_mut_vec())?;
    Ok(buffer.freeze())
}

/// Reads on behind what `buffer` already holds of the range at `position`, blocking, until it holds
/// `length` bytes or the file ends.
pub(crate) fn read_rest(
    fd: BorrowedFd<'_>,
    position: u64,
    length: usize,
    buffer: &mut Vec<u8>,
) -> io::Result<()> {
    while buffer.len() < length {
        let rest = length - buffer.len();
        match sys::read_append(fd, buffer, rest, position + buffer.len() as u64) {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A place within a list of chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) chunk: usize,
    pub(crate) offset: usize,
}

impl Cursor {
    /// Moves `count` bytes on, and past empty chunks. Panics past the end of `chunks`.
    pub(crate) fn advance(&mut self, chunks: &[Bytes], mut count: usize) {
        while self.chunk < chunks.len() {
            let rest = chunks[self.chunk].len() - self.offset;
            if count < rest {
                self.offset += count;
                return;
            }
            count -= rest;
            self.chunk += 1;
            self.offset = 0;
        }
        assert_eq!(count, 0, "more was written than there is");
    }

    /// The bytes from here on as slices, at most as many as `parts` has room for. Returns how many.
    fn gather<'a>(self, chunks: &'a [Bytes], parts: &mut [IoSlice<'a>]) -> usize {
        let mut count = 0;
        let mut offset = self.offset;
        for chunk in &chunks[self.chunk..] {
            if count == parts.len() {
                break;
            }
            parts[count] = IoSlice::new(&chunk[offset..]);
            offset = 0;
            count += 1;
        }
        count
    }
}

/// Writes all chunks from `cursor` on, which belongs at `position`, blocking. Returns the calls made.
pub(crate) fn write_all(
    fd: BorrowedFd<'_>,
    chunks: &[Bytes],
    mut cursor: Cursor,
    mut position: u64,
) -> (u64, io::Result<()>) {
    let mut small = [IoSlice::new(&[]); PARTS_SMALL];
    let mut large = Vec::new();
    let mut calls = 0;
    cursor.advance(chunks, 0);
    while cursor.chunk < chunks.len() {
        let rest = (chunks.len() - cursor.chunk).min(sys::IOV_MAX);
        let parts = if rest <= PARTS_SMALL {
            &mut small[..]
        } else {
            large.resize(rest, IoSlice::new(&[]));
            &mut large[..]
        };
        let count = cursor.gather(chunks, parts);
        calls += 1;
        match sys::write_vectored_at(fd, &parts[..count], position) {
            Ok(0) => return (calls, Err(io::ErrorKind::WriteZero.into())),
            Ok(written) => {
                position += written as u64;
                cursor.advance(chunks, written);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (calls, Err(error)),
        }
    }
    (calls, Ok(()))
}

/// Up to so many slices are gathered on the stack.
const PARTS_SMALL: usize = 64;

/// True if all of a range is in the page cache, as far as the kernel can tell cheaply. Filesystems
/// without a disk below always say so.
pub(crate) fn is_cached(handle: &FileHandle, position: u64, length: u64) -> bool {
    if handle.fs() == FsKind::Tmpfs || length == 0 {
        return true;
    }
    let first = position / PAGE_BYTES;
    let last = (position + length - 1) / PAGE_BYTES;
    sys::cached_pages(handle.as_fd(), position, length).is_ok_and(|pages| pages > last - first)
}

/// The page cache counts in these (on the machines we run on).
pub(crate) const PAGE_BYTES: u64 = 4096;

/// Reads a range so that it is in the page cache, blocking. What lies behind the file's end counts
/// as read.
pub(crate) fn prefetch(handle: &FileHandle, position: u64, length: u64) -> io::Result<()> {
    if is_cached(handle, position, length) {
        return Ok(());
    }
    let mut scratch = Vec::with_capacity(PREFETCH_STEP_BYTES);
    let mut done = 0;
    while done < length {
        scratch.clear();
        let step = usize::try_from(length - done).unwrap_or(usize::MAX);
        let step = step.min(PREFETCH_STEP_BYTES);
        match sys::read_append(handle.as_fd(), &mut scratch, step, position + done) {
            Ok(0) => break,
            Ok(count) => done += count as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// One step of a prefetch: large enough for the disk, small enough for the cache of the core.
const PREFETCH_STEP_BYTES: usize = 256 * 1024;

/// A descriptor that is kept for what opens a file only for a moment: where none is left, logs can
/// still be synced, and then closed.
static SPARE: Mutex<Option<File>> = Mutex::new(None);

/// Does what opens a file for a moment; where no descriptor is left for it, with the spare one.
pub(crate) fn with_spare<T>(mut open: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let first = open();
    if !first.as_ref().is_err_and(sys::is_exhausted) {
        return first;
    }
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(given_up) = spare.take() else { return first };
    drop(given_up);
    let second = open();
    *spare = File::open("/dev/null").ok();
    second
}

/// Sees to it that there is a spare descriptor, as long as there are any.
pub(crate) fn keep_spare() {
    let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
    if spare.is_none() {
        *spare = File::open("/dev/null").ok();
    }
}

/// Reads a whole file of at most `length_max` bytes.
pub(crate) fn read_whole(path: &Path, length_max: u32) -> io::Result<Bytes> {
    use io::Read as _;
    let file = File::open(path)?;
    let mut content = Vec::new();
    let limit = u64::from(length_max) + 1;
    file.take(limit).read_to_end(&mut content)?;
    if content.len() as u64 == limit {
        return Err(sys::errno(libc::EFBIG));
    }
    Ok(content.into())
}

/// Writes a file as a whole: beside it, synced, renamed over it, the folder synced.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".tmp");
    let aside = PathBuf::from(aside);
    let mut file = File::create(&aside)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    drop(file);
    if let Err(error) = written.and_then(|()| fs::rename(&aside, path)) {
        // The old file stands; a piece of the new one must not eat the space that is missing.
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    sync_dir(path.parent().unwrap_or(Path::new("/")))
}

/// Makes a folder's entries durable. Want of descriptors or memory means that it could not be
/// opened; a sync that was tried and failed never looks like that.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let folder = File::open(path)?;
    sys::sync_all(folder.as_fd())
        .map_err(|error| if sys::is_exhausted(&error) { sys::errno(libc::EIO) } else { error })
}

/// Makes an empty file where there is none.
pub(crate) fn touch(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path).map(drop)
}

/// Makes a folder and those above it; with `is_new` it must not be there yet.
pub(crate) fn make_dir(path: &Path, is_new: bool) -> io::Result<()> {
    if !is_new {
        return fs::create_dir_all(path);
    }
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    fs::create_dir(path)
}

/// Removes a file or a folder with all that is in it; what is not there counts as removed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A folder's entries, sorted by name.
pub(crate) fn list(path: &Path) -> io::Result<Vec<DirEntry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // Removed while we looked.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH);
        entries.push(DirEntry {
            name,
            length: if metadata.is_dir() { 0 } else { metadata.len() },
            modified_ms: modified
                .map_or(0, |age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX)),
            is_dir: metadata.is_dir(),
        });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_cut_at_multiples_and_leave_nothing_out() {
        let cut = |from, until| slices(from, until, 100).collect::<Vec<_>>();
        assert_eq!(cut(0, 250), [(0, 100), (100, 100), (200, 50)]);
        assert_eq!(cut(30, 200), [(30, 70), (100, 100)]);
        assert_eq!(cut(130, 140), [(130, 10)]);
        for (from, until) in [(0, 0), (100, 100), (7, 7), (9, 8), (900, 100)] {
            assert!(cut(from, until).is_empty(), "{from} to {until}");
        }
    }
}

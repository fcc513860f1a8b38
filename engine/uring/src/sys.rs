//! System calls behind safe functions. What is not data-path sits in `sys/process.rs`.
//!
//! Every function returns what the kernel said; nothing here retries except on EINTR where the
//! call is one that blocks. No function keeps a pointer after it returned.

mod poll;
mod process;
mod socket;

pub use poll::{Poller, Ready};
pub use process::{
    Usage, block_stop_signals, ignore_broken_pipes, pin_thread, process_cpu_ns, resident_bytes,
    usage, wait_stop_signal,
};
pub(crate) use process::{be_nice, become_idle, thread_cpu_ns};
pub use socket::{
    More, accept, listen, receive_append, receive_discard, send_vectored, sendfile, socket_error,
};
pub(crate) use socket::{addresses, push, set_cork};

use std::ffi::c_int;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::path::Path;
use std::time::Duration;

use millrace_io::{IoError, IoErrorKind, Mono, Now, WallMs};

/// Turns a system call's answer into a result.
pub(crate) fn check(answer: isize) -> io::Result<usize> {
    usize::try_from(answer).map_err(|_| io::Error::last_os_error())
}

/// As [`check`], for calls that answer with an `int`.
pub(crate) fn check_int(answer: c_int) -> io::Result<usize> {
    check(answer as isize)
}

/// A file position as the kernel takes it. Positions beyond 2^63 cannot exist.
pub(crate) fn offset(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Both clocks. Monotonic time is the system's CLOCK_MONOTONIC, the same in all processes.
pub fn now() -> Now {
    let mono = clock(libc::CLOCK_MONOTONIC);
    let wall = clock(libc::CLOCK_REALTIME);
    Now { mono: Mono(mono), wall: WallMs(i64::try_from(wall / 1_000_000).unwrap_or(i64::MAX)) }
}

/// The monotonic clock alone.
pub fn mono() -> Mono {
    Mono(clock(libc::CLOCK_MONOTONIC))
}

fn clock(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec for the length of the call.
    let answer = unsafe { libc::clock_gettime(id, &raw mut time) };
    assert_eq!(answer, 0, "clock {id} cannot be read");
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// What a system error means to pure code.
pub fn io_error(error: &io::Error) -> IoError {
    let errno = error.raw_os_error().unwrap_or(0);
    let kind = match errno {
        libc::ENOSPC | libc::EDQUOT => IoErrorKind::NoSpace,
        libc::ENOENT => IoErrorKind::NotFound,
        libc::EEXIST | libc::ENOTEMPTY => IoErrorKind::Exists,
        libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS | libc::EAGAIN => {
            IoErrorKind::Exhausted
        }
        libc::EIO | libc::ENXIO | libc::ENODEV | libc::EROFS | libc::EREMOTEIO => {
            IoErrorKind::Device
        }
        libc::EPIPE
        | libc::ECONNRESET
        | libc::ECONNABORTED
        | libc::ENOTCONN
        | libc::ETIMEDOUT
        | libc::EHOSTUNREACH
        | libc::ENETUNREACH => IoErrorKind::Disconnected,
        _ => IoErrorKind::Other,
    };
    IoError { kind, errno }
}

/// An error made of a system error number.
pub(crate) fn errno(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

/// Reads up to `length` bytes at `position` and appends them to `buffer`, which must have the room.
/// One call; fewer bytes than asked for are a result too, 0 is the end of the file.
pub fn read_append(
    fd: BorrowedFd<'_>,
    buffer: &mut Vec<u8>,
    length: usize,
    position: u64,
) -> io::Result<usize> {
    let room = buffer.spare_capacity_mut();
    let length = length.min(room.len());
    // SAFETY: `room` is writable for `length` bytes and borrowed for the length of the call.
    let answer =
        unsafe { libc::pread(fd.as_raw_fd(), room.as_mut_ptr().cast(), length, offset(position)) };
    let count = check(answer)?;
    grow(buffer, count);
    Ok(count)
}

/// As [`read_append`], but only what is in the page cache: EAGAIN if the first page is not, and
/// EOPNOTSUPP where the filesystem cannot tell (tmpfs).
pub fn read_append_cached(
    fd: BorrowedFd<'_>,
    buffer: &mut Vec<u8>,
    length: usize,
    position: u64,
) -> io::Result<usize> {
    let room = buffer.spare_capacity_mut();
    let vector =
        libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: length.min(room.len()) };
    // SAFETY: the one vector points to writable memory borrowed for the length of the call.
    let answer = unsafe {
        libc::preadv2(fd.as_raw_fd(), &raw const vector, 1, offset(position), libc::RWF_NOWAIT)
    };
    let count = check(answer)?;
    grow(buffer, count);
    Ok(count)
}

/// Marks `count` more bytes of `buffer` as filled, after the kernel wrote them.
pub(crate) fn grow(buffer: &mut Vec<u8>, count: usize) {
    assert!(
        count <= buffer.capacity() - buffer.len(),
        "the kernel wrote {count} bytes past a buffer"
    );
    // SAFETY: the callers passed the spare capacity to the kernel, which says that it filled the
    // first `count` bytes of it; that they fit was just asserted.
    unsafe { buffer.set_len(buffer.len() + count) };
}

/// Writes `parts` (at most [`IOV_MAX`]) at `position`. One call; may write less.
pub fn write_vectored_at(
    fd: BorrowedFd<'_>,
    parts: &[IoSlice<'_>],
    position: u64,
) -> io::Result<usize> {
    let count = c_int::try_from(parts.len().min(IOV_MAX)).unwrap_or(c_int::MAX);
    // SAFETY: `IoSlice` has the layout of `iovec`, and the slices live for the length of the call.
    let answer =
        unsafe { libc::pwritev(fd.as_raw_fd(), parts.as_ptr().cast(), count, offset(position)) };
    check(answer)
}

/// The most vectors one call takes.
pub const IOV_MAX: usize = 1024;

/// fdatasync.
pub fn sync_data(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no memory is passed; the descriptor is borrowed for the length of the call.
    check_int(unsafe { libc::fdatasync(fd.as_raw_fd()) }).map(drop)
}

/// fsync, for folders too.
pub fn sync_all(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no memory is passed; the descriptor is borrowed for the length of the call.
    check_int(unsafe { libc::fsync(fd.as_raw_fd()) }).map(drop)
}

/// Reserves blocks without changing the length. EOPNOTSUPP where the filesystem cannot.
pub fn allocate(fd: BorrowedFd<'_>, position: u64, length: u64) -> io::Result<()> {
    let (position, length) = (offset(position), offset(length));
    let mode = libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: no memory is passed; the descriptor is borrowed for the length of the call.
    check_int(unsafe { libc::fallocate(fd.as_raw_fd(), mode, position, length) }).map(drop)
}

/// Sets the file's length.
pub fn truncate(fd: BorrowedFd<'_>, length: u64) -> io::Result<()> {
    // SAFETY: no memory is passed; the descriptor is borrowed for the length of the call.
    check_int(unsafe { libc::ftruncate(fd.as_raw_fd(), offset(length)) }).map(drop)
}

/// Starts writing dirty pages of a range back; does not wait for them.
pub fn start_writeback(fd: BorrowedFd<'_>, position: u64, length: u64) -> io::Result<()> {
    let flags = libc::SYNC_FILE_RANGE_WRITE;
    let (position, length) = (offset(position), offset(length));
    // SAFETY: no memory is passed; the descriptor is borrowed for the length of the call.
    check_int(unsafe { libc::sync_file_range(fd.as_raw_fd(), position, length, flags) }).map(drop)
}

/// Lets this process have as many open files as it may, and says how many that is. Systems start
/// programs with a limit meant for those that use `select`.
///
/// Source: getrlimit(2).
pub fn raise_open_files() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live `rlimit`, which is written.
    check_int(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    if limit.rlim_cur < limit.rlim_max {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: the pointer is to a live `rlimit`, which is read.
        check_int(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    }
    Ok(limit.rlim_cur)
}

/// Locks a whole file for writing, for as long as it stays open, against other processes and other
/// openings of it. False where somebody else has it. The lock is of the kind that Java's
/// `FileChannel.lock` takes, so Apache Kafka and this process see each other's.
///
/// Source: fcntl(2), "Open file description locks".
pub fn try_lock(file: BorrowedFd<'_>) -> io::Result<bool> {
    // SAFETY: all zeroes is a valid `flock`: the whole file from its start.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::c_short::try_from(libc::F_WRLCK).unwrap_or_default();
    // SAFETY: the pointer is to a live `flock`, which this command only reads.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
    match check_int(answer) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// What a caller tells the page cache about a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Not needed any more.
    Drop,
    /// Needed soon: starts reading it.
    WillNeed,
    /// The file is read here and there: the kernel reads no more than it is asked for.
    Random,
}

/// posix_fadvise.
pub fn advise(fd: BorrowedFd<'_>, position: u64, length: u64, advice: Advice) -> io::Result<()> {
    let advice = match advice {
        Advice::Drop => libc::POSIX_FADV_DONTNEED,
        Advice::WillNeed => libc::POSIX_FADV_WILLNEED,
        Advice::Random => libc::POSIX_FADV_RANDOM,
    };
    let (position, length) = (offset(position), offset(length));
    // SAFETY: no memory is passed; the descriptor is borrowed for the length of the call.
    match unsafe { libc::posix_fadvise(fd.as_raw_fd(), position, length, advice) } {
        0 => Ok(()),
        number => Err(errno(number)),
    }
}

/// Pages of a range that are in the page cache, dirty ones included. ENOSYS before Linux 6.5.
pub fn cached_pages(fd: BorrowedFd<'_>, position: u64, length: u64) -> io::Result<u64> {
    let range = [position, length];
    // Cached, dirty, in writeback, evicted, recently evicted.
    let mut counts = [0_u64; 5];
    // SAFETY: both arrays have the layout the call documents (all fields u64) and outlive it.
    let answer = unsafe {
        libc::syscall(SYS_CACHESTAT, fd.as_raw_fd(), range.as_ptr(), counts.as_mut_ptr(), 0)
    };
    check(isize::try_from(answer).unwrap_or(-1))?;
    Ok(counts[0])
}

/// The same number on all architectures (Linux 6.5).
const SYS_CACHESTAT: libc::c_long = 451;

/// A filesystem, as far as the append policy minds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FsKind {
    /// ext2, ext3, ext4.
    Ext4,
    /// XFS.
    Xfs,
    /// btrfs.
    Btrfs,
    /// tmpfs.
    Tmpfs,
    /// Anything else, with the number `statfs` gives it.
    Other(u64),
}

/// What a path's filesystem is and how full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FsInfo {
    /// Its kind.
    pub kind: FsKind,
    /// Its size, bytes.
    pub bytes_total: u64,
    /// What an ordinary user may still write, bytes.
    pub bytes_free: u64,
}

/// Asks for the filesystem below an open file or folder.
pub fn fs_info(fd: BorrowedFd<'_>) -> io::Result<FsInfo> {
    let mut info = std::mem::MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: the pointer is valid for a write of one `statfs` for the length of the call.
    check_int(unsafe { libc::fstatfs(fd.as_raw_fd(), info.as_mut_ptr()) })?;
    // SAFETY: zeroed plain integers, and the call filled them.
    let info = unsafe { info.assume_init() };
    let kind = match info.f_type as u64 & 0xffff_ffff {
        0xef53 => FsKind::Ext4,
        0x5846_5342 => FsKind::Xfs,
        0x9123_683e => FsKind::Btrfs,
        0x0102_1994 => FsKind::Tmpfs,
        other => FsKind::Other(other),
    };
    let block = info.f_bsize as u64;
    Ok(FsInfo {
        kind,
        bytes_total: info.f_blocks.saturating_mul(block),
        bytes_free: info.f_bavail.saturating_mul(block),
    })
}

/// As [`fs_info`], for a path.
pub fn fs_info_at(path: &Path) -> io::Result<FsInfo> {
    let file = std::fs::File::open(path)?;
    fs_info(std::os::fd::AsFd::as_fd(&file))
}

/// A new non-blocking eventfd, or a blocking one for a ring's reads.
pub fn event() -> io::Result<OwnedFd> {
    // SAFETY: no memory is passed.
    let fd = check_int(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
    Ok(owned(fd))
}

/// Rings an eventfd.
pub fn event_ring(fd: BorrowedFd<'_>) {
    let one = 1_u64;
    // SAFETY: eight bytes are read from `one`, which outlives the call.
    let answer = unsafe { libc::write(fd.as_raw_fd(), (&raw const one).cast(), 8) };
    // EAGAIN means that the counter is at its end, and so that the reader is being woken anyway.
    debug_assert!(answer == 8 || io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN));
}

/// Silences an eventfd.
pub fn event_clear(fd: BorrowedFd<'_>) {
    let mut count = 0_u64;
    // SAFETY: eight bytes are written to `count`, which outlives the call.
    let answer = unsafe { libc::read(fd.as_raw_fd(), (&raw mut count).cast(), 8) };
    debug_assert!(answer == 8 || io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN));
}

/// Takes ownership of a descriptor the kernel just made.
pub(crate) fn owned(fd: usize) -> OwnedFd {
    let fd = c_int::try_from(fd).expect("descriptors are ints");
    // SAFETY: the callers pass what a call that makes descriptors answered a moment ago, so nobody
    // else owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// A new epoll instance.
pub(crate) fn epoll_create() -> io::Result<OwnedFd> {
    // SAFETY: no memory is passed.
    check_int(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }).map(owned)
}

/// Watches `fd` for `mask`; its events carry `data`.
pub(crate) fn epoll_add(
    epoll: BorrowedFd<'_>,
    fd: BorrowedFd<'_>,
    mask: c_int,
    data: u64,
) -> io::Result<()> {
    let mut event = libc::epoll_event { events: mask as u32, u64: data };
    // SAFETY: `event` is valid for the length of the call.
    check_int(unsafe {
        libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &raw mut event)
    })
    .map(drop)
}

/// Stops watching `fd`.
pub(crate) fn epoll_remove(epoll: BorrowedFd<'_>, fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: removal takes no event.
    check_int(unsafe {
        libc::epoll_ctl(
            epoll.as_raw_fd(),
            libc::EPOLL_CTL_DEL,
            fd.as_raw_fd(),
            std::ptr::null_mut(),
        )
    })
    .map(drop)
}

/// Tries again while somebody else holds what is tried for, `patience` at most, and returns what the
/// last try came to: the kernel takes a killed process down behind its back, and until then that
/// holds its addresses and its locks.
pub(crate) fn while_held<R>(
    patience: Duration,
    mut attempt: impl FnMut() -> R,
    is_held: impl Fn(&R) -> bool,
) -> R {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        let result = attempt();
        if waited >= patience || !is_held(&result) {
            return result;
        }
        std::thread::sleep(PAUSE);
        waited += PAUSE;
    }
}

/// Waits for events: `timeout_ns` of `None` waits without end. EINTR counts as no event.
pub(crate) fn epoll_wait(
    epoll: BorrowedFd<'_>,
    events: &mut Vec<libc::epoll_event>,
    timeout_ns: Option<u64>,
) -> io::Result<()> {
    events.clear();
    let room = c_int::try_from(events.capacity()).unwrap_or(c_int::MAX);
    // Rounded up: waking before the deadline would only mean another wait.
    let timeout_ms = match timeout_ns {
        None => -1,
        Some(ns) => c_int::try_from(ns.div_ceil(1_000_000)).unwrap_or(c_int::MAX),
    };
    // SAFETY: the spare capacity is writable for `room` events for the length of the call.
    let answer =
        unsafe { libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr(), room, timeout_ms) };
    match check_int(answer) {
        Ok(count) => {
            // SAFETY: the kernel filled the first `count` of at most `room` events.
            unsafe { events.set_len(count) };
            Ok(())
        }
        Err(error) if error.raw_os_error() == Some(libc::EINTR) => Ok(()),
        Err(error) => Err(error),
    }
}

/// True if a call failed for want of descriptors or memory, so that it may work later.
pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    io_error(error).kind == IoErrorKind::Exhausted
}

/// Zeroed memory of its own pages, given back when dropped.
#[derive(Debug)]
pub(crate) struct Pages {
    address: *mut libc::c_void,
    bytes: usize,
}

// SAFETY: plain memory that belongs to no thread; who uses it brings the synchronisation.
unsafe impl Send for Pages {}
// SAFETY: as above; a shared `Pages` only tells its address.
unsafe impl Sync for Pages {}

impl Pages {
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        let (protection, flags) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing.
        let address = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, flags, -1, 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { address, bytes })
    }

    pub(crate) const fn address(&self) -> *mut libc::c_void {
        self.address
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and who holds pointers into it holds the `Pages` too.
        let answer = unsafe { libc::munmap(self.address, self.bytes) };
        debug_assert_eq!(answer, 0, "a mapping of ours can be unmapped");
    }
}

//! The two ring calls that the ring crate does not offer in the form we need.

use std::io;
use std::os::fd::RawFd;

use crate::sys::check;

/// What one enter call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// At most so long; `None` is without end.
    pub(crate) timeout_ns: Option<u64>,
    /// So many completions; 0 does not wait.
    pub(crate) want: u32,
    /// After so long, one completion is enough. 0 never settles for less than `want`.
    pub(crate) min_wait_us: u32,
}

/// `io_uring_getevents_arg` of the kernel's interface.
#[repr(C)]
struct GetEvents {
    sigmask: u64,
    sigmask_bytes: u32,
    min_wait_us: u32,
    timespec: u64,
}

/// `io_uring_rsrc_update` of the kernel's interface.
#[repr(C)]
struct ResourceUpdate {
    offset: u32,
    reserved: u32,
    data: u64,
}

const ENTER_GETEVENTS: u32 = 1;
const ENTER_EXT_ARG: u32 = 1 << 3;
const ENTER_REGISTERED_RING: u32 = 1 << 4;
const REGISTER_RING_FDS: libc::c_long = 20;

/// Submits `entries` and waits. Deferred work is run in any case.
pub(crate) fn enter(
    fd: RawFd,
    registered: Option<u32>,
    entries: u32,
    wait: &Wait,
) -> io::Result<usize> {
    let mut flags = ENTER_GETEVENTS;
    let mut number = i64::from(fd);
    if let Some(index) = registered {
        flags |= ENTER_REGISTERED_RING;
        number = i64::from(index);
    }
    if wait.want == 0 {
        let none = std::ptr::null::<GetEvents>();
        // SAFETY: without an argument the call touches only the ring's own memory.
        let answer =
            unsafe { libc::syscall(libc::SYS_io_uring_enter, number, entries, 0, flags, none, 0) };
        return check(isize::try_from(answer).unwrap_or(-1));
    }
    let ns = wait.timeout_ns.unwrap_or(0);
    let timespec = libc::timespec {
        tv_sec: i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(ns % 1_000_000_000).unwrap_or(0),
    };
    let address = (&raw const timespec).addr() as u64;
    let argument = GetEvents {
        sigmask: 0,
        sigmask_bytes: 0,
        min_wait_us: wait.min_wait_us,
        timespec: if wait.timeout_ns.is_some() { address } else { 0 },
    };
    // SAFETY: the argument and the timespec it points to have the kernel's layout and outlive the
    // call; nothing else is passed by address.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_io_uring_enter,
            number,
            entries,
            wait.want,
            flags | ENTER_EXT_ARG,
            &raw const argument,
            size_of::<GetEvents>(),
        )
    };
    check(isize::try_from(answer).unwrap_or(-1))
}

/// Registers a ring with the calling thread; `None` where the kernel cannot. It is forgotten with
/// the thread.
pub(crate) fn register_ring(fd: RawFd) -> Option<u32> {
    let mut update =
        ResourceUpdate { offset: u32::MAX, reserved: 0, data: u64::try_from(fd).ok()? };
    // SAFETY: `update` has the kernel's layout, is one element as the count says, and outlives the
    // call, which writes the index to it.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            i64::from(fd),
            REGISTER_RING_FDS,
            &raw mut update,
            1,
        )
    };
    (answer == 1).then_some(update.offset)
}

/// Takes a registration back.
pub(crate) fn unregister_ring(fd: RawFd, index: u32) {
    let update = ResourceUpdate { offset: index, reserved: 0, data: 0 };
    // SAFETY: as in `register_ring`; the call only reads.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            i64::from(fd),
            UNREGISTER_RING_FDS,
            &raw const update,
            1,
        )
    };
    debug_assert_eq!(answer, 1, "what was registered can be unregistered");
}

const UNREGISTER_RING_FDS: libc::c_long = 21;

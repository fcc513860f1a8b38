//! The process and its threads: affinity, signals, resource usage.

use std::io;

use super::{check_int, errno};

/// Pins the calling thread to a CPU.
pub fn pin_thread(cpu: usize) -> io::Result<()> {
    if cpu >= libc::CPU_SETSIZE as usize {
        return Err(errno(libc::EINVAL));
    }
    // SAFETY: an all-zero cpu_set_t is the empty set.
    let mut set = unsafe { std::mem::zeroed::<libc::cpu_set_t>() };
    // SAFETY: `cpu` was checked against the set's size.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: `set` outlives the call and its size is the one passed; 0 is the calling thread.
    let answer = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    check_int(answer).map(drop)
}

/// Makes the calling thread nicer than the others: it gives way to them where they meet.
pub(crate) fn be_nice(niceness: i32) -> io::Result<()> {
    // SAFETY: a call without pointers; on Linux, 0 means the calling thread alone.
    check_int(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, niceness) }).map(drop)
}

/// Lets the calling thread run only where no other wants to, and its reads come behind those of
/// others, as far as the device's scheduler minds. It cannot be taken back without privileges.
pub(crate) fn become_idle() -> io::Result<()> {
    let param = libc::sched_param { sched_priority: 0 };
    // SAFETY: `param` is valid for the length of the call; 0 is the calling thread.
    check_int(unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const param) })?;
    // SAFETY: a call without pointers; 0 is the calling thread. Its answer matters to nobody.
    let _hint = unsafe { libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE) };
    Ok(())
}

/// Of `ioprio_set(2)`, which libc does not know.
const IOPRIO_WHO_PROCESS: libc::c_int = 1;
/// The class "idle".
const IOPRIO_IDLE: libc::c_int = 3 << 13;

/// CPU time of the calling thread, ns.
pub(crate) fn thread_cpu_ns() -> u64 {
    super::clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// CPU time and faults of the whole process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU time in user mode, ns.
    pub user_ns: u64,
    /// CPU time in the kernel, the ring's worker threads included, ns.
    pub system_ns: u64,
    /// The most memory that was ever resident, bytes.
    pub resident_bytes_max: u64,
    /// Page faults served without the disk.
    pub minor_faults: u64,
    /// Page faults that read the disk.
    pub major_faults: u64,
    /// Times a thread gave up its CPU to wait.
    pub voluntary_switches: u64,
    /// Times a thread lost its CPU to another.
    pub involuntary_switches: u64,
}

/// What the process has used up to now.
pub fn usage() -> Usage {
    // SAFETY: an all-zero rusage is a valid value of its plain integers.
    let mut raw = unsafe { std::mem::zeroed::<libc::rusage>() };
    // SAFETY: `raw` is valid for a write of one rusage for the length of the call.
    let answer = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut raw) };
    assert_eq!(answer, 0, "RUSAGE_SELF is always known");
    let ns = |time: libc::timeval| time.tv_sec as u64 * 1_000_000_000 + time.tv_usec as u64 * 1000;
    Usage {
        user_ns: ns(raw.ru_utime),
        system_ns: ns(raw.ru_stime),
        resident_bytes_max: raw.ru_maxrss as u64 * 1024,
        minor_faults: raw.ru_minflt as u64,
        major_faults: raw.ru_majflt as u64,
        voluntary_switches: raw.ru_nvcsw as u64,
        involuntary_switches: raw.ru_nivcsw as u64,
    }
}

/// CPU time a process has used up to now, its threads, ended ones and the ring's workers included,
/// ns; exact where /proc rounds to 10 ms. A thread that runs this moment may be short of its last
/// tick.
///
/// The clock's number is what `clock_getcpuclockid(3)` computes.
pub fn process_cpu_ns(pid: u32) -> io::Result<u64> {
    let clock = libc::clockid_t::try_from(pid).map_or(0, |pid| (!pid << 3) | 2);
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid timespec for the length of the call.
    check_int(unsafe { libc::clock_gettime(clock, &raw mut time) })?;
    Ok(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
}

/// Memory of the process that is resident now, bytes; 0 if /proc does not say.
pub fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1)?.parse::<u64>().ok());
    // SAFETY: no memory is passed.
    let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages.unwrap_or(0) * u64::try_from(page_bytes).unwrap_or(4096)
}

fn stop_signals() -> libc::sigset_t {
    // SAFETY: sigemptyset below makes it a valid set; zero is one on Linux already.
    let mut set = unsafe { std::mem::zeroed::<libc::sigset_t>() };
    // SAFETY: `set` is valid for the length of the call.
    unsafe { libc::sigemptyset(&raw mut set) };
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: `set` is valid for the length of the call and the signal is a known one.
        unsafe { libc::sigaddset(&raw mut set, signal) };
    }
    set
}

/// Holds SIGTERM and SIGINT back in the calling thread and those it starts from now on, so that
/// [`wait_stop_signal`] gets them. Call it before any thread is made.
pub fn block_stop_signals() -> io::Result<()> {
    let set = stop_signals();
    // SAFETY: `set` is valid for the length of the call; the old mask is not asked for.
    let answer =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
    if answer == 0 { Ok(()) } else { Err(errno(answer)) }
}

/// Waits for SIGTERM or SIGINT and returns its number.
pub fn wait_stop_signal() -> io::Result<i32> {
    let set = stop_signals();
    let mut signal = 0;
    // SAFETY: both pointers are valid for the length of the call.
    let answer = unsafe { libc::sigwait(&raw const set, &raw mut signal) };
    if answer == 0 { Ok(signal) } else { Err(errno(answer)) }
}

/// Lets writes to a closed socket fail with EPIPE instead of ending the process. `sendfile` has no
/// flag for it.
pub fn ignore_broken_pipes() {
    // SAFETY: SIG_IGN is no handler of ours, so nothing runs in signal context.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

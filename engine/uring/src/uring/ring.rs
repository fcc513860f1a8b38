//! One shard's ring: set-up, submission of flights, the one enter of a turn.

use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::sync::Arc;

use io_uring::{IoUring, cqueue, opcode, squeue, types};

use super::flight::Flight;
use super::raw::{self, Wait};
use crate::counters::Counters;
use crate::table::{Key, Table};

pub(crate) struct Ring {
    io: IoUring,
    pub(crate) flights: Table<Launched>,
    counters: Arc<Counters>,
    /// Completions read and not yet looked at.
    reaped: Vec<cqueue::Entry>,
    /// Enter calls so far.
    enters: u64,
    /// Entries pushed since the last enter.
    pushed: u32,
    batching: Option<Batching>,
    wake_failed: bool,
    /// Sends launched since the last enter.
    sends: usize,
    /// See [`crate::DriverConfig::sent_wait_us`]; 0 if the kernel cannot.
    sent_wait_us: u32,
    /// The ring's number in the thread's table of registered rings, which saves the kernel looking
    /// the descriptor up.
    registered: Option<u32>,
}

/// Wait under load: up to `wait_us` for `completions`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batching {
    pub(crate) wait_us: u32,
    pub(crate) completions: u16,
}

/// A flight and the enter call that will submit it.
#[derive(Debug)]
pub(crate) struct Launched {
    pub(crate) flight: Flight,
    enter: u64,
}

/// Submission entries of a ring; more in one turn means one enter call more.
const ENTRIES: u32 = 1024;
/// Completion entries: multishot operations complete many times.
const COMPLETIONS: u32 = 8192;

/// User data of a wake-up, on the ring that receives it.
const WAKE: u64 = u64::MAX;
/// User data of cancellations. That there was nothing left to cancel is no failure.
const UNANSWERED: u64 = u64::MAX - 1;
/// User data of wake-ups sent, on the ring that sends them; completed only by failures.
const WAKE_FAILED: u64 = u64::MAX - 2;

/// Makes a ring with the best set of flags the kernel takes, and says which.
pub(crate) fn build() -> io::Result<(IoUring, &'static str)> {
    let mut builder = IoUring::builder();
    builder.setup_cqsize(COMPLETIONS).setup_clamp().dontfork();
    let best = builder
        .clone()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_coop_taskrun()
        .setup_taskrun_flag()
        .setup_no_sqarray()
        .build(ENTRIES);
    let refused = match best {
        Ok(io) => return Ok((io, "single issuer, deferred task work, no SQ array")),
        Err(error) => error,
    };
    // A flag the kernel does not know is EINVAL; anything else is a refusal of rings as such.
    if refused.raw_os_error() != Some(libc::EINVAL) {
        return Err(refused);
    }
    let deferred = builder
        .clone()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_taskrun_flag()
        .build(ENTRIES);
    match deferred {
        Ok(io) => Ok((io, "single issuer, deferred task work")),
        Err(_) => {
            let io = builder.setup_coop_taskrun().setup_taskrun_flag().build(ENTRIES)?;
            Ok((io, "cooperative task work"))
        }
    }
}

impl Ring {
    pub(crate) fn new(
        counters: Arc<Counters>,
        batching: Option<Batching>,
        sent_wait_us: u32,
    ) -> io::Result<Self> {
        let (io, _) = build()?;
        let has_min_wait = io.params().is_feature_min_timeout();
        let registered = raw::register_ring(io.as_raw_fd());
        Ok(Self {
            io,
            flights: Table::new(),
            counters,
            reaped: Vec::new(),
            enters: 0,
            pushed: 0,
            batching: batching.filter(|_| has_min_wait),
            wake_failed: false,
            sends: 0,
            sent_wait_us: if has_min_wait { sent_wait_us } else { 0 },
            registered,
        })
    }

    pub(crate) const fn io(&self) -> &IoUring {
        &self.io
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.io.as_raw_fd()
    }

    /// Gives the kernel an operation. What it points to stays in the table until its last
    /// completion.
    pub(crate) fn launch(&mut self, flight: Flight) -> Key {
        let key = self.flights.insert(Launched { flight, enter: self.enters });
        self.launch_again(key);
        key
    }

    /// Gives the kernel a flight of the table anew, to go on where it stopped.
    pub(crate) fn launch_again(&mut self, key: Key) {
        let launched = self.flights.get_mut(key).expect("the flight is in the table");
        launched.enter = self.enters;
        self.sends += usize::from(matches!(launched.flight, Flight::Send { .. }));
        let entry = launched.flight.entry().user_data(user_data(key));
        // SAFETY: the entry points to heap memory owned by the flight (buffers, vectors, headers:
        // none of it inline in the enum) and to descriptors it keeps open. The flight stays in the
        // table, untouched, until `take_last` removes it upon its final completion.
        unsafe { self.push(&entry) };
    }

    /// Cancels a flight. It completes still, with what it had or with ECANCELED.
    pub(crate) fn cancel(&mut self, key: Key) {
        let entry = opcode::AsyncCancel::new(user_data(key)).build();
        self.push_unanswered(entry);
    }

    /// Cancels all flights on a descriptor.
    pub(crate) fn cancel_on(&mut self, fd: RawFd) {
        let all = types::CancelBuilder::fd(types::Fd(fd)).all();
        self.push_unanswered(opcode::AsyncCancel2::new(all).build());
    }

    /// Wakes the shard that sleeps in the ring `fd`.
    pub(crate) fn wake(&mut self, fd: RawFd) {
        let entry = opcode::MsgRingData::new(types::Fd(fd), 0, WAKE, None).build();
        self.push_silent(entry, WAKE_FAILED);
    }

    /// True if a wake-up did not reach its shard since this was last asked.
    pub(crate) const fn take_wake_failed(&mut self) -> bool {
        std::mem::replace(&mut self.wake_failed, false)
    }

    fn push_unanswered(&mut self, entry: squeue::Entry) {
        self.push_silent(entry, UNANSWERED);
    }

    fn push_silent(&mut self, entry: squeue::Entry, user_data: u64) {
        let entry = entry.user_data(user_data).flags(squeue::Flags::SKIP_SUCCESS);
        // SAFETY: the callers' entries point to no memory.
        unsafe { self.push(&entry) };
    }

    /// Puts an entry into the submission queue, entering the kernel first if there is no room.
    ///
    /// # Safety
    ///
    /// What the entry points to must stay valid until the operation's last completion.
    unsafe fn push(&mut self, entry: &squeue::Entry) {
        self.counters.sqes.bump();
        self.pushed += 1;
        // SAFETY: handed on to the caller.
        if unsafe { self.io.submission().push(entry) }.is_ok() {
            return;
        }
        self.counters.enters.bump();
        self.enters += 1;
        // EBUSY (completions overflow) is mended by reading them; the queue is then still full.
        while self.io.submit().is_err() || self.io.submission().is_full() {
            self.reap();
            self.counters.enters.bump();
        }
        // SAFETY: handed on to the caller.
        let pushed = unsafe { self.io.submission().push(entry) };
        assert!(pushed.is_ok(), "the kernel took all entries, and yet there is no room");
    }

    /// Submits what was pushed and waits: for nothing (`Some(0)`), for so many nanoseconds, or
    /// without end (`None`). Then reads the completions.
    pub(crate) fn enter(&mut self, timeout_ns: Option<u64>) -> io::Result<()> {
        if timeout_ns == Some(0) && self.pushed == 0 {
            let queue = self.io.submission();
            if !queue.taskrun() && !queue.cq_overflow() {
                // The kernel has nothing for us that it has not put before us already.
                drop(queue);
                self.reap();
                return Ok(());
            }
        }
        self.counters.enters.bump();
        self.enters += 1;
        self.pushed = 0;
        let sends = std::mem::take(&mut self.sends);
        let mut wait = Wait { timeout_ns, want: 1, min_wait_us: 0 };
        if timeout_ns == Some(0) {
            wait.want = 0;
        } else if let Some(batching) = self.batching {
            wait.want = u32::from(batching.completions);
            wait.min_wait_us = batching.wait_us;
        } else if self.sent_wait_us > 0 {
            // The wait is for one completion beyond those of the sends, for a while.
            let sends = u32::try_from(sends).unwrap_or(u32::MAX).min(COMPLETIONS / 4);
            wait.want = 1 + sends;
            wait.min_wait_us = if sends > 0 { self.sent_wait_us } else { 0 };
        }
        let entries = u32::try_from(self.io.submission().len()).unwrap_or(u32::MAX);
        let result = raw::enter(self.io.as_raw_fd(), self.registered, entries, &wait);
        self.reap();
        match result {
            Ok(_) => Ok(()),
            Err(error)
                if matches!(
                    error.raw_os_error(),
                    Some(libc::ETIME | libc::EINTR | libc::EBUSY | libc::EAGAIN)
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn reap(&mut self) {
        self.reaped.extend(self.io.completion());
    }

    /// The completions read, in order, without those nobody asked for.
    pub(crate) fn take_reaped(&mut self) -> Vec<cqueue::Entry> {
        self.counters.cqes.add(self.reaped.len() as u64);
        let failed = &mut self.wake_failed;
        self.reaped.retain(|entry| {
            *failed |= entry.user_data() == WAKE_FAILED;
            entry.user_data() < WAKE_FAILED
        });
        std::mem::take(&mut self.reaped)
    }

    /// Gives the vector of [`Self::take_reaped`] back for reuse.
    pub(crate) fn give_back(&mut self, mut entries: Vec<cqueue::Entry>) {
        entries.clear();
        if self.reaped.is_empty() {
            self.reaped = entries;
        }
    }

    /// True if the operation took longer than the call that submitted it.
    pub(crate) fn was_punted(&mut self, key: Key) -> bool {
        let enters = self.enters;
        self.flights.get_mut(key).is_some_and(|launched| launched.enter + 1 < enters)
    }

    /// Cancels everything and waits until the kernel has let go of it all. What it does not let go
    /// of in time is leaked: it may still write there.
    pub(crate) fn shut_down(&mut self, mut on_accepted: impl FnMut(i32)) {
        let deadline = crate::sys::mono().plus_ms(SHUT_DOWN_MS);
        while self.flights.len() > 0 {
            let any = opcode::AsyncCancel2::new(types::CancelBuilder::any()).build();
            self.push_unanswered(any);
            if self.enter(Some(SHUT_DOWN_STEP_NS)).is_err() || crate::sys::mono() > deadline {
                std::mem::forget(std::mem::replace(&mut self.flights, Table::new()));
                return;
            }
            for entry in self.take_reaped() {
                let key = key_of(entry.user_data());
                let accepted = self
                    .flights
                    .get_mut(key)
                    .is_some_and(|launched| matches!(launched.flight, Flight::Accept { .. }));
                if accepted {
                    on_accepted(entry.result());
                }
                if !cqueue::more(entry.flags()) {
                    self.flights.remove(key);
                }
            }
        }
    }
}

/// How long a ring that ends waits for its operations. A sync on a slow disk can take this long.
const SHUT_DOWN_MS: u64 = 5_000;
const SHUT_DOWN_STEP_NS: u64 = 50_000_000;

fn user_data(key: Key) -> u64 {
    u64::from(key.generation) << 32 | u64::from(key.slot)
}

pub(crate) const fn key_of(user_data: u64) -> Key {
    Key { slot: (user_data & 0xffff_ffff) as u32, generation: (user_data >> 32) as u32 }
}

impl Drop for Ring {
    fn drop(&mut self) {
        if let Some(index) = self.registered {
            raw::unregister_ring(self.fd(), index);
        }
    }
}

impl std::fmt::Debug for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("fd", &self.fd()).finish_non_exhaustive()
    }
}

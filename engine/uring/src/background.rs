//! What is in no hurry: pieces of compactions are computed, read and written here.
//!
//! Two threads with one queue, so that work neither stands in the way of a shard nor stands still:
//!
//! ```text
//!             idle thread: SCHED_IDLE, runs where nobody else wants to; a shard that wakes takes its
//!  queue ──▶               CPU at once, while among equals it might wait for some milliseconds
//!             nice thread: takes over while the idle one is starved, on a machine without idle time
//! ```
//!
//! They are started with the helpers, not by the first shard that has work: a thread runs where the
//! one that made it may run, and shards are pinned.
//!
//! A computation that panics ends its thread and nothing else ([`containment`]): its op fails, and a
//! new thread takes the dead one's place. One that died keeps what it held, so that the process ends
//! with the next one after [`DEATHS_MAX`].

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, BorrowedFd};
#[cfg(feature = "faults")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use bytes::Bytes;
use millrace_io::{BufferPool, FileRef, IoError, IoErrorKind, Mono, Token, Work};

use crate::bell::{FileDone, Inbox, Outcome};
use crate::files::{self, Cursor, FileHandle, PAGE_BYTES, handle, slices};
use crate::{containment, sys};

/// How much nicer than a shard the nice thread is: a busy shard keeps nine tenths of a CPU they
/// share, and work still gets done on a machine that has no idle one.
const NICENESS: i32 = 10;
/// A computation that took so much longer than its own CPU time says that there is no idle time, ns.
const STARVED_NS: u64 = 25_000_000;
/// After so long the idle thread is tried again, ns.
const STARVED_FOR_NS: u64 = 1_000_000_000;

/// The most that one system call reads or writes. A kernel without preemption does not take the CPU away
/// while it copies: a shard that wakes waits for that, and for the memory of pages that are all new,
/// which takes a virtual machine's host ten times as long as copying does.
const PIECE_BYTES: usize = 16 << 10;
/// The most that one system call forgets.
const FORGET_BYTES: u64 = 512 << 10;

/// So many threads are replaced. A log that killed one is not compacted again, so these are many.
const DEATHS_MAX: u32 = 32;

/// What is done behind.
#[derive(Debug)]
pub(crate) enum Behind {
    Compute(Work),
    Read { file: FileRef, position: u64, length: u32 },
    Write { file: FileRef, position: u64, chunks: Vec<Bytes> },
}

#[derive(Debug)]
enum Job {
    Task { inbox: Arc<Inbox>, token: Token, task: Behind, since: Mono },
    Forget { file: FileRef, position: u64, length: u64 },
}

/// The threads and their queue.
#[derive(Debug)]
pub(crate) struct Background {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Each thread waits on its own.
    more: [Condvar; 2],
    /// A thread has ended.
    gone: Condvar,
    pool: BufferPool,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Threads that have not ended.
    alive: u32,
    deaths: u32,
    /// Until then the nice thread works.
    starved_until: Mono,
    is_closing: bool,
}

impl Queue {
    /// Whose turn it is.
    fn lane(&self) -> Lane {
        if sys::mono() < self.starved_until { Lane::Nice } else { Lane::Idle }
    }
}

/// Which of the two threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Idle = 0,
    Nice = 1,
}

impl Background {
    /// Starts the threads.
    pub(crate) fn start(pool: BufferPool) -> io::Result<Self> {
        containment::install();
        let shared = Arc::new(Shared::new(pool));
        shared.spawn(Lane::Idle)?;
        shared.spawn(Lane::Nice)?;
        Ok(Self { shared })
    }

    /// Queues a task; its outcome comes to `inbox`.
    pub(crate) fn submit(&self, inbox: &Arc<Inbox>, token: Token, task: Behind) {
        let inbox = Arc::clone(inbox);
        self.push(Job::Task { inbox, token, task, since: sys::mono() });
    }

    /// Lets the page cache forget a range, unless it was in it before it was read from behind.
    pub(crate) fn forget(&self, file: FileRef, position: u64, length: u64) {
        self.push(Job::Forget { file, position, length });
    }

    fn push(&self, job: Job) {
        let mut queue = self.shared.lock();
        queue.jobs.push_back(job);
        let lane = queue.lane();
        drop(queue);
        self.shared.more(lane).notify_one();
    }

    /// Ends the threads after what they are at; what is queued is dropped, unanswered.
    pub(crate) fn close(&self) {
        let mut queue = self.shared.lock();
        queue.is_closing = true;
        queue.jobs.clear();
        for lane in [Lane::Idle, Lane::Nice] {
            self.shared.more(lane).notify_one();
        }
        while queue.alive > 0 {
            queue = self.shared.gone.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    fn new(pool: BufferPool) -> Self {
        let more = [Condvar::new(), Condvar::new()];
        Self { queue: Mutex::default(), more, gone: Condvar::new(), pool }
    }

    fn spawn(self: &Arc<Self>, lane: Lane) -> io::Result<()> {
        let name = match lane {
            Lane::Idle => "millrace-idle",
            Lane::Nice => "millrace-nice",
        };
        // Before it runs: it may be at its end before this one goes on.
        self.lock().alive += 1;
        let runner = Arc::clone(self);
        let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || runner.run(lane));
        spawned.map(drop).inspect_err(|_| self.leave())
    }

    /// The thread that calls it dies: another takes its place, and what it was at fails. False if none
    /// can.
    fn bury(self: &Arc<Self>, lane: Lane, inbox: &Inbox, token: Token) -> bool {
        let mut queue = self.lock();
        queue.deaths += 1;
        let is_one_too_many = queue.deaths > DEATHS_MAX;
        drop(queue);
        // If all are being ended, the new one ends at once.
        if is_one_too_many || self.spawn(lane).is_err() {
            return false;
        }
        inbox.deliver(FileDone { token, outcome: Outcome::Computed(Err(DIED)) });
        self.leave();
        true
    }

    /// A thread ends.
    fn leave(&self) {
        self.lock().alive -= 1;
        self.gone.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(self: &Arc<Self>, lane: Lane) {
        // Without the permission to stand back it works all the same.
        match lane {
            Lane::Idle => drop(sys::become_idle().or_else(|_| sys::be_nice(NICENESS))),
            Lane::Nice => drop(sys::be_nice(NICENESS)),
        }
        let mut queue = self.lock();
        loop {
            if queue.is_closing {
                drop(queue);
                self.leave();
                return;
            }
            if queue.jobs.is_empty() {
                queue = self.wait(lane, queue);
                continue;
            }
            if queue.lane() != lane {
                // It may have become the other one's while this thread was being woken.
                self.more(queue.lane()).notify_one();
                queue = self.wait(lane, queue);
                continue;
            }
            let Some(job) = queue.jobs.pop_front() else { continue };
            drop(queue);
            let is_starved = self.run_job(lane, job);
            queue = self.lock();
            if is_starved && lane == Lane::Idle {
                queue.starved_until = Mono(sys::mono().0 + STARVED_FOR_NS);
            }
        }
    }

    const fn more(&self, lane: Lane) -> &Condvar {
        &self.more[lane as usize]
    }

    fn wait<'a>(&self, lane: Lane, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        self.more(lane).wait(queue).unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a job. True if the thread got too little of the CPU for it.
    fn run_job(self: &Arc<Self>, lane: Lane, job: Job) -> bool {
        match job {
            Job::Forget { file, position, length } => {
                let handle = handle(&file);
                if !handle.was_cached() {
                    // Only whole pages are forgotten: the first one was in part the range's before.
                    let from = position - position % PAGE_BYTES;
                    for (position, length) in slices(from, position + length, FORGET_BYTES) {
                        files::give_way();
                        drop(sys::advise(handle.as_fd(), position, length, sys::Advice::Drop));
                    }
                }
                false
            }
            Job::Task { inbox, token, task, since } => {
                // The others wait for the disk as well.
                let is_told = matches!(task, Behind::Compute(_));
                let cpu = sys::thread_cpu_ns();
                let outcome = self.run_task(lane, task, (&inbox, token));
                let used = sys::thread_cpu_ns() - cpu;
                let took = sys::mono().since(since);
                inbox.deliver(FileDone { token, outcome });
                is_told && took.saturating_sub(used) > STARVED_NS
            }
        }
    }

    /// - `asker`: whom to tell if a computation kills this thread.
    fn run_task(
        self: &Arc<Self>,
        lane: Lane,
        task: Behind,
        asker: (&Arc<Inbox>, Token),
    ) -> Outcome {
        match task {
            Behind::Compute(work) => {
                let (shared, inbox, token) = (Arc::clone(self), Arc::clone(asker.0), asker.1);
                let will = Box::new(move || shared.bury(lane, &inbox, token));
                Outcome::Computed(Ok(containment::run(will, || {
                    #[cfg(feature = "faults")]
                    die_if_asked();
                    work.run()
                })))
            }
            Behind::Read { file, position, length } => {
                let handle = handle(&file);
                handle.begin_behind();
                let read = self.read(handle, position, length as usize);
                Outcome::Read(read.map_err(|error| sys::io_error(&error)))
            }
            Behind::Write { file, position, chunks } => {
                let fd = handle(&file).as_fd();
                let result = write(fd, &chunks, position);
                Outcome::Wrote(chunks, result.map_err(|error| sys::io_error(&error)))
            }
        }
    }

    /// Reads a range in pieces.
    fn read(&self, file: &FileHandle, position: u64, length: usize) -> io::Result<Bytes> {
        let mut buffer = self.pool.take(length);
        let bytes = buffer.as_mut_vec();
        loop {
            files::give_way();
            let until = length.min(bytes.len() + PIECE_BYTES);
            file.read_ahead(position + bytes.len() as u64..position + until as u64);
            files::read_rest(file.as_fd(), position, until, bytes)?;
            if bytes.len() < until || until == length {
                return Ok(buffer.freeze());
            }
        }
    }
}

/// Writes chunks one behind the other, in pieces.
fn write(fd: BorrowedFd<'_>, chunks: &[Bytes], mut position: u64) -> io::Result<()> {
    let mut piece = Vec::new();
    let mut bytes = 0;
    for chunk in chunks {
        let mut rest = chunk.clone();
        while !rest.is_empty() {
            let part = rest.split_to(rest.len().min(PIECE_BYTES - bytes));
            bytes += part.len();
            piece.push(part);
            if bytes == PIECE_BYTES {
                write_piece(fd, &mut piece, position)?;
                position += bytes as u64;
                bytes = 0;
            }
        }
    }
    write_piece(fd, &mut piece, position)
}

fn write_piece(fd: BorrowedFd<'_>, piece: &mut Vec<Bytes>, position: u64) -> io::Result<()> {
    files::give_way();
    let (_, result) = files::write_all(fd, piece, Cursor::default(), position);
    piece.clear();
    result
}

/// Panics if this is the computation of the process, counted from 1, that `MILLRACE_FAULT_COMPUTE`
/// names.
#[cfg(feature = "faults")]
fn die_if_asked() {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let asked = std::env::var("MILLRACE_FAULT_COMPUTE").ok().and_then(|text| text.parse().ok());
    assert!(asked != Some(number), "MILLRACE_FAULT_COMPUTE asks for it");
}

/// Whoever computed panicked over it.
const DIED: IoError = IoError { kind: IoErrorKind::Other, errno: 0 };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helpers::HelpersGuard;
    use millrace_io::{Completion, OpenMode};

    fn computed(inbox: &Inbox) -> Vec<Completion<()>> {
        let mut completions = Vec::new();
        while completions.is_empty() {
            inbox.drain(&mut completions);
            thread::yield_now();
        }
        completions
    }

    #[test]
    fn pieces_put_together_are_what_was_written() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("pieces");
        let pool = BufferPool::new(1 << 20);
        let helpers = HelpersGuard::start(2, pool.clone()).expect("threads");
        let open = |mode| files::open(&path, mode, &helpers.helpers).expect("a file").0;
        let file = open(OpenMode::Create);
        let shared = Shared::new(pool);
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|index| (index % 251) as u8).collect();
        let all = Bytes::from(bytes);
        for cuts in [vec![], vec![1, 2, 61], vec![PIECE_BYTES], vec![PIECE_BYTES - 1, 200_000]] {
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([all.len()]) {
                chunks.push(all.slice(from..cut));
                from = cut;
            }
            write(handle(&file).as_fd(), &chunks, 7).expect("written");
            // Out of the page cache, so that what is read comes by way of reading ahead.
            sys::sync_data(handle(&file).as_fd()).expect("synced");
            sys::advise(handle(&file).as_fd(), 0, 0, sys::Advice::Drop).expect("advised");
            // It knows how long the file is now.
            let known = open(OpenMode::Read);
            for file in [&known, &file] {
                let read =
                    |position, length| shared.read(handle(file), position, length).expect("read");
                assert_eq!(read(7, all.len()), all);
                assert_eq!(read(107, PIECE_BYTES), all.slice(100..100 + PIECE_BYTES));
                assert_eq!(read(7, 1 << 22), all, "no more than there is");
                assert!(read(3_000_007, 10).is_empty());
            }
            sys::truncate(handle(&file).as_fd(), 0).expect("emptied");
        }
    }

    #[test]
    fn while_the_idle_thread_is_starved_the_nice_one_works() {
        let background = Background::start(BufferPool::new(1 << 20)).expect("threads");
        let inbox = Arc::new(Inbox::new().expect("an event"));
        let name = |(): ()| thread::current().name().map(str::to_owned);
        let mut seen = Vec::new();
        for starved_until in [Mono(u64::MAX), Mono(0)] {
            background.shared.lock().starved_until = starved_until;
            let token = Token { owner: 1, seq: 1 };
            background.submit(&inbox, token, Behind::Compute(Work::new((), name)));
            for completion in computed(&inbox) {
                let Completion::Computed { result: Ok(computed), .. } = completion else {
                    panic!("{completion:?}");
                };
                seen.extend(computed.take::<Option<String>>().flatten());
            }
        }
        background.close();
        assert_eq!(seen, ["millrace-nice", "millrace-idle"]);
    }
}

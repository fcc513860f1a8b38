//! A few threads per process for file operations that can take long.
//!
//! Two lanes: *quick* (open, rename, sync, …) and *cold* (reads that go to the disk). Cold jobs take
//! at most half the threads, so that one backfill never keeps a sync or an open waiting.

use std::collections::VecDeque;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{io, mem, thread};

use bytes::Bytes;
use millrace_io::{BufferPool, FileRef, OpenMode, Token};

use crate::background::{Background, Behind};
use crate::bell::{FileDone, Inbox, Outcome};
use crate::files::{self, Cursor, handle, slices};
use crate::sys;

/// A job and whom to tell.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) token: Token,
    pub(crate) task: Task,
}

/// The file operations as helper threads know them; see [`millrace_io::Op`].
#[derive(Debug)]
pub(crate) enum Task {
    Open(PathBuf, OpenMode),
    Read { file: FileRef, position: u64, length: u32 },
    Write { file: FileRef, position: u64, chunks: Vec<Bytes> },
    Sync(FileRef),
    Prefetch { file: FileRef, position: u64, length: u64 },
    Allocate { file: FileRef, position: u64, length: u64 },
    Truncate { file: FileRef, length: u64 },
    ReadWhole(PathBuf, u32),
    WriteWhole(PathBuf, Bytes),
    Rename { from: PathBuf, to: PathBuf },
    Remove(PathBuf),
    Touch(PathBuf),
    MakeDir { path: PathBuf, is_new: bool },
    SyncDir(PathBuf),
    List(PathBuf),
}

/// A job without an answer.
#[derive(Debug)]
pub(crate) enum Chore {
    Close(OwnedFd),
    Writeback { file: FileRef, position: u64, length: u64 },
}

/// The threads' queue.
#[derive(Debug)]
pub(crate) struct Helpers {
    queue: Mutex<Queue>,
    work: Condvar,
    pool: BufferPool,
    cold_max: usize,
    background: Background,
}

#[derive(Debug, Default)]
struct Queue {
    quick: VecDeque<Job>,
    cold: VecDeque<Job>,
    chores: VecDeque<Chore>,
    cold_running: usize,
    closing: bool,
}

/// Ends the threads when dropped, after what is queued was done.
#[derive(Debug)]
pub(crate) struct HelpersGuard {
    pub(crate) helpers: Arc<Helpers>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl HelpersGuard {
    /// Starts `count` threads (at least two: one for each lane).
    pub(crate) fn start(count: usize, pool: BufferPool) -> io::Result<Self> {
        files::keep_spare();
        let count = count.max(2);
        let helpers = Arc::new(Helpers {
            queue: Mutex::default(),
            work: Condvar::new(),
            background: Background::start(pool.clone())?,
            pool,
            cold_max: count / 2,
        });
        let threads = (0..count).map(|index| {
            let helpers = Arc::clone(&helpers);
            let name = format!("millrace-file-{index}");
            thread::Builder::new().name(name).spawn(move || helpers.run())
        });
        let threads = threads.collect::<io::Result<Vec<_>>>()?;
        Ok(Self { helpers, threads })
    }
}

impl Drop for HelpersGuard {
    fn drop(&mut self) {
        self.helpers.lock().closing = true;
        self.helpers.work.notify_all();
        self.helpers.background.close();
        for thread in mem::take(&mut self.threads) {
            // A helper that panicked has told so already; the others are still to be waited for.
            let _ = thread.join();
        }
    }
}

impl Helpers {
    /// Queues a turn's jobs.
    pub(crate) fn submit(&self, jobs: &mut Vec<Job>) {
        let count = jobs.len();
        if count == 0 {
            return;
        }
        let mut queue = self.lock();
        for job in jobs.drain(..) {
            match job.task {
                Task::Read { .. } | Task::Prefetch { .. } => queue.cold.push_back(job),
                Task::Open(..)
                | Task::Write { .. }
                | Task::Sync(_)
                | Task::Allocate { .. }
                | Task::Truncate { .. }
                | Task::ReadWhole(..)
                | Task::WriteWhole(..)
                | Task::Rename { .. }
                | Task::Remove(_)
                | Task::Touch(_)
                | Task::MakeDir { .. }
                | Task::SyncDir(_)
                | Task::List(_) => queue.quick.push_back(job),
            }
        }
        drop(queue);
        if count == 1 {
            self.work.notify_one();
        } else {
            self.work.notify_all();
        }
    }

    /// Queues a job nobody waits for.
    pub(crate) fn chore(&self, chore: Chore) {
        let mut queue = self.lock();
        if queue.closing {
            drop(queue);
            run_chore(chore);
            return;
        }
        queue.chores.push_back(chore);
        drop(queue);
        self.work.notify_one();
    }

    /// Queues what is in no hurry.
    pub(crate) fn behind(&self, inbox: &Arc<Inbox>, token: Token, task: Behind) {
        self.background.submit(inbox, token, task);
    }

    /// Lets the page cache forget a range, behind what is queued in the background.
    pub(crate) fn forget(&self, file: FileRef, position: u64, length: u64) {
        self.background.forget(file, position, length);
    }

    /// Closes a file.
    pub(crate) fn close(&self, fd: OwnedFd) {
        self.chore(Chore::Close(fd));
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(self: Arc<Self>) {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.quick.pop_front() {
                drop(queue);
                self.run_job(job);
                queue = self.lock();
            } else if queue.cold_running < self.cold_max
                && let Some(job) = queue.cold.pop_front()
            {
                queue.cold_running += 1;
                drop(queue);
                self.run_job(job);
                queue = self.lock();
                queue.cold_running -= 1;
            } else if let Some(chore) = queue.chores.pop_front() {
                drop(queue);
                run_chore(chore);
                queue = self.lock();
            } else if queue.closing {
                return;
            } else {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn run_job(self: &Arc<Self>, job: Job) {
        let Job { inbox, token, task } = job;
        let outcome = self.run_task(task);
        inbox.deliver(FileDone { token, outcome });
    }

    fn run_task(self: &Arc<Self>, task: Task) -> Outcome {
        let done = |result: io::Result<()>| Outcome::Done(result.map_err(|e| sys::io_error(&e)));
        match task {
            Task::Open(path, mode) => {
                Outcome::Opened(files::open(&path, mode, self).map_err(|e| sys::io_error(&e)))
            }
            Task::Read { file, position, length } => {
                let read = files::read(handle(&file).as_fd(), position, length, &self.pool);
                Outcome::Read(read.map_err(|e| sys::io_error(&e)))
            }
            Task::Write { file, position, chunks } => {
                let fd = handle(&file).as_fd();
                let (_, result) = files::write_all(fd, &chunks, Cursor::default(), position);
                Outcome::Wrote(chunks, result.map_err(|e| sys::io_error(&e)))
            }
            Task::Sync(file) => done(sys::sync_data(handle(&file).as_fd())),
            Task::Prefetch { file, position, length } => {
                done(files::prefetch(handle(&file), position, length))
            }
            Task::Allocate { file, position, length } => {
                done(or_unsupported(sys::allocate(handle(&file).as_fd(), position, length)))
            }
            Task::Truncate { file, length } => done(sys::truncate(handle(&file).as_fd(), length)),
            Task::ReadWhole(path, length_max) => {
                let read = files::with_spare(|| files::read_whole(&path, length_max));
                Outcome::Read(read.map_err(|e| sys::io_error(&e)))
            }
            Task::WriteWhole(path, content) => {
                done(files::with_spare(|| files::write_whole(&path, &content)))
            }
            Task::Rename { from, to } => done(std::fs::rename(from, to)),
            Task::Remove(path) => done(files::remove(&path)),
            Task::Touch(path) => done(files::with_spare(|| files::touch(&path))),
            Task::MakeDir { path, is_new } => done(files::make_dir(&path, is_new)),
            Task::SyncDir(path) => done(files::with_spare(|| files::sync_dir(&path))),
            Task::List(path) => {
                let listed = files::with_spare(|| files::list(&path));
                Outcome::Listed(listed.map_err(|e| sys::io_error(&e)))
            }
        }
    }
}

/// Reserving blocks is an optimisation: a filesystem that cannot is none the worse.
fn or_unsupported(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::ENOSYS)) => {
            Ok(())
        }
        other => other,
    }
}

/// The most that one system call starts writing back: a shard that wakes on the same CPU may have to
/// wait for it.
const WRITEBACK_BYTES: u64 = 1 << 20;

/// Hints may fail: what they ask for is nothing anyone relies on.
fn run_chore(chore: Chore) {
    match chore {
        Chore::Close(fd) => {
            drop(fd);
            files::keep_spare();
        }
        Chore::Writeback { file, position, length } => {
            for (position, length) in slices(position, position + length, WRITEBACK_BYTES) {
                files::give_way();
                drop(sys::start_writeback(handle(&file).as_fd(), position, length));
            }
        }
    }
}

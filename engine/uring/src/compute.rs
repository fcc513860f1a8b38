//! The thread that computes: one per process, nicer than all others.
//!
//! It is started with the helpers, not by the first shard that has work: a thread runs where the
//! one that made it may run, and shards are pinned.
//!
//! A work that panics does not take the thread with it (where panics unwind; release builds abort
//! as a whole): its op fails, and the next work runs on.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{io, mem, thread};

use millrace_io::{IoError, IoErrorKind, Token, Work};

use crate::bell::{FileDone, Inbox, Outcome};
use crate::sys;

/// How much nicer than a shard the thread is: a busy shard keeps nine tenths of a CPU they share,
/// and work still gets done on a machine that has no idle one.
const NICENESS: i32 = 10;

#[derive(Debug)]
struct Job {
    inbox: Arc<Inbox>,
    token: Token,
    work: Work,
}

/// The thread's queue.
#[derive(Debug)]
pub(crate) struct Computer {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    thread: Option<thread::JoinHandle<()>>,
    is_closing: bool,
}

impl Computer {
    /// Starts the thread.
    pub(crate) fn start() -> io::Result<Self> {
        let shared: Arc<Shared> = Arc::default();
        let runner = Arc::clone(&shared);
        let name = "millrace-compute".to_owned();
        let thread = thread::Builder::new().name(name).spawn(move || runner.run())?;
        shared.lock().thread = Some(thread);
        Ok(Self { shared })
    }

    /// Queues a work; its outcome comes to `inbox`.
    pub(crate) fn submit(&self, inbox: &Arc<Inbox>, token: Token, work: Work) {
        let mut queue = self.shared.lock();
        queue.jobs.push_back(Job { inbox: Arc::clone(inbox), token, work });
        drop(queue);
        self.shared.more.notify_one();
    }
}

impl Computer {
    /// Ends the thread after the work it is at; what is queued is dropped, unanswered.
    pub(crate) fn close(&self) {
        let mut queue = self.shared.lock();
        queue.is_closing = true;
        queue.jobs.clear();
        let thread = mem::take(&mut queue.thread);
        drop(queue);
        self.shared.more.notify_all();
        if let Some(thread) = thread {
            // Whatever it died of was told to those who waited.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        // Without the permission to be nice it computes all the same.
        drop(sys::be_nice(NICENESS));
        let mut queue = self.lock();
        loop {
            if queue.is_closing {
                return;
            }
            let Some(job) = queue.jobs.pop_front() else {
                queue = self.more.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(queue);
            let Job { inbox, token, work } = job;
            let computed = catch_unwind(AssertUnwindSafe(|| work.run()));
            let outcome = Outcome::Computed(computed.map_err(|_| DIED));
            inbox.deliver(FileDone { token, outcome });
            queue = self.lock();
        }
    }
}

/// Whoever computed panicked over it.
const DIED: IoError = IoError { kind: IoErrorKind::Other, errno: 0 };

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_io::Completion;

    fn computed(inbox: &Inbox) -> Vec<Completion<()>> {
        let mut completions = Vec::new();
        while completions.is_empty() {
            inbox.drain(&mut completions);
            thread::yield_now();
        }
        completions
    }

    #[test]
    fn works_run_in_order_and_one_that_panics_fails_alone() {
        let computer = Computer::start().expect("a thread");
        let inbox = Arc::new(Inbox::new().expect("an event"));
        let token = |seq| Token { owner: 1, seq };
        let mut told = Vec::new();
        for (seq, divisor) in [(1, 2_u32), (2, 0), (3, 5)] {
            let run = |divisor| 10_u32.checked_div(divisor).expect("not by zero");
            computer.submit(&inbox, token(seq), Work::new(divisor, run));
        }
        while told.len() < 3 {
            for completion in computed(&inbox) {
                let Completion::Computed { token, result } = completion else {
                    panic!("{completion:?}");
                };
                told.push((token.seq, result.map(|it| it.take::<u32>().expect("a number"))));
            }
        }
        computer.close();
        assert_eq!(told, [(1, Ok(5)), (2, Err(DIED)), (3, Ok(2))]);
    }
}

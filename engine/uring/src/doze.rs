//! The agreement between a shard that is about to sleep and those who bring it work.
//!
//! ```text
//!  sleeper: announce (flag = true); fence; look at all queues; work there? up (flag = false), go on
//!                                                              none?       sleep; up on waking
//!  bringer: publish the work; fence; flag set? clear it, ring the bell
//! ```
//!
//! The two fences are what makes it sound: of the sleeper's look and the bringer's look at least
//! one sees what the other wrote. So a shard that is awake costs its peers no system call, and one
//! that sleeps is woken once.

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicBool, Ordering, fence};

#[derive(Debug)]
pub(crate) struct Doze {
    asleep: CachePadded<AtomicBool>,
}

impl Doze {
    pub(crate) fn new() -> Self {
        Self { asleep: CachePadded::new(AtomicBool::new(false)) }
    }

    /// Before sleeping, and before the last look at the queues.
    pub(crate) fn announce(&self) {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// After waking, or instead of sleeping.
    pub(crate) fn up(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }

    /// After publishing work: true if the sleeper is to be woken by the caller.
    pub(crate) fn must_wake(&self) -> bool {
        fence(Ordering::SeqCst);
        self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn only_a_sleeper_is_woken_and_only_once() {
        let doze = Doze::new();
        assert!(!doze.must_wake());
        doze.announce();
        assert!(doze.must_wake());
        assert!(!doze.must_wake());
        doze.announce();
        doze.up();
        assert!(!doze.must_wake());
    }
}

#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;

    use super::*;

    #[test]
    fn work_brought_to_a_sleeper_is_seen_or_rings_the_bell() {
        loom::model(|| {
            let doze = Arc::new(Doze::new());
            let (mut sender, mut receiver) = crate::spsc::ring::<u32>(2);
            let bringer = {
                let doze = Arc::clone(&doze);
                loom::thread::spawn(move || {
                    assert!(sender.push(7).is_ok());
                    sender.publish();
                    doze.must_wake()
                })
            };
            doze.announce();
            let seen = receiver.has_more();
            if seen {
                doze.up();
            }
            let rung = bringer.join().unwrap();
            assert!(seen || rung, "asleep with work in the queue");
        });
    }
}

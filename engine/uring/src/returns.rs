//! How receive buffers come back to the shard that owns them, from whichever thread let go last.
//!
//! A stack of indices threaded through an array: pushing is one compare-and-swap, and the owner
//! takes the whole stack with one swap, so no index is ever popped singly and the ABA problem does
//! not arise. Last in is first out, so the memory that is warm is filled next.

use crate::sync::{AtomicU32, Ordering};

#[derive(Debug)]
pub(crate) struct Returns {
    head: AtomicU32,
    /// Below each index that is on the stack, the next one.
    below: Box<[AtomicU32]>,
}

/// The stack's bottom.
const NONE: u32 = u32::MAX;

impl Returns {
    /// For the indices below `count`.
    pub(crate) fn new(count: u16) -> Self {
        let below = (0..count).map(|_| AtomicU32::new(NONE)).collect();
        Self { head: AtomicU32::new(NONE), below }
    }

    /// Gives an index back. It must not be on the stack already.
    pub(crate) fn push(&self, index: u16) {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            self.below[usize::from(index)].store(head, Ordering::Relaxed);
            // Release: whoever takes the stack sees the link, and that we are done with the buffer.
            match self.head.compare_exchange_weak(
                head,
                u32::from(index),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes all that came back, the latest first.
    pub(crate) fn take_all(&self, mut take: impl FnMut(u16)) {
        if self.head.load(Ordering::Relaxed) == NONE {
            return;
        }
        let mut index = self.head.swap(NONE, Ordering::Acquire);
        while let Ok(found) = u16::try_from(index) {
            index = self.below[usize::from(found)].load(Ordering::Relaxed);
            take(found);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_latest_comes_first_and_each_comes_once() {
        let returns = Returns::new(4);
        for index in [2, 0, 3] {
            returns.push(index);
        }
        let mut got = Vec::new();
        returns.take_all(|index| got.push(index));
        assert_eq!(got, [3, 0, 2]);
        returns.take_all(|index| panic!("{index} came twice"));
    }
}

#[cfg(all(test, loom))]
mod model {
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;

    use super::*;

    #[test]
    fn no_buffer_is_lost_and_its_content_is_handed_over() {
        loom::model(|| {
            let shared =
                Arc::new((Returns::new(2), [UnsafeCell::new(0_u32), UnsafeCell::new(0_u32)]));
            let threads: Vec<_> = (0..2_u16)
                .map(|index| {
                    let shared = Arc::clone(&shared);
                    loom::thread::spawn(move || {
                        let cell = &shared.1[usize::from(index)];
                        // SAFETY: loom checks that nobody else is in the cell.
                        cell.with_mut(|value| unsafe { *value = u32::from(index) + 7 });
                        shared.0.push(index);
                    })
                })
                .collect();
            let mut got = 0;
            let mut take = |index: u16| {
                let cell = &shared.1[usize::from(index)];
                // SAFETY: loom checks that nobody else is in the cell.
                let value = cell.with_mut(|value| unsafe { *value });
                assert_eq!(value, u32::from(index) + 7);
                got += 1;
            };
            shared.0.take_all(&mut take);
            for thread in threads {
                thread.join().unwrap();
            }
            shared.0.take_all(&mut take);
            assert_eq!(got, 2);
        });
    }
}

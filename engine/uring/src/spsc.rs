//! A bounded queue between exactly two threads: one pushes, one pops.
//!
//! ```text
//!      head (consumer's, published)          tail (producer's, published)
//!        ▼                                     ▼
//!  ──────┬────┬────┬────┬────┬────┬────────────┬───────────────┬────
//!   free │ to be popped                        │ pushed, unseen│ free
//!  ──────┴────┴────┴────┴────┴────┴────────────┴───────────────┴────
//!                                                              ▲ Sender::tail
//! ```
//!
//! Both ends count without end and wrap; a slot's index is the count under a mask. The producer
//! publishes a batch with one store ([`Sender::publish`]), the consumer frees one with one store
//! ([`Receiver::release`]). Neither allocates, locks or waits.

use std::mem::MaybeUninit;

use crossbeam_utils::CachePadded;

use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering, UnsafeCell, fence};

#[derive(Debug)]
struct Ring<T> {
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
    /// Items popped; written by the consumer alone.
    head: CachePadded<AtomicUsize>,
    /// Items published; written by the producer alone.
    tail: CachePadded<AtomicUsize>,
    /// The producer found the ring full and wants to be told of room.
    starved: CachePadded<AtomicBool>,
    /// The consumer is gone.
    closed: AtomicBool,
}

// SAFETY: a slot is touched by one side at a time: by the producer from the moment `head` passed it
// until `tail` does, by the consumer from then until `head` does. Both counts are handed over with
// release stores and acquire loads, and `Sender` and `Receiver` exist once each and are not cloned.
unsafe impl<T: Send> Sync for Ring<T> {}
// SAFETY: the ring owns its items, and they may move between threads.
unsafe impl<T: Send> Send for Ring<T> {}

/// The pushing end.
#[derive(Debug)]
pub(crate) struct Sender<T> {
    ring: Arc<Ring<T>>,
    /// Items pushed, published or not.
    tail: usize,
    /// Items published.
    published: usize,
    /// The consumer's head when it was last read.
    head_seen: usize,
}

/// The popping end.
#[derive(Debug)]
pub(crate) struct Receiver<T> {
    ring: Arc<Ring<T>>,
    /// Items popped, released or not.
    head: usize,
    /// Items released.
    released: usize,
    /// The producer's tail when it was last read.
    tail_seen: usize,
}

/// A ring for `capacity` items, a power of two.
pub(crate) fn ring<T: Send>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity.is_power_of_two(), "a ring of {capacity} cannot be indexed by a mask");
    let slots = (0..capacity).map(|_| UnsafeCell::new(MaybeUninit::uninit()));
    let ring = Arc::new(Ring {
        slots: slots.collect(),
        head: CachePadded::new(AtomicUsize::new(0)),
        tail: CachePadded::new(AtomicUsize::new(0)),
        starved: CachePadded::new(AtomicBool::new(false)),
        closed: AtomicBool::new(false),
    });
    let sender = Sender { ring: Arc::clone(&ring), tail: 0, published: 0, head_seen: 0 };
    let receiver = Receiver { ring, head: 0, released: 0, tail_seen: 0 };
    (sender, receiver)
}

impl<T: Send> Sender<T> {
    /// Puts an item behind those before it; the consumer sees it after [`Self::publish`]. Gives it
    /// back if the ring is full, and then the consumer's next [`Receiver::release`] says so.
    pub(crate) fn push(&mut self, item: T) -> Result<(), T> {
        if !self.has_room() {
            self.ring.starved.store(true, Ordering::Relaxed);
            // Pairs with the fence in `release`: either the room made there is seen here, or the
            // flag set here is seen there.
            fence(Ordering::SeqCst);
            if !self.has_room() {
                return Err(item);
            }
        }
        let slot = &self.ring.slots[self.tail & (self.ring.slots.len() - 1)];
        slot.with_mut(|slot| {
            // SAFETY: the slot is free (`head` passed it, seen with acquire) and only this thread
            // pushes, so nobody else touches it until `publish`.
            unsafe { (*slot).write(item) };
        });
        self.tail = self.tail.wrapping_add(1);
        Ok(())
    }

    /// True if the next push will not be refused.
    pub(crate) fn has_room(&mut self) -> bool {
        if self.tail.wrapping_sub(self.head_seen) < self.ring.slots.len() {
            return true;
        }
        self.head_seen = self.ring.head.load(Ordering::Acquire);
        self.tail.wrapping_sub(self.head_seen) < self.ring.slots.len()
    }

    /// True if nobody will ever pop again.
    pub(crate) fn is_closed(&self) -> bool {
        self.ring.closed.load(Ordering::Relaxed)
    }

    /// Shows the consumer all that was pushed. True if there was anything new.
    pub(crate) fn publish(&mut self) -> bool {
        if self.published == self.tail {
            return false;
        }
        self.ring.tail.store(self.tail, Ordering::Release);
        self.published = self.tail;
        true
    }
}

impl<T: Send> Receiver<T> {
    /// Takes the oldest published item.
    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.head == self.tail_seen && !self.has_more() {
            return None;
        }
        let slot = &self.ring.slots[self.head & (self.ring.slots.len() - 1)];
        let item = slot.with_mut(|slot| {
            // SAFETY: the slot was filled before `tail` passed it (seen with acquire), and only
            // this thread pops, so it is read once; the producer touches it again after `release`.
            unsafe { (*slot).assume_init_read() }
        });
        self.head = self.head.wrapping_add(1);
        Some(item)
    }

    /// True if an item waits.
    pub(crate) fn has_more(&mut self) -> bool {
        self.tail_seen = self.ring.tail.load(Ordering::Acquire);
        self.head != self.tail_seen
    }

    /// Frees the slots of what was popped. True if the producer found the ring full meanwhile and
    /// is to be woken.
    pub(crate) fn release(&mut self) -> bool {
        if self.released == self.head {
            return false;
        }
        self.ring.head.store(self.head, Ordering::Release);
        self.released = self.head;
        fence(Ordering::SeqCst);
        self.ring.starved.load(Ordering::Relaxed)
            && self.ring.starved.swap(false, Ordering::Relaxed)
    }
}

impl<T> Drop for Ring<T> {
    fn drop(&mut self) {
        let tail = self.tail.load(Ordering::Acquire);
        let mut head = self.head.load(Ordering::Acquire);
        while head != tail {
            let slot = &self.slots[head & (self.slots.len() - 1)];
            slot.with_mut(|slot| {
                // SAFETY: between head and tail all slots are filled, and both ends are gone.
                unsafe { (*slot).assume_init_drop() };
            });
            head = head.wrapping_add(1);
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.ring.closed.store(true, Ordering::Relaxed);
        // What was popped is not to be dropped a second time by the ring.
        self.ring.head.store(self.head, Ordering::Release);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // What was pushed and not published is dropped with the ring.
        self.ring.tail.store(self.tail, Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn items_arrive_in_order_and_only_after_publish() {
        let (mut sender, mut receiver) = ring(4);
        assert_eq!(sender.push(1), Ok(()));
        assert_eq!(sender.push(2), Ok(()));
        assert_eq!(receiver.pop(), None);
        assert!(sender.publish());
        assert!(!sender.publish());
        assert_eq!(receiver.pop(), Some(1));
        assert_eq!(receiver.pop(), Some(2));
        assert_eq!(receiver.pop(), None);
    }

    #[test]
    fn a_full_ring_gives_the_item_back_and_the_consumer_learns_of_it() {
        let (mut sender, mut receiver) = ring(2);
        for item in 0..2 {
            assert_eq!(sender.push(item), Ok(()));
        }
        assert_eq!(sender.push(9), Err(9));
        sender.publish();
        assert_eq!(receiver.pop(), Some(0));
        assert_eq!(sender.push(9), Err(9), "popped, but not yet released");
        assert!(receiver.release());
        assert_eq!(sender.push(9), Ok(()));
        assert_eq!(receiver.pop(), Some(1));
        assert!(!receiver.release(), "told once");
    }

    #[test]
    fn what_was_not_popped_is_dropped_once() {
        let item = std::sync::Arc::new(());
        let (mut sender, mut receiver) = ring(8);
        for _ in 0..5 {
            assert!(sender.push(std::sync::Arc::clone(&item)).is_ok());
        }
        sender.publish();
        assert!(sender.push(std::sync::Arc::clone(&item)).is_ok());
        drop(receiver.pop());
        drop(receiver);
        drop(sender);
        assert_eq!(std::sync::Arc::strong_count(&item), 1);
    }

    #[test]
    fn two_threads_exchange_a_million_items_in_order() {
        let (mut sender, mut receiver) = ring(64);
        let producer = std::thread::spawn(move || {
            for item in 0_u32..1_000_000 {
                while sender.push(item).is_err() {
                    sender.publish();
                    std::thread::yield_now();
                }
                if item % 7 == 0 {
                    sender.publish();
                }
            }
            sender.publish();
        });
        let mut next = 0_u32;
        while next < 1_000_000 {
            match receiver.pop() {
                Some(item) => {
                    assert_eq!(item, next);
                    next += 1;
                }
                None => std::thread::yield_now(),
            }
            receiver.release();
        }
        producer.join().expect("the producer does not panic");
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;

    #[test]
    fn no_item_is_lost_or_doubled_under_any_interleaving() {
        loom::model(|| {
            let (mut sender, mut receiver) = ring::<Box<u32>>(2);
            let producer = loom::thread::spawn(move || {
                for item in 0..3 {
                    let mut item = Box::new(item);
                    while let Err(back) = sender.push(item) {
                        sender.publish();
                        item = back;
                        loom::thread::yield_now();
                    }
                }
                sender.publish();
            });
            let mut next = 0;
            while next < 3 {
                match receiver.pop() {
                    Some(item) => {
                        assert_eq!(*item, next);
                        next += 1;
                        receiver.release();
                    }
                    None => loom::thread::yield_now(),
                }
            }
            producer.join().unwrap();
        });
    }

    #[test]
    fn a_producer_that_found_it_full_is_always_told_of_room() {
        loom::model(|| {
            let (mut sender, mut receiver) = ring::<u32>(1);
            assert!(sender.push(0).is_ok());
            sender.publish();
            let consumer = loom::thread::spawn(move || {
                assert_eq!(receiver.pop(), Some(0));
                receiver.release()
            });
            let refused = sender.push(1).is_err();
            let told = consumer.join().unwrap();
            assert!(!refused || told, "refused, and nobody will come back");
        });
    }
}

//! Who waits for a partition to move: intrusive lists over one slab.
//!
//! A long poll waits on each of its partitions; an append wakes exactly those that wait on that
//! partition, and a poll that ends takes itself off all its lists. Both cost O(1) per waiter; no
//! list is ever scanned.

use crate::slab::{Key, Slab};
use crate::ticket::Ticket;

/// The waiters of one partition: the ends of its list.
#[derive(Clone, Copy, Debug, Default)]
pub struct WaiterList {
    first: Option<Key>,
    last: Option<Key>,
}

impl WaiterList {
    /// True if nobody waits.
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    /// The partition's slot, to find its list's ends again.
    partition: u32,
    previous: Option<Key>,
    next: Option<Key>,
}

/// Waiters that one shard can hold: one per partition of each parked fetch.
pub const WAITERS_MAX: u32 = 1 << 24;

/// All waiters of one shard's partitions.
#[derive(Debug)]
pub struct Waiters {
    waiters: Slab<Waiter>,
}

impl Default for Waiters {
    fn default() -> Self {
        Self { waiters: Slab::new(WAITERS_MAX) }
    }
}

impl Waiters {
    /// Waiters on all lists.
    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    /// True if nobody waits on anything.
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Adds a waiter at the end of `list`, the list of `partition`. `None` when the shard holds
    /// [`WAITERS_MAX`]: the poll then ends by its deadline alone.
    pub fn add(&mut self, list: &mut WaiterList, partition: u32, ticket: Ticket) -> Option<Key> {
        if self.waiters.is_full() {
            return None;
        }
        let previous = list.last;
        let key = self.waiters.insert(Waiter { ticket, partition, previous, next: None });
        match previous.and_then(|previous| self.waiters.get_mut(previous)) {
            Some(previous) => previous.next = Some(key),
            None => list.first = Some(key),
        }
        list.last = Some(key);
        Some(key)
    }

    /// The partition on which a waiter waits.
    pub fn partition_of(&self, key: Key) -> Option<u32> {
        self.waiters.get(key).map(|waiter| waiter.partition)
    }

    /// Takes a waiter off its list, the list of [`Self::partition_of`].
    pub fn remove(&mut self, list: &mut WaiterList, key: Key) {
        let Some(waiter) = self.waiters.remove(key) else { return };
        match waiter.previous.and_then(|previous| self.waiters.get_mut(previous)) {
            Some(previous) => previous.next = waiter.next,
            None => list.first = waiter.next,
        }
        match waiter.next.and_then(|next| self.waiters.get_mut(next)) {
            Some(next) => next.previous = waiter.previous,
            None => list.last = waiter.previous,
        }
    }

    /// Takes all waiters off `list`, first come first, and hands each ticket to `wake`.
    pub fn drain(&mut self, list: &mut WaiterList, mut wake: impl FnMut(Ticket)) {
        let mut next = list.first.take();
        list.last = None;
        while let Some(waiter) = next.and_then(|key| self.waiters.remove(key)) {
            wake(waiter.ticket);
            next = waiter.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use millrace_io::ShardId;

    use super::*;

    fn ticket(item: u32) -> Ticket {
        Ticket { origin: ShardId(0), request: Key { slot: 0, generation: 0 }, item }
    }

    #[test]
    fn waiters_wake_in_order_and_removed_ones_never() {
        // Every subset of five waiters removed, in both directions.
        for removed in 0_u32..32 {
            for backwards in [false, true] {
                let mut waiters = Waiters::default();
                let mut list = WaiterList::default();
                let keys: Vec<_> = (0..5)
                    .map(|item| waiters.add(&mut list, 9, ticket(item)).expect("room"))
                    .collect();
                let mut order: Vec<usize> = (0..5).collect();
                if backwards {
                    order.reverse();
                }
                for index in order.into_iter().filter(|index| removed & (1 << index) != 0) {
                    waiters.remove(&mut list, keys[index]);
                }
                let mut woken = Vec::new();
                waiters.drain(&mut list, |ticket| woken.push(ticket.item));
                let expected: Vec<u32> = (0..5).filter(|item| removed & (1 << item) == 0).collect();
                assert_eq!(woken, expected);
                assert!(list.is_empty() && waiters.is_empty());
            }
        }
    }
}

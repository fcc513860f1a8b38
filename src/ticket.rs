//! Tickets: where the answer to a partition's work goes.
//!
//! A request that touches partitions waits in its connection's shard; each partition's part of it
//! carries a ticket through the owner shard and its log, as one integer.

use millrace_io::ShardId;

use crate::slab::Key;

/// Names one item of one pending request of one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    /// The shard on which the request waits.
    pub origin: ShardId,
    /// The request.
    pub request: Key,
    /// The item within the request, 0-based.
    pub item: u32,
}

/// Shards a process can have.
pub const SHARDS_MAX: u16 = 1 << 8;
/// Requests that can wait on one shard.
pub const REQUESTS_MAX: u32 = 1 << 20;
/// Partitions that one request can name. More are refused as too many; a frame of 100 MiB could
/// name more, an honest client never does.
pub const ITEMS_MAX: u32 = 1 << 20;

impl Ticket {
    /// The ticket as one integer: 8 bits shard, 16 generation, 20 slot, 20 item.
    pub fn pack(self) -> u64 {
        assert!(self.origin.0 < SHARDS_MAX, "shard {} of at most {SHARDS_MAX}", self.origin.0);
        assert!(self.request.slot < REQUESTS_MAX, "request slot {}", self.request.slot);
        assert!(self.item < ITEMS_MAX, "item {}", self.item);
        u64::from(self.origin.0) << 56
            | u64::from(self.request.generation) << 40
            | u64::from(self.request.slot) << 20
            | u64::from(self.item)
    }

    /// The ticket that [`Self::pack`] made `packed` of.
    pub fn unpack(packed: u64) -> Self {
        let bits = |shift: u32, width: u32| -> u32 {
            u32::try_from((packed >> shift) & ((1 << width) - 1)).unwrap_or(u32::MAX)
        };
        let narrow = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
        Self {
            origin: ShardId(narrow(bits(56, 8))),
            request: Key { slot: bits(20, 20), generation: narrow(bits(40, 16)) },
            item: bits(0, 20),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_survives_packing_at_its_bounds() {
        for ticket in [
            Ticket { origin: ShardId(0), request: Key { slot: 0, generation: 0 }, item: 0 },
            Ticket {
                origin: ShardId(SHARDS_MAX - 1),
                request: Key { slot: REQUESTS_MAX - 1, generation: u16::MAX },
                item: ITEMS_MAX - 1,
            },
            Ticket { origin: ShardId(1), request: Key { slot: 2, generation: 3 }, item: 4 },
        ] {
            assert_eq!(Ticket::unpack(ticket.pack()), ticket);
        }
    }
}

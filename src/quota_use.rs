//! What clients that are held to quotas used, and how long they were told to wait: kept by each
//! shard for `/metrics`, read by the admin port.
//!
//! Bounded: [`HOLDERS_MAX`] at once, and whoever uses nothing for [`IDLE_MS`] is forgotten, as Kafka
//! forgets its sensors. Who comes again begins at zero. Not here: holding anybody to anything
//! (`shard/quotas.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_net::quota::{Holder, Spent};

/// Of so many at once a shard tells something: a few series each are what an operator can look at.
pub const HOLDERS_MAX: usize = 1_000;
/// Whoever used nothing for so long is told of no more, ms. Kafka's time for an idle sensor.
pub const IDLE_MS: u64 = 3_600_000;

/// Sums that only grow, while they are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Units of the kind that were used.
    pub used: u64,
    /// Answers that told it to wait.
    pub waits: u64,
    /// The times that they told, together, ms.
    pub wait_ms: u64,
}

impl Totals {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            used: self.used.saturating_add(other.used),
            waits: self.waits.saturating_add(other.waits),
            wait_ms: self.wait_ms.saturating_add(other.wait_ms),
        }
    }

    fn of(spent: Spent) -> Self {
        let Spent { used, waits, wait_ms } = spent;
        // What is taken back was noted in the same turn, so a sum below zero does not come up.
        Self { used: u64::try_from(used).unwrap_or(0), waits, wait_ms }
    }
}

/// What one shard tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuotaUse {
    /// Whoever is known, in order.
    pub holders: Vec<(Arc<Holder>, Totals)>,
    /// How many used something lately and found no room.
    pub left_out: usize,
}

#[derive(Debug)]
struct Kept {
    totals: Totals,
    last_ms: u64,
}

/// What one shard keeps. See the file's head.
#[derive(Debug, Default)]
pub struct QuotaTable {
    holders: BTreeMap<Arc<Holder>, Kept>,
    left_out: usize,
    has_news: bool,
}

impl QuotaTable {
    /// Takes in what was used lately, and forgets who has used nothing for long.
    pub fn take_in(&mut self, now_ms: u64, all: Vec<(Holder, Spent)>) {
        let left_out = std::mem::take(&mut self.left_out);
        let count = self.holders.len();
        self.holders.retain(|_, kept| now_ms.saturating_sub(kept.last_ms) < IDLE_MS);
        self.has_news |= self.holders.len() < count || !all.is_empty();
        for (holder, spent) in all {
            let more = Totals::of(spent);
            let has_room = self.holders.len() < HOLDERS_MAX;
            match self.holders.get_mut(&holder) {
                Some(kept) => *kept = Kept { totals: kept.totals.plus(more), last_ms: now_ms },
                None if !has_room => self.left_out += 1,
                None => {
                    let kept = Kept { totals: more, last_ms: now_ms };
                    self.holders.insert(Arc::new(holder), kept);
                }
            }
        }
        self.has_news |= left_out != self.left_out;
    }

    /// True if something is different from what was told last.
    pub const fn has_news(&self) -> bool {
        self.has_news
    }

    /// What there is to tell; [`Self::told`] says that it was.
    pub fn tell(&self) -> QuotaUse {
        let holders = self.holders.iter();
        QuotaUse {
            holders: holders.map(|(holder, kept)| (Arc::clone(holder), kept.totals)).collect(),
            left_out: self.left_out,
        }
    }

    /// What there was to tell has been told.
    pub const fn told(&mut self) {
        self.has_news = false;
    }

    /// True if nobody is known.
    pub fn is_empty(&self) -> bool {
        self.holders.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_net::quota::QuotaKind;

    fn spent(client: &str, used: i64) -> (Holder, Spent) {
        let holder =
            Holder { kind: QuotaKind::Produce, user: Box::default(), client: client.into() };
        (holder, Spent { used, waits: 1, wait_ms: 7 })
    }

    #[test]
    fn what_is_used_adds_up_until_nothing_was_used_for_an_hour() {
        let mut table = QuotaTable::default();
        table.take_in(0, vec![spent("a", 5), spent("b", 1)]);
        table.take_in(1_000, vec![spent("a", 6)]);
        assert!(table.has_news());
        let sums: Vec<Totals> = table.tell().holders.iter().map(|(_, sum)| *sum).collect();
        let totals = |used, waits| Totals { used, waits, wait_ms: waits * 7 };
        assert_eq!(sums, [totals(11, 2), totals(1, 1)]);
        table.told();
        table.take_in(IDLE_MS - 1, Vec::new());
        assert!(!table.has_news());
        table.take_in(IDLE_MS, Vec::new());
        assert!(table.has_news());
        assert_eq!(table.tell().holders.len(), 1, "only the one that was at work later");
        table.take_in(IDLE_MS + 1_000, vec![]);
        assert!(table.is_empty());
    }

    #[test]
    fn there_is_room_for_so_many_and_the_rest_are_counted_while_they_come() {
        let mut table = QuotaTable::default();
        let all = (0..HOLDERS_MAX + 3).map(|index| spent(&format!("client-{index:05}"), 1));
        table.take_in(0, all.collect());
        let told = table.tell();
        assert_eq!((told.holders.len(), told.left_out), (HOLDERS_MAX, 3));
        table.told();
        table.take_in(1_000, vec![spent("client-00000", 1)]);
        assert_eq!(table.tell().left_out, 0, "the others use nothing now");
        table.take_in(IDLE_MS, Vec::new());
        table.take_in(IDLE_MS, vec![spent("client-09999", 1)]);
        assert_eq!(table.tell().holders.len(), 2, "there is room again");
    }
}

//! One step of a member towards its target: what it gives up first, what it gets then.
//!
//! ```text
//!                 something to give up                 all given up
//!      Stable ───────────────────────▶ Unrevoked ───────────────────┐
//!        ▲  ▲                             ▲                         ▼
//!        │  └── nothing is missing ───────┼───────────────── in the target's epoch
//!        │                                │                         │ something is missing
//!        └────── others gave it up ── Unreleased ◀──────────────────┘
//! ```
//!
//! A member's epoch does not move while it has partitions to give up: what it commits meanwhile
//! is of its old epoch. A partition goes to a member only when nobody holds it. Source: KIP-848,
//! KIP-1251 (the epoch of each partition's assignment).

use std::collections::{BTreeMap, BTreeSet};

use millrace_net::messages::consumer_group_heartbeat::TopicPartitions;
use millrace_wire::Uuid;

use super::member::{ConsumerMember, Held, MemberState, Target};

/// What a step is decided by, besides the member.
pub(crate) struct Reconcile<'a> {
    /// Epoch of the target assignment.
    pub target_epoch: i32,
    /// The member's part of it.
    pub target: &'a Target,
    /// Topics that the member subscribes to.
    pub subscribed: BTreeSet<Uuid>,
    /// The member has changed its subscription: what it left is taken away at once.
    pub is_resubscribed: bool,
    /// What the member says it holds; none if it did not say.
    pub owned: Option<&'a [TopicPartitions]>,
}

impl Reconcile<'_> {
    /// The member after the step; unchanged if it cannot move.
    ///
    /// - `is_taken`: whether another member holds a partition.
    pub(crate) fn step(
        &self,
        member: &ConsumerMember,
        is_taken: impl Fn(Uuid, i32) -> bool,
    ) -> ConsumerMember {
        match member.state {
            MemberState::Stable if member.epoch == self.target_epoch => {
                if self.is_resubscribed {
                    self.shrunk(member)
                } else {
                    member.clone()
                }
            }
            MemberState::Unrevoked if self.owns_any(&member.pending) => {
                if self.is_resubscribed {
                    self.shrunk(member)
                } else {
                    member.clone()
                }
            }
            // What a newer broker meant by another state is not known: the member moves on from
            // what it holds.
            MemberState::Stable
            | MemberState::Unrevoked
            | MemberState::Unreleased
            | MemberState::Unknown => self.next(member, is_taken),
        }
    }

    /// A member that does not say what it holds may hold everything.
    fn owns_any(&self, held: &Held) -> bool {
        let Some(owned) = self.owned else { return true };
        owned.iter().any(|topic| {
            let held = held.get(&topic.topic_id);
            held.is_some_and(|held| topic.partitions.iter().any(|it| held.contains_key(it)))
        })
    }

    /// Takes away what the member does not subscribe to any more, and nothing else.
    fn shrunk(&self, member: &ConsumerMember) -> ConsumerMember {
        let (kept, gone): (Held, Held) = member
            .assigned
            .iter()
            .map(|(topic, partitions)| (*topic, partitions.clone()))
            .partition(|(topic, _)| self.subscribed.contains(topic));
        if gone.is_empty() {
            return member.clone();
        }
        let mut pending = member.pending.clone();
        for (topic, partitions) in gone {
            pending.entry(topic).or_default().extend(partitions);
        }
        let mut next = member.clone();
        next.enter_epoch(member.epoch);
        next.assigned = kept;
        if self.owns_any(&pending) {
            next.state = MemberState::Unrevoked;
            next.pending = pending;
        }
        next
    }

    fn next(
        &self,
        member: &ConsumerMember,
        is_taken: impl Fn(Uuid, i32) -> bool,
    ) -> ConsumerMember {
        let none = BTreeSet::new();
        let mut kept = Held::new();
        let mut gone = Held::new();
        let mut new = Target::new();
        let mut misses_some = false;
        let topics: BTreeSet<Uuid> =
            self.target.keys().chain(member.assigned.keys()).copied().collect();
        for topic in topics {
            let is_subscribed = self.subscribed.contains(&topic);
            let target = self.target.get(&topic).filter(|_| is_subscribed).unwrap_or(&none);
            let held = member.assigned.get(&topic);
            for (partition, epoch) in held.into_iter().flatten() {
                let place = if target.contains(partition) { &mut kept } else { &mut gone };
                place.entry(topic).or_default().insert(*partition, *epoch);
            }
            let is_held = |partition: &i32| held.is_some_and(|held| held.contains_key(partition));
            for partition in target.iter().filter(|partition| !is_held(partition)) {
                let is_own =
                    member.pending.get(&topic).is_some_and(|it| it.contains_key(partition));
                if is_own || !is_taken(topic, *partition) {
                    new.entry(topic).or_default().insert(*partition);
                } else {
                    misses_some = true;
                }
            }
        }
        let mut next = member.clone();
        if !gone.is_empty() && self.owns_any(&gone) {
            next.state = MemberState::Unrevoked;
            next.enter_epoch(member.epoch);
            next.assigned = kept;
            next.pending = gone;
            return next;
        }
        for (topic, partitions) in new {
            let epochs = partitions.into_iter().map(|it| (it, self.target_epoch));
            let place: &mut BTreeMap<i32, i32> = kept.entry(topic).or_default();
            place.extend(epochs);
        }
        next.state = if misses_some { MemberState::Unreleased } else { MemberState::Stable };
        next.enter_epoch(self.target_epoch);
        next.assigned = kept;
        next.pending = Held::new();
        next
    }
}

//! What metrics tell of a coordinator's groups: state, members, committed offsets.
//!
//! Bounded by whoever asks: a report costs time on the shard and labels in whoever stores them.

use std::sync::Arc;

use super::GroupCoordinator;
use super::group::Group;

/// One group, as metrics tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupReport {
    /// Its name.
    pub name: Arc<str>,
    /// Its state, by Kafka's name.
    pub state: &'static str,
    /// How many members it has.
    pub members: usize,
    /// Topic, partition and committed offset, in that order.
    pub offsets: Vec<(Arc<str>, i32, i64)>,
}

impl GroupCoordinator {
    /// Adds groups to `reports`, by name, as long as `series_left` lasts: each group takes one of
    /// them, and so does each of its partitions. Returns how many there was no room for.
    pub fn report(&self, series_left: &mut usize, reports: &mut Vec<GroupReport>) -> usize {
        let mut left_out = 0;
        for group in self.groups.values() {
            let wanted = 1 + group.offsets.committed().count();
            if *series_left == 0 {
                left_out += wanted;
                continue;
            }
            let given = wanted.min(*series_left);
            *series_left -= given;
            left_out += wanted - given;
            reports.push(group.report(given - 1));
        }
        left_out
    }
}

impl Group {
    fn report(&self, offsets_max: usize) -> GroupReport {
        let offsets = self.offsets.committed().take(offsets_max);
        let (state, members) = match &self.consumer {
            Some(consumer) => (consumer.state().name(), consumer.members.len()),
            None => (self.state().name(), self.members.len()),
        };
        GroupReport {
            name: Arc::clone(&self.name),
            state,
            members,
            offsets: offsets.map(|(topic, index, at)| (Arc::clone(topic), index, at)).collect(),
        }
    }
}

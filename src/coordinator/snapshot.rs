//! What a coordinator knows, as the records of a log without history.
//!
//! A walk goes group by group, in pieces, while the coordinator works on: each piece tells what is
//! committed at that moment. So a walk is of no single moment, and need not be. Every record says all
//! there is to say about its key, so whoever takes in what a walk told, and then the log from the
//! walk's beginning on, knows what the whole log would have told:
//!
//! ```text
//!   log      ───────────────┬───────────────────────┬──────────▶
//!                          from                   until
//!   walk                    ├── a ─── b ─── c ─── d ┤     each tells some moment in between
//!   loading  walk, then     ├───────────────────────────────▶
//! ```
//!
//! It may tell nothing that the log lacks: it counts once all appends that were under way at its end
//! are decided, and none of them has failed ([`GroupCoordinator::has_decided`]). A group that is
//! being deleted is out of the map before its tombstones are in the log.
//!
//! A classic group's memory is ahead of its log; so the walk tells the group's last record as it was
//! committed.

use std::ops::Bound;
use std::sync::Arc;

use super::GroupCoordinator;
use super::group::Group;
use super::record::{GroupRecord, OffsetKey, OffsetValue, encode_offset_key, encode_offset_value};
use super::records::group_metadata_key::GroupMetadataKey;

/// How far a walk is. The default is its beginning.
#[derive(Clone, Debug, Default)]
pub struct SnapshotWalk {
    /// The group that was begun last.
    group: Option<Arc<str>>,
    /// The last of its offsets that was told; none if there are no more.
    offset: Option<(Arc<str>, i32)>,
    has_more_offsets: bool,
}

impl GroupCoordinator {
    /// Tells the next records of a walk as keys and values: about `records_max`, but all of one
    /// consumer group's members together. False if that was the end.
    pub fn snapshot_piece(
        &self,
        walk: &mut SnapshotWalk,
        records_max: usize,
        mut take: impl FnMut(&[u8], &[u8]),
    ) -> bool {
        let mut left = records_max.max(1);
        while left > 0 {
            let group = walk.group.as_ref().and_then(|name| self.groups.get(name));
            if walk.has_more_offsets
                && let Some(group) = group
            {
                tell_offsets(group, walk, &mut left, &mut take);
                continue;
            }
            let behind = walk.group.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let Some((name, group)) =
                self.groups.range::<Arc<str>, _>((behind, Bound::Unbounded)).next()
            else {
                return false;
            };
            *walk = SnapshotWalk {
                group: Some(Arc::clone(name)),
                offset: None,
                has_more_offsets: true,
            };
            left = left.saturating_sub(tell_group(group, &mut take));
        }
        true
    }

    /// Names all appends up to now: see [`Self::has_decided`].
    pub const fn appends_begun(&self) -> u64 {
        self.cx.appends_begun()
    }

    /// True once the first `count` appends are committed or have failed.
    pub fn has_decided(&self, count: u64) -> bool {
        self.cx.appends.first_key_value().is_none_or(|(id, _)| id.0 >= count)
    }

    /// Appends that have failed.
    pub const fn appends_failed(&self) -> u64 {
        self.cx.appends_failed
    }
}

/// Tells a group's own records, and how many they were.
fn tell_group(group: &Group, take: &mut impl FnMut(&[u8], &[u8])) -> usize {
    let mut count = 0;
    if let Some(value) = &group.logged {
        let key = GroupMetadataKey { group: group.name.to_string() };
        take(&GroupRecord::Group(key.group, None).encode_key(), value);
        count += 1;
    }
    for record in group.consumer.iter().flat_map(|consumer| consumer.snapshot_records()) {
        if let Some(value) = record.encode_value() {
            take(&record.encode_key(&group.name), &value);
            count += 1;
        }
    }
    count
}

/// Tells the next of a group's offsets, at most `left`.
fn tell_offsets(
    group: &Group,
    walk: &mut SnapshotWalk,
    left: &mut usize,
    take: &mut impl FnMut(&[u8], &[u8]),
) {
    let after = walk.offset.take();
    let after = after.as_ref().map(|(topic, partition)| (&**topic, *partition));
    let mut key = OffsetKey { group: group.name.to_string(), ..OffsetKey::default() };
    for (topic, partition, value) in group.offsets.committed_after(after) {
        if *left == 0 {
            return;
        }
        if key.topic != **topic {
            topic.as_ref().clone_into(&mut key.topic);
        }
        key.partition = partition;
        tell_offset(&key, value, take);
        walk.offset = Some((Arc::clone(topic), partition));
        *left -= 1;
    }
    walk.has_more_offsets = false;
}

fn tell_offset(key: &OffsetKey, value: &OffsetValue, take: &mut impl FnMut(&[u8], &[u8])) {
    take(&encode_offset_key(key), &encode_offset_value(value));
}

//! How far consumer groups are behind, as one shard's coordinators know it: made by the shard every
//! few seconds, read by the admin port.
//!
//! Whoever reads holds the lock for as long as it takes to count a reference up; the shard does not
//! wait for it, but keeps what it has until the next time.

use std::sync::{Arc, Mutex, PoisonError};

use crate::coordinator::GroupReport;

/// What is known of the groups that one shard coordinates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupLags {
    /// Groups, by partition of the offsets topic and name.
    pub groups: Vec<GroupLag>,
    /// Groups and partitions for which there was no room.
    pub left_out: usize,
}

/// One group and how far it is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupLag {
    /// The group and its offsets.
    pub report: GroupReport,
    /// For each of its offsets: records between it and the high watermark; none if the partition
    /// is not there.
    pub lags: Vec<Option<i64>>,
}

/// The place where a shard leaves what it knows.
#[derive(Debug, Default)]
pub struct Published(Mutex<Arc<GroupLags>>);

impl Published {
    /// Leaves it there. False if somebody reads at this very moment: nothing has changed then.
    pub fn publish(&self, lags: Arc<GroupLags>) -> bool {
        let Ok(mut place) = self.0.try_lock() else { return false };
        *place = lags;
        true
    }

    /// What was left there last.
    pub fn read(&self) -> Arc<GroupLags> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

//! How far consumer groups are behind, as one shard's coordinators know it: made by the shard every
//! few seconds, read by the admin port.

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

//! What a run comes to.

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was wrong, if anything was.
    pub violation: Option<String>,
    /// The hash of all that happened.
    pub trace: u64,
    /// Records acknowledged.
    pub acked_count: u64,
    /// Records read.
    pub read_count: u64,
    /// Records that compaction removed, as a reader saw it last.
    pub compacted_count: u64,
    /// Groups' commits that were acknowledged.
    pub commit_count: u64,
    /// Groups' commits that were refused because they were of an old generation or epoch.
    pub fenced_count: u64,
    /// Offsets that were seen to be forgotten, as they might be.
    pub forgotten_count: u64,
    /// Records that compaction removed from the offsets topic.
    pub offsets_removed: u64,
    /// Coordinators of groups that were compared with their logs.
    pub states_compared: u64,
    /// Those of them that had loaded a snapshot.
    pub snapshots_compared: u64,
    /// Shards' turns.
    pub turns: u64,
}

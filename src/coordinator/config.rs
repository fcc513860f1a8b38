//! What the group coordinator is configured with, resolved to plain values.

use super::consumer::assignor::Assignor;

/// Kafka's group configurations that matter to the classic protocol and to offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.max.size`: members of one group.
    pub size_max: usize,
    /// `group.min.session.timeout.ms`.
    pub session_timeout_ms_min: i32,
    /// `group.max.session.timeout.ms`.
    pub session_timeout_ms_max: i32,
    /// `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay_ms: u64,
    /// `offset.metadata.max.bytes`; Kafka counts UTF-16 units.
    pub offset_metadata_max: usize,
    /// `offsets.retention.minutes`, in ms.
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_ms: u64,
    /// What concerns consumer groups (KIP-848).
    pub consumer: ConsumerConfig,
}

/// Kafka's configurations of consumer groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerConfig {
    /// `group.coordinator.rebalance.protocols` has `consumer`.
    pub is_enabled: bool,
    /// `group.consumer.max.size`: members of one group.
    pub size_max: usize,
    /// `group.consumer.session.timeout.ms`; a group may have its own.
    pub session_timeout_ms: u64,
    /// Bounds of a group's own session time-out, ms.
    pub session_timeout_ms_bounds: (u64, u64),
    /// `group.consumer.heartbeat.interval.ms`; a group may have its own.
    pub heartbeat_interval_ms: u64,
    /// Bounds of a group's own heartbeat interval, ms.
    pub heartbeat_interval_ms_bounds: (u64, u64),
    /// `group.consumer.assignment.interval.ms`; a group may have its own.
    pub assignment_interval_ms: u64,
    /// Bounds of a group's own assignment interval, ms.
    pub assignment_interval_ms_bounds: (u64, u64),
    /// `group.consumer.assignors`: those that are offered, the default first.
    pub assignors: Vec<Assignor>,
    /// `group.consumer.migration.policy`.
    pub migration: Migration,
}

/// Which protocol a group may go over to while it has members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migration {
    /// Neither.
    Disabled,
    /// From classic to consumer.
    Upgrade,
    /// From consumer to classic.
    Downgrade,
    /// Both.
    Bidirectional,
}

impl Migration {
    /// The one of a name, in any case; Kafka's default for any other.
    pub fn from_name(name: &str) -> Self {
        let all = [Self::Disabled, Self::Upgrade, Self::Downgrade];
        let names = ["disabled", "upgrade", "downgrade"];
        let found = all.into_iter().zip(names).find(|(_, it)| it.eq_ignore_ascii_case(name));
        found.map_or(Self::Bidirectional, |(policy, _)| policy)
    }

    pub(super) const fn upgrades(self) -> bool {
        matches!(self, Self::Upgrade | Self::Bidirectional)
    }

    pub(super) const fn downgrades(self) -> bool {
        matches!(self, Self::Downgrade | Self::Bidirectional)
    }
}

impl Default for ConsumerConfig {
    /// Kafka's defaults.
    fn default() -> Self {
        Self {
            is_enabled: true,
            size_max: i32::MAX as usize,
            session_timeout_ms: 45_000,
            session_timeout_ms_bounds: (45_000, 60_000),
            heartbeat_interval_ms: 5_000,
            heartbeat_interval_ms_bounds: (5_000, 15_000),
            assignment_interval_ms: 1_000,
            assignment_interval_ms_bounds: (0, 15_000),
            assignors: vec![Assignor::Uniform, Assignor::Range],
            migration: Migration::Bidirectional,
        }
    }
}

/// How long a member whose first join still waits is kept, ms: it has no id yet, so it cannot
/// heartbeat, and a client that gave up must not hold the group for ever. Kafka's constant.
pub(super) const NEW_MEMBER_JOIN_TIMEOUT_MS: u64 = 5 * 60 * 1000;

impl Default for GroupConfig {
    /// Kafka's defaults.
    fn default() -> Self {
        Self {
            size_max: i32::MAX as usize,
            session_timeout_ms_min: 6_000,
            session_timeout_ms_max: 1_800_000,
            initial_rebalance_delay_ms: 3_000,
            offset_metadata_max: 4_096,
            offsets_retention_ms: 10_080 * 60_000,
            offsets_retention_check_ms: 600_000,
            consumer: ConsumerConfig::default(),
        }
    }
}

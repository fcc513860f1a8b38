//! The numbers that name things in a partition's log, as types that cannot be swapped by accident.

/// A record's place in its partition, 0-based. Negative values are sentinels of Kafka's wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Offset {
    /// The offset `delta` records further on; stays at the far end rather than wrap.
    #[must_use]
    pub const fn plus(self, delta: i64) -> Self {
        Self(self.0.saturating_add(delta))
    }

    /// The offset behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        self.plus(1)
    }
}

impl std::fmt::Display for Offset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a leader's reign over a partition; grows with every change of leader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaderEpoch(pub i32);

impl LeaderEpoch {
    /// What a client writes, and what stands where no epoch is known.
    pub const NONE: Self = Self(-1);
}

impl std::fmt::Display for LeaderEpoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An idempotent or transactional producer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProducerId(pub i64);

impl ProducerId {
    /// Stands in batches of producers that are not idempotent.
    pub const NONE: Self = Self(-1);

    /// True for a producer that numbers its batches.
    pub const fn is_some(self) -> bool {
        self.0 != Self::NONE.0
    }
}

impl std::fmt::Display for ProducerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

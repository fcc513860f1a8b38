//! Client quotas: who is held to what, how much was used, and how long somebody has to wait.
//!
//! Arithmetic and tables only; time is an argument, in ms of any clock that does not go back.
//!
//! - [`Rules`]: limits of users and client ids, and which one a client is held to.
//! - [`Rate`]: use over a sliding window of samples, as Kafka measures it.
//! - [`Buckets`]: tokens of clients that create and delete partitions, in the one place where they do.
//! - [`Meters`]: one [`Rate`] for each client that is held to something, on one shard. What a
//!   client uses on other shards arrives as [`Usage`] and counts like its use here.
//!
//! Integers throughout: limits are millionths of a unit per second, so that the same use leads to
//! the same wait everywhere. Source: KIP-13, KIP-55, KIP-124, KIP-219, KIP-599.

mod bucket;
mod meters;
mod rate;
mod rules;
mod spent;

pub use bucket::{Buckets, InDebt, Overdrawn};
pub use meters::{METERS_MAX, Meters, Usage};
pub use rate::{Rate, WindowConfig};
pub use rules::{EntityName, Limit, Rules};
pub use spent::{Holder, Spent};

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuotaKind {
    /// Bytes of Produce requests: `producer_byte_rate`.
    Produce,
    /// Bytes of Fetch replies: `consumer_byte_rate`.
    Fetch,
    /// Time that requests take of a thread: `request_percentage`. Counted in ns.
    Request,
    /// Partitions that are created and deleted: `controller_mutation_rate`.
    Mutation,
}

impl QuotaKind {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Produce, Self::Fetch, Self::Request, Self::Mutation];

    /// The configuration key that limits it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Produce => "producer_byte_rate",
            Self::Fetch => "consumer_byte_rate",
            Self::Request => "request_percentage",
            Self::Mutation => "controller_mutation_rate",
        }
    }

    /// Units per second that the value 1 of the key stands for: bytes, partitions, and 1 % of a
    /// second in ns.
    const fn units(self) -> u32 {
        match self {
            Self::Produce | Self::Fetch | Self::Mutation => 1,
            Self::Request => 10_000_000,
        }
    }

    /// The limit that a stored value means; none if it limits nothing that could be.
    pub fn limit(self, value: f64) -> Option<Limit> {
        Limit::per_second(value * f64::from(self.units()))
    }

    const fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests;

//! What a shard counts: one writer, any reader, no locks.
//!
//! The shard adds; the admin port reads and sums over shards. A reader may see one counter a little
//! ahead of another.

use std::sync::atomic::{AtomicU64, Ordering};

use millrace_net::ApiKey;

use crate::group_lag::GroupLags;
use crate::published::Published;
use crate::quota_use::QuotaUse;
use crate::slowest::Slowest;

/// A number that one shard writes.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds; only the owning shard does.
    pub fn add(&self, more: u64) {
        // One writer: a load and a store cost less than a locked addition, and lose nothing.
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    /// Sets a gauge; only the owning shard does.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The number as it stands.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Buckets of a [`Latency`]: powers of two from 1 µs to about 67 s, and one above.
pub const LATENCY_BUCKETS: usize = 28;

/// A histogram of durations, one bucket per power of two of microseconds.
#[derive(Debug, Default)]
pub struct Latency {
    buckets: [Counter; LATENCY_BUCKETS],
    sum_ns: Counter,
}

impl Latency {
    /// Notes one duration.
    pub fn observe(&self, ns: u64) {
        let us = ns.div_ceil(1000).max(1);
        let bucket = (64 - (us - 1).leading_zeros()) as usize;
        self.buckets[bucket.min(LATENCY_BUCKETS - 1)].add(1);
        self.sum_ns.add(ns);
    }

    /// Durations in each bucket; bucket `i` holds those up to `2^i` µs that are in none before.
    pub fn counts(&self) -> [u64; LATENCY_BUCKETS] {
        std::array::from_fn(|index| self.buckets[index].get())
    }

    /// All durations together, ns.
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns.get()
    }
}

/// A part of a request's way. The clock is read once a turn, so a stage that begins and ends in
/// one turn takes no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From being received to being taken up.
    Queue,
    /// From a Produce being taken up to the answer of its last partition.
    Append,
    /// One round of a log's syncs.
    Sync,
    /// A fetch waits for records.
    Park,
    /// From replies being ready to the kernel having taken them.
    Send,
}

/// All stages, in the order of a request's way.
pub const STAGES: [Stage; 5] = [Stage::Queue, Stage::Append, Stage::Sync, Stage::Park, Stage::Send];

impl Stage {
    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Append => "append",
            Self::Sync => "sync",
            Self::Park => "park",
            Self::Send => "send",
        }
    }
}

/// API keys are below this.
const API_KEYS: usize = 96;

/// What a number does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down; the sum over the shards means something.
    Gauge,
    /// It goes up and down; the largest of the shards means something.
    Max,
}

/// A counter's name, kind and meaning, for metrics and their documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Described {
    /// The field's name.
    pub name: &'static str,
    /// What it does over time.
    pub kind: Kind,
    /// The field's documentation.
    pub help: &'static str,
}

macro_rules! counters {
    ($($(#[doc = $help:literal])+ $kind:ident $name:ident,)*) => {
        /// All of one shard's counters.
        #[derive(Debug)]
        pub struct Counters {
            $($(#[doc = $help])+ pub $name: Counter,)*
            apis: [Latency; API_KEYS],
            stages: [Latency; STAGES.len()],
            /// The slowest requests.
            pub slowest: Slowest,
            /// How far groups are behind.
            pub group_lags: Published<GroupLags>,
            /// What clients that are held to quotas used.
            pub quota_use: Published<QuotaUse>,
        }

        impl Default for Counters {
            fn default() -> Self {
                Self {
                    $($name: Counter::default(),)*
                    apis: std::array::from_fn(|_| Latency::default()),
                    stages: std::array::from_fn(|_| Latency::default()),
                    slowest: Slowest::default(),
                    group_lags: Published::default(),
                    quota_use: Published::default(),
                }
            }
        }

        impl Counters {
            /// What there is besides the latencies, in the order of [`Self::values`].
            pub const DESCRIBED: &[Described] = &[$(Described {
                name: stringify!($name),
                kind: Kind::$kind,
                help: concat!($($help),+),
            },)*];

            /// All numbers now; each is exact, together they are no snapshot of one moment.
            pub fn values(&self) -> [u64; Self::DESCRIBED.len()] {
                [$(self.$name.get(),)*]
            }
        }
    };
}

counters! {
    /// Connections open.
    Gauge connections,
    /// Connections taken in.
    Counter connections_accepted,
    /// Connections closed at once: their address had `max.connections.per.ip`, or too many waited.
    Counter connections_refused,
    /// Connections that wait for `max.connections` or `max.connection.creation.rate`.
    Gauge connections_waiting,
    /// Connections closed for `connections.max.idle.ms`.
    Counter connections_idle_closed,
    /// Times a connection was paused because the shard held too many bytes of requests.
    Counter connections_paused,
    /// Connections beyond `connection_creation_rate`, held for a while and closed.
    Counter connections_throttled,
    /// Frames that were no request, and ended their connection.
    Counter frames_refused,
    /// Requests begun.
    Counter requests,
    /// Produce requests in which some partition failed.
    Counter produce_failed,
    /// Produce requests whose client is over its `producer_byte_rate`.
    Counter produce_throttled,
    /// Fetch requests answered without records: their client is over its `consumer_byte_rate`.
    Counter fetch_throttled,
    /// Requests whose client is over its `request_percentage`.
    Counter requests_throttled,
    /// Requests that create or delete partitions, whose client is over its
    /// `controller_mutation_rate`.
    Counter mutations_throttled,
    /// Milliseconds that connections were made to wait for quotas.
    Counter throttle_ms,
    /// Bytes of batches accepted for appending.
    Counter bytes_in,
    /// Records in them.
    Counter records_in,
    /// Bytes of Fetch replies.
    Counter bytes_out,
    /// Partitions owned.
    Gauge partitions,
    /// Long polls woken by an append; each looked at once.
    Counter waiters_woken,
    /// Logs that have no space to write to.
    Gauge disk_full,
    /// Times that a log or a listener had to wait, because descriptors or memory were short.
    Counter exhausted,
    /// Places found corrupt and put into quarantine.
    Counter corruptions,
    /// Logs that failed for good.
    Counter logs_failed,
    /// 1 once the shard serves clients.
    Gauge serving,
    /// Partitions of `__consumer_offsets` whose groups are being loaded.
    Gauge group_partitions_loading,
    /// Records that loading groups has read.
    Counter group_records_loaded,
    /// Times that loading a partition's groups failed; each is tried again.
    Counter group_load_failures,
    /// Snapshots of group coordinators that were written.
    Counter group_snapshots,
    /// Loadings of groups that began with a snapshot.
    Counter group_snapshots_loaded,
    /// Snapshots that were not used: of another log, too old, or spoiled.
    Counter group_snapshots_ignored,
    /// Compactions of a log that came to their end.
    Counter compaction_runs,
    /// Time that they took, ms.
    Counter compaction_run_milliseconds,
    /// Compactions under way.
    Gauge compaction_running,
    /// Bytes that compaction has read, both passes together.
    Counter compaction_bytes_read,
    /// Bytes that compaction has written.
    Counter compaction_bytes_written,
    /// Records that compaction has removed.
    Counter compaction_records_removed,
    /// Bytes of sealed segments that wait to be compacted, when a log was chosen last.
    Gauge compaction_dirty_bytes,
    /// The dirtiest log's share of bytes to be compacted, percent, when a log was chosen last.
    Max compaction_dirty_percent_max,
    /// Compactions that failed.
    Counter compaction_failures,
    /// When a compaction failed last, seconds since 1970; 0 if none did.
    Max compaction_last_failure_seconds,
    /// Partitions that are not compacted until the next start, because their compaction failed.
    Gauge compaction_uncleanable_partitions,
    /// Times the thread that computes for compactions died over a piece, and another took its place.
    Counter compaction_worker_restarts,
}

impl Counters {
    /// How long a stage took.
    pub const fn stage(&self, stage: Stage) -> &Latency {
        &self.stages[stage as usize]
    }

    /// How long requests of an API took, from being taken up to the reply being ready. A Fetch
    /// includes its wait for records.
    pub fn api(&self, key: ApiKey) -> &Latency {
        &self.apis[usize::try_from(key.code()).unwrap_or(0).min(API_KEYS - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_smallest_power_of_two_that_holds_it() {
        let latency = Latency::default();
        for ns in [0, 1000, 1001, 2000, 2001, 4_000_000, u64::MAX / 2] {
            latency.observe(ns);
        }
        let counts = latency.counts();
        assert_eq!(counts[0], 2, "up to 1 µs");
        assert_eq!(counts[1], 2, "up to 2 µs");
        assert_eq!(counts[2], 1, "up to 4 µs");
        assert_eq!(counts[12], 1, "up to 4096 µs");
        assert_eq!(counts[LATENCY_BUCKETS - 1], 1, "beyond");
    }
}

//! What is measured: named suites with their goals.

mod compaction;
mod groups;
mod idle;
mod latency;
mod start;

pub use compaction::{
    CompactionOptions, CompactionResult, UNBOUNDED, compaction_beside, compaction_figures,
    compaction_quiet,
};
pub use groups::{GROUP_LOAD_SETTINGS, GroupLoadOptions, group_load};
pub use idle::{IdleOptions, idle};
pub use latency::{LatencyOptions, LatencyResult, latency, latency_figures};
pub use start::{StartOptions, start};

use anyhow::Result;
use clap::ValueEnum;

use crate::baseline::{Files, Kind, Loop};
use crate::compare::{Rounds, Workload, compare};
use crate::load::{BatchShape, Consume, Pace, RunOptions};
use crate::report::SuiteResult;
use crate::server::{Place, Spec};

/// A comparison by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Suite {
    /// Produce, 1 MiB batches, against `crcsink`.
    #[value(name = "produce-1m")]
    Produce1m,
    /// Produce, 64 KiB batches, against `crcsink`.
    #[value(name = "produce-64k")]
    Produce64k,
    /// Produce, one 200-byte record a request, 64 connections, against `sink`.
    Small,
    /// Fetch, 64 KiB, discarding consumer, against `source`.
    #[value(name = "fetch-64k")]
    Fetch64k,
    /// Fetch, 1 MiB, discarding consumer, against `source`.
    #[value(name = "fetch-1m")]
    Fetch1m,
    /// Fetch, 1 MiB, copying consumer, against `source`.
    #[value(name = "fetch-1m-copy")]
    Fetch1mCopy,
    /// Produce, 1,000 B records in 256 KiB batches, 6 partitions, beside Kafka.
    #[value(name = "kafka-produce-1000")]
    KafkaProduce1000,
    /// Produce, 100 B records in 128 KiB batches, 6 partitions, beside Kafka.
    #[value(name = "kafka-produce-100")]
    KafkaProduce100,
    /// Produce, one 200 B record a request, beside Kafka.
    #[value(name = "kafka-small")]
    KafkaSmall,
    /// Fetch, 1,000 B records, 1 MiB, 6 partitions, beside Kafka.
    #[value(name = "kafka-fetch-1000")]
    KafkaFetch1000,
    /// Fetch, 100 B records, 1 MiB, 6 partitions, beside Kafka.
    #[value(name = "kafka-fetch-100")]
    KafkaFetch100,
}

/// All suites that need no Kafka.
pub const OWN: [Suite; 6] = [
    Suite::Produce1m,
    Suite::Produce64k,
    Suite::Small,
    Suite::Fetch64k,
    Suite::Fetch1m,
    Suite::Fetch1mCopy,
];

/// All suites beside Kafka.
pub const BESIDE_KAFKA: [Suite; 5] = [
    Suite::KafkaProduce1000,
    Suite::KafkaProduce100,
    Suite::KafkaSmall,
    Suite::KafkaFetch1000,
    Suite::KafkaFetch100,
];

/// How a suite is run.
#[derive(Clone, Debug)]
pub struct SuiteOptions {
    /// Brokers to compare.
    pub brokers: Vec<Spec>,
    /// Measured rounds.
    pub rounds: usize,
    /// Rounds before them that are thrown away; at least one.
    pub warmup: usize,
    /// Multiplies the amount of work; 1.0 appends about 130 MB a run, so that a run ends before
    /// the hypervisor has taken back the pages that were warmed for it.
    pub scale: f64,
    /// Where.
    pub place: Place,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * 1024;

fn records(batch_bytes: usize, record_bytes: usize) -> BatchShape {
    BatchShape { batch_bytes, record_bytes, records_max: usize::MAX }
}

fn baseline(kind: Kind, serve: Loop, files: Files, fetch_bytes: u32) -> Spec {
    Spec::Baseline { kind, serve, files, fetch_bytes }
}

/// Work of a run, scaled.
#[allow(clippy::cast_possible_truncation, reason = "counts of requests are far below 2^52")]
fn scaled(requests: u64, scale: f64) -> u64 {
    ((requests as f64 * scale) as u64).max(16)
}

struct Recipe {
    workload: Workload,
    baselines: Vec<Spec>,
    says: &'static str,
    goal: &'static str,
}

/// A produce recipe: connections, depth and requests are `run`'s.
fn produce(batch: BatchShape, partitions: i32, run: [u64; 3], scale: f64) -> Workload {
    Workload::Produce { batch, partitions, acks: 1, run: run_options(run, scale) }
}

fn run_options([connections, depth, requests]: [u64; 3], scale: f64) -> RunOptions {
    RunOptions {
        connections: usize::try_from(connections).unwrap_or(1),
        depth: usize::try_from(depth).unwrap_or(1),
        requests: scaled(requests, scale),
        pace: Pace::Closed,
    }
}

fn fetch(
    batch: BatchShape,
    partitions: i32,
    fetch_bytes: u32,
    consume: Consume,
    run: [u64; 3],
    scale: f64,
) -> Workload {
    // 256 MiB in all partitions together: in the page cache for certain.
    let batches = (256 * MIB / batch.batch_bytes) / usize::try_from(partitions).unwrap_or(1);
    let batches = u32::try_from(batches).unwrap_or(1);
    let run = run_options(run, scale);
    Workload::Fetch { batch, partitions, batches, fetch_bytes, consume, run }
}

/// The baselines of a bulk produce suite.
fn crcsinks() -> Vec<Spec> {
    vec![
        baseline(Kind::Crcsink, Loop::Epoll, Files::Recycled, 0),
        baseline(Kind::Crcsink, Loop::Epoll, Files::Fresh, 0),
        baseline(Kind::Crcsink, Loop::Epoll, Files::Renamed, 0),
        baseline(Kind::Crcsink, Loop::Threads, Files::Fresh, 0),
    ]
}

fn recipe(suite: Suite, scale: f64) -> Recipe {
    let source = |bytes| {
        vec![
            baseline(Kind::Source, Loop::Epoll, Files::Nowhere, bytes),
            baseline(Kind::Source, Loop::Threads, Files::Nowhere, bytes),
        ]
    };
    let (k64, m1) = (64 << 10, 1 << 20);
    let discard = Consume::Discard;
    match suite {
        Suite::Produce1m => Recipe {
            workload: produce(records(MIB, 1000), 1, [1, 5, 128], scale),
            baselines: crcsinks(),
            says: "produce, 1 MiB batches, 1 connection, 5 in flight, 1 partition, acks=1",
            goal: "crcsink / millrace >= 0.90",
        },
        Suite::Produce64k => Recipe {
            workload: produce(records(64 * KIB, 1000), 1, [1, 5, 2_048], scale),
            baselines: crcsinks(),
            says: "produce, 64 KiB batches, 1 connection, 5 in flight, 1 partition, acks=1",
            goal: "crcsink / millrace >= 0.80",
        },
        Suite::Small | Suite::KafkaSmall => Recipe {
            workload: produce(
                BatchShape { batch_bytes: 0, record_bytes: 200, records_max: 1 },
                16,
                [64, 5, 150_000],
                scale,
            ),
            baselines: vec![
                baseline(Kind::Sink, Loop::Epoll, Files::Recycled, 0),
                baseline(Kind::Sink, Loop::Epoll, Files::Fresh, 0),
                baseline(Kind::SinkCo, Loop::Epoll, Files::Recycled, 0),
            ],
            says: "produce, one 200 B record a request, 64 connections, 5 in flight, 16 partitions",
            goal: "sink / millrace >= 1.2, at most 0.15 system calls per request",
        },
        Suite::Fetch64k => Recipe {
            workload: fetch(records(64 * KIB, 1000), 4, k64, discard, [16, 1, 40_000], scale),
            baselines: source(k64),
            says: "fetch, 64 KiB, 16 connections, discarding consumer",
            goal: "source / millrace >= 0.95",
        },
        Suite::Fetch1m => Recipe {
            workload: fetch(records(64 * KIB, 1000), 4, m1, discard, [16, 1, 4_000], scale),
            baselines: source(m1),
            says: "fetch, 1 MiB, 16 connections, discarding consumer",
            goal: "source / millrace >= 0.95",
        },
        Suite::Fetch1mCopy => Recipe {
            workload: fetch(records(64 * KIB, 1000), 4, m1, Consume::Copy, [16, 1, 4_000], scale),
            baselines: source(m1),
            says: "fetch, 1 MiB, 16 connections, copying consumer",
            goal: "source / millrace >= 0.95",
        },
        Suite::KafkaProduce1000 => Recipe {
            workload: produce(records(256 * KIB, 1000), 6, [1, 5, 512], scale),
            baselines: vec![baseline(Kind::Crcsink, Loop::Epoll, Files::Fresh, 0)],
            says: "produce, 1,000 B records, 256 KiB batches, 6 partitions, 1 connection, acks=1",
            goal: "CPU-s per GB at most a fifth of Kafka's",
        },
        Suite::KafkaProduce100 => Recipe {
            workload: produce(records(128 * KIB, 100), 6, [1, 5, 1_024], scale),
            baselines: vec![baseline(Kind::Crcsink, Loop::Epoll, Files::Fresh, 0)],
            says: "produce, 100 B records, 128 KiB batches, 6 partitions, 1 connection, acks=1",
            goal: "CPU-s per GB at most a fifth of Kafka's",
        },
        Suite::KafkaFetch1000 => Recipe {
            workload: fetch(records(256 * KIB, 1000), 6, m1, discard, [6, 1, 4_000], scale),
            baselines: source(m1),
            says: "fetch, 1,000 B records, 1 MiB, 6 partitions, 6 connections",
            goal: "beside Kafka",
        },
        Suite::KafkaFetch100 => Recipe {
            workload: fetch(records(128 * KIB, 100), 6, m1, discard, [6, 1, 4_000], scale),
            baselines: source(m1),
            says: "fetch, 100 B records, 1 MiB, 6 partitions, 6 connections",
            goal: "beside Kafka",
        },
    }
}

/// Runs one suite.
pub fn run(suite: Suite, options: &SuiteOptions) -> Result<SuiteResult> {
    let recipe = recipe(suite, options.scale);
    let mut specs = recipe.baselines;
    specs.extend(options.brokers.iter().cloned());
    let name = suite.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned());
    let rounds = Rounds { warmup: options.warmup, measured: options.rounds };
    let arms = compare(&specs, &recipe.workload, rounds, &options.place, &name)?;
    let (workload, goal) = (recipe.says.to_owned(), recipe.goal.to_owned());
    Ok(SuiteResult { name, workload, goal, arms })
}

//! Several servers, one workload, one run: rounds in alternating order, ratios within a round.
//!
//! A round runs every arm once. Odd rounds run them in reverse order, so that a drift of the
//! machine meets all arms alike (A-B, B-A, A-B …). A ratio is taken within a round, and the median
//! of the ratios is reported with its bootstrap interval.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::client::Client;
use crate::load::{
    self, BatchShape, Consume, FetchPlan, FetchShape, Outcome, Pace, ProducePlan, ProduceShape,
    RunOptions, build_batch,
};
use crate::meter::{self, Machine, Memory};
use crate::server::{Place, Server, Spec};
use crate::stats::{Estimate, estimate, median};

/// What every arm is asked to do.
#[derive(Clone, Debug)]
pub enum Workload {
    /// Produce into a new topic each time, which is deleted afterwards.
    Produce {
        /// Batches.
        batch: BatchShape,
        /// Partitions of the topic.
        partitions: i32,
        /// 1 or -1.
        acks: i16,
        /// Connections, depth, requests, pace.
        run: RunOptions,
    },
    /// Fetch what was produced once, before the rounds.
    Fetch {
        /// Batches of the log.
        batch: BatchShape,
        /// Partitions of the topic.
        partitions: i32,
        /// Batches in each partition.
        batches: u32,
        /// Bytes of one fetch.
        fetch_bytes: u32,
        /// What becomes of the bytes.
        consume: Consume,
        /// Connections, depth, requests, pace.
        run: RunOptions,
    },
}

/// One arm's run in one round.
#[derive(Clone, Debug, Serialize)]
pub struct Sample {
    /// CPU-seconds per GB (10^9) of record batches.
    pub cpu_s_per_gb: f64,
    /// CPU-seconds per million requests, which is CPU-µs per request.
    pub cpu_us_per_request: f64,
    /// Share of CPU time in user mode, percent.
    pub user_percent: f64,
    /// Requests per second of wall time.
    pub requests_per_s: f64,
    /// MB (10^6) per second of wall time.
    pub mb_per_s: f64,
    /// Generator's CPU time over the server's.
    pub client_cpu_ratio: f64,
    /// Latency, µs.
    pub p50_us: f64,
    /// Latency, µs.
    pub p99_us: f64,
    /// Steal of the machine, percent.
    pub steal_percent: f64,
    /// What moved in the server's metrics, per request.
    pub counters: BTreeMap<String, f64>,
}

/// One arm over all rounds.
#[derive(Clone, Debug, Serialize)]
pub struct ArmResult {
    /// Its name.
    pub name: String,
    /// Whether it is a baseline.
    pub baseline: bool,
    /// Samples in order of rounds.
    pub samples: Vec<Sample>,
    /// CPU of each baseline over CPU of this arm, per request: above 1 this arm is cheaper.
    pub ratios: BTreeMap<String, Estimate>,
    /// Memory after the last round.
    pub memory: Memory,
}

impl ArmResult {
    /// The median of one figure over the samples.
    pub fn median_of(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(&self.samples.iter().map(figure).collect::<Vec<f64>>())
    }

    /// System calls of the server's own threads per request, by its counters.
    pub fn syscalls_per_request(&self) -> Option<f64> {
        let of = |sample: &Sample| -> f64 {
            let call = |name: &str| SYSCALL_COUNTERS.iter().any(|known| name.contains(known));
            sample.counters.iter().filter(|(name, _)| call(name)).map(|(_, value)| value).sum()
        };
        let value = self.median_of(of);
        (value > 0.0).then_some(value)
    }
}

/// The driver's counters that are system calls.
const SYSCALL_COUNTERS: &[&str] = &[
    "_enters",
    "_epoll_waits",
    "_recv_calls",
    "_send_calls",
    "_sendfile_calls",
    "_read_calls",
    "_write_calls",
    "_other_calls",
];

struct Arm {
    server: Server,
    samples: Vec<Sample>,
    /// The topic that is fetched from, once it is filled.
    filled: Option<String>,
}

/// Runs `rounds` rounds (after one that is thrown away) of `workload` over all `specs`.
pub fn compare(
    specs: &[Spec],
    workload: &Workload,
    rounds: usize,
    place: &Place,
    title: &str,
) -> Result<Vec<ArmResult>> {
    let mut arms = Vec::new();
    for spec in specs {
        let server = Server::start(spec, place)?;
        arms.push(Arm { server, samples: Vec::new(), filled: None });
    }
    let bar = progress((rounds + 1) * arms.len(), title);
    for round in 0..=rounds {
        let mut order: Vec<usize> = (0..arms.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let arm = &mut arms[index];
            bar.set_message(arm.server.spec().name());
            let sample = run_once(arm, workload, round)
                .with_context(|| format!("{title}: {}", arm.server.spec().name()))?;
            if round > 0 {
                arm.samples.push(sample);
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    arms.iter().map(|arm| result(arm, &arms)).collect()
}

fn progress(steps: usize, title: &str) -> ProgressBar {
    let style = "{prefix} [{bar:30}] {pos}/{len} {msg} ({elapsed})";
    let style =
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps as u64).with_style(style).with_prefix(title.to_owned())
}

fn result(arm: &Arm, all: &[Arm]) -> Result<ArmResult> {
    let mut ratios = BTreeMap::new();
    for other in all.iter().filter(|other| other.server.spec().is_baseline()) {
        if std::ptr::eq(other, arm) {
            continue;
        }
        let pairs = other.samples.iter().zip(&arm.samples);
        let samples: Vec<f64> =
            pairs.map(|(base, own)| base.cpu_us_per_request / own.cpu_us_per_request).collect();
        ratios.insert(other.server.spec().name(), estimate(&samples));
    }
    Ok(ArmResult {
        name: arm.server.spec().name(),
        baseline: arm.server.spec().is_baseline(),
        samples: arm.samples.clone(),
        ratios,
        memory: meter::memory(arm.server.pid())?,
    })
}

fn run_once(arm: &mut Arm, workload: &Workload, round: usize) -> Result<Sample> {
    let broker = !arm.server.spec().is_baseline();
    match workload {
        Workload::Produce { batch, partitions, acks, run } => {
            // Equally long names, so that all frames are equally long.
            let topic = format!("bench-{round:06}");
            if broker {
                Client::connect(arm.server.addr())?.create_topic(&topic, *partitions, &[])?;
            }
            let name = topic.clone();
            let shape = ProduceShape { topic, partitions: *partitions, batch: *batch, acks: *acks };
            let mut plan = ProducePlan::new(&shape)?;
            let sample = measured(&arm.server, || load::run(arm.server.addr(), &mut plan, *run))?;
            if broker {
                Client::connect(arm.server.addr())?.delete_topic(&name)?;
            }
            Ok(sample)
        }
        Workload::Fetch { batch, partitions, batches, fetch_bytes, consume, run } => {
            let topic = match &arm.filled {
                Some(topic) => topic.clone(),
                None => fill(arm, *batch, *partitions, *batches)?,
            };
            let (bytes, records) = build_batch(*batch, 1);
            let mut plan = FetchPlan::new(FetchShape {
                topic,
                partitions: *partitions,
                fetch_bytes: *fetch_bytes,
                batch_bytes: u32::try_from(bytes.len())?,
                batch_records: records,
                batches: *batches,
                consume: *consume,
            })?;
            measured(&arm.server, || load::run(arm.server.addr(), &mut plan, *run))
        }
    }
}

/// Produces what is fetched later; every partition gets `batches` batches.
fn fill(arm: &mut Arm, batch: BatchShape, partitions: i32, batches: u32) -> Result<String> {
    let topic = "bench-fetch".to_owned();
    if !arm.server.spec().is_baseline() {
        Client::connect(arm.server.addr())?.create_topic(&topic, partitions, &[])?;
        let shape = ProduceShape { topic: topic.clone(), partitions, batch, acks: 1 };
        let mut plan = ProducePlan::new(&shape)?;
        let requests = u64::from(batches) * u64::try_from(partitions)?;
        // One connection goes round all partitions in turn, so each gets the same.
        let run = RunOptions { connections: 1, depth: 4, requests, pace: Pace::Closed };
        load::run(arm.server.addr(), &mut plan, run)?;
    }
    arm.filled = Some(topic.clone());
    Ok(topic)
}

fn measured(server: &Server, run: impl FnOnce() -> Result<Outcome>) -> Result<Sample> {
    let metrics = server.metrics();
    let machine = Machine::read()?;
    let before = meter::read(server.pid())?;
    let outcome = run()?;
    let used = meter::read(server.pid())?.since(before);
    let steal_percent = Machine::read()?.steal_percent_since(machine);
    let requests = outcome.requests as f64;
    let seconds = outcome.wall_ns as f64 / 1e9;
    let mut counters = BTreeMap::new();
    for (name, value) in server.metrics() {
        let moved = value - metrics.get(&name).copied().unwrap_or(0.0);
        if moved != 0.0 {
            counters.insert(name, moved / requests);
        }
    }
    let split = (used.user_ns + used.system_ns).max(1);
    Ok(Sample {
        cpu_s_per_gb: used.cpu_ns as f64 / outcome.record_bytes.max(1) as f64,
        cpu_us_per_request: used.cpu_ns as f64 / 1000.0 / requests,
        user_percent: used.user_ns as f64 / split as f64 * 100.0,
        requests_per_s: requests / seconds,
        mb_per_s: outcome.record_bytes as f64 / 1e6 / seconds,
        client_cpu_ratio: outcome.client_cpu_ns as f64 / used.cpu_ns.max(1) as f64,
        p50_us: outcome.latency.value_at_quantile(0.5) as f64 / 1000.0,
        p99_us: outcome.latency.value_at_quantile(0.99) as f64 / 1000.0,
        steal_percent,
        counters,
    })
}

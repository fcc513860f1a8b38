//! Several servers, one workload, one run: rounds in alternating order, ratios within a round.
//!
//! A round runs every arm once. Odd rounds run them in reverse order, so that a drift of the
//! machine meets all arms alike (A-B, B-A, A-B …). A ratio is taken within a round, and the median
//! of the ratios is reported with its bootstrap interval.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::canary;
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

impl Workload {
    /// The same with more requests.
    fn times(&self, times: u64) -> Self {
        let mut more = self.clone();
        let (Self::Produce { run, .. } | Self::Fetch { run, .. }) = &mut more;
        run.requests *= times;
        more
    }
}

/// The run in which system calls are counted is longer, so that what surrounds it (making and
/// deleting its topic) does not show.
const COUNTED_TIMES: u64 = 4;

/// One arm's run in one round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// Requests answered.
    pub requests: u64,
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ArmResult {
    /// Its name.
    pub name: String,
    /// Whether it is a baseline.
    pub baseline: bool,
    /// Samples in order of rounds.
    pub samples: Vec<Sample>,
    /// CPU of each baseline over CPU of this arm, per request: above 1 this arm is cheaper.
    pub ratios: BTreeMap<String, Estimate>,
    /// System calls of the whole process per request, counted by the kernel in a run of its own
    /// after the last round; `None` where `perf` cannot count them.
    pub syscalls_per_request: Option<f64>,
    /// Memory after the last round.
    pub memory: Memory,
}

impl ArmResult {
    /// The median of one figure over the samples.
    pub fn median_of(&self, figure: impl Fn(&Sample) -> f64) -> f64 {
        median(&self.samples.iter().map(figure).collect::<Vec<f64>>())
    }
}

/// The most that is written and freed before a run.
const WARM_BYTES_MAX: usize = 2 << 30;

struct Arm {
    server: Server,
    samples: Vec<Sample>,
    /// The topic that is fetched from, once it is filled.
    filled: Option<String>,
    syscalls: Option<f64>,
}

/// How often every arm runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// Rounds that are thrown away: caches fill, a virtual machine compiles.
    pub warmup: usize,
    /// Rounds that count.
    pub measured: usize,
}

/// Runs `workload` over all `specs`, in rounds of alternating order.
pub fn compare(
    specs: &[Spec],
    workload: &Workload,
    rounds: Rounds,
    place: &Place,
    title: &str,
) -> Result<Vec<ArmResult>> {
    let mut arms = Vec::new();
    for spec in specs {
        let server = Server::start(spec, place)?;
        arms.push(Arm { server, samples: Vec::new(), filled: None, syscalls: None });
    }
    let all = rounds.warmup + rounds.measured;
    let bar = progress(all * arms.len(), title);
    for round in 0..all {
        let mut order: Vec<usize> = (0..arms.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let arm = &mut arms[index];
            bar.set_message(arm.server.spec().name());
            let sample = run_once(arm, workload, round)
                .with_context(|| format!("{title}: {}", arm.server.spec().name()))?;
            if round >= rounds.warmup {
                arm.samples.push(sample);
            }
            bar.inc(1);
        }
    }
    for arm in &mut arms {
        let counter = meter::SyscallCounter::start(arm.server.pid());
        let requests = run_once(arm, &workload.times(COUNTED_TIMES), all)?.requests;
        // A server that was started again during the run was another process: nothing is told.
        arm.syscalls = counter.finish().map(|calls| calls as f64 / requests as f64);
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
        syscalls_per_request: arm.syscalls,
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
            // The hypervisor takes memory back that was free for seconds, and the first touch of
            // such a page costs more than all else. Pages freed a moment ago are what a run gets.
            let bytes = usize::try_from(run.requests)? * plan.batch_bytes();
            canary::warm_up(&arm.server.place().dir, bytes.min(WARM_BYTES_MAX))?;
            let sample = measured(&arm.server, || load::run(arm.server.addr(), &mut plan, *run))?;
            if broker && Client::connect(arm.server.addr())?.delete_topic(&name).is_err() {
                // A broker that cannot delete would fill the memory: it starts again, empty.
                arm.server = Server::start(&arm.server.spec().clone(), arm.server.place())?;
                warm_process(&arm.server, &shape, *run)?;
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

/// Lets a new process touch its own memory for the first time, outside any measurement.
fn warm_process(server: &Server, shape: &ProduceShape, run: RunOptions) -> Result<()> {
    let topic = "warmup-00000".to_owned();
    Client::connect(server.addr())?.create_topic(&topic, shape.partitions, &[])?;
    let mut plan = ProducePlan::new(&ProduceShape { topic, ..shape.clone() })?;
    let requests = (run.requests / 10).max(1);
    load::run(server.addr(), &mut plan, RunOptions { requests, ..run }).map(drop)
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
        requests: outcome.requests,
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

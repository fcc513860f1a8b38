//! Latency at a fixed rate: produce by schedule, counted from when a request was due.
//!
//! Every server gets the same schedule, one after the other, several times over in alternating
//! order. A quantile is the median over those runs, so that one hiccup of the machine does not
//! become one server's tail; the worst run stands beside it.

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::load::{self, BatchShape, Outcome, Pace, ProducePlan, ProduceShape, RunOptions};
use crate::report::Figures;
use crate::server::{Place, Server, Spec};
use crate::stats::median;

/// What is sent, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyOptions {
    /// Requests a second, one table row each.
    pub rates: Vec<f64>,
    /// Length of a run, s.
    pub seconds: f64,
    /// Runs of each server at each rate.
    pub repeats: usize,
    /// Seconds at the first rate before anything counts: a virtual machine compiles.
    pub warmup_seconds: f64,
    /// One request's batch.
    pub batch: BatchShape,
    /// Partitions of the topic.
    pub partitions: i32,
    /// Connections.
    pub connections: usize,
}

/// One server at one rate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LatencyResult {
    /// The server.
    pub server: String,
    /// Requests a second, as scheduled.
    pub rate: f64,
    /// The same, as answered: lower where the server could not keep up.
    pub answered_per_s: f64,
    /// Median over the runs, µs.
    pub p50_us: f64,
    /// Median over the runs, µs.
    pub p99_us: f64,
    /// The worst run's, µs.
    pub p99_worst_us: f64,
    /// Median over the runs, µs.
    pub p999_us: f64,
    /// The longest of all runs, µs.
    pub max_us: f64,
    /// How late the generator itself was, 99th percentile of the worst run, µs.
    pub late_us: f64,
    /// Percentile and latency in µs over all runs together, for plots.
    pub curve: Vec<(f64, f64)>,
}

/// Requests in flight on a connection: more than any schedule here needs, so that none is held
/// back by the generator while the server can take it.
const DEPTH: usize = 64;
/// Percentiles of a curve, ascending.
const CURVE: [f64; 12] = [10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9, 99.95];

/// Measures all `specs` side by side.
pub fn latency(
    specs: &[Spec],
    options: &LatencyOptions,
    place: &Place,
) -> Result<Vec<LatencyResult>> {
    ensure!(options.repeats > 0 && !options.rates.is_empty(), "nothing to run");
    let mut servers = Vec::new();
    for spec in specs {
        let server = Server::start(spec, place)?;
        if !spec.is_baseline() {
            Client::connect(server.addr())?.create_topic(TOPIC, options.partitions, &[])?;
        }
        run(&server, options, options.rates[0], options.warmup_seconds)?;
        servers.push(server);
    }
    let mut results = Vec::new();
    for rate in &options.rates {
        let mut runs: Vec<Vec<Outcome>> = vec![Vec::new(); servers.len()];
        for repeat in 0..options.repeats {
            let mut order: Vec<usize> = (0..servers.len()).collect();
            if repeat % 2 == 1 {
                order.reverse();
            }
            for index in order {
                runs[index].push(run(&servers[index], options, *rate, options.seconds)?);
            }
        }
        for (server, runs) in servers.iter().zip(&runs) {
            results.push(result(server.spec().name(), *rate, runs)?);
        }
    }
    Ok(results)
}

const TOPIC: &str = "bench-latency";

#[allow(clippy::cast_possible_truncation, reason = "a run has far fewer than 2^52 requests")]
#[allow(clippy::cast_sign_loss, reason = "rates and times are positive")]
fn run(server: &Server, options: &LatencyOptions, rate: f64, seconds: f64) -> Result<Outcome> {
    let (partitions, batch) = (options.partitions, options.batch);
    let shape = ProduceShape { topic: TOPIC.to_owned(), partitions, batch, acks: 1 };
    let run = RunOptions {
        connections: options.connections,
        depth: DEPTH,
        requests: ((rate * seconds) as u64).max(1),
        pace: Pace::Open(rate),
    };
    load::run(server.addr(), &mut ProducePlan::new(&shape)?, run)
}

fn result(server: String, rate: f64, runs: &[Outcome]) -> Result<LatencyResult> {
    let quantiles = |quantile: f64| -> Vec<f64> {
        runs.iter().map(|run| micros(&run.latency, quantile)).collect()
    };
    let worst = |values: Vec<f64>| values.into_iter().fold(0.0, f64::max);
    let mut all = runs[0].latency.clone();
    for run in &runs[1..] {
        all.add(&run.latency)?;
    }
    let answered: Vec<f64> =
        runs.iter().map(|run| run.requests as f64 / (run.wall_ns as f64 / 1e9)).collect();
    let lateness = runs.iter().map(|run| micros(&run.lateness, 0.99)).collect();
    Ok(LatencyResult {
        server,
        rate,
        answered_per_s: median(&answered),
        p50_us: median(&quantiles(0.5)),
        p99_us: median(&quantiles(0.99)),
        p99_worst_us: worst(quantiles(0.99)),
        p999_us: median(&quantiles(0.999)),
        max_us: worst(quantiles(1.0)),
        late_us: worst(lateness),
        curve: curve_of(&all),
    })
}

/// A histogram in ns as percentiles and µs.
pub(super) fn curve_of(all: &Histogram<u64>) -> Vec<(f64, f64)> {
    CURVE.iter().map(|at| (*at, micros(all, at / 100.0))).collect()
}

pub(super) fn micros(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1000.0
}

/// The results as a table.
pub fn latency_figures(title: String, results: &[LatencyResult]) -> Figures {
    let columns = [
        "server",
        "requests/s",
        "answered/s",
        "p50 us",
        "p99 us",
        "p99 worst run",
        "p99.9 us",
        "max us",
        "sent late p99 us",
    ];
    let row = |one: &LatencyResult| {
        let whole = |value: f64| format!("{value:.0}");
        let figures = [
            one.rate,
            one.answered_per_s,
            one.p50_us,
            one.p99_us,
            one.p99_worst_us,
            one.p999_us,
            one.max_us,
            one.late_us,
        ];
        std::iter::once(one.server.clone()).chain(figures.map(whole)).collect()
    };
    let columns = columns.map(str::to_owned).to_vec();
    Figures { title, columns, rows: results.iter().map(row).collect() }
}

//! What a compaction takes, and what it takes from producers beside it.
//!
//! A topic is filled with keyed records and becomes a compacted one only then, so that all of it is
//! dirty. *Beside*: while it is being compacted, one producer keeps a schedule on another topic, and
//! compaction is let go and held back in turns by `log.cleaner.io.max.bytes.per.second`; each pair of
//! phases gives a ratio of percentiles, and the broker's own counters say how many bytes were
//! compacted in each phase: next to none in one, and some in the other, or the run fails. *Quiet*: one
//! compaction and nothing else, until `cleaner-offset-checkpoint` tells its end.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use millrace_net::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use serde::{Deserialize, Serialize};

use super::latency::{LatencyResult, curve_of, micros};
use crate::client::{Client, ConfigOf};
use crate::load::{
    self, BatchShape, Noise, Outcome, Pace, ProducePlan, ProduceShape, RunOptions,
    build_keyed_batch,
};
use crate::meter;
use crate::report::Figures;
use crate::server::{Place, Server, Spec};
use crate::stats::{Estimate, estimate, estimate_by, median};

/// What is compacted, and what is produced beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct CompactionOptions {
    /// Dirty bytes of a compaction.
    pub dirty_bytes: u64,
    /// Different keys in them.
    pub keys: u64,
    /// Rates of the producer, MB/s of values, one row each.
    pub rates_mb: Vec<f64>,
    /// acks of the producer, 1 or -1, one row each.
    pub acks: Vec<i16>,
    /// Bytes of a record's value.
    pub record_bytes: usize,
    /// Records of a batch, of the producer's and of what is compacted.
    pub records: usize,
    /// Partitions of the producer's topic.
    pub partitions: i32,
    /// Connections of the producer.
    pub connections: usize,
    /// Length of a phase, s.
    pub seconds: f64,
    /// Pairs of phases for each row.
    pub pairs: usize,
    /// `log.cleaner.io.max.bytes.per.second` of the phases with compaction.
    pub cleaner_rate: String,
}

/// One phase of a pair.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Phase {
    /// µs.
    pub p50_us: f64,
    /// µs.
    pub p99_us: f64,
    /// µs.
    pub p999_us: f64,
    /// How late the generator was, 99th percentile, µs.
    pub late_us: f64,
    /// Its length, s.
    pub seconds: f64,
    /// Bytes that compaction read meanwhile.
    pub bytes_read: f64,
    /// Bytes that it wrote.
    pub bytes_written: f64,
    /// CPU time of the server's process, s.
    pub cpu_s: f64,
}

/// One server at one rate with one kind of acknowledgement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CompactionResult {
    /// The server.
    pub server: String,
    /// MB of values a second, as scheduled.
    pub rate_mb: f64,
    /// acks.
    pub acks: i16,
    /// Without compaction, with it.
    pub pairs: Vec<(Phase, Phase)>,
    /// With over without, of each pair.
    pub p50_ratio: Estimate,
    /// The same.
    pub p99_ratio: Estimate,
    /// The same.
    pub p999_ratio: Estimate,
    /// p99 of all phases with compaction together over that of all phases without: a phase's own p99
    /// swings with the stalls of a virtual machine, which are near one request in a hundred.
    #[serde(default)]
    pub p99_together: Estimate,
}

const TAIL: &str = "bench-tail";
const DIRTY: &str = "bench-compacted";
/// Requests in flight on a connection: more than a schedule needs.
const DEPTH: usize = 64;
/// Requests on their way while a topic is filled.
const FILL_DEPTH: usize = 32;
/// The last version that names topics.
const PRODUCE_VERSION: i16 = 12;
/// The largest segments, and the smallest that Kafka takes, bytes.
const SEGMENT_BYTES: (u64, u64) = (1 << 20, 256 << 20);
/// How long something may take that takes a moment.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a compaction may take.
const COMPACTION_PATIENCE: Duration = Duration::from_hours(1);
/// The most that is compacted while compaction is held back, of what is compacted otherwise.
const HELD_BACK_SHARE: f64 = 0.02;
/// Topics that are filled for one row before it must have its pairs.
const FILLS_MAX: usize = 8;
const RATE: &str = "log.cleaner.io.max.bytes.per.second";
/// The default of `log.cleaner.io.max.bytes.per.second`.
pub const UNBOUNDED: &str = "1.7976931348623157E308";

/// Measures producers beside compactions: `specs` must be brokers that tell metrics.
///
/// Returns the rows, and for plots the latencies of all phases with and without together.
pub fn compaction_beside(
    specs: &[Spec],
    options: &CompactionOptions,
    place: &Place,
) -> Result<(Vec<CompactionResult>, Vec<LatencyResult>)> {
    let (mut results, mut curves) = (Vec::new(), Vec::new());
    for spec in specs {
        let server = Server::start(spec, place)?;
        for rate_mb in &options.rates_mb {
            for acks in &options.acks {
                let (result, pair) = row(&server, options, *rate_mb, *acks)?;
                results.push(result);
                curves.extend(pair);
            }
        }
    }
    Ok((results, curves))
}

fn row(
    server: &Server,
    options: &CompactionOptions,
    rate_mb: f64,
    acks: i16,
) -> Result<(CompactionResult, [LatencyResult; 2])> {
    let mut client = Client::connect(server.addr())?;
    create_tail(&mut client, options)?;
    produce(server, options, (rate_mb, acks), options.seconds)?;
    let mut pairs = Vec::new();
    let mut sums: [Vec<Outcome>; 2] = Default::default();
    for _ in 0..FILLS_MAX {
        if pairs.len() >= options.pairs {
            break;
        }
        fill(&mut client, options)?;
        let_go(server, &mut client, "1")?;
        become_compacted(&mut client)?;
        await_metric(server, "millrace_compaction_running", |value| value > 0.0)?;
        while pairs.len() < options.pairs {
            let order = [pairs.len() % 2, 1 - pairs.len() % 2];
            let mut pair = [Phase::default(); 2];
            let mut outcomes = Vec::new();
            for which in order {
                let rate = if which == 1 { &options.cleaner_rate } else { "1" };
                let_go(server, &mut client, rate)?;
                let (phase, outcome) = phase(server, options, (rate_mb, acks))?;
                pair[which] = phase;
                outcomes.push((which, outcome));
            }
            if metric(server, "millrace_compaction_running") < 1.0 {
                // It ended within the phase.
                break;
            }
            let [without, with] = pair;
            ensure!(with.bytes_read > 0.0, "no compaction in a phase with it");
            // A piece that was under way may have ended in it.
            let share = without.bytes_read / with.bytes_read;
            ensure!(share < HELD_BACK_SHARE, "compaction ran in a phase without it");
            pairs.push((without, with));
            for (which, outcome) in outcomes {
                sums[which].push(outcome);
            }
        }
        let_go(server, &mut client, UNBOUNDED)?;
        client.delete_topic(DIRTY)?;
    }
    client.delete_topic(TAIL)?;
    ensure!(!pairs.is_empty(), "compaction is over before a phase: shorter phases, or more data");
    let name = format!("{} acks={acks}", server.spec().name());
    let requests = rate_mb * 1e6 / (options.record_bytes * options.records) as f64;
    let curves = [
        curve(format!("{name} alone"), requests, &sums[0], options)?,
        curve(format!("{name} beside a compaction"), requests, &sums[1], options)?,
    ];
    let ratio = |of: fn(&Phase) -> f64| {
        let ratios: Vec<f64> =
            pairs.iter().map(|(without, with)| of(with) / of(without).max(1.0)).collect();
        estimate(&ratios)
    };
    let result = CompactionResult {
        server: server.spec().name(),
        rate_mb,
        acks,
        p50_ratio: ratio(|phase| phase.p50_us),
        p99_ratio: ratio(|phase| phase.p99_us),
        p999_ratio: ratio(|phase| phase.p999_us),
        p99_together: ratio_together(&sums, 0.99)?,
        pairs,
    };
    Ok((result, curves))
}

/// A percentile of all runs of the second kind over that of the first; the runs come in pairs.
fn ratio_together(sums: &[Vec<Outcome>; 2], quantile: f64) -> Result<Estimate> {
    let coarse = |run: &Outcome| -> Result<Histogram<u64>> {
        let mut all = Histogram::new(2)?;
        all.add(&run.latency)?;
        Ok(all)
    };
    let pairs = sums[0].iter().zip(&sums[1]).map(|(without, with)| {
        let pair: Result<_> = Ok((coarse(without)?, coarse(with)?));
        pair
    });
    let pairs = pairs.collect::<Result<Vec<_>>>()?;
    Ok(estimate_by(&pairs, |drawn| {
        let mut together = [Histogram::new(2), Histogram::new(2)].map(|it| it.expect("two digits"));
        for (without, with) in drawn {
            together[0].add(without).expect("it grows");
            together[1].add(with).expect("it grows");
        }
        let [without, with] = together.map(|all| micros(&all, quantile));
        with / without.max(1.0)
    }))
}

fn curve(
    server: String,
    rate: f64,
    runs: &[Outcome],
    options: &CompactionOptions,
) -> Result<LatencyResult> {
    let mut all: Histogram<u64> = runs.first().context("no phases")?.latency.clone();
    for run in &runs[1..] {
        all.add(&run.latency)?;
    }
    let medians = |quantile: f64| {
        let each: Vec<f64> = runs.iter().map(|run| micros(&run.latency, quantile)).collect();
        median(&each)
    };
    let worst = |values: Vec<f64>| values.into_iter().fold(0.0, f64::max);
    Ok(LatencyResult {
        server,
        rate,
        answered_per_s: rate.min(runs[0].requests as f64 / options.seconds),
        p50_us: medians(0.5),
        p99_us: medians(0.99),
        p99_worst_us: worst(runs.iter().map(|run| micros(&run.latency, 0.99)).collect()),
        p999_us: medians(0.999),
        max_us: micros(&all, 1.0),
        late_us: worst(runs.iter().map(|run| micros(&run.lateness, 0.99)).collect()),
        curve: curve_of(&all),
    })
}

fn create_tail(client: &mut Client, options: &CompactionOptions) -> Result<()> {
    let configs = [
        ("segment.bytes", (128_u64 << 20).to_string()),
        ("retention.bytes", (128_u64 << 20).to_string()),
        ("file.delete.delay.ms", "1000".to_owned()),
    ];
    client.create_topic(TAIL, options.partitions, &configs.map(|(k, v)| (k.to_owned(), v)))
}

/// Makes a topic of keyed records, no key of which is superseded on disk yet.
fn fill(client: &mut Client, options: &CompactionOptions) -> Result<()> {
    let segment_bytes = (options.dirty_bytes / 16).clamp(SEGMENT_BYTES.0, SEGMENT_BYTES.1);
    let configs = [
        ("cleanup.policy", "delete".to_owned()),
        ("retention.ms", "-1".to_owned()),
        ("segment.bytes", segment_bytes.to_string()),
        ("min.cleanable.dirty.ratio", "0.01".to_owned()),
        ("flush.ms", "500".to_owned()),
        ("file.delete.delay.ms", "1000".to_owned()),
    ];
    client.create_topic(DIRTY, 1, &configs.map(|(k, v)| (k.to_owned(), v)))?;
    let mut noise = Noise::new(options.keys);
    let (mut bytes, mut sent) = (0, Vec::new());
    // The last segment is never compacted.
    while bytes < options.dirty_bytes + segment_bytes {
        for _ in 0..FILL_DEPTH {
            let keys: Vec<u64> = (0..options.records).map(|_| noise.below(options.keys)).collect();
            let batch = build_keyed_batch(&keys, options.record_bytes, bytes + 1);
            bytes += batch.len() as u64;
            let request = ProduceRequest {
                transactional_id: None,
                acks: 1,
                timeout_ms: 30_000,
                topic_data: vec![TopicProduceData {
                    name: DIRTY.to_owned(),
                    partition_data: vec![PartitionProduceData {
                        index: 0,
                        records: Some(Bytes::from(batch)),
                    }],
                    ..TopicProduceData::default()
                }],
            };
            sent.push(client.send(&request, PRODUCE_VERSION)?);
        }
        for sent in sent.drain(..) {
            let answer = client.receive::<ProduceRequest>(sent, PRODUCE_VERSION)?;
            let parts = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
            let mut codes = parts.map(|part| part.error_code);
            ensure!(codes.all(|code| code == 0), "filling {DIRTY} is refused");
        }
    }
    // Only what is on the device is compacted.
    std::thread::sleep(Duration::from_secs(2));
    Ok(())
}

fn become_compacted(client: &mut Client) -> Result<()> {
    client.set_configs(ConfigOf::Broker(""), &[("log.cleaner.backoff.ms", "100")])?;
    client.set_configs(ConfigOf::Topic(DIRTY), &[("cleanup.policy", "compact")])
}

fn metric(server: &Server, name: &str) -> f64 {
    server.metrics().get(name).copied().unwrap_or(0.0)
}

fn await_metric(server: &Server, name: &str, holds: impl Fn(f64) -> bool) -> Result<()> {
    let begun = Instant::now();
    while !holds(metric(server, name)) {
        ensure!(begun.elapsed() < PATIENCE, "{name} stays {}", metric(server, name));
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

const READ: &str = "millrace_compaction_bytes_read_total";
const WRITTEN: &str = "millrace_compaction_bytes_written_total";

/// Lets compaction go at a rate, and waits until it does, or has stopped.
fn let_go(server: &Server, client: &mut Client, rate: &str) -> Result<()> {
    client.set_configs(ConfigOf::Broker(""), &[(RATE, rate)])?;
    let begun = Instant::now();
    let mut quiet = 0;
    loop {
        let before = metric(server, READ);
        std::thread::sleep(Duration::from_millis(200));
        let moves = metric(server, READ) > before;
        quiet = if moves { 0 } else { quiet + 1 };
        let is_over = metric(server, "millrace_compaction_running") < 1.0;
        let is_heeded = if rate == "1" { quiet >= 3 } else { moves };
        if is_heeded || is_over {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "compaction does not heed its rate");
    }
}

fn phase(
    server: &Server,
    options: &CompactionOptions,
    load: (f64, i16),
) -> Result<(Phase, Outcome)> {
    let (cpu, bytes) = (meter::read(server.pid())?, server.metrics());
    let begun = Instant::now();
    let outcome = produce(server, options, load, options.seconds)?;
    let seconds = begun.elapsed().as_secs_f64();
    let after = server.metrics();
    let used = meter::read(server.pid())?.since(cpu);
    let moved = |name: &str| {
        let of = |metrics: &std::collections::BTreeMap<String, f64>| {
            metrics.get(name).copied().unwrap_or(0.0)
        };
        of(&after) - of(&bytes)
    };
    let phase = Phase {
        p50_us: micros(&outcome.latency, 0.5),
        p99_us: micros(&outcome.latency, 0.99),
        p999_us: micros(&outcome.latency, 0.999),
        late_us: micros(&outcome.lateness, 0.99),
        seconds,
        bytes_read: moved(READ),
        bytes_written: moved(WRITTEN),
        cpu_s: used.cpu_ns as f64 / 1e9,
    };
    Ok((phase, outcome))
}

#[allow(clippy::cast_possible_truncation, reason = "a phase has far fewer than 2^52 requests")]
#[allow(clippy::cast_sign_loss, reason = "rates and times are positive")]
fn produce(
    server: &Server,
    options: &CompactionOptions,
    (rate_mb, acks): (f64, i16),
    seconds: f64,
) -> Result<Outcome> {
    let (partitions, record_bytes) = (options.partitions, options.record_bytes);
    let batch = BatchShape { batch_bytes: 0, record_bytes, records_max: options.records };
    let shape = ProduceShape { topic: TAIL.to_owned(), partitions, batch, acks };
    let rate = rate_mb * 1e6 / (record_bytes * options.records) as f64;
    let run = RunOptions {
        connections: options.connections,
        depth: DEPTH,
        requests: ((rate * seconds) as u64).max(1),
        pace: Pace::Open(rate),
    };
    load::run(server.addr(), &mut ProducePlan::new(&shape)?, run)
}

/// The rows as a table.
pub fn compaction_figures(title: String, results: &[CompactionResult]) -> Figures {
    let columns = [
        "server",
        "produce MB/s",
        "acks",
        "pairs",
        "alone p50/p99/p99.9 us",
        "beside p50/p99/p99.9 us",
        "p99 ratio (95 %)",
        "p99 ratio of all phases together (95 %)",
        "p50 ratio",
        "p99.9 ratio",
        "compaction read MB/s",
        "written MB/s",
        "CPU-s/GB moved",
        "sent late p99 us",
    ];
    let row = |one: &CompactionResult| {
        let with = || one.pairs.iter().map(|(_, with)| with);
        let without = || one.pairs.iter().map(|(without, _)| without);
        let middle = |of: &dyn Fn(&Phase) -> f64, which: bool| {
            let phases: Vec<f64> =
                if which { with().map(of).collect() } else { without().map(of).collect() };
            median(&phases)
        };
        let three = |which| {
            let p50 = middle(&|phase| phase.p50_us, which);
            let p99 = middle(&|phase| phase.p99_us, which);
            let p999 = middle(&|phase| phase.p999_us, which);
            format!("{p50:.0}/{p99:.0}/{p999:.0}")
        };
        let seconds: f64 = with().map(|phase| phase.seconds).sum();
        let read: f64 = with().map(|phase| phase.bytes_read).sum();
        let written: f64 = with().map(|phase| phase.bytes_written).sum();
        let cpu: f64 = one.pairs.iter().map(|(without, with)| with.cpu_s - without.cpu_s).sum();
        let ratio = |it: Estimate| format!("{:.2} ({:.2}-{:.2})", it.median, it.low, it.high);
        vec![
            one.server.clone(),
            format!("{}", one.rate_mb),
            one.acks.to_string(),
            one.pairs.len().to_string(),
            three(false),
            three(true),
            ratio(one.p99_ratio),
            ratio(one.p99_together),
            format!("{:.2}", one.p50_ratio.median),
            format!("{:.2}", one.p999_ratio.median),
            format!("{:.0}", read / seconds / 1e6),
            format!("{:.0}", written / seconds / 1e6),
            format!("{:.3}", cpu / (read + written) * 1e9),
            format!("{:.0}", with().map(|phase| phase.late_us).fold(0.0, f64::max)),
        ]
    };
    let columns = columns.map(str::to_owned).to_vec();
    Figures { title, columns, rows: results.iter().map(row).collect() }
}

/// One compaction of each broker with nothing beside it, as a table. Kafka's is measured as well.
pub fn compaction_quiet(
    specs: &[Spec],
    options: &CompactionOptions,
    place: &Place,
) -> Result<Figures> {
    let columns = [
        "server",
        "dirty GB",
        "s",
        "dirty MB/s",
        "CPU-s",
        "CPU-s/GB dirty",
        "MB left",
        "tail cached before, MB",
        "after, MB",
    ];
    let mut rows = Vec::new();
    for spec in specs {
        let server = Server::start(spec, place)?;
        let mut client = Client::connect(server.addr())?;
        create_tail(&mut client, options)?;
        let rate = options.rates_mb.first().copied().unwrap_or(20.0);
        produce(&server, options, (rate, 1), options.seconds)?;
        fill(&mut client, options)?;
        let topic = |name: &str| folder_bytes(&server.log_dir(), name);
        let dirty = topic(DIRTY);
        let cached_before = cached_bytes(&server.log_dir(), TAIL);
        let before = meter::read(server.pid())?;
        let begun = Instant::now();
        become_compacted(&mut client)?;
        await_cleaned(&server)?;
        let seconds = begun.elapsed().as_secs_f64();
        let cpu = meter::read(server.pid())?.since(before).cpu_ns as f64 / 1e9;
        let cached_after = cached_bytes(&server.log_dir(), TAIL);
        // What was replaced goes after a while.
        std::thread::sleep(Duration::from_secs(3));
        let cached =
            |it: Option<u64>| it.map_or("-".into(), |it| format!("{:.0}", it as f64 / 1e6));
        rows.push(vec![
            spec.name(),
            format!("{:.2}", dirty as f64 / 1e9),
            format!("{seconds:.1}"),
            format!("{:.0}", dirty as f64 / 1e6 / seconds),
            format!("{cpu:.2}"),
            format!("{:.2}", cpu / (dirty as f64 / 1e9)),
            format!("{:.0}", topic(DIRTY) as f64 / 1e6),
            cached(cached_before),
            cached(cached_after),
        ]);
    }
    let title = "one compaction, nothing beside it".to_owned();
    Ok(Figures { title, columns: columns.map(str::to_owned).to_vec(), rows })
}

fn await_cleaned(server: &Server) -> Result<()> {
    let begun = Instant::now();
    let path = server.log_dir().join("cleaner-offset-checkpoint");
    loop {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if text.lines().any(|line| line.starts_with(&format!("{DIRTY} 0 "))) {
            return Ok(());
        }
        if begun.elapsed() > COMPACTION_PATIENCE {
            bail!("{} does not say that {DIRTY} is compacted", path.display());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn log_files(log_dir: &Path, topic: &str) -> Vec<std::path::PathBuf> {
    let folders = std::fs::read_dir(log_dir).into_iter().flatten().flatten();
    let is_topics = |name: &str| name.rsplit_once('-').is_some_and(|(front, _)| front == topic);
    let mut files = Vec::new();
    for folder in folders.filter(|folder| folder.file_name().to_str().is_some_and(is_topics)) {
        let entries = std::fs::read_dir(folder.path()).into_iter().flatten().flatten();
        let logs = entries.map(|entry| entry.path());
        files.extend(logs.filter(|path| path.extension().is_some_and(|it| it == "log")));
    }
    files
}

fn folder_bytes(log_dir: &Path, topic: &str) -> u64 {
    let files = log_files(log_dir, topic);
    files.iter().filter_map(|file| std::fs::metadata(file).ok()).map(|file| file.len()).sum()
}

/// Bytes of a topic's segments that are in the page cache, by `fincore`.
fn cached_bytes(log_dir: &Path, topic: &str) -> Option<u64> {
    let mut command = Command::new("fincore");
    command.args(["--bytes", "--noheadings", "--output", "RES"]).args(log_files(log_dir, topic));
    let told = command.output().ok().filter(|told| told.status.success())?;
    let text = String::from_utf8(told.stdout).ok()?;
    Some(text.lines().filter_map(|line| line.trim().parse::<u64>().ok()).sum())
}

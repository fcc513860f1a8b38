//! `millrace-bench`: baselines, load, comparisons.

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand};
use millrace_bench::baseline::{self, Files, Kind, Loop};
use millrace_bench::client::Client;
use millrace_bench::load::{
    self, BatchShape, Outcome, Pace, ProducePlan, ProduceShape, RunOptions,
};
use millrace_bench::report::{self, Figures, Report};
use millrace_bench::server::{Place, Spec};
use millrace_bench::suites::{
    self, BESIDE_KAFKA, CompactionOptions, GROUP_LOAD_SETTINGS, GroupLoadOptions, IdleOptions,
    LatencyOptions, OWN, StartOptions, Suite, SuiteOptions,
};
use millrace_bench::{canary, meter};
use millrace_uring::sys;

#[derive(Parser)]
#[command(name = "millrace-bench", about = "Measures Millrace against baselines and Kafka.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a baseline server until it is killed.
    Serve(ServeArgs),
    /// Produces to a server that runs already.
    Produce(ProduceArgs),
    /// Compares servers: interleaved rounds, CPU time, ratios.
    Compare(CompareArgs),
    /// Parks long polls on brokers and measures what they cost.
    Idle(IdleArgs),
    /// Measures brokers' start times.
    Start(StartArgs),
    /// Measures latency at fixed rates: open loop, counted from when a request was due.
    Latency(LatencyArgs),
    /// Measures a producer's latency beside a compaction against without, and compactions alone.
    Compaction(CompactionArgs),
    /// Measures how long a group coordinator with a long history takes to load.
    Groups(GroupsArgs),
    /// Draws a report as SVG.
    Plot(PlotArgs),
    /// What the machine itself costs right now.
    Canary(PlaceArgs),
}

#[derive(Args)]
struct ServeArgs {
    /// Which baseline.
    kind: Kind,
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Folder for its files.
    #[arg(long)]
    dir: PathBuf,
    /// How files use memory.
    #[arg(long, default_value = "recycled")]
    files: Files,
    /// How connections are served.
    #[arg(long = "loop", default_value = "epoll")]
    serve: Loop,
    /// Record bytes of one answer of `source`.
    #[arg(long, default_value_t = 65_536)]
    fetch_bytes: u32,
}

#[derive(Args)]
struct ProduceArgs {
    /// The server.
    #[arg(long)]
    bootstrap: SocketAddr,
    /// The topic.
    #[arg(long, default_value = "bench")]
    topic: String,
    /// Its partitions.
    #[arg(long, default_value_t = 1)]
    partitions: i32,
    /// Creates the topic first.
    #[arg(long)]
    create: bool,
    /// Bytes of a batch; 0 means `--records` records.
    #[arg(long, default_value_t = 65_536)]
    batch_bytes: usize,
    /// Bytes of a record's value.
    #[arg(long, default_value_t = 1000)]
    record_bytes: usize,
    /// Records in a batch, with `--batch-bytes 0`.
    #[arg(long, default_value_t = 1)]
    records: usize,
    /// 1 or -1.
    #[arg(long, default_value_t = 1, allow_hyphen_values = true)]
    acks: i16,
    /// Connections.
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Requests in flight on each.
    #[arg(long, default_value_t = 5)]
    depth: usize,
    /// Requests in all.
    #[arg(long, default_value_t = 16_384)]
    requests: u64,
    /// Requests a second by schedule; without it as fast as answers come.
    #[arg(long)]
    rate: Option<f64>,
    /// The server's process, to tell its CPU time.
    #[arg(long)]
    pid: Option<u32>,
    /// Writes what was found as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Args)]
struct PlaceArgs {
    /// Folder below which servers keep their data.
    #[arg(long, default_value = "/tmp")]
    dir: PathBuf,
    /// Leaves servers and the generator on any processor.
    #[arg(long)]
    no_pin: bool,
    /// Writes everything as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Args)]
struct BrokerArgs {
    /// The broker's program, or several builds of it to compare; by default the one beside this
    /// program.
    #[arg(long, value_delimiter = ',')]
    millrace: Vec<PathBuf>,
    /// Drivers to run the broker with.
    #[arg(long, value_delimiter = ',', default_value = "uring,epoll")]
    backends: Vec<String>,
    /// Shards of the broker.
    #[arg(long, default_value_t = 1)]
    shards: u16,
    /// `key=value` settings for the broker.
    #[arg(long)]
    set: Vec<String>,
    /// Script that runs Apache Kafka in the foreground: PORT DIR [key=value ...].
    #[arg(long)]
    kafka: Option<PathBuf>,
    /// Leaves Millrace out.
    #[arg(long)]
    no_millrace: bool,
}

#[derive(Args)]
struct CompareArgs {
    /// Suites; `own` for all without Kafka, `kafka` for all beside it.
    #[arg(long, value_delimiter = ',', required = true)]
    suite: Vec<String>,
    /// Measured rounds.
    #[arg(long, default_value_t = 9)]
    pairs: usize,
    /// Rounds before them that are thrown away.
    #[arg(long, default_value_t = 2)]
    warmup: usize,
    /// Multiplies the work of a run.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    #[command(flatten)]
    brokers: BrokerArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Args)]
struct IdleArgs {
    /// Connections with one waiting fetch each.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Partitions they are spread over.
    #[arg(long, default_value_t = 1_000)]
    partitions: i32,
    /// Seconds that are measured in each state.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    #[command(flatten)]
    brokers: BrokerArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Args)]
struct StartArgs {
    /// Partitions.
    #[arg(long, default_value_t = 1_000)]
    partitions: i32,
    /// Starts of each kind.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    #[command(flatten)]
    brokers: BrokerArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Args)]
struct LatencyArgs {
    /// Requests a second.
    #[arg(long, value_delimiter = ',', default_value = "1000,5000,20000")]
    rates: Vec<f64>,
    /// Seconds of a run.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Runs of each server at each rate.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Seconds at the first rate before anything counts.
    #[arg(long, default_value_t = 10.0)]
    warmup: f64,
    /// Bytes of a record's value.
    #[arg(long, default_value_t = 1000)]
    record_bytes: usize,
    /// Records in a request's batch.
    #[arg(long, default_value_t = 1)]
    records: usize,
    /// Partitions.
    #[arg(long, default_value_t = 6)]
    partitions: i32,
    /// Connections.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Leaves the naive sink out.
    #[arg(long)]
    no_sink: bool,
    #[command(flatten)]
    brokers: BrokerArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Args)]
struct CompactionArgs {
    /// Dirty data of a compaction, GB; without it `MILLRACE_GB`, or 5.
    #[arg(long)]
    gb: Option<f64>,
    /// Different keys in it; by default a fifth of its records.
    #[arg(long)]
    keys: Option<u64>,
    /// Rates of the producer, MB/s.
    #[arg(long, value_delimiter = ',', default_value = "20,50")]
    rates: Vec<f64>,
    /// acks of the producer.
    #[arg(long, value_delimiter = ',', default_value = "1,-1", allow_hyphen_values = true)]
    acks: Vec<i16>,
    /// Bytes of a record's value.
    #[arg(long, default_value_t = 1000)]
    record_bytes: usize,
    /// Records of a batch.
    #[arg(long, default_value_t = 16)]
    records: usize,
    /// Partitions of the producer's topic.
    #[arg(long, default_value_t = 6)]
    partitions: i32,
    /// Connections of the producer.
    #[arg(long, default_value_t = 6)]
    connections: usize,
    /// Seconds of a phase.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Pairs of phases, with and without compaction, for each rate and acks. 25 of 4 s let both passes over
    /// 5 GB end at the broker's default rate.
    #[arg(long, default_value_t = 25)]
    pairs: usize,
    /// Measures only compactions with nothing beside them; Kafka's too, with `--kafka`.
    #[arg(long)]
    quiet: bool,
    /// `log.cleaner.io.max.bytes.per.second` of the phases with compaction; without it the broker's
    /// own default.
    #[arg(long)]
    cleaner_rate: Option<u64>,
    #[command(flatten)]
    brokers: BrokerArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Args)]
struct GroupsArgs {
    /// Commits in the history.
    #[arg(long, default_value_t = 10_000_000)]
    commits: u64,
    /// Groups that commit.
    #[arg(long, default_value_t = 1_000)]
    groups: u64,
    /// Partitions that each of them commits for.
    #[arg(long, default_value_t = 100)]
    partitions: i32,
    /// Of how many partitions a request tells.
    #[arg(long, default_value_t = 10)]
    per_request: usize,
    #[command(flatten)]
    brokers: BrokerArgs,
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Args)]
struct PlotArgs {
    /// A report that was written with `--json`.
    report: PathBuf,
    /// Folder for the pictures.
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

impl PlaceArgs {
    /// Where servers run; pins this thread away from them.
    fn place(&self) -> Result<Place> {
        std::fs::create_dir_all(&self.dir)
            .with_context(|| format!("making --dir {}", self.dir.display()))?;
        let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let pinned = !self.no_pin && count > 1;
        if pinned {
            sys::pin_thread(count - 1)?;
        }
        Ok(Place { dir: self.dir.clone(), server_cpu: pinned.then_some(0) })
    }
}

impl BrokerArgs {
    fn specs(&self) -> Result<Vec<Spec>> {
        let mut specs = Vec::new();
        if !self.no_millrace {
            let mut programs = self.millrace.clone();
            if programs.is_empty() {
                programs.push(std::env::current_exe()?.with_file_name("millrace"));
            }
            for program in programs {
                for backend in &self.backends {
                    specs.push(Spec::Millrace {
                        program: program.clone(),
                        backend: backend.clone(),
                        shards: self.shards,
                        set: self.set.clone(),
                    });
                }
            }
        }
        if let Some(script) = &self.kafka {
            specs.push(Spec::Kafka { script: script.clone(), set: Vec::new() });
        }
        Ok(specs)
    }
}

fn new_report() -> Report {
    let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Report {
        machine: meter::machine_line(),
        started_s: started.as_secs(),
        command: std::env::args().collect(),
        ..Report::default()
    }
}

fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

fn finish(report: &Report, place: &PlaceArgs) -> Result<()> {
    match &place.json {
        Some(path) => report::write_json(report, path).context("writing the JSON file"),
        None => Ok(()),
    }
}

fn suites_named(names: &[String]) -> Result<Vec<Suite>> {
    let mut suites = Vec::new();
    for name in names {
        match name.as_str() {
            "own" => suites.extend(OWN),
            "kafka" => suites.extend(BESIDE_KAFKA),
            other => match <Suite as clap::ValueEnum>::from_str(other, true) {
                Ok(suite) => suites.push(suite),
                Err(_) => bail!("no suite is called {other}"),
            },
        }
    }
    Ok(suites)
}

fn compare(args: &CompareArgs) -> Result<()> {
    let mut report = new_report();
    let place = args.place.place()?;
    say(&report.machine)?;
    canary::warm_up(&place.dir, 2 << 30)?;
    report.canaries.push(canary::take(&place)?);
    let options = SuiteOptions {
        brokers: args.brokers.specs()?,
        rounds: args.pairs,
        warmup: args.warmup,
        scale: args.scale,
        place: place.clone(),
    };
    for suite in suites_named(&args.suite)? {
        let result = suites::run(suite, &options)?;
        say(&report::suite_table(&result))?;
        report.suites.push(result);
        finish(&report, &args.place)?;
    }
    report.canaries.push(canary::take(&place)?);
    say(&report::canary_table(&report.canaries))?;
    finish(&report, &args.place)
}

fn idle(args: &IdleArgs) -> Result<()> {
    let mut report = new_report();
    let place = args.place.place()?;
    let window = Duration::from_secs(args.seconds);
    let (connections, partitions) = (args.connections, args.partitions);
    for spec in args.brokers.specs()? {
        let figures = suites::idle(&spec, IdleOptions { connections, partitions, window }, &place)?;
        say(&report::figures_table(&figures))?;
        report.tables.push(figures);
    }
    finish(&report, &args.place)
}

fn start(args: &StartArgs) -> Result<()> {
    let mut report = new_report();
    let place = args.place.place()?;
    let (partitions, repeats) = (args.partitions, args.repeats);
    for spec in args.brokers.specs()? {
        let figures = suites::start(&spec, StartOptions { partitions, repeats }, &place)?;
        say(&report::figures_table(&figures))?;
        report.tables.push(figures);
    }
    finish(&report, &args.place)
}

fn latency(args: &LatencyArgs) -> Result<()> {
    let mut report = new_report();
    let place = args.place.place()?;
    let mut specs = args.brokers.specs()?;
    if !args.no_sink {
        let (kind, serve, files) = (Kind::Sink, Loop::Epoll, Files::Recycled);
        specs.insert(0, Spec::Baseline { kind, serve, files, fetch_bytes: 0 });
    }
    let (record_bytes, records_max) = (args.record_bytes, args.records);
    let options = LatencyOptions {
        rates: args.rates.clone(),
        seconds: args.seconds,
        repeats: args.repeats,
        warmup_seconds: args.warmup,
        batch: BatchShape { batch_bytes: 0, record_bytes, records_max },
        partitions: args.partitions,
        connections: args.connections,
    };
    report.latencies = suites::latency(&specs, &options, &place)?;
    let title = format!(
        "latency by schedule: {records_max} record(s) of {record_bytes} B a request, {} partitions, \
         {} connections, acks=1, {} runs of {} s",
        args.partitions, args.connections, args.repeats, args.seconds
    );
    let figures = suites::latency_figures(title, &report.latencies);
    say(&report.machine)?;
    say(&report::figures_table(&figures))?;
    report.tables.push(figures);
    finish(&report, &args.place)
}

#[allow(clippy::cast_possible_truncation, reason = "bytes of a disk are far below 2^52")]
#[allow(clippy::cast_sign_loss, reason = "an amount of data is positive")]
fn compaction(args: &CompactionArgs) -> Result<()> {
    let mut report = new_report();
    let place = args.place.place()?;
    say(&report.machine)?;
    let gb = match (args.gb, std::env::var("MILLRACE_GB")) {
        (Some(gb), _) => gb,
        (None, Ok(text)) => text.parse().context("MILLRACE_GB")?,
        (None, Err(_)) => 5.0,
    };
    let dirty_bytes = (gb * 1e9) as u64;
    let options = CompactionOptions {
        dirty_bytes,
        keys: args.keys.unwrap_or(dirty_bytes / args.record_bytes as u64 / 5).max(1),
        rates_mb: args.rates.clone(),
        acks: args.acks.clone(),
        record_bytes: args.record_bytes,
        records: args.records,
        partitions: args.partitions,
        connections: args.connections,
        seconds: args.seconds,
        pairs: args.pairs,
        cleaner_rate: args
            .cleaner_rate
            .map_or(suites::UNBOUNDED.to_owned(), |rate| rate.to_string()),
    };
    let specs = args.brokers.specs()?;
    if args.quiet {
        report.tables.push(suites::compaction_quiet(&specs, &options, &place)?);
    } else {
        (report.compactions, report.latencies) =
            suites::compaction_beside(&specs, &options, &place)?;
        let title = format!(
            "producer beside a compaction of {gb} GB, {} keys: {} records of {} B a request, {} \
             partitions, {} connections, phases of {} s; goal: p99 ratio <= 1.25",
            options.keys,
            args.records,
            args.record_bytes,
            args.partitions,
            args.connections,
            args.seconds
        );
        report.tables.push(suites::compaction_figures(title, &report.compactions));
    }
    for figures in &report.tables {
        say(&report::figures_table(figures))?;
    }
    finish(&report, &args.place)
}

fn groups(args: &GroupsArgs) -> Result<()> {
    let mut report = new_report();
    let place = args.place.place()?;
    let options = GroupLoadOptions {
        commits: args.commits,
        groups: args.groups.max(1),
        partitions: args.partitions.max(1),
        per_request: args.per_request.max(1),
    };
    for mut spec in args.brokers.specs()? {
        match &mut spec {
            Spec::Millrace { set, .. } => set.extend(GROUP_LOAD_SETTINGS.map(str::to_owned)),
            Spec::Baseline { .. } | Spec::Kafka { .. } => bail!("only Millrace tells its loading"),
        }
        let figures = suites::group_load(&spec, options, &place)?;
        say(&report::figures_table(&figures))?;
        report.tables.push(figures);
    }
    finish(&report, &args.place)
}

fn plot(args: &PlotArgs) -> Result<()> {
    let report = report::read_json(&args.report)
        .with_context(|| format!("reading {}", args.report.display()))?;
    for file in millrace_bench::plot::draw(&report, &args.out)? {
        say(&file.display().to_string())?;
    }
    Ok(())
}

fn produce(args: &ProduceArgs) -> Result<()> {
    if args.create {
        Client::connect(args.bootstrap)?.create_topic(&args.topic, args.partitions, &[])?;
    }
    let records_max = if args.batch_bytes == 0 { args.records } else { usize::MAX };
    let batch =
        BatchShape { batch_bytes: args.batch_bytes, record_bytes: args.record_bytes, records_max };
    let (topic, partitions, acks) = (args.topic.clone(), args.partitions, args.acks);
    let mut plan = ProducePlan::new(&ProduceShape { topic, partitions, batch, acks })?;
    let pace = args.rate.map_or(Pace::Closed, Pace::Open);
    let (connections, depth, requests) = (args.connections, args.depth, args.requests);
    let before = args.pid.map(meter::read).transpose()?;
    let options = RunOptions { connections, depth, requests, pace };
    let outcome = load::run(args.bootstrap, &mut plan, options)?;
    let after = args.pid.map(meter::read).transpose()?;
    say(&outcome_lines(&outcome))?;
    let mut figures = outcome_figures(&outcome);
    if let (Some(before), Some(after)) = (before, after) {
        let used = after.since(before);
        #[allow(clippy::cast_precision_loss, reason = "printed")]
        let (cpu, bytes, requests) =
            (used.cpu_ns as f64, outcome.record_bytes as f64, outcome.requests as f64);
        let (gb, million) = (cpu / bytes, cpu / requests / 1000.0);
        say(&format!("server: {gb:.3} CPU-s/GB, {million:.2} CPU-s per million requests"))?;
        figures.push(("server CPU-s/GB", gb));
        figures.push(("server CPU-s per million requests", million));
    }
    if let Some(path) = &args.json {
        let columns = figures.iter().map(|(name, _)| (*name).to_owned()).collect();
        let rows = vec![figures.iter().map(|(_, value)| value.to_string()).collect()];
        let title = format!("produce to {}", args.bootstrap);
        let tables = vec![Figures { title, columns, rows }];
        report::write_json(&Report { tables, ..new_report() }, path)?;
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "printed")]
fn outcome_figures(outcome: &Outcome) -> Vec<(&'static str, f64)> {
    let seconds = outcome.wall_ns as f64 / 1e9;
    let us = |quantile| outcome.latency.value_at_quantile(quantile) as f64 / 1000.0;
    vec![
        ("requests", outcome.requests as f64),
        ("requests/s", outcome.requests as f64 / seconds),
        ("MB/s", outcome.record_bytes as f64 / 1e6 / seconds),
        ("p50 us", us(0.5)),
        ("p90 us", us(0.9)),
        ("p99 us", us(0.99)),
        ("p99.9 us", us(0.999)),
        ("max us", us(1.0)),
        ("sent late p99 us", outcome.lateness.value_at_quantile(0.99) as f64 / 1000.0),
        ("generator CPU-s", outcome.client_cpu_ns as f64 / 1e9),
    ]
}

#[allow(clippy::cast_precision_loss, reason = "printed")]
fn outcome_lines(outcome: &Outcome) -> String {
    let seconds = outcome.wall_ns as f64 / 1e9;
    let us = |quantile| outcome.latency.value_at_quantile(quantile) as f64 / 1000.0;
    let late = outcome.lateness.value_at_quantile(0.99) as f64 / 1000.0;
    format!(
        "{} requests, {:.1} MB in {seconds:.3} s: {:.0} requests/s, {:.1} MB/s\n\
         latency us: p50 {:.0}, p90 {:.0}, p99 {:.0}, p99.9 {:.0}, max {:.0}; \
         sent late (p99) {late:.0} us; generator {:.3} CPU-s",
        outcome.requests,
        outcome.record_bytes as f64 / 1e6,
        outcome.requests as f64 / seconds,
        outcome.record_bytes as f64 / 1e6 / seconds,
        us(0.5),
        us(0.9),
        us(0.99),
        us(0.999),
        us(1.0),
        outcome.client_cpu_ns as f64 / 1e9,
    )
}

fn main() -> Result<()> {
    sys::ignore_broken_pipes();
    match Cli::parse().command {
        Command::Serve(args) => {
            let ServeArgs { kind, port, dir, files, serve, fetch_bytes } = args;
            baseline::run(&baseline::Options { kind, serve, dir, files, fetch_bytes }, port)
        }
        Command::Produce(args) => produce(&args),
        Command::Compare(args) => compare(&args),
        Command::Idle(args) => idle(&args),
        Command::Start(args) => start(&args),
        Command::Latency(args) => latency(&args),
        Command::Compaction(args) => compaction(&args),
        Command::Groups(args) => groups(&args),
        Command::Plot(args) => plot(&args),
        Command::Canary(args) => {
            let report = new_report();
            let place = args.place()?;
            let canaries = [canary::take(&place)?];
            say(&report::canary_table(&canaries))?;
            finish(&Report { canaries: canaries.to_vec(), ..report }, &args)
        }
    }
}

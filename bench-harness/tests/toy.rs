//! The comparisons at toy size against the baselines alone: they must not rot. Nothing is timed.

use millrace_bench::baseline::{Files, Kind, Loop};
use millrace_bench::compare::{ArmResult, Rounds, Workload, compare};
use millrace_bench::load::{
    self, BatchShape, Consume, Pace, ProducePlan, ProduceShape, RunOptions,
};
use millrace_bench::plot;
use millrace_bench::report::{Report, read_json, write_json};
use millrace_bench::server::{Place, Server, Spec};
use millrace_bench::suites::{LatencyOptions, latency, latency_figures};

const SMALL: BatchShape = BatchShape { batch_bytes: 0, record_bytes: 200, records_max: 1 };
const LARGE: BatchShape =
    BatchShape { batch_bytes: 65_536, record_bytes: 1000, records_max: usize::MAX };

fn spec(kind: Kind, serve: Loop, files: Files) -> Spec {
    Spec::Baseline { kind, serve, files, fetch_bytes: 65_536 }
}

fn run(connections: usize, depth: usize, requests: u64) -> RunOptions {
    RunOptions { connections, depth, requests, pace: Pace::Closed }
}

#[allow(clippy::unwrap_used, reason = "a test")]
fn compare_toy(specs: &[Spec], workload: &Workload) -> Vec<ArmResult> {
    let dir = tempfile::tempdir().unwrap();
    let place = Place { dir: dir.path().to_owned(), server_cpu: None };
    let arms = compare(specs, workload, Rounds { warmup: 1, measured: 2 }, &place, "toy").unwrap();
    assert_eq!(arms.len(), specs.len());
    for arm in &arms {
        assert_eq!(arm.samples.len(), 2, "{}", arm.name);
        assert_eq!(arm.ratios.len(), specs.len() - 1);
        assert!(arm.samples.iter().all(|one| one.cpu_us_per_request > 0.0), "{}", arm.name);
    }
    arms
}

#[test]
fn every_sink_answers_small_requests_of_many_connections() {
    let specs = [
        spec(Kind::Sink, Loop::Epoll, Files::Recycled),
        spec(Kind::Sink, Loop::Threads, Files::Nowhere),
        spec(Kind::Crcsink, Loop::Epoll, Files::Fresh),
        spec(Kind::SinkCo, Loop::Epoll, Files::Recycled),
    ];
    let run = run(8, 5, 500);
    compare_toy(&specs, &Workload::Produce { batch: SMALL, partitions: 16, acks: 1, run });
}

#[test]
fn large_batches_pass_the_checksum() {
    let specs = [
        spec(Kind::Crcsink, Loop::Epoll, Files::Recycled),
        spec(Kind::Crcsink, Loop::Threads, Files::Fresh),
    ];
    let run = run(1, 5, 40);
    let arms =
        compare_toy(&specs, &Workload::Produce { batch: LARGE, partitions: 1, acks: 1, run });
    assert!(arms[0].samples[0].mb_per_s > 0.0);
}

#[test]
fn a_source_feeds_discarding_and_copying_consumers() {
    for consume in [Consume::Discard, Consume::Copy] {
        let workload = Workload::Fetch {
            batch: LARGE,
            partitions: 2,
            batches: 4,
            fetch_bytes: 65_536,
            consume,
            run: run(2, 1, 40),
        };
        let specs = [
            spec(Kind::Source, Loop::Epoll, Files::Nowhere),
            spec(Kind::Source, Loop::Threads, Files::Nowhere),
        ];
        compare_toy(&specs, &workload);
    }
}

#[test]
fn a_damaged_batch_is_refused_by_crcsink() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place { dir: dir.path().to_owned(), server_cpu: None };
    let kind = spec(Kind::Crcsink, Loop::Epoll, Files::Nowhere);
    let server = Server::start(&kind, &place).unwrap();
    let shape = ProduceShape { topic: "toy".into(), partitions: 1, batch: SMALL, acks: 1 };
    let mut plan = ProducePlan::new(&shape).unwrap();
    load::run(server.addr(), &mut plan, run(1, 1, 3)).unwrap();
    plan.damage();
    assert!(load::run(server.addr(), &mut plan, run(1, 1, 3)).is_err());
}

#[test]
fn an_open_loop_counts_latency_from_when_a_request_was_due() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place { dir: dir.path().to_owned(), server_cpu: None };
    let server = Server::start(&spec(Kind::Sink, Loop::Epoll, Files::Nowhere), &place).unwrap();
    let shape = ProduceShape { topic: "toy".into(), partitions: 1, batch: SMALL, acks: 1 };
    let mut plan = ProducePlan::new(&shape).unwrap();
    let pace = Pace::Open(2_000.0);
    let options = RunOptions { connections: 2, depth: 1, requests: 400, pace };
    // The server stands still for 100 ms in the middle: what was due meanwhile has waited.
    let pid = server.pid().to_string();
    let stall = std::thread::spawn(move || {
        let signal = |name: &str| {
            std::process::Command::new("kill").args([name, &pid]).status().unwrap();
        };
        std::thread::sleep(std::time::Duration::from_millis(50));
        signal("-STOP");
        std::thread::sleep(std::time::Duration::from_millis(100));
        signal("-CONT");
    });
    let outcome = load::run(server.addr(), &mut plan, options).unwrap();
    stall.join().unwrap();
    let waited = outcome.latency.count_between(40_000_000, outcome.latency.max());
    // 100 ms at 2,000 a second are 200 requests; those due in the first 60 ms waited 40 ms or more.
    assert!(waited >= 60, "{waited} requests of about 120 show the stall");
}

#[test]
fn latency_is_told_for_every_server_at_every_rate_and_survives_json() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place { dir: dir.path().to_owned(), server_cpu: None };
    let specs = [
        spec(Kind::Sink, Loop::Epoll, Files::Recycled),
        spec(Kind::Sink, Loop::Threads, Files::Nowhere),
    ];
    let options = LatencyOptions {
        rates: vec![200.0, 400.0],
        seconds: 0.2,
        repeats: 2,
        warmup_seconds: 0.05,
        batch: SMALL,
        partitions: 2,
        connections: 2,
    };
    let latencies = latency(&specs, &options, &place).unwrap();
    let told: Vec<f64> = latencies.iter().map(|one| one.rate).collect();
    assert_eq!(told, [200.0, 200.0, 400.0, 400.0]);
    for one in &latencies {
        assert!(one.p50_us > 0.0 && one.p50_us <= one.p99_us && one.p99_us <= one.max_us);
        assert!(one.curve.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{:?}", one.curve);
    }
    let figures = latency_figures("toy".to_owned(), &latencies);
    assert_eq!(figures.rows.len(), 4);
    let report = Report { latencies, tables: vec![figures], ..Report::default() };
    let path = dir.path().join("report.json");
    write_json(&report, &path).unwrap();
    let back = read_json(&path).unwrap();
    assert_eq!(back.tables[0].rows, report.tables[0].rows);
    assert_eq!(plot::draw(&back, dir.path()).unwrap().len(), 2);
}

//! The measurements of `millrace-bench` that need a broker's metrics, at toy size against the broker of
//! this build: they must not rot, and what they report must hold together. Nothing is timed.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "files of reports")]

use std::path::Path;
use std::str::FromStr;

use millrace_bench::report::{Figures, Report, figures_table, read_json, write_json};
use millrace_bench::server::{Place, Spec};
use millrace_bench::suites::{
    CompactionOptions, GROUP_LOAD_SETTINGS, GroupLoadOptions, compaction_beside,
    compaction_figures, compaction_quiet, group_load,
};

fn broker(set: &[&str]) -> Spec {
    Spec::Millrace {
        program: env!("CARGO_BIN_EXE_millrace").into(),
        backend: "epoll".to_owned(),
        shards: 1,
        set: set.iter().map(|pair| (*pair).to_owned()).collect(),
    }
}

fn place(dir: &Path) -> Place {
    Place { dir: dir.to_owned(), server_cpu: None }
}

/// A cell of a table, as a number.
fn cell<N: FromStr>(figures: &Figures, row: usize, column: &str) -> N {
    let at = figures.columns.iter().position(|name| name == column).expect(column);
    figures.rows[row][at].parse().ok().expect("a number")
}

/// Every row has all columns, and what is written is what is read again.
fn assert_told(report: &Report, dir: &Path) {
    for figures in &report.tables {
        assert!(!figures.rows.is_empty(), "{}", figures.title);
        assert!(figures.rows.iter().all(|row| row.len() == figures.columns.len()), "{figures:?}");
        let shown = figures_table(figures);
        assert!(figures.columns.iter().all(|column| shown.contains(column.as_str())), "{shown}");
    }
    let path = dir.join("report.json");
    write_json(report, &path).expect("written");
    let back = read_json(&path).expect("read again");
    assert_eq!(format!("{:?}", back.tables), format!("{:?}", report.tables));
    assert_eq!(back.compactions.len(), report.compactions.len());
    assert_eq!(back.latencies.len(), report.latencies.len());
}

#[test]
fn loading_groups_reads_every_commit_fewer_from_a_snapshot_and_each_key_when_compacted() {
    let dir = tempfile::tempdir().unwrap();
    let settings = [&GROUP_LOAD_SETTINGS[..], &["offsets.topic.segment.bytes=1048576"]].concat();
    // Enough for a snapshot, and no multiple of what is on its way at once.
    let options =
        GroupLoadOptions { commits: 70_100, groups: 7, partitions: 100, per_request: 100 };
    let figures = group_load(&broker(&settings), options, &place(dir.path())).unwrap();
    let from: Vec<&str> = figures.rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(from, ["whole log", "snapshot and the log behind it", "compacted log"]);
    let read = |row| cell::<u64>(&figures, row, "records read");
    let bytes = |row| cell::<u64>(&figures, row, "log MB");
    assert_eq!(read(0), 70_100, "every commit once");
    assert!(read(1) < read(0) / 2, "{} records beside a snapshot", read(1));
    assert!(read(2) >= 700 && read(2) < read(0), "{} records of 700 keys", read(2));
    assert!(bytes(2) < bytes(0), "{} of {} MB are left", bytes(2), bytes(0));
    assert_told(&Report { tables: vec![figures], ..Report::default() }, dir.path());
}

fn options() -> CompactionOptions {
    CompactionOptions {
        dirty_bytes: 24_000_000,
        keys: 500,
        rates_mb: vec![1.0],
        acks: vec![1],
        record_bytes: 1_000,
        records: 16,
        partitions: 2,
        connections: 2,
        seconds: 0.3,
        pairs: 2,
        cleaner_rate: "8000000".to_owned(),
    }
}

#[test]
fn a_producer_beside_a_compaction_has_as_many_pairs_as_were_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let options = CompactionOptions { acks: vec![1, -1], ..options() };
    let (results, latencies) =
        compaction_beside(&[broker(&[])], &options, &place(dir.path())).unwrap();
    assert_eq!(results.iter().map(|one| one.acks).collect::<Vec<_>>(), options.acks);
    assert_eq!(latencies.len(), 2 * results.len(), "with and without");
    for one in &results {
        assert_eq!(one.pairs.len(), options.pairs);
        for (without, with) in &one.pairs {
            assert!(with.bytes_read > 0.0 && without.bytes_read < with.bytes_read);
            for phase in [without, with] {
                assert!(phase.p50_us > 0.0 && phase.p50_us <= phase.p99_us);
                assert!(phase.p99_us <= phase.p999_us);
                assert!(phase.seconds > 0.0 && phase.cpu_s > 0.0);
            }
        }
        let p99 = &one.p99_ratio;
        assert!(p99.low <= p99.median && p99.median <= p99.high, "{p99:?}");
    }
    let figures = compaction_figures("toy".to_owned(), &results);
    assert_eq!(cell::<usize>(&figures, 0, "pairs"), options.pairs);
    let report =
        Report { compactions: results, latencies, tables: vec![figures], ..Report::default() };
    assert_told(&report, dir.path());
}

#[test]
fn a_quiet_compaction_leaves_little_of_what_was_dirty() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let figures = compaction_quiet(&[broker(&[])], &options(), &place).unwrap();
    assert_eq!(figures.rows.len(), 1);
    let dirty_mb = cell::<f64>(&figures, 0, "dirty GB") * 1e3;
    let left_mb: f64 = cell(&figures, 0, "MB left");
    assert!((20.0..60.0).contains(&dirty_mb), "{dirty_mb} MB were dirty");
    assert!(left_mb > 0.0 && left_mb < dirty_mb / 2.0, "{left_mb} of {dirty_mb} MB are left");
    assert_told(&Report { tables: vec![figures], ..Report::default() }, dir.path());
}

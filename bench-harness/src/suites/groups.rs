//! How long a group coordinator takes to load: one partition of `__consumer_offsets` with a long
//! history, from the whole log, from its snapshot, and from the log once it is compacted.
//!
//! The history is made by OffsetCommit requests. Each load follows a kill. Its CPU time is the
//! process's from its start until no partition is loading; so the start is in it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use millrace_net::messages::find_coordinator::FindCoordinatorRequest;
use millrace_net::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};

use crate::client::{Client, ConfigOf};
use crate::meter;
use crate::report::Figures;
use crate::server::{Place, Server, Spec};

/// What is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupLoadOptions {
    /// Commits of one partition each, in all.
    pub commits: u64,
    /// Groups that commit in turn.
    pub groups: u64,
    /// Partitions that each group commits for.
    pub partitions: i32,
    /// Of how many partitions a request, and so a batch of the log, tells.
    pub per_request: usize,
}

const TOPIC: &str = "bench-committed";
const SNAPSHOT: &str = "coordinator.state";
const OFFSETS: &str = "__consumer_offsets-0";
/// OffsetCommit with topics' names, and without what only groups with members need.
const COMMIT_VERSION: i16 = 8;
/// Requests on their way.
const DEPTH: usize = 64;
/// How long one step may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// Settings that the broker needs for this.
pub const GROUP_LOAD_SETTINGS: [&str; 4] = [
    "offsets.topic.num.partitions=1",
    "log.flush.interval.ms=500",
    // Compaction begins when it is told to.
    "log.cleaner.min.compaction.lag.ms=86400000",
    "log.cleaner.backoff.ms=100",
];

/// Measures the loads of one broker.
pub fn group_load(spec: &Spec, options: GroupLoadOptions, place: &Place) -> Result<Figures> {
    let mut server = Server::start(spec, place)?;
    let mut client = Client::connect(server.addr())?;
    client.create_topic(TOPIC, options.partitions, &[])?;
    find_coordinator(&mut client)?;
    let begun = Instant::now();
    commit(&mut client, options)?;
    let rate = options.commits as f64 / begun.elapsed().as_secs_f64();
    std::thread::sleep(Duration::from_secs(2));
    let mut rows = Vec::new();
    forget_snapshot(&server);
    rows.push(load(&mut server, "whole log")?);
    // A log of such a length gets a snapshot as soon as it is loaded.
    if await_snapshot(&server)? {
        rows.push(load(&mut server, "snapshot and the log behind it")?);
    }
    let mut client = Client::connect(server.addr())?;
    client.set_configs(ConfigOf::Broker(""), &[("log.cleaner.min.compaction.lag.ms", "0")])?;
    await_cleaned(&server)?;
    forget_snapshot(&server);
    rows.push(load(&mut server, "compacted log")?);
    let title = format!(
        "{}: loading {} commits of {} groups, {} partitions each, {} a request ({rate:.0} committed/s)",
        spec.name(),
        options.commits,
        options.groups,
        options.partitions,
        options.per_request
    );
    let columns = ["from", "log MB", "records read", "s", "CPU-s", "million records/CPU-s"];
    Ok(Figures { title, columns: columns.map(str::to_owned).to_vec(), rows })
}

fn find_coordinator(client: &mut Client) -> Result<()> {
    let begun = Instant::now();
    let request =
        FindCoordinatorRequest { key: "g0".to_owned(), ..FindCoordinatorRequest::default() };
    loop {
        let answer = client.call(&request, 2)?;
        if answer.error_code == 0 {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "no coordinator: error code {}", answer.error_code);
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn commit(client: &mut Client, options: GroupLoadOptions) -> Result<()> {
    let partitions = u64::try_from(options.partitions)?;
    let per_request = options.per_request as u64;
    let (mut number, mut sent) = (0, Vec::new());
    while number < options.commits {
        while sent.len() < DEPTH && number < options.commits {
            let first = number / per_request / options.groups * per_request;
            let told = (first..first + per_request).map(|it| OffsetCommitRequestPartition {
                partition_index: i32::try_from(it % partitions).unwrap_or(0),
                committed_offset: i64::try_from(number).unwrap_or(0),
                ..OffsetCommitRequestPartition::default()
            });
            let request = OffsetCommitRequest {
                group_id: format!("bench-group-{}", number / per_request % options.groups),
                generation_id_or_member_epoch: -1,
                topics: vec![OffsetCommitRequestTopic {
                    name: TOPIC.to_owned(),
                    partitions: told.collect(),
                    ..OffsetCommitRequestTopic::default()
                }],
                ..OffsetCommitRequest::default()
            };
            number += per_request;
            sent.push(client.send(&request, COMMIT_VERSION)?);
        }
        for sent in sent.drain(..) {
            let answer = client.receive::<OffsetCommitRequest>(sent, COMMIT_VERSION)?;
            let mut parts = answer.topics.iter().flat_map(|topic| &topic.partitions);
            ensure!(parts.all(|part| part.error_code == 0), "a commit is refused");
        }
    }
    Ok(())
}

fn forget_snapshot(server: &Server) {
    // None is there if the broker takes none.
    let _gone = std::fs::remove_file(server.log_dir().join(OFFSETS).join(SNAPSHOT));
}

fn metric(server: &Server, name: &str) -> f64 {
    server.metrics().get(name).copied().unwrap_or(0.0)
}

/// Kills the broker, starts it, and waits until its groups are loaded.
fn load(server: &mut Server, from: &str) -> Result<Vec<String>> {
    server.kill()?;
    let folder = server.log_dir().join(OFFSETS);
    let files = std::fs::read_dir(folder)?.flatten();
    let logs = files.filter(|it| it.path().extension().is_some_and(|it| it == "log"));
    let bytes: u64 = logs.filter_map(|it| it.metadata().ok()).map(|it| it.len()).sum();
    let begun = Instant::now();
    server.restart()?;
    while metric(server, "millrace_serving") < 1.0
        || metric(server, "millrace_group_partitions_loading") > 0.0
        || metric(server, "millrace_group_records_loaded_total") < 1.0
    {
        ensure!(begun.elapsed() < PATIENCE, "the groups do not load");
        std::thread::sleep(Duration::from_millis(2));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = meter::read(server.pid())?.cpu_ns as f64 / 1e9;
    let records = metric(server, "millrace_group_records_loaded_total");
    Ok(vec![
        from.to_owned(),
        format!("{:.0}", bytes as f64 / 1e6),
        format!("{records:.0}"),
        format!("{seconds:.2}"),
        format!("{cpu:.2}"),
        format!("{:.2}", records / cpu / 1e6),
    ])
}

/// Waits for a snapshot. False if the broker takes none.
fn await_snapshot(server: &Server) -> Result<bool> {
    let begun = Instant::now();
    loop {
        match server.metrics().get("millrace_group_snapshots_total") {
            None => return Ok(false),
            Some(count) if *count > 0.0 => return Ok(true),
            Some(_) => {}
        }
        ensure!(begun.elapsed() < PATIENCE, "no snapshot is taken");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn await_cleaned(server: &Server) -> Result<()> {
    let begun = Instant::now();
    let path = server.log_dir().join("cleaner-offset-checkpoint");
    loop {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if text.lines().any(|line| line.starts_with("__consumer_offsets 0 ")) {
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "the log is not compacted");
        std::thread::sleep(Duration::from_millis(50));
    }
}

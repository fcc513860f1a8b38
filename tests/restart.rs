//! How long a start takes: after a kill with little and with much in a partition, after a clean stop
//! and after a kill with many partitions.
//!
//! Small here; `MILLRACE_RESTART_MIB=10240 cargo test --release --test restart -- --nocapture` for
//! the figures of docs/TESTING.md. Times count from before the process is made until a client
//! has its answer; the bounds are far above what is seen, for machines that are busy.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::struct_field_names,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use millrace_engine::ProducerStamp;
use millrace_net::messages::api_versions::ApiVersionsRequest;
use millrace_net::messages::produce::ProduceRequest;
use support::{Broker, Connection, PRODUCE_VERSION, batch, produce_request, wait_until, wanted};

/// Partitions in the second test.
const PARTITIONS: i32 = 1_000;
/// Bytes of the batches that fill a partition, about.
const BATCH_BYTES: u64 = 900 << 10;

/// What a client saw of a start.
#[derive(Debug)]
#[allow(dead_code, reason = "printed")]
struct Seen {
    api_versions: Duration,
    metadata: Duration,
    fetch: Duration,
}

/// Starts a broker and asks: ApiVersions, Metadata, a fetch from the middle of partition 0.
fn start(dir: &Path, topic: &str, offset: i64) -> (Broker, Seen) {
    let began = Instant::now();
    let broker = Broker::start(dir, &[]);
    let mut connection = Connection::open(broker.address).expect("it listens");
    if let Err(error) = connection.ask(&ApiVersionsRequest::default(), 0) {
        panic!("{error}: no answer from a broker that said {:#?}", broker.said());
    }
    let api_versions = began.elapsed();
    connection.metadata().expect("an answer");
    let metadata = began.elapsed();
    let fetched = connection.fetch(topic, 0, offset).expect("an answer");
    assert_eq!(fetched.error_code, 0, "at {offset} of a broker that said {:#?}", broker.said());
    assert!(fetched.records.is_some_and(|records| !records.is_empty()), "nothing at {offset}");
    (broker, Seen { api_versions, metadata, fetch: began.elapsed() })
}

/// Produces `mib` MiB to partition 0, several batches in flight; the number of records.
fn fill(connection: &mut Connection, topic: &str, mib: u64) -> i64 {
    let value = Bytes::from(vec![7_u8; usize::try_from(BATCH_BYTES).expect("small")]);
    let request = produce_request(topic, 0, batch(ProducerStamp::default(), [value]));
    let batches = ((mib << 20) / BATCH_BYTES).max(2);
    let answer = |connection: &mut Connection| {
        let answer = connection.receive::<ProduceRequest>(PRODUCE_VERSION).expect("an answer");
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    };
    for sent in 0..batches {
        connection.send(&request, PRODUCE_VERSION).expect("the broker reads");
        if sent >= 4 {
            answer(connection);
        }
    }
    for _ in 0..batches.min(4) {
        answer(connection);
    }
    i64::try_from(batches).expect("few")
}

/// Waits until a shard has written down where its partitions stand.
fn wait_for_checkpoint(dir: &Path) {
    let newest = || {
        let entries = std::fs::read_dir(dir).expect("the log dir").filter_map(Result::ok);
        let is_one = |entry: &std::fs::DirEntry| {
            entry.path().extension().is_some_and(|extension| extension == "checkpoint")
        };
        let written = |entry: std::fs::DirEntry| entry.metadata().ok()?.modified().ok();
        entries.filter(is_one).filter_map(written).max()
    };
    let before = std::time::SystemTime::now();
    wait_until("a checkpoint is written", || newest().is_some_and(|at| at > before));
}

#[test]
fn a_start_after_a_kill_takes_as_long_with_much_data_as_with_little() {
    let much = wanted("MILLRACE_RESTART_MIB", 256);
    let mut seen = Vec::new();
    for mib in [much / 50, much] {
        let dir = tempfile::tempdir().expect("a folder");
        let broker = Broker::start(dir.path(), &[]);
        let mut connection = Connection::open(broker.address).expect("it listens");
        connection.create_topic("t", 1, &[]);
        let records = fill(&mut connection, "t", mib);
        broker.kill();
        let (broker, times) = start(dir.path(), "t", records / 2);
        println!("{mib} MiB in one partition, killed at once: {times:?}");
        // From here on the tail that recovery has to read is the same, whatever lies before it.
        let mut connection = Connection::open(broker.address).expect("it listens");
        fill(&mut connection, "t", 1);
        wait_for_checkpoint(dir.path());
        broker.kill();
        let (broker, times) = start(dir.path(), "t", records / 2);
        println!("{mib} MiB in one partition, killed after a checkpoint: {times:?}");
        seen.push(times);
        assert!(broker.stop());
        let (broker, times) = start(dir.path(), "t", records / 2);
        println!("{mib} MiB in one partition, stopped: {times:?}");
        drop(broker);
    }
    let bound = seen[0].fetch * 4 + Duration::from_secs(2);
    assert!(seen[1].fetch < bound, "{:?} is not as fast as {:?}", seen[1], seen[0]);
}

#[test]
fn a_thousand_partitions_start_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(dir.path(), &[]);
    let mut connection = Connection::open(broker.address).expect("it listens");
    let began = Instant::now();
    connection.create_topic("many", PARTITIONS, &[]);
    println!("{PARTITIONS} partitions made in {:?}", began.elapsed());
    for partition in 0..PARTITIONS {
        let records = batch(ProducerStamp::default(), [[7_u8; 100]]);
        let mut produced = None;
        wait_until("the partition takes records", || {
            let answer = connection.produce("many", partition, records.clone()).expect("answered");
            produced = Some(answer.error_code);
            answer.error_code == 0
        });
        assert_eq!(produced, Some(0));
    }
    println!("one record in each: {} MiB", broker.memory_bytes() >> 20);
    let began = Instant::now();
    assert!(broker.stop());
    println!("stopped in {:?}", began.elapsed());
    for round in 0..3 {
        let (broker, times) = start(dir.path(), "many", 0);
        println!("{round}: stopped: {times:?}, {} MiB", broker.memory_bytes() >> 20);
        assert!(times.fetch < Duration::from_secs(5), "{times:?}");
        assert!(broker.stop());
    }
    for round in 0..3 {
        let (broker, _) = start(dir.path(), "many", 0);
        broker.kill();
        let (broker, times) = start(dir.path(), "many", 0);
        println!("{round}: killed: {times:?}, {} MiB", broker.memory_bytes() >> 20);
        assert!(times.fetch < Duration::from_secs(20), "{times:?}");
        assert!(broker.stop());
    }
}

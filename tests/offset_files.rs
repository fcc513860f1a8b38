//! Kafka's checkpoint files while the broker runs: what a kill leaves in them.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::path::Path;

use millrace_engine::ProducerStamp;
use millrace_engine::checkpoint_file::read_offsets;
use support::{Broker, Connection, backends, batch, wait_until};

/// The partitions and offsets in a file; nothing while it is not there.
fn offsets(dir: &Path, file: &str) -> Vec<(String, i32, i64)> {
    let bytes = std::fs::read(dir.join(file)).unwrap_or_else(|_| b"0\n0\n".to_vec());
    let entries = read_offsets(&bytes).expect("a whole file, at any moment");
    entries.into_iter().map(|it| (it.topic, it.partition, it.offset.0)).collect()
}

#[test]
fn what_they_tell_of_a_deleted_topic_is_not_taken_for_another_of_its_name() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let arguments = ["--io-backend", backend];
        let values = |count| batch(ProducerStamp::default(), vec![[7; 10]; count]);
        let broker = Broker::start(dir.path(), &arguments);
        let mut connection = Connection::open(broker.address).expect("the broker is up");
        connection.create_topic("t", 1, &[]);
        assert_eq!(connection.produce("t", 0, values(10)).expect("served").error_code, 0);
        connection.delete_records("t", 0, 8);
        assert!(broker.stop());
        let told = || offsets(dir.path(), "log-start-offset-checkpoint");
        assert_eq!(told(), [("t".to_owned(), 0, 8)]);

        let broker = Broker::start(dir.path(), &arguments);
        let mut connection = Connection::open(broker.address).expect("the broker is up");
        connection.delete_topic("t");
        connection.create_topic("t", 1, &[]);
        assert_eq!(connection.produce("t", 0, values(5)).expect("served").error_code, 0);
        broker.kill();
        assert_eq!(told(), [("t".to_owned(), 0, 8)], "it is of the old topic still");

        let broker = Broker::start(dir.path(), &arguments);
        let mut connection = Connection::open(broker.address).expect("the broker is up");
        let fetched = connection.fetch("t", 0, 0).expect("served");
        assert_eq!((fetched.error_code, fetched.log_start_offset), (0, 0));
        assert!(fetched.records.is_some_and(|records| !records.is_empty()));
    }
}

#[test]
fn recovery_points_log_starts_and_high_watermarks_are_written_while_it_runs() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut arguments = vec!["--io-backend", backend, "--shards", "2"];
        for key in [
            "log.flush.offset.checkpoint.interval.ms=100",
            "log.flush.start.offset.checkpoint.interval.ms=100",
            "replica.high.watermark.checkpoint.interval.ms=100",
        ] {
            arguments.extend(["--set", key]);
        }
        let broker = Broker::start(dir.path(), &arguments);
        let mut connection = Connection::open(broker.address).expect("the broker is up");
        connection.create_topic("t", 2, &[("flush.messages", "1")]);
        for partition in 0..2 {
            let values = vec![[7; 10]; 3 + usize::try_from(partition).expect("small")];
            let records = batch(ProducerStamp::default(), values);
            assert_eq!(connection.produce("t", partition, records).expect("served").error_code, 0);
        }
        let ends = [("t".to_owned(), 0, 3), ("t".to_owned(), 1, 4)];
        let told = |file: &str| offsets(dir.path(), file);
        wait_until("high watermarks", || told("replication-offset-checkpoint") == ends);
        wait_until("recovery points", || told("recovery-point-offset-checkpoint") == ends);
        assert!(told("log-start-offset-checkpoint").is_empty(), "all start at 0");
        connection.delete_records("t", 1, 2);
        let start = [("t".to_owned(), 1, 2)];
        wait_until("log starts", || told("log-start-offset-checkpoint") == start);
        broker.kill();
        assert_eq!(told("log-start-offset-checkpoint"), start, "it outlives the process");
    }
}

//! Starts with real processes: those that must be refused end by themselves and say why; those of
//! many partitions get by with what a process may have open.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use millrace_engine::ProducerStamp;
use millrace_net::messages::produce::ProduceRequest;
use support::{Broker, Connection, PRODUCE_VERSION, batch, produce_request};

/// Partitions of the test with few descriptors, each with something in it.
const PARTITIONS: i32 = 1_000;
/// Kills of the test with one port.
const ROUNDS: usize = 10;
/// What the process may open: one file for each partition, and some.
const FILES_MAX: u32 = 1_500;

/// Runs a broker that is expected to end by itself.
fn refused(dir: &Path, backend: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_millrace"))
        .args(["serve", "--listen", "127.0.0.1:0", "--shards", "2", "--io-backend", backend])
        .args(["--set", "millrace.admin.listener=", "--data-dir"])
        .arg(dir)
        .output()
        .expect("the program runs")
}

#[test]
fn a_log_dir_that_is_in_use_is_refused_and_its_broker_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "1"]);
    let second = refused(dir.path(), "auto");
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another broker has it locked"), "{said}");
    let mut connection = Connection::open(broker.address).unwrap();
    connection.create_topic("still-here", 1, &[]);
    drop(connection);
    assert!(broker.stop(), "the first stops cleanly");
    // What one leaves behind is no lock.
    let third = Broker::start(dir.path(), &["--shards", "1"]);
    assert!(third.stop());
}

/// The kernel takes a killed process's ring down a little later, and the ring's accept holds the
/// listening socket until then: starts failed with "Address already in use", one in three.
#[test]
fn a_killed_broker_starts_again_at_once_on_its_port() {
    for backend in support::backends() {
        let dir = tempfile::tempdir().unwrap();
        let mut broker = Broker::start(dir.path(), &["--io-backend", backend]);
        for _ in 0..ROUNDS {
            let address = broker.address;
            let mut connection = Connection::open(address).unwrap();
            connection.metadata().unwrap();
            broker.kill();
            broker = Broker::start_at(address, dir.path(), &["--io-backend", backend]);
        }
    }
}

#[test]
fn a_log_dir_that_cannot_be_read_ends_the_whole_process() {
    for backend in support::backends() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("meta.properties"), "garbage\n").unwrap();
        let ended = refused(dir.path(), backend);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains("meta.properties"), "{said}");
    }
}

#[test]
fn a_listener_without_a_host_serves_both_families_and_tells_an_ipv4_client_its_own() {
    let v6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    for backend in support::backends() {
        let dir = tempfile::tempdir().unwrap();
        let listeners = "listeners=PLAINTEXT://:0";
        let broker = Broker::start(dir.path(), &["--io-backend", backend, "--set", listeners]);
        let port = broker.address.port();
        for host in ["127.0.0.1", "::1"] {
            let address = std::net::SocketAddr::new(host.parse().unwrap(), port);
            if address.is_ipv6() && !v6 {
                continue;
            }
            let mut connection = Connection::open(address).unwrap();
            let answer = connection.metadata().unwrap();
            assert_eq!(answer.brokers[0].host, host, "derived from where the client connected to");
        }
        assert!(broker.stop());
    }
}

#[test]
fn many_partitions_recover_and_close_with_few_descriptors() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Broker::start_with_files(FILES_MAX, dir.path(), &["--shards", "1"]);
    let broker = start();
    let mut connection = Connection::open(broker.address).unwrap();
    connection.create_topic("many", PARTITIONS, &[]);
    for partition in 0..PARTITIONS {
        let records = batch(ProducerStamp::default(), ["x"]);
        let request = produce_request("many", partition, records);
        connection.send(&request, PRODUCE_VERSION).unwrap();
    }
    for _ in 0..PARTITIONS {
        let answer = connection.receive::<ProduceRequest>(PRODUCE_VERSION).unwrap();
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
    broker.kill();
    // All recover, then all close, then all open again.
    for _ in 0..2 {
        let broker = start();
        let mut connection = Connection::open(broker.address).unwrap();
        for partition in [0, PARTITIONS / 2, PARTITIONS - 1] {
            let fetched = connection.fetch("many", partition, 0).unwrap();
            assert_eq!(fetched.error_code, 0);
            assert!(fetched.records.is_some_and(|records| !records.is_empty()));
        }
        drop(connection);
        let failed: Vec<_> =
            broker.said().into_iter().filter(|line| line.contains("the log failed")).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert!(broker.stop(), "it stops cleanly");
    }
    assert!(dir.path().join(".kafka_cleanshutdown").exists(), "no log failed while it closed");
}

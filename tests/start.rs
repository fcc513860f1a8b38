//! Starts that must be refused, with real processes: they end by themselves and say why.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use support::{Broker, Connection};

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

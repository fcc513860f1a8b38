//! The limits on connections, with a real process.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use support::{Broker, Connection, backends};

fn broker(dir: &std::path::Path, backend: &str, settings: &[&str]) -> Broker {
    let mut arguments = vec!["--io-backend", backend, "--shards", "2"];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    Broker::start(dir, &arguments)
}

/// Long enough for an answer, short enough to wait for none.
const PATIENCE: Duration = Duration::from_millis(500);

fn connect(address: SocketAddr, patience: Duration) -> Connection {
    let connection = Connection::open(address).expect("the kernel takes it");
    connection.stream.set_read_timeout(Some(patience)).expect("a socket");
    connection
}

#[test]
fn above_max_connections_the_next_waits_until_one_goes() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let broker = broker(dir.path(), backend, &["max.connections=3"]);
        let long = Duration::from_mins(1);
        let mut served: Vec<_> = (0..3).map(|_| connect(broker.address, long)).collect();
        for connection in &mut served {
            connection.metadata().expect("served");
        }
        let mut fourth = connect(broker.address, PATIENCE);
        let waits = fourth.metadata().expect_err("it waits");
        assert!(matches!(waits.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waits}");
        fourth.stream.set_read_timeout(Some(long)).expect("a socket");
        served.pop();
        fourth.receive::<millrace_net::messages::metadata::MetadataRequest>(8).expect("its turn");
        for connection in &mut served {
            connection.metadata().expect("the others are still served");
        }
    }
}

#[test]
fn one_address_may_have_as_many_as_it_is_allowed() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let settings = ["max.connections.per.ip=1", "max.connections.per.ip.overrides=localhost:2"];
        let broker = broker(dir.path(), backend, &settings);
        let long = Duration::from_mins(1);
        let mut first = connect(broker.address, long);
        let mut second = connect(broker.address, long);
        first.metadata().expect("served");
        second.metadata().expect("served");
        let refused = connect(broker.address, long).metadata().expect_err("one too many");
        assert_ne!(refused.kind(), ErrorKind::WouldBlock, "closed, not ignored: {refused}");
        drop(first);
        support::wait_until("there is room again", || {
            connect(broker.address, long).metadata().is_ok()
        });
    }
}

#[test]
fn connections_come_no_faster_than_allowed() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let settings = ["max.connection.creation.rate=2", "quota.window.num=2"];
        let broker = broker(dir.path(), backend, &settings);
        let begun = Instant::now();
        for _ in 0..6 {
            connect(broker.address, Duration::from_mins(1)).metadata().expect("served in the end");
        }
        let took = begun.elapsed();
        // Two a second, and one or two seconds' worth at once.
        assert!(took >= Duration::from_millis(900), "{backend}: six connections in {took:?}");
    }
}

//! A clean stop with real processes.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::time::{Duration, Instant};

use support::{Broker, Connection};

/// Well below the grace that requests under way get (5 s), which used to be how long it took: the
/// last log closed in the turn that asked it to, and nothing woke the shard to go on.
const STOP_MAX: Duration = Duration::from_secs(2);

#[test]
fn a_stop_without_clients_does_not_wait_for_a_timer() {
    for backend in support::backends() {
        let dir = tempfile::tempdir().unwrap();
        let broker = Broker::start(dir.path(), &["--io-backend", backend, "--shards", "1"]);
        let mut connection = Connection::open(broker.address).unwrap();
        connection.create_topic("stop", 1, &[]);
        drop(connection);
        // At rest: with something under way, its completion would wake the shard anyway.
        let (mut last, mut equal) = (Duration::ZERO, 0);
        support::wait_until("the broker is at rest", || {
            let now = broker.cpu();
            equal = if now == last { equal + 1 } else { 0 };
            last = now;
            equal > 50
        });
        let begun = Instant::now();
        assert!(broker.stop(), "it stops cleanly");
        assert!(begun.elapsed() < STOP_MAX, "{backend}: a stop took {:?}", begun.elapsed());
    }
}

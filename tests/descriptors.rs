//! A process that may have few files open: what needs one waits, nothing fails for good, nothing is
//! lost, and all goes on once some are given back.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::net::TcpStream;

use millrace_engine::ProducerStamp;
use support::{Broker, Connection, backends, batch, wait_until};

/// Descriptors of the process: less than its partitions alone would take.
const FILES_MAX: u32 = 80;
const PARTITIONS: i32 = 80;
const ROUNDS: i64 = 2;
const STORAGE_ERROR: i16 = 56;

/// Produces a record to each partition, and comes again where there was no file to put it into.
fn produce_to_all(connection: &mut Connection) {
    for partition in 0..PARTITIONS {
        wait_until("the record is taken", || {
            let records = batch(ProducerStamp::default(), ["value"]);
            match connection.produce("t", partition, records).expect("served").error_code {
                0 => true,
                STORAGE_ERROR => false,
                other => panic!("error {other}"),
            }
        });
    }
}

#[test]
fn a_process_with_few_descriptors_loses_nothing_and_goes_on() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let arguments = ["--io-backend", backend, "--shards", "2"];
        let start = || Broker::start_with_files(FILES_MAX, dir.path(), &arguments);
        let broker = start();
        let mut connection = Connection::open(broker.address).expect("the broker is up");
        connection.create_topic("t", PARTITIONS, &[]);
        for _ in 0..ROUNDS {
            produce_to_all(&mut connection);
        }
        // More connections than there are descriptors: the kernel keeps them.
        let held: Vec<TcpStream> =
            (0..2 * FILES_MAX).filter_map(|_| TcpStream::connect(broker.address).ok()).collect();
        wait_until("the broker says what to do", || {
            broker.said().iter().any(|line| line.contains("LimitNOFILE"))
        });
        connection.metadata().expect("who is connected is served");
        drop(held);
        produce_to_all(&mut Connection::open(broker.address).expect("there is room again"));
        let said = broker.said().join("\n");
        assert!(!said.contains("the log failed"), "{said}");
        broker.kill();
        let broker = start();
        let mut connection = Connection::open(broker.address).expect("it starts");
        for partition in 0..PARTITIONS {
            let mut end = 0;
            wait_until("the partition is read", || {
                let answer = connection.fetch("t", partition, 0).expect("an answer");
                end = answer.high_watermark;
                answer.error_code == 0
            });
            assert!(end > ROUNDS, "{backend}: partition {partition} ends at {end}");
        }
        let said = broker.said().join("\n");
        assert!(!said.contains("the log failed"), "{said}");
        drop(connection);
        assert!(broker.stop(), "{said}");
    }
}

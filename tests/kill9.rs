//! kill -9 under load, with real processes: nothing that was acknowledged is lost, order holds, an
//! idempotent producer's retries make no duplicates.
//!
//! Producers, one per partition, keep several batches in flight and remember what was answered.
//! The broker is killed at a random moment and started again on the same folder; the producers
//! reconnect and send again what was not answered, as real ones do. Every record carries its
//! number, so reading the partition back must give 0, 1, 2, … without gap or repeat.
//!
//! Rounds per driver: a few here; `MILLRACE_KILLS=200 cargo test --release --test kill9` for more.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::struct_field_names,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use millrace_engine::{BatchIter, ProducerId, ProducerStamp, RecordIter};
use millrace_net::messages::produce::ProduceRequest;
use support::{Broker, Connection, batch, produce_request, wanted};

const PARTITIONS: i32 = 4;
const IN_FLIGHT: usize = 5;
const RECORDS_PER_BATCH: i64 = 20;

/// One partition's producer; lives longer than any broker.
struct Producer {
    partition: i32,
    producer_id: i64,
    /// Number of the first record that was never sent.
    next: i64,
    /// First numbers of batches that were sent and not answered.
    unanswered: VecDeque<i64>,
    /// Answered: all records below are acknowledged.
    acknowledged: i64,
}

fn numbered(producer_id: i64, first: i64) -> Bytes {
    let producer = ProducerStamp {
        id: ProducerId(producer_id),
        epoch: 0,
        base_sequence: i32::try_from(first).expect("few records"),
    };
    batch(producer, (first..first + RECORDS_PER_BATCH).map(i64::to_be_bytes))
}

impl Producer {
    fn request(&self, first: i64) -> ProduceRequest {
        produce_request("k", self.partition, numbered(self.producer_id, first))
    }

    /// Produces until the broker is gone.
    fn run(&mut self, address: SocketAddr, stop: &AtomicBool) -> std::io::Result<()> {
        let mut connection = Connection::open(address)?;
        for first in self.unanswered.clone() {
            connection.send(&self.request(first), 9)?;
        }
        loop {
            while self.unanswered.len() < IN_FLIGHT && !stop.load(Ordering::Relaxed) {
                let request = self.request(self.next);
                self.unanswered.push_back(self.next);
                self.next += RECORDS_PER_BATCH;
                connection.send(&request, 9)?;
            }
            let Some(first) = self.unanswered.front().copied() else { return Ok(()) };
            let response = connection.receive::<ProduceRequest>(9)?;
            let answer = &response.responses[0].partition_responses[0];
            assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
            assert_eq!(answer.base_offset, first, "numbers and offsets agree");
            self.unanswered.pop_front();
            self.acknowledged = first + RECORDS_PER_BATCH;
        }
    }
}

/// Reads a partition from an offset to its end; the numbers in it, checked to be the offsets.
fn read_back(address: SocketAddr, partition: i32, mut offset: i64) -> i64 {
    let mut connection = Connection::open(address).expect("the broker is up");
    loop {
        let answer = connection.fetch("k", partition, offset).expect("an answer");
        assert_eq!(answer.error_code, 0, "partition {partition} at offset {offset}");
        let records = answer.records.clone().unwrap_or_default();
        let start = offset;
        for view in BatchIter::new(&records) {
            assert!(view.is_crc_right(), "partition {partition}: wrong CRC at {offset}");
            for record in RecordIter::new(view.records(), view.header.record_count) {
                let record = record.expect("a record");
                let at = view.header.base_offset.0 + i64::from(record.offset_delta);
                let number =
                    i64::from_be_bytes(record.value.expect("a value").try_into().expect("8 bytes"));
                assert_eq!(number, at, "partition {partition}: a gap or a repeat at {at}");
                offset = offset.max(at + 1);
            }
        }
        if offset == start {
            return offset;
        }
    }
}

fn kills() -> u64 {
    wanted("MILLRACE_KILLS", 6)
}

fn run(backend: &str) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut producers: Vec<Producer> = Vec::new();
    let mut checked = vec![0; usize::try_from(PARTITIONS).expect("a few")];
    let mut random = millrace::random::Random::new(0x6b69_6c6c);
    for round in 0..=kills() {
        let broker = Broker::start(dir.path(), &["--io-backend", backend]);
        if round == 0 {
            producers = set_up(broker.address);
        }
        for (producer, checked) in producers.iter().zip(&mut checked) {
            let end = read_back(broker.address, producer.partition, *checked);
            assert!(
                end >= producer.acknowledged,
                "{backend}, round {round}, partition {}: {} acknowledged, {end} found",
                producer.partition,
                producer.acknowledged
            );
            // Some of it is read again next time: what was found must stay.
            *checked = end.saturating_sub(1000).max(0);
        }
        if round == kills() {
            broker.kill();
            break;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let address = broker.address;
        let shared = Mutex::new(Some(broker));
        std::thread::scope(|scope| {
            for producer in &mut producers {
                let stop = Arc::clone(&stop);
                scope.spawn(move || producer.run(address, &stop));
            }
            let ms = 20 + random.u64() % 180;
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(ms));
                if let Some(broker) = shared.lock().expect("not poisoned").take() {
                    broker.kill();
                }
            });
        });
    }
    let total: i64 = producers.iter().map(|producer| producer.acknowledged).sum();
    println!("{backend}: {} kills, {total} records acknowledged, all there", kills());
    assert!(total > 0, "nothing was acknowledged, so nothing was tested");
}

fn set_up(address: SocketAddr) -> Vec<Producer> {
    let mut connection = Connection::open(address).expect("the broker is up");
    connection.create_topic("k", PARTITIONS, &[]);
    (0..PARTITIONS)
        .map(|partition| Producer {
            partition,
            producer_id: connection.producer_id(),
            next: 0,
            unanswered: VecDeque::new(),
            acknowledged: 0,
        })
        .collect()
}

#[test]
fn nothing_acknowledged_is_lost_when_killed_on_io_uring() {
    if millrace_uring::probe(millrace_uring::Backend::Uring).is_available {
        run("uring");
    } else {
        println!("io_uring is not to be had here; the other test runs");
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_killed_on_epoll() {
    run("epoll");
}

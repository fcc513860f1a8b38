//! Compaction in a real process that is killed with -9 in the middle of it: of each key the last
//! record is there, at its offset, in order, and nothing that nobody wrote; tombstones stay for
//! `delete.retention.ms` and then go; records without a key are refused.
//!
//! Two producers, one per topic, write the same keys again and again; about every fifth record is a
//! tombstone. As each is idempotent, its records' numbers are their offsets, so a number tells what
//! must stand there: key, value, and when it was first sent. Segments are small, and compaction is
//! made eager by configurations that are set while the broker runs; a kill comes a moment after
//! files of a pass are seen.
//!
//! The driver is the one that `KAFKA_MILLRACE_IO_BACKEND` names. Kills: a few here;
//! `MILLRACE_COMPACTION_KILLS=100 cargo test --release --test compaction -- --nocapture` for more.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::struct_field_names,
    clippy::case_sensitive_file_extension_comparisons,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use millrace::random::Random;
use millrace_engine::{BatchBuilder, BatchIter, BatchSpec, ProducerId, ProducerStamp, RecordIter};
use millrace_net::messages::produce::ProduceRequest;
use support::{
    BROKER, Broker, Connection, PRODUCE_VERSION, TOPIC, produce_request, wait_until, wanted,
};

/// Tombstones of this topic outlive the test.
const KEPT: &str = "kept";
/// Those of this one go soon.
const SHORT: &str = "short";
const SHORT_RETENTION: Duration = Duration::from_millis(1_500);
const DAY: Duration = Duration::from_hours(24);
const KEYS: u64 = 200;
const RECORDS_PER_BATCH: i64 = 20;
const IN_FLIGHT: usize = 5;
/// Some segments; compaction is to keep up.
const BATCHES_PER_ROUND: usize = 300;
/// A record is a millisecond younger than the one before it, so this many are a segment.
const SEGMENT_RECORDS: &str = "500";
/// Kafka's INVALID_RECORD.
const INVALID_RECORD: i16 = 87;

/// What the number of a record decides.
fn mixed(number: i64) -> u64 {
    Random::new(number.cast_unsigned()).u64()
}

/// Records from [`tail_from`] on have keys of their own: those before are not superseded any more.
fn key(number: i64) -> [u8; 8] {
    let keys = if number < tail_from() { 0 } else { KEYS };
    (keys + mixed(number) % KEYS).to_be_bytes()
}

/// Kills, and so rounds.
fn kills() -> u64 {
    wanted("MILLRACE_COMPACTION_KILLS", 5)
}

/// The first number that no round sends.
fn tail_from() -> i64 {
    static FROM: OnceLock<i64> = OnceLock::new();
    *FROM.get_or_init(|| {
        let batches = i64::try_from(BATCHES_PER_ROUND).expect("few");
        i64::try_from(kills()).expect("few") * batches * RECORDS_PER_BATCH
    })
}

fn is_tombstone(number: i64) -> bool {
    (mixed(number) >> 32).is_multiple_of(5)
}

fn value(number: i64) -> Option<Vec<u8>> {
    (!is_tombstone(number)).then(|| number.to_be_bytes().repeat(25))
}

fn numbered(producer_id: i64, first: i64) -> Bytes {
    let base_sequence = i32::try_from(first).expect("few records");
    let producer = ProducerStamp { id: ProducerId(producer_id), epoch: 0, base_sequence };
    let mut builder = BatchBuilder::new(BatchSpec { producer, ..BatchSpec::default() });
    for number in first..first + RECORDS_PER_BATCH {
        let timestamp = 1_700_000_000_000 + number;
        builder.append(timestamp, Some(&key(number)), value(number).as_deref(), &[]);
    }
    builder.build().expect("no codec")
}

/// One topic's producer; lives longer than any broker.
struct Producer {
    topic: &'static str,
    retention: Duration,
    producer_id: i64,
    /// When each batch was first sent.
    sent_at: Vec<Instant>,
    /// First numbers of batches that were sent and not answered.
    unanswered: VecDeque<i64>,
    /// Answered: all records below are acknowledged.
    acknowledged: i64,
}

impl Producer {
    fn new(connection: &mut Connection, topic: &'static str, retention: Duration) -> Self {
        connection.create_topic(topic, 1, &[("cleanup.policy", "compact")]);
        let retention_ms = retention.as_millis().to_string();
        let configs = [
            ("segment.ms", Some(SEGMENT_RECORDS)),
            ("min.cleanable.dirty.ratio", Some("0")),
            ("delete.retention.ms", Some(retention_ms.as_str())),
        ];
        connection.set_configs((TOPIC, topic), &configs);
        Self {
            topic,
            retention,
            producer_id: connection.producer_id(),
            sent_at: Vec::new(),
            unanswered: VecDeque::new(),
            acknowledged: 0,
        }
    }

    /// Number of the first record that was never sent.
    fn next(&self) -> i64 {
        i64::try_from(self.sent_at.len()).expect("few batches") * RECORDS_PER_BATCH
    }

    fn request(&self, first: i64) -> ProduceRequest {
        produce_request(self.topic, 0, numbered(self.producer_id, first))
    }

    /// Sends what was not answered once more, and then `batches` new ones at the most; ends when all
    /// are answered, when `stop` says so, or when the broker is gone.
    fn run(
        &mut self,
        address: SocketAddr,
        batches: usize,
        stop: &AtomicBool,
    ) -> std::io::Result<()> {
        let mut connection = Connection::open(address)?;
        for first in self.unanswered.clone() {
            connection.send(&self.request(first), PRODUCE_VERSION)?;
        }
        let end = self.sent_at.len().saturating_add(batches);
        loop {
            let may_send = |it: &Self| it.sent_at.len() < end && !stop.load(Ordering::Relaxed);
            while self.unanswered.len() < IN_FLIGHT && may_send(self) {
                let first = self.next();
                self.unanswered.push_back(first);
                self.sent_at.push(Instant::now());
                connection.send(&self.request(first), PRODUCE_VERSION)?;
            }
            let Some(first) = self.unanswered.front().copied() else { return Ok(()) };
            let response = connection.receive::<ProduceRequest>(PRODUCE_VERSION)?;
            let answer = &response.responses[0].partition_responses[0];
            assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
            assert_eq!(answer.base_offset, first, "numbers and offsets agree");
            self.unanswered.pop_front();
            self.acknowledged = first + RECORDS_PER_BATCH;
        }
    }

    /// Reads the topic, checks each record of it, and that the last of each key is there. The
    /// numbers that are there.
    fn check(&self, address: SocketAddr) -> BTreeSet<i64> {
        let topic = self.topic;
        let (there, end) = read(address, topic);
        assert!(end >= self.acknowledged, "{topic}: {} acknowledged, {end}", self.acknowledged);
        assert!(end <= self.next(), "{topic}: {} sent, {end} there", self.next());
        let last: BTreeMap<_, _> = (0..end).map(|number| (key(number), number)).collect();
        for number in last.into_values() {
            let sent_at = self.sent_at[usize::try_from(number / RECORDS_PER_BATCH).expect("few")];
            let may_be_gone = is_tombstone(number) && sent_at.elapsed() >= self.retention;
            assert!(
                there.contains(&number) || may_be_gone,
                "{topic}: record {number}, the last of its key, is gone {:?} after it was sent",
                sent_at.elapsed()
            );
        }
        there
    }

    /// Tombstones among these that were sent before `then`.
    fn tombstones_before(&self, then: Instant, there: &BTreeSet<i64>) -> usize {
        let first_batch = self.sent_at.partition_point(|at| *at < then);
        let end = i64::try_from(first_batch).expect("few batches") * RECORDS_PER_BATCH;
        there.range(..end).filter(|number| is_tombstone(**number)).count()
    }
}

/// Reads a topic from its start to its end: the numbers in it, each checked to be what its producer
/// sent, and the end.
fn read(address: SocketAddr, topic: &str) -> (BTreeSet<i64>, i64) {
    let mut connection = Connection::open(address).expect("the broker is up");
    let mut there = BTreeSet::new();
    let mut offset = 0;
    loop {
        let answer = connection.fetch(topic, 0, offset).expect("an answer");
        assert_eq!(answer.error_code, 0, "{topic} at offset {offset}");
        assert_eq!(answer.log_start_offset, 0, "{topic}: nothing is deleted but by its key");
        if offset >= answer.high_watermark {
            return (there, offset);
        }
        let before = offset;
        for view in BatchIter::new(&answer.records.unwrap_or_default()) {
            assert!(view.is_crc_right(), "{topic}: wrong CRC at {offset}");
            for record in RecordIter::new(view.records(), view.header.record_count) {
                let record = record.expect("a record");
                let at = view.header.base_offset.0 + i64::from(record.offset_delta);
                assert_eq!(record.key, Some(&key(at)[..]), "{topic}: not the key of {at}");
                assert_eq!(record.value, value(at).as_deref(), "{topic}: not the value of {at}");
                // The first batch may begin before the offset that was asked for.
                let is_new = at >= before && there.last().is_none_or(|last| *last < at);
                assert!(is_new || at < before, "{topic}: {at} is out of order");
                if is_new {
                    there.insert(at);
                }
            }
            offset = offset.max(view.header.next_offset().0);
        }
        assert!(offset > before, "{topic}: nothing at offset {offset}, below the end");
    }
}

/// Files of compactions that are not at their end, in the folders of both topics.
fn unfinished(dir: &Path) -> usize {
    let names = |topic| {
        let folder = std::fs::read_dir(dir.join(format!("{topic}-0"))).into_iter().flatten();
        folder.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
    };
    let is_one = |name: &String| name.ends_with(".cleaned") || name.ends_with(".swap");
    names(KEPT).chain(names(SHORT)).filter(is_one).count()
}

/// Produces to both topics until the broker is killed, in the middle of a pass.
fn produce_and_kill(producers: &mut [Producer], broker: Broker, dir: &Path, random: &mut Random) {
    let (address, stop) = (broker.address, AtomicBool::new(false));
    // In the first pass after the start, or in a later one.
    let delay = Duration::from_micros(random.u64() % 800_000);
    let broker = Mutex::new(Some(broker));
    std::thread::scope(|scope| {
        for producer in producers {
            // It ends with the broker, if not before.
            scope.spawn(|| producer.run(address, BATCHES_PER_ROUND, &stop));
        }
        let began = Instant::now();
        while unfinished(dir) == 0 && began.elapsed() < Duration::from_mins(1) {
            std::thread::yield_now();
        }
        std::thread::sleep(delay);
        if let Some(broker) = broker.lock().expect("not poisoned").take() {
            broker.kill();
        }
    });
}

#[test]
fn the_last_record_of_each_key_survives_kills_in_the_middle_of_compactions() {
    let kills = kills();
    let dir = tempfile::tempdir().expect("a folder");
    let mut random = Random::new(0x636c_6561_6e65_6421);
    let mut broker = Broker::start(dir.path(), &[]);
    let mut connection = Connection::open(broker.address).expect("the broker is up");
    let eager = [
        ("log.cleaner.backoff.ms", Some("10")),
        // So that a pass takes a while.
        ("log.cleaner.io.max.bytes.per.second", Some("8000000")),
    ];
    connection.set_configs((BROKER, ""), &eager);
    let mut producers = [
        Producer::new(&mut connection, KEPT, DAY),
        Producer::new(&mut connection, SHORT, SHORT_RETENTION),
    ];
    drop(connection);
    let mut in_a_pass = 0;
    for round in 0..kills {
        produce_and_kill(&mut producers, broker, dir.path(), &mut random);
        in_a_pass += u64::from(unfinished(dir.path()) > 0);
        broker = Broker::start(dir.path(), &[]);
        for producer in &producers {
            let there = producer.check(broker.address).len();
            let (topic, acknowledged) = (producer.topic, producer.acknowledged);
            println!("round {round}: {topic}: {there} records are left of {acknowledged}");
        }
    }
    assert!(in_a_pass > 0, "no kill came in the middle of a compaction");

    let mut connection = Connection::open(broker.address).expect("the broker is up");
    let keyless = support::batch(ProducerStamp::default(), ["no key"]);
    let refused = connection.produce(KEPT, 0, keyless).expect("an answer");
    assert_eq!(refused.error_code, INVALID_RECORD, "{:?}", refused.error_message);

    // Each batch seals the one before it now. Once it is their time, the tombstones that there are go
    // from one topic, and from the other they do not.
    connection.set_configs((BROKER, ""), &[("log.cleaner.io.max.bytes.per.second", None)]);
    for producer in &producers {
        connection.set_configs((TOPIC, producer.topic), &[("segment.ms", Some("1"))]);
    }
    let never = AtomicBool::new(false);
    for producer in &mut producers {
        while producer.acknowledged < tail_from() {
            producer.run(broker.address, 1, &never).expect("it serves");
        }
    }
    let then = Instant::now();
    let mut left = [0, 0];
    wait_until("both are compacted, and the short-lived tombstones are gone", || {
        let mut is_done = true;
        for (producer, left) in producers.iter_mut().zip(&mut left) {
            producer.run(broker.address, 2, &never).expect("it serves");
            let there = producer.check(broker.address);
            *left = producer.tombstones_before(then, &there);
            // Some of what is newer than a pass is not yet compacted.
            is_done &= there.len() < usize::try_from(8 * KEYS).expect("few");
        }
        is_done && left[1] == 0
    });
    assert!(left[0] > 0, "tombstones are the last of some keys, and stay for a day");
    let total: i64 = producers.iter().map(|producer| producer.acknowledged).sum();
    println!("{kills} kills, {in_a_pass} of them in a pass, {total} records acknowledged");
    assert!(broker.stop(), "it stops cleanly");
}

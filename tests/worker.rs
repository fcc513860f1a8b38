//! The thread that computes for compactions dies in a broker that serves: the broker lives, says so
//! and counts it, another thread compacts the next log, and the next start compacts what this one
//! gave up. In a process as it serves, which a panic elsewhere would end; only that this build may
//! be asked for the panic makes a difference (`faults` of engine/uring).
//!
//! The driver is the one that `KAFKA_MILLRACE_IO_BACKEND` names.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a client outside the broker: real sockets and files; the client is shared"
)]

mod support;

use millrace_engine::{BatchBuilder, BatchIter, BatchSpec};
use support::{BROKER, Broker, Connection, TOPIC, metrics, wait_until};

const KEYS: usize = 5;
const BATCHES: usize = 200;

/// Records of the same keys in segments of one batch each.
fn fill(connection: &mut Connection, topic: &str) {
    connection.create_topic(topic, 1, &[("cleanup.policy", "compact"), ("segment.ms", "1")]);
    let ratio = ("min.cleanable.dirty.ratio", Some("0"));
    for number in 0..BATCHES {
        let mut builder = BatchBuilder::new(BatchSpec::default());
        let timestamp = 1_700_000_000_000 + 10 * i64::try_from(number).expect("few");
        let key = format!("key-{}", number % KEYS);
        builder.append(timestamp, Some(key.as_bytes()), Some(&[7; 100]), &[]);
        let batch = builder.build().expect("no codec");
        let answer = connection.produce(topic, 0, batch).expect("an answer");
        assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
    }
    // Only now may it be compacted.
    connection.set_configs((TOPIC, topic), &[ratio]);
}

/// How many records are left in the topic.
fn left(connection: &mut Connection, topic: &str) -> i32 {
    let (mut offset, mut count) = (0, 0);
    loop {
        let answer = connection.fetch(topic, 0, offset).expect("an answer");
        assert_eq!(answer.error_code, 0);
        for batch in BatchIter::new(&answer.records.unwrap_or_default()) {
            count += batch.header.record_count;
            offset = batch.header.next_offset().0;
        }
        if offset >= answer.high_watermark {
            return count;
        }
    }
}

#[test]
fn a_worker_that_dies_is_told_and_replaced_and_the_broker_serves_on() {
    let dir = tempfile::tempdir().expect("a folder");
    let second_piece = [("MILLRACE_FAULT_COMPUTE", "2")];
    let mut broker = Broker::start_with_environment(&second_piece, dir.path(), &[]);
    let mut connection = Connection::open(broker.address).expect("the broker is up");
    connection.set_configs((BROKER, ""), &[("log.cleaner.backoff.ms", Some("10"))]);
    fill(&mut connection, "fatal");
    let admin = broker.admin();
    let count = |name: &str| {
        let page = metrics(&admin);
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {page}")).to_owned()
    };
    wait_until("a worker has died", || count("millrace_compaction_worker_restarts_total") == "1");
    assert_eq!(count("millrace_compaction_failures_total"), "1");
    assert_eq!(count("millrace_compaction_uncleanable_partitions"), "1");
    let says = |words: &str| broker.said().iter().any(|line| line.contains(words));
    wait_until("it is told", || says("fatal-0: is not compacted any more"));
    assert!(says("'millrace-idle'") || says("'millrace-nice'"), "who died: {:?}", broker.said());
    let all = i32::try_from(BATCHES).expect("few");
    assert_eq!(left(&mut connection, "fatal"), all, "nothing of it is changed");

    fill(&mut connection, "next");
    let most = i32::try_from(KEYS + 5).expect("few");
    wait_until("the next log is compacted", || left(&mut connection, "next") < most);
    assert_eq!(left(&mut connection, "fatal"), all);
    assert_eq!(count("millrace_compaction_worker_restarts_total"), "1");
    assert!(broker.is_up());
    assert!(broker.stop(), "it stops cleanly, without waiting for the dead");

    let broker = Broker::start(dir.path(), &[]);
    let mut connection = Connection::open(broker.address).expect("the broker is up");
    wait_until("the one given up is compacted", || left(&mut connection, "fatal") < most);
}

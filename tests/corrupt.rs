//! A byte of an old segment goes bad: what a client sees, and what the broker says.
//!
//! Fetched bytes never pass through the broker, so a spoiled value reaches the client, whose check
//! of the batch's CRC finds it, as with Kafka. A spoiled header is found by the broker itself: it is
//! reported, that part of the segment is not served, and what lies around it still is.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::struct_field_names,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use millrace_engine::{BatchIter, ProducerStamp};
use support::{Broker, Connection, backends, batch, wait_until};

/// Batches of one record; eight of them make a segment.
const BATCHES: i64 = 40;
const VALUE_BYTES: usize = 100_000;

/// The folder of partition `topic-0`.
fn fill(dir: &Path, backend: &str, topic: &str) -> PathBuf {
    let broker = Broker::start(dir, &["--io-backend", backend]);
    let mut connection = Connection::open(broker.address).expect("the broker is up");
    connection.create_topic(topic, 1, &[("segment.bytes", "1048576")]);
    for offset in 0..BATCHES {
        let records = batch(ProducerStamp::default(), [vec![7; VALUE_BYTES]]);
        let produced = connection.produce(topic, 0, records).expect("served");
        assert_eq!((produced.error_code, produced.base_offset), (0, offset));
    }
    assert!(broker.stop(), "a clean stop: all of it is below the recovery point");
    dir.join(format!("{topic}-0"))
}

/// The second segment: base offset and file.
fn old_segment(folder: &Path) -> (i64, PathBuf) {
    let mut bases: Vec<i64> = std::fs::read_dir(folder)
        .expect("the partition's folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".log")?.parse().ok())
        .collect();
    bases.sort_unstable();
    assert!(bases.len() > 3, "{bases:?}");
    (bases[1], folder.join(format!("{:020}.log", bases[1])))
}

/// Inverts the byte at `position`.
fn spoil(file: &Path, position: u64) {
    let file = OpenOptions::new().read(true).write(true).open(file).expect("the segment");
    let mut byte = [0];
    file.read_exact_at(&mut byte, position).expect("within the file");
    file.write_all_at(&[!byte[0]], position).expect("written");
}

/// Fetches from each offset by itself: error code, and whether the first batch's CRC is right.
fn look(connection: &mut Connection, topic: &str) -> Vec<(i16, Option<bool>)> {
    let look_at = |offset| {
        let answer = connection.fetch(topic, 0, offset).expect("an answer");
        let records = answer.records.unwrap_or_default();
        let first = BatchIter::new(&records).next().map(|view| {
            assert_eq!(view.header.base_offset.0, offset);
            view.is_crc_right()
        });
        (answer.error_code, first)
    };
    (0..BATCHES).map(look_at).collect()
}

const GOOD: (i16, Option<bool>) = (0, Some(true));
/// KAFKA_STORAGE_ERROR, nothing else.
const REFUSED: (i16, Option<bool>) = (56, None);

#[test]
fn a_spoiled_value_is_served_with_a_crc_that_tells() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let (base, file) = old_segment(&fill(dir.path(), backend, "t"));
        spoil(&file, 5_000);
        let broker = Broker::start(dir.path(), &["--io-backend", backend]);
        let mut connection = Connection::open(broker.address).expect("the broker is up");
        for (found, offset) in look(&mut connection, "t").into_iter().zip(0..) {
            let expected = if offset == base { (0, Some(false)) } else { GOOD };
            assert_eq!(found, expected, "{backend}: offset {offset}");
        }
        assert!(broker.stop());
    }
}

#[test]
fn a_spoiled_header_is_reported_and_not_served() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let (base, file) = old_segment(&fill(dir.path(), backend, "t"));
        // The third batch's magic.
        let batch_bytes = batch(ProducerStamp::default(), [vec![7; VALUE_BYTES]]).len() as u64;
        spoil(&file, 2 * batch_bytes + 16);
        let broker = Broker::start(dir.path(), &["--io-backend", backend]);
        let mut connection = Connection::open(broker.address).expect("the broker is up");
        let segment_end = base + 10;
        for (found, offset) in look(&mut connection, "t").into_iter().zip(0..) {
            let is_behind = (base + 2..segment_end).contains(&offset);
            assert_eq!(found, if is_behind { REFUSED } else { GOOD }, "{backend}: offset {offset}");
        }
        wait_until("the broker says which segment is damaged", || {
            let said = broker.said().join("\n");
            said.contains("t-0") && said.contains(&base.to_string()) && said.contains("byte")
        });
        println!("{backend}: {}", broker.said().last().expect("lines"));
        // The partition goes on all the same.
        let records = batch(ProducerStamp::default(), [[7; 10]]);
        let produced = connection.produce("t", 0, records).expect("served");
        assert_eq!((produced.error_code, produced.base_offset), (0, BATCHES));
        assert!(broker.stop());
    }
}

/// A log that could not be opened was waited for without end: the broker listened, said nothing,
/// and served nobody. And a clean stop forgot what was known of it, so that the start after that
/// took the damage for a torn tail and cut it.
#[test]
fn a_log_that_cannot_be_opened_keeps_no_other_from_being_served_and_is_left_as_it_is() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let good = fill(dir.path(), backend, "good");
        let bad = fill(dir.path(), backend, "bad");
        assert!(good.is_dir());
        let file = last_segment(&bad);
        // The last batch's magic.
        let batch_bytes = batch(ProducerStamp::default(), [vec![7; VALUE_BYTES]]).len() as u64;
        spoil(&file, file.metadata().expect("the segment").len() - batch_bytes + 16);
        let spoiled = std::fs::read(&file).expect("the segment");
        // As after a crash: everything is below the recovery point, and is read.
        std::fs::remove_file(dir.path().join(".kafka_cleanshutdown")).expect("a clean stop");
        for round in 0..3 {
            let broker = Broker::start(dir.path(), &["--io-backend", backend]);
            let mut connection = Connection::open(broker.address).expect("the broker is up");
            assert!(look(&mut connection, "good").iter().all(|found| *found == GOOD));
            let answer = connection.fetch("bad", 0, BATCHES - 1).expect("an answer");
            assert_eq!(answer.error_code, REFUSED.0, "{backend}, round {round}");
            let said = broker.said().join("\n");
            assert!(said.contains("bad-0: the log failed"), "{said}");
            assert!(broker.stop(), "{backend}, round {round}");
            assert_eq!(std::fs::read(&file).expect("the segment"), spoiled, "round {round}");
        }
    }
}

/// The active segment.
fn last_segment(folder: &Path) -> PathBuf {
    let bases = std::fs::read_dir(folder)
        .expect("the partition's folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".log")?.parse::<i64>().ok());
    let base = bases.max().expect("segments");
    folder.join(format!("{base:020}.log"))
}

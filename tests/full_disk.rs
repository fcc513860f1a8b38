//! A full disk: produce is refused with KAFKA_STORAGE_ERROR, what was acknowledged can be read all
//! the while, and produce goes on by itself, in the same process, once there is room again.
//!
//! The disk is a small filesystem of its own, which takes the rights to mount one; where they are
//! missing the test says so and ends. Room is made in each of the ways that an operator has.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::struct_field_names,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use millrace_engine::{BatchIter, ProducerStamp, RecordIter};
use support::{Broker, Connection, backends, batch};

/// Size of the filesystem, MiB.
const DISK_MIB: u32 = 64;
/// Bytes of a record's value. Its first eight are the record's number.
const VALUE_BYTES: usize = 1000;
/// Records of a batch.
const RECORDS: i64 = 100;
/// Kafka's KAFKA_STORAGE_ERROR.
const STORAGE_ERROR: i16 = 56;

/// How room is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// `retention.bytes`, by itself.
    Retention,
    /// DeleteRecords on the partition that filled the disk.
    DeleteRecords,
    /// DeleteTopics on the topic that filled the disk; what is produced goes to another one.
    DeleteTopics,
}

/// What the small filesystem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Tmpfs,
    /// In a file, through a loop device.
    Ext4,
}

/// A filesystem of its own, unmounted when dropped.
struct Disk {
    dir: tempfile::TempDir,
    /// Holds the image of an ext4.
    _image: tempfile::TempDir,
}

impl Disk {
    /// `None` where mounting is not possible.
    fn mount(kind: Kind) -> Option<Self> {
        let (dir, image) = (tempfile::tempdir().ok()?, tempfile::tempdir().ok()?);
        let size = format!("size={DISK_MIB}m");
        let run = |program: &str, arguments: &[&str]| {
            let output = Command::new(program).args(arguments).output().ok()?;
            output.status.success().then_some(())
        };
        let path = dir.path().to_str()?;
        match kind {
            Kind::Tmpfs => run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", path])?,
            Kind::Ext4 => {
                let file = image.path().join("image");
                let file = file.to_str()?;
                run("truncate", &["-s", &format!("{DISK_MIB}M"), file])?;
                run("mkfs.ext4", &["-q", "-F", "-m", "0", file])?;
                run("mount", &["-o", "loop", file, path])?;
            }
        }
        Some(Self { dir, _image: image })
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a broker that is being killed may still hold files.
        let _ = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}

/// A batch of numbered records that does not compress by accident.
fn numbered(first: i64) -> Bytes {
    let value = |number: i64| {
        let mut value = number.to_be_bytes().to_vec();
        value.resize(VALUE_BYTES, 7);
        value
    };
    batch(ProducerStamp::default(), (first..first + RECORDS).map(value))
}

/// A partition that is filled with numbered records.
struct Filled {
    topic: &'static str,
    /// Records below are acknowledged.
    acknowledged: i64,
}

impl Filled {
    /// Produces until the disk is full, or `records` were taken.
    fn fill(&mut self, connection: &mut Connection, records: i64) -> i16 {
        let end = self.acknowledged + records;
        while self.acknowledged < end {
            let produced = connection
                .produce(self.topic, 0, numbered(self.acknowledged))
                .expect("the broker answers");
            if produced.error_code != 0 {
                return produced.error_code;
            }
            assert_eq!(produced.base_offset, self.acknowledged, "numbers and offsets agree");
            self.acknowledged += RECORDS;
        }
        0
    }

    /// Reads from the log's start to its end: exactly what was acknowledged, where it was put.
    fn read_back(&self, connection: &mut Connection) {
        let start = connection.fetch(self.topic, 0, self.acknowledged).expect("an answer");
        assert_eq!(start.error_code, 0);
        assert_eq!(start.high_watermark, self.acknowledged, "nothing beyond what was acknowledged");
        let mut offset = start.log_start_offset;
        while offset < self.acknowledged {
            let answer = connection.fetch(self.topic, 0, offset).expect("an answer");
            assert_eq!(answer.error_code, 0, "{} at offset {offset}", self.topic);
            let records = answer.records.unwrap_or_default();
            let before = offset;
            for view in BatchIter::new(&records) {
                assert!(view.is_crc_right(), "wrong CRC at {offset}");
                for record in RecordIter::new(view.records(), view.header.record_count) {
                    let record = record.expect("a record");
                    let at = view.header.base_offset.0 + i64::from(record.offset_delta);
                    let number = record.value.expect("a value")[..8].try_into().expect("8 bytes");
                    assert_eq!(i64::from_be_bytes(number), at, "a gap or a repeat at {at}");
                    offset = offset.max(at + 1);
                }
            }
            assert!(offset > before, "nothing at offset {offset}, acknowledged");
        }
    }
}

fn make_room(connection: &mut Connection, way: Way, filled: &Filled) {
    match way {
        Way::Retention => {}
        Way::DeleteRecords => {
            connection.delete_records(filled.topic, 0, filled.acknowledged / 2);
        }
        Way::DeleteTopics => {
            connection.delete_topic(filled.topic);
        }
    }
}

/// Produces until a batch is taken again; how long that took.
fn wait_for_room(connection: &mut Connection, filled: &mut Filled, broker: &Broker) -> Duration {
    let began = Instant::now();
    loop {
        match filled.fill(connection, RECORDS) {
            0 => return began.elapsed(),
            STORAGE_ERROR => std::thread::sleep(Duration::from_millis(20)),
            other => panic!("error {other} while the disk is full"),
        }
        assert!(began.elapsed() < Duration::from_mins(1), "still full: {:?}", broker.said());
    }
}

fn run(kind: Kind, way: Way, backend: &str) {
    let Some(disk) = Disk::mount(kind) else {
        println!("skipped: no {kind:?} of {DISK_MIB} MiB can be mounted here (it takes root)");
        return;
    };
    let arguments = [
        "--io-backend",
        backend,
        "--set",
        "log.initial.task.delay.ms=4000",
        "--set",
        "log.retention.check.interval.ms=4000",
    ];
    let mut broker = Broker::start(disk.path(), &arguments);
    let mut connection = Connection::open(broker.address).expect("the broker is up");
    let retention = if way == Way::Retention { "33554432" } else { "-1" };
    let configs = [
        ("segment.bytes", "4194304"),
        ("retention.ms", "-1"),
        ("retention.bytes", retention),
        ("file.delete.delay.ms", "1000"),
    ];
    connection.create_topic("big", 1, &configs);
    connection.create_topic("small", 1, &configs);
    let mut small = Filled { topic: "small", acknowledged: 0 };
    assert_eq!(small.fill(&mut connection, 10 * RECORDS), 0);
    let mut big = Filled { topic: "big", acknowledged: 0 };
    let error = big.fill(&mut connection, 10_000 * RECORDS);
    assert_eq!(error, STORAGE_ERROR, "the disk ends before the records do");
    let full_at = big.acknowledged;

    // Full: both partitions serve what they have, over old connections and new ones.
    for _ in 0..2 {
        big.read_back(&mut connection);
        small.read_back(&mut connection);
        connection = Connection::open(broker.address).expect("connections are taken");
        connection.metadata().expect("an answer");
    }
    // A broker that is started on it serves all of it, too, and refuses produce.
    drop(connection);
    broker.kill();
    broker = Broker::start(disk.path(), &arguments);
    connection = Connection::open(broker.address).expect("the broker starts on a full disk");
    big.read_back(&mut connection);
    small.read_back(&mut connection);
    if way != Way::Retention {
        assert_eq!(big.fill(&mut connection, 10_000 * RECORDS), STORAGE_ERROR, "still full");
        big.read_back(&mut connection);
    }
    make_room(&mut connection, way, &big);
    let refilled = if way == Way::DeleteTopics { &mut small } else { &mut big };
    let waited = wait_for_room(&mut connection, refilled, &broker);
    // And not for one batch only. The first one may have fitted behind the last, and nothing tells
    // when the files are gone.
    let end = refilled.acknowledged + 50 * RECORDS;
    while refilled.acknowledged < end {
        wait_for_room(&mut connection, refilled, &broker);
    }
    let mut left = vec![&small];
    if way != Way::DeleteTopics {
        left.push(&big);
    }
    for filled in &left {
        filled.read_back(&mut connection);
    }
    assert!(broker.is_up());
    println!(
        "{kind:?}, {way:?}, {backend}: full after {full_at} records of {VALUE_BYTES} bytes, \
         produce goes on {waited:?} after room was asked for"
    );
    // What was acknowledged is there after a kill, too.
    drop(connection);
    broker.kill();
    let broker = Broker::start(disk.path(), &arguments);
    let mut connection = Connection::open(broker.address).expect("the broker is up");
    for filled in &left {
        filled.read_back(&mut connection);
    }
    assert!(broker.stop(), "it stops cleanly");
}

fn run_all(way: Way) {
    for backend in backends() {
        for kind in [Kind::Tmpfs, Kind::Ext4] {
            run(kind, way, backend);
        }
    }
}

#[test]
fn a_full_disk_refuses_produce_until_retention_makes_room() {
    run_all(Way::Retention);
}

#[test]
fn a_full_disk_refuses_produce_until_records_are_deleted() {
    run_all(Way::DeleteRecords);
}

#[test]
fn a_full_disk_refuses_produce_until_a_topic_is_deleted() {
    run_all(Way::DeleteTopics);
}

//! Every configuration of topics and their logs, changed while a real broker runs: each one takes
//! effect without a restart, as the topic's own and as the default of all brokers, or is known to
//! have none. What cannot change while the broker runs is refused.
//!
//! [`EFFECTS`] has a row for each; a test fails for a configuration that is said to be used and has no
//! row, and for a row whose effect does not show.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use millrace::config::tables::{BROKER as BROKER_TABLE, TOPIC as TOPIC_TABLE, topic_synonym};
use millrace_engine::{BatchBuilder, BatchIter, BatchSpec, Codec, OpenBatch, ProducerStamp, crc};
use millrace_replication::config_key::{Status, UpdateMode};
use support::{BROKER, Broker, Connection, TOPIC, batch, metrics, wait_until};

/// The default time of records: long ago, so that their times can be chosen.
const T: i64 = 1_700_000_000_000;
const OFFSET_OUT_OF_RANGE: i16 = 1;
const MESSAGE_TOO_LARGE: i16 = 10;
const INVALID_REQUEST: i16 = 42;
const INVALID_TIMESTAMP: i16 = 32;
const INVALID_RECORD: i16 = 87;

/// One configuration of topics, and how it shows that it took effect.
struct Effect {
    name: &'static str,
    /// What the topic is created with.
    base: &'static [(&'static str, &'static str)],
    /// The configuration's value before, where it is not its default.
    before: Option<&'static str>,
    value: &'static str,
    /// Does what shows it, and calls [`Case::change`] in the middle.
    shows: fn(&mut Case<'_>),
}

const fn effect(
    name: &'static str,
    value: &'static str,
    base: &'static [(&'static str, &'static str)],
    shows: fn(&mut Case<'_>),
) -> Effect {
    Effect { name, base, before: None, value, shows }
}

const COMPACT: (&str, &str) = ("cleanup.policy", "compact");
/// Each batch is a segment.
const EACH: (&str, &str) = ("segment.ms", "1");
const ALWAYS: (&str, &str) = ("min.cleanable.dirty.ratio", "0");
const NEVER: (&str, &str) = ("min.cleanable.dirty.ratio", "1");

const EFFECTS: &[Effect] = &[
    effect("cleanup.policy", "compact", &[], cleanup_policy),
    effect("compression.gzip.level", "1", &[("compression.type", "gzip")], level),
    effect("compression.type", "gzip", &[], compression_type),
    effect("compression.zstd.level", "19", &[("compression.type", "zstd")], level),
    effect("delete.retention.ms", "0", &[COMPACT, EACH, ALWAYS], delete_retention),
    effect("file.delete.delay.ms", "0", &[EACH], file_delete_delay),
    effect("flush.messages", "1", &[], syncs_often),
    effect("flush.ms", "1", &[], syncs_often),
    effect("index.interval.bytes", "0", &[("segment.index.bytes", "80")], index_fills),
    Effect {
        before: Some("86400000"),
        ..effect("max.compaction.lag.ms", "1", &[COMPACT, EACH, NEVER], compacts)
    },
    effect("max.message.bytes", "2000", &[], max_message_bytes),
    effect("message.timestamp.after.max.ms", "1000", &[], timestamp_after_max),
    effect("message.timestamp.before.max.ms", "1000", &[], timestamp_before_max),
    effect("message.timestamp.type", "LogAppendTime", &[], timestamp_type),
    effect("millrace.durability", "group-commit", &[], syncs_often),
    effect("millrace.validation", "full", &[], validation),
    Effect {
        before: Some("1"),
        ..effect("min.cleanable.dirty.ratio", "0", &[COMPACT, EACH], compacts)
    },
    Effect {
        before: Some("86400000"),
        ..effect("min.compaction.lag.ms", "0", &[COMPACT, EACH, ALWAYS], compacts)
    },
    effect("retention.bytes", "1", &[EACH], retention),
    effect("retention.ms", "1000", &[EACH], retention),
    effect("segment.bytes", "1048576", &[], segment_bytes),
    effect("segment.index.bytes", "80", &[("index.interval.bytes", "0")], index_fills),
    effect("segment.jitter.ms", "500000000", &[("segment.ms", "500000000")], segment_jitter),
    effect("segment.ms", "1000", &[], segment_ms),
];

/// Kafka can change these while it runs; here they are refused, and the answer says why.
const REFUSED: &[&str] = &["listener.security.protocol.map", "listeners"];

/// Configurations of brokers that may change at any time, and the test that shows it.
const SHOWN_ELSEWHERE: &[(&str, &str)] = &[
    ("group.consumer.assignment.interval.ms", "the coordinator's own tests"),
    ("log.cleaner.backoff.ms", "tests/compaction.rs, and compaction here"),
    ("log.cleaner.dedupe.buffer.size", "bounds memory; read anew for each compaction"),
    ("log.cleaner.io.buffer.load.factor", "bounds memory; read anew for each compaction"),
    ("log.cleaner.io.buffer.size", "bounds memory; read anew for each compaction"),
    ("log.cleaner.io.max.bytes.per.second", "tests/compaction.rs"),
    ("log.cleaner.threads", "turns compaction on or off at a start; more are as one"),
    ("max.connection.creation.rate", "tests/connections.rs"),
    ("max.connections", "tests/connections.rs"),
    ("max.connections.per.ip", "tests/connections.rs"),
    ("max.connections.per.ip.overrides", "tests/connections.rs"),
    ("millrace.group.metrics.interval.ms", "tests/cli/groups.rs"),
    ("millrace.group.metrics.max", "tests/cli/groups.rs"),
    ("producer.id.expiration.ms", "a test below"),
];

/// One topic of one broker, before and after a change.
struct Case<'a> {
    connection: Connection,
    admin: &'a str,
    folder: PathBuf,
    topic: String,
    /// Whose configuration, its name and its value.
    change: (i8, String, &'static str, &'static str),
    /// Batches so far; each is `STEP_MS` younger than the one before it.
    batches: i64,
}

impl Case<'_> {
    fn change(&mut self) {
        let (kind, resource, name, value) = &self.change;
        self.connection.set_configs((*kind, resource), &[(name, Some(value))]);
    }

    fn produce(&mut self, records: Bytes) -> (i16, i64) {
        let answer = self.connection.produce(&self.topic, 0, records).expect("an answer");
        (answer.error_code, answer.log_append_time_ms)
    }

    /// Produces batches of one record each, so many ms apart.
    fn fill(&mut self, count: i64, step_ms: i64, value_bytes: usize) {
        for _ in 0..count {
            let value = vec![b'x'; value_bytes];
            let (code, _) = self.produce(one(T + self.batches * step_ms, Some(b"k"), Some(&value)));
            assert_eq!(code, 0);
            self.batches += 1;
        }
    }

    /// The names of the partition's files that end so.
    fn files(&self, suffix: &str) -> Vec<String> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.filter(|name| name.ends_with(suffix)).collect()
    }

    fn segments(&self) -> usize {
        self.files(".log").len()
    }

    /// Whether the first record is there.
    fn has_first(&mut self) -> bool {
        let answer = self.connection.fetch(&self.topic, 0, 0).expect("an answer");
        assert!(matches!(answer.error_code, 0 | OFFSET_OUT_OF_RANGE), "{}", answer.error_code);
        answer.error_code == 0
    }

    /// All batches that are there: codec, bytes, and the keys and values in them.
    fn batches(&mut self) -> Vec<(Codec, usize, Vec<KeyAndValue>)> {
        let (mut all, mut offset) = (Vec::new(), 0);
        loop {
            let answer = self.connection.fetch(&self.topic, 0, offset).expect("an answer");
            assert_eq!(answer.error_code, 0);
            let before = offset;
            for view in BatchIter::new(&answer.records.unwrap_or_default()) {
                offset = view.header.next_offset().0;
                let codec = view.header.codec().expect("a codec");
                let open = OpenBatch::open(&view, 1 << 24).expect("a batch");
                let bytes = |field: Option<&[u8]>| field.map(Bytes::copy_from_slice);
                let records = open.records().map(|record| {
                    let record = record.expect("a record").record;
                    (bytes(record.key), bytes(record.value))
                });
                all.push((codec, view.header.bytes_total(), records.collect()));
            }
            if offset == before {
                return all;
            }
        }
    }

    fn records(&mut self) -> usize {
        self.batches().iter().map(|(_, _, records)| records.len()).sum()
    }

    /// Syncs that the broker has asked for.
    fn syncs(&self) -> u64 {
        let text = metrics(self.admin);
        let value = text.lines().find_map(|line| line.strip_prefix("millrace_driver_syncs_total "));
        value.and_then(|value| value.parse().ok()).expect("a counter of syncs")
    }
}

type KeyAndValue = (Option<Bytes>, Option<Bytes>);

/// A batch of one record.
fn one(timestamp: i64, key: Option<&[u8]>, value: Option<&[u8]>) -> Bytes {
    let mut builder = BatchBuilder::new(BatchSpec::default());
    builder.append(timestamp, key, value, &[]);
    builder.build().expect("no codec")
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("not that late")
}

fn cleanup_policy(case: &mut Case<'_>) {
    assert_eq!(case.produce(one(T, None, Some(b"v"))).0, 0);
    case.change();
    assert_eq!(case.produce(one(T, None, Some(b"v"))).0, INVALID_RECORD);
}

fn compression_type(case: &mut Case<'_>) {
    case.fill(1, 1, 1000);
    case.change();
    case.fill(1, 1, 1000);
    let codecs: Vec<Codec> = case.batches().into_iter().map(|(codec, ..)| codec).collect();
    assert_eq!(codecs, [Codec::None, Codec::Gzip]);
}

/// The same records take another number of bytes.
fn level(case: &mut Case<'_>) {
    let mut random = millrace::random::Random::new(7);
    let words = ["some ", "words ", "come ", "again ", "others "];
    let word = |number: u64| words[usize::try_from(number % 5).expect("small")];
    let text: String = (0..8_000).map(|_| word(random.u64() >> 8)).collect();
    let records = one(T, None, Some(text.as_bytes()));
    assert_eq!(case.produce(records.clone()).0, 0);
    case.change();
    assert_eq!(case.produce(records).0, 0);
    let sizes: Vec<usize> = case.batches().into_iter().map(|(_, bytes, _)| bytes).collect();
    assert!(sizes[0] < text.len() / 2 && sizes[0] != sizes[1], "{sizes:?}");
}

fn delete_retention(case: &mut Case<'_>) {
    let put = |case: &mut Case<'_>, key: &str, value: Option<&[u8]>| {
        case.batches += 1;
        let time = T + case.batches * 10;
        assert_eq!(case.produce(one(time, Some(key.as_bytes()), value)).0, 0);
    };
    let tombstones = |case: &mut Case<'_>| -> Vec<Bytes> {
        let all = case.batches().into_iter().flat_map(|(_, _, records)| records);
        all.filter(|(_, value)| value.is_none()).filter_map(|(key, _)| key).collect()
    };
    for (key, value) in [("old", Some(&b"v"[..])), ("old", None), ("x", Some(b"y"))] {
        put(case, key, value);
    }
    wait_until("the tombstone is compacted", || {
        put(case, "x", Some(b"y"));
        case.batches().iter().any(|(_, _, records)| {
            records.iter().any(|(key, value)| key.as_deref() == Some(b"old") && value.is_none())
        }) && case.records() < usize::try_from(case.batches).expect("few")
    });
    case.change();
    put(case, "new", Some(b"v"));
    put(case, "new", None);
    wait_until("the new tombstone goes, and the old one stays for its day", || {
        put(case, "x", Some(b"y"));
        tombstones(case) == [Bytes::from_static(b"old")]
    });
}

fn file_delete_delay(case: &mut Case<'_>) {
    case.fill(10, 10_000, 10);
    case.connection.delete_records(&case.topic, 0, 4);
    wait_until("segments are put aside", || case.files(".log.deleted").len() == 4);
    case.change();
    case.connection.delete_records(&case.topic, 0, 8);
    wait_until("those put aside since are removed, the others stay for their minute", || {
        case.segments() == 2 && case.files(".log.deleted").len() == 4
    });
}

fn syncs_often(case: &mut Case<'_>) {
    let before = case.syncs();
    case.fill(20, 1, 10);
    let usual = case.syncs() - before;
    case.change();
    let before = case.syncs();
    wait_until("syncs follow what is produced", || {
        case.fill(1, 1, 10);
        case.syncs() >= before + usual + 20
    });
    assert!(case.batches < 20 + 20 * 20, "{} batches for 20 syncs", case.batches);
}

fn index_fills(case: &mut Case<'_>) {
    case.fill(40, 1, 10);
    assert_eq!(case.segments(), 1);
    case.change();
    case.fill(40, 1, 10);
    assert!(case.segments() > 1, "an index that is full ends a segment");
}

fn compacts(case: &mut Case<'_>) {
    // Young enough for a lag, and each a segment.
    let first = now_ms() - 1_000;
    let put = |case: &mut Case<'_>| {
        let record = one(first + 10 * case.batches, Some(b"k"), Some(b"v"));
        assert_eq!(case.produce(record).0, 0);
        case.batches += 1;
    };
    for _ in 0..12 {
        put(case);
    }
    // Long enough for many rounds of the cleaner.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(case.records(), 12, "not yet");
    case.change();
    wait_until("older records of the key are gone", || case.records() <= 2);
}

fn max_message_bytes(case: &mut Case<'_>) {
    let large = || one(T, None, Some(&[7; 3000]));
    assert_eq!(case.produce(large()).0, 0);
    case.change();
    assert_eq!(case.produce(large()).0, MESSAGE_TOO_LARGE);
}

fn timestamp_after_max(case: &mut Case<'_>) {
    let ahead = || one(now_ms() + 1_800_000, None, Some(b"v"));
    assert_eq!(case.produce(ahead()).0, 0);
    case.change();
    assert_eq!(case.produce(ahead()).0, INVALID_TIMESTAMP);
}

fn timestamp_before_max(case: &mut Case<'_>) {
    assert_eq!(case.produce(one(T, None, Some(b"v"))).0, 0);
    case.change();
    assert_eq!(case.produce(one(T, None, Some(b"v"))).0, INVALID_TIMESTAMP);
}

fn timestamp_type(case: &mut Case<'_>) {
    assert_eq!(case.produce(one(T, None, Some(b"v"))), (0, -1));
    case.change();
    let (code, time) = case.produce(one(T, None, Some(b"v")));
    assert!(code == 0 && time > T, "{code}, {time}");
}

fn validation(case: &mut Case<'_>) {
    let bad = || {
        let mut bytes = one(T, None, Some(b"value")).to_vec();
        // The record's own length, behind the header.
        bytes[61] = 2;
        let sum = crc::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&sum.to_be_bytes());
        Bytes::from(bytes)
    };
    assert_eq!(case.produce(bad()).0, 0);
    case.change();
    assert_eq!(case.produce(bad()).0, INVALID_RECORD);
}

fn retention(case: &mut Case<'_>) {
    case.fill(5, 10_000, 10);
    assert!(case.has_first());
    case.change();
    wait_until("old segments are deleted", || !case.has_first());
}

fn segment_bytes(case: &mut Case<'_>) {
    case.fill(5, 1, 300_000);
    assert_eq!(case.segments(), 1);
    case.change();
    case.fill(5, 1, 300_000);
    assert!(case.segments() > 1);
}

fn segment_jitter(case: &mut Case<'_>) {
    case.fill(300, 50_000_000, 10);
    let before = case.segments();
    case.change();
    case.fill(300, 50_000_000, 10);
    let after = case.segments() - before;
    assert!(after > before + 5, "{after} segments where there were {before} without");
}

fn segment_ms(case: &mut Case<'_>) {
    case.fill(3, 10_000, 10);
    assert_eq!(case.segments(), 1);
    case.change();
    case.fill(3, 10_000, 10);
    assert!(case.segments() > 1);
}

/// A broker that looks at its logs often, and its admin port.
fn start(dir: &Path) -> (Broker, String) {
    let settings = [
        "log.retention.check.interval.ms=100",
        "log.initial.task.delay.ms=100",
        "log.retention.ms=-1",
        "log.cleaner.backoff.ms=20",
    ];
    let mut arguments = vec!["--shards", "2", "--admin", "127.0.0.1:0"];
    for setting in &settings {
        arguments.extend(["--set", setting]);
    }
    let broker = Broker::start(dir, &arguments);
    let admin = broker.admin();
    (broker, admin)
}

/// Runs all effects at one level: `broker` tells of a topic's configuration the one of brokers.
fn run(level: i8) {
    let dir = tempfile::tempdir().expect("a folder");
    let (broker, admin) = start(dir.path());
    for Effect { name, base, before, value, shows } in EFFECTS {
        let topic = name.replace('.', "-");
        let mut connection = Connection::open(broker.address).expect("the broker is up");
        let configs: Vec<_> = base.iter().filter(|(known, _)| known != name).copied().collect();
        connection.create_topic(&topic, 1, &configs);
        let (kind, resource, name) = if level == TOPIC {
            (TOPIC, topic.clone(), *name)
        } else {
            let Some(of_brokers) = topic_synonym(name) else { continue };
            (BROKER, String::new(), of_brokers)
        };
        if let Some(before) = before {
            connection.set_configs((kind, &resource), &[(name, Some(before))]);
        }
        println!("{name}");
        let mut case = Case {
            connection,
            admin: &admin,
            folder: dir.path().join(format!("{topic}-0")),
            topic,
            change: (kind, resource.clone(), name, value),
            batches: 0,
        };
        shows(&mut case);
        if level == BROKER {
            case.connection.set_configs((kind, &resource), &[(name, None)]);
        }
    }
    assert!(broker.stop());
}

#[test]
fn a_topics_configuration_takes_effect_at_once() {
    run(TOPIC);
}

#[test]
fn a_default_for_all_topics_takes_effect_at_once() {
    run(BROKER);
}

#[test]
fn every_configuration_that_is_used_has_an_effect() {
    for key in TOPIC_TABLE {
        let is_shown = EFFECTS.iter().any(|effect| effect.name == key.name);
        assert_eq!(is_shown, key.status == Status::Used, "{}: {:?}", key.name, key.status);
    }
    for key in BROKER_TABLE {
        let is_live = key.update != UpdateMode::ReadOnly && key.status == Status::Used;
        let is_of_topics =
            TOPIC_TABLE.iter().any(|topic| topic_synonym(topic.name) == Some(key.name));
        let is_elsewhere = SHOWN_ELSEWHERE.iter().any(|(name, _)| *name == key.name);
        let is_refused = REFUSED.contains(&key.name);
        let is_known = is_of_topics && is_live || is_elsewhere || is_refused;
        assert_eq!(is_live, is_known, "{}", key.name);
    }
}

/// What has no meaning here is taken and told as Kafka does, or refused as Kafka does.
#[test]
fn what_is_not_used_is_told_as_it_was_set_and_what_is_fixed_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let (broker, _) = start(dir.path());
    let mut connection = Connection::open(broker.address).expect("the broker is up");
    for key in BROKER_TABLE.iter().filter(|key| key.update == UpdateMode::ReadOnly) {
        for resource in ["", "1"] {
            let value = key.default.unwrap_or("1");
            let answer = connection.alter_configs((BROKER, resource), &[(key.name, Some(value))]);
            assert_ne!(answer.error_code, 0, "{} may only be set at a start", key.name);
        }
    }
    for key in BROKER_TABLE.iter().filter(|key| key.update == UpdateMode::PerBroker) {
        let value = key.default.unwrap_or("1");
        let answer = connection.alter_configs((BROKER, ""), &[(key.name, Some(value))]);
        assert_ne!(answer.error_code, 0, "{} is one broker's own", key.name);
    }
    // Kafka 4.3.1 refuses each of these with the same code.
    for (name, value) in [
        ("num.io.threads", "1000"),
        ("num.io.threads", "1"),
        ("num.network.threads", "7"),
        ("log.cleaner.threads", "0"),
        ("log.cleaner.threads", "9"),
        ("num.replica.fetchers", "5"),
        ("num.recovery.threads.per.data.dir", "100"),
        ("background.threads", "3"),
        ("log.cleaner.dedupe.buffer.size", "1"),
        ("log.retention.ms", "0"),
        ("log.roll.ms", "0"),
    ] {
        for resource in ["", "1"] {
            let answer = connection.alter_configs((BROKER, resource), &[(name, Some(value))]);
            assert_eq!(answer.error_code, INVALID_REQUEST, "{name}={value}");
        }
    }
    // And takes these.
    connection.set_configs((BROKER, ""), &[("num.network.threads", Some("6"))]);
    connection.set_configs((BROKER, "1"), &[("log.cleaner.io.buffer.size", Some("1"))]);
    for name in REFUSED {
        let answer =
            connection.alter_configs((BROKER, "1"), &[(name, Some("PLAINTEXT:PLAINTEXT"))]);
        assert_eq!(answer.error_code, INVALID_REQUEST, "{name}");
        assert!(answer.error_message.is_some_and(|why| why.contains("start")), "{name}");
    }
    assert!(broker.stop());
}

/// An idempotent producer that was quiet for too long is one that nobody knows.
#[test]
fn producers_expire_sooner() {
    let dir = tempfile::tempdir().expect("a folder");
    let (broker, _) = start(dir.path());
    let mut connection = Connection::open(broker.address).expect("the broker is up");
    connection.create_topic("t", 1, &[]);
    let stamp = |base_sequence| ProducerStamp {
        id: millrace_engine::ProducerId(77),
        epoch: 0,
        base_sequence,
    };
    assert_eq!(connection.produce("t", 0, batch(stamp(0), ["a"])).expect("served").error_code, 0);
    let gap = || batch(stamp(5), ["a"]);
    assert_ne!(connection.produce("t", 0, gap()).expect("served").error_code, 0, "out of order");
    connection.set_configs((BROKER, ""), &[("producer.id.expiration.ms", Some("1"))]);
    wait_until("the producer is forgotten", || {
        connection.produce("t", 0, gap()).expect("served").error_code == 0
    });
    assert!(broker.stop());
}

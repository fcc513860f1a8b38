//! Records that Apache Kafka 4.3.1 wrote: they decode, replay into the state that Kafka had, and
//! encode to the same bytes.

use millrace_replication::controller::{self, METADATA_VERSION, elect_missing_leaders};
use millrace_replication::{BrokerId, ConfigResource, Image, ImageDraft, Record};

const LOG: &str = include_str!("../testdata/kafka-4.3.1-records.txt");
const ALL_TYPES: &str = include_str!("../testdata/kafka-4.3.1-all-types.txt");

fn log() -> Vec<(i64, Vec<u8>)> {
    LOG.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (offset, hex) = line.split_once(' ').expect("offset and value");
            (offset.parse().expect("an offset"), unhex(hex))
        })
        .collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(byte).collect()
}

fn replayed() -> Image {
    let mut draft = ImageDraft::new(&Image::empty());
    for (offset, bytes) in log() {
        let record = Record::decode(&bytes).expect("Kafka's own record");
        draft.replay(offset, &record).expect("Kafka's own order");
    }
    Image::clone(&draft.finish().0)
}

#[test]
fn kafkas_records_encode_to_the_bytes_they_were_read_from() {
    for (offset, bytes) in log() {
        let record = Record::decode(&bytes).unwrap();
        let mut ours = record.encode();
        // Kafka writes a registration change at the lowest version that holds its tagged fields;
        // the fields are the same at each.
        if matches!(record, Record::BrokerRegistrationChange(_)) {
            ours[2] = bytes[2];
        }
        assert_eq!(ours, bytes, "record at offset {offset}: {record:?}");
    }
}

#[test]
fn every_type_and_version_that_kafkas_classes_write_is_read_and_the_highest_written_alike() {
    let mut types = std::collections::BTreeSet::new();
    for line in ALL_TYPES.lines().filter(|line| !line.starts_with('#')) {
        let (age, hex) = line.split_once(' ').unwrap();
        let bytes = unhex(hex);
        let record = Record::decode(&bytes).unwrap();
        types.insert(record.record_type());
        if age == "full" {
            assert_eq!(record.encode(), bytes, "{record:?}");
        }
        assert_eq!(Record::decode(&record.encode()), Ok(record));
    }
    assert_eq!(types.len(), 26);
}

#[test]
fn a_cut_record_or_one_with_bytes_behind_it_is_refused() {
    for (_, bytes) in log() {
        for end in 0..bytes.len() {
            assert!(Record::decode(&bytes[..end]).is_err(), "{end} of {bytes:02x?}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(Record::decode(&longer).is_err());
    }
}

#[test]
fn kafkas_log_replays_into_the_state_kafka_had() {
    let image = replayed();
    assert_eq!(image.feature_level(METADATA_VERSION), 30);
    assert_eq!(image.feature_level("transaction.version"), 2);

    let names: Vec<_> = image.topics().map(|topic| topic.name.as_ref()).collect();
    assert_eq!(names, ["alpha"]);
    let alpha = image.topic("alpha").unwrap();
    assert_eq!(alpha.partition_count(), 4);
    assert_eq!(image.topic_by_id(alpha.id).map(|topic| &topic.name), Some(&alpha.name));
    let partition = alpha.partition(3).unwrap();
    assert_eq!(partition.replicas, [BrokerId(1)]);
    // With eligible leader replicas on, a stopped broker leaves the ISR and stays eligible.
    assert_eq!(partition.isr, []);
    assert_eq!(partition.eligible_leader_replicas, [BrokerId(1)]);

    let overrides: Vec<_> = image.topic_config("alpha").unwrap().iter().collect();
    assert_eq!(
        overrides.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(),
        [("cleanup.policy", "compact"), ("max.message.bytes", "2000000")]
    );
    let cluster = image.cluster_config().unwrap();
    assert_eq!(cluster["log.retention.ms"], "86400000");
    assert_eq!(image.broker_config(BrokerId(1)).unwrap()["log.cleaner.threads"], "2");

    let (entity, limits) = image.quotas().next().unwrap();
    assert_eq!(entity["user"].as_deref(), Some("bob"));
    assert_eq!(entity["client-id"].as_deref(), Some("app"));
    assert!((limits["producer_byte_rate"] - 1024.0).abs() < f64::EPSILON);
    assert_eq!(image.scram_credential("alice", 1).map(|one| one.iterations), Some(4096));
    assert!(image.scram_credential("carol", 2).is_some());
    assert_eq!(image.next_producer_id(), 1000);
    assert_eq!(image.controllers().count(), 1);

    let broker = image.broker(BrokerId(1)).unwrap();
    assert_eq!(broker.endpoint("PLAINTEXT").map(|one| one.port), Some(29092));
    assert!(broker.fenced, "the broker was stopped");
}

#[test]
fn leaders_that_a_stopped_kafka_left_missing_are_elected_with_the_next_epoch() {
    let image = replayed();
    assert_eq!(image.partition("alpha", 0).map(|partition| partition.leader), Some(BrokerId::NONE));
    let before = image.partition("alpha", 0).unwrap().leader_epoch;
    let mut draft = ImageDraft::new(&image);
    for record in elect_missing_leaders(&image, BrokerId(1)) {
        draft.replay(image.offset() + 1, &record).unwrap();
    }
    let (after, delta) = draft.finish();
    assert_eq!(delta.changed_partitions.len(), 4);
    let partition = after.partition("alpha", 0).unwrap();
    assert_eq!(partition.leader, BrokerId(1));
    assert_eq!(partition.isr, [BrokerId(1)]);
    assert_eq!(partition.eligible_leader_replicas, []);
    assert_eq!(partition.leader_epoch, before + 1);
}

#[test]
fn a_snapshot_of_kafkas_state_restores_to_the_same_image() {
    let image = replayed();
    let records = image.snapshot().unwrap();
    assert_eq!(*Image::restore(image.offset(), &records).unwrap(), image);
    let bytes: Vec<_> = records.iter().map(Record::encode).collect();
    let again: Vec<_> = bytes.iter().map(|bytes| Record::decode(bytes).unwrap()).collect();
    assert_eq!(again, records);
    assert!(controller::bootstrap(&image).is_empty());
    assert!(image.config(&ConfigResource::topic("gone")).is_none());
}

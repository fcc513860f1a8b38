//! The topic in which groups' offsets and states lie: `__consumer_offsets`.
//!
//! It is created when the first client looks for a coordinator, with Kafka's settings. Where Kafka
//! insists on `offsets.topic.replication.factor` brokers and leaves consumers hanging without
//! them, the factor here is at most the number of live brokers.

use bytes::Bytes;
use millrace_engine::{
    BatchBuilder, BatchHeader, BatchIter, BatchSpec, OpenBatch, TimestampPlan, ValidatedBatch,
};
use millrace_io::Now;
use millrace_replication::Image;
use millrace_replication::controller::NewTopic;
use millrace_wire::{Uuid, WireError};

use crate::config::View;
use crate::coordinator::{Assignor, ConsumerConfig, GroupConfig, GroupRecord, Migration};

/// Kafka's name.
pub(crate) const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// Most bytes that one batch of the topic may unpack to; ours are not packed.
const BATCH_BYTES_MAX: usize = 100 << 20;

/// The topic as it is to be created.
pub(crate) fn new_topic(view: &View<'_>, image: &Image) -> NewTopic {
    let brokers = i16::try_from(image.live_brokers().count()).unwrap_or(i16::MAX);
    let wanted = i16::try_from(view.int("offsets.topic.replication.factor")).unwrap_or(i16::MAX);
    let config = |name: &str, value: String| (name.to_owned(), Some(value));
    NewTopic {
        name: OFFSETS_TOPIC.to_owned(),
        id: Uuid::ZERO,
        partitions: view.int("offsets.topic.num.partitions"),
        replication_factor: wanted.min(brokers).max(1),
        assignments: Vec::new(),
        configs: vec![
            config("cleanup.policy", "compact".to_owned()),
            config("compression.type", "producer".to_owned()),
            config("segment.bytes", view.int("offsets.topic.segment.bytes").to_string()),
        ],
    }
}

/// What coordinators are configured with.
pub(crate) fn group_config(view: &View<'_>) -> GroupConfig {
    let count = |name| usize::try_from(view.number(name)).unwrap_or(0);
    let time = |name| u64::try_from(view.number(name)).unwrap_or(0);
    GroupConfig {
        size_max: count("group.max.size"),
        session_timeout_ms_min: view.int("group.min.session.timeout.ms"),
        session_timeout_ms_max: view.int("group.max.session.timeout.ms"),
        initial_rebalance_delay_ms: time("group.initial.rebalance.delay.ms"),
        offset_metadata_max: count("offset.metadata.max.bytes"),
        offsets_retention_ms: view.number("offsets.retention.minutes").saturating_mul(60_000),
        offsets_retention_check_ms: time("offsets.retention.check.interval.ms"),
        consumer: consumer_config(view),
    }
}

fn consumer_config(view: &View<'_>) -> ConsumerConfig {
    let time = |name| u64::try_from(view.number(name)).unwrap_or(0);
    let bounds = |min, max| (time(min), time(max));
    let names = view.list("group.consumer.assignors");
    ConsumerConfig {
        is_enabled: view
            .list("group.coordinator.rebalance.protocols")
            .iter()
            .any(|protocol| protocol.eq_ignore_ascii_case("consumer")),
        size_max: usize::try_from(view.number("group.consumer.max.size")).unwrap_or(0),
        session_timeout_ms: time("group.consumer.session.timeout.ms"),
        session_timeout_ms_bounds: bounds(
            "group.consumer.min.session.timeout.ms",
            "group.consumer.max.session.timeout.ms",
        ),
        heartbeat_interval_ms: time("group.consumer.heartbeat.interval.ms"),
        heartbeat_interval_ms_bounds: bounds(
            "group.consumer.min.heartbeat.interval.ms",
            "group.consumer.max.heartbeat.interval.ms",
        ),
        assignment_interval_ms: time("group.consumer.assignment.interval.ms"),
        assignment_interval_ms_bounds: bounds(
            "group.consumer.min.assignment.interval.ms",
            "group.consumer.max.assignment.interval.ms",
        ),
        assignors: names.iter().filter_map(|name| Assignor::from_name(name)).collect(),
        migration: Migration::from_name(
            &view.text("group.consumer.migration.policy").unwrap_or_default(),
        ),
    }
}

/// Records as one batch, ready to append.
pub(crate) fn encode(now: Now, records: &[GroupRecord]) -> ValidatedBatch {
    let mut builder = BatchBuilder::new(BatchSpec::default());
    for record in records {
        let (key, value) = (record.encode_key(), record.encode_value());
        builder.append(now.wall.0, Some(&key), value.as_deref(), &[]);
    }
    let bytes = builder.build().expect("packing without a codec cannot fail");
    let header = BatchHeader::parse(&bytes).expect("the builder makes whole batches");
    ValidatedBatch { header, bytes, timestamps: TimestampPlan::Keep }
}

/// Gives keys and values of the records of whole batches to `take`; those below `from` are left out.
///
/// Returns the offset behind the last whole batch and how many records could not be read: they
/// are passed over, as Kafka does.
pub(crate) fn decode(
    bytes: &Bytes,
    from: i64,
    mut take: impl FnMut(&[u8], Option<&[u8]>) -> Result<(), WireError>,
) -> (i64, u64) {
    let (mut next, mut unread) = (from, 0);
    for batch in BatchIter::new(bytes) {
        next = batch.header.next_offset().0;
        if batch.header.is_control() {
            continue;
        }
        let Ok(open) = OpenBatch::open(&batch, BATCH_BYTES_MAX) else {
            unread += 1;
            continue;
        };
        for record in open.records() {
            let Ok(record) = record else {
                unread += 1;
                break;
            };
            if record.offset.0 < from {
                continue;
            }
            let key = record.record.key.unwrap_or_default();
            if take(key, record.record.value).is_err() {
                unread += 1;
            }
        }
    }
    (next, unread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinator::OffsetKey;

    #[test]
    fn what_is_encoded_is_decoded_from_an_offset_on() {
        let tombstone = |partition| {
            let key = OffsetKey { group: "g".to_owned(), topic: "t".to_owned(), partition };
            GroupRecord::Offset(key, None)
        };
        let records: Vec<GroupRecord> = (0..4).map(tombstone).collect();
        let batch = encode(Now::default(), &records);
        let mut read = Vec::new();
        let (next, unread) = decode(&batch.bytes, 1, |key, value| {
            read.extend(GroupRecord::decode(key, value)?);
            Ok(())
        });
        assert_eq!((next, unread), (4, 0));
        assert_eq!(read, records[1..]);
    }
}

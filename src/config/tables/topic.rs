//! Every configuration of a topic, a group, a client metrics subscription.
//!
//! Data only: name, type, default, rule, update mode, status, one line of documentation. Names,
//! types, defaults, rules and modes are those of Apache Kafka 4.3.1; sorted by name.

use millrace_replication::config_key::{
    ConfigKey, ConfigKind,
    Rule::{Any, AtLeast, Between, BetweenOr, Fraction, OneOf, Set, ThrottledReplicas},
    Status, UpdateMode,
};

use super::keys;

/// Topic configurations, by name.
pub const TOPIC: &[ConfigKey] = keys! {
    "cleanup.policy" List Some("delete"), Set(&["compact", "delete"]), ClusterWide, Used,
        "What happens to old data: delete, compact, both, or nothing if empty.";
    "compression.gzip.level" Int Some("-1"), BetweenOr(1, 9, -1), ClusterWide, Used,
        "gzip level when the topic is stored as gzip, -1 for its default.";
    "compression.lz4.level" Int Some("9"), Between(1, 17), ClusterWide, Accepted,
        "lz4 level when the topic is stored as lz4.";
    "compression.type" String Some("producer"), OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), ClusterWide, Used,
        "Codec the topic is stored in; producer keeps what came.";
    "compression.zstd.level" Int Some("3"), Between(-131_072, 22), ClusterWide, Used,
        "zstd level when the topic is stored as zstd.";
    "delete.retention.ms" Long Some("86400000"), AtLeast(0), ClusterWide, Used,
        "Time that tombstones stay after compaction, ms.";
    "file.delete.delay.ms" Long Some("60000"), AtLeast(0), ClusterWide, Used,
        "Wait between taking a segment out and deleting its files, ms.";
    "flush.messages" Long Some("9223372036854775807"), AtLeast(1), ClusterWide, Used,
        "Messages of a partition after which it is synced.";
    "flush.ms" Long Some("9223372036854775807"), AtLeast(0), ClusterWide, Used,
        "Time after which a partition's data is synced, ms.";
    "follower.replication.throttled.replicas" List Some(""), ThrottledReplicas, ClusterWide, Accepted,
        "Replicas whose followers are throttled.";
    "index.interval.bytes" Int Some("4096"), AtLeast(0), ClusterWide, Used,
        "Bytes of log between two entries of its offset index.";
    "internal.segment.bytes" Int None, Any, ClusterWide, Internal,
        "Segment size for tests.";
    "leader.replication.throttled.replicas" List Some(""), ThrottledReplicas, ClusterWide, Accepted,
        "Replicas whose leaders are throttled.";
    "local.retention.bytes" Long Some("-2"), AtLeast(-2), ClusterWide, Accepted,
        "Bytes a tiered partition keeps locally; -2 as retention.";
    "local.retention.ms" Long Some("-2"), AtLeast(-2), ClusterWide, Accepted,
        "Time a tiered partition keeps data locally, ms; -2 as retention.";
    "max.compaction.lag.ms" Long Some("9223372036854775807"), AtLeast(1), ClusterWide, Used,
        "Longest time that a record stays uncompacted, ms.";
    "max.message.bytes" Int Some("1048588"), AtLeast(0), ClusterWide, Used,
        "Largest batch that is accepted, bytes.";
    "message.timestamp.after.max.ms" Long Some("3600000"), AtLeast(0), ClusterWide, Used,
        "Most a record's time may lie ahead of the broker's, ms.";
    "message.timestamp.before.max.ms" Long Some("9223372036854775807"), AtLeast(0), ClusterWide, Used,
        "Most a record's time may lie behind the broker's, ms.";
    "message.timestamp.type" String Some("CreateTime"), OneOf(&["CreateTime", "LogAppendTime"]), ClusterWide, Used,
        "Whose time records carry: the producer's or the broker's.";
    "millrace.durability" String Some("page-cache"), OneOf(&["page-cache", "group-commit", "every-batch"]), ClusterWide, Used,
        "What an acknowledgement stands on: page cache, a shared sync, a sync for each batch.";
    "millrace.validation" String Some("header"), OneOf(&["header", "full"]), ClusterWide, Used,
        "How far a batch is opened before it is stored: its header, or every record.";
    "min.cleanable.dirty.ratio" Double Some("0.5"), Fraction(0.0, 1.0), ClusterWide, Used,
        "Share of a log that must be uncompacted before it is compacted.";
    "min.compaction.lag.ms" Long Some("0"), AtLeast(0), ClusterWide, Used,
        "Shortest time that a record stays uncompacted, ms.";
    "min.insync.replicas" Int Some("1"), AtLeast(1), ClusterWide, Accepted,
        "In-sync replicas that a write with acks=all needs.";
    "preallocate" Boolean Some("false"), Any, ClusterWide, Accepted,
        "Allocate a segment's file in full when it is made; blocks are always reserved ahead.";
    "remote.log.copy.disable" Boolean Some("false"), Any, ClusterWide, Accepted,
        "Copy no more segments to tiered storage.";
    "remote.log.delete.on.disable" Boolean Some("false"), Any, ClusterWide, Accepted,
        "Delete tiered data when tiering is switched off.";
    "remote.storage.enable" Boolean Some("false"), Any, ClusterWide, Accepted,
        "Tier the topic.";
    "retention.bytes" Long Some("-1"), Any, ClusterWide, Used,
        "Bytes a partition keeps; -1 is unlimited.";
    "retention.ms" Long Some("604800000"), AtLeast(-1), ClusterWide, Used,
        "Time a partition keeps data, ms; -1 is unlimited.";
    "segment.bytes" Int Some("1073741824"), AtLeast(1_048_576), ClusterWide, Used,
        "Bytes after which a segment is closed.";
    "segment.index.bytes" Int Some("10485760"), AtLeast(4), ClusterWide, Used,
        "Largest offset or time index of a segment, bytes.";
    "segment.jitter.ms" Long Some("0"), AtLeast(0), ClusterWide, Used,
        "Most time taken off a segment's life at random, ms.";
    "segment.ms" Long Some("604800000"), AtLeast(1), ClusterWide, Used,
        "Time after which a segment is closed, ms.";
    "unclean.leader.election.enable" Boolean Some("false"), Any, ClusterWide, Accepted,
        "A replica that lacks acknowledged records may lead when no other is left.";
};

/// Group configurations, by name.
pub const GROUP: &[ConfigKey] = keys! {
    "consumer.assignment.interval.ms" Int Some("1000"), AtLeast(0), ClusterWide, Used,
        "Least time between assignments of the group, ms.";
    "consumer.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), ClusterWide, Used,
        "Heartbeat interval told to members, ms.";
    "consumer.session.timeout.ms" Int Some("45000"), AtLeast(1), ClusterWide, Used,
        "Session time-out of members, ms.";
    "share.assignment.interval.ms" Int Some("1000"), AtLeast(0), ClusterWide, Accepted,
        "Least time between assignments of the share group, ms.";
    "share.auto.offset.reset" String Some("latest"), Any, ClusterWide, Accepted,
        "Where a share group starts: latest, earliest, by_duration:PERIOD.";
    "share.delivery.count.limit" Int Some("5"), AtLeast(2), ClusterWide, Accepted,
        "Times a record is delivered before it is given up.";
    "share.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), ClusterWide, Accepted,
        "Heartbeat interval told to share members, ms.";
    "share.isolation.level" String Some("read_uncommitted"), OneOf(&["read_committed", "read_uncommitted"]), ClusterWide, Accepted,
        "Whether open and aborted transactions are read.";
    "share.partition.max.record.locks" Int Some("2000"), AtLeast(100), ClusterWide, Accepted,
        "Most records of a partition that are held locked.";
    "share.record.lock.duration.ms" Int Some("30000"), AtLeast(1000), ClusterWide, Accepted,
        "Time a member holds a record, ms.";
    "share.renew.acknowledge.enable" Boolean Some("true"), Any, ClusterWide, Accepted,
        "Members may prolong their hold on a record.";
    "share.session.timeout.ms" Int Some("45000"), AtLeast(1), ClusterWide, Accepted,
        "Session time-out of share members, ms.";
    "streams.assignment.interval.ms" Int Some("1000"), AtLeast(0), ClusterWide, Accepted,
        "Least time between assignments of the streams group, ms.";
    "streams.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), ClusterWide, Accepted,
        "Heartbeat interval told to streams members, ms.";
    "streams.initial.rebalance.delay.ms" Int Some("3000"), AtLeast(0), ClusterWide, Accepted,
        "Wait for more members before the first assignment, ms.";
    "streams.num.standby.replicas" Int Some("0"), AtLeast(0), ClusterWide, Accepted,
        "Standby replicas of each task.";
    "streams.session.timeout.ms" Int Some("45000"), AtLeast(1), ClusterWide, Accepted,
        "Session time-out of streams members, ms.";
};

/// Client metrics subscriptions, by name.
pub const CLIENT_METRICS: &[ConfigKey] = keys! {
    "interval.ms" Int Some("300000"), Between(100, 3_600_000), ClusterWide, Accepted,
        "Interval at which clients push metrics, ms.";
    "match" List Some(""), Set(&[]), ClusterWide, Accepted,
        "Which clients the subscription is for, as key=pattern.";
    "metrics" List Some(""), Set(&[]), ClusterWide, Accepted,
        "Prefixes of the metrics to push; * for all.";
};

//! Every broker configuration.
//!
//! Data only: name, type, default, rule, update mode, status, one line of documentation. Names,
//! types, defaults, rules and modes are those of Apache Kafka 4.3.1; sorted by name.

use millrace_replication::config_key::{
    ConfigKey, ConfigKind,
    Rule::{
        Any, AtLeast, Between, BetweenOr, Fraction, NotEmpty, OneOf, OneOfAnyCase, Set, SetNotEmpty,
    },
    Status, UpdateMode,
};

use super::keys;

/// Broker configurations, by name.
pub const BROKER: &[ConfigKey] = keys! {
    "add.partitions.to.txn.retry.backoff.max.ms" Int Some("100"), AtLeast(0), ReadOnly, Accepted,
        "Longest wait before a partition is added to a transaction again, ms.";
    "add.partitions.to.txn.retry.backoff.ms" Int Some("20"), AtLeast(1), ReadOnly, Accepted,
        "First wait before a partition is added to a transaction again, ms.";
    "advertised.listeners" List None, SetNotEmpty(&[]), ReadOnly, Used,
        "Addresses that clients are told, one per listener; derived from listeners if not set.";
    "alter.config.policy.class.name" Class None, Any, ReadOnly, Accepted,
        "Java class that may refuse configuration changes.";
    "alter.log.dirs.replication.quota.window.num" Int Some("11"), AtLeast(1), ReadOnly, Accepted,
        "Samples kept for the quota on moves between log directories.";
    "alter.log.dirs.replication.quota.window.size.seconds" Int Some("1"), AtLeast(1), ReadOnly, Accepted,
        "Length of each of those samples, s.";
    "authorizer.class.name" String Some(""), Any, ReadOnly, Accepted,
        "Java class that decides what a principal may do.";
    "auto.create.topics.enable" Boolean Some("true"), Any, ReadOnly, Used,
        "Create a topic when a client asks for its metadata or produces to it.";
    "auto.leader.rebalance.enable" Boolean Some("true"), Any, ReadOnly, Accepted,
        "Move leadership back to preferred replicas by itself.";
    "background.threads" Int Some("10"), AtLeast(1), ClusterWide, Accepted,
        "Threads for background work; shards do it here.";
    "broker.heartbeat.interval.ms" Int Some("2000"), Any, ReadOnly, Accepted,
        "Interval of a broker's heartbeats to the controller, ms.";
    "broker.id" Int Some("-1"), Any, ReadOnly, Used,
        "Older name of node.id; must agree with it.";
    "broker.rack" String None, Any, ReadOnly, Used,
        "Rack of the broker, told to clients and used to place replicas.";
    "broker.session.timeout.ms" Int Some("9000"), Any, ReadOnly, Accepted,
        "Time without heartbeats after which a broker is fenced, ms.";
    "client.quota.callback.class" Class None, Any, ReadOnly, Accepted,
        "Java class that computes client quotas.";
    "compression.gzip.level" Int Some("-1"), BetweenOr(1, 9, -1), ClusterWide, Used,
        "gzip level for topics stored compressed, -1 for its default.";
    "compression.lz4.level" Int Some("9"), Between(1, 17), ClusterWide, Accepted,
        "lz4 level for topics stored compressed.";
    "compression.type" String Some("producer"), OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), ClusterWide, Used,
        "Codec that topics are stored in; producer keeps what came.";
    "compression.zstd.level" Int Some("3"), Between(-131_072, 22), ClusterWide, Used,
        "zstd level for topics stored compressed.";
    "config.providers" List Some(""), Set(&[]), ClusterWide, Accepted,
        "Aliases of Java classes that look up configuration values.";
    "connection.failed.authentication.delay.ms" Int Some("100"), AtLeast(0), ReadOnly, Accepted,
        "Wait before a failed authentication closes the connection, ms.";
    "connections.max.idle.ms" Long Some("600000"), Any, ReadOnly, Used,
        "Connections idle for longer are closed, ms.";
    "connections.max.reauth.ms" Long Some("0"), Any, ReadOnly, Accepted,
        "Longest life of a SASL session without authenticating again, ms; 0 is unlimited.";
    "controlled.shutdown.enable" Boolean Some("true"), Any, ReadOnly, Accepted,
        "Hand leadership over before a stop.";
    "controller.listener.names" List None, SetNotEmpty(&[]), ReadOnly, Used,
        "Listeners that belong to the controller; accepted, not bound.";
    "controller.performance.always.log.threshold.ms" Long Some("2000"), AtLeast(0), ReadOnly, Internal,
        "Controller events slower than this are logged, ms.";
    "controller.performance.sample.period.ms" Long Some("60000"), AtLeast(100), ReadOnly, Internal,
        "Period of the controller's performance log lines, ms.";
    "controller.quorum.append.linger.ms" Int Some("25"), AtLeast(0), ReadOnly, Accepted,
        "Time the quorum leader gathers records before a write, ms.";
    "controller.quorum.auto.join.enable" Boolean Some("false"), Any, ReadOnly, Accepted,
        "Controllers join the quorum's voters by themselves.";
    "controller.quorum.bootstrap.servers" List Some(""), Any, ReadOnly, Accepted,
        "Where the metadata quorum is found.";
    "controller.quorum.election.backoff.max.ms" Int Some("1000"), AtLeast(0), ReadOnly, Accepted,
        "Longest wait before another election, ms.";
    "controller.quorum.election.timeout.ms" Int Some("1000"), AtLeast(0), ReadOnly, Accepted,
        "Time without a leader's answer before an election, ms.";
    "controller.quorum.fetch.max.bytes" Int Some("1048576"), AtLeast(1), ReadOnly, Accepted,
        "Most bytes of one fetch from the quorum.";
    "controller.quorum.fetch.snapshot.max.bytes" Int Some("1048576"), AtLeast(1), ReadOnly, Accepted,
        "Most bytes of one snapshot fetch from the quorum.";
    "controller.quorum.fetch.timeout.ms" Int Some("2000"), AtLeast(0), ReadOnly, Accepted,
        "Time without a successful fetch before a voter stands for election, ms.";
    "controller.quorum.request.timeout.ms" Int Some("2000"), AtLeast(0), ReadOnly, Accepted,
        "Time a request to the quorum may take, ms.";
    "controller.quorum.retry.backoff.ms" Int Some("20"), AtLeast(0), ReadOnly, Accepted,
        "Wait before a request to the quorum is sent again, ms.";
    "controller.quorum.voters" List Some(""), Any, ReadOnly, Accepted,
        "Voters of a static quorum, as id@host:port.";
    "controller.quota.window.num" Int Some("11"), AtLeast(1), ReadOnly, Used,
        "Samples kept for the quota on topic changes.";
    "controller.quota.window.size.seconds" Int Some("1"), AtLeast(1), ReadOnly, Used,
        "Length of each of those samples, s.";
    "controller.socket.timeout.ms" Int Some("30000"), Any, ReadOnly, Accepted,
        "Time-out of connections to the controller, ms.";
    "cordoned.log.dirs" List Some(""), Set(&[]), PerBroker, Accepted,
        "Log directories that get no new partitions.";
    "create.topic.policy.class.name" Class None, Any, ReadOnly, Accepted,
        "Java class that may refuse new topics.";
    "default.replication.factor" Int Some("1"), Any, ReadOnly, Used,
        "Replicas of a topic created without saying how many.";
    "delegation.token.expiry.check.interval.ms" Long Some("3600000"), AtLeast(1), ReadOnly, Accepted,
        "Interval of the search for expired delegation tokens, ms.";
    "delegation.token.expiry.time.ms" Long Some("86400000"), AtLeast(1), ReadOnly, Accepted,
        "Life of a delegation token that is not renewed, ms.";
    "delegation.token.max.lifetime.ms" Long Some("604800000"), AtLeast(1), ReadOnly, Accepted,
        "Life of a delegation token in all, ms.";
    "delegation.token.secret.key" Password None, Any, ReadOnly, Accepted,
        "Secret that delegation tokens are made with.";
    "delete.records.purgatory.purge.interval.requests" Int Some("1"), Any, ReadOnly, Accepted,
        "Finished delete-records waits are purged after as many requests.";
    "delete.topic.enable" Boolean Some("true"), Any, ReadOnly, Used,
        "Topics may be deleted.";
    "early.start.listeners" List None, Set(&[]), ReadOnly, Accepted,
        "Listeners that accept before the authorizer is ready.";
    "fetch.max.bytes" Int Some("57671680"), AtLeast(1024), ReadOnly, Used,
        "Most bytes of one fetch answer.";
    "fetch.purgatory.purge.interval.requests" Int Some("1000"), Any, ReadOnly, Accepted,
        "Finished fetch waits are purged after as many requests.";
    "follower.fetch.last.tiered.offset.enable" Boolean Some("false"), Any, ClusterWide, Accepted,
        "Empty followers start at the end of the tiered log.";
    "follower.replication.throttled.rate" Long Some("9223372036854775807"), AtLeast(0), ClusterWide, Internal,
        "Most bytes per second that throttled followers take.";
    "group.consumer.assignment.interval.ms" Int Some("1000"), AtLeast(0), ClusterWide, Used,
        "Least time between assignments of a consumer group, ms.";
    "group.consumer.assignors" List Some("uniform,range"), SetNotEmpty(&[]), ReadOnly, Used,
        "Server-side assignors of consumer groups, the default first.";
    "group.consumer.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), ReadOnly, Used,
        "Heartbeat interval told to members of consumer groups, ms.";
    "group.consumer.max.assignment.interval.ms" Int Some("15000"), AtLeast(0), ReadOnly, Used,
        "Largest assignment interval a consumer group may set, ms.";
    "group.consumer.max.heartbeat.interval.ms" Int Some("15000"), AtLeast(1), ReadOnly, Used,
        "Largest heartbeat interval a consumer group may set, ms.";
    "group.consumer.max.session.timeout.ms" Int Some("60000"), AtLeast(1), ReadOnly, Used,
        "Largest session time-out a consumer group may set, ms.";
    "group.consumer.max.size" Int Some("2147483647"), AtLeast(1), ReadOnly, Used,
        "Most members of a consumer group.";
    "group.consumer.migration.policy" String Some("bidirectional"), OneOfAnyCase(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]), ReadOnly, Used,
        "Which group protocols may turn into the other while in use.";
    "group.consumer.min.assignment.interval.ms" Int Some("0"), AtLeast(0), ReadOnly, Used,
        "Smallest assignment interval a consumer group may set, ms.";
    "group.consumer.min.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), ReadOnly, Used,
        "Smallest heartbeat interval a consumer group may set, ms.";
    "group.consumer.min.session.timeout.ms" Int Some("45000"), AtLeast(1), ReadOnly, Used,
        "Smallest session time-out a consumer group may set, ms.";
    "group.consumer.regex.refresh.interval.ms" Int Some("600000"), AtLeast(10_000), ReadOnly, Internal,
        "Interval at which subscribed patterns are matched again, ms.";
    "group.consumer.session.timeout.ms" Int Some("45000"), AtLeast(1), ReadOnly, Used,
        "Session time-out of members of consumer groups, ms.";
    "group.coordinator.append.linger.ms" Int Some("-1"), AtLeast(-1), ReadOnly, Accepted,
        "Time the coordinator gathers records before a write, ms; -1 adapts.";
    "group.coordinator.background.threads" Int Some("2"), AtLeast(1), ReadOnly, Accepted,
        "Threads for the coordinator's background work.";
    "group.coordinator.cached.buffer.max.bytes" Int Some("1048588"), AtLeast(524_288), ClusterWide, Accepted,
        "Largest write buffer the coordinator keeps.";
    "group.coordinator.rebalance.protocols" List Some("classic,consumer,streams"), SetNotEmpty(&["consumer", "classic", "share", "streams"]), ReadOnly, Used,
        "Group protocols that are served.";
    "group.coordinator.threads" Int Some("4"), AtLeast(1), ReadOnly, Accepted,
        "Threads of the coordinator; shards do it here.";
    "group.initial.rebalance.delay.ms" Int Some("3000"), Any, ReadOnly, Used,
        "Wait for more members before an empty group's first rebalance, ms.";
    "group.max.session.timeout.ms" Int Some("1800000"), Any, ReadOnly, Used,
        "Largest session time-out a classic member may ask for, ms.";
    "group.max.size" Int Some("2147483647"), AtLeast(1), ReadOnly, Used,
        "Most members of a classic group.";
    "group.min.session.timeout.ms" Int Some("6000"), Any, ReadOnly, Used,
        "Smallest session time-out a classic member may ask for, ms.";
    "group.share.assignment.interval.ms" Int Some("1000"), AtLeast(0), ClusterWide, Accepted,
        "Least time between assignments of a share group, ms.";
    "group.share.assignors" List Some("simple"), SetNotEmpty(&[]), ReadOnly, Accepted,
        "Server-side assignors of share groups.";
    "group.share.delivery.count.limit" Int Some("5"), Between(2, 10), ReadOnly, Accepted,
        "Times a record is delivered to a share group before it is given up.";
    "group.share.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), ReadOnly, Accepted,
        "Heartbeat interval told to members of share groups, ms.";
    "group.share.initialize.retry.interval.ms" Int Some("30000"), AtLeast(1), ReadOnly, Internal,
        "Wait before a share group's state is initialized again, ms.";
    "group.share.max.assignment.interval.ms" Int Some("15000"), AtLeast(0), ReadOnly, Accepted,
        "Largest assignment interval a share group may set, ms.";
    "group.share.max.delivery.count.limit" Int Some("10"), Between(5, 25), ReadOnly, Accepted,
        "Largest delivery count limit a share group may set.";
    "group.share.max.heartbeat.interval.ms" Int Some("15000"), AtLeast(1), ReadOnly, Accepted,
        "Largest heartbeat interval a share group may set, ms.";
    "group.share.max.partition.max.record.locks" Int Some("4000"), Between(2000, 10_000), ReadOnly, Accepted,
        "Largest limit of record locks a share group may set.";
    "group.share.max.record.lock.duration.ms" Int Some("60000"), Between(30_000, 3_600_000), ReadOnly, Accepted,
        "Longest record lock a share group may set, ms.";
    "group.share.max.session.timeout.ms" Int Some("60000"), AtLeast(1), ReadOnly, Accepted,
        "Largest session time-out a share group may set, ms.";
    "group.share.max.share.sessions" Int Some("2000"), AtLeast(1), ReadOnly, Accepted,
        "Most share sessions of the broker.";
    "group.share.max.size" Int Some("200"), Between(1, 1000), ReadOnly, Accepted,
        "Most members of a share group.";
    "group.share.min.assignment.interval.ms" Int Some("0"), AtLeast(0), ReadOnly, Accepted,
        "Smallest assignment interval a share group may set, ms.";
    "group.share.min.delivery.count.limit" Int Some("2"), Between(2, 5), ReadOnly, Accepted,
        "Smallest delivery count limit a share group may set.";
    "group.share.min.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), ReadOnly, Accepted,
        "Smallest heartbeat interval a share group may set, ms.";
    "group.share.min.partition.max.record.locks" Int Some("100"), Between(100, 2000), ReadOnly, Accepted,
        "Smallest limit of record locks a share group may set.";
    "group.share.min.record.lock.duration.ms" Int Some("15000"), Between(1000, 30_000), ReadOnly, Accepted,
        "Shortest record lock a share group may set, ms.";
    "group.share.min.session.timeout.ms" Int Some("45000"), AtLeast(1), ReadOnly, Accepted,
        "Smallest session time-out a share group may set, ms.";
    "group.share.partition.max.record.locks" Int Some("2000"), Between(100, 10_000), ReadOnly, Accepted,
        "Most records of a partition that a share group holds locked.";
    "group.share.persister.class.name" String Some("org.apache.kafka.server.share.persister.DefaultStatePersister"), Any, ReadOnly, Internal,
        "Java class that stores share groups' state.";
    "group.share.record.lock.duration.ms" Int Some("30000"), Between(1000, 3_600_000), ReadOnly, Accepted,
        "Time a share group's member holds a record, ms.";
    "group.share.session.timeout.ms" Int Some("45000"), AtLeast(1), ReadOnly, Accepted,
        "Session time-out of members of share groups, ms.";
    "group.streams.assignment.interval.ms" Int Some("1000"), AtLeast(0), ClusterWide, Accepted,
        "Least time between assignments of a streams group, ms.";
    "group.streams.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), ReadOnly, Accepted,
        "Heartbeat interval told to members of streams groups, ms.";
    "group.streams.initial.rebalance.delay.ms" Int Some("3000"), AtLeast(0), ReadOnly, Accepted,
        "Wait for more members before a streams group's first assignment, ms.";
    "group.streams.max.assignment.interval.ms" Int Some("15000"), AtLeast(0), ReadOnly, Accepted,
        "Largest assignment interval a streams group may set, ms.";
    "group.streams.max.heartbeat.interval.ms" Int Some("15000"), AtLeast(1), ReadOnly, Accepted,
        "Largest heartbeat interval a streams group may set, ms.";
    "group.streams.max.session.timeout.ms" Int Some("60000"), AtLeast(1), ReadOnly, Accepted,
        "Largest session time-out a streams group may set, ms.";
    "group.streams.max.size" Int Some("2147483647"), AtLeast(1), ReadOnly, Accepted,
        "Most members of a streams group.";
    "group.streams.max.standby.replicas" Int Some("2"), AtLeast(0), ReadOnly, Accepted,
        "Most standby replicas a streams group may set.";
    "group.streams.min.assignment.interval.ms" Int Some("0"), AtLeast(0), ReadOnly, Accepted,
        "Smallest assignment interval a streams group may set, ms.";
    "group.streams.min.heartbeat.interval.ms" Int Some("5000"), AtLeast(1), ReadOnly, Accepted,
        "Smallest heartbeat interval a streams group may set, ms.";
    "group.streams.min.session.timeout.ms" Int Some("45000"), AtLeast(1), ReadOnly, Accepted,
        "Smallest session time-out a streams group may set, ms.";
    "group.streams.num.standby.replicas" Int Some("0"), AtLeast(0), ReadOnly, Accepted,
        "Standby replicas of each task of a streams group.";
    "group.streams.session.timeout.ms" Int Some("45000"), AtLeast(1), ReadOnly, Accepted,
        "Session time-out of members of streams groups, ms.";
    "initial.broker.registration.timeout.ms" Int Some("60000"), Any, ReadOnly, Accepted,
        "Time a starting broker has to register, ms.";
    "inter.broker.listener.name" String None, Any, ReadOnly, Used,
        "Listener that brokers use among themselves.";
    "internal.metadata.delete.delay.millis" Long Some("60000"), Any, ReadOnly, Internal,
        "Delay before old metadata segments are deleted, ms.";
    "internal.metadata.log.segment.bytes" Int None, Any, ReadOnly, Internal,
        "Metadata segment size for tests.";
    "internal.metadata.max.batch.size.in.bytes" Int Some("8388608"), Any, ReadOnly, Internal,
        "Largest batch of the metadata log, bytes.";
    "kafka.metrics.polling.interval.secs" Int Some("10"), AtLeast(1), ReadOnly, Accepted,
        "Polling interval of metrics reporters, s.";
    "kafka.metrics.reporters" List Some(""), Set(&[]), ReadOnly, Accepted,
        "Java classes that report metrics.";
    "leader.imbalance.check.interval.seconds" Long Some("300"), AtLeast(1), ReadOnly, Accepted,
        "Interval of the check for leaders off their preferred replicas, s.";
    "leader.replication.throttled.rate" Long Some("9223372036854775807"), AtLeast(0), ClusterWide, Internal,
        "Most bytes per second that leaders send to throttled followers.";
    "listener.security.protocol.map" String Some("SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT"), Any, PerBroker, Used,
        "Security protocol of each listener name.";
    "listeners" List Some("PLAINTEXT://:9092"), SetNotEmpty(&[]), PerBroker, Used,
        "Addresses to listen on, as NAME://host:port.";
    "log.cleaner.backoff.ms" Long Some("15000"), AtLeast(0), ClusterWide, Used,
        "Wait when there is nothing to compact, ms.";
    "log.cleaner.dedupe.buffer.size" Long Some("134217728"), Any, ClusterWide, Used,
        "Memory for compaction's key maps, bytes, all threads together.";
    "log.cleaner.delete.retention.ms" Long Some("86400000"), AtLeast(0), ClusterWide, Used,
        "Time that tombstones stay in a compacted log, ms.";
    "log.cleaner.enable" Boolean Some("true"), Any, ReadOnly, Used,
        "Compact logs.";
    "log.cleaner.io.buffer.load.factor" Double Some("0.9"), Any, ClusterWide, Used,
        "Fill of the compaction's key map at most.";
    "log.cleaner.io.buffer.size" Int Some("524288"), AtLeast(0), ClusterWide, Used,
        "Memory for the compaction's reads and writes, bytes.";
    "log.cleaner.io.max.bytes.per.second" Double Some("1.7976931348623157E308"), Any, ClusterWide, Used,
        "Most bytes that compaction reads and writes per second.";
    "log.cleaner.max.compaction.lag.ms" Long Some("9223372036854775807"), AtLeast(1), ClusterWide, Used,
        "Longest time that a record stays uncompacted, ms.";
    "log.cleaner.min.cleanable.ratio" Double Some("0.5"), Fraction(0.0, 1.0), ClusterWide, Used,
        "Share of a log that must be uncompacted before it is compacted.";
    "log.cleaner.min.compaction.lag.ms" Long Some("0"), AtLeast(0), ClusterWide, Used,
        "Shortest time that a record stays uncompacted, ms.";
    "log.cleaner.threads" Int Some("1"), AtLeast(0), ClusterWide, Used,
        "0 turns compaction off; else each shard compacts one log at a time, and one thread computes.";
    "log.cleanup.policy" List Some("delete"), Set(&["compact", "delete"]), ClusterWide, Used,
        "What happens to old data: delete, compact, both, or nothing if empty.";
    "log.dir" List Some("/tmp/kafka-logs"), SetNotEmpty(&[]), ReadOnly, Used,
        "Data directories when log.dirs is not set.";
    "log.dir.failure.timeout.ms" Long Some("30000"), AtLeast(1), ReadOnly, Accepted,
        "Time to tell the controller of a failed directory before stopping, ms.";
    "log.dirs" List None, SetNotEmpty(&[]), ReadOnly, Used,
        "Data directories, between commas.";
    "log.flush.interval.messages" Long Some("9223372036854775807"), AtLeast(1), ClusterWide, Used,
        "Messages of a partition after which it is synced.";
    "log.flush.interval.ms" Long None, Any, ClusterWide, Used,
        "Time after which a partition's data is synced, ms.";
    "log.flush.offset.checkpoint.interval.ms" Int Some("60000"), AtLeast(0), ReadOnly, Used,
        "Interval of the recovery point checkpoint, ms.";
    "log.flush.scheduler.interval.ms" Long Some("9223372036854775807"), Any, ReadOnly, Used,
        "Interval of the check whether a log is due to be synced, ms.";
    "log.flush.start.offset.checkpoint.interval.ms" Int Some("60000"), AtLeast(0), ReadOnly, Used,
        "Interval of the log start offset checkpoint, ms.";
    "log.index.interval.bytes" Int Some("4096"), AtLeast(0), ClusterWide, Used,
        "Bytes of log between two entries of its offset index.";
    "log.index.size.max.bytes" Int Some("10485760"), AtLeast(4), ClusterWide, Used,
        "Largest offset or time index of a segment, bytes.";
    "log.initial.task.delay.ms" Long Some("30000"), AtLeast(0), ReadOnly, Internal,
        "Wait before the first retention and checkpoint work, ms.";
    "log.local.retention.bytes" Long Some("-2"), AtLeast(-2), ClusterWide, Accepted,
        "Bytes a tiered partition keeps locally; -2 as retention.";
    "log.local.retention.ms" Long Some("-2"), AtLeast(-2), ClusterWide, Accepted,
        "Time a tiered partition keeps data locally, ms; -2 as retention.";
    "log.message.timestamp.after.max.ms" Long Some("3600000"), AtLeast(0), ClusterWide, Used,
        "Most a record's time may lie ahead of the broker's, ms.";
    "log.message.timestamp.before.max.ms" Long Some("9223372036854775807"), AtLeast(0), ClusterWide, Used,
        "Most a record's time may lie behind the broker's, ms.";
    "log.message.timestamp.type" String Some("CreateTime"), OneOf(&["CreateTime", "LogAppendTime"]), ClusterWide, Used,
        "Whose time records carry: the producer's or the broker's.";
    "log.preallocate" Boolean Some("false"), Any, ClusterWide, Accepted,
        "Allocate a segment's file in full when it is made; blocks are always reserved ahead.";
    "log.retention.bytes" Long Some("-1"), Any, ClusterWide, Used,
        "Bytes a partition keeps; -1 is unlimited.";
    "log.retention.check.interval.ms" Long Some("300000"), AtLeast(1), ReadOnly, Used,
        "Interval of the search for data to delete, ms.";
    "log.retention.hours" Int Some("168"), Any, ReadOnly, Used,
        "Hours a partition keeps data, if neither minutes nor ms is set.";
    "log.retention.minutes" Int None, Any, ReadOnly, Used,
        "Minutes a partition keeps data, if ms is not set.";
    "log.retention.ms" Long None, Any, ClusterWide, Used,
        "Time a partition keeps data, ms; -1 is unlimited.";
    "log.roll.hours" Int Some("168"), AtLeast(1), ReadOnly, Used,
        "Hours after which a segment is closed, if ms is not set.";
    "log.roll.jitter.hours" Int Some("0"), AtLeast(0), ReadOnly, Used,
        "Most hours taken off that time at random, if ms is not set.";
    "log.roll.jitter.ms" Long None, Any, ClusterWide, Used,
        "Most time taken off a segment's life at random, ms.";
    "log.roll.ms" Long None, Any, ClusterWide, Used,
        "Time after which a segment is closed, ms.";
    "log.segment.bytes" Int Some("1073741824"), AtLeast(1_048_576), ClusterWide, Used,
        "Bytes after which a segment is closed.";
    "log.segment.delete.delay.ms" Long Some("60000"), AtLeast(0), ClusterWide, Used,
        "Wait between taking a segment out and deleting its files, ms.";
    "max.connection.creation.rate" Int Some("2147483647"), AtLeast(0), ClusterWide, Used,
        "Most new connections per second.";
    "max.connections" Int Some("2147483647"), AtLeast(0), ClusterWide, Used,
        "Most connections of the broker.";
    "max.connections.per.ip" Int Some("2147483647"), AtLeast(0), ClusterWide, Used,
        "Most connections of one address.";
    "max.connections.per.ip.overrides" String Some(""), Any, ClusterWide, Used,
        "Limits for single addresses or hosts, as host:count.";
    "max.incremental.fetch.session.cache.slots" Int Some("1000"), AtLeast(0), ReadOnly, Used,
        "Most fetch sessions.";
    "max.request.partition.size.limit" Int Some("2000"), AtLeast(1), ReadOnly, Used,
        "Most partitions of one DescribeTopicPartitions answer.";
    "message.max.bytes" Int Some("1048588"), AtLeast(0), ClusterWide, Used,
        "Largest batch that is accepted, bytes.";
    "metadata.log.dir" String None, Any, ReadOnly, Used,
        "Directory of the metadata log; the first data directory if not set.";
    "metadata.log.max.record.bytes.between.snapshots" Long Some("20971520"), AtLeast(1), ReadOnly, Used,
        "Bytes of metadata records after which a snapshot is taken.";
    "metadata.log.max.snapshot.interval.ms" Long Some("3600000"), AtLeast(0), ReadOnly, Accepted,
        "Time after which a snapshot of changed metadata is taken, ms.";
    "metadata.log.segment.bytes" Int Some("1073741824"), AtLeast(8_388_608), ReadOnly, Used,
        "Bytes after which a metadata segment is closed.";
    "metadata.log.segment.ms" Long Some("604800000"), Any, ReadOnly, Accepted,
        "Time after which a metadata segment is closed, ms.";
    "metadata.max.idle.interval.ms" Int Some("500"), AtLeast(0), ReadOnly, Accepted,
        "Interval of no-op records in an idle metadata log, ms.";
    "metadata.max.retention.bytes" Long Some("104857600"), Any, ReadOnly, Accepted,
        "Bytes of metadata log and snapshots that are kept.";
    "metadata.max.retention.ms" Long Some("604800000"), Any, ReadOnly, Accepted,
        "Time that metadata log and snapshots are kept, ms.";
    "metric.reporters" List Some("org.apache.kafka.common.metrics.JmxReporter"), Set(&[]), ClusterWide, Accepted,
        "Java classes that report metrics.";
    "metrics.num.samples" Int Some("2"), AtLeast(1), ReadOnly, Accepted,
        "Samples kept for a metric.";
    "metrics.recording.level" String Some("INFO"), Any, ReadOnly, Accepted,
        "Level of detail of metrics.";
    "metrics.sample.window.ms" Long Some("30000"), AtLeast(1), ReadOnly, Accepted,
        "Length of a metric's sample, ms.";
    "millrace.admin.listener" String Some("127.0.0.1:9095"), Any, ReadOnly, Used,
        "Address of metrics and health, as host:port; empty switches it off.";
    "millrace.durability" String Some("page-cache"), OneOf(&["page-cache", "group-commit", "every-batch"]), ClusterWide, Used,
        "What an acknowledgement stands on: page cache, a shared sync, a sync for each batch.";
    "millrace.group.metrics.interval.ms" Int Some("5000"), AtLeast(100), ClusterWide, Used,
        "How often consumer lag is worked out for /metrics, ms.";
    "millrace.group.metrics.max" Int Some("10000"), AtLeast(0), ClusterWide, Used,
        "Most groups and partitions of groups in /metrics, divided among the shards; 0 turns consumer lag there off.";
    "millrace.io.backend" String Some("auto"), OneOf(&["auto", "uring", "epoll"]), ReadOnly, Used,
        "How the kernel is asked for input and output; auto takes the best that works.";
    "millrace.shards" Int Some("0"), Between(0, 1024), ReadOnly, Used,
        "Shards, one thread each; 0 is one per core.";
    "millrace.small.request.max.bytes" Int Some("4194304"), AtLeast(65536), ReadOnly, Used,
        "Largest request other than Produce, bytes; a larger one ends its connection.";
    "millrace.validation" String Some("header"), OneOf(&["header", "full"]), ClusterWide, Used,
        "How far a batch is opened before it is stored: its header, or every record.";
    "min.insync.replicas" Int Some("1"), AtLeast(1), ClusterWide, Accepted,
        "In-sync replicas that a write with acks=all needs.";
    "node.id" Int Some("1"), AtLeast(0), ReadOnly, Used,
        "Id of this node, 0 or more.";
    "num.io.threads" Int Some("8"), AtLeast(1), ClusterWide, Accepted,
        "Request threads; shards do it here.";
    "num.network.threads" Int Some("3"), AtLeast(1), ClusterWide, Accepted,
        "Network threads; shards do it here.";
    "num.partitions" Int Some("1"), AtLeast(1), ReadOnly, Used,
        "Partitions of a topic created without saying how many.";
    "num.recovery.threads.per.data.dir" Int Some("2"), AtLeast(1), ClusterWide, Accepted,
        "Recovery threads per directory; shards do it here.";
    "num.replica.alter.log.dirs.threads" Int None, Any, ReadOnly, Accepted,
        "Threads that move replicas between directories.";
    "num.replica.fetchers" Int Some("1"), AtLeast(1), ClusterWide, Accepted,
        "Fetcher threads per source broker.";
    "offset.metadata.max.bytes" Int Some("4096"), Any, ReadOnly, Used,
        "Most bytes of metadata with a committed offset.";
    "offsets.commit.timeout.ms" Int Some("5000"), AtLeast(1), ReadOnly, Accepted,
        "Time that an offset commit may take, ms.";
    "offsets.load.buffer.size" Int Some("5242880"), AtLeast(1), ReadOnly, Accepted,
        "Bytes read at a time when offsets are loaded.";
    "offsets.retention.check.interval.ms" Long Some("600000"), AtLeast(1), ReadOnly, Used,
        "Interval of the search for expired offsets, ms.";
    "offsets.retention.minutes" Int Some("10080"), AtLeast(1), ReadOnly, Used,
        "Time that offsets of an empty group are kept, minutes.";
    "offsets.topic.compression.codec" Int Some("0"), Any, ReadOnly, Accepted,
        "Codec of the offsets topic, by number.";
    "offsets.topic.num.partitions" Int Some("50"), AtLeast(1), ReadOnly, Used,
        "Partitions of the offsets topic.";
    "offsets.topic.replication.factor" Short Some("3"), AtLeast(1), ReadOnly, Used,
        "Replicas of the offsets topic, as far as there are brokers.";
    "offsets.topic.segment.bytes" Int Some("104857600"), AtLeast(1), ReadOnly, Used,
        "Segment size of the offsets topic, bytes.";
    "principal.builder.class" Class Some("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"), Any, PerBroker, Accepted,
        "Java class that makes a connection's principal.";
    "process.roles" List Some("broker,controller"), SetNotEmpty(&["broker", "controller"]), ReadOnly, Used,
        "Roles of this node: broker, controller, or both.";
    "producer.id.expiration.check.interval.ms" Int Some("600000"), AtLeast(1), ReadOnly, Internal,
        "Interval of the search for expired producers, ms.";
    "producer.id.expiration.ms" Int Some("86400000"), AtLeast(1), ClusterWide, Used,
        "Time after which an idle producer's state is forgotten, ms.";
    "producer.purgatory.purge.interval.requests" Int Some("1000"), Any, ReadOnly, Accepted,
        "Finished produce waits are purged after as many requests.";
    "queued.max.request.bytes" Long Some("-1"), Any, ReadOnly, Used,
        "Bytes of requests held at once; -1 is the broker's choice.";
    "queued.max.requests" Int Some("500"), AtLeast(1), ReadOnly, Accepted,
        "Requests queued between threads; nothing is queued so here.";
    "quota.window.num" Int Some("11"), AtLeast(1), ReadOnly, Used,
        "Samples kept for client quotas.";
    "quota.window.size.seconds" Int Some("1"), AtLeast(1), ReadOnly, Used,
        "Length of each of those samples, s.";
    "remote.fetch.max.wait.ms" Int Some("500"), AtLeast(1), ClusterWide, Accepted,
        "Longest wait for a read from tiered storage, ms.";
    "remote.list.offsets.request.timeout.ms" Long Some("30000"), AtLeast(1), ClusterWide, Accepted,
        "Longest wait for offsets in tiered storage, ms.";
    "remote.log.index.file.cache.total.size.bytes" Long Some("1073741824"), AtLeast(1), ClusterWide, Accepted,
        "Bytes of cached indexes of tiered segments.";
    "remote.log.index.file.cache.ttl.ms" Long Some("900000"), AtLeast(-1), ReadOnly, Internal,
        "Life of an unused cached index, ms.";
    "remote.log.manager.copier.thread.pool.size" Int Some("10"), AtLeast(1), ClusterWide, Accepted,
        "Threads that copy segments to tiered storage.";
    "remote.log.manager.copy.max.bytes.per.second" Long Some("9223372036854775807"), AtLeast(1), ClusterWide, Accepted,
        "Most bytes copied to tiered storage per second.";
    "remote.log.manager.copy.quota.window.num" Int Some("11"), AtLeast(1), ReadOnly, Accepted,
        "Samples kept for that limit.";
    "remote.log.manager.copy.quota.window.size.seconds" Int Some("1"), AtLeast(1), ReadOnly, Accepted,
        "Length of each of those samples, s.";
    "remote.log.manager.expiration.thread.pool.size" Int Some("10"), AtLeast(1), ClusterWide, Accepted,
        "Threads that delete expired tiered segments.";
    "remote.log.manager.fetch.max.bytes.per.second" Long Some("9223372036854775807"), AtLeast(1), ClusterWide, Accepted,
        "Most bytes read from tiered storage per second.";
    "remote.log.manager.fetch.quota.window.num" Int Some("11"), AtLeast(1), ReadOnly, Accepted,
        "Samples kept for that limit.";
    "remote.log.manager.fetch.quota.window.size.seconds" Int Some("1"), AtLeast(1), ReadOnly, Accepted,
        "Length of each of those samples, s.";
    "remote.log.manager.follower.thread.pool.size" Int Some("2"), AtLeast(1), ClusterWide, Accepted,
        "Threads for followers' work on tiered logs.";
    "remote.log.manager.task.interval.ms" Long Some("30000"), AtLeast(1), ReadOnly, Accepted,
        "Interval of work on tiered logs, ms.";
    "remote.log.manager.task.retry.backoff.max.ms" Long Some("30000"), AtLeast(1), ReadOnly, Internal,
        "Longest wait before failed tiering is tried again, ms.";
    "remote.log.manager.task.retry.backoff.ms" Long Some("500"), AtLeast(1), ReadOnly, Internal,
        "First wait before failed tiering is tried again, ms.";
    "remote.log.manager.task.retry.jitter" Double Some("0.2"), Fraction(0.0, 0.5), ReadOnly, Internal,
        "Random share of that wait.";
    "remote.log.manager.thread.pool.size" Int Some("2"), AtLeast(1), ReadOnly, Accepted,
        "Threads for work on tiered logs.";
    "remote.log.metadata.custom.metadata.max.bytes" Int Some("128"), AtLeast(0), ReadOnly, Accepted,
        "Most bytes of a plug-in's metadata per tiered segment.";
    "remote.log.metadata.manager.class.name" String Some("org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager"), NotEmpty, ReadOnly, Accepted,
        "Java class that keeps metadata of tiered segments.";
    "remote.log.metadata.manager.class.path" String None, Any, ReadOnly, Accepted,
        "Where that class is found.";
    "remote.log.metadata.manager.impl.prefix" String Some("rlmm.config."), NotEmpty, ReadOnly, Accepted,
        "Prefix of that class's configurations.";
    "remote.log.metadata.manager.listener.name" String None, NotEmpty, ReadOnly, Accepted,
        "Listener that class connects to.";
    "remote.log.reader.max.pending.tasks" Int Some("100"), AtLeast(1), ReadOnly, Accepted,
        "Most queued reads from tiered storage.";
    "remote.log.reader.threads" Int Some("10"), AtLeast(1), ClusterWide, Accepted,
        "Threads that read from tiered storage.";
    "remote.log.storage.manager.class.name" String None, NotEmpty, ReadOnly, Accepted,
        "Java class that stores tiered segments.";
    "remote.log.storage.manager.class.path" String None, Any, ReadOnly, Accepted,
        "Where that class is found.";
    "remote.log.storage.manager.impl.prefix" String Some("rsm.config."), NotEmpty, ReadOnly, Accepted,
        "Prefix of that class's configurations.";
    "remote.log.storage.system.enable" Boolean Some("false"), Any, ReadOnly, Accepted,
        "Tiered storage on this broker.";
    "replica.alter.log.dirs.io.max.bytes.per.second" Long Some("9223372036854775807"), AtLeast(0), ClusterWide, Internal,
        "Most bytes per second moved between log directories.";
    "replica.fetch.backoff.ms" Int Some("1000"), AtLeast(0), ReadOnly, Accepted,
        "Wait of a follower after a failed fetch, ms.";
    "replica.fetch.max.bytes" Int Some("1048576"), AtLeast(0), ReadOnly, Accepted,
        "Bytes per partition of a follower's fetch.";
    "replica.fetch.min.bytes" Int Some("1"), Any, ReadOnly, Accepted,
        "Least bytes a follower's fetch waits for.";
    "replica.fetch.response.max.bytes" Int Some("10485760"), AtLeast(0), ReadOnly, Accepted,
        "Bytes of a whole follower's fetch.";
    "replica.fetch.wait.max.ms" Int Some("500"), Any, ReadOnly, Accepted,
        "Longest wait of a follower's fetch, ms.";
    "replica.high.watermark.checkpoint.interval.ms" Long Some("5000"), Any, ReadOnly, Used,
        "Interval of the high watermark checkpoint, ms.";
    "replica.lag.time.max.ms" Long Some("30000"), Any, ReadOnly, Accepted,
        "Time without catching up after which a follower leaves the ISR, ms.";
    "replica.selector.class" String None, Any, ReadOnly, Accepted,
        "Java class that picks a replica to read from.";
    "replica.socket.receive.buffer.bytes" Int Some("65536"), Any, ReadOnly, Accepted,
        "Socket receive buffer of followers, bytes.";
    "replica.socket.timeout.ms" Int Some("30000"), Any, ReadOnly, Accepted,
        "Time-out of a follower's connection, ms.";
    "replication.quota.window.num" Int Some("11"), AtLeast(1), ReadOnly, Accepted,
        "Samples kept for replication quotas.";
    "replication.quota.window.size.seconds" Int Some("1"), AtLeast(1), ReadOnly, Accepted,
        "Length of each of those samples, s.";
    "request.timeout.ms" Int Some("30000"), Any, ReadOnly, Accepted,
        "Time that a request between nodes may take, ms.";
    "sasl.client.callback.handler.class" Class None, Any, ReadOnly, Accepted,
        "Java class with the client side's credentials.";
    "sasl.enabled.mechanisms" List Some("GSSAPI"), Set(&[]), PerBroker, Accepted,
        "SASL mechanisms that are served.";
    "sasl.jaas.config" Password None, Any, PerBroker, Accepted,
        "JAAS login configuration.";
    "sasl.kerberos.kinit.cmd" String Some("/usr/bin/kinit"), Any, PerBroker, Accepted,
        "Path of kinit.";
    "sasl.kerberos.min.time.before.relogin" Long Some("60000"), Any, PerBroker, Accepted,
        "Least time between two Kerberos logins, ms.";
    "sasl.kerberos.principal.to.local.rules" List Some("DEFAULT"), Set(&[]), PerBroker, Accepted,
        "Rules from Kerberos principals to user names.";
    "sasl.kerberos.service.name" String None, Any, PerBroker, Accepted,
        "Kerberos name of the service.";
    "sasl.kerberos.ticket.renew.jitter" Double Some("0.05"), Any, PerBroker, Accepted,
        "Random share of a ticket's renewal time.";
    "sasl.kerberos.ticket.renew.window.factor" Double Some("0.8"), Any, PerBroker, Accepted,
        "Share of a ticket's life after which it is renewed.";
    "sasl.login.callback.handler.class" Class None, Any, ReadOnly, Accepted,
        "Java class with login credentials.";
    "sasl.login.class" Class None, Any, ReadOnly, Accepted,
        "Java class that logs in.";
    "sasl.login.connect.timeout.ms" Int None, Any, ReadOnly, Accepted,
        "Time-out of connecting to the token provider, ms.";
    "sasl.login.read.timeout.ms" Int None, Any, ReadOnly, Accepted,
        "Time-out of reading from the token provider, ms.";
    "sasl.login.refresh.buffer.seconds" Short Some("300"), Any, PerBroker, Accepted,
        "Time before expiry by which a login is refreshed, s.";
    "sasl.login.refresh.min.period.seconds" Short Some("60"), Any, PerBroker, Accepted,
        "Least time between refreshes of a login, s.";
    "sasl.login.refresh.window.factor" Double Some("0.8"), Any, PerBroker, Accepted,
        "Share of a login's life after which it is refreshed.";
    "sasl.login.refresh.window.jitter" Double Some("0.05"), Any, PerBroker, Accepted,
        "Random share of that time.";
    "sasl.login.retry.backoff.max.ms" Long Some("10000"), Any, ReadOnly, Accepted,
        "Longest wait before another login, ms.";
    "sasl.login.retry.backoff.ms" Long Some("100"), Any, ReadOnly, Accepted,
        "First wait before another login, ms.";
    "sasl.mechanism.controller.protocol" String Some("GSSAPI"), Any, ReadOnly, Accepted,
        "SASL mechanism towards controllers.";
    "sasl.mechanism.inter.broker.protocol" String Some("GSSAPI"), Any, PerBroker, Accepted,
        "SASL mechanism between brokers.";
    "sasl.oauthbearer.assertion.algorithm" String Some("RS256"), OneOfAnyCase(&["ES256", "RS256"]), ReadOnly, Accepted,
        "Algorithm that signs an assertion.";
    "sasl.oauthbearer.assertion.claim.aud" String None, Any, ReadOnly, Accepted,
        "Audience claim of an assertion.";
    "sasl.oauthbearer.assertion.claim.exp.seconds" Int Some("300"), Between(0, 86_400), ReadOnly, Accepted,
        "Life of an assertion, s.";
    "sasl.oauthbearer.assertion.claim.iss" String None, Any, ReadOnly, Accepted,
        "Issuer claim of an assertion.";
    "sasl.oauthbearer.assertion.claim.jti.include" Boolean Some("false"), Any, ReadOnly, Accepted,
        "Put a unique id into each assertion.";
    "sasl.oauthbearer.assertion.claim.nbf.seconds" Int Some("60"), Between(0, 3600), ReadOnly, Accepted,
        "Time before now from which an assertion is valid, s.";
    "sasl.oauthbearer.assertion.claim.sub" String None, Any, ReadOnly, Accepted,
        "Subject claim of an assertion.";
    "sasl.oauthbearer.assertion.file" String None, Any, ReadOnly, Accepted,
        "File with a ready assertion.";
    "sasl.oauthbearer.assertion.private.key.file" String None, Any, ReadOnly, Accepted,
        "File with the key that signs assertions.";
    "sasl.oauthbearer.assertion.private.key.passphrase" Password None, Any, ReadOnly, Accepted,
        "Passphrase of that key.";
    "sasl.oauthbearer.assertion.template.file" String None, Any, ReadOnly, Accepted,
        "File with an assertion's fixed claims.";
    "sasl.oauthbearer.client.credentials.client.id" String None, Any, ReadOnly, Accepted,
        "Client id for the client credentials grant.";
    "sasl.oauthbearer.client.credentials.client.secret" Password None, Any, ReadOnly, Accepted,
        "Client secret for the client credentials grant.";
    "sasl.oauthbearer.clock.skew.seconds" Int Some("30"), Any, ReadOnly, Accepted,
        "Difference of clocks that is allowed, s.";
    "sasl.oauthbearer.expected.audience" List Some(""), Set(&[]), ReadOnly, Accepted,
        "Audiences that a token may have.";
    "sasl.oauthbearer.expected.issuer" String None, Any, ReadOnly, Accepted,
        "Issuer that a token must have.";
    "sasl.oauthbearer.jwks.endpoint.refresh.ms" Long Some("3600000"), Any, ReadOnly, Accepted,
        "Interval at which the provider's keys are read again, ms.";
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms" Long Some("10000"), Any, ReadOnly, Accepted,
        "Longest wait before they are tried again, ms.";
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms" Long Some("100"), Any, ReadOnly, Accepted,
        "First wait before they are tried again, ms.";
    "sasl.oauthbearer.jwks.endpoint.url" String None, Any, ReadOnly, Accepted,
        "Where the provider's keys are.";
    "sasl.oauthbearer.jwt.retriever.class" Class Some("org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever"), Any, ReadOnly, Accepted,
        "Java class that gets tokens.";
    "sasl.oauthbearer.jwt.validator.class" Class Some("org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator"), Any, ReadOnly, Accepted,
        "Java class that checks tokens.";
    "sasl.oauthbearer.scope" String None, Any, ReadOnly, Accepted,
        "Scope that is asked for.";
    "sasl.oauthbearer.scope.claim.name" String Some("scope"), Any, ReadOnly, Accepted,
        "Name of a token's scope claim.";
    "sasl.oauthbearer.sub.claim.name" String Some("sub"), Any, ReadOnly, Accepted,
        "Name of a token's subject claim.";
    "sasl.oauthbearer.token.endpoint.url" String None, Any, ReadOnly, Accepted,
        "Where tokens are issued.";
    "sasl.server.callback.handler.class" Class None, Any, ReadOnly, Accepted,
        "Java class that checks credentials.";
    "sasl.server.max.receive.size" Int Some("524288"), Any, ReadOnly, Accepted,
        "Largest SASL message of a client, bytes.";
    "security.inter.broker.protocol" String Some("PLAINTEXT"), OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]), ReadOnly, Used,
        "Security protocol between brokers, unless a listener is named.";
    "security.providers" String None, Any, ReadOnly, Accepted,
        "Java classes of security providers.";
    "server.max.startup.time.ms" Long Some("9223372036854775807"), AtLeast(0), ReadOnly, Internal,
        "Time that a start may take, ms.";
    "share.coordinator.append.linger.ms" Int Some("-1"), AtLeast(-1), ReadOnly, Accepted,
        "Time the share coordinator gathers records before a write, ms.";
    "share.coordinator.cached.buffer.max.bytes" Int Some("1048588"), AtLeast(524_288), ClusterWide, Accepted,
        "Largest write buffer the share coordinator keeps.";
    "share.coordinator.cold.partition.snapshot.interval.ms" Int Some("300000"), AtLeast(1), ReadOnly, Internal,
        "Interval of snapshots of idle share partitions, ms.";
    "share.coordinator.load.buffer.size" Int Some("5242880"), AtLeast(1), ReadOnly, Accepted,
        "Bytes read at a time when share state is loaded.";
    "share.coordinator.snapshot.update.records.per.snapshot" Int Some("500"), Between(0, 500), ReadOnly, Accepted,
        "Updates between two snapshots of a share partition.";
    "share.coordinator.state.topic.compression.codec" Int Some("0"), Any, ReadOnly, Accepted,
        "Codec of the share state topic, by number.";
    "share.coordinator.state.topic.min.isr" Short Some("2"), AtLeast(1), ReadOnly, Accepted,
        "In-sync replicas the share state topic needs.";
    "share.coordinator.state.topic.num.partitions" Int Some("50"), AtLeast(1), ReadOnly, Accepted,
        "Partitions of the share state topic.";
    "share.coordinator.state.topic.prune.interval.ms" Int Some("300000"), AtLeast(1), ReadOnly, Internal,
        "Interval of pruning the share state topic, ms.";
    "share.coordinator.state.topic.replication.factor" Short Some("3"), AtLeast(1), ReadOnly, Accepted,
        "Replicas of the share state topic.";
    "share.coordinator.state.topic.segment.bytes" Int Some("104857600"), AtLeast(1), ReadOnly, Accepted,
        "Segment size of the share state topic, bytes.";
    "share.coordinator.threads" Int Some("1"), AtLeast(1), ReadOnly, Accepted,
        "Threads of the share coordinator.";
    "share.coordinator.write.timeout.ms" Int Some("5000"), AtLeast(1), ReadOnly, Accepted,
        "Time that a write of share state may take, ms.";
    "share.fetch.purgatory.purge.interval.requests" Int Some("1000"), Any, ReadOnly, Accepted,
        "Finished share fetch waits are purged after as many requests.";
    "socket.connection.setup.timeout.max.ms" Long Some("30000"), Any, ReadOnly, Accepted,
        "Longest time to set up a connection to a node, ms.";
    "socket.connection.setup.timeout.ms" Long Some("10000"), Any, ReadOnly, Accepted,
        "First time-out of setting up a connection to a node, ms.";
    "socket.listen.backlog.size" Int Some("50"), AtLeast(1), ReadOnly, Used,
        "Connections that wait to be accepted.";
    "socket.receive.buffer.bytes" Int Some("102400"), Any, ReadOnly, Used,
        "Socket receive buffer, bytes; -1 is the system's choice.";
    "socket.request.max.bytes" Int Some("104857600"), AtLeast(1), ReadOnly, Used,
        "Largest request, bytes.";
    "socket.send.buffer.bytes" Int Some("102400"), Any, ReadOnly, Used,
        "Socket send buffer, bytes; -1 is the system's choice.";
    "ssl.allow.dn.changes" Boolean Some("false"), Any, ReadOnly, Accepted,
        "A new certificate may carry another name.";
    "ssl.allow.san.changes" Boolean Some("false"), Any, ReadOnly, Accepted,
        "A new certificate may lack alternative names of the old.";
    "ssl.cipher.suites" List Some(""), Set(&[]), PerBroker, Accepted,
        "TLS cipher suites.";
    "ssl.client.auth" String Some("none"), OneOf(&["required", "requested", "none"]), PerBroker, Accepted,
        "Whether clients show a certificate.";
    "ssl.enabled.protocols" List Some("TLSv1.2,TLSv1.3"), Set(&[]), PerBroker, Accepted,
        "TLS versions.";
    "ssl.endpoint.identification.algorithm" String Some("https"), Any, PerBroker, Accepted,
        "How a server's name is checked against its certificate.";
    "ssl.engine.factory.class" Class None, Any, PerBroker, Accepted,
        "Java class that makes TLS engines.";
    "ssl.key.password" Password None, Any, PerBroker, Accepted,
        "Password of the private key.";
    "ssl.keymanager.algorithm" String Some("SunX509"), Any, PerBroker, Accepted,
        "Java key manager algorithm.";
    "ssl.keystore.certificate.chain" Password None, Any, PerBroker, Accepted,
        "Certificate chain as PEM.";
    "ssl.keystore.key" Password None, Any, PerBroker, Accepted,
        "Private key as PEM.";
    "ssl.keystore.location" String None, Any, PerBroker, Accepted,
        "File with key and certificate.";
    "ssl.keystore.password" Password None, Any, PerBroker, Accepted,
        "Password of that file.";
    "ssl.keystore.type" String Some("JKS"), Any, PerBroker, Accepted,
        "Format of that file.";
    "ssl.principal.mapping.rules" String Some("DEFAULT"), Any, ReadOnly, Accepted,
        "Rules from certificate names to user names.";
    "ssl.protocol" String Some("TLSv1.3"), Any, PerBroker, Accepted,
        "TLS version to start from.";
    "ssl.provider" String None, Any, PerBroker, Accepted,
        "Java security provider for TLS.";
    "ssl.secure.random.implementation" String None, Any, PerBroker, Accepted,
        "Java random generator for TLS.";
    "ssl.trustmanager.algorithm" String Some("PKIX"), Any, PerBroker, Accepted,
        "Java trust manager algorithm.";
    "ssl.truststore.certificates" Password None, Any, PerBroker, Accepted,
        "Trusted certificates as PEM.";
    "ssl.truststore.location" String None, Any, PerBroker, Accepted,
        "File with trusted certificates.";
    "ssl.truststore.password" Password None, Any, PerBroker, Accepted,
        "Password of that file.";
    "ssl.truststore.type" String Some("JKS"), Any, PerBroker, Accepted,
        "Format of that file.";
    "telemetry.max.bytes" Int Some("1048576"), AtLeast(1), ReadOnly, Accepted,
        "Most bytes of one push of client metrics.";
    "transaction.abort.timed.out.transaction.cleanup.interval.ms" Int Some("10000"), AtLeast(1), ReadOnly, Accepted,
        "Interval of the search for timed-out transactions, ms.";
    "transaction.max.timeout.ms" Int Some("900000"), AtLeast(1), ReadOnly, Accepted,
        "Largest transaction time-out a producer may ask for, ms.";
    "transaction.partition.verification.enable" Boolean Some("true"), Any, ClusterWide, Accepted,
        "Check that a partition is part of its transaction.";
    "transaction.remove.expired.transaction.cleanup.interval.ms" Int Some("3600000"), AtLeast(1), ReadOnly, Accepted,
        "Interval of the search for expired transactional ids, ms.";
    "transaction.state.log.load.buffer.size" Int Some("5242880"), AtLeast(1), ReadOnly, Accepted,
        "Bytes read at a time when transactions are loaded.";
    "transaction.state.log.min.isr" Int Some("2"), AtLeast(1), ReadOnly, Accepted,
        "In-sync replicas the transaction topic needs.";
    "transaction.state.log.num.partitions" Int Some("50"), AtLeast(1), ReadOnly, Accepted,
        "Partitions of the transaction topic.";
    "transaction.state.log.replication.factor" Short Some("3"), AtLeast(1), ReadOnly, Accepted,
        "Replicas of the transaction topic, as far as there are brokers.";
    "transaction.state.log.segment.bytes" Int Some("104857600"), AtLeast(1), ReadOnly, Accepted,
        "Segment size of the transaction topic, bytes.";
    "transaction.two.phase.commit.enable" Boolean Some("false"), Any, ReadOnly, Accepted,
        "Transactions may be prepared by an outside coordinator.";
    "transactional.id.expiration.ms" Int Some("604800000"), AtLeast(1), ReadOnly, Accepted,
        "Time after which an idle transactional id is forgotten, ms.";
    "unclean.leader.election.enable" Boolean Some("false"), Any, ClusterWide, Accepted,
        "A replica that lacks acknowledged records may lead when no other is left.";
    "unclean.leader.election.interval.ms" Long Some("300000"), AtLeast(1), ReadOnly, Internal,
        "Interval of the search for partitions to elect so, ms.";
    "unstable.api.versions.enable" Boolean Some("false"), Any, ReadOnly, Internal,
        "Serve API versions under development.";
    "unstable.feature.versions.enable" Boolean Some("false"), Any, ReadOnly, Internal,
        "Allow feature levels under development.";
};

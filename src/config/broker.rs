//! What the broker runs with: every configuration it uses, typed and checked against the others.

use std::collections::BTreeMap;

use super::layers::ConfigError;
use super::listeners::Listeners;
use super::view::View;

/// How the kernel is asked for input and output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoBackend {
    /// The best that the machine allows.
    Auto,
    /// io_uring, or no start.
    Uring,
    /// epoll and positional I/O.
    Epoll,
}

/// Limits on connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// `connections.max.idle.ms`.
    pub idle_ms_max: i64,
    /// `max.connections`, of the whole broker.
    pub count_max: i32,
    /// `max.connections.per.ip`.
    pub per_ip_max: i32,
    /// `max.connections.per.ip.overrides`, by address or host.
    pub per_ip_overrides: BTreeMap<String, i32>,
    /// `socket.listen.backlog.size`.
    pub backlog: i32,
    /// `socket.send.buffer.bytes`; none is the system's choice.
    pub send_buffer_bytes: Option<i32>,
    /// `socket.receive.buffer.bytes`; none is the system's choice.
    pub receive_buffer_bytes: Option<i32>,
}

/// Limits on requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// `socket.request.max.bytes`.
    pub frame_bytes_max: i32,
    /// `millrace.small.request.max.bytes`.
    pub small_bytes_max: i32,
    /// `queued.max.request.bytes`; none is the broker's choice.
    pub queued_bytes_max: Option<i64>,
    /// `fetch.max.bytes`, of one answer.
    pub fetch_bytes_max: i32,
    /// `max.incremental.fetch.session.cache.slots`.
    pub fetch_sessions_max: i32,
    /// `max.request.partition.size.limit`, of DescribeTopicPartitions.
    pub describe_partitions_max: i32,
}

/// What topics are made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDefaults {
    /// `auto.create.topics.enable`.
    pub auto_create: bool,
    /// `delete.topic.enable`.
    pub deletion_allowed: bool,
    /// `num.partitions`.
    pub partitions: i32,
    /// `default.replication.factor`.
    pub replication_factor: i16,
}

/// When the broker looks after its logs, ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogIntervals {
    /// `log.retention.check.interval.ms`.
    pub retention_check_ms: i64,
    /// `log.initial.task.delay.ms`.
    pub initial_delay_ms: i64,
    /// `log.flush.scheduler.interval.ms`.
    pub flush_check_ms: i64,
    /// `log.flush.offset.checkpoint.interval.ms`.
    pub recovery_point_checkpoint_ms: i64,
    /// `log.flush.start.offset.checkpoint.interval.ms`.
    pub start_offset_checkpoint_ms: i64,
    /// `replica.high.watermark.checkpoint.interval.ms`.
    pub high_watermark_checkpoint_ms: i64,
}

/// The broker's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerConfig {
    /// `node.id`.
    pub node_id: i32,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Listeners, bound and advertised.
    pub listeners: Listeners,
    /// `log.dirs`, at least one, none twice.
    pub log_dirs: Vec<String>,
    /// `metadata.log.dir`, or the first of `log_dirs`.
    pub metadata_log_dir: String,
    /// `metadata.log.segment.bytes`.
    pub metadata_segment_bytes: i64,
    /// `metadata.log.max.record.bytes.between.snapshots`.
    pub metadata_snapshot_bytes: i64,
    /// Connections.
    pub connections: ConnectionLimits,
    /// Requests.
    pub requests: RequestLimits,
    /// New topics.
    pub topics: TopicDefaults,
    /// Timers of the logs.
    pub intervals: LogIntervals,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration_ms: i64,
    /// `millrace.shards`; none is one per core.
    pub shards: Option<u16>,
    /// `millrace.io.backend`.
    pub io_backend: IoBackend,
    /// `millrace.admin.listener`, host and port; none is off.
    pub admin: Option<(String, u16)>,
    /// True when nobody configured the admin address: a broker that cannot have it goes on.
    pub admin_is_default: bool,
}

impl BrokerConfig {
    /// Resolves every value over the layers of `view` and checks them together.
    pub fn resolve(view: &View<'_>) -> Result<Self, ConfigError> {
        check_roles(view)?;
        check_times(view)?;
        check_group_times(view)?;
        let log_dirs = log_dirs(view)?;
        let shards = u16::try_from(view.number("millrace.shards")).unwrap_or(0);
        Ok(Self {
            node_id: node_id(view)?,
            rack: view.text_not_empty("broker.rack"),
            listeners: Listeners::resolve(view)?,
            metadata_log_dir: view
                .text_not_empty("metadata.log.dir")
                .unwrap_or_else(|| log_dirs[0].clone()),
            log_dirs,
            metadata_segment_bytes: view.number("metadata.log.segment.bytes"),
            metadata_snapshot_bytes: view.number("metadata.log.max.record.bytes.between.snapshots"),
            connections: connections(view)?,
            requests: requests(view)?,
            topics: TopicDefaults {
                auto_create: view.flag("auto.create.topics.enable"),
                deletion_allowed: view.flag("delete.topic.enable"),
                partitions: view.int("num.partitions"),
                replication_factor: i16::try_from(view.number("default.replication.factor"))
                    .unwrap_or(i16::MAX),
            },
            intervals: LogIntervals {
                retention_check_ms: view.number("log.retention.check.interval.ms"),
                initial_delay_ms: view.number("log.initial.task.delay.ms"),
                flush_check_ms: view.number("log.flush.scheduler.interval.ms"),
                recovery_point_checkpoint_ms: view
                    .number("log.flush.offset.checkpoint.interval.ms"),
                start_offset_checkpoint_ms: view
                    .number("log.flush.start.offset.checkpoint.interval.ms"),
                high_watermark_checkpoint_ms: view
                    .number("replica.high.watermark.checkpoint.interval.ms"),
            },
            producer_id_expiration_ms: view.number("producer.id.expiration.ms"),
            shards: Some(shards).filter(|shards| *shards > 0),
            io_backend: match view.text("millrace.io.backend").as_deref().map(str::trim) {
                Some("uring") => IoBackend::Uring,
                Some("epoll") => IoBackend::Epoll,
                Some(_) | None => IoBackend::Auto,
            },
            admin: admin(view)?,
            admin_is_default: view.statics.get("millrace.admin.listener").is_none(),
        })
    }
}

fn node_id(view: &View<'_>) -> Result<i32, ConfigError> {
    let given = view.statics.get("node.id").is_some();
    let older = view.int("broker.id");
    if view.statics.get("broker.id").is_none() || older == -1 {
        return Ok(view.int("node.id"));
    }
    if given && view.int("node.id") != older {
        return Err(ConfigError::Together(format!(
            "node.id {} and broker.id {older} must agree",
            view.int("node.id")
        )));
    }
    if older < 0 {
        return Err(view.statics.refuse("broker.id", "0 or more"));
    }
    Ok(older)
}

fn check_roles(view: &View<'_>) -> Result<(), ConfigError> {
    let roles = view.list("process.roles");
    if roles.iter().any(|role| role == "broker") {
        Ok(())
    } else {
        Err(view.statics.refuse(
            "process.roles",
            "broker, or broker,controller: a node that is only a controller is not served",
        ))
    }
}

fn log_dirs(view: &View<'_>) -> Result<Vec<String>, ConfigError> {
    let mut dirs = view.list("log.dirs");
    if dirs.is_empty() {
        dirs = view.list("log.dir");
    }
    if dirs.is_empty() || dirs.iter().any(String::is_empty) {
        return Err(view.statics.refuse("log.dirs", "one or more directories between commas"));
    }
    Ok(dirs)
}

/// Times that are unlimited at -1 may not be 0 or anything else below.
fn check_times(view: &View<'_>) -> Result<(), ConfigError> {
    for name in ["log.retention.ms", "log.retention.minutes", "log.retention.hours"] {
        let number = view.statics.get(name).and_then(|text| text.trim().parse::<i64>().ok());
        if number.is_some_and(|number| number < 1 && number != -1) {
            return Err(view.statics.refuse(name, "at least 1, or -1 for unlimited"));
        }
    }
    for name in ["log.roll.ms", "log.roll.hours"] {
        let number = view.statics.get(name).and_then(|text| text.trim().parse::<i64>().ok());
        if number.is_some_and(|number| number < 1) {
            return Err(view.statics.refuse(name, "at least 1"));
        }
    }
    for name in ["log.roll.jitter.ms", "log.roll.jitter.hours"] {
        let number = view.statics.get(name).and_then(|text| text.trim().parse::<i64>().ok());
        if number.is_some_and(|number| number < 0) {
            return Err(view.statics.refuse(name, "at least 0"));
        }
    }
    let (min, max) = (
        view.number("log.cleaner.min.compaction.lag.ms"),
        view.number("log.cleaner.max.compaction.lag.ms"),
    );
    if min > max {
        return Err(ConfigError::Together(format!(
            "log.cleaner.min.compaction.lag.ms {min} must not exceed \
             log.cleaner.max.compaction.lag.ms {max}"
        )));
    }
    Ok(())
}

fn check_group_times(view: &View<'_>) -> Result<(), ConfigError> {
    for (min, max) in [
        ("group.min.session.timeout.ms", "group.max.session.timeout.ms"),
        ("group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms"),
        ("group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms"),
        ("broker.heartbeat.interval.ms", "broker.session.timeout.ms"),
    ] {
        let (low, high) = (view.number(min), view.number(max));
        if low > high {
            return Err(ConfigError::Together(format!("{min} {low} must not exceed {max} {high}")));
        }
    }
    Ok(())
}

/// The limits on connections that a view holds.
///
/// The error says which value is none.
pub fn connections(view: &View<'_>) -> Result<ConnectionLimits, ConfigError> {
    const OVERRIDES: &str = "max.connections.per.ip.overrides";
    let mut per_ip_overrides = BTreeMap::new();
    for entry in view.list(OVERRIDES) {
        // An IPv6 address holds colons of its own; the count stands behind the last.
        let parsed = entry
            .rsplit_once(':')
            .and_then(|(host, count)| Some((host.trim(), count.trim().parse::<i32>().ok()?)))
            .filter(|(host, count)| !host.is_empty() && *count >= 0);
        let Some((host, count)) = parsed else {
            return Err(view.statics.refuse(OVERRIDES, "host:count pairs between commas"));
        };
        per_ip_overrides.insert(host.to_owned(), count);
    }
    let per_ip_max = view.int("max.connections.per.ip");
    if per_ip_max == 0 && per_ip_overrides.is_empty() {
        return Err(ConfigError::Together(format!(
            "max.connections.per.ip may be 0 only with {OVERRIDES}"
        )));
    }
    Ok(ConnectionLimits {
        idle_ms_max: view.number("connections.max.idle.ms"),
        count_max: view.int("max.connections"),
        per_ip_max,
        per_ip_overrides,
        backlog: view.int("socket.listen.backlog.size"),
        send_buffer_bytes: socket_buffer(view, "socket.send.buffer.bytes")?,
        receive_buffer_bytes: socket_buffer(view, "socket.receive.buffer.bytes")?,
    })
}

fn socket_buffer<'a>(view: &View<'a>, name: &'a str) -> Result<Option<i32>, ConfigError> {
    match view.int(name) {
        -1 => Ok(None),
        bytes if bytes > 0 => Ok(Some(bytes)),
        _ => Err(view.statics.refuse(name, "above 0, or -1 for the system's choice")),
    }
}

fn requests(view: &View<'_>) -> Result<RequestLimits, ConfigError> {
    let frame_bytes_max = view.int("socket.request.max.bytes");
    let queued = view.number("queued.max.request.bytes");
    if queued > 0 && queued < frame_bytes_max.into() {
        return Err(view.statics.refuse(
            "queued.max.request.bytes",
            &format!("at least socket.request.max.bytes, {frame_bytes_max}"),
        ));
    }
    Ok(RequestLimits {
        frame_bytes_max,
        small_bytes_max: view.int("millrace.small.request.max.bytes"),
        queued_bytes_max: Some(queued).filter(|bytes| *bytes > 0),
        fetch_bytes_max: view.int("fetch.max.bytes"),
        fetch_sessions_max: view.int("max.incremental.fetch.session.cache.slots"),
        describe_partitions_max: view.int("max.request.partition.size.limit"),
    })
}

fn admin(view: &View<'_>) -> Result<Option<(String, u16)>, ConfigError> {
    const NAME: &str = "millrace.admin.listener";
    let Some(text) = view.text_not_empty(NAME) else {
        return Ok(None);
    };
    let parsed = text.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parsed {
        Some((host, port)) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            Ok(Some((host.to_owned(), port)))
        }
        None => Err(view.statics.refuse(NAME, "host:port, or empty")),
    }
}

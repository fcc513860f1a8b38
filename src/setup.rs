//! What a broker is told before its first turn: its configuration, resolved to plain values.
//!
//! Made by `main` from files, environment and flags, by the simulator from its seed. Constant for
//! the life of the process; what can change while it runs is in the cluster's image.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use millrace_replication::config_key::ConfigTables;
use millrace_replication::image::Endpoint;

/// A folder that holds partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDir {
    /// As configured in `log.dirs`; told to clients.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundListener {
    /// Its listener's name.
    pub name: String,
    /// Nobody said what to advertise: clients are told the address that they connected to.
    pub is_derived: bool,
}

/// See the file's head.
#[derive(Clone, Debug)]
pub struct Setup {
    /// `node.id`.
    pub node_id: i32,
    /// Shards of the process, 1 to [`crate::ticket::SHARDS_MAX`].
    pub shards: u16,
    /// The cluster's id, if the operator chose one for a new data folder.
    pub cluster_id: Option<String>,
    /// `log.dirs`; the first also holds the metadata log, unless `metadata.log.dir` says otherwise.
    pub log_dirs: Vec<LogDir>,
    /// Advertised listeners.
    pub endpoints: Vec<Endpoint>,
    /// Listeners by the driver's number of their socket.
    pub listeners: Vec<BoundListener>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// What configurations exist.
    pub tables: ConfigTables,
    /// File, environment and flags, for what can also be set while the broker runs.
    pub statics: crate::config::Statics,
    /// `num.partitions`.
    pub partitions_default: i32,
    /// `default.replication.factor`.
    pub replication_factor_default: i16,
    /// `auto.create.topics.enable`.
    pub auto_create_topics: bool,
    /// `delete.topic.enable`.
    pub delete_topics: bool,
    /// `socket.request.max.bytes`.
    pub request_bytes_max: usize,
    /// `millrace.small.request.max.bytes`: bytes of a request that is not Produce.
    pub small_request_bytes_max: usize,
    /// Bytes of requests that one shard holds before it stops receiving.
    pub request_bytes_in_flight_max: usize,
    /// `fetch.max.bytes`.
    pub fetch_bytes_max: u32,
    /// `max.incremental.fetch.session.cache.slots`, of all shards together.
    pub fetch_sessions_max: usize,
    /// Bytes of free receive buffers that one shard keeps per size class.
    pub pool_class_bytes_max: usize,
    /// Addresses of the hosts that `max.connections.per.ip.overrides` names.
    pub hosts: BTreeMap<String, Vec<IpAddr>>,
    /// `connections.max.idle.ms`; none for never.
    pub connections_max_idle_ms: Option<u64>,
    /// `log.retention.check.interval.ms`.
    pub retention_check_ms: u64,
    /// `log.initial.task.delay.ms`.
    pub initial_task_delay_ms: u64,
    /// `metadata.log.max.record.bytes.between.snapshots`.
    pub metadata_snapshot_bytes: u64,
    /// Bytes by which the log of a group coordinator grows at least before a snapshot is taken.
    pub group_snapshot_bytes: u64,
    /// How often shards checkpoint, ms.
    pub checkpoint_ms: u64,
    /// How often Kafka's checkpoint files are written, ms: recovery points, log starts, high
    /// watermarks.
    pub offset_files_ms: [u64; 3],
    /// How long a stop waits for requests under way, ms.
    pub stop_grace_ms: u64,
    /// Identifies the boot of the machine; as long as it is the same, the page cache is.
    pub boot_id: u128,
}

/// Folder of the metadata log, in the first log dir. Kafka's name.
pub const METADATA_FOLDER: &str = "__cluster_metadata-0";
/// First leader epoch of the metadata log. It has one voter, so there are no elections; a log that
/// a Kafka controller wrote goes on in the epoch it has reached.
pub const METADATA_LEADER_EPOCH: i32 = 1;

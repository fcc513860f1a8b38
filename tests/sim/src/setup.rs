//! The configuration of the simulated broker.

use std::collections::BTreeMap;
use std::path::PathBuf;

use millrace::config::{Statics, TABLES};
use millrace::setup::{BoundListener, LogDir, Setup};
use millrace_world::Disk;

/// Where the broker's data is.
const LOG_DIR: &str = "/data";

/// Makes the folder that an operator makes before the first start.
pub fn prepare_disk(disk: &mut Disk) {
    disk.put(format!("{LOG_DIR}/lost+found/here"), Vec::new());
}

/// A small broker: limits are low, so that they are reached.
///
/// - `settings`: what the run sets besides.
/// - `group_snapshot_bytes`: see [`Setup`].
pub fn setup(
    shards: u16,
    boot_id: u128,
    settings: &[(&'static str, String)],
    group_snapshot_bytes: u64,
) -> Setup {
    // Compaction is always at it.
    let own = [("log.cleaner.backoff.ms", "20"), ("log.cleaner.io.buffer.size", "8192")];
    let settings = settings.iter().map(|(name, value)| (*name, value.as_str()));
    Setup {
        node_id: 1,
        shards,
        cluster_id: None,
        log_dirs: vec![LogDir { name: LOG_DIR.to_owned(), path: PathBuf::from(LOG_DIR) }],
        endpoints: Vec::new(),
        listeners: vec![BoundListener { name: "PLAINTEXT".to_owned(), is_derived: true }],
        rack: None,
        tables: TABLES,
        statics: Statics::of(own.into_iter().chain(settings)),
        partitions_default: 1,
        replication_factor_default: 1,
        auto_create_topics: false,
        delete_topics: true,
        request_bytes_max: 10 << 20,
        small_request_bytes_max: 4 << 20,
        request_bytes_in_flight_max: 4 << 20,
        fetch_bytes_max: 4 << 20,
        fetch_sessions_max: 16,
        pool_class_bytes_max: 1 << 20,
        hosts: BTreeMap::new(),
        connections_max_idle_ms: Some(600_000),
        retention_check_ms: 300_000,
        initial_task_delay_ms: 30_000,
        metadata_snapshot_bytes: 20 << 20,
        group_snapshot_bytes,
        checkpoint_ms: 1_000,
        offset_files_ms: [3_000, 3_000, 500],
        stop_grace_ms: 5_000,
        boot_id,
    }
}

//! What decides how one partition's log behaves: Kafka's topic configuration, as far as it is the
//! log's business, resolved to plain values. Parsing and inheritance are the broker's.
//!
//! A log holds it behind an `Arc`, shared by all partitions of a topic, and takes a new one whole
//! ([`crate::Log::update_config`]). Kafka's names and defaults; source: Kafka's topic configuration.

/// When an append counts as committed, beneath what `acks` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Durability {
    /// Once the kernel has the bytes. Survives the process, not the machine. Kafka's default.
    #[default]
    PageCache,
    /// Once a sync that started after the write has ended; one sync serves all that gathered.
    GroupCommit,
    /// Once the sync of its own write has ended; the next batch is written after that.
    EveryBatch,
}

/// A partition's log configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment never grows beyond this many bytes.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment rolls when its first record is older than this, ms.
    pub segment_ms: u64,
    /// `segment.jitter.ms`: each segment rolls earlier by up to this, ms, so that they spread.
    pub segment_jitter_ms: u64,
    /// `segment.index.bytes`: bound on each index file of a segment; a full one rolls.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: bytes of log between two index entries.
    pub index_interval_bytes: u32,
    /// `retention.ms`, if time limits retention.
    pub retention_ms: Option<u64>,
    /// `retention.bytes`, if size limits retention.
    pub retention_bytes: Option<u64>,
    /// Whether `cleanup.policy` lists `delete`: only then retention deletes segments.
    pub cleanup_delete: bool,
    /// Whether `cleanup.policy` lists `compact`.
    pub cleanup_compact: bool,
    /// `min.cleanable.dirty.ratio`, in millionths: compaction waits until more than this share of
    /// the log's bytes is dirty.
    pub min_dirty_ratio_ppm: u32,
    /// `min.compaction.lag.ms`: how long a record stays uncompacted at least.
    pub min_compaction_lag_ms: u64,
    /// `max.compaction.lag.ms`: how long a record stays uncompacted at most.
    pub max_compaction_lag_ms: u64,
    /// `delete.retention.ms`: how long tombstones stay after the compaction that first met them.
    pub delete_retention_ms: u64,
    /// `file.delete.delay.ms`: how long a removed segment stays on disk as `.deleted`, ms.
    pub file_delete_delay_ms: u64,
    /// `flush.messages`: sync after this many records. 1 means [`Durability::GroupCommit`].
    pub flush_messages: u64,
    /// `flush.ms`: sync at the latest this long after a write, ms. 0 means group commit.
    pub flush_ms: u64,
    /// The contract asked for by name; `flush.messages` and `flush.ms` may make it stricter.
    pub durability: Durability,
    /// Whether blocks are reserved ahead of the end of the active segment. Kafka's `preallocate`
    /// differs: it grows the file; here its length always bounds the data.
    pub preallocate: bool,
    /// Blocks that are always reserved ahead of the end, bytes, whatever the segment holds: a log whose
    /// appends make room on a full disk is not itself stopped by it. 0: see `preallocate`.
    pub reserve_bytes: u64,
    /// Bytes after which written data is sent to the device early; 0 leaves it to the kernel.
    pub writeback_bytes: u32,
    /// `producer.id.expiration.ms`: an idle producer is forgotten after this, ms.
    pub producer_id_expiration_ms: u64,
    /// Bound on the producers that one partition remembers.
    pub producers_max: usize,
}

impl LogConfig {
    /// The contract that counts: the one asked for, or the stricter one that `flush.*` imply.
    ///
    /// Kafka's `flush.messages=1` syncs inside the append, before the answer: that is group commit.
    pub fn contract(&self) -> Durability {
        if self.flush_messages <= 1 || self.flush_ms == 0 {
            self.durability.max(Durability::GroupCommit)
        } else {
            self.durability
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * DAY_MS,
            segment_jitter_ms: 0,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            retention_ms: Some(7 * DAY_MS),
            retention_bytes: None,
            cleanup_delete: true,
            cleanup_compact: false,
            min_dirty_ratio_ppm: 500_000,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: u64::MAX,
            delete_retention_ms: DAY_MS,
            file_delete_delay_ms: 60_000,
            flush_messages: u64::MAX,
            flush_ms: u64::MAX,
            durability: Durability::PageCache,
            preallocate: true,
            reserve_bytes: 0,
            writeback_bytes: 8 << 20,
            producer_id_expiration_ms: DAY_MS,
            producers_max: 10_000,
        }
    }
}

const DAY_MS: u64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flush_settings_make_the_contract_stricter_and_never_weaker() {
        let plain = LogConfig::default();
        assert_eq!(plain.contract(), Durability::PageCache);
        let flush_each = LogConfig { flush_messages: 1, ..LogConfig::default() };
        assert_eq!(flush_each.contract(), Durability::GroupCommit);
        let strict = LogConfig { durability: Durability::EveryBatch, ..flush_each };
        assert_eq!(strict.contract(), Durability::EveryBatch);
    }
}

//! From a topic's configuration to what its logs and its batches are held to.

use millrace_engine::{
    Codec, CompressionPolicy, Durability, Keys, LogConfig, Strictness, TimestampType,
    ValidationRules,
};
use millrace_replication::{BrokerId, Image};

use crate::config::{self, TopicConfig, View};
use crate::setup::Setup;

/// A topic's configuration, as the log and the validation take it.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// For its logs.
    pub log: LogConfig,
    /// For its batches.
    pub rules: ValidationRules,
}

/// The layers of configuration that the image and the start's settings make.
pub(crate) fn view<'a>(setup: &'a Setup, image: &'a Image) -> View<'a> {
    View {
        statics: &setup.statics,
        broker: image.broker_config(BrokerId(setup.node_id)),
        cluster: image.cluster_config(),
    }
}

/// Resolves the configuration of a topic.
pub(crate) fn resolve(setup: &Setup, image: &Image, topic: &str) -> Resolved {
    let view = view(setup, image);
    let config = TopicConfig::resolve(&view, image.topic_config(topic));
    let producer_id_expiration_ms = unsigned(view.number("producer.id.expiration.ms"));
    Resolved { log: log_config(producer_id_expiration_ms, &config), rules: rules(&config) }
}

fn log_config(producer_id_expiration_ms: u64, config: &TopicConfig) -> LogConfig {
    LogConfig {
        segment_bytes: u32::try_from(config.segment_bytes).unwrap_or(u32::MAX),
        segment_ms: segment_ms(config),
        segment_jitter_ms: unsigned(config.segment_jitter_ms),
        segment_index_bytes: u32::try_from(config.segment_index_bytes).unwrap_or(0),
        index_interval_bytes: u32::try_from(config.index_interval_bytes).unwrap_or(0),
        retention_ms: limit(config.retention_ms),
        retention_bytes: limit(config.retention_bytes),
        cleanup_delete: config.cleanup_policy.delete,
        cleanup_compact: config.cleanup_policy.compact,
        min_dirty_ratio_ppm: config.min_cleanable_dirty_ratio_ppm,
        min_compaction_lag_ms: unsigned(config.min_compaction_lag_ms),
        max_compaction_lag_ms: unsigned(config.max_compaction_lag_ms),
        delete_retention_ms: unsigned(config.delete_retention_ms),
        file_delete_delay_ms: unsigned(config.file_delete_delay_ms),
        flush_messages: unsigned(config.flush_messages),
        flush_ms: unsigned(config.flush_ms),
        durability: match config.durability {
            config::Durability::PageCache => Durability::PageCache,
            config::Durability::GroupCommit => Durability::GroupCommit,
            config::Durability::EveryBatch => Durability::EveryBatch,
        },
        producer_id_expiration_ms,
        ..LogConfig::default()
    }
}

/// A compacted log rolls early enough for `max.compaction.lag.ms`: the active segment is never
/// compacted.
fn segment_ms(config: &TopicConfig) -> u64 {
    let ms = unsigned(config.segment_ms);
    let is_compacted = config.cleanup_policy.compact && config.max_compaction_lag_ms > 0;
    if is_compacted { ms.min(unsigned(config.max_compaction_lag_ms)) } else { ms }
}

fn rules(config: &TopicConfig) -> ValidationRules {
    ValidationRules {
        strictness: match config.validation {
            config::Validation::Header => Strictness::Header,
            config::Validation::Full => Strictness::Full,
        },
        message_bytes_max: usize::try_from(config.max_message_bytes).unwrap_or(0),
        timestamp_type: timestamp_type(config),
        timestamp_before_max_ms: config.timestamp_before_max_ms,
        timestamp_after_max_ms: config.timestamp_after_max_ms,
        keys: if config.cleanup_policy.compact { Keys::Required } else { Keys::Optional },
        compression: compression(config),
    }
}

const fn timestamp_type(config: &TopicConfig) -> TimestampType {
    match config.timestamp_type {
        config::TimestampType::CreateTime => TimestampType::CreateTime,
        config::TimestampType::LogAppendTime => TimestampType::LogAppendTime,
    }
}

fn compression(config: &TopicConfig) -> CompressionPolicy {
    let (codec, level) = match config.compression_type.as_str() {
        "uncompressed" => (Codec::None, None),
        "gzip" => (Codec::Gzip, Some(config.gzip_level).filter(|level| *level > 0)),
        "snappy" => (Codec::Snappy, None),
        "lz4" => (Codec::Lz4, None),
        "zstd" => (Codec::Zstd, Some(config.zstd_level)),
        _ => return CompressionPolicy::Producer,
    };
    CompressionPolicy::Topic { codec, level }
}

/// A bound that counts from zero; Kafka's negative values mean none.
fn limit(value: i64) -> Option<u64> {
    u64::try_from(value).ok()
}

/// A time or count that is never negative.
fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

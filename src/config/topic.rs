//! A topic's configuration, typed: its overrides over the broker's layers.

use millrace_replication::config_key::{parse_bool, split_list};
use millrace_replication::image::Overrides;

use super::tables::topic_key;
use super::view::{Source, View, clamp, number, scaled};

/// What happens to old data. Neither means that nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Segments past retention are deleted.
    pub delete: bool,
    /// Older records of a key are dropped.
    pub compact: bool,
}

/// Whose time records carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's, at the append.
    LogAppendTime,
}

/// What an acknowledgement stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The write reached the page cache.
    PageCache,
    /// A sync shared with others completed.
    GroupCommit,
    /// A sync of each batch completed.
    EveryBatch,
}

/// How far a batch is opened before it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// Header, CRC and counts.
    Header,
    /// Every record, as Kafka does.
    Full,
}

/// A topic's configuration in effect. Times in ms, sizes in bytes, -1 where Kafka has unlimited.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `retention.ms`; -1 is unlimited.
    pub retention_ms: i64,
    /// `retention.bytes`, per partition; -1 is unlimited.
    pub retention_bytes: i64,
    /// `segment.bytes`.
    pub segment_bytes: i32,
    /// `segment.ms`.
    pub segment_ms: i64,
    /// `segment.jitter.ms`.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`.
    pub segment_index_bytes: i32,
    /// `index.interval.bytes`.
    pub index_interval_bytes: i32,
    /// `max.message.bytes`: the largest batch.
    pub max_message_bytes: i32,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub timestamp_after_max_ms: i64,
    /// `flush.messages`; `i64::MAX` is never.
    pub flush_messages: i64,
    /// `flush.ms`; `i64::MAX` is never.
    pub flush_ms: i64,
    /// `file.delete.delay.ms`.
    pub file_delete_delay_ms: i64,
    /// `preallocate`.
    pub preallocate: bool,
    /// `min.insync.replicas`.
    pub min_insync_replicas: i32,
    /// `compression.type`, as written.
    pub compression_type: String,
    /// `compression.gzip.level`; -1 is gzip's own default.
    pub gzip_level: i32,
    /// `compression.zstd.level`.
    pub zstd_level: i32,
    /// `delete.retention.ms`.
    pub delete_retention_ms: i64,
    /// `min.cleanable.dirty.ratio`, in millionths.
    pub min_cleanable_dirty_ratio_ppm: u32,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`.
    pub max_compaction_lag_ms: i64,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election: bool,
    /// `millrace.durability`, or what `flush.messages` says where that is not set.
    pub durability: Durability,
    /// `millrace.validation`.
    pub validation: Validation,
}

impl TopicConfig {
    /// Resolves a topic's configuration; `overrides` are the topic's own.
    ///
    /// A stored value that breaks its rule (a log of another version may hold one) is passed over
    /// for the next layer's.
    pub fn resolve(view: &View<'_>, overrides: Option<&Overrides>) -> Self {
        let topic = Topic { view, overrides };
        Self {
            cleanup_policy: topic.cleanup_policy(),
            retention_ms: topic.number("retention.ms"),
            retention_bytes: topic.number("retention.bytes"),
            segment_bytes: topic.int("segment.bytes"),
            segment_ms: topic.number("segment.ms"),
            segment_jitter_ms: topic.number("segment.jitter.ms"),
            segment_index_bytes: topic.int("segment.index.bytes"),
            index_interval_bytes: topic.int("index.interval.bytes"),
            max_message_bytes: topic.int("max.message.bytes"),
            timestamp_type: match topic.text("message.timestamp.type").trim() {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: topic.number("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: topic.number("message.timestamp.after.max.ms"),
            flush_messages: topic.number("flush.messages"),
            flush_ms: topic.number("flush.ms"),
            file_delete_delay_ms: topic.number("file.delete.delay.ms"),
            preallocate: topic.flag("preallocate"),
            min_insync_replicas: topic.int("min.insync.replicas"),
            compression_type: topic.text("compression.type").trim().to_owned(),
            gzip_level: topic.int("compression.gzip.level"),
            zstd_level: topic.int("compression.zstd.level"),
            delete_retention_ms: topic.number("delete.retention.ms"),
            min_cleanable_dirty_ratio_ppm: topic.millionths("min.cleanable.dirty.ratio"),
            min_compaction_lag_ms: topic.number("min.compaction.lag.ms"),
            max_compaction_lag_ms: topic.number("max.compaction.lag.ms"),
            unclean_leader_election: topic.flag("unclean.leader.election.enable"),
            durability: topic.durability(),
            validation: match topic.text("millrace.validation").trim() {
                "full" => Validation::Full,
                _ => Validation::Header,
            },
        }
    }
}

struct Topic<'a> {
    view: &'a View<'a>,
    overrides: Option<&'a Overrides>,
}

impl Topic<'_> {
    fn text(&self, name: &'static str) -> String {
        let found = self.view.all_of_topic(self.overrides, name);
        found.into_iter().next().map(|found| found.value).unwrap_or_default()
    }

    fn number(&self, name: &'static str) -> i64 {
        number(Some(self.text(name)), topic_key(name), name)
    }

    fn int(&self, name: &'static str) -> i32 {
        clamp(self.number(name))
    }

    fn millionths(&self, name: &'static str) -> u32 {
        u32::try_from(scaled(&self.text(name), 1_000_000)).unwrap_or(u32::MAX)
    }

    fn flag(&self, name: &'static str) -> bool {
        parse_bool(&self.text(name)).unwrap_or_default()
    }

    fn cleanup_policy(&self) -> CleanupPolicy {
        let text = self.text("cleanup.policy");
        let policies = split_list(&text);
        CleanupPolicy {
            delete: policies.contains(&"delete"),
            compact: policies.contains(&"compact"),
        }
    }

    /// A contract that is set wins. Otherwise syncing after every message is `every-batch`;
    /// larger counts and times leave the acknowledgement at the page cache and only bound how long
    /// data stays unsynced, as in Kafka.
    fn durability(&self) -> Durability {
        let found = self.view.all_of_topic(self.overrides, "millrace.durability");
        let first = found.first();
        let is_set = first.is_some_and(|found| found.source != Source::Default);
        match first.map(|found| found.value.trim()) {
            Some("group-commit") => Durability::GroupCommit,
            Some("every-batch") => Durability::EveryBatch,
            Some(_) | None if !is_set && self.number("flush.messages") == 1 => {
                Durability::EveryBatch
            }
            Some(_) | None => Durability::PageCache,
        }
    }
}

#[cfg(test)]
mod tests;

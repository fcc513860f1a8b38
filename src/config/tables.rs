//! The tables of configuration names, as data, and the relations between names.
//!
//! `broker.rs` and `topic.rs` under this module hold the entries; a test keeps them sorted and
//! their defaults within their own rules, another one keeps `docs/CONFIG.md` equal to them.

mod broker;
mod topic;

use millrace_replication::config_key::{ConfigKey, ConfigTables, find_key};

pub use broker::BROKER;
pub use topic::{CLIENT_METRICS, GROUP, TOPIC};

/// Writes a table down: `"name" Kind default, rule, update mode, status, "documentation";`.
macro_rules! keys {
    ($($name:literal $kind:ident $default:expr, $rule:expr, $update:ident, $status:ident, $doc:literal;)*) => {
        &[$(ConfigKey {
            name: $name,
            kind: ConfigKind::$kind,
            default: $default,
            rule: $rule,
            update: UpdateMode::$update,
            status: Status::$status,
            doc: $doc,
        },)*]
    };
}
use keys;

/// What the controller checks changes by.
pub const TABLES: ConfigTables =
    ConfigTables { topic: TOPIC, broker: BROKER, group: GROUP, client_metrics: CLIENT_METRICS };

/// How a broker configuration's value becomes that of the configuration it stands in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// As it is.
    Same,
    /// Minutes to milliseconds.
    Minutes,
    /// Hours to milliseconds.
    Hours,
}

impl Unit {
    /// The value in the unit of the name that is stood in for. Overflow stops at the end of i64.
    pub fn convert(self, value: &str) -> String {
        let factor: i64 = match self {
            Self::Same => return value.to_owned(),
            Self::Minutes => 60_000,
            Self::Hours => 3_600_000,
        };
        match value.trim().parse::<i64>() {
            // "Unlimited" is -1 in every unit.
            Ok(number) if number < 0 => number.to_string(),
            Ok(number) => number.saturating_mul(factor).to_string(),
            Err(_) => value.to_owned(),
        }
    }
}

/// Broker configurations that say the same thing in other units, the strongest first.
const BROKER_SYNONYMS: [(&str, &[(&str, Unit)]); 4] = [
    (
        "log.flush.interval.ms",
        &[("log.flush.interval.ms", Unit::Same), ("log.flush.scheduler.interval.ms", Unit::Same)],
    ),
    (
        "log.retention.ms",
        &[
            ("log.retention.ms", Unit::Same),
            ("log.retention.minutes", Unit::Minutes),
            ("log.retention.hours", Unit::Hours),
        ],
    ),
    (
        "log.roll.jitter.ms",
        &[("log.roll.jitter.ms", Unit::Same), ("log.roll.jitter.hours", Unit::Hours)],
    ),
    ("log.roll.ms", &[("log.roll.ms", Unit::Same), ("log.roll.hours", Unit::Hours)]),
];

/// Synonyms that Kafka takes values from and does not list as such in DescribeConfigs.
const UNLISTED_SYNONYMS: [&str; 2] = ["log.flush.scheduler.interval.ms", "log.roll.jitter.hours"];

/// True when a value found under `synonym` is listed for a configuration other than itself.
pub fn is_listed_synonym(synonym: &str) -> bool {
    !UNLISTED_SYNONYMS.contains(&synonym)
}

/// The broker configuration that a topic configuration defaults to. Names that are not here have
/// no broker configuration.
const TOPIC_SYNONYMS: [(&str, &str); 30] = [
    ("cleanup.policy", "log.cleanup.policy"),
    ("compression.gzip.level", "compression.gzip.level"),
    ("compression.lz4.level", "compression.lz4.level"),
    ("compression.type", "compression.type"),
    ("compression.zstd.level", "compression.zstd.level"),
    ("delete.retention.ms", "log.cleaner.delete.retention.ms"),
    ("file.delete.delay.ms", "log.segment.delete.delay.ms"),
    ("flush.messages", "log.flush.interval.messages"),
    ("flush.ms", "log.flush.interval.ms"),
    ("index.interval.bytes", "log.index.interval.bytes"),
    ("local.retention.bytes", "log.local.retention.bytes"),
    ("local.retention.ms", "log.local.retention.ms"),
    ("max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms"),
    ("max.message.bytes", "message.max.bytes"),
    ("message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms"),
    ("message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms"),
    ("message.timestamp.type", "log.message.timestamp.type"),
    ("millrace.durability", "millrace.durability"),
    ("millrace.validation", "millrace.validation"),
    ("min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio"),
    ("min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms"),
    ("min.insync.replicas", "min.insync.replicas"),
    ("preallocate", "log.preallocate"),
    ("retention.bytes", "log.retention.bytes"),
    ("retention.ms", "log.retention.ms"),
    ("segment.bytes", "log.segment.bytes"),
    ("segment.index.bytes", "log.index.size.max.bytes"),
    ("segment.jitter.ms", "log.roll.jitter.ms"),
    ("segment.ms", "log.roll.ms"),
    ("unclean.leader.election.enable", "unclean.leader.election.enable"),
];

/// The names that a broker configuration's value is looked up under, in order; itself alone for
/// most.
pub fn broker_synonyms(name: &str) -> Vec<(&str, Unit)> {
    BROKER_SYNONYMS
        .iter()
        .find(|(_, synonyms)| synonyms.iter().any(|(synonym, _)| *synonym == name))
        .map_or_else(
            || vec![(name, Unit::Same)],
            |(_, synonyms)| {
                // A name lower in the list is looked up from itself on down, and keeps its own unit.
                let from = synonyms.iter().position(|(synonym, _)| *synonym == name).unwrap_or(0);
                match from {
                    0 => synonyms.to_vec(),
                    _ => vec![(name, Unit::Same)],
                }
            },
        )
}

/// The broker configuration that a topic configuration defaults to, if it has one.
pub fn topic_synonym(name: &str) -> Option<&'static str> {
    TOPIC_SYNONYMS.iter().find(|(topic, _)| *topic == name).map(|(_, broker)| *broker)
}

/// The broker configuration that a group configuration defaults to, if it has one.
pub fn group_synonym(name: &str) -> Option<&'static str> {
    BROKER
        .iter()
        .map(|key| key.name)
        .find(|broker| broker.strip_prefix("group.").is_some_and(|rest| rest == name))
}

/// The entry of a broker configuration.
pub fn broker_key(name: &str) -> Option<&'static ConfigKey> {
    find_key(BROKER, name)
}

/// The entry of a topic configuration.
pub fn topic_key(name: &str) -> Option<&'static ConfigKey> {
    find_key(TOPIC, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_sorted_without_repeats_and_its_defaults_pass_its_rules() {
        for table in [BROKER, TOPIC, GROUP, CLIENT_METRICS] {
            for pair in table.windows(2) {
                assert!(pair[0].name < pair[1].name, "{} {}", pair[0].name, pair[1].name);
            }
            for key in table {
                if let Some(default) = key.default {
                    // Kafka's own default of the two quorum lists and of -1 limits passes too.
                    assert_eq!(key.check(default), Ok(()), "{} = {default}", key.name);
                }
                assert!(key.doc.ends_with('.'), "{}", key.name);
            }
        }
    }

    #[test]
    fn every_synonym_names_configurations_that_exist() {
        for (topic, broker) in TOPIC_SYNONYMS {
            assert!(topic_key(topic).is_some(), "{topic}");
            assert!(broker_key(broker).is_some(), "{broker}");
        }
        for (_, synonyms) in BROKER_SYNONYMS {
            for (name, _) in synonyms {
                assert!(broker_key(name).is_some(), "{name}");
            }
        }
    }
}

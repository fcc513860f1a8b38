//! A topic's configuration over the broker's layers.

use super::*;
use crate::config::Statics;

fn overrides(settings: &[(&str, &str)]) -> Overrides {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn resolve<const N: usize>(statics: [(&str, &str); N], topic: &[(&str, &str)]) -> TopicConfig {
    let statics = Statics::of(statics);
    TopicConfig::resolve(&View::of(&statics), Some(&overrides(topic)))
}

#[test]
fn without_settings_a_topic_has_kafkas_defaults() {
    let config = resolve([], &[]);
    assert_eq!(config.retention_ms, 604_800_000);
    assert_eq!(config.segment_ms, 604_800_000);
    assert_eq!(config.segment_bytes, 1 << 30);
    assert_eq!(config.max_message_bytes, 1_048_588);
    assert_eq!(config.flush_ms, i64::MAX);
    assert_eq!(config.cleanup_policy, CleanupPolicy { delete: true, compact: false });
    assert_eq!(config.durability, Durability::PageCache);
    assert_eq!(config.validation, Validation::Header);
}

#[test]
fn the_finer_unit_wins_within_a_layer_and_the_stronger_layer_over_units() {
    let hours = resolve([("log.retention.hours", "2")], &[]);
    assert_eq!(hours.retention_ms, 7_200_000);
    let both = resolve([("log.retention.hours", "2"), ("log.retention.minutes", "1")], &[]);
    assert_eq!(both.retention_ms, 60_000);
    assert_eq!(resolve([("log.retention.hours", "-1")], &[]).retention_ms, -1);
    assert_eq!(resolve([("log.retention.ms", "5")], &[("retention.ms", "6")]).retention_ms, 6);

    let statics = Statics::of([("log.retention.ms", "5")]);
    let cluster = overrides(&[("log.retention.ms", "7")]);
    let broker = overrides(&[("log.retention.ms", "8")]);
    let view = View { statics: &statics, broker: None, cluster: Some(&cluster) };
    assert_eq!(TopicConfig::resolve(&view, None).retention_ms, 7);
    let view = View { broker: Some(&broker), ..view };
    assert_eq!(TopicConfig::resolve(&view, None).retention_ms, 8);
}

#[test]
fn the_schedulers_interval_stands_in_for_an_unset_flush_interval() {
    assert_eq!(resolve([("log.flush.scheduler.interval.ms", "9")], &[]).flush_ms, 9);
    assert_eq!(resolve([("log.roll.jitter.hours", "1")], &[]).segment_jitter_ms, 3_600_000);
}

#[test]
fn a_stored_value_that_breaks_its_rule_is_passed_over() {
    let config = resolve([("log.segment.bytes", "2097152")], &[("segment.bytes", "10")]);
    assert_eq!(config.segment_bytes, 2_097_152);
}

#[test]
fn a_cleanup_policy_may_be_empty_and_repeat_itself() {
    let none = resolve([], &[("cleanup.policy", "")]).cleanup_policy;
    assert_eq!(none, CleanupPolicy::default());
    let both = resolve([], &[("cleanup.policy", "compact, delete,compact")]).cleanup_policy;
    assert_eq!(both, CleanupPolicy { delete: true, compact: true });
}

#[test]
fn flushing_each_message_is_a_durability_contract_unless_one_is_set() {
    assert_eq!(resolve([], &[("flush.messages", "1")]).durability, Durability::EveryBatch);
    assert_eq!(resolve([], &[("flush.messages", "2")]).durability, Durability::PageCache);
    for (text, contract) in [
        ("page-cache", Durability::PageCache),
        ("group-commit", Durability::GroupCommit),
        ("every-batch", Durability::EveryBatch),
    ] {
        let topic = [("flush.messages", "1"), ("millrace.durability", text)];
        assert_eq!(resolve([], &topic).durability, contract);
        assert_eq!(resolve([("millrace.durability", text)], &[]).durability, contract);
    }
}

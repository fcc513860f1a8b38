//! A compacted log read back: the same keyed records to both brokers, compaction forced, and what
//! is read compared batch by batch.

use serde_json::{Value, json};

use super::{fetch, produce, with};
use crate::script::Script;

pub(super) fn cases(scripts: &mut Vec<Script>) {
    scripts.push(latest_values());
    scripts.push(tombstones());
    scripts.push(old_tombstones());
}

/// When all records are from: so late that no producer is ever forgotten.
const LATE: i64 = 4_000_000_000_000;
/// Compaction starts over after so long, ms.
const BACKOFF_MS: &str = "50";

fn backoff(script: Script, op: i8, value: &Value) -> Script {
    let change = json!({ "Name": "log.cleaner.backoff.ms", "ConfigOperation": op, "Value": value });
    let resource = json!({ "ResourceType": 4, "ResourceName": "", "Configs": [change] });
    script.quiet("IncrementalAlterConfigs", 1, json!({ "Resources": [resource] }))
}

/// A topic whose segments end after a while, and that is compacted as soon as there is something.
fn compacted(name: &str, more: &[(&str, &str)]) -> Script {
    let mut configs = vec![
        ("cleanup.policy", "compact"),
        ("min.cleanable.dirty.ratio", "0"),
        ("segment.ms", "200"),
        ("min.compaction.lag.ms", "0"),
        ("message.timestamp.after.max.ms", "9223372036854775807"),
    ];
    configs.extend(more);
    backoff(Script::new(name), 0, &json!(BACKOFF_MS)).topic("a", 1, &configs)
}

/// Puts a batch of keys and values; none is a tombstone.
fn put(script: Script, records: &[(&str, Option<&str>)], more: &Value) -> Script {
    let records: Vec<Value> = records.iter().map(|(key, value)| json!([key, value])).collect();
    let batch = with(json!({ "records": records, "base_timestamp": LATE }), more);
    script.quiet("Produce", 9, produce(9, 0, -1, &json!([batch])))
}

/// Ends the segment: the batch, which stays behind in the active one, is from `round` times a
/// thousand seconds later. The active segment is never compacted.
fn roll(script: Script, round: i64) -> Script {
    let later = json!({ "base_timestamp": LATE + round * 1_000_000 });
    put(script, &[("active", Some(&round.to_string()))], &later)
}

fn latest_values() -> Script {
    let mut script = compacted("compaction/latest-values", &[]);
    let none = json!({});
    script = put(script, &[("a", Some("1")), ("b", Some("1")), ("c", Some("1"))], &none);
    script = put(script, &[("a", Some("2"))], &none);
    script = put(script, &[("d", Some("1")), ("a", Some("3")), ("d", Some("2"))], &none);
    // A producer's last batch stays, if only as a header.
    let producer = json!({ "producer_id": 950_000, "producer_epoch": 0, "base_sequence": 0 });
    script = put(script, &[("e", Some("1")), ("f", Some("1"))], &producer);
    script = put(script, &[("e", Some("2")), ("f", Some("2")), ("b", Some("2"))], &none);
    script = roll(script, 1);
    let first = "/Responses/0/Partitions/0/Records/0/base_offset";
    let gone = "/Responses/0/Partitions/0/Records/0/count";
    script = script.until("Fetch", 12, fetch(12, 0, 0, &json!({})), gone, json!(1));
    script = script.call("Fetch", 12, fetch(12, 0, 0, &json!({})));
    for offset in [1, 3, 4, 6, 8, 11, 12] {
        script = script.call("Fetch", 12, fetch(12, 0, offset, &json!({})));
    }
    script = script.call("ListOffsets", 7, ends(-2)).call("ListOffsets", 7, ends(-1));
    // A second round over what the first has left.
    script = put(script, &[("c", Some("2")), ("g", Some("1"))], &none);
    script = roll(script, 2);
    script = script.until("Fetch", 12, fetch(12, 0, 0, &json!({})), first, json!(4));
    script = script.call("Fetch", 12, fetch(12, 0, 0, &json!({})));
    backoff(script, 1, &Value::Null)
}

fn tombstones() -> Script {
    let mut script = compacted("compaction/tombstones", &[("delete.retention.ms", "3600000")]);
    let none = json!({});
    script = put(script, &[("a", Some("1")), ("b", Some("1"))], &none);
    script = put(script, &[("a", None), ("c", Some("1"))], &none);
    script = roll(script, 1);
    let horizon = "/Responses/0/Partitions/0/Records/1/attributes";
    script = script.until("Fetch", 12, fetch(12, 0, 0, &json!({})), horizon, json!(64));
    script = script.call("Fetch", 12, fetch(12, 0, 0, &json!({})));
    backoff(script, 1, &Value::Null)
}

/// A tombstone whose time is over with the round that finds it goes with the next.
fn old_tombstones() -> Script {
    let mut script = compacted("compaction/old-tombstones", &[("delete.retention.ms", "0")]);
    let none = json!({});
    script = put(script, &[("a", Some("1"))], &none);
    script = put(script, &[("a", None)], &none);
    script = roll(script, 1);
    let first = |name: &str| format!("/Responses/0/Partitions/0/Records/0/{name}");
    let all = fetch(12, 0, 0, &json!({}));
    script = script.until("Fetch", 12, all.clone(), &first("attributes"), json!(64));
    script = script.call("Fetch", 12, all.clone());
    script = put(script, &[("b", Some("1"))], &none);
    script = roll(script, 2);
    script = script.until("Fetch", 12, all.clone(), &first("base_offset"), json!(2));
    script = script.call("Fetch", 12, all);
    backoff(script, 1, &Value::Null)
}

fn ends(timestamp: i64) -> Value {
    json!({ "ReplicaId": -1, "Topics": [{ "Name": "%T-a", "Partitions": [
        { "PartitionIndex": 0, "Timestamp": timestamp }] }] })
}

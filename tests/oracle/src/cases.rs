//! Every case, in groups. A group is one file here and one file of the corpus.

mod admin;
mod compaction;
mod configs;
mod consumers;
mod discovery;
mod fetch;
mod grid;
mod groups;
mod mutations;
mod offsets;
mod produce;
mod quotas;
mod resources;
mod states;
mod topics;

use serde_json::{Value, json};

use crate::script::Script;

/// All cases in the order in which they are played.
pub fn all() -> Vec<Script> {
    let mut scripts = Vec::new();
    discovery::cases(&mut scripts);
    topics::cases(&mut scripts);
    produce::cases(&mut scripts);
    fetch::cases(&mut scripts);
    offsets::cases(&mut scripts);
    configs::cases(&mut scripts);
    groups::cases(&mut scripts);
    consumers::cases(&mut scripts);
    admin::cases(&mut scripts);
    quotas::cases(&mut scripts);
    mutations::cases(&mut scripts);
    resources::cases(&mut scripts);
    grid::cases(&mut scripts);
    states::cases(&mut scripts);
    compaction::cases(&mut scripts);
    scripts
}

/// A batch of plain records with the values `values`.
fn batch(values: &[&str]) -> Value {
    let records: Vec<Value> = values.iter().map(|value| json!([null, value])).collect();
    json!({ "records": records })
}

/// `object` with the fields of `more` added or replaced.
fn with(mut object: Value, more: &Value) -> Value {
    if let (Value::Object(base), Value::Object(more)) = (&mut object, more) {
        for (name, value) in more {
            base.insert(name.clone(), value.clone());
        }
    }
    object
}

/// A Produce body for partition `partition` of topic `%T-a` holding `records`. From version 13 on
/// the topic goes by its id, captured as `$a`.
fn produce(version: i16, partition: i32, acks: i16, records: &Value) -> Value {
    let data = json!([{ "Index": partition, "Records": records }]);
    let topic = if version >= 13 {
        json!({ "TopicId": "$a", "PartitionData": data })
    } else {
        json!({ "Name": "%T-a", "PartitionData": data })
    };
    json!({ "Acks": acks, "TimeoutMs": 30_000, "TopicData": [topic] })
}

/// A Fetch body of one partition of topic `%T-a` from `offset`; `more` goes into the partition.
fn fetch(version: i16, partition: i32, offset: i64, more: &Value) -> Value {
    let data = with(
        json!({ "Partition": partition, "FetchOffset": offset, "PartitionMaxBytes": 1 << 20 }),
        more,
    );
    fetch_of(version, &json!([fetch_topic(version, &json!([data]))]))
}

/// A Fetch topic `%T-a` with these partitions.
fn fetch_topic(version: i16, partitions: &Value) -> Value {
    if version >= 13 {
        json!({ "TopicId": "$a", "Partitions": partitions })
    } else {
        json!({ "Topic": "%T-a", "Partitions": partitions })
    }
}

/// A Fetch body with these topics that does not wait.
fn fetch_of(version: i16, topics: &Value) -> Value {
    let mut body = json!({
        "MaxWaitMs": 0, "MinBytes": 0, "MaxBytes": 1 << 20, "IsolationLevel": 0, "Topics": topics,
    });
    if version < 15 {
        body["ReplicaId"] = json!(-1);
    }
    body
}

//! ListOffsets, OffsetForLeaderEpoch, DeleteRecords.

use serde_json::{Value, json};

use super::{batch, produce, with};
use crate::batch::TIMESTAMP;
use crate::script::Script;

pub(super) fn cases(scripts: &mut Vec<Script>) {
    list(scripts);
    by_time(scripts);
    leader_epochs(scripts);
    delete(scripts);
}

fn ask(version: i16, topic: &str, partitions: &Value) -> Value {
    let mut body =
        json!({ "ReplicaId": -1, "Topics": [{ "Name": topic, "Partitions": partitions }] });
    if version >= 2 {
        body["IsolationLevel"] = json!(0);
    }
    if version >= 10 {
        body["TimeoutMs"] = json!(10_000);
    }
    body
}

fn at(partition: i32, timestamp: i64) -> Value {
    json!({ "PartitionIndex": partition, "Timestamp": timestamp })
}

/// Partition 0: three batches of two records at rising times, the middle one the newest.
fn filled(name: String) -> Script {
    let mut script = Script::new(name).topic("a", 2, &[]);
    for (base, max) in [(0, 10), (100, 110), (50, 60)] {
        let records = json!([{ "value": "a" }, { "value": "b", "delta": 10 }]);
        let batch = json!([{ "records": records, "base_timestamp": TIMESTAMP + base,
            "max_timestamp": TIMESTAMP + max }]);
        script = script.quiet("Produce", 9, produce(9, 0, 1, &batch));
    }
    script
}

fn list(scripts: &mut Vec<Script>) {
    let api = "ListOffsets";
    for version in 1..=11 {
        let mut script = filled(format!("listoffsets/v{version}"));
        for timestamp in [
            -1,
            -2,
            -3,
            -4,
            -5,
            -6,
            -7,
            -100,
            0,
            TIMESTAMP,
            TIMESTAMP + 5,
            TIMESTAMP + 55,
            TIMESTAMP + 110,
            TIMESTAMP + 111,
            i64::MAX,
        ] {
            script = script.call(api, version, ask(version, "%T-a", &json!([at(0, timestamp)])));
        }
        for timestamp in [-1, -2, -3, 5] {
            script = script.call(api, version, ask(version, "%T-a", &json!([at(1, timestamp)])));
        }
        script = script
            .call(
                api,
                version,
                ask(version, "%T-a", &json!([at(0, -1), at(1, -1), at(2, -1), at(-1, -1)])),
            )
            .call(api, version, ask(version, "%T-a", &json!([at(0, -1), at(0, -2)])))
            .call(api, version, ask(version, "%T-a", &json!([at(0, -1), at(0, -1)])))
            .call(api, version, ask(version, "%T-none", &json!([at(0, -1)])))
            .call(api, version, ask(version, "bad name", &json!([at(0, -1)])))
            .call(api, version, ask(version, "%T-a", &json!([])));
        if version >= 2 {
            let mut body = ask(version, "%T-a", &json!([at(0, -1)]));
            body["IsolationLevel"] = json!(1);
            script = script.call(api, version, body.clone());
            body["IsolationLevel"] = json!(7);
            script = script.call(api, version, body);
        }
        if version >= 4 {
            for epoch in [-1, 0, 1, 5, -3] {
                let part = with(at(0, -1), &json!({ "CurrentLeaderEpoch": epoch }));
                script = script.call(api, version, ask(version, "%T-a", &json!([part])));
            }
        }
        let mut replica = ask(version, "%T-a", &json!([at(0, -1)]));
        replica["ReplicaId"] = json!(7);
        script = script.call(api, version, replica);
        scripts.push(script);
    }
}

fn by_time(scripts: &mut Vec<Script>) {
    let api = "ListOffsets";
    scripts.push(
        Script::new("listoffsets/log-append-time")
            .topic("a", 1, &[("message.timestamp.type", "LogAppendTime")])
            .quiet("Produce", 9, produce(9, 0, 1, &json!([batch(&["a", "b"])])))
            .call(api, 7, ask(7, "%T-a", &json!([at(0, TIMESTAMP)])).clone())
            .call(api, 7, ask(7, "%T-a", &json!([at(0, 9_000_000_000_000)]))),
    );
    let mut script = filled("listoffsets/after-delete-records".to_owned()).quiet(
        "DeleteRecords",
        2,
        json!({ "Topics": [{ "Name": "%T-a", "Partitions": [{ "PartitionIndex": 0, "Offset": 3 }] }],
            "TimeoutMs": 10_000 }),
    );
    for timestamp in [-2, -1, -3, TIMESTAMP, TIMESTAMP + 105] {
        script = script.call(api, 8, ask(8, "%T-a", &json!([at(0, timestamp)])));
    }
    scripts.push(script);
    let mut script =
        Script::new("listoffsets/records-without-timestamps").topic("a", 1, &[]).quiet(
            "Produce",
            9,
            produce(9, 0, 1, &json!([with(batch(&["a"]), &json!({ "base_timestamp": -1 }))])),
        );
    for timestamp in [-3, -1, 0, 5] {
        script = script.call(api, 7, ask(7, "%T-a", &json!([at(0, timestamp)])));
    }
    scripts.push(script);
}

/// A body whose only topic, or the only partition of it, is named twice.
fn twice(body: &Value, what: &str) -> Value {
    let mut body = body.clone();
    let list = if what == "Topics" { &mut body["Topics"] } else { &mut body["Topics"][0][what] };
    let one = list[0].clone();
    *list = json!([one, one]);
    body
}

fn leader_epochs(scripts: &mut Vec<Script>) {
    let api = "OffsetForLeaderEpoch";
    for version in 2..=4 {
        let ask = |topic: &str, partition: i32, current: i32, epoch: i32| {
            let mut body = json!({ "Topics": [{ "Topic": topic, "Partitions": [
                { "Partition": partition, "CurrentLeaderEpoch": current, "LeaderEpoch": epoch }] }] });
            if version >= 3 {
                body["ReplicaId"] = json!(-1);
            }
            body
        };
        let mut script = filled(format!("leaderepochs/v{version}"));
        for (current, epoch) in
            [(-1, 0), (0, 0), (0, 1), (0, 5), (1, 0), (7, 0), (0, -1), (-1, -1), (-1, -2)]
        {
            script = script.call(api, version, ask("%T-a", 0, current, epoch));
        }
        scripts.push(
            script
                .call(api, version, ask("%T-a", 1, -1, 0))
                .call(api, version, ask("%T-a", 9, -1, 0))
                .call(api, version, ask("%T-none", 0, -1, 0))
                .call(api, version, ask("bad name", 0, -1, 0))
                .call(api, version, json!({ "Topics": [] }))
                .call(api, version, json!({ "Topics": [{ "Topic": "%T-a", "Partitions": [] }] }))
                .call(api, version, twice(&ask("%T-a", 0, -1, 0), "Partitions"))
                .call(api, version, twice(&ask("%T-a", 0, -1, 0), "Topics")),
        );
    }
}

fn delete(scripts: &mut Vec<Script>) {
    let api = "DeleteRecords";
    for version in 0..=2 {
        let ask = |topic: &str, partition: i32, offset: i64| {
            json!({ "Topics": [{ "Name": topic, "Partitions": [
                { "PartitionIndex": partition, "Offset": offset }] }], "TimeoutMs": 10_000 })
        };
        let mut script = filled(format!("deleterecords/v{version}")).topic(
            "c",
            1,
            &[("cleanup.policy", "compact")],
        );
        for offset in [0, 2, 1, 3, 7, -2, -1] {
            script = script.call(api, version, ask("%T-a", 0, offset));
        }
        scripts.push(
            script
                .call(api, version, ask("%T-a", 1, -1))
                .call(api, version, ask("%T-a", 1, 1))
                .call(api, version, ask("%T-a", 5, 0))
                .call(api, version, ask("%T-none", 0, 0))
                .call(api, version, ask("%T-c", 0, -1))
                .call(api, version, ask("bad name", 0, -1))
                .call(api, version, twice(&ask("%T-a", 0, 3), "Partitions"))
                .call(api, version, twice(&ask("%T-a", 0, 3), "Topics"))
                .call(api, version, json!({ "Topics": [{ "Name": "%T-a", "Partitions": [] }], "TimeoutMs": 10_000 }))
                .call(api, version, json!({ "Topics": [], "TimeoutMs": 10_000 }))
                .call("ListOffsets", 7, super::offsets::ask(7, "%T-a", &json!([at(0, -2)]))),
        );
    }
}

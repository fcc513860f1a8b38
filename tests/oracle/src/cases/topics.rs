//! CreateTopics, DeleteTopics, CreatePartitions.

use serde_json::{Value, json};

use crate::script::Script;

const UNKNOWN_ID: &str = "00112233445566778899aabbccddeeff";
const ZERO_ID: &str = "00000000000000000000000000000000";

pub(super) fn cases(scripts: &mut Vec<Script>) {
    create(scripts);
    create_edges(scripts);
    delete(scripts);
    partitions(scripts);
}

fn create_body(topics: &Value) -> Value {
    json!({ "Topics": topics, "timeoutMs": 30_000 })
}

fn topic(name: &str, partitions: i32, factor: i16) -> Value {
    json!({ "Name": name, "NumPartitions": partitions, "ReplicationFactor": factor })
}

fn create(scripts: &mut Vec<Script>) {
    for version in 2..=7 {
        let api = "CreateTopics";
        let mut configured = topic("%T-c", 1, 1);
        configured["Configs"] = json!([
            { "Name": "retention.ms", "Value": "1000" }, { "Name": "cleanup.policy", "Value": "compact" }]);
        let mut validate = create_body(&json!([topic("%T-d", 1, 1), topic("%T-a", 1, 1)]));
        validate["validateOnly"] = json!(true);
        let mut script = Script::new(format!("create/v{version}"))
            .owns("a")
            .owns("b")
            .owns("c")
            .owns("d")
            .owns("e")
            .call(api, version, create_body(&json!([topic("%T-a", 3, 1)])))
            .call(api, version, create_body(&json!([topic("%T-a", 3, 1)])))
            .call(api, version, create_body(&json!([topic("%T-b", 1, 1), topic("%T-a", 1, 1)])))
            .call(api, version, create_body(&json!([configured])))
            .call(api, version, validate)
            .call(api, version, create_body(&json!([])));
        if version >= 4 {
            script = script.call(api, version, create_body(&json!([topic("%T-e", -1, -1)])));
        } else {
            script = script.call(api, version, create_body(&json!([topic("%T-e", -1, 1)])));
        }
        scripts.push(script);
    }
}

#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn create_edges(scripts: &mut Vec<Script>) {
    let api = "CreateTopics";
    let with = |name: &str, fields: Value| {
        let mut object = json!({ "Name": name, "NumPartitions": -1, "ReplicationFactor": -1 });
        if let (Some(base), Value::Object(more)) = (object.as_object_mut(), fields) {
            base.extend(more);
        }
        object
    };
    let long = "x".repeat(250);
    let names = ["", ".", "..", "a b", "a/b", "é", "a:b", long.as_str(), "a\u{0}b"];
    let mut script = Script::new("create/invalid-names");
    for name in names {
        script = script.call(api, 7, create_body(&json!([topic(name, 1, 1)])));
    }
    script = script.call(api, 7, create_body(&json!([topic("%T.x", 1, 1)]))).owns("x");
    scripts.push(script);

    // Names that differ only in '.' and '_' collide in metric names.
    scripts.push(
        Script::new("create/colliding-names")
            .owns("a.b")
            .owns("a_b")
            .call(api, 7, create_body(&json!([topic("%T-a.b", 1, 1)])))
            .call(api, 7, create_body(&json!([topic("%T-a_b", 1, 1)]))),
    );
    let counts = [(0, 1), (-2, 1), (1, 0), (1, -2), (1, 2), (1, 3), (10_001, 1), (i32::MAX, 1)];
    let mut script = Script::new("create/counts");
    for (partitions, factor) in counts {
        let mut body = create_body(&json!([topic("%T-n", partitions, factor)]));
        body["validateOnly"] = json!(true);
        script = script.call(api, 7, body);
    }
    scripts.push(script);

    let mut script = Script::new("create/repeated-name").owns("r").owns("s");
    script =
        script.call(api, 7, create_body(&json!([topic("%T-r", 1, 1), topic("%T-r", 2, 1)]))).call(
            api,
            7,
            create_body(&json!([topic("%T-r", 1, 1), topic("%T-r", 1, 1), topic("%T-s", 1, 1)])),
        );
    scripts.push(script);

    let assign = |partitions: Value| {
        let list: Vec<Value> = partitions
            .as_array()
            .into_iter()
            .flatten()
            .map(|pair| json!({ "PartitionIndex": pair[0], "BrokerIds": pair[1] }))
            .collect();
        json!({ "Assignments": list })
    };
    let assignments = [
        json!([[0, [1]]]),
        json!([[0, [1]], [1, [1]]]),
        json!([[0, [2]]]),
        json!([[0, [1, 2]]]),
        json!([[0, [1, 1]]]),
        json!([[1, [1]]]),
        json!([[0, [1]], [2, [1]]]),
        json!([[0, [1]], [0, [1]]]),
        json!([[0, []]]),
        json!([[0, [-1]]]),
    ];
    let mut script = Script::new("create/assignments");
    for partitions in assignments {
        let mut body = create_body(&json!([with("%T-as", assign(partitions))]));
        body["validateOnly"] = json!(true);
        script = script.call(api, 7, body);
    }
    let mut both = with("%T-as", assign(json!([[0, [1]]])));
    both["NumPartitions"] = json!(1);
    script = script.call(api, 7, create_body(&json!([both])));
    let mut both = with("%T-as", assign(json!([[0, [1]]])));
    both["ReplicationFactor"] = json!(1);
    script = script.call(api, 7, create_body(&json!([both])));
    scripts.push(script);
    create_configs(scripts);
}

fn create_configs(scripts: &mut Vec<Script>) {
    let configs: &[(&str, Value)] = &[
        ("no.such.config", json!("1")),
        ("retention.ms", json!("abc")),
        ("retention.ms", json!("-1")),
        ("retention.ms", json!("-2")),
        ("retention.ms", Value::Null),
        ("retention.ms", json!("")),
        ("retention.ms", json!(" 7 ")),
        ("cleanup.policy", json!("delete,compact")),
        ("cleanup.policy", json!("compact,delete")),
        ("cleanup.policy", json!("nothing")),
        ("cleanup.policy", json!("")),
        ("compression.type", json!("zstd")),
        ("compression.type", json!("producer")),
        ("compression.type", json!("brotli")),
        ("message.timestamp.type", json!("LogAppendTime")),
        ("message.timestamp.type", json!("never")),
        ("segment.bytes", json!("13")),
        ("segment.bytes", json!("1048576")),
        ("segment.bytes", json!("2147483648")),
        ("segment.ms", json!("0")),
        ("min.insync.replicas", json!("0")),
        ("min.insync.replicas", json!("5")),
        ("max.message.bytes", json!("-1")),
        ("max.message.bytes", json!("0")),
        ("unclean.leader.election.enable", json!("maybe")),
        ("preallocate", json!("TRUE")),
        ("min.cleanable.dirty.ratio", json!("1.5")),
        ("min.cleanable.dirty.ratio", json!("0.25")),
        ("message.format.version", json!("3.0")),
        ("message.downconversion.enable", json!("true")),
        ("flush.messages", json!("0")),
        ("flush.messages", json!("1")),
        ("flush.ms", json!("-1")),
        ("index.interval.bytes", json!("0")),
        ("segment.index.bytes", json!("3")),
        ("segment.jitter.ms", json!("-1")),
        ("delete.retention.ms", json!("-1")),
        ("file.delete.delay.ms", json!("-1")),
        ("min.compaction.lag.ms", json!("-1")),
        ("max.compaction.lag.ms", json!("0")),
        ("message.timestamp.before.max.ms", json!("-1")),
        ("message.timestamp.after.max.ms", json!("-1")),
        ("compression.gzip.level", json!("10")),
        ("compression.zstd.level", json!("99")),
        ("compression.lz4.level", json!("0")),
        ("remote.storage.enable", json!("true")),
        ("retention.bytes", json!("-5")),
        ("local.retention.ms", json!("5")),
        ("", json!("x")),
    ];
    for version in [5, 7] {
        let mut script = Script::new(format!("create/configs-v{version}"));
        for (name, value) in configs {
            let mut topic = topic("%T-c", 1, 1);
            topic["Configs"] = json!([{ "Name": name, "Value": value }]);
            let mut body = create_body(&json!([topic]));
            body["validateOnly"] = json!(true);
            script = script.call("CreateTopics", version, body);
        }
        let mut twice = topic("%T-c", 1, 1);
        twice["Configs"] = json!([
            { "Name": "retention.ms", "Value": "1" }, { "Name": "retention.ms", "Value": "2" }]);
        let mut body = create_body(&json!([twice]));
        body["validateOnly"] = json!(true);
        scripts.push(script.call("CreateTopics", version, body));
    }
}

fn delete(scripts: &mut Vec<Script>) {
    let api = "DeleteTopics";
    for version in 1..=6 {
        let by_name = |names: &[&str]| {
            if version >= 6 {
                let topics: Vec<Value> = names.iter().map(|name| json!({ "Name": name })).collect();
                json!({ "Topics": topics, "TimeoutMs": 30_000 })
            } else {
                json!({ "TopicNames": names, "TimeoutMs": 30_000 })
            }
        };
        let mut script = Script::new(format!("delete/v{version}"))
            .topic("a", 2, &[])
            .topic("b", 1, &[])
            .topic("c", 1, &[])
            .call(api, version, by_name(&["%T-a"]))
            .call(api, version, by_name(&["%T-a"]))
            .call(api, version, by_name(&["%T-none", "%T-b"]))
            .call(api, version, by_name(&["%T-c", "%T-c"]))
            .call(api, version, by_name(&[]))
            .call(api, version, by_name(&["bad name!"]))
            .call(api, version, by_name(&[""]));
        if version >= 6 {
            let by_id = |id: &str, name: Value| json!({ "Topics": [{ "TopicId": id, "Name": name }], "TimeoutMs": 30_000 });
            script = script
                .topic("d", 1, &[])
                .call(api, version, by_id("$d", json!("%T-d")))
                .call(api, version, by_id(UNKNOWN_ID, Value::Null))
                .call(api, version, by_id(ZERO_ID, Value::Null))
                .call(api, version, by_id("$d", Value::Null))
                .call(api, version, by_id("$d", Value::Null));
        }
        scripts.push(script);
    }
}

fn partitions(scripts: &mut Vec<Script>) {
    let api = "CreatePartitions";
    for version in 0..=3 {
        let to = |name: &str, count: i32| {
            json!({ "Topics": [{ "Name": name, "Count": count, "Assignments": null }],
                "TimeoutMs": 30_000, "ValidateOnly": false })
        };
        let mut huge = to("%T-a", 20_000);
        huge["ValidateOnly"] = json!(true);
        let mut validate = to("%T-a", 9);
        validate["ValidateOnly"] = json!(true);
        let assigned = |count: i32, lists: Value| {
            let list: Vec<Value> = lists
                .as_array()
                .into_iter()
                .flatten()
                .map(|brokers| json!({ "BrokerIds": brokers }))
                .collect();
            json!({ "Topics": [{ "Name": "%T-a", "Count": count, "Assignments": list }],
                "TimeoutMs": 30_000, "ValidateOnly": true })
        };
        scripts.push(
            Script::new(format!("partitions/v{version}"))
                .topic("a", 2, &[])
                .call(api, version, to("%T-a", 4))
                .ready("a", 3)
                .call(api, version, to("%T-a", 4))
                .call(api, version, to("%T-a", 3))
                .call(api, version, to("%T-a", 0))
                .call(api, version, to("%T-a", -1))
                .call(api, version, validate)
                .call(api, version, to("%T-none", 3))
                .call(api, version, to("bad name", 3))
                .call(api, version, huge)
                .call(api, version, assigned(5, json!([[1]])))
                .call(api, version, assigned(6, json!([[1]])))
                .call(api, version, assigned(5, json!([[2]])))
                .call(api, version, assigned(5, json!([[1, 1]])))
                .call(api, version, assigned(5, json!([[]])))
                .call(
                    api,
                    version,
                    json!({ "Topics": [
                    { "Name": "%T-a", "Count": 5, "Assignments": null },
                    { "Name": "%T-a", "Count": 6, "Assignments": null }], "TimeoutMs": 30_000 }),
                )
                .call(api, version, json!({ "Topics": [], "TimeoutMs": 30_000 }))
                .call("Metadata", 9, json!({ "Topics": [{ "Name": "%T-a" }] })),
        );
    }
}

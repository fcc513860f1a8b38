//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs, DescribeLogDirs, reassignments.

use serde_json::{Value, json};

use super::{batch, produce};
use crate::script::Script;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

pub(super) fn cases(scripts: &mut Vec<Script>) {
    describe(scripts);
    alter(scripts);
    incremental(scripts);
    broker_configs(scripts);
    log_dirs(scripts);
    reassignments(scripts);
}

fn resource(kind: i8, name: &str, keys: &Value) -> Value {
    json!({ "ResourceType": kind, "ResourceName": name, "ConfigurationKeys": keys })
}

fn describe(scripts: &mut Vec<Script>) {
    let api = "DescribeConfigs";
    for version in 1..=4 {
        let ask = |resources: Value| json!({ "Resources": resources, "IncludeSynonyms": false });
        let mut synonyms = ask(json!([resource(TOPIC, "%T-a", &Value::Null)]));
        synonyms["IncludeSynonyms"] = json!(true);
        let mut script = Script::new(format!("configs/describe-v{version}"))
            .topic("a", 1, &[("retention.ms", "1234"), ("cleanup.policy", "compact")])
            .call(api, version, ask(json!([resource(TOPIC, "%T-a", &Value::Null)])))
            .call(api, version, synonyms)
            .call(api, version, ask(json!([resource(TOPIC, "%T-a", &json!([]))])))
            .call(
                api,
                version,
                ask(json!([resource(TOPIC, "%T-a", &json!(["retention.ms", "no.such.key"]))])),
            )
            .call(api, version, ask(json!([resource(TOPIC, "%T-none", &Value::Null)])))
            .call(api, version, ask(json!([resource(TOPIC, "bad name", &Value::Null)])))
            .call(api, version, ask(json!([resource(TOPIC, "", &Value::Null)])))
            .call(api, version, ask(json!([])))
            .call(
                api,
                version,
                ask(json!([resource(BROKER, "1", &json!(["log.retention.ms", "num.partitions"]))])),
            )
            .call(api, version, ask(json!([resource(BROKER, "", &Value::Null)])))
            .call(api, version, ask(json!([resource(BROKER, "77", &Value::Null)])))
            .call(api, version, ask(json!([resource(BROKER, "x", &Value::Null)])))
            .call(api, version, ask(json!([resource(0, "x", &Value::Null)])))
            .call(api, version, ask(json!([resource(3, "x", &Value::Null)])))
            .call(api, version, ask(json!([resource(99, "x", &Value::Null)])))
            .call(
                api,
                version,
                ask(json!([resource(8, "1", &json!(["kafka.server.KafkaServer"]))])),
            )
            .call(
                api,
                version,
                ask(json!([
                    resource(TOPIC, "%T-a", &json!(["retention.ms"])),
                    resource(TOPIC, "%T-none", &Value::Null)
                ])),
            );
        if version >= 3 {
            let mut documented = ask(json!([resource(TOPIC, "%T-a", &json!(["retention.ms"]))]));
            documented["IncludeDocumentation"] = json!(true);
            script = script.call(api, version, documented);
        }
        scripts.push(script);
    }
}

fn broker_configs(scripts: &mut Vec<Script>) {
    let api = "DescribeConfigs";
    for (name, synonyms) in [("broker", false), ("broker-with-synonyms", true)] {
        scripts.push(Script::new(format!("configs/{name}")).call(
            api,
            4,
            json!({ "Resources": [resource(BROKER, "1", &Value::Null)], "IncludeSynonyms": synonyms }),
        ));
    }
}

fn setting(name: &str, value: &Value) -> Value {
    json!({ "Name": name, "Value": value })
}

fn alter(scripts: &mut Vec<Script>) {
    let api = "AlterConfigs";
    for version in 0..=2 {
        let ask = |kind: i8, name: &str, configs: Value, validate: Value| {
            json!({ "Resources": [{ "ResourceType": kind, "ResourceName": name, "Configs": configs }],
                "ValidateOnly": validate })
        };
        let one = json!([setting("retention.ms", &json!("99"))]);
        let shown = json!({ "Resources": [resource(TOPIC, "%T-a", &json!(["retention.ms", "segment.ms", "cleanup.policy"]))] });
        scripts.push(
            Script::new(format!("configs/alter-v{version}"))
                .topic("a", 1, &[("cleanup.policy", "compact")])
                .call(api, version, ask(TOPIC, "%T-a", one.clone(), json!(true)))
                .call("DescribeConfigs", 4, shown.clone())
                // The old call replaces everything: cleanup.policy falls back to its default.
                .call(api, version, ask(TOPIC, "%T-a", one.clone(), json!(false)))
                .call("DescribeConfigs", 4, shown.clone())
                .call(api, version, ask(TOPIC, "%T-a", json!([]), json!(false)))
                .call("DescribeConfigs", 4, shown)
                .call(api, version, ask(TOPIC, "%T-none", one.clone(), json!(false)))
                .call(api, version, ask(TOPIC, "bad name", one.clone(), json!(false)))
                .call(
                    api,
                    version,
                    ask(TOPIC, "%T-a", json!([setting("no.such", &json!("1"))]), json!(false)),
                )
                .call(
                    api,
                    version,
                    ask(TOPIC, "%T-a", json!([setting("retention.ms", &json!("x"))]), json!(false)),
                )
                .call(
                    api,
                    version,
                    ask(
                        TOPIC,
                        "%T-a",
                        json!([setting("retention.ms", &Value::Null)]),
                        json!(false),
                    ),
                )
                .call(api, version, ask(99, "%T-a", one.clone(), json!(false)))
                .call(api, version, ask(BROKER, "77", one.clone(), json!(true)))
                .call(api, version, ask(BROKER, "x", one, json!(true)))
                .call(api, version, json!({ "Resources": [] })),
        );
    }
}

fn incremental(scripts: &mut Vec<Script>) {
    let api = "IncrementalAlterConfigs";
    let change = |name: &str, operation: i8, value: Value| json!({ "Name": name, "ConfigOperation": operation, "Value": value });
    let (set, delete, append, subtract) = (0, 1, 2, 3);
    for version in 0..=1 {
        let ask = |name: &str, changes: Value| json!({ "Resources": [{ "ResourceType": TOPIC, "ResourceName": name, "Configs": changes }] });
        let mut validate = ask("%T-a", json!([change("segment.ms", set, json!("777"))]));
        validate["ValidateOnly"] = json!(true);
        let shown = json!({ "Resources": [resource(TOPIC, "%T-a",
            &json!(["retention.ms", "segment.ms", "cleanup.policy"]))] });
        let changes: Vec<Value> = vec![
            json!([change("retention.ms", set, json!("5"))]),
            json!([change("cleanup.policy", append, json!("compact"))]),
            json!([change("cleanup.policy", subtract, json!("delete"))]),
            json!([change("cleanup.policy", append, json!("compact"))]),
            json!([change("cleanup.policy", subtract, json!("compact"))]),
            json!([change("retention.ms", append, json!("6"))]),
            json!([change("retention.ms", subtract, json!("6"))]),
            json!([change("retention.ms", delete, Value::Null)]),
            json!([change("segment.ms", delete, Value::Null)]),
            json!([change("retention.ms", set, Value::Null)]),
            json!([change("retention.ms", set, json!("x"))]),
            json!([change("no.such.key", set, json!("x"))]),
            json!([change("no.such.key", delete, Value::Null)]),
            json!([change("retention.ms", 9, json!("1"))]),
            json!([change("retention.ms", -1, json!("1"))]),
            json!([
                change("retention.ms", set, json!("1")),
                change("retention.ms", set, json!("2"))
            ]),
            json!([
                change("retention.ms", set, json!("1")),
                change("retention.ms", delete, Value::Null)
            ]),
            json!([
                change("retention.ms", set, json!("1")),
                change("segment.ms", set, json!("bad"))
            ]),
            json!([]),
        ];
        let mut script = Script::new(format!("configs/incremental-v{version}"))
            .topic("a", 1, &[])
            .call(api, version, validate)
            .call("DescribeConfigs", 4, shown.clone());
        for change in changes {
            script = script.call(api, version, ask("%T-a", change)).call(
                "DescribeConfigs",
                4,
                shown.clone(),
            );
        }
        scripts.push(
            script
                .call(api, version, ask("%T-none", json!([change("retention.ms", set, json!("5"))])))
                .call(api, version, ask("bad name", json!([change("retention.ms", set, json!("5"))])))
                .call(api, version, json!({ "Resources": [
                    { "ResourceType": TOPIC, "ResourceName": "%T-a", "Configs": [change("retention.ms", set, json!("5"))] },
                    { "ResourceType": TOPIC, "ResourceName": "%T-a", "Configs": [change("retention.ms", set, json!("6"))] }] }))
                .call(api, version, json!({ "Resources": [
                    { "ResourceType": 99, "ResourceName": "x", "Configs": [change("retention.ms", set, json!("5"))] }] }))
                .call(api, version, json!({ "Resources": [
                    { "ResourceType": BROKER, "ResourceName": "77", "Configs": [change("num.io.threads", set, json!("5"))] }], "ValidateOnly": true }))
                .call(api, version, json!({ "Resources": [] })),
        );
    }
}

fn log_dirs(scripts: &mut Vec<Script>) {
    let api = "DescribeLogDirs";
    for version in 1..=5 {
        let ask = |topics: Value| json!({ "Topics": topics });
        scripts.push(
            Script::new(format!("logdirs/v{version}"))
                .only_own()
                .topic("a", 2, &[])
                .quiet("Produce", 9, produce(9, 0, 1, &json!([batch(&["a", "b"])])))
                .call(api, version, ask(json!([{ "Topic": "%T-a", "Partitions": [0, 1] }])))
                .call(api, version, ask(json!([{ "Topic": "%T-a", "Partitions": [0, 9] }])))
                .call(api, version, ask(json!([{ "Topic": "%T-none", "Partitions": [0] }])))
                .call(api, version, ask(json!([])))
                .call(api, version, ask(Value::Null)),
        );
    }
}

fn reassignments(scripts: &mut Vec<Script>) {
    let api = "ListPartitionReassignments";
    scripts.push(
        Script::new("reassignments/v0")
            .topic("a", 2, &[])
            .call(api, 0, json!({ "TimeoutMs": 10_000, "Topics": null }))
            .call(api, 0, json!({ "TimeoutMs": 10_000, "Topics": [] }))
            .call(api, 0, json!({ "TimeoutMs": 10_000, "Topics": [{ "Name": "%T-a", "PartitionIndexes": [0, 1, 9] }] }))
            .call(api, 0, json!({ "TimeoutMs": 10_000, "Topics": [{ "Name": "%T-none", "PartitionIndexes": [0] }] })),
    );
}

//! What is left of the grid of edges, API by API: repeated names, empty lists, unknown names and
//! numbers, in every version.

use serde_json::{Value, json};

use super::{batch, produce, with};
use crate::script::Script;

const UNKNOWN_ID: &str = "00112233445566778899aabbccddeeff";
const ZERO_ID: &str = "00000000000000000000000000000000";
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;

pub(super) fn cases(scripts: &mut Vec<Script>) {
    for version in 0..=6 {
        scripts.push(coordinators(version));
    }
    for version in 1..=6 {
        scripts.push(deletions(version));
    }
    for version in 1..=4 {
        scripts.push(described_twice(version));
    }
    for version in 0..=2 {
        scripts.push(replaced(version));
        scripts.push(elections(version));
    }
    for version in 1..=5 {
        scripts.push(log_dirs(version));
    }
    for version in 0..=1 {
        scripts.push(group_configs(version));
        scripts.push(quota_filters(version));
        scripts.push(config_resources(version));
        scripts.push(consumer_groups(version));
    }
    for version in 1..=2 {
        scripts.push(features(version));
    }
    for version in 1..=3 {
        scripts.push(acl_kinds(version));
    }
    scripts.push(producers());
    scripts.push(topic_partitions());
    scripts.push(scram());
    scripts.push(blanks());
}

fn coordinators(version: i16) -> Script {
    let script = super::groups::with_coordinator(format!("coordinators/edges-v{version}"));
    let ask = |key: Value, kind: i8| match version {
        0 => json!({ "Key": key }),
        1..=3 => json!({ "Key": key, "KeyType": kind }),
        _ => json!({ "CoordinatorKeys": [key, key], "KeyType": kind }),
    };
    let script = script.call("FindCoordinator", version, ask(json!("%T-g"), 0));
    if version == 0 {
        return script;
    }
    // Share groups' keys are group:topic id:partition.
    ["%T-g:", "::", "%T-g:AAAAAAAAAAAAAAAAAAAAAQ:x", "%T-g:AAAAAAAAAAAAAAAAAAAAAQ:-1"]
        .into_iter()
        .fold(script, |script, key| script.call("FindCoordinator", version, ask(json!(key), 2)))
        .call("FindCoordinator", version, ask(json!("%T-g"), 127))
}

fn deletions(version: i16) -> Script {
    let script = Script::new(format!("delete/edges-v{version}")).topic("a", 1, &[]);
    if version < 6 {
        let names = |names: Value| json!({ "TopicNames": names, "TimeoutMs": 30_000 });
        return script
            .call("DeleteTopics", version, names(json!(["%T-none", "%T-none"])))
            .call("DeleteTopics", version, names(json!(["%T-a", "%T-none", "%T-a"])))
            .call("DeleteTopics", version, names(json!(["%T-a"])));
    }
    let topic = |id: &str, name: Value| json!({ "TopicId": id, "Name": name });
    let topics = |topics: Value| json!({ "Topics": topics, "TimeoutMs": 30_000 });
    let (named, by_id) = (topic(ZERO_ID, json!("%T-a")), topic("$a", Value::Null));
    let unknown = topic(UNKNOWN_ID, Value::Null);
    [
        json!([unknown, unknown]),
        json!([by_id, by_id]),
        json!([named, by_id]),
        json!([topic(UNKNOWN_ID, json!("%T-a"))]),
        json!([unknown, named]),
    ]
    .into_iter()
    .fold(script, |script, list| script.call("DeleteTopics", version, topics(list)))
}

fn resource(kind: i8, name: &str, keys: Value) -> Value {
    json!({ "ResourceType": kind, "ResourceName": name, "ConfigurationKeys": keys })
}

fn described_twice(version: i16) -> Script {
    let one = resource(TOPIC, "%T-a", json!(["retention.ms"]));
    let other = resource(TOPIC, "%T-a", json!(["segment.ms"]));
    let ask = |resources: Value| json!({ "Resources": resources, "IncludeSynonyms": true });
    let mut script =
        Script::new(format!("configs/repeated-v{version}")).topic("a", 1, &[("retention.ms", "5")]);
    for resources in [
        json!([one, one]),
        json!([one, other]),
        json!([resource(TOPIC, "%T-a", json!(["retention.ms", "retention.ms"]))]),
        json!([resource(TOPIC, "%T-a", json!([""]))]),
        json!([resource(BROKER, "1", json!([]))]),
        json!([resource(BROKER, "01", json!(["num.partitions"]))]),
        json!([resource(BROKER, "-1", json!(["num.partitions"]))]),
        json!([resource(GROUP, "%T-g", json!(["consumer.session.timeout.ms"]))]),
        json!([resource(GROUP, "", json!([]))]),
        json!([resource(CLIENT_METRICS, "%T-m", json!([]))]),
        json!([resource(CLIENT_METRICS, "", json!([]))]),
        json!([resource(8, "", json!([])), resource(8, "77", json!([]))]),
    ] {
        script = script.call("DescribeConfigs", version, ask(resources));
    }
    script
}

fn replaced(version: i16) -> Script {
    let api = "AlterConfigs";
    let resource = |kind: i8, name: &str, key: &str, value: &str| {
        json!({ "ResourceType": kind, "ResourceName": name,
            "Configs": [{ "Name": key, "Value": value }] })
    };
    let ask =
        |resources: Value, only: bool| json!({ "Resources": resources, "ValidateOnly": only });
    let one = resource(TOPIC, "%T-a", "retention.ms", "5");
    let twice = json!([{ "ResourceType": TOPIC, "ResourceName": "%T-a", "Configs": [
        { "Name": "retention.ms", "Value": "1" }, { "Name": "retention.ms", "Value": "2" }] }]);
    let shown = json!({ "Resources": [{ "ResourceType": TOPIC, "ResourceName": "%T-a",
        "ConfigurationKeys": ["retention.ms"] }] });
    let mut script = Script::new(format!("configs/replaced-v{version}"))
        .topic("a", 1, &[])
        .call(api, version, ask(json!([one, one]), false))
        .call(api, version, ask(twice, false))
        .call("DescribeConfigs", 4, shown.clone());
    for (kind, name, key, value) in [
        (TOPIC, "%T-a", "", "1"),
        (GROUP, "%T-g", "consumer.session.timeout.ms", "50000"),
        (GROUP, "%T-g", "no.such", "1"),
        (GROUP, "", "consumer.session.timeout.ms", "50000"),
        (CLIENT_METRICS, "%T-m", "interval.ms", "1000"),
        (CLIENT_METRICS, "%T-m", "interval.ms", "x"),
        (CLIENT_METRICS, "", "interval.ms", "1000"),
        (8, "1", "kafka", "INFO"),
        (0, "x", "retention.ms", "1"),
    ] {
        script = script.call(api, version, ask(json!([resource(kind, name, key, value)]), true));
    }
    let some = json!([resource(TOPIC, "%T-none", "retention.ms", "1"), one]);
    script.call(api, version, ask(some, false)).call("DescribeConfigs", 4, shown)
}

fn elections(version: i16) -> Script {
    let api = "ElectLeaders";
    let ask = |topics: Value| {
        let mut body = json!({ "TopicPartitions": topics, "TimeoutMs": 10_000 });
        if version > 0 {
            body["ElectionType"] = json!(0);
        }
        body
    };
    let topic = |name: &str, partitions: Value| json!({ "Topic": name, "Partitions": partitions });
    let mut script =
        Script::new(format!("admin/elections-v{version}")).only_own().topic("a", 2, &[]);
    for topics in [
        Value::Null,
        json!([topic("%T-a", json!([]))]),
        json!([topic("%T-a", json!([0, 0]))]),
        json!([topic("%T-a", json!([0])), topic("%T-a", json!([0]))]),
        json!([topic("%T-a", json!([0])), topic("%T-a", json!([1]))]),
        json!([topic("bad name", json!([0]))]),
        json!([topic("", json!([-1]))]),
    ] {
        script = script.call(api, version, ask(topics));
    }
    script
}

fn log_dirs(version: i16) -> Script {
    let topic = |name: &str, partitions: Value| json!({ "Topic": name, "Partitions": partitions });
    let mut script = Script::new(format!("logdirs/edges-v{version}"))
        .only_own()
        .topic("a", 2, &[])
        .quiet("Produce", 9, produce(9, 0, 1, &json!([batch(&["a"])])));
    for topics in [
        json!([topic("%T-a", json!([]))]),
        json!([topic("%T-a", json!([0, 0]))]),
        json!([topic("%T-a", json!([0])), topic("%T-a", json!([1]))]),
        json!([topic("bad name", json!([0]))]),
    ] {
        script = script.call("DescribeLogDirs", version, json!({ "Topics": topics }));
    }
    script
}

fn group_configs(version: i16) -> Script {
    let api = "IncrementalAlterConfigs";
    let change = |name: &str, op: i8, value: Value| json!({ "Name": name, "ConfigOperation": op, "Value": value });
    let resource = |kind: i8, name: &str, configs: Value| json!({ "ResourceType": kind, "ResourceName": name, "Configs": configs });
    let ask =
        |resources: Value, only: bool| json!({ "Resources": resources, "ValidateOnly": only });
    let timeout = change("consumer.session.timeout.ms", 0, json!("50000"));
    let mut script = Script::new(format!("resources/validated-v{version}"));
    for resources in [
        json!([resource(GROUP, "%T-g", json!([timeout]))]),
        json!([
            resource(GROUP, "%T-g", json!([timeout])),
            resource(GROUP, "%T-g", json!([timeout]))
        ]),
        json!([resource(GROUP, "%T-g", json!([timeout, timeout]))]),
        json!([resource(
            GROUP,
            "%T-g",
            json!([change("consumer.session.timeout.ms", 2, json!("1"))])
        )]),
        json!([resource(GROUP, "%T-g", json!([change("no.such", 1, Value::Null)]))]),
        json!([resource(GROUP, "%T-g", json!([]))]),
        json!([resource(CLIENT_METRICS, "%T-m", json!([change("metrics", 2, json!("a"))]))]),
        json!([resource(CLIENT_METRICS, "%T-m", json!([change("metrics", 0, Value::Null)]))]),
        json!([resource(CLIENT_METRICS, "%T-m", json!([change("no.such", 1, Value::Null)]))]),
        json!([resource(CLIENT_METRICS, "%T-m", json!([]))]),
        json!([resource(BROKER, "1", json!([change("log.retention.ms", 0, json!("x"))]))]),
        json!([resource(BROKER, "1", json!([]))]),
        json!([resource(8, "1", json!([change("no.such.logger", 0, json!("INFO"))]))]),
        json!([resource(8, "1", json!([change("root", 0, json!("LOUD"))]))]),
        json!([resource(8, "77", json!([change("root", 0, json!("INFO"))]))]),
        json!([resource(0, "x", json!([timeout]))]),
    ] {
        script = script.call(api, version, ask(resources, true));
    }
    let shown = json!({ "Resources": [{ "ResourceType": GROUP, "ResourceName": "%T-g",
        "ConfigurationKeys": ["consumer.session.timeout.ms"] }] });
    script.call("DescribeConfigs", 4, shown)
}

fn quota_filters(version: i16) -> Script {
    let api = "DescribeClientQuotas";
    let part = |kind: &str, matches: i8, name: Option<&str>| json!({ "EntityType": kind, "MatchType": matches, "Match": name });
    let mut script = Script::new(format!("quotas/all-filters-v{version}"));
    let kinds = ["user", "client-id", "ip"];
    for strict in [false, true] {
        let ask = |parts: Value| json!({ "Components": parts, "Strict": strict });
        for kind in kinds {
            for (matches, name) in [(0, Some("%T-none")), (0, Some("")), (1, None), (2, None)] {
                let parts = json!([part(kind, matches, name)]);
                script = script.call(api, version, ask(parts));
            }
        }
        for (one, other) in
            [("user", "client-id"), ("user", "ip"), ("client-id", "ip"), ("ip", "ip")]
        {
            let parts = json!([part(one, 2, None), part(other, 2, None)]);
            script = script.call(api, version, ask(parts));
        }
        let parts = json!([part("user", 2, None), part("client-id", 2, None), part("ip", 2, None)]);
        script = script.call(api, version, ask(parts)).call(api, version, ask(json!([])));
    }
    // Every kind of entity with the default beside the named, and each key that it takes.
    let (rate, gone) = (
        |key: &str| json!([{ "Key": key, "Value": 9e8, "Remove": false }]),
        |key: &str| json!([{ "Key": key, "Value": 0.0, "Remove": true }]),
    );
    let sets: [(Value, &str); 4] = [
        (json!([{ "EntityType": "user", "EntityName": null }]), "request_percentage"),
        (json!([{ "EntityType": "client-id", "EntityName": null }]), "controller_mutation_rate"),
        (
            json!([{ "EntityType": "user", "EntityName": null },
                { "EntityType": "client-id", "EntityName": null }]),
            "consumer_byte_rate",
        ),
        (json!([{ "EntityType": "ip", "EntityName": "::1" }]), "connection_creation_rate"),
    ];
    let alter = |entity: &Value, ops: Value| json!({ "Entries": [{ "Entity": entity, "Ops": ops }], "ValidateOnly": false });
    for (entity, key) in &sets {
        script = script.call("AlterClientQuotas", version, alter(entity, rate(key)));
    }
    for parts in [
        json!([part("user", 1, None)]),
        json!([part("client-id", 1, None)]),
        json!([part("user", 1, None), part("client-id", 1, None)]),
        json!([part("ip", 0, Some("::1"))]),
        json!([]),
    ] {
        for strict in [false, true] {
            let body = json!({ "Components": parts, "Strict": strict });
            script = script.call(api, version, body);
        }
    }
    for (entity, key) in &sets {
        script = script.call("AlterClientQuotas", version, alter(entity, gone(key)));
    }
    script
}

fn config_resources(version: i16) -> Script {
    let api = "ListConfigResources";
    let mut script =
        Script::new(format!("admin/all-config-resources-v{version}")).only_own().topic("a", 1, &[]);
    let set = |kind: i8, name: &str, key: &str, op: i8, value: Value| {
        json!({ "Resources": [{ "ResourceType": kind, "ResourceName": name,
            "Configs": [{ "Name": key, "ConfigOperation": op, "Value": value }] }] })
    };
    let alter = "IncrementalAlterConfigs";
    script = script
        .quiet(alter, 1, set(CLIENT_METRICS, "%T-m", "interval.ms", 0, json!("1000")))
        .quiet(alter, 1, set(GROUP, "%T-g", "consumer.session.timeout.ms", 0, json!("50000")));
    if version == 0 {
        script = script.call(api, 0, json!({}));
    } else {
        for kinds in [
            json!([]),
            json!([TOPIC]),
            json!([GROUP]),
            json!([TOPIC, TOPIC]),
            json!([GROUP, CLIENT_METRICS]),
        ] {
            script = script.call(api, version, json!({ "ResourceTypes": kinds }));
        }
    }
    script.quiet(alter, 1, set(CLIENT_METRICS, "%T-m", "interval.ms", 1, Value::Null)).quiet(
        alter,
        1,
        set(GROUP, "%T-g", "consumer.session.timeout.ms", 1, Value::Null),
    )
}

fn consumer_groups(version: i16) -> Script {
    let ask = |groups: Value| json!({ "GroupIds": groups, "IncludeAuthorizedOperations": true });
    let script = super::groups::with_coordinator(format!("consumergroups/describe-v{version}"));
    let api = "ConsumerGroupDescribe";
    let script = super::groups::joined(script, 3);
    let script = [json!([]), json!(["%T-g", "%T-g"]), json!(["%T-g", "%T-none", ""])]
        .into_iter()
        .fold(script, |script, groups| script.call(api, version, ask(groups)));
    script.call("LeaveGroup", 3, super::groups::leave(3, "$m"))
}

fn features(version: i16) -> Script {
    let update = |name: &str, level: i16, kind: i8| json!({ "Feature": name, "MaxVersionLevel": level, "UpgradeType": kind });
    let ask = |updates: Value, only: bool| json!({ "timeoutMs": 10_000, "FeatureUpdates": updates, "ValidateOnly": only });
    let mut script = Script::new(format!("admin/features-validated-v{version}"));
    for (name, level, kind) in [
        ("group.version", 1, 1),
        ("group.version", 0, 1),
        ("group.version", 0, 2),
        ("group.version", 0, 3),
        ("group.version", 2, 1),
        ("group.version", 1, 0),
        ("group.version", -1, 1),
        ("metadata.version", 29, 2),
        ("metadata.version", 30, 1),
        ("", 1, 1),
        ("nope", 1, 2),
        ("nope", 0, 2),
    ] {
        script =
            script.call("UpdateFeatures", version, ask(json!([update(name, level, kind)]), true));
    }
    let same = update("group.version", 1, 1);
    script.call("UpdateFeatures", version, ask(json!([same, same]), true)).call(
        "UpdateFeatures",
        version,
        ask(json!([same, update("group.version", 0, 2)]), true),
    )
}

/// An unsecured broker looks at nothing of what it is asked.
fn acl_kinds(version: i16) -> Script {
    let filter = |kind: i8, pattern: i8, operation: i8, permission: i8| {
        json!({ "ResourceTypeFilter": kind, "ResourceNameFilter": "x", "PatternTypeFilter": pattern,
            "PrincipalFilter": "User:x", "HostFilter": "*", "Operation": operation,
            "PermissionType": permission })
    };
    let creation = |kind: i8, pattern: i8, principal: &str| {
        json!({ "ResourceType": kind, "ResourceName": "%T-a", "ResourcePatternType": pattern,
            "Principal": principal, "Host": "*", "Operation": 3, "PermissionType": 3 })
    };
    let mut script = Script::new(format!("admin/acl-kinds-v{version}"));
    for (kind, pattern, operation, permission) in
        [(0, 1, 1, 1), (99, 1, 1, 1), (2, 0, 1, 1), (2, 3, 0, 1), (2, 3, 3, 0), (2, 3, 3, 3)]
    {
        let filter = filter(kind, pattern, operation, permission);
        script = script.call("DescribeAcls", version, filter.clone()).call(
            "DeleteAcls",
            version,
            json!({ "Filters": [filter] }),
        );
    }
    for (kind, pattern, principal) in
        [(0, 3, "User:x"), (99, 3, "User:x"), (2, 1, "User:x"), (2, 3, "nobody"), (2, 4, "")]
    {
        let body = json!({ "Creations": [creation(kind, pattern, principal)] });
        script = script.call("CreateAcls", version, body);
    }
    script.call("CreateAcls", version, json!({ "Creations": [] })).call(
        "DeleteAcls",
        version,
        json!({ "Filters": [] }),
    )
}

fn producers() -> Script {
    let topic =
        |name: &str, partitions: Value| json!({ "Name": name, "PartitionIndexes": partitions });
    let put = json!([with(
        batch(&["x"]),
        &json!({ "producer_id": 940_000, "producer_epoch": 2, "base_sequence": 0 })
    )]);
    let mut script = Script::new("producerids/described").topic("a", 2, &[]).quiet(
        "Produce",
        9,
        produce(9, 0, -1, &put),
    );
    for topics in [
        json!([]),
        json!([topic("%T-a", json!([]))]),
        json!([topic("%T-a", json!([0, 0]))]),
        json!([topic("%T-a", json!([0])), topic("%T-a", json!([1]))]),
        json!([topic("%T-a", json!([9, -1]))]),
        json!([topic("%T-none", json!([0])), topic("bad name", json!([0]))]),
    ] {
        script = script.call("DescribeProducers", 0, json!({ "Topics": topics }));
    }
    script
}

fn topic_partitions() -> Script {
    let api = "DescribeTopicPartitions";
    let ask = |names: &[&str], limit: i32, cursor: Value| {
        let topics: Vec<Value> = names.iter().map(|name| json!({ "Name": name })).collect();
        let mut body = json!({ "Topics": topics, "ResponsePartitionLimit": limit });
        if !cursor.is_null() {
            body["Cursor"] = cursor;
        }
        body
    };
    let at =
        |topic: &str, partition: i32| json!({ "TopicName": topic, "PartitionIndex": partition });
    Script::new("topicpartitions/edges-v0")
        .only_own()
        .topic("a", 2, &[])
        .call(api, 0, ask(&["%T-a", "%T-a"], 2000, Value::Null))
        .call(api, 0, ask(&["", "%T-a"], 2000, Value::Null))
        .call(api, 0, ask(&["%T-none", "%T-a", "%T-zzz"], 1, Value::Null))
        .call(api, 0, ask(&["%T-a"], 1, at("", 0)))
        .call(api, 0, ask(&["%T-a"], 1, at("%T-a", 2)))
        .call(api, 0, ask(&["%T-a"], 1, at("%T-a", 1)))
        .call(api, 0, ask(&["%T-a"], i32::MAX, Value::Null))
        .call(api, 0, ask(&["%T-a"], i32::MIN, Value::Null))
}

fn scram() -> Script {
    let script = Script::new("admin/scram-edges-v0");
    [json!([]), json!([{ "Name": "" }, { "Name": "" }])]
        .into_iter()
        .fold(script, |script, users| {
            script.call("DescribeUserScramCredentials", 0, json!({ "Users": users }))
        })
}

/// Values with blanks around them: what is told at the creation, and what afterwards.
fn blanks() -> Script {
    let configs = json!([
        { "Name": "retention.ms", "Value": " 7 " },
        { "Name": "cleanup.policy", "Value": " compact , delete" },
        { "Name": "compression.type", "Value": " zstd" },
        { "Name": "preallocate", "Value": " TRUE " },
    ]);
    let mut topic = json!({ "Name": "%T-b", "NumPartitions": 1, "ReplicationFactor": 1 });
    topic["Configs"] = configs;
    let keys = json!(["retention.ms", "cleanup.policy", "compression.type", "preallocate"]);
    let shown = json!({ "Resources": [resource(TOPIC, "%T-b", keys)], "IncludeSynonyms": true });
    Script::new("configs/blanks")
        .owns("b")
        .call("CreateTopics", 7, json!({ "Topics": [topic], "timeoutMs": 30_000 }))
        .until("DescribeConfigs", 4, shown.clone(), "/Results/0/ErrorCode", json!(0))
        .call("DescribeConfigs", 4, shown)
}

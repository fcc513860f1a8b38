//! Configurations of brokers, groups and client metrics; each case takes away what it set.

use serde_json::{Value, json};

use crate::script::Script;

const BROKER: i8 = 4;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;

pub(super) fn cases(scripts: &mut Vec<Script>) {
    scripts.push(named_broker());
    scripts.push(all_brokers());
    scripts.push(replaced());
    scripts.push(broker_refusals());
    scripts.push(groups());
    scripts.push(group_values());
    scripts.push(client_metrics());
    scripts.push(client_metrics_values());
}

fn change(name: &str, op: i8, value: &Value) -> Value {
    json!({ "Name": name, "ConfigOperation": op, "Value": value })
}

fn alter(script: Script, kind: i8, name: &str, changes: &[Value]) -> Script {
    let resource = json!({ "ResourceType": kind, "ResourceName": name, "Configs": changes });
    let body = json!({ "Resources": [resource], "ValidateOnly": false });
    script.call("IncrementalAlterConfigs", 1, body)
}

fn set(script: Script, kind: i8, resource: &str, name: &str, value: &str) -> Script {
    alter(script, kind, resource, &[change(name, SET, &json!(value))])
}

fn unset(script: Script, kind: i8, resource: &str, names: &[&str]) -> Script {
    let changes: Vec<Value> = names.iter().map(|name| change(name, DELETE, &Value::Null)).collect();
    alter(script, kind, resource, &changes)
}

fn describe(script: Script, kind: i8, name: &str, keys: &Value) -> Script {
    let resource = json!({ "ResourceType": kind, "ResourceName": name, "ConfigurationKeys": keys });
    let body = json!({ "Resources": [resource], "IncludeSynonyms": true });
    script.call("DescribeConfigs", 4, body)
}

/// As [`describe`], repeated until the first configuration has this value: brokers apply what the
/// controller stored a little later.
fn describe_once(script: Script, name: &str, keys: &Value, value: &Value) -> Script {
    let resource =
        json!({ "ResourceType": BROKER, "ResourceName": name, "ConfigurationKeys": keys });
    let body = json!({ "Resources": [resource], "IncludeSynonyms": true });
    let script =
        script.until("DescribeConfigs", 4, body, "/Results/0/Configs/0/Value", value.clone());
    describe(script, BROKER, name, keys)
}

/// As [`describe_once`], until the configuration is set for all brokers.
fn describe_set(script: Script, keys: &Value, name: &str) -> Script {
    let resource = json!({ "ResourceType": BROKER, "ResourceName": "", "ConfigurationKeys": keys });
    let body = json!({ "Resources": [resource], "IncludeSynonyms": true });
    let script = script.until("DescribeConfigs", 4, body, "/Results/0/Configs/0/Name", json!(name));
    describe(script, BROKER, "", keys)
}

fn named_broker() -> Script {
    let keys = json!(["log.retention.ms"]);
    let script = Script::new("resources/named-broker");
    let script = set(script, BROKER, "1", "log.retention.ms", "7654321");
    let script = describe_once(script, "1", &keys, &json!("7654321"));
    let script = set(script, BROKER, "", "log.retention.ms", "1234567");
    let script = describe_once(script, "", &keys, &json!("1234567"));
    let script = describe_once(script, "1", &keys, &json!("7654321"));
    let script = describe(script, BROKER, "1", &json!(["log.retention.hours"]));
    let script = unset(script, BROKER, "1", &["log.retention.ms"]);
    let script = describe_once(script, "1", &keys, &json!("1234567"));
    let script = unset(script, BROKER, "", &["log.retention.ms"]);
    describe_once(script, "1", &keys, &Value::Null)
}

fn all_brokers() -> Script {
    let mut script = Script::new("resources/all-brokers");
    for (name, value) in [
        ("log.segment.bytes", "2097152"),
        ("message.max.bytes", "2000000"),
        ("compression.type", "zstd"),
        ("log.cleanup.policy", "compact,delete"),
        ("log.cleaner.backoff.ms", "1000"),
        ("unclean.leader.election.enable", "true"),
        ("max.connections.per.ip", "1000"),
        ("log.flush.interval.ms", "100000"),
        ("log.message.timestamp.type", "LogAppendTime"),
        ("no.such.configuration", "1"),
    ] {
        let keys = json!([name]);
        script = set(script, BROKER, "", name, value);
        script = describe_set(script, &keys, name);
        script = unset(script, BROKER, "", &[name]);
    }
    let list = [change("log.cleanup.policy", APPEND, &json!("compact"))];
    script = alter(script, BROKER, "", &list);
    script = describe_set(script, &json!(["log.cleanup.policy"]), "log.cleanup.policy");
    unset(script, BROKER, "", &["log.cleanup.policy"])
}

fn replaced() -> Script {
    let replace = |script: Script, configs: Value| {
        let resource = json!({ "ResourceType": BROKER, "ResourceName": "1", "Configs": configs });
        script.call("AlterConfigs", 2, json!({ "Resources": [resource], "ValidateOnly": false }))
    };
    let setting = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    let script = Script::new("resources/replaced");
    let script = set(script, BROKER, "1", "log.retention.bytes", "5000");
    let script = replace(script, json!([setting("log.flush.interval.ms", "90000")]));
    let keys = json!(["log.flush.interval.ms"]);
    let script = describe_once(script, "1", &keys, &json!("90000"));
    let script = describe(script, BROKER, "1", &json!(["log.retention.bytes"]));
    let script = replace(script, json!([]));
    describe_once(script, "1", &keys, &Value::Null)
}

fn broker_refusals() -> Script {
    let mut script = Script::new("resources/broker-refusals");
    for (name, value) in [
        ("num.partitions", "3"),
        ("node.id", "2"),
        ("log.dirs", "/tmp/x"),
        ("auto.create.topics.enable", "false"),
        ("log.retention.ms", "x"),
        ("log.segment.bytes", "10"),
        ("compression.type", "none at all"),
        ("message.max.bytes", "-1"),
        ("min.insync.replicas", "0"),
        ("log.cleanup.policy", "nothing"),
        ("ssl.keystore.location", "/tmp/x"),
    ] {
        script = set(script, BROKER, "1", name, value);
        script = set(script, BROKER, "", name, value);
    }
    script = set(script, BROKER, "77", "log.retention.ms", "1000");
    script = set(script, BROKER, "x", "log.retention.ms", "1000");
    alter(script, BROKER, "1", &[change("log.retention.ms", 9, &json!("1"))])
}

fn groups() -> Script {
    let all = Value::Null;
    let script = Script::new("resources/groups");
    let script = describe(script, GROUP, "%T-g", &all);
    let script = set(script, GROUP, "%T-g", "consumer.session.timeout.ms", "50000");
    let script = set(script, GROUP, "%T-g", "consumer.heartbeat.interval.ms", "7000");
    let script = describe(script, GROUP, "%T-g", &all);
    let script =
        describe(script, GROUP, "%T-g", &json!(["consumer.session.timeout.ms", "no.such"]));
    let script = describe(script, GROUP, "", &all);
    let script =
        script.call("ListConfigResources", 1, json!({ "ResourceTypes": [GROUP] })).only_own();
    let script = unset(
        script,
        GROUP,
        "%T-g",
        &["consumer.session.timeout.ms", "consumer.heartbeat.interval.ms"],
    );
    let script = describe(script, GROUP, "%T-g", &json!(["consumer.session.timeout.ms"]));
    unset(script, GROUP, "%T-g", &["consumer.session.timeout.ms"])
}

fn group_values() -> Script {
    let mut script = Script::new("resources/group-values");
    for (name, value) in [
        ("consumer.session.timeout.ms", "44999"),
        ("consumer.session.timeout.ms", "60001"),
        ("consumer.session.timeout.ms", "60000"),
        ("consumer.session.timeout.ms", "x"),
        ("consumer.session.timeout.ms", "0"),
        ("consumer.heartbeat.interval.ms", "4999"),
        ("consumer.heartbeat.interval.ms", "15001"),
        ("consumer.heartbeat.interval.ms", "15000"),
        ("consumer.assignment.interval.ms", "15001"),
        ("consumer.assignment.interval.ms", "0"),
        ("share.session.timeout.ms", "44999"),
        ("share.record.lock.duration.ms", "60001"),
        ("share.auto.offset.reset", "nowhere"),
        ("streams.num.standby.replicas", "3"),
        ("no.such.configuration", "1"),
    ] {
        script = set(script, GROUP, "%T-g", name, value);
    }
    script = set(script, GROUP, "", "consumer.session.timeout.ms", "50000");
    let names = [
        "consumer.session.timeout.ms",
        "consumer.heartbeat.interval.ms",
        "consumer.assignment.interval.ms",
    ];
    unset(script, GROUP, "%T-g", &names)
}

fn client_metrics() -> Script {
    let all = Value::Null;
    let script = Script::new("resources/client-metrics");
    let script = describe(script, CLIENT_METRICS, "%T-m", &all);
    let script = set(script, CLIENT_METRICS, "%T-m", "interval.ms", "1000");
    let script = set(script, CLIENT_METRICS, "%T-m", "metrics", "org.apache.kafka.,other");
    let script =
        set(script, CLIENT_METRICS, "%T-m", "match", "client_id=abc,client_software_name=x.*");
    let script = describe(script, CLIENT_METRICS, "%T-m", &all);
    let script = script
        .call("ListConfigResources", 1, json!({ "ResourceTypes": [CLIENT_METRICS] }))
        .only_own();
    let script = unset(script, CLIENT_METRICS, "%T-m", &["interval.ms", "metrics", "match"]);
    let script = describe(script, CLIENT_METRICS, "%T-m", &all);
    describe(script, CLIENT_METRICS, "", &all)
}

fn client_metrics_values() -> Script {
    let mut script = Script::new("resources/client-metrics-values");
    for (name, value) in [
        ("interval.ms", "99"),
        ("interval.ms", "100"),
        ("interval.ms", "3600001"),
        ("interval.ms", "x"),
        ("match", "client_id"),
        ("match", "client_id="),
        ("match", "nobody=x"),
        ("match", "client_id=["),
        ("match", "client_id=a,client_id=b"),
        ("match", ""),
        ("metrics", ""),
        ("metrics", "*"),
        ("no.such", "1"),
    ] {
        script = set(script, CLIENT_METRICS, "%T-m", name, value);
    }
    script = set(script, CLIENT_METRICS, "", "interval.ms", "1000");
    unset(script, CLIENT_METRICS, "%T-m", &["interval.ms", "match", "metrics"])
}

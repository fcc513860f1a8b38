//! `controller_mutation_rate`: what becomes of who creates and deletes more than it may (KIP-599).
//!
//! The client that is held to a rate is the case's own (`%T-c`); everything else is asked by another
//! one, over its connection. The client gets into debt by one request for many partitions, and the
//! debt takes longer to pay off than any run does, so that nothing here depends on the time. Who is told
//! to wait is not heard on that connection meanwhile: each of its requests has a new one.

use std::time::Duration;

use serde_json::{Value, json};

use super::quotas::{Entity, alter, component, describe, remove, set};
use crate::script::{Script, Step};

/// Partitions of the request that overdraws a bucket of eleven.
const MANY: i32 = 400;
const CLIENT: &str = "%T-c";
const ENTITY: Entity<'_> = &[("client-id", Some(CLIENT))];
const KEY: &str = "controller_mutation_rate";
/// Kafka's controller hears of a quota a little after whoever sets it has been answered, and its
/// broker of a topic.
const HEARD: Duration = Duration::from_millis(250);

pub(super) fn cases(scripts: &mut Vec<Script>) {
    scripts.push(stored());
    for version in 2..=7 {
        scripts.push(creations(version));
    }
    for version in 1..=6 {
        scripts.push(deletions(version));
    }
    for version in 0..=3 {
        scripts.push(more_partitions(version));
    }
    scripts.push(refused_besides());
    scripts.push(within());
    scripts.push(by_asking());
    scripts.push(others());
    scripts.push(lifted());
}

/// A script whose client is held to `rate`.
fn held(name: String, rate: f64) -> Script {
    let script = Script::new(name).tells_waits();
    alter(script, 1, ENTITY, &json!([set(KEY, rate)])).pause(HEARD)
}

/// Takes the rate away, so that the topics can be deleted by whoever made them.
fn freed(script: Script) -> Script {
    alter(script.step(Step::Reconnect), 1, ENTITY, &json!([remove(KEY)]))
}

/// A request of the client that is held to a rate, over a connection that nobody is waiting on.
fn asked(script: Script, api: &str, version: i16, body: Value) -> Script {
    script.step(Step::Reconnect).call(api, version, body).by(CLIENT).step(Step::Reconnect)
}

fn new_topics(topics: &[(&str, i32)], only: bool) -> Value {
    let topic = |(name, partitions): &(&str, i32)| json!({ "Name": name, "NumPartitions": partitions, "ReplicationFactor": 1 });
    json!({ "Topics": topics.iter().map(topic).collect::<Vec<_>>(), "timeoutMs": 30_000,
        "validateOnly": only })
}

/// Which of these topics there are.
fn listed(script: Script, names: &[&str]) -> Script {
    let script = script.pause(HEARD);
    let topics: Vec<Value> = names.iter().map(|name| json!({ "Name": name })).collect();
    script.call("Metadata", 12, json!({ "Topics": topics, "AllowAutoTopicCreation": false }))
}

/// Puts the client into debt.
fn overdrawn(script: Script) -> Script {
    asked(script, "CreateTopics", 7, new_topics(&[("%T-many", MANY)], true))
}

fn stored() -> Script {
    let mut script = Script::new("mutations/stored");
    for value in [0.0, -1.0, 0.001, 1.5, 1e30] {
        script = alter(script, 1, ENTITY, &json!([set(KEY, value)]));
    }
    let client = component("client-id", 0, Some(CLIENT));
    script = describe(script, 1, std::slice::from_ref(&client), true);
    for parts in [&[("user", None)][..], &[("user", Some("%T-u")), ("client-id", None)][..]] {
        script = alter(script, 1, parts, &json!([set(KEY, 2.0)]));
        script = alter(script, 1, parts, &json!([remove(KEY)]));
    }
    script = alter(script, 1, &[("ip", Some("203.0.113.7"))], &json!([set(KEY, 2.0)]));
    script = alter(script, 1, ENTITY, &json!([remove(KEY)]));
    describe(script, 1, &[client], true)
}

fn creations(version: i16) -> Script {
    let api = "CreateTopics";
    let body = new_topics;
    let script = held(format!("mutations/create-v{version}"), 1.0)
        .owns("first")
        .owns("second")
        .owns("third")
        .owns("fourth");
    // What is only looked at counts as well.
    let script = asked(script, api, version, body(&[("%T-none", MANY)], true));
    let script = asked(script, api, version, body(&[("%T-first", 1), ("%T-second", 2)], false));
    let script = asked(script, api, version, body(&[("%T-third", 1)], true));
    let script = freed(script).pause(HEARD);
    let script = asked(script, api, version, body(&[("%T-fourth", 1)], false));
    listed(script, &["%T-first", "%T-second", "%T-third", "%T-fourth"])
}

fn deletions(version: i16) -> Script {
    let api = "DeleteTopics";
    let body = |name: &str| match version {
        6 => json!({ "Topics": [{ "Name": name, "TopicId": "00000000000000000000000000000000" }],
            "TimeoutMs": 30_000 }),
        _ => json!({ "TopicNames": [name], "TimeoutMs": 30_000 }),
    };
    let script = Script::new(format!("mutations/delete-v{version}"))
        .tells_waits()
        .topic("large", 40, &[])
        .topic("small", 1, &[]);
    let script = alter(script, 1, ENTITY, &json!([set(KEY, 0.2)])).pause(HEARD);
    let script = asked(script, api, version, body("%T-large"));
    let script = if version == 6 {
        let by_id =
            json!({ "Topics": [{ "Name": null, "TopicId": "$small" }], "TimeoutMs": 30_000 });
        asked(script, api, version, by_id)
    } else {
        script
    };
    let script = asked(script, api, version, body("%T-small"));
    let script = asked(script, api, version, body("%T-none"));
    let script = freed(script);
    listed(script, &["%T-large", "%T-small"])
}

fn more_partitions(version: i16) -> Script {
    let api = "CreatePartitions";
    let body = |topics: &[(&str, i32)], only: bool| {
        let topic = |(name, count): &(&str, i32)| json!({ "Name": name, "Count": count, "Assignments": null });
        json!({ "Topics": topics.iter().map(topic).collect::<Vec<_>>(), "TimeoutMs": 30_000,
            "ValidateOnly": only })
    };
    let script = Script::new(format!("mutations/partitions-v{version}"))
        .tells_waits()
        .topic("a", 1, &[])
        .topic("b", 1, &[]);
    let script = alter(script, 1, ENTITY, &json!([set(KEY, 0.2)])).pause(HEARD);
    let script = asked(script, api, version, body(&[("%T-a", 41)], true));
    let script = asked(script, api, version, body(&[("%T-a", 2), ("%T-b", 3)], false));
    let script = asked(script, api, version, body(&[("%T-a", 0)], false));
    let script = asked(script, api, version, body(&[("%T-none", 2)], false));
    let script = freed(script);
    // Three are one more than two, and no more than three.
    script.call("CreatePartitions", 3, body(&[("%T-a", 3)], true)).call(
        "CreatePartitions",
        3,
        body(&[("%T-b", 3)], true),
    )
}

/// What is refused for another reason, by a client in debt.
fn refused_besides() -> Script {
    let api = "CreateTopics";
    let script = overdrawn(held("mutations/refused-besides".to_owned(), 1.0).topic("a", 1, &[]));
    let wrong = [
        new_topics(&[("%T-a", 1)], false),
        new_topics(&[("bad name", 1)], false),
        new_topics(&[("%T-x", 0)], false),
        new_topics(&[("%T-x", 1), ("%T-x", 1)], false),
        json!({ "Topics": [{ "Name": "%T-x", "NumPartitions": 1, "ReplicationFactor": 3 }],
            "timeoutMs": 30_000, "validateOnly": false }),
        json!({ "Topics": [{ "Name": "%T-x", "NumPartitions": 1, "ReplicationFactor": 1,
            "Configs": [{ "Name": "no.such", "Value": "1" }] }],
            "timeoutMs": 30_000, "validateOnly": false }),
        json!({ "Topics": [], "timeoutMs": 30_000, "validateOnly": false }),
    ];
    freed(wrong.into_iter().fold(script, |script, body| asked(script, api, 7, body)))
}

/// Within its rate nobody waits; what comes behind the request that overdraws does.
fn within() -> Script {
    let api = "CreateTopics";
    let script = held("mutations/within".to_owned(), 1.0).owns("a").owns("b");
    let script = asked(script, api, 7, new_topics(&[("%T-a", 3)], false));
    let both = [("%T-b", 100), ("%T-x", 1), ("%T-y", 1)];
    let script = freed(asked(script, api, 7, new_topics(&both, false)));
    listed(script, &["%T-a", "%T-x", "%T-y"])
}

/// Topics that come up by being asked for.
fn by_asking() -> Script {
    let body = json!({ "Topics": [{ "Name": "%T-auto" }], "AllowAutoTopicCreation": true });
    let script = overdrawn(held("mutations/by-asking".to_owned(), 1.0)).owns("auto");
    let script = asked(script, "Metadata", 12, body);
    freed(listed(script, &["%T-auto"]))
}

/// Another client and another connection are nobody's business, nor is what does not change topics.
fn others() -> Script {
    let api = "CreateTopics";
    let script = overdrawn(held("mutations/others".to_owned(), 1.0)).owns("a").owns("b");
    let script = script.call(api, 7, new_topics(&[("%T-a", 1)], false));
    let script = asked(
        script,
        "IncrementalAlterConfigs",
        1,
        json!({ "Resources": [{ "ResourceType": 2, "ResourceName": "%T-none", "Configs": [] }],
            "ValidateOnly": true }),
    );
    let find = json!({ "Components": [component("client-id", 0, Some(CLIENT))], "Strict": true });
    let script = asked(script, "DescribeClientQuotas", 1, find);
    let script = script.call(api, 7, new_topics(&[("%T-b", 1)], false)).by("%T-d");
    freed(script)
}

/// A higher rate pays the debt off sooner.
fn lifted() -> Script {
    let api = "CreateTopics";
    let script = overdrawn(held("mutations/lifted".to_owned(), 1.0)).owns("a").owns("b");
    let script = asked(script, api, 7, new_topics(&[("%T-a", 1)], false));
    let script = alter(script, 1, ENTITY, &json!([set(KEY, 100_000.0)])).pause(HEARD);
    freed(asked(script, api, 7, new_topics(&[("%T-b", 1)], false)))
}

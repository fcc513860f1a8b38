//! What is left of the administration of one unsecured node: reassignments, elections, the
//! quorum, credentials, entries of access control, transactions by name.

use serde_json::{Value, json};

use crate::script::Script;

pub(super) fn cases(scripts: &mut Vec<Script>) {
    for version in 0..=1 {
        scripts.push(reassign(version));
        scripts.push(resources(version));
    }
    for version in 0..=2 {
        scripts.push(elect(version));
        scripts.push(quorum(version));
        scripts.push(features(version));
        scripts.push(list_transactions(version));
        scripts.push(Script::new(format!("admin/sasl-authenticate-v{version}")).call(
            "SaslAuthenticate",
            version,
            json!({ "AuthBytes": "" }),
        ));
    }
    for version in 1..=3 {
        scripts.push(acls(version));
    }
    for version in 0..=1 {
        scripts.push(Script::new(format!("admin/sasl-handshake-v{version}")).call(
            "SaslHandshake",
            version,
            json!({ "Mechanism": "PLAIN" }),
        ));
    }
    for version in 1..=3 {
        scripts.push(tokens(version));
    }
    for version in 1..=2 {
        scripts.push(move_to_log_dirs(version));
    }
    scripts.push(unregister());
    scripts.push(scram());
    scripts.push(Script::new("admin/describe-transactions-v0").call(
        "DescribeTransactions",
        0,
        json!({ "TransactionalIds": ["%T-none", ""] }),
    ));
    scripts.push(patterns_of_transactions());
}

/// Delegation tokens over PLAINTEXT. Two of the four requests have no version 3.
fn tokens(version: i16) -> Script {
    let script = Script::new(format!("admin/delegation-tokens-v{version}"))
        .call("CreateDelegationToken", version, json!({ "Renewers": [], "MaxLifetimeMs": -1 }))
        .call("DescribeDelegationToken", version, json!({ "Owners": null }))
        .call("DescribeDelegationToken", version, json!({ "Owners": [] }));
    if version > 2 {
        return script;
    }
    script
        .call("RenewDelegationToken", version, json!({ "Hmac": "00ff", "RenewPeriodMs": -1 }))
        .call("ExpireDelegationToken", version, json!({ "Hmac": "00ff", "ExpiryTimePeriodMs": -1 }))
}

/// Log dirs that do not exist. One that does has another name on each broker.
fn move_to_log_dirs(version: i16) -> Script {
    let script = Script::new(format!("admin/move-to-log-dirs-v{version}")).topic("a", 1, &[]);
    let places = [("/no/such/dir", "%T-a", 0), ("/no/such/dir", "%T-none", 0), ("dir", "%T-a", 9)];
    let script = places.into_iter().fold(script, |script, (path, name, partition)| {
        let topics = json!([{ "Name": name, "Partitions": [partition] }]);
        let body = json!({ "Dirs": [{ "Path": path, "Topics": topics }] });
        script.call("AlterReplicaLogDirs", version, body)
    });
    script.call("AlterReplicaLogDirs", version, json!({ "Dirs": [] }))
}

fn unregister() -> Script {
    let script = Script::new("admin/unregister-broker-v0");
    [7, -1, i32::MAX]
        .into_iter()
        .fold(script, |script, id| script.call("UnregisterBroker", 0, json!({ "BrokerId": id })))
}

fn reassign(version: i16) -> Script {
    let mut script = Script::new(format!("admin/reassign-v{version}")).topic("a", 2, &[]);
    for replicas in [json!([1]), Value::Null, json!([]), json!([1, 1]), json!([2]), json!([1, 2])] {
        let partitions = json!([{ "PartitionIndex": 0, "Replicas": replicas }]);
        let topics = json!([{ "Name": "%T-a", "Partitions": partitions }]);
        let body = json!({ "TimeoutMs": 10_000, "Topics": topics });
        script = script.call("AlterPartitionReassignments", version, body);
    }
    for (topic, index) in [("%T-a", 9), ("%T-none", 0)] {
        let partitions = json!([{ "PartitionIndex": index, "Replicas": [1] }]);
        let topics = json!([{ "Name": topic, "Partitions": partitions }]);
        let body = json!({ "TimeoutMs": 10_000, "Topics": topics });
        script = script.call("AlterPartitionReassignments", version, body);
    }
    script.call("AlterPartitionReassignments", version, json!({ "Topics": [] }))
}

/// Levels that change nothing, and all that is refused. Version 0 knows no upgrade type.
fn features(version: i16) -> Script {
    let mut bodies = Vec::new();
    let mut call = |updates: &[(&str, i16, i8)]| {
        let update = |(feature, level, kind): &(&str, i16, i8)| {
            let mut body = json!({ "Feature": feature, "MaxVersionLevel": level });
            if version == 0 {
                body["AllowDowngrade"] = json!(*kind != 1);
            } else {
                body["UpgradeType"] = json!(kind);
            }
            body
        };
        let updates: Vec<Value> = updates.iter().map(update).collect();
        bodies.push(json!({ "timeoutMs": 10_000, "FeatureUpdates": updates }));
    };
    call(&[]);
    call(&[("metadata.version", 30, 1)]);
    for level in [31, 29, 7, 6, 0, -1] {
        for kind in [1, 2, 3] {
            call(&[("metadata.version", level, kind)]);
        }
    }
    call(&[("metadata.version", 30, 0)]);
    call(&[("metadata.version", 30, 9)]);
    call(&[("nope", 1, 1)]);
    call(&[("nope", 0, 1)]);
    call(&[("group.version", 2, 1)]);
    call(&[("group.version", 0, 1)]);
    call(&[("group.version", 1, 1), ("nope", 1, 1)]);
    call(&[("group.version", 1, 1), ("metadata.version", 30, 1)]);
    let script = Script::new(format!("admin/features-v{version}"));
    bodies.into_iter().fold(script, |script, body| script.call("UpdateFeatures", version, body))
}

fn elect(version: i16) -> Script {
    let mut script = Script::new(format!("admin/elect-v{version}")).topic("a", 2, &[]);
    let kinds: &[i8] = if version == 0 { &[0] } else { &[0, 1, 7] };
    for kind in kinds {
        let topics = json!([
            { "Topic": "%T-a", "Partitions": [0, 1, 9] },
            { "Topic": "%T-none", "Partitions": [0] },
        ]);
        let mut body = json!({ "TopicPartitions": topics, "TimeoutMs": 10_000 });
        if version > 0 {
            body["ElectionType"] = json!(kind);
        }
        script = script.call("ElectLeaders", version, body);
    }
    script.call("ElectLeaders", version, json!({ "TopicPartitions": [], "TimeoutMs": 10_000 }))
}

fn quorum(version: i16) -> Script {
    let ask = |topic: &str, partitions: &[i32]| {
        let partitions: Vec<Value> =
            partitions.iter().map(|index| json!({ "PartitionIndex": index })).collect();
        json!({ "Topics": [{ "TopicName": topic, "Partitions": partitions }] })
    };
    Script::new(format!("admin/quorum-v{version}"))
        .call("DescribeQuorum", version, ask("__cluster_metadata", &[0]))
        .call("DescribeQuorum", version, ask("__cluster_metadata", &[1]))
        .call("DescribeQuorum", version, ask("%T-none", &[0]))
}

fn resources(version: i16) -> Script {
    let mut script = Script::new(format!("admin/config-resources-v{version}"));
    if version == 0 {
        return script.call("ListConfigResources", 0, json!({}));
    }
    for kinds in [json!([4]), json!([8]), json!([16]), json!([4, 8]), json!([99]), json!([4, 0])] {
        script = script.call("ListConfigResources", version, json!({ "ResourceTypes": kinds }));
    }
    script
}

fn list_transactions(version: i16) -> Script {
    let ask = |states: Value| json!({ "StateFilters": states, "ProducerIdFilters": [987_654] });
    let script = Script::new(format!("admin/list-transactions-v{version}"))
        .call("ListTransactions", version, ask(json!([])))
        .call("ListTransactions", version, ask(json!(["Ongoing", "Nonsense", "ongoing"])));
    if version < 2 {
        return script;
    }
    ["a.*", "", "(a", "a{2,1}", "\\Qa.b\\E"].into_iter().fold(script, |script, pattern| {
        let body = json!({ "StateFilters": ["Nonsense"], "ProducerIdFilters": [],
            "TransactionalIdPattern": pattern });
        script.call("ListTransactions", version, body)
    })
}

fn patterns_of_transactions() -> Script {
    let ask = |pattern: Value| {
        json!({ "StateFilters": ["Nonsense"], "ProducerIdFilters": [987_654],
            "TransactionalIdPattern": pattern })
    };
    let patterns =
        [json!(""), json!("%T-.*"), json!("["), json!("(?=a)"), json!("a**"), Value::Null];
    patterns.into_iter().fold(Script::new("admin/list-transactions-by-pattern-v2"), |script, it| {
        script.call("ListTransactions", 2, ask(it))
    })
}

fn acls(version: i16) -> Script {
    let filter = json!({
        "ResourceTypeFilter": 1, "ResourceNameFilter": null, "PatternTypeFilter": 1,
        "PrincipalFilter": null, "HostFilter": null, "Operation": 1, "PermissionType": 1,
    });
    let creation = json!({
        "ResourceType": 2, "ResourceName": "%T-a", "ResourcePatternType": 3,
        "Principal": "User:somebody", "Host": "*", "Operation": 3, "PermissionType": 3,
    });
    Script::new(format!("admin/acls-v{version}"))
        .call("DescribeAcls", version, filter.clone())
        .call("CreateAcls", version, json!({ "Creations": [creation] }))
        .call("DeleteAcls", version, json!({ "Filters": [filter] }))
}

fn scram() -> Script {
    let users = |names: &[&str]| {
        let each: Vec<Value> = names.iter().map(|name| json!({ "Name": name })).collect();
        json!({ "Users": each })
    };
    Script::new("admin/scram-v0")
        .call("DescribeUserScramCredentials", 0, users(&["%T-somebody"]))
        .call("DescribeUserScramCredentials", 0, users(&["%T-a", "%T-b", "%T-a"]))
        .call("DescribeUserScramCredentials", 0, users(&[""]))
        .call("DescribeUserScramCredentials", 0, json!({ "Users": null }))
}

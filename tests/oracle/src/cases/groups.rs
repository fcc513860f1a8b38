//! Consumer groups: coordinators, the classic protocol, offsets, the consumer protocol (KIP-848).

use serde_json::{Value, json};

use crate::script::Script;

const UNKNOWN_ID: &str = "00112233445566778899aabbccddeeff";

pub(super) fn cases(scripts: &mut Vec<Script>) {
    coordinators(scripts);
    other_coordinators(scripts);
    alone(scripts);
    two_members(scripts);
    static_members(scripts);
    bad_members(scripts);
    commits(scripts);
    fetches_of_groups(scripts);
    deletions(scripts);
    consumer_protocol(scripts);
    consumer_protocol_fencing(scripts);
}

fn find(version: i16, key: &str, kind: i8) -> Value {
    match version {
        0 => json!({ "Key": key }),
        1..=3 => json!({ "Key": key, "KeyType": kind }),
        _ => json!({ "CoordinatorKeys": [key], "KeyType": kind }),
    }
}

/// A script whose group coordinator is found and loaded.
pub(super) fn with_coordinator(name: String) -> Script {
    Script::new(name)
        .until("FindCoordinator", 4, find(4, "%T-g", 0), "/Coordinators/0/ErrorCode", json!(0))
        .until(
            "OffsetFetch",
            8,
            json!({ "Groups": [{ "GroupId": "%T-g", "Topics": null }] }),
            "/Groups/0/ErrorCode",
            json!(0),
        )
}

fn coordinators(scripts: &mut Vec<Script>) {
    for version in 0..=6 {
        let api = "FindCoordinator";
        let mut script = with_coordinator(format!("coordinators/v{version}"))
            .call(api, version, find(version, "%T-g", 0))
            .call(api, version, find(version, "", 0));
        if version >= 1 {
            for kind in [2, 3, -1] {
                script = script.call(api, version, find(version, "%T-g", kind));
            }
        }
        if version >= 4 {
            script =
                script.call(api, version, json!({ "CoordinatorKeys": [], "KeyType": 0 })).call(
                    api,
                    version,
                    json!({ "CoordinatorKeys": ["%T-g", "%T-h", ""], "KeyType": 0 }),
                );
        }
        scripts.push(script);
    }
}

/// Coordinators of transactions and of share groups: those that there are only in Kafka.
fn other_coordinators(scripts: &mut Vec<Script>) {
    const COORDINATOR_NOT_AVAILABLE: i16 = 15;
    let api = "FindCoordinator";
    // Kafka creates the topic of such a coordinator when it is asked for first, and is not available
    // before.
    let there = |script: Script, key: &str, kind| {
        let code = json!(COORDINATOR_NOT_AVAILABLE);
        script.until_not(api, 6, find(6, key, kind), "/Coordinators/0/ErrorCode", code)
    };
    for version in 1..=6 {
        let name = format!("coordinators/transactions-v{version}");
        let mut script = there(Script::new(name), "%T-t", 1);
        for key in ["%T-t", ""] {
            script = script.call(api, version, find(version, key, 1));
        }
        if version >= 4 {
            let keys = |keys: Value| json!({ "CoordinatorKeys": keys, "KeyType": 1 });
            script = script.call(api, version, keys(json!([]))).call(
                api,
                version,
                keys(json!(["%T-t", "%T-u", "%T-t"])),
            );
        }
        scripts.push(script);
    }
    let key = format!("%T-g:{}:0", "AAAAAAAAAAAAAAAAAAAAAQ");
    for version in 1..=6 {
        let script = Script::new(format!("coordinators/shares-v{version}"));
        let script = there(script, &key, 2).call(api, version, find(version, &key, 2));
        scripts.push(script);
    }
    for version in 1..=6 {
        let script = Script::new(format!("coordinators/unknown-v{version}"));
        let kinds = [3, 4, 100, -1, -128];
        scripts.push(
            kinds.into_iter().fold(script, |script, kind| {
                script.call(api, version, find(version, "%T-g", kind))
            }),
        );
    }
}

/// A join with one protocol, `range`.
pub(super) fn join(version: i16, member: &str, instance: Option<&str>) -> Value {
    let mut body = json!({ "GroupId": "%T-g", "SessionTimeoutMs": 30_000, "MemberId": member,
        "ProtocolType": "consumer", "Protocols": [{ "Name": "range", "Metadata": "0001" }] });
    if version >= 1 {
        body["RebalanceTimeoutMs"] = json!(30_000);
    }
    if let Some(instance) = instance {
        body["GroupInstanceId"] = json!(instance);
    }
    body
}

pub(super) fn sync(version: i16, generation: i32, member: &str, assignments: &Value) -> Value {
    let mut body = json!({ "GroupId": "%T-g", "GenerationId": generation, "MemberId": member,
        "Assignments": assignments });
    if version >= 5 {
        body["ProtocolType"] = json!("consumer");
        body["ProtocolName"] = json!("range");
    }
    body
}

pub(super) fn heartbeat(generation: i32, member: &str) -> Value {
    json!({ "GroupId": "%T-g", "GenerationId": generation, "MemberId": member })
}

pub(super) fn leave(version: i16, member: &str) -> Value {
    if version >= 3 {
        json!({ "GroupId": "%T-g", "Members": [{ "MemberId": member }] })
    } else {
        json!({ "GroupId": "%T-g", "MemberId": member })
    }
}

pub(super) fn describe(version: i16) -> Value {
    let mut body = json!({ "Groups": ["%T-g"] });
    if version >= 3 {
        body["IncludeAuthorizedOperations"] = json!(false);
    }
    body
}

/// Joins as the only member of generation 1, whatever steps the version needs; `$m` is its id.
pub(super) fn joined(script: Script, version: i16) -> Script {
    let script = if version >= 4 {
        script.call("JoinGroup", version, join(version, "", None)).capture("m", "/MemberId").call(
            "JoinGroup",
            version,
            join(version, "$m", None),
        )
    } else {
        script.call("JoinGroup", version, join(version, "", None)).capture("m", "/MemberId")
    };
    let own = json!([{ "MemberId": "$m", "Assignment": "aabb" }]);
    script.call("SyncGroup", version.min(5), sync(version.min(5), 1, "$m", &own))
}

/// One member through its life, with every version of each request.
fn alone(scripts: &mut Vec<Script>) {
    for version in 0..=9 {
        let beat = version.min(4);
        let gone = version.min(5);
        let script = with_coordinator(format!("groups/alone-v{version}"));
        scripts.push(
            joined(script, version)
                .call("Heartbeat", beat, heartbeat(1, "$m"))
                .call("Heartbeat", beat, heartbeat(0, "$m"))
                .call("Heartbeat", beat, heartbeat(2, "$m"))
                .call("Heartbeat", beat, heartbeat(1, "stranger"))
                .call("Heartbeat", beat, heartbeat(1, ""))
                .call("SyncGroup", version.min(5), sync(version.min(5), 2, "$m", &json!([])))
                .call("SyncGroup", version.min(5), sync(version.min(5), 1, "$m", &json!([])))
                .call("DescribeGroups", version.min(6), describe(version.min(6)))
                .call("JoinGroup", version, join(version, "$m", None))
                .call("Heartbeat", beat, heartbeat(1, "$m"))
                .call("SyncGroup", version.min(5), sync(version.min(5), 2, "$m", &json!([])))
                .call("LeaveGroup", gone, leave(gone, "stranger"))
                .call("LeaveGroup", gone, leave(gone, "$m"))
                .call("LeaveGroup", gone, leave(gone, "$m"))
                .call("Heartbeat", beat, heartbeat(2, "$m"))
                .call("DescribeGroups", version.min(6), describe(version.min(6))),
        );
    }
}

/// A second member makes a new generation; the leader hands out what each gets.
fn two_members(scripts: &mut Vec<Script>) {
    for version in 0..=9 {
        let sync_version = version.min(5);
        let both = json!([{ "MemberId": "$m", "Assignment": "01" }, { "MemberId": "$n", "Assignment": "02" }]);
        let mut script =
            joined(with_coordinator(format!("groups/two-members-v{version}")), version);
        if version >= 4 {
            script = script
                .send(2, "JoinGroup", version, join(version, "", None))
                .receive(2, &[("n", "/MemberId")])
                .send(2, "JoinGroup", version, join(version, "$n", None));
        } else {
            script = script.send(2, "JoinGroup", version, join(version, "", None));
        }
        let captures: &[(&str, &str)] = if version >= 4 { &[] } else { &[("n", "/MemberId")] };
        scripts.push(
            script
                .until("Heartbeat", 4, heartbeat(1, "$m"), "/ErrorCode", json!(27))
                .call("SyncGroup", sync_version, sync(sync_version, 1, "$m", &json!([])))
                .call("JoinGroup", version, join(version, "$m", None))
                .receive(2, captures)
                .send(2, "SyncGroup", sync_version, sync(sync_version, 2, "$n", &json!([])))
                .call("SyncGroup", sync_version, sync(sync_version, 2, "$m", &both))
                .receive(2, &[])
                .call("Heartbeat", 4, heartbeat(2, "$n"))
                .call("DescribeGroups", 5, describe(5))
                .call("LeaveGroup", 3, leave(3, "$n"))
                .call("Heartbeat", 4, heartbeat(2, "$m"))
                .call("JoinGroup", version, join(version, "$m", None))
                .call(
                    "SyncGroup",
                    sync_version,
                    sync(sync_version, 3, "$m", &json!([{ "MemberId": "$m", "Assignment": "03" }])),
                )
                .call("LeaveGroup", 3, leave(3, "$m")),
        );
    }
}

fn static_members(scripts: &mut Vec<Script>) {
    for version in 5..=9 {
        let sync_version = version.min(5);
        let own = json!([{ "MemberId": "$m", "Assignment": "aa" }]);
        let with_instance = |mut body: Value| {
            body["GroupInstanceId"] = json!("i1");
            body
        };
        scripts.push(
            with_coordinator(format!("groups/static-v{version}"))
                .call("JoinGroup", version, join(version, "", Some("i1")))
                .capture("m", "/MemberId")
                .call("SyncGroup", sync_version, with_instance(sync(sync_version, 1, "$m", &own)))
                .call("Heartbeat", 4, with_instance(heartbeat(1, "$m")))
                .call("Heartbeat", 4, with_instance(heartbeat(1, "stranger")))
                // The same instance comes back without its id: same generation, a new id, the old one is fenced.
                .call("JoinGroup", version, join(version, "", Some("i1")))
                .capture("n", "/MemberId")
                .call("SyncGroup", sync_version, with_instance(sync(sync_version, 1, "$n", &json!([]))))
                .call("Heartbeat", 4, with_instance(heartbeat(1, "$m")))
                .call("Heartbeat", 4, with_instance(heartbeat(1, "$n")))
                .call("JoinGroup", version, join(version, "$m", Some("i1")))
                .call("DescribeGroups", 5, describe(5))
                .call("LeaveGroup", 4, json!({ "GroupId": "%T-g", "Members": [
                    { "MemberId": "", "GroupInstanceId": "i1" }, { "MemberId": "", "GroupInstanceId": "i2" }] }))
                .call("DescribeGroups", 5, describe(5)),
        );
    }
}

fn bad_members(scripts: &mut Vec<Script>) {
    for version in 0..=9 {
        let changed = |name: &str, value: Value| {
            let mut body = join(version, "", None);
            body[name] = value;
            body
        };
        let bodies = [
            changed("GroupId", json!("")),
            changed("MemberId", json!("stranger")),
            changed("SessionTimeoutMs", json!(1)),
            changed("SessionTimeoutMs", json!(100_000_000)),
            changed("SessionTimeoutMs", json!(-1)),
            changed("ProtocolType", json!("")),
            changed("Protocols", json!([])),
        ];
        let mut script = with_coordinator(format!("groups/bad-joins-v{version}"));
        for body in bodies {
            script = script.call("JoinGroup", version, body);
        }
        let mut script = joined(script, version);
        let mut other = join(version, "$m", None);
        other["ProtocolType"] = json!("connect");
        let mut unshared = join(version, "", None);
        unshared["Protocols"] = json!([{ "Name": "sticky", "Metadata": "" }]);
        script = script
            .call("JoinGroup", version, other)
            .call("JoinGroup", version, unshared)
            .call("LeaveGroup", 3, leave(3, "$m"));
        scripts.push(script);
    }
    let stranger = sync(5, 1, "x", &json!([]));
    scripts.push(
        with_coordinator("groups/no-such-group".to_owned())
            .call("SyncGroup", 5, stranger)
            .call("Heartbeat", 4, heartbeat(1, "x"))
            .call("LeaveGroup", 2, leave(2, "x"))
            .call("LeaveGroup", 5, leave(5, "x"))
            .call("DescribeGroups", 4, describe(4))
            .call("DescribeGroups", 6, describe(6))
            .call("DescribeGroups", 6, json!({ "Groups": [] }))
            .call("DescribeGroups", 6, json!({ "Groups": [""] }))
            .call("Heartbeat", 4, json!({ "GroupId": "", "GenerationId": 1, "MemberId": "x" })),
    );
}

pub(super) fn commit(
    version: i16,
    topic: &str,
    id: &str,
    generation: i32,
    member: &str,
    partitions: &Value,
) -> Value {
    let topic = if version >= 10 {
        json!({ "TopicId": id, "Partitions": partitions })
    } else {
        json!({ "Name": topic, "Partitions": partitions })
    };
    json!({ "GroupId": "%T-g", "GenerationIdOrMemberEpoch": generation, "MemberId": member, "Topics": [topic] })
}

pub(super) fn fetched(version: i16, partitions: &Value) -> Value {
    match version {
        0..=7 => {
            json!({ "GroupId": "%T-g", "Topics": [{ "Name": "%T-a", "PartitionIndexes": partitions }] })
        }
        8..=9 => json!({ "Groups": [{ "GroupId": "%T-g", "Topics": [
            { "Name": "%T-a", "PartitionIndexes": partitions }] }] }),
        _ => json!({ "Groups": [{ "GroupId": "%T-g", "Topics": [
            { "TopicId": "$a", "PartitionIndexes": partitions }] }] }),
    }
}

fn commits(scripts: &mut Vec<Script>) {
    let at = |partition: i32, offset: i64, metadata: Value| json!({ "PartitionIndex": partition, "CommittedOffset": offset, "CommittedMetadata": metadata });
    for version in 2..=10 {
        let api = "OffsetCommit";
        let one = json!([at(0, 5, json!("note"))]);
        let put = |partitions: Value| commit(version, "%T-a", "$a", -1, "", &partitions);
        let script = with_coordinator(format!("commits/v{version}"))
            .topic("a", 3, &[])
            .call(api, version, put(one.clone()))
            .call("OffsetFetch", 8, fetched(8, &json!([0, 1])))
            .call(api, version, put(json!([at(1, 0, json!("")), at(2, 7, Value::Null)])))
            .call(api, version, put(json!([at(9, 1, json!(""))])))
            .call(api, version, put(json!([at(0, -1, json!(""))])))
            .call(api, version, put(json!([at(0, 6, json!("x".repeat(4097)))])))
            .call(api, version, commit(version, "%T-none", UNKNOWN_ID, -1, "", &one))
            .call(api, version, commit(version, "%T-a", "$a", 1, "", &one))
            .call(api, version, commit(version, "%T-a", "$a", 1, "stranger", &one))
            .call(api, version, put(json!([])));
        let script = joined(script, 3);
        scripts.push(
            script
                .call(api, version, commit(version, "%T-a", "$a", 1, "$m", &one))
                .call(api, version, commit(version, "%T-a", "$a", 0, "$m", &one))
                .call(api, version, commit(version, "%T-a", "$a", 2, "$m", &one))
                .call(api, version, commit(version, "%T-a", "$a", 1, "stranger", &one))
                .call(api, version, commit(version, "%T-a", "$a", -1, "", &one))
                .call("OffsetFetch", 8, fetched(8, &json!([0, 1, 2, 3])))
                .call("LeaveGroup", 3, leave(3, "$m"))
                .call(api, version, commit(version, "%T-a", "$a", 1, "$m", &one)),
        );
    }
}

fn fetches_of_groups(scripts: &mut Vec<Script>) {
    let api = "OffsetFetch";
    let one = json!([{ "PartitionIndex": 0, "CommittedOffset": 5, "CommittedMetadata": "note" }]);
    for version in 1..=10 {
        let mut script = with_coordinator(format!("commits/fetch-v{version}"))
            .topic("a", 2, &[])
            .call(api, version, fetched(version, &json!([0])))
            .quiet("OffsetCommit", 8, commit(8, "%T-a", "", -1, "", &one))
            .call(api, version, fetched(version, &json!([0, 1, 9])))
            .call(api, version, fetched(version, &json!([])));
        if (2..=7).contains(&version) {
            script = script.call(api, version, json!({ "GroupId": "%T-g", "Topics": null }));
        }
        if version >= 7 {
            let mut stable = fetched(version, &json!([0]));
            stable["RequireStable"] = json!(true);
            script = script.call(api, version, stable);
        }
        if version >= 8 {
            script = script
                .call(api, version, json!({ "Groups": [{ "GroupId": "%T-g", "Topics": null }] }))
                .call(api, version, json!({ "Groups": [{ "GroupId": "%T-none", "Topics": null }] }))
                .call(api, version, json!({ "Groups": [] }));
        }
        if version >= 9 {
            let mut member = fetched(version, &json!([0]));
            member["Groups"][0]["MemberId"] = json!("stranger");
            member["Groups"][0]["MemberEpoch"] = json!(3);
            script = script.call(api, version, member);
        }
        scripts.push(script);
    }
}

fn deletions(scripts: &mut Vec<Script>) {
    let one = json!([{ "PartitionIndex": 0, "CommittedOffset": 5, "CommittedMetadata": "note" }]);
    for version in 0..=2 {
        let names = |groups: Value| json!({ "GroupsNames": groups });
        let script = with_coordinator(format!("groups/delete-v{version}"))
            .topic("a", 2, &[])
            .call("DeleteGroups", version, names(json!(["%T-g"])))
            .quiet("OffsetCommit", 8, commit(8, "%T-a", "", -1, "", &one))
            .call("DeleteGroups", version, names(json!(["%T-g", "%T-none", ""])))
            .call("OffsetFetch", 8, fetched(8, &json!([0])));
        scripts.push(
            joined(script, 3)
                .call("DeleteGroups", version, names(json!(["%T-g"])))
                .call("LeaveGroup", 3, leave(3, "$m"))
                .call("DeleteGroups", version, names(json!(["%T-g"]))),
        );
    }
    let remove = |group: &str, topic: &str, partitions: Value| {
        let list: Vec<Value> = partitions
            .as_array()
            .into_iter()
            .flatten()
            .map(|index| json!({ "PartitionIndex": index }))
            .collect();
        json!({ "GroupId": group, "Topics": [{ "Name": topic, "Partitions": list }] })
    };
    scripts.push(
        with_coordinator("commits/delete".to_owned())
            .topic("a", 2, &[])
            .call("OffsetDelete", 0, remove("%T-g", "%T-a", json!([0])))
            .quiet("OffsetCommit", 8, commit(8, "%T-a", "", -1, "", &one))
            .call("OffsetDelete", 0, remove("%T-g", "%T-none", json!([0])))
            .call("OffsetDelete", 0, remove("%T-g", "%T-a", json!([1, 9])))
            .call("OffsetDelete", 0, remove("%T-g", "%T-a", json!([0])))
            .call("OffsetFetch", 8, fetched(8, &json!([0])))
            .call("OffsetDelete", 0, remove("", "%T-a", json!([0]))),
    );
    for version in 0..=5 {
        let filter = |states: Value, kinds: Value| {
            let mut body = json!({});
            if version >= 4 {
                body["StatesFilter"] = states;
            }
            if version >= 5 {
                body["TypesFilter"] = kinds;
            }
            body
        };
        let script = with_coordinator(format!("groups/list-v{version}")).only_own();
        let mut script =
            joined(script, 3).call("ListGroups", version, filter(json!([]), json!([])));
        if version >= 4 {
            script = script.call("ListGroups", version, filter(json!(["Stable"]), json!([]))).call(
                "ListGroups",
                version,
                filter(json!(["sTABLE", "Empty"]), json!([])),
            );
        }
        if version >= 5 {
            script = script
                .call("ListGroups", version, filter(json!([]), json!(["Classic"])))
                .call("ListGroups", version, filter(json!([]), json!(["classic", "nothing"])));
        }
        scripts.push(script.call("LeaveGroup", 3, leave(3, "$m")));
    }
}

/// A heartbeat of the consumer protocol with only what every one carries.
pub(super) fn beat(member: &str, epoch: i32) -> Value {
    json!({ "GroupId": "%T-g", "MemberId": member, "MemberEpoch": epoch })
}

pub(super) fn joining(member: &str, topics: &Value) -> Value {
    let mut body = beat(member, 0);
    body["RebalanceTimeoutMs"] = json!(30_000);
    body["SubscribedTopicNames"] = topics.clone();
    body["TopicPartitions"] = json!([]);
    body
}

pub(super) const API: &str = "ConsumerGroupHeartbeat";
pub(super) const MEMBER: &str = "AAAAAAAAAAAAAAAAAAAAAQ";

fn consumer_protocol(scripts: &mut Vec<Script>) {
    for version in 0..=1 {
        // From version 1 on the client makes up its id.
        let first = if version == 0 { "" } else { MEMBER };
        let mut owned = beat("$m", 1);
        owned["TopicPartitions"] = json!([{ "TopicId": "$a", "Partitions": [0, 1, 2] }]);
        let describe = json!({ "GroupIds": ["%T-g"], "IncludeAuthorizedOperations": false });
        scripts.push(
            with_coordinator(format!("consumergroups/alone-v{version}"))
                .topic("a", 3, &[])
                .call(API, version, joining(first, &json!(["%T-a"])))
                .capture("m", "/MemberId")
                .call("ConsumerGroupDescribe", version, describe.clone())
                .call(API, version, owned)
                .call(API, version, beat("$m", 1))
                .call(API, version, beat("$m", 0))
                .call(API, version, beat("$m", 7))
                .call(API, version, beat("stranger", 1))
                .call("ConsumerGroupDescribe", version, describe.clone())
                .call("DescribeGroups", 6, json!({ "Groups": ["%T-g"] }))
                .call(
                    "OffsetCommit",
                    9,
                    commit(
                        9,
                        "%T-a",
                        "",
                        1,
                        "$m",
                        &json!([
                    { "PartitionIndex": 0, "CommittedOffset": 5, "CommittedMetadata": "" }]),
                    ),
                )
                .call(
                    "OffsetCommit",
                    9,
                    commit(
                        9,
                        "%T-a",
                        "",
                        0,
                        "$m",
                        &json!([
                    { "PartitionIndex": 0, "CommittedOffset": 5, "CommittedMetadata": "" }]),
                    ),
                )
                .call(
                    "OffsetCommit",
                    9,
                    commit(
                        9,
                        "%T-a",
                        "",
                        9,
                        "$m",
                        &json!([
                    { "PartitionIndex": 0, "CommittedOffset": 5, "CommittedMetadata": "" }]),
                    ),
                )
                .call("JoinGroup", 9, join(9, "", None))
                .call("DeleteGroups", 2, json!({ "GroupsNames": ["%T-g"] }))
                .call(API, version, beat("$m", -1))
                .call(API, version, beat("$m", 2))
                .call("ConsumerGroupDescribe", version, describe)
                .call("ConsumerGroupDescribe", version, json!({ "GroupIds": ["%T-none", ""] })),
        );
    }
}

fn consumer_protocol_fencing(scripts: &mut Vec<Script>) {
    let changed = |name: &str, value: Value| {
        let mut body = joining(MEMBER, &json!(["%T-a"]));
        body[name] = value;
        body
    };
    let bodies = [
        changed("GroupId", json!("")),
        changed("MemberId", json!("")),
        changed("RebalanceTimeoutMs", json!(-1)),
        changed("RebalanceTimeoutMs", json!(0)),
        changed("TopicPartitions", Value::Null),
        changed("TopicPartitions", json!([{ "TopicId": UNKNOWN_ID, "Partitions": [0] }])),
        changed("SubscribedTopicNames", Value::Null),
        changed("SubscribedTopicNames", json!([])),
        changed("ServerAssignor", json!("no-such")),
        changed("ServerAssignor", json!("range")),
        changed("SubscribedTopicRegex", json!("(")),
        changed("InstanceId", json!("")),
        changed("RackId", json!("")),
        changed("MemberEpoch", json!(-2)),
        changed("MemberEpoch", json!(-3)),
        changed("MemberEpoch", json!(5)),
    ];
    for (index, body) in bodies.into_iter().enumerate() {
        scripts.push(
            with_coordinator(format!("consumergroups/join-{index:02}")).topic("a", 1, &[]).call(
                API,
                1,
                body.clone(),
            ),
        );
        // The first version knows no regular expressions.
        if body["SubscribedTopicRegex"].is_null() {
            scripts.push(
                with_coordinator(format!("consumergroups/join-v0-{index:02}"))
                    .topic("a", 1, &[])
                    .call(API, 0, body),
            );
        }
    }
    let mut instance = joining(MEMBER, &json!(["%T-a"]));
    instance["InstanceId"] = json!("i1");
    let mut second = joining("AAAAAAAAAAAAAAAAAAAAAg", &json!(["%T-a"]));
    second["InstanceId"] = json!("i1");
    let mut away = beat(MEMBER, -2);
    away["InstanceId"] = json!("i1");
    scripts.push(
        with_coordinator("consumergroups/static".to_owned())
            .topic("a", 2, &[])
            .call(API, 1, instance)
            .call(API, 1, second.clone())
            .call(API, 1, away)
            .call(API, 1, second)
            .call(API, 1, beat(MEMBER, 1))
            .call("ConsumerGroupDescribe", 1, json!({ "GroupIds": ["%T-g"] })),
    );
    scripts.push(
        joined(
            with_coordinator("consumergroups/onto-a-classic-group".to_owned()).topic("a", 1, &[]),
            5,
        )
        .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
        .call("ConsumerGroupDescribe", 1, json!({ "GroupIds": ["%T-g"] }))
        .call("LeaveGroup", 3, leave(3, "$m")),
    );
}

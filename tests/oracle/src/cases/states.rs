//! A classic group in each of its states, and everything that can be asked of it there: commits of
//! members, strangers and nobody, heartbeats, late joins and syncs, deletions, listings.
//!
//! ```text
//! no group ─▶ CompletingRebalance ─▶ PreparingRebalance ─▶ Stable ─▶ Empty ─▶ deleted
//! ```

use serde_json::{Value, json};

use super::groups::{
    API, MEMBER, commit, describe, fetched, heartbeat, join, joining, leave, sync, with_coordinator,
};
use crate::script::Script;

pub(super) fn cases(scripts: &mut Vec<Script>) {
    for version in 5..=9 {
        scripts.push(life(version));
    }
    for version in 2..=10 {
        scripts.push(nobody(version));
    }
    for version in 7..=10 {
        scripts.push(fenced_instances(version));
    }
    for version in 5..=9 {
        scripts.push(replaced_instances(version));
        scripts.push(changed_protocols(version));
    }
    for version in 0..=5 {
        scripts.push(leaving(version));
    }
    for version in 8..=10 {
        scripts.push(fetches(version));
    }
    scripts.push(listed());
    scripts.push(of_the_other_protocol());
}

/// A consumer's metadata and assignment of the classic protocol, version 1: the topic `%T-a`.
const SUBSCRIBED: &str = "000100000001$hex16:%T-a$ffffffff00000000";
const ASSIGNED: &str = "000100000001$hex16:%T-a$0000000100000000ffffffff";

fn joins(version: i16, member: &str) -> Value {
    let mut body = join(version, member, None);
    body["Protocols"] = json!([{ "Name": "range", "Metadata": SUBSCRIBED }]);
    body
}

/// What may be asked of the group in any state, as the member `$m` of this generation.
fn asked(script: Script, version: i16, generation: i32) -> Script {
    let one = json!([{ "PartitionIndex": 0, "CommittedOffset": generation + 10, "CommittedMetadata": "" }]);
    let commits = version.min(9);
    let put =
        |generation: i32, member: &str| commit(commits, "%T-a", "$a", generation, member, &one);
    let list = |states: Value| json!({ "StatesFilter": states });
    let remove = |topic: &str| {
        json!({ "GroupId": "%T-g",
            "Topics": [{ "Name": topic, "Partitions": [{ "PartitionIndex": 0 }] }] })
    };
    let mut script = script;
    for (generation, member) in [
        (generation, "$m"),
        (generation - 1, "$m"),
        (generation + 1, "$m"),
        (-1, "$m"),
        (generation, "stranger"),
        (generation, ""),
        (-1, "stranger"),
        (-1, ""),
    ] {
        script = script.call("OffsetCommit", commits, put(generation, member));
    }
    script = script.call("OffsetFetch", 8, fetched(8, &json!([0])));
    for generation in [generation, generation - 1, generation + 1, -1] {
        script = script.call("Heartbeat", 4, heartbeat(generation, "$m"));
    }
    script = script
        .call("Heartbeat", 4, heartbeat(generation, "stranger"))
        .call("SyncGroup", 5, sync(5, generation - 1, "$m", &json!([])))
        .call("SyncGroup", 5, sync(5, generation, "stranger", &json!([])))
        .call("DescribeGroups", 6, describe(6));
    for states in ["PreparingRebalance", "CompletingRebalance", "Stable", "Empty", "Dead"] {
        script = script.call("ListGroups", 4, list(json!([states])));
    }
    script
        .call("OffsetDelete", 0, remove("%T-a"))
        .call("OffsetDelete", 0, remove("%T-b"))
        .call("DeleteGroups", 2, json!({ "GroupsNames": ["%T-g"] }))
        .call("LeaveGroup", 4, leave(4, "stranger"))
}

fn life(version: i16) -> Script {
    let both = json!([{ "MemberId": "$m", "Assignment": ASSIGNED }, { "MemberId": "$n", "Assignment": "" }]);
    let script = with_coordinator(format!("groups/states-v{version}"))
        .only_own()
        .topic("a", 1, &[])
        .topic("b", 1, &[])
        .call("JoinGroup", version, joins(version, ""))
        .capture("m", "/MemberId");
    // The id is given out, and nobody has joined with it.
    let script = script
        .call("Heartbeat", 4, heartbeat(0, "$m"))
        .call("SyncGroup", 5, sync(5, 0, "$m", &json!([])))
        .call("DescribeGroups", 6, describe(6))
        .call("JoinGroup", version, joins(version, "$m"));
    // CompletingRebalance: the leader has not said yet who gets what.
    let script = asked(script, version, 1);
    // PreparingRebalance: another one joins, and the first is waited for.
    let script = script
        .send(2, "JoinGroup", version, joins(version, ""))
        .receive(2, &[("n", "/MemberId")])
        .send(2, "JoinGroup", version, joins(version, "$n"))
        .until("Heartbeat", 4, heartbeat(1, "$m"), "/ErrorCode", json!(27));
    let script = asked(script, version, 1);
    let script = script
        .call("JoinGroup", version, joins(version, "$m"))
        .receive(2, &[])
        .call("SyncGroup", 5, sync(5, 1, "$m", &both))
        .send(2, "SyncGroup", 5, sync(5, 2, "$n", &json!([])))
        .call("SyncGroup", 5, sync(5, 2, "$m", &both))
        .receive(2, &[]);
    // Stable; a late sync gets the same once more.
    let script = script.call("SyncGroup", 5, sync(5, 2, "$n", &json!([]))).call(
        "SyncGroup",
        5,
        sync(5, 1, "$n", &json!([])),
    );
    let script = asked(script, version, 2);
    // A follower that joins again as it is changes nothing, and learns no members.
    let script = script
        .call("JoinGroup", version, joins(version, "$n"))
        .call("Heartbeat", 4, heartbeat(2, "$n"))
        .call("LeaveGroup", 3, leave(3, "$n"))
        .call("LeaveGroup", 3, leave(3, "$m"));
    // Empty, with a stale member still asking; `asked` ends with the group's deletion.
    let script = asked(script, version, 3);
    let script = asked(script, version, 3);
    script.call("JoinGroup", version, joins(version, "$m"))
}

/// Commits of nobody in particular: to no group, to one that has offsets alone, and their end.
fn nobody(version: i16) -> Script {
    let at = |offset: i64| json!([{ "PartitionIndex": 0, "CommittedOffset": offset, "CommittedMetadata": "n", "CommittedLeaderEpoch": 7 }]);
    let put = |generation: i32, member: &str, offset: i64| {
        let mut body = commit(version, "%T-a", "$a", generation, member, &at(offset));
        if version < 6 {
            body["Topics"][0]["Partitions"][0]
                .as_object_mut()
                .map(|partition| partition.remove("CommittedLeaderEpoch"));
        }
        body
    };
    let mut twice = put(-1, "", 3);
    let topic = twice["Topics"][0].clone();
    twice["Topics"] = json!([topic, topic]);
    let mut repeated = put(-1, "", 4);
    let one = repeated["Topics"][0]["Partitions"][0].clone();
    repeated["Topics"][0]["Partitions"] = json!([one, one]);
    let mut nothing = put(-1, "", 4);
    nothing["Topics"][0]["Partitions"] = json!([]);
    let mut no_group = put(-1, "", 4);
    no_group["GroupId"] = json!("");
    let mut script = with_coordinator(format!("commits/nobody-v{version}"))
        .topic("a", 1, &[])
        .call("OffsetCommit", version, put(-1, "", 5))
        .call("OffsetCommit", version, put(-1, "", 4))
        .call("OffsetFetch", 8, fetched(8, &json!([0])))
        .call("OffsetCommit", version, put(-1, "x", 6))
        .call("OffsetCommit", version, put(0, "", 6))
        .call("OffsetCommit", version, put(-2, "", 6))
        .call("OffsetCommit", version, put(-1, "", i64::MAX))
        .call("OffsetCommit", version, put(-1, "", -2))
        .call("OffsetFetch", 8, fetched(8, &json!([0])))
        .call("OffsetCommit", version, twice)
        .call("OffsetCommit", version, repeated)
        .call("OffsetCommit", version, nothing)
        .call("OffsetCommit", version, no_group)
        .call("DescribeGroups", 6, describe(6));
    if (2..=4).contains(&version) {
        let mut kept = put(-1, "", 9);
        kept["RetentionTimeMs"] = json!(1000);
        script = script.call("OffsetCommit", version, kept);
    }
    if version >= 10 {
        for id in ["00000000000000000000000000000000", "00112233445566778899aabbccddeeff"] {
            script =
                script.call("OffsetCommit", version, commit(version, "", id, -1, "", &at(1))).call(
                    "OffsetFetch",
                    version,
                    json!({ "Groups": [{ "GroupId": "%T-g", "Topics": [
                    { "TopicId": id, "PartitionIndexes": [0] }] }] }),
                );
        }
    }
    script
        .call("DeleteGroups", 2, json!({ "GroupsNames": ["%T-g", "%T-g"] }))
        .call("OffsetFetch", 8, fetched(8, &json!([0])))
        .call("OffsetCommit", version, put(-1, "", 5))
        .call("OffsetFetch", 8, fetched(8, &json!([0])))
}

/// A static member in the place of another: what the old one may still ask.
fn fenced_instances(version: i16) -> Script {
    let one = json!([{ "PartitionIndex": 0, "CommittedOffset": 5, "CommittedMetadata": "" }]);
    let own = json!([{ "MemberId": "$m", "Assignment": "aa" }]);
    let fixed = |mut body: Value, instance: &str| {
        body["GroupInstanceId"] = json!(instance);
        body
    };
    let put = |member: &str, generation: i32, instance: &str| {
        fixed(commit(version, "%T-a", "$a", generation, member, &one), instance)
    };
    with_coordinator(format!("commits/instances-v{version}"))
        .topic("a", 1, &[])
        .call("JoinGroup", 5, join(5, "", Some("i1")))
        .capture("m", "/MemberId")
        .call("SyncGroup", 3, fixed(sync(3, 1, "$m", &own), "i1"))
        .call("OffsetCommit", version, put("$m", 1, "i1"))
        .call("OffsetCommit", version, put("$m", 1, "i2"))
        .call("OffsetCommit", version, put("stranger", 1, "i1"))
        .call("OffsetCommit", version, put("$m", 0, "i1"))
        .call("OffsetCommit", version, put("", -1, "i1"))
        .call("JoinGroup", 5, join(5, "", Some("i1")))
        .capture("n", "/MemberId")
        .call("OffsetCommit", version, put("$m", 1, "i1"))
        .call("OffsetCommit", version, put("$n", 1, "i1"))
        .call("SyncGroup", 3, fixed(sync(3, 1, "$m", &json!([])), "i1"))
        .call("SyncGroup", 3, fixed(sync(3, 1, "$n", &json!([])), "i2"))
        .call("Heartbeat", 3, fixed(heartbeat(1, "$m"), "i1"))
        .call("Heartbeat", 3, fixed(heartbeat(1, "$n"), "i2"))
        .call(
            "LeaveGroup",
            3,
            json!({ "GroupId": "%T-g", "Members": [
            { "MemberId": "$m", "GroupInstanceId": "i1" },
            { "MemberId": "$n", "GroupInstanceId": "i2" },
            { "MemberId": "$n", "GroupInstanceId": "i1" }] }),
        )
        .call("DescribeGroups", 5, describe(5))
}

/// A static member that comes back with other metadata, or as the leader, or as a stranger.
fn replaced_instances(version: i16) -> Script {
    let sync_version = version.min(5);
    let fixed = |mut body: Value| {
        body["GroupInstanceId"] = json!("i1");
        body
    };
    let own = |name: &str| json!([{ "MemberId": name, "Assignment": "aa" }]);
    let mut other = join(version, "", Some("i1"));
    other["Protocols"] = json!([{ "Name": "range", "Metadata": "0002" }]);
    let mut stranger = join(version, "stranger", Some("i1"));
    stranger["Protocols"] = json!([{ "Name": "range", "Metadata": "0001" }]);
    with_coordinator(format!("groups/replaced-v{version}"))
        .call("JoinGroup", version, join(version, "", Some("i1")))
        .capture("m", "/MemberId")
        .call("SyncGroup", sync_version, fixed(sync(sync_version, 1, "$m", &own("$m"))))
        .call("JoinGroup", version, stranger)
        .call("JoinGroup", version, join(version, "$m", Some("i2")))
        .call("JoinGroup", version, other)
        .capture("n", "/MemberId")
        .call("SyncGroup", sync_version, fixed(sync(sync_version, 2, "$n", &own("$n"))))
        .call("JoinGroup", version, join(version, "$n", Some("i1")))
        .capture("n", "/MemberId")
        .call("DescribeGroups", 5, describe(5))
        .call(
            "LeaveGroup",
            3,
            json!({ "GroupId": "%T-g", "Members": [
            { "MemberId": "stranger", "GroupInstanceId": "i1" },
            { "MemberId": "", "GroupInstanceId": "i1" },
            { "MemberId": "", "GroupInstanceId": "i1" }] }),
        )
        .call("JoinGroup", version, join(version, "$n", Some("i1")))
}

/// A sync that names another protocol than the group's, from the version on that names any.
fn changed_protocols(version: i16) -> Script {
    let named = |kind: Value, name: Value| {
        let mut body = sync(5, 1, "$m", &json!([{ "MemberId": "$m", "Assignment": "aa" }]));
        body["ProtocolType"] = kind;
        body["ProtocolName"] = name;
        body
    };
    let mut two = join(version, "$m", None);
    two["Protocols"] = json!([
        { "Name": "roundrobin", "Metadata": "01" }, { "Name": "range", "Metadata": "02" }]);
    with_coordinator(format!("groups/protocols-v{version}"))
        .call("JoinGroup", version, join(version, "", None))
        .capture("m", "/MemberId")
        .call("JoinGroup", version, two)
        .call("SyncGroup", 5, named(json!("connect"), json!("roundrobin")))
        .call("SyncGroup", 5, named(json!("consumer"), json!("range")))
        .call("SyncGroup", 5, named(json!("consumer"), Value::Null))
        .call("SyncGroup", 5, named(Value::Null, json!("roundrobin")))
        .call("SyncGroup", 5, named(Value::Null, Value::Null))
        .call("DescribeGroups", 5, describe(5))
        .call("LeaveGroup", 3, leave(3, "$m"))
}

fn leaving(version: i16) -> Script {
    let mut script = with_coordinator(format!("groups/leaving-v{version}"))
        .call("LeaveGroup", version, leave(version, "stranger"))
        .call("JoinGroup", 3, join(3, "", None))
        .capture("m", "/MemberId")
        .call("LeaveGroup", version, leave(version, ""));
    if version >= 3 {
        let members = |list: Value| json!({ "GroupId": "%T-g", "Members": list });
        for list in [
            json!([]),
            json!([{ "MemberId": "stranger" }, { "MemberId": "other" }]),
            json!([{ "MemberId": "$m", "GroupInstanceId": "i1" }]),
            json!([{ "MemberId": "$m" }, { "MemberId": "$m" }]),
        ] {
            script = script.call("LeaveGroup", version, members(list));
        }
    } else {
        script = script.call("LeaveGroup", version, leave(version, "$m"));
    }
    let mut nobody = leave(version, "x");
    nobody["GroupId"] = json!("");
    script.call("LeaveGroup", version, nobody).call("DescribeGroups", 5, describe(5))
}

/// Several groups in one request, topics named twice, and those that are gone.
fn fetches(version: i16) -> Script {
    let one = json!([{ "PartitionIndex": 0, "CommittedOffset": 5, "CommittedMetadata": "note" }]);
    let topic = |name: &str, id: &str, partitions: Value| {
        if version >= 10 {
            json!({ "TopicId": id, "PartitionIndexes": partitions })
        } else {
            json!({ "Name": name, "PartitionIndexes": partitions })
        }
    };
    let a = |partitions: Value| topic("%T-a", "$a", partitions);
    let ask = |groups: Value| json!({ "Groups": groups });
    let group = |topics: Value| json!({ "GroupId": "%T-g", "Topics": topics });
    let api = "OffsetFetch";
    with_coordinator(format!("commits/fetched-v{version}"))
        .topic("a", 2, &[])
        .topic("b", 1, &[])
        .quiet("OffsetCommit", 8, commit(8, "%T-a", "", -1, "", &one))
        .quiet("OffsetCommit", 8, commit(8, "%T-b", "", -1, "", &one))
        .call(api, version, ask(json!([group(json!([a(json!([0])), a(json!([1]))]))])))
        .call(api, version, ask(json!([group(json!([a(json!([0, 0]))]))])))
        .call(
            api,
            version,
            ask(json!([group(json!([a(json!([0]))])), group(json!([a(json!([1]))]))])),
        )
        .call(api, version, ask(json!([group(Value::Null), group(json!([]))])))
        .call(api, version, ask(json!([{ "GroupId": "", "Topics": null }])))
        .call(
            api,
            version,
            ask(json!([group(json!([
                topic("%T-none", "00112233445566778899aabbccddeeff", json!([0])),
                a(json!([-1]))
            ]))])),
        )
        .call(api, version, ask(json!([group(Value::Null)])))
        .quiet("DeleteTopics", 5, json!({ "TopicNames": ["%T-b"], "TimeoutMs": 30_000 }))
        .until(
            api,
            8,
            json!({ "Groups": [{ "GroupId": "%T-g",
                "Topics": [{ "Name": "%T-b", "PartitionIndexes": [0] }] }] }),
            "/Groups/0/Topics/0/Partitions/0/CommittedOffset",
            json!(-1),
        )
        .call(api, version, ask(json!([group(Value::Null)])))
}

fn listed() -> Script {
    let ask = |states: Value, kinds: Value| json!({ "StatesFilter": states, "TypesFilter": kinds });
    let one = json!([{ "PartitionIndex": 0, "CommittedOffset": 5, "CommittedMetadata": "" }]);
    let mut script = with_coordinator("groups/listed".to_owned())
        .only_own()
        .topic("a", 1, &[])
        .quiet("OffsetCommit", 8, commit(8, "%T-a", "", -1, "", &one));
    for (states, kinds) in [
        (json!(["Empty"]), json!([])),
        (json!(["empty", "EMPTY"]), json!(["Classic", "Consumer"])),
        (json!([""]), json!([])),
        (json!(["Unknown"]), json!([])),
        (json!(["Assigning", "Reconciling", "NotReady"]), json!([])),
        (json!([]), json!([""])),
        (json!([]), json!(["Unknown"])),
        (json!([]), json!(["Share", "Streams"])),
        (json!([]), json!(["Consumer"])),
    ] {
        script = script.call("ListGroups", 5, ask(states, kinds));
    }
    script
}

/// What belongs to the classic protocol, asked of a group of the consumer protocol.
fn of_the_other_protocol() -> Script {
    let at = |partition: i32| json!([{ "PartitionIndex": partition, "CommittedOffset": 5, "CommittedMetadata": "" }]);
    let put = |version: i16, member: &str, epoch: i32| {
        commit(version, "%T-a", "$a", epoch, member, &at(0))
    };
    let mut script = with_coordinator("consumergroups/classic-requests".to_owned())
        .topic("a", 1, &[])
        .call(API, 1, joining(MEMBER, &json!(["%T-a"])));
    for version in 2..=10 {
        for (member, epoch) in [(MEMBER, 2), (MEMBER, 1), (MEMBER, 5), ("stranger", 2), ("", -1)] {
            script = script.call("OffsetCommit", version, put(version, member, epoch));
        }
    }
    script
        .call("Heartbeat", 4, heartbeat(2, MEMBER))
        .call("SyncGroup", 5, sync(5, 2, MEMBER, &json!([])))
        .call("JoinGroup", 9, join(9, MEMBER, None))
        .call("LeaveGroup", 2, leave(2, "stranger"))
        .call("LeaveGroup", 5, leave(5, MEMBER))
        .call("ConsumerGroupDescribe", 1, json!({ "GroupIds": ["%T-g"] }))
}

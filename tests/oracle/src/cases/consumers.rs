//! Sequences of the consumer protocol (KIP-848): two members, fencing, static members, regular
//! expressions, groups that change their protocol.

use std::time::Duration;

use serde_json::{Value, json};

use super::groups::{API, MEMBER, beat, commit, heartbeat, join, joining, leave, with_coordinator};
use crate::script::Script;

const OTHER: &str = "AAAAAAAAAAAAAAAAAAAAAg";
/// A little more than `group.consumer.assignment.interval.ms`.
const INTERVAL: Duration = Duration::from_millis(1_200);
const DESCRIBE: &str = "ConsumerGroupDescribe";

pub(super) fn cases(scripts: &mut Vec<Script>) {
    two_members(scripts);
    epochs(scripts);
    subscriptions(scripts);
    statics(scripts);
    expressions(scripts);
    administration(scripts);
    upgrades(scripts);
    upgrades_with_user_data(scripts);
    downgrades(scripts);
    classic_members(scripts);
}

fn described() -> Value {
    json!({ "GroupIds": ["%T-g"] })
}

fn owning(member: &str, epoch: i32, partitions: &Value) -> Value {
    let mut body = beat(member, epoch);
    body["TopicPartitions"] = json!([{ "TopicId": "$a", "Partitions": partitions }]);
    if partitions.as_array().is_none_or(Vec::is_empty) {
        body["TopicPartitions"] = json!([]);
    }
    body
}

/// Members `MEMBER` with partition 0 of one in epoch 2, and `OTHER` who came after it.
fn pair(name: &str, partitions: i32) -> Script {
    with_coordinator(format!("consumergroups/{name}"))
        .topic("a", partitions, &[])
        .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
        .pause(INTERVAL)
        .call(API, 1, joining(OTHER, &json!(["%T-a"])))
}

fn two_members(scripts: &mut Vec<Script>) {
    scripts.push(
        pair("handover", 1)
            .call(DESCRIBE, 1, described())
            .call(API, 1, beat(MEMBER, 2))
            .call(DESCRIBE, 1, described())
            .call(API, 1, beat(MEMBER, -1))
            .pause(INTERVAL)
            .call(API, 1, beat(OTHER, 3))
            .call(DESCRIBE, 1, described())
            .call(API, 1, beat(OTHER, -1))
            .call(DESCRIBE, 1, described()),
    );
    scripts.push(
        pair("revocation", 2)
            .call(API, 1, beat(MEMBER, 2))
            .call(DESCRIBE, 1, described())
            .call(API, 1, beat(OTHER, 3))
            .call(API, 1, owning(MEMBER, 2, &json!([0, 1])))
            .call(API, 1, owning(MEMBER, 2, &json!([0])))
            .call(DESCRIBE, 1, described())
            .call(API, 1, beat(OTHER, 3))
            .call(DESCRIBE, 1, described())
            .call(API, 1, beat(OTHER, 3)),
    );
    scripts.push(
        with_coordinator("consumergroups/interval".to_owned())
            .topic("a", 1, &[])
            .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
            .call(API, 1, joining(OTHER, &json!(["%T-a"])))
            .call(DESCRIBE, 1, described())
            .pause(INTERVAL)
            .call(API, 1, beat(OTHER, 2))
            .call(DESCRIBE, 1, described()),
    );
}

fn epochs(scripts: &mut Vec<Script>) {
    let one = |partition: i32| json!([{ "PartitionIndex": partition, "CommittedOffset": 5 }]);
    let put = |member: &str, epoch: i32, partition: i32| {
        commit(9, "%T-a", "$a", epoch, member, &one(partition))
    };
    let get = |member: &str, epoch: i32| {
        json!({ "Groups": [{ "GroupId": "%T-g", "MemberId": member, "MemberEpoch": epoch,
            "Topics": [{ "Name": "%T-a", "PartitionIndexes": [0] }] }] })
    };
    scripts.push(
        pair("stale-epochs", 2)
            .call(API, 1, beat(MEMBER, 2))
            .call("OffsetCommit", 9, put(MEMBER, 2, 1))
            .call(API, 1, owning(MEMBER, 2, &json!([0])))
            .call(API, 1, owning(MEMBER, 2, &json!([0])))
            .call(API, 1, owning(MEMBER, 2, &json!([0, 1])))
            .call(API, 1, beat(MEMBER, 2))
            .call(API, 1, beat(MEMBER, 4))
            .call("OffsetCommit", 9, put(MEMBER, 2, 0))
            .call("OffsetCommit", 9, put(MEMBER, 2, 1))
            .call("OffsetCommit", 9, put(MEMBER, 1, 0))
            .call("OffsetCommit", 9, put(MEMBER, 3, 1))
            .call("OffsetCommit", 9, put(MEMBER, 4, 0))
            .call("OffsetCommit", 9, put("", -1, 0))
            .call("OffsetCommit", 9, put("stranger", 3, 0))
            .call("OffsetCommit", 8, put(MEMBER, 3, 0))
            .call("OffsetFetch", 9, get(MEMBER, 3))
            .call("OffsetFetch", 9, get(MEMBER, 2))
            .call("OffsetFetch", 9, get(MEMBER, 4))
            .call("OffsetFetch", 9, get("stranger", 3))
            .call("OffsetFetch", 9, get("", -1)),
    );
    scripts.push(
        with_coordinator("consumergroups/rejoin".to_owned())
            .topic("a", 2, &[])
            .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
            .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
            .call(API, 1, owning(MEMBER, 2, &json!([0, 1])))
            .call(API, 1, beat(MEMBER, -1))
            .call(API, 1, beat(MEMBER, -1))
            .call(API, 1, beat(MEMBER, 2))
            .pause(INTERVAL)
            .call(API, 1, joining(MEMBER, &json!(["%T-a"]))),
    );
}

fn subscriptions(scripts: &mut Vec<Script>) {
    let mut other = beat(MEMBER, 2);
    other["SubscribedTopicNames"] = json!(["%T-b"]);
    other["TopicPartitions"] = json!([{ "TopicId": "$a", "Partitions": [0] }]);
    let mut assignor = beat(MEMBER, 3);
    assignor["ServerAssignor"] = json!("range");
    scripts.push(
        with_coordinator("consumergroups/resubscribe".to_owned())
            .topic("a", 1, &[])
            .topic("b", 1, &[])
            .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
            .pause(INTERVAL)
            .call(API, 1, other)
            .call(DESCRIBE, 1, described())
            .call(API, 1, owning(MEMBER, 2, &json!([])))
            .call(API, 1, assignor)
            .call(DESCRIBE, 1, described()),
    );
    scripts.push(
        with_coordinator("consumergroups/unknown-topic".to_owned())
            .topic("a", 1, &[])
            .call(API, 1, joining(MEMBER, &json!(["%T-none"])))
            .call(DESCRIBE, 1, described()),
    );
}

fn statics(scripts: &mut Vec<Script>) {
    let fixed = |mut body: Value| {
        body["InstanceId"] = json!("i1");
        body
    };
    scripts.push(
        with_coordinator("consumergroups/static-replace".to_owned())
            .topic("a", 2, &[])
            .call(API, 1, fixed(joining(MEMBER, &json!(["%T-a"]))))
            .call(API, 1, fixed(beat(OTHER, 2)))
            .call(API, 1, fixed(beat(OTHER, -1)))
            .call(API, 1, fixed(beat(OTHER, -2)))
            .call(API, 1, fixed(beat(MEMBER, -2)))
            .call(DESCRIBE, 1, described())
            .call(API, 1, fixed(beat(MEMBER, 2)))
            .call(API, 1, fixed(joining(MEMBER, &json!(["%T-a"]))))
            .call(API, 1, fixed(beat(MEMBER, -2)))
            .call(API, 1, fixed(joining(OTHER, &json!(["%T-a"]))))
            .call(API, 1, fixed(beat(MEMBER, 2)))
            .call(API, 1, fixed(beat(MEMBER, -1)))
            .call(
                "LeaveGroup",
                5,
                json!({ "GroupId": "%T-g", "Members": [
                { "MemberId": "", "GroupInstanceId": "i2" },
                { "MemberId": "", "GroupInstanceId": "i1" }] }),
            )
            .call(DESCRIBE, 1, described()),
    );
}

fn expressions(scripts: &mut Vec<Script>) {
    let by = |epoch: i32, regex: &str| {
        let mut body = joining(MEMBER, &Value::Null);
        body["MemberEpoch"] = json!(epoch);
        body["SubscribedTopicRegex"] = json!(regex);
        body
    };
    let settled = |script: Script, epoch: i32| {
        script.until(DESCRIBE, 1, described(), "/Groups/0/GroupEpoch", json!(epoch))
    };
    let script = with_coordinator("consumergroups/regex".to_owned()).topic("a", 1, &[]).call(
        API,
        1,
        by(0, "%T-[ab]"),
    );
    let script = settled(script, 2).call(API, 1, beat(MEMBER, 1)).call(DESCRIBE, 1, described());
    scripts.push(script.call(API, 1, by(2, "[")).call(API, 1, by(2, "")).call(
        DESCRIBE,
        1,
        described(),
    ));
    for (index, regex) in [
        "a(?=b)",
        "[[:alpha:]]*",
        "\\p{L}+",
        "(?i)x",
        "\\Qx\\E",
        "a{1001}",
        "x**",
        "a)(b",
        "(?P<n>x)",
    ]
    .into_iter()
    .enumerate()
    {
        scripts.push(with_coordinator(format!("consumergroups/regex-{index}")).call(
            API,
            1,
            by(0, &format!("%T-nothing{regex}")),
        ));
    }
}

fn administration(scripts: &mut Vec<Script>) {
    let remove = json!({ "GroupId": "%T-g",
        "Topics": [{ "Name": "%T-a", "Partitions": [{ "PartitionIndex": 0 }] }] });
    let one = json!([{ "PartitionIndex": 0, "CommittedOffset": 5 }]);
    let list =
        |states: Value, types: Value| json!({ "StatesFilter": states, "TypesFilter": types });
    let script = with_coordinator("consumergroups/administration".to_owned())
        .only_own()
        .topic("a", 1, &[])
        .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
        .call("OffsetCommit", 9, commit(9, "%T-a", "$a", 2, MEMBER, &one))
        .call("OffsetDelete", 0, remove.clone())
        .call("DeleteGroups", 2, json!({ "GroupsNames": ["%T-g"] }));
    let mut script = script;
    for (states, types) in [
        (json!([]), json!([])),
        (json!(["Stable"]), json!([])),
        (json!([]), json!(["consumer"])),
        (json!(["sTable"]), json!(["CONSUMER"])),
    ] {
        script = script.call("ListGroups", 5, list(states, types));
    }
    scripts.push(
        script
            .call("DescribeGroups", 5, json!({ "Groups": ["%T-g"] }))
            .call(API, 1, beat(MEMBER, -1))
            .call("ListGroups", 4, json!({ "StatesFilter": ["Empty"] }))
            .call("OffsetDelete", 0, remove)
            .call("DeleteGroups", 2, json!({ "GroupsNames": ["%T-g"] }))
            .call("DeleteGroups", 2, json!({ "GroupsNames": ["%T-g"] })),
    );
}

/// A consumer's metadata for the classic protocol, version 1: one topic, what it holds of it.
fn metadata(topic: &str, owned: &[i32]) -> String {
    // Names of topics are known when the case is played only, so the texts are put together
    // there: `hex:` stands for the bytes of a text, with its length.
    let held = if owned.is_empty() {
        "00000000".to_owned()
    } else {
        let partitions: Vec<String> = owned.iter().map(|it| format!("{it:08x}")).collect();
        format!("00000001$hex16:{topic}${:08x}{}", owned.len(), partitions.concat())
    };
    format!("000100000001$hex16:{topic}$ffffffff{held}")
}

fn joins(member: &str, owned: &[i32]) -> Value {
    let mut body = join(9, member, None);
    body["Protocols"] =
        json!([{ "Name": "cooperative-sticky", "Metadata": metadata("%T-a", owned) }]);
    body
}

fn syncs(member: &str, generation: i32, assignments: &Value) -> Value {
    json!({ "GroupId": "%T-g", "GenerationId": generation, "MemberId": member,
        "Assignments": assignments, "ProtocolType": "consumer",
        "ProtocolName": "cooperative-sticky" })
}

/// A stable classic group of one member `$m` with both partitions of the topic.
fn classic(name: &str) -> Script {
    classic_with(name, "ffffffff")
}

/// The same, with the assignor's user data behind the partitions of the assignment.
fn classic_with(name: &str, user_data: &str) -> Script {
    let assignment = format!("000100000001$hex16:%T-a$000000020000000000000001{user_data}");
    with_coordinator(format!("consumergroups/{name}"))
        .topic("a", 2, &[])
        .call("JoinGroup", 9, joins("", &[]))
        .capture("m", "/MemberId")
        .call("JoinGroup", 9, joins("$m", &[]))
        .call(
            "SyncGroup",
            5,
            syncs("$m", 1, &json!([{ "MemberId": "$m", "Assignment": assignment }])),
        )
}

fn upgrades(scripts: &mut Vec<Script>) {
    scripts.push(
        classic("upgrade")
            .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
            .call("Heartbeat", 4, heartbeat(1, "$m"))
            .call("SyncGroup", 5, syncs("$m", 1, &json!([])))
            .call("JoinGroup", 9, joins("$m", &[0, 1]))
            .call("SyncGroup", 5, syncs("$m", 1, &json!([])))
            .call("Heartbeat", 4, heartbeat(1, "$m"))
            .call("JoinGroup", 9, joins("$m", &[0]))
            .call("SyncGroup", 5, syncs("$m", 2, &json!([])))
            .call("Heartbeat", 4, heartbeat(2, "$m"))
            .call("Heartbeat", 4, heartbeat(1, "$m"))
            .call(API, 1, beat(MEMBER, 2))
            .call("DescribeGroups", 6, json!({ "Groups": ["%T-g"] })),
    );
}

/// What an assignor told its members by user data would be lost in a group without it.
fn upgrades_with_user_data(scripts: &mut Vec<Script>) {
    for (name, user_data) in
        [("four-bytes", "0000000400000007"), ("empty", "00000000"), ("absent", "")]
    {
        scripts.push(
            classic_with(&format!("upgrade-user-data-{name}"), user_data)
                .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
                .call("Heartbeat", 4, heartbeat(1, "$m"))
                .call("DescribeGroups", 6, json!({ "Groups": ["%T-g"] }))
                .call("LeaveGroup", 3, leave(3, "$m")),
        );
    }
}

fn downgrades(scripts: &mut Vec<Script>) {
    scripts.push(
        classic("downgrade")
            .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
            .call("JoinGroup", 9, joins("$m", &[0]))
            .call("SyncGroup", 5, syncs("$m", 2, &json!([])))
            .call(API, 1, beat(MEMBER, -1))
            .call("DescribeGroups", 6, json!({ "Groups": ["%T-g"] }))
            .call("Heartbeat", 4, heartbeat(2, "$m"))
            .call(API, 1, beat(MEMBER, 2))
            .call("JoinGroup", 9, joins("$m", &[0]))
            .call("LeaveGroup", 3, leave(3, "$m")),
    );
}

fn classic_members(scripts: &mut Vec<Script>) {
    let mut connect = joins("", &[]);
    connect["ProtocolType"] = json!("connect");
    scripts.push(
        with_coordinator("consumergroups/classic-member".to_owned())
            .topic("a", 1, &[])
            .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
            .pause(INTERVAL)
            .call("JoinGroup", 9, connect)
            .call("JoinGroup", 9, joins("", &[]))
            .capture("m", "/MemberId")
            .call("JoinGroup", 9, joins("$m", &[]))
            .call("SyncGroup", 5, syncs("$m", 2, &json!([])))
            .call("SyncGroup", 5, syncs("stranger", 3, &json!([])))
            .call("SyncGroup", 5, syncs("$m", 3, &json!([])))
            .call("Heartbeat", 4, heartbeat(3, "$m"))
            .call("Heartbeat", 4, heartbeat(2, "$m"))
            .call("Heartbeat", 4, heartbeat(2, MEMBER))
            .call(API, 1, beat(MEMBER, 2))
            .call(
                "LeaveGroup",
                5,
                json!({ "GroupId": "%T-g", "Members": [
                { "MemberId": "stranger" }, { "MemberId": "$m" }] }),
            )
            .call("Heartbeat", 4, heartbeat(3, "$m")),
    );
    scripts.push(
        with_coordinator("consumergroups/onto-an-empty-group".to_owned())
            .topic("a", 1, &[])
            .call(API, 1, joining(MEMBER, &json!(["%T-a"])))
            .call(API, 1, beat(MEMBER, -1))
            .call("JoinGroup", 9, joins("", &[]))
            .capture("m", "/MemberId")
            .call("JoinGroup", 9, joins("$m", &[]))
            .call(DESCRIBE, 1, described())
            .call("LeaveGroup", 3, leave(3, "$m"))
            .call(API, 1, joining(MEMBER, &json!(["%T-a"]))),
    );
}

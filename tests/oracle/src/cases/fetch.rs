//! Fetch: versions, offsets, limits, epochs, ids, sessions.

use serde_json::{Value, json};

use super::{batch, fetch, fetch_of, fetch_topic, produce, with};
use crate::script::Script;

const UNKNOWN_ID: &str = "00112233445566778899aabbccddeeff";
const ZERO_ID: &str = "00000000000000000000000000000000";

pub(super) fn cases(scripts: &mut Vec<Script>) {
    versions(scripts);
    epochs(scripts);
    limits(scripts);
    sessions(scripts);
    session_errors(scripts);
    names_and_ids(scripts);
    odd_fields(scripts);
}

/// Five batches of one record in partition 0 and none in partition 1.
fn filled(name: String) -> Script {
    let mut script = Script::new(name).topic("a", 2, &[]);
    for value in ["one", "two", "three", "four", "five"] {
        script = script.quiet("Produce", 9, produce(9, 0, 1, &json!([batch(&[value])])));
    }
    script
}

fn versions(scripts: &mut Vec<Script>) {
    for version in 4..=18 {
        let get = |offset: i64| fetch(version, 0, offset, &json!({}));
        let mut committed = get(0);
        committed["IsolationLevel"] = json!(1);
        let mut odd_isolation = get(0);
        odd_isolation["IsolationLevel"] = json!(7);
        let partition = |index: i32| json!({ "Partition": index, "FetchOffset": 0, "PartitionMaxBytes": 1 << 20 });
        let mut script = filled(format!("fetch/v{version}"))
            .call("Fetch", version, get(0))
            .call("Fetch", version, get(3))
            .call("Fetch", version, get(5))
            .call("Fetch", version, get(6))
            .call("Fetch", version, get(-1))
            .call("Fetch", version, get(-2))
            .call("Fetch", version, get(i64::MAX))
            .call("Fetch", version, committed)
            .call("Fetch", version, odd_isolation)
            .call("Fetch", version, fetch(version, 1, 0, &json!({})))
            .call("Fetch", version, fetch(version, 2, 0, &json!({})))
            .call("Fetch", version, fetch(version, -1, 0, &json!({})))
            .call("Fetch", version, fetch_of(version, &json!([])))
            .call("Fetch", version, fetch_of(version, &json!([fetch_topic(version, &json!([]))])))
            .call(
                "Fetch",
                version,
                fetch_of(
                    version,
                    &json!([fetch_topic(
                        version,
                        &json!([partition(1), partition(0), partition(7)])
                    )]),
                ),
            )
            .call(
                "Fetch",
                version,
                fetch_of(
                    version,
                    &json!([fetch_topic(version, &json!([partition(0), partition(0)]))]),
                ),
            );
        if version >= 13 {
            for id in [UNKNOWN_ID, ZERO_ID] {
                script = script.call(
                    "Fetch",
                    version,
                    fetch_of(
                        version,
                        &json!([
                    { "TopicId": id, "Partitions": [partition(0)] }]),
                    ),
                );
            }
            script = script.call(
                "Fetch",
                version,
                fetch_of(
                    version,
                    &json!([
                { "TopicId": UNKNOWN_ID, "Partitions": [partition(0)] },
                { "TopicId": "$a", "Partitions": [partition(0)] }]),
                ),
            );
        } else {
            script = script
                .call(
                    "Fetch",
                    version,
                    fetch_of(
                        version,
                        &json!([
                    { "Topic": "%T-none", "Partitions": [partition(0)] },
                    { "Topic": "%T-a", "Partitions": [partition(0)] }]),
                    ),
                )
                .call(
                    "Fetch",
                    version,
                    fetch_of(
                        version,
                        &json!([
                    { "Topic": "bad name", "Partitions": [partition(0)] }]),
                    ),
                );
        }
        scripts.push(script);
    }
}

fn epochs(scripts: &mut Vec<Script>) {
    for version in 9..=18 {
        let mut script = filled(format!("fetch/epochs-v{version}"));
        for epoch in [-1, 0, 1, 100, -2] {
            script = script.call(
                "Fetch",
                version,
                fetch(version, 0, 0, &json!({ "CurrentLeaderEpoch": epoch })),
            );
        }
        if version >= 12 {
            for (offset, last) in [(5, 0), (5, 1), (2, 0), (2, 5), (9, 0), (0, -1)] {
                script = script.call(
                    "Fetch",
                    version,
                    fetch(
                        version,
                        0,
                        offset,
                        &json!({
                    "CurrentLeaderEpoch": 0, "LastFetchedEpoch": last }),
                    ),
                );
            }
        }
        scripts.push(script);
    }
}

fn limits(scripts: &mut Vec<Script>) {
    let sized = |bytes: i32| json!({ "PartitionMaxBytes": bytes });
    for version in 4..=18 {
        let mut script = filled(format!("fetch/limits-v{version}"));
        for bytes in [0, 1, 71, 72, 100, 143, 144, 200, 1000, -1] {
            script = script.call("Fetch", version, fetch(version, 0, 0, &sized(bytes)));
        }
        for bytes in [0, 1, 100, 200, 1000] {
            let mut body = fetch(version, 0, 1, &json!({}));
            body["MaxBytes"] = json!(bytes);
            script = script.call("Fetch", version, body);
        }
        let mut waits = fetch(version, 0, 5, &json!({}));
        waits["MaxWaitMs"] = json!(100);
        waits["MinBytes"] = json!(1);
        let mut large = fetch(version, 0, 0, &json!({}));
        large["MaxWaitMs"] = json!(100);
        large["MinBytes"] = json!(1_000_000);
        // An offset that is out of range is answered at once, whatever the wait.
        let mut beyond = fetch(version, 0, 99, &json!({}));
        beyond["MaxWaitMs"] = json!(14_000);
        beyond["MinBytes"] = json!(1_000_000);
        script = script
            .call("Fetch", version, waits)
            .call("Fetch", version, large)
            .call("Fetch", version, beyond);
        // Both partitions under one total: the first that has data always gives a batch.
        for total in [1, 72, 150] {
            let part = |index: i32, offset: i32| json!({ "Partition": index, "FetchOffset": offset, "PartitionMaxBytes": 1 << 20 });
            let mut body =
                fetch_of(version, &json!([fetch_topic(version, &json!([part(1, 0), part(0, 0)]))]));
            body["MaxBytes"] = json!(total);
            script = script.call("Fetch", version, body);
        }
        scripts.push(script);
    }
    // A batch is given whole though the offset is in its middle.
    scripts.push(
        Script::new("fetch/middle-of-a-batch")
            .topic("a", 1, &[])
            .quiet("Produce", 9, produce(9, 0, 1, &json!([batch(&["a", "b", "c"])])))
            .quiet("Produce", 9, produce(9, 0, 1, &json!([batch(&["d", "e", "f"])])))
            .call("Fetch", 12, fetch(12, 0, 1, &json!({})))
            .call("Fetch", 12, fetch(12, 0, 4, &json!({})))
            .call("Fetch", 12, fetch(12, 0, 1, &json!({ "PartitionMaxBytes": 100 }))),
    );
    scripts.push(
        filled("fetch/deleted-records".to_owned())
            .call(
                "DeleteRecords",
                2,
                json!({ "Topics": [{ "Name": "%T-a", "Partitions": [
                { "PartitionIndex": 0, "Offset": 2 }] }], "TimeoutMs": 10_000 }),
            )
            .call("Fetch", 12, fetch(12, 0, 0, &json!({})))
            .call("Fetch", 12, fetch(12, 0, 2, &json!({})))
            .call("Fetch", 12, fetch(12, 0, 1, &json!({}))),
    );
    // As a follower that the partition does not have.
    let mut follower = fetch(12, 0, 0, &json!({}));
    follower["ReplicaId"] = json!(5);
    scripts.push(filled("fetch/stranger-as-follower".to_owned()).call("Fetch", 12, follower));
}

fn in_session(version: i16, id: &Value, epoch: i32, topics: &Value, forgotten: &Value) -> Value {
    with(
        fetch_of(version, topics),
        &json!({ "SessionId": id, "SessionEpoch": epoch, "ForgottenTopicsData": forgotten }),
    )
}

fn sessions(scripts: &mut Vec<Script>) {
    for version in 7..=18 {
        let part = |index: i32, offset: i32| json!({ "Partition": index, "FetchOffset": offset, "PartitionMaxBytes": 1 << 20 });
        let topic = |partitions: Value| json!([fetch_topic(version, &partitions)]);
        let forget = |partitions: Value| {
            if version >= 13 {
                json!([{ "TopicId": "$a", "Partitions": partitions }])
            } else {
                json!([{ "Topic": "%T-a", "Partitions": partitions }])
            }
        };
        let none = json!([]);
        let id = json!("$session");
        let api = "Fetch";
        scripts.push(
            filled(format!("fetch/session-v{version}"))
                .call(
                    api,
                    version,
                    in_session(
                        version,
                        &json!(0),
                        0,
                        &topic(json!([part(0, 0), part(1, 0)])),
                        &none,
                    ),
                )
                .capture("session", "/SessionId")
                // Nothing changed but the position: what has data comes again.
                .call(api, version, in_session(version, &id, 1, &none, &none))
                .call(api, version, in_session(version, &id, 2, &topic(json!([part(0, 5)])), &none))
                .call(api, version, in_session(version, &id, 3, &none, &none))
                .quiet("Produce", 9, produce(9, 1, 1, &json!([batch(&["new"])])))
                .call(api, version, in_session(version, &id, 4, &none, &none))
                .call(api, version, in_session(version, &id, 5, &topic(json!([part(1, 1)])), &none))
                .call(api, version, in_session(version, &id, 6, &topic(json!([part(5, 0)])), &none))
                .call(api, version, in_session(version, &id, 7, &none, &none))
                .call(api, version, in_session(version, &id, 8, &none, &forget(json!([5]))))
                .call(
                    api,
                    version,
                    in_session(version, &id, 9, &topic(json!([part(0, 2)])), &forget(json!([1]))),
                )
                .call(api, version, in_session(version, &id, 10, &none, &forget(json!([0]))))
                .call(
                    api,
                    version,
                    in_session(version, &id, 11, &topic(json!([part(0, 77)])), &none),
                )
                .call(api, version, in_session(version, &id, 12, &none, &none))
                // A new full fetch inside the session, then its end.
                .call(api, version, in_session(version, &id, 0, &topic(json!([part(0, 4)])), &none))
                .capture("session", "/SessionId")
                .call(api, version, in_session(version, &id, 1, &none, &none))
                .call(
                    api,
                    version,
                    in_session(version, &id, -1, &topic(json!([part(0, 4)])), &none),
                )
                .call(api, version, in_session(version, &id, 2, &none, &none)),
        );
    }
}

fn session_errors(scripts: &mut Vec<Script>) {
    for version in 7..=18 {
        let part = |offset: i32| json!([{ "Partition": 0, "FetchOffset": offset, "PartitionMaxBytes": 1000 }]);
        let topics = json!([fetch_topic(version, &part(0))]);
        let none = json!([]);
        let id = json!("$session");
        let api = "Fetch";
        scripts.push(
            filled(format!("fetch/session-errors-v{version}"))
                .call(api, version, in_session(version, &json!(123_456), 1, &topics, &none))
                .call(api, version, in_session(version, &json!(0), 1, &topics, &none))
                .call(api, version, in_session(version, &json!(0), -1, &topics, &none))
                .call(api, version, in_session(version, &json!(123_456), 0, &topics, &none))
                .call(api, version, in_session(version, &json!(123_456), -1, &topics, &none))
                .call(api, version, in_session(version, &json!(0), 0, &topics, &none))
                .capture("session", "/SessionId")
                .call(api, version, in_session(version, &id, 2, &none, &none))
                .call(api, version, in_session(version, &id, 1, &none, &none))
                .call(api, version, in_session(version, &id, 1, &none, &none))
                .call(api, version, in_session(version, &id, -2, &none, &none))
                .call(api, version, in_session(version, &id, 2, &none, &none))
                // A session of no partitions is not worth keeping.
                .call(api, version, in_session(version, &json!(0), 0, &none, &none)),
        );
    }
}

/// A session that names its topics one way and is asked the other way.
fn names_and_ids(scripts: &mut Vec<Script>) {
    for (first, second) in [(12, 13), (13, 12)] {
        let part = |offset: i64| json!([{ "Partition": 0, "FetchOffset": offset, "PartitionMaxBytes": 1000 }]);
        let topics = |version: i16| json!([fetch_topic(version, &part(0))]);
        let (none, id) = (json!([]), json!("$session"));
        scripts.push(
            filled(format!("fetch/session-v{first}-to-v{second}"))
                .call("Fetch", first, in_session(first, &json!(0), 0, &topics(first), &none))
                .capture("session", "/SessionId")
                .call("Fetch", second, in_session(second, &id, 1, &none, &none))
                .call("Fetch", second, in_session(second, &id, 2, &topics(second), &none))
                .call("Fetch", first, in_session(first, &id, 2, &none, &none)),
        );
    }
}

/// Fields that a consumer leaves alone: a cluster's id, a rack, who asks, limits below zero.
fn odd_fields(scripts: &mut Vec<Script>) {
    for version in 4..=18 {
        let mut fields =
            vec![("MinBytes", json!(-1)), ("MaxWaitMs", json!(-1)), ("MaxBytes", json!(-1))];
        if version >= 11 {
            fields.push(("RackId", json!("nowhere")));
        }
        if version >= 12 {
            fields.push(("ClusterId", json!("another")));
        }
        if version < 15 {
            fields.push(("ReplicaId", json!(-2)));
            fields.push(("ReplicaId", json!(1)));
        } else {
            fields.push(("ReplicaState", json!({ "ReplicaId": -2, "ReplicaEpoch": -1 })));
            fields.push(("ReplicaState", json!({ "ReplicaId": 5, "ReplicaEpoch": 3 })));
            fields.push(("ReplicaState", json!({ "ReplicaId": 1, "ReplicaEpoch": 3 })));
        }
        let mut script = filled(format!("fetch/odd-fields-v{version}"));
        for (name, value) in fields {
            let mut body = fetch(version, 0, 3, &json!({}));
            body[name] = value;
            script = script.call("Fetch", version, body);
        }
        // A limit below zero at the end of the log and beyond it.
        for offset in [5, 9] {
            let limit = json!({ "PartitionMaxBytes": -1 });
            script = script.call("Fetch", version, fetch(version, 0, offset, &limit));
        }
        scripts.push(script);
    }
}

//! Produce and InitProducerId: batches good and bad, idempotence, codecs, timestamps, acks.

use std::time::Duration;

use serde_json::{Value, json};

use super::{batch, fetch, produce, with};
use crate::batch::TIMESTAMP;
use crate::script::{Script, Step, call};

/// Three records (`one`, `two`, `three`) as a records section, by codec number.
const PAYLOADS: [&str; 5] = [
    "1200000001066f6e650012000002010674776f0016000004010a746872656500",
    "1f8b0800000000000203136260606064cbcf4b651062606062642b29cf671063606061e42ac9284a4d6500008b9c11b420000000",
    "82534e4150505900000000010000000100000022207c1200000001066f6e650012000002010674776f0016000004010a746872656500",
    "04224d18604082200000801200000001066f6e650012000002010674776f0016000004010a74687265650000000000",
    "28b52ffd20200101001200000001066f6e650012000002010674776f0016000004010a746872656500",
];

pub(super) fn cases(scripts: &mut Vec<Script>) {
    versions(scripts);
    targets(scripts);
    bad_batches(scripts);
    records_checked(scripts);
    codecs(scripts);
    timestamps(scripts);
    sizes(scripts);
    sequences(scripts);
    producer_ids(scripts);
    order(scripts);
}

fn versions(scripts: &mut Vec<Script>) {
    for version in 3..=13 {
        let full = json!([{ "records": [
            ["key", "value"], [null, "no key"], ["no value", null], [null, null],
            { "key": "h", "value": "headers", "delta": 5, "headers": [["a", "1"], ["a", ""], ["", null]] },
        ] }]);
        scripts.push(
            Script::new(format!("produce/v{version}"))
                .topic("a", 2, &[])
                .call("Produce", version, produce(version, 0, -1, &full))
                .call("Produce", version, produce(version, 0, 1, &json!([batch(&["x"])])))
                .call("Produce", version, produce(version, 1, 1, &json!([batch(&["y", "z"])])))
                .silent("Produce", version, produce(version, 1, 0, &json!([batch(&["w"])])))
                .call("Produce", version, produce(version, 1, 1, &json!([batch(&["v"])])))
                .call("Fetch", 12, fetch(12, 0, 0, &json!({})))
                .call("Fetch", 12, fetch(12, 1, 0, &json!({}))),
        );
    }
}

#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn targets(scripts: &mut Vec<Script>) {
    let one = json!([batch(&["x"])]);
    for version in 3..=13 {
        let topic = |name: &str, id: &str, partitions: Value| {
            if version >= 13 {
                json!({ "TopicId": id, "PartitionData": partitions })
            } else {
                json!({ "Name": name, "PartitionData": partitions })
            }
        };
        let unknown = "00112233445566778899aabbccddeeff";
        let zero = "00000000000000000000000000000000";
        let data = |index: i32| json!({ "Index": index, "Records": one });
        let body = |acks: i16, topics: Value| json!({ "Acks": acks, "TimeoutMs": 30_000, "TopicData": topics });
        let mut script = Script::new(format!("produce/targets-v{version}"))
            .topic("a", 2, &[])
            .call("Produce", version, body(1, json!([topic("%T-none", unknown, json!([data(0)]))])))
            .call("Produce", version, body(1, json!([topic("bad name", zero, json!([data(0)]))])))
            .call("Produce", version, body(1, json!([topic("%T-a", "$a", json!([data(2)]))])))
            .call("Produce", version, body(1, json!([topic("%T-a", "$a", json!([data(-1)]))])))
            .call(
                "Produce",
                version,
                body(1, json!([topic("%T-a", "$a", json!([data(0), data(1)]))])),
            )
            .call(
                "Produce",
                version,
                body(
                    1,
                    json!([
                        topic("%T-a", "$a", json!([data(0), data(7)])),
                        topic("%T-none", unknown, json!([data(0)]))
                    ]),
                ),
            )
            .call("Produce", version, body(1, json!([])))
            .call("Produce", version, body(1, json!([topic("%T-a", "$a", json!([]))])))
            .call("Produce", version, body(2, json!([topic("%T-a", "$a", json!([data(0)]))])))
            .call("Produce", version, body(-2, json!([topic("%T-a", "$a", json!([data(0)]))])))
            .call(
                "Produce",
                version,
                body(1, json!([topic("%T-a", "$a", json!([{ "Index": 0, "Records": "" }]))])),
            )
            .call("ListOffsets", 7, end("a", 0))
            .call("ListOffsets", 7, end("a", 1));
        // With acks=0 an error has no reply: the connection is closed instead.
        script = script
            .silent(
                "Produce",
                version,
                body(0, json!([topic("%T-none", unknown, json!([data(0)]))])),
            )
            .call("Metadata", 1, json!({ "Topics": [] }))
            .silent("Produce", version, body(0, json!([topic("%T-a", "$a", json!([data(9)]))])))
            .call("Metadata", 1, json!({ "Topics": [] }));
        scripts.push(script);
    }
    // A topic or a partition that is named twice, the way each version names it.
    for version in 3..=13 {
        let topic = |name: &str, id: &str, partitions: Value| {
            if version >= 13 {
                json!({ "TopicId": id, "PartitionData": partitions })
            } else {
                json!({ "Name": name, "PartitionData": partitions })
            }
        };
        let put = |topics: Value| json!({ "Acks": 1, "TimeoutMs": 1000, "TopicData": topics });
        let data =
            |index: i32, value: &str| json!({ "Index": index, "Records": [batch(&[value])] });
        let twice = json!([
            topic("%T-a", "$a", json!([data(0, "x")])),
            topic("%T-a", "$a", json!([data(1, "y")]))
        ]);
        scripts.push(
            Script::new(format!("produce/repeated-topic-v{version}"))
                .topic("a", 2, &[])
                .call("Produce", version, put(twice))
                .call("ListOffsets", 7, end("a", 0))
                .call("ListOffsets", 7, end("a", 1)),
        );
        let twice = json!([topic("%T-a", "$a", json!([data(0, "x"), data(0, "y")]))]);
        scripts.push(
            Script::new(format!("produce/repeated-partition-v{version}"))
                .topic("a", 1, &[])
                .call("Produce", version, put(twice))
                .call("Fetch", 12, fetch(12, 0, 0, &json!({}))),
        );
    }
    // Kafka trips over its own feet here and never answers.
    scripts.push(Script::new("produce/null-records").topic("a", 1, &[]).call(
        "Produce",
        9,
        json!({ "Acks": 1, "TimeoutMs": 1000, "TopicData": [
                { "Name": "%T-a", "PartitionData": [{ "Index": 0, "Records": null }] }] }),
    ));
    // The internal topics are not for clients.
    scripts.push(
        Script::new("produce/internal-topic").call(
            "Produce",
            12,
            json!({ "Acks": 1, "TimeoutMs": 1000, "TopicData": [
                { "Name": "__cluster_metadata", "PartitionData": [{ "Index": 0, "Records": one }] }] }),
        ),
    );
}

fn end(suffix: &str, partition: i32) -> Value {
    json!({ "ReplicaId": -1, "Topics": [{ "Name": format!("%T-{suffix}"), "Partitions": [
        { "PartitionIndex": partition, "Timestamp": -1 }] }] })
}

/// Each bad batch is answered and leaves nothing behind: the next good one gets the next offset.
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn bad_batches(scripts: &mut Vec<Script>) {
    let good = batch(&["a", "b"]);
    let bad: &[(&str, Value)] = &[
        ("crc", json!([with(good.clone(), &json!({ "crc": 1 }))])),
        ("magic-1", json!([with(good.clone(), &json!({ "magic": 1 }))])),
        ("magic-0", json!([with(good.clone(), &json!({ "magic": 0 }))])),
        ("magic-3", json!([with(good.clone(), &json!({ "magic": 3 }))])),
        ("magic-negative", json!([with(good.clone(), &json!({ "magic": -1 }))])),
        ("count-too-large", json!([with(good.clone(), &json!({ "count": 3 }))])),
        (
            "count-too-large-deltas-alike",
            json!([with(good.clone(), &json!({ "count": 3, "last_offset_delta": 2 }))]),
        ),
        ("count-zero", json!([with(good.clone(), &json!({ "count": 0 }))])),
        ("count-negative", json!([with(good.clone(), &json!({ "count": -1 }))])),
        (
            "last-offset-delta-too-large",
            json!([with(good.clone(), &json!({ "last_offset_delta": 5 }))]),
        ),
        (
            "last-offset-delta-negative",
            json!([with(good.clone(), &json!({ "last_offset_delta": -1 }))]),
        ),
        ("no-records", json!([{ "records": [] }])),
        ("two-batches", json!([good, good])),
        ("control", json!([with(good.clone(), &json!({ "attributes": 32 }))])),
        ("transactional-without-id", json!([with(good.clone(), &json!({ "attributes": 16 }))])),
        ("codec-5", json!([with(good.clone(), &json!({ "attributes": 5 }))])),
        ("codec-7", json!([with(good.clone(), &json!({ "attributes": 7 }))])),
        ("unused-attributes", json!([with(good.clone(), &json!({ "attributes": 128 }))])),
        ("log-append-time-flag", json!([with(good.clone(), &json!({ "attributes": 8 }))])),
        ("length-too-small", json!([with(good.clone(), &json!({ "length": 10 }))])),
        ("length-negative", json!([with(good.clone(), &json!({ "length": -1 }))])),
        ("length-too-large", json!([with(good.clone(), &json!({ "length": 1000 }))])),
        ("cut", json!([with(good.clone(), &json!({ "cut": 3 }))])),
        ("cut-to-header", json!([with(good.clone(), &json!({ "cut": 30 }))])),
        ("base-offset-given", json!([with(good.clone(), &json!({ "base_offset": 1000 }))])),
        ("leader-epoch-given", json!([with(good.clone(), &json!({ "leader_epoch": 7 }))])),
        (
            "producer-id-without-epoch",
            json!([with(good.clone(), &json!({ "producer_id": 900_100 }))]),
        ),
        ("sequence-without-producer", json!([with(good.clone(), &json!({ "base_sequence": 4 }))])),
        (
            "first-offset-delta-1",
            json!([{ "records": [
            { "value": "a", "offset": 1 }, { "value": "b", "offset": 2 }], "last_offset_delta": 2 }]),
        ),
        (
            "offset-deltas-apart",
            json!([{ "records": [
            { "value": "a", "offset": 0 }, { "value": "b", "offset": 5 }], "last_offset_delta": 5 }]),
        ),
        (
            "offset-deltas-alike",
            json!([{ "records": [
            { "value": "a", "offset": 0 }, { "value": "b", "offset": 0 }] }]),
        ),
        (
            "garbage",
            json!([
                "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
            ]),
        ),
        ("four-bytes", json!(["00112233"])),
        ("trailing-bytes", json!([good, "0011"])),
    ];
    for version in [3, 8, 11] {
        for (name, records) in bad {
            scripts.push(
                Script::new(format!("produce/bad-{name}-v{version}"))
                    .topic("a", 1, &[])
                    .call("Produce", version, produce(version, 0, 1, records))
                    .call("Produce", version, produce(version, 0, 1, &json!([batch(&["after"])])))
                    .call("Fetch", 11, fetch(11, 0, 0, &json!({}))),
            );
        }
    }
    for version in (3..=13).filter(|version| ![3, 8, 11].contains(version)) {
        let mut script = Script::new(format!("produce/bad-batches-v{version}")).topic("a", 1, &[]);
        // Those that only a broker sees that opens every record have cases of their own.
        for (_, records) in bad.iter().filter(|(name, _)| !name.starts_with("count-too-large")) {
            script = script.call("Produce", version, produce(version, 0, 1, records));
        }
        scripts.push(script.call("ListOffsets", 7, end("a", 0)));
    }
}

/// What only a broker that opens every batch can see.
fn records_checked(scripts: &mut Vec<Script>) {
    let keyless = json!([batch(&["a"])]);
    let keyed = json!([{ "records": [["k", "a"]] }]);
    let mixed = json!([{ "records": [["k", "a"], [null, "b"], [null, "c"]] }]);
    for version in 3..=13 {
        scripts.push(
            Script::new(format!("produce/compacted-v{version}"))
                .topic("a", 1, &[("cleanup.policy", "compact")])
                .call("Produce", version, produce(version, 0, 1, &keyless))
                .call("Produce", version, produce(version, 0, 1, &mixed))
                .call("Produce", version, produce(version, 0, 1, &keyed)),
        );
    }
    let wrong = json!([{ "payload": "1200000001066f6e65001200000201067477", "count": 2 }]);
    let garbage = json!([{ "payload": "ffffffffffffffffffffffff", "count": 1 }]);
    let gzip = json!([{ "payload": "00112233445566", "count": 3, "attributes": 1 }]);
    let zstd = json!([{ "payload": "00112233445566", "count": 3, "attributes": 4 }]);
    for (name, records) in [("cut", wrong), ("garbage", garbage), ("gzip", gzip), ("zstd", zstd)] {
        scripts.push(Script::new(format!("produce/records-{name}")).topic("a", 1, &[]).call(
            "Produce",
            9,
            produce(9, 0, 1, &records),
        ));
    }
}

fn codecs(scripts: &mut Vec<Script>) {
    for (attributes, payload) in (0..).zip(PAYLOADS) {
        for kind in ["CreateTime", "LogAppendTime"] {
            let compressed = json!([{ "payload": payload, "count": 3, "attributes": attributes }]);
            scripts.push(
                Script::new(format!("produce/codec-{attributes}-{kind}"))
                    .topic("a", 1, &[("message.timestamp.type", kind)])
                    .call("Produce", 9, produce(9, 0, -1, &compressed))
                    .call("Produce", 9, produce(9, 0, -1, &json!([batch(&["after"])])))
                    .call("Fetch", 12, fetch(12, 0, 0, &json!({})))
                    .call("Fetch", 12, fetch(12, 0, 2, &json!({}))),
            );
        }
    }
    // The same through the versions that differ in form: the oldest, and topics by their ids.
    for version in [3_i16, 7, 13] {
        for (attributes, payload) in (0..).zip(PAYLOADS).take(if version < 7 { 4 } else { 5 }) {
            for kind in ["CreateTime", "LogAppendTime"] {
                let compressed =
                    json!([{ "payload": payload, "count": 3, "attributes": attributes }]);
                let fetched = if version == 13 { 18 } else { version.max(4) + 3 };
                scripts.push(
                    Script::new(format!("produce/codec-{attributes}-{kind}-v{version}"))
                        .topic("a", 1, &[("message.timestamp.type", kind)])
                        .call("Produce", version, produce(version, 0, -1, &compressed))
                        .call("Fetch", fetched, fetch(fetched, 0, 0, &json!({}))),
                );
            }
        }
    }
    // zstd is not for clients that speak less than Produce 7 or Fetch 10.
    let zstd = json!([{ "payload": PAYLOADS[4], "count": 3, "attributes": 4 }]);
    scripts.push(
        Script::new("produce/zstd-old-versions")
            .topic("a", 1, &[])
            .call("Produce", 6, produce(6, 0, 1, &zstd))
            .call("Produce", 7, produce(7, 0, 1, &zstd))
            .call("Fetch", 9, fetch(9, 0, 0, &json!({})))
            .call("Fetch", 10, fetch(10, 0, 0, &json!({}))),
    );
    let gzip = json!([{ "payload": PAYLOADS[1], "count": 3, "attributes": 1 }]);
    scripts.push(
        Script::new("produce/topic-codec-equals-batch-codec")
            .topic("a", 1, &[("compression.type", "gzip")])
            .call("Produce", 9, produce(9, 0, 1, &gzip))
            .call("Fetch", 12, fetch(12, 0, 0, &json!({}))),
    );
}

fn timestamps(scripts: &mut Vec<Script>) {
    let at = |base: i64, max: i64| json!([{ "records": [[null, "a"]], "base_timestamp": base, "max_timestamp": max }]);
    let windows = &[
        ("message.timestamp.before.max.ms", "3600000"),
        ("message.timestamp.after.max.ms", "3600000"),
    ];
    for version in 3..=13 {
        scripts.push(
            Script::new(format!("produce/timestamp-window-v{version}"))
                .topic("a", 1, windows)
                .call("Produce", version, produce(version, 0, 1, &at(TIMESTAMP, TIMESTAMP)))
                .call(
                    "Produce",
                    version,
                    produce(version, 0, 1, &at(9_000_000_000_000, 9_000_000_000_000)),
                )
                .call("Produce", version, produce(version, 0, 1, &at(-1, -1)))
                .call("ListOffsets", 7, end("a", 0)),
        );
    }
    scripts.push(
        Script::new("produce/timestamps-of-any-kind")
            .topic("a", 1, &[])
            .call("Produce", 9, produce(9, 0, 1, &at(-1, -1)))
            .call("Produce", 9, produce(9, 0, 1, &at(0, 0)))
            .call("Produce", 9, produce(9, 0, 1, &at(9_000_000_000_000, 9_000_000_000_000)))
            .call("Fetch", 12, fetch(12, 0, 0, &json!({}))),
    );
    scripts.push(
        Script::new("produce/maximum-timestamp-not-the-records")
            .topic("a", 1, &[])
            .call("Produce", 9, produce(9, 0, 1, &at(TIMESTAMP, TIMESTAMP + 50)))
            .call("Produce", 9, produce(9, 0, 1, &at(TIMESTAMP, TIMESTAMP - 50)))
            .call("Fetch", 12, fetch(12, 0, 0, &json!({}))),
    );
    for version in 3..=13 {
        scripts.push(
            Script::new(format!("produce/log-append-time-v{version}"))
                .topic("a", 1, &[("message.timestamp.type", "LogAppendTime")])
                .call("Produce", version, produce(version, 0, 1, &json!([batch(&["a", "b"])])))
                .call("Produce", version, produce(version, 0, 1, &at(-1, -1)))
                .call("Fetch", 12, fetch(12, 0, 0, &json!({}))),
        );
    }
}

fn sizes(scripts: &mut Vec<Script>) {
    let of = |bytes: usize| json!([{ "records": [[null, "v".repeat(bytes)]] }]);
    for version in 3..=13 {
        scripts.push(
            Script::new(format!("produce/max-message-bytes-v{version}"))
                .topic("a", 1, &[("max.message.bytes", "200")])
                // 61 bytes of header and 9 around the value: 130 make 200 exactly.
                .call("Produce", version, produce(version, 0, 1, &of(129)))
                .call("Produce", version, produce(version, 0, 1, &of(130)))
                .call("Produce", version, produce(version, 0, 1, &of(131)))
                .call("Produce", version, produce(version, 0, 1, &of(1000)))
                .call("ListOffsets", 7, end("a", 0)),
        );
    }
    scripts.push(
        Script::new("produce/default-max-message-bytes")
            .topic("a", 1, &[])
            .call("Produce", 9, produce(9, 0, 1, &of(1_000_000)))
            .call("Produce", 9, produce(9, 0, 1, &of(1_048_600)))
            .call("ListOffsets", 7, end("a", 0)),
    );
    scripts.push(
        Script::new("produce/five-megabytes")
            .topic("a", 1, &[("max.message.bytes", "6000000")])
            .call("Produce", 9, produce(9, 0, 1, &of(5 << 20)))
            .call("Fetch", 12, fetch(12, 0, 0, &json!({}))),
    );
    scripts.push(
        Script::new("produce/segment-smaller-than-batch")
            .topic("a", 1, &[("segment.bytes", "1048576"), ("max.message.bytes", "3000000")])
            .call("Produce", 9, produce(9, 0, 1, &of(1_000_000)))
            .call("Produce", 9, produce(9, 0, 1, &of(1_100_000)))
            .call("ListOffsets", 7, end("a", 0)),
    );
}

fn sequences(scripts: &mut Vec<Script>) {
    let of = |id: i64, epoch: i64, sequence: i64, values: &[&str]| {
        json!([with(
            batch(values),
            &json!({
            "producer_id": id, "producer_epoch": epoch, "base_sequence": sequence })
        )])
    };
    for version in 3..=13 {
        let put = |id: i64, epoch: i64, sequence: i64, values: &[&str]| {
            produce(version, 0, -1, &of(id, epoch, sequence, values))
        };
        let id = 910_000 + i64::from(version);
        let mut script = Script::new(format!("produce/sequences-v{version}"))
            .topic("a", 1, &[])
            .call("Produce", version, put(id, 0, 0, &["a", "b"]))
            .call("Produce", version, put(id, 0, 0, &["a", "b"]))
            .call("Produce", version, put(id, 0, 2, &["c"]))
            .call("Produce", version, put(id, 0, 5, &["gap"]))
            .call("Produce", version, put(id, 0, 1, &["inside"]))
            .call("Produce", version, put(id, 0, 3, &["d"]));
        for (sequence, value) in (4..10).zip(["e", "f", "g", "h", "i", "j"]) {
            script = script.call("Produce", version, put(id, 0, sequence, &[value]));
        }
        // Only the last five batches of a producer are remembered.
        script = script
            .call("Produce", version, put(id, 0, 5, &["f"]))
            .call("Produce", version, put(id, 0, 4, &["e"]))
            .call("Produce", version, put(id, 0, 0, &["a", "b"]))
            .call("Produce", version, put(id, 1, 3, &["new epoch, wrong start"]))
            .call("Produce", version, put(id, 1, 0, &["new epoch"]))
            .call("Produce", version, put(id, 0, 10, &["old epoch"]))
            .call("Produce", version, put(id, 1, 1, &["on"]))
            .call("Produce", version, put(id, 1, 0, &["new epoch"]))
            .call("Fetch", 12, fetch(12, 0, 0, &json!({})))
            .call(
                "DescribeProducers",
                0,
                json!({ "Topics": [
                { "Name": "%T-a", "PartitionIndexes": [0] }] }),
            );
        scripts.push(script);
    }
    let put = |id: i64, epoch: i64, sequence: i64, values: &[&str]| {
        produce(9, 0, -1, &of(id, epoch, sequence, values))
    };
    scripts.push(
        Script::new("produce/sequence-starts-anywhere-for-an-unknown-producer")
            .topic("a", 1, &[])
            .call("Produce", 9, put(920_001, 0, 7, &["x"]))
            .call("Produce", 9, put(920_001, 0, 8, &["y"]))
            .call("Produce", 9, put(920_002, 3, 0, &["x"]))
            .call("Produce", 9, put(920_002, 2, 1, &["y"])),
    );
    let last = i64::from(i32::MAX);
    scripts.push(
        Script::new("produce/sequence-wraps-around")
            .topic("a", 1, &[])
            .call("Produce", 9, put(920_003, 0, last - 1, &["x"]))
            .call("Produce", 9, put(920_003, 0, last, &["y", "z"]))
            .call("Produce", 9, put(920_003, 0, 1, &["w"]))
            .call("Produce", 9, put(920_003, 0, last, &["y", "z"])),
    );
    scripts.push(
        Script::new("produce/odd-producer-fields")
            .topic("a", 1, &[])
            .call("Produce", 9, put(920_004, 0, -1, &["x"]))
            .call("Produce", 9, put(920_005, -1, 0, &["x"]))
            .call("Produce", 9, put(-1, 0, 0, &["x"]))
            .call("Produce", 9, put(-2, 0, 0, &["x"])),
    );
    let two = json!([of(920_006, 0, 0, &["a"])[0], of(920_006, 0, 1, &["b"])[0]]);
    scripts.push(
        Script::new("produce/two-idempotent-batches-in-one-request").topic("a", 1, &[]).call(
            "Produce",
            9,
            produce(9, 0, -1, &two),
        ),
    );
}

fn producer_ids(scripts: &mut Vec<Script>) {
    for version in 0..=5 {
        let api = "InitProducerId";
        let body = |id: Value, timeout: i32| json!({ "TransactionalId": id, "TransactionTimeoutMs": timeout });
        let mut script = Script::new(format!("producerids/v{version}"))
            // The first answer may be that the block of ids is still being fetched.
            .until(api, 4, body(Value::Null, 60_000), "/ErrorCode", json!(0))
            .call(api, version, body(Value::Null, 60_000))
            .call(api, version, body(Value::Null, 0))
            .call(api, version, body(Value::Null, -1))
            .call(api, version, body(json!(""), 60_000));
        if version >= 3 {
            let with_id = |id: Value, epoch: i32| {
                json!({ "TransactionalId": null, "TransactionTimeoutMs": 60_000,
                    "ProducerId": id, "ProducerEpoch": epoch })
            };
            script = script
                .call(api, version, with_id(json!(5), -1))
                .call(api, version, with_id(json!(-1), 5))
                .call(api, version, with_id(json!(930_000), 5));
        }
        scripts.push(script);
    }
    scripts.push(
        Script::new("producerids/used")
            .topic("a", 1, &[])
            .quiet("InitProducerId", 4, json!({ "TransactionalId": null, "TransactionTimeoutMs": 1000 }))
            .capture("id", "/ProducerId")
            .call("Produce", 9, produce(9, 0, -1, &json!([with(batch(&["x"]), &json!({
                "producer_id": 931_000, "producer_epoch": 0, "base_sequence": 0 }))])))
            .call("DescribeProducers", 0, json!({ "Topics": [
                { "Name": "%T-a", "PartitionIndexes": [0, 1] }, { "Name": "%T-none", "PartitionIndexes": [0] }] })),
    );
}

/// Replies come in the order of the requests, also when a later one could be answered first.
fn order(scripts: &mut Vec<Script>) {
    let one = json!([batch(&["x"])]);
    let mut waiting = fetch(12, 0, 3, &json!({}));
    waiting["MaxWaitMs"] = json!(300);
    waiting["MinBytes"] = json!(1);
    let mut silent = call("Produce", 9, produce(9, 0, 0, &one));
    silent.replies = false;
    scripts.push(
        Script::new("produce/pipelined")
            .topic("a", 1, &[])
            .step(Step::Pipeline(vec![
                call("Produce", 9, produce(9, 0, 1, &one)),
                call("Produce", 9, produce(9, 0, -1, &one)),
                silent,
                call("Fetch", 12, waiting),
                call("Metadata", 9, json!({ "Topics": [{ "Name": "%T-a" }] })),
                call("Produce", 9, produce(9, 0, 1, &one)),
                call("ListOffsets", 7, end("a", 0)),
            ]))
            .step(Step::Pause(Duration::from_millis(1)))
            .call("ListOffsets", 7, end("a", 0)),
    );
}

//! ApiVersions, Metadata, DescribeCluster, DescribeTopicPartitions, and broken frames.

use serde_json::{Value, json};

use crate::script::{Script, Step, call};

const UNKNOWN_ID: &str = "00112233445566778899aabbccddeeff";
const ZERO_ID: &str = "00000000000000000000000000000000";

pub(super) fn cases(scripts: &mut Vec<Script>) {
    api_versions(scripts);
    metadata(scripts);
    metadata_edges(scripts);
    cluster(scripts);
    connections(scripts);
    topic_partitions(scripts);
    frames(scripts);
}

fn api_versions(scripts: &mut Vec<Script>) {
    for version in 0..=4 {
        let body = if version >= 3 {
            json!({ "ClientSoftwareName": "oracle", "ClientSoftwareVersion": "1.0" })
        } else {
            json!({})
        };
        scripts.push(Script::new(format!("apiversions/v{version}")).call(
            "ApiVersions",
            version,
            body,
        ));
    }
    for (name, software, number) in [
        ("empty-name", "", "1"),
        ("empty-version", "oracle", ""),
        ("odd-name", "or acle!", "1"),
        ("dashes", "-oracle-", "1"),
        ("dots", "a.b-c", "1.0.0-rc1"),
    ] {
        scripts.push(Script::new(format!("apiversions/software-{name}")).call(
            "ApiVersions",
            3,
            json!({ "ClientSoftwareName": software, "ClientSoftwareVersion": number }),
        ));
    }
    // A version beyond every known one is answered in version 0 with error 35 and the ranges.
    let mut frame = Vec::new();
    for part in [&[0, 18, 0, 99][..], &[1, 2, 3, 4], &[0, 1, b'o'], &[0, 2, b'x', 2, b'y', 0]] {
        frame.extend_from_slice(part);
    }
    let mut raw = u32::try_from(frame.len()).unwrap_or(0).to_be_bytes().to_vec();
    raw.extend_from_slice(&frame);
    scripts.push(
        Script::new("apiversions/unsupported-version")
            .step(Step::Raw(raw, Some(("ApiVersions".to_owned(), 0)))),
    );
}

fn topics_of(version: i16, names: &[&str]) -> Value {
    let topics: Vec<Value> = names.iter().map(|name| json!({ "Name": name })).collect();
    let mut body = json!({ "Topics": topics });
    if version >= 4 {
        body["AllowAutoTopicCreation"] = json!(false);
    }
    body
}

fn metadata(scripts: &mut Vec<Script>) {
    for version in 0..=13 {
        let mut script = Script::new(format!("metadata/v{version}"))
            .only_own()
            .topic("a", 3, &[])
            .topic("b", 1, &[])
            .call("Metadata", version, topics_of(version, &["%T-a"]))
            .call("Metadata", version, topics_of(version, &["%T-b", "%T-a"]))
            .call("Metadata", version, topics_of(version, &["%T-a", "%T-a"]));
        // In version 0 an empty list means all topics, later it means none and null means all.
        script = script.call("Metadata", version, topics_of(version, &[]));
        if version >= 1 {
            let mut body = topics_of(version, &[]);
            body["Topics"] = Value::Null;
            script = script.call("Metadata", version, body);
        }
        if version >= 4 {
            script = script.call("Metadata", version, topics_of(version, &["%T-none"])).call(
                "Metadata",
                version,
                topics_of(version, &["%T-none", "%T-a", "bad name!"]),
            );
        }
        if version >= 8 {
            let mut body = topics_of(version, &["%T-a"]);
            body["IncludeTopicAuthorizedOperations"] = json!(true);
            if version <= 10 {
                body["IncludeClusterAuthorizedOperations"] = json!(true);
            }
            script = script.call("Metadata", version, body);
        }
        if version >= 12 {
            let by_id = |id: &str, name: Value| {
                let mut body = topics_of(version, &[]);
                body["Topics"] = json!([{ "TopicId": id, "Name": name }]);
                body
            };
            script = script
                .call("Metadata", version, by_id("$a", Value::Null))
                .call("Metadata", version, by_id(UNKNOWN_ID, Value::Null))
                .call("Metadata", version, by_id("$a", json!("%T-b")))
                .call("Metadata", version, by_id(ZERO_ID, json!("%T-b")));
        }
        scripts.push(script);
    }
}

fn metadata_edges(scripts: &mut Vec<Script>) {
    let names = ["", ".", "..", "a b", "a/b", "é", "a:b", "__consumer_offsets_", "A.b_c-9"];
    let mut script = Script::new("metadata/invalid-names").only_own();
    for name in names {
        script = script.call("Metadata", 12, topics_of(12, &[name]));
    }
    let long = "x".repeat(250);
    script = script.call("Metadata", 12, topics_of(12, &[long.as_str()]));
    scripts.push(script);

    // Asking creates: the first answer says so, the topic comes into being soon after.
    for version in [1_i16, 4, 9, 12] {
        let mut body = topics_of(version, &["%T-auto"]);
        if version >= 4 {
            body["AllowAutoTopicCreation"] = json!(true);
        }
        scripts.push(
            Script::new(format!("metadata/auto-create-v{version}"))
                .owns("auto")
                .call("Metadata", version, body.clone())
                .ready("auto", 0)
                .call("Metadata", version, body),
        );
    }
    let mut odd = topics_of(12, &["%T-a b", "%T-ok"]);
    odd["AllowAutoTopicCreation"] = json!(true);
    scripts.push(
        Script::new("metadata/auto-create-invalid-name").owns("ok").call("Metadata", 12, odd),
    );
    scripts.push(Script::new("metadata/id-of-a-topic-in-a-version-without-lookup").call(
        "Metadata",
        10,
        json!({ "Topics": [{ "TopicId": UNKNOWN_ID, "Name": "%T-x" }],
                "AllowAutoTopicCreation": false }),
    ));
}

fn cluster(scripts: &mut Vec<Script>) {
    for version in 0..=2 {
        let mut script =
            Script::new(format!("cluster/v{version}")).call("DescribeCluster", version, json!({}));
        script = script.call(
            "DescribeCluster",
            version,
            json!({ "IncludeClusterAuthorizedOperations": true }),
        );
        if version >= 1 {
            for endpoint in [0, 1, 2, 7] {
                script =
                    script.call("DescribeCluster", version, json!({ "EndpointType": endpoint }));
            }
        }
        if version >= 2 {
            script =
                script.call("DescribeCluster", version, json!({ "IncludeFencedBrokers": true }));
        }
        scripts.push(script);
    }
}

/// Brokers serve connections on several threads: each of them knows what the others know.
fn connections(scripts: &mut Vec<Script>) {
    let mut script = Script::new("cluster/every-connection").topic("a", 2, &[]);
    for number in 1..=8 {
        script = script
            .send(number, "DescribeCluster", 1, json!({}))
            .receive(number, &[])
            .send(number, "Metadata", 12, topics_of(12, &["%T-a"]))
            .receive(number, &[]);
    }
    scripts.push(script);
}

fn topic_partitions(scripts: &mut Vec<Script>) {
    let ask = |names: &[&str], limit: i32, cursor: Value| {
        let topics: Vec<Value> = names.iter().map(|name| json!({ "Name": name })).collect();
        let mut body = json!({ "Topics": topics, "ResponsePartitionLimit": limit });
        if !cursor.is_null() {
            body["Cursor"] = cursor;
        }
        body
    };
    let cursor =
        |topic: &str, partition: i32| json!({ "TopicName": topic, "PartitionIndex": partition });
    let api = "DescribeTopicPartitions";
    scripts.push(
        Script::new("topicpartitions/v0")
            .only_own()
            .topic("a", 4, &[])
            .topic("b", 2, &[])
            .call(api, 0, ask(&["%T-a"], 2000, Value::Null))
            .call(api, 0, ask(&["%T-b", "%T-a"], 2000, Value::Null))
            .call(api, 0, ask(&["%T-a", "%T-b"], 3, Value::Null))
            .call(api, 0, ask(&["%T-a", "%T-b"], 3, cursor("%T-a", 3)))
            .call(api, 0, ask(&["%T-a", "%T-b"], 3, cursor("%T-b", 1)))
            .call(api, 0, ask(&["%T-a", "%T-b"], 4, Value::Null))
            .call(api, 0, ask(&["%T-none"], 2000, Value::Null))
            .call(api, 0, ask(&["%T-none", "%T-a"], 2000, Value::Null))
            .call(api, 0, ask(&["%T-a"], 0, Value::Null))
            .call(api, 0, ask(&["%T-a"], -1, Value::Null))
            .call(api, 0, ask(&["%T-a"], 10, cursor("%T-a", -1)))
            .call(api, 0, ask(&["%T-a"], 10, cursor("%T-a", 99)))
            .call(api, 0, ask(&["%T-a"], 10, cursor("%T-zzz", 0)))
            .call(api, 0, ask(&["bad name"], 10, Value::Null)),
    );
}

/// Frames that no client sends. What counts is whether an answer comes or the connection ends, and
/// that the broker still serves afterwards.
fn frames(scripts: &mut Vec<Script>) {
    let header = |key: i16, version: i16| {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&key.to_be_bytes());
        bytes.extend_from_slice(&version.to_be_bytes());
        bytes.extend_from_slice(&[1, 2, 3, 4, 0, 1, b'o']);
        bytes
    };
    let framed = |payload: &[u8]| {
        let mut bytes = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes().to_vec();
        bytes.extend_from_slice(payload);
        bytes
    };
    let mut metadata_cut = header(3, 9);
    metadata_cut.extend_from_slice(&[0, 200]);
    let mut metadata_more = header(3, 1);
    metadata_more.extend_from_slice(&[0, 0, 0, 0, 9, 9, 9]);
    let mut huge_count = header(3, 1);
    huge_count.extend_from_slice(&[0x7f, 0xff, 0xff, 0xff]);
    let mut negative_count = header(3, 0);
    negative_count.extend_from_slice(&[0xff, 0xff, 0xff, 0xfe]);
    let frames: [(&str, Vec<u8>); 11] = [
        ("negative-length", vec![0xff, 0xff, 0xff, 0xff]),
        ("length-zero", vec![0, 0, 0, 0]),
        ("length-beyond-maximum", vec![0x7f, 0xff, 0xff, 0xff]),
        ("unknown-api", framed(&header(9999, 0))),
        ("negative-api", framed(&header(-1, 0))),
        ("metadata-version-too-new", framed(&header(3, 99))),
        ("fetch-version-too-old", framed(&header(1, 3))),
        ("metadata-cut-short", framed(&metadata_cut)),
        ("metadata-bytes-left-over", framed(&metadata_more)),
        ("metadata-count-too-large", framed(&huge_count)),
        ("metadata-count-negative", framed(&negative_count)),
    ];
    for (name, bytes) in frames {
        scripts.push(
            Script::new(format!("frames/{name}"))
                .step(Step::Raw(bytes, Some(("Metadata".to_owned(), 1))))
                .call("Metadata", 1, json!({ "Topics": [] })),
        );
    }
    for version in [0_i16, 1, 2] {
        let mut bytes = header(0, version);
        bytes.extend_from_slice(&[0, 1, 0, 0, 0, 100, 0, 0, 0, 0]);
        scripts.push(
            Script::new(format!("frames/produce-v{version}")).step(Step::Raw(framed(&bytes), None)),
        );
    }
    let calls = vec![
        call("Metadata", 12, json!({ "Topics": [] })),
        call("DescribeCluster", 0, json!({})),
        call("Metadata", 1, json!({ "Topics": [] })),
        call("DescribeCluster", 1, json!({})),
    ];
    scripts.push(Script::new("frames/pipelined").step(Step::Pipeline(calls)));
}

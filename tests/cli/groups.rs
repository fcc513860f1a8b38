//! `millrace group` against a broker.

use std::io::{Read, Write};
use std::net::TcpStream;

use millrace_net::header::{read_response, request_frame};
use millrace_net::messages::find_coordinator::FindCoordinatorRequest;
use millrace_net::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use millrace_net::messages::leave_group::LeaveGroupRequest;
use millrace_net::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use millrace_net::{ErrorCode, Request};
use serde_json::json;

use crate::broker::{Broker, PATIENCE, text};

fn call<R: Request>(stream: &mut TcpStream, request: &R, version: i16) -> R::Response {
    stream.write_all(&request_frame(request, version, 1, None)).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut frame = vec![0; usize::try_from(i32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut frame).unwrap();
    read_response::<R>(&frame, version).unwrap().1
}

/// Commits an offset as a consumer without a group's protocol does.
fn commit(broker: &Broker, group: &str, topic: &str, committed_offset: i64) {
    let mut stream = TcpStream::connect(&broker.listen).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let find = FindCoordinatorRequest { key: group.to_owned(), ..Default::default() };
    let request = OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: -1,
        topics: vec![OffsetCommitRequestTopic {
            name: topic.to_owned(),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 0,
                committed_offset,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let begun = std::time::Instant::now();
    // The first who asks has the offsets topic made, and is told to ask again until it is there.
    loop {
        call(&mut stream, &find, 2);
        let answer = call(&mut stream, &request, 2);
        let code = answer.topics[0].partitions[0].error_code;
        if code == ErrorCode::None.code() {
            return;
        }
        let is_passing = ErrorCode::from_code(code).is_some_and(ErrorCode::is_retriable);
        assert!(is_passing && begun.elapsed() < PATIENCE, "commit: error {code}");
    }
}

#[test]
fn a_groups_offsets_and_lag_are_shown_until_it_is_deleted() {
    let broker = Broker::start();
    broker.ok(&["produce", "t", "--partition", "0"], b"1\n2\n3\n");
    assert_eq!(broker.ok(&["group", "list"], b""), "no groups\n");
    commit(&broker, "readers", "t", 1);
    let list = broker.json(&["group", "list"]);
    assert_eq!((&list[0]["group"], &list[0]["state"]), (&json!("readers"), &json!("Empty")));
    let shown = broker.json(&["group", "describe", "readers"]);
    assert_eq!(shown[0]["members"], json!([]));
    let offsets = json!([
        {"topic": "t", "partition": 0, "committed": 1, "high_watermark": 3, "lag": 2}
    ]);
    assert_eq!(shown[0]["offsets"], offsets);
    assert!(broker.ok(&["group", "describe", "readers"], b"").contains("group readers  Empty"));
    assert_eq!(broker.ok(&["group", "delete", "readers"], b""), "deleted readers\n");
    let output = broker.run(&["group", "describe", "readers"], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("group list"), "{}", text(&output.stderr));
}

/// A member of a group that stays for as long as its connection is used.
fn join(broker: &Broker, group: &str) -> (TcpStream, JoinGroupResponse) {
    let mut stream = TcpStream::connect(&broker.listen).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = JoinGroupRequest {
        group_id: group.to_owned(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".to_owned(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".to_owned(),
            ..Default::default()
        }],
        ..Default::default()
    };
    let joined = call(&mut stream, &request, 3);
    assert_eq!(joined.error_code, ErrorCode::None.code());
    (stream, joined)
}

fn leave(stream: &mut TcpStream, group: &str, member: &str) {
    let request = LeaveGroupRequest {
        group_id: group.to_owned(),
        member_id: member.to_owned(),
        ..Default::default()
    };
    assert_eq!(call(stream, &request, 1).error_code, ErrorCode::None.code());
}

/// The rows of a reset, as (partition, committed, new offset).
fn reset(broker: &Broker, words: &[&str]) -> Vec<(i64, Option<i64>, i64)> {
    let rows = broker.json(&[&["group", "reset", "readers"], words].concat());
    let row = |row: &serde_json::Value| {
        let number = |name: &str| row[name].as_i64();
        (number("partition").unwrap(), number("committed"), number("new_offset").unwrap())
    };
    rows.as_array().unwrap().iter().map(row).collect()
}

fn committed(broker: &Broker) -> serde_json::Value {
    broker.json(&["group", "describe", "readers"])[0]["offsets"][0]["committed"].clone()
}

#[test]
fn a_reset_shows_and_with_execute_moves_committed_offsets() {
    let broker = Broker::start();
    broker.ok(&["topic", "create", "t", "--partitions", "2"], b"");
    broker.ok(&["produce", "t", "--partition", "0"], b"1\n2\n3\n4\n5\n");
    commit(&broker, "readers", "t", 2);
    let zero = ["--topic", "t:0"];
    let to = |words: &[&str]| reset(&broker, &[words, &zero].concat());
    assert_eq!(to(&["--to-earliest"]), [(0, Some(2), 0)]);
    assert_eq!(to(&["--to-latest"]), [(0, Some(2), 5)]);
    assert_eq!(to(&["--to-current"]), [(0, Some(2), 2)]);
    assert_eq!(to(&["--to-offset", "4"]), [(0, Some(2), 4)]);
    assert_eq!(to(&["--to-offset", "9"]), [(0, Some(2), 5)], "no further than the end");
    assert_eq!(to(&["--shift-by", "-1"]), [(0, Some(2), 1)]);
    assert_eq!(to(&["--shift-by", "-3"]), [(0, Some(2), 0)], "no further than the beginning");
    assert_eq!(to(&["--by-duration", "P1D"]), [(0, Some(2), 0)]);
    assert_eq!(to(&["--by-duration", "PT0S"]), [(0, Some(2), 5)], "nothing is that young");
    assert_eq!(to(&["--to-datetime", "2020-01-01T00:00:00.000"]), [(0, Some(2), 0)]);
    let all = reset(&broker, &["--to-latest", "--topic", "t"]);
    assert_eq!(all, [(0, Some(2), 5), (1, None, 0)]);
    assert_eq!(reset(&broker, &["--to-earliest", "--all-topics"]), [(0, Some(2), 0)]);
    assert_eq!(committed(&broker), json!(2), "nothing was executed");
    assert_eq!(to(&["--to-offset", "4", "--execute"]), [(0, Some(2), 4)]);
    assert_eq!(committed(&broker), json!(4));
    let other = ["group", "reset", "others", "--to-earliest", "--topic", "t", "--execute"];
    broker.ok(&other, b"");
    let shown = broker.json(&["group", "describe", "others"]);
    assert_eq!(shown[0]["offsets"].as_array().map(Vec::len), Some(2), "a group comes to be");
}

#[test]
fn what_a_reset_exports_another_takes_from_a_file() {
    let broker = Broker::start();
    broker.ok(&["produce", "t", "--partition", "0"], b"1\n2\n3\n");
    commit(&broker, "readers", "t", 1);
    let words = ["group", "reset", "readers", "--to-latest", "--all-topics", "--export"];
    let exported = broker.ok(&words, b"");
    assert_eq!(exported, "t,0,3\n");
    let file = broker.data.path().with_extension("csv");
    std::fs::write(&file, &exported).unwrap();
    let path = file.to_str().unwrap();
    broker.ok(&["group", "reset", "readers", "--from-file", path, "--execute"], b"");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(committed(&broker), json!(3));
}

#[test]
fn offsets_of_a_group_with_members_are_not_reset() {
    let broker =
        Broker::start_with(&["--shards", "1", "--set", "group.initial.rebalance.delay.ms=0"]);
    broker.ok(&["produce", "t", "--partition", "0"], b"1\n2\n3\n");
    commit(&broker, "readers", "t", 1);
    let (mut stream, joined) = join(&broker, "readers");
    let words = ["group", "reset", "readers", "--to-latest", "--all-topics", "--execute"];
    let refused = broker.run(&words, b"");
    assert_eq!(refused.status.code(), Some(1));
    let said = text(&refused.stderr);
    assert!(said.contains("CompletingRebalance") && said.contains("no members"), "{said}");
    assert_eq!(committed(&broker), json!(1));
    leave(&mut stream, "readers", &joined.member_id);
    broker.ok(&words, b"");
    assert_eq!(committed(&broker), json!(3));
}

/// Waits until a metric has a value.
fn await_metric(broker: &Broker, name: &str, value: Option<f64>) {
    let begun = std::time::Instant::now();
    while broker.metric(name) != value {
        assert!(begun.elapsed() < PATIENCE, "{name}: {:?}", broker.metric(name));
    }
}

#[test]
fn lag_is_in_the_metrics_without_asking_a_client() {
    // Two shards: groups, offsets and high watermarks are not in one place.
    let set = |value| ["--set", value];
    let broker = Broker::start_with(
        &[
            ["--shards", "2"],
            set("millrace.group.metrics.interval.ms=100"),
            set("group.initial.rebalance.delay.ms=0"),
        ]
        .concat(),
    );
    broker.ok(&["produce", "t", "--partition", "0"], b"1\n2\n3\n");
    commit(&broker, "readers", "t", 1);
    let lag = r#"millrace_consumer_group_lag{group="readers",topic="t",partition="0"}"#;
    let members = r#"millrace_consumer_group_members{group="readers"}"#;
    await_metric(&broker, lag, Some(2.0));
    broker.ok(&["produce", "t", "--partition", "0"], b"4\n5\n");
    await_metric(&broker, lag, Some(4.0));
    let committed =
        r#"millrace_consumer_group_committed_offset{group="readers",topic="t",partition="0"}"#;
    assert_eq!(broker.metric(committed), Some(1.0));
    assert_eq!(broker.metric(members), Some(0.0));
    let empty = r#"millrace_consumer_group_state{group="readers",state="Empty"}"#;
    assert_eq!(broker.metric(empty), Some(1.0));
    let (stream, _) = join(&broker, "readers");
    await_metric(&broker, members, Some(1.0));
    assert_eq!(broker.metric(empty), None, "a state that was is gone");
    drop(stream);
    broker.ok(&["topic", "delete", "t"], b"");
    await_metric(&broker, lag, None);
}

#[test]
fn metrics_of_groups_are_bounded() {
    let set = |value| ["--set", value];
    let broker = Broker::start_with(
        &[
            ["--shards", "1"],
            set("millrace.group.metrics.interval.ms=100"),
            set("millrace.group.metrics.max=3"),
        ]
        .concat(),
    );
    broker.ok(&["produce", "t", "--partition", "0"], b"1\n");
    for group in ["a", "b", "c"] {
        commit(&broker, group, "t", 0);
    }
    // Each group counts, and so does its partition: one group and a half fit.
    await_metric(&broker, "millrace_consumer_group_series_left_out", Some(3.0));
    let text = broker.admin_get("/metrics").1;
    let told = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(told("millrace_consumer_group_members{"), 2);
    assert_eq!(told("millrace_consumer_group_lag{"), 1);
}

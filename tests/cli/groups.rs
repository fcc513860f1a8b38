//! `millrace group` against a broker.

use std::io::{Read, Write};
use std::net::TcpStream;

use millrace_net::header::{read_response, request_frame};
use millrace_net::messages::find_coordinator::FindCoordinatorRequest;
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

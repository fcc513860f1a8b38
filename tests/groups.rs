//! Consumer groups with real sockets: committed offsets and members survive a broker that is killed,
//! large groups and many groups get stable.
//!
//! Small here; `MILLRACE_MEMBERS=500 MILLRACE_GROUPS=300 cargo test --test groups --
//! --nocapture` for the figures of docs/TESTING.md.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use millrace_net::ErrorCode;
use millrace_net::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use millrace_net::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use millrace_net::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use millrace_net::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use millrace_net::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use support::{Broker, Connection, backends, wait_until, wanted};

/// Classic joins of a version without a step of their own for the member id.
const JOIN_VERSION: i16 = 3;
const COMMIT_VERSION: i16 = 8;
const BEAT_VERSION: i16 = 1;
/// Kafka's 50 would let clients that all connect at once wait a second for the next try.
const BACKLOG: &[&str] = &["--set", "socket.listen.backlog.size=2000"];
/// Short, as all members are there at once; it is waited for again while newcomers come.
const DELAY: &str = "group.initial.rebalance.delay.ms=200";
const INTERVAL: &str = "group.consumer.assignment.interval.ms=200";

fn commit(group: &str, offset: i64) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: group.to_owned(),
        topics: vec![OffsetCommitRequestTopic {
            name: "t".to_owned(),
            partitions: vec![OffsetCommitRequestPartition {
                committed_offset: offset,
                ..OffsetCommitRequestPartition::default()
            }],
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    }
}

/// The offset of partition 0 of `t`; none while the coordinator loads.
fn committed(connection: &mut Connection, group: &str) -> Option<i64> {
    let topics = vec![OffsetFetchRequestTopics {
        name: "t".to_owned(),
        partition_indexes: vec![0],
        ..OffsetFetchRequestTopics::default()
    }];
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.to_owned(),
            topics: Some(topics),
            ..OffsetFetchRequestGroup::default()
        }],
        ..OffsetFetchRequest::default()
    };
    let answer = connection.ask(&request, 8).expect("answered");
    let group = &answer.groups[0];
    (group.error_code == 0).then(|| group.topics[0].partitions[0].committed_offset)
}

fn beat(group: &str, member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    let joins = epoch == 0;
    ConsumerGroupHeartbeatRequest {
        group_id: group.to_owned(),
        member_id: member.to_owned(),
        member_epoch: epoch,
        rebalance_timeout_ms: if joins { 60_000 } else { -1 },
        subscribed_topic_names: joins.then(|| vec!["t".to_owned()]),
        topic_partitions: joins.then(Vec::new),
        ..ConsumerGroupHeartbeatRequest::default()
    }
}

/// A commit for many partitions at once.
fn commit_all(group: &str, partitions: i32, offset: i64) -> OffsetCommitRequest {
    let mut request = commit(group, offset);
    let told = (0..partitions).map(|partition_index| OffsetCommitRequestPartition {
        partition_index,
        committed_offset: offset,
        ..OffsetCommitRequestPartition::default()
    });
    request.topics[0].partitions = told.collect();
    request
}

/// Offsets of partition 0 of `t`, once the coordinator has loaded.
fn loaded(connection: &mut Connection, groups: i64) -> Vec<i64> {
    let mut offsets = Vec::new();
    wait_until("groups that are loaded", || {
        let all = (0..groups).map(|number| committed(connection, &format!("g{number}")));
        offsets = all.flatten().collect();
        offsets.len() == usize::try_from(groups).expect("few")
    });
    offsets
}

#[test]
fn a_coordinator_loads_its_snapshot_and_does_without_one_that_is_spoiled() {
    const PARTITIONS: i32 = 1_000;
    let dir = tempfile::tempdir().expect("a folder");
    let arguments = [
        "--set",
        "offsets.topic.num.partitions=1",
        "--set",
        "log.flush.interval.ms=50",
        "--set",
        "log.flush.scheduler.interval.ms=50",
    ];
    let path = dir.path().join("__consumer_offsets-0/coordinator.state");
    let broker = Broker::start(dir.path(), &arguments);
    let mut connection = Connection::open(broker.address).expect("it listens");
    connection.create_topic("t", PARTITIONS, &[]);
    let commit = |connection: &mut Connection, group: i64, offset: i64| {
        let request = commit_all(&format!("g{group}"), PARTITIONS, offset);
        wait_until("a commit", || {
            let answer = connection.ask(&request, COMMIT_VERSION).expect("answered");
            let parts = &answer.topics[0].partitions;
            parts.iter().all(|part| part.error_code == 0)
        });
    };
    // About 5 MB of log: a snapshot is due.
    for round in 0..10 {
        for group in 0..8 {
            commit(&mut connection, group, 100 * round + group);
        }
    }
    wait_until("a snapshot", || path.exists());
    commit(&mut connection, 3, 5_000);
    let expected: Vec<i64> =
        (0..8).map(|group| if group == 3 { 5_000 } else { 900 + group }).collect();
    broker.kill();

    let broker = Broker::start(dir.path(), &arguments);
    let mut connection = Connection::open(broker.address).expect("it listens");
    assert_eq!(loaded(&mut connection, 8), expected);
    let said = broker.said();
    assert!(!said.iter().any(|line| line.contains("is not used")), "{said:?}");
    broker.kill();

    let mut bytes = std::fs::read(&path).expect("it is still there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let broker = Broker::start(dir.path(), &arguments);
    let mut connection = Connection::open(broker.address).expect("it listens");
    assert_eq!(loaded(&mut connection, 8), expected);
    let said = broker.said();
    let told: Vec<_> = said.iter().filter(|line| line.contains("is not used")).collect();
    assert_eq!(told.len(), 1, "{said:?}");
    assert!(told[0].contains("a batch has a wrong CRC"), "{told:?}");
    assert!(broker.stop());
}

#[test]
fn what_is_committed_and_who_is_a_member_survive_a_kill() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let arguments = ["--io-backend", backend];
        let broker = Broker::start(dir.path(), &arguments);
        let mut connection = Connection::open(broker.address).expect("it listens");
        connection.create_topic("t", 2, &[]);
        // Nobody has asked for a coordinator: the first commit brings the offsets topic about.
        let offsets: BTreeMap<String, i64> =
            (0..20).map(|number| (format!("g{number}"), 1_000 + number)).collect();
        for (group, offset) in &offsets {
            for offset in [*offset - 1, *offset] {
                let mut code = -1;
                wait_until("a commit", || {
                    let answer = connection.ask(&commit(group, offset), COMMIT_VERSION);
                    code = answer.expect("answered").topics[0].partitions[0].error_code;
                    code != ErrorCode::CoordinatorLoadInProgress.code()
                });
                assert_eq!(code, 0, "{backend}: commit of {group}");
            }
        }
        let joined = connection.ask(&beat("c", "member", 0), BEAT_VERSION).expect("answered");
        assert_eq!((joined.error_code, joined.member_epoch), (0, 2), "{joined:?}");
        broker.kill();

        let broker = Broker::start(dir.path(), &arguments);
        let mut connection = Connection::open(broker.address).expect("it listens");
        for (group, offset) in &offsets {
            let mut found = None;
            wait_until("the coordinator has loaded", || {
                found = committed(&mut connection, group);
                found.is_some()
            });
            assert_eq!(found, Some(*offset), "{backend}: {group}");
        }
        let mut answer = ConsumerGroupHeartbeatResponse::default();
        wait_until("the coordinator has loaded", || {
            answer = connection.ask(&beat("c", "member", 2), BEAT_VERSION).expect("answered");
            answer.error_code != ErrorCode::CoordinatorLoadInProgress.code()
        });
        assert_eq!((answer.error_code, answer.member_epoch), (0, 2), "{backend}: {answer:?}");
    }
}

fn join(group: &str, member: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: group.to_owned(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        member_id: member.to_owned(),
        protocol_type: "consumer".to_owned(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".to_owned(),
            metadata: Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff"),
        }],
        ..JoinGroupRequest::default()
    }
}

/// A classic group of so many members, each with a connection of its own: joins, gets stable.
fn classic_group(broker: &Broker, group: &str, members: u64) -> Vec<Connection> {
    let mut connections: Vec<Connection> =
        (0..members).map(|_| Connection::open(broker.address).expect("a socket")).collect();
    for connection in &mut connections {
        connection.send(&join(group, ""), JOIN_VERSION).expect("sent");
    }
    let joined: Vec<_> = connections
        .iter_mut()
        .map(|it| it.receive::<JoinGroupRequest>(JOIN_VERSION).expect("joined"))
        .collect();
    let assignments = |leads: bool| {
        let members = joined.iter().filter(|_| leads).map(|it| SyncGroupRequestAssignment {
            member_id: it.member_id.clone(),
            assignment: Bytes::from(it.member_id.clone()),
        });
        members.collect()
    };
    for (connection, answer) in connections.iter_mut().zip(&joined) {
        assert_eq!((answer.error_code, answer.generation_id), (0, 1), "{group}");
        let request = SyncGroupRequest {
            group_id: group.to_owned(),
            generation_id: 1,
            member_id: answer.member_id.clone(),
            assignments: assignments(answer.leader == answer.member_id),
            ..SyncGroupRequest::default()
        };
        connection.send(&request, 3).expect("sent");
    }
    for (connection, answer) in connections.iter_mut().zip(&joined) {
        let synced = connection.receive::<SyncGroupRequest>(3).expect("synced");
        assert_eq!(synced.error_code, 0);
        assert_eq!(synced.assignment, answer.member_id.as_bytes(), "each gets its own");
    }
    connections
}

#[test]
fn a_large_classic_group_and_many_groups_get_stable() {
    let members = wanted("MILLRACE_MEMBERS", 60);
    let groups = wanted("MILLRACE_GROUPS", 20);
    let dir = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(dir.path(), &[BACKLOG, &["--set", DELAY]].concat());
    let mut connection = Connection::open(broker.address).expect("it listens");
    connection.create_topic("t", 4, &[]);
    connection.ask(&commit("warm", 1), COMMIT_VERSION).expect("answered");
    let (began, cpu) = (Instant::now(), broker.cpu());
    let large = classic_group(&broker, "large", members);
    println!(
        "{members} members stable after {:?}, {:?} of CPU; 0.4 s of it are the delay for newcomers",
        began.elapsed(),
        broker.cpu().saturating_sub(cpu)
    );
    let (began, cpu) = (Instant::now(), broker.cpu());
    std::thread::scope(|scope| {
        for part in 0..4 {
            let broker = &broker;
            scope.spawn(move || {
                for number in (part..groups).step_by(4) {
                    classic_group(broker, &format!("group{number}"), 2);
                }
            });
        }
    });
    println!(
        "{groups} groups of two, four at a time, stable after {:?}, {:?} of CPU",
        began.elapsed(),
        broker.cpu().saturating_sub(cpu)
    );
    drop(large);
}

/// A member of a consumer group that gives up at once what it is to give up.
struct Member {
    connection: Connection,
    id: String,
    epoch: i32,
    held: Vec<TopicPartitions>,
}

impl Member {
    fn send(&mut self) {
        let mut request = beat("large", &self.id, self.epoch);
        if self.epoch > 0 {
            request.topic_partitions = Some(self.held.clone());
        }
        self.connection.send(&request, BEAT_VERSION).expect("sent");
    }

    fn receive(&mut self) {
        let answer = self.connection.receive::<ConsumerGroupHeartbeatRequest>(BEAT_VERSION);
        let answer = answer.expect("answered");
        assert_eq!(answer.error_code, 0, "{:?}", answer.error_message);
        self.epoch = answer.member_epoch;
        if let Some(assignment) = answer.assignment {
            self.held = assignment.topic_partitions;
        }
    }
}

#[test]
fn a_large_group_of_the_consumer_protocol_shares_everything_evenly() {
    let count = wanted("MILLRACE_MEMBERS", 40);
    let partitions = i32::try_from(count * 2).expect("few");
    let dir = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(dir.path(), &[BACKLOG, &["--set", INTERVAL]].concat());
    let mut connection = Connection::open(broker.address).expect("it listens");
    connection.create_topic("t", partitions, &[]);
    connection.ask(&commit("warm", 1), COMMIT_VERSION).expect("answered");
    let (began, cpu) = (Instant::now(), broker.cpu());
    let mut members: Vec<Member> = (0..count)
        .map(|number| Member {
            connection: Connection::open(broker.address).expect("a socket"),
            id: format!("member-{number}"),
            epoch: 0,
            held: Vec::new(),
        })
        .collect();
    let mut rounds = 0;
    wait_until("every member has two partitions", || {
        members.iter_mut().for_each(Member::send);
        members.iter_mut().for_each(Member::receive);
        rounds += 1;
        let load =
            |member: &Member| member.held.iter().map(|it| it.partitions.len()).sum::<usize>();
        members.iter().all(|member| load(member) == 2)
    });
    println!(
        "{count} members have {partitions} partitions after {:?}, {rounds} rounds of heartbeats, \
         {:?} of CPU",
        began.elapsed(),
        broker.cpu().saturating_sub(cpu)
    );
    let mut seen = BTreeMap::new();
    for member in &members {
        for index in member.held.iter().flat_map(|it| &it.partitions) {
            assert!(seen.insert(*index, &member.id).is_none(), "partition {index} is held twice");
        }
    }
    assert_eq!(seen.len(), usize::try_from(partitions).expect("few"));
    let (began, cpu) = (Instant::now(), broker.cpu());
    members.iter_mut().for_each(Member::send);
    members.iter_mut().for_each(Member::receive);
    println!("a round of quiet heartbeats: {:?}, {:?} of CPU", began.elapsed(), {
        broker.cpu().saturating_sub(cpu)
    });
    assert!(began.elapsed() < Duration::from_secs(30));
}

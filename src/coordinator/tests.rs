//! A coordinator with a log of its own, and scripts against it.

mod consumers;
mod consumers_random;
mod joins;
mod migration;
mod offsets;
mod random;
mod snapshots;
mod statics;

use std::collections::BTreeMap;

use bytes::Bytes;
use millrace_io::{Mono, Now, ShardId, WallMs};
use millrace_net::messages::heartbeat::HeartbeatRequest;
use millrace_net::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use millrace_net::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use millrace_net::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use millrace_net::messages::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use millrace_net::messages::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};

use millrace_replication::record::{PartitionRecord, TopicRecord};
use millrace_replication::{BrokerId, Image, ImageDraft, Record};
use millrace_wire::Uuid;

use super::*;
use crate::slab::Key;

/// A coordinator whose appends are committed at once, unless they are held back.
pub(super) struct Bench {
    pub coordinator: GroupCoordinator,
    pub now_ms: u64,
    pub log: Vec<GroupRecord>,
    pub held: Vec<(AppendId, Arc<[GroupRecord]>)>,
    pub holds: bool,
    pub answers: BTreeMap<u32, GroupAnswer>,
    next_ticket: u32,
    /// Processes so far; each has a seed of its own, as real ones have.
    starts: u64,
    config: GroupConfig,
    /// The topics of the cluster with their partition counts.
    topics: BTreeMap<String, i32>,
    image: Arc<Image>,
    taker: snapshots::Taker,
}

pub(super) const WALL: i64 = 1_700_000_000_000;

impl Bench {
    pub(super) fn new(config: GroupConfig) -> Self {
        let mut bench = Self {
            coordinator: GroupCoordinator::new(config.clone(), 1),
            now_ms: 0,
            log: Vec::new(),
            held: Vec::new(),
            holds: false,
            answers: BTreeMap::new(),
            next_ticket: 0,
            starts: 1,
            config,
            topics: BTreeMap::new(),
            image: Arc::new(Image::empty()),
            taker: snapshots::Taker::default(),
        };
        bench.coordinator.loaded(bench.now());
        bench
    }

    /// Groups that begin their first generation as soon as somebody joins.
    pub(super) fn without_delay() -> Self {
        Self::new(GroupConfig { initial_rebalance_delay_ms: 0, ..GroupConfig::default() })
    }

    pub(super) fn now(&self) -> Now {
        let wall = WALL + i64::try_from(self.now_ms).expect("small");
        Now { mono: Mono(0).plus_ms(self.now_ms), wall: WallMs(wall) }
    }

    pub(super) fn ask(&mut self, ask: GroupAsk) -> u32 {
        let item = self.next_ticket;
        self.next_ticket += 1;
        let ticket = Ticket { origin: ShardId(0), request: Key { slot: 0, generation: 0 }, item };
        self.coordinator.on_ask(self.now(), ticket, ask);
        self.pump();
        item
    }

    pub(super) fn pump(&mut self) {
        loop {
            let outputs = self.coordinator.take_outputs();
            if outputs.is_empty() {
                break;
            }
            for output in outputs {
                match output {
                    Output::Append { id, records } => {
                        self.held.push((id, records));
                        if !self.holds {
                            self.commit_held();
                        }
                    }
                    Output::Resolve { group, asked } => {
                        let resolved = resolve(asked);
                        self.coordinator.on_resolved(self.now(), &group, Some(&resolved));
                    }
                    Output::Reply { ticket, answer } => {
                        let before = self.answers.insert(ticket.item, answer);
                        assert_eq!(before, None, "ask {} was answered twice", ticket.item);
                    }
                }
            }
        }
        self.coordinator.verify();
        self.advance_snapshot();
    }

    pub(super) fn commit_held(&mut self) {
        for (id, records) in std::mem::take(&mut self.held) {
            self.log.extend(records.iter().cloned());
            self.coordinator.on_committed(self.now(), id);
        }
    }

    pub(super) fn commit_first_held(&mut self) {
        let (id, records) = self.held.remove(0);
        self.log.extend(records.iter().cloned());
        self.coordinator.on_committed(self.now(), id);
        self.pump();
    }

    pub(super) fn fail_held(&mut self, error: ErrorCode) {
        for (id, _) in std::mem::take(&mut self.held) {
            self.coordinator.on_append_failed(self.now(), id, error);
        }
        self.pump();
    }

    /// A topic comes, grows, or goes (at 0 partitions).
    pub(super) fn topic(&mut self, name: &str, partitions: i32) {
        if partitions == 0 {
            self.topics.remove(name);
        } else {
            self.topics.insert(name.to_owned(), partitions);
        }
        self.image = image_of(self.image.offset() + 1, &self.topics);
        self.coordinator.set_image(Arc::clone(&self.image));
    }

    /// Lets time pass; timers fire when they are due, not later.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while let Some(next) = self.coordinator.next_deadline()
            && next <= Mono(0).plus_ms(end)
        {
            self.now_ms = self.now_ms.max(next.0.div_ceil(1_000_000));
            self.coordinator.on_timer(self.now());
            self.pump();
        }
        self.now_ms = end;
    }

    /// The process dies; a new one loads the log.
    pub(super) fn restart(&mut self) {
        self.starts += 1;
        self.drop_snapshot();
        let mut coordinator = GroupCoordinator::new(self.config.clone(), self.starts);
        for record in &self.log {
            let (key, value) = (record.encode_key(), record.encode_value());
            let read = GroupRecord::decode(&key, value.as_deref()).expect("our own record");
            coordinator.replay(&read.expect("of a known kind"));
        }
        coordinator.set_image(Arc::clone(&self.image));
        coordinator.loaded(self.now());
        self.coordinator = coordinator;
        self.held.clear();
        self.pump();
    }

    pub(super) fn joined(&self, ticket: u32) -> &JoinGroupResponse {
        let Some(GroupAnswer::Joined(response)) = self.answers.get(&ticket) else {
            panic!("no join was answered: {:?}", self.answers.get(&ticket))
        };
        response
    }

    pub(super) fn synced(&self, ticket: u32) -> &SyncGroupResponse {
        let Some(GroupAnswer::Synced(response)) = self.answers.get(&ticket) else {
            panic!("no sync was answered: {:?}", self.answers.get(&ticket))
        };
        response
    }

    pub(super) fn is_open(&self, ticket: u32) -> bool {
        !self.answers.contains_key(&ticket)
    }

    // Asks in short.

    pub(super) fn join(&mut self, member_id: &str) -> u32 {
        self.ask(GroupAsk::Join(Box::new(join_request(member_id, None)), requester(9)))
    }

    /// Joins with both steps of a dynamic member: the ticket of the second, and the member id.
    pub(super) fn enter(&mut self) -> (u32, String) {
        let first = self.join("");
        let id = self.joined(first).member_id.clone();
        (self.join(&id), id)
    }

    /// A stable group of so many members, the leader first.
    pub(super) fn stable(&mut self, count: usize) -> Vec<String> {
        let entered: Vec<(u32, String)> = (0..count).map(|_| self.enter()).collect();
        // With the first generation begun at once, everybody comes back for the last.
        let delay = self.config.initial_rebalance_delay_ms;
        self.pass(delay * 2 + 1);
        let members: Vec<String> = entered.into_iter().map(|(_, id)| id).collect();
        let tickets: Vec<u32> = members.iter().map(|id| self.join(id)).collect();
        let generation = self.generation();
        for (ticket, member) in tickets.iter().zip(&members) {
            assert_eq!(self.joined(*ticket).error_code, 0, "{member}");
        }
        let leader = self.joined(tickets[0]).leader.clone();
        for member in &members {
            let all = if *member == leader { members.clone() } else { Vec::new() };
            self.sync(member, generation, &all);
        }
        assert_eq!(self.state(), "Stable");
        members
    }

    pub(super) fn sync(&mut self, member_id: &str, generation: i32, assigned: &[String]) -> u32 {
        let assignments = assigned.iter().map(|member| SyncGroupRequestAssignment {
            member_id: member.clone(),
            assignment: Bytes::from(format!("for {member}")),
        });
        self.ask(GroupAsk::Sync(SyncGroupRequest {
            group_id: "g".to_owned(),
            generation_id: generation,
            member_id: member_id.to_owned(),
            assignments: assignments.collect(),
            ..SyncGroupRequest::default()
        }))
    }

    pub(super) fn heartbeat(&mut self, member_id: &str, generation: i32) -> ErrorCode {
        let ticket = self.ask(GroupAsk::Heartbeat(HeartbeatRequest {
            group_id: "g".to_owned(),
            generation_id: generation,
            member_id: member_id.to_owned(),
            group_instance_id: None,
        }));
        let Some(GroupAnswer::Heartbeat(response)) = self.answers.get(&ticket) else {
            panic!("a heartbeat is answered at once")
        };
        code(response.error_code)
    }

    pub(super) fn leave(&mut self, member_id: &str, instance: Option<&str>) -> ErrorCode {
        let ticket = self.ask(GroupAsk::Leave(LeaveGroupRequest {
            group_id: "g".to_owned(),
            members: vec![MemberIdentity {
                member_id: member_id.to_owned(),
                group_instance_id: instance.map(str::to_owned),
                reason: None,
            }],
            ..LeaveGroupRequest::default()
        }));
        let Some(GroupAnswer::Left(response)) = self.answers.get(&ticket) else {
            panic!("a leave is answered at once")
        };
        code(response.members[0].error_code)
    }

    pub(super) fn state(&mut self) -> String {
        let ask = GroupAsk::Describe { group_id: "g".to_owned(), version: 5 };
        let ticket = self.ask(ask);
        let Some(GroupAnswer::Described(described)) = self.answers.get(&ticket) else {
            panic!("described at once")
        };
        described.group_state.clone()
    }

    pub(super) fn generation(&self) -> i32 {
        self.coordinator.groups.get("g").map_or(-1, |group| group.generation)
    }

    pub(super) fn commit(&mut self, member_id: &str, generation: i32, offset: i64) -> u32 {
        let request = commit_request(member_id, generation, offset);
        self.ask(GroupAsk::Commit(request, requester(9)))
    }

    pub(super) fn committed(&self, ticket: u32) -> ErrorCode {
        let Some(GroupAnswer::Committed(response)) = self.answers.get(&ticket) else {
            panic!("no commit was answered: {:?}", self.answers.get(&ticket))
        };
        code(response.topics[0].partitions[0].error_code)
    }

    /// The offset that the group has for partition 0 of `t`, or -1.
    pub(super) fn fetch(&mut self) -> i64 {
        let topics = vec![OffsetFetchRequestTopics {
            name: "t".to_owned(),
            partition_indexes: vec![0],
            ..OffsetFetchRequestTopics::default()
        }];
        let ticket = self.ask(GroupAsk::Fetch(OffsetFetchRequestGroup {
            group_id: "g".to_owned(),
            topics: Some(topics),
            ..OffsetFetchRequestGroup::default()
        }));
        let Some(GroupAnswer::Fetched(response)) = self.answers.get(&ticket) else {
            panic!("fetched at once")
        };
        response.topics[0].partitions[0].committed_offset
    }

    pub(super) fn delete_group(&mut self) -> ErrorCode {
        let ticket = self.ask(GroupAsk::Delete { group_id: "g".to_owned() });
        let Some(GroupAnswer::Deleted(error)) = self.answers.get(&ticket) else {
            panic!("no deletion was answered")
        };
        *error
    }
}

/// An image of nothing but topics; a topic's id is made of its name.
fn image_of(offset: i64, topics: &BTreeMap<String, i32>) -> Arc<Image> {
    let mut draft = ImageDraft::new(&Image::empty());
    for (name, count) in topics {
        let topic_id = topic_id(name);
        let topic = TopicRecord { name: name.clone(), topic_id };
        draft.replay(offset, &Record::Topic(topic)).expect("a topic");
        for partition_id in 0..*count {
            let partition = PartitionRecord {
                partition_id,
                topic_id,
                replicas: vec![BrokerId(1)],
                isr: vec![BrokerId(1)],
                removing_replicas: Vec::new(),
                adding_replicas: Vec::new(),
                leader: BrokerId(1),
                leader_epoch: 0,
                partition_epoch: 0,
                directories: Vec::new(),
                leader_recovery_state: 0,
                eligible_leader_replicas: None,
                last_known_elr: None,
            };
            draft.replay(offset, &Record::Partition(partition)).expect("a partition");
        }
    }
    draft.finish().0
}

pub(super) fn topic_id(name: &str) -> Uuid {
    let bytes = name.bytes().fold(1, |id, byte| (id << 8) | u128::from(byte));
    Uuid(bytes)
}

pub(super) fn code(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).expect("a code of Kafka's")
}

pub(super) fn requester(version: i16) -> Requester {
    Requester { client_id: "c".to_owned(), client_host: "/127.0.0.1".to_owned(), version }
}

/// A consumer's join to `g`: session 10 s, rebalance 60 s, subscribed to `t`.
pub(super) fn join_request(member_id: &str, instance: Option<&str>) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: "g".to_owned(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member_id: member_id.to_owned(),
        group_instance_id: instance.map(str::to_owned),
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol("range", b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff")],
        reason: None,
    }
}

pub(super) fn protocol(name: &str, metadata: &'static [u8]) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol { name: name.to_owned(), metadata: Bytes::from_static(metadata) }
}

pub(super) fn commit_request(member_id: &str, generation: i32, offset: i64) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: "g".to_owned(),
        generation_id_or_member_epoch: generation,
        member_id: member_id.to_owned(),
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

#[test]
fn a_group_belongs_to_the_partition_that_java_computes() {
    // Java: "gold-group".hashCode() and friends, seen in a real __consumer_offsets of 4 and 50.
    assert_eq!(partition_of("gold-group", 4), 2);
    assert_eq!(partition_of("gold-simple", 4), 3);
    assert_eq!(partition_of("", 50), 0);
    // "polygenelubricants" hashes to the smallest integer, whose abs Kafka takes to be 0.
    assert_eq!(partition_of("polygenelubricants", 50), 0);
}

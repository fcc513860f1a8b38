//! Groups that go over from one protocol to the other while they have members.

use millrace_net::messages::heartbeat::HeartbeatRequest;

use super::consumers::{beat, joining, owning, told};
use super::*;
use crate::coordinator::subscription;

/// Subscribed to `t`, owning partitions 0 and 1 of it in generation 1; version 3.
const OWNS_TWO: &[u8] = b"\0\x03\0\0\0\x01\0\x01t\xff\xff\xff\xff\0\0\0\x01\0\x01t\0\0\0\x02\0\0\0\0\0\0\0\x01\0\0\0\x01\xff\xff";
/// The same owning nothing.
const OWNS_NONE: &[u8] = b"\0\x03\0\0\0\x01\0\x01t\xff\xff\xff\xff\0\0\0\0\0\0\0\x01\xff\xff";

impl Bench {
    fn join_as(&mut self, member: &str, metadata: &'static [u8]) -> JoinGroupResponse {
        let mut request = join_request(member, None);
        request.protocols = vec![protocol("cooperative-sticky", metadata)];
        let ticket = self.ask(GroupAsk::Join(Box::new(request), requester(9)));
        self.joined(ticket).clone()
    }

    fn sync_as(&mut self, member: &str, generation: i32) -> (ErrorCode, Vec<i32>) {
        let ticket = self.ask(GroupAsk::Sync(SyncGroupRequest {
            group_id: "g".to_owned(),
            generation_id: generation,
            member_id: member.to_owned(),
            ..SyncGroupRequest::default()
        }));
        let response = self.synced(ticket);
        let named = subscription::assigned(&response.assignment).expect("an assignment");
        let partitions = named.into_iter().flat_map(|(_, partitions)| partitions).collect();
        (code(response.error_code), partitions)
    }

    /// A stable classic group of one member, who has the two partitions of `t`.
    fn classic(policy: Migration) -> (Self, String) {
        Self::classic_assigned(policy, subscription::write_assignment(3, &[("t", vec![0, 1])]))
    }

    /// The same, with an assignment that is given.
    fn classic_assigned(policy: Migration, assignment: Bytes) -> (Self, String) {
        let consumer = ConsumerConfig { migration: policy, ..ConsumerConfig::default() };
        let config =
            GroupConfig { initial_rebalance_delay_ms: 0, consumer, ..GroupConfig::default() };
        let mut bench = Self::new(config);
        bench.topic("t", 2);
        let id = bench.join_as("", OWNS_NONE).member_id;
        let mut request = join_request(&id, None);
        request.protocols = vec![protocol("cooperative-sticky", OWNS_NONE)];
        let ticket = bench.ask(GroupAsk::Join(Box::new(request), requester(9)));
        bench.pass(1);
        assert_eq!(bench.joined(ticket).generation_id, 1);
        bench.ask(GroupAsk::Sync(SyncGroupRequest {
            group_id: "g".to_owned(),
            generation_id: 1,
            member_id: id.clone(),
            assignments: vec![SyncGroupRequestAssignment { member_id: id.clone(), assignment }],
            ..SyncGroupRequest::default()
        }));
        assert_eq!(bench.state(), "Stable");
        (bench, id)
    }
}

#[test]
fn a_classic_member_shares_with_a_consumer_that_joins_and_gets_all_back_when_it_leaves() {
    let (mut bench, old) = Bench::classic(Migration::Bidirectional);
    let response = bench.beats(joining("new", &["t"]));
    assert_eq!((response.error_code, response.member_epoch), (0, 2));
    assert_eq!(told(&response), Some(vec![]));
    assert_eq!(bench.described().members.len(), 2);
    // The classic member hears of it, joins with what it has, gives one up, joins again.
    assert_eq!(bench.heartbeat(&old, 1), ErrorCode::RebalanceInProgress);
    let joined = bench.join_as(&old, OWNS_TWO);
    assert_eq!((joined.error_code, joined.generation_id), (0, 1));
    assert_eq!(joined.leader, "", "the broker assigns");
    let (error, kept) = bench.sync_as(&old, 1);
    assert_eq!((error, kept.len()), (ErrorCode::None, 1));
    assert_eq!(bench.heartbeat(&old, 1), ErrorCode::RebalanceInProgress, "it is to give one up");
    let joined = bench.join_as(&old, OWNS_NONE);
    assert_eq!((joined.error_code, joined.generation_id), (0, 2));
    assert_eq!(bench.sync_as(&old, 2), (ErrorCode::None, kept.clone()));
    assert_eq!(bench.heartbeat(&old, 2), ErrorCode::None);
    let other: Vec<i32> = (0..2).filter(|it| !kept.contains(it)).collect();
    assert_eq!(told(&bench.beats(beat("new", 2))), Some(other));
    bench.restart();
    assert_eq!(bench.heartbeat(&old, 2), ErrorCode::None, "it survives a restart");
    // The last member of the new protocol leaves: the group is classic again and rebalances.
    bench.beats(beat("new", -1));
    assert_eq!(bench.heartbeat(&old, 2), ErrorCode::RebalanceInProgress);
    assert_eq!(bench.state(), "PreparingRebalance");
    assert_eq!(bench.join_as(&old, OWNS_NONE).generation_id, 3);
    bench.restart();
    assert_eq!(bench.state(), "Stable", "the log has the group it turned into");
}

#[test]
fn a_policy_of_disabled_keeps_a_group_as_it_is() {
    let (mut bench, old) = Bench::classic(Migration::Disabled);
    let response = bench.beats(joining("new", &["t"]));
    assert_eq!(code(response.error_code), ErrorCode::GroupIdNotFound);
    assert_eq!(bench.heartbeat(&old, 1), ErrorCode::None);
    assert_eq!(bench.state(), "Stable");
}

/// As librdkafka's cooperative-sticky assignor does it. Source: what Apache Kafka 4.3.1 answers.
#[test]
fn a_group_whose_assignor_put_user_data_into_assignments_stays_classic() {
    // Version 3, partitions 0 and 1 of `t`, and four bytes of user data, none, or no field for it.
    let partitions = b"\0\x03\0\0\0\x01\0\x01t\0\0\0\x02\0\0\0\0\0\0\0\x01";
    let tails: [(&[u8], bool); 4] = [
        (b"\0\0\0\x04\0\0\0\x07", false),
        (b"\0\0\0\0", true),
        (b"\xff\xff\xff\xff", true),
        (b"", false),
    ];
    for (tail, goes_over) in tails {
        let assignment = [partitions, tail].concat().into();
        let (mut bench, old) = Bench::classic_assigned(Migration::Bidirectional, assignment);
        let response = bench.beats(joining("new", &["t"]));
        let wanted = if goes_over { ErrorCode::None } else { ErrorCode::GroupIdNotFound };
        assert_eq!(code(response.error_code), wanted, "user data {tail:?}");
        let wanted = if goes_over { ErrorCode::RebalanceInProgress } else { ErrorCode::None };
        assert_eq!(bench.heartbeat(&old, 1), wanted, "user data {tail:?}");
    }
}

#[test]
fn without_downgrades_a_group_stays_when_its_last_new_member_leaves() {
    let (mut bench, old) = Bench::classic(Migration::Upgrade);
    bench.beats(joining("new", &["t"]));
    bench.beats(beat("new", -1));
    assert_eq!(bench.described().members.len(), 1);
    assert_eq!(bench.heartbeat(&old, 1), ErrorCode::RebalanceInProgress);
}

#[test]
fn empty_groups_go_over_either_way() {
    let mut bench = Bench::without_delay();
    bench.topic("t", 2);
    let members = bench.stable(1);
    let ticket = bench.commit(&members[0], bench.generation(), 7);
    assert_eq!(bench.committed(ticket), ErrorCode::None);
    bench.leave(&members[0], None);
    let response = bench.beats(joining("new", &["t"]));
    assert_eq!(told(&response), Some(vec![0, 1]));
    assert_eq!(bench.fetch(), 7, "what was committed stays");
    bench.restart();
    assert_eq!(bench.described().members.len(), 1);
    bench.beats(beat("new", -1));
    let (ticket, _) = bench.enter();
    bench.pass(1);
    assert_eq!(bench.joined(ticket).generation_id, 1);
    assert_eq!(bench.fetch(), 7);
    assert_eq!(bench.described().error_code, ErrorCode::GroupIdNotFound.code());
}

#[test]
fn classic_members_are_judged_by_epoch_session_and_protocol() {
    let mut bench = Bench::without_delay();
    bench.topic("t", 2);
    bench.beats(joining("new", &["t"]));
    bench.pass(2_000);
    let id = bench.join_as("", OWNS_NONE).member_id;
    let joined = bench.join_as(&id, OWNS_NONE);
    assert_eq!((joined.error_code, joined.generation_id), (0, 3));
    assert_eq!(bench.sync_as(&id, 2).0, ErrorCode::IllegalGeneration);
    assert_eq!(bench.sync_as(&id, 3), (ErrorCode::None, vec![]));
    let ask = HeartbeatRequest {
        group_id: "g".to_owned(),
        generation_id: 2,
        member_id: "new".to_owned(),
        group_instance_id: None,
    };
    let ticket = bench.ask(GroupAsk::Heartbeat(ask));
    let Some(GroupAnswer::Heartbeat(response)) = bench.answers.get(&ticket) else {
        panic!("answered at once")
    };
    assert_eq!(code(response.error_code), ErrorCode::UnknownMemberId, "it is not classic");
    let mut connect = join_request("", None);
    connect.protocol_type = "connect".to_owned();
    let ticket = bench.ask(GroupAsk::Join(Box::new(connect), requester(9)));
    let error = code(bench.joined(ticket).error_code);
    assert_eq!(error, ErrorCode::InconsistentGroupProtocol);
    bench.beats(beat("new", 2));
    bench.beats(owning("new", 2, &[0]));
    assert_eq!(
        bench.heartbeat(&id, 3),
        ErrorCode::RebalanceInProgress,
        "what it waits for is free"
    );
    // Its own session time-out is 10 s, whatever consumers are told.
    bench.pass(10_000);
    assert_eq!(bench.heartbeat(&id, 3), ErrorCode::UnknownMemberId);
}

#[test]
fn joins_that_wait_while_a_group_goes_over_are_told_to_come_again() {
    let (mut bench, old) = Bench::classic(Migration::Bidirectional);
    let (second, _) = bench.enter_as();
    assert!(bench.is_open(second), "the first member has not joined again");
    bench.beats(joining("new", &["t"]));
    assert_eq!(code(bench.joined(second).error_code), ErrorCode::RebalanceInProgress);
    assert_eq!(bench.described().members.len(), 3);
    assert_eq!(bench.heartbeat(&old, 1), ErrorCode::RebalanceInProgress);
}

impl Bench {
    fn enter_as(&mut self) -> (u32, String) {
        let id = self.join_as("", OWNS_NONE).member_id;
        let mut request = join_request(&id, None);
        request.protocols = vec![protocol("cooperative-sticky", OWNS_NONE)];
        (self.ask(GroupAsk::Join(Box::new(request), requester(9))), id)
    }
}

//! Groups of the consumer protocol, request by request.

use millrace_net::messages::consumer_group_describe::DescribedGroup;
use millrace_net::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};

use super::*;

/// What a member holds of topic `t`, as it was told; none if it was told nothing.
pub(super) type Told = Option<Vec<i32>>;

pub(super) fn beat(member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: "g".to_owned(),
        member_id: member.to_owned(),
        member_epoch: epoch,
        ..ConsumerGroupHeartbeatRequest::default()
    }
}

pub(super) fn joining(member: &str, topics: &[&str]) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        rebalance_timeout_ms: 30_000,
        subscribed_topic_names: Some(topics.iter().map(|it| (*it).to_owned()).collect()),
        topic_partitions: Some(Vec::new()),
        ..beat(member, 0)
    }
}

pub(super) fn owning(
    member: &str,
    epoch: i32,
    partitions: &[i32],
) -> ConsumerGroupHeartbeatRequest {
    let topic_id = topic_id("t");
    let owned = TopicPartitions { topic_id, partitions: partitions.to_vec() };
    let owned = if partitions.is_empty() { Vec::new() } else { vec![owned] };
    ConsumerGroupHeartbeatRequest { topic_partitions: Some(owned), ..beat(member, epoch) }
}

impl Bench {
    pub(super) fn beats(
        &mut self,
        request: ConsumerGroupHeartbeatRequest,
    ) -> ConsumerGroupHeartbeatResponse {
        let ticket = self.ask(GroupAsk::ConsumerHeartbeat(Box::new(request), requester(1)));
        self.beaten(ticket)
    }

    pub(super) fn beaten(&self, ticket: u32) -> ConsumerGroupHeartbeatResponse {
        let Some(GroupAnswer::ConsumerHeartbeat(response)) = self.answers.get(&ticket) else {
            panic!("no heartbeat was answered: {:?}", self.answers.get(&ticket))
        };
        response.clone()
    }

    /// Beats as a member in good standing: its epoch, and what it was told of `t`.
    fn told(&mut self, request: ConsumerGroupHeartbeatRequest) -> (i32, Told) {
        let response = self.beats(request);
        assert_eq!(response.error_code, 0, "{:?}", response.error_message);
        (response.member_epoch, told(&response))
    }

    pub(super) fn described(&mut self) -> DescribedGroup {
        let ticket = self.ask(GroupAsk::ConsumerDescribe { group_id: "g".to_owned() });
        let Some(GroupAnswer::ConsumerDescribed(described)) = self.answers.get(&ticket) else {
            panic!("described at once")
        };
        described.clone()
    }

    pub(super) fn consumer_state(&mut self) -> (String, i32, i32) {
        let group = self.described();
        (group.group_state, group.group_epoch, group.assignment_epoch)
    }
}

pub(super) fn told(response: &ConsumerGroupHeartbeatResponse) -> Told {
    let assignment = response.assignment.as_ref()?;
    let of_t = assignment.topic_partitions.iter().find(|it| it.topic_id == topic_id("t"));
    Some(of_t.map(|it| it.partitions.clone()).unwrap_or_default())
}

fn error(response: &ConsumerGroupHeartbeatResponse) -> ErrorCode {
    code(response.error_code)
}

/// A group `g` with topic `t` of so many partitions and member `a`, who has them all in epoch 2.
fn with_a(partitions: i32) -> Bench {
    let mut bench = Bench::without_delay();
    bench.topic("t", partitions);
    let all: Vec<i32> = (0..partitions).collect();
    assert_eq!(bench.told(joining("a", &["t"])), (2, Some(all)));
    bench.pass(2_000);
    bench
}

#[test]
fn a_partition_goes_to_a_newcomer_only_after_its_holder_gave_it_up() {
    let mut bench = with_a(4);
    assert_eq!(bench.told(joining("b", &["t"])), (3, Some(vec![])), "nothing is free yet");
    assert_eq!(bench.consumer_state(), ("Reconciling".to_owned(), 3, 3));
    assert_eq!(bench.told(beat("a", 2)), (2, Some(vec![0, 1])), "its epoch waits for it");
    assert_eq!(bench.told(beat("b", 3)), (3, None), "a may still work on them");
    assert_eq!(bench.told(owning("a", 2, &[0, 1, 2, 3])), (2, None), "it says that it does");
    assert_eq!(bench.told(owning("a", 2, &[0, 1])), (3, None));
    assert_eq!(bench.told(beat("b", 3)), (3, Some(vec![2, 3])));
    assert_eq!(bench.consumer_state(), ("Stable".to_owned(), 3, 3));
    assert_eq!(bench.told(beat("b", 3)), (3, None), "nothing new is not told again");
}

#[test]
fn a_target_is_made_at_most_once_per_interval() {
    let mut bench = Bench::without_delay();
    bench.topic("t", 2);
    bench.told(joining("a", &["t"]));
    assert_eq!(bench.told(joining("b", &["t"])), (2, Some(vec![])), "of the target so far");
    assert_eq!(bench.consumer_state(), ("Assigning".to_owned(), 3, 2));
    bench.pass(999);
    assert_eq!(bench.told(beat("b", 2)), (2, None));
    bench.pass(1);
    assert_eq!(bench.told(beat("b", 2)), (3, None));
    assert_eq!(bench.consumer_state(), ("Reconciling".to_owned(), 3, 3));
}

#[test]
fn who_comes_with_a_wrong_epoch_is_fenced_and_a_lost_answer_is_not_held_against_it() {
    let mut bench = with_a(2);
    assert_eq!(error(&bench.beats(beat("a", 3))), ErrorCode::FencedMemberEpoch);
    assert_eq!(error(&bench.beats(beat("a", 1))), ErrorCode::FencedMemberEpoch);
    assert_eq!(error(&bench.beats(beat("x", 2))), ErrorCode::UnknownMemberId);
    bench.topic("t", 3);
    assert_eq!(bench.told(beat("a", 2)), (3, Some(vec![0, 1, 2])));
    // The answer was lost: the member comes again as it was.
    assert_eq!(bench.told(owning("a", 2, &[0, 1])).0, 3);
    assert_eq!(error(&bench.beats(beat("a", 2))), ErrorCode::FencedMemberEpoch, "it says nothing");
    // A member that lost everything begins again under its id.
    assert_eq!(bench.told(joining("a", &["t"])), (3, Some(vec![0, 1, 2])));
}

#[test]
fn a_session_and_a_rebalance_end_in_time() {
    let mut bench = with_a(4);
    bench.told(joining("b", &["t"]));
    bench.pass(30_000);
    assert_eq!(bench.told(beat("b", 3)), (3, None));
    bench.pass(12_999);
    assert_eq!(bench.told(beat("b", 3)), (3, None));
    bench.pass(1);
    // `a` was last heard of 45 s ago.
    assert_eq!(error(&bench.beats(beat("a", 2))), ErrorCode::UnknownMemberId);
    assert_eq!(bench.told(beat("b", 3)), (4, Some(vec![0, 1, 2, 3])));
    bench.pass(2_000);
    bench.told(joining("c", &["t"]));
    assert_eq!(bench.told(beat("b", 4)), (4, Some(vec![0, 1])));
    // `b` beats on and gives nothing up: its rebalance time-out is 30 s.
    for _ in 0..3 {
        bench.pass(9_999);
        assert_eq!(bench.told(owning("b", 4, &[0, 1, 2, 3])), (4, None));
    }
    bench.pass(10);
    assert_eq!(error(&bench.beats(beat("b", 4))), ErrorCode::UnknownMemberId);
}

#[test]
fn a_static_member_keeps_its_partitions_while_it_is_away() {
    let mut bench = Bench::without_delay();
    bench.topic("t", 4);
    let fixed =
        |request| ConsumerGroupHeartbeatRequest { instance_id: Some("i".to_owned()), ..request };
    assert_eq!(bench.told(fixed(joining("a", &["t"]))), (2, Some(vec![0, 1, 2, 3])));
    let stolen = bench.beats(fixed(joining("b", &["t"])));
    assert_eq!(error(&stolen), ErrorCode::UnreleasedInstanceId);
    assert_eq!(error(&bench.beats(fixed(beat("b", 2)))), ErrorCode::FencedInstanceId);
    assert_eq!(bench.told(fixed(beat("a", -2))), (-2, None));
    bench.pass(20_000);
    assert_eq!(bench.told(fixed(joining("b", &["t"]))), (2, Some(vec![0, 1, 2, 3])));
    assert_eq!(error(&bench.beats(beat("a", 2))), ErrorCode::UnknownMemberId);
    assert_eq!(bench.consumer_state(), ("Stable".to_owned(), 2, 2), "nothing was reassigned");
    bench.told(fixed(beat("b", -2)));
    bench.restart();
    bench.pass(45_000);
    assert_eq!(bench.consumer_state(), ("Empty".to_owned(), 3, 2));
}

#[test]
fn topics_that_grow_come_and_go_are_reassigned() {
    let mut bench = with_a(1);
    bench.topic("t", 3);
    assert_eq!(bench.told(beat("a", 2)), (3, Some(vec![0, 1, 2])));
    bench.pass(2_000);
    bench.topic("t", 0);
    assert_eq!(bench.told(beat("a", 3)), (3, Some(vec![])), "it is to give up what is gone");
    assert_eq!(bench.told(owning("a", 3, &[])), (4, None));
    bench.pass(2_000);
    bench.topic("t", 2);
    assert_eq!(bench.told(beat("a", 4)), (5, Some(vec![0, 1])));
    bench.pass(2_000);
    bench.topic("unrelated", 2);
    assert_eq!(bench.told(beat("a", 5)), (5, None));
}

#[test]
fn an_expression_stands_for_the_topics_that_match_now_and_later() {
    let mut bench = Bench::without_delay();
    bench.topic("t", 2);
    bench.topic("other", 2);
    let by_regex = |regex: &str| ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: None,
        subscribed_topic_regex: Some(regex.to_owned()),
        ..joining("a", &[])
    };
    assert_eq!(error(&bench.beats(by_regex("("))), ErrorCode::InvalidRegularExpression);
    assert_eq!(bench.described().error_code, ErrorCode::GroupIdNotFound.code(), "nothing is left");
    assert_eq!(bench.told(by_regex("t.*")), (1, Some(vec![])), "it is looked at afterwards");
    assert_eq!(bench.told(beat("a", 1)), (2, Some(vec![0, 1])));
    bench.topic("t2", 1);
    assert_eq!(bench.told(beat("a", 2)), (2, None), "not twice within ten seconds");
    bench.pass(10_000);
    assert_eq!(bench.told(beat("a", 2)), (2, None));
    let response = bench.beats(beat("a", 2));
    let topics = response.assignment.expect("something new").topic_partitions;
    assert_eq!(topics.len(), 2, "{topics:?}");
    bench.restart();
    assert_eq!(bench.told(beat("a", 3)), (3, None), "the topics are in the log");
    bench.told(beat("a", -1));
    let left = bench.log.iter().rev().find_map(|record| match record {
        GroupRecord::Consumer(_, ConsumerRecord::Regex(regex, value)) => Some((regex, value)),
        GroupRecord::Consumer(..) | GroupRecord::Offset(..) | GroupRecord::Group(..) => None,
    });
    assert_eq!(left, Some((&"t.*".to_owned(), &None)), "nobody subscribes to it any more");
}

#[test]
fn commits_are_judged_by_the_epoch_in_which_the_partition_was_given() {
    let mut bench = with_a(4);
    bench.told(joining("b", &["t"]));
    bench.told(beat("a", 2));
    bench.told(owning("a", 2, &[0, 1]));
    let mut commit = |member: &str, epoch: i32, partition: i32, version: i16| {
        let mut request = commit_request(member, epoch, 5);
        request.topics[0].topic_id = topic_id("t");
        request.topics[0].partitions[0].partition_index = partition;
        let ticket = bench.ask(GroupAsk::Commit(request, requester(version)));
        bench.committed(ticket)
    };
    assert_eq!(commit("a", 3, 0, 9), ErrorCode::None);
    assert_eq!(commit("a", 2, 0, 9), ErrorCode::None, "it has had it since epoch 2");
    assert_eq!(commit("a", 1, 0, 9), ErrorCode::StaleMemberEpoch);
    assert_eq!(commit("a", 2, 3, 9), ErrorCode::StaleMemberEpoch, "it gave that one up");
    assert_eq!(commit("a", 4, 0, 9), ErrorCode::StaleMemberEpoch);
    assert_eq!(commit("x", 3, 0, 9), ErrorCode::UnknownMemberId);
    assert_eq!(commit("a", 3, 0, 8), ErrorCode::UnsupportedVersion);
    assert_eq!(commit("", -1, 0, 9), ErrorCode::UnknownMemberId, "the group is not empty");
}

#[test]
fn offsets_are_told_to_members_in_their_epoch_and_to_those_who_claim_nothing() {
    let mut bench = with_a(1);
    let mut fetch = |member: Option<&str>, epoch: i32| {
        let ticket = bench.ask(GroupAsk::Fetch(OffsetFetchRequestGroup {
            group_id: "g".to_owned(),
            member_id: member.map(str::to_owned),
            member_epoch: epoch,
            ..OffsetFetchRequestGroup::default()
        }));
        let Some(GroupAnswer::Fetched(response)) = bench.answers.get(&ticket) else {
            panic!("fetched at once")
        };
        code(response.error_code)
    };
    assert_eq!(fetch(None, -1), ErrorCode::None);
    assert_eq!(fetch(Some("a"), 2), ErrorCode::None);
    assert_eq!(fetch(Some("a"), 1), ErrorCode::StaleMemberEpoch);
    assert_eq!(fetch(Some("x"), 2), ErrorCode::UnknownMemberId);
}

#[test]
fn nothing_happens_before_the_log_has_it() {
    let mut bench = with_a(2);
    bench.holds = true;
    let join = bench.ask(GroupAsk::ConsumerHeartbeat(Box::new(joining("b", &["t"])), requester(1)));
    let other = bench.ask(GroupAsk::ConsumerHeartbeat(Box::new(beat("a", 2)), requester(1)));
    assert!(bench.is_open(join) && bench.is_open(other));
    assert_eq!(bench.consumer_state(), ("Stable".to_owned(), 2, 2));
    bench.holds = false;
    bench.fail_held(ErrorCode::NotEnoughReplicas);
    assert_eq!(error(&bench.beaten(join)), ErrorCode::CoordinatorNotAvailable);
    assert_eq!(bench.beaten(other).member_epoch, 2, "it waited, and nothing has changed for it");
    assert_eq!(bench.consumer_state(), ("Stable".to_owned(), 2, 2));
}

#[test]
fn a_group_that_is_full_takes_nobody_but_its_own() {
    let consumer = ConsumerConfig { size_max: 1, ..ConsumerConfig::default() };
    let mut bench = Bench::new(GroupConfig { consumer, ..GroupConfig::default() });
    bench.topic("t", 1);
    bench.told(joining("a", &["t"]));
    assert_eq!(error(&bench.beats(joining("b", &["t"]))), ErrorCode::GroupMaxSizeReached);
    bench.told(joining("a", &["t"]));
}

#[test]
fn a_group_is_deleted_when_it_is_empty_and_its_records_are_buried() {
    let mut bench = with_a(2);
    assert_eq!(bench.delete_group(), ErrorCode::NonEmptyGroup);
    bench.told(beat("a", -1));
    let ticket = bench.commit("", -1, 7);
    assert_eq!(bench.committed(ticket), ErrorCode::None);
    assert_eq!(bench.delete_group(), ErrorCode::None);
    assert_eq!(bench.fetch(), -1);
    assert_eq!(bench.delete_group(), ErrorCode::GroupIdNotFound);
    let mut last: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
    for record in &bench.log {
        last.insert(record.encode_key(), record.encode_value().is_some());
    }
    assert!(last.values().all(|lives| !lives), "every key ends in a tombstone: {:?}", bench.log);
    bench.restart();
    assert_eq!(bench.coordinator.group_count(), 0);
}

#[test]
fn offsets_of_topics_that_are_consumed_cannot_be_deleted_and_do_not_expire() {
    let mut bench = with_a(1);
    let mut request = commit_request("a", 2, 5);
    request.topics[0].topic_id = topic_id("t");
    let ticket = bench.ask(GroupAsk::Commit(request, requester(9)));
    assert_eq!(bench.committed(ticket), ErrorCode::None);
    for _ in 0..8 * 24 * 120 {
        bench.pass(30_000);
        bench.told(beat("a", 2));
    }
    assert_eq!(bench.fetch(), 5, "eight days, and a is still there");
    bench.told(beat("a", -1));
    bench.pass(600_000);
    assert_eq!(bench.fetch(), -1, "committed long ago, and nobody consumes it");
    assert_eq!(bench.coordinator.group_count(), 0, "the group went with its last offset");
}

#[test]
fn a_restart_finds_the_group_as_it_was() {
    let mut bench = with_a(4);
    bench.told(joining("b", &["t"]));
    bench.told(beat("a", 2));
    let before = bench.described();
    bench.restart();
    assert_eq!(bench.described(), before);
    assert_eq!(bench.told(owning("a", 2, &[0, 1])), (3, None));
    assert_eq!(bench.told(beat("b", 3)), (3, Some(vec![2, 3])));
}

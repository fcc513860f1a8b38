//! Commits, look-ups, deletion and expiry of offsets.

use millrace_net::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};

use super::*;

const DAY_MS: u64 = 24 * 3_600_000;

impl Bench {
    fn begin_delete_offset(&mut self) -> u32 {
        self.ask(GroupAsk::DeleteOffsets(OffsetDeleteRequest {
            group_id: "g".to_owned(),
            topics: vec![OffsetDeleteRequestTopic {
                name: "t".to_owned(),
                partitions: vec![OffsetDeleteRequestPartition { partition_index: 0 }],
            }],
        }))
    }

    fn delete_offset(&mut self) -> (ErrorCode, ErrorCode) {
        let ticket = self.begin_delete_offset();
        self.offset_deleted(ticket)
    }

    fn offset_deleted(&self, ticket: u32) -> (ErrorCode, ErrorCode) {
        let Some(GroupAnswer::DeletedOffsets(response)) = self.answers.get(&ticket) else {
            panic!("no deletion was answered")
        };
        let partition = response.topics.first().map_or(0, |it| it.partitions[0].error_code);
        (code(response.error_code), code(partition))
    }
}

#[test]
fn a_commit_is_read_once_it_is_committed_and_survives_a_restart() {
    let mut bench = Bench::without_delay();
    assert_eq!(bench.fetch(), -1);
    bench.holds = true;
    let ticket = bench.commit("", -1, 7);
    assert!(bench.is_open(ticket));
    assert_eq!(bench.fetch(), -1);
    bench.commit_held();
    bench.pump();
    assert_eq!(bench.committed(ticket), ErrorCode::None);
    assert_eq!(bench.fetch(), 7);
    bench.restart();
    assert_eq!(bench.fetch(), 7);
    assert_eq!(bench.state(), "Empty");
}

#[test]
fn a_commit_that_the_log_refuses_changes_nothing() {
    let mut bench = Bench::without_delay();
    bench.commit("", -1, 7);
    bench.holds = true;
    let ticket = bench.commit("", -1, 8);
    bench.fail_held(ErrorCode::KafkaStorageError);
    assert_eq!(bench.committed(ticket), ErrorCode::NotCoordinator);
    assert_eq!(bench.fetch(), 7);
}

#[test]
fn only_members_of_the_generation_commit_to_a_group_that_has_members() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(1);
    let generation = bench.generation();
    for (member, generation, expected) in [
        (members[0].as_str(), generation, ErrorCode::None),
        (members[0].as_str(), generation - 1, ErrorCode::IllegalGeneration),
        (members[0].as_str(), -1, ErrorCode::IllegalGeneration),
        ("nobody", generation, ErrorCode::UnknownMemberId),
        ("", -1, ErrorCode::UnknownMemberId),
    ] {
        let ticket = bench.commit(member, generation, 5);
        assert_eq!(bench.committed(ticket), expected, "{member} {generation}");
    }
    let (_, _) = bench.enter();
    let ticket = bench.commit(&members[0], generation, 6);
    assert_eq!(bench.committed(ticket), ErrorCode::None, "before it joins again");
    bench.join(&members[0]);
    let ticket = bench.commit(&members[0], generation + 1, 7);
    assert_eq!(bench.committed(ticket), ErrorCode::RebalanceInProgress);
}

#[test]
fn a_generation_of_a_group_that_does_not_exist_is_refused() {
    let mut bench = Bench::without_delay();
    let ticket = bench.commit("m", 1, 5);
    assert_eq!(bench.committed(ticket), ErrorCode::GroupIdNotFound);
    let ask = GroupAsk::Commit(commit_request("m", 1, 5), requester(8));
    let ticket = bench.ask(ask);
    assert_eq!(bench.committed(ticket), ErrorCode::IllegalGeneration);
    assert_eq!(bench.coordinator.group_count(), 0);
}

#[test]
fn long_metadata_is_refused_partition_by_partition() {
    let mut bench = Bench::without_delay();
    let mut request = commit_request("", -1, 5);
    let mut long = request.topics[0].partitions[0].clone();
    long.partition_index = 1;
    long.committed_metadata = Some("é".repeat(4_097));
    request.topics[0].partitions[0].committed_metadata = Some("é".repeat(4_096));
    request.topics[0].partitions.push(long);
    let ticket = bench.ask(GroupAsk::Commit(request, requester(9)));
    let Some(GroupAnswer::Committed(response)) = bench.answers.get(&ticket) else { panic!() };
    let codes: Vec<_> =
        response.topics[0].partitions.iter().map(|it| code(it.error_code)).collect();
    assert_eq!(codes, [ErrorCode::None, ErrorCode::OffsetMetadataTooLarge]);
    assert_eq!(bench.fetch(), 5);
}

#[test]
fn a_deleted_group_is_gone_with_its_offsets_those_under_way_included() {
    let mut bench = Bench::without_delay();
    assert_eq!(bench.delete_group(), ErrorCode::GroupIdNotFound);
    let members = bench.stable(1);
    let generation = bench.generation();
    bench.commit(&members[0], generation, 5);
    assert_eq!(bench.delete_group(), ErrorCode::NonEmptyGroup);
    bench.leave(&members[0], None);
    bench.holds = true;
    let late = bench.commit("", -1, 6);
    let delete = bench.ask(GroupAsk::Delete { group_id: "g".to_owned() });
    bench.commit_held();
    bench.pump();
    assert_eq!(bench.committed(late), ErrorCode::None);
    assert_eq!(bench.answers[&delete], GroupAnswer::Deleted(ErrorCode::None));
    assert_eq!(bench.fetch(), -1);
    assert_eq!(bench.coordinator.group_count(), 0);
    bench.restart();
    assert_eq!(bench.coordinator.group_count(), 0);
}

/// Who looks before the tombstones are in the log must not see what a crash would take back.
#[test]
fn a_group_that_is_being_deleted_has_its_offsets_until_the_log_knows() {
    let mut bench = Bench::without_delay();
    bench.commit("", -1, 5);
    bench.holds = true;
    let late = bench.commit("", -1, 6);
    let delete = bench.ask(GroupAsk::Delete { group_id: "g".to_owned() });
    assert_eq!(bench.fetch(), 5);
    bench.commit_first_held();
    assert_eq!(bench.committed(late), ErrorCode::None);
    assert_eq!(bench.fetch(), 6);
    bench.commit_held();
    bench.pump();
    assert_eq!(bench.answers[&delete], GroupAnswer::Deleted(ErrorCode::None));
    assert_eq!(bench.fetch(), -1);
}

/// That an offset is gone must not be told while look-ups find it, and a crash brings it back.
#[test]
fn a_deletion_behind_that_of_its_group_waits_for_it() {
    for begins_anew in [false, true] {
        let mut bench = Bench::without_delay();
        bench.commit("", -1, 5);
        bench.holds = true;
        bench.ask(GroupAsk::Delete { group_id: "g".to_owned() });
        if begins_anew {
            bench.commit("", -1, 6);
        }
        let offset = bench.begin_delete_offset();
        assert!(!bench.answers.contains_key(&offset));
        assert_eq!(bench.fetch(), 5);
        bench.commit_first_held();
        assert_eq!(bench.fetch(), -1);
        let expected = if begins_anew { ErrorCode::None } else { ErrorCode::GroupIdNotFound };
        assert_eq!(bench.offset_deleted(offset).0, expected);
    }
}

#[test]
fn a_deletion_behind_one_of_its_group_that_fails_is_done() {
    let mut bench = Bench::without_delay();
    bench.commit("", -1, 5);
    bench.holds = true;
    bench.ask(GroupAsk::Delete { group_id: "g".to_owned() });
    let offset = bench.begin_delete_offset();
    let group = bench.ask(GroupAsk::Delete { group_id: "g".to_owned() });
    bench.fail_held(ErrorCode::NotEnoughReplicas);
    assert_eq!(bench.fetch(), 5);
    assert!(!bench.answers.contains_key(&offset));
    bench.commit_held();
    bench.pump();
    assert_eq!(bench.offset_deleted(offset), (ErrorCode::None, ErrorCode::None));
    assert_eq!(bench.answers[&group], GroupAnswer::Deleted(ErrorCode::None));
    assert_eq!(bench.fetch(), -1);
}

#[test]
fn a_group_whose_deletion_fails_is_still_there() {
    let mut bench = Bench::without_delay();
    bench.commit("", -1, 5);
    bench.holds = true;
    let delete = bench.ask(GroupAsk::Delete { group_id: "g".to_owned() });
    bench.fail_held(ErrorCode::NotEnoughReplicas);
    let expected = GroupAnswer::Deleted(ErrorCode::CoordinatorNotAvailable);
    assert_eq!(bench.answers[&delete], expected);
    assert_eq!(bench.fetch(), 5);
}

#[test]
fn offsets_of_a_subscribed_topic_cannot_be_deleted() {
    let mut bench = Bench::without_delay();
    assert_eq!(bench.delete_offset().0, ErrorCode::GroupIdNotFound);
    let members = bench.stable(1);
    let generation = bench.generation();
    bench.commit(&members[0], generation, 5);
    assert_eq!(bench.delete_offset(), (ErrorCode::None, ErrorCode::GroupSubscribedToTopic));
    bench.leave(&members[0], None);
    assert_eq!(bench.delete_offset(), (ErrorCode::None, ErrorCode::None));
    assert_eq!(bench.fetch(), -1);
    assert_eq!(bench.delete_offset(), (ErrorCode::None, ErrorCode::None), "nothing to delete");
}

#[test]
fn a_deleted_topic_takes_its_offsets_along() {
    let mut bench = Bench::without_delay();
    bench.commit("", -1, 5);
    bench.coordinator.on_topics_deleted(bench.now(), &[("other", Uuid::ZERO)]);
    assert_eq!(bench.fetch(), 5);
    bench.coordinator.on_topics_deleted(bench.now(), &[("t", Uuid::ZERO)]);
    bench.pump();
    assert_eq!(bench.fetch(), -1);
}

/// A topic was deleted while a coordinator had read half of its log: it wrote tombstones for what it knew,
/// and passed over everything between there and those, acknowledged offsets of other topics among it.
#[test]
fn a_topic_that_is_deleted_while_offsets_are_loaded_takes_them_along_once_they_are() {
    let mut bench = Bench::without_delay();
    bench.commit("", -1, 5);
    bench.drop_snapshot();
    let mut coordinator = GroupCoordinator::new(GroupConfig::default(), 9);
    coordinator.set_image(Arc::clone(&bench.image));
    for record in &bench.log {
        coordinator.replay(record);
    }
    coordinator.on_topics_deleted(bench.now(), &[("t", Uuid::ZERO)]);
    assert!(coordinator.take_outputs().is_empty(), "nothing is written into a log that is read");
    coordinator.loaded(bench.now());
    bench.coordinator = coordinator;
    bench.pump();
    assert_eq!(bench.fetch(), -1);
}

/// A coordinator that died between a topic's deletion and the tombstones keeps what was committed
/// for it: the next topic of that name is another one. And one that hears late of the deletion does
/// not take along what was committed for the next one.
#[test]
fn an_offset_is_that_of_one_topic_and_not_of_the_next_of_its_name() {
    let mut bench = Bench::without_delay();
    let fetched = |bench: &mut Bench, id: u128| {
        let topic = OffsetFetchRequestTopics {
            name: "t".to_owned(),
            topic_id: Uuid(id),
            partition_indexes: vec![0],
        };
        let ticket = bench.ask(GroupAsk::Fetch(OffsetFetchRequestGroup {
            group_id: "g".to_owned(),
            topics: Some(vec![topic]),
            ..OffsetFetchRequestGroup::default()
        }));
        let Some(GroupAnswer::Fetched(response)) = bench.answers.get(&ticket) else { panic!() };
        response.topics[0].partitions[0].committed_offset
    };
    let mut request = commit_request("", -1, 5);
    request.topics[0].topic_id = Uuid(1);
    bench.ask(GroupAsk::Commit(request.clone(), requester(10)));
    assert_eq!([0, 1, 2].map(|id| fetched(&mut bench, id)), [5, 5, -1]);
    request.topics[0].topic_id = Uuid(2);
    bench.ask(GroupAsk::Commit(request.clone(), requester(10)));
    bench.coordinator.on_topics_deleted(bench.now(), &[("t", Uuid(1))]);
    bench.pump();
    assert_eq!([1, 2].map(|id| fetched(&mut bench, id)), [-1, 5]);
    // The commit for a third one is on its way when the coordinator hears that the second is gone.
    bench.holds = true;
    request.topics[0].topic_id = Uuid(3);
    bench.ask(GroupAsk::Commit(request, requester(10)));
    bench.coordinator.on_topics_deleted(bench.now(), &[("t", Uuid(2))]);
    bench.commit_held();
    bench.pump();
    assert_eq!(fetched(&mut bench, 3), 5);
}

#[test]
fn offsets_of_a_lone_consumer_expire_a_week_after_the_commit_and_the_group_with_them() {
    let mut bench = Bench::without_delay();
    bench.commit("", -1, 5);
    bench.pass(6 * DAY_MS);
    bench.commit("", -1, 6);
    bench.pass(6 * DAY_MS);
    assert_eq!(bench.fetch(), 6);
    bench.pass(DAY_MS + 600_000);
    assert_eq!(bench.fetch(), -1);
    assert_eq!(bench.coordinator.group_count(), 0);
    assert!(matches!(bench.log.last(), Some(GroupRecord::Group(_, None))));
}

#[test]
fn offsets_of_a_group_expire_a_week_after_its_last_member_left() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(1);
    let generation = bench.generation();
    bench.commit(&members[0], generation, 5);
    for _ in 0..(8 * DAY_MS / 9_000) {
        bench.pass(9_000);
        bench.heartbeat(&members[0], generation);
    }
    assert_eq!(bench.fetch(), 5, "members use it");
    bench.leave(&members[0], None);
    bench.pass(7 * DAY_MS - 1);
    assert_eq!(bench.fetch(), 5);
    bench.restart();
    bench.pass(600_001);
    assert_eq!(bench.fetch(), -1, "the log knows when it left");
}

#[test]
fn a_client_can_choose_when_its_offset_expires() {
    let mut bench = Bench::without_delay();
    let mut request = commit_request("", -1, 5);
    request.retention_time_ms = 1_000;
    bench.ask(GroupAsk::Commit(request, requester(2)));
    bench.restart();
    assert_eq!(bench.fetch(), 5);
    bench.pass(600_001);
    assert_eq!(bench.fetch(), -1);
}

#[test]
fn all_offsets_of_a_group_are_fetched_without_naming_them() {
    let mut bench = Bench::without_delay();
    bench.commit("", -1, 5);
    let ticket = bench.ask(GroupAsk::Fetch(OffsetFetchRequestGroup {
        group_id: "g".to_owned(),
        topics: None,
        ..OffsetFetchRequestGroup::default()
    }));
    let Some(GroupAnswer::Fetched(response)) = bench.answers.get(&ticket) else { panic!() };
    assert_eq!(response.topics.len(), 1);
    assert_eq!(response.topics[0].name, "t");
    assert_eq!(response.topics[0].partitions[0].committed_offset, 5);
}

//! Dynamic members: joining, syncing, heartbeating, leaving, dying.

use super::*;

#[test]
fn a_dynamic_member_gets_its_id_before_it_joins() {
    let mut bench = Bench::without_delay();
    let first = bench.join("");
    let response = bench.joined(first).clone();
    assert_eq!(code(response.error_code), ErrorCode::MemberIdRequired);
    assert!(response.member_id.starts_with("c-"), "{}", response.member_id);
    assert_eq!(response.member_id.len(), "c-".len() + 36);
    let second = bench.join(&response.member_id);
    bench.pass(1);
    assert_eq!(bench.joined(second).error_code, 0);
    assert_eq!(bench.joined(second).generation_id, 1);
    assert_eq!(bench.joined(second).leader, response.member_id);
    assert_eq!(bench.joined(second).members.len(), 1);
}

#[test]
fn before_version_4_a_member_joins_in_one_step() {
    let mut bench = Bench::without_delay();
    let ask = GroupAsk::Join(Box::new(join_request("", None)), requester(3));
    let ticket = bench.ask(ask);
    bench.pass(1);
    assert_eq!(bench.joined(ticket).error_code, 0);
}

#[test]
fn the_first_rebalance_waits_for_newcomers_and_no_longer_than_the_rebalance_timeout() {
    let mut bench = Bench::new(GroupConfig::default());
    let (first, _) = bench.enter();
    bench.pass(2_999);
    assert!(bench.is_open(first));
    let (second, _) = bench.enter();
    bench.pass(1);
    assert!(bench.is_open(first), "a newcomer extends the delay");
    bench.pass(3_000);
    assert_eq!(bench.joined(first).generation_id, 1);
    assert_eq!(bench.joined(second).generation_id, 1);
    assert_eq!(bench.joined(first).members.len() + bench.joined(second).members.len(), 2);

    // With somebody new every two seconds it goes on for 60 s and not on.
    let mut bench = Bench::new(GroupConfig::default());
    let (first, _) = bench.enter();
    for _ in 0..29 {
        bench.pass(2_000);
        bench.enter();
        assert!(bench.is_open(first), "at {} ms", bench.now_ms);
    }
    bench.pass(2_001);
    assert!(!bench.is_open(first));
}

#[test]
fn all_members_get_what_the_leader_assigned_once_it_is_committed() {
    let mut bench = Bench::new(GroupConfig::default());
    let entered = [bench.enter(), bench.enter(), bench.enter()];
    bench.pass(6_000);
    let leader = bench.joined(entered[0].0).leader.clone();
    let ids: Vec<String> = entered.iter().map(|(_, id)| id.clone()).collect();
    let others: Vec<&String> = ids.iter().filter(|id| **id != leader).collect();
    bench.holds = true;
    let early = bench.sync(others[0], 1, &[]);
    let lead = bench.sync(&leader, 1, &ids);
    let late = bench.sync(others[1], 1, &[]);
    assert!(bench.is_open(early) && bench.is_open(lead) && bench.is_open(late));
    assert_eq!(bench.state(), "CompletingRebalance");
    bench.commit_held();
    bench.pump();
    assert_eq!(bench.state(), "Stable");
    for (ticket, id) in [(early, others[0]), (lead, &leader), (late, others[1])] {
        assert_eq!(bench.synced(ticket).assignment, format!("for {id}"));
        assert_eq!(bench.synced(ticket).protocol_name.as_deref(), Some("range"));
    }
    let again = bench.sync(others[0], 1, &[]);
    assert_eq!(bench.synced(again).assignment, format!("for {}", others[0]));
}

#[test]
fn a_member_that_the_leader_does_not_mention_loses_what_it_had() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(1);
    let generation = bench.generation();
    bench.join(&members[0]);
    let sync = bench.sync(&members[0], generation + 1, &[]);
    assert_eq!(bench.synced(sync).assignment, "");
}

#[test]
fn assignments_that_the_log_refuses_are_void_and_the_group_tries_again() {
    let mut bench = Bench::without_delay();
    let (ticket, id) = bench.enter();
    bench.pass(1);
    assert_eq!(bench.joined(ticket).generation_id, 1);
    bench.holds = true;
    let sync = bench.sync(&id, 1, std::slice::from_ref(&id));
    bench.fail_held(ErrorCode::KafkaStorageError);
    assert_eq!(code(bench.synced(sync).error_code), ErrorCode::NotCoordinator);
    assert_eq!(bench.state(), "PreparingRebalance");
}

#[test]
fn a_newcomer_makes_a_stable_group_rebalance() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(2);
    let before = bench.generation();
    let (third, id) = bench.enter();
    assert!(bench.is_open(third));
    for member in &members {
        assert_eq!(bench.heartbeat(member, before), ErrorCode::RebalanceInProgress);
    }
    let sync = bench.sync(&members[0], before, &[]);
    assert_eq!(code(bench.synced(sync).error_code), ErrorCode::RebalanceInProgress);
    bench.join(&members[0]);
    assert!(bench.is_open(third));
    bench.join(&members[1]);
    assert_eq!(bench.joined(third).generation_id, before + 1);
    assert_eq!(bench.heartbeat(&members[0], before), ErrorCode::IllegalGeneration);
    assert_eq!(bench.heartbeat(&id, before + 1), ErrorCode::None);
}

#[test]
fn members_that_do_not_join_in_the_rebalance_timeout_are_left_behind() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(2);
    let generation = bench.generation();
    let (third, _) = bench.enter();
    bench.join(&members[0]);
    for _ in 0..12 {
        bench.pass(4_999);
        bench.heartbeat(&members[1], generation);
    }
    assert!(bench.is_open(third), "59.988 s of 60");
    bench.pass(100);
    assert_eq!(bench.joined(third).generation_id, generation + 1);
    assert_eq!(bench.heartbeat(&members[1], generation), ErrorCode::UnknownMemberId);
}

#[test]
fn a_member_without_heartbeats_is_dead_after_its_session() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(2);
    let generation = bench.generation();
    bench.pass(9_999);
    assert_eq!(bench.heartbeat(&members[0], generation), ErrorCode::None);
    bench.pass(2);
    assert_eq!(bench.heartbeat(&members[0], generation), ErrorCode::RebalanceInProgress);
    let alone = bench.join(&members[0]);
    assert_eq!(bench.joined(alone).members.len(), 1);
    assert_eq!(bench.heartbeat(&members[1], generation), ErrorCode::UnknownMemberId);
}

#[test]
fn a_member_that_waits_for_the_others_needs_no_heartbeats() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(2);
    let generation = bench.generation();
    let first = bench.join(&members[0]);
    for _ in 0..5 {
        bench.pass(9_000);
        bench.heartbeat(&members[1], generation);
    }
    assert!(bench.is_open(first));
    let second = bench.join(&members[1]);
    assert_eq!(bench.joined(first).generation_id, generation + 1);
    assert_eq!(bench.joined(second).generation_id, generation + 1);
}

#[test]
fn a_member_that_joined_and_never_syncs_is_given_up() {
    let mut bench = Bench::new(GroupConfig::default());
    let (first, a) = bench.enter();
    let (_, b) = bench.enter();
    bench.pass(6_000);
    let leader = bench.joined(first).leader.clone();
    let other = if leader == a { b } else { a };
    bench.sync(&leader, 1, std::slice::from_ref(&leader));
    for _ in 0..12 {
        bench.pass(4_999);
        bench.heartbeat(&leader, 1);
        bench.heartbeat(&other, 1);
    }
    assert_eq!(bench.state(), "Stable");
    bench.pass(100);
    assert_eq!(bench.state(), "PreparingRebalance");
    assert_eq!(bench.heartbeat(&other, 1), ErrorCode::UnknownMemberId);
}

#[test]
fn a_handed_out_member_id_holds_a_rebalance_up_until_it_expires() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(1);
    let generation = bench.generation();
    bench.join("");
    let rejoin = bench.join(&members[0]);
    assert!(bench.is_open(rejoin), "the newcomer is awaited");
    bench.pass(10_001);
    assert_eq!(bench.joined(rejoin).generation_id, generation + 1);
}

#[test]
fn the_last_member_that_leaves_makes_the_group_empty() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(2);
    let generation = bench.generation();
    assert_eq!(bench.leave(&members[0], None), ErrorCode::None);
    assert_eq!(bench.leave(&members[0], None), ErrorCode::UnknownMemberId);
    assert_eq!(bench.state(), "PreparingRebalance");
    assert_eq!(bench.leave(&members[1], None), ErrorCode::None);
    assert_eq!(bench.state(), "Empty");
    assert_eq!(bench.generation(), generation + 1);
    let Some(GroupRecord::Group(_, Some(value))) = bench.log.last() else {
        panic!("the log does not know")
    };
    assert!(value.members.is_empty() && value.protocol.is_none());
}

#[test]
fn a_lost_answer_is_given_again() {
    let mut bench = Bench::new(GroupConfig::default());
    let (first, a) = bench.enter();
    let (_, b) = bench.enter();
    bench.pass(6_000);
    let leader = bench.joined(first).leader.clone();
    let again = bench.join(&leader);
    assert_eq!(bench.joined(again).generation_id, 1);
    assert_eq!(bench.joined(again).members.len(), 2);
    let other = if leader == a { b } else { a };
    let again = bench.join(&other);
    assert_eq!((bench.joined(again).generation_id, bench.joined(again).members.len()), (1, 0));
    assert_eq!(bench.state(), "CompletingRebalance");
}

#[test]
fn a_stable_follower_that_joins_as_before_changes_nothing_and_a_leader_does() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(2);
    let generation = bench.generation();
    let leader = bench.coordinator.groups["g"].leader.expect("a leader");
    let leader = bench.coordinator.groups["g"].members[&leader].id.to_string();
    let follower = members.iter().find(|id| **id != leader).expect("two").clone();
    let again = bench.join(&follower);
    assert_eq!(bench.joined(again).generation_id, generation);
    assert_eq!(bench.state(), "Stable");
    let again = bench.join(&leader);
    assert!(bench.is_open(again));
    assert_eq!(bench.state(), "PreparingRebalance");
}

#[test]
fn a_cooperative_member_that_gives_partitions_up_makes_a_second_rebalance() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(2);
    let generation = bench.generation();
    let mut request = join_request(&members[1], None);
    request.protocols = vec![protocol("range", b"\0\x01owned changed")];
    let ticket = bench.ask(GroupAsk::Join(Box::new(request), requester(9)));
    assert!(bench.is_open(ticket));
    bench.join(&members[0]);
    assert_eq!(bench.joined(ticket).generation_id, generation + 1);
}

#[test]
fn protocols_must_have_one_in_common_and_the_most_wanted_wins() {
    let mut bench = Bench::new(GroupConfig::default());
    let mut join = |names: &[&str], protocol_type: &str| {
        let mut request = join_request("", None);
        request.protocol_type = protocol_type.to_owned();
        request.protocols = names.iter().map(|name| protocol(name, b"m")).collect();
        bench.ask(GroupAsk::Join(Box::new(request), requester(3)))
    };
    let none = join(&[], "consumer");
    let first = join(&["a", "b"], "consumer");
    let second = join(&["b", "a", "c"], "consumer");
    let third = join(&["b", "c", "a"], "consumer");
    let stranger = join(&["d"], "consumer");
    let other_type = join(&["a", "b"], "connect");
    bench.pass(9_000);
    for refused in [none, stranger, other_type] {
        let error = code(bench.joined(refused).error_code);
        assert_eq!(error, ErrorCode::InconsistentGroupProtocol);
    }
    for joined in [first, second, third] {
        assert_eq!(bench.joined(joined).protocol_name.as_deref(), Some("b"));
        assert_eq!(bench.joined(joined).protocol_type.as_deref(), Some("consumer"));
    }
}

#[test]
fn a_full_group_takes_no_more_members() {
    let config =
        GroupConfig { size_max: 2, initial_rebalance_delay_ms: 0, ..GroupConfig::default() };
    let mut bench = Bench::new(config);
    let members = bench.stable(2);
    let first = bench.join("");
    assert_eq!(code(bench.joined(first).error_code), ErrorCode::GroupMaxSizeReached);
    assert_eq!(bench.joined(first).member_id, "");
    let again = bench.join(&members[1]);
    assert_eq!(bench.joined(again).error_code, 0, "those inside stay");
}

#[test]
fn what_is_wrong_with_a_request_is_told_by_kafkas_codes() {
    let mut bench = Bench::without_delay();
    let mut request = join_request("", None);
    request.session_timeout_ms = 5_999;
    let ticket = bench.ask(GroupAsk::Join(Box::new(request.clone()), requester(9)));
    assert_eq!(code(bench.joined(ticket).error_code), ErrorCode::InvalidSessionTimeout);
    request.group_id = String::new();
    let ticket = bench.ask(GroupAsk::Join(Box::new(request), requester(9)));
    assert_eq!(code(bench.joined(ticket).error_code), ErrorCode::InvalidGroupId);
    let ticket = bench.join("nobody");
    assert_eq!(code(bench.joined(ticket).error_code), ErrorCode::UnknownMemberId);
    assert_eq!(bench.heartbeat("nobody", 1), ErrorCode::UnknownMemberId);
    assert_eq!(bench.leave("nobody", None), ErrorCode::UnknownMemberId);
    let ticket = bench.sync("nobody", 1, &[]);
    assert_eq!(code(bench.synced(ticket).error_code), ErrorCode::UnknownMemberId);
    assert_eq!(bench.coordinator.group_count(), 0, "refusals leave no group behind");
    let members = bench.stable(1);
    let generation = bench.generation();
    let ticket = bench.sync(&members[0], generation + 1, &[]);
    assert_eq!(code(bench.synced(ticket).error_code), ErrorCode::IllegalGeneration);
    let ticket = bench.ask(GroupAsk::Sync(SyncGroupRequest {
        group_id: "g".to_owned(),
        generation_id: generation,
        member_id: members[0].clone(),
        protocol_name: Some("roundrobin".to_owned()),
        ..SyncGroupRequest::default()
    }));
    assert_eq!(code(bench.synced(ticket).error_code), ErrorCode::InconsistentGroupProtocol);
}

/// Once any name that was not a member's could set a whole group in motion.
#[test]
fn a_leave_of_nobody_changes_nothing() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(2);
    let generation = bench.generation();
    assert_eq!(bench.leave("nobody", None), ErrorCode::UnknownMemberId);
    assert_eq!(bench.state(), "Stable");
    assert_eq!(bench.generation(), generation);
    assert_eq!(bench.heartbeat(&members[1], generation), ErrorCode::None);
}

#[test]
fn members_survive_a_restart_and_have_their_session_to_show_themselves() {
    let mut bench = Bench::without_delay();
    let members = bench.stable(3);
    let generation = bench.generation();
    bench.restart();
    assert_eq!(bench.state(), "Stable");
    bench.pass(9_999);
    assert_eq!(bench.heartbeat(&members[0], generation), ErrorCode::None);
    let ticket = bench.sync(&members[1], generation, &[]);
    assert_eq!(bench.synced(ticket).assignment, format!("for {}", members[1]));
    bench.pass(2);
    assert_eq!(bench.state(), "PreparingRebalance", "the third did not");
}

#[test]
fn a_group_is_described_and_listed() {
    let mut bench = Bench::without_delay();
    bench.stable(1);
    let ticket = bench.ask(GroupAsk::Describe { group_id: "g".to_owned(), version: 6 });
    let Some(GroupAnswer::Described(described)) = bench.answers.get(&ticket) else { panic!() };
    assert_eq!(described.protocol_type, "consumer");
    assert_eq!(described.protocol_data, "range");
    assert_eq!(described.members[0].client_host, "/127.0.0.1");
    assert!(described.members[0].member_assignment.starts_with(b"for c-"));
    let ticket = bench.ask(GroupAsk::Describe { group_id: "x".to_owned(), version: 6 });
    let Some(GroupAnswer::Described(described)) = bench.answers.get(&ticket) else { panic!() };
    assert_eq!(code(described.error_code), ErrorCode::GroupIdNotFound);
    for (states, types, count) in
        [("", "", 1), ("stable", "", 1), ("Empty", "", 0), ("", "Classic", 1), ("", "consumer", 0)]
    {
        let filter = |it: &str| if it.is_empty() { Vec::new() } else { vec![it.to_owned()] };
        let ticket = bench.ask(GroupAsk::List { states: filter(states), types: filter(types) });
        let Some(GroupAnswer::Listed(Ok(listed))) = bench.answers.get(&ticket) else { panic!() };
        assert_eq!(listed.len(), count, "{states} {types}");
    }
}

#[test]
fn until_it_has_loaded_a_coordinator_tells_everybody_to_come_back() {
    let mut bench = Bench::without_delay();
    bench.coordinator = GroupCoordinator::new(GroupConfig::default(), 1);
    let ticket = bench.join("");
    assert_eq!(code(bench.joined(ticket).error_code), ErrorCode::CoordinatorLoadInProgress);
    let ticket = bench.commit("", -1, 1);
    assert_eq!(bench.committed(ticket), ErrorCode::CoordinatorLoadInProgress);
}

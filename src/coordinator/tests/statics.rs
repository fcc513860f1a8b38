//! Static members. Source: KIP-345.

use super::*;

impl Bench {
    fn join_static(&mut self, member_id: &str, instance: &str, version: i16) -> u32 {
        let request = join_request(member_id, Some(instance));
        self.ask(GroupAsk::Join(Box::new(request), requester(version)))
    }

    /// A stable group of the static members `x` (it leads) and `y`.
    fn stable_statics(&mut self) -> [String; 2] {
        let tickets = [self.join_static("", "x", 9), self.join_static("", "y", 9)];
        self.pass(9_000);
        let ids = tickets.map(|ticket| self.joined(ticket).member_id.clone());
        assert_eq!(self.joined(tickets[0]).leader, ids[0]);
        assert!(ids[0].starts_with("x-"), "{}", ids[0]);
        self.sync(&ids[0], 1, &ids);
        self.sync(&ids[1], 1, &[]);
        assert_eq!(self.state(), "Stable");
        ids
    }
}

#[test]
fn a_static_member_that_returns_gets_its_assignment_without_a_rebalance() {
    let mut bench = Bench::new(GroupConfig::default());
    let ids = bench.stable_statics();
    let ticket = bench.join_static("", "y", 9);
    let response = bench.joined(ticket).clone();
    assert_eq!((response.error_code, response.generation_id), (0, 1));
    assert_ne!(response.member_id, ids[1]);
    assert_eq!(response.leader, ids[0]);
    assert!(!response.skip_assignment && response.members.is_empty());
    assert_eq!(bench.state(), "Stable");
    let sync = bench.sync(&response.member_id, 1, &[]);
    assert_eq!(bench.synced(sync).assignment, format!("for {}", ids[1]));
    assert_eq!(bench.heartbeat(&ids[1], 1), ErrorCode::UnknownMemberId);
    bench.restart();
    assert_eq!(bench.heartbeat(&response.member_id, 1), ErrorCode::None, "the log knows it");
}

#[test]
fn a_static_leader_that_returns_is_told_not_to_assign() {
    let mut bench = Bench::new(GroupConfig::default());
    let ids = bench.stable_statics();
    let ticket = bench.join_static("", "x", 9);
    let response = bench.joined(ticket).clone();
    assert_eq!(response.leader, response.member_id);
    assert!(response.skip_assignment);
    assert_eq!(response.members.len(), 2, "it knows whom it leads");
    // An old client cannot be told; it hears that its former self leads.
    let ticket = bench.join_static("", "x", 5);
    assert_eq!(bench.joined(ticket).leader, response.member_id);
    assert!(bench.joined(ticket).members.is_empty());
    assert_ne!(bench.joined(ticket).member_id, ids[0]);
}

#[test]
fn a_leader_is_told_of_the_static_members_first() {
    let mut bench = Bench::new(GroupConfig::default());
    let (first, _) = bench.enter();
    bench.join_static("", "x", 9);
    bench.enter();
    bench.join_static("", "y", 9);
    bench.pass(9_000);
    let members = &bench.joined(first).members;
    let instances: Vec<_> = members.iter().map(|it| it.group_instance_id.as_deref()).collect();
    assert_eq!(instances, [Some("x"), Some("y"), None, None]);
}

#[test]
fn the_older_holder_of_an_instance_id_is_fenced() {
    let mut bench = Bench::new(GroupConfig::default());
    let ids = bench.stable_statics();
    let ticket = bench.join_static("", "y", 9);
    let new = bench.joined(ticket).member_id.clone();
    let ticket = bench.join_static(&ids[1], "y", 9);
    assert_eq!(code(bench.joined(ticket).error_code), ErrorCode::FencedInstanceId);
    let ticket = bench.ask(GroupAsk::Heartbeat(HeartbeatRequest {
        group_id: "g".to_owned(),
        generation_id: 1,
        member_id: ids[1].clone(),
        group_instance_id: Some("y".to_owned()),
    }));
    let Some(GroupAnswer::Heartbeat(response)) = bench.answers.get(&ticket) else { panic!() };
    assert_eq!(code(response.error_code), ErrorCode::FencedInstanceId);
    assert_eq!(bench.heartbeat(&new, 1), ErrorCode::None);
    let mut commit = commit_request(&ids[1], 1, 5);
    commit.group_instance_id = Some("y".to_owned());
    let ticket = bench.ask(GroupAsk::Commit(commit, requester(9)));
    assert_eq!(bench.committed(ticket), ErrorCode::FencedInstanceId);
}

#[test]
fn a_second_static_member_of_one_id_fences_the_join_that_waits() {
    let mut bench = Bench::new(GroupConfig::default());
    let first = bench.join_static("", "x", 9);
    let second = bench.join_static("", "x", 9);
    assert_eq!(code(bench.joined(first).error_code), ErrorCode::FencedInstanceId);
    bench.pass(9_000);
    assert_eq!(bench.joined(second).generation_id, 1);
    assert_eq!(bench.joined(second).members.len(), 1);
}

#[test]
fn static_members_stay_through_a_rebalance_they_miss() {
    let mut bench = Bench::new(GroupConfig::default());
    let ids = bench.stable_statics();
    let (third, _) = bench.enter();
    bench.join_static(&ids[0], "x", 9);
    // The other one is silent for the rebalance's 60 s, but its session lasts: heartbeats.
    for _ in 0..12 {
        bench.pass(4_999);
        bench.ask(GroupAsk::Heartbeat(HeartbeatRequest {
            group_id: "g".to_owned(),
            generation_id: 1,
            member_id: ids[1].clone(),
            group_instance_id: Some("y".to_owned()),
        }));
    }
    bench.pass(100);
    assert_eq!(bench.joined(third).generation_id, 2);
    let group = &bench.coordinator.groups["g"];
    assert_eq!(group.members.len(), 3, "the static one was kept");
}

#[test]
fn an_administrator_removes_a_static_member_by_its_instance_id() {
    let mut bench = Bench::new(GroupConfig::default());
    let ids = bench.stable_statics();
    assert_eq!(bench.leave("", Some("z")), ErrorCode::UnknownMemberId);
    assert_eq!(bench.leave(&ids[0], Some("y")), ErrorCode::FencedInstanceId);
    assert_eq!(bench.leave("", Some("y")), ErrorCode::None);
    assert_eq!(bench.state(), "PreparingRebalance");
}

#[test]
fn a_returning_static_member_that_changes_the_protocol_makes_a_rebalance() {
    let mut bench = Bench::new(GroupConfig::default());
    let ticket = bench.join_static("", "x", 9);
    bench.pass(9_000);
    let id = bench.joined(ticket).member_id.clone();
    bench.sync(&id, 1, std::slice::from_ref(&id));
    let mut request = join_request("", Some("x"));
    request.protocols = vec![protocol("sticky", b""), protocol("range", b"")];
    let ticket = bench.ask(GroupAsk::Join(Box::new(request), requester(9)));
    assert_eq!(bench.joined(ticket).generation_id, 2);
    assert_eq!(bench.joined(ticket).protocol_name.as_deref(), Some("sticky"));
}

//! What the ledger holds for wrong, and histories that look like it and are right.

use std::collections::BTreeSet;

use millrace_net::ErrorCode;

use super::{Epoch, Joins, Leads, Ledger, Mark, Shares, Speaks, Spot, Terms};
use crate::plan::MS;

const SPOT: Spot = Spot { topic: 0, partition: 0 };

fn ledger(may_be_classic: bool) -> Ledger {
    let mut ledger = Ledger::new(Terms {
        name: "g".to_owned(),
        is_durable: true,
        session_ms: 500,
        rebalance_ms: 500,
        is_mixed: false,
        may_be_classic,
        retention_ms: 60_000,
    });
    ledger.see_wall(0, 0);
    ledger
}

/// A member's first heartbeat is answered: it has the partition.
fn join(ledger: &mut Ledger, mark: Mark, id: &str, epoch: i32, at_ms: u64) {
    let told = BTreeSet::from([SPOT]);
    let none = BTreeSet::new();
    ledger.on_beat(mark, (id, id, epoch), Joins::Yes, Some(&told), &none, at_ms * MS);
}

/// The member commits offset 0, which is taken.
fn commit(ledger: &mut Ledger, id: &str, epoch: Epoch, at_ms: u64) {
    let number = ledger.on_commit_sent((SPOT, 0), (id, None), epoch, at_ms * MS);
    ledger.on_commit_answered(number, ErrorCode::None, at_ms * MS);
}

/// A look-up finds nothing.
fn look_up(ledger: &mut Ledger, at_ms: u64) {
    let mark = ledger.mark(at_ms * MS);
    ledger.on_offset(SPOT, (-1, ""), mark, at_ms * MS);
}

#[test]
fn an_offset_does_not_expire_while_a_member_subscribes_to_its_topic() {
    for subscribes in [false, true] {
        let mut ledger = ledger(false);
        let mark = ledger.mark(0);
        join(&mut ledger, mark, "m", 2, 1);
        if subscribes {
            ledger.on_subscribed(mark, "m", &BTreeSet::from([0]), MS);
        }
        commit(&mut ledger, "m", Epoch::Modern(2), 2);
        ledger.see_wall(3 * MS, 100_000);
        look_up(&mut ledger, 4);
        assert_eq!(ledger.violation().is_some(), subscribes);
        assert_eq!(ledger.forgotten_count, u64::from(!subscribes));
    }
}

#[test]
fn a_member_that_joins_again_behind_its_session_has_not_subscribed_all_the_while() {
    for (silent_ms, may_be_out) in [(300, false), (700, true)] {
        let mut ledger = ledger(true);
        let topics = BTreeSet::from([0]);
        let join = |ledger: &mut Ledger, generation: i32, at_ms: u64| {
            let mark = ledger.mark(at_ms * MS);
            ledger.on_joined(mark, generation, ("m", None), Leads::Broker, at_ms * MS);
            let spots = BTreeSet::from([SPOT]);
            ledger.on_synced(mark, generation, ("m", "m"), &spots, Leads::Broker, at_ms * MS);
            ledger.on_subscribed(mark, "m", &topics, at_ms * MS);
        };
        join(&mut ledger, 2, 1);
        commit(&mut ledger, "m", Epoch::Classic(2), 2);
        ledger.see_wall(3 * MS, 100_000);
        ledger.on_classic_sent("m", Some(&BTreeSet::new()), silent_ms * MS);
        join(&mut ledger, 4, silent_ms + 1);
        look_up(&mut ledger, silent_ms + 2);
        assert_eq!(ledger.violation().is_none(), may_be_out, "{:?}", ledger.violation());
    }
}

#[test]
fn an_offset_expires_from_when_a_classic_group_was_empty_though_the_clock_was_set_back() {
    for is_classic in [false, true] {
        let mut ledger = ledger(is_classic);
        commit(&mut ledger, "m", Epoch::Classic(1), 1);
        ledger.see_wall(1_000 * MS, -50_000);
        ledger.see_wall(2_000 * MS, 20_000);
        look_up(&mut ledger, 3_000);
        assert_eq!(ledger.violation().is_none(), is_classic);
    }
}

#[test]
fn an_offset_does_not_expire_by_what_the_clock_showed_before() {
    let mut ledger = ledger(true);
    ledger.see_wall(MS, 100_000);
    commit(&mut ledger, "m", Epoch::Classic(1), 2);
    ledger.see_wall(1_000 * MS, 0);
    look_up(&mut ledger, 2_000);
    assert!(ledger.violation().is_some());
}

#[test]
fn an_offset_may_have_expired_although_a_deletion_is_under_way_that_is_refused() {
    let mut ledger = ledger(false);
    commit(&mut ledger, "m", Epoch::Modern(2), 1);
    ledger.see_wall(2 * MS, 100_000);
    let mark = ledger.mark(3 * MS);
    let deletion = ledger.on_deletion_sent(SPOT, 4 * MS);
    ledger.on_offset(SPOT, (-1, ""), mark, 5 * MS);
    ledger.on_lone_answered(deletion, ErrorCode::GroupSubscribedToTopic, 6 * MS);
    look_up(&mut ledger, 7);
    assert_eq!(ledger.violation(), None);
}

#[test]
fn a_group_that_ends_begins_anew_and_nobody_may_be_in_it() {
    let mut ledger = ledger(false);
    let late = ledger.mark(0);
    ledger.on_ended(true, 600 * MS);
    let mark = ledger.mark(700 * MS);
    join(&mut ledger, mark, "b", 2, 701);
    // Of the group that was; the answer was long on its way.
    join(&mut ledger, late, "a", 2, 702);
    assert_eq!(ledger.violation(), None);
    let mark = ledger.mark(703 * MS);
    join(&mut ledger, mark, "c", 2, 704);
    assert!(ledger.violation().is_some_and(|it| it.contains("is told to c and to b")));

    let mut ledger = self::ledger(false);
    let mark = ledger.mark(0);
    join(&mut ledger, mark, "a", 2, 1);
    ledger.on_ended(true, 400 * MS);
    assert!(ledger.violation().is_some_and(|it| it.contains("it ends, and a is in it")));
}

#[test]
fn a_static_member_may_be_unknown_once_another_process_has_asked_for_its_place() {
    for claims in [false, true] {
        let mut ledger = ledger(true);
        if claims {
            ledger.on_claim_sent("i", Speaks::Classic);
        }
        let mark = ledger.mark(0);
        let spots = BTreeSet::from([SPOT]);
        let none = BTreeSet::new();
        ledger.on_beat(mark, ("m", "i", 2), Joins::Yes, Some(&spots), &none, MS);
        let mark = ledger.mark(2 * MS);
        ledger.on_beat_refused(mark, "m", ErrorCode::GroupIdNotFound, 3 * MS);
        assert_eq!(ledger.violation().is_none(), claims);
    }
}

#[test]
fn a_generation_goes_back_only_where_nobody_is_left() {
    for ends in [false, true] {
        let mut ledger = ledger(true);
        let mark = ledger.mark(0);
        let spots = BTreeSet::from([SPOT]);
        ledger.on_joined(mark, 2, ("a", None), Leads::Member, MS);
        ledger.on_synced(mark, 2, ("a", "a"), &spots, Leads::Broker, MS);
        if ends {
            ledger.on_gone("a");
            ledger.on_ended(false, 2 * MS);
        }
        let mark = ledger.mark(3 * MS);
        ledger.on_joined(mark, 1, ("b", None), Leads::Member, 4 * MS);
        assert_eq!(ledger.violation().is_none(), ends, "{:?}", ledger.violation());
    }
}

#[test]
fn who_had_a_partition_when_the_state_was_lost_may_commit_until_it_gives_it_up() {
    for (is_lost, gives_up) in [(false, false), (true, false), (true, true)] {
        let mut ledger = ledger(false);
        ledger.terms.is_durable = !is_lost;
        let mark = ledger.mark(0);
        join(&mut ledger, mark, "m", 4, 1);
        ledger.on_new_life(true, 2 * MS);
        if gives_up {
            ledger.on_beat_sent("m", Some(&BTreeSet::new()), 3 * MS);
        }
        // Long behind the session of the other one.
        let mark = ledger.mark(2_000 * MS);
        join(&mut ledger, mark, "n", 6, 2_001);
        commit(&mut ledger, "m", Epoch::Modern(6), 2_002);
        let is_right = is_lost && !gives_up;
        assert_eq!(ledger.violation().is_none(), is_right, "{:?}", ledger.violation());
    }
}

#[test]
fn who_comes_back_has_what_an_old_leader_gave_to_the_id_that_nobody_was_told() {
    let given = "i-9232c594-3061-4603-8051-4809d058e400";
    for (instance, is_right) in [("i", true), ("i-9232c594", false), ("k", false)] {
        let mut ledger = ledger(true);
        let mark = ledger.mark(0);
        let spots = BTreeSet::from([SPOT]);
        ledger.on_joined(mark, 1, ("leader", None), Leads::Member, MS);
        ledger.on_gave(1, Shares::from([(given.to_owned(), spots.clone())]));
        let id = format!("{instance}-6cac1e0c-ee58-4471-b1e6-f6383e94424b");
        let mark = ledger.mark(2 * MS);
        ledger.on_joined(mark, 1, (&id, Some(instance)), Leads::Member, 3 * MS);
        ledger.on_synced(mark, 1, (instance, &id), &spots, Leads::Member, 4 * MS);
        assert_eq!(ledger.violation().is_none(), is_right, "{:?}", ledger.violation());
    }
}

#[test]
fn who_goes_on_behind_a_loss_has_had_its_time_to_give_up_since_the_process_began() {
    for is_lost in [false, true] {
        let mut ledger = ledger(false);
        ledger.terms.is_durable = !is_lost;
        let mark = ledger.mark(0);
        join(&mut ledger, mark, "m", 4, 1);
        ledger.on_new_life(true, 100 * MS);
        let (none, owned) = (BTreeSet::new(), BTreeSet::from([SPOT]));
        for (at_ms, told) in [(200, Some(&none)), (550, None)] {
            let mark = ledger.mark(at_ms * MS);
            ledger.on_beat(mark, ("m", "m", 4), Joins::No, told, &owned, at_ms * MS);
        }
        let mark = ledger.mark(600 * MS);
        ledger.on_beat_refused(mark, "m", ErrorCode::UnknownMemberId, 610 * MS);
        assert_eq!(ledger.violation().is_none(), is_lost, "{:?}", ledger.violation());
    }
}

//! Limits are found as Kafka finds them, and use leads to Kafka's waits.

use super::EntityName::{Absent, Default as AnyOther, Named};
use super::*;

fn limit(units: f64) -> Limit {
    Limit::per_second(units).unwrap()
}

const CONFIG: WindowConfig = WindowConfig { samples: 11, sample_ms: 1000 };

#[test]
fn the_most_specific_of_eight_levels_wins() {
    let levels = [
        (Named("u"), Named("c")),
        (Named("u"), AnyOther),
        (Named("u"), Absent),
        (AnyOther, Named("c")),
        (AnyOther, AnyOther),
        (AnyOther, Absent),
        (Absent, Named("c")),
        (Absent, AnyOther),
    ];
    for first in 0..levels.len() {
        let mut rules = Rules::default();
        // Set backwards, so that the order of setting cannot decide.
        for (index, (user, client)) in levels.iter().enumerate().skip(first).rev() {
            rules.set(*user, *client, limit(f64::from(u32::try_from(index).unwrap() + 1)));
        }
        let expected = limit(f64::from(u32::try_from(first).unwrap() + 1));
        assert_eq!(rules.limit("u", "c"), Some(expected), "level {first}");
    }
    let mut rules = Rules::default();
    rules.set(Named("other"), Absent, limit(1.0));
    rules.set(Absent, Named("other"), limit(1.0));
    assert_eq!(rules.limit("u", "c"), None);
}

#[test]
fn a_limit_of_nothing_or_of_no_number_is_none() {
    assert_eq!(Limit::per_second(0.0), None);
    assert_eq!(Limit::per_second(-1.0), None);
    assert_eq!(Limit::per_second(f64::NAN), None);
    assert_eq!(Limit::per_second(1e-9), None);
    assert!(Limit::per_second(f64::INFINITY).is_some());
    assert_eq!(limit(1024.0).units_in(10_000), 10_240);
    assert_eq!(QuotaKind::Request.limit(1.5).unwrap().units_in(1000), 15_000_000, "ns");
}

#[test]
fn the_first_use_is_divided_by_all_whole_samples_but_one() {
    let mut rate = Rate::default();
    rate.record(&CONFIG, 5_000, 20_000);
    // 20,000 in 10 s are 2,000/s: (2,000 − 1,000) ÷ 1,000 × 10 s.
    assert_eq!(rate.throttle_ms(&CONFIG, 5_000, limit(1000.0)), 10_000);
    assert_eq!(rate.throttle_ms(&CONFIG, 5_000, limit(2000.0)), 0);
    assert_eq!(rate.throttle_ms(&CONFIG, 5_000, limit(1999.0)), 5);
}

#[test]
fn what_is_taken_back_was_never_used() {
    let mut rate = Rate::default();
    rate.record(&CONFIG, 0, 50_000);
    rate.record(&CONFIG, 10, -50_000);
    assert_eq!(rate.throttle_ms(&CONFIG, 20, limit(1.0)), 0);
}

#[test]
fn use_is_forgotten_after_the_window() {
    let mut rate = Rate::default();
    rate.record(&CONFIG, 0, 1_000_000);
    assert!(rate.throttle_ms(&CONFIG, 10_999, limit(10.0)) > 0);
    assert_eq!(rate.throttle_ms(&CONFIG, 11_000, limit(10.0)), 0);
    assert!(rate.is_idle(&CONFIG, 11_000));
}

/// A client that sends as fast as it may, and waits as it is told, gets what it is given.
#[test]
fn over_time_a_client_gets_its_limit() {
    for (limit_units, request) in
        [(1_000_000_u32, 16_384), (5_000, 100_000), (100_000_000, 1_000_000)]
    {
        let mut meters = Meters::new(CONFIG);
        let mut rules = Rules::default();
        rules.set(Absent, Named("c"), limit(f64::from(limit_units)));
        meters.set_rules(QuotaKind::Produce, rules);
        let (mut now_ms, mut used) = (0, 0_i64);
        let end_ms = 600_000;
        while now_ms < end_ms {
            used += request;
            now_ms += meters.charge(QuotaKind::Produce, ("u", "c"), now_ms, request).max(1);
        }
        let given = i64::from(limit_units) * i64::try_from(now_ms).unwrap() / 1000;
        assert!((95..106).contains(&(used * 100 / given)), "{limit_units}: {used} of {given}");
    }
}

#[test]
fn what_is_used_on_other_shards_counts_here() {
    let mut rules = Rules::default();
    rules.set(Absent, AnyOther, limit(1000.0));
    let shard = || {
        let mut meters = Meters::new(CONFIG);
        meters.set_rules(QuotaKind::Fetch, rules.clone());
        meters
    };
    let (mut here, mut there) = (shard(), shard());
    let client = ("u", "c");
    assert_eq!(here.charge(QuotaKind::Fetch, client, 0, 10_000), 0);
    assert_eq!(there.charge(QuotaKind::Fetch, client, 0, 5_000), 0);
    let news = here.take_news();
    assert!(!here.has_news() && here.take_news().is_empty(), "told once");
    there.on_news(0, &news);
    assert_eq!(there.charge(QuotaKind::Fetch, client, 0, 0), 5_000, "15,000 of 10,000");
    assert_eq!(there.charge(QuotaKind::Fetch, ("u", "other"), 0, 1), 0, "each by itself");
    assert_eq!(there.take_news().len(), 2, "what came from elsewhere is not told again");
}

#[test]
fn users_share_and_default_clients_do_not() {
    let mut rules = Rules::default();
    rules.set(Named("u"), Absent, limit(1000.0));
    let mut meters = Meters::new(CONFIG);
    meters.set_rules(QuotaKind::Produce, rules);
    assert_eq!(meters.charge(QuotaKind::Produce, ("u", "a"), 0, 10_000), 0);
    assert!(meters.charge(QuotaKind::Produce, ("u", "b"), 0, 10_000) > 0);
    assert_eq!(meters.charge(QuotaKind::Produce, ("v", "a"), 0, 1 << 40), 0, "held to nothing");
    assert_eq!(meters.charge(QuotaKind::Fetch, ("u", "a"), 0, 1 << 40), 0, "another kind");
    assert_eq!(meters.len(), 1);
}

#[test]
fn meters_are_bounded_and_those_without_one_share() {
    let mut rules = Rules::default();
    rules.set(Absent, AnyOther, limit(1000.0));
    let mut meters = Meters::new(CONFIG);
    meters.set_rules(QuotaKind::Produce, rules);
    for index in 0..METERS_MAX {
        let name = format!("client-{index}");
        assert_eq!(meters.charge(QuotaKind::Produce, ("u", &name), 0, 10), 0);
    }
    assert_eq!(meters.charge(QuotaKind::Produce, ("u", "late"), 0, 10_000), 0);
    assert!(meters.charge(QuotaKind::Produce, ("u", "later"), 0, 10_000) > 0);
    assert_eq!(meters.len(), METERS_MAX + 1);
    meters.take_news();
    meters.sweep(20_000);
    assert_eq!(meters.len(), METERS_MAX + 1, "nobody has seen yet what was used");
    assert_eq!(meters.take_spent().len(), METERS_MAX, "what is shared is nobody's");
    meters.sweep(20_000);
    assert!(meters.is_empty());
}

#[test]
fn what_is_told_to_whoever_watches_is_what_was_used_here_and_waited_for() {
    let mut rules = Rules::default();
    rules.set(Named("u"), Absent, limit(1000.0));
    rules.set(Absent, AnyOther, limit(1000.0));
    let mut meters = Meters::new(CONFIG);
    meters.set_rules(QuotaKind::Fetch, rules);
    let kind = QuotaKind::Fetch;
    meters.charge(kind, ("u", "a"), 0, 11_000);
    let wait_ms = meters.charge(kind, ("u", "b"), 0, 500);
    meters.note_wait(kind, ("u", "b"), wait_ms);
    // Too much, so it is not sent, and was never used.
    meters.charge(kind, ("v", "b"), 0, 700);
    meters.charge(kind, ("v", "b"), 0, -700);
    meters.on_news(0, &[Usage { kind, meter: "\nelsewhere".into(), amount: 9 }]);
    let holder = Holder { kind, user: "u".into(), client: Box::default() };
    let spent = Spent { used: 11_500, waits: 1, wait_ms: 1_500 };
    assert_eq!(meters.take_spent(), [(holder, spent)]);
    assert_eq!(meters.take_spent(), [], "told once");
    meters.charge(kind, ("v", "b\n"), 0, 3);
    let holder = Holder { kind, user: Box::default(), client: "b\n".into() };
    assert_eq!(meters.take_spent(), [(holder, Spent { used: 3, ..Spent::default() })]);
}

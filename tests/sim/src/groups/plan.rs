//! What a seed means for the groups: topics, groups, members, and what befalls them.

use std::collections::{BTreeSet, VecDeque};

use millrace_world::Rng;

use super::classic::{Classic, Versions};
use super::ledger::Terms;
use super::member::{self, Protocol, Subscription, Trouble};
use super::modern::Modern;
use super::writer::Task;
use crate::plan::MS;

/// Most topics of the groups.
const TOPICS: usize = 3;
/// Until when members have troubles, ns; most storms end before.
const TROUBLES_NS: u64 = 6_000 * MS;

/// Everything that is decided before the run begins.
#[derive(Debug)]
pub struct Habits {
    pub(super) topics: Vec<String>,
    pub(super) tasks: Vec<(u64, Task)>,
    pub(super) terms: Vec<Terms>,
    /// With the index of the group.
    pub(super) members: Vec<(usize, member::Habits, Protocol)>,
    pub(super) pause_max: u64,
    /// Settings of the broker.
    pub settings: Vec<(&'static str, String)>,
}

/// What the whole group has in common.
struct Common {
    name: String,
    is_classic: bool,
    session_ms: u64,
    rebalance_ms: u64,
    /// Topics there may be.
    topics: usize,
}

impl Habits {
    /// Those of a seed; a part of the seeds has groups.
    pub fn of_seed(seed: u64) -> Option<Self> {
        let mut rng = Rng::new(seed ^ 0x6772_6F75_7073);
        let rng = &mut rng;
        if rng.chance(400) {
            return None;
        }
        let count = 1 + rng.index(TOPICS);
        let topics: Vec<String> = (0..count).map(|it| format!("group-topic-{it}")).collect();
        let is_durable = rng.chance(500);
        let session_ms = rng.between(100, 1_000);
        let beat_ms = rng.between(10, session_ms / 3);
        let mut terms = Vec::new();
        let mut members = Vec::new();
        for group in 0..=rng.index(2) {
            let is_classic = rng.chance(500);
            let common = Common {
                name: format!("group-{group}"),
                is_classic,
                session_ms: if is_classic { rng.between(100, 1_000) } else { session_ms },
                rebalance_ms: rng.between(100, 1_000),
                topics: count,
            };
            let own_beat_ms = rng.between(10, common.session_ms / 3);
            let beat_ms = if is_classic { own_beat_ms } else { beat_ms };
            members.extend(
                group_members(rng, &common, beat_ms)
                    .into_iter()
                    .map(|(habits, protocol)| (group, habits, protocol)),
            );
            terms.push(Terms {
                name: common.name,
                is_durable,
                session_ms: common.session_ms,
                rebalance_ms: common.rebalance_ms,
            });
        }
        Some(Self {
            tasks: tasks(rng, count),
            topics,
            terms,
            members,
            pause_max: rng.between(1, 40) * MS,
            settings: settings(rng, is_durable, session_ms, beat_ms),
        })
    }
}

fn settings(
    rng: &mut Rng,
    is_durable: bool,
    session_ms: u64,
    beat_ms: u64,
) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("offsets.topic.num.partitions", rng.between(1, 4).to_string()),
        ("group.min.session.timeout.ms", "10".to_owned()),
        ("group.initial.rebalance.delay.ms", [0, 50, 300][rng.index(3)].to_string()),
        ("group.consumer.min.session.timeout.ms", "10".to_owned()),
        ("group.consumer.session.timeout.ms", session_ms.to_string()),
        ("group.consumer.min.heartbeat.interval.ms", "1".to_owned()),
        ("group.consumer.heartbeat.interval.ms", beat_ms.to_string()),
        ("group.consumer.assignment.interval.ms", [0, 0, 100, 1000][rng.index(4)].to_string()),
    ];
    if is_durable {
        settings.push(("millrace.durability", "group-commit".to_owned()));
    }
    if rng.chance(700) {
        // The offsets topic rolls often and is compacted again and again while groups run.
        settings.push(("log.roll.ms", rng.between(100, 2_000).to_string()));
        settings.push(("log.cleaner.min.cleanable.ratio", ["0", "0.3"][rng.index(2)].to_owned()));
        if rng.chance(600) {
            settings.push(("log.cleaner.delete.retention.ms", "0".to_owned()));
        }
    }
    settings
}

/// What happens to the topics: the first one is there from the beginning.
fn tasks(rng: &mut Rng, count: usize) -> Vec<(u64, Task)> {
    let mut tasks = Vec::new();
    for topic in 0..count {
        let at = if topic == 0 || rng.chance(500) { 0 } else { rng.below(TROUBLES_NS) };
        let partitions = 1 + rng.index(4);
        tasks.push((at, Task::Create(topic, partitions)));
        if rng.chance(400) {
            let later = at + rng.between(100, 3_000) * MS;
            tasks.push((later, Task::Grow(topic, partitions + 1 + rng.index(2))));
        }
    }
    // A topic is created before it grows: its times are in that order.
    tasks.sort_by_key(|&(at, _)| at);
    tasks
}

fn group_members(rng: &mut Rng, common: &Common, beat_ms: u64) -> Vec<(member::Habits, Protocol)> {
    let count = [1, 2, 2, 3, 3, 4][rng.index(6)];
    let is_static = rng.chance(350);
    let has_twins = is_static && rng.chance(400);
    let mut members = Vec::new();
    for number in 0..count {
        // Two of one name: the second takes the first one's place.
        let named = if has_twins && number == 1 { 0 } else { number };
        let instance = (is_static && rng.chance(900)).then(|| format!("instance-{named}"));
        let version = i16::from(rng.chance(700));
        let habits = member::Habits {
            group_id: common.name.clone(),
            subscription: subscription(rng, common, version),
            starts: rng.below(if number == 0 { 200 } else { 1_000 }) * MS,
            troubles: troubles(rng, common, version),
            session_ms: common.session_ms,
            rebalance_ms: common.rebalance_ms,
            beat_ms,
            commit_ms: [5, 50, 400][rng.index(3)],
            fetch_bytes: [200, 2_000, 100_000][rng.index(3)],
            is_lazy: rng.chance(500),
            offset_versions: offset_versions(rng, common, instance.is_some()),
            instance,
        };
        let protocol = if common.is_classic {
            let versions = Versions::random(rng, habits.instance.is_some());
            Protocol::Classic(Classic::new(versions))
        } else {
            // Some take longer than they may.
            let revoke_ms = [0, 20, common.rebalance_ms * 5 / 4][rng.index(3)];
            let assignor = [None, Some("uniform"), Some("range")][rng.index(3)];
            Protocol::Modern(Modern::new(version, revoke_ms, assignor.map(str::to_owned)))
        };
        members.push((habits, protocol));
    }
    members
}

fn offset_versions(rng: &mut Rng, common: &Common, is_static: bool) -> (i16, i16) {
    let (commit_min, fetch_min) = match (common.is_classic, is_static) {
        (true, false) => (2, 1),
        (true, true) => (7, 1),
        (false, _) => (9, 9),
    };
    let mut pick = |min| i16::try_from(rng.between(min, 10)).expect("small");
    (pick(commit_min), pick(fetch_min))
}

fn subscription(rng: &mut Rng, common: &Common, version: i16) -> Subscription {
    // Version 0 has no expressions.
    if !common.is_classic && version >= 1 && rng.chance(250) {
        return Subscription::Everything;
    }
    let mut topics: BTreeSet<usize> = (0..common.topics).filter(|_| rng.chance(700)).collect();
    if topics.is_empty() {
        topics.insert(rng.index(common.topics));
    }
    Subscription::Topics(topics)
}

fn troubles(rng: &mut Rng, common: &Common, version: i16) -> VecDeque<(u64, Trouble)> {
    let mut troubles = Vec::new();
    for _ in 0..rng.index(5) {
        let at = rng.below(TROUBLES_NS);
        // About the time that a session lasts.
        let ms = rng.between(1, 3 * common.session_ms);
        let trouble = match rng.below(12) {
            0 | 1 => Trouble::Crash(ms),
            2 | 3 => Trouble::Vanish(ms),
            4..=6 => Trouble::Stall(ms),
            7 | 8 => Trouble::Leave(ms),
            9 => Trouble::Resubscribe(subscription(rng, common, version)),
            _ => Trouble::Reset,
        };
        troubles.push((at, trouble));
    }
    troubles.sort_by_key(|&(at, _)| at);
    troubles.into()
}

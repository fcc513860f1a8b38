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
    /// With the index of the group, and the protocol that each may go over to.
    pub(super) members: Vec<(usize, member::Habits, Protocols)>,
    /// Partitions of the offsets topic.
    pub(super) partitions: u64,
    /// Whether somebody deletes offsets and groups.
    pub(super) erases: bool,
    pub(super) pause_max: u64,
    /// Bytes by which a coordinator's log grows before a snapshot is taken.
    pub snapshot_bytes: u64,
    /// Settings of the broker.
    pub settings: Vec<(&'static str, String)>,
}

/// The protocol that a member speaks first, and the other one if it may change.
pub(super) type Protocols = (Protocol, Option<Protocol>);

/// What protocols the members of a group speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Classic,
    Modern,
    /// Either, and they change it.
    Mixed,
}

/// What the whole group has in common.
struct Common {
    name: String,
    kind: Kind,
    session_ms: u64,
    rebalance_ms: u64,
    /// Topics there may be.
    topics: usize,
    /// One of them is deleted and created anew.
    recreates: bool,
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
        let mut topics: Vec<String> = (0..count).map(|it| format!("group-topic-{it}")).collect();
        // Requests of the classic protocol tell topics of one name not apart: where they are spoken a
        // topic's name does not come back.
        let recreates = rng.chance(250);
        let is_durable = rng.chance(500);
        let session_ms = rng.between(100, 1_000);
        let beat_ms = rng.between(10, session_ms / 3);
        // The clock jumps by up to an hour, and otherwise a run takes some seconds.
        let retention_minutes = [1, 1, 20, 10_080][rng.index(4)];
        let mut terms = Vec::new();
        let mut members = Vec::new();
        for group in 0..=rng.index(2) {
            let kind = [Kind::Classic, Kind::Modern, Kind::Mixed][rng.index(3)];
            let kind = if recreates { Kind::Modern } else { kind };
            let own_session_ms = rng.between(100, 1_000);
            let common = Common {
                name: format!("group-{group}"),
                kind,
                session_ms: if kind == Kind::Classic { own_session_ms } else { session_ms },
                rebalance_ms: rng.between(100, 1_000),
                topics: count,
                recreates,
            };
            let own_beat_ms = rng.between(10, common.session_ms / 3);
            let beat_ms = if kind == Kind::Classic { own_beat_ms } else { beat_ms };
            members.extend(
                group_members(rng, &common, beat_ms)
                    .into_iter()
                    .map(|(habits, protocols)| (group, habits, protocols)),
            );
            terms.push(Terms {
                name: common.name,
                is_durable,
                session_ms: common.session_ms,
                rebalance_ms: common.rebalance_ms,
                is_mixed: kind == Kind::Mixed,
                may_be_classic: kind != Kind::Modern,
                retention_ms: retention_minutes * 60_000,
            });
        }
        let erases = rng.chance(500);
        if erases {
            // One without members, for whoever deletes.
            terms.push(Terms {
                name: format!("group-{}", terms.len()),
                is_durable,
                session_ms,
                rebalance_ms: session_ms,
                is_mixed: false,
                may_be_classic: false,
                retention_ms: retention_minutes * 60_000,
            });
        }
        let partitions = rng.between(1, 4);
        let mut settings = settings(rng, is_durable, session_ms, beat_ms);
        settings.push(("offsets.topic.num.partitions", partitions.to_string()));
        settings.push(("offsets.retention.minutes", retention_minutes.to_string()));
        let check_ms = rng.between(20, 1_000).to_string();
        settings.push(("offsets.retention.check.interval.ms", check_ms));
        let mut tasks = tasks(rng, count);
        // A draw of its own: what seeds meant before they still mean.
        let mut draw = Rng::new(seed ^ 0x6772_6F75_7033);
        if recreates {
            recreate(rng, &mut tasks, &mut topics);
        } else if count > 1 && draw.chance(300) {
            delete(&mut draw, &mut tasks, count);
        }
        Some(Self {
            tasks,
            topics,
            terms,
            members,
            pause_max: rng.between(1, 40) * MS,
            partitions,
            erases,
            snapshot_bytes: [1, 500, 5_000, 50_000][rng.index(4)],
            settings,
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
        if rng.chance(300) {
            settings.push(("log.cleaner.delete.retention.ms", "0".to_owned()));
        }
    }
    settings
}

/// One of the topics is deleted when it has grown, if it does, and another one gets its name.
fn recreate(rng: &mut Rng, tasks: &mut Vec<(u64, Task)>, topics: &mut Vec<String>) {
    let (old, at) = delete(rng, tasks, topics.len());
    let new = topics.len();
    topics.push(topics[old].clone());
    tasks.push((at + rng.below(500) * MS, Task::Create(new, 1 + rng.index(4))));
    tasks.sort_by_key(|&(at, _)| at);
}

/// One of the topics is deleted when it has grown, if it does. Returns which, and when, ns.
fn delete(rng: &mut Rng, tasks: &mut Vec<(u64, Task)>, count: usize) -> (usize, u64) {
    let old = rng.index(count);
    let is_its =
        |task: &Task| matches!(task, Task::Create(it, _) | Task::Grow(it, _) if *it == old);
    let its = tasks.iter().filter(|(_, task)| is_its(task)).map(|(at, _)| *at);
    let at = its.max().unwrap_or(0) + rng.between(200, 4_000) * MS;
    tasks.push((at, Task::Delete(old)));
    tasks.sort_by_key(|&(at, _)| at);
    (old, at)
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

fn group_members(rng: &mut Rng, common: &Common, beat_ms: u64) -> Vec<(member::Habits, Protocols)> {
    let count = [1, 2, 2, 3, 3, 4][rng.index(6)];
    let is_static = rng.chance(350);
    let has_twins = is_static && common.kind != Kind::Mixed && rng.chance(400);
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
        let versions = Versions::random(rng, habits.instance.is_some());
        let classic = Protocol::Classic(Classic::new(versions));
        // Some take longer than they may.
        let revoke_ms = [0, 20, common.rebalance_ms * 5 / 4][rng.index(3)];
        let assignor = [None, Some("uniform"), Some("range")][rng.index(3)];
        let assignor = assignor.map(str::to_owned);
        let modern = Protocol::Modern(Modern::new(version, revoke_ms, assignor));
        let protocols = match common.kind {
            Kind::Classic => (classic, None),
            Kind::Modern => (modern, None),
            Kind::Mixed if rng.chance(500) => (classic, Some(modern)),
            Kind::Mixed => (modern, Some(classic)),
        };
        members.push((habits, protocols));
    }
    members
}

fn offset_versions(rng: &mut Rng, common: &Common, is_static: bool) -> (i16, i16) {
    if common.recreates {
        // Those that name topics by their ids.
        return (10, 10);
    }
    let (commit_min, fetch_min) = match (common.kind, is_static) {
        (Kind::Classic | Kind::Mixed, false) => (2, 1),
        (Kind::Classic | Kind::Mixed, true) => (7, 1),
        (Kind::Modern, _) => (9, 9),
    };
    let mut pick = |min| i16::try_from(rng.between(min, 10)).expect("small");
    (pick(commit_min), pick(fetch_min))
}

fn subscription(rng: &mut Rng, common: &Common, version: i16) -> Subscription {
    // Version 0 has no expressions.
    if common.kind != Kind::Classic && version >= 1 && rng.chance(250) {
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
    let is_mixed = common.kind == Kind::Mixed;
    for _ in 0..rng.index(if is_mixed { 8 } else { 6 }) {
        let at = rng.below(TROUBLES_NS);
        // About the time that a session lasts.
        let ms = rng.between(1, 3 * common.session_ms);
        let trouble = match rng.below(12) {
            0 | 1 => Trouble::Crash(ms),
            2 | 3 => Trouble::Vanish(ms),
            4..=6 => Trouble::Stall(ms),
            7..=10 if is_mixed => Trouble::Convert(ms),
            7 | 8 => Trouble::Leave(ms),
            9 => Trouble::Resubscribe(subscription(rng, common, version)),
            _ => Trouble::Reset,
        };
        troubles.push((at, trouble));
    }
    troubles.sort_by_key(|&(at, _)| at);
    troubles.into()
}

//! The assignors of consumer groups: who is to hold which partition. Pure functions of who
//! subscribes to what and who holds what.
//!
//! - `uniform`: as many partitions to one as to another, and as few of them moved as that allows.
//! - `range`: of each topic a range to each of its members, in the order of the members; topics
//!   with the same members and counts are cut at the same places.
//!
//! Every partition of a subscribed topic goes to exactly one member. Source: KIP-848.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace_wire::Uuid;

use super::member::Target;

/// One of the assignors that Kafka has built in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignor {
    /// Even loads, few moves.
    Uniform,
    /// Ranges of each topic.
    Range,
}

impl Assignor {
    /// The one of a name; none if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "uniform" => Some(Self::Uniform),
            "range" => Some(Self::Range),
            _ => None,
        }
    }

    /// Kafka's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }
}

/// A member, as an assignor sees it.
#[derive(Clone, Debug)]
pub(crate) struct Subscriber<'a> {
    /// Set for a static member.
    pub instance: Option<&'a str>,
    /// Topics that exist.
    pub topics: BTreeSet<Uuid>,
    /// What it is to hold so far.
    pub target: Option<&'a Target>,
}

/// Members by their ids.
pub(crate) type Subscribers<'a> = BTreeMap<Arc<str>, Subscriber<'a>>;

/// Partition counts of topics.
pub(crate) type Counts = BTreeMap<Uuid, i32>;

/// What each member is to hold. `counts` knows every topic that somebody subscribes to.
pub(crate) fn assign(
    assignor: Assignor,
    members: &Subscribers<'_>,
    counts: &Counts,
) -> BTreeMap<Arc<str>, Target> {
    let mut targets: BTreeMap<Arc<str>, Target> =
        members.keys().map(|id| (Arc::clone(id), Target::new())).collect();
    match assignor {
        Assignor::Range => range(members, counts, &mut targets),
        Assignor::Uniform => {
            let mut subscriptions = members.values().map(|member| &member.topics);
            let first = subscriptions.next();
            if subscriptions.all(|topics| Some(topics) == first) {
                uniform_alike(members, counts, &mut targets);
            } else {
                uniform_unlike(members, counts, &mut targets);
            }
        }
    }
    targets
}

type Targets = BTreeMap<Arc<str>, Target>;

fn range(members: &Subscribers<'_>, counts: &Counts, targets: &mut Targets) {
    // Static members first, by their instance ids: their ranges outlive their member ids.
    let mut order: Vec<(&Arc<str>, &Subscriber<'_>)> = members.iter().collect();
    order.sort_by_key(|(id, member)| (member.instance.is_none(), member.instance, Arc::clone(id)));
    for (topic, count) in counts {
        let takers: Vec<&Arc<str>> = order
            .iter()
            .filter(|(_, member)| member.topics.contains(topic))
            .map(|(id, _)| *id)
            .collect();
        let Ok(takers_count) = i32::try_from(takers.len()) else { continue };
        if takers_count == 0 {
            continue;
        }
        let (each, extra) = (count / takers_count, count % takers_count);
        let mut next = 0;
        for (id, at) in takers.into_iter().zip(0..) {
            let end = next + each + i32::from(at < extra);
            if end > next
                && let Some(target) = targets.get_mut(id)
            {
                target.insert(*topic, (next..end).collect());
            }
            next = end;
        }
    }
}

/// All members subscribe to the same topics.
fn uniform_alike(members: &Subscribers<'_>, counts: &Counts, targets: &mut Targets) {
    let Some(subscribed) = members.values().next().map(|member| &member.topics) else { return };
    let counts: Counts = counts
        .iter()
        .filter(|(topic, _)| subscribed.contains(topic))
        .map(|(topic, count)| (*topic, *count))
        .collect();
    let total: usize = counts.values().map(|count| usize::try_from(*count).unwrap_or(0)).sum();
    let (quota, mut extra) = (total / members.len(), total % members.len());
    let mut free = all_partitions(&counts);
    let mut loads: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
    // First everybody keeps what it has, up to an even share; one more while there are extras.
    for (id, member) in members {
        let kept = member.target.into_iter().flatten();
        let mut load = 0;
        for (topic, partition) in kept.flat_map(|(topic, it)| it.iter().map(|it| (*topic, *it))) {
            if load > quota || (load == quota && extra == 0) {
                break;
            }
            if free.remove(&(topic, partition)) {
                extra -= usize::from(load == quota);
                load += 1;
                give(targets, id, topic, partition);
            }
        }
        loads.insert(id, load);
    }
    let mut free = free.into_iter();
    for (id, load) in loads {
        let share = if load > quota {
            load
        } else {
            let one_more = usize::from(extra > 0);
            extra -= one_more;
            quota + one_more
        };
        for (topic, partition) in free.by_ref().take(share - load) {
            give(targets, id, topic, partition);
        }
    }
}

/// Members subscribe to different topics.
fn uniform_unlike(members: &Subscribers<'_>, counts: &Counts, targets: &mut Targets) {
    let mut takers: BTreeMap<Uuid, Vec<&Arc<str>>> = BTreeMap::new();
    for (id, member) in members {
        for topic in &member.topics {
            takers.entry(*topic).or_default().push(id);
        }
    }
    let mut free = all_partitions(counts);
    let mut loads: BTreeMap<&Arc<str>, usize> = members.keys().map(|id| (id, 0)).collect();
    for (id, member) in members {
        for (topic, partitions) in member.target.into_iter().flatten() {
            for partition in partitions {
                if member.topics.contains(topic) && free.remove(&(*topic, *partition)) {
                    give(targets, id, *topic, *partition);
                    *loads.entry(id).or_default() += 1;
                }
            }
        }
    }
    // Topics with few takers first: they have the least choice.
    let mut free: Vec<(Uuid, i32)> = free.into_iter().collect();
    free.sort_by_key(|(topic, partition)| {
        (takers.get(topic).map_or(0, Vec::len), *topic, *partition)
    });
    for (topic, partition) in free {
        let least = takers.get(&topic).into_iter().flatten().min_by_key(|id| loads.get(**id));
        let Some(id) = least else { continue };
        give(targets, id, topic, partition);
        *loads.entry(*id).or_default() += 1;
    }
    balance(&takers, &mut loads, targets);
}

/// Moves partitions from who has two more to who has less, until nothing moves. Every move makes
/// the sum of the squares of the loads smaller, so it ends.
fn balance<'a>(
    takers: &BTreeMap<Uuid, Vec<&'a Arc<str>>>,
    loads: &mut BTreeMap<&'a Arc<str>, usize>,
    targets: &mut Targets,
) {
    let mut moved = true;
    while moved {
        moved = false;
        for (topic, ids) in takers {
            loop {
                let has_topic = |id: &&Arc<str>| {
                    targets.get(*id).is_some_and(|target| target.contains_key(topic))
                };
                let from = ids
                    .iter()
                    .copied()
                    .filter(has_topic)
                    .max_by_key(|id| loads.get(id).copied().unwrap_or(0));
                let to = ids.iter().copied().min_by_key(|id| loads.get(id).copied().unwrap_or(0));
                let (Some(from), Some(to)) = (from, to) else { break };
                let load = |id| loads.get(id).copied().unwrap_or(0);
                if load(from) < load(to) + 2 {
                    break;
                }
                let Some(partition) = take(targets, from, *topic) else { break };
                give(targets, to, *topic, partition);
                *loads.entry(from).or_default() -= 1;
                *loads.entry(to).or_default() += 1;
                moved = true;
            }
        }
    }
}

fn all_partitions(counts: &Counts) -> BTreeSet<(Uuid, i32)> {
    let each = counts.iter();
    each.flat_map(|(topic, count)| (0..*count).map(move |index| (*topic, index))).collect()
}

fn give(targets: &mut Targets, id: &Arc<str>, topic: Uuid, partition: i32) {
    if let Some(target) = targets.get_mut(id) {
        target.entry(topic).or_default().insert(partition);
    }
}

fn take(targets: &mut Targets, id: &Arc<str>, topic: Uuid) -> Option<i32> {
    let target = targets.get_mut(id)?;
    let partitions = target.get_mut(&topic)?;
    let last = partitions.pop_last();
    if partitions.is_empty() {
        target.remove(&topic);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::random::Random;

    /// Members' loads, after checking that every partition somebody wants has one holder.
    fn checked(members: &Subscribers<'_>, counts: &Counts, targets: &Targets) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        for (id, target) in targets {
            for (topic, partitions) in target {
                assert!(members[id].topics.contains(topic), "{id} does not subscribe to {topic}");
                for partition in partitions {
                    assert!(seen.insert((*topic, *partition)), "two hold {topic}-{partition}");
                }
            }
        }
        let wanted: BTreeSet<(Uuid, i32)> = all_partitions(counts)
            .into_iter()
            .filter(|(topic, _)| members.values().any(|member| member.topics.contains(topic)))
            .collect();
        assert_eq!(seen, wanted);
        targets.values().map(|target| target.values().map(BTreeSet::len).sum()).collect()
    }

    fn subscriber<'a>(topics: &[u128], target: Option<&'a Target>) -> Subscriber<'a> {
        Subscriber { instance: None, topics: topics.iter().map(|it| Uuid(*it)).collect(), target }
    }

    #[test]
    fn uniform_shares_evenly_and_a_newcomer_moves_only_its_share() {
        let counts: Counts = [(Uuid(1), 5), (Uuid(2), 3)].into();
        let ids: Vec<Arc<str>> = ["a", "b", "c"].map(Arc::from).to_vec();
        let mut members = Subscribers::new();
        members.insert(Arc::clone(&ids[0]), subscriber(&[1, 2], None));
        let alone = assign(Assignor::Uniform, &members, &counts);
        assert_eq!(checked(&members, &counts, &alone), [8]);
        members.insert(Arc::clone(&ids[0]), subscriber(&[1, 2], alone.get("a")));
        members.insert(Arc::clone(&ids[1]), subscriber(&[1, 2], None));
        let two = assign(Assignor::Uniform, &members, &counts);
        assert_eq!(checked(&members, &counts, &two), [4, 4]);
        members.insert(Arc::clone(&ids[0]), subscriber(&[1, 2], two.get("a")));
        members.insert(Arc::clone(&ids[1]), subscriber(&[1, 2], two.get("b")));
        members.insert(Arc::clone(&ids[2]), subscriber(&[1, 2], None));
        let three = assign(Assignor::Uniform, &members, &counts);
        let loads = checked(&members, &counts, &three);
        assert_eq!(loads, [3, 3, 2]);
        for id in &ids[..2] {
            for (topic, partitions) in &three[id] {
                assert!(partitions.is_subset(&two[id][topic]), "{id} got more than it kept");
            }
        }
    }

    #[test]
    fn more_members_than_partitions_leave_some_without() {
        let counts: Counts = [(Uuid(1), 2)].into();
        let members: Subscribers<'_> =
            ["a", "b", "c"].map(|id| (Arc::from(id), subscriber(&[1], None))).into();
        for assignor in [Assignor::Uniform, Assignor::Range] {
            let targets = assign(assignor, &members, &counts);
            assert_eq!(checked(&members, &counts, &targets), [1, 1, 0], "{assignor:?}");
        }
    }

    #[test]
    fn ranges_of_topics_with_the_same_members_are_cut_at_the_same_places() {
        let counts: Counts = [(Uuid(1), 5), (Uuid(2), 5)].into();
        let mut members: Subscribers<'_> =
            ["b", "c"].map(|id| (Arc::from(id), subscriber(&[1, 2], None))).into();
        members.insert(
            Arc::from("z"),
            Subscriber { instance: Some("i"), ..subscriber(&[1, 2], None) },
        );
        let targets = assign(Assignor::Range, &members, &counts);
        checked(&members, &counts, &targets);
        assert_eq!(targets["z"][&Uuid(1)], BTreeSet::from([0, 1]), "static members come first");
        for target in targets.values() {
            assert_eq!(target.get(&Uuid(1)), target.get(&Uuid(2)));
        }
    }

    #[test]
    fn random_subscriptions_are_covered_and_what_can_be_balanced_is() {
        let mut random = Random::new(3);
        for round in 0..300 {
            let topics = 1 + random.u32() % 6;
            let counts: Counts = (0..topics)
                .map(|topic| (Uuid(u128::from(topic)), i32::try_from(random.u32() % 9).expect("9")))
                .collect();
            let mut targets = Targets::new();
            for _ in 0..4 {
                let before = std::mem::take(&mut targets);
                let members: Subscribers<'_> = (0..=random.u32() % 7)
                    .map(|id| {
                        let id: Arc<str> = Arc::from(format!("m{id}"));
                        let wanted = (0..topics).filter(|_| random.u32().is_multiple_of(2));
                        let wanted: Vec<u128> = wanted.map(u128::from).collect();
                        let member = subscriber(&wanted, before.get(&id));
                        (id, member)
                    })
                    .collect();
                checked(&members, &counts, &assign(Assignor::Range, &members, &counts));
                targets = assign(Assignor::Uniform, &members, &counts);
                checked(&members, &counts, &targets);
                let load = |id: &Arc<str>| targets[id].values().map(BTreeSet::len).sum::<usize>();
                for (from, target) in &targets {
                    for topic in target.keys() {
                        let takers = members.iter().filter(|(_, it)| it.topics.contains(topic));
                        let least = takers.map(|(id, _)| load(id)).min().unwrap_or(0);
                        assert!(load(from) <= least + 1, "round {round}: {from} could give");
                    }
                }
            }
        }
    }
}

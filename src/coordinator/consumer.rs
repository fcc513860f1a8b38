//! A consumer group (KIP-848): members, their target, what they hold. Nothing changes here but by
//! replaying records; what a request asks for is decided as records by the files below.
//!
//! ```text
//!   subscription, topics ──▶ group epoch ──▶ target assignment (its epoch) ──▶ each member
//!     change: epoch + 1        assignor, at most once per interval     reconcile, one at a time
//! ```
//!
//! - `heartbeat.rs`: a member's request becomes records. `reconcile.rs`: one step of one member.
//! - `assignor.rs`: who is to hold what. `pattern.rs`: regular expressions.
//! - `classic.rs`: members that speak the classic protocol. `convert.rs`: whole groups that change
//!   protocols. `lives.rs`: how a coordinator runs all this, one change of a group at a time.
//!
//! Invariant (`verify`): a partition has at most one holder.

pub(crate) mod assignor;
mod classic;
mod convert;
mod describe;
mod heartbeat;
mod leave;
mod lives;
mod member;
pub(crate) mod pattern;
mod reconcile;
pub(crate) mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::sync::Arc;

use millrace_io::Mono;
use millrace_replication::Image;
use millrace_wire::Uuid;

pub(crate) use lives::{After, Line, Outcome, TimerChange, Work};
pub(crate) use member::{ConsumerMember, EPOCH_AWAY, EPOCH_LEFT, Held, MemberState, Target};
pub(crate) use pattern::is_valid as is_pattern;

use super::context::{Context, Timer};
use member::{target_of, target_record};
use record::{ConsumerRecord, EpochValue, RegexValue, TargetEpochValue, TopicsValue};

/// The epoch in which a group begins: nothing is assigned in it.
pub(crate) const EPOCH_FIRST: i32 = 1;

/// What has a deadline for one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MemberTimer {
    /// It was not heard of.
    Session,
    /// It does not give up what it has to.
    Rebalance,
    /// It speaks the classic protocol and does not join again.
    Join,
    /// It speaks the classic protocol and does not sync.
    Sync,
}

const MEMBER_TIMERS: [MemberTimer; 4] =
    [MemberTimer::Session, MemberTimer::Rebalance, MemberTimer::Join, MemberTimer::Sync];

/// Where a group stands. Kafka's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConsumerState {
    /// No members.
    Empty,
    /// The target is older than the group's epoch.
    Assigning,
    /// Members are on their way to the target.
    Reconciling,
    /// All members have what the target gives them.
    Stable,
}

impl ConsumerState {
    /// Kafka's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Assigning => "Assigning",
            Self::Reconciling => "Reconciling",
            Self::Stable => "Stable",
        }
    }
}

/// See the file's head.
#[derive(Clone, Debug)]
pub(crate) struct ConsumerGroup {
    pub epoch: i32,
    /// Over the subscribed topics as the epoch saw them.
    pub hash: i64,
    pub target_epoch: i32,
    /// When the target was made, ms since 1970; 0 for never.
    pub target_at: i64,
    pub members: BTreeMap<Arc<str>, ConsumerMember>,
    pub targets: BTreeMap<Arc<str>, Target>,
    /// Member ids by instance ids.
    pub statics: BTreeMap<String, Arc<str>>,
    /// Topics by regular expression.
    pub regexes: BTreeMap<String, BTreeSet<String>>,
    holders: BTreeMap<(Uuid, i32), Arc<str>>,
    /// The log has a record of the topics seen, which newer brokers do not write.
    has_old_topics: bool,

    // What follows is not in the log.
    timers: BTreeMap<(Arc<str>, MemberTimer), Mono>,
    /// The last image whose topics are known not to have changed the hash.
    pub image_checked: Option<i64>,
    /// When, and by which image, the expressions were resolved last.
    pub regexes_resolved: Option<(Mono, i64)>,
}

impl Default for ConsumerGroup {
    fn default() -> Self {
        Self {
            epoch: EPOCH_FIRST,
            hash: 0,
            target_epoch: EPOCH_FIRST,
            target_at: 0,
            members: BTreeMap::new(),
            targets: BTreeMap::new(),
            statics: BTreeMap::new(),
            regexes: BTreeMap::new(),
            holders: BTreeMap::new(),
            has_old_topics: false,
            timers: BTreeMap::new(),
            image_checked: None,
            regexes_resolved: None,
        }
    }
}

impl ConsumerGroup {
    // Replay.

    /// Takes in a record of the group. The tombstone of its epoch is the caller's business.
    pub(crate) fn replay(&mut self, record: &ConsumerRecord) {
        match record {
            ConsumerRecord::Epoch(Some(value)) => {
                self.epoch = value.epoch;
                self.hash = value.metadata_hash;
            }
            ConsumerRecord::Epoch(None) => {}
            ConsumerRecord::Topics(value) => self.has_old_topics = value.is_some(),
            ConsumerRecord::Member(id, Some(value)) => {
                let member = self.member_mut(id);
                let id = Arc::clone(&member.id);
                let before = member.instance.clone();
                member.set_metadata(value);
                if let Some(before) = before {
                    self.forget_static(&before, &id);
                }
                if let Some(instance) = &value.instance_id {
                    self.statics.insert(instance.clone(), id);
                }
            }
            ConsumerRecord::Member(id, None) => self.remove(id),
            ConsumerRecord::TargetEpoch(value) => {
                self.target_epoch = value.as_ref().map_or(EPOCH_FIRST, |it| it.assignment_epoch);
                self.target_at = value.as_ref().map_or(0, |it| it.assignment_timestamp);
            }
            ConsumerRecord::Target(id, Some(value)) => {
                self.targets.insert(Arc::from(id.as_str()), target_of(value));
            }
            ConsumerRecord::Target(id, None) => {
                self.targets.remove(id.as_str());
            }
            ConsumerRecord::Current(id, Some(value)) => {
                self.release(id);
                let member = self.member_mut(id);
                member.set_current(value);
                let id = Arc::clone(&member.id);
                self.hold(&id);
            }
            ConsumerRecord::Current(id, None) => {
                self.release(id);
                if let Some(member) = self.members.get_mut(id.as_str()) {
                    let blank = ConsumerMember::new(Arc::clone(&member.id));
                    member.epoch = EPOCH_LEFT;
                    member.previous_epoch = EPOCH_LEFT;
                    member.state = blank.state;
                    member.assigned = blank.assigned;
                    member.pending = blank.pending;
                }
            }
            ConsumerRecord::Regex(regex, value) => self.replay_regex(regex, value.as_ref()),
        }
    }

    fn replay_regex(&mut self, regex: &str, value: Option<&RegexValue>) {
        match value {
            Some(value) => {
                self.regexes.insert(regex.to_owned(), value.topics.iter().cloned().collect());
            }
            None => {
                self.regexes.remove(regex);
            }
        }
    }

    fn member_mut(&mut self, id: &str) -> &mut ConsumerMember {
        let id: Arc<str> = match self.members.get_key_value(id) {
            Some((id, _)) => Arc::clone(id),
            None => Arc::from(id),
        };
        self.members.entry(Arc::clone(&id)).or_insert_with(|| ConsumerMember::new(id))
    }

    fn remove(&mut self, id: &str) {
        self.release(id);
        if let Some(member) = self.members.remove(id)
            && let Some(instance) = &member.instance
        {
            self.forget_static(instance, &member.id);
        }
    }

    fn forget_static(&mut self, instance: &str, id: &Arc<str>) {
        if self.statics.get(instance) == Some(id) {
            self.statics.remove(instance);
        }
    }

    fn release(&mut self, id: &str) {
        let Some(member) = self.members.get(id) else { return };
        for place in partitions(&member.assigned).chain(partitions(&member.pending)) {
            if self.holders.get(&place) == Some(&member.id) {
                self.holders.remove(&place);
            }
        }
    }

    fn hold(&mut self, id: &Arc<str>) {
        let Some(member) = self.members.get(id) else { return };
        for place in partitions(&member.assigned).chain(partitions(&member.pending)) {
            self.holders.insert(place, Arc::clone(id));
        }
    }

    // What holds of the group.

    pub(crate) fn state(&self) -> ConsumerState {
        if self.members.is_empty() {
            ConsumerState::Empty
        } else if self.epoch > self.target_epoch {
            ConsumerState::Assigning
        } else if self.members.values().all(|it| it.is_reconciled_to(self.target_epoch)) {
            ConsumerState::Stable
        } else {
            ConsumerState::Reconciling
        }
    }

    /// Who holds a partition, or has yet to give it up.
    pub(crate) fn holder(&self, topic: Uuid, partition: i32) -> Option<&Arc<str>> {
        self.holders.get(&(topic, partition))
    }

    /// The member that an instance id stands for.
    pub(crate) fn static_member(&self, instance: &str) -> Option<&ConsumerMember> {
        self.members.get(self.statics.get(instance)?)
    }

    /// Members that subscribe to an expression.
    pub(crate) fn regex_count(&self, regex: &str) -> usize {
        self.members.values().filter(|member| member.regex == regex).count()
    }

    /// True if a member subscribes to a topic, by name or by an expression.
    pub(crate) fn subscribes_to(&self, topic: &str) -> bool {
        self.members.values().any(|member| {
            let resolved = self.regexes.get(&member.regex);
            member.topics.contains(topic) || resolved.is_some_and(|it| it.contains(topic))
        })
    }

    /// The names that a member subscribes to; an expression that is not resolved is none.
    pub(crate) fn names_of<'a>(
        &'a self,
        member: &'a ConsumerMember,
    ) -> impl Iterator<Item = &'a str> {
        let resolved = self.regexes.get(&member.regex);
        let by_regex = resolved.into_iter().flatten();
        member.topics.iter().chain(by_regex).map(String::as_str)
    }

    /// The topics that a member subscribes to and that exist.
    pub(crate) fn topics_of(&self, member: &ConsumerMember, image: &Image) -> BTreeSet<Uuid> {
        let names = self.names_of(member);
        names.filter_map(|name| image.topic(name)).map(|topic| topic.id).collect()
    }

    /// A number that changes when the topics of these members come, go or grow; 0 without topics.
    pub(crate) fn hash_over<'a>(
        &'a self,
        members: impl Iterator<Item = &'a ConsumerMember>,
        image: &Image,
    ) -> i64 {
        let names: BTreeSet<&str> = members.flat_map(|member| self.names_of(member)).collect();
        topics_hash(names.into_iter(), image)
    }

    // Records.

    /// The record of a new epoch.
    pub(crate) fn epoch_record(epoch: i32, hash: i64) -> ConsumerRecord {
        ConsumerRecord::Epoch(Some(EpochValue { epoch, metadata_hash: hash }))
    }

    pub(crate) fn target_epoch_record(epoch: i32, at: i64) -> ConsumerRecord {
        let value = TargetEpochValue { assignment_epoch: epoch, assignment_timestamp: at };
        ConsumerRecord::TargetEpoch(Some(value))
    }

    /// All there is of the group, for a log without history.
    ///
    /// A member that gave its instance id away comes before the one that has it now.
    pub(crate) fn snapshot_records(&self) -> Vec<ConsumerRecord> {
        let has_instance = |member: &&ConsumerMember| {
            let instance = member.instance.as_ref();
            instance.is_some_and(|it| self.statics.get(it) == Some(&member.id))
        };
        let members = || self.members.values();
        let mut records: Vec<ConsumerRecord> = Vec::new();
        records
            .extend(members().filter(|it| !has_instance(it)).map(ConsumerMember::metadata_record));
        records.extend(members().filter(has_instance).map(ConsumerMember::metadata_record));
        records.push(Self::epoch_record(self.epoch, self.hash));
        records.extend(self.targets.iter().map(|(id, target)| target_record(id, target)));
        records.push(Self::target_epoch_record(self.target_epoch, self.target_at));
        records.extend(members().map(ConsumerMember::current_record));
        records.extend(self.regexes.iter().map(|(regex, topics)| {
            let topics = topics.iter().cloned().collect();
            let value = RegexValue { topics, ..RegexValue::default() };
            ConsumerRecord::Regex(regex.clone(), Some(value))
        }));
        if self.has_old_topics {
            records.push(ConsumerRecord::Topics(Some(TopicsValue::default())));
        }
        records
    }

    /// Buries the record of topics seen, if there is one.
    pub(crate) fn old_topics_tombstone(&self) -> Option<ConsumerRecord> {
        self.has_old_topics.then_some(ConsumerRecord::Topics(None))
    }

    /// Tombstones for all there is of the group, its epoch last.
    pub(crate) fn tombstones(&self) -> Vec<ConsumerRecord> {
        let each = |make: fn(String) -> ConsumerRecord| {
            let ids = self.members.keys();
            ids.map(move |id| make(id.to_string())).collect::<Vec<_>>()
        };
        let mut records = each(|id| ConsumerRecord::Current(id, None));
        let targets = self.targets.keys();
        records.extend(targets.map(|id| ConsumerRecord::Target(id.to_string(), None)));
        records.push(ConsumerRecord::TargetEpoch(None));
        records.extend(each(|id| ConsumerRecord::Member(id, None)));
        let regexes = self.regexes.keys();
        records.extend(regexes.map(|regex| ConsumerRecord::Regex(regex.clone(), None)));
        records.extend(self.old_topics_tombstone());
        records.push(ConsumerRecord::Epoch(None));
        records
    }

    // Time.

    /// The deadline of a member's timer.
    pub(crate) fn timer(&self, id: &Arc<str>, timer: MemberTimer) -> Option<Mono> {
        self.timers.get(&(Arc::clone(id), timer)).copied()
    }

    /// Sets a member's timer, or takes it away.
    pub(crate) fn set_timer(
        &mut self,
        cx: &mut Context,
        group: &Arc<str>,
        (id, timer): (&Arc<str>, MemberTimer),
        at: Option<Mono>,
    ) {
        let key = (Arc::clone(id), timer);
        let mut place = self.timers.remove(&key);
        let named = Timer::Member(Arc::clone(group), timer, Arc::clone(id));
        cx.set_timer(&mut place, at, named);
        if let Some(at) = place {
            self.timers.insert(key, at);
        }
    }

    /// The timer has fired, so the deadlines do not have it any more.
    pub(crate) fn forget_timer(&mut self, id: &Arc<str>, timer: MemberTimer) {
        self.timers.remove(&(Arc::clone(id), timer));
    }

    pub(crate) fn cancel_timers(&mut self, cx: &mut Context, group: &Arc<str>, id: &Arc<str>) {
        for timer in MEMBER_TIMERS {
            self.set_timer(cx, group, (id, timer), None);
        }
    }

    pub(crate) fn cancel_all_timers(&mut self, cx: &mut Context, group: &Arc<str>) {
        for ((id, timer), at) in std::mem::take(&mut self.timers) {
            cx.timers.remove(at, Timer::Member(Arc::clone(group), timer, id));
        }
    }

    /// Checks what must always hold; our own fault if it does not.
    pub(crate) fn verify(&self, name: &str) {
        let mut seen = BTreeMap::new();
        for (id, member) in &self.members {
            for place in partitions(&member.assigned).chain(partitions(&member.pending)) {
                let before = seen.insert(place, id);
                assert!(before.is_none(), "{name}: {place:?} is held by {before:?} and {id}");
                assert_eq!(self.holders.get(&place), Some(id), "{name}: holder of {place:?}");
            }
        }
        assert_eq!(seen.len(), self.holders.len(), "{name}: holders without members");
        for (instance, id) in &self.statics {
            let member = self.members.get(id).and_then(|member| member.instance.as_ref());
            assert_eq!(member, Some(instance), "{name}: instance map");
        }
        for (id, timer) in self.timers.keys() {
            assert!(self.members.contains_key(id), "{name}: {timer:?} of {id}, who is gone");
        }
    }
}

fn partitions(held: &Held) -> impl Iterator<Item = (Uuid, i32)> {
    held.iter().flat_map(|(topic, partitions)| partitions.keys().map(|index| (*topic, *index)))
}

/// See [`ConsumerGroup::hash_over`]; names come in their order. FNV-1a over the names, ids and
/// partition counts of those that exist.
pub(crate) fn topics_hash<'a>(names: impl Iterator<Item = &'a str>, image: &Image) -> i64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    let mut count = 0;
    for topic in names.filter_map(|name| image.topic(name)) {
        count += 1;
        hasher.write(topic.name.as_bytes());
        hasher.write(&[0]);
        hasher.write(&topic.id.0.to_be_bytes());
        hasher.write(&topic.partition_count().to_be_bytes());
    }
    if count == 0 { 0 } else { i64::from_be_bytes(hasher.finish().to_be_bytes()) }
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

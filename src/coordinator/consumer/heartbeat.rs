//! ConsumerGroupHeartbeat: how a member enters a consumer group, stays, and moves to its target.
//!
//! 1. The member is made or changed; a change of what is subscribed raises the group's epoch.
//! 2. A group epoch above the target's asks for a new target, at most once per interval.
//! 3. The member makes a step towards its part of the target.
//!
//! All of it is decided as records; `lives.rs` has them appended and replayed. Source: KIP-848,
//! KIP-1263 (epoch 1 as the first, assignment intervals).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace_io::Now;
use millrace_net::ErrorCode;
use millrace_net::messages::consumer_group_heartbeat::{
    Assignment, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use millrace_replication::{ConfigResource, Image, ResourceType};

use super::assignor::{self, Assignor, Counts, Subscriber, Subscribers};
use super::member::target_record;
use super::pattern::Resolved;
use super::reconcile::Reconcile;
use super::record::ConsumerRecord;
use super::{
    ConsumerGroup, ConsumerMember, EPOCH_AWAY, Held, MemberState, MemberTimer, Target, TimerChange,
    pattern,
};
use crate::coordinator::ask::Requester;
use crate::coordinator::config::GroupConfig;

/// Least time between two resolutions of a group's expressions, ms: each looks at every topic of
/// the cluster. Kafka's constant.
const REGEX_INTERVAL_MS: u64 = 10_000;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub error: ErrorCode,
    pub words: String,
}

pub(crate) fn refusal(error: ErrorCode, words: impl Into<String>) -> Refusal {
    Refusal { error, words: words.into() }
}

fn invalid(words: &str) -> Refusal {
    refusal(ErrorCode::InvalidRequest, words)
}

/// Checks what can be checked without the group.
pub(crate) fn check(
    request: &ConsumerGroupHeartbeatRequest,
    version: i16,
    config: &GroupConfig,
) -> Result<(), Refusal> {
    let is_blank = |text: &Option<String>| text.as_deref().is_some_and(str::is_empty);
    let epoch = request.member_epoch;
    if request.group_id.is_empty() {
        return Err(invalid("GroupId can't be empty."));
    }
    if is_blank(&request.instance_id) {
        return Err(invalid("InstanceId can't be empty."));
    }
    if is_blank(&request.rack_id) {
        return Err(invalid("RackId can't be empty."));
    }
    if request.member_id.is_empty() && (version >= 1 || epoch != 0) {
        return Err(invalid("MemberId can't be empty."));
    }
    if epoch < EPOCH_AWAY {
        return Err(invalid("MemberEpoch is invalid."));
    }
    if epoch == EPOCH_AWAY && request.instance_id.is_none() {
        return Err(invalid("InstanceId can't be null."));
    }
    if epoch == 0 {
        if request.rebalance_timeout_ms == -1 {
            return Err(invalid("RebalanceTimeoutMs must be provided in first request."));
        }
        if request.topic_partitions.as_ref().is_none_or(|owned| !owned.is_empty()) {
            return Err(invalid("TopicPartitions must be empty when (re-)joining."));
        }
        if request.subscribed_topic_names.is_none() && request.subscribed_topic_regex.is_none() {
            return Err(invalid(
                "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when \
                 (re-)joining.",
            ));
        }
    }
    if let Some(name) = &request.server_assignor {
        let assignor = Assignor::from_name(name);
        if assignor.is_none_or(|assignor| !config.consumer.assignors.contains(&assignor)) {
            let names: Vec<_> = config.consumer.assignors.iter().map(|it| it.name()).collect();
            let names = names.join(", ");
            let words =
                format!("ServerAssignor {name} is not supported. Supported assignors: {names}.");
            return Err(refusal(ErrorCode::UnsupportedAssignor, words));
        }
    }
    Ok(())
}

/// What holds for one group: the broker's settings, or the group's own within the bounds.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "all are times, and units stand last")]
pub(crate) struct Settings {
    pub session_timeout_ms: u64,
    pub heartbeat_interval_ms: u64,
    pub assignment_interval_ms: u64,
}

impl Settings {
    pub(crate) fn of(config: &GroupConfig, image: &Image, group: &str) -> Self {
        let config = &config.consumer;
        let resource = ConfigResource { kind: ResourceType::Group, name: group.to_owned() };
        let own = image.config(&resource);
        let number = |name: &str, default: u64, (min, max): (u64, u64)| {
            let own = own.and_then(|own| own.get(name)).and_then(|value| value.parse::<u64>().ok());
            own.map_or(default, |own| own.clamp(min, max.max(min)))
        };
        Self {
            session_timeout_ms: number(
                "consumer.session.timeout.ms",
                config.session_timeout_ms,
                config.session_timeout_ms_bounds,
            ),
            heartbeat_interval_ms: number(
                "consumer.heartbeat.interval.ms",
                config.heartbeat_interval_ms,
                config.heartbeat_interval_ms_bounds,
            ),
            assignment_interval_ms: number(
                "consumer.assignment.interval.ms",
                config.assignment_interval_ms,
                config.assignment_interval_ms_bounds,
            ),
        }
    }
}

/// A group and what its changes are decided by.
pub(crate) struct Planner<'a> {
    pub config: &'a GroupConfig,
    pub image: &'a Image,
    pub now: Now,
    pub name: &'a Arc<str>,
    pub group: &'a ConsumerGroup,
    /// The log has no record of the group yet.
    pub is_new: bool,
    pub settings: Settings,
}

/// A member that takes the place of another one, or of itself.
#[derive(Clone, Debug)]
pub(crate) struct Entering {
    /// As it is so far; a new one is blank.
    pub member: ConsumerMember,
    /// The id under which a static member was known before.
    pub replaced: Option<Arc<str>>,
}

/// A change of one member, decided.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub records: Vec<ConsumerRecord>,
    /// The member afterwards.
    pub member: ConsumerMember,
    pub timers: Vec<(Arc<str>, MemberTimer, TimerChange)>,
    /// The group's expressions are to be resolved.
    pub resolves: bool,
}

impl Planner<'_> {
    /// Decides what comes of a heartbeat that is neither a leave nor refused by [`check`].
    pub(crate) fn heartbeat(
        &self,
        request: &ConsumerGroupHeartbeatRequest,
        requester: &Requester,
        new_id: &str,
    ) -> Result<(Change, ConsumerGroupHeartbeatResponse), Refusal> {
        let id = if request.member_id.is_empty() { new_id } else { &request.member_id };
        self.check_room(id)?;
        let entering = self.find(request, id)?;
        let before = entering.member.assigned.clone();
        let mut updated = entering.member.clone();
        update(&mut updated, request, requester);
        let owned = request.topic_partitions.as_deref();
        let mut change = self.change(&entering, updated, owned)?;
        let session = TimerChange::Set(self.settings.session_timeout_ms);
        change.timers.push((Arc::clone(&change.member.id), MemberTimer::Session, session));
        let response = self.response(request, &before, &change.member);
        Ok((change, response))
    }

    /// True for a member of the group, false for a newcomer that fits in.
    pub(crate) fn check_room(&self, id: &str) -> Result<(), Refusal> {
        let max = self.config.consumer.size_max;
        if self.group.members.len() >= max && !self.group.members.contains_key(id) {
            let words =
                format!("The consumer group has reached its maximum capacity of {max} members.");
            return Err(refusal(ErrorCode::GroupMaxSizeReached, words));
        }
        Ok(())
    }

    fn find(&self, request: &ConsumerGroupHeartbeatRequest, id: &str) -> Result<Entering, Refusal> {
        let joins = request.member_epoch == 0;
        let Some(instance) = &request.instance_id else {
            let member = self.member(id, joins)?;
            check_epoch(&member, request)?;
            return Ok(Entering { member, replaced: None });
        };
        let Some(known) = self.group.static_member(instance) else {
            if !joins {
                let words = format!("Instance id {instance} is unknown.");
                return Err(refusal(ErrorCode::UnknownMemberId, words));
            }
            return Ok(Entering { member: self.member(id, true)?, replaced: None });
        };
        if *known.id == *id {
            check_epoch(known, request)?;
            return Ok(Entering { member: known.clone(), replaced: None });
        }
        let (error, what) = match (joins, known.epoch == EPOCH_AWAY || known.classic.is_some()) {
            (true, true) => return Ok(replacing(known, id)),
            (true, false) => {
                (ErrorCode::UnreleasedInstanceId, "cannot join the group: it is owned")
            }
            (false, _) => (ErrorCode::FencedInstanceId, "was fenced"),
        };
        let words =
            format!("Static member {id} with instance id {instance} {what} by {}.", known.id);
        Err(refusal(error, words))
    }

    /// The member of an id; a blank one if there is none and it may join.
    pub(crate) fn member(&self, id: &str, joins: bool) -> Result<ConsumerMember, Refusal> {
        match self.group.members.get(id) {
            Some(member) => Ok(member.clone()),
            None if joins => Ok(ConsumerMember::new(Arc::from(id))),
            None => {
                let words = format!("Member {id} is not a member of group {}.", self.name);
                Err(refusal(ErrorCode::UnknownMemberId, words))
            }
        }
    }

    /// Decides everything that follows from a member's change to `updated`.
    ///
    /// - `owned`: what it says it holds; none if it did not say.
    pub(crate) fn change(
        &self,
        entering: &Entering,
        updated: ConsumerMember,
        owned: Option<&[TopicPartitions]>,
    ) -> Result<Change, Refusal> {
        let before = &entering.member;
        let mut records = self.replacement(entering, &updated);
        let is_known = self.group.members.contains_key(&updated.id);
        if !is_known || updated != *before {
            records.push(updated.metadata_record());
        }
        let (regex_changed, regex_resolved) = self.change_regex(before, &updated, &mut records)?;
        let topics_changed = before.topics != updated.topics;
        let epoch =
            self.change_epoch(entering, &updated, topics_changed || regex_resolved, &mut records);
        let (target_epoch, target) = self.change_target(entering, &updated, epoch, &mut records);
        let is_resubscribed = topics_changed || regex_changed;
        let mut timers = Vec::new();
        let mut member = updated;
        if is_resubscribed || !member.is_reconciled_to(target_epoch) {
            let reconcile = Reconcile {
                target_epoch,
                target: &target,
                subscribed: self.group.topics_of(&member, self.image),
                is_resubscribed,
                owned,
            };
            let next = reconcile.step(&member, |topic, partition| {
                let holder = self.group.holder(topic, partition);
                holder.is_some_and(|it| *it != member.id && Some(it) != entering.replaced.as_ref())
            });
            if next != member {
                records.push(next.current_record());
                timers.extend(rebalance_timer(&next));
            }
            member = next;
        }
        let resolves = self.resolves(&member);
        Ok(Change { records, member, timers, resolves })
    }

    /// A static member goes on under a new id.
    fn replacement(&self, entering: &Entering, updated: &ConsumerMember) -> Vec<ConsumerRecord> {
        let Some(old) = &entering.replaced else { return Vec::new() };
        let mut records = leave_records(old);
        if let Some(target) = self.group.targets.get(old) {
            records.push(target_record(&updated.id, target));
        }
        records
    }

    /// Whether the expression changed, and whether what it stands for is known at once.
    fn change_regex(
        &self,
        before: &ConsumerMember,
        updated: &ConsumerMember,
        records: &mut Vec<ConsumerRecord>,
    ) -> Result<(bool, bool), Refusal> {
        let (old, new) = (&before.regex, &updated.regex);
        if old == new {
            return Ok((false, false));
        }
        if !old.is_empty() && self.group.regex_count(old) == 1 {
            records.push(ConsumerRecord::Regex(old.clone(), None));
        }
        if new.is_empty() {
            return Ok((true, true));
        }
        if self.group.regex_count(new) > 0 {
            return Ok((true, self.group.regexes.contains_key(new)));
        }
        if !pattern::is_valid(new) {
            let words = format!("SubscribedTopicRegex `{new}` is not a valid regular expression.");
            return Err(refusal(ErrorCode::InvalidRegularExpression, words));
        }
        Ok((true, false))
    }

    /// All members as they are once the change is made.
    fn members<'b>(
        &'b self,
        entering: &'b Entering,
        updated: &'b ConsumerMember,
    ) -> impl Iterator<Item = &'b ConsumerMember> {
        let others = self.group.members.values();
        let others =
            others.filter(|it| it.id != updated.id && Some(&it.id) != entering.replaced.as_ref());
        others.chain(std::iter::once(updated))
    }

    fn change_epoch(
        &self,
        entering: &Entering,
        updated: &ConsumerMember,
        rises: bool,
        records: &mut Vec<ConsumerRecord>,
    ) -> i32 {
        let group = self.group;
        if !rises && group.image_checked == Some(self.image.offset()) && !self.is_new {
            return group.epoch;
        }
        let hash = group.hash_over(self.members(entering, updated), self.image);
        let rises = rises || hash != group.hash;
        let epoch = if rises { group.epoch.saturating_add(1) } else { group.epoch };
        if rises || self.is_new {
            records.push(ConsumerGroup::epoch_record(epoch, hash));
        }
        records.extend(group.old_topics_tombstone());
        epoch
    }

    /// The epoch of the target, and the member's part of it.
    fn change_target(
        &self,
        entering: &Entering,
        updated: &ConsumerMember,
        epoch: i32,
        records: &mut Vec<ConsumerRecord>,
    ) -> (i32, Target) {
        let group = self.group;
        let now = self.now.wall.0;
        let interval = i64::try_from(self.settings.assignment_interval_ms).unwrap_or(i64::MAX);
        // A clock that went back does not hold the group up.
        let since = now.saturating_sub(group.target_at);
        let is_early = group.target_at != 0 && (0..interval).contains(&since);
        if epoch <= group.target_epoch || is_early {
            let id = entering.replaced.as_ref().unwrap_or(&updated.id);
            return (group.target_epoch, group.targets.get(id).cloned().unwrap_or_default());
        }
        let members: Vec<&ConsumerMember> = self.members(entering, updated).collect();
        let mut targets = self.assign(&members, entering, updated);
        for (id, target) in &targets {
            let id_before = if *id == updated.id { entering.replaced.as_ref() } else { None };
            let old = group.targets.get(id_before.unwrap_or(id));
            if old.is_none_or(|old| old != target) {
                records.push(target_record(id, target));
            }
        }
        records.push(ConsumerGroup::target_epoch_record(epoch, now));
        (epoch, targets.remove(&updated.id).unwrap_or_default())
    }

    fn assign(
        &self,
        members: &[&ConsumerMember],
        entering: &Entering,
        updated: &ConsumerMember,
    ) -> BTreeMap<Arc<str>, Target> {
        let mut counts = Counts::new();
        let mut subscribers = Subscribers::new();
        for member in members {
            let topics = self.group.topics_of(member, self.image);
            for topic in &topics {
                let count = self.image.topic_by_id(*topic).map_or(0, |it| it.partition_count());
                counts.insert(*topic, i32::try_from(count).unwrap_or(i32::MAX));
            }
            let id_before = if member.id == updated.id { entering.replaced.as_ref() } else { None };
            let target = self.group.targets.get(id_before.unwrap_or(&member.id));
            let subscriber = Subscriber { instance: member.instance.as_deref(), topics, target };
            subscribers.insert(Arc::clone(&member.id), subscriber);
        }
        let assignor = preferred_assignor(members.iter().copied(), self.config);
        assignor::assign(assignor, &subscribers, &counts)
    }

    /// Whether the group's expressions want to be looked at, `member` being one of them.
    fn resolves(&self, member: &ConsumerMember) -> bool {
        let group = self.group;
        let others = group.members.values().filter(|it| it.id != member.id);
        let regexes = others.chain(std::iter::once(member)).map(|it| it.regex.as_str());
        let mut regexes = regexes.filter(|regex| !regex.is_empty()).peekable();
        if regexes.peek().is_none() {
            return false;
        }
        let Some((at, image)) = group.regexes_resolved.filter(|_| !group.regexes.is_empty()) else {
            return true;
        };
        self.now.mono >= at.plus_ms(REGEX_INTERVAL_MS)
            && (image != self.image.offset() || regexes.any(|it| !group.regexes.contains_key(it)))
    }

    /// The group's expressions; each is to be resolved once, however many members have it.
    pub(crate) fn expressions(&self) -> BTreeSet<String> {
        let members = self.group.members.values();
        members.map(|it| &it.regex).filter(|it| !it.is_empty()).cloned().collect()
    }

    /// Takes in what the group's expressions stand for. One that is not among them was given up since,
    /// or is for another time.
    pub(crate) fn resolve(&self, found: &Resolved) -> Vec<ConsumerRecord> {
        let mut resolved = self.group.clone();
        let mut records = Vec::new();
        for regex in &self.expressions() {
            let Some(topics) = found.topics.get(regex) else { continue };
            if resolved.regexes.get(regex) == Some(topics) {
                continue;
            }
            let value = super::RegexValue {
                topics: topics.iter().cloned().collect(),
                version: found.image_offset,
                timestamp: self.now.wall.0,
            };
            records.push(ConsumerRecord::Regex(regex.clone(), Some(value)));
            resolved.regexes.insert(regex.clone(), topics.clone());
        }
        let hash = resolved.hash_over(resolved.members.values(), self.image);
        let is_empty = |regex: &String| {
            self.group.regexes.get(regex).is_none_or(std::collections::BTreeSet::is_empty)
        };
        let differs = resolved.regexes.iter().any(|(regex, topics)| {
            if topics.is_empty() {
                !is_empty(regex)
            } else {
                self.group.regexes.get(regex) != Some(topics)
            }
        });
        if differs || hash != self.group.hash {
            let epoch = self.group.epoch.saturating_add(1);
            records.push(ConsumerGroup::epoch_record(epoch, hash));
        }
        records
    }

    fn response(
        &self,
        request: &ConsumerGroupHeartbeatRequest,
        before: &Held,
        member: &ConsumerMember,
    ) -> ConsumerGroupHeartbeatResponse {
        let is_full = request.rebalance_timeout_ms != -1
            && request.topic_partitions.is_some()
            && (request.subscribed_topic_names.is_some()
                || request.subscribed_topic_regex.is_some());
        let is_changed = !same_partitions(before, &member.assigned);
        let tells = request.member_epoch == 0 || is_full || is_changed;
        ConsumerGroupHeartbeatResponse {
            member_id: Some(member.id.to_string()),
            member_epoch: member.epoch,
            heartbeat_interval_ms: i32::try_from(self.settings.heartbeat_interval_ms)
                .unwrap_or(i32::MAX),
            assignment: tells.then(|| Assignment { topic_partitions: told(&member.assigned) }),
            ..ConsumerGroupHeartbeatResponse::default()
        }
    }
}

/// The assignor with the most votes; equal votes go to the first that the broker offers.
pub(crate) fn preferred_assignor<'a>(
    members: impl Iterator<Item = &'a ConsumerMember>,
    config: &GroupConfig,
) -> Assignor {
    let offered = &config.consumer.assignors;
    let mut votes = vec![0_usize; offered.len()];
    for name in members.filter_map(|member| member.assignor.as_deref()) {
        if let Some(at) = offered.iter().position(|it| it.name() == name) {
            votes[at] += 1;
        }
    }
    let most = votes.iter().copied().max().unwrap_or(0);
    let at = votes.iter().position(|it| *it == most).unwrap_or(0);
    offered.get(at).copied().unwrap_or(Assignor::Uniform)
}

/// A static member's place, under a new id: it begins in epoch 0 with what it has.
pub(crate) fn replacing(known: &ConsumerMember, id: &str) -> Entering {
    let mut member = known.clone();
    member.id = Arc::from(id);
    member.epoch = 0;
    member.previous_epoch = 0;
    member.state = MemberState::Stable;
    member.pending = Held::new();
    Entering { member, replaced: Some(Arc::clone(&known.id)) }
}

/// The tombstones of a member that goes.
pub(crate) fn leave_records(id: &Arc<str>) -> Vec<ConsumerRecord> {
    vec![
        ConsumerRecord::Current(id.to_string(), None),
        ConsumerRecord::Target(id.to_string(), None),
        ConsumerRecord::Member(id.to_string(), None),
    ]
}

/// Takes from a heartbeat what it says; the rest stays.
fn update(
    member: &mut ConsumerMember,
    request: &ConsumerGroupHeartbeatRequest,
    requester: &Requester,
) {
    if let Some(instance) = &request.instance_id {
        member.instance = Some(instance.clone());
    }
    if let Some(rack) = &request.rack_id {
        member.rack = Some(rack.clone());
    }
    if request.rebalance_timeout_ms != -1 {
        member.rebalance_timeout_ms = request.rebalance_timeout_ms;
    }
    if let Some(assignor) = &request.server_assignor {
        member.assignor = Some(assignor.clone());
    }
    if let Some(topics) = &request.subscribed_topic_names {
        member.topics = topics.iter().cloned().collect();
    }
    if let Some(regex) = &request.subscribed_topic_regex {
        member.regex.clone_from(regex);
    }
    member.client_id.clone_from(&requester.client_id);
    member.client_host.clone_from(&requester.client_host);
    member.classic = None;
}

/// Epoch 0 joins; an older epoch is heard once more if the answer that raised it may be lost.
fn check_epoch(
    member: &ConsumerMember,
    request: &ConsumerGroupHeartbeatRequest,
) -> Result<(), Refusal> {
    let said = request.member_epoch;
    let owned = request.topic_partitions.as_deref();
    let is_lost_answer = said == member.previous_epoch && is_subset(owned, &member.assigned);
    if said == 0 || said == member.epoch || (said < member.epoch && is_lost_answer) {
        return Ok(());
    }
    let than = if said > member.epoch { "greater" } else { "smaller" };
    let words = format!(
        "The consumer group member has a {than} member epoch ({said}) than the one known by the \
         group coordinator ({}). The member must abandon all its partitions and rejoin.",
        member.epoch
    );
    Err(refusal(ErrorCode::FencedMemberEpoch, words))
}

/// False if nothing is said: that may be anything.
fn is_subset(owned: Option<&[TopicPartitions]>, held: &Held) -> bool {
    owned.is_some_and(|owned| {
        owned.iter().all(|topic| {
            let held = held.get(&topic.topic_id);
            topic.partitions.iter().all(|it| held.is_some_and(|held| held.contains_key(it)))
        })
    })
}

fn rebalance_timer(member: &ConsumerMember) -> Option<(Arc<str>, MemberTimer, TimerChange)> {
    // Members that speak the classic protocol have the time to join and to sync.
    if member.classic.is_some() {
        return None;
    }
    let change = if member.state == MemberState::Unrevoked {
        TimerChange::Set(u64::try_from(member.rebalance_timeout_ms).unwrap_or(0))
    } else {
        TimerChange::Cancel
    };
    Some((Arc::clone(&member.id), MemberTimer::Rebalance, change))
}

fn same_partitions(one: &Held, other: &Held) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|((topic, one), (topic_other, other))| {
            topic == topic_other && one.keys().eq(other.keys())
        })
}

/// What a member holds, as it is told.
pub(crate) fn told(held: &Held) -> Vec<TopicPartitions> {
    let topics = held.iter().map(|(topic_id, partitions)| TopicPartitions {
        topic_id: *topic_id,
        partitions: partitions.keys().copied().collect(),
    });
    topics.collect()
}

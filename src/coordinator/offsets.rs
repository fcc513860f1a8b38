//! What groups have committed: commits, look-ups, deletion, expiry.
//!
//! A commit is visible when its record is committed, never before; records are replayed in the
//! order of the log, so the last commit in the log is the one that is read. Source: KIP-211
//! (expiry), KIP-496 (deletion), KIP-848 and KIP-1160 (topic ids).

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use millrace_net::ErrorCode;
use millrace_net::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use millrace_net::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
};
use millrace_net::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchResponseGroup, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopics,
};

use super::ask::{GroupAnswer, Requester, commit_response};
use super::consumer::{ConsumerGroup, ConsumerMember};
use super::context::Context;
use super::group::{Group, GroupState};
use super::record::{GroupRecord, NEVER, OffsetKey, OffsetKeyRef, OffsetValue};
use super::subscription;
use super::then::Then;
use crate::ticket::Ticket;
use millrace_wire::Uuid;

/// From this version of OffsetCommit on a generation may be a member's epoch.
const MEMBER_EPOCHS_FROM: i16 = 9;

/// One partition's place in a group's offsets.
#[derive(Clone, Debug, Default)]
struct Slot {
    committed: Option<OffsetValue>,
    /// Commits whose records are not committed yet.
    under_way: u32,
}

/// A group's committed offsets.
#[derive(Clone, Debug, Default)]
pub(super) struct Offsets {
    topics: BTreeMap<Arc<str>, BTreeMap<i32, Slot>>,
}

impl Offsets {
    /// True without any, and without commits under way.
    pub(super) fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// Partitions with an offset, or with one under way.
    pub(super) fn len(&self) -> usize {
        self.topics.values().map(BTreeMap::len).sum()
    }

    pub(super) fn get(&self, topic: &str, partition: i32) -> Option<&OffsetValue> {
        self.topics.get(topic)?.get(&partition)?.committed.as_ref()
    }

    fn slot(&mut self, topic: &str, partition: i32) -> &mut Slot {
        if !self.topics.contains_key(topic) {
            self.topics.insert(Arc::from(topic), BTreeMap::new());
        }
        let partitions = self.topics.get_mut(topic).expect("it was put in a line ago");
        partitions.entry(partition).or_default()
    }

    fn change(&mut self, topic: &str, partition: i32, change: impl FnOnce(&mut Slot)) {
        let slot = self.slot(topic, partition);
        change(slot);
        if slot.committed.is_some() || slot.under_way > 0 {
            return;
        }
        if let Some(partitions) = self.topics.get_mut(topic) {
            partitions.remove(&partition);
            if partitions.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    /// Takes in what the log says.
    pub(super) fn replay(&mut self, key: &OffsetKey, value: Option<&OffsetValue>) {
        self.change(&key.topic, key.partition, |slot| slot.committed = value.cloned());
    }

    /// Takes in what the log says, of a record that was not opened further than it had to be.
    pub(super) fn load(&mut self, key: &OffsetKeyRef<'_>, value: OffsetValue) {
        self.slot(key.topic, key.partition).committed = Some(value);
    }

    /// Takes what another one has and this one has not.
    pub(super) fn take_missing(&mut self, other: Self) {
        for (topic, partitions) in other.topics {
            let mine = self.topics.entry(topic).or_default();
            for (partition, slot) in partitions {
                let place = mine.entry(partition).or_default();
                place.committed = place.committed.take().or(slot.committed);
            }
        }
    }

    /// Every committed offset behind a topic's partition, in order; from the first one on if none is
    /// given.
    pub(super) fn committed_after<'a>(
        &'a self,
        after: Option<(&str, i32)>,
    ) -> impl Iterator<Item = (&'a Arc<str>, i32, &'a OffsetValue)> {
        let (topic, first) = match after {
            // The greatest partition's successor is none: then this topic is over.
            Some((topic, partition)) => (topic, partition.checked_add(1)),
            None => ("", Some(i32::MIN)),
        };
        let is_begun = after.is_some();
        let topics = self.topics.range::<str, _>((Bound::Included(topic), Bound::Unbounded));
        let begun = if is_begun { self.topics.get(topic) } else { None };
        let rest = begun.zip(first).map(|(partitions, first)| partitions.range(first..));
        let name = if is_begun { self.topics.get_key_value(topic).map(|it| it.0) } else { None };
        let rest = rest
            .into_iter()
            .flatten()
            .filter_map(move |(index, slot)| Some((name?, *index, slot.committed.as_ref()?)));
        let others = topics.skip(usize::from(begun.is_some())).flat_map(|(topic, partitions)| {
            partitions
                .iter()
                .filter_map(move |(index, slot)| Some((topic, *index, slot.committed.as_ref()?)))
        });
        rest.chain(others)
    }

    /// A commit's record is on its way into the log.
    fn begin(&mut self, key: &OffsetKey) {
        self.change(&key.topic, key.partition, |slot| slot.under_way += 1);
    }

    /// A commit's record is in the log, or will never be.
    pub(super) fn end(&mut self, key: &OffsetKey) {
        self.change(&key.topic, key.partition, |slot| {
            slot.under_way = slot.under_way.saturating_sub(1);
        });
    }

    /// Every partition with an offset, or with one under way.
    fn keys(&self) -> impl Iterator<Item = (&Arc<str>, i32)> {
        self.topics.iter().flat_map(|(topic, partitions)| {
            partitions.keys().map(move |partition| (topic, *partition))
        })
    }

    /// Every committed offset, with its topic and partition.
    pub(super) fn committed(&self) -> impl Iterator<Item = (&Arc<str>, i32, i64)> {
        self.topics.iter().flat_map(|(topic, partitions)| {
            partitions.iter().filter_map(move |(partition, slot)| {
                Some((topic, *partition, slot.committed.as_ref()?.offset))
            })
        })
    }

    /// Partitions with an offset and none under way, with the offset.
    fn settled(&self) -> impl Iterator<Item = (&Arc<str>, i32, &OffsetValue)> {
        self.topics.iter().flat_map(|(topic, partitions)| {
            partitions.iter().filter_map(move |(partition, slot)| {
                let value = slot.committed.as_ref().filter(|_| slot.under_way == 0)?;
                Some((topic, *partition, value))
            })
        })
    }
}

impl Group {
    fn tombstone(&self, topic: &str, partition: i32) -> GroupRecord {
        let key = OffsetKey { group: self.name.to_string(), topic: topic.to_owned(), partition };
        GroupRecord::Offset(key, None)
    }

    /// Tombstones for all there is of the group, its commits under way included: they come after
    /// those in the log.
    pub(super) fn tombstones(&self) -> Vec<GroupRecord> {
        let mut records = self.offset_tombstones();
        records.push(GroupRecord::Group(self.name.to_string(), None));
        records
    }

    /// Tombstones for all offsets of the group, those under way included.
    pub(super) fn offset_tombstones(&self) -> Vec<GroupRecord> {
        self.offsets.keys().map(|(topic, index)| self.tombstone(topic, index)).collect()
    }

    /// Tombstones for the offsets of a topic that is gone, those under way included. What is committed
    /// for a later topic of its name stays, so that it does not matter who hears of the two first.
    pub(super) fn topic_tombstones(
        &self,
        cx: &Context,
        (topic, id): (&str, Uuid),
    ) -> Vec<GroupRecord> {
        let partitions = self.offsets.topics.get(topic);
        let is_of_it = |(index, slot): &(&i32, &Slot)| {
            let under_way = self.last_under_way(cx, topic, **index).filter(|_| slot.under_way > 0);
            let last = under_way.or_else(|| slot.committed.as_ref().map(|value| value.topic_id));
            last.is_none_or(|last| may_be(last, id))
        };
        let partitions = partitions.into_iter().flatten().filter(is_of_it);
        partitions.map(|(index, _)| self.tombstone(topic, *index)).collect()
    }

    /// The topic's id in the last commit for a partition that is on its way into the log.
    fn last_under_way(&self, cx: &Context, topic: &str, partition: i32) -> Option<Uuid> {
        let records = cx.appends.values().rev().flat_map(|append| append.records.iter().rev());
        records.into_iter().find_map(|record| match record {
            GroupRecord::Offset(key, Some(value)) => {
                let is_it = *key.group == *self.name && key.topic == topic;
                (is_it && key.partition == partition).then_some(value.topic_id)
            }
            GroupRecord::Offset(_, None) | GroupRecord::Group(..) | GroupRecord::Consumer(..) => {
                None
            }
        })
    }

    /// Puts offsets in the log; answers when they are committed.
    pub(super) fn commit(
        &mut self,
        cx: &mut Context,
        ticket: Ticket,
        request: &OffsetCommitRequest,
        requester: &Requester,
    ) {
        let checked = match &self.consumer {
            Some(consumer) => check_consumer_commit(consumer, request, requester),
            None => self.check_commit(cx, request).map(|()| None),
        };
        let member = match checked {
            Ok(member) => member.cloned(),
            Err(error) => {
                cx.reply(ticket, GroupAnswer::Committed(commit_response(request, error)));
                return;
            }
        };
        let mut response = commit_response(request, ErrorCode::None);
        let mut records = Vec::new();
        for (topic, answer) in request.topics.iter().zip(&mut response.topics) {
            for (partition, answer) in topic.partitions.iter().zip(&mut answer.partitions) {
                let place = (topic.topic_id, partition.partition_index);
                let epoch = request.generation_id_or_member_epoch;
                if let Some(error) = member.as_ref().and_then(|it| stale(it, place, epoch)) {
                    answer.error_code = error.code();
                    continue;
                }
                let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
                if metadata.encode_utf16().count() > cx.config.offset_metadata_max {
                    answer.error_code = ErrorCode::OffsetMetadataTooLarge.code();
                    continue;
                }
                let record = self.offset_record(cx, request.retention_time_ms, topic, partition);
                if let GroupRecord::Offset(key, _) = &record {
                    self.offsets.begin(key);
                }
                records.push(record);
            }
        }
        if records.is_empty() {
            cx.reply(ticket, GroupAnswer::Committed(response));
        } else {
            cx.append(records, Then::Commit { ticket, response });
        }
    }

    fn check_commit(
        &mut self,
        cx: &mut Context,
        request: &OffsetCommitRequest,
    ) -> Result<(), ErrorCode> {
        let generation = request.generation_id_or_member_epoch;
        let instance = request.group_instance_id.as_deref();
        if generation < 0 && self.state() == GroupState::Empty {
            // An administrator, or a consumer that assigns partitions to itself.
            return Ok(());
        }
        if generation < 0 && request.member_id.is_empty() && instance.is_none() {
            return Err(ErrorCode::UnknownMemberId);
        }
        let number = self.check_member(&request.member_id, instance)?;
        if generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        match self.state() {
            GroupState::Empty => Err(ErrorCode::UnknownMemberId),
            GroupState::CompletingRebalance => Err(ErrorCode::RebalanceInProgress),
            // While others join, those of the old generation commit what they have done.
            GroupState::PreparingRebalance | GroupState::Stable => {
                self.renew_session(cx, number);
                Ok(())
            }
        }
    }

    fn offset_record(
        &self,
        cx: &Context,
        retention_time_ms: i64,
        topic: &OffsetCommitRequestTopic,
        partition: &OffsetCommitRequestPartition,
    ) -> GroupRecord {
        let now = cx.now.wall.0;
        let expire_timestamp =
            if retention_time_ms < 0 { NEVER } else { now.saturating_add(retention_time_ms) };
        let key = OffsetKey {
            group: self.name.to_string(),
            topic: topic.name.clone(),
            partition: partition.partition_index,
        };
        let value = OffsetValue {
            offset: partition.committed_offset,
            leader_epoch: partition.committed_leader_epoch,
            metadata: partition.committed_metadata.clone().unwrap_or_default(),
            commit_timestamp: now,
            expire_timestamp,
            topic_id: topic.topic_id,
        };
        GroupRecord::Offset(key, Some(value))
    }

    /// Forgets offsets; answers when that is committed.
    pub(super) fn delete_offsets(
        &mut self,
        cx: &mut Context,
        ticket: Ticket,
        request: &OffsetDeleteRequest,
    ) {
        let is_consumer = self.consumer.is_some()
            || self.protocol_type.as_deref() == Some(subscription::CONSUMER);
        if self.state() != GroupState::Empty && !is_consumer {
            let error = ErrorCode::NonEmptyGroup;
            let ask = super::GroupAsk::DeleteOffsets(request.clone());
            cx.reply(ticket, ask.refuse(error));
            return;
        }
        let mut response = OffsetDeleteResponse::default();
        let mut records = Vec::new();
        for topic in &request.topics {
            let error = if self.subscribes_to(&topic.name) {
                ErrorCode::GroupSubscribedToTopic
            } else {
                ErrorCode::None
            };
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let index = partition.partition_index;
                let is_there = self.offsets.get(&topic.name, index).is_some();
                if error == ErrorCode::None && is_there {
                    records.push(self.tombstone(&topic.name, index));
                }
                partitions.push(OffsetDeleteResponsePartition {
                    partition_index: index,
                    error_code: error.code(),
                });
            }
            let name = topic.name.clone();
            response.topics.push(OffsetDeleteResponseTopic { name, partitions });
        }
        if records.is_empty() {
            cx.reply(ticket, GroupAnswer::DeletedOffsets(response));
        } else {
            cx.append(records, Then::DeleteOffsets { ticket, response });
        }
    }

    /// True if members consume a topic, or may: what cannot be read may name it.
    fn subscribes_to(&self, topic: &str) -> bool {
        if let Some(consumer) = &self.consumer {
            return consumer.subscribes_to(topic);
        }
        let is_known = |topics: &std::collections::BTreeSet<String>| topics.contains(topic);
        self.state() != GroupState::Empty && self.subscribed.as_ref().is_none_or(is_known)
    }

    /// Tombstones for the offsets that have expired; none of a partition with a commit under way.
    ///
    /// - A group that had members: from when the last one left, all offsets.
    /// - A stable group of consumers: from the commit on, offsets of topics nobody subscribes to.
    /// - A group that never had members: from the commit on.
    pub(super) fn expired(&self, cx: &Context) -> Vec<GroupRecord> {
        let had_members = self.protocol_type.is_some();
        let is_expired = |topic: &str, value: &OffsetValue| {
            let base = match self.state() {
                _ if self.consumer.is_some() => {
                    if self.subscribes_to(topic) {
                        return false;
                    }
                    value.commit_timestamp
                }
                GroupState::Empty if !had_members => value.commit_timestamp,
                // A state without a time comes from an old log.
                GroupState::Empty if self.state_since.0 < 0 => value.commit_timestamp,
                GroupState::Empty => self.state_since.0,
                GroupState::Stable if self.subscribed.is_some() && !self.subscribes_to(topic) => {
                    value.commit_timestamp
                }
                GroupState::Stable
                | GroupState::PreparingRebalance
                | GroupState::CompletingRebalance => return false,
            };
            let expires = base.saturating_add(cx.config.offsets_retention_ms);
            let expires =
                if value.expire_timestamp == NEVER { expires } else { value.expire_timestamp };
            cx.now.wall.0 >= expires
        };
        self.offsets
            .settled()
            .filter(|(topic, _, value)| is_expired(topic, value))
            .map(|(topic, partition, _)| self.tombstone(topic, partition))
            .collect()
    }
}

/// Checks nothing but the group: who may commit to a group that does not exist.
pub(super) fn check_unknown_group(
    request: &OffsetCommitRequest,
    requester: &Requester,
) -> Result<(), ErrorCode> {
    if request.generation_id_or_member_epoch < 0 {
        Ok(())
    } else if requester.version >= 9 {
        Err(ErrorCode::GroupIdNotFound)
    } else {
        Err(ErrorCode::IllegalGeneration)
    }
}

/// Who may commit to a consumer group. A member is given back whose epoch is behind: it may commit
/// for partitions that it had in that epoch already. Source: KIP-848, KIP-1251.
fn check_consumer_commit<'a>(
    group: &'a ConsumerGroup,
    request: &OffsetCommitRequest,
    requester: &Requester,
) -> Result<Option<&'a ConsumerMember>, ErrorCode> {
    let epoch = request.generation_id_or_member_epoch;
    if epoch < 0 && group.members.is_empty() {
        // An administrator, or a consumer that assigns partitions to itself.
        return Ok(None);
    }
    let member = group.members.get(request.member_id.as_str());
    let member = member.ok_or(ErrorCode::UnknownMemberId)?;
    if member.classic.is_none() && requester.version < MEMBER_EPOCHS_FROM {
        return Err(ErrorCode::UnsupportedVersion);
    }
    match epoch.cmp(&member.epoch) {
        Ordering::Equal => Ok(None),
        Ordering::Less => Ok(Some(member)),
        Ordering::Greater => Err(wrong_epoch(member)),
    }
}

/// What is wrong with a commit of an old epoch for a partition, if anything.
fn stale(
    member: &ConsumerMember,
    (topic, partition): (Uuid, i32),
    epoch: i32,
) -> Option<ErrorCode> {
    let since = member.held_since(topic, partition);
    since.is_none_or(|since| epoch < since).then(|| wrong_epoch(member))
}

/// The code for an epoch that is not the member's.
fn wrong_epoch(member: &ConsumerMember) -> ErrorCode {
    if member.classic.is_some() {
        ErrorCode::IllegalGeneration
    } else {
        ErrorCode::StaleMemberEpoch
    }
}

impl Group {
    /// Who may read a group's offsets: everybody who does not claim to be a member of a consumer
    /// group, and its members in their epoch.
    pub(super) fn check_fetch(&self, request: &OffsetFetchRequestGroup) -> Result<(), ErrorCode> {
        let Some(consumer) = &self.consumer else { return Ok(()) };
        let Some(id) = &request.member_id else {
            return if request.member_epoch < 0 { Ok(()) } else { Err(ErrorCode::UnknownMemberId) };
        };
        let member = consumer.members.get(id.as_str()).ok_or(ErrorCode::UnknownMemberId)?;
        if member.epoch == request.member_epoch { Ok(()) } else { Err(wrong_epoch(member)) }
    }
}

/// The answer to a look-up that is refused as a whole.
pub(super) fn refuse_fetch(
    request: &OffsetFetchRequestGroup,
    error: ErrorCode,
) -> OffsetFetchResponseGroup {
    let group_id = request.group_id.clone();
    OffsetFetchResponseGroup { group_id, topics: Vec::new(), error_code: error.code() }
}

/// Whether an offset was committed for the topic that is meant, and not for an earlier one of its name.
/// Records of before topics had ids, and requests that name topics, may mean any.
fn may_be(committed: Uuid, meant: Uuid) -> bool {
    committed == meant || committed.is_zero() || meant.is_zero()
}

/// What a group has committed; -1 where it has not. An unknown group has committed nothing.
pub(super) fn fetch(
    offsets: Option<&Offsets>,
    request: &OffsetFetchRequestGroup,
) -> OffsetFetchResponseGroup {
    let read = |topic: &str, id: Uuid, partition_index: i32| {
        let value = offsets.and_then(|offsets| offsets.get(topic, partition_index));
        let value = value.filter(|value| may_be(value.topic_id, id));
        OffsetFetchResponsePartitions {
            partition_index,
            committed_offset: value.map_or(-1, |value| value.offset),
            committed_leader_epoch: value.map_or(-1, |value| value.leader_epoch),
            metadata: Some(value.map(|value| value.metadata.clone()).unwrap_or_default()),
            error_code: ErrorCode::None.code(),
        }
    };
    let topics = match &request.topics {
        Some(topics) => topics
            .iter()
            .map(|topic| OffsetFetchResponseTopics {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions: topic
                    .partition_indexes
                    .iter()
                    .map(|index| read(&topic.name, topic.topic_id, *index))
                    .collect(),
            })
            .collect(),
        None => fetch_all(offsets, read),
    };
    OffsetFetchResponseGroup { group_id: request.group_id.clone(), topics, error_code: 0 }
}

fn fetch_all(
    offsets: Option<&Offsets>,
    read: impl Fn(&str, Uuid, i32) -> OffsetFetchResponsePartitions,
) -> Vec<OffsetFetchResponseTopics> {
    let mut topics: Vec<OffsetFetchResponseTopics> = Vec::new();
    let all = offsets.into_iter().flat_map(Offsets::keys);
    for (topic, index) in all {
        let Some(value) = offsets.and_then(|offsets| offsets.get(topic, index)) else { continue };
        if topics.last().is_none_or(|last| last.name != **topic) {
            topics.push(OffsetFetchResponseTopics {
                name: topic.to_string(),
                topic_id: value.topic_id,
                partitions: Vec::new(),
            });
        }
        if let Some(last) = topics.last_mut() {
            last.partitions.push(read(topic, Uuid::ZERO, index));
        }
    }
    topics
}

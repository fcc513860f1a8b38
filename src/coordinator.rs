//! The group coordinator of one partition of `__consumer_offsets`: groups, classic and of the
//! consumer protocol (KIP-848), and their committed offsets, as a state machine without clock,
//! files or sockets.
//!
//! ```text
//!             ask                     Append ──▶ the caller's log ──┐
//!   caller ─────────▶ GroupCoordinator                              │
//!             Reply ◀─┘     ▲                                       │
//!                           └── on_committed / on_append_failed ◀───┘
//! ```
//!
//! - An ask is answered now, or when members have joined, or when its records are committed.
//! - Offsets change by replaying their records, live as on load. A classic group's rebalance
//!   lives in memory, ahead of the log, as in Kafka: the log has the last stable generation, and
//!   members of one that was lost join again.
//! - Until [`GroupCoordinator::loaded`] every ask is told to come back.
//! - A consumer group is its records, live as on load: see `consumer.rs`.
//! - Appends are decided in the order in which they were asked for: they go into one log.
//!
//! Not here: transactional offsets, which partition a group belongs to beyond [`partition_of`].
//! Imports the wire's messages and the cluster's image, no other part of the broker but its small
//! tools.

mod ask;
mod config;
mod consumer;
mod context;
mod describe;
mod group;
mod join;
mod member;
mod offsets;
mod rebalance;
mod record;
mod records;
mod report;
mod snapshot;
pub(crate) mod subscription;
mod sync;
mod then;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use millrace_io::{Mono, Now};
use millrace_net::ErrorCode;
use millrace_net::messages::join_group::JoinGroupRequest;
use millrace_net::messages::offset_commit::OffsetCommitRequest;
use millrace_replication::Image;
use millrace_wire::{Uuid, WireError};

pub use ask::{GroupAnswer, GroupAsk, Requester, commit_response, refuse_consumer_describe};
pub use config::{ConsumerConfig, GroupConfig, Migration};
pub use consumer::assignor::Assignor;
pub(crate) use consumer::is_pattern;
pub use consumer::pattern::{Resolved, Resolving, resolve};
pub use context::{AppendId, Output};
pub use record::{ConsumerRecord, GroupRecord, GroupValue, MemberValue, OffsetKey, OffsetValue};
pub use report::GroupReport;
pub use snapshot::SnapshotWalk;

use crate::ticket::Ticket;
use ask::{leave_response, refuse_join};
use consumer::{After, Work};
use context::{Appending, Context, Timer};
use group::{Group, GroupState};
use offsets::Offsets;
use record::{OffsetKeyRef, decode_offset};
use then::{Then, append_error};

/// The partition of `__consumer_offsets` that coordinates a group: the absolute value of Java's
/// hash of its name, modulo the partitions. Every Kafka broker computes the same.
pub fn partition_of(group_id: &str, partitions: i32) -> i32 {
    let hash = group_id
        .encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    // Kafka's abs: the smallest integer, which has no positive twin, becomes 0.
    hash.checked_abs().unwrap_or(0) % partitions.max(1)
}

/// See the file's head.
#[derive(Debug)]
pub struct GroupCoordinator {
    groups: BTreeMap<Arc<str>, Group>,
    cx: Context,
    is_loaded: bool,
    /// Topics that were deleted while it was loading.
    deleted_early: Vec<(String, Uuid)>,
    /// What is to delete something of a group that is being deleted: it waits until that is decided.
    behind_deletions: Vec<(Ticket, GroupAsk)>,
}

impl GroupCoordinator {
    /// A coordinator that has not loaded its partition. `seed` decides all member ids.
    pub fn new(config: GroupConfig, seed: u64) -> Self {
        Self {
            groups: BTreeMap::new(),
            cx: Context::new(config, seed),
            is_loaded: false,
            deleted_early: Vec::new(),
            behind_deletions: Vec::new(),
        }
    }

    /// Works by another configuration from here on. What was decided by the old one stands until it
    /// is decided again: a member's session until its next heartbeat.
    pub fn set_config(&mut self, config: GroupConfig) {
        self.cx.config = config;
    }

    /// Works by a new image of the cluster from here on.
    pub fn set_image(&mut self, image: Arc<Image>) {
        self.cx.image = image;
    }

    /// Takes in a record of the partition, in the order of the log, before [`Self::loaded`].
    pub fn replay(&mut self, record: &GroupRecord) {
        assert!(!self.is_loaded, "replay is for loading; what is appended replays itself");
        self.apply(record);
    }

    /// Takes in a record as it lies in the log; as [`Self::replay`]. Of a kind that only newer brokers
    /// know, nothing is taken.
    pub fn replay_bytes(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), WireError> {
        assert!(!self.is_loaded, "replay is for loading; what is appended replays itself");
        // Nearly all are committed offsets: these are taken in without copying their keys.
        if let Some(key) = OffsetKeyRef::decode(key)? {
            let value = value.map(decode_offset).transpose()?;
            match (self.groups.get_mut(key.group), value) {
                (Some(group), Some(value)) => group.offsets.load(&key, value),
                (None, Some(value)) => self.group_mut(key.group).offsets.load(&key, value),
                (_, None) => self.replay_offset(&key.to_owned(), None),
            }
        } else if let Some(record) = GroupRecord::decode(key, value)? {
            self.apply(&record);
        }
        Ok(())
    }

    fn apply(&mut self, record: &GroupRecord) {
        match record {
            GroupRecord::Offset(key, value) => self.replay_offset(key, value.as_ref()),
            GroupRecord::Group(name, Some(value)) => {
                let group = self.group_mut(name);
                group.load(value);
                group.logged = logged(record);
            }
            GroupRecord::Group(name, None) => {
                let Self { groups, cx, .. } = self;
                if let Some(group) = groups.get_mut(name.as_str()) {
                    group.logged = None;
                    group.cancel_timers(cx);
                    group.blank(cx.now.wall);
                }
                self.drop_if_vacant(name);
            }
            GroupRecord::Consumer(name, record) => self.apply_consumer(name, record),
        }
    }

    fn apply_consumer(&mut self, name: &str, record: &ConsumerRecord) {
        if record.is_tombstone() {
            let Self { groups, cx, .. } = self;
            let Some(group) = groups.get_mut(name) else { return };
            let Some(consumer) = group.consumer.as_deref_mut() else { return };
            consumer.replay(record);
            match record {
                ConsumerRecord::Member(id, _) => {
                    consumer.cancel_timers(cx, &group.name, &Arc::from(id.as_str()));
                }
                ConsumerRecord::Epoch(_) => {
                    consumer.cancel_all_timers(cx, &group.name);
                    group.consumer = None;
                    group.state_since = cx.now.wall;
                    self.drop_if_vacant(name);
                }
                ConsumerRecord::Topics(_)
                | ConsumerRecord::TargetEpoch(_)
                | ConsumerRecord::Target(..)
                | ConsumerRecord::Current(..)
                | ConsumerRecord::Regex(..) => {}
            }
            return;
        }
        self.group_mut(name).consumer.get_or_insert_default().replay(record);
    }

    /// The whole partition is replayed: asks are taken from here on. Members that the log knows
    /// have their session's time to show themselves.
    pub fn loaded(&mut self, now: Now) {
        self.cx.now = now;
        self.is_loaded = true;
        for group in self.groups.values_mut() {
            let numbers: Vec<_> = group.members.keys().copied().collect();
            for number in numbers {
                group.renew_session(&mut self.cx, number);
            }
            if group.members.len() > self.cx.config.size_max {
                group.maybe_prepare_rebalance(&mut self.cx);
            }
        }
        let names: Vec<Arc<str>> = self.groups.keys().cloned().collect();
        for name in names {
            self.begin_sessions(&name);
        }
        self.set_expiry_timer();
        let deleted = std::mem::take(&mut self.deleted_early);
        let deleted: Vec<_> = deleted.iter().map(|(name, id)| (name.as_str(), *id)).collect();
        self.on_topics_deleted(now, &deleted);
    }

    /// True once [`Self::loaded`] was called.
    pub const fn is_loaded(&self) -> bool {
        self.is_loaded
    }

    /// Groups that the coordinator knows.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// What is to be done since the last call, in order.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.cx.outputs)
    }

    /// When [`Self::on_timer`] wants to be called.
    pub fn next_deadline(&self) -> Option<Mono> {
        self.cx.timers.next()
    }

    /// Takes up an ask; the answer comes as an output, now or later, exactly once.
    pub fn on_ask(&mut self, now: Now, ticket: Ticket, ask: GroupAsk) {
        self.cx.now = now;
        if let Err(error) = self.check(&ask) {
            self.cx.reply(ticket, ask.refuse(error));
            return;
        }
        self.take_up(ticket, ask);
    }

    fn take_up(&mut self, ticket: Ticket, ask: GroupAsk) {
        let deletes = matches!(ask, GroupAsk::Delete { .. } | GroupAsk::DeleteOffsets(_));
        if deletes && ask.group_id().is_some_and(|name| self.deleting(name).next().is_some()) {
            // That there is nothing left is not true yet: look-ups find it, and a crash brings it back.
            self.behind_deletions.push((ticket, ask));
        } else if ask.is_ordered() {
            self.in_line(ticket, ask);
        } else {
            self.run_ask(ticket, ask);
        }
    }

    /// The deletion of a group is decided: what waited for one is taken up, or waits for another one.
    fn take_up_behind_deletions(&mut self) {
        for (ticket, ask) in std::mem::take(&mut self.behind_deletions) {
            self.take_up(ticket, ask);
        }
    }

    /// The offsets of groups of a name whose tombstones are not in the log yet.
    fn deleting(&self, group_id: &str) -> impl Iterator<Item = &Offsets> {
        self.cx.appends.values().filter_map(move |append| {
            let Then::DeleteGroup { group, .. } = &append.then else { return None };
            (*group.name == *group_id).then_some(&group.offsets)
        })
    }

    /// Takes up an ask whose turn it is.
    fn run_ask(&mut self, ticket: Ticket, ask: GroupAsk) {
        let consumer = ask.group_id().and_then(|name| self.groups.get(name));
        let consumer = consumer.filter(|it| it.consumer.is_some());
        let consumer = consumer.map(|it| Arc::clone(&it.name));
        match (ask, consumer) {
            (GroupAsk::Join(request, requester), Some(_)) => {
                self.join_consumer(ticket, request, requester);
            }
            (GroupAsk::Join(request, requester), None) => self.join(ticket, &request, &requester),
            (
                ask @ (GroupAsk::Sync(_) | GroupAsk::Heartbeat(_) | GroupAsk::Leave(_)),
                Some(name),
            ) => self.ask_consumer(&name, ticket, &ask),
            (ask @ (GroupAsk::Sync(_) | GroupAsk::Heartbeat(_) | GroupAsk::Leave(_)), None) => {
                self.ask_classic(ticket, ask);
            }
            (GroupAsk::Describe { group_id, version }, _) => {
                let described = match self.groups.get(group_id.as_str()) {
                    Some(group) if group.consumer.is_none() => group.describe(),
                    Some(_) | None => describe::describe_unknown(&group_id, version),
                };
                self.cx.reply(ticket, GroupAnswer::Described(described));
            }
            (GroupAsk::List { states, types }, _) => {
                let listed = self.groups.values().filter_map(|it| it.list(&states, &types));
                let listed = listed.collect();
                self.cx.reply(ticket, GroupAnswer::Listed(Ok(listed)));
            }
            (GroupAsk::Delete { .. }, Some(name)) => {
                self.delete_consumer(&name, Some(ticket));
                self.advance(&name);
            }
            (GroupAsk::Delete { group_id }, None) => self.delete(ticket, &group_id),
            (GroupAsk::Commit(request, requester), _) => self.commit(ticket, &request, &requester),
            (GroupAsk::Fetch(request), _) => {
                let group = self.groups.get(request.group_id.as_str());
                let response = match group.map_or(Ok(()), |group| group.check_fetch(&request)) {
                    Ok(()) => {
                        let committed = self.committed_offsets(&request.group_id);
                        offsets::fetch(committed.as_deref(), &request)
                    }
                    Err(error) => offsets::refuse_fetch(&request, error),
                };
                self.cx.reply(ticket, GroupAnswer::Fetched(response));
            }
            (ask @ GroupAsk::DeleteOffsets(_), _) => self.delete_offsets(ticket, &ask),
            (GroupAsk::ConsumerHeartbeat(request, requester), _) => {
                self.consumer_heartbeat(ticket, &request, &requester);
            }
            (GroupAsk::ConsumerDescribe { group_id }, _) => {
                let answer = self.describe_consumer(&group_id);
                self.cx.reply(ticket, answer);
            }
        }
    }

    /// SyncGroup, Heartbeat and LeaveGroup of a group that is classic, or does not exist.
    fn ask_classic(&mut self, ticket: Ticket, ask: GroupAsk) {
        let Some(group) = ask.group_id().and_then(|name| self.groups.get_mut(name)) else {
            let answer = if let GroupAsk::Leave(request) = &ask {
                GroupAnswer::Left(leave_response(request, ErrorCode::UnknownMemberId))
            } else {
                ask.refuse(ErrorCode::UnknownMemberId)
            };
            self.cx.reply(ticket, answer);
            return;
        };
        match ask {
            GroupAsk::Sync(request) => group.sync(&mut self.cx, ticket, &request),
            GroupAsk::Heartbeat(request) => {
                let response = group.heartbeat(&mut self.cx, &request);
                self.cx.reply(ticket, GroupAnswer::Heartbeat(response));
            }
            GroupAsk::Leave(request) => {
                let response = group.leave(&mut self.cx, &request);
                self.cx.reply(ticket, GroupAnswer::Left(response));
            }
            GroupAsk::Join(..)
            | GroupAsk::Describe { .. }
            | GroupAsk::List { .. }
            | GroupAsk::Delete { .. }
            | GroupAsk::Commit(..)
            | GroupAsk::Fetch(_)
            | GroupAsk::DeleteOffsets(_)
            | GroupAsk::ConsumerHeartbeat(..)
            | GroupAsk::ConsumerDescribe { .. } => {}
        }
    }

    fn commit(&mut self, ticket: Ticket, request: &OffsetCommitRequest, requester: &Requester) {
        if !self.groups.contains_key(request.group_id.as_str())
            && let Err(error) = offsets::check_unknown_group(request, requester)
        {
            let response = commit_response(request, error);
            self.cx.reply(ticket, GroupAnswer::Committed(response));
            return;
        }
        let name = self.ensure(&request.group_id);
        let Some(group) = self.groups.get_mut(&name) else { return };
        group.commit(&mut self.cx, ticket, request, requester);
        self.drop_if_vacant(&name);
    }

    fn delete_offsets(&mut self, ticket: Ticket, ask: &GroupAsk) {
        let GroupAsk::DeleteOffsets(request) = ask else { return };
        match self.groups.get_mut(request.group_id.as_str()) {
            Some(group) => group.delete_offsets(&mut self.cx, ticket, request),
            None => self.cx.reply(ticket, ask.refuse(ErrorCode::GroupIdNotFound)),
        }
    }

    /// What holds for every ask of its kind, whatever the group.
    fn check(&self, ask: &GroupAsk) -> Result<(), ErrorCode> {
        let needs_name = match ask {
            GroupAsk::Join(..)
            | GroupAsk::Sync(_)
            | GroupAsk::Heartbeat(_)
            | GroupAsk::Leave(_)
            | GroupAsk::DeleteOffsets(_) => true,
            // Consumers without a group have always committed under the empty name.
            GroupAsk::Commit(..)
            | GroupAsk::Fetch(_)
            | GroupAsk::Describe { .. }
            | GroupAsk::Delete { .. }
            | GroupAsk::List { .. }
            // These two have words of their own for it.
            | GroupAsk::ConsumerHeartbeat(..)
            | GroupAsk::ConsumerDescribe { .. } => false,
        };
        if needs_name && ask.group_id().is_some_and(str::is_empty) {
            return Err(ErrorCode::InvalidGroupId);
        }
        if !self.is_loaded {
            return Err(ErrorCode::CoordinatorLoadInProgress);
        }
        let config = &self.cx.config;
        let allowed = config.session_timeout_ms_min..=config.session_timeout_ms_max;
        if let GroupAsk::Join(request, _) = ask
            && !allowed.contains(&request.session_timeout_ms)
        {
            return Err(ErrorCode::InvalidSessionTimeout);
        }
        Ok(())
    }

    fn join(&mut self, ticket: Ticket, request: &JoinGroupRequest, requester: &Requester) {
        let is_known = self.groups.contains_key(request.group_id.as_str());
        if !is_known && !request.member_id.is_empty() {
            let response = refuse_join(&request.member_id, ErrorCode::UnknownMemberId);
            self.cx.reply(ticket, GroupAnswer::Joined(response));
            return;
        }
        let name = self.ensure(&request.group_id);
        if let Some(group) = self.groups.get_mut(&name) {
            group.join(&mut self.cx, ticket, request, requester);
        }
        self.drop_if_vacant(&name);
    }

    fn delete(&mut self, ticket: Ticket, group_id: &str) {
        let state = self.groups.get(group_id).map(Group::state);
        match state {
            None => {
                let answer = GroupAnswer::Deleted(ErrorCode::GroupIdNotFound);
                self.cx.reply(ticket, answer);
            }
            Some(GroupState::Empty) => self.delete_empty(group_id, Some(ticket)),
            Some(
                GroupState::PreparingRebalance
                | GroupState::CompletingRebalance
                | GroupState::Stable,
            ) => {
                self.cx.reply(ticket, GroupAnswer::Deleted(ErrorCode::NonEmptyGroup));
            }
        }
    }

    /// What a group has committed. One that is being deleted has it until its tombstones are in the log;
    /// a commit that was on its way when the deletion began comes before them.
    fn committed_offsets(&self, group_id: &str) -> Option<Cow<'_, Offsets>> {
        let known = self.groups.get(group_id).map(|group| &group.offsets);
        match (known, self.deleting(group_id).next()) {
            (known, None) => known.map(Cow::Borrowed),
            (None, Some(deleting)) => Some(Cow::Borrowed(deleting)),
            (Some(known), Some(deleting)) => {
                let mut both = known.clone();
                both.take_missing(deleting.clone());
                Some(Cow::Owned(both))
            }
        }
    }

    /// Lets an empty group go; its tombstones follow.
    fn delete_empty(&mut self, group_id: &str, ticket: Option<Ticket>) {
        let Some(mut group) = self.groups.remove(group_id) else { return };
        group.pending.clear();
        let records = group.tombstones();
        self.cx.append(records, Then::DeleteGroup { ticket, group: Box::new(group) });
    }

    /// Topics are deleted: what groups have committed for them goes.
    ///
    /// While the partition is loading, nothing may be appended to it: the offsets of a topic are not all
    /// known, and whoever loads takes the place of an append for the one up to which it has read, and
    /// passes over all between. So it waits until all is loaded.
    pub fn on_topics_deleted(&mut self, now: Now, topics: &[(&str, Uuid)]) {
        if !self.is_loaded {
            let topics = topics.iter().map(|(name, id)| ((*name).to_owned(), *id));
            self.deleted_early.extend(topics);
            return;
        }
        self.cx.now = now;
        for group in self.groups.values() {
            let of = |topic: &(&str, Uuid)| group.topic_tombstones(&self.cx, *topic);
            let records: Vec<_> = topics.iter().flat_map(of).collect();
            if !records.is_empty() {
                self.cx.append(records, Then::Nothing);
            }
        }
    }

    /// The records of an append are committed. Appends are decided in their order. Returns how many
    /// they were.
    pub fn on_committed(&mut self, now: Now, id: AppendId) -> usize {
        self.cx.now = now;
        let Some(Appending { records, then }) = self.cx.appends.remove(&id) else { return 0 };
        let count = records.len();
        for record in records.iter() {
            match record {
                GroupRecord::Offset(key, value) => {
                    self.end_commit(key, value.as_ref());
                    self.replay_offset(key, value.as_ref());
                }
                // It tells of a state that memory has had, or has left, already.
                GroupRecord::Group(name, _) => {
                    if let Some(group) = self.groups.get_mut(name.as_str()) {
                        group.logged = logged(record);
                    }
                }
                GroupRecord::Consumer(..) => {}
            }
        }
        match then {
            Then::Nothing => {}
            Then::Commit { ticket, response } => {
                self.cx.reply(ticket, GroupAnswer::Committed(response));
            }
            Then::DeleteOffsets { ticket, response } => {
                self.cx.reply(ticket, GroupAnswer::DeletedOffsets(response));
            }
            Then::DeleteGroup { ticket, group: _ } => {
                if let Some(ticket) = ticket {
                    self.cx.reply(ticket, GroupAnswer::Deleted(ErrorCode::None));
                }
                self.take_up_behind_deletions();
            }
            Then::Sync { group, generation, assignments } => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.on_assigned(&mut self.cx, generation, assignments);
                }
            }
            Then::StaticJoin { ticket, response } => {
                self.cx.reply(ticket, GroupAnswer::Joined(response));
            }
            Then::Consumer { group, outcome } => {
                self.on_consumer_committed(&group, &records, *outcome);
            }
        }
        count
    }

    /// The records of an append are not in the log and will never be.
    ///
    /// - `error`: what the log said, as a produce request would hear it.
    pub fn on_append_failed(&mut self, now: Now, id: AppendId, error: ErrorCode) {
        self.cx.now = now;
        let error = append_error(error);
        self.cx.appends_failed += 1;
        let Some(Appending { records, then }) = self.cx.appends.remove(&id) else { return };
        for record in records.iter() {
            if let GroupRecord::Offset(key, value) = record {
                self.end_commit(key, value.as_ref());
            }
        }
        match then {
            Then::Nothing => {}
            Then::Commit { ticket, mut response } => {
                let topics = response.topics.iter_mut();
                for partition in topics.flat_map(|topic| &mut topic.partitions) {
                    if partition.error_code == ErrorCode::None.code() {
                        partition.error_code = error.code();
                    }
                }
                self.cx.reply(ticket, GroupAnswer::Committed(response));
            }
            Then::DeleteOffsets { ticket, mut response } => {
                response.topics.clear();
                response.error_code = error.code();
                self.cx.reply(ticket, GroupAnswer::DeletedOffsets(response));
            }
            Then::DeleteGroup { ticket, group } => {
                self.put_back(*group);
                if let Some(ticket) = ticket {
                    self.cx.reply(ticket, GroupAnswer::Deleted(error));
                }
                self.take_up_behind_deletions();
            }
            Then::Sync { group, generation, .. } => {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.on_assign_failed(&mut self.cx, generation, error);
                }
            }
            Then::Consumer { group, outcome } => self.on_consumer_failed(&group, *outcome, error),
            // The member has its new id in memory only; it joins again and finds itself.
            Then::StaticJoin { ticket, mut response } => {
                response = refuse_join(&response.member_id, error);
                self.cx.reply(ticket, GroupAnswer::Joined(response));
            }
        }
    }

    /// A group that was to be deleted stays. One of its name that has begun meanwhile goes on as it is
    /// if it has members, and otherwise as the old one.
    fn put_back(&mut self, mut group: Group) {
        match self.groups.entry(Arc::clone(&group.name)) {
            Entry::Vacant(place) => {
                place.insert(group);
            }
            Entry::Occupied(mut place) => {
                let begun = place.get_mut();
                if begun.is_blank() {
                    std::mem::swap(begun, &mut group);
                    std::mem::swap(&mut begun.line, &mut group.line);
                    // Those begun since are the newer ones.
                    std::mem::swap(&mut begun.offsets, &mut group.offsets);
                }
                begun.offsets.take_missing(group.offsets);
                begun.logged = begun.logged.take().or(group.logged);
            }
        }
    }

    /// Does what is due.
    pub fn on_timer(&mut self, now: Now) {
        self.cx.now = now;
        while let Some(timer) = self.cx.timers.pop_due(now.mono) {
            let name = match &timer {
                Timer::Join(name)
                | Timer::Sync(name)
                | Timer::Session(name, _)
                | Timer::Pending(name, _)
                | Timer::Member(name, ..) => Arc::clone(name),
                Timer::Expiry => {
                    self.expire();
                    self.set_expiry_timer();
                    continue;
                }
            };
            self.timer_in_line(&name, timer);
        }
    }

    /// Drops offsets that have expired, and groups that have nothing left.
    fn expire(&mut self) {
        let names: Vec<Arc<str>> = self.groups.keys().cloned().collect();
        for name in names {
            let Some(group) = self.groups.get(&name) else { continue };
            let records = group.expired(&self.cx);
            let is_over = group.has_no_members()
                && group.pending.is_empty()
                && group.line.is_idle()
                && records.len() == group.offsets.len();
            if is_over && group.consumer.is_some() {
                self.delete_consumer(&name, None);
            } else if is_over {
                self.delete_empty(&name, None);
            } else if !records.is_empty() {
                self.cx.append(records, Then::Nothing);
            }
        }
    }

    fn set_expiry_timer(&mut self) {
        let at = self.cx.now.mono.plus_ms(self.cx.config.offsets_retention_check_ms.max(1));
        self.cx.timers.add(at, Timer::Expiry);
    }

    /// The coordinator steps down: members that wait are to look for another one.
    pub fn resign(&mut self, now: Now) {
        self.cx.now = now;
        for (ticket, ask) in std::mem::take(&mut self.behind_deletions) {
            self.cx.reply(ticket, ask.refuse(ErrorCode::NotCoordinator));
        }
        for group in self.groups.values_mut() {
            group.refuse_all_waiting(&mut self.cx, ErrorCode::NotCoordinator);
            for work in std::mem::take(&mut group.line.waiting) {
                match work {
                    Work::Ask(ticket, ask) | Work::After(After::Again(ticket, ask)) => {
                        let answer = ask.refuse(ErrorCode::NotCoordinator);
                        self.cx.reply(ticket, answer);
                    }
                    Work::Timer(_)
                    | Work::After(After::Resolve | After::BecameClassic | After::MaybeDowngrade) => {
                    }
                }
            }
        }
    }

    /// Checks the invariants of every group; our own fault if one does not hold.
    pub fn verify(&self) {
        for group in self.groups.values() {
            group.verify();
        }
    }

    fn end_commit(&mut self, key: &OffsetKey, value: Option<&OffsetValue>) {
        if value.is_some()
            && let Some(group) = self.groups.get_mut(key.group.as_str())
        {
            group.offsets.end(key);
        }
    }

    fn replay_offset(&mut self, key: &OffsetKey, value: Option<&OffsetValue>) {
        if value.is_some() {
            self.group_mut(&key.group).offsets.replay(key, value);
        } else if let Some(group) = self.groups.get_mut(key.group.as_str()) {
            group.offsets.replay(key, None);
            self.drop_if_vacant(&key.group);
        }
    }

    fn ensure(&mut self, group_id: &str) -> Arc<str> {
        Arc::clone(&self.group_mut(group_id).name)
    }

    fn group_mut(&mut self, group_id: &str) -> &mut Group {
        let wall = self.cx.now.wall;
        let name: Arc<str> = match self.groups.get_key_value(group_id) {
            Some((name, _)) => Arc::clone(name),
            None => Arc::from(group_id),
        };
        self.groups.entry(Arc::clone(&name)).or_insert_with(|| Group::new(name, wall))
    }

    /// Forgets a group of which nothing is known.
    fn drop_if_vacant(&mut self, group_id: &str) {
        if self.groups.get(group_id).is_some_and(Group::is_vacant) {
            self.groups.remove(group_id);
        }
    }
}

/// What a classic group's record says, as it lies in the log.
fn logged(record: &GroupRecord) -> Option<Box<[u8]>> {
    record.encode_value().map(Vec::into_boxed_slice)
}

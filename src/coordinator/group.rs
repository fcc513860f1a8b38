//! A classic group: its members, its state, and what both demand of each other.
//!
//! ```text
//!            first join                    all joined, or time is up
//!   Empty ───────────────▶ PreparingRebalance ──────────────▶ CompletingRebalance
//!     ▲                      ▲   │                │   ▲                │
//!     └── nobody joined ─────┼───┘                │   └── join, leave, ┤ the leader's
//!                            │                    │       expiry       │ assignments are
//!                            └──── join, leave, expiry ── Stable ◀─────┘ committed
//! ```
//!
//! A group that is deleted (Kafka's `Dead`) is not in the coordinator's map any more. How a
//! rebalance goes is in `rebalance.rs`, what each request does in the file of its name.
//!
//! Invariants (`verify`): only `Empty` has no members; a member waits for a join only while
//! the group prepares, for a sync only while it completes; the leader is a member; generations
//! never go back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use millrace_io::{Mono, WallMs};
use millrace_net::ErrorCode;
use millrace_net::messages::join_group::JoinGroupRequestProtocol;

use super::ask::{GroupAnswer, refuse_join, refuse_sync};
use super::consumer::{ConsumerGroup, Line};
use super::context::{Context, Timer};
use super::member::{Member, MemberNumber};
use super::offsets::Offsets;
use super::record::{GroupRecord, GroupValue};
use super::subscription;

/// Where a group stands. Kafka's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GroupState {
    /// No members; perhaps offsets.
    Empty,
    /// Members are to join again.
    PreparingRebalance,
    /// A generation has begun; its leader's assignments are awaited.
    CompletingRebalance,
    /// All members have their assignments.
    Stable,
}

impl GroupState {
    /// Kafka's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// A member id that was handed out and not yet used to join.
#[derive(Debug, Default)]
pub(super) struct PendingMember {
    pub deadline: Option<Mono>,
}

/// The first rebalance of an empty group, which waits for more members than the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct InitialDelay {
    /// Somebody joined since the delay began.
    pub joined: bool,
    /// Time by which it can still be extended, ms.
    pub left_ms: u64,
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct Group {
    pub name: Arc<str>,
    state: GroupState,
    pub state_since: WallMs,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub generation: i32,
    pub leader: Option<MemberNumber>,
    pub members: BTreeMap<MemberNumber, Member>,
    by_id: BTreeMap<Arc<str>, MemberNumber>,
    by_instance: BTreeMap<Arc<str>, MemberNumber>,
    pub pending: BTreeMap<Arc<str>, PendingMember>,
    /// Members that have joined the generation and not synced.
    pub pending_sync: BTreeSet<MemberNumber>,
    /// How many members speak each protocol.
    protocol_counts: BTreeMap<String, usize>,
    next_number: MemberNumber,
    awaiting_join: usize,
    pub initial_delay: Option<InitialDelay>,
    pub join_deadline: Option<Mono>,
    pub sync_deadline: Option<Mono>,
    /// Topics that members subscribe to; none if that cannot be known.
    pub subscribed: Option<BTreeSet<String>>,
    pub offsets: Offsets,
    /// Set for a group of the consumer protocol; all that is classic is blank then.
    pub consumer: Option<Box<ConsumerGroup>>,
    /// What waits for its turn.
    pub line: Line,
    /// The value of its last record in the log, as a classic group.
    pub logged: Option<Box<[u8]>>,
}

impl Group {
    pub(super) fn new(name: Arc<str>, now: WallMs) -> Self {
        Self {
            name,
            state: GroupState::Empty,
            state_since: now,
            protocol_type: None,
            protocol_name: None,
            generation: 0,
            leader: None,
            members: BTreeMap::new(),
            by_id: BTreeMap::new(),
            by_instance: BTreeMap::new(),
            pending: BTreeMap::new(),
            pending_sync: BTreeSet::new(),
            protocol_counts: BTreeMap::new(),
            next_number: 0,
            awaiting_join: 0,
            initial_delay: None,
            join_deadline: None,
            sync_deadline: None,
            subscribed: None,
            offsets: Offsets::default(),
            consumer: None,
            line: Line::default(),
            logged: None,
        }
    }

    /// Forgets all that is classic. Timers are the caller's.
    pub(super) fn blank(&mut self, since: WallMs) {
        let blank = Self::new(Arc::clone(&self.name), since);
        let before = std::mem::replace(self, blank);
        self.offsets = before.offsets;
        self.consumer = before.consumer;
        self.line = before.line;
        self.logged = before.logged;
    }

    /// True without members of either kind.
    pub(super) fn has_no_members(&self) -> bool {
        let consumer = self.consumer.as_ref();
        self.state == GroupState::Empty && consumer.is_none_or(|it| it.members.is_empty())
    }

    /// Takes in what the log says of the group; offsets stay.
    pub(super) fn load(&mut self, value: &GroupValue) {
        self.blank(WallMs(value.current_state_timestamp));
        self.generation = value.generation;
        self.protocol_type = (!value.protocol_type.is_empty()).then(|| value.protocol_type.clone());
        let Some(protocol) = &value.protocol else { return };
        for member in &value.members {
            self.insert(Member::from_record(member, protocol));
        }
        if self.members.is_empty() {
            return;
        }
        self.protocol_name = Some(protocol.clone());
        self.state = GroupState::Stable;
        self.leader = value.leader.as_deref().and_then(|id| self.number_of(id)).or(self.leader);
        self.note_subscriptions();
    }

    pub(super) const fn state(&self) -> GroupState {
        self.state
    }

    pub(super) const fn enter(&mut self, state: GroupState, now: WallMs) {
        self.state = state;
        self.state_since = now;
    }

    /// True if nothing would be lost with it.
    pub(super) fn is_vacant(&self) -> bool {
        self.is_blank() && self.offsets.is_empty() && self.line.is_idle() && self.logged.is_none()
    }

    /// True if it has no members and has had none, of either kind.
    pub(super) fn is_blank(&self) -> bool {
        self.state == GroupState::Empty
            && self.generation == 0
            && self.pending.is_empty()
            && self.consumer.is_none()
    }

    // Members.

    pub(super) fn number_of(&self, member_id: &str) -> Option<MemberNumber> {
        self.by_id.get(member_id).copied()
    }

    pub(super) fn number_of_instance(&self, instance: &str) -> Option<MemberNumber> {
        self.by_instance.get(instance).copied()
    }

    /// The member that a request speaks for, or why it cannot.
    pub(super) fn check_member(
        &self,
        member_id: &str,
        instance: Option<&str>,
    ) -> Result<MemberNumber, ErrorCode> {
        if let Some(instance) = instance {
            let number = self.number_of_instance(instance).ok_or(ErrorCode::UnknownMemberId)?;
            if self.number_of(member_id) != Some(number) {
                return Err(ErrorCode::FencedInstanceId);
            }
        }
        self.number_of(member_id).ok_or(ErrorCode::UnknownMemberId)
    }

    /// Takes a member in. The first one leads.
    pub(super) fn insert(&mut self, member: Member) -> MemberNumber {
        let number = self.next_number;
        self.next_number += 1;
        self.by_id.insert(Arc::clone(&member.id), number);
        if let Some(instance) = &member.instance {
            self.by_instance.insert(Arc::clone(instance), number);
        }
        self.count_protocols(&member);
        self.leader.get_or_insert(number);
        self.members.insert(number, member);
        number
    }

    /// Lets a member go; what it waits for is answered. Another one leads if it led.
    pub(super) fn remove(&mut self, cx: &mut Context, number: MemberNumber) {
        self.refuse_waiting(cx, number, ErrorCode::UnknownMemberId);
        self.set_session(cx, number, None);
        let Some(member) = self.members.remove(&number) else { return };
        self.by_id.remove(&member.id);
        if let Some(instance) = &member.instance {
            self.by_instance.remove(instance);
        }
        self.uncount_protocols(&member);
        self.pending_sync.remove(&number);
        if self.leader == Some(number) {
            self.leader = self.members.keys().next().copied();
        }
    }

    /// A static member returns under a new id: its number, its place and its assignment stay.
    pub(super) fn rename(&mut self, cx: &mut Context, number: MemberNumber, new_id: &Arc<str>) {
        self.refuse_waiting(cx, number, ErrorCode::FencedInstanceId);
        let Some(member) = self.members.get_mut(&number) else { return };
        let old = std::mem::replace(&mut member.id, Arc::clone(new_id));
        self.by_id.remove(&old);
        self.by_id.insert(Arc::clone(new_id), number);
    }

    /// Changes a member's protocols and time-outs.
    pub(super) fn update(&mut self, number: MemberNumber, change: impl FnOnce(&mut Member)) {
        let Some(mut member) = self.members.remove(&number) else { return };
        self.uncount_protocols(&member);
        change(&mut member);
        self.count_protocols(&member);
        self.members.insert(number, member);
    }

    /// Hands out a member id that is to be used soon.
    pub(super) fn expect_member(&mut self, cx: &mut Context, id: &Arc<str>, timeout_ms: i32) {
        let place = self.pending.entry(Arc::clone(id)).or_default();
        let timer = Timer::Pending(Arc::clone(&self.name), Arc::clone(id));
        let at = cx.in_ms(timeout_ms);
        cx.set_timer(&mut place.deadline, Some(at), timer);
    }

    /// Forgets a member id that was handed out. True if it was one.
    pub(super) fn forget_pending(&mut self, cx: &mut Context, id: &str) -> bool {
        let Some((id, mut pending)) = self.pending.remove_entry(id) else { return false };
        let timer = Timer::Pending(Arc::clone(&self.name), id);
        cx.set_timer(&mut pending.deadline, None, timer);
        true
    }

    // Time.

    /// Sets when a member is taken for dead.
    fn set_session(&mut self, cx: &mut Context, number: MemberNumber, at: Option<Mono>) {
        let Some(member) = self.members.get_mut(&number) else { return };
        let timer = Timer::Session(Arc::clone(&self.name), number);
        cx.set_timer(&mut member.deadline, at, timer);
    }

    /// A member gave a sign of life.
    pub(super) fn renew_session(&mut self, cx: &mut Context, number: MemberNumber) {
        let Some(member) = self.members.get(&number) else { return };
        let at = cx.in_ms(member.session_timeout_ms);
        self.set_session(cx, number, Some(at));
    }

    /// A member's first join waits: it is kept for a long time without a sign of life.
    pub(super) fn begin_session(&mut self, cx: &mut Context, number: MemberNumber, ms: u64) {
        let at = cx.now.mono.plus_ms(ms);
        self.set_session(cx, number, Some(at));
    }

    pub(super) fn set_join_deadline(&mut self, cx: &mut Context, at: Option<Mono>) {
        let timer = Timer::Join(Arc::clone(&self.name));
        cx.set_timer(&mut self.join_deadline, at, timer);
    }

    pub(super) fn set_sync_deadline(&mut self, cx: &mut Context, at: Option<Mono>) {
        let timer = Timer::Sync(Arc::clone(&self.name));
        cx.set_timer(&mut self.sync_deadline, at, timer);
    }

    /// Takes all timers of the classic part away.
    pub(super) fn cancel_timers(&mut self, cx: &mut Context) {
        self.set_join_deadline(cx, None);
        self.set_sync_deadline(cx, None);
        let numbers: Vec<MemberNumber> = self.members.keys().copied().collect();
        for number in numbers {
            self.set_session(cx, number, None);
        }
        let pending: Vec<Arc<str>> = self.pending.keys().cloned().collect();
        for id in pending {
            self.forget_pending(cx, &id);
        }
    }

    /// The longest rebalance time-out of its members, ms.
    pub(super) fn rebalance_timeout_ms(&self) -> i32 {
        self.members.values().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0)
    }

    // What members wait for.

    /// A member's join waits for the others; one of its own that waited before is answered.
    pub(super) fn await_join(
        &mut self,
        cx: &mut Context,
        number: MemberNumber,
        ticket: crate::ticket::Ticket,
    ) {
        self.refuse_waiting(cx, number, ErrorCode::RebalanceInProgress);
        if let Some(member) = self.members.get_mut(&number) {
            member.awaiting_join = Some(ticket);
            self.awaiting_join += 1;
        }
    }

    /// Takes a member's waiting join, to answer it.
    pub(super) fn take_join(&mut self, number: MemberNumber) -> Option<crate::ticket::Ticket> {
        let ticket = self.members.get_mut(&number)?.awaiting_join.take()?;
        self.awaiting_join -= 1;
        Some(ticket)
    }

    /// Members whose join waits.
    pub(super) const fn awaiting_join(&self) -> usize {
        self.awaiting_join
    }

    /// Answers what a member waits for with an error.
    pub(super) fn refuse_waiting(
        &mut self,
        cx: &mut Context,
        number: MemberNumber,
        error: ErrorCode,
    ) {
        if let Some(ticket) = self.take_join(number) {
            let id = self.members.get(&number).map(|member| Arc::clone(&member.id));
            let response = refuse_join(id.as_deref().unwrap_or_default(), error);
            cx.reply(ticket, GroupAnswer::Joined(response));
        }
        let ticket = self.members.get_mut(&number).and_then(|it| it.awaiting_sync.take());
        if let Some(ticket) = ticket {
            cx.reply(ticket, GroupAnswer::Synced(refuse_sync(error)));
        }
    }

    /// Answers what all members wait for with an error.
    pub(super) fn refuse_all_waiting(&mut self, cx: &mut Context, error: ErrorCode) {
        let numbers: Vec<MemberNumber> = self.members.keys().copied().collect();
        for number in numbers {
            self.refuse_waiting(cx, number, error);
        }
    }

    // Protocols.

    fn count_protocols(&mut self, member: &Member) {
        for (name, _) in distinct(&member.protocols) {
            *self.protocol_counts.entry(name.clone()).or_default() += 1;
        }
    }

    fn uncount_protocols(&mut self, member: &Member) {
        for (name, _) in distinct(&member.protocols) {
            if let Some(count) = self.protocol_counts.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    self.protocol_counts.remove(name);
                }
            }
        }
    }

    fn is_spoken_by_all(&self, protocol: &str) -> bool {
        self.protocol_counts.get(protocol).is_some_and(|count| *count == self.members.len())
    }

    /// True if a member with these protocols can be in the group.
    pub(super) fn supports(
        &self,
        protocol_type: &str,
        protocols: &[JoinGroupRequestProtocol],
    ) -> bool {
        if self.members.is_empty() {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|protocol| self.is_spoken_by_all(&protocol.name))
    }

    /// The protocol with the most votes: each member votes for its favourite among those that
    /// all speak. Equal votes: the first by name, so that the choice can be repeated.
    pub(super) fn select_protocol(&self) -> Option<String> {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let vote = member.protocols.iter().find(|(name, _)| self.is_spoken_by_all(name));
            if let Some((name, _)) = vote {
                *votes.entry(name).or_default() += 1;
            }
        }
        let most = votes.values().copied().max()?;
        votes.into_iter().find(|(_, count)| *count == most).map(|(name, _)| name.to_owned())
    }

    /// Finds out what members subscribe to, for as long as this generation lasts.
    pub(super) fn note_subscriptions(&mut self) {
        self.subscribed = self.subscriptions();
    }

    fn subscriptions(&self) -> Option<BTreeSet<String>> {
        if self.protocol_type.as_deref() != Some(subscription::CONSUMER) {
            return None;
        }
        let protocol = self.protocol_name.as_deref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            topics.extend(subscription::topics(&member.metadata(protocol))?);
        }
        Some(topics)
    }

    // The log.

    /// The group as the log shall have it; `assignments` replace what members have.
    pub(super) fn record(
        &self,
        assignments: Option<&BTreeMap<MemberNumber, Bytes>>,
    ) -> GroupRecord {
        let protocol = self.protocol_name.as_deref();
        let leader = self.leader.and_then(|leader| self.members.get(&leader));
        let members = self.members.iter().map(|(number, member)| {
            let assignment = match assignments {
                Some(new) => new.get(number).cloned().unwrap_or_default(),
                None => member.assignment.clone(),
            };
            member.to_record(protocol.unwrap_or_default(), assignment)
        });
        let value = GroupValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: protocol.map(str::to_owned),
            leader: leader.map(|leader| leader.id.to_string()),
            current_state_timestamp: self.state_since.0,
            members: members.collect(),
        };
        GroupRecord::Group(self.name.to_string(), Some(value))
    }

    /// Checks what must always hold; our own fault if it does not.
    pub(super) fn verify(&self) {
        let name = &self.name;
        if let Some(consumer) = &self.consumer {
            assert!(self.members.is_empty(), "{name}: classic members in a consumer group");
            consumer.verify(name);
        }
        let waiting = self.members.values().filter(|it| it.awaiting_join.is_some()).count();
        assert_eq!(waiting, self.awaiting_join, "{name}: joins counted wrongly");
        assert_eq!(self.by_id.len(), self.members.len(), "{name}: member ids");
        match self.state {
            GroupState::Empty => assert!(self.members.is_empty(), "{name}: empty with members"),
            GroupState::PreparingRebalance => {}
            GroupState::CompletingRebalance | GroupState::Stable => {
                assert!(!self.members.is_empty(), "{name}: {:?} without members", self.state);
                assert!(self.protocol_name.is_some(), "{name}: no protocol");
                assert_eq!(waiting, 0, "{name}: a join waits in {:?}", self.state);
            }
        }
        if self.state != GroupState::CompletingRebalance {
            let syncs = self.members.values().filter(|it| it.awaiting_sync.is_some()).count();
            assert_eq!(syncs, 0, "{name}: a sync waits in {:?}", self.state);
        }
        let is_member = self.leader.is_none_or(|leader| self.members.contains_key(&leader));
        assert!(is_member, "{name}: the leader is no member");
        assert_eq!(self.leader.is_none(), self.members.is_empty(), "{name}: leader");
        for (instance, number) in &self.by_instance {
            let found = self.members.get(number).and_then(|member| member.instance.as_ref());
            assert_eq!(found, Some(instance), "{name}: instance map");
        }
    }
}

/// Protocols without those named before: a member that names one twice speaks it once.
fn distinct(protocols: &[(String, Bytes)]) -> impl Iterator<Item = &(String, Bytes)> {
    protocols.iter().enumerate().filter_map(|(index, protocol)| {
        let before = &protocols[..index];
        (!before.iter().any(|(name, _)| *name == protocol.0)).then_some(protocol)
    })
}

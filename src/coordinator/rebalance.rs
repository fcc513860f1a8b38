//! How a classic group rebalances: all members join, the leader's assignments are handed out.
//!
//! Timers: the join phase lasts the longest rebalance time-out of the members; the first one of an
//! empty group waits `group.initial.rebalance.delay.ms` and as long again for every newcomer, up
//! to that time-out; a generation's members have the same time to sync.

use std::sync::Arc;

use millrace_net::ErrorCode;
use millrace_net::messages::join_group::{JoinGroupResponse, JoinGroupResponseMember};

use super::ask::{GroupAnswer, refuse_sync};
use super::context::Context;
use super::group::{Group, GroupState, InitialDelay};
use super::member::{Member, MemberNumber};
use super::then::Then;

impl Group {
    /// Something changed that needs a rebalance: begins one, or lets the one under way end.
    pub(super) fn maybe_prepare_rebalance(&mut self, cx: &mut Context) {
        match self.state() {
            GroupState::Empty | GroupState::CompletingRebalance | GroupState::Stable => {
                self.prepare_rebalance(cx);
            }
            GroupState::PreparingRebalance => self.maybe_complete_join(cx),
        }
    }

    fn prepare_rebalance(&mut self, cx: &mut Context) {
        if self.state() == GroupState::CompletingRebalance {
            self.refuse_syncs(cx, ErrorCode::RebalanceInProgress);
        }
        self.pending_sync.clear();
        self.set_sync_deadline(cx, None);
        let is_initial = self.state() == GroupState::Empty;
        self.enter(GroupState::PreparingRebalance, cx.now.wall);
        let timeout_ms = u64::try_from(self.rebalance_timeout_ms()).unwrap_or(0);
        if is_initial {
            let delay_ms = cx.config.initial_rebalance_delay_ms;
            let left_ms = timeout_ms.saturating_sub(delay_ms);
            self.initial_delay = Some(InitialDelay { joined: false, left_ms });
            let at = cx.now.mono.plus_ms(delay_ms);
            self.set_join_deadline(cx, Some(at));
        } else {
            let at = cx.now.mono.plus_ms(timeout_ms);
            self.set_join_deadline(cx, Some(at));
            self.maybe_complete_join(cx);
        }
    }

    /// Ends the join phase if nobody is missing; an initial delay runs to its end all the same.
    pub(super) fn maybe_complete_join(&mut self, cx: &mut Context) {
        let all_joined = self.awaiting_join() == self.members.len() && self.pending.is_empty();
        if self.state() == GroupState::PreparingRebalance
            && self.initial_delay.is_none()
            && all_joined
        {
            self.complete_join(cx);
        }
    }

    /// The join phase's time is up.
    pub(super) fn on_join_due(&mut self, cx: &mut Context) {
        self.join_deadline = None;
        if self.state() != GroupState::PreparingRebalance {
            return;
        }
        if let Some(delay) = &mut self.initial_delay
            && delay.joined
            && delay.left_ms > 0
        {
            let next_ms = cx.config.initial_rebalance_delay_ms.min(delay.left_ms);
            delay.joined = false;
            delay.left_ms -= next_ms;
            let at = cx.now.mono.plus_ms(next_ms);
            self.set_join_deadline(cx, Some(at));
            return;
        }
        self.complete_join(cx);
    }

    fn complete_join(&mut self, cx: &mut Context) {
        self.set_join_deadline(cx, None);
        self.initial_delay = None;
        let missing: Vec<MemberNumber> = self
            .members
            .iter()
            .filter(|(_, member)| member.awaiting_join.is_none() && member.instance.is_none())
            .map(|(number, _)| *number)
            .collect();
        for number in missing {
            self.remove(cx, number);
        }
        if !self.members.is_empty() && !self.elect_leader() {
            // Static members alone, none of them back: they have their session's time.
            let at = cx.in_ms(self.rebalance_timeout_ms());
            self.set_join_deadline(cx, Some(at));
            return;
        }
        self.begin_generation(cx);
    }

    /// Sees to it that a member leads that has joined. False if none has.
    fn elect_leader(&mut self) -> bool {
        let has_joined = |number: &MemberNumber| {
            self.members.get(number).is_some_and(|member| member.awaiting_join.is_some())
        };
        if self.leader.as_ref().is_some_and(has_joined) {
            return true;
        }
        let Some(leader) = self.members.keys().find(|number| has_joined(number)).copied() else {
            return false;
        };
        self.leader = Some(leader);
        true
    }

    fn begin_generation(&mut self, cx: &mut Context) {
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.pending_sync.clear();
        if self.members.is_empty() {
            self.protocol_name = None;
            self.subscribed = None;
            self.enter(GroupState::Empty, cx.now.wall);
            // The log learns that the members are gone; nobody waits for it.
            cx.append(vec![self.record(None)], Then::Nothing);
            return;
        }
        self.protocol_name = self.select_protocol();
        self.note_subscriptions();
        self.enter(GroupState::CompletingRebalance, cx.now.wall);
        let numbers: Vec<MemberNumber> = self.members.keys().copied().collect();
        for number in numbers {
            if let Some(ticket) = self.take_join(number) {
                let response = self.joined(number);
                cx.reply(ticket, GroupAnswer::Joined(response));
            }
            if let Some(member) = self.members.get_mut(&number) {
                member.is_new = false;
            }
            self.renew_session(cx, number);
            self.pending_sync.insert(number);
        }
        let at = cx.in_ms(self.rebalance_timeout_ms());
        self.set_sync_deadline(cx, Some(at));
    }

    /// The answer to a member that is in the current generation; the leader gets the members.
    pub(super) fn joined(&self, number: MemberNumber) -> JoinGroupResponse {
        let member = self.members.get(&number);
        let leader = self.leader.and_then(|leader| self.members.get(&leader));
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            leader: leader.map(|leader| leader.id.to_string()).unwrap_or_default(),
            member_id: member.map(|member| member.id.to_string()).unwrap_or_default(),
            members: if self.leader == Some(number) { self.described() } else { Vec::new() },
            ..JoinGroupResponse::default()
        }
    }

    /// All members with their metadata for the chosen protocol, as a leader gets them.
    ///
    /// The order means nothing to the protocol, and Kafka's is that of a hash map. Here the static members
    /// come first: the range assignor of kafka-python 3.0 overlooks members where the two kinds alternate.
    pub(super) fn described(&self) -> Vec<JoinGroupResponseMember> {
        let protocol = self.protocol_name.as_deref().unwrap_or_default();
        let is_static = |member: &&Member| member.instance.is_some();
        let statics = self.members.values().filter(is_static);
        let dynamics = self.members.values().filter(|member| !is_static(member));
        statics
            .chain(dynamics)
            .map(|member| JoinGroupResponseMember {
                member_id: member.id.to_string(),
                group_instance_id: member.instance.as_deref().map(str::to_owned),
                metadata: member.metadata(protocol),
            })
            .collect()
    }

    /// The generation's assignments are void: those that wait for them hear why.
    pub(super) fn refuse_syncs(&mut self, cx: &mut Context, error: ErrorCode) {
        let mut waiting = Vec::new();
        for (number, member) in &mut self.members {
            member.assignment.clear();
            if let Some(ticket) = member.awaiting_sync.take() {
                waiting.push((*number, ticket));
            }
        }
        for (number, ticket) in waiting {
            cx.reply(ticket, GroupAnswer::Synced(refuse_sync(error)));
            self.renew_session(cx, number);
        }
    }

    /// The time to sync is up: who has not is given up.
    pub(super) fn on_sync_due(&mut self, cx: &mut Context) {
        self.sync_deadline = None;
        let missing: Vec<MemberNumber> = self.pending_sync.iter().copied().collect();
        match self.state() {
            GroupState::Empty | GroupState::PreparingRebalance => {}
            GroupState::CompletingRebalance | GroupState::Stable => {
                if missing.is_empty() {
                    return;
                }
                for number in missing {
                    self.remove(cx, number);
                }
                self.maybe_prepare_rebalance(cx);
            }
        }
    }

    /// A member was not heard of in its session's time.
    pub(super) fn on_session_due(&mut self, cx: &mut Context, number: MemberNumber) {
        let Some(member) = self.members.get_mut(&number) else { return };
        member.deadline = None;
        // Its session begins anew when it is answered. A newcomer cannot heartbeat at all: its
        // time is longer, but it ends.
        if member.is_waiting() && !member.is_new {
            return;
        }
        self.remove(cx, number);
        self.on_members_gone(cx);
    }

    /// A member id was handed out and never used.
    pub(super) fn on_pending_due(&mut self, cx: &mut Context, id: &Arc<str>) {
        if self.pending.remove(id).is_some() {
            self.maybe_complete_join(cx);
        }
    }

    /// Members have left: the others share what they had.
    pub(super) fn on_members_gone(&mut self, cx: &mut Context) {
        match self.state() {
            GroupState::Empty => {}
            GroupState::PreparingRebalance => self.maybe_complete_join(cx),
            GroupState::CompletingRebalance | GroupState::Stable => {
                self.maybe_prepare_rebalance(cx);
            }
        }
    }
}

//! JoinGroup: how a member enters a classic group, or says that it goes on.
//!
//! Source: KIP-62 (time-outs), KIP-345 (static members), KIP-389 (group size), KIP-394 (the
//! member-id-required step), KIP-814 (a static leader that skips assigning).

use std::sync::Arc;

use millrace_net::ErrorCode;
use millrace_net::messages::join_group::{JoinGroupRequest, JoinGroupResponse};

use super::ask::{GroupAnswer, Requester, refuse_join};
use super::config::NEW_MEMBER_JOIN_TIMEOUT_MS;
use super::context::Context;
use super::group::{Group, GroupState};
use super::member::{Member, MemberNumber};
use super::then::Then;
use crate::ticket::Ticket;

/// From this version on a dynamic member gets its id before it joins.
pub(super) const MEMBER_ID_REQUIRED_FROM: i16 = 4;
/// From this version on a static leader can be told not to assign anew.
const SKIP_ASSIGNMENT_FROM: i16 = 9;

impl Group {
    /// Answers now, or when the others have joined.
    pub(super) fn join(
        &mut self,
        cx: &mut Context,
        ticket: Ticket,
        request: &JoinGroupRequest,
        requester: &Requester,
    ) {
        let refuse = |cx: &mut Context, member_id: &str, error| {
            cx.reply(ticket, GroupAnswer::Joined(refuse_join(member_id, error)));
        };
        if !self.has_room_for(cx, &request.member_id) {
            if let Some(number) = self.number_of(&request.member_id) {
                self.remove(cx, number);
                self.on_members_gone(cx);
            }
            refuse(cx, "", ErrorCode::GroupMaxSizeReached);
        } else if !self.supports(&request.protocol_type, &request.protocols) {
            refuse(cx, &request.member_id, ErrorCode::InconsistentGroupProtocol);
        } else if request.member_id.is_empty() {
            self.join_newcomer(cx, ticket, request, requester);
        } else if self.forget_pending(cx, &request.member_id) {
            let id = Arc::from(request.member_id.as_str());
            self.admit(cx, ticket, Member::new(id, request, requester), request);
        } else {
            let instance = request.group_instance_id.as_deref();
            match self.check_member(&request.member_id, instance) {
                Ok(number) => self.rejoin(cx, ticket, number, request),
                Err(error) => refuse(cx, &request.member_id, error),
            }
        }
    }

    fn has_room_for(&self, cx: &Context, member_id: &str) -> bool {
        let member = self.number_of(member_id).and_then(|number| self.members.get(&number));
        match self.state() {
            GroupState::Empty => true,
            GroupState::PreparingRebalance => {
                member.is_some_and(|member| member.awaiting_join.is_some())
                    || self.awaiting_join() < cx.config.size_max
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                member.is_some() || self.members.len() < cx.config.size_max
            }
        }
    }

    fn join_newcomer(
        &mut self,
        cx: &mut Context,
        ticket: Ticket,
        request: &JoinGroupRequest,
        requester: &Requester,
    ) {
        let instance = request.group_instance_id.as_deref();
        let id = cx.member_id(instance.unwrap_or(&requester.client_id));
        if let Some(number) = instance.and_then(|instance| self.number_of_instance(instance)) {
            self.replace(cx, ticket, number, (&id, request, requester));
        } else if instance.is_none() && requester.version >= MEMBER_ID_REQUIRED_FROM {
            self.expect_member(cx, &id, request.session_timeout_ms);
            let response = refuse_join(&id, ErrorCode::MemberIdRequired);
            cx.reply(ticket, GroupAnswer::Joined(response));
        } else {
            self.admit(cx, ticket, Member::new(id, request, requester), request);
        }
    }

    /// Takes a new member in; the group rebalances.
    fn admit(
        &mut self,
        cx: &mut Context,
        ticket: Ticket,
        member: Member,
        request: &JoinGroupRequest,
    ) {
        if self.members.is_empty() {
            self.protocol_type = Some(request.protocol_type.clone());
        }
        if let Some(delay) = &mut self.initial_delay {
            delay.joined = true;
        }
        let number = self.insert(member);
        self.begin_session(cx, number, NEW_MEMBER_JOIN_TIMEOUT_MS);
        self.await_join(cx, number, ticket);
        self.maybe_prepare_rebalance(cx);
    }

    /// A member joins again: because it was told to, because its protocols changed, or because
    /// the answer to its last join was lost.
    fn rejoin(
        &mut self,
        cx: &mut Context,
        ticket: Ticket,
        number: MemberNumber,
        request: &JoinGroupRequest,
    ) {
        let is_same = self.members.get(&number).is_some_and(|member| member.matches(request));
        let goes_on = match self.state() {
            GroupState::Empty | GroupState::PreparingRebalance => false,
            GroupState::CompletingRebalance => is_same,
            // A leader that joins again wants a rebalance: what it assigns may have changed.
            GroupState::Stable => is_same && self.leader != Some(number),
        };
        if goes_on {
            let response = self.joined(number);
            cx.reply(ticket, GroupAnswer::Joined(response));
            return;
        }
        self.update(number, |member| member.set_protocols_of(request));
        self.await_join(cx, number, ticket);
        self.maybe_prepare_rebalance(cx);
    }

    /// A static member is back under a new id; whoever holds the old one is fenced.
    fn replace(
        &mut self,
        cx: &mut Context,
        ticket: Ticket,
        number: MemberNumber,
        (id, request, requester): (&Arc<str>, &JoinGroupRequest, &Requester),
    ) {
        let leader_before = self
            .leader
            .and_then(|leader| self.members.get(&leader))
            .map(|leader| leader.id.to_string());
        self.rename(cx, number, id);
        self.update(number, |member| {
            member.set_protocols_of(request);
            member.client_id.clone_from(&requester.client_id);
            member.client_host.clone_from(&requester.client_host);
        });
        self.renew_session(cx, number);
        let keeps_protocol = self.select_protocol() == self.protocol_name;
        if self.state() != GroupState::Stable || !keeps_protocol {
            self.await_join(cx, number, ticket);
            self.maybe_prepare_rebalance(cx);
            return;
        }
        let leads = self.leader == Some(number);
        let response = if requester.version >= SKIP_ASSIGNMENT_FROM {
            JoinGroupResponse { skip_assignment: leads, ..self.joined(number) }
        } else {
            // An old client that leads would assign; it is told that its old self does.
            JoinGroupResponse {
                leader: leader_before.unwrap_or_default(),
                members: Vec::new(),
                ..self.joined(number)
            }
        };
        let record = self.record(None);
        cx.append(vec![record], Then::StaticJoin { ticket, response });
    }
}

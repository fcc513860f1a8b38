//! SyncGroup, Heartbeat and LeaveGroup of a classic group.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use millrace_net::ErrorCode;
use millrace_net::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use millrace_net::messages::leave_group::{
    LeaveGroupRequest, LeaveGroupResponse, MemberIdentity, MemberResponse,
};
use millrace_net::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};

use super::ask::{GroupAnswer, refuse_sync};
use super::context::Context;
use super::group::{Group, GroupState};
use super::member::MemberNumber;
use super::then::Then;
use crate::ticket::Ticket;

impl Group {
    /// Answers with the member's assignment, now or when the leader's are committed.
    pub(super) fn sync(&mut self, cx: &mut Context, ticket: Ticket, request: &SyncGroupRequest) {
        let number = match self.check_sync(request) {
            Ok(number) => number,
            Err(error) => {
                cx.reply(ticket, GroupAnswer::Synced(refuse_sync(error)));
                return;
            }
        };
        self.pending_sync.remove(&number);
        if self.pending_sync.is_empty() {
            self.set_sync_deadline(cx, None);
        }
        if self.state() == GroupState::Stable {
            self.renew_session(cx, number);
            let response = self.synced(number);
            cx.reply(ticket, GroupAnswer::Synced(response));
            return;
        }
        // A sync of the same member that waits already has lost its client.
        self.refuse_waiting(cx, number, ErrorCode::RebalanceInProgress);
        if let Some(member) = self.members.get_mut(&number) {
            member.awaiting_sync = Some(ticket);
        }
        if self.leader == Some(number) {
            self.assign(cx, request);
        }
    }

    fn check_sync(&self, request: &SyncGroupRequest) -> Result<MemberNumber, ErrorCode> {
        let instance = request.group_instance_id.as_deref();
        let number = self.check_member(&request.member_id, instance)?;
        let differs = |said: &Option<String>, is: &Option<String>| said.is_some() && said != is;
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        if differs(&request.protocol_type, &self.protocol_type)
            || differs(&request.protocol_name, &self.protocol_name)
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        match self.state() {
            GroupState::Empty => Err(ErrorCode::UnknownMemberId),
            GroupState::PreparingRebalance => Err(ErrorCode::RebalanceInProgress),
            GroupState::CompletingRebalance | GroupState::Stable => Ok(number),
        }
    }

    /// Puts the leader's assignments in the log; who is not mentioned gets nothing.
    fn assign(&mut self, cx: &mut Context, request: &SyncGroupRequest) {
        let assignments: BTreeMap<MemberNumber, Bytes> = request
            .assignments
            .iter()
            .filter_map(|it| Some((self.number_of(&it.member_id)?, it.assignment.clone())))
            .collect();
        let record = self.record(Some(&assignments));
        let then = Then::Sync {
            group: Arc::clone(&self.name),
            generation: self.generation,
            assignments: assignments.into_iter().collect(),
        };
        cx.append(vec![record], then);
    }

    /// The assignments are committed: the generation is stable.
    pub(super) fn on_assigned(
        &mut self,
        cx: &mut Context,
        generation: i32,
        assignments: Vec<(MemberNumber, Bytes)>,
    ) {
        if self.state() != GroupState::CompletingRebalance || self.generation != generation {
            // Another rebalance was quicker; it has answered those who waited.
            return;
        }
        let mut assignments: BTreeMap<MemberNumber, Bytes> = assignments.into_iter().collect();
        for (number, member) in &mut self.members {
            // Who is not mentioned has nothing, whatever it had before.
            member.assignment = assignments.remove(number).unwrap_or_default();
        }
        self.enter(GroupState::Stable, cx.now.wall);
        let numbers: Vec<MemberNumber> = self.members.keys().copied().collect();
        for number in numbers {
            let waiting = self.members.get_mut(&number).and_then(|it| it.awaiting_sync.take());
            if let Some(ticket) = waiting {
                let response = self.synced(number);
                cx.reply(ticket, GroupAnswer::Synced(response));
                self.renew_session(cx, number);
            }
        }
    }

    /// The assignments could not be committed: the group tries again.
    pub(super) fn on_assign_failed(&mut self, cx: &mut Context, generation: i32, error: ErrorCode) {
        if self.state() == GroupState::CompletingRebalance && self.generation == generation {
            self.refuse_syncs(cx, error);
            self.maybe_prepare_rebalance(cx);
        }
    }

    fn synced(&self, number: MemberNumber) -> SyncGroupResponse {
        let assignment = self.members.get(&number).map(|member| member.assignment.clone());
        SyncGroupResponse {
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            assignment: assignment.unwrap_or_default(),
            ..SyncGroupResponse::default()
        }
    }

    /// Notes that a member is alive, and tells it whether it is to join again.
    pub(super) fn heartbeat(
        &mut self,
        cx: &mut Context,
        request: &HeartbeatRequest,
    ) -> HeartbeatResponse {
        let instance = request.group_instance_id.as_deref();
        let error = match self.check_member(&request.member_id, instance) {
            Err(error) => error,
            Ok(_) if request.generation_id != self.generation => ErrorCode::IllegalGeneration,
            Ok(number) => match self.state() {
                GroupState::Empty => ErrorCode::UnknownMemberId,
                GroupState::PreparingRebalance => {
                    self.renew_session(cx, number);
                    ErrorCode::RebalanceInProgress
                }
                // A client may heartbeat between its join and its sync.
                GroupState::CompletingRebalance | GroupState::Stable => {
                    self.renew_session(cx, number);
                    ErrorCode::None
                }
            },
        };
        HeartbeatResponse { error_code: error.code(), throttle_time_ms: 0 }
    }

    /// Lets members go; each has an answer of its own.
    pub(super) fn leave(
        &mut self,
        cx: &mut Context,
        request: &LeaveGroupRequest,
    ) -> LeaveGroupResponse {
        let members = request.members.iter().map(|member| MemberResponse {
            member_id: member.member_id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            error_code: self.leave_one(cx, member).code(),
        });
        let members: Vec<MemberResponse> = members.collect();
        // A stranger's leave must not make the others join again.
        if members.iter().any(|member| member.error_code == ErrorCode::None.code()) {
            self.on_members_gone(cx);
        }
        LeaveGroupResponse { members, ..LeaveGroupResponse::default() }
    }

    fn leave_one(&mut self, cx: &mut Context, member: &MemberIdentity) -> ErrorCode {
        let instance = member.group_instance_id.as_deref();
        if self.forget_pending(cx, &member.member_id) {
            return ErrorCode::None;
        }
        // An administrator takes a static member out by its instance id alone.
        let found = match instance {
            Some(instance) if member.member_id.is_empty() => {
                self.number_of_instance(instance).ok_or(ErrorCode::UnknownMemberId)
            }
            _ => self.check_member(&member.member_id, instance),
        };
        match found {
            Ok(number) => {
                self.remove(cx, number);
                ErrorCode::None
            }
            Err(error) => error,
        }
    }
}

//! How members go: they leave, they are away for a while, or their time is up.

use std::collections::BTreeSet;
use std::sync::Arc;

use millrace_net::ErrorCode;
use millrace_net::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

use super::heartbeat::{Planner, Refusal, leave_records, refusal};
use super::record::ConsumerRecord;
use super::{ConsumerGroup, ConsumerMember, EPOCH_AWAY, Held};

impl Planner<'_> {
    /// Decides what comes of a heartbeat with epoch -1 or -2.
    pub(crate) fn leave(
        &self,
        request: &ConsumerGroupHeartbeatRequest,
    ) -> Result<(Leaving, ConsumerGroupHeartbeatResponse), Refusal> {
        let member = self.leaving(request)?;
        let response = ConsumerGroupHeartbeatResponse {
            member_id: Some(request.member_id.clone()),
            member_epoch: request.member_epoch,
            ..ConsumerGroupHeartbeatResponse::default()
        };
        if request.member_epoch == EPOCH_AWAY {
            // Its place and its partitions stay for as long as its session.
            let mut away = member.clone();
            away.epoch = EPOCH_AWAY;
            away.pending = Held::new();
            return Ok((Leaving::Away(Box::new(away.current_record())), response));
        }
        Ok((Leaving::Gone(BTreeSet::from([Arc::clone(&member.id)])), response))
    }

    fn leaving(&self, request: &ConsumerGroupHeartbeatRequest) -> Result<&ConsumerMember, Refusal> {
        let id = request.member_id.as_str();
        let Some(instance) = &request.instance_id else {
            let words = || format!("Member {id} is not a member of group {}.", self.name);
            let member = self.group.members.get(id);
            return member.ok_or_else(|| refusal(ErrorCode::UnknownMemberId, words()));
        };
        match self.group.static_member(instance) {
            None => {
                let words = format!("Instance id {instance} is unknown.");
                Err(refusal(ErrorCode::UnknownMemberId, words))
            }
            Some(known) if *known.id != *id => {
                let words = format!(
                    "Static member {id} with instance id {instance} was fenced by {}.",
                    known.id
                );
                Err(refusal(ErrorCode::FencedInstanceId, words))
            }
            Some(known) => Ok(known),
        }
    }

    /// The records of members that are gone; the others share what they had in a new epoch.
    pub(crate) fn fence(&self, gone: &BTreeSet<Arc<str>>) -> Vec<ConsumerRecord> {
        let mut records: Vec<ConsumerRecord> = gone.iter().flat_map(leave_records).collect();
        let stays = |member: &&ConsumerMember| !gone.contains(&member.id);
        let members = || self.group.members.values();
        let lost: BTreeSet<&String> = members()
            .filter(|member| gone.contains(&member.id) && !member.regex.is_empty())
            .map(|member| &member.regex)
            .collect();
        for regex in lost {
            if !members().filter(stays).any(|member| member.regex == *regex) {
                records.push(ConsumerRecord::Regex(regex.clone(), None));
            }
        }
        let hash = self.group.hash_over(members().filter(stays), self.image);
        records.push(ConsumerGroup::epoch_record(self.group.epoch.saturating_add(1), hash));
        records
    }
}

/// What a leave comes to.
#[derive(Clone, Debug)]
pub(crate) enum Leaving {
    /// A static member that will be back.
    Away(Box<ConsumerRecord>),
    /// Members that will not.
    Gone(BTreeSet<Arc<str>>),
}

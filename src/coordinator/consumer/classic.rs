//! Members of a consumer group that speak the classic protocol: JoinGroup is a heartbeat with all
//! there is to say, SyncGroup tells what the join came to, Heartbeat says when to join again.
//!
//! No classic member leads: the assignor is the broker's. A member's generation is its member
//! epoch. Source: KIP-848, "Supporting Online Consumer Group Upgrade".

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use millrace_net::ErrorCode;
use millrace_net::messages::consumer_group_heartbeat::TopicPartitions;
use millrace_net::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use millrace_net::messages::join_group::{JoinGroupRequest, JoinGroupResponse};
use millrace_net::messages::leave_group::{
    LeaveGroupRequest, LeaveGroupResponse, MemberIdentity, MemberResponse,
};
use millrace_net::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use millrace_replication::Image;
use millrace_wire::Uuid;

use super::heartbeat::{Change, Entering, Planner, replacing};
use super::record::{ClassicMemberMetadata, ClassicProtocol};
use super::{ConsumerGroup, ConsumerMember, Held, MemberState, MemberTimer, TimerChange};
use crate::coordinator::ask::{Requester, refuse_join};
use crate::coordinator::join::MEMBER_ID_REQUIRED_FROM;
use crate::coordinator::subscription::{self, CONSUMER, Named, Subscription};

/// What becomes of timers when a request is answered.
pub(crate) type Timers = Vec<(Arc<str>, MemberTimer, TimerChange)>;

impl Planner<'_> {
    /// Decides what comes of a JoinGroup. An error is the answer.
    pub(crate) fn join(
        &self,
        request: &JoinGroupRequest,
        requester: &Requester,
        new_id: &str,
    ) -> Result<(Change, JoinGroupResponse), Box<JoinGroupResponse>> {
        let is_newcomer = request.member_id.is_empty();
        let id = if is_newcomer { new_id } else { &request.member_id };
        let refuse = |error| Box::new(refuse_join(&request.member_id, error));
        self.check_room(id).map_err(|it| refuse(it.error))?;
        if !self.supports(request) {
            return Err(refuse(ErrorCode::InconsistentGroupProtocol));
        }
        let is_static = request.group_instance_id.is_some();
        if is_newcomer && !is_static && requester.version >= MEMBER_ID_REQUIRED_FROM {
            return Err(Box::new(refuse_join(id, ErrorCode::MemberIdRequired)));
        }
        let entering = self.find_classic(request, id).map_err(refuse)?;
        let metadata = request.protocols.first().map(|it| it.metadata.clone()).unwrap_or_default();
        let Some(subscription) = subscription::parse(&metadata) else {
            // Kafka fails over it, and then does not say whom it answers.
            return Err(Box::new(refuse_join("", ErrorCode::UnknownServerError)));
        };
        let updated = joined(&entering.member, request, requester, &subscription);
        let owned = owned(&subscription.owned, self.image);
        let changed = self.change(&entering, updated, Some(&owned));
        let mut change = changed.map_err(|it| refuse(it.error))?;
        let member = Arc::clone(&change.member.id);
        let ms = |ms: i32| u64::try_from(ms).unwrap_or(0);
        change.timers.extend([
            (Arc::clone(&member), MemberTimer::Join, TimerChange::Cancel),
            (
                Arc::clone(&member),
                MemberTimer::Session,
                TimerChange::Set(ms(request.session_timeout_ms)),
            ),
            (
                Arc::clone(&member),
                MemberTimer::Sync,
                TimerChange::Set(ms(change.member.rebalance_timeout_ms)),
            ),
        ]);
        let response = JoinGroupResponse {
            generation_id: change.member.epoch,
            protocol_type: Some(CONSUMER.to_owned()),
            protocol_name: protocol_of(&change.member).map(str::to_owned),
            member_id: member.to_string(),
            ..JoinGroupResponse::default()
        };
        Ok((change, response))
    }

    /// The protocol type is that of consumers, and one of the protocols is spoken by all other
    /// classic members.
    fn supports(&self, request: &JoinGroupRequest) -> bool {
        let classic: Vec<&ClassicMemberMetadata> =
            self.group.members.values().filter_map(|member| member.classic.as_ref()).collect();
        let is_spoken = |name: &str| {
            let speaks = |it: &ClassicProtocol| it.name == name;
            classic.iter().all(|member| member.supported_protocols.iter().any(speaks))
        };
        request.protocol_type == CONSUMER && request.protocols.iter().any(|it| is_spoken(&it.name))
    }

    fn find_classic(&self, request: &JoinGroupRequest, id: &str) -> Result<Entering, ErrorCode> {
        let Some(instance) = &request.group_instance_id else {
            let member = self.member(id, true).map_err(|it| it.error)?;
            return Ok(Entering { member, replaced: None });
        };
        let known = self.group.static_member(instance);
        if request.member_id.is_empty() {
            return Ok(match known {
                Some(known) => replacing(known, id),
                None => Entering { member: ConsumerMember::new(Arc::from(id)), replaced: None },
            });
        }
        match known {
            None => Err(ErrorCode::UnknownMemberId),
            Some(known) if *known.id != *id => Err(ErrorCode::FencedInstanceId),
            Some(known) => Ok(Entering { member: known.clone(), replaced: None }),
        }
    }

    /// Answers a SyncGroup.
    pub(crate) fn sync(&self, request: &SyncGroupRequest) -> (SyncGroupResponse, Timers) {
        let instance = request.group_instance_id.as_deref();
        let found = self.classic_member(&request.member_id, instance, request.generation_id);
        let member = match found.and_then(|member| check_protocol(member, request)) {
            Ok(member) => member,
            Err(error) => {
                return (crate::coordinator::ask::refuse_sync(error), Timers::new());
            }
        };
        if self.group.epoch > member.epoch && member.state != MemberState::Unrevoked {
            let refused = crate::coordinator::ask::refuse_sync(ErrorCode::RebalanceInProgress);
            return (refused, vec![join_timer(member)]);
        }
        let response = SyncGroupResponse {
            protocol_type: Some(CONSUMER.to_owned()),
            protocol_name: protocol_of(member).map(str::to_owned),
            assignment: assignment(member, self.image),
            ..SyncGroupResponse::default()
        };
        let sync = (Arc::clone(&member.id), MemberTimer::Sync, TimerChange::Cancel);
        (response, vec![sync, session_timer(member)])
    }

    /// Answers a Heartbeat.
    pub(crate) fn beat(&self, request: &HeartbeatRequest) -> (HeartbeatResponse, Timers) {
        let instance = request.group_instance_id.as_deref();
        let answer = |error: ErrorCode| HeartbeatResponse {
            error_code: error.code(),
            ..HeartbeatResponse::default()
        };
        match self.classic_member(&request.member_id, instance, request.generation_id) {
            Err(error) => (answer(error), Timers::new()),
            Ok(member) if self.must_join_again(member) => (
                answer(ErrorCode::RebalanceInProgress),
                vec![session_timer(member), join_timer(member)],
            ),
            Ok(member) => (answer(ErrorCode::None), vec![session_timer(member)]),
        }
    }

    /// The group went on without it, or there is something to give up, or what it waits for has
    /// been given up.
    fn must_join_again(&self, member: &ConsumerMember) -> bool {
        let group = self.group;
        let is_free = |topic: Uuid, partition: i32| group.holder(topic, partition).is_none();
        match member.state {
            MemberState::Unrevoked => true,
            MemberState::Unreleased if member.epoch >= group.epoch => {
                let target = group.targets.get(&member.id).into_iter().flatten();
                let mut missing = target
                    .flat_map(|(topic, it)| it.iter().map(|it| (*topic, *it)))
                    .filter(|(topic, it)| member.held_since(*topic, *it).is_none());
                missing.all(|(topic, partition)| is_free(topic, partition))
            }
            MemberState::Stable | MemberState::Unreleased | MemberState::Unknown => {
                member.epoch < group.epoch
            }
        }
    }

    fn classic_member(
        &self,
        id: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<&ConsumerMember, ErrorCode> {
        let member = self.identified(id, instance)?;
        if member.classic.is_none() {
            return Err(ErrorCode::UnknownMemberId);
        }
        if member.epoch != generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        Ok(member)
    }

    fn identified(&self, id: &str, instance: Option<&str>) -> Result<&ConsumerMember, ErrorCode> {
        let Some(instance) = instance else {
            return self.group.members.get(id).ok_or(ErrorCode::UnknownMemberId);
        };
        match self.group.static_member(instance) {
            None => Err(ErrorCode::UnknownMemberId),
            Some(known) if *known.id != *id => Err(ErrorCode::FencedInstanceId),
            Some(known) => Ok(known),
        }
    }

    /// Answers a LeaveGroup: the answer, and who goes.
    pub(crate) fn leave_classic(
        &self,
        request: &LeaveGroupRequest,
    ) -> (LeaveGroupResponse, BTreeSet<Arc<str>>) {
        let mut gone = BTreeSet::new();
        let members = request.members.iter().map(|member| {
            let error = match self.leaving_classic(member) {
                Ok(id) => {
                    gone.insert(Arc::clone(id));
                    ErrorCode::None
                }
                Err(error) => error,
            };
            MemberResponse {
                member_id: member.member_id.clone(),
                group_instance_id: member.group_instance_id.clone(),
                error_code: error.code(),
            }
        });
        let members = members.collect();
        (LeaveGroupResponse { members, ..LeaveGroupResponse::default() }, gone)
    }

    /// An administrator takes a static member out by its instance id alone.
    fn leaving_classic(&self, member: &MemberIdentity) -> Result<&Arc<str>, ErrorCode> {
        let instance = member.group_instance_id.as_deref();
        let found = match instance {
            Some(instance) if member.member_id.is_empty() => {
                self.group.static_member(instance).ok_or(ErrorCode::UnknownMemberId)
            }
            _ => self.identified(&member.member_id, instance),
        };
        found.map(|member| &member.id)
    }
}

/// What a sync says of the protocol is what the join's answer said.
fn check_protocol<'a>(
    member: &'a ConsumerMember,
    request: &SyncGroupRequest,
) -> Result<&'a ConsumerMember, ErrorCode> {
    let is_other =
        |said: &Option<String>, is: Option<&str>| said.is_some() && said.as_deref() != is;
    if is_other(&request.protocol_type, Some(CONSUMER))
        || is_other(&request.protocol_name, protocol_of(member))
    {
        return Err(ErrorCode::InconsistentGroupProtocol);
    }
    Ok(member)
}

/// A member as its join has it.
fn joined(
    before: &ConsumerMember,
    request: &JoinGroupRequest,
    requester: &Requester,
    subscription: &Subscription,
) -> ConsumerMember {
    let protocols = request.protocols.iter().map(|it| ClassicProtocol {
        name: it.name.clone(),
        metadata: Bytes::copy_from_slice(&it.metadata),
    });
    let mut member = before.clone();
    if let Some(instance) = &request.group_instance_id {
        member.instance = Some(instance.clone());
    }
    if let Some(rack) = &subscription.rack {
        member.rack = Some(rack.clone());
    }
    // Version 0 has one time-out for both.
    member.rebalance_timeout_ms = if request.rebalance_timeout_ms < 0 {
        request.session_timeout_ms
    } else {
        request.rebalance_timeout_ms
    };
    member.topics = subscription.topics.iter().cloned().collect();
    member.regex.clear();
    member.client_id.clone_from(&requester.client_id);
    member.client_host.clone_from(&requester.client_host);
    member.classic = Some(ClassicMemberMetadata {
        session_timeout_ms: request.session_timeout_ms,
        supported_protocols: protocols.collect(),
    });
    member
}

/// Partitions by topic id; topics that are gone are left out.
fn owned(named: &Named, image: &Image) -> Vec<TopicPartitions> {
    let topics = named.iter().filter_map(|(name, partitions)| {
        let topic_id = image.topic(name)?.id;
        Some(TopicPartitions { topic_id, partitions: partitions.clone() })
    });
    topics.collect()
}

/// The protocol that a classic member is told: its own favourite, as nobody else needs it.
fn protocol_of(member: &ConsumerMember) -> Option<&str> {
    let protocols = member.classic.as_ref()?.supported_protocols.first();
    protocols.map(|protocol| protocol.name.as_str())
}

fn session_timer(member: &ConsumerMember) -> (Arc<str>, MemberTimer, TimerChange) {
    let ms = member.classic.as_ref().map_or(0, |it| it.session_timeout_ms);
    let ms = u64::try_from(ms).unwrap_or(0);
    (Arc::clone(&member.id), MemberTimer::Session, TimerChange::Set(ms))
}

fn join_timer(member: &ConsumerMember) -> (Arc<str>, MemberTimer, TimerChange) {
    let ms = u64::try_from(member.rebalance_timeout_ms).unwrap_or(0);
    (Arc::clone(&member.id), MemberTimer::Join, TimerChange::SetOnce(ms))
}

/// What a classic member holds, as consumers of its version read it.
pub(crate) fn assignment(member: &ConsumerMember, image: &Image) -> Bytes {
    let first = member.classic.as_ref().and_then(|it| it.supported_protocols.first());
    let version = first.and_then(|it| subscription::parse(&it.metadata)).map_or(0, |it| it.version);
    let named: Vec<(&str, Vec<i32>)> = member
        .assigned
        .iter()
        .filter_map(|(topic, partitions)| {
            let topic = image.topic_by_id(*topic)?;
            Some((topic.name.as_ref(), partitions.keys().copied().collect()))
        })
        .collect();
    subscription::write_assignment(version, &named)
}

/// Partitions by topic id and the epoch they were given in; none that another member has.
pub(crate) fn held(group: &ConsumerGroup, named: &Named, epoch: i32, image: &Image) -> Held {
    let mut held = Held::new();
    for (name, partitions) in named {
        let Some(topic) = image.topic(name) else { continue };
        for partition in partitions {
            if group.holder(topic.id, *partition).is_none() {
                held.entry(topic.id).or_default().insert(*partition, epoch);
            }
        }
    }
    held
}

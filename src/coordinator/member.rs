//! One member of a classic group.

use std::sync::Arc;

use bytes::Bytes;
use millrace_io::Mono;
use millrace_net::messages::join_group::JoinGroupRequest;

use super::ask::Requester;
use super::record::MemberValue;
use crate::ticket::Ticket;

/// Names a member within its group. Rises with every new member; a static member that returns
/// under a new member id keeps its number.
pub(super) type MemberNumber = u32;

/// See the file's head.
#[derive(Debug)]
pub(super) struct Member {
    pub id: Arc<str>,
    /// Set for a static member.
    pub instance: Option<Arc<str>>,
    pub client_id: String,
    pub client_host: String,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    /// Protocol names with their metadata, the member's favourite first.
    pub protocols: Vec<(String, Bytes)>,
    pub assignment: Bytes,
    /// It has not been answered yet, so it knows no member id and cannot heartbeat.
    pub is_new: bool,
    /// Its JoinGroup that waits for the others.
    pub awaiting_join: Option<Ticket>,
    /// Its SyncGroup that waits for the leader's.
    pub awaiting_sync: Option<Ticket>,
    /// When it is taken for dead.
    pub deadline: Option<Mono>,
}

impl Member {
    pub(super) fn new(id: Arc<str>, request: &JoinGroupRequest, requester: &Requester) -> Self {
        let mut member = Self {
            id,
            instance: request.group_instance_id.as_deref().map(Arc::from),
            client_id: requester.client_id.clone(),
            client_host: requester.client_host.clone(),
            session_timeout_ms: 0,
            rebalance_timeout_ms: 0,
            protocols: Vec::new(),
            assignment: Bytes::new(),
            is_new: true,
            awaiting_join: None,
            awaiting_sync: None,
            deadline: None,
        };
        member.set_protocols_of(request);
        member
    }

    /// A member as the log has it. Its other protocols are lost until it joins again.
    pub(super) fn from_record(value: &MemberValue, protocol: &str) -> Self {
        Self {
            id: Arc::from(value.member_id.as_str()),
            instance: value.group_instance_id.as_deref().map(Arc::from),
            client_id: value.client_id.clone(),
            client_host: value.client_host.clone(),
            session_timeout_ms: value.session_timeout,
            rebalance_timeout_ms: value.rebalance_timeout,
            protocols: vec![(protocol.to_owned(), value.subscription.clone())],
            assignment: value.assignment.clone(),
            is_new: false,
            awaiting_join: None,
            awaiting_sync: None,
            deadline: None,
        }
    }

    /// The member as the log shall have it; `assignment` may be ahead of its own.
    pub(super) fn to_record(&self, protocol: &str, assignment: Bytes) -> MemberValue {
        MemberValue {
            member_id: self.id.to_string(),
            group_instance_id: self.instance.as_deref().map(str::to_owned),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            rebalance_timeout: self.rebalance_timeout_ms,
            session_timeout: self.session_timeout_ms,
            subscription: self.metadata(protocol),
            assignment,
        }
    }

    /// Takes protocols and time-outs from a join.
    pub(super) fn set_protocols_of(&mut self, request: &JoinGroupRequest) {
        self.protocols = protocols_of(request);
        self.session_timeout_ms = request.session_timeout_ms;
        // Version 0 has one time-out for both.
        self.rebalance_timeout_ms = if request.rebalance_timeout_ms < 0 {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        };
    }

    /// Its metadata for a protocol; empty if it does not speak it.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|(name, _)| name == protocol);
        found.map(|(_, metadata)| metadata.clone()).unwrap_or_default()
    }

    /// True if a join says nothing new about protocols.
    pub(super) fn matches(&self, request: &JoinGroupRequest) -> bool {
        self.protocols.len() == request.protocols.len()
            && self
                .protocols
                .iter()
                .zip(&request.protocols)
                .all(|((name, metadata), new)| *name == new.name && *metadata == new.metadata)
    }

    /// A member whose request waits here is alive without heartbeats.
    pub(super) const fn is_waiting(&self) -> bool {
        self.awaiting_join.is_some() || self.awaiting_sync.is_some()
    }
}

/// A join's protocols, copied out of the request's frame.
fn protocols_of(request: &JoinGroupRequest) -> Vec<(String, Bytes)> {
    let protocols = request.protocols.iter();
    protocols.map(|it| (it.name.clone(), it.metadata.clone())).collect()
}

//! Groups that change their protocol while they have members.
//!
//! ```text
//!            a consumer joins: members stay, with what they have
//!   classic ─────────────────────────────────────────────────────▶ consumer
//!            ◀─────────────────────────────────────────────────────
//!              the last member that speaks the new protocol leaves
//! ```
//!
//! Either way is one batch of records: tombstones of the one kind, records of the other.
//! Source: KIP-848.

use std::collections::BTreeSet;
use std::sync::Arc;

use millrace_replication::Image;

use super::classic::{assignment, held};
use super::heartbeat::Planner;
use super::member::target_record;
use super::record::{ClassicMemberMetadata, ClassicProtocol, ConsumerRecord};
use super::{ConsumerGroup, ConsumerMember};
use crate::coordinator::config::GroupConfig;
use crate::coordinator::group::Group;
use crate::coordinator::record::{GroupRecord, GroupValue, MemberValue};
use crate::coordinator::subscription::{self, CONSUMER};

/// The consumer group that a classic group with members turns into; none if it may not, if its
/// members' metadata are not those of consumers, or if their assignments hold user data of an
/// assignor, which would be lost.
pub(crate) fn upgraded(
    group: &Group,
    config: &GroupConfig,
    image: &Image,
) -> Option<ConsumerGroup> {
    let is_allowed = config.consumer.migration.upgrades()
        && group.protocol_type.as_deref() == Some(CONSUMER)
        && group.members.len() <= config.consumer.size_max;
    if !is_allowed {
        return None;
    }
    let generation = group.generation.max(super::EPOCH_FIRST);
    let mut upgraded = ConsumerGroup::default();
    for classic in group.members.values() {
        let protocol = group.protocol_name.as_deref().filter(|it| !it.is_empty());
        let protocol = protocol.or_else(|| classic.protocols.first().map(|(it, _)| it.as_str()))?;
        let told = subscription::parse(&classic.metadata(protocol))?;
        let named = subscription::assigned(&classic.assignment)?;
        let mut member = ConsumerMember::new(Arc::clone(&classic.id));
        member.epoch = generation;
        member.previous_epoch = generation;
        member.instance = classic.instance.as_deref().map(str::to_owned);
        member.rack = told.rack;
        member.client_id.clone_from(&classic.client_id);
        member.client_host.clone_from(&classic.client_host);
        member.topics = told.topics.into_iter().collect();
        member.rebalance_timeout_ms = classic.rebalance_timeout_ms;
        member.assigned = held(&upgraded, &named, generation, image);
        let protocols = classic.protocols.iter().map(|(name, metadata)| ClassicProtocol {
            name: name.clone(),
            metadata: metadata.clone(),
        });
        member.classic = Some(ClassicMemberMetadata {
            session_timeout_ms: classic.session_timeout_ms,
            supported_protocols: protocols.collect(),
        });
        let assigned = member.assigned.iter();
        let target = assigned.map(|(topic, it)| (*topic, it.keys().copied().collect())).collect();
        let target = target_record(&member.id, &target);
        for record in [member.metadata_record(), target, member.current_record()] {
            upgraded.replay(&record);
        }
    }
    upgraded.replay(&ConsumerGroup::epoch_record(generation, 0));
    upgraded.replay(&ConsumerGroup::target_epoch_record(generation, 0));
    Some(upgraded)
}

impl ConsumerGroup {
    /// All there is of the group, as records.
    pub(crate) fn records(&self) -> Vec<ConsumerRecord> {
        let mut records = Vec::new();
        records.extend(self.members.values().map(ConsumerMember::metadata_record));
        records.push(Self::epoch_record(self.epoch, self.hash));
        records.extend(self.targets.iter().map(|(id, target)| target_record(id, target)));
        records.push(Self::target_epoch_record(self.target_epoch, self.target_at));
        records.extend(self.members.values().map(ConsumerMember::current_record));
        records
    }
}

impl Planner<'_> {
    /// The records that make a classic group of this one once `gone` have left; none if members
    /// of the new protocol are left, or nobody, or if it may not be.
    pub(crate) fn downgrade(&self, gone: &BTreeSet<Arc<str>>) -> Option<Vec<GroupRecord>> {
        let stay: Vec<&ConsumerMember> =
            self.group.members.values().filter(|member| !gone.contains(&member.id)).collect();
        let is_due = !stay.is_empty()
            && stay.iter().all(|member| member.classic.is_some())
            && self.config.consumer.migration.downgrades()
            && stay.len() <= self.config.size_max;
        if !is_due {
            return None;
        }
        let protocol = common_protocol(&stay)?;
        let members = stay.iter().map(|member| self.classic_record(member, &protocol)).collect();
        let value = GroupValue {
            protocol_type: CONSUMER.to_owned(),
            generation: self.group.epoch,
            protocol: Some(protocol),
            leader: stay.first().map(|member| member.id.to_string()),
            current_state_timestamp: self.now.wall.0,
            members,
        };
        let name = self.name.to_string();
        let tombstones = self.group.tombstones().into_iter();
        let tombstones = tombstones.map(|record| GroupRecord::Consumer(name.clone(), record));
        let classic = GroupRecord::Group(name.clone(), Some(value));
        Some(tombstones.chain(std::iter::once(classic)).collect())
    }

    fn classic_record(&self, member: &ConsumerMember, protocol: &str) -> MemberValue {
        let classic = member.classic.as_ref();
        let protocols = classic.map(|it| it.supported_protocols.as_slice()).unwrap_or_default();
        let spoken = protocols.iter().find(|it| it.name == protocol);
        MemberValue {
            member_id: member.id.to_string(),
            group_instance_id: member.instance.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout: member.rebalance_timeout_ms,
            session_timeout: classic.map_or(0, |it| it.session_timeout_ms),
            subscription: spoken.map(|it| it.metadata.clone()).unwrap_or_default(),
            assignment: assignment(member, self.image),
        }
    }
}

/// The first of the first member's protocols that all speak.
fn common_protocol(members: &[&ConsumerMember]) -> Option<String> {
    let protocols = |member: &ConsumerMember| {
        let classic = member.classic.as_ref();
        classic.map(|it| it.supported_protocols.clone()).unwrap_or_default()
    };
    let first = protocols(members.first()?);
    let is_spoken = |name: &str| {
        members.iter().all(|member| protocols(member).iter().any(|it| it.name == name))
    };
    first.into_iter().map(|it| it.name).find(|name| is_spoken(name))
}

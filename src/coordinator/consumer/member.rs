//! One member of a consumer group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace_wire::Uuid;

use super::record::{
    ClassicMemberMetadata, ConsumerRecord, CurrentValue, HeldPartitions, MemberValue,
    TargetPartitions, TargetValue,
};

/// Partitions by topic, each with the epoch in which its holder got it.
pub(crate) type Held = BTreeMap<Uuid, BTreeMap<i32, i32>>;

/// Partitions by topic.
pub(crate) type Target = BTreeMap<Uuid, BTreeSet<i32>>;

/// A member's epoch when it leaves.
pub(crate) const EPOCH_LEFT: i32 = -1;

/// A member's epoch while a static member is away.
pub(crate) const EPOCH_AWAY: i32 = -2;

/// How far a member is on its way to its target. Kafka's names and numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberState {
    /// It holds what its epoch gives it.
    Stable,
    /// It has yet to give up partitions; its epoch does not move before.
    Unrevoked,
    /// It is in its target's epoch, and waits for partitions that others have yet to give up.
    Unreleased,
    /// A newer broker wrote something else.
    Unknown,
}

impl MemberState {
    const fn code(self) -> i8 {
        match self {
            Self::Stable => 0,
            Self::Unrevoked => 1,
            Self::Unreleased => 2,
            Self::Unknown => 127,
        }
    }

    const fn from_code(code: i8) -> Self {
        match code {
            0 => Self::Stable,
            1 => Self::Unrevoked,
            2 => Self::Unreleased,
            _ => Self::Unknown,
        }
    }
}

/// See the file's head.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConsumerMember {
    pub id: Arc<str>,
    pub epoch: i32,
    /// The epoch before: a member whose last answer was lost still comes with it.
    pub previous_epoch: i32,
    pub state: MemberState,
    /// Set for a static member.
    pub instance: Option<String>,
    pub rack: Option<String>,
    pub client_id: String,
    pub client_host: String,
    /// Topics it subscribes to by name.
    pub topics: BTreeSet<String>,
    /// The regular expression it subscribes to; empty for none.
    pub regex: String,
    pub rebalance_timeout_ms: i32,
    pub assignor: Option<String>,
    /// Set while it speaks the classic protocol.
    pub classic: Option<ClassicMemberMetadata>,
    pub assigned: Held,
    /// What it has yet to give up.
    pub pending: Held,
}

impl ConsumerMember {
    pub(crate) fn new(id: Arc<str>) -> Self {
        Self {
            id,
            epoch: 0,
            previous_epoch: -1,
            state: MemberState::Stable,
            instance: None,
            rack: None,
            client_id: String::new(),
            client_host: String::new(),
            topics: BTreeSet::new(),
            regex: String::new(),
            rebalance_timeout_ms: -1,
            assignor: None,
            classic: None,
            assigned: Held::new(),
            pending: Held::new(),
        }
    }

    /// True if the member needs nothing more to be what the target epoch makes of it.
    pub(crate) fn is_reconciled_to(&self, epoch: i32) -> bool {
        self.state == MemberState::Stable && self.epoch == epoch
    }

    /// Enters an epoch; the one it was in is remembered.
    pub(crate) const fn enter_epoch(&mut self, epoch: i32) {
        self.previous_epoch = self.epoch;
        self.epoch = epoch;
    }

    /// The epoch in which it got a partition that it holds, or has yet to give up.
    pub(crate) fn held_since(&self, topic: Uuid, partition: i32) -> Option<i32> {
        let find = |held: &Held| held.get(&topic)?.get(&partition).copied();
        find(&self.assigned).or_else(|| find(&self.pending))
    }

    // Records.

    /// Takes in what the member told of itself.
    pub(crate) fn set_metadata(&mut self, value: &MemberValue) {
        self.instance.clone_from(&value.instance_id);
        self.rack.clone_from(&value.rack_id);
        self.client_id.clone_from(&value.client_id);
        self.client_host.clone_from(&value.client_host);
        self.topics = value.subscribed_topic_names.iter().cloned().collect();
        self.regex = value.subscribed_topic_regex.clone().unwrap_or_default();
        self.rebalance_timeout_ms = value.rebalance_timeout_ms;
        self.assignor.clone_from(&value.server_assignor);
        self.classic.clone_from(&value.classic_member_metadata);
    }

    /// Takes in what the member holds.
    pub(crate) fn set_current(&mut self, value: &CurrentValue) {
        self.epoch = value.member_epoch;
        self.previous_epoch = value.previous_member_epoch;
        self.state = MemberState::from_code(value.state);
        self.assigned = held_of(&value.assigned_partitions, value.member_epoch);
        self.pending = held_of(&value.partitions_pending_revocation, value.member_epoch);
    }

    /// The record of what it told of itself.
    pub(crate) fn metadata_record(&self) -> ConsumerRecord {
        let value = MemberValue {
            instance_id: self.instance.clone(),
            rack_id: self.rack.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            subscribed_topic_names: self.topics.iter().cloned().collect(),
            subscribed_topic_regex: Some(self.regex.clone()),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            server_assignor: self.assignor.clone(),
            classic_member_metadata: self.classic.clone(),
        };
        ConsumerRecord::Member(self.id.to_string(), Some(value))
    }

    /// The record of what it holds.
    pub(crate) fn current_record(&self) -> ConsumerRecord {
        let value = CurrentValue {
            member_epoch: self.epoch,
            previous_member_epoch: self.previous_epoch,
            state: self.state.code(),
            assigned_partitions: held_record(&self.assigned),
            partitions_pending_revocation: held_record(&self.pending),
        };
        ConsumerRecord::Current(self.id.to_string(), Some(value))
    }
}

fn held_of(topics: &[HeldPartitions], default_epoch: i32) -> Held {
    let mut held = Held::new();
    for topic in topics {
        let epochs = topic.assignment_epochs.as_deref().unwrap_or_default();
        let partitions = held.entry(topic.topic_id).or_default();
        for (at, partition) in topic.partitions.iter().enumerate() {
            partitions.insert(*partition, epochs.get(at).copied().unwrap_or(default_epoch));
        }
    }
    held
}

fn held_record(held: &Held) -> Vec<HeldPartitions> {
    let topics = held.iter().map(|(topic_id, partitions)| HeldPartitions {
        topic_id: *topic_id,
        partitions: partitions.keys().copied().collect(),
        assignment_epochs: Some(partitions.values().copied().collect()),
    });
    topics.collect()
}

/// The record of what a member is to hold.
pub(crate) fn target_record(member: &str, target: &Target) -> ConsumerRecord {
    let topics = target.iter().map(|(topic_id, partitions)| TargetPartitions {
        topic_id: *topic_id,
        partitions: partitions.iter().copied().collect(),
    });
    let value = TargetValue { topic_partitions: topics.collect() };
    ConsumerRecord::Target(member.to_owned(), Some(value))
}

/// What a record says that a member is to hold.
pub(crate) fn target_of(value: &TargetValue) -> Target {
    let topics = value.topic_partitions.iter();
    topics.map(|topic| (topic.topic_id, topic.partitions.iter().copied().collect())).collect()
}

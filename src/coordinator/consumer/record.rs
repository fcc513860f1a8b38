//! The records of a consumer group (KIP-848), as keys and values in Kafka's formats.
//!
//! A key starts with the record's type (i16), a value with its version; all are in version 0.

use millrace_wire::{Reader, WireError, Writer};

use crate::coordinator::records::consumer_group_current_member_assignment_key::ConsumerGroupCurrentMemberAssignmentKey as CurrentKey;
use crate::coordinator::records::consumer_group_member_metadata_key::ConsumerGroupMemberMetadataKey as MemberKey;
use crate::coordinator::records::consumer_group_metadata_key::ConsumerGroupMetadataKey as EpochKey;
use crate::coordinator::records::consumer_group_partition_metadata_key::ConsumerGroupPartitionMetadataKey as TopicsKey;
use crate::coordinator::records::consumer_group_regular_expression_key::ConsumerGroupRegularExpressionKey as RegexKey;
use crate::coordinator::records::consumer_group_target_assignment_member_key::ConsumerGroupTargetAssignmentMemberKey as TargetKey;
use crate::coordinator::records::consumer_group_target_assignment_metadata_key::ConsumerGroupTargetAssignmentMetadataKey as TargetEpochKey;

pub(crate) use crate::coordinator::records::consumer_group_current_member_assignment_value::{
    ConsumerGroupCurrentMemberAssignmentValue as CurrentValue, TopicPartitions as HeldPartitions,
};
pub(crate) use crate::coordinator::records::consumer_group_member_metadata_value::{
    ClassicMemberMetadata, ClassicProtocol, ConsumerGroupMemberMetadataValue as MemberValue,
};
pub(crate) use crate::coordinator::records::consumer_group_metadata_value::ConsumerGroupMetadataValue as EpochValue;
pub(crate) use crate::coordinator::records::consumer_group_partition_metadata_value::ConsumerGroupPartitionMetadataValue as TopicsValue;
pub(crate) use crate::coordinator::records::consumer_group_regular_expression_value::ConsumerGroupRegularExpressionValue as RegexValue;
pub(crate) use crate::coordinator::records::consumer_group_target_assignment_member_value::{
    ConsumerGroupTargetAssignmentMemberValue as TargetValue, TopicPartition as TargetPartitions,
};
pub(crate) use crate::coordinator::records::consumer_group_target_assignment_metadata_value::ConsumerGroupTargetAssignmentMetadataValue as TargetEpochValue;

/// The only version of every key and value.
const VERSION: i16 = 0;

/// What a record says of its group. A missing value is a tombstone.
#[derive(Clone, Debug, PartialEq)]
pub enum ConsumerRecord {
    /// The group's epoch; its tombstone ends the group.
    Epoch(Option<EpochValue>),
    /// The topics that the group saw: written by Kafka before 4.1, buried when met.
    Topics(Option<TopicsValue>),
    /// What a member told of itself, by its id.
    Member(String, Option<MemberValue>),
    /// Epoch of the target assignment.
    TargetEpoch(Option<TargetEpochValue>),
    /// What a member is to hold.
    Target(String, Option<TargetValue>),
    /// What a member holds.
    Current(String, Option<CurrentValue>),
    /// The topics that a regular expression stands for.
    Regex(String, Option<RegexValue>),
}

impl ConsumerRecord {
    /// True without a value.
    pub(crate) const fn is_tombstone(&self) -> bool {
        match self {
            Self::Epoch(value) => value.is_none(),
            Self::Topics(value) => value.is_none(),
            Self::Member(_, value) => value.is_none(),
            Self::TargetEpoch(value) => value.is_none(),
            Self::Target(_, value) => value.is_none(),
            Self::Current(_, value) => value.is_none(),
            Self::Regex(_, value) => value.is_none(),
        }
    }

    /// The key of the record of `group`.
    pub(crate) fn encode_key(&self, group: &str) -> Vec<u8> {
        let mut writer = Writer::new();
        let group_id = group.to_owned();
        match self {
            Self::Epoch(_) => {
                writer.i16(EpochKey::TYPE);
                EpochKey { group_id }.encode(&mut writer, VERSION);
            }
            Self::Topics(_) => {
                writer.i16(TopicsKey::TYPE);
                TopicsKey { group_id }.encode(&mut writer, VERSION);
            }
            Self::Member(member, _) => {
                writer.i16(MemberKey::TYPE);
                MemberKey { group_id, member_id: member.clone() }.encode(&mut writer, VERSION);
            }
            Self::TargetEpoch(_) => {
                writer.i16(TargetEpochKey::TYPE);
                TargetEpochKey { group_id }.encode(&mut writer, VERSION);
            }
            Self::Target(member, _) => {
                writer.i16(TargetKey::TYPE);
                TargetKey { group_id, member_id: member.clone() }.encode(&mut writer, VERSION);
            }
            Self::Current(member, _) => {
                writer.i16(CurrentKey::TYPE);
                CurrentKey { group_id, member_id: member.clone() }.encode(&mut writer, VERSION);
            }
            Self::Regex(regex, _) => {
                writer.i16(RegexKey::TYPE);
                let regular_expression = regex.clone();
                RegexKey { group_id, regular_expression }.encode(&mut writer, VERSION);
            }
        }
        writer.into_vec()
    }

    /// The value; `None` for a tombstone.
    pub(crate) fn encode_value(&self) -> Option<Vec<u8>> {
        let mut writer = Writer::new();
        writer.i16(VERSION);
        match self {
            Self::Epoch(value) => value.as_ref()?.encode(&mut writer, VERSION),
            Self::Topics(value) => value.as_ref()?.encode(&mut writer, VERSION),
            Self::Member(_, value) => value.as_ref()?.encode(&mut writer, VERSION),
            Self::TargetEpoch(value) => value.as_ref()?.encode(&mut writer, VERSION),
            Self::Target(_, value) => value.as_ref()?.encode(&mut writer, VERSION),
            Self::Current(_, value) => value.as_ref()?.encode(&mut writer, VERSION),
            Self::Regex(_, value) => value.as_ref()?.encode(&mut writer, VERSION),
        }
        Some(writer.into_vec())
    }

    /// Reads a record of type `kind` whose key lies in `key` behind the type: the group's name,
    /// and what is said. `Ok(None)` if it is not about a consumer group.
    pub(crate) fn decode(
        kind: i16,
        key: &mut Reader<'_>,
        value: Option<&[u8]>,
    ) -> Result<Option<(String, Self)>, WireError> {
        let (group, record) = match kind {
            EpochKey::TYPE => {
                let key = EpochKey::decode(key, VERSION)?;
                (key.group_id, Self::Epoch(decode_value(value, EpochValue::decode)?))
            }
            TopicsKey::TYPE => {
                let key = TopicsKey::decode(key, VERSION)?;
                (key.group_id, Self::Topics(decode_value(value, TopicsValue::decode)?))
            }
            MemberKey::TYPE => {
                let key = MemberKey::decode(key, VERSION)?;
                let value = decode_value(value, MemberValue::decode)?;
                (key.group_id, Self::Member(key.member_id, value))
            }
            TargetEpochKey::TYPE => {
                let key = TargetEpochKey::decode(key, VERSION)?;
                (key.group_id, Self::TargetEpoch(decode_value(value, TargetEpochValue::decode)?))
            }
            TargetKey::TYPE => {
                let key = TargetKey::decode(key, VERSION)?;
                let value = decode_value(value, TargetValue::decode)?;
                (key.group_id, Self::Target(key.member_id, value))
            }
            CurrentKey::TYPE => {
                let key = CurrentKey::decode(key, VERSION)?;
                let value = decode_value(value, CurrentValue::decode)?;
                (key.group_id, Self::Current(key.member_id, value))
            }
            RegexKey::TYPE => {
                let key = RegexKey::decode(key, VERSION)?;
                let value = decode_value(value, RegexValue::decode)?;
                (key.group_id, Self::Regex(key.regular_expression, value))
            }
            _ => return Ok(None),
        };
        Ok(Some((group, record)))
    }
}

fn decode_value<V>(
    bytes: Option<&[u8]>,
    decode: impl FnOnce(&mut Reader<'_>, i16) -> Result<V, WireError>,
) -> Result<Option<V>, WireError> {
    let Some(bytes) = bytes else { return Ok(None) };
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?;
    decode(&mut reader, version).map(Some)
}

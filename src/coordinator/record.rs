//! The records of `__consumer_offsets` that a coordinator writes and reads, as keys and values.
//!
//! A key starts with the record's type (i16), a value with its version. Written are the versions
//! that Kafka 4.3 writes: offset values in version 4 (1 when the client chose the retention),
//! group values in version 3. Everything older is read. Source: KIP-211, KIP-345, KIP-848.

use millrace_wire::{Reader, WireError, Writer, field};

pub use super::records::group_metadata_value::{
    GroupMetadataValue as GroupValue, MemberMetadata as MemberValue,
};
pub use super::records::offset_commit_key::OffsetCommitKey as OffsetKey;
pub use super::records::offset_commit_value::OffsetCommitValue as OffsetValue;

pub use super::consumer::record::ConsumerRecord;

use super::records::group_metadata_key::GroupMetadataKey;

/// Offset keys of Kafka before 0.9; laid out as those of today.
const OFFSET_TYPE_OLD: i16 = 0;
/// No key has a second version: their type is their version.
const KEY_VERSION: i16 = 0;
const OFFSET_VALUE_VERSION: i16 = 4;
/// The only one that holds an expiry time.
const OFFSET_VALUE_VERSION_EXPIRING: i16 = 1;
const GROUP_VALUE_VERSION: i16 = 3;
/// An [`OffsetValue::expire_timestamp`] that leaves expiry to the broker.
pub(super) const NEVER: i64 = -1;

/// A record of the internal topic. A missing value is a tombstone.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupRecord {
    /// What a group has committed for a partition.
    Offset(OffsetKey, Option<OffsetValue>),
    /// A classic group, by its name.
    Group(String, Option<GroupValue>),
    /// Something about a consumer group, by its name.
    Consumer(String, ConsumerRecord),
}

impl GroupRecord {
    /// The record's key.
    pub fn encode_key(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        match self {
            Self::Offset(key, _) => return encode_offset_key(key),
            Self::Group(group, _) => {
                writer.i16(GroupMetadataKey::TYPE);
                GroupMetadataKey { group: group.clone() }.encode(&mut writer, KEY_VERSION);
            }
            Self::Consumer(group, record) => return record.encode_key(group),
        }
        writer.into_vec()
    }

    /// The record's value; `None` for a tombstone.
    pub fn encode_value(&self) -> Option<Vec<u8>> {
        let mut writer = Writer::new();
        match self {
            Self::Offset(_, value) => return value.as_ref().map(encode_offset_value),
            Self::Group(_, value) => {
                writer.i16(GROUP_VALUE_VERSION);
                value.as_ref()?.encode(&mut writer, GROUP_VALUE_VERSION);
            }
            Self::Consumer(_, record) => return record.encode_value(),
        }
        Some(writer.into_vec())
    }

    /// Reads a record. `Ok(None)` for types of records that this broker does not know: a newer
    /// one may have written them.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Option<Self>, WireError> {
        let mut reader = Reader::new(key);
        match reader.i16()? {
            OFFSET_TYPE_OLD | OffsetKey::TYPE => {
                let key = OffsetKey::decode(&mut reader, KEY_VERSION)?;
                Ok(Some(Self::Offset(key, value.map(decode_offset).transpose()?)))
            }
            GroupMetadataKey::TYPE => {
                let key = GroupMetadataKey::decode(&mut reader, KEY_VERSION)?;
                Ok(Some(Self::Group(key.group, value.map(decode_group).transpose()?)))
            }
            kind => {
                let record = ConsumerRecord::decode(kind, &mut reader, value)?;
                Ok(record.map(|(group, record)| Self::Consumer(group, record)))
            }
        }
    }
}

/// An offset's key, in the bytes it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetKeyRef<'a> {
    pub group: &'a str,
    pub topic: &'a str,
    pub partition: i32,
}

impl<'a> OffsetKeyRef<'a> {
    /// Reads one; none if the key is another one's.
    pub(super) fn decode(key: &'a [u8]) -> Result<Option<Self>, WireError> {
        let mut reader = Reader::new(key);
        if !matches!(reader.i16()?, OFFSET_TYPE_OLD | OffsetKey::TYPE) {
            return Ok(None);
        }
        let group = field::not_null(reader.nullable_string()?)?;
        let topic = field::not_null(reader.nullable_string()?)?;
        Ok(Some(Self { group, topic, partition: reader.i32()? }))
    }

    pub(super) fn to_owned(self) -> OffsetKey {
        let (group, topic) = (self.group.to_owned(), self.topic.to_owned());
        OffsetKey { group, topic, partition: self.partition }
    }
}

pub(super) fn encode_offset_key(key: &OffsetKey) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.i16(OffsetKey::TYPE);
    key.encode(&mut writer, KEY_VERSION);
    writer.into_vec()
}

pub(super) fn encode_offset_value(value: &OffsetValue) -> Vec<u8> {
    let mut writer = Writer::new();
    let version = if value.expire_timestamp == NEVER {
        OFFSET_VALUE_VERSION
    } else {
        OFFSET_VALUE_VERSION_EXPIRING
    };
    writer.i16(version);
    value.encode(&mut writer, version);
    writer.into_vec()
}

pub(super) fn decode_offset(bytes: &[u8]) -> Result<OffsetValue, WireError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?;
    OffsetValue::decode(&mut reader, version)
}

fn decode_group(bytes: &[u8]) -> Result<GroupValue, WireError> {
    let mut reader = Reader::new(bytes);
    let version = reader.i16()?;
    let mut group = GroupValue::decode(&mut reader, version)?;
    if version == 0 {
        // Version 0 has one time-out for both.
        for member in &mut group.members {
            member.rebalance_timeout = member.session_timeout;
        }
    }
    Ok(group)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records that Apache Kafka 4.3.1 wrote for kafka-python consumers, as key and value.
    const GOLDEN: &str = include_str!("testdata/kafka_records.txt");

    fn from_hex(text: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
        (0..text.len()).step_by(2).map(digit).collect()
    }

    fn golden() -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let lines = GOLDEN.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        lines
            .map(|line| {
                let (key, value) = line.split_once(' ').expect("a key and a value");
                (from_hex(key), (value != "None").then(|| from_hex(value)))
            })
            .collect()
    }

    #[test]
    fn kafkas_own_records_are_read_and_written_to_the_byte() {
        let golden = golden();
        assert_eq!(golden.len(), 9, "the fixture has lost records");
        for (key, value) in golden {
            let record = GroupRecord::decode(&key, value.as_deref()).expect("reads");
            let record = record.expect("a known kind");
            assert_eq!(record.encode_key(), key, "{record:?}");
            assert_eq!(record.encode_value(), value, "{record:?}");
        }
    }

    #[test]
    fn kafkas_records_mean_what_the_client_did() {
        let records: Vec<_> = golden()
            .iter()
            .filter_map(|(key, value)| GroupRecord::decode(key, value.as_deref()).expect("reads"))
            .collect();
        let GroupRecord::Group(_, Some(group)) = &records[2] else { panic!("{:?}", records[2]) };
        assert_eq!((group.generation, group.members.len()), (2, 1));
        assert_eq!(group.members[0].group_instance_id.as_deref(), Some("gold-static"));
        assert_eq!(group.members[0].client_host, "/127.0.0.1");
        let GroupRecord::Offset(key, Some(value)) = &records[3] else { panic!("{:?}", records[3]) };
        assert_eq!((key.topic.as_str(), key.partition, value.offset), ("gold-topic", 0, 20));
        assert_eq!(value.metadata, "méta");
        assert!(!value.topic_id.is_zero());
    }

    #[test]
    fn an_expiring_offset_survives_writing_and_reading() {
        let key = OffsetKey { group: "g".to_owned(), topic: "t".to_owned(), partition: 3 };
        let value = OffsetValue {
            offset: 9,
            leader_epoch: -1,
            commit_timestamp: 5,
            expire_timestamp: 77,
            ..OffsetValue::default()
        };
        let record = GroupRecord::Offset(key, Some(value));
        let read = GroupRecord::decode(&record.encode_key(), record.encode_value().as_deref());
        assert_eq!(read, Ok(Some(record)));
    }

    #[test]
    fn unknown_kinds_are_passed_over_and_damage_is_told() {
        assert_eq!(GroupRecord::decode(&[0, 99], None), Ok(None));
        assert!(GroupRecord::decode(&[0, 2, 0, 9], None).is_err());
        let key = GroupRecord::Group("g".to_owned(), None).encode_key();
        assert!(GroupRecord::decode(&key, Some(&[0, 9])).is_err());
    }
}

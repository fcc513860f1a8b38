//! Fetch, versions 4 to 18.
//!
//! Reads record batches from partitions; consumers and followers.
//! Generated from `net/schema/fetch.txt` by millrace-codegen; not edited by hand.

#![allow(
    clippy::derivable_impls,
    clippy::field_reassign_with_default,
    clippy::single_match,
    clippy::single_match_else,
    clippy::too_many_lines,
    reason = "generated: one shape for every message"
)]

use crate::api_key::ApiKey;
use crate::message::{Message, Request};
use bytes::Bytes;
use millrace_wire::field::Form;
use millrace_wire::{Reader, Uuid, WireError, Writer, field};

/// Reads record batches from partitions; consumers and followers.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchRequest {
    /// Versions 12 to 18; may be null; tag 0; `null` unless stated.
    pub cluster_id: Option<String>,
    /// Versions 4 to 14; `-1` unless stated.
    pub replica_id: i32,
    /// Versions 15 to 18; tag 1.
    pub replica_state: ReplicaState,
    /// All versions.
    pub max_wait_ms: i32,
    /// All versions.
    pub min_bytes: i32,
    /// All versions; `2147483647` unless stated.
    pub max_bytes: i32,
    /// All versions.
    pub isolation_level: i8,
    /// Versions 7 to 18.
    pub session_id: i32,
    /// Versions 7 to 18; `-1` unless stated.
    pub session_epoch: i32,
    /// All versions.
    pub topics: Vec<FetchTopic>,
    /// Versions 7 to 18.
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Versions 11 to 18.
    pub rack_id: String,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: -1,
            replica_state: ReplicaState::default(),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: i32::MAX,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
            rack_id: String::new(),
        }
    }
}

impl FetchRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 4;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 18;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 12;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("FetchRequest has no such version"));
        }
        let form = field::form(version, 12);
        let mut it = Self::default();
        if version <= 14 {
            it.replica_id = reader.i32()?;
        }
        it.max_wait_ms = reader.i32()?;
        it.min_bytes = reader.i32()?;
        it.max_bytes = reader.i32()?;
        it.isolation_level = reader.i8()?;
        if version >= 7 {
            it.session_id = reader.i32()?;
        }
        if version >= 7 {
            it.session_epoch = reader.i32()?;
        }
        it.topics = field::read_array(reader, form, 3, |reader| {
            FetchTopic::decode(reader, version)
        })?;
        if version >= 7 {
            it.forgotten_topics_data = field::read_array(reader, form, 3, |reader| {
                ForgottenTopic::decode(reader, version)
            })?;
        }
        if version >= 11 {
            it.rack_id = field::read_string(reader, form)?;
        }
        if form == Form::Compact {
            reader.tagged_fields(|tag, reader| {
                match tag {
                    0 => it.cluster_id = field::read_nullable_string(reader, form)?,
                    1 if version >= 15 => it.replica_state = ReplicaState::decode(reader, version)?,
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(it)
    }

    /// Appends the message in `version`; fields that `version` lacks are not written.
    ///
    /// A null where `version` knows none is written as the empty value. An unknown version is our
    /// own fault.
    pub fn encode(&self, writer: &mut Writer, version: i16) {
        assert!(
            (Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version),
            "FetchRequest has no version {version}"
        );
        let form = field::form(version, 12);
        if version <= 14 {
            writer.i32(self.replica_id);
        }
        writer.i32(self.max_wait_ms);
        writer.i32(self.min_bytes);
        writer.i32(self.max_bytes);
        writer.i8(self.isolation_level);
        if version >= 7 {
            writer.i32(self.session_id);
        }
        if version >= 7 {
            writer.i32(self.session_epoch);
        }
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 7 {
            field::write_array(writer, form, &self.forgotten_topics_data, |writer, item| {
                item.encode(writer, version);
            });
        }
        if version >= 11 {
            field::write_string(writer, form, &self.rack_id);
        }
        if form == Form::Compact {
            let mut tagged = field::TaggedFields::new();
            if self.cluster_id.is_some() {
                tagged.add(0, |writer| {
                    field::write_nullable_string(writer, form, self.cluster_id.as_deref());
                });
            }
            if version >= 15 && self.replica_state != ReplicaState::default() {
                tagged.add(1, |writer| {
                    self.replica_state.encode(writer, version);
                });
            }
            tagged.finish(writer);
        }
    }
}

/// Reads record batches from partitions; consumers and followers.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// Versions 7 to 18.
    pub error_code: i16,
    /// Versions 7 to 18.
    pub session_id: i32,
    /// All versions.
    pub responses: Vec<FetchableTopicResponse>,
    /// Versions 16 to 18; tag 0.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Default for FetchResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            session_id: 0,
            responses: Vec::new(),
            node_endpoints: Vec::new(),
        }
    }
}

impl FetchResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 4;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 18;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 12;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("FetchResponse has no such version"));
        }
        let form = field::form(version, 12);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        if version >= 7 {
            it.error_code = reader.i16()?;
        }
        if version >= 7 {
            it.session_id = reader.i32()?;
        }
        it.responses = field::read_array(reader, form, 3, |reader| {
            FetchableTopicResponse::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.tagged_fields(|tag, reader| {
                match tag {
                    0 if version >= 16 => it.node_endpoints = field::read_array(reader, form, 11, |reader| {
                        NodeEndpoint::decode(reader, version)
                    })?,
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(it)
    }

    /// Appends the message in `version`; fields that `version` lacks are not written.
    ///
    /// A null where `version` knows none is written as the empty value. An unknown version is our
    /// own fault.
    pub fn encode(&self, writer: &mut Writer, version: i16) {
        assert!(
            (Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version),
            "FetchResponse has no version {version}"
        );
        let form = field::form(version, 12);
        writer.i32(self.throttle_time_ms);
        if version >= 7 {
            writer.i16(self.error_code);
        }
        if version >= 7 {
            writer.i32(self.session_id);
        }
        field::write_array(writer, form, &self.responses, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            let mut tagged = field::TaggedFields::new();
            if version >= 16 && !self.node_endpoints.is_empty() {
                tagged.add(0, |writer| {
                    field::write_array(writer, form, &self.node_endpoints, |writer, item| {
                        item.encode(writer, version);
                    });
                });
            }
            tagged.finish(writer);
        }
    }
}

/// Part of Fetch, versions 15 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    /// All versions; `-1` unless stated.
    pub replica_id: i32,
    /// All versions; `-1` unless stated.
    pub replica_epoch: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: -1,
            replica_epoch: -1,
        }
    }
}

impl ReplicaState {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.replica_id = reader.i32()?;
        it.replica_epoch = reader.i64()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.replica_id);
        writer.i64(self.replica_epoch);
        writer.no_tagged_fields();
    }
}

/// Part of Fetch.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchTopic {
    /// Versions 4 to 12.
    pub topic: String,
    /// Versions 13 to 18.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<FetchPartition>,
}

impl Default for FetchTopic {
    fn default() -> Self {
        Self {
            topic: String::new(),
            topic_id: Uuid::ZERO,
            partitions: Vec::new(),
        }
    }
}

impl FetchTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 12);
        let mut it = Self::default();
        if version <= 12 {
            it.topic = field::read_string(reader, form)?;
        }
        if version >= 13 {
            it.topic_id = reader.uuid()?;
        }
        it.partitions = field::read_array(reader, form, 16, |reader| {
            FetchPartition::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 12);
        if version <= 12 {
            field::write_string(writer, form, &self.topic);
        }
        if version >= 13 {
            writer.uuid(self.topic_id);
        }
        field::write_array(writer, form, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Fetch.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchPartition {
    /// All versions.
    pub partition: i32,
    /// Versions 9 to 18; `-1` unless stated.
    pub current_leader_epoch: i32,
    /// All versions.
    pub fetch_offset: i64,
    /// Versions 12 to 18; `-1` unless stated.
    pub last_fetched_epoch: i32,
    /// Versions 5 to 18; `-1` unless stated.
    pub log_start_offset: i64,
    /// All versions.
    pub partition_max_bytes: i32,
    /// Versions 17 to 18; tag 0.
    pub replica_directory_id: Uuid,
    /// Version 18; tag 1; `9223372036854775807` unless stated.
    pub high_watermark: i64,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 0,
            replica_directory_id: Uuid::ZERO,
            high_watermark: i64::MAX,
        }
    }
}

impl FetchPartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 12);
        let mut it = Self::default();
        it.partition = reader.i32()?;
        if version >= 9 {
            it.current_leader_epoch = reader.i32()?;
        }
        it.fetch_offset = reader.i64()?;
        if version >= 12 {
            it.last_fetched_epoch = reader.i32()?;
        }
        if version >= 5 {
            it.log_start_offset = reader.i64()?;
        }
        it.partition_max_bytes = reader.i32()?;
        if form == Form::Compact {
            reader.tagged_fields(|tag, reader| {
                match tag {
                    0 if version >= 17 => it.replica_directory_id = reader.uuid()?,
                    1 if version == 18 => it.high_watermark = reader.i64()?,
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 12);
        writer.i32(self.partition);
        if version >= 9 {
            writer.i32(self.current_leader_epoch);
        }
        writer.i64(self.fetch_offset);
        if version >= 12 {
            writer.i32(self.last_fetched_epoch);
        }
        if version >= 5 {
            writer.i64(self.log_start_offset);
        }
        writer.i32(self.partition_max_bytes);
        if form == Form::Compact {
            let mut tagged = field::TaggedFields::new();
            if version >= 17 && self.replica_directory_id != Uuid::ZERO {
                tagged.add(0, |writer| {
                    writer.uuid(self.replica_directory_id);
                });
            }
            if version == 18 && self.high_watermark != i64::MAX {
                tagged.add(1, |writer| {
                    writer.i64(self.high_watermark);
                });
            }
            tagged.finish(writer);
        }
    }
}

/// Part of Fetch, versions 7 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct ForgottenTopic {
    /// Versions 7 to 12.
    pub topic: String,
    /// Versions 13 to 18.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Default for ForgottenTopic {
    fn default() -> Self {
        Self {
            topic: String::new(),
            topic_id: Uuid::ZERO,
            partitions: Vec::new(),
        }
    }
}

impl ForgottenTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 12);
        let mut it = Self::default();
        if version <= 12 {
            it.topic = field::read_string(reader, form)?;
        }
        if version >= 13 {
            it.topic_id = reader.uuid()?;
        }
        it.partitions = field::read_array(reader, form, 4, Reader::i32)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 12);
        if version <= 12 {
            field::write_string(writer, form, &self.topic);
        }
        if version >= 13 {
            writer.uuid(self.topic_id);
        }
        field::write_array(writer, form, &self.partitions, |writer, item| {
            writer.i32(*item);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Fetch.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchableTopicResponse {
    /// Versions 4 to 12.
    pub topic: String,
    /// Versions 13 to 18.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<PartitionData>,
}

impl Default for FetchableTopicResponse {
    fn default() -> Self {
        Self {
            topic: String::new(),
            topic_id: Uuid::ZERO,
            partitions: Vec::new(),
        }
    }
}

impl FetchableTopicResponse {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 12);
        let mut it = Self::default();
        if version <= 12 {
            it.topic = field::read_string(reader, form)?;
        }
        if version >= 13 {
            it.topic_id = reader.uuid()?;
        }
        it.partitions = field::read_array(reader, form, 30, |reader| {
            PartitionData::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 12);
        if version <= 12 {
            field::write_string(writer, form, &self.topic);
        }
        if version >= 13 {
            writer.uuid(self.topic_id);
        }
        field::write_array(writer, form, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Fetch.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub high_watermark: i64,
    /// All versions; `-1` unless stated.
    pub last_stable_offset: i64,
    /// Versions 5 to 18; `-1` unless stated.
    pub log_start_offset: i64,
    /// Versions 12 to 18; tag 0.
    pub diverging_epoch: EpochEndOffset,
    /// Versions 12 to 18; tag 1.
    pub current_leader: LeaderIdAndEpoch,
    /// Versions 12 to 18; tag 2.
    pub snapshot_id: SnapshotId,
    /// All versions; may be null.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// Versions 11 to 18; `-1` unless stated.
    pub preferred_read_replica: i32,
    /// All versions; may be null.
    pub records: Option<Bytes>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            high_watermark: 0,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: EpochEndOffset::default(),
            current_leader: LeaderIdAndEpoch::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: Some(Vec::new()),
            preferred_read_replica: -1,
            records: Some(Bytes::new()),
        }
    }
}

impl PartitionData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 12);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.error_code = reader.i16()?;
        it.high_watermark = reader.i64()?;
        it.last_stable_offset = reader.i64()?;
        if version >= 5 {
            it.log_start_offset = reader.i64()?;
        }
        it.aborted_transactions = field::read_nullable_array(reader, form, 16, |reader| {
            AbortedTransaction::decode(reader, version)
        })?;
        if version >= 11 {
            it.preferred_read_replica = reader.i32()?;
        }
        it.records = field::read_nullable_bytes(reader, form)?;
        if form == Form::Compact {
            reader.tagged_fields(|tag, reader| {
                match tag {
                    0 => it.diverging_epoch = EpochEndOffset::decode(reader, version)?,
                    1 => it.current_leader = LeaderIdAndEpoch::decode(reader, version)?,
                    2 => it.snapshot_id = SnapshotId::decode(reader, version)?,
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 12);
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
        writer.i64(self.high_watermark);
        writer.i64(self.last_stable_offset);
        if version >= 5 {
            writer.i64(self.log_start_offset);
        }
        field::write_nullable_array(writer, form, self.aborted_transactions.as_deref(), |writer, item| {
            item.encode(writer, version);
        });
        if version >= 11 {
            writer.i32(self.preferred_read_replica);
        }
        field::write_nullable_bytes(writer, form, self.records.as_deref());
        if form == Form::Compact {
            let mut tagged = field::TaggedFields::new();
            if self.diverging_epoch != EpochEndOffset::default() {
                tagged.add(0, |writer| {
                    self.diverging_epoch.encode(writer, version);
                });
            }
            if self.current_leader != LeaderIdAndEpoch::default() {
                tagged.add(1, |writer| {
                    self.current_leader.encode(writer, version);
                });
            }
            if self.snapshot_id != SnapshotId::default() {
                tagged.add(2, |writer| {
                    self.snapshot_id.encode(writer, version);
                });
            }
            tagged.finish(writer);
        }
    }
}

/// Part of Fetch, versions 12 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    /// All versions; `-1` unless stated.
    pub epoch: i32,
    /// All versions; `-1` unless stated.
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self {
            epoch: -1,
            end_offset: -1,
        }
    }
}

impl EpochEndOffset {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.epoch = reader.i32()?;
        it.end_offset = reader.i64()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.epoch);
        writer.i64(self.end_offset);
        writer.no_tagged_fields();
    }
}

/// Part of Fetch, versions 12 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    /// All versions; `-1` unless stated.
    pub leader_id: i32,
    /// All versions; `-1` unless stated.
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
}

impl LeaderIdAndEpoch {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.leader_id = reader.i32()?;
        it.leader_epoch = reader.i32()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.leader_id);
        writer.i32(self.leader_epoch);
        writer.no_tagged_fields();
    }
}

/// Part of Fetch, versions 12 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotId {
    /// All versions; `-1` unless stated.
    pub end_offset: i64,
    /// All versions; `-1` unless stated.
    pub epoch: i32,
}

impl Default for SnapshotId {
    fn default() -> Self {
        Self {
            end_offset: -1,
            epoch: -1,
        }
    }
}

impl SnapshotId {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.end_offset = reader.i64()?;
        it.epoch = reader.i32()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i64(self.end_offset);
        writer.i32(self.epoch);
        writer.no_tagged_fields();
    }
}

/// Part of Fetch.
#[derive(Clone, Debug, PartialEq)]
pub struct AbortedTransaction {
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub first_offset: i64,
}

impl Default for AbortedTransaction {
    fn default() -> Self {
        Self {
            producer_id: 0,
            first_offset: 0,
        }
    }
}

impl AbortedTransaction {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 12);
        let mut it = Self::default();
        it.producer_id = reader.i64()?;
        it.first_offset = reader.i64()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 12);
        writer.i64(self.producer_id);
        writer.i64(self.first_offset);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Fetch, versions 16 to 18.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeEndpoint {
    /// All versions.
    pub node_id: i32,
    /// All versions.
    pub host: String,
    /// All versions.
    pub port: i32,
    /// All versions; may be null; `null` unless stated.
    pub rack: Option<String>,
}

impl Default for NodeEndpoint {
    fn default() -> Self {
        Self {
            node_id: 0,
            host: String::new(),
            port: 0,
            rack: None,
        }
    }
}

impl NodeEndpoint {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.node_id = reader.i32()?;
        it.host = field::read_string(reader, Form::Compact)?;
        it.port = reader.i32()?;
        it.rack = field::read_nullable_string(reader, Form::Compact)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.node_id);
        field::write_string(writer, Form::Compact, &self.host);
        writer.i32(self.port);
        field::write_nullable_string(writer, Form::Compact, self.rack.as_deref());
        writer.no_tagged_fields();
    }
}

impl Message for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for FetchRequest {
    type Response = FetchResponse;
}

impl Message for FetchResponse {
    const KEY: ApiKey = ApiKey::Fetch;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

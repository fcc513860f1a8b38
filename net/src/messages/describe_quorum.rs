//! DescribeQuorum, versions 0 to 2.
//!
//! Tells the state of the metadata quorum.
//! Generated from `net/schema/describe_quorum.txt` by millrace-codegen; not edited by hand.

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
use millrace_wire::field::Form;
use millrace_wire::{Reader, Uuid, WireError, Writer, field};

/// Tells the state of the metadata quorum.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeQuorumRequest {
    /// All versions.
    pub topics: Vec<TopicData>,
}

impl Default for DescribeQuorumRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
        }
    }
}

impl DescribeQuorumRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 2;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeQuorumRequest has no such version"));
        }
        let mut it = Self::default();
        it.topics = field::read_array(reader, Form::Compact, 3, |reader| {
            TopicData::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    /// Appends the message in `version`; fields that `version` lacks are not written.
    ///
    /// A null where `version` knows none is written as the empty value. An unknown version is our
    /// own fault.
    pub fn encode(&self, writer: &mut Writer, version: i16) {
        assert!(
            (Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version),
            "DescribeQuorumRequest has no version {version}"
        );
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Tells the state of the metadata quorum.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeQuorumResponse {
    /// All versions.
    pub error_code: i16,
    /// Version 2; may be null.
    pub error_message: Option<String>,
    /// All versions.
    pub topics: Vec<ResponseTopicData>,
    /// Version 2.
    pub nodes: Vec<Node>,
}

impl Default for DescribeQuorumResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(String::new()),
            topics: Vec::new(),
            nodes: Vec::new(),
        }
    }
}

impl DescribeQuorumResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 2;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeQuorumResponse has no such version"));
        }
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        if version == 2 {
            it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        }
        it.topics = field::read_array(reader, Form::Compact, 3, |reader| {
            ResponseTopicData::decode(reader, version)
        })?;
        if version == 2 {
            it.nodes = field::read_array(reader, Form::Compact, 6, |reader| {
                Node::decode(reader, version)
            })?;
        }
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    /// Appends the message in `version`; fields that `version` lacks are not written.
    ///
    /// A null where `version` knows none is written as the empty value. An unknown version is our
    /// own fault.
    pub fn encode(&self, writer: &mut Writer, version: i16) {
        assert!(
            (Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version),
            "DescribeQuorumResponse has no version {version}"
        );
        writer.i16(self.error_code);
        if version == 2 {
            field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        }
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if version == 2 {
            field::write_array(writer, Form::Compact, &self.nodes, |writer, item| {
                item.encode(writer, version);
            });
        }
        writer.no_tagged_fields();
    }
}

/// Part of DescribeQuorum.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicData {
    /// All versions.
    pub topic_name: String,
    /// All versions.
    pub partitions: Vec<PartitionData>,
}

impl Default for TopicData {
    fn default() -> Self {
        Self {
            topic_name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl TopicData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.topic_name = field::read_string(reader, Form::Compact)?;
        it.partitions = field::read_array(reader, Form::Compact, 5, |reader| {
            PartitionData::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.topic_name);
        field::write_array(writer, Form::Compact, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeQuorum.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    /// All versions.
    pub partition_index: i32,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
        }
    }
}

impl PartitionData {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.partition_index);
        writer.no_tagged_fields();
    }
}

/// Part of DescribeQuorum.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseTopicData {
    /// All versions.
    pub topic_name: String,
    /// All versions.
    pub partitions: Vec<ResponsePartitionData>,
}

impl Default for ResponseTopicData {
    fn default() -> Self {
        Self {
            topic_name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl ResponseTopicData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.topic_name = field::read_string(reader, Form::Compact)?;
        it.partitions = field::read_array(reader, Form::Compact, 25, |reader| {
            ResponsePartitionData::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.topic_name);
        field::write_array(writer, Form::Compact, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeQuorum.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponsePartitionData {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// Version 2; may be null.
    pub error_message: Option<String>,
    /// All versions.
    pub leader_id: i32,
    /// All versions.
    pub leader_epoch: i32,
    /// All versions.
    pub high_watermark: i64,
    /// All versions.
    pub current_voters: Vec<ReplicaState>,
    /// All versions.
    pub observers: Vec<ReplicaState>,
}

impl Default for ResponsePartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            error_message: Some(String::new()),
            leader_id: 0,
            leader_epoch: 0,
            high_watermark: 0,
            current_voters: Vec::new(),
            observers: Vec::new(),
        }
    }
}

impl ResponsePartitionData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.error_code = reader.i16()?;
        if version == 2 {
            it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        }
        it.leader_id = reader.i32()?;
        it.leader_epoch = reader.i32()?;
        it.high_watermark = reader.i64()?;
        it.current_voters = field::read_array(reader, Form::Compact, 13, |reader| {
            ReplicaState::decode(reader, version)
        })?;
        it.observers = field::read_array(reader, Form::Compact, 13, |reader| {
            ReplicaState::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
        if version == 2 {
            field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        }
        writer.i32(self.leader_id);
        writer.i32(self.leader_epoch);
        writer.i64(self.high_watermark);
        field::write_array(writer, Form::Compact, &self.current_voters, |writer, item| {
            item.encode(writer, version);
        });
        field::write_array(writer, Form::Compact, &self.observers, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeQuorum.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    /// All versions.
    pub replica_id: i32,
    /// Version 2.
    pub replica_directory_id: Uuid,
    /// All versions.
    pub log_end_offset: i64,
    /// Versions 1 to 2; `-1` unless stated.
    pub last_fetch_timestamp: i64,
    /// Versions 1 to 2; `-1` unless stated.
    pub last_caught_up_timestamp: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: 0,
            replica_directory_id: Uuid::ZERO,
            log_end_offset: 0,
            last_fetch_timestamp: -1,
            last_caught_up_timestamp: -1,
        }
    }
}

impl ReplicaState {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.replica_id = reader.i32()?;
        if version == 2 {
            it.replica_directory_id = reader.uuid()?;
        }
        it.log_end_offset = reader.i64()?;
        if version >= 1 {
            it.last_fetch_timestamp = reader.i64()?;
        }
        if version >= 1 {
            it.last_caught_up_timestamp = reader.i64()?;
        }
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        writer.i32(self.replica_id);
        if version == 2 {
            writer.uuid(self.replica_directory_id);
        }
        writer.i64(self.log_end_offset);
        if version >= 1 {
            writer.i64(self.last_fetch_timestamp);
        }
        if version >= 1 {
            writer.i64(self.last_caught_up_timestamp);
        }
        writer.no_tagged_fields();
    }
}

/// Part of DescribeQuorum, version 2.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// All versions.
    pub node_id: i32,
    /// All versions.
    pub listeners: Vec<Listener>,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            node_id: 0,
            listeners: Vec::new(),
        }
    }
}

impl Node {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.node_id = reader.i32()?;
        it.listeners = field::read_array(reader, Form::Compact, 5, |reader| {
            Listener::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        writer.i32(self.node_id);
        field::write_array(writer, Form::Compact, &self.listeners, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeQuorum, version 2.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// All versions.
    pub name: String,
    /// All versions.
    pub host: String,
    /// All versions.
    pub port: u16,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            name: String::new(),
            host: String::new(),
            port: 0,
        }
    }
}

impl Listener {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.host = field::read_string(reader, Form::Compact)?;
        it.port = reader.u16()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        field::write_string(writer, Form::Compact, &self.host);
        writer.u16(self.port);
        writer.no_tagged_fields();
    }
}

impl Message for DescribeQuorumRequest {
    const KEY: ApiKey = ApiKey::DescribeQuorum;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DescribeQuorumRequest {
    type Response = DescribeQuorumResponse;
}

impl Message for DescribeQuorumResponse {
    const KEY: ApiKey = ApiKey::DescribeQuorum;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

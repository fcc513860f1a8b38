//! DescribeTopicPartitions, versions 0 to 0.
//!
//! Describes the partitions of topics, page by page.
//! Generated from `net/schema/describe_topic_partitions.txt` by millrace-codegen; not edited by hand.

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

/// Describes the partitions of topics, page by page.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsRequest {
    /// All versions.
    pub topics: Vec<TopicRequest>,
    /// All versions; `2000` unless stated.
    pub response_partition_limit: i32,
    /// All versions; may be null; `null` unless stated.
    pub cursor: Option<Cursor>,
}

impl Default for DescribeTopicPartitionsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            response_partition_limit: 2_000,
            cursor: None,
        }
    }
}

impl DescribeTopicPartitionsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 0;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeTopicPartitionsRequest has no such version"));
        }
        let mut it = Self::default();
        it.topics = field::read_array(reader, Form::Compact, 2, |reader| {
            TopicRequest::decode(reader, version)
        })?;
        it.response_partition_limit = reader.i32()?;
        it.cursor = field::read_nullable_struct(reader, |reader| {
            Cursor::decode(reader, version)
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
            "DescribeTopicPartitionsRequest has no version {version}"
        );
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.i32(self.response_partition_limit);
        field::write_nullable_struct(writer, self.cursor.as_ref(), |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Describes the partitions of topics, page by page.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// All versions; may be null; `null` unless stated.
    pub next_cursor: Option<Cursor>,
}

impl Default for DescribeTopicPartitionsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
            next_cursor: None,
        }
    }
}

impl DescribeTopicPartitionsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 0;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeTopicPartitionsResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.topics = field::read_array(reader, Form::Compact, 26, |reader| {
            DescribeTopicPartitionsResponseTopic::decode(reader, version)
        })?;
        it.next_cursor = field::read_nullable_struct(reader, |reader| {
            Cursor::decode(reader, version)
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
            "DescribeTopicPartitionsResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        field::write_nullable_struct(writer, self.next_cursor.as_ref(), |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeTopicPartitions.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicRequest {
    /// All versions.
    pub name: String,
}

impl Default for TopicRequest {
    fn default() -> Self {
        Self {
            name: String::new(),
        }
    }
}

impl TopicRequest {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        writer.no_tagged_fields();
    }
}

/// Part of DescribeTopicPartitions.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// All versions.
    pub topic_name: String,
    /// All versions.
    pub partition_index: i32,
}

impl Default for Cursor {
    fn default() -> Self {
        Self {
            topic_name: String::new(),
            partition_index: 0,
        }
    }
}

impl Cursor {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.topic_name = field::read_string(reader, Form::Compact)?;
        it.partition_index = reader.i32()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.topic_name);
        writer.i32(self.partition_index);
        writer.no_tagged_fields();
    }
}

/// Part of DescribeTopicPartitions.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponseTopic {
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub name: Option<String>,
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub is_internal: bool,
    /// All versions.
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// All versions; `-2147483648` unless stated.
    pub topic_authorized_operations: i32,
}

impl Default for DescribeTopicPartitionsResponseTopic {
    fn default() -> Self {
        Self {
            error_code: 0,
            name: Some(String::new()),
            topic_id: Uuid::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: i32::MIN,
        }
    }
}

impl DescribeTopicPartitionsResponseTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.name = field::read_nullable_string(reader, Form::Compact)?;
        it.topic_id = reader.uuid()?;
        it.is_internal = reader.bool()?;
        it.partitions = field::read_array(reader, Form::Compact, 20, |reader| {
            DescribeTopicPartitionsResponsePartition::decode(reader, version)
        })?;
        it.topic_authorized_operations = reader.i32()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        writer.i16(self.error_code);
        field::write_nullable_string(writer, Form::Compact, self.name.as_deref());
        writer.uuid(self.topic_id);
        writer.bool(self.is_internal);
        field::write_array(writer, Form::Compact, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        writer.i32(self.topic_authorized_operations);
        writer.no_tagged_fields();
    }
}

/// Part of DescribeTopicPartitions.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponsePartition {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub leader_id: i32,
    /// All versions; `-1` unless stated.
    pub leader_epoch: i32,
    /// All versions.
    pub replica_nodes: Vec<i32>,
    /// All versions.
    pub isr_nodes: Vec<i32>,
    /// All versions; may be null; `null` unless stated.
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// All versions; may be null; `null` unless stated.
    pub last_known_elr: Option<Vec<i32>>,
    /// All versions.
    pub offline_replicas: Vec<i32>,
}

impl Default for DescribeTopicPartitionsResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            eligible_leader_replicas: None,
            last_known_elr: None,
            offline_replicas: Vec::new(),
        }
    }
}

impl DescribeTopicPartitionsResponsePartition {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.partition_index = reader.i32()?;
        it.leader_id = reader.i32()?;
        it.leader_epoch = reader.i32()?;
        it.replica_nodes = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        it.isr_nodes = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        it.eligible_leader_replicas = field::read_nullable_array(reader, Form::Compact, 4, Reader::i32)?;
        it.last_known_elr = field::read_nullable_array(reader, Form::Compact, 4, Reader::i32)?;
        it.offline_replicas = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i16(self.error_code);
        writer.i32(self.partition_index);
        writer.i32(self.leader_id);
        writer.i32(self.leader_epoch);
        field::write_array(writer, Form::Compact, &self.replica_nodes, |writer, item| {
            writer.i32(*item);
        });
        field::write_array(writer, Form::Compact, &self.isr_nodes, |writer, item| {
            writer.i32(*item);
        });
        field::write_nullable_array(writer, Form::Compact, self.eligible_leader_replicas.as_deref(), |writer, item| {
            writer.i32(*item);
        });
        field::write_nullable_array(writer, Form::Compact, self.last_known_elr.as_deref(), |writer, item| {
            writer.i32(*item);
        });
        field::write_array(writer, Form::Compact, &self.offline_replicas, |writer, item| {
            writer.i32(*item);
        });
        writer.no_tagged_fields();
    }
}

impl Message for DescribeTopicPartitionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTopicPartitions;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DescribeTopicPartitionsRequest {
    type Response = DescribeTopicPartitionsResponse;
}

impl Message for DescribeTopicPartitionsResponse {
    const KEY: ApiKey = ApiKey::DescribeTopicPartitions;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! ConsumerGroupHeartbeat, versions 0 to 1.
//!
//! Joins, stays in, leaves and is assigned partitions in a consumer group.
//! Generated from `net/schema/consumer_group_heartbeat.txt` by millrace-codegen; not edited by hand.

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

/// Joins, stays in, leaves and is assigned partitions in a consumer group.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupHeartbeatRequest {
    /// All versions.
    pub group_id: String,
    /// All versions.
    pub member_id: String,
    /// All versions.
    pub member_epoch: i32,
    /// All versions; may be null; `null` unless stated.
    pub instance_id: Option<String>,
    /// All versions; may be null; `null` unless stated.
    pub rack_id: Option<String>,
    /// All versions; `-1` unless stated.
    pub rebalance_timeout_ms: i32,
    /// All versions; may be null; `null` unless stated.
    pub subscribed_topic_names: Option<Vec<String>>,
    /// Version 1; may be null; `null` unless stated.
    pub subscribed_topic_regex: Option<String>,
    /// All versions; may be null; `null` unless stated.
    pub server_assignor: Option<String>,
    /// All versions; may be null; `null` unless stated.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
}

impl Default for ConsumerGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            member_id: String::new(),
            member_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            subscribed_topic_names: None,
            subscribed_topic_regex: None,
            server_assignor: None,
            topic_partitions: None,
        }
    }
}

impl ConsumerGroupHeartbeatRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 1;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ConsumerGroupHeartbeatRequest has no such version"));
        }
        let mut it = Self::default();
        it.group_id = field::read_string(reader, Form::Compact)?;
        it.member_id = field::read_string(reader, Form::Compact)?;
        it.member_epoch = reader.i32()?;
        it.instance_id = field::read_nullable_string(reader, Form::Compact)?;
        it.rack_id = field::read_nullable_string(reader, Form::Compact)?;
        it.rebalance_timeout_ms = reader.i32()?;
        it.subscribed_topic_names = field::read_nullable_array(reader, Form::Compact, 1, |reader| {
            field::read_string(reader, Form::Compact)
        })?;
        if version == 1 {
            it.subscribed_topic_regex = field::read_nullable_string(reader, Form::Compact)?;
        }
        it.server_assignor = field::read_nullable_string(reader, Form::Compact)?;
        it.topic_partitions = field::read_nullable_array(reader, Form::Compact, 18, |reader| {
            TopicPartitions::decode(reader, version)
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
            "ConsumerGroupHeartbeatRequest has no version {version}"
        );
        field::write_string(writer, Form::Compact, &self.group_id);
        field::write_string(writer, Form::Compact, &self.member_id);
        writer.i32(self.member_epoch);
        field::write_nullable_string(writer, Form::Compact, self.instance_id.as_deref());
        field::write_nullable_string(writer, Form::Compact, self.rack_id.as_deref());
        writer.i32(self.rebalance_timeout_ms);
        field::write_nullable_array(writer, Form::Compact, self.subscribed_topic_names.as_deref(), |writer, item| {
            field::write_string(writer, Form::Compact, item);
        });
        if version == 1 {
            field::write_nullable_string(writer, Form::Compact, self.subscribed_topic_regex.as_deref());
        }
        field::write_nullable_string(writer, Form::Compact, self.server_assignor.as_deref());
        field::write_nullable_array(writer, Form::Compact, self.topic_partitions.as_deref(), |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Joins, stays in, leaves and is assigned partitions in a consumer group.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupHeartbeatResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null; `null` unless stated.
    pub error_message: Option<String>,
    /// All versions; may be null; `null` unless stated.
    pub member_id: Option<String>,
    /// All versions.
    pub member_epoch: i32,
    /// All versions.
    pub heartbeat_interval_ms: i32,
    /// All versions; may be null; `null` unless stated.
    pub assignment: Option<Assignment>,
}

impl Default for ConsumerGroupHeartbeatResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            member_id: None,
            member_epoch: 0,
            heartbeat_interval_ms: 0,
            assignment: None,
        }
    }
}

impl ConsumerGroupHeartbeatResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 1;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ConsumerGroupHeartbeatResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        it.member_id = field::read_nullable_string(reader, Form::Compact)?;
        it.member_epoch = reader.i32()?;
        it.heartbeat_interval_ms = reader.i32()?;
        it.assignment = field::read_nullable_struct(reader, |reader| {
            Assignment::decode(reader, version)
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
            "ConsumerGroupHeartbeatResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        field::write_nullable_string(writer, Form::Compact, self.member_id.as_deref());
        writer.i32(self.member_epoch);
        writer.i32(self.heartbeat_interval_ms);
        field::write_nullable_struct(writer, self.assignment.as_ref(), |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of ConsumerGroupHeartbeat.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicPartitions {
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Default for TopicPartitions {
    fn default() -> Self {
        Self {
            topic_id: Uuid::ZERO,
            partitions: Vec::new(),
        }
    }
}

impl TopicPartitions {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.topic_id = reader.uuid()?;
        it.partitions = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.uuid(self.topic_id);
        field::write_array(writer, Form::Compact, &self.partitions, |writer, item| {
            writer.i32(*item);
        });
        writer.no_tagged_fields();
    }
}

/// Part of ConsumerGroupHeartbeat.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// All versions.
    pub topic_partitions: Vec<TopicPartitions>,
}

impl Default for Assignment {
    fn default() -> Self {
        Self {
            topic_partitions: Vec::new(),
        }
    }
}

impl Assignment {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.topic_partitions = field::read_array(reader, Form::Compact, 18, |reader| {
            TopicPartitions::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_array(writer, Form::Compact, &self.topic_partitions, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

impl Message for ConsumerGroupHeartbeatRequest {
    const KEY: ApiKey = ApiKey::ConsumerGroupHeartbeat;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for ConsumerGroupHeartbeatRequest {
    type Response = ConsumerGroupHeartbeatResponse;
}

impl Message for ConsumerGroupHeartbeatResponse {
    const KEY: ApiKey = ApiKey::ConsumerGroupHeartbeat;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

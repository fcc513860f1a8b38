//! ConsumerGroupDescribe, versions 0 to 1.
//!
//! Describes consumer groups and their members.
//! Generated from `net/schema/consumer_group_describe.txt` by millrace-codegen; not edited by hand.

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

/// Describes consumer groups and their members.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupDescribeRequest {
    /// All versions.
    pub group_ids: Vec<String>,
    /// All versions.
    pub include_authorized_operations: bool,
}

impl Default for ConsumerGroupDescribeRequest {
    fn default() -> Self {
        Self {
            group_ids: Vec::new(),
            include_authorized_operations: false,
        }
    }
}

impl ConsumerGroupDescribeRequest {
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
            return Err(WireError::Invalid("ConsumerGroupDescribeRequest has no such version"));
        }
        let mut it = Self::default();
        it.group_ids = field::read_array(reader, Form::Compact, 1, |reader| {
            field::read_string(reader, Form::Compact)
        })?;
        it.include_authorized_operations = reader.bool()?;
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
            "ConsumerGroupDescribeRequest has no version {version}"
        );
        field::write_array(writer, Form::Compact, &self.group_ids, |writer, item| {
            field::write_string(writer, Form::Compact, item);
        });
        writer.bool(self.include_authorized_operations);
        writer.no_tagged_fields();
    }
}

/// Describes consumer groups and their members.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupDescribeResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub groups: Vec<DescribedGroup>,
}

impl Default for ConsumerGroupDescribeResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            groups: Vec::new(),
        }
    }
}

impl ConsumerGroupDescribeResponse {
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
            return Err(WireError::Invalid("ConsumerGroupDescribeResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.groups = field::read_array(reader, Form::Compact, 20, |reader| {
            DescribedGroup::decode(reader, version)
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
            "ConsumerGroupDescribeResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, Form::Compact, &self.groups, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of ConsumerGroupDescribe.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null; `null` unless stated.
    pub error_message: Option<String>,
    /// All versions.
    pub group_id: String,
    /// All versions.
    pub group_state: String,
    /// All versions.
    pub group_epoch: i32,
    /// All versions.
    pub assignment_epoch: i32,
    /// All versions.
    pub assignor_name: String,
    /// All versions.
    pub members: Vec<Member>,
    /// All versions; `-2147483648` unless stated.
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: String::new(),
            group_state: String::new(),
            group_epoch: 0,
            assignment_epoch: 0,
            assignor_name: String::new(),
            members: Vec::new(),
            authorized_operations: i32::MIN,
        }
    }
}

impl DescribedGroup {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        it.group_id = field::read_string(reader, Form::Compact)?;
        it.group_state = field::read_string(reader, Form::Compact)?;
        it.group_epoch = reader.i32()?;
        it.assignment_epoch = reader.i32()?;
        it.assignor_name = field::read_string(reader, Form::Compact)?;
        it.members = field::read_array(reader, Form::Compact, 16, |reader| {
            Member::decode(reader, version)
        })?;
        it.authorized_operations = reader.i32()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        writer.i16(self.error_code);
        field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        field::write_string(writer, Form::Compact, &self.group_id);
        field::write_string(writer, Form::Compact, &self.group_state);
        writer.i32(self.group_epoch);
        writer.i32(self.assignment_epoch);
        field::write_string(writer, Form::Compact, &self.assignor_name);
        field::write_array(writer, Form::Compact, &self.members, |writer, item| {
            item.encode(writer, version);
        });
        writer.i32(self.authorized_operations);
        writer.no_tagged_fields();
    }
}

/// Part of ConsumerGroupDescribe.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// All versions.
    pub member_id: String,
    /// All versions; may be null; `null` unless stated.
    pub instance_id: Option<String>,
    /// All versions; may be null; `null` unless stated.
    pub rack_id: Option<String>,
    /// All versions.
    pub member_epoch: i32,
    /// All versions.
    pub client_id: String,
    /// All versions.
    pub client_host: String,
    /// All versions.
    pub subscribed_topic_names: Vec<String>,
    /// All versions; may be null; `null` unless stated.
    pub subscribed_topic_regex: Option<String>,
    /// All versions.
    pub assignment: Assignment,
    /// All versions.
    pub target_assignment: Assignment,
    /// Version 1; `-1` unless stated.
    pub member_type: i8,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            member_id: String::new(),
            instance_id: None,
            rack_id: None,
            member_epoch: 0,
            client_id: String::new(),
            client_host: String::new(),
            subscribed_topic_names: Vec::new(),
            subscribed_topic_regex: None,
            assignment: Assignment::default(),
            target_assignment: Assignment::default(),
            member_type: -1,
        }
    }
}

impl Member {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.member_id = field::read_string(reader, Form::Compact)?;
        it.instance_id = field::read_nullable_string(reader, Form::Compact)?;
        it.rack_id = field::read_nullable_string(reader, Form::Compact)?;
        it.member_epoch = reader.i32()?;
        it.client_id = field::read_string(reader, Form::Compact)?;
        it.client_host = field::read_string(reader, Form::Compact)?;
        it.subscribed_topic_names = field::read_array(reader, Form::Compact, 1, |reader| {
            field::read_string(reader, Form::Compact)
        })?;
        it.subscribed_topic_regex = field::read_nullable_string(reader, Form::Compact)?;
        it.assignment = Assignment::decode(reader, version)?;
        it.target_assignment = Assignment::decode(reader, version)?;
        if version == 1 {
            it.member_type = reader.i8()?;
        }
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.member_id);
        field::write_nullable_string(writer, Form::Compact, self.instance_id.as_deref());
        field::write_nullable_string(writer, Form::Compact, self.rack_id.as_deref());
        writer.i32(self.member_epoch);
        field::write_string(writer, Form::Compact, &self.client_id);
        field::write_string(writer, Form::Compact, &self.client_host);
        field::write_array(writer, Form::Compact, &self.subscribed_topic_names, |writer, item| {
            field::write_string(writer, Form::Compact, item);
        });
        field::write_nullable_string(writer, Form::Compact, self.subscribed_topic_regex.as_deref());
        self.assignment.encode(writer, version);
        self.target_assignment.encode(writer, version);
        if version == 1 {
            writer.i8(self.member_type);
        }
        writer.no_tagged_fields();
    }
}

/// Part of ConsumerGroupDescribe.
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
        it.topic_partitions = field::read_array(reader, Form::Compact, 19, |reader| {
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

/// Part of ConsumerGroupDescribe.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicPartitions {
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub topic_name: String,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Default for TopicPartitions {
    fn default() -> Self {
        Self {
            topic_id: Uuid::ZERO,
            topic_name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl TopicPartitions {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.topic_id = reader.uuid()?;
        it.topic_name = field::read_string(reader, Form::Compact)?;
        it.partitions = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.uuid(self.topic_id);
        field::write_string(writer, Form::Compact, &self.topic_name);
        field::write_array(writer, Form::Compact, &self.partitions, |writer, item| {
            writer.i32(*item);
        });
        writer.no_tagged_fields();
    }
}

impl Message for ConsumerGroupDescribeRequest {
    const KEY: ApiKey = ApiKey::ConsumerGroupDescribe;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for ConsumerGroupDescribeRequest {
    type Response = ConsumerGroupDescribeResponse;
}

impl Message for ConsumerGroupDescribeResponse {
    const KEY: ApiKey = ApiKey::ConsumerGroupDescribe;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

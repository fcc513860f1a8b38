//! CreateTopics, versions 2 to 7.
//!
//! Creates topics.
//! Generated from `net/schema/create_topics.txt` by millrace-codegen; not edited by hand.

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

/// Creates topics.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTopicsRequest {
    /// All versions.
    pub topics: Vec<CreatableTopic>,
    /// All versions; `60000` unless stated.
    pub timeout_ms: i32,
    /// All versions.
    pub validate_only: bool,
}

impl Default for CreateTopicsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            timeout_ms: 60_000,
            validate_only: false,
        }
    }
}

impl CreateTopicsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 2;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 7;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 5;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("CreateTopicsRequest has no such version"));
        }
        let form = field::form(version, 5);
        let mut it = Self::default();
        it.topics = field::read_array(reader, form, 10, |reader| {
            CreatableTopic::decode(reader, version)
        })?;
        it.timeout_ms = reader.i32()?;
        it.validate_only = reader.bool()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
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
            "CreateTopicsRequest has no version {version}"
        );
        let form = field::form(version, 5);
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.i32(self.timeout_ms);
        writer.bool(self.validate_only);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Creates topics.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTopicsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<CreatableTopicResult>,
}

impl Default for CreateTopicsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
        }
    }
}

impl CreateTopicsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 2;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 7;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 5;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("CreateTopicsResponse has no such version"));
        }
        let form = field::form(version, 5);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.topics = field::read_array(reader, form, 6, |reader| {
            CreatableTopicResult::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
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
            "CreateTopicsResponse has no version {version}"
        );
        let form = field::form(version, 5);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of CreateTopics.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub num_partitions: i32,
    /// All versions.
    pub replication_factor: i16,
    /// All versions.
    pub assignments: Vec<CreatableReplicaAssignment>,
    /// All versions.
    pub configs: Vec<CreatableTopicConfig>,
}

impl Default for CreatableTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            num_partitions: 0,
            replication_factor: 0,
            assignments: Vec::new(),
            configs: Vec::new(),
        }
    }
}

impl CreatableTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 5);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.num_partitions = reader.i32()?;
        it.replication_factor = reader.i16()?;
        it.assignments = field::read_array(reader, form, 6, |reader| {
            CreatableReplicaAssignment::decode(reader, version)
        })?;
        it.configs = field::read_array(reader, form, 3, |reader| {
            CreatableTopicConfig::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 5);
        field::write_string(writer, form, &self.name);
        writer.i32(self.num_partitions);
        writer.i16(self.replication_factor);
        field::write_array(writer, form, &self.assignments, |writer, item| {
            item.encode(writer, version);
        });
        field::write_array(writer, form, &self.configs, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of CreateTopics.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableReplicaAssignment {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub broker_ids: Vec<i32>,
}

impl Default for CreatableReplicaAssignment {
    fn default() -> Self {
        Self {
            partition_index: 0,
            broker_ids: Vec::new(),
        }
    }
}

impl CreatableReplicaAssignment {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 5);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.broker_ids = field::read_array(reader, form, 4, Reader::i32)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 5);
        writer.i32(self.partition_index);
        field::write_array(writer, form, &self.broker_ids, |writer, item| {
            writer.i32(*item);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of CreateTopics.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfig {
    /// All versions.
    pub name: String,
    /// All versions; may be null.
    pub value: Option<String>,
}

impl Default for CreatableTopicConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: Some(String::new()),
        }
    }
}

impl CreatableTopicConfig {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 5);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.value = field::read_nullable_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 5);
        field::write_string(writer, form, &self.name);
        field::write_nullable_string(writer, form, self.value.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of CreateTopics.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicResult {
    /// All versions.
    pub name: String,
    /// Version 7.
    pub topic_id: Uuid,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
    /// Versions 5 to 7; tag 0.
    pub topic_config_error_code: i16,
    /// Versions 5 to 7; `-1` unless stated.
    pub num_partitions: i32,
    /// Versions 5 to 7; `-1` unless stated.
    pub replication_factor: i16,
    /// Versions 5 to 7; may be null.
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: Some(String::new()),
            topic_config_error_code: 0,
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Vec::new()),
        }
    }
}

impl CreatableTopicResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 5);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        if version == 7 {
            it.topic_id = reader.uuid()?;
        }
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, form)?;
        if version >= 5 {
            it.num_partitions = reader.i32()?;
        }
        if version >= 5 {
            it.replication_factor = reader.i16()?;
        }
        if version >= 5 {
            it.configs = field::read_nullable_array(reader, form, 6, |reader| {
                CreatableTopicConfigs::decode(reader, version)
            })?;
        }
        if form == Form::Compact {
            reader.tagged_fields(|tag, reader| {
                match tag {
                    0 => it.topic_config_error_code = reader.i16()?,
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 5);
        field::write_string(writer, form, &self.name);
        if version == 7 {
            writer.uuid(self.topic_id);
        }
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, self.error_message.as_deref());
        if version >= 5 {
            writer.i32(self.num_partitions);
        }
        if version >= 5 {
            writer.i16(self.replication_factor);
        }
        if version >= 5 {
            field::write_nullable_array(writer, form, self.configs.as_deref(), |writer, item| {
                item.encode(writer, version);
            });
        }
        if form == Form::Compact {
            let mut tagged = field::TaggedFields::new();
            if self.topic_config_error_code != 0 {
                tagged.add(0, |writer| {
                    writer.i16(self.topic_config_error_code);
                });
            }
            tagged.finish(writer);
        }
    }
}

/// Part of CreateTopics, versions 5 to 7.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfigs {
    /// All versions.
    pub name: String,
    /// All versions; may be null.
    pub value: Option<String>,
    /// All versions.
    pub read_only: bool,
    /// All versions; `-1` unless stated.
    pub config_source: i8,
    /// All versions.
    pub is_sensitive: bool,
}

impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: Some(String::new()),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
        }
    }
}

impl CreatableTopicConfigs {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.value = field::read_nullable_string(reader, Form::Compact)?;
        it.read_only = reader.bool()?;
        it.config_source = reader.i8()?;
        it.is_sensitive = reader.bool()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        field::write_nullable_string(writer, Form::Compact, self.value.as_deref());
        writer.bool(self.read_only);
        writer.i8(self.config_source);
        writer.bool(self.is_sensitive);
        writer.no_tagged_fields();
    }
}

impl Message for CreateTopicsRequest {
    const KEY: ApiKey = ApiKey::CreateTopics;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for CreateTopicsRequest {
    type Response = CreateTopicsResponse;
}

impl Message for CreateTopicsResponse {
    const KEY: ApiKey = ApiKey::CreateTopics;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

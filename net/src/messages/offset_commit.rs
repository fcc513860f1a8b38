//! OffsetCommit, versions 2 to 10.
//!
//! Stores the offsets a group has consumed.
//! Generated from `net/schema/offset_commit.txt` by millrace-codegen; not edited by hand.

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

/// Stores the offsets a group has consumed.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequest {
    /// All versions.
    pub group_id: String,
    /// All versions; `-1` unless stated.
    pub generation_id_or_member_epoch: i32,
    /// All versions.
    pub member_id: String,
    /// Versions 7 to 10; may be null; `null` unless stated.
    pub group_instance_id: Option<String>,
    /// Versions 2 to 4; `-1` unless stated.
    pub retention_time_ms: i64,
    /// All versions.
    pub topics: Vec<OffsetCommitRequestTopic>,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            generation_id_or_member_epoch: -1,
            member_id: String::new(),
            group_instance_id: None,
            retention_time_ms: -1,
            topics: Vec::new(),
        }
    }
}

impl OffsetCommitRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 2;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 10;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 8;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("OffsetCommitRequest has no such version"));
        }
        let form = field::form(version, 8);
        let mut it = Self::default();
        it.group_id = field::read_string(reader, form)?;
        it.generation_id_or_member_epoch = reader.i32()?;
        it.member_id = field::read_string(reader, form)?;
        if version >= 7 {
            it.group_instance_id = field::read_nullable_string(reader, form)?;
        }
        if version <= 4 {
            it.retention_time_ms = reader.i64()?;
        }
        it.topics = field::read_array(reader, form, 3, |reader| {
            OffsetCommitRequestTopic::decode(reader, version)
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
            "OffsetCommitRequest has no version {version}"
        );
        let form = field::form(version, 8);
        field::write_string(writer, form, &self.group_id);
        writer.i32(self.generation_id_or_member_epoch);
        field::write_string(writer, form, &self.member_id);
        if version >= 7 {
            field::write_nullable_string(writer, form, self.group_instance_id.as_deref());
        }
        if version <= 4 {
            writer.i64(self.retention_time_ms);
        }
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Stores the offsets a group has consumed.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitResponse {
    /// Versions 3 to 10.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<OffsetCommitResponseTopic>,
}

impl Default for OffsetCommitResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
        }
    }
}

impl OffsetCommitResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 2;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 10;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 8;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("OffsetCommitResponse has no such version"));
        }
        let form = field::form(version, 8);
        let mut it = Self::default();
        if version >= 3 {
            it.throttle_time_ms = reader.i32()?;
        }
        it.topics = field::read_array(reader, form, 3, |reader| {
            OffsetCommitResponseTopic::decode(reader, version)
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
            "OffsetCommitResponse has no version {version}"
        );
        let form = field::form(version, 8);
        if version >= 3 {
            writer.i32(self.throttle_time_ms);
        }
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of OffsetCommit.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestTopic {
    /// Versions 2 to 9.
    pub name: String,
    /// Version 10.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

impl Default for OffsetCommitRequestTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            topic_id: Uuid::ZERO,
            partitions: Vec::new(),
        }
    }
}

impl OffsetCommitRequestTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 8);
        let mut it = Self::default();
        if version <= 9 {
            it.name = field::read_string(reader, form)?;
        }
        if version == 10 {
            it.topic_id = reader.uuid()?;
        }
        it.partitions = field::read_array(reader, form, 14, |reader| {
            OffsetCommitRequestPartition::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 8);
        if version <= 9 {
            field::write_string(writer, form, &self.name);
        }
        if version == 10 {
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

/// Part of OffsetCommit.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestPartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub committed_offset: i64,
    /// Versions 6 to 10; `-1` unless stated.
    pub committed_leader_epoch: i32,
    /// All versions; may be null.
    pub committed_metadata: Option<String>,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(String::new()),
        }
    }
}

impl OffsetCommitRequestPartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 8);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.committed_offset = reader.i64()?;
        if version >= 6 {
            it.committed_leader_epoch = reader.i32()?;
        }
        it.committed_metadata = field::read_nullable_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 8);
        writer.i32(self.partition_index);
        writer.i64(self.committed_offset);
        if version >= 6 {
            writer.i32(self.committed_leader_epoch);
        }
        field::write_nullable_string(writer, form, self.committed_metadata.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of OffsetCommit.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitResponseTopic {
    /// Versions 2 to 9.
    pub name: String,
    /// Version 10.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<OffsetCommitResponsePartition>,
}

impl Default for OffsetCommitResponseTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            topic_id: Uuid::ZERO,
            partitions: Vec::new(),
        }
    }
}

impl OffsetCommitResponseTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 8);
        let mut it = Self::default();
        if version <= 9 {
            it.name = field::read_string(reader, form)?;
        }
        if version == 10 {
            it.topic_id = reader.uuid()?;
        }
        it.partitions = field::read_array(reader, form, 6, |reader| {
            OffsetCommitResponsePartition::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 8);
        if version <= 9 {
            field::write_string(writer, form, &self.name);
        }
        if version == 10 {
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

/// Part of OffsetCommit.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitResponsePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
}

impl Default for OffsetCommitResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
        }
    }
}

impl OffsetCommitResponsePartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 8);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.error_code = reader.i16()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 8);
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for OffsetCommitRequest {
    const KEY: ApiKey = ApiKey::OffsetCommit;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for OffsetCommitRequest {
    type Response = OffsetCommitResponse;
}

impl Message for OffsetCommitResponse {
    const KEY: ApiKey = ApiKey::OffsetCommit;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

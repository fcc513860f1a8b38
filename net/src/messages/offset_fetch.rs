//! OffsetFetch, versions 1 to 10.
//!
//! Reads the offsets a group has stored.
//! Generated from `net/schema/offset_fetch.txt` by millrace-codegen; not edited by hand.

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

/// Reads the offsets a group has stored.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequest {
    /// Versions 1 to 7.
    pub group_id: String,
    /// Versions 1 to 7; may be null from version 2.
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// Versions 8 to 10.
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// Versions 7 to 10.
    pub require_stable: bool,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            topics: Some(Vec::new()),
            groups: Vec::new(),
            require_stable: false,
        }
    }
}

impl OffsetFetchRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 10;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 6;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("OffsetFetchRequest has no such version"));
        }
        let form = field::form(version, 6);
        let mut it = Self::default();
        if version <= 7 {
            it.group_id = field::read_string(reader, form)?;
        }
        if version <= 7 {
            it.topics = field::null_only_if(field::read_nullable_array(reader, form, 3, |reader| {
                OffsetFetchRequestTopic::decode(reader, version)
            })?, version >= 2)?;
        }
        if version >= 8 {
            it.groups = field::read_array(reader, form, 3, |reader| {
                OffsetFetchRequestGroup::decode(reader, version)
            })?;
        }
        if version >= 7 {
            it.require_stable = reader.bool()?;
        }
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
            "OffsetFetchRequest has no version {version}"
        );
        let form = field::form(version, 6);
        if version <= 7 {
            field::write_string(writer, form, &self.group_id);
        }
        if version <= 7 {
            field::write_nullable_array(writer, form, field::null_or_empty(self.topics.as_deref(), version >= 2), |writer, item| {
                item.encode(writer, version);
            });
        }
        if version >= 8 {
            field::write_array(writer, form, &self.groups, |writer, item| {
                item.encode(writer, version);
            });
        }
        if version >= 7 {
            writer.bool(self.require_stable);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Reads the offsets a group has stored.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponse {
    /// Versions 3 to 10.
    pub throttle_time_ms: i32,
    /// Versions 1 to 7.
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// Versions 2 to 7.
    pub error_code: i16,
    /// Versions 8 to 10.
    pub groups: Vec<OffsetFetchResponseGroup>,
}

impl Default for OffsetFetchResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
            error_code: 0,
            groups: Vec::new(),
        }
    }
}

impl OffsetFetchResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 10;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 6;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("OffsetFetchResponse has no such version"));
        }
        let form = field::form(version, 6);
        let mut it = Self::default();
        if version >= 3 {
            it.throttle_time_ms = reader.i32()?;
        }
        if version <= 7 {
            it.topics = field::read_array(reader, form, 3, |reader| {
                OffsetFetchResponseTopic::decode(reader, version)
            })?;
        }
        if (2..=7).contains(&version) {
            it.error_code = reader.i16()?;
        }
        if version >= 8 {
            it.groups = field::read_array(reader, form, 5, |reader| {
                OffsetFetchResponseGroup::decode(reader, version)
            })?;
        }
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
            "OffsetFetchResponse has no version {version}"
        );
        let form = field::form(version, 6);
        if version >= 3 {
            writer.i32(self.throttle_time_ms);
        }
        if version <= 7 {
            field::write_array(writer, form, &self.topics, |writer, item| {
                item.encode(writer, version);
            });
        }
        if (2..=7).contains(&version) {
            writer.i16(self.error_code);
        }
        if version >= 8 {
            field::write_array(writer, form, &self.groups, |writer, item| {
                item.encode(writer, version);
            });
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of OffsetFetch, versions 1 to 7.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partition_indexes: Vec<i32>,
}

impl Default for OffsetFetchRequestTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partition_indexes: Vec::new(),
        }
    }
}

impl OffsetFetchRequestTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.partition_indexes = field::read_array(reader, form, 4, Reader::i32)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 6);
        field::write_string(writer, form, &self.name);
        field::write_array(writer, form, &self.partition_indexes, |writer, item| {
            writer.i32(*item);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of OffsetFetch, versions 8 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestGroup {
    /// All versions.
    pub group_id: String,
    /// Versions 9 to 10; may be null; `null` unless stated.
    pub member_id: Option<String>,
    /// Versions 9 to 10; `-1` unless stated.
    pub member_epoch: i32,
    /// All versions; may be null.
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            member_id: None,
            member_epoch: -1,
            topics: Some(Vec::new()),
        }
    }
}

impl OffsetFetchRequestGroup {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.group_id = field::read_string(reader, Form::Compact)?;
        if version >= 9 {
            it.member_id = field::read_nullable_string(reader, Form::Compact)?;
        }
        if version >= 9 {
            it.member_epoch = reader.i32()?;
        }
        it.topics = field::read_nullable_array(reader, Form::Compact, 3, |reader| {
            OffsetFetchRequestTopics::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.group_id);
        if version >= 9 {
            field::write_nullable_string(writer, Form::Compact, self.member_id.as_deref());
        }
        if version >= 9 {
            writer.i32(self.member_epoch);
        }
        field::write_nullable_array(writer, Form::Compact, self.topics.as_deref(), |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of OffsetFetch, versions 8 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestTopics {
    /// Versions 8 to 9.
    pub name: String,
    /// Version 10.
    pub topic_id: Uuid,
    /// All versions.
    pub partition_indexes: Vec<i32>,
}

impl Default for OffsetFetchRequestTopics {
    fn default() -> Self {
        Self {
            name: String::new(),
            topic_id: Uuid::ZERO,
            partition_indexes: Vec::new(),
        }
    }
}

impl OffsetFetchRequestTopics {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        if version <= 9 {
            it.name = field::read_string(reader, Form::Compact)?;
        }
        if version == 10 {
            it.topic_id = reader.uuid()?;
        }
        it.partition_indexes = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        if version <= 9 {
            field::write_string(writer, Form::Compact, &self.name);
        }
        if version == 10 {
            writer.uuid(self.topic_id);
        }
        field::write_array(writer, Form::Compact, &self.partition_indexes, |writer, item| {
            writer.i32(*item);
        });
        writer.no_tagged_fields();
    }
}

/// Part of OffsetFetch, versions 1 to 7.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponseTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

impl Default for OffsetFetchResponseTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl OffsetFetchResponseTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 16, |reader| {
            OffsetFetchResponsePartition::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 6);
        field::write_string(writer, form, &self.name);
        field::write_array(writer, form, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of OffsetFetch, versions 1 to 7.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub committed_offset: i64,
    /// Versions 5 to 7; `-1` unless stated.
    pub committed_leader_epoch: i32,
    /// All versions; may be null.
    pub metadata: Option<String>,
    /// All versions.
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(String::new()),
            error_code: 0,
        }
    }
}

impl OffsetFetchResponsePartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.committed_offset = reader.i64()?;
        if version >= 5 {
            it.committed_leader_epoch = reader.i32()?;
        }
        it.metadata = field::read_nullable_string(reader, form)?;
        it.error_code = reader.i16()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 6);
        writer.i32(self.partition_index);
        writer.i64(self.committed_offset);
        if version >= 5 {
            writer.i32(self.committed_leader_epoch);
        }
        field::write_nullable_string(writer, form, self.metadata.as_deref());
        writer.i16(self.error_code);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of OffsetFetch, versions 8 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponseGroup {
    /// All versions.
    pub group_id: String,
    /// All versions.
    pub topics: Vec<OffsetFetchResponseTopics>,
    /// All versions.
    pub error_code: i16,
}

impl Default for OffsetFetchResponseGroup {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            topics: Vec::new(),
            error_code: 0,
        }
    }
}

impl OffsetFetchResponseGroup {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.group_id = field::read_string(reader, Form::Compact)?;
        it.topics = field::read_array(reader, Form::Compact, 3, |reader| {
            OffsetFetchResponseTopics::decode(reader, version)
        })?;
        it.error_code = reader.i16()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.group_id);
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.i16(self.error_code);
        writer.no_tagged_fields();
    }
}

/// Part of OffsetFetch, versions 8 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponseTopics {
    /// Versions 8 to 9.
    pub name: String,
    /// Version 10.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

impl Default for OffsetFetchResponseTopics {
    fn default() -> Self {
        Self {
            name: String::new(),
            topic_id: Uuid::ZERO,
            partitions: Vec::new(),
        }
    }
}

impl OffsetFetchResponseTopics {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        if version <= 9 {
            it.name = field::read_string(reader, Form::Compact)?;
        }
        if version == 10 {
            it.topic_id = reader.uuid()?;
        }
        it.partitions = field::read_array(reader, Form::Compact, 20, |reader| {
            OffsetFetchResponsePartitions::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        if version <= 9 {
            field::write_string(writer, Form::Compact, &self.name);
        }
        if version == 10 {
            writer.uuid(self.topic_id);
        }
        field::write_array(writer, Form::Compact, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of OffsetFetch, versions 8 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartitions {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub committed_offset: i64,
    /// All versions; `-1` unless stated.
    pub committed_leader_epoch: i32,
    /// All versions; may be null.
    pub metadata: Option<String>,
    /// All versions.
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(String::new()),
            error_code: 0,
        }
    }
}

impl OffsetFetchResponsePartitions {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.committed_offset = reader.i64()?;
        it.committed_leader_epoch = reader.i32()?;
        it.metadata = field::read_nullable_string(reader, Form::Compact)?;
        it.error_code = reader.i16()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.partition_index);
        writer.i64(self.committed_offset);
        writer.i32(self.committed_leader_epoch);
        field::write_nullable_string(writer, Form::Compact, self.metadata.as_deref());
        writer.i16(self.error_code);
        writer.no_tagged_fields();
    }
}

impl Message for OffsetFetchRequest {
    const KEY: ApiKey = ApiKey::OffsetFetch;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for OffsetFetchRequest {
    type Response = OffsetFetchResponse;
}

impl Message for OffsetFetchResponse {
    const KEY: ApiKey = ApiKey::OffsetFetch;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! ListOffsets, versions 1 to 11.
//!
//! Finds offsets by timestamp, or the ends of a log.
//! Generated from `net/schema/list_offsets.txt` by millrace-codegen; not edited by hand.

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
use millrace_wire::{Reader, WireError, Writer, field};

/// Finds offsets by timestamp, or the ends of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsRequest {
    /// All versions.
    pub replica_id: i32,
    /// Versions 2 to 11.
    pub isolation_level: i8,
    /// All versions.
    pub topics: Vec<ListOffsetsTopic>,
    /// Versions 10 to 11.
    pub timeout_ms: i32,
}

impl Default for ListOffsetsRequest {
    fn default() -> Self {
        Self {
            replica_id: 0,
            isolation_level: 0,
            topics: Vec::new(),
            timeout_ms: 0,
        }
    }
}

impl ListOffsetsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 11;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 6;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ListOffsetsRequest has no such version"));
        }
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.replica_id = reader.i32()?;
        if version >= 2 {
            it.isolation_level = reader.i8()?;
        }
        it.topics = field::read_array(reader, form, 3, |reader| {
            ListOffsetsTopic::decode(reader, version)
        })?;
        if version >= 10 {
            it.timeout_ms = reader.i32()?;
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
            "ListOffsetsRequest has no version {version}"
        );
        let form = field::form(version, 6);
        writer.i32(self.replica_id);
        if version >= 2 {
            writer.i8(self.isolation_level);
        }
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 10 {
            writer.i32(self.timeout_ms);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Finds offsets by timestamp, or the ends of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsResponse {
    /// Versions 2 to 11.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<ListOffsetsTopicResponse>,
}

impl Default for ListOffsetsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
        }
    }
}

impl ListOffsetsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 11;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 6;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ListOffsetsResponse has no such version"));
        }
        let form = field::form(version, 6);
        let mut it = Self::default();
        if version >= 2 {
            it.throttle_time_ms = reader.i32()?;
        }
        it.topics = field::read_array(reader, form, 3, |reader| {
            ListOffsetsTopicResponse::decode(reader, version)
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
            "ListOffsetsResponse has no version {version}"
        );
        let form = field::form(version, 6);
        if version >= 2 {
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

/// Part of ListOffsets.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<ListOffsetsPartition>,
}

impl Default for ListOffsetsTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl ListOffsetsTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 12, |reader| {
            ListOffsetsPartition::decode(reader, version)
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

/// Part of ListOffsets.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartition {
    /// All versions.
    pub partition_index: i32,
    /// Versions 4 to 11; `-1` unless stated.
    pub current_leader_epoch: i32,
    /// All versions.
    pub timestamp: i64,
}

impl Default for ListOffsetsPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            current_leader_epoch: -1,
            timestamp: 0,
        }
    }
}

impl ListOffsetsPartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        if version >= 4 {
            it.current_leader_epoch = reader.i32()?;
        }
        it.timestamp = reader.i64()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 6);
        writer.i32(self.partition_index);
        if version >= 4 {
            writer.i32(self.current_leader_epoch);
        }
        writer.i64(self.timestamp);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of ListOffsets.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsTopicResponse {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

impl Default for ListOffsetsTopicResponse {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl ListOffsetsTopicResponse {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 22, |reader| {
            ListOffsetsPartitionResponse::decode(reader, version)
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

/// Part of ListOffsets.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartitionResponse {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; `-1` unless stated.
    pub timestamp: i64,
    /// All versions; `-1` unless stated.
    pub offset: i64,
    /// Versions 4 to 11; `-1` unless stated.
    pub leader_epoch: i32,
}

impl Default for ListOffsetsPartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            timestamp: -1,
            offset: -1,
            leader_epoch: -1,
        }
    }
}

impl ListOffsetsPartitionResponse {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.error_code = reader.i16()?;
        it.timestamp = reader.i64()?;
        it.offset = reader.i64()?;
        if version >= 4 {
            it.leader_epoch = reader.i32()?;
        }
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 6);
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
        writer.i64(self.timestamp);
        writer.i64(self.offset);
        if version >= 4 {
            writer.i32(self.leader_epoch);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for ListOffsetsRequest {
    const KEY: ApiKey = ApiKey::ListOffsets;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for ListOffsetsRequest {
    type Response = ListOffsetsResponse;
}

impl Message for ListOffsetsResponse {
    const KEY: ApiKey = ApiKey::ListOffsets;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

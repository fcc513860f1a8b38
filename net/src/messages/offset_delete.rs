//! OffsetDelete, versions 0 to 0.
//!
//! Deletes offsets a group has stored.
//! Generated from `net/schema/offset_delete.txt` by millrace-codegen; not edited by hand.

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

/// Deletes offsets a group has stored.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetDeleteRequest {
    /// All versions.
    pub group_id: String,
    /// All versions.
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

impl Default for OffsetDeleteRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            topics: Vec::new(),
        }
    }
}

impl OffsetDeleteRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 0;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 32_767;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("OffsetDeleteRequest has no such version"));
        }
        let mut it = Self::default();
        it.group_id = field::read_string(reader, Form::Classic)?;
        it.topics = field::read_array(reader, Form::Classic, 6, |reader| {
            OffsetDeleteRequestTopic::decode(reader, version)
        })?;
        Ok(it)
    }

    /// Appends the message in `version`; fields that `version` lacks are not written.
    ///
    /// A null where `version` knows none is written as the empty value. An unknown version is our
    /// own fault.
    pub fn encode(&self, writer: &mut Writer, version: i16) {
        assert!(
            (Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version),
            "OffsetDeleteRequest has no version {version}"
        );
        field::write_string(writer, Form::Classic, &self.group_id);
        field::write_array(writer, Form::Classic, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
    }
}

/// Deletes offsets a group has stored.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetDeleteResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

impl Default for OffsetDeleteResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            throttle_time_ms: 0,
            topics: Vec::new(),
        }
    }
}

impl OffsetDeleteResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 0;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 32_767;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("OffsetDeleteResponse has no such version"));
        }
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.throttle_time_ms = reader.i32()?;
        it.topics = field::read_array(reader, Form::Classic, 6, |reader| {
            OffsetDeleteResponseTopic::decode(reader, version)
        })?;
        Ok(it)
    }

    /// Appends the message in `version`; fields that `version` lacks are not written.
    ///
    /// A null where `version` knows none is written as the empty value. An unknown version is our
    /// own fault.
    pub fn encode(&self, writer: &mut Writer, version: i16) {
        assert!(
            (Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version),
            "OffsetDeleteResponse has no version {version}"
        );
        writer.i16(self.error_code);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, Form::Classic, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
    }
}

/// Part of OffsetDelete.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetDeleteRequestTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

impl Default for OffsetDeleteRequestTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl OffsetDeleteRequestTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Classic)?;
        it.partitions = field::read_array(reader, Form::Classic, 4, |reader| {
            OffsetDeleteRequestPartition::decode(reader, version)
        })?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Classic, &self.name);
        field::write_array(writer, Form::Classic, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
    }
}

/// Part of OffsetDelete.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetDeleteRequestPartition {
    /// All versions.
    pub partition_index: i32,
}

impl Default for OffsetDeleteRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
        }
    }
}

impl OffsetDeleteRequestPartition {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.partition_index);
    }
}

/// Part of OffsetDelete.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetDeleteResponseTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

impl Default for OffsetDeleteResponseTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl OffsetDeleteResponseTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Classic)?;
        it.partitions = field::read_array(reader, Form::Classic, 6, |reader| {
            OffsetDeleteResponsePartition::decode(reader, version)
        })?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Classic, &self.name);
        field::write_array(writer, Form::Classic, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
    }
}

/// Part of OffsetDelete.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetDeleteResponsePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
}

impl Default for OffsetDeleteResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
        }
    }
}

impl OffsetDeleteResponsePartition {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.error_code = reader.i16()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
    }
}

impl Message for OffsetDeleteRequest {
    const KEY: ApiKey = ApiKey::OffsetDelete;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for OffsetDeleteRequest {
    type Response = OffsetDeleteResponse;
}

impl Message for OffsetDeleteResponse {
    const KEY: ApiKey = ApiKey::OffsetDelete;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

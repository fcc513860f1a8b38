//! DeleteRecords, versions 0 to 2.
//!
//! Moves the log start offset of partitions up.
//! Generated from `net/schema/delete_records.txt` by millrace-codegen; not edited by hand.

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

/// Moves the log start offset of partitions up.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteRecordsRequest {
    /// All versions.
    pub topics: Vec<DeleteRecordsTopic>,
    /// All versions.
    pub timeout_ms: i32,
}

impl Default for DeleteRecordsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            timeout_ms: 0,
        }
    }
}

impl DeleteRecordsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 2;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 2;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DeleteRecordsRequest has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.topics = field::read_array(reader, form, 3, |reader| {
            DeleteRecordsTopic::decode(reader, version)
        })?;
        it.timeout_ms = reader.i32()?;
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
            "DeleteRecordsRequest has no version {version}"
        );
        let form = field::form(version, 2);
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.i32(self.timeout_ms);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Moves the log start offset of partitions up.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteRecordsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<DeleteRecordsTopicResult>,
}

impl Default for DeleteRecordsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
        }
    }
}

impl DeleteRecordsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 2;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 2;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DeleteRecordsResponse has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.topics = field::read_array(reader, form, 3, |reader| {
            DeleteRecordsTopicResult::decode(reader, version)
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
            "DeleteRecordsResponse has no version {version}"
        );
        let form = field::form(version, 2);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DeleteRecords.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteRecordsTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<DeleteRecordsPartition>,
}

impl Default for DeleteRecordsTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl DeleteRecordsTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 12, |reader| {
            DeleteRecordsPartition::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        field::write_string(writer, form, &self.name);
        field::write_array(writer, form, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DeleteRecords.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteRecordsPartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub offset: i64,
}

impl Default for DeleteRecordsPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            offset: 0,
        }
    }
}

impl DeleteRecordsPartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.offset = reader.i64()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        writer.i32(self.partition_index);
        writer.i64(self.offset);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DeleteRecords.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteRecordsTopicResult {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<DeleteRecordsPartitionResult>,
}

impl Default for DeleteRecordsTopicResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl DeleteRecordsTopicResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 14, |reader| {
            DeleteRecordsPartitionResult::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        field::write_string(writer, form, &self.name);
        field::write_array(writer, form, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DeleteRecords.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteRecordsPartitionResult {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub low_watermark: i64,
    /// All versions.
    pub error_code: i16,
}

impl Default for DeleteRecordsPartitionResult {
    fn default() -> Self {
        Self {
            partition_index: 0,
            low_watermark: 0,
            error_code: 0,
        }
    }
}

impl DeleteRecordsPartitionResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.low_watermark = reader.i64()?;
        it.error_code = reader.i16()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        writer.i32(self.partition_index);
        writer.i64(self.low_watermark);
        writer.i16(self.error_code);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for DeleteRecordsRequest {
    const KEY: ApiKey = ApiKey::DeleteRecords;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DeleteRecordsRequest {
    type Response = DeleteRecordsResponse;
}

impl Message for DeleteRecordsResponse {
    const KEY: ApiKey = ApiKey::DeleteRecords;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

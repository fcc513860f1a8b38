//! DescribeLogDirs, versions 1 to 5.
//!
//! Tells the log folders of a broker and what lies in them.
//! Generated from `net/schema/describe_log_dirs.txt` by millrace-codegen; not edited by hand.

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

/// Tells the log folders of a broker and what lies in them.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsRequest {
    /// All versions; may be null.
    pub topics: Option<Vec<DescribableLogDirTopic>>,
}

impl Default for DescribeLogDirsRequest {
    fn default() -> Self {
        Self {
            topics: Some(Vec::new()),
        }
    }
}

impl DescribeLogDirsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 5;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 2;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeLogDirsRequest has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.topics = field::read_nullable_array(reader, form, 3, |reader| {
            DescribableLogDirTopic::decode(reader, version)
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
            "DescribeLogDirsRequest has no version {version}"
        );
        let form = field::form(version, 2);
        field::write_nullable_array(writer, form, self.topics.as_deref(), |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Tells the log folders of a broker and what lies in them.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// Versions 3 to 5.
    pub error_code: i16,
    /// All versions.
    pub results: Vec<DescribeLogDirsResult>,
}

impl Default for DescribeLogDirsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            results: Vec::new(),
        }
    }
}

impl DescribeLogDirsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 5;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 2;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeLogDirsResponse has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        if version >= 3 {
            it.error_code = reader.i16()?;
        }
        it.results = field::read_array(reader, form, 5, |reader| {
            DescribeLogDirsResult::decode(reader, version)
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
            "DescribeLogDirsResponse has no version {version}"
        );
        let form = field::form(version, 2);
        writer.i32(self.throttle_time_ms);
        if version >= 3 {
            writer.i16(self.error_code);
        }
        field::write_array(writer, form, &self.results, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeLogDirs.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribableLogDirTopic {
    /// All versions.
    pub topic: String,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Default for DescribableLogDirTopic {
    fn default() -> Self {
        Self {
            topic: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl DescribableLogDirTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.topic = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 4, Reader::i32)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        field::write_string(writer, form, &self.topic);
        field::write_array(writer, form, &self.partitions, |writer, item| {
            writer.i32(*item);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeLogDirs.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsResult {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub log_dir: String,
    /// All versions.
    pub topics: Vec<DescribeLogDirsTopic>,
    /// Versions 4 to 5; `-1` unless stated.
    pub total_bytes: i64,
    /// Versions 4 to 5; `-1` unless stated.
    pub usable_bytes: i64,
    /// Version 5.
    pub is_cordoned: bool,
}

impl Default for DescribeLogDirsResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            log_dir: String::new(),
            topics: Vec::new(),
            total_bytes: -1,
            usable_bytes: -1,
            is_cordoned: false,
        }
    }
}

impl DescribeLogDirsResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.log_dir = field::read_string(reader, form)?;
        it.topics = field::read_array(reader, form, 3, |reader| {
            DescribeLogDirsTopic::decode(reader, version)
        })?;
        if version >= 4 {
            it.total_bytes = reader.i64()?;
        }
        if version >= 4 {
            it.usable_bytes = reader.i64()?;
        }
        if version == 5 {
            it.is_cordoned = reader.bool()?;
        }
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        writer.i16(self.error_code);
        field::write_string(writer, form, &self.log_dir);
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 4 {
            writer.i64(self.total_bytes);
        }
        if version >= 4 {
            writer.i64(self.usable_bytes);
        }
        if version == 5 {
            writer.bool(self.is_cordoned);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeLogDirs.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<DescribeLogDirsPartition>,
}

impl Default for DescribeLogDirsTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl DescribeLogDirsTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 21, |reader| {
            DescribeLogDirsPartition::decode(reader, version)
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

/// Part of DescribeLogDirs.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsPartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub partition_size: i64,
    /// All versions.
    pub offset_lag: i64,
    /// All versions.
    pub is_future_key: bool,
}

impl Default for DescribeLogDirsPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            partition_size: 0,
            offset_lag: 0,
            is_future_key: false,
        }
    }
}

impl DescribeLogDirsPartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.partition_size = reader.i64()?;
        it.offset_lag = reader.i64()?;
        it.is_future_key = reader.bool()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        writer.i32(self.partition_index);
        writer.i64(self.partition_size);
        writer.i64(self.offset_lag);
        writer.bool(self.is_future_key);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for DescribeLogDirsRequest {
    const KEY: ApiKey = ApiKey::DescribeLogDirs;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DescribeLogDirsRequest {
    type Response = DescribeLogDirsResponse;
}

impl Message for DescribeLogDirsResponse {
    const KEY: ApiKey = ApiKey::DescribeLogDirs;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! CreatePartitions, versions 0 to 3.
//!
//! Raises the number of partitions of topics.
//! Generated from `net/schema/create_partitions.txt` by millrace-codegen; not edited by hand.

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

/// Raises the number of partitions of topics.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePartitionsRequest {
    /// All versions.
    pub topics: Vec<CreatePartitionsTopic>,
    /// All versions.
    pub timeout_ms: i32,
    /// All versions.
    pub validate_only: bool,
}

impl Default for CreatePartitionsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            timeout_ms: 0,
            validate_only: false,
        }
    }
}

impl CreatePartitionsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 3;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 2;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("CreatePartitionsRequest has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.topics = field::read_array(reader, form, 7, |reader| {
            CreatePartitionsTopic::decode(reader, version)
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
            "CreatePartitionsRequest has no version {version}"
        );
        let form = field::form(version, 2);
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

/// Raises the number of partitions of topics.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePartitionsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub results: Vec<CreatePartitionsTopicResult>,
}

impl Default for CreatePartitionsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            results: Vec::new(),
        }
    }
}

impl CreatePartitionsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 3;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 2;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("CreatePartitionsResponse has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.results = field::read_array(reader, form, 5, |reader| {
            CreatePartitionsTopicResult::decode(reader, version)
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
            "CreatePartitionsResponse has no version {version}"
        );
        let form = field::form(version, 2);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, form, &self.results, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of CreatePartitions.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePartitionsTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub count: i32,
    /// All versions; may be null.
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
}

impl Default for CreatePartitionsTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            count: 0,
            assignments: Some(Vec::new()),
        }
    }
}

impl CreatePartitionsTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.count = reader.i32()?;
        it.assignments = field::read_nullable_array(reader, form, 2, |reader| {
            CreatePartitionsAssignment::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        field::write_string(writer, form, &self.name);
        writer.i32(self.count);
        field::write_nullable_array(writer, form, self.assignments.as_deref(), |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of CreatePartitions.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePartitionsAssignment {
    /// All versions.
    pub broker_ids: Vec<i32>,
}

impl Default for CreatePartitionsAssignment {
    fn default() -> Self {
        Self {
            broker_ids: Vec::new(),
        }
    }
}

impl CreatePartitionsAssignment {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.broker_ids = field::read_array(reader, form, 4, Reader::i32)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        field::write_array(writer, form, &self.broker_ids, |writer, item| {
            writer.i32(*item);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of CreatePartitions.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePartitionsTopicResult {
    /// All versions.
    pub name: String,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null; `null` unless stated.
    pub error_message: Option<String>,
}

impl Default for CreatePartitionsTopicResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            error_code: 0,
            error_message: None,
        }
    }
}

impl CreatePartitionsTopicResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        field::write_string(writer, form, &self.name);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, self.error_message.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for CreatePartitionsRequest {
    const KEY: ApiKey = ApiKey::CreatePartitions;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for CreatePartitionsRequest {
    type Response = CreatePartitionsResponse;
}

impl Message for CreatePartitionsResponse {
    const KEY: ApiKey = ApiKey::CreatePartitions;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

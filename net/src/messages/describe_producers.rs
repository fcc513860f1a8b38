//! DescribeProducers, versions 0 to 0.
//!
//! Tells the active producers of partitions.
//! Generated from `net/schema/describe_producers.txt` by millrace-codegen; not edited by hand.

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

/// Tells the active producers of partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeProducersRequest {
    /// All versions.
    pub topics: Vec<TopicRequest>,
}

impl Default for DescribeProducersRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
        }
    }
}

impl DescribeProducersRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 0;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeProducersRequest has no such version"));
        }
        let mut it = Self::default();
        it.topics = field::read_array(reader, Form::Compact, 3, |reader| {
            TopicRequest::decode(reader, version)
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
            "DescribeProducersRequest has no version {version}"
        );
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Tells the active producers of partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeProducersResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<TopicResponse>,
}

impl Default for DescribeProducersResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
        }
    }
}

impl DescribeProducersResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 0;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeProducersResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.topics = field::read_array(reader, Form::Compact, 3, |reader| {
            TopicResponse::decode(reader, version)
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
            "DescribeProducersResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeProducers.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicRequest {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partition_indexes: Vec<i32>,
}

impl Default for TopicRequest {
    fn default() -> Self {
        Self {
            name: String::new(),
            partition_indexes: Vec::new(),
        }
    }
}

impl TopicRequest {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.partition_indexes = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        field::write_array(writer, Form::Compact, &self.partition_indexes, |writer, item| {
            writer.i32(*item);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeProducers.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicResponse {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<PartitionResponse>,
}

impl Default for TopicResponse {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl TopicResponse {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.partitions = field::read_array(reader, Form::Compact, 9, |reader| {
            PartitionResponse::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        field::write_array(writer, Form::Compact, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeProducers.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionResponse {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null; `null` unless stated.
    pub error_message: Option<String>,
    /// All versions.
    pub active_producers: Vec<ProducerState>,
}

impl Default for PartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            error_message: None,
            active_producers: Vec::new(),
        }
    }
}

impl PartitionResponse {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        it.active_producers = field::read_array(reader, Form::Compact, 37, |reader| {
            ProducerState::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        field::write_array(writer, Form::Compact, &self.active_producers, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeProducers.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerState {
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i32,
    /// All versions; `-1` unless stated.
    pub last_sequence: i32,
    /// All versions; `-1` unless stated.
    pub last_timestamp: i64,
    /// All versions.
    pub coordinator_epoch: i32,
    /// All versions; `-1` unless stated.
    pub current_txn_start_offset: i64,
}

impl Default for ProducerState {
    fn default() -> Self {
        Self {
            producer_id: 0,
            producer_epoch: 0,
            last_sequence: -1,
            last_timestamp: -1,
            coordinator_epoch: 0,
            current_txn_start_offset: -1,
        }
    }
}

impl ProducerState {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.producer_id = reader.i64()?;
        it.producer_epoch = reader.i32()?;
        it.last_sequence = reader.i32()?;
        it.last_timestamp = reader.i64()?;
        it.coordinator_epoch = reader.i32()?;
        it.current_txn_start_offset = reader.i64()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i64(self.producer_id);
        writer.i32(self.producer_epoch);
        writer.i32(self.last_sequence);
        writer.i64(self.last_timestamp);
        writer.i32(self.coordinator_epoch);
        writer.i64(self.current_txn_start_offset);
        writer.no_tagged_fields();
    }
}

impl Message for DescribeProducersRequest {
    const KEY: ApiKey = ApiKey::DescribeProducers;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DescribeProducersRequest {
    type Response = DescribeProducersResponse;
}

impl Message for DescribeProducersResponse {
    const KEY: ApiKey = ApiKey::DescribeProducers;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

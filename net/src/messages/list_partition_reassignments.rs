//! ListPartitionReassignments, versions 0 to 0.
//!
//! Lists partition reassignments that are under way.
//! Generated from `net/schema/list_partition_reassignments.txt` by millrace-codegen; not edited by hand.

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

/// Lists partition reassignments that are under way.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPartitionReassignmentsRequest {
    /// All versions; `60000` unless stated.
    pub timeout_ms: i32,
    /// All versions; may be null; `null` unless stated.
    pub topics: Option<Vec<ListPartitionReassignmentsTopics>>,
}

impl Default for ListPartitionReassignmentsRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60_000,
            topics: None,
        }
    }
}

impl ListPartitionReassignmentsRequest {
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
            return Err(WireError::Invalid("ListPartitionReassignmentsRequest has no such version"));
        }
        let mut it = Self::default();
        it.timeout_ms = reader.i32()?;
        it.topics = field::read_nullable_array(reader, Form::Compact, 3, |reader| {
            ListPartitionReassignmentsTopics::decode(reader, version)
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
            "ListPartitionReassignmentsRequest has no version {version}"
        );
        writer.i32(self.timeout_ms);
        field::write_nullable_array(writer, Form::Compact, self.topics.as_deref(), |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Lists partition reassignments that are under way.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPartitionReassignmentsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
    /// All versions.
    pub topics: Vec<OngoingTopicReassignment>,
}

impl Default for ListPartitionReassignmentsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(String::new()),
            topics: Vec::new(),
        }
    }
}

impl ListPartitionReassignmentsResponse {
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
            return Err(WireError::Invalid("ListPartitionReassignmentsResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        it.topics = field::read_array(reader, Form::Compact, 3, |reader| {
            OngoingTopicReassignment::decode(reader, version)
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
            "ListPartitionReassignmentsResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of ListPartitionReassignments.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPartitionReassignmentsTopics {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partition_indexes: Vec<i32>,
}

impl Default for ListPartitionReassignmentsTopics {
    fn default() -> Self {
        Self {
            name: String::new(),
            partition_indexes: Vec::new(),
        }
    }
}

impl ListPartitionReassignmentsTopics {
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

/// Part of ListPartitionReassignments.
#[derive(Clone, Debug, PartialEq)]
pub struct OngoingTopicReassignment {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<OngoingPartitionReassignment>,
}

impl Default for OngoingTopicReassignment {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl OngoingTopicReassignment {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.partitions = field::read_array(reader, Form::Compact, 8, |reader| {
            OngoingPartitionReassignment::decode(reader, version)
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

/// Part of ListPartitionReassignments.
#[derive(Clone, Debug, PartialEq)]
pub struct OngoingPartitionReassignment {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub replicas: Vec<i32>,
    /// All versions.
    pub adding_replicas: Vec<i32>,
    /// All versions.
    pub removing_replicas: Vec<i32>,
}

impl Default for OngoingPartitionReassignment {
    fn default() -> Self {
        Self {
            partition_index: 0,
            replicas: Vec::new(),
            adding_replicas: Vec::new(),
            removing_replicas: Vec::new(),
        }
    }
}

impl OngoingPartitionReassignment {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.replicas = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        it.adding_replicas = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        it.removing_replicas = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.partition_index);
        field::write_array(writer, Form::Compact, &self.replicas, |writer, item| {
            writer.i32(*item);
        });
        field::write_array(writer, Form::Compact, &self.adding_replicas, |writer, item| {
            writer.i32(*item);
        });
        field::write_array(writer, Form::Compact, &self.removing_replicas, |writer, item| {
            writer.i32(*item);
        });
        writer.no_tagged_fields();
    }
}

impl Message for ListPartitionReassignmentsRequest {
    const KEY: ApiKey = ApiKey::ListPartitionReassignments;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for ListPartitionReassignmentsRequest {
    type Response = ListPartitionReassignmentsResponse;
}

impl Message for ListPartitionReassignmentsResponse {
    const KEY: ApiKey = ApiKey::ListPartitionReassignments;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

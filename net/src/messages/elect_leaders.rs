//! ElectLeaders, versions 0 to 2.
//!
//! Elects leaders for partitions.
//! Generated from `net/schema/elect_leaders.txt` by millrace-codegen; not edited by hand.

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

/// Elects leaders for partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct ElectLeadersRequest {
    /// Versions 1 to 2.
    pub election_type: i8,
    /// All versions; may be null.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// All versions; `60000` unless stated.
    pub timeout_ms: i32,
}

impl Default for ElectLeadersRequest {
    fn default() -> Self {
        Self {
            election_type: 0,
            topic_partitions: Some(Vec::new()),
            timeout_ms: 60_000,
        }
    }
}

impl ElectLeadersRequest {
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
            return Err(WireError::Invalid("ElectLeadersRequest has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        if version >= 1 {
            it.election_type = reader.i8()?;
        }
        it.topic_partitions = field::read_nullable_array(reader, form, 3, |reader| {
            TopicPartitions::decode(reader, version)
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
            "ElectLeadersRequest has no version {version}"
        );
        let form = field::form(version, 2);
        if version >= 1 {
            writer.i8(self.election_type);
        }
        field::write_nullable_array(writer, form, self.topic_partitions.as_deref(), |writer, item| {
            item.encode(writer, version);
        });
        writer.i32(self.timeout_ms);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Elects leaders for partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct ElectLeadersResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// Versions 1 to 2.
    pub error_code: i16,
    /// All versions.
    pub replica_election_results: Vec<ReplicaElectionResult>,
}

impl Default for ElectLeadersResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            replica_election_results: Vec::new(),
        }
    }
}

impl ElectLeadersResponse {
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
            return Err(WireError::Invalid("ElectLeadersResponse has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        if version >= 1 {
            it.error_code = reader.i16()?;
        }
        it.replica_election_results = field::read_array(reader, form, 3, |reader| {
            ReplicaElectionResult::decode(reader, version)
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
            "ElectLeadersResponse has no version {version}"
        );
        let form = field::form(version, 2);
        writer.i32(self.throttle_time_ms);
        if version >= 1 {
            writer.i16(self.error_code);
        }
        field::write_array(writer, form, &self.replica_election_results, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of ElectLeaders.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicPartitions {
    /// All versions.
    pub topic: String,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Default for TopicPartitions {
    fn default() -> Self {
        Self {
            topic: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl TopicPartitions {
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

/// Part of ElectLeaders.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaElectionResult {
    /// All versions.
    pub topic: String,
    /// All versions.
    pub partition_result: Vec<PartitionResult>,
}

impl Default for ReplicaElectionResult {
    fn default() -> Self {
        Self {
            topic: String::new(),
            partition_result: Vec::new(),
        }
    }
}

impl ReplicaElectionResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.topic = field::read_string(reader, form)?;
        it.partition_result = field::read_array(reader, form, 8, |reader| {
            PartitionResult::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        field::write_string(writer, form, &self.topic);
        field::write_array(writer, form, &self.partition_result, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of ElectLeaders.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionResult {
    /// All versions.
    pub partition_id: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
}

impl Default for PartitionResult {
    fn default() -> Self {
        Self {
            partition_id: 0,
            error_code: 0,
            error_message: Some(String::new()),
        }
    }
}

impl PartitionResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.partition_id = reader.i32()?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        writer.i32(self.partition_id);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, self.error_message.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for ElectLeadersRequest {
    const KEY: ApiKey = ApiKey::ElectLeaders;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for ElectLeadersRequest {
    type Response = ElectLeadersResponse;
}

impl Message for ElectLeadersResponse {
    const KEY: ApiKey = ApiKey::ElectLeaders;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! OffsetForLeaderEpoch, versions 2 to 4.
//!
//! Tells where a leader epoch ends.
//! Generated from `net/schema/offset_for_leader_epoch.txt` by millrace-codegen; not edited by hand.

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

/// Tells where a leader epoch ends.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderEpochRequest {
    /// Versions 3 to 4; `-2` unless stated.
    pub replica_id: i32,
    /// All versions.
    pub topics: Vec<OffsetForLeaderTopic>,
}

impl Default for OffsetForLeaderEpochRequest {
    fn default() -> Self {
        Self {
            replica_id: -2,
            topics: Vec::new(),
        }
    }
}

impl OffsetForLeaderEpochRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 2;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 4;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 4;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("OffsetForLeaderEpochRequest has no such version"));
        }
        let form = field::form(version, 4);
        let mut it = Self::default();
        if version >= 3 {
            it.replica_id = reader.i32()?;
        }
        it.topics = field::read_array(reader, form, 3, |reader| {
            OffsetForLeaderTopic::decode(reader, version)
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
            "OffsetForLeaderEpochRequest has no version {version}"
        );
        let form = field::form(version, 4);
        if version >= 3 {
            writer.i32(self.replica_id);
        }
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Tells where a leader epoch ends.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderEpochResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<OffsetForLeaderTopicResult>,
}

impl Default for OffsetForLeaderEpochResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
        }
    }
}

impl OffsetForLeaderEpochResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 2;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 4;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 4;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("OffsetForLeaderEpochResponse has no such version"));
        }
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.topics = field::read_array(reader, form, 3, |reader| {
            OffsetForLeaderTopicResult::decode(reader, version)
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
            "OffsetForLeaderEpochResponse has no version {version}"
        );
        let form = field::form(version, 4);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of OffsetForLeaderEpoch.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderTopic {
    /// All versions.
    pub topic: String,
    /// All versions.
    pub partitions: Vec<OffsetForLeaderPartition>,
}

impl Default for OffsetForLeaderTopic {
    fn default() -> Self {
        Self {
            topic: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl OffsetForLeaderTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.topic = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 12, |reader| {
            OffsetForLeaderPartition::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        field::write_string(writer, form, &self.topic);
        field::write_array(writer, form, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of OffsetForLeaderEpoch.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderPartition {
    /// All versions.
    pub partition: i32,
    /// All versions; `-1` unless stated.
    pub current_leader_epoch: i32,
    /// All versions.
    pub leader_epoch: i32,
}

impl Default for OffsetForLeaderPartition {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            leader_epoch: 0,
        }
    }
}

impl OffsetForLeaderPartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.partition = reader.i32()?;
        it.current_leader_epoch = reader.i32()?;
        it.leader_epoch = reader.i32()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        writer.i32(self.partition);
        writer.i32(self.current_leader_epoch);
        writer.i32(self.leader_epoch);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of OffsetForLeaderEpoch.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderTopicResult {
    /// All versions.
    pub topic: String,
    /// All versions.
    pub partitions: Vec<EpochEndOffset>,
}

impl Default for OffsetForLeaderTopicResult {
    fn default() -> Self {
        Self {
            topic: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl OffsetForLeaderTopicResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.topic = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 18, |reader| {
            EpochEndOffset::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        field::write_string(writer, form, &self.topic);
        field::write_array(writer, form, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of OffsetForLeaderEpoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub partition: i32,
    /// All versions; `-1` unless stated.
    pub leader_epoch: i32,
    /// All versions; `-1` unless stated.
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition: 0,
            leader_epoch: -1,
            end_offset: -1,
        }
    }
}

impl EpochEndOffset {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.partition = reader.i32()?;
        it.leader_epoch = reader.i32()?;
        it.end_offset = reader.i64()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        writer.i16(self.error_code);
        writer.i32(self.partition);
        writer.i32(self.leader_epoch);
        writer.i64(self.end_offset);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for OffsetForLeaderEpochRequest {
    const KEY: ApiKey = ApiKey::OffsetForLeaderEpoch;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for OffsetForLeaderEpochRequest {
    type Response = OffsetForLeaderEpochResponse;
}

impl Message for OffsetForLeaderEpochResponse {
    const KEY: ApiKey = ApiKey::OffsetForLeaderEpoch;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

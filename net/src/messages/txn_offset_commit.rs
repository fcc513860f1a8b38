//! TxnOffsetCommit, versions 0 to 5.
//!
//! Stores a group's offsets as part of a transaction.
//! Generated from `net/schema/txn_offset_commit.txt` by millrace-codegen; not edited by hand.

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

/// Stores a group's offsets as part of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequest {
    /// All versions.
    pub transactional_id: String,
    /// All versions.
    pub group_id: String,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// Versions 3 to 5; `-1` unless stated.
    pub generation_id: i32,
    /// Versions 3 to 5.
    pub member_id: String,
    /// Versions 3 to 5; may be null; `null` unless stated.
    pub group_instance_id: Option<String>,
    /// All versions.
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            group_id: String::new(),
            producer_id: 0,
            producer_epoch: 0,
            generation_id: -1,
            member_id: String::new(),
            group_instance_id: None,
            topics: Vec::new(),
        }
    }
}

impl TxnOffsetCommitRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 5;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 3;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("TxnOffsetCommitRequest has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.transactional_id = field::read_string(reader, form)?;
        it.group_id = field::read_string(reader, form)?;
        it.producer_id = reader.i64()?;
        it.producer_epoch = reader.i16()?;
        if version >= 3 {
            it.generation_id = reader.i32()?;
        }
        if version >= 3 {
            it.member_id = field::read_string(reader, form)?;
        }
        if version >= 3 {
            it.group_instance_id = field::read_nullable_string(reader, form)?;
        }
        it.topics = field::read_array(reader, form, 3, |reader| {
            TxnOffsetCommitRequestTopic::decode(reader, version)
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
            "TxnOffsetCommitRequest has no version {version}"
        );
        let form = field::form(version, 3);
        field::write_string(writer, form, &self.transactional_id);
        field::write_string(writer, form, &self.group_id);
        writer.i64(self.producer_id);
        writer.i16(self.producer_epoch);
        if version >= 3 {
            writer.i32(self.generation_id);
        }
        if version >= 3 {
            field::write_string(writer, form, &self.member_id);
        }
        if version >= 3 {
            field::write_nullable_string(writer, form, self.group_instance_id.as_deref());
        }
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Stores a group's offsets as part of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
}

impl Default for TxnOffsetCommitResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            topics: Vec::new(),
        }
    }
}

impl TxnOffsetCommitResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 5;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 3;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("TxnOffsetCommitResponse has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.topics = field::read_array(reader, form, 3, |reader| {
            TxnOffsetCommitResponseTopic::decode(reader, version)
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
            "TxnOffsetCommitResponse has no version {version}"
        );
        let form = field::form(version, 3);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of TxnOffsetCommit.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequestTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
}

impl Default for TxnOffsetCommitRequestTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl TxnOffsetCommitRequestTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 14, |reader| {
            TxnOffsetCommitRequestPartition::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 3);
        field::write_string(writer, form, &self.name);
        field::write_array(writer, form, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of TxnOffsetCommit.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequestPartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub committed_offset: i64,
    /// Versions 2 to 5; `-1` unless stated.
    pub committed_leader_epoch: i32,
    /// All versions; may be null.
    pub committed_metadata: Option<String>,
}

impl Default for TxnOffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(String::new()),
        }
    }
}

impl TxnOffsetCommitRequestPartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.committed_offset = reader.i64()?;
        if version >= 2 {
            it.committed_leader_epoch = reader.i32()?;
        }
        it.committed_metadata = field::read_nullable_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 3);
        writer.i32(self.partition_index);
        writer.i64(self.committed_offset);
        if version >= 2 {
            writer.i32(self.committed_leader_epoch);
        }
        field::write_nullable_string(writer, form, self.committed_metadata.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of TxnOffsetCommit.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitResponseTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
}

impl Default for TxnOffsetCommitResponseTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl TxnOffsetCommitResponseTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 6, |reader| {
            TxnOffsetCommitResponsePartition::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 3);
        field::write_string(writer, form, &self.name);
        field::write_array(writer, form, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of TxnOffsetCommit.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitResponsePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
}

impl Default for TxnOffsetCommitResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
        }
    }
}

impl TxnOffsetCommitResponsePartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.error_code = reader.i16()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 3);
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for TxnOffsetCommitRequest {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for TxnOffsetCommitRequest {
    type Response = TxnOffsetCommitResponse;
}

impl Message for TxnOffsetCommitResponse {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! Produce, versions 3 to 13.
//!
//! Appends record batches to partitions.
//! Generated from `net/schema/produce.txt` by millrace-codegen; not edited by hand.

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
use bytes::Bytes;
use millrace_wire::field::Form;
use millrace_wire::{Reader, Uuid, WireError, Writer, field};

/// Appends record batches to partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct ProduceRequest {
    /// All versions; may be null; `null` unless stated.
    pub transactional_id: Option<String>,
    /// All versions.
    pub acks: i16,
    /// All versions.
    pub timeout_ms: i32,
    /// All versions.
    pub topic_data: Vec<TopicProduceData>,
}

impl Default for ProduceRequest {
    fn default() -> Self {
        Self {
            transactional_id: None,
            acks: 0,
            timeout_ms: 0,
            topic_data: Vec::new(),
        }
    }
}

impl ProduceRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 3;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 13;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 9;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ProduceRequest has no such version"));
        }
        let form = field::form(version, 9);
        let mut it = Self::default();
        it.transactional_id = field::read_nullable_string(reader, form)?;
        it.acks = reader.i16()?;
        it.timeout_ms = reader.i32()?;
        it.topic_data = field::read_array(reader, form, 3, |reader| {
            TopicProduceData::decode(reader, version)
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
            "ProduceRequest has no version {version}"
        );
        let form = field::form(version, 9);
        field::write_nullable_string(writer, form, self.transactional_id.as_deref());
        writer.i16(self.acks);
        writer.i32(self.timeout_ms);
        field::write_array(writer, form, &self.topic_data, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Appends record batches to partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct ProduceResponse {
    /// All versions.
    pub responses: Vec<TopicProduceResponse>,
    /// All versions.
    pub throttle_time_ms: i32,
    /// Versions 10 to 13; tag 0.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Default for ProduceResponse {
    fn default() -> Self {
        Self {
            responses: Vec::new(),
            throttle_time_ms: 0,
            node_endpoints: Vec::new(),
        }
    }
}

impl ProduceResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 3;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 13;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 9;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ProduceResponse has no such version"));
        }
        let form = field::form(version, 9);
        let mut it = Self::default();
        it.responses = field::read_array(reader, form, 3, |reader| {
            TopicProduceResponse::decode(reader, version)
        })?;
        it.throttle_time_ms = reader.i32()?;
        if form == Form::Compact {
            reader.tagged_fields(|tag, reader| {
                match tag {
                    0 if version >= 10 => it.node_endpoints = field::read_array(reader, form, 11, |reader| {
                        NodeEndpoint::decode(reader, version)
                    })?,
                    _ => {}
                }
                Ok(())
            })?;
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
            "ProduceResponse has no version {version}"
        );
        let form = field::form(version, 9);
        field::write_array(writer, form, &self.responses, |writer, item| {
            item.encode(writer, version);
        });
        writer.i32(self.throttle_time_ms);
        if form == Form::Compact {
            let mut tagged = field::TaggedFields::new();
            if version >= 10 && !self.node_endpoints.is_empty() {
                tagged.add(0, |writer| {
                    field::write_array(writer, form, &self.node_endpoints, |writer, item| {
                        item.encode(writer, version);
                    });
                });
            }
            tagged.finish(writer);
        }
    }
}

/// Part of Produce.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicProduceData {
    /// Versions 3 to 12.
    pub name: String,
    /// Version 13.
    pub topic_id: Uuid,
    /// All versions.
    pub partition_data: Vec<PartitionProduceData>,
}

impl Default for TopicProduceData {
    fn default() -> Self {
        Self {
            name: String::new(),
            topic_id: Uuid::ZERO,
            partition_data: Vec::new(),
        }
    }
}

impl TopicProduceData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 9);
        let mut it = Self::default();
        if version <= 12 {
            it.name = field::read_string(reader, form)?;
        }
        if version == 13 {
            it.topic_id = reader.uuid()?;
        }
        it.partition_data = field::read_array(reader, form, 6, |reader| {
            PartitionProduceData::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 9);
        if version <= 12 {
            field::write_string(writer, form, &self.name);
        }
        if version == 13 {
            writer.uuid(self.topic_id);
        }
        field::write_array(writer, form, &self.partition_data, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Produce.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceData {
    /// All versions.
    pub index: i32,
    /// All versions; may be null.
    pub records: Option<Bytes>,
}

impl Default for PartitionProduceData {
    fn default() -> Self {
        Self {
            index: 0,
            records: Some(Bytes::new()),
        }
    }
}

impl PartitionProduceData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 9);
        let mut it = Self::default();
        it.index = reader.i32()?;
        it.records = field::read_nullable_bytes(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 9);
        writer.i32(self.index);
        field::write_nullable_bytes(writer, form, self.records.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Produce.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicProduceResponse {
    /// Versions 3 to 12.
    pub name: String,
    /// Version 13.
    pub topic_id: Uuid,
    /// All versions.
    pub partition_responses: Vec<PartitionProduceResponse>,
}

impl Default for TopicProduceResponse {
    fn default() -> Self {
        Self {
            name: String::new(),
            topic_id: Uuid::ZERO,
            partition_responses: Vec::new(),
        }
    }
}

impl TopicProduceResponse {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 9);
        let mut it = Self::default();
        if version <= 12 {
            it.name = field::read_string(reader, form)?;
        }
        if version == 13 {
            it.topic_id = reader.uuid()?;
        }
        it.partition_responses = field::read_array(reader, form, 22, |reader| {
            PartitionProduceResponse::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 9);
        if version <= 12 {
            field::write_string(writer, form, &self.name);
        }
        if version == 13 {
            writer.uuid(self.topic_id);
        }
        field::write_array(writer, form, &self.partition_responses, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Produce.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceResponse {
    /// All versions.
    pub index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub base_offset: i64,
    /// All versions; `-1` unless stated.
    pub log_append_time_ms: i64,
    /// Versions 5 to 13; `-1` unless stated.
    pub log_start_offset: i64,
    /// Versions 8 to 13.
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// Versions 8 to 13; may be null; `null` unless stated.
    pub error_message: Option<String>,
    /// Versions 10 to 13; tag 0.
    pub current_leader: LeaderIdAndEpoch,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        Self {
            index: 0,
            error_code: 0,
            base_offset: 0,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: LeaderIdAndEpoch::default(),
        }
    }
}

impl PartitionProduceResponse {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 9);
        let mut it = Self::default();
        it.index = reader.i32()?;
        it.error_code = reader.i16()?;
        it.base_offset = reader.i64()?;
        it.log_append_time_ms = reader.i64()?;
        if version >= 5 {
            it.log_start_offset = reader.i64()?;
        }
        if version >= 8 {
            it.record_errors = field::read_array(reader, form, 6, |reader| {
                BatchIndexAndErrorMessage::decode(reader, version)
            })?;
        }
        if version >= 8 {
            it.error_message = field::read_nullable_string(reader, form)?;
        }
        if form == Form::Compact {
            reader.tagged_fields(|tag, reader| {
                match tag {
                    0 if version >= 10 => it.current_leader = LeaderIdAndEpoch::decode(reader, version)?,
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 9);
        writer.i32(self.index);
        writer.i16(self.error_code);
        writer.i64(self.base_offset);
        writer.i64(self.log_append_time_ms);
        if version >= 5 {
            writer.i64(self.log_start_offset);
        }
        if version >= 8 {
            field::write_array(writer, form, &self.record_errors, |writer, item| {
                item.encode(writer, version);
            });
        }
        if version >= 8 {
            field::write_nullable_string(writer, form, self.error_message.as_deref());
        }
        if form == Form::Compact {
            let mut tagged = field::TaggedFields::new();
            if version >= 10 && self.current_leader != LeaderIdAndEpoch::default() {
                tagged.add(0, |writer| {
                    self.current_leader.encode(writer, version);
                });
            }
            tagged.finish(writer);
        }
    }
}

/// Part of Produce, versions 8 to 13.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchIndexAndErrorMessage {
    /// All versions.
    pub batch_index: i32,
    /// All versions; may be null; `null` unless stated.
    pub batch_index_error_message: Option<String>,
}

impl Default for BatchIndexAndErrorMessage {
    fn default() -> Self {
        Self {
            batch_index: 0,
            batch_index_error_message: None,
        }
    }
}

impl BatchIndexAndErrorMessage {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 9);
        let mut it = Self::default();
        it.batch_index = reader.i32()?;
        it.batch_index_error_message = field::read_nullable_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 9);
        writer.i32(self.batch_index);
        field::write_nullable_string(writer, form, self.batch_index_error_message.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Produce, versions 10 to 13.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    /// All versions; `-1` unless stated.
    pub leader_id: i32,
    /// All versions; `-1` unless stated.
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
}

impl LeaderIdAndEpoch {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.leader_id = reader.i32()?;
        it.leader_epoch = reader.i32()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.leader_id);
        writer.i32(self.leader_epoch);
        writer.no_tagged_fields();
    }
}

/// Part of Produce, versions 10 to 13.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeEndpoint {
    /// All versions.
    pub node_id: i32,
    /// All versions.
    pub host: String,
    /// All versions.
    pub port: i32,
    /// All versions; may be null; `null` unless stated.
    pub rack: Option<String>,
}

impl Default for NodeEndpoint {
    fn default() -> Self {
        Self {
            node_id: 0,
            host: String::new(),
            port: 0,
            rack: None,
        }
    }
}

impl NodeEndpoint {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.node_id = reader.i32()?;
        it.host = field::read_string(reader, Form::Compact)?;
        it.port = reader.i32()?;
        it.rack = field::read_nullable_string(reader, Form::Compact)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.node_id);
        field::write_string(writer, Form::Compact, &self.host);
        writer.i32(self.port);
        field::write_nullable_string(writer, Form::Compact, self.rack.as_deref());
        writer.no_tagged_fields();
    }
}

impl Message for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for ProduceRequest {
    type Response = ProduceResponse;
}

impl Message for ProduceResponse {
    const KEY: ApiKey = ApiKey::Produce;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

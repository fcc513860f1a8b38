//! Metadata, versions 0 to 13.
//!
//! Tells brokers, topics, partitions and their leaders.
//! Generated from `net/schema/metadata.txt` by millrace-codegen; not edited by hand.

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
use millrace_wire::{Reader, Uuid, WireError, Writer, field};

/// Tells brokers, topics, partitions and their leaders.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequest {
    /// All versions; may be null from version 1.
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// Versions 4 to 13; `true` unless stated.
    pub allow_auto_topic_creation: bool,
    /// Versions 8 to 10.
    pub include_cluster_authorized_operations: bool,
    /// Versions 8 to 13.
    pub include_topic_authorized_operations: bool,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        Self {
            topics: Some(Vec::new()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: false,
            include_topic_authorized_operations: false,
        }
    }
}

impl MetadataRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
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
            return Err(WireError::Invalid("MetadataRequest has no such version"));
        }
        let form = field::form(version, 9);
        let mut it = Self::default();
        it.topics = field::null_only_if(field::read_nullable_array(reader, form, 2, |reader| {
            MetadataRequestTopic::decode(reader, version)
        })?, version >= 1)?;
        if version >= 4 {
            it.allow_auto_topic_creation = reader.bool()?;
        }
        if (8..=10).contains(&version) {
            it.include_cluster_authorized_operations = reader.bool()?;
        }
        if version >= 8 {
            it.include_topic_authorized_operations = reader.bool()?;
        }
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
            "MetadataRequest has no version {version}"
        );
        let form = field::form(version, 9);
        field::write_nullable_array(writer, form, field::null_or_empty(self.topics.as_deref(), version >= 1), |writer, item| {
            item.encode(writer, version);
        });
        if version >= 4 {
            writer.bool(self.allow_auto_topic_creation);
        }
        if (8..=10).contains(&version) {
            writer.bool(self.include_cluster_authorized_operations);
        }
        if version >= 8 {
            writer.bool(self.include_topic_authorized_operations);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Tells brokers, topics, partitions and their leaders.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponse {
    /// Versions 3 to 13.
    pub throttle_time_ms: i32,
    /// All versions.
    pub brokers: Vec<MetadataResponseBroker>,
    /// Versions 2 to 13; may be null; `null` unless stated.
    pub cluster_id: Option<String>,
    /// Versions 1 to 13; `-1` unless stated.
    pub controller_id: i32,
    /// All versions.
    pub topics: Vec<MetadataResponseTopic>,
    /// Versions 8 to 10; `-2147483648` unless stated.
    pub cluster_authorized_operations: i32,
    /// Version 13.
    pub error_code: i16,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            brokers: Vec::new(),
            cluster_id: None,
            controller_id: -1,
            topics: Vec::new(),
            cluster_authorized_operations: i32::MIN,
            error_code: 0,
        }
    }
}

impl MetadataResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
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
            return Err(WireError::Invalid("MetadataResponse has no such version"));
        }
        let form = field::form(version, 9);
        let mut it = Self::default();
        if version >= 3 {
            it.throttle_time_ms = reader.i32()?;
        }
        it.brokers = field::read_array(reader, form, 10, |reader| {
            MetadataResponseBroker::decode(reader, version)
        })?;
        if version >= 2 {
            it.cluster_id = field::read_nullable_string(reader, form)?;
        }
        if version >= 1 {
            it.controller_id = reader.i32()?;
        }
        it.topics = field::read_array(reader, form, 8, |reader| {
            MetadataResponseTopic::decode(reader, version)
        })?;
        if (8..=10).contains(&version) {
            it.cluster_authorized_operations = reader.i32()?;
        }
        if version == 13 {
            it.error_code = reader.i16()?;
        }
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
            "MetadataResponse has no version {version}"
        );
        let form = field::form(version, 9);
        if version >= 3 {
            writer.i32(self.throttle_time_ms);
        }
        field::write_array(writer, form, &self.brokers, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 2 {
            field::write_nullable_string(writer, form, self.cluster_id.as_deref());
        }
        if version >= 1 {
            writer.i32(self.controller_id);
        }
        field::write_array(writer, form, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        if (8..=10).contains(&version) {
            writer.i32(self.cluster_authorized_operations);
        }
        if version == 13 {
            writer.i16(self.error_code);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequestTopic {
    /// Versions 10 to 13.
    pub topic_id: Uuid,
    /// All versions; may be null from version 10.
    pub name: Option<String>,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        Self {
            topic_id: Uuid::ZERO,
            name: Some(String::new()),
        }
    }
}

impl MetadataRequestTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 9);
        let mut it = Self::default();
        if version >= 10 {
            it.topic_id = reader.uuid()?;
        }
        it.name = field::null_only_if(field::read_nullable_string(reader, form)?, version >= 10)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 9);
        if version >= 10 {
            writer.uuid(self.topic_id);
        }
        field::write_nullable_string(writer, form, field::null_or_empty(self.name.as_deref(), version >= 10));
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponseBroker {
    /// All versions.
    pub node_id: i32,
    /// All versions.
    pub host: String,
    /// All versions.
    pub port: i32,
    /// Versions 1 to 13; may be null; `null` unless stated.
    pub rack: Option<String>,
}

impl Default for MetadataResponseBroker {
    fn default() -> Self {
        Self {
            node_id: 0,
            host: String::new(),
            port: 0,
            rack: None,
        }
    }
}

impl MetadataResponseBroker {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 9);
        let mut it = Self::default();
        it.node_id = reader.i32()?;
        it.host = field::read_string(reader, form)?;
        it.port = reader.i32()?;
        if version >= 1 {
            it.rack = field::read_nullable_string(reader, form)?;
        }
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 9);
        writer.i32(self.node_id);
        field::write_string(writer, form, &self.host);
        writer.i32(self.port);
        if version >= 1 {
            field::write_nullable_string(writer, form, self.rack.as_deref());
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponseTopic {
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null from version 12.
    pub name: Option<String>,
    /// Versions 10 to 13.
    pub topic_id: Uuid,
    /// Versions 1 to 13.
    pub is_internal: bool,
    /// All versions.
    pub partitions: Vec<MetadataResponsePartition>,
    /// Versions 8 to 13; `-2147483648` unless stated.
    pub topic_authorized_operations: i32,
}

impl Default for MetadataResponseTopic {
    fn default() -> Self {
        Self {
            error_code: 0,
            name: Some(String::new()),
            topic_id: Uuid::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: i32::MIN,
        }
    }
}

impl MetadataResponseTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 9);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.name = field::null_only_if(field::read_nullable_string(reader, form)?, version >= 12)?;
        if version >= 10 {
            it.topic_id = reader.uuid()?;
        }
        if version >= 1 {
            it.is_internal = reader.bool()?;
        }
        it.partitions = field::read_array(reader, form, 18, |reader| {
            MetadataResponsePartition::decode(reader, version)
        })?;
        if version >= 8 {
            it.topic_authorized_operations = reader.i32()?;
        }
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 9);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, field::null_or_empty(self.name.as_deref(), version >= 12));
        if version >= 10 {
            writer.uuid(self.topic_id);
        }
        if version >= 1 {
            writer.bool(self.is_internal);
        }
        field::write_array(writer, form, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 8 {
            writer.i32(self.topic_authorized_operations);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of Metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponsePartition {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub leader_id: i32,
    /// Versions 7 to 13; `-1` unless stated.
    pub leader_epoch: i32,
    /// All versions.
    pub replica_nodes: Vec<i32>,
    /// All versions.
    pub isr_nodes: Vec<i32>,
    /// Versions 5 to 13.
    pub offline_replicas: Vec<i32>,
}

impl Default for MetadataResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            offline_replicas: Vec::new(),
        }
    }
}

impl MetadataResponsePartition {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 9);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.partition_index = reader.i32()?;
        it.leader_id = reader.i32()?;
        if version >= 7 {
            it.leader_epoch = reader.i32()?;
        }
        it.replica_nodes = field::read_array(reader, form, 4, Reader::i32)?;
        it.isr_nodes = field::read_array(reader, form, 4, Reader::i32)?;
        if version >= 5 {
            it.offline_replicas = field::read_array(reader, form, 4, Reader::i32)?;
        }
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 9);
        writer.i16(self.error_code);
        writer.i32(self.partition_index);
        writer.i32(self.leader_id);
        if version >= 7 {
            writer.i32(self.leader_epoch);
        }
        field::write_array(writer, form, &self.replica_nodes, |writer, item| {
            writer.i32(*item);
        });
        field::write_array(writer, form, &self.isr_nodes, |writer, item| {
            writer.i32(*item);
        });
        if version >= 5 {
            field::write_array(writer, form, &self.offline_replicas, |writer, item| {
                writer.i32(*item);
            });
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for MetadataRequest {
    type Response = MetadataResponse;
}

impl Message for MetadataResponse {
    const KEY: ApiKey = ApiKey::Metadata;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

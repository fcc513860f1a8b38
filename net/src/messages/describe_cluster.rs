//! DescribeCluster, versions 0 to 2.
//!
//! Tells the nodes of the cluster.
//! Generated from `net/schema/describe_cluster.txt` by millrace-codegen; not edited by hand.

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

/// Tells the nodes of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterRequest {
    /// All versions.
    pub include_cluster_authorized_operations: bool,
    /// Versions 1 to 2; `1` unless stated.
    pub endpoint_type: i8,
    /// Version 2.
    pub include_fenced_brokers: bool,
}

impl Default for DescribeClusterRequest {
    fn default() -> Self {
        Self {
            include_cluster_authorized_operations: false,
            endpoint_type: 1,
            include_fenced_brokers: false,
        }
    }
}

impl DescribeClusterRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 2;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeClusterRequest has no such version"));
        }
        let mut it = Self::default();
        it.include_cluster_authorized_operations = reader.bool()?;
        if version >= 1 {
            it.endpoint_type = reader.i8()?;
        }
        if version == 2 {
            it.include_fenced_brokers = reader.bool()?;
        }
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
            "DescribeClusterRequest has no version {version}"
        );
        writer.bool(self.include_cluster_authorized_operations);
        if version >= 1 {
            writer.i8(self.endpoint_type);
        }
        if version == 2 {
            writer.bool(self.include_fenced_brokers);
        }
        writer.no_tagged_fields();
    }
}

/// Tells the nodes of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null; `null` unless stated.
    pub error_message: Option<String>,
    /// Versions 1 to 2; `1` unless stated.
    pub endpoint_type: i8,
    /// All versions.
    pub cluster_id: String,
    /// All versions; `-1` unless stated.
    pub controller_id: i32,
    /// All versions.
    pub brokers: Vec<DescribeClusterBroker>,
    /// All versions; `-2147483648` unless stated.
    pub cluster_authorized_operations: i32,
}

impl Default for DescribeClusterResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            endpoint_type: 1,
            cluster_id: String::new(),
            controller_id: -1,
            brokers: Vec::new(),
            cluster_authorized_operations: i32::MIN,
        }
    }
}

impl DescribeClusterResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 2;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeClusterResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        if version >= 1 {
            it.endpoint_type = reader.i8()?;
        }
        it.cluster_id = field::read_string(reader, Form::Compact)?;
        it.controller_id = reader.i32()?;
        it.brokers = field::read_array(reader, Form::Compact, 11, |reader| {
            DescribeClusterBroker::decode(reader, version)
        })?;
        it.cluster_authorized_operations = reader.i32()?;
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
            "DescribeClusterResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        if version >= 1 {
            writer.i8(self.endpoint_type);
        }
        field::write_string(writer, Form::Compact, &self.cluster_id);
        writer.i32(self.controller_id);
        field::write_array(writer, Form::Compact, &self.brokers, |writer, item| {
            item.encode(writer, version);
        });
        writer.i32(self.cluster_authorized_operations);
        writer.no_tagged_fields();
    }
}

/// Part of DescribeCluster.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClusterBroker {
    /// All versions.
    pub broker_id: i32,
    /// All versions.
    pub host: String,
    /// All versions.
    pub port: i32,
    /// All versions; may be null; `null` unless stated.
    pub rack: Option<String>,
    /// Version 2.
    pub is_fenced: bool,
}

impl Default for DescribeClusterBroker {
    fn default() -> Self {
        Self {
            broker_id: 0,
            host: String::new(),
            port: 0,
            rack: None,
            is_fenced: false,
        }
    }
}

impl DescribeClusterBroker {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.broker_id = reader.i32()?;
        it.host = field::read_string(reader, Form::Compact)?;
        it.port = reader.i32()?;
        it.rack = field::read_nullable_string(reader, Form::Compact)?;
        if version == 2 {
            it.is_fenced = reader.bool()?;
        }
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        writer.i32(self.broker_id);
        field::write_string(writer, Form::Compact, &self.host);
        writer.i32(self.port);
        field::write_nullable_string(writer, Form::Compact, self.rack.as_deref());
        if version == 2 {
            writer.bool(self.is_fenced);
        }
        writer.no_tagged_fields();
    }
}

impl Message for DescribeClusterRequest {
    const KEY: ApiKey = ApiKey::DescribeCluster;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DescribeClusterRequest {
    type Response = DescribeClusterResponse;
}

impl Message for DescribeClusterResponse {
    const KEY: ApiKey = ApiKey::DescribeCluster;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! ListConfigResources, versions 0 to 1.
//!
//! Lists resources that have configuration.
//! Generated from `net/schema/list_config_resources.txt` by millrace-codegen; not edited by hand.

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

/// Lists resources that have configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ListConfigResourcesRequest {
    /// Version 1.
    pub resource_types: Vec<i8>,
}

impl Default for ListConfigResourcesRequest {
    fn default() -> Self {
        Self {
            resource_types: Vec::new(),
        }
    }
}

impl ListConfigResourcesRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 1;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ListConfigResourcesRequest has no such version"));
        }
        let mut it = Self::default();
        if version == 1 {
            it.resource_types = field::read_array(reader, Form::Compact, 1, Reader::i8)?;
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
            "ListConfigResourcesRequest has no version {version}"
        );
        if version == 1 {
            field::write_array(writer, Form::Compact, &self.resource_types, |writer, item| {
                writer.i8(*item);
            });
        }
        writer.no_tagged_fields();
    }
}

/// Lists resources that have configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ListConfigResourcesResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub config_resources: Vec<ConfigResource>,
}

impl Default for ListConfigResourcesResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            config_resources: Vec::new(),
        }
    }
}

impl ListConfigResourcesResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 1;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ListConfigResourcesResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.error_code = reader.i16()?;
        it.config_resources = field::read_array(reader, Form::Compact, 2, |reader| {
            ConfigResource::decode(reader, version)
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
            "ListConfigResourcesResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        field::write_array(writer, Form::Compact, &self.config_resources, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of ListConfigResources.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigResource {
    /// All versions.
    pub resource_name: String,
    /// Version 1; `16` unless stated.
    pub resource_type: i8,
}

impl Default for ConfigResource {
    fn default() -> Self {
        Self {
            resource_name: String::new(),
            resource_type: 16,
        }
    }
}

impl ConfigResource {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.resource_name = field::read_string(reader, Form::Compact)?;
        if version == 1 {
            it.resource_type = reader.i8()?;
        }
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.resource_name);
        if version == 1 {
            writer.i8(self.resource_type);
        }
        writer.no_tagged_fields();
    }
}

impl Message for ListConfigResourcesRequest {
    const KEY: ApiKey = ApiKey::ListConfigResources;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for ListConfigResourcesRequest {
    type Response = ListConfigResourcesResponse;
}

impl Message for ListConfigResourcesResponse {
    const KEY: ApiKey = ApiKey::ListConfigResources;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

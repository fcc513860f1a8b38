//! AlterConfigs, versions 0 to 2.
//!
//! Replaces the whole configuration of a resource.
//! Generated from `net/schema/alter_configs.txt` by millrace-codegen; not edited by hand.

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

/// Replaces the whole configuration of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterConfigsRequest {
    /// All versions.
    pub resources: Vec<AlterConfigsResource>,
    /// All versions.
    pub validate_only: bool,
}

impl Default for AlterConfigsRequest {
    fn default() -> Self {
        Self {
            resources: Vec::new(),
            validate_only: false,
        }
    }
}

impl AlterConfigsRequest {
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
            return Err(WireError::Invalid("AlterConfigsRequest has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.resources = field::read_array(reader, form, 4, |reader| {
            AlterConfigsResource::decode(reader, version)
        })?;
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
            "AlterConfigsRequest has no version {version}"
        );
        let form = field::form(version, 2);
        field::write_array(writer, form, &self.resources, |writer, item| {
            item.encode(writer, version);
        });
        writer.bool(self.validate_only);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Replaces the whole configuration of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterConfigsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub responses: Vec<AlterConfigsResourceResponse>,
}

impl Default for AlterConfigsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            responses: Vec::new(),
        }
    }
}

impl AlterConfigsResponse {
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
            return Err(WireError::Invalid("AlterConfigsResponse has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.responses = field::read_array(reader, form, 6, |reader| {
            AlterConfigsResourceResponse::decode(reader, version)
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
            "AlterConfigsResponse has no version {version}"
        );
        let form = field::form(version, 2);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, form, &self.responses, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of AlterConfigs.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterConfigsResource {
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: String,
    /// All versions.
    pub configs: Vec<AlterableConfig>,
}

impl Default for AlterConfigsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: String::new(),
            configs: Vec::new(),
        }
    }
}

impl AlterConfigsResource {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.resource_type = reader.i8()?;
        it.resource_name = field::read_string(reader, form)?;
        it.configs = field::read_array(reader, form, 3, |reader| {
            AlterableConfig::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        writer.i8(self.resource_type);
        field::write_string(writer, form, &self.resource_name);
        field::write_array(writer, form, &self.configs, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of AlterConfigs.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterableConfig {
    /// All versions.
    pub name: String,
    /// All versions; may be null.
    pub value: Option<String>,
}

impl Default for AlterableConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: Some(String::new()),
        }
    }
}

impl AlterableConfig {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.value = field::read_nullable_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        field::write_string(writer, form, &self.name);
        field::write_nullable_string(writer, form, self.value.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of AlterConfigs.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterConfigsResourceResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: String,
}

impl Default for AlterConfigsResourceResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(String::new()),
            resource_type: 0,
            resource_name: String::new(),
        }
    }
}

impl AlterConfigsResourceResponse {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, form)?;
        it.resource_type = reader.i8()?;
        it.resource_name = field::read_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, self.error_message.as_deref());
        writer.i8(self.resource_type);
        field::write_string(writer, form, &self.resource_name);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for AlterConfigsRequest {
    const KEY: ApiKey = ApiKey::AlterConfigs;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for AlterConfigsRequest {
    type Response = AlterConfigsResponse;
}

impl Message for AlterConfigsResponse {
    const KEY: ApiKey = ApiKey::AlterConfigs;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

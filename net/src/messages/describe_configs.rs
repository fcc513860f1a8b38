//! DescribeConfigs, versions 1 to 4.
//!
//! Reads the configuration of topics, brokers and groups.
//! Generated from `net/schema/describe_configs.txt` by millrace-codegen; not edited by hand.

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

/// Reads the configuration of topics, brokers and groups.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsRequest {
    /// All versions.
    pub resources: Vec<DescribeConfigsResource>,
    /// All versions.
    pub include_synonyms: bool,
    /// Versions 3 to 4.
    pub include_documentation: bool,
}

impl Default for DescribeConfigsRequest {
    fn default() -> Self {
        Self {
            resources: Vec::new(),
            include_synonyms: false,
            include_documentation: false,
        }
    }
}

impl DescribeConfigsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
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
            return Err(WireError::Invalid("DescribeConfigsRequest has no such version"));
        }
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.resources = field::read_array(reader, form, 4, |reader| {
            DescribeConfigsResource::decode(reader, version)
        })?;
        it.include_synonyms = reader.bool()?;
        if version >= 3 {
            it.include_documentation = reader.bool()?;
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
            "DescribeConfigsRequest has no version {version}"
        );
        let form = field::form(version, 4);
        field::write_array(writer, form, &self.resources, |writer, item| {
            item.encode(writer, version);
        });
        writer.bool(self.include_synonyms);
        if version >= 3 {
            writer.bool(self.include_documentation);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Reads the configuration of topics, brokers and groups.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub results: Vec<DescribeConfigsResult>,
}

impl Default for DescribeConfigsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            results: Vec::new(),
        }
    }
}

impl DescribeConfigsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
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
            return Err(WireError::Invalid("DescribeConfigsResponse has no such version"));
        }
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.results = field::read_array(reader, form, 7, |reader| {
            DescribeConfigsResult::decode(reader, version)
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
            "DescribeConfigsResponse has no version {version}"
        );
        let form = field::form(version, 4);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, form, &self.results, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeConfigs.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResource {
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: String,
    /// All versions; may be null.
    pub configuration_keys: Option<Vec<String>>,
}

impl Default for DescribeConfigsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: String::new(),
            configuration_keys: Some(Vec::new()),
        }
    }
}

impl DescribeConfigsResource {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.resource_type = reader.i8()?;
        it.resource_name = field::read_string(reader, form)?;
        it.configuration_keys = field::read_nullable_array(reader, form, 1, |reader| {
            field::read_string(reader, form)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        writer.i8(self.resource_type);
        field::write_string(writer, form, &self.resource_name);
        field::write_nullable_array(writer, form, self.configuration_keys.as_deref(), |writer, item| {
            field::write_string(writer, form, item);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeConfigs.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResult {
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: String,
    /// All versions.
    pub configs: Vec<DescribeConfigsResourceResult>,
}

impl Default for DescribeConfigsResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(String::new()),
            resource_type: 0,
            resource_name: String::new(),
            configs: Vec::new(),
        }
    }
}

impl DescribeConfigsResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, form)?;
        it.resource_type = reader.i8()?;
        it.resource_name = field::read_string(reader, form)?;
        it.configs = field::read_array(reader, form, 9, |reader| {
            DescribeConfigsResourceResult::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, self.error_message.as_deref());
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

/// Part of DescribeConfigs.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResourceResult {
    /// All versions.
    pub name: String,
    /// All versions; may be null.
    pub value: Option<String>,
    /// All versions.
    pub read_only: bool,
    /// All versions; `-1` unless stated.
    pub config_source: i8,
    /// All versions.
    pub is_sensitive: bool,
    /// All versions.
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// Versions 3 to 4.
    pub config_type: i8,
    /// Versions 3 to 4; may be null.
    pub documentation: Option<String>,
}

impl Default for DescribeConfigsResourceResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: Some(String::new()),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
            synonyms: Vec::new(),
            config_type: 0,
            documentation: Some(String::new()),
        }
    }
}

impl DescribeConfigsResourceResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.value = field::read_nullable_string(reader, form)?;
        it.read_only = reader.bool()?;
        it.config_source = reader.i8()?;
        it.is_sensitive = reader.bool()?;
        it.synonyms = field::read_array(reader, form, 4, |reader| {
            DescribeConfigsSynonym::decode(reader, version)
        })?;
        if version >= 3 {
            it.config_type = reader.i8()?;
        }
        if version >= 3 {
            it.documentation = field::read_nullable_string(reader, form)?;
        }
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        field::write_string(writer, form, &self.name);
        field::write_nullable_string(writer, form, self.value.as_deref());
        writer.bool(self.read_only);
        writer.i8(self.config_source);
        writer.bool(self.is_sensitive);
        field::write_array(writer, form, &self.synonyms, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 3 {
            writer.i8(self.config_type);
        }
        if version >= 3 {
            field::write_nullable_string(writer, form, self.documentation.as_deref());
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeConfigs.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsSynonym {
    /// All versions.
    pub name: String,
    /// All versions; may be null.
    pub value: Option<String>,
    /// All versions.
    pub source: i8,
}

impl Default for DescribeConfigsSynonym {
    fn default() -> Self {
        Self {
            name: String::new(),
            value: Some(String::new()),
            source: 0,
        }
    }
}

impl DescribeConfigsSynonym {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.value = field::read_nullable_string(reader, form)?;
        it.source = reader.i8()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        field::write_string(writer, form, &self.name);
        field::write_nullable_string(writer, form, self.value.as_deref());
        writer.i8(self.source);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for DescribeConfigsRequest {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DescribeConfigsRequest {
    type Response = DescribeConfigsResponse;
}

impl Message for DescribeConfigsResponse {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

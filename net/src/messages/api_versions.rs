//! ApiVersions, versions 0 to 4.
//!
//! Tells which APIs and versions a broker serves, and its features.
//! Generated from `net/schema/api_versions.txt` by millrace-codegen; not edited by hand.

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

/// Tells which APIs and versions a broker serves, and its features.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsRequest {
    /// Versions 3 to 4.
    pub client_software_name: String,
    /// Versions 3 to 4.
    pub client_software_version: String,
}

impl Default for ApiVersionsRequest {
    fn default() -> Self {
        Self {
            client_software_name: String::new(),
            client_software_version: String::new(),
        }
    }
}

impl ApiVersionsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 4;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 3;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ApiVersionsRequest has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        if version >= 3 {
            it.client_software_name = field::read_string(reader, form)?;
        }
        if version >= 3 {
            it.client_software_version = field::read_string(reader, form)?;
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
            "ApiVersionsRequest has no version {version}"
        );
        let form = field::form(version, 3);
        if version >= 3 {
            field::write_string(writer, form, &self.client_software_name);
        }
        if version >= 3 {
            field::write_string(writer, form, &self.client_software_version);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Tells which APIs and versions a broker serves, and its features.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub api_keys: Vec<ApiVersion>,
    /// Versions 1 to 4.
    pub throttle_time_ms: i32,
    /// Versions 3 to 4; tag 0.
    pub supported_features: Vec<SupportedFeatureKey>,
    /// Versions 3 to 4; tag 1; `-1` unless stated.
    pub finalized_features_epoch: i64,
    /// Versions 3 to 4; tag 2.
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// Versions 3 to 4; tag 3.
    pub zk_migration_ready: bool,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            api_keys: Vec::new(),
            throttle_time_ms: 0,
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
        }
    }
}

impl ApiVersionsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 4;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 3;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ApiVersionsResponse has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.api_keys = field::read_array(reader, form, 6, |reader| {
            ApiVersion::decode(reader, version)
        })?;
        if version >= 1 {
            it.throttle_time_ms = reader.i32()?;
        }
        if form == Form::Compact {
            reader.tagged_fields(|tag, reader| {
                match tag {
                    0 => it.supported_features = field::read_array(reader, form, 6, |reader| {
                        SupportedFeatureKey::decode(reader, version)
                    })?,
                    1 => it.finalized_features_epoch = reader.i64()?,
                    2 => it.finalized_features = field::read_array(reader, form, 6, |reader| {
                        FinalizedFeatureKey::decode(reader, version)
                    })?,
                    3 => it.zk_migration_ready = reader.bool()?,
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
            "ApiVersionsResponse has no version {version}"
        );
        let form = field::form(version, 3);
        writer.i16(self.error_code);
        field::write_array(writer, form, &self.api_keys, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 1 {
            writer.i32(self.throttle_time_ms);
        }
        if form == Form::Compact {
            let mut tagged = field::TaggedFields::new();
            if !self.supported_features.is_empty() {
                tagged.add(0, |writer| {
                    field::write_array(writer, form, &self.supported_features, |writer, item| {
                        item.encode(writer, version);
                    });
                });
            }
            if self.finalized_features_epoch != -1 {
                tagged.add(1, |writer| {
                    writer.i64(self.finalized_features_epoch);
                });
            }
            if !self.finalized_features.is_empty() {
                tagged.add(2, |writer| {
                    field::write_array(writer, form, &self.finalized_features, |writer, item| {
                        item.encode(writer, version);
                    });
                });
            }
            if self.zk_migration_ready {
                tagged.add(3, |writer| {
                    writer.bool(self.zk_migration_ready);
                });
            }
            tagged.finish(writer);
        }
    }
}

/// Part of ApiVersions.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersion {
    /// All versions.
    pub api_key: i16,
    /// All versions.
    pub min_version: i16,
    /// All versions.
    pub max_version: i16,
}

impl Default for ApiVersion {
    fn default() -> Self {
        Self {
            api_key: 0,
            min_version: 0,
            max_version: 0,
        }
    }
}

impl ApiVersion {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.api_key = reader.i16()?;
        it.min_version = reader.i16()?;
        it.max_version = reader.i16()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 3);
        writer.i16(self.api_key);
        writer.i16(self.min_version);
        writer.i16(self.max_version);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of ApiVersions, versions 3 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct SupportedFeatureKey {
    /// All versions.
    pub name: String,
    /// All versions.
    pub min_version: i16,
    /// All versions.
    pub max_version: i16,
}

impl Default for SupportedFeatureKey {
    fn default() -> Self {
        Self {
            name: String::new(),
            min_version: 0,
            max_version: 0,
        }
    }
}

impl SupportedFeatureKey {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.min_version = reader.i16()?;
        it.max_version = reader.i16()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        writer.i16(self.min_version);
        writer.i16(self.max_version);
        writer.no_tagged_fields();
    }
}

/// Part of ApiVersions, versions 3 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct FinalizedFeatureKey {
    /// All versions.
    pub name: String,
    /// All versions.
    pub max_version_level: i16,
    /// All versions.
    pub min_version_level: i16,
}

impl Default for FinalizedFeatureKey {
    fn default() -> Self {
        Self {
            name: String::new(),
            max_version_level: 0,
            min_version_level: 0,
        }
    }
}

impl FinalizedFeatureKey {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.max_version_level = reader.i16()?;
        it.min_version_level = reader.i16()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        writer.i16(self.max_version_level);
        writer.i16(self.min_version_level);
        writer.no_tagged_fields();
    }
}

impl Message for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for ApiVersionsRequest {
    type Response = ApiVersionsResponse;
}

impl Message for ApiVersionsResponse {
    const KEY: ApiKey = ApiKey::ApiVersions;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

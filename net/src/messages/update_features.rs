//! UpdateFeatures, versions 0 to 2.
//!
//! Changes finalised feature levels.
//! Generated from `net/schema/update_features.txt` by millrace-codegen; not edited by hand.

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

/// Changes finalised feature levels.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesRequest {
    /// All versions; `60000` unless stated.
    pub timeout_ms: i32,
    /// All versions.
    pub feature_updates: Vec<FeatureUpdateKey>,
    /// Versions 1 to 2.
    pub validate_only: bool,
}

impl Default for UpdateFeaturesRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60_000,
            feature_updates: Vec::new(),
            validate_only: false,
        }
    }
}

impl UpdateFeaturesRequest {
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
            return Err(WireError::Invalid("UpdateFeaturesRequest has no such version"));
        }
        let mut it = Self::default();
        it.timeout_ms = reader.i32()?;
        it.feature_updates = field::read_array(reader, Form::Compact, 5, |reader| {
            FeatureUpdateKey::decode(reader, version)
        })?;
        if version >= 1 {
            it.validate_only = reader.bool()?;
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
            "UpdateFeaturesRequest has no version {version}"
        );
        writer.i32(self.timeout_ms);
        field::write_array(writer, Form::Compact, &self.feature_updates, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 1 {
            writer.bool(self.validate_only);
        }
        writer.no_tagged_fields();
    }
}

/// Changes finalised feature levels.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
    /// Versions 0 to 1.
    pub results: Vec<UpdatableFeatureResult>,
}

impl Default for UpdateFeaturesResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(String::new()),
            results: Vec::new(),
        }
    }
}

impl UpdateFeaturesResponse {
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
            return Err(WireError::Invalid("UpdateFeaturesResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        if version <= 1 {
            it.results = field::read_array(reader, Form::Compact, 5, |reader| {
                UpdatableFeatureResult::decode(reader, version)
            })?;
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
            "UpdateFeaturesResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        if version <= 1 {
            field::write_array(writer, Form::Compact, &self.results, |writer, item| {
                item.encode(writer, version);
            });
        }
        writer.no_tagged_fields();
    }
}

/// Part of UpdateFeatures.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureUpdateKey {
    /// All versions.
    pub feature: String,
    /// All versions.
    pub max_version_level: i16,
    /// Version 0.
    pub allow_downgrade: bool,
    /// Versions 1 to 2; `1` unless stated.
    pub upgrade_type: i8,
}

impl Default for FeatureUpdateKey {
    fn default() -> Self {
        Self {
            feature: String::new(),
            max_version_level: 0,
            allow_downgrade: false,
            upgrade_type: 1,
        }
    }
}

impl FeatureUpdateKey {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.feature = field::read_string(reader, Form::Compact)?;
        it.max_version_level = reader.i16()?;
        if version == 0 {
            it.allow_downgrade = reader.bool()?;
        }
        if version >= 1 {
            it.upgrade_type = reader.i8()?;
        }
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.feature);
        writer.i16(self.max_version_level);
        if version == 0 {
            writer.bool(self.allow_downgrade);
        }
        if version >= 1 {
            writer.i8(self.upgrade_type);
        }
        writer.no_tagged_fields();
    }
}

/// Part of UpdateFeatures, versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdatableFeatureResult {
    /// All versions.
    pub feature: String,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
}

impl Default for UpdatableFeatureResult {
    fn default() -> Self {
        Self {
            feature: String::new(),
            error_code: 0,
            error_message: Some(String::new()),
        }
    }
}

impl UpdatableFeatureResult {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.feature = field::read_string(reader, Form::Compact)?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.feature);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        writer.no_tagged_fields();
    }
}

impl Message for UpdateFeaturesRequest {
    const KEY: ApiKey = ApiKey::UpdateFeatures;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for UpdateFeaturesRequest {
    type Response = UpdateFeaturesResponse;
}

impl Message for UpdateFeaturesResponse {
    const KEY: ApiKey = ApiKey::UpdateFeatures;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

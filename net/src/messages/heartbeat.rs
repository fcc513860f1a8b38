//! Heartbeat, versions 0 to 4.
//!
//! Keeps a member of a classic group alive.
//! Generated from `net/schema/heartbeat.txt` by millrace-codegen; not edited by hand.

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

/// Keeps a member of a classic group alive.
#[derive(Clone, Debug, PartialEq)]
pub struct HeartbeatRequest {
    /// All versions.
    pub group_id: String,
    /// All versions.
    pub generation_id: i32,
    /// All versions.
    pub member_id: String,
    /// Versions 3 to 4; may be null; `null` unless stated.
    pub group_instance_id: Option<String>,
}

impl Default for HeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            generation_id: 0,
            member_id: String::new(),
            group_instance_id: None,
        }
    }
}

impl HeartbeatRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
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
            return Err(WireError::Invalid("HeartbeatRequest has no such version"));
        }
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.group_id = field::read_string(reader, form)?;
        it.generation_id = reader.i32()?;
        it.member_id = field::read_string(reader, form)?;
        if version >= 3 {
            it.group_instance_id = field::read_nullable_string(reader, form)?;
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
            "HeartbeatRequest has no version {version}"
        );
        let form = field::form(version, 4);
        field::write_string(writer, form, &self.group_id);
        writer.i32(self.generation_id);
        field::write_string(writer, form, &self.member_id);
        if version >= 3 {
            field::write_nullable_string(writer, form, self.group_instance_id.as_deref());
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Keeps a member of a classic group alive.
#[derive(Clone, Debug, PartialEq)]
pub struct HeartbeatResponse {
    /// Versions 1 to 4.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
}

impl Default for HeartbeatResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
        }
    }
}

impl HeartbeatResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
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
            return Err(WireError::Invalid("HeartbeatResponse has no such version"));
        }
        let form = field::form(version, 4);
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = reader.i32()?;
        }
        it.error_code = reader.i16()?;
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
            "HeartbeatResponse has no version {version}"
        );
        let form = field::form(version, 4);
        if version >= 1 {
            writer.i32(self.throttle_time_ms);
        }
        writer.i16(self.error_code);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for HeartbeatRequest {
    const KEY: ApiKey = ApiKey::Heartbeat;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for HeartbeatRequest {
    type Response = HeartbeatResponse;
}

impl Message for HeartbeatResponse {
    const KEY: ApiKey = ApiKey::Heartbeat;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! FindCoordinator, versions 0 to 6.
//!
//! Tells which broker coordinates a group or a transactional id.
//! Generated from `net/schema/find_coordinator.txt` by millrace-codegen; not edited by hand.

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

/// Tells which broker coordinates a group or a transactional id.
#[derive(Clone, Debug, PartialEq)]
pub struct FindCoordinatorRequest {
    /// Versions 0 to 3.
    pub key: String,
    /// Versions 1 to 6.
    pub key_type: i8,
    /// Versions 4 to 6.
    pub coordinator_keys: Vec<String>,
}

impl Default for FindCoordinatorRequest {
    fn default() -> Self {
        Self {
            key: String::new(),
            key_type: 0,
            coordinator_keys: Vec::new(),
        }
    }
}

impl FindCoordinatorRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 6;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 3;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("FindCoordinatorRequest has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        if version <= 3 {
            it.key = field::read_string(reader, form)?;
        }
        if version >= 1 {
            it.key_type = reader.i8()?;
        }
        if version >= 4 {
            it.coordinator_keys = field::read_array(reader, form, 1, |reader| {
                field::read_string(reader, form)
            })?;
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
            "FindCoordinatorRequest has no version {version}"
        );
        let form = field::form(version, 3);
        if version <= 3 {
            field::write_string(writer, form, &self.key);
        }
        if version >= 1 {
            writer.i8(self.key_type);
        }
        if version >= 4 {
            field::write_array(writer, form, &self.coordinator_keys, |writer, item| {
                field::write_string(writer, form, item);
            });
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Tells which broker coordinates a group or a transactional id.
#[derive(Clone, Debug, PartialEq)]
pub struct FindCoordinatorResponse {
    /// Versions 1 to 6.
    pub throttle_time_ms: i32,
    /// Versions 0 to 3.
    pub error_code: i16,
    /// Versions 1 to 3; may be null.
    pub error_message: Option<String>,
    /// Versions 0 to 3.
    pub node_id: i32,
    /// Versions 0 to 3.
    pub host: String,
    /// Versions 0 to 3.
    pub port: i32,
    /// Versions 4 to 6.
    pub coordinators: Vec<Coordinator>,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(String::new()),
            node_id: 0,
            host: String::new(),
            port: 0,
            coordinators: Vec::new(),
        }
    }
}

impl FindCoordinatorResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 6;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 3;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("FindCoordinatorResponse has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = reader.i32()?;
        }
        if version <= 3 {
            it.error_code = reader.i16()?;
        }
        if (1..=3).contains(&version) {
            it.error_message = field::read_nullable_string(reader, form)?;
        }
        if version <= 3 {
            it.node_id = reader.i32()?;
        }
        if version <= 3 {
            it.host = field::read_string(reader, form)?;
        }
        if version <= 3 {
            it.port = reader.i32()?;
        }
        if version >= 4 {
            it.coordinators = field::read_array(reader, form, 14, |reader| {
                Coordinator::decode(reader, version)
            })?;
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
            "FindCoordinatorResponse has no version {version}"
        );
        let form = field::form(version, 3);
        if version >= 1 {
            writer.i32(self.throttle_time_ms);
        }
        if version <= 3 {
            writer.i16(self.error_code);
        }
        if (1..=3).contains(&version) {
            field::write_nullable_string(writer, form, self.error_message.as_deref());
        }
        if version <= 3 {
            writer.i32(self.node_id);
        }
        if version <= 3 {
            field::write_string(writer, form, &self.host);
        }
        if version <= 3 {
            writer.i32(self.port);
        }
        if version >= 4 {
            field::write_array(writer, form, &self.coordinators, |writer, item| {
                item.encode(writer, version);
            });
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of FindCoordinator, versions 4 to 6.
#[derive(Clone, Debug, PartialEq)]
pub struct Coordinator {
    /// All versions.
    pub key: String,
    /// All versions.
    pub node_id: i32,
    /// All versions.
    pub host: String,
    /// All versions.
    pub port: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
}

impl Default for Coordinator {
    fn default() -> Self {
        Self {
            key: String::new(),
            node_id: 0,
            host: String::new(),
            port: 0,
            error_code: 0,
            error_message: Some(String::new()),
        }
    }
}

impl Coordinator {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.key = field::read_string(reader, Form::Compact)?;
        it.node_id = reader.i32()?;
        it.host = field::read_string(reader, Form::Compact)?;
        it.port = reader.i32()?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.key);
        writer.i32(self.node_id);
        field::write_string(writer, Form::Compact, &self.host);
        writer.i32(self.port);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        writer.no_tagged_fields();
    }
}

impl Message for FindCoordinatorRequest {
    const KEY: ApiKey = ApiKey::FindCoordinator;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for FindCoordinatorRequest {
    type Response = FindCoordinatorResponse;
}

impl Message for FindCoordinatorResponse {
    const KEY: ApiKey = ApiKey::FindCoordinator;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! SaslHandshake, versions 0 to 1.
//!
//! Chooses a SASL mechanism.
//! Generated from `net/schema/sasl_handshake.txt` by millrace-codegen; not edited by hand.

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

/// Chooses a SASL mechanism.
#[derive(Clone, Debug, PartialEq)]
pub struct SaslHandshakeRequest {
    /// All versions.
    pub mechanism: String,
}

impl Default for SaslHandshakeRequest {
    fn default() -> Self {
        Self {
            mechanism: String::new(),
        }
    }
}

impl SaslHandshakeRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 1;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 32_767;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("SaslHandshakeRequest has no such version"));
        }
        let mut it = Self::default();
        it.mechanism = field::read_string(reader, Form::Classic)?;
        Ok(it)
    }

    /// Appends the message in `version`; fields that `version` lacks are not written.
    ///
    /// A null where `version` knows none is written as the empty value. An unknown version is our
    /// own fault.
    pub fn encode(&self, writer: &mut Writer, version: i16) {
        assert!(
            (Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version),
            "SaslHandshakeRequest has no version {version}"
        );
        field::write_string(writer, Form::Classic, &self.mechanism);
    }
}

/// Chooses a SASL mechanism.
#[derive(Clone, Debug, PartialEq)]
pub struct SaslHandshakeResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub mechanisms: Vec<String>,
}

impl Default for SaslHandshakeResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            mechanisms: Vec::new(),
        }
    }
}

impl SaslHandshakeResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 1;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 32_767;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("SaslHandshakeResponse has no such version"));
        }
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.mechanisms = field::read_array(reader, Form::Classic, 2, |reader| {
            field::read_string(reader, Form::Classic)
        })?;
        Ok(it)
    }

    /// Appends the message in `version`; fields that `version` lacks are not written.
    ///
    /// A null where `version` knows none is written as the empty value. An unknown version is our
    /// own fault.
    pub fn encode(&self, writer: &mut Writer, version: i16) {
        assert!(
            (Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version),
            "SaslHandshakeResponse has no version {version}"
        );
        writer.i16(self.error_code);
        field::write_array(writer, Form::Classic, &self.mechanisms, |writer, item| {
            field::write_string(writer, Form::Classic, item);
        });
    }
}

impl Message for SaslHandshakeRequest {
    const KEY: ApiKey = ApiKey::SaslHandshake;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for SaslHandshakeRequest {
    type Response = SaslHandshakeResponse;
}

impl Message for SaslHandshakeResponse {
    const KEY: ApiKey = ApiKey::SaslHandshake;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

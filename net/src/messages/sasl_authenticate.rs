//! SaslAuthenticate, versions 0 to 2.
//!
//! Carries one step of a SASL exchange.
//! Generated from `net/schema/sasl_authenticate.txt` by millrace-codegen; not edited by hand.

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
use bytes::Bytes;
use millrace_wire::field::Form;
use millrace_wire::{Reader, WireError, Writer, field};

/// Carries one step of a SASL exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct SaslAuthenticateRequest {
    /// All versions.
    pub auth_bytes: Bytes,
}

impl Default for SaslAuthenticateRequest {
    fn default() -> Self {
        Self {
            auth_bytes: Bytes::new(),
        }
    }
}

impl SaslAuthenticateRequest {
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
            return Err(WireError::Invalid("SaslAuthenticateRequest has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.auth_bytes = field::read_bytes(reader, form)?;
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
            "SaslAuthenticateRequest has no version {version}"
        );
        let form = field::form(version, 2);
        field::write_bytes(writer, form, &self.auth_bytes);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Carries one step of a SASL exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct SaslAuthenticateResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
    /// All versions.
    pub auth_bytes: Bytes,
    /// Versions 1 to 2.
    pub session_lifetime_ms: i64,
}

impl Default for SaslAuthenticateResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(String::new()),
            auth_bytes: Bytes::new(),
            session_lifetime_ms: 0,
        }
    }
}

impl SaslAuthenticateResponse {
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
            return Err(WireError::Invalid("SaslAuthenticateResponse has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, form)?;
        it.auth_bytes = field::read_bytes(reader, form)?;
        if version >= 1 {
            it.session_lifetime_ms = reader.i64()?;
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
            "SaslAuthenticateResponse has no version {version}"
        );
        let form = field::form(version, 2);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, self.error_message.as_deref());
        field::write_bytes(writer, form, &self.auth_bytes);
        if version >= 1 {
            writer.i64(self.session_lifetime_ms);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for SaslAuthenticateRequest {
    const KEY: ApiKey = ApiKey::SaslAuthenticate;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for SaslAuthenticateRequest {
    type Response = SaslAuthenticateResponse;
}

impl Message for SaslAuthenticateResponse {
    const KEY: ApiKey = ApiKey::SaslAuthenticate;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

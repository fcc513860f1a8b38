//! AlterUserScramCredentials, versions 0 to 0.
//!
//! Changes SCRAM credentials of users.
//! Generated from `net/schema/alter_user_scram_credentials.txt` by millrace-codegen; not edited by hand.

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

/// Changes SCRAM credentials of users.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterUserScramCredentialsRequest {
    /// All versions.
    pub deletions: Vec<ScramCredentialDeletion>,
    /// All versions.
    pub upsertions: Vec<ScramCredentialUpsertion>,
}

impl Default for AlterUserScramCredentialsRequest {
    fn default() -> Self {
        Self {
            deletions: Vec::new(),
            upsertions: Vec::new(),
        }
    }
}

impl AlterUserScramCredentialsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 0;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("AlterUserScramCredentialsRequest has no such version"));
        }
        let mut it = Self::default();
        it.deletions = field::read_array(reader, Form::Compact, 3, |reader| {
            ScramCredentialDeletion::decode(reader, version)
        })?;
        it.upsertions = field::read_array(reader, Form::Compact, 9, |reader| {
            ScramCredentialUpsertion::decode(reader, version)
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
            "AlterUserScramCredentialsRequest has no version {version}"
        );
        field::write_array(writer, Form::Compact, &self.deletions, |writer, item| {
            item.encode(writer, version);
        });
        field::write_array(writer, Form::Compact, &self.upsertions, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Changes SCRAM credentials of users.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterUserScramCredentialsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub results: Vec<AlterUserScramCredentialsResult>,
}

impl Default for AlterUserScramCredentialsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            results: Vec::new(),
        }
    }
}

impl AlterUserScramCredentialsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 0;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("AlterUserScramCredentialsResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.results = field::read_array(reader, Form::Compact, 5, |reader| {
            AlterUserScramCredentialsResult::decode(reader, version)
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
            "AlterUserScramCredentialsResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, Form::Compact, &self.results, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of AlterUserScramCredentials.
#[derive(Clone, Debug, PartialEq)]
pub struct ScramCredentialDeletion {
    /// All versions.
    pub name: String,
    /// All versions.
    pub mechanism: i8,
}

impl Default for ScramCredentialDeletion {
    fn default() -> Self {
        Self {
            name: String::new(),
            mechanism: 0,
        }
    }
}

impl ScramCredentialDeletion {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.mechanism = reader.i8()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        writer.i8(self.mechanism);
        writer.no_tagged_fields();
    }
}

/// Part of AlterUserScramCredentials.
#[derive(Clone, Debug, PartialEq)]
pub struct ScramCredentialUpsertion {
    /// All versions.
    pub name: String,
    /// All versions.
    pub mechanism: i8,
    /// All versions.
    pub iterations: i32,
    /// All versions.
    pub salt: Bytes,
    /// All versions.
    pub salted_password: Bytes,
}

impl Default for ScramCredentialUpsertion {
    fn default() -> Self {
        Self {
            name: String::new(),
            mechanism: 0,
            iterations: 0,
            salt: Bytes::new(),
            salted_password: Bytes::new(),
        }
    }
}

impl ScramCredentialUpsertion {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.mechanism = reader.i8()?;
        it.iterations = reader.i32()?;
        it.salt = field::read_bytes(reader, Form::Compact)?;
        it.salted_password = field::read_bytes(reader, Form::Compact)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        writer.i8(self.mechanism);
        writer.i32(self.iterations);
        field::write_bytes(writer, Form::Compact, &self.salt);
        field::write_bytes(writer, Form::Compact, &self.salted_password);
        writer.no_tagged_fields();
    }
}

/// Part of AlterUserScramCredentials.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterUserScramCredentialsResult {
    /// All versions.
    pub user: String,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
}

impl Default for AlterUserScramCredentialsResult {
    fn default() -> Self {
        Self {
            user: String::new(),
            error_code: 0,
            error_message: Some(String::new()),
        }
    }
}

impl AlterUserScramCredentialsResult {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.user = field::read_string(reader, Form::Compact)?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, Form::Compact)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.user);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, Form::Compact, self.error_message.as_deref());
        writer.no_tagged_fields();
    }
}

impl Message for AlterUserScramCredentialsRequest {
    const KEY: ApiKey = ApiKey::AlterUserScramCredentials;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for AlterUserScramCredentialsRequest {
    type Response = AlterUserScramCredentialsResponse;
}

impl Message for AlterUserScramCredentialsResponse {
    const KEY: ApiKey = ApiKey::AlterUserScramCredentials;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! CreateAcls, versions 1 to 3.
//!
//! Adds access control entries.
//! Generated from `net/schema/create_acls.txt` by millrace-codegen; not edited by hand.

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

/// Adds access control entries.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateAclsRequest {
    /// All versions.
    pub creations: Vec<AclCreation>,
}

impl Default for CreateAclsRequest {
    fn default() -> Self {
        Self {
            creations: Vec::new(),
        }
    }
}

impl CreateAclsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 3;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 2;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("CreateAclsRequest has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.creations = field::read_array(reader, form, 8, |reader| {
            AclCreation::decode(reader, version)
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
            "CreateAclsRequest has no version {version}"
        );
        let form = field::form(version, 2);
        field::write_array(writer, form, &self.creations, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Adds access control entries.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateAclsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub results: Vec<AclCreationResult>,
}

impl Default for CreateAclsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            results: Vec::new(),
        }
    }
}

impl CreateAclsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 3;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 2;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("CreateAclsResponse has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.results = field::read_array(reader, form, 4, |reader| {
            AclCreationResult::decode(reader, version)
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
            "CreateAclsResponse has no version {version}"
        );
        let form = field::form(version, 2);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, form, &self.results, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of CreateAcls.
#[derive(Clone, Debug, PartialEq)]
pub struct AclCreation {
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: String,
    /// All versions; `3` unless stated.
    pub resource_pattern_type: i8,
    /// All versions.
    pub principal: String,
    /// All versions.
    pub host: String,
    /// All versions.
    pub operation: i8,
    /// All versions.
    pub permission_type: i8,
}

impl Default for AclCreation {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: String::new(),
            resource_pattern_type: 3,
            principal: String::new(),
            host: String::new(),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl AclCreation {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.resource_type = reader.i8()?;
        it.resource_name = field::read_string(reader, form)?;
        it.resource_pattern_type = reader.i8()?;
        it.principal = field::read_string(reader, form)?;
        it.host = field::read_string(reader, form)?;
        it.operation = reader.i8()?;
        it.permission_type = reader.i8()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        writer.i8(self.resource_type);
        field::write_string(writer, form, &self.resource_name);
        writer.i8(self.resource_pattern_type);
        field::write_string(writer, form, &self.principal);
        field::write_string(writer, form, &self.host);
        writer.i8(self.operation);
        writer.i8(self.permission_type);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of CreateAcls.
#[derive(Clone, Debug, PartialEq)]
pub struct AclCreationResult {
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
}

impl Default for AclCreationResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(String::new()),
        }
    }
}

impl AclCreationResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, self.error_message.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for CreateAclsRequest {
    const KEY: ApiKey = ApiKey::CreateAcls;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for CreateAclsRequest {
    type Response = CreateAclsResponse;
}

impl Message for CreateAclsResponse {
    const KEY: ApiKey = ApiKey::CreateAcls;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

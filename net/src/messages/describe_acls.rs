//! DescribeAcls, versions 1 to 3.
//!
//! Lists access control entries that match a filter.
//! Generated from `net/schema/describe_acls.txt` by millrace-codegen; not edited by hand.

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

/// Lists access control entries that match a filter.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsRequest {
    /// All versions.
    pub resource_type_filter: i8,
    /// All versions; may be null.
    pub resource_name_filter: Option<String>,
    /// All versions; `3` unless stated.
    pub pattern_type_filter: i8,
    /// All versions; may be null.
    pub principal_filter: Option<String>,
    /// All versions; may be null.
    pub host_filter: Option<String>,
    /// All versions.
    pub operation: i8,
    /// All versions.
    pub permission_type: i8,
}

impl Default for DescribeAclsRequest {
    fn default() -> Self {
        Self {
            resource_type_filter: 0,
            resource_name_filter: Some(String::new()),
            pattern_type_filter: 3,
            principal_filter: Some(String::new()),
            host_filter: Some(String::new()),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl DescribeAclsRequest {
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
            return Err(WireError::Invalid("DescribeAclsRequest has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.resource_type_filter = reader.i8()?;
        it.resource_name_filter = field::read_nullable_string(reader, form)?;
        it.pattern_type_filter = reader.i8()?;
        it.principal_filter = field::read_nullable_string(reader, form)?;
        it.host_filter = field::read_nullable_string(reader, form)?;
        it.operation = reader.i8()?;
        it.permission_type = reader.i8()?;
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
            "DescribeAclsRequest has no version {version}"
        );
        let form = field::form(version, 2);
        writer.i8(self.resource_type_filter);
        field::write_nullable_string(writer, form, self.resource_name_filter.as_deref());
        writer.i8(self.pattern_type_filter);
        field::write_nullable_string(writer, form, self.principal_filter.as_deref());
        field::write_nullable_string(writer, form, self.host_filter.as_deref());
        writer.i8(self.operation);
        writer.i8(self.permission_type);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Lists access control entries that match a filter.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
    /// All versions.
    pub resources: Vec<DescribeAclsResource>,
}

impl Default for DescribeAclsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(String::new()),
            resources: Vec::new(),
        }
    }
}

impl DescribeAclsResponse {
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
            return Err(WireError::Invalid("DescribeAclsResponse has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, form)?;
        it.resources = field::read_array(reader, form, 5, |reader| {
            DescribeAclsResource::decode(reader, version)
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
            "DescribeAclsResponse has no version {version}"
        );
        let form = field::form(version, 2);
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, self.error_message.as_deref());
        field::write_array(writer, form, &self.resources, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeAcls.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsResource {
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: String,
    /// All versions; `3` unless stated.
    pub pattern_type: i8,
    /// All versions.
    pub acls: Vec<AclDescription>,
}

impl Default for DescribeAclsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: String::new(),
            pattern_type: 3,
            acls: Vec::new(),
        }
    }
}

impl DescribeAclsResource {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.resource_type = reader.i8()?;
        it.resource_name = field::read_string(reader, form)?;
        it.pattern_type = reader.i8()?;
        it.acls = field::read_array(reader, form, 5, |reader| {
            AclDescription::decode(reader, version)
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
        writer.i8(self.pattern_type);
        field::write_array(writer, form, &self.acls, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeAcls.
#[derive(Clone, Debug, PartialEq)]
pub struct AclDescription {
    /// All versions.
    pub principal: String,
    /// All versions.
    pub host: String,
    /// All versions.
    pub operation: i8,
    /// All versions.
    pub permission_type: i8,
}

impl Default for AclDescription {
    fn default() -> Self {
        Self {
            principal: String::new(),
            host: String::new(),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl AclDescription {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
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
        field::write_string(writer, form, &self.principal);
        field::write_string(writer, form, &self.host);
        writer.i8(self.operation);
        writer.i8(self.permission_type);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for DescribeAclsRequest {
    const KEY: ApiKey = ApiKey::DescribeAcls;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DescribeAclsRequest {
    type Response = DescribeAclsResponse;
}

impl Message for DescribeAclsResponse {
    const KEY: ApiKey = ApiKey::DescribeAcls;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

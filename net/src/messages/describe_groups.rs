//! DescribeGroups, versions 0 to 6.
//!
//! Describes classic groups and their members.
//! Generated from `net/schema/describe_groups.txt` by millrace-codegen; not edited by hand.

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

/// Describes classic groups and their members.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeGroupsRequest {
    /// All versions.
    pub groups: Vec<String>,
    /// Versions 3 to 6.
    pub include_authorized_operations: bool,
}

impl Default for DescribeGroupsRequest {
    fn default() -> Self {
        Self {
            groups: Vec::new(),
            include_authorized_operations: false,
        }
    }
}

impl DescribeGroupsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 6;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 5;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeGroupsRequest has no such version"));
        }
        let form = field::form(version, 5);
        let mut it = Self::default();
        it.groups = field::read_array(reader, form, 1, |reader| {
            field::read_string(reader, form)
        })?;
        if version >= 3 {
            it.include_authorized_operations = reader.bool()?;
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
            "DescribeGroupsRequest has no version {version}"
        );
        let form = field::form(version, 5);
        field::write_array(writer, form, &self.groups, |writer, item| {
            field::write_string(writer, form, item);
        });
        if version >= 3 {
            writer.bool(self.include_authorized_operations);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Describes classic groups and their members.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeGroupsResponse {
    /// Versions 1 to 6.
    pub throttle_time_ms: i32,
    /// All versions.
    pub groups: Vec<DescribedGroup>,
}

impl Default for DescribeGroupsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            groups: Vec::new(),
        }
    }
}

impl DescribeGroupsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 6;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 5;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeGroupsResponse has no such version"));
        }
        let form = field::form(version, 5);
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = reader.i32()?;
        }
        it.groups = field::read_array(reader, form, 12, |reader| {
            DescribedGroup::decode(reader, version)
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
            "DescribeGroupsResponse has no version {version}"
        );
        let form = field::form(version, 5);
        if version >= 1 {
            writer.i32(self.throttle_time_ms);
        }
        field::write_array(writer, form, &self.groups, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeGroups.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// All versions.
    pub error_code: i16,
    /// Version 6; may be null; `null` unless stated.
    pub error_message: Option<String>,
    /// All versions.
    pub group_id: String,
    /// All versions.
    pub group_state: String,
    /// All versions.
    pub protocol_type: String,
    /// All versions.
    pub protocol_data: String,
    /// All versions.
    pub members: Vec<DescribedGroupMember>,
    /// Versions 3 to 6; `-2147483648` unless stated.
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: String::new(),
            group_state: String::new(),
            protocol_type: String::new(),
            protocol_data: String::new(),
            members: Vec::new(),
            authorized_operations: i32::MIN,
        }
    }
}

impl DescribedGroup {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 5);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        if version == 6 {
            it.error_message = field::read_nullable_string(reader, form)?;
        }
        it.group_id = field::read_string(reader, form)?;
        it.group_state = field::read_string(reader, form)?;
        it.protocol_type = field::read_string(reader, form)?;
        it.protocol_data = field::read_string(reader, form)?;
        it.members = field::read_array(reader, form, 7, |reader| {
            DescribedGroupMember::decode(reader, version)
        })?;
        if version >= 3 {
            it.authorized_operations = reader.i32()?;
        }
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 5);
        writer.i16(self.error_code);
        if version == 6 {
            field::write_nullable_string(writer, form, self.error_message.as_deref());
        }
        field::write_string(writer, form, &self.group_id);
        field::write_string(writer, form, &self.group_state);
        field::write_string(writer, form, &self.protocol_type);
        field::write_string(writer, form, &self.protocol_data);
        field::write_array(writer, form, &self.members, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 3 {
            writer.i32(self.authorized_operations);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeGroups.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroupMember {
    /// All versions.
    pub member_id: String,
    /// Versions 4 to 6; may be null; `null` unless stated.
    pub group_instance_id: Option<String>,
    /// All versions.
    pub client_id: String,
    /// All versions.
    pub client_host: String,
    /// All versions.
    pub member_metadata: Bytes,
    /// All versions.
    pub member_assignment: Bytes,
}

impl Default for DescribedGroupMember {
    fn default() -> Self {
        Self {
            member_id: String::new(),
            group_instance_id: None,
            client_id: String::new(),
            client_host: String::new(),
            member_metadata: Bytes::new(),
            member_assignment: Bytes::new(),
        }
    }
}

impl DescribedGroupMember {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 5);
        let mut it = Self::default();
        it.member_id = field::read_string(reader, form)?;
        if version >= 4 {
            it.group_instance_id = field::read_nullable_string(reader, form)?;
        }
        it.client_id = field::read_string(reader, form)?;
        it.client_host = field::read_string(reader, form)?;
        it.member_metadata = field::read_bytes(reader, form)?;
        it.member_assignment = field::read_bytes(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 5);
        field::write_string(writer, form, &self.member_id);
        if version >= 4 {
            field::write_nullable_string(writer, form, self.group_instance_id.as_deref());
        }
        field::write_string(writer, form, &self.client_id);
        field::write_string(writer, form, &self.client_host);
        field::write_bytes(writer, form, &self.member_metadata);
        field::write_bytes(writer, form, &self.member_assignment);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for DescribeGroupsRequest {
    const KEY: ApiKey = ApiKey::DescribeGroups;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DescribeGroupsRequest {
    type Response = DescribeGroupsResponse;
}

impl Message for DescribeGroupsResponse {
    const KEY: ApiKey = ApiKey::DescribeGroups;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

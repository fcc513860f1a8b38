//! LeaveGroup, versions 0 to 5.
//!
//! Takes members out of a classic group.
//! Generated from `net/schema/leave_group.txt` by millrace-codegen; not edited by hand.

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

/// Takes members out of a classic group.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaveGroupRequest {
    /// All versions.
    pub group_id: String,
    /// Versions 0 to 2.
    pub member_id: String,
    /// Versions 3 to 5.
    pub members: Vec<MemberIdentity>,
}

impl Default for LeaveGroupRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            member_id: String::new(),
            members: Vec::new(),
        }
    }
}

impl LeaveGroupRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 5;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 4;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("LeaveGroupRequest has no such version"));
        }
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.group_id = field::read_string(reader, form)?;
        if version <= 2 {
            it.member_id = field::read_string(reader, form)?;
        }
        if version >= 3 {
            it.members = field::read_array(reader, form, 3, |reader| {
                MemberIdentity::decode(reader, version)
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
            "LeaveGroupRequest has no version {version}"
        );
        let form = field::form(version, 4);
        field::write_string(writer, form, &self.group_id);
        if version <= 2 {
            field::write_string(writer, form, &self.member_id);
        }
        if version >= 3 {
            field::write_array(writer, form, &self.members, |writer, item| {
                item.encode(writer, version);
            });
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Takes members out of a classic group.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaveGroupResponse {
    /// Versions 1 to 5.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// Versions 3 to 5.
    pub members: Vec<MemberResponse>,
}

impl Default for LeaveGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            members: Vec::new(),
        }
    }
}

impl LeaveGroupResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 5;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 4;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("LeaveGroupResponse has no such version"));
        }
        let form = field::form(version, 4);
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = reader.i32()?;
        }
        it.error_code = reader.i16()?;
        if version >= 3 {
            it.members = field::read_array(reader, form, 5, |reader| {
                MemberResponse::decode(reader, version)
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
            "LeaveGroupResponse has no version {version}"
        );
        let form = field::form(version, 4);
        if version >= 1 {
            writer.i32(self.throttle_time_ms);
        }
        writer.i16(self.error_code);
        if version >= 3 {
            field::write_array(writer, form, &self.members, |writer, item| {
                item.encode(writer, version);
            });
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of LeaveGroup, versions 3 to 5.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberIdentity {
    /// All versions.
    pub member_id: String,
    /// All versions; may be null; `null` unless stated.
    pub group_instance_id: Option<String>,
    /// Version 5; may be null; `null` unless stated.
    pub reason: Option<String>,
}

impl Default for MemberIdentity {
    fn default() -> Self {
        Self {
            member_id: String::new(),
            group_instance_id: None,
            reason: None,
        }
    }
}

impl MemberIdentity {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.member_id = field::read_string(reader, form)?;
        it.group_instance_id = field::read_nullable_string(reader, form)?;
        if version == 5 {
            it.reason = field::read_nullable_string(reader, form)?;
        }
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        field::write_string(writer, form, &self.member_id);
        field::write_nullable_string(writer, form, self.group_instance_id.as_deref());
        if version == 5 {
            field::write_nullable_string(writer, form, self.reason.as_deref());
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of LeaveGroup, versions 3 to 5.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberResponse {
    /// All versions.
    pub member_id: String,
    /// All versions; may be null.
    pub group_instance_id: Option<String>,
    /// All versions.
    pub error_code: i16,
}

impl Default for MemberResponse {
    fn default() -> Self {
        Self {
            member_id: String::new(),
            group_instance_id: Some(String::new()),
            error_code: 0,
        }
    }
}

impl MemberResponse {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.member_id = field::read_string(reader, form)?;
        it.group_instance_id = field::read_nullable_string(reader, form)?;
        it.error_code = reader.i16()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        field::write_string(writer, form, &self.member_id);
        field::write_nullable_string(writer, form, self.group_instance_id.as_deref());
        writer.i16(self.error_code);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for LeaveGroupRequest {
    const KEY: ApiKey = ApiKey::LeaveGroup;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for LeaveGroupRequest {
    type Response = LeaveGroupResponse;
}

impl Message for LeaveGroupResponse {
    const KEY: ApiKey = ApiKey::LeaveGroup;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

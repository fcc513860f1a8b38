//! JoinGroup, versions 0 to 9.
//!
//! Enters a classic group and takes part in a rebalance.
//! Generated from `net/schema/join_group.txt` by millrace-codegen; not edited by hand.

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

/// Enters a classic group and takes part in a rebalance.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupRequest {
    /// All versions.
    pub group_id: String,
    /// All versions.
    pub session_timeout_ms: i32,
    /// Versions 1 to 9; `-1` unless stated.
    pub rebalance_timeout_ms: i32,
    /// All versions.
    pub member_id: String,
    /// Versions 5 to 9; may be null; `null` unless stated.
    pub group_instance_id: Option<String>,
    /// All versions.
    pub protocol_type: String,
    /// All versions.
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// Versions 8 to 9; may be null; `null` unless stated.
    pub reason: Option<String>,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            session_timeout_ms: 0,
            rebalance_timeout_ms: -1,
            member_id: String::new(),
            group_instance_id: None,
            protocol_type: String::new(),
            protocols: Vec::new(),
            reason: None,
        }
    }
}

impl JoinGroupRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 9;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 6;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("JoinGroupRequest has no such version"));
        }
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.group_id = field::read_string(reader, form)?;
        it.session_timeout_ms = reader.i32()?;
        if version >= 1 {
            it.rebalance_timeout_ms = reader.i32()?;
        }
        it.member_id = field::read_string(reader, form)?;
        if version >= 5 {
            it.group_instance_id = field::read_nullable_string(reader, form)?;
        }
        it.protocol_type = field::read_string(reader, form)?;
        it.protocols = field::read_array(reader, form, 3, |reader| {
            JoinGroupRequestProtocol::decode(reader, version)
        })?;
        if version >= 8 {
            it.reason = field::read_nullable_string(reader, form)?;
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
            "JoinGroupRequest has no version {version}"
        );
        let form = field::form(version, 6);
        field::write_string(writer, form, &self.group_id);
        writer.i32(self.session_timeout_ms);
        if version >= 1 {
            writer.i32(self.rebalance_timeout_ms);
        }
        field::write_string(writer, form, &self.member_id);
        if version >= 5 {
            field::write_nullable_string(writer, form, self.group_instance_id.as_deref());
        }
        field::write_string(writer, form, &self.protocol_type);
        field::write_array(writer, form, &self.protocols, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 8 {
            field::write_nullable_string(writer, form, self.reason.as_deref());
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Enters a classic group and takes part in a rebalance.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupResponse {
    /// Versions 2 to 9.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; `-1` unless stated.
    pub generation_id: i32,
    /// Versions 7 to 9; may be null; `null` unless stated.
    pub protocol_type: Option<String>,
    /// All versions; may be null from version 7.
    pub protocol_name: Option<String>,
    /// All versions.
    pub leader: String,
    /// Version 9.
    pub skip_assignment: bool,
    /// All versions.
    pub member_id: String,
    /// All versions.
    pub members: Vec<JoinGroupResponseMember>,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            generation_id: -1,
            protocol_type: None,
            protocol_name: Some(String::new()),
            leader: String::new(),
            skip_assignment: false,
            member_id: String::new(),
            members: Vec::new(),
        }
    }
}

impl JoinGroupResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 9;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 6;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("JoinGroupResponse has no such version"));
        }
        let form = field::form(version, 6);
        let mut it = Self::default();
        if version >= 2 {
            it.throttle_time_ms = reader.i32()?;
        }
        it.error_code = reader.i16()?;
        it.generation_id = reader.i32()?;
        if version >= 7 {
            it.protocol_type = field::read_nullable_string(reader, form)?;
        }
        it.protocol_name = field::null_only_if(field::read_nullable_string(reader, form)?, version >= 7)?;
        it.leader = field::read_string(reader, form)?;
        if version == 9 {
            it.skip_assignment = reader.bool()?;
        }
        it.member_id = field::read_string(reader, form)?;
        it.members = field::read_array(reader, form, 4, |reader| {
            JoinGroupResponseMember::decode(reader, version)
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
            "JoinGroupResponse has no version {version}"
        );
        let form = field::form(version, 6);
        if version >= 2 {
            writer.i32(self.throttle_time_ms);
        }
        writer.i16(self.error_code);
        writer.i32(self.generation_id);
        if version >= 7 {
            field::write_nullable_string(writer, form, self.protocol_type.as_deref());
        }
        field::write_nullable_string(writer, form, field::null_or_empty(self.protocol_name.as_deref(), version >= 7));
        field::write_string(writer, form, &self.leader);
        if version == 9 {
            writer.bool(self.skip_assignment);
        }
        field::write_string(writer, form, &self.member_id);
        field::write_array(writer, form, &self.members, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of JoinGroup.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupRequestProtocol {
    /// All versions.
    pub name: String,
    /// All versions.
    pub metadata: Bytes,
}

impl Default for JoinGroupRequestProtocol {
    fn default() -> Self {
        Self {
            name: String::new(),
            metadata: Bytes::new(),
        }
    }
}

impl JoinGroupRequestProtocol {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.metadata = field::read_bytes(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 6);
        field::write_string(writer, form, &self.name);
        field::write_bytes(writer, form, &self.metadata);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of JoinGroup.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupResponseMember {
    /// All versions.
    pub member_id: String,
    /// Versions 5 to 9; may be null; `null` unless stated.
    pub group_instance_id: Option<String>,
    /// All versions.
    pub metadata: Bytes,
}

impl Default for JoinGroupResponseMember {
    fn default() -> Self {
        Self {
            member_id: String::new(),
            group_instance_id: None,
            metadata: Bytes::new(),
        }
    }
}

impl JoinGroupResponseMember {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 6);
        let mut it = Self::default();
        it.member_id = field::read_string(reader, form)?;
        if version >= 5 {
            it.group_instance_id = field::read_nullable_string(reader, form)?;
        }
        it.metadata = field::read_bytes(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 6);
        field::write_string(writer, form, &self.member_id);
        if version >= 5 {
            field::write_nullable_string(writer, form, self.group_instance_id.as_deref());
        }
        field::write_bytes(writer, form, &self.metadata);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for JoinGroupRequest {
    const KEY: ApiKey = ApiKey::JoinGroup;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for JoinGroupRequest {
    type Response = JoinGroupResponse;
}

impl Message for JoinGroupResponse {
    const KEY: ApiKey = ApiKey::JoinGroup;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

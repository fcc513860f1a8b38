//! ListGroups, versions 0 to 5.
//!
//! Lists the groups a broker coordinates.
//! Generated from `net/schema/list_groups.txt` by millrace-codegen; not edited by hand.

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

/// Lists the groups a broker coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct ListGroupsRequest {
    /// Versions 4 to 5.
    pub states_filter: Vec<String>,
    /// Version 5.
    pub types_filter: Vec<String>,
}

impl Default for ListGroupsRequest {
    fn default() -> Self {
        Self {
            states_filter: Vec::new(),
            types_filter: Vec::new(),
        }
    }
}

impl ListGroupsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 5;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 3;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ListGroupsRequest has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        if version >= 4 {
            it.states_filter = field::read_array(reader, form, 1, |reader| {
                field::read_string(reader, form)
            })?;
        }
        if version == 5 {
            it.types_filter = field::read_array(reader, form, 1, |reader| {
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
            "ListGroupsRequest has no version {version}"
        );
        let form = field::form(version, 3);
        if version >= 4 {
            field::write_array(writer, form, &self.states_filter, |writer, item| {
                field::write_string(writer, form, item);
            });
        }
        if version == 5 {
            field::write_array(writer, form, &self.types_filter, |writer, item| {
                field::write_string(writer, form, item);
            });
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Lists the groups a broker coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct ListGroupsResponse {
    /// Versions 1 to 5.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub groups: Vec<ListedGroup>,
}

impl Default for ListGroupsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            groups: Vec::new(),
        }
    }
}

impl ListGroupsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 5;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 3;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ListGroupsResponse has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = reader.i32()?;
        }
        it.error_code = reader.i16()?;
        it.groups = field::read_array(reader, form, 3, |reader| {
            ListedGroup::decode(reader, version)
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
            "ListGroupsResponse has no version {version}"
        );
        let form = field::form(version, 3);
        if version >= 1 {
            writer.i32(self.throttle_time_ms);
        }
        writer.i16(self.error_code);
        field::write_array(writer, form, &self.groups, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of ListGroups.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedGroup {
    /// All versions.
    pub group_id: String,
    /// All versions.
    pub protocol_type: String,
    /// Versions 4 to 5.
    pub group_state: String,
    /// Version 5.
    pub group_type: String,
}

impl Default for ListedGroup {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            protocol_type: String::new(),
            group_state: String::new(),
            group_type: String::new(),
        }
    }
}

impl ListedGroup {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.group_id = field::read_string(reader, form)?;
        it.protocol_type = field::read_string(reader, form)?;
        if version >= 4 {
            it.group_state = field::read_string(reader, form)?;
        }
        if version == 5 {
            it.group_type = field::read_string(reader, form)?;
        }
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 3);
        field::write_string(writer, form, &self.group_id);
        field::write_string(writer, form, &self.protocol_type);
        if version >= 4 {
            field::write_string(writer, form, &self.group_state);
        }
        if version == 5 {
            field::write_string(writer, form, &self.group_type);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for ListGroupsRequest {
    const KEY: ApiKey = ApiKey::ListGroups;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for ListGroupsRequest {
    type Response = ListGroupsResponse;
}

impl Message for ListGroupsResponse {
    const KEY: ApiKey = ApiKey::ListGroups;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! DeleteGroups, versions 0 to 2.
//!
//! Deletes empty groups.
//! Generated from `net/schema/delete_groups.txt` by millrace-codegen; not edited by hand.

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

/// Deletes empty groups.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteGroupsRequest {
    /// All versions.
    pub groups_names: Vec<String>,
}

impl Default for DeleteGroupsRequest {
    fn default() -> Self {
        Self {
            groups_names: Vec::new(),
        }
    }
}

impl DeleteGroupsRequest {
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
            return Err(WireError::Invalid("DeleteGroupsRequest has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.groups_names = field::read_array(reader, form, 1, |reader| {
            field::read_string(reader, form)
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
            "DeleteGroupsRequest has no version {version}"
        );
        let form = field::form(version, 2);
        field::write_array(writer, form, &self.groups_names, |writer, item| {
            field::write_string(writer, form, item);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Deletes empty groups.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteGroupsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub results: Vec<DeletableGroupResult>,
}

impl Default for DeleteGroupsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            results: Vec::new(),
        }
    }
}

impl DeleteGroupsResponse {
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
            return Err(WireError::Invalid("DeleteGroupsResponse has no such version"));
        }
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.results = field::read_array(reader, form, 4, |reader| {
            DeletableGroupResult::decode(reader, version)
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
            "DeleteGroupsResponse has no version {version}"
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

/// Part of DeleteGroups.
#[derive(Clone, Debug, PartialEq)]
pub struct DeletableGroupResult {
    /// All versions.
    pub group_id: String,
    /// All versions.
    pub error_code: i16,
}

impl Default for DeletableGroupResult {
    fn default() -> Self {
        Self {
            group_id: String::new(),
            error_code: 0,
        }
    }
}

impl DeletableGroupResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 2);
        let mut it = Self::default();
        it.group_id = field::read_string(reader, form)?;
        it.error_code = reader.i16()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 2);
        field::write_string(writer, form, &self.group_id);
        writer.i16(self.error_code);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for DeleteGroupsRequest {
    const KEY: ApiKey = ApiKey::DeleteGroups;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DeleteGroupsRequest {
    type Response = DeleteGroupsResponse;
}

impl Message for DeleteGroupsResponse {
    const KEY: ApiKey = ApiKey::DeleteGroups;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

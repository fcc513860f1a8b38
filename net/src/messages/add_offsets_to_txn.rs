//! AddOffsetsToTxn, versions 0 to 4.
//!
//! Enters a group's offsets into a transaction.
//! Generated from `net/schema/add_offsets_to_txn.txt` by millrace-codegen; not edited by hand.

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

/// Enters a group's offsets into a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct AddOffsetsToTxnRequest {
    /// All versions.
    pub transactional_id: String,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// All versions.
    pub group_id: String,
}

impl Default for AddOffsetsToTxnRequest {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            producer_id: 0,
            producer_epoch: 0,
            group_id: String::new(),
        }
    }
}

impl AddOffsetsToTxnRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 4;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 3;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("AddOffsetsToTxnRequest has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.transactional_id = field::read_string(reader, form)?;
        it.producer_id = reader.i64()?;
        it.producer_epoch = reader.i16()?;
        it.group_id = field::read_string(reader, form)?;
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
            "AddOffsetsToTxnRequest has no version {version}"
        );
        let form = field::form(version, 3);
        field::write_string(writer, form, &self.transactional_id);
        writer.i64(self.producer_id);
        writer.i16(self.producer_epoch);
        field::write_string(writer, form, &self.group_id);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Enters a group's offsets into a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct AddOffsetsToTxnResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
}

impl Default for AddOffsetsToTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
        }
    }
}

impl AddOffsetsToTxnResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 4;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 3;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("AddOffsetsToTxnResponse has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.error_code = reader.i16()?;
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
            "AddOffsetsToTxnResponse has no version {version}"
        );
        let form = field::form(version, 3);
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for AddOffsetsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddOffsetsToTxn;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for AddOffsetsToTxnRequest {
    type Response = AddOffsetsToTxnResponse;
}

impl Message for AddOffsetsToTxnResponse {
    const KEY: ApiKey = ApiKey::AddOffsetsToTxn;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! EndTxn, versions 0 to 5.
//!
//! Commits or aborts a transaction.
//! Generated from `net/schema/end_txn.txt` by millrace-codegen; not edited by hand.

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

/// Commits or aborts a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct EndTxnRequest {
    /// All versions.
    pub transactional_id: String,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// All versions.
    pub committed: bool,
}

impl Default for EndTxnRequest {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            producer_id: 0,
            producer_epoch: 0,
            committed: false,
        }
    }
}

impl EndTxnRequest {
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
            return Err(WireError::Invalid("EndTxnRequest has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.transactional_id = field::read_string(reader, form)?;
        it.producer_id = reader.i64()?;
        it.producer_epoch = reader.i16()?;
        it.committed = reader.bool()?;
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
            "EndTxnRequest has no version {version}"
        );
        let form = field::form(version, 3);
        field::write_string(writer, form, &self.transactional_id);
        writer.i64(self.producer_id);
        writer.i16(self.producer_epoch);
        writer.bool(self.committed);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Commits or aborts a transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct EndTxnResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// Version 5; `-1` unless stated.
    pub producer_id: i64,
    /// Version 5; `-1` unless stated.
    pub producer_epoch: i16,
}

impl Default for EndTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: -1,
            producer_epoch: -1,
        }
    }
}

impl EndTxnResponse {
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
            return Err(WireError::Invalid("EndTxnResponse has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.error_code = reader.i16()?;
        if version == 5 {
            it.producer_id = reader.i64()?;
        }
        if version == 5 {
            it.producer_epoch = reader.i16()?;
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
            "EndTxnResponse has no version {version}"
        );
        let form = field::form(version, 3);
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        if version == 5 {
            writer.i64(self.producer_id);
        }
        if version == 5 {
            writer.i16(self.producer_epoch);
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for EndTxnRequest {
    const KEY: ApiKey = ApiKey::EndTxn;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for EndTxnRequest {
    type Response = EndTxnResponse;
}

impl Message for EndTxnResponse {
    const KEY: ApiKey = ApiKey::EndTxn;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

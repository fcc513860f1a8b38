//! ListTransactions, versions 0 to 2.
//!
//! Lists transactions a broker coordinates.
//! Generated from `net/schema/list_transactions.txt` by millrace-codegen; not edited by hand.

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

/// Lists transactions a broker coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct ListTransactionsRequest {
    /// All versions.
    pub state_filters: Vec<String>,
    /// All versions.
    pub producer_id_filters: Vec<i64>,
    /// Versions 1 to 2; `-1` unless stated.
    pub duration_filter: i64,
    /// Version 2; may be null; `null` unless stated.
    pub transactional_id_pattern: Option<String>,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        Self {
            state_filters: Vec::new(),
            producer_id_filters: Vec::new(),
            duration_filter: -1,
            transactional_id_pattern: None,
        }
    }
}

impl ListTransactionsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 2;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ListTransactionsRequest has no such version"));
        }
        let mut it = Self::default();
        it.state_filters = field::read_array(reader, Form::Compact, 1, |reader| {
            field::read_string(reader, Form::Compact)
        })?;
        it.producer_id_filters = field::read_array(reader, Form::Compact, 8, Reader::i64)?;
        if version >= 1 {
            it.duration_filter = reader.i64()?;
        }
        if version == 2 {
            it.transactional_id_pattern = field::read_nullable_string(reader, Form::Compact)?;
        }
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
            "ListTransactionsRequest has no version {version}"
        );
        field::write_array(writer, Form::Compact, &self.state_filters, |writer, item| {
            field::write_string(writer, Form::Compact, item);
        });
        field::write_array(writer, Form::Compact, &self.producer_id_filters, |writer, item| {
            writer.i64(*item);
        });
        if version >= 1 {
            writer.i64(self.duration_filter);
        }
        if version == 2 {
            field::write_nullable_string(writer, Form::Compact, self.transactional_id_pattern.as_deref());
        }
        writer.no_tagged_fields();
    }
}

/// Lists transactions a broker coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct ListTransactionsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub unknown_state_filters: Vec<String>,
    /// All versions.
    pub transaction_states: Vec<TransactionState>,
}

impl Default for ListTransactionsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            unknown_state_filters: Vec::new(),
            transaction_states: Vec::new(),
        }
    }
}

impl ListTransactionsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 2;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ListTransactionsResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.error_code = reader.i16()?;
        it.unknown_state_filters = field::read_array(reader, Form::Compact, 1, |reader| {
            field::read_string(reader, Form::Compact)
        })?;
        it.transaction_states = field::read_array(reader, Form::Compact, 11, |reader| {
            TransactionState::decode(reader, version)
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
            "ListTransactionsResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        field::write_array(writer, Form::Compact, &self.unknown_state_filters, |writer, item| {
            field::write_string(writer, Form::Compact, item);
        });
        field::write_array(writer, Form::Compact, &self.transaction_states, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of ListTransactions.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionState {
    /// All versions.
    pub transactional_id: String,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub transaction_state: String,
}

impl Default for TransactionState {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            producer_id: 0,
            transaction_state: String::new(),
        }
    }
}

impl TransactionState {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.transactional_id = field::read_string(reader, Form::Compact)?;
        it.producer_id = reader.i64()?;
        it.transaction_state = field::read_string(reader, Form::Compact)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.transactional_id);
        writer.i64(self.producer_id);
        field::write_string(writer, Form::Compact, &self.transaction_state);
        writer.no_tagged_fields();
    }
}

impl Message for ListTransactionsRequest {
    const KEY: ApiKey = ApiKey::ListTransactions;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for ListTransactionsRequest {
    type Response = ListTransactionsResponse;
}

impl Message for ListTransactionsResponse {
    const KEY: ApiKey = ApiKey::ListTransactions;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! DescribeTransactions, versions 0 to 0.
//!
//! Describes transactional ids.
//! Generated from `net/schema/describe_transactions.txt` by millrace-codegen; not edited by hand.

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

/// Describes transactional ids.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTransactionsRequest {
    /// All versions.
    pub transactional_ids: Vec<String>,
}

impl Default for DescribeTransactionsRequest {
    fn default() -> Self {
        Self {
            transactional_ids: Vec::new(),
        }
    }
}

impl DescribeTransactionsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 0;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeTransactionsRequest has no such version"));
        }
        let mut it = Self::default();
        it.transactional_ids = field::read_array(reader, Form::Compact, 1, |reader| {
            field::read_string(reader, Form::Compact)
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
            "DescribeTransactionsRequest has no version {version}"
        );
        field::write_array(writer, Form::Compact, &self.transactional_ids, |writer, item| {
            field::write_string(writer, Form::Compact, item);
        });
        writer.no_tagged_fields();
    }
}

/// Describes transactional ids.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTransactionsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub transaction_states: Vec<TransactionState>,
}

impl Default for DescribeTransactionsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            transaction_states: Vec::new(),
        }
    }
}

impl DescribeTransactionsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 0;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 0;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DescribeTransactionsResponse has no such version"));
        }
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.transaction_states = field::read_array(reader, Form::Compact, 28, |reader| {
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
            "DescribeTransactionsResponse has no version {version}"
        );
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, Form::Compact, &self.transaction_states, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeTransactions.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionState {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub transactional_id: String,
    /// All versions.
    pub transaction_state: String,
    /// All versions.
    pub transaction_timeout_ms: i32,
    /// All versions.
    pub transaction_start_time_ms: i64,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// All versions.
    pub topics: Vec<TopicData>,
}

impl Default for TransactionState {
    fn default() -> Self {
        Self {
            error_code: 0,
            transactional_id: String::new(),
            transaction_state: String::new(),
            transaction_timeout_ms: 0,
            transaction_start_time_ms: 0,
            producer_id: 0,
            producer_epoch: 0,
            topics: Vec::new(),
        }
    }
}

impl TransactionState {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.transactional_id = field::read_string(reader, Form::Compact)?;
        it.transaction_state = field::read_string(reader, Form::Compact)?;
        it.transaction_timeout_ms = reader.i32()?;
        it.transaction_start_time_ms = reader.i64()?;
        it.producer_id = reader.i64()?;
        it.producer_epoch = reader.i16()?;
        it.topics = field::read_array(reader, Form::Compact, 3, |reader| {
            TopicData::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        writer.i16(self.error_code);
        field::write_string(writer, Form::Compact, &self.transactional_id);
        field::write_string(writer, Form::Compact, &self.transaction_state);
        writer.i32(self.transaction_timeout_ms);
        writer.i64(self.transaction_start_time_ms);
        writer.i64(self.producer_id);
        writer.i16(self.producer_epoch);
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of DescribeTransactions.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicData {
    /// All versions.
    pub topic: String,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Default for TopicData {
    fn default() -> Self {
        Self {
            topic: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl TopicData {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.topic = field::read_string(reader, Form::Compact)?;
        it.partitions = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.topic);
        field::write_array(writer, Form::Compact, &self.partitions, |writer, item| {
            writer.i32(*item);
        });
        writer.no_tagged_fields();
    }
}

impl Message for DescribeTransactionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTransactions;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DescribeTransactionsRequest {
    type Response = DescribeTransactionsResponse;
}

impl Message for DescribeTransactionsResponse {
    const KEY: ApiKey = ApiKey::DescribeTransactions;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

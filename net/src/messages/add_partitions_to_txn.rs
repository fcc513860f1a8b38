//! AddPartitionsToTxn, versions 0 to 5.
//!
//! Enters partitions into transactions.
//! Generated from `net/schema/add_partitions_to_txn.txt` by millrace-codegen; not edited by hand.

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

/// Enters partitions into transactions.
#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnRequest {
    /// Versions 4 to 5.
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    /// Versions 0 to 3.
    pub v3_and_below_transactional_id: String,
    /// Versions 0 to 3.
    pub v3_and_below_producer_id: i64,
    /// Versions 0 to 3.
    pub v3_and_below_producer_epoch: i16,
    /// Versions 0 to 3.
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
}

impl Default for AddPartitionsToTxnRequest {
    fn default() -> Self {
        Self {
            transactions: Vec::new(),
            v3_and_below_transactional_id: String::new(),
            v3_and_below_producer_id: 0,
            v3_and_below_producer_epoch: 0,
            v3_and_below_topics: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnRequest {
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
            return Err(WireError::Invalid("AddPartitionsToTxnRequest has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        if version >= 4 {
            it.transactions = field::read_array(reader, form, 14, |reader| {
                AddPartitionsToTxnTransaction::decode(reader, version)
            })?;
        }
        if version <= 3 {
            it.v3_and_below_transactional_id = field::read_string(reader, form)?;
        }
        if version <= 3 {
            it.v3_and_below_producer_id = reader.i64()?;
        }
        if version <= 3 {
            it.v3_and_below_producer_epoch = reader.i16()?;
        }
        if version <= 3 {
            it.v3_and_below_topics = field::read_array(reader, form, 3, |reader| {
                AddPartitionsToTxnTopic::decode(reader, version)
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
            "AddPartitionsToTxnRequest has no version {version}"
        );
        let form = field::form(version, 3);
        if version >= 4 {
            field::write_array(writer, form, &self.transactions, |writer, item| {
                item.encode(writer, version);
            });
        }
        if version <= 3 {
            field::write_string(writer, form, &self.v3_and_below_transactional_id);
        }
        if version <= 3 {
            writer.i64(self.v3_and_below_producer_id);
        }
        if version <= 3 {
            writer.i16(self.v3_and_below_producer_epoch);
        }
        if version <= 3 {
            field::write_array(writer, form, &self.v3_and_below_topics, |writer, item| {
                item.encode(writer, version);
            });
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Enters partitions into transactions.
#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// Versions 4 to 5.
    pub error_code: i16,
    /// Versions 4 to 5.
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    /// Versions 0 to 3.
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
}

impl Default for AddPartitionsToTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            results_by_transaction: Vec::new(),
            results_by_topic_v3_and_below: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnResponse {
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
            return Err(WireError::Invalid("AddPartitionsToTxnResponse has no such version"));
        }
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        if version >= 4 {
            it.error_code = reader.i16()?;
        }
        if version >= 4 {
            it.results_by_transaction = field::read_array(reader, form, 3, |reader| {
                AddPartitionsToTxnResult::decode(reader, version)
            })?;
        }
        if version <= 3 {
            it.results_by_topic_v3_and_below = field::read_array(reader, form, 3, |reader| {
                AddPartitionsToTxnTopicResult::decode(reader, version)
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
            "AddPartitionsToTxnResponse has no version {version}"
        );
        let form = field::form(version, 3);
        writer.i32(self.throttle_time_ms);
        if version >= 4 {
            writer.i16(self.error_code);
        }
        if version >= 4 {
            field::write_array(writer, form, &self.results_by_transaction, |writer, item| {
                item.encode(writer, version);
            });
        }
        if version <= 3 {
            field::write_array(writer, form, &self.results_by_topic_v3_and_below, |writer, item| {
                item.encode(writer, version);
            });
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of AddPartitionsToTxn, versions 4 to 5.
#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnTransaction {
    /// All versions.
    pub transactional_id: String,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// All versions.
    pub verify_only: bool,
    /// All versions.
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

impl Default for AddPartitionsToTxnTransaction {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            producer_id: 0,
            producer_epoch: 0,
            verify_only: false,
            topics: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnTransaction {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.transactional_id = field::read_string(reader, Form::Compact)?;
        it.producer_id = reader.i64()?;
        it.producer_epoch = reader.i16()?;
        it.verify_only = reader.bool()?;
        it.topics = field::read_array(reader, Form::Compact, 3, |reader| {
            AddPartitionsToTxnTopic::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.transactional_id);
        writer.i64(self.producer_id);
        writer.i16(self.producer_epoch);
        writer.bool(self.verify_only);
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of AddPartitionsToTxn.
#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Default for AddPartitionsToTxnTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnTopic {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.partitions = field::read_array(reader, form, 4, Reader::i32)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 3);
        field::write_string(writer, form, &self.name);
        field::write_array(writer, form, &self.partitions, |writer, item| {
            writer.i32(*item);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of AddPartitionsToTxn, versions 4 to 5.
#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnResult {
    /// All versions.
    pub transactional_id: String,
    /// All versions.
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
}

impl Default for AddPartitionsToTxnResult {
    fn default() -> Self {
        Self {
            transactional_id: String::new(),
            topic_results: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.transactional_id = field::read_string(reader, Form::Compact)?;
        it.topic_results = field::read_array(reader, Form::Compact, 3, |reader| {
            AddPartitionsToTxnTopicResult::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.transactional_id);
        field::write_array(writer, Form::Compact, &self.topic_results, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of AddPartitionsToTxn.
#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnTopicResult {
    /// All versions.
    pub name: String,
    /// All versions.
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

impl Default for AddPartitionsToTxnTopicResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            results_by_partition: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnTopicResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.name = field::read_string(reader, form)?;
        it.results_by_partition = field::read_array(reader, form, 6, |reader| {
            AddPartitionsToTxnPartitionResult::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 3);
        field::write_string(writer, form, &self.name);
        field::write_array(writer, form, &self.results_by_partition, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of AddPartitionsToTxn.
#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnPartitionResult {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub partition_error_code: i16,
}

impl Default for AddPartitionsToTxnPartitionResult {
    fn default() -> Self {
        Self {
            partition_index: 0,
            partition_error_code: 0,
        }
    }
}

impl AddPartitionsToTxnPartitionResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 3);
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.partition_error_code = reader.i16()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 3);
        writer.i32(self.partition_index);
        writer.i16(self.partition_error_code);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for AddPartitionsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for AddPartitionsToTxnRequest {
    type Response = AddPartitionsToTxnResponse;
}

impl Message for AddPartitionsToTxnResponse {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

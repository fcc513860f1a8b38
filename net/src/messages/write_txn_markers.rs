//! WriteTxnMarkers, versions 1 to 2.
//!
//! Writes commit and abort markers to partitions.
//! Generated from `net/schema/write_txn_markers.txt` by millrace-codegen; not edited by hand.

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

/// Writes commit and abort markers to partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteTxnMarkersRequest {
    /// All versions.
    pub markers: Vec<WritableTxnMarker>,
}

impl Default for WriteTxnMarkersRequest {
    fn default() -> Self {
        Self {
            markers: Vec::new(),
        }
    }
}

impl WriteTxnMarkersRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 2;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 1;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("WriteTxnMarkersRequest has no such version"));
        }
        let mut it = Self::default();
        it.markers = field::read_array(reader, Form::Compact, 17, |reader| {
            WritableTxnMarker::decode(reader, version)
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
            "WriteTxnMarkersRequest has no version {version}"
        );
        field::write_array(writer, Form::Compact, &self.markers, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Writes commit and abort markers to partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteTxnMarkersResponse {
    /// All versions.
    pub markers: Vec<WritableTxnMarkerResult>,
}

impl Default for WriteTxnMarkersResponse {
    fn default() -> Self {
        Self {
            markers: Vec::new(),
        }
    }
}

impl WriteTxnMarkersResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 2;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 1;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("WriteTxnMarkersResponse has no such version"));
        }
        let mut it = Self::default();
        it.markers = field::read_array(reader, Form::Compact, 10, |reader| {
            WritableTxnMarkerResult::decode(reader, version)
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
            "WriteTxnMarkersResponse has no version {version}"
        );
        field::write_array(writer, Form::Compact, &self.markers, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of WriteTxnMarkers.
#[derive(Clone, Debug, PartialEq)]
pub struct WritableTxnMarker {
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// All versions.
    pub transaction_result: bool,
    /// All versions.
    pub topics: Vec<WritableTxnMarkerTopic>,
    /// All versions.
    pub coordinator_epoch: i32,
    /// Version 2.
    pub transaction_version: i8,
}

impl Default for WritableTxnMarker {
    fn default() -> Self {
        Self {
            producer_id: 0,
            producer_epoch: 0,
            transaction_result: false,
            topics: Vec::new(),
            coordinator_epoch: 0,
            transaction_version: 0,
        }
    }
}

impl WritableTxnMarker {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.producer_id = reader.i64()?;
        it.producer_epoch = reader.i16()?;
        it.transaction_result = reader.bool()?;
        it.topics = field::read_array(reader, Form::Compact, 3, |reader| {
            WritableTxnMarkerTopic::decode(reader, version)
        })?;
        it.coordinator_epoch = reader.i32()?;
        if version == 2 {
            it.transaction_version = reader.i8()?;
        }
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        writer.i64(self.producer_id);
        writer.i16(self.producer_epoch);
        writer.bool(self.transaction_result);
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.i32(self.coordinator_epoch);
        if version == 2 {
            writer.i8(self.transaction_version);
        }
        writer.no_tagged_fields();
    }
}

/// Part of WriteTxnMarkers.
#[derive(Clone, Debug, PartialEq)]
pub struct WritableTxnMarkerTopic {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partition_indexes: Vec<i32>,
}

impl Default for WritableTxnMarkerTopic {
    fn default() -> Self {
        Self {
            name: String::new(),
            partition_indexes: Vec::new(),
        }
    }
}

impl WritableTxnMarkerTopic {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.partition_indexes = field::read_array(reader, Form::Compact, 4, Reader::i32)?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        field::write_array(writer, Form::Compact, &self.partition_indexes, |writer, item| {
            writer.i32(*item);
        });
        writer.no_tagged_fields();
    }
}

/// Part of WriteTxnMarkers.
#[derive(Clone, Debug, PartialEq)]
pub struct WritableTxnMarkerResult {
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub topics: Vec<WritableTxnMarkerTopicResult>,
}

impl Default for WritableTxnMarkerResult {
    fn default() -> Self {
        Self {
            producer_id: 0,
            topics: Vec::new(),
        }
    }
}

impl WritableTxnMarkerResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.producer_id = reader.i64()?;
        it.topics = field::read_array(reader, Form::Compact, 3, |reader| {
            WritableTxnMarkerTopicResult::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        writer.i64(self.producer_id);
        field::write_array(writer, Form::Compact, &self.topics, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of WriteTxnMarkers.
#[derive(Clone, Debug, PartialEq)]
pub struct WritableTxnMarkerTopicResult {
    /// All versions.
    pub name: String,
    /// All versions.
    pub partitions: Vec<WritableTxnMarkerPartitionResult>,
}

impl Default for WritableTxnMarkerTopicResult {
    fn default() -> Self {
        Self {
            name: String::new(),
            partitions: Vec::new(),
        }
    }
}

impl WritableTxnMarkerTopicResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_string(reader, Form::Compact)?;
        it.partitions = field::read_array(reader, Form::Compact, 7, |reader| {
            WritableTxnMarkerPartitionResult::decode(reader, version)
        })?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        field::write_string(writer, Form::Compact, &self.name);
        field::write_array(writer, Form::Compact, &self.partitions, |writer, item| {
            item.encode(writer, version);
        });
        writer.no_tagged_fields();
    }
}

/// Part of WriteTxnMarkers.
#[derive(Clone, Debug, PartialEq)]
pub struct WritableTxnMarkerPartitionResult {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
}

impl Default for WritableTxnMarkerPartitionResult {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
        }
    }
}

impl WritableTxnMarkerPartitionResult {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.partition_index = reader.i32()?;
        it.error_code = reader.i16()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        writer.i32(self.partition_index);
        writer.i16(self.error_code);
        writer.no_tagged_fields();
    }
}

impl Message for WriteTxnMarkersRequest {
    const KEY: ApiKey = ApiKey::WriteTxnMarkers;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for WriteTxnMarkersRequest {
    type Response = WriteTxnMarkersResponse;
}

impl Message for WriteTxnMarkersResponse {
    const KEY: ApiKey = ApiKey::WriteTxnMarkers;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

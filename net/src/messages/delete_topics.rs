//! DeleteTopics, versions 1 to 6.
//!
//! Deletes topics by name or id.
//! Generated from `net/schema/delete_topics.txt` by millrace-codegen; not edited by hand.

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
use millrace_wire::{Reader, Uuid, WireError, Writer, field};

/// Deletes topics by name or id.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteTopicsRequest {
    /// Version 6.
    pub topics: Vec<DeleteTopicState>,
    /// Versions 1 to 5.
    pub topic_names: Vec<String>,
    /// All versions.
    pub timeout_ms: i32,
}

impl Default for DeleteTopicsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            topic_names: Vec::new(),
            timeout_ms: 0,
        }
    }
}

impl DeleteTopicsRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 6;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 4;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DeleteTopicsRequest has no such version"));
        }
        let form = field::form(version, 4);
        let mut it = Self::default();
        if version == 6 {
            it.topics = field::read_array(reader, form, 18, |reader| {
                DeleteTopicState::decode(reader, version)
            })?;
        }
        if version <= 5 {
            it.topic_names = field::read_array(reader, form, 1, |reader| {
                field::read_string(reader, form)
            })?;
        }
        it.timeout_ms = reader.i32()?;
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
            "DeleteTopicsRequest has no version {version}"
        );
        let form = field::form(version, 4);
        if version == 6 {
            field::write_array(writer, form, &self.topics, |writer, item| {
                item.encode(writer, version);
            });
        }
        if version <= 5 {
            field::write_array(writer, form, &self.topic_names, |writer, item| {
                field::write_string(writer, form, item);
            });
        }
        writer.i32(self.timeout_ms);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Deletes topics by name or id.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteTopicsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub responses: Vec<DeletableTopicResult>,
}

impl Default for DeleteTopicsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            responses: Vec::new(),
        }
    }
}

impl DeleteTopicsResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 1;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 6;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 4;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("DeleteTopicsResponse has no such version"));
        }
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.responses = field::read_array(reader, form, 4, |reader| {
            DeletableTopicResult::decode(reader, version)
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
            "DeleteTopicsResponse has no version {version}"
        );
        let form = field::form(version, 4);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, form, &self.responses, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DeleteTopics, version 6.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteTopicState {
    /// All versions; may be null; `null` unless stated.
    pub name: Option<String>,
    /// All versions.
    pub topic_id: Uuid,
}

impl Default for DeleteTopicState {
    fn default() -> Self {
        Self {
            name: None,
            topic_id: Uuid::ZERO,
        }
    }
}

impl DeleteTopicState {
    fn decode(reader: &mut Reader<'_>, _version: i16) -> Result<Self, WireError> {
        let mut it = Self::default();
        it.name = field::read_nullable_string(reader, Form::Compact)?;
        it.topic_id = reader.uuid()?;
        reader.skip_tagged_fields()?;
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, _version: i16) {
        field::write_nullable_string(writer, Form::Compact, self.name.as_deref());
        writer.uuid(self.topic_id);
        writer.no_tagged_fields();
    }
}

/// Part of DeleteTopics.
#[derive(Clone, Debug, PartialEq)]
pub struct DeletableTopicResult {
    /// All versions; may be null from version 6.
    pub name: Option<String>,
    /// Version 6.
    pub topic_id: Uuid,
    /// All versions.
    pub error_code: i16,
    /// Versions 5 to 6; may be null; `null` unless stated.
    pub error_message: Option<String>,
}

impl Default for DeletableTopicResult {
    fn default() -> Self {
        Self {
            name: Some(String::new()),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: None,
        }
    }
}

impl DeletableTopicResult {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 4);
        let mut it = Self::default();
        it.name = field::null_only_if(field::read_nullable_string(reader, form)?, version == 6)?;
        if version == 6 {
            it.topic_id = reader.uuid()?;
        }
        it.error_code = reader.i16()?;
        if version >= 5 {
            it.error_message = field::read_nullable_string(reader, form)?;
        }
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 4);
        field::write_nullable_string(writer, form, field::null_or_empty(self.name.as_deref(), version == 6));
        if version == 6 {
            writer.uuid(self.topic_id);
        }
        writer.i16(self.error_code);
        if version >= 5 {
            field::write_nullable_string(writer, form, self.error_message.as_deref());
        }
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for DeleteTopicsRequest {
    const KEY: ApiKey = ApiKey::DeleteTopics;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DeleteTopicsRequest {
    type Response = DeleteTopicsResponse;
}

impl Message for DeleteTopicsResponse {
    const KEY: ApiKey = ApiKey::DeleteTopics;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

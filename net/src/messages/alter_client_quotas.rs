//! AlterClientQuotas, versions 0 to 1.
//!
//! Changes client quotas.
//! Generated from `net/schema/alter_client_quotas.txt` by millrace-codegen; not edited by hand.

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

/// Changes client quotas.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterClientQuotasRequest {
    /// All versions.
    pub entries: Vec<EntryData>,
    /// All versions.
    pub validate_only: bool,
}

impl Default for AlterClientQuotasRequest {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            validate_only: false,
        }
    }
}

impl AlterClientQuotasRequest {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 1;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 1;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("AlterClientQuotasRequest has no such version"));
        }
        let form = field::form(version, 1);
        let mut it = Self::default();
        it.entries = field::read_array(reader, form, 3, |reader| {
            EntryData::decode(reader, version)
        })?;
        it.validate_only = reader.bool()?;
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
            "AlterClientQuotasRequest has no version {version}"
        );
        let form = field::form(version, 1);
        field::write_array(writer, form, &self.entries, |writer, item| {
            item.encode(writer, version);
        });
        writer.bool(self.validate_only);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Changes client quotas.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterClientQuotasResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub entries: Vec<ResponseEntryData>,
}

impl Default for AlterClientQuotasResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            entries: Vec::new(),
        }
    }
}

impl AlterClientQuotasResponse {
    /// The first version that can be read and written.
    pub const VERSION_MIN: i16 = 0;
    /// The last version that can be read and written.
    pub const VERSION_MAX: i16 = 1;
    /// The first version with compact lengths and tagged fields.
    pub const FLEXIBLE_FROM: i16 = 1;

    /// Reads the message in `version`; what follows it is left unread.
    ///
    /// Fields that `version` lacks get their defaults. An unknown version is
    /// [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("AlterClientQuotasResponse has no such version"));
        }
        let form = field::form(version, 1);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.entries = field::read_array(reader, form, 5, |reader| {
            ResponseEntryData::decode(reader, version)
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
            "AlterClientQuotasResponse has no version {version}"
        );
        let form = field::form(version, 1);
        writer.i32(self.throttle_time_ms);
        field::write_array(writer, form, &self.entries, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of AlterClientQuotas.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryData {
    /// All versions.
    pub entity: Vec<EntityData>,
    /// All versions.
    pub ops: Vec<OpData>,
}

impl Default for EntryData {
    fn default() -> Self {
        Self {
            entity: Vec::new(),
            ops: Vec::new(),
        }
    }
}

impl EntryData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 1);
        let mut it = Self::default();
        it.entity = field::read_array(reader, form, 3, |reader| {
            EntityData::decode(reader, version)
        })?;
        it.ops = field::read_array(reader, form, 11, |reader| {
            OpData::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 1);
        field::write_array(writer, form, &self.entity, |writer, item| {
            item.encode(writer, version);
        });
        field::write_array(writer, form, &self.ops, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of AlterClientQuotas.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityData {
    /// All versions.
    pub entity_type: String,
    /// All versions; may be null.
    pub entity_name: Option<String>,
}

impl Default for EntityData {
    fn default() -> Self {
        Self {
            entity_type: String::new(),
            entity_name: Some(String::new()),
        }
    }
}

impl EntityData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 1);
        let mut it = Self::default();
        it.entity_type = field::read_string(reader, form)?;
        it.entity_name = field::read_nullable_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 1);
        field::write_string(writer, form, &self.entity_type);
        field::write_nullable_string(writer, form, self.entity_name.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of AlterClientQuotas.
#[derive(Clone, Debug, PartialEq)]
pub struct OpData {
    /// All versions.
    pub key: String,
    /// All versions.
    pub value: f64,
    /// All versions.
    pub remove: bool,
}

impl Default for OpData {
    fn default() -> Self {
        Self {
            key: String::new(),
            value: 0.0,
            remove: false,
        }
    }
}

impl OpData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 1);
        let mut it = Self::default();
        it.key = field::read_string(reader, form)?;
        it.value = reader.f64()?;
        it.remove = reader.bool()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 1);
        field::write_string(writer, form, &self.key);
        writer.f64(self.value);
        writer.bool(self.remove);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of AlterClientQuotas.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseEntryData {
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
    /// All versions.
    pub entity: Vec<EntityData>,
}

impl Default for ResponseEntryData {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(String::new()),
            entity: Vec::new(),
        }
    }
}

impl ResponseEntryData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 1);
        let mut it = Self::default();
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, form)?;
        it.entity = field::read_array(reader, form, 3, |reader| {
            EntityData::decode(reader, version)
        })?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 1);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, self.error_message.as_deref());
        field::write_array(writer, form, &self.entity, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for AlterClientQuotasRequest {
    const KEY: ApiKey = ApiKey::AlterClientQuotas;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for AlterClientQuotasRequest {
    type Response = AlterClientQuotasResponse;
}

impl Message for AlterClientQuotasResponse {
    const KEY: ApiKey = ApiKey::AlterClientQuotas;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

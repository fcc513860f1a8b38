//! DescribeClientQuotas, versions 0 to 1.
//!
//! Reads client quotas.
//! Generated from `net/schema/describe_client_quotas.txt` by millrace-codegen; not edited by hand.

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

/// Reads client quotas.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClientQuotasRequest {
    /// All versions.
    pub components: Vec<ComponentData>,
    /// All versions.
    pub strict: bool,
}

impl Default for DescribeClientQuotasRequest {
    fn default() -> Self {
        Self {
            components: Vec::new(),
            strict: false,
        }
    }
}

impl DescribeClientQuotasRequest {
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
            return Err(WireError::Invalid("DescribeClientQuotasRequest has no such version"));
        }
        let form = field::form(version, 1);
        let mut it = Self::default();
        it.components = field::read_array(reader, form, 4, |reader| {
            ComponentData::decode(reader, version)
        })?;
        it.strict = reader.bool()?;
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
            "DescribeClientQuotasRequest has no version {version}"
        );
        let form = field::form(version, 1);
        field::write_array(writer, form, &self.components, |writer, item| {
            item.encode(writer, version);
        });
        writer.bool(self.strict);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Reads client quotas.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClientQuotasResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions; may be null.
    pub error_message: Option<String>,
    /// All versions; may be null.
    pub entries: Option<Vec<EntryData>>,
}

impl Default for DescribeClientQuotasResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(String::new()),
            entries: Some(Vec::new()),
        }
    }
}

impl DescribeClientQuotasResponse {
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
            return Err(WireError::Invalid("DescribeClientQuotasResponse has no such version"));
        }
        let form = field::form(version, 1);
        let mut it = Self::default();
        it.throttle_time_ms = reader.i32()?;
        it.error_code = reader.i16()?;
        it.error_message = field::read_nullable_string(reader, form)?;
        it.entries = field::read_nullable_array(reader, form, 3, |reader| {
            EntryData::decode(reader, version)
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
            "DescribeClientQuotasResponse has no version {version}"
        );
        let form = field::form(version, 1);
        writer.i32(self.throttle_time_ms);
        writer.i16(self.error_code);
        field::write_nullable_string(writer, form, self.error_message.as_deref());
        field::write_nullable_array(writer, form, self.entries.as_deref(), |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeClientQuotas.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentData {
    /// All versions.
    pub entity_type: String,
    /// All versions.
    pub match_type: i8,
    /// All versions; may be null.
    pub r#match: Option<String>,
}

impl Default for ComponentData {
    fn default() -> Self {
        Self {
            entity_type: String::new(),
            match_type: 0,
            r#match: Some(String::new()),
        }
    }
}

impl ComponentData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 1);
        let mut it = Self::default();
        it.entity_type = field::read_string(reader, form)?;
        it.match_type = reader.i8()?;
        it.r#match = field::read_nullable_string(reader, form)?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 1);
        field::write_string(writer, form, &self.entity_type);
        writer.i8(self.match_type);
        field::write_nullable_string(writer, form, self.r#match.as_deref());
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeClientQuotas.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryData {
    /// All versions.
    pub entity: Vec<EntityData>,
    /// All versions.
    pub values: Vec<ValueData>,
}

impl Default for EntryData {
    fn default() -> Self {
        Self {
            entity: Vec::new(),
            values: Vec::new(),
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
        it.values = field::read_array(reader, form, 10, |reader| {
            ValueData::decode(reader, version)
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
        field::write_array(writer, form, &self.values, |writer, item| {
            item.encode(writer, version);
        });
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

/// Part of DescribeClientQuotas.
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

/// Part of DescribeClientQuotas.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueData {
    /// All versions.
    pub key: String,
    /// All versions.
    pub value: f64,
}

impl Default for ValueData {
    fn default() -> Self {
        Self {
            key: String::new(),
            value: 0.0,
        }
    }
}

impl ValueData {
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        let form = field::form(version, 1);
        let mut it = Self::default();
        it.key = field::read_string(reader, form)?;
        it.value = reader.f64()?;
        if form == Form::Compact {
            reader.skip_tagged_fields()?;
        }
        Ok(it)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        let form = field::form(version, 1);
        field::write_string(writer, form, &self.key);
        writer.f64(self.value);
        if form == Form::Compact {
            writer.no_tagged_fields();
        }
    }
}

impl Message for DescribeClientQuotasRequest {
    const KEY: ApiKey = ApiKey::DescribeClientQuotas;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

impl Request for DescribeClientQuotasRequest {
    type Response = DescribeClientQuotasResponse;
}

impl Message for DescribeClientQuotasResponse {
    const KEY: ApiKey = ApiKey::DescribeClientQuotas;
    const VERSION_MIN: i16 = Self::VERSION_MIN;
    const VERSION_MAX: i16 = Self::VERSION_MAX;

    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, WireError> {
        Self::decode(reader, version)
    }

    fn encode(&self, writer: &mut Writer, version: i16) {
        self.encode(writer, version);
    }
}

//! Encodes and decodes any message from its field table, to and from a JSON tree.
//!
//! Integers and booleans are themselves, uuids are 32 hex digits, byte blobs are hex text; record
//! blobs are written from a description (see `batch.rs`) or hex text and read as a list of batches.
//! A field that a request leaves out takes its default; a name that the version does not have is an
//! error, so that a case cannot test less than it says.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::batch;
use crate::layout::{Field, Kind, Message};

/// Text form of bytes.
pub fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of a text form.
pub fn from_hex(text: &str) -> Result<Vec<u8>> {
    ensure!(text.len().is_multiple_of(2), "odd hex length: {text}");
    (0..text.len())
        .step_by(2)
        .map(|at| {
            let digits = text.get(at..at + 2).context("hex is not ASCII")?;
            u8::from_str_radix(digits, 16).with_context(|| format!("hex {text}"))
        })
        .collect()
}

/// The body of a message of `version` from `value`.
pub fn encode(message: &Message, version: i16, value: &Value) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let flexible = message.flexible.holds(version);
    put_fields(&mut out, &message.fields, version, flexible, value)?;
    Ok(out)
}

/// The tree of a message's body. Bytes left over are an error.
pub fn decode(message: &Message, version: i16, bytes: &[u8]) -> Result<Value> {
    let mut input = Input { bytes, at: 0 };
    let flexible = message.flexible.holds(version);
    let value = input.fields(&message.fields, version, flexible)?;
    ensure!(input.at == bytes.len(), "{} bytes left over", bytes.len() - input.at);
    Ok(value)
}

/// Appends an unsigned varint.
pub fn put_uvarint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

fn put_fields(
    out: &mut Vec<u8>,
    fields: &[Field],
    version: i16,
    flexible: bool,
    value: &Value,
) -> Result<()> {
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    for name in object.keys() {
        ensure!(
            fields.iter().any(|field| field.name == *name && field.versions.holds(version)),
            "version {version} has no field {name}"
        );
    }
    let mut tagged: Vec<(u32, Vec<u8>)> = Vec::new();
    for field in fields.iter().filter(|field| field.versions.holds(version)) {
        let given = object.get(&field.name);
        match field.tag {
            Some((tag, range)) if flexible && range.holds(version) => {
                if let Some(given) = given {
                    let mut body = Vec::new();
                    put_field(&mut body, field, version, flexible, given)?;
                    tagged.push((tag, body));
                }
            }
            _ => {
                let default = default_of(field)?;
                put_field(out, field, version, flexible, given.unwrap_or(&default))
                    .with_context(|| field.name.clone())?;
            }
        }
    }
    if flexible {
        tagged.sort();
        put_uvarint(out, tagged.len() as u64);
        for (tag, body) in tagged {
            put_uvarint(out, u64::from(tag));
            put_uvarint(out, body.len() as u64);
            out.extend_from_slice(&body);
        }
    }
    Ok(())
}

fn default_of(field: &Field) -> Result<Value> {
    let text = field.default.as_deref();
    if text == Some("null") {
        return Ok(Value::Null);
    }
    Ok(match &field.kind {
        Kind::Bool => json!(text == Some("true")),
        Kind::Int(..) => match text {
            None => json!(0),
            Some(text) => match text.strip_prefix("0x") {
                Some(digits) => json!(i64::from_str_radix(digits, 16)?),
                None => json!(text.parse::<i64>()?),
            },
        },
        Kind::Float64 => json!(text.unwrap_or("0").parse::<f64>()?),
        Kind::String => json!(text.unwrap_or_default()),
        Kind::Bytes | Kind::Records => json!(""),
        Kind::Uuid => json!("0".repeat(32)),
        Kind::Struct => json!({}),
        Kind::Array(_) => json!([]),
    })
}

fn put_field(
    out: &mut Vec<u8>,
    field: &Field,
    version: i16,
    flexible: bool,
    value: &Value,
) -> Result<()> {
    if field.kind == Kind::Struct && field.nullable.holds(version) {
        if value.is_null() {
            out.push(0xff);
            return Ok(());
        }
        out.push(1);
    }
    put_value(out, &field.kind, &field.fields, version, flexible, value)
}

fn put_length(out: &mut Vec<u8>, flexible: bool, wide: bool, length: Option<usize>) -> Result<()> {
    if flexible {
        put_uvarint(out, length.map_or(0, |length| length as u64 + 1));
    } else if wide {
        let length = length.map_or(Ok(-1), i32::try_from)?;
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        let length = length.map_or(Ok(-1), i16::try_from)?;
        out.extend_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

fn put_value(
    out: &mut Vec<u8>,
    kind: &Kind,
    fields: &[Field],
    version: i16,
    flexible: bool,
    value: &Value,
) -> Result<()> {
    match kind {
        Kind::Bool => out.push(u8::from(value.as_bool().context("not a bool")?)),
        Kind::Int(bytes, _) => {
            let value = value.as_i64().with_context(|| format!("not an integer: {value}"))?;
            out.extend_from_slice(&value.to_be_bytes()[8 - usize::from(*bytes)..]);
        }
        Kind::Float64 => {
            let value = value.as_f64().context("not a number")?;
            out.extend_from_slice(&value.to_be_bytes());
        }
        Kind::String => {
            let text = value.as_str();
            ensure!(text.is_some() || value.is_null(), "neither text nor null: {value}");
            put_length(out, flexible, false, text.map(str::len))?;
            out.extend_from_slice(text.unwrap_or_default().as_bytes());
        }
        Kind::Bytes | Kind::Records => {
            let bytes = match value {
                Value::Null => None,
                Value::String(hex) => Some(from_hex(hex)?),
                described => Some(batch::encode_all(described)?),
            };
            put_length(out, flexible, true, bytes.as_ref().map(Vec::len))?;
            out.extend_from_slice(&bytes.unwrap_or_default());
        }
        Kind::Uuid => {
            let bytes = from_hex(value.as_str().context("not a uuid")?)?;
            ensure!(bytes.len() == 16, "a uuid has 16 bytes");
            out.extend_from_slice(&bytes);
        }
        Kind::Struct => put_fields(out, fields, version, flexible, value)?,
        Kind::Array(element) => {
            let list = value.as_array();
            ensure!(list.is_some() || value.is_null(), "neither a list nor null: {value}");
            put_length(out, flexible, true, list.map(Vec::len))?;
            for item in list.into_iter().flatten() {
                put_value(out, element, fields, version, flexible, item)?;
            }
        }
    }
    Ok(())
}

/// Reads front to back; every read is checked against what is left.
pub struct Input<'a> {
    /// What is read.
    pub bytes: &'a [u8],
    /// The next byte.
    pub at: usize,
}

impl<'a> Input<'a> {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(count).context("length overflows")?;
        let Some(bytes) = self.bytes.get(self.at..end) else {
            bail!("{count} bytes due at {} of {}", self.at, self.bytes.len());
        };
        self.at = end;
        Ok(bytes)
    }

    /// A big-endian integer of `count` bytes.
    pub fn int(&mut self, count: usize, signed: bool) -> Result<i64> {
        let bytes = self.take(count)?;
        let negative = signed && bytes[0] & 0x80 != 0;
        let mut value: i64 = if negative { -1 } else { 0 };
        for byte in bytes {
            value = (value << 8) | i64::from(*byte);
        }
        Ok(value)
    }

    /// An unsigned varint.
    pub fn uvarint(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        bail!("varint too long")
    }

    fn length(&mut self, flexible: bool, wide: bool) -> Result<Option<usize>> {
        let length = if flexible {
            i64::try_from(self.uvarint()?)? - 1
        } else {
            self.int(if wide { 4 } else { 2 }, true)?
        };
        ensure!(length >= -1, "length {length}");
        Ok(usize::try_from(length).ok())
    }

    fn fields(&mut self, fields: &[Field], version: i16, flexible: bool) -> Result<Value> {
        let mut object = Map::new();
        for field in fields.iter().filter(|field| field.versions.holds(version)) {
            let tagged = flexible && field.tag.is_some_and(|(_, range)| range.holds(version));
            if !tagged {
                let value =
                    self.field(field, version, flexible).with_context(|| field.name.clone())?;
                object.insert(field.name.clone(), value);
            }
        }
        if flexible {
            for _ in 0..self.uvarint()? {
                let tag = self.uvarint()?;
                let size = usize::try_from(self.uvarint()?)?;
                let body = self.take(size)?;
                let known = fields.iter().find(|field| {
                    field.versions.holds(version)
                        && field.tag.is_some_and(|(number, _)| u64::from(number) == tag)
                });
                let Some(field) = known else {
                    object.insert(format!("Tag{tag}"), json!(to_hex(body)));
                    continue;
                };
                let mut inner = Input { bytes: body, at: 0 };
                let value = inner.field(field, version, flexible)?;
                ensure!(inner.at == body.len(), "tag {tag} has bytes left over");
                object.insert(field.name.clone(), value);
            }
        }
        Ok(Value::Object(object))
    }

    fn field(&mut self, field: &Field, version: i16, flexible: bool) -> Result<Value> {
        if field.kind == Kind::Struct && field.nullable.holds(version) && self.int(1, true)? < 0 {
            return Ok(Value::Null);
        }
        self.value(&field.kind, &field.fields, version, flexible)
    }

    fn value(
        &mut self,
        kind: &Kind,
        fields: &[Field],
        version: i16,
        flexible: bool,
    ) -> Result<Value> {
        Ok(match kind {
            Kind::Bool => json!(self.int(1, false)? != 0),
            Kind::Int(bytes, signed) => json!(self.int(usize::from(*bytes), *signed)?),
            Kind::Float64 => json!(f64::from_bits(self.int(8, true)?.cast_unsigned())),
            Kind::String => match self.length(flexible, false)? {
                None => Value::Null,
                Some(length) => json!(std::str::from_utf8(self.take(length)?)?),
            },
            Kind::Bytes => match self.length(flexible, true)? {
                None => Value::Null,
                Some(length) => json!(to_hex(self.take(length)?)),
            },
            Kind::Records => match self.length(flexible, true)? {
                None => Value::Null,
                Some(length) => batch::decode_all(self.take(length)?)?,
            },
            Kind::Uuid => json!(to_hex(self.take(16)?)),
            Kind::Struct => self.fields(fields, version, flexible)?,
            Kind::Array(element) => match self.length(flexible, true)? {
                None => Value::Null,
                Some(count) => {
                    let mut list = Vec::new();
                    for _ in 0..count {
                        list.push(self.value(element, fields, version, flexible)?);
                    }
                    Value::Array(list)
                }
            },
        })
    }
}

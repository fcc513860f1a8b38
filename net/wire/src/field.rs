//! What the generated codecs share: strings, bytes, arrays, nullable structs and tagged fields in
//! their classic and their compact form.
//!
//! Invariants: reading never reserves more memory than the bytes that are left are long, whatever
//! a count claims; an array grows as its elements are really read. Writing cannot fail.

use crate::{Reader, WireError, Writer};
use bytes::Bytes;

/// How lengths and counts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Fixed-width lengths, before a message's first flexible version.
    Classic,
    /// Varint lengths and tagged fields. Source: KIP-482.
    Compact,
}

/// The longest string Kafka accepts, bytes; the limit of the classic form holds for both.
pub const STRING_BYTES_MAX: usize = 0x7fff;

/// The form of `version` where `flexible` is the first flexible one.
pub const fn form(version: i16, flexible: i16) -> Form {
    if version >= flexible { Form::Compact } else { Form::Classic }
}

/// A string that may be null.
pub fn read_nullable_string(
    reader: &mut Reader<'_>,
    form: Form,
) -> Result<Option<String>, WireError> {
    Ok(read_nullable_str(reader, form)?.map(str::to_owned))
}

/// A string that may be null, borrowed.
pub fn read_nullable_str<'a>(
    reader: &mut Reader<'a>,
    form: Form,
) -> Result<Option<&'a str>, WireError> {
    let text = match form {
        Form::Classic => reader.nullable_string()?,
        Form::Compact => reader.compact_nullable_string()?,
    };
    if text.is_some_and(|text| text.len() > STRING_BYTES_MAX) {
        return Err(WireError::Invalid("a string is longer than 32767 bytes"));
    }
    Ok(text)
}

/// A string.
pub fn read_string(reader: &mut Reader<'_>, form: Form) -> Result<String, WireError> {
    not_null(read_nullable_string(reader, form)?)
}

/// Bytes that may be null, copied out of the input.
pub fn read_nullable_bytes(
    reader: &mut Reader<'_>,
    form: Form,
) -> Result<Option<Bytes>, WireError> {
    let bytes = match form {
        Form::Classic => reader.nullable_bytes()?,
        Form::Compact => reader.compact_nullable_bytes()?,
    };
    Ok(bytes.map(Bytes::copy_from_slice))
}

/// Bytes, copied out of the input.
pub fn read_bytes(reader: &mut Reader<'_>, form: Form) -> Result<Bytes, WireError> {
    not_null(read_nullable_bytes(reader, form)?)
}

/// An array's count, null or at most what is left could hold.
pub fn read_count(
    reader: &mut Reader<'_>,
    form: Form,
    element_bytes_min: usize,
) -> Result<Option<usize>, WireError> {
    match form {
        Form::Classic => reader.array_count(element_bytes_min),
        Form::Compact => reader.compact_array_count(element_bytes_min),
    }
}

/// An array that may be null. `element_bytes_min` is the least an element takes on the wire.
pub fn read_nullable_array<'a, T>(
    reader: &mut Reader<'a>,
    form: Form,
    element_bytes_min: usize,
    mut element: impl FnMut(&mut Reader<'a>) -> Result<T, WireError>,
) -> Result<Option<Vec<T>>, WireError> {
    let Some(count) = read_count(reader, form, element_bytes_min)? else {
        return Ok(None);
    };
    // An element in memory may be far larger than its least form on the wire, so what is reserved
    // at once is bounded by the bytes that are left, not by the count.
    let reserved = reader.remaining() / size_of::<T>().max(1);
    let mut list = Vec::with_capacity(count.min(reserved));
    for _ in 0..count {
        list.push(element(reader)?);
    }
    Ok(Some(list))
}

/// An array.
pub fn read_array<'a, T>(
    reader: &mut Reader<'a>,
    form: Form,
    element_bytes_min: usize,
    element: impl FnMut(&mut Reader<'a>) -> Result<T, WireError>,
) -> Result<Vec<T>, WireError> {
    not_null(read_nullable_array(reader, form, element_bytes_min, element)?)
}

/// A struct that may be null: a negative byte for null, otherwise the struct follows.
pub fn read_nullable_struct<'a, T>(
    reader: &mut Reader<'a>,
    inner: impl FnOnce(&mut Reader<'a>) -> Result<T, WireError>,
) -> Result<Option<T>, WireError> {
    if reader.i8()? < 0 {
        return Ok(None);
    }
    inner(reader).map(Some)
}

/// Refuses null.
pub fn not_null<T>(value: Option<T>) -> Result<T, WireError> {
    value.ok_or(WireError::Invalid("null where no null may be"))
}

/// Refuses null in versions that know none.
pub fn null_only_if<T>(value: Option<T>, allowed: bool) -> Result<Option<T>, WireError> {
    if value.is_none() && !allowed {
        return Err(WireError::Invalid("null where no null may be"));
    }
    Ok(value)
}

/// Null becomes the empty value in versions that know no null.
pub fn null_or_empty<T: Default>(value: Option<T>, allowed: bool) -> Option<T> {
    if allowed { value } else { Some(value.unwrap_or_default()) }
}

/// A string that may be null.
pub fn write_nullable_string(writer: &mut Writer, form: Form, value: Option<&str>) {
    match form {
        Form::Classic => writer.nullable_string(value),
        Form::Compact => writer.compact_nullable_string(value),
    }
}

/// A string.
pub fn write_string(writer: &mut Writer, form: Form, value: &str) {
    write_nullable_string(writer, form, Some(value));
}

/// Bytes that may be null.
pub fn write_nullable_bytes(writer: &mut Writer, form: Form, value: Option<&[u8]>) {
    match form {
        Form::Classic => writer.nullable_bytes(value),
        Form::Compact => writer.compact_nullable_bytes(value),
    }
}

/// Bytes.
pub fn write_bytes(writer: &mut Writer, form: Form, value: &[u8]) {
    write_nullable_bytes(writer, form, Some(value));
}

/// An array's count, `None` for null.
pub fn write_count(writer: &mut Writer, form: Form, count: Option<usize>) {
    match form {
        Form::Classic => writer.array_count(count),
        Form::Compact => writer.compact_array_count(count),
    }
}

/// An array that may be null.
pub fn write_nullable_array<T>(
    writer: &mut Writer,
    form: Form,
    list: Option<&[T]>,
    element: impl Fn(&mut Writer, &T),
) {
    write_count(writer, form, list.map(<[T]>::len));
    for item in list.unwrap_or_default() {
        element(writer, item);
    }
}

/// An array.
pub fn write_array<T>(
    writer: &mut Writer,
    form: Form,
    list: &[T],
    element: impl Fn(&mut Writer, &T),
) {
    write_nullable_array(writer, form, Some(list), element);
}

/// A struct that may be null.
pub fn write_nullable_struct<T>(
    writer: &mut Writer,
    value: Option<&T>,
    inner: impl FnOnce(&mut Writer, &T),
) {
    match value {
        None => writer.i8(-1),
        Some(value) => {
            writer.i8(1);
            inner(writer, value);
        }
    }
}

/// Gathers a section of tagged fields; empty until the first field, so the common case costs a byte.
#[derive(Debug, Default)]
pub struct TaggedFields {
    count: u32,
    section: Writer,
}

impl TaggedFields {
    /// An empty section.
    pub const fn new() -> Self {
        Self { count: 0, section: Writer::new() }
    }

    /// Adds a field. Tags must rise.
    pub fn add(&mut self, tag: u32, value: impl FnOnce(&mut Writer)) {
        let mut inner = Writer::new();
        value(&mut inner);
        let size = u32::try_from(inner.len());
        assert!(size.is_ok(), "a tagged field of {} bytes", inner.len());
        self.count += 1;
        self.section.uvarint(tag);
        self.section.uvarint(size.unwrap_or_default());
        self.section.raw(inner.as_slice());
    }

    /// Writes the section.
    pub fn finish(self, writer: &mut Writer) {
        writer.uvarint(self.count);
        writer.raw(self.section.as_slice());
    }
}

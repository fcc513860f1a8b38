//! How the types of a metadata record's fields look in bytes (flexible encoding only).

use bytes::Bytes;
use millrace_wire::{Reader, Uuid, WireError, Writer};

use crate::types::BrokerId;

/// A value that stands in a metadata record as Kafka's flexible encoding writes it.
pub(super) trait Field: Sized {
    /// The least number of bytes one value takes; bounds the count of an array of them.
    const BYTES_MIN: usize;
    /// Appends the value.
    fn put(&self, writer: &mut Writer);
    /// Reads the value.
    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError>;
}

/// A record, or a structure inside one: its fields in order, then its tagged fields.
pub(super) trait Body: Sized {
    /// Appends the fields at the highest version this crate knows.
    fn put_body(&self, writer: &mut Writer);
    /// Reads the fields of `version`.
    fn take_body(reader: &mut Reader<'_>, version: u32) -> Result<Self, WireError>;
}

/// Appends a section of tagged fields, given in ascending order of their tags.
pub(super) fn put_tagged(fields: &[(u32, Vec<u8>)], writer: &mut Writer) {
    writer.uvarint(u32::try_from(fields.len()).expect("a record has a handful of tags"));
    for (tag, value) in fields {
        writer.uvarint(*tag);
        writer.uvarint(u32::try_from(value.len()).expect("a field is smaller than its record"));
        writer.raw(value);
    }
}

macro_rules! plain {
    ($($type:ty, $method:ident;)*) => {$(
        impl Field for $type {
            const BYTES_MIN: usize = size_of::<$type>();

            fn put(&self, writer: &mut Writer) {
                writer.$method(*self);
            }

            fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
                reader.$method()
            }
        }
    )*};
}

plain! {
    bool, bool;
    i8, i8;
    i16, i16;
    u16, u16;
    i32, i32;
    i64, i64;
    f64, f64;
    Uuid, uuid;
}

impl Field for BrokerId {
    const BYTES_MIN: usize = 4;

    fn put(&self, writer: &mut Writer) {
        writer.i32(self.0);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        reader.i32().map(Self)
    }
}

const NULL: WireError = WireError::Invalid("null where the record allows none");

impl Field for String {
    const BYTES_MIN: usize = 1;

    fn put(&self, writer: &mut Writer) {
        writer.compact_nullable_string(Some(self));
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(reader.compact_nullable_string()?.ok_or(NULL)?.to_owned())
    }
}

impl Field for Option<String> {
    const BYTES_MIN: usize = 1;

    fn put(&self, writer: &mut Writer) {
        writer.compact_nullable_string(self.as_deref());
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(reader.compact_nullable_string()?.map(str::to_owned))
    }
}

impl Field for Bytes {
    const BYTES_MIN: usize = 1;

    fn put(&self, writer: &mut Writer) {
        writer.compact_nullable_bytes(Some(self));
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let bytes = reader.compact_nullable_bytes()?.ok_or(NULL)?;
        Ok(Self::copy_from_slice(bytes))
    }
}

impl<T: Field> Field for Vec<T> {
    const BYTES_MIN: usize = 1;

    fn put(&self, writer: &mut Writer) {
        writer.compact_array_count(Some(self.len()));
        for value in self {
            value.put(writer);
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        <Option<Self> as Field>::take(reader)?.ok_or(NULL)
    }
}

impl<T: Field> Field for Option<Vec<T>> {
    const BYTES_MIN: usize = 1;

    fn put(&self, writer: &mut Writer) {
        match self {
            None => writer.compact_array_count(None),
            Some(values) => values.put(writer),
        }
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let Some(count) = reader.compact_array_count(T::BYTES_MIN)? else {
            return Ok(None);
        };
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(T::take(reader)?);
        }
        Ok(Some(values))
    }
}

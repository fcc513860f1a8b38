//! The writer: appends Kafka's primitive types to one growing buffer.

use crate::Uuid;

/// Appends Kafka's primitive types to a byte vector.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident($type:ty);)*) => {$(
        $(#[$doc])*
        pub fn $name(&mut self, value: $type) {
            self.bytes.extend_from_slice(&value.to_be_bytes());
        }
    )*};
}

impl Writer {
    /// An empty writer.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// A writer that appends to `bytes`.
    pub const fn over(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Bytes written so far.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True when nothing is written yet.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What is written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// What is written so far, for patching a length or a checksum in place.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The finished bytes.
    pub fn into_vec(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fixed! {
        /// A signed byte.
        i8(i8);
        /// An unsigned byte.
        u8(u8);
        /// A big-endian 16-bit integer.
        i16(i16);
        /// A big-endian unsigned 16-bit integer.
        u16(u16);
        /// A big-endian 32-bit integer.
        i32(i32);
        /// A big-endian unsigned 32-bit integer.
        u32(u32);
        /// A big-endian 64-bit integer.
        i64(i64);
        /// A big-endian IEEE 754 double.
        f64(f64);
    }

    /// A boolean as one byte.
    pub fn bool(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    /// A 16-byte identifier.
    pub fn uuid(&mut self, value: Uuid) {
        self.bytes.extend_from_slice(&value.0.to_be_bytes());
    }

    /// An unsigned varint.
    pub fn uvarint(&mut self, value: u32) {
        self.varint_bits(value.into());
    }

    /// A zig-zag varint (record fields).
    pub fn varint(&mut self, value: i32) {
        self.varint_bits(((value << 1) ^ (value >> 31)).cast_unsigned().into());
    }

    /// A zig-zag varint of up to 10 bytes (record timestamps).
    pub fn varlong(&mut self, value: i64) {
        self.varint_bits(((value << 1) ^ (value >> 63)).cast_unsigned());
    }

    fn varint_bits(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push((value & 0x7f) as u8);
    }

    /// STRING or NULLABLE_STRING. A string longer than 32,767 bytes is our own fault.
    pub fn nullable_string(&mut self, value: Option<&str>) {
        match value {
            None => self.i16(-1),
            Some(text) => {
                let length = i16::try_from(text.len());
                assert!(length.is_ok(), "string of {} bytes exceeds STRING's 32767", text.len());
                self.i16(length.unwrap_or_default());
                self.raw(text.as_bytes());
            }
        }
    }

    /// COMPACT_STRING or COMPACT_NULLABLE_STRING.
    pub fn compact_nullable_string(&mut self, value: Option<&str>) {
        self.compact_nullable_bytes(value.map(str::as_bytes));
    }

    /// BYTES or NULLABLE_BYTES.
    pub fn nullable_bytes(&mut self, value: Option<&[u8]>) {
        match value {
            None => self.i32(-1),
            Some(bytes) => {
                self.array_count(Some(bytes.len()));
                self.raw(bytes);
            }
        }
    }

    /// COMPACT_BYTES or COMPACT_NULLABLE_BYTES.
    pub fn compact_nullable_bytes(&mut self, value: Option<&[u8]>) {
        self.compact_array_count(value.map(<[u8]>::len));
        if let Some(bytes) = value {
            self.raw(bytes);
        }
    }

    /// An array's count, -1 for null.
    pub fn array_count(&mut self, count: Option<usize>) {
        let count = count.map_or(Ok(-1), i32::try_from);
        assert!(count.is_ok(), "a count exceeds 2^31 - 1");
        self.i32(count.unwrap_or_default());
    }

    /// A compact array's count: count + 1 as an unsigned varint, 0 for null.
    pub fn compact_array_count(&mut self, count: Option<usize>) {
        let count = count.map_or(Ok(0), |count| u32::try_from(count + 1));
        assert!(count.is_ok(), "a count exceeds 2^32 - 2");
        self.uvarint(count.unwrap_or_default());
    }

    /// An empty tagged-field section.
    pub fn no_tagged_fields(&mut self) {
        self.bytes.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reader;

    #[test]
    fn varints_read_back_at_every_width() {
        for shift in 0..64 {
            for value in
                [1_i64 << shift, (1_i64 << shift).wrapping_neg(), (1_i64 << shift).wrapping_sub(1)]
            {
                let mut writer = Writer::new();
                writer.varlong(value);
                if let Ok(narrow) = i32::try_from(value) {
                    writer.varint(narrow);
                }
                let mut reader = Reader::new(writer.as_slice());
                assert_eq!(reader.varlong(), Ok(value));
                if let Ok(narrow) = i32::try_from(value) {
                    assert_eq!(reader.varint(), Ok(narrow));
                }
                assert_eq!(reader.remaining(), 0);
            }
        }
    }
}

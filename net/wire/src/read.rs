//! The bounds-checked reader over one frame, record or file.

use crate::Uuid;

/// Why bytes could not be read as the type that was asked for. Always the peer's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// The bytes end at `at`, where `needed` more were due.
    Short {
        /// Position in the reader's input, bytes.
        at: usize,
        /// Bytes that were due from there.
        needed: usize,
    },
    /// A length or count at `at` is negative, or larger than what is left could hold.
    Length {
        /// Position just behind the length.
        at: usize,
        /// The length as read.
        length: i64,
    },
    /// A varint at `at` does not end within its type's width.
    Varint {
        /// Position where the varint starts.
        at: usize,
    },
    /// A string is not UTF-8.
    Utf8 {
        /// Position where the string starts.
        at: usize,
    },
    /// A value that its type allows and its meaning does not.
    Invalid(&'static str),
}

impl std::fmt::Display for WireError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short { at, needed } => write!(f, "bytes end at {at}, {needed} more were due"),
            Self::Length { at, length } => {
                write!(f, "length {length} at {at} exceeds what is left")
            }
            Self::Varint { at } => write!(f, "varint at {at} is too long"),
            Self::Utf8 { at } => write!(f, "string at {at} is not UTF-8"),
            Self::Invalid(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for WireError {}

/// Reads Kafka's primitive types from `bytes`, front to back. Copies nothing.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident -> $type:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name(&mut self) -> Result<$type, WireError> {
            let raw = self.raw(size_of::<$type>())?;
            let mut array = [0; size_of::<$type>()];
            array.copy_from_slice(raw);
            Ok(<$type>::from_be_bytes(array))
        }
    )*};
}

impl<'a> Reader<'a> {
    /// A reader at the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Position of the next byte, from the front of the input.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Bytes that are left.
    pub const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// What is left, without consuming it.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// The next `length` bytes.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let left = self.remaining();
        if length > left {
            return Err(WireError::Short { at: self.bytes.len(), needed: length - left });
        }
        let start = self.at;
        self.at += length;
        Ok(&self.bytes[start..self.at])
    }

    fixed! {
        /// A signed byte.
        i8 -> i8;
        /// An unsigned byte.
        u8 -> u8;
        /// A big-endian 16-bit integer.
        i16 -> i16;
        /// A big-endian unsigned 16-bit integer.
        u16 -> u16;
        /// A big-endian 32-bit integer.
        i32 -> i32;
        /// A big-endian unsigned 32-bit integer.
        u32 -> u32;
        /// A big-endian 64-bit integer.
        i64 -> i64;
        /// A big-endian IEEE 754 double.
        f64 -> f64;
    }

    /// A boolean: zero is false, anything else true.
    pub fn bool(&mut self) -> Result<bool, WireError> {
        Ok(self.u8()? != 0)
    }

    /// A 16-byte identifier.
    pub fn uuid(&mut self) -> Result<Uuid, WireError> {
        let mut array = [0; 16];
        array.copy_from_slice(self.raw(16)?);
        Ok(Uuid(u128::from_be_bytes(array)))
    }

    /// An unsigned varint of at most 5 bytes.
    pub fn uvarint(&mut self) -> Result<u32, WireError> {
        let start = self.at;
        let wide = self.varint_bits(5)?;
        u32::try_from(wide).map_err(|_| WireError::Varint { at: start })
    }

    /// A zig-zag varint of at most 5 bytes (record fields).
    pub fn varint(&mut self) -> Result<i32, WireError> {
        let raw = self.uvarint()?;
        Ok((raw >> 1).cast_signed() ^ -((raw & 1).cast_signed()))
    }

    /// A zig-zag varint of at most 10 bytes (record timestamps).
    pub fn varlong(&mut self) -> Result<i64, WireError> {
        let raw = self.varint_bits(10)?;
        Ok((raw >> 1).cast_signed() ^ -((raw & 1).cast_signed()))
    }

    fn varint_bits(&mut self, width_max: usize) -> Result<u64, WireError> {
        let start = self.at;
        let mut value = 0_u64;
        for index in 0..width_max {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte of a 64-bit value holds one bit; more would be lost silently.
            if index == 9 && bits > 1 {
                return Err(WireError::Varint { at: start });
            }
            value |= bits << (7 * index);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::Varint { at: start })
    }

    /// A length from the wire as one that fits what is left.
    fn length(&self, length: i64) -> Result<usize, WireError> {
        usize::try_from(length)
            .ok()
            .filter(|length| *length <= self.remaining())
            .ok_or(WireError::Length { at: self.at, length })
    }

    fn text(&mut self, length: i64) -> Result<&'a str, WireError> {
        let length = self.length(length)?;
        let at = self.at;
        std::str::from_utf8(self.raw(length)?).map_err(|_| WireError::Utf8 { at })
    }

    /// STRING or NULLABLE_STRING: 16-bit length, -1 for null.
    pub fn nullable_string(&mut self) -> Result<Option<&'a str>, WireError> {
        match self.i16()? {
            -1 => Ok(None),
            length => self.text(length.into()).map(Some),
        }
    }

    /// COMPACT_STRING or COMPACT_NULLABLE_STRING: unsigned varint of length + 1, 0 for null.
    pub fn compact_nullable_string(&mut self) -> Result<Option<&'a str>, WireError> {
        match self.uvarint()? {
            0 => Ok(None),
            plus_one => self.text(i64::from(plus_one) - 1).map(Some),
        }
    }

    /// BYTES or NULLABLE_BYTES: 32-bit length, -1 for null.
    pub fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length = self.length(length.into())?;
                self.raw(length).map(Some)
            }
        }
    }

    /// COMPACT_BYTES or COMPACT_NULLABLE_BYTES: unsigned varint of length + 1, 0 for null.
    pub fn compact_nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        match self.uvarint()? {
            0 => Ok(None),
            plus_one => {
                let length = self.length(i64::from(plus_one) - 1)?;
                self.raw(length).map(Some)
            }
        }
    }

    /// An array's count: 32-bit, -1 for null. `element_bytes_min` is the least one element takes
    /// on the wire (at least 1), so that a count which cannot be true is refused before anything
    /// is reserved for it.
    pub fn array_count(&mut self, element_bytes_min: usize) -> Result<Option<usize>, WireError> {
        match self.i32()? {
            -1 => Ok(None),
            count => self.count(count.into(), element_bytes_min).map(Some),
        }
    }

    /// A compact array's count: unsigned varint of count + 1, 0 for null.
    pub fn compact_array_count(
        &mut self,
        element_bytes_min: usize,
    ) -> Result<Option<usize>, WireError> {
        match self.uvarint()? {
            0 => Ok(None),
            plus_one => self.count(i64::from(plus_one) - 1, element_bytes_min).map(Some),
        }
    }

    fn count(&self, count: i64, element_bytes_min: usize) -> Result<usize, WireError> {
        let left = self.remaining() / element_bytes_min.max(1);
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= left)
            .ok_or(WireError::Length { at: self.at, length: count })
    }

    /// Skips a tagged-field section.
    pub fn skip_tagged_fields(&mut self) -> Result<(), WireError> {
        self.tagged_fields(|_, _| Ok(()))
    }

    /// Walks a tagged-field section: `field` gets each tag and a reader over its bytes alone.
    pub fn tagged_fields(
        &mut self,
        mut field: impl FnMut(u32, &mut Reader<'a>) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let count = self.uvarint()?;
        // A field is a tag and a size, two bytes at least.
        let count = self.count(count.into(), 2)?;
        for _ in 0..count {
            let tag = self.uvarint()?;
            let size = i64::from(self.uvarint()?);
            let size = self.length(size)?;
            let mut inner = Reader::new(self.raw(size)?);
            field(tag, &mut inner)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_larger_than_the_bytes_left_is_refused() {
        let bytes = [0x7f, 0xff, 0xff, 0xff, 1, 2, 3];
        assert_eq!(
            Reader::new(&bytes).array_count(1),
            Err(WireError::Length { at: 4, length: 0x7fff_ffff })
        );
    }

    #[test]
    fn varints_longer_than_their_type_are_refused() {
        assert!(Reader::new(&[0xff; 5]).uvarint().is_err());
        assert!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x7f]).uvarint().is_err());
        assert!(Reader::new(&[0xff; 11]).varlong().is_err());
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 0x0f]).uvarint(), Ok(u32::MAX));
    }

    #[test]
    fn a_short_read_says_where_the_bytes_end() {
        assert_eq!(Reader::new(&[0, 1]).i32(), Err(WireError::Short { at: 2, needed: 2 }));
    }
}

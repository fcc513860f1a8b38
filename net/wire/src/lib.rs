//! Kafka's primitive types on the wire: a bounds-checked reader and a plain writer.
//!
//! This is the leaf that `net` (requests and responses), `engine` (records) and `replication`
//! (metadata records) share; it imports nothing of theirs. It is not a codec: it knows integers,
//! varints, strings, byte blobs, arrays' counts and tagged fields, and no message.
//!
//! Invariants: reading never panics and never allocates; every length and count is checked against
//! the bytes that are left before it is believed. Source: Kafka protocol guide, "Protocol Primitive
//! Types"; KIP-482 (compact types, tagged fields).

#![forbid(unsafe_code)]

pub mod field;
mod read;
mod write;

pub use read::{Reader, WireError};
pub use write::Writer;

/// A 16-byte identifier, big-endian on the wire; zero means "none".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub u128);

impl Uuid {
    /// The identifier that names nothing.
    pub const ZERO: Self = Self(0);

    /// True for the identifier that names nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// Kafka's text form: URL-safe base64 of the 16 bytes without padding, 22 characters.
impl std::fmt::Display for Uuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = [0_u8; 22];
        for (index, slot) in text.iter_mut().enumerate() {
            // 22 digits of 6 bits hold 132 bits: the last digit carries 2 bits and 4 zeros.
            let digit =
                if index == 21 { (self.0 << 4) & 63 } else { (self.0 >> (122 - 6 * index)) & 63 };
            *slot = BASE64_URL[usize::try_from(digit).unwrap_or(0)];
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl std::str::FromStr for Uuid {
    type Err = WireError;

    fn from_str(text: &str) -> Result<Self, WireError> {
        let digits = text.trim_end_matches('=').as_bytes();
        if digits.len() != 22 {
            return Err(WireError::Invalid("uuid text is not 22 characters"));
        }
        let mut value: u128 = 0;
        for (index, byte) in digits.iter().enumerate() {
            let digit = BASE64_URL
                .iter()
                .position(|candidate| candidate == byte)
                .ok_or(WireError::Invalid("uuid text holds a character outside base64url"))?;
            value = if index == 21 {
                (value << 2) | (digit as u128 >> 4)
            } else {
                (value << 6) | digit as u128
            };
        }
        Ok(Self(value))
    }
}

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_text_is_kafkas_base64url_and_parses_back() {
        // Kafka's Uuid.ONE_UUID prints as AAAAAAAAAAAAAAAAAAAAAQ.
        assert_eq!(Uuid(1).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        for value in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_0011_2233_4455_6677] {
            assert_eq!(Uuid(value).to_string().parse(), Ok(Uuid(value)));
        }
        assert!("short".parse::<Uuid>().is_err());
    }
}

//! The four codecs of batch bodies, with a bound on what comes out.
//!
//! Batches pass through the broker packed; this is for whoever must look inside: full validation,
//! the search by timestamp, compaction, `compression.type` other than `producer`, the tools.
//!
//! Accepted is what Kafka's own clients and librdkafka write: gzip members, snappy in the Xerial
//! stream framing or raw, the LZ4 frame format, zstd frames. No input makes this panic, and none
//! makes it hold more than the caller's limit plus a codec's window.

mod snappy;

use std::io::{self, Read, Write};

use crate::batch::Codec;

/// Why bytes cannot be packed or unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompressionError {
    /// Not what the codec writes. Kafka: 87 INVALID_RECORD, or 2 CORRUPT_MESSAGE.
    Corrupt {
        /// Who says so.
        codec: Codec,
        /// The codec library's words.
        reason: String,
    },
    /// More comes out than the caller allows.
    TooLarge {
        /// What the caller allows, bytes.
        limit_bytes: usize,
    },
    /// This build leaves the codec out. Kafka: 76 UNSUPPORTED_COMPRESSION_TYPE.
    Unsupported {
        /// Which.
        codec: Codec,
    },
}

impl std::fmt::Display for CompressionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Corrupt { codec, reason } => write!(f, "corrupt {} data: {reason}", codec.name()),
            Self::TooLarge { limit_bytes } => {
                write!(f, "unpacked data exceeds {limit_bytes} bytes")
            }
            Self::Unsupported { codec } => write!(f, "{} is not in this build", codec.name()),
        }
    }
}

impl std::error::Error for CompressionError {}

/// How hard a codec works; `None` is its own default. Kafka: `compression.<codec>.level`.
pub type Level = Option<i32>;

/// Unpacks a batch's body.
///
/// - `limit_bytes`: most bytes that may come out; more is [`CompressionError::TooLarge`], found
///   before they are held.
/// - `Codec::None` copies, within the same limit.
/// - An LZ4 frame cut where a block ends passes for whole: the decoder does not ask for the end
///   mark. The batch's CRC and record count find what is missing.
pub fn decompress(
    codec: Codec,
    packed: &[u8],
    limit_bytes: usize,
) -> Result<Vec<u8>, CompressionError> {
    match codec {
        Codec::None => read_bounded(codec, packed, limit_bytes),
        Codec::Gzip => read_bounded(codec, flate2::read::MultiGzDecoder::new(packed), limit_bytes),
        Codec::Snappy => snappy::decompress(packed, limit_bytes),
        Codec::Lz4 => read_bounded(codec, lz4_flex::frame::FrameDecoder::new(packed), limit_bytes),
        Codec::Zstd => zstd_decompress(packed, limit_bytes),
    }
}

/// Packs a batch's body, in the form that Kafka's Java client reads.
///
/// - `level`: clamped to what the codec knows; snappy and lz4 have none here.
pub fn compress(codec: Codec, plain: &[u8], level: Level) -> Result<Vec<u8>, CompressionError> {
    let corrupt = |error: io::Error| CompressionError::Corrupt { codec, reason: error.to_string() };
    match codec {
        Codec::None => Ok(plain.to_vec()),
        Codec::Gzip => {
            let level = level.map_or(flate2::Compression::default(), |level| {
                flate2::Compression::new(level.clamp(1, 9).unsigned_abs())
            });
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(plain).map_err(corrupt)?;
            encoder.finish().map_err(corrupt)
        }
        Codec::Snappy => snappy::compress(plain),
        Codec::Lz4 => {
            // Kafka's Java reader takes independent blocks only; 64 KiB is its own block size.
            let mut frame = lz4_flex::frame::FrameInfo::new();
            frame.block_mode = lz4_flex::frame::BlockMode::Independent;
            frame.block_size = lz4_flex::frame::BlockSize::Max64KB;
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(frame, Vec::new());
            encoder.write_all(plain).map_err(corrupt)?;
            encoder
                .finish()
                .map_err(|error| CompressionError::Corrupt { codec, reason: error.to_string() })
        }
        Codec::Zstd => zstd_compress(plain, level),
    }
}

#[cfg(feature = "compression-zstd")]
fn zstd_decompress(packed: &[u8], limit_bytes: usize) -> Result<Vec<u8>, CompressionError> {
    let decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(|error| {
        CompressionError::Corrupt { codec: Codec::Zstd, reason: error.to_string() }
    })?;
    read_bounded(Codec::Zstd, decoder, limit_bytes)
}

#[cfg(feature = "compression-zstd")]
fn zstd_compress(plain: &[u8], level: Level) -> Result<Vec<u8>, CompressionError> {
    let level = level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL);
    let range = zstd::compression_level_range();
    zstd::stream::encode_all(plain, level.clamp(*range.start(), *range.end())).map_err(|error| {
        CompressionError::Corrupt { codec: Codec::Zstd, reason: error.to_string() }
    })
}

#[cfg(not(feature = "compression-zstd"))]
fn zstd_decompress(_: &[u8], _: usize) -> Result<Vec<u8>, CompressionError> {
    Err(CompressionError::Unsupported { codec: Codec::Zstd })
}

#[cfg(not(feature = "compression-zstd"))]
fn zstd_compress(_: &[u8], _: Level) -> Result<Vec<u8>, CompressionError> {
    Err(CompressionError::Unsupported { codec: Codec::Zstd })
}

/// Reads a decoder to its end, but never more than one byte past the limit.
fn read_bounded(
    codec: Codec,
    decoder: impl Read,
    limit_bytes: usize,
) -> Result<Vec<u8>, CompressionError> {
    let mut plain = Vec::new();
    decoder
        .take((limit_bytes as u64).saturating_add(1))
        .read_to_end(&mut plain)
        .map_err(|error| CompressionError::Corrupt { codec, reason: error.to_string() })?;
    if plain.len() > limit_bytes {
        return Err(CompressionError::TooLarge { limit_bytes });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests;

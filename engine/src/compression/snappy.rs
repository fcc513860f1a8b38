//! Snappy in the Xerial stream framing, which Kafka's Java client writes, or raw, which others do.
//!
//! ```text
//! 82 'S' 'N' 'A' 'P' 'P' 'Y' 00 │ version i32 │ compatible i32 │ { length i32 │ raw snappy block }*
//! ```
//!
//! Streams may follow each other: a magic may stand where a length is due. Whatever does not start
//! with the magic is one raw block. Source: snappy-java's stream format.

use millrace_wire::Reader;

use super::CompressionError;
use crate::batch::Codec;

const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
/// Magic, version and oldest compatible version.
const STREAM_HEADER_BYTES: usize = 16;
/// The version that is written, and the oldest that may read it.
const VERSION: [u8; 4] = [0, 0, 0, 1];
/// Plain bytes of one block that is written; snappy-java's default.
const BLOCK_BYTES: usize = 32 * 1024;

/// Unpacks either form, at most `limit_bytes` of it.
pub(super) fn decompress(packed: &[u8], limit_bytes: usize) -> Result<Vec<u8>, CompressionError> {
    let mut plain = Vec::new();
    if !packed.starts_with(&MAGIC) {
        append_block(packed, &mut plain, limit_bytes)?;
        return Ok(plain);
    }
    let mut reader = Reader::new(packed);
    while reader.remaining() > 0 {
        if reader.rest().starts_with(&MAGIC) {
            reader.raw(STREAM_HEADER_BYTES).map_err(corrupt)?;
            continue;
        }
        let length = reader.i32().map_err(corrupt)?;
        let length = usize::try_from(length).map_err(corrupt)?;
        append_block(reader.raw(length).map_err(corrupt)?, &mut plain, limit_bytes)?;
    }
    Ok(plain)
}

/// Packs in the Xerial framing.
pub(super) fn compress(plain: &[u8]) -> Result<Vec<u8>, CompressionError> {
    let mut packed = Vec::with_capacity(STREAM_HEADER_BYTES + plain.len() / 2);
    packed.extend_from_slice(&MAGIC);
    packed.extend_from_slice(&VERSION);
    packed.extend_from_slice(&VERSION);
    let mut encoder = snap::raw::Encoder::new();
    for block in plain.chunks(BLOCK_BYTES) {
        let block = encoder.compress_vec(block).map_err(corrupt)?;
        let length = i32::try_from(block.len()).map_err(corrupt)?;
        packed.extend_from_slice(&length.to_be_bytes());
        packed.extend_from_slice(&block);
    }
    Ok(packed)
}

/// Unpacks one raw block behind what is there. The block's own length is checked before any
/// memory is taken for it.
fn append_block(
    block: &[u8],
    plain: &mut Vec<u8>,
    limit_bytes: usize,
) -> Result<(), CompressionError> {
    let length = snap::raw::decompress_len(block).map_err(corrupt)?;
    let start = plain.len();
    if length > limit_bytes.saturating_sub(start) {
        return Err(CompressionError::TooLarge { limit_bytes });
    }
    plain.resize(start + length, 0);
    let written =
        snap::raw::Decoder::new().decompress(block, &mut plain[start..]).map_err(corrupt)?;
    plain.truncate(start + written);
    Ok(())
}

fn corrupt(error: impl std::fmt::Display) -> CompressionError {
    CompressionError::Corrupt { codec: Codec::Snappy, reason: error.to_string() }
}

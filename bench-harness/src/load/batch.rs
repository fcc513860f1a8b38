//! Record batches, built once. Source: Kafka's documentation, "Record Batch" (magic 2).

use std::time::{SystemTime, UNIX_EPOCH};

use millrace_wire::Writer;

/// What a batch looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchShape {
    /// The whole batch, bytes; 0 means "as long as `records_max` records are".
    pub batch_bytes: usize,
    /// A record's value, bytes; the last one of a batch fills it up.
    pub record_bytes: usize,
    /// The most records.
    pub records_max: usize,
}

/// The batch header.
const HEADER_BYTES: usize = 61;
/// From here on the CRC covers.
const CRC_FROM: usize = 21;

/// Now, ms since 1970: a broker deletes what is older than its retention.
fn timestamp_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Builds a batch; `seed` decides its values' bytes. Returns it and its number of records.
///
/// Panics if no sequence of records has exactly `batch_bytes` bytes, which happens only next to the
/// lengths where a varint grows.
pub fn build_batch(shape: BatchShape, seed: u64) -> (Vec<u8>, i32) {
    let mut noise = Noise(seed | 1);
    let mut records = Writer::new();
    let mut count = 0;
    let room = shape.batch_bytes.saturating_sub(HEADER_BYTES);
    while (count as usize) < shape.records_max {
        let record = encode_record(count, shape.record_bytes, &mut noise);
        if shape.batch_bytes > 0 && records.len() + 2 * record.len() + 16 > room {
            let value = fit(count, room - records.len());
            records.raw(&encode_record(count, value, &mut noise));
            count += 1;
            break;
        }
        records.raw(&record);
        count += 1;
    }
    let batch = with_header(records.as_slice(), count);
    assert!(
        shape.batch_bytes == 0 || batch.len() == shape.batch_bytes,
        "a batch of {} bytes, wanted {}: records_max is too small",
        batch.len(),
        shape.batch_bytes
    );
    (batch, count)
}

/// Builds a batch of records with keys: one for each of `keys`, eight bytes long. `seed` decides the
/// values' bytes.
pub fn build_keyed_batch(keys: &[u64], record_bytes: usize, seed: u64) -> Vec<u8> {
    let mut noise = Noise(seed | 1);
    let mut records = Writer::new();
    let mut count = 0;
    for key in keys {
        records.raw(&encode_keyed(count, Some(&key.to_be_bytes()), record_bytes, &mut noise));
        count += 1;
    }
    with_header(records.as_slice(), count)
}

/// The value's length that makes record number `index` exactly `bytes` long.
fn fit(index: i32, bytes: usize) -> usize {
    let mut noise = Noise(1);
    (bytes.saturating_sub(32)..bytes)
        .find(|value| encode_record(index, *value, &mut noise).len() == bytes)
        .unwrap_or_else(|| panic!("no value makes a record of {bytes} bytes"))
}

fn encode_record(index: i32, value_bytes: usize, noise: &mut Noise) -> Vec<u8> {
    encode_keyed(index, None, value_bytes, noise)
}

fn encode_keyed(index: i32, key: Option<&[u8]>, value_bytes: usize, noise: &mut Noise) -> Vec<u8> {
    let mut body = Writer::over(Vec::with_capacity(value_bytes + 16));
    body.i8(0);
    body.varlong(0);
    body.varint(index);
    match key {
        Some(key) => {
            body.varint(i32::try_from(key.len()).expect("a key is short"));
            body.raw(key);
        }
        None => body.varint(-1),
    }
    body.varint(i32::try_from(value_bytes).expect("a record is no longer than a batch"));
    let mut value = vec![0; value_bytes];
    noise.fill(&mut value);
    body.raw(&value);
    body.varint(0);
    let mut record = Writer::over(Vec::with_capacity(body.len() + 5));
    record.varint(i32::try_from(body.len()).expect("a record is no longer than a batch"));
    record.raw(body.as_slice());
    record.into_vec()
}

fn with_header(records: &[u8], count: i32) -> Vec<u8> {
    let mut batch = Writer::over(Vec::with_capacity(HEADER_BYTES + records.len()));
    batch.i64(0);
    batch.i32(i32::try_from(HEADER_BYTES + records.len() - 12).expect("a batch fits a frame"));
    batch.i32(-1);
    batch.i8(2);
    batch.u32(0);
    batch.i16(0);
    batch.i32(count - 1);
    let timestamp = timestamp_ms();
    batch.i64(timestamp);
    batch.i64(timestamp);
    batch.i64(-1);
    batch.i16(-1);
    batch.i32(-1);
    batch.i32(count);
    batch.raw(records);
    let mut batch = batch.into_vec();
    let crc = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &batch[CRC_FROM..]);
    let crc = u32::try_from(crc).expect("a CRC-32 has 32 bits");
    batch[CRC_FROM - 4..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
    batch
}

/// xorshift64*: bytes that do not compress, the same for the same seed.
#[derive(Debug)]
pub struct Noise(u64);

impl Noise {
    /// The same seed gives the same bytes.
    pub const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `bound`.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % bound
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let word = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_exactly_the_bytes_asked_for() {
        for batch_bytes in [65_536, 1_048_576, 16_384] {
            for record_bytes in [100, 1_000] {
                let shape = BatchShape { batch_bytes, record_bytes, records_max: usize::MAX };
                let (batch, count) = build_batch(shape, 7);
                assert_eq!(batch.len(), batch_bytes);
                let least = batch_bytes / (record_bytes + 16);
                assert!(count as usize >= least, "{count} records, at least {least}");
            }
        }
    }

    #[test]
    fn keys_take_eight_bytes() {
        let shape = BatchShape { batch_bytes: 0, record_bytes: 200, records_max: 2 };
        let (without, _) = build_batch(shape, 7);
        let with = build_keyed_batch(&[1, 2], 200, 7);
        // Eight bytes each; the key's length takes one byte with and without.
        assert_eq!(with.len(), without.len() + 2 * 8);
    }

    #[test]
    fn a_batch_of_one_record_is_as_long_as_it_is() {
        let shape = BatchShape { batch_bytes: 0, record_bytes: 200, records_max: 1 };
        let (batch, count) = build_batch(shape, 7);
        assert_eq!((batch.len(), count), (61 + 2 + 1 + 1 + 1 + 1 + 2 + 200 + 1, 1));
    }
}

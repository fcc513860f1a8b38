//! Records that say who they are, so that a reader can tell lost, doubled and spoiled ones.

use bytes::Bytes;
use millrace_engine::batch::BatchView;
use millrace_engine::record::RecordIter;
use millrace_engine::{
    BatchBuilder, BatchIter, BatchSpec, Codec, Offset, ProducerStamp, compression,
};

/// Bytes that a batch of the simulation unpacks to, at most.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A record's name: who made it, and the how-manieth of theirs it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId {
    /// The producer's number in the simulation.
    pub producer: u32,
    /// Counts that producer's records for one partition.
    pub number: u32,
}

impl RecordId {
    /// The record's value: its name and bytes that follow from it.
    ///
    /// - `length`: bytes, at least 8.
    pub fn value(self, length: usize) -> Vec<u8> {
        let mut value = Vec::with_capacity(length);
        value.extend_from_slice(&self.producer.to_be_bytes());
        value.extend_from_slice(&self.number.to_be_bytes());
        while value.len() < length {
            value.push(self.filler(value.len()));
        }
        value
    }

    /// Reads a value back; `Err` says what is wrong with it.
    pub fn of_value(value: &[u8]) -> Result<Self, String> {
        let word = |at: usize| {
            let bytes = value.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_be_bytes).ok_or_else(|| format!("a value of {} bytes", value.len()))
        };
        let id = Self { producer: word(0)?, number: word(4)? };
        let spoiled = value.iter().enumerate().skip(8).find(|&(at, &byte)| byte != id.filler(at));
        match spoiled {
            None => Ok(id),
            Some((at, _)) => Err(format!("{id:?} is spoiled at byte {at} of {}", value.len())),
        }
    }

    fn filler(self, at: usize) -> u8 {
        let mixed = (self.number ^ self.producer.rotate_left(16))
            .wrapping_mul(0x9E37_79B1)
            .wrapping_add(u32::try_from(at).unwrap_or(u32::MAX));
        mixed.wrapping_mul(0x85EB_CA6B).to_be_bytes()[0]
    }
}

/// A batch as a client builds it.
pub fn build(ids: &[RecordId], stamp: ProducerStamp, codec: Codec, bytes: usize, ms: i64) -> Bytes {
    let spec = BatchSpec { codec, producer: stamp, ..BatchSpec::default() };
    let mut builder = BatchBuilder::new(spec);
    for id in ids {
        builder.append(ms, None, Some(&id.value(bytes)), &[]);
    }
    builder.build().expect("all codecs are in")
}

/// The records of a fetched slice with their offsets, in order. A batch cut off at the end is
/// left out, as clients do; anything else that is wrong is an `Err`.
pub fn read(bytes: &[u8]) -> Result<Vec<(Offset, RecordId)>, String> {
    let mut records = Vec::new();
    let mut batches = BatchIter::new(bytes);
    for batch in &mut batches {
        read_batch(&batch, &mut records)?;
    }
    if let Some(millrace_engine::BatchEnd::Corrupt { position, error }) = batches.end() {
        return Err(format!("no batch at byte {position} of {}: {error:?}", bytes.len()));
    }
    Ok(records)
}

fn read_batch(batch: &BatchView<'_>, records: &mut Vec<(Offset, RecordId)>) -> Result<(), String> {
    let header = &batch.header;
    let base = header.base_offset;
    if !batch.is_crc_right() {
        return Err(format!("the CRC of the batch at {base:?} is wrong"));
    }
    let codec = header.codec().map_err(|id| format!("codec {id} at {base:?}"))?;
    let body = match codec {
        Codec::None => Bytes::copy_from_slice(batch.records()),
        Codec::Gzip | Codec::Snappy | Codec::Lz4 | Codec::Zstd => {
            let body = compression::decompress(codec, batch.records(), BODY_BYTES_MAX);
            body.map_err(|error| format!("the batch at {base:?}: {error:?}"))?.into()
        }
    };
    for record in RecordIter::new(&body, header.record_count) {
        let record = record.map_err(|error| format!("the batch at {base:?}: {error}"))?;
        let id = RecordId::of_value(record.value.unwrap_or_default())?;
        records.push((Offset(base.0 + i64::from(record.offset_delta)), id));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_reads_back_and_a_spoiled_byte_is_noticed() {
        let ids = [0, 1, 2].map(|number| RecordId { producer: 3, number });
        for codec in [Codec::None, Codec::Lz4] {
            let batch = build(&ids, ProducerStamp::default(), codec, 50, 1000);
            let records = read(&batch).expect("readable");
            let expected: Vec<_> = (0..).map(Offset).zip(ids).collect();
            assert_eq!(records, expected);
            let mut spoiled = batch.to_vec();
            spoiled[80] ^= 1;
            assert!(read(&spoiled).is_err());
        }
        let mut value = ids[1].value(50);
        assert_eq!(RecordId::of_value(&value), Ok(ids[1]));
        value[30] ^= 1;
        assert!(RecordId::of_value(&value).is_err());
    }
}

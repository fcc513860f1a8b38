//! The snapshot of a group coordinator, beside the log of its partition: `coordinator.state`.
//!
//! ```text
//! batch │ batch │ … │ trailer, 64 bytes
//! ```
//!
//! The batches are Kafka's (magic 2) and hold the records that a log without history would have, their
//! offsets count from 0. The trailer says which part of the log they stand for. Big-endian:
//!
//! | At | Field |
//! | --- | --- |
//! | 0 | magic `MILLRGRP` |
//! | 8 | version u32 = 1, zero u32 |
//! | 16 | from i64: the log is to be read from here on |
//! | 24 | until i64: the snapshot knows nothing that the log does not have below this |
//! | 32 | log start i64 when it was begun |
//! | 40 | when it was begun, ms since 1970, i64 |
//! | 48 | records i64 |
//! | 56 | zero u32 |
//! | 60 | CRC-32C of the trailer up to here |
//!
//! What a snapshot is and why one may be believed: `coordinator/snapshot.rs`, `docs/FORMAT.md`.

use bytes::Bytes;
use millrace_engine::batch::BatchEnd;
use millrace_engine::crc::crc32c;
use millrace_engine::{BatchBuilder, BatchIter, BatchSpec, Offset, RecordIter};
use millrace_io::WallMs;
use millrace_wire::{Reader, WireError, Writer};

/// The file's name.
pub(crate) const SNAPSHOT_FILE: &str = "coordinator.state";
/// Its name until it is whole.
pub(crate) const SNAPSHOT_ASIDE: &str = "coordinator.state.new";
/// Bytes of a trailer.
pub(crate) const TRAILER_BYTES: u32 = 64;

const MAGIC: &[u8; 8] = b"MILLRGRP";
const VERSION: u32 = 1;

/// What stands at a snapshot's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// Its log goes on here.
    pub from: i64,
    /// The log must have everything below.
    pub until: i64,
    /// Where the log began then.
    pub log_start: i64,
    /// When it was begun.
    pub at: WallMs,
    /// Records in it.
    pub records: u64,
}

impl Trailer {
    /// The trailer's bytes.
    pub(crate) fn encode(&self) -> Bytes {
        let mut writer = Writer::new();
        writer.raw(MAGIC);
        writer.u32(VERSION);
        writer.u32(0);
        writer.i64(self.from);
        writer.i64(self.until);
        writer.i64(self.log_start);
        writer.i64(self.at.0);
        writer.i64(i64::try_from(self.records).unwrap_or(i64::MAX));
        writer.u32(0);
        let crc = crc32c(writer.as_slice());
        writer.u32(crc);
        Bytes::from(writer.into_vec())
    }

    /// Reads one; in words what is wrong with it.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let Some((front, crc)) = bytes.split_last_chunk::<4>() else {
            return Err("it is too short");
        };
        if !bytes.starts_with(MAGIC) {
            return Err("it does not end like one");
        }
        if crc32c(front) != u32::from_be_bytes(*crc) {
            return Err("its end has a wrong CRC");
        }
        let mut reader = Reader::new(&front[MAGIC.len()..]);
        let mut read = || -> Result<(u32, Self), WireError> {
            let version = reader.u32()?;
            reader.u32()?;
            let trailer = Self {
                from: reader.i64()?,
                until: reader.i64()?,
                log_start: reader.i64()?,
                at: WallMs(reader.i64()?),
                records: u64::try_from(reader.i64()?).unwrap_or(0),
            };
            Ok((version, trailer))
        };
        match read() {
            Ok((VERSION, trailer)) => Ok(trailer),
            Ok(_) => Err("another version has written it"),
            Err(_) => Err("it is too short"),
        }
    }
}

/// A batch that is being filled.
#[derive(Debug)]
pub(crate) struct Piece {
    builder: BatchBuilder,
    records: u64,
}

impl Piece {
    /// An empty one, the first record of which is number `records` of its snapshot.
    pub(crate) fn new(records: u64) -> Self {
        let base_offset = Offset(i64::try_from(records).unwrap_or(i64::MAX));
        let spec = BatchSpec { base_offset, ..BatchSpec::default() };
        Self { builder: BatchBuilder::new(spec), records: 0 }
    }

    /// Adds a record.
    pub(crate) fn add(&mut self, now: WallMs, key: &[u8], value: &[u8]) {
        self.builder.append(now.0, Some(key), Some(value), &[]);
        self.records += 1;
    }

    /// The batch, if there is a record in it, and how many.
    pub(crate) fn finish(self) -> Option<(Bytes, u64)> {
        if self.records == 0 {
            return None;
        }
        let bytes = self.builder.build().expect("packing without a codec cannot fail");
        Some((bytes, self.records))
    }
}

/// How far [`read_piece`] got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    /// Bytes of whole batches.
    pub used: usize,
    /// The number of the next record.
    pub next: u64,
    /// Bytes that the batch at `used` takes, if it is known.
    pub wanted: Option<usize>,
}

/// Gives the records of whole batches to `take`; the first is number `next`. In words what is wrong.
pub(crate) fn read_piece(
    bytes: &[u8],
    mut next: u64,
    mut take: impl FnMut(&[u8], &[u8]) -> Result<(), WireError>,
) -> Result<Read, &'static str> {
    let mut batches = BatchIter::new(bytes);
    for batch in batches.by_ref() {
        if !batch.is_crc_right() {
            return Err("a batch has a wrong CRC");
        }
        if u64::try_from(batch.header.base_offset.0) != Ok(next) {
            return Err("a batch is missing");
        }
        let is_plain = batch.header.codec() == Ok(millrace_engine::Codec::None);
        if !is_plain || batch.header.is_control() {
            return Err("a batch is of another kind");
        }
        for record in RecordIter::new(batch.records(), batch.header.record_count) {
            let Ok(record) = record else { return Err("a record cannot be read") };
            let (Some(key), Some(value)) = (record.key, record.value) else {
                return Err("a record has no key, or no value");
            };
            take(key, value).map_err(|_| "a record cannot be read")?;
            next += 1;
        }
    }
    let wanted = match batches.end() {
        Some(BatchEnd::Torn { batch_bytes, .. }) => batch_bytes,
        Some(BatchEnd::Clean) | None => None,
        // The first bytes of an offset may be zeros.
        Some(BatchEnd::Blank { position }) if bytes.len() - position < FRONT_BYTES => None,
        Some(BatchEnd::Blank { .. } | BatchEnd::Corrupt { .. }) => {
            return Err("bytes that are no batch");
        }
    };
    Ok(Read { used: batches.position(), next, wanted })
}

/// A batch's header.
const FRONT_BYTES: usize = 61;

#[cfg(test)]
mod tests {
    use super::*;

    const TRAILER: Trailer =
        Trailer { from: 100, until: 120, log_start: 7, at: WallMs(1_700_000_000_000), records: 3 };

    #[test]
    fn a_trailer_is_64_bytes_and_reads_as_written() {
        let bytes = TRAILER.encode();
        assert_eq!(bytes.len(), TRAILER_BYTES as usize);
        assert_eq!(Trailer::decode(&bytes), Ok(TRAILER));
    }

    #[test]
    fn a_trailer_that_is_changed_anywhere_is_refused() {
        let bytes = TRAILER.encode();
        for at in 0..bytes.len() {
            let mut other = bytes.to_vec();
            other[at] ^= 1;
            assert!(Trailer::decode(&other).is_err(), "byte {at}");
            assert!(Trailer::decode(&bytes[..at]).is_err(), "cut at {at}");
        }
    }

    fn two_batches() -> (Bytes, usize) {
        let mut first = Piece::new(0);
        first.add(WallMs(1), b"a", b"1");
        first.add(WallMs(1), b"b", b"2");
        let mut second = Piece::new(2);
        second.add(WallMs(1), b"c", b"3");
        let first = first.finish().expect("two records").0;
        let second = second.finish().expect("a record").0;
        (Bytes::from([&first[..], &second[..]].concat()), first.len())
    }

    fn read(bytes: &[u8], next: u64) -> Result<(Read, String), &'static str> {
        let mut keys = String::new();
        let read = read_piece(bytes, next, |key, value| {
            keys.push(char::from(key[0]));
            keys.push(char::from(value[0]));
            Ok(())
        })?;
        Ok((read, keys))
    }

    #[test]
    fn a_piece_gives_its_whole_batches() {
        let (bytes, first) = two_batches();
        let whole = Read { used: bytes.len(), next: 3, wanted: None };
        assert_eq!(read(&bytes, 0), Ok((whole, "a1b2c3".to_owned())));
        let cut = Read { used: first, next: 2, wanted: Some(bytes.len() - first) };
        assert_eq!(read(&bytes[..bytes.len() - 1], 0), Ok((cut, "a1b2".to_owned())));
        let short = Read { used: first, next: 2, wanted: None };
        assert_eq!(read(&bytes[..first + 5], 0), Ok((short, "a1b2".to_owned())));
    }

    #[test]
    fn a_batch_that_is_missing_or_spoiled_is_told() {
        let (bytes, first) = two_batches();
        assert_eq!(read(&bytes[first..], 0), Err("a batch is missing"));
        assert_eq!(read(&bytes, 1), Err("a batch is missing"));
        let mut spoiled = bytes.to_vec();
        let last = spoiled.len() - 3;
        spoiled[last] ^= 1;
        assert_eq!(read(&spoiled, 0), Err("a batch has a wrong CRC"));
        assert_eq!(read(&[0; 200], 0), Err("bytes that are no batch"));
    }
}

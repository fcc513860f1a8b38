//! What members of the classic protocol tell each other through the broker, and records' contents.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use millrace_engine::{BatchIter, OpenBatch};
use millrace_wire::{Reader, WireError, Writer};

/// Most bytes that a batch unpacks to.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Partitions by topic name.
pub(super) type Named = BTreeMap<String, BTreeSet<i32>>;

/// A subscription as consumers write it.
///
/// - `owned`: what it has, and keeps while it joins.
pub(super) fn subscription(topics: &[String], owned: &Named) -> Bytes {
    let mut writer = Writer::new();
    // Version 1: topics, user data, owned partitions.
    writer.i16(1);
    writer.array_count(Some(topics.len()));
    for topic in topics {
        writer.nullable_string(Some(topic));
    }
    writer.nullable_bytes(None);
    write_named(&mut writer, owned);
    Bytes::from(writer.into_vec())
}

fn write_named(writer: &mut Writer, named: &Named) {
    writer.array_count(Some(named.len()));
    for (topic, partitions) in named {
        writer.nullable_string(Some(topic));
        writer.array_count(Some(partitions.len()));
        for &partition in partitions {
            writer.i32(partition);
        }
    }
}

/// The topics of a subscription.
pub(super) fn subscribed(metadata: &[u8]) -> Result<Vec<String>, WireError> {
    let mut reader = Reader::new(metadata);
    reader.i16()?;
    let count = reader.array_count(2)?.unwrap_or(0);
    let mut topics = Vec::new();
    for _ in 0..count {
        topics.push(reader.nullable_string()?.unwrap_or_default().to_owned());
    }
    Ok(topics)
}

/// An assignment as consumers write it.
pub(super) fn assignment(named: &Named) -> Bytes {
    let mut writer = Writer::new();
    writer.i16(1);
    write_named(&mut writer, named);
    writer.nullable_bytes(None);
    Bytes::from(writer.into_vec())
}

/// The partitions of an assignment; nothing at all is none.
pub(super) fn assigned(bytes: &[u8]) -> Result<Named, WireError> {
    let mut named = Named::new();
    if bytes.is_empty() {
        return Ok(named);
    }
    let mut reader = Reader::new(bytes);
    reader.i16()?;
    for _ in 0..reader.array_count(6)?.unwrap_or(0) {
        let topic = reader.nullable_string()?.unwrap_or_default().to_owned();
        let mut partitions = BTreeSet::new();
        for _ in 0..reader.array_count(4)?.unwrap_or(0) {
            partitions.insert(reader.i32()?);
        }
        named.insert(topic, partitions);
    }
    Ok(named)
}

/// Reads a fetched slice from an offset on, and returns where it ends. The record at each offset
/// must say so itself: a topic's only writer numbers them.
pub(super) fn read(bytes: &[u8], from: i64) -> Result<i64, String> {
    let mut next = from;
    for batch in BatchIter::new(bytes) {
        let at = batch.header.base_offset;
        if !batch.is_crc_right() {
            return Err(format!("the CRC of the batch at {at:?} is wrong"));
        }
        let open = OpenBatch::open(&batch, BODY_BYTES_MAX);
        let open = open.map_err(|error| format!("the batch at {at:?}: {error:?}"))?;
        for record in open.records() {
            let record = record.map_err(|error| format!("the batch at {at:?}: {error}"))?;
            let offset = record.offset.0;
            let value = record.record.value.unwrap_or_default();
            let said = value.try_into().map(i64::from_be_bytes).ok();
            if said != Some(offset) {
                return Err(format!("the record at {offset} says {value:?}"));
            }
            if offset < next {
                continue;
            }
            if offset > next {
                return Err(format!("{offset} follows {}", next - 1));
            }
            next += 1;
        }
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let topics = ["a".to_owned(), "b".to_owned()];
        let named = Named::from([("a".to_owned(), BTreeSet::from([0, 3]))]);
        assert_eq!(subscribed(&subscription(&topics, &named)), Ok(topics.to_vec()));
        assert_eq!(assigned(&assignment(&named)), Ok(named));
        assert_eq!(assigned(&[]), Ok(Named::new()));
    }
}

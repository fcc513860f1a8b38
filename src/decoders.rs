//! What this crate reads that others may have written, in one place: each function takes any bytes
//! and returns whether they were understood. `tests/fuzz` drives them.
//!
//! Not here: what lies in the crates below, which the fuzz targets call themselves.

use bytes::Bytes;
use millrace_replication::{Image, Record};

use crate::config::{self, Inputs};
use crate::coordinator::{GroupRecord, is_pattern, subscription as consumer};
use crate::{admin, metadata_snapshot, offsets_snapshot, offsets_topic};

/// A record of the offsets topic: key and value. What is read is written and read alike.
pub fn group_record(key: &[u8], value: Option<&[u8]>) -> bool {
    let Ok(Some(record)) = GroupRecord::decode(key, value) else { return false };
    let (key, value) = (record.encode_key(), record.encode_value());
    let again = GroupRecord::decode(&key, value.as_deref());
    let again = again.ok().flatten().expect("what was written is a record of the same kind");
    assert_eq!((again.encode_key(), again.encode_value()), (key, value), "{record:?}");
    true
}

/// Batches of the offsets topic, from an offset on.
pub fn offsets_topic(bytes: &Bytes) -> bool {
    let (_, unread) =
        offsets_topic::decode(bytes, 0, |key, value| GroupRecord::decode(key, value).map(drop));
    unread == 0
}

/// A coordinator's snapshot: pieces of batches, and the trailer in its last bytes. What is read of
/// the trailer is written as it was.
pub fn group_snapshot(bytes: &[u8]) -> bool {
    let at = bytes.len().saturating_sub(offsets_snapshot::TRAILER_BYTES as usize);
    let (batches, trailer) = bytes.split_at(at);
    let take = |key: &[u8], value: &[u8]| GroupRecord::decode(key, Some(value)).map(drop);
    let piece = offsets_snapshot::read_piece(batches, 0, take);
    if let Ok(read) = &piece {
        assert!(read.used <= batches.len(), "{read:?}");
    }
    let end = offsets_snapshot::Trailer::decode(trailer);
    if let Ok(end) = &end {
        assert_eq!(offsets_snapshot::Trailer::decode(&end.encode()).as_ref(), Ok(end));
    }
    piece.is_ok() && end.is_ok()
}

/// A consumer's subscription in the classic protocol; the same bytes are tried as an assignment.
pub fn subscription(bytes: &[u8]) -> bool {
    let topics = consumer::topics(bytes);
    let (whole, assigned) = (consumer::parse(bytes), consumer::assigned(bytes));
    if let Some(whole) = &whole {
        assert_eq!(topics.as_ref(), Some(&whole.topics), "its topics are read alone, too");
    }
    if let Some(named) = &assigned {
        let named: Vec<_> = named.iter().map(|(name, all)| (name.as_str(), all.clone())).collect();
        let again = consumer::assigned(&consumer::write_assignment(0, &named));
        assert_eq!(again, assigned, "what is read is written and read alike");
    }
    whole.is_some() || assigned.is_some()
}

/// A member's regular expression.
pub fn pattern(expression: &str) -> bool {
    is_pattern(expression)
}

/// A snapshot of the metadata: the name of its file, and its content. What is read is the image
/// that its own snapshot gives.
pub fn metadata_snapshot(name: &str, bytes: &Bytes) -> bool {
    let end = metadata_snapshot::parse_name(name).unwrap_or(1);
    let Ok(image) = metadata_snapshot::read(end, bytes) else { return false };
    if let Ok(records) = image.snapshot() {
        let again = Image::restore(image.offset(), &records).expect("an image's own records");
        let again = again.snapshot().expect("an image that was restored");
        // Bytes are compared: a quota that is not a number differs from itself.
        let written = |records: &[Record]| records.iter().map(Record::encode).collect::<Vec<_>>();
        assert_eq!(written(&again), written(&records));
    }
    true
}

/// A `server.properties`, taken as the broker takes it at its start.
pub fn server_properties(text: &str) -> bool {
    config::load(&Inputs { file: Some(text), ..Inputs::default() }).is_ok()
}

/// The head of a request to the admin port.
pub fn http_head(bytes: &[u8]) -> bool {
    admin::is_request(bytes)
}

//! Snapshots of the cluster's state, in Kafka's format: `<end offset>-<epoch>.checkpoint`.
//!
//! ```text
//! control batch: SnapshotHeader | batches of records: the image | control batch: SnapshotFooter
//! ```
//!
//! A snapshot bounds the replay of a start: records below its end offset are in it. Source: KIP-630.

use std::sync::Arc;

use bytes::Bytes;
use millrace_engine::{BatchBuilder, BatchFlags, BatchIter, BatchSpec, Offset, RecordIter};
use millrace_io::WallMs;
use millrace_replication::{Image, Record};
use millrace_wire::Writer;

/// Records in one batch of a snapshot.
const BATCH_RECORDS: usize = 1000;

/// Control record types of a snapshot's ends.
const SNAPSHOT_HEADER: i16 = 3;
const SNAPSHOT_FOOTER: i16 = 4;

/// The name of the snapshot that ends before `end`.
pub(crate) fn name(end: i64, epoch: i32) -> String {
    format!("{end:020}-{epoch:010}.checkpoint")
}

/// The end offset in a snapshot's name, if it is one.
pub(crate) fn parse_name(name: &str) -> Option<i64> {
    let (end, epoch) = name.strip_suffix(".checkpoint")?.split_once('-')?;
    (end.len() == 20 && epoch.len() == 10).then(|| end.parse().ok())?
}

/// Writes an image down. `None` while a metadata transaction is open.
pub(crate) fn write(image: &Image, now: WallMs) -> Option<Bytes> {
    let records = image.snapshot().ok()?;
    let mut bytes = Vec::new();
    let mut offset = 0;
    let mut header = Writer::new();
    header.i16(0);
    header.i64(now.0);
    header.no_tagged_fields();
    bytes.extend_from_slice(&control(&mut offset, now, SNAPSHOT_HEADER, header.as_slice()));
    for group in records.chunks(BATCH_RECORDS) {
        let mut builder =
            BatchBuilder::new(BatchSpec { base_offset: Offset(offset), ..BatchSpec::default() });
        for record in group {
            builder.append(now.0, None, Some(&record.encode()), &[]);
            offset += 1;
        }
        bytes.extend_from_slice(&builder.build().ok()?);
    }
    let mut footer = Writer::new();
    footer.i16(0);
    footer.no_tagged_fields();
    bytes.extend_from_slice(&control(&mut offset, now, SNAPSHOT_FOOTER, footer.as_slice()));
    Some(Bytes::from(bytes))
}

fn control(offset: &mut i64, now: WallMs, kind: i16, value: &[u8]) -> Bytes {
    let flags = BatchFlags { control: true, ..BatchFlags::default() };
    let spec = BatchSpec { base_offset: Offset(*offset), flags, ..BatchSpec::default() };
    let mut builder = BatchBuilder::new(spec);
    let mut key = Writer::new();
    key.i16(0);
    key.i16(kind);
    builder.append(now.0, Some(key.as_slice()), Some(value), &[]);
    *offset += 1;
    builder.build().expect("packing without a codec cannot fail")
}

/// Reads a snapshot that ends before `end`. The error says what is wrong with it.
pub(crate) fn read(end: i64, bytes: &Bytes) -> Result<Arc<Image>, String> {
    let mut records = Vec::new();
    let mut batches = BatchIter::new(bytes);
    let mut is_complete = false;
    for batch in batches.by_ref() {
        if !batch.is_crc_right() {
            return Err(format!("the batch at byte {} has a wrong CRC", batch.position));
        }
        for record in RecordIter::new(batch.records(), batch.header.record_count) {
            let record = record.map_err(|error| error.to_string())?;
            if batch.header.is_control() {
                is_complete |= record.key == Some(&[0, 0, 0, 4]);
            } else {
                let value = record.value.unwrap_or_default();
                records.push(Record::decode(value).map_err(|error| error.to_string())?);
            }
        }
    }
    if !is_complete {
        return Err("the snapshot has no end; remove it to replay the log instead".to_owned());
    }
    Image::restore(end - 1, &records).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_reads_back_and_a_cut_one_is_refused() {
        let image = Image::empty();
        let bytes = write(&image, WallMs(5)).expect("no transaction is open");
        assert_eq!(*read(0, &bytes).expect("whole"), image);
        assert!(read(0, &bytes.slice(..bytes.len() - 1)).is_err());
        assert_eq!(parse_name(&name(17, 3)), Some(17));
        assert_eq!(parse_name("00000000000000000017.log"), None);
    }
}

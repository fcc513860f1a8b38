//! Building a batch from records: internal topics, the tools, compaction, recompression, tests.
//!
//! The hot path never comes here: producers build their batches themselves and the leader stamps
//! headers. Building twice from the same input gives the same bytes.

use bytes::Bytes;
use millrace_wire::Writer;

use crate::batch::{
    ATTRIBUTES_AT, BatchFlags, BatchHeader, CRC_AT, Codec, HEADER_BYTES, LOG_OVERHEAD_BYTES,
    TimestampType,
};
use crate::compression::{self, CompressionError, Level};
use crate::crc;
use crate::ids::{LeaderEpoch, Offset, ProducerId};
use crate::record::{self, Header, RecordPlace};

/// Timestamp of a record or batch that has none, ms. Kafka: `NO_TIMESTAMP`.
pub const NO_TIMESTAMP: i64 = -1;

/// Whose batch it is, and where its sequence starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerStamp {
    /// The producer, or none.
    pub id: ProducerId,
    /// Its epoch, or -1.
    pub epoch: i16,
    /// The first record's sequence, or -1.
    pub base_sequence: i32,
}

impl Default for ProducerStamp {
    fn default() -> Self {
        Self { id: ProducerId::NONE, epoch: -1, base_sequence: -1 }
    }
}

/// What a batch is to say besides its records. The default is a plain batch at offset 0.
#[derive(Clone, Copy, Debug)]
pub struct BatchSpec {
    /// Offset of the first record.
    pub base_offset: Offset,
    /// Epoch of the leader, or [`LeaderEpoch::NONE`] in a client's batch.
    pub leader_epoch: LeaderEpoch,
    /// Codec of the body.
    pub codec: Codec,
    /// How hard the codec works.
    pub level: Level,
    /// Who sets timestamps; with `LogAppendTime` all records have the largest one appended.
    pub timestamp_type: TimestampType,
    /// Transactional, control, delete horizon.
    pub flags: BatchFlags,
    /// The producer.
    pub producer: ProducerStamp,
    /// `base_timestamp` if it is not the first record's: a delete horizon, or a kept base.
    pub base_timestamp: Option<i64>,
}

impl Default for BatchSpec {
    fn default() -> Self {
        Self {
            base_offset: Offset(0),
            leader_epoch: LeaderEpoch::NONE,
            codec: Codec::None,
            level: None,
            timestamp_type: TimestampType::CreateTime,
            flags: BatchFlags::default(),
            producer: ProducerStamp::default(),
            base_timestamp: None,
        }
    }
}

/// Gathers records and makes one batch of them.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    spec: BatchSpec,
    body: Writer,
    base_timestamp: Option<i64>,
    max_timestamp: i64,
    record_count: i32,
    last_offset_delta: i32,
}

impl BatchBuilder {
    /// An empty batch.
    pub const fn new(spec: BatchSpec) -> Self {
        Self {
            spec,
            body: Writer::new(),
            base_timestamp: spec.base_timestamp,
            max_timestamp: NO_TIMESTAMP,
            record_count: 0,
            last_offset_delta: -1,
        }
    }

    /// Appends a record at the next offset.
    ///
    /// - `timestamp`: ms, or [`NO_TIMESTAMP`].
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) {
        let offset_delta = self.last_offset_delta + 1;
        self.append_at(offset_delta, timestamp, (key, value), headers.iter().copied());
    }

    /// Appends a record with its own place: compaction leaves gaps between offsets.
    ///
    /// - `offset_delta`: larger than the one before it; anything else is our own fault.
    pub fn append_at<'a>(
        &mut self,
        offset_delta: i32,
        timestamp: i64,
        (key, value): (Option<&[u8]>, Option<&[u8]>),
        headers: impl Iterator<Item = Header<'a>> + Clone,
    ) {
        assert!(
            offset_delta > self.last_offset_delta,
            "offset delta {offset_delta} does not follow {}",
            self.last_offset_delta
        );
        let base = *self.base_timestamp.get_or_insert(timestamp);
        // Wrapping on both sides: reading adds the delta to the base in the same way.
        let place = RecordPlace { timestamp_delta: timestamp.wrapping_sub(base), offset_delta };
        record::write_record(&mut self.body, place, key, value, headers);
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.last_offset_delta = offset_delta;
        self.record_count += 1;
    }

    /// Makes the batch end at this delta although its last record lies before it: compaction
    /// keeps a batch's last offset, and its last sequence with it.
    pub fn keep_last_offset_delta(&mut self, last_offset_delta: i32) {
        self.last_offset_delta = self.last_offset_delta.max(last_offset_delta);
    }

    /// Sets `max_timestamp` to at least this, ms; with `LogAppendTime` it is every record's.
    pub fn keep_max_timestamp(&mut self, max_timestamp: i64) {
        self.max_timestamp = self.max_timestamp.max(max_timestamp);
    }

    /// Records appended so far.
    pub const fn record_count(&self) -> i32 {
        self.record_count
    }

    /// Bytes of the batch so far if its body is not packed.
    pub const fn bytes_plain(&self) -> usize {
        HEADER_BYTES + self.body.len()
    }

    /// The whole batch, header and body, CRC right.
    ///
    /// Fails if the codec is not in this build. A batch beyond 2^31 - 1 bytes is our own fault.
    pub fn build(self) -> Result<Bytes, CompressionError> {
        let spec = self.spec;
        let packed = match spec.codec {
            Codec::None => self.body.into_vec(),
            Codec::Gzip | Codec::Snappy | Codec::Lz4 | Codec::Zstd => {
                compression::compress(spec.codec, self.body.as_slice(), spec.level)?
            }
        };
        let length = i32::try_from(HEADER_BYTES - LOG_OVERHEAD_BYTES + packed.len());
        assert!(length.is_ok(), "a batch of {} bytes exceeds 2^31 - 1", packed.len());
        let header = BatchHeader {
            base_offset: spec.base_offset,
            batch_length: length.unwrap_or_default(),
            leader_epoch: spec.leader_epoch,
            crc: 0,
            attributes: BatchHeader::attributes_of(spec.codec, spec.timestamp_type, spec.flags),
            last_offset_delta: self.last_offset_delta,
            base_timestamp: self.base_timestamp.unwrap_or(NO_TIMESTAMP),
            max_timestamp: self.max_timestamp,
            producer_id: spec.producer.id,
            producer_epoch: spec.producer.epoch,
            base_sequence: spec.producer.base_sequence,
            record_count: self.record_count,
        };
        let mut bytes = Vec::with_capacity(HEADER_BYTES + packed.len());
        bytes.extend_from_slice(&header.encode());
        bytes.extend_from_slice(&packed);
        let crc = crc::crc32c(&bytes[ATTRIBUTES_AT..]);
        bytes[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchView;
    use crate::record::RecordIter;
    use proptest::prelude::*;

    #[test]
    fn a_built_batch_reads_back_with_everything_in_it() {
        let mut builder = BatchBuilder::new(BatchSpec {
            base_offset: Offset(9),
            leader_epoch: LeaderEpoch(4),
            flags: BatchFlags { transactional: true, ..BatchFlags::default() },
            producer: ProducerStamp { id: ProducerId(7), epoch: 2, base_sequence: 30 },
            ..BatchSpec::default()
        });
        builder.append(1000, Some(b"a"), Some(b"1"), &[]);
        builder.append(990, None, None, &[Header { key: b"h", value: None }]);
        builder.append(1020, Some(b""), Some(b""), &[]);
        let plain = builder.bytes_plain();
        let batch = builder.build().expect("no codec");
        assert_eq!(batch.len(), plain);
        let view = BatchView::first(&batch).expect("batch");
        assert!(view.is_crc_right());
        assert_eq!(view.bytes.len(), batch.len());
        let header = view.header;
        assert_eq!((header.base_offset, header.last_offset()), (Offset(9), Offset(11)));
        assert_eq!((header.base_timestamp, header.max_timestamp), (1000, 1020));
        assert_eq!((header.record_count, header.last_sequence()), (3, 32));
        assert!(header.is_transactional() && !header.is_control());
        let records: Vec<_> =
            RecordIter::new(view.records(), 3).collect::<Result<_, _>>().expect("readable");
        assert_eq!(records[1].timestamp_delta, -10);
        assert_eq!((records[1].key, records[1].headers.count), (None, 1));
        assert_eq!(records[2].key, Some(&b""[..]));
    }

    proptest! {
        #[test]
        fn every_codec_gives_back_the_records(
            values in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..300), 1..50),
            start in any::<i64>(),
        ) {
            for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
                let spec = BatchSpec { codec, ..BatchSpec::default() };
                let mut builder = BatchBuilder::new(spec);
                for (value, step) in values.iter().zip(0..) {
                    builder.append(start.wrapping_add(step), None, Some(value), &[]);
                }
                let batch = builder.build().expect("all codecs are in");
                let view = BatchView::first(&batch).expect("batch");
                prop_assert!(view.is_crc_right());
                prop_assert_eq!(view.header.codec(), Ok(codec));
                let body = compression::decompress(codec, view.records(), 1 << 20).expect("fits");
                let mut walk = RecordIter::new(&body, view.header.record_count);
                for (value, step) in values.iter().zip(0..) {
                    let record = walk.next().expect("there").expect("readable");
                    prop_assert_eq!(record.value, Some(&value[..]));
                    let base = view.header.base_timestamp;
                    let time = base.wrapping_add(record.timestamp_delta);
                    prop_assert_eq!(time, start.wrapping_add(step));
                }
                prop_assert_eq!(walk.next(), None);
            }
        }
    }
}

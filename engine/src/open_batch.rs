//! A batch with its body unpacked: records with their offsets and timestamps in the log.
//!
//! For whoever must look inside a stored batch: the search by timestamp, compaction, recovery's
//! transaction markers, the tools.

use std::borrow::Cow;

use millrace_wire::WireError;

use crate::batch::{BatchHeader, BatchView, Codec, TimestampType};
use crate::compression::{self, CompressionError};
use crate::ids::Offset;
use crate::record::{Record, RecordError, RecordIter};

/// Why a batch cannot be looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// No codec has this number.
    UnknownCodec {
        /// 5 to 7.
        id: i16,
    },
    /// The body cannot be unpacked.
    Compression(CompressionError),
    /// The body is not the records that the header declares.
    Body(RecordError),
    /// A control record is not one.
    Control(WireError),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownCodec { id } => write!(f, "no codec has the number {id}"),
            Self::Compression(error) => error.fmt(f),
            Self::Body(error) => error.fmt(f),
            Self::Control(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<CompressionError> for OpenError {
    fn from(error: CompressionError) -> Self {
        Self::Compression(error)
    }
}

impl From<RecordError> for OpenError {
    fn from(error: RecordError) -> Self {
        Self::Body(error)
    }
}

/// A record and its place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp as readers see it, ms; -1 for none.
    pub timestamp: i64,
    /// Key, value, headers.
    pub record: Record<'a>,
}

/// A batch whose body is at hand.
#[derive(Clone, Debug)]
pub struct OpenBatch<'a> {
    /// The batch's header.
    pub header: BatchHeader,
    body: Cow<'a, [u8]>,
}

impl<'a> OpenBatch<'a> {
    /// Unpacks the batch; copies nothing if it is not packed.
    ///
    /// - `limit_bytes`: most bytes that the body may unpack to.
    pub fn open(view: &BatchView<'a>, limit_bytes: usize) -> Result<Self, OpenError> {
        let codec = view.header.codec().map_err(|id| OpenError::UnknownCodec { id })?;
        let body = match codec {
            Codec::None => Cow::Borrowed(view.records()),
            Codec::Gzip | Codec::Snappy | Codec::Lz4 | Codec::Zstd => {
                Cow::Owned(compression::decompress(codec, view.records(), limit_bytes)?)
            }
        };
        Ok(Self { header: view.header, body })
    }

    /// The body, not packed.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The records, front to back; after an error the walk is over.
    pub fn records(&self) -> impl Iterator<Item = Result<LogRecord<'_>, RecordError>> {
        let header = self.header;
        RecordIter::new(&self.body, header.record_count).map(move |record| {
            let record = record?;
            Ok(LogRecord {
                offset: header.base_offset.plus(record.offset_delta.into()),
                timestamp: timestamp_of(&header, &record),
                record,
            })
        })
    }

    /// The first record at or behind `start` whose timestamp is at least `target`, as ListOffsets
    /// by timestamp asks for it.
    ///
    /// - `target`: ms. `start`: records below it are not readable any more.
    pub fn first_at_or_after(
        &self,
        target: i64,
        start: Offset,
    ) -> Result<Option<LogRecord<'_>>, RecordError> {
        for record in self.records() {
            let record = record?;
            if record.timestamp >= target && record.offset >= start {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// The first record that carries the batch's largest timestamp, as ListOffsets -3 asks for it.
    pub fn first_of_max_timestamp(&self) -> Result<Option<LogRecord<'_>>, RecordError> {
        let mut best: Option<LogRecord<'_>> = None;
        for record in self.records() {
            let record = record?;
            if best.is_none_or(|best| record.timestamp > best.timestamp) {
                best = Some(record);
            }
        }
        Ok(best)
    }
}

/// A record's timestamp as readers see it, ms. The sum wraps as Kafka's does.
pub(crate) fn timestamp_of(header: &BatchHeader, record: &Record<'_>) -> i64 {
    match header.timestamp_type() {
        TimestampType::CreateTime => header.base_timestamp.wrapping_add(record.timestamp_delta),
        TimestampType::LogAppendTime => header.max_timestamp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{BatchBuilder, BatchSpec};
    use bytes::Bytes;

    fn batch(codec: Codec, timestamp_type: TimestampType) -> Bytes {
        let mut builder = BatchBuilder::new(BatchSpec {
            base_offset: Offset(100),
            codec,
            timestamp_type,
            ..BatchSpec::default()
        });
        for timestamp in [1000, 990, 1020, 1020, 1010] {
            builder.append(timestamp, None, Some(b"value"), &[]);
        }
        builder.build().expect("all codecs are in")
    }

    #[test]
    fn a_search_by_timestamp_finds_the_first_record_that_is_late_enough() {
        for codec in [Codec::None, Codec::Zstd] {
            let bytes = batch(codec, TimestampType::CreateTime);
            let view = BatchView::first(&bytes).expect("batch");
            let open = OpenBatch::open(&view, 1 << 20).expect("opens");
            let find = |target, start| {
                open.first_at_or_after(target, Offset(start))
                    .expect("readable")
                    .map(|found| (found.offset.0, found.timestamp))
            };
            assert_eq!(find(0, 0), Some((100, 1000)));
            assert_eq!(find(0, 101), Some((101, 990)));
            assert_eq!(find(1001, 0), Some((102, 1020)));
            assert_eq!(find(1001, 104), Some((104, 1010)));
            assert_eq!(find(1021, 0), None);
            let largest = open.first_of_max_timestamp().expect("readable").expect("one");
            assert_eq!((largest.offset.0, largest.timestamp), (102, 1020));
        }
    }

    #[test]
    fn with_log_append_time_all_records_have_the_batchs_timestamp() {
        let bytes = batch(Codec::None, TimestampType::LogAppendTime);
        let open = OpenBatch::open(&BatchView::first(&bytes).expect("batch"), 0).expect("opens");
        assert!(open.records().all(|record| record.expect("readable").timestamp == 1020));
        let largest = open.first_of_max_timestamp().expect("readable").expect("one");
        assert_eq!(largest.offset, Offset(100));
    }
}

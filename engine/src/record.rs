//! Records inside a batch's uncompressed body: reading and writing one.
//!
//! ```text
//! length varint │ attributes i8 │ timestamp delta varlong │ offset delta varint
//!   │ key length varint (-1 null), key │ value length varint (-1 null), value
//!   │ header count varint │ { key length varint, key │ value length varint (-1 null), value }*
//! ```
//!
//! All varints are zig-zag. Deltas count from the batch's `base_timestamp` and `base_offset`.
//! Reading copies nothing, never panics and believes no length before it was checked. The count in
//! the batch header and the bytes must agree exactly, as Kafka's iterators demand.
//! Source: Kafka's "Record" and "Record Header" documentation.

use millrace_wire::{Reader, WireError, Writer};

/// The largest length prefix of a record, bytes.
const VARINT_BYTES_MAX: usize = 5;

/// Why a batch's body is not the records that its header declares. Kafka: 87 INVALID_RECORD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// A field of the record cannot be read.
    Wire {
        /// 0-based index of the record in its batch.
        index: i32,
        /// What and where, from the start of the record's own bytes.
        error: WireError,
    },
    /// The record's fields end before or behind its length.
    Length {
        /// 0-based index of the record in its batch.
        index: i32,
        /// The record's length as declared, bytes.
        declared: usize,
        /// What its fields take, bytes.
        read: usize,
    },
    /// Bytes are left behind the last declared record.
    Remaining {
        /// How many.
        bytes: usize,
    },
    /// The bytes end before the last declared record.
    Missing {
        /// Index of the first record that is not there.
        index: i32,
    },
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Wire { index, error } => write!(f, "record {index}: {error}"),
            Self::Length { index, declared, read } => {
                write!(f, "record {index} declares {declared} bytes and takes {read}")
            }
            Self::Remaining { bytes } => {
                write!(f, "{bytes} bytes are left behind the last declared record")
            }
            Self::Missing { index } => write!(f, "the bytes end before record {index}"),
        }
    }
}

impl std::error::Error for RecordError {}

/// One record, borrowed from the batch's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Unused by Kafka, 0.
    pub attributes: i8,
    /// Its timestamp minus the batch's `base_timestamp`, ms.
    pub timestamp_delta: i64,
    /// Its offset minus the batch's `base_offset`.
    pub offset_delta: i32,
    /// The key; `None` is null, which is not empty.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is null, a tombstone where the topic is compacted.
    pub value: Option<&'a [u8]>,
    /// The headers, still encoded.
    pub headers: Headers<'a>,
}

/// A record's headers, checked but still encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    /// Headers there are.
    pub count: usize,
    bytes: &'a [u8],
}

/// One header of a record. Keys are text by convention and may repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Never null.
    pub key: &'a [u8],
    /// May be null.
    pub value: Option<&'a [u8]>,
}

impl<'a> Headers<'a> {
    /// The headers in the order they were written.
    pub fn iter(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        let mut reader = Reader::new(self.bytes);
        // Checked when the record was read, so no header is lost here.
        (0..self.count).map_while(move |_| read_header(&mut reader).ok())
    }

    /// Walks `count` headers so that [`Self::iter`] cannot fail.
    fn read(reader: &mut Reader<'a>) -> Result<Self, WireError> {
        let count = reader.varint()?;
        // A header is two length bytes at least.
        let count = usize::try_from(count)
            .ok()
            .filter(|count| *count <= reader.remaining() / 2)
            .ok_or(WireError::Length { at: reader.position(), length: count.into() })?;
        let bytes = reader.rest();
        let start = reader.position();
        for _ in 0..count {
            read_header(reader)?;
        }
        let length = reader.position() - start;
        Ok(Self { count, bytes: bytes.get(..length).unwrap_or_default() })
    }
}

fn read_header<'a>(reader: &mut Reader<'a>) -> Result<Header<'a>, WireError> {
    let at = reader.position();
    let key = read_bytes(reader)?.ok_or(WireError::Length { at, length: -1 })?;
    Ok(Header { key, value: read_bytes(reader)? })
}

/// Bytes behind a varint length. Every negative length is null, as in Kafka's reader.
fn read_bytes<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, WireError> {
    let length = reader.varint()?;
    usize::try_from(length).map_or(Ok(None), |length| reader.raw(length).map(Some))
}

impl<'a> Record<'a> {
    /// Reads the fields behind the length prefix.
    fn read_body(reader: &mut Reader<'a>) -> Result<Self, WireError> {
        Ok(Self {
            attributes: reader.i8()?,
            timestamp_delta: reader.varlong()?,
            offset_delta: reader.varint()?,
            key: read_bytes(reader)?,
            value: read_bytes(reader)?,
            headers: Headers::read(reader)?,
        })
    }
}

/// Walks the records of an uncompressed body, and checks at the end that the count was right.
#[derive(Clone, Debug)]
pub struct RecordIter<'a> {
    reader: Reader<'a>,
    index: i32,
    count: i32,
    is_done: bool,
}

impl<'a> RecordIter<'a> {
    /// A walk over `body`, which should hold `count` records and nothing else.
    pub const fn new(body: &'a [u8], count: i32) -> Self {
        Self { reader: Reader::new(body), index: 0, count, is_done: false }
    }

    fn step(&mut self) -> Result<Option<Record<'a>>, RecordError> {
        let index = self.index;
        if index >= self.count {
            return match self.reader.remaining() {
                0 => Ok(None),
                bytes => Err(RecordError::Remaining { bytes }),
            };
        }
        if self.reader.remaining() == 0 {
            return Err(RecordError::Missing { index });
        }
        let wire = |error| RecordError::Wire { index, error };
        let at = self.reader.position();
        let length = self.reader.varint().map_err(wire)?;
        let declared = usize::try_from(length)
            .map_err(|_| wire(WireError::Length { at, length: length.into() }))?;
        let mut fields = Reader::new(self.reader.raw(declared).map_err(wire)?);
        let record = Record::read_body(&mut fields).map_err(wire)?;
        if fields.remaining() > 0 {
            let read = fields.position();
            return Err(RecordError::Length { index, declared, read });
        }
        self.index += 1;
        Ok(Some(record))
    }
}

impl<'a> Iterator for RecordIter<'a> {
    type Item = Result<Record<'a>, RecordError>;

    /// After an error the walk is over.
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let item = self.step().transpose();
        self.is_done = !matches!(item, Some(Ok(_)));
        item
    }
}

/// Where and when a record stands in its batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordPlace {
    /// Its timestamp minus the batch's `base_timestamp`, ms.
    pub timestamp_delta: i64,
    /// Its offset minus the batch's `base_offset`.
    pub offset_delta: i32,
}

/// Appends one record to a body.
///
/// - `headers` are walked twice.
/// - A key, value or header beyond 2^31 - 1 bytes is our own fault.
pub fn write_record<'a>(
    body: &mut Writer,
    place: RecordPlace,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: impl Iterator<Item = Header<'a>> + Clone,
) {
    // The length stands in front and is only known behind: the fields go into place first, the
    // prefix is inserted by moving them by at most five bytes.
    let start = body.len();
    body.raw(&[0; VARINT_BYTES_MAX]);
    body.i8(0);
    body.varlong(place.timestamp_delta);
    body.varint(place.offset_delta);
    write_bytes(body, key);
    write_bytes(body, value);
    body.varint(length_i32(headers.clone().count()));
    for header in headers {
        write_bytes(body, Some(header.key));
        write_bytes(body, header.value);
    }
    let fields = start + VARINT_BYTES_MAX;
    let mut prefix = Writer::new();
    prefix.varint(length_i32(body.len() - fields));
    let mut bytes = std::mem::take(body).into_vec();
    bytes.copy_within(fields.., start + prefix.len());
    bytes.truncate(bytes.len() - (VARINT_BYTES_MAX - prefix.len()));
    bytes[start..start + prefix.len()].copy_from_slice(prefix.as_slice());
    *body = Writer::over(bytes);
}

fn write_bytes(body: &mut Writer, bytes: Option<&[u8]>) {
    match bytes {
        None => body.varint(-1),
        Some(bytes) => {
            body.varint(length_i32(bytes.len()));
            body.raw(bytes);
        }
    }
}

fn length_i32(length: usize) -> i32 {
    let length = i32::try_from(length);
    assert!(length.is_ok(), "a field of a record exceeds 2^31 - 1 bytes");
    length.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_has_kafkas_bytes() {
        // Zig-zag: length 22 is 0x2c, delta 5 is 0x0a, offset 1 is 0x02, null is 0x01.
        let mut body = Writer::new();
        let place = RecordPlace { timestamp_delta: 5, offset_delta: 1 };
        let headers = [Header { key: b"h", value: Some(b"xy") }, Header { key: b"n", value: None }];
        write_record(&mut body, place, Some(b"key"), Some(b"value"), headers.iter().copied());
        let golden = b"\x2c\x00\x0a\x02\x06key\x0avalue\x04\x02h\x04xy\x02n\x01";
        assert_eq!(body.as_slice(), golden);

        let mut body = Writer::new();
        write_record(&mut body, RecordPlace::default(), None, None, [].into_iter());
        assert_eq!(body.as_slice(), b"\x0c\x00\x00\x00\x01\x01\x00");
    }

    #[test]
    fn a_count_that_disagrees_with_the_bytes_is_an_error() {
        let mut body = Writer::new();
        for offset_delta in 0..3 {
            let place = RecordPlace { timestamp_delta: 0, offset_delta };
            write_record(&mut body, place, Some(b"k"), None, [].into_iter());
        }
        let walk = |count| RecordIter::new(body.as_slice(), count).last();
        assert!(matches!(walk(3), Some(Ok(Record { offset_delta: 2, .. }))));
        assert_eq!(walk(4), Some(Err(RecordError::Missing { index: 3 })));
        assert_eq!(walk(2), Some(Err(RecordError::Remaining { bytes: 8 })));
        assert_eq!(walk(-1), Some(Err(RecordError::Remaining { bytes: 24 })));
    }

    #[test]
    fn a_record_that_is_longer_than_its_fields_is_an_error() {
        // A length of 7 over fields of 6 bytes.
        let bytes = b"\x0e\x00\x00\x00\x01\x01\x00\x00";
        assert_eq!(
            RecordIter::new(bytes, 1).next(),
            Some(Err(RecordError::Length { index: 0, declared: 7, read: 6 }))
        );
        // A header without a key.
        let bytes = b"\x10\x00\x00\x00\x01\x01\x02\x01\x01";
        assert!(matches!(
            RecordIter::new(bytes, 1).next(),
            Some(Err(RecordError::Wire { index: 0, error: WireError::Length { length: -1, .. } }))
        ));
    }

    type Parts = (i64, i32, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(Vec<u8>, Option<Vec<u8>>)>);

    fn any_record() -> impl Strategy<Value = Parts> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..200);
        let nullable = move || proptest::option::of(bytes());
        let headers = proptest::collection::vec((bytes(), nullable()), 0..4);
        (any::<i64>(), any::<i32>(), nullable(), nullable(), headers)
    }

    proptest! {
        #[test]
        fn records_round_trip(records in proptest::collection::vec(any_record(), 0..20)) {
            let mut body = Writer::new();
            for (timestamp_delta, offset_delta, key, value, headers) in &records {
                let place =
                    RecordPlace { timestamp_delta: *timestamp_delta, offset_delta: *offset_delta };
                let headers = headers
                    .iter()
                    .map(|(key, value)| Header { key, value: value.as_deref() });
                write_record(&mut body, place, key.as_deref(), value.as_deref(), headers);
            }
            let count = i32::try_from(records.len()).expect("few");
            let mut walk = RecordIter::new(body.as_slice(), count);
            for (timestamp_delta, offset_delta, key, value, headers) in &records {
                let record = walk.next().expect("there").expect("readable");
                prop_assert_eq!(record.timestamp_delta, *timestamp_delta);
                prop_assert_eq!(record.offset_delta, *offset_delta);
                prop_assert_eq!(record.key, key.as_deref());
                prop_assert_eq!(record.value, value.as_deref());
                let read: Vec<_> = record
                    .headers
                    .iter()
                    .map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec)))
                    .collect();
                prop_assert_eq!(&read, headers);
            }
            prop_assert_eq!(walk.next(), None);
        }

        #[test]
        fn no_bytes_make_reading_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            count in any::<i32>(),
        ) {
            for record in RecordIter::new(&bytes, count).flatten() {
                let _ = record.headers.iter().count();
            }
        }
    }
}

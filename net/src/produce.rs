//! A Produce request read in place: nothing is copied, record data stays in its frame.
//!
//! [`ProduceRequestView::decode`] walks the whole request once, so a malformed one is refused
//! before any of it is appended; walking the view afterwards cannot fail.

use millrace_wire::field::{self, Form};
use millrace_wire::{Reader, Uuid, WireError};
use std::ops::Range;

/// The first version of a Produce request that can be read.
const VERSION_MIN: i16 = 3;
/// The last one.
const VERSION_MAX: i16 = 13;
/// The first one with compact lengths.
const FLEXIBLE_FROM: i16 = 9;
/// The first one that names topics by id.
const TOPIC_ID_FROM: i16 = 13;
/// The least a topic takes: a name's length or an id, an array's count, tagged fields.
const TOPIC_BYTES_MIN: usize = 3;
/// The least a partition takes: its index, the records' length, tagged fields.
const PARTITION_BYTES_MIN: usize = 6;

/// A Produce request, versions 3 to 13, borrowed from its frame.
#[derive(Clone, Debug)]
pub struct ProduceRequestView<'a> {
    /// Set when the batches belong to a transaction.
    pub transactional_id: Option<&'a str>,
    /// 0, 1 or -1 if the client keeps to the protocol; any number otherwise.
    pub acks: i16,
    /// How long the client lets replication take, ms.
    pub timeout_ms: i32,
    /// Topics named.
    pub topic_count: usize,
    /// Partitions over all topics.
    pub partition_count: usize,
    version: i16,
    topics: Reader<'a>,
}

/// One topic of a Produce request.
#[derive(Clone, Debug)]
pub struct ProduceTopicView<'a> {
    /// The topic's name; empty from version 13.
    pub name: &'a str,
    /// The topic's id; zero before version 13.
    pub topic_id: Uuid,
    /// Partitions of this topic.
    pub partition_count: usize,
    form: Form,
    partitions: Reader<'a>,
}

/// One partition of a Produce request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducePartitionView {
    /// The partition.
    pub index: i32,
    /// Where its record batches lie, bytes from the front of what the request was read from; for a
    /// reader over the whole frame, the frame's. `None` for null.
    pub records: Option<Range<usize>>,
}

impl<'a> ProduceRequestView<'a> {
    /// Reads the body of a Produce request and checks all of it but the records.
    ///
    /// - `reader`: over the frame, at the body; left behind the body.
    /// - An unknown version is [`WireError::Invalid`].
    pub fn decode(reader: &mut Reader<'a>, version: i16) -> Result<Self, WireError> {
        if !(VERSION_MIN..=VERSION_MAX).contains(&version) {
            return Err(WireError::Invalid("ProduceRequest has no such version"));
        }
        let form = field::form(version, FLEXIBLE_FROM);
        let transactional_id = field::read_nullable_str(reader, form)?;
        let acks = reader.i16()?;
        let timeout_ms = reader.i32()?;
        let topic_count = field::not_null(field::read_count(reader, form, TOPIC_BYTES_MIN)?)?;
        let topics = reader.clone();
        let mut partition_count = 0;
        for _ in 0..topic_count {
            partition_count += topic(reader, version)?.partition_count;
        }
        end(reader, form)?;
        Ok(Self {
            transactional_id,
            acks,
            timeout_ms,
            topic_count,
            partition_count,
            version,
            topics,
        })
    }

    /// The topics in the order of the request.
    pub fn topics(&self) -> impl Iterator<Item = ProduceTopicView<'a>> + use<'a> {
        let (mut reader, version) = (self.topics.clone(), self.version);
        // All of it was read once, so every topic is there.
        (0..self.topic_count).map_while(move |_| topic(&mut reader, version).ok())
    }
}

impl ProduceTopicView<'_> {
    /// The partitions in the order of the request.
    pub fn partitions(&self) -> impl Iterator<Item = ProducePartitionView> + use<'_> {
        let (mut reader, form) = (self.partitions.clone(), self.form);
        (0..self.partition_count).map_while(move |_| partition(&mut reader, form).ok())
    }
}

/// Reads a topic and all its partitions.
fn topic<'a>(reader: &mut Reader<'a>, version: i16) -> Result<ProduceTopicView<'a>, WireError> {
    let form = field::form(version, FLEXIBLE_FROM);
    let (name, topic_id) = if version >= TOPIC_ID_FROM {
        ("", reader.uuid()?)
    } else {
        let name = field::not_null(field::read_nullable_str(reader, form)?)?;
        (name, Uuid::ZERO)
    };
    let count = field::read_count(reader, form, PARTITION_BYTES_MIN)?;
    let partition_count = field::not_null(count)?;
    let partitions = reader.clone();
    for _ in 0..partition_count {
        partition(reader, form)?;
    }
    end(reader, form)?;
    Ok(ProduceTopicView { name, topic_id, partition_count, form, partitions })
}

fn partition(reader: &mut Reader<'_>, form: Form) -> Result<ProducePartitionView, WireError> {
    let index = reader.i32()?;
    let records = match form {
        Form::Classic => reader.nullable_bytes()?,
        Form::Compact => reader.compact_nullable_bytes()?,
    };
    let records = records.map(|records| reader.position() - records.len()..reader.position());
    end(reader, form)?;
    Ok(ProducePartitionView { index, records })
}

/// Reads over the tagged fields that end a flexible struct.
fn end(reader: &mut Reader<'_>, form: Form) -> Result<(), WireError> {
    match form {
        Form::Classic => Ok(()),
        Form::Compact => reader.skip_tagged_fields(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
    use bytes::Bytes;
    use millrace_wire::Writer;

    fn request(version: i16) -> ProduceRequest {
        let partition = |index: i32, records: Option<&'static [u8]>| PartitionProduceData {
            index,
            records: records.map(Bytes::from_static),
        };
        let topic = |name: &str, id: u128, partition_data| TopicProduceData {
            name: if version < 13 { name } else { "" }.to_owned(),
            topic_id: if version < 13 { Uuid::ZERO } else { Uuid(id) },
            partition_data,
        };
        ProduceRequest {
            transactional_id: Some("tx".to_owned()),
            acks: -1,
            timeout_ms: 30_000,
            topic_data: vec![
                topic("a", 1, vec![partition(0, Some(b"first")), partition(5, None)]),
                topic("b", 2, vec![]),
                topic("c", 3, vec![partition(2, Some(b""))]),
            ],
        }
    }

    /// The view as a plain struct.
    fn copied(frame: &[u8], view: &ProduceRequestView<'_>) -> ProduceRequest {
        ProduceRequest {
            transactional_id: view.transactional_id.map(str::to_owned),
            acks: view.acks,
            timeout_ms: view.timeout_ms,
            topic_data: view
                .topics()
                .map(|topic| TopicProduceData {
                    name: topic.name.to_owned(),
                    topic_id: topic.topic_id,
                    partition_data: topic
                        .partitions()
                        .map(|partition| PartitionProduceData {
                            index: partition.index,
                            records: partition
                                .records
                                .map(|range| Bytes::copy_from_slice(&frame[range])),
                        })
                        .collect(),
                })
                .collect(),
        }
    }

    #[test]
    fn the_view_says_what_the_plain_struct_says_in_every_version() {
        for version in VERSION_MIN..=VERSION_MAX {
            let mut writer = Writer::new();
            writer.raw(b"header");
            request(version).encode(&mut writer, version);
            let frame = writer.into_vec();
            let mut reader = Reader::new(&frame);
            reader.raw(6).unwrap();
            let view = ProduceRequestView::decode(&mut reader, version).unwrap();
            assert_eq!(reader.remaining(), 0);
            assert_eq!((view.topic_count, view.partition_count), (3, 3));
            assert_eq!(copied(&frame, &view), request(version), "version {version}");
        }
    }

    #[test]
    fn a_request_cut_anywhere_is_refused_whole() {
        for version in VERSION_MIN..=VERSION_MAX {
            let mut writer = Writer::new();
            request(version).encode(&mut writer, version);
            let body = writer.into_vec();
            for length in 0..body.len() {
                let mut reader = Reader::new(&body[..length]);
                assert!(ProduceRequestView::decode(&mut reader, version).is_err());
            }
        }
    }
}

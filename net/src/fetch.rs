//! A Fetch response written around what is not in memory.
//!
//! The numbers go into one buffer; each partition's records are chunks, ranges of files as a rule,
//! that are announced by their length alone. [`FetchResponseWriter::finish`] gives the frame as
//! chunks in the order of the wire, the buffer cut where records belong:
//!
//! ```text
//! | length, header, topic, partition 0, records' length | file range | partition 1, … | file range | tags |
//! ```

use crate::api_key::ApiKey;
use crate::frame::LENGTH_BYTES;
use crate::header::begin_response;
use crate::messages::fetch::{
    EpochEndOffset, FetchResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData, SnapshotId,
};
use bytes::Bytes;
use millrace_io::Chunk;
use millrace_wire::field::{self, Form, TaggedFields};
use millrace_wire::{Uuid, Writer};

/// Builds one Fetch response frame, versions 4 to 18.
#[derive(Debug)]
pub struct FetchResponseWriter {
    writer: Writer,
    version: i16,
    form: Form,
    /// Where in the buffer chunks belong, ascending.
    holes: Vec<(usize, Chunk)>,
    holes_bytes: usize,
    topics_due: usize,
    partitions_due: usize,
}

/// What stands at the front of a Fetch response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FetchResponseHead {
    /// How long the client is asked to wait, ms.
    pub throttle_time_ms: i32,
    /// The outcome of the whole request; told from version 7.
    pub error_code: i16,
    /// The fetch session, 0 for none; told from version 7.
    pub session_id: i32,
}

impl FetchResponseWriter {
    /// A response in `version` that will name `topic_count` topics.
    pub fn new(
        correlation_id: i32,
        version: i16,
        head: FetchResponseHead,
        topic_count: usize,
    ) -> Self {
        assert!(
            (FetchResponse::VERSION_MIN..=FetchResponse::VERSION_MAX).contains(&version),
            "FetchResponse has no version {version}"
        );
        let form = field::form(version, FetchResponse::FLEXIBLE_FROM);
        let mut writer = begin_response(ApiKey::Fetch, version, correlation_id);
        writer.i32(head.throttle_time_ms);
        if version >= 7 {
            writer.i16(head.error_code);
            writer.i32(head.session_id);
        }
        field::write_count(&mut writer, form, Some(topic_count));
        Self {
            writer,
            version,
            form,
            holes: Vec::new(),
            holes_bytes: 0,
            topics_due: topic_count,
            partitions_due: 0,
        }
    }

    /// Begins a topic of `partition_count` partitions. The name is told before version 13, the id
    /// from then on.
    pub fn topic(&mut self, name: &str, topic_id: Uuid, partition_count: usize) {
        assert!(self.topics_due > 0, "more topics than announced");
        let due = self.partitions_due;
        assert!(due == 0, "{due} partitions of the topic before are missing");
        if self.version >= 13 {
            self.writer.uuid(topic_id);
        } else {
            field::write_string(&mut self.writer, self.form, name);
        }
        field::write_count(&mut self.writer, self.form, Some(partition_count));
        self.topics_due -= 1;
        self.partitions_due = partition_count;
        if partition_count == 0 {
            self.end_struct();
        }
    }

    /// Writes a partition: all of `partition` but its records, which are `records`, in order.
    pub fn partition(
        &mut self,
        partition: &PartitionData,
        records: impl IntoIterator<Item = Chunk>,
    ) {
        assert!(self.partitions_due > 0, "more partitions than announced");
        let (version, form, writer) = (self.version, self.form, &mut self.writer);
        writer.i32(partition.partition_index);
        writer.i16(partition.error_code);
        writer.i64(partition.high_watermark);
        writer.i64(partition.last_stable_offset);
        if version >= 5 {
            writer.i64(partition.log_start_offset);
        }
        let aborted = partition.aborted_transactions.as_deref();
        field::write_nullable_array(writer, form, aborted, |writer, item| {
            item.encode(writer, version);
        });
        if version >= 11 {
            writer.i32(partition.preferred_read_replica);
        }
        self.records(records);
        if form == Form::Compact {
            partition_tags(&mut self.writer, partition, version);
        }
        self.partitions_due -= 1;
        if self.partitions_due == 0 {
            self.end_struct();
        }
    }

    /// The frame, in the order of the wire. `node_endpoints` is told from version 16.
    pub fn finish(mut self, node_endpoints: &[NodeEndpoint]) -> Vec<Chunk> {
        let (topics, partitions) = (self.topics_due, self.partitions_due);
        assert!(topics == 0, "{topics} announced topics are missing");
        assert!(partitions == 0, "{partitions} announced partitions are missing");
        if self.version >= 16 && !node_endpoints.is_empty() {
            let mut tagged = TaggedFields::new();
            tagged.add(0, |writer| {
                field::write_array(writer, Form::Compact, node_endpoints, |writer, node| {
                    node.encode(writer, self.version);
                });
            });
            tagged.finish(&mut self.writer);
        } else {
            self.end_struct();
        }
        let mut bytes = self.writer.into_vec();
        let length = bytes.len() - LENGTH_BYTES + self.holes_bytes;
        let length = i32::try_from(length);
        assert!(length.is_ok(), "a Fetch response of 2 GiB or more");
        bytes[..LENGTH_BYTES].copy_from_slice(&length.unwrap_or_default().to_be_bytes());

        let mut bytes = Bytes::from(bytes);
        let mut chunks = Vec::with_capacity(2 * self.holes.len() + 1);
        let mut sent = 0;
        for (at, chunk) in self.holes {
            if at > sent {
                chunks.push(Chunk::Bytes(bytes.split_to(at - sent)));
                sent = at;
            }
            chunks.push(chunk);
        }
        if !bytes.is_empty() {
            chunks.push(Chunk::Bytes(bytes));
        }
        chunks
    }

    /// Announces the chunks' length and keeps their place.
    fn records(&mut self, records: impl IntoIterator<Item = Chunk>) {
        let first = self.holes.len();
        let filled = records.into_iter().filter(|chunk| !chunk.is_empty());
        self.holes.extend(filled.map(|chunk| (0, chunk)));
        let length = self.holes[first..].iter().map(|(_, chunk)| chunk.len()).sum();
        // The length of bytes is written as the count of an array is.
        field::write_count(&mut self.writer, self.form, Some(length));
        let at = self.writer.len();
        for hole in &mut self.holes[first..] {
            hole.0 = at;
        }
        self.holes_bytes += length;
    }

    fn end_struct(&mut self) {
        if self.form == Form::Compact {
            self.writer.no_tagged_fields();
        }
    }
}

/// The tagged fields that end a partition.
fn partition_tags(writer: &mut Writer, partition: &PartitionData, version: i16) {
    let mut tagged = TaggedFields::new();
    if partition.diverging_epoch != EpochEndOffset::default() {
        tagged.add(0, |writer| partition.diverging_epoch.encode(writer, version));
    }
    if partition.current_leader != LeaderIdAndEpoch::default() {
        tagged.add(1, |writer| partition.current_leader.encode(writer, version));
    }
    if partition.snapshot_id != SnapshotId::default() {
        tagged.add(2, |writer| partition.snapshot_id.encode(writer, version));
    }
    tagged.finish(writer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::response_frame;
    use crate::messages::fetch::{AbortedTransaction, FetchableTopicResponse};

    fn response(version: i16) -> FetchResponse {
        let partition = |index: i32, records: &'static [u8]| PartitionData {
            partition_index: index,
            high_watermark: 7,
            last_stable_offset: 6,
            log_start_offset: if version >= 5 { 2 } else { -1 },
            diverging_epoch: EpochEndOffset {
                epoch: if version >= 12 { index } else { -1 },
                end_offset: -1,
            },
            aborted_transactions: (index == 1).then(|| {
                let (producer_id, first_offset) = (3, 4);
                vec![AbortedTransaction { producer_id, first_offset }]
            }),
            records: Some(Bytes::from_static(records)),
            ..PartitionData::default()
        };
        let topic = |name: &str, partitions| FetchableTopicResponse {
            topic: if version < 13 { name.to_owned() } else { String::new() },
            topic_id: if version < 13 { Uuid::ZERO } else { Uuid(9) },
            partitions,
        };
        FetchResponse {
            throttle_time_ms: 1,
            session_id: if version >= 7 { 5 } else { 0 },
            responses: vec![
                topic("a", vec![partition(0, b"batches"), partition(1, b"")]),
                topic("b", vec![]),
                topic("c", vec![partition(2, b"more")]),
            ],
            node_endpoints: if version >= 16 { vec![NodeEndpoint::default()] } else { Vec::new() },
            ..FetchResponse::default()
        }
    }

    #[test]
    fn the_chunks_are_the_bytes_of_the_plain_struct_in_every_version() {
        for version in FetchResponse::VERSION_MIN..=FetchResponse::VERSION_MAX {
            let plain = response(version);
            let head = FetchResponseHead {
                throttle_time_ms: plain.throttle_time_ms,
                error_code: plain.error_code,
                session_id: plain.session_id,
            };
            let mut writer = FetchResponseWriter::new(11, version, head, plain.responses.len());
            for topic in &plain.responses {
                writer.topic(&topic.topic, topic.topic_id, topic.partitions.len());
                for partition in &topic.partitions {
                    // Two chunks, to see that several make up one partition's records.
                    let mut records = partition.records.clone().unwrap();
                    let first = records.split_to(records.len() / 2);
                    writer.partition(partition, [Chunk::Bytes(first), Chunk::Bytes(records)]);
                }
            }
            let mut sent = Vec::new();
            for chunk in writer.finish(&plain.node_endpoints) {
                let Chunk::Bytes(bytes) = chunk else { unreachable!() };
                assert!(!bytes.is_empty());
                sent.extend_from_slice(&bytes);
            }
            assert_eq!(sent, response_frame(&plain, version, 11), "version {version}");
        }
    }

    #[test]
    #[should_panic(expected = "1 announced partitions are missing")]
    fn a_partition_that_was_announced_and_not_written_is_our_fault() {
        let mut writer = FetchResponseWriter::new(1, 4, FetchResponseHead::default(), 1);
        writer.topic("a", Uuid::ZERO, 1);
        drop(writer.finish(&[]));
    }
}

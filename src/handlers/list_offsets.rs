//! ListOffsets, versions 1 to 11.

use std::collections::{BTreeMap, BTreeSet};

use millrace_net::ErrorCode;
use millrace_net::messages::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use millrace_wire::WireError;

use crate::handlers::gather::{Gathered, Item, Place};
use crate::mail::{Answer, Ask, PartitionId};
use crate::shard::{Request, Shard, Turn};

/// Special timestamps, from the version on that knows them. Source: KIP-734, KIP-405, KIP-1005.
const SPECIAL: [(i64, i16); 4] = [(-3, 7), (-4, 8), (-5, 9), (-6, 11)];

impl Shard {
    /// Asks each partition's owner.
    pub(crate) fn handle_list_offsets(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: ListOffsetsRequest = request.decode()?;
        let version = request.to.version;
        if !(0..=1).contains(&body.isolation_level) {
            let response = failed(body);
            self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
            return Ok(());
        }
        let read_committed = body.isolation_level == 1;
        let mut times_named: BTreeMap<(&str, i32), u32> = BTreeMap::new();
        for topic in &body.topics {
            for partition in &topic.partitions {
                let name = (topic.name.as_str(), partition.partition_index);
                *times_named.entry(name).or_default() += 1;
            }
        }
        let mut response = ListOffsetsResponse::default();
        let mut items = Vec::new();
        for topic in &body.topics {
            let image = self.image.topic(&topic.name);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            let mut refused = BTreeSet::new();
            for partition in &topic.partitions {
                let index = partition.partition_index;
                let timestamp = partition.timestamp;
                let is_repeated = times_named[&(topic.name.as_str(), index)] > 1;
                if is_repeated && !refused.insert(index) {
                    // Refused once, however often it is named.
                    continue;
                }
                let is_known = image.is_some_and(|topic| topic.partition(index).is_some());
                let is_too_new =
                    SPECIAL.iter().any(|(special, from)| *special == timestamp && version < *from);
                let error = if is_repeated {
                    ErrorCode::InvalidRequest
                } else if is_too_new || timestamp < -6 {
                    ErrorCode::UnsupportedVersion
                } else if !is_known {
                    ErrorCode::UnknownTopicOrPartition
                } else {
                    ErrorCode::None
                };
                if let Some(image) = image.filter(|_| error == ErrorCode::None) {
                    items.push(Item {
                        partition: PartitionId { topic: image.id, index },
                        ask: Ask::Offset {
                            timestamp,
                            read_committed,
                            current_leader_epoch: partition.current_leader_epoch,
                        },
                        place: (response.topics.len(), partitions.len()),
                    });
                }
                partitions.push(ListOffsetsPartitionResponse {
                    partition_index: index,
                    error_code: error.code(),
                    ..ListOffsetsPartitionResponse::default()
                });
            }
            if partitions.is_empty() {
                continue;
            }
            let name = topic.name.clone();
            response.topics.push(ListOffsetsTopicResponse { name, partitions });
        }
        self.gather(turn, &request.to, Gathered::Offsets(response), items);
        Ok(())
    }
}

/// An isolation level that nobody defines: each partition fails, as in Kafka.
fn failed(body: ListOffsetsRequest) -> ListOffsetsResponse {
    let error_code = ErrorCode::UnknownServerError.code();
    let topics = body.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| {
            let partition_index = partition.partition_index;
            ListOffsetsPartitionResponse { partition_index, error_code, ..Default::default() }
        });
        ListOffsetsTopicResponse { name: topic.name, partitions: partitions.collect() }
    });
    ListOffsetsResponse { topics: topics.collect(), ..ListOffsetsResponse::default() }
}

impl Place for ListOffsetsResponse {
    fn place(&mut self, (topic, partition): (usize, usize), answer: Answer) {
        let Answer::Offset(result) = answer else { return };
        let place = &mut self.topics[topic].partitions[partition];
        match result {
            Ok(found) => {
                place.offset = found.offset;
                place.timestamp = found.timestamp;
                place.leader_epoch = found.leader_epoch;
            }
            Err(error) => place.error_code = error.code(),
        }
    }
}

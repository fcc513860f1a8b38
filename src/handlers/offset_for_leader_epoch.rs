//! OffsetForLeaderEpoch, versions 2 to 4. Source: KIP-101, KIP-320.

use millrace_net::ErrorCode;
use millrace_net::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    OffsetForLeaderTopicResult,
};
use millrace_wire::WireError;

use crate::handlers::gather::{Gathered, Item, Place};
use crate::mail::{Answer, Ask, PartitionId};
use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Asks each partition's owner.
    pub(crate) fn handle_offset_for_leader_epoch(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: OffsetForLeaderEpochRequest = request.decode()?;
        let mut response = OffsetForLeaderEpochResponse::default();
        let mut items = Vec::new();
        for topic in &body.topics {
            let image = self.image.topic(&topic.topic);
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let index = partition.partition;
                let known = image.filter(|topic| topic.partition(index).is_some());
                if let Some(image) = known {
                    items.push(Item {
                        partition: PartitionId { topic: image.id, index },
                        ask: Ask::EpochEnd {
                            current_leader_epoch: partition.current_leader_epoch,
                            leader_epoch: partition.leader_epoch,
                        },
                        place: (response.topics.len(), partitions.len()),
                    });
                }
                let error = match known {
                    Some(_) => ErrorCode::None,
                    None => ErrorCode::UnknownTopicOrPartition,
                };
                partitions.push(EpochEndOffset {
                    error_code: error.code(),
                    partition: index,
                    ..EpochEndOffset::default()
                });
            }
            let topic = topic.topic.clone();
            response.topics.push(OffsetForLeaderTopicResult { topic, partitions });
        }
        self.gather(turn, &request.to, Gathered::EpochEnds(response), items);
        Ok(())
    }
}

impl Place for OffsetForLeaderEpochResponse {
    fn place(&mut self, (topic, partition): (usize, usize), answer: Answer) {
        let Answer::EpochEnd(result) = answer else { return };
        let place = &mut self.topics[topic].partitions[partition];
        match result {
            Ok((leader_epoch, end_offset)) => {
                place.leader_epoch = leader_epoch;
                place.end_offset = end_offset;
            }
            Err(error) => place.error_code = error.code(),
        }
    }
}

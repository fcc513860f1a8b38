//! DescribeProducers, version 0. Source: KIP-664.

use millrace_net::ErrorCode;
use millrace_net::messages::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, PartitionResponse, ProducerState,
    TopicResponse,
};
use millrace_replication::controller::topic_name_check;
use millrace_wire::WireError;

use crate::handlers::gather::{Gathered, Item, Place};
use crate::mail::{Answer, Ask, PartitionId};
use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Asks each partition's owner.
    pub(crate) fn handle_describe_producers(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeProducersRequest = request.decode()?;
        let mut response = DescribeProducersResponse::default();
        let mut items = Vec::new();
        for topic in &body.topics {
            let image = self.image.topic(&topic.name);
            let is_name_bad = topic_name_check(&topic.name).is_err();
            let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
            for index in topic.partition_indexes.iter().copied() {
                let known = image.filter(|topic| topic.partition(index).is_some());
                if let Some(image) = known {
                    items.push(Item {
                        partition: PartitionId { topic: image.id, index },
                        ask: Ask::Producers,
                        place: (response.topics.len(), partitions.len()),
                    });
                }
                let error = match known {
                    Some(_) => ErrorCode::None,
                    None if is_name_bad => ErrorCode::InvalidTopicException,
                    None => ErrorCode::UnknownTopicOrPartition,
                };
                // Kafka has words for an unknown topic, and none for an unknown partition.
                let message = image.is_none().then(|| "there is no such topic".to_owned());
                partitions.push(PartitionResponse {
                    partition_index: index,
                    error_code: error.code(),
                    error_message: message,
                    ..PartitionResponse::default()
                });
            }
            response.topics.push(TopicResponse { name: topic.name.clone(), partitions });
        }
        self.gather(turn, &request.to, Gathered::Producers(response), items);
        Ok(())
    }
}

impl Place for DescribeProducersResponse {
    fn place(&mut self, (topic, partition): (usize, usize), answer: Answer) {
        let Answer::Producers(result) = answer else { return };
        let place = &mut self.topics[topic].partitions[partition];
        match result {
            Ok(producers) => {
                let each = producers.into_iter().map(|producer| ProducerState {
                    producer_id: producer.producer_id,
                    producer_epoch: producer.producer_epoch,
                    last_sequence: producer.last_sequence,
                    last_timestamp: producer.last_timestamp,
                    coordinator_epoch: producer.coordinator_epoch,
                    current_txn_start_offset: producer.current_txn_start_offset,
                });
                place.active_producers = each.collect();
            }
            Err(error) => place.error_code = error.code(),
        }
    }
}

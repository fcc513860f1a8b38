//! ListPartitionReassignments, version 0. Source: KIP-455.

use millrace_net::messages::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use millrace_replication::BrokerId;
use millrace_replication::image::{Partition, Topic};
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Answers from the image. A metadata log that a larger cluster wrote may hold some.
    pub(crate) fn handle_list_partition_reassignments(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: ListPartitionReassignmentsRequest = request.decode()?;
        let all = |topic: &Topic| ongoing(topic, topic.partitions());
        let topics: Vec<OngoingTopicReassignment> = match &body.topics {
            None => self.image.topics().filter_map(|topic| all(topic)).collect(),
            Some(topics) => topics
                .iter()
                .filter_map(|asked| {
                    let topic = self.image.topic(&asked.name)?;
                    let indexes = asked.partition_indexes.iter();
                    ongoing(topic, indexes.filter_map(|index| topic.partition(*index)))
                })
                .collect(),
        };
        let response = ListPartitionReassignmentsResponse {
            error_message: None,
            topics,
            ..ListPartitionReassignmentsResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

/// The topic with those of its partitions that are being reassigned; none without any.
fn ongoing<'a>(
    topic: &Topic,
    partitions: impl Iterator<Item = &'a Partition>,
) -> Option<OngoingTopicReassignment> {
    let ids = |brokers: &[BrokerId]| brokers.iter().map(|broker| broker.0).collect();
    let partitions: Vec<OngoingPartitionReassignment> = partitions
        .filter(|it| !it.adding_replicas.is_empty() || !it.removing_replicas.is_empty())
        .map(|partition| OngoingPartitionReassignment {
            partition_index: partition.index,
            replicas: ids(&partition.replicas),
            adding_replicas: ids(&partition.adding_replicas),
            removing_replicas: ids(&partition.removing_replicas),
        })
        .collect();
    let name = topic.name.to_string();
    (!partitions.is_empty()).then_some(OngoingTopicReassignment { name, partitions })
}

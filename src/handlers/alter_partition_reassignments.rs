//! AlterPartitionReassignments, versions 0 and 1, on a cluster of one node. Source: KIP-455.
//!
//! The only replicas a partition can have are those it has, so there is nothing to move: what is
//! asked for is either what is already, or names brokers that do not exist.

use std::collections::BTreeSet;

use millrace_net::ErrorCode;
use millrace_net::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ReassignablePartition,
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use millrace_replication::BrokerId;
use millrace_replication::image::Partition;
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

type Refused = (ErrorCode, Option<&'static str>);

impl Shard {
    /// Answers from the image.
    pub(crate) fn handle_alter_partition_reassignments(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: AlterPartitionReassignmentsRequest = request.decode()?;
        // Kafka's text for nothing asked is an empty one.
        let error_message = body.topics.is_empty().then(String::new);
        let responses = body.topics.into_iter().map(|asked| {
            let topic = self.image.topic(&asked.name);
            let partitions = asked.partitions.iter().map(|wanted| {
                let partition = topic.and_then(|topic| topic.partition(wanted.partition_index));
                let refused = self.check_reassignment(partition, wanted).err();
                ReassignablePartitionResponse {
                    partition_index: wanted.partition_index,
                    error_code: refused.map_or(0, |(error, _)| error.code()),
                    error_message: refused.and_then(|(_, message)| message).map(str::to_owned),
                }
            });
            ReassignableTopicResponse { partitions: partitions.collect(), name: asked.name }
        });
        let response = AlterPartitionReassignmentsResponse {
            allow_replication_factor_change: body.allow_replication_factor_change,
            error_message,
            responses: responses.collect(),
            ..AlterPartitionReassignmentsResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    fn check_reassignment(
        &self,
        partition: Option<&Partition>,
        wanted: &ReassignablePartition,
    ) -> Result<(), Refused> {
        let partition = partition
            .ok_or((ErrorCode::UnknownTopicOrPartition, Some("there is no such partition")))?;
        let Some(replicas) = &wanted.replicas else {
            return Err((ErrorCode::NoReassignmentInProgress, None));
        };
        let invalid = |why| Err((ErrorCode::InvalidReplicaAssignment, Some(why)));
        if replicas.is_empty() {
            return invalid("a partition needs a replica");
        }
        let set: BTreeSet<i32> = replicas.iter().copied().collect();
        if set.len() < replicas.len() {
            return invalid("a broker holds a partition once");
        }
        if set.iter().any(|id| self.image.broker(BrokerId(*id)).is_none()) {
            return invalid("a broker is not registered");
        }
        if set.iter().any(|id| !partition.replicas.contains(&BrokerId(*id))) {
            return invalid("partitions cannot be moved on this broker");
        }
        Ok(())
    }
}

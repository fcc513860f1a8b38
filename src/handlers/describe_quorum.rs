//! DescribeQuorum, versions 0 to 2: the metadata log's one voter. Source: KIP-595, KIP-836.

use millrace_net::ErrorCode;
use millrace_net::messages::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumResponse, Node, PartitionData, ReplicaState,
    ResponsePartitionData, ResponseTopicData,
};
use millrace_replication::controller::CLUSTER_METADATA_TOPIC;
use millrace_wire::{Uuid, WireError};

use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Answers from the image: what this shard knows of the metadata log is committed.
    pub(crate) fn handle_describe_quorum(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeQuorumRequest = request.decode()?;
        let is_metadata = match body.topics.as_slice() {
            [topic] => {
                topic.topic_name == CLUSTER_METADATA_TOPIC
                    && matches!(topic.partitions.as_slice(), [PartitionData { partition_index: 0 }])
            }
            _ => false,
        };
        let response = if is_metadata {
            self.describe_quorum(turn.now.wall.0)
        } else {
            let topics = body.topics.into_iter().map(|topic| ResponseTopicData {
                topic_name: topic.topic_name,
                partitions: topic.partitions.iter().map(unknown).collect(),
            });
            DescribeQuorumResponse { topics: topics.collect(), ..Default::default() }
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    fn describe_quorum(&self, now_ms: i64) -> DescribeQuorumResponse {
        let node_id = self.setup.node_id;
        let end_offset = self.image.offset() + 1;
        let voter = ReplicaState {
            replica_id: node_id,
            // A quorum whose voters are fixed does not know them by their directories.
            replica_directory_id: Uuid::ZERO,
            log_end_offset: end_offset,
            last_fetch_timestamp: now_ms,
            last_caught_up_timestamp: now_ms,
        };
        let partition = ResponsePartitionData {
            leader_id: node_id,
            leader_epoch: self.metadata_epoch().0,
            high_watermark: end_offset,
            current_voters: vec![voter],
            ..ResponsePartitionData::default()
        };
        DescribeQuorumResponse {
            topics: vec![ResponseTopicData {
                topic_name: CLUSTER_METADATA_TOPIC.to_owned(),
                partitions: vec![partition],
            }],
            // The controller is in the broker's process and listens nowhere by itself.
            nodes: vec![Node { node_id, listeners: Vec::new() }],
            ..DescribeQuorumResponse::default()
        }
    }
}

fn unknown(partition: &PartitionData) -> ResponsePartitionData {
    ResponsePartitionData {
        partition_index: partition.partition_index,
        error_code: ErrorCode::UnknownTopicOrPartition.code(),
        error_message: Some("only the metadata log has a quorum".to_owned()),
        ..ResponsePartitionData::default()
    }
}

//! ElectLeaders, versions 0 to 2, on a node that leads all it can lead. Source: KIP-183, KIP-460.

use millrace_net::ErrorCode;
use millrace_net::messages::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult,
};
use millrace_replication::BrokerId;
use millrace_replication::image::Partition;
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

/// The first replica is to lead.
const PREFERRED: i8 = 0;
/// Any replica is to lead, whatever it lacks.
const UNCLEAN: i8 = 1;

impl Shard {
    /// Answers from the image: with one node, what can have a leader has it since the start.
    pub(crate) fn handle_elect_leaders(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: ElectLeadersRequest = request.decode()?;
        let kind = if request.to.version == 0 { PREFERRED } else { body.election_type };
        let results: Vec<ReplicaElectionResult> = match body.topic_partitions {
            // For all partitions, those that need nothing are left out.
            None => self
                .image
                .topics()
                .map(|topic| {
                    let each = topic.partitions().map(|it| elect(it.index, Some(it), kind));
                    let needed = ErrorCode::ElectionNotNeeded.code();
                    ReplicaElectionResult {
                        topic: topic.name.to_string(),
                        partition_result: each.filter(|it| it.error_code != needed).collect(),
                    }
                })
                .collect(),
            Some(topics) => topics
                .into_iter()
                .map(|asked| {
                    let topic = self.image.topic(&asked.topic);
                    let partition = |index| topic.and_then(|topic| topic.partition(index));
                    let indexes = asked.partitions.iter().copied();
                    let each = indexes.map(|index| elect(index, partition(index), kind));
                    ReplicaElectionResult { partition_result: each.collect(), topic: asked.topic }
                })
                .collect(),
        };
        let is_known = matches!(kind, PREFERRED | UNCLEAN);
        let error = if is_known { ErrorCode::None } else { ErrorCode::InvalidRequest };
        let response = ElectLeadersResponse {
            error_code: error.code(),
            replica_election_results: results,
            ..ElectLeadersResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

fn elect(index: i32, partition: Option<&Partition>, kind: i8) -> PartitionResult {
    let (error, message) = match partition {
        _ if !matches!(kind, PREFERRED | UNCLEAN) => {
            (ErrorCode::InvalidRequest, "the kind of election is unknown")
        }
        None => (ErrorCode::UnknownTopicOrPartition, "there is no such partition"),
        Some(it) if it.leader == BrokerId::NONE && kind == PREFERRED => {
            (ErrorCode::PreferredLeaderNotAvailable, "the preferred leader is not available")
        }
        Some(it) if it.leader == BrokerId::NONE => {
            (ErrorCode::EligibleLeadersNotAvailable, "no replica can lead")
        }
        Some(it) if kind == PREFERRED && it.replicas.first() != Some(&it.leader) => {
            (ErrorCode::PreferredLeaderNotAvailable, "the preferred leader is not available")
        }
        Some(_) => (ErrorCode::ElectionNotNeeded, "the leader need not change"),
    };
    PartitionResult {
        partition_id: index,
        error_code: error.code(),
        error_message: Some(message.to_owned()),
    }
}

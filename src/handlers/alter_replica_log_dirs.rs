//! AlterReplicaLogDirs, versions 1 and 2. Source: KIP-113.
//!
//! A partition stays in the log dir that it was made in. Where it is already is answered as done,
//! as in Kafka; a move elsewhere is refused.

use millrace_net::ErrorCode;
use millrace_net::messages::alter_replica_log_dirs::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult, AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
};
use millrace_wire::WireError;

use crate::handlers::gather::{Gathered, Item, Place};
use crate::mail::{Answer, Ask, PartitionId};
use crate::shard::{Request, Shard, Turn};

/// What is wanted, and what has been found so far.
#[derive(Debug)]
pub(crate) struct Moves {
    /// The answers.
    pub(crate) response: AlterReplicaLogDirsResponse,
    /// The log dir that each topic of the response is to be in.
    dirs: Vec<String>,
}

impl Shard {
    /// Asks the partitions' owners where they are.
    pub(crate) fn handle_alter_replica_log_dirs(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: AlterReplicaLogDirsRequest = request.decode()?;
        let response = AlterReplicaLogDirsResponse::default();
        let mut moves = Moves { response, dirs: Vec::new() };
        let mut items = Vec::new();
        for dir in body.dirs {
            let is_known = self.setup.log_dirs.iter().any(|known| known.name == dir.path);
            for asked in dir.topics {
                let topic = self.image.topic(&asked.name);
                let mut partitions = Vec::with_capacity(asked.partitions.len());
                for index in asked.partitions {
                    let partition = topic.filter(|topic| topic.partition(index).is_some());
                    let error = match partition {
                        _ if !is_known => ErrorCode::LogDirNotFound,
                        None => ErrorCode::UnknownTopicOrPartition,
                        Some(topic) => {
                            items.push(Item {
                                partition: PartitionId { topic: topic.id, index },
                                ask: Ask::Size,
                                place: (moves.dirs.len(), partitions.len()),
                            });
                            ErrorCode::None
                        }
                    };
                    partitions.push(AlterReplicaLogDirPartitionResult {
                        partition_index: index,
                        error_code: error.code(),
                    });
                }
                let topic_name = asked.name;
                let result = AlterReplicaLogDirTopicResult { topic_name, partitions };
                moves.response.results.push(result);
                moves.dirs.push(dir.path.clone());
            }
        }
        self.gather(turn, &request.to, Gathered::Moves(moves), items);
        Ok(())
    }
}

impl Place for Moves {
    fn place(&mut self, (topic, partition): (usize, usize), answer: Answer) {
        let Answer::Size(result) = answer else { return };
        let error = match result {
            Ok(size) if size.log_dir == self.dirs[topic] => ErrorCode::None,
            // What a client is told by a broker without this API.
            Ok(_) => ErrorCode::UnsupportedVersion,
            Err(error) => error,
        };
        self.response.results[topic].partitions[partition].error_code = error.code();
    }
}

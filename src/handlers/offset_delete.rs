//! OffsetDelete, version 0.

use millrace_net::ErrorCode;
use millrace_net::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteResponse, OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
};
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};

/// What the answer needs beyond the coordinator's.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Already says what is wrong with partitions that the coordinator does not see.
    response: OffsetDeleteResponse,
}

impl Shard {
    /// Asks the coordinator to forget the partitions that exist.
    pub(crate) fn handle_offset_delete(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let mut body: OffsetDeleteRequest = request.decode()?;
        let mut response = OffsetDeleteResponse::default();
        for topic in &mut body.topics {
            let image = &self.image;
            let exists = |index: i32| image.partition(&topic.name, index).is_some();
            let partitions = topic.partitions.iter().map(|partition| {
                let partition_index = partition.partition_index;
                let error = if exists(partition_index) {
                    ErrorCode::None
                } else {
                    ErrorCode::UnknownTopicOrPartition
                };
                OffsetDeleteResponsePartition { partition_index, error_code: error.code() }
            });
            let name = topic.name.clone();
            let partitions = partitions.collect();
            response.topics.push(OffsetDeleteResponseTopic { name, partitions });
            let name = topic.name.clone();
            topic
                .partitions
                .retain(|partition| image.partition(&name, partition.partition_index).is_some());
        }
        let ask = GroupAsk::DeleteOffsets(body);
        self.ask_groups(turn, &request.to, vec![ask], Then::DeleteOffsets(Waiting { response }))
    }
}

pub(crate) fn response(waiting: Waiting, answers: Vec<GroupAnswer>) -> OffsetDeleteResponse {
    let mut response = waiting.response;
    let deleted = answers.into_iter().find_map(|answer| {
        if let GroupAnswer::DeletedOffsets(deleted) = answer { Some(deleted) } else { None }
    });
    let deleted = deleted.unwrap_or_default();
    if deleted.error_code != 0 {
        // The group as a whole is refused.
        return deleted;
    }
    let mut codes = deleted
        .topics
        .into_iter()
        .flat_map(|topic| topic.partitions)
        .map(|partition| partition.error_code);
    // The coordinator saw the partitions that had no error, in their order.
    let partitions = response.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
    for partition in partitions.filter(|partition| partition.error_code == 0) {
        partition.error_code = codes.next().unwrap_or_default();
    }
    response
}

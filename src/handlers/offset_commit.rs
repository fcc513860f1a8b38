//! OffsetCommit, versions 2 to 10. From version 10 on topics are named by their ids.

use millrace_net::ErrorCode;
use millrace_net::messages::offset_commit::{OffsetCommitRequest, OffsetCommitResponse};
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk, commit_response};
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};

/// From this version on topics have ids and no names.
const TOPIC_IDS_FROM: i16 = 10;

/// What the answer needs beyond the coordinator's.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Already says what is wrong with partitions that the coordinator does not see.
    response: OffsetCommitResponse,
}

impl Shard {
    /// Asks the coordinator to commit for the partitions that exist.
    pub(crate) fn handle_offset_commit(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let mut body: OffsetCommitRequest = request.decode()?;
        let by_id = request.to.version >= TOPIC_IDS_FROM;
        let mut response = commit_response(&body, ErrorCode::None);
        for (topic, answer) in body.topics.iter_mut().zip(&mut response.topics) {
            let known = if by_id {
                self.image.topic_by_id(topic.topic_id)
            } else {
                self.image.topic(&topic.name)
            };
            let error = match known {
                Some(known) => {
                    topic.name = known.name.to_string();
                    topic.topic_id = known.id;
                    ErrorCode::UnknownTopicOrPartition
                }
                None if by_id => ErrorCode::UnknownTopicId,
                None => ErrorCode::UnknownTopicOrPartition,
            };
            let exists = |index: i32| known.is_some_and(|known| known.partition(index).is_some());
            for partition in &mut answer.partitions {
                if !exists(partition.partition_index) {
                    partition.error_code = error.code();
                }
            }
            topic.partitions.retain(|partition| exists(partition.partition_index));
        }
        // As Kafka does: nothing is said of a topic of which nothing was asked.
        response.topics.retain(|topic| !topic.partitions.is_empty());
        body.topics.retain(|topic| !topic.partitions.is_empty());
        if body.topics.is_empty() {
            self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
            return Ok(());
        }
        let ask = GroupAsk::Commit(body, self.requester(request));
        self.ask_groups(turn, &request.to, vec![ask], Then::Commit(Waiting { response }))
    }
}

pub(crate) fn response(waiting: Waiting, answers: Vec<GroupAnswer>) -> OffsetCommitResponse {
    let mut response = waiting.response;
    let committed = answers.into_iter().find_map(|answer| {
        if let GroupAnswer::Committed(committed) = answer { Some(committed) } else { None }
    });
    let mut codes = committed
        .into_iter()
        .flat_map(|committed| committed.topics)
        .flat_map(|topic| topic.partitions)
        .map(|partition| partition.error_code);
    // The coordinator saw the partitions that had no error, in their order.
    let partitions = response.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
    for partition in partitions.filter(|partition| partition.error_code == 0) {
        partition.error_code = codes.next().unwrap_or_default();
    }
    response
}

//! OffsetFetch, versions 1 to 10: one group up to version 7, then many; topics by id from 10 on.

use millrace_net::ErrorCode;
use millrace_net::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use millrace_replication::Image;
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};

/// From this version on a response says what is wrong with the group as a whole.
const GROUP_ERROR_FROM: i16 = 2;
/// From this version on a request names many groups.
const BATCH_FROM: i16 = 8;
/// From this version on topics have ids and no names.
const TOPIC_IDS_FROM: i16 = 10;

/// What the answer needs beyond the coordinators'.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// What each group asked for that does not exist.
    unknown: Vec<Vec<OffsetFetchRequestTopics>>,
    /// The request, where it names one group and its answer may have to name each partition.
    asked: Vec<OffsetFetchRequestGroup>,
}

impl Shard {
    /// Asks the coordinators of all groups named.
    pub(crate) fn handle_offset_fetch(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: OffsetFetchRequest = request.decode()?;
        let version = request.to.version;
        let mut groups = if version < BATCH_FROM { vec![single(body)] } else { body.groups };
        let mut unknown = Vec::with_capacity(groups.len());
        for group in &mut groups {
            unknown.push(if version >= TOPIC_IDS_FROM {
                self.name_topics(group)
            } else {
                Vec::new()
            });
        }
        let asked = if version < GROUP_ERROR_FROM { groups.clone() } else { Vec::new() };
        let asks = groups.into_iter().map(GroupAsk::Fetch).collect();
        self.ask_groups(turn, &request.to, asks, Then::Fetch(Waiting { unknown, asked }))
    }

    /// Finds the names of a group's topics; gives those back that no topic has the id of.
    fn name_topics(&self, group: &mut OffsetFetchRequestGroup) -> Vec<OffsetFetchRequestTopics> {
        let Some(topics) = &mut group.topics else { return Vec::new() };
        let mut unknown = Vec::new();
        for mut topic in std::mem::take(topics) {
            match self.image.topic_by_id(topic.topic_id) {
                Some(known) => {
                    topic.name = known.name.to_string();
                    topics.push(topic);
                }
                None => unknown.push(topic),
            }
        }
        unknown
    }
}

fn single(body: OffsetFetchRequest) -> OffsetFetchRequestGroup {
    let topics = body.topics.map(|topics| {
        let topics = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..OffsetFetchRequestTopics::default()
        });
        topics.collect()
    });
    OffsetFetchRequestGroup {
        group_id: body.group_id,
        topics,
        ..OffsetFetchRequestGroup::default()
    }
}

pub(crate) fn response(
    image: &Image,
    waiting: Waiting,
    answers: Vec<GroupAnswer>,
    version: i16,
) -> OffsetFetchResponse {
    let fetched = answers.into_iter().filter_map(|answer| {
        if let GroupAnswer::Fetched(group) = answer { Some(group) } else { None }
    });
    let mut groups: Vec<OffsetFetchResponseGroup> = fetched.collect();
    if version >= TOPIC_IDS_FROM {
        for (group, unknown) in groups.iter_mut().zip(waiting.unknown) {
            name_by_id(image, group, unknown);
        }
    }
    if version >= BATCH_FROM {
        return OffsetFetchResponse { groups, ..OffsetFetchResponse::default() };
    }
    let mut group = groups.pop().unwrap_or_default();
    if version < GROUP_ERROR_FROM && group.error_code != 0 {
        group.topics = refused(&waiting.asked, group.error_code);
    }
    OffsetFetchResponse {
        topics: group.topics.into_iter().map(old_topic).collect(),
        error_code: group.error_code,
        ..OffsetFetchResponse::default()
    }
}

/// Topics leave with their ids; those that are gone are left out, those that were asked for in
/// vain are said to be unknown.
fn name_by_id(
    image: &Image,
    group: &mut OffsetFetchResponseGroup,
    unknown: Vec<OffsetFetchRequestTopics>,
) {
    group.topics.retain_mut(|topic| match image.topic(&topic.name) {
        Some(known) => {
            topic.topic_id = known.id;
            true
        }
        None => false,
    });
    if group.error_code == 0 {
        let error = ErrorCode::UnknownTopicId.code();
        group.topics.extend(unknown.into_iter().map(|topic| without_offsets(topic, error)));
    }
}

fn refused(asked: &[OffsetFetchRequestGroup], error: i16) -> Vec<OffsetFetchResponseTopics> {
    let topics = asked.iter().flat_map(|group| group.topics.iter().flatten());
    topics.map(|topic| without_offsets(topic.clone(), error)).collect()
}

fn without_offsets(topic: OffsetFetchRequestTopics, error_code: i16) -> OffsetFetchResponseTopics {
    let partition = |partition_index| OffsetFetchResponsePartitions {
        partition_index,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some(String::new()),
        error_code,
    };
    OffsetFetchResponseTopics {
        name: topic.name,
        topic_id: topic.topic_id,
        partitions: topic.partition_indexes.into_iter().map(partition).collect(),
    }
}

/// The same in the words of versions before 8.
fn old_topic(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partitions = topic.partitions.into_iter().map(|it| OffsetFetchResponsePartition {
        partition_index: it.partition_index,
        committed_offset: it.committed_offset,
        committed_leader_epoch: it.committed_leader_epoch,
        metadata: it.metadata,
        error_code: it.error_code,
    });
    OffsetFetchResponseTopic { name: topic.name, partitions: partitions.collect() }
}

//! DescribeTopicPartitions, version 0: topics page by page. Source: KIP-966.

use std::collections::BTreeSet;

use millrace_net::ErrorCode;
use millrace_net::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use millrace_replication::BrokerId;
use millrace_replication::controller::{is_internal_topic, topic_name_check};
use millrace_replication::image::{Partition, Topic};
use millrace_wire::WireError;

use crate::handlers::metadata::TOPIC_OPERATIONS;
use crate::shard::{Request, Shard, Turn};
use crate::topic_config;

impl Shard {
    /// Answers from the image, topics by name, from the cursor on.
    pub(crate) fn handle_describe_topic_partitions(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeTopicPartitionsRequest = request.decode()?;
        let response = if is_cursor_right(&body) {
            self.page(&body)
        } else {
            let refused = |name: String| DescribeTopicPartitionsResponseTopic {
                error_code: ErrorCode::InvalidRequest.code(),
                name: Some(name),
                ..DescribeTopicPartitionsResponseTopic::default()
            };
            DescribeTopicPartitionsResponse {
                topics: body.topics.into_iter().map(|topic| refused(topic.name)).collect(),
                ..DescribeTopicPartitionsResponse::default()
            }
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    fn page(&self, body: &DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
        let view = topic_config::view(&self.setup, &self.image);
        let limit = view.int("max.request.partition.size.limit");
        let limit = body.response_partition_limit.min(limit).max(1);
        let mut left = usize::try_from(limit).unwrap_or(1);
        let (from, first) = body
            .cursor
            .as_ref()
            .map_or(("", 0), |cursor| (cursor.topic_name.as_str(), cursor.partition_index));
        let names: BTreeSet<&str> = if body.topics.is_empty() {
            self.image.topics_from(from).map(|topic| &*topic.name).collect()
        } else {
            let names = body.topics.iter().map(|topic| topic.name.as_str());
            names.filter(|name| *name >= from).collect()
        };
        let mut response = DescribeTopicPartitionsResponse::default();
        for name in names {
            if left == 0 {
                response.next_cursor = Some(cursor(name, 0));
                break;
            }
            let Some(topic) = self.image.topic(name) else {
                // The cursor may name a topic that was deleted after the last page.
                if !body.topics.is_empty() {
                    response.topics.push(unknown(name));
                }
                continue;
            };
            let first = if name == from { first } else { 0 };
            let mut rest = topic.partitions().filter(|partition| partition.index >= first);
            let partitions: Vec<_> = rest.by_ref().take(left).map(describe_partition).collect();
            left -= partitions.len();
            response.topics.push(describe(topic, partitions));
            if let Some(next) = rest.next() {
                response.next_cursor = Some(cursor(name, next.index));
                break;
            }
        }
        response
    }
}

/// A cursor must name one of the topics asked for, and a partition.
fn is_cursor_right(body: &DescribeTopicPartitionsRequest) -> bool {
    let Some(cursor) = &body.cursor else { return true };
    let is_asked =
        body.topics.is_empty() || body.topics.iter().any(|topic| topic.name == cursor.topic_name);
    is_asked && cursor.partition_index >= 0
}

fn cursor(topic: &str, partition_index: i32) -> Cursor {
    Cursor { topic_name: topic.to_owned(), partition_index }
}

fn unknown(name: &str) -> DescribeTopicPartitionsResponseTopic {
    let error = if topic_name_check(name).is_ok() {
        ErrorCode::UnknownTopicOrPartition
    } else {
        ErrorCode::InvalidTopicException
    };
    DescribeTopicPartitionsResponseTopic {
        error_code: error.code(),
        name: Some(name.to_owned()),
        is_internal: is_internal_topic(name),
        topic_authorized_operations: TOPIC_OPERATIONS,
        ..DescribeTopicPartitionsResponseTopic::default()
    }
}

fn describe(
    topic: &Topic,
    partitions: Vec<DescribeTopicPartitionsResponsePartition>,
) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code: 0,
        name: Some(topic.name.to_string()),
        topic_id: topic.id,
        is_internal: is_internal_topic(&topic.name),
        partitions,
        topic_authorized_operations: TOPIC_OPERATIONS,
    }
}

fn describe_partition(partition: &Partition) -> DescribeTopicPartitionsResponsePartition {
    let ids = |brokers: &[BrokerId]| brokers.iter().map(|broker| broker.0).collect::<Vec<i32>>();
    let error = if partition.leader == BrokerId::NONE {
        ErrorCode::LeaderNotAvailable
    } else {
        ErrorCode::None
    };
    DescribeTopicPartitionsResponsePartition {
        error_code: error.code(),
        partition_index: partition.index,
        leader_id: partition.leader.0,
        leader_epoch: partition.leader_epoch,
        replica_nodes: ids(&partition.replicas),
        isr_nodes: ids(&partition.isr),
        eligible_leader_replicas: Some(ids(&partition.eligible_leader_replicas)),
        last_known_elr: Some(ids(&partition.last_known_elr)),
        offline_replicas: Vec::new(),
    }
}

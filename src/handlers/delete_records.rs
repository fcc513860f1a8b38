//! DeleteRecords, versions 0 to 2.

use std::collections::BTreeMap;

use millrace_net::ErrorCode;
use millrace_net::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest,
    DeleteRecordsResponse, DeleteRecordsTopic, DeleteRecordsTopicResult,
};
use millrace_wire::WireError;

use crate::handlers::gather::{Gathered, Item, Place};
use crate::mail::{Answer, Ask, PartitionId};
use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Asks each partition's owner.
    pub(crate) fn handle_delete_records(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DeleteRecordsRequest = request.decode()?;
        let mut response = DeleteRecordsResponse::default();
        let mut items = Vec::new();
        for topic in &once_each(body.topics) {
            let info = self.topics.by_name(&self.setup, &self.image, &topic.name);
            let refusal = match &info {
                None => ErrorCode::UnknownTopicOrPartition,
                Some(info) if info.is_internal => ErrorCode::InvalidTopicException,
                // Who compacts wants the last record of each key kept.
                Some(info)
                    if info.log_config.cleanup_compact && !info.log_config.cleanup_delete =>
                {
                    ErrorCode::PolicyViolation
                }
                Some(_) => ErrorCode::None,
            };
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let index = partition.partition_index;
                let known = info.as_ref().filter(|info| info.topic.partition(index).is_some());
                let error = match known {
                    None => ErrorCode::UnknownTopicOrPartition,
                    Some(_) => refusal,
                };
                if let Some(info) = known.filter(|_| error == ErrorCode::None) {
                    items.push(Item {
                        partition: PartitionId { topic: info.topic.id, index },
                        ask: Ask::DeleteRecords { offset: partition.offset },
                        place: (response.topics.len(), partitions.len()),
                    });
                }
                partitions.push(DeleteRecordsPartitionResult {
                    partition_index: index,
                    low_watermark: -1,
                    error_code: error.code(),
                });
            }
            let name = topic.name.clone();
            response.topics.push(DeleteRecordsTopicResult { name, partitions });
        }
        self.gather(turn, &request.to, Gathered::DeletedRecords(response), items);
        Ok(())
    }
}

/// Each partition once, with the offset that comes last, and no topic without one: as in Kafka.
fn once_each(topics: Vec<DeleteRecordsTopic>) -> Vec<DeleteRecordsTopic> {
    let mut offsets: BTreeMap<String, BTreeMap<i32, i64>> = BTreeMap::new();
    for topic in topics {
        for partition in topic.partitions {
            let of_topic = offsets.entry(topic.name.clone()).or_default();
            of_topic.insert(partition.partition_index, partition.offset);
        }
    }
    let topic = |(name, partitions): (String, BTreeMap<i32, i64>)| {
        let partitions = partitions
            .into_iter()
            .map(|(partition_index, offset)| DeleteRecordsPartition { partition_index, offset });
        DeleteRecordsTopic { name, partitions: partitions.collect() }
    };
    offsets.into_iter().map(topic).collect()
}

impl Place for DeleteRecordsResponse {
    fn place(&mut self, (topic, partition): (usize, usize), answer: Answer) {
        let Answer::DeletedRecords(result) = answer else { return };
        let place = &mut self.topics[topic].partitions[partition];
        match result {
            Ok(log_start_offset) => place.low_watermark = log_start_offset,
            Err(error) => place.error_code = error.code(),
        }
    }
}

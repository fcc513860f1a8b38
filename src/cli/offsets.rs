//! Where partitions begin and end, and which offset a time stands for.

use std::collections::BTreeMap;

use millrace_net::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use millrace_net::messages::metadata::MetadataResponseTopic;

use super::cluster::Cluster;
use super::error::{CliError, check};

/// Asks for the first offset. Kafka: EARLIEST_TIMESTAMP.
pub(crate) const EARLIEST: i64 = -2;
/// Asks for the offset behind the last record. Kafka: LATEST_TIMESTAMP.
pub(crate) const LATEST: i64 = -1;

/// The offset of the first record that is at least as late as `timestamp` in each partition, or
/// [`EARLIEST`] or [`LATEST`]; -1 where there is none.
pub(crate) fn offsets(
    cluster: &mut Cluster,
    topic: &MetadataResponseTopic,
    partitions: &[i32],
    timestamp: i64,
) -> Result<BTreeMap<i32, i64>, CliError> {
    let name = topic.name.clone().unwrap_or_default();
    let mut by_leader: BTreeMap<i32, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for partition in &topic.partitions {
        let partition_index = partition.partition_index;
        if partitions.contains(&partition_index) {
            check(format_args!("{name} partition {partition_index}"), partition.error_code, None)?;
            by_leader.entry(partition.leader_id).or_default().push(ListOffsetsPartition {
                partition_index,
                timestamp,
                ..ListOffsetsPartition::default()
            });
        }
    }
    let mut found = BTreeMap::new();
    for (leader, partitions) in by_leader {
        let request = ListOffsetsRequest {
            replica_id: -1,
            topics: vec![ListOffsetsTopic { name: name.clone(), partitions }],
            ..ListOffsetsRequest::default()
        };
        let answer = cluster.node(leader)?.call(&request)?;
        for partition in answer.topics.iter().flat_map(|topic| &topic.partitions) {
            let index = partition.partition_index;
            check(format_args!("offsets of {name} partition {index}"), partition.error_code, None)?;
            found.insert(index, partition.offset);
        }
    }
    Ok(found)
}

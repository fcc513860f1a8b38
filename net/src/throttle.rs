//! Where a response says how long its client has to wait.

use crate::ApiKey;

/// The version from which on a response's body begins with `throttle_time_ms`, four bytes.
///
/// None for those that have it elsewhere (Produce, ApiVersions) or nowhere.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the keys are Kafka's; a test reads the schemas"
)]
pub const fn throttle_time_leads_from(key: ApiKey) -> Option<i16> {
    match key {
        ApiKey::AddOffsetsToTxn
        | ApiKey::AddPartitionsToTxn
        | ApiKey::AlterClientQuotas
        | ApiKey::AlterConfigs
        | ApiKey::AlterPartitionReassignments
        | ApiKey::AlterReplicaLogDirs
        | ApiKey::AlterUserScramCredentials
        | ApiKey::ConsumerGroupDescribe
        | ApiKey::ConsumerGroupHeartbeat
        | ApiKey::CreateAcls
        | ApiKey::CreatePartitions
        | ApiKey::CreateTopics
        | ApiKey::DeleteAcls
        | ApiKey::DeleteGroups
        | ApiKey::DeleteRecords
        | ApiKey::DeleteTopics
        | ApiKey::DescribeAcls
        | ApiKey::DescribeClientQuotas
        | ApiKey::DescribeCluster
        | ApiKey::DescribeConfigs
        | ApiKey::DescribeLogDirs
        | ApiKey::DescribeProducers
        | ApiKey::DescribeTopicPartitions
        | ApiKey::DescribeTransactions
        | ApiKey::DescribeUserScramCredentials
        | ApiKey::ElectLeaders
        | ApiKey::EndTxn
        | ApiKey::Fetch
        | ApiKey::IncrementalAlterConfigs
        | ApiKey::InitProducerId
        | ApiKey::ListConfigResources
        | ApiKey::ListPartitionReassignments
        | ApiKey::ListTransactions
        | ApiKey::OffsetForLeaderEpoch
        | ApiKey::TxnOffsetCommit
        | ApiKey::UnregisterBroker
        | ApiKey::UpdateFeatures => Some(0),
        ApiKey::DescribeGroups
        | ApiKey::FindCoordinator
        | ApiKey::Heartbeat
        | ApiKey::LeaveGroup
        | ApiKey::ListGroups
        | ApiKey::SyncGroup => Some(1),
        ApiKey::JoinGroup | ApiKey::ListOffsets => Some(2),
        ApiKey::Metadata | ApiKey::OffsetCommit | ApiKey::OffsetFetch => Some(3),
        _ => None,
    }
}

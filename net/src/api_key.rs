//! The API keys of the protocol, their names and their first flexible versions.
//!
//! All keys that were ever assigned are here, whether or not this codec has their messages.
//! Source: Kafka protocol guide, "Api Keys".

/// What a request asks for; the first field of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum ApiKey {
    /// Key 0.
    Produce = 0,
    /// Key 1.
    Fetch = 1,
    /// Key 2.
    ListOffsets = 2,
    /// Key 3.
    Metadata = 3,
    /// Key 4.
    LeaderAndIsr = 4,
    /// Key 5.
    StopReplica = 5,
    /// Key 6.
    UpdateMetadata = 6,
    /// Key 7.
    ControlledShutdown = 7,
    /// Key 8.
    OffsetCommit = 8,
    /// Key 9.
    OffsetFetch = 9,
    /// Key 10.
    FindCoordinator = 10,
    /// Key 11.
    JoinGroup = 11,
    /// Key 12.
    Heartbeat = 12,
    /// Key 13.
    LeaveGroup = 13,
    /// Key 14.
    SyncGroup = 14,
    /// Key 15.
    DescribeGroups = 15,
    /// Key 16.
    ListGroups = 16,
    /// Key 17.
    SaslHandshake = 17,
    /// Key 18.
    ApiVersions = 18,
    /// Key 19.
    CreateTopics = 19,
    /// Key 20.
    DeleteTopics = 20,
    /// Key 21.
    DeleteRecords = 21,
    /// Key 22.
    InitProducerId = 22,
    /// Key 23.
    OffsetForLeaderEpoch = 23,
    /// Key 24.
    AddPartitionsToTxn = 24,
    /// Key 25.
    AddOffsetsToTxn = 25,
    /// Key 26.
    EndTxn = 26,
    /// Key 27.
    WriteTxnMarkers = 27,
    /// Key 28.
    TxnOffsetCommit = 28,
    /// Key 29.
    DescribeAcls = 29,
    /// Key 30.
    CreateAcls = 30,
    /// Key 31.
    DeleteAcls = 31,
    /// Key 32.
    DescribeConfigs = 32,
    /// Key 33.
    AlterConfigs = 33,
    /// Key 34.
    AlterReplicaLogDirs = 34,
    /// Key 35.
    DescribeLogDirs = 35,
    /// Key 36.
    SaslAuthenticate = 36,
    /// Key 37.
    CreatePartitions = 37,
    /// Key 38.
    CreateDelegationToken = 38,
    /// Key 39.
    RenewDelegationToken = 39,
    /// Key 40.
    ExpireDelegationToken = 40,
    /// Key 41.
    DescribeDelegationToken = 41,
    /// Key 42.
    DeleteGroups = 42,
    /// Key 43.
    ElectLeaders = 43,
    /// Key 44.
    IncrementalAlterConfigs = 44,
    /// Key 45.
    AlterPartitionReassignments = 45,
    /// Key 46.
    ListPartitionReassignments = 46,
    /// Key 47.
    OffsetDelete = 47,
    /// Key 48.
    DescribeClientQuotas = 48,
    /// Key 49.
    AlterClientQuotas = 49,
    /// Key 50.
    DescribeUserScramCredentials = 50,
    /// Key 51.
    AlterUserScramCredentials = 51,
    /// Key 52.
    Vote = 52,
    /// Key 53.
    BeginQuorumEpoch = 53,
    /// Key 54.
    EndQuorumEpoch = 54,
    /// Key 55.
    DescribeQuorum = 55,
    /// Key 56.
    AlterPartition = 56,
    /// Key 57.
    UpdateFeatures = 57,
    /// Key 58.
    Envelope = 58,
    /// Key 59.
    FetchSnapshot = 59,
    /// Key 60.
    DescribeCluster = 60,
    /// Key 61.
    DescribeProducers = 61,
    /// Key 62.
    BrokerRegistration = 62,
    /// Key 63.
    BrokerHeartbeat = 63,
    /// Key 64.
    UnregisterBroker = 64,
    /// Key 65.
    DescribeTransactions = 65,
    /// Key 66.
    ListTransactions = 66,
    /// Key 67.
    AllocateProducerIds = 67,
    /// Key 68.
    ConsumerGroupHeartbeat = 68,
    /// Key 69.
    ConsumerGroupDescribe = 69,
    /// Key 70.
    ControllerRegistration = 70,
    /// Key 71.
    GetTelemetrySubscriptions = 71,
    /// Key 72.
    PushTelemetry = 72,
    /// Key 73.
    AssignReplicasToDirs = 73,
    /// Key 74.
    ListConfigResources = 74,
    /// Key 75.
    DescribeTopicPartitions = 75,
    /// Key 76.
    ShareGroupHeartbeat = 76,
    /// Key 77.
    ShareGroupDescribe = 77,
    /// Key 78.
    ShareFetch = 78,
    /// Key 79.
    ShareAcknowledge = 79,
    /// Key 80.
    AddRaftVoter = 80,
    /// Key 81.
    RemoveRaftVoter = 81,
    /// Key 82.
    UpdateRaftVoter = 82,
    /// Key 83.
    InitializeShareGroupState = 83,
    /// Key 84.
    ReadShareGroupState = 84,
    /// Key 85.
    WriteShareGroupState = 85,
    /// Key 86.
    DeleteShareGroupState = 86,
    /// Key 87.
    ReadShareGroupStateSummary = 87,
    /// Key 88.
    StreamsGroupHeartbeat = 88,
    /// Key 89.
    StreamsGroupDescribe = 89,
    /// Key 90.
    DescribeShareGroupOffsets = 90,
    /// Key 91.
    AlterShareGroupOffsets = 91,
    /// Key 92.
    DeleteShareGroupOffsets = 92,
}

impl ApiKey {
    /// All keys in order; the index is the key.
    pub const ALL: [Self; 93] = [
        Self::Produce,
        Self::Fetch,
        Self::ListOffsets,
        Self::Metadata,
        Self::LeaderAndIsr,
        Self::StopReplica,
        Self::UpdateMetadata,
        Self::ControlledShutdown,
        Self::OffsetCommit,
        Self::OffsetFetch,
        Self::FindCoordinator,
        Self::JoinGroup,
        Self::Heartbeat,
        Self::LeaveGroup,
        Self::SyncGroup,
        Self::DescribeGroups,
        Self::ListGroups,
        Self::SaslHandshake,
        Self::ApiVersions,
        Self::CreateTopics,
        Self::DeleteTopics,
        Self::DeleteRecords,
        Self::InitProducerId,
        Self::OffsetForLeaderEpoch,
        Self::AddPartitionsToTxn,
        Self::AddOffsetsToTxn,
        Self::EndTxn,
        Self::WriteTxnMarkers,
        Self::TxnOffsetCommit,
        Self::DescribeAcls,
        Self::CreateAcls,
        Self::DeleteAcls,
        Self::DescribeConfigs,
        Self::AlterConfigs,
        Self::AlterReplicaLogDirs,
        Self::DescribeLogDirs,
        Self::SaslAuthenticate,
        Self::CreatePartitions,
        Self::CreateDelegationToken,
        Self::RenewDelegationToken,
        Self::ExpireDelegationToken,
        Self::DescribeDelegationToken,
        Self::DeleteGroups,
        Self::ElectLeaders,
        Self::IncrementalAlterConfigs,
        Self::AlterPartitionReassignments,
        Self::ListPartitionReassignments,
        Self::OffsetDelete,
        Self::DescribeClientQuotas,
        Self::AlterClientQuotas,
        Self::DescribeUserScramCredentials,
        Self::AlterUserScramCredentials,
        Self::Vote,
        Self::BeginQuorumEpoch,
        Self::EndQuorumEpoch,
        Self::DescribeQuorum,
        Self::AlterPartition,
        Self::UpdateFeatures,
        Self::Envelope,
        Self::FetchSnapshot,
        Self::DescribeCluster,
        Self::DescribeProducers,
        Self::BrokerRegistration,
        Self::BrokerHeartbeat,
        Self::UnregisterBroker,
        Self::DescribeTransactions,
        Self::ListTransactions,
        Self::AllocateProducerIds,
        Self::ConsumerGroupHeartbeat,
        Self::ConsumerGroupDescribe,
        Self::ControllerRegistration,
        Self::GetTelemetrySubscriptions,
        Self::PushTelemetry,
        Self::AssignReplicasToDirs,
        Self::ListConfigResources,
        Self::DescribeTopicPartitions,
        Self::ShareGroupHeartbeat,
        Self::ShareGroupDescribe,
        Self::ShareFetch,
        Self::ShareAcknowledge,
        Self::AddRaftVoter,
        Self::RemoveRaftVoter,
        Self::UpdateRaftVoter,
        Self::InitializeShareGroupState,
        Self::ReadShareGroupState,
        Self::WriteShareGroupState,
        Self::DeleteShareGroupState,
        Self::ReadShareGroupStateSummary,
        Self::StreamsGroupHeartbeat,
        Self::StreamsGroupDescribe,
        Self::DescribeShareGroupOffsets,
        Self::AlterShareGroupOffsets,
        Self::DeleteShareGroupOffsets,
    ];

    /// The key with this number, if it was ever assigned.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.get(usize::try_from(code).ok()?).copied()
    }

    /// The number on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// Kafka's name.
    pub const fn name(self) -> &'static str {
        TABLE[self as usize].0
    }

    /// The first version with compact lengths and tagged fields, if there is one.
    pub const fn flexible_from(self) -> Option<i16> {
        match TABLE[self as usize].1 {
            NEVER => None,
            version => Some(version),
        }
    }

    /// True when `version` of this API uses compact lengths and tagged fields.
    pub const fn is_flexible(self, version: i16) -> bool {
        version >= TABLE[self as usize].1
    }
}

/// Stands for APIs without flexible versions.
const NEVER: i16 = i16::MAX;

/// Name and first flexible version, by key.
const TABLE: [(&str, i16); 93] = [
    ("Produce", 9),
    ("Fetch", 12),
    ("ListOffsets", 6),
    ("Metadata", 9),
    ("LeaderAndIsr", 4),
    ("StopReplica", 2),
    ("UpdateMetadata", 6),
    ("ControlledShutdown", 3),
    ("OffsetCommit", 8),
    ("OffsetFetch", 6),
    ("FindCoordinator", 3),
    ("JoinGroup", 6),
    ("Heartbeat", 4),
    ("LeaveGroup", 4),
    ("SyncGroup", 4),
    ("DescribeGroups", 5),
    ("ListGroups", 3),
    ("SaslHandshake", NEVER),
    ("ApiVersions", 3),
    ("CreateTopics", 5),
    ("DeleteTopics", 4),
    ("DeleteRecords", 2),
    ("InitProducerId", 2),
    ("OffsetForLeaderEpoch", 4),
    ("AddPartitionsToTxn", 3),
    ("AddOffsetsToTxn", 3),
    ("EndTxn", 3),
    ("WriteTxnMarkers", 1),
    ("TxnOffsetCommit", 3),
    ("DescribeAcls", 2),
    ("CreateAcls", 2),
    ("DeleteAcls", 2),
    ("DescribeConfigs", 4),
    ("AlterConfigs", 2),
    ("AlterReplicaLogDirs", 2),
    ("DescribeLogDirs", 2),
    ("SaslAuthenticate", 2),
    ("CreatePartitions", 2),
    ("CreateDelegationToken", 2),
    ("RenewDelegationToken", 2),
    ("ExpireDelegationToken", 2),
    ("DescribeDelegationToken", 2),
    ("DeleteGroups", 2),
    ("ElectLeaders", 2),
    ("IncrementalAlterConfigs", 1),
    ("AlterPartitionReassignments", 0),
    ("ListPartitionReassignments", 0),
    ("OffsetDelete", NEVER),
    ("DescribeClientQuotas", 1),
    ("AlterClientQuotas", 1),
    ("DescribeUserScramCredentials", 0),
    ("AlterUserScramCredentials", 0),
    ("Vote", 0),
    ("BeginQuorumEpoch", 1),
    ("EndQuorumEpoch", 1),
    ("DescribeQuorum", 0),
    ("AlterPartition", 0),
    ("UpdateFeatures", 0),
    ("Envelope", 0),
    ("FetchSnapshot", 0),
    ("DescribeCluster", 0),
    ("DescribeProducers", 0),
    ("BrokerRegistration", 0),
    ("BrokerHeartbeat", 0),
    ("UnregisterBroker", 0),
    ("DescribeTransactions", 0),
    ("ListTransactions", 0),
    ("AllocateProducerIds", 0),
    ("ConsumerGroupHeartbeat", 0),
    ("ConsumerGroupDescribe", 0),
    ("ControllerRegistration", 0),
    ("GetTelemetrySubscriptions", 0),
    ("PushTelemetry", 0),
    ("AssignReplicasToDirs", 0),
    ("ListConfigResources", 0),
    ("DescribeTopicPartitions", 0),
    ("ShareGroupHeartbeat", 0),
    ("ShareGroupDescribe", 0),
    ("ShareFetch", 0),
    ("ShareAcknowledge", 0),
    ("AddRaftVoter", 0),
    ("RemoveRaftVoter", 0),
    ("UpdateRaftVoter", 0),
    ("InitializeShareGroupState", 0),
    ("ReadShareGroupState", 0),
    ("WriteShareGroupState", 0),
    ("DeleteShareGroupState", 0),
    ("ReadShareGroupStateSummary", 0),
    ("StreamsGroupHeartbeat", 0),
    ("StreamsGroupDescribe", 0),
    ("DescribeShareGroupOffsets", 0),
    ("AlterShareGroupOffsets", 0),
    ("DeleteShareGroupOffsets", 0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_at_its_number() {
        for (index, key) in ApiKey::ALL.iter().enumerate() {
            assert_eq!(usize::try_from(key.code()), Ok(index));
            assert_eq!(ApiKey::from_code(key.code()), Some(*key));
        }
        assert_eq!(ApiKey::from_code(-1), None);
        assert_eq!(ApiKey::from_code(93), None);
    }
}

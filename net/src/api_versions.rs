//! The versions a broker tells its clients, as data.
//!
//! The table holds every API of the codec; a broker advertises those it has a handler for, which
//! it passes as a predicate. What is advertised and what is served are one thing, but for Produce:
//! versions 0 to 2 are advertised and refused, because librdkafka turns compression off where
//! they are missing. Source: KIP-35; KAFKA-18659.

use crate::api_key::ApiKey;
use crate::messages::api_versions::ApiVersion;

/// On which listeners an API is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listeners {
    /// Brokers' alone.
    Broker,
    /// Brokers' and controllers'.
    All,
}

/// One API and its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// The API.
    pub key: ApiKey,
    /// The first version that is told.
    pub min: i16,
    /// The last version that is told and served.
    pub max: i16,
    /// Where it is served.
    pub listeners: Listeners,
}

impl Advertised {
    /// True when a request in `version` is served; any other is UNSUPPORTED_VERSION.
    pub fn serves(&self, version: i16) -> bool {
        let min = if self.key == ApiKey::Produce { PRODUCE_SERVED_MIN } else { self.min };
        (min..=self.max).contains(&version)
    }
}

/// The row of an API, if the codec has it.
pub fn advertised(key: ApiKey) -> Option<&'static Advertised> {
    TABLE.iter().find(|row| row.key == key)
}

/// The list for an ApiVersions response: the rows whose API `handles` accepts, in order of key.
pub fn list(handles: impl Fn(&Advertised) -> bool) -> Vec<ApiVersion> {
    let told = TABLE.iter().filter(|row| handles(row));
    told.map(|row| ApiVersion {
        api_key: row.key.code(),
        min_version: row.min,
        max_version: row.max,
    })
    .collect()
}

const PRODUCE_SERVED_MIN: i16 = 3;

const fn row(key: ApiKey, min: i16, max: i16, listeners: Listeners) -> Advertised {
    Advertised { key, min, max, listeners }
}

/// Every API of the codec, in order of key. Source: Apache Kafka 4.3.1's ranges.
pub const TABLE: &[Advertised] = &[
    row(ApiKey::Produce, 0, 13, Listeners::Broker),
    row(ApiKey::Fetch, 4, 18, Listeners::All),
    row(ApiKey::ListOffsets, 1, 11, Listeners::Broker),
    row(ApiKey::Metadata, 0, 13, Listeners::Broker),
    row(ApiKey::OffsetCommit, 2, 10, Listeners::Broker),
    row(ApiKey::OffsetFetch, 1, 10, Listeners::Broker),
    row(ApiKey::FindCoordinator, 0, 6, Listeners::Broker),
    row(ApiKey::JoinGroup, 0, 9, Listeners::Broker),
    row(ApiKey::Heartbeat, 0, 4, Listeners::Broker),
    row(ApiKey::LeaveGroup, 0, 5, Listeners::Broker),
    row(ApiKey::SyncGroup, 0, 5, Listeners::Broker),
    row(ApiKey::DescribeGroups, 0, 6, Listeners::Broker),
    row(ApiKey::ListGroups, 0, 5, Listeners::Broker),
    row(ApiKey::SaslHandshake, 0, 1, Listeners::All),
    row(ApiKey::ApiVersions, 0, 4, Listeners::All),
    row(ApiKey::CreateTopics, 2, 7, Listeners::All),
    row(ApiKey::DeleteTopics, 1, 6, Listeners::All),
    row(ApiKey::DeleteRecords, 0, 2, Listeners::Broker),
    row(ApiKey::InitProducerId, 0, 5, Listeners::Broker),
    row(ApiKey::OffsetForLeaderEpoch, 2, 4, Listeners::Broker),
    row(ApiKey::AddPartitionsToTxn, 0, 5, Listeners::Broker),
    row(ApiKey::AddOffsetsToTxn, 0, 4, Listeners::Broker),
    row(ApiKey::EndTxn, 0, 5, Listeners::Broker),
    row(ApiKey::WriteTxnMarkers, 1, 2, Listeners::Broker),
    row(ApiKey::TxnOffsetCommit, 0, 5, Listeners::Broker),
    row(ApiKey::DescribeAcls, 1, 3, Listeners::All),
    row(ApiKey::CreateAcls, 1, 3, Listeners::All),
    row(ApiKey::DeleteAcls, 1, 3, Listeners::All),
    row(ApiKey::DescribeConfigs, 1, 4, Listeners::All),
    row(ApiKey::AlterConfigs, 0, 2, Listeners::All),
    row(ApiKey::AlterReplicaLogDirs, 1, 2, Listeners::Broker),
    row(ApiKey::DescribeLogDirs, 1, 5, Listeners::Broker),
    row(ApiKey::SaslAuthenticate, 0, 2, Listeners::All),
    row(ApiKey::CreatePartitions, 0, 3, Listeners::All),
    row(ApiKey::CreateDelegationToken, 1, 3, Listeners::All),
    row(ApiKey::RenewDelegationToken, 1, 2, Listeners::All),
    row(ApiKey::ExpireDelegationToken, 1, 2, Listeners::All),
    row(ApiKey::DescribeDelegationToken, 1, 3, Listeners::All),
    row(ApiKey::DeleteGroups, 0, 2, Listeners::Broker),
    row(ApiKey::ElectLeaders, 0, 2, Listeners::All),
    row(ApiKey::IncrementalAlterConfigs, 0, 1, Listeners::All),
    row(ApiKey::AlterPartitionReassignments, 0, 1, Listeners::All),
    row(ApiKey::ListPartitionReassignments, 0, 0, Listeners::All),
    row(ApiKey::OffsetDelete, 0, 0, Listeners::Broker),
    row(ApiKey::DescribeClientQuotas, 0, 1, Listeners::Broker),
    row(ApiKey::AlterClientQuotas, 0, 1, Listeners::All),
    row(ApiKey::DescribeUserScramCredentials, 0, 0, Listeners::All),
    row(ApiKey::AlterUserScramCredentials, 0, 0, Listeners::All),
    row(ApiKey::DescribeQuorum, 0, 2, Listeners::All),
    row(ApiKey::UpdateFeatures, 0, 2, Listeners::All),
    row(ApiKey::DescribeCluster, 0, 2, Listeners::All),
    row(ApiKey::DescribeProducers, 0, 0, Listeners::Broker),
    row(ApiKey::UnregisterBroker, 0, 0, Listeners::All),
    row(ApiKey::DescribeTransactions, 0, 0, Listeners::Broker),
    row(ApiKey::ListTransactions, 0, 2, Listeners::Broker),
    row(ApiKey::ConsumerGroupHeartbeat, 0, 1, Listeners::Broker),
    row(ApiKey::ConsumerGroupDescribe, 0, 1, Listeners::Broker),
    row(ApiKey::ListConfigResources, 0, 1, Listeners::Broker),
    row(ApiKey::DescribeTopicPartitions, 0, 0, Listeners::Broker),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::CATALOGUE;

    #[test]
    fn the_table_tells_what_the_codec_has() {
        assert_eq!(TABLE.len(), CATALOGUE.len());
        assert!(TABLE.is_sorted_by_key(|row| row.key));
        for entry in CATALOGUE {
            let row = advertised(entry.key).unwrap();
            assert_eq!(row.max, entry.version_max, "{:?}", entry.key);
            assert!(row.serves(entry.version_min), "{:?}", entry.key);
            assert!(!row.serves(entry.version_min - 1), "{:?}", entry.key);
            assert!(!row.serves(entry.version_max + 1), "{:?}", entry.key);
        }
    }

    #[test]
    fn produce_is_told_from_zero_and_served_from_three() {
        let rows = list(|row| row.key == ApiKey::Produce);
        assert_eq!((rows[0].min_version, rows[0].max_version), (0, 13));
        assert_eq!(rows.len(), 1);
    }
}

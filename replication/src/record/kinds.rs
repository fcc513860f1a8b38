//! The metadata records one by one: what each says, and its fields in wire order.
//!
//! Field names, types, versions and tags are Kafka's (checked against Apache Kafka 4.3.1's own
//! schemas, and by bytes that it wrote). `Uuid::ZERO` stands for an absent id.

use bytes::Bytes;
use millrace_wire::{Uuid, WireError, Writer};

use super::define::record;
use super::field::{Body, Field};
use crate::types::BrokerId;

/// `leader` of a [`PartitionChangeRecord`] that leaves the leader as it is.
pub const NO_LEADER_CHANGE: BrokerId = BrokerId(-2);

record! {
    /// Where a broker or controller is reached on one of its listeners.
    pub struct EndpointField {
        /// The listener's name.
        name: String,
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// The wire's number of the security protocol.
        security_protocol: i16,
    }
}

record! {
    /// A feature and the levels that a node can run at.
    pub struct FeatureField {
        /// The feature's name, such as `metadata.version`.
        name: String,
        /// Lowest level, inclusive.
        min_supported_version: i16,
        /// Highest level, inclusive.
        max_supported_version: i16,
    }
}

record! {
    /// One part of what a client quota applies to.
    pub struct EntityField {
        /// `user`, `client-id` or `ip`.
        entity_type: String,
        /// The name; none means the default of that type.
        entity_name: Option<String>,
    }
}

/// The three structures inside records stand in arrays, each with tagged fields of its own.
macro_rules! nested {
    ($($name:ident, $bytes_min:literal;)*) => {$(
        impl Field for $name {
            const BYTES_MIN: usize = $bytes_min;

            fn put(&self, writer: &mut Writer) {
                self.put_body(writer);
            }

            fn take(reader: &mut millrace_wire::Reader<'_>) -> Result<Self, WireError> {
                Self::take_body(reader, 0)
            }
        }
    )*};
}

nested! {
    EndpointField, 7;
    FeatureField, 6;
    EntityField, 3;
}

record! {
    /// Type 0. A broker has joined, or joined anew with a new incarnation.
    pub struct RegisterBrokerRecord {
        /// The broker.
        broker_id: BrokerId,
        /// True while the broker migrates from ZooKeeper; never written here.
        is_migrating_zk_broker: bool [since 2],
        /// Random per start of the broker's process.
        incarnation_id: Uuid,
        /// The registration's epoch: the offset of this record.
        broker_epoch: i64,
        /// Its advertised listeners.
        end_points: Vec<EndpointField>,
        /// Its features.
        features: Vec<FeatureField>,
        /// Its rack, if it has one.
        rack: Option<String>,
        /// True until the broker has caught up with its own registration.
        fenced: bool,
        /// True from the request to shut down until it is gone.
        in_controlled_shutdown: bool [since 1],
    }
    tags {
        /// Ids of its log directories.
        0 => log_dirs: Vec<Uuid> = Vec::new(),
        /// Ids of those that get no new replicas.
        1 => cordoned_log_dirs: Option<Vec<Uuid>> = None,
    }
}

record! {
    /// Type 1. A broker's registration ends.
    pub struct UnregisterBrokerRecord {
        /// The broker.
        broker_id: BrokerId,
        /// The registration's epoch.
        broker_epoch: i64,
    }
}

record! {
    /// Type 2. A topic exists from here on.
    pub struct TopicRecord {
        /// Its name.
        name: String,
        /// Its id, never used twice.
        topic_id: Uuid,
    }
}

record! {
    /// Type 3. A partition in full.
    pub struct PartitionRecord {
        /// 0-based within the topic.
        partition_id: i32,
        /// The topic.
        topic_id: Uuid,
        /// Replicas, the preferred leader first.
        replicas: Vec<BrokerId>,
        /// In-sync replicas.
        isr: Vec<BrokerId>,
        /// Replicas that a reassignment takes away.
        removing_replicas: Vec<BrokerId>,
        /// Replicas that a reassignment adds.
        adding_replicas: Vec<BrokerId>,
        /// The leader, -1 for none.
        leader: BrokerId,
        /// Rises with each election.
        leader_epoch: i32,
        /// Rises with each change of the partition.
        partition_epoch: i32,
        /// The log directory of each replica, in the order of `replicas`.
        directories: Vec<Uuid> [since 1],
    }
    tags {
        /// 0 recovered, 1 still recovering after an unclean election.
        0 => leader_recovery_state: i8 = 0,
        /// Replicas outside the ISR that hold all committed records (KIP-966).
        1 => eligible_leader_replicas: Option<Vec<BrokerId>> = None,
        /// The last such replicas that are known.
        2 => last_known_elr: Option<Vec<BrokerId>> = None,
    }
}

record! {
    /// Type 4. One configuration value; none takes the override away.
    pub struct ConfigRecord {
        /// The wire's number of the resource type.
        resource_type: i8,
        /// Topic name, broker id, …; empty for the default of all brokers.
        resource_name: String,
        /// The configuration's name.
        name: String,
        /// The value.
        value: Option<String>,
    }
}

record! {
    /// Type 5. What changes of one partition; an absent field stays as it is.
    pub struct PartitionChangeRecord {
        /// 0-based within the topic.
        partition_id: i32,
        /// The topic.
        topic_id: Uuid,
    }
    tags {
        /// The new ISR.
        0 => isr: Option<Vec<BrokerId>> = None,
        /// The new leader, -1 for none, [`NO_LEADER_CHANGE`] for no change.
        1 => leader: BrokerId = NO_LEADER_CHANGE,
        /// The new replicas.
        2 => replicas: Option<Vec<BrokerId>> = None,
        /// The new removing replicas.
        3 => removing_replicas: Option<Vec<BrokerId>> = None,
        /// The new adding replicas.
        4 => adding_replicas: Option<Vec<BrokerId>> = None,
        /// The new recovery state, -1 for no change.
        5 => leader_recovery_state: i8 = -1,
        /// The new eligible leader replicas.
        6 => eligible_leader_replicas: Option<Vec<BrokerId>> = None,
        /// The new last known eligible leader replicas.
        7 => last_known_elr: Option<Vec<BrokerId>> = None,
        /// The new directories, in the order of the replicas.
        8 => directories: Option<Vec<Uuid>> = None,
    }
}

impl PartitionChangeRecord {
    /// The change of a partition that changes nothing yet.
    pub const fn none(topic_id: Uuid, partition_id: i32) -> Self {
        Self {
            partition_id,
            topic_id,
            isr: None,
            leader: NO_LEADER_CHANGE,
            replicas: None,
            removing_replicas: None,
            adding_replicas: None,
            leader_recovery_state: -1,
            eligible_leader_replicas: None,
            last_known_elr: None,
            directories: None,
        }
    }
}

record! {
    /// Type 7. A broker is fenced; older form of [`BrokerRegistrationChangeRecord`].
    pub struct FenceBrokerRecord {
        /// The broker.
        id: BrokerId,
        /// The registration's epoch.
        epoch: i64,
    }
}

record! {
    /// Type 8. A broker is unfenced; older form of [`BrokerRegistrationChangeRecord`].
    pub struct UnfenceBrokerRecord {
        /// The broker.
        id: BrokerId,
        /// The registration's epoch.
        epoch: i64,
    }
}

record! {
    /// Type 9. A topic, its partitions and its configurations are gone.
    pub struct RemoveTopicRecord {
        /// The topic.
        topic_id: Uuid,
    }
}

record! {
    /// Type 10. A delegation token (without its secret).
    pub struct DelegationTokenRecord {
        /// The principal that owns it.
        owner: String,
        /// The principal that asked for it.
        requester: String,
        /// Principals that may renew it.
        renewers: Vec<String>,
        /// Issued, ms since the epoch.
        issue_timestamp: i64,
        /// Never valid after, ms since the epoch.
        max_timestamp: i64,
        /// Valid until, ms since the epoch, unless renewed.
        expiration_timestamp: i64,
        /// The token's id.
        token_id: String,
    }
}

record! {
    /// Type 11. A user's SCRAM credential for one mechanism.
    pub struct UserScramCredentialRecord {
        /// The user.
        name: String,
        /// 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
        mechanism: i8,
        /// The salt.
        salt: Bytes,
        /// The stored key.
        stored_key: Bytes,
        /// The server key.
        server_key: Bytes,
        /// Iterations.
        iterations: i32,
    }
}

record! {
    /// Type 12. The level at which the cluster runs a feature; 0 switches it off.
    pub struct FeatureLevelRecord {
        /// The feature.
        name: String,
        /// The level.
        feature_level: i16,
    }
}

record! {
    /// Type 14. One quota of one entity.
    pub struct ClientQuotaRecord {
        /// What it applies to.
        entity: Vec<EntityField>,
        /// The quota's name, such as `producer_byte_rate`.
        key: String,
        /// The limit, in the quota's unit.
        value: f64,
        /// True takes the quota away.
        remove: bool,
    }
}

record! {
    /// Type 15. A block of producer ids went to a broker.
    pub struct ProducerIdsRecord {
        /// The broker.
        broker_id: BrokerId,
        /// Its registration's epoch.
        broker_epoch: i64,
        /// The first id that no block holds yet.
        next_producer_id: i64,
    }
}

record! {
    /// Type 17. A broker's registration changes in place; 0 in a field means no change.
    pub struct BrokerRegistrationChangeRecord {
        /// The broker.
        broker_id: BrokerId,
        /// The registration's epoch.
        broker_epoch: i64,
    }
    tags {
        /// 1 fences, -1 unfences.
        0 => fenced: i8 = 0,
        /// 1 when a controlled shutdown begins.
        1 => in_controlled_shutdown: i8 = 0,
        /// New ids of its log directories, if not empty.
        2 => log_dirs: Vec<Uuid> = Vec::new(),
        /// New ids of the directories that get no new replicas.
        3 => cordoned_log_dirs: Option<Vec<Uuid>> = None,
    }
}

record! {
    /// Type 18. An access control entry.
    pub struct AccessControlEntryRecord {
        /// The entry's id.
        id: Uuid,
        /// Topic 2, group 3, cluster 4, …
        resource_type: i8,
        /// Name or prefix.
        resource_name: String,
        /// Literal 3, prefixed 4.
        pattern_type: i8,
        /// `User:name`.
        principal: String,
        /// An address, or `*`.
        host: String,
        /// The operation's number.
        operation: i8,
        /// Deny 2, allow 3.
        permission_type: i8,
    }
}

record! {
    /// Type 19. An access control entry is gone.
    pub struct RemoveAccessControlEntryRecord {
        /// The entry.
        id: Uuid,
    }
}

record! {
    /// Type 20. Nothing; it moves the log's end so that followers can be seen to keep up.
    pub struct NoOpRecord {}
}

record! {
    /// Type 21. How far a migration from ZooKeeper got; logs of Kafka 3.x hold it.
    pub struct ZkMigrationStateRecord {
        /// 0 none.
        zk_migration_state: i8,
    }
}

record! {
    /// Type 22. A user's SCRAM credential is gone.
    pub struct RemoveUserScramCredentialRecord {
        /// The user.
        name: String,
        /// 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
        mechanism: i8,
    }
}

record! {
    /// Type 23. The records up to the matching end take effect together.
    pub struct BeginTransactionRecord {}
    tags {
        /// What the transaction is for.
        0 => name: Option<String> = None,
    }
}

record! {
    /// Type 24. The open transaction takes effect.
    pub struct EndTransactionRecord {}
}

record! {
    /// Type 25. The open transaction takes no effect.
    pub struct AbortTransactionRecord {}
    tags {
        /// Why.
        0 => reason: Option<String> = None,
    }
}

record! {
    /// Type 26. A delegation token is gone.
    pub struct RemoveDelegationTokenRecord {
        /// The token.
        token_id: String,
    }
}

record! {
    /// Type 27. A controller has joined.
    pub struct RegisterControllerRecord {
        /// The controller.
        controller_id: BrokerId,
        /// Random per start of the controller's process.
        incarnation_id: Uuid,
        /// True when it can migrate from ZooKeeper; never so here.
        zk_migration_ready: bool,
        /// Its listeners.
        end_points: Vec<EndpointField>,
        /// Its features.
        features: Vec<FeatureField>,
    }
}

record! {
    /// Type 28. Forget the eligible leader replicas of a topic, or of all (KIP-966).
    pub struct ClearElrRecord {
        /// The topic; empty for all.
        topic_name: String,
    }
}

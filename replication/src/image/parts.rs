//! What an image is made of: topics, partitions, registrations and the rest, as plain values.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_wire::Uuid;

use crate::record::{
    AccessControlEntryRecord, DelegationTokenRecord, EndpointField, FeatureField,
    UserScramCredentialRecord,
};
use crate::types::BrokerId;

/// A topic and its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// Its id; a topic made anew under the same name has another.
    pub id: Uuid,
    pub(super) partitions: BTreeMap<i32, Partition>,
}

impl Topic {
    /// The partition of that index.
    pub fn partition(&self, index: i32) -> Option<&Partition> {
        self.partitions.get(&index)
    }

    /// All partitions, by index.
    pub fn partitions(&self) -> impl DoubleEndedIterator<Item = &Partition> {
        self.partitions.values()
    }

    /// How many partitions the topic has; their indexes are 0 to one less.
    pub fn partition_count(&self) -> usize {
        self.partitions.len()
    }
}

/// A partition's replicas and leadership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// 0-based within the topic.
    pub index: i32,
    /// Replicas, the preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// The log directory of each replica, in the same order; empty when not known.
    pub directories: Vec<Uuid>,
    /// In-sync replicas, a subset of the replicas.
    pub isr: Vec<BrokerId>,
    /// Replicas that a reassignment takes away.
    pub removing_replicas: Vec<BrokerId>,
    /// Replicas that a reassignment adds.
    pub adding_replicas: Vec<BrokerId>,
    /// Replicas outside the ISR that hold all committed records.
    pub eligible_leader_replicas: Vec<BrokerId>,
    /// The last such replicas that are known.
    pub last_known_elr: Vec<BrokerId>,
    /// The leader, [`BrokerId::NONE`] while there is none.
    pub leader: BrokerId,
    /// 0 recovered, 1 still recovering after an unclean election.
    pub leader_recovery_state: i8,
    /// Rises with each election.
    pub leader_epoch: i32,
    /// Rises with each change of the partition.
    pub partition_epoch: i32,
}

/// Where a node is reached on one listener.
pub type Endpoint = EndpointField;

/// A feature and the levels that a node can run at.
pub type FeatureRange = FeatureField;

/// A broker that has registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRegistration {
    /// The broker.
    pub id: BrokerId,
    /// The registration's epoch: its record's offset.
    pub epoch: i64,
    /// Random per start of the broker's process.
    pub incarnation_id: Uuid,
    /// Advertised listeners.
    pub endpoints: Vec<Endpoint>,
    /// Features it can run.
    pub features: Vec<FeatureRange>,
    /// Its rack.
    pub rack: Option<String>,
    /// Not to be told to clients, and leads nothing.
    pub fenced: bool,
    /// On its way out.
    pub in_controlled_shutdown: bool,
    /// Ids of its log directories.
    pub log_dirs: Vec<Uuid>,
    /// Ids of those that get no new replicas; none when the broker does not say.
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
}

impl BrokerRegistration {
    /// The address that the broker advertises on a listener.
    pub fn endpoint(&self, listener: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == listener)
    }
}

impl Eq for EndpointField {}
impl Eq for FeatureField {}

/// A controller that has registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerRegistration {
    /// The controller.
    pub id: BrokerId,
    /// Random per start of the controller's process.
    pub incarnation_id: Uuid,
    /// It can migrate from ZooKeeper; kept so that a snapshot says what the log said.
    pub zk_migration_ready: bool,
    /// Its listeners.
    pub endpoints: Vec<Endpoint>,
    /// Features it can run.
    pub features: Vec<FeatureRange>,
}

/// What client quotas apply to: entity type to name, where none is the type's default.
pub type QuotaEntity = BTreeMap<String, Option<String>>;

/// A user's SCRAM credential.
pub type ScramCredential = UserScramCredentialRecord;

/// An access control entry.
pub type AccessControlEntry = AccessControlEntryRecord;

/// A delegation token without its secret.
pub type DelegationToken = DelegationTokenRecord;

//! The cluster's state at one point of the metadata log: an immutable value, shared by `Arc`.
//!
//! Each part is behind its own `Arc`, so the image after a change shares every part that the
//! change left alone. Only an [`ImageDraft`] makes new images. Lookups are O(log n); all iteration
//! is in key order, so that two replays of one log agree byte for byte.

mod delta;
mod draft;
mod parts;
mod quotas;
mod snapshot;

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_wire::Uuid;

pub use delta::ImageDelta;
pub use draft::{ImageDraft, ReplayError};
pub use parts::{
    AccessControlEntry, BrokerRegistration, ControllerRegistration, DelegationToken, Endpoint,
    FeatureRange, Partition, QuotaEntity, ScramCredential, Topic,
};
pub use quotas::QuotaMatch;
pub use snapshot::{InTransaction, SNAPSHOT_BATCH_RECORDS_MAX};

use crate::record::Record;
use crate::types::{BrokerId, ConfigResource};

/// The configuration overrides of one resource, by name.
pub type Overrides = BTreeMap<String, String>;

/// Topics by name and by id; both name the same values.
#[derive(Clone, Debug, Default, PartialEq)]
struct Topics {
    by_name: BTreeMap<Arc<str>, Arc<Topic>>,
    names: BTreeMap<Uuid, Arc<str>>,
}

/// The cluster's state. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Image {
    /// Offset of the last record that is part of it, -1 for none.
    offset: i64,
    topics: Arc<Topics>,
    configs: Arc<BTreeMap<ConfigResource, Overrides>>,
    brokers: Arc<BTreeMap<BrokerId, BrokerRegistration>>,
    controllers: Arc<BTreeMap<BrokerId, ControllerRegistration>>,
    features: Arc<BTreeMap<String, i16>>,
    next_producer_id: i64,
    quotas: Arc<BTreeMap<QuotaEntity, BTreeMap<String, f64>>>,
    scram: Arc<BTreeMap<(String, i8), ScramCredential>>,
    acls: Arc<BTreeMap<Uuid, AccessControlEntry>>,
    tokens: Arc<BTreeMap<String, DelegationToken>>,
    /// Records of a metadata transaction that has begun and not ended; not in effect.
    transaction: Option<Arc<Vec<Record>>>,
}

impl Image {
    /// The state before the first record.
    pub fn empty() -> Self {
        Self { offset: -1, ..Self::default() }
    }

    /// Offset of the last record that is part of the image, -1 for none.
    pub const fn offset(&self) -> i64 {
        self.offset
    }

    /// The topic of that name.
    pub fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topics.by_name.get(name)
    }

    /// The topic of that id.
    pub fn topic_by_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.topic(self.topics.names.get(&id)?)
    }

    /// A partition, by topic name and index.
    pub fn partition(&self, topic: &str, index: i32) -> Option<&Partition> {
        self.topic(topic)?.partition(index)
    }

    /// All topics, by name.
    pub fn topics(&self) -> impl DoubleEndedIterator<Item = &Arc<Topic>> {
        self.topics.by_name.values()
    }

    /// Topics whose names are `from` or come behind it, by name; for answers given in pages.
    pub fn topics_from<'a>(&'a self, from: &str) -> impl Iterator<Item = &'a Arc<Topic>> {
        use std::ops::Bound;
        self.topics
            .by_name
            .range::<str, _>((Bound::Included(from), Bound::Unbounded))
            .map(|(_, topic)| topic)
    }

    /// How many topics there are.
    pub fn topic_count(&self) -> usize {
        self.topics.by_name.len()
    }

    /// How many partitions all topics have together. O(topics).
    pub fn partition_count(&self) -> usize {
        self.topics().map(|topic| topic.partition_count()).sum()
    }

    /// The overrides of a resource; none when it has none.
    pub fn config(&self, resource: &ConfigResource) -> Option<&Overrides> {
        self.configs.get(resource)
    }

    /// The overrides of a topic.
    pub fn topic_config(&self, topic: &str) -> Option<&Overrides> {
        self.config(&ConfigResource::topic(topic))
    }

    /// The dynamic configuration of one broker.
    pub fn broker_config(&self, broker: BrokerId) -> Option<&Overrides> {
        self.config(&ConfigResource::broker(broker))
    }

    /// The dynamic configuration that all brokers default to.
    pub fn cluster_config(&self) -> Option<&Overrides> {
        self.config(&ConfigResource::cluster_default())
    }

    /// Every resource that has overrides.
    pub fn configs(&self) -> impl Iterator<Item = (&ConfigResource, &Overrides)> {
        self.configs.iter()
    }

    /// A broker's registration.
    pub fn broker(&self, id: BrokerId) -> Option<&BrokerRegistration> {
        self.brokers.get(&id)
    }

    /// All registrations, fenced ones too, by id.
    pub fn brokers(&self) -> impl DoubleEndedIterator<Item = &BrokerRegistration> {
        self.brokers.values()
    }

    /// Registrations of brokers that take part: neither fenced nor shutting down.
    pub fn live_brokers(&self) -> impl DoubleEndedIterator<Item = &BrokerRegistration> {
        self.brokers().filter(|broker| !broker.fenced && !broker.in_controlled_shutdown)
    }

    /// All controllers' registrations, by id.
    pub fn controllers(&self) -> impl Iterator<Item = &ControllerRegistration> {
        self.controllers.values()
    }

    /// The finalized level of a feature; 0 when it has none.
    pub fn feature_level(&self, name: &str) -> i16 {
        self.features.get(name).copied().unwrap_or(0)
    }

    /// All finalized features, by name.
    pub fn features(&self) -> impl Iterator<Item = (&str, i16)> {
        self.features.iter().map(|(name, level)| (name.as_str(), *level))
    }

    /// The first producer id that no block holds yet.
    pub const fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// Every client quota: the entity and its limits by key.
    pub fn quotas(&self) -> impl Iterator<Item = (&QuotaEntity, &BTreeMap<String, f64>)> {
        self.quotas.iter()
    }

    /// The limits of exactly this entity.
    pub fn quota(&self, entity: &QuotaEntity) -> Option<&BTreeMap<String, f64>> {
        self.quotas.get(entity)
    }

    /// A user's SCRAM credential for a mechanism (1 SHA-256, 2 SHA-512).
    pub fn scram_credential(&self, user: &str, mechanism: i8) -> Option<&ScramCredential> {
        self.scram.get(&(user.to_owned(), mechanism))
    }

    /// All SCRAM credentials, by user and mechanism.
    pub fn scram_credentials(&self) -> impl Iterator<Item = &ScramCredential> {
        self.scram.values()
    }

    /// All access control entries, by id.
    pub fn acls(&self) -> impl Iterator<Item = &AccessControlEntry> {
        self.acls.values()
    }

    /// All delegation tokens, by id.
    pub fn delegation_tokens(&self) -> impl Iterator<Item = &DelegationToken> {
        self.tokens.values()
    }

    /// True between a metadata transaction's begin and its end; no snapshot may be taken then.
    pub const fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }
}

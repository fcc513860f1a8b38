//! The one way to a new image: a draft that records are replayed into.

use std::sync::Arc;

use millrace_wire::Uuid;

use super::delta::{ImageDelta, Touched};
use super::{BrokerRegistration, ControllerRegistration, Image, Partition, Topic};
use crate::record::{
    BrokerRegistrationChangeRecord, ClientQuotaRecord, ConfigRecord, FeatureLevelRecord,
    NO_LEADER_CHANGE, PartitionChangeRecord, PartitionRecord, ProducerIdsRecord, Record,
    RegisterBrokerRecord, RegisterControllerRecord, TopicRecord,
};
use crate::types::{BrokerId, ConfigResource, ResourceType};

/// A record that cannot follow on the state it meets: the log is damaged, or not one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// A record names a topic id that does not exist.
    UnknownTopic(Uuid),
    /// A topic record reuses a name or an id that exists.
    TopicExists(String),
    /// A record names a partition that does not exist.
    UnknownPartition {
        /// The topic.
        topic: String,
        /// The partition's index.
        index: i32,
    },
    /// A record names a broker that is not registered, or another registration of it.
    UnknownBroker {
        /// The broker.
        broker: BrokerId,
        /// The registration's epoch as the record has it.
        epoch: i64,
    },
    /// A configuration record names a resource type that does not exist.
    UnknownResourceType(i8),
    /// Producer ids went back.
    ProducerIds {
        /// The next id as it stood.
        next: i64,
        /// The next id as the record has it.
        record: i64,
    },
    /// A transaction begins within one, or ends outside one.
    Transaction(&'static str),
}

impl std::fmt::Display for ReplayError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownTopic(id) => write!(f, "no topic has id {id}"),
            Self::TopicExists(name) => write!(f, "topic {name} or its id exists already"),
            Self::UnknownPartition { topic, index } => {
                write!(f, "topic {topic} has no partition {index}")
            }
            Self::UnknownBroker { broker, epoch } => {
                write!(f, "broker {broker} is not registered with epoch {epoch}")
            }
            Self::UnknownResourceType(id) => write!(f, "no resource type has number {id}"),
            Self::ProducerIds { next, record } => {
                write!(f, "producer ids go back from {next} to {record}")
            }
            Self::Transaction(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ReplayError {}

/// An image in the making.
#[derive(Clone, Debug)]
pub struct ImageDraft {
    base: Image,
    image: Image,
    touched: Touched,
}

impl ImageDraft {
    /// A draft that starts as `base`.
    pub fn new(base: &Image) -> Self {
        Self { base: base.clone(), image: base.clone(), touched: Touched::default() }
    }

    /// The state as it stands, for what is decided from it before the draft is finished.
    pub const fn image(&self) -> &Image {
        &self.image
    }

    /// Applies the record at `offset` of the metadata log (for a snapshot's records: the offset of
    /// the last record the snapshot contains).
    ///
    /// On an error the draft is part changed and must be dropped.
    pub fn replay(&mut self, offset: i64, record: &Record) -> Result<(), ReplayError> {
        self.image.offset = offset;
        match (record, self.image.transaction.take()) {
            (Record::BeginTransaction(_), None) => {
                self.image.transaction = Some(Arc::default());
            }
            (Record::BeginTransaction(_), Some(_)) => {
                return Err(ReplayError::Transaction("a transaction begins within one"));
            }
            (Record::EndTransaction(_), Some(records)) => {
                for record in records.iter() {
                    self.apply(record)?;
                }
            }
            (Record::AbortTransaction(_), Some(_)) => {}
            (Record::EndTransaction(_) | Record::AbortTransaction(_), None) => {
                return Err(ReplayError::Transaction("a transaction ends outside one"));
            }
            (record, Some(mut records)) => {
                Arc::make_mut(&mut records).push(record.clone());
                self.image.transaction = Some(records);
            }
            (record, None) => self.apply(record)?,
        }
        Ok(())
    }

    /// The finished image and how it differs from the one the draft started from.
    pub fn finish(self) -> (Arc<Image>, ImageDelta) {
        let delta = ImageDelta::between(&self.base, &self.image, &self.touched);
        (Arc::new(self.image), delta)
    }

    fn apply(&mut self, record: &Record) -> Result<(), ReplayError> {
        match record {
            Record::RegisterBroker(record) => self.register_broker(record),
            Record::UnregisterBroker(record) => {
                self.registered(record.broker_id, record.broker_epoch)?;
                Arc::make_mut(&mut self.image.brokers).remove(&record.broker_id);
            }
            Record::Topic(record) => return self.create_topic(record),
            Record::Partition(record) => return self.set_partition(record),
            Record::Config(record) => return self.set_config(record),
            Record::PartitionChange(record) => return self.change_partition(record),
            Record::FenceBroker(record) => {
                self.registered(record.id, record.epoch)?.fenced = true;
            }
            Record::UnfenceBroker(record) => {
                self.registered(record.id, record.epoch)?.fenced = false;
            }
            Record::RemoveTopic(record) => return self.remove_topic(record.topic_id),
            Record::FeatureLevel(record) => self.set_feature(record),
            Record::ClientQuota(record) => self.set_quota(record),
            Record::ProducerIds(record) => return self.set_producer_ids(record),
            Record::BrokerRegistrationChange(record) => return self.change_broker(record),
            Record::RegisterController(record) => self.register_controller(record),
            Record::ClearElr(record) => return self.clear_elr(&record.topic_name),
            Record::DelegationToken(_)
            | Record::UserScramCredential(_)
            | Record::AccessControlEntry(_)
            | Record::RemoveAccessControlEntry(_)
            | Record::RemoveUserScramCredential(_)
            | Record::RemoveDelegationToken(_) => self.apply_security(record),
            // Neither says anything about the state; transactions were taken apart in `replay`.
            Record::NoOp(_)
            | Record::ZkMigrationState(_)
            | Record::BeginTransaction(_)
            | Record::EndTransaction(_)
            | Record::AbortTransaction(_) => {}
        }
        Ok(())
    }

    fn apply_security(&mut self, record: &Record) {
        let image = &mut self.image;
        if let Record::DelegationToken(token) = record {
            Arc::make_mut(&mut image.tokens).insert(token.token_id.clone(), token.clone());
        } else if let Record::RemoveDelegationToken(token) = record {
            Arc::make_mut(&mut image.tokens).remove(&token.token_id);
        } else if let Record::UserScramCredential(credential) = record {
            let key = (credential.name.clone(), credential.mechanism);
            Arc::make_mut(&mut image.scram).insert(key, credential.clone());
        } else if let Record::RemoveUserScramCredential(removed) = record {
            let key = (removed.name.clone(), removed.mechanism);
            Arc::make_mut(&mut image.scram).remove(&key);
        } else if let Record::AccessControlEntry(entry) = record {
            Arc::make_mut(&mut image.acls).insert(entry.id, entry.clone());
        } else if let Record::RemoveAccessControlEntry(entry) = record {
            Arc::make_mut(&mut image.acls).remove(&entry.id);
        }
    }

    fn register_broker(&mut self, record: &RegisterBrokerRecord) {
        let registration = BrokerRegistration {
            id: record.broker_id,
            epoch: record.broker_epoch,
            incarnation_id: record.incarnation_id,
            endpoints: record.end_points.clone(),
            features: record.features.clone(),
            rack: record.rack.clone(),
            fenced: record.fenced,
            in_controlled_shutdown: record.in_controlled_shutdown,
            log_dirs: record.log_dirs.clone(),
            cordoned_log_dirs: record.cordoned_log_dirs.clone(),
        };
        Arc::make_mut(&mut self.image.brokers).insert(record.broker_id, registration);
    }

    fn register_controller(&mut self, record: &RegisterControllerRecord) {
        let registration = ControllerRegistration {
            id: record.controller_id,
            incarnation_id: record.incarnation_id,
            zk_migration_ready: record.zk_migration_ready,
            endpoints: record.end_points.clone(),
            features: record.features.clone(),
        };
        Arc::make_mut(&mut self.image.controllers).insert(record.controller_id, registration);
    }

    fn registered(
        &mut self,
        broker: BrokerId,
        epoch: i64,
    ) -> Result<&mut BrokerRegistration, ReplayError> {
        Arc::make_mut(&mut self.image.brokers)
            .get_mut(&broker)
            .filter(|registration| registration.epoch == epoch)
            .ok_or(ReplayError::UnknownBroker { broker, epoch })
    }

    fn change_broker(
        &mut self,
        record: &BrokerRegistrationChangeRecord,
    ) -> Result<(), ReplayError> {
        let registration = self.registered(record.broker_id, record.broker_epoch)?;
        match record.fenced {
            0 => {}
            change => registration.fenced = change > 0,
        }
        if record.in_controlled_shutdown > 0 {
            registration.in_controlled_shutdown = true;
        }
        if !record.log_dirs.is_empty() {
            registration.log_dirs.clone_from(&record.log_dirs);
        }
        if record.cordoned_log_dirs.is_some() {
            registration.cordoned_log_dirs.clone_from(&record.cordoned_log_dirs);
        }
        Ok(())
    }

    fn create_topic(&mut self, record: &TopicRecord) -> Result<(), ReplayError> {
        let topics = Arc::make_mut(&mut self.image.topics);
        let name: Arc<str> = record.name.as_str().into();
        if topics.by_name.contains_key(&name) || topics.names.contains_key(&record.topic_id) {
            return Err(ReplayError::TopicExists(record.name.clone()));
        }
        self.touched.topics.insert(record.topic_id);
        topics.names.insert(record.topic_id, Arc::clone(&name));
        let topic = Topic {
            name: Arc::clone(&name),
            id: record.topic_id,
            partitions: std::collections::BTreeMap::new(),
        };
        topics.by_name.insert(name, Arc::new(topic));
        Ok(())
    }

    fn topic_mut(&mut self, id: Uuid) -> Result<&mut Topic, ReplayError> {
        let topics = Arc::make_mut(&mut self.image.topics);
        let topic = topics
            .names
            .get(&id)
            .and_then(|name| topics.by_name.get_mut(name))
            .ok_or(ReplayError::UnknownTopic(id))?;
        self.touched.topics.insert(id);
        Ok(Arc::make_mut(topic))
    }

    fn set_partition(&mut self, record: &PartitionRecord) -> Result<(), ReplayError> {
        let partition = Partition {
            index: record.partition_id,
            replicas: record.replicas.clone(),
            directories: record.directories.clone(),
            isr: record.isr.clone(),
            removing_replicas: record.removing_replicas.clone(),
            adding_replicas: record.adding_replicas.clone(),
            eligible_leader_replicas: record.eligible_leader_replicas.clone().unwrap_or_default(),
            last_known_elr: record.last_known_elr.clone().unwrap_or_default(),
            leader: record.leader,
            leader_recovery_state: record.leader_recovery_state,
            leader_epoch: record.leader_epoch,
            partition_epoch: record.partition_epoch,
        };
        self.topic_mut(record.topic_id)?.partitions.insert(record.partition_id, partition);
        Ok(())
    }

    fn change_partition(&mut self, record: &PartitionChangeRecord) -> Result<(), ReplayError> {
        let topic = self.topic_mut(record.topic_id)?;
        let name = &topic.name;
        let partition = topic.partitions.get_mut(&record.partition_id).ok_or_else(|| {
            ReplayError::UnknownPartition { topic: name.to_string(), index: record.partition_id }
        })?;
        let replace = |field: &mut Vec<BrokerId>, change: &Option<Vec<BrokerId>>| {
            if let Some(change) = change {
                field.clone_from(change);
            }
        };
        replace(&mut partition.isr, &record.isr);
        replace(&mut partition.replicas, &record.replicas);
        replace(&mut partition.removing_replicas, &record.removing_replicas);
        replace(&mut partition.adding_replicas, &record.adding_replicas);
        replace(&mut partition.eligible_leader_replicas, &record.eligible_leader_replicas);
        replace(&mut partition.last_known_elr, &record.last_known_elr);
        if let Some(directories) = &record.directories {
            partition.directories.clone_from(directories);
        }
        if record.leader_recovery_state >= 0 {
            partition.leader_recovery_state = record.leader_recovery_state;
        }
        // Naming a leader, even the same one, is an election.
        if record.leader != NO_LEADER_CHANGE {
            partition.leader = record.leader;
            partition.leader_epoch = partition.leader_epoch.wrapping_add(1);
        }
        // Records say where an epoch begins, and may say its last: it begins again, as in Kafka.
        partition.partition_epoch = partition.partition_epoch.wrapping_add(1);
        Ok(())
    }

    fn remove_topic(&mut self, id: Uuid) -> Result<(), ReplayError> {
        let topics = Arc::make_mut(&mut self.image.topics);
        let name = topics.names.remove(&id).ok_or(ReplayError::UnknownTopic(id))?;
        topics.by_name.remove(&name);
        self.touched.topics.insert(id);
        let resource = ConfigResource::topic(&name);
        if self.image.configs.contains_key(&resource) {
            Arc::make_mut(&mut self.image.configs).remove(&resource);
            self.touched.configs.insert(resource);
        }
        Ok(())
    }

    fn clear_elr(&mut self, name: &str) -> Result<(), ReplayError> {
        let ids: Vec<Uuid> = self
            .image
            .topics()
            .filter(|topic| name.is_empty() || *topic.name == *name)
            .map(|topic| topic.id)
            .collect();
        for id in ids {
            for partition in self.topic_mut(id)?.partitions.values_mut() {
                partition.eligible_leader_replicas.clear();
                partition.last_known_elr.clear();
            }
        }
        Ok(())
    }

    fn set_config(&mut self, record: &ConfigRecord) -> Result<(), ReplayError> {
        let kind = ResourceType::from_id(record.resource_type)
            .ok_or(ReplayError::UnknownResourceType(record.resource_type))?;
        let resource = ConfigResource { kind, name: record.resource_name.clone() };
        self.touched.configs.insert(resource.clone());
        let configs = Arc::make_mut(&mut self.image.configs);
        if let Some(value) = &record.value {
            let overrides = configs.entry(resource).or_default();
            overrides.insert(record.name.clone(), value.clone());
        } else if let Some(overrides) = configs.get_mut(&resource) {
            overrides.remove(&record.name);
            if overrides.is_empty() {
                configs.remove(&resource);
            }
        }
        Ok(())
    }

    fn set_feature(&mut self, record: &FeatureLevelRecord) {
        let features = Arc::make_mut(&mut self.image.features);
        match record.feature_level {
            0 => features.remove(&record.name),
            level => features.insert(record.name.clone(), level),
        };
    }

    fn set_quota(&mut self, record: &ClientQuotaRecord) {
        let entity: super::QuotaEntity = record
            .entity
            .iter()
            .map(|part| (part.entity_type.clone(), part.entity_name.clone()))
            .collect();
        let quotas = Arc::make_mut(&mut self.image.quotas);
        if !record.remove {
            let limits = quotas.entry(entity).or_default();
            limits.insert(record.key.clone(), record.value);
        } else if let Some(limits) = quotas.get_mut(&entity) {
            limits.remove(&record.key);
            if limits.is_empty() {
                quotas.remove(&entity);
            }
        }
    }

    fn set_producer_ids(&mut self, record: &ProducerIdsRecord) -> Result<(), ReplayError> {
        let next = self.image.next_producer_id;
        if record.next_producer_id < next {
            return Err(ReplayError::ProducerIds { next, record: record.next_producer_id });
        }
        self.image.next_producer_id = record.next_producer_id;
        Ok(())
    }
}

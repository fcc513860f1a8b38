//! An image as records: what a snapshot file holds between its header and its footer.

use std::sync::Arc;

use super::Image;
use crate::record::{
    ClientQuotaRecord, ConfigRecord, EntityField, FeatureLevelRecord, PartitionRecord,
    ProducerIdsRecord, Record, RegisterBrokerRecord, RegisterControllerRecord, TopicRecord,
};
use crate::types::BrokerId;

/// Records that whoever writes a snapshot puts into one batch: Kafka's own figure, so that a
/// snapshot read on any Kafka fits its read buffers.
pub const SNAPSHOT_BATCH_RECORDS_MAX: usize = 1024;

/// A snapshot was asked for within a metadata transaction, whose outcome is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InTransaction;

impl Image {
    /// The records that replay into this image, in an order that depends on the image alone:
    /// features (`metadata.version` first), brokers, controllers, topics each with its partitions,
    /// configurations, quotas, producer ids, access control entries, credentials, tokens.
    pub fn snapshot(&self) -> Result<Vec<Record>, InTransaction> {
        if self.in_transaction() {
            return Err(InTransaction);
        }
        let mut records = Vec::new();
        self.snapshot_features(&mut records);
        self.snapshot_nodes(&mut records);
        self.snapshot_topics(&mut records);
        self.snapshot_configs(&mut records);
        if self.next_producer_id > 0 {
            records.push(Record::ProducerIds(ProducerIdsRecord {
                broker_id: BrokerId::NONE,
                broker_epoch: -1,
                next_producer_id: self.next_producer_id,
            }));
        }
        records.extend(self.acls.values().cloned().map(Record::from));
        records.extend(self.scram.values().cloned().map(Record::from));
        records.extend(self.tokens.values().cloned().map(Record::from));
        Ok(records)
    }

    /// The image whose [`Image::snapshot`] at `offset` gave `records`.
    pub fn restore(offset: i64, records: &[Record]) -> Result<Arc<Self>, super::ReplayError> {
        let mut draft = super::ImageDraft::new(&Self { offset, ..Self::empty() });
        for record in records {
            draft.replay(offset, record)?;
        }
        Ok(draft.finish().0)
    }

    fn snapshot_features(&self, records: &mut Vec<Record>) {
        let record = |(name, feature_level): (&str, i16)| {
            Record::FeatureLevel(FeatureLevelRecord { name: name.to_owned(), feature_level })
        };
        // Kafka reads the records behind it by the rules of the metadata version.
        let (version, others): (Vec<_>, Vec<_>) =
            self.features().partition(|(name, _)| *name == crate::controller::METADATA_VERSION);
        records.extend(version.into_iter().chain(others).map(record));
    }

    fn snapshot_nodes(&self, records: &mut Vec<Record>) {
        for broker in self.brokers() {
            records.push(Record::RegisterBroker(RegisterBrokerRecord {
                broker_id: broker.id,
                is_migrating_zk_broker: false,
                incarnation_id: broker.incarnation_id,
                broker_epoch: broker.epoch,
                end_points: broker.endpoints.clone(),
                features: broker.features.clone(),
                rack: broker.rack.clone(),
                fenced: broker.fenced,
                in_controlled_shutdown: broker.in_controlled_shutdown,
                log_dirs: broker.log_dirs.clone(),
                cordoned_log_dirs: broker.cordoned_log_dirs.clone(),
            }));
        }
        for controller in self.controllers() {
            records.push(Record::RegisterController(RegisterControllerRecord {
                controller_id: controller.id,
                incarnation_id: controller.incarnation_id,
                zk_migration_ready: controller.zk_migration_ready,
                end_points: controller.endpoints.clone(),
                features: controller.features.clone(),
            }));
        }
    }

    fn snapshot_topics(&self, records: &mut Vec<Record>) {
        let some = |ids: &Vec<BrokerId>| (!ids.is_empty()).then(|| ids.clone());
        for topic in self.topics() {
            records.push(Record::Topic(TopicRecord {
                name: topic.name.to_string(),
                topic_id: topic.id,
            }));
            for partition in topic.partitions() {
                records.push(Record::Partition(PartitionRecord {
                    partition_id: partition.index,
                    topic_id: topic.id,
                    replicas: partition.replicas.clone(),
                    isr: partition.isr.clone(),
                    removing_replicas: partition.removing_replicas.clone(),
                    adding_replicas: partition.adding_replicas.clone(),
                    leader: partition.leader,
                    leader_epoch: partition.leader_epoch,
                    partition_epoch: partition.partition_epoch,
                    directories: partition.directories.clone(),
                    leader_recovery_state: partition.leader_recovery_state,
                    eligible_leader_replicas: some(&partition.eligible_leader_replicas),
                    last_known_elr: some(&partition.last_known_elr),
                }));
            }
        }
    }

    fn snapshot_configs(&self, records: &mut Vec<Record>) {
        for (resource, overrides) in self.configs() {
            for (name, value) in overrides {
                records.push(Record::Config(ConfigRecord {
                    resource_type: resource.kind.id(),
                    resource_name: resource.name.clone(),
                    name: name.clone(),
                    value: Some(value.clone()),
                }));
            }
        }
        for (entity, limits) in self.quotas() {
            for (key, value) in limits {
                let part = |(kind, name): (&String, &Option<String>)| EntityField {
                    entity_type: kind.clone(),
                    entity_name: name.clone(),
                };
                records.push(Record::ClientQuota(ClientQuotaRecord {
                    entity: entity.iter().map(part).collect(),
                    key: key.clone(),
                    value: *value,
                    remove: false,
                }));
            }
        }
    }
}

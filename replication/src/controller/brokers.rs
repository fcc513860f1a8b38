//! A broker's life in the metadata: bootstrap, registration, leaders found missing, producer ids.

use millrace_wire::Uuid;

use super::{Refusal, RefusalKind};
use crate::image::{Endpoint, FeatureRange, Image, Partition};
use crate::record::{
    BrokerRegistrationChangeRecord, FeatureLevelRecord, PartitionChangeRecord, ProducerIdsRecord,
    Record, RegisterBrokerRecord,
};
use crate::types::BrokerId;

/// The feature that says by which rules the metadata is written.
pub const METADATA_VERSION: &str = "metadata.version";

/// The metadata version that new clusters start at: 4.3-IV0.
pub const METADATA_VERSION_LEVEL: i16 = 30;

/// The feature that allows the consumer group protocol of KIP-848.
pub const GROUP_VERSION: &str = "group.version";

/// Producer ids in one block. Kafka's own figure, so that brokers of both kinds share a cluster.
pub const PRODUCER_ID_BLOCK_LEN: i64 = 1000;

/// Every feature this broker knows: name, lowest and highest level, level of a new cluster.
///
/// A feature is added here when its levels are served; 0 is "off" and always allowed.
const FEATURES: [(&str, i16, i16, i16); 2] = [
    (GROUP_VERSION, 0, 1, 1),
    (METADATA_VERSION, 7, METADATA_VERSION_LEVEL, METADATA_VERSION_LEVEL),
];

/// The features and levels that this broker can run.
pub fn supported_features() -> Vec<FeatureRange> {
    FEATURES
        .iter()
        .map(|(name, min, max, _)| FeatureRange {
            name: (*name).to_owned(),
            min_supported_version: *min,
            max_supported_version: *max,
        })
        .collect()
}

/// The records a new cluster starts with. Empty when the image has a metadata version already.
pub fn bootstrap(image: &Image) -> Vec<Record> {
    if image.feature_level(METADATA_VERSION) > 0 {
        return Vec::new();
    }
    let record = |(name, _, _, level): &(&str, i16, i16, i16)| {
        Record::FeatureLevel(FeatureLevelRecord { name: (*name).to_owned(), feature_level: *level })
    };
    let (version, others): (Vec<_>, Vec<_>) = FEATURES
        .iter()
        .filter(|(_, _, _, level)| *level > 0)
        .partition(|(name, ..)| *name == METADATA_VERSION);
    version.into_iter().chain(others).map(record).collect()
}

/// What a broker says of itself at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRegistrationRequest {
    /// `node.id`.
    pub id: BrokerId,
    /// Random per start.
    pub incarnation_id: Uuid,
    /// Its advertised listeners.
    pub endpoints: Vec<Endpoint>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Ids of its log directories.
    pub log_dirs: Vec<Uuid>,
}

/// The records of a broker's start on a node that is its own controller: registered and live at
/// once, and leading what it can lead.
///
/// - `next_offset`: offset that the first of the records will have; it becomes the broker's epoch.
pub fn register_broker(
    image: &Image,
    request: &BrokerRegistrationRequest,
    next_offset: i64,
) -> Vec<Record> {
    let mut records = vec![
        Record::RegisterBroker(RegisterBrokerRecord {
            broker_id: request.id,
            is_migrating_zk_broker: false,
            incarnation_id: request.incarnation_id,
            broker_epoch: next_offset,
            end_points: request.endpoints.clone(),
            features: supported_features(),
            rack: request.rack.clone(),
            fenced: true,
            in_controlled_shutdown: false,
            log_dirs: request.log_dirs.clone(),
            cordoned_log_dirs: None,
        }),
        Record::BrokerRegistrationChange(BrokerRegistrationChangeRecord {
            broker_id: request.id,
            broker_epoch: next_offset,
            fenced: -1,
            in_controlled_shutdown: 0,
            log_dirs: Vec::new(),
            cordoned_log_dirs: None,
        }),
    ];
    records.extend(elect_missing_leaders(image, request.id));
    records
}

/// Elects `broker` in every partition that has no leader and that it may lead without loss.
///
/// A log that a stopped Kafka left has such partitions: the last in-sync replica stays in the ISR
/// or, with eligible leader replicas (KIP-966), moves from there to those when its broker goes.
pub fn elect_missing_leaders(image: &Image, broker: BrokerId) -> Vec<Record> {
    let mut records = Vec::new();
    for topic in image.topics() {
        for partition in topic.partitions() {
            if partition.leader != BrokerId::NONE || !may_lead(partition, broker) {
                continue;
            }
            let mut change = PartitionChangeRecord::none(topic.id, partition.index);
            change.leader = broker;
            if !partition.isr.contains(&broker) {
                let others =
                    |ids: &[BrokerId]| ids.iter().copied().filter(|id| *id != broker).collect();
                change.isr = Some(vec![broker]);
                change.eligible_leader_replicas = Some(others(&partition.eligible_leader_replicas));
                change.last_known_elr = Some(Vec::new());
            }
            records.push(Record::PartitionChange(change));
        }
    }
    records
}

/// In sync, eligible, or the only replica that was either when all were lost.
fn may_lead(partition: &Partition, broker: BrokerId) -> bool {
    partition.isr.contains(&broker)
        || partition.eligible_leader_replicas.contains(&broker)
        || (partition.isr.is_empty()
            && partition.eligible_leader_replicas.is_empty()
            && partition.last_known_elr == [broker])
}

/// Consecutive producer ids that one broker may hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdBlock {
    /// The first id.
    pub first: i64,
    /// How many.
    pub len: i64,
}

/// Gives the next block of producer ids to a broker.
pub fn allocate_producer_ids(
    image: &Image,
    broker: BrokerId,
    broker_epoch: i64,
) -> Result<(ProducerIdBlock, Vec<Record>), Refusal> {
    let registration = image.broker(broker).ok_or_else(|| {
        Refusal::new(
            RefusalKind::BrokerIdNotRegistered,
            format!("no broker {broker} is registered"),
        )
    })?;
    if registration.epoch != broker_epoch {
        return Err(Refusal::new(
            RefusalKind::StaleBrokerEpoch,
            format!(
                "broker {broker} is registered with epoch {}, not {broker_epoch}",
                registration.epoch
            ),
        ));
    }
    let first = image.next_producer_id();
    let next_producer_id = first.checked_add(PRODUCER_ID_BLOCK_LEN).ok_or_else(|| {
        Refusal::new(RefusalKind::PolicyViolation, "all producer ids are used up")
    })?;
    let block = ProducerIdBlock { first, len: PRODUCER_ID_BLOCK_LEN };
    let record = Record::ProducerIds(ProducerIdsRecord {
        broker_id: broker,
        broker_epoch,
        next_producer_id,
    });
    Ok((block, vec![record]))
}

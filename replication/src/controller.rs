//! The controller: functions from an image and a request to records and an answer.
//!
//! None of them changes anything. Whoever owns the metadata log appends the records, replays them
//! and then sends the answer; a refused item gives no records. Topic by topic, an answer stands
//! beside each request in the order asked.

mod brokers;
mod configs;
mod features;
mod names;
mod partitions;
mod quotas;
mod topics;

pub use brokers::{
    BrokerRegistrationRequest, GROUP_VERSION, METADATA_VERSION, METADATA_VERSION_LEVEL,
    PRODUCER_ID_BLOCK_LEN, ProducerIdBlock, allocate_producer_ids, bootstrap,
    elect_missing_leaders, register_broker, supported_features,
};
pub use configs::{AlterConfig, AlterOp, AlterResource, alter_configs, incremental_alter_configs};
pub use features::{FeatureUpdate, UpgradeType, update_features};
pub use names::{
    CLUSTER_METADATA_TOPIC, TOPIC_NAME_CHARS_MAX, is_internal_topic, topic_name_check,
};
pub use partitions::{NewPartitions, create_partitions};
pub use quotas::{AlterQuota, CLIENT_ID, IP, USER, alter_client_quotas};
pub use topics::{CreatedTopic, NewTopic, TopicRef, create_topics, delete_topics};

use crate::config_key::ConfigTables;
use crate::image::Image;
use crate::record::Record;

/// Records that one request may lead to; Kafka's own bound for what a user asks for at once.
pub const RECORDS_PER_REQUEST_MAX: usize = 10_000;

/// What the controller decides by, beside the request.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The state as of the last record.
    pub image: &'a Image,
    /// What configurations exist.
    pub tables: &'a ConfigTables,
    /// `num.partitions`: for a topic created without a number of partitions.
    pub partitions_default: i32,
    /// `default.replication.factor`: for a topic created without one.
    pub replication_factor_default: i16,
}

/// Why the controller refuses an item of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum RefusalKind {
    /// UNKNOWN_TOPIC_OR_PARTITION.
    UnknownTopicOrPartition = 3,
    /// INVALID_TOPIC_EXCEPTION.
    InvalidTopic = 17,
    /// TOPIC_ALREADY_EXISTS.
    TopicAlreadyExists = 36,
    /// INVALID_PARTITIONS.
    InvalidPartitions = 37,
    /// INVALID_REPLICATION_FACTOR.
    InvalidReplicationFactor = 38,
    /// INVALID_REPLICA_ASSIGNMENT.
    InvalidReplicaAssignment = 39,
    /// INVALID_CONFIG.
    InvalidConfig = 40,
    /// INVALID_REQUEST.
    InvalidRequest = 42,
    /// POLICY_VIOLATION.
    PolicyViolation = 44,
    /// STALE_BROKER_EPOCH.
    StaleBrokerEpoch = 77,
    /// THROTTLING_QUOTA_EXCEEDED.
    ThrottlingQuotaExceeded = 89,
    /// INVALID_UPDATE_VERSION.
    InvalidUpdateVersion = 95,
    /// UNKNOWN_TOPIC_ID.
    UnknownTopicId = 100,
    /// BROKER_ID_NOT_REGISTERED.
    BrokerIdNotRegistered = 102,
}

/// A refused item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub kind: RefusalKind,
    /// The same for people, with the values in it.
    pub message: String,
}

impl Refusal {
    /// Kafka's error code.
    pub const fn code(&self) -> i16 {
        self.kind as i16
    }

    fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Asked before so many partitions are created or deleted: whether whoever wants it may, by its quota.
/// A request is asked about item by item, each once all else about it is right. Source: KIP-599.
pub type Meter<'a> = &'a mut dyn FnMut(usize) -> bool;

/// Asks the meter.
fn measure(meter: Meter<'_>, partitions: usize) -> Result<(), Refusal> {
    if meter(partitions) {
        return Ok(());
    }
    let why = "the client has created and deleted partitions faster than its quota allows";
    Err(Refusal::new(RefusalKind::ThrottlingQuotaExceeded, why))
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// What the controller decided: records to append as one group, and an answer per item.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<T> {
    /// To be appended in one atomic batch, and replayed. Empty when nothing changes.
    pub records: Vec<Record>,
    /// One per item of the request, in its order.
    pub answers: Vec<Result<T, Refusal>>,
}

/// Asked for in a request, or only to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Do it.
    Apply,
    /// `validate_only`: the same answers, no records.
    Validate,
}

impl<T> Decision<T> {
    /// The decision without its records if the request was only to be checked.
    fn in_mode(mut self, mode: Mode) -> Self {
        if mode == Mode::Validate {
            self.records.clear();
        }
        self
    }
}

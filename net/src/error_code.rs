//! Kafka's error codes: number, name, and whether a client is to try again.
//!
//! Source: Kafka protocol guide, "Error Codes".

/// The outcome of a request or of a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum ErrorCode {
    /// UNKNOWN_SERVER_ERROR.
    UnknownServerError = -1,
    /// NONE.
    #[default]
    None = 0,
    /// OFFSET_OUT_OF_RANGE.
    OffsetOutOfRange = 1,
    /// CORRUPT_MESSAGE; retriable.
    CorruptMessage = 2,
    /// UNKNOWN_TOPIC_OR_PARTITION; retriable.
    UnknownTopicOrPartition = 3,
    /// INVALID_FETCH_SIZE.
    InvalidFetchSize = 4,
    /// LEADER_NOT_AVAILABLE; retriable.
    LeaderNotAvailable = 5,
    /// NOT_LEADER_OR_FOLLOWER; retriable.
    NotLeaderOrFollower = 6,
    /// REQUEST_TIMED_OUT; retriable.
    RequestTimedOut = 7,
    /// BROKER_NOT_AVAILABLE.
    BrokerNotAvailable = 8,
    /// REPLICA_NOT_AVAILABLE; retriable.
    ReplicaNotAvailable = 9,
    /// MESSAGE_TOO_LARGE.
    MessageTooLarge = 10,
    /// STALE_CONTROLLER_EPOCH.
    StaleControllerEpoch = 11,
    /// OFFSET_METADATA_TOO_LARGE.
    OffsetMetadataTooLarge = 12,
    /// NETWORK_EXCEPTION; retriable.
    NetworkException = 13,
    /// COORDINATOR_LOAD_IN_PROGRESS; retriable.
    CoordinatorLoadInProgress = 14,
    /// COORDINATOR_NOT_AVAILABLE; retriable.
    CoordinatorNotAvailable = 15,
    /// NOT_COORDINATOR; retriable.
    NotCoordinator = 16,
    /// INVALID_TOPIC_EXCEPTION.
    InvalidTopicException = 17,
    /// RECORD_LIST_TOO_LARGE.
    RecordListTooLarge = 18,
    /// NOT_ENOUGH_REPLICAS; retriable.
    NotEnoughReplicas = 19,
    /// NOT_ENOUGH_REPLICAS_AFTER_APPEND; retriable.
    NotEnoughReplicasAfterAppend = 20,
    /// INVALID_REQUIRED_ACKS.
    InvalidRequiredAcks = 21,
    /// ILLEGAL_GENERATION.
    IllegalGeneration = 22,
    /// INCONSISTENT_GROUP_PROTOCOL.
    InconsistentGroupProtocol = 23,
    /// INVALID_GROUP_ID.
    InvalidGroupId = 24,
    /// UNKNOWN_MEMBER_ID.
    UnknownMemberId = 25,
    /// INVALID_SESSION_TIMEOUT.
    InvalidSessionTimeout = 26,
    /// REBALANCE_IN_PROGRESS.
    RebalanceInProgress = 27,
    /// INVALID_COMMIT_OFFSET_SIZE.
    InvalidCommitOffsetSize = 28,
    /// TOPIC_AUTHORIZATION_FAILED.
    TopicAuthorizationFailed = 29,
    /// GROUP_AUTHORIZATION_FAILED.
    GroupAuthorizationFailed = 30,
    /// CLUSTER_AUTHORIZATION_FAILED.
    ClusterAuthorizationFailed = 31,
    /// INVALID_TIMESTAMP.
    InvalidTimestamp = 32,
    /// UNSUPPORTED_SASL_MECHANISM.
    UnsupportedSaslMechanism = 33,
    /// ILLEGAL_SASL_STATE.
    IllegalSaslState = 34,
    /// UNSUPPORTED_VERSION.
    UnsupportedVersion = 35,
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
    /// NOT_CONTROLLER; retriable.
    NotController = 41,
    /// INVALID_REQUEST.
    InvalidRequest = 42,
    /// UNSUPPORTED_FOR_MESSAGE_FORMAT.
    UnsupportedForMessageFormat = 43,
    /// POLICY_VIOLATION.
    PolicyViolation = 44,
    /// OUT_OF_ORDER_SEQUENCE_NUMBER.
    OutOfOrderSequenceNumber = 45,
    /// DUPLICATE_SEQUENCE_NUMBER.
    DuplicateSequenceNumber = 46,
    /// INVALID_PRODUCER_EPOCH.
    InvalidProducerEpoch = 47,
    /// INVALID_TXN_STATE.
    InvalidTxnState = 48,
    /// INVALID_PRODUCER_ID_MAPPING.
    InvalidProducerIdMapping = 49,
    /// INVALID_TRANSACTION_TIMEOUT.
    InvalidTransactionTimeout = 50,
    /// CONCURRENT_TRANSACTIONS; retriable.
    ConcurrentTransactions = 51,
    /// TRANSACTION_COORDINATOR_FENCED.
    TransactionCoordinatorFenced = 52,
    /// TRANSACTIONAL_ID_AUTHORIZATION_FAILED.
    TransactionalIdAuthorizationFailed = 53,
    /// SECURITY_DISABLED.
    SecurityDisabled = 54,
    /// OPERATION_NOT_ATTEMPTED.
    OperationNotAttempted = 55,
    /// KAFKA_STORAGE_ERROR; retriable.
    KafkaStorageError = 56,
    /// LOG_DIR_NOT_FOUND.
    LogDirNotFound = 57,
    /// SASL_AUTHENTICATION_FAILED.
    SaslAuthenticationFailed = 58,
    /// UNKNOWN_PRODUCER_ID.
    UnknownProducerId = 59,
    /// REASSIGNMENT_IN_PROGRESS.
    ReassignmentInProgress = 60,
    /// DELEGATION_TOKEN_AUTH_DISABLED.
    DelegationTokenAuthDisabled = 61,
    /// DELEGATION_TOKEN_NOT_FOUND.
    DelegationTokenNotFound = 62,
    /// DELEGATION_TOKEN_OWNER_MISMATCH.
    DelegationTokenOwnerMismatch = 63,
    /// DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.
    DelegationTokenRequestNotAllowed = 64,
    /// DELEGATION_TOKEN_AUTHORIZATION_FAILED.
    DelegationTokenAuthorizationFailed = 65,
    /// DELEGATION_TOKEN_EXPIRED.
    DelegationTokenExpired = 66,
    /// INVALID_PRINCIPAL_TYPE.
    InvalidPrincipalType = 67,
    /// NON_EMPTY_GROUP.
    NonEmptyGroup = 68,
    /// GROUP_ID_NOT_FOUND.
    GroupIdNotFound = 69,
    /// FETCH_SESSION_ID_NOT_FOUND; retriable.
    FetchSessionIdNotFound = 70,
    /// INVALID_FETCH_SESSION_EPOCH; retriable.
    InvalidFetchSessionEpoch = 71,
    /// LISTENER_NOT_FOUND; retriable.
    ListenerNotFound = 72,
    /// TOPIC_DELETION_DISABLED.
    TopicDeletionDisabled = 73,
    /// FENCED_LEADER_EPOCH; retriable.
    FencedLeaderEpoch = 74,
    /// UNKNOWN_LEADER_EPOCH; retriable.
    UnknownLeaderEpoch = 75,
    /// UNSUPPORTED_COMPRESSION_TYPE.
    UnsupportedCompressionType = 76,
    /// STALE_BROKER_EPOCH.
    StaleBrokerEpoch = 77,
    /// OFFSET_NOT_AVAILABLE; retriable.
    OffsetNotAvailable = 78,
    /// MEMBER_ID_REQUIRED.
    MemberIdRequired = 79,
    /// PREFERRED_LEADER_NOT_AVAILABLE; retriable.
    PreferredLeaderNotAvailable = 80,
    /// GROUP_MAX_SIZE_REACHED.
    GroupMaxSizeReached = 81,
    /// FENCED_INSTANCE_ID.
    FencedInstanceId = 82,
    /// ELIGIBLE_LEADERS_NOT_AVAILABLE; retriable.
    EligibleLeadersNotAvailable = 83,
    /// ELECTION_NOT_NEEDED; retriable.
    ElectionNotNeeded = 84,
    /// NO_REASSIGNMENT_IN_PROGRESS.
    NoReassignmentInProgress = 85,
    /// GROUP_SUBSCRIBED_TO_TOPIC.
    GroupSubscribedToTopic = 86,
    /// INVALID_RECORD.
    InvalidRecord = 87,
    /// UNSTABLE_OFFSET_COMMIT; retriable.
    UnstableOffsetCommit = 88,
    /// THROTTLING_QUOTA_EXCEEDED; retriable.
    ThrottlingQuotaExceeded = 89,
    /// PRODUCER_FENCED.
    ProducerFenced = 90,
    /// RESOURCE_NOT_FOUND.
    ResourceNotFound = 91,
    /// DUPLICATE_RESOURCE.
    DuplicateResource = 92,
    /// UNACCEPTABLE_CREDENTIAL.
    UnacceptableCredential = 93,
    /// INCONSISTENT_VOTER_SET.
    InconsistentVoterSet = 94,
    /// INVALID_UPDATE_VERSION.
    InvalidUpdateVersion = 95,
    /// FEATURE_UPDATE_FAILED.
    FeatureUpdateFailed = 96,
    /// PRINCIPAL_DESERIALIZATION_FAILURE.
    PrincipalDeserializationFailure = 97,
    /// SNAPSHOT_NOT_FOUND.
    SnapshotNotFound = 98,
    /// POSITION_OUT_OF_RANGE.
    PositionOutOfRange = 99,
    /// UNKNOWN_TOPIC_ID; retriable.
    UnknownTopicId = 100,
    /// DUPLICATE_BROKER_REGISTRATION.
    DuplicateBrokerRegistration = 101,
    /// BROKER_ID_NOT_REGISTERED.
    BrokerIdNotRegistered = 102,
    /// INCONSISTENT_TOPIC_ID; retriable.
    InconsistentTopicId = 103,
    /// INCONSISTENT_CLUSTER_ID.
    InconsistentClusterId = 104,
    /// TRANSACTIONAL_ID_NOT_FOUND.
    TransactionalIdNotFound = 105,
    /// FETCH_SESSION_TOPIC_ID_ERROR; retriable.
    FetchSessionTopicIdError = 106,
    /// INELIGIBLE_REPLICA.
    IneligibleReplica = 107,
    /// NEW_LEADER_ELECTED.
    NewLeaderElected = 108,
    /// OFFSET_MOVED_TO_TIERED_STORAGE.
    OffsetMovedToTieredStorage = 109,
    /// FENCED_MEMBER_EPOCH.
    FencedMemberEpoch = 110,
    /// UNRELEASED_INSTANCE_ID.
    UnreleasedInstanceId = 111,
    /// UNSUPPORTED_ASSIGNOR.
    UnsupportedAssignor = 112,
    /// STALE_MEMBER_EPOCH.
    StaleMemberEpoch = 113,
    /// MISMATCHED_ENDPOINT_TYPE.
    MismatchedEndpointType = 114,
    /// UNSUPPORTED_ENDPOINT_TYPE.
    UnsupportedEndpointType = 115,
    /// UNKNOWN_CONTROLLER_ID.
    UnknownControllerId = 116,
    /// UNKNOWN_SUBSCRIPTION_ID.
    UnknownSubscriptionId = 117,
    /// TELEMETRY_TOO_LARGE.
    TelemetryTooLarge = 118,
    /// INVALID_REGISTRATION.
    InvalidRegistration = 119,
    /// TRANSACTION_ABORTABLE.
    TransactionAbortable = 120,
    /// INVALID_RECORD_STATE.
    InvalidRecordState = 121,
    /// SHARE_SESSION_NOT_FOUND; retriable.
    ShareSessionNotFound = 122,
    /// INVALID_SHARE_SESSION_EPOCH; retriable.
    InvalidShareSessionEpoch = 123,
    /// FENCED_STATE_EPOCH.
    FencedStateEpoch = 124,
    /// INVALID_VOTER_KEY.
    InvalidVoterKey = 125,
    /// DUPLICATE_VOTER.
    DuplicateVoter = 126,
    /// VOTER_NOT_FOUND.
    VoterNotFound = 127,
    /// INVALID_REGULAR_EXPRESSION.
    InvalidRegularExpression = 128,
    /// REBOOTSTRAP_REQUIRED.
    RebootstrapRequired = 129,
    /// STREAMS_INVALID_TOPOLOGY.
    StreamsInvalidTopology = 130,
    /// STREAMS_INVALID_TOPOLOGY_EPOCH.
    StreamsInvalidTopologyEpoch = 131,
    /// STREAMS_TOPOLOGY_FENCED.
    StreamsTopologyFenced = 132,
    /// SHARE_SESSION_LIMIT_REACHED; retriable.
    ShareSessionLimitReached = 133,
}

impl ErrorCode {
    /// All codes in order, from -1.
    pub const ALL: [Self; 135] = [
        Self::UnknownServerError,
        Self::None,
        Self::OffsetOutOfRange,
        Self::CorruptMessage,
        Self::UnknownTopicOrPartition,
        Self::InvalidFetchSize,
        Self::LeaderNotAvailable,
        Self::NotLeaderOrFollower,
        Self::RequestTimedOut,
        Self::BrokerNotAvailable,
        Self::ReplicaNotAvailable,
        Self::MessageTooLarge,
        Self::StaleControllerEpoch,
        Self::OffsetMetadataTooLarge,
        Self::NetworkException,
        Self::CoordinatorLoadInProgress,
        Self::CoordinatorNotAvailable,
        Self::NotCoordinator,
        Self::InvalidTopicException,
        Self::RecordListTooLarge,
        Self::NotEnoughReplicas,
        Self::NotEnoughReplicasAfterAppend,
        Self::InvalidRequiredAcks,
        Self::IllegalGeneration,
        Self::InconsistentGroupProtocol,
        Self::InvalidGroupId,
        Self::UnknownMemberId,
        Self::InvalidSessionTimeout,
        Self::RebalanceInProgress,
        Self::InvalidCommitOffsetSize,
        Self::TopicAuthorizationFailed,
        Self::GroupAuthorizationFailed,
        Self::ClusterAuthorizationFailed,
        Self::InvalidTimestamp,
        Self::UnsupportedSaslMechanism,
        Self::IllegalSaslState,
        Self::UnsupportedVersion,
        Self::TopicAlreadyExists,
        Self::InvalidPartitions,
        Self::InvalidReplicationFactor,
        Self::InvalidReplicaAssignment,
        Self::InvalidConfig,
        Self::NotController,
        Self::InvalidRequest,
        Self::UnsupportedForMessageFormat,
        Self::PolicyViolation,
        Self::OutOfOrderSequenceNumber,
        Self::DuplicateSequenceNumber,
        Self::InvalidProducerEpoch,
        Self::InvalidTxnState,
        Self::InvalidProducerIdMapping,
        Self::InvalidTransactionTimeout,
        Self::ConcurrentTransactions,
        Self::TransactionCoordinatorFenced,
        Self::TransactionalIdAuthorizationFailed,
        Self::SecurityDisabled,
        Self::OperationNotAttempted,
        Self::KafkaStorageError,
        Self::LogDirNotFound,
        Self::SaslAuthenticationFailed,
        Self::UnknownProducerId,
        Self::ReassignmentInProgress,
        Self::DelegationTokenAuthDisabled,
        Self::DelegationTokenNotFound,
        Self::DelegationTokenOwnerMismatch,
        Self::DelegationTokenRequestNotAllowed,
        Self::DelegationTokenAuthorizationFailed,
        Self::DelegationTokenExpired,
        Self::InvalidPrincipalType,
        Self::NonEmptyGroup,
        Self::GroupIdNotFound,
        Self::FetchSessionIdNotFound,
        Self::InvalidFetchSessionEpoch,
        Self::ListenerNotFound,
        Self::TopicDeletionDisabled,
        Self::FencedLeaderEpoch,
        Self::UnknownLeaderEpoch,
        Self::UnsupportedCompressionType,
        Self::StaleBrokerEpoch,
        Self::OffsetNotAvailable,
        Self::MemberIdRequired,
        Self::PreferredLeaderNotAvailable,
        Self::GroupMaxSizeReached,
        Self::FencedInstanceId,
        Self::EligibleLeadersNotAvailable,
        Self::ElectionNotNeeded,
        Self::NoReassignmentInProgress,
        Self::GroupSubscribedToTopic,
        Self::InvalidRecord,
        Self::UnstableOffsetCommit,
        Self::ThrottlingQuotaExceeded,
        Self::ProducerFenced,
        Self::ResourceNotFound,
        Self::DuplicateResource,
        Self::UnacceptableCredential,
        Self::InconsistentVoterSet,
        Self::InvalidUpdateVersion,
        Self::FeatureUpdateFailed,
        Self::PrincipalDeserializationFailure,
        Self::SnapshotNotFound,
        Self::PositionOutOfRange,
        Self::UnknownTopicId,
        Self::DuplicateBrokerRegistration,
        Self::BrokerIdNotRegistered,
        Self::InconsistentTopicId,
        Self::InconsistentClusterId,
        Self::TransactionalIdNotFound,
        Self::FetchSessionTopicIdError,
        Self::IneligibleReplica,
        Self::NewLeaderElected,
        Self::OffsetMovedToTieredStorage,
        Self::FencedMemberEpoch,
        Self::UnreleasedInstanceId,
        Self::UnsupportedAssignor,
        Self::StaleMemberEpoch,
        Self::MismatchedEndpointType,
        Self::UnsupportedEndpointType,
        Self::UnknownControllerId,
        Self::UnknownSubscriptionId,
        Self::TelemetryTooLarge,
        Self::InvalidRegistration,
        Self::TransactionAbortable,
        Self::InvalidRecordState,
        Self::ShareSessionNotFound,
        Self::InvalidShareSessionEpoch,
        Self::FencedStateEpoch,
        Self::InvalidVoterKey,
        Self::DuplicateVoter,
        Self::VoterNotFound,
        Self::InvalidRegularExpression,
        Self::RebootstrapRequired,
        Self::StreamsInvalidTopology,
        Self::StreamsInvalidTopologyEpoch,
        Self::StreamsTopologyFenced,
        Self::ShareSessionLimitReached,
    ];

    /// The code with this number, if it is assigned.
    pub fn from_code(code: i16) -> Option<Self> {
        let index = usize::try_from(i32::from(code) + 1).ok()?;
        Self::ALL.get(index).copied()
    }

    /// The number on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// True for no error.
    pub const fn is_none(self) -> bool {
        matches!(self, Self::None)
    }

    /// Kafka's name, in capitals.
    pub const fn name(self) -> &'static str {
        self.row().0
    }

    /// True when a client is expected to try again.
    pub const fn is_retriable(self) -> bool {
        self.row().1
    }

    const fn row(self) -> (&'static str, bool) {
        // The lowest code is -1, so the sum is an index.
        TABLE[(self as i16 + 1) as usize]
    }
}

impl From<ErrorCode> for i16 {
    fn from(code: ErrorCode) -> Self {
        code.code()
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Name and whether retriable, by code + 1.
const TABLE: [(&str, bool); 135] = [
    ("UNKNOWN_SERVER_ERROR", false),
    ("NONE", false),
    ("OFFSET_OUT_OF_RANGE", false),
    ("CORRUPT_MESSAGE", true),
    ("UNKNOWN_TOPIC_OR_PARTITION", true),
    ("INVALID_FETCH_SIZE", false),
    ("LEADER_NOT_AVAILABLE", true),
    ("NOT_LEADER_OR_FOLLOWER", true),
    ("REQUEST_TIMED_OUT", true),
    ("BROKER_NOT_AVAILABLE", false),
    ("REPLICA_NOT_AVAILABLE", true),
    ("MESSAGE_TOO_LARGE", false),
    ("STALE_CONTROLLER_EPOCH", false),
    ("OFFSET_METADATA_TOO_LARGE", false),
    ("NETWORK_EXCEPTION", true),
    ("COORDINATOR_LOAD_IN_PROGRESS", true),
    ("COORDINATOR_NOT_AVAILABLE", true),
    ("NOT_COORDINATOR", true),
    ("INVALID_TOPIC_EXCEPTION", false),
    ("RECORD_LIST_TOO_LARGE", false),
    ("NOT_ENOUGH_REPLICAS", true),
    ("NOT_ENOUGH_REPLICAS_AFTER_APPEND", true),
    ("INVALID_REQUIRED_ACKS", false),
    ("ILLEGAL_GENERATION", false),
    ("INCONSISTENT_GROUP_PROTOCOL", false),
    ("INVALID_GROUP_ID", false),
    ("UNKNOWN_MEMBER_ID", false),
    ("INVALID_SESSION_TIMEOUT", false),
    ("REBALANCE_IN_PROGRESS", false),
    ("INVALID_COMMIT_OFFSET_SIZE", false),
    ("TOPIC_AUTHORIZATION_FAILED", false),
    ("GROUP_AUTHORIZATION_FAILED", false),
    ("CLUSTER_AUTHORIZATION_FAILED", false),
    ("INVALID_TIMESTAMP", false),
    ("UNSUPPORTED_SASL_MECHANISM", false),
    ("ILLEGAL_SASL_STATE", false),
    ("UNSUPPORTED_VERSION", false),
    ("TOPIC_ALREADY_EXISTS", false),
    ("INVALID_PARTITIONS", false),
    ("INVALID_REPLICATION_FACTOR", false),
    ("INVALID_REPLICA_ASSIGNMENT", false),
    ("INVALID_CONFIG", false),
    ("NOT_CONTROLLER", true),
    ("INVALID_REQUEST", false),
    ("UNSUPPORTED_FOR_MESSAGE_FORMAT", false),
    ("POLICY_VIOLATION", false),
    ("OUT_OF_ORDER_SEQUENCE_NUMBER", false),
    ("DUPLICATE_SEQUENCE_NUMBER", false),
    ("INVALID_PRODUCER_EPOCH", false),
    ("INVALID_TXN_STATE", false),
    ("INVALID_PRODUCER_ID_MAPPING", false),
    ("INVALID_TRANSACTION_TIMEOUT", false),
    ("CONCURRENT_TRANSACTIONS", true),
    ("TRANSACTION_COORDINATOR_FENCED", false),
    ("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", false),
    ("SECURITY_DISABLED", false),
    ("OPERATION_NOT_ATTEMPTED", false),
    ("KAFKA_STORAGE_ERROR", true),
    ("LOG_DIR_NOT_FOUND", false),
    ("SASL_AUTHENTICATION_FAILED", false),
    ("UNKNOWN_PRODUCER_ID", false),
    ("REASSIGNMENT_IN_PROGRESS", false),
    ("DELEGATION_TOKEN_AUTH_DISABLED", false),
    ("DELEGATION_TOKEN_NOT_FOUND", false),
    ("DELEGATION_TOKEN_OWNER_MISMATCH", false),
    ("DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", false),
    ("DELEGATION_TOKEN_AUTHORIZATION_FAILED", false),
    ("DELEGATION_TOKEN_EXPIRED", false),
    ("INVALID_PRINCIPAL_TYPE", false),
    ("NON_EMPTY_GROUP", false),
    ("GROUP_ID_NOT_FOUND", false),
    ("FETCH_SESSION_ID_NOT_FOUND", true),
    ("INVALID_FETCH_SESSION_EPOCH", true),
    ("LISTENER_NOT_FOUND", true),
    ("TOPIC_DELETION_DISABLED", false),
    ("FENCED_LEADER_EPOCH", true),
    ("UNKNOWN_LEADER_EPOCH", true),
    ("UNSUPPORTED_COMPRESSION_TYPE", false),
    ("STALE_BROKER_EPOCH", false),
    ("OFFSET_NOT_AVAILABLE", true),
    ("MEMBER_ID_REQUIRED", false),
    ("PREFERRED_LEADER_NOT_AVAILABLE", true),
    ("GROUP_MAX_SIZE_REACHED", false),
    ("FENCED_INSTANCE_ID", false),
    ("ELIGIBLE_LEADERS_NOT_AVAILABLE", true),
    ("ELECTION_NOT_NEEDED", true),
    ("NO_REASSIGNMENT_IN_PROGRESS", false),
    ("GROUP_SUBSCRIBED_TO_TOPIC", false),
    ("INVALID_RECORD", false),
    ("UNSTABLE_OFFSET_COMMIT", true),
    ("THROTTLING_QUOTA_EXCEEDED", true),
    ("PRODUCER_FENCED", false),
    ("RESOURCE_NOT_FOUND", false),
    ("DUPLICATE_RESOURCE", false),
    ("UNACCEPTABLE_CREDENTIAL", false),
    ("INCONSISTENT_VOTER_SET", false),
    ("INVALID_UPDATE_VERSION", false),
    ("FEATURE_UPDATE_FAILED", false),
    ("PRINCIPAL_DESERIALIZATION_FAILURE", false),
    ("SNAPSHOT_NOT_FOUND", false),
    ("POSITION_OUT_OF_RANGE", false),
    ("UNKNOWN_TOPIC_ID", true),
    ("DUPLICATE_BROKER_REGISTRATION", false),
    ("BROKER_ID_NOT_REGISTERED", false),
    ("INCONSISTENT_TOPIC_ID", true),
    ("INCONSISTENT_CLUSTER_ID", false),
    ("TRANSACTIONAL_ID_NOT_FOUND", false),
    ("FETCH_SESSION_TOPIC_ID_ERROR", true),
    ("INELIGIBLE_REPLICA", false),
    ("NEW_LEADER_ELECTED", false),
    ("OFFSET_MOVED_TO_TIERED_STORAGE", false),
    ("FENCED_MEMBER_EPOCH", false),
    ("UNRELEASED_INSTANCE_ID", false),
    ("UNSUPPORTED_ASSIGNOR", false),
    ("STALE_MEMBER_EPOCH", false),
    ("MISMATCHED_ENDPOINT_TYPE", false),
    ("UNSUPPORTED_ENDPOINT_TYPE", false),
    ("UNKNOWN_CONTROLLER_ID", false),
    ("UNKNOWN_SUBSCRIPTION_ID", false),
    ("TELEMETRY_TOO_LARGE", false),
    ("INVALID_REGISTRATION", false),
    ("TRANSACTION_ABORTABLE", false),
    ("INVALID_RECORD_STATE", false),
    ("SHARE_SESSION_NOT_FOUND", true),
    ("INVALID_SHARE_SESSION_EPOCH", true),
    ("FENCED_STATE_EPOCH", false),
    ("INVALID_VOTER_KEY", false),
    ("DUPLICATE_VOTER", false),
    ("VOTER_NOT_FOUND", false),
    ("INVALID_REGULAR_EXPRESSION", false),
    ("REBOOTSTRAP_REQUIRED", false),
    ("STREAMS_INVALID_TOPOLOGY", false),
    ("STREAMS_INVALID_TOPOLOGY_EPOCH", false),
    ("STREAMS_TOPOLOGY_FENCED", false),
    ("SHARE_SESSION_LIMIT_REACHED", true),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_at_its_number() {
        for (index, code) in ErrorCode::ALL.iter().enumerate() {
            assert_eq!(usize::try_from(i32::from(code.code()) + 1), Ok(index));
            assert_eq!(ErrorCode::from_code(code.code()), Some(*code));
        }
        assert_eq!(ErrorCode::from_code(-2), None);
        assert_eq!(ErrorCode::from_code(134), None);
        assert_eq!(ErrorCode::UnknownTopicId.name(), "UNKNOWN_TOPIC_ID");
        assert!(ErrorCode::NotLeaderOrFollower.is_retriable());
        assert!(!ErrorCode::MessageTooLarge.is_retriable());
    }
}

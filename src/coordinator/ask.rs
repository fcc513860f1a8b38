//! What is asked of a group coordinator, and what it answers.
//!
//! An ask concerns one group (or, for listing, all groups of one partition); whoever takes a
//! request apart into asks puts the answers together again.

use bytes::Bytes;
use millrace_net::ErrorCode;
use millrace_net::messages::consumer_group_describe::DescribedGroup as ConsumerDescribedGroup;
use millrace_net::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use millrace_net::messages::describe_groups::DescribedGroup;
use millrace_net::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use millrace_net::messages::join_group::{JoinGroupRequest, JoinGroupResponse};
use millrace_net::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};
use millrace_net::messages::list_groups::ListedGroup;
use millrace_net::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use millrace_net::messages::offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse};
use millrace_net::messages::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchResponseGroup};
use millrace_net::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};

/// Who a request comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requester {
    /// The client's name for itself.
    pub client_id: String,
    /// Where it connects from, as Kafka writes it: `/127.0.0.1`.
    pub client_host: String,
    /// The request's version.
    pub version: i16,
}

/// One thing to do for one group.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupAsk {
    /// JoinGroup.
    Join(Box<JoinGroupRequest>, Requester),
    /// SyncGroup.
    Sync(SyncGroupRequest),
    /// Heartbeat.
    Heartbeat(HeartbeatRequest),
    /// LeaveGroup; with `members` also where the request had a single member id (0 to 2).
    Leave(LeaveGroupRequest),
    /// DescribeGroups, one group.
    Describe {
        /// Which.
        group_id: String,
        /// The request's version: before 6 an unknown group is a dead one.
        version: i16,
    },
    /// ListGroups, of this coordinator; filters are applied.
    List {
        /// State names, any case; none for all.
        states: Vec<String>,
        /// Type names, any case; none for all.
        types: Vec<String>,
    },
    /// DeleteGroups, one group.
    Delete {
        /// Which.
        group_id: String,
    },
    /// OffsetCommit, of topics that exist. Both name and id of a topic are set.
    Commit(OffsetCommitRequest, Requester),
    /// OffsetFetch, one group. Names of topics are set, ids are handed through.
    Fetch(OffsetFetchRequestGroup),
    /// OffsetDelete, of topics that exist.
    DeleteOffsets(OffsetDeleteRequest),
    /// ConsumerGroupHeartbeat.
    ConsumerHeartbeat(Box<ConsumerGroupHeartbeatRequest>, Requester),
    /// ConsumerGroupDescribe, one group.
    ConsumerDescribe {
        /// Which.
        group_id: String,
    },
}

/// The answer to a [`GroupAsk`] of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupAnswer {
    /// JoinGroup.
    Joined(JoinGroupResponse),
    /// SyncGroup.
    Synced(SyncGroupResponse),
    /// Heartbeat.
    Heartbeat(HeartbeatResponse),
    /// LeaveGroup.
    Left(LeaveGroupResponse),
    /// DescribeGroups.
    Described(DescribedGroup),
    /// ListGroups.
    Listed(Result<Vec<ListedGroup>, ErrorCode>),
    /// DeleteGroups.
    Deleted(ErrorCode),
    /// OffsetCommit.
    Committed(OffsetCommitResponse),
    /// OffsetFetch.
    Fetched(OffsetFetchResponseGroup),
    /// OffsetDelete.
    DeletedOffsets(OffsetDeleteResponse),
    /// ConsumerGroupHeartbeat.
    ConsumerHeartbeat(ConsumerGroupHeartbeatResponse),
    /// ConsumerGroupDescribe.
    ConsumerDescribed(ConsumerDescribedGroup),
}

impl GroupAnswer {
    /// The answer, had the records it rests on failed with `error`.
    pub(super) fn failed(self, error: ErrorCode) -> Self {
        match self {
            Self::Joined(response) => Self::Joined(refuse_join(&response.member_id, error)),
            Self::Synced(_) => Self::Synced(refuse_sync(error)),
            Self::Heartbeat(mut response) => {
                response.error_code = error.code();
                Self::Heartbeat(response)
            }
            Self::Left(_) => Self::Left(LeaveGroupResponse {
                error_code: error.code(),
                ..LeaveGroupResponse::default()
            }),
            Self::Deleted(_) => Self::Deleted(error),
            Self::ConsumerHeartbeat(_) => {
                Self::ConsumerHeartbeat(refuse_consumer_heartbeat(error, None))
            }
            // These rest on no records, or say of each partition what became of it.
            Self::Described(_)
            | Self::Listed(_)
            | Self::Committed(_)
            | Self::Fetched(_)
            | Self::DeletedOffsets(_)
            | Self::ConsumerDescribed(_) => self,
        }
    }
}

impl GroupAsk {
    /// The group; none for a listing.
    pub fn group_id(&self) -> Option<&str> {
        match self {
            Self::Join(request, _) => Some(&request.group_id),
            Self::Sync(request) => Some(&request.group_id),
            Self::Heartbeat(request) => Some(&request.group_id),
            Self::Leave(request) => Some(&request.group_id),
            Self::Describe { group_id, .. } | Self::Delete { group_id } => Some(group_id),
            Self::List { .. } => None,
            Self::Commit(request, _) => Some(&request.group_id),
            Self::Fetch(request) => Some(&request.group_id),
            Self::DeleteOffsets(request) => Some(&request.group_id),
            Self::ConsumerHeartbeat(request, _) => Some(&request.group_id),
            Self::ConsumerDescribe { group_id } => Some(group_id),
        }
    }

    /// The answer that says only what went wrong.
    pub fn refuse(&self, error: ErrorCode) -> GroupAnswer {
        match self {
            Self::Join(request, _) => GroupAnswer::Joined(refuse_join(&request.member_id, error)),
            Self::Sync(_) => GroupAnswer::Synced(refuse_sync(error)),
            Self::Heartbeat(_) => GroupAnswer::Heartbeat(HeartbeatResponse {
                error_code: error.code(),
                ..HeartbeatResponse::default()
            }),
            Self::Leave(_) => GroupAnswer::Left(LeaveGroupResponse {
                error_code: error.code(),
                ..LeaveGroupResponse::default()
            }),
            Self::Describe { group_id, .. } => GroupAnswer::Described(DescribedGroup {
                error_code: error.code(),
                group_id: group_id.clone(),
                ..DescribedGroup::default()
            }),
            Self::List { .. } => GroupAnswer::Listed(Err(error)),
            Self::Delete { .. } => GroupAnswer::Deleted(error),
            Self::Commit(request, _) => GroupAnswer::Committed(commit_response(request, error)),
            Self::Fetch(request) => GroupAnswer::Fetched(OffsetFetchResponseGroup {
                group_id: request.group_id.clone(),
                topics: Vec::new(),
                error_code: error.code(),
            }),
            Self::DeleteOffsets(_) => GroupAnswer::DeletedOffsets(OffsetDeleteResponse {
                error_code: error.code(),
                ..OffsetDeleteResponse::default()
            }),
            Self::ConsumerHeartbeat(..) => {
                GroupAnswer::ConsumerHeartbeat(refuse_consumer_heartbeat(error, None))
            }
            Self::ConsumerDescribe { group_id } => {
                GroupAnswer::ConsumerDescribed(refuse_consumer_describe(group_id, error, None))
            }
        }
    }

    /// True for what may bring a group into being.
    pub fn makes_groups(&self) -> bool {
        match self {
            Self::Join(..) | Self::Commit(..) => true,
            Self::ConsumerHeartbeat(request, _) => request.member_epoch == 0,
            Self::Sync(_)
            | Self::Heartbeat(_)
            | Self::Leave(_)
            | Self::Delete { .. }
            | Self::Describe { .. }
            | Self::List { .. }
            | Self::Fetch(_)
            | Self::DeleteOffsets(_)
            | Self::ConsumerDescribe { .. } => false,
        }
    }

    /// True for what may change who is in a group: one after the other, each on the group that
    /// the one before has left.
    pub(super) const fn is_ordered(&self) -> bool {
        match self {
            Self::Join(..)
            | Self::Sync(_)
            | Self::Heartbeat(_)
            | Self::Leave(_)
            | Self::Delete { .. }
            | Self::ConsumerHeartbeat(..) => true,
            Self::Describe { .. }
            | Self::List { .. }
            | Self::Commit(..)
            | Self::Fetch(_)
            | Self::DeleteOffsets(_)
            | Self::ConsumerDescribe { .. } => false,
        }
    }
}

/// A heartbeat's answer that says what went wrong, in Kafka's code and in words.
pub(super) fn refuse_consumer_heartbeat(
    error: ErrorCode,
    words: Option<String>,
) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error_code: error.code(),
        error_message: Some(words.unwrap_or_else(|| error.name().to_owned())),
        ..ConsumerGroupHeartbeatResponse::default()
    }
}

/// What is said of a group that cannot be described.
pub fn refuse_consumer_describe(
    group_id: &str,
    error: ErrorCode,
    words: Option<String>,
) -> ConsumerDescribedGroup {
    ConsumerDescribedGroup {
        error_code: error.code(),
        error_message: words,
        group_id: group_id.to_owned(),
        ..ConsumerDescribedGroup::default()
    }
}

pub(super) fn refuse_join(member_id: &str, error: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse {
        error_code: error.code(),
        member_id: member_id.to_owned(),
        // Null where the version allows it: no protocol is meant.
        protocol_name: None,
        ..JoinGroupResponse::default()
    }
}

pub(super) fn refuse_sync(error: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse {
        error_code: error.code(),
        assignment: Bytes::new(),
        ..SyncGroupResponse::default()
    }
}

/// A response to a commit with one code for all partitions.
pub fn commit_response(request: &OffsetCommitRequest, error: ErrorCode) -> OffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| OffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|partition| OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: error.code(),
            })
            .collect(),
    });
    OffsetCommitResponse { throttle_time_ms: 0, topics: topics.collect() }
}

/// A leave's response with one code for all members.
pub(super) fn leave_response(request: &LeaveGroupRequest, error: ErrorCode) -> LeaveGroupResponse {
    let members = request.members.iter().map(|member| MemberResponse {
        member_id: member.member_id.clone(),
        group_instance_id: member.group_instance_id.clone(),
        error_code: error.code(),
    });
    LeaveGroupResponse { members: members.collect(), ..LeaveGroupResponse::default() }
}

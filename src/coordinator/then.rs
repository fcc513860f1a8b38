//! What happens when an append of a coordinator's is decided.

use std::sync::Arc;

use bytes::Bytes;
use millrace_net::ErrorCode;
use millrace_net::messages::join_group::JoinGroupResponse;
use millrace_net::messages::offset_commit::OffsetCommitResponse;
use millrace_net::messages::offset_delete::OffsetDeleteResponse;

use super::consumer::Outcome;
use super::group::Group;
use super::member::MemberNumber;
use crate::ticket::Ticket;

/// See the file's head.
#[derive(Debug)]
pub(super) enum Then {
    /// Nothing more than replaying the records.
    Nothing,
    /// Answer a commit.
    Commit { ticket: Ticket, response: OffsetCommitResponse },
    /// Answer a deletion of offsets.
    DeleteOffsets { ticket: Ticket, response: OffsetDeleteResponse },
    /// Answer the deletion of a group, if somebody asked for it; it is put back if that fails.
    DeleteGroup { ticket: Option<Ticket>, group: Box<Group> },
    /// Hand out assignments, if the group is still in the generation they are for.
    Sync { group: Arc<str>, generation: i32, assignments: Vec<(MemberNumber, Bytes)> },
    /// Answer a static member that returned under a new member id.
    StaticJoin { ticket: Ticket, response: JoinGroupResponse },
    /// Go on with a consumer group, or with one that changes its kind.
    Consumer { group: Arc<str>, outcome: Box<Outcome> },
}

/// The code that clients get for an append that failed. Source: Kafka's coordinator, which maps
/// what they could not act upon.
pub(super) const fn append_error(error: ErrorCode) -> ErrorCode {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the codes are Kafka's, most stand as is")]
    match error {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut
        | ErrorCode::LeaderNotAvailable => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge
        | ErrorCode::RecordListTooLarge
        | ErrorCode::InvalidFetchSize => ErrorCode::UnknownServerError,
        other => other,
    }
}

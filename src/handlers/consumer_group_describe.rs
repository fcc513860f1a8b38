//! ConsumerGroupDescribe, versions 0 and 1 (KIP-848).

use millrace_net::ErrorCode;
use millrace_net::messages::consumer_group_describe::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup,
};
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk, refuse_consumer_describe};
use crate::handlers::describe_groups::GROUP_OPERATIONS;
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};

/// What the answer needs beyond the coordinators'.
#[derive(Debug)]
pub(crate) struct Waiting {
    with_operations: bool,
    /// What is said already, of names that no group can have.
    refused: Vec<DescribedGroup>,
}

impl Shard {
    /// Asks the coordinators of all groups named.
    pub(crate) fn handle_consumer_group_describe(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: ConsumerGroupDescribeRequest = request.decode()?;
        let is_served = self.serves_consumer_groups();
        let mut refused = Vec::new();
        let mut asks = Vec::new();
        for group_id in body.group_ids {
            let error = if !is_served {
                ErrorCode::UnsupportedVersion
            } else if group_id.is_empty() {
                ErrorCode::InvalidGroupId
            } else {
                asks.push(GroupAsk::ConsumerDescribe { group_id });
                continue;
            };
            refused.push(refuse_consumer_describe(&group_id, error, None));
        }
        let waiting = Waiting { with_operations: body.include_authorized_operations, refused };
        self.ask_groups(turn, &request.to, asks, Then::ConsumerDescribe(waiting))
    }
}

pub(crate) fn response(
    waiting: Waiting,
    answers: Vec<GroupAnswer>,
) -> ConsumerGroupDescribeResponse {
    let mut groups = waiting.refused;
    groups.extend(answers.into_iter().filter_map(|answer| {
        let GroupAnswer::ConsumerDescribed(mut group) = answer else { return None };
        if waiting.with_operations && group.error_code == 0 {
            group.authorized_operations = GROUP_OPERATIONS;
        }
        Some(group)
    }));
    ConsumerGroupDescribeResponse { groups, ..ConsumerGroupDescribeResponse::default() }
}

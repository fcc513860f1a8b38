//! DescribeGroups, versions 0 to 6.

use millrace_net::messages::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::handlers::groups::Then;
use crate::handlers::metadata::bits;
use crate::shard::{Request, Shard, Turn};

/// Every operation that an unsecured broker allows on a group, one bit each. KIP-430, KIP-1043.
pub(crate) const GROUP_OPERATIONS: i32 = bits(&[3, 6, 8, 10, 11]);

/// What the answer needs beyond the coordinators'.
#[derive(Debug)]
pub(crate) struct Waiting {
    with_operations: bool,
}

impl Shard {
    /// Asks the coordinators of all groups named.
    pub(crate) fn handle_describe_groups(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeGroupsRequest = request.decode()?;
        let version = request.to.version;
        let asks = body.groups.into_iter();
        let asks = asks.map(|group_id| GroupAsk::Describe { group_id, version }).collect();
        let waiting = Waiting { with_operations: body.include_authorized_operations };
        self.ask_groups(turn, &request.to, asks, Then::Describe(waiting))
    }
}

pub(crate) fn response(waiting: &Waiting, answers: Vec<GroupAnswer>) -> DescribeGroupsResponse {
    let groups = answers.into_iter().filter_map(|answer| {
        let GroupAnswer::Described(mut group) = answer else { return None };
        if waiting.with_operations && group.error_code == 0 {
            group.authorized_operations = GROUP_OPERATIONS;
        }
        Some(group)
    });
    DescribeGroupsResponse { groups: groups.collect(), ..DescribeGroupsResponse::default() }
}

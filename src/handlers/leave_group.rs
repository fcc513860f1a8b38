//! LeaveGroup, versions 0 to 5.

use millrace_net::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity};
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};

/// From this version on a request names several members, each with an answer of its own.
const BATCH_FROM: i16 = 3;

impl Shard {
    /// Asks the coordinator.
    pub(crate) fn handle_leave_group(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let mut body: LeaveGroupRequest = request.decode()?;
        if request.to.version < BATCH_FROM {
            let member_id = std::mem::take(&mut body.member_id);
            body.members = vec![MemberIdentity { member_id, ..MemberIdentity::default() }];
        }
        self.ask_groups(turn, &request.to, vec![GroupAsk::Leave(body)], Then::Leave)
    }
}

pub(crate) fn response(answers: Vec<GroupAnswer>, version: i16) -> LeaveGroupResponse {
    let left = answers.into_iter().find_map(|answer| {
        if let GroupAnswer::Left(response) = answer { Some(response) } else { None }
    });
    let mut response = left.unwrap_or_default();
    if version < BATCH_FROM
        && response.error_code == 0
        && let Some(member) = response.members.first()
    {
        response.error_code = member.error_code;
    }
    response
}

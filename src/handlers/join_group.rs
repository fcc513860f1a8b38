//! JoinGroup, versions 0 to 9.

use millrace_net::messages::join_group::{JoinGroupRequest, JoinGroupResponse};
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Waits for the group's other members.
    pub(crate) fn handle_join_group(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: JoinGroupRequest = request.decode()?;
        let ask = GroupAsk::Join(Box::new(body), self.requester(request));
        self.ask_groups(turn, &request.to, vec![ask], Then::Join)
    }
}

pub(crate) fn response(answers: Vec<GroupAnswer>) -> JoinGroupResponse {
    let joined = answers.into_iter().find_map(|answer| {
        if let GroupAnswer::Joined(response) = answer { Some(response) } else { None }
    });
    joined.unwrap_or_default()
}

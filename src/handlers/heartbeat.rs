//! Heartbeat, versions 0 to 4.

use millrace_net::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Asks the coordinator.
    pub(crate) fn handle_heartbeat(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: HeartbeatRequest = request.decode()?;
        self.ask_groups(turn, &request.to, vec![GroupAsk::Heartbeat(body)], Then::Heartbeat)
    }
}

pub(crate) fn response(answers: Vec<GroupAnswer>) -> HeartbeatResponse {
    let answer = answers.into_iter().find_map(|answer| {
        if let GroupAnswer::Heartbeat(response) = answer { Some(response) } else { None }
    });
    answer.unwrap_or_default()
}

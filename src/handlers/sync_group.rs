//! SyncGroup, versions 0 to 5.

use millrace_net::ErrorCode;
use millrace_net::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};

/// From this version on a request must name protocol type and protocol.
const PROTOCOL_FROM: i16 = 5;

impl Shard {
    /// Waits for the leader's assignments.
    pub(crate) fn handle_sync_group(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: SyncGroupRequest = request.decode()?;
        let is_nameless = body.protocol_type.is_none() || body.protocol_name.is_none();
        if request.to.version >= PROTOCOL_FROM && is_nameless {
            let response = SyncGroupResponse {
                error_code: ErrorCode::InconsistentGroupProtocol.code(),
                ..SyncGroupResponse::default()
            };
            self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
            return Ok(());
        }
        self.ask_groups(turn, &request.to, vec![GroupAsk::Sync(body)], Then::Sync)
    }
}

pub(crate) fn response(answers: Vec<GroupAnswer>) -> SyncGroupResponse {
    let synced = answers.into_iter().find_map(|answer| {
        if let GroupAnswer::Synced(response) = answer { Some(response) } else { None }
    });
    synced.unwrap_or_default()
}

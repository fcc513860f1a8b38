//! DeleteGroups, versions 0 to 2.

use std::collections::BTreeSet;

use millrace_net::messages::delete_groups::{
    DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse,
};
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};

/// What the answer needs beyond the coordinators'.
#[derive(Debug)]
pub(crate) struct Waiting {
    groups: Vec<String>,
}

impl Shard {
    /// Asks the coordinators of all groups named.
    pub(crate) fn handle_delete_groups(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DeleteGroupsRequest = request.decode()?;
        // A group that is named twice is answered once, as in Kafka.
        let names: BTreeSet<String> = body.groups_names.into_iter().collect();
        let groups: Vec<String> = names.into_iter().collect();
        let asks = groups.iter().map(|group| GroupAsk::Delete { group_id: group.clone() });
        let asks = asks.collect();
        self.ask_groups(turn, &request.to, asks, Then::Delete(Waiting { groups }))
    }
}

pub(crate) fn response(waiting: Waiting, answers: Vec<GroupAnswer>) -> DeleteGroupsResponse {
    let results = waiting.groups.into_iter().zip(answers).map(|(group_id, answer)| {
        let error_code = if let GroupAnswer::Deleted(error) = answer { error.code() } else { 0 };
        DeletableGroupResult { group_id, error_code }
    });
    DeleteGroupsResponse { throttle_time_ms: 0, results: results.collect() }
}

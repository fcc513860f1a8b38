//! ListGroups, versions 0 to 5: the groups of all coordinators.

use millrace_net::messages::list_groups::{ListGroupsRequest, ListGroupsResponse};
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Asks every coordinator.
    pub(crate) fn handle_list_groups(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: ListGroupsRequest = request.decode()?;
        let asks = self.coordinators().into_iter().map(|coordinator| {
            let states = body.states_filter.clone();
            let types = body.types_filter.clone();
            (Some(coordinator), GroupAsk::List { states, types })
        });
        let asks = asks.collect();
        self.ask_coordinators(turn, &request.to, asks, Then::List)
    }
}

pub(crate) fn response(answers: Vec<GroupAnswer>) -> ListGroupsResponse {
    let mut response = ListGroupsResponse::default();
    for answer in answers {
        let GroupAnswer::Listed(listed) = answer else { continue };
        match listed {
            Ok(groups) => response.groups.extend(groups),
            // What the others know would look like all there is.
            Err(error) => response.error_code = error.code(),
        }
    }
    if response.error_code != 0 {
        response.groups.clear();
    }
    response
}

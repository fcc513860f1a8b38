//! ConsumerGroupHeartbeat, versions 0 and 1 (KIP-848).

use millrace_net::ErrorCode;
use millrace_net::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use millrace_replication::controller::GROUP_VERSION;
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk};
use crate::handlers::groups::Then;
use crate::shard::{Request, Shard, Turn};
use crate::topic_config;

impl Shard {
    /// Asks the group's coordinator.
    pub(crate) fn handle_consumer_group_heartbeat(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: ConsumerGroupHeartbeatRequest = request.decode()?;
        if !self.serves_consumer_groups() {
            let error = ErrorCode::UnsupportedVersion;
            let response = ConsumerGroupHeartbeatResponse {
                error_code: error.code(),
                error_message: Some(error.name().to_owned()),
                ..ConsumerGroupHeartbeatResponse::default()
            };
            self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
            return Ok(());
        }
        let ask = GroupAsk::ConsumerHeartbeat(Box::new(body), self.requester(request));
        self.ask_groups(turn, &request.to, vec![ask], Then::ConsumerHeartbeat)
    }

    /// True if the cluster's features and this broker's configuration allow consumer groups.
    pub(crate) fn serves_consumer_groups(&self) -> bool {
        let view = topic_config::view(&self.setup, &self.image);
        let protocols = view.list("group.coordinator.rebalance.protocols");
        self.image.feature_level(GROUP_VERSION) > 0
            && protocols.iter().any(|it| it.eq_ignore_ascii_case("consumer"))
    }
}

pub(crate) fn response(answers: Vec<GroupAnswer>) -> ConsumerGroupHeartbeatResponse {
    let beaten = answers.into_iter().find_map(|answer| {
        if let GroupAnswer::ConsumerHeartbeat(response) = answer { Some(response) } else { None }
    });
    beaten.unwrap_or_default()
}

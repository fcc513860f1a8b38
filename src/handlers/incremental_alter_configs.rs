//! IncrementalAlterConfigs, versions 0 and 1.

use millrace_net::messages::incremental_alter_configs::{
    AlterConfigsResourceResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use millrace_replication::controller::Mode;
use millrace_wire::WireError;

use crate::controller::{AdminAnswer, AdminAsk};
use crate::handlers::admin::Then;
use crate::handlers::alter_configs::{LoggersAre, Resource, Waiting};
use crate::shard::{ReplyTo, Request, Shard, Turn};

impl Shard {
    /// Hands the resources to the controller.
    pub(crate) fn handle_incremental_alter_configs(
        &mut self,
        _turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: IncrementalAlterConfigsRequest = request.decode()?;
        let mode = if body.validate_only { Mode::Validate } else { Mode::Apply };
        let resources = body.resources.into_iter().map(|resource| Resource {
            kind: resource.resource_type,
            name: resource.resource_name,
            changes: resource
                .configs
                .into_iter()
                .map(|config| (config.name, config.config_operation, config.value))
                .collect(),
        });
        let (asked, waiting) = self.plan_alter(resources.collect(), LoggersAre::Known);
        let ask = AdminAsk::IncrementalAlterConfigs(asked, mode);
        self.ask_and_wait(&request.to, ask, Then::IncrementalAlterConfigs(waiting));
        Ok(())
    }

    /// The controller has answered.
    pub(crate) fn finish_incremental_alter_configs(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        waiting: Waiting,
        answer: AdminAnswer,
    ) {
        let responses = waiting.finish(answer).map(|(kind, name, error_code, error_message)| {
            AlterConfigsResourceResponse {
                error_code,
                error_message,
                resource_type: kind,
                resource_name: name,
            }
        });
        let response = IncrementalAlterConfigsResponse {
            responses: responses.collect(),
            ..Default::default()
        };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }
}

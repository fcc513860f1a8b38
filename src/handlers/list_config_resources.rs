//! ListConfigResources, versions 0 and 1. Source: KIP-1142.

use std::collections::BTreeSet;

use millrace_net::ErrorCode;
use millrace_net::messages::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use millrace_replication::ResourceType;
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

const ALL: [ResourceType; 5] = [
    ResourceType::Topic,
    ResourceType::Broker,
    ResourceType::BrokerLogger,
    ResourceType::ClientMetrics,
    ResourceType::Group,
];

impl Shard {
    /// Answers from the image: topics and brokers as they exist, the rest as it is configured.
    pub(crate) fn handle_list_config_resources(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: ListConfigResourcesRequest = request.decode()?;
        let kinds: Option<BTreeSet<ResourceType>> = if request.to.version == 0 {
            Some(BTreeSet::from([ResourceType::ClientMetrics]))
        } else if body.resource_types.is_empty() {
            Some(ALL.into())
        } else {
            body.resource_types.iter().map(|kind| ResourceType::from_id(*kind)).collect()
        };
        let response = match kinds {
            Some(kinds) => ListConfigResourcesResponse {
                config_resources: kinds.into_iter().flat_map(|kind| self.resources(kind)).collect(),
                ..ListConfigResourcesResponse::default()
            },
            None => ListConfigResourcesResponse {
                error_code: ErrorCode::UnsupportedVersion.code(),
                ..ListConfigResourcesResponse::default()
            },
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    fn resources(&self, kind: ResourceType) -> Vec<ConfigResource> {
        let named = |name: String| ConfigResource { resource_name: name, resource_type: kind.id() };
        match kind {
            ResourceType::Topic => {
                self.image.topics().map(|topic| named(topic.name.to_string())).collect()
            }
            ResourceType::Broker | ResourceType::BrokerLogger => {
                self.image.live_brokers().map(|broker| named(broker.id.to_string())).collect()
            }
            ResourceType::ClientMetrics | ResourceType::Group => {
                let configs = self.image.configs().filter(|(resource, _)| resource.kind == kind);
                configs.map(|(resource, _)| named(resource.name.clone())).collect()
            }
        }
    }
}

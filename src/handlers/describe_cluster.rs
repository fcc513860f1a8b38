//! DescribeCluster, versions 0 to 2.

use millrace_net::ErrorCode;
use millrace_net::messages::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};
use millrace_wire::WireError;

use crate::handlers::metadata::CLUSTER_OPERATIONS;
use crate::shard::{Request, Shard, Turn};

/// Endpoints of brokers, as an endpoint type.
const BROKERS: i8 = 1;
/// Endpoints of controllers.
const CONTROLLERS: i8 = 2;

impl Shard {
    /// Answers from the image.
    pub(crate) fn handle_describe_cluster(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeClusterRequest = request.decode()?;
        let endpoint_type = if request.to.version == 0 { BROKERS } else { body.endpoint_type };
        let refusal = match endpoint_type {
            BROKERS => None,
            CONTROLLERS => Some((
                ErrorCode::MismatchedEndpointType,
                "controllers are asked for, but this is a broker's listener",
            )),
            _ => Some((ErrorCode::UnsupportedEndpointType, "the endpoint type is unknown")),
        };
        let response = match refusal {
            Some((error, message)) => DescribeClusterResponse {
                error_code: error.code(),
                error_message: Some(message.to_owned()),
                ..DescribeClusterResponse::default()
            },
            None => self.describe_cluster(request, &body),
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    fn describe_cluster(
        &self,
        request: &Request,
        body: &DescribeClusterRequest,
    ) -> DescribeClusterResponse {
        let nodes = self.nodes_for(request.to.client, body.include_fenced_brokers.into());
        let brokers = nodes.into_iter().map(|node| DescribeClusterBroker {
            broker_id: node.id,
            host: node.host,
            port: node.port,
            rack: node.rack,
            is_fenced: node.is_fenced,
        });
        DescribeClusterResponse {
            cluster_id: self.cluster_id().to_string(),
            controller_id: self.setup.node_id,
            brokers: brokers.collect(),
            cluster_authorized_operations: if body.include_cluster_authorized_operations {
                CLUSTER_OPERATIONS
            } else {
                i32::MIN
            },
            ..DescribeClusterResponse::default()
        }
    }
}

//! UnregisterBroker, version 0, on a cluster of one node. Source: KIP-631.

use millrace_net::ErrorCode;
use millrace_net::messages::unregister_broker::{
    UnregisterBrokerRequest, UnregisterBrokerResponse,
};
use millrace_replication::BrokerId;
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Refuses: the one broker that is registered is at work, and no other is.
    pub(crate) fn handle_unregister_broker(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: UnregisterBrokerRequest = request.decode()?;
        let (error, message) = match self.image.broker(BrokerId(body.broker_id)) {
            Some(_) => (ErrorCode::InvalidRequest, "the broker is running".to_owned()),
            None => (
                ErrorCode::BrokerIdNotRegistered,
                format!("Broker ID {} is not currently registered", body.broker_id),
            ),
        };
        let response = UnregisterBrokerResponse {
            error_code: error.code(),
            error_message: Some(message),
            ..UnregisterBrokerResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

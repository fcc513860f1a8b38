//! SaslHandshake, versions 0 and 1, on a listener without SASL.

use millrace_net::ErrorCode;
use millrace_net::messages::sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse};
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Refuses: nothing is to be authenticated here.
    pub(crate) fn handle_sasl_handshake(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let _: SaslHandshakeRequest = request.decode()?;
        let error_code = ErrorCode::IllegalSaslState.code();
        let response = SaslHandshakeResponse { error_code, ..SaslHandshakeResponse::default() };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

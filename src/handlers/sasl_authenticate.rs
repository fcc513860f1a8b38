//! SaslAuthenticate, versions 0 to 2, on a listener without SASL.

use millrace_net::ErrorCode;
use millrace_net::messages::sasl_authenticate::{
    SaslAuthenticateRequest, SaslAuthenticateResponse,
};
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Refuses: nothing is to be authenticated here.
    pub(crate) fn handle_sasl_authenticate(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let _: SaslAuthenticateRequest = request.decode()?;
        let response = SaslAuthenticateResponse {
            error_code: ErrorCode::IllegalSaslState.code(),
            error_message: Some("this listener has no SASL".to_owned()),
            ..SaslAuthenticateResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

//! ListTransactions, versions 0 to 2, on a broker that has no transactions. Source: KIP-664.

use millrace_net::ErrorCode;
use millrace_net::messages::list_transactions::{
    ListTransactionsRequest, ListTransactionsResponse,
};
use millrace_wire::WireError;

use crate::coordinator::is_pattern;
use crate::shard::{Request, Shard, Turn};

/// The names of the states a transaction can be in.
const STATES: [&str; 8] = [
    "CompleteAbort",
    "CompleteCommit",
    "Dead",
    "Empty",
    "Ongoing",
    "PrepareAbort",
    "PrepareCommit",
    "PrepareEpochFence",
];

impl Shard {
    /// Lists none, and names the states that nobody knows. A pattern must be one all the same.
    pub(crate) fn handle_list_transactions(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: ListTransactionsRequest = request.decode()?;
        let pattern = body.transactional_id_pattern.as_deref().unwrap_or_default();
        if !is_pattern(pattern) {
            let response = ListTransactionsResponse {
                error_code: ErrorCode::InvalidRegularExpression.code(),
                ..ListTransactionsResponse::default()
            };
            self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
            return Ok(());
        }
        let is_unknown = |state: &String| !STATES.contains(&state.as_str());
        let response = ListTransactionsResponse {
            unknown_state_filters: body.state_filters.into_iter().filter(is_unknown).collect(),
            ..ListTransactionsResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

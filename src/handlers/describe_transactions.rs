//! DescribeTransactions, version 0, on a broker that has no transactions. Source: KIP-664.

use millrace_net::ErrorCode;
use millrace_net::messages::describe_transactions::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TransactionState,
};
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Coordinates none.
    pub(crate) fn handle_describe_transactions(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeTransactionsRequest = request.decode()?;
        let states = body.transactional_ids.into_iter().map(|id| {
            let error =
                if id.is_empty() { ErrorCode::InvalidRequest } else { ErrorCode::NotCoordinator };
            TransactionState {
                error_code: error.code(),
                transactional_id: id,
                ..TransactionState::default()
            }
        });
        let response = DescribeTransactionsResponse {
            transaction_states: states.collect(),
            ..DescribeTransactionsResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

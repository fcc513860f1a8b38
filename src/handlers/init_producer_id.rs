//! InitProducerId, versions 0 to 5, the idempotent part: producer ids from this shard's block.

use millrace_net::ErrorCode;
use millrace_net::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use millrace_wire::WireError;

use crate::controller::{AdminAnswer, AdminAsk};
use crate::handlers::admin::Then;
use crate::shard::{ReplyTo, Request, Shard, Turn};

impl Shard {
    /// Gives a new id, or asks for a new block of them first.
    pub(crate) fn handle_init_producer_id(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: InitProducerIdRequest = request.decode()?;
        // An id without its epoch, or the other way round, is nobody's.
        if (body.producer_id < 0) != (body.producer_epoch < 0) {
            self.refuse_producer_id(turn, &request.to, ErrorCode::InvalidRequest);
            return Ok(());
        }
        match body.transactional_id {
            Some(id) if id.is_empty() => {
                self.refuse_producer_id(turn, &request.to, ErrorCode::InvalidRequest);
            }
            // There is no transaction coordinator yet. Clients give up after this code, and would
            // try without end after one that says that there is none for the moment.
            Some(_) => {
                let error = ErrorCode::TransactionalIdAuthorizationFailed;
                self.refuse_producer_id(turn, &request.to, error);
            }
            None if self.producer_ids.is_empty() => {
                self.ask_and_wait(&request.to, AdminAsk::ProducerIds, Then::InitProducerId);
            }
            None => self.give_producer_id(turn, &request.to),
        }
        Ok(())
    }

    /// A block of ids has come, or has not.
    pub(crate) fn finish_init_producer_id(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        answer: AdminAnswer,
    ) {
        let AdminAnswer::ProducerIds(Ok(block)) = answer else {
            self.refuse_producer_id(turn, to, ErrorCode::CoordinatorLoadInProgress);
            return;
        };
        if self.producer_ids.is_empty() {
            self.producer_ids = block.first..block.first + block.len;
        }
        // Ids of a second block that was asked for at the same time are not used; there are 2^63.
        self.give_producer_id(turn, to);
    }

    fn give_producer_id(&mut self, turn: &mut Turn, to: &ReplyTo) {
        let Some(producer_id) = self.producer_ids.next() else {
            return self.refuse_producer_id(turn, to, ErrorCode::CoordinatorLoadInProgress);
        };
        let response = InitProducerIdResponse { producer_id, ..InitProducerIdResponse::default() };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }

    fn refuse_producer_id(&mut self, turn: &mut Turn, to: &ReplyTo, error: ErrorCode) {
        let response = InitProducerIdResponse {
            error_code: error.code(),
            producer_id: -1,
            producer_epoch: -1,
            ..InitProducerIdResponse::default()
        };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }
}

//! CreateDelegationToken, RenewDelegationToken, ExpireDelegationToken and DescribeDelegationToken
//! on listeners that authenticate nobody. Source: KIP-48.
//!
//! A token stands for somebody who has authenticated; over PLAINTEXT Kafka lets nobody ask for one,
//! whatever else is configured.

use millrace_net::ErrorCode;
use millrace_net::messages::create_delegation_token::{
    CreateDelegationTokenRequest, CreateDelegationTokenResponse,
};
use millrace_net::messages::describe_delegation_token::{
    DescribeDelegationTokenRequest, DescribeDelegationTokenResponse,
};
use millrace_net::messages::expire_delegation_token::{
    ExpireDelegationTokenRequest, ExpireDelegationTokenResponse,
};
use millrace_net::messages::renew_delegation_token::{
    RenewDelegationTokenRequest, RenewDelegationTokenResponse,
};
use millrace_wire::WireError;

use crate::shard::{ANONYMOUS, Request, Shard, Turn};

const REFUSED: i16 = ErrorCode::DelegationTokenRequestNotAllowed.code();

impl Shard {
    /// Refuses.
    pub(crate) fn handle_create_delegation_token(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let _: CreateDelegationTokenRequest = request.decode()?;
        let (kind, name) = ("User".to_owned(), ANONYMOUS.to_owned());
        let response = CreateDelegationTokenResponse {
            error_code: REFUSED,
            principal_type: kind.clone(),
            principal_name: name.clone(),
            token_requester_principal_type: kind,
            token_requester_principal_name: name,
            issue_timestamp_ms: -1,
            expiry_timestamp_ms: -1,
            max_timestamp_ms: -1,
            ..CreateDelegationTokenResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    /// Refuses.
    pub(crate) fn handle_renew_delegation_token(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let _: RenewDelegationTokenRequest = request.decode()?;
        let response = RenewDelegationTokenResponse {
            error_code: REFUSED,
            expiry_timestamp_ms: -1,
            ..RenewDelegationTokenResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    /// Refuses.
    pub(crate) fn handle_expire_delegation_token(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let _: ExpireDelegationTokenRequest = request.decode()?;
        let response = ExpireDelegationTokenResponse {
            error_code: REFUSED,
            expiry_timestamp_ms: -1,
            ..ExpireDelegationTokenResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    /// Refuses.
    pub(crate) fn handle_describe_delegation_token(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let _: DescribeDelegationTokenRequest = request.decode()?;
        let response = DescribeDelegationTokenResponse {
            error_code: REFUSED,
            ..DescribeDelegationTokenResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

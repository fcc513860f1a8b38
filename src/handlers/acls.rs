//! DescribeAcls, CreateAcls and DeleteAcls, versions 1 to 3, as a broker without an authorizer
//! answers them: everything is allowed, and nothing is stored that would look otherwise.

use millrace_net::ErrorCode;
use millrace_net::messages::create_acls::{
    AclCreationResult, CreateAclsRequest, CreateAclsResponse,
};
use millrace_net::messages::delete_acls::{
    DeleteAclsFilterResult, DeleteAclsRequest, DeleteAclsResponse,
};
use millrace_net::messages::describe_acls::{DescribeAclsRequest, DescribeAclsResponse};
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

const NO_AUTHORIZER: &str = "this broker has no authorizer";

/// A request with the number that stands for "unknown" is none, in Kafka as here.
fn known(numbers: [i8; 4]) -> Result<(), WireError> {
    if numbers.contains(&0) {
        return Err(WireError::Invalid("an unknown kind in an access control entry"));
    }
    Ok(())
}

impl Shard {
    /// Refuses.
    pub(crate) fn handle_describe_acls(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeAclsRequest = request.decode()?;
        let DescribeAclsRequest { resource_type_filter, pattern_type_filter, .. } = body;
        known([resource_type_filter, pattern_type_filter, body.operation, body.permission_type])?;
        let response = DescribeAclsResponse {
            error_code: ErrorCode::SecurityDisabled.code(),
            error_message: Some(NO_AUTHORIZER.to_owned()),
            ..DescribeAclsResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    /// Refuses each entry.
    pub(crate) fn handle_create_acls(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: CreateAclsRequest = request.decode()?;
        for it in &body.creations {
            known([it.resource_type, it.resource_pattern_type, it.operation, it.permission_type])?;
        }
        let results = body.creations.iter().map(|_| AclCreationResult {
            error_code: ErrorCode::SecurityDisabled.code(),
            error_message: Some(NO_AUTHORIZER.to_owned()),
        });
        let response = CreateAclsResponse { results: results.collect(), ..Default::default() };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    /// Refuses each filter.
    pub(crate) fn handle_delete_acls(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DeleteAclsRequest = request.decode()?;
        for it in &body.filters {
            let kinds = [it.resource_type_filter, it.pattern_type_filter];
            known([kinds[0], kinds[1], it.operation, it.permission_type])?;
        }
        let results = body.filters.iter().map(|_| DeleteAclsFilterResult {
            error_code: ErrorCode::SecurityDisabled.code(),
            error_message: Some(NO_AUTHORIZER.to_owned()),
            matching_acls: Vec::new(),
        });
        let response =
            DeleteAclsResponse { filter_results: results.collect(), ..Default::default() };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

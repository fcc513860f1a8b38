//! DescribeUserScramCredentials, version 0. Source: KIP-554.

use std::collections::BTreeMap;

use millrace_net::ErrorCode;
use millrace_net::messages::describe_user_scram_credentials::{
    CredentialInfo, DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
    DescribeUserScramCredentialsResult,
};
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

impl Shard {
    /// Answers from the image.
    pub(crate) fn handle_describe_user_scram_credentials(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeUserScramCredentialsRequest = request.decode()?;
        let mut users: BTreeMap<String, u32> = BTreeMap::new();
        for user in body.users.into_iter().flatten() {
            *users.entry(user.name).or_default() += 1;
        }
        if users.is_empty() {
            let all = self.image.scram_credentials().map(|credential| credential.name.clone());
            users = all.map(|name| (name, 1)).collect();
        }
        let results = users.into_iter().map(|(user, count)| self.describe_user(user, count));
        let response = DescribeUserScramCredentialsResponse {
            results: results.collect(),
            ..DescribeUserScramCredentialsResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }

    fn describe_user(&self, user: String, count: u32) -> DescribeUserScramCredentialsResult {
        let infos: Vec<CredentialInfo> = self
            .image
            .scram_credentials()
            .filter(|credential| credential.name == user)
            .map(|credential| CredentialInfo {
                mechanism: credential.mechanism,
                iterations: credential.iterations,
            })
            .collect();
        let refusal = if count > 1 {
            Some((ErrorCode::DuplicateResource, "the user is asked for more than once"))
        } else if infos.is_empty() {
            Some((ErrorCode::ResourceNotFound, "the user has no credentials"))
        } else {
            None
        };
        match refusal {
            Some((error, message)) => DescribeUserScramCredentialsResult {
                user,
                error_code: error.code(),
                error_message: Some(message.to_owned()),
                credential_infos: Vec::new(),
            },
            None => DescribeUserScramCredentialsResult {
                user,
                error_code: 0,
                error_message: None,
                credential_infos: infos,
            },
        }
    }
}

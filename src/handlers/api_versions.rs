//! ApiVersions, versions 0 to 4: what this broker serves.

use millrace_net::api_versions::{advertised, list};
use millrace_net::messages::api_versions::{
    ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use millrace_net::{ApiKey, ErrorCode};
use millrace_replication::controller::supported_features;
use millrace_wire::WireError;

use crate::shard::{HANDLED, ReplyTo, Request, Shard, Turn};

impl Shard {
    /// Tells versions and features. A version that is not served is answered in version 0, with
    /// the list: the client asks again in one that is. Source: KIP-35, KIP-511, KIP-584.
    pub(crate) fn handle_api_versions(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let version = request.to.version;
        let api_keys = list(|row| HANDLED.contains(&row.key));
        if !advertised(request.to.api).is_some_and(|row| row.serves(version)) {
            let error_code = ErrorCode::UnsupportedVersion.code();
            // With the versions of this request the client can ask again. Source: KIP-511.
            let api_keys = list(|row| row.key == ApiKey::ApiVersions);
            let response =
                ApiVersionsResponse { error_code, api_keys, ..ApiVersionsResponse::default() };
            let to = ReplyTo { version: 0, ..request.to };
            self.reply(turn, &to, |writer, version| response.encode(writer, version));
            return Ok(());
        }
        let body: ApiVersionsRequest = request.decode()?;
        let (name, software_version) = (body.client_software_name, body.client_software_version);
        if version >= 3 && !(is_software_name(&name) && is_software_name(&software_version)) {
            let error_code = ErrorCode::InvalidRequest.code();
            let response = ApiVersionsResponse { error_code, ..ApiVersionsResponse::default() };
            self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
            return Ok(());
        }
        if let Some(client) = self.clients.get_mut(request.to.client) {
            client.software = Some((name, software_version));
        }
        let ours = supported_features();
        let is_ours = |name: &str| ours.iter().any(|feature| feature.name == name);
        let supported = ours.clone().into_iter().map(|feature| SupportedFeatureKey {
            name: feature.name,
            min_version: feature.min_supported_version,
            max_version: feature.max_supported_version,
        });
        // A log that Kafka wrote may have levels of features that are not served here: a client
        // that was told of them would use them.
        let finalized =
            self.image.features().filter(|(name, _)| is_ours(name)).map(|(name, level)| {
                FinalizedFeatureKey {
                    name: name.to_owned(),
                    max_version_level: level,
                    min_version_level: level,
                }
            });
        let response = ApiVersionsResponse {
            api_keys,
            // Clients before version 4 take a lowest level of 0 for a mistake. KAFKA-17011.
            supported_features: supported
                .filter(|feature| version >= 4 || feature.min_version > 0)
                .collect(),
            finalized_features_epoch: self.image.offset(),
            finalized_features: finalized.collect(),
            ..ApiVersionsResponse::default()
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

/// Letters, digits, dots and dashes, with a letter or digit at both ends. Source: KIP-511.
fn is_software_name(name: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_are_checked_as_kafka_does() {
        for right in ["librdkafka", "apache-kafka-java", "2.15.0", "a", "franz-go"] {
            assert!(is_software_name(right), "{right}");
        }
        for wrong in ["", "-a", "a-", "a b", "a/b", "."] {
            assert!(!is_software_name(wrong), "{wrong}");
        }
    }
}

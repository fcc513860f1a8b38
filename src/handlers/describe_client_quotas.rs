//! DescribeClientQuotas, versions 0 and 1. Source: KIP-546.

use std::collections::BTreeMap;

use millrace_net::ErrorCode;
use millrace_net::messages::describe_client_quotas::{
    ComponentData, DescribeClientQuotasRequest, DescribeClientQuotasResponse, EntityData,
    EntryData, ValueData,
};
use millrace_replication::controller::{CLIENT_ID, IP, USER};
use millrace_replication::image::QuotaMatch;
use millrace_wire::WireError;

use crate::shard::{Request, Shard, Turn};

const MATCH_EXACT: i8 = 0;
const MATCH_DEFAULT: i8 = 1;
const MATCH_ANY: i8 = 2;

impl Shard {
    /// Answers from the image.
    pub(crate) fn handle_describe_client_quotas(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DescribeClientQuotasRequest = request.decode()?;
        let response = match filter(&body.components) {
            Ok(filter) => {
                let found = self.image.quotas_matching(&filter, body.strict);
                let entries = found.map(|(entity, limits)| EntryData {
                    entity: entity
                        .iter()
                        .map(|(kind, name)| EntityData {
                            entity_type: kind.clone(),
                            entity_name: name.clone(),
                        })
                        .collect(),
                    values: limits
                        .iter()
                        .map(|(key, value)| ValueData { key: key.clone(), value: *value })
                        .collect(),
                });
                DescribeClientQuotasResponse {
                    error_message: Some(String::new()),
                    entries: Some(entries.collect()),
                    ..DescribeClientQuotasResponse::default()
                }
            }
            Err((error, message)) => DescribeClientQuotasResponse {
                error_code: error.code(),
                error_message: Some(message),
                entries: None,
                ..DescribeClientQuotasResponse::default()
            },
        };
        self.reply(turn, &request.to, |writer, version| response.encode(writer, version));
        Ok(())
    }
}

/// What is asked for, by entity type.
fn filter(
    components: &[ComponentData],
) -> Result<BTreeMap<String, QuotaMatch>, (ErrorCode, String)> {
    let refuse = |message: String| Err((ErrorCode::InvalidRequest, message));
    let mut filter = BTreeMap::new();
    for component in components {
        let kind = component.entity_type.as_str();
        if kind.is_empty() {
            return refuse("an entity type may not be empty".to_owned());
        }
        if filter.contains_key(kind) {
            return refuse(format!("entity type {kind} appears more than once"));
        }
        if ![USER, CLIENT_ID, IP].contains(&kind) {
            let message = format!("entity type {kind} is not known");
            return Err((ErrorCode::UnsupportedVersion, message));
        }
        let wanted = match (component.match_type, &component.r#match) {
            (MATCH_EXACT, Some(name)) => QuotaMatch::Exactly(Some(name.clone())),
            (MATCH_DEFAULT, None) => QuotaMatch::Exactly(None),
            (MATCH_ANY, None) => QuotaMatch::Any,
            (MATCH_EXACT, None) => return refuse("an exact match needs a name".to_owned()),
            (MATCH_DEFAULT | MATCH_ANY, Some(_)) => {
                return refuse("only an exact match has a name".to_owned());
            }
            (other, _) => return refuse(format!("match type {other} is unknown")),
        };
        filter.insert(kind.to_owned(), wanted);
    }
    if filter.contains_key(IP) && filter.len() > 1 {
        return refuse("an ip is asked for without a user or a client id".to_owned());
    }
    Ok(filter)
}

//! AlterClientQuotas: which limits may be stored for whom, and the records that store them.
//!
//! Source: KIP-546, KIP-612 (ip).

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Decision, Mode, Refusal, RefusalKind};
use crate::image::{Image, QuotaEntity};
use crate::record::{ClientQuotaRecord, EntityField, Record};

/// Entity type of users.
pub const USER: &str = "user";
/// Entity type of client ids.
pub const CLIENT_ID: &str = "client-id";
/// Entity type of addresses.
pub const IP: &str = "ip";

/// What the value of a quota may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueKind {
    /// Any number above zero.
    Double,
    /// A whole number above zero that fits 64 bits.
    Long,
    /// A whole number above zero that fits 32 bits.
    Int,
}

/// Quotas of users and client ids.
const CLIENT_KEYS: [(&str, ValueKind); 4] = [
    ("consumer_byte_rate", ValueKind::Long),
    ("controller_mutation_rate", ValueKind::Double),
    ("producer_byte_rate", ValueKind::Long),
    ("request_percentage", ValueKind::Double),
];
/// Quotas of addresses.
const IP_KEYS: [(&str, ValueKind); 1] = [("connection_creation_rate", ValueKind::Int)];

/// How far a number may be from a whole one and still be taken for it. Kafka's.
const EPSILON: f64 = 1e-6;

/// The changes of one entity's quotas.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterQuota {
    /// Entity type and name, in the request's order; no name is the type's default.
    pub entity: Vec<(String, Option<String>)>,
    /// Key and value; no value takes the quota away.
    pub changes: Vec<(String, Option<f64>)>,
}

/// Decides on changes of quotas; each entity stands by itself.
pub fn alter_client_quotas(image: &Image, requests: &[AlterQuota], mode: Mode) -> Decision<()> {
    let mut counts: BTreeMap<QuotaEntity, usize> = BTreeMap::new();
    for request in requests {
        *counts.entry(request.entity.iter().cloned().collect()).or_default() += 1;
    }
    let mut decision =
        Decision { records: Vec::new(), answers: Vec::with_capacity(requests.len()) };
    for request in requests {
        let entity: QuotaEntity = request.entity.iter().cloned().collect();
        let answer = if counts[&entity] > 1 {
            Err(refuse("each entity may appear once"))
        } else {
            plan(image, &entity, request)
        };
        decision.answers.push(answer.map(|records| decision.records.extend(records)));
    }
    decision.in_mode(mode)
}

fn refuse(message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::InvalidRequest, message)
}

fn plan(image: &Image, entity: &QuotaEntity, request: &AlterQuota) -> Result<Vec<Record>, Refusal> {
    if entity.len() != request.entity.len() {
        return Err(refuse("each entity type may appear once"));
    }
    let keys = check_entity(entity)?;
    let current = image.quota(entity);
    let mut records = Vec::new();
    for (index, (key, value)) in request.changes.iter().enumerate() {
        if request.changes[..index].iter().any(|(before, _)| before == key) {
            return Err(refuse(format!("quota '{key}' is given more than once")));
        }
        let is_set = current.is_some_and(|current| current.contains_key(key));
        match value {
            Some(value) => check_value(keys, key, *value)?,
            None if !is_set => continue,
            None => {}
        }
        let fields = entity.iter().map(|(kind, name)| EntityField {
            entity_type: kind.clone(),
            entity_name: name.clone(),
        });
        records.push(Record::ClientQuota(ClientQuotaRecord {
            entity: fields.collect(),
            key: key.clone(),
            value: value.unwrap_or(0.0),
            remove: value.is_none(),
        }));
    }
    Ok(records)
}

/// The keys that an entity may have, if it may have any.
fn check_entity(entity: &QuotaEntity) -> Result<&'static [(&'static str, ValueKind)], Refusal> {
    if entity.is_empty() {
        return Err(refuse("an entity needs a user, a client id or an ip"));
    }
    for (kind, name) in entity {
        if ![USER, CLIENT_ID, IP].contains(&kind.as_str()) {
            return Err(refuse(format!("entity type '{kind}' is none of user, client-id, ip")));
        }
        if name.as_deref() == Some("") {
            return Err(refuse(format!("the name of a {kind} may not be empty")));
        }
    }
    let Some(address) = entity.get(IP) else { return Ok(&CLIENT_KEYS) };
    if entity.len() > 1 {
        return Err(refuse("an ip has quotas of its own, without a user or a client id"));
    }
    match address {
        Some(address) if !is_host(address) => {
            Err(refuse(format!("'{address}' is not an IP address")))
        }
        Some(_) | None => Ok(&IP_KEYS),
    }
}

/// True for an address. Kafka also takes the name of a host that it can look up, which a pure
/// decision cannot.
fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

fn check_value(keys: &[(&str, ValueKind)], key: &str, value: f64) -> Result<(), Refusal> {
    let Some((_, kind)) = keys.iter().find(|(name, _)| *name == key) else {
        return Err(refuse(format!("no quota of this entity is called '{key}'")));
    };
    if value.is_nan() || value <= 0.0 {
        return Err(refuse(format!("quota '{key}' is {value}, must be above 0")));
    }
    let (max, size) = match kind {
        ValueKind::Double => return Ok(()),
        ValueKind::Long => (9.223_372_036_854_776e18, 64),
        ValueKind::Int => (2_147_483_647.0, 32),
    };
    if value > max || ((value + EPSILON).floor() - value).abs() > EPSILON {
        let why = format!("quota '{key}' is {value}, must be a whole number of {size} bits");
        return Err(refuse(why));
    }
    Ok(())
}

//! IncrementalAlterConfigs and AlterConfigs: what may be stored, and the records that store it.

use std::collections::BTreeMap;

use super::names::topic_name_check;
use super::{Context, Decision, Mode, Refusal, RefusalKind};
use crate::config_key::{
    ConfigKey, ConfigKind, ConfigTables, UpdateMode, find_key, parse_bool, split_list,
};
use crate::image::Overrides;
use crate::record::{ConfigRecord, Record};
use crate::types::{BrokerId, ConfigResource, ResourceType};

/// The longest value that is stored, bytes: what a Kafka string can hold.
const VALUE_BYTES_MAX: usize = 32_767;

/// What is to happen to one configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterOp {
    /// Takes the value.
    Set,
    /// Goes back to the default.
    Delete,
    /// A list gets values it does not hold yet.
    Append,
    /// A list loses values.
    Subtract,
}

impl AlterOp {
    /// The wire's number of [`AlterOp::Set`].
    pub const SET_ID: i8 = 0;
    /// The wire's number of [`AlterOp::Delete`].
    pub const DELETE_ID: i8 = 1;

    /// The operation a wire number names, if any.
    pub const fn from_id(id: i8) -> Option<Self> {
        match id {
            Self::SET_ID => Some(Self::Set),
            Self::DELETE_ID => Some(Self::Delete),
            2 => Some(Self::Append),
            3 => Some(Self::Subtract),
            _ => None,
        }
    }
}

/// One change of one configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterConfig {
    /// The configuration's name.
    pub name: String,
    /// What is to happen.
    pub op: AlterOp,
    /// The value; only [`AlterOp::Delete`] goes without.
    pub value: Option<String>,
}

/// The changes of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterResource {
    /// What they belong to.
    pub resource: ConfigResource,
    /// In any order; a name may appear once.
    pub changes: Vec<AlterConfig>,
}

/// Decides on changes of single configurations; each resource stands by itself.
pub fn incremental_alter_configs(
    context: &Context<'_>,
    requests: &[AlterResource],
    mode: Mode,
) -> Decision<()> {
    let empty = Overrides::new();
    alter_each(context, requests, mode, |request| {
        let current = context.image.config(&request.resource).unwrap_or(&empty);
        plan_overrides(context.tables, &request.resource, current, &request.changes)
            .map(|(_, records)| records)
    })
}

/// Decides on whole sets of configurations (AlterConfigs): what a resource's request does not
/// name goes back to its default. Every change must be [`AlterOp::Set`].
pub fn alter_configs(
    context: &Context<'_>,
    requests: &[AlterResource],
    mode: Mode,
) -> Decision<()> {
    let empty = Overrides::new();
    alter_each(context, requests, mode, |request| {
        let current = context.image.config(&request.resource).unwrap_or(&empty);
        let mut changes = request.changes.clone();
        for name in current.keys() {
            if changes.iter().all(|change| change.name != *name) {
                changes.push(AlterConfig { name: name.clone(), op: AlterOp::Delete, value: None });
            }
        }
        plan_overrides(context.tables, &request.resource, current, &changes)
            .map(|(_, records)| records)
    })
}

fn alter_each(
    context: &Context<'_>,
    requests: &[AlterResource],
    mode: Mode,
    plan: impl Fn(&AlterResource) -> Result<Vec<Record>, Refusal>,
) -> Decision<()> {
    let mut counts: BTreeMap<&ConfigResource, usize> = BTreeMap::new();
    for request in requests {
        *counts.entry(&request.resource).or_default() += 1;
    }
    let mut decision =
        Decision { records: Vec::new(), answers: Vec::with_capacity(requests.len()) };
    for request in requests {
        let answer = if counts[&request.resource] > 1 {
            Err(invalid_request("each resource may appear once"))
        } else {
            check_resource(context, &request.resource).and_then(|()| plan(request))
        };
        decision.answers.push(answer.map(|records| decision.records.extend(records)));
    }
    decision.in_mode(mode)
}

fn invalid_request(message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::InvalidRequest, message)
}

fn invalid_config(message: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::InvalidConfig, message)
}

fn check_resource(context: &Context<'_>, resource: &ConfigResource) -> Result<(), Refusal> {
    match resource.kind {
        ResourceType::Topic => {
            if resource.name.is_empty() {
                return Err(invalid_request("topics have no common default resource"));
            }
            topic_name_check(&resource.name)
                .map_err(|why| Refusal::new(RefusalKind::InvalidTopic, why))?;
            if context.image.topic(&resource.name).is_none() {
                return Err(Refusal::new(
                    RefusalKind::UnknownTopicOrPartition,
                    format!("topic '{}' does not exist", resource.name),
                ));
            }
            Ok(())
        }
        ResourceType::Broker if resource.name.is_empty() => Ok(()),
        ResourceType::Broker => {
            let id = resource.name.parse::<i32>().map_err(|_| {
                invalid_request(format!("'{}' is not a broker's id", resource.name))
            })?;
            if context.image.broker(BrokerId(id)).is_none() {
                return Err(Refusal::new(
                    RefusalKind::BrokerIdNotRegistered,
                    format!("no broker {id} is registered"),
                ));
            }
            Ok(())
        }
        ResourceType::Group | ResourceType::ClientMetrics if resource.name.is_empty() => {
            Err(invalid_request("a resource of this type needs a name"))
        }
        ResourceType::Group | ResourceType::ClientMetrics => Ok(()),
        ResourceType::BrokerLogger => {
            Err(invalid_request("log levels are a broker's own and are not stored in the metadata"))
        }
    }
}

/// Works changes into the overrides as they stand.
///
/// Returns the overrides after it and the records of what changes. A broker's configuration gives
/// a record even when its value stays: that is how a broker is told to read a file again.
pub(super) fn plan_overrides(
    tables: &ConfigTables,
    resource: &ConfigResource,
    current: &Overrides,
    changes: &[AlterConfig],
) -> Result<(Overrides, Vec<Record>), Refusal> {
    let mut after = current.clone();
    let mut records = Vec::new();
    for (index, change) in changes.iter().enumerate() {
        if changes[..index].iter().any(|before| before.name == change.name) {
            return Err(invalid_request(format!(
                "configuration '{}' is given more than once",
                change.name
            )));
        }
        let key = find_key(table(tables, resource.kind), &change.name);
        let value = new_value(resource, current, change, key)?;
        let unchanged = current.get(&change.name) == value.as_ref();
        match &value {
            Some(value) => after.insert(change.name.clone(), value.clone()),
            None => after.remove(&change.name),
        };
        if !unchanged || resource.kind == ResourceType::Broker {
            records.push(Record::Config(ConfigRecord {
                resource_type: resource.kind.id(),
                resource_name: resource.name.clone(),
                name: change.name.clone(),
                value,
            }));
        }
    }
    check_together(tables, resource, &after)?;
    Ok((after, records))
}

fn table(tables: &ConfigTables, kind: ResourceType) -> &'static [ConfigKey] {
    match kind {
        ResourceType::Topic => tables.topic,
        ResourceType::Broker | ResourceType::BrokerLogger => tables.broker,
        ResourceType::Group => tables.group,
        ResourceType::ClientMetrics => tables.client_metrics,
    }
}

/// The value a change leads to; none takes the override away.
fn new_value(
    resource: &ConfigResource,
    current: &Overrides,
    change: &AlterConfig,
    key: Option<&ConfigKey>,
) -> Result<Option<String>, Refusal> {
    let name = &change.name;
    let value = match (change.op, &change.value) {
        (AlterOp::Delete, _) => return Ok(None),
        (_, None) => {
            return Err(invalid_request(format!("configuration '{name}' has no value")));
        }
        (AlterOp::Set, Some(value)) => value.clone(),
        (op @ (AlterOp::Append | AlterOp::Subtract), Some(value)) => {
            let key = key
                // Kafka does not know which of a subscription's configurations are lists.
                .filter(|_| resource.kind != ResourceType::ClientMetrics)
                .filter(|key| key.kind == ConfigKind::List)
                .ok_or_else(|| invalid_config(format!("configuration '{name}' is not a list")))?;
            let before = current.get(name).map_or(key.default.unwrap_or(""), String::as_str);
            edit_list(op, before, value)
        }
    };
    if value.len() > VALUE_BYTES_MAX {
        return Err(invalid_config(format!(
            "the value of '{name}' has {} bytes, the limit is {VALUE_BYTES_MAX}",
            value.len()
        )));
    }
    check_value(resource, name, &value, key)?;
    Ok(Some(value))
}

fn edit_list(op: AlterOp, before: &str, value: &str) -> String {
    let mut list: Vec<&str> = split_list(before);
    for item in split_list(value) {
        if op == AlterOp::Append {
            if !list.contains(&item) {
                list.push(item);
            }
        } else {
            list.retain(|kept| *kept != item);
        }
    }
    list.join(",")
}

fn check_value(
    resource: &ConfigResource,
    name: &str,
    value: &str,
    key: Option<&ConfigKey>,
) -> Result<(), Refusal> {
    let kind = refusal_kind(resource.kind);
    let refuse = |message: String| Refusal::new(kind, message);
    let Some(key) = key else {
        // Brokers take names nobody knows: plug-ins and listeners' prefixes bring their own.
        return match resource.kind {
            ResourceType::Broker | ResourceType::BrokerLogger => Ok(()),
            ResourceType::Topic | ResourceType::Group | ResourceType::ClientMetrics => {
                Err(refuse(format!("no configuration is called '{name}'")))
            }
        };
    };
    if resource.kind == ResourceType::Broker {
        match key.update {
            UpdateMode::ReadOnly => {
                return Err(refuse(format!("configuration '{name}' changes only with a restart")));
            }
            UpdateMode::PerBroker if name.starts_with("ssl.") => {
                return Err(refuse(format!(
                    "configuration '{name}' changes for one listener only, as listener.name.NAME.{name}"
                )));
            }
            UpdateMode::PerBroker if resource.name.is_empty() => {
                return Err(refuse(format!("configuration '{name}' needs the id of a broker")));
            }
            UpdateMode::PerBroker | UpdateMode::ClusterWide => {}
        }
    }
    // A subscription's number is out of range in a request, and no number in a configuration.
    let is_no_number = key.kind == ConfigKind::Int && value.trim().parse::<i32>().is_err();
    let refuse = |message: String| match resource.kind {
        ResourceType::ClientMetrics if is_no_number => invalid_config(message),
        ResourceType::Topic
        | ResourceType::Broker
        | ResourceType::BrokerLogger
        | ResourceType::Group
        | ResourceType::ClientMetrics => refuse(message),
    };
    key.check(value).map_err(|right| {
        let shown = if key.is_sensitive() { "(hidden)" } else { value };
        refuse(format!("configuration '{name}' is '{shown}', must be {right}"))
    })
}

/// Kafka's code for a bad value: INVALID_REQUEST for brokers and client metrics, else
/// INVALID_CONFIG.
const fn refusal_kind(kind: ResourceType) -> RefusalKind {
    match kind {
        ResourceType::Broker | ResourceType::BrokerLogger | ResourceType::ClientMetrics => {
            RefusalKind::InvalidRequest
        }
        ResourceType::Topic | ResourceType::Group => RefusalKind::InvalidConfig,
    }
}

/// Rules between the configurations of a topic.
fn check_together(
    tables: &ConfigTables,
    resource: &ConfigResource,
    after: &Overrides,
) -> Result<(), Refusal> {
    if resource.kind != ResourceType::Topic {
        return Ok(());
    }
    if after.get("remote.storage.enable").is_some_and(|value| parse_bool(value) == Some(true)) {
        return Err(invalid_config("remote.storage.enable: this broker has no tiered storage"));
    }
    let number = |name: &str| -> Option<i64> {
        let default = find_key(tables.topic, name)?.default;
        after.get(name).map(String::as_str).or(default)?.trim().parse().ok()
    };
    let (min, max) = (number("min.compaction.lag.ms"), number("max.compaction.lag.ms"));
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        return Err(invalid_config(format!(
            "min.compaction.lag.ms {min} must not exceed max.compaction.lag.ms {max}"
        )));
    }
    Ok(())
}

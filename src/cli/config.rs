//! `millrace config`: what topics and brokers are configured with.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use millrace_net::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use millrace_net::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::error::{CliError, check};
use super::{Common, key_value};

/// `config_source` of what is set at a topic. Source: DescribeConfigs, KIP-226.
pub(crate) const SOURCE_TOPIC: i8 = 1;
const SOURCE_DEFAULT: i8 = 5;
const RESOURCE_TOPIC: i8 = 2;
const RESOURCE_BROKER: i8 = 4;
const OPERATION_SET: i8 = 0;
const OPERATION_DELETE: i8 = 1;

/// What can be done with configurations.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Shows configurations that are not default; --all shows all.
    Describe(Describe),
    /// Sets configurations.
    Set(Set),
    /// Gives configurations back to their defaults.
    Delete(Delete),
}

/// Whose configuration.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Target {
    /// A topic.
    #[arg(short, long, value_name = "NAME")]
    topic: Option<String>,
    /// A broker by its id, or `all` for what holds for every broker.
    #[arg(long, value_name = "ID|all")]
    broker: Option<String>,
}

/// See [`Config::Describe`].
#[derive(Debug, Args)]
pub struct Describe {
    #[command(flatten)]
    target: Target,
    /// Only these configurations.
    keys: Vec<String>,
    /// Defaults, too.
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    common: Common,
}

/// See [`Config::Set`].
#[derive(Debug, Args)]
pub struct Set {
    #[command(flatten)]
    target: Target,
    /// What to set.
    #[arg(required = true, value_name = "KEY=VALUE", value_parser = key_value)]
    pairs: Vec<(String, String)>,
    #[command(flatten)]
    common: Common,
}

/// See [`Config::Delete`].
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    target: Target,
    /// What to give back.
    #[arg(required = true)]
    keys: Vec<String>,
    #[command(flatten)]
    common: Common,
}

/// A resource of the configuration APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    kind: i8,
    name: String,
}

impl Resource {
    /// A topic.
    pub(crate) fn topic(name: &str) -> Self {
        Self { kind: RESOURCE_TOPIC, name: name.to_owned() }
    }

    /// The broker whose own business it is, if only that one can be asked.
    fn node(&self) -> Option<i32> {
        (self.kind == RESOURCE_BROKER).then(|| self.name.parse().ok()).flatten()
    }
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.kind, self.name.as_str()) {
            (RESOURCE_TOPIC, name) => write!(f, "topic {name}"),
            (_, "") => f.write_str("all brokers"),
            (_, name) => write!(f, "broker {name}"),
        }
    }
}

impl Target {
    fn resource(&self) -> Result<Resource, CliError> {
        if let Some(topic) = &self.topic {
            return Ok(Resource::topic(topic));
        }
        let broker = self.broker.as_deref().unwrap_or_default();
        let name = if broker == "all" { "" } else { broker };
        if !name.is_empty() && name.parse::<i32>().is_err() {
            return Err(CliError::usage(format!("--broker {broker}: an id or `all`")));
        }
        Ok(Resource { kind: RESOURCE_BROKER, name: name.to_owned() })
    }
}

impl Config {
    /// Does it.
    pub(super) fn run(self) -> Result<(), CliError> {
        match self {
            Self::Describe(describe) => describe.run(),
            Self::Set(set) => {
                let resource = set.target.resource()?;
                change(&mut set.common.connect()?, &resource, &set.pairs, &[])?;
                let pairs: BTreeMap<_, _> = set.pairs.iter().cloned().collect();
                let told: Vec<_> =
                    set.pairs.iter().map(|(key, to)| format!("{key}={to}")).collect();
                let text = format!("{resource}: {}", told.join(" "));
                let value = json!({ "resource": resource.to_string(), "set": pairs });
                set.common.output().either(&value, &text)
            }
            Self::Delete(delete) => {
                let resource = delete.target.resource()?;
                change(&mut delete.common.connect()?, &resource, &[], &delete.keys)?;
                let text = format!("{resource}: default again: {}", delete.keys.join(", "));
                let value = json!({ "resource": resource.to_string(), "deleted": delete.keys });
                delete.common.output().either(&value, &text)
            }
        }
    }
}

impl Describe {
    fn run(self) -> Result<(), CliError> {
        let resource = self.target.resource()?;
        let keys = (!self.keys.is_empty()).then(|| self.keys.clone());
        let mut entries = describe(&mut self.common.connect()?, &resource, keys)?;
        if !self.all && self.keys.is_empty() {
            entries.retain(|entry| entry.config_source != SOURCE_DEFAULT);
        }
        if let Some(missing) =
            self.keys.iter().find(|key| !entries.iter().any(|entry| entry.name == **key))
        {
            return Err(CliError::refused(format!("{resource} has no configuration {missing}"))
                .hint("--all without a key shows which there are"));
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let row = |entry: DescribeConfigsResourceResult| {
            vec![
                json!(entry.name),
                if entry.is_sensitive { json!("(hidden)") } else { json!(entry.value) },
                json!(source(entry.config_source)),
                json!(entry.read_only),
            ]
        };
        let names = ["name", "value", "source", "read_only"];
        let rows: Vec<Vec<Value>> = entries.into_iter().map(row).collect();
        self.common.output().rows(&names, rows, "all default; --all shows them")
    }
}

/// Where a value comes from. Source: Kafka's `DescribeConfigsResponse.ConfigSource`.
const fn source(id: i8) -> &'static str {
    match id {
        1 => "topic",
        2 => "broker, dynamic",
        3 => "all brokers, dynamic",
        4 => "broker, at its start",
        5 => "default",
        6 => "broker, loggers",
        _ => "unknown",
    }
}

/// True if the broker tells configurations.
pub(crate) fn is_told(cluster: &Cluster) -> bool {
    cluster.bootstrap.serves::<DescribeConfigsRequest>()
}

/// A resource's configurations, or some of them.
pub(crate) fn describe(
    cluster: &mut Cluster,
    resource: &Resource,
    keys: Option<Vec<String>>,
) -> Result<Vec<DescribeConfigsResourceResult>, CliError> {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: resource.kind,
            resource_name: resource.name.clone(),
            configuration_keys: keys,
        }],
        ..DescribeConfigsRequest::default()
    };
    let answer = asked(cluster, resource)?.call(&request)?;
    let result = answer.results.into_iter().next().ok_or_else(|| nothing_said(resource))?;
    check(resource, result.error_code, result.error_message.as_deref())?;
    Ok(result.configs)
}

/// Sets some configurations of a resource and gives others back to their defaults.
pub(crate) fn change(
    cluster: &mut Cluster,
    resource: &Resource,
    set: &[(String, String)],
    unset: &[String],
) -> Result<(), CliError> {
    let set = set.iter().map(|(name, value)| AlterableConfig {
        name: name.clone(),
        config_operation: OPERATION_SET,
        value: Some(value.clone()),
    });
    let unset = unset.iter().map(|name| AlterableConfig {
        name: name.clone(),
        config_operation: OPERATION_DELETE,
        value: None,
    });
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: resource.kind,
            resource_name: resource.name.clone(),
            configs: set.chain(unset).collect(),
        }],
        ..IncrementalAlterConfigsRequest::default()
    };
    let answer = asked(cluster, resource)?.call(&request)?;
    let result = answer.responses.into_iter().next().ok_or_else(|| nothing_said(resource))?;
    check(resource, result.error_code, result.error_message.as_deref())
}

/// Whom to ask about a resource.
fn asked<'a>(
    cluster: &'a mut Cluster,
    resource: &Resource,
) -> Result<&'a mut super::client::Client, CliError> {
    let Some(node) = resource.node() else { return Ok(&mut cluster.bootstrap) };
    cluster.metadata(Some(&[]))?;
    if !cluster.brokers().contains_key(&node) {
        let ids: Vec<String> = cluster.brokers().keys().map(ToString::to_string).collect();
        return Err(CliError::refused(format!("there is no broker {node}"))
            .hint(format!("there are: {}", ids.join(", "))));
    }
    cluster.node(node)
}

fn nothing_said(resource: &Resource) -> CliError {
    CliError::refused(format!("the broker said nothing about {resource}"))
}

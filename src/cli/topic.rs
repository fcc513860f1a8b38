//! `millrace topic`: create, list, describe, alter, delete.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use millrace_net::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use millrace_net::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use millrace_net::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use millrace_net::messages::list_offsets::ListOffsetsRequest;
use millrace_net::messages::metadata::MetadataResponseTopic;
use millrace_net::{ErrorCode, Message};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::config::{self, Resource};
use super::error::{CliError, check};
use super::offsets::{EARLIEST, LATEST, offsets};
use super::output::{self, objects, table};
use super::{Common, key_value};

/// How long the broker may take for what it is asked, ms.
const TIMEOUT_MS: i32 = 30_000;
/// The first DeleteTopics version that takes topics as structures.
const DELETE_STATES_FROM: i16 = 6;

/// What can be done with topics.
#[derive(Debug, Subcommand)]
pub enum Topic {
    /// Makes a topic.
    Create(Create),
    /// Lists all topics.
    List(List),
    /// Shows topics: partitions, leaders, offsets, configuration.
    Describe(Describe),
    /// Adds partitions and changes the configuration.
    Alter(Alter),
    /// Deletes topics and all that is in them.
    Delete(Delete),
}

/// See [`Topic::Create`].
#[derive(Debug, Args)]
pub struct Create {
    /// The topic.
    name: String,
    /// Partitions; the broker's num.partitions unless given.
    #[arg(short, long, value_name = "N", default_value_t = -1, hide_default_value = true)]
    partitions: i32,
    /// Copies of each partition; the broker's default unless given.
    #[arg(long, value_name = "N", default_value_t = -1, hide_default_value = true)]
    replication_factor: i16,
    /// A configuration of the topic; may be repeated.
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = key_value)]
    config: Vec<(String, String)>,
    /// Be content if the topic is there already.
    #[arg(long)]
    if_not_exists: bool,
    #[command(flatten)]
    common: Common,
}

/// See [`Topic::List`].
#[derive(Debug, Args)]
pub struct List {
    /// The broker's own topics, too.
    #[arg(long)]
    internal: bool,
    #[command(flatten)]
    common: Common,
}

/// See [`Topic::Describe`].
#[derive(Debug, Args)]
pub struct Describe {
    /// The topics.
    #[arg(required = true)]
    names: Vec<String>,
    #[command(flatten)]
    common: Common,
}

/// See [`Topic::Alter`].
#[derive(Debug, Args)]
pub struct Alter {
    /// The topic.
    name: String,
    /// Partitions there shall be; more than there are.
    #[arg(short, long, value_name = "N")]
    partitions: Option<i32>,
    /// A configuration to set; may be repeated.
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// A configuration to give back to its default; may be repeated.
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,
    #[command(flatten)]
    common: Common,
}

/// See [`Topic::Delete`].
#[derive(Debug, Args)]
pub struct Delete {
    /// The topics.
    #[arg(required = true)]
    names: Vec<String>,
    /// Be content if a topic is not there.
    #[arg(long)]
    if_exists: bool,
    #[command(flatten)]
    common: Common,
}

impl Topic {
    /// Does it.
    pub(super) fn run(self) -> Result<(), CliError> {
        match self {
            Self::Create(create) => create.run(),
            Self::List(list) => list.run(),
            Self::Describe(describe) => describe.run(),
            Self::Alter(alter) => alter.run(),
            Self::Delete(delete) => delete.run(),
        }
    }
}

impl Create {
    fn run(self) -> Result<(), CliError> {
        let config =
            |(name, value): (String, String)| CreatableTopicConfig { name, value: Some(value) };
        let name = self.name;
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: name.clone(),
                num_partitions: self.partitions,
                replication_factor: self.replication_factor,
                configs: self.config.into_iter().map(config).collect(),
                ..CreatableTopic::default()
            }],
            timeout_ms: TIMEOUT_MS,
            ..CreateTopicsRequest::default()
        };
        let mut cluster = self.common.connect()?;
        let answer = cluster.bootstrap.call(&request)?;
        let result = answer.topics.first().ok_or_else(|| no_answer(&cluster, &name))?;
        let exists = result.error_code == ErrorCode::TopicAlreadyExists.code();
        if !(exists && self.if_not_exists) {
            check(
                format_args!("topic {name} cannot be created"),
                result.error_code,
                result.error_message.as_deref(),
            )?;
        }
        let count = |count: i32| if count > 0 { json!(count) } else { Value::Null };
        let value = json!({
            "name": name,
            "created": !exists,
            "topic_id": if result.topic_id.is_zero() { Value::Null } else { json!(result.topic_id.to_string()) },
            "partitions": count(result.num_partitions),
            "replication_factor": count(result.replication_factor.into()),
        });
        let text = match (exists, result.num_partitions) {
            (true, _) => format!("topic {name} is there already"),
            (false, 1) => format!("topic {name} created with 1 partition"),
            (false, partitions) if partitions > 1 => {
                format!("topic {name} created with {partitions} partitions")
            }
            (false, _) => format!("topic {name} created"),
        };
        self.common.output().either(&value, &text)
    }
}

impl List {
    fn run(self) -> Result<(), CliError> {
        let mut cluster = self.common.connect()?;
        let mut topics = cluster.metadata(None)?.topics;
        topics.retain(|topic| self.internal || !topic.is_internal);
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        let row = |topic: &MetadataResponseTopic| {
            let id = topic.topic_id;
            vec![
                json!(topic.name),
                json!(topic.partitions.len()),
                json!(replication(topic)),
                if id.is_zero() { Value::Null } else { json!(id.to_string()) },
            ]
        };
        let names = ["name", "partitions", "replication_factor", "topic_id"];
        let rows = topics.iter().map(row).collect();
        self.common.output().rows(&names, rows, "no topics")
    }
}

fn replication(topic: &MetadataResponseTopic) -> usize {
    topic.partitions.iter().map(|partition| partition.replica_nodes.len()).max().unwrap_or(0)
}

/// The columns of a topic's partitions.
const PARTITION_COLUMNS: [&str; 7] =
    ["partition", "leader", "replicas", "isr", "log_start_offset", "high_watermark", "records"];

impl Describe {
    fn run(self) -> Result<(), CliError> {
        let mut cluster = self.common.connect()?;
        let out = self.common.output();
        let mut values = Vec::new();
        for name in &self.names {
            let topic = cluster.topic(name, false)?;
            let rows = partition_rows(&mut cluster, &topic)?;
            let configs = overrides(&mut cluster, name)?;
            if !out.is_json() {
                output::line(&headline(name, &topic, &configs))?;
                output::line(&table(&PARTITION_COLUMNS, &rows))?;
                continue;
            }
            values.push(json!({
                "name": name,
                "topic_id": topic.topic_id.to_string(),
                "is_internal": topic.is_internal,
                "replication_factor": replication(&topic),
                "configs": configs,
                "partitions": objects(&PARTITION_COLUMNS, rows),
            }));
        }
        if out.is_json() { output::json(&Value::Array(values)) } else { Ok(()) }
    }
}

fn headline(
    name: &str,
    topic: &MetadataResponseTopic,
    configs: &BTreeMap<String, Option<String>>,
) -> String {
    let configs: Vec<String> = configs
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_deref().unwrap_or("(hidden)")))
        .collect();
    format!(
        "topic {name}  id {}  {} partitions  replication factor {}  {}",
        topic.topic_id,
        topic.partitions.len(),
        replication(topic),
        if configs.is_empty() {
            "all configurations default".to_owned()
        } else {
            configs.join(" ")
        }
    )
}

fn partition_rows(
    cluster: &mut Cluster,
    topic: &MetadataResponseTopic,
) -> Result<Vec<Vec<Value>>, CliError> {
    // A partition without a leader has no offsets to tell, and is shown all the same.
    let led: Vec<i32> = topic
        .partitions
        .iter()
        .filter(|partition| partition.error_code == ErrorCode::None.code())
        .map(|partition| partition.partition_index)
        .collect();
    let (mut starts, mut ends) = (BTreeMap::new(), BTreeMap::new());
    if cluster.bootstrap.serves::<ListOffsetsRequest>() {
        starts = offsets(cluster, topic, &led, EARLIEST)?;
        ends = offsets(cluster, topic, &led, LATEST)?;
    }
    let mut partitions: Vec<_> = topic.partitions.iter().collect();
    partitions.sort_by_key(|partition| partition.partition_index);
    let row = |partition: &millrace_net::messages::metadata::MetadataResponsePartition| {
        let index = partition.partition_index;
        let (start, end) = (starts.get(&index), ends.get(&index));
        vec![
            json!(index),
            json!(partition.leader_id),
            json!(partition.replica_nodes),
            json!(partition.isr_nodes),
            json!(start),
            json!(end),
            json!(end.zip(start).map(|(end, start)| end - start)),
        ]
    };
    Ok(partitions.into_iter().map(row).collect())
}

/// What is configured at the topic itself; nothing if the broker does not tell.
fn overrides(
    cluster: &mut Cluster,
    name: &str,
) -> Result<BTreeMap<String, Option<String>>, CliError> {
    if !config::is_told(cluster) {
        return Ok(BTreeMap::new());
    }
    let entries = config::describe(cluster, &Resource::topic(name), None)?;
    let own = entries.into_iter().filter(|entry| entry.config_source == config::SOURCE_TOPIC);
    Ok(own.map(|entry| (entry.name, entry.value)).collect())
}

impl Alter {
    fn run(self) -> Result<(), CliError> {
        if self.partitions.is_none() && self.set.is_empty() && self.unset.is_empty() {
            return Err(CliError::usage("nothing to change")
                .hint("--partitions N, --set KEY=VALUE or --unset KEY says what"));
        }
        let name = &self.name;
        let mut cluster = self.common.connect()?;
        let mut changed = Vec::new();
        if let Some(count) = self.partitions {
            add_partitions(&mut cluster, name, count)?;
            changed.push(format!("{count} partitions"));
        }
        if !(self.set.is_empty() && self.unset.is_empty()) {
            config::change(&mut cluster, &Resource::topic(name), &self.set, &self.unset)?;
            changed.extend(self.set.iter().map(|(key, value)| format!("{key}={value}")));
            changed.extend(self.unset.iter().map(|key| format!("{key} as default")));
        }
        let value = json!({
            "name": name,
            "partitions": self.partitions,
            "set": self.set.iter().cloned().collect::<BTreeMap<_, _>>(),
            "unset": self.unset,
        });
        let text = format!("topic {name} now has {}", changed.join(", "));
        self.common.output().either(&value, &text)
    }
}

fn add_partitions(cluster: &mut Cluster, name: &str, count: i32) -> Result<(), CliError> {
    let request = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic { name: name.to_owned(), count, assignments: None }],
        timeout_ms: TIMEOUT_MS,
        ..CreatePartitionsRequest::default()
    };
    let answer = cluster.bootstrap.call(&request)?;
    let result = answer.results.first().ok_or_else(|| no_answer(cluster, name))?;
    check(
        format_args!("topic {name} cannot have {count} partitions"),
        result.error_code,
        result.error_message.as_deref(),
    )
}

impl Delete {
    fn run(self) -> Result<(), CliError> {
        let mut cluster = self.common.connect()?;
        let served = cluster.bootstrap.served(DeleteTopicsRequest::KEY);
        let by_state = served.is_some_and(|(_, max)| max >= DELETE_STATES_FROM);
        let state = |name: &String| DeleteTopicState {
            name: Some(name.clone()),
            ..DeleteTopicState::default()
        };
        let request = DeleteTopicsRequest {
            topics: if by_state { self.names.iter().map(state).collect() } else { Vec::new() },
            topic_names: if by_state { Vec::new() } else { self.names.clone() },
            timeout_ms: TIMEOUT_MS,
        };
        let answer = cluster.bootstrap.call(&request)?;
        let mut deleted = Vec::new();
        let mut failure = None;
        for result in answer.responses {
            let name = result.name.unwrap_or_default();
            let is_gone = result.error_code == ErrorCode::UnknownTopicOrPartition.code();
            if is_gone && self.if_exists {
                continue;
            }
            let place = format!("topic {name} cannot be deleted");
            match check(place, result.error_code, result.error_message.as_deref()) {
                Ok(()) => deleted.push(name),
                Err(error) => failure = Some(error),
            }
        }
        if !deleted.is_empty() || failure.is_none() {
            let text = if deleted.is_empty() {
                "nothing to delete".to_owned()
            } else {
                format!("deleted {}", deleted.join(", "))
            };
            self.common.output().either(&json!({ "deleted": deleted }), &text)?;
        }
        failure.map_or(Ok(()), Err)
    }
}

fn no_answer(cluster: &Cluster, name: &str) -> CliError {
    CliError::refused(format!("{} said nothing about topic {name}", cluster.bootstrap.address))
}

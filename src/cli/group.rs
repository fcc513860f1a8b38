//! `millrace group`: list, describe, reset, delete consumer groups.

mod reset;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use millrace_net::messages::consumer_group_describe::{
    ConsumerGroupDescribeRequest, Member as ConsumerGroupMember,
};
use millrace_net::messages::delete_groups::DeleteGroupsRequest;
use millrace_net::messages::describe_groups::{DescribeGroupsRequest, DescribedGroupMember};
use millrace_net::messages::find_coordinator::FindCoordinatorRequest;
use millrace_net::messages::list_groups::{ListGroupsRequest, ListedGroup};
use millrace_net::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use millrace_wire::Uuid;
use serde_json::{Value, json};

use super::Common;
use super::cluster::Cluster;
use super::error::{CliError, check};
use super::offsets::{LATEST, offsets};
use super::output::{self, objects, table};

/// What can be done with groups.
#[derive(Debug, Subcommand)]
pub enum Group {
    /// Lists all groups.
    List(List),
    /// Shows members, committed offsets and how far behind they are.
    Describe(Named),
    /// Moves committed offsets of groups without members.
    Reset(reset::Reset),
    /// Deletes groups without members, and their offsets.
    Delete(Named),
}

/// See [`Group::List`].
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    common: Common,
}

/// Groups by name.
#[derive(Debug, Args)]
pub struct Named {
    /// The groups.
    #[arg(required = true)]
    names: Vec<String>,
    #[command(flatten)]
    common: Common,
}

impl Group {
    /// Does it.
    pub(super) fn run(self) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.run(),
            Self::Describe(named) => describe(&named),
            Self::Reset(reset) => reset.run(),
            Self::Delete(named) => delete(&named),
        }
    }
}

impl List {
    fn run(self) -> Result<(), CliError> {
        let mut cluster = self.common.connect()?;
        cluster.metadata(Some(&[]))?;
        let nodes: Vec<i32> = cluster.brokers().keys().copied().collect();
        let mut rows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        // Each broker knows the groups that it coordinates.
        for node in nodes {
            let answer = cluster.node(node)?.call(&ListGroupsRequest::default())?;
            check(format_args!("groups of broker {node}"), answer.error_code, None)?;
            for group in answer.groups {
                let row = vec![
                    json!(group.group_id),
                    json!(group.group_state),
                    json!(group.group_type),
                    json!(group.protocol_type),
                    json!(node),
                ];
                rows.insert(group.group_id, row);
            }
        }
        let names = ["group", "state", "type", "protocol", "coordinator"];
        self.common.output().rows(&names, rows.into_values().collect(), "no groups")
    }
}

/// The node that coordinates a group.
fn coordinator(cluster: &mut Cluster, group: &str) -> Result<i32, CliError> {
    cluster.metadata(Some(&[]))?;
    let request = FindCoordinatorRequest {
        key: group.to_owned(),
        coordinator_keys: vec![group.to_owned()],
        ..FindCoordinatorRequest::default()
    };
    let answer = cluster.bootstrap.call(&request)?;
    let place = format_args!("coordinator of group {group}");
    // From version 4 on, the answers stand in an array.
    if let Some(one) = answer.coordinators.first() {
        check(place, one.error_code, one.error_message.as_deref())?;
        return Ok(one.node_id);
    }
    check(place, answer.error_code, answer.error_message.as_deref())?;
    Ok(answer.node_id)
}

const OFFSET_COLUMNS: [&str; 5] = ["topic", "partition", "committed", "high_watermark", "lag"];
const MEMBER_COLUMNS: [&str; 4] = ["member", "client", "host", "instance"];

fn describe(named: &Named) -> Result<(), CliError> {
    let mut cluster = named.common.connect()?;
    let out = named.common.output();
    let mut values = Vec::new();
    for name in &named.names {
        let node = coordinator(&mut cluster, name)?;
        let group = described(&mut cluster, node, name)?;
        let committed = committed(&mut cluster, node, name)?;
        if group.state == "Dead" && committed.is_empty() {
            return Err(CliError::refused(format!("there is no group {name}"))
                .hint("see `millrace group list`"));
        }
        let offsets = lag(&mut cluster, &committed)?;
        let members = group.members;
        if out.is_json() {
            values.push(json!({
                "group": name,
                "state": group.state,
                "protocol": group.protocol,
                "coordinator": node,
                "members": objects(&MEMBER_COLUMNS, members),
                "offsets": objects(&OFFSET_COLUMNS, offsets),
            }));
            continue;
        }
        let state = &group.state;
        output::line(&format!(
            "group {name}  {state}  coordinator {node}  {} members",
            members.len()
        ))?;
        if !members.is_empty() {
            output::line(&table(&MEMBER_COLUMNS, &members))?;
        }
        if !offsets.is_empty() {
            output::line(&table(&OFFSET_COLUMNS, &offsets))?;
        }
    }
    if out.is_json() { output::json(&Value::Array(values)) } else { Ok(()) }
}

/// What is shown of a group of either protocol.
struct Shown {
    state: String,
    /// The protocol or the assignor that the group uses.
    protocol: String,
    /// As [`MEMBER_COLUMNS`].
    members: Vec<Vec<Value>>,
}

/// The group's line of a listing; none if there is no such group.
fn listed(cluster: &mut Cluster, node: i32, name: &str) -> Result<Option<ListedGroup>, CliError> {
    let answer = cluster.node(node)?.call(&ListGroupsRequest::default())?;
    check(format_args!("groups of broker {node}"), answer.error_code, None)?;
    Ok(answer.groups.into_iter().find(|group| group.group_id == name))
}

/// Asks by the API of the group's own protocol.
fn described(cluster: &mut Cluster, node: i32, name: &str) -> Result<Shown, CliError> {
    let kind = listed(cluster, node, name)?.map(|group| group.group_type.to_ascii_lowercase());
    if kind.as_deref() == Some("consumer")
        && cluster.node(node)?.serves::<ConsumerGroupDescribeRequest>()
    {
        return consumer_group(cluster, node, name);
    }
    let request =
        DescribeGroupsRequest { groups: vec![name.to_owned()], ..DescribeGroupsRequest::default() };
    let answer = cluster.node(node)?.call(&request)?;
    let group = answer.groups.into_iter().next();
    let group = group.ok_or_else(|| nothing_on(node, name))?;
    check(format_args!("group {name}"), group.error_code, group.error_message.as_deref())?;
    let row = |member: &DescribedGroupMember| {
        vec![
            json!(member.member_id),
            json!(member.client_id),
            json!(member.client_host),
            json!(member.group_instance_id),
        ]
    };
    Ok(Shown {
        members: group.members.iter().map(row).collect(),
        state: group.group_state,
        protocol: group.protocol_data,
    })
}

/// A group of the protocol of KIP-848.
fn consumer_group(cluster: &mut Cluster, node: i32, name: &str) -> Result<Shown, CliError> {
    let request = ConsumerGroupDescribeRequest {
        group_ids: vec![name.to_owned()],
        ..ConsumerGroupDescribeRequest::default()
    };
    let answer = cluster.node(node)?.call(&request)?;
    let group = answer.groups.into_iter().next();
    let group = group.ok_or_else(|| nothing_on(node, name))?;
    check(format_args!("group {name}"), group.error_code, group.error_message.as_deref())?;
    let row = |member: &ConsumerGroupMember| {
        vec![
            json!(member.member_id),
            json!(member.client_id),
            json!(member.client_host),
            json!(member.instance_id),
        ]
    };
    Ok(Shown {
        members: group.members.iter().map(row).collect(),
        state: group.group_state,
        protocol: group.assignor_name,
    })
}

fn nothing_on(node: i32, name: &str) -> CliError {
    CliError::refused(format!("broker {node}: nothing on group {name}"))
}

/// A group's committed offsets, by topic and partition.
fn committed(
    cluster: &mut Cluster,
    node: i32,
    group: &str,
) -> Result<BTreeMap<String, BTreeMap<i32, i64>>, CliError> {
    let request = OffsetFetchRequest {
        group_id: group.to_owned(),
        topics: None,
        groups: vec![OffsetFetchRequestGroup {
            group_id: group.to_owned(),
            topics: None,
            ..OffsetFetchRequestGroup::default()
        }],
        ..OffsetFetchRequest::default()
    };
    let topics = cluster.metadata(None)?.topics.into_iter();
    let names: BTreeMap<Uuid, String> = topics
        .filter(|topic| !topic.topic_id.is_zero())
        .filter_map(|topic| Some((topic.topic_id, topic.name?)))
        .collect();
    let answer = cluster.node(node)?.call(&request)?;
    let place = format!("offsets of group {group}");
    check(&place, answer.error_code, None)?;
    let mut found: BTreeMap<String, BTreeMap<i32, i64>> = BTreeMap::new();
    for topic in answer.topics {
        let offsets = topic.partitions.iter().map(|it| (it.partition_index, it.committed_offset));
        found.entry(topic.name).or_default().extend(offsets);
    }
    for group in answer.groups {
        check(&place, group.error_code, None)?;
        for topic in group.topics {
            let offsets =
                topic.partitions.iter().map(|it| (it.partition_index, it.committed_offset));
            // From version 10 on, topics are told by their ids.
            let name = names.get(&topic.topic_id).cloned().unwrap_or(topic.name);
            found.entry(name).or_default().extend(offsets);
        }
    }
    Ok(found)
}

fn lag(
    cluster: &mut Cluster,
    committed: &BTreeMap<String, BTreeMap<i32, i64>>,
) -> Result<Vec<Vec<Value>>, CliError> {
    let mut rows = Vec::new();
    for (name, partitions) in committed {
        let wanted: Vec<i32> = partitions.keys().copied().collect();
        // A topic that is gone has no end; its commits are shown all the same.
        let ends = match cluster.topic(name, false) {
            Ok(topic) => offsets(cluster, &topic, &wanted, LATEST)?,
            Err(_) => BTreeMap::new(),
        };
        for (index, committed) in partitions {
            let end = ends.get(index);
            rows.push(vec![
                json!(name),
                json!(index),
                json!(committed),
                json!(end),
                json!(end.map(|end| end - committed)),
            ]);
        }
    }
    Ok(rows)
}

fn delete(named: &Named) -> Result<(), CliError> {
    let mut cluster = named.common.connect()?;
    for name in &named.names {
        let node = coordinator(&mut cluster, name)?;
        let request = DeleteGroupsRequest { groups_names: vec![name.clone()] };
        let answer = cluster.node(node)?.call(&request)?;
        for result in answer.results {
            check(
                format_args!("group {} cannot be deleted", result.group_id),
                result.error_code,
                None,
            )?;
        }
    }
    let text = format!("deleted {}", named.names.join(", "));
    named.common.output().either(&json!({ "deleted": named.names }), &text)
}

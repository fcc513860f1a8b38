//! CreateTopics and DeleteTopics.

use std::collections::{BTreeMap, BTreeSet};

use millrace_wire::Uuid;

use super::configs::{AlterConfig, AlterOp, plan_overrides};
use super::names::{CLUSTER_METADATA_TOPIC, collision_key, topic_name_check};
use super::partitions::{Placement, partition_records, place};
use super::{
    Context, Decision, Meter, Mode, RECORDS_PER_REQUEST_MAX, Refusal, RefusalKind, measure,
};
use crate::image::Image;
use crate::record::{Record, RemoveTopicRecord, TopicRecord};
use crate::types::{BrokerId, ConfigResource};

/// A topic to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// The id it gets if it is created; random, from the caller.
    pub id: Uuid,
    /// Partitions, -1 for the default; must be -1 with `assignments`.
    pub partitions: i32,
    /// Replicas of each, -1 for the default; must be -1 with `assignments`.
    pub replication_factor: i16,
    /// The replicas of each partition, if the caller wants to say.
    pub assignments: Vec<(i32, Vec<BrokerId>)>,
    /// Configuration overrides by name; none as a value is refused.
    pub configs: Vec<(String, Option<String>)>,
}

/// A topic that was created (or could be).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: Uuid,
    /// How many partitions it has.
    pub partitions: i32,
    /// How many replicas each has.
    pub replication_factor: i16,
    /// Its overrides as they were stored.
    pub configs: BTreeMap<String, String>,
}

/// Decides which of `topics` can be created. Each stands by itself: one refused topic does not
/// keep the others away, and of two with one name neither is created.
pub fn create_topics(
    context: &Context<'_>,
    topics: &[NewTopic],
    mode: Mode,
    meter: Meter<'_>,
) -> Decision<CreatedTopic> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for topic in topics {
        *counts.entry(topic.name.as_str()).or_default() += 1;
    }
    // Only a name with '.' or '_' can collide with another one.
    let mut taken: BTreeMap<String, String> = context
        .image
        .topics()
        .filter(|topic| topic.name.contains(['.', '_']))
        .map(|topic| (collision_key(&topic.name), topic.name.to_string()))
        .collect();
    let mut decision = Decision { records: Vec::new(), answers: Vec::with_capacity(topics.len()) };
    for topic in topics {
        let answer = if counts[topic.name.as_str()] > 1 {
            Err(Refusal::new(
                RefusalKind::InvalidRequest,
                format!("topic '{}' is asked for more than once", topic.name),
            ))
        } else {
            create_topic(context, topic, &taken, decision.records.len(), &mut *meter)
        };
        decision.answers.push(answer.map(|(created, records)| {
            taken.insert(collision_key(&created.name), created.name.clone());
            decision.records.extend(records);
            created
        }));
    }
    decision.in_mode(mode)
}

fn create_topic(
    context: &Context<'_>,
    topic: &NewTopic,
    taken: &BTreeMap<String, String>,
    records_before: usize,
    meter: Meter<'_>,
) -> Result<(CreatedTopic, Vec<Record>), Refusal> {
    check_name(context.image, &topic.name, taken)?;
    let (overrides, config_records) = new_topic_configs(context, topic)?;
    let placement = if topic.assignments.is_empty() {
        default_placement(context, topic)?
    } else {
        manual_placement(context.image, topic)?
    };
    let records = 1 + config_records.len() + placement.len();
    if records_before + records > RECORDS_PER_REQUEST_MAX {
        return Err(Refusal::new(
            RefusalKind::PolicyViolation,
            format!("one request may lead to {RECORDS_PER_REQUEST_MAX} records at most"),
        ));
    }
    measure(meter, placement.len())?;
    let created = CreatedTopic {
        name: topic.name.clone(),
        id: topic.id,
        partitions: i32::try_from(placement.len()).unwrap_or(i32::MAX),
        replication_factor: i16::try_from(placement[0].len()).unwrap_or(i16::MAX),
        configs: overrides,
    };
    let mut records =
        vec![Record::Topic(TopicRecord { name: topic.name.clone(), topic_id: topic.id })];
    records.extend(config_records);
    records.extend(partition_records(context.image, topic.id, 0, placement));
    Ok((created, records))
}

fn check_name(image: &Image, name: &str, taken: &BTreeMap<String, String>) -> Result<(), Refusal> {
    topic_name_check(name).map_err(|why| Refusal::new(RefusalKind::InvalidTopic, why))?;
    if name == CLUSTER_METADATA_TOPIC {
        return Err(Refusal::new(
            RefusalKind::InvalidRequest,
            format!("{CLUSTER_METADATA_TOPIC} is the metadata log and cannot be created"),
        ));
    }
    if image.topic(name).is_some() {
        return Err(Refusal::new(
            RefusalKind::TopicAlreadyExists,
            // Scripts look for these words of Kafka's.
            format!("Topic '{name}' already exists."),
        ));
    }
    match taken.get(&collision_key(name)) {
        Some(other) if name.contains(['.', '_']) => Err(Refusal::new(
            RefusalKind::InvalidTopic,
            format!("topic '{name}' collides with topic '{other}': '.' and '_' count as one"),
        )),
        Some(_) | None => Ok(()),
    }
}

fn new_topic_configs(
    context: &Context<'_>,
    topic: &NewTopic,
) -> Result<(BTreeMap<String, String>, Vec<Record>), Refusal> {
    let mut seen = BTreeSet::new();
    let mut changes = Vec::with_capacity(topic.configs.len());
    for (name, value) in &topic.configs {
        if !seen.insert(name) {
            return Err(Refusal::new(
                RefusalKind::InvalidRequest,
                format!("configuration '{name}' is given more than once"),
            ));
        }
        if value.is_none() {
            return Err(Refusal::new(
                RefusalKind::InvalidConfig,
                format!("configuration '{name}' of topic '{}' has no value", topic.name),
            ));
        }
        changes.push(AlterConfig { name: name.clone(), op: AlterOp::Set, value: value.clone() });
    }
    let resource = ConfigResource::topic(&topic.name);
    plan_overrides(context.tables, &resource, &BTreeMap::new(), &changes)
}

fn default_placement(context: &Context<'_>, topic: &NewTopic) -> Result<Placement, Refusal> {
    let replication_factor = match topic.replication_factor {
        -1 => context.replication_factor_default,
        given if given > 0 => given,
        given => {
            return Err(Refusal::new(
                RefusalKind::InvalidReplicationFactor,
                format!("replication factor {given}: must be above 0, or -1 for the default"),
            ));
        }
    };
    let partitions = match topic.partitions {
        -1 => context.partitions_default,
        given if given > 0 => given,
        given => {
            return Err(Refusal::new(
                RefusalKind::InvalidPartitions,
                format!("{given} partitions: must be above 0, or -1 for the default"),
            ));
        }
    };
    let partitions = usize::try_from(partitions).unwrap_or(0);
    place(context.image, 0, partitions, replication_factor)
}

fn manual_placement(image: &Image, topic: &NewTopic) -> Result<Placement, Refusal> {
    if topic.replication_factor != -1 || topic.partitions != -1 {
        return Err(Refusal::new(
            RefusalKind::InvalidRequest,
            "with an assignment, partitions and replication factor must both be -1",
        ));
    }
    let invalid = |message: String| Refusal::new(RefusalKind::InvalidReplicaAssignment, message);
    let mut by_index = BTreeMap::new();
    for (index, replicas) in &topic.assignments {
        if by_index.insert(*index, replicas.clone()).is_some() {
            return Err(invalid(format!("partition {index} is assigned more than once")));
        }
    }
    let consecutive = by_index.keys().zip(0..).all(|(index, due)| *index == due);
    if !consecutive {
        return Err(invalid(
            "assigned partitions must be numbered from 0 without a gap".to_owned(),
        ));
    }
    let placement: Placement = by_index.into_values().collect();
    super::partitions::check_manual(image, &placement, placement[0].len())?;
    Ok(placement)
}

/// A topic by name or by id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicRef {
    /// By name.
    Name(String),
    /// By id.
    Id(Uuid),
}

/// Decides which of `topics` can be deleted; the answer is the topic's name and id.
///
/// Whether topics may be deleted at all (`delete.topic.enable`) is the caller's to check: its
/// code depends on the request's version.
pub fn delete_topics(
    image: &Image,
    topics: &[TopicRef],
    meter: Meter<'_>,
) -> Decision<(String, Uuid)> {
    let mut decision = Decision { records: Vec::new(), answers: Vec::with_capacity(topics.len()) };
    // A topic asked for twice, by whatever handle, is refused each time, as Kafka does.
    let mut counts: BTreeMap<Uuid, usize> = BTreeMap::new();
    for topic in topics.iter().filter_map(|topic| resolve(image, topic).ok()) {
        *counts.entry(topic.1).or_default() += 1;
    }
    for topic in topics {
        let answer = resolve(image, topic).and_then(|(name, id)| {
            if counts.get(&id).is_some_and(|count| *count > 1) {
                return Err(Refusal::new(
                    RefusalKind::InvalidRequest,
                    format!("topic '{name}' is asked for more than once"),
                ));
            }
            let count = image.topic_by_id(id).map_or(0, |topic| topic.partition_count());
            measure(&mut *meter, count)?;
            Ok((name, id))
        });
        if let Ok((_, id)) = answer {
            let record = RemoveTopicRecord { topic_id: id };
            decision.records.push(Record::RemoveTopic(record));
        }
        decision.answers.push(answer);
    }
    decision
}

fn resolve(image: &Image, topic: &TopicRef) -> Result<(String, Uuid), Refusal> {
    let found = match topic {
        TopicRef::Name(name) => image.topic(name).ok_or_else(|| {
            Refusal::new(
                RefusalKind::UnknownTopicOrPartition,
                format!("topic '{name}' does not exist"),
            )
        }),
        TopicRef::Id(id) => image.topic_by_id(*id).ok_or_else(|| {
            Refusal::new(RefusalKind::UnknownTopicId, format!("no topic has id {id}"))
        }),
    }?;
    Ok((found.name.to_string(), found.id))
}

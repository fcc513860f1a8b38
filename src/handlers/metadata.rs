//! Metadata, versions 0 to 13: brokers, topics, partitions and their leaders.
//!
//! A topic that does not exist and may be created is created first, and the answer waits for it.
//! It still says that the topic is unknown, as Kafka's does: who asks again finds it.

use std::collections::BTreeSet;

use millrace_net::ErrorCode;
use millrace_net::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use millrace_replication::BrokerId;
use millrace_replication::controller::{Mode, NewTopic, is_internal_topic, topic_name_check};
use millrace_replication::image::{Partition, Topic};
use millrace_wire::{Uuid, WireError};

use crate::controller::{AdminAnswer, AdminAsk};
use crate::handlers::admin::Then;
use crate::offsets_topic::{self, OFFSETS_TOPIC};
use crate::shard::{ReplyTo, Request, Shard, Turn, mutation_charge};
use crate::slab::Key;
use crate::topic_config;

/// A Metadata request that waits for its topics to be created.
#[derive(Debug)]
pub(crate) struct Waiting {
    body: MetadataRequest,
    /// The topics that did not exist when the request came.
    missing: BTreeSet<String>,
}

/// Every operation that an unsecured broker allows on the cluster, one bit each. KIP-430.
pub(crate) const CLUSTER_OPERATIONS: i32 = bits(&[5, 7, 8, 9, 10, 11, 12]);
/// The same for a topic.
pub(crate) const TOPIC_OPERATIONS: i32 = bits(&[3, 4, 5, 6, 7, 8, 10, 11]);

/// A mask with a bit for each operation.
pub(crate) const fn bits(operations: &[u8]) -> i32 {
    let mut mask = 0;
    let mut index = 0;
    while index < operations.len() {
        mask |= 1 << operations[index];
        index += 1;
    }
    mask
}

impl Shard {
    /// Answers from the image, or has topics created first.
    pub(crate) fn handle_metadata(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: MetadataRequest = request.decode()?;
        let version = request.to.version;
        if let Some(topics) = &body.topics {
            let by_id_too_early =
                version < 12 && topics.iter().any(|topic| topic.topic_id != Uuid::ZERO);
            let nameless = version < 12 && topics.iter().any(|topic| topic.name.is_none());
            if version >= 10 && (by_id_too_early || nameless) {
                self.refuse_metadata(turn, &request.to, topics);
                return Ok(());
            }
        }
        let missing = self.topics_to_create(&body, version);
        if missing.is_empty() {
            self.answer_metadata(turn, &request.to, &body, &BTreeSet::new());
        } else {
            let names = missing.iter().map(|topic| topic.name.clone()).collect();
            let waiting = Waiting { body, missing: names };
            let ask = AdminAsk::CreateTopics(missing, Mode::Apply);
            // Refused while its client is over its quota, in all versions, as by CreateTopics.
            let charge = Some(mutation_charge(request, 0));
            self.ask_charged(&request.to, ask, charge, Then::AutoCreate(waiting));
        }
        Ok(())
    }

    /// Lookup by id before version 12: every topic of the request is refused.
    fn refuse_metadata(&mut self, turn: &mut Turn, to: &ReplyTo, topics: &[MetadataRequestTopic]) {
        let refuse = |topic: &MetadataRequestTopic| MetadataResponseTopic {
            // The name may not be null in these versions.
            name: Some(topic.name.clone().unwrap_or_default()),
            ..unknown(None, topic.topic_id, ErrorCode::InvalidRequest)
        };
        let response = MetadataResponse {
            controller_id: -1,
            topics: topics.iter().map(refuse).collect(),
            ..MetadataResponse::default()
        };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }

    fn topics_to_create(&self, body: &MetadataRequest, version: i16) -> Vec<NewTopic> {
        let allowed = body.allow_auto_topic_creation || version < 4;
        if !allowed || !self.setup.auto_create_topics {
            return Vec::new();
        }
        let names = body.topics.iter().flatten().filter_map(|topic| topic.name.as_deref());
        let mut missing: Vec<&str> = names
            .filter(|name| self.image.topic(name).is_none() && topic_name_check(name).is_ok())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        let view = topic_config::view(&self.setup, &self.image);
        let new = |name: &str| match name {
            OFFSETS_TOPIC => offsets_topic::new_topic(&view, &self.image),
            _ => NewTopic {
                name: name.to_owned(),
                id: Uuid::ZERO,
                partitions: -1,
                replication_factor: -1,
                assignments: Vec::new(),
                configs: Vec::new(),
            },
        };
        missing.into_iter().map(new).collect()
    }

    /// The topics are there, or were refused. This answer calls them unknown either way; a client
    /// that deletes a topic and asks for it relies on that.
    pub(crate) fn finish_auto_create(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        waiting: Waiting,
        _answer: AdminAnswer,
    ) {
        self.answer_metadata(turn, to, &waiting.body, &waiting.missing);
    }

    /// Answers from the image, from which the topics of `missing` are left out.
    fn answer_metadata(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        body: &MetadataRequest,
        missing: &BTreeSet<String>,
    ) {
        let with_operations = body.include_topic_authorized_operations;
        let all = || self.image.topics().map(|topic| describe(topic, with_operations)).collect();
        let topics = match &body.topics {
            None => all(),
            // Version 0 has no null: an empty list means all.
            Some(topics) if topics.is_empty() && to.version == 0 => all(),
            Some(topics) => {
                // A topic named twice is described once.
                let mut seen = BTreeSet::new();
                let mut asked: Vec<&MetadataRequestTopic> = topics.iter().collect();
                asked.retain(|topic| seen.insert((topic.topic_id, topic.name.as_deref())));
                let describe = |topic| self.describe_asked(topic, with_operations, missing);
                asked.into_iter().map(describe).collect()
            }
        };
        let response = MetadataResponse {
            brokers: self.brokers_for(to.client),
            cluster_id: Some(self.cluster_id().to_string()),
            controller_id: self.setup.node_id,
            topics,
            cluster_authorized_operations: if body.include_cluster_authorized_operations {
                CLUSTER_OPERATIONS
            } else {
                i32::MIN
            },
            ..MetadataResponse::default()
        };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }

    /// The brokers, as a client of a certain connection can reach them.
    fn brokers_for(&self, client: Key) -> Vec<MetadataResponseBroker> {
        let brokers = self.nodes_for(client, Fenced::LeftOut).into_iter();
        brokers
            .map(|node| MetadataResponseBroker {
                node_id: node.id,
                host: node.host,
                port: node.port,
                rack: node.rack,
            })
            .collect()
    }

    /// The brokers and where the client of a connection finds them: on the listener that it came
    /// through.
    pub(crate) fn nodes_for(&self, client: Key, fenced: Fenced) -> Vec<Node> {
        let came_through = self.clients.get(client).map(|client| {
            let listener = self.setup.listeners.get(usize::from(client.listener));
            (listener, client.local)
        });
        let Some((Some(listener), local)) = came_through else { return Vec::new() };
        self.image
            .brokers()
            .filter(|broker| fenced == Fenced::Included || !broker.fenced)
            .filter_map(|broker| {
                let endpoint = broker.endpoint(&listener.name)?;
                let is_self = broker.id == BrokerId(self.setup.node_id);
                let (host, port) = if is_self && listener.is_derived {
                    // Nobody said what to advertise: where the client has just reached us is right.
                    (local.ip().to_string(), local.port())
                } else {
                    (endpoint.host.clone(), endpoint.port)
                };
                let rack = broker.rack.clone();
                let is_fenced = broker.fenced;
                Some(Node { id: broker.id.0, host, port: i32::from(port), rack, is_fenced })
            })
            .collect()
    }

    fn describe_asked(
        &self,
        asked: &MetadataRequestTopic,
        with_operations: bool,
        missing: &BTreeSet<String>,
    ) -> MetadataResponseTopic {
        if let Some(name) = asked.name.as_deref().filter(|_| asked.topic_id == Uuid::ZERO) {
            return match self.image.topic(name) {
                Some(topic) if !missing.contains(name) => describe(topic, with_operations),
                None if topic_name_check(name).is_err() => {
                    unknown(Some(name), Uuid::ZERO, ErrorCode::InvalidTopicException)
                }
                Some(_) | None => {
                    unknown(Some(name), Uuid::ZERO, ErrorCode::UnknownTopicOrPartition)
                }
            };
        }
        self.image.topic_by_id(asked.topic_id).map_or_else(
            || unknown(None, asked.topic_id, ErrorCode::UnknownTopicId),
            |topic| describe(topic, with_operations),
        )
    }
}

/// A broker as a client reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Its id.
    pub id: i32,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: i32,
    /// Rack.
    pub rack: Option<String>,
    /// Registered, but not serving.
    pub is_fenced: bool,
}

/// Whether brokers that do not serve are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fenced {
    /// Yes.
    Included,
    /// No.
    LeftOut,
}

impl From<bool> for Fenced {
    fn from(is_included: bool) -> Self {
        if is_included { Self::Included } else { Self::LeftOut }
    }
}

fn unknown(name: Option<&str>, topic_id: Uuid, error: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: error.code(),
        name: name.map(str::to_owned),
        topic_id,
        is_internal: name.is_some_and(is_internal_topic),
        ..MetadataResponseTopic::default()
    }
}

fn describe(topic: &Topic, with_operations: bool) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: 0,
        name: Some(topic.name.to_string()),
        topic_id: topic.id,
        is_internal: is_internal_topic(&topic.name),
        partitions: topic.partitions().map(describe_partition).collect(),
        topic_authorized_operations: if with_operations { TOPIC_OPERATIONS } else { i32::MIN },
    }
}

fn describe_partition(partition: &Partition) -> MetadataResponsePartition {
    let ids = |brokers: &[BrokerId]| brokers.iter().map(|broker| broker.0).collect();
    MetadataResponsePartition {
        error_code: if partition.leader == BrokerId::NONE {
            ErrorCode::LeaderNotAvailable.code()
        } else {
            0
        },
        partition_index: partition.index,
        leader_id: partition.leader.0,
        leader_epoch: partition.leader_epoch,
        replica_nodes: ids(&partition.replicas),
        isr_nodes: ids(&partition.isr),
        offline_replicas: Vec::new(),
    }
}

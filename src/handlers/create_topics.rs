//! CreateTopics, versions 2 to 7.

use std::collections::{BTreeMap, BTreeSet};

use millrace_net::ErrorCode;
use millrace_net::messages::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse,
};
use millrace_replication::BrokerId;
use millrace_replication::controller::{CreatedTopic, Mode, NewTopic, Refusal};
use millrace_wire::{Uuid, WireError};

use crate::config::describe;
use crate::controller::{AdminAnswer, AdminAsk};
use crate::handlers::admin::{Then, without_text_of_waits};
use crate::shard::{ReplyTo, Request, Shard, Turn, mutation_charge};
use crate::topic_config;

/// From this version on a client knows what it means to be throttled. Source: KIP-599.
const STRICT_FROM: i16 = 6;

/// What the answer needs beyond the controller's.
#[derive(Debug)]
pub(crate) struct Waiting {
    names: Vec<String>,
}

impl Shard {
    /// Hands the topics to the controller.
    pub(crate) fn handle_create_topics(
        &mut self,
        _turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: CreateTopicsRequest = request.decode()?;
        let mode = if body.validate_only { Mode::Validate } else { Mode::Apply };
        let names: Vec<String> = body.topics.iter().map(|topic| topic.name.clone()).collect();
        let waiting = Waiting { names };
        let topics = body.topics.into_iter().map(new_topic).collect();
        let ask = AdminAsk::CreateTopics(topics, mode);
        let charge = Some(mutation_charge(request, STRICT_FROM));
        self.ask_charged(&request.to, ask, charge, Then::CreateTopics(waiting));
        Ok(())
    }

    /// The controller has answered.
    pub(crate) fn finish_create_topics(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        waiting: Waiting,
        answer: AdminAnswer,
    ) {
        let Waiting { names } = waiting;
        let mut told = BTreeSet::new();
        let topics: Vec<CreatableTopicResult> = match answer {
            AdminAnswer::CreatedTopics(results) => names
                .into_iter()
                .zip(results)
                // A name that comes twice is refused, and told so once.
                .filter(|(name, _)| told.insert(name.clone()))
                .map(|(name, result)| match result {
                    Ok(created) => self.created(created),
                    Err(refusal) => refused(name, refusal),
                })
                .collect(),
            AdminAnswer::LogFailed
            | AdminAnswer::DeletedTopics(_)
            | AdminAnswer::CreatedPartitions(_)
            | AdminAnswer::AlteredConfigs(_)
            | AdminAnswer::AlteredQuotas(_)
            | AdminAnswer::UpdatedFeatures(_)
            | AdminAnswer::ProducerIds(_) => names.into_iter().map(failed).collect(),
        };
        let response = CreateTopicsResponse { topics, ..CreateTopicsResponse::default() };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }

    fn created(&self, created: CreatedTopic) -> CreatableTopicResult {
        let view = topic_config::view(&self.setup, &self.image);
        let configs = describe::describe_topic(&view, Some(&created.configs), None);
        // What the client wrote is told as it wrote it.
        let written = |name: &String| created.configs.get(name).cloned();
        let configs = configs.into_iter().map(|config| CreatableTopicConfigs {
            value: written(&config.name).or(config.value),
            name: config.name,
            read_only: config.read_only,
            config_source: config.source.id(),
            is_sensitive: config.sensitive,
        });
        CreatableTopicResult {
            name: created.name,
            topic_id: created.id,
            num_partitions: created.partitions,
            replication_factor: created.replication_factor,
            error_message: None,
            configs: Some(configs.collect()),
            ..CreatableTopicResult::default()
        }
    }
}

fn new_topic(topic: CreatableTopic) -> NewTopic {
    let brokers = |ids: Vec<i32>| ids.into_iter().map(BrokerId).collect();
    // Of a config that comes twice the last one counts.
    let configs: BTreeMap<_, _> =
        topic.configs.into_iter().map(|config| (config.name, config.value)).collect();
    NewTopic {
        name: topic.name,
        id: Uuid::ZERO,
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic
            .assignments
            .into_iter()
            .map(|assignment| (assignment.partition_index, brokers(assignment.broker_ids)))
            .collect(),
        configs: configs.into_iter().collect(),
    }
}

fn refused(name: String, refusal: Refusal) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        error_code: refusal.code(),
        error_message: without_text_of_waits(refusal),
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}

fn failed(name: String) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        error_code: ErrorCode::KafkaStorageError.code(),
        error_message: Some("the metadata log cannot be written".to_owned()),
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}

//! CreatePartitions, versions 0 to 3.

use std::collections::BTreeMap;

use millrace_net::ErrorCode;
use millrace_net::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
    CreatePartitionsTopicResult,
};
use millrace_replication::BrokerId;
use millrace_replication::controller::{Mode, NewPartitions, Refusal, RefusalKind};
use millrace_wire::WireError;

use crate::controller::{AdminAnswer, AdminAsk};
use crate::handlers::admin::Then;
use crate::shard::{ReplyTo, Request, Shard, Turn, mutation_charge};

/// From this version on a client knows what it means to be throttled. Source: KIP-599.
const STRICT_FROM: i16 = 3;

/// What the answer needs beyond the controller's.
#[derive(Debug)]
pub(crate) struct Waiting {
    names: Vec<String>,
    refused: Vec<CreatePartitionsTopicResult>,
}

impl Shard {
    /// Hands the topics to the controller.
    pub(crate) fn handle_create_partitions(
        &mut self,
        _turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: CreatePartitionsRequest = request.decode()?;
        let mode = if body.validate_only { Mode::Validate } else { Mode::Apply };
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for topic in &body.topics {
            *counts.entry(topic.name.clone()).or_default() += 1;
        }
        let topics: Vec<NewPartitions> = body
            .topics
            .into_iter()
            .filter(|topic| counts[&topic.name] == 1)
            .map(new_partitions)
            .collect();
        let names = topics.iter().map(|topic| topic.topic.clone()).collect();
        // A topic that comes twice is answered once, as in Kafka.
        let refused = counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| {
            let why = "the topic is asked for more than once".to_owned();
            result(name, ErrorCode::InvalidRequest.code(), Some(why))
        });
        let waiting = Waiting { names, refused: refused.collect() };
        let ask = AdminAsk::CreatePartitions(topics, mode);
        let charge = Some(mutation_charge(request, STRICT_FROM));
        self.ask_charged(&request.to, ask, charge, Then::CreatePartitions(waiting));
        Ok(())
    }

    /// The controller has answered.
    pub(crate) fn finish_create_partitions(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        waiting: Waiting,
        answer: AdminAnswer,
    ) {
        let Waiting { names, refused: mut results } = waiting;
        if let AdminAnswer::CreatedPartitions(answers) = answer {
            let each = names.into_iter().zip(answers);
            results.extend(each.map(|(name, answer)| match answer {
                Ok(_) => result(name, 0, None),
                Err(refusal) => refused(name, refusal),
            }));
        } else {
            let error = ErrorCode::KafkaStorageError.code();
            results.extend(names.into_iter().map(|name| result(name, error, None)));
        }
        let response = CreatePartitionsResponse { results, ..CreatePartitionsResponse::default() };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }
}

fn new_partitions(topic: CreatePartitionsTopic) -> NewPartitions {
    let brokers = |ids: Vec<i32>| ids.into_iter().map(BrokerId).collect();
    let assignments = topic
        .assignments
        .map(|each| each.into_iter().map(|assignment| brokers(assignment.broker_ids)).collect());
    NewPartitions { topic: topic.name, total: topic.count, assignments }
}

/// Kafka's answers, without a text where it has none.
fn refused(name: String, refusal: Refusal) -> CreatePartitionsTopicResult {
    match refusal.kind {
        RefusalKind::UnknownTopicOrPartition | RefusalKind::ThrottlingQuotaExceeded => {
            result(name, refusal.code(), None)
        }
        // Too many partitions at once are an unknown server error here.
        RefusalKind::PolicyViolation => result(name, ErrorCode::UnknownServerError.code(), None),
        RefusalKind::InvalidTopic
        | RefusalKind::TopicAlreadyExists
        | RefusalKind::InvalidPartitions
        | RefusalKind::InvalidReplicationFactor
        | RefusalKind::InvalidReplicaAssignment
        | RefusalKind::InvalidConfig
        | RefusalKind::InvalidRequest
        | RefusalKind::StaleBrokerEpoch
        | RefusalKind::InvalidUpdateVersion
        | RefusalKind::UnknownTopicId
        | RefusalKind::BrokerIdNotRegistered => result(name, refusal.code(), Some(refusal.message)),
    }
}

fn result(
    name: String,
    error_code: i16,
    error_message: Option<String>,
) -> CreatePartitionsTopicResult {
    CreatePartitionsTopicResult { name, error_code, error_message }
}

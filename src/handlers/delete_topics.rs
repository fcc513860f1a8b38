//! DeleteTopics, versions 1 to 6: by name, and from version 6 on also by id.

use std::collections::BTreeMap;

use millrace_net::ErrorCode;
use millrace_net::messages::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use millrace_replication::controller::{Refusal, RefusalKind, TopicRef};
use millrace_wire::{Uuid, WireError};

use crate::controller::{AdminAnswer, AdminAsk};
use crate::handlers::admin::{Then, without_text_of_waits};
use crate::shard::{ReplyTo, Request, Shard, Turn, mutation_charge};

/// From this version on a client knows what it means to be throttled. Source: KIP-599.
const STRICT_FROM: i16 = 5;

/// What the answer needs beyond the controller's.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The topics handed to the controller, in its order.
    asked: Vec<TopicRef>,
    /// What was refused before.
    refused: Vec<DeletableTopicResult>,
}

impl Shard {
    /// Hands the topics to the controller, but for those that are asked for in a wrong way.
    pub(crate) fn handle_delete_topics(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: DeleteTopicsRequest = request.decode()?;
        let by_name = |name| DeleteTopicState { name: Some(name), topic_id: Uuid::ZERO };
        let topics: Vec<DeleteTopicState> =
            body.topic_names.into_iter().map(by_name).chain(body.topics).collect();
        if !self.setup.delete_topics {
            let error = if request.to.version < 3 {
                ErrorCode::InvalidRequest
            } else {
                ErrorCode::TopicDeletionDisabled
            };
            let refused = |topic: DeleteTopicState| DeletableTopicResult {
                error_message: None,
                ..result(topic.name, topic.topic_id, error, "topics may not be deleted")
            };
            self.reply_delete_topics(turn, &request.to, topics.into_iter().map(refused).collect());
            return Ok(());
        }
        let (asked, refused) = sort_out(topics);
        if asked.is_empty() {
            self.reply_delete_topics(turn, &request.to, refused);
            return Ok(());
        }
        let ask = AdminAsk::DeleteTopics(asked.clone());
        let waiting = Waiting { asked, refused };
        let charge = Some(mutation_charge(request, STRICT_FROM));
        self.ask_charged(&request.to, ask, charge, Then::DeleteTopics(waiting));
        Ok(())
    }

    /// The controller has answered.
    pub(crate) fn finish_delete_topics(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        waiting: Waiting,
        answer: AdminAnswer,
    ) {
        let Waiting { asked, refused: mut responses } = waiting;
        if let AdminAnswer::DeletedTopics(results) = answer {
            responses.extend(
                asked
                    .into_iter()
                    .zip(results)
                    .filter_map(|(topic, result)| self.answered(topic, result)),
            );
        } else {
            responses.extend(asked.into_iter().map(|topic| {
                let (name, id) = parts(topic);
                result(name, id, ErrorCode::KafkaStorageError, "the metadata log takes nothing")
            }));
        }
        self.reply_delete_topics(turn, to, responses);
    }

    /// The answer for one topic; none for the id of a topic that is also asked for by name, as the
    /// name's answer speaks for both.
    fn answered(
        &self,
        topic: TopicRef,
        outcome: Result<(String, Uuid), Refusal>,
    ) -> Option<DeletableTopicResult> {
        match outcome {
            Ok((name, topic_id)) => Some(DeletableTopicResult {
                name: Some(name),
                topic_id,
                ..DeletableTopicResult::default()
            }),
            Err(refusal) => {
                let is_twice = refusal.kind == RefusalKind::InvalidRequest;
                if is_twice && matches!(topic, TopicRef::Id(_)) {
                    return None;
                }
                let known = match &topic {
                    TopicRef::Name(name) => self.image.topic(name),
                    TopicRef::Id(id) => self.image.topic_by_id(*id),
                };
                let is_found = is_twice || refusal.kind == RefusalKind::ThrottlingQuotaExceeded;
                let (name, topic_id) = match known.filter(|_| is_found) {
                    Some(known) => (Some(known.name.to_string()), known.id),
                    None => parts(topic),
                };
                Some(DeletableTopicResult {
                    name,
                    topic_id,
                    error_code: refusal.code(),
                    error_message: without_text_of_waits(refusal),
                })
            }
        }
    }

    fn reply_delete_topics(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        responses: Vec<DeletableTopicResult>,
    ) {
        let response = DeleteTopicsResponse { responses, ..DeleteTopicsResponse::default() };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }
}

/// What can be asked for, and the answers to the rest: a name or id that comes twice is answered
/// once, as in Kafka.
fn sort_out(topics: Vec<DeleteTopicState>) -> (Vec<TopicRef>, Vec<DeletableTopicResult>) {
    let mut counts: BTreeMap<TopicRef, u32> = BTreeMap::new();
    let mut refused = Vec::new();
    for topic in topics {
        let handle = match (topic.name, topic.topic_id) {
            (Some(name), Uuid::ZERO) => TopicRef::Name(name),
            (None, id) if id != Uuid::ZERO => TopicRef::Id(id),
            (name, id) => {
                let why = if name.is_some() {
                    "a topic is given by name or by id, not both"
                } else {
                    "a topic needs a name or an id"
                };
                refused.push(result(name, id, ErrorCode::InvalidRequest, why));
                continue;
            }
        };
        *counts.entry(handle).or_default() += 1;
    }
    let mut asked = Vec::new();
    for (topic, count) in counts {
        if count == 1 {
            asked.push(topic);
        } else {
            let (name, id) = parts(topic);
            let why = "the topic is asked for more than once";
            refused.push(result(name, id, ErrorCode::InvalidRequest, why));
        }
    }
    (asked, refused)
}

fn parts(topic: TopicRef) -> (Option<String>, Uuid) {
    match topic {
        TopicRef::Name(name) => (Some(name), Uuid::ZERO),
        TopicRef::Id(id) => (None, id),
    }
}

fn result(
    name: Option<String>,
    topic_id: Uuid,
    error: ErrorCode,
    message: &str,
) -> DeletableTopicResult {
    DeletableTopicResult {
        name,
        topic_id,
        error_code: error.code(),
        error_message: Some(message.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_twice_is_refused_once_and_not_asked_for() {
        let by_name =
            |name: &str| DeleteTopicState { name: Some(name.to_owned()), topic_id: Uuid::ZERO };
        let by_id = |id| DeleteTopicState { name: None, topic_id: Uuid(id) };
        let both = DeleteTopicState { name: Some("c".to_owned()), topic_id: Uuid(9) };
        let (asked, refused) = sort_out(vec![
            by_name("a"),
            by_name("b"),
            by_name("a"),
            by_id(7),
            by_id(8),
            by_id(7),
            by_id(7),
            both,
            by_id(0),
        ]);
        assert_eq!(asked, [TopicRef::Name("b".to_owned()), TopicRef::Id(Uuid(8))]);
        assert_eq!(refused.len(), 4);
        assert!(refused.iter().all(|it| it.error_code == ErrorCode::InvalidRequest.code()));
    }
}

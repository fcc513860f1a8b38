//! AlterClientQuotas, versions 0 and 1. Source: KIP-546.

use std::collections::BTreeMap;

use millrace_net::ErrorCode;
use millrace_net::messages::alter_client_quotas::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, EntityData, ResponseEntryData,
};
use millrace_replication::controller::{AlterQuota, Mode};
use millrace_wire::WireError;

use crate::controller::{AdminAnswer, AdminAsk};
use crate::handlers::admin::Then;
use crate::shard::{ReplyTo, Request, Shard, Turn};

/// The entities of a request, in its order.
#[derive(Debug)]
pub(crate) struct Waiting {
    entities: Vec<Vec<EntityData>>,
}

/// The last name that is given for each entity type, as Kafka takes it.
fn each_type_once(entity: Vec<EntityData>) -> Vec<EntityData> {
    let names: BTreeMap<String, Option<String>> =
        entity.into_iter().map(|part| (part.entity_type, part.entity_name)).collect();
    let part = |(entity_type, entity_name)| EntityData { entity_type, entity_name };
    names.into_iter().map(part).collect()
}

impl Shard {
    /// Hands the changes to the controller.
    pub(crate) fn handle_alter_client_quotas(
        &mut self,
        _turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: AlterClientQuotasRequest = request.decode()?;
        let mode = if body.validate_only { Mode::Validate } else { Mode::Apply };
        let alter = |entry: &millrace_net::messages::alter_client_quotas::EntryData| AlterQuota {
            entity: each_type_once(entry.entity.clone())
                .iter()
                .map(|part| (part.entity_type.clone(), part.entity_name.clone()))
                .collect(),
            changes: entry
                .ops
                .iter()
                .map(|op| (op.key.clone(), (!op.remove).then_some(op.value)))
                .collect(),
        };
        let asked = body.entries.iter().map(alter).collect();
        let entities = body.entries.into_iter().map(|entry| each_type_once(entry.entity)).collect();
        let ask = AdminAsk::AlterClientQuotas(asked, mode);
        self.ask_and_wait(&request.to, ask, Then::AlterClientQuotas(Waiting { entities }));
        Ok(())
    }

    /// The controller has answered.
    pub(crate) fn finish_alter_client_quotas(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        waiting: Waiting,
        answer: AdminAnswer,
    ) {
        let mut answers = match answer {
            AdminAnswer::AlteredQuotas(answers) => answers,
            AdminAnswer::LogFailed
            | AdminAnswer::CreatedTopics(_)
            | AdminAnswer::DeletedTopics(_)
            | AdminAnswer::CreatedPartitions(_)
            | AdminAnswer::AlteredConfigs(_)
            | AdminAnswer::UpdatedFeatures(_)
            | AdminAnswer::ProducerIds(_) => Vec::new(),
        }
        .into_iter();
        let entries = waiting.entities.into_iter().map(|entity| {
            let (error_code, error_message) = match answers.next() {
                Some(Ok(())) => (0, None),
                Some(Err(refusal)) => (refusal.code(), Some(refusal.message)),
                None => (ErrorCode::KafkaStorageError.code(), None),
            };
            ResponseEntryData { error_code, error_message, entity }
        });
        let response =
            AlterClientQuotasResponse { entries: entries.collect(), ..Default::default() };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }
}

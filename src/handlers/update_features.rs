//! UpdateFeatures, versions 0 to 2: all of the levels asked for, or none. Source: KIP-584, KIP-1022.

use millrace_net::ErrorCode;
use millrace_net::messages::update_features::{
    UpdatableFeatureResult, UpdateFeaturesRequest, UpdateFeaturesResponse,
};
use millrace_replication::controller::{FeatureUpdate, Mode, UpgradeType};
use millrace_wire::WireError;

use crate::controller::{AdminAnswer, AdminAsk};
use crate::handlers::admin::Then;
use crate::shard::{ReplyTo, Request, Shard, Turn};

impl Shard {
    /// Hands the levels to the controller. `allow_downgrade` of version 0 means nothing to Kafka.
    pub(crate) fn handle_update_features(
        &mut self,
        _turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: UpdateFeaturesRequest = request.decode()?;
        let mode = if body.validate_only { Mode::Validate } else { Mode::Apply };
        let update =
            |update: &millrace_net::messages::update_features::FeatureUpdateKey| FeatureUpdate {
                name: update.feature.clone(),
                level: update.max_version_level,
                upgrade_type: UpgradeType::of(update.upgrade_type),
            };
        let updates: Vec<FeatureUpdate> = body.feature_updates.iter().map(update).collect();
        let names = updates.iter().map(|update| update.name.clone()).collect();
        let ask = AdminAsk::UpdateFeatures(updates, mode);
        self.ask_and_wait(&request.to, ask, Then::UpdateFeatures(names));
        Ok(())
    }

    /// The controller has answered.
    pub(crate) fn finish_update_features(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        names: Vec<String>,
        answer: AdminAnswer,
    ) {
        let mut response = UpdateFeaturesResponse { error_message: None, ..Default::default() };
        match answer {
            AdminAnswer::UpdatedFeatures(Ok(())) => {
                let result = |feature| UpdatableFeatureResult {
                    feature,
                    error_code: ErrorCode::None.code(),
                    error_message: Some("NONE".to_owned()),
                };
                response.results = names.into_iter().map(result).collect();
            }
            AdminAnswer::UpdatedFeatures(Err(refusal)) => {
                response.error_code = refusal.code();
                response.error_message = Some(refusal.message);
            }
            AdminAnswer::LogFailed
            | AdminAnswer::CreatedTopics(_)
            | AdminAnswer::DeletedTopics(_)
            | AdminAnswer::CreatedPartitions(_)
            | AdminAnswer::AlteredConfigs(_)
            | AdminAnswer::AlteredQuotas(_)
            | AdminAnswer::ProducerIds(_) => {
                response.error_code = ErrorCode::KafkaStorageError.code();
            }
        }
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }
}

//! Requests that change cluster state: they wait for the controller.

use millrace_replication::controller::{Refusal, RefusalKind};

use crate::controller::{AdminAnswer, AdminAsk, Charge};
use crate::handlers::{
    alter_client_quotas, alter_configs, create_partitions, create_topics, delete_topics,
    find_coordinator, groups, metadata,
};
use crate::shard::{Pending, ReplyTo, Shard, Turn};

/// A request that waits for the controller.
#[derive(Debug)]
pub(crate) struct Waiting {
    to: ReplyTo,
    then: Then,
}

/// What is done with the controller's answer.
#[derive(Debug)]
pub(crate) enum Then {
    /// CreateTopics.
    CreateTopics(create_topics::Waiting),
    /// DeleteTopics.
    DeleteTopics(delete_topics::Waiting),
    /// CreatePartitions.
    CreatePartitions(create_partitions::Waiting),
    /// AlterConfigs.
    AlterConfigs(alter_configs::Waiting),
    /// IncrementalAlterConfigs.
    IncrementalAlterConfigs(alter_configs::Waiting),
    /// AlterClientQuotas.
    AlterClientQuotas(alter_client_quotas::Waiting),
    /// InitProducerId.
    InitProducerId,
    /// Metadata that creates the topics it asks for.
    AutoCreate(metadata::Waiting),
    /// UpdateFeatures; the features.
    UpdateFeatures(Vec<String>),
    /// FindCoordinator that creates the offsets topic.
    FindCoordinator(find_coordinator::Waiting),
    /// A request about groups that came before there was an offsets topic.
    Groups(groups::Deferred),
}

/// The text of a refusal. As in Kafka, a client that is over its quota gets none: how long it has to
/// wait is beside it.
pub(crate) fn without_text_of_waits(refusal: Refusal) -> Option<String> {
    (refusal.kind != RefusalKind::ThrottlingQuotaExceeded).then_some(refusal.message)
}

impl Shard {
    /// Asks the controller, and waits.
    pub(crate) fn ask_and_wait(&mut self, to: &ReplyTo, ask: AdminAsk, then: Then) {
        self.ask_charged(to, ask, None, then);
    }

    /// The same for what counts against the client's quota, if there is a `charge`.
    pub(crate) fn ask_charged(
        &mut self,
        to: &ReplyTo,
        ask: AdminAsk,
        charge: Option<Charge>,
        then: Then,
    ) {
        let waiting = Waiting { to: *to, then };
        let key = self.park(to, Pending::Admin(Box::new(waiting)));
        self.ask_controller(key, ask, charge);
    }

    /// The controller has answered, and every shard works by the change.
    ///
    /// - `wait_ms`: how long the client has to wait for what it created and deleted.
    pub(crate) fn finish_admin(
        &mut self,
        turn: &mut Turn,
        waiting: Waiting,
        answer: AdminAnswer,
        wait_ms: u64,
    ) {
        // Who asked for metadata is told of no wait: its topic is not there yet.
        let is_told = wait_ms > 0 && !matches!(waiting.then, Then::AutoCreate(_));
        let to =
            if is_told { self.mutation_throttled(turn, &waiting.to, wait_ms) } else { waiting.to };
        match waiting.then {
            Then::CreateTopics(waiting) => self.finish_create_topics(turn, &to, waiting, answer),
            Then::DeleteTopics(waiting) => self.finish_delete_topics(turn, &to, waiting, answer),
            Then::CreatePartitions(waiting) => {
                self.finish_create_partitions(turn, &to, waiting, answer);
            }
            Then::AlterConfigs(waiting) => self.finish_alter_configs(turn, &to, waiting, answer),
            Then::IncrementalAlterConfigs(waiting) => {
                self.finish_incremental_alter_configs(turn, &to, waiting, answer);
            }
            Then::AlterClientQuotas(waiting) => {
                self.finish_alter_client_quotas(turn, &to, waiting, answer);
            }
            Then::InitProducerId => self.finish_init_producer_id(turn, &to, answer),
            Then::UpdateFeatures(names) => self.finish_update_features(turn, &to, names, answer),
            Then::FindCoordinator(waiting) => self.finish_find_coordinator(turn, &to, waiting),
            Then::Groups(deferred) => self.ask_deferred_groups(turn, &to, deferred),
            Then::AutoCreate(waiting) => self.finish_auto_create(turn, &to, waiting, answer),
        }
    }
}

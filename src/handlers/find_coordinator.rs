//! FindCoordinator, versions 0 to 6: which broker coordinates a group.
//!
//! The first one that asks about a group has the offsets topic created, and its answer waits for
//! it. Transactions have no coordinator yet, and who asks for one is told so for good: an answer
//! that clients try again after has them wait for what does not come, some without end.

use millrace_net::ErrorCode;
use millrace_net::messages::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use millrace_replication::controller::Mode;
use millrace_wire::WireError;

use crate::controller::AdminAsk;
use crate::handlers::admin::Then;
use crate::handlers::metadata::{Fenced, Node};
use crate::offsets_topic::{self, OFFSETS_TOPIC};
use crate::shard::{ReplyTo, Request, Shard, Turn};
use crate::topic_config;

const KEY_GROUP: i8 = 0;
const KEY_TRANSACTION: i8 = 1;
/// From this version on a request has many keys.
const BATCH_FROM: i16 = 4;
/// What clients that show the text beside an error tell their user.
const NO_TRANSACTIONS: &str = "this broker does not serve transactions";

/// A request that waits for the offsets topic.
#[derive(Debug)]
pub(crate) struct Waiting {
    body: FindCoordinatorRequest,
}

impl Shard {
    /// Answers from the image, or has the offsets topic created first.
    pub(crate) fn handle_find_coordinator(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let body: FindCoordinatorRequest = request.decode()?;
        if body.key_type == KEY_GROUP && self.image.topic(OFFSETS_TOPIC).is_none() {
            let ask = self.new_offsets_topic();
            self.ask_and_wait(&request.to, ask, Then::FindCoordinator(Waiting { body }));
        } else {
            self.answer_find_coordinator(turn, &request.to, body);
        }
        Ok(())
    }

    /// Has the offsets topic created.
    pub(crate) fn new_offsets_topic(&self) -> AdminAsk {
        let view = topic_config::view(&self.setup, &self.image);
        let topic = offsets_topic::new_topic(&view, &self.image);
        AdminAsk::CreateTopics(vec![topic], Mode::Apply)
    }

    /// The offsets topic is there, or cannot be; the image says which.
    pub(crate) fn finish_find_coordinator(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        waiting: Waiting,
    ) {
        self.answer_find_coordinator(turn, to, waiting.body);
    }

    fn answer_find_coordinator(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        body: FindCoordinatorRequest,
    ) {
        let nodes = self.nodes_for(to.client, Fenced::LeftOut);
        let response = if to.version < BATCH_FROM {
            let found = self.find_coordinator(&nodes, body.key_type, body.key);
            FindCoordinatorResponse {
                error_code: found.error_code,
                error_message: found.error_message,
                node_id: found.node_id,
                host: found.host,
                port: found.port,
                ..FindCoordinatorResponse::default()
            }
        } else {
            let keys = body.coordinator_keys.into_iter();
            let found = keys.map(|key| self.find_coordinator(&nodes, body.key_type, key));
            FindCoordinatorResponse {
                coordinators: found.collect(),
                ..FindCoordinatorResponse::default()
            }
        };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }

    fn find_coordinator(&self, nodes: &[Node], key_type: i8, key: String) -> Coordinator {
        let leader = match key_type {
            KEY_GROUP => self.group_leader(&key).ok_or(ErrorCode::CoordinatorNotAvailable),
            // The only code after which every client gives up at once; librdkafka tries again
            // after all others.
            KEY_TRANSACTION => Err(ErrorCode::TransactionalIdAuthorizationFailed),
            _ => Err(ErrorCode::InvalidRequest),
        };
        let node = leader.and_then(|leader| {
            let node = nodes.iter().find(|node| node.id == leader);
            node.ok_or(ErrorCode::CoordinatorNotAvailable)
        });
        match node {
            Ok(node) => Coordinator {
                key,
                node_id: node.id,
                host: node.host.clone(),
                port: node.port,
                error_code: 0,
                error_message: Some(ErrorCode::None.name().to_owned()),
            },
            Err(error) => Coordinator {
                key,
                node_id: -1,
                host: String::new(),
                port: -1,
                error_code: error.code(),
                error_message: Some(match key_type {
                    KEY_TRANSACTION => NO_TRANSACTIONS.to_owned(),
                    _ => error.name().to_owned(),
                }),
            },
        }
    }

    fn group_leader(&self, group_id: &str) -> Option<i32> {
        let partition = self.coordinator_of(group_id)?;
        let topic = self.image.topic_by_id(partition.topic)?;
        Some(topic.partition(partition.index)?.leader.0)
    }
}

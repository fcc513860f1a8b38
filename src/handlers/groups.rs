//! What requests about groups share: each is taken apart into asks of one group, the asks go to
//! the coordinators, and the answers are put together in the file of the API.

use millrace_net::ErrorCode;
use millrace_wire::WireError;

use crate::coordinator::{GroupAnswer, GroupAsk, Requester};
use crate::handlers::{
    admin, consumer_group_describe, consumer_group_heartbeat, delete_groups, describe_groups,
    heartbeat, join_group, leave_group, list_groups, offset_commit, offset_delete, offset_fetch,
    sync_group,
};
use crate::mail::{Answer, Ask, PartitionId};
use crate::offsets_topic::OFFSETS_TOPIC;
use crate::shard::{Pending, ReplyTo, Request, Shard, Turn};
use crate::slab::Key;
use crate::ticket::ITEMS_MAX;

/// A request that waits for coordinators.
#[derive(Debug)]
pub(crate) struct Waiting {
    to: ReplyTo,
    /// By ask.
    answers: Vec<Option<GroupAnswer>>,
    left: usize,
    then: Then,
}

/// What is done with the coordinators' answers.
#[derive(Debug)]
pub(crate) enum Then {
    /// JoinGroup.
    Join,
    /// SyncGroup.
    Sync,
    /// Heartbeat.
    Heartbeat,
    /// LeaveGroup.
    Leave,
    /// DescribeGroups.
    Describe(describe_groups::Waiting),
    /// ListGroups.
    List,
    /// DeleteGroups.
    Delete(delete_groups::Waiting),
    /// OffsetCommit.
    Commit(offset_commit::Waiting),
    /// OffsetFetch.
    Fetch(offset_fetch::Waiting),
    /// OffsetDelete.
    DeleteOffsets(offset_delete::Waiting),
    /// ConsumerGroupHeartbeat.
    ConsumerHeartbeat,
    /// ConsumerGroupDescribe.
    ConsumerDescribe(consumer_group_describe::Waiting),
}

/// A request that waits for the offsets topic.
#[derive(Debug)]
pub(crate) struct Deferred {
    asks: Vec<GroupAsk>,
    then: Then,
}

impl Shard {
    /// Asks the coordinators of the asks' groups, and waits. Where a group may come to be, the
    /// topic that will hold it is created first.
    pub(crate) fn ask_groups(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        asks: Vec<GroupAsk>,
        then: Then,
    ) -> Result<(), WireError> {
        if asks.iter().any(GroupAsk::makes_groups) && self.image.topic(OFFSETS_TOPIC).is_none() {
            let ask = self.new_offsets_topic();
            self.ask_and_wait(to, ask, admin::Then::Groups(Deferred { asks, then }));
            return Ok(());
        }
        self.ask_groups_now(turn, to, asks, then)
    }

    /// The offsets topic is there, or cannot be: then there is no coordinator.
    pub(crate) fn ask_deferred_groups(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        deferred: Deferred,
    ) {
        let Deferred { asks, then } = deferred;
        let asked = self.ask_groups_now(turn, to, asks, then);
        assert!(asked.is_ok(), "so few groups were asked for before");
    }

    fn ask_groups_now(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        asks: Vec<GroupAsk>,
        then: Then,
    ) -> Result<(), WireError> {
        let coordinators = asks
            .iter()
            .map(|ask| ask.group_id().and_then(|group| self.coordinator_of(group)))
            .collect::<Vec<_>>();
        self.ask_coordinators(turn, to, coordinators.into_iter().zip(asks).collect(), then)
    }

    /// Asks coordinators, and waits. An ask without a coordinator is refused: the topic that
    /// would hold the group does not exist.
    pub(crate) fn ask_coordinators(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        asks: Vec<(Option<PartitionId>, GroupAsk)>,
        then: Then,
    ) -> Result<(), WireError> {
        if asks.len() >= ITEMS_MAX as usize {
            return Err(WireError::Invalid("more groups than a request may name"));
        }
        let answers = (0..asks.len()).map(|_| None).collect();
        let waiting = Waiting { to: *to, answers, left: asks.len(), then };
        if asks.is_empty() {
            self.finish_groups(turn, waiting);
            return Ok(());
        }
        let key = self.park(to, Pending::Groups(Box::new(waiting)));
        for ((coordinator, ask), item) in asks.into_iter().zip(0..) {
            let ticket = self.ticket(key, item);
            match coordinator {
                Some(partition) => self.ask(turn, partition, ticket, Ask::Group(Box::new(ask))),
                None => {
                    let answer = ask.refuse(ErrorCode::CoordinatorNotAvailable);
                    self.answer(ticket, Answer::Group(Box::new(answer)));
                }
            }
        }
        Ok(())
    }

    /// A coordinator has answered.
    pub(crate) fn on_groups_answer(
        &mut self,
        turn: &mut Turn,
        key: Key,
        item: u32,
        answer: Answer,
    ) {
        let Answer::Group(answer) = answer else { return };
        let Some(Pending::Groups(waiting)) = self.requests.get_mut(key) else { return };
        if let Some(place) = waiting.answers.get_mut(item as usize)
            && place.replace(*answer).is_none()
        {
            waiting.left -= 1;
        }
        if waiting.left == 0
            && let Some(Pending::Groups(waiting)) = self.requests.remove(key)
        {
            self.finish_groups(turn, *waiting);
        }
    }

    fn finish_groups(&mut self, turn: &mut Turn, waiting: Waiting) {
        let Waiting { to, answers, left: _, then } = waiting;
        let to = &to;
        let answers: Vec<GroupAnswer> = answers.into_iter().flatten().collect();
        match then {
            Then::Join => {
                let response = join_group::response(answers);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::Sync => {
                let response = sync_group::response(answers);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::Heartbeat => {
                let response = heartbeat::response(answers);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::Leave => {
                let response = leave_group::response(answers, to.version);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::Describe(waiting) => {
                let response = describe_groups::response(&waiting, answers);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::List => {
                let response = list_groups::response(answers);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::Delete(waiting) => {
                let response = delete_groups::response(waiting, answers);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::Commit(waiting) => {
                let response = offset_commit::response(waiting, answers);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::Fetch(waiting) => {
                let response = offset_fetch::response(&self.image, waiting, answers, to.version);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::DeleteOffsets(waiting) => {
                let response = offset_delete::response(waiting, answers);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::ConsumerHeartbeat => {
                let response = consumer_group_heartbeat::response(answers);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
            Then::ConsumerDescribe(waiting) => {
                let response = consumer_group_describe::response(waiting, answers);
                self.reply(turn, to, |writer, version| response.encode(writer, version));
            }
        }
    }

    /// Who a request comes from, as groups know their members.
    pub(crate) fn requester(&self, request: &Request) -> Requester {
        let peer = self.clients.get(request.to.client).map(|client| client.peer.ip());
        Requester {
            client_id: request.client_id.as_deref().unwrap_or_default().to_owned(),
            // As Java writes an address without a name.
            client_host: peer.map(|peer| format!("/{peer}")).unwrap_or_default(),
            version: request.to.version,
        }
    }
}

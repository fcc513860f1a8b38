//! Requests that ask several partitions one thing each and answer when all have answered.

use millrace_net::messages::delete_records::DeleteRecordsResponse;
use millrace_net::messages::describe_producers::DescribeProducersResponse;
use millrace_net::messages::list_offsets::ListOffsetsResponse;
use millrace_net::messages::offset_for_leader_epoch::OffsetForLeaderEpochResponse;

use crate::handlers::alter_replica_log_dirs::Moves;
use crate::handlers::describe_log_dirs::Sizes;
use crate::mail::{Answer, Ask, PartitionId};
use crate::shard::{Pending, ReplyTo, Shard, Turn};
use crate::slab::Key;

/// A request that gathers answers.
#[derive(Debug)]
pub(crate) struct Waiting {
    to: ReplyTo,
    response: Gathered,
    /// Where each item's answer goes: two indexes into the response.
    places: Vec<(usize, usize)>,
    left: usize,
}

/// The response in the making.
#[derive(Debug)]
pub(crate) enum Gathered {
    /// ListOffsets.
    Offsets(ListOffsetsResponse),
    /// OffsetForLeaderEpoch.
    EpochEnds(OffsetForLeaderEpochResponse),
    /// DeleteRecords.
    DeletedRecords(DeleteRecordsResponse),
    /// DescribeProducers.
    Producers(DescribeProducersResponse),
    /// DescribeLogDirs.
    Sizes(Sizes),
    /// AlterReplicaLogDirs.
    Moves(Moves),
}

/// One thing to ask: of which partition, and where in the response the answer goes.
#[derive(Debug)]
pub(crate) struct Item {
    /// The partition.
    pub partition: PartitionId,
    /// What to ask.
    pub ask: Ask,
    /// Two indexes into the response.
    pub place: (usize, usize),
}

impl Shard {
    /// Asks all items; replies when all have answered, at once if there are none.
    pub(crate) fn gather(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        response: Gathered,
        items: Vec<Item>,
    ) {
        let places = items.iter().map(|item| item.place).collect();
        let waiting = Waiting { to: *to, response, places, left: items.len() };
        if items.is_empty() {
            self.finish_gather(turn, waiting);
            return;
        }
        let key = self.park(to, Pending::Gather(Box::new(waiting)));
        for (item, number) in items.into_iter().zip(0..) {
            let ticket = self.ticket(key, number);
            self.ask(turn, item.partition, ticket, item.ask);
        }
    }

    /// A partition has answered.
    pub(crate) fn on_gather_answer(
        &mut self,
        turn: &mut Turn,
        key: Key,
        item: u32,
        answer: Answer,
    ) {
        let Some(Pending::Gather(waiting)) = self.requests.get_mut(key) else { return };
        let Some(place) = waiting.places.get(item as usize).copied() else { return };
        match &mut waiting.response {
            Gathered::Offsets(response) => response.place(place, answer),
            Gathered::EpochEnds(response) => response.place(place, answer),
            Gathered::DeletedRecords(response) => response.place(place, answer),
            Gathered::Producers(response) => response.place(place, answer),
            Gathered::Sizes(sizes) => sizes.place(place, answer),
            Gathered::Moves(moves) => moves.place(place, answer),
        }
        waiting.left -= 1;
        if waiting.left == 0
            && let Some(Pending::Gather(waiting)) = self.requests.remove(key)
        {
            self.finish_gather(turn, *waiting);
        }
    }

    fn finish_gather(&mut self, turn: &mut Turn, waiting: Waiting) {
        self.reply(turn, &waiting.to, |writer, version| match &waiting.response {
            Gathered::Offsets(response) => response.encode(writer, version),
            Gathered::EpochEnds(response) => response.encode(writer, version),
            Gathered::DeletedRecords(response) => response.encode(writer, version),
            Gathered::Producers(response) => response.encode(writer, version),
            Gathered::Sizes(sizes) => sizes.response().encode(writer, version),
            Gathered::Moves(moves) => moves.response.encode(writer, version),
        });
    }
}

/// A response that partitions' answers are put into.
pub(crate) trait Place {
    /// Puts an answer at the place given with its item.
    fn place(&mut self, place: (usize, usize), answer: Answer);
}

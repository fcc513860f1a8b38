//! Somebody who deletes: offsets of groups that may be at work on them, and whole groups. What is in use
//! must be refused: the ledger sees what is gone nevertheless.
//!
//! One group has no members. There it commits as well, the beginnings of partitions, so that much is
//! deleted, and expires, and must not come back.

use millrace_net::ErrorCode;
use millrace_net::messages::delete_groups::DeleteGroupsRequest;
use millrace_net::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use millrace_net::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use millrace_world::{Rng, World};

use super::Board;
use super::ledger::Spot;
use super::writer::{error_of, is_trouble};
use crate::link::Link;
use crate::plan::MS;

/// What is under way.
#[derive(Debug)]
enum Ask {
    /// OffsetDelete: numbers of the deletions, of partitions of one topic.
    Offsets(Vec<usize>),
    /// DeleteGroups: numbers of the deletions, of all partitions.
    Group(Vec<usize>),
    /// OffsetCommit: numbers of the commits.
    Commit(Vec<usize>),
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct Eraser {
    rng: Rng,
    link: Option<Link>,
    /// With the index of the group.
    in_flight: Option<(usize, Ask)>,
    wake: u64,
    is_draining: bool,
}

impl Eraser {
    /// One that has not begun.
    pub(super) const fn new(rng: Rng) -> Self {
        Self { rng, link: None, in_flight: None, wake: 0, is_draining: false }
    }

    /// When it wants to move by itself.
    pub(super) const fn wake(&self) -> u64 {
        self.wake
    }

    /// Its connection, if it has one.
    pub(super) const fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// From now on it deletes nothing any more.
    pub(super) const fn drain(&mut self) {
        self.is_draining = true;
        self.wake = u64::MAX;
    }

    /// The power went.
    pub(super) fn on_power_loss<M>(&mut self, world: &mut World<M>) {
        if let Some(link) = self.link.take() {
            world.client_reset(link.client());
        }
        self.in_flight = None;
    }

    /// Its time has come.
    pub(super) fn on_wake<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        if self.is_draining {
            return;
        }
        let time = world.time();
        self.wake = time + self.rng.between(1, 300) * MS;
        let spots = board.spots();
        if self.in_flight.is_some() || spots.is_empty() {
            return;
        }
        let alone = board.ledgers.len() - 1;
        let group = if self.rng.chance(600) { alone } else { self.rng.index(board.ledgers.len()) };
        let ask = match self.rng.below(10) {
            0..=4 if group == alone => Some(self.commit(world, board, group, &spots)),
            0..=1 => Some(self.delete_group(world, board, group, &spots)),
            _ => self.delete_offsets(world, board, group, &spots),
        };
        self.in_flight = ask.map(|ask| (group, ask));
    }

    fn send<M, R: millrace_net::Request>(
        &mut self,
        world: &mut World<M>,
        request: &R,
        version: i16,
    ) {
        let link = self.link.get_or_insert_with(|| Link::connect(world));
        link.send(world, request, version);
    }

    fn delete_group<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        group: usize,
        spots: &[Spot],
    ) -> Ask {
        let ledger = &mut board.ledgers[group];
        let time = world.time();
        let numbers = spots.iter().map(|&spot| ledger.on_deletion_sent(spot, time)).collect();
        let request = DeleteGroupsRequest { groups_names: vec![ledger.name().to_owned()] };
        self.send(world, &request, 2);
        Ask::Group(numbers)
    }

    /// Deletes some offsets of one topic; none if its name does not say which it is.
    fn delete_offsets<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        group: usize,
        spots: &[Spot],
    ) -> Option<Ask> {
        let topic = spots[self.rng.index(spots.len())].topic;
        let name = board.topics[topic].name.clone();
        if board.topics.iter().filter(|it| it.name == name).count() > 1 {
            return None;
        }
        let chosen = |spot: &&Spot| spot.topic == topic && self.rng.chance(700);
        let spots: Vec<Spot> = spots.iter().filter(chosen).copied().collect();
        let ledger = &mut board.ledgers[group];
        let time = world.time();
        let numbers = spots.iter().map(|&spot| ledger.on_deletion_sent(spot, time)).collect();
        let partitions = spots.iter().map(|spot| OffsetDeleteRequestPartition {
            partition_index: i32::try_from(spot.partition).expect("few partitions"),
        });
        let topic = OffsetDeleteRequestTopic { name, partitions: partitions.collect() };
        let group_id = ledger.name().to_owned();
        let request = OffsetDeleteRequest { group_id, topics: vec![topic] };
        self.send(world, &request, 0);
        Some(Ask::Offsets(numbers))
    }

    /// Commits the beginnings of one topic's partitions.
    fn commit<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        group: usize,
        spots: &[Spot],
    ) -> Ask {
        let topic = spots[self.rng.index(spots.len())].topic;
        let ledger = &mut board.ledgers[group];
        let time = world.time();
        let (mut numbers, mut partitions) = (Vec::new(), Vec::new());
        for &spot in spots.iter().filter(|spot| spot.topic == topic) {
            let number = ledger.on_lone_commit_sent(spot, time);
            numbers.push(number);
            partitions.push(OffsetCommitRequestPartition {
                partition_index: i32::try_from(spot.partition).expect("few partitions"),
                committed_offset: 0,
                committed_metadata: Some(number.to_string()),
                ..OffsetCommitRequestPartition::default()
            });
        }
        let name = board.topics[topic].name.clone();
        let topic_id = board.topics[topic].id;
        let request = OffsetCommitRequest {
            group_id: ledger.name().to_owned(),
            generation_id_or_member_epoch: -1,
            topics: vec![OffsetCommitRequestTopic { name, topic_id, partitions }],
            ..OffsetCommitRequest::default()
        };
        let lowest = if board.has_namesakes() { 10 } else { 2 };
        let version = i16::try_from(self.rng.between(lowest, 10)).expect("small");
        self.send(world, &request, version);
        Ask::Commit(numbers)
    }

    /// Something arrived, or the connection ended.
    pub(super) fn on_news<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
    ) -> Result<(), String> {
        while let Some(link) = &mut self.link
            && let Some(frame) = link.receive(world)
        {
            let Some((group, ask)) = self.in_flight.take() else {
                return Err("nobody deleted anything".to_owned());
            };
            let (numbers, errors) = answers(link, ask, &frame)?;
            if errors.len() != numbers.len() {
                return Err(format!("{} answers to {numbers:?}", errors.len()));
            }
            let answers = numbers.into_iter().zip(errors);
            for (number, error) in answers {
                board.ledgers[group].on_lone_answered(number, error, world.time());
                if !error.is_none() && !is_trouble(error) && !is_refusal(error) {
                    return Err(format!("a deletion is answered with {}", error.name()));
                }
            }
        }
        if self.link.as_ref().is_some_and(|link| link.has_ended(world)) {
            self.link = None;
            self.in_flight = None;
        }
        Ok(())
    }
}

/// The numbers of what was asked for, and the answers.
fn answers(
    link: &mut Link,
    ask: Ask,
    frame: &[u8],
) -> Result<(Vec<usize>, Vec<ErrorCode>), String> {
    match ask {
        Ask::Group(numbers) => {
            let response = link.take::<DeleteGroupsRequest>(frame)?;
            let result = response.results.first().ok_or("no group in the answer")?;
            let errors = vec![error_of(result.error_code)?; numbers.len()];
            Ok((numbers, errors))
        }
        Ask::Offsets(numbers) => {
            let response = link.take::<OffsetDeleteRequest>(frame)?;
            let whole = error_of(response.error_code)?;
            if !whole.is_none() {
                let errors = vec![whole; numbers.len()];
                return Ok((numbers, errors));
            }
            let parts = response.topics.iter().flat_map(|topic| &topic.partitions);
            let errors: Result<_, _> = parts.map(|part| error_of(part.error_code)).collect();
            Ok((numbers, errors?))
        }
        Ask::Commit(numbers) => {
            let response = link.take::<OffsetCommitRequest>(frame)?;
            let parts = response.topics.iter().flat_map(|topic| &topic.partitions);
            let errors: Result<_, _> = parts.map(|part| error_of(part.error_code)).collect();
            Ok((numbers, errors?))
        }
    }
}

fn is_refusal(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::NonEmptyGroup
            | ErrorCode::GroupSubscribedToTopic
            | ErrorCode::GroupIdNotFound
            | ErrorCode::UnknownTopicOrPartition
    )
}

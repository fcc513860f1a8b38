//! How a member commits offsets and looks them up, in all versions of both requests.

use millrace_net::ErrorCode;
use millrace_net::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
    OffsetCommitResponse,
};
use millrace_net::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    OffsetFetchResponse,
};
use millrace_wire::Uuid;
use millrace_world::World;

use super::Board;
use super::ledger::{Epoch, Mark, Spot};
use super::member::{Ask, Member, Protocol};
use super::writer::{error_of, is_trouble};
use crate::plan::Plant;

/// From this version of OffsetFetch on a request names many groups.
const GROUPS_FROM: i16 = 8;

/// From this version of OffsetCommit on it says who a static member is.
const STATIC_FROM: i16 = 7;
/// From these versions on members of the consumer protocol can be told apart.
const EPOCHS_FROM: i16 = 9;

/// One partition of an answer to OffsetFetch, in any version.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Which.
    pub(super) spot: Spot,
    /// What is committed, -1 for nothing.
    pub(super) offset: i64,
    /// What was committed with it.
    pub(super) metadata: String,
}

/// A look-up of one group's offsets.
///
/// - `member`: its id and its epoch, for a member of the consumer protocol.
pub(super) fn look_up(
    board: &Board,
    group_id: &str,
    member: Option<(&str, i32)>,
    spots: &[Spot],
    version: i16,
) -> OffsetFetchRequest {
    let mut topics: Vec<(usize, Vec<i32>)> = Vec::new();
    for spot in spots {
        let index = i32::try_from(spot.partition).expect("few partitions");
        match topics.iter_mut().find(|topic| topic.0 == spot.topic) {
            Some(topic) => topic.1.push(index),
            None => topics.push((spot.topic, vec![index])),
        }
    }
    if version < GROUPS_FROM {
        let topic = |(topic, partition_indexes): (usize, Vec<i32>)| OffsetFetchRequestTopic {
            name: board.topics[topic].name.clone(),
            partition_indexes,
        };
        return OffsetFetchRequest {
            group_id: group_id.to_owned(),
            topics: Some(topics.into_iter().map(topic).collect()),
            ..OffsetFetchRequest::default()
        };
    }
    let topic = |(topic, partition_indexes): (usize, Vec<i32>)| OffsetFetchRequestTopics {
        name: board.topics[topic].name.clone(),
        topic_id: board.topics[topic].id,
        partition_indexes,
    };
    let group = OffsetFetchRequestGroup {
        group_id: group_id.to_owned(),
        member_id: member.map(|(id, _)| id.to_owned()),
        member_epoch: member.map_or(-1, |(_, epoch)| epoch),
        topics: Some(topics.into_iter().map(topic).collect()),
    };
    OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() }
}

/// What a look-up found, or the error of the whole group.
pub(super) fn found(
    board: &Board,
    response: &OffsetFetchResponse,
) -> Result<Vec<Found>, ErrorCode> {
    let whole = |code| match ErrorCode::from_code(code) {
        Some(error) if error.is_none() => Ok(()),
        error => Err(error.unwrap_or(ErrorCode::UnknownServerError)),
    };
    let mut all = Vec::new();
    let mut add = |topic: Option<usize>, index: i32, offset, metadata: &Option<String>, code| {
        if let (Some(topic), Ok(partition), 0) = (topic, usize::try_from(index), code) {
            let spot = Spot { topic, partition };
            all.push(Found { spot, offset, metadata: metadata.clone().unwrap_or_default() });
        }
    };
    whole(response.error_code)?;
    for topic in &response.topics {
        let at = board.topic(&topic.name, Uuid::ZERO);
        for part in &topic.partitions {
            let (index, offset) = (part.partition_index, part.committed_offset);
            add(at, index, offset, &part.metadata, part.error_code);
        }
    }
    for group in &response.groups {
        whole(group.error_code)?;
        for topic in &group.topics {
            let at = board.topic(&topic.name, topic.topic_id);
            for part in &topic.partitions {
                let (index, offset) = (part.partition_index, part.committed_offset);
                add(at, index, offset, &part.metadata, part.error_code);
            }
        }
    }
    Ok(all)
}

impl Member {
    /// Commits offsets, all in one request.
    pub(super) fn send_commit<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        due: &[(Spot, i64)],
    ) {
        let version = self.habits.offset_versions.0;
        let (id, epoch, said, instance, version) = match &self.protocol {
            Protocol::Classic(classic) => {
                let epoch = classic.held_in();
                let instance = self.habits.instance.clone();
                let version = if instance.is_some() { version.max(STATIC_FROM) } else { version };
                (classic.id().to_owned(), epoch, Epoch::Classic(epoch), instance, version)
            }
            Protocol::Modern(modern) => {
                let epoch = modern.epoch();
                let version = version.max(EPOCHS_FROM);
                (modern.id().to_owned(), epoch, Epoch::Modern(epoch), None, version)
            }
        };
        // Topic by topic, as the request and its answer are.
        let mut due = due.to_vec();
        due.sort_by_key(|(spot, _)| spot.topic);
        let mut numbers = Vec::new();
        let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
        for (spot, offset) in due {
            let ledger = &mut board.ledgers[self.group];
            let number = ledger.on_commit_sent(
                (spot, offset),
                (&id, instance.as_deref()),
                said,
                world.time(),
            );
            numbers.push(number);
            let part = OffsetCommitRequestPartition {
                partition_index: i32::try_from(spot.partition).expect("few partitions"),
                committed_offset: offset,
                committed_metadata: Some(number.to_string()),
                ..OffsetCommitRequestPartition::default()
            };
            let (name, topic_id) = (&board.topics[spot.topic].name, board.topics[spot.topic].id);
            match topics.iter_mut().find(|topic| topic.name == *name) {
                Some(topic) => topic.partitions.push(part),
                None => topics.push(OffsetCommitRequestTopic {
                    name: name.clone(),
                    topic_id,
                    partitions: vec![part],
                }),
            }
        }
        let mut request = OffsetCommitRequest {
            group_id: self.habits.group_id.clone(),
            generation_id_or_member_epoch: epoch,
            member_id: id,
            group_instance_id: instance,
            topics,
            ..OffsetCommitRequest::default()
        };
        if board.plant == Plant::OldGeneration {
            board.ledgers[self.group].forge(&mut request);
        }
        self.send(world, board, Ask::Commit(numbers), &request, version);
    }

    pub(super) fn on_committed(
        &mut self,
        time: u64,
        board: &mut Board,
        numbers: &[usize],
        response: &OffsetCommitResponse,
    ) -> Result<(), String> {
        let mut left = numbers.iter();
        for part in response.topics.iter().flat_map(|topic| &topic.partitions) {
            let number = *left.next().ok_or("more partitions than were committed")?;
            let error = error_of(part.error_code)?;
            let ledger = &mut board.ledgers[self.group];
            let (spot, offset) = ledger.commit(number);
            ledger.on_commit_answered(number, error, time);
            if error.is_none() {
                self.on_commit_done(spot, offset);
            } else if !is_trouble(error) && !is_about_membership(error) {
                return Err(format!("{spot:?}: a commit is answered with {}", error.name()));
            } else if error == ErrorCode::FencedInstanceId {
                self.become_fenced(board);
                return Ok(());
            }
        }
        if left.next().is_some() {
            return Err("fewer partitions than were committed".to_owned());
        }
        Ok(())
    }

    pub(super) fn send_look_up<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        spots: &[Spot],
    ) {
        let version = self.habits.offset_versions.1;
        let member = match &self.protocol {
            Protocol::Classic(_) => None,
            Protocol::Modern(modern) if modern.is_member() => Some((modern.id(), modern.epoch())),
            Protocol::Modern(_) => return,
        };
        let version = if member.is_some() { version.max(EPOCHS_FROM) } else { version };
        let request = look_up(board, &self.habits.group_id, member, spots, version);
        self.send(world, board, Ask::Offsets, &request, version);
    }

    pub(super) fn on_offsets(
        &mut self,
        time: u64,
        board: &mut Board,
        mark: Mark,
        response: &OffsetFetchResponse,
    ) -> Result<(), String> {
        match found(board, response) {
            Ok(all) => {
                for Found { spot, offset, metadata } in all {
                    let ledger = &mut board.ledgers[self.group];
                    ledger.on_offset(spot, (offset, &metadata), mark, time);
                    self.on_offset(spot, offset);
                }
                Ok(())
            }
            // It hears of it with its next heartbeat.
            Err(error) if is_trouble(error) || is_about_membership(error) => Ok(()),
            Err(error) => Err(format!("a look-up is answered with {}", error.name())),
        }
    }
}

fn is_about_membership(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::IllegalGeneration
            | ErrorCode::UnknownMemberId
            | ErrorCode::FencedInstanceId
            | ErrorCode::FencedMemberEpoch
            | ErrorCode::StaleMemberEpoch
            | ErrorCode::RebalanceInProgress
            | ErrorCode::GroupIdNotFound
    )
}

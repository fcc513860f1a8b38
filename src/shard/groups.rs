//! The group coordinators of a shard: one for each partition of `__consumer_offsets` it owns.
//!
//! This file is the coordinators' world: it hands asks to them, appends what they want appended,
//! and keeps their deadlines. What they decide is in `coordinator.rs`, how they are loaded from
//! their partitions' logs in `group_loading.rs`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use millrace_io::{Completion, Computed, Mono, Op, Token, Work};
use millrace_net::ErrorCode;
use millrace_wire::Uuid;

use super::group_loading::Load;
use super::group_snapshot::Snapshots;
use super::{Due, GROUPS_OWNER, Pending, Shard, Turn};
use crate::coordinator::{
    AppendId, GroupAsk, GroupCoordinator, Output, Resolved, SnapshotWalk, partition_of, resolve,
};
use crate::mail::{Answer, Ask, Mail, PartitionId};
use crate::offsets_topic::{self, OFFSETS_TOPIC};
use crate::slab::Key;
use crate::ticket::Ticket;
use crate::topic_config;

/// A coordinator and what is kept for it.
#[derive(Debug)]
pub(super) struct Hosted {
    pub(super) coordinator: GroupCoordinator,
    deadline: Option<Mono>,
    /// The first offset that is not replayed yet.
    pub(super) next_offset: i64,
    /// Until it is loaded.
    pub(super) load: Option<Load>,
    pub(super) snapshots: Snapshots,
}

/// What a coordinator has taken in of its log, for whoever compares the two.
#[derive(Clone, Debug)]
pub struct GroupState {
    /// The folder of its partition.
    pub folder: PathBuf,
    /// Everything below this offset is taken in, and nothing else.
    pub next_offset: i64,
    /// Whether it was loaded from a snapshot.
    pub had_snapshot: bool,
    /// As a log without history would have it.
    pub records: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The coordinators of one shard.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    pub(super) hosted: BTreeMap<PartitionId, Hosted>,
    /// Whose snapshot is being taken.
    pub(super) snapshot_of: Option<PartitionId>,
}

impl Groups {
    /// All coordinators, by partition.
    pub(super) fn all(&self) -> impl Iterator<Item = &GroupCoordinator> {
        self.hosted.values().map(|hosted| &hosted.coordinator)
    }
}

impl Shard {
    /// How many coordinators are loaded.
    pub fn loaded_groups(&self) -> usize {
        self.groups.hosted.values().filter(|hosted| hosted.coordinator.is_loaded()).count()
    }

    /// What coordinators know that are loaded and have nothing on its way into their logs.
    pub fn group_states(&self) -> Vec<GroupState> {
        let state = |(id, hosted): (&PartitionId, &Hosted)| {
            let coordinator = &hosted.coordinator;
            let is_quiet = coordinator.has_decided(coordinator.appends_begun());
            let partition = self.partitions.get(*id)?;
            if !coordinator.is_loaded() || !is_quiet {
                return None;
            }
            let mut records = BTreeMap::new();
            coordinator.snapshot_piece(&mut SnapshotWalk::default(), usize::MAX, |key, value| {
                records.insert(key.to_vec(), value.to_vec());
            });
            let folder = partition.log.spec().dir.clone();
            let had_snapshot = hosted.snapshots.was_loaded;
            Some(GroupState { folder, next_offset: hosted.next_offset, had_snapshot, records })
        };
        self.groups.hosted.iter().filter_map(state).collect()
    }

    /// The partition that coordinates a group; none while the topic does not exist.
    pub(crate) fn coordinator_of(&self, group_id: &str) -> Option<PartitionId> {
        let topic = self.image.topic(OFFSETS_TOPIC)?;
        let count = i32::try_from(topic.partition_count()).unwrap_or(i32::MAX);
        Some(PartitionId { topic: topic.id, index: partition_of(group_id, count) })
    }

    /// All partitions that coordinate groups.
    pub(crate) fn coordinators(&self) -> Vec<PartitionId> {
        let Some(topic) = self.image.topic(OFFSETS_TOPIC) else { return Vec::new() };
        let id = |index| PartitionId { topic: topic.id, index };
        topic.partitions().map(|partition| id(partition.index)).collect()
    }

    /// A partition of the offsets topic is this shard's: its coordinator comes to be, not loaded.
    pub(super) fn host_groups(&mut self, id: PartitionId) {
        let hosted = Hosted {
            coordinator: self.new_coordinator(),
            deadline: None,
            next_offset: 0,
            load: None,
            snapshots: Snapshots::default(),
        };
        self.groups.hosted.insert(id, hosted);
    }

    /// A coordinator that has not loaded anything.
    pub(super) fn new_coordinator(&mut self) -> GroupCoordinator {
        let view = topic_config::view(&self.setup, &self.image);
        let config = offsets_topic::group_config(&view);
        let mut coordinator = GroupCoordinator::new(config, self.random.u64());
        coordinator.set_image(Arc::clone(&self.image));
        coordinator
    }

    /// Groups work by a new image: its topics are what they subscribe to, and its configurations, the
    /// broker's and their own, hold from their next request on.
    pub(super) fn show_groups_image(&mut self) {
        let view = topic_config::view(&self.setup, &self.image);
        let config = offsets_topic::group_config(&view);
        for hosted in self.groups.hosted.values_mut() {
            hosted.coordinator.set_config(config.clone());
            hosted.coordinator.set_image(Arc::clone(&self.image));
        }
    }

    /// Whether a partition has a coordinator here.
    pub(super) fn hosts_groups(&self, id: PartitionId) -> bool {
        self.groups.hosted.contains_key(&id)
    }

    /// The partition goes: whoever waits is to look for another coordinator.
    pub(super) fn drop_groups(&mut self, turn: &mut Turn, id: PartitionId) {
        self.resign_groups(turn, id);
        self.drop_load(id);
        self.drop_snapshot(id);
        if let Some(Hosted { deadline: Some(deadline), .. }) = self.groups.hosted.remove(&id) {
            self.deadlines.remove(deadline, Due::Groups(id));
        }
    }

    /// The shard stops: nobody is left waiting for members that cannot come any more.
    pub(super) fn resign_all_groups(&mut self, turn: &mut Turn) {
        let ids: Vec<PartitionId> = self.groups.hosted.keys().copied().collect();
        for id in ids {
            self.resign_groups(turn, id);
        }
    }

    fn resign_groups(&mut self, turn: &mut Turn, id: PartitionId) {
        if let Some(hosted) = self.groups.hosted.get_mut(&id) {
            hosted.coordinator.resign(turn.now);
            self.drain_groups(turn, id);
        }
    }

    /// Does something for a group of this shard.
    pub(super) fn group_ask_here(
        &mut self,
        turn: &mut Turn,
        id: PartitionId,
        ticket: Ticket,
        ask: GroupAsk,
    ) {
        match self.groups.hosted.get_mut(&id) {
            Some(hosted) => {
                hosted.coordinator.on_ask(turn.now, ticket, ask);
                self.drain_groups(turn, id);
            }
            None => {
                let answer = ask.refuse(ErrorCode::NotCoordinator);
                self.answer(ticket, Answer::Group(Box::new(answer)));
            }
        }
    }

    /// What a coordinator asked to be appended is in the log, or is not.
    pub(super) fn on_group_append_answer(&mut self, turn: &mut Turn, key: Key, answer: Answer) {
        let Answer::Appended(result) = answer else { return };
        let Some(Pending::GroupAppend(id, append)) = self.requests.remove(key) else { return };
        if result.is_err() && self.partitions.get(id).is_some_and(|it| it.has_failed) {
            // Who waits behind it must not be served from what the log may not have.
            self.resign_groups(turn, id);
        }
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        match result {
            Ok(appended) => {
                let records = hosted.coordinator.on_committed(turn.now, append);
                let next = appended.base_offset + i64::try_from(records).unwrap_or(i64::MAX);
                hosted.next_offset = hosted.next_offset.max(next);
            }
            Err(failure) => {
                hosted.coordinator.on_append_failed(turn.now, append, failure.error);
            }
        }
        self.drain_groups(turn, id);
        self.maybe_begin_snapshot(turn, id);
    }

    pub(super) fn on_groups_due(&mut self, turn: &mut Turn, id: PartitionId) {
        if let Some(hosted) = self.groups.hosted.get_mut(&id) {
            hosted.deadline = None;
            hosted.coordinator.on_timer(turn.now);
            self.drain_groups(turn, id);
        }
    }

    /// Topics are gone, and with them what groups have committed for them.
    pub(super) fn drop_offsets_of(&mut self, turn: &mut Turn, topics: &[(&str, Uuid)]) {
        if topics.is_empty() {
            return;
        }
        let ids: Vec<PartitionId> = self.groups.hosted.keys().copied().collect();
        for id in ids {
            if let Some(hosted) = self.groups.hosted.get_mut(&id) {
                hosted.coordinator.on_topics_deleted(turn.now, topics);
                self.drain_groups(turn, id);
            }
        }
    }

    /// Does what a coordinator wants done.
    pub(super) fn drain_groups(&mut self, turn: &mut Turn, id: PartitionId) {
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        let outputs = hosted.coordinator.take_outputs();
        let deadline = hosted.coordinator.next_deadline();
        let before = std::mem::replace(&mut hosted.deadline, deadline);
        if before != deadline {
            if let Some(before) = before {
                self.deadlines.remove(before, Due::Groups(id));
            }
            if let Some(deadline) = deadline {
                self.deadlines.add(deadline, Due::Groups(id));
            }
        }
        for output in outputs {
            match output {
                Output::Append { id: append, records } => {
                    let batch = Box::new(offsets_topic::encode(turn.now, &records));
                    self.count_tail(id, batch.bytes.len());
                    self.append_for_groups(turn, id, append, Ask::Append { batch });
                }
                Output::Resolve { group, asked } => {
                    let key = self.requests.insert(Pending::GroupResolve(id, group));
                    let token = Token { owner: GROUPS_OWNER, seq: key.slot };
                    let work = Work::new(asked, resolve);
                    turn.ops.push(Op::Compute { token, work });
                }
                Output::Reply { ticket, answer } => {
                    self.answer(ticket, Answer::Group(Box::new(answer)));
                }
            }
        }
    }

    /// It is computed what a group's expressions stand for.
    pub(super) fn on_groups_resolved(
        &mut self,
        turn: &mut Turn,
        id: PartitionId,
        group: &Arc<str>,
        completion: Completion<Mail>,
    ) {
        let Completion::Computed { result, .. } = completion else { return };
        let resolved: Option<Resolved> = result.ok().and_then(Computed::take);
        if let Some(hosted) = self.groups.hosted.get_mut(&id) {
            hosted.coordinator.on_resolved(turn.now, group, resolved.as_ref());
            self.drain_groups(turn, id);
        }
    }

    fn append_for_groups(&mut self, turn: &mut Turn, id: PartitionId, append: AppendId, ask: Ask) {
        let key = self.requests.insert(Pending::GroupAppend(id, append));
        let ticket = self.ticket(key, 0);
        self.ask_here(turn, id, ticket, ask);
    }
}

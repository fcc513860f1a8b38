//! The group coordinators of a shard: one for each partition of `__consumer_offsets` it owns.
//!
//! This file is the coordinators' world: it loads them from their partitions' logs, hands asks
//! to them, appends what they want appended, and keeps their deadlines. What they decide is in
//! `coordinator.rs`.
//!
//! ```text
//!  partition opens ─▶ read a piece of the log ─▶ replay ─┬─▶ loaded: asks are taken
//!                          ▲                             │
//!                          └───── more below the high watermark
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use millrace_io::{Completion, IoError, Mono, Op, Token};
use millrace_net::ErrorCode;

use super::{Due, GROUPS_OWNER, Pending, Shard, Turn};
use crate::coordinator::{AppendId, GroupAsk, GroupCoordinator, Output, partition_of};
use crate::mail::{Answer, Ask, Letter, Mail, PartitionId, ReadAsk, Watch};
use crate::offsets_topic::{self, OFFSETS_TOPIC};
use crate::slab::Key;
use crate::ticket::Ticket;
use crate::topic_config;

/// Bytes of log read at a time while loading; one batch comes whole even if it is larger.
const LOAD_BYTES: u32 = 1 << 20;

/// A coordinator and what is kept for it.
#[derive(Debug)]
struct Hosted {
    coordinator: GroupCoordinator,
    deadline: Option<Mono>,
    /// The first offset that is not replayed yet.
    next_offset: i64,
}

/// The coordinators of one shard.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    hosted: BTreeMap<PartitionId, Hosted>,
}

impl Groups {
    /// All coordinators, by partition.
    pub(super) fn all(&self) -> impl Iterator<Item = &GroupCoordinator> {
        self.hosted.values().map(|hosted| &hosted.coordinator)
    }
}

impl Shard {
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
        let view = topic_config::view(&self.setup, &self.image);
        let config = offsets_topic::group_config(&view);
        let mut coordinator = GroupCoordinator::new(config, self.random.u64());
        coordinator.set_image(Arc::clone(&self.image));
        self.groups.hosted.insert(id, Hosted { coordinator, deadline: None, next_offset: 0 });
    }

    /// Groups work by a new image: its topics are what they subscribe to.
    pub(super) fn show_groups_image(&mut self) {
        for hosted in self.groups.hosted.values_mut() {
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

    /// The partition's log is open: its records are read.
    pub(super) fn load_groups(&mut self, turn: &mut Turn, id: PartitionId) {
        let Some(partition) = self.partitions.get(id) else { return };
        let start = partition.log.log_start_offset().0;
        if let Some(hosted) = self.groups.hosted.get_mut(&id) {
            hosted.next_offset = start;
            self.read_groups(turn, id);
        }
    }

    fn read_groups(&mut self, turn: &mut Turn, id: PartitionId) {
        let Some(hosted) = self.groups.hosted.get(&id) else { return };
        let ask = Ask::Read(ReadAsk {
            offset: hosted.next_offset,
            bytes_max: LOAD_BYTES,
            read_committed: false,
            current_leader_epoch: -1,
            last_fetched_epoch: -1,
            watch: Watch::No,
        });
        let key = self.requests.insert(Pending::GroupLoad(id));
        let ticket = self.ticket(key, 0);
        self.ask_here(turn, id, ticket, ask);
    }

    /// Where the next piece of the log lies, or that there is none.
    pub(super) fn on_group_load_answer(&mut self, turn: &mut Turn, key: Key, answer: Answer) {
        let Some(Pending::GroupLoad(id)) = self.requests.get(key) else { return };
        let id = *id;
        let plan = match answer {
            Answer::Read(Ok(done)) => done.plan,
            Answer::Read(Err(error)) => {
                self.requests.remove(key);
                self.note_load_failure(id, error.name());
                return;
            }
            Answer::Appended(_)
            | Answer::Offset(_)
            | Answer::EpochEnd(_)
            | Answer::DeletedRecords(_)
            | Answer::Producers(_)
            | Answer::Size(_)
            | Answer::Group(_) => return,
        };
        if let Some(plan) = plan {
            turn.ops.push(Op::Read {
                token: Token { owner: GROUPS_OWNER, seq: key.slot },
                file: plan.file,
                position: plan.position,
                length: plan.length,
            });
            return;
        }
        self.requests.remove(key);
        if let Some(hosted) = self.groups.hosted.get_mut(&id) {
            hosted.coordinator.loaded(turn.now);
            self.drain_groups(turn, id);
            self.begin_lag_reports(turn);
        }
    }

    /// A piece of a log is read.
    pub(super) fn on_group_completion(&mut self, turn: &mut Turn, completion: Completion<Mail>) {
        let Completion::Read { token, result } = completion else { return };
        let Some(key) = self.requests.key_at(token.seq) else { return };
        let Some(Pending::GroupLoad(id)) = self.requests.get(key) else { return };
        let id = *id;
        self.requests.remove(key);
        match self.replay_groups(id, result) {
            Ok(()) => self.read_groups(turn, id),
            Err(why) => self.note_load_failure(id, &why),
        }
    }

    fn replay_groups(
        &mut self,
        id: PartitionId,
        result: Result<Bytes, IoError>,
    ) -> Result<(), String> {
        let bytes = result.map_err(|error| error.to_string())?;
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return Ok(()) };
        let coordinator = &mut hosted.coordinator;
        let (next, unread) = offsets_topic::decode(&bytes, hosted.next_offset, |record| {
            coordinator.replay(record);
        });
        if next <= hosted.next_offset {
            return Err(format!("no whole batch at offset {}", hosted.next_offset));
        }
        let from = std::mem::replace(&mut hosted.next_offset, next);
        if unread > 0 {
            self.note(format!(
                "{OFFSETS_TOPIC}-{}: {unread} records between offsets {from} and {next} cannot be \
                 read and are passed over",
                id.index
            ));
        }
        Ok(())
    }

    fn note_load_failure(&mut self, id: PartitionId, why: &str) {
        self.note(format!("{OFFSETS_TOPIC}-{}: its groups cannot be loaded: {why}", id.index));
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
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        match result {
            Ok(_) => hosted.coordinator.on_committed(turn.now, append),
            Err(failure) => {
                hosted.coordinator.on_append_failed(turn.now, append, failure.error);
            }
        }
        self.drain_groups(turn, id);
    }

    pub(super) fn on_groups_due(&mut self, turn: &mut Turn, id: PartitionId) {
        if let Some(hosted) = self.groups.hosted.get_mut(&id) {
            hosted.deadline = None;
            hosted.coordinator.on_timer(turn.now);
            self.drain_groups(turn, id);
        }
    }

    /// Topics are gone, and with them what groups have committed for them.
    pub(super) fn drop_offsets_of(&mut self, turn: &mut Turn, topics: &[&str]) {
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
    fn drain_groups(&mut self, turn: &mut Turn, id: PartitionId) {
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
                    self.append_for_groups(turn, id, append, Ask::Append { batch });
                }
                Output::Reply { ticket, answer } => {
                    self.answer(ticket, Answer::Group(Box::new(answer)));
                }
            }
        }
    }

    fn append_for_groups(&mut self, turn: &mut Turn, id: PartitionId, append: AppendId, ask: Ask) {
        let key = self.requests.insert(Pending::GroupAppend(id, append));
        let ticket = self.ticket(key, 0);
        self.ask_here(turn, id, ticket, ask);
    }

    /// A log has opened; a coordinator that lives in it loads.
    pub(super) fn maybe_load_groups(&mut self, id: PartitionId) {
        if self.hosts_groups(id) {
            self.send(self.id, Letter::LoadGroups(id));
        }
    }
}

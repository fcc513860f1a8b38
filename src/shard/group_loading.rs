//! Loading the coordinators of a shard from their partitions' logs.
//!
//! ```text
//!  partition opens ─▶ read a piece ─▶ replay ─┬─▶ loaded
//!                          ▲    │              │
//!                          │    └─ a failure: again from here, later
//!                          └───────────────────┘ more below the high watermark
//! ```
//!
//! How long it takes depends on what the log holds: compaction keeps that to the last state of each
//! group and offset, and what was written since. A failure never leaves a partition loading for
//! ever: the piece is read again after a pause that doubles, and each failure is told and counted.

use bytes::Bytes;
use millrace_io::{Completion, IoError, Mono, Op, Token};

use super::{Due, GROUPS_OWNER, Pending, Shard, Turn};
use crate::mail::{Answer, Ask, Letter, Mail, PartitionId, ReadAsk, Watch};
use crate::offsets_topic::{self, OFFSETS_TOPIC};
use crate::slab::Key;

/// Bytes of log read at a time; one batch comes whole even if it is larger. Replaying it holds up
/// the shard for about a millisecond; the thread that computes for compactions would be too slow on
/// a busy machine, and clients wait for this.
const LOAD_BYTES: u32 = 128 << 10;
/// The first pause after a failure, ms.
const RETRY_MS_MIN: u64 = 100;
/// The longest pause after failures in a row, ms.
const RETRY_MS_MAX: u64 = 30_000;
/// How often a loading that takes long says how far it is, ms.
const TELL_MS: u64 = 5_000;

/// A loading under way.
#[derive(Debug)]
pub(super) struct Load {
    since: Mono,
    told_at: Mono,
    /// Where it began, and what was read since.
    start: i64,
    bytes: u64,
    records: u64,
    /// Failures in a row.
    failures: u32,
    /// When it goes on after one.
    retry_at: Option<Mono>,
}

impl Shard {
    /// A log has opened; a coordinator that lives in it loads.
    pub(super) fn maybe_load_groups(&mut self, id: PartitionId) {
        if self.hosts_groups(id) {
            self.send(self.id, Letter::LoadGroups(id));
        }
    }

    /// The partition's log is open: its records are read.
    pub(super) fn load_groups(&mut self, turn: &mut Turn, id: PartitionId) {
        let Some(partition) = self.partitions.get(id) else { return };
        let start = partition.log.log_start_offset().0;
        let now = turn.now.mono;
        if let Some(hosted) = self.groups.hosted.get_mut(&id) {
            hosted.next_offset = start;
            hosted.load = Some(Load {
                since: now,
                told_at: now,
                start,
                bytes: 0,
                records: 0,
                failures: 0,
                retry_at: None,
            });
            self.count_loads();
            self.read_groups(turn, id);
        }
    }

    fn count_loads(&self) {
        let loading = self.groups.hosted.values().filter(|hosted| hosted.load.is_some()).count();
        self.counters.group_partitions_loading.set(loading as u64);
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
                self.on_load_failure(turn, id, error.name());
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
        self.end_load(turn, id);
    }

    fn end_load(&mut self, turn: &mut Turn, id: PartitionId) {
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        let load = hosted.load.take();
        hosted.coordinator.loaded(turn.now);
        if let Some(load) = load {
            let ms = turn.now.mono.since(load.since) / 1_000_000;
            self.counters.group_records_loaded.add(load.records);
            if ms >= 1_000 {
                self.note(format!(
                    "{OFFSETS_TOPIC}-{}: loaded {} records of {} bytes in {ms} ms",
                    id.index, load.records, load.bytes
                ));
            }
        }
        self.count_loads();
        self.drain_groups(turn, id);
        self.begin_lag_reports(turn);
    }

    /// A piece of a log is read.
    pub(super) fn on_group_completion(&mut self, turn: &mut Turn, completion: Completion<Mail>) {
        let Completion::Read { token, result } = completion else { return };
        let Some(key) = self.requests.key_at(token.seq) else { return };
        let Some(Pending::GroupLoad(id)) = self.requests.get(key) else { return };
        let id = *id;
        self.requests.remove(key);
        match self.replay_groups(turn, id, result) {
            Ok(()) => self.read_groups(turn, id),
            Err(why) => self.on_load_failure(turn, id, &why),
        }
    }

    fn replay_groups(
        &mut self,
        turn: &Turn,
        id: PartitionId,
        result: Result<Bytes, IoError>,
    ) -> Result<(), String> {
        let bytes = result.map_err(|error| error.to_string())?;
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return Ok(()) };
        let coordinator = &mut hosted.coordinator;
        let mut count = 0;
        let (next, unread) = offsets_topic::decode(&bytes, hosted.next_offset, |record| {
            count += 1;
            coordinator.replay(record);
        });
        if next <= hosted.next_offset {
            return Err(format!("no whole batch at offset {}", hosted.next_offset));
        }
        let from = std::mem::replace(&mut hosted.next_offset, next);
        let mut progress = None;
        if let Some(load) = &mut hosted.load {
            load.bytes += bytes.len() as u64;
            load.records += count;
            load.failures = 0;
            if turn.now.mono >= load.told_at.plus_ms(TELL_MS) {
                load.told_at = turn.now.mono;
                progress = Some((load.start, load.records));
            }
        }
        if let Some((start, count)) = progress {
            let end = self.partitions.get(id).map_or(next, |it| it.log.high_watermark().0);
            self.note(format!(
                "{OFFSETS_TOPIC}-{}: loading its groups: at offset {next}, from {start} to {end}; \
                 {count} records so far",
                id.index
            ));
        }
        if unread > 0 {
            self.note(format!(
                "{OFFSETS_TOPIC}-{}: {unread} records between offsets {from} and {next} cannot be \
                 read and are passed over",
                id.index
            ));
        }
        Ok(())
    }

    /// The piece is tried again after a while: a partition that stays "loading" helps nobody.
    fn on_load_failure(&mut self, turn: &mut Turn, id: PartitionId, why: &str) {
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        let (next, Some(load)) = (hosted.next_offset, &mut hosted.load) else { return };
        let pause_ms = (RETRY_MS_MIN << load.failures.min(20)).min(RETRY_MS_MAX);
        load.failures += 1;
        let at = turn.now.mono.plus_ms(pause_ms);
        load.retry_at = Some(at);
        self.deadlines.add(at, Due::GroupLoad(id));
        self.counters.group_load_failures.add(1);
        self.note(format!(
            "{OFFSETS_TOPIC}-{}: its groups cannot be loaded from offset {next} on: {why}; again in \
             {pause_ms} ms",
            id.index
        ));
    }

    /// The pause after a failure is over.
    pub(super) fn on_group_load_due(&mut self, turn: &mut Turn, id: PartitionId) {
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        let Some(load) = &mut hosted.load else { return };
        if load.retry_at.take().is_some() && !self.is_stopping() {
            self.read_groups(turn, id);
        }
    }

    /// The partition goes, and with it its loading.
    pub(super) fn drop_load(&mut self, id: PartitionId) {
        if let Some(hosted) = self.groups.hosted.get_mut(&id)
            && let Some(load) = hosted.load.take()
            && let Some(at) = load.retry_at
        {
            self.deadlines.remove(at, Due::GroupLoad(id));
        }
        self.count_loads();
    }
}

//! Loading the coordinators of a shard from their partitions' logs.
//!
//! ```text
//!  partition opens ─▶ its snapshot ─▶ read a piece of the log ─▶ replay ─┬─▶ loaded
//!                                            ▲    │                       │
//!                                            │    └─ a failure: again from here, later
//!                                            └────────────────────────────┘ more below the
//!                                                                           high watermark
//! ```
//!
//! How long it takes depends on what the groups' state is, and on what was written since the last
//! snapshot (`group_snapshot.rs`), not on the log's history. A snapshot that is not whole, not of this
//! log, or too old is removed, and all of the log is read: compaction keeps that to the last state of
//! each group and offset, and what was written since. A failure never leaves a partition loading for
//! ever: the piece is read again after a pause that doubles, and each failure is told and counted.

use std::sync::Arc;

use bytes::Bytes;
use millrace_engine::{Log, Offset};
use millrace_io::{Completion, FileRef, IoError, IoErrorKind, Mono, Op, OpenMode, Token, WallMs};

use super::{Due, GROUPS_OWNER, Pending, Shard, Turn};
use crate::mail::{Answer, Ask, Letter, Mail, PartitionId, ReadAsk, Watch};
use crate::offsets_snapshot::{TRAILER_BYTES, Trailer, read_piece};
use crate::offsets_topic::{self, OFFSETS_TOPIC};
use crate::slab::Key;

/// Bytes of log read at a time; one batch comes whole even if it is larger. Replaying it holds up
/// the shard for about a millisecond; the thread that computes for compactions would be too slow on
/// a busy machine, and clients wait for this.
const LOAD_BYTES: u32 = 256 << 10;
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
    /// Until its snapshot is read, or is not used.
    snapshot: Option<Box<ReadingSnapshot>>,
}

/// A snapshot that is being read.
#[derive(Debug, Default)]
struct ReadingSnapshot {
    file: Option<FileRef>,
    /// Of the batches, without the trailer.
    bytes: u64,
    position: u64,
    trailer: Option<Trailer>,
    /// Records read.
    records: u64,
}

impl Shard {
    /// A log has opened; a coordinator that lives in it loads.
    pub(super) fn maybe_load_groups(&mut self, id: PartitionId) {
        if self.hosts_groups(id) {
            self.send(self.id, Letter::LoadGroups(id));
        }
    }

    /// The partition's log is open: its snapshot and its records are read.
    pub(super) fn load_groups(&mut self, turn: &mut Turn, id: PartitionId) {
        let Some(partition) = self.partitions.get(id) else { return };
        let start = partition.log.log_start_offset().0;
        let is_empty = partition.log.high_watermark().0 == start;
        let now = turn.now.mono;
        let Some(path) = self.snapshot_path(id) else { return };
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
                snapshot: Some(Box::default()),
            });
            self.count_loads();
            if is_empty {
                // Clients wait for a new topic's coordinators. No snapshot belongs to such a log; one
                // that is there must not be believed when the log has grown.
                let token = Token { owner: GROUPS_OWNER, seq: u32::MAX };
                turn.ops.push(Op::Remove { token, path });
                self.load_log(turn, id);
                return;
            }
            self.load_op(turn, id, |token| Op::Open { token, path, mode: OpenMode::Read });
        }
    }

    fn load_op(&mut self, turn: &mut Turn, id: PartitionId, op: impl FnOnce(Token) -> Op<Mail>) {
        let key = self.requests.insert(Pending::GroupLoad(id));
        turn.ops.push(op(Token { owner: GROUPS_OWNER, seq: key.slot }));
    }

    fn reading_snapshot(&mut self, id: PartitionId) -> Option<&mut ReadingSnapshot> {
        self.groups.hosted.get_mut(&id)?.load.as_mut()?.snapshot.as_deref_mut()
    }

    fn on_snapshot_opened(
        &mut self,
        turn: &mut Turn,
        id: PartitionId,
        result: Result<(FileRef, u64), IoError>,
    ) {
        let Some(reading) = self.reading_snapshot(id) else { return };
        match result {
            Ok((file, length)) => match length.checked_sub(TRAILER_BYTES.into()) {
                Some(bytes) => {
                    reading.bytes = bytes;
                    reading.file = Some(file.clone());
                    let (position, length) = (bytes, TRAILER_BYTES);
                    self.load_op(turn, id, |token| Op::Read { token, file, position, length });
                }
                None => self.ignore_snapshot(turn, id, "it is too short"),
            },
            Err(error) if error.kind == IoErrorKind::NotFound => self.load_log(turn, id),
            Err(error) => self.ignore_snapshot(turn, id, &error.to_string()),
        }
    }

    fn on_snapshot_read(
        &mut self,
        turn: &mut Turn,
        id: PartitionId,
        result: Result<Bytes, IoError>,
    ) {
        let taken = match result {
            Ok(bytes) => self.take_snapshot_piece(turn, id, &bytes),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = taken {
            self.ignore_snapshot(turn, id, &why);
        }
    }

    /// Takes in the trailer, or a piece; asks for the next, or goes on with the log.
    fn take_snapshot_piece(
        &mut self,
        turn: &mut Turn,
        id: PartitionId,
        bytes: &Bytes,
    ) -> Result<(), String> {
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return Ok(()) };
        let Some(load) = &mut hosted.load else { return Ok(()) };
        let Some(reading) = load.snapshot.as_deref_mut() else { return Ok(()) };
        let mut wanted = None;
        if reading.trailer.is_none() {
            let trailer = Trailer::decode(bytes)?;
            let Some(partition) = self.partitions.get(id) else { return Ok(()) };
            check_snapshot(&partition.log, turn.now.wall, &trailer)?;
            reading.trailer = Some(trailer);
        } else {
            let coordinator = &mut hosted.coordinator;
            let take = |key: &[u8], value: &[u8]| coordinator.replay_bytes(key, Some(value));
            let read = read_piece(bytes, reading.records, take)?;
            reading.position += read.used as u64;
            reading.records = read.next;
            load.bytes += read.used as u64;
            if read.used == 0 {
                wanted = Some(read.wanted.ok_or("it ends within a batch")?);
            }
        }
        let left = reading.bytes - reading.position;
        if left > 0 {
            let bytes = match wanted {
                Some(wanted) if wanted as u64 > left => {
                    return Err("it ends within a batch".to_owned());
                }
                Some(wanted) => wanted as u64,
                None => u64::from(LOAD_BYTES).min(left),
            };
            let length = u32::try_from(bytes).unwrap_or(u32::MAX);
            let (Some(file), position) = (reading.file.clone(), reading.position) else {
                return Ok(());
            };
            self.load_op(turn, id, |token| Op::Read { token, file, position, length });
            return Ok(());
        }
        let Some(trailer) = reading.trailer else { return Ok(()) };
        if reading.records != trailer.records {
            return Err(format!("{} of {} records", reading.records, trailer.records));
        }
        hosted.next_offset = trailer.from;
        hosted.snapshots.on_loaded(reading.bytes, trailer.at.0);
        load.records += reading.records;
        load.start = trailer.from;
        if let Some(partition) = self.partitions.get_mut(id) {
            partition.log.keep_tombstones_from(Some(Offset(trailer.from)));
        }
        self.counters.group_snapshots_loaded.add(1);
        self.load_log(turn, id);
        Ok(())
    }

    /// The snapshot is not used: it goes, lest it be believed when the log has grown, and all of the
    /// log is read.
    fn ignore_snapshot(&mut self, turn: &mut Turn, id: PartitionId, why: &str) {
        self.counters.group_snapshots_ignored.add(1);
        self.note(format!(
            "{OFFSETS_TOPIC}-{}: the snapshot of its groups is not used: {why}",
            id.index
        ));
        let coordinator = self.new_coordinator();
        let path = self.snapshot_path(id);
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        hosted.coordinator = coordinator;
        if let Some(load) = &mut hosted.load {
            load.bytes = 0;
        }
        if let Some(path) = path {
            self.load_op(turn, id, |token| Op::Remove { token, path });
        }
    }

    /// Goes on with the log behind the snapshot.
    fn load_log(&mut self, turn: &mut Turn, id: PartitionId) {
        if let Some(hosted) = self.groups.hosted.get_mut(&id)
            && let Some(load) = &mut hosted.load
        {
            load.snapshot = None;
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
        self.maybe_begin_snapshot(turn, id);
    }

    /// An operation on a coordinator's file ended.
    pub(super) fn on_group_completion(&mut self, turn: &mut Turn, completion: Completion<Mail>) {
        let token = match &completion {
            Completion::Opened { token, .. }
            | Completion::Read { token, .. }
            | Completion::Wrote { token, .. }
            | Completion::Done { token, .. }
            | Completion::Computed { token, .. } => *token,
            Completion::Listed { .. }
            | Completion::Accepted { .. }
            | Completion::Received { .. }
            | Completion::Filled { .. }
            | Completion::Sent { .. }
            | Completion::Closed { .. }
            | Completion::Mail { .. }
            | Completion::Stop => return,
        };
        let Some(key) = self.requests.key_at(token.seq) else { return };
        let id = match self.requests.get(key) {
            Some(Pending::GroupLoad(id)) => *id,
            Some(Pending::GroupSnapshot(id)) => {
                let id = *id;
                self.requests.remove(key);
                self.on_snapshot_completion(turn, id, completion);
                return;
            }
            Some(Pending::GroupResolve(id, group)) => {
                let (id, group) = (*id, Arc::clone(group));
                self.requests.remove(key);
                self.on_groups_resolved(turn, id, &group, completion);
                return;
            }
            Some(
                Pending::Produce(_)
                | Pending::Fetch(_)
                | Pending::Gather(_)
                | Pending::Admin(_)
                | Pending::Groups(_)
                | Pending::GroupAppend(..),
            )
            | None => return,
        };
        self.requests.remove(key);
        let reads_snapshot = self.reading_snapshot(id).is_some();
        match completion {
            Completion::Opened { result, .. } => self.on_snapshot_opened(turn, id, result),
            Completion::Read { result, .. } if reads_snapshot => {
                self.on_snapshot_read(turn, id, result);
            }
            Completion::Read { result, .. } => match self.replay_groups(turn, id, result) {
                Ok(()) => self.read_groups(turn, id),
                Err(why) => self.on_load_failure(turn, id, &why),
            },
            // What cannot be removed is tried again at the next start.
            Completion::Done { .. } => self.load_log(turn, id),
            Completion::Wrote { .. }
            | Completion::Listed { .. }
            | Completion::Computed { .. }
            | Completion::Accepted { .. }
            | Completion::Received { .. }
            | Completion::Filled { .. }
            | Completion::Sent { .. }
            | Completion::Closed { .. }
            | Completion::Mail { .. }
            | Completion::Stop => {}
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
        let (next, unread) = offsets_topic::decode(&bytes, hosted.next_offset, |key, value| {
            count += 1;
            coordinator.replay_bytes(key, value)
        });
        if next <= hosted.next_offset {
            return Err(format!("no whole batch at offset {}", hosted.next_offset));
        }
        let from = std::mem::replace(&mut hosted.next_offset, next);
        let mut progress = None;
        if let Some(load) = &mut hosted.load {
            load.bytes += bytes.len() as u64;
            hosted.snapshots.tail_bytes += bytes.len() as u64;
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

/// Whether a snapshot stands for a part of this log; in words why not.
fn check_snapshot(log: &Log, now: WallMs, trailer: &Trailer) -> Result<(), &'static str> {
    if trailer.log_start != log.log_start_offset().0 {
        return Err("the log began elsewhere then");
    }
    let end = log.high_watermark().0;
    if !(trailer.log_start..=trailer.until).contains(&trailer.from) || trailer.until > end {
        return Err("the log does not reach as far");
    }
    let retention_ms = log.spec().config.delete_retention_ms;
    let age_ms = u64::try_from(now.0.saturating_sub(trailer.at.0)).unwrap_or(0);
    if age_ms >= retention_ms {
        return Err("it is older than delete.retention.ms");
    }
    Ok(())
}

//! Snapshots of group coordinators: written while they work, read before their logs.
//!
//! ```text
//!  the log has grown by as much ─▶ Opening ─▶ Telling ─┬─▶ Settling ─▶ Closing ─▶ Syncing ─▶ Naming
//!  as a snapshot takes             aside        ▲      │   what was under way is     trailer    folder
//!                                               └──────┘   decided, and durable
//! ```
//!
//! One at a time. A piece is a few hundred records: tens of microseconds of the shard, and what is
//! written goes behind everything else. Whatever fails gives the snapshot up; the old one stays.
//!
//! Why it may be believed:
//! - It says where its log goes on, and everything behind that is read again (`coordinator/snapshot.rs`).
//! - It has its name only once the log is durable as far as the snapshot knows it.
//! - Compaction keeps the tombstones behind its beginning ([`Log::keep_tombstones_from`]): without
//!   them a snapshot would bring back what was deleted since. Whoever else compacts the log keeps them
//!   for `delete.retention.ms`: an older snapshot is not used.

use std::path::PathBuf;

use bytes::Bytes;
use millrace_engine::Offset;
use millrace_io::{Completion, FileRef, IoError, Mono, Op, OpenMode, Token};

use super::{Due, GROUPS_OWNER, Pending, Shard, Turn};
use crate::coordinator::SnapshotWalk;
use crate::mail::{Mail, PartitionId};
use crate::offsets_snapshot::{Piece, SNAPSHOT_ASIDE, SNAPSHOT_FILE, Trailer};
use crate::offsets_topic::OFFSETS_TOPIC;

/// Records of a piece.
const PIECE_RECORDS: usize = 256;
/// How often it is looked whether the log is durable, ms.
const SETTLE_MS: u64 = 1_000;
/// After a failure none is begun for so long, ms.
const PAUSE_MS: u64 = 60_000;

/// What is known of a partition's snapshots.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    /// The one that stands: its bytes, and when it was begun, ms since 1970.
    stored: Option<(u64, i64)>,
    /// The coordinator was loaded from one.
    pub(super) was_loaded: bool,
    /// Bytes of log behind it.
    pub(super) tail_bytes: u64,
    taking: Option<Box<Taking>>,
    not_before: Mono,
}

/// A snapshot that is being taken.
#[derive(Debug)]
struct Taking {
    trailer: Trailer,
    stage: Stage,
    walk: SnapshotWalk,
    file: Option<FileRef>,
    bytes: u64,
    /// Appends of the coordinator that had failed when it was begun.
    failed: u64,
    /// Appends that had been begun when all was told.
    begun: u64,
    /// They are decided, and what the snapshot may know ends at the trailer's `until`.
    is_decided: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Emptying,
    Telling,
    Settling,
    Closing,
    Syncing,
    Naming,
    Committing,
}

/// Why a snapshot is given up.
enum Trouble {
    Io(IoError),
    /// Nothing to tell anybody.
    Gone,
}

impl Snapshots {
    /// A snapshot was loaded: its bytes, and when it was begun.
    pub(super) const fn on_loaded(&mut self, bytes: u64, at_ms: i64) {
        self.stored = Some((bytes, at_ms));
        self.was_loaded = true;
    }
}

impl Shard {
    fn offsets_file(&self, id: PartitionId, name: &str) -> Option<PathBuf> {
        self.partitions.get(id).map(|partition| partition.log.spec().dir.join(name))
    }

    pub(super) fn snapshot_path(&self, id: PartitionId) -> Option<PathBuf> {
        self.offsets_file(id, SNAPSHOT_FILE)
    }

    /// Records are on their way into the log of a coordinator, as a batch of so many bytes.
    pub(super) fn count_tail(&mut self, id: PartitionId, bytes: usize) {
        if let Some(hosted) = self.groups.hosted.get_mut(&id) {
            hosted.snapshots.tail_bytes += bytes as u64;
        }
    }

    /// Begins a snapshot if the log behind the last one has grown enough.
    pub(super) fn maybe_begin_snapshot(&mut self, turn: &mut Turn, id: PartitionId) {
        if self.is_stopping() || self.groups.snapshot_of.is_some() {
            return;
        }
        let Some(hosted) = self.groups.hosted.get(&id) else { return };
        let Some(partition) = self.partitions.get(id) else { return };
        let snapshots = &hosted.snapshots;
        let config = &partition.log.spec().config;
        let retention_ms = config.delete_retention_ms;
        let (bytes, is_old) = match snapshots.stored {
            Some((bytes, at_ms)) => {
                let age_ms = u64::try_from(turn.now.wall.0.saturating_sub(at_ms)).unwrap_or(0);
                (bytes, age_ms > retention_ms / 2)
            }
            None => (0, false),
        };
        let is_due = snapshots.tail_bytes >= bytes.max(self.setup.group_snapshot_bytes)
            || (is_old && snapshots.tail_bytes > 0);
        let is_possible = hosted.load.is_none()
            && hosted.coordinator.is_loaded()
            && retention_ms > 0
            && config.cleanup_compact
            && !partition.log.is_compacting()
            && turn.now.mono >= snapshots.not_before;
        if is_due && is_possible {
            self.begin_snapshot(turn, id);
        }
    }

    fn begin_snapshot(&mut self, turn: &mut Turn, id: PartitionId) {
        let Some(path) = self.offsets_file(id, SNAPSHOT_ASIDE) else { return };
        let Some(partition) = self.partitions.get_mut(id) else { return };
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        // Records of open transactions are not in the coordinator's state yet.
        let from = hosted.next_offset.min(partition.log.last_stable_offset().0);
        if hosted.snapshots.stored.is_none() {
            partition.log.keep_tombstones_from(Some(Offset(from)));
        }
        hosted.snapshots.tail_bytes = 0;
        hosted.snapshots.taking = Some(Box::new(Taking {
            trailer: Trailer {
                from,
                until: from,
                log_start: partition.log.log_start_offset().0,
                at: turn.now.wall,
                records: 0,
            },
            stage: Stage::Opening,
            walk: SnapshotWalk::default(),
            file: None,
            bytes: 0,
            failed: hosted.coordinator.appends_failed(),
            begun: 0,
            is_decided: false,
        }));
        self.groups.snapshot_of = Some(id);
        self.snapshot_op(turn, id, |token| Op::Open { token, path, mode: OpenMode::Create });
    }

    fn snapshot_op(
        &mut self,
        turn: &mut Turn,
        id: PartitionId,
        op: impl FnOnce(Token) -> Op<Mail>,
    ) {
        let key = self.requests.insert(Pending::GroupSnapshot(id));
        turn.ops.push(op(Token { owner: GROUPS_OWNER, seq: key.slot }));
    }

    /// An operation of a snapshot ended.
    pub(super) fn on_snapshot_completion(
        &mut self,
        turn: &mut Turn,
        id: PartitionId,
        completion: Completion<Mail>,
    ) {
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        let Some(taking) = &mut hosted.snapshots.taking else { return };
        let result = match completion {
            Completion::Opened { result, .. } => result.map(|(file, length)| {
                taking.file = Some(file);
                if length == 0 {
                    taking.stage = Stage::Emptying;
                }
            }),
            Completion::Wrote { result, .. } | Completion::Done { result, .. } => result,
            Completion::Read { .. }
            | Completion::Listed { .. }
            | Completion::Computed { .. }
            | Completion::Accepted { .. }
            | Completion::Received { .. }
            | Completion::Filled { .. }
            | Completion::Sent { .. }
            | Completion::Closed { .. }
            | Completion::Mail { .. }
            | Completion::Stop => return,
        };
        match result {
            Ok(()) => self.go_on_with_snapshot(turn, id),
            Err(error) => self.give_up_snapshot(turn, id, Trouble::Io(error)),
        }
    }

    fn go_on_with_snapshot(&mut self, turn: &mut Turn, id: PartitionId) {
        if self.is_stopping() {
            self.give_up_snapshot(turn, id, Trouble::Gone);
            return;
        }
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        let Some(taking) = &mut hosted.snapshots.taking else { return };
        let Some(file) = taking.file.clone() else { return };
        match taking.stage {
            Stage::Opening => {
                taking.stage = Stage::Emptying;
                self.snapshot_op(turn, id, |token| Op::Truncate { token, file, length: 0 });
            }
            Stage::Emptying | Stage::Telling => self.tell_snapshot(turn, id, file),
            Stage::Settling => self.settle_snapshot(turn, id),
            Stage::Closing => {
                taking.stage = Stage::Syncing;
                self.snapshot_op(turn, id, |token| Op::Sync { token, file });
            }
            Stage::Syncing => {
                taking.stage = Stage::Naming;
                let paths = self.offsets_file(id, SNAPSHOT_ASIDE).zip(self.snapshot_path(id));
                let Some((from, to)) = paths else { return };
                self.snapshot_op(turn, id, |token| Op::Rename { token, from, to });
            }
            Stage::Naming => {
                taking.stage = Stage::Committing;
                let Some(path) = self.offsets_file(id, "") else { return };
                self.snapshot_op(turn, id, |token| Op::SyncDir { token, path });
            }
            Stage::Committing => {
                let Trailer { from, at, .. } = taking.trailer;
                hosted.snapshots.stored = Some((taking.bytes, at.0));
                hosted.snapshots.taking = None;
                if let Some(partition) = self.partitions.get_mut(id) {
                    partition.log.keep_tombstones_from(Some(Offset(from)));
                }
                self.counters.group_snapshots.add(1);
                self.begin_next_snapshot(turn);
            }
        }
    }

    /// Writes the next piece, or goes on behind the last.
    fn tell_snapshot(&mut self, turn: &mut Turn, id: PartitionId, file: FileRef) {
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        let Some(taking) = &mut hosted.snapshots.taking else { return };
        let mut piece = Piece::new(taking.trailer.records);
        let now = turn.now.wall;
        let add = |key: &[u8], value: &[u8]| piece.add(now, key, value);
        let has_more = hosted.coordinator.snapshot_piece(&mut taking.walk, PIECE_RECORDS, add);
        taking.stage = Stage::Telling;
        if !has_more {
            taking.stage = Stage::Settling;
            taking.begun = hosted.coordinator.appends_begun();
        }
        let Some((bytes, records)) = piece.finish() else {
            self.settle_snapshot(turn, id);
            return;
        };
        taking.trailer.records += records;
        self.write_snapshot(turn, id, file, bytes);
    }

    fn write_snapshot(&mut self, turn: &mut Turn, id: PartitionId, file: FileRef, bytes: Bytes) {
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        let Some(taking) = &mut hosted.snapshots.taking else { return };
        let position = taking.bytes;
        taking.bytes += bytes.len() as u64;
        let chunks = vec![bytes];
        let write = |token| Op::WriteBehind { token, file, position, chunks };
        self.snapshot_op(turn, id, write);
    }

    /// All is told: waits until nothing is under way that it may have missed or foreseen, and until
    /// the log is durable as far as it knows it.
    fn settle_snapshot(&mut self, turn: &mut Turn, id: PartitionId) {
        let Some(hosted) = self.groups.hosted.get_mut(&id) else { return };
        let Some(taking) = &mut hosted.snapshots.taking else { return };
        let Some(file) = taking.file.clone() else { return };
        if hosted.coordinator.appends_failed() != taking.failed {
            // A group may have been out of sight that is there again.
            self.give_up_snapshot(turn, id, Trouble::Gone);
            return;
        }
        if !taking.is_decided && hosted.coordinator.has_decided(taking.begun) {
            taking.is_decided = true;
            taking.trailer.until = hosted.next_offset;
        }
        let durable = self.partitions.get(id).map_or(0, |it| it.log.durable_offset().0);
        if !taking.is_decided || durable < taking.trailer.until {
            let at = turn.now.mono.plus_ms(SETTLE_MS);
            self.deadlines.add(at, Due::GroupSnapshot(id));
            return;
        }
        taking.stage = Stage::Closing;
        let trailer = taking.trailer.encode();
        self.write_snapshot(turn, id, file, trailer);
    }

    /// A snapshot that waits looks again.
    pub(super) fn on_group_snapshot_due(&mut self, turn: &mut Turn, id: PartitionId) {
        let hosted = self.groups.hosted.get(&id);
        let taking = hosted.and_then(|hosted| hosted.snapshots.taking.as_ref());
        if taking.is_some_and(|taking| taking.stage == Stage::Settling) {
            self.go_on_with_snapshot(turn, id);
        }
    }

    fn give_up_snapshot(&mut self, turn: &mut Turn, id: PartitionId, why: Trouble) {
        if let Trouble::Io(error) = why {
            self.note(format!(
                "{OFFSETS_TOPIC}-{}: no snapshot of its groups could be written: {error}",
                id.index
            ));
        }
        if let Some(hosted) = self.groups.hosted.get_mut(&id) {
            hosted.snapshots.taking = None;
            hosted.snapshots.tail_bytes += self.setup.group_snapshot_bytes;
            hosted.snapshots.not_before = turn.now.mono.plus_ms(PAUSE_MS);
        }
        if let Some(path) = self.offsets_file(id, SNAPSHOT_ASIDE) {
            // Whether it goes or not: the next one writes over it.
            let token = Token { owner: GROUPS_OWNER, seq: u32::MAX };
            turn.ops.push(Op::Remove { token, path });
        }
        self.begin_next_snapshot(turn);
    }

    fn begin_next_snapshot(&mut self, turn: &mut Turn) {
        self.groups.snapshot_of = None;
        let ids: Vec<PartitionId> = self.groups.hosted.keys().copied().collect();
        for id in ids {
            self.maybe_begin_snapshot(turn, id);
        }
    }

    /// The partition goes.
    pub(super) fn drop_snapshot(&mut self, id: PartitionId) {
        if self.groups.snapshot_of == Some(id) {
            self.groups.snapshot_of = None;
        }
    }
}

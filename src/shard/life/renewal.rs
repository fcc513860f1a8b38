//! The checkpoints after an unclean stop: replaced durably before anything is appended.
//!
//! A checkpoint tells the producers as of some offset. A power loss may take the end of a log below
//! that offset and leave the checkpoint. Once other batches have taken those offsets, nothing tells that
//! its producers are not theirs: if the process died again before the next checkpoint, a batch that was
//! lost would be answered as a duplicate. The same holds for the file of a shard that there is not any
//! more. So what recovery came to is written and synced before clients are served. Where there is no
//! room for it the old one is removed: logs are then recovered from their folders alone.
//!
//! Between two such starts all checkpoints tell of one history, and may be torn or old.

use std::collections::BTreeSet;

use bytes::Bytes;
use millrace_io::{Completion, Op, ShardId};

use super::start::Known;
use super::{LifeLetter, Phase, Shard, Turn, files, token};
use crate::mail::{Letter, Mail};

/// Token numbers of these ops.
const SEQ_WRITE: u32 = (1 << 28) + 1;
const SEQ_REMOVE: u32 = SEQ_WRITE + 1;
const SEQ_SYNC: u32 = SEQ_WRITE + 2;
const SEQ_REMOVE_EXTRA: u32 = SEQ_WRITE + 3;
const SEQ_SYNC_EXTRA: u32 = SEQ_WRITE + 4;

/// What is to be done about old checkpoints.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    /// This shard's is to be written anew.
    is_due: bool,
    /// Shards that are no more, whose checkpoints go (shard 0 only).
    extra: BTreeSet<u16>,
    /// Removals of those that are under way.
    removing: usize,
}

impl Shard {
    pub(super) fn plan_renewal(&mut self, known: &Known) {
        let shards = self.setup.shards;
        let extra = known.checkpointed_shards().split_off(&shards);
        let is_due = known.has_stale_checkpoints(shards);
        self.life.renewal = Renewal { is_due, extra, removing: 0 };
    }

    /// The shard's partitions are open.
    pub(super) fn begin_renewal(&mut self, turn: &mut Turn) {
        if self.life.renewal.is_due {
            self.life.phase = Phase::Renewing;
            let content = Bytes::from(self.shard_checkpoint().encode());
            let path = self.checkpoint_path();
            turn.ops.push(Op::WriteWhole { token: token(SEQ_WRITE), path, content });
        } else {
            self.end_renewal();
        }
    }

    fn end_renewal(&mut self) {
        self.life.phase = Phase::Ready;
        self.send(ShardId(0), Letter::Life(LifeLetter::Ready));
    }

    /// Takes the next step. True if the completion was of one.
    pub(super) fn on_renewal_completion(
        &mut self,
        turn: &mut Turn,
        completion: &Completion<Mail>,
    ) -> bool {
        let Completion::Done { token: done, result } = completion else { return false };
        if !(SEQ_WRITE..=SEQ_SYNC_EXTRA).contains(&done.seq) {
            return false;
        }
        if self.is_stopping() {
            return true;
        }
        if let (Err(error), true) = (result, done.seq != SEQ_WRITE) {
            let path = self.setup.log_dirs[0].path.display();
            self.fail_start(format!("{path}: an old checkpoint cannot be removed: {error}"));
            return true;
        }
        match done.seq {
            SEQ_WRITE if result.is_err() => {
                let path = self.checkpoint_path();
                turn.ops.push(Op::Remove { token: token(SEQ_REMOVE), path });
            }
            SEQ_REMOVE => self.sync_first_dir(turn, SEQ_SYNC),
            SEQ_REMOVE_EXTRA => {
                self.life.renewal.removing -= 1;
                if self.life.renewal.removing == 0 {
                    self.sync_first_dir(turn, SEQ_SYNC_EXTRA);
                }
            }
            SEQ_SYNC_EXTRA => self.register(turn),
            _ => self.end_renewal(),
        }
        true
    }

    fn sync_first_dir(&self, turn: &mut Turn, seq: u32) {
        let path = self.setup.log_dirs[0].path.clone();
        turn.ops.push(Op::SyncDir { token: token(seq), path });
    }

    /// Shard 0: all shards have written theirs. Those of shards that are no more go.
    pub(super) fn remove_extra_checkpoints(&mut self, turn: &mut Turn) {
        let extra = std::mem::take(&mut self.life.renewal.extra);
        self.life.renewal.removing = extra.len();
        if extra.is_empty() {
            self.register(turn);
        }
        for shard in extra {
            let path = self.setup.log_dirs[0].path.join(files::checkpoint_name(shard));
            turn.ops.push(Op::Remove { token: token(SEQ_REMOVE_EXTRA), path });
        }
    }
}

//! Checkpoints while the broker runs: small files, written aside and renamed.
//!
//! Not synced: a checkpoint that a power loss tears fails its CRC and is not used, and a sync every
//! few seconds would make the filesystem's journal wait for all the data in flight. The first one after
//! an unclean stop is; see `renewal.rs`.

use std::path::PathBuf;

use bytes::Bytes;
use millrace_io::{Completion, FileRef, Op};

use super::{Shard, Turn, create, token};
use crate::mail::Mail;

/// Token numbers of these writes' ops; the start's and the stop's numbers stay below. Each job has
/// [`STEPS`] of them.
const SEQ_BASE: u32 = 1 << 30;
const STEPS: u32 = 4;
const STEP_OPEN: u32 = 0;
const STEP_TRUNCATE: u32 = 1;
const STEP_WRITE: u32 = 2;
const STEP_RENAME: u32 = 3;

/// The job that writes the shard's checkpoint; Kafka's files have those above.
pub(super) const SHARD_CHECKPOINT_JOB: u32 = 0;

/// A checkpoint on its way to the disk.
#[derive(Debug)]
pub(super) struct SlowWrite {
    content: Bytes,
    file: Option<FileRef>,
    aside: PathBuf,
    path: PathBuf,
}

const PREFIX: &str = "millrace-shard-";
const SUFFIX: &str = ".checkpoint";

/// The shard whose checkpoint a file of a log dir is, if it is one.
pub(super) fn checkpointed_shard(name: &str) -> Option<u16> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}

/// The file name of a shard's checkpoint.
pub(super) fn checkpoint_name(shard: u16) -> String {
    format!("{PREFIX}{shard}{SUFFIX}")
}

impl Shard {
    /// Where this shard's checkpoint lies.
    pub(super) fn checkpoint_path(&self) -> PathBuf {
        self.setup.log_dirs[0].path.join(checkpoint_name(self.id.0))
    }

    /// Starts writing the shard's checkpoint.
    pub(super) fn begin_checkpoint(&mut self, turn: &mut Turn) {
        let path = self.checkpoint_path();
        let content = Bytes::from(self.shard_checkpoint().encode());
        self.begin_slow_write(turn, SHARD_CHECKPOINT_JOB, path, content);
    }

    /// Starts writing a file aside, to be renamed once it is written. A job that is under way goes
    /// on, and the new content waits for the next time.
    pub(super) fn begin_slow_write(
        &mut self,
        turn: &mut Turn,
        job: u32,
        path: PathBuf,
        content: Bytes,
    ) {
        if self.life.writes.contains_key(&job) {
            return;
        }
        let mut aside = path.clone().into_os_string();
        aside.push(".tmp");
        let aside = PathBuf::from(aside);
        turn.ops.push(create(SEQ_BASE + job * STEPS + STEP_OPEN, aside.clone()));
        self.life.writes.insert(job, SlowWrite { content, file: None, aside, path });
    }

    /// Takes the next step of such a write. True if the completion was one of theirs.
    pub(super) fn on_slow_write_completion(
        &mut self,
        turn: &mut Turn,
        completion: &Completion<Mail>,
    ) -> bool {
        let (seq, worked) = match completion {
            Completion::Opened { token, result } => (token.seq, result.is_ok()),
            Completion::Done { token, result } | Completion::Wrote { token, result, .. } => {
                (token.seq, result.is_ok())
            }
            Completion::Read { .. }
            | Completion::Listed { .. }
            | Completion::Computed { .. }
            | Completion::Accepted { .. }
            | Completion::Received { .. }
            | Completion::Filled { .. }
            | Completion::Sent { .. }
            | Completion::Closed { .. }
            | Completion::Mail { .. }
            | Completion::Stop => return false,
        };
        let Some(number) = seq.checked_sub(SEQ_BASE) else { return false };
        let (job, step) = (number / STEPS, number % STEPS);
        // What cannot be written (a full disk) is left out; the last one stays.
        let write = self.life.writes.remove(&job).filter(|_| worked);
        let Some(mut write) = write else { return true };
        let next = token(seq + 1);
        let op = match (step, completion) {
            (STEP_OPEN, Completion::Opened { result: Ok((file, _)), .. }) => {
                write.file = Some(file.clone());
                Op::Truncate { token: next, file: file.clone(), length: 0 }
            }
            (STEP_TRUNCATE, _) => {
                let Some(file) = write.file.clone() else { return true };
                let chunks = vec![write.content.clone()];
                Op::Write { token: next, file, position: 0, chunks }
            }
            (STEP_WRITE, _) => {
                let (from, to) = (write.aside.clone(), write.path.clone());
                Op::Rename { token: next, from, to }
            }
            _ => return true,
        };
        turn.ops.push(op);
        self.life.writes.insert(job, write);
        true
    }
}

const _: () = assert!(STEP_RENAME + 1 == STEPS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shard_checkpoints_are_taken_for_such() {
        assert_eq!(checkpointed_shard(&checkpoint_name(0)), Some(0));
        assert_eq!(checkpointed_shard("millrace-shard-12.checkpoint"), Some(12));
        assert_eq!(checkpointed_shard("millrace-shard-0.checkpoint.tmp"), None);
        assert_eq!(checkpointed_shard("millrace-shard-.checkpoint"), None);
        assert_eq!(checkpointed_shard("topic-0"), None);
    }
}

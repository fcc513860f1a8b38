//! Checkpoints while the broker runs: one file per shard, replaced by renaming.
//!
//! Not synced: a checkpoint that a power loss tears fails its CRC and is not used, and a sync every
//! few seconds would make the filesystem's journal wait for all the data in flight.

use std::path::PathBuf;

use bytes::Bytes;
use millrace_io::{Completion, FileRef, Op};

use super::{Shard, Turn, create, token};
use crate::mail::Mail;

/// Token numbers of checkpoint ops; the start's numbers stay far below.
const SEQ_OPEN: u32 = 1 << 30;
const SEQ_TRUNCATE: u32 = SEQ_OPEN + 1;
const SEQ_WRITE: u32 = SEQ_OPEN + 2;
const SEQ_RENAME: u32 = SEQ_OPEN + 3;

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

/// Whether a file of a log dir is a shard's checkpoint, of whatever number of shards.
pub(super) fn is_checkpoint_name(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX))
        .is_some_and(|number| number.parse::<u16>().is_ok())
}

impl Shard {
    /// Where this shard's checkpoint lies.
    pub(super) fn checkpoint_path(&self) -> PathBuf {
        self.setup.log_dirs[0].path.join(format!("{PREFIX}{}{SUFFIX}", self.id.0))
    }

    /// Starts writing the shard's checkpoint.
    pub(super) fn begin_checkpoint(&mut self, turn: &mut Turn) {
        let path = self.checkpoint_path();
        let aside = path.with_extension("checkpoint.tmp");
        let content = Bytes::from(self.shard_checkpoint().encode());
        turn.ops.push(create(SEQ_OPEN, aside.clone()));
        self.life.checkpoint = Some(SlowWrite { content, file: None, aside, path });
    }

    /// Takes the next step of a checkpoint. True if the completion was one of a checkpoint's.
    pub(super) fn on_checkpoint_completion(
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
            | Completion::Accepted { .. }
            | Completion::Received { .. }
            | Completion::Filled { .. }
            | Completion::Sent { .. }
            | Completion::Closed { .. }
            | Completion::Mail { .. }
            | Completion::Stop => return false,
        };
        if !(SEQ_OPEN..=SEQ_RENAME).contains(&seq) {
            return false;
        }
        // A checkpoint that cannot be written (a full disk) is left out; the last one stays.
        let Some(mut write) = self.life.checkpoint.take().filter(|_| worked) else { return true };
        let op = match (seq, completion) {
            (SEQ_OPEN, Completion::Opened { result: Ok((file, _)), .. }) => {
                write.file = Some(file.clone());
                Op::Truncate { token: token(SEQ_TRUNCATE), file: file.clone(), length: 0 }
            }
            (SEQ_TRUNCATE, _) => {
                let Some(file) = write.file.clone() else { return true };
                let chunks = vec![write.content.clone()];
                Op::Write { token: token(SEQ_WRITE), file, position: 0, chunks }
            }
            (SEQ_WRITE, _) => {
                let (from, to) = (write.aside.clone(), write.path.clone());
                Op::Rename { token: token(SEQ_RENAME), from, to }
            }
            _ => return true,
        };
        turn.ops.push(op);
        self.life.checkpoint = Some(write);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shard_checkpoints_are_taken_for_such() {
        assert!(is_checkpoint_name("millrace-shard-0.checkpoint"));
        assert!(is_checkpoint_name("millrace-shard-12.checkpoint"));
        assert!(!is_checkpoint_name("millrace-shard-0.checkpoint.tmp"));
        assert!(!is_checkpoint_name("millrace-shard-.checkpoint"));
        assert!(!is_checkpoint_name("topic-0"));
    }
}

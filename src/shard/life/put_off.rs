//! What a start on a full disk could not do: it is done once there is room, and all else is served
//! meanwhile.
//!
//! - `meta.properties` of a log dir that had none, or one without a directory id. What it would say is
//!   known from another log dir, or stands in the old one; a broker that found none at all does not
//!   start, for it would tell clients of a cluster that is another one the next time.
//! - Folders of no partition that cannot be renamed. They stay, and are not looked into. A partition of
//!   that name waits with its log: its clients are told that it is not here, and come again.
//!
//! It is tried again with every checkpoint of shard 0, one step at a time.

use std::collections::VecDeque;
use std::path::PathBuf;

use bytes::Bytes;
use millrace_io::{Completion, IoErrorKind, Op};

use super::{LifeLetter, Shard, Turn, token};
use crate::mail::{Letter, Mail};

/// Token number of these ops.
const SEQ: u32 = (1 << 28) + 16;

/// One thing to be done.
#[derive(Debug)]
pub(super) enum Job {
    /// Write a `meta.properties`.
    Properties { path: PathBuf, content: Bytes },
    /// Rename the folder of a stray.
    Stray { dir: usize, folder: String, name: String },
    /// Make that rename last.
    Sync { dir: usize, folder: String, name: String },
}

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct PutOff {
    jobs: VecDeque<Job>,
    /// The first of them is under way.
    is_running: bool,
}

impl Shard {
    /// A start's step found the disk full: it follows later.
    pub(super) fn put_off(&mut self, job: Job) {
        match &job {
            Job::Properties { path, .. } => {
                self.note(format!("{}: the disk is full; it is written later", path.display()));
            }
            Job::Stray { dir, folder, .. } | Job::Sync { dir, folder, .. } => {
                let parent = self.setup.log_dirs[*dir].path.display();
                self.note(format!(
                    "{parent}: {folder} is of no partition that the cluster has, and cannot be \
                     renamed on a full disk; it is left alone, and so is a partition of that name, \
                     until there is room"
                ));
                self.life.start.known.occupied.insert((*dir, folder.clone()));
            }
        }
        self.life.put_off.jobs.push_back(job);
    }

    /// Tries what was put off.
    pub(super) fn pursue_put_off(&mut self, turn: &mut Turn) {
        if self.life.put_off.is_running || self.is_stopping() {
            return;
        }
        let Some(job) = self.life.put_off.jobs.front() else { return };
        let token = token(SEQ);
        turn.ops.push(match job {
            Job::Properties { path, content } => {
                Op::WriteWhole { token, path: path.clone(), content: content.clone() }
            }
            Job::Stray { dir, folder, name } => {
                let parent = &self.setup.log_dirs[*dir].path;
                Op::Rename { token, from: parent.join(folder), to: parent.join(name) }
            }
            Job::Sync { dir, .. } => {
                Op::SyncDir { token, path: self.setup.log_dirs[*dir].path.clone() }
            }
        });
        self.life.put_off.is_running = true;
    }

    /// Takes the next step. True if the completion was of one.
    pub(super) fn on_put_off_completion(
        &mut self,
        turn: &mut Turn,
        completion: &Completion<Mail>,
    ) -> bool {
        let Completion::Done { token, result } = completion else { return false };
        if token.seq != SEQ {
            return false;
        }
        self.life.put_off.is_running = false;
        match result {
            Ok(()) => self.end_put_off(),
            Err(error) if matches!(error.kind, IoErrorKind::NoSpace | IoErrorKind::Exhausted) => {
                return true;
            }
            Err(error) => {
                let job = self.life.put_off.jobs.pop_front();
                self.note(format!("{job:?} failed: {error}; the next start tries again"));
            }
        }
        self.pursue_put_off(turn);
        true
    }

    /// The first job is done.
    fn end_put_off(&mut self) {
        match self.life.put_off.jobs.pop_front() {
            None => {}
            Some(Job::Properties { path, .. }) => {
                self.note(format!("{}: is written", path.display()));
            }
            Some(Job::Stray { dir, folder, name }) => {
                self.life.put_off.jobs.push_front(Job::Sync { dir, folder, name });
            }
            Some(Job::Sync { dir, folder, name }) => {
                let parent = self.setup.log_dirs[dir].path.display();
                self.note(format!("{parent}: {folder} is renamed to {name}"));
                self.send_all(|| Letter::Life(LifeLetter::Vacated { dir, folder: folder.clone() }));
            }
        }
    }
}

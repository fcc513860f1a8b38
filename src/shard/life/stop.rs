//! The stop: replies leave, logs close, what the next start needs is written, and then the marker
//! that says so.

use std::collections::BTreeSet;

use bytes::Bytes;
use millrace_engine::partition_metadata::{CLEAN_SHUTDOWN_FILE, write_clean_shutdown};
use millrace_io::{Completion, Op, ShardId};

use super::offsets::{OFFSET_FILES, Standing};
use super::{Due, LifeLetter, Phase, Shard, Turn, token};
use crate::client::Busy;
use crate::controller::Controller;
use crate::mail::{Letter, Mail};
use crate::shard::Pending;
use crate::slab::Key;

/// Token numbers of the stop's ops.
const SEQ_STOP: u32 = 1 << 29;

/// What is under way in a stop.
#[derive(Debug, Default)]
pub(super) struct Stop {
    /// Ops under way.
    pending: u32,
    /// The offsets are written; the markers are next.
    offsets_written: bool,
    markers_written: bool,
    /// Something could not be written: no marker may say that all is well, or the next start would
    /// open logs by what an older checkpoint tells of them.
    is_unclean: bool,
    metadata_closing: bool,
    /// Where all logs stand (shard 0 gathers them).
    pub(super) offsets: Vec<Standing>,
    /// Log dirs in which a log failed: they get no marker.
    failed_dirs: BTreeSet<usize>,
}

impl Shard {
    /// The process is asked to stop.
    pub(in crate::shard) fn begin_stop(&mut self, turn: &mut Turn) {
        if self.is_stopping() {
            return;
        }
        let was_serving = self.life.phase == Phase::Serving;
        self.life.phase = Phase::Draining;
        self.counters.serving.set(0);
        if !was_serving {
            // Nothing was served and nothing written that recovery does not find. Shards that serve
            // already end with it, as if killed: no word that they may will ever come.
            self.life.phase = Phase::Closed;
            self.send_all(|| Letter::Life(LifeLetter::Exit));
            return;
        }
        let keys: Vec<Key> = self.clients.iter().map(|(key, _)| key).collect();
        for key in keys {
            let parked = match self.clients.get(key).map(|client| client.busy) {
                Some(Busy::Exclusive(Some(request))) => Some(request),
                _ => None,
            };
            if let Some(request) = parked
                && let Some(Pending::Fetch(_)) = self.requests.get(request)
            {
                self.on_fetch_due(turn, request);
            }
            self.close_client_after_replies(key);
        }
        self.resign_all_groups(turn);
        let deadline = turn.now.mono.plus_ms(self.setup.stop_grace_ms);
        self.deadlines.add(deadline, Due::Stop);
    }

    /// Requests under way had their time.
    pub(in crate::shard) fn on_stop_due(&mut self, turn: &mut Turn) {
        let keys: Vec<Key> = self.clients.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.close_client(turn, key);
        }
        self.maybe_close_logs(turn);
    }

    /// Once no client is left, the logs close. True if that went on.
    pub(in crate::shard) fn maybe_close_logs(&mut self, turn: &mut Turn) -> bool {
        let before = self.life.phase;
        if before == Phase::Draining && self.clients.is_empty() {
            self.life.phase = Phase::Closing;
            self.close_logs(turn);
        } else if before == Phase::Closing && self.close_more(turn) {
            return true;
        }
        if self.life.phase == Phase::Closing
            && self.partitions.closing == 0
            && self.partitions.unclosed.is_empty()
            && self.life.writes.is_empty()
        {
            self.life.phase = Phase::Closed;
            self.life.stop.pending += 1;
            let path = self.checkpoint_path();
            let content = Bytes::from(self.shard_checkpoint().encode());
            turn.ops.push(Op::WriteWhole { token: token(SEQ_STOP), path, content });
        }
        self.life.phase != before
    }

    pub(super) fn on_stop_completion(&mut self, turn: &mut Turn, completion: Completion<Mail>) {
        let Completion::Done { token, result } = completion else { return };
        if token.seq < SEQ_STOP || self.life.stop.pending == 0 {
            return;
        }
        if let Err(error) = result {
            let note = format!("the stop is not clean, the next start recovers: {error}");
            self.life.notes.push(note);
            self.life.stop.is_unclean = true;
        }
        self.life.stop.pending -= 1;
        if self.life.stop.pending > 0 {
            return;
        }
        if self.life.stop.offsets_written || self.life.stop.metadata_closing {
            self.maybe_end_stop(turn);
        } else {
            let logs = self.standings();
            let is_clean = !self.life.stop.is_unclean;
            self.send(ShardId(0), Letter::Life(LifeLetter::Stopped { logs, is_clean }));
        }
    }

    /// Shard 0: another shard's logs are closed.
    pub(super) fn on_shard_stopped(
        &mut self,
        turn: &mut Turn,
        logs: Vec<Standing>,
        is_clean: bool,
    ) {
        self.life.stop.offsets.extend(logs);
        self.life.stop.is_unclean |= !is_clean;
        self.life.shards_left -= 1;
        if self.life.shards_left > 0 {
            return;
        }
        self.life.stop.metadata_closing = true;
        if let Some(log) = self.controller.as_mut().and_then(Controller::log_mut) {
            log.close(turn.now, turn.ops);
        }
        self.maybe_end_stop(turn);
    }

    /// Shard 0: writes the offsets, then the markers, then ends all shards.
    pub(super) fn maybe_end_stop(&mut self, turn: &mut Turn) {
        let stop = &self.life.stop;
        if !stop.metadata_closing || stop.pending > 0 {
            return;
        }
        if self.controller.as_ref().is_some_and(|controller| !controller.is_closed()) {
            return;
        }
        if !self.life.stop.offsets_written {
            self.life.stop.offsets_written = true;
            self.write_offset_files(turn);
        } else if !self.life.stop.markers_written && !self.life.stop.is_unclean {
            self.life.stop.markers_written = true;
            self.write_markers(turn);
        } else {
            self.send_all(|| Letter::Life(LifeLetter::Exit));
            self.life.stop.pending = u32::MAX;
        }
    }

    fn write_offset_files(&mut self, turn: &mut Turn) {
        let logs = std::mem::take(&mut self.life.stop.offsets);
        let failed = logs.iter().filter(|log| log.is_failed).map(Standing::log_dir);
        self.life.stop.failed_dirs = failed.collect();
        for dir in 0..self.setup.log_dirs.len() {
            for file in OFFSET_FILES {
                self.write_at_stop(turn, dir, file.name(), file.content(dir, &logs));
            }
        }
    }

    fn write_markers(&mut self, turn: &mut Turn) {
        let node = millrace_replication::BrokerId(self.setup.node_id);
        let epoch = self.image.broker(node).map_or(-1, |broker| broker.epoch);
        for dir in 0..self.setup.log_dirs.len() {
            if self.life.stop.failed_dirs.contains(&dir) {
                // What lies there is not as a clean stop leaves it: the next start recovers it.
                continue;
            }
            let content = Bytes::from(write_clean_shutdown(epoch));
            self.write_at_stop(turn, dir, CLEAN_SHUTDOWN_FILE, content);
        }
        self.maybe_end_stop(turn);
    }

    fn write_at_stop(&mut self, turn: &mut Turn, dir: usize, file: &str, content: Bytes) {
        let path = self.setup.log_dirs[dir].path.join(file);
        self.life.stop.pending += 1;
        turn.ops.push(Op::WriteWhole { token: token(SEQ_STOP + 1), path, content });
    }
}

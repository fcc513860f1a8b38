//! A broker's life: start, checkpoints, stop. Shard 0 leads, the others follow its letters.
//!
//! ```text
//! shard 0                                                              other shards
//! ──────────────────────────────────────────────────────────────────────────────────
//! read meta.properties of all log dirs, write what is missing
//! read checkpoints and the clean-stop marker, remove the marker
//! open the metadata log, replay it (from a snapshot, if there is one)
//! Open(image, checkpoints) ───────────────────────────────────────────▶ open their partitions
//! after an unclean stop: the checkpoint is written anew, and synced     the same
//! all partitions open  ◀───────────────────────────────────── Ready ─── all partitions open
//! register the broker
//! Serve ──────────────────────────────────────────────────────────────▶ let clients speak
//!    …
//! stop asked: no new requests, replies leave, logs close               the same
//! all logs closed      ◀───────────────────────────────────── Stopped ─ all logs closed
//! metadata log closes, offsets and the clean-stop marker are written
//! Exit ───────────────────────────────────────────────────────────────▶ finished
//! ```
//!
//! Connections that come before `Serve` wait in their sockets.

mod files;
mod offsets;
mod put_off;
mod renewal;
mod start;
mod stop;
mod strays;

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_engine::{LeaderEpoch, ShardCheckpoint};
use millrace_io::{Completion, Mono, Op, OpenMode, ShardId, Token};
use millrace_replication::{Image, ImageDelta};
use millrace_wire::Uuid;

use super::{Due, LIFE_OWNER, Shard, Turn};
use crate::controller::{AdminAsk, Charge, Controller, Wish};
use crate::mail::{Letter, Mail};
use crate::setup::METADATA_LEADER_EPOCH;
use crate::ticket::Ticket;

pub(in crate::shard) use start::Known;
use start::Start;

/// What shards tell each other about their lives.
#[derive(Debug)]
pub(crate) enum LifeLetter {
    /// Open your partitions.
    Open {
        /// The cluster as the metadata log leaves it.
        image: Arc<Image>,
        /// What the last process left for opening logs quickly.
        known: Arc<Known>,
        /// The cluster's id.
        cluster_id: Arc<str>,
        /// The leader epoch in which the metadata log goes on.
        metadata_epoch: LeaderEpoch,
    },
    /// The sender's partitions are open.
    Ready,
    /// Serve clients.
    Serve,
    /// The cluster's state has changed.
    Image(Arc<Image>, Arc<ImageDelta>),
    /// The sender works by the newest image.
    Applied,
    /// The sender's logs are closed.
    Stopped {
        /// They stand like this.
        logs: Vec<offsets::Standing>,
        /// Its checkpoint is written: the next start may open them by it.
        is_clean: bool,
    },
    /// Tell where your logs stand.
    TellOffsets,
    /// The sender's logs stand like this; none if none has moved since it was last told.
    Offsets(Option<Vec<offsets::Standing>>),
    /// A folder that was in a partition's way is gone.
    Vacated {
        /// The log dir.
        dir: usize,
        /// The name that is free.
        folder: String,
    },
    /// Everything is written: end.
    Exit,
}

/// Where a shard's life stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Not begun.
    Unborn,
    /// Reading what there is; shard 0 only, the others wait.
    Starting,
    /// Its partitions are opening.
    Opening,
    /// They are open; its checkpoint is being replaced.
    Renewing,
    /// They are open.
    Ready,
    /// Clients are served.
    Serving,
    /// No new requests; replies leave.
    Draining,
    /// Logs are closing.
    Closing,
    /// Closed; waits for the others.
    Closed,
    /// Nothing is left to do.
    Finished,
}

/// A shard's life.
#[derive(Debug)]
pub(super) struct Life {
    phase: Phase,
    /// Shards that have not reported yet, in whatever is waited for (shard 0 only).
    shards_left: u16,
    /// Shard 0's start.
    start: Start,
    /// Checkpoints that are being written, by job.
    writes: BTreeMap<u32, files::SlowWrite>,
    /// Kafka's checkpoint files (shard 0 only).
    offset_files: offsets::OffsetFiles,
    /// Steps of the last writes before the end.
    stop: stop::Stop,
    pub(super) cluster_id: Arc<str>,
    /// The metadata log's leader epoch; it has one voter, so it stays while the process lives.
    metadata_epoch: LeaderEpoch,
    /// When the metadata log wants its timer.
    controller_deadline: Option<Mono>,
    /// Ids of the log dirs (shard 0 only).
    directory_ids: Vec<Uuid>,
    /// What was found at the start and goes into the log of the process.
    pub(super) notes: Vec<String>,
    renewal: renewal::Renewal,
    /// What the start could not do on a full disk (shard 0 only).
    put_off: put_off::PutOff,
}

impl Life {
    pub(super) fn new(shards: u16) -> Self {
        Self {
            phase: Phase::Unborn,
            shards_left: shards,
            start: Start::default(),
            writes: BTreeMap::new(),
            offset_files: offsets::OffsetFiles::default(),
            stop: stop::Stop::default(),
            cluster_id: Arc::from(""),
            metadata_epoch: LeaderEpoch(METADATA_LEADER_EPOCH),
            controller_deadline: None,
            directory_ids: Vec::new(),
            notes: Vec::new(),
            renewal: renewal::Renewal::default(),
            put_off: put_off::PutOff::default(),
        }
    }
}

impl Shard {
    /// True from when clients may speak until the stop.
    pub fn is_serving(&self) -> bool {
        self.life.phase == Phase::Serving
    }

    /// True once a stop was asked for.
    pub fn is_stopping(&self) -> bool {
        self.life.phase >= Phase::Draining
    }

    /// Whether the logs there were are closed, or are being closed.
    pub(super) fn has_closed_logs(&self) -> bool {
        self.life.phase >= Phase::Closing
    }

    /// True when the shard has nothing left to do: its thread may end.
    pub fn is_finished(&self) -> bool {
        self.life.phase == Phase::Finished
    }

    /// The cluster's id, once the start has found or made it.
    pub fn cluster_id(&self) -> Arc<str> {
        Arc::clone(&self.life.cluster_id)
    }

    /// The metadata log's leader epoch.
    pub(crate) const fn metadata_epoch(&self) -> LeaderEpoch {
        self.life.metadata_epoch
    }

    /// Adds a line for the process's log.
    pub(super) fn note(&mut self, line: String) {
        self.life.notes.push(line);
    }

    /// Lines for the process's log that gathered since the last call.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.life.notes)
    }

    /// The first turn starts everything.
    pub(super) fn begin_life(&mut self, turn: &mut Turn) {
        if self.life.phase != Phase::Unborn {
            return;
        }
        self.life.phase = Phase::Starting;
        if self.id == ShardId(0) {
            self.begin_start(turn);
        }
    }

    pub(super) fn on_life_letter(&mut self, turn: &mut Turn, from: ShardId, letter: LifeLetter) {
        match letter {
            // A stop that came with it, or before it, has ended the start.
            LifeLetter::Open { .. } if self.is_stopping() => {}
            LifeLetter::Open { image, known, cluster_id, metadata_epoch } => {
                self.life.cluster_id = cluster_id;
                self.life.metadata_epoch = metadata_epoch;
                self.life.phase = Phase::Opening;
                self.plan_renewal(&known);
                self.open_all(turn, image, known);
            }
            LifeLetter::Ready => self.on_shard_ready(turn),
            LifeLetter::Serve => self.serve(turn),
            LifeLetter::Image(image, delta) => {
                self.apply_image(turn, image, &delta);
                self.send(ShardId(0), Letter::Life(LifeLetter::Applied));
            }
            LifeLetter::Applied => {
                if let Some(controller) = &mut self.controller {
                    controller.on_applied(turn.now, turn.ops);
                }
                self.grant_wishes(turn);
            }
            LifeLetter::Stopped { logs, is_clean } => {
                self.on_shard_stopped(turn, logs, is_clean);
            }
            LifeLetter::TellOffsets => self.tell_offsets(),
            LifeLetter::Offsets(standings) => self.on_offsets(turn, from, standings),
            LifeLetter::Vacated { dir, folder } => self.on_vacated(turn, dir, &folder),
            LifeLetter::Exit => self.life.phase = Phase::Finished,
        }
    }

    pub(super) fn on_life_completion(&mut self, turn: &mut Turn, completion: Completion<Mail>) {
        if self.on_slow_write_completion(turn, &completion) {
            return;
        }
        if self.life.phase == Phase::Starting {
            self.on_start_completion(turn, completion);
        } else if self.on_renewal_completion(turn, &completion)
            || self.on_put_off_completion(turn, &completion)
        {
            // It was one of those.
        } else if self.is_stopping() {
            self.on_stop_completion(turn, completion);
        }
    }

    pub(super) fn on_controller_completion(
        &mut self,
        turn: &mut Turn,
        completion: Completion<Mail>,
    ) {
        // From the last record replayed on, the controller has the log; what was under way then may
        // end in the same turn.
        if self.life.start.is_reading_metadata() {
            self.on_metadata_opening(turn, completion);
            return;
        }
        if let Some(controller) = &mut self.controller {
            controller.on_completion(turn.now, completion, turn.ops);
        }
        self.grant_wishes(turn);
        self.maybe_end_stop(turn);
    }

    pub(super) fn on_controller_due(&mut self, turn: &mut Turn) {
        self.life.controller_deadline = None;
        if self.life.start.is_reading_metadata() {
            self.on_metadata_due(turn);
            return;
        }
        if let Some(controller) = &mut self.controller {
            controller.on_timer(turn.now, turn.ops);
        }
        self.grant_wishes(turn);
    }

    pub(super) fn on_admin_ask(
        &mut self,
        turn: &mut Turn,
        ticket: Ticket,
        ask: (AdminAsk, Option<Charge>),
    ) {
        if let Some(controller) = &mut self.controller {
            controller.ask(turn.now, turn.ops, ticket, ask);
        }
        self.grant_wishes(turn);
    }

    /// Does what the controller wants done.
    fn grant_wishes(&mut self, turn: &mut Turn) {
        let wishes = self.controller.as_mut().map(Controller::take_wishes).unwrap_or_default();
        for wish in wishes {
            match wish {
                Wish::Answer(ticket, answer, wait_ms) => {
                    if self.quotas.is_active {
                        self.tell_quota_use_soon(turn.now.mono);
                    }
                    self.send(ticket.origin, Letter::AdminAnswer { ticket, answer, wait_ms });
                }
                Wish::Publish(image, delta) => self.send_all(|| {
                    Letter::Life(LifeLetter::Image(Arc::clone(&image), Arc::clone(&delta)))
                }),
                Wish::Registered => {
                    self.send_all(|| Letter::Life(LifeLetter::Serve));
                }
                Wish::End(reason) => {
                    // The others end with it, as if killed: who would tell them that they may?
                    self.send_all(|| Letter::Life(LifeLetter::Exit));
                    self.fail_start(reason);
                }
            }
        }
        let log = self.controller.as_mut().and_then(Controller::log_mut);
        let deadline = log.and_then(|log| log.next_deadline());
        self.set_controller_deadline(turn, deadline);
    }

    /// Wakes whoever has the metadata log for its timer.
    fn set_controller_deadline(&mut self, turn: &Turn, deadline: Option<Mono>) {
        // In the future in any case: deadlines that are due are worked off in a loop.
        let soonest = turn.now.mono.plus_ms(1);
        let deadline = deadline.map(|at| at.max(soonest));
        if deadline != self.life.controller_deadline {
            if let Some(old) = std::mem::replace(&mut self.life.controller_deadline, deadline) {
                self.deadlines.remove(old, Due::Controller);
            }
            if let Some(new) = deadline {
                self.deadlines.add(new, Due::Controller);
            }
        }
    }

    /// Goes on to the next phase if what this one waits for is there. True if it did.
    pub(super) fn advance_life(&mut self, turn: &mut Turn) -> bool {
        let is_opening = self.life.phase == Phase::Opening;
        if is_opening && self.open_more(turn) {
            return true;
        }
        if is_opening && self.partitions.opening == 0 {
            self.begin_renewal(turn);
            return true;
        }
        self.maybe_close_logs(turn)
    }

    /// Shard 0: the partitions of all shards are open.
    fn on_shard_ready(&mut self, turn: &mut Turn) {
        self.life.shards_left -= 1;
        if self.life.shards_left > 0 {
            return;
        }
        self.life.shards_left = self.setup.shards;
        self.remove_extra_checkpoints(turn);
    }

    /// Shard 0: the broker is registered.
    fn register(&mut self, turn: &mut Turn) {
        let directories = std::mem::take(&mut self.life.directory_ids);
        if let Some(controller) = &mut self.controller {
            controller.register(turn.now, turn.ops, directories);
        }
        self.grant_wishes(turn);
    }

    /// From here on clients are served.
    fn serve(&mut self, turn: &mut Turn) {
        // The second time it is the registration that a full disk put off.
        if self.life.phase >= Phase::Serving {
            return;
        }
        self.life.phase = Phase::Serving;
        self.counters.serving.set(1);
        self.start_all_clients(turn);
        let now = turn.now.mono;
        self.deadlines.add(now.plus_ms(self.setup.initial_task_delay_ms), Due::Retention);
        self.deadlines.add(now.plus_ms(self.setup.checkpoint_ms), Due::Checkpoint);
        if self.id == ShardId(0) {
            self.begin_offset_files(turn);
        }
        self.begin_compactions(turn);
    }

    /// Writes the shard's checkpoint, unless one is being written.
    pub(super) fn on_checkpoint_due(&mut self, turn: &mut Turn) {
        let is_writing = self.life.writes.contains_key(&files::SHARD_CHECKPOINT_JOB);
        if !is_writing && !self.is_stopping() && self.partitions.is_changed {
            self.partitions.is_changed = false;
            self.begin_checkpoint(turn);
        }
        self.pursue_put_off(turn);
        self.deadlines.add(turn.now.mono.plus_ms(self.setup.checkpoint_ms), Due::Checkpoint);
    }

    /// What a later start needs to open this shard's logs without reading them.
    fn shard_checkpoint(&self) -> ShardCheckpoint {
        let partitions = self
            .partitions
            .iter()
            .filter_map(|partition| {
                let dir = partition.log.spec().dir.to_string_lossy().into_owned();
                let checkpoint = match &partition.opening {
                    Some(opening) => opening.carried()?,
                    None => partition.log.checkpoint(),
                };
                Some((dir, partition.id.topic.0, checkpoint))
            })
            .collect();
        ShardCheckpoint { boot_id: self.setup.boot_id, partitions }
    }
}

/// A token of this shard's life.
const fn token(seq: u32) -> Token {
    Token { owner: LIFE_OWNER, seq }
}

/// Opens a file that is made anew.
fn create<M>(seq: u32, path: std::path::PathBuf) -> Op<M> {
    Op::Open { token: token(seq), path, mode: OpenMode::Create }
}

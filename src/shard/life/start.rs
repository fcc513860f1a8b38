//! The start, on shard 0: from what the log dirs hold to a cluster image and open partitions.
//!
//! One stage after the other; a stage emits its file operations and ends when all have completed.
//! Anything that makes it unsafe to go on ends the process with a message that says what to do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use millrace_engine::checkpoint_file::{
    CLEANER_FILE, HIGH_WATERMARK_FILE, LOG_START_FILE, OffsetEntry, RECOVERY_POINT_FILE,
    read_offsets,
};
use millrace_engine::partition_metadata::{
    CLEAN_SHUTDOWN_FILE, META_PROPERTIES_FILE, MetaProperties, read_meta_properties,
    write_meta_properties,
};
use millrace_engine::{
    Log, LogConfig, LogEvent, LogSpec, Offset, Opening, ReadOutcome, ReadRequest,
};
use millrace_engine::{PartitionCheckpoint, ShardCheckpoint};
use millrace_io::{Completion, IoError, IoErrorKind, Op, Token};
use millrace_replication::{Image, ImageDraft};
use millrace_wire::Uuid;

use super::super::{CONTROLLER_OWNER, METADATA_OWNER, Shard, Turn};
use super::put_off::Job;
use super::strays::Suspect;
use super::{LifeLetter, Phase, token};
use crate::controller;
use crate::mail::{Letter, Mail, PartitionId};
use crate::metadata_snapshot;
use crate::setup::{METADATA_FOLDER, METADATA_LEADER_EPOCH};

/// Bound on a text file that is read whole, bytes: offsets of some hundred thousand partitions.
pub(super) const TEXT_BYTES_MAX: u32 = 64 << 20;
/// Bound on a shard checkpoint or a metadata snapshot, bytes.
const ARCHIVE_BYTES_MAX: u32 = 1 << 30;
/// What the metadata log has reserved ahead of its end, bytes: thousands of small records.
const METADATA_RESERVE_BYTES: u64 = 256 << 10;
/// Bytes of the metadata log that are read at once.
const REPLAY_BYTES: u32 = 4 << 20;

/// What the last process left, for opening logs quickly. The same for all shards.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Per log dir: the folders in it.
    pub(crate) folders: Vec<BTreeSet<String>>,
    /// Folders that are of no partition and could not be renamed: log dir and name.
    pub(crate) occupied: BTreeSet<(usize, String)>,
    /// Per log dir: whether the last process stopped cleanly.
    clean: Vec<bool>,
    /// There are checkpoints of Millrace's own: the last process here was not Kafka's.
    has_checkpoints: bool,
    /// By folder path: topic id, whether the machine has not restarted since, and the state.
    checkpoints: BTreeMap<String, (Uuid, bool, PartitionCheckpoint)>,
    /// Kafka's recovery points, by log dir, topic and partition.
    recovery_points: BTreeMap<(usize, String, i32), Offset>,
    log_starts: BTreeMap<(usize, String, i32), Offset>,
    high_watermarks: BTreeMap<(usize, String, i32), Offset>,
    cleaned: BTreeMap<(usize, String, i32), Offset>,
}

impl Known {
    /// Whether the last process left a checkpoint of a folder, for the topic of this id.
    pub(super) fn vouches_for(&self, folder: &str, topic: Uuid) -> bool {
        self.checkpoints.get(folder).is_some_and(|(known, ..)| *known == topic)
    }

    /// How a partition's log is to be opened.
    ///
    /// Kafka's files tell of topics by name. They may be older than the topic that has the name now,
    /// and tell of another that was deleted: of a log start and a recovery point that are not this
    /// log's. So they count only where all of them were written at a clean stop, or where Kafka wrote
    /// them, which rewrites them when it deletes; else a checkpoint of ours does, by the topic's id.
    pub(crate) fn opening(
        &self,
        dir: usize,
        folder: &str,
        (topic, id): (&str, PartitionId),
    ) -> Opening {
        let key = (dir, topic.to_owned(), id.index);
        let offset = |map: &BTreeMap<_, Offset>| map.get(&key).copied().unwrap_or(Offset(0));
        let checkpoint = self.checkpoints.get(folder).filter(|(topic, ..)| *topic == id.topic);
        let is_clean = self.clean.get(dir).copied().unwrap_or(false);
        let mut opening = Opening {
            is_clean,
            is_same_boot: checkpoint.is_some_and(|(_, same_boot, _)| *same_boot),
            checkpoint: checkpoint.map(|(_, _, checkpoint)| checkpoint.clone()),
            ..Opening::default()
        };
        if is_clean || !self.has_checkpoints {
            opening.recovery_point = offset(&self.recovery_points);
            opening.log_start = offset(&self.log_starts);
            opening.high_watermark = offset(&self.high_watermarks);
            opening.cleaned_to = offset(&self.cleaned);
        } else if let Some((_, _, checkpoint)) = checkpoint {
            opening.high_watermark = Offset(checkpoint.high_watermark);
            // This one is rewritten when a topic is deleted.
            opening.cleaned_to = offset(&self.cleaned);
        }
        opening
    }

    /// Whether a shard's checkpoint could outlive what it tells of, and so has to be replaced before
    /// anything is appended; see `renewal.rs`.
    pub(super) fn has_stale_checkpoints(&self, shards: u16) -> bool {
        let found = self.checkpointed_shards();
        let is_clean = self.clean.iter().all(|clean| *clean);
        !found.is_empty() && (!is_clean || !found.iter().copied().eq(0..shards))
    }

    /// The shards of which there is a checkpoint file.
    pub(super) fn checkpointed_shards(&self) -> BTreeSet<u16> {
        let names = self.folders.first().into_iter().flatten();
        names.filter_map(|name| super::files::checkpointed_shard(name)).collect()
    }

    /// Up to where logs are compacted, as far as their topics are in the image.
    pub(crate) fn cleaned_in(&self, image: &Image) -> BTreeMap<(usize, Arc<str>, i32), Offset> {
        let is_there = |topic: &str, index: i32| {
            image.topic(topic).is_some_and(|topic| topic.partition(index).is_some())
        };
        let cleaned = self.cleaned.iter().filter(|((_, topic, index), _)| is_there(topic, *index));
        let named = |((dir, topic, index), offset): (&(usize, String, i32), &Offset)| {
            ((*dir, Arc::from(topic.as_str()), *index), *offset)
        };
        cleaned.map(named).collect()
    }
}

/// The stage that the start is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    ReadProperties,
    MakeFolders,
    WriteProperties,
    Look,
    Read,
    Metadata,
    Replay,
    Strays,
    Rename,
    SyncDirs,
    Done,
}

/// What an op of the start was for. The discriminants make the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Properties,
    Folder,
    Entries,
    Marker,
    RecoveryPoints,
    LogStarts,
    HighWatermarks,
    Cleaned,
    Checkpoint,
    MetadataEntries,
    Snapshot,
    PartitionMetadata,
    Removed,
}

/// The start of shard 0.
#[derive(Debug, Default)]
pub(super) struct Start {
    stage: Stage,
    /// Ops under way: what, and of which log dir.
    pending: BTreeMap<u32, (What, usize)>,
    seq: u32,
    properties: Vec<Option<MetaProperties>>,
    pub(super) known: Known,
    /// Folders in the log dirs.
    pub(super) folders: Vec<(usize, String)>,
    /// Folders whose topic id is being read, by the number of the op.
    pub(super) suspects: BTreeMap<u32, Suspect>,
    /// What may follow later if the disk is full, by the number of the op.
    pub(super) deferrable: BTreeMap<u32, Job>,
    /// Folders of no partition, and the log dirs in which such were renamed.
    pub(super) strays: Vec<(usize, String)>,
    pub(super) renamed_in: BTreeSet<usize>,
    /// Newest metadata snapshot: end offset and file name.
    snapshot: Option<(i64, String)>,
    log: Option<Log>,
    draft: Option<ImageDraft>,
    /// The cluster as the log leaves it.
    pub(super) image: Option<Arc<Image>>,
    /// Offset of the next batch of the metadata log to replay.
    replay_at: i64,
}

impl Start {
    /// True while the metadata log is opened and read here.
    pub(super) const fn is_reading_metadata(&self) -> bool {
        self.log.is_some()
    }
}

impl Shard {
    pub(super) fn begin_start(&mut self, turn: &mut Turn) {
        let dirs = self.setup.log_dirs.len();
        let start = &mut self.life.start;
        start.properties = (0..dirs).map(|_| None).collect();
        start.known.folders = (0..dirs).map(|_| BTreeSet::new()).collect();
        start.known.clean = vec![false; dirs];
        for dir in 0..dirs {
            let path = self.setup.log_dirs[dir].path.join(META_PROPERTIES_FILE);
            self.start_op(turn, What::Properties, dir, |token| Op::ReadWhole {
                token,
                path,
                length_max: TEXT_BYTES_MAX,
            });
        }
    }

    pub(super) fn start_op(
        &mut self,
        turn: &mut Turn,
        what: What,
        dir: usize,
        op: impl FnOnce(Token) -> Op<Mail>,
    ) -> u32 {
        let start = &mut self.life.start;
        start.seq += 1;
        start.pending.insert(start.seq, (what, dir));
        let seq = start.seq;
        turn.ops.push(op(token(seq)));
        seq
    }

    /// Ends the process, at its start or later: going on would lose or invent data.
    pub(in crate::shard) fn fail_start(&mut self, reason: String) {
        self.failure.get_or_insert(reason);
        self.life.phase = Phase::Finished;
    }

    pub(super) fn on_start_completion(&mut self, turn: &mut Turn, completion: Completion<Mail>) {
        let (token, outcome) =
            match completion {
                Completion::Read { token, result } => (token, Outcome::Read(result)),
                Completion::Done { token, result } => (token, Outcome::Done(result)),
                Completion::Listed { token, result } => (
                    token,
                    Outcome::Listed(result.map(|entries| {
                        entries.into_iter().map(|it| (it.name, it.is_dir)).collect()
                    })),
                ),
                Completion::Opened { .. }
                | Completion::Wrote { .. }
                | Completion::Computed { .. }
                | Completion::Accepted { .. }
                | Completion::Received { .. }
                | Completion::Filled { .. }
                | Completion::Sent { .. }
                | Completion::Closed { .. }
                | Completion::Mail { .. }
                | Completion::Stop => return,
            };
        let Some((what, dir)) = self.life.start.pending.remove(&token.seq) else { return };
        let job = self.life.start.deferrable.remove(&token.seq);
        if let Some(job) = job
            && let Outcome::Done(Err(error)) = &outcome
            && error.kind == IoErrorKind::NoSpace
        {
            self.put_off(job);
        } else if let Some(suspect) = self.life.start.suspects.remove(&token.seq) {
            // Without the file it is ours; see strays.rs.
            if let Outcome::Read(Ok(content)) = &outcome {
                self.on_suspect(suspect, content);
            }
        } else if let Err(reason) = self.on_start_outcome(what, dir, outcome) {
            self.fail_start(reason);
            return;
        }
        if self.life.start.pending.is_empty() && self.failure.is_none() {
            self.next_stage(turn);
        }
    }

    fn on_start_outcome(&mut self, what: What, dir: usize, outcome: Outcome) -> Result<(), String> {
        let path = self.setup.log_dirs[dir].path.display().to_string();
        let start = &mut self.life.start;
        match (what, outcome) {
            (_, Outcome::Read(Err(error)) | Outcome::Done(Err(error)))
                if error.kind != IoErrorKind::NotFound =>
            {
                let advice = match error.kind {
                    IoErrorKind::NoSpace => "; make room on its disk and start again",
                    IoErrorKind::Exhausted => "; raise LimitNOFILE (ulimit -n) and start again",
                    IoErrorKind::NotFound
                    | IoErrorKind::Exists
                    | IoErrorKind::Device
                    | IoErrorKind::Disconnected
                    | IoErrorKind::Other => "",
                };
                return Err(format!("{path}: {what:?} failed: {error}{advice}"));
            }
            (_, Outcome::Listed(Err(error))) if what != What::MetadataEntries => {
                return Err(format!("{path}: cannot be listed: {error}"));
            }
            (What::Properties, Outcome::Read(Ok(bytes))) => {
                let properties = read_meta_properties(&bytes)
                    .map_err(|error| format!("{path}/{META_PROPERTIES_FILE}: {error}"))?;
                start.properties[dir] = Some(properties);
            }
            (What::Entries, Outcome::Listed(Ok(names))) => {
                let folders = names.iter().filter(|(_, is_dir)| *is_dir);
                start.folders.extend(folders.map(|(name, _)| (dir, name.clone())));
                start.known.folders[dir] = names.into_iter().map(|(name, _)| name).collect();
                start.known.has_checkpoints = !start.known.checkpointed_shards().is_empty();
            }
            (What::Marker, Outcome::Read(Ok(_))) => start.known.clean[dir] = true,
            (What::RecoveryPoints, Outcome::Read(Ok(bytes))) => {
                note_offsets(&mut start.known.recovery_points, dir, &bytes);
            }
            (What::LogStarts, Outcome::Read(Ok(bytes))) => {
                note_offsets(&mut start.known.log_starts, dir, &bytes);
            }
            (What::HighWatermarks, Outcome::Read(Ok(bytes))) => {
                note_offsets(&mut start.known.high_watermarks, dir, &bytes);
            }
            (What::Cleaned, Outcome::Read(Ok(bytes))) => {
                note_offsets(&mut start.known.cleaned, dir, &bytes);
            }
            (What::Checkpoint, Outcome::Read(Ok(bytes))) => {
                // A damaged one is no error: partitions are then recovered from their folders.
                if let Ok(checkpoint) = ShardCheckpoint::decode(&bytes) {
                    let same_boot = checkpoint.boot_id == self.setup.boot_id;
                    for (folder, topic, partition) in checkpoint.partitions {
                        let entry = (Uuid(topic), same_boot, partition);
                        start.known.checkpoints.insert(folder, entry);
                    }
                }
            }
            (What::MetadataEntries, Outcome::Listed(Ok(names))) => {
                start.snapshot = names
                    .into_iter()
                    .filter_map(|(name, _)| {
                        metadata_snapshot::parse_name(&name).map(|at| (at, name))
                    })
                    .max();
            }
            (What::Snapshot, Outcome::Read(Ok(bytes))) => {
                let (end, name) = start.snapshot.clone().unwrap_or_default();
                let image = metadata_snapshot::read(end, &bytes)
                    .map_err(|error| format!("{path}/{METADATA_FOLDER}/{name}: {error}"))?;
                start.draft = Some(ImageDraft::new(&image));
                start.replay_at = end;
            }
            _ => {}
        }
        Ok(())
    }

    fn next_stage(&mut self, turn: &mut Turn) {
        let stage = self.life.start.stage;
        self.life.start.stage = match stage {
            Stage::ReadProperties => Stage::MakeFolders,
            Stage::MakeFolders => Stage::WriteProperties,
            Stage::WriteProperties => Stage::Look,
            Stage::Look => Stage::Read,
            Stage::Read => Stage::Metadata,
            Stage::Metadata | Stage::Replay => Stage::Replay,
            Stage::Strays => Stage::Rename,
            Stage::Rename => Stage::SyncDirs,
            Stage::SyncDirs | Stage::Done => Stage::Done,
        };
        match self.life.start.stage {
            Stage::ReadProperties | Stage::Replay | Stage::Strays => {}
            Stage::Rename => self.put_strays_aside(turn),
            Stage::SyncDirs => self.sync_stray_dirs(turn),
            Stage::Done => return self.end_start(),
            Stage::MakeFolders => self.make_folders(turn),
            Stage::WriteProperties => self.write_properties(turn),
            Stage::Look => self.look(turn),
            Stage::Read => self.read_checkpoints(turn),
            Stage::Metadata => self.open_metadata(turn),
        }
        if self.life.start.pending.is_empty()
            && (self.life.start.stage < Stage::Metadata || self.life.start.stage > Stage::Replay)
        {
            self.next_stage(turn);
        }
    }

    fn make_folders(&mut self, turn: &mut Turn) {
        for dir in 0..self.setup.log_dirs.len() {
            let path = self.setup.log_dirs[dir].path.clone();
            self.start_op(turn, What::Folder, dir, |token| Op::MakeDir {
                token,
                path,
                is_new: false,
            });
        }
    }

    /// Checks that all log dirs are of this node and one cluster, and marks new ones as such.
    fn write_properties(&mut self, turn: &mut Turn) {
        let found = self.life.start.properties.iter().flatten().next();
        let chosen = self.setup.cluster_id.clone();
        let cluster_id = match (found.map(|properties| properties.cluster_id.clone()), chosen) {
            (Some(found), Some(chosen)) if found != chosen => {
                let reason = format!(
                    "the log dirs belong to cluster {found}, but cluster.id = {chosen}; point \
                     log.dirs to an empty folder or leave cluster.id out"
                );
                return self.fail_start(reason);
            }
            (Some(found), _) => found,
            (None, Some(chosen)) => chosen,
            (None, None) => self.random.uuid().to_string(),
        };
        self.life.cluster_id = Arc::from(cluster_id.as_str());
        let is_known = self.life.start.properties.iter().any(Option::is_some);
        for dir in 0..self.setup.log_dirs.len() {
            let path = self.setup.log_dirs[dir].path.join(META_PROPERTIES_FILE);
            if let Some(properties) = &self.life.start.properties[dir] {
                if properties.node_id != self.setup.node_id || properties.cluster_id != cluster_id {
                    let reason = format!(
                        "{}: belongs to node {} of cluster {}, this is node {} of cluster \
                         {cluster_id}",
                        path.display(),
                        properties.node_id,
                        properties.cluster_id,
                        self.setup.node_id,
                    );
                    return self.fail_start(reason);
                }
                if let Some(id) = properties.directory_id {
                    self.life.directory_ids.push(id);
                    continue;
                }
            }
            let id = self.random.uuid();
            self.life.directory_ids.push(id);
            let properties = MetaProperties {
                cluster_id: cluster_id.clone(),
                node_id: self.setup.node_id,
                directory_id: Some(id),
            };
            let content = Bytes::from(write_meta_properties(&properties));
            let job = Job::Properties { path: path.clone(), content: content.clone() };
            let write = |token| Op::WriteWhole { token, path, content };
            let seq = self.start_op(turn, What::Folder, dir, write);
            if is_known {
                self.life.start.deferrable.insert(seq, job);
            }
        }
    }

    fn look(&mut self, turn: &mut Turn) {
        for dir in 0..self.setup.log_dirs.len() {
            let path = self.setup.log_dirs[dir].path.clone();
            for (what, file) in [
                (What::Marker, CLEAN_SHUTDOWN_FILE),
                (What::RecoveryPoints, RECOVERY_POINT_FILE),
                (What::LogStarts, LOG_START_FILE),
                (What::HighWatermarks, HIGH_WATERMARK_FILE),
                (What::Cleaned, CLEANER_FILE),
            ] {
                let path = path.join(file);
                self.start_op(turn, what, dir, |token| Op::ReadWhole {
                    token,
                    path,
                    length_max: TEXT_BYTES_MAX,
                });
            }
            self.start_op(turn, What::Entries, dir, |token| Op::List { token, path });
        }
        let path = self.metadata_folder();
        self.start_op(turn, What::MetadataEntries, 0, |token| Op::List { token, path });
    }

    /// Removes the clean-stop markers: from here on a stop is unclean unless it says otherwise.
    fn read_checkpoints(&mut self, turn: &mut Turn) {
        for dir in 0..self.setup.log_dirs.len() {
            let path = self.setup.log_dirs[dir].path.clone();
            if self.life.start.known.clean[dir] {
                let path = path.join(CLEAN_SHUTDOWN_FILE);
                self.start_op(turn, What::Removed, dir, |token| Op::Remove { token, path });
            }
            let names: Vec<String> = self.life.start.known.folders[dir]
                .iter()
                .filter(|name| super::files::checkpointed_shard(name).is_some())
                .cloned()
                .collect();
            for name in names {
                let path = path.join(name);
                self.start_op(turn, What::Checkpoint, dir, |token| Op::ReadWhole {
                    token,
                    path,
                    length_max: ARCHIVE_BYTES_MAX,
                });
            }
        }
        if let Some((_, name)) = self.life.start.snapshot.clone() {
            let path = self.metadata_folder().join(name);
            self.start_op(turn, What::Snapshot, 0, |token| Op::ReadWhole {
                token,
                path,
                length_max: ARCHIVE_BYTES_MAX,
            });
        }
    }

    fn metadata_folder(&self) -> PathBuf {
        self.setup.log_dirs[0].path.join(METADATA_FOLDER)
    }

    fn open_metadata(&mut self, turn: &mut Turn) {
        let config = LogConfig {
            // What the controller has answered must survive the machine, not only the process.
            durability: millrace_engine::Durability::GroupCommit,
            segment_bytes: 64 << 20,
            retention_ms: None,
            preallocate: false,
            // Topics are deleted to make room: that has to be written down on a full disk, too.
            reserve_bytes: METADATA_RESERVE_BYTES,
            ..LogConfig::default()
        };
        let spec = LogSpec {
            owner: METADATA_OWNER,
            dir: self.metadata_folder(),
            topic_id: Uuid(1),
            config: Arc::new(config),
            leader_epoch: millrace_engine::LeaderEpoch(METADATA_LEADER_EPOCH),
        };
        let opening = Opening {
            log_start: Offset(self.life.start.replay_at),
            high_watermark: Offset(self.life.start.replay_at),
            ..Opening::default()
        };
        let mut log = Log::open(spec, opening, turn.now, turn.ops);
        let mut events = Vec::new();
        log.take_events(&mut events);
        self.life.start.log = Some(log);
        self.on_metadata_events(turn, events);
    }

    /// Completions while the metadata log opens and is read.
    pub(super) fn on_metadata_opening(&mut self, turn: &mut Turn, completion: Completion<Mail>) {
        if let Completion::Read { token, result } = &completion
            && token.owner == CONTROLLER_OWNER
        {
            self.replay_metadata(turn, result.clone());
            return;
        }
        let mut events = Vec::new();
        if let Some(log) = &mut self.life.start.log {
            log.on_completion(turn.now, completion, turn.ops, &mut events);
            let deadline = log.next_deadline().filter(|_| !log.is_running());
            self.set_controller_deadline(turn, deadline);
        }
        self.on_metadata_events(turn, events);
    }

    /// The metadata log waited for descriptors or memory to open.
    pub(super) fn on_metadata_due(&mut self, turn: &mut Turn) {
        let mut events = Vec::new();
        if let Some(log) = &mut self.life.start.log {
            log.on_timer(turn.now, turn.ops);
            log.take_events(&mut events);
        }
        self.on_metadata_events(turn, events);
    }

    fn on_metadata_events(&mut self, turn: &mut Turn, events: Vec<LogEvent>) {
        for event in events {
            match event {
                LogEvent::Ready(report) => {
                    if let Some(cut) = report.cut {
                        let note =
                            format!("metadata log: cut {} bytes: {:?}", cut.bytes, cut.reason);
                        self.life.notes.push(note);
                    }
                    let start = &mut self.life.start;
                    start.stage = Stage::Replay;
                    if let Some(log) = &mut start.log {
                        keep_epoch(log);
                    }
                    start.draft.get_or_insert_with(|| ImageDraft::new(&Image::empty()));
                    self.read_metadata(turn);
                }
                LogEvent::ReadReady { outcome, .. } => self.on_metadata_plan(turn, outcome),
                LogEvent::Fatal { reason } => {
                    self.fail_start(format!("the metadata log cannot be opened: {reason}"));
                }
                LogEvent::Corrupt { segment, position, reason } => {
                    self.fail_start(format!(
                        "the metadata log is damaged in segment {segment} at byte {position}: \
                         {reason}; restore it from a copy"
                    ));
                }
                LogEvent::Exhausted { error, .. } => {
                    self.note(format!(
                        "the metadata log cannot be opened yet: {error}; raise LimitNOFILE \
                         (ulimit -n); it is tried again every second"
                    ));
                }
                LogEvent::Appended { .. }
                | LogEvent::AppendFailed { .. }
                | LogEvent::TimestampReady { .. }
                | LogEvent::CommittedAdvanced
                | LogEvent::LogStartAdvanced
                | LogEvent::Compaction(_)
                | LogEvent::SpaceGone
                | LogEvent::SpaceBack
                | LogEvent::Closed
                | LogEvent::Deleted => {}
            }
        }
    }

    /// Reads the next piece of the metadata log, or goes on to the partitions at its end.
    fn read_metadata(&mut self, turn: &mut Turn) {
        let start = &mut self.life.start;
        let Some(log) = &mut start.log else { return };
        let committed = log.committed_offset().max(log.written_offset());
        log.set_high_watermark(committed);
        start.replay_at = start.replay_at.max(log.log_start_offset().0);
        if start.replay_at >= log.written_offset().0 {
            self.end_replay(turn);
            return;
        }
        let request = ReadRequest {
            offset: Offset(start.replay_at),
            limit: log.written_offset(),
            bytes_max: REPLAY_BYTES,
            at_least_one_batch: true,
            ticket: 0,
        };
        let outcome = log.read(turn.now, request, turn.ops);
        self.on_metadata_plan(turn, outcome);
    }

    fn on_metadata_plan(&mut self, turn: &mut Turn, outcome: ReadOutcome) {
        match outcome {
            ReadOutcome::Ready(plan) => turn.ops.push(Op::Read {
                token: Token { owner: CONTROLLER_OWNER, seq: 0 },
                file: plan.file,
                position: plan.position,
                length: plan.length,
            }),
            ReadOutcome::Pending => {}
            ReadOutcome::Empty | ReadOutcome::OutOfRange | ReadOutcome::Failed(_) => {
                self.fail_start(format!("the metadata log cannot be read: {outcome:?}"));
            }
        }
    }

    fn replay_metadata(&mut self, turn: &mut Turn, result: Result<Bytes, IoError>) {
        let start = &mut self.life.start;
        let from = start.replay_at;
        let Some(draft) = &mut start.draft else { return };
        let replayed = result.map_err(|error| error.to_string()).and_then(|bytes| {
            controller::replay(draft, from, &bytes).map_err(|error| error.to_string())
        });
        match replayed {
            Ok(next) if next > from => {
                self.life.start.replay_at = next;
                self.read_metadata(turn);
            }
            Ok(_) => self.fail_start("the metadata log holds no batch where one is due".to_owned()),
            Err(error) => {
                self.fail_start(format!(
                    "the metadata log cannot be replayed behind offset {from}: {error}"
                ));
            }
        }
    }

    /// The image is known: what the log dirs hold is compared with it.
    fn end_replay(&mut self, turn: &mut Turn) {
        let start = &mut self.life.start;
        let Some(draft) = start.draft.take() else { return };
        start.image = Some(draft.finish().0);
        start.stage = Stage::Strays;
        self.look_for_strays(turn);
        if self.life.start.pending.is_empty() {
            self.next_stage(turn);
        }
    }

    /// All shards open their partitions by the image.
    fn end_start(&mut self) {
        let start = &mut self.life.start;
        let (Some(log), Some(image)) = (start.log.take(), start.image.take()) else { return };
        let known = Arc::new(std::mem::take(&mut start.known));
        let metadata_epoch = log.spec().leader_epoch;
        if let Some(controller) = &mut self.controller {
            controller.begin(log, Arc::clone(&image));
        }
        let cluster_id = self.cluster_id();
        self.send_all(|| {
            Letter::Life(LifeLetter::Open {
                image: Arc::clone(&image),
                known: Arc::clone(&known),
                cluster_id: Arc::clone(&cluster_id),
                metadata_epoch,
            })
        });
    }
}

enum Outcome {
    Read(Result<Bytes, IoError>),
    Done(Result<(), IoError>),
    /// Names, and whether they are folders.
    Listed(Result<Vec<(String, bool)>, IoError>),
}

/// Goes on in the epoch the log has reached: one that a Kafka controller wrote is beyond our first,
/// and epochs of a log never fall.
fn keep_epoch(log: &mut Log) {
    if let Some(last) = log.epochs().latest()
        && last.epoch > log.spec().leader_epoch
    {
        log.become_leader(last.epoch);
    }
}

/// Takes what a Kafka checkpoint file says. A damaged one says nothing: logs are then recovered.
fn note_offsets(map: &mut BTreeMap<(usize, String, i32), Offset>, dir: usize, bytes: &[u8]) {
    for OffsetEntry { topic, partition, offset } in read_offsets(bytes).unwrap_or_default() {
        map.insert((dir, topic, partition), offset);
    }
}

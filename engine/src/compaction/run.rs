//! A compaction under way: reads segments, has them judged, writes what is left beside them.
//!
//! ```text
//!            ┌────────── a piece ──────────┐                ┌────────── a piece ─────────┐
//!  begin ─▶ Map: read ─▶ compute (pass 1) ─┴▶ groups ─▶ Clean: read ─▶ compute ─▶ write ─┴▶ Seal
//!                                              ▲                                             │
//!                                    next group│        indexes, sync of `.cleaned`          │
//!                                              └── Swap (`swap.rs`) ◀────────────────────────┘
//!                                              └── Discard, if nothing changed
//! ```
//!
//! One op is under way at a time. After each piece it stops and says so
//! ([`CompactionEvent::Moved`]): the caller lets it go on, as fast as it likes
//! ([`Log::advance_compaction`]). Nothing of the log changes before a swap begins; up to there it
//! can be given up at any moment.
//!
//! What is read and written goes out of the page cache behind it. Reads by others in the range
//! are cold ones meanwhile ([`Log::set_hot_mark`]), so none of them stalls the shard.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use millrace_io::{Computed, FileRef, IoError, Mono, Now, Op, OpenMode, Token, Work};

use super::passes::{
    CleanPiece, LastOffsets, MapPiece, Mapped, PieceEnd, Swept, clean_piece, map_piece,
};
use super::swap::Swap;
use super::txn_index::{TxnIndexes, on_txn_index_read};
use super::{CleanRules, KeyOffsets, MapRules};
use crate::Offset;
use crate::batch::BatchHeader;
use crate::log::{Log, LogEvent, Outcome, Pending, Phase, may_pass};
use crate::segment::{
    CLEANED_SUFFIX, LOG_SUFFIX, LazyFile, OFFSET_INDEX_SUFFIX, SWAP_SUFFIX, Segment,
    TIME_INDEX_SUFFIX, file_name, log_name,
};
use crate::validate::UNPACKED_BYTES_MAX;

/// Bytes of output after which they are sent to the device, and those before them forgotten.
const WRITEBACK_BYTES: u64 = 4 << 20;
/// A dirty part up to this size stays in the page cache between the passes.
const CACHED_BYTES_MAX: u64 = 64 << 20;

/// What a compaction may take.
#[derive(Clone, Copy, Debug)]
pub struct CompactionLimits {
    /// Bounds the map of keys.
    pub map: MapRules,
    /// Bytes read at a time; a larger batch comes whole.
    pub read_bytes: u32,
}

/// What came of a compaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionReport {
    /// Everything below is compacted now.
    pub cleaned_to: Offset,
    /// Bytes read, by both passes.
    pub bytes_read: u64,
    /// Bytes written.
    pub bytes_written: u64,
    /// Records that are gone.
    pub removed_records: u64,
    /// Segments that were looked through, and what became of them.
    pub segments_before: u32,
    /// See `segments_before`.
    pub segments_after: u32,
}

/// What a compaction tells, in [`LogEvent::Compaction`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompactionEvent {
    /// A piece is done; [`Log::advance_compaction`] does the next.
    Moved {
        /// Bytes read since the last time.
        bytes_read: u64,
        /// Bytes written since the last time.
        bytes_written: u64,
    },
    /// It is done.
    Done(CompactionReport),
    /// It was given up, and the log is as it was or compacted in part: its segments went away, or
    /// the log ends.
    GivenUp,
    /// The disk is full or descriptors are short: another time.
    Postponed(IoError),
    /// It cannot be done.
    Failed {
        /// For the operator.
        reason: String,
        /// Whoever computed died over it.
        has_worker_died: bool,
    },
}

/// A compaction under way. See the file's head.
#[derive(Debug)]
pub(crate) struct Compaction {
    limits: CompactionLimits,
    rules: CleanRules,
    /// Where the dirty part begins and where it ends.
    first_dirty: Offset,
    end: Offset,
    /// Away while something is computed.
    keys: Option<KeyOffsets>,
    last_offsets: LastOffsets,
    pub(super) stage: Stage,
    source: Option<Source>,
    /// The segment whose file is being opened.
    opening: Offset,
    /// Groups that are still to be cleaned.
    groups: VecDeque<Vec<Offset>>,
    pub(super) target: Option<Box<Target>>,
    /// An op is under way that it waits for.
    pub(super) has_op: bool,
    /// A swap's sync of the folder could not begin for want of descriptors: not before this.
    pub(crate) retry_at: Option<Mono>,
    is_given_up: bool,
    drops_mapped: bool,
    report: CompactionReport,
    /// Bytes since the caller was told last.
    moved: (u64, u64),
}

#[derive(Debug)]
pub(super) enum Stage {
    Map,
    Clean,
    /// The indexes of the target are being written, then all of it synced.
    Seal,
    Swap(Swap),
    /// What was written is removed: these names are left. Then it goes on or ends.
    Discard(Vec<String>, Then),
}

/// What follows when a target was removed.
#[derive(Debug)]
pub(super) enum Then {
    NextGroup,
    End(CompactionEvent),
}

/// A segment that is being read.
#[derive(Debug)]
struct Source {
    base: Offset,
    file: FileRef,
    position: u64,
    /// Bytes of the segment.
    bytes: u64,
    /// Where its batches from the position on may lie.
    bounds: Range<Offset>,
    /// Bytes to read next, if more than usual: a large batch.
    length: Option<u32>,
}

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Target {
    /// Base offsets of what becomes of it.
    pub(super) sources: Vec<Offset>,
    /// How many of them are read.
    at: usize,
    pub(super) file: Option<FileRef>,
    /// Takes in what is written, index entries too.
    pub(super) segment: Segment,
    /// The batches of the write that is under way.
    writing: Vec<BatchHeader>,
    changed: u64,
    written_back: u64,
    /// Index contents that are still to be written.
    indexes: Vec<(&'static str, Bytes)>,
    pub(super) txn_indexes: TxnIndexes,
}

/// What an op of a compaction was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    SourceOpened,
    SourceRead,
    Mapped,
    Swept,
    TargetOpened,
    TargetEmptied,
    TargetWritten,
    IndexWritten,
    TxnIndexRead,
    TxnIndexWritten,
    TargetSynced,
    Removed,
    Named,
    FolderSynced,
    Settled,
}

/// Why it cannot go on.
pub(super) enum Trouble {
    Io(IoError, &'static str),
    Bad { segment: Offset, position: u64, reason: &'static str },
    Worker,
    Gone,
}

pub(super) type Progress = Result<Next, Trouble>;

/// What comes next.
pub(super) enum Next {
    /// An op was emitted.
    Wait,
    /// A piece is done: the caller decides when it goes on.
    Pause,
    /// On with it at once.
    Go,
    /// It is over.
    End(CompactionEvent),
}

impl Compaction {
    /// True once names are being changed: from there it goes on to the swap's end.
    pub(crate) const fn is_swapping(&self) -> bool {
        matches!(self.stage, Stage::Swap(_))
    }
}

impl Log {
    /// Begins to compact what [`Self::cleanable`] tells. False if there is nothing to do.
    pub fn begin_compaction<M>(
        &mut self,
        now: Now,
        limits: CompactionLimits,
        ops: &mut Vec<Op<M>>,
    ) -> bool {
        let Some(cleanable) = self.cleanable(now) else { return false };
        let retention_ms = self.spec.config.delete_retention_ms;
        let last_offsets = self.producers.iter().filter_map(|(id, entry)| {
            let last = entry.last_batch()?;
            Some((id, last.last_offset))
        });
        self.compaction = Some(Box::new(Compaction {
            limits,
            rules: CleanRules {
                now: now.wall,
                delete_retention_ms: i64::try_from(retention_ms).unwrap_or(i64::MAX),
                limit_bytes: UNPACKED_BYTES_MAX,
                tombstones_below: self.tombstones_kept_from,
            },
            first_dirty: cleanable.first_dirty,
            end: cleanable.end,
            keys: Some(KeyOffsets::new(cleanable.first_dirty, limits.map)),
            last_offsets: Arc::new(last_offsets.collect()),
            stage: Stage::Map,
            source: None,
            opening: Offset(0),
            groups: VecDeque::new(),
            target: None,
            has_op: false,
            retry_at: None,
            is_given_up: false,
            drops_mapped: cleanable.dirty_bytes > CACHED_BYTES_MAX,
            report: CompactionReport::default(),
            moved: (0, 0),
        }));
        let hot_mark = self.hot_mark().max(cleanable.end);
        self.set_hot_mark(hot_mark);
        self.advance_compaction(now, ops);
        true
    }

    /// From now on no compaction that begins removes a tombstone from an offset on; `None`: all go when
    /// their time is over. For whoever keeps a state of the log up to that offset: without the
    /// tombstone it would not learn of the deletion.
    pub fn keep_tombstones_from(&mut self, offset: Option<Offset>) {
        self.tombstones_kept_from = offset.unwrap_or(Offset(i64::MAX));
    }

    /// True while a compaction is under way.
    pub const fn is_compacting(&self) -> bool {
        self.compaction.is_some()
    }

    /// Does the next piece. Harmless if one is under way, or no compaction is.
    pub fn advance_compaction<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        self.with_compaction(now, ops, |log, run, now, ops| {
            if run.has_op { Ok(Next::Wait) } else { log.go_on(run, now, ops) }
        });
    }

    /// Gives a compaction up, unless it is changing names already.
    pub(crate) fn give_up_compaction<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        if let Some(run) = &mut self.compaction {
            run.is_given_up = true;
        }
        self.advance_compaction(now, ops);
        self.pursue_compaction(now, ops);
    }

    /// The log has ended: nothing of a compaction matters any more.
    pub(crate) fn drop_compaction(&mut self) {
        if self.compaction.take().is_some() {
            self.events.push(LogEvent::Compaction(CompactionEvent::GivenUp));
        }
    }

    /// Runs a step with the compaction taken out of the log, and what follows at once from it.
    pub(super) fn with_compaction<M>(
        &mut self,
        now: Now,
        ops: &mut Vec<Op<M>>,
        step: impl FnOnce(&mut Self, &mut Compaction, Now, &mut Vec<Op<M>>) -> Progress,
    ) {
        let Some(mut run) = self.compaction.take() else { return };
        let mut progress = step(self, &mut run, now, ops);
        loop {
            let may_stop = !run.is_swapping() && !matches!(run.stage, Stage::Discard(..));
            progress = match progress {
                Ok(Next::Pause | Next::Go) if run.is_given_up && may_stop => Err(Trouble::Gone),
                Ok(Next::Go) => self.go_on(&mut run, now, ops),
                Ok(Next::Pause) => {
                    let (bytes_read, bytes_written) = std::mem::take(&mut run.moved);
                    let moved = CompactionEvent::Moved { bytes_read, bytes_written };
                    self.events.push(LogEvent::Compaction(moved));
                    break;
                }
                Ok(Next::Wait) => break,
                Ok(Next::End(event)) => {
                    self.events.push(LogEvent::Compaction(event));
                    return;
                }
                Err(trouble) => {
                    let event = self.event_of(trouble);
                    discard(&mut run, Then::End(event));
                    Ok(Next::Go)
                }
            };
        }
        // A step may have failed the log for good.
        if matches!(self.phase, Phase::Running | Phase::Closing) {
            self.compaction = Some(run);
        } else {
            self.events.push(LogEvent::Compaction(CompactionEvent::GivenUp));
        }
    }

    fn event_of(&self, trouble: Trouble) -> CompactionEvent {
        let dir = self.spec.dir.display();
        let (reason, has_worker_died) = match trouble {
            Trouble::Gone => return CompactionEvent::GivenUp,
            Trouble::Io(error, _) if may_pass(error) => return CompactionEvent::Postponed(error),
            Trouble::Io(error, what) => (format!("{what} in {dir} failed: {error}"), false),
            Trouble::Bad { segment, position, reason } => {
                let place = format!("byte {position} of segment {segment} in {dir}");
                (format!("{place} holds {reason}"), false)
            }
            Trouble::Worker => (format!("the thread that computed for {dir} died of it"), true),
        };
        CompactionEvent::Failed { reason, has_worker_died }
    }

    pub(super) fn compaction_op<M>(
        &mut self,
        run: &mut Compaction,
        step: Step,
        ops: &mut Vec<Op<M>>,
        op: impl FnOnce(Token) -> Op<M>,
    ) -> Progress {
        run.has_op = true;
        let token = self.wires.token(Pending::Compaction(step));
        ops.push(op(token));
        Ok(Next::Wait)
    }

    /// One of its ops ended.
    pub(crate) fn on_compaction<M>(
        &mut self,
        now: Now,
        step: Step,
        outcome: Outcome,
        ops: &mut Vec<Op<M>>,
    ) {
        self.with_compaction(now, ops, |log, run, now, ops| {
            run.has_op = false;
            match step {
                Step::SourceOpened => log.on_source_opened(run, outcome.opened()),
                Step::SourceRead => log.on_source_read(run, outcome.read(), ops),
                Step::Mapped => on_mapped(run, outcome.computed(), ops),
                Step::Swept => log.on_swept(run, outcome.computed(), ops),
                Step::TargetOpened => log.on_target_opened(run, outcome.opened(), ops),
                Step::TargetEmptied => done(outcome.done(), "emptying a segment's copy"),
                Step::TargetWritten => log.on_target_written(run, outcome.done(), ops),
                Step::IndexWritten => done(outcome.done(), "writing an index"),
                Step::TxnIndexRead => on_txn_index_read(run, outcome.read()),
                Step::TxnIndexWritten => done(outcome.done(), "writing a .txnindex"),
                Step::TargetSynced => on_target_synced(run, outcome.done(), ops),
                // What cannot be removed is found at the next start, or written over.
                Step::Removed => Ok(Next::Go),
                Step::Named | Step::FolderSynced | Step::Settled => {
                    log.on_swap_step(now, run, step, outcome.done(), ops)
                }
            }
        });
    }

    /// The next thing to do, no op being under way.
    fn go_on<M>(&mut self, run: &mut Compaction, now: Now, ops: &mut Vec<Op<M>>) -> Progress {
        if run.is_given_up && !run.is_swapping() && !matches!(run.stage, Stage::Discard(..)) {
            return Err(Trouble::Gone);
        }
        match &mut run.stage {
            Stage::Map => self.map_on(run, ops),
            Stage::Clean => self.clean_on(run, ops),
            Stage::Seal => self.seal_on(run, ops),
            Stage::Swap(_) => self.swap_segments_on(run, now, ops),
            Stage::Discard(names, _) => {
                if let Some(name) = names.pop() {
                    let path = self.spec.dir.join(name);
                    let remove = |token| Op::Remove { token, path };
                    return self.compaction_op(run, Step::Removed, ops, remove);
                }
                match std::mem::replace(&mut run.stage, Stage::Clean) {
                    Stage::Discard(_, Then::End(event)) => Ok(Next::End(event)),
                    Stage::Discard(_, Then::NextGroup)
                    | Stage::Map
                    | Stage::Clean
                    | Stage::Seal
                    | Stage::Swap(_) => Ok(Next::Go),
                }
            }
        }
    }

    /// Pass 1: the next piece of the dirty part, or its end.
    fn map_on<M>(&mut self, run: &mut Compaction, ops: &mut Vec<Op<M>>) -> Progress {
        if let Some(source) = &run.source
            && source.position < source.bytes
        {
            return self.read_source(run, ops);
        }
        let next = match run.source.take() {
            Some(source) => self.base_behind(source.base),
            None => self.segments.get(self.segment_index_of(run.first_dirty)).map(base_of),
        };
        match next {
            Some(base) if base < run.end => self.open_source(run, base, ops),
            Some(_) | None => {
                if let Some(keys) = &mut run.keys {
                    keys.close(run.end);
                }
                self.end_mapping(run);
                Ok(Next::Go)
            }
        }
    }

    fn base_behind(&self, base: Offset) -> Option<Offset> {
        let index = self.segments.partition_point(|segment| segment.base_offset <= base);
        self.segments.get(index).map(base_of)
    }

    fn end_mapping(&self, run: &mut Compaction) {
        run.source = None;
        let end = run.keys.as_ref().map_or(run.end, KeyOffsets::end_offset);
        run.end = end;
        run.report.cleaned_to = end;
        run.groups = self.compaction_groups(end).into();
        run.stage = Stage::Clean;
    }

    fn open_source<M>(
        &mut self,
        run: &mut Compaction,
        base: Offset,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        run.opening = base;
        let path = self.spec.dir.join(log_name(base));
        self.compaction_op(run, Step::SourceOpened, ops, |token| Op::Open {
            token,
            path,
            mode: OpenMode::Read,
        })
    }

    fn on_source_opened(
        &mut self,
        run: &mut Compaction,
        result: Result<(FileRef, u64), IoError>,
    ) -> Progress {
        let base = run.opening;
        // Retention may have taken it meanwhile, name and all.
        let Some(index) = self.segment_index(base) else { return Err(Trouble::Gone) };
        let (segment, bounds) = (&self.segments[index], base..self.segment_end(index));
        let (file, length) = result.map_err(|error| Trouble::Io(error, "opening a segment"))?;
        let bytes = segment.bytes;
        if length < bytes {
            let reason = "less than it should";
            return Err(Trouble::Bad { segment: base, position: length, reason });
        }
        run.source = Some(Source { base, file, position: 0, bytes, bounds, length: None });
        Ok(Next::Go)
    }

    fn read_source<M>(&mut self, run: &mut Compaction, ops: &mut Vec<Op<M>>) -> Progress {
        let Some(source) = &run.source else { return Err(Trouble::Gone) };
        if self.segment_mut(source.base).is_none() {
            return Err(Trouble::Gone);
        }
        let left = u32::try_from(source.bytes - source.position).unwrap_or(u32::MAX);
        let length = source.length.unwrap_or(run.limits.read_bytes).min(left);
        let (file, position) = (source.file.clone(), source.position);
        self.compaction_op(run, Step::SourceRead, ops, |token| Op::ReadBehind {
            token,
            file,
            position,
            length,
        })
    }

    fn on_source_read<M>(
        &mut self,
        run: &mut Compaction,
        result: Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let bytes = result.map_err(|error| Trouble::Io(error, "reading a segment"))?;
        run.moved.0 += bytes.len() as u64;
        run.report.bytes_read += bytes.len() as u64;
        let Some(source) = &run.source else { return Err(Trouble::Gone) };
        let bounds = source.bounds.clone();
        let Some(keys) = run.keys.take() else { return Err(Trouble::Worker) };
        if matches!(run.stage, Stage::Map) {
            let (from, limit_bytes) = (run.first_dirty, run.rules.limit_bytes);
            let work = Work::new(MapPiece { keys, bytes, bounds, from, limit_bytes }, map_piece);
            return self.compaction_op(run, Step::Mapped, ops, |token| Op::Compute { token, work });
        }
        let last_offsets = Arc::clone(&run.last_offsets);
        let piece = CleanPiece { keys, bytes, bounds, last_offsets, rules: run.rules };
        let work = Work::new(piece, clean_piece);
        self.compaction_op(run, Step::Swept, ops, |token| Op::Compute { token, work })
    }

    /// Pass 2: the next piece of a group, the next group, or the end.
    fn clean_on<M>(&mut self, run: &mut Compaction, ops: &mut Vec<Op<M>>) -> Progress {
        let Some(target) = &mut run.target else { return self.next_group(run, ops) };
        if let Some(source) = &run.source {
            if source.position < source.bytes {
                return self.read_source(run, ops);
            }
            target.at += 1;
            run.source = None;
        }
        match target.sources.get(target.at).copied() {
            Some(base) if self.segment_mut(base).is_some() => self.open_source(run, base, ops),
            Some(_) => Err(Trouble::Gone),
            None => self.end_group(run),
        }
    }

    fn next_group<M>(&mut self, run: &mut Compaction, ops: &mut Vec<Op<M>>) -> Progress {
        while let Some(mut sources) = run.groups.pop_front() {
            // Retention may have taken some meanwhile.
            sources.retain(|base| self.segment_mut(*base).is_some());
            let Some(base) = sources.first().copied() else { continue };
            run.report.segments_before += u32::try_from(sources.len()).unwrap_or(u32::MAX);
            run.report.segments_after += 1;
            run.target = Some(Box::new(Target {
                txn_indexes: TxnIndexes::of(&sources),
                sources,
                at: 0,
                file: None,
                segment: Segment::empty(base, 0),
                writing: Vec::new(),
                changed: 0,
                written_back: 0,
                indexes: Vec::new(),
            }));
            let path = self.spec.dir.join(cleaned_name(base, LOG_SUFFIX));
            return self.compaction_op(run, Step::TargetOpened, ops, |token| Op::Open {
                token,
                path,
                mode: OpenMode::Create,
            });
        }
        self.cleaned_to = run.report.cleaned_to;
        Ok(Next::End(CompactionEvent::Done(run.report)))
    }

    fn on_target_opened<M>(
        &mut self,
        run: &mut Compaction,
        result: Result<(FileRef, u64), IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let (file, length) =
            result.map_err(|error| Trouble::Io(error, "making a segment's copy"))?;
        if let Some(target) = &mut run.target {
            target.file = Some(file.clone());
        }
        if length == 0 {
            return Ok(Next::Go);
        }
        // Left by a compaction that was given up and could not remove it.
        let empty = |token| Op::Truncate { token, file, length: 0 };
        self.compaction_op(run, Step::TargetEmptied, ops, empty)
    }

    fn on_swept<M>(
        &mut self,
        run: &mut Compaction,
        result: Result<Computed, IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let swept: Swept = result.ok().and_then(Computed::take).ok_or(Trouble::Worker)?;
        let Swept { keys, used, next, end, kept, chunks, changed, removed_records } = swept;
        run.keys = Some(keys);
        run.report.removed_records += removed_records;
        move_on(run, (used, next), end, ops)?;
        let Some(target) = &mut run.target else { return Err(Trouble::Gone) };
        target.changed += changed;
        let Some(file) = target.file.clone().filter(|_| !chunks.is_empty()) else {
            return Ok(Next::Pause);
        };
        let bytes: u64 = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        target.writing = kept;
        run.moved.1 += bytes;
        run.report.bytes_written += bytes;
        let position = target.segment.bytes;
        self.compaction_op(run, Step::TargetWritten, ops, |token| Op::WriteBehind {
            token,
            file,
            position,
            chunks,
        })
    }

    fn on_target_written<M>(
        &mut self,
        run: &mut Compaction,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        result.map_err(|error| Trouble::Io(error, "writing a segment's copy"))?;
        let interval = self.spec.config.index_interval_bytes;
        let Some(target) = &mut run.target else { return Err(Trouble::Gone) };
        for header in std::mem::take(&mut target.writing) {
            target.segment.take_in(header, interval);
        }
        target.write_back(ops);
        Ok(Next::Pause)
    }

    /// All of a group is read and written.
    fn end_group(&mut self, run: &mut Compaction) -> Progress {
        let Some(target) = &mut run.target else { return Err(Trouble::Gone) };
        if target.changed == 0 && target.sources.len() == 1 {
            discard(run, Then::NextGroup);
            return Ok(Next::Go);
        }
        let last = target.sources.last().copied().unwrap_or_default();
        let Some(last) = self.segment_mut(last) else { return Err(Trouble::Gone) };
        target.segment.touched_ms = last.touched_ms;
        target.segment.index_time();
        let offsets = Bytes::copy_from_slice(target.segment.offsets.begin_flush());
        let times = Bytes::copy_from_slice(target.segment.times.begin_flush());
        target.segment.offsets.end_flush(true);
        target.segment.times.end_flush(true);
        target.indexes = vec![(OFFSET_INDEX_SUFFIX, offsets), (TIME_INDEX_SUFFIX, times)];
        run.stage = Stage::Seal;
        Ok(Next::Go)
    }

    /// The indexes are written one after the other, those of transactions joined, then the batches
    /// synced.
    fn seal_on<M>(&mut self, run: &mut Compaction, ops: &mut Vec<Op<M>>) -> Progress {
        let Some(target) = &mut run.target else { return Err(Trouble::Gone) };
        let base = target.segment.base_offset;
        if let Some((suffix, content)) = target.indexes.pop() {
            let path = self.spec.dir.join(cleaned_name(base, suffix));
            let write = |token| Op::WriteWhole { token, path, content };
            return self.compaction_op(run, Step::IndexWritten, ops, write);
        }
        let file = target.file.clone();
        if let Some(progress) = self.join_txn_indexes(run, ops) {
            return progress;
        }
        let Some(file) = file else { return Err(Trouble::Gone) };
        self.compaction_op(run, Step::TargetSynced, ops, |token| Op::Sync { token, file })
    }

    /// See [`Log::verify`].
    pub(crate) fn verify_compaction(&self) {
        let Some(run) = &self.compaction else { return };
        let (end, written) = (run.end, self.written);
        assert!(end <= written, "{end} is to be compacted, {written} is written");
        if let Some(target) = &run.target {
            assert!(target.sources.is_sorted_by(|a, b| a < b), "sources ascend");
        }
    }
}

/// Pass 1 of a piece is done.
fn on_mapped<M>(
    run: &mut Compaction,
    result: Result<Computed, IoError>,
    ops: &mut Vec<Op<M>>,
) -> Progress {
    let mapped: Mapped = result.ok().and_then(Computed::take).ok_or(Trouble::Worker)?;
    let Mapped { keys, used, next, end } = mapped;
    run.keys = Some(keys);
    if end == PieceEnd::Full {
        // The source is over, whatever it still holds; the rest is for another round.
        if let (Some(source), Some(keys)) = (&mut run.source, &run.keys) {
            source.bytes = source.position;
            run.end = keys.end_offset();
        }
        return Ok(Next::Pause);
    }
    move_on(run, (used, next), end, ops)?;
    Ok(Next::Pause)
}

/// Moves behind the used bytes of a piece; the page cache forgets them.
fn move_on<M>(
    run: &mut Compaction,
    (used, next): (usize, Offset),
    end: PieceEnd,
    ops: &mut Vec<Op<M>>,
) -> Result<(), Trouble> {
    let Some(source) = &mut run.source else { return Err(Trouble::Gone) };
    if used > 0 && (run.drops_mapped || matches!(run.stage, Stage::Clean)) {
        let (file, position) = (source.file.clone(), source.position);
        ops.push(Op::DropCache { file, position, length: used as u64 });
    }
    source.position += used as u64;
    source.bounds.start = next;
    let left = source.bytes - source.position;
    let bad = |reason| Trouble::Bad { segment: source.base, position: source.position, reason };
    source.length = match end {
        PieceEnd::Next { batch_bytes } if left > 0 => {
            // Nothing was used: the next read brings the batch whole, or at least its header.
            match batch_bytes {
                Some(bytes) if bytes as u64 > left => return Err(bad("a batch that is cut off")),
                Some(bytes) if used == 0 => Some(u32::try_from(bytes).unwrap_or(u32::MAX)),
                None if used == 0 => return Err(bad("less than a batch's header")),
                Some(_) | None => None,
            }
        }
        PieceEnd::Next { .. } => None,
        PieceEnd::Full => return Err(bad("more than the map takes")),
        PieceEnd::Bad(reason) => return Err(bad(reason)),
    };
    Ok(())
}

fn on_target_synced<M>(
    run: &mut Compaction,
    result: Result<(), IoError>,
    ops: &mut Vec<Op<M>>,
) -> Progress {
    result.map_err(|error| Trouble::Io(error, "syncing a segment's copy"))?;
    let Some(target) = &mut run.target else { return Err(Trouble::Gone) };
    target.segment.synced_bytes = target.segment.bytes;
    if let Some(file) = target.file.clone() {
        let length = target.segment.bytes;
        ops.push(Op::DropCache { file, position: 0, length });
    }
    run.stage = Stage::Swap(Swap::begin(target.segment.base_offset));
    Ok(Next::Go)
}

/// What is written of the target goes; then what is said.
pub(super) fn discard(run: &mut Compaction, then: Then) {
    run.source = None;
    let names = run.target.take().map_or_else(Vec::new, |target| {
        let base = target.segment.base_offset;
        // Popped from the back: swap names first and the copy of the batches last, for as long as
        // that is there nobody takes one of the others for finished.
        let mut names = vec![cleaned_name(base, LOG_SUFFIX)];
        for suffix in [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] {
            names.push(cleaned_name(base, suffix));
        }
        for suffix in [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] {
            names.push(format!("{}{SWAP_SUFFIX}", file_name(base, suffix)));
        }
        names
    });
    if matches!(then, Then::NextGroup) && !names.is_empty() {
        // Nothing but the copy of the batches was made.
        run.stage = Stage::Discard(names.into_iter().take(1).collect(), then);
    } else {
        run.stage = Stage::Discard(names, then);
    }
}

fn done(result: Result<(), IoError>, what: &'static str) -> Progress {
    result.map(|()| Next::Go).map_err(|error| Trouble::Io(error, what))
}

pub(super) fn cleaned_name(base: Offset, suffix: &str) -> String {
    format!("{}{CLEANED_SUFFIX}", file_name(base, suffix))
}

const fn base_of(segment: &Segment) -> Offset {
    segment.base_offset
}

impl Target {
    /// Sends what was written a while ago to the device, and forgets what was sent before.
    fn write_back<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let Some(file) = &self.file else { return };
        while self.segment.bytes >= self.written_back + 2 * WRITEBACK_BYTES {
            let (position, length) = (self.written_back, WRITEBACK_BYTES);
            ops.push(Op::Writeback { file: file.clone(), position, length });
            if let Some(position) = position.checked_sub(WRITEBACK_BYTES) {
                ops.push(Op::DropCache { file: file.clone(), position, length });
            }
            self.written_back += WRITEBACK_BYTES;
        }
    }

    /// The finished segment, with its file open.
    pub(super) fn into_segment(self) -> Segment {
        let mut segment = self.segment;
        segment.file = self.file.map_or(LazyFile::Closed, LazyFile::Open);
        segment.is_pinned = true;
        segment
    }
}

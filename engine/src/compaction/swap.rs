//! A cleaned segment takes the place of those it was made of.
//!
//! ```text
//!  X.timeindex, X.index, X.log: .cleaned ─▶ .swap   one after the other, the batches last
//!  sync of the folder                               from here on the new segment counts
//!  in memory: the new segment for the old ones      once nobody loads or flushes one of them
//!  the others' files ─▶ .deleted                    removed after file.delete.delay.ms
//!  X.index, X.timeindex, X.log: .swap ─▶ no suffix  over the old files of that name
//! ```
//!
//! A crash at any point leaves one of two things: a `.cleaned` file, and then all of it is removed
//! and the old segments stand; or `.swap` files alone, and then recovery goes on from the fourth
//! line (`recovery/swap.rs`). The old segments are renamed away before the last step, so there is no
//! moment in which two segments hold the same offsets under their final names.
//!
//! Until the last step the new segment is pinned: under its final name lies the old file.

use millrace_io::{IoError, Now, Op};

use super::Compaction;
use super::run::{Next, Progress, Stage, Step, Trouble, cleaned_name};
use crate::Offset;
use crate::append::SPACE_RETRY_MS;
use crate::log::{Log, Pending, Phase, is_exhausted};
use crate::segment::{
    LOG_SUFFIX, LazyFile, OFFSET_INDEX_SUFFIX, SWAP_SUFFIX, Segment, TIME_INDEX_SUFFIX, file_name,
};

/// The files that are renamed; the last one is what makes the swap count.
const NAMES: [&str; 3] = [TIME_INDEX_SUFFIX, OFFSET_INDEX_SUFFIX, LOG_SUFFIX];

/// How far a swap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SwapStep {
    /// So many files have their `.swap` names.
    Naming(usize),
    /// The folder is being synced.
    Committing,
    /// Old segments are still being loaded, flushed or opened.
    Waiting,
    /// The new segment is installed, the old files get `.deleted` names.
    Dooming,
    /// So many files still wait for their final names.
    Settling(usize),
}

/// A swap under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swap {
    /// Base offset of the new segment.
    base: Offset,
    at: SwapStep,
}

impl Swap {
    pub(super) const fn begin(base: Offset) -> Self {
        Self { base, at: SwapStep::Naming(0) }
    }
}

impl Log {
    /// The next step of a swap, no op of it being under way.
    pub(super) fn swap_segments_on<M>(
        &mut self,
        run: &mut Compaction,
        now: Now,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let Stage::Swap(Swap { base, at }) = run.stage else { return Err(Trouble::Gone) };
        match at {
            SwapStep::Naming(count) => {
                let Some(suffix) = NAMES.get(count) else { return Err(Trouble::Gone) };
                let from = self.spec.dir.join(cleaned_name(base, suffix));
                let to = format!("{}{SWAP_SUFFIX}", file_name(base, suffix));
                let to = self.spec.dir.join(to);
                let rename = |token| Op::Rename { token, from, to };
                self.compaction_op(run, Step::Named, ops, rename)
            }
            SwapStep::Committing => {
                run.retry_at = None;
                let path = self.spec.dir.clone();
                let sync = |token| Op::SyncDir { token, path };
                self.compaction_op(run, Step::FolderSynced, ops, sync)
            }
            SwapStep::Waiting => {
                if self.replace_segments(run, now, ops) {
                    run.stage = Stage::Swap(Swap { base, at: SwapStep::Dooming });
                    return Ok(Next::Go);
                }
                Ok(Next::Wait)
            }
            SwapStep::Dooming => {
                let is_doom =
                    |it: &Pending| matches!(it, Pending::Doomed { .. } | Pending::Housekeeping);
                if self.wires.has(is_doom) {
                    return Ok(Next::Wait);
                }
                run.stage = Stage::Swap(Swap { base, at: SwapStep::Settling(NAMES.len()) });
                for suffix in NAMES {
                    let to = self.spec.dir.join(file_name(base, suffix));
                    let from = format!("{}{SWAP_SUFFIX}", file_name(base, suffix));
                    let from = self.spec.dir.join(from);
                    let rename = |token| Op::Rename { token, from, to };
                    self.compaction_op(run, Step::Settled, ops, rename)?;
                }
                Ok(Next::Wait)
            }
            SwapStep::Settling(_) => Ok(Next::Wait),
        }
    }

    pub(super) fn segment_index(&self, base: Offset) -> Option<usize> {
        self.segments.binary_search_by_key(&base, |segment| segment.base_offset).ok()
    }

    /// One of a swap's ops ended.
    pub(super) fn on_swap_step<M>(
        &mut self,
        now: Now,
        run: &mut Compaction,
        step: Step,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) -> Progress {
        let Stage::Swap(Swap { base, at }) = &mut run.stage else { return Err(Trouble::Gone) };
        let base = *base;
        match (&mut *at, result) {
            // Nothing counts yet: what was written goes, the old segments stand.
            (SwapStep::Naming(_), Err(error)) => {
                run.stage = Stage::Clean;
                Err(Trouble::Io(error, "naming a segment's copy"))
            }
            (SwapStep::Naming(count), Ok(())) => {
                *count += 1;
                if *count == NAMES.len() {
                    *at = SwapStep::Committing;
                }
                Ok(Next::Go)
            }
            (SwapStep::Committing, Ok(())) => {
                *at = SwapStep::Waiting;
                Ok(Next::Go)
            }
            // The folder could not be opened: nothing was tried, and it is tried again.
            (SwapStep::Committing, Err(error)) if is_exhausted(error) && self.is_running() => {
                run.retry_at = Some(now.mono.plus_ms(SPACE_RETRY_MS));
                self.note_exhausted("the sync of a compacted segment's names", error);
                Ok(Next::Wait)
            }
            (SwapStep::Settling(left), Ok(())) => {
                *left -= 1;
                if *left > 0 {
                    run.has_op = true;
                    return Ok(Next::Wait);
                }
                self.end_swap(run, base, ops);
                Ok(Next::Pause)
            }
            // The new names count, but not all could be made: what the folder holds is not what is
            // known here. The next start puts it right.
            (_, Err(error)) => {
                let dir = self.spec.dir.display().to_string();
                self.fail(format!("putting a compacted segment into {dir} failed: {error}"));
                Ok(Next::Wait)
            }
            (SwapStep::Waiting | SwapStep::Dooming, Ok(())) => {
                unreachable!("{step:?} belongs to no step that waits for none")
            }
        }
    }

    /// Puts the new segment into the place of the old ones, if nobody is at those.
    fn replace_segments<M>(
        &mut self,
        run: &mut Compaction,
        now: Now,
        ops: &mut Vec<Op<M>>,
    ) -> bool {
        let Some(target) = &run.target else { return false };
        let (base, count) = (target.segment.base_offset, target.sources.len());
        let Some(first) = self.segment_index(base) else { return false };
        let range = first..first + count;
        let is_busy = |segment: &Segment| {
            segment.is_loading
                || segment.is_flushing
                || segment.is_reserving
                || segment.is_trimming
                || matches!(segment.file, LazyFile::Opening)
        };
        let bases = self.segments[range.clone()].iter().map(|segment| segment.base_offset);
        assert!(
            bases.eq(target.sources.iter().copied()),
            "nothing comes between a group's segments"
        );
        if self.segments[range.clone()].iter().any(is_busy) {
            return false;
        }
        let end = self.segment_end(range.end - 1);
        let Some(target) = run.target.take() else { return false };
        self.reader.forget_walks(base, end);
        let segment = target.into_segment();
        let old: Vec<Segment> = self.segments.splice(range, [segment]).collect();
        for segment in old.iter().skip(1) {
            self.doom(now, segment.base_offset, ops);
        }
        drop(old);
        self.drive_jobs(ops);
        true
    }

    /// The new segment has its final names: it is one like all others.
    fn end_swap<M>(&mut self, run: &mut Compaction, base: Offset, ops: &mut Vec<Op<M>>) {
        if let Some(segment) = self.segment_mut(base) {
            segment.is_pinned = false;
        }
        run.stage = Stage::Clean;
        // The next sync, whenever it comes, makes the names durable; recovery can do without.
        self.sync.is_folder_dirty = true;
        if std::mem::take(&mut self.janitor.is_drop_waiting) && self.phase_takes_writes() {
            self.drop_below_start(ops);
        }
    }

    /// Goes on with a swap that waited for something that is no op of its own.
    pub(crate) fn pursue_compaction<M>(&mut self, now: Now, ops: &mut Vec<Op<M>>) {
        let waits = self.compaction.as_ref().is_some_and(|run| {
            let Stage::Swap(swap) = run.stage else { return false };
            let is_due = run.retry_at.is_some_and(|retry_at| now.mono >= retry_at);
            matches!(swap.at, SwapStep::Waiting | SwapStep::Dooming) || is_due
        });
        if waits && matches!(self.phase, Phase::Running | Phase::Closing) {
            self.with_compaction(now, ops, |log, run, now, ops| {
                log.swap_segments_on(run, now, ops)
            });
        }
    }

    /// True while segments are being replaced: none may be dropped meanwhile.
    pub(crate) fn is_swapping(&self) -> bool {
        self.compaction.as_ref().is_some_and(|run| run.is_swapping())
    }
}

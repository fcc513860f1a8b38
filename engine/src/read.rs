//! Reading: from an offset, or a timestamp, to a range of a file. No record passes through here.
//!
//! ```text
//!  offset ─▶ segment ─▶ recent batches (exact, in memory) ──────────────────────▶ ReadPlan
//!                   └─▶ sparse index ─▶ read a few KiB, walk batch headers ─┬───▶ ReadPlan
//!                        (loaded once)                                      └─ cold: Prefetch ─┘
//! ```
//!
//! A tail fetch finds its batch in the ring of recent batches and costs no I/O. Everything else is
//! a job that waits for files, indexes and header bytes and ends in one event.
//!
//! A header on the way that is no batch is corruption below the recovery point: the segment is
//! quarantined from there, [`LogEvent::Corrupt`] tells so, and the read fails.

use std::collections::VecDeque;

use bytes::Bytes;
use millrace_io::{FileRef, IoError, Now, Op};

use crate::Offset;
use crate::batch::{BatchHeader, HEADER_BYTES};
use crate::cold::COLD_READ_BYTES_MAX;
use crate::index::Rebuild;
use crate::log::{Log, LogEvent, Pending, Phase};
use crate::segment::Segment;

mod timestamp;

pub use timestamp::{TimestampOutcome, TimestampedOffset};

/// Recent batches remembered per partition, 8 bytes each, and none once it is idle: 64 MB of tail in
/// 64 KiB batches, which a consumer that lags a little then reads without a search on disk.
pub const RECENT_BATCHES_MAX: usize = 1024;
/// Reads that may wait in one partition.
pub const JOBS_MAX: usize = 4096;
/// The base offset of no segment.
const NO_SEGMENT: Offset = Offset(-1);
/// Bytes read at a time to walk batch headers: an index interval and a header.
const WALK_BYTES: u32 = 8192;

/// What is to be read.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest {
    /// The batch that holds this offset comes first.
    pub offset: Offset,
    /// Nothing at or behind this: the high watermark or the last stable offset. Batches end there.
    pub limit: Offset,
    /// Bound on the answer, bytes.
    pub bytes_max: u32,
    /// The first batch comes whole even if it is larger than `bytes_max`.
    pub at_least_one_batch: bool,
    /// Names the read in [`LogEvent::ReadReady`].
    pub ticket: u64,
}

/// A range of a file that holds the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPlan {
    /// The segment's file; stays readable while this is held, even if retention removes it.
    pub file: FileRef,
    /// First byte.
    pub position: u64,
    /// Bytes; the last batch may be cut off.
    pub length: u32,
    /// Base offset of the first batch: at most the offset asked for, unless that was compacted.
    pub base_offset: Offset,
}

/// What a read gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// Serve this.
    Ready(ReadPlan),
    /// Nothing below the limit, or not even one byte of budget.
    Empty,
    /// An event with the ticket follows.
    Pending,
    /// Below the log's start or above its end. Kafka: 1 OFFSET_OUT_OF_RANGE.
    OutOfRange,
    /// The bytes cannot be served. Kafka: 56 KAFKA_STORAGE_ERROR.
    Failed(ReadError),
}

/// Why bytes cannot be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The log is not open.
    NotReady,
    /// The log failed or is closing.
    Closed,
    /// A file could not be opened or read.
    Io(IoError),
    /// They are no batches; see [`LogEvent::Corrupt`].
    Corrupt,
    /// Too many reads wait ([`JOBS_MAX`]).
    Busy,
}

/// The reading half of a log.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    jobs: Vec<Job>,
    next_job: u32,
    /// Batches at the end of the active segment: base offset relative to the segment's, position.
    /// Contiguous, and the last one ends at the written end.
    recent: VecDeque<(u32, u32)>,
    /// See [`Log::set_hot_mark`].
    pub(crate) hot_from: Offset,
    pub(crate) prefetching_bytes: u64,
    /// Indexes being built anew, by the segment's base.
    pub(crate) rebuilds: Vec<(Offset, Rebuild)>,
}

/// A read or a lookup that waits.
#[derive(Debug)]
struct Job {
    id: u32,
    ticket: u64,
    goal: Goal,
    /// Where the walk over headers stands, if it began: segment and position.
    walk: Option<Walk>,
    /// An op of its own is under way; others' completions do not move it.
    is_waiting: bool,
    /// The range it found is resident.
    warmed: Option<ReadPlan>,
}

#[derive(Clone, Copy, Debug)]
enum Goal {
    Read(ReadRequest),
    Timestamp(timestamp::Search),
}

#[derive(Clone, Copy, Debug)]
struct Walk {
    segment: Offset,
    position: u64,
    /// Of a read: where the first batch starts, its base offset, and its bytes.
    found: Option<(u64, Offset, u64)>,
}

/// What a job came to in one go.
enum Step {
    Wait,
    Read(ReadOutcome),
    Timestamp(TimestampOutcome),
}

impl Reader {
    /// Remembers a batch that was just written at the end of `active`, before it is taken in.
    pub(crate) fn remember(&mut self, active: &Segment, header: &BatchHeader) {
        if self.recent.len() == RECENT_BATCHES_MAX {
            self.recent.pop_front();
        }
        let position = u32::try_from(active.bytes).unwrap_or(u32::MAX);
        self.recent.push_back((active.relative(header.base_offset), position));
    }

    pub(crate) fn forget_recent(&mut self) {
        self.recent.clear();
    }

    /// Segments from `base` to `end` are others now: jobs that were walking through them begin anew.
    pub(crate) fn forget_walks(&mut self, base: Offset, end: Offset) {
        for walk in self.jobs.iter_mut().filter_map(|job| job.walk.as_mut()) {
            if walk.segment >= base && walk.segment < end {
                walk.segment = NO_SEGMENT;
            }
        }
    }

    pub(crate) const fn is_busy(&self) -> bool {
        !self.jobs.is_empty() || !self.rebuilds.is_empty()
    }

    pub(crate) fn is_holding(&self) -> bool {
        self.recent.capacity() > 0
    }

    pub(crate) fn shrink(&mut self) {
        self.recent = VecDeque::new();
        if self.jobs.is_empty() {
            self.jobs = Vec::new();
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.recent.capacity() * size_of::<(u32, u32)>() + self.jobs.capacity() * size_of::<Job>()
    }

    /// Position and bytes of the recent batch that holds `offset`, its base, if it is recent.
    fn recent_batch(&self, active: &Segment, offset: Offset) -> Option<(u64, Offset, u64)> {
        let relative = active.relative(offset);
        let index = self.recent.partition_point(|(base, _)| *base <= relative).checked_sub(1)?;
        let (base, position) = *self.recent.get(index)?;
        let end = self.recent.get(index + 1).map_or(active.bytes, |(_, next)| u64::from(*next));
        let position = u64::from(position);
        Some((position, active.base_offset.plus(i64::from(base)), end - position))
    }

    /// Where the first recent batch at or behind `limit` starts, if that is known.
    fn recent_end(&self, active: &Segment, limit: Offset) -> Option<u64> {
        let relative = active.relative(limit);
        let index = self.recent.partition_point(|(base, _)| *base < relative);
        let is_known = index > 0 || self.recent.front().is_some_and(|(base, _)| *base == relative);
        is_known.then(|| {
            self.recent.get(index).map_or(active.bytes, |(_, position)| u64::from(*position))
        })
    }

    /// The end, not beyond `position + bytes`, of a recent batch that starts behind `position`.
    fn recent_cut(&self, position: u64, bytes: u64) -> Option<u64> {
        let limit = position + bytes;
        let index =
            self.recent.partition_point(|(_, at)| u64::from(*at) <= limit).checked_sub(1)?;
        let (_, at) = *self.recent.get(index)?;
        (u64::from(at) > position).then(|| u64::from(at))
    }
}

impl Log {
    /// Finds where the batches from an offset on lie.
    ///
    /// - Whole batches come back, so the first record may lie before the offset; clients skip.
    /// - One segment at most is answered from.
    pub fn read<M>(&mut self, now: Now, request: ReadRequest, ops: &mut Vec<Op<M>>) -> ReadOutcome {
        if let Some(outcome) = self.answer_without_bytes(&request) {
            return outcome;
        }
        self.last_activity = now.mono;
        self.begin_job(request.ticket, Goal::Read(request), ops).map_or(
            ReadOutcome::Pending,
            |step| match step {
                Step::Read(outcome) => outcome,
                Step::Wait | Step::Timestamp(_) => ReadOutcome::Pending,
            },
        )
    }

    /// As [`Self::read`], if the answer is known without a file operation; else `None`, and nothing
    /// has changed. `request.ticket` is not used.
    pub fn read_recent(&mut self, now: Now, request: ReadRequest) -> Option<ReadOutcome> {
        if let Some(outcome) = self.answer_without_bytes(&request) {
            return Some(outcome);
        }
        let index = self.segments.len().checked_sub(1)?;
        let segment = &self.segments[index];
        if request.offset < segment.base_offset {
            return None;
        }
        let file = segment.file.get()?;
        let found = self.reader.recent_batch(segment, request.offset)?;
        if found.1 < self.reader.hot_from || segment.quarantined_from.is_some() {
            return None;
        }
        let end = self.read_end(index, request, found)?;
        let outcome = match self.bound(request, index, found, end) {
            Some(length) => ReadOutcome::Ready(ReadPlan {
                file: file.clone(),
                position: found.0,
                length,
                base_offset: found.1,
            }),
            None => ReadOutcome::Empty,
        };
        self.last_activity = now.mono;
        self.ticks = self.ticks.wrapping_add(1);
        self.segments[index].last_use = self.ticks;
        Some(outcome)
    }

    /// The answer to a read that gets no bytes, whatever lies in the files.
    fn answer_without_bytes(&self, request: &ReadRequest) -> Option<ReadOutcome> {
        match self.phase {
            Phase::Running => {}
            Phase::Opening(_) => return Some(ReadOutcome::Failed(ReadError::NotReady)),
            Phase::Closing | Phase::Closed | Phase::Failed | Phase::Deleting | Phase::Deleted => {
                return Some(ReadOutcome::Failed(ReadError::Closed));
            }
        }
        if request.offset < self.log_start || request.offset > self.log_end {
            return Some(ReadOutcome::OutOfRange);
        }
        let is_empty = request.offset >= request.limit.min(self.written) || request.bytes_max == 0;
        is_empty.then_some(ReadOutcome::Empty)
    }

    /// Runs a new job as far as it gets; keeps it if it has to wait.
    fn begin_job<M>(&mut self, ticket: u64, goal: Goal, ops: &mut Vec<Op<M>>) -> Option<Step> {
        if self.reader.jobs.len() >= JOBS_MAX {
            return Some(goal.failed(ReadError::Busy));
        }
        self.reader.next_job = self.reader.next_job.wrapping_add(1);
        let id = self.reader.next_job;
        let mut job = Job { id, ticket, goal, walk: None, is_waiting: false, warmed: None };
        match self.drive(&mut job, ops) {
            Step::Wait => {
                self.reader.jobs.push(job);
                None
            }
            step @ (Step::Read(_) | Step::Timestamp(_)) => Some(step),
        }
    }

    /// Moves every job that waits for something shared: a file, an index, room for read-ahead.
    pub(crate) fn drive_jobs<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let jobs = std::mem::take(&mut self.reader.jobs);
        for mut job in jobs {
            if job.is_waiting {
                self.reader.jobs.push(job);
                continue;
            }
            let step = self.drive(&mut job, ops);
            self.end_step(job, step);
        }
    }

    fn end_step(&mut self, job: Job, step: Step) {
        let ticket = job.ticket;
        match step {
            Step::Wait => self.reader.jobs.push(job),
            Step::Read(outcome) => self.events.push(LogEvent::ReadReady { ticket, outcome }),
            Step::Timestamp(outcome) => {
                self.events.push(LogEvent::TimestampReady { ticket, outcome });
            }
        }
    }

    /// Whether the segment that a walk is in was removed while its bytes were on the way. That is
    /// not corruption: the job starts over from where the log starts now.
    fn has_lost_segment(&mut self, job: &Job) -> bool {
        job.walk.is_some_and(|walk| self.segment_mut(walk.segment).is_none())
    }

    fn drive<M>(&mut self, job: &mut Job, ops: &mut Vec<Op<M>>) -> Step {
        if self.has_lost_segment(job) {
            job.walk = None;
        }
        match job.goal {
            Goal::Read(request) => self.drive_read(job, request, ops),
            Goal::Timestamp(search) => self.drive_timestamp(job, search, ops),
        }
    }

    fn drive_read<M>(&mut self, job: &mut Job, request: ReadRequest, ops: &mut Vec<Op<M>>) -> Step {
        if let Some(plan) = job.warmed.take() {
            return Step::Read(ReadOutcome::Ready(plan));
        }
        if let Some(walk) = job.walk {
            return self.walk_on(job, walk, ops);
        }
        if request.offset < self.log_start {
            return Step::Read(ReadOutcome::OutOfRange);
        }
        let index = self.segment_index_of(request.offset);
        if self.file_of(index, ops).is_none() {
            return Step::Wait;
        }
        let segment = &self.segments[index];
        let is_active = index + 1 == self.segments.len();
        if is_active && let Some(found) = self.reader.recent_batch(segment, request.offset) {
            let base = segment.base_offset;
            return self.end_read(job, request, base, found, ops);
        }
        if !segment.is_indexed() {
            self.load_indexes(index, ops);
            return Step::Wait;
        }
        let relative = segment.relative(request.offset);
        let position = u64::from(segment.offsets.position_before(relative));
        let walk = Walk { segment: segment.base_offset, position, found: None };
        self.walk_on(job, walk, ops)
    }

    /// The segment's file; asks for it if it is not open.
    fn file_of<M>(&mut self, index: usize, ops: &mut Vec<Op<M>>) -> Option<FileRef> {
        self.ticks = self.ticks.wrapping_add(1);
        let ticks = self.ticks;
        let segment = self.segments.get_mut(index)?;
        segment.last_use = ticks;
        let file = segment.file.get().cloned();
        if file.is_none() {
            self.open_segment(index, ops);
        }
        file
    }

    /// Reads the next headers of a walk.
    fn walk_on<M>(&mut self, job: &mut Job, walk: Walk, ops: &mut Vec<Op<M>>) -> Step {
        let Ok(index) =
            self.segments.binary_search_by_key(&walk.segment, |segment| segment.base_offset)
        else {
            return job.goal.gone();
        };
        job.walk = Some(walk);
        let Some(file) = self.file_of(index, ops) else {
            return Step::Wait;
        };
        let segment = &self.segments[index];
        let readable = segment.readable_bytes();
        if walk.position >= readable {
            return self.walk_beyond(job, walk, index, ops);
        }
        let left = readable - walk.position;
        let length = u32::try_from(left).unwrap_or(u32::MAX).min(WALK_BYTES);
        job.is_waiting = true;
        let token = self.wires.token(Pending::JobRead { job: job.id });
        ops.push(Op::Read { token, file, position: walk.position, length });
        Step::Wait
    }

    /// A walk reached the end of a segment: what it looks for starts the next one.
    fn walk_beyond<M>(
        &mut self,
        job: &mut Job,
        walk: Walk,
        index: usize,
        ops: &mut Vec<Op<M>>,
    ) -> Step {
        let segment = &self.segments[index];
        if let (Goal::Read(request), Some(found)) = (job.goal, walk.found) {
            return self.plan(job, request, index, found, segment.readable_bytes(), ops);
        }
        if segment.quarantined_from.is_some() {
            return job.goal.failed(ReadError::Corrupt);
        }
        match self.segments.get(index + 1) {
            Some(next) => {
                let walk = Walk { segment: next.base_offset, position: 0, found: None };
                self.walk_on(job, walk, ops)
            }
            None => job.goal.gone(),
        }
    }

    pub(crate) fn on_job_read<M>(
        &mut self,
        id: u32,
        result: Result<Bytes, IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        let Some(index) = self.reader.jobs.iter().position(|job| job.id == id) else {
            return;
        };
        let mut job = self.reader.jobs.swap_remove(index);
        job.is_waiting = false;
        if self.has_lost_segment(&job) {
            let step = self.drive(&mut job, ops);
            self.end_step(job, step);
            return;
        }
        let step = match result {
            Ok(bytes) => match job.goal {
                Goal::Read(request) => self.walk_headers(&mut job, request, &bytes, ops),
                Goal::Timestamp(search) => self.search_headers(&mut job, search, &bytes, ops),
            },
            Err(error) => job.goal.failed(ReadError::Io(error)),
        };
        self.end_step(job, step);
    }

    /// Walks headers in the bytes at the walk's position: first to the batch that holds the
    /// offset, then, if the limit is not the end, to the first batch behind the limit.
    fn walk_headers<M>(
        &mut self,
        job: &mut Job,
        request: ReadRequest,
        bytes: &[u8],
        ops: &mut Vec<Op<M>>,
    ) -> Step {
        let Some(mut walk) = job.walk else {
            return job.goal.gone();
        };
        let mut at = 0;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            if rest.len() < HEADER_BYTES {
                break;
            }
            let header = match self.header_at(walk.segment, walk.position, rest) {
                Ok(header) => header,
                Err(error) => return job.goal.failed(error),
            };
            let total = header.bytes_total();
            match walk.found {
                None if header.next_offset() > request.offset => {
                    let found = (walk.position, header.base_offset, total as u64);
                    walk.found = Some(found);
                    if header.base_offset >= request.limit {
                        return Step::Read(ReadOutcome::Empty);
                    }
                    if self.end_is_known(walk.segment, request, found) {
                        return self.end_read(job, request, walk.segment, found, ops);
                    }
                }
                Some(found) if header.base_offset >= request.limit => {
                    let index = self.segment_index_of(walk.segment);
                    return self.plan(job, request, index, found, walk.position, ops);
                }
                None | Some(_) => {}
            }
            at += total;
            walk.position += total as u64;
        }
        // A segment's last bytes that are shorter than a header are no batch.
        if at == 0 {
            return job.goal.failed(self.quarantine(walk.segment, walk.position, "torn header"));
        }
        self.walk_on(job, walk, ops)
    }

    /// The header at a position, if it can be one.
    fn header_at(
        &mut self,
        base: Offset,
        position: u64,
        bytes: &[u8],
    ) -> Result<BatchHeader, ReadError> {
        let segment_bytes = self.segment_mut(base).map_or(0, |segment| segment.bytes);
        let reason = match BatchHeader::parse(bytes) {
            Ok(header) if position + header.bytes_total() as u64 > segment_bytes => {
                "batch length beyond the segment"
            }
            Ok(header) if header.base_offset < base || header.last_offset_delta < 0 => {
                "offset below the segment"
            }
            Ok(header) => return Ok(header),
            Err(_) => "no batch header",
        };
        Err(self.quarantine(base, position, reason))
    }

    /// Serves nothing of a segment from `position` on any more.
    pub(crate) fn quarantine(
        &mut self,
        base: Offset,
        position: u64,
        reason: &'static str,
    ) -> ReadError {
        if let Some(segment) = self.segment_mut(base) {
            let from = segment.quarantined_from.map_or(position, |from| from.min(position));
            if segment.quarantined_from != Some(from) {
                segment.quarantined_from = Some(from);
                self.events.push(LogEvent::Corrupt { segment: base, position, reason });
            }
        }
        ReadError::Corrupt
    }

    /// True if the end of a read is known without walking there.
    fn end_is_known(&self, base: Offset, request: ReadRequest, found: (u64, Offset, u64)) -> bool {
        self.read_end(self.segment_index_of(base), request, found).is_some()
    }

    /// Where the bytes below the limit end in segment `index`, if that is known: it need not be
    /// exact once it lies beyond what the read may take.
    fn read_end(
        &self,
        index: usize,
        request: ReadRequest,
        (position, _, first_bytes): (u64, Offset, u64),
    ) -> Option<u64> {
        let segment = &self.segments[index];
        let is_active = index + 1 == self.segments.len();
        if request.limit >= self.segment_end(index) {
            return Some(segment.readable_bytes());
        }
        if is_active && let Some(end) = self.reader.recent_end(segment, request.limit) {
            return Some(end.min(segment.readable_bytes()));
        }
        // The batch at this position ends at or before the limit, so all before it is below.
        let relative = segment.relative(request.limit).saturating_sub(1);
        let below = u64::from(segment.offsets.position_before(relative));
        let wanted = position + u64::from(request.bytes_max).max(first_bytes);
        (segment.is_indexed() && below >= wanted).then(|| below.min(segment.readable_bytes()))
    }

    /// The first batch is found and the end is known, or is walked to.
    fn end_read<M>(
        &mut self,
        job: &mut Job,
        request: ReadRequest,
        base: Offset,
        found: (u64, Offset, u64),
        ops: &mut Vec<Op<M>>,
    ) -> Step {
        let index = self.segment_index_of(base);
        match self.read_end(index, request, found) {
            Some(end) => self.plan(job, request, index, found, end, ops),
            None => {
                let walk = Walk { segment: base, position: found.0, found: Some(found) };
                self.walk_on(job, walk, ops)
            }
        }
    }

    /// Bounds the answer and, if it may not be resident, has it brought in first.
    fn plan<M>(
        &mut self,
        job: &mut Job,
        request: ReadRequest,
        index: usize,
        (position, base_offset, first_bytes): (u64, Offset, u64),
        end: u64,
        ops: &mut Vec<Op<M>>,
    ) -> Step {
        job.walk = Some(Walk {
            segment: self.segments[index].base_offset,
            position: end,
            found: Some((position, base_offset, first_bytes)),
        });
        let Some(file) = self.file_of(index, ops) else {
            return Step::Wait;
        };
        let found = (position, base_offset, first_bytes);
        let Some(length) = self.bound(request, index, found, end) else {
            let readable = self.segments[index].readable_bytes();
            return Step::Read(if position + first_bytes > readable {
                ReadOutcome::Failed(ReadError::Corrupt)
            } else {
                ReadOutcome::Empty
            });
        };
        let plan = ReadPlan { file: file.clone(), position, length, base_offset };
        if base_offset >= self.reader.hot_from {
            return Step::Read(ReadOutcome::Ready(plan));
        }
        job.is_waiting = self.maybe_prefetch(job.id, file, position, length, ops);
        if job.is_waiting {
            job.warmed = Some(plan);
        }
        Step::Wait
    }

    /// How many bytes of segment `index` from a found batch on are the answer; none if not even that
    /// batch is.
    fn bound(
        &self,
        request: ReadRequest,
        index: usize,
        (position, base_offset, first_bytes): (u64, Offset, u64),
        end: u64,
    ) -> Option<u32> {
        let available = end.saturating_sub(position);
        if available < first_bytes {
            return None;
        }
        let mut bytes_max = u64::from(request.bytes_max);
        if base_offset < self.reader.hot_from {
            bytes_max = bytes_max.min(u64::from(COLD_READ_BYTES_MAX));
        }
        if first_bytes > bytes_max {
            if !request.at_least_one_batch {
                return None;
            }
            bytes_max = first_bytes;
        }
        let mut length = available.min(bytes_max);
        let is_active = index + 1 == self.segments.len();
        if is_active
            && length < available
            && let Some(cut) = self.reader.recent_cut(position, length)
        {
            length = cut - position;
        }
        Some(u32::try_from(length).unwrap_or(u32::MAX))
    }

    /// The range that a job found is resident, or is not.
    pub(crate) fn on_job_warm(&mut self, id: u32, result: Result<(), IoError>) {
        let Some(index) = self.reader.jobs.iter().position(|job| job.id == id) else {
            return;
        };
        let mut job = self.reader.jobs.swap_remove(index);
        job.is_waiting = false;
        let step = match (result, job.warmed.take()) {
            (Ok(()), Some(plan)) => Step::Read(ReadOutcome::Ready(plan)),
            (Ok(()), None) => Step::Wait,
            (Err(error), _) => job.goal.failed(ReadError::Io(error)),
        };
        self.end_step(job, step);
    }

    /// Fails every job: the log closes, failed or goes.
    pub(crate) fn fail_jobs(&mut self) {
        for job in std::mem::take(&mut self.reader.jobs) {
            let step = job.goal.failed(ReadError::Closed);
            self.end_step(job, step);
        }
    }

    /// Fails the jobs that need a segment whose file could not be opened for want of descriptors.
    pub(crate) fn fail_jobs_of(&mut self, base: Offset) {
        let index = self.segment_index_of(base);
        let end = self.segment_end(index);
        let error = IoError { kind: millrace_io::IoErrorKind::Exhausted, errno: 0 };
        for job in std::mem::take(&mut self.reader.jobs) {
            let needs = match (job.goal, job.walk) {
                (_, Some(walk)) => walk.segment == base,
                (Goal::Read(request), None) => request.offset >= base && request.offset < end,
                (Goal::Timestamp(_), None) => true,
            };
            let step = if needs && !job.is_waiting {
                job.goal.failed(ReadError::Io(error))
            } else {
                Step::Wait
            };
            self.end_step(job, step);
        }
    }

    /// See [`Self::verify`].
    pub(crate) fn verify_recent(&self) {
        let recent = &self.reader.recent;
        assert!(recent.len() <= RECENT_BATCHES_MAX, "the ring is bounded");
        let is_ascending = recent.iter().is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1);
        assert!(is_ascending, "recent batches ascend");
        if let (Some((_, position)), Some(active)) = (recent.back(), self.segments.last()) {
            assert!(u64::from(*position) < active.bytes, "a recent batch is written");
        }
    }
}

impl Goal {
    /// The job's outcome when it cannot be served.
    const fn failed(&self, error: ReadError) -> Step {
        match self {
            Self::Read(_) => Step::Read(ReadOutcome::Failed(error)),
            Self::Timestamp(_) => Step::Timestamp(TimestampOutcome::Failed(error)),
        }
    }

    /// The job's outcome when what it looks for is not there (any more).
    const fn gone(&self) -> Step {
        match self {
            Self::Read(_) => Step::Read(ReadOutcome::Empty),
            Self::Timestamp(_) => Step::Timestamp(TimestampOutcome::None),
        }
    }
}

//! Timestamp to offset: which record is the first with a timestamp at or above a target.
//!
//! Segments are asked in order for their largest timestamp, then the time index, then batch
//! headers; only the one batch that can hold the record is opened. With LogAppendTime not even
//! that one: all its records carry the same time. Source: Kafka's `fetchOffsetByTimestamp`.

use millrace_io::{Now, Op};

use super::{Goal, Job, ReadError, Step, Walk};
use crate::batch::{BatchHeader, BatchView, HEADER_BYTES, TimestampType};
use crate::compression::decompress;
use crate::log::{Log, Pending, Phase};
use crate::open_batch::timestamp_of;
use crate::record::RecordIter;
use crate::segment::MaxTimestamp;
use crate::{LeaderEpoch, Offset};

/// A batch that unpacks to more than this is not searched, bytes.
const BATCH_PLAIN_BYTES_MAX: usize = 256 << 20;

/// A record by its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampedOffset {
    /// The record's offset.
    pub offset: Offset,
    /// Its timestamp, ms.
    pub timestamp: i64,
    /// Epoch of the leader that appended it.
    pub leader_epoch: LeaderEpoch,
}

/// What a lookup by timestamp gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampOutcome {
    /// This record. It may lie at or above the high watermark: the caller looks.
    Found(TimestampedOffset),
    /// No record is that young.
    None,
    /// An event with the ticket follows.
    Pending,
    /// The log cannot say.
    Failed(ReadError),
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Search {
    /// The first record with a timestamp of at least this, ms.
    AtLeast(i64),
    /// The first record with the largest timestamp of the log.
    Largest,
}

impl Log {
    /// Finds the first record whose timestamp is at least `timestamp`, ms since 1970.
    ///
    /// `ticket` names the lookup in [`crate::LogEvent::TimestampReady`] if it is left pending.
    pub fn offset_for_timestamp<M>(
        &mut self,
        now: Now,
        timestamp: i64,
        ticket: u64,
        ops: &mut Vec<Op<M>>,
    ) -> TimestampOutcome {
        self.search(now, Search::AtLeast(timestamp), ticket, ops)
    }

    /// Finds the first record with the largest timestamp (`ListOffsets` -3).
    pub fn offset_of_max_timestamp<M>(
        &mut self,
        now: Now,
        ticket: u64,
        ops: &mut Vec<Op<M>>,
    ) -> TimestampOutcome {
        self.search(now, Search::Largest, ticket, ops)
    }

    fn search<M>(
        &mut self,
        now: Now,
        search: Search,
        ticket: u64,
        ops: &mut Vec<Op<M>>,
    ) -> TimestampOutcome {
        match self.phase {
            Phase::Running => {}
            Phase::Opening(_) => return TimestampOutcome::Failed(ReadError::NotReady),
            Phase::Closing | Phase::Closed | Phase::Failed | Phase::Deleting | Phase::Deleted => {
                return TimestampOutcome::Failed(ReadError::Closed);
            }
        }
        self.last_activity = now.mono;
        match self.begin_job(ticket, Goal::Timestamp(search), ops) {
            Some(Step::Timestamp(outcome)) => outcome,
            Some(Step::Read(_) | Step::Wait) | None => TimestampOutcome::Pending,
        }
    }

    pub(super) fn drive_timestamp<M>(
        &mut self,
        job: &mut Job,
        search: Search,
        ops: &mut Vec<Op<M>>,
    ) -> Step {
        if let Some(walk) = job.walk {
            return self.walk_on(job, walk, ops);
        }
        let first = self.segment_index_of(self.log_start);
        let target = match search {
            Search::AtLeast(target) => target,
            Search::Largest => {
                let mut largest = -1;
                for index in first..self.segments.len() {
                    let Some(max) = self.max_timestamp_of(index, ops) else {
                        return Step::Wait;
                    };
                    largest = largest.max(max.timestamp);
                }
                // Where no record has a timestamp, the first is as new as any.
                largest
            }
        };
        job.goal = Goal::Timestamp(Search::AtLeast(target));
        for index in first..self.segments.len() {
            let Some(max) = self.max_timestamp_of(index, ops) else {
                return Step::Wait;
            };
            if max.timestamp >= target && self.segments[index].bytes > 0 {
                return self.search_segment(job, index, target, ops);
            }
        }
        Step::Timestamp(TimestampOutcome::None)
    }

    /// The largest timestamp of segment `index`; has its index loaded if that is not known.
    pub(crate) fn max_timestamp_of<M>(
        &mut self,
        index: usize,
        ops: &mut Vec<Op<M>>,
    ) -> Option<MaxTimestamp> {
        let known = self.segments[index].max_timestamp;
        if known.is_none() {
            self.load_indexes(index, ops);
        }
        known
    }

    fn search_segment<M>(
        &mut self,
        job: &mut Job,
        index: usize,
        target: i64,
        ops: &mut Vec<Op<M>>,
    ) -> Step {
        if !self.segments[index].is_indexed() {
            self.load_indexes(index, ops);
            return Step::Wait;
        }
        let segment = &self.segments[index];
        // Everything up to the entry's offset is older than or as old as its timestamp; equal ones
        // may lie before it, so only entries strictly below the target lead the way.
        let entry = segment.times.entry_before(target.saturating_sub(1));
        let relative = entry.map_or(0, |entry| entry.relative);
        let relative = relative.max(segment.relative(self.log_start.max(segment.base_offset)));
        let position = u64::from(segment.offsets.position_before(relative));
        let walk = Walk { segment: segment.base_offset, position, found: None };
        self.walk_on(job, walk, ops)
    }

    /// Looks through the batches in the bytes at the walk's position.
    pub(super) fn search_headers<M>(
        &mut self,
        job: &mut Job,
        search: Search,
        bytes: &[u8],
        ops: &mut Vec<Op<M>>,
    ) -> Step {
        let (Some(mut walk), Search::AtLeast(target)) = (job.walk, search) else {
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
            if header.max_timestamp >= target && header.last_offset() >= self.log_start {
                if rest.len() < total && must_open(&header) {
                    job.walk = Some(walk);
                    return self.read_batch(job, walk, total, ops);
                }
                if let Some(found) = find_in(&header, rest, target, self.log_start) {
                    return Step::Timestamp(TimestampOutcome::Found(found));
                }
            }
            at += total;
            walk.position += total as u64;
        }
        if at == 0 {
            return job.goal.failed(self.quarantine(walk.segment, walk.position, "torn header"));
        }
        self.walk_on(job, walk, ops)
    }

    /// Reads the whole batch at the walk's position, to open it.
    fn read_batch<M>(
        &mut self,
        job: &mut Job,
        walk: Walk,
        total: usize,
        ops: &mut Vec<Op<M>>,
    ) -> Step {
        let index = self.segment_index_of(walk.segment);
        let Some(file) = self.file_of(index, ops) else {
            return Step::Wait;
        };
        job.is_waiting = true;
        let token = self.wires.token(Pending::JobRead { job: job.id });
        let length = u32::try_from(total).unwrap_or(u32::MAX);
        ops.push(Op::Read { token, file, position: walk.position, length });
        Step::Wait
    }
}

/// Whether the records have to be looked at: each has a time of its own, or compaction took some.
fn must_open(header: &BatchHeader) -> bool {
    header.timestamp_type() == TimestampType::CreateTime
        || i64::from(header.record_count) != i64::from(header.last_offset_delta) + 1
}

/// The first record of a batch with a timestamp of at least `target` that is not below the log's
/// start. A batch that cannot be opened has none.
fn find_in(
    header: &BatchHeader,
    bytes: &[u8],
    target: i64,
    log_start: Offset,
) -> Option<TimestampedOffset> {
    let leader_epoch = header.leader_epoch;
    if !must_open(header) {
        let offset = header.base_offset.max(log_start);
        return Some(TimestampedOffset { offset, timestamp: header.max_timestamp, leader_epoch });
    }
    let view = BatchView::first(bytes).ok()?;
    let plain = decompress(header.codec().ok()?, view.records(), BATCH_PLAIN_BYTES_MAX).ok()?;
    RecordIter::new(&plain, header.record_count).map_while(Result::ok).find_map(|record| {
        let offset = header.base_offset.plus(i64::from(record.offset_delta));
        let timestamp = timestamp_of(header, &record);
        let is_it = timestamp >= target && offset >= log_start;
        is_it.then_some(TimestampedOffset { offset, timestamp, leader_epoch })
    })
}

//! What of a log is to be compacted, when, and which segments become one.
//!
//! ```text
//!  log start        first dirty                    end                        log end
//!  ├─── clean ───────┼─────────── dirty ────────────┼── too young, not synced ──┤
//!  │  sealed segments │      sealed segments         │   … active segment        │
//! ```
//!
//! The rules are Kafka's (`LogCleanerManager`, `Cleaner.groupSegmentsBySize`), and one more: what is
//! not on the device yet is not compacted, so that gaps lie below the recovery point only.

use millrace_io::Now;

use crate::Offset;
use crate::log::{Log, Phase};
use crate::segment::Segment;

/// What could be compacted of a log now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleanable {
    /// Everything below has been compacted.
    pub first_dirty: Offset,
    /// Nothing from here on may be compacted yet.
    pub end: Offset,
    /// Bytes of segments below `first_dirty`.
    pub clean_bytes: u64,
    /// Bytes of segments from there to `end`.
    pub dirty_bytes: u64,
    /// The oldest of it has waited longer than `max.compaction.lag.ms`.
    pub is_overdue: bool,
    /// The share of it that is dirty exceeds `min.cleanable.dirty.ratio`.
    pub is_dirty_enough: bool,
}

impl Cleanable {
    /// The dirty share, in millionths.
    pub fn dirty_ppm(&self) -> u64 {
        let total = u128::from(self.clean_bytes) + u128::from(self.dirty_bytes);
        let ppm = u128::from(self.dirty_bytes) * 1_000_000 / total.max(1);
        u64::try_from(ppm).unwrap_or(u64::MAX)
    }
}

impl Log {
    /// Everything below has been compacted; kept in `cleaner-offset-checkpoint`.
    pub fn first_dirty_offset(&self) -> Offset {
        // A log that was cut, or whose start has moved on, begins again, as in Kafka.
        let is_within = self.cleaned_to >= self.log_start && self.cleaned_to <= self.log_end;
        if is_within { self.cleaned_to } else { self.log_start }
    }

    /// What could be compacted now; `None` if that is nothing, or not wanted, or under way.
    pub fn cleanable(&self, now: Now) -> Option<Cleanable> {
        let is_wanted = matches!(self.phase, Phase::Running) && self.spec.config.cleanup_compact;
        if !is_wanted || self.compaction.is_some() {
            return None;
        }
        let first_dirty = self.first_dirty_offset();
        let stable = self.last_stable_offset();
        let (mut clean_bytes, mut dirty_bytes) = (0, 0);
        let mut end = first_dirty;
        let mut earliest = i64::MAX;
        for index in 0..self.segments.len() - 1 {
            let segment = &self.segments[index];
            let segment_end = self.segment_end(index);
            if segment_end <= first_dirty {
                clean_bytes += segment.bytes;
                continue;
            }
            if segment_end > stable || segment.is_unsynced() || self.is_too_young(now, segment) {
                break;
            }
            dirty_bytes += segment.bytes;
            end = segment_end;
            earliest = earliest.min(segment.first_timestamp.unwrap_or(0).max(0));
        }
        if end == first_dirty {
            return None;
        }
        let age_ms = u64::try_from(now.wall.0.saturating_sub(earliest)).unwrap_or(0);
        let config = &self.spec.config;
        let found = Cleanable {
            first_dirty,
            end,
            clean_bytes,
            dirty_bytes,
            is_overdue: age_ms > config.max_compaction_lag_ms,
            is_dirty_enough: false,
        };
        let is_dirty_enough = found.dirty_ppm() > u64::from(config.min_dirty_ratio_ppm);
        Some(Cleanable { is_dirty_enough, ..found })
    }

    /// Whether `min.compaction.lag.ms` protects a segment.
    fn is_too_young(&self, now: Now, segment: &Segment) -> bool {
        let lag_ms = i64::try_from(self.spec.config.min_compaction_lag_ms).unwrap_or(i64::MAX);
        let largest = segment.max_timestamp.map(|max| max.timestamp).filter(|time| *time >= 0);
        lag_ms > 0 && largest.unwrap_or(segment.touched_ms) > now.wall.0.saturating_sub(lag_ms)
    }

    /// The sealed segments below `end`, in groups that become one segment each.
    pub(super) fn compaction_groups(&self, end: Offset) -> Vec<Vec<Offset>> {
        let config = &self.spec.config;
        let mut groups: Vec<Vec<Offset>> = Vec::new();
        let mut base = Offset(0);
        let (mut bytes, mut offset_bytes, mut time_bytes) = (0_u64, 0_usize, 0_usize);
        for index in 0..self.segments.len() - 1 {
            let segment = &self.segments[index];
            if segment.base_offset >= end {
                break;
            }
            bytes += segment.bytes;
            offset_bytes += segment.offsets.bytes_total();
            time_bytes += segment.times.bytes_total();
            let index_bytes_max = config.segment_index_bytes as usize;
            let fits = bytes <= u64::from(config.segment_bytes)
                && offset_bytes <= index_bytes_max
                && time_bytes <= index_bytes_max
                && self.segment_end(index).0 - 1 - base.0 <= i64::from(i32::MAX);
            match groups.last_mut() {
                Some(group) if fits => group.push(segment.base_offset),
                Some(_) | None => {
                    groups.push(vec![segment.base_offset]);
                    base = segment.base_offset;
                    bytes = segment.bytes;
                    offset_bytes = segment.offsets.bytes_total();
                    time_bytes = segment.times.bytes_total();
                }
            }
        }
        groups
    }
}

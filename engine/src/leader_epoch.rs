//! Where each leader's reign over a partition begins in its log (KIP-101, KIP-279).
//!
//! ```text
//!  offset   0 ──────────── 40 ────── 55 ─────────────── log end
//!  epoch    │ 0            │ 2       │ 3
//!           end_offset_for(0) = 40   end_offset_for(1) = (0, 40)   end_offset_for(3) = log end
//! ```
//!
//! A log whose tail disagrees with its leader's finds the first offset where they part by asking
//! for the end of its last epoch. Both epochs and start offsets strictly increase. One entry per
//! change of leader that is still in the log, so its size is bounded by the log's retention.

use crate::ids::{LeaderEpoch, Offset};

/// Where an epoch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEntry {
    /// The epoch.
    pub epoch: LeaderEpoch,
    /// Offset of its first record.
    pub start_offset: Offset,
}

/// An epoch, and the offset behind its last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    /// The largest known epoch that is not above the one asked for.
    pub epoch: LeaderEpoch,
    /// Exclusive.
    pub end_offset: Offset,
}

/// Whether a change is to be written to `leader-epoch-checkpoint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochChange {
    /// The entries are what they were.
    Unchanged,
    /// They differ from the file.
    Changed,
}

/// The epochs of one partition's log, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaderEpochs {
    entries: Vec<EpochEntry>,
}

impl LeaderEpochs {
    /// No epoch known.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// The epochs, oldest first.
    pub fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    /// The epoch that is being written.
    pub fn latest(&self) -> Option<EpochEntry> {
        self.entries.last().copied()
    }

    /// The oldest epoch in the log.
    pub fn earliest(&self) -> Option<EpochEntry> {
        self.entries.first().copied()
    }

    /// Notes that `entry.epoch` starts at `entry.start_offset`.
    ///
    /// - Nothing changes if the epoch is the latest one already and does not start earlier now.
    /// - Entries that contradict the new one are dropped: a later start, or an epoch not below.
    /// - A negative epoch or offset is our own fault.
    pub fn assign(&mut self, entry: EpochEntry) -> EpochChange {
        assert!(
            entry.epoch.0 >= 0 && entry.start_offset.0 >= 0,
            "epoch {} cannot start at {}",
            entry.epoch,
            entry.start_offset
        );
        if let Some(latest) = self.latest()
            && latest.epoch == entry.epoch
            && latest.start_offset <= entry.start_offset
        {
            return EpochChange::Unchanged;
        }
        while let Some(last) = self.entries.last()
            && (last.epoch >= entry.epoch || last.start_offset >= entry.start_offset)
        {
            self.entries.pop();
        }
        self.entries.push(entry);
        EpochChange::Changed
    }

    /// Where `epoch` ends in this log, as OffsetForLeaderEpoch answers.
    ///
    /// - The latest epoch ends at `log_end_offset`.
    /// - An epoch between known ones: the largest below it, which ends where the next one starts.
    /// - An epoch below all known ones: itself, ending where the first known one starts.
    /// - `None`: no epoch was asked for, or one above all known. Kafka's answer is then -1, -1.
    pub fn end_offset_for(&self, epoch: LeaderEpoch, log_end_offset: Offset) -> Option<EpochEnd> {
        if epoch == LeaderEpoch::NONE {
            return None;
        }
        if self.latest()?.epoch == epoch {
            return Some(EpochEnd { epoch, end_offset: log_end_offset });
        }
        let above = self.entries.partition_point(|entry| entry.epoch <= epoch);
        let end_offset = self.entries.get(above)?.start_offset;
        let floor = above.checked_sub(1).and_then(|index| self.entries.get(index));
        Some(EpochEnd { epoch: floor.map_or(epoch, |entry| entry.epoch), end_offset })
    }

    /// The epoch of the record at `offset`; `None` below the first known start.
    pub fn epoch_of(&self, offset: Offset) -> Option<LeaderEpoch> {
        let above = self.entries.partition_point(|entry| entry.start_offset <= offset);
        above.checked_sub(1).and_then(|index| self.entries.get(index)).map(|entry| entry.epoch)
    }

    /// Forgets epochs that start at or behind the new end of the log.
    pub fn truncate_from_end(&mut self, end_offset: Offset) -> EpochChange {
        let keep = self.entries.partition_point(|entry| entry.start_offset < end_offset);
        if end_offset.0 < 0 || keep == self.entries.len() {
            return EpochChange::Unchanged;
        }
        self.entries.truncate(keep);
        EpochChange::Changed
    }

    /// Forgets epochs that end before the new start of the log; the one that `start_offset`
    /// lies in now starts there.
    pub fn truncate_from_start(&mut self, start_offset: Offset) -> EpochChange {
        let above = self.entries.partition_point(|entry| entry.start_offset <= start_offset);
        let Some(index) = above.checked_sub(1) else { return EpochChange::Unchanged };
        if index == 0 && self.entries.first().is_some_and(|e| e.start_offset == start_offset) {
            return EpochChange::Unchanged;
        }
        self.entries.drain(..index);
        if let Some(first) = self.entries.first_mut() {
            first.start_offset = start_offset;
        }
        EpochChange::Changed
    }

    /// Checks that epochs and offsets strictly increase. For the simulator and tests.
    pub fn verify(&self) {
        for pair in self.entries.windows(2) {
            let [before, after] = pair else { continue };
            assert!(before.epoch < after.epoch, "epochs {} and {}", before.epoch, after.epoch);
            assert!(
                before.start_offset < after.start_offset,
                "epoch {} starts at {}, epoch {} at {}",
                before.epoch,
                before.start_offset,
                after.epoch,
                after.start_offset
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(epoch: i32, start_offset: i64) -> EpochEntry {
        EpochEntry { epoch: LeaderEpoch(epoch), start_offset: Offset(start_offset) }
    }

    fn epochs(entries: &[(i32, i64)]) -> LeaderEpochs {
        let mut epochs = LeaderEpochs::new();
        for (epoch, start_offset) in entries {
            epochs.assign(entry(*epoch, *start_offset));
        }
        epochs.verify();
        epochs
    }

    fn end(epochs: &LeaderEpochs, epoch: i32) -> Option<(i32, i64)> {
        epochs
            .end_offset_for(LeaderEpoch(epoch), Offset(99))
            .map(|end| (end.epoch.0, end.end_offset.0))
    }

    #[test]
    fn an_epoch_ends_where_the_next_one_starts() {
        let known = epochs(&[(2, 10), (4, 40), (5, 55)]);
        assert_eq!(end(&known, -1), None);
        assert_eq!(end(&known, 0), Some((0, 10)), "below all: the first start");
        assert_eq!(end(&known, 2), Some((2, 40)));
        assert_eq!(end(&known, 3), Some((2, 40)), "between: the one below");
        assert_eq!(end(&known, 5), Some((5, 99)), "the latest: the log's end");
        assert_eq!(end(&known, 6), None, "above all: unknown");
        assert_eq!(end(&LeaderEpochs::new(), 0), None);
    }

    #[test]
    fn assigning_again_changes_nothing_and_contradictions_are_dropped() {
        let mut known = epochs(&[(2, 10), (4, 40)]);
        assert_eq!(known.assign(entry(4, 41)), EpochChange::Unchanged);
        assert_eq!(known.assign(entry(4, 30)), EpochChange::Changed);
        assert_eq!(known.entries(), [entry(2, 10), entry(4, 30)]);
        // Nothing was written under epoch 4, so epoch 6 takes its place.
        assert_eq!(known.assign(entry(6, 30)), EpochChange::Changed);
        assert_eq!(known.entries(), [entry(2, 10), entry(6, 30)]);
        assert_eq!(known.assign(entry(3, 50)), EpochChange::Changed);
        assert_eq!(known.entries(), [entry(2, 10), entry(3, 50)]);
    }

    #[test]
    fn truncation_keeps_the_epoch_that_the_edge_lies_in() {
        let known = epochs(&[(2, 10), (4, 40), (5, 55)]);
        let cut_end = |offset| {
            let mut cut = known.clone();
            (cut.truncate_from_end(Offset(offset)), cut.entries.len())
        };
        assert_eq!(cut_end(56), (EpochChange::Unchanged, 3));
        assert_eq!(cut_end(55), (EpochChange::Changed, 2));
        assert_eq!(cut_end(11), (EpochChange::Changed, 1));
        assert_eq!(cut_end(0), (EpochChange::Changed, 0));
        assert_eq!(cut_end(-1), (EpochChange::Unchanged, 3));
        let cut_start = |offset| {
            let mut cut = known.clone();
            let change = cut.truncate_from_start(Offset(offset));
            (change, cut.earliest().expect("kept"), cut.entries.len())
        };
        assert_eq!(cut_start(9), (EpochChange::Unchanged, entry(2, 10), 3));
        assert_eq!(cut_start(10), (EpochChange::Unchanged, entry(2, 10), 3));
        assert_eq!(cut_start(39), (EpochChange::Changed, entry(2, 39), 3));
        assert_eq!(cut_start(40), (EpochChange::Changed, entry(4, 40), 2));
        assert_eq!(cut_start(1000), (EpochChange::Changed, entry(5, 1000), 1));
    }

    proptest! {
        #[test]
        fn epochs_agree_with_a_list_of_each_offsets_epoch(
            reigns in proptest::collection::vec((1_i32..4, 0_i64..6), 1..12),
            asked in 0_i32..40,
            start in 0_i64..80,
        ) {
            let mut known = LeaderEpochs::new();
            let mut log: Vec<i32> = Vec::new();
            let mut epoch = -1;
            for (step, length) in reigns {
                epoch += step;
                if length > 0 {
                    known.assign(entry(epoch, i64::try_from(log.len()).expect("small")));
                }
                log.extend((0..length).map(|_| epoch));
                known.verify();
            }
            let log_end = Offset(i64::try_from(log.len()).expect("small"));
            for (offset, expected) in (0_i64..).zip(&log) {
                prop_assert_eq!(known.epoch_of(Offset(offset)), Some(LeaderEpoch(*expected)));
            }
            if let Some(end) = known.end_offset_for(LeaderEpoch(asked), log_end) {
                // Everything below the end is of epochs up to the one asked for, nothing above is.
                let split = log.iter().filter(|epoch| **epoch <= asked).count();
                prop_assert_eq!(end.end_offset.0, i64::try_from(split).expect("small"));
            }
            let start = start.min(log_end.0);
            known.truncate_from_start(Offset(start));
            known.verify();
            for (offset, expected) in (0_i64..).zip(&log).skip_while(|(offset, _)| *offset < start) {
                prop_assert_eq!(known.epoch_of(Offset(offset)), Some(LeaderEpoch(*expected)));
            }
        }
    }
}

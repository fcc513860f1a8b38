//! What a log knows besides its records: producers, leader epochs, and the small files of both.
//!
//! All of it can be built from the records; the files save the reading. They are written as a whole
//! (aside, synced, renamed), beside the appends and never in their way.

use bytes::Bytes;
use millrace_io::{IoError, Now, Op};

use super::{Log, Pending, SnapshotRetry};
use crate::batch::BatchHeader;
use crate::checkpoint_file::{LEADER_EPOCH_FILE, write_epochs};
use crate::leader_epoch::{EpochChange, EpochEnd, EpochEntry, LeaderEpochs};
use crate::partition_metadata::{PARTITION_METADATA_FILE, write_partition_metadata};
use crate::producer_state::{EndTxn, ProducerState, TxnOutcome};
use crate::record::RecordIter;
use crate::segment::{SNAPSHOT_SUFFIX, file_name};
use crate::{LeaderEpoch, Offset, producer_snapshot};

impl Log {
    /// The producers, for DescribeProducers.
    pub const fn producers(&self) -> &ProducerState {
        &self.producers
    }

    /// The leader epochs, oldest first.
    pub fn epochs(&self) -> &LeaderEpochs {
        &self.epochs
    }

    /// Where an epoch ends, for OffsetForLeaderEpoch; see [`LeaderEpochs::end_offset_for`].
    pub fn epoch_end(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        self.epochs.end_offset_for(epoch, self.written)
    }

    /// The epoch of the record at `offset`, if known.
    pub fn epoch_of(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.epochs.epoch_of(offset)
    }

    /// End of what read_committed consumers may read: the high watermark, or the first record whose
    /// transaction is undecided.
    pub fn last_stable_offset(&self) -> Offset {
        let unstable = self.producers.first_unstable_offset();
        unstable.map_or(self.high_watermark, |offset| offset.min(self.high_watermark))
    }

    /// Forgets producers that were idle longer than `producer.id.expiration.ms`. Kafka looks every
    /// ten minutes.
    pub fn expire_producers(&mut self, now: Now) -> usize {
        let expiration = self.spec.config.producer_id_expiration_ms;
        self.producers.expire(now.wall, i64::try_from(expiration).unwrap_or(i64::MAX))
    }

    /// Notes the epoch of a batch that goes in; a new one is written down.
    pub(crate) fn note_epoch(&mut self, epoch: LeaderEpoch, start_offset: Offset) {
        if epoch.0 < 0 {
            return;
        }
        if self.epochs.assign(EpochEntry { epoch, start_offset }) == EpochChange::Changed {
            self.is_epochs_dirty = true;
        }
    }

    /// Brings the epochs to their file if they changed.
    pub(crate) fn maybe_write_epochs<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let is_writing = self.wires.has(|pending| matches!(pending, Pending::EpochsWritten));
        if !self.is_epochs_dirty || is_writing || self.appender.is_folder_missing {
            return;
        }
        self.is_epochs_dirty = false;
        let content = Bytes::from(write_epochs(&self.epochs));
        self.write_small(LEADER_EPOCH_FILE, content, Pending::EpochsWritten, ops);
    }

    pub(crate) fn epoch_entries(&self) -> Vec<(i32, i64)> {
        let pair = |entry: &EpochEntry| (entry.epoch.0, entry.start_offset.0);
        self.epochs.entries().iter().map(pair).collect()
    }

    pub(crate) fn install_epochs(&mut self, entries: &[(i32, i64)]) {
        self.epochs = LeaderEpochs::new();
        for (epoch, start) in entries {
            if *epoch >= 0 && *start >= 0 {
                let entry = EpochEntry { epoch: LeaderEpoch(*epoch), start_offset: Offset(*start) };
                self.epochs.assign(entry);
            }
        }
    }

    /// Segments went off the front: epochs that ended below the start go too.
    pub(crate) fn on_front_dropped<M>(&mut self, ops: &mut Vec<Op<M>>) {
        if self.epochs.truncate_from_start(self.log_start) == EpochChange::Changed {
            self.is_epochs_dirty = true;
        }
        self.maybe_write_epochs(ops);
    }

    /// Takes a batch that recovery found into the producers' state.
    pub(crate) fn replay(&mut self, header: &BatchHeader, bytes: Option<&[u8]>) {
        if !header.is_control() {
            self.producers.record(header);
        } else if let Some(marker) = bytes.and_then(|bytes| end_txn(header, bytes)) {
            self.producers.record_marker(header, marker);
        }
    }

    /// Writes the producers' state at `offset`; batches on their way beyond it stay out.
    pub(crate) fn write_snapshot<M>(&mut self, offset: Offset, ops: &mut Vec<Op<M>>) {
        let content = Bytes::from(producer_snapshot::encode(&self.producers, offset));
        let name = file_name(offset, SNAPSHOT_SUFFIX);
        self.write_small(&name, content, Pending::SnapshotWritten { offset }, ops);
    }

    pub(crate) fn on_snapshot<M>(
        &mut self,
        offset: Offset,
        result: Result<(), IoError>,
        ops: &mut Vec<Op<M>>,
    ) {
        // A snapshot that belongs to no segment served a clean stop; the next one replaces it.
        if result.is_ok()
            && let Some(old) = self.loose_snapshot.replace(offset)
            && old != offset
            && self.segment_mut(old).is_none()
        {
            let path = self.spec.dir.join(file_name(old, SNAPSHOT_SUFFIX));
            let token = self.wires.token(Pending::Housekeeping);
            ops.push(Op::Remove { token, path });
        }
        // One that could not be written holds nothing up either: on a full disk what is deleted has
        // to go.
        self.producers_stored = self.producers_stored.max(offset);
        self.snapshot_retry = SnapshotRetry::None;
        if self.is_running() {
            self.drop_below_start(ops);
        }
        if result.is_err() {
            self.snapshot_retry = SnapshotRetry::Due;
        }
        self.on_small_file(result);
    }

    /// The small files of a clean stop.
    pub(crate) fn write_closing_state<M>(&mut self, ops: &mut Vec<Op<M>>) {
        self.maybe_write_epochs(ops);
        // What was not appended to since its last snapshot has no new one to write.
        let is_new = self.loose_snapshot != Some(self.log_end) && self.is_touched;
        if is_new && !self.appender.is_folder_missing {
            self.write_snapshot(self.log_end, ops);
        }
    }

    pub(crate) fn write_partition_metadata<M>(&mut self, ops: &mut Vec<Op<M>>) {
        let content = Bytes::from(write_partition_metadata(self.spec.topic_id));
        self.write_small(PARTITION_METADATA_FILE, content, Pending::MetadataWritten, ops);
    }

    fn write_small<M>(
        &mut self,
        name: &str,
        content: Bytes,
        pending: Pending,
        ops: &mut Vec<Op<M>>,
    ) {
        let path = self.spec.dir.join(name);
        let token = self.wires.token(pending);
        ops.push(Op::WriteWhole { token, path, content });
    }
}

/// What a control batch says about its producer's transaction, if it ends one.
///
/// Key: version i16, type i16 (0 abort, 1 commit). Value: version i16, coordinator epoch i32.
fn end_txn(header: &BatchHeader, bytes: &[u8]) -> Option<EndTxn> {
    let body = bytes.get(crate::batch::HEADER_BYTES..)?;
    let record = RecordIter::new(body, header.record_count).next()?.ok()?;
    let (key, value) = (record.key?, record.value?);
    let outcome = match key.get(2..4)? {
        [0, 0] => TxnOutcome::Aborted,
        [0, 1] => TxnOutcome::Committed,
        _ => return None,
    };
    let epoch: [u8; 4] = value.get(2..6)?.try_into().ok()?;
    Some(EndTxn {
        outcome,
        coordinator_epoch: i32::from_be_bytes(epoch),
        timestamp: header.base_timestamp.saturating_add(record.timestamp_delta),
    })
}

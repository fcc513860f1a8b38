//! What a partition remembers of its idempotent and transactional producers (KIP-98).
//!
//! Per producer: its epoch, the last five batches (sequences, offsets, timestamp), the coordinator
//! that last ended a transaction, and where the open transaction starts. From this an append is
//! judged: new, a duplicate that is answered with its old offset, out of order, or fenced.
//!
//! ```text
//!  batch of producer P          known epoch             known sequences          verdict
//!  ───────────────────          ───────────             ───────────────          ───────
//!  P unknown                    -                       -                        append, any sequence
//!  epoch < known                higher                  -                        InvalidEpoch (47)
//!  epoch > known                lower                   -                        append if sequence 0, else 45
//!  same epoch                   same                    one of the five          duplicate: old offset
//!  same epoch                   same                    last + 1 (wraps to 0)    append
//!  same epoch                   same                    anything else            OutOfOrder (45)
//!  not transactional            -                       open transaction         InvalidTxnState (48)
//! ```
//!
//! The log asks [`ProducerState::check`] with a client's batch, and after stamping tells
//! [`ProducerState::record`] about every batch that goes into the log, its own or one replayed
//! by recovery. Both are the same function of the log's content: recovery from a snapshot and the
//! tail gives the state that was lost, save that a snapshot keeps one batch per producer.
//!
//! Bounded: at the limit the producers whose last batch lies furthest back in the log are dropped,
//! never one with an open transaction. A dropped producer that comes back is as an unknown one.

use std::collections::{BTreeMap, VecDeque};

use millrace_io::WallMs;

use crate::batch::BatchHeader;
use crate::ids::{Offset, ProducerId};

/// Batches remembered per producer: clients keep at most five requests in flight (KIP-98), so a
/// retry is never of a batch further back.
pub const BATCHES_PER_PRODUCER: usize = 5;

/// At the limit one in this many producers is dropped at once, so that finding the oldest costs
/// a few steps per new producer and not a walk over all of them.
const EVICT_ONE_IN: usize = 16;

/// Epoch of a producer that was never heard of. Kafka: `NO_PRODUCER_EPOCH`.
pub const NO_PRODUCER_EPOCH: i16 = -1;

/// One remembered batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchMetadata {
    /// Sequence of its last record.
    pub last_sequence: i32,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// Last offset minus first, and the same for sequences.
    pub offset_delta: i32,
    /// Its largest timestamp, ms.
    pub timestamp: i64,
}

impl BatchMetadata {
    /// Sequence of its first record; sequences wrap from 2^31 - 1 to 0.
    pub const fn base_sequence(&self) -> i32 {
        self.last_sequence.wrapping_sub(self.offset_delta) & i32::MAX
    }

    /// Offset of its first record.
    pub const fn base_offset(&self) -> Offset {
        self.last_offset.plus(-(self.offset_delta as i64))
    }
}

/// What is known of one producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerEntry {
    /// Its latest epoch.
    pub epoch: i16,
    /// Epoch of the coordinator that last ended a transaction of it, or -1.
    pub coordinator_epoch: i32,
    /// Largest timestamp of what it last appended, ms; what expiry looks at.
    pub last_timestamp: i64,
    /// Where its open transaction starts, if one is open.
    pub txn_first_offset: Option<Offset>,
    /// Offset of the last batch or marker of it: how far back in the log it is.
    last_seen: Offset,
    batches: [BatchMetadata; BATCHES_PER_PRODUCER],
    batch_count: usize,
}

impl ProducerEntry {
    const fn unknown() -> Self {
        Self {
            epoch: NO_PRODUCER_EPOCH,
            coordinator_epoch: -1,
            last_timestamp: -1,
            txn_first_offset: None,
            last_seen: Offset(-1),
            batches: [BatchMetadata {
                last_sequence: -1,
                last_offset: Offset(-1),
                offset_delta: 0,
                timestamp: -1,
            }; BATCHES_PER_PRODUCER],
            batch_count: 0,
        }
    }

    /// The remembered batches, oldest first.
    pub fn batches(&self) -> &[BatchMetadata] {
        self.batches.get(..self.batch_count).unwrap_or_default()
    }

    /// The newest remembered batch.
    pub fn last_batch(&self) -> Option<&BatchMetadata> {
        self.batches().last()
    }

    /// Sequence of the last record, or -1 if no batch of this epoch is remembered.
    pub fn last_sequence(&self) -> i32 {
        self.last_batch().map_or(-1, |batch| batch.last_sequence)
    }

    fn enter_epoch(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.batch_count = 0;
        }
    }

    fn push(&mut self, batch: BatchMetadata) {
        if self.batch_count == BATCHES_PER_PRODUCER {
            self.batches.copy_within(1.., 0);
            self.batch_count -= 1;
        }
        if let Some(slot) = self.batches.get_mut(self.batch_count) {
            *slot = batch;
            self.batch_count += 1;
        }
        self.last_timestamp = batch.timestamp;
    }
}

/// What is to be done with a client's batch that is in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Append it.
    Append,
    /// It is in the log already: answer with where and when. Kafka: no error, the old offset.
    Duplicate(BatchMetadata),
}

/// Why a client's batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProducerError {
    /// A newer instance of the producer has written. Kafka: 47 INVALID_PRODUCER_EPOCH.
    InvalidEpoch {
        /// The producer.
        producer_id: ProducerId,
        /// The batch's epoch.
        epoch: i16,
        /// The latest known.
        current: i16,
    },
    /// A batch before it is missing. Kafka: 45 OUT_OF_ORDER_SEQUENCE_NUMBER.
    OutOfOrder {
        /// The producer.
        producer_id: ProducerId,
        /// The batch's first sequence.
        base_sequence: i32,
        /// The last sequence in the log, or -1.
        last_sequence: i32,
    },
    /// A new epoch that does not start at sequence 0. Kafka: 45 OUT_OF_ORDER_SEQUENCE_NUMBER.
    NewEpochNotAtZero {
        /// The producer.
        producer_id: ProducerId,
        /// The batch's epoch.
        epoch: i16,
        /// The batch's first sequence.
        base_sequence: i32,
        /// The epoch known until now.
        current: i16,
    },
    /// A plain batch while the producer's transaction is open. Kafka: 48 INVALID_TXN_STATE.
    NotTransactional {
        /// The producer.
        producer_id: ProducerId,
    },
    /// A marker from a coordinator that was replaced. Kafka: 52 TRANSACTION_COORDINATOR_FENCED.
    CoordinatorFenced {
        /// The producer.
        producer_id: ProducerId,
        /// The marker's coordinator epoch.
        coordinator_epoch: i32,
        /// The latest known.
        current: i32,
    },
    /// As many transactions are open as producers may be remembered. Kafka has no such limit;
    /// answer something the client retries.
    TooManyTransactions {
        /// How many.
        count: usize,
    },
}

impl std::fmt::Display for ProducerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InvalidEpoch { producer_id, epoch, current } => {
                write!(f, "epoch {epoch} of producer {producer_id} is below the known {current}")
            }
            Self::OutOfOrder { producer_id, base_sequence, last_sequence } => write!(
                f,
                "sequence {base_sequence} of producer {producer_id} does not follow {last_sequence}"
            ),
            Self::NewEpochNotAtZero { producer_id, epoch, base_sequence, current } => write!(
                f,
                "epoch {epoch} of producer {producer_id} follows {current} and starts at \
                 sequence {base_sequence}, not 0"
            ),
            Self::NotTransactional { producer_id } => {
                write!(f, "producer {producer_id} has an open transaction")
            }
            Self::CoordinatorFenced { producer_id, coordinator_epoch, current } => write!(
                f,
                "coordinator epoch {coordinator_epoch} for producer {producer_id} is below \
                 the known {current}"
            ),
            Self::TooManyTransactions { count } => write!(f, "{count} transactions are open"),
        }
    }
}

impl std::error::Error for ProducerError {}

/// A transaction that a marker ended, for the transaction index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletedTxn {
    /// Whose it was.
    pub producer_id: ProducerId,
    /// Its first record.
    pub first_offset: Offset,
    /// Its marker.
    pub last_offset: Offset,
    /// Whether it was committed or aborted.
    pub outcome: TxnOutcome,
    /// First offset that is still undecided once this one is: what the index entry stores.
    pub last_stable_offset: Offset,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxnOutcome {
    /// Its records count.
    Committed,
    /// Its records are skipped by read_committed consumers.
    Aborted,
}

/// What a transaction marker says (control record type 0 or 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndTxn {
    /// Commit or abort.
    pub outcome: TxnOutcome,
    /// Epoch of the coordinator that wrote it.
    pub coordinator_epoch: i32,
    /// The marker record's timestamp, ms.
    pub timestamp: i64,
}

/// All producers of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerState {
    producers: BTreeMap<ProducerId, ProducerEntry>,
    producers_max: usize,
    /// Open transactions by their first offset.
    ongoing: BTreeMap<Offset, ProducerId>,
    /// Ended transactions whose marker is not below the high watermark yet: first to last offset.
    unreplicated: BTreeMap<Offset, Offset>,
    evicted_count: u64,
    /// Where producers that are not known must go on, see [`Self::note_refused`].
    refused: VecDeque<Refused>,
}

/// A batch of a producer that is not known was refused; it will come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Refused {
    producer_id: ProducerId,
    epoch: i16,
    base_sequence: i32,
}

/// Producers of which a first refused batch is remembered.
const REFUSED_MAX: usize = 1024;

impl ProducerState {
    /// Nothing known yet.
    ///
    /// - `producers_max`: most producers remembered, at least 1; about 220 bytes each.
    pub fn new(producers_max: usize) -> Self {
        Self {
            producers: BTreeMap::new(),
            producers_max: producers_max.max(1),
            ongoing: BTreeMap::new(),
            unreplicated: BTreeMap::new(),
            evicted_count: 0,
            refused: VecDeque::new(),
        }
    }

    /// Judges a client's batch before it is appended. Changes nothing.
    ///
    /// - A batch without a producer id is always [`Admission::Append`].
    /// - A negative sequence passes validation from a coordinator only (offsets committed in a
    ///   transaction); then the epoch alone is judged.
    pub fn check(&self, header: &BatchHeader) -> Result<Admission, ProducerError> {
        let producer_id = header.producer_id;
        if !producer_id.is_some() {
            return Ok(Admission::Append);
        }
        let Some(entry) = self.producers.get(&producer_id) else {
            let count = self.ongoing.len();
            if count >= self.producers_max {
                return Err(ProducerError::TooManyTransactions { count });
            }
            return self.check_refused(header).map(|()| Admission::Append);
        };
        if header.base_sequence < 0 {
            check_epoch(producer_id, header.producer_epoch, entry)?;
        } else {
            if let Some(batch) = find_duplicate(entry, header) {
                return Ok(Admission::Duplicate(*batch));
            }
            check_epoch(producer_id, header.producer_epoch, entry)?;
            check_sequence(header, entry)?;
        }
        if entry.txn_first_offset.is_some() && !header.is_transactional() {
            return Err(ProducerError::NotTransactional { producer_id });
        }
        Ok(Admission::Append)
    }

    /// A batch was refused for want of space or time: its client sends it again. A producer that
    /// is not known may begin with any sequence, so without this note the batch behind it, on its
    /// way already, would be taken before it, and it never after.
    pub fn note_refused(&mut self, header: &BatchHeader) {
        let BatchHeader { producer_id, producer_epoch: epoch, base_sequence, .. } = *header;
        let is_first = producer_id.is_some()
            && base_sequence >= 0
            && !self.producers.contains_key(&producer_id)
            && self.refused_of(producer_id, epoch).is_none();
        if is_first {
            self.refused.truncate(REFUSED_MAX - 1);
            self.refused.push_front(Refused { producer_id, epoch, base_sequence });
        }
    }

    fn refused_of(&self, producer_id: ProducerId, epoch: i16) -> Option<&Refused> {
        self.refused.iter().find(|it| it.producer_id == producer_id && it.epoch == epoch)
    }

    /// Judges a batch of a producer that is not known.
    fn check_refused(&self, header: &BatchHeader) -> Result<(), ProducerError> {
        let BatchHeader { producer_id, producer_epoch: epoch, base_sequence, .. } = *header;
        match self.refused_of(producer_id, epoch) {
            Some(refused) if base_sequence > refused.base_sequence => {
                let last_sequence = refused.base_sequence - 1;
                Err(ProducerError::OutOfOrder { producer_id, base_sequence, last_sequence })
            }
            _ => Ok(()),
        }
    }

    /// Judges a transaction marker before it is appended. Changes nothing.
    pub fn check_marker(&self, header: &BatchHeader, marker: EndTxn) -> Result<(), ProducerError> {
        let producer_id = header.producer_id;
        let Some(entry) = self.producers.get(&producer_id) else { return Ok(()) };
        check_epoch(producer_id, header.producer_epoch, entry)?;
        if marker.coordinator_epoch < entry.coordinator_epoch {
            return Err(ProducerError::CoordinatorFenced {
                producer_id,
                coordinator_epoch: marker.coordinator_epoch,
                current: entry.coordinator_epoch,
            });
        }
        Ok(())
    }

    /// Remembers a data batch that goes into the log, or was found there.
    ///
    /// - `header`: as it stands in the log, with its final offsets and timestamps.
    /// - Nothing is judged: the log is right. Control batches and batches without a producer id
    ///   are ignored.
    pub fn record(&mut self, header: &BatchHeader) {
        let producer_id = header.producer_id;
        if !producer_id.is_some() || header.is_control() {
            return;
        }
        self.make_room_for(producer_id);
        if !self.refused.is_empty() {
            self.refused.retain(|it| it.producer_id != producer_id);
        }
        let entry = self.producers.entry(producer_id).or_insert(ProducerEntry::unknown());
        entry.enter_epoch(header.producer_epoch);
        entry.push(BatchMetadata {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        });
        entry.last_seen = header.last_offset();
        if header.is_transactional() && entry.txn_first_offset.is_none() {
            entry.txn_first_offset = Some(header.base_offset);
            self.ongoing.insert(header.base_offset, producer_id);
        }
    }

    /// Remembers a transaction marker that goes into the log, or was found there.
    ///
    /// - Returns the transaction that it ends; `None` if the producer had none open here.
    pub fn record_marker(&mut self, header: &BatchHeader, marker: EndTxn) -> Option<CompletedTxn> {
        let producer_id = header.producer_id;
        if !producer_id.is_some() {
            return None;
        }
        self.make_room_for(producer_id);
        let entry = self.producers.entry(producer_id).or_insert(ProducerEntry::unknown());
        entry.enter_epoch(header.producer_epoch);
        entry.coordinator_epoch = marker.coordinator_epoch;
        entry.last_timestamp = marker.timestamp;
        entry.last_seen = header.last_offset();
        let first_offset = entry.txn_first_offset.take()?;
        let last_offset = header.last_offset();
        self.ongoing.remove(&first_offset);
        self.unreplicated.insert(first_offset, last_offset);
        let undecided = self.first_undecided_offset();
        Some(CompletedTxn {
            producer_id,
            first_offset,
            last_offset,
            outcome: marker.outcome,
            last_stable_offset: undecided.unwrap_or(last_offset.next()),
        })
    }

    /// First record of the earliest transaction without a marker.
    pub fn first_undecided_offset(&self) -> Option<Offset> {
        self.ongoing.keys().next().copied()
    }

    /// First record whose fate consumers may not be told yet: undecided, or decided by a marker at
    /// or above the high watermark. The last stable offset is the smaller of this and the watermark.
    pub fn first_unstable_offset(&self) -> Option<Offset> {
        let unreplicated = self.unreplicated.keys().next().copied();
        match (self.first_undecided_offset(), unreplicated) {
            (Some(undecided), Some(unreplicated)) => Some(undecided.min(unreplicated)),
            (undecided, unreplicated) => undecided.or(unreplicated),
        }
    }

    /// Forgets ended transactions whose marker is below the high watermark, or below the log start.
    pub fn on_high_watermark(&mut self, high_watermark: Offset) {
        self.unreplicated.retain(|_, last_offset| *last_offset >= high_watermark);
    }

    /// Forgets producers that were idle too long. Returns how many.
    ///
    /// - `expiration_ms`: Kafka's `producer.id.expiration.ms`, against the timestamp of the last
    ///   batch. A producer with an open transaction stays.
    pub fn expire(&mut self, now: WallMs, expiration_ms: i64) -> usize {
        let before = self.producers.len();
        self.producers.retain(|_, entry| {
            entry.txn_first_offset.is_some()
                || now.0.saturating_sub(entry.last_timestamp) < expiration_ms
        });
        before - self.producers.len()
    }

    /// Forgets everything; the limit stays.
    pub fn clear(&mut self) {
        self.producers.clear();
        self.ongoing.clear();
        self.unreplicated.clear();
        self.refused.clear();
    }

    /// The producers in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (ProducerId, &ProducerEntry)> {
        self.producers.iter().map(|(producer_id, entry)| (*producer_id, entry))
    }

    /// What is known of one producer.
    pub fn entry(&self, producer_id: ProducerId) -> Option<&ProducerEntry> {
        self.producers.get(&producer_id)
    }

    /// Producers remembered.
    pub fn len(&self) -> usize {
        self.producers.len()
    }

    /// True if no producer is remembered.
    pub fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    /// Producers dropped because of the limit, since the start.
    pub const fn evicted_count(&self) -> u64 {
        self.evicted_count
    }

    /// Puts back one producer from a snapshot, with its newest batch if it had one.
    ///
    /// - Called again for the same producer and epoch, it adds a newer batch.
    pub fn restore(&mut self, producer_id: ProducerId, restored: RestoredProducer) {
        self.make_room_for(producer_id);
        let known = self.producers.get(&producer_id);
        let known = known.filter(|entry| entry.epoch == restored.epoch);
        let mut entry = known.copied().unwrap_or(ProducerEntry::unknown());
        entry.epoch = restored.epoch;
        entry.coordinator_epoch = restored.coordinator_epoch;
        if let Some(batch) = restored.last_batch {
            entry.push(batch);
            entry.last_seen = batch.last_offset;
        }
        entry.last_timestamp = restored.last_timestamp;
        entry.txn_first_offset = restored.txn_first_offset;
        if let Some(first_offset) = restored.txn_first_offset {
            self.ongoing.insert(first_offset, producer_id);
        }
        self.producers.insert(producer_id, entry);
    }

    /// Goes back to what was known of one producer before a batch that did not make it into the log.
    ///
    /// - `before`: its entry then, or `None` if it was not known. Batches are taken back in the
    ///   reverse of the order in which they were recorded.
    pub fn rewind(&mut self, producer_id: ProducerId, before: Option<ProducerEntry>) {
        if !producer_id.is_some() {
            return;
        }
        let after = match before {
            Some(entry) => self.producers.insert(producer_id, entry),
            None => self.producers.remove(&producer_id),
        };
        if let Some(first_offset) = after.and_then(|entry| entry.txn_first_offset) {
            self.ongoing.remove(&first_offset);
        }
        if let Some(first_offset) = before.and_then(|entry| entry.txn_first_offset) {
            self.ongoing.insert(first_offset, producer_id);
        }
    }

    /// At the limit, drops the producers that lie furthest back. One with an open transaction is
    /// never dropped: its first offset holds the last stable offset down. If all have one, the
    /// limit gives way, as [`Self::check`] refuses further clients then.
    fn make_room_for(&mut self, producer_id: ProducerId) {
        if self.producers.len() < self.producers_max || self.producers.contains_key(&producer_id) {
            return;
        }
        let mut idle: Vec<(Offset, ProducerId)> = self
            .producers
            .iter()
            .filter(|(_, entry)| entry.txn_first_offset.is_none())
            .map(|(producer_id, entry)| (entry.last_seen, *producer_id))
            .collect();
        let count = (self.producers_max / EVICT_ONE_IN).max(1).min(idle.len());
        if count == 0 {
            return;
        }
        let (oldest, last, _) = idle.select_nth_unstable(count - 1);
        for (_, producer_id) in oldest.iter().chain([&*last]) {
            self.producers.remove(producer_id);
            self.evicted_count += 1;
        }
    }

    /// Checks what must always hold; walks everything. For the simulator and tests.
    pub fn verify(&self) {
        let open = self.producers.values().filter(|entry| entry.txn_first_offset.is_some()).count();
        assert_eq!(open, self.ongoing.len(), "open transactions and their index differ");
        for (first_offset, producer_id) in &self.ongoing {
            let entry = self.producers.get(producer_id);
            assert_eq!(
                entry.and_then(|entry| entry.txn_first_offset),
                Some(*first_offset),
                "producer {producer_id} does not know its transaction"
            );
        }
        let limit = self.producers_max.max(self.ongoing.len() + 1);
        assert!(self.producers.len() <= limit, "{} producers of {limit}", self.producers.len());
    }
}

/// One producer as a snapshot has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoredProducer {
    /// Its latest epoch.
    pub epoch: i16,
    /// Epoch of the coordinator that last ended a transaction of it, or -1.
    pub coordinator_epoch: i32,
    /// Largest timestamp of what it last appended, ms.
    pub last_timestamp: i64,
    /// Where its open transaction starts, if one is open.
    pub txn_first_offset: Option<Offset>,
    /// Its newest batch.
    pub last_batch: Option<BatchMetadata>,
}

/// The remembered batch with exactly these sequences.
fn find_duplicate<'a>(entry: &'a ProducerEntry, header: &BatchHeader) -> Option<&'a BatchMetadata> {
    if entry.epoch != header.producer_epoch {
        return None;
    }
    entry.batches().iter().find(|batch| {
        batch.base_sequence() == header.base_sequence
            && batch.last_sequence == header.last_sequence()
    })
}

fn check_epoch(
    producer_id: ProducerId,
    epoch: i16,
    entry: &ProducerEntry,
) -> Result<(), ProducerError> {
    if epoch < entry.epoch {
        let current = entry.epoch;
        return Err(ProducerError::InvalidEpoch { producer_id, epoch, current });
    }
    Ok(())
}

fn check_sequence(header: &BatchHeader, entry: &ProducerEntry) -> Result<(), ProducerError> {
    let BatchHeader { producer_id, producer_epoch: epoch, base_sequence, .. } = *header;
    if entry.epoch == NO_PRODUCER_EPOCH {
        return Ok(());
    }
    if epoch != entry.epoch {
        if base_sequence == 0 {
            return Ok(());
        }
        let current = entry.epoch;
        return Err(ProducerError::NewEpochNotAtZero {
            producer_id,
            epoch,
            base_sequence,
            current,
        });
    }
    // Nothing of this epoch is remembered after a marker alone: -1, so that only 0 follows.
    let last_sequence = entry.last_sequence();
    let expected = if last_sequence == i32::MAX { 0 } else { last_sequence + 1 };
    if base_sequence != expected {
        return Err(ProducerError::OutOfOrder { producer_id, base_sequence, last_sequence });
    }
    Ok(())
}

#[cfg(test)]
mod tests;

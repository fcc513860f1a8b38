//! What is known of the logs from the outside, and what must therefore hold.
//!
//! The oracle hears of every acknowledgement and every record that a consumer read. An offset, once
//! known, names its record for ever, unless a failure that the topic's contract does not cover took
//! it. Acknowledged records are among the known ones, so loss shows as a gap or a stranger.

use std::collections::{BTreeMap, BTreeSet};

use millrace_wire::Uuid;

use crate::record::RecordId;

/// What a topic's acknowledgements stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// The page cache: survives a kill, not a power loss.
    PageCache,
    /// The disk: survives a power loss.
    Durable,
}

/// A partition, by the topic's number in the oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Index into [`Oracle::topics`].
    pub topic: usize,
    /// The partition's index.
    pub partition: usize,
}

/// A topic; a new one of the same name is another topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Its id, once known.
    pub id: Uuid,
    /// What it promises.
    pub contract: Contract,
    /// Whether it has been asked to go.
    pub is_doomed: bool,
    /// Its partitions.
    pub partitions: Vec<Partition>,
}

/// What is known of a partition.
#[derive(Clone, Debug, Default)]
pub struct Partition {
    /// Records by offset.
    known: BTreeMap<i64, RecordId>,
    /// Offsets by record, of those producers that never repeat themselves.
    places: BTreeMap<RecordId, i64>,
    /// One above the last acknowledged offset.
    acked_end: i64,
    /// The highest log start offset that anybody asked for or saw.
    deletable_end: i64,
    /// The highest log start offset that was promised.
    log_start: i64,
    /// Counts losses that the contract allows.
    losses: u32,
}

/// How sure a producer may be that its records are there once and in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// Each once, in order: idempotent.
    OnceInOrder,
    /// Each at most once: never sent again.
    Once,
    /// Sent again without a sequence.
    Any,
}

/// Everything that is known, and the first thing that was wrong.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// All topics ever created.
    pub topics: Vec<Topic>,
    /// What each producer, by number, may rely on.
    guarantees: Vec<Guarantee>,
    /// Producer ids that were given out.
    producer_ids: BTreeSet<i64>,
    violation: Option<String>,
    /// Codes of the APIs that the broker says it has.
    pub apis: BTreeSet<i16>,
    /// Records acknowledged.
    pub acked_count: u64,
    /// Records read by consumers.
    pub read_count: u64,
    /// How often the process died.
    pub crashes: u32,
    /// Where a sync has failed since it was last known what is there: the page cache may show what it
    /// likes, and what stands on it alone may be gone.
    suspects: BTreeSet<Place>,
}

impl Oracle {
    /// Notes that something is wrong; the first word counts.
    pub fn fail(&mut self, what: impl Into<String>) {
        self.violation.get_or_insert(what.into());
    }

    /// What was wrong first.
    pub fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// A new producer's number.
    pub fn add_producer(&mut self, guarantee: Guarantee) -> u32 {
        self.guarantees.push(guarantee);
        u32::try_from(self.guarantees.len() - 1).expect("few producers")
    }

    /// The broker gave out a producer id; it must be a new one.
    pub fn on_producer_id(&mut self, id: i64) {
        if id < 0 || !self.producer_ids.insert(id) {
            self.fail(format!("producer id {id} was given out twice"));
        }
    }

    /// A topic that is now known to exist. Returns its number.
    pub fn add_topic(&mut self, name: &str, id: Uuid, contract: Contract, count: usize) -> usize {
        let partitions = vec![Partition::default(); count];
        let name = name.to_owned();
        self.topics.push(Topic { name, id, contract, is_doomed: false, partitions });
        self.topics.len() - 1
    }

    /// The partition's state.
    pub fn partition(&self, place: Place) -> &Partition {
        &self.topics[place.topic].partitions[place.partition]
    }

    fn partition_mut(&mut self, place: Place) -> &mut Partition {
        &mut self.topics[place.topic].partitions[place.partition]
    }

    /// The topic with this id, or, if that is zero, the last one of this name.
    pub fn find(&self, name: &str, id: Uuid) -> Option<usize> {
        self.topics.iter().rposition(
            |topic| {
                if id.is_zero() { topic.name == name } else { topic.id == id }
            },
        )
    }

    /// All partitions of topics that are to stay.
    pub fn places(&self) -> Vec<Place> {
        let topics = self.topics.iter().enumerate().filter(|(_, topic)| !topic.is_doomed);
        topics
            .flat_map(|(number, topic)| {
                let all = 0..topic.partitions.len();
                all.map(move |partition| Place { topic: number, partition })
            })
            .collect()
    }

    /// The broker acknowledged a batch at `base_offset`.
    pub fn on_acked(&mut self, place: Place, base_offset: i64, ids: &[RecordId]) {
        self.acked_count += ids.len() as u64;
        for (offset, &id) in (base_offset..).zip(ids) {
            self.learn(place, offset, id);
        }
        let partition = self.partition_mut(place);
        partition.acked_end = partition.acked_end.max(base_offset + ids.len() as i64);
    }

    /// A consumer read a record.
    pub fn on_read(&mut self, place: Place, offset: i64, id: RecordId) {
        self.read_count += 1;
        self.learn(place, offset, id);
    }

    /// A fetch or a listing told a partition's bounds.
    pub fn on_bounds(&mut self, place: Place, log_start: i64, last_stable: i64, high: i64) {
        let partition = self.partition_mut(place);
        let deletable_end = partition.deletable_end;
        if !(log_start <= last_stable && last_stable <= high) {
            self.fail(format!("{place:?}: {log_start} ≤ {last_stable} ≤ {high} does not hold"));
        } else if log_start > deletable_end {
            self.fail(format!(
                "{place:?}: the log starts at {log_start}, nothing beyond {deletable_end} was to go"
            ));
        }
    }

    /// A client is about to ask for the records below `offset` to be deleted.
    pub fn on_delete_asked(&mut self, place: Place, offset: i64) {
        let partition = self.partition_mut(place);
        partition.deletable_end = partition.deletable_end.max(offset);
    }

    /// The broker said that the log starts at `log_start`, in the life after so many `crashes`. An
    /// answer may arrive when who gave it is dead, see [`Self::on_crash`].
    pub fn on_deleted(&mut self, place: Place, log_start: i64, crashes: u32) {
        let is_of_this_life = crashes == self.crashes;
        let partition = self.partition_mut(place);
        if is_of_this_life {
            partition.log_start = partition.log_start.max(log_start);
        }
        if log_start > partition.deletable_end {
            let end = partition.deletable_end;
            self.fail(format!("{place:?}: deleted to {log_start}, asked for at most {end}"));
        }
    }

    /// The process died. Where logs start is written down now and then, as Kafka does, so records
    /// that were deleted since may come back.
    pub fn on_crash(&mut self) {
        self.crashes += 1;
        for topic in &mut self.topics {
            for partition in &mut topic.partitions {
                partition.log_start = 0;
            }
        }
    }

    /// After a failure that the contract does not cover the log ends at `end`: what was known from
    /// there on is forgotten.
    pub fn on_loss(&mut self, place: Place, end: i64) {
        let partition = self.partition_mut(place);
        let lost = partition.known.split_off(&end);
        partition.places.retain(|_, offset| *offset < end);
        partition.acked_end = partition.acked_end.min(end);
        partition.log_start = partition.log_start.min(end);
        partition.losses += u32::from(!lost.is_empty());
    }

    /// A sync of something in the folder of this name failed.
    pub fn on_sync_failed(&mut self, folder: &str) {
        let Some((name, index)) = folder.rsplit_once('-') else { return };
        if let (Some(topic), Ok(partition)) = (self.find(name, Uuid::ZERO), index.parse()) {
            self.suspects.insert(Place { topic, partition });
        }
    }

    /// Whether a sync of it has failed.
    pub fn is_suspect(&self, place: Place) -> bool {
        self.suspects.contains(&place)
    }

    /// Whether a sync of anything has failed.
    pub fn has_suspects(&self) -> bool {
        !self.suspects.is_empty()
    }

    /// It is known again what is there.
    pub fn clear_suspects(&mut self) {
        self.suspects.clear();
    }

    /// The end of the log is at `end`; nothing acknowledged may lie beyond it.
    pub fn on_end(&mut self, place: Place, end: i64) {
        let acked_end = self.partition(place).acked_end;
        if end < acked_end {
            self.fail(format!("{place:?}: ends at {end}, acknowledged up to {acked_end}"));
        }
    }

    /// Reads the offset's record into what is known.
    fn learn(&mut self, place: Place, offset: i64, id: RecordId) {
        let guarantee = self.guarantees.get(id.producer as usize).copied();
        let Some(guarantee) = guarantee else {
            self.fail(format!("{place:?} at {offset}: {id:?} of no producer"));
            return;
        };
        let partition = self.partition_mut(place);
        match partition.known.insert(offset, id) {
            Some(before) if before != id => {
                let what = format!("{place:?} at {offset}: {id:?}, and {before:?} before");
                self.fail(what);
                return;
            }
            Some(_) => return,
            None => {}
        }
        if guarantee == Guarantee::Any {
            return;
        }
        if let Some(other) = partition.places.insert(id, offset) {
            self.fail(format!("{place:?}: {id:?} at {other} and at {offset}"));
            return;
        }
        if guarantee == Guarantee::OnceInOrder {
            self.check_order(place, offset, id);
        }
    }

    /// The neighbours of a record by number must be its neighbours by offset.
    fn check_order(&mut self, place: Place, offset: i64, id: RecordId) {
        let partition = self.partition(place);
        let same = |other: &(&RecordId, &i64)| other.0.producer == id.producer;
        let before = partition.places.range(..id).next_back().filter(same);
        let later_number = RecordId { number: id.number + 1, ..id };
        let after = partition.places.range(later_number..).next().filter(same);
        let wrong =
            before.filter(|&(_, &at)| at > offset).or(after.filter(|&(_, &at)| at < offset));
        if let Some((other, at)) = wrong {
            let what = format!("{place:?}: {id:?} at {offset}, but {other:?} at {at}");
            self.fail(what);
        }
    }
}

impl Partition {
    /// One above the last acknowledged offset.
    pub const fn acked_end(&self) -> i64 {
        self.acked_end
    }

    /// One above the last known offset.
    pub fn known_end(&self) -> i64 {
        self.known.last_key_value().map_or(0, |(offset, _)| offset + 1)
    }

    /// The highest log start offset that may be seen.
    pub const fn deletable_end(&self) -> i64 {
        self.deletable_end
    }

    /// The lowest log start offset that may be seen.
    pub const fn log_start(&self) -> i64 {
        self.log_start
    }

    /// How often the contract let records be lost.
    pub const fn losses(&self) -> u32 {
        self.losses
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { topic: 0, partition: 0 };

    fn oracle() -> Oracle {
        let mut oracle = Oracle::default();
        oracle.add_topic("t", Uuid(1), Contract::PageCache, 1);
        oracle.add_producer(Guarantee::OnceInOrder);
        oracle.add_producer(Guarantee::Any);
        oracle
    }

    fn ids(producer: u32, numbers: std::ops::Range<u32>) -> Vec<RecordId> {
        numbers.map(|number| RecordId { producer, number }).collect()
    }

    #[test]
    fn a_second_record_at_an_offset_is_a_violation() {
        let mut oracle = oracle();
        oracle.on_acked(PLACE, 5, &ids(0, 0..3));
        oracle.on_read(PLACE, 6, ids(0, 1..2)[0]);
        assert_eq!(oracle.violation(), None);
        oracle.on_read(PLACE, 7, ids(1, 2..3)[0]);
        assert!(oracle.violation().is_some());
    }

    #[test]
    fn a_doubled_or_misplaced_record_of_an_idempotent_producer_is_a_violation() {
        let mut doubled = oracle();
        doubled.on_acked(PLACE, 0, &ids(0, 0..2));
        doubled.on_read(PLACE, 9, ids(0, 1..2)[0]);
        assert!(doubled.violation().is_some());
        let mut misplaced = oracle();
        misplaced.on_acked(PLACE, 4, &ids(0, 3..5));
        misplaced.on_acked(PLACE, 6, &ids(0, 1..2));
        assert!(misplaced.violation().is_some());
        let mut plain = oracle();
        plain.on_acked(PLACE, 0, &ids(1, 0..2));
        plain.on_acked(PLACE, 2, &ids(1, 0..2));
        assert_eq!(plain.violation(), None, "a plain producer may repeat itself");
    }

    #[test]
    fn an_end_below_the_acknowledged_is_a_violation_unless_the_contract_lost_it() {
        let mut oracle = oracle();
        oracle.on_acked(PLACE, 0, &ids(0, 0..10));
        oracle.on_loss(PLACE, 6);
        oracle.on_end(PLACE, 6);
        oracle.on_read(PLACE, 6, ids(1, 0..1)[0]);
        assert_eq!(oracle.violation(), None);
        oracle.on_end(PLACE, 5);
        assert!(oracle.violation().is_some());
    }

    #[test]
    fn a_log_that_starts_higher_than_anybody_asked_is_a_violation() {
        let mut oracle = oracle();
        oracle.on_acked(PLACE, 0, &ids(0, 0..10));
        oracle.on_delete_asked(PLACE, 4);
        oracle.on_bounds(PLACE, 4, 10, 10);
        assert_eq!(oracle.violation(), None);
        oracle.on_bounds(PLACE, 5, 10, 10);
        assert!(oracle.violation().is_some());
    }
}

//! A producer: batches out, pipelined; retried over connections and lives of the broker.
//!
//! One lane per partition. An idempotent lane sends again what was not acknowledged, in order and
//! with the same sequences, as clients do; a plain one gives up or repeats itself, by its guarantee.

use std::collections::VecDeque;

use bytes::Bytes;
use millrace_engine::batch::{ATTRIBUTES_AT, CRC_AT, HEADER_BYTES};
use millrace_engine::crc::crc32c;
use millrace_engine::{Codec, ProducerId, ProducerStamp};
use millrace_net::ErrorCode;
use millrace_net::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use millrace_net::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceData,
};
use millrace_world::{Rng, World};

use crate::link::Link;
use crate::oracle::{Contract, Guarantee, Oracle, Place};
use crate::plan::Plant;
use crate::record::{self, RecordId};

/// Timestamp of all records: a day before the world begins, so that no jump of the clock puts it too
/// far into the future.
const TIMESTAMP_MS: i64 = 1_767_139_200_000;

/// How a producer behaves.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// What it may rely on, and so how it retries.
    pub guarantee: Guarantee,
    /// -1, 0 or 1.
    pub acks: i16,
    /// Version of Produce it speaks.
    pub version: i16,
    /// Requests it pipelines.
    pub in_flight_max: usize,
    /// Records in a batch, at most.
    pub records_max: u64,
    /// Bytes of a record's value, at most.
    pub record_bytes_max: u64,
    /// Codec of its batches.
    pub codec: Codec,
    /// The longest it pauses between requests, ns.
    pub pause_max: u64,
    /// Batches that are spoiled on their way, per mille.
    pub spoilt: u32,
}

/// A producer.
#[derive(Debug)]
pub struct Producer {
    number: u32,
    habits: Habits,
    rng: Rng,
    link: Option<Link>,
    identity: Option<(ProducerId, i16)>,
    lanes: Vec<Lane>,
    in_flight: VecDeque<InFlight>,
    /// When it next does something, ns of the world's time.
    wake: u64,
    is_draining: bool,
    skipped_crc: SkippedCrc,
}

/// A bug put in on purpose: the broker does not check CRCs.
#[derive(Debug)]
enum SkippedCrc {
    /// It is not put in.
    No,
    /// It is. What is spoiled goes out with a CRC that fits, which the broker rightly takes, and gets
    /// back what it would have had when it is written.
    Planted {
        /// The CRCs that fit and those that were right before, until somebody takes them.
        disguises: Vec<(u32, u32)>,
        /// Whether it matters to the producer that a spoiled batch is taken.
        minds: bool,
    },
}

/// What a producer has for one partition.
#[derive(Debug)]
struct Lane {
    place: Place,
    next_number: u32,
    next_sequence: i32,
    /// Not acknowledged, oldest first.
    queue: VecDeque<Batch>,
    /// How many of the queue's front are in flight.
    sent: usize,
    /// How many of the queue's front were refused. They are sent again once nothing is in flight.
    refused: usize,
    /// The broker knows the producer's sequence.
    is_known: bool,
    /// The topic is gone.
    is_over: bool,
}

#[derive(Debug)]
struct Batch {
    ids: Vec<RecordId>,
    bytes: Bytes,
    /// How often it was sent.
    sends: u32,
    /// The last time it was spoiled on its way.
    is_spoilt: bool,
    /// It was sent and never answered: it may be in the log.
    may_be_taken: bool,
}

#[derive(Debug)]
enum InFlight {
    InitProducerId,
    /// The lanes that have a batch in it, in order.
    Produce(Vec<usize>),
}

impl Producer {
    /// A producer that writes to `places`.
    pub fn new(oracle: &mut Oracle, habits: Habits, places: &[Place], rng: Rng) -> Self {
        let lane = |&place: &Place| Lane {
            place,
            next_number: 0,
            next_sequence: 0,
            queue: VecDeque::new(),
            sent: 0,
            refused: 0,
            is_known: false,
            is_over: false,
        };
        Self {
            number: oracle.add_producer(habits.guarantee),
            habits,
            rng,
            link: None,
            identity: None,
            lanes: places.iter().map(lane).collect(),
            in_flight: VecDeque::new(),
            wake: 0,
            is_draining: false,
            skipped_crc: SkippedCrc::No,
        }
    }

    /// Plays that the broker does not check CRCs, if that is the bug put in on purpose.
    pub fn plant(&mut self, plant: Plant) {
        if matches!(plant, Plant::SkippedCrc | Plant::SkippedCrcUnminded) {
            let minds = plant == Plant::SkippedCrc;
            self.skipped_crc = SkippedCrc::Planted { disguises: Vec::new(), minds };
        }
    }

    /// The CRCs that spoiled batches were sent with, and those that were right before.
    pub fn take_disguises(&mut self) -> Vec<(u32, u32)> {
        match &mut self.skipped_crc {
            SkippedCrc::No => Vec::new(),
            SkippedCrc::Planted { disguises, .. } => std::mem::take(disguises),
        }
    }

    /// When it wants to move by itself.
    pub const fn wake(&self) -> u64 {
        self.wake
    }

    /// Its connection, if it has one.
    pub const fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// From now on it only finishes what it has begun.
    pub const fn drain(&mut self) {
        self.is_draining = true;
    }

    /// Whether nothing it sent is unanswered.
    pub fn is_done(&self) -> bool {
        self.in_flight.is_empty() && self.lanes.iter().all(|lane| lane.queue.is_empty())
    }

    /// The power went. Where acknowledged records may be gone, and with them what the broker knows of
    /// this producer, it starts anew and does not send again what was under way.
    pub fn on_power_loss<M>(&mut self, world: &mut World<M>, oracle: &Oracle) {
        if let Some(link) = &self.link {
            world.client_reset(link.client());
        }
        self.on_disconnected(world);
        let may_lose =
            |lane: &Lane| oracle.topics[lane.place.topic].contract == Contract::PageCache;
        if self.lanes.iter().any(may_lose) {
            self.restart();
        }
    }

    /// Its batches under way are given up; their fate is unknown.
    fn restart(&mut self) {
        self.identity = None;
        for lane in &mut self.lanes {
            lane.queue.clear();
            lane.sent = 0;
            lane.refused = 0;
            lane.is_known = false;
            lane.next_sequence = 0;
        }
    }

    /// Its time has come.
    pub fn on_wake<M>(&mut self, world: &mut World<M>, oracle: &Oracle) {
        let pause = self.rng.below(self.habits.pause_max.max(1));
        self.wake = world.time() + 1 + pause;
        if self.link.is_none() {
            self.link = Some(Link::connect(world));
        }
        if self.habits.guarantee == Guarantee::OnceInOrder && self.identity.is_none() {
            if self.in_flight.is_empty() {
                self.ask_for_identity(world);
            }
            return;
        }
        if self.in_flight.len() < self.habits.in_flight_max {
            self.produce(world, oracle);
        }
    }

    /// Something arrived, or the connection ended.
    pub fn on_news<M>(&mut self, world: &mut World<M>, oracle: &mut Oracle) {
        while let Some(link) = &mut self.link
            && let Some(frame) = link.receive(world)
        {
            if let Err(wrong) = self.on_response(world, oracle, &frame) {
                oracle.fail(format!("producer {}: {wrong}", self.number));
                return;
            }
        }
        if self.link.as_ref().is_some_and(|link| link.has_ended(world)) {
            self.on_disconnected(world);
        }
    }

    fn ask_for_identity<M>(&mut self, world: &mut World<M>) {
        let Some(link) = &mut self.link else { return };
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: 60_000,
            ..InitProducerIdRequest::default()
        };
        link.send(world, &request, 4);
        self.in_flight.push_back(InFlight::InitProducerId);
    }

    fn produce<M>(&mut self, world: &mut World<M>, oracle: &Oracle) {
        let first = self.rng.index(self.lanes.len());
        let count = 1 + self.rng.index(self.lanes.len());
        let mut chosen = Vec::new();
        for step in 0..count {
            let index = (first + step) % self.lanes.len();
            if self.prepare(index) {
                chosen.push(index);
            }
        }
        if chosen.is_empty() {
            return;
        }
        let mut request = ProduceRequest {
            acks: self.habits.acks,
            timeout_ms: 30_000,
            ..ProduceRequest::default()
        };
        for &index in &chosen {
            let records = self.send_next(index);
            let lane = &mut self.lanes[index];
            let topic = &oracle.topics[lane.place.topic];
            let part = PartitionProduceData {
                index: i32::try_from(lane.place.partition).expect("few partitions"),
                records: Some(records),
            };
            lane.sent += 1;
            match request.topic_data.iter_mut().find(|data| data.name == topic.name) {
                Some(data) => data.partition_data.push(part),
                None => request.topic_data.push(TopicProduceData {
                    name: topic.name.clone(),
                    topic_id: topic.id,
                    partition_data: vec![part],
                }),
            }
        }
        let Some(link) = &mut self.link else { return };
        if self.habits.acks == 0 {
            link.send_only(world, &request, self.habits.version);
            for index in chosen {
                let lane = &mut self.lanes[index];
                lane.queue.pop_front();
                lane.sent -= 1;
            }
        } else {
            link.send(world, &request, self.habits.version);
            self.in_flight.push_back(InFlight::Produce(chosen));
        }
    }

    /// The lane's next batch as it arrives: some are spoiled on their way.
    ///
    /// Not while the broker has nothing of an idempotent producer: it takes any sequence then, and so
    /// the batch behind the one whose CRC is wrong, as Kafka does. By that CRC nobody can say whose
    /// batch it was. And not when a batch is sent again: the first time may have worked, and those
    /// behind it would rightly be taken.
    fn send_next(&mut self, index: usize) -> Bytes {
        let lane = &mut self.lanes[index];
        let batch = &mut lane.queue[lane.sent];
        batch.sends += 1;
        let may_be = lane.is_known || self.habits.guarantee != Guarantee::OnceInOrder;
        let may_be = may_be && !self.is_draining;
        let is_spoilt = may_be && self.rng.chance(self.habits.spoilt);
        batch.is_spoilt = is_spoilt && batch.sends == 1;
        if !batch.is_spoilt {
            return batch.bytes.clone();
        }
        let mut bytes = batch.bytes.to_vec();
        let at = HEADER_BYTES + self.rng.index(bytes.len() - HEADER_BYTES);
        bytes[at] ^= 1 << self.rng.index(8);
        if let SkippedCrc::Planted { disguises, .. } = &mut self.skipped_crc {
            let crc = &mut bytes[CRC_AT..ATTRIBUTES_AT];
            let before = u32::from_be_bytes(crc.try_into().expect("four bytes"));
            let fitting = crc32c(&bytes[ATTRIBUTES_AT..]);
            bytes[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&fitting.to_be_bytes());
            disguises.push((fitting, before));
        }
        bytes.into()
    }

    /// Makes sure that the lane has a batch that may be sent now.
    fn prepare(&mut self, index: usize) -> bool {
        let (producer_id, epoch) = self.identity.unwrap_or((ProducerId::NONE, -1));
        let lane = &mut self.lanes[index];
        if lane.is_over || lane.refused > 0 {
            return false;
        }
        if lane.sent < lane.queue.len() {
            return true;
        }
        if self.is_draining {
            return false;
        }
        let count = self.rng.between(1, self.habits.records_max);
        let count = u32::try_from(count).expect("few records in a batch");
        let ids: Vec<_> = (lane.next_number..lane.next_number + count)
            .map(|number| RecordId { producer: self.number, number })
            .collect();
        lane.next_number += count;
        let sequence = lane.next_sequence;
        let mut stamp = ProducerStamp::default();
        if self.identity.is_some() {
            stamp = ProducerStamp { id: producer_id, epoch, base_sequence: sequence };
            lane.next_sequence += count.cast_signed();
        }
        let length = self.rng.between(8, self.habits.record_bytes_max);
        let length = usize::try_from(length).expect("a small value");
        let bytes = record::build(&ids, stamp, self.habits.codec, length, TIMESTAMP_MS);
        lane.queue.push_back(Batch { ids, bytes, sends: 0, is_spoilt: false, may_be_taken: false });
        true
    }

    fn on_response<M>(
        &mut self,
        world: &mut World<M>,
        oracle: &mut Oracle,
        frame: &[u8],
    ) -> Result<(), String> {
        let Some(link) = &mut self.link else { return Ok(()) };
        match self.in_flight.pop_front() {
            None => Err("a response that nobody asked for".to_owned()),
            Some(InFlight::InitProducerId) => {
                let response = link.take::<InitProducerIdRequest>(frame)?;
                self.on_identity(world, oracle, &response);
                Ok(())
            }
            Some(InFlight::Produce(lanes)) => {
                let response = link.take::<ProduceRequest>(frame)?;
                self.on_produced(world, oracle, &lanes, &response)
            }
        }
    }

    fn on_identity<M>(
        &mut self,
        world: &World<M>,
        oracle: &mut Oracle,
        response: &InitProducerIdResponse,
    ) {
        if response.error_code == 0 {
            let epoch = response.producer_epoch;
            oracle.on_producer_id(response.producer_id);
            self.identity = Some((ProducerId(response.producer_id), epoch));
            self.wake = world.time();
        } else {
            self.back_off(world);
        }
    }

    fn on_produced<M>(
        &mut self,
        world: &World<M>,
        oracle: &mut Oracle,
        lanes: &[usize],
        response: &ProduceResponse,
    ) -> Result<(), String> {
        for &index in lanes {
            let place = self.lanes[index].place;
            let topic = &oracle.topics[place.topic];
            let answers = response.responses.iter().filter(|data| {
                if self.habits.version >= 13 {
                    data.topic_id == topic.id
                } else {
                    data.name == topic.name
                }
            });
            let mut parts = answers.flat_map(|data| &data.partition_responses);
            let part = parts.find(|part| usize::try_from(part.index) == Ok(place.partition));
            let part = part.ok_or_else(|| format!("no answer for {place:?}"))?;
            self.on_part(world, oracle, index, part)?;
        }
        Ok(())
    }

    fn on_part<M>(
        &mut self,
        world: &World<M>,
        oracle: &mut Oracle,
        index: usize,
        part: &PartitionProduceResponse,
    ) -> Result<(), String> {
        let lane = &mut self.lanes[index];
        let error = ErrorCode::from_code(part.error_code)
            .ok_or_else(|| format!("error code {}", part.error_code))?;
        let is_once_in_order = self.habits.guarantee == Guarantee::OnceInOrder;
        if lane.sent == 0 {
            // Given up meanwhile: the topic is gone.
            return Ok(());
        }
        lane.sent -= 1;
        let at = lane.refused;
        let is_spoilt = lane.queue.get(at).is_some_and(|batch| batch.is_spoilt);
        let minds = !matches!(self.skipped_crc, SkippedCrc::Planted { minds: false, .. });
        let is_over = match outcome_of(error) {
            // By its name it may have gone into a topic that took the place of this one.
            Outcome::Taken | Outcome::OutOfOrder if oracle.topics[lane.place.topic].is_doomed => {
                true
            }
            Outcome::Taken if is_spoilt && minds => {
                return Err(format!("{:?}: a spoiled batch was taken", lane.place));
            }
            Outcome::Taken => {
                let mut refused = lane.queue.iter().take(lane.refused);
                if is_once_in_order && refused.any(|batch| !batch.may_be_taken) {
                    let place = lane.place;
                    return Err(format!("{place:?}: a batch was taken behind a refused one"));
                }
                lane.is_known = true;
                let batch = lane.queue.remove(at).expect("it was in flight");
                if part.base_offset >= 0 {
                    oracle.on_acked(lane.place, part.base_offset, &batch.ids);
                } else if batch.sends == 1 {
                    return Err(format!("{:?}: no offset for a batch sent once", lane.place));
                }
                false
            }
            Outcome::NoTopic if oracle.topics[lane.place.topic].is_doomed => true,
            Outcome::OutOfOrder if is_once_in_order && lane.refused == 0 => {
                let place = lane.place;
                return Err(format!("{place:?}: {} for the next batch in order", error.name()));
            }
            Outcome::Wrong if !is_spoilt || error != ErrorCode::CorruptMessage => {
                return Err(format!("{:?}: {} for a good batch", lane.place, error.name()));
            }
            Outcome::NoTopic | Outcome::OutOfOrder | Outcome::Retry | Outcome::Wrong => {
                if self.habits.guarantee == Guarantee::Once {
                    lane.queue.remove(at);
                } else {
                    lane.refused += 1;
                }
                false
            }
        };
        if is_over {
            lane.is_over = true;
            lane.queue.clear();
            lane.sent = 0;
        }
        if lane.sent == 0 {
            lane.refused = 0;
        }
        if error != ErrorCode::None {
            self.back_off(world);
        }
        Ok(())
    }

    fn on_disconnected<M>(&mut self, world: &World<M>) {
        self.link = None;
        self.in_flight.clear();
        for lane in &mut self.lanes {
            if self.habits.guarantee == Guarantee::Once {
                lane.queue.drain(..lane.sent);
            } else {
                for batch in lane.queue.iter_mut().take(lane.sent) {
                    batch.may_be_taken = true;
                }
            }
            lane.sent = 0;
            lane.refused = 0;
        }
        self.back_off(world);
    }

    fn back_off<M>(&mut self, world: &World<M>) {
        self.wake = world.time() + self.rng.between(5_000_000, 200_000_000);
    }
}

/// What an error code says of a batch.
enum Outcome {
    /// It is in the log.
    Taken,
    /// The machine is in trouble, or not ready; the batch may be sent again.
    Retry,
    /// There is no such topic, or not any more.
    NoTopic,
    /// It does not follow what the broker knows of the producer.
    OutOfOrder,
    /// Something is said to be wrong with it.
    Wrong,
}

fn outcome_of(error: ErrorCode) -> Outcome {
    if matches!(error, ErrorCode::None | ErrorCode::DuplicateSequenceNumber) {
        Outcome::Taken
    } else if matches!(error, ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId) {
        Outcome::NoTopic
    } else if matches!(
        error,
        ErrorCode::OutOfOrderSequenceNumber
            | ErrorCode::UnknownProducerId
            | ErrorCode::InvalidProducerIdMapping
    ) {
        Outcome::OutOfOrder
    } else if error.is_retriable() && error != ErrorCode::CorruptMessage
        || error == ErrorCode::KafkaStorageError
    {
        Outcome::Retry
    } else {
        Outcome::Wrong
    }
}

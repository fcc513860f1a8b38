//! A client of a compacted topic: writes keys again and again, and reads back what compaction left.
//!
//! It is its topic's only writer, with one request under way, so it knows what every offset holds.
//! The topic's contract is durable: kills and power losses excuse nothing. Checked with every full
//! reading:
//! - offsets grow, and each record is the one that was written at its offset: none is invented;
//! - the last value of every key is there, and a tombstone until its time may be over;
//! - the next batch in order is never refused, however much of the last ones was compacted away.

use std::collections::BTreeMap;

use bytes::Bytes;
use millrace_engine::{BatchBuilder, BatchIter, BatchSpec, Codec, OpenBatch};
use millrace_engine::{ProducerId, ProducerStamp};
use millrace_net::ErrorCode;
use millrace_net::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use millrace_net::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};
use millrace_net::messages::init_producer_id::InitProducerIdRequest;
use millrace_net::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData,
};
use millrace_world::{Rng, World};

use crate::link::Link;
use crate::plan::MS;

/// The topic's name.
const TOPIC: &str = "keyed";
/// Timestamp of the first record: before the world begins, whatever its clock does.
const TIMESTAMP_MS: i64 = 1_767_139_200_000;
/// Bytes of a fetch.
const FETCH_BYTES: i32 = 1 << 20;
/// Most bytes that a batch unpacks to.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Offset, key, value.
type Entry = (i64, String, Option<String>);

/// The topic and the client's habits.
#[derive(Clone, Debug)]
pub struct Habits {
    configs: Vec<(String, String)>,
    /// Whether tombstones may go with the second compaction that meets them, or stay for a day.
    are_tombstones_brief: bool,
    keys: u64,
    codec: Codec,
    value_bytes_max: u64,
    pause_max: u64,
}

impl Habits {
    /// Those of a seed; most seeds have such a client.
    pub fn of_seed(seed: u64) -> Option<Self> {
        let mut rng = Rng::new(seed ^ 0x6B65_7965_6431);
        if rng.chance(300) {
            return None;
        }
        let are_tombstones_brief = rng.chance(500);
        let retention = if are_tombstones_brief { 0 } else { 86_400_000 };
        let config = |name: &str, value: String| (name.to_owned(), value);
        let mut configs = vec![
            config("cleanup.policy", "compact".to_owned()),
            config("millrace.durability", "group-commit".to_owned()),
            config("segment.ms", rng.between(500, 5_000).to_string()),
            config("min.cleanable.dirty.ratio", ["0", "0.1", "0.5"][rng.index(3)].to_owned()),
            config("delete.retention.ms", retention.to_string()),
            config("index.interval.bytes", rng.between(0, 2000).to_string()),
            config("file.delete.delay.ms", rng.between(0, 2000).to_string()),
        ];
        if rng.chance(300) {
            configs.push(config("max.compaction.lag.ms", "1000".to_owned()));
        }
        Some(Self {
            configs,
            are_tombstones_brief,
            keys: rng.between(1, 20),
            codec: [Codec::None, Codec::None, Codec::Lz4, Codec::Zstd][rng.index(4)],
            value_bytes_max: [20, 500, 20_000][rng.index(3)],
            pause_max: rng.between(1, 30) * MS,
        })
    }
}

impl Habits {
    /// The same, but the broker is told to let tombstones go at once, which the client does not
    /// know: it looks like a broker that does not heed their time.
    #[must_use]
    pub fn with_hasty_tombstones(mut self) -> Self {
        self.are_tombstones_brief = false;
        self.configs.retain(|(name, _)| name != "delete.retention.ms");
        self.configs.push(("delete.retention.ms".to_owned(), "0".to_owned()));
        self
    }
}

/// See the file's head.
#[derive(Debug)]
pub struct Keyed {
    habits: Habits,
    rng: Rng,
    link: Option<Link>,
    in_flight: Option<Ask>,
    /// When it next does something, ns of the world's time.
    wake: u64,
    has_topic: bool,
    identity: Option<(ProducerId, i16)>,
    next_sequence: i32,
    /// What every offset got.
    known: BTreeMap<i64, (String, Option<String>)>,
    /// The batch that is not acknowledged.
    current: Option<Batch>,
    reading: Option<Reading>,
    batches: u32,
    is_draining: bool,
    /// Full readings since it drains.
    last_readings: u32,
    /// Records that compaction had removed when all was read last.
    removed: u64,
    violation: Option<String>,
}

#[derive(Debug)]
struct Batch {
    records: Vec<(String, Option<String>)>,
    bytes: Bytes,
}

/// All that is there is being read.
#[derive(Debug, Default)]
struct Reading {
    next: i64,
    found: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
enum Ask {
    Create,
    Identity,
    Produce,
    Fetch,
}

impl Keyed {
    /// A client that has not begun.
    pub fn new(habits: Habits, rng: Rng) -> Self {
        Self {
            habits,
            rng,
            link: None,
            in_flight: None,
            wake: 0,
            has_topic: false,
            identity: None,
            next_sequence: 0,
            known: BTreeMap::new(),
            current: None,
            reading: None,
            batches: 0,
            is_draining: false,
            last_readings: 0,
            removed: 0,
            violation: None,
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

    /// What was wrong first.
    pub fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// Records that compaction had removed when all was read last.
    pub const fn removed(&self) -> u64 {
        self.removed
    }

    /// From now on it only finishes what it has begun, and reads all once more.
    pub const fn drain(&mut self) {
        self.is_draining = true;
        self.last_readings = 0;
    }

    /// Whether nothing is left to be done.
    pub const fn is_done(&self) -> bool {
        let has_read = self.last_readings > 0 || !self.has_topic;
        self.is_draining && self.in_flight.is_none() && self.current.is_none() && has_read
    }

    /// The power went.
    pub fn on_power_loss<M>(&mut self, world: &mut World<M>) {
        if let Some(link) = &self.link {
            world.client_reset(link.client());
        }
        self.on_disconnected(world);
    }

    /// Its time has come.
    pub fn on_wake<M>(&mut self, world: &mut World<M>) {
        let pause = self.rng.below(self.habits.pause_max.max(1));
        self.wake = world.time() + 1 + pause;
        if self.in_flight.is_some() || self.is_done() {
            return;
        }
        let mut link = self.link.take().unwrap_or_else(|| Link::connect(world));
        self.in_flight = Some(self.ask(world, &mut link));
        self.link = Some(link);
    }

    fn ask<M>(&mut self, world: &mut World<M>, link: &mut Link) -> Ask {
        if !self.has_topic {
            let config = |(name, value): &(String, String)| CreatableTopicConfig {
                name: name.clone(),
                value: Some(value.clone()),
            };
            let topic = CreatableTopic {
                name: TOPIC.to_owned(),
                num_partitions: 1,
                replication_factor: 1,
                configs: self.habits.configs.iter().map(config).collect(),
                ..CreatableTopic::default()
            };
            let topics = vec![topic];
            let request = CreateTopicsRequest { topics, timeout_ms: 10_000, validate_only: false };
            link.send(world, &request, 5);
            return Ask::Create;
        }
        if self.identity.is_none() {
            let request = InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: 60_000,
                ..InitProducerIdRequest::default()
            };
            link.send(world, &request, 4);
            return Ask::Identity;
        }
        let wants_reading = self.current.is_none() && (self.is_draining || self.rng.chance(60));
        if self.reading.is_some() || wants_reading {
            let reading = self.reading.get_or_insert_default();
            let part = FetchPartition {
                partition: 0,
                fetch_offset: reading.next,
                partition_max_bytes: FETCH_BYTES,
                ..FetchPartition::default()
            };
            let topic = TOPIC.to_owned();
            let topic = FetchTopic { topic, partitions: vec![part], ..FetchTopic::default() };
            let request = FetchRequest {
                max_bytes: FETCH_BYTES,
                session_epoch: -1,
                topics: vec![topic],
                ..FetchRequest::default()
            };
            link.send(world, &request, 11);
            return Ask::Fetch;
        }
        let bytes = self.batch();
        let partition_data = vec![PartitionProduceData { index: 0, records: Some(bytes) }];
        let name = TOPIC.to_owned();
        let data = TopicProduceData { name, partition_data, ..TopicProduceData::default() };
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 30_000,
            topic_data: vec![data],
            ..ProduceRequest::default()
        };
        link.send(world, &request, 9);
        Ask::Produce
    }

    /// The batch that was not acknowledged, or a new one.
    fn batch(&mut self) -> Bytes {
        if let Some(batch) = &self.current {
            return batch.bytes.clone();
        }
        let rng = &mut self.rng;
        let (keys, bytes_max) = (self.habits.keys, self.habits.value_bytes_max);
        let count = rng.between(1, 6);
        let records: Vec<(String, Option<String>)> = (0..count)
            .map(|_| {
                let key = format!("key-{}", rng.below(keys));
                let length = usize::try_from(rng.between(1, bytes_max)).expect("small");
                let value = format!("{:x}", rng.word()).repeat(length / 16 + 1);
                (key, (!rng.chance(150)).then_some(value))
            })
            .collect();
        let (id, epoch) = self.identity.unwrap_or((ProducerId::NONE, -1));
        let stamp = ProducerStamp { id, epoch, base_sequence: self.next_sequence };
        let spec = BatchSpec { codec: self.habits.codec, producer: stamp, ..BatchSpec::default() };
        let mut builder = BatchBuilder::new(spec);
        self.batches += 1;
        let timestamp = TIMESTAMP_MS + i64::from(self.batches) * 100;
        for (key, value) in &records {
            let value = value.as_ref().map(String::as_bytes);
            builder.append(timestamp, Some(key.as_bytes()), value, &[]);
        }
        self.next_sequence += i32::try_from(count).expect("few");
        let bytes = builder.build().expect("all codecs are in");
        self.current = Some(Batch { records, bytes: bytes.clone() });
        bytes
    }

    /// Something arrived, or the connection ended.
    pub fn on_news<M>(&mut self, world: &mut World<M>) {
        while let Some(link) = &mut self.link
            && let Some(frame) = link.receive(world)
        {
            if let Err(wrong) = self.on_response(world, &frame) {
                self.violation.get_or_insert(format!("keyed client: {wrong}"));
                return;
            }
        }
        if self.link.as_ref().is_some_and(|link| link.has_ended(world)) {
            self.on_disconnected(world);
        }
    }

    fn on_disconnected<M>(&mut self, world: &World<M>) {
        self.link = None;
        self.in_flight = None;
        self.back_off(world);
    }

    fn back_off<M>(&mut self, world: &World<M>) {
        self.wake = world.time() + self.rng.between(5_000_000, 200_000_000);
    }

    fn on_response<M>(&mut self, world: &World<M>, frame: &[u8]) -> Result<(), String> {
        let Some(link) = &mut self.link else { return Ok(()) };
        match self.in_flight.take() {
            None => Err("a response that nobody asked for".to_owned()),
            Some(Ask::Create) => {
                let response = link.take::<CreateTopicsRequest>(frame)?;
                let result = response.topics.first().ok_or("no topic in the answer")?;
                let error = error_of(result.error_code)?;
                // It may have been made by a request whose answer was lost.
                self.has_topic = matches!(error, ErrorCode::None | ErrorCode::TopicAlreadyExists);
                if !self.has_topic && !is_trouble(error) {
                    return Err(format!("creating: {} {:?}", error.name(), result.error_message));
                }
                Ok(())
            }
            Some(Ask::Identity) => {
                let response = link.take::<InitProducerIdRequest>(frame)?;
                if response.error_code == 0 {
                    let id = ProducerId(response.producer_id);
                    self.identity = Some((id, response.producer_epoch));
                } else {
                    self.back_off(world);
                }
                Ok(())
            }
            Some(Ask::Produce) => {
                let response = link.take::<ProduceRequest>(frame)?;
                let topic = response.responses.first().ok_or("no topic in the answer")?;
                let part = topic.partition_responses.first().ok_or("no partition")?;
                self.on_produced(world, part)
            }
            Some(Ask::Fetch) => {
                let response = link.take::<FetchRequest>(frame)?;
                let topic = response.responses.first().ok_or("no topic in the answer")?;
                let part = topic.partitions.first().ok_or("no partition in the answer")?;
                self.on_fetched(world, part)
            }
        }
    }

    fn on_produced<M>(
        &mut self,
        world: &World<M>,
        part: &PartitionProduceResponse,
    ) -> Result<(), String> {
        let error = error_of(part.error_code)?;
        if is_trouble(error) || error == ErrorCode::UnknownTopicOrPartition {
            self.back_off(world);
            return Ok(());
        }
        if !error.is_none() && error != ErrorCode::DuplicateSequenceNumber {
            return Err(format!("{} for the next batch in order", error.name()));
        }
        let batch = self.current.take().ok_or("nothing was sent")?;
        for (offset, record) in (part.base_offset..).zip(batch.records) {
            if self.known.insert(offset, record).is_some() {
                return Err(format!("{offset} was given out twice"));
            }
        }
        Ok(())
    }

    fn on_fetched<M>(&mut self, world: &World<M>, part: &PartitionData) -> Result<(), String> {
        let error = error_of(part.error_code)?;
        if !error.is_none() {
            if is_trouble(error) || error == ErrorCode::UnknownTopicOrPartition {
                self.back_off(world);
                return Ok(());
            }
            return Err(format!("fetch: {}", error.name()));
        }
        let known_end = self.known.last_key_value().map_or(0, |(offset, _)| offset + 1);
        if part.high_watermark < known_end {
            return Err(format!("ends at {}, known to {known_end}", part.high_watermark));
        }
        if part.log_start_offset > 0 {
            return Err(format!("starts at {}", part.log_start_offset));
        }
        let mut reading = self.reading.take().ok_or("nothing was being read")?;
        let before = reading.next;
        let bytes = part.records.clone().unwrap_or_default();
        for batch in BatchIter::new(&bytes) {
            if !batch.is_crc_right() {
                return Err(format!("a wrong CRC at {:?}", batch.header.base_offset));
            }
            let after = batch.header.next_offset().0;
            if after <= reading.next {
                return Err(format!("a batch that ends at {after} behind {}", reading.next));
            }
            reading.next = after;
            read_batch(&batch, &mut reading.found)?;
        }
        if reading.next > before && reading.next < part.high_watermark {
            self.reading = Some(reading);
            return Ok(());
        }
        self.last_readings += u32::from(self.is_draining && self.current.is_none());
        self.check(&reading.found)
    }

    /// Everything that must hold of what is there.
    fn check(&mut self, found: &[Entry]) -> Result<(), String> {
        if !found.is_sorted_by(|a, b| a.0 < b.0) {
            return Err("offsets do not grow".to_owned());
        }
        for (offset, key, value) in found {
            let is_it = |record: &(String, Option<String>)| record.0 == *key && record.1 == *value;
            let may_be = match (self.known.get(offset), &self.current) {
                (Some(record), _) => is_it(record),
                (None, Some(batch)) => batch.records.iter().any(is_it),
                (None, None) => false,
            };
            if !may_be {
                return Err(format!("{key} at {offset} was never written there"));
            }
        }
        let mut last: BTreeMap<&str, (i64, bool)> = BTreeMap::new();
        for (offset, (key, value)) in &self.known {
            last.insert(key, (*offset, value.is_none()));
        }
        for (key, (offset, is_tombstone)) in last {
            let is_there = found.binary_search_by_key(&offset, |entry| entry.0).is_ok();
            let is_superseded = found.last().is_some_and(|last| last.0 > offset)
                && found.iter().any(|entry| entry.1 == key && entry.0 > offset);
            let may_be_gone = is_tombstone && self.habits.are_tombstones_brief;
            if !is_there && !is_superseded && !may_be_gone {
                return Err(format!("the last value of {key}, at {offset}, is lost"));
            }
        }
        self.removed = (self.known.len() as u64).saturating_sub(found.len() as u64);
        Ok(())
    }
}

fn read_batch(
    batch: &millrace_engine::BatchView<'_>,
    found: &mut Vec<Entry>,
) -> Result<(), String> {
    let at = batch.header.base_offset;
    let open = OpenBatch::open(batch, BODY_BYTES_MAX);
    let open = open.map_err(|error| format!("the batch at {at:?}: {error:?}"))?;
    for record in open.records() {
        let record = record.map_err(|error| format!("the batch at {at:?}: {error}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let key = record.record.key.map(text).ok_or("a record without a key")?;
        found.push((record.offset.0, key, record.record.value.map(text)));
    }
    Ok(())
}

fn error_of(code: i16) -> Result<ErrorCode, String> {
    ErrorCode::from_code(code).ok_or_else(|| format!("error code {code}"))
}

/// The machine's troubles, not the request's.
fn is_trouble(error: ErrorCode) -> bool {
    let is_corrupt = error == ErrorCode::CorruptMessage;
    !is_corrupt && error.is_retriable()
        || matches!(error, ErrorCode::KafkaStorageError | ErrorCode::UnknownServerError)
}

//! The groups' topics and their only writer: it creates them, makes them grow, and appends records
//! that number themselves, in order and once, whatever happens.
//!
//! The topics' contract is durable: kills and power losses excuse nothing.

use std::collections::VecDeque;

use bytes::Bytes;
use millrace_engine::{BatchBuilder, BatchSpec, ProducerId, ProducerStamp};
use millrace_net::ErrorCode;
use millrace_net::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use millrace_net::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use millrace_net::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use millrace_net::messages::init_producer_id::InitProducerIdRequest;
use millrace_net::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use millrace_net::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use millrace_wire::Uuid;
use millrace_world::{Rng, World};

use super::ledger::Spot;
use crate::link::Link;
use crate::plan::MS;

/// Timestamp of all records: before the world begins, whatever its clock does.
const TIMESTAMP_MS: i64 = 1_767_139_200_000;

/// A topic of the groups.
#[derive(Clone, Debug)]
pub(super) struct Topic {
    /// Its name.
    pub(super) name: String,
    /// Its id; zero until it is known to exist.
    pub(super) id: Uuid,
    /// Records by partition, all of them acknowledged. As many as there are partitions for sure.
    pub(super) ends: Vec<i64>,
    /// It is being deleted, or was.
    pub(super) is_gone: bool,
}

impl Topic {
    /// Partitions that there are for sure; none once it is being deleted.
    pub(super) const fn partitions(&self) -> usize {
        if self.is_gone { 0 } else { self.ends.len() }
    }
}

/// Something to do to a topic, by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Create it with so many partitions.
    Create(usize, usize),
    /// Find out its id.
    Identify(usize, usize),
    /// Give it so many partitions.
    Grow(usize, usize),
    /// Delete it.
    Delete(usize),
}

#[derive(Debug)]
enum Ask {
    Task(Task),
    Identity,
    Produce(Batch),
}

#[derive(Clone, Debug)]
struct Batch {
    spot: Spot,
    count: i64,
    bytes: Bytes,
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct Writer {
    rng: Rng,
    link: Option<Link>,
    in_flight: Option<Ask>,
    wake: u64,
    /// By time, ns.
    tasks: VecDeque<(u64, Task)>,
    /// The task was sent before.
    is_repeat: bool,
    identity: Option<(ProducerId, i16)>,
    /// The batch that is not acknowledged.
    current: Option<Batch>,
    pause_max: u64,
    is_draining: bool,
}

impl Writer {
    /// A writer that has not begun; `tasks` are in order of their times.
    pub(super) fn new(tasks: Vec<(u64, Task)>, pause_max: u64, rng: Rng) -> Self {
        Self {
            rng,
            link: None,
            in_flight: None,
            wake: 0,
            tasks: tasks.into(),
            is_repeat: false,
            identity: None,
            current: None,
            pause_max,
            is_draining: false,
        }
    }

    /// When it wants to move by itself.
    pub(super) const fn wake(&self) -> u64 {
        self.wake
    }

    /// Its connection, if it has one.
    pub(super) const fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// From now on it does at once what is left to do to topics, and appends nothing new.
    pub(super) fn drain(&mut self) {
        self.is_draining = true;
        for (at, _) in &mut self.tasks {
            *at = 0;
        }
        self.wake = 0;
    }

    /// Whether nothing is left to be done.
    pub(super) fn is_done(&self) -> bool {
        self.is_draining
            && self.tasks.is_empty()
            && self.current.is_none()
            && self.in_flight.is_none()
    }

    /// The power went.
    pub(super) fn on_power_loss<M>(&mut self, world: &mut World<M>) {
        if let Some(link) = &self.link {
            world.client_reset(link.client());
        }
        self.on_disconnected(world);
    }

    /// Its time has come.
    ///
    /// Returns the topic that it begins to delete, if any.
    pub(super) fn on_wake<M>(
        &mut self,
        world: &mut World<M>,
        topics: &mut [Topic],
    ) -> Option<usize> {
        self.wake = world.time() + 1 + self.rng.below(self.pause_max.max(1));
        if self.in_flight.is_some() || self.is_done() {
            return None;
        }
        let mut link = self.link.take().unwrap_or_else(|| Link::connect(world));
        self.in_flight = self.ask(world, &mut link, topics);
        self.link = Some(link);
        let Some(Ask::Task(Task::Delete(topic))) = self.in_flight else { return None };
        topics[topic].is_gone = true;
        Some(topic)
    }

    fn ask<M>(&mut self, world: &mut World<M>, link: &mut Link, topics: &[Topic]) -> Option<Ask> {
        if let Some(&(at, task)) = self.tasks.front()
            && at <= world.time()
            && self.current.is_none()
        {
            send_task(world, link, topics, task);
            return Some(Ask::Task(task));
        }
        let Some(identity) = self.identity else {
            let request = InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: 60_000,
                ..InitProducerIdRequest::default()
            };
            link.send(world, &request, 4);
            return Some(Ask::Identity);
        };
        if self.current.is_none() && !self.is_draining {
            self.current = self.batch(topics, identity);
        }
        let batch = self.current.clone()?;
        let index = i32::try_from(batch.spot.partition).expect("few partitions");
        let data = PartitionProduceData { index, records: Some(batch.bytes.clone()) };
        let name = topics[batch.spot.topic].name.clone();
        let data = TopicProduceData { name, partition_data: vec![data], ..Default::default() };
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 30_000,
            topic_data: vec![data],
            ..ProduceRequest::default()
        };
        link.send(world, &request, 9);
        Some(Ask::Produce(batch))
    }

    /// A new batch for some partition that is there.
    fn batch(&mut self, topics: &[Topic], (id, epoch): (ProducerId, i16)) -> Option<Batch> {
        let mut spots = Vec::new();
        for (topic, known) in topics.iter().enumerate().filter(|(_, it)| !it.is_gone) {
            spots.extend((0..known.ends.len()).map(|partition| Spot { topic, partition }));
        }
        if spots.is_empty() {
            return None;
        }
        let spot = spots[self.rng.index(spots.len())];
        let end = topics[spot.topic].ends[spot.partition];
        let count = i64::try_from(self.rng.between(1, 6)).expect("few");
        let base_sequence = i32::try_from(end).expect("few records");
        let producer = ProducerStamp { id, epoch, base_sequence };
        let mut builder = BatchBuilder::new(BatchSpec { producer, ..BatchSpec::default() });
        for number in end..end + count {
            builder.append(TIMESTAMP_MS, None, Some(&number.to_be_bytes()), &[]);
        }
        let bytes = builder.build().expect("no codec can fail");
        Some(Batch { spot, count, bytes })
    }

    /// Something arrived, or the connection ended.
    pub(super) fn on_news<M>(
        &mut self,
        world: &mut World<M>,
        topics: &mut [Topic],
    ) -> Result<(), String> {
        while let Some(link) = &mut self.link
            && let Some(frame) = link.receive(world)
        {
            self.on_response(world, topics, &frame).map_err(|wrong| format!("writer: {wrong}"))?;
        }
        if self.link.as_ref().is_some_and(|link| link.has_ended(world)) {
            self.on_disconnected(world);
        }
        Ok(())
    }

    fn on_disconnected<M>(&mut self, world: &World<M>) {
        self.link = None;
        self.is_repeat |= matches!(self.in_flight.take(), Some(Ask::Task(_)));
        self.back_off(world);
    }

    fn back_off<M>(&mut self, world: &World<M>) {
        self.wake = world.time() + self.rng.between(5, 100) * MS;
    }

    fn on_response<M>(
        &mut self,
        world: &World<M>,
        topics: &mut [Topic],
        frame: &[u8],
    ) -> Result<(), String> {
        let Some(link) = &mut self.link else { return Ok(()) };
        match self.in_flight.take() {
            None => Err("a response that nobody asked for".to_owned()),
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
            Some(Ask::Produce(batch)) => {
                let response = link.take::<ProduceRequest>(frame)?;
                let topic = response.responses.first().ok_or("no topic in the answer")?;
                let part = topic.partition_responses.first().ok_or("no partition")?;
                let error = error_of(part.error_code)?;
                if is_trouble(error) || error == ErrorCode::UnknownTopicOrPartition {
                    self.back_off(world);
                    return Ok(());
                }
                let end = &mut topics[batch.spot.topic].ends[batch.spot.partition];
                let is_right = error.is_none() && part.base_offset == *end;
                if !is_right && error != ErrorCode::DuplicateSequenceNumber {
                    let base = part.base_offset;
                    let name = error.name();
                    return Err(format!("{:?}: {name}, offset {base}, not {end}", batch.spot));
                }
                *end += batch.count;
                self.current = None;
                Ok(())
            }
            Some(Ask::Task(task)) => self.on_task(world, topics, task, frame),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the codes are Kafka's, most stand as is")]
    fn on_task<M>(
        &mut self,
        world: &World<M>,
        topics: &mut [Topic],
        task: Task,
        frame: &[u8],
    ) -> Result<(), String> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let (error, next) = match task {
            Task::Create(topic, count) => {
                let response = link.take::<CreateTopicsRequest>(frame)?;
                let result = response.topics.first().ok_or("no topic in the answer")?;
                let next = Some(Task::Identify(topic, count));
                match error_of(result.error_code)? {
                    ErrorCode::TopicAlreadyExists if self.is_repeat => (ErrorCode::None, next),
                    error => (error, next),
                }
            }
            Task::Identify(topic, count) => {
                let response = link.take::<MetadataRequest>(frame)?;
                let found = response.topics.first().ok_or("no topic in the answer")?;
                let error = error_of(found.error_code)?;
                let is_old = topics.iter().any(|it| it.is_gone && it.id == found.topic_id);
                let has_all = !is_old
                    && found.partitions.len() == count
                    && found.partitions.iter().all(|partition| partition.leader_id >= 0);
                if error.is_none() && has_all {
                    topics[topic].id = found.topic_id;
                    topics[topic].ends.resize(count, 0);
                }
                let error = if has_all { error } else { ErrorCode::LeaderNotAvailable };
                (error, None)
            }
            Task::Grow(topic, count) => {
                let response = link.take::<CreatePartitionsRequest>(frame)?;
                let result = response.results.first().ok_or("no topic in the answer")?;
                let next = Some(Task::Identify(topic, count));
                match error_of(result.error_code)? {
                    ErrorCode::InvalidPartitions if self.is_repeat => (ErrorCode::None, next),
                    error => (error, next),
                }
            }
            Task::Delete(_) => {
                let response = link.take::<DeleteTopicsRequest>(frame)?;
                let result = response.responses.first().ok_or("no topic in the answer")?;
                match error_of(result.error_code)? {
                    ErrorCode::UnknownTopicId if self.is_repeat => (ErrorCode::None, None),
                    error => (error, None),
                }
            }
        };
        if error.is_none() {
            self.is_repeat = false;
            if let Some(front) = self.tasks.front_mut()
                && let Some(next) = next
            {
                front.1 = next;
            } else {
                self.tasks.pop_front();
            }
            return Ok(());
        }
        self.is_repeat |= !matches!(task, Task::Identify(..));
        self.back_off(world);
        if is_trouble(error) || error == ErrorCode::UnknownTopicOrPartition {
            return Ok(());
        }
        Err(format!("{task:?}: {}", error.name()))
    }
}

fn send_task<M>(world: &mut World<M>, link: &mut Link, topics: &[Topic], task: Task) {
    match task {
        Task::Create(topic, count) => {
            let durable = CreatableTopicConfig {
                name: "millrace.durability".to_owned(),
                value: Some("group-commit".to_owned()),
            };
            let topic = CreatableTopic {
                name: topics[topic].name.clone(),
                num_partitions: i32::try_from(count).expect("few partitions"),
                replication_factor: 1,
                configs: vec![durable],
                ..CreatableTopic::default()
            };
            let topics = vec![topic];
            let request = CreateTopicsRequest { topics, timeout_ms: 10_000, validate_only: false };
            link.send(world, &request, 7);
        }
        Task::Identify(topic, _) => {
            let name = Some(topics[topic].name.clone());
            let topic = MetadataRequestTopic { name, ..MetadataRequestTopic::default() };
            let request = MetadataRequest {
                topics: Some(vec![topic]),
                allow_auto_topic_creation: false,
                ..MetadataRequest::default()
            };
            link.send(world, &request, 12);
        }
        Task::Delete(topic) => {
            let topic_id = topics[topic].id;
            let topic = DeleteTopicState { name: None, topic_id };
            let request = DeleteTopicsRequest {
                topics: vec![topic],
                timeout_ms: 10_000,
                ..DeleteTopicsRequest::default()
            };
            link.send(world, &request, 6);
        }
        Task::Grow(topic, count) => {
            let topic = CreatePartitionsTopic {
                name: topics[topic].name.clone(),
                count: i32::try_from(count).expect("few partitions"),
                assignments: None,
            };
            let request = CreatePartitionsRequest {
                topics: vec![topic],
                timeout_ms: 10_000,
                ..CreatePartitionsRequest::default()
            };
            link.send(world, &request, 3);
        }
    }
}

/// The error of a code.
pub(super) fn error_of(code: i16) -> Result<ErrorCode, String> {
    ErrorCode::from_code(code).ok_or_else(|| format!("error code {code}"))
}

/// The machine's troubles, not the request's.
pub(super) fn is_trouble(error: ErrorCode) -> bool {
    let is_corrupt = error == ErrorCode::CorruptMessage;
    !is_corrupt && error.is_retriable() || error == ErrorCode::KafkaStorageError
}

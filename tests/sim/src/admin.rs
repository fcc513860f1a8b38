//! An administrator: creates and deletes topics, deletes records, lists, and looks after a failure
//! how much is left.

use std::collections::VecDeque;

use millrace_net::messages::api_versions::ApiVersionsRequest;
use millrace_net::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use millrace_net::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use millrace_net::messages::delete_topics::DeleteTopicsRequest;
use millrace_net::messages::list_offsets::{ListOffsetsRequest, ListOffsetsResponse};
use millrace_net::messages::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
use millrace_net::{ApiKey, ErrorCode};
use millrace_world::{Rng, World};

use crate::consumer::{EARLIEST, LATEST, list_offsets, listed};
use crate::link::Link;
use crate::oracle::{Contract, Oracle, Place};

/// A topic to create.
#[derive(Clone, Debug)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: usize,
    /// What it promises.
    pub contract: Contract,
    /// Its configuration.
    pub configs: Vec<(String, String)>,
}

/// Something to do; repeated until it is answered.
#[derive(Clone, Debug)]
pub enum Task {
    /// Create a topic.
    Create(TopicSpec),
    /// Find out what the broker can do.
    Versions,
    /// Find out the id of a topic that was created.
    Identify(TopicSpec),
    /// Delete the topic of this number.
    Delete(usize),
    /// Look that it is gone.
    SeeDeleted(usize),
    /// Delete the records below an offset.
    DeleteRecords(Place, i64),
    /// Compare ends with what was acknowledged.
    ListEnds,
    /// Compare starts with what was deleted.
    ListStarts,
    /// Look whether all topics are there.
    ListTopics,
    /// Find out what is left after a power loss.
    Inspect,
}

/// What came of a task.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// A topic, by its number, is there.
    Created(usize),
    /// What a power loss left: the ends of the logs.
    Inspected(Vec<(Place, i64)>),
}

/// An administrator.
#[derive(Debug)]
pub struct Admin {
    rng: Rng,
    link: Option<Link>,
    tasks: VecDeque<Task>,
    /// The first task is under way, and this must hold when it is answered.
    in_flight: Option<Vec<(Place, i64)>>,
    wake: u64,
    /// Whether the task was sent before.
    is_repeat: bool,
    /// The process's deaths when the task was sent.
    crashes: u32,
}

impl Admin {
    /// An administrator with something to do.
    pub fn new(tasks: Vec<Task>, rng: Rng) -> Self {
        Self {
            rng,
            link: None,
            tasks: tasks.into(),
            in_flight: None,
            wake: 0,
            is_repeat: false,
            crashes: 0,
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

    /// Something to do after all else, if the broker can do it.
    pub fn add(&mut self, oracle: &Oracle, task: Task) {
        let needs = match task {
            Task::Delete(_) => ApiKey::DeleteTopics,
            Task::DeleteRecords(..) => ApiKey::DeleteRecords,
            Task::Versions
            | Task::Create(_)
            | Task::Identify(_)
            | Task::SeeDeleted(_)
            | Task::ListEnds
            | Task::ListStarts
            | Task::ListTopics
            | Task::Inspect => ApiKey::ApiVersions,
        };
        if oracle.apis.contains(&needs.code()) {
            self.tasks.push_back(task);
        }
    }

    /// What it is at, for saying what is waited for.
    pub fn task(&self) -> Option<&Task> {
        self.tasks.front()
    }

    /// Whether everything is done.
    pub fn is_done(&self) -> bool {
        self.tasks.is_empty()
    }

    /// The power went: look first what is left.
    pub fn on_power_loss<M>(&mut self, world: &mut World<M>) {
        if let Some(link) = &self.link {
            world.client_reset(link.client());
        }
        self.on_disconnected(world);
        if !matches!(self.tasks.front(), Some(Task::Inspect)) {
            // The interrupted task goes on afterwards, as a repetition.
            self.tasks.push_front(Task::Inspect);
        }
    }

    /// Its time has come.
    pub fn on_wake<M>(&mut self, world: &mut World<M>, oracle: &mut Oracle) {
        self.wake = world.time() + 1_000_000_000;
        if self.link.is_none() {
            self.link = Some(Link::connect(world));
        }
        // A topic that is gone has no records; one of the same name is another.
        let is_moot = |task: &Task| matches!(task, Task::DeleteRecords(place, _) if oracle.topics[place.topic].is_doomed);
        while self.in_flight.is_none() && self.tasks.front().is_some_and(is_moot) {
            self.tasks.pop_front();
        }
        if self.in_flight.is_none()
            && let Some(task) = self.tasks.front().cloned()
        {
            let due = self.send(world, oracle, &task);
            self.in_flight = Some(due);
            self.crashes = oracle.crashes;
        }
    }

    /// Something arrived, or the connection ended.
    pub fn on_news<M>(&mut self, world: &mut World<M>, oracle: &mut Oracle) -> Option<News> {
        let mut news = None;
        if let Some(link) = &mut self.link
            && let Some(frame) = link.receive(world)
        {
            self.wake = world.time() + self.rng.between(1_000, 50_000_000);
            match self.on_response(oracle, &frame) {
                Ok(told) => news = told,
                Err(wrong) => oracle.fail(format!("admin: {wrong}")),
            }
        }
        if self.link.as_ref().is_some_and(|link| link.has_ended(world)) {
            self.on_disconnected(world);
        }
        news
    }

    fn on_disconnected<M>(&mut self, world: &World<M>) {
        self.link = None;
        self.is_repeat |= self.in_flight.take().is_some();
        self.wake = world.time() + self.rng.between(5_000_000, 100_000_000);
    }

    /// Sends a task; returns what must hold when the answer comes.
    fn send<M>(
        &mut self,
        world: &mut World<M>,
        oracle: &mut Oracle,
        task: &Task,
    ) -> Vec<(Place, i64)> {
        let Some(link) = &mut self.link else { return Vec::new() };
        match task {
            Task::Versions => link.send(world, &ApiVersionsRequest::default(), 2),
            Task::Create(spec) => link.send(world, &create_request(spec), 7),
            Task::Identify(spec) => link.send(world, &metadata_request(Some(&spec.name)), 12),
            Task::SeeDeleted(topic) => {
                let name = &oracle.topics[*topic].name;
                link.send(world, &metadata_request(Some(name)), 12);
            }
            Task::ListTopics => link.send(world, &metadata_request(None), 12),
            Task::Delete(topic) => {
                let topic = &mut oracle.topics[*topic];
                topic.is_doomed = true;
                let request = DeleteTopicsRequest {
                    topic_names: vec![topic.name.clone()],
                    timeout_ms: 10_000,
                    ..DeleteTopicsRequest::default()
                };
                link.send(world, &request, 5);
            }
            Task::DeleteRecords(place, offset) => {
                oracle.on_delete_asked(*place, *offset);
                link.send(world, &delete_records_request(oracle, *place, *offset), 2);
            }
            Task::ListEnds => {
                let places = oracle.places();
                let due = |&place: &Place| (place, oracle.partition(place).acked_end());
                let due = places.iter().map(due).collect();
                link.send(world, &list_offsets(oracle, &places, LATEST), 5);
                return due;
            }
            Task::ListStarts => {
                let places = oracle.places();
                let due = |&place: &Place| (place, oracle.partition(place).log_start());
                let due = places.iter().map(due).collect();
                link.send(world, &list_offsets(oracle, &places, EARLIEST), 5);
                return due;
            }
            Task::Inspect => {
                let places = oracle.places();
                link.send(world, &list_offsets(oracle, &places, LATEST), 5);
                return places.into_iter().map(|place| (place, 0)).collect();
            }
        }
        Vec::new()
    }

    fn on_response(&mut self, oracle: &mut Oracle, frame: &[u8]) -> Result<Option<News>, String> {
        let (Some(link), Some(due), Some(task)) =
            (&mut self.link, self.in_flight.take(), self.tasks.pop_front())
        else {
            return Err("a response that nobody asked for".to_owned());
        };
        // An inspection comes between a task and its repetition.
        let is_repeat = self.is_repeat;
        self.is_repeat &= matches!(task, Task::Inspect);
        let mut again = None;
        let mut news = None;
        match &task {
            Task::Versions => {
                let response = link.take::<ApiVersionsRequest>(frame)?;
                oracle.apis = response.api_keys.iter().map(|api| api.api_key).collect();
            }
            Task::Create(spec) => {
                let response = link.take::<CreateTopicsRequest>(frame)?;
                let result = response.topics.first().ok_or("no topic in the answer")?;
                let error = error_of(result.error_code)?;
                let is_there = error == ErrorCode::TopicAlreadyExists && is_repeat;
                if error.is_none() || is_there {
                    again = Some(Task::Identify(spec.clone()));
                } else if may_try_again(error) {
                    again = Some(task.clone());
                } else {
                    let message = &result.error_message;
                    return Err(format!("creating {}: {} {message:?}", spec.name, error.name()));
                }
            }
            Task::Identify(spec) => {
                let response = link.take::<MetadataRequest>(frame)?;
                match identified(spec, &response, oracle)? {
                    Some(number) => news = Some(News::Created(number)),
                    None => again = Some(task.clone()),
                }
            }
            Task::SeeDeleted(number) => {
                let response = link.take::<MetadataRequest>(frame)?;
                see_deleted(oracle, *number, &response)?;
            }
            Task::ListTopics => {
                let response = link.take::<MetadataRequest>(frame)?;
                see_topics(oracle, &response)?;
            }
            Task::Delete(number) => {
                let response = link.take::<DeleteTopicsRequest>(frame)?;
                let result = response.responses.first().ok_or("no topic in the answer")?;
                let error = error_of(result.error_code)?;
                let is_gone = error == ErrorCode::UnknownTopicOrPartition && is_repeat;
                if error.is_none() || is_gone {
                    again = Some(Task::SeeDeleted(*number));
                } else if may_try_again(error) {
                    again = Some(task.clone());
                } else {
                    return Err(format!("deleting topic {number}: {}", error.name()));
                }
            }
            Task::DeleteRecords(place, offset) => {
                let response = link.take::<DeleteRecordsRequest>(frame)?;
                let result = response.topics.first().and_then(|topic| topic.partitions.first());
                let result = result.ok_or("no partition in the answer")?;
                let error = error_of(result.error_code)?;
                if error.is_none() {
                    if result.low_watermark < *offset {
                        let low = result.low_watermark;
                        return Err(format!("{place:?}: deleted to {low}, not {offset}"));
                    }
                    oracle.on_deleted(*place, result.low_watermark, self.crashes);
                } else if may_try_again(error) {
                    again = Some(task.clone());
                } else if error == ErrorCode::OffsetOutOfRange
                    && *offset > oracle.partition(*place).acked_end()
                {
                    // A power loss took those records meanwhile.
                } else if !oracle.topics[place.topic].is_doomed {
                    return Err(format!("{place:?}: deleting to {offset}: {}", error.name()));
                }
            }
            Task::ListEnds | Task::ListStarts => {
                let response = link.take::<ListOffsetsRequest>(frame)?;
                see_offsets(oracle, &due, &response)?;
            }
            Task::Inspect => {
                let response = link.take::<ListOffsetsRequest>(frame)?;
                news = inspected(oracle, &due, &response)?;
                if news.is_none() {
                    again = Some(Task::Inspect);
                }
            }
        }
        if let Some(task) = again {
            self.is_repeat = is_repeat || matches!(task, Task::Create(_) | Task::Delete(_));
            self.tasks.push_front(task);
        }
        Ok(news)
    }
}

fn error_of(code: i16) -> Result<ErrorCode, String> {
    ErrorCode::from_code(code).ok_or_else(|| format!("error code {code}"))
}

/// The machine's troubles, not the request's.
fn may_try_again(error: ErrorCode) -> bool {
    error.is_retriable()
        || error == ErrorCode::KafkaStorageError
        || error == ErrorCode::UnknownServerError
}

fn create_request(spec: &TopicSpec) -> CreateTopicsRequest {
    let config = |(name, value): &(String, String)| CreatableTopicConfig {
        name: name.clone(),
        value: Some(value.clone()),
    };
    let topic = CreatableTopic {
        name: spec.name.clone(),
        num_partitions: i32::try_from(spec.partitions).expect("few partitions"),
        replication_factor: 1,
        configs: spec.configs.iter().map(config).collect(),
        ..CreatableTopic::default()
    };
    CreateTopicsRequest { topics: vec![topic], timeout_ms: 10_000, validate_only: false }
}

fn metadata_request(name: Option<&str>) -> MetadataRequest {
    let topic = |name: &str| MetadataRequestTopic {
        name: Some(name.to_owned()),
        ..MetadataRequestTopic::default()
    };
    MetadataRequest {
        topics: name.map(|name| vec![topic(name)]),
        allow_auto_topic_creation: false,
        ..MetadataRequest::default()
    }
}

fn delete_records_request(oracle: &Oracle, place: Place, offset: i64) -> DeleteRecordsRequest {
    let partition_index = i32::try_from(place.partition).expect("few partitions");
    let topic = DeleteRecordsTopic {
        name: oracle.topics[place.topic].name.clone(),
        partitions: vec![DeleteRecordsPartition { partition_index, offset }],
    };
    DeleteRecordsRequest { topics: vec![topic], timeout_ms: 10_000 }
}

/// Enters a created topic; `None` if it is not to be seen yet.
fn identified(
    spec: &TopicSpec,
    response: &MetadataResponse,
    oracle: &mut Oracle,
) -> Result<Option<usize>, String> {
    let topic = response.topics.first().ok_or("no topic in the answer")?;
    if !error_of(topic.error_code)?.is_none() {
        return Ok(None);
    }
    if topic.partitions.len() != spec.partitions {
        let count = topic.partitions.len();
        return Err(format!("{} has {count} partitions, not {}", spec.name, spec.partitions));
    }
    if topic.partitions.iter().any(|partition| partition.leader_id < 0) {
        return Ok(None);
    }
    if oracle.topics.iter().any(|other| other.id == topic.topic_id) {
        return Err(format!("{} has the id of another topic", spec.name));
    }
    let number = oracle.add_topic(&spec.name, topic.topic_id, spec.contract, spec.partitions);
    Ok(Some(number))
}

fn see_deleted(oracle: &Oracle, number: usize, response: &MetadataResponse) -> Result<(), String> {
    let gone = &oracle.topics[number];
    match response.topics.iter().find(|topic| topic.topic_id == gone.id) {
        Some(topic) if topic.error_code == 0 => Err(format!("{} is still there", gone.name)),
        Some(_) | None => Ok(()),
    }
}

fn see_topics(oracle: &Oracle, response: &MetadataResponse) -> Result<(), String> {
    for topic in oracle.topics.iter().filter(|topic| !topic.is_doomed) {
        let found = response.topics.iter().find(|other| other.topic_id == topic.id);
        let found = found.ok_or_else(|| format!("{} is not there", topic.name))?;
        if found.name.as_deref() != Some(&topic.name) || found.error_code != 0 {
            return Err(format!("{} is {:?}, error {}", topic.name, found.name, found.error_code));
        }
        if found.partitions.len() != topic.partitions.len() {
            return Err(format!("{} has {} partitions", topic.name, found.partitions.len()));
        }
    }
    Ok(())
}

/// Every listed offset must be at least what is due.
fn see_offsets(
    oracle: &Oracle,
    due: &[(Place, i64)],
    response: &ListOffsetsResponse,
) -> Result<(), String> {
    for &(place, offset_min) in due {
        if oracle.topics[place.topic].is_doomed {
            continue;
        }
        if let Some(offset) = listed(response, oracle, place)?
            && offset < offset_min
        {
            return Err(format!("{place:?}: {offset} is listed, at least {offset_min} is due"));
        }
    }
    Ok(())
}

/// Compares what a power loss left with the contracts; `None` if not all is to be seen yet.
fn inspected(
    oracle: &mut Oracle,
    due: &[(Place, i64)],
    response: &ListOffsetsResponse,
) -> Result<Option<News>, String> {
    let mut ends = Vec::new();
    for &(place, _) in due {
        match listed(response, oracle, place)? {
            Some(end) => ends.push((place, end)),
            None => return Ok(None),
        }
    }
    ends.retain(|&(place, end)| match oracle.topics[place.topic].contract {
        Contract::Durable => {
            oracle.on_end(place, end);
            false
        }
        Contract::PageCache => {
            oracle.on_loss(place, end);
            true
        }
    });
    Ok(Some(News::Inspected(ends)))
}

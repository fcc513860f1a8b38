//! A consumer: fetches with long polls, with and without sessions, and tells the oracle.

use millrace_net::ErrorCode;
use millrace_net::messages::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData,
};
use millrace_net::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopic,
};
use millrace_world::{Rng, World};

use crate::link::Link;
use crate::oracle::{Oracle, Place};
use crate::record;

/// ListOffsets' name for the log start offset.
pub const EARLIEST: i64 = -2;
/// ListOffsets' name for the high watermark.
pub const LATEST: i64 = -1;
/// The first version of Fetch that has sessions.
const SESSIONS_FROM: i16 = 7;
/// The first version of Fetch that names topics by id.
const IDS_FROM: i16 = 13;

/// How a consumer behaves.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// Version of Fetch it speaks.
    pub version: i16,
    /// Whether it fetches within a session, where the version has them.
    pub session: Session,
    /// The longest it lets a fetch wait, ms.
    pub wait_ms: i32,
    /// Bytes a fetch waits for.
    pub bytes_min: i32,
    /// Bytes it takes of one partition.
    pub partition_bytes_max: i32,
    /// The longest it pauses between fetches, ns.
    pub pause_max: u64,
}

/// Whether fetches name all partitions each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// They do.
    No,
    /// Only those that changed.
    Incremental,
}

/// A consumer of some partitions, from the first record on.
#[derive(Debug)]
pub struct Consumer {
    name: String,
    habits: Habits,
    rng: Rng,
    link: Option<Link>,
    lanes: Vec<Lane>,
    session: Option<(i32, i32)>,
    in_flight: Option<InFlight>,
    wake: u64,
}

#[derive(Debug)]
struct Lane {
    place: Place,
    position: i64,
    /// The position the session knows.
    told: Option<i64>,
    /// What the broker must have when the fetch that is under way is answered.
    acked_end: i64,
    /// Where to go on is to be asked.
    is_lost: bool,
    high_watermark: i64,
    /// The topic is gone.
    is_over: bool,
}

#[derive(Debug)]
enum InFlight {
    Fetch,
    /// Asks where the lane of this index starts.
    Earliest(usize),
}

impl Consumer {
    /// A consumer of `places`.
    pub fn new(name: String, habits: Habits, places: &[Place], rng: Rng) -> Self {
        let lane = |&place: &Place| Lane {
            place,
            position: 0,
            told: None,
            acked_end: 0,
            is_lost: false,
            high_watermark: 0,
            is_over: false,
        };
        Self {
            name,
            habits,
            rng,
            link: None,
            lanes: places.iter().map(lane).collect(),
            session: None,
            in_flight: None,
            wake: 0,
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

    /// Whether it has read all that was acknowledged.
    pub fn is_done(&self, oracle: &Oracle) -> bool {
        let at_end =
            |lane: &Lane| lane.is_over || lane.position >= oracle.partition(lane.place).known_end();
        self.lanes.iter().all(at_end)
    }

    /// Where it stands, for saying what it waits for.
    pub fn positions(&self) -> Vec<(Place, i64)> {
        self.lanes.iter().map(|lane| (lane.place, lane.position)).collect()
    }

    /// The power went: what is under way is forgotten, and records may be gone.
    pub fn on_power_loss<M>(&mut self, world: &mut World<M>) {
        if let Some(link) = &self.link {
            world.client_reset(link.client());
        }
        self.on_disconnected(world);
    }

    /// Records from `end` on are gone, as the contract allows.
    pub fn on_loss(&mut self, place: Place, end: i64) {
        for lane in self.lanes.iter_mut().filter(|lane| lane.place == place) {
            lane.position = lane.position.min(end);
            lane.high_watermark = 0;
        }
    }

    /// Its time has come.
    pub fn on_wake<M>(&mut self, world: &mut World<M>, oracle: &Oracle) {
        // Until an answer comes; then it is set again.
        self.wake = world.time() + 1_000_000_000;
        if self.link.is_none() {
            self.link = Some(Link::connect(world));
        }
        if self.in_flight.is_some() {
            return;
        }
        for lane in &mut self.lanes {
            lane.is_over |= oracle.topics[lane.place.topic].is_doomed;
        }
        match self.lanes.iter().position(|lane| lane.is_lost && !lane.is_over) {
            Some(index) => self.ask_earliest(world, oracle, index),
            None => self.fetch(world, oracle),
        }
    }

    /// Something arrived, or the connection ended.
    pub fn on_news<M>(&mut self, world: &mut World<M>, oracle: &mut Oracle) {
        while let Some(link) = &mut self.link
            && let Some(frame) = link.receive(world)
        {
            if let Err(wrong) = self.on_response(world, oracle, &frame) {
                oracle.fail(format!("{}: {wrong}", self.name));
                return;
            }
        }
        if self.link.as_ref().is_some_and(|link| link.has_ended(world)) {
            self.on_disconnected(world);
        }
    }

    fn fetch<M>(&mut self, world: &mut World<M>, oracle: &Oracle) {
        let in_session =
            self.habits.session == Session::Incremental && self.habits.version >= SESSIONS_FROM;
        let session = self.session.filter(|_| in_session);
        let mut request = FetchRequest {
            max_wait_ms: self.habits.wait_ms,
            min_bytes: self.habits.bytes_min,
            max_bytes: 1 << 20,
            session_id: session.map_or(0, |(id, _)| id),
            session_epoch: session.map_or(if in_session { 0 } else { -1 }, |(_, epoch)| epoch),
            ..FetchRequest::default()
        };
        for lane in self.lanes.iter_mut().filter(|lane| !lane.is_over) {
            lane.acked_end = oracle.partition(lane.place).acked_end();
            if session.is_some() && lane.told == Some(lane.position) {
                continue;
            }
            lane.told = Some(lane.position);
            let topic = &oracle.topics[lane.place.topic];
            let part = FetchPartition {
                partition: i32::try_from(lane.place.partition).expect("few partitions"),
                fetch_offset: lane.position,
                partition_max_bytes: self.habits.partition_bytes_max,
                ..FetchPartition::default()
            };
            match request.topics.iter_mut().find(|data| data.topic_id == topic.id) {
                Some(data) => data.partitions.push(part),
                None => request.topics.push(FetchTopic {
                    topic: topic.name.clone(),
                    topic_id: topic.id,
                    partitions: vec![part],
                }),
            }
        }
        let Some(link) = &mut self.link else { return };
        link.send(world, &request, self.habits.version);
        self.in_flight = Some(InFlight::Fetch);
    }

    fn ask_earliest<M>(&mut self, world: &mut World<M>, oracle: &Oracle, index: usize) {
        let request = list_offsets(oracle, &[self.lanes[index].place], EARLIEST);
        let Some(link) = &mut self.link else { return };
        link.send(world, &request, 5);
        self.in_flight = Some(InFlight::Earliest(index));
    }

    fn on_response<M>(
        &mut self,
        world: &World<M>,
        oracle: &mut Oracle,
        frame: &[u8],
    ) -> Result<(), String> {
        let Some(link) = &mut self.link else { return Ok(()) };
        self.wake = world.time() + self.rng.below(self.habits.pause_max.max(1));
        match self.in_flight.take() {
            None => Err("a response that nobody asked for".to_owned()),
            Some(InFlight::Earliest(index)) => {
                let response = link.take::<ListOffsetsRequest>(frame)?;
                let lane = &mut self.lanes[index];
                if let Some(offset) = listed(&response, oracle, lane.place)? {
                    let deletable_end = oracle.partition(lane.place).deletable_end();
                    if offset > deletable_end && !oracle.topics[lane.place.topic].is_doomed {
                        return Err(format!("{:?} starts at {offset}", lane.place));
                    }
                    lane.position = offset;
                    lane.is_lost = false;
                }
                Ok(())
            }
            Some(InFlight::Fetch) => {
                let response = link.take::<FetchRequest>(frame)?;
                self.on_fetched(world, oracle, &response)
            }
        }
    }

    fn on_fetched<M>(
        &mut self,
        world: &World<M>,
        oracle: &mut Oracle,
        response: &FetchResponse,
    ) -> Result<(), String> {
        if response.error_code != 0 {
            let error = ErrorCode::from_code(response.error_code);
            let is_session_trouble = matches!(
                error,
                Some(
                    ErrorCode::FetchSessionIdNotFound
                        | ErrorCode::InvalidFetchSessionEpoch
                        | ErrorCode::FetchSessionTopicIdError
                )
            );
            if self.session.is_none() || !is_session_trouble {
                return Err(format!("fetch failed: {error:?}"));
            }
            self.forget_session();
            return Ok(());
        }
        self.session = match self.session {
            _ if response.session_id == 0 => None,
            Some((id, epoch)) if id == response.session_id => Some((id, epoch + 1)),
            Some(_) | None => Some((response.session_id, 1)),
        };
        for data in &response.responses {
            for part in &data.partitions {
                let name = &data.topic;
                let by_name = self.habits.version < IDS_FROM;
                let lane = self.lanes.iter_mut().find(|lane| {
                    let topic = &oracle.topics[lane.place.topic];
                    let same =
                        if by_name { topic.name == *name } else { topic.id == data.topic_id };
                    same && usize::try_from(part.partition_index) == Ok(lane.place.partition)
                });
                let lane =
                    lane.ok_or_else(|| format!("unasked: {name} {}", part.partition_index))?;
                lane.on_data(oracle, part)?;
            }
        }
        if self.lanes.iter().any(|lane| lane.is_lost) {
            self.wake = world.time() + self.rng.below(50_000_000);
        }
        Ok(())
    }

    fn on_disconnected<M>(&mut self, world: &World<M>) {
        self.link = None;
        self.in_flight = None;
        // Sessions belong to the broker, not to the connection: sometimes the old one is tried.
        // What it was told on the way may not have arrived, so all partitions are named again.
        let session = self.session.filter(|_| self.rng.chance(300));
        self.forget_session();
        self.session = session;
        self.wake = world.time() + self.rng.between(5_000_000, 200_000_000);
    }

    fn forget_session(&mut self) {
        self.session = None;
        for lane in &mut self.lanes {
            lane.told = None;
        }
    }
}

impl Lane {
    fn on_data(&mut self, oracle: &mut Oracle, part: &PartitionData) -> Result<(), String> {
        let place = self.place;
        let error = ErrorCode::from_code(part.error_code)
            .ok_or_else(|| format!("error code {}", part.error_code))?;
        let partition = oracle.partition(place);
        let is_doomed = oracle.topics[place.topic].is_doomed;
        // By its name the answer may be that of a topic that took the place of this one.
        if error == ErrorCode::OffsetOutOfRange && !is_doomed {
            if self.position >= partition.deletable_end() {
                return Err(format!("{place:?}: {} is said to be out of range", self.position));
            }
            self.is_lost = true;
            return Ok(());
        }
        if !error.is_none() {
            let is_trouble = error.is_retriable() || error == ErrorCode::KafkaStorageError;
            if is_trouble || is_doomed {
                return Ok(());
            }
            return Err(format!("{place:?}: {}", error.name()));
        }
        if is_doomed {
            return Ok(());
        }
        let high = part.high_watermark;
        let log_start = if part.log_start_offset < 0 { 0 } else { part.log_start_offset };
        oracle.on_bounds(place, log_start, part.last_stable_offset, high);
        if high < self.acked_end {
            return Err(format!(
                "{place:?}: high watermark {high}, acknowledged up to {}",
                self.acked_end
            ));
        }
        if high < self.high_watermark {
            let before = self.high_watermark;
            return Err(format!("{place:?}: high watermark {high}, {before} before"));
        }
        self.high_watermark = high;
        let records = record::read(part.records.as_deref().unwrap_or_default());
        if records.is_err() && oracle.is_suspect(place) {
            return Ok(());
        }
        let records =
            records.map_err(|wrong| format!("{place:?} from {}: {wrong}", self.position))?;
        for (offset, id) in records {
            if offset.0 < self.position {
                continue;
            }
            if offset.0 != self.position {
                return Err(format!("{place:?}: {} follows {}", offset.0, self.position - 1));
            }
            if offset.0 >= high {
                return Err(format!("{place:?}: {} is not below {high}", offset.0));
            }
            oracle.on_read(place, offset.0, id);
            self.position += 1;
        }
        Ok(())
    }
}

/// Asks for one offset of each place.
pub fn list_offsets(oracle: &Oracle, places: &[Place], timestamp: i64) -> ListOffsetsRequest {
    let mut request = ListOffsetsRequest { replica_id: -1, ..ListOffsetsRequest::default() };
    for place in places {
        let name = &oracle.topics[place.topic].name;
        let part = ListOffsetsPartition {
            partition_index: i32::try_from(place.partition).expect("few partitions"),
            timestamp,
            ..ListOffsetsPartition::default()
        };
        match request.topics.iter_mut().find(|topic| topic.name == *name) {
            Some(topic) => topic.partitions.push(part),
            None => {
                let partitions = vec![part];
                request.topics.push(ListOffsetsTopic { name: name.clone(), partitions });
            }
        }
    }
    request
}

/// The offset that was listed for a place; `None` if the broker asks for patience.
pub fn listed(
    response: &ListOffsetsResponse,
    oracle: &Oracle,
    place: Place,
) -> Result<Option<i64>, String> {
    let name = &oracle.topics[place.topic].name;
    let topics = response.topics.iter().filter(|topic| topic.name == *name);
    let mut parts = topics.flat_map(|topic| &topic.partitions);
    let part = parts
        .find(|part| usize::try_from(part.partition_index) == Ok(place.partition))
        .ok_or_else(|| format!("no answer for {place:?}"))?;
    match ErrorCode::from_code(part.error_code) {
        Some(ErrorCode::None) => Ok(Some(part.offset)),
        Some(error) if error.is_retriable() || error == ErrorCode::KafkaStorageError => Ok(None),
        other => Err(format!("{place:?}: {other:?}")),
    }
}

//! Fetch, versions 4 to 18: reads, long polls, sessions.
//!
//! A fetch asks each partition's owner, then answers if there is enough, something is wrong, or
//! its time is up. Otherwise it waits: each owner holds a waiter for it and says when its
//! partition has moved; only that partition is asked again.
//!
//! ```text
//! Asking ── all answered, not enough ──▶ Waiting ── woken ──▶ Asking (the woken partitions)
//!    │                                      │
//!    └── enough, or an error ──▶ reply ◀────┴── deadline
//! ```

use std::sync::Arc;

use millrace_engine::ReadPlan;
use millrace_io::{Chunk, Mono};
use millrace_net::ErrorCode;
use millrace_net::fetch::{FetchResponseHead, FetchResponseWriter};
use millrace_net::fetch_request::FetchRequestView;
use millrace_net::messages::fetch::{
    EpochEndOffset, FetchResponse, FetchableTopicResponse, LeaderIdAndEpoch, PartitionData,
};
use millrace_replication::BrokerId;
use millrace_replication::image::Topic;
use millrace_wire::{Reader, Uuid, WireError};

use crate::counters::Stage;
use crate::fetch_session::{
    Answered, FetchKind, PartitionAsk, SessionError, SessionRequest, TopicKey,
};
use crate::mail::{Answer, Ask, Letter, PartitionId, ReadAsk, ReadDone, WaiterRef, Watch};
use crate::shard::{Pending, ReplyTo, Request, Shard, Turn};
use crate::slab::Key;
use crate::ticket::ITEMS_MAX;

/// From this version on a client that asked the wrong broker is told the right one.
const HINT_FROM: i16 = 16;

/// A fetch that waits for answers, or for more records.
#[derive(Debug)]
pub(crate) struct Waiting {
    to: ReplyTo,
    kind: FetchKind,
    uses_topic_ids: bool,
    read_committed: bool,
    min_bytes: u64,
    max_bytes: u32,
    /// When it is answered with what there is; none while it is not to wait.
    deadline: Option<Mono>,
    parts: Vec<Part>,
    /// Parts that were asked and have not answered.
    asked: usize,
    /// The deadline has passed while parts were being asked.
    is_due: bool,
    /// Since when it waits for records, while it does.
    parked: Option<Mono>,
}

/// One partition of a fetch.
#[derive(Debug)]
struct Part {
    ask: PartitionAsk,
    topic_name: Arc<str>,
    topic_id: Uuid,
    /// Where it lives, unless it is unknown.
    id: Option<PartitionId>,
    result: PartResult,
    /// The waiter that its owner holds for this fetch.
    waiter: Option<WaiterRef>,
    /// It has moved since it was asked.
    is_woken: bool,
    is_asked: bool,
    /// Its limit or the whole request's is less than nothing.
    has_negative_limit: bool,
}

#[derive(Debug)]
enum PartResult {
    /// Not asked yet.
    Unknown,
    Done(ReadDone),
    Failed(ErrorCode),
}

impl Part {
    /// Takes its owner's answer. A negative limit fails where there is something to limit, as in
    /// Kafka.
    fn settle(&mut self, result: Result<ReadDone, ErrorCode>) {
        self.result = match result {
            Ok(done) if self.has_negative_limit && done.plan.is_some() => {
                PartResult::Failed(ErrorCode::UnknownServerError)
            }
            Ok(done) => PartResult::Done(done),
            Err(error) => PartResult::Failed(error),
        };
    }

    /// Bytes that the partition has for the answer, before the request's own limit.
    fn bytes(&self) -> u64 {
        match &self.result {
            PartResult::Done(done) => done.plan.as_ref().map_or(0, |plan| u64::from(plan.length)),
            PartResult::Unknown | PartResult::Failed(_) => 0,
        }
    }

    fn is_urgent(&self) -> bool {
        match &self.result {
            PartResult::Failed(_) => true,
            PartResult::Done(done) => done.diverging.is_some(),
            PartResult::Unknown => false,
        }
    }
}

impl Waiting {
    /// It waits for records no more, for now.
    fn unpark(&mut self, now: Mono) {
        if let Some(parked) = self.parked.take() {
            self.to.park_ns += now.since(parked);
        }
    }

    /// Whether what the parts have is to be answered with now.
    fn is_enough(&self) -> bool {
        let bytes: u64 = self.parts.iter().map(Part::bytes).sum();
        let is_due = self.deadline.is_none();
        bytes >= self.min_bytes || is_due || self.parts.iter().any(Part::is_urgent)
    }
}

impl PartitionAsk {
    /// What its owner is asked, within the whole request's `bytes_max`.
    fn read(&self, bytes_max: u32, read_committed: bool, watch: Watch) -> ReadAsk {
        let own_max = u32::try_from(self.partition_max_bytes).unwrap_or(0);
        ReadAsk {
            offset: self.fetch_offset,
            // Not even a limit of nothing keeps the first batch back: a client must get on.
            bytes_max: own_max.min(bytes_max).max(1),
            read_committed,
            // Any negative epoch is "I do not know" here, other than in ListOffsets.
            current_leader_epoch: self.current_leader_epoch.max(-1),
            last_fetched_epoch: self.last_fetched_epoch,
            watch,
        }
    }
}

impl Shard {
    /// Starts a fetch.
    pub(crate) fn handle_fetch(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let version = request.to.version;
        let mut reader = Reader::new(&request.frame);
        reader.raw(request.body_at)?;
        let body = FetchRequestView::decode(&mut reader, version)?;
        if body.partition_count >= ITEMS_MAX as usize {
            return Err(WireError::Invalid("more partitions than a request may name"));
        }
        if !(0..=1).contains(&body.isolation_level) {
            self.refuse_isolation(turn, &request.to, &body);
            return Ok(());
        }
        let uses_topic_ids = version >= 13;
        let session = self.session_request(&body, uses_topic_ids);
        let (kind, asks) = match self.sessions.begin(turn.now.mono, session) {
            Ok(begun) => begun,
            Err(error) => {
                self.refuse_fetch(turn, &request.to, error);
                return Ok(());
            }
        };
        let max_bytes = u32::try_from(body.max_bytes).unwrap_or(0);
        let max_bytes = max_bytes.min(self.fetch_bytes_max(request.client_id.as_deref()));
        let replica = body.replica.replica_id;
        let wait_ms = u64::try_from(body.max_wait_ms).unwrap_or(0);
        let mut parts: Vec<Part> = asks.into_iter().map(|ask| self.resolve(ask, replica)).collect();
        if body.max_bytes < 0 {
            for part in &mut parts {
                part.has_negative_limit = true;
            }
        }
        let waits = wait_ms > 0 && body.min_bytes > 0 && !parts.is_empty();
        let mut waiting = Waiting {
            to: request.to,
            kind,
            uses_topic_ids,
            read_committed: body.isolation_level == 1,
            min_bytes: u64::try_from(body.min_bytes).unwrap_or(0),
            max_bytes,
            deadline: waits.then(|| turn.now.mono.plus_ms(wait_ms)),
            parts,
            asked: 0,
            is_due: false,
            parked: None,
        };
        if self.read_at_once(turn, &mut waiting) {
            self.finish_fetch(turn, waiting);
            return Ok(());
        }
        let deadline = waiting.deadline;
        let key = self.park(&request.to, Pending::Fetch(Box::new(waiting)));
        if let Some(deadline) = deadline {
            self.set_deadline(deadline, key);
        }
        self.ask_parts(turn, key);
        Ok(())
    }

    /// The request as the sessions see it.
    fn session_request(&self, body: &FetchRequestView<'_>, uses_topic_ids: bool) -> SessionRequest {
        let key = |name: &str, id: Uuid| {
            if uses_topic_ids {
                return TopicKey::Id(id);
            }
            let known = self.image.topic(name).map(|topic| Arc::clone(&topic.name));
            TopicKey::Name(known.unwrap_or_else(|| Arc::from(name)))
        };
        let mut asks = Vec::with_capacity(body.partition_count);
        for topic in body.topics() {
            let key = key(topic.name, topic.topic_id);
            asks.extend(topic.partitions().map(|partition| PartitionAsk {
                topic: key.clone(),
                partition: partition.partition,
                current_leader_epoch: partition.current_leader_epoch,
                fetch_offset: partition.fetch_offset,
                last_fetched_epoch: partition.last_fetched_epoch,
                partition_max_bytes: partition.partition_max_bytes,
            }));
        }
        let mut forgotten = Vec::new();
        for topic in body.forgotten_topics() {
            let key = key(topic.name, topic.topic_id);
            forgotten.extend(topic.partitions().map(|index| (key.clone(), index)));
        }
        SessionRequest {
            session_id: body.session_id,
            session_epoch: body.session_epoch,
            uses_topic_ids,
            asks,
            forgotten,
        }
    }

    /// Finds the partition that a client names.
    fn resolve(&self, ask: PartitionAsk, replica: i32) -> Part {
        let topic = match &ask.topic {
            TopicKey::Name(name) => self.image.topic(name),
            TopicKey::Id(id) => self.image.topic_by_id(*id),
        };
        let (topic_name, topic_id) = match (&ask.topic, topic) {
            (_, Some(topic)) => (Arc::clone(&topic.name), topic.id),
            (TopicKey::Name(name), None) => (Arc::clone(name), Uuid::ZERO),
            (TopicKey::Id(id), None) => (Arc::default(), *id),
        };
        let known = topic.is_some_and(|topic| topic.partition(ask.partition).is_some());
        let result = match (&ask.topic, topic) {
            (TopicKey::Id(_), None) => PartResult::Failed(ErrorCode::UnknownTopicId),
            _ if !known => PartResult::Failed(ErrorCode::UnknownTopicOrPartition),
            // A broker that holds no replica of the partition does not follow us, nor do we.
            _ if replica >= 0
                && (replica == self.setup.node_id
                    || !is_replica(topic.map(Arc::as_ref), ask.partition, replica)) =>
            {
                PartResult::Failed(ErrorCode::NotLeaderOrFollower)
            }
            _ => PartResult::Unknown,
        };
        let has_negative_limit = ask.partition_max_bytes < 0;
        let is_asked_for = known && matches!(result, PartResult::Unknown);
        let id = is_asked_for.then_some(PartitionId { topic: topic_id, index: ask.partition });
        Part {
            ask,
            topic_name,
            topic_id,
            id,
            result,
            waiter: None,
            is_woken: true,
            is_asked: false,
            has_negative_limit,
        }
    }

    /// Reads what takes neither a file operation nor another shard. True if that is the answer;
    /// else the parts are as they were. Most fetches of a consumer that keeps up end here: without
    /// a parked request, a deadline, tickets and their answers.
    fn read_at_once(&mut self, turn: &Turn, waiting: &mut Waiting) -> bool {
        let mut is_known = true;
        for part in &mut waiting.parts {
            let Some(id) = part.id else { continue };
            let ask = part.ask.read(waiting.max_bytes, waiting.read_committed, Watch::No);
            match self.read_recent_here(turn, id, ask) {
                Some(result) => part.settle(result),
                None => {
                    is_known = false;
                    break;
                }
            }
        }
        if is_known && waiting.is_enough() {
            return true;
        }
        for part in waiting.parts.iter_mut().filter(|part| part.id.is_some()) {
            part.result = PartResult::Unknown;
        }
        false
    }

    /// Asks all parts that were not asked yet, or have moved since.
    fn ask_parts(&mut self, turn: &mut Turn, key: Key) {
        let Some(Pending::Fetch(waiting)) = self.requests.get_mut(key) else { return };
        let watch = match (waiting.deadline, waiting.is_due) {
            (Some(_), false) if waiting.min_bytes > 1 => Watch::Always,
            (Some(_), false) => Watch::IfEmpty,
            _ => Watch::No,
        };
        let mut asks = Vec::new();
        for (part, item) in waiting.parts.iter_mut().zip(0..) {
            let Some(id) = part.id.filter(|_| part.is_woken) else { continue };
            part.is_woken = false;
            part.is_asked = true;
            let ask = part.ask.read(waiting.max_bytes, waiting.read_committed, watch);
            asks.push((id, item, ask));
        }
        // All are counted before any is asked: an answer may come at once.
        waiting.asked += asks.len();
        for (id, item, ask) in asks {
            let ticket = self.ticket(key, item);
            self.ask(turn, id, ticket, Ask::Read(ask));
        }
        self.maybe_finish_fetch(turn, key);
    }

    /// A partition has answered.
    pub(crate) fn on_fetch_answer(&mut self, turn: &mut Turn, key: Key, item: u32, answer: Answer) {
        let Some(Pending::Fetch(waiting)) = self.requests.get_mut(key) else { return };
        let Some(part) = waiting.parts.get_mut(item as usize) else { return };
        let Answer::Read(result) = answer else { return };
        assert!(part.is_asked, "a partition answers that was not asked");
        part.is_asked = false;
        waiting.asked -= 1;
        if let Ok(done) = &result {
            part.waiter = done.waiter;
        }
        part.settle(result);
        self.maybe_finish_fetch(turn, key);
    }

    /// A partition has moved; its waiter is used up.
    pub(crate) fn on_fetch_woken(&mut self, turn: &mut Turn, key: Key, item: u32) {
        let Some(Pending::Fetch(waiting)) = self.requests.get_mut(key) else { return };
        let Some(part) = waiting.parts.get_mut(item as usize) else { return };
        part.waiter = None;
        part.is_woken = true;
        waiting.unpark(turn.now.mono);
        if waiting.asked == 0 {
            self.ask_parts(turn, key);
        }
    }

    /// The fetch has waited long enough.
    pub(crate) fn on_fetch_due(&mut self, turn: &mut Turn, key: Key) {
        if let Some(Pending::Fetch(waiting)) = self.requests.get_mut(key) {
            waiting.is_due = true;
            waiting.unpark(turn.now.mono);
            waiting.deadline = None;
            self.maybe_finish_fetch(turn, key);
        }
    }

    /// The client is gone.
    pub(crate) fn abandon_fetch(&mut self, turn: &mut Turn, key: Key) {
        if let Some(Pending::Fetch(waiting)) = self.requests.remove(key) {
            self.end_waiting(key, &waiting);
            self.finish_request(turn, waiting.to.client, waiting.to.frame_bytes);
        }
    }

    /// Takes back what a fetch left elsewhere: its deadline and its waiters.
    fn end_waiting(&mut self, key: Key, waiting: &Waiting) {
        if let Some(deadline) = waiting.deadline {
            self.clear_deadline(deadline, key);
        }
        for part in &waiting.parts {
            if let Some(waiter) = part.waiter {
                self.send(waiter.shard, Letter::Unwatch(waiter.key));
            }
        }
    }

    /// Answers if there is enough to answer with; otherwise leaves the fetch waiting.
    fn maybe_finish_fetch(&mut self, turn: &mut Turn, key: Key) {
        let Some(Pending::Fetch(waiting)) = self.requests.get_mut(key) else { return };
        if waiting.asked > 0 {
            return;
        }
        if !waiting.is_enough() {
            if waiting.parts.iter().any(|part| part.is_woken && part.id.is_some()) {
                self.ask_parts(turn, key);
            } else {
                waiting.parked.get_or_insert(turn.now.mono);
            }
            return;
        }
        if let Some(Pending::Fetch(waiting)) = self.requests.remove(key) {
            self.end_waiting(key, &waiting);
            self.finish_fetch(turn, *waiting);
        }
    }

    fn finish_fetch(&mut self, turn: &mut Turn, waiting: Waiting) {
        let to = waiting.to;
        let mut left = waiting.max_bytes;
        let mut is_first = true;
        let answers: Vec<(Part, PartitionData, Option<Chunk>)> = waiting
            .parts
            .into_iter()
            .map(|part| {
                let asked = (to.version, waiting.read_committed);
                let (data, chunk) = self.part_answer(&part, asked, &mut left, &mut is_first);
                (part, data, chunk)
            })
            .collect();
        let chunks = || answers.iter().filter_map(|(.., chunk)| chunk.as_ref());
        if let Some(throttle_ms) = self.throttle_fetch(turn, &to, || chunks().map(Chunk::len).sum())
        {
            return self.reply_throttled_fetch(turn, &to, waiting.kind, throttle_ms);
        }
        let (session_id, answers) = match waiting.kind {
            FetchKind::Sessionless => (0, answers),
            FetchKind::Full => {
                let told = answers.iter().map(|(part, data, _)| {
                    (part.ask.clone(), data.high_watermark, data.log_start_offset)
                });
                let id = self.sessions.create(turn.now.mono, waiting.uses_topic_ids, told);
                (id, answers)
            }
            FetchKind::Incremental { session_id } => {
                let sessions = &mut self.sessions;
                let changed = answers.into_iter().filter(|(part, data, chunk)| {
                    let answered = Answered {
                        high_watermark: data.high_watermark,
                        log_start_offset: data.log_start_offset,
                        has_records: chunk.is_some(),
                        failed: part.is_urgent(),
                    };
                    let (topic, partition) = (&part.ask.topic, part.ask.partition);
                    sessions.note_answer(session_id, topic, partition, answered)
                });
                (session_id, changed.collect())
            }
        };
        let chunks = write_answers(&to, session_id, answers);
        let bytes: usize = chunks.iter().map(Chunk::len).sum();
        self.counters.bytes_out.add(bytes as u64);
        if to.park_ns > 0 {
            self.counters.stage(Stage::Park).observe(to.park_ns);
        }
        self.reply_chunks(turn, &to, chunks);
    }

    /// One partition's part of the answer, and the range of its log that goes with it.
    fn part_answer(
        &self,
        part: &Part,
        (version, read_committed): (i16, bool),
        left: &mut u32,
        is_first: &mut bool,
    ) -> (PartitionData, Option<Chunk>) {
        let mut data = PartitionData {
            partition_index: part.ask.partition,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            ..PartitionData::default()
        };
        let done = match &part.result {
            PartResult::Done(done) => done,
            PartResult::Failed(error) => {
                data.error_code = error.code();
                // An empty list where the partition was not found, none where it refused: Kafka's.
                let refused = part.id.is_some() || *error == ErrorCode::NotLeaderOrFollower;
                if refused && !read_committed {
                    data.aborted_transactions = None;
                }
                if version >= HINT_FROM {
                    self.hint_leader(part, &mut data);
                }
                return (data, None);
            }
            PartResult::Unknown => unreachable!("a fetch ends with a part that never answered"),
        };
        data.high_watermark = done.high_watermark;
        data.last_stable_offset = done.last_stable_offset;
        data.log_start_offset = done.log_start_offset;
        data.aborted_transactions = read_committed.then(Vec::new);
        if let Some((epoch, end_offset)) = done.diverging {
            data.diverging_epoch = EpochEndOffset { epoch, end_offset };
        }
        let chunk = done.plan.as_ref().and_then(|plan| fit(plan, left, is_first));
        (data, chunk)
    }

    /// Tells the leader where the client asked the wrong one. Source: KIP-951.
    fn hint_leader(&self, part: &Part, data: &mut PartitionData) {
        let wrong = [ErrorCode::NotLeaderOrFollower.code(), ErrorCode::FencedLeaderEpoch.code()];
        if wrong.contains(&data.error_code)
            && let Some(topic) = self.image.topic_by_id(part.topic_id)
            && let Some(partition) = topic.partition(part.ask.partition)
        {
            data.current_leader = LeaderIdAndEpoch {
                leader_id: partition.leader.0,
                leader_epoch: partition.leader_epoch,
            };
        }
    }

    /// Over its quota, a client gets nothing but the time to wait. Its session goes on; one that
    /// it wanted to begin does not begin, so that it asks for everything again.
    fn reply_throttled_fetch(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        kind: FetchKind,
        throttle_time_ms: i32,
    ) {
        let session_id = match kind {
            FetchKind::Sessionless | FetchKind::Full => 0,
            FetchKind::Incremental { session_id } => session_id,
        };
        let response = FetchResponse { throttle_time_ms, session_id, ..FetchResponse::default() };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }

    /// An isolation level that nobody defines is a failure of the whole request, with an entry for
    /// each partition where topics go by name: Kafka's answer to what it cannot read.
    fn refuse_isolation(&mut self, turn: &mut Turn, to: &ReplyTo, body: &FetchRequestView<'_>) {
        let error_code = ErrorCode::UnknownServerError.code();
        let failed = |partition_index: i32| PartitionData {
            partition_index,
            error_code,
            high_watermark: -1,
            ..PartitionData::default()
        };
        let topics = body.topics().filter(|_| to.version < 13);
        let responses = topics.map(|topic| FetchableTopicResponse {
            topic: topic.name.to_owned(),
            topic_id: topic.topic_id,
            partitions: topic.partitions().map(|asked| failed(asked.partition)).collect(),
        });
        let responses = responses.collect();
        let response = FetchResponse { error_code, responses, ..FetchResponse::default() };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }

    fn refuse_fetch(&mut self, turn: &mut Turn, to: &ReplyTo, error: SessionError) {
        let error = match error {
            SessionError::NotFound => ErrorCode::FetchSessionIdNotFound,
            SessionError::Epoch => ErrorCode::InvalidFetchSessionEpoch,
            SessionError::TopicIds => ErrorCode::FetchSessionTopicIdError,
        };
        let response = FetchResponse { error_code: error.code(), ..FetchResponse::default() };
        self.reply(turn, to, |writer, version| response.encode(writer, version));
    }
}

fn is_replica(topic: Option<&Topic>, partition: i32, replica: i32) -> bool {
    let partition = topic.and_then(|topic| topic.partition(partition));
    partition.is_some_and(|partition| partition.replicas.contains(&BrokerId(replica)))
}

/// Takes a plan if it fits what is left of the request's limit; the first with records always does.
///
/// One that does not fit is left out rather than cut: a client that gets less than one whole batch
/// takes the batch for larger than it allows.
fn fit(plan: &ReadPlan, left: &mut u32, is_first: &mut bool) -> Option<Chunk> {
    if plan.length == 0 || (plan.length > *left && !*is_first) {
        return None;
    }
    *is_first = false;
    *left = left.saturating_sub(plan.length);
    Some(Chunk::File { file: plan.file.clone(), position: plan.position, length: plan.length })
}

/// Writes the answer around the file ranges; neighbouring partitions of a topic share its entry.
fn write_answers(
    to: &ReplyTo,
    session_id: i32,
    answers: Vec<(Part, PartitionData, Option<Chunk>)>,
) -> Vec<Chunk> {
    let same = |a: &Part, b: &Part| a.topic_id == b.topic_id && a.topic_name == b.topic_name;
    let topics = answers.chunk_by(|a, b| same(&a.0, &b.0));
    let head = FetchResponseHead { session_id, ..FetchResponseHead::default() };
    let count = topics.clone().count();
    let mut writer = FetchResponseWriter::new(to.correlation_id, to.version, head, count);
    for topic in topics {
        let Some((first, ..)) = topic.first() else { continue };
        writer.topic(&first.topic_name, first.topic_id, topic.len());
        for (_, data, chunk) in topic {
            writer.partition(data, chunk.clone());
        }
    }
    writer.finish(&[])
}

//! Produce, versions 3 to 13.
//!
//! Batches are checked on the connection's shard, while they are hot, and appended by the
//! partition's owner. The reply leaves when every partition has answered.

use bytes::Bytes;
use millrace_engine::{Origin, ProduceError, validate};
use millrace_net::ErrorCode;
use millrace_net::messages::produce::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, PartitionProduceResponse, ProduceResponse,
    TopicProduceResponse,
};
use millrace_net::produce::{ProducePartitionView, ProduceRequestView, ProduceTopicView};
use millrace_wire::{Reader, WireError};

use crate::counters::Stage;
use crate::error_map;
use crate::mail::{Answer, AppendFailure, Ask, PartitionId};
use crate::shard::{Pending, ReplyTo, Request, Shard, Turn};
use crate::slab::Key;
use crate::ticket::ITEMS_MAX;
use crate::topics::TopicInfo;

/// A Produce request that waits for its appends.
#[derive(Debug)]
pub(crate) struct Waiting {
    to: ReplyTo,
    response: ProduceResponse,
    /// Where each item's answer goes: topic and partition, by index into the response.
    items: Vec<(u32, u32)>,
    /// Appends that have not answered.
    left: usize,
    /// Some partition failed; matters with acks=0 only.
    failed: bool,
}

/// What a partition's owner is to be asked once the request waits.
struct Planned {
    partition: PartitionId,
    ask: Ask,
}

/// Why nothing is appended, and the partition to be asked where its log starts: what Kafka's log
/// refuses is answered with that.
struct Refused {
    failure: AppendFailure,
    start_of: Option<PartitionId>,
}

impl From<AppendFailure> for Refused {
    fn from(failure: AppendFailure) -> Self {
        Self { failure, start_of: None }
    }
}

/// Whether a Produce request's body asks for a reply: all do but those with acks=0.
/// A body that cannot be read owes nothing; its handler closes the connection.
pub(crate) fn owes_reply(reader: &mut Reader<'_>, version: i16) -> bool {
    let transactional_id =
        if version >= 9 { reader.compact_nullable_string() } else { reader.nullable_string() };
    transactional_id.and_then(|_| reader.i16()).is_ok_and(|acks| acks != 0)
}

impl Shard {
    /// Checks the batches and asks for their appends.
    pub(crate) fn handle_produce(
        &mut self,
        turn: &mut Turn,
        request: &Request,
    ) -> Result<(), WireError> {
        let mut reader = Reader::new(&request.frame);
        reader.raw(request.body_at)?;
        let view = ProduceRequestView::decode(&mut reader, request.to.version)?;
        if view.partition_count >= ITEMS_MAX as usize {
            return Err(WireError::Invalid("more partitions than a request may name"));
        }
        let mut planned = Vec::with_capacity(view.partition_count);
        let throttle_time_ms = self.charge_produce(turn, request);
        let mut waiting = Waiting {
            to: request.to,
            response: ProduceResponse { throttle_time_ms, ..ProduceResponse::default() },
            items: Vec::with_capacity(view.partition_count),
            left: 0,
            failed: false,
        };
        for topic in view.topics() {
            self.plan_topic(turn, request, (&view, &topic), &mut waiting, &mut planned);
        }
        waiting.left = planned.len();
        if planned.is_empty() {
            self.finish_produce(turn, waiting);
            return Ok(());
        }
        let key = self.park(&request.to, Pending::Produce(Box::new(waiting)));
        for (planned, item) in planned.into_iter().zip(0..) {
            let ticket = self.ticket(key, item);
            self.ask(turn, planned.partition, ticket, planned.ask);
        }
        Ok(())
    }

    fn plan_topic(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        (view, topic): (&ProduceRequestView<'_>, &ProduceTopicView<'_>),
        waiting: &mut Waiting,
        planned: &mut Vec<Planned>,
    ) {
        let by_id = request.to.version >= 13;
        let info = if by_id {
            self.topics.by_id(&self.setup, &self.image, topic.topic_id)
        } else {
            self.topics.by_name(&self.setup, &self.image, topic.name)
        };
        let topic_index = u32::try_from(waiting.response.responses.len()).unwrap_or(u32::MAX);
        let mut response = TopicProduceResponse {
            name: topic.name.to_owned(),
            topic_id: topic.topic_id,
            partition_responses: Vec::with_capacity(topic.partition_count),
        };
        for partition in topic.partitions() {
            let unknown =
                if by_id { ErrorCode::UnknownTopicId } else { ErrorCode::UnknownTopicOrPartition };
            let plan = match &info {
                _ if !(-1..=1).contains(&view.acks) => {
                    Err(failure(ErrorCode::InvalidRequiredAcks).into())
                }
                None => Err(failure(unknown).into()),
                Some(info) => self.plan_partition(turn, (request, view), info, &partition),
            };
            let partition_index = u32::try_from(response.partition_responses.len());
            let mut answer = PartitionProduceResponse {
                index: partition.index,
                base_offset: -1,
                log_append_time_ms: -1,
                ..PartitionProduceResponse::default()
            };
            match plan {
                Ok(plan) => {
                    planned.push(plan);
                    waiting.items.push((topic_index, partition_index.unwrap_or(u32::MAX)));
                }
                Err(Refused { failure, start_of }) => {
                    waiting.failed = true;
                    refuse(&mut answer, failure);
                    if let Some(partition) = start_of.filter(|_| request.to.version >= 5) {
                        planned.push(Planned { partition, ask: START });
                        waiting.items.push((topic_index, partition_index.unwrap_or(u32::MAX)));
                    }
                }
            }
            response.partition_responses.push(answer);
        }
        if response.partition_responses.is_empty() {
            return;
        }
        waiting.response.responses.push(response);
    }

    fn plan_partition(
        &self,
        turn: &Turn,
        (request, view): (&Request, &ProduceRequestView<'_>),
        info: &TopicInfo,
        partition: &ProducePartitionView,
    ) -> Result<Planned, Refused> {
        if info.topic.partition(partition.index).is_none() {
            return Err(failure(ErrorCode::UnknownTopicOrPartition).into());
        }
        if info.is_internal && request.client_id.as_deref() != Some(ADMIN_CLIENT_ID) {
            let message = Some(format!("Cannot append to internal topic {}", info.topic.name));
            let failure = failure(ErrorCode::InvalidTopicException);
            return Err(AppendFailure { message, ..failure }.into());
        }
        let id = PartitionId { topic: info.topic.id, index: partition.index };
        let batch: Bytes =
            partition.records.clone().map(|range| request.frame.slice(range)).unwrap_or_default();
        let origin = Origin::Client { produce_version: request.to.version };
        let batch =
            validate(&batch, origin, &info.rules, turn.now.wall).map_err(|error| Refused {
                failure: error_map::produce_error(&error, (&info.topic.name, partition.index)),
                start_of: is_found_by_the_log(&error, request.to.version).then_some(id),
            })?;
        // A batch of a transaction belongs to a request that names the transaction.
        if view.transactional_id.is_none() && batch.header.is_transactional() {
            return Err(failure(ErrorCode::TransactionalIdAuthorizationFailed).into());
        }
        self.counters.bytes_in.add(batch.bytes.len() as u64);
        self.counters.records_in.add(u64::from(batch.header.record_count.unsigned_abs()));
        Ok(Planned { partition: id, ask: Ask::Append { batch: Box::new(batch) } })
    }

    /// A partition has answered.
    pub(crate) fn on_produce_answer(
        &mut self,
        turn: &mut Turn,
        key: Key,
        item: u32,
        answer: Answer,
    ) {
        let Some(Pending::Produce(waiting)) = self.requests.get_mut(key) else { return };
        let Some((topic, partition)) = waiting.items.get(item as usize).copied() else { return };
        let place =
            &mut waiting.response.responses[topic as usize].partition_responses[partition as usize];
        match answer {
            Answer::Appended(Ok(appended)) => {
                place.base_offset = appended.base_offset;
                place.log_append_time_ms = appended.log_append_time_ms;
                place.log_start_offset = appended.log_start_offset;
            }
            Answer::Appended(Err(failure)) => {
                waiting.failed = true;
                refuse(place, failure);
            }
            // It was refused before its log was asked; all that is told is where that starts.
            Answer::Offset(start) => {
                place.log_start_offset = start.map_or(-1, |start| start.offset);
            }
            Answer::Read(_)
            | Answer::EpochEnd(_)
            | Answer::DeletedRecords(_)
            | Answer::Producers(_)
            | Answer::Size(_)
            | Answer::Group(_) => return,
        }
        waiting.left -= 1;
        if waiting.left == 0
            && let Some(Pending::Produce(waiting)) = self.requests.remove(key)
        {
            let append_ns = turn.now.mono.since(waiting.to.began);
            self.counters.stage(Stage::Append).observe(append_ns);
            self.finish_produce(turn, *waiting);
        }
    }

    fn finish_produce(&mut self, turn: &mut Turn, mut waiting: Waiting) {
        if waiting.failed {
            self.counters.produce_failed.add(1);
            self.hint_leaders(&mut waiting);
        }
        if waiting.to.slot.is_some() {
            let response = waiting.response;
            self.reply(turn, &waiting.to, |writer, version| response.encode(writer, version));
            return;
        }
        if waiting.failed {
            // Nobody listens for an answer, so the connection tells: its client looks up the
            // leaders again.
            self.close_client_after_replies(waiting.to.client);
        }
        self.finish_silently(turn, &waiting.to);
    }

    /// Tells the leader where the client asked the wrong one. Source: KIP-951.
    fn hint_leaders(&self, waiting: &mut Waiting) {
        if waiting.to.version < 10 {
            return;
        }
        for topic in &mut waiting.response.responses {
            let by_id = self.image.topic_by_id(topic.topic_id);
            let Some(image) = by_id.or_else(|| self.image.topic(&topic.name)) else { continue };
            for answer in &mut topic.partition_responses {
                let wrong = answer.error_code == ErrorCode::NotLeaderOrFollower.code();
                if let Some(partition) = image.partition(answer.index)
                    && wrong
                {
                    answer.current_leader = LeaderIdAndEpoch {
                        leader_id: partition.leader.0,
                        leader_epoch: partition.leader_epoch,
                    };
                }
            }
        }
    }
}

/// The client id with which Kafka's own tools may write to internal topics.
const ADMIN_CLIENT_ID: &str = "__admin_client";

/// Whether Kafka's log is who finds this, so that its answer tells where the log starts. For old
/// versions of Produce the codec is looked at before.
fn is_found_by_the_log(error: &ProduceError, version: i16) -> bool {
    let is_codec = matches!(error, ProduceError::UnknownCodec { .. });
    error.is_found_by_the_log() && (version >= 7 || !is_codec)
}

/// Asks where a log starts.
const START: Ask = Ask::Offset { timestamp: -2, read_committed: false, current_leader_epoch: -1 };

const fn failure(error: ErrorCode) -> AppendFailure {
    AppendFailure { error, message: None, records: Vec::new(), log_start_offset: -1 }
}

fn refuse(answer: &mut PartitionProduceResponse, failure: AppendFailure) {
    answer.error_code = failure.error.code();
    answer.base_offset = -1;
    answer.log_append_time_ms = -1;
    answer.log_start_offset = failure.log_start_offset;
    answer.error_message = failure.message;
    answer.record_errors = failure
        .records
        .into_iter()
        .map(|(batch_index, batch_index_error_message)| BatchIndexAndErrorMessage {
            batch_index,
            batch_index_error_message,
        })
        .collect();
}

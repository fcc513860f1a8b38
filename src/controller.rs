//! The controller, on shard 0: the one writer of the cluster's metadata log.
//!
//! A change is decided from the image as it stands, appended as records, and only when the log has
//! committed them are they replayed into the next image. That image goes to every shard; the
//! asker is answered when all of them work by it, so that whatever it asks next, on any
//! connection, finds the change done.
//!
//! ```text
//! ask ─▶ queue ─▶ decide ─▶ append ─▶ committed ─▶ replay ─▶ image to all shards ─▶ applied by all
//!                   └─ nothing to change: answer ◀──────────────────────────────────────┘
//! ```
//!
//! One change is under way at a time, so each is decided from what all before it led to.
//! Source: KIP-500, KIP-630, KIP-631.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use millrace_engine::{
    BatchBuilder, BatchHeader, BatchIter, BatchSpec, Log, LogEvent, Offset, RecordIter,
    TimestampPlan, ValidatedBatch,
};
use millrace_io::{Completion, Now, Op, Token};
use millrace_net::quota::{Buckets, Holder, InDebt, Overdrawn, Rules, Spent, WindowConfig};
use millrace_replication::controller::{
    self, AlterQuota, AlterResource, Context, CreatedTopic, FeatureUpdate, Mode, NewPartitions,
    NewTopic, ProducerIdBlock, Refusal, TopicRef,
};
use millrace_replication::{BrokerId, Image, ImageDelta, ImageDraft, Record, ReplayError};
use millrace_wire::Uuid;

use crate::config::View;
use crate::mail::Mail;
use crate::metadata_snapshot;
use crate::random::Random;
use crate::setup::Setup;
use crate::shard::{ANONYMOUS, CONTROLLER_OWNER};
use crate::ticket::Ticket;

/// A change of cluster state.
#[derive(Debug)]
pub(crate) enum AdminAsk {
    /// Create topics. Their ids are given out here.
    CreateTopics(Vec<NewTopic>, Mode),
    /// Delete topics.
    DeleteTopics(Vec<TopicRef>),
    /// Add partitions to topics.
    CreatePartitions(Vec<NewPartitions>, Mode),
    /// Change single configurations.
    IncrementalAlterConfigs(Vec<AlterResource>, Mode),
    /// Replace whole configurations.
    AlterConfigs(Vec<AlterResource>, Mode),
    /// Change client quotas.
    AlterClientQuotas(Vec<AlterQuota>, Mode),
    /// Set feature levels: all of them, or none.
    UpdateFeatures(Vec<FeatureUpdate>, Mode),
    /// Hand out a block of producer ids.
    ProducerIds,
}

/// Who asks for partitions to be created or deleted, to be held to its `controller_mutation_rate`.
#[derive(Debug)]
pub(crate) struct Charge {
    /// Its client id.
    pub client_id: Box<str>,
    /// Whether its version of the request knows the error.
    pub in_debt: InDebt,
}

/// What came of an [`AdminAsk`]: an answer per item, in its order.
#[derive(Debug)]
pub(crate) enum AdminAnswer {
    /// Of creating topics.
    CreatedTopics(Vec<Result<CreatedTopic, Refusal>>),
    /// Of deleting topics.
    DeletedTopics(Vec<Result<(String, Uuid), Refusal>>),
    /// Of adding partitions.
    CreatedPartitions(Vec<Result<i32, Refusal>>),
    /// Of changing configurations.
    AlteredConfigs(Vec<Result<(), Refusal>>),
    /// Of changing client quotas.
    AlteredQuotas(Vec<Result<(), Refusal>>),
    /// Of setting feature levels.
    UpdatedFeatures(Result<(), Refusal>),
    /// Of asking for producer ids.
    ProducerIds(Result<ProducerIdBlock, Refusal>),
    /// The metadata log takes no records: its disk failed or is full.
    LogFailed,
}

/// What the controller wants its shard to do.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Send an answer, and the time that the asker has to wait, ms.
    Answer(Ticket, AdminAnswer, u64),
    /// Give an image to every shard.
    Publish(Arc<Image>, Arc<ImageDelta>),
    /// The broker is registered; its own life goes on.
    Registered,
    /// End the process: nothing can be changed any more.
    End(String),
}

/// Who waits for the change under way.
#[derive(Debug)]
enum Asker {
    Client(Ticket, AdminAnswer, u64),
    /// The broker itself, at its start.
    Registration,
}

#[derive(Debug)]
enum Change {
    None,
    /// Appended; waits for the log.
    Appending {
        asker: Asker,
        records: Vec<Record>,
    },
    /// In force; waits for so many shards.
    Applying {
        asker: Asker,
        shards_left: u16,
    },
}

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Controller {
    setup: Arc<Setup>,
    pub(crate) image: Arc<Image>,
    log: Option<Log>,
    queue: VecDeque<(Ticket, AdminAsk, Option<Charge>)>,
    /// What clients may create and delete.
    buckets: Buckets,
    change: Change,
    random: Random,
    wishes: Vec<Wish>,
    /// The log dirs of this broker, while its registration waits for room on the disk.
    unregistered: Option<Vec<Uuid>>,
    /// The disk was full, and the metadata log takes records again.
    has_space_again: bool,
    is_closed: bool,
    /// Bytes of records since the last snapshot.
    bytes_since_snapshot: u64,
    /// Snapshot that is being written: the offset it ends before.
    snapshot: Option<i64>,
}

impl Controller {
    pub(crate) fn new(setup: &Arc<Setup>, seed: u64) -> Self {
        Self {
            setup: Arc::clone(setup),
            image: Arc::new(Image::empty()),
            log: None,
            queue: VecDeque::new(),
            buckets: Buckets::new(quota_window(setup)),
            change: Change::None,
            random: Random::new(seed),
            wishes: Vec::new(),
            unregistered: None,
            has_space_again: false,
            is_closed: false,
            bytes_since_snapshot: 0,
            snapshot: None,
        }
    }

    /// What its shard is to do.
    pub(crate) fn take_wishes(&mut self) -> Vec<Wish> {
        std::mem::take(&mut self.wishes)
    }

    /// The metadata log is read: this is the state it led to.
    pub(crate) fn begin(&mut self, log: Log, image: Arc<Image>) {
        self.log = Some(log);
        self.image = image;
    }

    /// True once the metadata log is closed.
    pub(crate) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The metadata log.
    pub(crate) fn log_mut(&mut self) -> Option<&mut Log> {
        self.log.as_mut()
    }

    /// Registers this broker, on a new cluster after the records that every cluster starts with.
    pub(crate) fn register(&mut self, now: Now, ops: &mut Vec<Op<Mail>>, log_dirs: Vec<Uuid>) {
        let Some(log) = &self.log else { return };
        self.unregistered = Some(log_dirs.clone());
        let mut records = controller::bootstrap(&self.image);
        let next_offset = log.log_end_offset().0 + records.len() as i64;
        let request = controller::BrokerRegistrationRequest {
            id: BrokerId(self.setup.node_id),
            incarnation_id: self.random.uuid(),
            endpoints: self.setup.endpoints.clone(),
            rack: self.setup.rack.clone(),
            log_dirs,
        };
        records.extend(controller::register_broker(&self.image, &request, next_offset));
        self.append(now, ops, Asker::Registration, records);
    }

    /// Takes a change up, or queues it.
    ///
    /// - `charge`: who is held to a quota of what it creates and deletes; none for the broker itself.
    pub(crate) fn ask(
        &mut self,
        now: Now,
        ops: &mut Vec<Op<Mail>>,
        ticket: Ticket,
        (ask, charge): (AdminAsk, Option<Charge>),
    ) {
        self.queue.push_back((ticket, ask, charge));
        self.pump(now, ops);
    }

    fn pump(&mut self, now: Now, ops: &mut Vec<Op<Mail>>) {
        if self.has_space_again
            && matches!(self.change, Change::None)
            && let Some(log_dirs) = self.unregistered.take()
        {
            self.has_space_again = false;
            self.register(now, ops, log_dirs);
        }
        while matches!(self.change, Change::None)
            && let Some((ticket, ask, charge)) = self.queue.pop_front()
        {
            let mut wait_ms = 0;
            let (records, answer) = self.decide(now, ask, charge.as_ref(), &mut wait_ms);
            if let Some(charge) = charge.filter(|_| wait_ms > 0) {
                self.buckets.note_wait((ANONYMOUS, &charge.client_id), wait_ms);
            }
            if records.is_empty() {
                self.wishes.push(Wish::Answer(ticket, answer, wait_ms));
            } else {
                self.append(now, ops, Asker::Client(ticket, answer, wait_ms), records);
            }
        }
    }

    /// Holds clients to other quotas of what they create and delete.
    pub(crate) fn set_mutation_rules(&mut self, rules: Rules) {
        self.buckets.set_rules(rules);
    }

    /// What clients created and deleted, since the last time.
    pub(crate) fn take_spent(&mut self) -> Vec<(Holder, Spent)> {
        self.buckets.take_spent()
    }

    fn decide(
        &mut self,
        now: Now,
        ask: AdminAsk,
        charge: Option<&Charge>,
        wait_ms: &mut u64,
    ) -> (Vec<Record>, AdminAnswer) {
        let buckets = &mut self.buckets;
        let meter = &mut |count: usize| {
            let Some(Charge { client_id, in_debt }) = charge else { return true };
            let taken =
                buckets.take((ANONYMOUS, client_id), *in_debt, now.mono.0 / 1_000_000, count);
            *wait_ms = match taken {
                Ok(wait_ms) | Err(Overdrawn(wait_ms)) => wait_ms,
            };
            taken.is_ok()
        };
        let context = Context {
            image: &self.image,
            tables: &self.setup.tables,
            partitions_default: self.setup.partitions_default,
            replication_factor_default: self.setup.replication_factor_default,
        };
        match ask {
            AdminAsk::CreateTopics(mut topics, mode) => {
                for topic in &mut topics {
                    topic.id = self.random.uuid();
                }
                let decision = controller::create_topics(&context, &topics, mode, meter);
                (decision.records, AdminAnswer::CreatedTopics(decision.answers))
            }
            AdminAsk::DeleteTopics(topics) => {
                let decision = controller::delete_topics(&self.image, &topics, meter);
                (decision.records, AdminAnswer::DeletedTopics(decision.answers))
            }
            AdminAsk::CreatePartitions(topics, mode) => {
                let decision = controller::create_partitions(&context, &topics, mode, meter);
                (decision.records, AdminAnswer::CreatedPartitions(decision.answers))
            }
            AdminAsk::IncrementalAlterConfigs(resources, mode) => {
                let decision = controller::incremental_alter_configs(&context, &resources, mode);
                (decision.records, AdminAnswer::AlteredConfigs(decision.answers))
            }
            AdminAsk::AlterConfigs(resources, mode) => {
                let decision = controller::alter_configs(&context, &resources, mode);
                (decision.records, AdminAnswer::AlteredConfigs(decision.answers))
            }
            AdminAsk::AlterClientQuotas(quotas, mode) => {
                let decision = controller::alter_client_quotas(&self.image, &quotas, mode);
                (decision.records, AdminAnswer::AlteredQuotas(decision.answers))
            }
            AdminAsk::UpdateFeatures(updates, mode) => {
                match controller::update_features(&self.image, &updates, mode) {
                    Ok(records) => (records, AdminAnswer::UpdatedFeatures(Ok(()))),
                    Err(refusal) => (Vec::new(), AdminAnswer::UpdatedFeatures(Err(refusal))),
                }
            }
            AdminAsk::ProducerIds => {
                let broker = BrokerId(self.setup.node_id);
                let epoch = self.image.broker(broker).map_or(-1, |broker| broker.epoch);
                match controller::allocate_producer_ids(&self.image, broker, epoch) {
                    Ok((block, records)) => (records, AdminAnswer::ProducerIds(Ok(block))),
                    Err(refusal) => (Vec::new(), AdminAnswer::ProducerIds(Err(refusal))),
                }
            }
        }
    }

    fn append(&mut self, now: Now, ops: &mut Vec<Op<Mail>>, asker: Asker, records: Vec<Record>) {
        let batch = encode(now, &records);
        let Some(log) = &mut self.log else { return };
        if log.append(now, &batch, 0).is_err() {
            self.fail(asker);
            return;
        }
        self.bytes_since_snapshot += batch.bytes.len() as u64;
        self.change = Change::Appending { asker, records };
        log.end_turn(now, ops);
    }

    fn fail(&mut self, asker: Asker) {
        self.change = Change::None;
        match asker {
            Asker::Client(ticket, ..) => {
                self.wishes.push(Wish::Answer(ticket, AdminAnswer::LogFailed, 0));
            }
            // The disk is full. With the registration of an earlier life all that is there can be
            // served; it is done anew when there is room. A new broker has nothing to serve.
            Asker::Registration => {
                if self.image.broker(BrokerId(self.setup.node_id)).is_some() {
                    self.wishes.push(Wish::Registered);
                }
            }
        }
    }

    /// Takes a completion of the metadata log's.
    pub(crate) fn on_completion(
        &mut self,
        now: Now,
        completion: Completion<Mail>,
        ops: &mut Vec<Op<Mail>>,
    ) {
        let Some(log) = &mut self.log else { return };
        if let Completion::Done { token, result } = &completion
            && token.owner == CONTROLLER_OWNER
        {
            self.on_snapshot(now, ops, result.is_ok());
            return;
        }
        let mut events = Vec::new();
        log.on_completion(now, completion, ops, &mut events);
        self.on_events(now, ops, events);
    }

    /// The metadata log's time has come.
    pub(crate) fn on_timer(&mut self, now: Now, ops: &mut Vec<Op<Mail>>) {
        let Some(log) = &mut self.log else { return };
        log.on_timer(now, ops);
        let mut events = Vec::new();
        log.take_events(&mut events);
        self.on_events(now, ops, events);
    }

    fn on_events(&mut self, now: Now, ops: &mut Vec<Op<Mail>>, events: Vec<LogEvent>) {
        for event in events {
            self.on_event(event);
        }
        self.maybe_snapshot(now, ops);
        self.pump(now, ops);
    }

    /// Writes the image down once enough has been appended since the last time.
    fn maybe_snapshot(&mut self, now: Now, ops: &mut Vec<Op<Mail>>) {
        let is_due = self.bytes_since_snapshot >= self.setup.metadata_snapshot_bytes;
        if !is_due || self.snapshot.is_some() || !matches!(self.change, Change::Applying { .. }) {
            return;
        }
        let Some(log) = &self.log else { return };
        let Some(content) = metadata_snapshot::write(&self.image, now.wall) else { return };
        let end = self.image.offset() + 1;
        let path = log.spec().dir.join(metadata_snapshot::name(end, log.spec().leader_epoch.0));
        self.bytes_since_snapshot = 0;
        self.snapshot = Some(end);
        let token = Token { owner: CONTROLLER_OWNER, seq: 1 };
        ops.push(Op::WriteWhole { token, path, content });
    }

    /// A snapshot is there: the log below it may go. Without one (a full disk) the log just stays.
    fn on_snapshot(&mut self, now: Now, ops: &mut Vec<Op<Mail>>, is_written: bool) {
        let Some(end) = self.snapshot.take().filter(|_| is_written) else { return };
        if let Some(log) = &mut self.log {
            // Only whole segments go; what cannot go now goes with the next snapshot.
            let _ = log.advance_log_start(now, Offset(end), ops);
            log.end_turn(now, ops);
        }
    }

    fn on_event(&mut self, event: LogEvent) {
        match event {
            LogEvent::Appended { base_offset, .. } => self.apply(base_offset.0),
            LogEvent::AppendFailed { .. } => {
                if let Change::Appending { asker, .. } =
                    std::mem::replace(&mut self.change, Change::None)
                {
                    self.fail(asker);
                }
            }
            LogEvent::CommittedAdvanced => {
                if let Some(log) = &mut self.log {
                    log.set_high_watermark(log.committed_offset());
                }
            }
            LogEvent::Fatal { reason } => {
                self.wishes.push(Wish::End(format!("the metadata log failed: {reason}")));
            }
            LogEvent::Ready(_)
            | LogEvent::ReadReady { .. }
            | LogEvent::TimestampReady { .. }
            | LogEvent::LogStartAdvanced
            | LogEvent::Compaction(_)
            | LogEvent::SpaceGone
            | LogEvent::Exhausted { .. }
            | LogEvent::Corrupt { .. }
            | LogEvent::Deleted => {}
            LogEvent::SpaceBack => self.has_space_again = self.unregistered.is_some(),
            LogEvent::Closed => self.is_closed = true,
        }
    }

    /// The records under way are committed: they make the next image.
    fn apply(&mut self, base_offset: i64) {
        let Change::Appending { asker, records } =
            std::mem::replace(&mut self.change, Change::None)
        else {
            return;
        };
        let mut draft = ImageDraft::new(&self.image);
        for (record, offset) in records.iter().zip(base_offset..) {
            // What was decided from this very image follows on it.
            draft.replay(offset, record).unwrap_or_else(|error| {
                panic!("a record that the controller made does not follow: {error}")
            });
        }
        let (image, delta) = draft.finish();
        self.image = Arc::clone(&image);
        self.wishes.push(Wish::Publish(image, Arc::new(delta)));
        self.change = Change::Applying { asker, shards_left: self.setup.shards };
    }

    /// A shard works by the newest image.
    pub(crate) fn on_applied(&mut self, now: Now, ops: &mut Vec<Op<Mail>>) {
        let Change::Applying { shards_left, .. } = &mut self.change else { return };
        *shards_left -= 1;
        if *shards_left > 0 {
            return;
        }
        if let Change::Applying { asker, .. } = std::mem::replace(&mut self.change, Change::None) {
            self.wishes.push(match asker {
                Asker::Client(ticket, answer, wait_ms) => Wish::Answer(ticket, answer, wait_ms),
                Asker::Registration => {
                    self.unregistered = None;
                    Wish::Registered
                }
            });
        }
        self.pump(now, ops);
    }
}

/// Over how long what a client may create and delete gathers.
fn quota_window(setup: &Setup) -> WindowConfig {
    let view = View::of(&setup.statics);
    let number = |name| u64::try_from(view.number(name)).unwrap_or(1).max(1);
    WindowConfig {
        samples: u32::try_from(number("controller.quota.window.num")).unwrap_or(u32::MAX),
        sample_ms: number("controller.quota.window.size.seconds").saturating_mul(1000),
    }
}

/// Records as one batch, ready to append.
fn encode(now: Now, records: &[Record]) -> ValidatedBatch {
    let mut builder = BatchBuilder::new(BatchSpec::default());
    for record in records {
        builder.append(now.wall.0, None, Some(&record.encode()), &[]);
    }
    let bytes = builder.build().expect("packing without a codec cannot fail");
    let header = BatchHeader::parse(&bytes).expect("the builder makes whole batches");
    ValidatedBatch { header, bytes, timestamps: TimestampPlan::Keep }
}

/// Why the metadata log cannot be read.
#[derive(Debug)]
pub(crate) enum MetadataError {
    /// Its batches or records are damaged.
    Damaged(String),
    /// A record does not follow on those before it.
    Replay(ReplayError),
}

impl std::fmt::Display for MetadataError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Damaged(what) => f.write_str(what),
            Self::Replay(error) => error.fmt(f),
        }
    }
}

/// Replays whole batches of the metadata log into a draft; control batches are the quorum's own.
/// Records below `from` are in the draft already. Returns the offset behind the last whole batch.
pub(crate) fn replay(
    draft: &mut ImageDraft,
    from: i64,
    bytes: &Bytes,
) -> Result<i64, MetadataError> {
    let mut next = from;
    for batch in BatchIter::new(bytes) {
        next = batch.header.next_offset().0;
        if batch.header.is_control() {
            continue;
        }
        let base = batch.header.base_offset.0;
        for record in RecordIter::new(batch.records(), batch.header.record_count) {
            let record = record.map_err(|error| MetadataError::Damaged(error.to_string()))?;
            let value = record.value.unwrap_or_default();
            let decoded =
                Record::decode(value).map_err(|error| MetadataError::Damaged(error.to_string()))?;
            let offset = base + i64::from(record.offset_delta);
            if offset < from {
                continue;
            }
            draft.replay(offset, &decoded).map_err(MetadataError::Replay)?;
        }
    }
    Ok(next)
}

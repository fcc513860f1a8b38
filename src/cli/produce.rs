//! `millrace produce`: lines become records.
//!
//! Lines gather in one batch per partition, which leaves when it is full or has waited long
//! enough. A few requests may be under way to each broker; answers are taken in order. A batch that
//! is refused for a passing reason is sent again, after all that was under way has been answered,
//! so that an idempotent producer's sequence holds.

#![expect(clippy::disallowed_methods, reason = "a person's client measures time and waits")]

use std::collections::{BTreeMap, VecDeque};
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use millrace_engine::{BatchBuilder, BatchSpec, Codec, Header, ProducerId, ProducerStamp};
use millrace_net::ErrorCode;
use millrace_net::messages::init_producer_id::InitProducerIdRequest;
use millrace_net::messages::metadata::MetadataResponseTopic;
use millrace_net::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse,
    TopicProduceData,
};
use serde_json::json;

use super::client::Sent;
use super::cluster::Cluster;
use super::error::{CliError, check};
use super::lines::{Input, Lines};
use super::output::grouped;
use super::partitioner::partition_of;
use super::{Common, key_value};

/// How long the broker may take to have a batch, ms.
const TIMEOUT_MS: i32 = 30_000;
/// How long passing refusals are put up with.
const RETRY_TIME_MAX: Duration = Duration::from_secs(30);
/// Pause between tries.
const RETRY_PAUSE: Duration = Duration::from_millis(100);
/// Input from this size on is long: it gets a progress bar.
const LONG_INPUT_BYTES: u64 = 8 << 20;

/// See the file's head.
#[derive(Debug, Args)]
pub struct Produce {
    /// The topic.
    topic: String,
    /// Read lines from here instead of standard input.
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What stands between key and value; a line without it has no key.
    #[arg(short, long, value_name = "TEXT")]
    key_separator: Option<String>,
    /// A header of every record; may be repeated.
    #[arg(short = 'H', long, value_name = "KEY=VALUE", value_parser = key_value)]
    header: Vec<(String, String)>,
    /// Send all to this partition; otherwise keys decide, and lines without keys go round.
    #[arg(short, long, value_name = "N")]
    partition: Option<i32>,
    /// How batches are packed.
    #[arg(short = 'z', long, value_enum, default_value_t = Compression::None)]
    compression: Compression,
    /// What the broker answers for: nothing, its own copy, or all copies in sync.
    #[arg(short, long, value_enum, default_value_t = Acks::All)]
    acks: Acks,
    /// Number the batches, so that one that is sent twice is stored once; needs --acks all.
    #[arg(long)]
    idempotent: bool,
    /// Bytes of records a batch gathers.
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 10)]
    batch_bytes: usize,
    /// How long a batch waits for more lines, ms.
    #[arg(long, value_name = "MS", default_value_t = 5)]
    linger: u64,
    /// Requests under way to each broker.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=64))]
    in_flight: u8,
    #[command(flatten)]
    common: Common,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Compression {
    const fn codec(self) -> Codec {
        match self {
            Self::None => Codec::None,
            Self::Gzip => Codec::Gzip,
            Self::Snappy => Codec::Snappy,
            Self::Lz4 => Codec::Lz4,
            Self::Zstd => Codec::Zstd,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Acks {
    #[value(name = "0")]
    Nothing,
    #[value(name = "1")]
    Leader,
    All,
}

impl Acks {
    const fn code(self) -> i16 {
        match self {
            Self::Nothing => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }
}

/// A batch on its way.
#[derive(Debug)]
struct Batch {
    partition: i32,
    bytes: Bytes,
    records: u64,
}

/// One partition's gathering.
#[derive(Debug)]
struct Gathering {
    partition: i32,
    builder: Option<BatchBuilder>,
    since: Instant,
    next_sequence: i32,
}

#[derive(Debug)]
struct Producer<'a> {
    options: &'a Produce,
    cluster: Cluster,
    topic: MetadataResponseTopic,
    stamp: ProducerStamp,
    gatherings: Vec<Gathering>,
    /// Where the next lines without keys go.
    round: usize,
    in_flight: BTreeMap<i32, VecDeque<(Sent, Batch)>>,
    retry: Vec<Batch>,
    acked: Acked,
}

/// What was sent and, where asked for, acknowledged.
#[derive(Debug, Default)]
struct Acked {
    records: u64,
    batches: u64,
    bytes: u64,
}

impl Produce {
    /// Does it.
    pub(super) fn run(self) -> Result<(), CliError> {
        if self.idempotent && self.acks != Acks::All {
            return Err(CliError::usage("--idempotent needs --acks all"));
        }
        let begun = Instant::now();
        let mut producer = Producer::new(&self)?;
        let lines = Lines::open(self.file.as_deref())?;
        let bar = bar(&lines);
        let done = producer.pump(&lines, &bar).and_then(|()| producer.finish());
        bar.finish_and_clear();
        let acked = &producer.acked;
        if let Err(error) = done {
            let records = grouped(acked.records);
            return Err(error.hint(format!("{records} records had been acknowledged before")));
        }
        let elapsed = begun.elapsed();
        let value = json!({
            "topic": self.topic,
            "records": acked.records,
            "batches": acked.batches,
            "batch_bytes": acked.bytes,
            "ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        });
        let text = format!(
            "{} records in {} batches to {}, {} bytes on the wire, {:.2} s",
            grouped(acked.records),
            grouped(acked.batches),
            self.topic,
            grouped(acked.bytes),
            elapsed.as_secs_f64()
        );
        self.common.output().either(&value, &text)
    }
}

/// How far it is, for people who wait.
fn bar(lines: &Lines) -> ProgressBar {
    let is_long = lines.bytes.is_some_and(|bytes| bytes >= LONG_INPUT_BYTES);
    if !(is_long && stderr().is_terminal()) {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(lines.bytes.unwrap_or(0));
    let template = "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar
}

impl<'a> Producer<'a> {
    fn new(options: &'a Produce) -> Result<Self, CliError> {
        let mut cluster = options.common.connect()?;
        let topic = existing_or_new(&mut cluster, &options.topic)?;
        let mut stamp = ProducerStamp::default();
        if options.idempotent {
            let request = InitProducerIdRequest {
                transactional_id: None,
                transaction_timeout_ms: TIMEOUT_MS,
                producer_id: -1,
                producer_epoch: -1,
            };
            let answer = cluster.bootstrap.call(&request)?;
            check("a producer id", answer.error_code, None)?;
            stamp.id = ProducerId(answer.producer_id);
            stamp.epoch = answer.producer_epoch;
        }
        let mut partitions: Vec<i32> =
            topic.partitions.iter().map(|partition| partition.partition_index).collect();
        partitions.sort_unstable();
        if let Some(wanted) = options.partition {
            if !partitions.contains(&wanted) {
                let name = &options.topic;
                return Err(CliError::usage(format!("topic {name} has no partition {wanted}"))
                    .hint(format!("it has 0 to {}", partitions.len().saturating_sub(1))));
            }
            partitions = vec![wanted];
        }
        let now = Instant::now();
        let gathering =
            |partition| Gathering { partition, builder: None, since: now, next_sequence: 0 };
        Ok(Self {
            options,
            cluster,
            topic,
            stamp,
            gatherings: partitions.into_iter().map(gathering).collect(),
            round: 0,
            in_flight: BTreeMap::new(),
            retry: Vec::new(),
            acked: Acked::default(),
        })
    }

    fn pump(&mut self, lines: &Lines, bar: &ProgressBar) -> Result<(), CliError> {
        let linger = Duration::from_millis(self.options.linger);
        loop {
            let oldest =
                self.gatherings.iter().filter(|it| it.builder.is_some()).map(|it| it.since).min();
            let patience =
                oldest.map(|since| (since + linger).saturating_duration_since(Instant::now()));
            match lines.next(patience)? {
                Input::Lines(block) => {
                    self.take(&block)?;
                    bar.inc(block.len() as u64);
                }
                Input::Quiet => {}
                Input::End => return Ok(()),
            }
            let now = Instant::now();
            for index in 0..self.gatherings.len() {
                let it = &self.gatherings[index];
                if it.builder.is_some() && now.duration_since(it.since) >= linger {
                    self.send_gathered(index)?;
                }
            }
        }
    }

    fn take(&mut self, block: &[u8]) -> Result<(), CliError> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
        for line in block.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let separator = self.options.key_separator.as_deref().unwrap_or_default();
            let (key, value) = split_key(line, separator.as_bytes());
            let index = key.map_or(self.round % self.gatherings.len(), |key| {
                partition_of(key, self.gatherings.len())
            });
            self.gather(index, now_ms, key, value)?;
        }
        Ok(())
    }

    fn gather(
        &mut self,
        index: usize,
        now_ms: i64,
        key: Option<&[u8]>,
        value: &[u8],
    ) -> Result<(), CliError> {
        let (stamp, options) = (self.stamp, self.options);
        let it = &mut self.gatherings[index];
        if it.builder.is_none() {
            it.since = Instant::now();
        }
        let base_sequence = if stamp.id.is_some() { it.next_sequence } else { -1 };
        let builder = it.builder.get_or_insert_with(|| {
            BatchBuilder::new(BatchSpec {
                codec: options.compression.codec(),
                producer: ProducerStamp { base_sequence, ..stamp },
                ..BatchSpec::default()
            })
        });
        let headers: Vec<Header<'_>> = options
            .header
            .iter()
            .map(|(key, value)| Header { key: key.as_bytes(), value: Some(value.as_bytes()) })
            .collect();
        builder.append(now_ms, key, Some(value), &headers);
        if builder.bytes_plain() >= options.batch_bytes {
            self.send_gathered(index)?;
        }
        Ok(())
    }

    fn send_gathered(&mut self, index: usize) -> Result<(), CliError> {
        let it = &mut self.gatherings[index];
        let Some(builder) = it.builder.take() else { return Ok(()) };
        let count = builder.record_count();
        // Sequences go round at 2^31. Source: KIP-98.
        it.next_sequence = it.next_sequence.wrapping_add(count) & i32::MAX;
        let partition = it.partition;
        self.round += 1;
        let bytes = builder
            .build()
            .map_err(|error| CliError::refused(format!("--compression: {error}")))?;
        self.send(Batch { partition, bytes, records: u64::try_from(count).unwrap_or(0) })
    }

    fn leader(&self, partition: i32) -> i32 {
        let find = self.topic.partitions.iter().find(|it| it.partition_index == partition);
        find.map_or(-1, |it| it.leader_id)
    }

    fn request(&self, batch: &Batch) -> ProduceRequest {
        ProduceRequest {
            transactional_id: None,
            acks: self.options.acks.code(),
            timeout_ms: TIMEOUT_MS,
            topic_data: vec![TopicProduceData {
                name: self.options.topic.clone(),
                topic_id: self.topic.topic_id,
                partition_data: vec![PartitionProduceData {
                    index: batch.partition,
                    records: Some(batch.bytes.clone()),
                }],
            }],
        }
    }

    fn send(&mut self, batch: Batch) -> Result<(), CliError> {
        let leader = self.leader(batch.partition);
        let request = self.request(&batch);
        let sent = self.cluster.node(leader)?.send(&request)?;
        if self.options.acks == Acks::Nothing {
            self.acked.add(&batch);
            return Ok(());
        }
        let queue = self.in_flight.entry(leader).or_default();
        queue.push_back((sent, batch));
        if queue.len() >= usize::from(self.options.in_flight) {
            self.receive(leader)?;
        }
        if self.retry.is_empty() { Ok(()) } else { self.try_again() }
    }

    /// Takes the oldest answer of a broker.
    fn receive(&mut self, leader: i32) -> Result<(), CliError> {
        let Some((sent, batch)) = self.in_flight.get_mut(&leader).and_then(VecDeque::pop_front)
        else {
            return Ok(());
        };
        let answer = self.cluster.node(leader)?.receive::<ProduceRequest>(sent)?;
        match self.outcome(&batch, &answer) {
            Ok(()) => self.acked.add(&batch),
            Err(error) if self.may_pass(&error) => self.retry.push(batch),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// True for refusals that another try may overcome.
    fn may_pass(&self, error: &CliError) -> bool {
        error.code.is_some_and(|code| {
            // Behind a batch that must be sent again, all others are out of order.
            let is_behind = self.options.idempotent
                && !self.retry.is_empty()
                && code == ErrorCode::OutOfOrderSequenceNumber;
            code.is_retriable() && code != ErrorCode::CorruptMessage || is_behind
        })
    }

    fn outcome(&self, batch: &Batch, answer: &ProduceResponse) -> Result<(), CliError> {
        let place = format!("{} partition {}", self.options.topic, batch.partition);
        let mut partitions = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
        let outcome: &PartitionProduceResponse = partitions
            .next()
            .ok_or_else(|| CliError::refused(format!("{place}: the broker said nothing")))?;
        if outcome.error_code == ErrorCode::DuplicateSequenceNumber.code() {
            // It has the batch: that is what was wanted.
            return Ok(());
        }
        let detail = outcome.record_errors.first();
        let words = detail.and_then(|detail| detail.batch_index_error_message.as_deref());
        check(place, outcome.error_code, outcome.error_message.as_deref().or(words))
    }

    /// Sends the batches that were refused for a passing reason, one by one.
    fn try_again(&mut self) -> Result<(), CliError> {
        let leaders: Vec<i32> = self.in_flight.keys().copied().collect();
        for leader in leaders {
            while self.in_flight.get(&leader).is_some_and(|queue| !queue.is_empty()) {
                self.receive(leader)?;
            }
        }
        let begun = Instant::now();
        for batch in std::mem::take(&mut self.retry) {
            let mut batch = Some(batch);
            while let Some(again) = batch.take() {
                std::thread::sleep(RETRY_PAUSE);
                self.topic = self.cluster.topic(&self.options.topic, false)?;
                let leader = self.leader(again.partition);
                let partition = again.partition;
                self.send_one(leader, again)?;
                batch = self.retry.pop();
                if batch.is_some() && begun.elapsed() > RETRY_TIME_MAX {
                    let name = &self.options.topic;
                    return Err(CliError::refused(format!(
                        "{name} partition {partition} refused a batch for {} s",
                        RETRY_TIME_MAX.as_secs()
                    )));
                }
            }
        }
        Ok(())
    }

    fn send_one(&mut self, leader: i32, batch: Batch) -> Result<(), CliError> {
        let request = self.request(&batch);
        let sent = self.cluster.node(leader)?.send(&request)?;
        self.in_flight.entry(leader).or_default().push_back((sent, batch));
        self.receive(leader)
    }

    fn finish(&mut self) -> Result<(), CliError> {
        for index in 0..self.gatherings.len() {
            self.send_gathered(index)?;
        }
        let leaders: Vec<i32> = self.in_flight.keys().copied().collect();
        for leader in leaders {
            while self.in_flight.get(&leader).is_some_and(|queue| !queue.is_empty()) {
                self.receive(leader)?;
            }
        }
        self.try_again()
    }
}

impl Acked {
    fn add(&mut self, batch: &Batch) {
        self.records += batch.records;
        self.batches += 1;
        self.bytes += batch.bytes.len() as u64;
    }
}

/// The topic; made by the broker, where it makes topics by itself.
fn existing_or_new(cluster: &mut Cluster, name: &str) -> Result<MetadataResponseTopic, CliError> {
    let begun = Instant::now();
    loop {
        match cluster.topic(name, true) {
            Ok(topic) if topic.partitions.iter().all(|it| it.leader_id >= 0) => return Ok(topic),
            // It is being made, or its leader is being chosen.
            Ok(_) if begun.elapsed() < RETRY_TIME_MAX => {}
            Ok(_) => {
                return Err(CliError::refused(format!("topic {name}: a partition has no leader")));
            }
            Err(error) => {
                let passes = error.code.is_some_and(ErrorCode::is_retriable);
                if !passes || begun.elapsed() > Duration::from_secs(3) {
                    return Err(error);
                }
            }
        }
        std::thread::sleep(RETRY_PAUSE);
    }
}

/// Key and value of a line.
fn split_key<'l>(line: &'l [u8], separator: &[u8]) -> (Option<&'l [u8]>, &'l [u8]) {
    if separator.is_empty() {
        return (None, line);
    }
    let at = line.windows(separator.len()).position(|window| window == separator);
    at.map_or((None, line), |at| (Some(&line[..at]), &line[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::split_key;

    #[test]
    fn a_line_is_split_at_the_first_separator() {
        assert_eq!(split_key(b"k::v::w", b"::"), (Some(b"k".as_slice()), b"v::w".as_slice()));
        assert_eq!(split_key(b"::v", b"::"), (Some(b"".as_slice()), b"v".as_slice()));
        assert_eq!(split_key(b"plain", b"::"), (None, b"plain".as_slice()));
        assert_eq!(split_key(b"a:b", b""), (None, b"a:b".as_slice()));
    }
}

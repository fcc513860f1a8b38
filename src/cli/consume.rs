//! `millrace consume`: records become lines.
//!
//! No group, no commits: each partition is read from where `--from` says to where it ended when
//! the command began, or on and on with `--follow`.

use std::collections::BTreeMap;

use clap::Args;
use millrace_engine::{BatchEnd, BatchIter, LogRecord, OpenBatch};
use millrace_net::ErrorCode;
use millrace_net::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};
use millrace_net::messages::metadata::MetadataResponseTopic;
use serde_json::{Value, json};

use super::Common;
use super::cluster::Cluster;
use super::error::{CliError, check};
use super::offsets::{EARLIEST, LATEST, offsets};
use super::output;
use super::start::Start;

/// How long the broker waits for records that are not there yet, ms.
const WAIT_MS: i32 = 500;
/// Bytes of one answer, and of one partition in it.
const FETCH_BYTES: i32 = 32 << 20;
const PARTITION_BYTES: i32 = 4 << 20;
/// The most bytes that one batch may unpack to.
pub(super) const UNPACKED_BYTES_MAX: usize = 1 << 30;
/// Output is written from this size on.
const OUTPUT_BYTES: usize = 64 << 10;

/// See the file's head.
#[derive(Debug, Args)]
pub struct Consume {
    /// The topic.
    topic: String,
    /// Where to begin: beginning, end, OFFSET, -N for the last N records of each partition,
    /// @MILLISECONDS since 1970, or 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "WHERE", default_value = "beginning", allow_hyphen_values = true)]
    from: Start,
    /// Only this partition; may be repeated.
    #[arg(short, long, value_name = "N")]
    partition: Vec<i32>,
    /// Stop after so many records.
    #[arg(short = 'n', long, value_name = "N")]
    max: Option<u64>,
    /// Wait for records that come.
    #[arg(short, long)]
    follow: bool,
    /// What is printed of a record: {topic} {partition} {offset} {timestamp} {key} {value}
    /// {headers}, \n, \t.
    #[arg(long, value_name = "TEXT", default_value = "{value}\\n")]
    format: String,
    #[command(flatten)]
    common: Common,
}

/// Where a partition is read, and up to where.
#[derive(Clone, Copy, Debug)]
struct Position {
    leader: i32,
    next: i64,
    /// Exclusive; none with `--follow`.
    end: Option<i64>,
}

impl Position {
    fn is_done(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }
}

struct Consumer<'a> {
    options: &'a Consume,
    topic: MetadataResponseTopic,
    positions: BTreeMap<i32, Position>,
    left: u64,
    out: Vec<u8>,
}

impl Consume {
    /// Does it.
    pub(super) fn run(self) -> Result<(), CliError> {
        let mut cluster = self.common.connect()?;
        let topic = cluster.topic(&self.topic, false)?;
        let positions = self.positions(&mut cluster, &topic)?;
        let mut consumer = Consumer {
            options: &self,
            topic,
            positions,
            left: self.max.unwrap_or(u64::MAX),
            out: Vec::new(),
        };
        while !consumer.is_done() {
            consumer.round(&mut cluster)?;
            consumer.flush()?;
        }
        Ok(())
    }

    fn positions(
        &self,
        cluster: &mut Cluster,
        topic: &MetadataResponseTopic,
    ) -> Result<BTreeMap<i32, Position>, CliError> {
        let all: Vec<i32> = topic.partitions.iter().map(|it| it.partition_index).collect();
        if let Some(missing) = self.partition.iter().find(|index| !all.contains(index)) {
            let (name, last) = (&self.topic, all.len().saturating_sub(1));
            return Err(CliError::usage(format!("topic {name} has no partition {missing}"))
                .hint(format!("it has 0 to {last}")));
        }
        let wanted = if self.partition.is_empty() { all } else { self.partition.clone() };
        let ends = offsets(cluster, topic, &wanted, LATEST)?;
        let end = |index: &i32| ends.get(index).copied().unwrap_or(0);
        let starts = match self.from {
            Start::Beginning => offsets(cluster, topic, &wanted, EARLIEST)?,
            Start::End => ends.clone(),
            Start::Offset(offset) => wanted.iter().map(|index| (*index, offset)).collect(),
            Start::Last(count) => {
                let firsts = offsets(cluster, topic, &wanted, EARLIEST)?;
                let start = |(index, first): (i32, i64)| (index, first.max(end(&index) - count));
                firsts.into_iter().map(start).collect()
            }
            Start::Time(ms) => {
                let found = offsets(cluster, topic, &wanted, ms)?;
                // No record is that late: the next one will be.
                let start =
                    |(index, at): (i32, i64)| (index, if at < 0 { end(&index) } else { at });
                found.into_iter().map(start).collect()
            }
        };
        let leaders: BTreeMap<i32, i32> =
            topic.partitions.iter().map(|it| (it.partition_index, it.leader_id)).collect();
        let position = |index: &i32| {
            let (Some(next), Some(leader)) = (starts.get(index), leaders.get(index)) else {
                return Err(CliError::refused(format!("no offset of partition {index} is known")));
            };
            let end = (!self.follow).then(|| end(index));
            Ok((*index, Position { leader: *leader, next: *next, end }))
        };
        wanted.iter().map(position).collect()
    }
}

impl Consumer<'_> {
    fn is_done(&self) -> bool {
        self.left == 0 || self.positions.values().all(Position::is_done)
    }

    /// Asks every leader once.
    fn round(&mut self, cluster: &mut Cluster) -> Result<(), CliError> {
        let mut by_leader: BTreeMap<i32, Vec<FetchPartition>> = BTreeMap::new();
        for (index, position) in self.positions.iter().filter(|(_, it)| !it.is_done()) {
            by_leader.entry(position.leader).or_default().push(FetchPartition {
                partition: *index,
                fetch_offset: position.next,
                partition_max_bytes: PARTITION_BYTES,
                ..FetchPartition::default()
            });
        }
        // All are asked before the first is waited for.
        let mut sent = Vec::new();
        for (leader, partitions) in by_leader {
            let request = FetchRequest {
                replica_id: -1,
                max_wait_ms: WAIT_MS,
                min_bytes: 1,
                max_bytes: FETCH_BYTES,
                session_id: 0,
                session_epoch: -1,
                topics: vec![FetchTopic {
                    topic: self.options.topic.clone(),
                    topic_id: self.topic.topic_id,
                    partitions,
                }],
                ..FetchRequest::default()
            };
            sent.push((leader, cluster.node(leader)?.send(&request)?));
        }
        let mut moved = false;
        for (leader, sent) in sent {
            let answer = cluster.node(leader)?.receive::<FetchRequest>(sent)?;
            check(format_args!("fetch from {}", self.options.topic), answer.error_code, None)?;
            for partition in answer.responses.iter().flat_map(|topic| &topic.partitions) {
                moved |= self.on_partition(partition)?;
            }
        }
        if moved { self.find_leaders(cluster) } else { Ok(()) }
    }

    /// Takes a partition's records. True if it has another leader now.
    fn on_partition(&mut self, partition: &PartitionData) -> Result<bool, CliError> {
        let index = partition.partition_index;
        let moved = [
            ErrorCode::NotLeaderOrFollower,
            ErrorCode::LeaderNotAvailable,
            ErrorCode::FencedLeaderEpoch,
        ];
        if moved.iter().any(|code| code.code() == partition.error_code) {
            return Ok(true);
        }
        let name = &self.options.topic;
        let Some(position) = self.positions.get(&index).copied() else { return Ok(false) };
        check(
            format_args!("{name} partition {index} offset {}", position.next),
            partition.error_code,
            None,
        )?;
        let records = partition.records.as_deref().unwrap_or_default();
        let mut next = position.next;
        let mut batches = BatchIter::new(records);
        for view in batches.by_ref() {
            if self.left == 0 {
                return Ok(false);
            }
            let place = || format!("{name} partition {index} offset {}", view.header.base_offset);
            if !view.is_crc_right() {
                return Err(CliError::damaged(format!("{}: wrong CRC", place())));
            }
            if !view.header.is_control() {
                let open = OpenBatch::open(&view, UNPACKED_BYTES_MAX)
                    .map_err(|error| CliError::damaged(format!("{}: {error}", place())))?;
                for record in open.records() {
                    let record = record
                        .map_err(|error| CliError::damaged(format!("{}: {error}", place())))?;
                    let offset = record.offset.0;
                    if offset >= position.next && position.end.is_none_or(|end| offset < end) {
                        self.record(index, &record)?;
                    }
                }
            }
            next = next.max(view.header.next_offset().0);
        }
        if let Some(BatchEnd::Corrupt { error, .. }) = batches.end() {
            let what = format!("{name} partition {index} behind offset {next}: {error}");
            return Err(CliError::damaged(what));
        }
        if let Some(position) = self.positions.get_mut(&index) {
            position.next = next;
        }
        Ok(false)
    }

    fn record(&mut self, partition: i32, record: &LogRecord<'_>) -> Result<(), CliError> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        if self.options.common.json {
            let value = record_json(&self.options.topic, partition, record);
            self.out.extend_from_slice(value.to_string().as_bytes());
            self.out.push(b'\n');
        } else {
            let context = (self.options.topic.as_str(), partition);
            format_record(&mut self.out, &self.options.format, context, record);
        }
        if self.out.len() >= OUTPUT_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), CliError> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = output::raw(&self.out);
        self.out.clear();
        written
    }

    fn find_leaders(&mut self, cluster: &mut Cluster) -> Result<(), CliError> {
        self.topic = cluster.topic(&self.options.topic, false)?;
        for partition in &self.topic.partitions {
            if let Some(position) = self.positions.get_mut(&partition.partition_index) {
                position.leader = partition.leader_id;
            }
        }
        Ok(())
    }
}

/// A record for programs. What is not UTF-8 stands in hexadecimal, under a name that says so.
pub(super) fn record_json(topic: &str, partition: i32, record: &LogRecord<'_>) -> Value {
    let mut value = json!({
        "topic": topic,
        "partition": partition,
        "offset": record.offset.0,
        "timestamp": record.timestamp,
    });
    put(&mut value, "key", record.record.key);
    put(&mut value, "value", record.record.value);
    let header = |header: millrace_engine::Header<'_>| {
        let mut value = json!({ "key": String::from_utf8_lossy(header.key) });
        put(&mut value, "value", header.value);
        value
    };
    value["headers"] = record.record.headers.iter().map(header).collect();
    value
}

fn put(object: &mut Value, name: &str, bytes: Option<&[u8]>) {
    match bytes.map(std::str::from_utf8) {
        None => object[name] = Value::Null,
        Some(Ok(text)) => object[name] = json!(text),
        Some(Err(_)) => {
            object[format!("{name}_hex")] = json!(hex(bytes.unwrap_or_default()));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from_digit(digit.into(), 16).unwrap_or('?'))
        .collect()
}

/// Appends `format` with a record's parts in place of their names; null is nothing.
fn format_record(
    out: &mut Vec<u8>,
    format: &str,
    (topic, partition): (&str, i32),
    record: &LogRecord<'_>,
) {
    let mut rest = format;
    while let Some(at) = rest.find(['{', '\\']) {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let name = rest.find('}').map_or("", |end| &rest[..=end]);
        let taken = match name {
            "{topic}" => extend(out, topic.as_bytes(), name),
            "{partition}" => extend(out, partition.to_string().as_bytes(), name),
            "{offset}" => extend(out, record.offset.to_string().as_bytes(), name),
            "{timestamp}" => extend(out, record.timestamp.to_string().as_bytes(), name),
            "{key}" => extend(out, record.record.key.unwrap_or_default(), name),
            "{value}" => extend(out, record.record.value.unwrap_or_default(), name),
            "{headers}" => {
                for (index, header) in record.record.headers.iter().enumerate() {
                    out.extend_from_slice(if index > 0 { b"," } else { b"" });
                    out.extend_from_slice(header.key);
                    out.push(b'=');
                    out.extend_from_slice(header.value.unwrap_or_default());
                }
                name.len()
            }
            _ => match rest.as_bytes().get(..2) {
                Some(b"\\n") => extend(out, b"\n", "\\n"),
                Some(b"\\t") => extend(out, b"\t", "\\t"),
                Some(b"\\0") => extend(out, b"\0", "\\0"),
                Some(b"\\\\") => extend(out, b"\\", "\\\\"),
                _ => extend(out, &rest.as_bytes()[..1], "{"),
            },
        };
        rest = &rest[taken..];
    }
    out.extend_from_slice(rest.as_bytes());
}

/// Appends, and gives the length of what was replaced.
fn extend(out: &mut Vec<u8>, bytes: &[u8], replaced: &str) -> usize {
    out.extend_from_slice(bytes);
    replaced.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_engine::{BatchBuilder, BatchSpec, BatchView, Header};

    fn with_record(test: impl Fn(&LogRecord<'_>)) {
        let mut builder = BatchBuilder::new(BatchSpec::default());
        let header = Header { key: b"h", value: Some(b"1") };
        builder.append(7, Some(b"k"), Some(b"\xff\x01"), &[header]);
        let batch = builder.build().expect("no codec");
        let open = OpenBatch::open(&BatchView::first(&batch).expect("batch"), 100).expect("opens");
        let record = open.records().next().expect("one").expect("readable");
        test(&record);
    }

    #[test]
    fn a_format_is_filled_in_and_what_it_does_not_know_stays() {
        with_record(|record| {
            let mut out = Vec::new();
            let format =
                r"{topic}/{partition}@{offset} {timestamp}\t{key}={value}{what} {headers}\n{";
            format_record(&mut out, format, ("t", 3), record);
            assert_eq!(out, b"t/3@0 7\tk=\xff\x01{what} h=1\n{");
        });
    }

    #[test]
    fn json_shows_bytes_that_are_no_text_in_hexadecimal() {
        with_record(|record| {
            let value = record_json("t", 3, record);
            assert_eq!(value["key"], "k");
            assert_eq!(value["value_hex"], "ff01");
            assert_eq!(value["headers"][0], json!({"key": "h", "value": "1"}));
        });
    }
}

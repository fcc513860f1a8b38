//! `millrace group reset`: moves a group's committed offsets.
//!
//! As `kafka-consumer-groups.sh --reset-offsets`: nothing is changed without `--execute`, only a
//! group without members can be reset, and an offset outside the partition becomes its nearest end.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use millrace_net::messages::metadata::MetadataResponseTopic;
use millrace_net::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use serde_json::{Value, json};

use super::{committed, coordinator, listed};
use crate::cli::Common;
use crate::cli::cluster::Cluster;
use crate::cli::error::{CliError, check};
use crate::cli::offsets::{EARLIEST, LATEST, offsets};
use crate::cli::output::{self, objects, table};
use crate::cli::start::instant_ms;

/// See the file's head.
#[derive(Debug, Args)]
pub struct Reset {
    /// The groups.
    #[arg(required = true)]
    names: Vec<String>,
    #[command(flatten)]
    to: To,
    /// A topic, or some of its partitions: TOPIC or TOPIC:0,1,2. May be given more than once.
    #[arg(long, value_name = "TOPIC[:P,…]", required_unless_present_any = ["all_topics", "from_file"])]
    topic: Vec<String>,
    /// All topics that the group has committed offsets for.
    #[arg(long, conflicts_with = "topic")]
    all_topics: bool,
    /// Only shows what would be done; so it is without --execute, too.
    #[arg(long, conflicts_with = "execute")]
    dry_run: bool,
    /// Does it.
    #[arg(long)]
    execute: bool,
    /// Prints lines of topic,partition,offset that --from-file takes; with several groups the
    /// group comes first.
    #[arg(long)]
    export: bool,
    #[command(flatten)]
    common: Common,
}

/// Where offsets go. One of them.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
#[expect(
    clippy::struct_field_names,
    reason = "the fields are the flags, by the names of Kafka's tool"
)]
struct To {
    /// To the first record there is.
    #[arg(long)]
    to_earliest: bool,
    /// Behind the last record.
    #[arg(long)]
    to_latest: bool,
    /// To where the group is; behind the last record where it is nowhere.
    #[arg(long)]
    to_current: bool,
    /// To this offset.
    #[arg(long, value_name = "OFFSET")]
    to_offset: Option<i64>,
    /// So many records forward, or backward where negative.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    shift_by: Option<i64>,
    /// To the first record that is at most so old: PnDTnHnMnS.
    #[arg(long, value_name = "DURATION", value_parser = duration_ms)]
    by_duration: Option<i64>,
    /// To the first record of this time or later: 2026-01-31T12:00:00.000, UTC unless it says
    /// otherwise.
    #[arg(long, value_name = "TIME", value_parser = datetime_ms)]
    to_datetime: Option<i64>,
    /// To what --export once printed.
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
}

/// Partitions by topic.
type Chosen = BTreeMap<String, Vec<i32>>;
/// Offsets by topic and partition.
type Offsets = BTreeMap<String, BTreeMap<i32, i64>>;

const COLUMNS: [&str; 5] = ["group", "topic", "partition", "committed", "new_offset"];

impl Reset {
    /// Does it.
    pub(super) fn run(&self) -> Result<(), CliError> {
        let mut cluster = self.common.connect()?;
        let plan = self.to.read_file(&self.names)?;
        let mut rows = Vec::new();
        for name in &self.names {
            let node = coordinator(&mut cluster, name)?;
            check_inactive(&mut cluster, node, name)?;
            let before = committed(&mut cluster, node, name)?;
            let chosen = self.choose(&mut cluster, name, &before, &plan)?;
            let mut after = Offsets::new();
            let mut topics = Vec::new();
            for (topic, partitions) in &chosen {
                let metadata = cluster.topic(topic, false)?;
                let own = before.get(topic).cloned().unwrap_or_default();
                let wanted = plan.get(name).and_then(|plan| plan.get(topic));
                let found = self.to.offsets(&mut cluster, &metadata, partitions, (&own, wanted))?;
                after.insert(topic.clone(), found);
                topics.push(metadata);
            }
            if self.execute {
                commit(&mut cluster, node, name, (&topics, &after))?;
            }
            for (topic, partitions) in &after {
                rows.extend(partitions.iter().map(|(index, offset)| {
                    let own = before.get(topic).and_then(|own| own.get(index));
                    vec![json!(name), json!(topic), json!(index), json!(own), json!(offset)]
                }));
            }
        }
        self.show(rows)
    }

    /// The partitions that are meant.
    fn choose(
        &self,
        cluster: &mut Cluster,
        group: &str,
        before: &Offsets,
        plan: &BTreeMap<String, Offsets>,
    ) -> Result<Chosen, CliError> {
        let keys = |offsets: &Offsets| -> Chosen {
            let keys = |(topic, of): (&String, &BTreeMap<i32, i64>)| {
                (topic.clone(), of.keys().copied().collect())
            };
            offsets.iter().map(keys).collect()
        };
        if self.to.from_file.is_some() && self.topic.is_empty() {
            return Ok(plan.get(group).map(keys).unwrap_or_default());
        }
        if self.all_topics {
            let chosen = keys(before);
            return if chosen.is_empty() {
                Err(CliError::refused(format!("group {group} has no committed offsets"))
                    .hint("--topic names topics that it has none for yet"))
            } else {
                Ok(chosen)
            };
        }
        let mut chosen = Chosen::new();
        for text in &self.topic {
            let (name, listed) = parse_topic(text)?;
            let topic = cluster.topic(name, false)?;
            let all: Vec<i32> = topic.partitions.iter().map(|it| it.partition_index).collect();
            if let Some(missing) = listed.iter().find(|index| !all.contains(index)) {
                return Err(CliError::refused(format!("topic {name} has no partition {missing}")));
            }
            let wanted = if listed.is_empty() { all } else { listed };
            let partitions = chosen.entry(name.to_owned()).or_default();
            partitions.extend(wanted);
            partitions.sort_unstable();
            partitions.dedup();
        }
        Ok(chosen)
    }

    fn show(&self, rows: Vec<Vec<Value>>) -> Result<(), CliError> {
        if self.export {
            return output::raw(csv(&rows, self.names.len() > 1).as_bytes());
        }
        if self.common.output().is_json() {
            return output::json(&objects(&COLUMNS, rows));
        }
        output::line(&table(&COLUMNS, &rows))?;
        if !self.execute {
            output::line("nothing was changed: --execute does it")?;
        }
        Ok(())
    }
}

impl To {
    /// The new offsets of some partitions of a topic.
    ///
    /// - `own`: what the group has committed, and what the file says.
    fn offsets(
        &self,
        cluster: &mut Cluster,
        topic: &MetadataResponseTopic,
        partitions: &[i32],
        (own, wanted): (&BTreeMap<i32, i64>, Option<&BTreeMap<i32, i64>>),
    ) -> Result<BTreeMap<i32, i64>, CliError> {
        let name = topic.name.as_deref().unwrap_or_default();
        let first = offsets(cluster, topic, partitions, EARLIEST)?;
        let last = offsets(cluster, topic, partitions, LATEST)?;
        let at_time = match self.time_ms() {
            Some(time) => offsets(cluster, topic, partitions, time)?,
            None => BTreeMap::new(),
        };
        let mut found = BTreeMap::new();
        for index in partitions {
            let (first, last) = (first[index], last[index]);
            let committed = own.get(index).copied();
            let offset = if self.to_earliest {
                first
            } else if self.to_latest {
                last
            } else if self.to_current {
                committed.unwrap_or(last)
            } else if let Some(by) = self.shift_by {
                let committed = committed.ok_or_else(|| {
                    CliError::refused(format!(
                        "{name} partition {index} has no committed offset that could be shifted"
                    ))
                })?;
                committed.saturating_add(by)
            } else if let Some(at) = at_time.get(index) {
                // No record is that young.
                if *at < 0 { last } else { *at }
            } else {
                let given = wanted.and_then(|wanted| wanted.get(index)).copied();
                self.to_offset.or(given).or(committed).unwrap_or(last)
            };
            found.insert(*index, clamp((name, *index), offset, (first, last)));
        }
        Ok(found)
    }

    /// The point in time that is meant, ms since 1970.
    fn time_ms(&self) -> Option<i64> {
        let ago = self.by_duration.map(|duration| now_ms().saturating_sub(duration));
        ago.or(self.to_datetime)
    }

    /// What the file says, by group.
    fn read_file(&self, names: &[String]) -> Result<BTreeMap<String, Offsets>, CliError> {
        let Some(path) = &self.from_file else { return Ok(BTreeMap::new()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::usage(format!("{}: {error}", path.display())))?;
        let only = if let [only] = names { Some(only.as_str()) } else { None };
        parse_csv(&text, only).map_err(|line| {
            CliError::usage(format!(
                "{}: line {line} is not [group,]topic,partition,offset",
                path.display()
            ))
        })
    }
}

/// Members would overwrite what is set here with their own next commit.
fn check_inactive(cluster: &mut Cluster, node: i32, name: &str) -> Result<(), CliError> {
    let state = listed(cluster, node, name)?.map(|group| group.group_state);
    match state.as_deref() {
        None | Some("Empty" | "Dead") => Ok(()),
        Some(state) => Err(CliError::refused(format!(
            "group {name} is {state}: offsets can be reset only while it has no members"
        ))
        .hint("stop the group's consumers first; `millrace group describe` shows them")),
    }
}

/// An offset between the ends of its partition; a person is told if that changes it.
fn clamp((topic, index): (&str, i32), offset: i64, (first, last): (i64, i64)) -> i64 {
    let clamped = offset.clamp(first, last.max(first));
    if clamped != offset {
        let end = if offset < clamped { "below the first" } else { "beyond the last" };
        output::warn(&format!(
            "{topic} partition {index}: offset {offset} is {end} offset; {clamped} is taken"
        ));
    }
    clamped
}

fn commit(
    cluster: &mut Cluster,
    node: i32,
    group: &str,
    (topics, offsets): (&[MetadataResponseTopic], &Offsets),
) -> Result<(), CliError> {
    let ids: BTreeMap<&str, _> =
        topics.iter().filter_map(|topic| Some((topic.name.as_deref()?, topic.topic_id))).collect();
    let topic = |(name, partitions): (&String, &BTreeMap<i32, i64>)| {
        let partition = |(index, offset): (&i32, &i64)| OffsetCommitRequestPartition {
            partition_index: *index,
            committed_offset: *offset,
            committed_leader_epoch: -1,
            committed_metadata: Some(String::new()),
        };
        OffsetCommitRequestTopic {
            name: name.clone(),
            topic_id: ids.get(name.as_str()).copied().unwrap_or_default(),
            partitions: partitions.iter().map(partition).collect(),
        }
    };
    let request = OffsetCommitRequest {
        group_id: group.to_owned(),
        generation_id_or_member_epoch: -1,
        topics: offsets.iter().map(topic).collect(),
        ..OffsetCommitRequest::default()
    };
    let answer = cluster.node(node)?.call(&request)?;
    for partition in answer.topics.iter().flat_map(|topic| &topic.partitions) {
        let place = format_args!("group {group}, partition {}", partition.partition_index);
        check(place, partition.error_code, None)?;
    }
    Ok(())
}

/// `TOPIC` or `TOPIC:0,1`; no partitions are all.
fn parse_topic(text: &str) -> Result<(&str, Vec<i32>), CliError> {
    let Some((name, partitions)) = text.split_once(':') else { return Ok((text, Vec::new())) };
    let partitions: Result<Vec<i32>, _> = partitions.split(',').map(str::parse).collect();
    let partitions = partitions
        .map_err(|_| CliError::usage(format!("--topic '{text}' is not TOPIC or TOPIC:0,1,2")))?;
    Ok((name, partitions))
}

/// Lines as Kafka's tool writes them. Topics need no quotes: their letters are a-z A-Z 0-9 . _ -
fn csv(rows: &[Vec<Value>], with_group: bool) -> String {
    let mut out = String::new();
    for row in rows {
        let [group, topic, partition, _, offset] = row.as_slice() else { continue };
        if with_group {
            out.push_str(&quoted(group.as_str().unwrap_or_default()));
            out.push(',');
        }
        let topic = topic.as_str().unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{topic},{partition},{offset}");
    }
    out
}

/// A field that may hold anything, in quotes where it must be. Source: RFC 4180.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// Reads what [`csv`] and Kafka's tool write: offsets by group. `only` is the group of lines that
/// name none. The error is the number of a line that is wrong.
fn parse_csv(text: &str, only: Option<&str>) -> Result<BTreeMap<String, Offsets>, usize> {
    let mut found: BTreeMap<String, Offsets> = BTreeMap::new();
    for (line, number) in text.lines().zip(1..) {
        if line.trim().is_empty() {
            continue;
        }
        let mut fields = line.rsplitn(3, ',');
        let mut next = || fields.next().ok_or(number);
        let offset: i64 = unquoted(next()?).parse().map_err(|_| number)?;
        let partition: i32 = unquoted(next()?).parse().map_err(|_| number)?;
        let rest = next()?;
        let (group, topic) = match (only, rest.rsplit_once(',')) {
            (_, Some((group, topic))) => (unquoted(group), unquoted(topic)),
            (Some(only), None) => (only.to_owned(), unquoted(rest)),
            (None, None) => return Err(number),
        };
        found.entry(group).or_default().entry(topic).or_default().insert(partition, offset);
    }
    Ok(found)
}

fn unquoted(field: &str) -> String {
    let field = field.trim();
    match field.strip_prefix('"').and_then(|field| field.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => field.to_owned(),
    }
}

/// Reads `PnDTnHnMn.nS` as ms: days, hours, minutes, seconds, each of which may be missing.
/// Source: ISO 8601, as far as Java's `Duration` goes.
fn duration_ms(text: &str) -> Result<i64, String> {
    let refuse = || format!("'{text}' is not a duration, like P7D, PT1H30M, PT10.5S");
    let upper = text.to_ascii_uppercase();
    let rest = upper.strip_prefix('P').ok_or_else(refuse)?;
    let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
    if days.is_empty() && time.is_empty() || rest.ends_with('T') {
        return Err(refuse());
    }
    let mut ms = 0_i64;
    for (part, units) in
        [(days, &[('D', 86_400_000)][..]), (time, &[('H', 3_600_000), ('M', 60_000), ('S', 1_000)])]
    {
        let mut rest = part;
        for (letter, factor) in units {
            if let Some((number, behind)) = rest.split_once(*letter) {
                let part = scaled(number, *factor, *letter == 'S').ok_or_else(refuse)?;
                ms = ms.checked_add(part).ok_or_else(refuse)?;
                rest = behind;
            }
        }
        if !rest.is_empty() {
            return Err(refuse());
        }
    }
    Ok(ms)
}

/// A number times `factor`; only seconds have a fraction, of which ms count.
fn scaled(number: &str, factor: i64, may_have_fraction: bool) -> Option<i64> {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if may_have_fraction => (whole, fraction),
        Some(_) => return None,
        None => (number, ""),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    whole.parse::<i64>().ok()?.checked_mul(factor)?.checked_add(digits.parse().ok()?)
}

fn datetime_ms(text: &str) -> Result<i64, String> {
    instant_ms(text).ok_or_else(|| {
        format!("'{text}' is not a time, like 2026-01-31T12:00:00.000 or 2026-01-31T12:00:00+02:00")
    })
}

#[expect(clippy::disallowed_methods, reason = "a person's clock; nothing here is simulated")]
fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_iso_8601_says() {
        assert_eq!(duration_ms("P1D"), Ok(86_400_000));
        assert_eq!(duration_ms("PT1H30M"), Ok(5_400_000));
        assert_eq!(duration_ms("p2dt0.25s"), Ok(172_800_250));
        for wrong in ["", "P", "PT", "1D", "P1H", "PT1D", "PT1.5H", "PT-1S", "P1DT"] {
            assert!(duration_ms(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_exported_is_imported() {
        let row = |group: &str, offset: i64| {
            vec![json!(group), json!("t"), json!(1), json!(null), json!(offset)]
        };
        let one = csv(&[row("g", 5)], false);
        assert_eq!(one, "t,1,5\n");
        assert_eq!(parse_csv(&one, Some("g")).unwrap()["g"]["t"][&1], 5);
        assert_eq!(parse_csv(&one, None), Err(1));
        let two = csv(&[row("g", 5), row("a,\"b", 6)], true);
        assert_eq!(two, "g,t,1,5\n\"a,\"\"b\",t,1,6\n");
        let read = parse_csv(&two, None).unwrap();
        assert_eq!((read["g"]["t"][&1], read["a,\"b"]["t"][&1]), (5, 6));
        assert_eq!(parse_csv("t,x,5\n", Some("g")), Err(1));
    }

    #[test]
    fn partitions_of_a_topic_are_named_behind_a_colon() {
        assert_eq!(parse_topic("t").unwrap(), ("t", vec![]));
        assert_eq!(parse_topic("t:0,2").unwrap(), ("t", vec![0, 2]));
        assert!(parse_topic("t:").is_err());
        assert!(parse_topic("t:a").is_err());
    }
}

//! Whether a partition's files agree with themselves and with each other.
//!
//! What must hold, and is checked: batches follow each other, with rising offsets, right CRCs and
//! the records that they declare; an offset index's entry leads to a batch at or before its offset;
//! no record up to a time index's entry is later than it says; snapshots have their CRC;
//! checkpoints and `partition.metadata` are what their formats say.

use std::collections::BTreeMap;
use std::path::Path;

use millrace_engine::checkpoint_file::{LEADER_EPOCH_FILE, read_epochs};
use millrace_engine::partition_metadata::{PARTITION_METADATA_FILE, read_partition_metadata};
use millrace_engine::segment::{
    OFFSET_INDEX_SUFFIX, SNAPSHOT_SUFFIX, TIME_INDEX_SUFFIX, parse_file_name,
};
use millrace_engine::{BatchView, OpenBatch, producer_snapshot};
use serde_json::{Value, json};

use super::files::Folder;
use super::segment::{SegmentReader, Step};
use crate::cli::consume::UNPACKED_BYTES_MAX;
use crate::cli::error::CliError;
use crate::cli::output::grouped;

/// Problems told of one folder; a log that is garbage throughout needs no more.
const PROBLEMS_MAX: usize = 100;
/// Producers a snapshot may hold.
const PRODUCERS_MAX: usize = 10_000_000;
/// Bytes of an entry of an offset index and of a time index. Source: `engine/src/index.rs`.
const OFFSET_ENTRY_BYTES: usize = 8;
const TIME_ENTRY_BYTES: usize = 12;

/// What was found in a folder.
#[derive(Debug, Default)]
pub(super) struct Report {
    name: String,
    segments: usize,
    batches: u64,
    records: u64,
    bytes: u64,
    first_offset: Option<i64>,
    next_offset: i64,
    /// Each in a line.
    pub(super) problems: Vec<String>,
}

/// A batch's place.
#[derive(Clone, Copy, Debug)]
struct Place {
    base_offset: i64,
    last_offset: i64,
    max_timestamp: i64,
}

impl Report {
    fn problem(&mut self, place: impl std::fmt::Display, what: impl std::fmt::Display) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(format!("{place}: {what}"));
        }
    }

    /// For people.
    pub(super) fn headline(&self) -> String {
        let verdict = match self.problems.len() {
            0 => "whole".to_owned(),
            1 => "1 PROBLEM".to_owned(),
            count => format!("{count} PROBLEMS"),
        };
        format!(
            "{}  {verdict}  offsets {} to {} (exclusive)  {} records in {} batches, {} segments, {} bytes",
            self.name,
            self.first_offset.unwrap_or(self.next_offset),
            self.next_offset,
            grouped(self.records),
            grouped(self.batches),
            self.segments,
            grouped(self.bytes),
        )
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        json!({
            "folder": self.name,
            "first_offset": self.first_offset,
            "next_offset": self.next_offset,
            "records": self.records,
            "batches": self.batches,
            "segments": self.segments,
            "bytes": self.bytes,
            "problems": self.problems,
        })
    }
}

/// Checks one partition's folder.
pub(super) fn folder(folder: &Folder) -> Result<Report, CliError> {
    let name = folder.path.display().to_string();
    let mut report = Report { name, segments: folder.segments.len(), ..Report::default() };
    for path in &folder.segments {
        let places = segment(&mut report, path)?;
        offset_index(&mut report, path, &places);
        time_index(&mut report, path, &places);
    }
    small_files(&mut report, &folder.path);
    Ok(report)
}

fn base_of(path: &Path) -> i64 {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(parse_file_name);
    name.map_or(0, |(offset, _)| offset.0)
}

/// Checks a segment's batches and gives their places by position.
fn segment(report: &mut Report, path: &Path) -> Result<BTreeMap<u64, Place>, CliError> {
    let mut reader = SegmentReader::open(path)?;
    let mut places = BTreeMap::new();
    let base = base_of(path);
    if base < report.next_offset {
        let next = report.next_offset;
        report.problem(
            path.display(),
            format_args!("begins below {next}, where the one before ends"),
        );
    }
    report.next_offset = report.next_offset.max(base);
    report.bytes += reader.bytes;
    loop {
        match reader.next()? {
            Step::Batch { at, view } => {
                batch(report, &format!("{} at byte {at}", path.display()), &view);
                let header = &view.header;
                let place = Place {
                    base_offset: header.base_offset.0,
                    last_offset: header.last_offset().0,
                    max_timestamp: header.max_timestamp,
                };
                places.insert(at, place);
            }
            Step::End => return Ok(places),
            Step::Damage { at, what } => {
                report.problem(format_args!("{} at byte {at}", path.display()), what);
                return Ok(places);
            }
        }
    }
}

fn batch(report: &mut Report, place: &str, view: &BatchView<'_>) {
    let header = &view.header;
    report.batches += 1;
    report.records += u64::try_from(header.record_count).unwrap_or(0);
    report.first_offset = report.first_offset.or(Some(header.base_offset.0));
    if header.base_offset.0 < report.next_offset {
        let (base, next) = (header.base_offset, report.next_offset);
        report.problem(place, format_args!("base offset {base} is below {next}, which is due"));
    }
    if header.last_offset_delta < 0 {
        let delta = header.last_offset_delta;
        report.problem(place, format_args!("last offset delta {delta}"));
    }
    report.next_offset = report.next_offset.max(header.next_offset().0);
    if !view.is_crc_right() {
        let (stored, computed) = (header.crc, view.crc_computed());
        let what = format_args!("CRC {stored:#010x} is stored, {computed:#010x} is right");
        report.problem(place, what);
        return;
    }
    match OpenBatch::open(view, UNPACKED_BYTES_MAX) {
        Ok(open) => {
            if let Some(Err(error)) = open.records().find(Result::is_err) {
                report.problem(place, error);
            }
        }
        Err(error) => report.problem(place, error),
    }
}

/// A file beside a segment; nothing if it is not there, which is no damage: it is built anew.
fn beside(report: &mut Report, log: &Path, suffix: &str) -> Option<(String, Vec<u8>)> {
    let path = log.with_extension(suffix.trim_start_matches('.'));
    match std::fs::read(&path) {
        Ok(bytes) => Some((path.display().to_string(), bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            report.problem(path.display(), error);
            None
        }
    }
}

/// Cuts the zeros that reserve space behind an index's entries, and complains of half entries.
fn entries<'b>(report: &mut Report, name: &str, bytes: &'b [u8], size: usize) -> Vec<&'b [u8]> {
    if !bytes.len().is_multiple_of(size) {
        report.problem(name, format_args!("{} bytes are no whole entries of {size}", bytes.len()));
    }
    let mut entries: Vec<&[u8]> = bytes.chunks_exact(size).collect();
    while entries.len() > 1 && entries.last().is_some_and(|it| it.iter().all(|byte| *byte == 0)) {
        entries.pop();
    }
    entries
}

fn number(bytes: &[u8]) -> i64 {
    bytes.iter().fold(0, |number, byte| (number << 8) | i64::from(*byte))
}

fn offset_index(report: &mut Report, log: &Path, places: &BTreeMap<u64, Place>) {
    let Some((name, bytes)) = beside(report, log, OFFSET_INDEX_SUFFIX) else { return };
    let base = base_of(log);
    let mut before = (-1, -1);
    for (index, entry) in entries(report, &name, &bytes, OFFSET_ENTRY_BYTES).iter().enumerate() {
        let (relative, position) = (number(&entry[..4]), number(&entry[4..]));
        if index == 0 && relative == 0 && position == 0 {
            continue;
        }
        let place = format!("{name} entry {index}");
        if (relative, position) <= before || relative <= before.0 || position <= before.1 {
            report.problem(&place, "does not grow");
        }
        before = (relative, position);
        let offset = base + relative;
        match places.get(&u64::try_from(position).unwrap_or(u64::MAX)) {
            Some(batch) if batch.base_offset <= offset => {}
            Some(batch) => report.problem(
                &place,
                format_args!("offset {offset} leads to a batch at {}", batch.base_offset),
            ),
            None => report.problem(&place, format_args!("no batch starts at byte {position}")),
        }
    }
}

fn time_index(report: &mut Report, log: &Path, places: &BTreeMap<u64, Place>) {
    let Some((name, bytes)) = beside(report, log, TIME_INDEX_SUFFIX) else { return };
    let base = base_of(log);
    let mut batches = places.values().peekable();
    let mut latest = i64::MIN;
    let mut before = (i64::MIN, -1);
    for (index, entry) in entries(report, &name, &bytes, TIME_ENTRY_BYTES).iter().enumerate() {
        let (timestamp, relative) = (number(&entry[..8]), number(&entry[8..]));
        if index == 0 && timestamp == 0 && relative == 0 {
            continue;
        }
        let place = format!("{name} entry {index}");
        if timestamp < before.0 || relative < before.1 {
            report.problem(&place, "does not grow");
        }
        before = (timestamp, relative);
        let offset = base + relative;
        while let Some(batch) = batches.next_if(|batch| batch.last_offset <= offset) {
            latest = latest.max(batch.max_timestamp);
        }
        if latest > timestamp {
            let what = format!("says {timestamp} up to offset {offset}; {latest} is there");
            report.problem(&place, what);
        }
    }
}

fn small_files(report: &mut Report, folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_snapshot =
            parse_file_name(name).is_some_and(|(_, suffix)| suffix == SNAPSHOT_SUFFIX);
        let is_known = is_snapshot || [LEADER_EPOCH_FILE, PARTITION_METADATA_FILE].contains(&name);
        if !is_known {
            continue;
        }
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                report.problem(path.display(), error);
                continue;
            }
        };
        let found = if is_snapshot {
            producer_snapshot::decode(&bytes, PRODUCERS_MAX).map(drop).map_err(|it| it.to_string())
        } else if name == LEADER_EPOCH_FILE {
            read_epochs(&bytes).map(drop).map_err(|error| error.to_string())
        } else {
            read_partition_metadata(&bytes).map(drop).map_err(|error| error.to_string())
        };
        if let Err(error) = found {
            report.problem(path.display(), error);
        }
    }
}

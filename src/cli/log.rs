//! `millrace log`: what lies in a log's files, read without a broker.
//!
//! Reads only, and holds one batch in memory at a time. A running broker's files may be read; its
//! last batch may then be half written.

mod files;
mod segment;
mod verify;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use millrace_engine::{BatchView, OpenBatch};
use serde_json::{Value, json};

use super::consume::{UNPACKED_BYTES_MAX, record_json};
use super::error::CliError;
use super::output::{self, Output, grouped, table};
use files::{Folder, folders, segments};
use segment::{SegmentReader, Step};

/// What can be done with files.
#[derive(Debug, Subcommand)]
pub enum Log {
    /// Shows the batches of segments; --records shows what is in them.
    Dump(Dump),
    /// Checks batches, records, indexes, snapshots and checkpoints against each other.
    Verify(Verify),
}

/// See [`Log::Dump`].
#[derive(Debug, Args)]
pub struct Dump {
    /// A `.log` file, a partition's folder, or a data folder.
    path: PathBuf,
    /// The records, too.
    #[arg(short, long)]
    records: bool,
    /// Skip batches that end before this offset.
    #[arg(long, value_name = "OFFSET", default_value_t = 0)]
    from: i64,
    /// Stop after so many batches of a segment.
    #[arg(short = 'n', long, value_name = "N")]
    max: Option<u64>,
    /// Print JSON, one line per batch or record.
    #[arg(long)]
    json: bool,
}

/// See [`Log::Verify`].
#[derive(Debug, Args)]
pub struct Verify {
    /// A `.log` file, a partition's folder, or a data folder.
    path: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Log {
    /// Does it.
    pub(super) fn run(self) -> Result<(), CliError> {
        match self {
            Self::Dump(dump) => dump.run(),
            Self::Verify(verify) => verify.run(),
        }
    }
}

/// The columns of a batch.
const COLUMNS: [&str; 11] = [
    "position",
    "base_offset",
    "last_offset",
    "records",
    "bytes",
    "codec",
    "max_timestamp",
    "producer_id",
    "base_sequence",
    "kind",
    "crc",
];

/// Rows of a table that are held before they are printed.
const ROWS_MAX: usize = 1000;

impl Dump {
    fn run(self) -> Result<(), CliError> {
        for path in segments(&self.path)? {
            self.segment(&path)?;
        }
        Ok(())
    }

    fn segment(&self, path: &std::path::Path) -> Result<(), CliError> {
        let out = Output::new(self.json);
        let mut reader = SegmentReader::open(path)?;
        if !self.json {
            output::line(&format!("{}  {} bytes", path.display(), grouped(reader.bytes)))?;
        }
        let mut rows: Vec<Vec<Value>> = Vec::new();
        let mut left = self.max.unwrap_or(u64::MAX);
        while left > 0 {
            let (at, view) = match reader.next()? {
                Step::Batch { at, view } => (at, view),
                Step::End => break,
                Step::Damage { at, what } => {
                    print_rows(out, &mut rows)?;
                    let name = path.display();
                    return Err(CliError::damaged(format!("{name} at byte {at}: {what}")));
                }
            };
            if view.header.last_offset().0 < self.from {
                continue;
            }
            left -= 1;
            if self.records {
                print_rows(out, &mut rows)?;
                records(path, &view)?;
                continue;
            }
            rows.push(batch_row(at, &view));
            if self.json || rows.len() >= ROWS_MAX {
                print_rows(out, &mut rows)?;
            }
        }
        print_rows(out, &mut rows)
    }
}

fn print_rows(out: Output, rows: &mut Vec<Vec<Value>>) -> Result<(), CliError> {
    let taken = std::mem::take(rows);
    if !out.is_json() {
        return if taken.is_empty() { Ok(()) } else { output::line(&table(&COLUMNS, &taken)) };
    }
    for row in taken {
        let names = COLUMNS.iter().map(|name| (*name).to_owned());
        output::line(&Value::Object(names.zip(row).collect()).to_string())?;
    }
    Ok(())
}

fn batch_row(at: u64, view: &BatchView<'_>) -> Vec<Value> {
    let header = &view.header;
    let kind = match (header.is_control(), header.is_transactional()) {
        (true, _) => "control",
        (false, true) => "transactional",
        (false, false) => "data",
    };
    let codec = header.codec().map_or_else(|id| format!("codec {id}"), |it| it.name().to_owned());
    let is_stamped = header.producer_id.is_some();
    let stamp = |value: i64| if is_stamped { json!(value) } else { Value::Null };
    vec![
        json!(at),
        json!(header.base_offset.0),
        json!(header.last_offset().0),
        json!(header.record_count),
        json!(view.bytes.len()),
        json!(codec),
        json!(header.max_timestamp),
        stamp(header.producer_id.0),
        stamp(header.base_sequence.into()),
        json!(kind),
        json!(if view.is_crc_right() { "right" } else { "WRONG" }),
    ]
}

fn records(path: &std::path::Path, view: &BatchView<'_>) -> Result<(), CliError> {
    let folder = Folder::of(path);
    let base = view.header.base_offset;
    let damaged = |error: &dyn std::fmt::Display| {
        CliError::damaged(format!("{} batch at offset {base}: {error}", path.display()))
    };
    let open = OpenBatch::open(view, UNPACKED_BYTES_MAX).map_err(|error| damaged(&error))?;
    let mut text = String::new();
    for record in open.records() {
        let record = record.map_err(|error| damaged(&error))?;
        let value = record_json(&folder.topic, folder.partition, &record);
        text.push_str(&value.to_string());
        text.push('\n');
    }
    output::raw(text.as_bytes())
}

impl Verify {
    fn run(self) -> Result<(), CliError> {
        let mut values = Vec::new();
        let mut problem_count = 0;
        for folder in folders(&self.path)? {
            let report = verify::folder(&folder)?;
            problem_count += report.problems.len();
            if self.json {
                values.push(report.json());
                continue;
            }
            output::line(&report.headline())?;
            for problem in &report.problems {
                output::line(&format!("  {problem}"))?;
            }
        }
        if self.json {
            output::json(&Value::Array(values))?;
        }
        if problem_count == 0 {
            return Ok(());
        }
        Err(CliError::damaged(format!("{problem_count} problems in {}", self.path.display()))
            .hint("a broker that starts on this folder repairs indexes and cuts a torn tail"))
    }
}

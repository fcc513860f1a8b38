//! Tables for people, JSON for machines.

use std::path::Path;

use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::{Deserialize, Serialize};

use crate::canary::Canaries;
use crate::compare::ArmResult;
use crate::suites::{CompactionResult, LatencyResult};

/// Everything one invocation found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// The machine.
    pub machine: String,
    /// Seconds since 1970 when it started.
    pub started_s: u64,
    /// The command line.
    pub command: Vec<String>,
    /// Canaries before the first suite and after the last.
    pub canaries: Vec<Canaries>,
    /// Comparisons.
    pub suites: Vec<SuiteResult>,
    /// Latencies by schedule.
    #[serde(default)]
    pub latencies: Vec<LatencyResult>,
    /// Producers beside compactions.
    #[serde(default)]
    pub compactions: Vec<CompactionResult>,
    /// Further figures, one table each.
    pub tables: Vec<Figures>,
}

/// One suite's arms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SuiteResult {
    /// The suite.
    pub name: String,
    /// What was done, in a sentence.
    pub workload: String,
    /// What is aimed at, in a sentence.
    pub goal: String,
    /// The arms.
    pub arms: Vec<ArmResult>,
}

/// A plain table of figures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// What it shows.
    pub title: String,
    /// Column heads.
    pub columns: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The canaries as a table.
pub fn canary_table(canaries: &[Canaries]) -> String {
    let mut out = table(&[
        "canaries",
        "new memory s/GB",
        "again",
        "new file s/GB",
        "again",
        "memcpy s/GB",
        "echo p50 us",
    ]);
    for (index, one) in canaries.iter().enumerate() {
        out.add_row(vec![
            (if index == 0 { "before" } else { "after" }).to_owned(),
            format!("{:.3}", one.fresh_memory),
            format!("{:.3}", one.warm_memory),
            format!("{:.3}", one.fresh_file),
            format!("{:.3}", one.warm_file),
            format!("{:.3}", one.memcpy),
            format!("{:.1}", one.echo_us),
        ]);
    }
    out.to_string()
}

/// A suite as tables: the arms' figures, then their ratios to the baselines.
pub fn suite_table(suite: &SuiteResult) -> String {
    let mut out = table(&[
        "arm",
        "CPU-s/GB",
        "CPU-us/req",
        "user %",
        "req/s",
        "MB/s",
        "p50 us",
        "p99 us",
        "syscalls/req",
        "client/server CPU",
        "steal %",
        "RSS MB",
    ]);
    for arm in &suite.arms {
        out.add_row(vec![
            arm.name.clone(),
            format!("{:.3}", arm.median_of(|one| one.cpu_s_per_gb)),
            format!("{:.2}", arm.median_of(|one| one.cpu_us_per_request)),
            format!("{:.0}", arm.median_of(|one| one.user_percent)),
            format!("{:.0}", arm.median_of(|one| one.requests_per_s)),
            format!("{:.0}", arm.median_of(|one| one.mb_per_s)),
            format!("{:.0}", arm.median_of(|one| one.p50_us)),
            format!("{:.0}", arm.median_of(|one| one.p99_us)),
            arm.syscalls_per_request.map_or("-".to_owned(), |value| format!("{value:.3}")),
            format!("{:.2}", arm.median_of(|one| one.client_cpu_ratio)),
            format!("{:.1}", arm.median_of(|one| one.steal_percent)),
            format!("{:.0}", arm.memory.resident as f64 / 1e6),
        ]);
    }
    let mut ratios = table(&["baseline CPU / arm CPU", "median", "95 % interval"]);
    for arm in suite.arms.iter().filter(|arm| !arm.baseline) {
        for (baseline, ratio) in &arm.ratios {
            ratios.add_row(vec![
                format!("{baseline} / {}", arm.name),
                format!("{:.3}", ratio.median),
                format!("{:.3} - {:.3}", ratio.low, ratio.high),
            ]);
        }
    }
    format!("{}: {}\ngoal: {}\n{out}\n{ratios}", suite.name, suite.workload, suite.goal)
}

/// A plain table.
pub fn figures_table(figures: &Figures) -> String {
    let columns: Vec<&str> = figures.columns.iter().map(String::as_str).collect();
    let mut out = table(&columns);
    for row in &figures.rows {
        out.add_row(row.clone());
    }
    format!("{}\n{out}", figures.title)
}

/// Reads a report that [`write_json`] wrote.
pub fn read_json(path: &Path) -> Result<Report> {
    Ok(serde_json::from_str(&std::fs::read_to_string(path)?)?)
}

/// Writes the whole report as JSON.
pub fn write_json(report: &Report, path: &Path) -> Result<()> {
    let text = serde_json::to_string_pretty(report)?;
    std::fs::write(path, text)?;
    Ok(())
}

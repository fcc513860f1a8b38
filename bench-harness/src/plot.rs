//! Pictures of a report: what each arm costs, and latency by percentile. SVG, no fonts needed.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::report::{Report, SuiteResult};
use crate::suites::LatencyResult;

const SIZE: (u32, u32) = (960, 540);
const COLOURS: [RGBColor; 8] = [
    RGBColor(31, 119, 180),
    RGBColor(255, 127, 14),
    RGBColor(44, 160, 44),
    RGBColor(214, 39, 40),
    RGBColor(148, 103, 189),
    RGBColor(140, 86, 75),
    RGBColor(227, 119, 194),
    RGBColor(127, 127, 127),
];

/// Draws all that `report` holds into files below `dir`, and tells which.
pub fn draw(report: &Report, dir: &Path) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(dir)?;
    let mut files = Vec::new();
    for suite in &report.suites {
        let path = dir.join(format!("{}.svg", suite.name));
        bars(suite, &path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        files.push(path);
    }
    let mut rates: Vec<f64> = report.latencies.iter().map(|one| one.rate).collect();
    rates.dedup();
    for rate in rates {
        let path = dir.join(format!("latency-{rate:.0}.svg"));
        let curves: Vec<&LatencyResult> =
            report.latencies.iter().filter(|one| one.rate.to_bits() == rate.to_bits()).collect();
        percentiles(&curves, rate, &path)
            .map_err(|error| anyhow!("{}: {error}", path.display()))?;
        files.push(path);
    }
    Ok(files)
}

type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

/// CPU time per request of each arm, the median and the range of its samples.
fn bars(suite: &SuiteResult, path: &Path) -> Drawn {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let medians: Vec<f64> =
        suite.arms.iter().map(|arm| arm.median_of(|one| one.cpu_us_per_request)).collect();
    let top = medians.iter().copied().fold(0.0, f64::max) * 1.3;
    let right = suite.arms.len() as f64;
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("{}: CPU per request", suite.name), ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..right, 0.0..top.max(f64::MIN_POSITIVE))?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .x_desc(suite.workload.clone())
        .y_desc("server CPU, us a request")
        .draw()?;
    for (index, (arm, median)) in suite.arms.iter().zip(&medians).enumerate() {
        let left = index as f64;
        let colour = if arm.baseline { COLOURS[7] } else { COLOURS[index % 7] };
        let bar = Rectangle::new([(left + 0.15, 0.0), (left + 0.85, *median)], colour.filled());
        let label = format!("{} {median:.1}", arm.name);
        chart
            .draw_series(std::iter::once(bar))?
            .label(label)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 10, y + 5)], colour.filled()));
        let samples = arm.samples.iter().map(|one| one.cpu_us_per_request);
        let (low, high) =
            samples.fold((f64::MAX, 0.0_f64), |(low, high), it| (low.min(it), high.max(it)));
        let range = [(left + 0.5, low.min(high)), (left + 0.5, high.min(top))];
        chart.draw_series(std::iter::once(PathElement::new(range, BLACK)))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    Ok(root.present()?)
}

/// Where a percentile stands: each nine takes as much room as the one before it.
fn nines(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).log10()
}

fn percentiles(curves: &[&LatencyResult], rate: f64, path: &Path) -> Drawn {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let values = || curves.iter().flat_map(|one| one.curve.iter().map(|(_, us)| *us));
    let low = values().fold(f64::MAX, f64::min).max(1.0);
    let high = values().fold(low, f64::max) * 1.5;
    let last = curves.iter().filter_map(|one| one.curve.last()).map(|(at, _)| nines(*at));
    let right = last.fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("produce latency at {rate:.0} requests/s"), ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..right, (low * 0.8..high).log_scale())?;
    chart
        .configure_mesh()
        .x_labels(6)
        .x_label_formatter(&|at| format!("{:.2} %", 100.0 - 100.0 / 10.0_f64.powf(*at)))
        .x_desc("percentile")
        .y_desc("from when it was due to its answer, us")
        .draw()?;
    for (index, one) in curves.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let points = one.curve.iter().map(|(at, us)| (nines(*at), us.max(1.0)));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(one.server.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    Ok(root.present()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_plot_names_every_server() {
        let dir = tempfile::tempdir().unwrap();
        let one = |server: &str, us: f64| LatencyResult {
            server: server.to_owned(),
            rate: 1000.0,
            answered_per_s: 1000.0,
            p50_us: us,
            p99_us: us,
            p99_worst_us: us,
            p999_us: us,
            max_us: us,
            late_us: 0.0,
            curve: vec![(50.0, us), (99.0, 3.0 * us), (99.9, 9.0 * us)],
        };
        let latencies = vec![one("first", 100.0), one("second", 2000.0)];
        let report = Report { latencies, ..Report::default() };
        let files = draw(&report, dir.path()).unwrap();
        assert_eq!(files, [dir.path().join("latency-1000.svg")]);
        let picture = std::fs::read_to_string(&files[0]).unwrap();
        for text in ["first", "second", "percentile", "<polyline"] {
            assert!(picture.contains(text), "the plot has no {text}");
        }
    }

    #[test]
    fn every_nine_takes_the_same_room() {
        let step = nines(99.9) - nines(99.0);
        assert!((step - (nines(99.0) - nines(90.0))).abs() < 1e-9);
    }
}

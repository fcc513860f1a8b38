//! `/metrics`: the counters in Prometheus' text exposition format, and the list of their names.

use std::fmt::Write;

use crate::counters::{Counters, Kind, LATENCY_BUCKETS, Latency, STAGES};
use crate::shard::HANDLED;
use millrace_uring::CounterValues;

use super::Watched;
use super::process::ProcessFacts;

/// A metric's name, type and meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Family {
    /// As Prometheus knows it.
    pub(super) name: String,
    /// `counter`, `gauge` or `histogram`.
    pub(super) kind: &'static str,
    /// One line.
    pub(super) help: String,
}

impl Family {
    pub(super) fn new(name: &str, kind: &'static str, help: &str) -> Self {
        Self { name: name.to_owned(), kind, help: help.trim().replace('\n', " ") }
    }
}

pub(super) const COUNTER: &str = "counter";
pub(super) const GAUGE: &str = "gauge";

/// Counters of the shards, in the order of [`Counters::DESCRIBED`].
pub(super) fn broker_families() -> Vec<Family> {
    let family = |described: &crate::counters::Described| match described.kind {
        Kind::Counter => {
            Family::new(&format!("millrace_{}_total", described.name), COUNTER, described.help)
        }
        Kind::Gauge | Kind::Max => {
            Family::new(&format!("millrace_{}", described.name), GAUGE, described.help)
        }
    };
    Counters::DESCRIBED.iter().map(family).collect()
}

/// Counters of the drivers, in the order of [`CounterValues::DESCRIBED`], then all system calls.
pub(super) fn driver_families() -> Vec<Family> {
    let counters = CounterValues::DESCRIBED.iter();
    let sum = ("syscalls", " System calls the shards' own threads made, of all kinds.");
    counters
        .chain([&sum])
        .map(|(name, help)| Family::new(&format!("millrace_driver_{name}_total"), COUNTER, help))
        .collect()
}

/// Request latencies.
pub(super) fn latency_family() -> Family {
    Family::new(
        "millrace_request_seconds",
        "histogram",
        "Time from a request being taken up to its reply being ready, by API; a Fetch includes its \
         wait for records.",
    )
}

/// Latencies of stages.
pub(super) fn stage_family() -> Family {
    Family::new(
        "millrace_stage_seconds",
        "histogram",
        "Time that a stage of requests took: queue (received, and earlier requests of the \
         connection run), append (a Produce until its last partition has answered), sync (one round \
         of one log's syncs), park (a Fetch waits for records), send (until the kernel has taken \
         the replies).",
    )
}

/// What describes the process, in the order of [`process_values`].
pub(super) fn process_families() -> Vec<Family> {
    vec![
        Family::new("millrace_shards", GAUGE, "Threads that serve."),
        Family::new("millrace_build_info", GAUGE, "1; the version and the driver are labels."),
        Family::new("process_cpu_seconds_total", COUNTER, "CPU time, user and system."),
        Family::new("process_resident_memory_bytes", GAUGE, "Resident memory."),
        Family::new("process_virtual_memory_bytes", GAUGE, "Address space in use."),
        Family::new("process_open_fds", GAUGE, "Open file descriptors."),
        Family::new("process_threads", GAUGE, "Threads."),
        Family::new("process_start_time_seconds", GAUGE, "Start, seconds since 1970."),
    ]
}

/// The whole text.
pub(super) fn text(watched: &Watched) -> String {
    let shards: Vec<&Counters> =
        watched.shards.iter().filter_map(|shard| shard.get().map(AsRef::as_ref)).collect();
    let mut out = String::with_capacity(64 << 10);
    let mut sums = [0_u64; Counters::DESCRIBED.len()];
    for shard in &shards {
        let described = Counters::DESCRIBED.iter().map(|described| described.kind);
        for ((sum, value), kind) in sums.iter_mut().zip(shard.values()).zip(described) {
            *sum = match kind {
                Kind::Counter | Kind::Gauge => sum.wrapping_add(value),
                Kind::Max => (*sum).max(value),
            };
        }
    }
    for (family, sum) in broker_families().iter().zip(sums) {
        sample(&mut out, family, "", &sum.to_string());
    }
    latencies(&mut out, &shards);
    stages(&mut out, &shards);
    super::groups::text(&mut out, &shards);
    super::quotas::text(&mut out, &shards);
    let values = watched.drivers.iter().map(|counters| counters.values());
    let driver = values.fold(CounterValues::default(), |sum, one| sum.plus(&one));
    let numbers = driver.iter().map(|(_, value)| value).chain([driver.syscalls()]);
    for (family, value) in driver_families().iter().zip(numbers) {
        sample(&mut out, family, "", &value.to_string());
    }
    for (family, (labels, value)) in process_families().iter().zip(process_values(watched)) {
        sample(&mut out, family, &labels, &value);
    }
    out
}

fn process_values(watched: &Watched) -> Vec<(String, String)> {
    let facts = ProcessFacts::read();
    let build =
        format!("{{version=\"{}\",io_backend=\"{}\"}}", env!("CARGO_PKG_VERSION"), watched.backend);
    let plain = |value: String| (String::new(), value);
    vec![
        plain(watched.shards.len().to_string()),
        (build, "1".to_owned()),
        plain(seconds(facts.cpu_us)),
        plain(facts.resident_bytes.to_string()),
        plain(facts.virtual_bytes.to_string()),
        plain(facts.open_fds.to_string()),
        plain(facts.threads.to_string()),
        plain(seconds(facts.start_us)),
    ]
}

// Writing to a String cannot fail, so its results are dropped here and below.
pub(super) fn head(out: &mut String, family: &Family) {
    let Family { name, kind, help } = family;
    let _ = writeln!(out, "# HELP {name} {}", help.replace('\\', "\\\\"));
    let _ = writeln!(out, "# TYPE {name} {kind}");
}

fn sample(out: &mut String, family: &Family, labels: &str, value: &str) {
    head(out, family);
    let _ = writeln!(out, "{}{labels} {value}", family.name);
}

fn latencies(out: &mut String, shards: &[&Counters]) {
    let family = latency_family();
    head(out, &family);
    for key in HANDLED {
        let all = shards.iter().map(|shard| shard.api(*key));
        histogram(out, &family.name, &format!("api=\"{}\"", key.name()), all);
    }
}

fn stages(out: &mut String, shards: &[&Counters]) {
    let family = stage_family();
    head(out, &family);
    for stage in STAGES {
        let all = shards.iter().map(|shard| shard.stage(stage));
        histogram(out, &family.name, &format!("stage=\"{}\"", stage.name()), all);
    }
}

/// One histogram, summed over the shards.
fn histogram<'a>(
    out: &mut String,
    name: &str,
    label: &str,
    latencies: impl Iterator<Item = &'a Latency>,
) {
    let mut counts = [0_u64; LATENCY_BUCKETS];
    let mut sum_ns = 0_u64;
    for latency in latencies {
        for (count, more) in counts.iter_mut().zip(latency.counts()) {
            *count += more;
        }
        sum_ns = sum_ns.wrapping_add(latency.sum_ns());
    }
    let mut below = 0;
    for (power, count) in counts.iter().enumerate() {
        below += count;
        let le = if power + 1 < counts.len() { seconds(1 << power) } else { "+Inf".to_owned() };
        let _ = writeln!(out, "{name}_bucket{{{label},le=\"{le}\"}} {below}");
    }
    let _ = writeln!(out, "{name}_sum{{{label}}} {}", seconds(sum_ns / 1000));
    let _ = writeln!(out, "{name}_count{{{label}}} {below}");
}

/// A label's value: what would end it or its line is escaped.
pub(super) struct Label<'a>(pub(super) &'a str);

impl std::fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// Microseconds as a decimal number of seconds.
pub(super) fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Stage;
    use millrace_net::ApiKey;
    use std::sync::{Arc, OnceLock};

    fn watched() -> Watched {
        let shard = |requests| {
            let counters = Counters::default();
            counters.requests.add(requests);
            counters.api(ApiKey::Produce).observe(3_000);
            Arc::new(OnceLock::from(Arc::new(counters)))
        };
        Watched {
            shards: vec![shard(2), shard(40), Arc::default()],
            drivers: vec![Arc::default()],
            backend: "epoll",
        }
    }

    #[test]
    fn shards_are_summed() {
        let text = text(&watched());
        assert!(text.contains("\nmillrace_requests_total 42\n"), "{text}");
        assert!(text.contains("\nmillrace_shards 3\n"));
    }

    #[test]
    fn a_histogram_is_cumulative_and_ends_at_infinity() {
        let text = text(&watched());
        let bucket = |le: &str| {
            let start = format!("millrace_request_seconds_bucket{{api=\"Produce\",le=\"{le}\"}} ");
            let line = text.lines().find_map(|line| line.strip_prefix(start.as_str()));
            line.map(str::to_owned)
        };
        assert_eq!(bucket("0.000002").as_deref(), Some("0"));
        assert_eq!(bucket("0.000004").as_deref(), Some("2"));
        assert_eq!(bucket("+Inf").as_deref(), Some("2"));
        assert!(text.contains("millrace_request_seconds_sum{api=\"Produce\"} 0.000006\n"));
    }

    #[test]
    fn stages_are_histograms_of_their_own() {
        let watched = watched();
        let counters = watched.shards[0].get().expect("begun");
        counters.stage(Stage::Sync).observe(5_000_000);
        let text = text(&watched);
        assert!(text.contains("millrace_stage_seconds_count{stage=\"sync\"} 1\n"), "{text}");
        assert!(text.contains("millrace_stage_seconds_sum{stage=\"sync\"} 0.005\n"));
        assert!(text.contains("millrace_stage_seconds_count{stage=\"park\"} 0\n"));
    }

    #[test]
    fn a_decimal_has_no_needless_digits() {
        assert_eq!(seconds(1), "0.000001");
        assert_eq!(seconds(1_048_576), "1.048576");
        assert_eq!(seconds(67_000_000), "67");
        assert_eq!(seconds(0), "0");
    }
}

//! `docs/METRICS.md`: the metrics for people. A test keeps the file equal to this text.

#![cfg(test)]

use std::fmt::Write;

use super::groups::group_families;
use super::metrics::{
    Family, broker_families, driver_families, latency_family, process_families, stage_family,
};
use super::quotas::quota_families;

const HEAD: &str = "# Metrics and health

This file is made from the code; a test fails when it differs from it
(`BLESS=1 cargo test -p millrace metrics_md` writes it anew).

The admin port is `--admin HOST:PORT` or `millrace.admin.listener`, 127.0.0.1:9095 unless
configured. When that default is taken by another process the broker says so in a log line and goes
on without; an address that was asked for must be had. An empty value switches the port off. It
speaks HTTP/1.1, GET and HEAD, one request per connection, at most 16 connections at once and 5 seconds
for each. It has no authentication: bind it where only those who may see it can reach it.

| path | answer |
|---|---|
| `/metrics` | Prometheus text format 0.0.4 |
| `/slowest` | JSON: the slowest requests of this minute and the last, at most 16 of each shard and minute, with their stages |
| `/healthz` | 200 while the process lives |
| `/readyz` | 200 once all shards serve clients; 503 before, and from the moment a stop begins |

Counters start at 0 with the process. All are sums over the shards.
";

const QUOTAS: &str = "
## Client quotas

Who is held to a quota, what it used of it and how long it was told to wait, a second behind. `type` is
Kafka's: Produce, Fetch, Request or ControllerMutation. As with Kafka's metrics, `user` and `client_id`
are those of whoever the quota counts together: the half that it does not look at is empty. Clients
without a quota have no series. A shard keeps at most 1,000 of them; one that uses nothing for an
hour is forgotten and begins at 0 when it comes again.

Who is throttled: `rate(millrace_quota_throttle_seconds_total[5m]) > 0`. How long one answer made it
wait, Kafka's `throttle-time`: that, divided by the rate of `millrace_quota_throttled_total`. Kafka's
`byte-rate` is the rate of `millrace_quota_bytes_total`.

";

/// The whole text of the file.
fn metrics_md() -> String {
    let mut out = HEAD.to_owned();
    table(&mut out, "Broker", &broker_families());
    out.push_str("\n## Latency\n\n");
    let Family { name, kind, help } = latency_family();
    let _ = writeln!(out, "`{name}` ({kind}, label `api`): {help}");
    out.push_str(
        "Its buckets are powers of two from 1 µs (`le=\"0.000001\"`) to about 67 s. The APIs are \
         those that this\nbroker handles, by Kafka's names.\n",
    );
    let Family { name, kind, help } = stage_family();
    let _ = writeln!(out, "\n`{name}` ({kind}, label `stage`): {help}");
    out.push_str(
        "The clock is read once a turn of a shard, so what begins and ends in one turn takes no \
         time.\nWhere a request is slow: `queue` says that its connection was busy, `append` \
         without `sync`\nthat the disk or the CPU was, `send` that the client does not read.\n",
    );
    out.push_str(
        "\n## Consumer groups\n\nWorked out every `millrace.group.metrics.interval.ms` by the shards \
         that coordinate the groups, for the\nfirst `millrace.group.metrics.max` groups and \
         partitions by name.\n\n",
    );
    with_labels(&mut out, &group_families());
    out.push_str(QUOTAS);
    with_labels(&mut out, &quota_families());
    table(&mut out, "Driver", &driver_families());
    table(&mut out, "Process", &process_families());
    out
}

fn with_labels(out: &mut String, families: &[(Family, &str)]) {
    out.push_str("| name | type | labels | meaning |\n|---|---|---|---|\n");
    for (Family { name, kind, help }, labels) in families {
        let _ = writeln!(out, "| `{name}` | {kind} | {labels} | {help} |");
    }
}

fn table(out: &mut String, title: &str, families: &[Family]) {
    let _ = write!(out, "\n## {title}\n\n| name | type | meaning |\n|---|---|---|\n");
    for Family { name, kind, help } in families {
        let _ = writeln!(out, "| `{name}` | {kind} | {help} |");
    }
}

#[test]
fn metrics_md_is_what_the_code_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/METRICS.md");
    let wanted = metrics_md();
    #[expect(clippy::disallowed_methods, reason = "a test that can mend its file")]
    if std::env::var("BLESS").is_ok() {
        std::fs::write(path, &wanted).expect("docs/METRICS.md can be written");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "docs/METRICS.md differs; BLESS=1 writes it anew");
}

//! Clients that are held to quotas in `/metrics`: what they used, and how long they were told to wait.
//!
//! Told from what shards published last, summed over them; bounded there (`quota_use.rs`).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use millrace_net::quota::{Holder, QuotaKind};

use crate::counters::Counters;
use crate::quota_use::{QuotaUse, Totals};

use super::metrics::{COUNTER, Family, GAUGE, Label, head, seconds};

const WITH_TYPE: &str = "type, user, client_id";
const WITHOUT: &str = "user, client_id";

/// What is told of quotas, and the labels.
pub(super) fn quota_families() -> Vec<(Family, &'static str)> {
    let family = |name: &str, kind, labels, help| {
        (Family::new(&format!("millrace_quota_{name}"), kind, help), labels)
    };
    vec![
        family(
            "throttled_total",
            COUNTER,
            WITH_TYPE,
            "Answers that told a client to wait, because it was over its quota.",
        ),
        family("throttle_seconds_total", COUNTER, WITH_TYPE, "The times that they told, together."),
        family(
            "bytes_total",
            COUNTER,
            WITH_TYPE,
            "Bytes that count against `producer_byte_rate` and `consumer_byte_rate`.",
        ),
        family(
            "request_seconds_total",
            COUNTER,
            WITHOUT,
            "Time of a shard's thread that counts against `request_percentage`.",
        ),
        family(
            "mutations_total",
            COUNTER,
            WITHOUT,
            "Partitions created and deleted that count against `controller_mutation_rate`.",
        ),
        family(
            "holders_left_out",
            GAUGE,
            "",
            "Whoever used something within a second and is not told of for want of room.",
        ),
    ]
}

/// Adds everything about quotas.
pub(super) fn text(out: &mut String, shards: &[&Counters]) {
    let published: Vec<Arc<QuotaUse>> = shards.iter().map(|shard| shard.quota_use.read()).collect();
    let mut sums: BTreeMap<&Holder, Totals> = BTreeMap::new();
    for (holder, totals) in published.iter().flat_map(|shard| &shard.holders) {
        let sum = sums.entry(holder).or_default();
        *sum = sum.plus(*totals);
    }
    for (index, (family, labels)) in quota_families().iter().enumerate() {
        head(out, family);
        let name = family.name.as_str();
        if labels.is_empty() {
            let left_out: usize = published.iter().map(|shard| shard.left_out).sum();
            let _ = writeln!(out, "{name} {left_out}");
            continue;
        }
        for (holder, totals) in &sums {
            let Some(value) = value(index, holder.kind, *totals) else { continue };
            let (user, client) = (Label(&holder.user), Label(&holder.client));
            out.push_str(name);
            out.push('{');
            if *labels == WITH_TYPE {
                let _ = write!(out, "type=\"{}\",", type_of(holder.kind));
            }
            let _ = writeln!(out, "user=\"{user}\",client_id=\"{client}\"}} {value}");
        }
    }
}

/// What the family at `index` says of somebody; none if it is about another kind.
fn value(index: usize, kind: QuotaKind, totals: Totals) -> Option<String> {
    match (index, kind) {
        (0, _) => Some(totals.waits.to_string()),
        (1, _) => Some(seconds(totals.wait_ms.saturating_mul(1000))),
        (2, QuotaKind::Produce | QuotaKind::Fetch) | (4, QuotaKind::Mutation) => {
            Some(totals.used.to_string())
        }
        (3, QuotaKind::Request) => Some(seconds(totals.used / 1000)),
        (_, QuotaKind::Produce | QuotaKind::Fetch | QuotaKind::Request | QuotaKind::Mutation) => {
            None
        }
    }
}

/// Kafka's names of its metrics' types.
const fn type_of(kind: QuotaKind) -> &'static str {
    match kind {
        QuotaKind::Produce => "Produce",
        QuotaKind::Fetch => "Fetch",
        QuotaKind::Request => "Request",
        QuotaKind::Mutation => "ControllerMutation",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_on_two_shards_is_told_of_once_each_kind_in_its_own_unit() {
        let holder = |kind, user: &str, client: &str| {
            Arc::new(Holder { kind, user: user.into(), client: client.into() })
        };
        let one = holder(QuotaKind::Produce, "", "a\"b");
        let busy = holder(QuotaKind::Request, "ANONYMOUS", "");
        let maker = holder(QuotaKind::Mutation, "ANONYMOUS", "c");
        let totals = |used| Totals { used, waits: 1, wait_ms: 1_500 };
        let shard = |holders: Vec<(&Arc<Holder>, Totals)>, left_out| {
            let counters = Counters::default();
            let holders = holders.into_iter().map(|(it, totals)| (Arc::clone(it), totals));
            let told = QuotaUse { holders: holders.collect(), left_out };
            assert!(counters.quota_use.publish(Arc::new(told)));
            Box::new(counters)
        };
        let shards = [
            shard(vec![(&one, totals(10)), (&busy, totals(2_000_000))], 4),
            shard(vec![(&one, totals(5)), (&maker, totals(7))], 0),
        ];
        let mut out = String::new();
        text(&mut out, &shards.each_ref().map(AsRef::as_ref));
        let samples: Vec<&str> = out.lines().filter(|line| !line.starts_with('#')).collect();
        let produce = r#"{type="Produce",user="",client_id="a\"b"}"#;
        let request = r#"{type="Request",user="ANONYMOUS",client_id=""}"#;
        let mutation = r#"{type="ControllerMutation",user="ANONYMOUS",client_id="c"}"#;
        assert_eq!(
            samples,
            [
                format!("millrace_quota_throttled_total{produce} 2"),
                format!("millrace_quota_throttled_total{request} 1"),
                format!("millrace_quota_throttled_total{mutation} 1"),
                format!("millrace_quota_throttle_seconds_total{produce} 3"),
                format!("millrace_quota_throttle_seconds_total{request} 1.5"),
                format!("millrace_quota_throttle_seconds_total{mutation} 1.5"),
                format!("millrace_quota_bytes_total{produce} 15"),
                r#"millrace_quota_request_seconds_total{user="ANONYMOUS",client_id=""} 0.002"#
                    .to_owned(),
                r#"millrace_quota_mutations_total{user="ANONYMOUS",client_id="c"} 7"#.to_owned(),
                "millrace_quota_holders_left_out 4".to_owned(),
            ]
        );
    }
}

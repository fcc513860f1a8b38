//! Consumer groups in `/metrics`: lag, committed offsets, members, state.
//!
//! Told from what shards published last, never by asking anybody; bounded there
//! (`millrace.group.metrics.max`).

use std::fmt::Write;
use std::sync::Arc;

use crate::counters::Counters;
use crate::group_lag::{GroupLag, GroupLags};

use super::metrics::{Family, GAUGE, Label, head};

/// What is told of groups, and the labels.
pub(super) fn group_families() -> Vec<(Family, &'static str)> {
    let family = |name: &str, labels, help| {
        (Family::new(&format!("millrace_consumer_group_{name}"), GAUGE, help), labels)
    };
    vec![
        family(
            "lag",
            "group, topic, partition",
            "Records between the committed offset and the high watermark.",
        ),
        family("committed_offset", "group, topic, partition", "The committed offset."),
        family("members", "group", "Members."),
        family("state", "group, state", "1 for the group's state, by Kafka's name."),
        family(
            "series_left_out",
            "",
            "Groups and partitions beyond `millrace.group.metrics.max`, of which nothing is told.",
        ),
    ]
}

/// Adds everything about groups.
pub(super) fn text(out: &mut String, shards: &[&Counters]) {
    let published: Vec<Arc<GroupLags>> =
        shards.iter().map(|shard| shard.group_lags.read()).collect();
    let groups = || published.iter().flat_map(|lags| &lags.groups);
    for (index, (family, _)) in group_families().iter().enumerate() {
        head(out, family);
        let name = family.name.as_str();
        match index {
            0 => groups().for_each(|group| lags(out, name, group)),
            1 => groups().for_each(|group| committed(out, name, group)),
            2 => groups().for_each(|group| {
                let group = &group.report;
                let (label, members) = (Label(&group.name), group.members);
                let _ = writeln!(out, "{name}{{group=\"{label}\"}} {members}");
            }),
            3 => groups().for_each(|group| {
                let group = &group.report;
                let (label, state) = (Label(&group.name), group.state);
                let _ = writeln!(out, "{name}{{group=\"{label}\",state=\"{state}\"}} 1");
            }),
            _ => {
                let left_out: usize = published.iter().map(|lags| lags.left_out).sum();
                let _ = writeln!(out, "{name} {left_out}");
            }
        }
    }
}

fn lags(out: &mut String, name: &str, group: &GroupLag) {
    let label = Label(&group.report.name);
    for ((topic, index, _), lag) in group.report.offsets.iter().zip(&group.lags) {
        let Some(lag) = lag else { continue };
        let topic = Label(topic);
        let _ = writeln!(
            out,
            "{name}{{group=\"{label}\",topic=\"{topic}\",partition=\"{index}\"}} {lag}"
        );
    }
}

fn committed(out: &mut String, name: &str, group: &GroupLag) {
    let label = Label(&group.report.name);
    for (topic, index, offset) in &group.report.offsets {
        let topic = Label(topic);
        let _ = writeln!(
            out,
            "{name}{{group=\"{label}\",topic=\"{topic}\",partition=\"{index}\"}} {offset}"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coordinator::GroupReport;

    #[test]
    fn a_partition_that_is_gone_has_an_offset_and_no_lag() {
        let counters = Counters::default();
        let report = GroupReport {
            name: Arc::from("a\"b\\c\n"),
            state: "Stable",
            members: 2,
            offsets: vec![(Arc::from("t"), 0, 5), (Arc::from("gone"), 3, 7)],
        };
        let group = GroupLag { report, lags: vec![Some(4), None] };
        let lags = GroupLags { groups: vec![group], left_out: 9 };
        assert!(counters.group_lags.publish(Arc::new(lags)));
        let mut out = String::new();
        text(&mut out, &[&counters]);
        let samples: Vec<&str> = out.lines().filter(|line| !line.starts_with('#')).collect();
        let group = r#"group="a\"b\\c\n""#;
        assert_eq!(
            samples,
            [
                format!("millrace_consumer_group_lag{{{group},topic=\"t\",partition=\"0\"}} 4"),
                format!(
                    "millrace_consumer_group_committed_offset{{{group},topic=\"t\",\
                     partition=\"0\"}} 5"
                ),
                format!(
                    "millrace_consumer_group_committed_offset{{{group},topic=\"gone\",\
                     partition=\"3\"}} 7"
                ),
                format!("millrace_consumer_group_members{{{group}}} 2"),
                format!("millrace_consumer_group_state{{{group},state=\"Stable\"}} 1"),
                "millrace_consumer_group_series_left_out 9".to_owned(),
            ]
        );
    }
}

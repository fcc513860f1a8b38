//! What values of group and client metrics configurations have to fit besides their own type: the
//! broker's bounds, and the notation of client filters. Source: KIP-848, KIP-932, KIP-1071, KIP-714.

use super::view::View;

/// Group configurations of times and counts, and the broker configurations that bound them.
const GROUP_BOUNDS: &[(&str, Option<&str>, Option<&str>)] = &[
    (
        "consumer.assignment.interval.ms",
        Some("group.consumer.min.assignment.interval.ms"),
        Some("group.consumer.max.assignment.interval.ms"),
    ),
    (
        "consumer.heartbeat.interval.ms",
        Some("group.consumer.min.heartbeat.interval.ms"),
        Some("group.consumer.max.heartbeat.interval.ms"),
    ),
    (
        "consumer.session.timeout.ms",
        Some("group.consumer.min.session.timeout.ms"),
        Some("group.consumer.max.session.timeout.ms"),
    ),
    (
        "share.assignment.interval.ms",
        Some("group.share.min.assignment.interval.ms"),
        Some("group.share.max.assignment.interval.ms"),
    ),
    ("share.delivery.count.limit", None, Some("group.share.max.delivery.count.limit")),
    (
        "share.heartbeat.interval.ms",
        Some("group.share.min.heartbeat.interval.ms"),
        Some("group.share.max.heartbeat.interval.ms"),
    ),
    (
        "share.partition.max.record.locks",
        Some("group.share.min.partition.max.record.locks"),
        Some("group.share.max.partition.max.record.locks"),
    ),
    (
        "share.record.lock.duration.ms",
        Some("group.share.min.record.lock.duration.ms"),
        Some("group.share.max.record.lock.duration.ms"),
    ),
    (
        "share.session.timeout.ms",
        Some("group.share.min.session.timeout.ms"),
        Some("group.share.max.session.timeout.ms"),
    ),
    (
        "streams.assignment.interval.ms",
        Some("group.streams.min.assignment.interval.ms"),
        Some("group.streams.max.assignment.interval.ms"),
    ),
    (
        "streams.heartbeat.interval.ms",
        Some("group.streams.min.heartbeat.interval.ms"),
        Some("group.streams.max.heartbeat.interval.ms"),
    ),
    ("streams.num.standby.replicas", None, Some("group.streams.max.standby.replicas")),
    (
        "streams.session.timeout.ms",
        Some("group.streams.min.session.timeout.ms"),
        Some("group.streams.max.session.timeout.ms"),
    ),
];

/// Checks a group configuration against the broker's bounds. The error says what would be right.
/// A value that is no number, and a name that is not bounded, pass: others check those.
pub fn check_group_value(view: &View<'_>, name: &str, value: &str) -> Result<(), String> {
    if name == "share.auto.offset.reset" {
        return check_offset_reset(value.trim());
    }
    let bounds = GROUP_BOUNDS.iter().find(|(bounded, ..)| *bounded == name);
    let (Some((_, min, max)), Ok(number)) = (bounds, value.trim().parse::<i64>()) else {
        return Ok(());
    };
    if let Some(min) = min
        && number < view.number(min)
    {
        return Err(format!("{name} is {number}, must be at least {min}, {}", view.number(min)));
    }
    if let Some(max) = max
        && number > view.number(max)
    {
        return Err(format!("{name} is {number}, must be at most {max}, {}", view.number(max)));
    }
    Ok(())
}

/// Numbers of threads, which may at most double and at most halve at a time while the broker runs.
const THREADS: [&str; 6] = [
    "background.threads",
    "log.cleaner.threads",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
];
/// The least memory for each cleaner thread's map of keys, bytes.
const DEDUPE_BYTES_MIN: i64 = 1 << 20;

/// Checks a broker configuration that is set while the broker runs, as Kafka does beyond its own type.
/// The error says what would be right. A value that is no number passes: others check that.
pub fn check_broker_value(view: &View<'_>, name: &str, value: &str) -> Result<(), String> {
    let Ok(number) = value.trim().parse::<i64>() else { return Ok(()) };
    if let Some(name) = THREADS.iter().copied().find(|threads| *threads == name) {
        let now = view.number(name);
        let (least, most) = ((now / 2).max(1), now.saturating_mul(2));
        if !(least..=most).contains(&number) {
            return Err(format!("{name} is {now}: {number} must be from {least} to {most}"));
        }
    }
    let least = match name {
        "log.cleaner.dedupe.buffer.size" => {
            DEDUPE_BYTES_MIN.saturating_mul(view.number("log.cleaner.threads"))
        }
        // What is below is unlimited.
        "log.retention.ms" if number == 0 => 1,
        "log.roll.ms" => 1,
        "log.roll.jitter.ms" => 0,
        _ => return Ok(()),
    };
    if number < least {
        return Err(format!("{name} is {number}, must be at least {least}"));
    }
    Ok(())
}

fn check_offset_reset(value: &str) -> Result<(), String> {
    let is_duration = value.strip_prefix("by_duration:").is_some_and(|it| it.starts_with('P'));
    if matches!(value, "latest" | "earliest") || is_duration {
        return Ok(());
    }
    let right = "latest, earliest or by_duration:PERIOD";
    Err(format!("share.auto.offset.reset is '{value}', must be {right}"))
}

/// What a client metrics subscription can look at.
const CLIENT_FIELDS: [&str; 6] = [
    "client_id",
    "client_instance_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Checks a client metrics subscription's `match`: FIELD=PATTERN between commas.
pub fn check_client_match(value: &str) -> Result<(), String> {
    for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let pair = part.split_once('=').map(|(field, pattern)| (field.trim(), pattern.trim()));
        let Some((field, pattern)) = pair.filter(|(_, pattern)| !pattern.is_empty()) else {
            return Err(format!("'{part}' is not FIELD=PATTERN"));
        };
        if !CLIENT_FIELDS.contains(&field) {
            return Err(format!("'{field}' is none of {}", CLIENT_FIELDS.join(", ")));
        }
        if !is_pattern(pattern) {
            return Err(format!("'{pattern}' is not a regular expression"));
        }
    }
    Ok(())
}

/// Finds the mistakes that people make in regular expressions: brackets without their other half,
/// a repetition of nothing, a backslash at the end. Nothing is matched here, so it is not compiled.
fn is_pattern(pattern: &str) -> bool {
    let mut groups = 0_u32;
    let mut in_class = false;
    let mut can_repeat = false;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.next().is_none() => return false,
            '\\' => can_repeat = true,
            ']' if in_class => (in_class, can_repeat) = (false, true),
            _ if in_class => {}
            '[' => in_class = true,
            '(' => (groups, can_repeat) = (groups + 1, false),
            ')' if groups == 0 => return false,
            ')' => (groups, can_repeat) = (groups - 1, true),
            '*' | '+' | '?' if !can_repeat && letter != '?' => return false,
            '|' => can_repeat = false,
            _ => can_repeat = true,
        }
    }
    groups == 0 && !in_class
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Statics;
    use crate::config::tables::{GROUP, broker_key};

    #[test]
    fn every_bound_is_a_configuration_that_exists() {
        for (name, min, max) in GROUP_BOUNDS {
            assert!(GROUP.iter().any(|key| key.name == *name), "{name}");
            for bound in [min, max].into_iter().flatten() {
                assert!(broker_key(bound).is_some(), "{bound}");
            }
        }
    }

    #[test]
    fn a_groups_times_stay_within_the_brokers_bounds() {
        let statics = Statics::default();
        let view = View::of(&statics);
        let check = |value| check_group_value(&view, "consumer.session.timeout.ms", value);
        assert!(check("45000").is_ok() && check("60000").is_ok());
        assert!(check("44999").is_err() && check("60001").is_err());
        assert!(check("x").is_ok(), "another's business");
    }

    #[test]
    fn what_is_set_while_the_broker_runs_is_checked_as_kafka_does() {
        let statics = Statics::default();
        let view = View::of(&statics);
        let is_right = |name: &str, value: &str| check_broker_value(&view, name, value).is_ok();
        for (name, right, wrong) in [
            ("num.io.threads", ["4", "16"], ["3", "17"]),
            ("num.network.threads", ["1", "6"], ["0", "7"]),
            ("log.cleaner.threads", ["1", "2"], ["0", "3"]),
            ("log.cleaner.dedupe.buffer.size", ["1048576", "9999999"], ["1048575", "-1"]),
            ("log.retention.ms", ["1", "-1"], ["0", " 0"]),
            ("log.roll.ms", ["1", "2"], ["0", "-1"]),
            ("log.roll.jitter.ms", ["0", "1"], ["-1", "-2"]),
            ("log.cleaner.io.buffer.size", ["1", "0"], ["", ""]),
        ] {
            assert!(right.iter().all(|value| is_right(name, value)), "{name}");
            let is_wrong = |value: &&str| value.is_empty() || !is_right(name, value);
            assert!(wrong.iter().all(is_wrong), "{name}");
        }
    }

    #[test]
    fn a_filter_names_a_field_and_a_pattern() {
        for right in ["", "client_id=a.*", "client_id=a, client_source_port=(80|81)[0-9]{2}"] {
            assert_eq!(check_client_match(right), Ok(()), "{right}");
        }
        for wrong in
            ["client_id", "client_id=", "nobody=x", "client_id=[", "client_id=*a", "client_id=a)"]
        {
            assert!(check_client_match(wrong).is_err(), "{wrong}");
        }
    }
}

//! What may differ between two right answers, as explicit rules on field names.

use serde_json::{Value, json};

enum Rule {
    /// Any value.
    Hide,
    /// Null or not null.
    Presence,
    /// Zero and negative values as they are, any positive one alike.
    Sign,
    /// Negative values as they are, any other alike.
    NotNegative,
    /// Times after the ones that the cases write, in ms: the broker's clock.
    Clock,
    /// Empty or not.
    Text,
    /// The zero uuid or any other.
    Uuid,
}

/// The time that a client has to wait.
const WAIT: &str = "ThrottleTimeMs";

/// Field name, API (`*`: any) and rule. Every other field is compared exactly.
const RULES: &[(&str, &str, Rule)] = &[
    (WAIT, "*", Rule::Hide),
    // Where the broker listens is a matter of the run.
    ("Host", "*", Rule::Hide),
    ("Port", "*", Rule::Hide),
    ("ClusterId", "*", Rule::Text),
    // Texts for people are not protocol; whether there is one is.
    ("ErrorMessage", "*", Rule::Presence),
    ("BatchIndexErrorMessage", "*", Rule::Presence),
    ("Documentation", "DescribeConfigs", Rule::Presence),
    ("TopicId", "*", Rule::Uuid),
    ("LogAppendTimeMs", "Produce", Rule::Sign),
    ("Timestamp", "ListOffsets", Rule::Clock),
    ("ProducerId", "InitProducerId", Rule::NotNegative),
    ("SessionId", "Fetch", Rule::Sign),
    ("LogDir", "DescribeLogDirs", Rule::Hide),
    ("TotalBytes", "DescribeLogDirs", Rule::Sign),
    ("UsableBytes", "DescribeLogDirs", Rule::Sign),
    ("LastTimestamp", "DescribeProducers", Rule::Sign),
    ("LeaderEpoch", "DescribeQuorum", Rule::Sign),
    ("HighWatermark", "DescribeQuorum", Rule::Sign),
    ("LogEndOffset", "DescribeQuorum", Rule::Sign),
    ("LastFetchTimestamp", "DescribeQuorum", Rule::Sign),
    ("LastCaughtUpTimestamp", "DescribeQuorum", Rule::Sign),
    ("ReplicaDirectoryId", "DescribeQuorum", Rule::Uuid),
    // Ids that a coordinator makes up.
    ("MemberId", "*", Rule::Text),
    ("Leader", "JoinGroup", Rule::Text),
    ("FinalizedFeaturesEpoch", "ApiVersions", Rule::Sign),
];

/// Arrays whose order means nothing: Kafka fills them from hash maps.
const UNORDERED: &[(&str, &str)] = &[
    ("Topics", "*"),
    ("Responses", "Produce"),
    // Kafka answers topics that it does not know last.
    ("Responses", "Fetch"),
    ("Responses", "DeleteTopics"),
    ("Responses", "AlterConfigs"),
    ("Responses", "IncrementalAlterConfigs"),
    ("Results", "*"),
    ("Configs", "*"),
    ("Partitions", "*"),
    ("PartitionResult", "*"),
    ("ReplicaElectionResults", "*"),
    ("ConfigResources", "*"),
    ("UnknownStateFilters", "*"),
    ("PartitionResponses", "*"),
    ("ApiKeys", "*"),
    ("SupportedFeatures", "*"),
    ("FinalizedFeatures", "*"),
    ("Groups", "*"),
    ("Members", "*"),
    ("Entries", "*"),
    ("Entity", "*"),
    ("Values", "DescribeClientQuotas"),
];

/// Fields that name a topic, for answers cut down to the case's own.
const NAMES: &[&str] = &["Name", "TopicName", "Topic", "GroupId", "ResourceName"];

/// Broker configs that the run itself sets: where it listens and stores, how small it is.
const OF_THE_RUN: &[&str] = &[
    "advertised.listeners",
    "broker.id",
    "controller.listener.names",
    "controller.quorum.voters",
    "group.initial.rebalance.delay.ms",
    "inter.broker.listener.name",
    "listener.security.protocol.map",
    "listeners",
    "log.dir",
    "log.dirs",
    "node.id",
    "offsets.topic.num.partitions",
    "offsets.topic.replication.factor",
    "process.roles",
    "share.coordinator.state.topic.min.isr",
    "share.coordinator.state.topic.replication.factor",
    "transaction.state.log.min.isr",
    "transaction.state.log.num.partitions",
    "transaction.state.log.replication.factor",
];

/// How a case wants its answers masked.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What is put back to `%T`.
    pub prefix: &'a str,
    /// Entries of other cases' topics are taken out.
    pub only_own: bool,
    /// Whether there is a time to wait stays to be seen.
    pub tells_waits: bool,
}

/// `reply` of `api` with the rules applied.
pub fn masked(api: &str, reply: &Value, wanted: Wanted<'_>) -> Value {
    let mut value = reply.clone();
    mask(api, &mut value, wanted);
    value
}

fn mask(api: &str, value: &mut Value, wanted: Wanted<'_>) {
    let Wanted { prefix, only_own, tells_waits } = wanted;
    match value {
        Value::String(text) if text.contains(prefix) => *text = text.replace(prefix, "%T"),
        Value::String(text) if text.contains(&in_hex(prefix)) => {
            // A name within opaque bytes, with its length before it.
            let parts: Vec<&str> = text.split(&in_hex(prefix)).collect();
            let last = parts.len() - 1;
            let cut = |(at, part): (usize, &&str)| {
                let end = if at < last { part.len().saturating_sub(4) } else { part.len() };
                part[..end].to_owned()
            };
            let parts: Vec<String> = parts.iter().enumerate().map(cut).collect();
            *text = parts.join("$%T$");
        }
        Value::Array(list) => {
            for item in list {
                mask(api, item, wanted);
            }
        }
        Value::Object(object) => {
            let of_the_run = api == "DescribeConfigs"
                && OF_THE_RUN.iter().any(|name| object.get("Name") == Some(&json!(name)));
            for (name, item) in object.iter_mut() {
                if of_the_run && ["Value", "ConfigSource", "Synonyms"].contains(&name.as_str()) {
                    *item = json!("<any>");
                    continue;
                }
                if tells_waits && name == WAIT {
                    apply(&Rule::Sign, item);
                    continue;
                }
                if let Some(rule) = rule_of(api, name) {
                    apply(rule, item);
                    continue;
                }
                mask(api, item, wanted);
                let Value::Array(list) = item else { continue };
                if name == "Records" {
                    // Kafka cuts the last batch at the limit; clients drop what is not whole.
                    list.retain(|batch| batch.get("partial").is_none());
                }
                if only_own && list.iter().any(is_own) {
                    list.retain(is_own);
                } else if only_own {
                    list.retain(|entry| !is_of_another_case(entry));
                }
                if holds(UNORDERED, api, name) {
                    list.sort_by_cached_key(Value::to_string);
                }
            }
        }
        _ => {}
    }
}

fn in_hex(text: &str) -> String {
    crate::codec::to_hex(text.as_bytes())
}

fn is_own(entry: &Value) -> bool {
    NAMES.iter().any(|name| entry[*name].as_str().is_some_and(|text| text.contains("%T")))
}

/// Whether a name begins as `check::run_name` makes them.
fn is_of_another_case(entry: &Value) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_hexdigit).count();
    let is_prefix = |text: &str| text.strip_prefix("run").is_some_and(|rest| digits(rest) == 10);
    NAMES.iter().any(|name| entry[*name].as_str().is_some_and(is_prefix))
}

fn holds(table: &[(&str, &str)], api: &str, name: &str) -> bool {
    table.iter().any(|(field, of)| *field == name && (*of == "*" || *of == api))
}

fn rule_of(api: &str, name: &str) -> Option<&'static Rule> {
    RULES
        .iter()
        .find(|(field, of, _)| *field == name && (*of == "*" || *of == api))
        .map(|(_, _, rule)| rule)
}

fn apply(rule: &Rule, value: &mut Value) {
    let number = value.as_i64().unwrap_or(0);
    let replacement = match rule {
        Rule::Hide => "<any>",
        Rule::Presence if !value.is_null() => "<present>",
        Rule::Sign if number > 0 => "<positive>",
        Rule::NotNegative if number >= 0 => "<not negative>",
        Rule::Clock if (1_750_000_000_000..8_000_000_000_000).contains(&number) => "<now>",
        Rule::Text if value.as_str().is_some_and(|text| !text.is_empty()) => "<text>",
        Rule::Uuid if value.as_str().is_some_and(|text| !text.trim_matches('0').is_empty()) => {
            "<uuid>"
        }
        Rule::Presence | Rule::Sign | Rule::NotNegative | Rule::Clock | Rule::Text | Rule::Uuid => {
            return;
        }
    };
    *value = json!(replacement);
}

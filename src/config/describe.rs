//! What DescribeConfigs says: each configuration of a resource, its value, and where from.

use std::collections::BTreeSet;

use millrace_replication::config_key::{ConfigKey, Status, UpdateMode};
use millrace_replication::image::Overrides;

use super::tables::{
    BROKER, CLIENT_METRICS, GROUP, TOPIC, broker_key, group_synonym, is_listed_synonym,
    topic_synonym,
};
use super::view::{Found, Source, View};

/// A value that would take effect if the stronger ones were gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// Its name, which may be another one than that asked for.
    pub name: String,
    /// Its value; none where it must not be shown.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: Source,
}

/// One configuration of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name.
    pub name: String,
    /// Its value in effect; none for null, and where it must not be shown.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: Source,
    /// True when it cannot change while the broker runs.
    pub read_only: bool,
    /// True when the value must not be shown.
    pub sensitive: bool,
    /// Every value, the one in effect first.
    pub synonyms: Vec<Synonym>,
    /// The wire's number of its type; 0 when nobody knows the name.
    pub kind: i8,
    /// One line for people, when the name is known.
    pub documentation: Option<&'static str>,
}

impl Described {
    /// True when nobody set the configuration (version 0 of the answer says only this).
    pub fn is_default(&self) -> bool {
        self.source == Source::Default
    }
}

/// Which configurations are asked for: these, or all.
pub type Wanted<'a> = Option<&'a [&'a str]>;

fn is_wanted(wanted: Wanted<'_>, name: &str) -> bool {
    wanted.is_none_or(|names| names.contains(&name))
}

/// All or some configurations of a topic, by name.
pub fn describe_topic(
    view: &View<'_>,
    overrides: Option<&Overrides>,
    wanted: Wanted<'_>,
) -> Vec<Described> {
    TOPIC
        .iter()
        .filter(|key| key.status != Status::Internal && is_wanted(wanted, key.name))
        .map(|key| {
            let mut found = view.all_of_topic(overrides, key.name);
            let value = found.first().map(|found| found.value.clone());
            found.retain(|found| found.name == key.name || is_listed_synonym(found.name));
            match topic_synonym(key.name) {
                // Kafka's list of the broker's values starts with the topic's direct counterpart:
                // what only has another unit is not listed in front of it, nor without it.
                Some(broker) => {
                    let own = found.iter().take_while(|it| it.source == Source::Topic).count();
                    let others = found[own..].iter().take_while(|it| it.name != broker).count();
                    found.drain(own..own + others);
                }
                // Nor is a value for a configuration that only topics have and nobody set.
                None => found.retain(|found| found.source != Source::Default),
            }
            Described { value, ..described(key, &found, false) }
        })
        .collect()
}

/// All or some configurations of this broker, by name; those set under names nobody knows too.
pub fn describe_broker(view: &View<'_>, wanted: Wanted<'_>) -> Vec<Described> {
    let mut names: BTreeSet<&str> =
        BROKER.iter().filter(|key| key.status != Status::Internal).map(|key| key.name).collect();
    names.extend(view.statics.iter().map(|(name, _)| name));
    for overrides in [view.broker, view.cluster].into_iter().flatten() {
        names.extend(overrides.keys().map(String::as_str));
    }
    names
        .into_iter()
        .filter(|name| is_wanted(wanted, name))
        .map(|name| {
            let mut found = view.all(name);
            // What only has another unit is not listed in front of the name itself.
            let others = found.iter().take_while(|found| found.name != name).count();
            found.drain(..others);
            match broker_key(name) {
                Some(key) => {
                    let mut described = described(key, &found, key.update == UpdateMode::ReadOnly);
                    described.value = own_value(&found, name, key);
                    described
                }
                None => unknown(name, &found),
            }
        })
        .collect()
}

/// The value under the configuration's own name: null when only a synonym is set, as in Kafka.
fn own_value(found: &[Found<'_>], name: &str, key: &ConfigKey) -> Option<String> {
    if key.is_sensitive() {
        return None;
    }
    found.iter().find(|found| found.name == name).map(|found| found.written.to_owned())
}

/// The dynamic configurations that all brokers default to: only those that are set.
pub fn describe_cluster(cluster: Option<&Overrides>, wanted: Wanted<'_>) -> Vec<Described> {
    stored(cluster, wanted, broker_key, Source::DynamicDefaultBroker)
}

/// All or some configurations of a group.
pub fn describe_group(
    view: &View<'_>,
    overrides: Option<&Overrides>,
    wanted: Wanted<'_>,
) -> Vec<Described> {
    GROUP
        .iter()
        .filter(|key| is_wanted(wanted, key.name))
        .map(|key| {
            let mut found: Vec<_> = own(overrides, key.name, Source::Group).collect();
            match group_synonym(key.name) {
                Some(broker) => found.extend(view.all(broker)),
                None => found.extend(built_in(key)),
            }
            described(key, &found, false)
        })
        .collect()
}

/// All or some configurations of a client metrics subscription.
pub fn describe_client_metrics(
    overrides: Option<&Overrides>,
    wanted: Wanted<'_>,
) -> Vec<Described> {
    CLIENT_METRICS
        .iter()
        .filter(|key| is_wanted(wanted, key.name))
        .map(|key| {
            let found: Vec<_> = own(overrides, key.name, Source::ClientMetrics).collect();
            let mut described = described(key, &found, false);
            described.value = described.value.or_else(|| key.default.map(str::to_owned));
            described
        })
        .collect()
}

fn own<'a>(
    overrides: Option<&'a Overrides>,
    name: &'a str,
    source: Source,
) -> impl Iterator<Item = Found<'a>> {
    let value = overrides.and_then(|overrides| overrides.get(name));
    value.map(|value| found_at(name, value, source)).into_iter()
}

fn built_in(key: &'static ConfigKey) -> Option<Found<'static>> {
    key.default.map(|value| found_at(key.name, value, Source::Default))
}

fn found_at<'a>(name: &'a str, value: &'a str, source: Source) -> Found<'a> {
    Found { name, written: value.trim(), value: value.trim().to_owned(), source }
}

fn stored(
    overrides: Option<&Overrides>,
    wanted: Wanted<'_>,
    key: impl Fn(&str) -> Option<&'static ConfigKey>,
    source: Source,
) -> Vec<Described> {
    overrides
        .into_iter()
        .flatten()
        .filter(|(name, _)| is_wanted(wanted, name))
        .map(|(name, value)| {
            let found = [found_at(name, value, source)];
            match key(name) {
                Some(key) => described(key, &found, false),
                None => unknown(name, &found),
            }
        })
        .collect()
}

fn described(key: &'static ConfigKey, found: &[Found<'_>], read_only: bool) -> Described {
    let hidden = key.is_sensitive();
    let show = |value: &str| (!hidden).then(|| value.to_owned());
    Described {
        name: key.name.to_owned(),
        value: found.first().and_then(|found| show(&found.value)),
        source: found.first().map_or(Source::Default, |found| found.source),
        read_only,
        sensitive: hidden,
        synonyms: synonyms(found, hidden),
        kind: key.kind.id(),
        documentation: Some(key.doc),
    }
}

/// A name that nobody knows may hold a secret, so its value is not shown.
fn unknown(name: &str, found: &[Found<'_>]) -> Described {
    Described {
        name: name.to_owned(),
        value: None,
        source: found.first().map_or(Source::Default, |found| found.source),
        read_only: true,
        sensitive: true,
        synonyms: synonyms(found, true),
        kind: 0,
        documentation: None,
    }
}

fn synonyms(found: &[Found<'_>], hidden: bool) -> Vec<Synonym> {
    found
        .iter()
        .map(|found| Synonym {
            name: found.name.to_owned(),
            // A topic's own value has no other unit.
            value: (!hidden).then(|| {
                let is_own = found.source == Source::Topic;
                if is_own { found.value.clone() } else { found.written.to_owned() }
            }),
            source: found.source,
        })
        .collect()
}

#[cfg(test)]
mod tests;

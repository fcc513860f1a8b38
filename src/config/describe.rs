//! What DescribeConfigs says: each configuration of a resource, its value, and where from.

use std::collections::BTreeSet;

use millrace_replication::config_key::{ConfigKey, Status, UpdateMode};
use millrace_replication::image::Overrides;

use super::tables::{BROKER, CLIENT_METRICS, GROUP, TOPIC, broker_key};
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
        .map(|key| described(key, &view.all_of_topic(overrides, key.name), false))
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
            // The values of all synonyms are listed; the one in effect is in the unit of its own
            // name, as Kafka shows it: only under the name that was set.
            let found: Vec<_> = view.all(name).into_iter().collect();
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

/// The value under the configuration's own name: null when only a synonym is set.
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
pub fn describe_group(overrides: Option<&Overrides>, wanted: Wanted<'_>) -> Vec<Described> {
    with_defaults(GROUP, overrides, wanted, Source::Group)
}

/// All or some configurations of a client metrics subscription.
pub fn describe_client_metrics(
    overrides: Option<&Overrides>,
    wanted: Wanted<'_>,
) -> Vec<Described> {
    with_defaults(CLIENT_METRICS, overrides, wanted, Source::ClientMetrics)
}

fn with_defaults(
    table: &'static [ConfigKey],
    overrides: Option<&Overrides>,
    wanted: Wanted<'_>,
    source: Source,
) -> Vec<Described> {
    let value_of = |name: &str| overrides.and_then(|overrides| overrides.get(name));
    table
        .iter()
        .filter(|key| is_wanted(wanted, key.name))
        .map(|key| {
            let own = value_of(key.name).map(|value| (value.as_str(), source));
            let default = key.default.map(|value| (value, Source::Default));
            let found: Vec<_> = [own, default]
                .into_iter()
                .flatten()
                .map(|(value, source)| Found {
                    name: key.name,
                    written: value,
                    value: value.to_owned(),
                    source,
                })
                .collect();
            described(key, &found, false)
        })
        .collect()
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
            let found = [Found { name, written: value, value: value.clone(), source }];
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
        read_only: false,
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
            value: (!hidden).then(|| found.written.to_owned()),
            source: found.source,
        })
        .collect()
}

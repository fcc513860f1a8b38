//! One configuration over all layers: which value is in effect, and where it comes from.

use millrace_replication::config_key::{ConfigKey, ConfigKind, parse_bool, split_list};
use millrace_replication::image::Overrides;

use super::layers::Statics;
use super::tables::{broker_key, broker_synonyms, topic_key, topic_synonym};

/// Where a value comes from. The discriminants are those of DescribeConfigs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum Source {
    /// The topic's own override.
    Topic = 1,
    /// The dynamic configuration of this broker.
    DynamicBroker = 2,
    /// The dynamic configuration of all brokers.
    DynamicDefaultBroker = 3,
    /// File, environment or flag of this start.
    StaticBroker = 4,
    /// Built in.
    Default = 5,
    /// The log level of a logger.
    BrokerLogger = 6,
    /// A client metrics subscription's own value.
    ClientMetrics = 7,
    /// A group's own value.
    Group = 8,
}

impl Source {
    /// The wire's number.
    pub const fn id(self) -> i8 {
        self as i8
    }
}

/// A value somewhere in the layers, under the name it has there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// The name it was found under.
    pub name: &'a str,
    /// The value as written there, white space around it apart.
    pub written: &'a str,
    /// The value in the unit of the name that was asked for.
    pub value: String,
    /// The layer.
    pub source: Source,
}

/// A value as Kafka tells it: a list without blanks, a boolean in small letters.
fn plain(key: Option<&ConfigKey>, value: &str) -> String {
    match key.map(|key| key.kind) {
        Some(ConfigKind::List) => split_list(value).join(","),
        Some(ConfigKind::Boolean) => value.trim().to_ascii_lowercase(),
        Some(_) | None => value.trim().to_owned(),
    }
}

/// The layers that a broker configuration is resolved over.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// File, environment and flags.
    pub statics: &'a Statics,
    /// This broker's dynamic configuration.
    pub broker: Option<&'a Overrides>,
    /// All brokers' dynamic configuration.
    pub cluster: Option<&'a Overrides>,
}

impl<'a> View<'a> {
    /// The view of a broker that has no dynamic configuration (yet).
    pub const fn of(statics: &'a Statics) -> Self {
        Self { statics, broker: None, cluster: None }
    }

    /// Every value of a broker configuration, the one in effect first.
    ///
    /// A stronger layer wins whatever unit it is written in; within one layer the finer unit does.
    /// A stored value that its rule does not allow is passed over.
    pub fn all(&self, name: &'a str) -> Vec<Found<'a>> {
        let synonyms = broker_synonyms(name);
        let mut found = Vec::new();
        for source in [
            Source::DynamicBroker,
            Source::DynamicDefaultBroker,
            Source::StaticBroker,
            Source::Default,
        ] {
            for (synonym, unit) in &synonyms {
                if let Some(written) = self.in_layer(source, synonym) {
                    found.push(Found {
                        name: synonym,
                        written,
                        value: unit.convert(written),
                        source,
                    });
                }
            }
        }
        found
    }

    fn in_layer(&self, source: Source, name: &str) -> Option<&'a str> {
        let key = broker_key(name);
        let overrides = match source {
            Source::DynamicBroker => self.broker,
            Source::DynamicDefaultBroker => self.cluster,
            Source::StaticBroker => return self.statics.get(name).map(str::trim),
            Source::Default => return key.and_then(|key| key.default),
            Source::Topic | Source::BrokerLogger | Source::ClientMetrics | Source::Group => None,
        };
        let value = overrides?.get(name)?.as_str();
        key.is_none_or(|key| key.check(value).is_ok()).then_some(value.trim())
    }

    /// Every value of a topic configuration, the one in effect first; `overrides` are the topic's.
    pub fn all_of_topic(&self, overrides: Option<&'a Overrides>, name: &'a str) -> Vec<Found<'a>> {
        let key = topic_key(name);
        let own = overrides
            .and_then(|overrides| overrides.get(name))
            .filter(|value| key.is_none_or(|key| key.check(value).is_ok()))
            .map(|value| Found {
                name,
                written: value.trim(),
                value: plain(key, value),
                source: Source::Topic,
            });
        let mut found: Vec<_> = own.into_iter().collect();
        match (topic_synonym(name), key.and_then(|key| key.default)) {
            (Some(broker), _) => found.extend(self.all(broker)),
            (None, Some(default)) => found.push(Found {
                name,
                written: default,
                value: default.to_owned(),
                source: Source::Default,
            }),
            (None, None) => {}
        }
        found
    }

    /// The value in effect of a broker configuration; none where Kafka has null.
    pub fn text(&self, name: &'a str) -> Option<String> {
        self.all(name).into_iter().next().map(|found| found.value)
    }

    /// As [`View::text`], none also where the value is empty.
    pub fn text_not_empty(&self, name: &'a str) -> Option<String> {
        self.text(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// The value in effect as a number; the name must be that of a number with a default.
    pub fn number(&self, name: &'a str) -> i64 {
        number(self.text(name), broker_key(name), name)
    }

    /// The value in effect as a number, none where Kafka has null.
    pub fn number_or_null(&self, name: &'a str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    /// As [`View::number`], narrowed to 32 bits.
    pub fn int(&self, name: &'a str) -> i32 {
        clamp(self.number(name))
    }

    /// The value in effect of a fraction, times `by`, rounded down; the name must be that of a
    /// number with a default.
    pub fn scaled(&self, name: &'a str, by: u32) -> u64 {
        scaled(&self.text(name).unwrap_or_default(), by)
    }

    /// The value in effect as a boolean; the name must be that of a boolean with a default.
    pub fn flag(&self, name: &'a str) -> bool {
        let value = self.text(name).and_then(|text| parse_bool(&text));
        assert!(value.is_some(), "{name} is no boolean with a default");
        value.unwrap_or_default()
    }

    /// The value in effect as a list, repeats left out; empty where Kafka has null.
    pub fn list(&self, name: &'a str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let mut list: Vec<String> = Vec::new();
        for value in split_list(&text) {
            if list.iter().all(|other| other != value) {
                list.push(value.to_owned());
            }
        }
        list
    }
}

/// Checked texts of number configurations parse; one that does not is a mistake in the tables.
pub(super) fn number(text: Option<String>, key: Option<&ConfigKey>, name: &str) -> i64 {
    let number = text.and_then(|text| text.trim().parse().ok());
    assert!(number.is_some(), "{name} ({:?}) is no number with a default", key.map(|key| key.kind));
    number.unwrap_or_default()
}

/// A fraction's text times `by`, rounded down; 0 below zero, and the largest number beyond it.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a float that is cast to an integer stops at its bounds"
)]
pub(super) fn scaled(text: &str, by: u32) -> u64 {
    let value: f64 = text.trim().parse().unwrap_or(0.0);
    // A product that should be whole may lie a hair below.
    (value * f64::from(by) + 1e-9) as u64
}

/// A number checked to be one of 32 bits.
pub(super) fn clamp(number: i64) -> i32 {
    let clamped = number.clamp(i32::MIN.into(), i32::MAX.into());
    i32::try_from(clamped).unwrap_or(i32::MAX)
}

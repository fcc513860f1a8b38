//! The static layers: file, environment and flags become one set of settings, or a refusal.

use std::collections::{BTreeMap, BTreeSet};

use millrace_replication::config_key::{Status, split_list};

use super::broker::BrokerConfig;
use super::env;
use super::nearest::nearest;
use super::properties;
use super::tables::{BROKER, broker_key};

/// Where a static setting was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// For a node without any file: listens on the loopback interface, data in `./data`.
    Local,
    /// A line of the properties file.
    File {
        /// From 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag of the command line.
    Flag,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Local => f.write_str("built in"),
            Self::File { line } => write!(f, "line {line} of the file"),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::Flag => f.write_str("flag"),
        }
    }
}

/// A value and where it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// As written.
    pub value: String,
    /// By whom.
    pub origin: Origin,
}

/// Everything set by file, environment and flags, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statics {
    settings: BTreeMap<String, Setting>,
}

impl Statics {
    /// The value set for a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(|setting| setting.value.as_str())
    }

    /// Everything that is set, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.settings.iter().map(|(name, setting)| (name.as_str(), setting))
    }

    /// Settings as if given by flags; for tests and the simulator.
    pub fn of<'a>(settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut statics = Self::default();
        for (name, value) in settings {
            statics.set(name, value, Origin::Flag);
        }
        statics
    }

    fn set(&mut self, name: &str, value: &str, origin: Origin) {
        let setting = Setting { value: value.to_owned(), origin };
        self.settings.insert(name.to_owned(), setting);
    }

    /// Sets `to` as `from` is set, unless it is set itself: the two are one configuration.
    fn mirror(&mut self, from: &str, to: &str) {
        if let Some(setting) = self.settings.get(from).cloned()
            && !self.settings.contains_key(to)
        {
            self.settings.insert(to.to_owned(), setting);
        }
    }

    /// The refusal of a name's value, with the place it was set at.
    pub(super) fn refuse(&self, name: &str, right: &str) -> ConfigError {
        let setting = self.settings.get(name);
        ConfigError::Value {
            name: name.to_owned(),
            value: setting.map(|setting| shown(name, &setting.value)),
            origin: setting.map(|setting| setting.origin.clone()),
            right: right.to_owned(),
        }
    }
}

/// A value as it may be printed.
fn shown(name: &str, value: &str) -> String {
    let hidden = match broker_key(base_name(name)) {
        Some(key) => key.is_sensitive(),
        // A slip in a secret's name must not print the secret.
        None => ["password", "secret", "jaas", "key"].iter().any(|part| name.contains(part)),
    };
    if hidden { "(hidden)".to_owned() } else { value.to_owned() }
}

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// A value breaks its rule.
    Value {
        /// The configuration.
        name: String,
        /// The value; none when it is not set.
        value: Option<String>,
        /// Where it was set.
        origin: Option<Origin>,
        /// What would be right, to follow "must be".
        right: String,
    },
    /// A flag names a configuration that does not exist.
    UnknownFlag {
        /// The name as given.
        name: String,
        /// The value as given.
        value: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// The file is not in properties syntax.
    Syntax {
        /// From 1.
        line: usize,
    },
    /// Values that are right one by one break a rule between them.
    Together(String),
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value { name, value, origin, right } => {
                match value {
                    Some(value) => write!(f, "{name} = '{value}'")?,
                    None => write!(f, "{name} is not set")?,
                }
                if let Some(origin) = origin {
                    write!(f, " ({origin})")?;
                }
                write!(f, ": must be {right}")
            }
            Self::UnknownFlag { name, value, nearest } => {
                write!(f, "{name} = '{value}' (flag): no configuration has this name")?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean {nearest}?"),
                    None => Ok(()),
                }
            }
            Self::Syntax { line } => {
                write!(f, "line {line} of the file: \\u must be followed by four hex digits")
            }
            Self::Together(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for ConfigError {}

/// The command line's own flags, beside `--set`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--listen HOST:PORT`.
    pub listen: Option<String>,
    /// `--advertise HOST:PORT`.
    pub advertise: Option<String>,
    /// `--data-dir DIR`.
    pub data_dir: Option<String>,
    /// `--admin HOST:PORT`.
    pub admin: Option<String>,
    /// `--shards N`.
    pub shards: Option<String>,
    /// `--io-backend B`.
    pub io_backend: Option<String>,
    /// `--set key=value`, in order.
    pub set: Vec<(String, String)>,
}

/// What a configuration is loaded from. All of it was read by the caller.
#[derive(Clone, Debug, Default)]
pub struct Inputs<'a> {
    /// The text of the properties file, if there is one.
    pub file: Option<&'a str>,
    /// All environment variables, name and value.
    pub environment: &'a [(String, String)],
    /// The command line.
    pub flags: Flags,
}

/// A configuration, and what there is to say about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings, for the layers that come later.
    pub statics: Statics,
    /// What the broker runs with until dynamic configurations are known.
    pub config: BrokerConfig,
    /// `CLUSTER_ID` of the environment, as Kafka's container image takes it.
    pub cluster_id: Option<String>,
    /// One line each: names that nobody knows.
    pub warnings: Vec<String>,
    /// Names that are set, known, and have no meaning here; for one log line.
    pub accepted: Vec<String>,
}

/// Puts the layers together and checks them.
pub fn load(inputs: &Inputs<'_>) -> Result<Loaded, ConfigError> {
    let mut statics = Statics::default();
    let mut warnings = Vec::new();
    let environment: Vec<_> = inputs
        .environment
        .iter()
        .filter_map(|(variable, value)| Some((env::config_name(variable)?, variable, value)))
        .collect();
    set_local_defaults(&mut statics, inputs, &environment);
    for property in properties::parse(inputs.file.unwrap_or_default())
        .map_err(|bad| ConfigError::Syntax { line: bad.line })?
    {
        let origin = Origin::File { line: property.line };
        if !is_known(&property.key) {
            warnings.push(unknown(&property.key, &origin));
        }
        statics.set(&property.key, &property.value, origin);
    }
    for (name, variable, value) in &environment {
        let origin = Origin::Environment { variable: (*variable).clone() };
        if !is_known(name) {
            warnings.push(unknown(name, &origin));
        }
        statics.set(name, value, origin);
    }
    apply_flags(&mut statics, &inputs.flags)?;
    check_values(&statics)?;
    statics.mirror("node.id", "broker.id");
    statics.mirror("broker.id", "node.id");
    let config = BrokerConfig::resolve(&super::View::of(&statics))?;
    let cluster_id = inputs
        .environment
        .iter()
        .find(|(variable, value)| variable == "CLUSTER_ID" && !value.is_empty())
        .map(|(_, value)| value.clone());
    Ok(Loaded { accepted: accepted(&statics), statics, config, cluster_id, warnings })
}

/// Without a file the broker is a local one, unless the environment describes a node, as in a
/// container, where the loopback interface would be of no use.
fn set_local_defaults(
    statics: &mut Statics,
    inputs: &Inputs<'_>,
    environment: &[(String, &String, &String)],
) {
    const NODE: [&str; 5] =
        ["advertised.listeners", "broker.id", "listeners", "node.id", "process.roles"];
    if inputs.file.is_some() {
        return;
    }
    statics.set("log.dirs", "data", Origin::Local);
    if environment.iter().all(|(name, ..)| !NODE.contains(&name.as_str())) {
        statics.set("listeners", "PLAINTEXT://127.0.0.1:9092", Origin::Local);
    }
}

fn unknown(name: &str, origin: &Origin) -> String {
    let meant = match nearest(name, BROKER.iter().map(|key| key.name)) {
        _ if REMOVED.contains(&name) => "; Kafka 4 no longer has it".to_owned(),
        Some(nearest) => format!("; did you mean {nearest}?"),
        None => String::new(),
    };
    format!("{name} ({origin}): no configuration has this name{meant}")
}

/// Names of Kafka 3 that people's files still hold.
const REMOVED: [&str; 17] = [
    "control.plane.listener.name",
    "controlled.shutdown.max.retries",
    "controlled.shutdown.retry.backoff.ms",
    "inter.broker.protocol.version",
    "leader.imbalance.per.broker.percentage",
    "log.message.downconversion.enable",
    "log.message.format.version",
    "log.message.timestamp.difference.max.ms",
    "password.encoder.secret",
    "reserved.broker.max.id",
    "zookeeper.clientCnxnSocket",
    "zookeeper.connect",
    "zookeeper.connection.timeout.ms",
    "zookeeper.max.in.flight.requests",
    "zookeeper.metadata.migration.enable",
    "zookeeper.session.timeout.ms",
    "zookeeper.set.acl",
];

/// The name behind a listener's and a mechanism's prefix:
/// `listener.name.external.ssl.key.password` is `ssl.key.password` of one listener,
/// `listener.name.external.plain.sasl.jaas.config` `sasl.jaas.config` of one mechanism of it.
fn base_name(name: &str) -> &str {
    let Some((_, rest)) = name.strip_prefix("listener.name.").and_then(|rest| rest.split_once('.'))
    else {
        return name;
    };
    match rest.split_once('.') {
        Some((_, inner)) if broker_key(rest).is_none() && broker_key(inner).is_some() => inner,
        Some(_) | None => rest,
    }
}

/// Prefixes under which plug-ins of Kafka find configurations of their own.
const PLUG_IN_PREFIXES: [&str; 3] = ["config.providers.", "rlmm.config.", "rsm.config."];

fn is_known(name: &str) -> bool {
    broker_key(base_name(name)).is_some()
        || PLUG_IN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn accepted(statics: &Statics) -> Vec<String> {
    let unused = |name: &str| {
        is_known(name)
            && (name != base_name(name)
                || broker_key(name).is_none_or(|key| key.status != Status::Used))
    };
    let names: BTreeSet<_> =
        statics.iter().map(|(name, _)| name.to_owned()).filter(|name| unused(name)).collect();
    names.into_iter().collect()
}

fn apply_flags(statics: &mut Statics, flags: &Flags) -> Result<(), ConfigError> {
    if let Some(address) = &flags.listen {
        // The file's other listener names would no longer fit the one that is left.
        for name in
            ["advertised.listeners", "inter.broker.listener.name", "listener.security.protocol.map"]
        {
            statics.settings.remove(name);
        }
        statics.set("listeners", &format!("PLAINTEXT://{address}"), Origin::Flag);
    }
    if let Some(address) = &flags.advertise {
        let name = first_client_listener(statics);
        statics.set("advertised.listeners", &format!("{name}://{address}"), Origin::Flag);
    }
    for (name, value) in [
        ("log.dirs", &flags.data_dir),
        ("millrace.admin.listener", &flags.admin),
        ("millrace.shards", &flags.shards),
        ("millrace.io.backend", &flags.io_backend),
    ] {
        if let Some(value) = value {
            statics.set(name, value, Origin::Flag);
        }
    }
    for (name, value) in &flags.set {
        if !is_known(name) {
            return Err(ConfigError::UnknownFlag {
                name: name.clone(),
                value: shown(name, value),
                nearest: nearest(name, BROKER.iter().map(|key| key.name)),
            });
        }
        statics.set(name, value, Origin::Flag);
    }
    Ok(())
}

/// The name of the first listener that is not a controller's.
fn first_client_listener(statics: &Statics) -> String {
    let controllers = split_list(statics.get("controller.listener.names").unwrap_or_default());
    split_list(statics.get("listeners").unwrap_or_default())
        .into_iter()
        .filter_map(|endpoint| endpoint.split_once("://"))
        .map(|(name, _)| name)
        .find(|name| controllers.iter().all(|other| !other.eq_ignore_ascii_case(name)))
        .unwrap_or("PLAINTEXT")
        .to_owned()
}

fn check_values(statics: &Statics) -> Result<(), ConfigError> {
    for (name, setting) in statics.iter() {
        if let Some(key) = broker_key(base_name(name)) {
            key.check(&setting.value).map_err(|right| statics.refuse(name, &right))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! `docs/CONFIG.md`: the tables for people. A test keeps the file equal to this text.

use std::fmt::Write;

use millrace_replication::config_key::{ConfigKey, ConfigKind, Rule, Status, UpdateMode};

use super::tables::{BROKER, CLIENT_METRICS, GROUP, TOPIC, group_synonym, topic_synonym};

const HEAD: &str = "# Configuration

This file is made from the tables in `src/config/tables/`; a test fails when it differs from them
(`BLESS=1 cargo test -p millrace config_md` writes it anew).

## Where values come from

The later wins: built-in defaults, the properties file (`--config FILE`), environment variables,
flags (`--set key=value` and the named ones); then, while the broker runs, the dynamic
configuration of all brokers, that of one broker, and a topic's own overrides.

- The file is in Java's properties syntax. A KRaft node's `server.properties` from Apache Kafka
  starts the broker unchanged.
- Environment variables are named as in Kafka's container image: `KAFKA_` and the name in upper
  case, with `_` for `.`, `__` for `_`, `___` for `-`; `KAFKA_LOG_RETENTION_HOURS` is
  `log.retention.hours`. `MILLRACE_SHARDS` is `millrace.shards`. `CLUSTER_ID` is the cluster's id.
- Without a file the broker listens on `127.0.0.1:9092` and keeps its data in `./data`; where the
  environment describes a node (its id, roles or listeners), it listens on all interfaces, as Kafka
  does.
- A name that nobody knows is a warning in a file or the environment and refused as a flag. A value
  that its rule does not allow is refused wherever it stands.
- `listener.name.NAME.` before a name of `ssl.` or `sasl.` sets it for one listener, as in Kafka.
  `listener.name.NAME.max.connections` and `listener.name.NAME.max.connection.creation.rate` are
  accepted and have no effect: connections are limited for the whole broker and by address. They
  stand in the line of the log that names what has no meaning here.

## Listeners

`listeners` is bound, `advertised.listeners` is told to clients; names are free, and
`listener.security.protocol.map` says what each speaks. Only PLAINTEXT is served yet. A listener
named in `controller.listener.names` is accepted and not bound: the controller of a single node is
part of the process. Where `advertised.listeners` is not set, a listener bound to one address
advertises it, and one bound to all interfaces advertises the host's name or the address that the
client connected to. Where Kafka refuses to start because no listener is called as
`security.inter.broker.protocol` says, the first listener is taken.

## Status

`used` takes effect. `accepted` is known and checked, and has no meaning here (yet); all such names
that are set stand in one line of the log. `internal` is accepted too, and described only where it
is set, as in Kafka.
";

/// The whole text of the file.
pub fn config_md() -> String {
    let mut out = HEAD.to_owned();
    section(&mut out, "Broker", BROKER, |_| None);
    section(&mut out, "Topic", TOPIC, topic_synonym);
    section(&mut out, "Group", GROUP, group_synonym);
    section(&mut out, "Client metrics", CLIENT_METRICS, |_| None);
    out
}

fn section(
    out: &mut String,
    title: &str,
    table: &[ConfigKey],
    synonym: impl Fn(&str) -> Option<&'static str>,
) {
    let head = "| Name | Type | Default | Must be | Changes | Status | What it is |\n\
                | --- | --- | --- | --- | --- | --- | --- |\n";
    push(out, format_args!("\n## {title} configurations ({})\n\n{head}", table.len()));
    for key in table {
        let default = match (synonym(key.name), key.default) {
            (Some(broker), _) => format!("`{broker}`"),
            (None, None) => "null".to_owned(),
            (None, Some("")) => "empty".to_owned(),
            (None, Some(default)) => format!("`{default}`"),
        };
        push(
            out,
            format_args!(
                "| `{}` | {} | {default} | {} | {} | {} | {} |\n",
                key.name,
                kind(key.kind),
                rule(key.rule),
                update(key.update),
                status(key.status),
                key.doc
            ),
        );
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a String does not fail");
}

const fn kind(kind: ConfigKind) -> &'static str {
    match kind {
        ConfigKind::Boolean => "boolean",
        ConfigKind::String => "string",
        ConfigKind::Int => "int",
        ConfigKind::Short => "short",
        ConfigKind::Long => "long",
        ConfigKind::Double => "double",
        ConfigKind::List => "list",
        ConfigKind::Class => "class",
        ConfigKind::Password => "password",
    }
}

fn rule(rule: Rule) -> String {
    let set = |values: &[&str]| match values {
        [] => String::new(),
        values => format!("of {}", values.join(", ")),
    };
    match rule {
        Rule::Any => String::new(),
        Rule::AtLeast(min) => format!("≥ {min}"),
        Rule::Between(min, max) => format!("{min} to {max}"),
        Rule::BetweenOr(min, max, or) => format!("{min} to {max}, or {or}"),
        Rule::Fraction(min, max) => format!("{min} to {max}"),
        Rule::OneOf(values) | Rule::OneOfAnyCase(values) => values.join(", "),
        Rule::NotEmpty => "not empty".to_owned(),
        Rule::Set(values) => set(values),
        Rule::SetNotEmpty(values) => format!("not empty {}", set(values)).trim_end().to_owned(),
        Rule::ThrottledReplicas => "partition:broker pairs, or *".to_owned(),
    }
}

const fn update(mode: UpdateMode) -> &'static str {
    match mode {
        UpdateMode::ReadOnly => "at a start",
        UpdateMode::PerBroker => "per broker",
        UpdateMode::ClusterWide => "any time",
    }
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Used => "used",
        Status::Accepted => "accepted",
        Status::Internal => "internal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_md_equals_the_tables() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/CONFIG.md");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, config_md()).unwrap();
        }
        let file = std::fs::read_to_string(path).unwrap();
        for (ours, theirs) in config_md().lines().zip(file.lines()) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(config_md().len(), file.len());
    }
}

//! Configuration from environment variables, named as in Kafka's container image.
//!
//! `KAFKA_` is taken off and the rest lowered; then, longest run first, `___` is `-`, `__` is `_`
//! and `_` is `.`. Checked against the image's own wrapper of Kafka 4.3.1. `MILLRACE_` does the
//! same for this broker's own names: `MILLRACE_SHARDS` is `millrace.shards`.

/// Variables that start the image's Java process and are no configuration.
const NOT_CONFIGURATION: [&str; 13] = [
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_HEAP_OPTS",
    "KAFKA_HOME",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_OPTS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_VERSION",
];

/// The configuration that an environment variable sets, if it sets one.
pub fn config_name(variable: &str) -> Option<String> {
    if NOT_CONFIGURATION.contains(&variable) {
        return None;
    }
    if variable.strip_prefix("MILLRACE_").is_some_and(|rest| !rest.is_empty()) {
        return Some(dotted(variable));
    }
    let rest = variable.strip_prefix("KAFKA_").filter(|rest| !rest.is_empty())?;
    Some(dotted(rest))
}

fn dotted(variable: &str) -> String {
    variable
        .to_ascii_lowercase()
        .replace("___", "-")
        .replace("__", "\0")
        .replace('_', ".")
        .replace('\0', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_kafkas_image_makes_of_them() {
        // Right column: printed by the image's wrapper class of Kafka 4.3.1.
        for (variable, name) in [
            ("KAFKA_LOG_RETENTION_HOURS", "log.retention.hours"),
            ("KAFKA_A__B", "a_b"),
            ("KAFKA_A___B", "a-b"),
            ("KAFKA_A____B", "a-.b"),
            ("KAFKA_A_____B", "a-_b"),
            ("KAFKA__X", ".x"),
            ("KAFKA_SASL_ENABLED_MECHANISMS_", "sasl.enabled.mechanisms."),
            (
                "KAFKA_LISTENER_NAME_EXTERNAL_SSL_KEYSTORE_LOCATION",
                "listener.name.external.ssl.keystore.location",
            ),
        ] {
            assert_eq!(config_name(variable).as_deref(), Some(name), "{variable}");
        }
    }

    #[test]
    fn variables_of_the_java_process_and_of_others_are_no_configuration() {
        for variable in ["KAFKA_HEAP_OPTS", "KAFKA_OPTS", "kafka_x", "KAFKA_", "PATH", "MILLRACE_"]
        {
            assert_eq!(config_name(variable), None, "{variable}");
        }
        assert_eq!(config_name("MILLRACE_IO_BACKEND").as_deref(), Some("millrace.io.backend"));
    }
}

//! DescribeConfigs against what Apache Kafka 4.3.1 answered for the same settings.

use std::collections::BTreeMap;

use super::*;
use crate::config::Statics;

const KAFKA: &str = include_str!("../testdata/kafka-4.3.1-describe.txt");

fn overrides(settings: &[(&str, &str)]) -> Overrides {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The file of the Kafka node that answered.
fn statics() -> Statics {
    Statics::of([
        ("process.roles", "broker,controller"),
        ("node.id", "1"),
        // Loading a file sets whichever of the two is missing.
        ("broker.id", "1"),
        ("controller.quorum.bootstrap.servers", "localhost:39093"),
        ("listeners", "PLAINTEXT://127.0.0.1:39092,CONTROLLER://127.0.0.1:39093"),
        ("advertised.listeners", "PLAINTEXT://127.0.0.1:39092"),
        ("controller.listener.names", "CONTROLLER"),
        ("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"),
        ("log.dirs", "/var/lib/kafka"),
        ("offsets.topic.replication.factor", "1"),
        ("transaction.state.log.replication.factor", "1"),
        ("transaction.state.log.min.isr", "1"),
        ("log.retention.hours", "24"),
        ("log.roll.ms", "3600000"),
        ("num.partitions", "4"),
        ("log.flush.scheduler.interval.ms", "5000"),
        ("ssl.key.password", "secret"),
        ("nobody.knows.this", "1"),
    ])
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Topic => "DYNAMIC_TOPIC_CONFIG",
        Source::DynamicBroker => "DYNAMIC_BROKER_CONFIG",
        Source::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        Source::StaticBroker => "STATIC_BROKER_CONFIG",
        Source::Default => "DEFAULT_CONFIG",
        Source::BrokerLogger => "DYNAMIC_BROKER_LOGGER_CONFIG",
        Source::ClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
        Source::Group => "DYNAMIC_GROUP_CONFIG",
    }
}

fn line(resource: &str, described: &Described) -> (String, String) {
    const KINDS: [&str; 10] = [
        "UNKNOWN", "BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS",
        "PASSWORD",
    ];
    let null = || "null".to_owned();
    let synonyms: Vec<_> = described
        .synonyms
        .iter()
        .map(|one| {
            let value = one.value.clone().unwrap_or_else(null);
            format!("{}={value}@{}", one.name, source_name(one.source))
        })
        .collect();
    let text = format!(
        "{}|{}|{}|{}|{}|{}",
        described.value.clone().unwrap_or_else(null),
        source_name(described.source),
        if described.read_only { "ro" } else { "rw" },
        if described.sensitive { "hidden" } else { "shown" },
        KINDS[usize::try_from(described.kind).unwrap()],
        synonyms.join(",")
    );
    (format!("{resource}|{}", described.name), text)
}

fn ours() -> BTreeMap<String, String> {
    let statics = statics();
    let broker = overrides(&[
        ("log.cleaner.threads", "2"),
        ("log.retention.ms", "80000000"),
        ("my.own", "1"),
        ("log.cleanup.policy", "delete,compact"),
    ]);
    let cluster = overrides(&[
        ("log.retention.ms", "90000000"),
        ("log.cleaner.threads", "0"),
        ("min.insync.replicas", "1"),
    ]);
    let topic = overrides(&[
        ("retention.ms", "5000"),
        ("cleanup.policy", ""),
        ("min.compaction.lag.ms", "10"),
        ("flush.ms", " 77 "),
    ]);
    let group = overrides(&[("consumer.session.timeout.ms", "50000")]);
    let metrics = overrides(&[("interval.ms", "1000"), ("metrics", "a,b")]);
    let view = View { statics: &statics, broker: Some(&broker), cluster: Some(&cluster) };
    let mut lines = BTreeMap::new();
    for (resource, all) in [
        ("topic", describe_topic(&view, Some(&topic), None)),
        ("broker", describe_broker(&view, None)),
        ("cluster", describe_cluster(Some(&cluster), None)),
        ("group", describe_group(&view, Some(&group), None)),
        ("metrics", describe_client_metrics(Some(&metrics), None)),
    ] {
        lines.extend(all.iter().map(|described| line(resource, described)));
    }
    lines
}

/// Where we differ from Kafka on purpose.
const DIFFERENT: [(&str, &str); 3] = [
    // Kafka shows 168 here once log.retention.ms is set dynamically, and 24 among the synonyms.
    ("broker|log.retention.hours", "shows the value that the file sets"),
    ("broker|node.id", "has a default here"),
    ("broker|process.roles", "has a default here"),
];

#[test]
fn every_configuration_is_described_as_kafka_describes_it() {
    let ours = ours();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for expected in KAFKA.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = expected.splitn(3, '|');
        let key = format!("{}|{}", parts.next().unwrap(), parts.next().unwrap());
        let expected = parts.next().unwrap();
        seen += 1;
        if DIFFERENT.iter().any(|(name, _)| *name == key) {
            continue;
        }
        match ours.get(&key) {
            Some(ours) if ours == expected => {}
            other => wrong.push(format!("{key}\n  kafka {expected}\n  ours  {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {seen} differ:\n{}", wrong.len(), wrong.join("\n"));
    let beyond: Vec<_> = ours
        .keys()
        .filter(|key| !key.contains("|millrace.") && !KAFKA.contains(&format!("{key}|")))
        .collect();
    assert_eq!(beyond, [""; 0]);
}

#[test]
fn only_the_names_asked_for_are_described() {
    let statics = Statics::of([("ssl.keystore.password", "secret")]);
    let view = View::of(&statics);
    let described = describe_broker(&view, Some(&["ssl.keystore.password", "nope"]));
    assert_eq!(described.len(), 1);
    assert_eq!(described[0].value, None);
    assert_eq!(described[0].synonyms[0].value, None, "a secret stands in no answer");
    assert_eq!(describe_topic(&view, None, Some(&["retention.ms"])).len(), 1);
}

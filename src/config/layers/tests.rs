//! Which layer wins, what is warned of, and what is refused.

use super::*;
use crate::config::AdvertisedHost;

fn file(text: &str) -> Result<Loaded, ConfigError> {
    load(&Inputs { file: Some(text), ..Inputs::default() })
}

fn environment(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A combined node's file in the manner of those that Apache Kafka ships.
const KRAFT: &str = "
process.roles=broker,controller
node.id=0
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
inter.broker.listener.name=PLAINTEXT
advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL
num.network.threads=3
socket.send.buffer.bytes=102400
log.dirs=/var/lib/one,/var/lib/two
num.partitions=4
num.recovery.threads.per.data.dir=1
offsets.topic.replication.factor=1
log.retention.hours=24
log.segment.bytes=1073741824
";

#[test]
fn a_kraft_nodes_file_starts_without_a_warning() {
    let loaded = file(KRAFT).unwrap();
    assert_eq!(loaded.warnings, [""; 0]);
    assert_eq!(loaded.config.node_id, 0);
    assert_eq!(loaded.config.log_dirs, ["/var/lib/one", "/var/lib/two"]);
    assert_eq!(loaded.config.metadata_log_dir, "/var/lib/one");
    assert_eq!(loaded.config.topics.partitions, 4);
    assert_eq!(loaded.config.listeners.bound.len(), 1);
    assert_eq!(
        loaded.accepted,
        [
            "controller.quorum.bootstrap.servers",
            "num.network.threads",
            "num.recovery.threads.per.data.dir",
        ]
    );
}

#[test]
fn without_any_file_the_broker_is_local() {
    let loaded = load(&Inputs::default()).unwrap();
    let listener = &loaded.config.listeners.bound[0];
    assert_eq!((listener.host.as_str(), listener.port), ("127.0.0.1", 9092));
    assert_eq!(loaded.config.log_dirs, ["data"]);
    assert_eq!(loaded.config.node_id, 1);
    assert!(loaded.accepted.is_empty());
}

#[test]
fn an_environment_that_describes_a_node_binds_every_interface_and_another_none_but_loopback() {
    let host = |variables: &[(&str, &str)]| {
        let variables = environment(variables);
        let loaded = load(&Inputs { environment: &variables, ..Inputs::default() }).unwrap();
        loaded.config.listeners.bound[0].host.clone()
    };
    assert_eq!(host(&[("KAFKA_NODE_ID", "1")]), "");
    assert_eq!(host(&[("KAFKA_LOG_RETENTION_HOURS", "1")]), "127.0.0.1");
}

#[test]
fn advertise_names_the_first_listener_that_clients_may_use() {
    let flags = Flags { advertise: Some("host:1".to_owned()), ..Flags::default() };
    let file = "listeners=CONTROLLER://:9093,OUT://:9092\ncontroller.listener.names=CONTROLLER\n\
                listener.security.protocol.map=OUT:PLAINTEXT,CONTROLLER:PLAINTEXT";
    let loaded = load(&Inputs { file: Some(file), flags, ..Inputs::default() }).unwrap();
    assert_eq!(loaded.config.listeners.advertised[0].name, "OUT");
}

#[test]
fn flags_win_over_the_environment_and_it_over_the_file() {
    let variables = environment(&[
        ("KAFKA_NUM_PARTITIONS", "5"),
        ("KAFKA_NODE_ID", "7"),
        ("KAFKA_HEAP_OPTS", "-Xmx1g"),
        ("CLUSTER_ID", "abc"),
        ("PATH", "/bin"),
    ]);
    let flags =
        Flags { set: vec![("num.partitions".to_owned(), "6".to_owned())], ..Flags::default() };
    let loaded = load(&Inputs { file: Some(KRAFT), environment: &variables, flags }).unwrap();
    assert_eq!(loaded.config.topics.partitions, 6);
    assert_eq!(loaded.config.node_id, 7);
    assert_eq!(loaded.cluster_id.as_deref(), Some("abc"));
    assert_eq!(loaded.warnings, [""; 0]);
}

#[test]
fn listen_takes_the_place_of_the_files_listeners_and_their_names() {
    let flags = Flags {
        listen: Some("127.0.0.1:0".to_owned()),
        advertise: Some("broker.example:1234".to_owned()),
        data_dir: Some("/tmp/x".to_owned()),
        ..Flags::default()
    };
    let loaded = load(&Inputs { file: Some(KRAFT), environment: &[], flags }).unwrap();
    let listeners = &loaded.config.listeners;
    assert_eq!(listeners.bound.len(), 1);
    let advertised = listeners.advertised("PLAINTEXT").unwrap();
    assert_eq!(advertised.host, AdvertisedHost::Fixed("broker.example".to_owned()));
    assert_eq!(advertised.port, Some(1234));
    assert_eq!(loaded.config.log_dirs, ["/tmp/x"]);
}

#[test]
fn a_name_nobody_knows_is_a_warning_in_a_file_and_refused_as_a_flag() {
    let loaded = file("log.retention.hour=1\nzookeeper.connect=z:2181\nfoo=1\n").unwrap();
    assert_eq!(loaded.warnings.len(), 3);
    assert!(loaded.warnings[0].contains("log.retention.hours"), "{:?}", loaded.warnings);
    assert!(loaded.warnings[0].contains("line 1"), "{:?}", loaded.warnings);
    assert!(loaded.warnings[1].contains("no longer"), "{:?}", loaded.warnings);

    let flags =
        Flags { set: vec![("log.retention.hour".to_owned(), "1".to_owned())], ..Flags::default() };
    let error = load(&Inputs { flags, ..Inputs::default() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "log.retention.hour = '1' (flag): no configuration has this name; did you mean \
         log.retention.hours?"
    );
}

#[test]
fn a_bad_value_is_refused_with_key_value_place_and_what_would_be_right() {
    let error = file("\nnum.partitions=none\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "num.partitions = 'none' (line 2 of the file): must be an integer of at least 1"
    );
    let variables = environment(&[("KAFKA_LOG_CLEANUP_POLICY", "shred")]);
    let error = load(&Inputs { environment: &variables, ..Inputs::default() }).unwrap_err();
    assert_eq!(
        error.to_string(),
        "log.cleanup.policy = 'shred' (environment variable KAFKA_LOG_CLEANUP_POLICY): must be a \
         list of compact, delete"
    );
    // A configuration that has no meaning here is checked all the same.
    assert!(file("ssl.client.auth=maybe").is_err());
    assert!(matches!(file("a=\\u12"), Err(ConfigError::Syntax { line: 1 })));
}

#[test]
fn secrets_are_not_printed() {
    let flags = Flags {
        set: vec![("ssl.key.pasword".to_owned(), "hunter2".to_owned())],
        ..Flags::default()
    };
    let known = load(&Inputs { flags, ..Inputs::default() }).unwrap_err().to_string();
    assert!(!known.contains("hunter2"), "{known}");
}

#[test]
fn a_listeners_own_settings_are_known() {
    let loaded = file(
        "listener.name.external.ssl.keystore.location=/k\n\
         listener.name.external.plain.sasl.jaas.config=x\nrsm.config.a=b\n\
         listener.name.external.max.connections=5\n\
         listener.name.external.max.connection.creation.rate=7\nmax.connections=9\n",
    )
    .unwrap();
    assert_eq!(loaded.warnings, [""; 0]);
    // Limits of one listener have no effect, so they are told of; the broker's own have.
    assert_eq!(loaded.accepted.len(), 5, "{:?}", loaded.accepted);
    assert!(file("listener.name.external.max.connections=many").is_err());
}

#[test]
fn values_that_do_not_fit_together_are_refused() {
    for (text, part) in [
        ("node.id=1\nbroker.id=2", "must agree"),
        ("process.roles=controller", "broker"),
        ("log.retention.ms=0", "-1 for unlimited"),
        ("log.roll.ms=0", "at least 1"),
        ("max.connections.per.ip=0", "max.connections.per.ip.overrides"),
        ("max.connections.per.ip.overrides=host", "host:count"),
        ("group.min.session.timeout.ms=5\ngroup.max.session.timeout.ms=4", "must not exceed"),
        ("queued.max.request.bytes=5", "socket.request.max.bytes"),
        ("socket.send.buffer.bytes=0", "the system's choice"),
        ("millrace.admin.listener=here", "host:port"),
        ("log.cleaner.min.compaction.lag.ms=9\nlog.cleaner.max.compaction.lag.ms=8", "exceed"),
    ] {
        let message = file(text).unwrap_err().to_string();
        assert!(message.contains(part), "{text}: {message}");
    }
    assert_eq!(file("broker.id=5").unwrap().config.node_id, 5);
    assert_eq!(file("node.id=5").unwrap().statics.get("broker.id"), Some("5"));
    let limits = file("max.connections.per.ip.overrides=::1:5,a:6").unwrap().config.connections;
    assert_eq!(limits.per_ip_overrides["::1"], 5);
}

//! What changes while a real broker runs: client quotas and brokers' dynamic configurations.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::time::{Duration, Instant};

use millrace_engine::ProducerStamp;
use millrace_net::messages::alter_client_quotas::{
    AlterClientQuotasRequest, EntityData, EntryData, OpData,
};
use millrace_net::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use millrace_net::messages::describe_client_quotas::DescribeClientQuotasRequest;
use millrace_net::messages::fetch::FetchRequest;
use millrace_net::messages::produce::ProduceRequest;
use support::{BROKER, Broker, Connection, FETCH_VERSION, PRODUCE_VERSION, batch, wait_until};

/// Bytes per second of the tests' quotas. Kafka's window holds ten times as many.
const RATE: f64 = 10_000.0;
const WINDOW_BYTES: usize = 100_000;

/// Sets a quota; no name is the type's default.
fn set_quota(connection: &mut Connection, kind: &str, name: Option<&str>, key: &str, value: f64) {
    let entity =
        vec![EntityData { entity_type: kind.to_owned(), entity_name: name.map(str::to_owned) }];
    let ops = vec![OpData { key: key.to_owned(), value, remove: false }];
    let request = AlterClientQuotasRequest {
        entries: vec![EntryData { entity, ops }],
        ..AlterClientQuotasRequest::default()
    };
    let answer = connection.ask(&request, 1).expect("an answer");
    assert_eq!(answer.entries[0].error_code, 0, "{:?}", answer.entries[0].error_message);
}

fn records(bytes: usize) -> bytes::Bytes {
    batch(ProducerStamp::default(), [vec![b'x'; bytes]])
}

/// Produces and gives the time to wait, ms.
fn produce(connection: &mut Connection, topic: &str, bytes: usize) -> i32 {
    let request = support::produce_request(topic, 0, records(bytes));
    let answer = connection.ask::<ProduceRequest>(&request, PRODUCE_VERSION).expect("an answer");
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    answer.throttle_time_ms
}

fn one_partition(name: &str) -> CreatableTopic {
    CreatableTopic {
        name: name.to_owned(),
        num_partitions: 1,
        replication_factor: 1,
        ..CreatableTopic::default()
    }
}

fn wait_of(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).expect("no wait is negative"))
}

#[test]
fn a_producer_over_its_quota_is_answered_at_once_and_heard_later() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "1"]);
    let mut connection = Connection::open(broker.address).unwrap();
    connection.create_topic("t", 1, &[]);
    assert_eq!(produce(&mut connection, "t", WINDOW_BYTES + 10_000), 0, "without a quota");
    set_quota(&mut connection, "client-id", Some("test"), "producer_byte_rate", RATE);
    let begun = Instant::now();
    let wait = produce(&mut connection, "t", WINDOW_BYTES + 10_000);
    let answered = begun.elapsed();
    assert!((1_000..1_100).contains(&wait), "{wait} ms");
    connection.metadata().unwrap();
    let heard = begun.elapsed();
    assert!(heard >= wait_of(wait), "heard after {heard:?}, before {wait} ms were over");
    assert!(answered + wait_of(wait) / 2 < heard, "the answer came after {answered:?}");
    // The client is quiet for the window; the quota of somebody else would not concern it.
    set_quota(&mut connection, "client-id", Some("test"), "producer_byte_rate", 1e9);
    set_quota(&mut connection, "client-id", Some("other"), "producer_byte_rate", 1.0);
    assert_eq!(produce(&mut connection, "t", WINDOW_BYTES), 0);
}

#[test]
fn a_consumer_over_its_quota_gets_no_records_until_it_has_waited() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "1"]);
    let mut connection = Connection::open(broker.address).unwrap();
    connection.create_topic("t", 1, &[]);
    for _ in 0..22 {
        produce(&mut connection, "t", 5_000);
    }
    set_quota(&mut connection, "user", None, "consumer_byte_rate", RATE);
    let mut offset = 0;
    let mut fetch = |offset: i64| {
        let request = support::fetch_request("t", &[0], offset, 0);
        let answer = connection.ask::<FetchRequest>(&request, FETCH_VERSION).unwrap();
        let bytes = answer.responses.first().and_then(|topic| topic.partitions[0].records.clone());
        (answer.throttle_time_ms, bytes.unwrap_or_default().len())
    };
    let (wait, bytes) = fetch(offset);
    assert_eq!(wait, 0);
    assert!(bytes > WINDOW_BYTES / 2 && bytes <= WINDOW_BYTES, "{bytes} bytes at once");
    offset += i64::try_from(bytes / 5_000).unwrap();
    let begun = Instant::now();
    let (wait, bytes) = fetch(offset);
    assert!(wait > 0 && bytes == 0, "{wait} ms, {bytes} bytes");
    let mut waited = wait;
    wait_until("records come again", || {
        let (wait, bytes) = fetch(offset);
        assert!(bytes == 0 || wait == 0, "{bytes} bytes and {wait} ms to wait");
        assert!(begun.elapsed() >= wait_of(waited), "heard before {waited} ms were over");
        waited += wait;
        bytes > 0
    });
}

#[test]
fn connections_on_two_shards_share_a_quota() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "2"]);
    // The shard with fewer connections takes the next one.
    let mut one = Connection::open(broker.address).unwrap();
    one.create_topic("t", 1, &[]);
    let mut two = Connection::open(broker.address).unwrap();
    set_quota(&mut two, "client-id", None, "producer_byte_rate", RATE);
    assert_eq!(produce(&mut one, "t", WINDOW_BYTES - 2_000), 0, "within the quota");
    // What the second uses by itself stays far below: 3,000 times 20 ms are a minute.
    let mut used = 0;
    wait_until("the other shard knows", || {
        used += 100 + 200;
        produce(&mut two, "t", 100) > 0 && used < WINDOW_BYTES
    });
}

#[test]
fn a_client_whose_requests_take_too_long_waits_for_at_most_a_sample() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "1"]);
    let mut connection = Connection::open(broker.address).unwrap();
    set_quota(&mut connection, "user", Some("ANONYMOUS"), "request_percentage", 0.001);
    let mut wait = 0;
    wait_until("requests are throttled", || {
        wait = connection.metadata().unwrap().throttle_time_ms;
        wait > 0
    });
    assert!(wait <= 1_000, "{wait} ms");
    let begun = Instant::now();
    connection.metadata().unwrap();
    assert!(begun.elapsed() >= wait_of(wait / 2), "not heard at once");
}

#[test]
fn an_address_may_connect_only_so_often() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "2"]);
    let mut connection = Connection::open(broker.address).unwrap();
    set_quota(&mut connection, "ip", None, "connection_creation_rate", 1.0);
    // A window holds ten of them; the eleventh and those behind it are closed unheard.
    let served = (0..14)
        .filter(|_| Connection::open(broker.address).is_ok_and(|mut one| one.metadata().is_ok()))
        .count();
    assert!((10..14).contains(&served), "{served} of 14 served");
    assert!(connection.metadata().is_ok(), "those that are there stay");
}

#[test]
fn a_client_may_create_only_so_many_partitions() {
    const THROTTLING_QUOTA_EXCEEDED: i16 = 89;
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "2"]);
    let mut connection = Connection::open(broker.address).unwrap();
    set_quota(&mut connection, "user", None, "controller_mutation_rate", 1.0);
    let create = |topics: &[(&str, i32)], version: i16| {
        let topic = |(name, partitions): &(&str, i32)| CreatableTopic {
            name: (*name).to_owned(),
            num_partitions: *partitions,
            replication_factor: 1,
            ..CreatableTopic::default()
        };
        let request = CreateTopicsRequest {
            topics: topics.iter().map(topic).collect(),
            timeout_ms: 30_000,
            ..CreateTopicsRequest::default()
        };
        // Another connection, perhaps on another shard; its client is the same.
        let mut connection = Connection::open(broker.address).unwrap();
        let answer = connection.ask(&request, version).unwrap();
        let codes: Vec<i16> = answer.topics.iter().map(|topic| topic.error_code).collect();
        (codes, answer.throttle_time_ms)
    };
    // The bucket holds eleven: what overdraws it is granted, what comes behind it is not.
    let (codes, wait) = create(&[("first", 11), ("second", 20), ("third", 1)], 6);
    assert_eq!(codes, [0, 0, THROTTLING_QUOTA_EXCEEDED]);
    assert!((15_000..=20_000).contains(&wait), "{wait} ms");
    let (codes, wait) = create(&[("third", 1)], 6);
    assert_eq!(codes, [THROTTLING_QUOTA_EXCEEDED]);
    assert!((10_000..=20_000).contains(&wait), "{wait} ms");
    let (codes, wait) = create(&[("fourth", 3)], 5);
    assert_eq!(codes, [0], "a version that does not know the error");
    assert!((10_000..=23_000).contains(&wait), "{wait} ms");
    connection.metadata().expect("whoever did not create them is heard");
}

/// The samples of a metric in a text, each as its labels and its value.
fn samples(text: &str, name: &str) -> Vec<(String, f64)> {
    let sample = |line: &str| {
        let (labels, value) = line.strip_prefix(name)?.strip_prefix('{')?.rsplit_once("} ")?;
        Some((labels.to_owned(), value.parse().ok()?))
    };
    text.lines().filter_map(sample).collect()
}

#[test]
fn who_is_throttled_and_for_how_long_is_told_at_the_admin_port() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "2", "--admin", "127.0.0.1:0"]);
    let admin = broker.admin();
    let mut connection = Connection::open(broker.address).unwrap();
    connection.create_topic("t", 1, &[]);
    produce(&mut connection, "t", 1_000);
    // A name that ends labels and lines, which nobody has, and the client's own.
    set_quota(&mut connection, "client-id", Some("a\"b\\\n"), "producer_byte_rate", RATE);
    set_quota(&mut connection, "client-id", Some("test"), "producer_byte_rate", RATE);
    set_quota(&mut connection, "user", None, "controller_mutation_rate", 1.0);
    let wait = produce(&mut connection, "t", WINDOW_BYTES + 10_000);
    assert!(wait > 0);
    let create = |topics: Vec<CreatableTopic>| {
        let request =
            CreateTopicsRequest { topics, timeout_ms: 30_000, ..CreateTopicsRequest::default() };
        let mut connection = Connection::open(broker.address).unwrap();
        connection.ask(&request, 6).unwrap().throttle_time_ms
    };
    assert_eq!(create(vec![CreatableTopic { num_partitions: 12, ..one_partition("more") }]), 0);
    let mutation_wait = create(["x", "y"].map(one_partition).to_vec());
    let mut odd = Connection::open_as(broker.address, "a\"b\\\n").unwrap();
    produce(&mut odd, "t", 500);

    let test = r#"user="",client_id="test""#;
    let odd = r#"user="",client_id="a\"b\\\n""#;
    let user = r#"user="ANONYMOUS",client_id="""#;
    let mut text = String::new();
    wait_until("everything is told", || {
        text = support::metrics(&admin);
        samples(&text, "millrace_quota_bytes_total").len() == 2
            && samples(&text, "millrace_quota_throttled_total").len() == 3
            && samples(&text, "millrace_quota_throttled_total")
                .iter()
                .any(|(labels, count)| labels.contains("ControllerMutation") && *count > 0.0)
    });
    let seconds = |ms: i32| f64::from(ms) / 1000.0;
    let produced = |who: &str| format!("type=\"Produce\",{who}");
    let mutated = format!("type=\"ControllerMutation\",{user}");
    let throttled = samples(&text, "millrace_quota_throttled_total");
    assert_eq!(
        throttled,
        [(produced(odd), 0.0), (produced(test), 1.0), (mutated.clone(), 1.0)],
        "one answer for two refused topics"
    );
    assert_eq!(
        samples(&text, "millrace_quota_throttle_seconds_total"),
        [(produced(odd), 0.0), (produced(test), seconds(wait)), (mutated, seconds(mutation_wait))]
    );
    let bytes = samples(&text, "millrace_quota_bytes_total");
    assert!(bytes[1].1 > 110_000.0 && bytes[1].1 < 111_000.0, "what came before does not count");
    assert!(bytes[0].1 > 500.0 && bytes[0].1 < 1_000.0, "{bytes:?}");
    assert_eq!(samples(&text, "millrace_quota_mutations_total"), [(user.to_owned(), 12.0)]);
    assert!(text.contains("\nmillrace_quota_holders_left_out 0\n"));
}

#[test]
fn quotas_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "1"]);
    let mut connection = Connection::open(broker.address).unwrap();
    set_quota(&mut connection, "user", None, "consumer_byte_rate", RATE);
    broker.kill();
    let broker = Broker::start(dir.path(), &["--shards", "1"]);
    let mut connection = Connection::open(broker.address).unwrap();
    let answer = connection.ask(&DescribeClientQuotasRequest::default(), 1).unwrap();
    let entries = answer.entries.unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].entity[0].entity_name, None);
    assert_eq!(
        (entries[0].values[0].key.as_str(), entries[0].values[0].value),
        ("consumer_byte_rate", RATE)
    );
}

/// Sets a broker configuration, or takes it away.
fn set_config(connection: &mut Connection, broker: &str, name: &str, value: Option<&str>) {
    connection.set_configs((BROKER, broker), &[(name, value)]);
}

#[test]
fn a_brokers_dynamic_configuration_takes_effect_at_once_and_survives() {
    const TOO_LARGE: i16 = 10;
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::start(dir.path(), &["--shards", "2"]);
    let mut connection = Connection::open(broker.address).unwrap();
    connection.create_topic("t", 1, &[]);
    let code = |connection: &mut Connection| {
        connection.produce("t", 0, records(3_000)).unwrap().error_code
    };
    assert_eq!(code(&mut connection), 0);
    set_config(&mut connection, "", "message.max.bytes", Some("2000"));
    assert_eq!(code(&mut connection), TOO_LARGE);
    set_config(&mut connection, "1", "message.max.bytes", Some("4000"));
    assert_eq!(code(&mut connection), 0, "the broker's own wins");
    set_config(&mut connection, "1", "message.max.bytes", None);
    broker.kill();
    let broker = Broker::start(dir.path(), &["--shards", "2"]);
    let mut connection = Connection::open(broker.address).unwrap();
    assert_eq!(code(&mut connection), TOO_LARGE);
    set_config(&mut connection, "", "message.max.bytes", None);
    assert_eq!(code(&mut connection), 0);
}

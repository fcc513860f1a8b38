//! `millrace topic` and `millrace config` against a broker.

use serde_json::{Value, json};

use crate::broker::{Broker, run, text};

#[test]
fn a_topic_is_made_shown_changed_and_deleted() {
    let broker = Broker::start();
    let ok = |words: &[&str]| broker.ok(words, b"");
    let made = ok(&["topic", "create", "logs", "-p", "3", "-c", "retention.ms=60000"]);
    assert_eq!(made, "topic logs created with 3 partitions\n");
    ok(&["topic", "create", "logs", "--if-not-exists"]);

    let list = broker.json(&["topic", "list"]);
    assert_eq!(list[0]["name"], "logs");
    assert_eq!(list[0]["partitions"], 3);
    let table = ok(&["topic", "list"]);
    let row: Vec<&str> = table.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..3], ["logs", "3", "1"]);

    let described = broker.json(&["topic", "describe", "logs"]);
    assert_eq!(described[0]["configs"], json!({"retention.ms": "60000"}));
    assert_eq!(described[0]["partitions"].as_array().map(Vec::len), Some(3));
    assert_eq!(described[0]["partitions"][2]["high_watermark"], 0);
    assert!(ok(&["topic", "describe", "logs"]).contains("retention.ms=60000"));

    ok(&[
        "topic",
        "alter",
        "logs",
        "--partitions",
        "5",
        "--set",
        "max.message.bytes=1000",
        "--unset",
        "retention.ms",
    ]);
    let described = broker.json(&["topic", "describe", "logs"]);
    assert_eq!(described[0]["partitions"].as_array().map(Vec::len), Some(5));
    assert_eq!(described[0]["configs"], json!({"max.message.bytes": "1000"}));

    assert_eq!(ok(&["topic", "delete", "logs"]), "deleted logs\n");
    ok(&["topic", "delete", "logs", "--if-exists"]);
    assert_eq!(ok(&["topic", "list"]), "no topics\n");
}

#[test]
fn configurations_of_topics_and_brokers_are_set_and_given_back() {
    let broker = Broker::start();
    broker.ok(&["topic", "create", "t"], b"");
    broker
        .ok(&["config", "set", "--topic", "t", "retention.bytes=5", "cleanup.policy=compact"], b"");
    let shown = broker.json(&["config", "describe", "--topic", "t"]);
    let names: Vec<&Value> = shown.as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["cleanup.policy", "retention.bytes"]);
    broker.ok(&["config", "delete", "--topic", "t", "cleanup.policy"], b"");
    let shown = broker.json(&["config", "describe", "--topic", "t", "cleanup.policy"]);
    assert_eq!(shown[0]["value"], "delete");
    broker.ok(&["config", "set", "--broker", "all", "log.retention.ms=1000000"], b"");
    let shown = broker.json(&["config", "describe", "--broker", "1", "log.retention.ms"]);
    assert_eq!(shown[0]["value"], "1000000");
    assert_eq!(shown[0]["source"], "all brokers, dynamic");
}

#[test]
fn a_refusal_says_what_where_and_what_to_do() {
    let broker = Broker::start();
    let cases: [(&[&str], i32, &[&str]); 6] = [
        (&["topic", "describe", "none"], 1, &["topic none", "UNKNOWN_TOPIC", "topic create"]),
        (&["topic", "create", "bad name"], 1, &["bad name", "INVALID_TOPIC", "1 to 249"]),
        (&["topic", "alter", "none"], 2, &["--partitions"]),
        (&["config", "set", "--broker", "77", "a=b"], 1, &["no broker 77", "there are: 1"]),
        (&["config", "describe", "--broker", "x"], 2, &["`all`"]),
        (&["consume", "none"], 1, &["topic none"]),
    ];
    for (words, code, parts) in cases {
        let output = broker.run(words, b"");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{words:?}: {said}");
    }
}

#[test]
fn a_broker_that_is_not_there_or_no_broker_is_told_apart() {
    // Bound and never accepted from: connections are refused once it is gone.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let output = run(&["topic", "list", "--bootstrap", &address], b"");
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    assert!(said.contains(&format!("cannot connect to {address}")), "{said}");
    // An HTTP server is no broker.
    let broker = Broker::start();
    let output = run(&["topic", "list", "--bootstrap", &broker.admin], b"");
    assert_eq!(output.status.code(), Some(3));
    let said = text(&output.stderr);
    assert!(said.contains("Kafka-speaking"), "{said}");
}

#[test]
fn completion_scripts_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completion", shell], b"");
        assert!(output.status.success());
        assert!(text(&output.stdout).contains("describe"), "{shell}");
    }
}

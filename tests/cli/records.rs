//! `millrace produce`, `consume` and `log`: what goes in comes out, and lies there unhurt.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::broker::{Broker, run, text};

/// Lines that are all different, some of them long.
fn lines(count: usize) -> Vec<u8> {
    let line = |index: usize| format!("line {index} {}\n", "x".repeat(index * 7 % 300));
    (0..count).map(line).collect::<String>().into_bytes()
}

#[test]
fn lines_come_back_as_they_went_in_with_every_codec() {
    let broker = Broker::start();
    let input = lines(5_000);
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        broker.ok(&["topic", "create", codec, "-p", "1"], b"");
        let words =
            ["produce", codec, "-z", codec, "--idempotent", "--batch-bytes", "20000", "--json"];
        let sent: Value = serde_json::from_str(&broker.ok(&words, &input)).unwrap();
        assert_eq!(sent["records"], 5_000);
        assert!(sent["batches"].as_u64().unwrap() > 10);
        assert_eq!(broker.ok(&["consume", codec], b"").as_bytes(), input, "{codec}");
    }
}

#[test]
fn keys_choose_partitions_and_everything_of_a_record_is_shown() {
    let broker = Broker::start();
    broker.ok(&["topic", "create", "t", "-p", "4"], b"");
    let words = ["produce", "t", "-k", "=>", "-H", "source=test", "--acks", "1"];
    broker.ok(&words, b"a=>1\nb=>2\na=>3\nno key\nb=>\n");
    let shown = broker.ok(&["consume", "t", "--json"], b"");
    let records: Vec<Value> =
        shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 5);
    let of = |key: &str| -> Vec<&Value> {
        records.iter().filter(|record| record["key"] == key).collect()
    };
    let values: Vec<&Value> = of("a").iter().map(|record| &record["value"]).collect();
    assert_eq!(values, ["1", "3"], "the order of a key holds");
    assert_eq!(of("a")[0]["partition"], of("a")[1]["partition"]);
    assert_eq!(of("a")[1]["headers"][0]["value"], "test");
    assert_eq!(of("b")[1]["value"], "");
    assert!(of("a")[0]["timestamp"].as_i64().unwrap() > 1_700_000_000_000);
    let partition = of("b")[0]["partition"].to_string();
    let format = ["consume", "t", "-p", &partition, "--format", "{key}:{value};", "--max", "1"];
    let first = broker.ok(&format, b"");
    assert!(["b:2;", "a:1;", ":no key;"].contains(&first.as_str()), "{first}");
}

#[test]
fn reading_starts_where_it_is_told_to() {
    let broker = Broker::start();
    broker.ok(&["produce", "t", "--partition", "0"], b"0\n1\n2\n3\n4\n");
    let from = |start: &str| broker.ok(&["consume", "t", "--from", start], b"");
    assert_eq!(from("beginning"), "0\n1\n2\n3\n4\n");
    assert_eq!(from("3"), "3\n4\n");
    assert_eq!(from("-2"), "3\n4\n");
    assert_eq!(from("end"), "");
    assert_eq!(from("2020-01-01T00:00:00Z"), "0\n1\n2\n3\n4\n");
    assert_eq!(from("2999-01-01"), "");
    let output = broker.run(&["consume", "t", "--from", "99", "--follow"], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("OFFSET_OUT_OF_RANGE"), "{}", text(&output.stderr));
}

#[test]
fn following_shows_what_comes() {
    let broker = Broker::start();
    broker.ok(&["topic", "create", "t"], b"");
    std::thread::scope(|scope| {
        let follow = scope.spawn(|| broker.ok(&["consume", "t", "--follow", "--max", "2"], b""));
        broker.ok(&["produce", "t"], b"one\n");
        broker.ok(&["produce", "t", "--acks", "0"], b"two\n");
        assert_eq!(follow.join().unwrap(), "one\ntwo\n");
    });
}

fn log_file(broker: &Broker, folder: &str) -> PathBuf {
    broker.data.path().join(folder).join("00000000000000000000.log")
}

#[test]
fn files_are_dumped_and_damage_is_found_where_it_is() {
    let broker = Broker::start();
    broker.ok(&["topic", "create", "t", "-c", "index.interval.bytes=0"], b"");
    broker.ok(&["produce", "t", "--batch-bytes", "3000", "-z", "lz4"], &lines(1_000));
    let file = log_file(&broker, "t-0");
    let path = file.to_str().unwrap();

    let batches = ok(&["log", "dump", path, "--json"]);
    let last: Value = serde_json::from_str(batches.lines().last().unwrap()).unwrap();
    assert_eq!((last["last_offset"].as_i64(), last["codec"].as_str()), (Some(999), Some("lz4")));
    let records = ok(&["log", "dump", path, "--records", "--from", "990"]);
    assert!(records.lines().last().unwrap().contains("\"line 999 "));
    let whole = run(&["log", "verify", path, "--json"], b"");
    assert!(whole.status.success(), "{}", text(&whole.stdout));
    let report: Value = serde_json::from_slice(&whole.stdout).unwrap();
    assert_eq!(
        (report[0]["records"].as_u64(), report[0]["next_offset"].as_i64()),
        (Some(1000), Some(1000))
    );

    // In a copy, so that the broker's own files stay what they are.
    let copy = tempfile::tempdir().unwrap();
    let damaged = copy.path().join("00000000000000000000.log");
    let mut bytes = fs::read(&file).unwrap();
    let second: Value = serde_json::from_str(batches.lines().nth(1).unwrap()).unwrap();
    let at = usize::try_from(second["position"].as_u64().unwrap()).unwrap();
    bytes[at + 100] ^= 1;
    bytes.truncate(bytes.len() - 1);
    fs::write(&damaged, bytes).unwrap();
    let index = 9_i32.to_be_bytes().into_iter().chain(5_i32.to_be_bytes()).collect::<Vec<u8>>();
    fs::write(damaged.with_extension("index"), index).unwrap();
    let output = run(&["log", "verify", copy.path().to_str().unwrap()], b"");
    assert_eq!(output.status.code(), Some(4));
    let said = text(&output.stdout);
    for part in
        [format!("at byte {at}: CRC"), "of which".into(), "no batch starts at byte 5".into()]
    {
        assert!(said.contains(&part), "{part} is missing:\n{said}");
    }
}

fn ok(words: &[&str]) -> String {
    let output = run(words, b"");
    assert!(output.status.success(), "{words:?}: {}", text(&output.stderr));
    text(&output.stdout).to_owned()
}

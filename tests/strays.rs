//! Folders in a log dir that are of no partition of the cluster, with a real process.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::path::Path;

use millrace_engine::ProducerStamp;
use support::{Broker, Connection, backends, batch, wait_until};

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("the log dir");
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// The name of the folder that `folder` was renamed to.
fn stray_of(dir: &Path, folder: &str) -> Option<String> {
    let is_it = |name: &String| {
        let unique = name.strip_prefix(folder)?.strip_prefix('.')?.strip_suffix("-stray")?;
        (unique.len() == 32).then_some(())
    };
    names(dir).into_iter().find(|name| is_it(name).is_some())
}

#[test]
fn strays_are_put_aside_and_leftovers_removed() {
    for backend in backends() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path();
        let broker = Broker::start(path, &["--io-backend", backend]);
        let mut connection = Connection::open(broker.address).expect("the broker is up");
        for topic in ["kept", "swapped", "bare"] {
            connection.create_topic(topic, 1, &[]);
            let records = batch(ProducerStamp::default(), [topic]);
            assert_eq!(connection.produce(topic, 0, records).expect("served").error_code, 0);
        }
        assert!(broker.stop());
        for name in names(path).iter().filter(|name| name.ends_with(".checkpoint")) {
            std::fs::remove_file(path.join(name)).expect("a checkpoint");
        }
        // Another topic of the same name, a folder whose topic is gone, one whose partition is, one
        // that was being deleted, and one whose process died before it wrote the id down.
        let other = "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAGg";
        std::fs::write(path.join("swapped-0/partition.metadata"), other).expect("written");
        std::fs::remove_file(path.join("bare-0/partition.metadata")).expect("it was there");
        let leftover = format!("gone-0.{:032x}-delete", 7);
        for folder in ["ghost-3", "kept-1", "not a partition", &leftover] {
            std::fs::create_dir(path.join(folder)).expect("a folder");
            std::fs::write(path.join(folder).join("file"), "x").expect("written");
        }
        let broker = Broker::start(path, &["--io-backend", backend]);
        let mut connection = Connection::open(broker.address).expect("the broker is up");
        let mut end = |topic: &str| {
            let answer = connection.fetch(topic, 0, 0).expect("an answer");
            (answer.error_code, answer.high_watermark)
        };
        assert_eq!(end("kept"), (0, 1));
        assert_eq!(end("bare"), (0, 1), "{backend}");
        assert_eq!(end("swapped"), (0, 0), "the topic of that name starts anew");
        for folder in ["ghost-3", "kept-1", "swapped-0"] {
            let stray = stray_of(path, folder).unwrap_or_else(|| panic!("{folder} is no stray"));
            let count = std::fs::read_dir(path.join(&stray)).expect("a folder").count();
            assert!(count > 0, "{stray} keeps what it held");
            assert!(broker.said().iter().any(|line| line.contains(&stray)), "it is told");
        }
        assert!(path.join("not a partition").is_dir() && path.join("swapped-0").is_dir());
        wait_until("the leftover is removed", || !path.join(&leftover).exists());
        assert!(broker.stop());
        let before = names(path);
        let broker = Broker::start(path, &["--io-backend", backend]);
        Connection::open(broker.address).expect("the broker is up").metadata().expect("served");
        assert!(broker.stop());
        assert_eq!(names(path), before, "strays stay as they are");
    }
}

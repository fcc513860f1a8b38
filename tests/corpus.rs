//! Apache Kafka's recorded answers against the broker of this build: no Java needed.

use std::fmt::Write as _;
use std::path::Path;

use millrace_oracle::broker::Broker;
use millrace_oracle::check::{Outcome, allow_list, check};

#[test]
fn every_recorded_answer_of_apache_kafka_is_ours_or_a_difference_that_is_meant() {
    let broker = Broker::start(Path::new(env!("CARGO_BIN_EXE_millrace")), &[]).expect("it starts");
    let mut differences = String::new();
    let report = check(&broker.bootstrap, "", &mut |case, outcome| {
        if !matches!(outcome, Outcome::Equal { .. }) {
            let _ = writeln!(differences, "{case}: {outcome:#?}");
        }
    })
    .expect("the cases can be played");
    assert!(report.passed() > 0, "no case was played");
    assert_eq!(report.failed(), 0, "{differences}\n{}", broker.log());
    assert_eq!(report.unused, Vec::<String>::new(), "meant differences that are none any more");
}

/// A difference stands in the list with its reason, and the same words stand where users look.
#[test]
fn every_difference_that_is_meant_stands_in_the_protocol_document_with_its_reason() {
    let text = |words: &str| words.split_whitespace().collect::<Vec<_>>().join(" ");
    let document = text(include_str!("../docs/PROTOCOL.md"));
    let allowed = allow_list().expect("the list can be read");
    assert!(!allowed.is_empty());
    for entry in allowed {
        let reason = text(&entry.reason);
        assert!(document.contains(&reason), "docs/PROTOCOL.md does not say: {entry}");
    }
}

//! Apache Kafka's recorded answers against the broker of this build: no Java needed.

use std::fmt::Write as _;
use std::path::Path;

use millrace_oracle::broker::Broker;
use millrace_oracle::check::{Outcome, check};

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

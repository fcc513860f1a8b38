//! The log against a simulated machine.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "tests"
)]

#[path = "log/compaction.rs"]
mod compaction;
#[path = "log/exhausted.rs"]
mod exhausted;
#[path = "log/life.rs"]
mod life;
#[path = "log/model.rs"]
mod model;
#[path = "log/namesakes.rs"]
mod namesakes;
#[path = "log/recovery.rs"]
mod recovery;
#[path = "log/rig.rs"]
mod rig;
#[path = "log/storage.rs"]
mod storage;

use millrace_engine::{LogConfig, Offset, Opening};
use rig::{Rig, batch, small};

const T: i64 = 1_767_225_000_000;

#[test]
fn what_is_appended_is_read_back() {
    let mut rig = Rig::new(LogConfig::default());
    for index in 0..10 {
        assert_eq!(rig.append(&batch(3, 100, T)), Ok(Offset(index * 3)));
    }
    assert_eq!(rig.read_all(0, 1 << 20), (0..10).map(|index| index * 3).collect::<Vec<_>>());
    assert_eq!(rig.read(4, 1), Ok(vec![3]), "the batch that holds the offset, whole");
    assert_eq!(rig.log.log_end_offset(), Offset(30));
}

#[test]
fn segments_roll_and_old_ones_are_read_through_their_indexes() {
    let mut rig = Rig::new(small());
    for _ in 0..100 {
        rig.append(&batch(2, 100, T)).unwrap();
    }
    assert!(rig.log.segment_count() > 5);
    let all: Vec<i64> = (0..100).map(|index| index * 2).collect();
    assert_eq!(rig.read_all(0, 700), all);
    for offset in 0..200 {
        assert_eq!(rig.read(offset, 1), Ok(vec![offset / 2 * 2]), "at {offset}");
    }
}

#[test]
fn after_a_kill_everything_that_was_acknowledged_is_there() {
    let mut rig = Rig::new(small());
    for _ in 0..50 {
        rig.append(&batch(2, 100, T)).unwrap();
    }
    rig.kill();
    let report = rig.reopen(Opening::default());
    assert_eq!(report.log_end, Offset(100));
    assert_eq!(report.cut, None);
    rig.advance();
    assert_eq!(rig.read_all(0, 1 << 20).len(), 50);
    assert_eq!(rig.append(&batch(1, 10, T)), Ok(Offset(100)));
}

#[test]
fn a_clean_stop_opens_without_a_file_operation() {
    let mut rig = Rig::new(small());
    for _ in 0..50 {
        rig.append(&batch(2, 100, T)).unwrap();
    }
    let checkpoint = rig.close();
    rig.kill();
    rig.open(Opening { is_clean: true, checkpoint: Some(checkpoint), ..Opening::default() });
    assert_eq!(rig.op_count(), 0);
    assert_eq!(rig.report().log_end, Offset(100));
    assert_eq!(rig.read_all(0, 1 << 20).len(), 50);
    assert_eq!(rig.append(&batch(1, 10, T)), Ok(Offset(100)));
    assert_eq!(rig.read(99, 1), Ok(vec![98]));
    assert_eq!(rig.read(100, 1), Ok(vec![100]));
}

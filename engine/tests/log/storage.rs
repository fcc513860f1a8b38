//! A disk that is full, fails, or is told to keep its promises.

use millrace_engine::{
    AppendError, AppendOutcome, Durability, LogConfig, LogEvent, Offset, Opening, ProducerId,
    ProducerStamp,
};
use millrace_world::{Faults, World, WorldConfig};

use super::T;
use super::rig::{Rig, batch, produced, small};

fn full(rig: &mut Rig, bytes_left: u64) {
    let disk_bytes_max = rig.world.disk().used_bytes() + bytes_left;
    rig.world.set_faults(Faults { disk_bytes_max, ..Faults::none() });
}

#[test]
fn a_full_disk_fails_appends_serves_reads_and_appends_again_when_space_is_back() {
    for bytes_left in [0, 1, 60, 61, 150, 300, 700] {
        let mut rig = Rig::new(LogConfig { preallocate: false, ..LogConfig::default() });
        for _ in 0..5 {
            rig.append(&batch(2, 100, T)).unwrap();
        }
        full(&mut rig, bytes_left);
        let tickets: Vec<u64> = (0..4).map(|_| rig.queue(&batch(2, 100, T)).0).collect();
        rig.settle();
        for ticket in tickets {
            assert_eq!(rig.outcome(ticket), Err(AppendError::NoSpace));
        }
        assert!(rig.has_event(|event| matches!(event, LogEvent::SpaceGone)));
        assert_eq!(rig.log.log_end_offset(), Offset(10), "offsets go back to the written end");
        assert_eq!(rig.queue(&batch(1, 1, T)).1, Err(AppendError::NoSpace));
        assert_eq!(rig.read_all(0, 1 << 20).len(), 5, "reads go on");
        let length = rig.file("00000000000000000000.log").len() as u64;
        assert_eq!(length, rig.log.size_bytes(), "the file is cut back");
        rig.pass(5_000);
        assert_eq!(rig.queue(&batch(1, 1, T)).1, Err(AppendError::NoSpace), "still full");
        rig.world.set_faults(Faults::none());
        rig.pass(5_000);
        assert!(rig.has_event(|event| matches!(event, LogEvent::SpaceBack)));
        assert_eq!(rig.append(&batch(2, 100, T)), Ok(Offset(10)));
        assert_eq!(rig.read_all(0, 1 << 20), vec![0, 2, 4, 6, 8, 10]);
        rig.kill();
        assert_eq!(rig.reopen(Opening::default()).log_end, Offset(12));
    }
}

#[test]
fn a_log_with_a_reserve_goes_on_on_a_full_disk_until_that_is_used_up() {
    let reserve_bytes = 64 << 10;
    let mut rig = Rig::new(LogConfig { preallocate: false, reserve_bytes, ..LogConfig::default() });
    rig.append(&batch(2, 100, T)).unwrap();
    full(&mut rig, 0);
    loop {
        let (ticket, outcome) = rig.queue(&batch(2, 1_000, T));
        rig.settle();
        if outcome.is_err() || rig.outcome(ticket).is_err() {
            break;
        }
        assert!(rig.log.size_bytes() < 2 * reserve_bytes, "the disk is full");
    }
    assert!(rig.log.size_bytes() > reserve_bytes / 2);
    rig.world.set_faults(Faults::none());
    rig.pass(5_000);
    rig.append(&batch(2, 100, T)).unwrap();
}

/// Retention found segments to remove, their renaming failed for want of a block in the folder,
/// and the disk stayed full for good.
#[test]
fn segments_that_cannot_be_renamed_on_a_full_disk_are_removed_all_the_same() {
    let retention_bytes = Some(10_000);
    let mut rig = Rig::new(LogConfig { preallocate: false, retention_bytes, ..small() });
    for _ in 0..100 {
        rig.append(&batch(2, 100, T)).unwrap();
    }
    let before = rig.names().len();
    full(&mut rig, 0);
    let (ticket, _) = rig.queue(&batch(2, 100, T));
    rig.settle();
    assert_eq!(rig.outcome(ticket), Err(AppendError::NoSpace));
    rig.retention();
    rig.pass(120_000);
    assert!(rig.names().len() < before, "{:?}", rig.names());
    let start = rig.log.log_start_offset();
    assert!(start > Offset(0));
    let stays = |name: &&String| name.as_str() < format!("{:020}", start.0).as_str();
    assert_eq!(rig.names().iter().find(stays), None, "nothing below the start");
    let next = rig.log.log_end_offset();
    assert_eq!(rig.append(&batch(2, 10, T)), Ok(next), "appends go on");
}

#[test]
fn a_disk_that_fills_while_a_segment_rolls_leaves_no_stray_segment() {
    for bytes_left in (0..6000).step_by(97) {
        let mut rig = Rig::new(LogConfig { preallocate: false, ..small() });
        for _ in 0..15 {
            rig.append(&batch(2, 100, T)).unwrap();
        }
        full(&mut rig, bytes_left);
        let tickets: Vec<u64> = (0..30).map(|_| rig.queue(&batch(2, 100, T)).0).collect();
        rig.settle();
        let told: Vec<bool> = tickets.iter().map(|ticket| rig.outcome(*ticket).is_ok()).collect();
        assert!(told.is_sorted_by(|a, b| a >= b), "a prefix is appended: {told:?}");
        rig.world.set_faults(Faults::none());
        rig.pass(10_000);
        let end = rig.log.log_end_offset();
        assert_eq!(end.0, 30 + 2 * told.iter().filter(|told| **told).count() as i64);
        for index in 0..10 {
            assert_eq!(rig.append(&batch(2, 100, T)), Ok(end.plus(index * 2)));
        }
        let expected: Vec<i64> =
            (0..rig.log.log_end_offset().0 / 2).map(|index| index * 2).collect();
        assert_eq!(rig.read_all(0, 4096), expected, "left {bytes_left}");
        rig.kill();
        let report = rig.reopen(Opening::default());
        assert_eq!((report.log_end.0, report.cut), (expected.len() as i64 * 2, None));
    }
}

/// The log goes on in the segment that the stray one was to follow. Had a power loss brought that one
/// back, what lies behind its name would count as below the log's start.
#[test]
fn a_next_segment_that_was_removed_does_not_come_back_after_a_power_loss() {
    let mut beyond = 0;
    for seed in 0..60 {
        let (stops, bytes_left) = (seed % 2 == 1, 40 + seed * 7);
        let durability = Durability::GroupCommit;
        let config = LogConfig { preallocate: false, durability, ..small() };
        let mut rig = Rig::with_world(World::new(WorldConfig::new(seed)), config);
        let mut length = 0;
        while length < 4096 - 600 {
            rig.append(&batch(2, 100, T)).unwrap();
            length = rig.file(&format!("{:020}.log", 0)).len();
        }
        full(&mut rig, bytes_left);
        let tickets: Vec<u64> = (0..30).map(|_| rig.queue(&batch(2, 100, T)).0).collect();
        rig.settle();
        assert!(tickets.iter().any(|ticket| rig.outcome(*ticket).is_err()));
        rig.world.set_faults(Faults::none());
        rig.pass(10_000);
        if stops {
            let checkpoint = Some(rig.close());
            rig.reopen(Opening { is_clean: true, checkpoint, ..Opening::default() });
            rig.pass(10_000);
        }
        // As small as can be, so that many offsets go into the rest of the segment.
        for _ in 0..2 {
            rig.append(&batch(15, 0, T)).unwrap();
        }
        let end = rig.log.log_end_offset();
        beyond +=
            usize::from(rig.names().iter().filter(|name| name.ends_with(".log")).count() == 1);
        rig.advance_log_start(end.0 - 1).unwrap();
        let checkpoint = Some(rig.log.checkpoint());
        rig.lose_power();
        let report = rig.reopen(Opening { checkpoint, ..Opening::default() });
        assert_eq!(report.log_end, end, "seed {seed}");
    }
    assert!(beyond > 10, "most go on in the first segment: {beyond}");
}

#[test]
fn a_failed_write_takes_producers_back_to_where_they_were() {
    let mut rig = Rig::new(LogConfig { preallocate: false, ..LogConfig::default() });
    let stamp = |base_sequence| ProducerStamp { id: ProducerId(9), epoch: 0, base_sequence };
    rig.append(&produced(1, 10, T, stamp(0))).unwrap();
    full(&mut rig, 0);
    let (first, _) = rig.queue(&produced(1, 10, T, stamp(1)));
    let (second, _) = rig.queue(&produced(1, 10, T, stamp(2)));
    rig.settle();
    assert_eq!(rig.outcome(first), Err(AppendError::NoSpace));
    assert_eq!(rig.outcome(second), Err(AppendError::NoSpace));
    rig.world.set_faults(Faults::none());
    rig.pass(5_000);
    assert!(matches!(rig.append(&produced(1, 10, T, stamp(2))), Err(AppendError::Producer(_))));
    assert_eq!(rig.append(&produced(1, 10, T, stamp(1))), Ok(Offset(1)), "the retry is new");
}

#[test]
fn a_device_error_fails_the_log_for_good() {
    let mut rig = Rig::new(LogConfig::default());
    rig.append(&batch(1, 10, T)).unwrap();
    rig.world.set_faults(Faults { write_error: 1000, ..Faults::none() });
    let (ticket, _) = rig.queue(&batch(1, 10, T));
    let (behind, _) = rig.queue(&batch(1, 10, T));
    rig.settle();
    assert_eq!(rig.outcome(ticket), Err(AppendError::Failed));
    assert_eq!(rig.outcome(behind), Err(AppendError::Failed));
    assert!(rig.has_event(|event| matches!(event, LogEvent::Fatal { .. })));
    rig.world.set_faults(Faults::none());
    assert_eq!(rig.queue(&batch(1, 10, T)).1, Err(AppendError::Failed));
}

#[test]
fn a_failed_sync_is_fatal_and_acknowledges_nothing() {
    for durability in [Durability::GroupCommit, Durability::EveryBatch] {
        let mut rig = Rig::new(LogConfig { durability, ..LogConfig::default() });
        rig.append(&batch(1, 10, T)).unwrap();
        rig.world.set_faults(Faults { sync_error: 1000, ..Faults::none() });
        let (ticket, _) = rig.queue(&batch(1, 10, T));
        rig.settle();
        assert_eq!(rig.outcome(ticket), Err(AppendError::Failed));
        assert_eq!(rig.log.committed_offset(), Offset(1));
        rig.world.set_faults(Faults::none());
        rig.pass(600_000);
        assert_eq!(rig.log.durable_offset(), Offset(1), "never tried again");
        assert_eq!(rig.queue(&batch(1, 10, T)).1, Err(AppendError::Failed));
    }
}

#[test]
fn under_group_commit_nothing_is_committed_before_it_is_durable() {
    let config = LogConfig { durability: Durability::GroupCommit, ..LogConfig::default() };
    let mut rig = Rig::new(config);
    for _ in 0..20 {
        for _ in 0..3 {
            rig.queue(&batch(1, 100, T)).1.unwrap();
        }
        while rig.nudge() {
            assert!(rig.log.committed_offset() <= rig.log.durable_offset());
            let durable = rig.world.disk().durable_content(Rig::path("00000000000000000000.log"));
            let batch_bytes = batch(1, 100, T).bytes.len();
            let count = durable.unwrap_or_default().len() / batch_bytes;
            assert!(rig.log.committed_offset().0 <= count as i64);
        }
    }
    assert_eq!(rig.log.committed_offset(), Offset(60));
}

#[test]
fn the_page_cache_contract_syncs_in_the_background() {
    let mut rig = Rig::new(LogConfig::default());
    rig.append(&batch(1, 100, T)).unwrap();
    assert_eq!(rig.log.durable_offset(), Offset(0));
    rig.pass(70_000);
    assert_eq!(rig.log.durable_offset(), Offset(1));
    let mut rig = Rig::new(LogConfig { flush_messages: 3, ..LogConfig::default() });
    rig.append(&batch(2, 100, T)).unwrap();
    assert_eq!(rig.log.durable_offset(), Offset(0));
    rig.append(&batch(2, 100, T)).unwrap();
    assert_eq!(rig.log.durable_offset(), Offset(4));
    let mut rig = Rig::new(LogConfig { flush_ms: 50, ..LogConfig::default() });
    rig.append(&batch(2, 100, T)).unwrap();
    rig.pass(60);
    assert_eq!(rig.log.durable_offset(), Offset(2));
}

#[test]
fn duplicates_get_the_old_offset_once_the_original_is_written() {
    let mut rig = Rig::new(LogConfig::default());
    let stamp = |base_sequence| ProducerStamp { id: ProducerId(9), epoch: 0, base_sequence };
    rig.append(&batch(5, 10, T)).unwrap();
    let original = produced(2, 10, T, stamp(0));
    let (first, outcome) = rig.queue(&original);
    assert!(matches!(outcome, Ok(AppendOutcome::Queued { base_offset: Offset(5), .. })));
    let (second, outcome) = rig.queue(&original);
    assert!(
        matches!(outcome, Ok(AppendOutcome::Queued { base_offset: Offset(5), .. })),
        "the original is in flight: {outcome:?}"
    );
    rig.settle();
    assert_eq!(rig.outcome(first), Ok(Offset(5)));
    assert_eq!(rig.outcome(second), Ok(Offset(5)));
    let (_, outcome) = rig.queue(&original);
    let expected = AppendOutcome::Duplicate { base_offset: Offset(5), log_append_time_ms: T + 1 };
    assert_eq!(outcome, Ok(expected));
    assert_eq!(rig.log.log_end_offset(), Offset(7));
    // What was known survives a kill.
    rig.kill();
    rig.reopen(Opening::default());
    assert_eq!(rig.queue(&original).1, Ok(expected));
    assert_eq!(rig.append(&produced(1, 1, T, stamp(2))), Ok(Offset(7)));
}

#[test]
fn producers_are_known_after_a_clean_stop_and_from_snapshots() {
    let mut rig = Rig::new(small());
    let stamp = |id, base_sequence| ProducerStamp { id: ProducerId(id), epoch: 0, base_sequence };
    let first = produced(2, 10, T, stamp(1, 0));
    rig.append(&first).unwrap();
    for index in 0..100 {
        rig.append(&produced(1, 200, T, stamp(2, index))).unwrap();
    }
    let duplicate =
        Ok(AppendOutcome::Duplicate { base_offset: Offset(0), log_append_time_ms: T + 1 });
    let checkpoint = rig.close();
    rig.kill();
    rig.reopen(Opening { is_clean: true, checkpoint: Some(checkpoint), ..Opening::default() });
    assert_eq!(rig.queue(&first).1, duplicate);
    rig.append(&produced(1, 200, T, stamp(2, 100))).unwrap();
    rig.kill();
    // Only the tail is read: the first producer is known from a snapshot.
    let report = rig.reopen(Opening { recovery_point: Offset(102), ..Opening::default() });
    assert!(report.scanned_bytes < 4096);
    assert_eq!(rig.queue(&first).1, duplicate);
    assert_eq!(rig.append(&produced(1, 200, T, stamp(2, 101))), Ok(Offset(103)));
}

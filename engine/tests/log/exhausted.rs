//! Descriptors or memory are short for a while: nothing fails for good, nothing is lost, and all goes
//! on by itself.

use std::collections::BTreeMap;

use millrace_engine::{
    AppendError, AppendOutcome, CompactionEvent, Durability, LogConfig, LogEvent, Offset, Opening,
    PartitionCheckpoint, ProducerId, ProducerStamp,
};
use millrace_world::{Faults, World, WorldConfig};

use super::T;
use super::compaction::{compacted, contents, limits, put};
use super::rig::{Rig, batch, produced, small};

/// So many of a thousand operations that open a file fail from now on.
fn exhaust(rig: &mut Rig, per_mille: u32) {
    rig.world.set_faults(Faults { open_exhausted: per_mille, ..Faults::none() });
}

fn is_fatal(event: &LogEvent) -> bool {
    matches!(event, LogEvent::Fatal { .. })
}

/// Appends and waits for what becomes of it, timers included.
fn append(rig: &mut Rig) -> Result<Offset, AppendError> {
    let (ticket, outcome) = rig.queue(&batch(2, 100, T));
    outcome?;
    for _ in 0..200 {
        rig.settle();
        let is_of = |event: &LogEvent| match event {
            LogEvent::Appended { ticket: told, .. }
            | LogEvent::AppendFailed { ticket: told, .. } => *told == ticket,
            _ => false,
        };
        if rig.has_event(is_of) {
            rig.advance();
            return rig.outcome(ticket);
        }
        rig.pass(500);
    }
    panic!("nothing becomes of an append: {:?}", rig.events);
}

#[test]
fn a_log_whose_files_cannot_be_opened_waits_and_opens_once_they_can() {
    for durability in [Durability::PageCache, Durability::GroupCommit] {
        let mut rig = Rig::new(LogConfig { durability, ..small() });
        for _ in 0..40 {
            rig.append(&batch(2, 100, T)).unwrap();
        }
        rig.kill();
        exhaust(&mut rig, 1000);
        rig.open(Opening::default());
        rig.pass(10_000);
        assert!(rig.has_event(|event| matches!(event, LogEvent::Exhausted { .. })));
        assert!(!rig.has_event(is_fatal) && !rig.log.is_running(), "{:?}", rig.events);
        assert_eq!(rig.queue(&batch(1, 1, T)).1, Err(AppendError::NotReady));
        assert_eq!(rig.log.open_file_count(), 0, "what waits holds nothing");
        exhaust(&mut rig, 0);
        rig.pass_until(3_000, |rig| rig.log.is_running());
        assert_eq!(rig.report().log_end, Offset(80));
        rig.settle();
        rig.advance();
        assert_eq!(rig.read_all(0, 4096), (0..40).map(|index| index * 2).collect::<Vec<_>>());
    }
}

#[test]
fn a_segment_that_cannot_be_made_fails_appends_until_it_can() {
    let mut rig = Rig::new(LogConfig { preallocate: false, ..small() });
    exhaust(&mut rig, 1000);
    let mut acknowledged = 0;
    let error = loop {
        match append(&mut rig) {
            Ok(_) => acknowledged += 2,
            Err(error) => break error,
        }
    };
    assert_eq!(error, AppendError::NoSpace);
    assert!(rig.has_event(|event| matches!(event, LogEvent::Exhausted { .. })));
    assert!(!rig.has_event(|event| matches!(event, LogEvent::SpaceGone)), "the disk is not full");
    rig.pass(30_000);
    assert!(!rig.has_event(is_fatal), "{:?}", rig.events);
    exhaust(&mut rig, 0);
    rig.pass(2_000);
    for index in 0..40 {
        assert_eq!(append(&mut rig), Ok(Offset(acknowledged + 2 * index)));
    }
    assert_eq!(rig.read_all(0, 4096).len() as i64, acknowledged / 2 + 40);
}

/// A folder that cannot be opened for its sync is no failed sync.
#[test]
fn a_strict_log_loses_nothing_that_it_acknowledged_while_descriptors_come_and_go() {
    for seed in 0..60 {
        let durability =
            if seed % 2 == 0 { Durability::GroupCommit } else { Durability::EveryBatch };
        let world = World::new(WorldConfig::new(seed));
        let mut rig = Rig::with_world(world, LogConfig { durability, ..small() });
        let mut acknowledged: Vec<i64> = Vec::new();
        for round in 0..3 {
            exhaust(&mut rig, 300);
            for _ in 0..30 {
                match append(&mut rig) {
                    Ok(offset) => acknowledged.push(offset.0),
                    Err(AppendError::NoSpace) => rig.pass(1_100),
                    Err(error) => panic!("seed {seed}: {error:?}: {:?}", rig.events),
                }
            }
            assert!(!rig.has_event(is_fatal), "seed {seed}: {:?}", rig.events);
            if round % 2 == 0 {
                rig.lose_power();
            } else {
                rig.kill();
            }
            // A recovery begins anew each time, and opens file after file.
            exhaust(&mut rig, 50);
            rig.open(Opening::default());
            rig.pass_until(600_000, |rig| rig.log.is_running());
            exhaust(&mut rig, 0);
            rig.pass(3_000);
            rig.advance();
            let there = rig.read_all(0, 4096);
            let lost = acknowledged.iter().find(|offset| !there.contains(offset));
            assert_eq!(lost, None, "seed {seed}: {there:?}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_made_with_the_next_append() {
    let mut rig = Rig::new(small());
    rig.append(&batch(1, 10, T)).unwrap();
    rig.kill();
    rig.remove("");
    exhaust(&mut rig, 1000);
    rig.open(Opening::default());
    rig.pass(5_000);
    exhaust(&mut rig, 0);
    rig.pass(2_000);
    assert!(rig.log.is_running());
    assert_eq!(append(&mut rig), Ok(Offset(0)));
}

#[test]
fn a_compaction_that_runs_out_of_descriptors_comes_again_and_loses_nothing() {
    for seed in 0..40 {
        let mut rig = Rig::with_world(World::new(WorldConfig::new(seed)), compacted());
        let mut last = BTreeMap::new();
        for index in 0..120 {
            let key = format!("k{}", index % 7);
            let value = format!("{index}-{}", "x".repeat(40));
            put(&mut rig, &key, Some(&value));
            last.insert(key, value);
        }
        exhaust(&mut rig, 250);
        for _ in 0..30 {
            rig.begin_compaction(limits());
            for _ in 0..400 {
                rig.settle();
                let is_end = |event: &LogEvent| match event {
                    LogEvent::Compaction(CompactionEvent::Failed { reason, .. }) => {
                        panic!("seed {seed}: {reason}")
                    }
                    LogEvent::Compaction(event) => !matches!(event, CompactionEvent::Moved { .. }),
                    _ => false,
                };
                if rig.has_event(is_end) || !rig.log.is_compacting() {
                    break;
                }
                rig.advance_compaction();
                rig.pass(100);
            }
            assert!(!rig.has_event(is_fatal), "seed {seed}: {:?}", rig.events);
            rig.events.clear();
        }
        exhaust(&mut rig, 0);
        rig.pass(3_000);
        let left: BTreeMap<_, _> = contents(&mut rig)
            .into_iter()
            .filter_map(|(_, key, value, _)| Some((key, value?)))
            .collect();
        assert_eq!(left, last, "seed {seed}");
    }
}

#[test]
fn a_folder_that_cannot_be_looked_into_is_not_taken_for_a_free_one() {
    let mut world = World::new(WorldConfig::new(1));
    let foreign = b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ".to_vec();
    world.disk_mut().put(Rig::path("partition.metadata"), foreign.clone());
    world.disk_mut().put(Rig::path("00000000000000000000.log"), vec![1; 939]);
    world.set_faults(Faults { open_exhausted: 1000, ..Faults::none() });
    let mut rig = Rig::with_world(world, small());
    assert_eq!(append(&mut rig), Err(AppendError::NoSpace));
    exhaust(&mut rig, 0);
    rig.pass(2_000);
    assert_eq!(append(&mut rig), Err(AppendError::NoSpace));
    assert_eq!(rig.file("00000000000000000000.log"), vec![1; 939], "left alone");
    assert_eq!(rig.file("partition.metadata"), foreign);
    rig.remove("");
    rig.pass(2_000);
    assert_eq!(append(&mut rig), Ok(Offset(0)));
}

// Nobody had appended, so nobody had made the folder again; the checkpoint told of a segment in it.
#[test]
fn a_log_whose_folder_could_not_be_made_before_a_clean_stop_takes_appends_after_it() {
    let faults = Faults { open_exhausted: 1000, ..Faults::none() };
    let world = World::new(WorldConfig { faults, ..WorldConfig::new(1) });
    let mut rig = Rig::with_world(world, small());
    let checkpoint = rig.close();
    rig.kill();
    exhaust(&mut rig, 0);
    rig.reopen(Opening { is_clean: true, checkpoint: Some(checkpoint), ..Opening::default() });
    assert_eq!(append(&mut rig), Ok(Offset(0)));
    assert!(!rig.has_event(|event| matches!(event, LogEvent::Corrupt { .. })), "{:?}", rig.events);
}

// An index that could not be opened kept the entries of batches that a power loss had taken. Once as
// much was written again they looked right, and led into the middle of other batches.
#[test]
fn entries_of_batches_that_are_gone_are_cut_before_a_log_is_open() {
    let mut anew = 0;
    for seed in 0..100 {
        let world = World::new(WorldConfig::new(seed));
        let config = LogConfig { index_interval_bytes: 256, ..LogConfig::default() };
        let mut rig = Rig::with_world(world, config);
        for _ in 0..40 {
            rig.append(&batch(2, 100, T)).unwrap();
        }
        rig.close();
        rig.kill();
        let name = "00000000000000000000.log";
        let content = rig.file(name);
        rig.world.disk_mut().put(Rig::path(name), content[..content.len() / 40].to_vec());
        exhaust(&mut rig, 200);
        rig.open(Opening::default());
        rig.pass_until(60_000, |rig| rig.log.is_running());
        anew += u32::from(rig.has_event(|event| matches!(event, LogEvent::Exhausted { .. })));
        // One batch is there, and at most one entry for it.
        for (suffix, entry_bytes) in [("index", 8), ("timeindex", 12)] {
            let bytes = rig.file(&format!("00000000000000000000.{suffix}")).len();
            assert!(bytes <= entry_bytes, "seed {seed}: {bytes} bytes of {suffix}");
        }
    }
    assert!(anew > 20, "descriptors were short in {anew} recoveries");
}

// All files were synced at a clean stop and the folder could not be opened for it; the next process
// had nothing left to sync, and acknowledged what was in files whose names a power loss took.
#[test]
fn a_folder_that_a_clean_stop_could_not_sync_is_synced_after_it() {
    let mut rig = Rig::new(LogConfig { durability: Durability::GroupCommit, ..small() });
    for _ in 0..30 {
        rig.append(&batch(2, 100, T)).unwrap();
    }
    // All segments are synced in it, and yet not all of the log is durable.
    let checkpoint = PartitionCheckpoint { recovery_point: 10, ..rig.close() };
    rig.kill();
    exhaust(&mut rig, 1000);
    rig.reopen(Opening { is_clean: true, checkpoint: Some(checkpoint), ..Opening::default() });
    rig.pass(5_000);
    assert_eq!(rig.log.committed_offset(), Offset(10), "its folder cannot be opened");
    exhaust(&mut rig, 0);
    rig.pass(2_000);
    assert_eq!(rig.log.committed_offset(), Offset(60));
}

// Segments go without the snapshot that a full disk, or a want of descriptors, did not let be written.
// It was not tried again when there was room: the process was killed, the next one knew nothing of
// producers whose records were deleted, and took what they sent again for new.
#[test]
fn a_snapshot_that_could_not_be_written_is_tried_again_before_segments_go() {
    let mut rig = Rig::new(small());
    let stamp = |base_sequence| ProducerStamp { id: ProducerId(9), epoch: 0, base_sequence };
    // All that goes into the first segment; the next batch rolls, and finds no room.
    for sent in 0..11 {
        assert_eq!(rig.append(&produced(1, 300, T, stamp(sent))), Ok(Offset(sent.into())));
    }
    let base = 11;
    let disk_bytes_max = rig.world.disk().used_bytes();
    rig.world.set_faults(Faults { disk_bytes_max, ..Faults::none() });
    assert_eq!(rig.append(&produced(1, 300, T, stamp(base))), Err(AppendError::NoSpace));
    assert_eq!(rig.log.segment_count(), 2);
    assert!(rig.names().iter().all(|name| !name.ends_with(".snapshot")), "{:?}", rig.names());
    rig.world.set_faults(Faults::none());
    rig.pass(2_000);
    rig.advance_log_start(base.into()).unwrap();
    assert_eq!(rig.log.segment_count(), 1, "it went in the end");
    let log_start = rig.log.log_start_offset();
    let name = rig.names().into_iter().find(|name| name.ends_with(".log")).unwrap();
    rig.kill();
    // What is left of the log is lost as well, so that nothing tells of the producer.
    rig.world.disk_mut().put(Rig::path(&name), Vec::new());
    rig.reopen(Opening { log_start, ..Opening::default() });
    let old = rig.queue(&produced(1, 300, T, stamp(base - 1))).1;
    assert!(matches!(old, Ok(AppendOutcome::Duplicate { .. })), "{old:?}");
}

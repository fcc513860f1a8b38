//! Opening after the end of a process or a machine, whatever it left.

use millrace_engine::{
    AppendError, CutReason, Durability, LogConfig, LogEvent, Offset, Opening, PartitionCheckpoint,
    ReadError, ReadOutcome,
};

use millrace_world::{Broken, Faults};

use super::T;
use super::rig::{DIR, Rig, batch, small};

fn filled(config: LogConfig, batches: usize) -> Rig {
    let mut rig = Rig::new(config);
    for index in 0..batches {
        rig.append(&batch(2, 100, T + index as i64 * 10)).unwrap();
    }
    rig
}

#[test]
fn a_log_cut_at_every_byte_of_its_last_batches_ends_at_the_last_whole_one() {
    let mut rig = filled(LogConfig::default(), 3);
    let name = "00000000000000000000.log";
    let content = rig.file(name);
    let batch_bytes = content.len() / 3;
    for length in batch_bytes..content.len() {
        rig.kill();
        rig.world.disk_mut().put(Rig::path(name), content[..length].to_vec());
        let report = rig.reopen(Opening::default());
        let whole = length / batch_bytes;
        assert_eq!(report.log_end, Offset(whole as i64 * 2), "cut at {length}");
        let torn = length - whole * batch_bytes;
        assert_eq!(
            report.cut.map(|cut| (cut.bytes, cut.reason)),
            (torn > 0).then_some((torn as u64, CutReason::Torn))
        );
        assert_eq!(rig.file(name).len(), whole * batch_bytes, "the file is cut, too");
        rig.advance();
        assert_eq!(rig.read_all(0, 1 << 20).len(), whole);
        assert_eq!(rig.append(&batch(1, 10, T)), Ok(Offset(whole as i64 * 2)));
    }
}

#[test]
fn a_flipped_byte_anywhere_in_the_last_batch_cuts_it_off() {
    let mut rig = filled(LogConfig::default(), 3);
    let name = "00000000000000000000.log";
    let content = rig.file(name);
    let batch_bytes = content.len() / 3;
    for at in 2 * batch_bytes..content.len() {
        // The epoch is stamped by the leader and not under the CRC, as is the base offset, whose
        // lower values are found to be out of order.
        if (2 * batch_bytes..2 * batch_bytes + 8).contains(&at)
            || (2 * batch_bytes + 12..2 * batch_bytes + 16).contains(&at)
        {
            continue;
        }
        rig.kill();
        let mut spoilt = content.clone();
        spoilt[at] ^= 0x40;
        rig.world.disk_mut().put(Rig::path(name), spoilt);
        let report = rig.reopen(Opening::default());
        assert_eq!(report.log_end, Offset(4), "flipped at {at}");
        assert!(report.cut.is_some());
    }
}

#[test]
fn segments_behind_a_cut_go_with_it() {
    let mut rig = filled(small(), 60);
    let bases: Vec<String> =
        rig.names().into_iter().filter(|name| name.ends_with(".log")).collect();
    let spoilt = &bases[bases.len() - 3];
    let base: i64 = spoilt[..20].parse().unwrap();
    let mut content = rig.file(spoilt);
    content[70] ^= 1;
    rig.kill();
    rig.world.disk_mut().put(Rig::path(spoilt), content);
    let report = rig.reopen(Opening { recovery_point: Offset(base), ..Opening::default() });
    assert_eq!((report.log_end, report.dropped_segments), (Offset(base), 2));
    rig.advance();
    assert_eq!(rig.read_all(0, 4096).len() as i64, base / 2);
    assert_eq!(rig.append(&batch(2, 100, T)), Ok(Offset(base)));
    assert!(!rig.names().contains(&bases[bases.len() - 1]), "the files are gone");
}

#[test]
fn a_wrong_crc_below_the_recovery_point_is_quarantined_and_never_cut() {
    let mut rig = filled(LogConfig::default(), 3);
    let name = "00000000000000000000.log";
    let mut content = rig.file(name);
    let batch_bytes = content.len() / 3;
    content[batch_bytes + 100] ^= 1;
    rig.kill();
    rig.world.disk_mut().put(Rig::path(name), content.clone());
    let report = rig.reopen(Opening { recovery_point: Offset(6), ..Opening::default() });
    assert_eq!((report.log_end, report.cut), (Offset(6), None));
    assert!(rig.has_event(|event| matches!(event, LogEvent::Corrupt { .. })));
    assert_eq!(rig.file(name), content, "nothing is cut");
    rig.advance();
    assert_eq!(rig.read(0, 1 << 20), Ok(vec![0]), "what lies before it is served");
    assert_eq!(rig.read(2, 1 << 20), Err(ReadError::Corrupt));
}

#[test]
fn no_batch_at_all_below_the_recovery_point_fails_the_log_and_changes_nothing() {
    let mut rig = filled(LogConfig::default(), 3);
    let name = "00000000000000000000.log";
    let mut content = rig.file(name);
    let batch_bytes = content.len() / 3;
    content[batch_bytes + 16] = 9;
    rig.kill();
    rig.world.disk_mut().put(Rig::path(name), content.clone());
    rig.open(Opening { recovery_point: Offset(6), ..Opening::default() });
    rig.settle();
    assert!(rig.has_event(|event| matches!(event, LogEvent::Fatal { .. })));
    assert_eq!(rig.file(name), content);
}

#[test]
fn recovery_reads_from_the_recovery_point_and_not_the_whole_log() {
    let mut rig = filled(small(), 400);
    let total = rig.log.size_bytes();
    rig.kill();
    let report = rig.reopen(Opening { recovery_point: Offset(780), ..Opening::default() });
    assert_eq!(report.log_end, Offset(800));
    assert!(report.scanned_bytes < 3 * 4096, "{} of {total}", report.scanned_bytes);
    rig.advance();
    assert_eq!(rig.read_all(0, 4096).len(), 400);
    rig.kill();
    // Snapshots bound it, too: without a recovery point all would be read.
    let checkpoint = rig.log.checkpoint();
    let report = rig.reopen(Opening {
        checkpoint: Some(checkpoint),
        is_same_boot: true,
        ..Opening::default()
    });
    assert!(report.scanned_bytes < 1024, "{}", report.scanned_bytes);
    assert_eq!(report.log_end, Offset(800));
}

#[test]
fn indexes_that_are_lost_or_garbage_are_built_anew() {
    for spoil in [None, Some(vec![]), Some(vec![0xee; 64]), Some(vec![0; 80])] {
        let mut rig = filled(small(), 100);
        let names: Vec<String> =
            rig.names().into_iter().filter(|name| name.ends_with("index")).collect();
        rig.kill();
        for name in &names {
            match &spoil {
                Some(content) => rig.world.disk_mut().put(Rig::path(name), content.clone()),
                None => remove(&mut rig, name),
            }
        }
        rig.reopen(Opening { recovery_point: Offset(190), ..Opening::default() });
        rig.advance();
        for offset in [0, 1, 57, 100, 151, 199] {
            assert_eq!(rig.read(offset, 1), Ok(vec![offset / 2 * 2]), "{spoil:?} at {offset}");
        }
        assert_eq!(rig.timestamp(T + 505), Some((102, T + 510)), "{spoil:?}");
    }
}

fn remove(rig: &mut Rig, name: &str) {
    rig.remove(name);
}

#[test]
fn leftovers_of_deletion_and_compaction_are_removed() {
    let mut rig = filled(small(), 30);
    rig.kill();
    for name in ["00000000000000000000.log.deleted", "00000000000000000004.index.cleaned"] {
        rig.world.disk_mut().put(Rig::path(name), vec![1; 10]);
    }
    let report = rig.reopen(Opening::default());
    assert_eq!((report.orphan_files, report.log_end), (2, Offset(60)));
    assert!(
        rig.names().iter().all(|name| !name.ends_with(".deleted") && !name.ends_with(".cleaned"))
    );
}

#[test]
fn a_folder_that_is_gone_is_told_and_made_anew() {
    let mut rig = filled(small(), 3);
    rig.kill();
    rig.remove("");
    let report = rig.reopen(Opening { log_start: Offset(4), ..Opening::default() });
    assert!(report.is_folder_missing);
    assert_eq!(rig.append(&batch(1, 10, T)), Ok(Offset(4)), "offsets go on where the log starts");
    assert_eq!(rig.read(4, 1), Ok(vec![4]));
}

#[test]
fn an_empty_next_segment_that_a_crash_left_is_no_harm() {
    let mut rig = filled(small(), 30);
    rig.kill();
    rig.world.disk_mut().put(Rig::path("00000000000000000060.log"), Vec::new());
    assert_eq!(rig.reopen(Opening::default()).log_end, Offset(60));
    assert_eq!(rig.append(&batch(2, 10, T)), Ok(Offset(60)));
    rig.kill();
    assert_eq!(rig.reopen(Opening::default()).log_end, Offset(62));
}

#[test]
fn indexes_without_their_segment_do_not_become_those_of_the_next_one_with_its_name() {
    let left = ["00000000000000000060.index", "00000000000000000060.timeindex"];
    for has_empty_log in [false, true] {
        let mut rig = filled(small(), 30);
        rig.kill();
        for name in left {
            rig.world.disk_mut().put(Rig::path(name), vec![1; 24]);
        }
        if has_empty_log {
            rig.world.disk_mut().put(Rig::path("00000000000000000060.log"), Vec::new());
        }
        let report = rig.reopen(Opening::default());
        assert_eq!((report.orphan_files, report.log_end), (2, Offset(60)));
        assert!(rig.names().iter().all(|name| !left.contains(&name.as_str())));
    }
}

#[test]
fn after_a_power_loss_what_was_synced_is_there() {
    for seed in 0..60 {
        let world = millrace_world::World::new(millrace_world::WorldConfig::new(seed));
        let config = LogConfig { durability: Durability::GroupCommit, ..small() };
        let mut rig = Rig::with_world(world, config);
        for index in 0..30 {
            rig.append(&batch(2, 100, T + index)).unwrap();
        }
        // More, of which nothing was said yet.
        for index in 0..10 {
            let _ = rig.queue(&batch(2, 100, T + index));
        }
        rig.nudge();
        rig.lose_power();
        let report = rig.reopen(Opening::default());
        assert!(report.log_end >= Offset(60), "seed {seed}: {report:?}");
        rig.advance();
        let read = rig.read_all(0, 4096);
        assert_eq!(read.len() as i64 * 2, rig.log.high_watermark().0, "seed {seed}");
        assert_eq!(rig.append(&batch(2, 10, T)), Ok(report.log_end));
    }
}

#[test]
fn what_a_full_disk_had_cut_off_does_not_come_back_between_segments() {
    for seed in 0..100 {
        let world = millrace_world::World::new(millrace_world::WorldConfig::new(seed));
        let config =
            LogConfig { durability: Durability::GroupCommit, preallocate: false, ..small() };
        let mut rig = Rig::with_world(world, config);
        for index in 0..10 {
            rig.append(&batch(2, 100, T + index)).unwrap();
        }
        let disk_bytes_max = rig.world.disk().used_bytes() + 700;
        rig.world.set_faults(Faults { disk_bytes_max, ..Faults::none() });
        for _ in 0..4 {
            let _ = rig.queue(&batch(2, 100, T));
        }
        rig.settle();
        rig.world.set_faults(Faults::none());
        rig.pass(3_000);
        // The next batch does not fit any more and rolls.
        rig.append(&batch(2, 1500, T)).unwrap();
        assert_eq!(rig.log.segment_count(), 2);
        let sealed = rig.file("00000000000000000000.log");
        let recovery_point = rig.log.durable_offset();
        rig.lose_power();
        assert_eq!(rig.file("00000000000000000000.log").len(), sealed.len(), "seed {seed}");
        rig.reopen(Opening { recovery_point, ..Opening::default() });
        rig.advance();
        let expected: Vec<i64> = (0..11).map(|index| index * 2).collect();
        assert_eq!(rig.read_all(0, 4096), expected, "seed {seed}");
    }
}

#[test]
fn a_log_that_lost_its_end_below_its_start_goes_on_at_its_start() {
    let mut rig = filled(small(), 10);
    rig.kill();
    rig.world.disk_mut().put(Rig::path("00000000000000000000.log"), Vec::new());
    let report = rig.reopen(Opening { log_start: Offset(7), ..Opening::default() });
    assert_eq!(report.log_end, Offset(7));
    assert_eq!(rig.append(&batch(1, 10, T)), Ok(Offset(7)));
    assert_eq!(rig.read_plan(6, 1), ReadOutcome::OutOfRange);
    rig.kill();
    assert_eq!(rig.reopen(Opening::default()).log_end, Offset(8));
}

// A roll that failed for want of space left its empty segment behind, because a power loss undid
// the removal; the log had gone on beyond its name, and recovery took the empty file for the end.
#[test]
fn an_empty_segment_within_another_one_does_not_end_the_log() {
    let mut rig = filled(LogConfig::default(), 10);
    rig.kill();
    rig.world.disk_mut().put(Rig::path("00000000000000000006.log"), Vec::new());
    let report = rig.reopen(Opening { recovery_point: Offset(14), ..Opening::default() });
    assert_eq!((report.log_end, report.missing_from), (Offset(20), None));
    rig.advance();
    assert_eq!(rig.read_all(0, 4096).len(), 10);
    assert!(!rig.names().contains(&"00000000000000000006.log".to_owned()));
}

// A failed write's remains were cut off, but the cut was not synced when the segment rolled; a power
// loss brought them back, and recovery took them for the end of the log.
#[test]
fn remains_behind_a_sealed_segment_do_not_end_the_log() {
    let mut rig = filled(small(), 40);
    let name = "00000000000000000000.log";
    let content = rig.file(name);
    let remains = [content.clone(), content[..100].to_vec()].concat();
    rig.kill();
    rig.world.disk_mut().put(Rig::path(name), remains);
    // Without snapshots everything is scanned.
    let snapshots = rig.names().into_iter().filter(|name| name.ends_with(".snapshot"));
    for snapshot in snapshots.collect::<Vec<_>>() {
        rig.remove(&snapshot);
    }
    let checkpoint = PartitionCheckpoint { producers_offset: 0, ..rig.log.checkpoint() };
    let opening = Opening {
        checkpoint: Some(PartitionCheckpoint { written: 0, recovery_point: 0, ..checkpoint }),
        ..Opening::default()
    };
    let report = rig.reopen(opening);
    assert_eq!((report.log_end, report.cut), (Offset(80), None));
    assert_eq!(rig.file(name), content, "they are cut off again");
}

#[test]
fn swap_files_of_a_half_done_compaction_take_their_places() {
    let mut rig = filled(small(), 60);
    let bases: Vec<String> =
        rig.names().into_iter().filter(|name| name.ends_with(".log")).collect();
    // The first two segments were compacted into one: only their first batches are left.
    let first = rig.file(&bases[0]);
    let second = rig.file(&bases[1]);
    let batch_bytes = batch(2, 100, T).bytes.len();
    let merged = [&first[..batch_bytes], &second[..batch_bytes]].concat();
    let second_base: i64 = bases[1][..20].parse().unwrap();
    for unfinished in [false, true] {
        rig.kill();
        let disk = rig.world.disk_mut();
        disk.put(Rig::path(&bases[0]), first.clone());
        disk.put(Rig::path(&bases[1]), second.clone());
        disk.put(Rig::path(&format!("{}.swap", bases[0])), merged.clone());
        if unfinished {
            disk.put(Rig::path("00000000000000000000.index.cleaned"), vec![0; 8]);
        }
        let report = rig.reopen(Opening { recovery_point: Offset(120), ..Opening::default() });
        assert_eq!(report.log_end, Offset(120));
        rig.advance();
        let read = rig.read_all(0, 4096);
        assert_eq!(read.len() == 60, unfinished, "{read:?}");
        assert_eq!(read.starts_with(&[0, second_base]), !unfinished);
        assert_eq!(read.last(), Some(&118));
        assert!(rig.names().iter().all(|name| !name.ends_with(".swap")));
    }
}

/// A clean stop is believed until a file is opened. One that is not as long as it was left made the
/// log fail for good.
#[test]
fn a_file_of_another_length_after_a_clean_stop_is_recovered_at_its_first_use() {
    let name = "00000000000000000000.log";
    for (change, end) in [(-1, 4), (-400, 2), (1, 6), (5_000, 6)] {
        let mut rig = filled(LogConfig::default(), 3);
        let checkpoint = rig.close();
        let mut content = rig.file(name);
        let length = content.len().checked_add_signed(change).unwrap();
        content.resize(length, 0);
        rig.kill();
        rig.world.disk_mut().put(Rig::path(name), content);
        let opening =
            Opening { is_clean: true, checkpoint: Some(checkpoint), ..Opening::default() };
        rig.reopen(opening);
        // The append that finds it is refused and may come again.
        let refused = rig.append(&batch(2, 100, T));
        assert!(matches!(refused, Err(AppendError::NotReady)), "{change}: {refused:?}");
        rig.settle();
        assert!(rig.has_event(|event| matches!(event, LogEvent::Corrupt { .. })));
        assert_eq!(rig.append(&batch(2, 100, T)), Ok(Offset(end)), "{change}");
        rig.advance();
        assert_eq!(rig.read_all(0, 1 << 20).len() as i64, end / 2 + 1, "{change}");
    }
}

// Its file could not be opened, which ended the log for good.
#[test]
fn a_folder_that_is_gone_after_a_clean_stop_is_reported_and_made_anew_at_its_first_use() {
    let mut rig = filled(LogConfig::default(), 3);
    let checkpoint = rig.close();
    rig.kill();
    rig.remove("");
    rig.reopen(Opening { is_clean: true, checkpoint: Some(checkpoint), ..Opening::default() });
    let refused = rig.append(&batch(2, 100, T));
    assert!(matches!(refused, Err(AppendError::NotReady)), "{refused:?}");
    rig.settle();
    assert!(rig.has_event(|event| matches!(event, LogEvent::Corrupt { .. })));
    assert!(rig.report().is_folder_missing);
    assert_eq!(rig.append(&batch(2, 100, T)), Ok(Offset(0)));
}

#[test]
fn an_old_file_that_is_shorter_than_at_the_stop_is_served_up_to_there() {
    let mut rig = filled(small(), 60);
    let checkpoint = rig.close();
    let name = rig.names().into_iter().find(|name| name.ends_with(".log")).unwrap();
    let content = rig.file(&name);
    rig.kill();
    rig.world.disk_mut().put(Rig::path(&name), content[..content.len() - 1].to_vec());
    rig.reopen(Opening { is_clean: true, checkpoint: Some(checkpoint), ..Opening::default() });
    rig.advance();
    assert_eq!(rig.read(0, 1).unwrap().first(), Some(&0), "the front is there");
    assert!(rig.has_event(|event| matches!(event, LogEvent::Corrupt { .. })));
    assert_eq!(rig.append(&batch(2, 100, T)), Ok(Offset(120)), "and the log goes on");
}

// Segments below the log's start that came back were put on the list of what is to go, and never
// taken off it: the step of recovery that listed them looked like a log that had failed.
#[test]
fn segments_below_the_log_start_are_gone_when_the_log_is_open() {
    let mut rig = filled(small(), 60);
    let bases: Vec<String> =
        rig.names().into_iter().filter(|name| name.ends_with(".log")).collect();
    let third: i64 = bases[2][..20].parse().unwrap();
    rig.kill();
    rig.reopen(Opening { log_start: Offset(third), ..Opening::default() });
    let names = rig.names();
    assert!(!names.contains(&bases[0]) && !names.contains(&bases[1]), "{names:?}");
    assert!(names.contains(&bases[2]), "{names:?}");
}

// A power loss brought a segment below the log's start back, with a hole, and took all that followed:
// the log refused to open, although nothing that it had promised was missing.
#[test]
fn a_hole_below_the_log_start_is_no_loss() {
    let mut rig = filled(LogConfig::default(), 3);
    let name = "00000000000000000000.log";
    let content = vec![0; rig.file(name).len()];
    rig.kill();
    rig.world.disk_mut().put(Rig::path(name), content);
    let (recovery_point, log_start) = (Offset(6), Offset(6));
    let report = rig.reopen(Opening { recovery_point, log_start, ..Opening::default() });
    assert_eq!(report.log_end, Offset(6));
    assert_eq!(rig.append(&batch(1, 10, T)), Ok(Offset(6)));
    assert_eq!(rig.read_all(6, 4096), [6]);
}

// A sync failed in the moment of a kill, so that nobody was told. The next process took the page cache
// for the truth, its syncs worked, and a power loss left a hole below the recovery point.
#[test]
fn a_sync_that_failed_unseen_leaves_no_hole_below_the_recovery_point() {
    let mut holes = 0;
    for seed in 0..40 {
        let world = millrace_world::World::new(millrace_world::WorldConfig::new(seed));
        let mut rig = Rig::with_world(world, LogConfig { flush_ms: 1_000, ..small() });
        for index in 0..5 {
            rig.append(&batch(2, 100, T + index)).unwrap();
        }
        rig.world.set_faults(Faults { sync_error: 1000, ..Faults::none() });
        rig.pass_until(10_000, |rig| rig.world.sync_failures() > 0);
        assert!(rig.names().contains(&"sync-pending".to_owned()), "a round is under way");
        let checkpoint = rig.log.checkpoint();
        rig.kill();
        rig.world.set_faults(Faults::none());
        let opening =
            Opening { checkpoint: Some(checkpoint), is_same_boot: true, ..Opening::default() };
        let report = rig.reopen(opening);
        for index in 0..5 {
            rig.append(&batch(2, 100, T + index)).unwrap();
        }
        rig.pass(5_000);
        let end = report.log_end.plus(10);
        assert_eq!(rig.log.durable_offset(), end, "seed {seed}");
        assert!(!rig.names().contains(&"sync-pending".to_owned()), "all rounds have worked");
        let recovery_point = rig.log.recovery_point();
        rig.lose_power();
        assert_eq!(rig.reopen(Opening { recovery_point, ..Opening::default() }).log_end, end);
        rig.advance();
        assert_eq!(rig.read_all(0, 4096).len() as i64 * 2, end.0, "seed {seed}");
        holes += u32::from(report.log_end < Offset(10));
    }
    assert!(holes > 0, "none of the syncs lost anything");
}

// New batches went into a segment of which nothing was served any more from some byte on: they were
// acknowledged, and reads of them brought nothing, for ever.
#[test]
fn a_log_whose_active_segment_is_bad_goes_on_in_the_next() {
    let mut rig = filled(LogConfig::default(), 4);
    let name = "00000000000000000000.log";
    let mut content = rig.file(name);
    let batch_bytes = content.len() / 4;
    content[batch_bytes + 100] ^= 1;
    rig.kill();
    rig.world.disk_mut().put(Rig::path(name), content);
    rig.reopen(Opening { recovery_point: Offset(8), ..Opening::default() });
    assert_eq!(rig.append(&batch(2, 100, T)), Ok(Offset(8)));
    assert_eq!(rig.append(&batch(2, 100, T)), Ok(Offset(10)));
    assert_eq!(rig.read_all(8, 4096), [8, 10], "what is new is served");
    assert_eq!(rig.read(6, 4096), Err(ReadError::Corrupt), "what is behind the bad bytes is not");
}

// The checkpoint went on to say what had been written before a power loss, as of the boot after it:
// the next start refused to open a log that had lost nothing that was promised.
#[test]
fn what_a_power_loss_took_is_not_missed_by_the_start_after_one_that_could_not_open_the_log() {
    let mut rig = filled(LogConfig::default(), 40);
    let checkpoint = rig.log.checkpoint();
    assert_eq!((checkpoint.written, checkpoint.recovery_point), (80, 0), "nothing was synced");
    let name = "00000000000000000000.log";
    let mut content = rig.file(name);
    let half = content.len() / 2;
    content[half..].fill(0);
    rig.lose_power();
    rig.world.disk_mut().put(Rig::path(name), content);
    rig.world.break_once(Broken::Read, DIR);
    let opening = Opening { checkpoint: Some(checkpoint), ..Opening::default() };
    rig.open(opening.clone());
    rig.settle();
    assert!(rig.has_event(|event| matches!(event, LogEvent::Fatal { .. })));
    assert!(rig.log.has_failed());
    rig.kill();
    let next = Opening { checkpoint: opening.carried(), is_same_boot: true, ..opening };
    assert_eq!(rig.reopen(next).log_end, Offset(40));
}

// A power loss brought snapshots of producers back and no segment. The log began anew below them, came
// as far as one of them, and believed it after the next kill.
#[test]
fn snapshots_beyond_the_end_of_an_empty_log_are_removed() {
    let mut rig = filled(small(), 60);
    rig.close();
    let names = rig.names();
    let newest = names.iter().rfind(|name| name.ends_with(".snapshot")).unwrap().clone();
    rig.kill();
    for name in names.iter().filter(|name| name.ends_with(".log")) {
        rig.remove(name);
    }
    rig.reopen(Opening::default());
    assert_eq!(rig.log.log_end_offset(), Offset(0));
    assert!(!rig.names().contains(&newest), "{newest} of {:?}", rig.names());
}

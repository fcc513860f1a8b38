//! Retention, deletion, timestamps, rolling, idling: the life of a log that nothing goes wrong with.

use millrace_engine::{
    BatchBuilder, BatchIter, BatchSpec, Codec, Durability, Log, LogConfig, LogEvent, LogStartError,
    Offset, Opening, ReadOutcome, TimestampType, ValidationRules,
};
use millrace_io::{Completion, Mono, Now, Op, WallMs};
use millrace_world::{World, WorldConfig};

use super::T;
use super::rig::{Rig, batch, small, spec, valid};

/// The wall clock at the start of the simulated world.
const START: i64 = 1_767_225_600_000;
const DAY: u64 = 86_400_000;
/// What another topic's folder says.
const FOREIGN: &str = "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ";

fn logs(rig: &Rig) -> Vec<String> {
    rig.names().into_iter().filter(|name| name.ends_with(".log")).collect()
}

#[test]
fn retention_by_time_removes_whole_segments_and_at_last_the_active_one() {
    let mut rig = Rig::new(LogConfig { retention_ms: Some(DAY), ..small() });
    for index in 0..40 {
        rig.append(&batch(2, 100, START + index * 1000)).unwrap();
    }
    let count = rig.log.segment_count();
    rig.retention();
    assert_eq!(rig.log.segment_count(), count, "nothing is old");
    rig.pass(DAY + 20_000);
    rig.retention();
    let start = rig.log.log_start_offset();
    assert!(start > Offset(0) && start <= Offset(40), "{start}");
    assert!(rig.has_event(|event| matches!(event, LogEvent::LogStartAdvanced)));
    assert_eq!(rig.read_plan(0, 1), ReadOutcome::OutOfRange);
    let rest: Vec<i64> = (start.0 / 2..40).map(|index| index * 2).collect();
    assert_eq!(rig.read_all(start.0, 4096), rest);
    rig.pass(DAY);
    rig.retention();
    assert_eq!((rig.log.log_start_offset(), rig.log.segment_count()), (Offset(80), 1));
    assert_eq!(rig.append(&batch(1, 1, START)), Ok(Offset(80)), "offsets go on");
    rig.kill();
    assert_eq!(rig.reopen(Opening::default()).log_end, Offset(81));
    assert_eq!(rig.log.log_start_offset(), Offset(80));
}

#[test]
fn retention_by_size_keeps_what_is_needed_to_reach_it() {
    let mut rig = Rig::new(LogConfig { retention_bytes: Some(10_000), ..small() });
    for _ in 0..100 {
        rig.append(&batch(2, 100, T)).unwrap();
    }
    rig.retention();
    let size = rig.log.size_bytes();
    assert!((10_000..10_000 + 4096).contains(&size), "{size}");
}

#[test]
fn retention_never_passes_the_high_watermark() {
    let mut rig = Rig::new(LogConfig { retention_bytes: Some(0), ..small() });
    for _ in 0..20 {
        rig.append(&batch(2, 100, T)).unwrap();
    }
    let watermark = rig.log.high_watermark();
    for _ in 0..40 {
        rig.queue(&batch(2, 100, T)).1.unwrap();
    }
    rig.settle();
    rig.retention();
    assert!(rig.log.log_start_offset() <= watermark);
    assert!(rig.log.log_start_offset() > Offset(0));
    rig.advance();
    assert_eq!(rig.read_all(rig.log.log_start_offset().0, 4096).last(), Some(&118));
}

#[test]
fn retention_finds_timestamps_in_the_index_after_a_kill() {
    let mut rig = Rig::new(LogConfig { retention_ms: Some(DAY), ..small() });
    for index in 0..80 {
        rig.append(&batch(2, 100, START + index)).unwrap();
    }
    let sealed = rig.log.segment_count() - 1;
    rig.kill();
    rig.reopen(Opening { recovery_point: Offset(160), ..Opening::default() });
    rig.advance();
    rig.pass(2 * DAY);
    rig.retention();
    assert!(sealed > 2);
    assert_eq!(rig.log.log_start_offset(), Offset(160));
}

#[test]
fn removed_segments_are_renamed_and_go_after_the_delay() {
    let mut rig = Rig::new(LogConfig { file_delete_delay_ms: 5000, ..small() });
    for _ in 0..40 {
        rig.append(&batch(2, 100, T)).unwrap();
    }
    let before = logs(&rig).len();
    let ReadOutcome::Ready(plan) = rig.read_plan(0, 4096) else { panic!("a plan") };
    assert_eq!(rig.advance_log_start(81), Err(LogStartError::OutOfRange));
    assert_eq!(rig.advance_log_start(79), Ok(Offset(79)));
    assert_eq!(rig.advance_log_start(3), Ok(Offset(79)), "it never goes back");
    let after = logs(&rig).len();
    assert!(after < before);
    let deleted = || "00000000000000000000.log.deleted".to_owned();
    assert!(rig.names().contains(&deleted()));
    assert!(!rig.fetch(&plan).is_empty(), "a reader that holds the file goes on");
    rig.pass(6000);
    assert!(!rig.names().iter().any(|name| name.ends_with(".deleted")), "{:?}", rig.names());
    assert_eq!(rig.read(79, 1), Ok(vec![78]), "the batch that holds the start is whole");
    rig.kill();
    rig.reopen(Opening { log_start: Offset(79), ..Opening::default() });
    assert_eq!(rig.log.log_start_offset(), Offset(79));
}

#[test]
fn a_deleted_log_leaves_nothing_and_fails_what_waits() {
    let mut rig = Rig::new(small());
    for _ in 0..20 {
        rig.append(&batch(2, 100, T)).unwrap();
    }
    let (ticket, _) = rig.queue(&batch(1, 1, T));
    rig.delete();
    assert!(rig.outcome(ticket).is_err());
    assert!(rig.has_event(|event| matches!(event, LogEvent::Deleted)));
    assert_eq!(rig.world.disk().files(), Vec::new());
    assert!(rig.queue(&batch(1, 1, T)).1.is_err());
}

/// A partition was created and deleted at once; its folder was gone while a file was still being
/// written beside it, and that file's completion met the next log of the same owner.
#[test]
fn a_folder_goes_only_when_nothing_else_of_its_log_is_under_way() {
    let config = std::sync::Arc::new(small());
    let now = Now { mono: Mono(0), wall: WallMs(START) };
    let mut ops: Vec<Op<()>> = Vec::new();
    let mut log = Log::create(spec(&config), now, &mut ops);
    log.delete(1, &mut ops);
    let mut events = Vec::new();
    log.take_events(&mut events);
    let [Op::MakeDir { token: made, .. }] = ops[..] else { panic!("{ops:?}") };
    let mut end = |token, ops: &mut Vec<Op<()>>| {
        ops.clear();
        let done = Completion::Done { token, result: Ok(()) };
        log.on_completion(now, done, ops, &mut events);
        events.iter().any(|event| matches!(event, LogEvent::Deleted))
    };
    assert!(!end(made, &mut ops));
    let [Op::Rename { token: renamed, .. }] = ops[..] else { panic!("nothing else: {ops:?}") };
    assert!(!end(renamed, &mut ops));
    let [Op::Remove { token: removed, .. }] = ops[..] else { panic!("{ops:?}") };
    assert!(end(removed, &mut ops));
}

#[test]
fn a_log_that_never_had_the_folder_leaves_it_alone_when_it_is_deleted() {
    let mut world = World::new(WorldConfig::new(1));
    world.disk_mut().put(Rig::path("partition.metadata"), FOREIGN.into());
    let mut rig = Rig::with_world(world, small());
    rig.delete();
    assert!(rig.has_event(|event| matches!(event, LogEvent::Deleted)));
    assert_eq!(rig.file("partition.metadata"), FOREIGN.as_bytes());
}

#[test]
fn timestamps_lead_to_the_first_record_that_is_young_enough() {
    for codec in [Codec::None, Codec::Lz4, Codec::Gzip] {
        let mut rig = Rig::new(small());
        let mut times = Vec::new();
        for index in 0..60_i64 {
            let mut builder = BatchBuilder::new(BatchSpec { codec, ..BatchSpec::default() });
            for record in 0..3 {
                // Not in order: every other batch is older than the one before it.
                let time = T + (index ^ 1) * 100 + record * 7;
                builder.append(time, None, Some(&[index as u8; 120]), &[]);
                times.push(time);
            }
            rig.append(&valid(&builder.build().unwrap(), &ValidationRules::default())).unwrap();
        }
        let naive = |target: i64| {
            let at = times.iter().position(|time| *time >= target)?;
            Some((at as i64, times[at]))
        };
        for target in (T - 50..T + 6200).step_by(13) {
            assert_eq!(rig.timestamp(target), naive(target), "{codec:?} at {target}");
        }
        let largest = times.iter().max().copied().unwrap();
        assert_eq!(rig.max_timestamp(), naive(largest));
        rig.advance_log_start(100).unwrap();
        let found = rig.timestamp(T).unwrap();
        assert_eq!(found, (100, times[100]), "never below the log's start");
    }
}

#[test]
fn append_time_is_stamped_and_never_goes_back() {
    let mut rig = Rig::new(LogConfig::default());
    let rules = ValidationRules {
        timestamp_type: TimestampType::LogAppendTime,
        ..ValidationRules::default()
    };
    let stamped = || {
        let mut builder = BatchBuilder::new(BatchSpec::default());
        builder.append(T, None, Some(b"x"), &[]);
        valid(&builder.build().unwrap(), &rules)
    };
    rig.append(&stamped()).unwrap();
    rig.world.jump_wall(-3_600_000);
    rig.append(&stamped()).unwrap();
    rig.world.jump_wall(7_200_000);
    rig.append(&stamped()).unwrap();
    let file = rig.file("00000000000000000000.log");
    let batches: Vec<_> = BatchIter::new(&file).collect();
    assert!(batches.iter().all(millrace_engine::BatchView::is_crc_right));
    let times: Vec<i64> = batches.iter().map(|batch| batch.header.max_timestamp).collect();
    assert!(times.is_sorted() && times[0] >= START, "{times:?}");
    assert!(times[2] - times[1] >= 3_500_000);
    assert_eq!(rig.timestamp(times[1] + 1).map(|found| found.0), Some(2));
}

#[test]
fn segments_roll_by_time_and_by_full_indexes() {
    let mut rig = Rig::new(LogConfig { segment_ms: 1000, ..LogConfig::default() });
    rig.append(&batch(1, 10, T)).unwrap();
    rig.append(&batch(1, 10, T + 1000)).unwrap();
    assert_eq!(rig.log.segment_count(), 1);
    rig.append(&batch(1, 10, T + 1001)).unwrap();
    assert_eq!(rig.log.segment_count(), 2);
    let config =
        LogConfig { segment_index_bytes: 80, index_interval_bytes: 0, ..LogConfig::default() };
    let mut rig = Rig::new(config);
    for index in 0..30 {
        rig.append(&batch(1, 10, T + index)).unwrap();
    }
    assert!(rig.log.segment_count() > 3);
    for entry in rig.world.disk().list(super::rig::DIR).unwrap() {
        assert!(!entry.name.ends_with("index") || entry.length <= 80, "{entry:?}");
    }
    assert_eq!(rig.read_all(0, 4096).len(), 30);
}

#[test]
fn a_turn_of_appends_across_rolls_keeps_order() {
    for durability in [Durability::PageCache, Durability::GroupCommit, Durability::EveryBatch] {
        let mut rig = Rig::new(LogConfig { durability, ..small() });
        for round in 0..5 {
            let tickets: Vec<u64> =
                (0..100).map(|_| rig.queue(&batch(1, 150, T + round)).0).collect();
            rig.settle();
            for (index, ticket) in tickets.into_iter().enumerate() {
                assert_eq!(rig.outcome(ticket), Ok(Offset(round * 100 + index as i64)));
            }
            rig.advance();
        }
        assert_eq!(rig.read_all(0, 10_000), (0..500).collect::<Vec<_>>());
    }
}

#[test]
fn index_files_are_what_kafkas_dump_tool_checks() {
    let mut rig = Rig::new(LogConfig { index_interval_bytes: 256, ..LogConfig::default() });
    for index in 0..200 {
        rig.append(&batch(2, 100, T + (index ^ 3))).unwrap();
    }
    rig.close();
    let file = rig.file("00000000000000000000.log");
    let batches: Vec<_> = BatchIter::new(&file).collect();
    let offsets = rig.file("00000000000000000000.index");
    let times = rig.file("00000000000000000000.timeindex");
    assert!(offsets.len() > 8 * 50 && times.len() > 12 * 20, "{} {}", offsets.len(), times.len());
    for entry in offsets.chunks(8) {
        let relative = u32::from_be_bytes(entry[..4].try_into().unwrap());
        let position = u32::from_be_bytes(entry[4..].try_into().unwrap());
        let batch = batches.iter().find(|batch| batch.position == position as usize).unwrap();
        assert_eq!(batch.header.last_offset().0, i64::from(relative));
    }
    let mut previous = -1;
    for entry in times.chunks(12) {
        let timestamp = i64::from_be_bytes(entry[..8].try_into().unwrap());
        let relative = u32::from_be_bytes(entry[8..].try_into().unwrap());
        let batch =
            batches.iter().find(|batch| batch.header.last_offset().0 == i64::from(relative));
        assert_eq!(batch.unwrap().header.max_timestamp, timestamp);
        assert!(timestamp > previous);
        previous = timestamp;
    }
    let largest = batches.iter().map(|batch| batch.header.max_timestamp).max();
    assert_eq!(Some(previous), largest, "the last entry is the largest");
}

#[test]
fn an_idle_log_holds_no_file_and_little_memory() {
    let mut rig = Rig::new(small());
    for index in 0..60 {
        rig.append(&batch(2, 100, T + index)).unwrap();
    }
    assert_eq!(rig.read_all(0, 4096).len(), 60);
    rig.pass(300_000);
    assert_eq!(rig.log.open_file_count(), 0);
    assert_eq!(rig.log.next_deadline(), None);
    let segments = rig.log.segment_count();
    assert!(rig.log.memory_bytes() < 512 + segments * 400, "{}", rig.log.memory_bytes());
    assert_eq!(rig.read(7, 1), Ok(vec![6]), "and goes on when it is needed");
    assert_eq!(rig.append(&batch(1, 1, T)), Ok(Offset(120)));
    let mut rig = Rig::new(LogConfig::default());
    rig.append(&batch(1, 10, T)).unwrap();
    rig.pass(300_000);
    let bytes = size_of::<millrace_engine::Log>() + rig.log.memory_bytes();
    assert!(bytes < 2048, "an idle partition takes {bytes} bytes");
}

#[test]
fn tail_reads_need_no_io() {
    let mut rig = Rig::new(LogConfig::default());
    for index in 0..1000 {
        rig.append(&batch(1, 100, T)).unwrap();
        let before = rig.op_count();
        assert!(matches!(rig.read_plan(index, 1 << 20), ReadOutcome::Ready(_)));
        assert!(rig.is_recent, "the short way knows the tail");
        assert_eq!(rig.op_count(), before);
    }
}

#[test]
fn reads_stop_at_the_limit_and_at_the_bytes_asked_for() {
    let mut rig = Rig::new(LogConfig { index_interval_bytes: 256, ..LogConfig::default() });
    for _ in 0..400 {
        rig.append(&batch(1, 100, T)).unwrap();
    }
    let size = batch(1, 100, T).bytes.len() as u32;
    for limit in [1, 7, 50, 143, 144, 145, 399, 400] {
        assert_eq!(rig.read_below(0, limit, u32::MAX), (0..limit).collect::<Vec<_>>());
        assert_eq!(rig.read_below(limit - 1, limit, u32::MAX), vec![limit - 1]);
        assert_eq!(rig.read_below(limit, limit, u32::MAX), Vec::<i64>::new());
    }
    assert_eq!(rig.read(390, size * 3), Ok(vec![390, 391, 392]));
    assert_eq!(rig.read(390, size * 3 + 5), Ok(vec![390, 391, 392]));
    assert_eq!(rig.read(10, size * 3), Ok(vec![10, 11, 12]));
    assert_eq!(rig.read_plan(401, 1), ReadOutcome::OutOfRange);
    assert_eq!(rig.read_plan(400, 1), ReadOutcome::Empty);
}

#[test]
fn epochs_are_written_down_and_come_back() {
    use millrace_engine::LeaderEpoch;
    let mut rig = Rig::new(small());
    rig.append(&batch(3, 10, T)).unwrap();
    rig.log.become_leader(LeaderEpoch(4));
    rig.append(&batch(3, 10, T)).unwrap();
    assert_eq!(rig.file("leader-epoch-checkpoint"), b"0\n2\n0 0\n4 3\n");
    rig.kill();
    rig.remove("leader-epoch-checkpoint");
    rig.reopen(Opening::default());
    assert_eq!(rig.log.epoch_of(Offset(2)), Some(LeaderEpoch(0)));
    assert_eq!(rig.log.epoch_end(LeaderEpoch(0)).map(|end| end.end_offset), Some(Offset(3)));
    assert_eq!(rig.file("leader-epoch-checkpoint"), b"0\n2\n0 0\n4 3\n");
}

/// A deletion renames the folder; until that is done, here or on another shard, a new topic of the
/// same name finds the old one's files in its place.
#[test]
fn a_folder_of_another_topic_is_not_taken_over() {
    let mut world = World::new(WorldConfig::new(1));
    world.disk_mut().put(Rig::path("partition.metadata"), FOREIGN.into());
    world.disk_mut().put(Rig::path("00000000000000000000.log"), vec![1; 939]);
    let mut rig = Rig::with_world(world, small());
    let (ticket, outcome) = rig.queue(&batch(1, 10, T));
    rig.settle();
    assert!(outcome.is_err() || rig.outcome(ticket).is_err(), "refused, and comes again");
    rig.pass(1_000);
    assert_eq!(rig.file("00000000000000000000.log"), vec![1; 939], "left alone");
    rig.remove("");
    rig.pass(1_000);
    assert_eq!(rig.append(&batch(1, 10, T)), Ok(Offset(0)));
    assert_eq!(rig.read(0, 1), Ok(vec![0]));
    rig.kill();
    assert_eq!(rig.reopen(Opening::default()).log_end, Offset(1));
}

/// It may be another log's that is just being made.
#[test]
fn a_folder_without_a_word_of_whose_it_is_is_taken_over_after_a_while() {
    let mut world = World::new(WorldConfig::new(1));
    world.disk_mut().put(Rig::path("x"), vec![1; 10]);
    let mut rig = Rig::with_world(world, small());
    for _ in 0..29 {
        assert!(rig.append(&batch(1, 10, T)).is_err());
        rig.pass(1_000);
    }
    rig.pass(2_000);
    assert_eq!(rig.append(&batch(1, 10, T)), Ok(Offset(0)));
    rig.kill();
    assert_eq!(rig.reopen(Opening::default()).log_end, Offset(1));
}

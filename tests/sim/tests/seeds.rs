//! Seeds under `cargo test`: enough to notice what breaks often; `millrace-sim` plays the rest.

use millrace_sim::log_run;
use millrace_sim::plan::{Plan, Plant};
use millrace_sim::run::{run, run_seed};

/// Seeds of the whole broker.
const SEEDS: u64 = 60;
/// Seeds of a log alone.
const LOG_SEEDS: u64 = 300;
/// Seeds that found something once; what a seed means changes with the simulator, so that most of
/// them tell another story now.
const LOG_SEEDS_MENDED: &[u64] =
    &[708, 1198, 1428, 1916, 2111, 2874, 4977, 5534, 6090, 8290, 8958, 9426, 9745];
/// The same of the whole broker.
const SEEDS_MENDED: &[u64] = &[
    50,
    1100,
    1251,
    310_000_000_000_718,
    300_000_000_001_918,
    300_000_000_002_216,
    300_000_000_002_430,
    310_000_000_002_178,
    330_000_000_001_343,
];

#[test]
fn seeds_of_the_whole_broker_find_nothing() {
    let (mut acked_count, mut compacted_count) = (0, 0);
    let (mut commit_count, mut fenced_count, mut offsets_removed) = (0, 0, 0);
    let (mut forgotten_count, mut states_compared, mut snapshots_compared) = (0, 0, 0);
    for seed in (0..SEEDS).chain(SEEDS_MENDED.iter().copied()) {
        let outcome = run_seed(seed);
        let replay = format!("cargo run -p millrace-sim --release -- --seeds 1 --start {seed}");
        assert_eq!(outcome.violation, None, "{replay}");
        acked_count += outcome.acked_count;
        compacted_count += outcome.compacted_count;
        commit_count += outcome.commit_count;
        fenced_count += outcome.fenced_count;
        offsets_removed += outcome.offsets_removed;
        forgotten_count += outcome.forgotten_count;
        states_compared += outcome.states_compared;
        snapshots_compared += outcome.snapshots_compared;
    }
    assert!(acked_count > 10_000, "{acked_count} records in all: nothing was at stake");
    assert!(compacted_count > 1_000, "{compacted_count} records in all were compacted away");
    assert!(commit_count > 1_000, "{commit_count} commits in all: nothing was at stake");
    assert!(fenced_count > 5, "{fenced_count} commits in all came from before a rebalance");
    assert!(forgotten_count > 100, "groups forgot {forgotten_count} offsets in all");
    assert!(states_compared > 100, "{states_compared} coordinators were compared with their logs");
    assert!(snapshots_compared > 20, "{snapshots_compared} of them had loaded a snapshot");
    assert!(offsets_removed > 1_000, "compaction removed {offsets_removed} records of offsets");
}

#[test]
fn the_same_seed_gives_the_same_trace_twice() {
    for seed in 0..4 {
        assert_eq!(run_seed(seed), run_seed(seed), "seed {seed}");
    }
    assert_ne!(run_seed(0).trace, run_seed(1).trace);
}

#[test]
fn seeds_of_a_log_alone_find_nothing() {
    for seed in (0..LOG_SEEDS).chain(LOG_SEEDS_MENDED.iter().copied()) {
        let outcome = log_run::run_seed(seed, Plant::None, None);
        let replay =
            format!("cargo run -p millrace-sim --release -- --log --seeds 1 --start {seed}");
        assert_eq!(outcome.violation, None, "{replay}");
    }
}

/// How many seeds a planted bug may survive.
const PLANT_SEEDS: u64 = 200;

fn assert_found(plant: Plant) {
    assert_found_as(plant, &[]);
}

/// - `words`: one of them is in what is found; none for anything, an assertion of the broker's own
///   included, which finds it as well as a checker does.
fn assert_found_as(plant: Plant, words: &[&str]) {
    let mut others = Vec::new();
    for seed in 0..PLANT_SEEDS {
        let found = std::panic::catch_unwind(|| run(Plan { plant, ..Plan::of_seed(seed) }));
        let found = found.map(|outcome| outcome.violation);
        match found {
            Ok(None) => {}
            Err(_) | Ok(Some(_)) if words.is_empty() => return say_found(plant, seed),
            Ok(Some(what)) if words.iter().any(|word| what.contains(word)) => {
                return say_found(plant, seed);
            }
            other => others.push(other),
        }
    }
    panic!("{plant:?} was not found within {PLANT_SEEDS} seeds, but {others:?}");
}

/// For whoever asks, with `--nocapture`, how much is left of [`PLANT_SEEDS`].
fn say_found(plant: Plant, seed: u64) {
    println!("{plant:?}: seed {seed}");
}

#[test]
fn an_acknowledgement_before_the_write_is_found() {
    assert_found(Plant::AckBeforeWrite);
}

#[test]
fn a_sync_that_does_nothing_is_found() {
    assert_found(Plant::LazySync);
}

#[test]
fn a_spoiled_byte_under_acknowledged_records_is_found() {
    assert_found(Plant::SpoiledByte);
}

#[test]
fn a_recovery_that_cuts_too_much_is_found() {
    assert_found(Plant::ShortRecovery);
}

#[test]
fn a_crc_that_produce_does_not_check_is_found_by_who_sent_it() {
    assert_found(Plant::SkippedCrc);
}

#[test]
fn a_crc_that_produce_does_not_check_is_found_by_who_reads_it() {
    assert_found(Plant::SkippedCrcUnminded);
}

#[test]
fn a_commit_of_an_old_generation_that_is_taken_is_found() {
    assert_found_as(Plant::OldGeneration, &["was taken after", "is seen;"]);
}

#[test]
fn a_member_of_a_moved_group_that_keeps_what_it_had_is_found() {
    assert_found_as(Plant::StaleShare, &["is told to"]);
}

#[test]
fn a_deletion_of_offsets_that_is_not_in_the_log_is_found() {
    assert_found_as(Plant::LostDeletion, &["is seen after newer", "the log tells"]);
}

#[test]
fn an_offset_that_expires_before_its_time_is_found() {
    assert_found_as(Plant::HastyExpiry, &["is due"]);
}

#[test]
fn a_snapshot_that_knows_what_the_log_has_lost_is_found() {
    assert_found_as(Plant::NewerSnapshot, &["the log tells"]);
}

#[test]
fn a_commit_acknowledged_before_its_write_is_found() {
    assert_found_as(Plant::EarlyCommit, &["may be", "is due", "the log tells"]);
}

#[test]
fn a_tombstone_that_goes_before_its_time_is_found() {
    assert_found_as(Plant::HastyTombstones, &["is lost"]);
}

#[test]
fn a_live_key_that_compaction_drops_is_found() {
    assert_found_as(Plant::DroppedBatch, &["is lost"]);
}

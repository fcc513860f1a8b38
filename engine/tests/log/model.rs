//! Random lives of a log against a naive model: a list of batches.
//!
//! Replay one seed: `LOG_SEED=7 cargo test -p millrace-engine --test log model`.

use std::collections::BTreeMap;

use millrace_engine::{AppendError, Durability, LogConfig, LogEvent, Offset, Opening, ReadOutcome};
use millrace_world::{Faults, Rng, World, WorldConfig};

use super::T;
use super::rig::{Rig, batch};

/// What the log must hold.
struct Model {
    /// Base offset and record count of every acknowledged batch, ascending.
    acknowledged: Vec<(i64, i64)>,
    /// Tickets that wait, with base offset and count.
    waiting: BTreeMap<u64, (i64, i64)>,
    log_start: i64,
}

fn config(rng: &mut Rng) -> LogConfig {
    let durability = match rng.below(4) {
        0 => Durability::GroupCommit,
        1 => Durability::EveryBatch,
        _ => Durability::PageCache,
    };
    LogConfig {
        segment_bytes: 2048 << rng.below(6),
        index_interval_bytes: 64 << rng.below(6),
        durability,
        preallocate: rng.chance(500),
        writeback_bytes: if rng.chance(500) { 4096 } else { 0 },
        file_delete_delay_ms: rng.below(100_000),
        retention_ms: None,
        ..LogConfig::default()
    }
}

impl Model {
    fn take_events(&mut self, rig: &mut Rig) {
        for event in std::mem::take(&mut rig.events) {
            match event {
                LogEvent::Appended { ticket, base_offset, .. } => {
                    let (base, count) = self.waiting.remove(&ticket).expect("told once");
                    assert_eq!(base_offset.0, base);
                    self.acknowledged.push((base, count));
                }
                LogEvent::AppendFailed { ticket, error } => {
                    assert_eq!(error, AppendError::NoSpace);
                    self.waiting.remove(&ticket).expect("told once");
                }
                LogEvent::Fatal { reason } => panic!("{reason}"),
                LogEvent::Corrupt { segment, position, reason } => {
                    panic!("{reason} at {position} of {segment}")
                }
                _ => {}
            }
        }
    }

    /// Everything acknowledged is read back, in order.
    fn check(&self, rig: &mut Rig, bytes_max: u32) {
        rig.advance();
        let start = rig.log.log_start_offset().0;
        let read = rig.read_all(start, bytes_max);
        assert!(read.is_sorted_by(|a, b| a < b));
        for (base, count) in &self.acknowledged {
            if base + count > start {
                assert!(read.contains(base), "batch {base} is lost; log start {start}");
            }
        }
    }
}

fn live(seed: u64) {
    let mut rng = Rng::new(seed);
    let config = config(&mut rng);
    let is_durable = config.durability != Durability::PageCache;
    let mut rig = Rig::with_world(World::new(WorldConfig::new(seed)), config);
    let mut model = Model { acknowledged: Vec::new(), waiting: BTreeMap::new(), log_start: 0 };
    for _ in 0..rng.between(20, 80) {
        match rng.below(100) {
            0..50 => {
                for _ in 0..rng.between(1, 12) {
                    let (records, bytes) = (rng.between(1, 5), rng.between(0, 400));
                    let value = batch(records as usize, bytes as usize, T + rng.below(9999) as i64);
                    let base = rig.log.log_end_offset().0;
                    if let (ticket, Ok(_)) = rig.queue(&value) {
                        model.waiting.insert(ticket, (base, records as i64));
                    }
                }
                for _ in 0..rng.below(6) {
                    rig.nudge();
                }
            }
            50..60 => rig.settle(),
            60..68 => {
                model.take_events(&mut rig);
                rig.advance();
                let (low, high) = (rig.log.log_start_offset(), rig.log.high_watermark());
                let offset = rng.between(low.0 as u64, high.0 as u64) as i64;
                if let ReadOutcome::Ready(plan) = rig.read_plan(offset, rng.below(5000) as u32 + 1)
                {
                    assert!(!rig.fetch(&plan).is_empty());
                }
            }
            68..72 => {
                rig.settle();
                model.take_events(&mut rig);
                rig.advance();
                let high = rig.log.high_watermark().0;
                model.log_start = rng.between(model.log_start as u64, high as u64) as i64;
                rig.advance_log_start(model.log_start).unwrap();
            }
            72..78 => rig.pass(rng.below(120_000)),
            78..82 => {
                let disk_bytes_max = rig.world.disk().used_bytes() + rng.below(3000);
                rig.world.set_faults(Faults { disk_bytes_max, ..Faults::none() });
            }
            82..88 => {
                rig.world.set_faults(Faults { write_split: 300, ..Faults::none() });
                rig.pass(5_000);
            }
            88..94 => restart(&mut rig, &mut model, &mut rng, is_durable),
            _ => {
                rig.settle();
                model.take_events(&mut rig);
                model.check(&mut rig, rng.below(8000) as u32 + 1);
            }
        }
        model.take_events(&mut rig);
    }
    rig.world.set_faults(Faults::none());
    rig.pass(10_000);
    rig.settle();
    model.take_events(&mut rig);
    assert!(model.waiting.is_empty(), "everything is told: {:?}", model.waiting);
    model.check(&mut rig, 4096);
}

/// A clean stop, a kill, or a power loss.
fn restart(rig: &mut Rig, model: &mut Model, rng: &mut Rng, is_durable: bool) {
    rig.world.set_faults(Faults::none());
    let log_start = Offset(model.log_start);
    let early = rig.log.checkpoint();
    if rng.chance(300) {
        rig.pass(5_000);
        let checkpoint = rig.close();
        model.take_events(rig);
        let checkpoint = rng.chance(700).then_some(checkpoint);
        rig.kill();
        let opening = Opening { is_clean: true, checkpoint, log_start, ..Opening::default() };
        let report = rig.reopen(opening);
        assert_eq!(report.cut, None, "a clean stop leaves nothing torn");
        return;
    }
    let recovery_point = rig.log.durable_offset();
    for _ in 0..rng.below(5) {
        rig.nudge();
    }
    model.take_events(rig);
    let is_power_loss = is_durable && rng.chance(500);
    if is_power_loss {
        rig.lose_power();
    } else {
        rig.kill();
    }
    let opening = Opening {
        checkpoint: rng.chance(500).then_some(early),
        is_same_boot: !is_power_loss,
        recovery_point: if rng.chance(500) { recovery_point } else { Offset(0) },
        log_start,
        ..Opening::default()
    };
    let report = rig.reopen(opening);
    assert_eq!(report.missing_from, None, "{report:?}");
    model.waiting.clear();
    // What was in flight may be there or not; from the outside it counts as acknowledged never.
    let end = report.log_end.0;
    if let Some((base, count)) = model.acknowledged.last() {
        assert!(base + count <= end.max(model.log_start), "lost {base} of {end}");
    }
}

#[test]
fn random_lives_hold_what_they_acknowledged() {
    let seeds = match option_env!("LOG_SEED").and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..400_u64,
    };
    for seed in seeds {
        let result = std::panic::catch_unwind(|| live(seed));
        let replay = "cargo test -p millrace-engine --test log random_lives";
        assert!(result.is_ok(), "seed {seed} failed; replay: LOG_SEED={seed} {replay}");
    }
}

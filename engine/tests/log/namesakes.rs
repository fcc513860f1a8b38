//! Two logs of one folder: a topic is deleted and made anew while much of the old one is still under
//! way, on this shard or another. Whatever ends first, what the new one acknowledged stays.

use std::sync::Arc;

use millrace_engine::{AppendOutcome, BatchIter, Log, LogEvent, LogSpec};
use millrace_io::{Completion, Op, ShardId};
use millrace_wire::Uuid;
use millrace_world::{Faults, World, WorldConfig};

use super::T;
use super::rig::{Rig, batch, small, spec};

/// Owners of the old log's operations and of the new one's.
const OWNERS: [u32; 2] = [7, 9];
const NEW_ID: Uuid = Uuid(0x5678);

struct Two {
    world: World<()>,
    logs: Vec<Log>,
    ops: Vec<Op<()>>,
    next_ticket: u64,
    /// Batches that the new log has acknowledged.
    acknowledged: usize,
    is_old_deleted: bool,
}

impl Two {
    fn new(seed: u64) -> Self {
        let faults = Faults { spike: 300, spike_ms_max: 200, ..Faults::none() };
        let world = World::new(WorldConfig { faults, ..WorldConfig::new(seed) });
        let mut ops = Vec::new();
        let old = Log::create(spec(&Arc::new(small())), world.now(), &mut ops);
        let logs = vec![old];
        Self { world, logs, ops, next_ticket: 0, acknowledged: 0, is_old_deleted: false }
    }

    fn create_new(&mut self) {
        let spec = LogSpec { owner: OWNERS[1], topic_id: NEW_ID, ..spec(&Arc::new(small())) };
        self.logs.push(Log::create(spec, self.world.now(), &mut self.ops));
    }

    /// Gives the last log made a batch, if it takes one.
    fn append(&mut self) {
        self.next_ticket += 1;
        let (now, ticket) = (self.world.now(), self.next_ticket);
        let log = self.logs.last_mut().unwrap();
        let outcome = log.append(now, &batch(1, 50, T), ticket);
        assert!(!matches!(outcome, Ok(AppendOutcome::Duplicate { .. })));
    }

    /// One turn of the driver, at most `ms` long.
    fn turn(&mut self, ms: u64) {
        let now = self.world.now();
        for log in &mut self.logs {
            log.on_timer(now, &mut self.ops);
            log.end_turn(now, &mut self.ops);
        }
        let soon = now.mono.plus_ms(ms);
        let deadlines = self.logs.iter().filter_map(Log::next_deadline);
        let deadline = deadlines.min().map_or(soon, |at| at.min(soon));
        let mut completions: Vec<Completion<()>> = Vec::new();
        let now = self.world.turn(ShardId(0), &mut self.ops, Some(deadline), &mut completions);
        for completion in completions {
            let owner = owner(&completion);
            let which = OWNERS.iter().position(|it| *it == owner).unwrap();
            let mut events = Vec::new();
            self.logs[which].on_completion(now, completion, &mut self.ops, &mut events);
            self.note(which, events);
        }
        for which in 0..self.logs.len() {
            let mut events = Vec::new();
            self.logs[which].take_events(&mut events);
            self.note(which, events);
        }
    }

    fn note(&mut self, which: usize, events: Vec<LogEvent>) {
        for event in events {
            match event {
                LogEvent::Appended { .. } => self.acknowledged += which,
                LogEvent::Deleted => self.is_old_deleted = true,
                LogEvent::Fatal { reason } => panic!("log {which}: {reason}"),
                _ => {}
            }
        }
    }
}

/// Whose operation it is.
fn owner(completion: &Completion<()>) -> u32 {
    match completion {
        Completion::Opened { token, .. }
        | Completion::Read { token, .. }
        | Completion::Wrote { token, .. }
        | Completion::Done { token, .. }
        | Completion::Listed { token, .. }
        | Completion::Computed { token, .. } => token.owner,
        other => panic!("no log asks for {other:?}"),
    }
}

#[test]
fn a_new_log_keeps_its_records_whatever_of_the_old_one_is_still_under_way() {
    for seed in 0..3_000 {
        let mut two = Two::new(seed);
        let turns = |seed: u64, most: u64| seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33 & most;
        for _ in 0..turns(seed, 7) {
            two.append();
            two.turn(10);
        }
        two.logs[0].delete(u128::from(seed), &mut two.ops);
        for _ in 0..turns(seed + 1_000_000, 3) {
            two.turn(10);
        }
        two.create_new();
        for _ in 0..400 {
            if two.is_old_deleted && two.acknowledged >= 5 {
                break;
            }
            two.append();
            two.turn(100);
        }
        for _ in 0..100 {
            two.turn(100);
        }
        assert!(two.is_old_deleted && two.acknowledged >= 5, "seed {seed}: both come to an end");
        let disk = two.world.disk();
        let content = |name: &str| disk.content(Rig::path(name)).unwrap_or_default();
        let id = millrace_engine::partition_metadata::read_partition_metadata(content(
            "partition.metadata",
        ));
        assert_eq!(id, Ok(NEW_ID), "seed {seed}");
        let names = disk.list(super::rig::DIR).unwrap_or_default();
        let segments = names.iter().filter(|entry| entry.name.ends_with(".log"));
        let there: usize = segments.map(|entry| BatchIter::new(content(&entry.name)).count()).sum();
        assert!(there >= two.acknowledged, "seed {seed}: {there} of {}", two.acknowledged);
    }
}

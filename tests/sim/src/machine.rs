//! The machine: the world with a broker process on it, which may die and start again.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace::mail::Mail;
use millrace::setup::Setup;
use millrace::shard::Shard;
use millrace_io::{Completion, Mono, Op, ShardId};
use millrace_world::{Next, Rng, World, WorldConfig};

use crate::group_log;
use crate::plan::{Plan, Plant};
use crate::plant;
use crate::setup;

/// Coordinators that had something on its way when they were to be compared are looked at again after
/// so many turns.
const COMPARED_EVERY: u64 = 16;

/// A world and the broker's shards in it.
pub struct Machine {
    /// Disk, network, clocks.
    pub world: World<Mail>,
    shards: Vec<Shard>,
    shard_count: u16,
    /// Seeds of the processes.
    rng: Rng,
    /// The machine's boots; a kill is none.
    boot_id: u128,
    plant: Plant,
    /// See [`plant::skip_crcs`].
    disguises: BTreeMap<u32, u32>,
    /// What the run sets in the broker's configuration.
    settings: Vec<(&'static str, String)>,
    snapshot_bytes: u64,
    /// Coordinators of groups, by shard, that were loaded at the last look.
    loaded: Vec<usize>,
    /// Shards of which some are to be compared with their logs.
    compares: Vec<bool>,
    /// Groups whose ends were written since somebody asked.
    ended: Vec<group_log::End>,
    /// What was wrong with them.
    violation: Option<String>,
    /// Coordinators that were compared.
    pub compared: u64,
    /// Those of them that had loaded a snapshot.
    pub compared_snapshots: u64,
    completions: Vec<Completion<Mail>>,
    ops: Vec<Op<Mail>>,
    /// Shards' turns so far.
    pub turns: u64,
    /// The broker's processes so far.
    pub lives: u32,
    /// Syncs that had failed when this process began.
    sync_failures_before: u64,
}

impl Machine {
    /// The plan's machine, running.
    pub fn new(plan: &Plan) -> Self {
        let config = WorldConfig {
            shards: plan.shards,
            faults: plan.faults.clone(),
            ..WorldConfig::new(plan.seed)
        };
        let mut machine = Self {
            world: World::new(config),
            shards: Vec::new(),
            shard_count: plan.shards,
            rng: Rng::new(plan.seed ^ 0x6D61_6368_696E_6531),
            boot_id: 1,
            plant: plan.plant,
            disguises: BTreeMap::new(),
            settings: plan.settings.clone(),
            snapshot_bytes: plan.snapshot_bytes,
            loaded: Vec::new(),
            compares: Vec::new(),
            ended: Vec::new(),
            violation: None,
            compared: 0,
            compared_snapshots: 0,
            completions: Vec::new(),
            ops: Vec::new(),
            turns: 0,
            lives: 0,
            sync_failures_before: 0,
        };
        setup::prepare_disk(machine.world.disk_mut());
        machine.boot();
        machine
    }

    fn boot(&mut self) {
        self.lives += 1;
        self.sync_failures_before = self.world.sync_failures();
        let setup =
            setup::setup(self.shard_count, self.boot_id, &self.settings, self.snapshot_bytes);
        let setup: Arc<Setup> = Arc::new(setup);
        let seed = self.rng.word();
        self.shards = (0..self.shard_count)
            .map(|id| Shard::new(ShardId(id), Arc::clone(&setup), seed))
            .collect();
        self.loaded = vec![0; self.shards.len()];
        self.compares = vec![false; self.shards.len()];
        // The first turn of each starts it.
        for id in 0..self.shard_count {
            self.step(ShardId(id));
        }
    }

    /// Who moves next, up to a time.
    pub fn advance(&mut self, until: u64) -> Next {
        let deadlines: Vec<Option<Mono>> = self.shards.iter().map(Shard::next_deadline).collect();
        self.world.advance(&deadlines, until)
    }

    /// One turn of a shard.
    pub fn step(&mut self, id: ShardId) {
        self.turns += 1;
        let now = self.world.deliver(id, &mut self.completions);
        let shard = &mut self.shards[usize::from(id.0)];
        shard.step(now, &mut self.completions, &mut self.ops);
        assert!(self.completions.is_empty(), "a shard takes all its completions");
        if !self.settings.is_empty() {
            // Only groups set anything.
            self.ended.extend(group_log::ended(&self.ops));
        }
        plant::pervert(self.plant, &mut self.world, id, &mut self.ops);
        if !self.disguises.is_empty() {
            plant::skip_crcs(&self.disguises, &mut self.ops);
        }
        if self.plant == Plant::LostDeletion {
            plant::lose_deletions(&mut self.ops);
        }
        self.world.submit(id, &mut self.ops);
        let at = usize::from(id.0);
        let loaded = self.shards[at].loaded_groups();
        let before = std::mem::replace(&mut self.loaded[at], loaded);
        self.compares[at] |= loaded > before;
        if self.compares[at] && (loaded > before || self.turns.is_multiple_of(COMPARED_EVERY)) {
            self.compares[at] = !self.compare_groups(id);
        }
    }

    /// Coordinators of groups know what their whole logs tell, also if they have loaded a snapshot.
    /// False if it is to be tried again.
    ///
    /// A sync that failed in this life may have made the page cache forget what they had read, and with
    /// it what the log tells: then there is nothing to compare with.
    pub fn compare_groups(&mut self, id: ShardId) -> bool {
        if self.world.sync_failures() > self.sync_failures_before {
            return true;
        }
        let Some(shard) = self.shards.get(usize::from(id.0)) else { return true };
        let states = shard.group_states();
        let is_all = states.len() == shard.loaded_groups();
        for state in states {
            match group_log::compare(self.world.disk(), &state) {
                Ok(was_compared) => {
                    self.compared += u64::from(was_compared);
                    self.compared_snapshots += u64::from(was_compared && state.had_snapshot);
                }
                Err(wrong) => self.violation = self.violation.take().or(Some(wrong)),
            }
        }
        is_all
    }

    /// The same of all shards.
    pub fn compare_all_groups(&mut self) {
        for id in 0..self.shard_count {
            self.compare_groups(ShardId(id));
        }
    }

    /// What was wrong with what coordinators of groups know.
    pub fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// Groups whose ends were written since the last call.
    pub fn take_ended(&mut self) -> Vec<group_log::End> {
        std::mem::take(&mut self.ended)
    }

    /// Batches that were sent with a CRC that fits are written with the one they had before.
    pub fn disguise(&mut self, crcs: Vec<(u32, u32)>) {
        self.disguises.extend(crcs);
    }

    /// Kills the process and starts another.
    pub fn kill(&mut self) {
        self.shards.clear();
        self.world.kill();
        plant::spoil(self.plant, &mut self.world, &mut self.rng);
        self.boot();
    }

    /// Takes the power away and gives it back.
    pub fn lose_power(&mut self) {
        self.shards.clear();
        let known = if self.plant == Plant::NewerSnapshot {
            group_log::snapshots(&self.world)
        } else {
            Vec::new()
        };
        self.world.lose_power();
        plant::spoil(self.plant, &mut self.world, &mut self.rng);
        for (path, snapshot) in known {
            self.world.disk_mut().put(&path, snapshot);
        }
        self.boot_id += 1;
        self.boot();
    }

    /// The machine's boots; a kill is none.
    pub const fn boot_id(&self) -> u128 {
        self.boot_id
    }

    /// Asks the process to stop.
    pub fn stop(&mut self) {
        self.world.stop();
    }

    /// Whether the process has nothing left to do.
    pub fn has_finished(&self) -> bool {
        self.shards.iter().all(Shard::is_finished)
    }

    /// Whether clients are served by all shards.
    pub fn is_serving(&self) -> bool {
        self.shards.iter().all(Shard::is_serving)
    }

    /// Why the process ended by itself, if it did.
    pub fn failure(&self) -> Option<&str> {
        self.shards.iter().find_map(Shard::failure)
    }

    /// The process ends by itself, and another starts.
    pub fn restart(&mut self) {
        assert!(self.has_finished(), "a process that works is killed, not restarted");
        self.shards.clear();
        self.world.kill();
        self.boot();
    }
}

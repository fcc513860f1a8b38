//! The machine: the world with a broker process on it, which may die and start again.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace::mail::Mail;
use millrace::setup::Setup;
use millrace::shard::Shard;
use millrace_io::{Completion, Mono, Op, ShardId};
use millrace_world::{Next, Rng, World, WorldConfig};

use crate::plan::{Plan, Plant};
use crate::plant;
use crate::setup;

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
    completions: Vec<Completion<Mail>>,
    ops: Vec<Op<Mail>>,
    /// Shards' turns so far.
    pub turns: u64,
    /// The broker's processes so far.
    pub lives: u32,
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
            completions: Vec::new(),
            ops: Vec::new(),
            turns: 0,
            lives: 0,
        };
        setup::prepare_disk(machine.world.disk_mut());
        machine.boot();
        machine
    }

    fn boot(&mut self) {
        self.lives += 1;
        let setup = setup::setup(self.shard_count, self.boot_id, &self.settings);
        let setup: Arc<Setup> = Arc::new(setup);
        let seed = self.rng.word();
        self.shards = (0..self.shard_count)
            .map(|id| Shard::new(ShardId(id), Arc::clone(&setup), seed))
            .collect();
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
        plant::pervert(self.plant, &mut self.world, id, &mut self.ops);
        if !self.disguises.is_empty() {
            plant::skip_crcs(&self.disguises, &mut self.ops);
        }
        self.world.submit(id, &mut self.ops);
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
        self.world.lose_power();
        plant::spoil(self.plant, &mut self.world, &mut self.rng);
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

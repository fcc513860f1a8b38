//! Stops at moments that seeds seldom hit.

use millrace_sim::machine::Machine;
use millrace_sim::plan::{MS, Plan};
use millrace_world::{Faults, Next};

/// Starts that are interrupted.
const STARTS: u64 = 300;

/// Lets the machine run until `until`, or until it has made so many steps.
fn run(machine: &mut Machine, until: u64, steps_max: u64) {
    let mut steps = 0;
    while machine.world.time() < until && steps < steps_max && !machine.has_finished() {
        steps += 1;
        if let Next::Shard(shard) = machine.advance(until) {
            machine.step(shard);
        }
    }
}

/// A stop that came in the same turn as the last that the start waited for was forgotten: the broker
/// went on to serve. One that found some shards serving and others not left those waiting for a word.
#[test]
fn a_stop_during_a_start_is_heeded() {
    for seed in 0..STARTS {
        // Shards that come late find much in one turn.
        let faults = Faults { stall: 700, stall_ms_max: 20, ..Faults::none() };
        let shards = u16::try_from(1 + seed % 3).expect("small");
        let plan = Plan { faults, shards, ..Plan::of_seed(seed) };
        let mut machine = Machine::new(&plan);
        run(&mut machine, 500 * MS, u64::MAX);
        machine.kill();
        run(&mut machine, u64::MAX, seed % 60);
        machine.stop();
        let until = machine.world.time() + 30_000 * MS;
        run(&mut machine, until, u64::MAX);
        assert!(machine.has_finished(), "seed {seed}: still there after half a minute");
    }
}

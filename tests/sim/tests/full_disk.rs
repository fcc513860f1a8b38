//! Starts on a full disk that have something to rename and to write first.

use millrace_sim::machine::Machine;
use millrace_sim::plan::{MS, Plan};
use millrace_world::{Faults, Next};

const PROPERTIES: &str = "/data/meta.properties";

fn run(machine: &mut Machine, ms: u64) {
    let until = machine.world.time() + ms * MS;
    while machine.world.time() < until && !machine.has_finished() {
        if let Next::Shard(shard) = machine.advance(until) {
            machine.step(shard);
        }
    }
}

fn folders(machine: &Machine) -> Vec<String> {
    let entries = machine.world.disk().list("/data").expect("the log dir");
    entries.into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name).collect()
}

fn properties(machine: &Machine) -> String {
    let content = machine.world.disk().content(PROPERTIES).expect("the file");
    String::from_utf8(content.to_vec()).expect("text")
}

#[test]
fn a_start_on_a_full_disk_serves_and_does_later_what_needs_room() {
    for seed in 0..20 {
        let plan = Plan { faults: Faults::none(), shards: 2, ..Plan::of_seed(seed) };
        let mut machine = Machine::new(&plan);
        run(&mut machine, 2_000);
        assert!(machine.is_serving(), "seed {seed}: {:?}", machine.failure());
        // A folder of no partition; and properties as an older Kafka wrote them, without an id.
        let old: Vec<String> = properties(&machine)
            .lines()
            .filter(|line| !line.starts_with("directory.id"))
            .map(|line| format!("{line}\n"))
            .collect();
        let disk = machine.world.disk_mut();
        disk.put("/data/ghost-0/00000000000000000000.log", b"of somebody".to_vec());
        disk.put(PROPERTIES, old.concat().into_bytes());
        machine.world.set_faults(Faults { disk_bytes_max: 0, ..Faults::none() });
        machine.kill();
        run(&mut machine, 20_000);
        assert!(machine.is_serving(), "seed {seed}: {:?}", machine.failure());
        assert!(folders(&machine).contains(&"ghost-0".to_owned()), "seed {seed}");
        assert!(!properties(&machine).contains("directory.id"), "seed {seed}");
        machine.world.set_faults(Faults::none());
        run(&mut machine, 20_000);
        assert!(machine.is_serving(), "seed {seed}");
        assert!(properties(&machine).contains("directory.id"), "seed {seed}");
        let folders = folders(&machine);
        let is_stray = |name: &String| name.starts_with("ghost-0.") && name.ends_with("-stray");
        assert!(folders.iter().any(is_stray), "seed {seed}: {folders:?}");
        assert!(!folders.contains(&"ghost-0".to_owned()), "seed {seed}");
    }
}

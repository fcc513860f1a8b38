//! SIGTERM becomes a stop on every shard. A process of its own, since signals are the process's.

use millrace_io::Completion;
use millrace_uring::{Driver, DriverConfig, start_shards};

fn main() {
    let config = DriverConfig { shards: 2, stop_on_signals: true, ..DriverConfig::default() };
    let running = start_shards(&config, |_| {
        |mut driver: Driver<()>| {
            let (mut ops, mut completions) = (Vec::new(), Vec::new());
            while !completions.iter().any(|it| matches!(it, Completion::Stop)) {
                driver.turn(&mut ops, None, &mut completions);
            }
        }
    })
    .expect("starts");
    let own = std::process::id().to_string();
    let sent = std::process::Command::new("kill").args(["-TERM", &own]).status();
    assert!(sent.expect("there is a kill command").success());
    assert_eq!(running.join().expect("both stop").len(), 2);
}

//! `millrace-sim`: plays seeds until one finds something.
//!
//! ```text
//! cargo run -p millrace-sim --release -- --seeds 1000 --start 0     these seeds
//! cargo run -p millrace-sim --release -- --time 600                 fresh seeds for ten minutes
//!   --log     the partition's log alone, not the whole broker
//!   --tell    prints everything that happens
//!   --all     goes on behind a seed that finds something
//!   --plant P with a bug of that name put in on purpose, to see who finds it
//! ```

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use millrace_sim::outcome::Outcome;
use millrace_sim::plan::{Plan, Plant};
use millrace_sim::{log_run, run};

/// Of so many seeds one is played twice, to see whether its trace is the same.
const TWICE_EVERY: u64 = 32;

/// The seed being played, for the message of a panic.
static SEED: AtomicU64 = AtomicU64::new(0);

#[derive(Clone, Debug, Default)]
struct Options {
    seeds: Option<u64>,
    start: Option<u64>,
    seconds: Option<u64>,
    is_log: bool,
    tells: bool,
    plays_all: bool,
    plant: Plant,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(2);
        }
    };
    let is_log = options.is_log;
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        before(info);
        say_replay(SEED.load(Ordering::Relaxed), is_log);
        std::process::exit(1);
    }));
    match play_all(&options) {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(arg) = args.next() {
        if arg == "--plant" {
            let name = args.next().unwrap_or_default();
            let plant = Plant::ALL.iter().find(|plant| format!("{plant:?}") == name);
            options.plant =
                *plant.ok_or_else(|| format!("{name:?} is none of {:?}", Plant::ALL))?;
            continue;
        }
        let mut number = || -> Result<u64, String> {
            let text = args.next().ok_or_else(|| format!("{arg} wants a number"))?;
            text.parse().map_err(|error| format!("{arg} {text}: {error}"))
        };
        match arg.as_str() {
            "--seeds" => options.seeds = Some(number()?),
            "--start" => options.start = Some(number()?),
            "--time" => options.seconds = Some(number()?),
            "--log" => options.is_log = true,
            "--tell" => options.tells = true,
            "--all" => options.plays_all = true,
            other => {
                let known = "--seeds --start --time --log --tell --all --plant";
                return Err(format!("{other} is none of {known}"));
            }
        }
    }
    Ok(options)
}

fn say_replay(seed: u64, is_log: bool) {
    let log = if is_log { " --log" } else { "" };
    println!("replay: cargo run -p millrace-sim --release -- --seeds 1 --start {seed}{log} --tell");
}

/// Plays the seeds; returns how many found something.
fn play_all(options: &Options) -> u64 {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let fresh = u64::try_from(clock & u128::from(u64::MAX >> 1)).unwrap_or_default();
    let first = options.start.unwrap_or(if options.seeds.is_some() { 0 } else { fresh });
    let count = options.seeds.unwrap_or(u64::MAX);
    let until = options.seconds.map_or(Duration::MAX, Duration::from_secs);
    let begin = Instant::now();
    let (mut done, mut found, mut acked, mut turns) = (0, 0, 0, 0);
    let mut said = Instant::now();
    while done < count && begin.elapsed() < until && (found == 0 || options.plays_all) {
        let seed = first.wrapping_add(done);
        SEED.store(seed, Ordering::Relaxed);
        let mut outcome = play(options, seed);
        let plays_twice = !options.tells && outcome.violation.is_none() && done % TWICE_EVERY == 0;
        if plays_twice && play(options, seed).trace != outcome.trace {
            outcome.violation = Some("the same seed gave another trace".to_owned());
        }
        if let Some(violation) = outcome.violation {
            println!("\nseed {seed}: {violation}");
            say_replay(seed, options.is_log);
            found += 1;
        }
        done += 1;
        acked += outcome.acked_count;
        turns += outcome.turns;
        if said.elapsed() > Duration::from_secs(5) {
            said = Instant::now();
            progress(done, acked, turns, begin);
        }
    }
    progress(done, acked, turns, begin);
    found
}

fn play(options: &Options, seed: u64) -> Outcome {
    let mut print = |line: &str| println!("{line}");
    let tell: Option<&mut dyn FnMut(&str)> = if options.tells { Some(&mut print) } else { None };
    if options.is_log {
        log_run::run_seed(seed, options.plant, tell)
    } else {
        run::run_telling(Plan { plant: options.plant, ..Plan::of_seed(seed) }, tell)
    }
}

fn progress(done: u64, acked: u64, turns: u64, begin: Instant) {
    let ms = begin.elapsed().as_millis().max(1);
    let rate = u128::from(done) * 1000 / ms;
    println!("{done} seeds, {rate} a second, {acked} records acknowledged, {turns} turns");
    // A progress line nobody can see is no reason to stop.
    let _ = std::io::stdout().flush();
}

//! Computations that panic: each fails alone, those after it run, and a process whose threads keep
//! dying ends. A process of its own, since the hook of one that had a death can never be taken again,
//! which the test harness does.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use millrace_io::{Completion, Op, Token, Work};
use millrace_uring::{Backend, Driver, DriverConfig, Mesh, probe};

/// As many deaths as a process survives.
const DEATHS_MAX: usize = 32;

fn main() {
    match std::env::args().nth(1).as_deref() {
        None => {
            let (survived, _) = child("survive");
            assert_eq!(survived, 0);
            let (died, deaths) = child("die");
            assert_eq!((died, deaths), (128 + libc::SIGABRT, DEATHS_MAX + 1));
        }
        Some("survive") => {
            for backend in [Backend::Uring, Backend::Epoll] {
                if probe(backend).is_available {
                    let expected: Vec<_> = (1..=20).map(|it| (it % 3 != 0).then_some(it)).collect();
                    assert_eq!(results(backend, 20, 3), expected, "{backend:?}");
                }
            }
        }
        Some(_) => {
            results(Backend::Epoll, DEATHS_MAX + 1, 1);
        }
    }
}

/// Runs this program as a child: its status as a shell tells it, and how many of its works panicked.
fn child(argument: &str) -> (i32, usize) {
    let own = std::env::current_exe().expect("a path");
    let output = Command::new(own).arg(argument).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    println!("{argument}: {}", output.status);
    let code = output.status.code().or(output.status.signal().map(|signal| 128 + signal));
    (code.expect("it has ended"), said.matches("it was asked to").count())
}

/// Lets `count` numbers be computed of which each multiple of `dying` panics: what came of each. That
/// the driver ends afterwards shows that it waits for none of the dead.
fn results(backend: Backend, count: usize, dying: usize) -> Vec<Option<usize>> {
    let config = DriverConfig { backend, ..DriverConfig::default() };
    let mut mesh = Mesh::<()>::new(&config).expect("a mesh");
    let mut driver: Driver<()> = mesh.take_seats().remove(0).into_driver().expect("a driver");
    let mut ops: Vec<Op<()>> = Vec::new();
    for number in 1..=count {
        let compute = |(number, dying): (usize, usize)| {
            assert!(!number.is_multiple_of(dying), "it was asked to");
            number
        };
        let token = Token { owner: 1, seq: u32::try_from(number).expect("few") };
        ops.push(Op::Compute { token, work: Work::new((number, dying), compute) });
    }
    let (mut completions, mut told) = (Vec::new(), Vec::new());
    while told.len() < count {
        driver.turn(&mut ops, None, &mut completions);
        for completion in completions.drain(..) {
            let Completion::Computed { token, result } = completion else {
                panic!("{completion:?}");
            };
            told.push((token.seq, result.ok().map(|it| it.take::<usize>().expect("a number"))));
        }
    }
    // Who takes over may be faster than who dies.
    told.sort_by_key(|(seq, _)| *seq);
    told.into_iter().map(|(_, number)| number).collect()
}

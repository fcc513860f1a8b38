//! Claims about shards: mail, wake-ups, hand-over, deadlines, stopping.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;

use bytes::Bytes;
use millrace_io::{Chunk, Completion, Op, ShardId};
use millrace_uring::{Backend, Driver, DriverConfig, Shards, start_shards, sys};

use super::rig::{PATIENCE_MS, Rig, config};

/// Starts shards that run `step` on each completion until it answers `Some`.
#[allow(clippy::type_complexity, reason = "a step is what it is")]
fn run<S: Send + 'static, R: Send + 'static>(
    config: &DriverConfig,
    begin: fn(&mut Driver<u64>, &mut Vec<Op<u64>>) -> S,
    step: fn(&mut S, ShardId, Completion<u64>, &mut Vec<Op<u64>>) -> Option<R>,
) -> Shards<R> {
    start_shards(config, |_| {
        move |mut driver: Driver<u64>| {
            let mut ops = Vec::new();
            let mut completions = Vec::new();
            let mut state = begin(&mut driver, &mut ops);
            let end = sys::mono().plus_ms(PATIENCE_MS);
            loop {
                let now = driver.turn(&mut ops, Some(end), &mut completions);
                for completion in completions.drain(..) {
                    if let Some(result) = step(&mut state, driver.shard(), completion, &mut ops) {
                        // What was posted last must still leave.
                        driver.turn(&mut ops, Some(now.mono), &mut Vec::new());
                        return result;
                    }
                }
                assert!(now.mono < end, "shard {} waits in vain", driver.shard().0);
            }
        }
    })
    .expect("starts")
}

pub(crate) fn mail_keeps_its_order(backend: Backend) {
    for shards in 2..=4_u16 {
        let config = DriverConfig { shards, mail_capacity: 64, ..config(backend) };
        exchange(&config, 20_000);
    }
}

/// Every shard sends `count` numbers to every other, as fast as it can.
fn exchange(config: &DriverConfig, count: u64) {
    let shards = config.shards;
    let running = start_shards(config, |_| {
        move |mut driver: Driver<u64>| {
            let own = driver.shard();
            let peers: Vec<ShardId> = (0..shards).map(ShardId).filter(|s| *s != own).collect();
            let mut next = vec![0; usize::from(shards)];
            let mut posted = 0;
            let (mut ops, mut completions) = (Vec::new(), Vec::new());
            let end = sys::mono().plus_ms(PATIENCE_MS);
            while posted < count || peers.iter().any(|peer| next[usize::from(peer.0)] < count) {
                for _ in 0..(count - posted).min(37) {
                    ops.extend(peers.iter().map(|&to| Op::Mail { to, mail: posted }));
                    posted += 1;
                }
                let deadline = if posted < count { sys::mono() } else { end };
                let now = driver.turn(&mut ops, Some(deadline), &mut completions);
                assert!(now.mono < end, "shard {} has {next:?}", own.0);
                for completion in completions.drain(..) {
                    let Completion::Mail { from, mail } = completion else {
                        panic!("unexpected {completion:?}");
                    };
                    assert_eq!(mail, next[usize::from(from.0)], "out of order from {}", from.0);
                    next[usize::from(from.0)] += 1;
                }
            }
            // Peers may still wait for what found their ring full.
            while driver.has_unsent_mail() {
                driver.turn(&mut ops, Some(sys::mono().plus_ms(1)), &mut completions);
                assert!(completions.is_empty(), "all was received");
                assert!(sys::mono() < end, "shard {} cannot send", own.0);
            }
        }
    })
    .expect("starts");
    let sum = running.counters().to_vec();
    running.join().expect("all end");
    let received: u64 = sum.iter().map(|counters| counters.values().mail_received).sum();
    assert_eq!(received, count * u64::from(shards) * u64::from(shards - 1));
}

pub(crate) fn mail_to_oneself_arrives(backend: Backend) {
    let mut rig = Rig::new(backend);
    rig.ops.push(Op::Mail { to: ShardId(0), mail: 1 });
    rig.ops.push(Op::Mail { to: ShardId(0), mail: 2 });
    for expected in [1, 2] {
        let Completion::Mail { from, mail } = rig.next() else {
            panic!("something else");
        };
        assert_eq!((from, mail), (ShardId(0), expected));
    }
}

pub(crate) fn mail_beyond_the_ring_arrives(backend: Backend) {
    let config = DriverConfig { shards: 2, mail_capacity: 2, ..config(backend) };
    exchange(&config, 5_000);
}

pub(crate) fn mail_to_an_ended_shard_is_let_go(backend: Backend) {
    let config = DriverConfig { shards: 2, mail_capacity: 2, ..config(backend) };
    let running = start_shards(&config, |shard| {
        move |mut driver: Driver<u64>| {
            if shard == ShardId(1) {
                return;
            }
            let mut ops: Vec<_> = (0..10).map(|mail| Op::Mail { to: ShardId(1), mail }).collect();
            let end = sys::mono().plus_ms(PATIENCE_MS);
            driver.turn(&mut ops, Some(sys::mono()), &mut Vec::new());
            while driver.has_unsent_mail() {
                assert!(sys::mono() < end, "a shard that ended holds up another");
                driver.turn(&mut ops, Some(sys::mono()), &mut Vec::new());
            }
        }
    });
    running.expect("starts").join().expect("both end");
}

pub(crate) fn a_sleeping_shard_is_woken_by_mail(backend: Backend) {
    // Ping-pong: each side sleeps while the other works, so each of the thousands of messages that
    // got no wake-up would hang it.
    let config = DriverConfig { shards: 2, ..config(backend) };
    let running = run::<u64, u64>(
        &config,
        |driver, ops| {
            if driver.shard() == ShardId(0) {
                ops.push(Op::Mail { to: ShardId(1), mail: 0 });
            }
            0
        },
        |count, own, completion, ops| {
            let Completion::Mail { from, mail } = completion else {
                panic!("unexpected {completion:?}");
            };
            assert_eq!(from.0, 1 - own.0);
            *count += 1;
            ops.push(Op::Mail { to: from, mail: mail + 1 });
            (mail >= 9_998).then_some(*count)
        },
    );
    assert_eq!(running.join().expect("both end"), [5_000, 5_000]);
}

pub(crate) fn connections_are_handed_over(backend: Backend) {
    let (tell, addr) = mpsc::channel::<SocketAddr>();
    let config = DriverConfig { shards: 2, ..config(backend) };
    let running = start_shards(&config, |shard| {
        let tell = tell.clone();
        move |mut driver: Driver<u64>| {
            let (mut ops, mut completions) = (Vec::new(), Vec::new());
            if shard == ShardId(0) {
                let any = SocketAddr::from(([127, 0, 0, 1], 0));
                let (_, addr) = driver.listen(any).expect("listens");
                tell.send(addr).expect("the test listens");
            }
            let mut served = 0;
            let mut accepted = 0;
            loop {
                driver.turn(&mut ops, None, &mut completions);
                for completion in completions.drain(..) {
                    match completion {
                        Completion::Accepted { socket, .. } => {
                            accepted += 1;
                            // Every second one goes to the other shard.
                            if shard == ShardId(0) && accepted % 2 == 0 {
                                ops.push(Op::HandOver { socket, to: ShardId(1) });
                            } else {
                                ops.push(Op::Receive { socket });
                            }
                        }
                        Completion::Received { socket, .. } => {
                            served += 1;
                            let name = Bytes::from(vec![u8::try_from(shard.0).expect("small")]);
                            ops.push(Op::Send { socket, chunks: vec![Chunk::Bytes(name)] });
                        }
                        Completion::Sent { .. } => {}
                        Completion::Closed { socket, .. } => ops.push(Op::Close { socket }),
                        Completion::Stop => return served,
                        other => panic!("unexpected {other:?}"),
                    }
                }
            }
        }
    })
    .expect("starts");
    let addr = addr.recv().expect("shard 0 listens");
    for round in 0..10 {
        let mut client = TcpStream::connect(addr).expect("connects");
        client.write_all(b"who?").expect("sends");
        let mut name = [9];
        client.read_exact(&mut name).expect("answers");
        assert_eq!(name[0], round % 2);
    }
    running.stop_handle().stop();
    assert_eq!(running.join().expect("both end"), [5, 5]);
}

pub(crate) fn a_deadline_ends_the_wait(backend: Backend) {
    let mut rig = Rig::new(backend);
    for ms in [0, 1, 20] {
        let start = sys::mono();
        let deadline = start.plus_ms(ms);
        let mut completions = Vec::new();
        let now = rig.driver.turn(&mut rig.ops, Some(deadline), &mut completions);
        assert!(completions.is_empty());
        assert!(now.mono >= deadline, "{ms} ms ended after {} ns", now.mono.since(start));
        assert!(now.wall.0 > 1_600_000_000_000);
    }
}

pub(crate) fn stop_reaches_every_shard(backend: Backend) {
    let config = DriverConfig { shards: 3, ..config(backend) };
    let running = run::<(), ()>(
        &config,
        |_, _| (),
        |(), _, completion, _| matches!(completion, Completion::Stop).then_some(()),
    );
    running.stop_handle().stop();
    assert_eq!(running.join().expect("all end").len(), 3);
}

pub(crate) fn a_parked_shard_makes_no_calls(backend: Backend) {
    let mut rig = Rig::new(backend);
    let addr = rig.listen();
    let (_client, socket) = rig.connect(addr);
    rig.ops.push(Op::Receive { socket });
    rig.turn(10);
    let before = rig.driver.counters().values();
    rig.turn(300);
    let spent = rig.driver.counters().values().since(&before);
    assert_eq!(spent.turns, 1);
    assert!(spent.syscalls() <= 2, "{} calls while nothing happened", spent.syscalls());
}

//! Many consumers that wait for nothing: what each costs in memory, and that all of them together
//! cost no CPU until something comes.
//!
//! A few here; `ulimit -n 40000; MILLRACE_POLLS=10000 cargo test --release --test idle_polls --
//! --nocapture` for the figures of docs/TESTING.md.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::struct_field_names,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::time::{Duration, Instant};

use millrace_engine::ProducerStamp;
use millrace_net::messages::fetch::FetchRequest;
use support::{Broker, Connection, FETCH_VERSION, batch, fetch_request, wait_until, wanted};

const PARTITIONS: i32 = 1_000;
/// How long a poll waits, ms: longer than the test looks.
const WAIT_MS: i32 = 120_000;
/// What one poll may cost, its connection included.
const POLL_BYTES_MAX: u64 = 8 << 10;
/// What a broker may come to have beside that once it serves, however few they are.
const WARM_BYTES_MAX: u64 = 24 << 20;

#[test]
fn idle_long_polls_cost_little_memory_and_no_cpu() {
    let polls = wanted("MILLRACE_POLLS", 300);
    let window = Duration::from_secs(wanted("MILLRACE_POLL_SECONDS", 2));
    let dir = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(dir.path(), &[]);
    let mut first = Connection::open(broker.address).expect("it listens");
    first.create_topic("many", PARTITIONS, &[]);
    wait_until("all partitions are open", || {
        let all: Vec<i32> = (0..PARTITIONS).collect();
        let answer =
            first.ask(&fetch_request("many", &all, 0, 0), FETCH_VERSION).expect("answered");
        answer.responses[0].partitions.iter().all(|partition| partition.error_code == 0)
    });
    let before = broker.memory_bytes();
    let began = Instant::now();
    let mut connections = Vec::new();
    for number in 0..polls {
        let mut connection = Connection::open(broker.address).expect("a file descriptor");
        let partition = i32::try_from(number).expect("few") % PARTITIONS;
        connection
            .send(&fetch_request("many", &[partition], 0, WAIT_MS), FETCH_VERSION)
            .expect("sent");
        connections.push(connection);
    }
    // Served in the order of arrival or not: an answer to a new one says little, so wait for quiet.
    let mut last = broker.cpu();
    wait_until("the polls are parked", || {
        std::thread::sleep(Duration::from_millis(500));
        let is_quiet = broker.cpu().saturating_sub(last) < Duration::from_millis(30);
        last = broker.cpu();
        is_quiet
    });
    let parked = began.elapsed();
    let idle = broker.cpu();
    std::thread::sleep(window);
    let idle = broker.cpu().saturating_sub(idle);
    let grown = broker.memory_bytes().saturating_sub(before);
    let each = grown / polls;
    println!(
        "{polls} long polls over {PARTITIONS} partitions: parked in {parked:?}, {} MiB before, \
         {each} bytes each, {idle:?} CPU in {window:?}",
        before >> 20
    );
    // One record wakes those of its partition, and nobody else.
    let woken = broker.cpu();
    let began = Instant::now();
    let produced = first.produce("many", 7, batch(ProducerStamp::default(), [[7_u8; 8]]));
    assert_eq!(produced.expect("answered").error_code, 0);
    let partitions = usize::try_from(PARTITIONS).expect("positive");
    let mut count = 0;
    for connection in connections.iter_mut().skip(7).step_by(partitions) {
        let answer = connection.receive::<FetchRequest>(FETCH_VERSION).expect("an answer");
        assert!(answer.responses[0].partitions[0].records.is_some());
        count += 1;
    }
    let woken = broker.cpu().saturating_sub(woken);
    println!("{count} polls woken in {:?}, {woken:?} CPU", began.elapsed());
    assert!(idle < window / 4, "{idle:?} CPU for nothing");
    let grown_max = WARM_BYTES_MAX + polls * POLL_BYTES_MAX;
    assert!(grown < grown_max, "{grown} bytes for {polls} polls, {each} for each");
    drop(connections);
    wait_until("the polls are gone", || broker.memory_bytes() < before + (64 << 20));
    assert!(broker.stop());
}

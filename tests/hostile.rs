//! Hostile bytes against a live broker: it stays up, others go on being served, memory is bounded.
//!
//! A bystander produces and reads back all the while; each of its requests must be answered. Every
//! attack ends with the broker asked for its metadata over a new connection.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::struct_field_names,
    dead_code,
    reason = "a client outside the broker: real sockets, threads and files; the client is shared"
)]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use millrace::random::Random;
use millrace_engine::ProducerStamp;
use millrace_net::messages::CATALOGUE;
use millrace_net::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use support::{Broker, Connection, backends, batch, wait_until};

/// What hostile clients may make the broker hold beyond what it held before, bytes. Far above what
/// is seen; 500 frames of 100 MiB are far above this.
const GROWTH_BYTES_MAX: u64 = 512 << 20;

/// Connections that stop in the middle of a frame.
const HALF_OPEN: usize = 500;

/// A frame of these bytes.
fn frame(body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len()).expect("small");
    [&length.to_be_bytes()[..], body].concat()
}

/// The start of a request: header, then whatever the body is to be.
fn request(key: i16, version: i16, is_flexible: bool, body: &[u8]) -> Vec<u8> {
    let mut bytes = [key.to_be_bytes(), version.to_be_bytes()].concat();
    bytes.extend(7_i32.to_be_bytes());
    bytes.extend((-1_i16).to_be_bytes());
    if is_flexible {
        bytes.push(0);
    }
    bytes.extend(body);
    bytes
}

fn random_bytes(random: &mut Random, bytes: usize) -> Vec<u8> {
    (0..bytes.div_ceil(8)).flat_map(|_| random.u64().to_le_bytes()).take(bytes).collect()
}

/// Sends what it can and reads answers until the broker closes or has nothing more to say.
fn throw(address: SocketAddr, bytes: &[u8]) {
    let Ok(mut stream) = TcpStream::connect(address) else { return };
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    stream.set_write_timeout(Some(Duration::from_secs(10))).expect("a socket");
    // A broker that closes early is right to do so.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

fn assert_serves(broker: &mut Broker, after: &str) {
    assert!(broker.is_up(), "the broker ended after {after}: {:?}", broker.said());
    let mut connection = Connection::open(broker.address).expect(after);
    let metadata = connection.metadata().expect(after);
    assert_eq!(metadata.brokers.len(), 1, "{after}");
}

/// Random bytes in frames of the right length, and without frames at all.
fn random_frames(address: SocketAddr, random: &mut Random) {
    for _ in 0..200 {
        let bytes = usize::try_from(random.u64() % 600).expect("small");
        let body = random_bytes(random, bytes);
        throw(address, &frame(&body));
        throw(address, &body);
    }
}

/// Lengths that are no lengths, or promise what does not come.
fn wrong_lengths(address: SocketAddr) {
    for length in [i32::MIN, -1, 0, 1, 3, 7, 9, 100 << 20, (100 << 20) + 1, i32::MAX] {
        let bytes = [&length.to_be_bytes()[..], &request(3, 1, false, &[])].concat();
        throw(address, &bytes);
    }
}

/// Every API in every version and some that are none, with bodies that are noise or one count.
fn every_api(address: SocketAddr, random: &mut Random) {
    for key in -1_i16..=100 {
        for version in -1_i16..=20 {
            let mut bytes = Vec::new();
            for is_flexible in [false, true] {
                let noise = random_bytes(random, 64);
                for body in [&[0xff; 64][..], &[0x7f; 64], &[0; 64], &noise, &[]] {
                    bytes.push(frame(&request(key, version, is_flexible, body)));
                }
            }
            // All at once over one connection would end with the first that is refused.
            for bytes in bytes {
                throw(address, &bytes);
            }
        }
    }
}

/// Requests that are right up to where they end too early.
fn truncated(address: SocketAddr) {
    for entry in CATALOGUE {
        for version in entry.version_min..=entry.version_max {
            // Zeros decode as something in most APIs: nulls, empty strings, empty arrays.
            let Ok(body) = (entry.request)(&[0; 256], version) else { continue };
            let is_flexible = entry.key.is_flexible(version);
            for end in [0, 1, body.len() / 2, body.len().saturating_sub(1)] {
                let body = &body[..end.min(body.len())];
                throw(address, &frame(&request(entry.key.code(), version, is_flexible, body)));
            }
        }
    }
}

/// A frame of millions of empty names would take tens of times its size once it is decoded.
fn bombs(address: SocketAddr) {
    let count = 30 << 20;
    let mut body = i32::to_be_bytes(count).to_vec();
    body.resize(4 + 2 * usize::try_from(count).expect("positive"), 0);
    for _ in 0..3 {
        throw(address, &frame(&request(3, 1, false, &body)));
    }
    // The same below any bound there may be: it may be answered, and must not be remembered.
    let names = |count| MetadataRequest {
        topics: Some(vec![
            MetadataRequestTopic { name: Some(String::new()), ..Default::default() };
            count
        ]),
        ..MetadataRequest::default()
    };
    let mut connection = Connection::open(address).expect("the broker is up");
    let _ = connection.ask(&names(200_000), 4);
}

/// Requests whose answers nobody reads.
fn deaf(address: SocketAddr) -> Vec<TcpStream> {
    let all = frame(&request(3, 1, false, &(-1_i32).to_be_bytes()));
    let many = all.repeat(10_000);
    let connect = |_| {
        let mut stream = TcpStream::connect(address).expect("the broker is up");
        stream.set_nonblocking(true).expect("a socket");
        // As much as goes without the broker reading on.
        let _ = stream.write(&many);
        stream
    };
    (0..50).map(connect).collect()
}

/// Connections that stop within a frame that claims to be large.
fn half_open(address: SocketAddr) -> Vec<TcpStream> {
    let connect = |number: usize| {
        let mut stream = TcpStream::connect(address).expect("the broker is up");
        let claim: i32 = if number.is_multiple_of(2) { 100 << 20 } else { 1 << 20 };
        let sent = [2, 4, 5, 64, 20_000][number % 5];
        let mut bytes = claim.to_be_bytes().to_vec();
        bytes.extend([0, 0, 0, 9]);
        bytes.resize(sent, 0);
        stream.write_all(&bytes).expect("the broker reads");
        stream
    };
    (0..HALF_OPEN).map(connect).collect()
}

/// A client that wants nothing but to be served.
struct Bystander {
    served: AtomicU64,
    slowest_ms: AtomicU64,
    stop: AtomicBool,
}

impl Bystander {
    fn run(&self, address: SocketAddr) {
        let mut connection = Connection::open(address).expect("the broker is up");
        let mut expected = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            let records = batch(ProducerStamp::default(), [[7; 100]]);
            let produced = connection.produce("quiet", 0, records).expect("served");
            assert_eq!((produced.error_code, produced.base_offset), (0, expected));
            let fetched = connection.fetch("quiet", 0, expected).expect("served");
            assert_eq!((fetched.error_code, fetched.high_watermark), (0, expected + 1));
            expected += 1;
            let ms = u64::try_from(began.elapsed().as_millis()).expect("short");
            self.slowest_ms.fetch_max(ms, Ordering::Relaxed);
            self.served.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn run(backend: &str) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut broker = Broker::start(dir.path(), &["--io-backend", backend]);
    let address = broker.address;
    let mut connection = Connection::open(address).expect("the broker is up");
    connection.create_topic("quiet", 1, &[]);
    let before = broker.memory_bytes();
    let bystander = Bystander {
        served: AtomicU64::new(0),
        slowest_ms: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    };
    let mut random = Random::new(0x6576_696c);
    let mut peak = before;
    std::thread::scope(|scope| {
        scope.spawn(|| bystander.run(address));
        let attacks: [(&str, &mut dyn FnMut()); 5] = [
            ("random frames", &mut || random_frames(address, &mut random)),
            ("wrong lengths", &mut || wrong_lengths(address)),
            ("truncated requests", &mut || truncated(address)),
            ("every API", &mut || every_api(address, &mut Random::new(1))),
            ("bombs", &mut || bombs(address)),
        ];
        for (name, attack) in attacks {
            let began = Instant::now();
            attack();
            assert_serves(&mut broker, name);
            peak = peak.max(broker.memory_bytes());
            println!(
                "{backend}: {name}: {:?}, {} MiB",
                began.elapsed(),
                broker.memory_bytes() >> 20
            );
        }
        let mut held = half_open(address);
        held.extend(deaf(address));
        let served = bystander.served.load(Ordering::Relaxed);
        wait_until("the bystander is served beside half-open connections", || {
            bystander.served.load(Ordering::Relaxed) > served + 20
        });
        assert_serves(&mut broker, "half-open and deaf connections");
        peak = peak.max(broker.memory_bytes());
        println!("{backend}: {} connections held: {} MiB", held.len(), broker.memory_bytes() >> 20);
        drop(held);
        bystander.stop.store(true, Ordering::Relaxed);
    });
    let (served, slowest) = (bystander.served.into_inner(), bystander.slowest_ms.into_inner());
    let after = broker.memory_bytes();
    println!(
        "{backend}: bystander served {served} times, slowest {slowest} ms; \
         memory {} MiB before, {} MiB at most, {} MiB after",
        before >> 20,
        peak >> 20,
        after >> 20
    );
    assert!(peak < before + GROWTH_BYTES_MAX, "{peak} bytes at most, {before} before");
    assert!(broker.stop(), "it stops cleanly after all that");
}

#[test]
fn hostile_bytes_harm_nobody_else() {
    for backend in backends() {
        run(backend);
    }
}

#[test]
fn a_large_request_is_refused_before_it_is_decoded_unless_it_is_produce() {
    let dir = tempfile::tempdir().expect("a folder");
    let broker = Broker::start(dir.path(), &[]);
    let mut stream = TcpStream::connect(broker.address).expect("the broker is up");
    stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a socket");
    let mut body = vec![0; 20 << 20];
    body[..4].copy_from_slice(&(8_i32 << 20).to_be_bytes());
    let bytes = frame(&request(3, 1, false, &body));
    // The broker may close before it has read all of it.
    let _ = stream.write_all(&bytes);
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    let is_reset = |error: std::io::Error| error.kind() == std::io::ErrorKind::ConnectionReset;
    assert!(ended.map_or_else(is_reset, |_| true), "the connection is not closed");
    assert!(answer.is_empty(), "answered with {} bytes", answer.len());
    // Produce has its own limit, max.message.bytes, and says so.
    let mut connection = Connection::open(broker.address).expect("the broker is up");
    connection.create_topic("large", 1, &[("max.message.bytes", "33554432")]);
    let records = batch(ProducerStamp::default(), [vec![7; 20 << 20]]);
    let produced = connection.produce("large", 0, records).expect("served");
    assert_eq!((produced.error_code, produced.base_offset), (0, 0));
}

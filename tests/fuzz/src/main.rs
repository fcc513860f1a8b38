//! Runs the fuzz bodies on mutated seeds for a number of seconds, without coverage.
//!
//! `cargo run --release --manifest-path tests/fuzz/Cargo.toml --bin millrace-fuzz -- SECONDS
//! [TARGET] [SEED]`
//!
//! Seeds are random bodies of every message and version made from the schemas, golden
//! bytes of a foreign client. Each case is named by its seed and number, which a panic prints with
//! the input. A case that holds more memory than [`HELD_PER_BYTE`] times its input is a finding.

use millrace_codegen::sample::{Random, Sampler};
use millrace_engine::{BatchBuilder, BatchSpec, Codec, Header, ShardCheckpoint};
use millrace_fuzz::{TARGETS, Target, UNPACKED_BYTES_MAX};
use millrace_net::messages::CATALOGUE;
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The most memory a case may hold at once for each byte of its input: the read message (the
/// widest struct over its least form on the wire, twice for a growing vector) and what is written.
const HELD_PER_BYTE: usize = 160;
/// And whatever its input, for fixed parts.
const HELD_ALWAYS: usize = 4096;
/// The same where batches are unpacked: what one may unpack to, and the codecs' tables; LZ4 frames hold
/// two blocks of up to 4 MiB.
const HELD_UNPACKING: usize = 4 * UNPACKED_BYTES_MAX + (9 << 20);
/// The same where a text becomes a machine or a configuration.
const HELD_COMPILING: usize = 8 << 20;
/// The longest input a mutation may grow, bytes.
const INPUT_BYTES_MAX: usize = 4096;

/// Counts what is held now and what was held at most since the last reset.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static HELD_MAX: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is handed to the system's allocator as it came; counting touches no memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        HELD_MAX.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promises about `layout` are the ones `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: `pointer` came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seconds = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(10_u64);
    let wanted = arguments.get(1).map_or("all", String::as_str);
    let seed = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or_else(clock_seed);
    let targets: Vec<Target> =
        TARGETS.into_iter().filter(|(name, _)| wanted == "all" || *name == wanted).collect();
    if targets.is_empty() {
        eprintln!("no target {wanted}; there are {:?}", TARGETS.map(|(name, _)| name));
        return ExitCode::FAILURE;
    }
    println!("{seconds} s for each of {} targets, seed {seed}", targets.len());
    for target in targets {
        let seeds = match target.0 {
            "batch" => batches(),
            "unpack" => packed(),
            "records" | "control_record" => plain_records(),
            "metadata_record" => metadata_records(),
            "metadata_log" => metadata_logs(),
            "metadata_snapshot" => metadata_snapshots(),
            "log_files" => log_files(),
            "group_record" => group_records(),
            "group_snapshot" => group_snapshots(),
            "subscription" => subscriptions(),
            "pattern" => texts(PATTERNS),
            "server_properties" => texts(PROPERTIES),
            "http" => texts(REQUESTS),
            _ => messages(),
        };
        run(target, &seeds, Duration::from_secs(seconds), seed);
    }
    ExitCode::SUCCESS
}

fn clock_seed() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    u64::try_from(since.as_micros() % 1_000_000_000).unwrap_or(0)
}

fn run((name, body): Target, seeds: &[Vec<u8>], time: Duration, seed: u64) {
    let mut random = Random(seed);
    let (begun, mut cases, mut ratio_max) = (Instant::now(), 0_u64, 0);
    // A target of one API starts from that API's bodies.
    let own = CATALOGUE.iter().position(|entry| entry.key.name().eq_ignore_ascii_case(name));
    let own = own.and_then(|index: usize| u8::try_from(index).ok());
    let first: Vec<&Vec<u8>> =
        seeds.iter().filter(|seed| own.is_none_or(|own| seed[0] == own)).collect();
    while begun.elapsed() < time {
        for _ in 0..1000 {
            let mut input = first[random.below(first.len())].clone();
            if name == "header" {
                frame(&mut input, &mut random);
            }
            for _ in 0..random.below(6) {
                mutate(&mut input, seeds, &mut random);
            }
            input.truncate(INPUT_BYTES_MAX);
            let held = measure(name, body, &input, (seed, cases));
            ratio_max = ratio_max.max(held / input.len().max(1));
            cases += 1;
        }
    }
    println!("{name}: {cases} cases, at most {ratio_max} bytes held per byte of input");
}

/// Runs one case and gives the most it held, bytes.
fn measure(name: &str, body: fn(&[u8]), input: &[u8], case: (u64, u64)) -> usize {
    let before = HELD.load(Ordering::Relaxed);
    HELD_MAX.store(before, Ordering::Relaxed);
    let told = std::panic::catch_unwind(|| body(input));
    let held = HELD_MAX.load(Ordering::Relaxed).saturating_sub(before);
    let always = match name {
        "batch" | "unpack" | "group_record" => HELD_UNPACKING,
        // Every known configuration is resolved; an expression may compile to so much.
        "pattern" | "server_properties" => HELD_COMPILING,
        _ => HELD_ALWAYS,
    };
    let allowed = always + HELD_PER_BYTE * input.len();
    if told.is_err() || held > allowed {
        let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("{name}: seed {} case {}: {held} bytes held, input {hex}", case.0, case.1);
        std::process::exit(1);
    }
    held
}

/// Puts a request header before a body whose first two bytes choose API and version.
fn frame(input: &mut Vec<u8>, random: &mut Random) {
    let entry = &CATALOGUE[usize::from(input[0]) % CATALOGUE.len()];
    let versions = entry.version_max - entry.version_min + 1;
    let version = entry.version_min + i16::from(input[1]) % versions;
    let mut whole = entry.key.code().to_be_bytes().to_vec();
    whole.extend(version.to_be_bytes());
    whole.extend(random.bits().to_be_bytes().iter().take(4));
    whole.extend([0, 2, b'm', b'e']);
    if entry.key.is_flexible(version) {
        whole.push(0);
    }
    whole.extend(&input[2..]);
    *input = whole;
}

/// One change: a byte, a bit, a run removed, repeated or taken from another seed, or a length that
/// cannot be.
fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    const LENGTHS: [&[u8]; 7] = [
        &[0x7f, 0xff, 0xff, 0xff],
        &[0x80, 0, 0, 0],
        &[0xff; 4],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff; 10],
        &[0xff, 0xff, 0x03],
        &[0x7f, 0xff],
    ];
    let at = random.below(input.len() + 1);
    let length = random.below(16).min(input.len() - at);
    let byte = random.bits().to_be_bytes()[0];
    match random.below(7) {
        0 if at < input.len() => input[at] = byte,
        1 if at < input.len() => input[at] ^= 1 << (byte & 7),
        2 => drop(input.drain(at..at + length)),
        3 => {
            let run = input[at..at + length].repeat(1 + random.below(64));
            input.splice(at..at, run);
        }
        4 => {
            let other = &seeds[random.below(seeds.len())];
            let from = random.below(other.len());
            let run = &other[from..(from + 1 + random.below(64)).min(other.len())];
            input.splice(at..at, run.iter().copied());
        }
        5 => input.insert(at, byte),
        _ => {
            let planted = LENGTHS[random.below(LENGTHS.len())];
            let end = (at + planted.len()).min(input.len());
            input.splice(at..end, planted.iter().copied());
        }
    }
}

/// Bodies behind two bytes that choose API and version, as the targets read them.
fn messages() -> Vec<Vec<u8>> {
    let top = top();
    let schemas = millrace_codegen::load(&top.join("net/schema")).expect("the schemas are here");
    let mut seeds = Vec::new();
    let index = |name: &str| CATALOGUE.iter().position(|entry| entry.key.name() == name);
    for schema in schemas.values() {
        let Some(api) = index(&schema.name) else { continue };
        for version in schema.versions.min..=schema.versions.max {
            for (side, message) in schema.messages.iter().enumerate() {
                let mut sampler = Sampler::new(schema, version, side as u64).with_unknown_tags();
                for _ in 0..3 {
                    seeds.push(chosen(api, version - schema.versions.min, &sampler.body(message)));
                }
            }
        }
    }
    let golden = std::fs::read_to_string(top.join("net/testdata/kafka_python.txt"));
    for line in golden.expect("the golden bytes are here").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let Some(api) = index(words[0]) else { continue };
        let version: i16 = words[2].parse().expect("a version");
        seeds.push(chosen(api, version - CATALOGUE[api].version_min, &unhex(words[3])));
    }
    seeds
}

fn chosen(api: usize, version: i16, body: &[u8]) -> Vec<u8> {
    let mut seed = vec![u8::try_from(api).unwrap_or(0), u8::try_from(version).unwrap_or(0)];
    seed.extend(body);
    seed
}

/// Batches of each codec, alone and one behind the other.
fn batches() -> Vec<Vec<u8>> {
    let codecs = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for codec in codecs {
        for count in [1_i64, 20] {
            let mut builder = BatchBuilder::new(BatchSpec { codec, ..BatchSpec::default() });
            for index in 0..count {
                let header = Header { key: b"h", value: Some(b"1") };
                builder.append(1000 + index, Some(b"key"), Some(&[7; 30]), &[header]);
            }
            seeds.push(builder.build().expect("a small batch packs").to_vec());
        }
    }
    seeds.push(seeds.concat());
    seeds
}

/// Bodies of batches, packed, behind the byte that chooses the codec.
fn packed() -> Vec<Vec<u8>> {
    let plain = plain_records();
    let codecs = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
    let mut seeds = Vec::new();
    for (number, codec) in (0_u8..).zip(codecs) {
        for body in &plain {
            let packed = millrace_engine::compression::compress(codec, &body[2..], None);
            let mut seed = vec![number];
            seed.extend(packed.expect("a small body packs"));
            seeds.push(seed);
        }
    }
    seeds
}

/// Bodies that are not packed, behind the count of their records.
fn plain_records() -> Vec<Vec<u8>> {
    let batches = [1_i64, 20].map(|count| {
        let mut builder = BatchBuilder::new(BatchSpec::default());
        for index in 0..count {
            let header = Header { key: b"h", value: Some(b"1") };
            builder.append(1000 + index, Some(&[0, 0, 0, 4]), Some(&[7; 30]), &[header]);
        }
        builder.build().expect("a small batch packs")
    });
    let seed = |batch: &bytes::Bytes| {
        let view = millrace_engine::BatchIter::new(batch).next().expect("one batch");
        let count = u16::try_from(view.header.record_count).unwrap_or(0);
        [&count.to_be_bytes()[..], view.records()].concat()
    };
    batches.iter().map(seed).collect()
}

/// Records that Kafka wrote, in rows as the target reads them.
fn metadata_logs() -> Vec<Vec<u8>> {
    let row = |records: &[Vec<u8>]| {
        let mut row = Vec::new();
        for record in records {
            row.extend(u16::try_from(record.len()).unwrap_or(0).to_be_bytes());
            row.extend(record);
        }
        row
    };
    let records = metadata_records();
    let mut seeds: Vec<Vec<u8>> = records.chunks(8).map(row).collect();
    seeds.extend(records.chunks(1).map(row));
    seeds
}

/// Snapshots of two images behind a name: the empty one, and one of Kafka's records.
fn metadata_snapshots() -> Vec<Vec<u8>> {
    let mut builder = BatchBuilder::new(BatchSpec::default());
    for record in metadata_records() {
        builder.append(1000, None, Some(&record), &[]);
    }
    let records = builder.build().expect("a small batch packs");
    let flags = millrace_engine::BatchFlags { control: true, ..Default::default() };
    let mut footer = BatchBuilder::new(BatchSpec { flags, ..BatchSpec::default() });
    footer.append(1000, Some(&[0, 0, 0, 4]), Some(&[0, 0, 0]), &[]);
    let footer = footer.build().expect("a small batch packs");
    let name = format!("{:020}-{:010}.checkpoint", 5, 1);
    let name = name.as_bytes();
    vec![[name, &footer].concat(), [name, &records, &footer].concat()]
}

/// Records of the offsets topic that Kafka wrote.
fn group_records() -> Vec<Vec<u8>> {
    let path = top().join("src/coordinator/testdata/kafka_records.txt");
    let text = std::fs::read_to_string(path).expect("the golden records are here");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    let mut builder = BatchBuilder::new(BatchSpec::default());
    for (key, value) in lines.filter_map(|line| line.split_once(' ')) {
        let key = unhex(key);
        let value = if value == "None" { None } else { Some(unhex(value)) };
        builder.append(1000, Some(&key), value.as_deref(), &[]);
        let mut seed = u16::try_from(key.len()).unwrap_or(0).to_be_bytes().to_vec();
        seed.extend(key);
        seed.extend(value.unwrap_or_default());
        seeds.push(seed);
    }
    seeds.push(builder.build().expect("a small batch packs").to_vec());
    seeds
}

/// A snapshot of what the records of the offsets topic say; its trailer's checksum is made there.
fn group_snapshots() -> Vec<Vec<u8>> {
    let mut batch = group_records().pop().expect("a batch of all records");
    batch.extend(b"MILLRGRP\0\0\0\x01");
    batch.extend([0; 52]);
    vec![batch]
}

/// A subscription of version 3, an assignment.
fn subscriptions() -> Vec<Vec<u8>> {
    let (subscription, assignment) = (
        "000300000001000161000000010900000001000161000000020000000000000002000000070001 72",
        "0001000000010001610000000200000003000000 04ffffffff",
    );
    [subscription, assignment].iter().map(|hex| unhex(&hex.replace(' ', ""))).collect()
}

const PATTERNS: &[&str] =
    &["orders-.*", "(a|b)+c{2,5}", "[^a-z&&[aeiou]]", "\\Qx\\E\\p{L}?", "(?i)x**", "(?P<n>x)"];
const PROPERTIES: &[&str] = &[
    "process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
     controller.listener.names=CONTROLLER\nlog.dirs=/tmp/a,/tmp/b\n",
    "# one\n! two\nlog.retention.\\\n  hours : 5\nnum.partitions 3\nmillrace.shards=\\u0031\n",
    "max.connections.per.ip.overrides=127.0.0.1:5,a:6\nadvertised.listeners=A://h:1\n",
];
const REQUESTS: &[&str] = &[
    "GET /metrics?x HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
];

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Values of metadata records that Kafka wrote.
fn metadata_records() -> Vec<Vec<u8>> {
    let text = std::fs::read_to_string(top().join("replication/testdata/kafka-4.3.1-records.txt"));
    let text = text.expect("the golden records are here");
    let hex = |word: &&str| {
        word.len() >= 6
            && word.len().is_multiple_of(2)
            && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    text.split_whitespace().filter(hex).map(unhex).collect()
}

/// Small files of a data folder, written by us or by hand in Kafka's form.
fn log_files() -> Vec<Vec<u8>> {
    let texts = [
        "0\n2\norders 0 5\norders 1 70\n",
        "0\n2\n0 0\n3 90\n",
        "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ",
        "#\nversion=1\ncluster.id=AAAAAAAAAAAAAAAAAAAAAQ\nnode.id=1\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\n",
        "{\"version\":0,\"brokerEpoch\":5}",
    ];
    let mut seeds: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    // A producer snapshot: version 1, a checksum that the mutations rarely hit, one producer.
    seeds.push(vec![0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    seeds.push(ShardCheckpoint::default().encode());
    seeds
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let bytes = digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap_or(""), 16));
    bytes.collect::<Result<_, _>>().expect("hex")
}

//! Golden bytes of a foreign client, and what a hostile peer makes of them.

use millrace_codegen::sample::{Random, Sampler};
use millrace_net::ApiKey;
use millrace_net::header::RequestHeader;
use millrace_net::message::{Entry, Rewrite};
use millrace_net::messages::CATALOGUE;
use millrace_net::messages::metadata::MetadataResponse;
use millrace_net::produce::ProduceRequestView;
use millrace_wire::Reader;
use std::collections::BTreeSet;
use std::path::Path;

/// A golden body.
struct Golden {
    entry: &'static Entry,
    is_request: bool,
    version: i16,
    body: Vec<u8>,
}

impl Golden {
    fn rewrite(&self) -> Rewrite {
        if self.is_request { self.entry.request } else { self.entry.response }
    }

    fn place(&self) -> String {
        let side = if self.is_request { "request" } else { "response" };
        format!("{} {side} version {}", self.entry.key.name(), self.version)
    }
}

fn golden() -> Vec<Golden> {
    let text = include_str!("../testdata/kafka_python.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let entry = CATALOGUE.iter().find(|entry| entry.key.name() == words[0]);
            Golden {
                entry: entry.expect("golden bytes are of an API of ours"),
                is_request: words[1] == "request",
                version: words[2].parse().expect("a version"),
                body: unhex(words[3]),
            }
        })
        .collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| text.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    (0..text.len() / 2).map(|at| digit(2 * at).expect("hex")).collect()
}

#[test]
fn foreign_bytes_are_read_whole_and_written_back() {
    for golden in golden() {
        let written = (golden.rewrite())(&golden.body, golden.version);
        assert_eq!(written.as_deref(), Ok(&golden.body[..]), "{}", golden.place());
    }
}

/// What this foreign client does not have; the other one does, see `oracle.rs`.
const LACKED: [ApiKey; 7] = [
    ApiKey::CreateDelegationToken,
    ApiKey::RenewDelegationToken,
    ApiKey::ExpireDelegationToken,
    ApiKey::DescribeDelegationToken,
    ApiKey::UnregisterBroker,
    ApiKey::ConsumerGroupHeartbeat,
    ApiKey::ConsumerGroupDescribe,
];

#[test]
fn every_version_of_every_api_has_foreign_bytes() {
    let have: BTreeSet<(ApiKey, bool, i16)> =
        golden().iter().map(|one| (one.entry.key, one.is_request, one.version)).collect();
    for entry in CATALOGUE {
        if LACKED.contains(&entry.key) {
            continue;
        }
        for version in entry.version_min..=entry.version_max {
            for is_request in [true, false] {
                assert!(have.contains(&(entry.key, is_request, version)), "{entry:?} {version}");
            }
        }
    }
}

#[test]
fn golden_fields_land_where_they_belong() {
    let golden = golden();
    let metadata = golden
        .iter()
        .find(|one| one.entry.key == ApiKey::Metadata && !one.is_request && one.version == 13);
    let body = &metadata.expect("Metadata response 13").body;
    let response = MetadataResponse::decode(&mut Reader::new(body), 13).expect("golden bytes");
    assert_eq!((response.throttle_time_ms, response.brokers[0].node_id), (2, 3));
    assert_eq!((response.brokers[0].host.as_str(), response.brokers[0].port), ("s3", 5));
    assert_eq!(response.brokers[0].rack.as_deref(), Some("s5"));
}

#[test]
fn a_body_cut_anywhere_is_refused_or_a_prefix() {
    for golden in golden() {
        for length in 0..golden.body.len() {
            let cut = &golden.body[..length];
            // Nothing but the end may be missing: what reads from a prefix wrote that prefix.
            if let Ok(written) = (golden.rewrite())(cut, golden.version) {
                assert!(written.len() <= length, "{} cut at {length}", golden.place());
            }
        }
    }
}

#[test]
fn mutated_bodies_do_no_harm() {
    let mut random = Random(7);
    for golden in golden() {
        for _ in 0..300 {
            let mut body = golden.body.clone();
            for _ in 0..=random.below(3) {
                mutate(&mut body, &mut random);
            }
            let version = golden.version + i16::from(random.one_in(10));
            let _ = (golden.rewrite())(&body, version);
            let _ = ProduceRequestView::decode(&mut Reader::new(&body), version);
            let _ = RequestHeader::decode(&mut Reader::new(&body));
        }
    }
}

/// Changes, inserts or removes a byte, or plants a length that is too large or negative.
fn mutate(body: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(body.len() + 1);
    let byte = random.bits().to_be_bytes()[0];
    match random.below(4) {
        0 if at < body.len() => body[at] = byte,
        1 if at < body.len() => drop(body.remove(at)),
        2 => body.insert(at, byte),
        _ => {
            let lengths: [&[u8]; 4] =
                [&[0x7f, 0xff, 0xff, 0xff], &[0x80, 0, 0, 0], &[0xff; 5], &[0xff, 0xff, 0x03]];
            let planted = lengths[random.below(4)];
            let end = (at + planted.len()).min(body.len());
            body.splice(at..end, planted.iter().copied());
        }
    }
}

#[test]
fn tagged_fields_nobody_knows_are_skipped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    let schemas = millrace_codegen::load(&folder).expect("the schemas are well formed");
    let mut shortened = 0;
    for schema in schemas.values() {
        let entry = CATALOGUE.iter().find(|entry| entry.key.name() == schema.name);
        let entry = entry.expect("each schema has an entry");
        for version in entry.version_min..=entry.version_max {
            for seed in 0..20 {
                let mut sampler = Sampler::new(schema, version, seed).with_unknown_tags();
                let bodies = [&schema.messages[0], &schema.messages[1]].map(|m| sampler.body(m));
                for (body, rewrite) in bodies.iter().zip([entry.request, entry.response]) {
                    let written = rewrite(body, version);
                    let written = written.unwrap_or_else(|error| {
                        panic!("{} version {version} seed {seed}: {error}", schema.name)
                    });
                    // What is skipped is not written again, and nothing else changes.
                    assert!(written.len() <= body.len());
                    assert_eq!(rewrite(&written, version).as_ref(), Ok(&written));
                    shortened += usize::from(written.len() < body.len());
                }
            }
        }
    }
    assert!(shortened > 100, "{shortened} bodies held unknown tags");
}

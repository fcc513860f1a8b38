//! What is fuzzed: each function takes any bytes and must return; a panic is a finding.
//!
//! The bodies are driven by cargo-fuzz (`fuzz_targets/`, nightly) and, without coverage, by this
//! crate's own binary, which any compiler builds. Beyond not panicking they check that what was
//! read and written again reads and writes the same from then on.

use millrace_net::fetch_request::FetchRequestView;
use millrace_net::header::RequestHeader;
use millrace_net::message::{Entry, Rewrite};
use millrace_net::messages::CATALOGUE;
use millrace_net::messages::fetch::FetchRequest;
use millrace_net::produce::ProduceRequestView;
use millrace_wire::Reader;

/// A named fuzz body.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 5] = [
    ("request", fuzz_request),
    ("response", fuzz_response),
    ("header", fuzz_header),
    ("produce", fuzz_produce),
    ("fetch", fuzz_fetch),
];

/// Every request decoder: the first byte chooses the API, the second the version.
pub fn fuzz_request(data: &[u8]) {
    if let Some((entry, version, body)) = choose(data) {
        check(entry.request, version, body);
    }
}

/// Every response decoder: the first byte chooses the API, the second the version.
pub fn fuzz_response(data: &[u8]) {
    if let Some((entry, version, body)) = choose(data) {
        check(entry.response, version, body);
    }
}

/// The request header, and the body it announces: a whole frame without its length.
pub fn fuzz_header(data: &[u8]) {
    let mut reader = Reader::new(data);
    let Ok(header) = RequestHeader::decode(&mut reader) else {
        return;
    };
    let entry = CATALOGUE.iter().find(|entry| entry.key == header.key);
    if let Some(entry) = entry {
        let known = (entry.version_min..=entry.version_max).contains(&header.version);
        let read = (entry.request)(reader.rest(), header.version);
        assert!(known || read.is_err(), "{:?} in version {}", header.key, header.version);
    }
}

/// The view of a Produce request: the second byte chooses the version. The view must accept what
/// the plain struct accepts, and its ranges must lie within the input.
pub fn fuzz_produce(data: &[u8]) {
    let Some((version, body)) = data.get(1).zip(data.get(2..)) else {
        return;
    };
    let version = 3 + i16::from(*version % 11);
    let entry = CATALOGUE.iter().find(|entry| entry.key == millrace_net::ApiKey::Produce);
    let plain = entry.map(|entry| (entry.request)(body, version));
    let view = ProduceRequestView::decode(&mut Reader::new(body), version);
    assert_eq!(plain.map(|plain| plain.is_ok()), Some(view.is_ok()));
    let Ok(view) = view else {
        return;
    };
    let mut partitions = 0;
    for topic in view.topics() {
        for partition in topic.partitions() {
            partitions += 1;
            if let Some(records) = partition.records {
                assert!(body.get(records).is_some());
            }
        }
    }
    assert_eq!(partitions, view.partition_count);
}

/// The view of a Fetch request: the second byte chooses the version. The view must say what the
/// plain struct says.
pub fn fuzz_fetch(data: &[u8]) {
    let Some((version, body)) = data.get(1).zip(data.get(2..)) else {
        return;
    };
    let version = 4 + i16::from(*version % 15);
    let plain = FetchRequest::decode(&mut Reader::new(body), version);
    let view = FetchRequestView::decode(&mut Reader::new(body), version);
    assert_eq!(plain.ok(), view.ok().map(|view| view.to_plain()));
}

/// The API, version and body that `data` chooses.
fn choose(data: &[u8]) -> Option<(&'static Entry, i16, &[u8])> {
    let (api, version, body) = (*data.first()?, *data.get(1)?, data.get(2..)?);
    let entry = &CATALOGUE[usize::from(api) % CATALOGUE.len()];
    let versions = entry.version_max - entry.version_min + 1;
    Some((entry, entry.version_min + i16::from(version) % versions, body))
}

fn check(rewrite: Rewrite, version: i16, body: &[u8]) {
    if let Ok(written) = rewrite(body, version) {
        assert!(rewrite(&written, version).as_ref() == Ok(&written));
    }
}

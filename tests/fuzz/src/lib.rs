//! What is fuzzed: each function takes any bytes and must return; a panic is a finding.
//!
//! The bodies are driven by cargo-fuzz (`fuzz_targets/`, nightly) and, without coverage, by this
//! crate's own binary, which any compiler builds. Beyond not panicking they check that what was
//! read and written again reads and writes the same from then on.

use millrace_engine::{BatchIter, OpenBatch, checkpoint_file, partition_metadata};
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
pub const TARGETS: [Target; 8] = [
    ("request", fuzz_request),
    ("response", fuzz_response),
    ("header", fuzz_header),
    ("produce", fuzz_produce),
    ("fetch", fuzz_fetch),
    ("batch", fuzz_batch),
    ("metadata_record", fuzz_metadata_record),
    ("log_files", fuzz_log_files),
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

/// Record batches, walked, unpacked and read record by record.
pub fn fuzz_batch(data: &[u8]) {
    for view in BatchIter::new(data) {
        assert!(data[view.position..].starts_with(view.bytes));
        if let Ok(open) = OpenBatch::open(&view, UNPACKED_BYTES_MAX) {
            assert!(open.body().len() <= UNPACKED_BYTES_MAX.max(data.len()));
            for record in open.records().flatten() {
                let _ = record.record.headers.iter().count();
            }
        }
    }
}

/// A metadata record's value: what is read is written and read alike.
pub fn fuzz_metadata_record(data: &[u8]) {
    if let Ok(record) = millrace_replication::Record::decode(data) {
        // Bytes are compared, not records: a quota that is not a number differs from itself.
        let written = record.encode();
        let again = millrace_replication::Record::decode(&written);
        assert_eq!(again.map(|again| again.encode()), Ok(written));
    }
}

/// The small files of a data folder.
pub fn fuzz_log_files(data: &[u8]) {
    let _ = checkpoint_file::read_offsets(data);
    let _ = checkpoint_file::read_epochs(data);
    let _ = partition_metadata::read_partition_metadata(data);
    let _ = partition_metadata::read_meta_properties(data);
    let _ = partition_metadata::read_clean_shutdown(data);
    let _ = millrace_engine::producer_snapshot::decode(data, 1000);
    let _ = millrace_engine::ShardCheckpoint::decode(data);
}

/// The most a batch may unpack to here, bytes.
pub const UNPACKED_BYTES_MAX: usize = 64 * 1024;

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

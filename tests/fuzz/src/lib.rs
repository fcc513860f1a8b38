//! What is fuzzed: each function takes any bytes and must return; a panic is a finding.
//!
//! The bodies are driven by cargo-fuzz (`fuzz_targets/`, nightly) and, without coverage, by this
//! crate's own binary, which any compiler builds. Beyond not panicking they check that what was
//! read and written again reads and writes the same from then on.

use bytes::Bytes;
use millrace::decoders;
use millrace_engine::crc::crc32c;
use millrace_engine::{BatchIter, Codec, OpenBatch, checkpoint_file, partition_metadata};
use millrace_net::fetch_request::FetchRequestView;
use millrace_net::header::RequestHeader;
use millrace_net::message::{Entry, Rewrite};
use millrace_net::messages::CATALOGUE;
use millrace_net::messages::fetch::FetchRequest;
use millrace_net::produce::ProduceRequestView;
use millrace_replication::{Image, ImageDraft};
use millrace_wire::Reader;

/// A named fuzz body.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 19] = [
    ("request", fuzz_request),
    ("response", fuzz_response),
    ("header", fuzz_header),
    ("produce", fuzz_produce),
    ("fetch", fuzz_fetch),
    ("batch", fuzz_batch),
    ("unpack", fuzz_unpack),
    ("records", fuzz_records),
    ("control_record", fuzz_control_record),
    ("metadata_record", fuzz_metadata_record),
    ("metadata_log", fuzz_metadata_log),
    ("metadata_snapshot", fuzz_metadata_snapshot),
    ("log_files", fuzz_log_files),
    ("group_record", fuzz_group_record),
    ("group_snapshot", fuzz_group_snapshot),
    ("subscription", fuzz_subscription),
    ("pattern", fuzz_pattern),
    ("server_properties", fuzz_server_properties),
    ("http", fuzz_http),
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

/// Record batches, walked, and read record by record where they are not packed: what packed ones
/// unpack to is for `unpack` and `records`, which would hide the rest behind their time.
pub fn fuzz_batch(data: &[u8]) {
    for view in BatchIter::new(data) {
        assert!(data[view.position..].starts_with(view.bytes));
        let _ = (view.is_crc_right(), millrace_engine::control::end_txn_of(&view));
        if view.header.codec() != Ok(Codec::None) {
            continue;
        }
        if let Ok(open) = OpenBatch::open(&view, UNPACKED_BYTES_MAX) {
            assert!(open.body().len() <= data.len());
            for record in open.records().flatten() {
                let _ = record.record.headers.iter().count();
            }
        }
    }
}

/// A packed body; the first byte chooses the codec.
pub fn fuzz_unpack(data: &[u8]) {
    const CODECS: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
    if let Some((codec, packed)) = data.split_first() {
        let codec = CODECS[usize::from(codec & 3)];
        if let Ok(plain) =
            millrace_engine::compression::decompress(codec, packed, UNPACKED_BYTES_MAX)
        {
            assert!(plain.len() <= UNPACKED_BYTES_MAX);
        }
    }
}

/// An unpacked body: the first two bytes are the count of its records.
pub fn fuzz_records(data: &[u8]) {
    let Some((count, body)) = data.split_first_chunk::<2>() else { return };
    let count = i32::from(u16::from_be_bytes(*count));
    for record in millrace_engine::RecordIter::new(body, count).flatten() {
        let within = |part: Option<&[u8]>| part.is_none_or(|part| part.len() <= body.len());
        assert!(within(record.key) && within(record.value));
        let _ = record.headers.iter().count();
    }
}

/// Key and value of a control record: of transactions, of snapshots and the quorum.
pub fn fuzz_control_record(data: &[u8]) {
    let (key, value) = data.split_at(data.len().min(4));
    let _ = millrace_engine::ControlType::of_key(Some(key));
    let _ = millrace_replication::control::control_type(key);
    let _ = millrace_replication::control::read_snapshot_header(value);
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

/// Records of the metadata log, each with its length in 16 bits before it, replayed one after the
/// other: an image comes of it, or a refusal.
pub fn fuzz_metadata_log(data: &[u8]) {
    let mut draft = ImageDraft::new(&Image::empty());
    let (mut rest, mut offset) = (data, 0);
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(behind.len());
        let (value, next) = behind.split_at(length);
        rest = next;
        let Ok(record) = millrace_replication::Record::decode(value) else { return };
        if draft.replay(offset, &record).is_err() {
            return;
        }
        offset += 1;
    }
    let (image, _) = draft.finish();
    if let Ok(records) = image.snapshot() {
        Image::restore(image.offset(), &records).expect("an image's own records make an image");
    }
}

/// A snapshot of the metadata: 40 bytes of the file's name, then its content.
pub fn fuzz_metadata_snapshot(data: &[u8]) {
    let (name, content) = data.split_at(data.len().min(40));
    let name = String::from_utf8_lossy(name);
    decoders::metadata_snapshot(&name, &Bytes::copy_from_slice(content));
    decoders::metadata_snapshot(&name, &Bytes::from(sealed(content)));
}

/// A group coordinator's snapshot.
pub fn fuzz_group_snapshot(data: &[u8]) {
    decoders::group_snapshot(data);
    let mut sealed = sealed(data);
    if let Some(front) = sealed.len().checked_sub(4).filter(|front| *front >= 60) {
        let crc = crc32c(&sealed[front - 60..front]);
        sealed[front..].copy_from_slice(&crc.to_be_bytes());
    }
    decoders::group_snapshot(&sealed);
}

/// The same bytes with right checksums in their batches, which mutations do not hit.
fn sealed(data: &[u8]) -> Vec<u8> {
    const CRC_AT: usize = 17;
    let mut sealed = data.to_vec();
    for view in BatchIter::new(data) {
        let at = view.position + CRC_AT;
        sealed[at..at + 4].copy_from_slice(&view.crc_computed().to_be_bytes());
    }
    sealed
}

/// A record of the offsets topic: the key's length in 16 bits, the key, the value; batches of them.
pub fn fuzz_group_record(data: &[u8]) {
    decoders::offsets_topic(&Bytes::copy_from_slice(data));
    let Some((length, behind)) = data.split_first_chunk::<2>() else { return };
    let length = usize::from(u16::from_be_bytes(*length)).min(behind.len());
    let (key, value) = behind.split_at(length);
    decoders::group_record(key, (!value.is_empty()).then_some(value));
}

/// Subscriptions and assignments of consumers in the classic protocol.
pub fn fuzz_subscription(data: &[u8]) {
    decoders::subscription(data);
}

/// Regular expressions of members.
pub fn fuzz_pattern(data: &[u8]) {
    decoders::pattern(&String::from_utf8_lossy(data));
}

/// A `server.properties`.
pub fn fuzz_server_properties(data: &[u8]) {
    decoders::server_properties(&String::from_utf8_lossy(data));
}

/// Requests to the admin port.
pub fn fuzz_http(data: &[u8]) {
    decoders::http_head(data);
}

/// The small files of a data folder, and the names of its files.
pub fn fuzz_log_files(data: &[u8]) {
    let _ = checkpoint_file::read_offsets(data);
    let _ = checkpoint_file::read_epochs(data);
    let _ = partition_metadata::read_partition_metadata(data);
    let _ = partition_metadata::read_meta_properties(data);
    let _ = partition_metadata::read_clean_shutdown(data);
    let _ = millrace_engine::producer_snapshot::decode(data, 1000);
    let _ = millrace_engine::ShardCheckpoint::decode(data);
    let _ = std::str::from_utf8(data).map(millrace_engine::segment::parse_file_name);
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

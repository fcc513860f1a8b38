//! Batches against a foreign implementation, both ways: what it writes is read and accepted here,
//! what is built here is read there.
//!
//! lz4 and zstd are left out of it (they would add C builds to the tests); frames of the reference
//! tools stand in the unit tests.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use millrace_engine::batch::BatchView;
use millrace_engine::{
    BatchBuilder, BatchFlags, BatchSpec, Codec, Header, LeaderEpoch, Offset, OpenBatch, Origin,
    ProducerId, ProducerStamp, Strictness, ValidationRules, validate,
};
use millrace_io::WallMs;
use proptest::prelude::*;

const START: i64 = 1_700_000_000_000;

fn codecs() -> impl Strategy<Value = (Codec, Compression)> {
    prop_oneof![
        Just((Codec::None, Compression::None)),
        Just((Codec::Gzip, Compression::Gzip)),
        Just((Codec::Snappy, Compression::Snappy)),
    ]
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
    let nullable = move || proptest::option::of(bytes());
    let headers = proptest::collection::vec(("[a-z]{0,5}", nullable()), 0..4);
    let one = (nullable(), nullable(), headers, -5000_i64..5000);
    (proptest::collection::vec(one, 1..30), 0_i64..1 << 40, 0_i16..9).prop_map(
        |(records, producer_id, producer_epoch)| {
            records
                .into_iter()
                .zip(0_i32..)
                .map(|((key, value, headers, shift), index)| Record {
                    transactional: true,
                    control: false,
                    delete_horizon: false,
                    partition_leader_epoch: -1,
                    producer_id,
                    producer_epoch,
                    timestamp_type: TimestampType::Creation,
                    offset: index.into(),
                    sequence: index,
                    timestamp: START + shift,
                    key,
                    value,
                    headers: headers
                        .into_iter()
                        .map(|(key, value)| (StrBytes::from_string(key), value))
                        .collect(),
                })
                .collect()
        },
    )
}

/// Key, value, headers and timestamp of each record of a batch, as read here.
type Content = (Option<Vec<u8>>, Option<Vec<u8>>, Vec<(Vec<u8>, Option<Vec<u8>>)>, i64, i64);

fn read_here(bytes: &[u8]) -> Vec<Content> {
    let view = BatchView::first(bytes).expect("a batch");
    OpenBatch::open(&view, 1 << 20)
        .expect("opens")
        .records()
        .map(|record| {
            let found = record.expect("readable");
            let headers = found
                .record
                .headers
                .iter()
                .map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec)))
                .collect();
            let own = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
            let (key, value) = (own(found.record.key), own(found.record.value));
            (key, value, headers, found.timestamp, found.offset.0)
        })
        .collect()
}

fn content_of(records: &[Record]) -> Vec<Content> {
    let own = |bytes: &Option<Bytes>| bytes.as_ref().map(|bytes| bytes.to_vec());
    records
        .iter()
        .map(|record| {
            let headers = record
                .headers
                .iter()
                .map(|(key, value)| (key.as_bytes().to_vec(), own(value)))
                .collect();
            (own(&record.key), own(&record.value), headers, record.timestamp, record.offset)
        })
        .collect()
}

proptest! {
    #[test]
    fn foreign_batches_pass_the_full_check_and_read_the_same(
        records in records(),
        (_, compression) in codecs(),
    ) {
        let mut bytes = BytesMut::new();
        let options = RecordEncodeOptions { version: 2, compression };
        RecordBatchEncoder::encode(&mut bytes, &records, &options).expect("encodes");
        let bytes = bytes.freeze();
        let rules = ValidationRules { strictness: Strictness::Full, ..Default::default() };
        let client = Origin::Client { produce_version: 11 };
        let valid = validate(&bytes, client, &rules, WallMs(START)).expect("accepted");
        prop_assert_eq!(&valid.bytes, &bytes);
        prop_assert_eq!(valid.header.producer_id, ProducerId(records[0].producer_id));
        prop_assert!(valid.header.is_transactional());
        prop_assert_eq!(read_here(&bytes), content_of(&records));
    }

    #[test]
    fn batches_built_here_read_the_same_there(
        records in records(),
        (codec, compression) in codecs(),
        base_offset in 0_i64..1 << 50,
    ) {
        let mut builder = BatchBuilder::new(BatchSpec {
            base_offset: Offset(base_offset),
            leader_epoch: LeaderEpoch(12),
            codec,
            flags: BatchFlags { transactional: true, ..BatchFlags::default() },
            producer: ProducerStamp {
                id: ProducerId(records[0].producer_id),
                epoch: records[0].producer_epoch,
                base_sequence: 0,
            },
            ..BatchSpec::default()
        });
        for record in &records {
            let headers: Vec<_> = record
                .headers
                .iter()
                .map(|(key, value)| Header { key: key.as_bytes(), value: value.as_deref() })
                .collect();
            let (key, value) = (record.key.as_deref(), record.value.as_deref());
            builder.append(record.timestamp, key, value, &headers);
        }
        let mut bytes = builder.build().expect("builds");
        let read = RecordBatchDecoder::decode(&mut bytes).expect("decodes");
        prop_assert_eq!(read.compression, compression);
        let expected: Vec<Record> = records
            .into_iter()
            .map(|record| Record {
                offset: record.offset + base_offset,
                partition_leader_epoch: 12,
                ..record
            })
            .collect();
        prop_assert_eq!(read.records, expected);
    }
}

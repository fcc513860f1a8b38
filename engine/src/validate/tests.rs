//! Each fault gets its error, two faults get Kafka's first, and what is accepted is right.

use super::*;
use crate::batch::{
    ATTRIBUTES_AT, CRC_AT, LAST_OFFSET_DELTA_AT, MAX_TIMESTAMP_AT, RECORD_COUNT_AT,
};
use crate::compression::CompressionError;
use crate::crc;
use crate::ids::ProducerId;
use crate::record::RecordError;
use proptest::prelude::*;

const NOW: WallMs = WallMs(1_700_000_000_000);
const CLIENT: Origin = Origin::Client { produce_version: 11 };
const HOUR_MS: i64 = 3_600_000;

fn full() -> ValidationRules {
    ValidationRules { strictness: Strictness::Full, ..ValidationRules::default() }
}

fn spec(codec: Codec) -> BatchSpec {
    BatchSpec { codec, ..BatchSpec::default() }
}

/// Three records with keys at NOW, NOW + 5 and NOW + 2.
fn batch(spec: BatchSpec) -> Bytes {
    let mut builder = BatchBuilder::new(spec);
    for step in [0, 5, 2] {
        builder.append(NOW.0 + step, Some(b"key"), Some(b"value"), &[]);
    }
    builder.build().expect("all codecs are in")
}

/// The batch with bytes replaced at `at`, and the CRC made right again.
fn patched(batch: &Bytes, at: usize, with: &[u8]) -> Bytes {
    let mut bytes = batch.to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    let crc = crc::crc32c(&bytes[ATTRIBUTES_AT..]);
    bytes[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

fn verdict(records: &Bytes) -> Result<ValidatedBatch, ProduceError> {
    let header = validate(records, CLIENT, &ValidationRules::default(), NOW);
    // Whatever is refused for its header is refused in the same words by the full check.
    if let Err(error) = &header {
        assert_eq!(validate(records, CLIENT, &full(), NOW).as_ref(), Err(error));
    }
    header
}

#[test]
fn a_good_batch_passes_untouched_with_every_codec_and_strictness() {
    for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let batch = batch(spec(codec));
        for rules in [ValidationRules::default(), full()] {
            let valid = validate(&batch, CLIENT, &rules, NOW).expect("good");
            assert_eq!(valid.bytes, batch);
            assert_eq!(valid.bytes.as_ptr(), batch.as_ptr(), "the bytes are not copied");
            assert_eq!(valid.timestamps, TimestampPlan::Keep);
            assert_eq!(valid.log_append_time(NOW), WallMs(-1));
            let stamp = valid.stamp(Offset(10), LeaderEpoch(1), NOW);
            assert_eq!((stamp.resume_at(), stamp.header.last_offset()), (16, Offset(12)));
        }
    }
}

#[test]
fn what_is_not_one_whole_batch_is_refused() {
    let one = batch(spec(Codec::None));
    assert_eq!(verdict(&Bytes::new()), Err(ProduceError::Empty));
    assert_eq!(verdict(&one.slice(..one.len() - 1)), Err(ProduceError::Empty));
    assert_eq!(verdict(&one.slice(..10)), Err(ProduceError::Empty));
    let two = Bytes::from([one.as_ref(), one.as_ref()].concat());
    assert_eq!(verdict(&two), Err(ProduceError::ManyBatches));
    // A torn second batch is cut off.
    let torn = two.slice(..two.len() - 1);
    assert_eq!(verdict(&torn).map(|valid| valid.bytes), Ok(one.clone()));
    let garbage = Bytes::from([one.as_ref(), &[9; 30]].concat());
    assert!(matches!(verdict(&garbage), Err(ProduceError::Corrupt(BatchError::Magic { .. }))));
}

#[test]
fn wrong_magic_and_length_are_told_apart_as_kafka_does() {
    let one = batch(spec(Codec::None));
    for magic in [0, 1] {
        let old = patched(&one, MAGIC_AT, &[magic]);
        let magic = i8::from_be_bytes([magic]);
        assert_eq!(verdict(&old), Err(ProduceError::OldMagic { magic }));
    }
    let unknown = patched(&one, MAGIC_AT, &[3]);
    assert_eq!(verdict(&unknown), Err(ProduceError::Corrupt(BatchError::Magic { magic: 3 })));
    for batch_length in [i32::MIN, -1, 0, 13] {
        let short = patched(&one, 8, &batch_length.to_be_bytes());
        let error = ProduceError::Corrupt(BatchError::Length { batch_length });
        assert_eq!(verdict(&short), Err(error));
    }
    // Long enough for a batch of an older format, too short for a header of this one.
    let short = Bytes::from(patched(&one, 8, &20_i32.to_be_bytes()).slice(..32).to_vec());
    assert!(matches!(verdict(&short), Err(ProduceError::Corrupt(_))));
}

#[test]
fn each_wrong_header_field_has_its_error() {
    let one = batch(spec(Codec::None));
    let moved = patched(&one, 0, &5_i64.to_be_bytes());
    assert_eq!(verdict(&moved), Err(ProduceError::BaseOffset { base_offset: Offset(5) }));
    let mut flipped = one.to_vec();
    flipped[70] ^= 1;
    assert!(matches!(verdict(&flipped.into()), Err(ProduceError::Crc { .. })));
    let codec = patched(&one, ATTRIBUTES_AT, &[0, 6]);
    assert_eq!(verdict(&codec), Err(ProduceError::UnknownCodec { id: 6 }));
    let range = patched(&one, LAST_OFFSET_DELTA_AT, &(-1_i32).to_be_bytes());
    assert_eq!(verdict(&range), Err(ProduceError::OffsetRange { last_offset_delta: -1 }));
    let none = patched(&one, RECORD_COUNT_AT, &0_i32.to_be_bytes());
    assert_eq!(verdict(&none), Err(ProduceError::RecordCount { record_count: 0 }));
    let more = patched(&one, RECORD_COUNT_AT, &4_i32.to_be_bytes());
    assert_eq!(
        verdict(&more),
        Err(ProduceError::CountMismatch { last_offset_delta: 2, record_count: 4 })
    );
    let largest = patched(&one, LAST_OFFSET_DELTA_AT, &i32::MAX.to_be_bytes());
    assert!(matches!(verdict(&largest), Err(ProduceError::CountMismatch { .. })));
    let control = patched(&one, ATTRIBUTES_AT, &[0, 0b10_0000]);
    assert_eq!(verdict(&control), Err(ProduceError::Control));
    let producer = ProducerStamp { id: ProducerId(3), epoch: 0, base_sequence: -1 };
    let unnumbered = batch(BatchSpec { producer, ..BatchSpec::default() });
    assert_eq!(
        verdict(&unnumbered),
        Err(ProduceError::Sequence { producer_id: ProducerId(3), base_sequence: -1 })
    );
}

#[test]
fn size_comes_before_crc_and_crc_before_counts() {
    let one = batch(spec(Codec::None));
    let mut bytes = patched(&one, RECORD_COUNT_AT, &9_i32.to_be_bytes()).to_vec();
    bytes[CRC_AT] ^= 1;
    let bytes = Bytes::from(bytes);
    let rules = ValidationRules { message_bytes_max: one.len() - 1, ..full() };
    assert_eq!(
        validate(&bytes, CLIENT, &rules, NOW),
        Err(ProduceError::TooLarge { bytes: one.len(), bytes_max: one.len() - 1 })
    );
    assert!(matches!(validate(&bytes, CLIENT, &full(), NOW), Err(ProduceError::Crc { .. })));
    let rules = ValidationRules { message_bytes_max: one.len(), ..full() };
    assert!(validate(&one, CLIENT, &rules, NOW).is_ok());
}

#[test]
fn zstd_needs_a_client_that_knows_it() {
    let zstd = batch(spec(Codec::Zstd));
    let old = Origin::Client { produce_version: 6 };
    assert_eq!(
        validate(&zstd, old, &full(), NOW),
        Err(ProduceError::ZstdTooEarly { produce_version: 6 })
    );
    let new = Origin::Client { produce_version: 7 };
    assert!(validate(&zstd, new, &full(), NOW).is_ok());
    assert!(validate(&batch(spec(Codec::Lz4)), old, &full(), NOW).is_ok());
}

#[test]
fn timestamps_outside_the_window_are_named_in_both_modes() {
    let one = batch(spec(Codec::Gzip));
    for base in [ValidationRules::default(), full()] {
        // The second record, at NOW + 5, is 1 ms too late.
        let rules = ValidationRules { timestamp_after_max_ms: 4, ..base };
        let reason = RejectionReason::Timestamp {
            timestamp: NOW.0 + 5,
            earliest: NOW.0 - i64::MAX,
            latest: NOW.0 + 4,
        };
        assert_eq!(
            validate(&one, CLIENT, &rules, NOW),
            Err(ProduceError::Rejected {
                rejections: vec![Rejection { index: 1, reason }],
                count: 1,
                is_about_time: true
            })
        );
        let rules = ValidationRules { timestamp_after_max_ms: 5, ..base };
        assert!(validate(&one, CLIENT, &rules, NOW).is_ok());
        // An hour later the first record is 1 ms too old.
        let rules = ValidationRules { timestamp_before_max_ms: HOUR_MS - 1, ..base };
        let error = validate(&one, CLIENT, &rules, WallMs(NOW.0 + HOUR_MS));
        assert!(
            matches!(&error, Err(ProduceError::Rejected { rejections, count: 1, .. })
                if rejections[0].index == 0),
            "{error:?}"
        );
        let rules = ValidationRules { timestamp_before_max_ms: HOUR_MS, ..base };
        assert!(validate(&one, CLIENT, &rules, WallMs(NOW.0 + HOUR_MS)).is_ok());
        // With LogAppendTime the window does not count.
        let rules = ValidationRules {
            timestamp_type: TimestampType::LogAppendTime,
            timestamp_after_max_ms: 0,
            ..base
        };
        assert!(validate(&one, CLIENT, &rules, NOW).is_ok());
    }
}

#[test]
fn records_without_a_timestamp_pass_any_window() {
    let mut builder = BatchBuilder::new(BatchSpec::default());
    builder.append(NO_TIMESTAMP, None, Some(b"v"), &[]);
    let one = builder.build().expect("plain");
    let rules = ValidationRules {
        timestamp_before_max_ms: 1,
        timestamp_after_max_ms: 1,
        ..ValidationRules::default()
    };
    for strictness in [Strictness::Header, Strictness::Full] {
        let rules = ValidationRules { strictness, ..rules };
        assert!(validate(&one, CLIENT, &rules, NOW).is_ok());
    }
}

#[test]
fn a_client_may_not_claim_log_append_time_where_it_is_the_brokers() {
    let claim = BatchSpec { timestamp_type: TimestampType::LogAppendTime, ..BatchSpec::default() };
    let rules = ValidationRules {
        timestamp_type: TimestampType::LogAppendTime,
        ..ValidationRules::default()
    };
    let error = validate(&batch(claim), CLIENT, &rules, NOW);
    assert!(matches!(
        error,
        Err(ProduceError::Rejected { count: 3, is_about_time: true, ref rejections })
            if rejections[2].reason == RejectionReason::LogAppendTime
    ));
    // Where timestamps are the clients', the claim is taken back.
    let one = batch(claim);
    let valid = verdict(&one).expect("mended");
    let stamp = valid.stamp(Offset(0), LeaderEpoch(0), NOW);
    assert_eq!(stamp.header.timestamp_type(), TimestampType::CreateTime);
    assert_eq!(stamp.header.max_timestamp, NOW.0 + 5);
    assert_stamped_right(&valid, &stamp);
}

#[test]
fn log_append_time_is_stamped_over_any_codec() {
    let rules =
        ValidationRules { timestamp_type: TimestampType::LogAppendTime, ..Default::default() };
    for codec in [Codec::None, Codec::Zstd] {
        let valid = validate(&batch(spec(codec)), CLIENT, &rules, NOW).expect("good");
        let appended = WallMs(NOW.0 + 77);
        assert_eq!(valid.log_append_time(appended), appended);
        let stamp = valid.stamp(Offset(100), LeaderEpoch(2), appended);
        assert_eq!(stamp.header.max_timestamp, appended.0);
        assert_stamped_right(&valid, &stamp);
    }
}

fn assert_stamped_right(valid: &ValidatedBatch, stamp: &StampedHeader) {
    let mut whole = stamp.as_slice().to_vec();
    whole.extend_from_slice(&valid.bytes[stamp.resume_at()..]);
    let view = BatchView::first(&whole).expect("batch");
    assert!(view.is_crc_right());
    assert_eq!(view.header, stamp.header);
}

#[test]
fn a_compacted_topic_needs_keys_even_in_packed_batches() {
    let rules = ValidationRules { keys: Keys::Required, ..ValidationRules::default() };
    for codec in [Codec::None, Codec::Snappy] {
        assert!(validate(&batch(spec(codec)), CLIENT, &rules, NOW).is_ok());
        let mut builder = BatchBuilder::new(spec(codec));
        builder.append(NOW.0, Some(b""), None, &[]);
        builder.append(NOW.0, None, Some(b"v"), &[]);
        let keyless = builder.build().expect("packs");
        assert_eq!(
            validate(&keyless, CLIENT, &rules, NOW),
            Err(ProduceError::Rejected {
                rejections: vec![Rejection { index: 1, reason: RejectionReason::NoKey }],
                count: 1,
                is_about_time: false,
            })
        );
        assert!(verdict(&keyless).is_ok());
    }
}

#[test]
fn the_named_rejections_are_bounded_and_the_count_is_not() {
    let mut builder = BatchBuilder::new(spec(Codec::Lz4));
    for _ in 0..REJECTIONS_MAX + 500 {
        builder.append(NOW.0 + 2 * HOUR_MS, None, None, &[]);
    }
    let error = verdict(&builder.build().expect("packs"));
    assert!(matches!(
        error,
        Err(ProduceError::Rejected { ref rejections, count: 1500, .. })
            if rejections.len() == REJECTIONS_MAX
    ));
}

#[test]
fn only_the_full_check_finds_a_body_that_lies() {
    let one = batch(spec(Codec::None));
    // Two records in the header, three in the body.
    let fewer = patched(&one, LAST_OFFSET_DELTA_AT, &1_i32.to_be_bytes());
    let fewer = patched(&fewer, RECORD_COUNT_AT, &2_i32.to_be_bytes());
    assert!(verdict(&fewer).is_ok());
    assert!(matches!(
        validate(&fewer, CLIENT, &full(), NOW),
        Err(ProduceError::Body(RecordError::Remaining { .. }))
    ));
    let packed = patched(&one, ATTRIBUTES_AT, &[0, 1]);
    assert!(verdict(&packed).is_ok());
    assert!(matches!(
        validate(&packed, CLIENT, &full(), NOW),
        Err(ProduceError::Compression(CompressionError::Corrupt { codec: Codec::Gzip, .. }))
    ));
}

#[test]
fn a_wrong_largest_timestamp_is_mended_by_the_full_check() {
    for codec in [Codec::None, Codec::Gzip] {
        let one = batch(spec(codec));
        let wrong = patched(&one, MAX_TIMESTAMP_AT, &(NOW.0 - 50).to_be_bytes());
        let valid = validate(&wrong, CLIENT, &full(), NOW).expect("mended");
        let stamp = valid.stamp(Offset(0), LeaderEpoch(0), NOW);
        assert_eq!(stamp.header.max_timestamp, NOW.0 + 5);
        assert_stamped_right(&valid, &stamp);
        // One that lies outside the window is mended by both: the records are asked.
        let far = patched(&one, MAX_TIMESTAMP_AT, &(NOW.0 + 2 * HOUR_MS).to_be_bytes());
        let valid = verdict(&far).expect("mended");
        assert_eq!(valid.stamp(Offset(0), LeaderEpoch(0), NOW).header.max_timestamp, NOW.0 + 5);
    }
}

#[test]
fn a_topic_with_a_codec_of_its_own_gets_its_batches_packed_anew() {
    let producer = ProducerStamp { id: ProducerId(3), epoch: 1, base_sequence: 40 };
    for source in [Codec::None, Codec::Gzip, Codec::Zstd] {
        for target in [Codec::None, Codec::Lz4, Codec::Zstd] {
            let one = batch(BatchSpec { codec: source, producer, ..BatchSpec::default() });
            let policy = CompressionPolicy::Topic { codec: target, level: None };
            let rules = ValidationRules { compression: policy, ..Default::default() };
            let valid = validate(&one, CLIENT, &rules, NOW).expect("good");
            assert_eq!(valid.header.codec(), Ok(target));
            if source == target {
                assert_eq!(valid.bytes, one);
            } else {
                assert_eq!(
                    valid.bytes,
                    batch(BatchSpec { codec: target, producer, ..Default::default() })
                );
            }
            assert_eq!((valid.header.last_sequence(), valid.header.record_count), (42, 3));
            assert_stamped_right(&valid, &valid.stamp(Offset(5), LeaderEpoch(0), NOW));
        }
    }
    let policy = CompressionPolicy::Topic { codec: Codec::None, level: None };
    let mut builder = BatchBuilder::new(spec(Codec::Gzip));
    builder.append(NOW.0, None, Some(&[0; 5000]), &[]);
    let one = builder.build().expect("packs");
    let rules =
        ValidationRules { compression: policy, message_bytes_max: 4000, ..Default::default() };
    let error = validate(&one, CLIENT, &rules, NOW);
    assert!(matches!(error, Err(ProduceError::TooLarge { bytes_max: 4000, .. })), "{error:?}");
}

#[test]
fn gaps_between_inner_offsets_of_a_packed_batch_are_closed() {
    for codec in [Codec::None, Codec::Gzip] {
        let mut builder = BatchBuilder::new(spec(codec));
        for offset_delta in [0, 3] {
            builder.append_at(offset_delta, NOW.0, (None, Some(b"v")), [].into_iter());
        }
        let gaps = builder.build().expect("packs");
        let gaps = patched(&gaps, LAST_OFFSET_DELTA_AT, &1_i32.to_be_bytes());
        let valid = validate(&gaps, CLIENT, &full(), NOW).expect("good");
        let last = match codec {
            Codec::None => 3,
            Codec::Gzip | Codec::Snappy | Codec::Lz4 | Codec::Zstd => 1,
        };
        let body = &valid.bytes[61..];
        let body = compression::decompress(codec, body, 1000).expect("readable");
        let record = RecordIter::new(&body, 2).last().expect("two").expect("readable");
        assert_eq!(record.offset_delta, last);
    }
}

#[test]
fn a_coordinator_writes_control_batches_and_needs_no_sequence() {
    let flags = BatchFlags { transactional: true, control: true, delete_horizon: false };
    let producer = ProducerStamp { id: ProducerId(3), epoch: 0, base_sequence: -1 };
    let marker = batch(BatchSpec { flags, producer, ..BatchSpec::default() });
    let policy = CompressionPolicy::Topic { codec: Codec::Gzip, level: None };
    let rules = ValidationRules { compression: policy, ..full() };
    let valid = validate(&marker, Origin::Coordinator, &rules, NOW).expect("good");
    assert_eq!(valid.bytes, marker, "control batches are not packed");
}

proptest! {
    #[test]
    fn no_bytes_make_validation_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        codec in 0_usize..5,
        at in 0_usize..110,
        version in 0_i16..13,
    ) {
        let _ = verdict(&bytes.clone().into());
        // The same bytes over a good batch, CRC right, so that the depths are reached.
        let codec = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd][codec];
        let mut builder = BatchBuilder::new(spec(codec));
        for step in 0..20 {
            builder.append(NOW.0 + step, Some(b"key"), Some(b"a value of some length"), &[]);
        }
        let one = builder.build().expect("packs");
        let at = at.min(one.len());
        let with = &bytes[..bytes.len().min(one.len() - at).min(8)];
        let rules = ValidationRules {
            compression: CompressionPolicy::Topic { codec: Codec::Lz4, level: None },
            ..full()
        };
        let origin = Origin::Client { produce_version: version };
        let hostile = patched(&one, at, with);
        let _ = validate(&hostile, Origin::Coordinator, &rules, NOW);
        if let Ok(valid) = validate(&hostile, origin, &rules, NOW) {
            assert_stamped_right(&valid, &valid.stamp(Offset(3), LeaderEpoch(1), NOW));
        }
    }
}

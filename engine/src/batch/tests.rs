//! Headers round trip, walks end for the right reason, stamps keep the CRC right.

use super::*;
use proptest::prelude::*;

fn header() -> BatchHeader {
    BatchHeader {
        base_offset: Offset(0),
        batch_length: 0,
        leader_epoch: LeaderEpoch::NONE,
        crc: 0,
        attributes: 0,
        last_offset_delta: 2,
        base_timestamp: 1_700_000_000_000,
        max_timestamp: 1_700_000_000_007,
        producer_id: ProducerId::NONE,
        producer_epoch: -1,
        base_sequence: -1,
        record_count: 3,
    }
}

/// A batch with these records' bytes, length and CRC right.
fn batch(header: BatchHeader, records: &[u8]) -> Vec<u8> {
    let header =
        BatchHeader { batch_length: i32::try_from(49 + records.len()).expect("small"), ..header };
    let mut bytes = header.encode().to_vec();
    bytes.extend_from_slice(records);
    let crc = crc::crc32c(&bytes[ATTRIBUTES_AT..]);
    bytes[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn stamped_whole(stamp: &StampedHeader, batch: &[u8]) -> Vec<u8> {
    let mut bytes = stamp.as_slice().to_vec();
    bytes.extend_from_slice(&batch[stamp.resume_at()..]);
    bytes
}

#[test]
fn a_torn_tail_is_told_from_a_clean_end() {
    // No field starts with a zero byte that could pass for space never written.
    let one = batch(BatchHeader { base_offset: Offset(1 << 60), ..header() }, b"records");
    let two = [one.clone(), one.clone()].concat();
    for cut in 0..=two.len() {
        let mut walk = BatchIter::new(&two[..cut]);
        assert_eq!(walk.by_ref().count(), cut / one.len());
        let position = cut / one.len() * one.len();
        assert_eq!(walk.position(), position);
        let inside = cut - position;
        let expected = if inside == 0 {
            BatchEnd::Clean
        } else {
            let batch_bytes = (inside >= HEADER_BYTES).then_some(one.len());
            BatchEnd::Torn { position, batch_bytes }
        };
        assert_eq!(walk.end(), Some(expected), "cut at {cut}");
    }
}

#[test]
fn zeros_behind_the_last_batch_are_blank_and_other_bytes_are_corrupt() {
    let one = batch(header(), b"records");
    let blank = [one.clone(), vec![0; 500]].concat();
    let mut walk = BatchIter::new(&blank);
    assert_eq!(walk.by_ref().count(), 1);
    assert_eq!(walk.end(), Some(BatchEnd::Blank { position: one.len() }));

    let garbage = [one.clone(), vec![7; 500]].concat();
    let mut walk = BatchIter::new(&garbage);
    assert_eq!(walk.by_ref().count(), 1);
    assert_eq!(
        walk.end(),
        Some(BatchEnd::Corrupt { position: one.len(), error: BatchError::Magic { magic: 7 } })
    );
    assert!(walk.next().is_none(), "a walk that ended stays ended");
}

#[test]
fn a_length_below_a_header_is_refused() {
    for batch_length in [i32::MIN, -1, 0, 48] {
        let bytes = BatchHeader { batch_length, ..header() }.encode();
        assert_eq!(BatchHeader::parse(&bytes), Err(BatchError::Length { batch_length }));
    }
    let bytes = BatchHeader { batch_length: i32::MAX, ..header() }.encode();
    assert_eq!(BatchHeader::parse(&bytes).map(|h| h.bytes_total()), Ok(2_147_483_659));
}

#[test]
fn the_last_sequence_wraps_to_zero_after_the_largest() {
    let at = |base_sequence, last_offset_delta| {
        BatchHeader { last_offset_delta, base_sequence, ..header() }.last_sequence()
    };
    assert_eq!(at(0, 9), 9);
    assert_eq!(at(i32::MAX, 0), i32::MAX);
    assert_eq!(at(i32::MAX, 1), 0);
    assert_eq!(at(i32::MAX - 1, 4), 2);
    assert_eq!(at(-1, 4), -1);
}

#[test]
fn a_create_time_stamp_changes_sixteen_bytes_and_keeps_the_crc_right() {
    let one = batch(header(), b"some records");
    let parsed = BatchHeader::parse(&one).expect("header");
    let stamp = StampedHeader::create_time(&parsed, Offset(77), LeaderEpoch(5));
    assert_eq!(stamp.as_slice().len(), 16);
    let whole = stamped_whole(&stamp, &one);
    assert_eq!(whole[16..], one[16..]);
    let view = BatchView::first(&whole).expect("batch");
    assert!(view.is_crc_right());
    assert_eq!(view.header, stamp.header);
    assert_eq!((view.header.base_offset, view.header.last_offset()), (Offset(77), Offset(79)));
    assert_eq!(view.header.leader_epoch, LeaderEpoch(5));
}

prop_compose! {
    fn any_header()(
        numbers in any::<(i64, i32, u32, i16, i32)>(),
        times in any::<(i64, i64)>(),
        producer in any::<(i64, i16, i32, i32)>(),
        batch_length in 49..i32::MAX,
    ) -> BatchHeader {
        BatchHeader {
            base_offset: Offset(numbers.0),
            batch_length,
            leader_epoch: LeaderEpoch(numbers.1),
            crc: numbers.2,
            attributes: numbers.3,
            last_offset_delta: numbers.4,
            base_timestamp: times.0,
            max_timestamp: times.1,
            producer_id: ProducerId(producer.0),
            producer_epoch: producer.1,
            base_sequence: producer.2,
            record_count: producer.3,
        }
    }
}

proptest! {
    #[test]
    fn headers_round_trip(header in any_header()) {
        prop_assert_eq!(BatchHeader::parse(&header.encode()), Ok(header));
        // Nothing derived from any header may panic.
        let _ = (header.last_offset(), header.next_offset(), header.last_sequence());
        let _ = (header.bytes_total(), header.records_bytes(), header.codec());
    }

    #[test]
    fn no_bytes_make_a_walk_panic_or_pass_its_end(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..400),
        magic in any::<bool>(),
        length in -5_i32..400,
    ) {
        // Give half of the inputs a plausible front, or nothing behind the magic is reached.
        if magic && bytes.len() > 16 {
            bytes[16] = 2;
            bytes[8..12].copy_from_slice(&length.to_be_bytes());
        }
        let mut walk = BatchIter::new(&bytes);
        for view in walk.by_ref() {
            let _ = view.is_crc_right();
        }
        prop_assert!(walk.position() <= bytes.len());
        prop_assert!(walk.end().is_some());
    }

    #[test]
    fn stamping_an_append_time_gives_the_crc_of_a_full_computation(
        header in any_header(),
        records in proptest::collection::vec(any::<u8>(), 0..3000),
        offset in 0..i64::MAX,
        now in any::<i64>(),
    ) {
        let one = batch(header, &records);
        let parsed = BatchHeader::parse(&one).expect("header");
        let stamp =
            StampedHeader::log_append_time(&parsed, Offset(offset), LeaderEpoch(3), WallMs(now));
        let whole = stamped_whole(&stamp, &one);
        let view = BatchView::first(&whole).expect("batch");
        prop_assert!(view.is_crc_right());
        prop_assert_eq!(view.header.timestamp_type(), TimestampType::LogAppendTime);
        prop_assert_eq!(view.header.max_timestamp, now);
        prop_assert_eq!(view.header.base_timestamp, header.base_timestamp);
        prop_assert_eq!(view.header.base_offset, Offset(offset));

        let times = Timestamps { kind: TimestampType::CreateTime, max: WallMs(now) };
        let mended =
            StampedHeader::with_timestamps(&parsed, Offset(1), LeaderEpoch(0), times);
        let whole = stamped_whole(&mended, &one);
        prop_assert!(BatchView::first(&whole).expect("batch").is_crc_right());
        prop_assert_eq!(mended.header.timestamp_type(), TimestampType::CreateTime);
        prop_assert_eq!(mended.header.max_timestamp, now);
        prop_assert_eq!(mended.header.codec(), header.codec());
    }
}

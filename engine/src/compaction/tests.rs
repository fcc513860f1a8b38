//! Offsets and sequences stay, the last of each key stays, tombstones go when due; a naive model.

use super::*;
use crate::batch::TimestampType;
use crate::control;
use crate::ids::{LeaderEpoch, ProducerId};
use crate::producer_state::{EndTxn, TxnOutcome};
use proptest::prelude::*;

const LIMIT: usize = 1 << 20;
const MAP: MapRules = MapRules { bytes_max: LIMIT, load_percent: 90, secret: (7, 9) };
const LIVE: (BatchFate, WhenEmpty) = (BatchFate::Live, WhenEmpty::Remove);

fn rules(now: i64) -> CleanRules {
    CleanRules {
        now: WallMs(now),
        delete_retention_ms: 1000,
        limit_bytes: LIMIT,
        tombstones_below: Offset(i64::MAX),
    }
}

type Pair<'a> = (&'a str, Option<&'a str>);

fn batch(base_offset: i64, codec: Codec, records: &[Pair<'_>]) -> Bytes {
    let mut builder = BatchBuilder::new(BatchSpec {
        base_offset: Offset(base_offset),
        leader_epoch: LeaderEpoch(3),
        codec,
        producer: ProducerStamp { id: ProducerId(7), epoch: 1, base_sequence: 50 },
        ..BatchSpec::default()
    });
    for ((key, value), step) in records.iter().zip(0..) {
        let key = Some(key.as_bytes());
        builder.append(100 + base_offset + step, key, value.map(str::as_bytes), &[]);
    }
    builder.build().expect("all codecs are in")
}

fn view(bytes: &Bytes) -> BatchView<'_> {
    let view = BatchView::first(bytes).expect("batch");
    assert!(view.is_crc_right());
    view
}

fn keys_of(batches: &[Bytes]) -> KeyOffsets {
    let mut keys = KeyOffsets::new(Offset(0), MAP);
    for batch in batches {
        assert_eq!(keys.take(&view(batch), BatchFate::Live, LIMIT), Ok(Taken::Yes));
    }
    keys
}

fn rewrite(cleaned: Result<Cleaned, OpenError>) -> Bytes {
    match cleaned {
        Ok(Cleaned::Rewrite(bytes)) => bytes,
        other => panic!("not rewritten: {other:?}"),
    }
}

/// Offset, key, value and timestamp of each record.
fn contents(bytes: &Bytes) -> Vec<(i64, String, Option<String>, i64)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    OpenBatch::open(&view(bytes), LIMIT)
        .expect("opens")
        .records()
        .map(|record| {
            let LogRecord { offset, timestamp, record } = record.expect("readable");
            (offset.0, text(record.key.expect("key")), record.value.map(text), timestamp)
        })
        .collect()
}

#[test]
fn a_rewritten_batch_keeps_offsets_sequences_epoch_and_timestamps() {
    for codec in [Codec::None, Codec::Gzip] {
        let first = batch(
            10,
            codec,
            &[("a", Some("1")), ("b", Some("2")), ("a", Some("3")), ("c", Some("4"))],
        );
        let second = batch(14, codec, &[("c", Some("5"))]);
        let keys = keys_of(&[first.clone(), second.clone()]);
        let bytes = rewrite(clean_batch(&view(&first), &keys, LIVE, rules(0)));
        assert_eq!(
            contents(&bytes),
            [(11, "b".into(), Some("2".into()), 111), (12, "a".into(), Some("3".into()), 112)]
        );
        let (before, after) = (view(&first).header, view(&bytes).header);
        assert_eq!(after.base_offset, before.base_offset);
        assert_eq!(after.last_offset(), before.last_offset());
        assert_eq!(after.last_sequence(), before.last_sequence());
        assert_eq!(after.base_sequence, before.base_sequence);
        assert_eq!(after.leader_epoch, before.leader_epoch);
        assert_eq!((after.record_count, after.codec()), (2, Ok(codec)));
        assert_eq!(after.max_timestamp, 112);
        assert_eq!(clean_batch(&view(&second), &keys, LIVE, rules(0)), Ok(Cleaned::Keep));
        assert_eq!(clean_batch(&view(&bytes), &keys, LIVE, rules(0)), Ok(Cleaned::Keep));
    }
}

#[test]
fn a_batch_at_or_behind_the_maps_end_is_kept_whole() {
    let first = batch(0, Codec::None, &[("a", Some("1"))]);
    let behind = batch(1, Codec::None, &[("a", Some("2")), ("a", Some("3"))]);
    let keys = keys_of(std::slice::from_ref(&first));
    assert_eq!(clean_batch(&view(&behind), &keys, LIVE, rules(0)), Ok(Cleaned::Keep));
}

#[test]
fn an_emptied_batch_goes_unless_it_is_its_producers_last() {
    let old = batch(0, Codec::Zstd, &[("a", Some("1")), ("b", None)]);
    let new = batch(2, Codec::None, &[("a", Some("2")), ("b", Some("2"))]);
    let keys = keys_of(&[old.clone(), new]);
    assert_eq!(clean_batch(&view(&old), &keys, LIVE, rules(0)), Ok(Cleaned::Remove));
    let last = (BatchFate::Live, WhenEmpty::KeepHeader);
    let bytes = rewrite(clean_batch(&view(&old), &keys, last, rules(0)));
    let header = view(&bytes).header;
    assert_eq!((bytes.len(), header.record_count), (61, 0));
    assert_eq!((header.last_offset(), header.last_sequence()), (Offset(1), 51));
    assert_eq!(header.max_timestamp, view(&old).header.max_timestamp);
    assert_eq!(clean_batch(&view(&bytes), &keys, last, rules(0)), Ok(Cleaned::Keep));
    assert_eq!(clean_batch(&view(&bytes), &keys, LIVE, rules(0)), Ok(Cleaned::Remove));
}

#[test]
fn a_tombstone_gets_a_horizon_first_and_goes_when_it_has_passed() {
    let one = batch(0, Codec::None, &[("a", None), ("b", Some("1"))]);
    let keys = keys_of(std::slice::from_ref(&one));
    let marked = rewrite(clean_batch(&view(&one), &keys, LIVE, rules(5000)));
    let header = view(&marked).header;
    assert!(header.has_delete_horizon());
    assert_eq!(header.base_timestamp, 6000);
    assert_eq!(contents(&marked), contents(&one), "timestamps survive the changed base");
    assert_eq!(clean_batch(&view(&marked), &keys, LIVE, rules(5999)), Ok(Cleaned::Keep));
    let gone = rewrite(clean_batch(&view(&marked), &keys, LIVE, rules(6000)));
    assert_eq!(contents(&gone), [(1, "b".into(), Some("1".into()), 101)]);
}

#[test]
fn aborted_records_go_and_do_not_supersede_others() {
    let live = batch(0, Codec::None, &[("a", Some("1"))]);
    let aborted = batch(1, Codec::None, &[("a", Some("2"))]);
    let mut keys = keys_of(std::slice::from_ref(&live));
    assert_eq!(keys.take(&view(&aborted), BatchFate::Aborted, LIMIT), Ok(Taken::Yes));
    assert_eq!(keys.end_offset(), Offset(2));
    assert_eq!(clean_batch(&view(&live), &keys, LIVE, rules(0)), Ok(Cleaned::Keep));
    let fate = (BatchFate::Aborted, WhenEmpty::Remove);
    assert_eq!(clean_batch(&view(&aborted), &keys, fate, rules(0)), Ok(Cleaned::Remove));
}

#[test]
fn a_batch_of_a_transaction_of_unknown_fate_stays_and_supersedes_nothing() {
    let live = batch(0, Codec::None, &[("a", Some("1"))]);
    let open = batch(1, Codec::None, &[("a", Some("2"))]);
    let later = batch(2, Codec::None, &[("a", Some("3"))]);
    let mut keys = keys_of(std::slice::from_ref(&live));
    assert_eq!(keys.take(&view(&open), BatchFate::Unknown, LIMIT), Ok(Taken::Yes));
    assert_eq!(clean_batch(&view(&live), &keys, LIVE, rules(0)), Ok(Cleaned::Keep));
    assert_eq!(keys.take(&view(&later), BatchFate::Live, LIMIT), Ok(Taken::Yes));
    assert_eq!(clean_batch(&view(&live), &keys, LIVE, rules(0)), Ok(Cleaned::Remove));
    let unknown = (BatchFate::Unknown, WhenEmpty::Remove);
    assert_eq!(clean_batch(&view(&open), &keys, unknown, rules(0)), Ok(Cleaned::Keep));
}

#[test]
fn a_marker_stays_while_needed_and_then_until_its_horizon() {
    let producer = ProducerStamp { id: ProducerId(7), epoch: 1, base_sequence: -1 };
    let end = EndTxn { outcome: TxnOutcome::Aborted, coordinator_epoch: 2, timestamp: 100 };
    let marker = control::end_txn_batch(producer, end);
    let keys = KeyOffsets::new(Offset(1), MAP);
    assert_eq!(clean_batch(&view(&marker), &keys, LIVE, rules(0)), Ok(Cleaned::Keep));
    let nothing = (BatchFate::MarkerOfNothing, WhenEmpty::Remove);
    let marked = rewrite(clean_batch(&view(&marker), &keys, nothing, rules(5000)));
    assert!(view(&marked).header.has_delete_horizon() && view(&marked).header.is_control());
    assert_eq!(control::end_txn_of(&view(&marked)), Ok(Some(end)));
    assert_eq!(clean_batch(&view(&marked), &keys, nothing, rules(5999)), Ok(Cleaned::Keep));
    assert_eq!(clean_batch(&view(&marked), &keys, nothing, rules(6000)), Ok(Cleaned::Remove));
}

#[test]
fn a_full_map_stops_before_the_batch_and_takes_at_least_one() {
    let batches: Vec<Bytes> = (0..)
        .zip(["a", "b", "c", "a"])
        .map(|(offset, key)| batch(offset, Codec::None, &[(key, Some("v"))]))
        .collect();
    let map = |keys| MapRules { bytes_max: keys * keys::SLOT_BYTES, load_percent: 95, ..MAP };
    let mut keys = KeyOffsets::new(Offset(0), map(3));
    let taken = |keys: &mut KeyOffsets, index: usize| {
        keys.take(&view(&batches[index]), BatchFate::Live, LIMIT).expect("opens")
    };
    assert_eq!((taken(&mut keys, 0), taken(&mut keys, 1)), (Taken::Yes, Taken::Yes));
    assert_eq!(taken(&mut keys, 2), Taken::Full);
    assert_eq!((keys.end_offset(), keys.len()), (Offset(2), 2));
    let mut tiny = KeyOffsets::new(Offset(0), map(0));
    assert_eq!((taken(&mut tiny, 0), taken(&mut tiny, 1)), (Taken::Yes, Taken::Full));
    assert_eq!(tiny.end_offset(), Offset(1));
}

#[test]
fn a_tombstone_that_somebody_still_needs_outlives_its_horizon() {
    let one = batch(0, Codec::None, &[("a", None), ("b", None)]);
    let keys = keys_of(std::slice::from_ref(&one));
    let bytes = rewrite(clean_batch(&view(&one), &keys, LIVE, rules(0)));
    let needed = |tombstones_below| CleanRules { tombstones_below, ..rules(1000) };
    let some = rewrite(clean_batch(&view(&bytes), &keys, LIVE, needed(Offset(1))));
    assert_eq!(contents(&some).iter().map(|it| it.0).collect::<Vec<_>>(), [1]);
    let all = clean_batch(&view(&bytes), &keys, LIVE, needed(Offset(0)));
    assert_eq!(all, Ok(Cleaned::Keep));
}

#[test]
fn log_append_time_survives_a_rewrite() {
    let mut builder = BatchBuilder::new(BatchSpec {
        timestamp_type: TimestampType::LogAppendTime,
        ..BatchSpec::default()
    });
    for value in [&b"1"[..], b"2"] {
        builder.append(500, Some(b"a"), Some(value), &[]);
    }
    builder.keep_max_timestamp(900);
    let one = builder.build().expect("plain");
    let keys = keys_of(std::slice::from_ref(&one));
    let bytes = rewrite(clean_batch(&view(&one), &keys, LIVE, rules(0)));
    assert_eq!(view(&bytes).header.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(contents(&bytes), [(1, "a".into(), Some("2".into()), 900)]);
}

proptest! {
    #[test]
    fn what_is_left_agrees_with_a_naive_model(
        batches in proptest::collection::vec(
            proptest::collection::vec((0_usize..6, proptest::option::of(0_usize..3)), 1..6), 1..8),
        codec in 0_usize..5,
        // So many batches were compacted before: their keys are not in the map.
        clean in 0_usize..8,
    ) {
        let codec = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd][codec];
        let keys = ["a", "b", "c", "d", "e", "f"];
        let values = ["1", "2", "3"];
        let mut end = 0;
        let built: Vec<Bytes> = batches
            .iter()
            .map(|records| {
                let records: Vec<Pair<'_>> = records
                    .iter()
                    .map(|(key, value)| (keys[*key], value.map(|value| values[value])))
                    .collect();
                let bytes = batch(end, codec, &records);
                end += i64::try_from(records.len()).expect("few");
                bytes
            })
            .collect();
        let all: Vec<_> = built.iter().flat_map(contents).collect();
        let dirty = &built[clean.min(built.len())..];
        let superseding: Vec<_> = dirty.iter().flat_map(contents).collect();
        let map = keys_of(dirty);
        let map_end = if dirty.is_empty() { 0 } else { end };
        let mut left = built;
        // The first pass sets horizons at 1000, the second one is beyond them.
        for (now, keeps_tombstones) in [(0, true), (1000, false)] {
            let mut next = Vec::new();
            for bytes in left {
                match clean_batch(&view(&bytes), &map, LIVE, rules(now)).expect("opens") {
                    Cleaned::Keep => next.push(bytes),
                    Cleaned::Rewrite(bytes) => next.push(bytes),
                    Cleaned::Remove => {}
                }
            }
            left = next;
            let expected: Vec<_> = all
                .iter()
                .filter(|record| {
                    !superseding.iter().any(|later| later.1 == record.1 && later.0 > record.0)
                })
                .filter(|record| keeps_tombstones || record.2.is_some() || record.0 >= map_end)
                .cloned()
                .collect();
            prop_assert_eq!(left.iter().flat_map(contents).collect::<Vec<_>>(), expected);
            for bytes in &left {
                let again = clean_batch(&view(bytes), &map, LIVE, rules(now));
                prop_assert_eq!(again, Ok(Cleaned::Keep));
            }
        }
    }
}

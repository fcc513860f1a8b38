//! The table of verdicts, the bound, expiry, transactions, and a naive model.

use super::*;
use crate::ids::LeaderEpoch;
use proptest::prelude::*;

fn batch(producer: (i64, i16), base_sequence: i32, record_count: i32) -> BatchHeader {
    BatchHeader {
        base_offset: Offset(0),
        batch_length: 49,
        leader_epoch: LeaderEpoch::NONE,
        crc: 0,
        attributes: 0,
        last_offset_delta: record_count - 1,
        base_timestamp: 0,
        max_timestamp: 0,
        producer_id: ProducerId(producer.0),
        producer_epoch: producer.1,
        base_sequence,
        record_count,
    }
}

fn transactional(header: BatchHeader) -> BatchHeader {
    BatchHeader { attributes: 0b1_0000, ..header }
}

/// A log of one partition: offsets count up, what is refused is not appended.
struct Log {
    state: ProducerState,
    end: i64,
}

impl Log {
    fn new(producers_max: usize) -> Self {
        Self { state: ProducerState::new(producers_max), end: 0 }
    }

    fn produce(&mut self, header: BatchHeader) -> Result<(bool, i64), ProducerError> {
        match self.state.check(&header)? {
            Admission::Duplicate(old) => Ok((false, old.base_offset().0)),
            Admission::Append => {
                let base = self.end;
                let stamped = BatchHeader { base_offset: Offset(base), ..header };
                self.end = stamped.next_offset().0;
                self.state.record(&stamped);
                self.state.verify();
                Ok((true, base))
            }
        }
    }

    fn end_txn(&mut self, producer: (i64, i16), outcome: TxnOutcome) -> Option<CompletedTxn> {
        let header = BatchHeader {
            attributes: 0b11_0000,
            base_offset: Offset(self.end),
            ..batch(producer, -1, 1)
        };
        let marker = EndTxn { outcome, coordinator_epoch: 3, timestamp: 0 };
        self.state.check_marker(&header, marker).expect("not fenced");
        self.end += 1;
        let completed = self.state.record_marker(&header, marker);
        self.state.verify();
        completed
    }
}

#[test]
fn each_of_the_last_five_batches_is_a_duplicate_and_the_sixth_is_out_of_order() {
    let mut log = Log::new(10);
    for index in 0..6 {
        assert_eq!(log.produce(batch((1, 0), index * 3, 3)), Ok((true, i64::from(index) * 3)));
    }
    for index in 1..6 {
        assert_eq!(log.produce(batch((1, 0), index * 3, 3)), Ok((false, i64::from(index) * 3)));
    }
    let forgotten = log.produce(batch((1, 0), 0, 3));
    assert!(matches!(forgotten, Err(ProducerError::OutOfOrder { last_sequence: 17, .. })));
    // The same start with another length is no duplicate.
    let other = log.produce(batch((1, 0), 15, 2));
    assert!(matches!(other, Err(ProducerError::OutOfOrder { .. })));
}

#[test]
fn a_gap_is_out_of_order_and_appends_nothing() {
    let mut log = Log::new(10);
    assert_eq!(log.produce(batch((1, 0), 0, 2)), Ok((true, 0)));
    assert!(log.produce(batch((1, 0), 3, 1)).is_err());
    assert_eq!(log.produce(batch((1, 0), 2, 1)), Ok((true, 2)));
}

#[test]
fn an_unknown_producer_may_start_anywhere() {
    let mut log = Log::new(10);
    assert_eq!(log.produce(batch((1, 7), 500, 2)), Ok((true, 0)));
    assert_eq!(log.produce(batch((1, 7), 502, 2)), Ok((true, 2)));
}

#[test]
fn behind_a_refused_batch_an_unknown_producer_starts_with_that_one() {
    let mut log = Log::new(10);
    // The first batch finds no room; the second was sent before the answer came.
    log.state.note_refused(&batch((7, 0), 0, 5));
    log.state.note_refused(&batch((7, 0), 5, 5));
    let error = log.produce(batch((7, 0), 5, 5)).unwrap_err();
    assert!(matches!(error, ProducerError::OutOfOrder { base_sequence: 5, .. }), "{error:?}");
    assert_eq!(log.produce(batch((7, 0), 0, 5)), Ok((true, 0)));
    assert_eq!(log.produce(batch((7, 0), 5, 5)), Ok((true, 5)));
    // Others are not concerned: another producer, or the same one in a new epoch.
    log.state.note_refused(&batch((8, 0), 0, 1));
    assert_eq!(log.produce(batch((9, 0), 41, 1)), Ok((true, 10)));
    assert_eq!(log.produce(batch((8, 1), 0, 1)), Ok((true, 11)));
}

#[test]
fn refused_batches_are_remembered_up_to_a_bound() {
    let mut state = ProducerState::new(10);
    for id in 0..2 * i64::try_from(REFUSED_MAX).unwrap() {
        state.note_refused(&batch((id, 0), 0, 1));
    }
    assert_eq!(state.refused.len(), REFUSED_MAX);
    assert_eq!(state.check(&batch((0, 0), 9, 1)), Ok(Admission::Append), "the oldest is gone");
}

#[test]
fn a_lower_epoch_is_fenced_and_a_higher_one_starts_at_zero() {
    let mut log = Log::new(10);
    assert_eq!(log.produce(batch((1, 3), 0, 2)), Ok((true, 0)));
    assert_eq!(
        log.produce(batch((1, 2), 2, 1)),
        Err(ProducerError::InvalidEpoch { producer_id: ProducerId(1), epoch: 2, current: 3 })
    );
    let late = log.produce(batch((1, 4), 2, 1));
    assert!(matches!(late, Err(ProducerError::NewEpochNotAtZero { .. })));
    assert_eq!(log.produce(batch((1, 4), 0, 1)), Ok((true, 2)));
    // The old epoch's batches are no duplicates any more, they are fenced.
    let old = log.produce(batch((1, 3), 0, 2));
    assert!(matches!(old, Err(ProducerError::InvalidEpoch { .. })));
}

#[test]
fn sequences_wrap_from_the_largest_to_zero() {
    let mut log = Log::new(10);
    assert_eq!(log.produce(batch((1, 0), i32::MAX - 1, 1)), Ok((true, 0)));
    // This one holds the sequences 2^31 - 1, 0 and 1.
    assert_eq!(log.produce(batch((1, 0), i32::MAX, 3)), Ok((true, 1)));
    assert_eq!(log.produce(batch((1, 0), i32::MAX, 3)), Ok((false, 1)));
    assert_eq!(log.produce(batch((1, 0), 2, 1)), Ok((true, 4)));
    let mut log = Log::new(10);
    assert_eq!(log.produce(batch((1, 0), i32::MAX, 1)), Ok((true, 0)));
    assert_eq!(log.produce(batch((1, 0), 0, 1)), Ok((true, 1)));
}

#[test]
fn the_producers_furthest_back_are_dropped_at_the_limit() {
    let mut log = Log::new(32);
    for id in 0..32 {
        log.produce(batch((id, 0), 0, 1)).expect("new");
    }
    // Producer 0 writes again, so it is not among the oldest.
    log.produce(batch((0, 0), 1, 1)).expect("in order");
    log.produce(batch((100, 0), 0, 1)).expect("new");
    let known: Vec<i64> = log.state.iter().map(|(id, _)| id.0).collect();
    assert_eq!(known, [&[0][..], &(3..32).collect::<Vec<_>>(), &[100]].concat());
    assert_eq!(log.state.evicted_count(), 2);
}

#[test]
fn an_open_transaction_survives_the_limit_and_further_producers_are_refused() {
    let mut log = Log::new(2);
    log.produce(transactional(batch((1, 0), 0, 1))).expect("new");
    log.produce(batch((2, 0), 0, 1)).expect("new");
    log.produce(transactional(batch((3, 0), 0, 1))).expect("new");
    assert!(log.state.entry(ProducerId(1)).is_some());
    assert!(log.state.entry(ProducerId(2)).is_none());
    assert_eq!(
        log.produce(batch((4, 0), 0, 1)),
        Err(ProducerError::TooManyTransactions { count: 2 })
    );
    log.end_txn((1, 0), TxnOutcome::Committed).expect("was open");
    log.produce(batch((4, 0), 0, 1)).expect("room again");
}

#[test]
fn idle_producers_expire_by_their_last_timestamp_unless_in_a_transaction() {
    let mut log = Log::new(10);
    log.produce(BatchHeader { max_timestamp: 100, ..batch((1, 0), 0, 1) }).expect("new");
    log.produce(BatchHeader { max_timestamp: 300, ..batch((2, 0), 0, 1) }).expect("new");
    let open = transactional(batch((3, 0), 0, 1));
    log.produce(BatchHeader { max_timestamp: 100, ..open }).expect("new");
    assert_eq!(log.state.expire(WallMs(299), 200), 0);
    assert_eq!(log.state.expire(WallMs(300), 200), 1);
    assert!(log.state.entry(ProducerId(1)).is_none());
    assert_eq!(log.state.len(), 2);
}

#[test]
fn the_first_unstable_offset_follows_markers_and_the_high_watermark() {
    let mut log = Log::new(10);
    assert_eq!(log.state.first_unstable_offset(), None);
    log.produce(batch((9, 0), 0, 5)).expect("plain");
    log.produce(transactional(batch((1, 0), 0, 2))).expect("opens at 5");
    log.produce(transactional(batch((2, 0), 0, 2))).expect("opens at 7");
    log.produce(transactional(batch((1, 0), 2, 1))).expect("goes on at 9");
    assert_eq!(log.state.first_unstable_offset(), Some(Offset(5)));
    let done = log.end_txn((1, 0), TxnOutcome::Aborted);
    assert_eq!(
        done,
        Some(CompletedTxn {
            producer_id: ProducerId(1),
            first_offset: Offset(5),
            last_offset: Offset(10),
            outcome: TxnOutcome::Aborted,
            last_stable_offset: Offset(7),
        })
    );
    assert_eq!(log.state.first_undecided_offset(), Some(Offset(7)));
    // The marker at 10 is not replicated before the watermark has passed it.
    assert_eq!(log.state.first_unstable_offset(), Some(Offset(5)));
    log.state.on_high_watermark(Offset(10));
    assert_eq!(log.state.first_unstable_offset(), Some(Offset(5)));
    log.state.on_high_watermark(Offset(11));
    assert_eq!(log.state.first_unstable_offset(), Some(Offset(7)));
    let done = log.end_txn((2, 0), TxnOutcome::Committed).expect("was open");
    assert_eq!(done.last_stable_offset, Offset(12));
    assert_eq!(log.end_txn((2, 0), TxnOutcome::Committed), None);
}

#[test]
fn a_plain_batch_inside_a_transaction_is_refused() {
    let mut log = Log::new(10);
    log.produce(transactional(batch((1, 0), 0, 1))).expect("opens");
    assert_eq!(
        log.produce(batch((1, 0), 1, 1)),
        Err(ProducerError::NotTransactional { producer_id: ProducerId(1) })
    );
}

#[test]
fn a_coordinators_batches_have_no_sequence_and_are_judged_by_epoch() {
    let mut log = Log::new(10);
    assert_eq!(log.produce(transactional(batch((1, 3), -1, 2))), Ok((true, 0)));
    assert_eq!(log.produce(transactional(batch((1, 3), -1, 2))), Ok((true, 2)));
    let old = log.produce(transactional(batch((1, 2), -1, 2)));
    assert!(matches!(old, Err(ProducerError::InvalidEpoch { .. })));
}

#[test]
fn an_old_coordinator_is_fenced() {
    let mut log = Log::new(10);
    log.produce(transactional(batch((1, 0), 0, 1))).expect("opens");
    log.end_txn((1, 0), TxnOutcome::Committed).expect("was open");
    let old = EndTxn { outcome: TxnOutcome::Aborted, coordinator_epoch: 2, timestamp: 0 };
    assert!(matches!(
        log.state.check_marker(&batch((1, 0), -1, 1), old),
        Err(ProducerError::CoordinatorFenced { current: 3, .. })
    ));
}

/// The rules as Kafka's documentation states them, over the full history of one producer.
fn model(history: &[(i16, i32, i32, i64)], epoch: i16, first: i32, count: i32) -> Option<i64> {
    let last = |first: i64, count: i32| (first + i64::from(count) - 1) % (1 << 31);
    let Some(current) = history.last() else { return Some(-1) };
    let same: Vec<_> = history.iter().rev().take_while(|old| old.0 == current.0).collect();
    if epoch == current.0 {
        if let Some(old) = same.iter().take(5).find(|old| (old.1, old.2) == (first, count)) {
            return Some(old.3);
        }
        let next = (last(current.1.into(), current.2) + 1) % (1 << 31);
        return (i64::from(first) == next).then_some(-1);
    }
    (epoch > current.0 && first == 0).then_some(-1)
}

proptest! {
    #[test]
    fn verdicts_agree_with_a_naive_model(
        steps in proptest::collection::vec(
            (0_i64..3, 0_i16..3, 0_usize..8, -1_i32..3, 1_i32..4), 1..200),
        start in prop_oneof![Just(0), Just(i32::MAX - 4), 0..i32::MAX],
    ) {
        let mut log = Log::new(10);
        let mut histories = vec![Vec::new(); 3];
        for (id, epoch, back, shift, count) in steps {
            let history: &mut Vec<(i16, i32, i32, i64)> =
                &mut histories[usize::try_from(id).expect("small")];
            // Mostly the next sequence or a repeat of an old batch, sometimes something else.
            let (epoch, first, count) = match (history.len().checked_sub(back), history.last()) {
                (_, None) => (epoch, start, count),
                (Some(index), Some(_)) if index < history.len() => {
                    (history[index].0, history[index].1, history[index].2)
                }
                (_, Some(last)) if shift == 2 => (epoch, 0, last.2),
                (_, Some(last)) => {
                    (last.0, last.1.wrapping_add(last.2 + shift.min(0)) & i32::MAX, count)
                }
            };
            let expected = model(history, epoch, first, count);
            let end = log.end;
            match log.produce(batch((id, epoch), first, count)) {
                Ok((true, offset)) => {
                    prop_assert_eq!(expected, Some(-1));
                    prop_assert_eq!(offset, end);
                    history.push((epoch, first, count, offset));
                }
                Ok((false, offset)) => {
                    prop_assert_eq!(expected, Some(offset));
                    prop_assert_eq!(log.end, end);
                }
                Err(_) => {
                    prop_assert_eq!(expected, None);
                    prop_assert_eq!(log.end, end);
                }
            }
        }
    }
}

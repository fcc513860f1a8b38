//! Snapshots: whoever loads one and then the log behind it knows what the whole log tells.
//!
//! Every [`Bench`] takes them all the while, a record or two at a time, whatever it is used for; so
//! each of the scripts and random runs in this folder is also a test of them.

use millrace_net::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};

use super::*;
use crate::random::Random;

/// A whole comparison after so many snapshots that were not compared: they take their time.
const COMPARED_EVERY: u64 = 7;

/// A finished snapshot: where its log goes on, and its records.
type Taken = (usize, Vec<(Vec<u8>, Vec<u8>)>);

/// See the file's head.
#[derive(Default)]
pub(super) struct Taker {
    pumps: u64,
    taking: Option<Taking>,
    taken: Option<Taken>,
    pub count: u64,
    given_up: u64,
}

struct Taking {
    from: usize,
    walk: SnapshotWalk,
    records: Vec<(Vec<u8>, Vec<u8>)>,
    failed: u64,
    /// Appends begun when all was told.
    begun: Option<u64>,
}

fn replayed(bench: &Bench, taken: &Taken, log: &[GroupRecord]) -> GroupCoordinator {
    let mut loaded = GroupCoordinator::new(bench.config.clone(), 5);
    for (key, value) in &taken.1 {
        loaded.replay_bytes(key, Some(value)).expect("our own record");
    }
    for record in log {
        let (key, value) = (record.encode_key(), record.encode_value());
        loaded.replay_bytes(&key, value.as_deref()).expect("our own record");
    }
    loaded
}

/// The log as compaction leaves it while its tombstones are needed: the last record of each key.
fn compacted(log: &[GroupRecord]) -> Vec<GroupRecord> {
    let mut last = BTreeMap::new();
    for (index, record) in log.iter().enumerate() {
        last.insert(record.encode_key(), index);
    }
    let is_last = |index: usize, record: &GroupRecord| last[&record.encode_key()] == index;
    let kept = log.iter().enumerate().filter(|(index, record)| is_last(*index, record));
    kept.map(|(_, record)| record.clone()).collect()
}

/// All that was replayed, as text.
fn known(coordinator: &GroupCoordinator) -> String {
    format!("{:#?}", coordinator.groups)
}

impl Bench {
    /// Takes a snapshot's next piece, or begins one; compares what was finished now and then.
    pub(super) fn advance_snapshot(&mut self) {
        self.taker.pumps += 1;
        let records_max = usize::try_from(self.taker.pumps % 3 + 1).expect("few");
        let Some(taking) = &mut self.taker.taking else {
            self.taker.taking = Some(Taking {
                from: self.log.len(),
                walk: SnapshotWalk::default(),
                records: Vec::new(),
                failed: self.coordinator.appends_failed(),
                begun: None,
            });
            return;
        };
        let Some(begun) = taking.begun else {
            let records = &mut taking.records;
            let take = |key: &[u8], value: &[u8]| records.push((key.to_vec(), value.to_vec()));
            if !self.coordinator.snapshot_piece(&mut taking.walk, records_max, take) {
                taking.begun = Some(self.coordinator.appends_begun());
            }
            return;
        };
        if self.coordinator.appends_failed() != taking.failed {
            self.taker.taking = None;
            self.taker.given_up += 1;
        } else if self.coordinator.has_decided(begun)
            && let Some(taking) = self.taker.taking.take()
        {
            self.taker.taken = Some((taking.from, taking.records));
            self.taker.count += 1;
            if self.taker.count.is_multiple_of(COMPARED_EVERY) {
                self.compare_snapshot();
            }
        }
    }

    /// The process has died: what was not finished is gone.
    pub(super) fn drop_snapshot(&mut self) {
        self.taker.taking = None;
    }

    /// The last snapshot and the log behind it, compacted or not, against the whole log.
    pub(super) fn compare_snapshot(&self) {
        let Some(taken) = &self.taker.taken else { return };
        let whole = known(&replayed(self, &(0, Vec::new()), &self.log));
        let tail = &self.log[taken.0..];
        assert_eq!(known(&replayed(self, taken, tail)), whole, "from {}", taken.0);
        let tail = compacted(tail);
        assert_eq!(known(&replayed(self, taken, &tail)), whole, "compacted from {}", taken.0);
    }
}

fn commit(bench: &mut Bench, group: &str, topic: &str, partition: i32, offset: i64) {
    let mut request = commit_request("", -1, offset);
    group.clone_into(&mut request.group_id);
    topic.clone_into(&mut request.topics[0].name);
    request.topics[0].partitions[0].partition_index = partition;
    bench.ask(GroupAsk::Commit(request, requester(9)));
}

fn delete_offset(bench: &mut Bench, group: &str, topic: &str, partition_index: i32) {
    bench.ask(GroupAsk::DeleteOffsets(OffsetDeleteRequest {
        group_id: group.to_owned(),
        topics: vec![OffsetDeleteRequestTopic {
            name: topic.to_owned(),
            partitions: vec![OffsetDeleteRequestPartition { partition_index }],
        }],
    }));
}

/// Many groups of both kinds that come, commit, expire and are deleted.
fn run(seed: u64) -> u64 {
    let mut random = Random::new(seed);
    let mut below = |limit: u64| random.u64() % limit;
    let mut bench = Bench::new(GroupConfig {
        initial_rebalance_delay_ms: 0,
        offsets_retention_ms: 60_000,
        offsets_retention_check_ms: 20_000,
        ..GroupConfig::default()
    });
    bench.topic("t", 4);
    for step in 0..600 {
        let group = ["a", "b", "c", "d", "e"][usize::try_from(below(5)).expect("few")];
        let topic = ["t", "u"][usize::try_from(below(2)).expect("few")];
        let partition = i32::try_from(below(3)).expect("few");
        match below(20) {
            0..=9 => commit(&mut bench, group, topic, partition, step),
            10 | 11 => delete_offset(&mut bench, group, topic, partition),
            12 => {
                bench.ask(GroupAsk::Delete { group_id: group.to_owned() });
            }
            13 => {
                let mut request = join_request("", None);
                group.clone_into(&mut request.group_id);
                let ticket = bench.ask(GroupAsk::Join(Box::new(request), requester(9)));
                if !bench.is_open(ticket) {
                    let mut request = join_request(&bench.joined(ticket).member_id.clone(), None);
                    group.clone_into(&mut request.group_id);
                    bench.ask(GroupAsk::Join(Box::new(request), requester(9)));
                }
            }
            14 => {
                let mut request = consumers::joining(&format!("m{step}"), &["t"]);
                group.clone_into(&mut request.group_id);
                bench.ask(GroupAsk::ConsumerHeartbeat(Box::new(request), requester(1)));
            }
            15 => {
                let now = bench.now();
                bench.coordinator.on_topics_deleted(now, &[(topic, Uuid::ZERO)]);
                bench.pump();
            }
            16 | 17 => {
                bench.holds = !bench.holds;
                if below(4) == 0 {
                    bench.fail_held(ErrorCode::NotEnoughReplicas);
                }
                bench.commit_held();
                bench.pump();
            }
            18 if below(10) == 0 => bench.restart(),
            _ => {
                let ms = below(15_000);
                bench.pass(ms);
            }
        }
    }
    bench.compare_snapshot();
    bench.taker.count
}

#[test]
fn a_snapshot_and_the_log_behind_it_tell_what_the_whole_log_tells() {
    let mut count = 0;
    for seed in 0..80 {
        let result = std::panic::catch_unwind(|| run(seed));
        match result {
            Ok(taken) => count += taken,
            Err(panic) => {
                eprintln!("seed {seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    assert!(count > 1_000, "{count} snapshots were finished");
}

#[test]
fn a_walk_in_pieces_tells_each_record_once() {
    let mut bench = Bench::without_delay();
    for (group, topic, partition) in
        [("a", "t", 0), ("a", "t", i32::MAX), ("a", "u", 7), ("b", "t", 3), ("c", "s", 1)]
    {
        commit(&mut bench, group, topic, partition, 5);
    }
    bench.stable(2);
    let mut whole = Vec::new();
    let all = |key: &[u8], _: &[u8]| whole.push(key.to_vec());
    assert!(!bench.coordinator.snapshot_piece(&mut SnapshotWalk::default(), 1_000, all));
    assert_eq!(whole.len(), 6, "five offsets and a group");
    let (mut walk, mut pieces) = (SnapshotWalk::default(), Vec::new());
    let mut add = |key: &[u8], _: &[u8]| pieces.push(key.to_vec());
    while bench.coordinator.snapshot_piece(&mut walk, 1, &mut add) {}
    assert_eq!(pieces, whole);
}

#[test]
fn a_group_in_a_rebalance_is_told_as_it_was_committed_last() {
    let mut bench = Bench::without_delay();
    bench.stable(2);
    let committed = bench.log.clone();
    bench.join("");
    bench.enter();
    assert_eq!(bench.state(), "PreparingRebalance");
    let mut records = Vec::new();
    let take = |key: &[u8], value: &[u8]| records.push((key.to_vec(), value.to_vec()));
    bench.coordinator.snapshot_piece(&mut SnapshotWalk::default(), 10, take);
    let taken = (committed.len(), records);
    let whole = replayed(&bench, &(0, Vec::new()), &committed);
    assert_eq!(known(&replayed(&bench, &taken, &[])), known(&whole));
}

//! Compaction of a log on a simulated machine: what is left agrees with a naive model, at every
//! moment, whatever dies when.

use std::collections::BTreeMap;

use millrace_engine::{
    BatchBuilder, BatchIter, BatchSpec, Codec, CompactionEvent, CompactionLimits, CompactionReport,
    Durability, LogConfig, LogEvent, MapRules, Offset, OpenBatch, Opening, ProducerId,
    ProducerStamp, ReadOutcome, TimestampType, ValidatedBatch, ValidationRules,
};
use millrace_world::{Faults, Rng, World, WorldConfig};

use super::T;
use super::rig::{Rig, valid};

/// Offset, key, value, timestamp.
pub(crate) type Entry = (i64, String, Option<String>, i64);

pub(crate) fn limits() -> CompactionLimits {
    let map = MapRules { bytes_max: 1 << 20, load_percent: 90, secret: (1, 2) };
    CompactionLimits { map, read_bytes: 1000 }
}

pub(crate) fn compacted() -> LogConfig {
    LogConfig {
        segment_bytes: 2000,
        index_interval_bytes: 200,
        cleanup_delete: false,
        cleanup_compact: true,
        retention_ms: None,
        min_dirty_ratio_ppm: 10_000,
        delete_retention_ms: 1000,
        durability: Durability::GroupCommit,
        ..LogConfig::default()
    }
}

fn keyed(records: &[(&str, Option<&str>)], stamp: ProducerStamp, codec: Codec) -> ValidatedBatch {
    let spec = BatchSpec { producer: stamp, codec, ..BatchSpec::default() };
    let mut builder = BatchBuilder::new(spec);
    for (key, value) in records {
        builder.append(T, Some(key.as_bytes()), value.map(str::as_bytes), &[]);
    }
    let bytes = builder.build().expect("all codecs are in");
    valid(&bytes, &ValidationRules::default())
}

pub(crate) fn put(rig: &mut Rig, key: &str, value: Option<&str>) -> i64 {
    rig.append(&keyed(&[(key, value)], ProducerStamp::default(), Codec::None)).expect("appended").0
}

/// All records from the log's start on.
pub(crate) fn contents(rig: &mut Rig) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut next = rig.log.log_start_offset().0;
    while Offset(next) < rig.log.high_watermark() {
        let plan = match rig.read_plan(next, 1 << 20) {
            ReadOutcome::Ready(plan) => plan,
            ReadOutcome::Empty => break,
            other => panic!("reading {next}: {other:?}"),
        };
        let bytes = rig.fetch(&plan);
        for batch in BatchIter::new(&bytes) {
            assert!(batch.is_crc_right());
            assert!(batch.header.next_offset().0 > next, "a read moves on");
            next = batch.header.next_offset().0;
            let open = OpenBatch::open(&batch, 1 << 20).expect("opens");
            for record in open.records() {
                let record = record.expect("readable");
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let key = text(record.record.key.expect("a key"));
                let value = record.record.value.map(text);
                all.push((record.offset.0, key, value, record.timestamp));
            }
        }
    }
    all
}

/// Compacts what can be compacted now, if anything.
fn compact(rig: &mut Rig) -> Option<CompactionReport> {
    rig.events.clear();
    if !rig.begin_compaction(limits()) {
        return None;
    }
    loop {
        rig.settle();
        for event in std::mem::take(&mut rig.events) {
            match event {
                LogEvent::Compaction(CompactionEvent::Moved { .. }) => {}
                LogEvent::Compaction(CompactionEvent::Done(report)) => return Some(report),
                LogEvent::Compaction(other) => panic!("{other:?}"),
                _ => {}
            }
        }
        rig.advance_compaction();
    }
}

#[test]
fn the_last_value_of_every_key_stays_at_its_offset() {
    let mut rig = Rig::new(compacted());
    for step in 0..200 {
        put(&mut rig, &format!("key-{}", step % 7), Some(&format!("value-{step}")));
    }
    let before = contents(&mut rig);
    let bytes = rig.log.size_bytes();
    let report = compact(&mut rig).expect("dirty enough");
    assert!(rig.log.size_bytes() < bytes / 2);
    let after = contents(&mut rig);
    let end = report.cleaned_to.0;
    let is_last = |entry: &&Entry| {
        entry.0 >= end || !before.iter().any(|it| it.1 == entry.1 && it.0 > entry.0 && it.0 < end)
    };
    let expected: Vec<Entry> = before.iter().filter(is_last).cloned().collect();
    assert_eq!(after, expected);
    assert_eq!(u64::try_from(before.len() - after.len()).unwrap(), report.removed_records);
    assert_eq!(rig.log.first_dirty_offset(), report.cleaned_to);
    assert_eq!(compact(&mut rig), None, "nothing is dirty any more");
    let names = rig.names();
    assert!(!names.iter().any(|name| name.ends_with(".cleaned") || name.ends_with(".swap")));
    // The same after a kill, by what the files hold.
    rig.kill();
    rig.reopen(Opening::default());
    rig.advance();
    assert_eq!(contents(&mut rig), expected);
}

#[test]
fn aborted_transactions_of_segments_that_become_one_are_told_by_it() {
    let mut rig = Rig::new(compacted());
    let fill = |rig: &mut Rig, count| {
        for step in 0..count {
            put(rig, &format!("key-{}", step % 3), Some("some value"));
        }
    };
    fill(&mut rig, 300);
    compact(&mut rig).expect("dirty enough");
    rig.pass(120_000);
    let names = rig.names();
    let bases: Vec<i64> =
        names.iter().filter_map(|name| name.strip_suffix(".log")?.parse().ok()).collect();
    let entry = |last: i64| {
        let fields = [7, last - 1, last, last].map(i64::to_be_bytes);
        [vec![0, 0], fields.concat()].concat()
    };
    let name = |base: i64| format!("{base:020}.txnindex");
    for base in &bases[..3] {
        rig.write_whole(&name(*base), entry(base + 2));
    }
    fill(&mut rig, 30);
    compact(&mut rig).expect("dirty enough");
    let expected: Vec<u8> = bases[..3].iter().flat_map(|base| entry(base + 2)).collect();
    assert_eq!(rig.file(&name(bases[0])), expected);
    rig.pass(120_000);
    let left: Vec<String> =
        rig.names().into_iter().filter(|name| name.contains(".txnindex")).collect();
    assert_eq!(left, [name(bases[0])]);
}

#[test]
fn small_segments_become_one_and_what_they_were_goes_after_its_delay() {
    let mut rig = Rig::new(compacted());
    let fill = |rig: &mut Rig, count| {
        for step in 0..count {
            put(rig, &format!("key-{}", step % 3), Some("some value"));
        }
    };
    fill(&mut rig, 300);
    compact(&mut rig).expect("dirty enough");
    let segments = rig.log.segment_count();
    fill(&mut rig, 30);
    compact(&mut rig).expect("dirty enough");
    assert!(rig.log.segment_count() < segments / 2, "{segments} segments became fewer");
    assert!(rig.names().iter().any(|name| name.ends_with(".deleted")));
    rig.pass(120_000);
    assert!(!rig.names().iter().any(|name| name.ends_with(".deleted")));
    let logs = rig.names().iter().filter(|name| name.ends_with(".log")).count();
    assert_eq!(logs, rig.log.segment_count());
}

#[test]
fn every_offset_can_still_be_asked_for() {
    let mut rig = Rig::new(compacted());
    for step in 0..150 {
        put(&mut rig, &format!("key-{}", step % 3), Some("some value"));
    }
    compact(&mut rig).expect("dirty enough");
    let left: Vec<i64> = contents(&mut rig).iter().map(|entry| entry.0).collect();
    for offset in 0..150 {
        let first = rig.read(offset, 1).expect("served");
        let expected = left.iter().find(|at| **at >= offset).copied();
        assert_eq!(first.first().copied(), expected, "at {offset}");
    }
}

#[test]
fn a_search_by_time_finds_records_that_are_there() {
    let mut rig = Rig::new(compacted());
    let rules = ValidationRules { timestamp_after_max_ms: i64::MAX, ..Default::default() };
    for kind in [TimestampType::CreateTime, TimestampType::LogAppendTime] {
        let rules = ValidationRules { timestamp_type: kind, ..rules };
        for step in 0..60_i64 {
            rig.pass(10);
            let mut builder = BatchBuilder::new(BatchSpec::default());
            for key in ["often", &format!("key-{}", step % 3)] {
                let time = T + rig.log.log_end_offset().0;
                builder.append(time, Some(key.as_bytes()), Some(b"some value"), &[]);
            }
            rig.append(&valid(&builder.build().expect("plain"), &rules)).expect("appended");
        }
    }
    compact(&mut rig).expect("dirty enough");
    let left = contents(&mut rig);
    for target in left.iter().flat_map(|entry| [entry.3 - 1, entry.3, entry.3 + 1]) {
        let first = left.iter().find(|entry| entry.3 >= target);
        let expected = first.map(|entry| (entry.0, entry.3));
        assert_eq!(rig.timestamp(target), expected, "for {target}");
    }
    let largest = left.iter().map(|entry| entry.3).max().expect("records");
    let expected = left.iter().find(|entry| entry.3 == largest).map(|entry| (entry.0, entry.3));
    assert_eq!(rig.max_timestamp(), expected);
}

#[test]
fn a_tombstone_lives_its_time_and_then_goes_with_the_next_compaction() {
    let mut rig = Rig::new(compacted());
    put(&mut rig, "gone", Some("was here"));
    let tombstone = put(&mut rig, "gone", None);
    let fill = |rig: &mut Rig| {
        for step in 0..40 {
            put(rig, &format!("key-{}", step % 3), Some("some value"));
        }
    };
    fill(&mut rig);
    compact(&mut rig).expect("dirty");
    let has = |rig: &mut Rig, offset| contents(rig).iter().any(|entry| entry.0 == offset);
    assert!(!has(&mut rig, 0) && has(&mut rig, tombstone), "the value goes, the tombstone stays");
    rig.pass(900);
    fill(&mut rig);
    compact(&mut rig).expect("dirty");
    assert!(has(&mut rig, tombstone), "its time is not over");
    rig.pass(200);
    fill(&mut rig);
    compact(&mut rig).expect("dirty");
    assert!(!has(&mut rig, tombstone));
}

#[test]
fn a_producers_last_batch_leaves_its_sequence_and_a_retry_stays_a_duplicate() {
    let mut rig = Rig::new(compacted());
    let stamp = |sequence| ProducerStamp { id: ProducerId(9), epoch: 1, base_sequence: sequence };
    let mine = |sequence| keyed(&[("key-0", Some("mine"))], stamp(sequence), Codec::Zstd);
    assert_eq!(rig.append(&mine(0)), Ok(Offset(0)));
    assert_eq!(rig.append(&mine(1)), Ok(Offset(1)));
    for step in 0..60 {
        put(&mut rig, &format!("key-{}", step % 3), Some("some value"));
    }
    compact(&mut rig).expect("dirty");
    assert!(contents(&mut rig).iter().all(|entry| entry.0 > 1));
    // Not from a snapshot: from what the segments hold.
    rig.kill();
    for name in rig.names().iter().filter(|name| name.ends_with(".snapshot")) {
        rig.remove(name);
    }
    rig.reopen(Opening { recovery_point: Offset(0), ..Opening::default() });
    rig.advance();
    assert_eq!(rig.read(0, 1), Ok(vec![1]), "the batch is there, without records");
}

/// Begins a compaction that is to fail: whether it was for the death of who computed.
fn failed_compaction(rig: &mut Rig) -> Option<bool> {
    rig.events.clear();
    assert!(rig.begin_compaction(limits()));
    loop {
        rig.settle();
        for event in std::mem::take(&mut rig.events) {
            if let LogEvent::Compaction(CompactionEvent::Failed { has_worker_died, .. }) = event {
                return Some(has_worker_died);
            }
        }
        if !rig.log.is_compacting() {
            return None;
        }
        rig.advance_compaction();
    }
}

#[test]
fn a_compaction_whose_worker_dies_loses_nothing_and_may_be_begun_again() {
    let mut rig = Rig::new(compacted());
    for step in 0..100 {
        put(&mut rig, &format!("key-{}", step % 3), Some(&format!("value-{step}")));
    }
    let before = contents(&mut rig);
    let mut left = Vec::new();
    rig.world.set_faults(Faults { work_dies: 200, ..Faults::none() });
    // At any piece of both passes, until one comes through; what is exchanged by then stays so.
    while let Some(has_worker_died) = failed_compaction(&mut rig) {
        assert!(has_worker_died);
        let after = contents(&mut rig);
        assert_eq!(after.last_chunk::<3>(), before.last_chunk(), "the last of each key");
        assert!(after.iter().all(|entry| before.contains(entry)), "and nothing new");
        assert!(!rig.names().iter().any(|name| name.ends_with(".cleaned")));
        left.push(after.len());
    }
    let in_second = left.iter().filter(|count| **count < before.len()).count();
    assert!(in_second > 0 && left.len() > in_second, "{left:?}");
    assert!(contents(&mut rig).len() < left[left.len() - 1]);
    assert_eq!(compact(&mut rig), None, "nothing is dirty any more");
}

#[test]
fn a_damaged_batch_is_not_compacted_and_not_lost() {
    let mut rig = Rig::new(compacted());
    for step in 0..60 {
        put(&mut rig, &format!("key-{}", step % 3), Some("some value"));
    }
    let name = "00000000000000000000.log";
    let mut bytes = rig.file(name);
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    rig.world.disk_mut().put(Rig::path(name), bytes.clone());
    rig.kill();
    rig.reopen(Opening { recovery_point: Offset(59), ..Opening::default() });
    rig.advance();
    assert_eq!(failed_compaction(&mut rig), Some(false));
    assert_eq!(rig.file(name), bytes, "the segment stands as it was");
    assert!(!rig.names().iter().any(|name| name.ends_with(".cleaned")));
}

#[test]
fn records_younger_than_the_lag_stay_and_overdue_ones_are_told() {
    let config = LogConfig { min_compaction_lag_ms: 5_000, ..compacted() };
    let mut rig = Rig::new(config);
    let wall = rig.world.now().wall.0;
    for step in 0..60 {
        let mut builder = BatchBuilder::new(BatchSpec::default());
        builder.append(wall, Some(format!("key-{}", step % 3).as_bytes()), Some(b"a value"), &[]);
        let rules = ValidationRules { timestamp_after_max_ms: i64::MAX, ..Default::default() };
        rig.append(&valid(&builder.build().expect("plain"), &rules)).expect("appended");
    }
    assert_eq!(compact(&mut rig), None, "all of it is younger than five seconds");
    rig.pass(6_000);
    let cleanable = rig.log.cleanable(rig.world.now()).expect("old enough");
    assert!(!cleanable.is_overdue && cleanable.is_dirty_enough);
    compact(&mut rig).expect("compacted");
}

struct Model {
    appended: BTreeMap<i64, (String, Option<String>)>,
    acked_end: i64,
    /// Below this, what compaction left is all there is.
    cleaned_to: i64,
    retention_ms: i64,
    /// Wall time of the oldest append.
    appended_at: BTreeMap<i64, i64>,
}

impl Model {
    /// Everything that must hold of what is read.
    fn check(&self, rig: &mut Rig, seed: u64) {
        let left = contents(rig);
        let now = rig.world.now().wall.0;
        assert!(left.is_sorted_by(|a, b| a.0 < b.0), "seed {seed}: offsets grow");
        for (offset, key, value, time) in &left {
            let known = self.appended.get(offset);
            assert_eq!(known, Some(&(key.clone(), value.clone())), "seed {seed}: at {offset}");
            assert_eq!(*time, T, "seed {seed}: the timestamp stays");
        }
        let has = |offset: i64| left.binary_search_by_key(&offset, |entry| entry.0).is_ok();
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for (offset, (key, _)) in &self.appended {
            last.insert(key, *offset);
        }
        for (key, offset) in last {
            let is_tombstone = self.appended[&offset].1.is_none();
            let may_be_gone = is_tombstone && now >= self.appended_at[&offset] + self.retention_ms;
            assert!(has(offset) || may_be_gone, "seed {seed}: {key} at {offset} is lost");
        }
        for offset in self.appended.range(self.cleaned_to..).map(|(offset, _)| *offset) {
            assert!(has(offset), "seed {seed}: {offset} was not to be compacted");
        }
    }
}

/// A random life: appends, compactions cut off anywhere by kills, power losses and stops.
struct Life {
    rig: Rig,
    rng: Rng,
    model: Model,
    seed: u64,
    keys: u64,
    limits: CompactionLimits,
    sequence: i32,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x636C_6561);
        let retention_ms = [0, 500, 100_000][rng.index(3)];
        let config = LogConfig {
            segment_bytes: [600, 2000, 5000][rng.index(3)],
            index_interval_bytes: [0, 100, 1000][rng.index(3)],
            delete_retention_ms: retention_ms,
            min_dirty_ratio_ppm: [0, 300_000][rng.index(2)],
            file_delete_delay_ms: rng.below(2000),
            ..compacted()
        };
        let faults = Faults { torn_page: [0, 500][rng.index(2)], ..Faults::none() };
        let world = World::new(WorldConfig { faults, ..WorldConfig::new(seed) });
        let map_keys = [3, 10, 1000][rng.index(3)];
        let map = MapRules { bytes_max: map_keys * 24, load_percent: 90, secret: (seed, 7) };
        let limits = CompactionLimits { map, read_bytes: [100, 700, 100_000][rng.index(3)] };
        let model = Model {
            appended: BTreeMap::new(),
            acked_end: 0,
            cleaned_to: 0,
            retention_ms: i64::try_from(retention_ms).expect("small"),
            appended_at: BTreeMap::new(),
        };
        let rig = Rig::with_world(world, config);
        let keys = rng.between(1, 12);
        Self { rig, rng, model, seed, keys, limits, sequence: 0 }
    }

    fn append(&mut self) {
        let Self { rng, keys, .. } = self;
        let count = rng.between(1, 4);
        let records: Vec<(String, Option<String>)> = (0..count)
            .map(|_| {
                let key = format!("k{}", rng.below(*keys));
                let value = (!rng.chance(200)).then(|| format!("v{}", rng.word()));
                (key, value)
            })
            .collect();
        let pairs: Vec<(&str, Option<&str>)> =
            records.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
        let codec = [Codec::None, Codec::Lz4, Codec::Zstd][rng.index(3)];
        let stamp = ProducerStamp { id: ProducerId(5), epoch: 0, base_sequence: self.sequence };
        let base = self.rig.append(&keyed(&pairs, stamp, codec));
        let base = base.unwrap_or_else(|error| panic!("seed {}: {error:?}", self.seed)).0;
        self.sequence += i32::try_from(count).expect("few");
        let now = self.rig.world.now().wall.0;
        for (offset, record) in (base..).zip(records) {
            self.model.appended.insert(offset, record);
            self.model.appended_at.insert(offset, now);
            self.model.acked_end = offset + 1;
        }
    }

    /// Sometimes to its end, sometimes to anywhere.
    fn compact(&mut self) {
        self.rig.events.clear();
        if self.rig.begin_compaction(self.limits) {
            self.model.cleaned_to = self.model.acked_end;
        }
        for _ in 0..[10_000, self.rng.below(400)][self.rng.index(2)] {
            if !self.rig.log.is_compacting() {
                break;
            }
            self.rig.advance_compaction();
            self.rig.nudge();
        }
        for event in std::mem::take(&mut self.rig.events) {
            if let LogEvent::Compaction(CompactionEvent::Done(report)) = event {
                self.model.cleaned_to = report.cleaned_to.0;
            }
        }
        if self.rng.chance(500) {
            self.model.check(&mut self.rig, self.seed);
        }
    }

    fn restart(&mut self) {
        let recovery_point = self.rig.log.durable_offset();
        let cleaned_to = self.rig.log.first_dirty_offset();
        let mut opening = Opening { recovery_point, cleaned_to, ..Opening::default() };
        match self.rng.below(3) {
            0 => self.rig.kill(),
            1 => self.rig.lose_power(),
            _ => {
                opening.checkpoint = Some(self.rig.close());
                opening.is_clean = true;
                opening.is_same_boot = true;
                self.rig.kill();
            }
        }
        self.reopen(opening);
    }

    fn reopen(&mut self, opening: Opening) {
        let report = self.rig.reopen(opening);
        assert_eq!(report.log_end.0, self.model.acked_end, "seed {}", self.seed);
        self.rig.advance();
        self.rig.settle();
        self.rig.advance();
        self.model.check(&mut self.rig, self.seed);
    }

    fn live(&mut self) {
        for _ in 0..self.rng.between(20, 120) {
            match self.rng.below(10) {
                0..=5 => self.append(),
                6 => {
                    let ms = self.rng.below(400);
                    self.rig.pass(ms);
                }
                7 | 8 => self.compact(),
                _ => self.restart(),
            }
        }
        self.rig.kill();
        self.reopen(Opening::default());
    }
}

#[test]
fn random_lives_keep_the_last_value_of_every_key() {
    for seed in 0..400 {
        Life::new(seed).live();
    }
}

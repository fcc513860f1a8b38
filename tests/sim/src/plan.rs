//! What a seed means: the machine, the topics, the clients, and what befalls them when.

use millrace_engine::Codec;
use millrace_world::{Broken, Faults, Rng};

use crate::admin::TopicSpec;
use crate::oracle::{Contract, Guarantee};
use crate::{consumer, groups, producer};

/// One millisecond of the world's time.
pub const MS: u64 = 1_000_000;

/// A bug put in on purpose, to see whether it is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plant {
    /// None.
    #[default]
    None,
    /// Writes are said to be done before they are.
    AckBeforeWrite,
    /// Syncs are said to be done and are not.
    LazySync,
    /// What a killed process left is spoiled where nobody looks without checksums.
    SpoiledByte,
    /// A restart finds segments shorter than they were.
    ShortRecovery,
    /// The CRC of what is produced is not checked.
    SkippedCrc,
    /// The same, and the producers do not mind that a spoiled batch is taken: readers have to see it.
    SkippedCrcUnminded,
    /// Groups' commits are taken whatever their generation.
    OldGeneration,
    /// A SyncGroup of a group that has changed its protocol tells members to keep what they had.
    StaleShare,
    /// What is deleted of groups' offsets is gone from memory, and not from the log.
    LostDeletion,
    /// Groups' offsets expire before their time.
    HastyExpiry,
    /// A snapshot of groups is believed that knows what the log has lost.
    NewerSnapshot,
    /// Groups' commits are said to be written before they are.
    EarlyCommit,
    /// Tombstones go with the next compaction, however long they should stay.
    HastyTombstones,
    /// Sealed segments of the compacted topic have lost their last batch, as if compaction had
    /// dropped it.
    DroppedBatch,
}

impl Plant {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::None,
        Self::AckBeforeWrite,
        Self::LazySync,
        Self::SpoiledByte,
        Self::ShortRecovery,
        Self::SkippedCrc,
        Self::SkippedCrcUnminded,
        Self::OldGeneration,
        Self::StaleShare,
        Self::LostDeletion,
        Self::HastyExpiry,
        Self::NewerSnapshot,
        Self::EarlyCommit,
        Self::HastyTombstones,
        Self::DroppedBatch,
    ];
}

/// Something that happens at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The process is killed and starts again.
    Kill,
    /// The process is asked to stop, ends, and starts again.
    Stop,
    /// The machine loses its power and starts again.
    LosePower,
    /// The disk has only so many bytes left.
    FillDisk(u64),
    /// The disk has room again.
    FreeDisk,
    /// An operation of the kind fails with EIO, once, in a folder of the broker's.
    Break(Broken),
    /// Somebody restarts a broker of which something has failed.
    Repair,
    /// The wall clock jumps, ms.
    JumpClock(i64),
    /// A client's connection breaks.
    Reset,
    /// Records are deleted somewhere.
    DeleteRecords,
    /// Offsets are listed and compared.
    List,
    /// A topic is created that will not stay.
    CreateTopic,
    /// Such a topic is deleted.
    DeleteTopic,
}

/// Everything that is decided before the run begins.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The seed it came from.
    pub seed: u64,
    /// Shards of the broker.
    pub shards: u16,
    /// The machine's troubles, until they stop.
    pub faults: Faults,
    /// Topics that stay.
    pub topics: Vec<TopicSpec>,
    /// Producers of all those topics.
    pub producers: Vec<producer::Habits>,
    /// Consumers of them.
    pub consumers: Vec<consumer::Habits>,
    /// What happens, in order of time.
    pub events: Vec<(u64, Event)>,
    /// When troubles stop, ns of the world's time.
    pub calm_from: u64,
    /// What is set in the broker's configuration for the groups, if there are any.
    pub settings: Vec<(&'static str, String)>,
    /// Bytes by which a group coordinator's log grows before a snapshot is taken.
    pub snapshot_bytes: u64,
    /// A bug put in on purpose.
    pub plant: Plant,
}

impl Plan {
    /// The seed's plan.
    pub fn of_seed(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let rng = &mut rng;
        let shards = [1, 1, 2, 3][rng.index(4)];
        let count = 1 + rng.index(3);
        let topics = (0..count).map(|number| topic(rng, &format!("topic-{number}"))).collect();
        let producers = (0..=rng.index(4)).map(|_| producer_habits(rng)).collect();
        let consumers = (0..=rng.index(3)).map(|_| consumer_habits(rng)).collect();
        let calm_from = rng.between(500, 6_000) * MS;
        let groups = groups::Habits::of_seed(seed);
        Self {
            seed,
            shards,
            // Not drawn: other seeds keep their runs.
            faults: Faults { work_dies: if seed % 16 == 9 { 10 } else { 0 }, ..faults(rng) },
            topics,
            producers,
            consumers,
            events: events(rng, calm_from, groups.is_some()),
            calm_from,
            snapshot_bytes: groups.as_ref().map_or(u64::MAX, |it| it.snapshot_bytes),
            settings: groups.map(|it| it.settings).unwrap_or_default(),
            plant: Plant::None,
        }
    }
}

/// Troubles of the machine. The wall clock wanders but stays within a day, beyond which the broker
/// would rightly refuse timestamps and retire segments.
fn faults(rng: &mut Rng) -> Faults {
    let mut faults = Faults::swarm(rng);
    faults.clock_jump_ms_max = faults.clock_jump_ms_max.min(60_000);
    faults
}

/// A topic of random size and contract.
pub fn topic(rng: &mut Rng, name: &str) -> TopicSpec {
    let durable = [Some("group-commit"), Some("every-batch"), None, None][rng.index(4)];
    let mut configs = Vec::new();
    if let Some(durability) = durable {
        configs.push(("millrace.durability".to_owned(), durability.to_owned()));
    }
    if rng.chance(700) {
        // The smallest that is allowed: rolls are where most bugs of a log live.
        configs.push(("segment.bytes".to_owned(), (1 << 20).to_string()));
    }
    if rng.chance(500) {
        let bytes = rng.between(0, 2048).to_string();
        configs.push(("index.interval.bytes".to_owned(), bytes));
    }
    TopicSpec {
        name: name.to_owned(),
        partitions: 1 + rng.index(3),
        contract: if durable.is_some() { Contract::Durable } else { Contract::PageCache },
        configs,
    }
}

/// A producer's habits.
pub fn producer_habits(rng: &mut Rng) -> producer::Habits {
    let guarantee = match rng.below(4) {
        0 | 1 => Guarantee::OnceInOrder,
        2 => Guarantee::Once,
        _ => Guarantee::Any,
    };
    let acks = match (guarantee, rng.below(4)) {
        (Guarantee::OnceInOrder, _) | (Guarantee::Any, 0..=2) | (_, 0 | 1) => -1,
        (Guarantee::Once, 3) => 0,
        (Guarantee::Once | Guarantee::Any, _) => 1,
    };
    let record_bytes_max = match rng.below(8) {
        0 => 60_000,
        1 | 2 => 6_000,
        _ => 300,
    };
    producer::Habits {
        guarantee,
        acks,
        version: i16::try_from(rng.between(3, 13)).expect("small"),
        in_flight_max: 1 + rng.index(5),
        records_max: rng.between(1, 8),
        record_bytes_max,
        codec: if rng.chance(200) { Codec::Lz4 } else { Codec::None },
        pause_max: rng.between(1, 60) * MS,
        spoilt: if rng.chance(300) { 30 } else { 0 },
    }
}

/// A consumer's habits.
pub fn consumer_habits(rng: &mut Rng) -> consumer::Habits {
    let session = [consumer::Session::No, consumer::Session::Incremental][rng.index(2)];
    let partition_bytes_max = match rng.below(3) {
        0 => rng.between(1, 1000),
        1 => rng.between(1000, 100_000),
        _ => 1 << 20,
    };
    consumer::Habits {
        version: i16::try_from(rng.between(4, 18)).expect("small"),
        session,
        wait_ms: i32::try_from(rng.between(0, 500)).expect("small"),
        // Not more than a fetch may bring, or each takes its whole wait.
        bytes_min: i32::try_from(rng.between(0, 2000).min(partition_bytes_max)).expect("small"),
        partition_bytes_max: i32::try_from(partition_bytes_max).expect("at most a million"),
        pause_max: rng.between(1, 50) * MS,
    }
}

/// What happens before it becomes calm.
///
/// - `has_groups`: offsets are to expire.
fn events(rng: &mut Rng, calm_from: u64, has_groups: bool) -> Vec<(u64, Event)> {
    let mut events = Vec::new();
    // Each kind in some runs only.
    let kinds: [(Event, u64); 8] = [
        (Event::Kill, 3),
        (Event::Stop, 2),
        (Event::LosePower, 3),
        (Event::JumpClock(0), 3),
        (Event::Reset, 6),
        (Event::DeleteRecords, 6),
        (Event::List, 8),
        (Event::CreateTopic, 4),
    ];
    for (kind, count_max) in kinds {
        if rng.chance(500) {
            continue;
        }
        for _ in 0..rng.between(1, count_max) {
            let at = rng.below(calm_from);
            let event = match kind {
                Event::JumpClock(_) => {
                    Event::JumpClock(rng.between(0, 7_200_000) as i64 - 3_600_000)
                }
                Event::CreateTopic => {
                    let later = at + rng.between(1, 2000) * MS;
                    if later < calm_from {
                        events.push((later, Event::DeleteTopic));
                    }
                    kind
                }
                Event::Kill
                | Event::Stop
                | Event::LosePower
                | Event::FillDisk(_)
                | Event::FreeDisk
                | Event::Break(_)
                | Event::Repair
                | Event::Reset
                | Event::DeleteRecords
                | Event::List
                | Event::DeleteTopic => kind,
            };
            events.push((at, event));
        }
    }
    if rng.chance(250) {
        let at = rng.below(calm_from);
        events.push((at, Event::FillDisk(rng.between(0, 100_000))));
        events.push((at + rng.between(10, 2000) * MS, Event::FreeDisk));
    }
    if has_groups && rng.chance(400) {
        for _ in 0..rng.between(1, 3) {
            let ms = rng.between(60_000, 3_600_000) as i64;
            events.push((rng.below(calm_from), Event::JumpClock(ms)));
        }
    }
    if rng.chance(250) {
        for _ in 0..rng.between(1, 3) {
            let all = [Broken::Read, Broken::Write, Broken::Sync, Broken::Open, Broken::Name];
            events.push((rng.below(calm_from), Event::Break(all[rng.index(all.len())])));
        }
    }
    events.sort_by_key(|&(at, _)| at);
    events
}

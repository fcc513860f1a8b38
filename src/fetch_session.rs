//! Fetch sessions: a consumer names its partitions once, then only what changes.
//!
//! State only: reading logs and writing responses are the fetch handler's. One cache per shard,
//! because a connection stays on its shard; a client that comes back through another shard is told
//! that its session is unknown and starts a new one, which is what it does after a restart too.
//!
//! ```text
//! id 0, epoch 0    full fetch, a session is made if there is room     → new id, or 0
//! id n, epoch 0    the same, session n is dropped first
//! any,  epoch -1   full fetch without a session; session n is dropped
//! id n, epoch e    incremental: e must be the session's next epoch    → 70, 71 or 106 otherwise
//! ```
//!
//! Source: KIP-227, KIP-516.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace_io::Mono;
use millrace_wire::Uuid;

/// Sessions unused for longer than this may be evicted for new ones, ms
/// (Kafka: `MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS`).
const EVICTION_MS: u64 = 120_000;

/// How a session names a topic: by id since Fetch 13, by name before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicKey {
    /// By name; the cluster image's own copy of it where the topic is known.
    Name(Arc<str>),
    /// By id.
    Id(Uuid),
}

/// What a client asks of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionAsk {
    /// The topic.
    pub topic: TopicKey,
    /// The partition's index.
    pub partition: i32,
    /// The leader epoch the client believes in, or -1.
    pub current_leader_epoch: i32,
    /// Where to read.
    pub fetch_offset: i64,
    /// Epoch of the last record the client has, or -1.
    pub last_fetched_epoch: i32,
    /// Bound on the answer, bytes.
    pub partition_max_bytes: i32,
}

/// What the client was last told of a partition; what did not change is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    high_watermark: i64,
    log_start_offset: i64,
}

const NOTHING_TOLD: Told = Told { high_watermark: -1, log_start_offset: -1 };

#[derive(Debug)]
struct Cached {
    ask: PartitionAsk,
    told: Told,
}

/// One client's session.
#[derive(Debug)]
struct Session {
    /// The epoch that the next incremental fetch must carry; 1 to 2^31 - 1, then 1 again.
    next_epoch: i32,
    uses_topic_ids: bool,
    last_used: Mono,
    /// Partitions by their turn; one that returned records goes to the end.
    turns: BTreeMap<u64, Cached>,
    turn_of: BTreeMap<(TopicKey, i32), u64>,
    turn_next: u64,
}

impl Session {
    fn put(&mut self, ask: PartitionAsk) {
        let key = (ask.topic.clone(), ask.partition);
        if let Some(cached) = self.turn_of.get(&key).and_then(|turn| self.turns.get_mut(turn)) {
            cached.ask = ask;
            return;
        }
        self.turn_of.insert(key, self.turn_next);
        self.turns.insert(self.turn_next, Cached { ask, told: NOTHING_TOLD });
        self.turn_next += 1;
    }

    fn forget(&mut self, topic: &TopicKey, partition: i32) {
        if let Some(turn) = self.turn_of.remove(&(topic.clone(), partition)) {
            self.turns.remove(&turn);
        }
    }
}

/// What a fetch turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchKind {
    /// All partitions are in the request, all are in the answer, and no session comes of it.
    Sessionless,
    /// The same, and a session is made if there is room.
    Full,
    /// Partitions come from the session; the answer holds what changed.
    Incremental {
        /// The session.
        session_id: i32,
    },
}

/// Why an incremental fetch is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// 70 FETCH_SESSION_ID_NOT_FOUND.
    NotFound,
    /// 71 INVALID_FETCH_SESSION_EPOCH.
    Epoch,
    /// 106 FETCH_SESSION_TOPIC_ID_ERROR: the session names topics the other way.
    TopicIds,
}

/// A fetch as the session layer sees it.
#[derive(Debug)]
pub struct SessionRequest {
    /// The session, or 0.
    pub session_id: i32,
    /// 0 new, -1 none, otherwise the count of this session's fetches.
    pub session_epoch: i32,
    /// Whether the request names topics by id.
    pub uses_topic_ids: bool,
    /// Partitions in the request.
    pub asks: Vec<PartitionAsk>,
    /// Partitions to leave the session.
    pub forgotten: Vec<(TopicKey, i32)>,
}

/// The sessions of one shard.
#[derive(Debug)]
pub struct FetchSessions {
    sessions: BTreeMap<i32, Session>,
    slots_max: usize,
    /// Ids of this shard are `step` apart, so that no two shards hand out the same.
    id_next: i32,
    id_step: i32,
}

impl FetchSessions {
    /// A cache of `slots_max` sessions
    /// (`max.incremental.fetch.session.cache.slots` over the number of shards). `shard` of `shards`
    /// keeps the shards' ids apart; `start` is random, so that a session of an earlier process is
    /// not taken for one of this.
    pub fn new(slots_max: usize, shard: u16, shards: u16, start: u32) -> Self {
        let step = i32::from(shards.max(1));
        let start = i32::try_from(start >> 2).unwrap_or(1);
        let id_next = start - start % step + i32::from(shard) + step;
        Self { sessions: BTreeMap::new(), slots_max, id_next, id_step: step }
    }

    /// Sessions in the cache.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// True without sessions.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// Begins a fetch: checks and updates the session, and returns the partitions to read.
    pub fn begin(
        &mut self,
        now: Mono,
        request: SessionRequest,
    ) -> Result<(FetchKind, Vec<PartitionAsk>), SessionError> {
        let SessionRequest { session_id, session_epoch, uses_topic_ids, asks, forgotten } = request;
        if (-1..=0).contains(&session_epoch) {
            self.sessions.remove(&session_id);
            let kind = if session_epoch == 0 { FetchKind::Full } else { FetchKind::Sessionless };
            return Ok((kind, once_each(asks)));
        }
        let session = self.sessions.get_mut(&session_id).ok_or(SessionError::NotFound)?;
        if session.next_epoch != session_epoch {
            return Err(SessionError::Epoch);
        }
        if session.uses_topic_ids != uses_topic_ids {
            return Err(SessionError::TopicIds);
        }
        for ask in asks {
            session.put(ask);
        }
        for (topic, partition) in &forgotten {
            session.forget(topic, *partition);
        }
        if session.turns.is_empty() {
            self.sessions.remove(&session_id);
            return Ok((FetchKind::Sessionless, Vec::new()));
        }
        session.next_epoch = next_epoch(session_epoch);
        session.last_used = now;
        let asks = session.turns.values().map(|cached| cached.ask.clone()).collect();
        Ok((FetchKind::Incremental { session_id }, asks))
    }

    /// Makes a session of a full fetch that is being answered. Returns its id, or 0 without room.
    pub fn create(
        &mut self,
        now: Mono,
        uses_topic_ids: bool,
        answered: impl Iterator<Item = (PartitionAsk, i64, i64)>,
    ) -> i32 {
        if self.sessions.len() >= self.slots_max && !self.evict(now) {
            return 0;
        }
        let id = self.id_next;
        self.id_next = id.checked_add(self.id_step).unwrap_or(id % self.id_step + self.id_step);
        let mut session = Session {
            next_epoch: 1,
            uses_topic_ids,
            last_used: now,
            turns: BTreeMap::new(),
            turn_of: BTreeMap::new(),
            turn_next: 0,
        };
        for (ask, high_watermark, log_start_offset) in answered {
            let key = (ask.topic.clone(), ask.partition);
            session.put(ask);
            if let Some(cached) =
                session.turn_of.get(&key).and_then(|turn| session.turns.get_mut(turn))
            {
                cached.told = Told { high_watermark, log_start_offset };
            }
        }
        self.sessions.insert(id, session);
        id
    }

    /// Drops the session that was unused longest, if it was unused long enough.
    fn evict(&mut self, now: Mono) -> bool {
        let oldest = self.sessions.iter().min_by_key(|(_, session)| session.last_used);
        let Some((id, session)) = oldest else { return false };
        if now.since(session.last_used) <= EVICTION_MS * 1_000_000 {
            return false;
        }
        let id = *id;
        self.sessions.remove(&id).is_some()
    }

    /// Whether a partition belongs in an incremental answer, and notes what the client is told.
    ///
    /// - `has_records`: it goes to the end of the session's order, so that partitions take turns.
    /// - `failed`: it has an error; told again until it has none.
    pub fn note_answer(
        &mut self,
        session_id: i32,
        topic: &TopicKey,
        partition: i32,
        answer: Answered,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(&session_id) else { return true };
        let key = (topic.clone(), partition);
        let Some(turn) = session.turn_of.get(&key).copied() else { return true };
        let Some(mut cached) = session.turns.remove(&turn) else { return true };
        let told = Told {
            high_watermark: answer.high_watermark,
            log_start_offset: answer.log_start_offset,
        };
        let include = answer.has_records || answer.failed || cached.told != told;
        // After an error the client is told everything again once it has passed.
        cached.told = if answer.failed { NOTHING_TOLD } else { told };
        let turn = if answer.has_records {
            session.turn_next += 1;
            session.turn_next - 1
        } else {
            turn
        };
        session.turn_of.insert(key, turn);
        session.turns.insert(turn, cached);
        include
    }
}

/// Each partition once: where it is named first, with what is said of it last, as in Kafka.
///
/// No client repeats itself, so the list is only looked through, topic by topic, as a rule.
fn once_each(asks: Vec<PartitionAsk>) -> Vec<PartitionAsk> {
    let mut topics = BTreeSet::new();
    let repeats = asks.chunk_by(|a, b| a.topic == b.topic).any(|of_topic| {
        let mut indexes: Vec<i32> = of_topic.iter().map(|ask| ask.partition).collect();
        indexes.sort_unstable();
        !topics.insert(&of_topic[0].topic) || indexes.windows(2).any(|two| two[0] == two[1])
    });
    if !repeats {
        return asks;
    }
    let mut place_of: BTreeMap<(TopicKey, i32), usize> = BTreeMap::new();
    let mut once: Vec<PartitionAsk> = Vec::with_capacity(asks.len());
    for ask in asks {
        let place = *place_of.entry((ask.topic.clone(), ask.partition)).or_insert(once.len());
        match once.get_mut(place) {
            Some(before) => *before = ask,
            None => once.push(ask),
        }
    }
    once
}

/// What a partition's answer holds.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// Its high watermark, or -1.
    pub high_watermark: i64,
    /// Its log start offset, or -1.
    pub log_start_offset: i64,
    /// Whether it holds records.
    pub has_records: bool,
    /// Whether it holds an error, or a diverging epoch.
    pub failed: bool,
}

const fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(partition: i32, fetch_offset: i64) -> PartitionAsk {
        PartitionAsk {
            topic: TopicKey::Name("t".into()),
            partition,
            current_leader_epoch: -1,
            fetch_offset,
            last_fetched_epoch: -1,
            partition_max_bytes: 1 << 20,
        }
    }

    fn request(session_id: i32, session_epoch: i32, asks: Vec<PartitionAsk>) -> SessionRequest {
        SessionRequest {
            session_id,
            session_epoch,
            uses_topic_ids: false,
            asks,
            forgotten: Vec::new(),
        }
    }

    fn session_of(sessions: &mut FetchSessions, asks: &[PartitionAsk]) -> i32 {
        let (kind, _) = sessions.begin(Mono(0), request(0, 0, asks.to_vec())).expect("full");
        assert_eq!(kind, FetchKind::Full);
        sessions.create(Mono(0), false, asks.iter().map(|ask| (ask.clone(), 10, 0)))
    }

    #[test]
    fn an_incremental_fetch_reads_what_the_session_remembers() {
        let mut sessions = FetchSessions::new(10, 1, 2, 77);
        let id = session_of(&mut sessions, &[ask(0, 5), ask(1, 6)]);
        assert!(id > 0 && id % 2 == 1);
        let (kind, asks) = sessions.begin(Mono(0), request(id, 1, vec![ask(1, 9)])).expect("known");
        assert_eq!(kind, FetchKind::Incremental { session_id: id });
        assert_eq!(asks, [ask(0, 5), ask(1, 9)]);
        assert_eq!(sessions.begin(Mono(0), request(id, 1, vec![])), Err(SessionError::Epoch));
        assert_eq!(
            sessions.begin(Mono(0), request(id + 2, 1, vec![])),
            Err(SessionError::NotFound)
        );
    }

    #[test]
    fn unchanged_partitions_stay_out_of_the_answer_and_served_ones_go_last() {
        let mut sessions = FetchSessions::new(10, 0, 1, 0);
        let id = session_of(&mut sessions, &[ask(0, 0), ask(1, 0)]);
        let topic = TopicKey::Name("t".into());
        let same =
            Answered { high_watermark: 10, log_start_offset: 0, has_records: false, failed: false };
        assert!(!sessions.note_answer(id, &topic, 0, same));
        assert!(sessions.note_answer(id, &topic, 1, Answered { high_watermark: 11, ..same }));
        assert!(sessions.note_answer(id, &topic, 0, Answered { has_records: true, ..same }));
        let (_, asks) = sessions.begin(Mono(0), request(id, 1, vec![])).expect("known");
        assert_eq!(asks.iter().map(|ask| ask.partition).collect::<Vec<_>>(), [1, 0]);
        assert!(sessions.note_answer(id, &topic, 0, Answered { failed: true, ..same }));
        assert!(sessions.note_answer(id, &topic, 0, same), "told again once the error has passed");
    }

    #[test]
    fn a_partition_that_is_named_twice_is_asked_once() {
        let mut sessions = FetchSessions::new(10, 0, 1, 0);
        let other = PartitionAsk { topic: TopicKey::Name("u".into()), ..ask(0, 1) };
        let asks = vec![ask(1, 5), other.clone(), ask(0, 6), ask(1, 7), other.clone()];
        let (_, once) = sessions.begin(Mono(0), request(0, 0, asks)).expect("no session");
        assert_eq!(once, [ask(1, 7), other.clone(), ask(0, 6)]);
        let asks = vec![ask(1, 5), ask(0, 6), other];
        let (_, once) = sessions.begin(Mono(0), request(0, -1, asks.clone())).expect("none");
        assert_eq!(once, asks, "nothing changes where nothing is repeated");
    }

    #[test]
    fn a_session_without_partitions_ends() {
        let mut sessions = FetchSessions::new(10, 0, 1, 0);
        let id = session_of(&mut sessions, &[ask(0, 0)]);
        let forget = SessionRequest {
            forgotten: vec![(TopicKey::Name("t".into()), 0)],
            ..request(id, 1, vec![])
        };
        assert_eq!(sessions.begin(Mono(0), forget), Ok((FetchKind::Sessionless, vec![])));
        assert!(sessions.is_empty());
    }

    #[test]
    fn a_full_cache_evicts_only_what_was_unused_long_enough() {
        let mut sessions = FetchSessions::new(1, 0, 1, 0);
        assert_ne!(session_of(&mut sessions, &[ask(0, 0)]), 0);
        assert_eq!(session_of(&mut sessions, &[ask(0, 0)]), 0, "no room, no session");
        let later = Mono(0).plus_ms(EVICTION_MS + 1);
        assert_ne!(sessions.create(later, false, std::iter::empty()), 0);
        assert_eq!(sessions.len(), 1);
    }

    #[test]
    fn naming_topics_the_other_way_is_refused() {
        let mut sessions = FetchSessions::new(1, 0, 1, 0);
        let id = session_of(&mut sessions, &[ask(0, 0)]);
        let by_id = SessionRequest { uses_topic_ids: true, ..request(id, 1, vec![ask(1, 0)]) };
        assert_eq!(sessions.begin(Mono(0), by_id), Err(SessionError::TopicIds));
    }
}

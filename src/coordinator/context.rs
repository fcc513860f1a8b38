//! What every part of a coordinator works with: configuration, time, timers, output.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_io::{Mono, Now};
use millrace_replication::Image;

use super::ask::GroupAnswer;
use super::config::GroupConfig;
use super::consumer::MemberTimer;
use super::consumer::pattern::Resolving;
use super::member::MemberNumber;
use super::record::GroupRecord;
use super::then::Then;
use crate::deadlines::Deadlines;
use crate::random::Random;
use crate::ticket::Ticket;

/// Names one append that a coordinator asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppendId(pub u64);

/// What a coordinator wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Append records to the coordinator's partition, as one batch, in the order of the outputs.
    /// What came of it is told with `on_committed` or `on_append_failed`.
    Append {
        /// Names the append.
        id: AppendId,
        /// At least one.
        records: Arc<[GroupRecord]>,
    },
    /// Find out what a consumer group's expressions stand for, by [`resolve`](super::resolve). What
    /// came of it is told with `on_resolved`; the group waits for it.
    Resolve {
        /// Its name.
        group: Arc<str>,
        /// What is to be found out.
        asked: Resolving,
    },
    /// Answer an ask.
    Reply {
        /// The ask's.
        ticket: Ticket,
        /// Its answer.
        answer: GroupAnswer,
    },
}

/// What has a deadline in a coordinator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A group's join phase ends, ready or not.
    Join(Arc<str>),
    /// Members that have not synced are given up.
    Sync(Arc<str>),
    /// A member has not been heard of.
    Session(Arc<str>, MemberNumber),
    /// A member id that was handed out has not been used.
    Pending(Arc<str>, Arc<str>),
    /// Something is due for a member of a consumer group, by its id.
    Member(Arc<str>, MemberTimer, Arc<str>),
    /// Expired offsets are looked for.
    Expiry,
}

/// An append that is under way.
#[derive(Debug)]
pub(super) struct Appending {
    pub records: Arc<[GroupRecord]>,
    pub then: Then,
}

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Context {
    pub config: GroupConfig,
    /// The cluster's topics, and what is configured for groups.
    pub image: Arc<Image>,
    /// The time of the call.
    pub now: Now,
    pub timers: Deadlines<Timer>,
    pub outputs: Vec<Output>,
    pub appends: BTreeMap<AppendId, Appending>,
    next_append: u64,
    /// Appends that failed.
    pub appends_failed: u64,
    random: Random,
}

impl Context {
    pub(super) fn new(config: GroupConfig, seed: u64) -> Self {
        Self {
            config,
            image: Arc::new(Image::empty()),
            now: Now::default(),
            timers: Deadlines::default(),
            outputs: Vec::new(),
            appends: BTreeMap::new(),
            next_append: 0,
            appends_failed: 0,
            random: Random::new(seed),
        }
    }

    /// Appends that were asked for; the next one gets this number.
    pub(super) const fn appends_begun(&self) -> u64 {
        self.next_append
    }

    /// Asks for an append; `then` happens when it is decided.
    pub(super) fn append(&mut self, records: Vec<GroupRecord>, then: Then) {
        assert!(!records.is_empty(), "an append without records");
        let id = AppendId(self.next_append);
        self.next_append += 1;
        let records: Arc<[GroupRecord]> = records.into();
        self.appends.insert(id, Appending { records: Arc::clone(&records), then });
        self.outputs.push(Output::Append { id, records });
    }

    pub(super) fn reply(&mut self, ticket: Ticket, answer: GroupAnswer) {
        self.outputs.push(Output::Reply { ticket, answer });
    }

    /// Moves the timer that `place` remembers to `at`, or takes it away.
    pub(super) fn set_timer(&mut self, place: &mut Option<Mono>, at: Option<Mono>, timer: Timer) {
        match (place.take(), at) {
            (Some(old), Some(new)) => {
                self.timers.remove(old, timer.clone());
                self.timers.add(new, timer);
            }
            (Some(old), None) => self.timers.remove(old, timer),
            (None, Some(new)) => self.timers.add(new, timer),
            (None, None) => {}
        }
        *place = at;
    }

    /// This call's time plus `ms`; a negative time-out is none.
    pub(super) fn in_ms(&self, ms: i32) -> Mono {
        self.now.mono.plus_ms(u64::try_from(ms).unwrap_or(0))
    }

    /// A new member id: the client's name (or a static member's instance id), a dash, a uuid.
    pub(super) fn member_id(&mut self, name: &str) -> Arc<str> {
        Arc::from(format!("{name}-{}", self.uuid()))
    }

    /// A random uuid as Java writes it.
    pub(super) fn uuid(&mut self) -> String {
        let id = self.random.uuid().0;
        let group = |shift: u32, digits: u32| (id >> shift) & ((1 << (4 * digits)) - 1);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            group(96, 8),
            group(80, 4),
            group(64, 4),
            group(48, 4),
            group(0, 12)
        )
    }
}

//! Who has used how much on one shard, and on the others as far as is known.

use std::collections::BTreeMap;

use super::rate::{Rate, WindowConfig};
use super::rules::{Held, Rules};
use super::spent::{Holder, Spent};
use super::{Limit, QuotaKind};

/// Clients of one kind that are metered one by one; those that come when there are so many share a
/// meter. A client that uses nothing for a window is forgotten.
pub const METERS_MAX: usize = 65_536;

/// What somebody used on one shard since it last told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What was used.
    pub kind: QuotaKind,
    /// Whose: the key of a meter.
    pub meter: Box<str>,
    /// How much; negative if more was taken back than used.
    pub amount: i64,
}

#[derive(Debug, Default)]
struct Meter {
    rate: Rate,
    /// Used here and not told to others.
    untold: i64,
    /// The same, and waits, for whoever watches.
    spent: Spent,
}

/// See the file's head.
#[derive(Debug, Default)]
pub struct Meters {
    config: WindowConfig,
    rules: [Rules; QuotaKind::ALL.len()],
    by_key: [BTreeMap<Box<str>, Meter>; QuotaKind::ALL.len()],
    has_news: bool,
    /// The key under which a meter is looked up; kept to spare an allocation for each.
    key: String,
}

impl Meters {
    /// Meters that sample like this; nobody is held to anything yet.
    pub fn new(config: WindowConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// Holds clients to other limits; what they have used stays.
    pub fn set_rules(&mut self, kind: QuotaKind, rules: Rules) {
        self.rules[kind.index()] = rules;
        if self.rules[kind.index()].is_empty() {
            self.by_key[kind.index()].clear();
        }
    }

    /// Whether anybody is held to a limit of that kind.
    pub const fn limits(&self, kind: QuotaKind) -> bool {
        !self.rules[kind as usize].is_empty()
    }

    /// Notes that a client used something, and gives the time it has to wait, ms.
    ///
    /// An amount of 0 only asks; a negative one takes back.
    pub fn charge(
        &mut self,
        kind: QuotaKind,
        (user, client): (&str, &str),
        now_ms: u64,
        amount: i64,
    ) -> u64 {
        let Some(held) = self.rules[kind.index()].find(user, client) else { return 0 };
        write_key(&mut self.key, held, (user, client));
        let meters = &mut self.by_key[kind.index()];
        if meters.len() >= METERS_MAX && !meters.contains_key(self.key.as_str()) {
            self.key.clear();
            self.key.push_str(SHARED);
        }
        if !meters.contains_key(self.key.as_str()) {
            if amount == 0 {
                return 0;
            }
            meters.insert(self.key.as_str().into(), Meter::default());
        }
        let Some(meter) = meters.get_mut(self.key.as_str()) else { return 0 };
        if amount != 0 {
            meter.rate.record(&self.config, now_ms, amount);
            meter.untold = meter.untold.saturating_add(amount);
            meter.spent.use_more(amount);
            self.has_news = true;
        }
        meter.rate.throttle_ms(&self.config, now_ms, held.limit)
    }

    /// A client was told to wait so long, ms.
    pub fn note_wait(&mut self, kind: QuotaKind, (user, client): (&str, &str), wait_ms: u64) {
        let Some(held) = self.rules[kind.index()].find(user, client) else { return };
        write_key(&mut self.key, held, (user, client));
        let meters = &mut self.by_key[kind.index()];
        // Without a meter of its own it waits for what all the others without one used.
        let key = if meters.contains_key(self.key.as_str()) { self.key.as_str() } else { SHARED };
        if let Some(meter) = meters.get_mut(key) {
            meter.spent.wait(wait_ms);
        }
    }

    /// What clients used here and were told to wait for, since the last time.
    pub fn take_spent(&mut self) -> Vec<(Holder, Spent)> {
        let mut all = Vec::new();
        for kind in QuotaKind::ALL {
            for (key, meter) in &mut self.by_key[kind.index()] {
                let spent = std::mem::take(&mut meter.spent);
                let holder = if spent.is_nothing() { None } else { Holder::of_meter(kind, key) };
                all.extend(holder.map(|holder| (holder, spent)));
            }
        }
        all
    }

    /// What a client may use within a window, but for the current sample; none without a limit.
    /// A single reply that is larger could never be sent.
    pub fn window_units(&self, kind: QuotaKind, (user, client): (&str, &str)) -> Option<u64> {
        let limit: Limit = self.rules[kind.index()].limit(user, client)?;
        let samples = u64::from(self.config.samples.saturating_sub(1).max(1));
        Some(limit.units_in(self.config.sample_ms.saturating_mul(samples)))
    }

    /// True if there is something that other shards do not know.
    pub const fn has_news(&self) -> bool {
        self.has_news
    }

    /// What was used here since the last time, for the other shards.
    pub fn take_news(&mut self) -> Vec<Usage> {
        self.has_news = false;
        let mut news = Vec::new();
        for kind in QuotaKind::ALL {
            for (key, meter) in &mut self.by_key[kind.index()] {
                let amount = std::mem::take(&mut meter.untold);
                if amount != 0 {
                    news.push(Usage { kind, meter: key.clone(), amount });
                }
            }
        }
        news
    }

    /// Takes in what was used on another shard.
    pub fn on_news(&mut self, now_ms: u64, news: &[Usage]) {
        for usage in news {
            // Whoever told it may not know yet that the limits are gone.
            if !self.limits(usage.kind) {
                continue;
            }
            let meters = &mut self.by_key[usage.kind.index()];
            let is_known = meters.contains_key(&usage.meter);
            let key = if is_known || meters.len() < METERS_MAX { &usage.meter } else { SHARED };
            let meter = meters.entry(key.into()).or_default();
            meter.rate.record(&self.config, now_ms, usage.amount);
        }
    }

    /// Forgets who has used nothing for a window.
    pub fn sweep(&mut self, now_ms: u64) {
        let config = self.config;
        for meters in &mut self.by_key {
            meters.retain(|_, meter| {
                meter.untold != 0
                    || !meter.spent.is_nothing()
                    || !meter.rate.is_idle(&config, now_ms)
            });
        }
    }

    /// How many meters there are.
    pub fn len(&self) -> usize {
        self.by_key.iter().map(BTreeMap::len).sum()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The key of whoever a limit holds together with a client.
fn write_key(key: &mut String, held: Held, (user, client): (&str, &str)) {
    key.clear();
    // A user's name never holds the separator, so a client id may.
    if held.by_user {
        key.push_str(user);
    }
    key.push(SEPARATOR);
    if held.by_client {
        key.push_str(client);
    }
}

/// The same; or, where there is no room for one that is not known, that of all who find none.
pub(super) fn key_of(
    held: Held,
    client: (&str, &str),
    has_room: impl FnOnce(&str) -> bool,
) -> String {
    let mut key = String::new();
    write_key(&mut key, held, client);
    if !has_room(&key) {
        key.clear();
        key.push_str(SHARED);
    }
    key
}

/// Between a user and a client id in a meter's key.
pub(super) const SEPARATOR: char = '\n';
/// The key of the meter for those that found no place, and of a client that calls itself so.
pub(super) const SHARED: &str = "\n\n";

//! Buckets of tokens, for what comes in bursts: topics are created many at once, and then not for days.
//!
//! ```text
//!   ▲ burst = limit × window ─────────────┐  at first, and at the most
//!   │  /│    /│   refilled by the limit   │
//! 0 ├─/─┼───/─┼─────────────────────────────  whoever finds this much or more may take all it wants
//!   │/  │  /  ▼  and pays afterwards: nobody takes anything before the debt is gone
//! ```
//!
//! Tokens are counted in billionths, so that a limit in millionths per second refills them exactly.
//! Source: KIP-599.

use std::collections::BTreeMap;

use super::QuotaKind;
use super::meters::{METERS_MAX, key_of};
use super::rate::WindowConfig;
use super::rules::{Limit, Rules};
use super::spent::{Holder, Spent};

/// Billionths in one token.
const BILLION: i128 = 1_000_000_000;

/// One client's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bucket {
    /// In billionths; negative is a debt.
    tokens: i128,
    filled_at_ms: u64,
    /// For whoever watches.
    spent: Spent,
}

impl Bucket {
    fn refill(&mut self, limit: i128, burst: i128, now_ms: u64) {
        let elapsed_ms = i128::from(now_ms.saturating_sub(self.filled_at_ms));
        self.tokens = self.tokens.saturating_add(limit.saturating_mul(elapsed_ms)).min(burst);
        self.filled_at_ms = self.filled_at_ms.max(now_ms);
    }

    /// Time until the debt is gone, ms, rounded as Kafka does; 0 without one.
    fn wait_ms(&self, limit: i128) -> u64 {
        let debt = (-self.tokens).max(0);
        u64::try_from((debt + limit / 2) / limit).unwrap_or(u64::MAX)
    }

    /// The time is 0 for less than half a ms of debt, which is one all the same.
    const fn has_debt(&self) -> bool {
        self.tokens < 0
    }
}

/// What happens to a client in debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InDebt {
    /// It gets nothing: it knows the error.
    Refused,
    /// It gets what it wants, and is told to wait.
    ToldToWait,
}

/// A client that gets nothing before it has waited so long, ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdrawn(pub u64);

/// The buckets of all clients that are held to a limit.
#[derive(Debug, Default)]
pub struct Buckets {
    window: WindowConfig,
    rules: Rules,
    by_key: BTreeMap<Box<str>, Bucket>,
}

impl Buckets {
    /// Buckets that hold what is refilled within the whole window.
    pub fn new(window: WindowConfig) -> Self {
        Self { window, ..Self::default() }
    }

    /// Holds clients to other limits; debts stay.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
        if self.rules.is_empty() {
            self.by_key.clear();
        }
    }

    /// A client takes `count` tokens. Returns the time it has to wait, ms, or that it gets none.
    pub fn take(
        &mut self,
        (user, client): (&str, &str),
        in_debt: InDebt,
        now_ms: u64,
        count: usize,
    ) -> Result<u64, Overdrawn> {
        let Some(held) = self.rules.find(user, client) else { return Ok(0) };
        let limit = limit_of(held.limit);
        let burst = self.burst(limit);
        if self.by_key.len() >= METERS_MAX {
            self.sweep(now_ms);
        }
        let by_key = &self.by_key;
        let has_room = |key: &str| by_key.len() < METERS_MAX || by_key.contains_key(key);
        let key = key_of(held, (user, client), has_room);
        let full = Bucket { tokens: burst, filled_at_ms: now_ms, spent: Spent::default() };
        let bucket = self.by_key.entry(key.into_boxed_str()).or_insert(full);
        bucket.refill(limit, burst, now_ms);
        if bucket.has_debt() && in_debt == InDebt::Refused {
            return Err(Overdrawn(bucket.wait_ms(limit)));
        }
        bucket.spent.use_more(i64::try_from(count).unwrap_or(i64::MAX));
        let count = i128::try_from(count).unwrap_or(i128::MAX);
        bucket.tokens = bucket.tokens.saturating_sub(count.saturating_mul(BILLION));
        Ok(match in_debt {
            InDebt::Refused => 0,
            InDebt::ToldToWait => bucket.wait_ms(limit),
        })
    }

    /// A client was told to wait so long, ms.
    pub fn note_wait(&mut self, (user, client): (&str, &str), wait_ms: u64) {
        let Some(held) = self.rules.find(user, client) else { return };
        let by_key = &mut self.by_key;
        let key = key_of(held, (user, client), |key| by_key.contains_key(key));
        if let Some(bucket) = by_key.get_mut(key.as_str()) {
            bucket.spent.wait(wait_ms);
        }
    }

    /// What clients took and were told to wait for, since the last time.
    pub fn take_spent(&mut self) -> Vec<(Holder, Spent)> {
        let mut all = Vec::new();
        for (key, bucket) in &mut self.by_key {
            let spent = std::mem::take(&mut bucket.spent);
            if !spent.is_nothing() {
                let holder = Holder::of_meter(QuotaKind::Mutation, key);
                all.extend(holder.map(|holder| (holder, spent)));
            }
        }
        all
    }

    /// Forgets clients whose buckets would be full: they begin with a full one.
    fn sweep(&mut self, now_ms: u64) {
        // The longest that any bucket takes to fill from nothing is the window.
        let window_ms = self.window.window_ms();
        self.by_key.retain(|_, bucket| {
            bucket.has_debt()
                || !bucket.spent.is_nothing()
                || now_ms.saturating_sub(bucket.filled_at_ms) < window_ms
        });
    }

    fn burst(&self, limit: i128) -> i128 {
        limit.saturating_mul(i128::from(self.window.window_ms()))
    }
}

/// Millionths per second are billionths per ms.
fn limit_of(limit: Limit) -> i128 {
    i128::try_from(limit.millionths_per_second()).unwrap_or(i128::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::super::EntityName::{Absent, Named};
    use super::*;

    const CLIENT: (&str, &str) = ("u", "c");

    fn buckets(limit: f64) -> Buckets {
        let mut rules = Rules::default();
        rules.set(Named("u"), Absent, Limit::per_second(limit).unwrap());
        let mut buckets = Buckets::new(WindowConfig { samples: 11, sample_ms: 1000 });
        buckets.set_rules(rules);
        buckets
    }

    /// Kafka: 11 samples of a second hold eleven times the limit, and who has any token takes all.
    #[test]
    fn a_full_bucket_may_be_overdrawn_once_and_then_nothing_is_given_until_it_is_paid() {
        let mut buckets = buckets(2.0);
        let mut take = |now_ms, count| buckets.take(CLIENT, InDebt::Refused, now_ms, count);
        assert_eq!(take(5_000, 10), Ok(0));
        assert_eq!(take(5_000, 12), Ok(0), "22 were there: none is left, and no debt");
        assert_eq!(take(5_000, 7), Ok(0), "nothing is not a debt");
        assert_eq!(take(5_000, 1), Err(Overdrawn(3_500)));
        assert_eq!(take(8_499, 1), Err(Overdrawn(1)));
        assert_eq!(take(8_500, 1), Ok(0));
        assert_eq!(take(8_500, 0), Err(Overdrawn(500)));
    }

    #[test]
    fn who_does_not_know_the_error_gets_all_and_is_told_to_wait() {
        let mut buckets = buckets(1.0);
        let mut take = |now_ms, count| buckets.take(CLIENT, InDebt::ToldToWait, now_ms, count);
        assert_eq!(take(0, 11), Ok(0));
        assert_eq!(take(0, 3), Ok(3_000));
        assert_eq!(take(1_000, 3), Ok(5_000));
        assert_eq!(take(60_000, 11), Ok(0), "no more than a window's is ever there");
        assert_eq!(take(60_000, 1), Ok(1_000));
    }

    #[test]
    fn a_user_shares_a_bucket_and_others_are_free() {
        let mut buckets = buckets(1.0);
        assert_eq!(buckets.take(("u", "a"), InDebt::Refused, 0, 12), Ok(0));
        assert_eq!(buckets.take(("u", "b"), InDebt::Refused, 0, 1), Err(Overdrawn(1_000)));
        assert_eq!(buckets.take(("v", "b"), InDebt::Refused, 0, 1_000_000), Ok(0));
        assert_eq!(buckets.take(("v", "b"), InDebt::Refused, 0, 1), Ok(0));
    }

    #[test]
    fn full_buckets_are_forgotten_and_debts_are_not() {
        let mut buckets = buckets(1.0);
        buckets.take(("u", "a"), InDebt::Refused, 0, 1_000).unwrap();
        buckets.take_spent();
        buckets.sweep(100_000);
        assert!(buckets.take(("u", "a"), InDebt::Refused, 100_000, 1).is_err());
        buckets.sweep(2_000_000);
        assert_eq!(buckets.by_key.len(), 1);
        buckets.take(("u", "a"), InDebt::Refused, 2_000_000, 1).unwrap();
        buckets.sweep(2_011_000);
        assert_eq!(buckets.by_key.len(), 1, "nobody has seen yet what it took");
        buckets.take_spent();
        buckets.sweep(2_011_000);
        assert_eq!(buckets.by_key.len(), 0);
    }

    #[test]
    fn what_was_taken_and_waited_for_is_told_once_and_what_was_refused_is_not_taken() {
        let mut buckets = buckets(1.0);
        buckets.take(CLIENT, InDebt::Refused, 0, 12).unwrap();
        let Overdrawn(wait_ms) = buckets.take(CLIENT, InDebt::Refused, 0, 5).unwrap_err();
        buckets.note_wait(CLIENT, wait_ms);
        buckets.note_wait(("v", "c"), 1);
        let holder = Holder { kind: QuotaKind::Mutation, user: "u".into(), client: Box::default() };
        let spent = Spent { used: 12, waits: 1, wait_ms: 1_000 };
        assert_eq!(buckets.take_spent(), [(holder, spent)]);
        assert_eq!(buckets.take_spent(), []);
    }
}

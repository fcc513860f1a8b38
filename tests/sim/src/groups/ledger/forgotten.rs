//! What a group may forget: offsets that somebody deletes, that expire, or that go with their group
//! or topic.
//!
//! A deletion is a commit of nothing: it takes effect, if ever, between its sending and its end. Which
//! of several deletions a look-up saw that finds nothing cannot be told. Expiry happens by itself: that
//! an offset is gone is right if the wall clock can have shown the time at which it expires. From then
//! on it is gone, whatever dies, or is loaded, later. While a member subscribes to its topic it does not
//! expire.

use millrace_net::ErrorCode;

use super::{Commit, Fate, Ledger, Mark, Spot};
use crate::plan::MS;

impl Ledger {
    /// The wall clock shows so many ms beyond the world's time.
    pub(in super::super) fn see_wall(&mut self, time: u64, beyond_ms: i64) {
        if self.walls.last().is_none_or(|last| last.1 != beyond_ms) {
            self.walls.push((time, beyond_ms));
        }
    }

    /// Whether an offset that was committed may have expired by now. When the broker took it is known
    /// only as far as when it was sent and answered.
    ///
    /// Its time begins with the commit. In a group that is empty and had members of the classic protocol
    /// it begins when the last one left, which is later, and nevertheless ends earlier if the clock was
    /// set back in between.
    fn may_have_expired(&self, commit: &Commit, time: u64) -> bool {
        let from = commit.sent.time;
        let until = if self.terms.may_be_classic { time } else { commit.over_at.unwrap_or(time) };
        let ms = |time: u64| i64::try_from(time / MS).expect("worlds are short");
        let retention_ms = i64::try_from(self.terms.retention_ms).unwrap_or(i64::MAX);
        let ends = self.walls.iter().skip(1).map(|next| next.0).chain([u64::MAX]);
        let mut earliest = i64::MAX;
        for (&(since, beyond), end) in self.walls.iter().zip(ends) {
            let (first, last) = (from.max(since), time.min(end));
            if first > last {
                continue;
            }
            if first <= until {
                earliest = earliest.min(ms(first) + beyond);
            }
            if ms(last) + beyond >= earliest.saturating_add(retention_ms) {
                return true;
            }
        }
        false
    }

    /// Whether a member has subscribed to its topic for as long as it may have been forgotten.
    fn is_guarded(&self, commit: &Commit, time: u64) -> bool {
        self.views.values().any(|view| {
            view.is_safe(&self.terms, &self.claims, time)
                && view.subscribed_since(commit.spot.topic).is_some_and(|at| at <= commit.alive_at)
        })
    }

    /// A look-up found nothing.
    pub(super) fn on_none(&mut self, spot: Spot, mark: Mark, time: u64) {
        let book = self.books.entry(spot).or_default();
        let alive = book.dead.iter().filter(|(_, dead)| **dead > mark.clock).map(|(it, _)| *it);
        let seen: Vec<usize> = book.candidates.iter().copied().chain(alive).collect();
        let commit = |&number: &usize| number.checked_sub(1).map(|at| &self.commits[at]);
        let is_none = seen.iter().any(|it| commit(it).is_none_or(Commit::forgets));
        // A deletion that is still under way need not be what took the offset, and may be refused yet.
        let is_sure =
            |it: &usize| commit(it).is_none_or(|it| it.forgets() && it.fate == Fate::Applied);
        let is_surely_none = seen.iter().any(is_sure);
        let is_expired = seen.iter().filter_map(commit).any(|it| {
            it.fenced.is_none() && self.may_have_expired(it, time) && !self.is_guarded(it, time)
        });
        if !is_none && !is_expired {
            self.fail(&format!("{spot:?}: no offset, but one of commits {seen:?} is due"));
            return;
        }
        if is_expired && !is_surely_none {
            self.forgotten_count += u64::from(!is_none);
            let by = "expiry".to_owned();
            self.add_commit(Commit {
                spot,
                offset: -1,
                by,
                fenced: None,
                sent: mark,
                alive_at: time,
                over: Some(self.clock),
                over_at: Some(time),
                fate: Fate::Applied,
            });
        }
        self.on_current(spot, None, mark.clock);
    }

    /// Somebody who is no member is about to commit a partition's beginning. Returns the commit's number.
    pub(in super::super) fn on_lone_commit_sent(&mut self, spot: Spot, time: u64) -> usize {
        self.on_lone_sent(spot, 0, time)
    }

    /// Somebody is about to ask that an offset be forgotten. Returns the number of that, as of a
    /// commit.
    pub(in super::super) fn on_deletion_sent(&mut self, spot: Spot, time: u64) -> usize {
        self.on_lone_sent(spot, -1, time)
    }

    fn on_lone_sent(&mut self, spot: Spot, offset: i64, time: u64) -> usize {
        let sent = self.mark(time);
        let by = "nobody of the group".to_owned();
        let (fenced, fate) = (None, Fate::Open);
        let (over, over_at) = (None, None);
        let commit = Commit { spot, offset, by, fenced, sent, alive_at: time, over, over_at, fate };
        self.add_commit(commit)
    }

    /// One of the two was answered.
    pub(in super::super) fn on_lone_answered(
        &mut self,
        number: usize,
        error: ErrorCode,
        time: u64,
    ) {
        let is_deletion = self.commits[number - 1].forgets();
        self.forgotten_count += u64::from(error.is_none() && is_deletion);
        self.on_commit_answered(number, error, time);
        if error == ErrorCode::GroupIdNotFound && is_deletion {
            // Of a group that there is not, nothing is known.
            let Commit { spot, sent, .. } = self.commits[number - 1];
            if sent.losses == self.losses {
                self.on_none(spot, sent, time);
            }
        }
    }
}

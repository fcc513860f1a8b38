//! What clients used of their quotas reaches the admin port: gathered from the shard's meters, and
//! on shard 0 from the controller's buckets, every second while there is something.

use std::sync::Arc;

use millrace_io::Mono;

use super::quotas::ms;
use super::{Due, Shard, Turn};
use crate::quota_use::QuotaTable;

/// So long after something was used it is told, ms.
const TELL_MS: u64 = 1_000;
/// How often a shard looks whether somebody has been idle for long, ms.
const LOOK_MS: u64 = 60_000;

/// What is told, and when the next time is.
#[derive(Debug, Default)]
pub(super) struct QuotaReport {
    table: QuotaTable,
    deadline: Option<Mono>,
}

impl Shard {
    /// Something may have been used: it is told soon.
    pub(super) fn tell_quota_use_soon(&mut self, now: Mono) {
        let at = now.plus_ms(TELL_MS);
        if self.quota_use.deadline.is_none_or(|set| set > at) {
            self.set_quota_use_deadline(at);
        }
    }

    fn set_quota_use_deadline(&mut self, at: Mono) {
        if let Some(set) = self.quota_use.deadline.replace(at) {
            self.deadlines.remove(set, Due::QuotaUse);
        }
        self.deadlines.add(at, Due::QuotaUse);
    }

    pub(super) fn on_quota_use_due(&mut self, turn: &Turn) {
        let now = turn.now.mono;
        self.quota_use.deadline = None;
        self.gather_quota_use(now);
        if self.is_stopping() {
            return;
        }
        if self.quota_use.table.has_news() {
            let told = Arc::new(self.quota_use.table.tell());
            // Otherwise it is read at this very moment, and the next time tells.
            if self.counters.quota_use.publish(told) {
                self.quota_use.table.told();
            }
        }
        if self.quota_use.table.has_news() || !self.quotas.meters.is_empty() {
            self.set_quota_use_deadline(now.plus_ms(TELL_MS));
        } else if !self.quota_use.table.is_empty() {
            self.set_quota_use_deadline(now.plus_ms(LOOK_MS));
        }
    }

    /// Takes what was used out of the meters.
    pub(super) fn gather_quota_use(&mut self, now: Mono) {
        let mut all = self.quotas.meters.take_spent();
        if let Some(controller) = &mut self.controller {
            all.extend(controller.take_spent());
        }
        self.quota_use.table.take_in(ms(now), all);
    }
}

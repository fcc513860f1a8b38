//! How fast compactions go beside clients.
//!
//! A compaction that has a CPU and the memory to itself reads more than a gigabyte a second, and the
//! slowest hundredth of produce requests beside it take twice as long. So where nobody set
//! `log.cleaner.io.max.bytes.per.second`, a shard with clients at work holds its compactions to
//! [`BESIDE_CLIENTS`]; one without lets them go. docs/BENCHMARKS.md has the figures.
//!
//! Held back so, compaction might fall behind what is produced: each time that there is more to do
//! than there was when the last one began, twice as much is allowed, and half of it otherwise.

use millrace_io::Mono;

/// What all shards together read and write beside clients, bytes per second.
const BESIDE_CLIENTS: u64 = 100_000_000;
/// The most doublings of it: 1.6 GB/s.
const DOUBLINGS_MAX: u32 = 4;
/// A shard that takes so many requests a second has clients at work. Idle consumers stay below: each
/// asks twice a second.
const BUSY_REQUESTS_PER_S: u64 = 250;
/// How long requests are counted before they count, ns.
const WINDOW_NS: u64 = 100_000_000;

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// Begin of the window, and the shard's requests up to then.
    since: Mono,
    requests: u64,
    is_busy: bool,
    doublings: u32,
    /// A compaction was held back since the last one began.
    was_held: bool,
    /// What there was to compact when the last one began, bytes.
    dirty_bytes: u64,
}

impl Pace {
    /// A compaction begins, with `dirty_bytes` to do in all logs of the shard.
    pub(super) fn begin(&mut self, now: Mono, requests: u64, dirty_bytes: u64) {
        let is_behind = self.was_held && dirty_bytes > self.dirty_bytes;
        self.doublings = if is_behind {
            (self.doublings + 1).min(DOUBLINGS_MAX)
        } else {
            self.doublings.saturating_sub(1)
        };
        // Nothing is known of its time yet.
        let (since, is_busy) = (now, true);
        let doublings = self.doublings;
        *self = Self { since, requests, is_busy, doublings, was_held: false, dirty_bytes };
    }

    /// Bytes per second that one of `shards` shards may read and write now; `configured` of them all,
    /// if somebody said so.
    pub(super) fn allowed(
        &mut self,
        now: Mono,
        requests: u64,
        configured: Option<u64>,
        shards: u64,
    ) -> u64 {
        if let Some(rate) = configured {
            return (rate / shards).max(1);
        }
        let elapsed = now.since(self.since);
        if elapsed >= WINDOW_NS {
            let taken = u128::from(requests.saturating_sub(self.requests)) * 1_000_000_000;
            self.is_busy = taken >= u128::from(BUSY_REQUESTS_PER_S) * u128::from(elapsed);
            (self.since, self.requests) = (now, requests);
        }
        self.was_held |= self.is_busy;
        if self.is_busy { (BESIDE_CLIENTS << self.doublings) / shards } else { u64::MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn beside_clients_it_is_held_back_and_without_them_let_go() {
        let mut pace = Pace::default();
        pace.begin(Mono(0), 1000, 1);
        assert_eq!(pace.allowed(Mono(MS), 1000, None, 2), 50_000_000, "nothing is known yet");
        assert_eq!(pace.allowed(Mono(100 * MS), 1024, None, 2), u64::MAX, "240 a second");
        assert_eq!(pace.allowed(Mono(150 * MS), 2024, None, 2), u64::MAX, "within a window");
        assert_eq!(pace.allowed(Mono(200 * MS), 2024, None, 2), 50_000_000);
        assert_eq!(pace.allowed(Mono(300 * MS), 2024, None, 2), u64::MAX);
    }

    #[test]
    fn a_rate_that_is_set_holds_with_clients_and_without() {
        let mut pace = Pace::default();
        pace.begin(Mono(0), 0, 1);
        for (ms, requests) in [(1, 0), (200, 100_000), (400, 100_000)] {
            assert_eq!(pace.allowed(Mono(ms * MS), requests, Some(7_000), 2), 3_500);
        }
        assert_eq!(pace.allowed(Mono(500 * MS), 0, Some(0), 2), 1, "it never stands still");
    }

    #[test]
    fn one_that_falls_behind_gets_faster_and_slower_again() {
        let mut pace = Pace::default();
        let mut allowed = Vec::new();
        for dirty in [100, 200, 300, 400, 500, 600, 700, 100, 100, 200] {
            pace.begin(Mono(0), 0, dirty);
            allowed.push(pace.allowed(Mono(1), 0, None, 1) / BESIDE_CLIENTS);
        }
        assert_eq!(allowed, [1, 2, 4, 8, 16, 16, 16, 8, 4, 8]);
    }
}

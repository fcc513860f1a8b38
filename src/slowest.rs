//! A recorder of the slowest requests: who asked what, and where the time went.
//!
//! Each shard keeps the slowest of the present minute and of the one before; the admin port reads
//! them at `/slowest`. A request that is faster than all that are kept costs one comparison. How
//! long a fetch waited for records is told but does not make it slow.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use millrace_io::Mono;
use millrace_net::ApiKey;

/// Requests kept per shard and minute.
pub const SLOWEST_MAX: usize = 16;
/// Length of a period, ns.
const PERIOD_NS: u64 = 60_000_000_000;
/// Faster requests are not kept at all, ns.
pub const SLOW_NS_MIN: u64 = 1_000_000;
/// Characters of a client id that are kept.
pub const CLIENT_ID_CHARS_MAX: usize = 64;

/// One request, with its stages in ns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowRequest {
    /// The API.
    pub api: ApiKey,
    /// The name the client gave itself, cut to [`CLIENT_ID_CHARS_MAX`].
    pub client_id: String,
    /// The client's address.
    pub peer: SocketAddr,
    /// When the reply was ready.
    pub ended: Mono,
    /// From being received to being taken up: earlier requests of the connection ran.
    pub queue_ns: u64,
    /// From being taken up to the reply being ready, without `park_ns`.
    pub work_ns: u64,
    /// A fetch waited for records.
    pub park_ns: u64,
}

impl SlowRequest {
    /// What makes it slow.
    pub const fn total_ns(&self) -> u64 {
        self.queue_ns + self.work_ns
    }
}

/// One shard's slowest requests.
#[derive(Debug, Default)]
pub struct Slowest(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    period: u64,
    /// Slowest first.
    present: Vec<SlowRequest>,
    past: Vec<SlowRequest>,
}

impl Slowest {
    /// Keeps a request if it is among the slowest. Returns the bound below which the next one need
    /// not be told, until `ended` is in another minute.
    pub fn note(&self, request: SlowRequest) -> u64 {
        let mut kept = self.kept();
        kept.turn_over(request.ended.0 / PERIOD_NS);
        let total = request.total_ns();
        let index = kept.present.partition_point(|other| other.total_ns() >= total);
        kept.present.insert(index, request);
        kept.present.truncate(SLOWEST_MAX);
        let last = kept.present.last().map_or(0, SlowRequest::total_ns);
        if kept.present.len() < SLOWEST_MAX { SLOW_NS_MIN } else { last.max(SLOW_NS_MIN) }
    }

    /// The number of the period that a time is in.
    pub const fn period_of(now: Mono) -> u64 {
        now.0 / PERIOD_NS
    }

    /// What is kept, slowest first.
    pub fn all(&self) -> Vec<SlowRequest> {
        let kept = self.kept();
        let mut all: Vec<SlowRequest> = kept.present.iter().chain(&kept.past).cloned().collect();
        all.sort_by_key(|request| std::cmp::Reverse(request.total_ns()));
        all
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn turn_over(&mut self, period: u64) {
        if period > self.period {
            let present = std::mem::take(&mut self.present);
            self.past = if period == self.period + 1 { present } else { Vec::new() };
            self.period = period;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(ended_ms: u64, work_ns: u64) -> SlowRequest {
        SlowRequest {
            api: ApiKey::Produce,
            client_id: "c".to_owned(),
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            ended: Mono(ended_ms * 1_000_000),
            queue_ns: 0,
            work_ns,
            park_ns: 7,
        }
    }

    #[test]
    fn the_slowest_of_two_minutes_are_kept_slowest_first() {
        let slowest = Slowest::default();
        let works = |slowest: &Slowest| -> Vec<u64> {
            slowest.all().iter().map(|request| request.work_ns).collect()
        };
        for work in 0..20 {
            let bound = slowest.note(request(1, SLOW_NS_MIN + work));
            let is_full = work + 1 >= SLOWEST_MAX as u64;
            let expected = if is_full { work + 1 - SLOWEST_MAX as u64 } else { 0 };
            assert_eq!(bound, SLOW_NS_MIN + expected);
        }
        assert_eq!(works(&slowest).first(), Some(&(SLOW_NS_MIN + 19)));
        assert_eq!(works(&slowest).len(), SLOWEST_MAX);
        assert_eq!(slowest.note(request(60_001, 5)), SLOW_NS_MIN, "a new minute begins");
        assert_eq!(works(&slowest).len(), SLOWEST_MAX + 1);
        slowest.note(request(120_001, 6));
        assert_eq!(works(&slowest), [6, 5], "the first minute is forgotten");
        slowest.note(request(600_001, 8));
        assert_eq!(works(&slowest), [8]);
    }
}

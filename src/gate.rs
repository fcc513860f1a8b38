//! Who may connect: the limits on connections, in all, per address and per second.
//!
//! As in Kafka's acceptor: where there are too many connections, or they come too fast, the next
//! one waits, and those behind it; where one address has too many, its next one is closed. A
//! connection that waits is taken in by the kernel and not read from. Shard 0 keeps the gate for
//! all shards; whoever lets a connection go tells it.
//!
//! Not here: sockets. Deterministic: time is an argument.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use millrace_io::{ListenerId, Mono, SocketId};

/// Connections that wait; one more is closed. Kafka leaves them to the kernel's backlog, which is
/// smaller.
pub const WAITING_MAX: usize = 1024;
/// How long a connection waits where none are allowed per second, before it looks again.
const NEVER_MS: u64 = 3_600_000;

/// The limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `max.connections`.
    pub count_max: u32,
    /// `max.connections.per.ip`.
    pub per_ip_max: u32,
    /// `max.connections.per.ip.overrides`.
    pub per_ip_overrides: BTreeMap<IpAddr, u32>,
    /// `max.connection.creation.rate`, per second; none without one.
    pub rate_max: Option<u32>,
    /// `quota.window.num`.
    pub samples: u32,
    /// `quota.window.size.seconds`.
    pub sample_seconds: u32,
}

/// A connection at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The driver's name for it.
    pub socket: SocketId,
    /// Where it came in.
    pub listener: ListenerId,
    /// From where.
    pub peer: SocketAddr,
    /// The address of ours that it asked for.
    pub local: SocketAddr,
}

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in, and counts until [`Gate::on_gone`].
    In(Arrival),
    /// Its address has too many: it is to be closed.
    Refused(Arrival),
}

/// See the file's head.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    count: u32,
    by_ip: BTreeMap<IpAddr, u32>,
    waiting: VecDeque<Arrival>,
    /// When the first that waits has waited long enough for the rate; none if it was not counted.
    head_from: Option<Mono>,
    /// Connections by the number of their sample, oldest first.
    samples: VecDeque<(u64, u64)>,
}

impl Gate {
    /// A gate through which nobody has gone.
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            count: 0,
            by_ip: BTreeMap::new(),
            waiting: VecDeque::new(),
            head_from: None,
            samples: VecDeque::new(),
        }
    }

    /// Takes new limits; those who are in stay.
    pub fn set_limits(&mut self, limits: Limits) {
        if self.limits != limits {
            self.limits = limits;
            self.head_from = None;
        }
    }

    /// Connections that are in.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// Connections that wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// A connection arrives. False if so many wait that it is to be closed.
    pub fn arrive(&mut self, arrival: Arrival) -> bool {
        let has_room = self.waiting.len() < WAITING_MAX;
        if has_room {
            self.waiting.push_back(arrival);
        }
        has_room
    }

    /// The next connection whose turn it is, if it is anybody's.
    pub fn next(&mut self, now: Mono) -> Option<Verdict> {
        self.waiting.front()?;
        let from = match self.head_from {
            Some(from) => from,
            None => now.plus_ms(self.note_creation(now)),
        };
        self.head_from = Some(from);
        if now < from || self.count >= self.limits.count_max {
            return None;
        }
        self.head_from = None;
        let arrival = self.waiting.pop_front()?;
        let ip = arrival.peer.ip();
        let limit = self.limits.per_ip_overrides.get(&ip).copied();
        let count = self.by_ip.entry(ip).or_default();
        if *count >= limit.unwrap_or(self.limits.per_ip_max) {
            if *count == 0 {
                self.by_ip.remove(&ip);
            }
            return Some(Verdict::Refused(arrival));
        }
        *count += 1;
        self.count += 1;
        Some(Verdict::In(arrival))
    }

    /// When [`Self::next`] may have somebody without anybody going.
    pub fn deadline(&self) -> Option<Mono> {
        self.head_from.filter(|_| self.count < self.limits.count_max)
    }

    /// A connection that was in is gone.
    pub fn on_gone(&mut self, ip: IpAddr) {
        assert!(self.count > 0, "a connection goes that was never in");
        self.count -= 1;
        if let Some(count) = self.by_ip.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                self.by_ip.remove(&ip);
            }
        }
    }

    /// A connection that waits is gone. False if it does not wait.
    pub fn forget(&mut self, socket: SocketId) -> bool {
        let Some(index) = self.waiting.iter().position(|arrival| arrival.socket == socket) else {
            return false;
        };
        self.waiting.remove(index);
        if index == 0 {
            self.head_from = None;
        }
        true
    }

    /// Counts a new connection; how long it has to wait for the rate, ms.
    ///
    /// The rate is taken over all samples, the present one included, and over at least all but one
    /// of them in time, so a short burst passes. Source: Kafka's `Rate`, KIP-612.
    fn note_creation(&mut self, now: Mono) -> u64 {
        let Some(rate_max) = self.limits.rate_max else { return 0 };
        let sample_ms = u64::from(self.limits.sample_seconds.max(1)) * 1000;
        let now_ms = now.0 / 1_000_000;
        let sample = now_ms / sample_ms;
        let held = u64::from(self.limits.samples.max(1));
        while self.samples.front().is_some_and(|(number, _)| number + held <= sample) {
            self.samples.pop_front();
        }
        match self.samples.back_mut() {
            Some((number, count)) if *number == sample => *count += 1,
            Some(_) | None => self.samples.push_back((sample, 1)),
        }
        let oldest = self.samples.front().map_or(sample, |(number, _)| *number);
        let elapsed_ms = (now_ms - oldest * sample_ms).max((held - 1) * sample_ms);
        let count: u64 = self.samples.iter().map(|(_, count)| count).sum();
        match (count * 1000).checked_div(u64::from(rate_max)) {
            Some(due_ms) => due_ms.saturating_sub(elapsed_ms),
            None => NEVER_MS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            count_max: u32::MAX,
            per_ip_max: u32::MAX,
            per_ip_overrides: BTreeMap::new(),
            rate_max: None,
            samples: 11,
            sample_seconds: 1,
        }
    }

    fn arrival(slot: u32, host: u8) -> Arrival {
        let address = SocketAddr::from(([10, 0, 0, host], 9092));
        let socket = SocketId { slot, generation: 0 };
        Arrival { socket, listener: ListenerId(0), peer: address, local: address }
    }

    const fn at(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    #[test]
    fn a_full_broker_lets_the_next_wait_until_one_goes() {
        let mut gate = Gate::new(Limits { count_max: 2, ..limits() });
        for slot in 0..4 {
            assert!(gate.arrive(arrival(slot, 1)));
        }
        assert_eq!(gate.next(at(0)), Some(Verdict::In(arrival(0, 1))));
        assert_eq!(gate.next(at(0)), Some(Verdict::In(arrival(1, 1))));
        assert_eq!((gate.next(at(0)), gate.deadline()), (None, None), "nothing but a leave helps");
        assert!(gate.forget(arrival(2, 1).socket) && !gate.forget(arrival(0, 1).socket));
        gate.on_gone(arrival(0, 1).peer.ip());
        assert_eq!(gate.next(at(9)), Some(Verdict::In(arrival(3, 1))));
        assert_eq!((gate.count(), gate.waiting()), (2, 0));
    }

    #[test]
    fn an_address_with_too_many_is_refused_and_others_are_not() {
        let overrides =
            BTreeMap::from([(arrival(0, 2).peer.ip(), 0), (arrival(0, 3).peer.ip(), 2)]);
        let mut gate = Gate::new(Limits { per_ip_max: 1, per_ip_overrides: overrides, ..limits() });
        for (slot, host, is_in) in
            [(0, 1, true), (1, 1, false), (2, 2, false), (3, 3, true), (4, 3, true), (5, 3, false)]
        {
            gate.arrive(arrival(slot, host));
            let arrival = arrival(slot, host);
            let expected = if is_in { Verdict::In(arrival) } else { Verdict::Refused(arrival) };
            assert_eq!(gate.next(at(0)), Some(expected));
        }
        gate.on_gone(arrival(0, 1).peer.ip());
        gate.arrive(arrival(6, 1));
        assert_eq!(gate.next(at(0)), Some(Verdict::In(arrival(6, 1))));
    }

    #[test]
    fn a_rate_lets_a_burst_pass_and_then_holds() {
        let mut gate = Gate::new(Limits { rate_max: Some(2), ..limits() });
        let mut admitted = Vec::new();
        for slot in 0..60 {
            gate.arrive(arrival(slot, 1));
        }
        let mut now = 5_000;
        while gate.waiting() > 0 {
            match gate.next(at(now)) {
                Some(Verdict::In(_)) => admitted.push(now),
                Some(Verdict::Refused(_)) => panic!("a rate refuses nobody"),
                None => now += 10,
            }
        }
        let within = |ms: u64| admitted.iter().filter(|at| **at <= 5_000 + ms).count();
        assert_eq!(within(0), 20, "ten seconds' worth at once");
        for second in 1..15 {
            let count = within(second * 1000);
            assert!(
                count <= 22 + 2 * usize::try_from(second).expect("few"),
                "{count} in {second} s"
            );
        }
        let last = admitted.last().expect("all are in");
        assert!((15_000..40_000).contains(last), "the last at {last} ms");
    }

    #[test]
    fn no_rate_at_all_lets_nobody_in_and_too_many_who_wait_are_closed() {
        let mut gate = Gate::new(Limits { rate_max: Some(0), ..limits() });
        let count = u32::try_from(WAITING_MAX).expect("few");
        assert!((0..count).all(|slot| gate.arrive(arrival(slot, 1))));
        assert!(!gate.arrive(arrival(count, 1)));
        assert_eq!(gate.next(at(10)), None);
        assert_eq!(gate.deadline(), Some(at(10).plus_ms(NEVER_MS)));
        gate.set_limits(limits());
        assert!(matches!(gate.next(at(11)), Some(Verdict::In(_))));
    }
}

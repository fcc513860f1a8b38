//! Client quotas on one shard: what clients used, and making them wait.
//!
//! A client that used more than it may gets its answer at once, with the time to wait in it, and
//! its connection is not read for that long (KIP-219). A Fetch beyond the quota is answered without
//! records. Without any quota in the image nothing is counted.
//!
//! A client with connections on several shards is held to its quota in sum: every
//! [`NEWS_MS`] a shard tells the others what its clients used, and that counts there like their own
//! use. So what a client gets over a window is its quota, and at most what the other shards let
//! through within [`NEWS_MS`] more, which the following waits take back.
//!
//! Not here: the arithmetic (`millrace_net::quota`), storing quotas (the controller).

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use millrace_io::{Mono, Op, ShardId, SocketId};
use millrace_net::quota::{
    EntityName, InDebt, Limit, METERS_MAX, Meters, QuotaKind, Rate, Rules, Usage, WindowConfig,
};
use millrace_net::throttle::throttle_time_leads_from;
use millrace_replication::Image;
use millrace_replication::controller::{CLIENT_ID, IP, USER};
use millrace_replication::image::QuotaEntity;

use super::{Due, ReplyTo, Shard, Turn};
use crate::controller::Charge;
use crate::mail::Letter;
use crate::setup::Setup;
use crate::slab::Key;
use crate::topic_config;

/// Who clients are on a listener without authentication. Kafka's name.
pub(crate) const ANONYMOUS: &str = "ANONYMOUS";
/// How often shards tell each other what their clients used, ms.
const NEWS_MS: u64 = 100;
/// How often clients that use nothing any more are forgotten, ms.
const SWEEP_MS: u64 = 1_000;
/// Sockets that are kept waiting for their end; one more is closed at once.
const HELD_SOCKETS_MAX: usize = 1_024;
/// Bytes of a request whose handling costs about as much as that of a request by itself.
const BYTES_PER_REQUEST: u64 = 4_096;

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Quotas {
    config: WindowConfig,
    pub(super) meters: Meters,
    /// Somebody is held to something.
    pub(super) is_active: bool,
    timer: Option<Mono>,
    sweep_at: Mono,
    /// Requests that ran in this turn: client id and weight. Their turn's time is divided by them.
    ran: Vec<(Box<str>, u64)>,
    ran_at: Mono,
    connections: Connections,
}

/// `connection_creation_rate`, on the shard that accepts.
#[derive(Debug, Default)]
struct Connections {
    limits: BTreeMap<IpAddr, Limit>,
    default: Option<Limit>,
    rates: BTreeMap<IpAddr, Rate>,
    /// Connections beyond the rate, by when they are closed.
    held: VecDeque<(Mono, SocketId)>,
}

impl Quotas {
    pub(super) fn new(setup: &Setup) -> Self {
        let image = Image::empty();
        let view = topic_config::view(setup, &image);
        let number = |name| u64::try_from(view.number(name)).unwrap_or(1).max(1);
        let config = WindowConfig {
            samples: u32::try_from(number("quota.window.num")).unwrap_or(u32::MAX),
            sample_ms: number("quota.window.size.seconds").saturating_mul(1000),
        };
        Self {
            config,
            meters: Meters::new(config),
            is_active: false,
            timer: None,
            sweep_at: Mono(0),
            ran: Vec::new(),
            ran_at: Mono(0),
            connections: Connections::default(),
        }
    }

    /// The longest that a client waits for the time its requests took, and for a connection.
    const fn bounded_wait_ms(&self) -> u64 {
        self.config.sample_ms
    }

    fn set_limits(&mut self, image: &Image) {
        self.is_active = false;
        for kind in QuotaKind::ALL {
            let rules = rules(image, kind);
            self.is_active |= !rules.is_empty();
            // What is created and deleted is measured where it is decided, by the controller.
            if kind != QuotaKind::Mutation {
                self.meters.set_rules(kind, rules);
            }
        }
        let connections = &mut self.connections;
        (connections.limits, connections.default) = (BTreeMap::new(), None);
        for (entity, limits) in image.quotas() {
            let Some(name) = entity.get(IP) else { continue };
            let value = limits.get("connection_creation_rate").copied();
            let Some(limit) = value.and_then(Limit::per_second) else { continue };
            match name.as_deref().map(str::parse) {
                None => connections.default = Some(limit),
                Some(Ok(address)) => {
                    connections.limits.insert(address, limit);
                }
                // Nobody comes from what is no address.
                Some(Err(_)) => {}
            }
        }
        if connections.limits.is_empty() && connections.default.is_none() {
            connections.rates.clear();
        }
    }
}

/// Who is charged for what a request creates and deletes.
///
/// - `strict_from`: the version from which on clients know THROTTLING_QUOTA_EXCEEDED. Source: KIP-599.
pub(crate) fn mutation_charge(request: &super::Request, strict_from: i16) -> Charge {
    let is_strict = request.to.version >= strict_from;
    Charge {
        client_id: request.client_id.as_deref().unwrap_or_default().into(),
        in_debt: if is_strict { InDebt::Refused } else { InDebt::ToldToWait },
    }
}

fn rules(image: &Image, kind: QuotaKind) -> Rules {
    fn name<'a>(entity: &'a QuotaEntity, part: &str) -> EntityName<'a> {
        match entity.get(part) {
            None => EntityName::Absent,
            Some(None) => EntityName::Default,
            Some(Some(name)) => EntityName::Named(name),
        }
    }
    let mut rules = Rules::default();
    for (entity, limits) in image.quotas() {
        if let Some(limit) = limits.get(kind.key()).and_then(|value| kind.limit(*value)) {
            rules.set(name(entity, USER), name(entity, CLIENT_ID), limit);
        }
    }
    rules
}

/// The time of a turn as quotas count it, ms.
pub(super) const fn ms(at: Mono) -> u64 {
    at.0 / 1_000_000
}

/// What a response can say, ms.
fn told(wait_ms: u64) -> i32 {
    i32::try_from(wait_ms).unwrap_or(i32::MAX)
}

impl Shard {
    /// Works by the quotas of the image from here on.
    pub(super) fn apply_quotas(&mut self, now: Mono) {
        // Who is held to nothing any more leaves its meter, and what is in it would be lost.
        if self.quotas.is_active {
            self.gather_quota_use(now);
            self.tell_quota_use_soon(now);
        }
        let image = Arc::clone(&self.image);
        self.quotas.set_limits(&image);
        if let Some(controller) = &mut self.controller {
            controller.set_mutation_rules(rules(&image, QuotaKind::Mutation));
        }
    }

    /// Notes use, and gives the time that the client has to wait, ms.
    fn charge(
        &mut self,
        turn: &Turn,
        kind: QuotaKind,
        client_id: Option<&str>,
        amount: i64,
    ) -> u64 {
        let client = (ANONYMOUS, client_id.unwrap_or_default());
        let wait_ms = self.quotas.meters.charge(kind, client, ms(turn.now.mono), amount);
        if self.quotas.timer.is_none() && !self.quotas.meters.is_empty() {
            self.set_quota_timer(turn.now.mono);
        }
        wait_ms
    }

    fn set_quota_timer(&mut self, now: Mono) {
        let at = now.plus_ms(NEWS_MS);
        self.quotas.timer = Some(at);
        self.deadlines.add(at, Due::Quotas);
        self.tell_quota_use_soon(now);
    }

    /// A client over its quota is told to wait, and its connection does.
    fn make_wait(
        &mut self,
        turn: &mut Turn,
        kind: QuotaKind,
        (key, client_id): (Key, Option<&str>),
        wait_ms: u64,
    ) {
        let client = (ANONYMOUS, client_id.unwrap_or_default());
        self.quotas.meters.note_wait(kind, client, wait_ms);
        self.throttle_client(turn, key, wait_ms);
    }

    /// A request is taken up. Returns the time its client has to wait for what its requests
    /// before took, ms: the connection waits from now on.
    pub(super) fn begin_quotas(
        &mut self,
        turn: &mut Turn,
        client: Key,
        client_id: Option<&str>,
        frame_bytes: usize,
    ) -> i32 {
        if !self.quotas.is_active {
            return 0;
        }
        if let Some(client) = self.clients.get_mut(client) {
            client.set_client_id(client_id);
        }
        if !self.quotas.meters.limits(QuotaKind::Request) {
            return 0;
        }
        let weight = 1 + frame_bytes as u64 / BYTES_PER_REQUEST;
        self.quotas.ran.push((client_id.unwrap_or_default().into(), weight));
        self.quotas.ran_at = turn.now.mono;
        let wait_ms = self.charge(turn, QuotaKind::Request, client_id, 0);
        let wait_ms = wait_ms.min(self.quotas.bounded_wait_ms());
        if wait_ms > 0 {
            self.counters.requests_throttled.add(1);
            self.make_wait(turn, QuotaKind::Request, (client, client_id), wait_ms);
        }
        told(wait_ms)
    }

    /// A Produce request is taken up: its bytes count. Returns the time its client has to wait, ms.
    pub(crate) fn charge_produce(&mut self, turn: &mut Turn, request: &super::Request) -> i32 {
        let to = &request.to;
        if !self.quotas.meters.limits(QuotaKind::Produce) {
            return to.throttle_ms;
        }
        let bytes = i64::try_from(request.frame.len()).unwrap_or(i64::MAX);
        let client_id = request.client_id.as_deref();
        let wait_ms = self.charge(turn, QuotaKind::Produce, client_id, bytes);
        if wait_ms > 0 {
            self.counters.produce_throttled.add(1);
            self.make_wait(turn, QuotaKind::Produce, (to.client, client_id), wait_ms);
        }
        told(wait_ms).max(to.throttle_ms)
    }

    /// The bound on a Fetch reply's bytes: what its client may have within a window at the most,
    /// since a larger one could never be sent.
    pub(crate) fn fetch_bytes_max(&self, client_id: Option<&str>) -> u32 {
        let client = (ANONYMOUS, client_id.unwrap_or_default());
        let units = self.quotas.meters.window_units(QuotaKind::Fetch, client);
        let bytes = units.and_then(|units| u32::try_from(units).ok());
        bytes.unwrap_or(u32::MAX).min(self.setup.fetch_bytes_max)
    }

    /// A Fetch has so many bytes to answer with: may it? Otherwise returns the time its client has
    /// to wait, ms, and the bytes do not count.
    pub(crate) fn throttle_fetch(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        bytes: impl FnOnce() -> usize,
    ) -> Option<i32> {
        if !self.quotas.is_active {
            return None;
        }
        let client = self.clients.get(to.client)?;
        let client_id: Option<Box<str>> = client.client_id().map(Box::from);
        let bytes = i64::try_from(bytes()).unwrap_or(i64::MAX);
        let wait_ms = self.charge(turn, QuotaKind::Fetch, client_id.as_deref(), bytes);
        if wait_ms > 0 {
            self.counters.fetch_throttled.add(1);
            let whose = (to.client, client_id.as_deref());
            self.make_wait(turn, QuotaKind::Fetch, whose, wait_ms);
        }
        let wait_ms = told(wait_ms).max(to.throttle_ms);
        if wait_ms == 0 {
            return None;
        }
        self.charge(turn, QuotaKind::Fetch, client_id.as_deref(), -bytes);
        Some(wait_ms)
    }

    /// What a request created and deleted makes its client wait. Returns the request with that time in
    /// it.
    pub(crate) fn mutation_throttled(
        &mut self,
        turn: &mut Turn,
        to: &ReplyTo,
        wait_ms: u64,
    ) -> ReplyTo {
        self.counters.mutations_throttled.add(1);
        self.throttle_client(turn, to.client, wait_ms);
        ReplyTo { throttle_ms: told(wait_ms).max(to.throttle_ms), ..*to }
    }

    /// Nothing more is read from a connection, and none of its requests begins, for so long.
    pub(crate) fn throttle_client(&mut self, turn: &mut Turn, key: Key, wait_ms: u64) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let until = turn.now.mono.plus_ms(wait_ms);
        if client.throttled_until.is_some_and(|before| before >= until) {
            return;
        }
        self.counters.throttle_ms.add(wait_ms);
        client.throttled_until = Some(until);
        client.connection.pause(turn.ops);
        self.deadlines.add(until, Due::Throttled(key));
    }

    /// A connection has waited.
    pub(super) fn on_throttle_due(&mut self, turn: &mut Turn, key: Key) {
        let Some(client) = self.clients.get_mut(key) else { return };
        if client.throttled_until.is_none_or(|until| until > turn.now.mono) {
            return;
        }
        client.throttled_until = None;
        // It was silent because it had to be.
        client.last_active = turn.now.mono;
        self.runnable.push_back(key);
        self.resume_or_starve(turn, key);
    }

    /// What a turn took, ns, once it is over: divided among the clients whose requests it ran.
    /// Only called by whoever has a clock to measure it with, and while [`Self::wants_step_time`].
    pub fn note_step_time(&mut self, ns: u64) {
        let ran = std::mem::take(&mut self.quotas.ran);
        let weights: u64 = ran.iter().map(|(_, weight)| weight).sum();
        let now_ms = ms(self.quotas.ran_at);
        for (client_id, weight) in &ran {
            let share = u128::from(ns) * u128::from(*weight) / u128::from(weights.max(1));
            let share = i64::try_from(share).unwrap_or(i64::MAX);
            let client = (ANONYMOUS, &**client_id);
            self.quotas.meters.charge(QuotaKind::Request, client, now_ms, share);
        }
        if self.quotas.timer.is_none() && !self.quotas.meters.is_empty() {
            self.set_quota_timer(self.quotas.ran_at);
        }
    }

    /// True while somebody is held to the time that requests take.
    pub const fn wants_step_time(&self) -> bool {
        self.quotas.meters.limits(QuotaKind::Request)
    }

    /// Tells the other shards what was used here, and forgets who uses nothing any more.
    pub(super) fn on_quotas_due(&mut self, turn: &mut Turn) {
        let now = turn.now.mono;
        self.quotas.timer = None;
        if self.quotas.meters.has_news() {
            let news: Arc<[Usage]> = self.quotas.meters.take_news().into();
            for shard in (0..self.setup.shards).map(ShardId) {
                if shard != self.id {
                    self.send(shard, Letter::QuotaUsage(Arc::clone(&news)));
                }
            }
        }
        if now >= self.quotas.sweep_at {
            self.quotas.meters.sweep(ms(now));
            self.quotas.sweep_at = now.plus_ms(SWEEP_MS);
        }
        if !self.quotas.meters.is_empty() && !self.is_stopping() {
            self.set_quota_timer(now);
        }
    }

    /// What was used on another shard.
    pub(super) fn on_quota_usage(&mut self, turn: &Turn, news: &[Usage]) {
        self.quotas.meters.on_news(ms(turn.now.mono), news);
        if self.quotas.timer.is_none() && !self.quotas.meters.is_empty() {
            self.set_quota_timer(turn.now.mono);
        }
    }

    /// A connection arrives, on the shard that accepts: may it? Otherwise it is held for a while,
    /// unheard, and closed. Source: KIP-612.
    pub(super) fn admit(&mut self, turn: &mut Turn, socket: SocketId, peer: SocketAddr) -> bool {
        let config = self.quotas.config;
        let wait_max = self.quotas.bounded_wait_ms();
        let connections = &mut self.quotas.connections;
        let address = peer.ip().to_canonical();
        let limit = connections.limits.get(&address).copied().or(connections.default);
        let Some(limit) = limit else { return true };
        let now = turn.now.mono;
        if connections.rates.len() >= METERS_MAX {
            connections.rates.retain(|_, rate| !rate.is_idle(&config, ms(now)));
        }
        let rate = connections.rates.entry(address).or_default();
        rate.record(&config, ms(now), 1);
        let wait_ms = rate.throttle_ms(&config, ms(now), limit).min(wait_max);
        if wait_ms == 0 {
            return true;
        }
        rate.record(&config, ms(now), -1);
        self.counters.connections_throttled.add(1);
        if connections.held.len() >= HELD_SOCKETS_MAX {
            turn.ops.push(Op::Close { socket });
            return false;
        }
        let until = now.plus_ms(wait_ms);
        connections.held.push_back((until, socket));
        self.deadlines.add(until, Due::HeldSockets);
        false
    }

    /// Connections beyond the rate have been kept long enough.
    pub(super) fn close_held_sockets(&mut self, turn: &mut Turn) {
        let held = &mut self.quotas.connections.held;
        held.retain(|(until, socket)| {
            let is_over = *until <= turn.now.mono;
            if is_over {
                turn.ops.push(Op::Close { socket: *socket });
            }
            !is_over
        });
    }
}

/// Writes the time to wait into a finished reply, where its API has it at the front. `header` are
/// the bytes before the body.
pub(super) fn tell_wait(frame: &mut [u8], to: &ReplyTo, header: usize) {
    let has_it = throttle_time_leads_from(to.api).is_some_and(|from| to.version >= from);
    if let Some(place) = frame.get_mut(header..header + 4)
        && has_it
    {
        place.copy_from_slice(&to.throttle_ms.to_be_bytes());
    }
}

//! A group's member: what is the same for both protocols. It reads the partitions it is given from
//! what is committed, processes, commits, and goes on. It crashes, stalls, leaves and comes back.

use std::collections::{BTreeSet, VecDeque};

use millrace_net::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use millrace_net::messages::find_coordinator::FindCoordinatorRequest;
use millrace_net::messages::heartbeat::HeartbeatRequest;
use millrace_net::messages::join_group::JoinGroupRequest;
use millrace_net::messages::leave_group::LeaveGroupRequest;
use millrace_net::messages::sync_group::SyncGroupRequest;
use millrace_net::messages::{
    consumer_group_heartbeat::ConsumerGroupHeartbeatRequest, offset_commit::OffsetCommitRequest,
    offset_fetch::OffsetFetchRequest,
};
use millrace_world::{ClientId, Rng, World};

use super::classic::Classic;
use super::ledger::{Mark, Speaks, Spot};
use super::modern::Modern;
use super::writer::{Topic, error_of, is_trouble};
use super::{Board, wire};
use crate::link::Link;
use crate::plan::MS;

/// The version of its fetches, and the one where a topic's name does not say which it is.
const FETCH_VERSION: i16 = 12;
const FETCH_VERSION_OF_IDS: i16 = 13;
/// How long a request may wait for its answer while its connection stands, ns.
const ANSWER_NS_MAX: u64 = 60_000 * MS;

/// What a member subscribes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subscription {
    /// Topics by their indexes; they need not exist.
    Topics(BTreeSet<usize>),
    /// An expression that all of the groups' topics match.
    Everything,
}

/// What befalls a member.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// It dies without a word and comes back after so many ms.
    Crash(u64),
    /// The same, and its connections stay open with nobody behind them.
    Vanish(u64),
    /// It does nothing for so many ms, and goes on as if nothing had happened.
    Stall(u64),
    /// It leaves and comes back after so many ms.
    Leave(u64),
    /// It wants other topics.
    Resubscribe(Subscription),
    /// Its connections break.
    Reset,
    /// It dies, or leaves if it is polite, and comes back after so many ms speaking the other
    /// protocol, where its group is one of both.
    Convert(u64),
}

/// How a member behaves.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    /// The group's name.
    pub(super) group_id: String,
    /// Set for a static member.
    pub(super) instance: Option<String>,
    /// What it subscribes to at first.
    pub(super) subscription: Subscription,
    /// When it starts, ns.
    pub(super) starts: u64,
    /// What befalls it when, in order of time.
    pub(super) troubles: VecDeque<(u64, Trouble)>,
    /// Its session's time, ms; of the classic protocol.
    pub(super) session_ms: u64,
    /// How long it may take to rejoin, or to give up partitions, ms.
    pub(super) rebalance_ms: u64,
    /// Between heartbeats, ms.
    pub(super) beat_ms: u64,
    /// Between commits, at most, ms.
    pub(super) commit_ms: u64,
    /// Bytes of a fetch.
    pub(super) fetch_bytes: i32,
    /// Whether it keeps what it has while it joins again.
    pub(super) is_lazy: bool,
    /// Versions of OffsetCommit and OffsetFetch.
    pub(super) offset_versions: (i16, i16),
}

/// A partition that a member has.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    /// Which.
    pub(super) spot: Spot,
    /// The next offset to process; none until it is known what is committed.
    pub(super) position: Option<i64>,
    /// What was committed last, -1 for nothing.
    pub(super) committed: i64,
    /// The position of the fetch that is under way.
    asked: Option<i64>,
}

impl Lane {
    /// A partition of which nothing is known.
    pub(super) const fn new(spot: Spot) -> Self {
        Self { spot, position: None, committed: -1, asked: None }
    }
}

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Sent {
    /// What it was.
    pub(super) ask: Ask,
    /// When it was sent.
    pub(super) mark: Mark,
}

/// See [`Sent`].
#[derive(Debug)]
pub(super) enum Ask {
    /// FindCoordinator.
    Find,
    /// JoinGroup; true if it is to take an instance id's place.
    Join(bool),
    /// SyncGroup.
    Sync,
    /// Heartbeat.
    Beat,
    /// ConsumerGroupHeartbeat; true for a first one.
    ModernBeat(bool),
    /// LeaveGroup.
    Leave,
    /// OffsetCommit: numbers of the commits.
    Commit(Vec<usize>),
    /// OffsetFetch.
    Offsets,
}

/// Where a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It starts at this time.
    Down(u64),
    /// It runs.
    Up,
    /// It was fenced by one of its own name, and does not come back.
    Fenced,
}

/// How it takes part in the group.
#[derive(Debug)]
pub(super) enum Protocol {
    /// JoinGroup, SyncGroup, Heartbeat.
    Classic(Classic),
    /// ConsumerGroupHeartbeat.
    Modern(Modern),
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct Member {
    /// Index of its group.
    pub(super) group: usize,
    pub(super) habits: Habits,
    pub(super) rng: Rng,
    pub(super) state: State,
    pub(super) subscription: Subscription,
    pub(super) link: Option<Link>,
    /// What waits on `link`.
    pub(super) sent: VecDeque<Sent>,
    fetch_link: Option<Link>,
    is_fetching: bool,
    pub(super) lanes: Vec<Lane>,
    pub(super) protocol: Protocol,
    /// The protocol that it may go over to.
    pub(super) other: Option<Protocol>,
    /// When it wants to move.
    wake: u64,
    stalled_until: u64,
    /// It has stalled, and has not committed since.
    has_slept: bool,
    pub(super) next_beat: u64,
    next_commit: u64,
    /// When a heartbeat, or a join, was last answered well: when that was sent.
    pub(super) last_ok: u64,
}

impl Member {
    /// A member that has not started.
    pub(super) fn new(
        group: usize,
        habits: Habits,
        (protocol, other): (Protocol, Option<Protocol>),
        rng: Rng,
    ) -> Self {
        Self {
            group,
            rng,
            state: State::Down(habits.starts),
            subscription: habits.subscription.clone(),
            link: None,
            sent: VecDeque::new(),
            fetch_link: None,
            is_fetching: false,
            lanes: Vec::new(),
            protocol,
            other,
            wake: habits.starts,
            stalled_until: 0,
            has_slept: false,
            next_beat: 0,
            next_commit: 0,
            last_ok: 0,
            habits,
        }
    }

    /// When it wants to move by itself.
    pub(super) fn wake(&self) -> u64 {
        match self.state {
            State::Fenced => u64::MAX,
            State::Down(until) => until,
            State::Up => self.wake.max(self.stalled_until),
        }
    }

    /// Whether a connection is one of its own.
    pub(super) fn has(&self, client: ClientId) -> bool {
        [&self.link, &self.fetch_link].into_iter().flatten().any(|link| link.client() == client)
    }

    /// Whether it takes part, or would.
    pub(super) fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// Whether it was fenced for good.
    pub(super) fn is_fenced(&self) -> bool {
        self.state == State::Fenced
    }

    /// Whether it has a partition.
    pub(super) fn owns(&self, spot: Spot) -> bool {
        self.lanes.iter().any(|lane| lane.spot == spot)
    }

    /// Whether what it has need not be what it subscribes to, which its group may not have heard.
    pub(super) const fn stands_in(&self) -> bool {
        match &self.protocol {
            Protocol::Classic(classic) => classic.stands_in(),
            Protocol::Modern(_) => false,
        }
    }

    /// The instance id of one that waits until another of that name is gone.
    pub(super) fn waiting_twin(&self) -> Option<String> {
        let is_modern = matches!(self.protocol, Protocol::Modern(_));
        self.habits.instance.clone().filter(|_| is_modern && !self.is_fenced())
    }

    /// It does not come back.
    pub(super) fn give_up(&mut self, board: &mut Board) {
        self.become_fenced(board);
    }

    /// Comes back, whatever it was.
    pub(super) fn revive(&mut self, time: u64) {
        self.state = State::Down(time);
    }

    /// Troubles are over: it goes on, or comes back soon.
    pub(super) fn drain(&mut self, time: u64) {
        self.habits.troubles.clear();
        // One that beats less often than a rebalance lasts hears of it when it is out: such members put
        // each other out for ever, with Kafka as well.
        self.habits.beat_ms = self.habits.beat_ms.min(self.habits.rebalance_ms / 2);
        self.stalled_until = self.stalled_until.min(time + 100 * MS);
        if let State::Down(until) = self.state {
            self.state = State::Down(until.min(time + 500 * MS));
        }
    }

    /// Whether it is where it should be: it has its partitions, has processed all and committed
    /// it, and was heard of since.
    pub(super) fn is_settled(&self, board: &Board, since: u64) -> bool {
        let is_in = match &self.protocol {
            Protocol::Classic(classic) => classic.is_in(),
            Protocol::Modern(modern) => modern.is_in(),
        };
        let is_through = |lane: &Lane| {
            let end = board.topics[lane.spot.topic].ends.get(lane.spot.partition).copied();
            lane.position == end && (lane.committed == end.unwrap_or(0) || end == Some(0))
        };
        is_in && self.last_ok > since && self.lanes.iter().all(is_through)
    }

    /// Where it stands, for saying what is waited for.
    pub(super) fn describe(&self) -> String {
        let lanes = self.lanes.iter();
        let lanes: Vec<_> = lanes.map(|it| (it.spot, it.position, it.committed)).collect();
        let asks: Vec<_> = self.sent.iter().map(|sent| &sent.ask).collect();
        let protocol = match &self.protocol {
            Protocol::Classic(classic) => classic.describe(),
            Protocol::Modern(modern) => modern.describe(),
        };
        format!("{:?} {protocol} lanes {lanes:?} waits for {asks:?}", self.state)
    }

    /// The topics it wants, by their names; of an expression all there are.
    pub(super) fn wants(&self, board: &Board, topic: usize) -> bool {
        match &self.subscription {
            Subscription::Topics(topics) => {
                let name = &board.topics[topic].name;
                topics.iter().any(|it| board.topics[*it].name == *name)
            }
            Subscription::Everything => topic < board.topics.len(),
        }
    }

    /// The topics that it names when it says what it subscribes to.
    ///
    /// - `lists`: an expression is told as the names that match it now.
    pub(super) fn named_topics(&self, board: &Board, lists: bool) -> BTreeSet<usize> {
        let names_any = lists || matches!(self.subscription, Subscription::Topics(_));
        let all = 0..board.topics.len();
        all.filter(|&topic| names_any && self.wants(board, topic)).collect()
    }

    /// Its connections' ends may have come with the end of the power.
    pub(super) fn on_power_loss<M>(&mut self, world: &mut World<M>) {
        for link in [&self.link, &self.fetch_link].into_iter().flatten() {
            world.client_reset(link.client());
        }
        self.on_disconnected(world);
        self.fetch_link = None;
        self.is_fetching = false;
    }

    /// Its time has come.
    pub(super) fn on_wake<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
    ) -> Result<(), String> {
        let time = world.time();
        if let State::Down(until) = self.state {
            if until > time {
                return Ok(());
            }
            self.state = State::Up;
            self.next_beat = time;
            self.begin_life(time);
        }
        if !self.has_slept || self.rng.chance(500) {
            // What arrived while it stalled.
            self.on_news(world, board)?;
        } else {
            self.wake = time + 1;
        }
        self.wake = time + 1 + self.rng.below(20 * MS);
        if !self.is_up() || self.befall(world, board) {
            return Ok(());
        }
        self.check_answers(time)?;
        if self.link.is_none() {
            self.link = Some(Link::connect(world));
            if self.rng.chance(400) {
                self.send_find(world, board);
            }
        }
        if std::mem::take(&mut self.has_slept) {
            // It does not know yet what it has lost.
            self.commit_all(world, board);
        }
        self.commit(world, board);
        match self.protocol {
            Protocol::Classic(_) => self.step_classic(world, board)?,
            Protocol::Modern(_) => self.step_modern(world, board)?,
        }
        self.look_up(world, board);
        self.fetch(world, board);
        Ok(())
    }

    fn check_answers(&self, time: u64) -> Result<(), String> {
        let links = [&self.link, &self.fetch_link].into_iter().flatten();
        let oldest = links.filter_map(Link::waits_since).min();
        match oldest {
            Some(sent) if time > sent + ANSWER_NS_MAX => {
                Err(format!("no answer for a minute: {}", self.describe()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A new process of this member: it knows nothing.
    fn begin_life(&mut self, time: u64) {
        self.lanes.clear();
        self.next_commit = time + self.rng.below(self.habits.commit_ms * MS);
        match &mut self.protocol {
            Protocol::Classic(classic) => classic.begin_life(),
            Protocol::Modern(modern) => modern.begin_life(&mut self.rng),
        }
    }

    /// Lets happen what is due; true if it does not go on for now.
    fn befall<M>(&mut self, world: &mut World<M>, board: &mut Board) -> bool {
        let time = world.time();
        if self.habits.troubles.front().is_none_or(|(at, _)| *at > time) {
            return false;
        }
        let Some((_, trouble)) = self.habits.troubles.pop_front() else { return false };
        let line = format_args!("{time} member of {}: {trouble:?}", self.habits.group_id);
        world.trace_mut().line(line);
        match trouble {
            Trouble::Crash(ms) => {
                self.crash(world, board, time + ms * MS);
                true
            }
            Trouble::Vanish(ms) => {
                self.go_down(board, time + ms * MS);
                true
            }
            Trouble::Stall(ms) => {
                self.stalled_until = time + ms * MS;
                self.has_slept = true;
                true
            }
            Trouble::Leave(ms) => {
                self.leave(world, board, time + ms * MS);
                true
            }
            Trouble::Convert(ms) => {
                let until = time + ms * MS;
                if self.rng.chance(700) {
                    self.leave(world, board, until);
                } else {
                    self.crash(world, board, until);
                }
                if let Some(other) = self.other.take() {
                    self.other = Some(std::mem::replace(&mut self.protocol, other));
                }
                true
            }
            Trouble::Resubscribe(subscription) => {
                self.subscription = subscription;
                match &mut self.protocol {
                    Protocol::Classic(classic) => classic.rejoin(),
                    Protocol::Modern(modern) => modern.say_all(),
                }
                false
            }
            Trouble::Reset => {
                for link in [&self.link, &self.fetch_link].into_iter().flatten() {
                    world.break_connection(link.client());
                }
                false
            }
        }
    }

    fn crash<M>(&mut self, world: &mut World<M>, board: &mut Board, until: u64) {
        for link in [self.link.take(), self.fetch_link.take()].into_iter().flatten() {
            world.client_close(link.client());
        }
        self.go_down(board, until);
    }

    fn leave<M>(&mut self, world: &mut World<M>, board: &mut Board, until: u64) {
        self.commit(world, board);
        match self.protocol {
            Protocol::Classic(_) => self.leave_classic(world, board),
            Protocol::Modern(_) => self.leave_modern(world, board),
        }
        // What was sent still arrives.
        self.crash(world, board, until);
    }

    /// Its process ends.
    pub(super) fn go_down(&mut self, board: &mut Board, until: u64) {
        self.link = None;
        self.fetch_link = None;
        self.sent.clear();
        self.is_fetching = false;
        self.lanes.clear();
        self.state = State::Down(until);
        let id = match &self.protocol {
            Protocol::Classic(classic) => classic.id(),
            Protocol::Modern(modern) => modern.id(),
        };
        board.ledgers[self.group].on_gone(id);
    }

    /// Another process of its instance id has taken its place.
    pub(super) fn become_fenced(&mut self, board: &mut Board) {
        self.go_down(board, u64::MAX);
        self.state = State::Fenced;
    }

    fn on_disconnected<M>(&mut self, world: &World<M>) {
        self.link = None;
        self.sent.clear();
        self.wake = world.time() + self.rng.between(1, 60) * MS;
        match &mut self.protocol {
            Protocol::Classic(classic) => classic.on_disconnected(),
            Protocol::Modern(modern) => modern.say_all(),
        }
    }

    /// Something arrived, or a connection ended.
    pub(super) fn on_news<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
    ) -> Result<(), String> {
        if world.time() < self.stalled_until {
            return Ok(());
        }
        while let Some(link) = &mut self.link
            && let Some(frame) = link.receive(world)
        {
            self.on_response(world, board, &frame)?;
        }
        if self.link.as_ref().is_some_and(|link| link.has_ended(world)) {
            self.on_disconnected(world);
        }
        while let Some(link) = &mut self.fetch_link
            && let Some(frame) = link.receive(world)
        {
            self.is_fetching = false;
            self.on_fetched(board, &frame)?;
        }
        if self.fetch_link.as_ref().is_some_and(|link| link.has_ended(world)) {
            self.fetch_link = None;
            self.is_fetching = false;
        }
        Ok(())
    }

    fn on_response<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        frame: &[u8],
    ) -> Result<(), String> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let Some(Sent { ask, mark }) = self.sent.pop_front() else {
            return Err("a response that nobody asked for".to_owned());
        };
        match ask {
            Ask::Find => {
                let response = link.take::<FindCoordinatorRequest>(frame)?;
                let error = match response.coordinators.first() {
                    Some(found) => found.error_code,
                    None => response.error_code,
                };
                match error_of(error)? {
                    error if error.is_none() || is_trouble(error) => Ok(()),
                    error => Err(format!("FindCoordinator: {}", error.name())),
                }
            }
            Ask::Join(claims) => {
                let response = link.take::<JoinGroupRequest>(frame)?;
                if claims {
                    self.end_claim(board, Speaks::Classic);
                }
                self.on_joined(world, board, mark, &response)
            }
            Ask::Sync => {
                let response = link.take::<SyncGroupRequest>(frame)?;
                self.on_synced(world, board, mark, &response)
            }
            Ask::Beat => {
                let response = link.take::<HeartbeatRequest>(frame)?;
                self.on_beat(world, board, mark, error_of(response.error_code)?)
            }
            Ask::ModernBeat(joins) => {
                let response = link.take::<ConsumerGroupHeartbeatRequest>(frame)?;
                if joins {
                    self.end_claim(board, Speaks::Modern);
                }
                self.on_modern_beat(world, board, mark, joins, &response)
            }
            // Nobody is there any more to whom it would matter.
            Ask::Leave => link.take::<LeaveGroupRequest>(frame).map(|_| ()),
            Ask::Commit(numbers) => {
                let response = link.take::<OffsetCommitRequest>(frame)?;
                self.on_committed(world.time(), board, &numbers, &response)
            }
            Ask::Offsets => {
                let response = link.take::<OffsetFetchRequest>(frame)?;
                self.on_offsets(world.time(), board, mark, &response)
            }
        }
    }

    /// A request by which it takes its instance id's place is answered.
    fn end_claim(&self, board: &mut Board, protocol: Speaks) {
        if let Some(instance) = &self.habits.instance {
            board.ledgers[self.group].on_claim_answered(instance, protocol);
        }
    }

    // Requests.

    /// Sends a request over the coordinator's connection.
    pub(super) fn send<M, R: millrace_net::Request>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        ask: Ask,
        request: &R,
        version: i16,
    ) {
        let Some(link) = &mut self.link else { return };
        let claims = match ask {
            Ask::Join(true) => Some(Speaks::Classic),
            Ask::ModernBeat(true) => Some(Speaks::Modern),
            Ask::Join(false)
            | Ask::ModernBeat(false)
            | Ask::Find
            | Ask::Sync
            | Ask::Beat
            | Ask::Leave
            | Ask::Commit(_)
            | Ask::Offsets => None,
        };
        if let (Some(protocol), Some(instance)) = (claims, &self.habits.instance) {
            board.ledgers[self.group].on_claim_sent(instance, protocol);
        }
        let mark = board.ledgers[self.group].mark(world.time());
        link.send(world, request, version);
        self.sent.push_back(Sent { ask, mark });
    }

    pub(super) fn waits_for(&self, what: impl Fn(&Ask) -> bool) -> bool {
        self.sent.iter().any(|sent| what(&sent.ask))
    }

    fn send_find<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        let version = i16::try_from(self.rng.between(0, 6)).expect("small");
        let key = self.habits.group_id.clone();
        let keys = if version < 4 { Vec::new() } else { vec![key.clone()] };
        let request = FindCoordinatorRequest {
            key: if version < 4 { key } else { String::new() },
            key_type: 0,
            coordinator_keys: keys,
        };
        self.send(world, board, Ask::Find, &request, version);
    }

    /// Commits what has been processed since the last commit, if it is time.
    fn commit<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        let time = world.time();
        if self.link.is_none()
            || time < self.next_commit
            || self.waits_for(|ask| matches!(ask, Ask::Commit(_)))
        {
            return;
        }
        let spots: Vec<Spot> = self.lanes.iter().map(|lane| lane.spot).collect();
        if self.commit_for(world, board, &spots) {
            self.next_commit = time + 1 + self.rng.below(self.habits.commit_ms * MS);
        }
    }

    /// Commits for everything, also what was committed before: as a member does that is about to
    /// lose it, or has lost it and does not know.
    pub(super) fn commit_all<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        let spots = |lane: &Lane| Some((lane.spot, lane.position?));
        let due: Vec<(Spot, i64)> = self.lanes.iter().filter_map(spots).collect();
        if !due.is_empty() && self.is_member() && self.link.is_some() {
            self.send_commit(world, board, &due);
        }
    }

    fn is_member(&self) -> bool {
        match &self.protocol {
            Protocol::Classic(classic) => classic.has_generation(),
            Protocol::Modern(modern) => modern.is_member(),
        }
    }

    /// Commits for some partitions; false if there is nothing to be said of them.
    pub(super) fn commit_for<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        spots: &[Spot],
    ) -> bool {
        let due: Vec<(Spot, i64)> = self
            .lanes
            .iter()
            .filter(|lane| spots.contains(&lane.spot))
            .filter_map(|lane| Some((lane.spot, lane.position?)).filter(|it| it.1 > lane.committed))
            .collect();
        if due.is_empty() || !self.is_member() || self.link.is_none() {
            return false;
        }
        self.send_commit(world, board, &due);
        true
    }

    fn look_up<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        let unknown = |lane: &&Lane| lane.position.is_none();
        let spots: Vec<Spot> = self.lanes.iter().filter(unknown).map(|lane| lane.spot).collect();
        let is_busy = self.waits_for(|ask| matches!(ask, Ask::Offsets));
        if !spots.is_empty() && !is_busy && self.link.is_some() {
            self.send_look_up(world, board, &spots);
        }
    }

    /// What was looked up for a partition is known.
    pub(super) fn on_offset(&mut self, spot: Spot, offset: i64) {
        let lane = self.lanes.iter_mut().find(|lane| lane.spot == spot);
        if let Some(lane) = lane.filter(|lane| lane.position.is_none()) {
            lane.position = Some(offset.max(0));
            lane.committed = offset;
        }
    }

    /// A commit for a partition was answered.
    pub(super) fn on_commit_done(&mut self, spot: Spot, offset: i64) {
        if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.spot == spot) {
            lane.committed = lane.committed.max(offset);
        }
    }

    fn fetch<M>(&mut self, world: &mut World<M>, board: &Board) {
        if self.is_fetching {
            return;
        }
        let mut topics: Vec<FetchTopic> = Vec::new();
        for lane in &mut self.lanes {
            lane.asked = lane.position;
            let Some(fetch_offset) = lane.position else { continue };
            let Topic { name, id, .. } = &board.topics[lane.spot.topic];
            let part = FetchPartition {
                partition: i32::try_from(lane.spot.partition).expect("few partitions"),
                fetch_offset,
                partition_max_bytes: self.habits.fetch_bytes,
                ..FetchPartition::default()
            };
            let is_it = |topic: &&mut FetchTopic| topic.topic == *name && topic.topic_id == *id;
            match topics.iter_mut().find(is_it) {
                Some(topic) => topic.partitions.push(part),
                None => topics.push(FetchTopic {
                    topic: name.clone(),
                    topic_id: *id,
                    partitions: vec![part],
                }),
            }
        }
        if topics.is_empty() {
            return;
        }
        let request = FetchRequest {
            max_wait_ms: 50,
            min_bytes: 1,
            max_bytes: 1 << 20,
            session_epoch: -1,
            topics,
            ..FetchRequest::default()
        };
        let link = self.fetch_link.get_or_insert_with(|| Link::connect(world));
        let version = if board.has_namesakes() { FETCH_VERSION_OF_IDS } else { FETCH_VERSION };
        link.send(world, &request, version);
        self.is_fetching = true;
    }

    fn on_fetched(&mut self, board: &mut Board, frame: &[u8]) -> Result<(), String> {
        let Some(link) = &mut self.fetch_link else { return Ok(()) };
        let response = link.take::<FetchRequest>(frame)?;
        for data in &response.responses {
            let topic = board.topic(&data.topic, data.topic_id);
            let is_it = |topic: &Topic| topic.is_gone && topic.name == data.topic;
            if topic.is_none() && board.topics.iter().any(is_it) {
                // It is told that, or was served before.
                continue;
            }
            let topic = topic.ok_or_else(|| format!("unasked: {}", data.topic))?;
            for part in &data.partitions {
                let partition = usize::try_from(part.partition_index)
                    .map_err(|_| "a negative partition".to_owned())?;
                let spot = Spot { topic, partition };
                let lane = self.lanes.iter_mut().find(|lane| lane.spot == spot);
                // It may have been given up, and given back, meanwhile.
                let Some(lane) = lane else { continue };
                let asked = lane.asked.take();
                let Some(from) = lane.position.filter(|_| asked == lane.position) else { continue };
                let error = error_of(part.error_code)?;
                if !error.is_none() {
                    if is_trouble(error) {
                        continue;
                    }
                    return Err(format!("{spot:?} from {from}: {}", error.name()));
                }
                let bytes = part.records.as_deref().unwrap_or_default();
                let to = wire::read(bytes, from).map_err(|wrong| format!("{spot:?}: {wrong}"))?;
                if to > from {
                    board.ledgers[self.group].on_processed(spot, from, to);
                    lane.position = Some(to);
                }
            }
        }
        Ok(())
    }
}

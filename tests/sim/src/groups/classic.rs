//! A member of the classic protocol: joins, assigns if it leads, syncs, beats.

use std::collections::{BTreeMap, BTreeSet};

use millrace_net::ErrorCode;
use millrace_net::messages::heartbeat::HeartbeatRequest;
use millrace_net::messages::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse,
};
use millrace_net::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use millrace_net::messages::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use millrace_world::{Rng, World};

use super::ledger::{Leads, Mark, Shares, Spot};
use super::member::{Ask, Lane, Member, Protocol, Subscription};
use super::wire::{self, Named};
use super::writer::{error_of, is_trouble};
use super::{Board, Topic};
use crate::plan::{MS, Plant};

/// The protocol type of consumers.
const PROTOCOL_TYPE: &str = "consumer";
/// The only protocol that members speak; its leaders assign as they like.
const PROTOCOL: &str = "range";

/// Versions of the requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Versions {
    /// JoinGroup.
    pub(super) join: i16,
    /// SyncGroup.
    pub(super) sync: i16,
    /// Heartbeat.
    pub(super) beat: i16,
    /// LeaveGroup.
    pub(super) leave: i16,
}

impl Versions {
    /// Some versions; those that know instance ids for a static member.
    pub(super) fn random(rng: &mut Rng, is_static: bool) -> Self {
        let mut pick = |low: u64, static_low: u64, high: u64| {
            let low = if is_static { static_low } else { low };
            i16::try_from(rng.between(low, high)).expect("small")
        };
        Self { join: pick(1, 5, 9), sync: pick(0, 3, 5), beat: pick(0, 3, 4), leave: pick(0, 3, 5) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It is to join.
    Out,
    /// It has joined, or synced, and waits.
    Waiting,
    /// It has its partitions.
    In,
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct Classic {
    versions: Versions,
    phase: Phase,
    /// Empty until one is given.
    id: String,
    generation: i32,
    /// The generation in which it got its partitions; it commits as of that.
    held_in: i32,
    /// Who assigns in its generation.
    leads: Leads,
    /// What topics were like when it assigned them last, if it leads.
    assigned_by: Option<Vec<usize>>,
    /// Not before this time it joins.
    joins_from: u64,
    /// It has not joined since it came back.
    is_back: bool,
    /// It is a static member that came back into a generation that there was: it has what its former
    /// self was given, whatever that one subscribed to, until there is another generation (KIP-345).
    stands_in: bool,
    /// What it said that it subscribes to when it joined.
    joined_for: Option<Subscription>,
    /// The topics that it named then.
    said: BTreeSet<usize>,
}

impl Classic {
    /// A member that has not joined.
    pub(super) const fn new(versions: Versions) -> Self {
        Self {
            versions,
            phase: Phase::Out,
            id: String::new(),
            generation: -1,
            held_in: -1,
            leads: Leads::Member,
            assigned_by: None,
            joins_from: 0,
            is_back: true,
            stands_in: false,
            joined_for: None,
            said: BTreeSet::new(),
        }
    }

    /// Its member id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The generation in which it got its partitions.
    pub(super) const fn held_in(&self) -> i32 {
        self.held_in
    }

    /// Whether it has its partitions.
    pub(super) fn is_in(&self) -> bool {
        self.phase == Phase::In
    }

    /// Whether it has what was given to one that may have subscribed to something else.
    pub(super) const fn stands_in(&self) -> bool {
        self.stands_in
    }

    /// Whether it has been in a generation, and has not heard that it is none of its members.
    pub(super) const fn has_generation(&self) -> bool {
        self.held_in >= 0
    }

    /// For saying what is waited for.
    pub(super) fn describe(&self) -> String {
        format!("{:?} {} in generation {}", self.phase, self.id, self.generation)
    }

    pub(super) fn begin_life(&mut self) {
        self.forget_id();
        self.phase = Phase::Out;
        self.assigned_by = None;
        self.is_back = true;
    }

    /// It is to join again, as the one it is.
    pub(super) fn rejoin(&mut self) {
        if self.phase == Phase::In {
            self.phase = Phase::Out;
        }
    }

    pub(super) fn on_disconnected(&mut self) {
        if self.phase == Phase::Waiting {
            self.phase = Phase::Out;
        }
    }

    fn forget_id(&mut self) {
        self.id.clear();
        self.generation = -1;
        self.held_in = -1;
    }
}

impl Member {
    fn classic(&mut self) -> &mut Classic {
        match &mut self.protocol {
            Protocol::Classic(classic) => classic,
            Protocol::Modern(_) => unreachable!("asked of classic members alone"),
        }
    }

    pub(super) fn step_classic<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
    ) -> Result<(), String> {
        let time = world.time();
        let (phase, joins_from) = (self.classic().phase, self.classic().joins_from);
        match phase {
            Phase::Out if time >= joins_from => self.send_join(world, board),
            Phase::Out | Phase::Waiting => {}
            Phase::In => {
                let counts: Vec<usize> = board.topics.iter().map(Topic::partitions).collect();
                let subscription = Some(self.subscription.clone());
                let classic = self.classic();
                let is_outdated = classic.assigned_by.as_ref().is_some_and(|it| *it != counts);
                if is_outdated || classic.joined_for != subscription {
                    // The leader sees new partitions, or it wants something else by now.
                    classic.rejoin();
                    return Ok(());
                }
                let is_beating = self.waits_for(|ask| matches!(ask, Ask::Beat));
                if time >= self.next_beat && !is_beating {
                    self.next_beat = time + self.habits.beat_ms * MS;
                    let instance = self.habits.instance.clone();
                    let group_id = self.habits.group_id.clone();
                    let classic = self.classic();
                    let version = classic.versions.beat;
                    let request = HeartbeatRequest {
                        group_id,
                        generation_id: classic.generation,
                        member_id: classic.id.clone(),
                        group_instance_id: instance.filter(|_| version >= 3),
                    };
                    board.ledgers[self.group].on_classic_sent(&request.member_id, None, time);
                    self.send(world, board, Ask::Beat, &request, version);
                }
            }
        }
        Ok(())
    }

    fn send_join<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        let keeps_all = board.plant == Plant::StaleShare && self.other.is_some();
        if !self.habits.is_lazy && !keeps_all {
            self.lanes.clear();
        }
        let names: Vec<String> = match &self.subscription {
            Subscription::Topics(topics) => {
                topics.iter().map(|&topic| board.topics[topic].name.clone()).collect()
            }
            Subscription::Everything => board.topics.iter().map(|it| it.name.clone()).collect(),
        };
        let mut owned: BTreeSet<Spot> = self.lanes.iter().map(|lane| lane.spot).collect();
        if keeps_all {
            owned.clear();
        }
        // The broker asks for it if it is the one that assigns.
        let said = if self.other.is_some() { named(&board.topics, &owned) } else { Named::new() };
        let metadata = wire::subscription(&names, &said);
        let protocol = JoinGroupRequestProtocol { name: PROTOCOL.to_owned(), metadata };
        let habits = &self.habits;
        let ms = |ms: u64| i32::try_from(ms).expect("short");
        let mut request = JoinGroupRequest {
            group_id: habits.group_id.clone(),
            session_timeout_ms: ms(habits.session_ms),
            rebalance_timeout_ms: ms(habits.rebalance_ms),
            group_instance_id: habits.instance.clone(),
            protocol_type: PROTOCOL_TYPE.to_owned(),
            protocols: vec![protocol],
            ..JoinGroupRequest::default()
        };
        let subscription = self.subscription.clone();
        let classic = self.classic();
        request.member_id.clone_from(&classic.id);
        classic.joined_for = Some(subscription);
        classic.phase = Phase::Waiting;
        classic.assigned_by = None;
        let version = classic.versions.join;
        let time = world.time();
        let named = self.named_topics(board, true);
        let ledger = &mut board.ledgers[self.group];
        ledger.on_classic_sent(&request.member_id, Some(&owned), time);
        ledger.on_subscription_sent(&request.member_id, &named);
        self.classic().said = named;
        let claims = request.member_id.is_empty();
        self.send(world, board, Ask::Join(claims), &request, version);
    }

    /// It is not known under its id any more.
    fn forget_classic_id(&mut self, board: &mut Board) {
        let id = self.classic().id.clone();
        board.ledgers[self.group].on_gone(&id);
        self.classic().forget_id();
    }

    /// Joins again, after a while.
    fn join_later(&mut self, time: u64) {
        let from = time + self.rng.below(50 * MS);
        let classic = self.classic();
        classic.phase = Phase::Out;
        classic.joins_from = from;
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the codes are Kafka's, most are wrong here"
    )]
    pub(super) fn on_joined<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        mark: Mark,
        response: &JoinGroupResponse,
    ) -> Result<(), String> {
        let time = world.time();
        let error = error_of(response.error_code)?;
        match error {
            ErrorCode::None => {}
            ErrorCode::MemberIdRequired => {
                let classic = self.classic();
                classic.id.clone_from(&response.member_id);
                classic.phase = Phase::Out;
                if response.member_id.is_empty() {
                    return Err("a member id is required, and none is given".to_owned());
                }
                return Ok(());
            }
            ErrorCode::UnknownMemberId => {
                self.lanes.clear();
                self.forget_classic_id(board);
                self.join_later(time);
                return Ok(());
            }
            ErrorCode::FencedInstanceId => {
                self.become_fenced(board);
                return Ok(());
            }
            error if is_trouble(error) || error == ErrorCode::RebalanceInProgress => {
                self.join_later(time);
                return Ok(());
            }
            error => return Err(format!("JoinGroup: {}", error.name())),
        }
        let instance = self.habits.instance.clone();
        let (generation, id) = (response.generation_id, &response.member_id);
        let by = if response.leader.is_empty() { Leads::Broker } else { Leads::Member };
        let who = (id.as_str(), instance.as_deref());
        board.ledgers[self.group].on_joined(mark, generation, who, by, time);
        let classic = self.classic();
        if classic.id.is_empty() || by == Leads::Broker {
            let is_back = instance.is_some() && mark.knew(generation);
            classic.stands_in = is_back && by == Leads::Member;
        } else {
            classic.stands_in &= classic.generation == generation;
        }
        classic.id.clone_from(id);
        classic.leads = by;
        classic.generation = generation;
        let version = classic.versions.sync;
        let leads = response.leader == *id && !response.members.is_empty();
        let mut request = SyncGroupRequest {
            generation_id: generation,
            member_id: id.clone(),
            protocol_type: (version >= 5).then(|| PROTOCOL_TYPE.to_owned()),
            protocol_name: (version >= 5).then(|| PROTOCOL.to_owned()),
            ..SyncGroupRequest::default()
        };
        request.group_id.clone_from(&self.habits.group_id);
        request.group_instance_id = instance.filter(|_| version >= 3);
        // A static member that led and is back need not assign, or is not told that it leads: what
        // topics were like when it did is not known, so it joins once more.
        let may_lead = request.group_instance_id.is_some() && self.classic().versions.join < 9;
        let may_lead = may_lead && by == Leads::Member;
        let is_unsure = response.skip_assignment || !leads && may_lead;
        if leads || may_lead {
            let counts = board.topics.iter().map(Topic::partitions).collect();
            let classic = self.classic();
            let is_back = std::mem::take(&mut classic.is_back);
            classic.assigned_by = Some(if is_unsure && is_back { Vec::new() } else { counts });
        }
        if leads && !response.skip_assignment {
            let by_id = assign(&mut self.rng, &board.topics, response)?;
            let who = |id: &String| {
                let found = response.members.iter().find(|member| member.member_id == *id);
                found.and_then(|it| it.group_instance_id.clone()).unwrap_or_else(|| id.clone())
            };
            let shares: Shares = by_id.iter().map(|(id, spots)| (who(id), spots.clone())).collect();
            board.ledgers[self.group].on_gave(generation, shares);
            let given = by_id.into_iter().map(|(member_id, spots)| SyncGroupRequestAssignment {
                member_id,
                assignment: wire::assignment(&named(&board.topics, &spots)),
            });
            request.assignments = given.collect();
        }
        self.send(world, board, Ask::Sync, &request, version);
        Ok(())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the codes are Kafka's, most are wrong here"
    )]
    pub(super) fn on_synced<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        mark: Mark,
        response: &SyncGroupResponse,
    ) -> Result<(), String> {
        let time = world.time();
        match error_of(response.error_code)? {
            ErrorCode::None => {}
            ErrorCode::UnknownMemberId => {
                self.lanes.clear();
                self.forget_classic_id(board);
                self.join_later(time);
                return Ok(());
            }
            ErrorCode::FencedInstanceId => {
                self.become_fenced(board);
                return Ok(());
            }
            error
                if is_trouble(error)
                    || matches!(
                        error,
                        ErrorCode::RebalanceInProgress | ErrorCode::IllegalGeneration
                    ) =>
            {
                self.join_later(time);
                return Ok(());
            }
            error => return Err(format!("SyncGroup: {}", error.name())),
        }
        let named = wire::assigned(&response.assignment)
            .map_err(|error| format!("an assignment: {error}"))?;
        let spots = spots(&board.topics, &named)?;
        let mut spots = spots;
        if board.plant == Plant::StaleShare && self.classic().leads == Leads::Broker {
            spots.extend(self.lanes.iter().map(|lane| lane.spot));
        }
        let id = self.classic().id.clone();
        let who = self.habits.instance.clone().unwrap_or_else(|| id.clone());
        let classic = self.classic();
        classic.held_in = classic.generation;
        classic.phase = Phase::In;
        let (generation, leads) = (classic.generation, classic.leads);
        let said = classic.said.clone();
        let ledger = &mut board.ledgers[self.group];
        ledger.on_synced(mark, generation, (&who, &id), &spots, leads, time);
        if self.habits.instance.is_none() {
            // Of a static member that is back its group knows what it said before, until others join.
            ledger.on_subscribed(mark, &id, &said, time);
        }
        self.last_ok = mark.time;
        self.next_beat = time + self.habits.beat_ms * MS;
        self.lanes = spots.into_iter().map(Lane::new).collect();
        Ok(())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the codes are Kafka's, most are wrong here"
    )]
    pub(super) fn on_beat<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        mark: Mark,
        error: ErrorCode,
    ) -> Result<(), String> {
        let id = self.classic().id.clone();
        if matches!(error, ErrorCode::None | ErrorCode::RebalanceInProgress) {
            board.ledgers[self.group].on_classic_beat(mark, &id, error);
        }
        match error {
            ErrorCode::None => self.last_ok = mark.time,
            ErrorCode::RebalanceInProgress => {
                if self.rng.chance(700) {
                    let spots: Vec<Spot> = self.lanes.iter().map(|lane| lane.spot).collect();
                    self.commit_for(world, board, &spots);
                }
                self.classic().rejoin();
            }
            ErrorCode::IllegalGeneration => {
                self.commit_in_vain(world, board);
                self.lanes.clear();
                self.classic().rejoin();
            }
            ErrorCode::UnknownMemberId => {
                self.commit_in_vain(world, board);
                self.lanes.clear();
                if self.classic().phase == Phase::In {
                    self.forget_classic_id(board);
                }
                self.classic().rejoin();
            }
            ErrorCode::FencedInstanceId => self.become_fenced(board),
            error if is_trouble(error) => {}
            error => return Err(format!("Heartbeat: {}", error.name())),
        }
        Ok(())
    }

    /// Some commit once more what they have just heard that they lost.
    pub(super) fn commit_in_vain<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        if self.rng.chance(300) {
            self.commit_all(world, board);
        }
    }

    pub(super) fn leave_classic<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        let instance = self.habits.instance.clone();
        let group_id = self.habits.group_id.clone();
        let classic = self.classic();
        // As a consumer does: a static member goes without a word.
        if classic.id.is_empty() || instance.is_some() {
            return;
        }
        let version = classic.versions.leave;
        let member_id = classic.id.clone();
        let member = MemberIdentity { member_id: member_id.clone(), ..MemberIdentity::default() };
        let request = if version < 3 {
            LeaveGroupRequest { group_id, member_id, members: Vec::new() }
        } else {
            LeaveGroupRequest { group_id, member_id: String::new(), members: vec![member] }
        };
        self.send(world, board, Ask::Leave, &request, version);
    }
}

/// Who gets what, by member id: every partition of every topic that somebody wants goes to one of
/// those, any.
fn assign(
    rng: &mut Rng,
    topics: &[Topic],
    response: &JoinGroupResponse,
) -> Result<BTreeMap<String, BTreeSet<Spot>>, String> {
    let mut wants: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut shares: BTreeMap<String, BTreeSet<Spot>> = BTreeMap::new();
    for member in &response.members {
        let names = wire::subscribed(&member.metadata)
            .map_err(|error| format!("metadata of {}: {error}", member.member_id))?;
        for name in names {
            wants.entry(name).or_default().push(member.member_id.clone());
        }
        shares.insert(member.member_id.clone(), BTreeSet::new());
    }
    for (at, topic) in topics.iter().enumerate() {
        let Some(takers) = wants.get(&topic.name) else { continue };
        for partition in 0..topic.partitions() {
            let taker = &takers[rng.index(takers.len())];
            if let Some(share) = shares.get_mut(taker) {
                share.insert(Spot { topic: at, partition });
            }
        }
    }
    Ok(shares)
}

fn named(topics: &[Topic], spots: &BTreeSet<Spot>) -> Named {
    let mut named = Named::new();
    for spot in spots {
        let index = i32::try_from(spot.partition).expect("few partitions");
        named.entry(topics[spot.topic].name.clone()).or_default().insert(index);
    }
    named
}

fn spots(topics: &[Topic], named: &Named) -> Result<BTreeSet<Spot>, String> {
    let mut spots = BTreeSet::new();
    for (name, partitions) in named {
        let topic = topics.iter().position(|topic| topic.name == *name);
        let topic = topic.ok_or_else(|| format!("an assignment of {name}"))?;
        for &partition in partitions {
            let partition = usize::try_from(partition).map_err(|error| error.to_string())?;
            spots.insert(Spot { topic, partition });
        }
    }
    Ok(spots)
}

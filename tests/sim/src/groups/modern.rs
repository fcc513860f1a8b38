//! A member of the consumer protocol (KIP-848): one heartbeat for everything. What it is told to
//! give up it gives up before it takes anything new, and says so.

use std::collections::BTreeSet;

use millrace_net::ErrorCode;
use millrace_net::messages::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use millrace_world::{Rng, World};

use super::Board;
use super::ledger::{Joins, Mark, Spot};
use super::member::{Ask, Lane, Member, Protocol, Subscription};
use super::writer::{error_of, is_trouble};
use crate::plan::MS;

/// All of the groups' topics match it.
const EVERYTHING: &str = "group-topic-.*";

/// See the file's head.
#[derive(Debug)]
pub(super) struct Modern {
    version: i16,
    id: String,
    /// 0 until it is told one.
    epoch: i32,
    /// What it is to have, as it was told last.
    target: BTreeSet<Spot>,
    /// It was told of a topic that it does not know yet.
    is_puzzled: bool,
    /// The next heartbeat says everything.
    says_all: bool,
    /// The topics it named when it last did. What is lost it says again.
    said: BTreeSet<usize>,
    /// The next heartbeat says what it has.
    says_owned: bool,
    /// When it gives up what it is to give up, ns.
    revokes_at: Option<u64>,
    /// How long it takes to give something up, at most, ms.
    revoke_ms: u64,
    assignor: Option<String>,
}

impl Modern {
    /// A member that has not joined.
    pub(super) const fn new(version: i16, revoke_ms: u64, assignor: Option<String>) -> Self {
        Self {
            version,
            id: String::new(),
            epoch: 0,
            target: BTreeSet::new(),
            is_puzzled: false,
            says_all: true,
            said: BTreeSet::new(),
            says_owned: false,
            revokes_at: None,
            revoke_ms,
            assignor,
        }
    }

    /// Its member id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Its epoch.
    pub(super) const fn epoch(&self) -> i32 {
        self.epoch
    }

    /// Whether it is in an epoch.
    pub(super) const fn is_member(&self) -> bool {
        self.epoch > 0
    }

    /// Whether it has all that it was told to have, and has said so.
    pub(super) const fn is_in(&self) -> bool {
        self.epoch > 0
            && !self.is_puzzled
            && !self.says_all
            && !self.says_owned
            && self.revokes_at.is_none()
    }

    /// For saying what is waited for.
    pub(super) fn describe(&self) -> String {
        let Self { id, epoch, target, is_puzzled, says_all, says_owned, .. } = self;
        format!(
            "{id} in epoch {epoch}, target {target:?}, puzzled {is_puzzled}, says all {says_all}, \
             owned {says_owned}"
        )
    }

    pub(super) fn begin_life(&mut self, rng: &mut Rng) {
        // From version 1 on a member names itself.
        self.id = if self.version >= 1 { format!("m-{:016x}", rng.word()) } else { String::new() };
        self.forget();
    }

    fn forget(&mut self) {
        self.epoch = 0;
        self.target.clear();
        self.is_puzzled = false;
        self.says_all = true;
        self.says_owned = false;
        self.revokes_at = None;
    }

    /// What it said last may not have arrived.
    pub(super) const fn say_all(&mut self) {
        self.says_all = true;
    }
}

impl Member {
    fn modern(&mut self) -> &mut Modern {
        match &mut self.protocol {
            Protocol::Modern(modern) => modern,
            Protocol::Classic(_) => unreachable!("asked of members of the new protocol alone"),
        }
    }

    pub(super) fn step_modern<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
    ) -> Result<(), String> {
        let time = world.time();
        self.reconcile(world, board);
        let is_beating = self.waits_for(|ask| matches!(ask, Ask::ModernBeat(_)));
        let modern = self.modern();
        let is_urgent = modern.says_owned || modern.epoch == 0;
        let is_due = is_urgent || time >= self.next_beat;
        // What must be asked again is not asked at once.
        if is_beating || !is_due || (time < self.next_beat && self.rng.chance(500)) {
            return Ok(());
        }
        self.beat(world, board);
        Ok(())
    }

    /// Gives up first, then takes.
    fn reconcile<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        let time = world.time();
        let owned: BTreeSet<Spot> = self.lanes.iter().map(|lane| lane.spot).collect();
        let modern = self.modern();
        if modern.epoch == 0 {
            return;
        }
        let gone: Vec<Spot> = owned.difference(&modern.target).copied().collect();
        if !gone.is_empty() {
            match modern.revokes_at {
                None => {
                    let ms = modern.revoke_ms;
                    let at = time + self.rng.below(ms * MS + 1);
                    self.modern().revokes_at = Some(at);
                }
                Some(at) if time >= at => {
                    if self.rng.chance(700) {
                        self.commit_for(world, board, &gone);
                    }
                    self.lanes.retain(|lane| !gone.contains(&lane.spot));
                    let modern = self.modern();
                    modern.revokes_at = None;
                    modern.says_owned = true;
                }
                Some(_) => {}
            }
            return;
        }
        modern.revokes_at = None;
        let new: Vec<Spot> = modern.target.difference(&owned).copied().collect();
        if !new.is_empty() {
            modern.says_owned = true;
            self.lanes.extend(new.into_iter().map(Lane::new));
        }
    }

    fn beat<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        let time = world.time();
        self.next_beat = time + self.habits.beat_ms * MS;
        let owned: BTreeSet<Spot> = self.lanes.iter().map(|lane| lane.spot).collect();
        let (names, regex) = match &self.subscription {
            Subscription::Topics(topics) => {
                let name = |&topic: &usize| board.topics[topic].name.clone();
                (Some(topics.iter().map(name).collect()), Some(String::new()))
            }
            Subscription::Everything => (Some(Vec::new()), Some(EVERYTHING.to_owned())),
        };
        let rebalance_timeout_ms = i32::try_from(self.habits.rebalance_ms).expect("short");
        let group_id = self.habits.group_id.clone();
        let instance_id = self.habits.instance.clone();
        let named = self.named_topics(board, false);
        let modern = self.modern();
        let joins = modern.epoch == 0;
        let says_all = modern.says_all || joins;
        let says_owned = says_all || modern.says_owned;
        modern.says_all = false;
        modern.says_owned = false;
        let (id, version) = (modern.id.clone(), modern.version);
        // It takes what it is told to have as soon as it can.
        let holds = owned.union(&modern.target).copied().collect();
        let said = says_owned.then_some(&holds);
        let ledger = &mut board.ledgers[self.group];
        ledger.on_beat_sent(&id, said, time);
        if says_all {
            ledger.on_subscription_sent(&id, &named);
        }
        let modern = self.modern();
        if says_all {
            modern.said = named;
        }
        let request = ConsumerGroupHeartbeatRequest {
            group_id,
            member_id: id,
            member_epoch: modern.epoch,
            instance_id,
            rebalance_timeout_ms: if says_all { rebalance_timeout_ms } else { -1 },
            subscribed_topic_names: names.filter(|_| says_all),
            subscribed_topic_regex: regex.filter(|_| says_all && version >= 1),
            server_assignor: modern.assignor.clone().filter(|_| says_all),
            topic_partitions: says_owned.then(|| told(board, &owned)),
            ..ConsumerGroupHeartbeatRequest::default()
        };
        self.send(world, board, Ask::ModernBeat(joins), &request, version);
    }

    pub(super) fn on_modern_beat<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        mark: Mark,
        joins: bool,
        response: &ConsumerGroupHeartbeatResponse,
    ) -> Result<(), String> {
        let time = world.time();
        let error = error_of(response.error_code)?;
        if !error.is_none() {
            return self.on_beat_refused(world, board, mark, error);
        }
        let owned: BTreeSet<Spot> = self.lanes.iter().map(|lane| lane.spot).collect();
        let modern = self.modern();
        if let Some(id) = &response.member_id {
            modern.id.clone_from(id);
        }
        modern.epoch = response.member_epoch;
        let told = match &response.assignment {
            None => None,
            Some(assignment) => {
                let spots = spots(board, &assignment.topic_partitions);
                modern.is_puzzled = spots.is_none();
                // It asks again until it knows.
                modern.says_all |= spots.is_none();
                spots
            }
        };
        if let Some(told) = &told {
            modern.target.clone_from(told);
        }
        let (id, epoch, said) = (modern.id.clone(), modern.epoch, modern.said.clone());
        let who = self.habits.instance.clone().unwrap_or_else(|| id.clone());
        let joins = if joins { Joins::Yes } else { Joins::No };
        self.last_ok = mark.time;
        let ledger = &mut board.ledgers[self.group];
        ledger.on_beat(mark, (&id, &who, epoch), joins, told.as_ref(), &owned, time);
        ledger.on_subscribed(mark, &id, &said, time);
        Ok(())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the codes are Kafka's, most are wrong here"
    )]
    fn on_beat_refused<M>(
        &mut self,
        world: &mut World<M>,
        board: &mut Board,
        mark: Mark,
        error: ErrorCode,
    ) -> Result<(), String> {
        let time = world.time();
        let id = self.modern().id.clone();
        let was_member = self.modern().is_member();
        // Whatever was said may not have been heard.
        self.modern().says_all = true;
        match error {
            ErrorCode::FencedMemberEpoch
            | ErrorCode::UnknownMemberId
            | ErrorCode::GroupIdNotFound
                if was_member =>
            {
                board.ledgers[self.group].on_beat_refused(mark, &id, error, time);
                board.ledgers[self.group].on_gone(&id);
                self.commit_in_vain(world, board);
                self.lanes.clear();
                self.modern().forget();
                Ok(())
            }
            ErrorCode::UnreleasedInstanceId => {
                self.next_beat = time + self.rng.between(20, 200) * MS;
                Ok(())
            }
            ErrorCode::FencedInstanceId => {
                self.become_fenced(board);
                Ok(())
            }
            error if is_trouble(error) => Ok(()),
            error => Err(format!("ConsumerGroupHeartbeat: {}", error.name())),
        }
    }

    pub(super) fn leave_modern<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        let instance_id = self.habits.instance.clone();
        let group_id = self.habits.group_id.clone();
        let modern = self.modern();
        if modern.epoch == 0 {
            return;
        }
        let version = modern.version;
        let request = ConsumerGroupHeartbeatRequest {
            group_id,
            member_id: modern.id.clone(),
            // A static member is away for a while, its place stays.
            member_epoch: if instance_id.is_some() { -2 } else { -1 },
            instance_id,
            ..ConsumerGroupHeartbeatRequest::default()
        };
        self.send(world, board, Ask::Leave, &request, version);
    }
}

fn told(board: &Board, owned: &BTreeSet<Spot>) -> Vec<TopicPartitions> {
    let mut topics: Vec<TopicPartitions> = Vec::new();
    for spot in owned {
        let topic_id = board.topics[spot.topic].id;
        let index = i32::try_from(spot.partition).expect("few partitions");
        match topics.iter_mut().find(|topic| topic.topic_id == topic_id) {
            Some(topic) => topic.partitions.push(index),
            None => topics.push(TopicPartitions { topic_id, partitions: vec![index] }),
        }
    }
    topics
}

/// `None` with a topic or a partition of which the clients do not know yet.
fn spots(board: &Board, told: &[TopicPartitions]) -> Option<BTreeSet<Spot>> {
    let mut spots = BTreeSet::new();
    for topics in told {
        let topic = board.topics.iter().position(|topic| topic.id == topics.topic_id)?;
        for &partition in &topics.partitions {
            let partition = usize::try_from(partition).ok()?;
            if partition >= board.topics[topic].ends.len() {
                return None;
            }
            spots.insert(Spot { topic, partition });
        }
    }
    Some(spots)
}

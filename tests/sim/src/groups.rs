//! Consumer groups: topics of their own with a writer, members of both protocols with their
//! troubles, an observer who looks at what is committed, and somebody who deletes it. What must hold is in `ledger.rs`.
//!
//! Once it is calm, every partition that somebody wants has exactly one owner within bounded time,
//! everything in it is processed and committed, and the observer sees that.

mod classic;
mod eraser;
mod ledger;
mod member;
mod modern;
mod offsets;
mod plan;
mod wire;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use millrace_engine::BatchIter;
use millrace_net::messages::offset_fetch::OffsetFetchRequest;
use millrace_wire::Uuid;
use millrace_world::{ClientId, Disk, Rng, World};

use crate::group_log::End;
use crate::link::Link;
use crate::plan::{MS, Plant};
use eraser::Eraser;
use ledger::{Ledger, Mark, Spot};
use member::Member;
pub use plan::Habits;
use writer::{Topic, Writer};

/// How long everything may take to be as it should once it is calm, ns.
const SETTLE_NS_MAX: u64 = 120_000 * MS;

/// Where groups have their state.
const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// What all of them know.
#[derive(Debug)]
struct Board {
    topics: Vec<Topic>,
    /// By group.
    ledgers: Vec<Ledger>,
    plant: Plant,
}

impl Board {
    /// The topic of an id, or, if that is zero, of a name. Of several of a name it is the one that is
    /// not gone.
    fn topic(&self, name: &str, id: Uuid) -> Option<usize> {
        let is_it = |topic: &Topic| {
            if id.is_zero() { topic.name == name && !topic.is_gone } else { topic.id == id }
        };
        self.topics.iter().position(is_it)
    }

    /// Whether two topics have, or will have, one name.
    fn has_namesakes(&self) -> bool {
        let names: BTreeSet<&str> = self.topics.iter().map(|topic| topic.name.as_str()).collect();
        names.len() < self.topics.len()
    }

    /// All partitions that there are.
    fn spots(&self) -> Vec<Spot> {
        let topics = self.topics.iter().enumerate().filter(|(_, topic)| !topic.is_gone);
        let of = |(topic, it): (usize, &Topic)| {
            (0..it.ends.len()).map(move |partition| Spot { topic, partition })
        };
        topics.flat_map(of).collect()
    }
}

impl Board {
    /// A topic is about to be deleted: groups forget what they committed for it.
    fn forget_topic(&mut self, topic: usize, time: u64) {
        for ledger in &mut self.ledgers {
            for partition in 0..self.topics[topic].ends.len() {
                ledger.on_deletion_sent(Spot { topic, partition }, time);
            }
        }
    }
}

/// Looks at what groups have committed, without being a member.
#[derive(Debug)]
struct Observer {
    rng: Rng,
    link: Option<Link>,
    /// The group that is looked at, and since when.
    in_flight: Option<(usize, Mark)>,
    next_group: usize,
    wake: u64,
    /// Groups looked at since all was as it should be.
    seen: usize,
}

/// See the file's head.
#[derive(Debug)]
pub struct Groups {
    board: Board,
    writer: Writer,
    members: Vec<Member>,
    observer: Observer,
    eraser: Option<Eraser>,
    /// Partitions of the offsets topic.
    offsets_partitions: u64,
    /// The page cache has lost something of the offsets topic, which the next process will see.
    has_lost: bool,
    /// The machine's processes and boots so far.
    lives: (u32, u128),
    /// Since when it is calm, ns.
    calm_since: Option<u64>,
    violation: Option<String>,
}

impl Groups {
    /// Groups that have not begun, on a machine with so many lives and boots.
    pub fn new(habits: Habits, lives: (u32, u128), plant: Plant, mut rng: Rng) -> Self {
        let Habits { topics, tasks, terms, members, erases, partitions, pause_max, .. } = habits;
        let topic = |name| Topic { name, id: Uuid::ZERO, ends: Vec::new(), is_gone: false };
        let topics = topics.into_iter().map(topic).collect();
        let ledgers = terms.into_iter().map(|mut terms| {
            if plant == Plant::HastyExpiry {
                // What the broker does was too early then.
                terms.retention_ms = 7 * 24 * 3_600_000;
            }
            Ledger::new(terms)
        });
        let ledgers = ledgers.collect();
        let members = members
            .into_iter()
            .map(|(group, habits, protocols)| Member::new(group, habits, protocols, rng.fork()));
        Self {
            board: Board { topics, ledgers, plant },
            members: members.collect(),
            writer: Writer::new(tasks, pause_max, rng.fork()),
            observer: Observer {
                rng: rng.fork(),
                link: None,
                in_flight: None,
                next_group: 0,
                wake: 0,
                seen: 0,
            },
            eraser: erases.then(|| Eraser::new(rng.fork())),
            lives,
            offsets_partitions: partitions,
            has_lost: false,
            calm_since: None,
            violation: None,
        }
    }

    /// When something wants to move by itself.
    pub fn wake(&self) -> u64 {
        let members = self.members.iter().map(Member::wake);
        let eraser = self.eraser.iter().map(Eraser::wake);
        let others = [self.writer.wake(), self.observer.wake];
        members.chain(others).chain(eraser).min().unwrap_or(u64::MAX)
    }

    /// The broker's wall clock shows so many ms beyond the world's time.
    pub fn see_wall(&mut self, time: u64, beyond_ms: i64) {
        for ledger in &mut self.board.ledgers {
            ledger.see_wall(time, beyond_ms);
        }
    }

    /// The broker writes that these groups end.
    pub fn see_ended(&mut self, ends: &[End], time: u64) {
        for End { group, was_consumer } in ends {
            if let Some(ledger) = self.board.ledgers.iter_mut().find(|it| it.name() == group) {
                ledger.on_ended(*was_consumer, time);
            }
        }
    }

    /// The folders of their topics' partitions, and of the partitions of the offsets topic.
    pub fn folders(&self) -> Vec<String> {
        let topics = &self.board.topics;
        let spots = self.board.spots().into_iter();
        let own = spots.map(|spot| format!("{}-{}", topics[spot.topic].name, spot.partition));
        // More of these are broken than of those.
        let offsets = (0..self.offsets_partitions).cycle().take(8);
        own.chain(offsets.map(|index| format!("{OFFSETS_TOPIC}-{index}"))).collect()
    }

    /// A sync failed in a folder: what stood on the page cache there may be gone.
    pub fn on_sync_failed(&mut self, folder: &str) {
        self.has_lost |= folder.strip_prefix(OFFSETS_TOPIC).is_some_and(|it| it.starts_with('-'));
    }

    /// Whether a connection is one of theirs.
    pub fn has(&self, client: ClientId) -> bool {
        let eraser = self.eraser.as_ref().and_then(Eraser::link);
        let links = [self.writer.link(), self.observer.link.as_ref(), eraser];
        links.into_iter().flatten().any(|link| link.client() == client)
            || self.members.iter().any(|member| member.has(client))
    }

    /// What was wrong first.
    pub fn violation(&self) -> Option<&str> {
        let ledgers = self.board.ledgers.iter().find_map(Ledger::violation);
        self.violation.as_deref().or(ledgers)
    }

    /// Commits that were acknowledged, and those that were refused as they had to be.
    pub fn commits(&self) -> (u64, u64) {
        let ledgers = self.board.ledgers.iter();
        ledgers.fold((0, 0), |sum, it| (sum.0 + it.acked_count, sum.1 + it.fenced_count))
    }

    /// Offsets that were seen to be forgotten, as they might be.
    pub fn forgotten(&self) -> u64 {
        self.board.ledgers.iter().map(|ledger| ledger.forgotten_count).sum()
    }

    /// Looks whether the broker's process, or the machine, is another one.
    pub fn see_lives<M>(&mut self, world: &mut World<M>, lives: (u32, u128)) {
        if lives == self.lives {
            return;
        }
        let has_lost_power = lives.1 != self.lives.1;
        self.lives = lives;
        let has_lost = std::mem::take(&mut self.has_lost) || has_lost_power;
        for ledger in &mut self.board.ledgers {
            ledger.on_new_life(has_lost, world.time());
        }
        self.observer.seen = 0;
        if has_lost_power {
            self.writer.on_power_loss(world);
            for member in &mut self.members {
                member.on_power_loss(world);
            }
            if let Some(link) = self.observer.link.take() {
                world.client_reset(link.client());
            }
            self.observer.in_flight = None;
            if let Some(eraser) = &mut self.eraser {
                eraser.on_power_loss(world);
            }
        }
    }

    /// Something arrived for one of them, or its connection ended.
    pub fn on_news<M>(&mut self, world: &mut World<M>, client: ClientId) {
        let is_it = |link: Option<&Link>| link.is_some_and(|link| link.client() == client);
        if is_it(self.writer.link()) {
            let done = self.writer.on_news(world, &mut self.board.topics);
            self.note(done);
        } else if is_it(self.observer.link.as_ref()) {
            let done = self.observer.on_news(world, &mut self.board);
            self.note(done);
        } else if let Some(eraser) = &mut self.eraser
            && is_it(eraser.link())
        {
            let done = eraser.on_news(world, &mut self.board);
            self.note(done);
        } else if let Some(at) = self.members.iter().position(|member| member.has(client)) {
            let done = self.members[at].on_news(world, &mut self.board);
            self.note_of(at, done);
        }
        self.tell(world);
    }

    /// Time has come for some of them.
    pub fn on_wake<M>(&mut self, world: &mut World<M>) {
        let time = world.time();
        if self.writer.wake() <= time {
            let gone = self.writer.on_wake(world, &mut self.board.topics);
            if let Some(gone) = gone {
                self.board.forget_topic(gone, time);
            }
        }
        for at in 0..self.members.len() {
            if self.members[at].wake() <= time {
                let done = self.members[at].on_wake(world, &mut self.board);
                self.note_of(at, done);
            }
        }
        if let Some(eraser) = &mut self.eraser
            && eraser.wake() <= time
        {
            eraser.on_wake(world, &mut self.board);
        }
        self.tell(world);
        let is_right = self.calm_since.is_some() && self.is_right();
        if !is_right {
            self.observer.seen = 0;
        }
        if self.observer.wake <= time {
            self.observer.on_wake(world, &mut self.board);
        }
        if let Some(since) = self.calm_since
            && time > since + SETTLE_NS_MAX
            && !self.is_done()
        {
            let what = self.unfinished();
            self.violation.get_or_insert(format!("groups do not settle once it is calm: {what}"));
        }
    }

    /// Tells the run's story what the ledgers heard, if somebody reads it.
    fn tell<M>(&mut self, world: &mut World<M>) {
        if !world.trace().tells() {
            return;
        }
        let time = world.time();
        for ledger in &mut self.board.ledgers {
            for line in ledger.take_story() {
                world.trace_mut().line(format_args!("{time} {line}"));
            }
        }
    }

    fn note(&mut self, done: Result<(), String>) {
        if let Err(wrong) = done {
            self.violation.get_or_insert(wrong);
        }
    }

    fn note_of(&mut self, member: usize, done: Result<(), String>) {
        let group = self.board.ledgers[self.members[member].group].name();
        let done = done.map_err(|wrong| format!("member {member} of {group}: {wrong}"));
        self.note(done);
    }

    /// Troubles are over, or the last one has just been.
    pub fn drain(&mut self, time: u64) {
        self.calm_since = Some(time);
        self.observer.seen = 0;
        self.writer.drain();
        if let Some(eraser) = &mut self.eraser {
            eraser.drain();
        }
        for member in &mut self.members {
            member.drain(time);
        }
        let mut names: BTreeMap<(usize, String), usize> = BTreeMap::new();
        for at in 0..self.members.len() {
            let member = &mut self.members[at];
            let Some(name) = member.waiting_twin() else { continue };
            // Of two of one name that wait for each other, one gives up.
            if names.insert((member.group, name), at).is_some() {
                member.give_up(&mut self.board);
            }
        }
        for group in 0..self.board.ledgers.len() {
            let mut all = self.members.iter_mut().filter(|member| member.group == group);
            if all.all(|member| member.is_fenced())
                && let Some(member) = self.members.iter_mut().find(|it| it.group == group)
            {
                member.revive(time);
            }
        }
    }

    /// Whether all is as it should be, and was seen to be.
    pub fn is_done(&self) -> bool {
        self.is_right() && self.observer.seen > self.board.ledgers.len()
    }

    fn is_right(&self) -> bool {
        self.writer.is_done() && self.wrong_member().is_none() && self.wrong_spot().is_none()
    }

    fn wrong_member(&self) -> Option<usize> {
        let since = self.calm_since.unwrap_or(u64::MAX);
        let is_wrong = |member: &Member| {
            let is_settled = member.is_up() && member.is_settled(&self.board, since);
            !is_settled && !member.is_fenced()
        };
        self.members.iter().position(is_wrong)
    }

    /// A partition that somebody wants and that has no owner, or two.
    fn wrong_spot(&self) -> Option<(usize, Spot)> {
        for group in 0..self.board.ledgers.len() {
            let members = || self.members.iter().filter(move |it| it.group == group && it.is_up());
            for spot in self.board.spots() {
                let wants = |member: &&Member| member.wants(&self.board, spot.topic);
                let owners = members().filter(|member| member.owns(spot)).count();
                // Of a static member that is back its group may not know what it wants by now.
                let known = || members().filter(|member| !member.stands_in());
                let owners_known = known().filter(|member| member.owns(spot)).count();
                let is_right = owners == usize::from(members().any(|member| wants(&member)))
                    || owners == 1 && owners_known == 0
                    || owners == 0 && !known().any(|member| wants(&member));
                if !is_right {
                    return Some((group, spot));
                }
            }
        }
        None
    }

    /// What is waited for.
    pub fn unfinished(&self) -> String {
        let members: Vec<String> = self.members.iter().map(Member::describe).collect();
        format!(
            "writer {}, member {:?}, partition {:?}, seen {}; topics {:?}; members {members:#?}",
            self.writer.is_done(),
            self.wrong_member(),
            self.wrong_spot(),
            self.observer.seen,
            self.board.topics,
        )
    }
}

/// Records that compaction has removed from the offsets topic, as far as it is on the disk.
pub fn offsets_removed(disk: &Disk) -> u64 {
    let mut ends: BTreeMap<String, i64> = BTreeMap::new();
    let mut left = 0;
    for (path, _) in disk.files() {
        let Some((folder, name)) = path.rsplit_once('/') else { continue };
        if !folder.contains(OFFSETS_TOPIC) || Path::new(name).extension() != Some("log".as_ref()) {
            continue;
        }
        for batch in BatchIter::new(disk.content(&path).unwrap_or_default()) {
            let end = ends.entry(folder.to_owned()).or_default();
            *end = (*end).max(batch.header.next_offset().0);
            left += i64::from(batch.header.record_count);
        }
    }
    u64::try_from(ends.values().sum::<i64>() - left).unwrap_or(0)
}

impl Observer {
    fn on_wake<M>(&mut self, world: &mut World<M>, board: &mut Board) {
        let time = world.time();
        self.wake = time + self.rng.between(1, 400) * MS;
        let spots = board.spots();
        if self.in_flight.is_some() || spots.is_empty() {
            return;
        }
        let link = self.link.get_or_insert_with(|| Link::connect(world));
        let group = self.next_group % board.ledgers.len();
        self.next_group += 1;
        let mark = board.ledgers[group].mark(time);
        let name = board.ledgers[group].name().to_owned();
        // Where topics are created anew, they are named by their ids.
        let lowest = if board.has_namesakes() { 10 } else { 2 };
        let version = i16::try_from(self.rng.between(lowest, 10)).expect("small");
        let request = offsets::look_up(board, &name, None, &spots, version);
        link.send(world, &request, version);
        self.in_flight = Some((group, mark));
    }

    fn on_news<M>(&mut self, world: &mut World<M>, board: &mut Board) -> Result<(), String> {
        while let Some(link) = &mut self.link
            && let Some(frame) = link.receive(world)
        {
            let response = link.take::<OffsetFetchRequest>(&frame)?;
            let Some((group, mark)) = self.in_flight.take() else {
                return Err("the observer did not ask".to_owned());
            };
            if let Ok(found) = offsets::found(board, &response) {
                self.seen += 1;
                for it in found {
                    let ledger = &mut board.ledgers[group];
                    ledger.on_offset(it.spot, (it.offset, &it.metadata), mark, world.time());
                }
            }
        }
        if self.link.as_ref().is_some_and(|link| link.has_ended(world)) {
            self.link = None;
            self.in_flight = None;
        }
        Ok(())
    }
}

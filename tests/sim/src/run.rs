//! One run: a seed's plan played to its end, with everybody checking.

use millrace_world::{Broken, ClientId, Faults, Next, Rng};

use crate::admin::{Admin, News, Task};
use crate::consumer::{self, Consumer, Session};
use crate::groups::{self, Groups, Habits as GroupHabits};
use crate::keyed::{Habits as KeyedHabits, Keyed};
use crate::machine::Machine;
use crate::oracle::{Oracle, Place};
use crate::outcome::Outcome;
use crate::plan::{self, Event, MS, Plan, Plant};
use crate::producer::Producer;

/// How long, once it is calm, everything may take that was begun before.
const SETTLE_MS_MAX: u64 = 180_000;
/// Turns and arrivals after which a run that does not end is called endless.
const STEPS_MAX: u64 = 5_000_000;
/// How long a process that was asked to stop may take.
const STOP_MS_MAX: u64 = 120_000;

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Troubles and load.
    Storm,
    /// No more troubles; what was begun is finished.
    Settling,
    /// A last reader reads everything from the beginning.
    Audit,
    /// The end.
    Over,
}

struct Run {
    plan: Plan,
    machine: Machine,
    oracle: Oracle,
    rng: Rng,
    producers: Vec<Producer>,
    consumers: Vec<Consumer>,
    admin: Admin,
    keyed: Option<Keyed>,
    groups: Option<Groups>,
    phase: Phase,
    /// Topics of the plan that are there.
    stable_count: usize,
    /// Topics that are to go again: their numbers.
    passing: Vec<usize>,
    created: u32,
    next_event: usize,
    /// Since when the process has been asked to stop.
    stopping_since: Option<u64>,
    /// The disk was full when it was asked to; there may be room before it ends.
    stops_on_full_disk: bool,
    /// When settling or auditing must be over, or have got on since the last look.
    patience_until: u64,
    /// What was left to do at the last look.
    left: String,
    steps: u64,
    /// Clients wait until it is known what a power loss left.
    is_inspecting: bool,
    /// Something has failed with EIO in this life of the process.
    has_broken: bool,
    /// When somebody restarts it for that.
    repair_at: Option<u64>,
}

/// Plays the seed.
pub fn run_seed(seed: u64) -> Outcome {
    run(Plan::of_seed(seed))
}

/// Plays the plan.
pub fn run(plan: Plan) -> Outcome {
    run_telling(plan, None)
}

/// Plays the plan and hands the story, line by line, to `tell`, if it is wanted.
pub fn run_telling(plan: Plan, mut tell: Option<&mut dyn FnMut(&str)>) -> Outcome {
    let mut run = Run::new(plan);
    if tell.is_some() {
        run.machine.world.trace_mut().tell();
    }
    while run.phase != Phase::Over && run.oracle.violation().is_none() {
        run.step();
        if let Some(tell) = &mut tell {
            run.machine.world.trace_mut().take_story().iter().for_each(|line| tell(line));
        }
    }
    let (commit_count, fenced_count) = run.groups.as_ref().map_or((0, 0), Groups::commits);
    let forgotten_count = run.groups.as_ref().map_or(0, Groups::forgotten);
    Outcome {
        violation: run.oracle.violation().map(str::to_owned),
        trace: run.machine.world.trace().hash(),
        acked_count: run.oracle.acked_count,
        read_count: run.oracle.read_count,
        compacted_count: run.keyed.as_ref().map_or(0, Keyed::removed),
        commit_count,
        fenced_count,
        forgotten_count,
        offsets_removed: groups::offsets_removed(run.machine.world.disk()),
        states_compared: run.machine.compared,
        snapshots_compared: run.machine.compared_snapshots,
        turns: run.machine.turns,
    }
}

impl Run {
    fn new(plan: Plan) -> Self {
        let mut rng = Rng::new(plan.seed ^ 0x7275_6E31);
        let creations = plan.topics.iter().cloned().map(Task::Create);
        let tasks = [Task::Versions].into_iter().chain(creations).collect();
        let admin = Admin::new(tasks, rng.fork());
        let keyed = KeyedHabits::of_seed(plan.seed)
            .map(|habits| match plan.plant {
                Plant::HastyTombstones => habits.with_hasty_tombstones(),
                Plant::None
                | Plant::AckBeforeWrite
                | Plant::LazySync
                | Plant::SpoiledByte
                | Plant::ShortRecovery
                | Plant::SkippedCrc
                | Plant::SkippedCrcUnminded
                | Plant::OldGeneration
                | Plant::EarlyCommit
                | Plant::StaleShare
                | Plant::LostDeletion
                | Plant::HastyExpiry
                | Plant::NewerSnapshot
                | Plant::DroppedBatch => habits,
            })
            .map(|habits| Keyed::new(habits, Rng::new(plan.seed ^ 0x6B65_7965_6432)));
        let machine = Machine::new(&plan);
        let lives = (machine.lives, machine.boot_id());
        let groups = GroupHabits::of_seed(plan.seed).map(|habits| {
            Groups::new(habits, lives, plan.plant, Rng::new(plan.seed ^ 0x6772_6F75_7032))
        });
        Self {
            machine,
            oracle: Oracle::default(),
            producers: Vec::new(),
            consumers: Vec::new(),
            admin,
            keyed,
            groups,
            phase: Phase::Storm,
            stable_count: 0,
            passing: Vec::new(),
            created: 0,
            next_event: 0,
            stopping_since: None,
            stops_on_full_disk: false,
            patience_until: u64::MAX,
            left: String::new(),
            steps: 0,
            is_inspecting: false,
            has_broken: false,
            repair_at: None,
            rng,
            plan,
        }
    }

    fn step(&mut self) {
        self.steps += 1;
        let until = self.next_time();
        match self.machine.advance(until) {
            Next::Shard(shard) => self.machine.step(shard),
            Next::Client(client) => self.on_client(client),
            Next::Nobody => {}
        }
        self.see_broken();
        if let Some(groups) = &mut self.groups {
            let ended = self.machine.take_ended();
            let world = &self.machine.world;
            groups.see_wall(world.time(), world.wall_beyond_ms());
            groups.see_ended(&ended, world.time());
        }
        self.wake();
        if let Some(wrong) = self.machine.violation() {
            self.oracle.fail(wrong);
        }
        if let Some(wrong) = self.keyed.as_ref().and_then(Keyed::violation) {
            self.oracle.fail(wrong);
        }
        if let Some(wrong) = self.groups.as_ref().and_then(Groups::violation) {
            self.oracle.fail(wrong);
        }
        self.happen();
        self.maybe_restart();
        self.maybe_go_on();
        if let Some(groups) = &mut self.groups {
            let lives = (self.machine.lives, self.machine.boot_id());
            groups.see_lives(&mut self.machine.world, lives);
        }
        if self.steps > STEPS_MAX {
            self.oracle.fail(format!("no end after {STEPS_MAX} steps"));
        }
    }

    /// When something happens that the world does not know of.
    fn next_time(&self) -> u64 {
        let event = self.plan.events.get(self.next_event).map(|&(at, _)| at);
        let may_calm = self.phase == Phase::Storm && self.stopping_since.is_none();
        let storm_end = may_calm.then_some(self.plan.calm_from);
        let clients = self.producers.iter().map(Producer::wake);
        let clients = clients.chain(self.consumers.iter().map(Consumer::wake));
        let clients = clients.filter(|_| !self.is_inspecting);
        let keyed = self.keyed.as_ref().filter(|keyed| !keyed.is_done()).map(Keyed::wake);
        let groups = self.groups.as_ref().map(Groups::wake);
        let clients = clients.chain(keyed).chain(groups).min();
        let patience = Some(self.patience_until);
        let all = [event, storm_end, clients, Some(self.admin.wake()), patience, self.repair_at];
        let time = self.machine.world.time();
        all.into_iter().flatten().min().unwrap_or(u64::MAX).max(time)
    }

    fn on_client(&mut self, client: ClientId) {
        let world = &mut self.machine.world;
        let oracle = &mut self.oracle;
        let is_it =
            |link: Option<&crate::link::Link>| link.map(crate::link::Link::client) == Some(client);
        if is_it(self.admin.link()) {
            let news = self.admin.on_news(world, oracle);
            if let Some(news) = news {
                self.on_news(news);
            }
            return;
        }
        for producer in &mut self.producers {
            if is_it(producer.link()) {
                producer.on_news(world, oracle);
                return;
            }
        }
        for consumer in &mut self.consumers {
            if is_it(consumer.link()) {
                consumer.on_news(world, oracle);
                return;
            }
        }
        if let Some(keyed) = &mut self.keyed
            && is_it(keyed.link())
        {
            keyed.on_news(world);
            return;
        }
        if let Some(groups) = &mut self.groups
            && groups.has(client)
        {
            groups.on_news(world, client);
            return;
        }
        // Nobody's any more: a connection that was given up.
        world.client_close(client);
    }

    fn wake(&mut self) {
        let world = &mut self.machine.world;
        if self.admin.wake() <= world.time() {
            self.admin.on_wake(world, &mut self.oracle);
        }
        if let Some(keyed) = &mut self.keyed
            && keyed.wake() <= world.time()
        {
            keyed.on_wake(world);
        }
        if let Some(groups) = &mut self.groups
            && groups.wake() <= world.time()
        {
            groups.on_wake(world);
        }
        if self.is_inspecting {
            return;
        }
        for producer in &mut self.producers {
            if producer.wake() <= world.time() {
                producer.on_wake(world, &self.oracle);
            }
        }
        let disguises = self.producers.iter_mut().flat_map(Producer::take_disguises).collect();
        self.machine.disguise(disguises);
        let world = &mut self.machine.world;
        for consumer in &mut self.consumers {
            if consumer.wake() <= world.time() {
                consumer.on_wake(world, &self.oracle);
            }
        }
    }

    fn on_news(&mut self, news: News) {
        match news {
            News::Created(number) => self.on_created(number),
            News::Inspected(ends) => {
                self.is_inspecting = false;
                self.oracle.clear_suspects();
                for (place, end) in ends {
                    for consumer in &mut self.consumers {
                        consumer.on_loss(place, end);
                    }
                }
            }
        }
    }

    fn on_created(&mut self, number: usize) {
        let places = |oracle: &Oracle, topic: usize| -> Vec<Place> {
            let all = 0..oracle.topics[topic].partitions.len();
            all.map(|partition| Place { topic, partition }).collect()
        };
        let is_stable = self.stable_count < self.plan.topics.len();
        if !is_stable {
            self.passing.push(number);
            let habits = plan::producer_habits(&mut self.rng);
            let places = places(&self.oracle, number);
            self.add_clients(&[habits], &[plan::consumer_habits(&mut self.rng.clone())], &places);
            return;
        }
        self.stable_count += 1;
        if self.stable_count == self.plan.topics.len() {
            let all = self.oracle.places();
            let (producers, consumers) = (self.plan.producers.clone(), self.plan.consumers.clone());
            self.add_clients(&producers, &consumers, &all);
        }
    }

    fn add_clients(
        &mut self,
        producers: &[crate::producer::Habits],
        consumers: &[consumer::Habits],
        places: &[Place],
    ) {
        for &habits in producers {
            let rng = self.rng.fork();
            let mut producer = Producer::new(&mut self.oracle, habits, places, rng);
            producer.plant(self.plan.plant);
            if self.phase != Phase::Storm {
                producer.drain();
            }
            self.producers.push(producer);
        }
        for &habits in consumers {
            let name = format!("consumer {}", self.consumers.len());
            let rng = self.rng.fork();
            self.consumers.push(Consumer::new(name, habits, places, rng));
        }
    }

    /// Lets happen what is due.
    fn happen(&mut self) {
        while let Some(&(at, event)) = self.plan.events.get(self.next_event)
            && at <= self.machine.world.time()
        {
            self.next_event += 1;
            self.let_happen(event);
        }
        if self.repair_at.is_some_and(|at| at <= self.machine.world.time()) {
            self.repair_at = None;
            self.let_happen(Event::Repair);
        }
    }

    fn let_happen(&mut self, event: Event) {
        let time = self.machine.world.time();
        self.machine.world.trace_mut().line(format_args!("{time} event {event:?}"));
        self.on_event(event);
    }

    /// Notes what has failed with EIO. An operator restarts the broker some time later; meanwhile
    /// all other logs are to be served.
    fn see_broken(&mut self) {
        for (what, path) in self.machine.world.take_broken() {
            let folder = path.parent().and_then(std::path::Path::file_name);
            if let (Broken::Sync, Some(folder)) = (what, folder) {
                self.oracle.on_sync_failed(&folder.to_string_lossy());
                if let Some(groups) = &mut self.groups {
                    groups.on_sync_failed(&folder.to_string_lossy());
                }
            }
            self.has_broken = true;
            let later = self.machine.world.time() + self.rng.between(10, 1_500) * MS;
            self.repair_at.get_or_insert(later);
        }
    }

    /// Something on the disk will fail: in a log, mostly.
    fn break_something(&mut self, what: Broken) {
        let places = self.oracle.places();
        let of_groups = self.groups.as_ref().map(Groups::folders).unwrap_or_default();
        let folder = match self.rng.below(10) {
            0 => "/data/__cluster_metadata-0".to_owned(),
            1 => "/data".to_owned(),
            2..=5 if !of_groups.is_empty() => {
                let folder = &of_groups[self.rng.index(of_groups.len())];
                format!("/data/{folder}")
            }
            _ if places.is_empty() => return,
            _ => {
                let place = places[self.rng.index(places.len())];
                format!("/data/{}-{}", self.oracle.topics[place.topic].name, place.partition)
            }
        };
        self.machine.world.break_once(what, folder);
    }

    /// The process was killed and started again.
    fn on_kill(&mut self) {
        if self.oracle.has_suspects() {
            // What stood on the page cache may be gone with it, as after a power loss.
            self.on_power_loss();
        } else {
            self.oracle.on_crash();
        }
        self.has_broken = false;
        self.repair_at = None;
    }

    fn on_event(&mut self, event: Event) {
        // A new broker needs room to begin with; one that has begun starts on a full disk as well.
        let restarts =
            matches!(event, Event::Kill | Event::LosePower | Event::Stop | Event::Repair);
        let is_new = self.stable_count == 0;
        if (restarts && is_new) || self.stopping_since.is_some() {
            self.free_disk();
        }
        match event {
            Event::Kill => {
                self.stopping_since = None;
                self.machine.kill();
                self.on_kill();
            }
            Event::Repair if self.rng.chance(500) => {
                self.stopping_since = None;
                self.machine.kill();
                self.on_kill();
            }
            Event::LosePower => {
                self.stopping_since = None;
                self.machine.lose_power();
                self.on_power_loss();
                self.has_broken = false;
                self.repair_at = None;
            }
            Event::Break(what) => self.break_something(what),
            Event::Stop | Event::Repair => {
                let time = self.machine.world.time();
                if self.stopping_since.is_none() {
                    self.stopping_since = Some(time);
                    self.stops_on_full_disk = self.is_disk_full();
                    self.machine.stop();
                }
            }
            Event::FillDisk(_) if self.stopping_since.is_some() => {}
            Event::FillDisk(bytes) => {
                let world = &mut self.machine.world;
                let disk_bytes_max = world.disk().used_bytes() + bytes;
                world.set_faults(Faults { disk_bytes_max, ..world.faults().clone() });
            }
            Event::FreeDisk => self.free_disk(),
            Event::JumpClock(ms) => self.machine.world.jump_wall(ms),
            Event::Reset => self.reset_one(),
            Event::DeleteRecords => self.delete_records(),
            Event::List => {
                for task in [Task::ListEnds, Task::ListStarts, Task::ListTopics] {
                    self.admin.add(&self.oracle, task);
                }
            }
            Event::CreateTopic => {
                self.created += 1;
                // Two names only, so that they come again.
                let name = format!("passing-{}", self.created % 2);
                let is_free = self
                    .oracle
                    .find(&name, millrace_wire::Uuid::ZERO)
                    .is_none_or(|at| self.oracle.topics[at].is_doomed);
                if is_free && self.stable_count == self.plan.topics.len() && self.admin.is_done() {
                    let spec = plan::topic(&mut self.rng, &name);
                    self.admin.add(&self.oracle, Task::Create(spec));
                }
            }
            Event::DeleteTopic => {
                if let Some(number) = self.passing.pop() {
                    self.admin.add(&self.oracle, Task::Delete(number));
                }
            }
        }
    }

    fn free_disk(&mut self) {
        let world = &mut self.machine.world;
        world.set_faults(Faults { disk_bytes_max: u64::MAX, ..world.faults().clone() });
    }

    fn on_power_loss(&mut self) {
        self.oracle.on_crash();
        let world = &mut self.machine.world;
        for producer in &mut self.producers {
            producer.on_power_loss(world, &self.oracle);
        }
        for consumer in &mut self.consumers {
            consumer.on_power_loss(world);
        }
        self.admin.on_power_loss(world);
        if let Some(keyed) = &mut self.keyed {
            keyed.on_power_loss(world);
        }
        self.is_inspecting = true;
    }

    fn reset_one(&mut self) {
        let links = self.producers.iter().map(Producer::link);
        let links = links.chain(self.consumers.iter().map(Consumer::link));
        let links: Vec<_> = links.flatten().map(crate::link::Link::client).collect();
        if !links.is_empty() {
            let client = links[self.rng.index(links.len())];
            self.machine.world.break_connection(client);
        }
    }

    fn delete_records(&mut self) {
        let places = self.oracle.places();
        if places.is_empty() {
            return;
        }
        let place = places[self.rng.index(places.len())];
        let acked_end = self.oracle.partition(place).acked_end();
        let offset = self.rng.between(0, acked_end.unsigned_abs()).cast_signed();
        self.admin.add(&self.oracle, Task::DeleteRecords(place, offset));
    }

    /// A process that was asked to stop ends, in time, and another starts.
    fn maybe_restart(&mut self) {
        if let Some(reason) = self.machine.failure().map(str::to_owned) {
            // What must be written at a start finds no room: it says so, and somebody makes some.
            // The same where something cannot be read or written that all depends on.
            let is_full = self.is_disk_full() && reason.contains("make room");
            if is_full || self.has_broken {
                self.stopping_since = None;
                self.free_disk();
                self.machine.kill();
                self.on_kill();
            } else {
                self.oracle.fail(format!("the broker gave up: {reason}"));
            }
            return;
        }
        let Some(since) = self.stopping_since else { return };
        if self.machine.has_finished() {
            self.stopping_since = None;
            self.machine.restart();
            if self.stops_on_full_disk || self.has_broken {
                // Not everything could be written down: it is as good as a kill.
                self.on_kill();
            }
        } else if self.machine.world.time() > since + STOP_MS_MAX * MS {
            self.oracle.fail("a process that was asked to stop does not end");
        }
    }

    fn is_disk_full(&self) -> bool {
        self.machine.world.faults().disk_bytes_max < Faults::none().disk_bytes_max
    }

    /// From storm to calm, from there to the audit, from there to the end.
    fn maybe_go_on(&mut self) {
        let time = self.machine.world.time();
        match self.phase {
            Phase::Storm if time >= self.plan.calm_from && self.stopping_since.is_none() => {
                self.become_calm();
            }
            Phase::Settling if self.is_settled() => {
                self.machine.compare_all_groups();
                self.begin_audit();
            }
            Phase::Audit if self.is_settled() => {
                self.machine.compare_all_groups();
                self.phase = Phase::Over;
            }
            Phase::Settling | Phase::Audit if time >= self.patience_until => {
                // A consumer of small pieces that pauses between them takes its time.
                let what = self.unfinished();
                if what == self.left {
                    self.oracle.fail(format!("no progress once it was calm: {what}"));
                }
                self.left = what;
                self.patience_until = time + SETTLE_MS_MAX * MS;
            }
            Phase::Storm | Phase::Settling | Phase::Audit | Phase::Over => {}
        }
    }

    fn become_calm(&mut self) {
        self.phase = Phase::Settling;
        self.next_event = self.plan.events.len();
        let torn_page = self.plan.faults.torn_page;
        self.machine.world.set_faults(Faults { torn_page, ..Faults::none() });
        self.machine.world.mend();
        self.see_broken();
        if self.has_broken {
            self.machine.kill();
            self.on_kill();
        }
        for producer in &mut self.producers {
            producer.drain();
        }
        self.drain_keyed();
        for task in [Task::ListEnds, Task::ListStarts, Task::ListTopics] {
            self.admin.add(&self.oracle, task);
        }
        self.patience_until = self.machine.world.time() + SETTLE_MS_MAX * MS;
    }

    /// The client of the compacted topic finishes, and reads all of it once more; groups settle.
    fn drain_keyed(&mut self) {
        if let Some(keyed) = &mut self.keyed {
            keyed.drain();
        }
        if let Some(groups) = &mut self.groups {
            groups.drain(self.machine.world.time());
        }
    }

    /// Most audits read what another process left.
    fn begin_audit(&mut self) {
        self.phase = Phase::Audit;
        self.patience_until = self.machine.world.time() + SETTLE_MS_MAX * MS;
        match self.rng.below(4) {
            0 => {}
            1 => {
                self.machine.lose_power();
                self.on_power_loss();
            }
            _ => {
                self.machine.kill();
                self.oracle.on_crash();
            }
        }
        self.drain_keyed();
        let habits = consumer::Habits {
            version: 12,
            session: Session::No,
            wait_ms: 10,
            bytes_min: 0,
            partition_bytes_max: 1 << 20,
            pause_max: MS,
        };
        let places = self.oracle.places();
        if !places.is_empty() {
            let rng = self.rng.fork();
            self.consumers.push(Consumer::new("auditor".to_owned(), habits, &places, rng));
        }
        for task in [Task::ListEnds, Task::ListStarts, Task::ListTopics] {
            self.admin.add(&self.oracle, task);
        }
    }

    fn is_settled(&self) -> bool {
        !self.is_inspecting
            && self.stopping_since.is_none()
            && self.admin.is_done()
            && self.producers.iter().all(Producer::is_done)
            && self.keyed.as_ref().is_none_or(Keyed::is_done)
            && self.groups.as_ref().is_none_or(Groups::is_done)
            && self.consumers.iter().all(|consumer| consumer.is_done(&self.oracle))
    }

    fn unfinished(&self) -> String {
        let producers = self.producers.iter().filter(|producer| !producer.is_done()).count();
        let consumers = self.consumers.iter().filter(|consumer| !consumer.is_done(&self.oracle));
        let positions: Vec<_> = consumers.map(Consumer::positions).collect();
        let groups = self.groups.as_ref().filter(|groups| !groups.is_done());
        format!(
            "admin at {:?}, keyed client {:?}, groups {:?}, producers {producers}, consumers at {positions:?}, ends {:?}",
            self.admin.task(),
            self.keyed.as_ref().map(Keyed::is_done),
            groups.map(Groups::unfinished),
            self.oracle
                .places()
                .iter()
                .map(|&place| self.oracle.partition(place).known_end())
                .collect::<Vec<_>>()
        )
    }
}

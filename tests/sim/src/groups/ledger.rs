//! What is known of one group from the outside, and what must therefore hold.
//!
//! The ledger hears of everything its members send and are told, in the order in which it happens.
//!
//! - **Offsets.** Every commit carries its number as metadata, so a look-up tells which commit it
//!   saw. A commit takes effect, if ever, between its sending and its end: its answer, or the end
//!   of the process it was sent to. Once a commit or a look-up shows what is current at some time,
//!   commits that had ended before are dead: none of them may be seen again.
//! - **Fences.** A commit of an old generation or epoch that is sent when a member was told of the
//!   new one already must be refused, and must never be seen.
//! - **Owners.** Assignments of one classic generation are those of one of its leader's requests.
//!   A partition that a member of the consumer protocol is told to have is no other member's whose
//!   session or revocation cannot be over yet.
//! - **Nothing is skipped.** A committed offset is no higher than what members have processed.
//!
//! A power loss may take what the offsets topic had, where its contract is `page-cache`: what was
//! known of owners and generations is void then, and every commit may be seen again.

use std::collections::{BTreeMap, BTreeSet};

use millrace_net::ErrorCode;
use millrace_net::messages::offset_commit::OffsetCommitRequest;

use crate::plan::MS;

/// A partition of one of the groups' topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// Index into the board's topics.
    pub(super) topic: usize,
    /// The partition's index.
    pub(super) partition: usize,
}

/// Partitions by member: by instance id where it has one, else by member id.
pub(super) type Shares = BTreeMap<String, BTreeSet<Spot>>;

/// What holds for the group.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// The group's name.
    pub(super) name: String,
    /// Whether its state survives a power loss.
    pub(super) is_durable: bool,
    /// How long a member of the consumer protocol may be silent.
    pub(super) session_ms: u64,
    /// How long it may take to give partitions up.
    pub(super) rebalance_ms: u64,
}

/// When a request was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// By the ledger's own count.
    clock: u64,
    /// Which of the broker's processes it was sent to.
    life: u32,
    /// Power losses that took state before.
    losses: u32,
    /// World's time, ns.
    pub(super) time: u64,
    /// The highest epoch or generation that was told before and is in the log.
    told: i32,
    /// The highest generation that was told in this life.
    joined: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Unknown, perhaps for ever.
    Open,
    /// Acknowledged, or seen.
    Applied,
    /// Refused for good.
    Refused,
}

#[derive(Clone, Debug)]
struct Commit {
    spot: Spot,
    offset: i64,
    by: String,
    /// Why it must be refused, if it must.
    fenced: Option<String>,
    sent: Mark,
    /// Behind this it does not take effect any more.
    over: Option<u64>,
    fate: Fate,
}

/// What is known of a partition.
#[derive(Clone, Debug)]
struct Book {
    /// Commits, by their number, that a look-up may see. 0 stands for none at all.
    candidates: BTreeSet<usize>,
    /// Those of before, with the time by which they were known to be superseded: a look-up that was
    /// sent earlier may still see them.
    dead: BTreeMap<usize, u64>,
    /// One above the last offset that was processed; there are no gaps.
    covered: i64,
    /// The member of the consumer protocol that was told to have it, and the epoch it was told it in:
    /// the highest so far. Answers may arrive late.
    last_told: Option<(i32, String)>,
}

impl Default for Book {
    fn default() -> Self {
        let candidates = BTreeSet::from([0]);
        Self { candidates, dead: BTreeMap::new(), covered: 0, last_told: None }
    }
}

/// A member of the consumer protocol, as the coordinator must see it.
#[derive(Clone, Debug, Default)]
struct View {
    epoch: i32,
    holds: BTreeSet<Spot>,
    /// When the last heartbeat was sent that was answered well, ns.
    last_ok: u64,
    /// Since when it has something to give up, ns.
    revoking_since: Option<u64>,
    /// When the first heartbeat was sent that was not answered yet, ns: the answer that is lost may
    /// have told it to give something up.
    asked_since: Option<u64>,
}

impl View {
    /// Whether neither its session nor its time to give something up can be over.
    fn is_safe(&self, terms: &Terms, time: u64) -> bool {
        let (session, rebalance) = (terms.session_ms * MS, terms.rebalance_ms * MS);
        let in_time = |since: Option<u64>| since.is_none_or(|since| time < since + rebalance);
        time < self.last_ok + session && in_time(self.revoking_since) && in_time(self.asked_since)
    }
}

/// The process that stands for an instance id.
#[derive(Debug)]
struct Stand {
    generation: i32,
    /// None if two joined at the same time: which came first is not known.
    id: Option<String>,
    /// When it was told.
    clock: u64,
}

/// See the file's head.
#[derive(Debug)]
pub(super) struct Ledger {
    terms: Terms,
    clock: u64,
    life: u32,
    losses: u32,
    /// By number, less one.
    commits: Vec<Commit>,
    books: BTreeMap<Spot, Book>,
    /// The highest generation, or epoch, that was told and is in the log.
    told: i32,
    /// The highest generation that was told in this life; the log may not have it.
    joined: i32,
    /// By generation: what leaders asked for.
    gave: BTreeMap<i32, Vec<Shares>>,
    /// Those of them, by index, that what members got does not agree with.
    refuted: BTreeMap<i32, BTreeSet<usize>>,
    /// By instance id: who stands for it in this life.
    instances: BTreeMap<String, Stand>,
    /// By instance id: all member ids it ever had. An old leader knows members by those alone.
    aliases: BTreeMap<String, BTreeSet<String>>,
    views: BTreeMap<String, View>,
    /// The member that was last told a generation, and which.
    newest: Option<(i32, String)>,
    violation: Option<String>,
    /// What it heard, for whoever reads the run's story; none if nobody does.
    story: Option<Vec<String>>,
    /// Commits that were acknowledged.
    pub(super) acked_count: u64,
    /// Commits that were refused because they were of an old generation or epoch.
    pub(super) fenced_count: u64,
}

impl Ledger {
    /// A group that nobody has joined.
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            clock: 0,
            life: 0,
            losses: 0,
            commits: Vec::new(),
            books: BTreeMap::new(),
            told: 0,
            joined: 0,
            gave: BTreeMap::new(),
            refuted: BTreeMap::new(),
            instances: BTreeMap::new(),
            aliases: BTreeMap::new(),
            views: BTreeMap::new(),
            newest: None,
            violation: None,
            story: None,
            acked_count: 0,
            fenced_count: 0,
        }
    }

    /// The group's name.
    pub(super) fn name(&self) -> &str {
        &self.terms.name
    }

    /// What was wrong first.
    pub(super) fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// Notes that something is wrong.
    pub(super) fn fail(&mut self, what: &str) {
        let name = &self.terms.name;
        self.violation.get_or_insert(format!("group {name}: {what}"));
    }

    /// What was heard since the last call; from the first call on it is kept.
    pub(super) fn take_story(&mut self) -> Vec<String> {
        std::mem::take(self.story.get_or_insert_default())
    }

    fn tell(&mut self, line: std::fmt::Arguments<'_>) {
        if let Some(story) = &mut self.story {
            story.push(format!("{} at {}: {line}", self.terms.name, self.clock));
        }
    }

    /// A request is about to be sent.
    pub(super) const fn mark(&mut self, time: u64) -> Mark {
        self.clock += 1;
        Mark {
            clock: self.clock,
            life: self.life,
            losses: self.losses,
            time,
            told: self.told,
            joined: self.joined,
        }
    }

    /// The broker's process is another one now; nothing that was sent before takes effect later.
    pub(super) fn on_new_life(&mut self, has_lost_power: bool) {
        self.tell(format_args!("a new life, power lost: {has_lost_power}"));
        self.clock += 1;
        self.life += 1;
        self.joined = 0;
        self.instances.clear();
        for commit in &mut self.commits {
            commit.over.get_or_insert(self.clock);
        }
        if !has_lost_power || self.terms.is_durable {
            return;
        }
        self.losses += 1;
        self.told = 0;
        self.refuted.clear();
        self.views.clear();
        for book in self.books.values_mut() {
            book.last_told = None;
            book.candidates = BTreeSet::from([0]);
            book.dead.clear();
        }
        for (number, commit) in (1..).zip(&mut self.commits) {
            if commit.fate != Fate::Refused {
                commit.over = Some(self.clock);
                commit.fate = Fate::Open;
                self.books.entry(commit.spot).or_default().candidates.insert(number);
            }
        }
    }

    // Processing.

    /// Members have processed the records from `from` up to `to`.
    pub(super) fn on_processed(&mut self, spot: Spot, from: i64, to: i64) {
        let book = self.books.entry(spot).or_default();
        if from > book.covered {
            let covered = book.covered;
            self.fail(&format!("{spot:?}: processed from {from}, up to {covered} before"));
            return;
        }
        book.covered = book.covered.max(to);
    }

    // Offsets.

    /// A commit is about to be sent. Returns its number, which is its metadata.
    ///
    /// - `by`: the member id. `instance`: its instance id, if the request says it.
    /// - `generation`: of the classic protocol; none for a member of the other one.
    pub(super) fn on_commit_sent(
        &mut self,
        (spot, offset): (Spot, i64),
        by: &str,
        instance: Option<&str>,
        generation: Option<i32>,
        time: u64,
    ) -> usize {
        let sent = self.mark(time);
        let fenced = match generation {
            Some(generation) => {
                let newest = self.told.max(self.joined);
                let current = instance.and_then(|it| self.instances.get(it)?.id.as_ref());
                match current {
                    _ if generation < newest => Some(format!("{newest} was told")),
                    Some(current) if current != by => Some(format!("{current} took its place")),
                    Some(_) | None => None,
                }
            }
            None => {
                let last = self.books.get(&spot).and_then(|book| book.last_told.as_ref());
                last.filter(|last| last.1 != by).map(|it| format!("{} was told to have it", it.1))
            }
        };
        let by = by.to_owned();
        let commit = Commit { spot, offset, by, fenced, sent, over: None, fate: Fate::Open };
        self.tell(format_args!("commit {}: {commit:?}", self.commits.len() + 1));
        self.commits.push(commit);
        let number = self.commits.len();
        self.books.entry(spot).or_default().candidates.insert(number);
        number
    }

    /// What a commit is for.
    pub(super) fn commit(&self, number: usize) -> (Spot, i64) {
        let commit = &self.commits[number - 1];
        (commit.spot, commit.offset)
    }

    /// Makes a commit of an old generation look like one of the newest, which is what a coordinator
    /// would make of it that does not look at generations.
    pub(super) fn forge(&self, request: &mut OffsetCommitRequest) {
        let Some((generation, id)) = &self.newest else { return };
        if request.generation_id_or_member_epoch < *generation {
            request.generation_id_or_member_epoch = *generation;
            request.member_id.clone_from(id);
            request.group_instance_id = None;
        }
    }

    /// A commit was answered.
    pub(super) fn on_commit_answered(&mut self, number: usize, error: ErrorCode) {
        self.tell(format_args!("commit {number}: {}", error.name()));
        self.clock += 1;
        let clock = self.clock;
        let losses = self.losses;
        let commit = &mut self.commits[number - 1];
        commit.over.get_or_insert(clock);
        let (spot, sent) = (commit.spot, commit.sent);
        if error.is_none() {
            self.acked_count += 1;
            if let Some(why) = commit.fenced.clone() {
                let by = commit.by.clone();
                self.fail(&format!("{spot:?}: the commit of {by} was taken after {why}"));
                return;
            }
            if sent.losses == losses {
                commit.fate = Fate::Applied;
                self.on_current(spot, number, sent.clock);
            }
            return;
        }
        if !is_final(error) {
            return;
        }
        self.fenced_count += u64::from(commit.fenced.is_some());
        if commit.fate == Fate::Applied {
            self.fail(&format!("{spot:?}: commit {number} was seen and then {}", error.name()));
            return;
        }
        commit.fate = Fate::Refused;
        self.books.entry(spot).or_default().candidates.remove(&number);
    }

    /// A look-up was answered: `offset` is -1 for none.
    pub(super) fn on_offset(&mut self, spot: Spot, offset: i64, metadata: &str, mark: Mark) {
        self.tell(format_args!("{spot:?} is at {offset} by {metadata:?}, {mark:?}"));
        self.clock += 1;
        if mark.losses != self.losses {
            return;
        }
        let number = if offset < 0 { Some(0) } else { metadata.parse::<usize>().ok() };
        let number = number.filter(|&number| number <= self.commits.len());
        let Some(number) = number else {
            self.fail(&format!("{spot:?}: offset {offset} with metadata {metadata:?}"));
            return;
        };
        let clock = self.clock;
        let book = self.books.entry(spot).or_default();
        let was_alive = |dead: &u64| *dead > mark.clock;
        let is_candidate =
            book.candidates.contains(&number) || book.dead.get(&number).is_some_and(was_alive);
        let covered = book.covered;
        if number > 0 {
            let commit = &mut self.commits[number - 1];
            if commit.spot != spot || commit.offset != offset {
                let told = format!("{:?} {}", commit.spot, commit.offset);
                self.fail(&format!("{spot:?}: {offset} by commit {number}, which was of {told}"));
                return;
            }
            if let Some(why) = commit.fenced.clone() {
                let by = commit.by.clone();
                self.fail(&format!("{spot:?}: commit {number} of {by} is seen; {why} before"));
                return;
            }
            if offset > covered {
                self.fail(&format!("{spot:?}: committed {offset}, processed up to {covered}"));
                return;
            }
            if !is_candidate {
                let fate = commit.fate;
                self.fail(&format!(
                    "{spot:?}: commit {number} of offset {offset} ({fate:?}) is seen after newer \
                     ones, {:?} may be",
                    self.books[&spot].candidates
                ));
                return;
            }
            commit.fate = Fate::Applied;
            commit.over.get_or_insert(clock);
        } else if !is_candidate {
            let candidates = self.books[&spot].candidates.clone();
            self.fail(&format!("{spot:?}: no offset, but one of commits {candidates:?} is due"));
            return;
        }
        self.on_current(spot, number, mark.clock);
    }

    /// At some time behind `since` a commit was the current one.
    fn on_current(&mut self, spot: Spot, number: usize, since: u64) {
        let Self { books, commits, clock, .. } = self;
        let Book { candidates, dead, .. } = books.entry(spot).or_default();
        // It may be superseded itself by one that was sent meanwhile.
        candidates.retain(|&other| {
            let over = if other == 0 { Some(0) } else { commits[other - 1].over };
            let stays = other == number || over.is_none_or(|over| over > since);
            if !stays {
                dead.insert(other, *clock);
            }
            stays
        });
    }

    // The classic protocol.

    /// A member was told its generation by a JoinGroup.
    pub(super) fn on_joined(
        &mut self,
        mark: Mark,
        generation: i32,
        instance: Option<&str>,
        id: &str,
    ) {
        self.tell(format_args!("{id} {instance:?} joins generation {generation}"));
        if let Some(instance) = instance {
            self.aliases.entry(instance.to_owned()).or_default().insert(id.to_owned());
        }
        if mark.losses != self.losses {
            return;
        }
        let floor = mark.told.max(mark.joined);
        if generation < floor {
            self.fail(&format!("{id} joins generation {generation}, {floor} was told before"));
        }
        if mark.life != self.life {
            return;
        }
        self.joined = self.joined.max(generation);
        self.newest = Some((generation, id.to_owned()));
        let Some(instance) = instance else { return };
        let known = self.instances.get(instance);
        if known.is_some_and(|known| known.generation > generation) {
            return;
        }
        let is_concurrent =
            known.is_some_and(|known| known.generation == generation && known.clock >= mark.clock);
        let id = (!is_concurrent).then(|| id.to_owned());
        let stand = Stand { generation, id, clock: self.clock };
        self.instances.insert(instance.to_owned(), stand);
    }

    /// A leader is about to send its assignments.
    pub(super) fn on_gave(&mut self, generation: i32, shares: Shares) {
        self.tell(format_args!("generation {generation} is to get {shares:?}"));
        self.gave.entry(generation).or_default().push(shares);
    }

    /// A member was told its partitions by a SyncGroup.
    pub(super) fn on_synced(
        &mut self,
        mark: Mark,
        generation: i32,
        who: &str,
        spots: &BTreeSet<Spot>,
    ) {
        self.tell(format_args!("{who} has {spots:?} in generation {generation}"));
        if mark.losses != self.losses {
            return;
        }
        self.told = self.told.max(generation);
        let none = BTreeSet::new();
        let given = self.gave.entry(generation).or_default();
        let refuted = self.refuted.entry(generation).or_default();
        let aliases = self.aliases.get(who);
        let differs = |shares: &Shares| {
            let named = aliases.into_iter().flatten().find_map(|id| shares.get(id));
            shares.get(who).or(named).unwrap_or(&none) != spots
        };
        let wrong = given.iter().enumerate().filter(|(_, shares)| differs(shares));
        refuted.extend(wrong.map(|(at, _)| at));
        if refuted.len() == given.len() {
            self.fail(&format!(
                "{who} gets {spots:?} in generation {generation}, which no leader gave together \
                 with what others got"
            ));
        }
    }

    // The consumer protocol.

    /// A heartbeat is about to be sent; `owned` is what the member says it has, if it says it.
    /// Of what it is told to have it gives nothing up.
    pub(super) fn on_beat_sent(&mut self, id: &str, owned: Option<&BTreeSet<Spot>>, time: u64) {
        self.tell(format_args!("{id} says {owned:?}"));
        let Some(view) = self.views.get_mut(id) else { return };
        view.asked_since.get_or_insert(time);
        if let Some(owned) = owned {
            view.holds.retain(|spot| owned.contains(spot));
        }
    }

    /// A heartbeat was answered well.
    ///
    /// - `told`: what the member is told to have, if anything was said.
    /// - `owned`: what it has at this time.
    pub(super) fn on_beat(
        &mut self,
        mark: Mark,
        (id, epoch): (&str, i32),
        joins: Joins,
        told: Option<&BTreeSet<Spot>>,
        owned: &BTreeSet<Spot>,
        time: u64,
    ) {
        self.tell(format_args!("{id} in epoch {epoch} is told {told:?}, has {owned:?}"));
        if mark.losses != self.losses {
            return;
        }
        let view = self.views.entry(id.to_owned()).or_default();
        let floor = if joins == Joins::Yes { mark.told } else { view.epoch };
        if epoch < floor.max(view.epoch) {
            self.fail(&format!("{id} is told epoch {epoch}, {floor} was told before"));
            return;
        }
        view.epoch = epoch;
        view.last_ok = view.last_ok.max(mark.time);
        let since = view.asked_since.take().unwrap_or(mark.time);
        if let Some(told) = told {
            let has_to_give_up = owned.iter().any(|spot| !told.contains(spot));
            view.revoking_since = has_to_give_up.then(|| view.revoking_since.unwrap_or(since));
            view.holds.extend(told.iter().copied());
        }
        self.told = self.told.max(epoch);
        let is_alive = time < mark.time + self.terms.session_ms * MS;
        for &spot in told.into_iter().flatten() {
            if is_alive {
                self.check_owners(id, spot, time);
            }
            let book = self.books.entry(spot).or_default();
            if book.last_told.as_ref().is_none_or(|last| last.0 <= epoch) {
                book.last_told = Some((epoch, id.to_owned()));
            }
        }
    }

    /// Nobody else may have a partition that a member is told to have.
    fn check_owners(&mut self, id: &str, spot: Spot, time: u64) {
        let terms = &self.terms;
        let wrong = self.views.iter_mut().find_map(|(other, view)| {
            if *other == id || !view.holds.contains(&spot) {
                return None;
            }
            let is_safe = view.is_safe(terms, time);
            if !is_safe {
                view.holds.remove(&spot);
            }
            is_safe.then(|| other.clone())
        });
        if let Some(other) = wrong {
            self.fail(&format!("{spot:?} is told to {id}, and {other} still has it"));
        }
    }

    /// A member does not know of any partition any more: it leaves, or it is fenced.
    pub(super) fn on_gone(&mut self, id: &str) {
        self.tell(format_args!("{id} is gone"));
        self.views.remove(id);
    }

    /// A heartbeat of a member in an epoch was refused.
    pub(super) fn on_beat_refused(&mut self, mark: Mark, id: &str, error: ErrorCode, time: u64) {
        self.tell(format_args!("{id} gets {}", error.name()));
        let Some(view) = self.views.get(id) else { return };
        let is_safe = view.is_safe(&self.terms, time);
        let is_forgotten = matches!(error, ErrorCode::UnknownMemberId | ErrorCode::GroupIdNotFound);
        if is_safe && is_forgotten && mark.losses == self.losses {
            let ms = (time - view.last_ok) / MS;
            self.fail(&format!("{id} is told {} {ms} ms after its heartbeat", error.name()));
        }
    }
}

/// Whether a heartbeat is a member's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joins {
    /// It is.
    Yes,
    /// It is in an epoch.
    No,
}

/// The commit was not taken, whatever happens later. Others may be storage's errors.
fn is_final(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::IllegalGeneration
            | ErrorCode::UnknownMemberId
            | ErrorCode::FencedInstanceId
            | ErrorCode::FencedMemberEpoch
            | ErrorCode::StaleMemberEpoch
            | ErrorCode::RebalanceInProgress
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::GroupIdNotFound
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
    )
}

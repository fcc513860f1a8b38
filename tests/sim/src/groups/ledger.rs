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

mod forgotten;
mod owners;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use millrace_net::ErrorCode;
use millrace_net::messages::offset_commit::OffsetCommitRequest;

pub(super) use owners::Speaks;
use owners::{Claims, View};

/// Of a random id as text, bytes.
const UUID_LENGTH: usize = 36;

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
    /// Whether its members speak one protocol or the other, and change it.
    pub(super) is_mixed: bool,
    /// Whether any of them may speak the classic protocol.
    pub(super) may_be_classic: bool,
    /// How long offsets that nobody needs are kept, ms.
    pub(super) retention_ms: u64,
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
    /// How often the group had begun anew before.
    era: u32,
    /// World's time, ns.
    pub(super) time: u64,
    /// The highest epoch or generation that was told before and is in the log.
    told: i32,
    /// The highest generation that was told in this life.
    joined: i32,
}

impl Mark {
    /// Whether members had their partitions in a generation, or epoch, already.
    pub(super) const fn knew(&self, generation: i32) -> bool {
        self.told >= generation
    }
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
    /// It was not forgotten before this time, ns, if it was taken at all.
    alive_at: u64,
    /// Behind this it does not take effect any more.
    over: Option<u64>,
    /// The world's time then.
    over_at: Option<u64>,
    fate: Fate,
}

impl Commit {
    /// Whether it makes the group forget what it had.
    const fn forgets(&self) -> bool {
        self.offset < 0
    }
}

/// What is known of a partition.
#[derive(Clone, Debug)]
struct Book {
    /// Commits, by their number, that a look-up may see. 0 stands for none at all, and deletions
    /// are among them.
    candidates: BTreeSet<usize>,
    /// Those of before, with the time by which they were known to be superseded: a look-up that was
    /// sent earlier may still see them.
    dead: BTreeMap<usize, u64>,
    /// One above the last offset that was processed; there are no gaps.
    covered: i64,
    /// The member that the broker told to have it, and the epoch it was told it in: the highest so
    /// far. Answers may arrive late. What a member's leader gave it is not noted here.
    last_told: Option<(i32, String)>,
    /// Members that had it when a power loss took the group's state, and go on with it: the broker
    /// cannot know, and looks at a commit's epoch alone.
    had_at_loss: BTreeSet<String>,
}

impl Default for Book {
    fn default() -> Self {
        let candidates = BTreeSet::from([0]);
        let (dead, had_at_loss) = (BTreeMap::new(), BTreeSet::new());
        Self { candidates, dead, covered: 0, last_told: None, had_at_loss }
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
    /// When it began, ns.
    life_since: u64,
    losses: u32,
    /// How often it has begun anew: its epochs begin with the first one then.
    era: u32,
    /// By number, less one.
    commits: Vec<Commit>,
    books: BTreeMap<Spot, Book>,
    /// The highest generation, or epoch, that was told and is in the log.
    told: i32,
    /// The highest generation of those in which a member led that is in the log.
    led: i32,
    /// The highest generation that was told in this life; the log may not have it.
    joined: i32,
    /// By generation: what leaders asked for.
    gave: BTreeMap<i32, Vec<Shares>>,
    /// Those of them, by index, that what members got does not agree with.
    refuted: BTreeMap<i32, BTreeSet<usize>>,
    /// By instance id: who stands for it in this life.
    instances: BTreeMap<String, Stand>,
    /// By instance id: all member ids that were told. An old leader knows members by those alone.
    aliases: BTreeMap<String, BTreeSet<String>>,
    views: BTreeMap<String, View>,
    /// In this life.
    claims: Claims,
    /// By epoch, or generation, and partition: who was told to have it.
    owners: BTreeMap<(i32, Spot), String>,
    /// What the wall clock shows beyond the world's time, ms, and since when, ns.
    walls: Vec<(u64, i64)>,
    /// The member that was last told a generation, and which.
    newest: Option<(i32, String)>,
    violation: Option<String>,
    /// What it heard, for whoever reads the run's story; none if nobody does.
    story: Option<Vec<String>>,
    /// Commits that were acknowledged.
    pub(super) acked_count: u64,
    /// Commits that were refused because they were of an old generation or epoch.
    pub(super) fenced_count: u64,
    /// Offsets that were seen to be forgotten, as they might be.
    pub(super) forgotten_count: u64,
}

impl Ledger {
    /// A group that nobody has joined.
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            clock: 0,
            life: 0,
            life_since: 0,
            losses: 0,
            era: 0,
            commits: Vec::new(),
            books: BTreeMap::new(),
            told: 0,
            led: 0,
            joined: 0,
            gave: BTreeMap::new(),
            refuted: BTreeMap::new(),
            instances: BTreeMap::new(),
            aliases: BTreeMap::new(),
            views: BTreeMap::new(),
            claims: Claims::new(),
            owners: BTreeMap::new(),
            walls: Vec::new(),
            newest: None,
            violation: None,
            story: None,
            acked_count: 0,
            fenced_count: 0,
            forgotten_count: 0,
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
            era: self.era,
            time,
            told: self.told,
            joined: self.joined,
        }
    }

    /// The broker's process is another one now; nothing that was sent before takes effect later.
    ///
    /// - `has_lost_power`: or something that the page cache had, in any other way.
    pub(super) fn on_new_life(&mut self, has_lost_power: bool, time: u64) {
        self.tell(format_args!("a new life, power lost: {has_lost_power}"));
        self.clock += 1;
        self.life += 1;
        self.life_since = time;
        self.joined = 0;
        self.instances.clear();
        self.claims.clear();
        for commit in &mut self.commits {
            commit.over.get_or_insert(self.clock);
            commit.over_at.get_or_insert(time);
        }
        if !has_lost_power || self.terms.is_durable {
            return;
        }
        self.losses += 1;
        self.note_holders();
        self.begin_anew();
        for book in self.books.values_mut() {
            book.candidates = BTreeSet::from([0]);
            book.dead.clear();
        }
        for (number, commit) in (1..).zip(&mut self.commits) {
            if commit.fate != Fate::Refused {
                commit.over = Some(self.clock);
                commit.over_at = Some(time);
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
    /// - `epoch`: its generation, or epoch, when it got the partition.
    pub(super) fn on_commit_sent(
        &mut self,
        (spot, offset): (Spot, i64),
        (by, instance): (&str, Option<&str>),
        epoch: Epoch,
        time: u64,
    ) -> usize {
        let sent = self.mark(time);
        let newest = self.led.max(self.joined);
        let current = instance.and_then(|it| self.instances.get(it)?.id.as_ref());
        let (is_classic, epoch) = match epoch {
            Epoch::Classic(epoch) => (true, epoch),
            Epoch::Modern(epoch) => (false, epoch),
        };
        let is_mixed = self.terms.is_mixed;
        let book = self.books.get(&spot).filter(|book| !book.had_at_loss.contains(by));
        let last = book.and_then(|book| book.last_told.as_ref());
        // A classic coordinator looks at the generation alone; one that assigns itself, at who was
        // given the partition since.
        let last =
            last.filter(|last| last.1 != by && if is_mixed { epoch < last.0 } else { !is_classic });
        let fenced = match (current, last) {
            _ if (is_classic || is_mixed) && epoch < newest => Some(format!("{newest} was told")),
            (Some(current), _) if current != by => Some(format!("{current} took its place")),
            (_, Some(last)) => Some(format!("{} was told to have it", last.1)),
            (Some(_) | None, None) => None,
        };
        let by = by.to_owned();
        let fate = Fate::Open;
        let (over, over_at) = (None, None);
        let commit = Commit { spot, offset, by, fenced, sent, alive_at: time, over, over_at, fate };
        self.add_commit(commit)
    }

    /// Adds a commit, or a deletion, and returns its number.
    fn add_commit(&mut self, commit: Commit) -> usize {
        self.tell(format_args!("commit {}: {commit:?}", self.commits.len() + 1));
        let spot = commit.spot;
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
    ///
    /// One that failed in the log may be found there by the next process.
    pub(super) fn on_commit_answered(&mut self, number: usize, error: ErrorCode, time: u64) {
        self.tell(format_args!("commit {number}: {}", error.name()));
        self.clock += 1;
        let clock = self.clock;
        let losses = self.losses;
        let commit = &mut self.commits[number - 1];
        if error.is_none() || is_final(error) {
            commit.over.get_or_insert(clock);
            commit.over_at.get_or_insert(time);
        }
        let (spot, sent) = (commit.spot, commit.sent);
        if error.is_none() {
            self.acked_count += u64::from(!commit.forgets());
            if let Some(why) = commit.fenced.clone() {
                let by = commit.by.clone();
                self.fail(&format!("{spot:?}: the commit of {by} was taken after {why}"));
                return;
            }
            if sent.losses == losses {
                commit.fate = Fate::Applied;
                self.on_current(spot, Some(number), sent.clock);
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
    pub(super) fn on_offset(
        &mut self,
        spot: Spot,
        (offset, metadata): (i64, &str),
        mark: Mark,
        time: u64,
    ) {
        self.tell(format_args!("{spot:?} is at {offset} by {metadata:?}, {mark:?}"));
        self.clock += 1;
        if mark.losses != self.losses {
            return;
        }
        if offset < 0 {
            self.on_none(spot, mark, time);
            return;
        }
        let number = metadata.parse::<usize>().ok();
        let number = number.filter(|number| (1..=self.commits.len()).contains(number));
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
        commit.alive_at = commit.alive_at.max(mark.time);
        commit.over.get_or_insert(clock);
        commit.over_at.get_or_insert(time);
        self.on_current(spot, Some(number), mark.clock);
    }

    /// At some time behind `since` a commit was the current one.
    ///
    /// - `number`: none stands for any of those that make the group forget.
    fn on_current(&mut self, spot: Spot, number: Option<usize>, since: u64) {
        let Self { books, commits, clock, .. } = self;
        let Book { candidates, dead, .. } = books.entry(spot).or_default();
        // It may be superseded itself by one that was sent meanwhile.
        candidates.retain(|&other| {
            let commit = other.checked_sub(1).map(|other| &commits[other]);
            let over = commit.map_or(Some(0), |commit| commit.over);
            let is_it = match number {
                Some(number) => other == number,
                None => commit.is_none_or(Commit::forgets),
            };
            let stays = is_it || over.is_none_or(|over| over > since);
            if !stays {
                dead.insert(other, *clock);
            }
            stays
        });
    }

    // The classic protocol.

    /// A member was told its generation by a JoinGroup.
    ///
    /// - `leads`: whether some member assigns, or the broker.
    pub(super) fn on_joined(
        &mut self,
        mark: Mark,
        generation: i32,
        (id, instance): (&str, Option<&str>),
        leads: Leads,
        time: u64,
    ) {
        self.tell(format_args!("{id} {instance:?} joins generation {generation}, {leads:?}"));
        if let Some(instance) = instance {
            self.aliases.entry(instance.to_owned()).or_default().insert(id.to_owned());
        }
        if mark.era != self.era {
            return;
        }
        let floor = match leads {
            Leads::Member => mark.told.max(mark.joined),
            // Some are behind until they have given up what they are to give up.
            Leads::Broker => self.views.get(id).map_or(0, |view| view.epoch),
        };
        if generation < floor && !self.maybe_begin_anew(id, time) {
            self.fail(&format!("{id} joins generation {generation}, {floor} was told before"));
        }
        self.on_joined_again(id, time);
        if leads == Leads::Member {
            self.forget_claims_below(generation);
        }
        if mark.life != self.life {
            return;
        }
        self.newest = Some((generation, id.to_owned()));
        if leads == Leads::Member {
            self.joined = self.joined.max(generation);
        }
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
    ///
    /// - `who`: its instance id, or else its member id, which is `id`.
    pub(super) fn on_synced(
        &mut self,
        mark: Mark,
        generation: i32,
        (who, id): (&str, &str),
        spots: &BTreeSet<Spot>,
        leads: Leads,
        time: u64,
    ) {
        self.tell(format_args!("{who} has {spots:?} in generation {generation}, {leads:?}"));
        if mark.era != self.era {
            return;
        }
        self.check_one_owner(generation, (who, id), spots, time);
        self.told = self.told.max(generation);
        match leads {
            Leads::Member => {
                self.led = self.led.max(generation);
                self.forget_claims_below(generation);
                self.check_shares(generation, who, spots);
            }
            Leads::Broker => self.note_told((id, generation), spots, mark, time),
        }
        self.on_classic_view((who, id), generation, spots, mark);
    }

    /// What members of a generation get is what one request of its leader gave them. A group that has
    /// turned classic goes on with what its members had.
    fn check_shares(&mut self, generation: i32, who: &str, spots: &BTreeSet<Spot>) {
        let none = BTreeSet::new();
        let given = self.gave.entry(generation).or_default();
        if given.is_empty() && self.terms.is_mixed {
            return;
        }
        let refuted = self.refuted.entry(generation).or_default();
        let aliases = self.aliases.get(who);
        let differs = |shares: &Shares| {
            let is_his =
                |id: &String| aliases.is_some_and(|it| it.contains(id)) || is_made_for(id, who);
            let named = shares.iter().find(|(id, _)| is_his(id)).map(|(_, spots)| spots);
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
}

/// Whether a broker made a member id for an instance id: it adds a random one to that. Nobody but an
/// old leader may have been told of it, where the answer to whoever joined was lost.
fn is_made_for(id: &str, instance: &str) -> bool {
    let random = id.strip_prefix(instance).and_then(|rest| rest.strip_prefix('-'));
    random.is_some_and(|random| random.len() == UUID_LENGTH)
}

/// The generation or epoch in which a member got a partition, by the protocol it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Epoch {
    /// A generation.
    Classic(i32),
    /// A member epoch.
    Modern(i32),
}

/// Who assigns to the members of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// One of them.
    Member,
    /// The broker: others speak the consumer protocol.
    Broker,
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
            | ErrorCode::NonEmptyGroup
            | ErrorCode::GroupSubscribedToTopic
    )
}

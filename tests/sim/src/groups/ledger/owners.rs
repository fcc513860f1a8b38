//! Who has which partition: members of the consumer protocol, and those of the classic one to whom
//! the broker assigns because others of their group speak the new one.
//!
//! - In one generation, or epoch, a partition is told to one member alone. Epochs of both protocols
//!   are one sequence: a group that changes its protocol goes on counting.
//! - What a member is told to have, nobody else has whose session, and time to give it up, cannot be
//!   over yet.
//! - The sequence begins anew only where nobody may be left in the group.

use std::collections::{BTreeMap, BTreeSet};

use millrace_net::ErrorCode;

use super::{Joins, Ledger, Mark, Spot, Terms};
use crate::plan::MS;

/// Requests by which processes take an instance id's place, by that id: how many may take effect yet,
/// of the classic protocol and of the consumer protocol.
pub(super) type Claims = BTreeMap<String, (u32, u32)>;

/// The protocol of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Speaks {
    /// JoinGroup.
    Classic,
    /// ConsumerGroupHeartbeat.
    Modern,
}

impl Speaks {
    const fn of(self, claims: &mut (u32, u32)) -> &mut u32 {
        match self {
            Self::Classic => &mut claims.0,
            Self::Modern => &mut claims.1,
        }
    }
}

/// A member, as the coordinator must see it.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// The last that it was told.
    pub(super) epoch: i32,
    /// Its instance id, for a static member.
    instance: Option<String>,
    holds: BTreeSet<Spot>,
    /// When the last request was sent that renewed its session, ns.
    last_ok: u64,
    /// Since when it has something to give up, or is to join again, ns.
    revoking_since: Option<u64>,
    /// When the first request was sent that was not answered yet, ns: the answer that is lost may
    /// have told it to give something up.
    asked_since: Option<u64>,
    /// The topics that its group knows it to subscribe to by their names, and since when at the latest,
    /// ns.
    subscribed: BTreeMap<usize, u64>,
    /// Whether it speaks the classic protocol: its group may wait for it at any time, and not for
    /// long.
    is_classic: bool,
}

impl View {
    /// Whether neither its session nor its time to give something up can be over, and nobody can have
    /// taken its place.
    pub(super) fn is_safe(&self, terms: &Terms, claims: &Claims, time: u64) -> bool {
        let claims = self.instance.as_ref().and_then(|instance| claims.get(instance));
        if claims.is_some_and(|(joins, beats)| *joins > 0 || self.is_classic && *beats > 0) {
            return false;
        }
        let (session, rebalance) = (terms.session_ms * MS, terms.rebalance_ms * MS);
        let session = if self.is_classic { session.min(rebalance) } else { session };
        let in_time = |since: Option<u64>| since.is_none_or(|since| time < since + rebalance);
        time < self.last_ok + session && in_time(self.revoking_since) && in_time(self.asked_since)
    }

    /// Since when its group knows it to subscribe to a topic.
    pub(super) fn subscribed_since(&self, topic: usize) -> Option<u64> {
        self.subscribed.get(&topic).copied()
    }
}

impl Ledger {
    /// The group's state is lost, and members go on with what they have.
    pub(super) fn note_holders(&mut self) {
        for (id, view) in &self.views {
            for spot in &view.holds {
                self.books.entry(*spot).or_default().had_at_loss.insert(id.clone());
            }
        }
    }

    /// The group was empty and begins with its first epoch.
    pub(super) fn begin_anew(&mut self) {
        self.tell(format_args!("it begins anew"));
        self.era += 1;
        self.told = 0;
        self.led = 0;
        self.joined = 0;
        self.refuted.clear();
        self.instances.clear();
        self.views.clear();
        self.owners.clear();
        self.newest = None;
        for book in self.books.values_mut() {
            book.last_told = None;
        }
    }

    /// The broker writes that the group ends; whoever joins next begins it anew. From the outside
    /// that shows only if a lower epoch than one of before is told. Answers of before may be on their
    /// way, and members may come as far as others did before: what both are told need not go together.
    ///
    /// - `was_consumer`: nobody can have joined since it was decided. A classic group is out of
    ///   memory at once, so that the next one of its name may have members before this is written.
    pub(in super::super) fn on_ended(&mut self, was_consumer: bool, time: u64) {
        let is_in = |(_, view): &(&String, &View)| view.is_safe(&self.terms, &self.claims, time);
        let left = self.views.iter().find(is_in);
        match left.map(|(id, _)| id.clone()) {
            None => self.begin_anew(),
            Some(id) if was_consumer => self.fail(&format!("it ends, and {id} is in it")),
            Some(_) => {}
        }
    }

    /// A member that enters is told of an earlier epoch than others were. True if nobody may have been
    /// left in the group: then it has begun anew.
    pub(super) fn maybe_begin_anew(&mut self, id: &str, time: u64) -> bool {
        let Self { terms, claims, .. } = &*self;
        let is_in =
            |(other, view): (&String, &View)| other != id && view.is_safe(terms, claims, time);
        if self.views.iter().any(is_in) {
            return false;
        }
        self.begin_anew();
        true
    }

    /// Members of a group in which one of them assigns have what they were given in its last
    /// generation, and nothing of before.
    pub(super) fn forget_claims_below(&mut self, generation: i32) {
        for view in self.views.values_mut().filter(|view| view.epoch < generation) {
            view.holds.clear();
        }
    }

    /// Nobody else was told of these partitions in the same epoch, unless the group has begun anew and
    /// come as far.
    pub(super) fn check_one_owner(
        &mut self,
        epoch: i32,
        (who, id): (&str, &str),
        spots: &BTreeSet<Spot>,
        time: u64,
    ) {
        let other = |spot: &Spot| self.owners.get(&(epoch, *spot)).filter(|other| *other != who);
        let other = spots.iter().find_map(|spot| Some((*spot, other(spot)?.clone())));
        if let Some((spot, other)) = other
            && !self.maybe_begin_anew(id, time)
        {
            self.fail(&format!("{spot:?} is told to {who} and to {other} in epoch {epoch}"));
        }
        self.owners.extend(spots.iter().map(|spot| ((epoch, *spot), who.to_owned())));
    }

    /// The broker has given a member partitions.
    pub(super) fn note_told(
        &mut self,
        (id, epoch): (&str, i32),
        spots: &BTreeSet<Spot>,
        mark: Mark,
        time: u64,
    ) {
        // Whoever is not heard of for so long may have been replaced by now.
        let is_alive = time < mark.time + self.terms.session_ms.min(self.terms.rebalance_ms) * MS;
        for &spot in spots {
            if is_alive {
                self.check_owners(id, spot, time);
            }
            let book = self.books.entry(spot).or_default();
            book.had_at_loss.remove(id);
            if book.last_told.as_ref().is_none_or(|last| last.0 <= epoch) {
                book.last_told = Some((epoch, id.to_owned()));
            }
        }
    }

    // Static members.

    /// A process that is no member yet is about to join as an instance id. It takes the place of
    /// whoever has it, also if the request is delayed until its process has died and the next one of
    /// that name is in: that one is not known any more then. Only where both speak the consumer
    /// protocol must the place have been given up.
    pub(in super::super) fn on_claim_sent(&mut self, instance: &str, protocol: Speaks) {
        *protocol.of(self.claims.entry(instance.to_owned()).or_default()) += 1;
    }

    /// It was answered.
    pub(in super::super) fn on_claim_answered(&mut self, instance: &str, protocol: Speaks) {
        if let Some(counts) = self.claims.get_mut(instance) {
            let count = protocol.of(counts);
            *count = count.saturating_sub(1);
        }
    }

    // Subscriptions.

    /// A member is about to say what it subscribes to: by the topics' names, those of an expression are
    /// not known.
    pub(in super::super) fn on_subscription_sent(&mut self, id: &str, topics: &BTreeSet<usize>) {
        if let Some(view) = self.views.get_mut(id) {
            view.subscribed.retain(|topic, _| topics.contains(topic));
        }
    }

    /// It was answered well.
    pub(in super::super) fn on_subscribed(
        &mut self,
        mark: Mark,
        id: &str,
        topics: &BTreeSet<usize>,
        time: u64,
    ) {
        if mark.era != self.era {
            return;
        }
        if let Some(view) = self.views.get_mut(id) {
            for &topic in topics {
                view.subscribed.entry(topic).or_insert(time);
            }
        }
    }

    // Members of the classic protocol.

    /// A JoinGroup was answered well. It makes a member of whoever is none, under the id that it says:
    /// one whose session may have been over before is another member since then, and its group may have
    /// had nobody who subscribes to its topics in between.
    pub(super) fn on_joined_again(&mut self, id: &str, time: u64) {
        let Self { terms, claims, views, .. } = self;
        if let Some(view) = views.get_mut(id)
            && !view.is_safe(terms, claims, time)
        {
            view.subscribed.clear();
        }
    }

    /// A member is about to join, or to say that it lives.
    ///
    /// - `owned`: what it says it has, if it joins. It keeps no more than that.
    pub(in super::super) fn on_classic_sent(
        &mut self,
        id: &str,
        owned: Option<&BTreeSet<Spot>>,
        time: u64,
    ) {
        let Some(view) = self.views.get_mut(id) else { return };
        view.asked_since.get_or_insert(time);
        if let Some(owned) = owned {
            self.tell(format_args!("{id} joins and says {owned:?}"));
            if let Some(view) = self.views.get_mut(id) {
                view.holds.retain(|spot| owned.contains(spot));
            }
        }
    }

    /// A member was told its partitions.
    pub(super) fn on_classic_view(
        &mut self,
        (who, id): (&str, &str),
        generation: i32,
        spots: &BTreeSet<Spot>,
        mark: Mark,
    ) {
        let is_newest = generation >= self.led;
        let view = self.views.entry(id.to_owned()).or_default();
        view.instance = (who != id).then(|| who.to_owned());
        view.is_classic = true;
        view.epoch = view.epoch.max(generation);
        view.holds = if is_newest { spots.clone() } else { BTreeSet::new() };
        view.last_ok = view.last_ok.max(mark.time);
        view.revoking_since = None;
        view.asked_since = None;
    }

    /// A Heartbeat was answered: well, or with the wish that the member joins again.
    pub(in super::super) fn on_classic_beat(&mut self, mark: Mark, id: &str, error: ErrorCode) {
        if mark.era != self.era {
            return;
        }
        let Some(view) = self.views.get_mut(id) else { return };
        let since = view.asked_since.take().unwrap_or(mark.time);
        if error.is_none() {
            view.last_ok = view.last_ok.max(mark.time);
        } else {
            view.revoking_since.get_or_insert(since);
        }
    }

    // The consumer protocol.

    /// A heartbeat is about to be sent; `owned` is what the member says it has, if it says it.
    /// Of what it is told to have it gives nothing up.
    pub(in super::super) fn on_beat_sent(
        &mut self,
        id: &str,
        owned: Option<&BTreeSet<Spot>>,
        time: u64,
    ) {
        self.tell(format_args!("{id} says {owned:?}"));
        for (spot, book) in &mut self.books {
            if owned.is_some_and(|owned| !owned.contains(spot)) {
                book.had_at_loss.remove(id);
            }
        }
        let Some(view) = self.views.get_mut(id) else { return };
        view.asked_since.get_or_insert(time);
        if let Some(owned) = owned {
            view.holds.retain(|spot| owned.contains(spot));
        }
    }

    /// A heartbeat was answered well.
    ///
    /// - `who`: its instance id, or else its member id, which is `id`.
    /// - `told`: what the member is told to have, if anything was said.
    /// - `owned`: what it has at this time.
    pub(in super::super) fn on_beat(
        &mut self,
        mark: Mark,
        (id, who, epoch): (&str, &str, i32),
        joins: Joins,
        told: Option<&BTreeSet<Spot>>,
        owned: &BTreeSet<Spot>,
        time: u64,
    ) {
        self.tell(format_args!("{id} in epoch {epoch} is told {told:?}, has {owned:?}"));
        if mark.era != self.era {
            return;
        }
        let floor = match joins {
            // A generation that is not in the log counts as well while its process lives.
            Joins::Yes => mark.told.max(mark.joined),
            Joins::No => 0,
        };
        let floor = floor.max(self.views.get(id).map_or(0, |view| view.epoch));
        if epoch < floor && !(joins == Joins::Yes && self.maybe_begin_anew(id, time)) {
            self.fail(&format!("{id} is told epoch {epoch}, {floor} was told before"));
            return;
        }
        if let Some(told) = told {
            self.check_one_owner(epoch, (who, id), told, time);
        }
        // Of one that goes on although a power loss may have taken the group's state, the log may yet
        // tell that it has something to give up: its time for that began when the log was loaded.
        let goes_on = joins == Joins::No && !self.views.contains_key(id);
        let asked_max = if goes_on { self.life_since } else { u64::MAX };
        let view = self.views.entry(id.to_owned()).or_default();
        view.instance = (who != id).then(|| who.to_owned());
        view.is_classic = false;
        if joins == Joins::Yes {
            view.subscribed.clear();
        }
        view.epoch = epoch;
        view.last_ok = view.last_ok.max(mark.time);
        let since = view.asked_since.take().unwrap_or(mark.time).min(asked_max);
        if let Some(told) = told {
            let has_to_give_up = owned.iter().any(|spot| !told.contains(spot));
            view.revoking_since = has_to_give_up.then(|| view.revoking_since.unwrap_or(since));
            view.holds.extend(told.iter().copied());
        }
        self.told = self.told.max(epoch);
        if let Some(told) = told {
            self.note_told((id, epoch), told, mark, time);
        }
    }

    /// Nobody else may have a partition that a member is told to have.
    fn check_owners(&mut self, id: &str, spot: Spot, time: u64) {
        let Self { terms, claims, views, .. } = self;
        let wrong = views.iter_mut().find_map(|(other, view)| {
            if *other == id || !view.holds.contains(&spot) {
                return None;
            }
            let is_safe = view.is_safe(terms, claims, time);
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
    pub(in super::super) fn on_gone(&mut self, id: &str) {
        self.tell(format_args!("{id} is gone"));
        self.views.remove(id);
        for book in self.books.values_mut() {
            book.had_at_loss.remove(id);
        }
    }

    /// A heartbeat of a member in an epoch was refused.
    pub(in super::super) fn on_beat_refused(
        &mut self,
        mark: Mark,
        id: &str,
        error: ErrorCode,
        time: u64,
    ) {
        self.tell(format_args!("{id} gets {}", error.name()));
        let Some(view) = self.views.get(id) else { return };
        let is_safe = view.is_safe(&self.terms, &self.claims, time);
        let is_forgotten = matches!(error, ErrorCode::UnknownMemberId | ErrorCode::GroupIdNotFound);
        if is_safe && is_forgotten && mark.era == self.era {
            let ms = (time - view.last_ok) / MS;
            self.fail(&format!("{id} is told {} {ms} ms after its heartbeat", error.name()));
        }
    }
}

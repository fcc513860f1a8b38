//! How a coordinator runs groups that are all records: one change of a group at a time.
//!
//! ```text
//!   ask, timer ──▶ line ──▶ plan ──▶ records ──▶ log ──▶ replay ──▶ answer ──▶ next in line
//!                   ▲         │ none: answer at once
//!                   └── waits while records of the group are on their way
//! ```
//!
//! Each plan is made on what the log has, so nothing has to be taken back when an append fails.
//! Classic groups stand in the line too: while a group changes its protocol, and when a group is
//! deleted. Reading and committing do not wait.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use millrace_io::Now;
use millrace_net::ErrorCode;
use millrace_net::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use millrace_net::messages::join_group::JoinGroupRequest;
use millrace_net::messages::leave_group::LeaveGroupRequest;

use super::heartbeat::{Planner, Refusal, Settings, check, refusal};
use super::leave::Leaving;
use super::pattern::{Resolved, Resolving};
use super::record::ConsumerRecord;
use super::{ConsumerGroup, MemberState, MemberTimer, convert};
use crate::coordinator::ask::{GroupAnswer, GroupAsk, Requester, refuse_consumer_heartbeat};
use crate::coordinator::context::{Output, Timer};
use crate::coordinator::group::{Group, GroupState};
use crate::coordinator::record::GroupRecord;
use crate::coordinator::then::Then;
use crate::coordinator::{GroupCoordinator, describe};
use crate::ticket::Ticket;

/// How long until a timer fires again whose records could not be appended, ms.
const RETRY_MS: u64 = 500;

/// What becomes of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimerChange {
    /// It fires so many ms from now.
    Set(u64),
    /// The same, unless it is set already.
    SetOnce(u64),
    /// It does not fire.
    Cancel,
}

/// What waits for its turn.
#[derive(Debug)]
pub(crate) enum Work {
    /// A request.
    Ask(Ticket, GroupAsk),
    /// A timer that fired.
    Timer(Timer),
    /// What an earlier one left to do.
    After(After),
}

/// What is to be done once records are replayed.
#[derive(Debug)]
pub(crate) enum After {
    /// Find out what the group's expressions stand for.
    Resolve,
    /// Take the request up again: the group is of another kind now.
    Again(Ticket, GroupAsk),
    /// A consumer group has turned classic.
    BecameClassic,
    /// A classic member took the place of what may have been the last of the new protocol.
    MaybeDowngrade,
}

/// The works of one group, in their order.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Records of the group are on their way.
    pub is_busy: bool,
    pub waiting: VecDeque<Work>,
}

impl Line {
    /// True if nothing of the group is going on.
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_busy && self.waiting.is_empty()
    }
}

/// What a work comes to, once its records are in the log.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub records: Vec<GroupRecord>,
    pub reply: Option<(Ticket, GroupAnswer)>,
    pub timers: super::classic::Timers,
    /// The topics of this image are known not to ask for another epoch.
    pub image_checked: Option<i64>,
    pub after: Option<After>,
    /// The timer that this came of: it fires again if the records cannot be appended.
    pub of_timer: Option<(Arc<str>, MemberTimer)>,
}

impl GroupCoordinator {
    /// Takes up a request, or lets it wait.
    pub(crate) fn in_line(&mut self, ticket: Ticket, ask: GroupAsk) {
        let group = ask.group_id().and_then(|name| self.groups.get_mut(name));
        match group {
            Some(group) if !group.line.is_idle() => {
                group.line.waiting.push_back(Work::Ask(ticket, ask));
            }
            Some(_) | None => self.run_ask(ticket, ask),
        }
    }

    /// A timer of a group fired.
    pub(crate) fn timer_in_line(&mut self, name: &Arc<str>, timer: Timer) {
        let Some(group) = self.groups.get_mut(name) else { return };
        if group.line.is_idle() {
            self.run_timer(name, &timer);
            self.advance(name);
        } else {
            group.line.waiting.push_back(Work::Timer(timer));
        }
    }

    /// Runs what waits for as long as nothing is on its way.
    pub(crate) fn advance(&mut self, name: &Arc<str>) {
        while let Some(group) = self.groups.get_mut(name)
            && !group.line.is_busy
            && let Some(work) = group.line.waiting.pop_front()
        {
            match work {
                Work::Ask(ticket, ask) | Work::After(After::Again(ticket, ask)) => {
                    self.run_ask(ticket, ask);
                }
                Work::Timer(timer) => self.run_timer(name, &timer),
                Work::After(After::Resolve) => self.resolve_regexes(name),
                Work::After(After::BecameClassic) => self.become_classic(name),
                Work::After(After::MaybeDowngrade) => {
                    let outcome = self.plan(name, |it| it.downgrade(&BTreeSet::new()));
                    if let Some(records) = outcome.flatten() {
                        let after = Some(After::BecameClassic);
                        self.finish(name, Outcome { records, after, ..Outcome::default() });
                    }
                }
            }
        }
        self.drop_if_vacant(name);
    }

    /// Lets `make` plan a change of a consumer group; none if it is not one.
    fn plan<R>(&self, name: &Arc<str>, make: impl FnOnce(&Planner<'_>) -> R) -> Option<R> {
        let group = self.groups.get(name)?.consumer.as_deref()?;
        Some(make(&self.planner(name, group, false)))
    }

    fn planner<'a>(
        &'a self,
        name: &'a Arc<str>,
        group: &'a ConsumerGroup,
        is_new: bool,
    ) -> Planner<'a> {
        Planner {
            config: &self.cx.config,
            image: &self.cx.image,
            now: self.cx.now,
            name,
            group,
            is_new,
            settings: Settings::of(&self.cx.config, &self.cx.image, name),
        }
    }

    /// Has an outcome's records appended; the rest of it follows when they are in the log.
    pub(crate) fn finish(&mut self, name: &Arc<str>, mut outcome: Outcome) {
        let records = std::mem::take(&mut outcome.records);
        if records.is_empty() {
            self.conclude(name, outcome);
            return;
        }
        if let Some(group) = self.groups.get_mut(name) {
            group.line.is_busy = true;
        }
        let then = Then::Consumer { group: Arc::clone(name), outcome: Box::new(outcome) };
        self.cx.append(records, then);
    }

    /// An outcome's records are replayed.
    pub(crate) fn conclude(&mut self, name: &Arc<str>, outcome: Outcome) {
        let Self { groups, cx, .. } = self;
        if let Some(group) = groups.get_mut(name) {
            if let Some(consumer) = group.consumer.as_deref_mut() {
                for (id, timer, change) in outcome.timers {
                    let is_set = consumer.timer(&id, timer).is_some();
                    let at = match change {
                        TimerChange::SetOnce(_) if is_set => continue,
                        TimerChange::Set(ms) | TimerChange::SetOnce(ms) => {
                            Some(cx.now.mono.plus_ms(ms))
                        }
                        TimerChange::Cancel => None,
                    };
                    if consumer.members.contains_key(&id) {
                        consumer.set_timer(cx, name, (&id, timer), at);
                    }
                }
                consumer.image_checked = outcome.image_checked.or(consumer.image_checked);
            }
            if let Some(after) = outcome.after {
                group.line.waiting.push_front(Work::After(after));
            }
        }
        if let Some((ticket, answer)) = outcome.reply {
            cx.reply(ticket, answer);
        }
    }

    /// The records of an outcome are in the log.
    pub(crate) fn on_consumer_committed(
        &mut self,
        name: &Arc<str>,
        records: &[GroupRecord],
        outcome: Outcome,
    ) {
        for record in records {
            match record {
                GroupRecord::Offset(..) => {}
                GroupRecord::Group(..) | GroupRecord::Consumer(..) => self.apply(record),
            }
        }
        if let Some(group) = self.groups.get_mut(name) {
            group.line.is_busy = false;
        }
        self.conclude(name, outcome);
        self.advance(name);
    }

    /// The records of an outcome will never be in the log: nothing has happened.
    pub(crate) fn on_consumer_failed(
        &mut self,
        name: &Arc<str>,
        outcome: Outcome,
        error: ErrorCode,
    ) {
        if let Some((ticket, answer)) = outcome.reply {
            self.cx.reply(ticket, answer.failed(error));
        }
        match outcome.after {
            Some(After::Again(ticket, ask)) => {
                let answer = ask.refuse(error);
                self.cx.reply(ticket, answer);
            }
            Some(After::Resolve | After::BecameClassic | After::MaybeDowngrade) | None => {}
        }
        let Self { groups, cx, .. } = self;
        if let Some(group) = groups.get_mut(name) {
            group.line.is_busy = false;
            if let Some(consumer) = group.consumer.as_deref_mut() {
                consumer.regexes_resolved = None;
                if let Some((id, timer)) = outcome.of_timer {
                    let at = cx.now.mono.plus_ms(RETRY_MS);
                    consumer.set_timer(cx, name, (&id, timer), Some(at));
                }
            }
        }
        self.advance(name);
    }

    // Requests.

    /// ConsumerGroupHeartbeat.
    pub(crate) fn consumer_heartbeat(
        &mut self,
        ticket: Ticket,
        request: &ConsumerGroupHeartbeatRequest,
        requester: &Requester,
    ) {
        let name: Arc<str> = Arc::from(request.group_id.as_str());
        let new_id = self.cx.uuid();
        let planned = check(request, requester.version, &self.cx.config).and_then(|()| {
            if request.member_epoch < 0 {
                self.plan_leave(&name, ticket, request)
            } else {
                self.plan_heartbeat(&name, ticket, (request, requester), &new_id)
            }
        });
        match planned {
            Ok(outcome) => {
                let name = self.ensure(&name);
                self.finish(&name, outcome);
                self.advance(&name);
            }
            Err(Refusal { error, words }) => {
                let response = refuse_consumer_heartbeat(error, Some(words));
                self.cx.reply(ticket, GroupAnswer::ConsumerHeartbeat(response));
            }
        }
    }

    fn plan_heartbeat(
        &mut self,
        name: &Arc<str>,
        ticket: Ticket,
        (request, requester): (&ConsumerGroupHeartbeatRequest, &Requester),
        new_id: &str,
    ) -> Result<Outcome, Refusal> {
        let mut records = Vec::new();
        let mut timers = Vec::new();
        let known = self.groups.get(name);
        let fresh;
        let mut is_new = false;
        let mut is_upgrade = false;
        let group = match known {
            Some(Group { consumer: Some(consumer), .. }) => consumer,
            Some(_) | None if request.member_epoch != 0 => {
                let words = format!("Group {name} is not a consumer group, or does not exist.");
                return Err(refusal(ErrorCode::GroupIdNotFound, words));
            }
            Some(classic) if classic.state() != GroupState::Empty => {
                let Some(upgraded) = convert::upgraded(classic, &self.cx.config, &self.cx.image)
                else {
                    let words = format!("Group {name} is not a consumer group.");
                    return Err(refusal(ErrorCode::GroupIdNotFound, words));
                };
                is_upgrade = true;
                records.push(GroupRecord::Group(name.to_string(), None));
                records.extend(upgraded.records().into_iter().map(|it| named(name, it)));
                timers.extend(upgraded.members.values().map(|member| {
                    let ms = member.classic.as_ref().map_or(0, |it| it.session_timeout_ms);
                    let ms = u64::try_from(ms).unwrap_or(0);
                    (Arc::clone(&member.id), MemberTimer::Session, TimerChange::Set(ms))
                }));
                fresh = upgraded;
                &fresh
            }
            Some(_) | None => {
                let has_record =
                    known.is_some_and(|it| it.generation > 0 || !it.pending.is_empty());
                if has_record {
                    records.push(GroupRecord::Group(name.to_string(), None));
                }
                is_new = true;
                fresh = ConsumerGroup::default();
                &fresh
            }
        };
        let planner = self.planner(name, group, is_new);
        let (change, response) = planner.heartbeat(request, requester, new_id)?;
        records.extend(change.records.into_iter().map(|it| named(name, it)));
        timers.extend(change.timers);
        if is_upgrade && let Some(group) = self.groups.get_mut(name) {
            // The members' joins and syncs cannot end as they began.
            group.refuse_all_waiting(&mut self.cx, ErrorCode::RebalanceInProgress);
        }
        Ok(Outcome {
            records,
            reply: Some((ticket, GroupAnswer::ConsumerHeartbeat(response))),
            timers,
            image_checked: Some(self.cx.image.offset()),
            after: change.resolves.then_some(After::Resolve),
            of_timer: None,
        })
    }

    fn plan_leave(
        &self,
        name: &Arc<str>,
        ticket: Ticket,
        request: &ConsumerGroupHeartbeatRequest,
    ) -> Result<Outcome, Refusal> {
        let planned = self.plan(name, |planner| {
            let (leaving, response) = planner.leave(request)?;
            let answer = (ticket, GroupAnswer::ConsumerHeartbeat(response));
            Ok(match leaving {
                Leaving::Away(record) => {
                    let id = Arc::from(request.member_id.as_str());
                    Outcome {
                        records: vec![named(name, *record)],
                        reply: Some(answer),
                        timers: vec![(id, MemberTimer::Rebalance, TimerChange::Cancel)],
                        ..Outcome::default()
                    }
                }
                Leaving::Gone(gone) => Outcome { reply: Some(answer), ..removal(planner, &gone) },
            })
        });
        planned.unwrap_or_else(|| {
            let words = format!("Group {name} is not a consumer group, or does not exist.");
            Err(refusal(ErrorCode::GroupIdNotFound, words))
        })
    }

    /// JoinGroup to a consumer group.
    pub(crate) fn join_consumer(
        &mut self,
        ticket: Ticket,
        request: Box<JoinGroupRequest>,
        requester: Requester,
    ) {
        let name: Arc<str> = Arc::from(request.group_id.as_str());
        let Some(group) = self.groups.get(&name).and_then(|it| it.consumer.as_deref()) else {
            return;
        };
        if group.members.is_empty() {
            // Nobody is left of the group; it begins anew as a classic one.
            let records = group.tombstones().into_iter().map(|it| named(&name, it)).collect();
            let after = Some(After::Again(ticket, GroupAsk::Join(request, requester)));
            self.finish(&name, Outcome { records, after, ..Outcome::default() });
            return;
        }
        let new_id = self.cx.uuid();
        let planned = self.plan(&name, |planner| planner.join(&request, &requester, &new_id));
        let outcome = match planned {
            Some(Ok((change, response))) => Outcome {
                records: change.records.into_iter().map(|it| named(&name, it)).collect(),
                reply: Some((ticket, GroupAnswer::Joined(response))),
                timers: change.timers,
                image_checked: Some(self.cx.image.offset()),
                after: Some(After::MaybeDowngrade),
                of_timer: None,
            },
            Some(Err(response)) => {
                let reply = Some((ticket, GroupAnswer::Joined(*response)));
                Outcome { reply, ..Outcome::default() }
            }
            None => return,
        };
        self.finish(&name, outcome);
        self.advance(&name);
    }

    /// SyncGroup, Heartbeat or LeaveGroup to a consumer group.
    pub(crate) fn ask_consumer(&mut self, name: &Arc<str>, ticket: Ticket, ask: &GroupAsk) {
        let outcome = self.plan(name, |planner| match ask {
            GroupAsk::Sync(request) => {
                let (response, timers) = planner.sync(request);
                let reply = Some((ticket, GroupAnswer::Synced(response)));
                Outcome { reply, timers, ..Outcome::default() }
            }
            GroupAsk::Heartbeat(request) => {
                let (response, timers) = planner.beat(request);
                let reply = Some((ticket, GroupAnswer::Heartbeat(response)));
                Outcome { reply, timers, ..Outcome::default() }
            }
            GroupAsk::Leave(request) => leave_of_classic(planner, ticket, request),
            GroupAsk::Join(..)
            | GroupAsk::Describe { .. }
            | GroupAsk::List { .. }
            | GroupAsk::Delete { .. }
            | GroupAsk::Commit(..)
            | GroupAsk::Fetch(_)
            | GroupAsk::DeleteOffsets(_)
            | GroupAsk::ConsumerHeartbeat(..)
            | GroupAsk::ConsumerDescribe { .. } => Outcome::default(),
        });
        if let Some(outcome) = outcome {
            self.finish(name, outcome);
            self.advance(name);
        }
    }

    /// ConsumerGroupDescribe, of one group.
    pub(crate) fn describe_consumer(&self, group_id: &str) -> GroupAnswer {
        let group = self.groups.get(group_id);
        let described = match group {
            Some(Group { name, consumer: Some(consumer), .. }) => {
                consumer.describe(name, &self.cx.config, &self.cx.image)
            }
            Some(_) | None => describe::describe_no_consumer(group_id),
        };
        GroupAnswer::ConsumerDescribed(described)
    }

    /// DeleteGroups, or expiry, of a consumer group without members.
    pub(crate) fn delete_consumer(&mut self, name: &Arc<str>, ticket: Option<Ticket>) {
        let Some(group) = self.groups.get(name) else { return };
        let Some(consumer) = &group.consumer else { return };
        let reply = |error| ticket.map(|ticket| (ticket, GroupAnswer::Deleted(error)));
        let outcome = if consumer.members.is_empty() {
            let records = group.offset_tombstones().into_iter();
            let own = consumer.tombstones().into_iter().map(|it| named(name, it));
            let records = records.chain(own).collect();
            Outcome { records, reply: reply(ErrorCode::None), ..Outcome::default() }
        } else {
            Outcome { reply: reply(ErrorCode::NonEmptyGroup), ..Outcome::default() }
        };
        self.finish(name, outcome);
    }

    // What is not asked for.

    fn run_timer(&mut self, name: &Arc<str>, timer: &Timer) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let now = self.cx.now.mono;
        // While it waited, the timer may have been set anew.
        let is_due = |at: Option<millrace_io::Mono>| at.is_some_and(|at| at <= now);
        match timer {
            Timer::Join(_) if is_due(group.join_deadline) => group.on_join_due(&mut self.cx),
            Timer::Sync(_) if is_due(group.sync_deadline) => group.on_sync_due(&mut self.cx),
            Timer::Session(_, number) => {
                if is_due(group.members.get(number).and_then(|member| member.deadline)) {
                    group.on_session_due(&mut self.cx, *number);
                }
            }
            Timer::Pending(_, id) => {
                if is_due(group.pending.get(id).and_then(|pending| pending.deadline)) {
                    group.on_pending_due(&mut self.cx, id);
                }
            }
            Timer::Member(_, kind, id) => {
                let Some(consumer) = group.consumer.as_deref_mut() else { return };
                if !is_due(consumer.timer(id, *kind)) {
                    return;
                }
                consumer.forget_timer(id, *kind);
                let gone = BTreeSet::from([Arc::clone(id)]);
                if let Some(outcome) = self.plan(name, |planner| removal(planner, &gone)) {
                    let of_timer = Some((Arc::clone(id), *kind));
                    self.finish(name, Outcome { of_timer, ..outcome });
                }
            }
            Timer::Join(_) | Timer::Sync(_) | Timer::Expiry => {}
        }
    }

    fn resolve_regexes(&mut self, name: &Arc<str>) {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method itself is of one lifetime, the plan is made in any"
        )]
        let Some(expressions) = self.plan(name, |planner| planner.expressions()) else { return };
        if expressions.is_empty() {
            // What those that left stood for may have been part of what the epoch saw.
            self.take_resolved(name, &Resolved::default());
            return;
        }
        if let Some(group) = self.groups.get_mut(name) {
            group.line.is_busy = true;
        }
        let asked = Resolving { expressions, image: Arc::clone(&self.cx.image) };
        self.cx.outputs.push(Output::Resolve { group: Arc::clone(name), asked });
    }

    /// It is found out what a group's expressions stand for; none if that could not be done.
    pub fn on_resolved(&mut self, now: Now, name: &Arc<str>, resolved: Option<&Resolved>) {
        self.cx.now = now;
        let Some(group) = self.groups.get_mut(name) else { return };
        group.line.is_busy = false;
        if let Some(resolved) = resolved {
            self.take_resolved(name, resolved);
        }
        self.advance(name);
    }

    fn take_resolved(&mut self, name: &Arc<str>, resolved: &Resolved) {
        let Some(records) = self.plan(name, |planner| planner.resolve(resolved)) else { return };
        let at = (self.cx.now.mono, resolved.image_offset);
        if let Some(group) = self.groups.get_mut(name).and_then(|it| it.consumer.as_deref_mut()) {
            group.regexes_resolved = Some(at);
        }
        let records = records.into_iter().map(|it| named(name, it)).collect();
        self.finish(name, Outcome { records, ..Outcome::default() });
    }

    /// A consumer group has turned classic: its members have their sessions, and join again.
    fn become_classic(&mut self, name: &Arc<str>) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let numbers: Vec<_> = group.members.keys().copied().collect();
        for number in numbers {
            group.renew_session(&mut self.cx, number);
        }
        if group.state() != GroupState::Empty {
            group.maybe_prepare_rebalance(&mut self.cx);
        }
    }

    /// The log is loaded: members have their session's time to show themselves.
    pub(crate) fn begin_sessions(&mut self, name: &Arc<str>) {
        let timers = self.plan(name, |planner| {
            let mut timers = super::classic::Timers::new();
            for member in planner.group.members.values() {
                let classic = member.classic.as_ref();
                let session = classic.map_or(planner.settings.session_timeout_ms, |it| {
                    u64::try_from(it.session_timeout_ms).unwrap_or(0)
                });
                let id = || Arc::clone(&member.id);
                timers.push((id(), MemberTimer::Session, TimerChange::Set(session)));
                if member.state == MemberState::Unrevoked && classic.is_none() {
                    let ms = u64::try_from(member.rebalance_timeout_ms).unwrap_or(0);
                    timers.push((id(), MemberTimer::Rebalance, TimerChange::Set(ms)));
                }
            }
            timers
        });
        if let Some(timers) = timers {
            self.conclude(name, Outcome { timers, ..Outcome::default() });
        }
    }
}

pub(crate) fn named(group: &Arc<str>, record: ConsumerRecord) -> GroupRecord {
    GroupRecord::Consumer(group.to_string(), record)
}

/// Members are gone: the others share what they had, or the group turns classic.
fn removal(planner: &Planner<'_>, gone: &BTreeSet<Arc<str>>) -> Outcome {
    if gone.is_empty() {
        return Outcome::default();
    }
    match planner.downgrade(gone) {
        Some(records) => {
            Outcome { records, after: Some(After::BecameClassic), ..Outcome::default() }
        }
        None => {
            let records = planner.fence(gone).into_iter();
            let records = records.map(|it| named(planner.name, it)).collect();
            Outcome { records, ..Outcome::default() }
        }
    }
}

fn leave_of_classic(planner: &Planner<'_>, ticket: Ticket, request: &LeaveGroupRequest) -> Outcome {
    let (response, gone) = planner.leave_classic(request);
    let reply = Some((ticket, GroupAnswer::Left(response)));
    Outcome { reply, ..removal(planner, &gone) }
}

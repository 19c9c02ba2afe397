//! Word that can wait: to whom duty passes, and to administrators about what will keep pages from somebody. Each is told once:
//! what was noticed is journalled, and whoever looks again finds nothing new. What was lost by one way goes by the next.

use std::collections::BTreeSet;
use std::iter;

use super::Decider;
use crate::ahead::{Finding, FindingKind};
use crate::event::{Cause, EventBody, NotificationWhat, Response, RosterEvent};
use crate::id::{ContactMethodId, IncidentId, NotificationId, ScheduleId, UserId};
use crate::incident::Incident;
use crate::oncall::{Schedule, shown_in};
use crate::oncall_event::OncallEvent;
use crate::page::{Delivery, Notification, Purpose, Word};
use crate::people::{ChannelKind, Role, SetUp, User};
use crate::time::Timestamp;

/// Ways by which one word goes, one after the other, at most: more than a person has.
const WAYS_MAX: usize = 100;
/// Shifts of one person that are put together to tell until when they have duty.
const SHIFTS_TOGETHER_MAX: usize = 64;

/// A way by which word goes to somebody.
pub(super) type WordWay = (ContactMethodId, ChannelKind);

impl Decider<'_> {
    /// Tells whoever has duty since this was asked last. Several hand-offs since then count as one: the last.
    pub(super) fn notice_hand_offs(&mut self) {
        let schedules = self.state.schedules.values();
        let changed: Vec<(ScheduleId, Option<UserId>)> = schedules
            .map(|known| {
                let shift = known.shift_at(self.now);
                (known.id, shift.map(|shift| shift.user))
            })
            .filter(|(id, user)| self.state.duty.seen.get(id) != Some(user))
            .collect();
        for (schedule, user) in changed {
            // Who has duty when a schedule is looked at for the first time was told by whoever made it.
            let is_new = !self.state.duty.seen.contains_key(&schedule);
            let event = OncallEvent::DutySeen { schedule, user };
            let position = self.emit_noticed(event);
            if let Some(user) = user.filter(|_| !is_new) {
                self.tell_duty(schedule, user, position);
            }
        }
    }

    fn tell_duty(&mut self, schedule: ScheduleId, user: UserId, position: u64) {
        if self.state.duty.unwanted.contains(&user) {
            return;
        }
        let Some(known) = self.state.schedules.get(&schedule) else {
            return;
        };
        let Some(method) = self.way_that_can_wait(user) else {
            return;
        };
        let why = match duty_end(known, user, self.now) {
            Some(until) => {
                let zone = &known.time_zone;
                let until = shown_in(zone, until);
                format!(
                    "You are on call for {:?} until {until} ({zone})",
                    known.name
                )
            }
            None => format!("You are on call for {:?}", known.name),
        };
        let (cause, now) = (Cause::Event { position }, self.now);
        let purpose = Purpose::Word(Word::HandOff { schedule });
        self.plan(cause, purpose, user, method, None, now, why);
    }

    /// Takes in what is found now, and by which channels messages can leave: what is new, what is gone, and, once a day at most, word
    /// to the administrators.
    pub(super) fn findings_seen(&mut self, found: Vec<Finding>, set_up: SetUp) {
        if self.state.duty.set_up.as_ref() != Some(&set_up) {
            self.emit_noticed(OncallEvent::ChannelsSeen { set_up });
        }
        let standing = self.state.duty.findings.keys();
        let gone: Vec<String> = standing
            .filter(|key| found.iter().all(|finding| finding.key != **key))
            .cloned()
            .collect();
        for key in gone {
            self.emit_noticed(OncallEvent::FindingEnded { key });
        }
        let mut standing = Vec::new();
        for finding in found {
            if self.state.duty.findings.contains_key(&finding.key) {
                standing.push(finding);
            } else {
                self.emit_noticed(OncallEvent::FindingAppeared { finding });
            }
        }
        self.tell_findings(standing);
    }

    /// Tells what is new, with what was `standing` before, as that is found now.
    fn tell_findings(&mut self, standing: Vec<Finding>) {
        if self.tells_findings_now() {
            // What is tried again is written anew.
            return self.restate_findings(standing);
        }
        let Some(position) = self.state.duty.news_at() else {
            return;
        };
        if !self.state.duty.may_tell(self.now) {
            return;
        }
        let ways = self.ways_to_administrators();
        if !ways.is_empty() {
            self.restate_findings(standing);
        }
        for (user, method) in ways {
            let (cause, now) = (Cause::Event { position }, self.now);
            let purpose = Purpose::Word(Word::Findings);
            let why = "administrators are told what will keep pages from somebody".to_owned();
            self.plan(cause, purpose, user, method, None, now, why);
        }
    }

    /// Takes in what is otherwise by now of findings that stood before, such as when they begin: the gap of last Saturday is that of
    /// next Saturday. None of it is news, and only a word shows it: it is written down for a word, and not each time that somebody looks.
    fn restate_findings(&mut self, found: Vec<Finding>) {
        // What has begun is found from now on: what was said of such a span stands for as long as it ends when it was to end.
        let is_the_same = |known: &Finding, found: &Finding| {
            let is_span = matches!(
                found.kind,
                FindingKind::Gap { .. } | FindingKind::EmptyLevel { .. }
            );
            let lasts = known.since <= self.now && found.since <= self.now;
            let ends_so = (known.until, known.times) == (found.until, found.times);
            known == found || (is_span && lasts && ends_so)
        };
        let is_otherwise = |found: &Finding| {
            let known = self.state.duty.findings.get(&found.key);
            known.is_some_and(|known| !is_the_same(known, found))
        };
        let findings: Vec<Finding> = found.into_iter().filter(is_otherwise).collect();
        if !findings.is_empty() {
            self.emit_noticed(OncallEvent::FindingsRestated { findings });
        }
    }

    /// Whether word of findings is under way to somebody.
    fn tells_findings_now(&self) -> bool {
        let active = self.state.active_notifications.iter();
        let mut active = active.filter_map(|id| self.state.notifications.get(id));
        active.any(|message| message.purpose == Purpose::Word(Word::Findings))
    }

    /// By which way each administrator is told of findings, those first by which word of them was not lost lately. None when nobody
    /// can be told now, or it was lost by all of everybody's: then it stays news until there is another way, or for a day.
    fn ways_to_administrators(&self) -> Vec<(UserId, WordWay)> {
        let was_lost = |way: &WordWay| self.state.duty.was_lost_by(way.0, self.now);
        let users = self.state.users.values();
        let admins = users.filter(|user| user.role == Role::Admin);
        let firsts: Vec<(UserId, WordWay)> = admins
            .filter_map(|user| {
                let mut ways = self.ways_that_can_wait(user);
                ways.sort_by_key(was_lost);
                Some((user.id, *ways.first()?))
            })
            .collect();
        if firsts.iter().all(|(_, way)| was_lost(way)) {
            return Vec::new();
        }
        firsts
    }

    /// Word of findings has come to somebody: what stood when it was written, after the event at `begun_at`, counts as told.
    pub(super) fn note_findings_told(&mut self, id: NotificationId, begun_at: u64, position: u64) {
        let Some(message) = self.state.notifications.get(&id) else {
            return;
        };
        let is_told = message.purpose == Purpose::Word(Word::Findings)
            && matches!(message.state, Delivery::Delivered { .. })
            && self.state.users.contains_key(&message.user);
        if !is_told {
            return;
        }
        let duty = &self.state.duty;
        let keys = duty.stood_at(begun_at);
        // Of several administrators the first counts.
        if keys.iter().any(|key| !duty.told.contains(key)) {
            let what = OncallEvent::FindingsTold { keys };
            let event = RosterEvent::Oncall { what };
            self.emit(Cause::Event { position }, EventBody::Roster(event));
        }
    }

    /// A word was lost by one way: it goes by the next of the same person, as long as it is true. Where none is left, nothing is said, and an
    /// incident that was passed on is nobody's again.
    pub(super) fn say_otherwise(&mut self, lost: NotificationId, word: Word, position: u64) {
        let Some(message) = self.state.notifications.get(&lost).cloned() else {
            return;
        };
        let is_lost = match message.state {
            Delivery::Failed { .. } | Delivery::Cancelled { .. } => true,
            // It is tried again by the same way.
            Delivery::Due { .. }
            | Delivery::Together { .. }
            | Delivery::Sending { .. }
            | Delivery::Delivered { .. } => false,
        };
        let Some(user) = self.state.users.get(&message.user) else {
            return;
        };
        if !is_lost || !self.still_holds(word, message.user) {
            return;
        }
        let used = self.ways_used(&message);
        let mut ways = self.ways_that_can_wait(user).into_iter();
        let Some((method, channel)) = ways.find(|(method, _)| !used.contains(method)) else {
            if let Word::PassedOn { incident } = word {
                self.take_from_untold(incident, &message, position);
            }
            return;
        };
        let id = NotificationId::random(self.entropy);
        let message = Notification {
            id,
            contact_method: method,
            channel,
            planned_at: self.now,
            state: Delivery::Due { at: self.now },
            attempts: Vec::new(),
            last_event: 0,
            instead_of: Some(lost),
            // The fold knows.
            planned_event: None,
            ..message
        };
        let what = NotificationWhat::Planned { message };
        self.emit_message(Cause::Event { position }, id, what, None);
    }

    /// The ways by which a word has gone so far.
    fn ways_used(&self, word: &Notification) -> BTreeSet<ContactMethodId> {
        let before = |word: &&Notification| self.state.notifications.get(&word.instead_of?);
        // No way leads back; the limit is for a journal that says otherwise.
        let words = iter::successors(Some(word), before).take(WAYS_MAX);
        words.map(|word| word.contact_method).collect()
    }

    /// By what a person is told something that wakes nobody: the first of their ways for such.
    pub(super) fn way_that_can_wait(&self, user: UserId) -> Option<WordWay> {
        let user = self.state.users.get(&user)?;
        self.ways_that_can_wait(user).into_iter().next()
    }

    /// All of their ways for such in turn: the soonest by their rules, then mail, then whatever is verified, and whose channel is not
    /// set up behind those whose channel is. None is among them that calls a person or opens an incident elsewhere.
    fn ways_that_can_wait(&self, user: &User) -> Vec<WordWay> {
        let ruled = user.notice_ways().into_iter();
        let ruled = ruled.map(|way| (way.method, way.channel));
        let others = user.verified_methods();
        let mut others: Vec<WordWay> = others.map(|method| (method.id, method.kind)).collect();
        others.sort_by_key(|(_, kind)| *kind != ChannelKind::Email);
        let mut ways: Vec<WordWay> = Vec::new();
        for way in ruled.chain(others) {
            if way.1.carries_words() && !ways.contains(&way) {
                ways.push(way);
            }
        }
        // What was seen last may have changed since: they are tried when nothing else is left.
        let set_up = self.state.duty.set_up.as_ref();
        ways.sort_by_key(|way| set_up.is_some_and(|set_up| !set_up.carries_by(way.0, way.1)));
        ways
    }

    /// An incident had passed on to somebody to whom no word of it comes: it is nobody's again, lest it stays so without anybody knowing.
    /// Whoever has taken it anew since then knows.
    fn take_from_untold(&mut self, incident: IncidentId, word: &Notification, position: u64) {
        let mut first = word;
        while let Some(before) = first.instead_of {
            match self.state.notifications.get(&before) {
                Some(before) => first = before,
                None => break,
            }
        }
        let known = self.state.incidents.get(&incident);
        let holder = known.and_then(Incident::holder);
        if holder.is_none_or(|holder| holder.at > first.planned_at) {
            return;
        }
        let user = word.user;
        let why = "no word came to them that it is theirs now".to_owned();
        let by = Some(user);
        let ended = Response::AcknowledgementEnded { by, why };
        self.emit_response(Cause::Event { position }, incident, ended);
        self.take_up_again(incident);
    }

    /// Records what nobody did: it was time.
    fn emit_noticed(&mut self, what: OncallEvent) -> u64 {
        let (event, at) = (RosterEvent::Oncall { what }, self.now);
        self.emit(Cause::Due { at }, EventBody::Roster(event))
    }

    /// Whether a word is still true.
    pub(super) fn still_holds(&self, word: Word, user: UserId) -> bool {
        match word {
            Word::HandOff { schedule } => {
                let known = self.state.schedules.get(&schedule);
                let shift = known.and_then(|known| known.shift_at(self.now));
                shift.is_some_and(|shift| shift.user == user)
            }
            Word::Swap {
                schedule,
                swap,
                offered,
            } => {
                let known = self.state.schedules.get(&schedule);
                known.is_some_and(|known| {
                    let mut offers = known.proposed.iter();
                    !offered || offers.any(|offer| offer.swap.id == swap && offer.awaits() == user)
                })
            }
            Word::Findings => !self.state.duty.findings.is_empty(),
            Word::PassedOn { incident } => {
                let known = self.state.incidents.get(&incident);
                let holder = known.and_then(Incident::holder);
                holder.is_some_and(|holder| holder.user == user)
            }
            Word::WayGone { method } => {
                let user = self.state.users.get(&user);
                user.is_some_and(|user| user.contact_method(method).is_some())
            }
            Word::Webhook { webhook } => {
                let known = self.state.webhooks.get(&webhook);
                known.is_some_and(|known| {
                    known.is_disabled(self.now) || known.unanswered_since.is_some()
                })
            }
        }
    }
}

/// When the duty that a person has at `now` ends; `None` when it is too far ahead to tell.
fn duty_end(schedule: &Schedule, user: UserId, now: Timestamp) -> Option<Timestamp> {
    let mut end = now;
    for _ in 0..SHIFTS_TOGETHER_MAX {
        match schedule.shift_at(end).filter(|shift| shift.user == user) {
            Some(shift) => end = shift.until,
            None => return Some(end),
        }
    }
    None
}

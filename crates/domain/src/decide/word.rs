//! Word that can wait: to whom duty passes, and to administrators about what will keep pages from somebody. Each is told once:
//! what was noticed is journalled, and whoever looks again finds nothing new.

use super::Decider;
use crate::ahead::Finding;
use crate::event::{Cause, EventBody, RosterEvent};
use crate::id::{ContactMethodId, ScheduleId, UserId};
use crate::oncall::{Schedule, shown_in};
use crate::oncall_event::OncallEvent;
use crate::page::{Purpose, Word};
use crate::people::{ChannelKind, Role, User};
use crate::time::Timestamp;

/// Findings are told to administrators once within this time at most.
const TELL_EVERY_MS: u64 = 24 * 3_600_000;
/// Shifts of one person that are put together to tell until when they have duty.
const SHIFTS_TOGETHER_MAX: usize = 64;

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
        let Some(method) = self.state.users.get(&user).and_then(way_that_can_wait) else {
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

    /// Takes in what is found now: what is new, what is gone, and, once a day at most, word to the administrators.
    pub(super) fn findings_seen(&mut self, found: Vec<Finding>) {
        let standing = self.state.duty.findings.keys();
        let gone: Vec<String> = standing
            .filter(|key| found.iter().all(|finding| finding.key != **key))
            .cloned()
            .collect();
        for key in gone {
            self.emit_noticed(OncallEvent::FindingEnded { key });
        }
        for finding in found {
            if !self.state.duty.findings.contains_key(&finding.key) {
                self.emit_noticed(OncallEvent::FindingAppeared { finding });
            }
        }
        self.tell_findings();
    }

    fn tell_findings(&mut self) {
        let duty = &self.state.duty;
        let is_due = duty
            .told_at
            .is_none_or(|at| self.now.ms_since(at) >= TELL_EVERY_MS);
        if !is_due || !duty.has_news() {
            return;
        }
        let users = self.state.users.values();
        let admins = users.filter(|user| user.role == Role::Admin);
        let ways: Vec<(UserId, (ContactMethodId, ChannelKind))> = admins
            .filter_map(|user| Some((user.id, way_that_can_wait(user)?)))
            .collect();
        // Nobody can be told now: it stays news until somebody can.
        if ways.is_empty() {
            return;
        }
        let keys = duty.findings.keys().cloned().collect();
        let position = self.emit_noticed(OncallEvent::FindingsTold { keys });
        for (user, method) in ways {
            let (cause, now) = (Cause::Event { position }, self.now);
            let purpose = Purpose::Word(Word::Findings);
            let why = "administrators are told what will keep pages from somebody".to_owned();
            self.plan(cause, purpose, user, method, None, now, why);
        }
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

/// By what a person is told something that wakes nobody: the soonest of their ways for such, else mail, else whatever is verified,
/// and never by one that calls them or opens an incident elsewhere.
pub(super) fn way_that_can_wait(user: &User) -> Option<(ContactMethodId, ChannelKind)> {
    let mut ruled = user.notice_ways().into_iter();
    let ruled = ruled.find(|way| way.channel.carries_words());
    let others = user.verified_methods();
    let others: Vec<(ContactMethodId, ChannelKind)> = others
        .filter(|method| method.kind.carries_words())
        .map(|method| (method.id, method.kind))
        .collect();
    let mail = others.iter().find(|(_, kind)| *kind == ChannelKind::Email);
    let ruled = ruled.map(|way| (way.method, way.channel));
    ruled.or(mail.copied()).or(others.first().copied())
}

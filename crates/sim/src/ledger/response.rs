//! What people do about an incident beyond taking it, in the second book.

use std::collections::BTreeSet;

use tocsin_domain::event::Response;
use tocsin_domain::id::{AlertId, IncidentId, UserId};
use tocsin_domain::incident::Assigned;
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::{Case, Ledger, Standing, Wait};
use crate::check::Check;

impl Ledger {
    pub(super) fn see_response(&mut self, id: IncidentId, what: &Response, at: Timestamp) {
        match what {
            Response::PartlyAcknowledged { by, .. } => {
                self.change(id, |case| {
                    case.spared.insert(*by);
                    case.sign(Some(*by));
                });
            }
            Response::AcknowledgementEnded { .. } | Response::SnoozeEnded => {
                self.check_nobody_signed(id, at);
                self.hush_no_more(id);
                self.change(id, |case| case.trigger_again(at));
            }
            Response::PassedOn { from, to, .. } => {
                self.check_passed_on(id, (*from, *to), at);
                self.change(id, |case| case.taker = Some(*to));
            }
            Response::Snoozed { by, until } => self.change(id, |case| {
                case.take();
                case.taker = Some(*by);
                case.sign(Some(*by));
                case.snoozed_until = Some(*until);
                case.taken_until = None;
            }),
            Response::SnoozeCancelled { ends_at } => self.change(id, |case| {
                case.snoozed_until = None;
                case.taken_until = *ends_at;
            }),
            Response::Reassigned { to } => {
                self.hush_no_more(id);
                let position = self.position;
                self.change(id, |case| case.give_to(to, position));
            }
            Response::EscalatedByHand { spared } => {
                let spared: BTreeSet<UserId> = spared.iter().copied().collect();
                self.check_spared(id, &spared, at);
                self.hush_no_more(id);
                let is_given = self.given_people(id).is_some();
                self.change(id, |case| case.escalate(is_given, spared, at));
            }
            Response::Merged {
                source,
                alerts,
                severity,
                urgency,
                pages,
                ..
            } => {
                self.move_alerts(*source, id, alerts);
                self.take_over_from(*source, id, (*severity, *urgency), *pages);
            }
            Response::UrgencySet { urgency } => {
                self.hush(id, *urgency == Urgency::Low);
                self.change(id, |case| case.set_urgency(*urgency));
            }
            Response::MergedInto { into, .. } => {
                self.change(id, |case| case.merged_into = Some(*into));
                self.ask_on(id, *into);
            }
            Response::RespondersRequested { people, .. } => self.change(id, |case| {
                case.helpers
                    .extend(people.iter().map(|user| (*user, false)));
                case.unasked.retain(|user| !people.contains(user));
            }),
            Response::ResponderAnswered { user, accepted } => {
                self.change(id, |case| case.answer(*user, *accepted));
            }
            Response::PrioritySet { .. } | Response::TitleSet { .. } => {}
        }
    }

    /// Whoever did their part is left in peace by an escalation by hand, and nobody else but whoever had taken it.
    fn check_spared(&mut self, id: IncidentId, spared: &BTreeSet<UserId>, at: Timestamp) {
        let Some(case) = self.cases.get(&id) else {
            return;
        };
        let mut others = spared.difference(&case.spared);
        let is_right =
            case.spared.is_subset(spared) && others.all(|user| case.takers.contains(user));
        if !is_right {
            let what = format!(
                "incident {} was escalated by hand without {spared:?}, who did their part: {:?}",
                case.number, case.spared
            );
            self.find(Check::RightPerson, at, what);
        }
    }

    /// What a person said of an incident goes on in the one that it was merged into.
    fn take_over_from(
        &mut self,
        source: IncidentId,
        id: IncidentId,
        (severity, urgency): (Severity, Urgency),
        pages: bool,
    ) {
        let source = self.cases.get(&source);
        let is_quieted = source.is_some_and(|source| source.is_quieted);
        let is_loud = source.is_some_and(|source| source.is_loud);
        let ended_at = source.and_then(|source| source.ended_at);
        let may_flap = source.is_some_and(|source| source.is_flapping || source.may_flap);
        self.change(id, |case| {
            case.is_loud |= is_loud;
            case.ended_at = case.ended_at.max(ended_at);
            case.may_flap |= may_flap;
            case.severity = severity;
            case.urgency = urgency;
            case.is_quieted = (case.is_quieted || is_quieted) && urgency == Urgency::Low;
            case.is_merged = true;
            case.is_hurried |= severity == Severity::Critical;
            if pages {
                case.begin_anew(None);
            }
        });
    }

    /// Who was asked to help with what ends in another incident and can be reached is to be asked about that, unless they have
    /// answered, have it, or were asked about it already.
    fn ask_on(&mut self, source: IncidentId, into: IncidentId) {
        let source = self.cases.get(&source).map(|source| &source.helpers);
        let helpers = source.into_iter().flatten();
        let unanswered = helpers.filter(|(_, answered)| !**answered);
        let can = |user: &UserId| {
            let person = self.people.get(user);
            person.is_some_and(super::Person::is_reachable)
        };
        let asked = unanswered.map(|(user, _)| *user).filter(can);
        let asked: BTreeSet<UserId> = asked.collect();
        self.change(into, |case| {
            let is_new =
                |user: &UserId| case.taker != Some(*user) && !case.helpers.contains_key(user);
            let asked: Vec<UserId> = asked.into_iter().filter(is_new).collect();
            case.unasked.extend(asked);
        });
    }

    fn move_alerts(&mut self, from: IncidentId, to: IncidentId, alerts: &[AlertId]) {
        let mut firing = Vec::new();
        self.change(from, |case| {
            for alert in alerts {
                let burning = case.firing.remove(alert);
                firing.extend(burning.map(|burning| (*alert, burning)));
            }
        });
        let own_judge = self.cases.get(&from).is_some_and(|case| case.own_judge);
        for alert in alerts {
            if let Some(known) = self.alerts.get_mut(alert) {
                known.incident = to;
            }
        }
        self.groups.go_on(from, to);
        let members = self.cases.get(&from).map_or(0, |case| case.members);
        self.change(to, |case| {
            case.members += members;
            if !firing.is_empty() {
                case.healthy_since = None;
            }
            case.firing.extend(firing);
            case.own_judge |= own_judge;
        });
        self.touch(from);
    }
}

impl Case {
    /// Nobody has it any more: the level that was reached is paged again.
    fn trigger_again(&mut self, at: Timestamp) {
        self.standing = Standing::Triggered;
        self.snoozed_until = None;
        self.taken_until = None;
        self.is_pressed = true;
        self.spared.clear();
        self.takers.clear();
        self.signed.clear();
        self.taker = None;
        if let Wait::Level { next_at, .. } = &mut self.wait {
            *next_at = at;
        }
    }

    /// It is theirs from now on, and nobody's else who was chosen for it before.
    fn give_to(&mut self, to: &Assigned, position: u64) {
        self.begin_anew(None);
        (self.given_to, self.given_policy) = match to {
            Assigned::People(people) => (people.clone(), None),
            Assigned::Policy(policy) => (Vec::new(), Some(*policy)),
        };
        self.chosen = self.given_to.iter().copied().collect();
        self.given_event = position;
        self.is_pressed = true;
    }

    /// The next level is due now, without those who did their part.
    fn escalate(&mut self, is_given: bool, spared: BTreeSet<UserId>, at: Timestamp) {
        let wait = self.wait;
        self.begin_anew(None);
        self.is_pressed = true;
        self.spared = spared;
        if is_given {
            // After the people it was given to, its policy has its turn.
            self.given_to.clear();
            return;
        }
        if let Wait::Level {
            level,
            round,
            is_fallback,
            ..
        } = wait
        {
            self.wait = Wait::Level {
                level,
                round,
                is_fallback,
                next_at: at,
            };
        }
    }
}

impl Case {
    /// What a person says of it stands: what is not urgent waits for no page.
    fn set_urgency(&mut self, urgency: Urgency) {
        self.urgency = urgency;
        self.is_quieted = urgency == Urgency::Low;
        self.is_loud = urgency == Urgency::High;
        if self.is_quieted {
            self.spared.clear();
            self.wait = match self.wait {
                Wait::Quiet(until) => Wait::Quiet(until),
                Wait::Nothing | Wait::Hold(_) | Wait::Level { .. } => Wait::Nothing,
            };
        }
    }
}

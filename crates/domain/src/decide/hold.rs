//! Decisions about pages that wait whether what fails is over by then: each alert waits for its own reason, and an incident no longer
//! than the first of those that ask for somebody. What fails of one target shares a wait, for a minute at most: a restart makes much
//! of it fail, and each judge sees it in its own time. What is worse than what waits shares nothing.

use super::Decider;
use super::alert::Condition;
use crate::alert::Alert;
use crate::bugs::{self, Bug};
use crate::event::{Cause, IncidentWhat};
use crate::id::{AlertId, IncidentId};
use crate::incident::{Hold, Incident, Status};
use crate::monitor::Monitor;
use crate::people::Urgency;
use crate::time::Timestamp;

/// What fails of one target waits no longer than this for a reason that another failure of it has: the longest that a stock monitor
/// waits.
const SHARED_MS_MAX: u64 = 60_000;

impl Decider<'_> {
    /// Of the waits that rules give an alert, the one that counts in this incident, if one still does.
    pub(super) fn own_wait(&self, id: IncidentId, rules: &[(Hold, u32)]) -> Option<Hold> {
        let relapses = self.state.incidents.get(&id)?.recent_relapses();
        let now = self.now;
        let covering = rules
            .iter()
            .filter(|(hold, covered)| relapses <= *covered && hold.until > now);
        let longest = covering.max_by_key(|(hold, _)| hold.until);
        longest.map(|(hold, _)| hold.clone())
    }

    /// How long an alert waits from now on that is said again as something worse, if that is less long than before: a wait was a
    /// reason of something lesser. Its end has come where it waits no longer.
    pub(super) fn shorter_wait(&self, known: &Alert, condition: &Condition) -> Option<Box<Hold>> {
        let before = known.hold.as_deref().filter(|hold| hold.until > self.now)?;
        let own = self.own_wait(known.incident, &condition.hold);
        let hold = own.unwrap_or_else(|| Hold {
            until: self.now,
            ..before.clone()
        });
        if hold.until > before.until && bugs::on(Bug::PauseRestartsWithEachRepeat) {
            return Some(Box::new(hold));
        }
        let is_shorter = condition.is_worse_than(known) && hold.until < before.until;
        is_shorter.then(|| Box::new(hold))
    }

    /// How long what joins an incident waits for the reason why another failure of its target does.
    pub(super) fn shared_wait(&self, id: IncidentId, condition: &Condition) -> Option<Hold> {
        let incident = self.state.incidents.get(&id)?;
        let held = incident.hold.as_ref()?;
        let is_worse = condition.severity > incident.severity;
        let shares = incident.is_unanswered() && condition.urgency() == Urgency::High && !is_worse;
        let until = held.until.min(self.now.plus_ms(SHARED_MS_MAX));
        shares.then(|| Hold {
            until,
            ..held.clone()
        })
    }

    /// Whether an alert is quiet by itself in an incident that waits.
    pub(super) fn is_quiet_beside_a_hold(&self, alert: &Alert) -> bool {
        let incident = self.state.incidents.get(&alert.incident);
        let is_held = incident.is_some_and(|incident| incident.hold.is_some());
        let quiet = || self.state.quiet_alert(alert.features(), self.now);
        is_held && quiet().is_some()
    }

    /// When an incident pages for what fails in it already: now, where somebody is being paged for it. What comes and goes does not.
    pub(super) fn pages_anyway_at(&self, id: IncidentId) -> Option<Timestamp> {
        let incident = self.state.incidents.get(&id)?;
        self.pages_at(incident).filter(|_| !incident.flapping)
    }

    /// The same, also of what comes and goes.
    pub(super) fn pages_at(&self, incident: &Incident) -> Option<Timestamp> {
        let is_urgent = incident.urgency == Urgency::High && self.state.burns(incident);
        if incident.status != Status::Triggered || !is_urgent {
            return None;
        }
        let held_until = incident.hold.as_ref().map(|hold| hold.until);
        let quiet_until = match &incident.suppressed {
            Some((_, until)) => Some(*until),
            None if incident.paging.is_some() => None,
            None => {
                let quiet = self.state.quiet_at(incident, self.now);
                quiet.map(|quiet| quiet.until)
            }
        };
        let waits_until = held_until.into_iter().chain(quiet_until).min();
        Some(waits_until.unwrap_or(self.now))
    }

    /// Waits where that avoids a false page; else the page is due at once.
    pub(super) fn hold_or_page(&mut self, id: IncidentId, hold: Option<Hold>) {
        let Some(incident) = self.state.incidents.get(&id) else {
            return;
        };
        // What a person said is urgent is paged for from then on.
        let may_wait = incident.suppressed.is_none() && !incident.urgent_by_hand;
        let asks = incident.urgency == Urgency::High && may_wait;
        if let Some(hold) = hold.filter(|hold| asks && hold.until > self.now) {
            self.hold_page(id, hold, self.state.position);
        }
    }

    /// What is urgent and joins others, or got worse, does not wait for the reason why one of those waits, only for its own, or as long
    /// as it is quiet by itself.
    pub(super) fn end_pause_of_others(&mut self, alert: AlertId, id: IncidentId) {
        let incident = self.state.incidents.get(&id);
        let held = incident.and_then(|incident| incident.hold.as_ref());
        let alert = self.state.alerts.get(&alert);
        let asking = alert.filter(|alert| alert.is_burning() && self.wants_pages(id));
        let Some((held, alert)) = held.zip(asking) else {
            return;
        };
        let held_until = held.until;
        let own = alert.hold.as_deref().filter(|own| own.until > self.now);
        let quiet = self.state.quiet_alert(alert.features(), self.now);
        let quiet = quiet.map(|quiet| Hold {
            until: quiet.until,
            ..held.clone()
        });
        let waits = own.cloned().into_iter().chain(quiet);
        match waits.max_by_key(|wait| wait.until) {
            None => self.page_now(id),
            Some(wait) if wait.until < held_until => {
                self.hold_page(id, wait, self.state.position);
            }
            Some(_) => {}
        }
    }

    /// What waits and joins an incident of this very step, about which nothing was decided yet: where all else in it is quiet, its page
    /// is not due at once.
    pub(super) fn wait_before_the_first_page(&mut self, alert: AlertId, id: IncidentId) {
        let incident = self.state.incidents.get(&id);
        let is_undecided = incident.is_some_and(|one| !one.is_held_back());
        let alert = self.state.alerts.get(&alert);
        if is_undecided && alert.is_some_and(|alert| alert.is_burning() && alert.hold.is_some()) {
            self.look_again(id);
        }
    }

    /// What the page of an incident was held back for until it is cleared is over. What waits for another reason goes on waiting for
    /// that.
    pub(super) fn hold_cleared(&mut self, id: IncidentId) {
        let known = self.state.incidents.get(&id);
        let held = known.filter(|known| known.hold.is_some() && self.state.wants_pages(known));
        let Some(incident) = held else {
            return;
        };
        let position = incident.paging_event;
        match self.state.waits(incident, self.now, true) {
            None => self.page_now(id),
            Some(hold) => self.hold_page(id, hold, position),
        }
    }

    /// Decides anew about an incident for which nobody is being paged: what fails in it is quiet, waits, or is paged for. What comes
    /// and goes waits until it has not for a while.
    pub(super) fn look_again(&mut self, id: IncidentId) {
        let known = self.state.incidents.get(&id);
        let waits = known.is_some_and(|incident| {
            let asks = incident.status == Status::Triggered && incident.urgency == Urgency::High;
            let is_idle = incident.paging.is_none() && !incident.flapping;
            asks && is_idle && self.state.burns(incident)
        });
        if waits && !self.suppress_if_quiet(id) {
            self.page_or_wait(id);
        }
    }

    /// Pages for an incident, unless all of it that asks for somebody still waits or is quiet: then it waits until the first of those
    /// does no longer.
    pub(super) fn page_or_wait(&mut self, id: IncidentId) {
        let Some(incident) = self.state.incidents.get(&id) else {
            return;
        };
        let Some(first) = self.state.waits(incident, self.now, false) else {
            return self.page_now(id);
        };
        let quiet_until = incident.suppressed.as_ref().map(|(_, until)| *until);
        let quiet_until = quiet_until.filter(|until| *until > self.now);
        let until = quiet_until.map_or(first.until, |until| until.min(first.until));
        let hold = Hold { until, ..first };
        let (is_new, position) = (incident.hold.as_ref() != Some(&hold), incident.paging_event);
        if is_new {
            self.hold_page(id, hold, position);
        }
    }

    pub(super) fn hold_page(&mut self, id: IncidentId, hold: Hold, position: u64) {
        let cause = Cause::Event { position };
        self.emit_incident(cause, id, IncidentWhat::PageHeld { hold });
    }
}

/// How long the rules of a monitor that answered wait, each with how many returns it covers.
pub(super) fn hold_rules(
    monitor: &Monitor,
    answered: &[usize],
    began: Timestamp,
) -> Vec<(Hold, u32)> {
    let rules = answered
        .iter()
        .filter_map(|index| monitor.holds.get(*index));
    rules
        .map(|rule| {
            let until = began.plus_ms(rule.hold_ms);
            let hold = Hold {
                until,
                until_clear: rule.until_clear,
                why: rule.why.clone(),
            };
            (hold, rule.relapses_covered)
        })
        .collect()
}

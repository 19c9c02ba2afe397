//! Decisions about pages that wait whether what fails is over by then: each alert waits for its own reason, and an incident no longer
//! than the first of those that ask for somebody. What fails of one target shares a wait, for a minute at most: a restart makes much
//! of it fail, and each judge sees it in its own time. What is worse than what waits shares nothing.

use super::Decider;
use super::alert::Condition;
use crate::alert::Alert;
use crate::event::{Cause, IncidentWhat};
use crate::id::{AlertId, IncidentId};
use crate::incident::{Hold, Status};
use crate::monitor::Monitor;
use crate::people::Urgency;
use crate::time::Timestamp;

/// What fails of one target waits no longer than this for a reason that another failure of it has: the longest that a stock monitor
/// waits.
const SHARED_MS_MAX: u64 = 60_000;

impl Decider<'_> {
    /// Of the waits that rules give an alert, the one that counts in this incident, if one still does.
    pub(super) fn own_wait(&self, id: IncidentId, rules: &[(Hold, u32)]) -> Option<Hold> {
        let relapses = self.state.incidents.get(&id)?.relapses;
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
        let louder = condition.urgency() > known.urgency();
        let as_loud = condition.urgency() == known.urgency();
        let is_worse = louder || (as_loud && condition.severity > known.severity);
        let own = self.own_wait(known.incident, &condition.hold);
        let hold = own.unwrap_or_else(|| Hold {
            until: self.now,
            ..before.clone()
        });
        (is_worse && hold.until < before.until).then(|| Box::new(hold))
    }

    /// When an incident pages for what fails in it already: now, where somebody is being paged for it.
    pub(super) fn pages_anyway_at(&self, id: IncidentId) -> Option<Timestamp> {
        let incident = self.state.incidents.get(&id)?;
        let is_open = incident.status == Status::Triggered && !incident.flapping;
        if !is_open || incident.urgency != Urgency::High || !self.state.burns(incident) {
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
        let asks = incident.urgency == Urgency::High && incident.suppressed.is_none();
        if let Some(hold) = hold.filter(|hold| asks && hold.until > self.now) {
            self.hold_page(id, hold, self.state.position);
        }
    }

    /// What is urgent and joins others does not wait for the reason why one of those waits, only for its own, or as long as it is
    /// quiet by itself. What `shares` that reason waits for it a while, if that is longer.
    pub(super) fn end_pause_of_others(&mut self, alert: AlertId, id: IncidentId, shares: bool) {
        let incident = self.state.incidents.get(&id);
        let held = incident.and_then(|incident| incident.hold.as_ref());
        let alert = self.state.alerts.get(&alert);
        let asking = alert.filter(|alert| alert.is_burning() && self.wants_pages(id));
        let Some((held, alert)) = held.zip(asking) else {
            return;
        };
        let held_until = held.until;
        let others = |until| Hold {
            until,
            ..held.clone()
        };
        let own = alert.hold.as_deref().filter(|own| own.until > self.now);
        let own = own.cloned().or_else(|| {
            let quiet = self.state.quiet_alert(alert.features(), self.now)?;
            Some(others(quiet.until))
        });
        let shared = shares.then(|| others(self.now.plus_ms(SHARED_MS_MAX)));
        match own.into_iter().chain(shared).max_by_key(|wait| wait.until) {
            None => self.page_now(id),
            Some(wait) if wait.until < held_until => {
                self.hold_page(id, wait, self.state.position);
            }
            Some(_) => {}
        }
    }

    /// Pages for an incident, unless all of it that asks for somebody still waits or is quiet: then it waits until the first of those
    /// does no longer.
    pub(super) fn page_or_wait(&mut self, id: IncidentId) {
        let Some(incident) = self.state.incidents.get(&id) else {
            return;
        };
        let Some(first) = self.state.waits(incident, self.now) else {
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

    fn hold_page(&mut self, id: IncidentId, hold: Hold, position: u64) {
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

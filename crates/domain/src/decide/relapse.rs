//! Decisions about a failure that comes back or gets worse: what the incident is about now, and whether somebody is paged anew.

use super::Decider;
use super::alert::Condition;
use crate::bugs::{self, Bug};
use crate::event::{Cause, IncidentWhat};
use crate::id::IncidentId;
use crate::incident::{
    FLAPPING_RELAPSES, Failing, Incident, RELAPSE_WINDOW_MS, RESOLVE_AFTER_HEALTHY_MS, Status,
};
use crate::monitor::Severity;
use crate::people::Urgency;

/// Whether an alert that joins an incident brings a failure back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Return {
    /// It does not: the incident was failing already, or what joined pages nobody.
    No,
    /// It does, and the paging that was under way goes on.
    GoesOn,
    /// It does, and is paged for from the first level on.
    PagedAnew,
    /// It does, but so often that one page was enough.
    Suppressed,
}

/// Whether what rests for so long would have been resolved, had nothing lesser kept it open.
fn would_be_over(rest_ms: Option<u64>) -> bool {
    rest_ms.is_some_and(|rest_ms| rest_ms >= RESOLVE_AFTER_HEALTHY_MS)
}

impl Decider<'_> {
    /// A failure after health is a relapse; so is one that pages after a time in which only warnings fired. One that `is_calmed` by a
    /// person does not.
    pub(super) fn relapse(
        &mut self,
        id: IncidentId,
        condition: &Condition,
        cause: &Cause,
        is_calmed: bool,
    ) -> Return {
        let Some(incident) = self.state.incidents.get(&id) else {
            return Return::No;
        };
        let urgent = condition.urgency() == Urgency::High && !is_calmed;
        let reopened = !incident.is_open();
        // In a storm of what wakes nobody, each alert would ask all that came before it.
        let rest_ms = urgent.then(|| self.rest_ms(incident)).flatten();
        if !reopened && incident.healthy_since.is_none() && rest_ms.is_none() {
            return Return::No;
        }
        // Had no warning kept it open, it would have been resolved by now and would be reopened.
        let anew = reopened || would_be_over(rest_ms);
        // After so long it would be another incident, which has not come back yet.
        let afresh = rest_ms.is_some_and(|rest_ms| rest_ms >= RELAPSE_WINDOW_MS);
        let count = incident.recent_relapses() + 1;
        let worse = incident
            .paged_severity
            .is_none_or(|paged| condition.severity > paged);
        let frequent = (anew || incident.flapping) && count > FLAPPING_RELAPSES && !afresh;
        let by_hand = condition.taken.again.is_some();
        let flapping = urgent && frequent && !worse && !by_hand;
        let unpaged = incident.paging.is_none() && incident.status == Status::Triggered;
        let pages = urgent && !flapping && (anew || unpaged);
        let is_named = !anew && incident.titled_by_hand && self.failed_before(incident, condition);
        let title = if is_named {
            &incident.title
        } else {
            &condition.title
        };
        let failing = (anew || pages).then(|| {
            Box::new(Failing {
                title: title.clone(),
                severity: condition.severity,
                onset: condition.onset.clone(),
            })
        });
        let relapsed = IncidentWhat::Relapsed {
            reopened,
            pages,
            urgent,
            afresh,
            failing,
            by_hand,
        };
        let position = self.emit_incident(cause.clone(), id, relapsed);
        if anew || pages {
            self.tell_urgency(id, condition, cause.clone());
            let cause = Cause::Event { position };
            self.cancel_pages(
                id,
                &cause,
                "the failure came back and is decided about anew",
            );
        }
        if flapping && anew {
            let why = format!(
                "it came back {count} times: one page was enough until it has been stable for 10 minutes"
            );
            let suppressed = IncidentWhat::PageSuppressed {
                why,
                until: self.now.plus_ms(RELAPSE_WINDOW_MS),
                flapping,
            };
            self.emit_incident(cause.clone(), id, suppressed);
        }
        match (urgent, pages, flapping) {
            (false, _, _) => Return::No,
            (true, true, _) => Return::PagedAnew,
            (true, false, true) => Return::Suppressed,
            (true, false, false) => Return::GoesOn,
        }
    }

    /// Whether a person said that an open incident is not urgent.
    pub(super) fn is_low_by_hand(&self, id: IncidentId) -> bool {
        let known = self.state.incidents.get(&id);
        known.is_some_and(|known| known.is_open() && known.low_by_hand)
    }

    /// Whether whoever said that an open incident is not urgent may have known of this.
    pub(super) fn is_calmed(&self, id: IncidentId, condition: &Condition) -> bool {
        let known = self.state.incidents.get(&id);
        let known = known.filter(|_| self.is_low_by_hand(id));
        known.is_some_and(|known| {
            // Only something lesser kept it open since: what is back now was over.
            !would_be_over(self.rest_ms(known)) && self.failed_before(known, condition)
        })
    }

    /// Whether the same has failed in an incident before, and was no less bad.
    fn failed_before(&self, incident: &Incident, condition: &Condition) -> bool {
        let key = condition.key();
        let alerts = incident.alerts.iter();
        let mut known = alerts.filter_map(|alert| self.state.alerts.get(alert));
        known.any(|alert| alert.key() == key && !condition.is_worse_than(alert))
    }

    /// For how long nothing that pages has failed in an open incident that did page; none while something does, and none when
    /// nothing ever did.
    fn rest_ms(&self, incident: &Incident) -> Option<u64> {
        if self.state.burns(incident) {
            return None;
        }
        let alerts = incident.alerts.iter();
        let urgent = alerts
            .filter_map(|alert| self.state.alerts.get(alert))
            .filter(|alert| alert.urgency() == Urgency::High);
        let mut last = None;
        for alert in urgent {
            last = last.max(Some(self.state.since_recovery(alert)?));
        }
        Some(self.now.ms_since(last?))
    }

    /// The failure is back before its time was over. When nobody was reached meanwhile, the level is paged again now.
    pub(super) fn reach_again(&mut self, id: IncidentId) {
        if self.wants_pages(id) && !self.somebody_reached(id) {
            self.page_level_again(id, None);
        }
    }

    /// Pages the level that was reached once more; the first one, where another policy is followed by now. `why`: what made that come
    /// to pass, where nothing that was recorded about the incident tells it.
    pub(super) fn page_level_again(&mut self, id: IncidentId, why: Option<&str>) {
        let known = self.state.incidents.get(&id);
        let Some(paging) = known.and_then(|incident| incident.paging.as_ref()) else {
            return;
        };
        let (level, round) = if self.follows_another_policy(id) {
            (0, 0)
        } else if let Some(level) = self.place_in_changed(id) {
            (level, paging.round)
        } else if paging.exhausted {
            (usize::MAX, u32::MAX)
        } else {
            (paging.level, paging.round)
        };
        self.page_from(id, level, round, why);
    }

    /// The level to page again, if the policy was changed since one was reached: that one where it stands now, unless somebody new is
    /// named before it; the first of who is new, or the last one, where it is gone.
    fn place_in_changed(&self, id: IncidentId) -> Option<usize> {
        let incident = self.state.incidents.get(&id)?;
        let paging = incident.paging.as_ref()?;
        let goes_on_at = paging.goes_on_at?;
        let last = self.policy_of(incident)?.levels.len().checked_sub(1)?;
        Some(goes_on_at.min(paging.stands_at.unwrap_or(last)))
    }

    /// A worse condition takes the incident over. True when it must be paged for anew, also if a lesser one was acknowledged.
    pub(super) fn raise_if_worse(
        &mut self,
        id: IncidentId,
        condition: &Condition,
        cause: Cause,
    ) -> bool {
        let Some(incident) = self.state.incidents.get(&id) else {
            return false;
        };
        let urgency = condition.urgency();
        let louder = urgency > incident.urgency;
        // What asks less loudly does not take over what asks louder, however bad it is.
        let lesser =
            urgency < incident.urgency || (condition.severity <= incident.severity && !louder);
        if lesser || bugs::on(Bug::LowerSeverityHidesCrash) {
            return false;
        }
        let urgency = if incident.urgent_by_hand {
            Urgency::High
        } else {
            urgency
        };
        let pages = urgency == Urgency::High;
        // What was paged for at its worst and comes and goes since then is not paged for each time by way of something lesser.
        let known = incident.paged_severity >= Some(condition.severity) && incident.flapping;
        let suppressed = incident.suppressed.clone().filter(|_| known);
        let was_quiet = incident.told_after_quiet_at().is_some();
        let heard = self.heard_severity(incident).filter(|_| louder);
        let raised = IncidentWhat::Raised {
            title: condition.title.clone(),
            severity: heard.map_or(condition.severity, |heard| heard.max(condition.severity)),
            urgency,
            onset: condition.onset.clone(),
        };
        self.emit_incident(cause.clone(), id, raised);
        if was_quiet && !pages {
            // What still wakes nobody stays as quiet as it is, and is told of then.
            self.tell_quietly(id);
        }
        let Some((why, until)) = suppressed else {
            return pages;
        };
        let suppressed = IncidentWhat::PageSuppressed {
            why,
            until,
            flapping: true,
        };
        self.emit_incident(cause, id, suppressed);
        false
    }

    /// How bad that is of an incident which asks for a person. What wakes nobody was heard by nobody, however bad it is: what is as
    /// bad and urgent must not pass for known by way of it.
    pub(super) fn heard_severity(&self, incident: &Incident) -> Option<Severity> {
        if incident.urgency == Urgency::High {
            return Some(incident.severity);
        }
        let alerts = incident.alerts.iter();
        alerts
            .filter_map(|alert| self.state.alerts.get(alert))
            .filter(|alert| alert.is_burning())
            .map(|alert| alert.severity)
            .max()
    }

    /// What paged nobody as long as it was among others, and pages now, is heard also where somebody has taken those.
    pub(super) fn raise_if_taken(&mut self, id: IncidentId, condition: &Condition) {
        let Some(incident) = self.state.incidents.get(&id) else {
            return;
        };
        if incident.status != Status::Acknowledged {
            return;
        }
        let raised = IncidentWhat::Raised {
            title: condition.title.clone(),
            severity: incident.severity.max(condition.severity),
            urgency: condition.urgency(),
            onset: condition.onset.clone(),
        };
        self.emit_incident(Cause::Request, id, raised);
    }
}

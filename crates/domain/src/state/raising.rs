//! What asks louder when support hours begin, and when that is: kept in order, since of one incident there may be very much. It
//! decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::State;
use crate::alert::Alert;
use crate::id::{AlertId, IncidentId, ServiceId};
use crate::id_map::IdMap;
use crate::incident::{Incident, Status};
use crate::intake::SupportHours;
use crate::people::Urgency;
use crate::time::Timestamp;

/// Alerts that fail, ask less loudly now, and ask louder in the support hours of their service. It is an index: the state without it
/// says the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Raising {
    /// None of them is empty.
    of: IdMap<IncidentId, BTreeMap<ServiceId, Told>>,
    /// Few services raise anything: where an alert is, is mostly asked of an empty map.
    places: IdMap<AlertId, Place>,
}

/// Alerts by when they were taken in, as a clock tells that was never set back.
type Told = BTreeSet<(Timestamp, AlertId)>;
/// Of which incident and service, and when it was taken in.
type Place = (IncidentId, ServiceId, Timestamp);

/// Whose support hours have begun.
#[derive(Debug, Default)]
pub(crate) struct Begun {
    /// They have not ended since: what is raised now.
    pub(crate) alerts: Vec<AlertId>,
    /// Whether those of others have.
    pub(crate) have_passed: bool,
}

impl Raising {
    fn set(&mut self, alert: AlertId, place: Option<Place>) {
        let before = match place {
            Some(place) => self.places.insert(alert, place),
            None => self.places.remove(&alert),
        };
        if before == place {
            return;
        }
        if let Some(before) = before {
            self.take_out(alert, before);
        }
        if let Some((incident, service, told)) = place {
            let of_incident = self.of.or_default(incident);
            of_incident
                .entry(service)
                .or_default()
                .insert((told, alert));
        }
    }

    fn take_out(&mut self, alert: AlertId, (incident, service, told): Place) {
        let Some(of_incident) = self.of.get_mut(&incident) else {
            return;
        };
        if let Some(of_service) = of_incident.get_mut(&service) {
            of_service.remove(&(told, alert));
            if of_service.is_empty() {
                of_incident.remove(&service);
            }
        }
        if of_incident.is_empty() {
            self.of.remove(&incident);
        }
    }
}

impl State {
    /// Puts an alert where it belongs now. When its incident is due follows from that.
    pub(super) fn refresh_raising(&mut self, id: AlertId) {
        let alert = self.alerts.get(&id);
        let place = alert.filter(|one| self.may_be_raised(one)).map(|alert| {
            let taken_at = alert.taken_at.unwrap_or(alert.opened_at);
            let told = taken_at.plus_ms(alert.set_back_ms);
            (alert.incident, alert.service, told)
        });
        self.raising.set(id, place);
    }

    /// When the next of its alerts asks louder, because support hours begin.
    pub(super) fn raised_at(&self, incident: &Incident) -> Option<Timestamp> {
        if incident.status != Status::Triggered {
            return None;
        }
        let services = self.raising.of.get(&incident.id)?;
        // They begin in order: only for the oldest of many alerts of a service has the calendar to be asked.
        let begins = services.iter().filter_map(|(service, alerts)| {
            let support = self.support_of(*service)?;
            let (told, _) = alerts.first()?;
            let passed_at = passed_at(incident, support);
            support.hours.next_begin(self.waits_since(*told, passed_at))
        });
        begins.min()
    }

    /// For which alerts of an incident support hours have begun by `now`.
    pub(crate) fn begun_for(&self, incident: &Incident, now: Timestamp) -> Begun {
        let mut begun = Begun::default();
        let services = self.raising.of.get(&incident.id);
        for (service, alerts) in services.into_iter().flatten() {
            let Some(support) = self.support_of(*service) else {
                continue;
            };
            let passed_at = passed_at(incident, support);
            let mut begin: Option<Timestamp> = None;
            let due = alerts.iter().take_while(|(told, _)| {
                let since = self.waits_since(*told, passed_at);
                // For all that was taken in before they begin they begin at the same time.
                if begin.is_none_or(|begin| begin <= since) {
                    begin = support.hours.next_begin(since);
                }
                begin.is_some_and(|begin| begin <= now)
            });
            let due: Vec<AlertId> = due.map(|(_, alert)| *alert).collect();
            if support.hours.around(now).is_some() {
                begun.alerts.extend(due);
            } else {
                begun.have_passed |= !due.is_empty();
            }
        }
        begun
    }

    /// Since when an alert waits for support hours to begin, by the clock of now.
    fn waits_since(&self, told: Timestamp, passed_at: Option<Timestamp>) -> Timestamp {
        let since = told.minus_ms(self.clock.set_back_ms);
        passed_at.map_or(since, |passed_at| passed_at.max(since))
    }

    /// Whether an alert fails, asks less loudly now, and asks louder in the support hours of its service.
    fn may_be_raised(&self, alert: &Alert) -> bool {
        alert.is_firing()
            && alert.urgency() == Urgency::Low
            && alert.suppressed().is_none()
            && self
                .support_of(alert.service)
                .is_some_and(|support| support.during.of(alert.severity) == Urgency::High)
    }

    /// The support hours in which a service asks louder also for what is open, if it has any.
    fn support_of(&self, service: ServiceId) -> Option<&SupportHours> {
        self.services.get(&service)?.intake.urgency.raising()
    }
}

/// Until when the support hours of a service have passed that raised nothing of an incident. An instant within them says nothing of
/// them: they were others then, or it was said of those of another service.
fn passed_at(incident: &Incident, support: &SupportHours) -> Option<Timestamp> {
    let passed_at = incident.hours_passed_at;
    passed_at.filter(|at| support.hours.around(*at).is_none())
}

//! Notices when incidents of one service open so fast that one more would help nobody.

use std::collections::{BTreeMap, VecDeque};

use super::State;
use crate::id::{IncidentId, ServiceId};
use crate::incident::{Incident, STORM_INCIDENTS, STORM_INCIDENTS_CRITICAL, STORM_WINDOW_MS};
use crate::intake::Features;
use crate::monitor::Severity;
use crate::people::Urgency;
use crate::time::Timestamp;

/// The newest incidents of each service, critical ones apart: as many as make a storm.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Storms(BTreeMap<(ServiceId, bool), VecDeque<(Timestamp, IncidentId)>>);

impl Storms {
    /// The clock was set back.
    pub(super) fn set_back(&mut self, by_ms: u64) {
        for (at, _) in self.0.values_mut().flatten() {
            *at = at.minus_ms(by_ms);
        }
    }
}

const fn limit(critical: bool) -> usize {
    if critical {
        STORM_INCIDENTS_CRITICAL
    } else {
        STORM_INCIDENTS
    }
}

impl State {
    pub(super) fn count_opened(
        &mut self,
        service: ServiceId,
        severity: Severity,
        at: Timestamp,
        incident: IncidentId,
    ) {
        let critical = severity == Severity::Critical;
        let newest = self.storms.0.entry((service, critical)).or_default();
        if newest.len() == limit(critical) {
            newest.pop_front();
        }
        newest.push_back((at, incident));
    }

    /// The newest open incident that a further alert of this severity, which comes from outside, joins while incidents of the service
    /// storm in. What pages joins none that somebody has taken: they took what failed by then, and would not hear of it. What is
    /// covered by planned work or a silence joins what is quiet, and nothing else does: nobody would hear of it for a reason that
    /// is not its own, and who mutes a target does not mean what others say about its service.
    #[must_use]
    pub fn storm_of(
        &self,
        newcomer: Features<'_>,
        urgency: Urgency,
        now: Timestamp,
    ) -> Option<IncidentId> {
        let (service, critical) = (newcomer.service, newcomer.severity == Severity::Critical);
        let newest = self.storms.0.get(&(service, critical))?;
        let (first, _) = newest.front()?;
        if newest.len() < limit(critical) || now.ms_since(*first) >= STORM_WINDOW_MS {
            return None;
        }
        let is_covered = self.quiet_alert(newcomer, now).is_some();
        let is_alike = |incident: &Incident| self.is_hushed(incident, now) == is_covered;
        let known = newest.iter().rev();
        let mut open = known
            .filter_map(|(_, id)| self.incidents.get(id))
            .filter(|incident| incident.target.is_none() && self.takes_in(incident, urgency))
            .filter(|incident| urgency == Urgency::Low || is_alike(incident));
        open.next().map(|incident| incident.id)
    }

    /// Whether nobody is paged for an incident because what fails in it is quiet. Where nobody was chosen yet, that is not decided:
    /// what came last tells, since it was put with its like.
    fn is_hushed(&self, incident: &Incident, now: Timestamp) -> bool {
        if incident.suppressed.is_some() || incident.paging.is_some() {
            return incident.suppressed.is_some();
        }
        let alerts = incident.alerts.iter().rev();
        let mut alerts = alerts.filter_map(|id| self.alerts.get(id));
        let last = alerts.find(|alert| alert.is_burning());
        last.is_some_and(|last| self.quiet_alert(last.features(), now).is_some())
    }
}

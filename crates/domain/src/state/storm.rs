//! Notices when incidents of one service open so fast that one more would help nobody.

use std::collections::{BTreeMap, VecDeque};

use super::State;
use crate::id::{IncidentId, ServiceId};
use crate::incident::{
    Incident, STORM_INCIDENTS, STORM_INCIDENTS_CRITICAL, STORM_WINDOW_MS, Status,
};
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
    /// storm in. What pages joins none that somebody has taken: they took what failed by then, and would not hear of it. Nor does it
    /// join one of which nobody hears for a reason that is not its own: who mutes a target does not mean what others say about its
    /// service.
    #[must_use]
    pub fn storm_of(
        &self,
        service: ServiceId,
        (severity, urgency): (Severity, Urgency),
        now: Timestamp,
    ) -> Option<IncidentId> {
        let critical = severity == Severity::Critical;
        let newest = self.storms.0.get(&(service, critical))?;
        let (first, _) = newest.front()?;
        if newest.len() < limit(critical) || now.ms_since(*first) >= STORM_WINDOW_MS {
            return None;
        }
        let is_quiet = self.quiet_for(service, None, now).is_some();
        let is_heard = |incident: &Incident| {
            let is_held_back = incident.suppressed.is_some() && !is_quiet;
            incident.status == Status::Triggered && !is_held_back
        };
        let known = newest.iter().rev();
        let mut open = known
            .filter_map(|(_, id)| self.incidents.get(id))
            .filter(|incident| incident.target.is_none() && self.takes_in(incident, urgency))
            .filter(|incident| urgency == Urgency::Low || is_heard(incident));
        open.next().map(|incident| incident.id)
    }
}

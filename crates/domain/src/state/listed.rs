//! What long lists of incidents are filtered and ordered by, kept in the order of their numbers and close together: of a hundred
//! thousand incidents most are over, and a list that looked at each would wait for the memory. It decides nothing.

use super::State;
use crate::id::{IncidentId, ServiceId, TeamId};
use crate::incident::{Incident, Status};
use crate::people::Urgency;
use crate::time::Timestamp;

/// An incident in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub id: IncidentId,
    /// Its service.
    pub service: ServiceId,
    /// Its team.
    pub team: TeamId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was over, if it is.
    pub resolved_at: Option<Timestamp>,
    /// Where it stands.
    pub status: Status,
    /// How loudly it asks.
    pub urgency: Urgency,
}

impl Listed {
    /// What lists need of an incident.
    #[must_use]
    pub const fn of(incident: &Incident) -> Self {
        Self {
            id: incident.id,
            service: incident.service,
            team: incident.team,
            opened_at: incident.opened_at,
            resolved_at: incident.resolved_at,
            status: incident.status,
            urgency: incident.urgency,
        }
    }
}

impl State {
    /// Puts into the list what an incident is by now.
    pub(super) fn refresh_listed(&mut self, id: IncidentId) {
        if let Some(incident) = self.incidents.get(&id) {
            self.numbers.insert(incident.number, Listed::of(incident));
        }
    }
}

//! Which incident an event is about, and whether somebody did it that may come by itself too; it knows nothing of what events do.

use crate::event::{AlertEvent, Cause, Event, EventBody, IncidentWhat};
use crate::id::{AlertId, IncidentId};

impl EventBody {
    /// The incident this is about.
    #[must_use]
    pub fn incident(&self) -> Option<IncidentId> {
        match self {
            Self::Alert(AlertEvent::Opened { alert }) => Some(alert.incident),
            Self::Alert(
                AlertEvent::Repeated { incident, .. } | AlertEvent::Recovered { incident, .. },
            ) => Some(*incident),
            Self::Incident(event) => Some(event.incident),
            Self::Notification(event) => event.incident,
            Self::Installation(_)
            | Self::People(_)
            | Self::Roster(_)
            | Self::Watch(_)
            | Self::Input(_) => None,
        }
    }

    /// What happened to an incident, when this is about that.
    #[must_use]
    pub const fn incident_part(&self) -> Option<&IncidentWhat> {
        match self {
            Self::Incident(event) => Some(&event.what),
            Self::Installation(_)
            | Self::People(_)
            | Self::Roster(_)
            | Self::Watch(_)
            | Self::Alert(_)
            | Self::Notification(_)
            | Self::Input(_) => None,
        }
    }
}

impl Event {
    /// Whether somebody reopened an incident by this; else what failed came back.
    #[must_use]
    pub const fn is_reopened_by_hand(&self) -> bool {
        let what = self.body.incident_part();
        matches!(what, Some(IncidentWhat::Relapsed { by_hand: true, .. }))
    }

    /// Whether the end of an incident was asked for by this, by a person or by a client; else it ended with its alerts, whoever ended
    /// those, or by a merge.
    #[must_use]
    pub const fn is_resolved_by_hand(&self) -> bool {
        let is_resolved = matches!(
            self.body.incident_part(),
            Some(IncidentWhat::Resolved { .. })
        );
        is_resolved && matches!(self.cause, Cause::Request)
    }
}

impl IncidentWhat {
    /// The alerts that this changes.
    pub(crate) fn alerts(&self) -> &[AlertId] {
        if let Self::UrgencySet { alerts, .. } = self {
            alerts
        } else {
            &[]
        }
    }
}

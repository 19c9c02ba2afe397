//! Which incident an event is about; it knows nothing of what events do.

use crate::event::{AlertEvent, EventBody, IncidentWhat};
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

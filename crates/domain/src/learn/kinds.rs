//! The stable names of events and facts in a list of evidence; it tells nothing of what they hold.

use crate::event::{AlertEvent, EventBody, IncidentWhat, InputEvent, NotificationWhat, WatchEvent};
use crate::signal::FactKind;

/// The name of an event's kind in a list of evidence; what belongs to no incident is named by its area.
pub(super) const fn kind(body: &EventBody) -> &'static str {
    match body {
        EventBody::Installation(_) => "installation",
        EventBody::People(_) => "people",
        EventBody::Roster(_) => "roster",
        EventBody::Watch(WatchEvent::TargetMuted { .. }) => "target_muted",
        EventBody::Watch(WatchEvent::TargetUnmuted { .. }) => "target_unmuted",
        EventBody::Watch(_) => "watch",
        EventBody::Input(InputEvent::Ignored { .. }) => "input_ignored",
        EventBody::Input(InputEvent::Dropped { .. }) => "input_dropped",
        EventBody::Input(InputEvent::Changed { .. }) => "changed",
        EventBody::Alert(AlertEvent::Opened { .. }) => "alert_opened",
        EventBody::Alert(AlertEvent::Repeated { .. }) => "alert_repeated",
        EventBody::Alert(AlertEvent::Recovered { closed: None, .. }) => "alert_recovered",
        EventBody::Alert(AlertEvent::Recovered {
            closed: Some(_), ..
        }) => "alert_closed",
        EventBody::Incident(part) => match &part.what {
            IncidentWhat::Opened { .. } => "incident_opened",
            IncidentWhat::Raised { .. } => "incident_raised",
            IncidentWhat::UrgencySet { .. } => "urgency_set",
            IncidentWhat::PageHeld { .. } => "page_held",
            IncidentWhat::PageSuppressed { .. } => "page_suppressed",
            IncidentWhat::QuietEnded => "quiet_ended",
            IncidentWhat::LevelReached { .. } => "level_reached",
            IncidentWhat::FallbackReached { .. } => "fallback_reached",
            IncidentWhat::Acknowledged { .. } => "incident_acknowledged",
            IncidentWhat::NoteAdded { .. } => "note_added",
            IncidentWhat::Recovered { closed: None } => "incident_recovered",
            IncidentWhat::Recovered { closed: Some(_) } => "incident_without_open_alerts",
            IncidentWhat::Relapsed { .. } => "incident_relapsed",
            IncidentWhat::Resolved { .. } => "incident_resolved",
            IncidentWhat::EvidenceFrozen { .. } => "evidence_frozen",
            IncidentWhat::Response(what) => what.word(),
        },
        EventBody::Notification(part) => match &part.what {
            NotificationWhat::Planned { .. } => "page_planned",
            NotificationWhat::Advanced { .. } => "page_advanced",
            NotificationWhat::Gathers { .. } => "page_gathers",
            NotificationWhat::ToldTogether { .. } => "page_told_together",
            NotificationWhat::Postponed { .. } => "page_postponed",
            NotificationWhat::AttemptStarted { .. } => "attempt_started",
            NotificationWhat::AttemptFinished { .. } => "attempt_finished",
            NotificationWhat::Receipt { .. } => "receipt",
            NotificationWhat::Cancelled { .. } => "page_cancelled",
        },
    }
}

/// The stable name of a fact's kind.
pub(super) const fn fact_kind(what: &FactKind) -> &'static str {
    match what {
        FactKind::ParentExited { .. } => "parent_exited",
        FactKind::ParentStarted { .. } => "parent_started",
        FactKind::Reloaded { .. } => "reloaded",
        FactKind::ConfigChanged { .. } => "config_changed",
        FactKind::ConfigTested { .. } => "config_tested",
        FactKind::ErrorLogged { .. } => "error_logged",
        FactKind::QueueChanged { .. } => "queue_changed",
        FactKind::StatusUnavailable { .. } => "status_unavailable",
    }
}

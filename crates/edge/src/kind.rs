//! The word of every kind of event in the API: `area.kind`. It knows no text for people.

use tocsin_domain::event::{
    AlertEvent, EventBody, IncidentWhat, InputEvent, InstallationEvent, NotificationWhat,
    PeopleEvent, RosterEvent, WatchEvent,
};

/// The word of an event's kind.
pub(crate) fn of(body: &EventBody) -> String {
    let (area, kind) = match body {
        EventBody::Installation(event) => ("installation", installation(event)),
        EventBody::People(event) => ("people", people(event)),
        EventBody::Roster(event) => ("roster", roster(event)),
        EventBody::Watch(event) => ("watch", watch(event)),
        EventBody::Alert(event) => ("alert", alert(event)),
        EventBody::Incident(event) => ("incident", incident(&event.what)),
        EventBody::Notification(event) => ("notification", notification(&event.what)),
        EventBody::Input(InputEvent::Ignored { .. }) => ("input", "ignored"),
    };
    format!("{area}.{kind}")
}

const fn installation(event: &InstallationEvent) -> &'static str {
    match event {
        InstallationEvent::SetUp { .. } => "set_up",
        InstallationEvent::FallbackSet { .. } => "fallback_set",
    }
}

const fn people(event: &PeopleEvent) -> &'static str {
    match event {
        PeopleEvent::UserAdded { .. } => "user_added",
        PeopleEvent::UserChanged { .. } => "user_changed",
        PeopleEvent::UserRemoved { .. } => "user_removed",
        PeopleEvent::ContactMethodAdded { .. } => "contact_method_added",
        PeopleEvent::ContactMethodVerified { .. } => "contact_method_verified",
        PeopleEvent::ContactMethodRemoved { .. } => "contact_method_removed",
        PeopleEvent::NotificationRulesSet { .. } => "notification_rules_set",
    }
}

const fn roster(event: &RosterEvent) -> &'static str {
    match event {
        RosterEvent::ScheduleSet { .. } => "schedule_set",
        RosterEvent::ScheduleRemoved { .. } => "schedule_removed",
        RosterEvent::PolicySet { .. } => "policy_set",
        RosterEvent::PolicyRemoved { .. } => "policy_removed",
        RosterEvent::ServiceSet { .. } => "service_set",
        RosterEvent::IntegrationAdded { .. } => "integration_added",
        RosterEvent::IntegrationRemoved { .. } => "integration_removed",
    }
}

const fn watch(event: &WatchEvent) -> &'static str {
    match event {
        WatchEvent::TargetFound { .. } => "target_found",
        WatchEvent::TargetChanged { .. } => "target_changed",
        WatchEvent::TargetRemoved { .. } => "target_removed",
        WatchEvent::TargetMuted { .. } => "target_muted",
        WatchEvent::TargetUnmuted { .. } => "target_unmuted",
        WatchEvent::MaintenancePlanned { .. } => "maintenance_planned",
        WatchEvent::MaintenanceCancelled { .. } => "maintenance_cancelled",
        WatchEvent::MonitorSet { .. } => "monitor_set",
        WatchEvent::MonitorSwitched { .. } => "monitor_switched",
    }
}

const fn alert(event: &AlertEvent) -> &'static str {
    match event {
        AlertEvent::Opened { .. } => "opened",
        AlertEvent::Repeated { .. } => "repeated",
        AlertEvent::Recovered { .. } => "recovered",
    }
}

const fn incident(what: &IncidentWhat) -> &'static str {
    match what {
        IncidentWhat::Opened { .. } => "opened",
        IncidentWhat::Raised { .. } => "raised",
        IncidentWhat::PageHeld { .. } => "page_held",
        IncidentWhat::PageSuppressed { .. } => "page_suppressed",
        IncidentWhat::LevelReached { .. } => "level_reached",
        IncidentWhat::FallbackReached { .. } => "fallback_reached",
        IncidentWhat::Acknowledged { .. } => "acknowledged",
        IncidentWhat::NoteAdded { .. } => "note_added",
        IncidentWhat::Recovered => "recovered",
        IncidentWhat::Relapsed { .. } => "relapsed",
        IncidentWhat::Resolved { .. } => "resolved",
        IncidentWhat::EvidenceFrozen { .. } => "evidence_frozen",
    }
}

const fn notification(what: &NotificationWhat) -> &'static str {
    match what {
        NotificationWhat::Planned { .. } => "planned",
        NotificationWhat::Advanced { .. } => "advanced",
        NotificationWhat::AttemptStarted { .. } => "attempt_started",
        NotificationWhat::AttemptFinished { .. } => "attempt_finished",
        NotificationWhat::Receipt { .. } => "receipt",
        NotificationWhat::Cancelled { .. } => "cancelled",
    }
}

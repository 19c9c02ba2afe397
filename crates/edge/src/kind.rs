//! The word of every kind of event in the API: `area.kind`. It knows no text for people.

use tocsin_domain::event::{
    AlertEvent, BusinessEvent, EventBody, IncidentWhat, InputEvent, InstallationEvent, IntakeEvent,
    NotificationWhat, PeopleEvent, RosterEvent, TagEvent, WatchEvent,
};
use tocsin_domain::oncall::Change;
use tocsin_domain::oncall_event::OncallEvent;
use tocsin_domain::webhook::WebhookEvent;

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
        EventBody::Input(InputEvent::Dropped { .. }) => ("input", "dropped"),
        EventBody::Input(InputEvent::Changed { .. }) => ("input", "changed"),
    };
    format!("{area}.{kind}")
}

const fn installation(event: &InstallationEvent) -> &'static str {
    match event {
        InstallationEvent::SetUp { .. } => "set_up",
        InstallationEvent::FallbackSet { .. } => "fallback_set",
        InstallationEvent::PrioritiesSet { .. } => "priorities_set",
        InstallationEvent::ClockSetBack { .. } => "clock_set_back",
    }
}

const fn people(event: &PeopleEvent) -> &'static str {
    match event {
        PeopleEvent::UserAdded { .. } => "user_added",
        PeopleEvent::UserChanged { .. } => "user_changed",
        PeopleEvent::UserRemoved { .. } => "user_removed",
        PeopleEvent::ContactMethodAdded { .. } => "contact_method_added",
        PeopleEvent::ContactMethodVerified { .. } => "contact_method_verified",
        PeopleEvent::ContactMethodGone { .. } => "contact_method_gone",
        PeopleEvent::ContactMethodRemoved { .. } => "contact_method_removed",
        PeopleEvent::ContactMethodRenamed { .. } => "contact_method_renamed",
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
        RosterEvent::ServiceRemoved { .. } => "service_removed",
        RosterEvent::IntegrationAdded { .. } => "integration_added",
        RosterEvent::IntegrationChanged { .. } => "integration_changed",
        RosterEvent::IntegrationRemoved { .. } => "integration_removed",
        RosterEvent::Intake(event) => intake(event),
        RosterEvent::TeamSet { .. } => "team_set",
        RosterEvent::TeamRemoved { .. } => "team_removed",
        RosterEvent::Oncall { what } => oncall(what),
        RosterEvent::Webhook(event) => webhook(event),
        RosterEvent::Tag(event) => tag(event),
        RosterEvent::Business(event) => business(event),
    }
}

const fn webhook(event: &WebhookEvent) -> &'static str {
    match event {
        WebhookEvent::WebhookSet { .. } => "webhook_set",
        WebhookEvent::WebhookRemoved { .. } => "webhook_removed",
        WebhookEvent::WebhookDisabled { .. } => "webhook_disabled",
        WebhookEvent::WebhookUnanswered { .. } => "webhook_unanswered",
        WebhookEvent::WebhookAnswered { .. } => "webhook_answered",
        WebhookEvent::WebhookEnabled { .. } => "webhook_enabled",
        WebhookEvent::WebhookPinged { .. } => "webhook_pinged",
    }
}

const fn tag(event: &TagEvent) -> &'static str {
    match event {
        TagEvent::Added { .. } => "tag_added",
        TagEvent::Removed { .. } => "tag_removed",
        TagEvent::Changed { .. } => "tags_changed",
    }
}

const fn business(event: &BusinessEvent) -> &'static str {
    match event {
        BusinessEvent::ServiceSet { .. } => "business_service_set",
        BusinessEvent::ServiceRemoved { .. } => "business_service_removed",
        BusinessEvent::Associated { .. } => "services_associated",
        BusinessEvent::Disassociated { .. } => "services_disassociated",
    }
}

const fn oncall(event: &OncallEvent) -> &'static str {
    match event {
        OncallEvent::ScheduleChanged { change, .. } => match change {
            Change::OverrideAdded { .. } => "override_added",
            Change::OverrideRemoved { .. } => "override_removed",
            Change::OverrideEnded { .. } => "override_ended",
            Change::TemporaryAdded { .. } => "temporary_added",
            Change::TemporaryRemoved { .. } => "temporary_removed",
            Change::TemporaryEnded { .. } => "temporary_ended",
            Change::SwapProposed { .. } => "swap_proposed",
            Change::SwapAccepted { .. } => "swap_accepted",
            Change::SwapDeclined { .. } => "swap_declined",
            Change::SwapWithdrawn { .. } => "swap_withdrawn",
            Change::SwapMade { .. } => "swap_made",
            Change::SwapUndone { .. } => "swap_undone",
        },
        OncallEvent::CalendarSet { .. } => "calendar_set",
        OncallEvent::CalendarRevoked { .. } => "calendar_revoked",
        OncallEvent::DutySeen { .. } => "duty_seen",
        OncallEvent::NoticesSwitched { .. } => "notices_switched",
        OncallEvent::FindingAppeared { .. } => "finding_appeared",
        OncallEvent::FindingsRestated { .. } => "findings_restated",
        OncallEvent::FindingEnded { .. } => "finding_ended",
        OncallEvent::FindingsTold { .. } => "findings_told",
        OncallEvent::ChannelsSeen { .. } => "channels_seen",
    }
}

const fn intake(event: &IntakeEvent) -> &'static str {
    match event {
        IntakeEvent::RulesSet { .. } => "rules_set",
        IntakeEvent::WindowSet { .. } => "window_set",
        IntakeEvent::WindowEnded { .. } => "window_ended",
        IntakeEvent::WindowRemoved { .. } => "window_removed",
        IntakeEvent::HeartbeatSet { .. } => "heartbeat_set",
        IntakeEvent::HeartbeatRemoved { .. } => "heartbeat_removed",
        IntakeEvent::HeartbeatCalled { .. } => "heartbeat_called",
        IntakeEvent::HeartbeatStarted { .. } => "heartbeat_started",
        IntakeEvent::HeartbeatFailed { .. } => "heartbeat_failed",
        IntakeEvent::HeartbeatsSpared { .. } => "heartbeats_spared",
        IntakeEvent::AlertsSpared { .. } => "alerts_spared",
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
        IncidentWhat::UrgencySet { .. } => "urgency_set",
        IncidentWhat::PageHeld { .. } => "page_held",
        IncidentWhat::PageSuppressed { .. } => "page_suppressed",
        IncidentWhat::QuietEnded => "quiet_ended",
        IncidentWhat::LevelReached { .. } => "level_reached",
        IncidentWhat::FallbackReached { .. } => "fallback_reached",
        IncidentWhat::Acknowledged { .. } => "acknowledged",
        IncidentWhat::NoteAdded { .. } => "note_added",
        IncidentWhat::Recovered { .. } => "recovered",
        IncidentWhat::Relapsed { .. } => "relapsed",
        IncidentWhat::Resolved { .. } => "resolved",
        IncidentWhat::EvidenceFrozen { .. } => "evidence_frozen",
        IncidentWhat::Response(what) => what.word(),
    }
}

const fn notification(what: &NotificationWhat) -> &'static str {
    match what {
        NotificationWhat::Planned { .. } => "planned",
        NotificationWhat::Advanced { .. } => "advanced",
        NotificationWhat::Gathers { .. } => "gathers",
        NotificationWhat::ToldTogether { .. } => "told_together",
        NotificationWhat::Postponed { .. } => "postponed",
        NotificationWhat::AttemptStarted { .. } => "attempt_started",
        NotificationWhat::AttemptFinished { .. } => "attempt_finished",
        NotificationWhat::Receipt { .. } => "receipt",
        NotificationWhat::Cancelled { .. } => "cancelled",
    }
}

//! One event or fact in one or two plain sentences; it does not know which of them matter.

use super::case::{Case, TEXT_CHARS};
use super::cause::supervisor_words;
use super::facts::Tone;
use super::mask::clean;
use super::moment::Moment;
use super::paging::outcome_word;
use crate::alert::AlertSource;
use crate::event::{Event, EventBody};
use crate::id::NotificationId;
use crate::page::{Outcome, Purpose};
use crate::signal::{ExitKind, FactKind};

/// What is said of an event, whether a short report needs it, and how it feels.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) key: bool,
    pub(super) tone: Tone,
}

fn told(text: String, key: bool, tone: Tone) -> Option<Told> {
    Some(Told { text, key, tone })
}

/// The sentence for an event; none for what does not belong into the timeline of an incident.
pub(super) fn event_text(case: &Case<'_>, event: &Event) -> Option<Told> {
    match &event.body {
        EventBody::AlertOpened { .. }
        | EventBody::AlertRepeated { .. }
        | EventBody::AlertRecovered { .. } => alert_text(case, event),
        EventBody::IncidentOpened { .. }
        | EventBody::IncidentRaised { .. }
        | EventBody::IncidentAcknowledged { .. }
        | EventBody::IncidentRecovered { .. }
        | EventBody::IncidentRelapsed { .. }
        | EventBody::IncidentResolved { .. }
        | EventBody::NoteAdded { .. } => incident_text(case, event),
        EventBody::PageHeld { .. }
        | EventBody::PageSuppressed { .. }
        | EventBody::LevelReached { .. }
        | EventBody::FallbackReached { .. } => escalation_text(case, event),
        EventBody::NotificationPlanned { .. }
        | EventBody::NotificationAdvanced { .. }
        | EventBody::AttemptStarted { .. }
        | EventBody::AttemptFinished { .. }
        | EventBody::NotificationCancelled { .. } => message_text(case, event),
        EventBody::TargetMuted { .. }
        | EventBody::TargetUnmuted { .. }
        | EventBody::InputIgnored { .. } => side_text(case, event),
        EventBody::InstallationSetUp { .. }
        | EventBody::FallbackSet { .. }
        | EventBody::UserAdded { .. }
        | EventBody::UserChanged { .. }
        | EventBody::UserRemoved { .. }
        | EventBody::ContactMethodAdded { .. }
        | EventBody::ContactMethodVerified { .. }
        | EventBody::ContactMethodRemoved { .. }
        | EventBody::NotificationRulesSet { .. }
        | EventBody::ScheduleSet { .. }
        | EventBody::ScheduleRemoved { .. }
        | EventBody::PolicySet { .. }
        | EventBody::PolicyRemoved { .. }
        | EventBody::ServiceSet { .. }
        | EventBody::IntegrationAdded { .. }
        | EventBody::IntegrationRemoved { .. }
        | EventBody::TargetFound { .. }
        | EventBody::TargetChanged { .. }
        | EventBody::TargetRemoved { .. }
        | EventBody::MaintenancePlanned { .. }
        | EventBody::MaintenanceCancelled { .. }
        | EventBody::MonitorSet { .. }
        | EventBody::MonitorSwitched { .. }
        | EventBody::EvidenceFrozen { .. } => None,
    }
}

fn alert_text(case: &Case<'_>, event: &Event) -> Option<Told> {
    let title_of = |id| {
        let alert = case.evidence.alerts.iter().find(|alert| alert.id == id);
        alert.map_or_else(|| "(not in the evidence)".to_owned(), |alert| clean(&alert.title, 120))
    };
    match &event.body {
        EventBody::AlertOpened { alert } => {
            let title = clean(&alert.title, 120);
            let by = match &alert.source {
                AlertSource::Monitor { .. } => "A monitor",
                AlertSource::EventsV2 { .. } => "An outside system",
                AlertSource::Api => "A call of the native API",
            };
            let key = case.events().into_iter().find_map(|e| opened_id(&e.body)) == Some(alert.id);
            told(format!("{by} raised the alert “{title}”."), key, Tone::Bad)
        }
        EventBody::AlertRepeated { alert, .. } => told(
            format!("The alert “{}” was raised again.", title_of(*alert)),
            false,
            Tone::Info,
        ),
        EventBody::AlertRecovered { alert, .. } => told(
            format!("The alert “{}” recovered.", title_of(*alert)),
            false,
            Tone::Good,
        ),
        _ => None,
    }
}

const fn opened_id(body: &EventBody) -> Option<crate::id::AlertId> {
    if let EventBody::AlertOpened { alert } = body {
        Some(alert.id)
    } else {
        None
    }
}

fn incident_text(case: &Case<'_>, event: &Event) -> Option<Told> {
    match &event.body {
        EventBody::IncidentOpened { number, severity, .. } => told(
            format!("Incident {number} was opened with severity {}.", severity.word()),
            false,
            Tone::Bad,
        ),
        EventBody::IncidentRaised { title, severity, .. } => told(
            format!("The incident was raised to {}: “{}”.", severity.word(), clean(title, 120)),
            true,
            Tone::Bad,
        ),
        EventBody::IncidentAcknowledged { by, .. } => told(
            format!("{} acknowledged the incident; escalation stopped.", case.person(*by)),
            true,
            Tone::Person,
        ),
        EventBody::NoteAdded { text, .. } => told(
            format!("{} noted: “{}”.", case.actor(&event.actor), clean(text, TEXT_CHARS)),
            true,
            Tone::Person,
        ),
        EventBody::IncidentRecovered { .. } => {
            told("All alerts were healthy again.".to_owned(), true, Tone::Good)
        }
        EventBody::IncidentRelapsed { reopened, pages, .. } => {
            let opened = if *reopened { "; the incident was reopened" } else { "" };
            let paged = if *pages { " and paged for anew" } else { "" };
            told(format!("The failure came back{opened}{paged}."), true, Tone::Bad)
        }
        EventBody::IncidentResolved { why, .. } => {
            let why = clean(why, 160);
            let why = why.trim_end_matches('.');
            told(format!("The incident was resolved: {why}."), true, Tone::Good)
        }
        _ => None,
    }
}

fn escalation_text(case: &Case<'_>, event: &Event) -> Option<Told> {
    match &event.body {
        EventBody::PageHeld { hold, .. } => {
            let until = Moment::from(hold.until).clock();
            let why = clean(&hold.why, 160);
            told(format!("The page was held until {until} at the latest: {why}."), true, Tone::Info)
        }
        EventBody::PageSuppressed { why, .. } => told(
            format!("Nobody was paged: {}.", clean(why, 160)),
            true,
            Tone::Info,
        ),
        EventBody::LevelReached { level, round, recipients, .. } => {
            let again = if *round > 0 { format!(", round {}", round + 1) } else { String::new() };
            let who = case.people(recipients);
            let text = format!("Level {} of the escalation{again} called {who}.", level + 1);
            told(text, *level > 0 || *round > 0, Tone::Info)
        }
        EventBody::FallbackReached { recipients, .. } => {
            let who = case.people(recipients);
            told(format!("The fallback list was called: {who}."), true, Tone::Bad)
        }
        _ => None,
    }
}

fn message_text(case: &Case<'_>, event: &Event) -> Option<Told> {
    match &event.body {
        EventBody::NotificationPlanned { notification } => {
            let what = message_name(case, notification.id);
            let why = clean(&notification.why, 160);
            told(format!("{what} was planned: {why}."), false, Tone::Info)
        }
        EventBody::NotificationAdvanced { notification, why, .. } => {
            let what = message_name(case, *notification);
            told(format!("{what} was brought forward: {}.", clean(why, 160)), false, Tone::Info)
        }
        EventBody::AttemptStarted { notification, number, .. } => {
            let what = message_name(case, *notification);
            let try_word = if *number > 1 { format!(" (attempt {number})") } else { String::new() };
            let key = is_page(case, *notification) && *number == 1;
            told(format!("{what} left{try_word}."), key, Tone::Info)
        }
        EventBody::AttemptFinished { notification, outcome, detail, .. } => {
            let what = message_name(case, *notification);
            let page = is_page(case, *notification);
            if *outcome == Outcome::Accepted {
                return told(format!("{what} was accepted by the provider."), page, Tone::Good);
            }
            let (word, detail) = (outcome_word(*outcome), clean(detail, 120));
            let text = match *outcome {
                Outcome::TimedOut => format!("{what} timed out: {detail}."),
                Outcome::Accepted | Outcome::Failed | Outcome::Refused | Outcome::Unanswered => {
                    format!("{what} was not accepted ({word}): {detail}.")
                }
            };
            told(text, page, Tone::Bad)
        }
        EventBody::NotificationCancelled { notification, why, .. } => {
            let what = message_name(case, *notification);
            told(format!("{what} was cancelled: {}.", clean(why, 160)), false, Tone::Info)
        }
        _ => None,
    }
}

fn side_text(case: &Case<'_>, event: &Event) -> Option<Told> {
    let who = case.actor(&event.actor);
    match &event.body {
        EventBody::TargetMuted { until, reason, .. } => {
            let until = Moment::from(*until).clock();
            let why = clean(reason, 160);
            told(format!("{who} muted the target until {until}: {why}."), true, Tone::Person)
        }
        EventBody::TargetUnmuted { .. } => {
            told(format!("{who} took the mute of the target back."), true, Tone::Person)
        }
        EventBody::InputIgnored { what, .. } => told(
            format!("An input changed nothing: {}.", clean(what, 160)),
            false,
            Tone::Info,
        ),
        _ => None,
    }
}

fn is_page(case: &Case<'_>, id: NotificationId) -> bool {
    case.pages().iter().any(|page| page.id == id)
}

/// `The page to Ada by email`, or what else the message was.
fn message_name(case: &Case<'_>, id: NotificationId) -> String {
    let Some(message) = case.evidence.notifications.iter().find(|n| n.id == id) else {
        return "A message".to_owned();
    };
    let kind = match message.purpose {
        Purpose::Page(_) => "The page",
        Purpose::Resolved(_) => "The all-clear",
        Purpose::Test => "The test page",
    };
    format!("{kind} to {} by {}", case.person(message.user), message.channel.word())
}

/// The sentence for something that was seen of the target.
pub(super) fn fact_text(what: &FactKind) -> String {
    match what {
        FactKind::ParentExited { pid, how, children_alive, supervisor, .. } => {
            exit_text(*pid, *how, *children_alive, &supervisor_words(supervisor))
        }
        FactKind::ParentStarted { pid } => {
            format!("Apache ran with a new parent process (pid {pid}).")
        }
        FactKind::Reloaded { generation } => {
            format!("Apache read its configuration anew (generation {generation}).")
        }
        FactKind::ConfigChanged { path, .. } => {
            format!("The configuration file {} changed.", clean(path, 120))
        }
        FactKind::ConfigTested { valid: true, .. } => {
            "The configuration on disk passed the server's own test.".to_owned()
        }
        FactKind::ConfigTested { valid: false, output } => {
            let output = clean(output, 200);
            let output = output.trim_end_matches('.');
            format!("The server's own test refused the configuration on disk: “{output}”.")
        }
        FactKind::ErrorLogged { code, level, message } => {
            let (code, level) = (clean(code, 16), clean(level, 16));
            format!("The error log said ({level}, {code}): “{}”.", clean(message, 200))
        }
        FactKind::QueueChanged { waiting: 0, .. } => "The accept queue was empty again.".to_owned(),
        FactKind::QueueChanged { waiting, limit } => {
            format!("Connections began to wait in the accept queue ({waiting} of at most {limit}).")
        }
        FactKind::StatusUnavailable { reason } => {
            format!("The status page could not be read: {}.", clean(reason, 160).trim_end_matches('.'))
        }
    }
}

fn exit_text(pid: u32, how: ExitKind, children: u32, supervisor: &str) -> String {
    let left = match children {
        0 => "No child process was left".to_owned(),
        1 => "1 child process was still alive just after".to_owned(),
        many => format!("{many} child processes were still alive just after"),
    };
    let parent = format!("Apache's parent process (pid {pid})");
    match how {
        ExitKind::Crash => format!(
            "{parent} ended without a farewell in its log; the signal is unknown. {left}, and {supervisor}."
        ),
        ExitKind::CleanStop => format!(
            "{parent} ended in good order; who asked for it is unknown. {left}, and {supervisor}."
        ),
        ExitKind::FoundDead => format!(
            "{parent} was found gone when Tocsin started; how it ended is unknown. {left}."
        ),
    }
}

/// The stable name of an event's kind, as journalled.
pub(super) const fn kind(body: &EventBody) -> &'static str {
    match body {
        EventBody::InstallationSetUp { .. } => "installation_set_up",
        EventBody::FallbackSet { .. } => "fallback_set",
        EventBody::UserAdded { .. } => "user_added",
        EventBody::UserChanged { .. } => "user_changed",
        EventBody::UserRemoved { .. } => "user_removed",
        EventBody::ContactMethodAdded { .. } => "contact_method_added",
        EventBody::ContactMethodVerified { .. } => "contact_method_verified",
        EventBody::ContactMethodRemoved { .. } => "contact_method_removed",
        EventBody::NotificationRulesSet { .. } => "notification_rules_set",
        EventBody::ScheduleSet { .. } => "schedule_set",
        EventBody::ScheduleRemoved { .. } => "schedule_removed",
        EventBody::PolicySet { .. } => "policy_set",
        EventBody::PolicyRemoved { .. } => "policy_removed",
        EventBody::ServiceSet { .. } => "service_set",
        EventBody::IntegrationAdded { .. } => "integration_added",
        EventBody::IntegrationRemoved { .. } => "integration_removed",
        EventBody::TargetFound { .. } => "target_found",
        EventBody::TargetChanged { .. } => "target_changed",
        EventBody::TargetRemoved { .. } => "target_removed",
        EventBody::TargetMuted { .. } => "target_muted",
        EventBody::TargetUnmuted { .. } => "target_unmuted",
        EventBody::MaintenancePlanned { .. } => "maintenance_planned",
        EventBody::MaintenanceCancelled { .. } => "maintenance_cancelled",
        EventBody::MonitorSet { .. } => "monitor_set",
        EventBody::MonitorSwitched { .. } => "monitor_switched",
        EventBody::AlertOpened { .. } => "alert_opened",
        EventBody::AlertRepeated { .. } => "alert_repeated",
        EventBody::AlertRecovered { .. } => "alert_recovered",
        EventBody::InputIgnored { .. } => "input_ignored",
        EventBody::IncidentOpened { .. } => "incident_opened",
        EventBody::IncidentRaised { .. } => "incident_raised",
        EventBody::PageHeld { .. } => "page_held",
        EventBody::PageSuppressed { .. } => "page_suppressed",
        EventBody::LevelReached { .. } => "level_reached",
        EventBody::FallbackReached { .. } => "fallback_reached",
        EventBody::IncidentAcknowledged { .. } => "incident_acknowledged",
        EventBody::NoteAdded { .. } => "note_added",
        EventBody::IncidentRecovered { .. } => "incident_recovered",
        EventBody::IncidentRelapsed { .. } => "incident_relapsed",
        EventBody::IncidentResolved { .. } => "incident_resolved",
        EventBody::EvidenceFrozen { .. } => "evidence_frozen",
        EventBody::NotificationPlanned { .. } => "notification_planned",
        EventBody::NotificationAdvanced { .. } => "notification_advanced",
        EventBody::AttemptStarted { .. } => "attempt_started",
        EventBody::AttemptFinished { .. } => "attempt_finished",
        EventBody::NotificationCancelled { .. } => "notification_cancelled",
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

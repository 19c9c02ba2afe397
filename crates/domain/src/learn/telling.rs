//! One event or fact in one or two plain sentences; it does not know which of them matter.

use super::case::{Case, TEXT_CHARS, opened_alert};
use super::cause::{change_text, supervisor_words};
use super::ending;
use super::facts::Tone;
use super::mask::clean;
use super::moment::Moment;
use super::paging::outcome_word;
use super::response::response_text;
use crate::alert::AlertSource;
use crate::event::{
    AlertEvent, Event, EventBody, IncidentWhat, InputEvent, NotificationEvent, NotificationWhat,
    WatchEvent,
};
use crate::id::NotificationId;
use crate::page::{Fate, Outcome, Purpose};
use crate::people::Urgency;
use crate::signal::{ExitKind, FactKind};

/// What is said of an event, whether a short report needs it, and how it feels.
pub(super) struct Told {
    pub(super) text: String,
    pub(super) key: bool,
    pub(super) tone: Tone,
}

pub(super) fn told(text: String, key: bool, tone: Tone) -> Option<Told> {
    Some(Told { text, key, tone })
}

/// The sentence for an event; none for what does not belong into the timeline of an incident.
pub(super) fn event_text(case: &Case<'_>, event: &Event) -> Option<Told> {
    match &event.body {
        EventBody::Alert(what) => alert_text(case, what),
        EventBody::Incident(part) => incident_text(case, event, &part.what),
        EventBody::Notification(part) => message_text(case, part),
        EventBody::Watch(what) => watch_text(case, event, what),
        EventBody::Input(InputEvent::Ignored { what, .. }) => told(
            format!("An input changed nothing: {}.", clean(what, 160)),
            false,
            Tone::Info,
        ),
        EventBody::Input(InputEvent::Dropped { what, .. }) => told(
            format!("An alert was thrown away: {}.", clean(what, 160)),
            false,
            Tone::Info,
        ),
        EventBody::Input(InputEvent::Changed { change }) => {
            told(change_text(change), false, Tone::Info)
        }
        EventBody::Installation(_) | EventBody::People(_) | EventBody::Roster(_) => None,
    }
}

fn alert_text(case: &Case<'_>, what: &AlertEvent) -> Option<Told> {
    let title_of = |id| {
        let alert = case.evidence.alerts.iter().find(|alert| alert.id == id);
        alert.map_or_else(
            || "(not in the evidence)".to_owned(),
            |alert| clean(&alert.title, 120),
        )
    };
    match what {
        AlertEvent::Opened { alert } => {
            let title = clean(&alert.title, 120);
            let by = match &alert.source {
                AlertSource::Monitor { .. } => "A monitor",
                AlertSource::Rule { .. } => "An alerting rule",
                AlertSource::EventsV2 { .. } | AlertSource::Alertmanager { .. } => {
                    "An outside system"
                }
                AlertSource::Api => "A call of the native API",
                AlertSource::Heartbeat { .. } => "A heartbeat",
            };
            let first = case
                .events()
                .into_iter()
                .find_map(opened_alert)
                .map(|alert| alert.id);
            let key = first == Some(alert.id);
            told(format!("{by} raised the alert “{title}”."), key, Tone::Bad)
        }
        AlertEvent::Repeated {
            alert, reworded, ..
        } => {
            let how = if reworded.is_some() {
                "told otherwise"
            } else {
                "raised again"
            };
            let text = format!("The alert “{}” was {how}.", title_of(*alert));
            told(text, false, Tone::Info)
        }
        AlertEvent::Recovered { alert, closed, .. } => {
            ending::alert_text(&title_of(*alert), closed.as_deref())
        }
    }
}

fn incident_text(case: &Case<'_>, event: &Event, what: &IncidentWhat) -> Option<Told> {
    match what {
        IncidentWhat::Opened {
            number, severity, ..
        } => told(
            format!(
                "Incident {number} was opened with severity {}.",
                severity.word()
            ),
            false,
            Tone::Bad,
        ),
        IncidentWhat::Raised {
            title, severity, ..
        } => told(
            format!(
                "The incident was raised to {}: “{}”.",
                severity.word(),
                clean(title, 120)
            ),
            true,
            Tone::Bad,
        ),
        IncidentWhat::UrgencySet { urgency, why, .. } => {
            let urgency = match urgency {
                Urgency::High => "urgent",
                Urgency::Low => "not urgent",
            };
            told(
                format!("The incident is {urgency}: {}.", clean(why, 160)),
                true,
                Tone::Info,
            )
        }
        IncidentWhat::Acknowledged { by, again, .. } => {
            let who = case.acknowledger(*by, &event.actor);
            let text = if *again {
                format!("{who} acknowledged the incident, which was acknowledged already.")
            } else {
                format!("{who} acknowledged the incident; escalation stopped.")
            };
            told(text, true, Tone::Person)
        }
        IncidentWhat::NoteAdded { text, .. } => told(
            format!(
                "{} noted: “{}”.",
                case.actor(&event.actor),
                clean(text, TEXT_CHARS)
            ),
            true,
            Tone::Person,
        ),
        IncidentWhat::Recovered { closed } => ending::all_text(closed.as_deref()),
        IncidentWhat::Relapsed {
            by_hand: true,
            pages,
            ..
        } => ending::reopened_text(case, event, *pages),
        IncidentWhat::Relapsed {
            reopened, pages, ..
        } => ending::return_text(*reopened, *pages),
        IncidentWhat::Resolved { why } => ending::resolved_text(case, event, why),
        IncidentWhat::Response(what) => response_text(case, event, what),
        IncidentWhat::PageHeld { .. }
        | IncidentWhat::PageSuppressed { .. }
        | IncidentWhat::QuietEnded
        | IncidentWhat::LevelReached { .. }
        | IncidentWhat::FallbackReached { .. }
        | IncidentWhat::EvidenceFrozen { .. } => escalation_text(case, what),
    }
}

fn escalation_text(case: &Case<'_>, what: &IncidentWhat) -> Option<Told> {
    match what {
        IncidentWhat::PageHeld { hold } => {
            let until = Moment::from(hold.until).clock();
            let why = clean(&hold.why, 160);
            told(
                format!("The page was held until {until} at the latest: {why}."),
                true,
                Tone::Info,
            )
        }
        IncidentWhat::PageSuppressed { why, .. } => told(
            format!("Nobody was paged: {}.", clean(why, 160)),
            true,
            Tone::Info,
        ),
        IncidentWhat::QuietEnded => {
            told("What kept it quiet was over.".to_owned(), true, Tone::Info)
        }
        IncidentWhat::LevelReached {
            policy: None,
            recipients,
            ..
        } => {
            let who = case.people(recipients);
            let text = format!("Whom the incident was given to was called: {who}.");
            told(text, true, Tone::Info)
        }
        IncidentWhat::LevelReached {
            level,
            round,
            recipients,
            ..
        } => {
            let again = if *round > 0 {
                format!(", round {}", round + 1)
            } else {
                String::new()
            };
            let who = case.people(recipients);
            let text = format!("Level {} of the escalation{again} called {who}.", level + 1);
            told(text, *level > 0 || *round > 0, Tone::Info)
        }
        IncidentWhat::FallbackReached { recipients, .. } => {
            let who = case.people(recipients);
            told(
                format!("The fallback list was called: {who}."),
                true,
                Tone::Bad,
            )
        }
        IncidentWhat::Opened { .. }
        | IncidentWhat::Raised { .. }
        | IncidentWhat::UrgencySet { .. }
        | IncidentWhat::Acknowledged { .. }
        | IncidentWhat::NoteAdded { .. }
        | IncidentWhat::Recovered { .. }
        | IncidentWhat::Relapsed { .. }
        | IncidentWhat::Resolved { .. }
        | IncidentWhat::EvidenceFrozen { .. }
        | IncidentWhat::Response(_) => None,
    }
}

const fn fate_words(fate: Fate) -> (&'static str, Tone) {
    match fate {
        Fate::Delivered => ("came to the device", Tone::Good),
        Fate::Read => ("was seen", Tone::Good),
        Fate::Failed => ("did not come to the device", Tone::Bad),
        Fate::Unknown => ("may not have come to the device", Tone::Bad),
    }
}

fn message_text(case: &Case<'_>, part: &NotificationEvent) -> Option<Told> {
    let id = part.notification;
    let name = message_name(case, id);
    match &part.what {
        NotificationWhat::Planned { message } => told(
            format!("{name} was planned: {}.", clean(&message.why, 160)),
            false,
            Tone::Info,
        ),
        NotificationWhat::Advanced { why, .. } => told(
            format!("{name} was brought forward: {}.", clean(why, 160)),
            false,
            Tone::Info,
        ),
        NotificationWhat::Gathers { why, .. } | NotificationWhat::Postponed { why, .. } => told(
            format!("{name} waits: {}.", clean(why, 160)),
            false,
            Tone::Info,
        ),
        NotificationWhat::ToldTogether { .. } => told(
            format!("{name} is told together with others, since many came at once."),
            false,
            Tone::Info,
        ),
        // That it was not made is said when it ends.
        NotificationWhat::AttemptStarted { number } if case.untried().contains(&(id, *number)) => {
            None
        }
        NotificationWhat::AttemptStarted { number } => {
            let again = if *number > 1 {
                format!(" (attempt {number})")
            } else {
                String::new()
            };
            let key = is_page(case, id) && *number == 1;
            told(format!("{name} left{again}."), key, Tone::Info)
        }
        NotificationWhat::AttemptFinished {
            outcome,
            detail,
            not_tried,
            via,
            ..
        } => {
            let detail = clean(detail, 120);
            let (text, tone) = if *not_tried {
                (format!("{name} was not sent ({detail})."), Tone::Info)
            } else {
                let by = via.as_ref().map(|via| clean(&via.name, 120));
                outcome_text(&name, *outcome, by.as_deref(), &detail)
            };
            told(text, is_page(case, id), tone)
        }
        NotificationWhat::Receipt { fate, detail, .. } => {
            let (text, tone) = fate_words(*fate);
            let text = format!("{name} {text}: {}.", clean(detail, 120));
            told(text, is_page(case, id), tone)
        }
        NotificationWhat::Cancelled { why } => told(
            format!("{name} was cancelled: {}.", clean(why, 160)),
            false,
            Tone::Info,
        ),
    }
}

/// How an attempt went; `by`: the host of the account that it went by, where that is known.
fn outcome_text(name: &str, outcome: Outcome, by: Option<&str>, detail: &str) -> (String, Tone) {
    let named = |word: &str| by.map_or_else(String::new, |by| format!(" {word} {by}"));
    match outcome {
        Outcome::Accepted => {
            let by = by.unwrap_or("the provider");
            (format!("{name} was accepted by {by}."), Tone::Good)
        }
        Outcome::TimedOut => {
            let at = named("at");
            (format!("{name} timed out{at}: {detail}."), Tone::Bad)
        }
        Outcome::Failed | Outcome::Refused | Outcome::Unanswered => {
            let (word, by) = (outcome_word(outcome), named("by"));
            let text = format!("{name} was not accepted{by} ({word}): {detail}.");
            (text, Tone::Bad)
        }
    }
}

fn watch_text(case: &Case<'_>, event: &Event, what: &WatchEvent) -> Option<Told> {
    let who = case.actor(&event.actor);
    match what {
        WatchEvent::TargetMuted { until, reason, .. } => {
            let until = Moment::from(*until).clock();
            let why = clean(reason, 160);
            told(
                format!("{who} muted the target until {until}: {why}."),
                true,
                Tone::Person,
            )
        }
        WatchEvent::TargetUnmuted { .. } => told(
            format!("{who} took the mute of the target back."),
            true,
            Tone::Person,
        ),
        WatchEvent::TargetFound { .. }
        | WatchEvent::TargetChanged { .. }
        | WatchEvent::TargetRemoved { .. }
        | WatchEvent::MaintenancePlanned { .. }
        | WatchEvent::MaintenanceCancelled { .. }
        | WatchEvent::MonitorSet { .. }
        | WatchEvent::MonitorSwitched { .. } => None,
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
        Purpose::Request(_) => "The request for help",
        Purpose::Resolved(_) => "The all-clear",
        Purpose::Acknowledged(_) => "Word that somebody took it",
        Purpose::Notice(_) => "The notice",
        Purpose::Test => "The test page",
        Purpose::Word(_) => "The word about duty",
    };
    format!(
        "{kind} to {} by {}",
        case.person(message.user),
        message.channel.word()
    )
}

/// The sentence for something that was seen of the target.
pub(super) fn fact_text(what: &FactKind) -> String {
    match what {
        FactKind::ParentExited {
            pid,
            how,
            children_alive,
            supervisor,
            log_line,
        } => exit_text(
            *pid,
            *how,
            *children_alive,
            &supervisor_words(supervisor),
            log_line.as_deref(),
        ),
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
        FactKind::ConfigTested {
            valid: false,
            output,
        } => {
            let output = clean(output, 200);
            let output = output.trim_end_matches('.');
            format!("The server's own test refused the configuration on disk: “{output}”.")
        }
        FactKind::ErrorLogged {
            code,
            level,
            message,
        } => {
            let (code, level) = (clean(code, 16), clean(level, 16));
            format!(
                "The error log said ({level}, {code}): “{}”.",
                clean(message, 200)
            )
        }
        FactKind::QueueChanged { waiting: 0, .. } => "The accept queue was empty again.".to_owned(),
        FactKind::QueueChanged { waiting, limit } => {
            format!("Connections began to wait in the accept queue ({waiting} of at most {limit}).")
        }
        FactKind::StatusUnavailable {
            reason,
            mendable: _,
        } => {
            format!(
                "The status page could not be read: {}.",
                clean(reason, 160).trim_end_matches('.')
            )
        }
    }
}

fn exit_text(
    pid: u32,
    how: ExitKind,
    children: u32,
    supervisor: &str,
    log_line: Option<&str>,
) -> String {
    let left = match children {
        0 => "No child process was left".to_owned(),
        1 => "1 child process was still alive just after".to_owned(),
        many => format!("{many} child processes were still alive just after"),
    };
    let parent = match pid {
        // A server that was found dead may have taken its pid file with it.
        0 => "Apache's parent process".to_owned(),
        pid => format!("Apache's parent process (pid {pid})"),
    };
    let said = log_line.map_or_else(String::new, |line| {
        format!(" (“{}”)", clean(last_part(line), 120).trim_end_matches('.'))
    });
    match how {
        ExitKind::Crash => format!(
            "{parent} ended without a farewell in its log; the signal is unknown. {left}, and {supervisor}."
        ),
        ExitKind::CleanStop => format!(
            "{parent} ended in good order{said}; who asked for it is unknown. {left}, and {supervisor}."
        ),
        ExitKind::FoundDead => {
            format!("{parent} was found gone when Tocsin started; how it ended is unknown. {left}.")
        }
    }
}

/// A line of the error log from its code on; its time and process are told beside it.
fn last_part(line: &str) -> &str {
    line.find("AH0")
        .and_then(|at| line.get(at..))
        .unwrap_or(line)
}

//! The sentences of a timeline, one for each kind of event. Pure.

use tocsin_domain::alert::{Alert, EvidenceSample};
use tocsin_domain::event::{
    BusinessEvent, IncidentWhat, InstallationEvent, NotificationWhat, RosterEvent, TagEvent,
    WatchEvent,
};
use tocsin_domain::id::NotificationId;
use tocsin_domain::page::{Fate, Outcome, Purpose};
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;
use tocsin_domain::webhook::WebhookEvent;

use super::response_sentence::{acknowledged, response};
use super::timeline::{Names, Tone, Words};

fn info(title: impl Into<String>) -> Words {
    (title.into(), String::new(), Tone::Info)
}

fn person(title: impl Into<String>) -> Words {
    (title.into(), String::new(), Tone::Person)
}

fn told(tone: Tone, title: impl Into<String>, detail: impl Into<String>) -> Words {
    (title.into(), detail.into(), tone)
}

/// `apache_parent_up{…} was 0 at 2024-08-18T03:12:07.041Z`, one line each.
pub(super) fn evidence(samples: &[EvidenceSample]) -> String {
    let lines: Vec<String> = samples
        .iter()
        .map(|sample| format!("{} was {} at {}", sample.series, sample.value, sample.at))
        .collect();
    lines.join("\n")
}

pub(super) fn installation(event: &InstallationEvent, names: &Names<'_>) -> Words {
    match event {
        InstallationEvent::SetUp { .. } => info("Tocsin was set up"),
        InstallationEvent::FallbackSet { users } => person(format!(
            "The list of last resort is now: {}",
            names.users(users)
        )),
        InstallationEvent::PrioritiesSet { names } => {
            person(format!("Priorities are now: {}", names.join(", ")))
        }
        InstallationEvent::ClockSetBack { by_ms } => told(
            Tone::Info,
            format!(
                "The clock of the machine was set back by {} s",
                by_ms / 1_000
            ),
            "what waits for some time waits no longer for that",
        ),
    }
}

pub(super) fn roster(event: &RosterEvent, names: &Names<'_>) -> Words {
    match event {
        RosterEvent::ScheduleSet { schedule } => {
            person(format!("The schedule “{}” was set", schedule.name))
        }
        RosterEvent::ScheduleRemoved { .. } => person("A schedule was removed"),
        RosterEvent::PolicySet { policy } => {
            person(format!("The escalation policy “{}” was set", policy.name))
        }
        RosterEvent::PolicyRemoved { .. } => person("An escalation policy was removed"),
        RosterEvent::ServiceSet { service } => {
            person(format!("The service “{}” was set", service.name))
        }
        RosterEvent::ServiceRemoved { .. } => person("A service was removed"),
        RosterEvent::IntegrationAdded { integration } => {
            person(format!("The integration “{}” was added", integration.name))
        }
        RosterEvent::IntegrationChanged { integration } => person(format!(
            "The integration “{}” was changed",
            integration.name
        )),
        RosterEvent::IntegrationRemoved { .. } => {
            person("An integration was removed; its key is dead")
        }
        RosterEvent::Oncall { what } => person(super::rota::sentence(what, names)),
        RosterEvent::TeamSet { team } => person(format!("The team “{}” was set", team.name)),
        RosterEvent::TeamRemoved { .. } => person("A team was removed"),
        RosterEvent::Intake(event) => super::intake::words(event, names),
        RosterEvent::Webhook(event) => person(webhook(event)),
        RosterEvent::Tag(event) => tag(event),
        RosterEvent::Business(event) => business(event),
    }
}

const fn webhook(event: &WebhookEvent) -> &'static str {
    match event {
        WebhookEvent::WebhookSet { .. } => "A webhook subscription was set",
        WebhookEvent::WebhookRemoved { .. } => "A webhook subscription was removed",
        WebhookEvent::WebhookDisabled { .. } => {
            "A webhook subscription is left alone: its receiver kept refusing"
        }
        WebhookEvent::WebhookUnanswered { .. } => {
            "The receiver of a webhook subscription has taken nothing for long"
        }
        WebhookEvent::WebhookAnswered { .. } => {
            "The receiver of a webhook subscription takes something again"
        }
        WebhookEvent::WebhookEnabled { .. } => "A webhook subscription is served again",
        WebhookEvent::WebhookPinged { .. } => "A webhook subscription was tried",
    }
}

fn tag(event: &TagEvent) -> Words {
    match event {
        TagEvent::Added { label } => person(format!("The tag “{label}” was added")),
        TagEvent::Removed { label } => person(format!("The tag “{label}” was removed")),
        TagEvent::Changed { add, remove, .. } => {
            let (more, fewer) = (add.join(", "), remove.join(", "));
            person(format!(
                "Tags were changed: with {more:?}, without {fewer:?}"
            ))
        }
    }
}

fn business(event: &BusinessEvent) -> Words {
    match event {
        BusinessEvent::ServiceSet { service } => {
            person(format!("The business service “{}” was set", service.name))
        }
        BusinessEvent::ServiceRemoved { .. } => person("A business service was removed"),
        BusinessEvent::Associated { dependencies } => person(format!(
            "{} dependencies of services were added",
            dependencies.len()
        )),
        BusinessEvent::Disassociated { dependencies } => person(format!(
            "{} dependencies of services were removed",
            dependencies.len()
        )),
    }
}

/// The word for how loudly an incident asks.
pub(super) const fn urgency_word(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::High => "urgent",
        Urgency::Low => "not urgent",
    }
}

/// What rules made of an alert, one line each.
pub(super) fn rules(alert: &Alert) -> String {
    let judged = alert.judged.iter().flat_map(|judged| &judged.rules);
    let lines = judged.map(|hit| format!("Rule “{}”: {}", hit.name, hit.did.join("; ")));
    lines.collect::<Vec<_>>().join("\n")
}

pub(super) fn watch(event: &WatchEvent, names: &Names<'_>) -> Words {
    match event {
        WatchEvent::TargetFound { target } => told(
            Tone::Info,
            format!("Found {}", target.identity.name),
            target.identity.config_path.clone(),
        ),
        WatchEvent::TargetChanged { target, .. } => {
            info(format!("{} was found changed", names.target(*target)))
        }
        WatchEvent::TargetRemoved { .. } => person("A target is no longer watched"),
        WatchEvent::TargetMuted {
            target,
            until,
            reason,
        } => told(
            Tone::Person,
            format!("{} pages nobody until {until}", names.target(*target)),
            reason.clone(),
        ),
        WatchEvent::TargetUnmuted { target } => {
            person(format!("{} pages again", names.target(*target)))
        }
        WatchEvent::MaintenancePlanned { target, window } => told(
            Tone::Person,
            format!(
                "Work on {} is planned from {} until {}",
                names.target(*target),
                window.from,
                window.until
            ),
            window.reason.clone(),
        ),
        WatchEvent::MaintenanceCancelled { target, .. } => person(format!(
            "Planned work on {} was called off",
            names.target(*target)
        )),
        WatchEvent::MonitorSet { monitor } => {
            info(format!("The monitor “{}” was set", monitor.name))
        }
        WatchEvent::MonitorSwitched { monitor, enabled } => {
            let name = names
                .0
                .monitors
                .get(monitor)
                .map_or("a monitor", |monitor| monitor.name.as_str());
            person(format!(
                "The monitor “{name}” was switched {}",
                if *enabled { "on" } else { "off" }
            ))
        }
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each thing that can happen"
)]
pub(super) fn incident(what: &IncidentWhat, names: &Names<'_>) -> Words {
    match what {
        IncidentWhat::Opened {
            number,
            title,
            severity,
            onset,
            ..
        } => {
            let since = onset.as_ref().map(|onset| {
                format!(
                    "It began at {}, at most {} ms earlier.",
                    onset.at, onset.uncertainty_ms
                )
            });
            let title = format!("Incident #{number} opened ({}): {title}", severity.word());
            told(Tone::Bad, title, since.unwrap_or_default())
        }
        IncidentWhat::Raised {
            title, severity, ..
        } => told(
            Tone::Bad,
            format!("It got worse ({}): {title}", severity.word()),
            "It is paged for anew.",
        ),
        IncidentWhat::UrgencySet { urgency, why, .. } => told(
            Tone::Info,
            format!("It is {}", urgency_word(*urgency)),
            why.clone(),
        ),
        IncidentWhat::PageHeld { hold } => {
            let clear = if hold.until_clear {
                ", or until that reason is gone"
            } else {
                ""
            };
            told(
                Tone::Info,
                format!("The page waits until {}{clear}", hold.until),
                hold.why.clone(),
            )
        }
        IncidentWhat::PageSuppressed { why, until, .. } => told(
            Tone::Info,
            format!("Nobody is paged until {until}"),
            why.clone(),
        ),
        IncidentWhat::QuietEnded => told(
            Tone::Info,
            "What kept it quiet is over",
            "It wakes nobody, and is told of now.",
        ),
        IncidentWhat::LevelReached {
            policy,
            level,
            round,
            recipients,
            skipped,
            next_at,
            turn,
            each,
        } => {
            let again = if *round > 0 {
                format!(", round {}", round + 1)
            } else {
                String::new()
            };
            let place = match policy {
                Some(policy) => format!(
                    "level {} of {}{again}",
                    level + 1,
                    names.policy(Some(*policy))
                ),
                None => format!("it was given to them{again}"),
            };
            let place = turn.map_or_else(|| place.clone(), |_| format!("{place}, in turn"));
            let title = format!("Paging {} ({place})", names.users(recipients));
            let who = if *each { "each of them" } else { "somebody" };
            let next = format!("Escalates at {next_at} unless {who} acknowledges.");
            told(Tone::Info, title, lines(skipped, &next))
        }
        IncidentWhat::FallbackReached {
            recipients,
            why,
            next_at,
            ..
        } => {
            let title = format!(
                "Paging the list of last resort: {}",
                names.users(recipients)
            );
            told(
                Tone::Bad,
                title,
                lines(why, &format!("They are paged again at {next_at}.")),
            )
        }
        IncidentWhat::Acknowledged { by, ends_at, again } => {
            acknowledged(*by, *ends_at, *again, names)
        }
        IncidentWhat::Response(what) => response(what, names),
        IncidentWhat::NoteAdded { text, .. } => told(Tone::Person, "Note", text.clone()),
        IncidentWhat::Recovered { closed: None } => {
            told(Tone::Good, "Everything is healthy again", "")
        }
        IncidentWhat::Recovered { closed: Some(why) } => told(
            Tone::Info,
            "Nothing of it is open any more",
            format!("Not all was seen healthy: {why}."),
        ),
        IncidentWhat::Relapsed {
            reopened,
            pages,
            by_hand,
            ..
        } => {
            let (tone, title) = match (by_hand, reopened) {
                (true, _) => (Tone::Person, "Reopened by hand"),
                (false, true) => (Tone::Bad, "The failure came back: reopened"),
                (false, false) => (Tone::Bad, "The failure came back"),
            };
            told(
                tone,
                title,
                if *pages {
                    "It is paged for anew."
                } else {
                    "It is not paged for anew."
                },
            )
        }
        IncidentWhat::Resolved { why } => told(Tone::Good, "Resolved", why.clone()),
        IncidentWhat::EvidenceFrozen { sha256, bytes } => told(
            Tone::Info,
            format!("The evidence was frozen ({bytes} bytes)"),
            format!("SHA-256 {sha256}"),
        ),
    }
}

fn lines(before: &[String], last: &str) -> String {
    before
        .iter()
        .map(String::as_str)
        .chain([last])
        .collect::<Vec<_>>()
        .join("\n")
}

pub(super) fn notification(
    what: &NotificationWhat,
    id: NotificationId,
    names: &Names<'_>,
) -> Words {
    let whom = names.message(id);
    match what {
        NotificationWhat::Planned { message } => {
            let noun = match message.purpose {
                Purpose::Page(_) => "A page",
                Purpose::Request(_) => "A request for help",
                Purpose::Resolved(_) => "Word that it is over",
                Purpose::Acknowledged(_) => "Word that somebody took it",
                Purpose::Notice(_) => "A notice",
                Purpose::Test => "A test page",
                Purpose::Word(_) => "Word about duty",
            };
            told(
                Tone::Info,
                format!("{noun} goes to {whom}"),
                message.why.clone(),
            )
        }
        NotificationWhat::Advanced { due_at, why } => told(
            Tone::Info,
            format!("{whom} is tried already at {due_at}"),
            why.clone(),
        ),
        NotificationWhat::Gathers { due_at, why } => told(
            Tone::Info,
            format!("{whom} waits until {due_at} to be told together with others"),
            why.clone(),
        ),
        NotificationWhat::ToldTogether { .. } => {
            info(format!("{whom} is told together with others"))
        }
        NotificationWhat::Postponed { due_at, why } => told(
            Tone::Bad,
            format!("{whom} waits until {due_at}"),
            why.clone(),
        ),
        NotificationWhat::AttemptStarted { number } => {
            info(format!("Sending to {whom}, attempt {number}"))
        }
        NotificationWhat::AttemptFinished {
            number,
            outcome,
            detail,
            retry_at,
            moot,
            via,
            ..
        } => {
            let (tone, verb) = outcome_words(*outcome, *moot);
            let by = via.as_ref().map(|via| format!(" by {}", via.name));
            let title = format!("{verb} {whom}, attempt {number}{}", by.unwrap_or_default());
            let next = retry_at.map(|at| next_words(at, *moot));
            let detail = [Some(detail.clone()), next];
            let detail: Vec<String> = detail.into_iter().flatten().collect();
            told(tone, title, detail.join("\n"))
        }
        NotificationWhat::Receipt { fate, detail, .. } => {
            let (tone, text) = receipt(*fate, &whom);
            told(tone, text, detail.clone())
        }
        NotificationWhat::Cancelled { why } => {
            told(Tone::Info, format!("No longer sent to {whom}"), why.clone())
        }
    }
}

fn receipt(fate: Fate, whom: &str) -> (Tone, String) {
    match fate {
        Fate::Delivered => (Tone::Good, format!("It came to the device of {whom}")),
        Fate::Read => (Tone::Good, format!("It was seen by {whom}")),
        Fate::Failed => (Tone::Bad, format!("It did not come to {whom}")),
        Fate::Unknown => (Tone::Bad, format!("Nobody knows whether it came to {whom}")),
    }
}

/// When an attempt follows one that ended so.
fn next_words(at: Timestamp, moot: bool) -> String {
    if moot {
        format!("Sent from {at} on, should it be wanted again.")
    } else {
        format!("Tried again at {at}.")
    }
}

const fn outcome_words(outcome: Outcome, moot: bool) -> (Tone, &'static str) {
    if moot {
        return (Tone::Info, "Not sent to");
    }
    match outcome {
        Outcome::Accepted => (Tone::Good, "Accepted for"),
        Outcome::Failed => (Tone::Bad, "Could not be sent to"),
        Outcome::Refused => (Tone::Bad, "Refused for"),
        Outcome::TimedOut => (Tone::Bad, "No answer in time for"),
        Outcome::Unanswered => (Tone::Bad, "Nobody knows whether it reached"),
    }
}

//! How people were told of a failure: each page with its attempts, what held it back, who answered.

use super::case::{Case, TEXT_CHARS, message_part};
use super::facts::{Page, PageAttempt, Paging};
use super::ledger::{EvidenceRef, Stated};
use super::mask::clean;
use crate::event::{Event, IncidentWhat, NotificationWhat};
use crate::id::NotificationId;
use crate::page::{Attempt, Delivery, Notification, Outcome};
use crate::people::Urgency;

/// Pages that are told of at most.
const PAGES_MAX: usize = 100;

pub(super) fn paging(case: &mut Case<'_>) -> Paging {
    let mut notifications = case.pages();
    notifications.sort_by_key(|notification| (notification.planned_at, notification.id));
    let pages = notifications
        .into_iter()
        .take(PAGES_MAX)
        .map(|notification| page(case, notification))
        .collect();
    Paging {
        pages,
        hold: hold(case),
        suppressed: suppressed(case),
        acknowledged_by: acknowledged_by(case),
        skipped: skipped(case),
    }
}

/// One page. What was not sent was no attempt.
fn page(case: &mut Case<'_>, notification: &Notification) -> Page {
    let made = notification.attempts.iter().filter(|one| !one.not_tried);
    let accepted = match &notification.state {
        Delivery::Delivered { .. } => true,
        Delivery::Due { .. }
        | Delivery::Together { .. }
        | Delivery::Sending { .. }
        | Delivery::Failed { .. }
        | Delivery::Cancelled { .. } => notification
            .attempts
            .iter()
            .any(|attempt| attempt.outcome == Some(Outcome::Accepted)),
    };
    Page {
        person: case.person(notification.user),
        channel: notification.channel.word().to_owned(),
        level: notification
            .level
            .map(|level| super::requests::count(level).saturating_add(1)),
        why: clean(&notification.why, TEXT_CHARS),
        attempts: made.take(20).map(attempt).collect(),
        accepted,
        evidence: cite_about(case, notification.id),
    }
}

fn attempt(attempt: &Attempt) -> PageAttempt {
    PageAttempt {
        number: attempt.number,
        started: attempt.started_at.into(),
        finished: attempt.finished_at.map(Into::into),
        outcome: attempt.outcome.map_or("unknown", outcome_word).to_owned(),
        detail: clean(&attempt.detail, 200),
    }
}

/// How an attempt went, in plain words.
pub(super) const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Failed => "failed",
        Outcome::Refused => "refused",
        Outcome::TimedOut => "timed out",
        Outcome::Unanswered => "unanswered",
    }
}

fn cite_about(case: &mut Case<'_>, id: NotificationId) -> Vec<EvidenceRef> {
    let tells = |event: &&Event| {
        message_part(event).is_some_and(|part| {
            part.notification == id
                && match part.what {
                    NotificationWhat::Planned { .. }
                    | NotificationWhat::AttemptStarted { .. }
                    | NotificationWhat::AttemptFinished { .. }
                    | NotificationWhat::Receipt { .. } => true,
                    NotificationWhat::Advanced { .. }
                    | NotificationWhat::Gathers { .. }
                    | NotificationWhat::ToldTogether { .. }
                    | NotificationWhat::Postponed { .. }
                    | NotificationWhat::Cancelled { .. } => false,
                }
        })
    };
    let about: Vec<&Event> = case.events().into_iter().filter(tells).collect();
    about
        .into_iter()
        .map(|event| case.cite_event(event))
        .collect()
}

/// The first part of the incident's life that `told` has a text for.
fn first_told(
    case: &mut Case<'_>,
    told: impl Fn(&Case<'_>, &IncidentWhat) -> Option<String>,
) -> Stated<String> {
    let found = case.events().into_iter().find_map(|event| {
        let text = told(case, event.body.incident_part()?)?;
        Some((event, text))
    });
    cited(case, found)
}

fn cited(case: &mut Case<'_>, found: Option<(&Event, String)>) -> Stated<String> {
    match found {
        Some((event, text)) => {
            let number = case.cite_event(event);
            Stated::known(text, vec![number])
        }
        None => Stated::unknown(),
    }
}

fn hold(case: &mut Case<'_>) -> Stated<String> {
    first_told(case, |_, what| {
        let IncidentWhat::PageHeld { hold } = what else {
            return None;
        };
        Some(clean(&hold.why, 200))
    })
}

fn suppressed(case: &mut Case<'_>) -> Stated<String> {
    let told = first_told(case, |_, what| {
        let IncidentWhat::PageSuppressed { why, .. } = what else {
            return None;
        };
        Some(clean(why, 200))
    });
    let wakes_nobody = match case.evidence.incident.urgency {
        Urgency::Low => case.pages().is_empty(),
        Urgency::High => false,
    };
    if told.value.is_some() || !wakes_nobody {
        return told;
    }
    first_told(case, |_, what| {
        matches!(what, IncidentWhat::Opened { .. })
            .then(|| "its urgency is low, which wakes nobody".to_owned())
    })
}

fn acknowledged_by(case: &mut Case<'_>) -> Stated<String> {
    let found = case.events().into_iter().find_map(|event| {
        let IncidentWhat::Acknowledged { by, .. } = event.body.incident_part()? else {
            return None;
        };
        Some((event, case.acknowledger(*by, &event.actor)))
    });
    cited(case, found)
}

fn skipped(case: &mut Case<'_>) -> Vec<Stated<String>> {
    let mut all = Vec::new();
    for event in case.events() {
        let reasons = if let Some(IncidentWhat::LevelReached { skipped, .. }) =
            event.body.incident_part()
        {
            skipped
        } else if let Some(IncidentWhat::FallbackReached { why, .. }) = event.body.incident_part() {
            why
        } else {
            continue;
        };
        for reason in reasons.iter().take(10) {
            let number = case.cite_event(event);
            all.push(Stated::known(clean(reason, 200), vec![number]));
        }
    }
    all.truncate(50);
    all
}

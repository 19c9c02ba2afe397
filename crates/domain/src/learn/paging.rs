//! How people were told of a failure: each page with its attempts, what held it back, who answered.

use super::case::{Case, TEXT_CHARS};
use super::facts::{Page, PageAttempt, Paging};
use super::ledger::{EvidenceRef, Stated};
use super::mask::clean;
use crate::event::EventBody;
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

fn page(case: &mut Case<'_>, notification: &Notification) -> Page {
    let accepted = match &notification.state {
        Delivery::Delivered { .. } => true,
        Delivery::Due { .. }
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
        attempts: notification.attempts.iter().take(20).map(attempt).collect(),
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
    let about: Vec<_> = case
        .events()
        .into_iter()
        .filter(|event| match &event.body {
            EventBody::NotificationPlanned { notification } => notification.id == id,
            EventBody::AttemptStarted { notification, .. }
            | EventBody::AttemptFinished { notification, .. } => *notification == id,
            _ => false,
        })
        .collect();
    about.into_iter().map(|event| case.cite_event(event)).collect()
}

fn hold(case: &mut Case<'_>) -> Stated<String> {
    let mut held = case.events().into_iter().filter_map(|event| match &event.body {
        EventBody::PageHeld { hold, .. } => Some((event, hold)),
        _ => None,
    });
    let Some((event, hold)) = held.next() else {
        return Stated::unknown();
    };
    let number = case.cite_event(event);
    Stated::known(clean(&hold.why, 200), vec![number])
}

fn suppressed(case: &mut Case<'_>) -> Stated<String> {
    let events = case.events();
    let found = events.iter().find_map(|event| match &event.body {
        EventBody::PageSuppressed { why, .. } => Some((event, clean(why, 200))),
        _ => None,
    });
    if let Some((event, why)) = found {
        let number = case.cite_event(event);
        return Stated::known(why, vec![number]);
    }
    let opened = events
        .iter()
        .find(|event| matches!(event.body, EventBody::IncidentOpened { .. }));
    match (case.evidence.incident.urgency, opened) {
        (Urgency::Low, Some(event)) if case.pages().is_empty() => {
            let number = case.cite_event(event);
            Stated::known("its urgency is low, which wakes nobody".to_owned(), vec![number])
        }
        (Urgency::Low | Urgency::High, _) => Stated::unknown(),
    }
}

fn acknowledged_by(case: &mut Case<'_>) -> Stated<String> {
    let found = case.events().into_iter().find_map(|event| match &event.body {
        EventBody::IncidentAcknowledged { by, .. } => Some((event, *by)),
        _ => None,
    });
    match found {
        Some((event, by)) => {
            let number = case.cite_event(event);
            Stated::known(case.person(by), vec![number])
        }
        None => Stated::unknown(),
    }
}

fn skipped(case: &mut Case<'_>) -> Vec<Stated<String>> {
    let mut all = Vec::new();
    for event in case.events() {
        let reasons = match &event.body {
            EventBody::LevelReached { skipped, .. } => skipped,
            EventBody::FallbackReached { why, .. } => why,
            _ => continue,
        };
        for reason in reasons.iter().take(10) {
            let number = case.cite_event(event);
            all.push(Stated::known(clean(reason, 200), vec![number]));
        }
    }
    all.truncate(50);
    all
}

//! What an explanation says of the message itself: to whom, by which way, what was tried, what came of it. Pure.

use tocsin_domain::event::{Event, EventBody, NotificationWhat};
use tocsin_domain::page::{Attempt, Delivery, Fate, Notification, Outcome, Purpose, Receipt};
use tocsin_domain::time::Timestamp;

use super::explain::{Step, StepKind};
use super::timeline::Names;

/// The steps of a message; `planned` is the event that planned it.
pub(super) fn of(message: &Notification, planned: Option<&Event>, names: &Names<'_>) -> Vec<Step> {
    let user = names.user(message.user);
    let at = message.planned_at;
    let text = match message.purpose {
        Purpose::Page(_) => format!("{user} was paged at {at}: {}.", message.why),
        Purpose::Notice(_) => format!(
            "{user} was told at {at} without being woken: {}.",
            message.why
        ),
        Purpose::Resolved(_) => {
            format!("{user} was told at {at} that it is over: {}.", message.why)
        }
        Purpose::Acknowledged(_) => format!(
            "{user}'s other system was told at {at} that somebody took it: {}.",
            message.why
        ),
        Purpose::Request(_) => {
            format!("{user} was asked for help at {at}: {}.", message.why)
        }
        Purpose::Word(_) => format!("{user} was told at {at}: {}.", message.why),
        Purpose::Test => format!("{user} was sent a test page at {at}: {}.", message.why),
    };
    let mut steps = vec![
        Step::new(StepKind::Message, Some(at), text),
        Step::new(
            StepKind::Message,
            None,
            format!(
                "It goes to {}{}.",
                names.message(message.id),
                wait(message, planned)
            ),
        ),
    ];
    for tried in &message.attempts {
        steps.push(attempt(tried));
        steps.extend(tried.receipt.as_ref().map(receipt));
    }
    steps.extend(standing(message));
    steps
}

/// How long after the person was chosen it was to be sent.
fn wait(message: &Notification, planned: Option<&Event>) -> String {
    let due = planned.and_then(first_due);
    match due.map(|due| due.ms_since(message.planned_at)) {
        None => String::new(),
        Some(0) => ", at once".to_owned(),
        Some(ms) => format!(", {} s after they were chosen", ms / 1_000),
    }
}

fn first_due(event: &Event) -> Option<Timestamp> {
    let EventBody::Notification(about) = &event.body else {
        return None;
    };
    let NotificationWhat::Planned { message } = &about.what else {
        return None;
    };
    due_at(message)
}

fn due_at(message: &Notification) -> Option<Timestamp> {
    match message.state {
        Delivery::Due { at } => Some(at),
        Delivery::Together { .. }
        | Delivery::Sending { .. }
        | Delivery::Delivered { .. }
        | Delivery::Failed { .. }
        | Delivery::Cancelled { .. } => None,
    }
}

fn attempt(attempt: &Attempt) -> Step {
    let outcome = match attempt.outcome {
        None => "no outcome is known yet",
        Some(Outcome::Accepted) => "the provider took it",
        Some(Outcome::Failed) if attempt.not_tried => "nothing was sent",
        Some(Outcome::Failed) => "it failed",
        Some(Outcome::Refused) => "the provider refused it",
        Some(Outcome::TimedOut) => "there was no answer in time",
        Some(Outcome::Unanswered) => "Tocsin ended before the answer",
    };
    let took = attempt.finished_at.map_or_else(String::new, |end| {
        format!(" after {} ms", end.ms_since(attempt.started_at))
    });
    let detail = if attempt.detail.is_empty() {
        String::new()
    } else {
        format!(": {}", attempt.detail)
    };
    let text = format!(
        "Attempt {} at {}: {outcome}{took}{detail}.",
        attempt.number, attempt.started_at
    );
    Step::new(StepKind::Attempt, Some(attempt.started_at), text)
}

/// What became of it after the provider took it.
fn receipt(receipt: &Receipt) -> Step {
    let fate = match receipt.fate {
        Fate::Delivered => "it came to the device",
        Fate::Read => "it was seen",
        Fate::Failed => "it did not come to the device",
        Fate::Unknown => "nobody knows whether it came to the device",
    };
    let text = format!("Known at {}: {fate}: {}.", receipt.at, receipt.detail);
    Step::new(StepKind::Attempt, Some(receipt.at), text)
}

fn standing(message: &Notification) -> Option<Step> {
    let (at, text) = match &message.state {
        Delivery::Due { at } => (*at, format!("The next attempt is due at {at}.")),
        Delivery::Failed { at } => (*at, format!("It was given up at {at}.")),
        Delivery::Cancelled { at, why } => (*at, format!("It was called off at {at}: {why}.")),
        Delivery::Together { .. } => {
            let text = "It is told together with others, since many came at once.".to_owned();
            return Some(Step::new(StepKind::Attempt, None, text));
        }
        Delivery::Sending { .. } | Delivery::Delivered { .. } => return None,
    };
    Some(Step::new(StepKind::Attempt, Some(at), text))
}

//! What an explanation says of the message itself: to whom, by which way, what was tried, what came of it. Pure.

use tocsin_domain::event::{Event, EventBody, NotificationWhat};
use tocsin_domain::page::{Attempt, Delivery, Fate, Notification, Outcome, Purpose, Receipt};
use tocsin_domain::time::Timestamp;

use super::causes::OfMessage;
use super::explain::{Step, StepKind};
use super::timeline::Names;

/// What was decided about when a message goes.
#[derive(Default)]
struct Course<'e> {
    /// When it was to be sent first, where that does not depend on another message.
    due: Option<Timestamp>,
    /// What changed that last.
    changed: Option<&'e Event>,
    /// Whether an attempt had begun by then.
    is_changed_late: bool,
}

/// The steps of a message, with what was read of it.
pub(super) fn of(message: &Notification, read: &OfMessage, names: &Names<'_>) -> Vec<Step> {
    let course = course(message, &read.course);
    let due = course.due.filter(|_| !read.has_gap);
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
                wait(message, due)
            ),
        ),
    ];
    if read.has_gap {
        let text = "Whether it was put off or brought forward is not told here, since very much else happened to the incident \
                    meanwhile; its timeline has it.";
        steps.push(Step::new(StepKind::Wait, None, text.to_owned()));
    }
    let changed = || course.changed.and_then(|event| change(event, message));
    if !course.is_changed_late {
        steps.extend(changed());
    }
    for tried in &message.attempts {
        steps.push(attempt(tried));
        steps.extend(tried.receipt.as_ref().map(receipt));
    }
    if course.is_changed_late {
        steps.extend(changed());
    }
    steps.extend(standing(message));
    steps
}

fn course<'e>(message: &Notification, events: &'e [Event]) -> Course<'e> {
    let (mut course, mut has_begun) = (Course::default(), false);
    for event in events {
        let Some(what) = what_of(event, message) else {
            continue;
        };
        let due = match what {
            NotificationWhat::Planned { message } => {
                course.due = due_at(message);
                continue;
            }
            NotificationWhat::AttemptStarted { .. } => {
                has_begun = true;
                continue;
            }
            NotificationWhat::Advanced { due_at, .. }
            | NotificationWhat::Gathers { due_at, .. }
            | NotificationWhat::Postponed { due_at, .. } => Some(*due_at),
            NotificationWhat::ToldTogether { .. } => None,
            NotificationWhat::AttemptFinished { .. }
            | NotificationWhat::Receipt { .. }
            | NotificationWhat::Cancelled { .. } => continue,
        };
        if !has_begun {
            course.due = due;
        }
        (course.changed, course.is_changed_late) = (Some(event), has_begun);
    }
    course
}

/// What an event says of a message, if it is one about it.
fn what_of<'e>(event: &'e Event, message: &Notification) -> Option<&'e NotificationWhat> {
    match &event.body {
        EventBody::Notification(about) if about.notification == message.id => Some(&about.what),
        EventBody::Notification(_)
        | EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Input(_) => None,
    }
}

/// Why it goes at another time than was planned.
fn change(event: &Event, message: &Notification) -> Option<Step> {
    let at = event.at;
    let text = match what_of(event, message)? {
        NotificationWhat::Gathers { due_at, why } | NotificationWhat::Postponed { due_at, why } => {
            format!("At {at} it was put off until {due_at}, because {why}.")
        }
        NotificationWhat::Advanced { due_at, why } => {
            format!("At {at} it was brought forward to {due_at}, because {why}.")
        }
        // As long as it is so, that is where it stands.
        NotificationWhat::ToldTogether { .. }
            if !matches!(message.state, Delivery::Together { .. }) =>
        {
            format!(
                "At {at} it was put with others that are told together, since many came at once."
            )
        }
        NotificationWhat::ToldTogether { .. }
        | NotificationWhat::Planned { .. }
        | NotificationWhat::AttemptStarted { .. }
        | NotificationWhat::AttemptFinished { .. }
        | NotificationWhat::Receipt { .. }
        | NotificationWhat::Cancelled { .. } => return None,
    };
    Some(Step::new(StepKind::Wait, Some(at), text))
}

/// How long after the person was chosen it was to be sent.
fn wait(message: &Notification, due: Option<Timestamp>) -> String {
    match due.map(|due| due.ms_since(message.planned_at)) {
        None => String::new(),
        Some(0) => ", at once".to_owned(),
        Some(ms) => format!(", {} s after they were chosen", ms / 1_000),
    }
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
    let by = attempt.via.as_ref();
    let by = by.map_or_else(String::new, |via| format!(" by {}", via.name));
    let text = format!(
        "Attempt {} at {}{by}: {outcome}{took}{detail}.",
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
        Delivery::Due { at } if message.attempts.last().is_some_and(|last| last.moot) => {
            let text = format!("It is sent from {at} on, should it be wanted again.");
            (*at, text)
        }
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

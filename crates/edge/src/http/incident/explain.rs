//! "Why was I paged?": follows the causes of a page back to the sample, in plain words. Pure.

use std::collections::BTreeMap;

use tocsin_domain::event::{AlertEvent, Cause, Event, EventBody, IncidentWhat, NotificationWhat};
use tocsin_domain::id::MonitorId;
use tocsin_domain::page::Purpose;

use super::timeline::Names;

/// Steps back at most.
const STEPS_MAX: usize = 40;

/// The sentences, from the page back to the sample. Of an incident that paged nobody, from its opening.
pub(crate) fn explanation(events: &[Event], names: &Names<'_>) -> Vec<String> {
    let by_position: BTreeMap<u64, &Event> =
        events.iter().map(|event| (event.position, event)).collect();
    let page = events.iter().find(|event| is_page(&event.body));
    let Some(mut event) = page.or_else(|| events.first()) else {
        return Vec::new();
    };
    let mut sentences = Vec::new();
    for _ in 0..STEPS_MAX {
        sentences.extend(step(event, names));
        let earlier = match &event.cause {
            Cause::Event { position } => by_position.get(position).copied(),
            Cause::Sample { sample } => {
                sentences.push(format!(
                    "The sample: {} was {} at {}.",
                    sample.series, sample.value, sample.at
                ));
                break;
            }
            Cause::Request => {
                sentences.push(format!("That was asked for at {}.", event.at));
                break;
            }
            Cause::Due { at } => {
                sentences.push(format!("That was due at {at}."));
                break;
            }
        };
        match earlier {
            // A cause is always earlier; anything else would walk in a circle.
            Some(earlier) if earlier.position < event.position => event = earlier,
            Some(_) | None => break,
        }
    }
    sentences.dedup();
    sentences
}

fn is_page(body: &EventBody) -> bool {
    match body {
        EventBody::Notification(event) => match &event.what {
            NotificationWhat::Planned { message } => matches!(message.purpose, Purpose::Page(_)),
            NotificationWhat::Advanced { .. }
            | NotificationWhat::AttemptStarted { .. }
            | NotificationWhat::AttemptFinished { .. }
            | NotificationWhat::Receipt { .. }
            | NotificationWhat::Cancelled { .. } => false,
        },
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Input(_) => false,
    }
}

fn step(event: &Event, names: &Names<'_>) -> Option<String> {
    match &event.body {
        EventBody::Notification(about) => match &about.what {
            NotificationWhat::Planned { message } => Some(format!(
                "{} was paged at {}: {}.",
                names.user(message.user),
                event.at,
                message.why
            )),
            NotificationWhat::AttemptFinished { detail, .. } => Some(format!(
                "The attempt before did not reach anybody: {detail}."
            )),
            NotificationWhat::Receipt { detail, .. } => {
                Some(format!("The message before did not arrive: {detail}."))
            }
            NotificationWhat::Advanced { why, .. } | NotificationWhat::Cancelled { why } => {
                Some(format!("{why}."))
            }
            NotificationWhat::AttemptStarted { .. } => None,
        },
        EventBody::Incident(about) => incident(&about.what, event, names),
        EventBody::Alert(AlertEvent::Opened { alert }) => {
            let judge = alert
                .source
                .monitor()
                .map(|monitor| monitor_words(monitor, names));
            Some(format!(
                "“{}” began to fail at {}{}.",
                alert.title,
                event.at,
                judge.unwrap_or_default()
            ))
        }
        EventBody::Alert(AlertEvent::Repeated { summary, .. }) => {
            Some(format!("It was said again: {summary}."))
        }
        EventBody::Alert(AlertEvent::Recovered { .. }) => {
            Some(format!("It had recovered at {}.", event.at))
        }
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Input(_) => None,
    }
}

fn incident(what: &IncidentWhat, event: &Event, names: &Names<'_>) -> Option<String> {
    match what {
        IncidentWhat::Opened { number, title, .. } => Some(format!(
            "Incident #{number} was opened at {} because “{title}”.",
            event.at
        )),
        IncidentWhat::Raised {
            title, severity, ..
        } => Some(format!(
            "It got worse ({}) at {}: “{title}”.",
            severity.word(),
            event.at
        )),
        IncidentWhat::PageHeld { hold } => Some(format!(
            "The page waited until {}: {}.",
            hold.until, hold.why
        )),
        IncidentWhat::PageSuppressed { why, until, .. } => {
            Some(format!("Nobody was paged until {until}: {why}."))
        }
        IncidentWhat::LevelReached {
            policy,
            level,
            skipped,
            ..
        } => {
            let passed = if skipped.is_empty() {
                String::new()
            } else {
                format!(" Passed over: {}.", skipped.join("; "))
            };
            Some(format!(
                "Level {} of {} was reached at {}.{passed}",
                level + 1,
                names.policy(*policy),
                event.at
            ))
        }
        IncidentWhat::FallbackReached { why, .. } => Some(format!(
            "The list of last resort was reached at {}: {}.",
            event.at,
            why.join("; ")
        )),
        IncidentWhat::Relapsed { .. } => Some(format!("The failure came back at {}.", event.at)),
        IncidentWhat::Acknowledged { .. }
        | IncidentWhat::NoteAdded { .. }
        | IncidentWhat::Recovered
        | IncidentWhat::Resolved { .. }
        | IncidentWhat::EvidenceFrozen { .. } => None,
    }
}

fn monitor_words(monitor: MonitorId, names: &Names<'_>) -> String {
    names
        .0
        .monitors
        .get(&monitor)
        .map(|monitor| format!(", as the monitor “{}” asks: {}", monitor.name, monitor.expr))
        .unwrap_or_default()
}

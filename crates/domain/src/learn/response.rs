//! What people did about an incident beyond taking it, in one plain sentence each.

use super::case::{Case, TEXT_CHARS};
use super::facts::Tone;
use super::mask::clean;
use super::moment::Moment;
use super::telling::{Told, told};
use crate::event::{Event, Response};
use crate::incident::Assigned;
use crate::people::Urgency;

/// The sentence for something that was done about an incident.
pub(super) fn response_text(case: &Case<'_>, event: &Event, what: &Response) -> Option<Told> {
    let who = case.actor(&event.actor);
    let person = |text: String| told(text, true, Tone::Person);
    match what {
        Response::PartlyAcknowledged { by, missing } => person(format!(
            "{} acknowledged; {} was still called.",
            case.person(*by),
            case.people(missing)
        )),
        Response::AcknowledgementEnded { by, why } => {
            let by = by.map_or_else(String::new, |by| format!(" by {}", case.person(by)));
            let why = clean(why, 160);
            let text = format!("The acknowledgement{by} counted no longer: {why}.");
            told(text, true, Tone::Bad)
        }
        Response::Snoozed { by, until } => person(format!(
            "{} snoozed the incident until {}.",
            case.person(*by),
            Moment::from(*until).clock()
        )),
        Response::SnoozeEnded => told("The snooze was over.".to_owned(), true, Tone::Info),
        Response::SnoozeCancelled { .. } => person(format!("{who} ended the snooze early.")),
        Response::Reassigned { to } => {
            let to = match to {
                Assigned::People(people) => case.people(people),
                Assigned::Policy(_) => "another escalation policy".to_owned(),
            };
            person(format!("{who} gave the incident to {to}."))
        }
        Response::EscalatedByHand => person(format!("{who} called the next level.")),
        Response::RespondersRequested {
            people, message, ..
        } => person(format!(
            "{who} asked {} to help: “{}”.",
            case.people(people),
            clean(message, TEXT_CHARS)
        )),
        Response::ResponderAnswered { user, accepted } => {
            let answer = if *accepted {
                "came to help"
            } else {
                "declined to help"
            };
            person(format!("{} {answer}.", case.person(*user)))
        }
        Response::Merged { number, .. } => {
            person(format!("{who} merged incident {number} into this one."))
        }
        Response::MergedInto { number, .. } => {
            person(format!("{who} merged the incident into incident {number}."))
        }
        Response::PrioritySet { priority } => {
            let text = priority.as_ref().map_or_else(
                || format!("{who} took the priority back."),
                |priority| format!("{who} set the priority to {}.", clean(priority, 60)),
            );
            told(text, false, Tone::Person)
        }
        Response::UrgencySet { urgency } => {
            let word = match urgency {
                Urgency::Low => "low",
                Urgency::High => "high",
            };
            person(format!("{who} set the urgency to {word}."))
        }
    }
}

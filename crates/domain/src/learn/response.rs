//! What people did about an incident beyond taking it, in one plain sentence each.

use super::case::{Case, TEXT_CHARS};
use super::facts::Tone;
use super::mask::clean;
use super::moment::Moment;
use super::telling::{Told, told};
use crate::event::{Event, Response};
use crate::incident::Assigned;
use crate::people::{ChannelKind, Urgency};

/// The sentence for something that was done about an incident.
pub(super) fn response_text(case: &Case<'_>, event: &Event, what: &Response) -> Option<Told> {
    let who = case.actor(&event.actor);
    let person = |text: String| told(text, true, Tone::Person);
    match what {
        Response::PartlyAcknowledged { by, missing } => person(format!(
            "{} acknowledged; {} was still called.",
            case.acknowledger(Some(*by), &event.actor),
            case.people(missing)
        )),
        Response::AcknowledgementEnded { by, why } => {
            let by = by.map_or_else(String::new, |by| format!(" by {}", case.person(by)));
            let why = clean(why, 160);
            let text = format!("The acknowledgement{by} counted no longer: {why}.");
            told(text, true, Tone::Bad)
        }
        Response::PassedOn {
            to, through, why, ..
        } => {
            let text = passed_on_text(case.person(*to), *through, why);
            told(text, true, Tone::Info)
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
        Response::EscalatedByHand { .. } => person(format!("{who} called the next level.")),
        Response::RespondersRequested { people, .. } if people.is_empty() => {
            let text = "Whom a policy names to ask to help was asked already.".to_owned();
            told(text, false, Tone::Info)
        }
        Response::RespondersRequested {
            people, message, ..
        } => person(format!(
            "{who} asked {} to help: “{}”.",
            case.people(people),
            clean(message, TEXT_CHARS)
        )),
        Response::ResponderAnswered { user, accepted } => {
            let answer = if *accepted { "came" } else { "declined" };
            person(format!("{} {answer} to help.", case.person(*user)))
        }
        Response::Merged { number, .. } => {
            person(format!("{who} merged incident {number} into this one."))
        }
        Response::MergedInto { number, .. } => {
            person(format!("{who} merged the incident into incident {number}."))
        }
        Response::PrioritySet { priority } => told(
            priority_text(&who, priority.as_deref()),
            false,
            Tone::Person,
        ),
        Response::TitleSet { title } => told(
            format!("{who} called the incident “{}”.", clean(title, TEXT_CHARS)),
            false,
            Tone::Person,
        ),
        Response::UrgencySet { urgency } => person(urgency_text(&who, *urgency)),
    }
}

fn urgency_text(who: &str, urgency: Urgency) -> String {
    let word = match urgency {
        Urgency::Low => "low",
        Urgency::High => "high",
    };
    format!("{who} set the urgency to {word}.")
}

fn passed_on_text(to: String, through: Option<ChannelKind>, why: &str) -> String {
    let who = match through.and_then(ChannelKind::read_by_others) {
        Some(place) => format!("whoever has the link in {to}’s {place}"),
        None => to,
    };
    let why = clean(why, 160);
    format!("{why}; {who}, who had acknowledged too, had the incident then.")
}

fn priority_text(who: &str, priority: Option<&str>) -> String {
    priority.map_or_else(
        || format!("{who} took the priority back."),
        |priority| format!("{who} set the priority to {}.", clean(priority, 60)),
    )
}

#[cfg(test)]
mod tests {
    use super::super::facts::facts;
    use super::super::fixture::{Break, Scene};
    use super::super::verify::verify;
    use crate::event::{Actor, Event, EventBody, IncidentEvent, IncidentWhat, Response};
    use crate::incident::Assigned;
    use crate::monitor::Severity;
    use crate::people::{ChannelKind, Urgency};

    /// A crash of which one more event tells: the sentence that stands in the report.
    fn check(what: impl FnOnce(crate::id::UserId) -> Response, expected: &str) {
        let mut evidence = Scene::of(Break::Kill).play().evidence;
        let user = evidence.names.users[0].0;
        let last = evidence.events.last().unwrap().clone();
        let body = EventBody::Incident(IncidentEvent {
            incident: evidence.incident.id,
            what: IncidentWhat::Response(what(user)),
        });
        evidence.events.push(Event {
            position: last.position + 1,
            actor: Actor::Person { user },
            body,
            ..last
        });
        let facts = facts(&evidence);
        assert_eq!(verify(&evidence, &facts), []);
        let said = |text: &str| facts.timeline.iter().any(|entry| entry.text == text);
        let name = super::super::case::printable_name(&evidence.names.users[0].1);
        let expected = expected.replace("NAME", &name);
        assert!(said(&expected), "{expected:?} in {:?}", facts.timeline);
    }

    #[test]
    fn what_people_did_is_told_in_a_sentence() {
        check(
            |by| Response::PartlyAcknowledged {
                by,
                missing: vec![by],
            },
            "NAME acknowledged; NAME was still called.",
        );
        check(
            |by| Response::AcknowledgementEnded {
                by: Some(by),
                why: "it still fails".to_owned(),
            },
            "The acknowledgement by NAME counted no longer: it still fails.",
        );
        check(|_| Response::SnoozeEnded, "The snooze was over.");
        check(
            |by| Response::Reassigned {
                to: Assigned::People(vec![by]),
            },
            "NAME gave the incident to NAME.",
        );
        check(
            |_| Response::EscalatedByHand { spared: Vec::new() },
            "NAME called the next level.",
        );
        check(
            |by| Response::RespondersRequested {
                people: vec![by],
                policy: None,
                message: "help".to_owned(),
                skipped: Vec::new(),
                level: None,
                asked_by: None,
            },
            "NAME asked NAME to help: “help”.",
        );
        check(
            |user| Response::ResponderAnswered {
                user,
                accepted: false,
            },
            "NAME declined to help.",
        );
        check(
            |_| Response::UrgencySet {
                urgency: Urgency::Low,
            },
            "NAME set the urgency to low.",
        );
        check(
            |_| Response::PrioritySet {
                priority: Some("P1".to_owned()),
            },
            "NAME set the priority to P1.",
        );
        check(
            |_| Response::TitleSet {
                title: "Nobody can log in".to_owned(),
            },
            "NAME called the incident “Nobody can log in”.",
        );
    }

    #[test]
    fn whose_it_became_is_told_by_name_or_by_the_place_where_others_read_too() {
        let place = "whoever has the link in NAME’s ntfy topic";
        for (through, who) in [(None, "NAME"), (Some(ChannelKind::Ntfy), place)] {
            check(
                |to| Response::PassedOn {
                    from: to,
                    to,
                    through,
                    why: "Bob was removed".to_owned(),
                },
                &format!(
                    "Bob was removed; {who}, who had acknowledged too, had the incident then."
                ),
            );
        }
    }

    #[test]
    fn an_incident_that_ended_in_another_has_a_report_without_its_alerts() {
        let mut evidence = Scene::of(Break::Kill).play().evidence;
        evidence.alerts.clear();
        evidence.incident.alerts.clear();
        evidence.incident.severity = Severity::Critical;
        let facts = facts(&evidence);
        assert_eq!(verify(&evidence, &facts), []);
    }
}

//! The sentences for what people do about an incident: that they take it, and what goes beyond that. Pure.

use tocsin_domain::event::Response;
use tocsin_domain::id::UserId;
use tocsin_domain::incident::Assigned;
use tocsin_domain::people::{ChannelKind, Urgency};
use tocsin_domain::time::Timestamp;

use super::timeline::{Names, Tone, Words};

fn person(title: String, detail: impl Into<String>) -> Words {
    (title, detail.into(), Tone::Person)
}

/// What is said of an acknowledgement; nobody was being paged any more where it was acknowledged already.
pub(super) fn acknowledged(
    by: Option<UserId>,
    ends_at: Option<Timestamp>,
    again: bool,
    names: &Names<'_>,
) -> Words {
    let who = by.map_or_else(|| "A foreign system".to_owned(), |user| names.user(user));
    let what = if again {
        "It was acknowledged already."
    } else {
        "Escalation stops."
    };
    let holds = ends_at.map_or_else(String::new, |at| {
        format!(" It is triggered again at {at} if it still fails then.")
    });
    person(format!("{who} acknowledged"), format!("{what}{holds}"))
}

/// What is said of it.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each thing that can happen"
)]
pub(super) fn response(what: &Response, names: &Names<'_>) -> Words {
    match what {
        Response::PartlyAcknowledged { by, missing } => person(
            format!("{} acknowledged for their part", names.user(*by)),
            format!("Still paged: {}.", names.users(missing)),
        ),
        Response::AcknowledgementEnded { by, why } => {
            let of = by.map_or_else(String::new, |by| format!(" of {}", names.user(by)));
            let title = format!("The acknowledgement{of} counts no longer");
            (title, format!("Triggered again: {why}."), Tone::Bad)
        }
        Response::PassedOn {
            to, through, why, ..
        } => {
            let to = names.user(*to);
            // It may have been anybody who can read the link.
            let who = match through.and_then(ChannelKind::read_by_others) {
                Some(place) => format!("whoever has the link in {to}’s {place}"),
                None => to,
            };
            let title = format!("{why}; {who}, who had acknowledged too, has it");
            (title, String::new(), Tone::Info)
        }
        Response::Snoozed { by, until } => person(
            format!("{} snoozed it until {until}", names.user(*by)),
            "It is paged again then if it still fails.",
        ),
        Response::SnoozeEnded => {
            let detail = "What still fails is paged again.".to_owned();
            ("The snooze is over".to_owned(), detail, Tone::Info)
        }
        Response::SnoozeCancelled { .. } => person(
            "The snooze was taken back".to_owned(),
            "The incident stays acknowledged.",
        ),
        Response::Reassigned { to } => {
            let to = match to {
                Assigned::People(people) => names.users(people),
                Assigned::Policy(policy) => {
                    format!("the policy {}", names.policy(Some(*policy)))
                }
            };
            person(
                format!("Given to {to}"),
                "If it is urgent, they are paged now.",
            )
        }
        Response::EscalatedByHand { .. } => person("Escalated by hand".to_owned(), ""),
        Response::RespondersRequested {
            people,
            policy,
            message,
            skipped,
            level: _,
            asked_by: _,
        } => {
            let by = policy.map_or_else(String::new, |policy| {
                format!(" (by way of {})", names.policy(Some(policy)))
            });
            let title = if people.is_empty() {
                format!("Whom to ask to help{by} was asked already")
            } else {
                format!("{} were asked to help{by}", names.users(people))
            };
            let detail: Vec<&str> = std::iter::once(message)
                .chain(skipped)
                .map(String::as_str)
                .collect();
            person(title, detail.join("\n"))
        }
        Response::ResponderAnswered { user, accepted } => {
            let answer = if *accepted {
                "comes to help"
            } else {
                "declined to help"
            };
            person(format!("{} {answer}", names.user(*user)), "")
        }
        Response::Merged {
            number,
            alerts,
            severity,
            pages,
            ..
        } => {
            let anew = if *pages { " It is paged for anew." } else { "" };
            let detail = format!(
                "Its {} alerts are here now; the severity is {}.{anew}",
                alerts.len(),
                severity.word()
            );
            person(
                format!("Incident #{number} was merged into this one"),
                detail,
            )
        }
        Response::MergedInto { number, .. } => {
            person(format!("Merged into #{number}"), "It goes on there.")
        }
        Response::PrioritySet { priority } => match priority {
            Some(priority) => person(format!("The priority is {priority}"), ""),
            None => person("The priority was taken back".to_owned(), ""),
        },
        Response::TitleSet { title } => person(format!("It is called: {title}"), ""),
        Response::UrgencySet { urgency } => match urgency {
            Urgency::High => person(
                "The urgency was set to high".to_owned(),
                "What fails pages now, unless somebody has it or it is kept quiet.",
            ),
            Urgency::Low => person(
                "The urgency was set to low".to_owned(),
                "Nobody is paged for it.",
            ),
        },
    }
}

//! How an event of the journal looks as a log entry, under PagerDuty's kinds. What has no kind there is no entry; the native timeline
//! has all of it.

use serde_json::{Map, Value, json};
use tocsin_domain::event::{
    Actor, AlertEvent, Event, EventBody, IncidentWhat, NotificationWhat, Response,
};
use tocsin_domain::id::{IncidentId, TeamId, UserId};
use tocsin_domain::incident::Assigned;
use tocsin_domain::page::{Outcome, Purpose};
use tocsin_domain::people::Urgency;
use tocsin_domain::service::Speaks;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::id;

use super::incident_shape::urgency_word;
use super::place::Place;

/// The type of an entry by which something failed.
pub(super) const TRIGGER: &str = "trigger_log_entry";
/// The kinds of an overview.
const OVERVIEW: [&str; 6] = [
    "trigger",
    "acknowledge",
    "unacknowledge",
    "escalate",
    "resolve",
    "assign",
];

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Those of one person alone.
    pub(super) person: Option<UserId>,
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) teams: Option<Vec<TeamId>>,
    pub(super) overview: bool,
}

impl Wanted {
    /// Whether it was recorded in the span that is asked for.
    pub(super) fn spans(&self, event: &Event) -> bool {
        self.since.is_none_or(|since| event.recorded_at >= since)
            && self.until.is_none_or(|until| event.recorded_at < until)
    }
}

/// What an event is there: its kind, a summary, and what only this kind has.
struct Told {
    incident: IncidentId,
    kind: &'static str,
    summary: String,
    more: Value,
    /// Whether it says once more what is known, and so is none of the most important.
    again: bool,
}

fn told(place: &Place, state: &State, event: &Event) -> Option<Told> {
    match &event.body {
        EventBody::Incident(about) => {
            let (kind, summary, more) = match by_hand(place, state, event) {
                Some(known) => known,
                None => of_incident(place, state, event, &about.what)?,
            };
            Some(Told {
                incident: about.incident,
                kind,
                summary,
                more,
                again: false,
            })
        }
        EventBody::Alert(about) => of_alert(state, &event.actor, about),
        EventBody::Notification(about) if was_sent(&about.what) => {
            let message = state.notifications.get(&about.notification)?;
            let incident = match message.purpose {
                Purpose::Page(id) | Purpose::Notice(id) | Purpose::Request(id) => Some(id),
                Purpose::Resolved(_)
                | Purpose::Acknowledged(_)
                | Purpose::Test
                | Purpose::Word(_) => None,
            };
            let user = place.user(state, message.user);
            let summary = format!("Notified {} by {}", text(&user), message.channel.word());
            let channel = json!({"type": message.channel.word(), "notification": {
                "type": message.channel.word(), "address": null, "status": "success",
            }});
            Some(Told {
                incident: incident?,
                kind: "notify",
                summary,
                more: json!({"user": user, "channel": channel}),
                again: false,
            })
        }
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    }
}

/// Whether a message went out by this.
fn was_sent(what: &NotificationWhat) -> bool {
    match what {
        NotificationWhat::AttemptFinished { outcome, .. } => *outcome == Outcome::Accepted,
        NotificationWhat::Planned { .. }
        | NotificationWhat::Advanced { .. }
        | NotificationWhat::Gathers { .. }
        | NotificationWhat::ToldTogether { .. }
        | NotificationWhat::Postponed { .. }
        | NotificationWhat::AttemptStarted { .. }
        | NotificationWhat::Receipt { .. }
        | NotificationWhat::Cancelled { .. } => false,
    }
}

/// What fails beside what fails already, or was said once more. The alert by which an incident began or came back is told by that.
fn of_alert(state: &State, actor: &Actor, about: &AlertEvent) -> Option<Told> {
    let (said, again) = match about {
        AlertEvent::Opened { alert } if alert.joined => (&alert.title, false),
        AlertEvent::Repeated {
            summary,
            reworded: None,
            ..
        } => (summary, true),
        AlertEvent::Opened { .. } | AlertEvent::Repeated { .. } | AlertEvent::Recovered { .. } => {
            return None;
        }
    };
    let how = if again {
        "Triggered again"
    } else {
        "Triggered"
    };
    Some(Told {
        incident: about.incident(),
        kind: "trigger",
        summary: format!("{how}: {said}"),
        more: triggered(state, actor, said),
        again,
    })
}

/// By which way something was said to fail, and in which words.
fn triggered(state: &State, actor: &Actor, said: &str) -> Value {
    json!({
        "channel": {"type": way(state, actor), "summary": said},
        "event_details": {"description": said},
    })
}

/// The word for the way by which something came.
fn way(state: &State, actor: &Actor) -> &'static str {
    let Actor::Integration { integration } = actor else {
        return "api";
    };
    let known = state.integrations.get(integration);
    if known.is_some_and(|known| known.kind.speaks() == Speaks::Email) {
        "email"
    } else {
        "api"
    }
}

fn text(reference: &Value) -> &str {
    reference["summary"].as_str().unwrap_or_default()
}

type Kind = (&'static str, String, Value);

/// What somebody did that may also come by itself, with who it was.
fn by_hand(place: &Place, state: &State, event: &Event) -> Option<Kind> {
    // Of thousands of events few are any of these: only for those is it looked up who it was.
    let (kind, done, more) = if event.is_reopened_by_hand() {
        let more = json!({"channel": {"type": "api"}});
        ("trigger", "Reopened", more)
    } else if event.is_resolved_by_hand() {
        ("resolve", "Resolved", json!({}))
    } else {
        return None;
    };
    let agent = place.agent(state, &event.actor);
    Some((kind, format!("{done} by {}", text(&agent)), more))
}

fn of_incident(place: &Place, state: &State, event: &Event, what: &IncidentWhat) -> Option<Kind> {
    let people = |ids: &[UserId]| -> Vec<Value> {
        ids.iter().map(|user| place.user(state, *user)).collect()
    };
    let names = |all: &[Value]| all.iter().map(text).collect::<Vec<_>>().join(", ");
    match what {
        IncidentWhat::Opened { title, .. } => {
            let how = triggered(state, &event.actor, title);
            Some(("trigger", format!("Triggered: {title}"), how))
        }
        IncidentWhat::LevelReached {
            policy,
            level,
            round,
            recipients,
            ..
        } => {
            let assignees = people(recipients);
            let kind = match (*level, *round) {
                (0, 0) => "assign",
                (0, _) => "repeat_escalation_path",
                (_, _) => "escalate",
            };
            let summary = assigned(&names(&assignees), policy.map(|_| *level));
            Some((kind, summary, json!({ "assignees": assignees })))
        }
        IncidentWhat::FallbackReached { recipients, .. } => {
            let assignees = people(recipients);
            let summary = format!(
                "The escalation path is exhausted; assigned to {}",
                names(&assignees)
            );
            Some((
                "exhaust_escalation_path",
                summary,
                json!({ "assignees": assignees }),
            ))
        }
        IncidentWhat::Acknowledged { .. } => {
            Some(("acknowledge", "Acknowledged".to_owned(), json!({})))
        }
        IncidentWhat::NoteAdded { text, .. } => Some(noted(text)),
        IncidentWhat::Relapsed { reopened: true, .. } => {
            let summary = "Triggered again: the failure came back".to_owned();
            let channel = json!({"type": way(state, &event.actor)});
            Some(("trigger", summary, json!({ "channel": channel })))
        }
        IncidentWhat::Resolved { why } => Some(("resolve", format!("Resolved: {why}"), json!({}))),
        IncidentWhat::UrgencySet {
            urgency,
            hours_passed,
            ..
        } => urgency_set(*urgency, *hours_passed),
        IncidentWhat::Response(response) => of_response(place, state, response),
        IncidentWhat::Raised { .. }
        | IncidentWhat::PageHeld { .. }
        | IncidentWhat::PageSuppressed { .. }
        | IncidentWhat::QuietEnded
        | IncidentWhat::Recovered { .. }
        | IncidentWhat::Relapsed {
            reopened: false, ..
        }
        | IncidentWhat::EvidenceFrozen { .. } => None,
    }
}

fn noted(text: &str) -> Kind {
    let channel = json!({"type": "note", "summary": text, "content": text});
    let more = json!({ "channel": channel });
    ("annotate", format!("Note: {text}"), more)
}

/// Whom an incident was given to by hand stand on no level.
fn assigned(names: &str, level: Option<usize>) -> String {
    match level {
        Some(level) => format!("Assigned to {names} (level {})", level + 1),
        None => format!("Assigned to {names}"),
    }
}

/// Support hours that have passed put off what they would have raised: the urgency is what it was.
fn urgency_set(urgency: Urgency, hours_passed: bool) -> Option<Kind> {
    (!hours_passed).then(|| urgency_change(urgency))
}

fn urgency_change(urgency: Urgency) -> Kind {
    let word = urgency_word(urgency);
    (
        "urgency_change",
        format!("The urgency is {word}"),
        json!({ "urgency": word }),
    )
}

fn of_response(place: &Place, state: &State, response: &Response) -> Option<Kind> {
    match response {
        Response::PartlyAcknowledged { .. } => Some((
            "acknowledge",
            "Acknowledged by one of several".to_owned(),
            json!({}),
        )),
        Response::AcknowledgementEnded { why, .. } => {
            Some(("unacknowledge", format!("Unacknowledged: {why}"), json!({})))
        }
        Response::SnoozeEnded => Some((
            "unacknowledge",
            "Unacknowledged: the snooze is over".to_owned(),
            json!({}),
        )),
        Response::Snoozed { until, .. } => {
            let at = place.time(*until);
            let action = json!([{"type": "unacknowledge", "at": at}]);
            Some((
                "snooze",
                format!("Snoozed until {at}"),
                json!({ "changed_actions": action }),
            ))
        }
        Response::Reassigned { to } => {
            let assignees: Vec<Value> = match to {
                Assigned::People(people) => {
                    people.iter().map(|user| place.user(state, *user)).collect()
                }
                Assigned::Policy(policy) => vec![place.policy(state, *policy)],
            };
            let names: Vec<&str> = assignees.iter().map(text).collect();
            let summary = format!("Reassigned to {}", names.join(", "));
            Some(("assign", summary, json!({ "assignees": assignees })))
        }
        Response::PassedOn { to, why, .. } => {
            let to = place.user(state, *to);
            let summary = format!("Reassigned to {}: {why}", text(&to));
            Some(("assign", summary, json!({ "assignees": [to] })))
        }
        Response::UrgencySet { urgency } => Some(urgency_change(*urgency)),
        Response::PrioritySet { priority } => {
            let priority = priority
                .as_ref()
                .map(|name| place.priority(name, "priority_reference"));
            let name = priority.as_ref().map_or("none", text).to_owned();
            Some((
                "priority_change",
                format!("The priority is {name}"),
                json!({ "priority": priority }),
            ))
        }
        Response::SnoozeCancelled { .. }
        | Response::EscalatedByHand { .. }
        | Response::RespondersRequested { .. }
        | Response::ResponderAnswered { .. }
        | Response::Merged { .. }
        | Response::MergedInto { .. }
        | Response::TitleSet { .. } => None,
    }
}

/// The entry that an event is, where it is wanted.
pub(super) fn shown(place: &Place, state: &State, event: &Event, wanted: &Wanted) -> Option<Value> {
    let told = told(place, state, event)?;
    let known = state.incidents.get(&told.incident);
    let among = |set: &Vec<TeamId>| known.is_some_and(|known| set.contains(&known.team));
    let is_of_teams = wanted.teams.as_ref().is_none_or(among);
    let is_major = !told.again && OVERVIEW.contains(&told.kind);
    if !is_of_teams || (wanted.overview && !is_major) {
        return None;
    }
    let agent = place.agent(state, &event.actor);
    if wanted
        .person
        .is_some_and(|user| !names(user, &agent, &told.more))
    {
        return None;
    }
    let entry = id::of_position(event.position);
    let service = known.map(|known| place.service(state, known.service));
    let team = known.map(|known| place.team(state, known.team));
    let mut shown = Map::new();
    let common = json!({
        "id": entry,
        "type": format!("{}_log_entry", told.kind),
        "summary": told.summary,
        "self": place.api(&format!("log_entries/{entry}")),
        "html_url": place.page(&format!("incidents/{}", told.incident)),
        "created_at": place.time(event.recorded_at),
        "agent": agent,
        "channel": {"type": "auto"},
        "incident": place.incident(state, told.incident),
        "service": service,
        "teams": team.into_iter().collect::<Vec<_>>(),
        "contexts": [],
        "note": null,
        "acknowledgement_timeout": null,
        "event_details": {},
    });
    for part in [common, told.more] {
        if let Value::Object(part) = part {
            shown.extend(part);
        }
    }
    Some(Value::Object(shown))
}

/// Whether a person did it, was told of it or was given it.
fn names(user: UserId, agent: &Value, more: &Value) -> bool {
    let is_them = |reference: &Value| reference["id"] == user.as_str();
    let mut assignees = more["assignees"].as_array().into_iter().flatten();
    is_them(agent) || is_them(&more["user"]) || assignees.any(is_them)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn support_hours_that_have_passed_are_no_change_of_urgency() {
        let kind = |hours_passed| urgency_set(Urgency::Low, hours_passed).map(|(kind, ..)| kind);
        assert_eq!(kind(false), Some("urgency_change"));
        assert_eq!(kind(true), None);
    }
}

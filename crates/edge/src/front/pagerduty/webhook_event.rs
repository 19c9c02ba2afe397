//! What of the journal is told to webhook subscriptions, in the form of PagerDuty's webhooks v3. It sends nothing.

use serde_json::{Value, json};
use tocsin_domain::event::{Event, EventBody, IncidentWhat, Response, RosterEvent};
use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::incident::{Assigned, Incident};
use tocsin_domain::state::State;
use tocsin_domain::webhook::{Webhook, WebhookEvent, WebhookKind, WebhookScope};
use tocsin_wire::pagerduty::rest::{id, time};
use tocsin_wire::pagerduty::webhook_v3;

use super::incident_shape::{assignees, first_alert, policy_of, status_word, urgency_word};
use super::place::Place;
use crate::http::incident::STATUS_UPDATE;

/// What an event tells a subscriber, in order; none where it is not wanted. What it tells never depends on what is wanted, so that
/// the parts of an event can be counted.
pub(crate) fn told(
    state: &State,
    public_url: &str,
    webhook: &Webhook,
    event: &Event,
) -> Vec<Option<webhook_v3::Event>> {
    match &event.body {
        EventBody::Incident(about) => {
            let parts = parts_of(&about.what);
            let Some(known) = state.incidents.get(&about.incident) else {
                return Vec::new();
            };
            let place = Place::new(public_url, false);
            let parts = parts.into_iter().enumerate();
            parts
                .map(|(index, part)| {
                    let wanted = webhook.events.contains(&part.kind());
                    let wanted = wanted && is_in_scope(webhook.scope, known);
                    wanted.then(|| webhook_v3::Event {
                        id: webhook_v3::event_id(event.position, index),
                        event_type: part.kind().word(),
                        resource_type: "incident",
                        occurred_at: event.at,
                        agent: Some(place.agent(state, &event.actor)),
                        data: data(state, &place, known, event, &part),
                    })
                })
                .collect()
        }
        EventBody::Roster(RosterEvent::Webhook(WebhookEvent::WebhookPinged {
            webhook: pinged,
        })) => {
            let id = webhook_v3::event_id(event.position, 0);
            let ping = webhook_v3::Event::ping(id, event.at);
            vec![(*pinged == webhook.id).then_some(ping)]
        }
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => Vec::new(),
    }
}

fn is_in_scope(scope: WebhookScope, incident: &Incident) -> bool {
    match scope {
        WebhookScope::Account => true,
        WebhookScope::Service(service) => incident.service == service,
        WebhookScope::Team(team) => incident.team == team,
    }
}

/// One thing that an event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Where the incident stands, and with whom where the event says so.
    Standing {
        kind: WebhookKind,
        status: Option<&'static str>,
        recipients: Option<Vec<UserId>>,
    },
    /// A note.
    Note(String),
    /// How it stands, in somebody's words.
    Update(String),
    /// Somebody was asked to help.
    Asked(UserId, String),
    /// Who was asked to help answered.
    Answered(UserId, bool),
}

impl Part {
    const fn kind(&self) -> WebhookKind {
        match self {
            Self::Standing { kind, .. } => *kind,
            Self::Note(_) => WebhookKind::Annotated,
            Self::Update(_) => WebhookKind::StatusUpdatePublished,
            Self::Asked(..) => WebhookKind::ResponderAdded,
            Self::Answered(..) => WebhookKind::ResponderReplied,
        }
    }
}

/// Where the incident stands after something.
fn stands(kind: WebhookKind, status: Option<&'static str>) -> Vec<Part> {
    vec![Part::Standing {
        kind,
        status,
        recipients: None,
    }]
}

fn escalated(recipients: &[UserId]) -> Vec<Part> {
    vec![Part::Standing {
        kind: WebhookKind::Escalated,
        status: Some("triggered"),
        recipients: Some(recipients.to_vec()),
    }]
}

fn parts_of(what: &IncidentWhat) -> Vec<Part> {
    match what {
        IncidentWhat::Opened { .. } => stands(WebhookKind::Triggered, Some("triggered")),
        IncidentWhat::LevelReached {
            level,
            round,
            recipients,
            ..
        } if (*level, *round) != (0, 0) => escalated(recipients),
        IncidentWhat::FallbackReached { recipients, .. } => escalated(recipients),
        IncidentWhat::Acknowledged { .. } => {
            stands(WebhookKind::Acknowledged, Some("acknowledged"))
        }
        IncidentWhat::NoteAdded { text, update: true } => {
            let message = text.strip_prefix(STATUS_UPDATE).unwrap_or(text);
            vec![Part::Update(message.to_owned())]
        }
        IncidentWhat::NoteAdded {
            text,
            update: false,
        } => vec![Part::Note(text.clone())],
        IncidentWhat::Relapsed { reopened: true, .. } => {
            stands(WebhookKind::Reopened, Some("triggered"))
        }
        IncidentWhat::Resolved { .. } => stands(WebhookKind::Resolved, Some("resolved")),
        IncidentWhat::Response(response) => parts_of_response(response),
        IncidentWhat::LevelReached { .. }
        | IncidentWhat::Raised { .. }
        | IncidentWhat::UrgencySet { .. }
        | IncidentWhat::PageHeld { .. }
        | IncidentWhat::PageSuppressed { .. }
        | IncidentWhat::QuietEnded
        | IncidentWhat::Recovered { .. }
        | IncidentWhat::Relapsed {
            reopened: false, ..
        }
        | IncidentWhat::EvidenceFrozen { .. } => Vec::new(),
    }
}

fn parts_of_response(response: &Response) -> Vec<Part> {
    match response {
        Response::AcknowledgementEnded { .. } | Response::SnoozeEnded => {
            stands(WebhookKind::Unacknowledged, Some("triggered"))
        }
        // Whoever snoozes it has it.
        Response::Snoozed { .. } => stands(WebhookKind::Acknowledged, Some("acknowledged")),
        Response::Reassigned {
            to: Assigned::People(people),
        } => vec![Part::Standing {
            kind: WebhookKind::Reassigned,
            status: None,
            recipients: Some(people.clone()),
        }],
        Response::Reassigned {
            to: Assigned::Policy(_),
        } => stands(WebhookKind::Delegated, None),
        Response::PassedOn { to, .. } => vec![Part::Standing {
            kind: WebhookKind::Reassigned,
            status: None,
            recipients: Some(vec![*to]),
        }],
        Response::PrioritySet { .. } => stands(WebhookKind::PriorityUpdated, None),
        Response::RespondersRequested {
            people, message, ..
        } => {
            let people = people.iter();
            people
                .map(|user| Part::Asked(*user, message.clone()))
                .collect()
        }
        Response::ResponderAnswered { user, accepted } => vec![Part::Answered(*user, *accepted)],
        // What follows from these is told by events of its own.
        Response::EscalatedByHand { .. }
        | Response::MergedInto { .. }
        | Response::PartlyAcknowledged { .. }
        | Response::SnoozeCancelled { .. }
        | Response::Merged { .. }
        | Response::UrgencySet { .. }
        | Response::TitleSet { .. } => Vec::new(),
    }
}

fn data(state: &State, place: &Place, known: &Incident, event: &Event, part: &Part) -> Value {
    let about = || place.incident(state, known.id);
    let entry = id::of_position(event.position);
    match part {
        Part::Standing {
            status, recipients, ..
        } => {
            let status = status.unwrap_or(status_word(known.status));
            let assigned = recipients
                .clone()
                .unwrap_or_else(|| assignees(state, known));
            incident(state, place, known, status, &assigned)
        }
        Part::Note(text) => json!({
            "type": "incident_note",
            "id": entry,
            "incident": about(),
            "content": text,
            "trimmed": false,
        }),
        Part::Update(message) => json!({
            "type": "incident_status_update",
            "id": entry,
            "incident": about(),
            "message": message,
            "trimmed": false,
        }),
        Part::Asked(user, message) => responder(state, place, known.id, *user, "pending", message),
        Part::Answered(user, accepted) => {
            let said = if *accepted { "joined" } else { "declined" };
            let asked = known.responders.iter().find(|one| one.user == *user);
            let message = asked.map_or("", |asked| asked.message.as_str());
            responder(state, place, known.id, *user, said, message)
        }
    }
}

fn responder(
    state: &State,
    place: &Place,
    incident: IncidentId,
    user: UserId,
    said: &str,
    message: &str,
) -> Value {
    json!({
        "type": "incident_responder",
        "incident": place.incident(state, incident),
        "user": place.user(state, user),
        "escalation_policy": null,
        "message": message,
        "state": said,
    })
}

fn incident(
    state: &State,
    place: &Place,
    one: &Incident,
    status: &str,
    assigned: &[UserId],
) -> Value {
    let path = format!("incidents/{}", one.id);
    let first = first_alert(state, one);
    let assigned = assigned.iter().map(|user| place.user(state, *user));
    let assigned: Vec<Value> = if status == "resolved" {
        Vec::new()
    } else {
        assigned.collect()
    };
    let policy = policy_of(state, one).map(|policy| place.policy(state, policy));
    let priority = one.priority.as_ref();
    let priority = priority.map(|name| place.priority(name, "priority_reference"));
    let reason = one.merged_into.map(
        |into| json!({"type": "merge_resolve_reason", "incident": place.incident(state, into)}),
    );
    json!({
        "id": one.id.to_string(),
        "type": "incident",
        "self": place.api(&path),
        "html_url": place.page(&path),
        "number": one.number,
        "status": status,
        "incident_key": first.map(|alert| alert.dedup_key.as_str()),
        "created_at": time::written(one.opened_at),
        "title": one.title,
        "service": place.service(state, one.service),
        "assignees": assigned,
        "escalation_policy": policy,
        "teams": [place.team(state, one.team)],
        "priority": priority,
        "urgency": urgency_word(one.urgency),
        "conference_bridge": null,
        "resolve_reason": reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(what: &IncidentWhat) -> Vec<&'static str> {
        parts_of(what)
            .iter()
            .map(|part| part.kind().word())
            .collect()
    }

    fn reached(level: usize, round: u32) -> IncidentWhat {
        IncidentWhat::LevelReached {
            policy: None,
            level,
            round,
            recipients: Vec::new(),
            skipped: Vec::new(),
            next_at: tocsin_domain::time::Timestamp::from_millis(0),
            turn: None,
            each: false,
        }
    }

    #[test]
    fn whom_an_incident_goes_to_first_is_told_with_its_opening_and_no_escalation() {
        assert_eq!(kinds(&reached(0, 0)), [""; 0]);
        assert_eq!(kinds(&reached(1, 0)), ["incident.escalated"]);
        assert_eq!(kinds(&reached(0, 1)), ["incident.escalated"]);
    }

    #[test]
    fn a_status_update_is_told_as_one_although_it_is_kept_as_a_note() {
        let note = |update| IncidentWhat::NoteAdded {
            text: format!("{STATUS_UPDATE}we are on it"),
            update,
        };
        let message = "we are on it".to_owned();
        assert_eq!(parts_of(&note(true)), [Part::Update(message)]);
        assert_eq!(kinds(&note(true)), ["incident.status_update_published"]);
        assert_eq!(
            kinds(&note(false)),
            ["incident.annotated"],
            "whoever writes so"
        );
    }

    #[test]
    fn what_goes_on_to_the_next_who_acknowledged_is_told_as_theirs() {
        let user: UserId = "QAAAAAAAAAAAAA".parse().unwrap();
        let passed = Response::PassedOn {
            from: "QBBBBBBBBBBBBB".parse().unwrap(),
            to: user,
            through: None,
            why: "Bob was removed".to_owned(),
        };
        let theirs = Part::Standing {
            kind: WebhookKind::Reassigned,
            status: None,
            recipients: Some(vec![user]),
        };
        assert_eq!(parts_of(&IncidentWhat::Response(passed)), [theirs]);
    }

    #[test]
    fn a_note_of_before_there_were_updates_is_read_and_one_is_written_as_it_was() {
        let old = json!({"kind": "note_added", "text": "disks"});
        let read: IncidentWhat = serde_json::from_value(old.clone()).unwrap();
        assert_eq!(read, IncidentWhat::noted("disks".to_owned()));
        assert_eq!(serde_json::to_value(&read).unwrap(), old);
    }

    #[test]
    fn each_who_is_asked_to_help_is_told_of_by_itself() {
        let user: UserId = "QAAAAAAAAAAAAA".parse().unwrap();
        let asked = Response::RespondersRequested {
            people: vec![user, user],
            policy: None,
            message: "help".to_owned(),
            skipped: Vec::new(),
            level: None,
            asked_by: None,
        };
        let asked = IncidentWhat::Response(asked);
        assert_eq!(kinds(&asked), ["incident.responder.added"; 2]);
        let accepted = Response::ResponderAnswered {
            user,
            accepted: true,
        };
        assert_eq!(
            kinds(&IncidentWhat::Response(accepted)),
            ["incident.responder.replied"]
        );
    }
}

//! What is written and told about an incident: notes, status updates, and requests for help.

use serde_json::{Value, json};
use tocsin_domain::command::{Ask, RespondAsk};
use tocsin_domain::event::{Event, IncidentWhat, Response};
use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::incident::Incident;
use tocsin_domain::people::Role;
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::body::Named;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::{Refusal, id, incident as bodies, time};

use super::asked::{Asked, Path};
use super::incident_shape::{Helper, request_target};
use super::lookup;
use super::place::Place;
use super::reply::{Answer, Refused, Reply, refusing};
use crate::http::incident::{noted, status_updated};
use crate::http::problem::Problem;

/// Events of an incident that are read at once.
const EVENTS_PAGE: usize = 1_000;
/// Events of one incident that are looked at at most, the newest.
const EVENTS_MAX: usize = 20_000;
/// Notes that are shown at most, the newest.
const NOTES_MAX: usize = 2_000;
/// Why a request for help in the name of somebody else is refused.
const ANOTHER_REQUESTER: &str = "'requester_id' is invalid: it names another person than who asks, which is whoever the token belongs to or, with a token of the installation, whoever the \"From\" header names";

impl Asked {
    /// What happened to an incident and to the messages about it, oldest first; of very much, the newest.
    pub(crate) async fn events_of(&self, incident: IncidentId) -> Result<Vec<Event>, Refused> {
        let start = self
            .app
            .blocking(move |parts| parts.events.before_newest(incident, EVENTS_MAX))
            .await?;
        let mut all: Vec<Event> = Vec::new();
        while all.len() < EVENTS_MAX {
            let after = all.last().map_or(start, |event| event.position);
            let read = self
                .app
                .blocking(move |parts| parts.events.of_incident(incident, after, EVENTS_PAGE))
                .await?;
            let is_last = read.len() < EVENTS_PAGE;
            all.extend(read);
            if is_last {
                break;
            }
        }
        Ok(all)
    }
}

/// The words of a note, if the event is one.
pub(crate) fn note_in(event: &Event) -> Option<&str> {
    let Some(IncidentWhat::NoteAdded { text, .. }) = event.body.incident_part() else {
        return None;
    };
    Some(text)
}

fn note(asked: &Asked, state: &State, event: &Event, text: &str) -> Value {
    json!({
        "id": id::of_position(event.position),
        "user": asked.place.agent(state, &event.actor),
        "channel": {"summary": "The PagerDuty website or APIs"},
        "content": text,
        "created_at": time::written(event.at),
    })
}

/// Notes of an incident
#[utoipa::path(get, path = "/incidents/{id}/notes", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_notes(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let events = asked.events_of(incident).await?;
    let notes: Vec<Value> = asked.app.read(|state| {
        let found = events
            .iter()
            .rev()
            .filter_map(|event| Some((event, note_in(event)?)));
        let found = found.take(NOTES_MAX);
        found
            .map(|(event, text)| note(&asked, state, event, text))
            .collect()
    });
    Ok(Reply::Done(json!({ "notes": notes })))
}

/// Write a note
#[utoipa::path(post, path = "/incidents/{id}/notes", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn add_note(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let text = bodies::note(&asked.body)?;
    let by = asked.requester(Role::Responder).await?;
    let event = noted(&asked.app, &by.actor, incident, text.clone()).await;
    let event = event.map_err(refusing(Noun::Note))?;
    let shown = asked.app.read(|state| note(&asked, state, &event, &text));
    Ok(Reply::Done(json!({ "note": shown })))
}

/// Tell how it stands, which is kept as a note: nobody subscribes to incidents
#[utoipa::path(post, path = "/incidents/{id}/status_updates", tag = "fronts", params(("id" = String, Path)),
    request_body = Object, responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn send_status_update(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let update = bodies::status_update(&asked.body)?;
    let by = asked.requester(Role::Responder).await?;
    let event = status_updated(&asked.app, &by.actor, incident, &update.text()).await;
    let event = event.map_err(refusing(Noun::Bare))?;
    let sender = asked.app.read(|state| asked.place.user(state, by.user));
    Ok(Reply::Done(json!({"status_update": {
        "id": id::of_position(event.position),
        "message": update.message,
        "subject": update.subject,
        "created_at": time::written(event.at),
        "sender": sender,
    }})))
}

/// Ask further people to help
///
/// Each target is shown with those who were asked by it. Whoever could not be is not among them, and `skipped` says why.
#[utoipa::path(post, path = "/incidents/{id}/responder_requests", tag = "fronts", params(("id" = String, Path)),
    request_body = Object, responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn request_responders(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let request = bodies::request(&asked.body)?;
    let by = asked.requester(Role::Responder).await?;
    let targets = asked.app.read(|state| -> Result<Vec<Helper>, Refused> {
        lookup::open(state, incident)?;
        if let Some(requester) = &request.requester
            && lookup::user(state, "requester_id", requester)? != by.user
        {
            return Err(Refusal::bad(ANOTHER_REQUESTER).into());
        }
        helpers(state, &request.targets)
    })?;
    let (mut people, mut policies) = (Vec::new(), Vec::new());
    for target in &targets {
        match target {
            Helper::Person(user) => people.push(*user),
            Helper::Policy(policy) => policies.push(*policy),
        }
    }
    if policies.len() > 1 {
        let why =
            "'responder_request_targets' names several escalation policies: ask one at a time";
        return Err(Refusal::bad(why).into());
    }
    let ask = RespondAsk::RequestResponders {
        incident,
        people,
        policy: policies.first().copied(),
        message: request.message,
    };
    let done = asked.app.ask(&by.actor, Ask::Respond(ask)).await;
    let done = done.map_err(refusing(Noun::Bare))?;
    let shown = asked.app.read(|state| {
        let known = state.incidents.get(&incident)?;
        let mut events = done.events().iter();
        events.find_map(|event| requested(state, &asked.place, known, by.user, &targets, event))
    });
    let lost = || Problem::internal("help was asked for, and of whom is not known: look before");
    let shown = shown.ok_or_else(lost)?;
    Ok(Reply::Done(json!({ "responder_request": shown })))
}

/// Whom the targets of a request name, in their order.
fn helpers(state: &State, targets: &[Named]) -> Result<Vec<Helper>, Refused> {
    let targets = targets.iter().enumerate().map(|(index, target)| {
        let place = format!("responder_request_targets[{index}]");
        if target.kind == "user" {
            lookup::user(state, &place, &target.id).map(Helper::Person)
        } else {
            lookup::policy(state, &place, &target.id).map(Helper::Policy)
        }
    });
    targets.collect()
}

/// A request for help by the event that says what was done about it; none of another event. Who cannot be told of it was not asked,
/// though they were named: the reasons have a field of their own, which is there only where there are some.
fn requested(
    state: &State,
    place: &Place,
    known: &Incident,
    by: UserId,
    targets: &[Helper],
    event: &Event,
) -> Option<Value> {
    let Some(IncidentWhat::Response(Response::RespondersRequested {
        people,
        message,
        skipped,
        level,
        ..
    })) = event.body.incident_part()
    else {
        return None;
    };
    let of_level = level.as_ref().map(|level| level.people.as_slice());
    let targets = targets.iter().map(|target| {
        let named = match target {
            Helper::Person(user) => std::slice::from_ref(user),
            Helper::Policy(_) => of_level.unwrap_or_default(),
        };
        let named = named.iter().copied();
        let asked: Vec<UserId> = named.filter(|user| people.contains(user)).collect();
        request_target(state, place, known, *target, &asked)
    });
    let mut shown = json!({
        "incident": place.incident(state, known.id),
        "requester": place.user(state, by),
        "requested_at": time::written(event.at),
        "message": message,
        "responder_request_targets": targets.collect::<Vec<_>>(),
    });
    if !skipped.is_empty() {
        shown["skipped"] = json!(skipped);
    }
    Some(shown)
}

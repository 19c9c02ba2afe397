//! What is written and told about an incident: notes, status updates, and requests for help.

use serde_json::{Value, json};
use tocsin_domain::command::{Ask, RespondAsk};
use tocsin_domain::event::{Event, IncidentWhat};
use tocsin_domain::id::IncidentId;
use tocsin_domain::people::Role;
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::{Refusal, id, incident as bodies, time};

use super::asked::{Asked, Path};
use super::incident_shape::{Helper, request_target};
use super::lookup;
use super::reply::{Answer, Refused, Reply, refusing};
use crate::http::incident::{noted, status_updated};

/// Events of an incident that are read at once.
const EVENTS_PAGE: usize = 1_000;
/// Events of one incident that are looked at at most, the newest.
const EVENTS_MAX: usize = 20_000;
/// Notes that are shown at most, the newest.
const NOTES_MAX: usize = 2_000;

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
#[utoipa::path(post, path = "/incidents/{id}/responder_requests", tag = "fronts", params(("id" = String, Path)),
    request_body = Object, responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn request_responders(Path(id): Path<String>, asked: Asked) -> Answer {
    let incident = lookup::incident(&asked.app, &id)?;
    let request = bodies::request(&asked.body)?;
    let by = asked.requester(Role::Responder).await?;
    let (people, policies) = asked.app.read(|state| {
        lookup::open(state, incident)?;
        if let Some(requester) = &request.requester {
            lookup::user(state, "requester_id", requester)?;
        }
        let (mut people, mut policies) = (Vec::new(), Vec::new());
        for (index, target) in request.targets.iter().enumerate() {
            let place = format!("responder_request_targets[{index}]");
            if target.kind == "user" {
                people.push(lookup::user(state, &place, &target.id)?);
            } else {
                policies.push(lookup::policy(state, &place, &target.id)?);
            }
        }
        Ok::<_, Refused>((people, policies))
    })?;
    if policies.len() > 1 {
        let why =
            "'responder_request_targets' names several escalation policies: ask one at a time";
        return Err(Refusal::bad(why).into());
    }
    let message = request.message.clone();
    let ask = RespondAsk::RequestResponders {
        incident,
        people: people.clone(),
        policy: policies.first().copied(),
        message: request.message,
    };
    let requested = asked.app.ask(&by.actor, Ask::Respond(ask)).await;
    requested.map_err(refusing(Noun::Bare))?;
    let shown = asked.app.read(|state| {
        let known = state.incidents.get(&incident);
        let people = people.iter().map(|user| Helper::Person(*user));
        let policies = policies.iter().map(|policy| Helper::Policy(*policy));
        let targets = people.chain(policies);
        let targets =
            targets.filter_map(|one| Some(request_target(state, &asked.place, known?, one)));
        json!({
            "incident": asked.place.incident(state, incident),
            "requester": asked.place.user(state, by.user),
            "requested_at": time::written(asked.app.now()),
            "message": message,
            "responder_request_targets": targets.collect::<Vec<_>>(),
        })
    });
    Ok(Reply::Done(json!({ "responder_request": shown })))
}

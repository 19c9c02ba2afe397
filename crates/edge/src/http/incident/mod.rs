//! The native API of incidents: what a person does with one. Lists and one in full have files of their own.

pub(crate) mod alert;
mod causes;
mod chain;
pub(crate) mod detail;
pub(crate) mod explain;
mod intake;
pub(crate) mod list;
pub(crate) mod live;
mod message_steps;
mod people_sentence;
pub(crate) mod postmortem;
pub(crate) mod respond;
mod response_sentence;
mod rota;
mod sentence;
mod shorten;
pub(crate) mod summary;
pub(crate) mod timeline;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Json, response::IntoResponse};
use serde::Deserialize;
use tocsin_domain::command::{Ask, Declared, RespondAsk};
use tocsin_domain::event::{Actor, Event, IncidentWhat};
use tocsin_domain::id::IncidentId;
use tocsin_domain::people;
use tocsin_domain::text::shows_nothing;
use tocsin_engine::handle::Done;
use utoipa::ToSchema;

use super::body::Json as Body;
use super::problem::Problem;
use super::shape::{Id, Urgency};
use crate::access::who::Caller;
use crate::app::App;
use summary::{IncidentSummary, summary};

/// Before the words of a status update, which is kept as a note: for whoever reads it, since the note itself says what it is.
pub(crate) const STATUS_UPDATE: &str = "Status update: ";
/// Characters of a status update at most: it stands in a note, with the words before it.
const STATUS_UPDATE_CHARS_MAX: usize = 3_900;

/// The incident that a path names, by id or by number.
pub(crate) fn find(app: &App, text: &str) -> Result<IncidentId, Problem> {
    let missing = || Problem::not_found(&format!("incident {text:?}"));
    if let Ok(id) = text.parse::<IncidentId>() {
        return app
            .read(|state| state.incidents.contains_key(&id))
            .then_some(id)
            .ok_or_else(missing);
    }
    let number: u64 = text.parse().map_err(|_| missing())?;
    app.read(|state| state.numbers.get(number).map(|listed| listed.id))
        .ok_or_else(missing)
}

fn summary_of(app: &App, id: IncidentId) -> Result<IncidentSummary, Problem> {
    let found = app.read(|state| {
        state
            .incidents
            .get(&id)
            .map(|incident| summary(state, incident))
    });
    found.ok_or_else(|| Problem::not_found(&format!("incident {id}")))
}

/// Nothing to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Take an incident
///
/// Escalation stops. Taking what is taken is no error and takes it from nobody: where an acknowledgement holds for a time, that begins
/// anew. Should whoever has it be removed, it is the next one's who took it too.
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/acknowledge", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = Nothing,
    responses((status = 200, body = IncidentSummary), (status = 404), (status = 409)))]
pub(crate) async fn acknowledge(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    let by = caller.person()?;
    app.ask(
        &caller.actor,
        Ask::Respond(RespondAsk::Acknowledge { incident, by }),
    )
    .await?;
    summary_of(&app, incident).map(Json)
}

/// A closing word.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveRequest {
    /// Kept as a note.
    #[schema(max_length = 4000)]
    note: Option<String>,
}

/// End an incident
///
/// What a monitor sees failing cannot be ended by hand: it resolves by itself once it has recovered.
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/resolve", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = ResolveRequest,
    responses((status = 200, body = IncidentSummary), (status = 404), (status = 409)))]
pub(crate) async fn resolve(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<ResolveRequest>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    let note = request.note.filter(|note| !shows_nothing(note));
    app.ask(
        &caller.actor,
        Ask::Respond(RespondAsk::Resolve { incident, note }),
    )
    .await?;
    summary_of(&app, incident).map(Json)
}

/// A note.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteRequest {
    /// 1 to 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}

/// Write something down
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/notes", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = NoteRequest,
    responses((status = 201, body = timeline::TimelineEntry), (status = 400), (status = 404)))]
pub(crate) async fn add_note(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<NoteRequest>,
) -> Result<impl IntoResponse, Problem> {
    let incident = find(&app, &id)?;
    let event = noted(&app, &caller.actor, incident, request.text).await?;
    let entry = app.read(|state| timeline::entry(&event, &timeline::Names(state)));
    Ok((StatusCode::CREATED, Json(entry)))
}

/// Writes something down about an incident, whoever asks for it in whatever words.
pub(crate) async fn noted(
    app: &App,
    actor: &Actor,
    incident: IncidentId,
    text: String,
) -> Result<Event, Problem> {
    kept(app, actor, RespondAsk::noted(incident, text)).await
}

/// The event by which a note is kept.
async fn kept(app: &App, actor: &Actor, note: RespondAsk) -> Result<Event, Problem> {
    let done = app.ask(actor, Ask::Respond(note)).await?;
    let is_note = |event: &&Event| {
        let what = event.body.incident_part();
        matches!(what, Some(IncidentWhat::NoteAdded { .. }))
    };
    let event = done.events().iter().find(is_note).cloned();
    event.ok_or_else(|| Problem::internal("the note was kept but not found"))
}

/// How an incident stands.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusUpdateRequest {
    /// 1 to 3900 characters.
    #[schema(min_length = 1, max_length = 3900)]
    message: String,
}

/// Tell how an incident stands
///
/// It is kept as a note, and told to the webhook subscriptions that want `incident.status_update_published`.
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/status-updates", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = StatusUpdateRequest,
    responses((status = 201, body = timeline::TimelineEntry), (status = 400), (status = 404)))]
pub(crate) async fn send_status_update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<StatusUpdateRequest>,
) -> Result<impl IntoResponse, Problem> {
    let incident = find(&app, &id)?;
    let message = request.message.trim();
    let is_long = message.chars().count() > STATUS_UPDATE_CHARS_MAX;
    if is_long || shows_nothing(message) {
        let why = format!("message: 1 to {STATUS_UPDATE_CHARS_MAX} characters");
        return Err(Problem::bad(why));
    }
    let event = status_updated(&app, &caller.actor, incident, message).await?;
    let entry = app.read(|state| timeline::entry(&event, &timeline::Names(state)));
    Ok((StatusCode::CREATED, Json(entry)))
}

/// Tells how an incident stands, whoever does so in whatever words.
pub(crate) async fn status_updated(
    app: &App,
    actor: &Actor,
    incident: IncidentId,
    message: &str,
) -> Result<Event, Problem> {
    let update = RespondAsk::Note {
        incident,
        text: format!("{STATUS_UPDATE}{message}"),
        update: true,
    };
    kept(app, actor, update).await
}

/// An incident that a person declares.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclareRequest {
    /// What fails, in one line.
    #[schema(min_length = 1, max_length = 1024)]
    title: String,
    /// The default service when none is named.
    #[schema(value_type = Option<Id>)]
    service_id: Option<String>,
    /// High when none is named.
    urgency: Option<Urgency>,
    /// More about it, which its alert shows: 1 to 4000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    summary: Option<String>,
    /// How important it is, by a name of the installation's list.
    priority: Option<String>,
    /// Ids of the people to whom it goes instead of to the service's policy.
    #[serde(default)]
    #[schema(value_type = Vec<Id>, max_items = 50)]
    people: Vec<String>,
    /// Or the policy that is followed instead of the service's.
    #[schema(value_type = Option<Id>)]
    policy_id: Option<String>,
    /// A key that no other open incident of the service has, however it was opened; made here when none is given.
    key: Option<String>,
}

/// Declare an incident by hand
#[utoipa::path(post, path = "/api/tocsin/v1/incidents", tag = "incidents", request_body = DeclareRequest,
    responses((status = 201, body = IncidentSummary), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn declare(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<DeclareRequest>,
) -> Result<impl IntoResponse, Problem> {
    let service = match request.service_id {
        None => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| Problem::bad("service_id: not an id of a service"))?,
        ),
    };
    let urgency = request.urgency.map_or(people::Urgency::High, Into::into);
    let ask = RespondAsk::Declare {
        title: request.title,
        service,
        urgency,
        more: Box::new(Declared {
            key: request.key,
            summary: request.summary,
            to: respond::assigned(&request.people, request.policy_id)?,
            priority: request.priority,
        }),
    };
    let done = app.ask(&caller.actor, Ask::Respond(ask)).await?;
    let id = incident_in(&done)
        .ok_or_else(|| Problem::internal("the incident was opened but not found"))?;
    summary_of(&app, id).map(|summary| (StatusCode::CREATED, Json(summary)))
}

/// The incident that a decision was about.
pub(crate) fn incident_in(done: &Done) -> Option<IncidentId> {
    done.events().iter().find_map(|event| event.body.incident())
}

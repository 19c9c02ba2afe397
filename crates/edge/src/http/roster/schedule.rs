//! Schedules: whose turn it is.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::RosterEvent;
use tocsin_domain::id::ScheduleId;
use tocsin_domain::oncall::{self, WholeSchedule};
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::changed::{Override, Swap, Temporary, overrides, swaps, temporary};
use super::layer::{self, Layer, Reading};
use super::rota::{Names, Shift};
use super::{given_to, lost, set_in};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::shape::{Id, Instant, Named, id_or_null};

/// A schedule to add or to put in another's place. What was changed of that by hand stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleRequest {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// IANA name (`Europe/Paris`).
    time_zone: String,
    /// Rotations; a later one takes the place of an earlier one wherever it has somebody.
    #[serde(default)]
    #[schema(max_items = 20)]
    layers: Option<Vec<Layer>>,
    /// The only rotation: short for `layers` with one.
    #[serde(default)]
    layer: Option<Layer>,
    /// What it is for, at most 1024 characters. Left out, what was said before stays.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// What its layers are called, in their order. Left out, as many layers as before keep what they were called.
    #[serde(default)]
    #[schema(max_items = 20)]
    layer_names: Option<Vec<String>>,
    /// The team that it belongs to, null for none. Left out, it stays as it was.
    #[serde(default, deserialize_with = "id_or_null")]
    #[schema(value_type = Option<Id>)]
    team_id: Option<Option<String>>,
}

/// A schedule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Schedule {
    id: String,
    name: String,
    /// What it is for; may be empty.
    description: String,
    /// The team that it was given to; null: none.
    team_id: Option<String>,
    time_zone: String,
    /// Rotations; a later one takes the place of an earlier one wherever it has somebody.
    layers: Vec<Layer>,
    /// The first of them.
    layer: Layer,
    /// What the layers are called, in their order, as far as somebody called them something.
    layer_names: Vec<String>,
    /// Fixed shifts over the layers that are not over yet.
    temporary: Vec<Temporary>,
    /// Exchanges over all that, offered or agreed, that are not over yet.
    swaps: Vec<Swap>,
    /// Over everything; those that are not over yet.
    overrides: Vec<Override>,
    /// Everybody it names.
    people: Vec<Named>,
    on_call_now: Option<Named>,
    /// When another person, or nobody, takes over; null: not within 400 days.
    next_handoff_at: Option<Instant>,
    /// The first shift from then on.
    next: Option<Shift>,
}

fn shown(known: &oncall::Schedule, names: &Names, now: Timestamp) -> Schedule {
    let duty = known.duty_at(now);
    let layers: Vec<Layer> = known.layers.iter().map(layer::shown).collect();
    Schedule {
        id: known.id.to_string(),
        name: known.name.clone(),
        description: known.description.clone(),
        team_id: known.given_to.map(|team| team.to_string()),
        time_zone: known.time_zone.clone(),
        layer_names: known.layer_names.clone(),
        layer: layers.first().cloned().unwrap_or_else(|| nobodys(now)),
        layers,
        temporary: temporary(known, names, now),
        swaps: swaps(known, names, now),
        overrides: overrides(known, names, now),
        people: known
            .people()
            .into_iter()
            .map(|user| names.named(user))
            .collect(),
        on_call_now: duty.shift.map(|shift| names.named(shift.user)),
        next_handoff_at: duty.until.map(Instant),
        next: duty.next.map(|shift| Shift::of(&shift, names)),
    }
}

/// What a schedule without a layer says.
fn nobodys(now: Timestamp) -> Layer {
    let turn = oncall::Turn {
        every: 1,
        unit: oncall::TurnUnit::Weeks,
    };
    layer::shown(&oncall::Layer::rotation(now, turn, Vec::new()))
}

/// The schedule of a path, with the names of whom it names.
pub(crate) fn found(app: &App, id: &str) -> Result<(oncall::Schedule, Names), Problem> {
    let id = id_in(id)?;
    let found = app.read(|state| {
        let known = state.schedules.get(&id)?;
        Some((known.clone(), Names::of(state, known.people())))
    });
    found.ok_or_else(|| missing(id.as_str()))
}

/// The id in a path.
pub(crate) fn id_in(id: &str) -> Result<ScheduleId, Problem> {
    id.parse().map_err(|_| missing(id))
}

fn missing(id: &str) -> Problem {
    Problem::not_found(&format!("schedule {id}"))
}

/// The schedule as it is after a change, for the answer.
pub(crate) async fn shown_now(app: &App, id: ScheduleId) -> Result<Json<Schedule>, Problem> {
    let (known, names) = found(app, id.as_str())?;
    let now = app.now();
    app.rendered(move || Ok(Json(shown(&known, &names, now))))
        .await
}

/// Schedules
#[utoipa::path(get, path = "/api/tocsin/v1/schedules", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<Schedule>)))]
pub(crate) async fn list_schedules(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<Schedule>>, Problem> {
    let now = app.now();
    let mut all: Vec<(String, oncall::Schedule)> = app.read(|state| {
        let known = state.schedules.values();
        known.map(|one| (one.id.to_string(), one.clone())).collect()
    });
    all.sort_by(|one, other| (&one.1.name, &one.0).cmp(&(&other.1.name, &other.0)));
    let page = page.cut(all, |one| one.0.as_str())?;
    let people = page.items.iter().flat_map(|one| one.1.people()).collect();
    let names = app.read(|state| Names::of(state, people));
    app.rendered(move || {
        let items = page.items.iter();
        Ok(Json(Page {
            items: items.map(|one| shown(&one.1, &names, now)).collect(),
            next_cursor: page.next_cursor,
        }))
    })
    .await
}

/// One schedule
#[utoipa::path(get, path = "/api/tocsin/v1/schedules/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = Schedule), (status = 404)))]
pub(crate) async fn get_schedule(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Schedule>, Problem> {
    shown_now(&app, id_in(&id)?).await
}

/// The layers of a request, which says them in one of two ways.
pub(crate) fn layers_of(
    layers: Option<&[Layer]>,
    layer: Option<&Layer>,
) -> Result<Vec<oncall::Layer>, Problem> {
    let mut reading = Reading::begin();
    let read = match (layers, layer) {
        (Some(layers), None) => {
            let each = layers.iter().enumerate();
            each.map(|(index, one)| reading.layer(&format!("layers[{index}]"), one))
                .collect()
        }
        (None, Some(layer)) => vec![reading.layer("layer", layer)],
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::bad("layers: say either layers or layer"));
        }
    };
    if reading.reasons.is_empty() {
        Ok(read)
    } else {
        Err(Problem::invalid(reading.reasons))
    }
}

async fn set_schedule(
    app: &App,
    caller: &Caller,
    id: Option<String>,
    request: ScheduleRequest,
) -> Result<Json<Schedule>, Problem> {
    let id = id.map(|id| id_in(&id)).transpose()?;
    let ask = RosterAsk::SetWholeSchedule(Box::new(WholeSchedule {
        id,
        name: request.name,
        time_zone: request.time_zone,
        layers: layers_of(request.layers.as_deref(), request.layer.as_ref())?,
        description: request.description,
        layer_names: request.layer_names,
        given_to: given_to(request.team_id)?,
        layer_numbers: None,
    }));
    let RosterEvent::ScheduleSet { schedule: known } = set_in(app, caller, ask).await? else {
        return Err(lost());
    };
    shown_now(app, known.id).await
}

/// Add a schedule
#[utoipa::path(post, path = "/api/tocsin/v1/schedules", tag = "oncall", request_body = ScheduleRequest,
    responses((status = 201, body = Schedule), (status = 400)))]
pub(crate) async fn add_schedule(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<ScheduleRequest>,
) -> Result<impl IntoResponse, Problem> {
    set_schedule(&app, &caller, None, request)
        .await
        .map(|set| (StatusCode::CREATED, set))
}

/// Replace a schedule; what was changed of it by hand stays
#[utoipa::path(put, path = "/api/tocsin/v1/schedules/{id}", tag = "oncall", params(("id" = String, Path)),
    request_body = ScheduleRequest, responses((status = 200, body = Schedule), (status = 400), (status = 404)))]
pub(crate) async fn replace_schedule(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<ScheduleRequest>,
) -> Result<Json<Schedule>, Problem> {
    set_schedule(&app, &caller, Some(id), request).await
}

/// Remove a schedule that no policy names
#[utoipa::path(delete, path = "/api/tocsin/v1/schedules/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_schedule(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let ask = RosterAsk::RemoveSchedule(id_in(&id)?);
    app.ask(&caller.actor, Ask::Roster(ask)).await?;
    Ok(StatusCode::NO_CONTENT)
}

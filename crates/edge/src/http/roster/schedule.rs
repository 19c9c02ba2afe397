//! Schedules: whose turn it is.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::RosterEvent;
use tocsin_domain::oncall;
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::{lost, set_in};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::shape::{Instant, Named, named_user};

/// What turns are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TurnUnit {
    /// Hours of the civil clock.
    Hours,
    /// Days.
    Days,
    /// Weeks.
    Weeks,
}

/// Length of a turn.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Turn {
    /// At least 1.
    every: u32,
    unit: TurnUnit,
}

/// People who take turns.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layer {
    /// When the first turn begins; its time of day is the hand-off time.
    start: Instant,
    turn: Turn,
    /// Ids of people, in order.
    members: Vec<String>,
}

/// A schedule to add or to put in another's place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleRequest {
    name: String,
    /// IANA name (`Europe/Paris`).
    time_zone: String,
    layer: Layer,
}

/// A schedule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Schedule {
    id: String,
    name: String,
    time_zone: String,
    layer: Layer,
    on_call_now: Option<Named>,
    next_handoff_at: Option<Instant>,
}

fn schedule(state: &state::State, known: &oncall::Schedule, now: Timestamp) -> Schedule {
    let shift = known.shift_at(now);
    Schedule {
        id: known.id.to_string(),
        name: known.name.clone(),
        time_zone: known.time_zone.clone(),
        layer: known.layers.first().map_or_else(|| nobodys(now), rotation),
        on_call_now: shift.map(|shift| named_user(state, shift.user)),
        next_handoff_at: shift.map(|shift| Instant(shift.until)),
    }
}

fn rotation(layer: &oncall::Layer) -> Layer {
    Layer {
        start: Instant(layer.start),
        turn: Turn {
            every: layer.every,
            unit: match layer.unit {
                oncall::TurnUnit::Hours => TurnUnit::Hours,
                oncall::TurnUnit::Days => TurnUnit::Days,
                oncall::TurnUnit::Weeks => TurnUnit::Weeks,
            },
        },
        members: layer.members.iter().map(ToString::to_string).collect(),
    }
}

/// What a schedule without a layer says.
fn nobodys(now: Timestamp) -> Layer {
    Layer {
        start: Instant(now),
        turn: Turn {
            every: 1,
            unit: TurnUnit::Weeks,
        },
        members: Vec::new(),
    }
}

fn layer_of(layer: &Layer) -> Result<oncall::Layer, Problem> {
    let mut members = Vec::new();
    let mut reasons = Vec::new();
    for (index, member) in layer.members.iter().enumerate() {
        match member.parse() {
            Ok(member) => members.push(member),
            Err(_) => reasons.push(format!("layer.members[{index}]: not an id of a person")),
        }
    }
    if !reasons.is_empty() {
        return Err(Problem::invalid(reasons));
    }
    let unit = match layer.turn.unit {
        TurnUnit::Hours => oncall::TurnUnit::Hours,
        TurnUnit::Days => oncall::TurnUnit::Days,
        TurnUnit::Weeks => oncall::TurnUnit::Weeks,
    };
    let every = layer.turn.every;
    Ok(oncall::Layer::rotation(
        layer.start.0,
        oncall::Turn { every, unit },
        members,
    ))
}

/// Schedules
#[utoipa::path(get, path = "/api/tocsin/v1/schedules", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<Schedule>)))]
pub(crate) async fn list_schedules(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<Schedule>>, Problem> {
    let now = app.now();
    let mut all: Vec<Schedule> = app.read(|state| {
        state
            .schedules
            .values()
            .map(|known| schedule(state, known, now))
            .collect()
    });
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    page.cut(all, |one| one.id.as_str()).map(Json)
}

async fn set_schedule(
    app: &App,
    caller: &Caller,
    id: Option<String>,
    request: ScheduleRequest,
) -> Result<Json<Schedule>, Problem> {
    let id = id
        .map(|id| {
            id.parse()
                .map_err(|_| Problem::not_found(&format!("schedule {id}")))
        })
        .transpose()?;
    let layer = layer_of(&request.layer)?;
    let ask = RosterAsk::SetSchedule {
        id,
        name: request.name,
        time_zone: request.time_zone,
        layer,
    };
    let now = app.now();
    let RosterEvent::ScheduleSet { schedule: known } = set_in(app, caller, ask).await? else {
        return Err(lost());
    };
    Ok(Json(app.read(|state| schedule(state, &known, now))))
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

/// Replace a schedule
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
    let schedule = id
        .parse()
        .map_err(|_| Problem::not_found(&format!("schedule {id}")))?;
    app.ask(
        &caller.actor,
        Ask::Roster(RosterAsk::RemoveSchedule(schedule)),
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

//! What people change of a schedule by hand: overrides, temporary shifts, swaps. Responders add and remove overrides and take
//! part in swaps of their own; temporary shifts, and swaps between others, are for administrators.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use tocsin_domain::command::RosterAsk;
use tocsin_domain::event::RosterEvent;
use tocsin_domain::id::{ScheduleId, SwapId, UserId};
use tocsin_domain::oncall::{Change, Span, SwapSide};
use tocsin_domain::oncall_command::{ChangeAsk, OncallAsk};
use tocsin_domain::oncall_event::OncallEvent;
use tocsin_domain::people::Role;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::changed::{Override, Swap, Temporary, overrides, overrides_between, swaps, temporary};
use super::layer::{Reading, Turn, turn_of};
use super::rota::instant;
use super::schedule::{Schedule, found, id_in, shown_now};
use super::{lost, set_in};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::shape::{Id, Instant};

/// One person for a span, whoever else would be on call.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverrideRequest {
    #[schema(value_type = Id)]
    pub(crate) user_id: String,
    /// From when on; now when not given. What is past is left out.
    #[serde(default)]
    from: Option<Instant>,
    /// The first instant after it.
    until: Instant,
}

impl OverrideRequest {
    pub(crate) fn span(&self, now: Timestamp) -> Span {
        Span::new(self.from.map_or(now, |from| from.0), self.until.0)
    }
}

/// Fixed shifts for a span, in place of the layers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TemporaryRequest {
    from: Instant,
    /// The first instant after it.
    until: Instant,
    /// Ids of people, in order.
    #[schema(value_type = Vec<Id>, min_items = 1, max_items = 200)]
    pub(crate) members: Vec<String>,
    /// How long each of them has; null: one person has the whole span.
    #[serde(default)]
    pub(crate) turn: Option<Turn>,
}

impl TemporaryRequest {
    pub(crate) fn span(&self) -> Span {
        Span::new(self.from.0, self.until.0)
    }
}

/// What one person would give.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwapGive {
    #[schema(value_type = Id)]
    user_id: String,
    /// Their time on call within this span.
    from: Instant,
    /// The first instant after it.
    until: Instant,
}

/// Two people exchange what each has in a span.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwapRequest {
    one: SwapGive,
    other: SwapGive,
}

/// Changes a schedule by hand and gives what was changed of it.
pub(crate) async fn changed(
    app: &App,
    caller: &Caller,
    schedule: ScheduleId,
    ask: ChangeAsk,
) -> Result<Change, Problem> {
    let ask = RosterAsk::Oncall(OncallAsk::Change { schedule, ask });
    match set_in(app, caller, ask).await? {
        RosterEvent::Oncall {
            what: OncallEvent::ScheduleChanged { change, .. },
        } => Ok(change),
        RosterEvent::Oncall { .. }
        | RosterEvent::ScheduleSet { .. }
        | RosterEvent::ScheduleRemoved { .. }
        | RosterEvent::PolicySet { .. }
        | RosterEvent::PolicyRemoved { .. }
        | RosterEvent::ServiceSet { .. }
        | RosterEvent::ServiceRemoved { .. }
        | RosterEvent::IntegrationAdded { .. }
        | RosterEvent::IntegrationChanged { .. }
        | RosterEvent::IntegrationRemoved { .. }
        | RosterEvent::TeamSet { .. }
        | RosterEvent::TeamRemoved { .. }
        | RosterEvent::Intake(_)
        | RosterEvent::Webhook(_)
        | RosterEvent::Tag(_)
        | RosterEvent::Business(_) => Err(lost()),
    }
}

/// The thing of this id in a list that was just made.
fn of_id<T>(all: Vec<T>, is_it: impl Fn(&T) -> bool) -> Result<(StatusCode, Json<T>), Problem> {
    let found = all.into_iter().find(is_it).ok_or_else(lost)?;
    Ok((StatusCode::CREATED, Json(found)))
}

fn read_person(field: &str, text: &str) -> Result<UserId, Problem> {
    let mut reading = Reading::begin();
    let found = reading.person(field, text);
    found.ok_or_else(|| Problem::invalid(reading.reasons))
}

fn id_of<T: std::str::FromStr>(text: &str, noun: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|_| Problem::not_found(&format!("{noun} {text}")))
}

/// Which overrides of a schedule.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OverrideQuery {
    /// Those that are not over then (RFC 3339); now when not given. Of what is past, the newest are remembered.
    #[param(format = DateTime)]
    since: Option<String>,
    /// And begin before this; whenever they begin when not given.
    #[param(format = DateTime)]
    until: Option<String>,
    /// Items wanted, 1 to 200; 50 when not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Overrides of a schedule, in the order in which they begin
#[utoipa::path(get, path = "/api/tocsin/v1/schedules/{id}/overrides", tag = "oncall",
    params(("id" = String, Path), OverrideQuery), responses((status = 200, body = Page<Override>), (status = 404)))]
pub(crate) async fn list_overrides(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(query): Params<OverrideQuery>,
) -> Result<Json<Page<Override>>, Problem> {
    let mut reasons = Vec::new();
    let since = instant("since", query.since.as_deref(), &mut reasons);
    let until = instant("until", query.until.as_deref(), &mut reasons);
    if !reasons.is_empty() {
        return Err(Problem::invalid(reasons));
    }
    let since = since.unwrap_or_else(|| app.now());
    if until.is_some_and(|until| until <= since) {
        return Err(Problem::bad("until: must be later than since"));
    }
    let (known, names) = found(&app, &id)?;
    let page = PageQuery {
        limit: query.limit,
        cursor: query.cursor,
    };
    let all = overrides_between(&known, &names, since, until);
    page.cut(all, |one| one.id.as_str()).map(Json)
}

/// Put one person on call for a span
#[utoipa::path(post, path = "/api/tocsin/v1/schedules/{id}/overrides", tag = "oncall", params(("id" = String, Path)),
    request_body = OverrideRequest, responses((status = 201, body = Override), (status = 400), (status = 404)))]
pub(crate) async fn add_override(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<OverrideRequest>,
) -> Result<impl IntoResponse, Problem> {
    let schedule = id_in(&id)?;
    let ask = ChangeAsk::AddOverride {
        user: read_person("user_id", &request.user_id)?,
        span: request.span(app.now()),
    };
    let Change::OverrideAdded { added } = changed(&app, &caller, schedule, ask).await? else {
        return Err(lost());
    };
    let (known, names) = found(&app, &id)?;
    let id = added.id.to_string();
    of_id(overrides(&known, &names, app.now()), |one| one.id == id)
}

/// Take an override back; one that has begun ends now
#[utoipa::path(delete, path = "/api/tocsin/v1/schedules/{id}/overrides/{override_id}", tag = "oncall",
    params(("id" = String, Path), ("override_id" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_override(
    State(app): State<App>,
    caller: Caller,
    Path((id, override_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let schedule = id_in(&id)?;
    let ask = ChangeAsk::RemoveOverride(id_of(&override_id, "override")?);
    changed(&app, &caller, schedule, ask).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Put fixed shifts in place of the layers for a span
#[utoipa::path(post, path = "/api/tocsin/v1/schedules/{id}/temporary", tag = "oncall", params(("id" = String, Path)),
    request_body = TemporaryRequest, responses((status = 201, body = Temporary), (status = 400), (status = 404)))]
pub(crate) async fn add_temporary(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<TemporaryRequest>,
) -> Result<impl IntoResponse, Problem> {
    let schedule = id_in(&id)?;
    let mut reading = Reading::begin();
    let members = reading.people("members", &request.members);
    if !reading.reasons.is_empty() {
        return Err(Problem::invalid(reading.reasons));
    }
    let ask = ChangeAsk::AddTemporary {
        span: request.span(),
        members,
        turn: request.turn.map(turn_of),
    };
    let Change::TemporaryAdded { added } = changed(&app, &caller, schedule, ask).await? else {
        return Err(lost());
    };
    let (known, names) = found(&app, &id)?;
    let id = added.id.to_string();
    of_id(temporary(&known, &names, app.now()), |one| one.id == id)
}

/// Take a temporary shift back; one that has begun ends now
#[utoipa::path(delete, path = "/api/tocsin/v1/schedules/{id}/temporary/{temporary_id}", tag = "oncall",
    params(("id" = String, Path), ("temporary_id" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_temporary(
    State(app): State<App>,
    caller: Caller,
    Path((id, temporary_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let schedule = id_in(&id)?;
    let ask = ChangeAsk::RemoveTemporary(id_of(&temporary_id, "temporary shift")?);
    changed(&app, &caller, schedule, ask).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Offer to exchange shifts, as one of the two; an administrator who is neither makes the swap for both at once
#[utoipa::path(post, path = "/api/tocsin/v1/schedules/{id}/swaps", tag = "oncall", params(("id" = String, Path)),
    request_body = SwapRequest,
    responses((status = 201, body = Swap), (status = 400), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn propose_swap(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<SwapRequest>,
) -> Result<impl IntoResponse, Problem> {
    let schedule = id_in(&id)?;
    let side = |field: &str, give: &SwapGive| {
        Ok::<_, Problem>(SwapSide {
            user: read_person(&format!("{field}.user_id"), &give.user_id)?,
            span: Span::new(give.from.0, give.until.0),
        })
    };
    let (one, other) = (side("one", &request.one)?, side("other", &request.other)?);
    let is_theirs = [Some(one.user), Some(other.user)].contains(&caller.user);
    let by = if caller.role == Role::Admin && !is_theirs {
        None
    } else {
        Some(caller.person()?)
    };
    let ask = ChangeAsk::ProposeSwap { one, other, by };
    let made = match changed(&app, &caller, schedule, ask).await? {
        Change::SwapProposed { proposal } => proposal.swap.id,
        Change::SwapMade { swap } => swap.id,
        Change::OverrideAdded { .. }
        | Change::OverrideRemoved { .. }
        | Change::OverrideEnded { .. }
        | Change::TemporaryAdded { .. }
        | Change::TemporaryRemoved { .. }
        | Change::TemporaryEnded { .. }
        | Change::SwapAccepted { .. }
        | Change::SwapDeclined { .. }
        | Change::SwapWithdrawn { .. }
        | Change::SwapUndone { .. } => return Err(lost()),
    };
    let (known, names) = found(&app, &id)?;
    let (made, now) = (made.to_string(), app.now());
    app.rendered(move || of_id(swaps(&known, &names, now), |one| one.id == made))
        .await
}

/// Who answers an offer: oneself, or an administrator in anybody's place.
fn in_whose_name(caller: &Caller) -> Result<Option<UserId>, Problem> {
    if caller.role == Role::Admin {
        Ok(None)
    } else {
        caller.person().map(Some)
    }
}

async fn answered(
    app: &App,
    caller: &Caller,
    (id, swap): (String, String),
    ask: impl FnOnce(SwapId, Option<UserId>) -> ChangeAsk,
) -> Result<Json<Schedule>, Problem> {
    let schedule = id_in(&id)?;
    let ask = ask(id_of(&swap, "swap")?, in_whose_name(caller)?);
    changed(app, caller, schedule, ask).await?;
    shown_now(app, schedule).await
}

/// Take an offered swap, as the one to whom it was offered
#[utoipa::path(post, path = "/api/tocsin/v1/schedules/{id}/swaps/{swap_id}/accept", tag = "oncall",
    params(("id" = String, Path), ("swap_id" = String, Path)),
    responses((status = 200, body = Schedule), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn accept_swap(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<(String, String)>,
) -> Result<Json<Schedule>, Problem> {
    answered(&app, &caller, path, |swap, by| ChangeAsk::AcceptSwap {
        swap,
        by,
    })
    .await
}

/// Do not take an offered swap
#[utoipa::path(post, path = "/api/tocsin/v1/schedules/{id}/swaps/{swap_id}/decline", tag = "oncall",
    params(("id" = String, Path), ("swap_id" = String, Path)),
    responses((status = 200, body = Schedule), (status = 403), (status = 404)))]
pub(crate) async fn decline_swap(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<(String, String)>,
) -> Result<Json<Schedule>, Problem> {
    answered(&app, &caller, path, |swap, by| ChangeAsk::DeclineSwap {
        swap,
        by,
    })
    .await
}

/// Take the offer of a swap back; an administrator also takes back what was agreed, while it has not begun
#[utoipa::path(post, path = "/api/tocsin/v1/schedules/{id}/swaps/{swap_id}/withdraw", tag = "oncall",
    params(("id" = String, Path), ("swap_id" = String, Path)),
    responses((status = 200, body = Schedule), (status = 403), (status = 404), (status = 409)))]
pub(crate) async fn withdraw_swap(
    State(app): State<App>,
    caller: Caller,
    Path(path): Path<(String, String)>,
) -> Result<Json<Schedule>, Problem> {
    answered(&app, &caller, path, |swap, by| ChangeAsk::WithdrawSwap {
        swap,
        by,
    })
    .await
}

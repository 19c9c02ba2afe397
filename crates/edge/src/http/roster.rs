//! Schedules, escalation policies, services and their integrations. What they may hold is decided elsewhere.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::{EventBody, RosterEvent};
use tocsin_domain::oncall;
use tocsin_domain::page::{self, Recipient};
use tocsin_domain::service;
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use utoipa::ToSchema;

use super::body::{Json as Body, Params};
use super::oncall::RecipientKind;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::shape::{Instant, Named, named_user};
use crate::access::who::Caller;
use crate::app::App;
use crate::secret;

const MS_PER_MINUTE: u64 = 60_000;
/// Length of a routing key; PagerDuty's clients demand it.
const ROUTING_KEY_CHARS: usize = 32;

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
        layer: Layer {
            start: Instant(known.layer.start),
            turn: Turn {
                every: known.layer.every,
                unit: match known.layer.unit {
                    oncall::TurnUnit::Hours => TurnUnit::Hours,
                    oncall::TurnUnit::Days => TurnUnit::Days,
                    oncall::TurnUnit::Weeks => TurnUnit::Weeks,
                },
            },
            members: known.layer.members.iter().map(ToString::to_string).collect(),
        },
        on_call_now: shift.map(|shift| named_user(state, shift.user)),
        next_handoff_at: shift.map(|shift| Instant(shift.until)),
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
    Ok(oncall::Layer { start: layer.start.0, every: layer.turn.every, unit, members })
}

/// Schedules
#[utoipa::path(get, path = "/api/tocsin/v1/schedules", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<Schedule>)))]
pub(crate) async fn list_schedules(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<Schedule>>, Problem> {
    let now = app.now();
    let mut all: Vec<Schedule> =
        app.read(|state| state.schedules.values().map(|known| schedule(state, known, now)).collect());
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    page.cut(all, |one| one.id.as_str()).map(Json)
}

async fn set_schedule(
    app: &App,
    caller: &Caller,
    id: Option<String>,
    request: ScheduleRequest,
) -> Result<Json<Schedule>, Problem> {
    let id = id.map(|id| id.parse().map_err(|_| Problem::not_found(&format!("schedule {id}")))).transpose()?;
    let layer = layer_of(&request.layer)?;
    let ask = RosterAsk::SetSchedule { id, name: request.name, time_zone: request.time_zone, layer };
    let now = app.now();
    let set = set_in(app, caller, ask).await?;
    match set {
        RosterEvent::ScheduleSet { schedule: known } => Ok(Json(app.read(|state| schedule(state, &known, now)))),
        other => Err(unexpected(&other)),
    }
}

/// Asks the core and gives the event about the roster that came of it.
async fn set_in(app: &App, caller: &Caller, ask: RosterAsk) -> Result<RosterEvent, Problem> {
    let done = app.ask(&caller.actor, Ask::Roster(ask)).await?;
    let event = done.events.into_iter().find_map(|event| match event.body {
        EventBody::Roster(event) => Some(event),
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    });
    event.ok_or_else(|| Problem::internal("the change was kept but not found"))
}

fn unexpected(event: &RosterEvent) -> Problem {
    tracing::error!(?event, "another event than the one asked for");
    Problem::internal("the change was kept but not found")
}

/// Add a schedule
#[utoipa::path(post, path = "/api/tocsin/v1/schedules", tag = "oncall", request_body = ScheduleRequest,
    responses((status = 201, body = Schedule), (status = 400)))]
pub(crate) async fn add_schedule(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<ScheduleRequest>,
) -> Result<impl IntoResponse, Problem> {
    set_schedule(&app, &caller, None, request).await.map(|set| (StatusCode::CREATED, set))
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
    let schedule = id.parse().map_err(|_| Problem::not_found(&format!("schedule {id}")))?;
    app.ask(&caller.actor, Ask::Roster(RosterAsk::RemoveSchedule(schedule))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A person, or whoever is on call.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyTarget {
    kind: RecipientKind,
    id: String,
}

/// One step of a policy.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyLevel {
    /// How long this level has for an acknowledgement, at most a day; fractions count.
    delay_minutes: f64,
    targets: Vec<PolicyTarget>,
}

/// A policy to add or to put in another's place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyRequest {
    name: String,
    /// How often the levels are walked through again, 0 to 9.
    repeat: u32,
    levels: Vec<PolicyLevel>,
}

/// An escalation policy.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EscalationPolicy {
    id: String,
    name: String,
    repeat: u32,
    levels: Vec<PolicyLevel>,
}

fn policy(known: &page::Policy) -> EscalationPolicy {
    let target = |to: &Recipient| match to {
        Recipient::User(id) => PolicyTarget { kind: RecipientKind::User, id: id.to_string() },
        Recipient::Schedule(id) => PolicyTarget { kind: RecipientKind::Schedule, id: id.to_string() },
    };
    let level = |level: &page::Level| PolicyLevel {
        delay_minutes: minutes(level.delay_ms),
        targets: level.targets.iter().map(target).collect(),
    };
    EscalationPolicy {
        id: known.id.to_string(),
        name: known.name.clone(),
        repeat: known.repeat,
        levels: known.levels.iter().map(level).collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a delay is a day at most")]
fn minutes(ms: u64) -> f64 {
    ms as f64 / MS_PER_MINUTE as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie between 0 and a day")]
#[expect(clippy::cast_precision_loss, reason = "a small constant")]
fn milliseconds(minutes: f64) -> Option<u64> {
    (0.0..=1_440.0).contains(&minutes).then(|| (minutes * MS_PER_MINUTE as f64).round() as u64)
}

fn levels_of(levels: &[PolicyLevel]) -> Result<Vec<page::Level>, Problem> {
    let mut reasons = Vec::new();
    let mut made = Vec::new();
    for (index, level) in levels.iter().enumerate() {
        let delay_ms = milliseconds(level.delay_minutes);
        if delay_ms.is_none() {
            reasons.push(format!("levels[{index}].delay_minutes: 0 to 1440"));
        }
        let mut targets = Vec::new();
        for target in &level.targets {
            let recipient = match target.kind {
                RecipientKind::User => target.id.parse().map(Recipient::User),
                RecipientKind::Schedule => target.id.parse().map(Recipient::Schedule),
            };
            match recipient {
                Ok(recipient) => targets.push(recipient),
                Err(_) => reasons.push(format!("levels[{index}].targets: {:?} is not an id", target.id)),
            }
        }
        made.push(page::Level { delay_ms: delay_ms.unwrap_or_default(), targets });
    }
    if reasons.is_empty() { Ok(made) } else { Err(Problem::invalid(reasons)) }
}

/// Escalation policies
#[utoipa::path(get, path = "/api/tocsin/v1/escalation-policies", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<EscalationPolicy>)))]
pub(crate) async fn list_policies(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<EscalationPolicy>>, Problem> {
    let mut all: Vec<EscalationPolicy> = app.read(|state| state.policies.values().map(policy).collect());
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    page.cut(all, |one| one.id.as_str()).map(Json)
}

async fn set_policy(
    app: &App,
    caller: &Caller,
    id: Option<String>,
    request: PolicyRequest,
) -> Result<Json<EscalationPolicy>, Problem> {
    let id = id.map(|id| id.parse().map_err(|_| Problem::not_found(&format!("escalation policy {id}")))).transpose()?;
    let levels = levels_of(&request.levels)?;
    let ask = RosterAsk::SetPolicy { id, name: request.name, levels, repeat: request.repeat };
    match set_in(app, caller, ask).await? {
        RosterEvent::PolicySet { policy: known } => Ok(Json(policy(&known))),
        other => Err(unexpected(&other)),
    }
}

/// Add an escalation policy
#[utoipa::path(post, path = "/api/tocsin/v1/escalation-policies", tag = "oncall", request_body = PolicyRequest,
    responses((status = 201, body = EscalationPolicy), (status = 400)))]
pub(crate) async fn add_policy(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<PolicyRequest>,
) -> Result<impl IntoResponse, Problem> {
    set_policy(&app, &caller, None, request).await.map(|set| (StatusCode::CREATED, set))
}

/// Replace an escalation policy
#[utoipa::path(put, path = "/api/tocsin/v1/escalation-policies/{id}", tag = "oncall", params(("id" = String, Path)),
    request_body = PolicyRequest, responses((status = 200, body = EscalationPolicy), (status = 400), (status = 404)))]
pub(crate) async fn replace_policy(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<PolicyRequest>,
) -> Result<Json<EscalationPolicy>, Problem> {
    set_policy(&app, &caller, Some(id), request).await
}

/// Remove an escalation policy that no service names
#[utoipa::path(delete, path = "/api/tocsin/v1/escalation-policies/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_policy(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let policy = id.parse().map_err(|_| Problem::not_found(&format!("escalation policy {id}")))?;
    app.ask(&caller.actor, Ask::Roster(RosterAsk::RemovePolicy(policy))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An integration; its key is not kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Integration {
    id: String,
    name: String,
}

/// An integration that was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MadeIntegration {
    id: String,
    name: String,
    /// Shown once.
    routing_key: String,
}

/// Something that can fail.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Service {
    id: String,
    name: String,
    /// Null for the policy of the installation.
    escalation_policy_id: Option<String>,
    integrations: Vec<Integration>,
}

fn shown_service(state: &state::State, known: &service::Service) -> Service {
    let own = state.integrations.values().filter(|integration| integration.service == known.id);
    Service {
        id: known.id.to_string(),
        name: known.name.clone(),
        escalation_policy_id: known.policy.map(|policy| policy.to_string()),
        integrations: own.map(|one| Integration { id: one.id.to_string(), name: one.name.clone() }).collect(),
    }
}

/// A service to add or to change.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceRequest {
    name: String,
    /// Null for the policy of the installation.
    escalation_policy_id: Option<String>,
}

/// Services
#[utoipa::path(get, path = "/api/tocsin/v1/services", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<Service>)))]
pub(crate) async fn list_services(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<Service>>, Problem> {
    let mut all: Vec<Service> =
        app.read(|state| state.services.values().map(|known| shown_service(state, known)).collect());
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    page.cut(all, |one| one.id.as_str()).map(Json)
}

async fn set_service(
    app: &App,
    caller: &Caller,
    id: Option<String>,
    request: ServiceRequest,
) -> Result<Json<Service>, Problem> {
    let id = id.map(|id| id.parse().map_err(|_| Problem::not_found(&format!("service {id}")))).transpose()?;
    let wrong = |_| Problem::bad("escalation_policy_id: not an id");
    let policy = request.escalation_policy_id.map(|id| id.parse().map_err(wrong)).transpose()?;
    match set_in(app, caller, RosterAsk::SetService { id, name: request.name, policy }).await? {
        RosterEvent::ServiceSet { service } => Ok(Json(app.read(|state| shown_service(state, &service)))),
        other => Err(unexpected(&other)),
    }
}

/// Add a service
#[utoipa::path(post, path = "/api/tocsin/v1/services", tag = "oncall", request_body = ServiceRequest,
    responses((status = 201, body = Service), (status = 400)))]
pub(crate) async fn add_service(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<ServiceRequest>,
) -> Result<impl IntoResponse, Problem> {
    set_service(&app, &caller, None, request).await.map(|set| (StatusCode::CREATED, set))
}

/// Change a service
#[utoipa::path(put, path = "/api/tocsin/v1/services/{id}", tag = "oncall", params(("id" = String, Path)),
    request_body = ServiceRequest, responses((status = 200, body = Service), (status = 400), (status = 404)))]
pub(crate) async fn replace_service(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<ServiceRequest>,
) -> Result<Json<Service>, Problem> {
    set_service(&app, &caller, Some(id), request).await
}

/// An integration to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntegrationRequest {
    name: String,
}

/// Make a routing key by which a foreign system raises alerts on a service
#[utoipa::path(post, path = "/api/tocsin/v1/services/{id}/integrations", tag = "oncall", params(("id" = String, Path)),
    request_body = IntegrationRequest, responses((status = 201, body = MadeIntegration), (status = 404)))]
pub(crate) async fn add_integration(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<IntegrationRequest>,
) -> Result<impl IntoResponse, Problem> {
    let service = id.parse().map_err(|_| Problem::not_found(&format!("service {id}")))?;
    let key = secret::letters(ROUTING_KEY_CHARS);
    let routing_key = key.map_err(|_| Problem::internal("the system gives no random bytes"))?;
    let key_hash = secret::key_hash(&routing_key);
    let ask = RosterAsk::AddIntegration { service, name: request.name, key_hash };
    match set_in(&app, &caller, ask).await? {
        RosterEvent::IntegrationAdded { integration } => {
            let made = MadeIntegration { id: integration.id.to_string(), name: integration.name, routing_key };
            Ok((StatusCode::CREATED, Json(made)))
        }
        other => Err(unexpected(&other)),
    }
}

/// Remove an integration: its routing key is dead
#[utoipa::path(delete, path = "/api/tocsin/v1/services/{id}/integrations/{integration_id}", tag = "oncall",
    params(("id" = String, Path), ("integration_id" = String, Path)), responses((status = 204), (status = 404)))]
pub(crate) async fn remove_integration(
    State(app): State<App>,
    caller: Caller,
    Path((id, integration_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let missing = || Problem::not_found(&format!("integration {integration_id} of service {id}"));
    let integration = integration_id.parse().map_err(|_| missing())?;
    let of = app.read(|state| state.integrations.get(&integration).map(|one| one.service.to_string()));
    of.filter(|service| *service == id).ok_or_else(missing)?;
    app.ask(&caller.actor, Ask::Roster(RosterAsk::RemoveIntegration(integration))).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! Escalation policies: who is paged, in which order.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::RosterEvent;
use tocsin_domain::id::PolicyId;
use tocsin_domain::page::{self, Recipient, WholePolicy};
use tocsin_domain::state;
use utoipa::ToSchema;

use super::{given_to, lost, set_in};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::named::in_path;
use crate::http::oncall::RecipientKind;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::shape::{Id, id_or_null};

const MS_PER_MINUTE: u64 = 60_000;
/// A day.
const DELAY_MINUTES_MAX: f64 = 1_440.0;
/// Seven days.
pub(super) const TIMEOUT_MINUTES_MAX: f64 = 10_080.0;

/// A person, whoever is on call, or everybody of a team.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyTarget {
    kind: RecipientKind,
    #[schema(value_type = Id)]
    id: String,
}

/// One step of a policy.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyLevel {
    /// How long this level has for an acknowledgement, at most a day; fractions count.
    #[schema(exclusive_minimum = 0, maximum = 1440)]
    delay_minutes: f64,
    /// At least one. A level on which nobody is left, since whoever it named was removed, has none, and may be sent back so.
    #[schema(max_items = 10)]
    targets: Vec<PolicyTarget>,
    /// Page only one of the targets each time an incident reaches the level, in turn.
    #[serde(default)]
    round_robin: bool,
    /// Whoever is paged here must acknowledge in person: one acknowledgement ends that person's pages alone.
    #[serde(default)]
    each_must_acknowledge: bool,
}

/// A policy to add or to put in another's place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyRequest {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// How often the levels are walked through again, 0 to 9.
    #[schema(maximum = 9)]
    repeat: u32,
    #[schema(min_items = 1, max_items = 20)]
    levels: Vec<PolicyLevel>,
    /// How long an acknowledgement holds (1 minute to 7 days): what still fails then is triggered again. For ever
    /// when none.
    #[schema(minimum = 1, maximum = 10080)]
    acknowledgement_timeout_minutes: Option<f64>,
    /// What it is for, at most 1024 characters. Left out, what was said before stays.
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// The team that it belongs to, null for none; so do the services that follow it, and what is opened there. Left out, it stays
    /// as it was.
    #[serde(default, deserialize_with = "id_or_null")]
    #[schema(value_type = Option<Id>)]
    team_id: Option<Option<String>>,
    /// What was read may be sent back: that it is the policy of the installation is said elsewhere, and passed over here.
    #[serde(default, rename = "default")]
    #[schema(ignore)]
    _default: IgnoredAny,
}

/// An escalation policy.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EscalationPolicy {
    id: String,
    name: String,
    repeat: u32,
    levels: Vec<PolicyLevel>,
    /// How long an acknowledgement holds; for ever when none.
    acknowledgement_timeout_minutes: Option<f64>,
    /// What it is for; may be empty.
    description: String,
    /// The team that it was given to; null: none, so that its services are the first team's.
    team_id: Option<String>,
    /// Whether it is the policy of the installation: every service that names none follows it.
    default: bool,
}

fn policy(state: &state::State, known: &page::Policy) -> EscalationPolicy {
    let target = |to: &Recipient| match to {
        Recipient::User(id) => PolicyTarget {
            kind: RecipientKind::User,
            id: id.to_string(),
        },
        Recipient::Schedule(id) => PolicyTarget {
            kind: RecipientKind::Schedule,
            id: id.to_string(),
        },
        Recipient::Team(id) => PolicyTarget {
            kind: RecipientKind::Team,
            id: id.to_string(),
        },
    };
    let level = |level: &page::Level| PolicyLevel {
        delay_minutes: minutes(level.delay_ms),
        targets: level.targets.iter().map(target).collect(),
        round_robin: level.round_robin,
        each_must_acknowledge: level.each_must_acknowledge,
    };
    let default = state.installation.as_ref().map(|all| all.default_policy);
    EscalationPolicy {
        id: known.id.to_string(),
        name: known.name.clone(),
        repeat: known.repeat,
        levels: known.levels.iter().map(level).collect(),
        acknowledgement_timeout_minutes: known.acknowledgement_timeout_ms.map(minutes),
        description: known.description.clone(),
        team_id: known.given_to.map(|team| team.to_string()),
        default: default == Some(known.id),
    }
}

/// So many milliseconds in minutes.
#[expect(clippy::cast_precision_loss, reason = "a delay is seven days at most")]
pub(super) fn minutes(ms: u64) -> f64 {
    ms as f64 / MS_PER_MINUTE as f64
}

/// So many minutes in milliseconds; none when there are more than may be, or fewer than none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to lie between 0 and seven days"
)]
#[expect(clippy::cast_precision_loss, reason = "a small constant")]
pub(super) fn milliseconds(minutes: f64, minutes_max: f64) -> Option<u64> {
    (0.0..=minutes_max)
        .contains(&minutes)
        .then(|| (minutes * MS_PER_MINUTE as f64).round() as u64)
}

fn levels_of(levels: &[PolicyLevel]) -> Result<Vec<page::Level>, Problem> {
    let mut reasons = Vec::new();
    let mut made = Vec::new();
    for (index, level) in levels.iter().enumerate() {
        let delay_ms = milliseconds(level.delay_minutes, DELAY_MINUTES_MAX);
        if delay_ms.is_none() {
            reasons.push(format!("levels[{index}].delay_minutes: 0 to 1440"));
        }
        let mut targets = Vec::new();
        for target in &level.targets {
            let recipient = match target.kind {
                RecipientKind::User => target.id.parse().map(Recipient::User),
                RecipientKind::Schedule => target.id.parse().map(Recipient::Schedule),
                RecipientKind::Team => target.id.parse().map(Recipient::Team),
            };
            match recipient {
                Ok(recipient) => targets.push(recipient),
                Err(_) => reasons.push(format!(
                    "levels[{index}].targets: {:?} is not an id",
                    target.id
                )),
            }
        }
        made.push(page::Level {
            delay_ms: delay_ms.unwrap_or_default(),
            targets,
            round_robin: level.round_robin,
            each_must_acknowledge: level.each_must_acknowledge,
        });
    }
    if reasons.is_empty() {
        Ok(made)
    } else {
        Err(Problem::invalid(reasons))
    }
}

/// Escalation policies
#[utoipa::path(get, path = "/api/tocsin/v1/escalation-policies", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<EscalationPolicy>)))]
pub(crate) async fn list_policies(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<EscalationPolicy>>, Problem> {
    let mut all: Vec<EscalationPolicy> = app.read(|state| {
        let policies = state.policies.values();
        policies.map(|known| policy(state, known)).collect()
    });
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    page.cut(all, |one| one.id.as_str()).map(Json)
}

/// One escalation policy
#[utoipa::path(get, path = "/api/tocsin/v1/escalation-policies/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = EscalationPolicy), (status = 404)))]
pub(crate) async fn get_policy(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<EscalationPolicy>, Problem> {
    let shown = |state: &state::State, id: PolicyId| {
        let known = state.policies.get(&id)?;
        Some(policy(state, known))
    };
    in_path(&app, "escalation policy", &id, shown).map(Json)
}

async fn set_policy(
    app: &App,
    caller: &Caller,
    id: Option<String>,
    request: PolicyRequest,
) -> Result<Json<EscalationPolicy>, Problem> {
    let id = id
        .map(|id| {
            id.parse()
                .map_err(|_| Problem::not_found(&format!("escalation policy {id}")))
        })
        .transpose()?;
    let levels = levels_of(&request.levels)?;
    let timeout = request.acknowledgement_timeout_minutes;
    let acknowledgement_timeout_ms = timeout
        .map(|minutes| {
            let wrong = "acknowledgement_timeout_minutes: 1 to 10080";
            milliseconds(minutes, TIMEOUT_MINUTES_MAX).ok_or_else(|| Problem::bad(wrong))
        })
        .transpose()?;
    let ask = RosterAsk::SetWholePolicy(Box::new(WholePolicy {
        id,
        name: request.name,
        levels,
        repeat: request.repeat,
        acknowledgement_timeout_ms,
        description: request.description,
        given_to: given_to(request.team_id)?,
        level_numbers: None,
    }));
    let RosterEvent::PolicySet { policy: known } = set_in(app, caller, ask).await? else {
        return Err(lost());
    };
    Ok(Json(app.read(|state| policy(state, &known))))
}

/// Add an escalation policy
#[utoipa::path(post, path = "/api/tocsin/v1/escalation-policies", tag = "oncall", request_body = PolicyRequest,
    responses((status = 201, body = EscalationPolicy), (status = 400)))]
pub(crate) async fn add_policy(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<PolicyRequest>,
) -> Result<impl IntoResponse, Problem> {
    set_policy(&app, &caller, None, request)
        .await
        .map(|set| (StatusCode::CREATED, set))
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
    let policy = id
        .parse()
        .map_err(|_| Problem::not_found(&format!("escalation policy {id}")))?;
    app.ask(&caller.actor, Ask::Roster(RosterAsk::RemovePolicy(policy)))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

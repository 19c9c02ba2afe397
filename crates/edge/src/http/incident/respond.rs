//! What a person does about an incident beyond taking, ending and noting. What of it is allowed is decided elsewhere.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, RespondAsk};
use tocsin_domain::id::{IncidentId, PolicyId, UserId};
use tocsin_domain::incident::Assigned;
use utoipa::ToSchema;

use super::summary::IncidentSummary;
use super::{Nothing, find, summary_of};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::Json as Body;
use crate::http::problem::Problem;
use crate::http::shape::{Id, Urgency};

/// Incidents that are taken or ended at once, at most.
const BULK_MAX: usize = 250;
/// To whom something can go.
const EITHER: &str = "name either people or a policy_id";

async fn done(
    app: &App,
    caller: &Caller,
    incident: IncidentId,
    ask: RespondAsk,
) -> Result<Json<IncidentSummary>, Problem> {
    app.ask(&caller.actor, Ask::Respond(ask)).await?;
    summary_of(app, incident).map(Json)
}

fn people_of(ids: &[String]) -> Result<Vec<UserId>, Problem> {
    let people = ids.iter().map(|id| id.parse());
    let people: Result<Vec<UserId>, _> = people.collect();
    people.map_err(|_| Problem::bad("people: ids of people"))
}

fn policy_of(id: Option<String>) -> Result<Option<PolicyId>, Problem> {
    let policy = id.map(|id| id.parse()).transpose();
    policy.map_err(|_| Problem::bad("policy_id: not an id of an escalation policy"))
}

/// To whom it is to go; none when nobody is named.
pub(super) fn assigned(
    people: &[String],
    policy_id: Option<String>,
) -> Result<Option<Assigned>, Problem> {
    let people = people_of(people)?;
    match (policy_of(policy_id)?, people.is_empty()) {
        (Some(policy), true) => Ok(Some(Assigned::Policy(policy))),
        (None, false) => Ok(Some(Assigned::People(people))),
        (None, true) => Ok(None),
        (Some(_), false) => Err(Problem::bad(EITHER)),
    }
}

/// For how long.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SnoozeRequest {
    /// 1 second to 7 days (604800).
    #[schema(minimum = 1, maximum = 604800)]
    seconds: u64,
}

/// Take an incident and be left in peace for a while
///
/// When the time is over and it still fails, it is triggered and the level that was reached is paged again.
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/snooze", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = SnoozeRequest,
    responses((status = 200, body = IncidentSummary), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn snooze(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<SnoozeRequest>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    let ask = RespondAsk::Snooze {
        incident,
        by: caller.person()?,
        for_ms: request.seconds.saturating_mul(1_000),
    };
    done(&app, &caller, incident, ask).await
}

/// End a snooze early; the incident stays acknowledged
#[utoipa::path(delete, path = "/api/tocsin/v1/incidents/{id}/snooze", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")),
    responses((status = 200, body = IncidentSummary), (status = 404), (status = 409)))]
pub(crate) async fn cancel_snooze(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    done(
        &app,
        &caller,
        incident,
        RespondAsk::CancelSnooze { incident },
    )
    .await
}

/// To whom: people, or an escalation policy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReassignRequest {
    /// Ids of people.
    #[serde(default)]
    #[schema(value_type = Vec<Id>, max_items = 50)]
    people: Vec<String>,
    /// Or the policy that is followed from its first level on.
    #[schema(value_type = Option<Id>)]
    policy_id: Option<String>,
}

/// Give an incident to other people, or to another policy
///
/// They are paged now, whoever had it before.
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/reassign", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = ReassignRequest,
    responses((status = 200, body = IncidentSummary), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn reassign(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<ReassignRequest>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    let to = assigned(&request.people, request.policy_id)?;
    let to = to.ok_or_else(|| Problem::bad(EITHER))?;
    done(
        &app,
        &caller,
        incident,
        RespondAsk::Reassign { incident, to },
    )
    .await
}

/// Page the next level now
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/escalate", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = Nothing,
    responses((status = 200, body = IncidentSummary), (status = 404), (status = 409)))]
pub(crate) async fn escalate(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    done(&app, &caller, incident, RespondAsk::Escalate { incident }).await
}

/// Reopen an incident that is over
///
/// It is paged for anew from the first level on, and over when somebody ends it.
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/reopen", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = Nothing,
    responses((status = 200, body = IncidentSummary), (status = 404), (status = 409)))]
pub(crate) async fn reopen(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    done(&app, &caller, incident, RespondAsk::Reopen { incident }).await
}

/// Whom to ask, and what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RespondersRequest {
    /// Ids of people.
    #[serde(default)]
    #[schema(value_type = Vec<Id>, max_items = 50)]
    people: Vec<String>,
    /// And whoever the first level of this policy names that pages somebody.
    #[schema(value_type = Option<Id>)]
    policy_id: Option<String>,
    /// 1 to 1000 characters.
    #[schema(min_length = 1, max_length = 1000)]
    message: String,
}

/// Ask further people to help
///
/// They are paged; whoever has the incident keeps it.
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/responders", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = RespondersRequest,
    responses((status = 200, body = IncidentSummary), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn request_responders(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<RespondersRequest>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    let ask = RespondAsk::RequestResponders {
        incident,
        people: people_of(&request.people)?,
        policy: policy_of(request.policy_id)?,
        message: request.message,
    };
    done(&app, &caller, incident, ask).await
}

/// Whether one comes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerRequest {
    accept: bool,
}

/// Say whether one comes to help
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/responders/answer", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = AnswerRequest,
    responses((status = 200, body = IncidentSummary), (status = 404), (status = 409)))]
pub(crate) async fn answer_request(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<AnswerRequest>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    let ask = RespondAsk::AnswerRequest {
        incident,
        by: caller.person()?,
        accept: request.accept,
    };
    done(&app, &caller, incident, ask).await
}

/// What is merged into it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MergeRequest {
    /// Ids or numbers of open incidents, 1 to 100. They end; their alerts go to the one that stays.
    #[schema(min_items = 1, max_items = 100)]
    sources: Vec<String>,
}

/// Merge other incidents into this one
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/{id}/merge", tag = "incidents",
    params(("id" = String, Path, description = "Id or number of the one that stays")), request_body = MergeRequest,
    responses((status = 200, body = IncidentSummary), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn merge(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<MergeRequest>,
) -> Result<Json<IncidentSummary>, Problem> {
    let into = find(&app, &id)?;
    if request.sources.len() > BULK_MAX {
        return Err(Problem::bad("sources: 1 to 100"));
    }
    let sources = request.sources.iter().map(|source| find(&app, source));
    let sources = sources.collect::<Result<Vec<_>, _>>()?;
    done(&app, &caller, into, RespondAsk::Merge { sources, into }).await
}

/// How important it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriorityRequest {
    /// A name of the installation's list; null takes it back.
    priority: Option<String>,
}

/// Say how important an incident is
#[utoipa::path(put, path = "/api/tocsin/v1/incidents/{id}/priority", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = PriorityRequest,
    responses((status = 200, body = IncidentSummary), (status = 400), (status = 404)))]
pub(crate) async fn set_priority(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<PriorityRequest>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    let priority = request.priority;
    done(
        &app,
        &caller,
        incident,
        RespondAsk::SetPriority { incident, priority },
    )
    .await
}

/// How loudly it asks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UrgencyRequest {
    urgency: Urgency,
}

/// Say how loudly an incident asks for a person
///
/// High pages from now on, also where no alert of it would; low pages nobody.
#[utoipa::path(put, path = "/api/tocsin/v1/incidents/{id}/urgency", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = UrgencyRequest,
    responses((status = 200, body = IncidentSummary), (status = 404), (status = 409)))]
pub(crate) async fn set_urgency(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<UrgencyRequest>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    let urgency = request.urgency.into();
    done(
        &app,
        &caller,
        incident,
        RespondAsk::SetUrgency { incident, urgency },
    )
    .await
}

/// What it is about.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TitleRequest {
    /// In one line of 1 to 1024 characters.
    #[schema(min_length = 1, max_length = 1024)]
    title: String,
}

/// Say in other words what an incident is about, also of one that is over
#[utoipa::path(put, path = "/api/tocsin/v1/incidents/{id}/title", tag = "incidents",
    params(("id" = String, Path, description = "Id or number")), request_body = TitleRequest,
    responses((status = 200, body = IncidentSummary), (status = 400), (status = 404)))]
pub(crate) async fn set_title(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<TitleRequest>,
) -> Result<Json<IncidentSummary>, Problem> {
    let incident = find(&app, &id)?;
    let title = request.title;
    done(
        &app,
        &caller,
        incident,
        RespondAsk::SetTitle { incident, title },
    )
    .await
}

/// What is done with several incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BulkAction {
    /// Take them.
    Acknowledge,
    /// End them.
    Resolve,
}

/// Several incidents, and what is done with each.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BulkRequest {
    action: BulkAction,
    /// Ids or numbers, 1 to 250.
    #[schema(min_items = 1, max_items = 250)]
    incidents: Vec<String>,
}

/// How it went with one of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkResult {
    /// As it was named.
    incident: String,
    /// Why it was not done; null when it was.
    problem: Option<String>,
}

/// How it went, in the order in which they were named.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BulkAnswer {
    results: Vec<BulkResult>,
}

/// Take or end several incidents
///
/// Each on its own: one that is refused does not keep the others.
#[utoipa::path(post, path = "/api/tocsin/v1/incidents/bulk", tag = "incidents", request_body = BulkRequest,
    responses((status = 200, body = BulkAnswer), (status = 400)))]
pub(crate) async fn bulk(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<BulkRequest>,
) -> Result<Json<BulkAnswer>, Problem> {
    if request.incidents.is_empty() || request.incidents.len() > BULK_MAX {
        return Err(Problem::bad(format!("incidents: 1 to {BULK_MAX}")));
    }
    let by = match request.action {
        BulkAction::Acknowledge => Some(caller.person()?),
        BulkAction::Resolve => None,
    };
    let mut results = Vec::new();
    for name in request.incidents {
        let problem = one_of_bulk(&app, &caller, by, &name).await.err();
        results.push(BulkResult {
            incident: name,
            problem: problem.map(|problem| problem.detail().to_owned()),
        });
    }
    Ok(Json(BulkAnswer { results }))
}

/// Takes one in somebody's name, or ends it.
async fn one_of_bulk(
    app: &App,
    caller: &Caller,
    by: Option<UserId>,
    name: &str,
) -> Result<(), Problem> {
    let incident = find(app, name)?;
    let note = None;
    let ask = match by {
        Some(by) => RespondAsk::Acknowledge { incident, by },
        None => RespondAsk::Resolve { incident, note },
    };
    app.ask(&caller.actor, Ask::Respond(ask)).await.map(drop)?;
    Ok(())
}

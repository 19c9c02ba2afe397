//! Teams, and the names of priorities.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, TeamAsk};
use tocsin_domain::event::{Actor, RosterEvent};
use tocsin_domain::id::{TeamId, UserId};
use tocsin_domain::team::{TeamRole, WholeTeam};
use tocsin_domain::{state, team};
use utoipa::ToSchema;

use super::{key, lost, set_by};
use crate::access::who::Caller;
use crate::app::App;
use crate::http::body::{Json as Body, Params};
use crate::http::named::in_path;
use crate::http::page::{Page, PageQuery};
use crate::http::problem::Problem;
use crate::http::shape::{Id, Named, named_user};

/// People who answer together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Team {
    id: String,
    name: String,
    members: Vec<Named>,
    /// What it is; may be empty.
    description: String,
}

/// A team to add or to put in another's place.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamRequest {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Ids of people. Whoever is added to the installation belongs to its first team.
    #[schema(value_type = Vec<Id>, max_items = 500)]
    members: Vec<String>,
    /// What it is, at most 1024 characters. Left out, what was said before stays.
    #[schema(max_length = 1024)]
    description: Option<String>,
}

fn shown(state: &state::State, known: &team::Team) -> Team {
    let members = known.members.iter();
    Team {
        id: known.id.to_string(),
        name: known.name.clone(),
        members: members.map(|user| named_user(state, *user)).collect(),
        description: known.description.clone(),
    }
}

fn team_id(id: &str) -> Result<TeamId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("team {id}")))
}

/// Teams
#[utoipa::path(get, path = "/api/tocsin/v1/teams", tag = "oncall", params(PageQuery),
    responses((status = 200, body = Page<Team>)))]
pub(crate) async fn list_teams(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<Team>>, Problem> {
    let mut all: Vec<Team> = app.read(|state| {
        let teams = state.teams.values();
        teams.map(|known| shown(state, known)).collect()
    });
    all.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    page.cut(all, |one| one.id.as_str()).map(Json)
}

/// One team
#[utoipa::path(get, path = "/api/tocsin/v1/teams/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = Team), (status = 404)))]
pub(crate) async fn get_team(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Team>, Problem> {
    let shown = |state: &state::State, id: TeamId| {
        let known = state.teams.get(&id)?;
        Some(shown(state, known))
    };
    in_path(&app, "team", &id, shown).map(Json)
}

async fn set_team(
    app: &App,
    caller: &Caller,
    id: Option<TeamId>,
    request: TeamRequest,
) -> Result<Json<Team>, Problem> {
    let members = request.members.iter().map(|id| {
        let id: Result<UserId, _> = id.parse();
        id.map_err(|_| Problem::bad("members: ids of people"))
    });
    let ask = TeamAsk::SetWhole(Box::new(WholeTeam {
        id,
        name: request.name.clone(),
        members: Some(members.collect::<Result<_, _>>()?),
        description: request.description.clone(),
    }));
    let RosterEvent::TeamSet { team } = set_by(app, caller, Ask::Team(ask)).await? else {
        return Err(lost());
    };
    Ok(Json(app.read(|state| shown(state, &team))))
}

/// Add a team
#[utoipa::path(post, path = "/api/tocsin/v1/teams", tag = "oncall", request_body = TeamRequest,
    responses((status = 201, body = Team), (status = 400), (status = 404)))]
pub(crate) async fn add_team(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<TeamRequest>,
) -> Result<impl IntoResponse, Problem> {
    set_team(&app, &caller, None, request)
        .await
        .map(|set| (StatusCode::CREATED, set))
}

/// Replace a team
#[utoipa::path(put, path = "/api/tocsin/v1/teams/{id}", tag = "oncall", params(("id" = String, Path)),
    request_body = TeamRequest, responses((status = 200, body = Team), (status = 400), (status = 404)))]
pub(crate) async fn replace_team(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<TeamRequest>,
) -> Result<Json<Team>, Problem> {
    set_team(&app, &caller, Some(team_id(&id)?), request).await
}

/// Remove a team that no escalation policy names and to which nothing belongs, with the webhook subscriptions to it
#[utoipa::path(delete, path = "/api/tocsin/v1/teams/{id}", tag = "oncall", params(("id" = String, Path)),
    responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_team(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let ask = Ask::Team(TeamAsk::Remove(team_id(&id)?));
    key::removed(&app, &caller.actor, ask).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn member_in(id: &str) -> Result<UserId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("person {id}")))
}

/// Put somebody into a team, beside whoever belongs to it
#[utoipa::path(put, path = "/api/tocsin/v1/teams/{id}/members/{user_id}", tag = "oncall",
    params(("id" = String, Path), ("user_id" = String, Path)),
    responses((status = 204), (status = 400), (status = 404)))]
pub(crate) async fn add_member(
    State(app): State<App>,
    caller: Caller,
    Path((id, user_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (team, user) = (team_id(&id)?, member_in(&user_id)?);
    member_added(&app, &caller.actor, team, user, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts somebody into a team, whoever asks for it in whatever words; `role` is what they are called there.
pub(crate) async fn member_added(
    app: &App,
    actor: &Actor,
    team: TeamId,
    user: UserId,
    role: Option<TeamRole>,
) -> Result<(), Problem> {
    let ask = Ask::Team(TeamAsk::AddMember { team, user, role });
    app.ask(actor, ask).await.map(|_| ())
}

/// Take somebody out of a team, and nobody else
#[utoipa::path(delete, path = "/api/tocsin/v1/teams/{id}/members/{user_id}", tag = "oncall",
    params(("id" = String, Path), ("user_id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn remove_member(
    State(app): State<App>,
    caller: Caller,
    Path((id, user_id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (team, user) = (team_id(&id)?, member_in(&user_id)?);
    member_removed(&app, &caller.actor, team, user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes somebody out of a team, whoever asks for it in whatever words.
pub(crate) async fn member_removed(
    app: &App,
    actor: &Actor,
    team: TeamId,
    user: UserId,
) -> Result<(), Problem> {
    let ask = Ask::Team(TeamAsk::RemoveMember { team, user });
    app.ask(actor, ask).await.map(|_| ())
}

/// The names of priorities.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Priorities {
    /// The most important first; 1 to 10.
    #[schema(min_items = 1, max_items = 10, min_length = 1, max_length = 40)]
    names: Vec<String>,
}

/// The names of priorities
#[utoipa::path(get, path = "/api/tocsin/v1/priorities", tag = "oncall", responses((status = 200, body = Priorities)))]
pub(crate) async fn get_priorities(State(app): State<App>) -> Json<Priorities> {
    let names = app.read(|state| {
        let installation = state.installation.as_ref();
        installation.map_or_else(Vec::new, |all| all.priorities.clone())
    });
    Json(Priorities { names })
}

/// Replace the names of priorities
#[utoipa::path(put, path = "/api/tocsin/v1/priorities", tag = "oncall", request_body = Priorities,
    responses((status = 200, body = Priorities), (status = 400)))]
pub(crate) async fn set_priorities(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<Priorities>,
) -> Result<Json<Priorities>, Problem> {
    let names = request.names;
    app.ask(&caller.actor, Ask::Team(TeamAsk::SetPriorities { names }))
        .await?;
    Ok(get_priorities(State(app)).await)
}

//! Teams and who belongs to them. The role of a member is kept as a word: to Tocsin all members are the same.

use serde_json::{Value, json};
use tocsin_domain::command::{Ask, TeamAsk};
use tocsin_domain::event::RosterEvent;
use tocsin_domain::id::{TeamId, UserId};
use tocsin_domain::state::State;
use tocsin_domain::team::{Team, TeamRole, WholeTeam};
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::roster as bodies;
use tocsin_wire::pagerduty::rest::words;

use super::asked::{Asked, Path};
use super::include::Named;
use super::lookup;
use super::parameters;
use super::reply::{Answer, Refused, Reply, refusing};
use super::team_shape::team;
use crate::http::roster::team::{member_added, member_removed};
use crate::http::roster::{key, lost, set_in_turn};

/// What of a membership can be shown wholly, and where it stands.
pub(super) const INCLUDED: &[Named] = &[("users", &["user"])];

/// Teams
#[utoipa::path(get, path = "/teams", tag = "fronts", params(parameters::Page, parameters::Search),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_pagerduty_teams(asked: Asked) -> Answer {
    let all = asked.app.read(|state| {
        let all = state.teams.values();
        all.map(|one| team(state, &asked.place, one)).collect()
    });
    asked.named_page("teams", all)
}

fn named(asked: &Asked, id: &str) -> Result<Team, Refused> {
    let known = |state: &State, id: TeamId| state.teams.get(&id).cloned();
    lookup::in_path(&asked.app, "team", id, known)
}

fn wrapped(asked: &Asked, known: &Team) -> Value {
    let shown = asked.app.read(|state| team(state, &asked.place, known));
    json!({ "team": shown })
}

/// One team
#[utoipa::path(get, path = "/teams/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_team(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    Ok(Reply::Done(wrapped(&asked, &known)))
}

/// Who belongs to a team
#[utoipa::path(get, path = "/teams/{id}/members", tag = "fronts",
    params(("id" = String, Path), parameters::Page, parameters::MemberInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_team_members(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let paging = asked.paging()?;
    let members: Vec<Value> = asked.app.read(|state| {
        let members = known.members.iter();
        members
            .map(|user| json!({"user": asked.place.user(state, *user), "role": role_word(known.role(*user))}))
            .collect()
    });
    let mut cut = paging.cut(members);
    cut.items = asked.included(cut.items, INCLUDED).await?;
    Ok(Reply::page(paging, "members", cut))
}

const fn role_word(role: TeamRole) -> &'static str {
    match role {
        TeamRole::Observer => "observer",
        TeamRole::Responder => "responder",
        TeamRole::Manager => "manager",
    }
}

/// Adds a team or changes one, in the turn of the roster.
async fn set(asked: &Asked, wanted: WholeTeam) -> Result<Team, Refused> {
    let ask = Ask::Team(TeamAsk::SetWhole(Box::new(wanted)));
    let event = set_in_turn(&asked.app, &asked.caller.actor, ask).await;
    let event = event.map_err(refusing(Noun::Team))?;
    let RosterEvent::TeamSet { team } = event else {
        return Err(lost().into());
    };
    Ok(team)
}

/// Add a team
#[utoipa::path(post, path = "/teams", tag = "fronts", request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_pagerduty_team(asked: Asked) -> Answer {
    let name = bodies::team(&asked.body)?;
    let name = name.ok_or_else(|| Refusal::bad("'team.name' is missing or blank"))?;
    let wanted = WholeTeam {
        id: None,
        name,
        members: None,
        description: words::description(&asked.body, "team")?,
    };
    let made = asked.in_turn(|own| async move { set(&own, wanted).await });
    let made = made.await?;
    Ok(Reply::Created(wrapped(&asked, &made)))
}

/// Call a team something else
#[utoipa::path(put, path = "/teams/{id}", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_team(Path(id): Path<String>, asked: Asked) -> Answer {
    let made = asked.in_turn(|own| async move {
        let known = named(&own, &id)?;
        let wanted = WholeTeam {
            id: Some(known.id),
            name: bodies::team(&own.body)?.unwrap_or(known.name),
            members: None,
            description: words::description(&own.body, "team")?,
        };
        set(&own, wanted).await
    });
    let made = made.await?;
    Ok(Reply::Done(wrapped(&asked, &made)))
}

/// Remove a team that no escalation policy names and to which nothing belongs, with the webhook subscriptions to it
#[utoipa::path(delete, path = "/teams/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn remove_pagerduty_team(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let ask = Ask::Team(TeamAsk::Remove(known.id));
    key::removed(&asked.app, &asked.caller.actor, ask).await?;
    Ok(Reply::Empty)
}

fn person(asked: &Asked, id: &str) -> Result<UserId, Refused> {
    let known = |state: &State, id: UserId| state.users.get(&id).map(|one| one.id);
    lookup::in_path(&asked.app, "user", id, known)
}

/// Put somebody into a team
#[utoipa::path(put, path = "/teams/{id}/users/{user_id}", tag = "fronts",
    params(("id" = String, Path), ("user_id" = String, Path)),
    responses((status = 204), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn add_team_member(
    Path((id, user)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let role = bodies::team_role(&asked.body)?;
    let team = named(&asked, &id)?.id;
    let user = person(&asked, &user)?;
    let added = member_added(&asked.app, &asked.caller.actor, team, user, role).await;
    added.map_err(refusing(Noun::Team))?;
    Ok(Reply::Empty)
}

/// Take somebody out of a team
#[utoipa::path(delete, path = "/teams/{id}/users/{user_id}", tag = "fronts",
    params(("id" = String, Path), ("user_id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_team_member(
    Path((id, user)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let team = named(&asked, &id)?.id;
    let user = person(&asked, &user)?;
    member_removed(&asked.app, &asked.caller.actor, team, user).await?;
    Ok(Reply::Empty)
}

//! Tags of people, teams and escalation policies. Nobody is paged by them: they are words to find things by.

use serde_json::{Value, json};
use tocsin_domain::command::TagAsk;
use tocsin_domain::tag::Tagged;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::tag::{self as bodies, Called};

use super::asked::{Asked, Path};
use super::lookup;
use super::parameters;
use super::place::{Place, whole};
use super::reply::{Answer, Refused, Reply, refusing};
use crate::http::tag::{self as tags, changed, id_of, labels_by_id};

fn tag(place: &Place, label: &str) -> Value {
    let id = id_of(label);
    let head = place.named("tag", &id, label, &format!("tags/{id}"), "");
    whole(head, "tag", json!({"label": label}))
}

/// One page of labels.
fn page<'a>(asked: &Asked, labels: impl Iterator<Item = &'a str>) -> Answer {
    let paging = asked.paging()?;
    let named = labels.map(|label| (label, label, ""));
    let cut = asked.named_cut(paging, named)?;
    let shown = cut.map(|label| Some(tag(&asked.place, label)));
    Ok(Reply::page(paging, "tags", shown))
}

/// The label of the tag that a path names.
fn named(asked: &Asked, wanted: &str) -> Result<String, Refused> {
    let found = labels_by_id(&asked.app).remove(wanted);
    Ok(found.ok_or_else(|| Refusal::no_such("tag"))?)
}

async fn ask(asked: &Asked, ask: TagAsk) -> Result<(), Refused> {
    let changed = changed(&asked.app, &asked.caller.actor, ask).await;
    changed.map_err(refusing(Noun::Tag))
}

/// Tags
#[utoipa::path(get, path = "/tags", tag = "fronts", params(parameters::Page, parameters::Search),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_tags(asked: Asked) -> Answer {
    asked
        .app
        .read(|state| page(&asked, state.tags.keys().map(String::as_str)))
}

/// Add a tag
#[utoipa::path(post, path = "/tags", tag = "fronts", request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_tag(asked: Asked) -> Answer {
    let label = bodies::tag(&asked.body)?;
    let shown = json!({"tag": tag(&asked.place, &label)});
    ask(&asked, TagAsk::Add { label }).await?;
    Ok(Reply::Created(shown))
}

/// One tag
#[utoipa::path(get, path = "/tags/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_tag(Path(id): Path<String>, asked: Asked) -> Answer {
    let label = named(&asked, &id)?;
    Ok(Reply::Done(json!({"tag": tag(&asked.place, &label)})))
}

/// Remove a tag, from whatever has it too
#[utoipa::path(delete, path = "/tags/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_tag(Path(id): Path<String>, asked: Asked) -> Answer {
    let label = named(&asked, &id)?;
    ask(&asked, TagAsk::Remove { label }).await?;
    Ok(Reply::Empty)
}

/// The people, the teams or the escalation policies that have a tag
#[utoipa::path(get, path = "/tags/{id}/{entity_type}", tag = "fronts",
    params(("id" = String, Path), ("entity_type" = String, Path), parameters::Page),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_tagged(
    Path((id, entity_type)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let label = named(&asked, &id)?;
    if !["users", "teams", "escalation_policies"].contains(&entity_type.as_str()) {
        let why = "tags are on users, teams and escalation_policies";
        return Err(Refusal::not_found(why).into());
    }
    let paging = asked.paging()?;
    let place = &asked.place;
    let shown: Vec<Value> = asked.app.read(|state| {
        let having = state.tags.get(&label).into_iter().flatten();
        let of_kind = having.filter_map(|one| match (one, entity_type.as_str()) {
            (Tagged::User(user), "users") => Some(place.user(state, *user)),
            (Tagged::Team(team), "teams") => Some(place.team(state, *team)),
            (Tagged::Policy(policy), "escalation_policies") => Some(place.policy(state, *policy)),
            (Tagged::User(_) | Tagged::Team(_) | Tagged::Policy(_), _) => None,
        });
        of_kind.collect()
    });
    Ok(Reply::page(paging, &entity_type, paging.cut(shown)))
}

fn person(asked: &Asked, id: &str) -> Result<Tagged, Refused> {
    lookup::in_path(&asked.app, "user", id, tags::user)
}

fn team(asked: &Asked, id: &str) -> Result<Tagged, Refused> {
    lookup::in_path(&asked.app, "team", id, tags::team)
}

fn policy(asked: &Asked, id: &str) -> Result<Tagged, Refused> {
    lookup::in_path(&asked.app, "escalation policy", id, tags::policy)
}

fn tags_of(asked: &Asked, on: Tagged) -> Answer {
    asked.app.read(|state| page(asked, state.tags_of(on)))
}

async fn change(asked: &Asked, on: Tagged) -> Answer {
    let changes = bodies::changes(&asked.body)?;
    let known = labels_by_id(&asked.app);
    let label = |place: &str, called: Called| match called {
        Called::Label(label) => Ok(label),
        Called::Id(wanted) => {
            let missing = || Refusal::object_missing(place, "tag", &wanted);
            known.get(&wanted).cloned().ok_or_else(missing)
        }
    };
    let labels = |place: &str, all: Vec<Called>| {
        let labels = all.into_iter().map(|called| label(place, called));
        labels.collect::<Result<Vec<String>, Refusal>>()
    };
    let (add, remove) = (
        labels("add", changes.add)?,
        labels("remove", changes.remove)?,
    );
    ask(asked, TagAsk::Change { on, add, remove }).await?;
    Ok(Reply::Done(json!({})))
}

/// Tags of a person
#[utoipa::path(get, path = "/users/{id}/tags", tag = "fronts", params(("id" = String, Path), parameters::Page, parameters::Search),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_tags_of_person(Path(id): Path<String>, asked: Asked) -> Answer {
    tags_of(&asked, person(&asked, &id)?)
}

/// Put tags on a person, and take others away
#[utoipa::path(post, path = "/users/{id}/change_tags", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_tags_of_person(Path(id): Path<String>, asked: Asked) -> Answer {
    change(&asked, person(&asked, &id)?).await
}

/// Tags of a team
#[utoipa::path(get, path = "/teams/{id}/tags", tag = "fronts", params(("id" = String, Path), parameters::Page, parameters::Search),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_tags_of_team(Path(id): Path<String>, asked: Asked) -> Answer {
    tags_of(&asked, team(&asked, &id)?)
}

/// Put tags on a team, and take others away
#[utoipa::path(post, path = "/teams/{id}/change_tags", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_tags_of_team(Path(id): Path<String>, asked: Asked) -> Answer {
    change(&asked, team(&asked, &id)?).await
}

/// Tags of an escalation policy
#[utoipa::path(get, path = "/escalation_policies/{id}/tags", tag = "fronts",
    params(("id" = String, Path), parameters::Page, parameters::Search),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_tags_of_policy(Path(id): Path<String>, asked: Asked) -> Answer {
    tags_of(&asked, policy(&asked, &id)?)
}

/// Put tags on an escalation policy, and take others away
#[utoipa::path(post, path = "/escalation_policies/{id}/change_tags", tag = "fronts", params(("id" = String, Path)),
    request_body = Object, responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_tags_of_policy(Path(id): Path<String>, asked: Asked) -> Answer {
    change(&asked, policy(&asked, &id)?).await
}

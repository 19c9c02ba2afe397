//! Tags: words that are put on people, teams and escalation policies, to find them by. Nobody is paged by them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use tocsin_domain::command::{Ask, TagAsk, TeamAsk};
use tocsin_domain::event::{Actor, RosterEvent, TagEvent};
use tocsin_domain::id::{PolicyId, TeamId, UserId};
use tocsin_domain::people::Role::{Admin, Viewer};
use tocsin_domain::state;
use tocsin_domain::tag::Tagged;
use tocsin_wire::pagerduty::rest::id;
use tocsin_wire::pagerduty::rest::tag::CHANGES_MAX;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::body::{Json as Body, Params};
use super::named::in_path;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::roster::{lost, set_by};
use super::routes::Table;
use super::shape::{named_policy, named_team, named_user};
use crate::access::who::{Caller, Who};
use crate::app::App;

/// The routes of tags.
pub(crate) fn add_to(table: Table) -> Table {
    table
        .add(Who::Role(Viewer), routes!(list_tags))
        .add(Who::Role(Admin), routes!(add_tag))
        .add(Who::Role(Viewer), routes!(get_tag))
        .add(Who::Role(Admin), routes!(remove_tag))
        .add(Who::Role(Viewer), routes!(list_tagged))
        .add(Who::Role(Viewer), routes!(list_tags_of_user))
        .add(Who::Role(Admin), routes!(change_tags_of_user))
        .add(Who::Role(Viewer), routes!(list_tags_of_team))
        .add(Who::Role(Admin), routes!(change_tags_of_team))
        .add(Who::Role(Viewer), routes!(list_tags_of_policy))
        .add(Who::Role(Admin), routes!(change_tags_of_policy))
}

/// A word to find things by.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Tag {
    /// It stands for the label.
    id: String,
    label: String,
}

/// The tags of one thing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Tags {
    /// By their labels; at most 50.
    tags: Vec<Tag>,
}

/// What has a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TaggedKind {
    /// A person.
    User,
    /// A team.
    Team,
    /// An escalation policy.
    EscalationPolicy,
}

/// Something that has a tag.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TaggedThing {
    kind: TaggedKind,
    id: String,
    name: String,
}

/// A tag to add.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagRequest {
    /// 1 to 191 characters.
    #[schema(min_length = 1, max_length = 191)]
    label: String,
}

/// Which tags something gets and loses.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TagChange {
    /// Labels, at most 100. What is no tag yet becomes one.
    #[serde(default)]
    #[schema(max_items = 100)]
    add: Vec<String>,
    /// Labels of tags, at most 100.
    #[serde(default)]
    #[schema(max_items = 100)]
    remove: Vec<String>,
}

/// A tag has no id of its own: it stands for its label.
pub(crate) fn id_of(label: &str) -> String {
    id::of_name(&format!("tag/{label}"))
}

fn shown(label: &str) -> Tag {
    Tag {
        id: id_of(label),
        label: label.to_owned(),
    }
}

/// The labels by the ids that stand for them.
pub(crate) fn labels_by_id(app: &App) -> BTreeMap<String, String> {
    let labels: Vec<String> = app.read(|state| state.tags.keys().cloned().collect());
    let labels = labels.into_iter();
    labels.map(|label| (id_of(&label), label)).collect()
}

fn label_in(app: &App, id: &str) -> Result<String, Problem> {
    let found = labels_by_id(app).remove(id);
    found.ok_or_else(|| Problem::not_found(&format!("tag {id}")))
}

/// A person, who can have tags.
pub(crate) fn user(state: &state::State, id: UserId) -> Option<Tagged> {
    state.users.contains_key(&id).then_some(Tagged::User(id))
}

/// A team, which can have tags.
pub(crate) fn team(state: &state::State, id: TeamId) -> Option<Tagged> {
    state.teams.contains_key(&id).then_some(Tagged::Team(id))
}

/// An escalation policy, which can have tags.
pub(crate) fn policy(state: &state::State, id: PolicyId) -> Option<Tagged> {
    let is_there = state.policies.contains_key(&id);
    is_there.then_some(Tagged::Policy(id))
}

/// Asks for a change of tags of which there is nothing to show, whoever asks for it in whatever words.
pub(crate) async fn changed(app: &App, actor: &Actor, ask: TagAsk) -> Result<(), Problem> {
    let ask = Ask::Team(TeamAsk::Tag(ask));
    app.ask(actor, ask).await.map(|_| ())
}

/// Tags, by their labels
#[utoipa::path(get, path = "/api/tocsin/v1/tags", tag = "people", params(PageQuery),
    responses((status = 200, body = Page<Tag>)))]
pub(crate) async fn list_tags(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<Tag>>, Problem> {
    let labels: Vec<String> = app.read(|state| state.tags.keys().cloned().collect());
    let all: Vec<Tag> = labels.iter().map(|label| shown(label)).collect();
    page.cut(all, |one| one.id.as_str()).map(Json)
}

/// Add a tag that nothing has yet
#[utoipa::path(post, path = "/api/tocsin/v1/tags", tag = "people", request_body = TagRequest,
    responses((status = 201, body = Tag), (status = 400), (status = 409)))]
pub(crate) async fn add_tag(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<TagRequest>,
) -> Result<impl IntoResponse, Problem> {
    let label = request.label;
    let ask = Ask::Team(TeamAsk::Tag(TagAsk::Add { label }));
    // As it was kept, without blanks around it.
    let RosterEvent::Tag(TagEvent::Added { label }) = set_by(&app, &caller, ask).await? else {
        return Err(lost());
    };
    Ok((StatusCode::CREATED, Json(shown(&label))))
}

/// One tag
#[utoipa::path(get, path = "/api/tocsin/v1/tags/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = Tag), (status = 404)))]
pub(crate) async fn get_tag(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Tag>, Problem> {
    label_in(&app, &id).map(|label| Json(shown(&label)))
}

/// Remove a tag, from whatever has it too
#[utoipa::path(delete, path = "/api/tocsin/v1/tags/{id}", tag = "people", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn remove_tag(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let label = label_in(&app, &id)?;
    changed(&app, &caller.actor, TagAsk::Remove { label }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn thing(state: &state::State, one: Tagged) -> TaggedThing {
    let (kind, named) = match one {
        Tagged::User(id) => (TaggedKind::User, named_user(state, id)),
        Tagged::Team(id) => (TaggedKind::Team, named_team(state, id)),
        Tagged::Policy(id) => (TaggedKind::EscalationPolicy, named_policy(state, id)),
    };
    TaggedThing {
        kind,
        id: named.id,
        name: named.name,
    }
}

/// The people, teams and escalation policies that have a tag
#[utoipa::path(get, path = "/api/tocsin/v1/tags/{id}/tagged", tag = "people", params(("id" = String, Path), PageQuery),
    responses((status = 200, body = Page<TaggedThing>), (status = 404)))]
pub(crate) async fn list_tagged(
    State(app): State<App>,
    Path(id): Path<String>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<TaggedThing>>, Problem> {
    let label = label_in(&app, &id)?;
    let all: Vec<TaggedThing> = app.read(|state| {
        let having = state.tags.get(&label).into_iter().flatten();
        having.map(|one| thing(state, *one)).collect()
    });
    page.cut(all, |one| one.id.as_str()).map(Json)
}

fn tags_of(app: &App, on: Tagged) -> Json<Tags> {
    let tags = app.read(|state| state.tags_of(on).map(shown).collect());
    Json(Tags { tags })
}

async fn change(
    app: &App,
    caller: &Caller,
    on: Tagged,
    change: TagChange,
) -> Result<Json<Tags>, Problem> {
    let TagChange { add, remove } = change;
    let mut reasons = Vec::new();
    for (field, labels) in [("add", &add), ("remove", &remove)] {
        if labels.len() > CHANGES_MAX {
            reasons.push(format!("{field}: at most {CHANGES_MAX}"));
        }
    }
    if !reasons.is_empty() {
        return Err(Problem::invalid(reasons));
    }
    let ask = TagAsk::Change { on, add, remove };
    changed(app, &caller.actor, ask).await?;
    Ok(tags_of(app, on))
}

/// Tags of a person
#[utoipa::path(get, path = "/api/tocsin/v1/users/{id}/tags", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = Tags), (status = 404)))]
pub(crate) async fn list_tags_of_user(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Tags>, Problem> {
    in_path(&app, "person", &id, user).map(|on| tags_of(&app, on))
}

/// Put tags on a person, and take others away
#[utoipa::path(patch, path = "/api/tocsin/v1/users/{id}/tags", tag = "people", params(("id" = String, Path)),
    request_body = TagChange, responses((status = 200, body = Tags), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn change_tags_of_user(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<TagChange>,
) -> Result<Json<Tags>, Problem> {
    let on = in_path(&app, "person", &id, user)?;
    change(&app, &caller, on, request).await
}

/// Tags of a team
#[utoipa::path(get, path = "/api/tocsin/v1/teams/{id}/tags", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = Tags), (status = 404)))]
pub(crate) async fn list_tags_of_team(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Tags>, Problem> {
    in_path(&app, "team", &id, team).map(|on| tags_of(&app, on))
}

/// Put tags on a team, and take others away
#[utoipa::path(patch, path = "/api/tocsin/v1/teams/{id}/tags", tag = "oncall", params(("id" = String, Path)),
    request_body = TagChange, responses((status = 200, body = Tags), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn change_tags_of_team(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<TagChange>,
) -> Result<Json<Tags>, Problem> {
    let on = in_path(&app, "team", &id, team)?;
    change(&app, &caller, on, request).await
}

/// Tags of an escalation policy
#[utoipa::path(get, path = "/api/tocsin/v1/escalation-policies/{id}/tags", tag = "oncall", params(("id" = String, Path)),
    responses((status = 200, body = Tags), (status = 404)))]
pub(crate) async fn list_tags_of_policy(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<Tags>, Problem> {
    in_path(&app, "escalation policy", &id, policy).map(|on| tags_of(&app, on))
}

/// Put tags on an escalation policy, and take others away
#[utoipa::path(patch, path = "/api/tocsin/v1/escalation-policies/{id}/tags", tag = "oncall", params(("id" = String, Path)),
    request_body = TagChange, responses((status = 200, body = Tags), (status = 400), (status = 404), (status = 409)))]
pub(crate) async fn change_tags_of_policy(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<TagChange>,
) -> Result<Json<Tags>, Problem> {
    let on = in_path(&app, "escalation policy", &id, policy)?;
    change(&app, &caller, on, request).await
}

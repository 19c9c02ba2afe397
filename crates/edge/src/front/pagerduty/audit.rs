//! Audit records: what was changed of people, teams, schedules, policies and services, and by whom, from the newest on. They are read
//! from the journal, as those of the native API are; what has no form here is listed by that one alone.

use std::ops::Range;

use serde_json::{Value, json};
use tocsin_domain::changed::ChangedKind;
use tocsin_domain::event::Actor;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::paging::limit_of;
use tocsin_wire::pagerduty::rest::{Refusal, id, time};

use super::asked::{Asked, Path};
use super::parameters;
use super::place::Place;
use super::reply::{Answer, Refused, Reply};
use crate::http::audit::walk::{Action, Found, Record, Wanted};
use crate::http::incident::timeline::{Names, entry};
use crate::kind;

const DAY_MS: u64 = 86_400_000;
/// A span is so long when its begin is not said.
const SPAN_MS_DEFAULT: u64 = DAY_MS;
/// Days of a span at most.
const SPAN_DAYS_MAX: u64 = 31;
/// Where the cursor stands in the parameters.
pub(super) const CURSOR: &str = "cursor";
/// Where the last characters of a token would.
const TOKEN_END: &str = "method_truncated_token";

/// Things whose changes are told, by the words for them.
pub(super) const ROOTS: [(&str, ChangedKind); 5] = [
    ("users", ChangedKind::User),
    ("teams", ChangedKind::Team),
    ("schedules", ChangedKind::Schedule),
    ("escalation_policies", ChangedKind::Policy),
    ("services", ChangedKind::Service),
];

/// What is done to them.
pub(super) const ACTIONS: [(&str, Action); 3] = [
    ("create", Action::Created),
    ("update", Action::Updated),
    ("delete", Action::Removed),
];

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Person,
    Key,
    App,
}

/// The words for those who do it.
pub(super) const ACTORS: [(&str, By); 3] = [
    ("user_reference", By::Person),
    ("api_key_reference", By::Key),
    (APP, By::App),
];
const APP: &str = "app_reference";

/// How it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Token,
    /// In a browser, by a token of a person, by a message, by Tocsin itself: which of them is not recorded.
    Other,
}

/// The words for how it is done.
pub(super) const METHODS: [(&str, Method); 2] =
    [("api_token", Method::Token), ("other", Method::Other)];

const fn method(actor: &Actor) -> Method {
    match actor {
        Actor::Token { .. } | Actor::OnBehalf { .. } => Method::Token,
        Actor::System
        | Actor::Person { .. }
        | Actor::Channel { .. }
        | Actor::Integration { .. }
        | Actor::Monitor { .. }
        | Actor::Rule { .. } => Method::Other,
    }
}

fn word_of<T: PartialEq>(words: &[(&'static str, T)], meant: &T) -> &'static str {
    let found = words.iter().find(|(_, meaning)| meaning == meant);
    found.map_or("", |(word, _)| *word)
}

/// Those who did it, as they are told and as they are found.
fn by(actor: &Actor) -> Vec<(By, Option<&str>)> {
    match actor {
        Actor::Person { user } | Actor::Channel { user, .. } => {
            vec![(By::Person, Some(user.as_str()))]
        }
        Actor::OnBehalf { user, token, .. } => vec![
            (By::Person, Some(user.as_str())),
            (By::Key, Some(token.as_str())),
        ],
        Actor::Token { token, .. } => vec![(By::Key, Some(token.as_str()))],
        Actor::Integration { integration } => vec![(By::App, Some(integration.as_str()))],
        Actor::System | Actor::Monitor { .. } | Actor::Rule { .. } => vec![(By::App, None)],
    }
}

/// The same as references.
fn actors(place: &Place, state: &State, actor: &Actor) -> Vec<Value> {
    let shown = place.agent(state, actor);
    match actor {
        Actor::OnBehalf { token, name, .. } => {
            let (token, name) = (*token, name.clone());
            let key = place.agent(state, &Actor::Token { token, name });
            vec![shown, key]
        }
        Actor::Person { .. } | Actor::Channel { .. } | Actor::Token { .. } => vec![shown],
        Actor::System | Actor::Integration { .. } | Actor::Monitor { .. } | Actor::Rule { .. } => {
            let mut shown = shown;
            shown["type"] = json!(APP);
            vec![shown]
        }
    }
}

/// The name of the token by which it was done, where one was.
fn token_name(actor: &Actor) -> Option<&str> {
    match actor {
        Actor::Token { name, .. } | Actor::OnBehalf { name, .. } => name.as_deref(),
        Actor::System
        | Actor::Person { .. }
        | Actor::Channel { .. }
        | Actor::Integration { .. }
        | Actor::Monitor { .. }
        | Actor::Rule { .. } => None,
    }
}

/// A reference to what was changed, by the name that it had; none of what has no form here.
fn changed(place: &Place, state: &State, record: &Record) -> Option<Value> {
    let id = record.id.as_str();
    let mut shown = match record.kind {
        ChangedKind::User => place.user(state, id.parse().ok()?),
        ChangedKind::Team => place.team(state, id.parse().ok()?),
        ChangedKind::Schedule => place.schedule(state, id.parse().ok()?),
        ChangedKind::Policy => place.policy(state, id.parse().ok()?),
        ChangedKind::Service => place.service(state, id.parse().ok()?),
        ChangedKind::Installation
        | ChangedKind::Integration
        | ChangedKind::Rules
        | ChangedKind::Window
        | ChangedKind::Heartbeat
        | ChangedKind::Webhook
        | ChangedKind::Tag
        | ChangedKind::BusinessService
        | ChangedKind::Dependencies
        | ChangedKind::Calendar
        | ChangedKind::Target
        | ChangedKind::Monitor => return None,
    };
    if let Some(name) = &record.name {
        shown["summary"] = json!(name);
    }
    Some(shown)
}

/// A record. What is not recorded of a request is null.
fn shown(place: &Place, state: &State, record: &Record) -> Option<Value> {
    let (event, resource) = (&record.event, changed(place, state, record)?);
    let kind = kind::of(&event.body);
    let field = kind.split_once('.').map_or(kind.as_str(), |(_, rest)| rest);
    let told = entry(event, &Names(state));
    Some(json!({
        "id": id::of_position(event.position),
        "self": null,
        "execution_time": time::written(event.at),
        "execution_context": {"request_id": null, "remote_address": null},
        "actors": actors(place, state, &event.actor),
        "method": {
            "type": word_of(&METHODS, &method(&event.actor)),
            "description": token_name(&event.actor),
            "truncated_token": null,
        },
        "root_resource": resource,
        "action": word_of(&ACTIONS, &record.action),
        "details": {
            "resource": resource,
            "fields": [{"name": field, "description": told.title, "value": null, "before_value": null}],
            "references": [],
        },
    }))
}

/// The span that is asked for, which ends now where nothing else is said.
fn span(asked: &Asked) -> Result<Range<Timestamp>, Refused> {
    let now = asked.app.now();
    let since = asked.time("since")?;
    let since = since.unwrap_or_else(|| now.minus_ms(SPAN_MS_DEFAULT));
    // What was done this moment is in it.
    let until = asked.time("until")?.unwrap_or_else(|| now.plus_ms(1));
    if until <= since {
        let why =
            "'until' is invalid: it is later than 'since', which is a day ago where it is not said";
        return Err(Refusal::bad(why).into());
    }
    if until.ms_since(since) > SPAN_DAYS_MAX * DAY_MS + 1 {
        let why = format!("'until' is invalid: it is at most {SPAN_DAYS_MAX} days after 'since'");
        return Err(Refusal::bad(why).into());
    }
    Ok(since..until)
}

/// The position before which the page is.
fn cursor(asked: &Asked) -> Result<Option<u64>, Refused> {
    let Some(text) = asked.parameters.get(CURSOR) else {
        return Ok(None);
    };
    let wrong = || {
        Refusal::bad(format!(
            "'{CURSOR}' is invalid: it is none that was given here"
        ))
    };
    Ok(Some(id::position_of(text).ok_or_else(wrong)?))
}

/// Whether somebody is meant.
type IsMeant = Box<dyn Fn(&Actor) -> bool + Send>;

/// Whom a filter means.
fn is_by(asked: &Asked) -> Result<IsMeant, Refused> {
    if asked.parameters.get(TOKEN_END).is_some() {
        let why = format!(
            "'{TOKEN_END}' is not supported: of a token its id and its name are recorded; use 'actor_type' and 'actor_id'"
        );
        return Err(Refusal::bad(why).into());
    }
    let kind = asked.parameters.word("actor_type", &ACTORS)?;
    let id = asked.parameters.get("actor_id").map(str::to_owned);
    if id.is_some() && kind.is_none() {
        return Err(Refusal::bad("'actor_id' needs 'actor_type'").into());
    }
    let way = asked.parameters.word("method_type", &METHODS)?;
    Ok(Box::new(move |actor: &Actor| {
        let is_meant = |(known, known_id): &(By, Option<&str>)| {
            kind.is_none_or(|kind| kind == *known) && (id.is_none() || id.as_deref() == *known_id)
        };
        way.is_none_or(|way| way == method(actor)) && by(actor).iter().any(is_meant)
    }))
}

async fn found(asked: &Asked, wanted: Wanted) -> Result<(Found, usize), Refused> {
    let (limit, before) = (limit_of(&asked.parameters)?, cursor(asked)?);
    let app = asked.app.clone();
    let find = move || wanted.find(&app, before, limit);
    Ok((asked.app.walked(find).await?, limit))
}

fn listed(asked: &Asked, (found, limit): (Found, usize)) -> Reply {
    let records: Vec<Value> = asked.app.read(|state| {
        let records = found.records.iter();
        let shown = records.filter_map(|record| shown(&asked.place, state, record));
        shown.collect()
    });
    Reply::Done(json!({
        "records": records,
        "next_cursor": found.next.map(id::of_position),
        "limit": limit,
    }))
}

/// What was changed of people, teams, schedules, policies and services, newest first; one page looks at 2000 changes
#[utoipa::path(get, path = "/audit/records", tag = "fronts",
    params(parameters::AuditPage, parameters::Span, parameters::AuditRecords),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn list_pagerduty_audit_records(asked: Asked) -> Answer {
    let roots = asked.parameters.words("root_resource_types", &ROOTS)?;
    let span = span(&asked)?;
    let wanted = Wanted {
        of: None,
        gone_tag: None,
        kinds: Some(roots.unwrap_or_else(|| ROOTS.map(|(_, kind)| kind).to_vec())),
        since: Some(span.start),
        until: Some(span.end),
        actions: asked.parameters.words("actions", &ACTIONS)?,
        is_by: is_by(&asked)?,
    };
    let found = found(&asked, wanted).await?;
    Ok(listed(&asked, found))
}

/// Those of one thing, which may be gone by now.
async fn of_one(asked: &Asked, kind: ChangedKind, noun: &str, id: String) -> Answer {
    let span = span(asked)?;
    let wanted = Wanted {
        of: Some((kind, id.clone())),
        gone_tag: None,
        kinds: None,
        since: Some(span.start),
        until: Some(span.end),
        actions: None,
        is_by: Box::new(|_| true),
    };
    let found = found(asked, wanted).await?;
    if found.0.records.is_empty() {
        let first_team = asked.app.read(|state| {
            let installation = state.installation.as_ref();
            installation.is_some_and(|all| all.team.as_str() == id)
        });
        let ever = asked.app.blocking(move |parts| {
            let of = Some((kind, id.as_str()));
            parts.events.changes(of, u64::MAX, None, 1)
        });
        if ever.await?.is_empty() && !first_team {
            return Err(Refusal::no_such(noun).into());
        }
    }
    Ok(listed(asked, found))
}

/// What was changed of a person, newest first
#[utoipa::path(get, path = "/users/{id}/audit/records", tag = "fronts",
    params(("id" = String, Path), parameters::AuditPage, parameters::Span),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_user_audit_records(Path(id): Path<String>, asked: Asked) -> Answer {
    of_one(&asked, ChangedKind::User, "user", id).await
}

/// What was changed of a team, newest first
#[utoipa::path(get, path = "/teams/{id}/audit/records", tag = "fronts",
    params(("id" = String, Path), parameters::AuditPage, parameters::Span),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_team_audit_records(Path(id): Path<String>, asked: Asked) -> Answer {
    of_one(&asked, ChangedKind::Team, "team", id).await
}

/// What was changed of a schedule, newest first
#[utoipa::path(get, path = "/schedules/{id}/audit/records", tag = "fronts",
    params(("id" = String, Path), parameters::AuditPage, parameters::Span),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_schedule_audit_records(Path(id): Path<String>, asked: Asked) -> Answer {
    of_one(&asked, ChangedKind::Schedule, "schedule", id).await
}

/// What was changed of an escalation policy, newest first
#[utoipa::path(get, path = "/escalation_policies/{id}/audit/records", tag = "fronts",
    params(("id" = String, Path), parameters::AuditPage, parameters::Span),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_policy_audit_records(Path(id): Path<String>, asked: Asked) -> Answer {
    of_one(&asked, ChangedKind::Policy, "escalation policy", id).await
}

/// What was changed of a service, newest first
#[utoipa::path(get, path = "/services/{id}/audit/records", tag = "fronts",
    params(("id" = String, Path), parameters::AuditPage, parameters::Span),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_service_audit_records(Path(id): Path<String>, asked: Asked) -> Answer {
    of_one(&asked, ChangedKind::Service, "service", id).await
}

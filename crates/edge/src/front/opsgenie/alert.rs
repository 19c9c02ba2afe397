//! One alert, read back by the integration that sent it: which it is, and where its incident stands. Only `wire` knows the format.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use tocsin_domain::alert::Alert;
use tocsin_domain::id::{AlertId, UserId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::service::Integration;
use tocsin_domain::state;
use tocsin_wire::opsgenie::{self, Responder, Standing};

use super::naming::{is_question, named};
use super::{Asked, asking};
use crate::app::App;
use crate::front::pagerduty::policy_of;

/// An alert, as Opsgenie's clients read it back
///
/// The alert is named by its alias with `identifierType=alias`, as long as it fires, else by its id, or by that of the request that
/// made it as long as it is remembered. Only those of the integration whose key it is are shown. `tinyId` and `isSeen` are null: Tocsin
/// knows neither. The paths `count` and `saved-searches` are questions that are not answered.
#[utoipa::path(get, path = "/v2/alerts/{id}", tag = "fronts",
    params(("id" = String, Path), ("identifierType" = Option<String>, Query)),
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 401, body = Object),
        (status = 404, body = Object), (status = 405, body = Object), (status = 422, body = Object),
        (status = 429, body = Object)))]
pub(crate) async fn read(
    State(app): State<App>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let asked = Asked::new(&app);
    let integration =
        asking(&app, &asked, &headers).map_err(|problem| asked.problem(&app, &problem))?;
    if is_question(&name, query.as_deref()) {
        return Err(asked.unasked(&app, ""));
    }
    let named = named(&app, &integration, &name, query.as_deref())
        .map_err(|(status, why)| asked.refused(&app, status, why))?;
    let shown = named
        .alert
        .and_then(|alert| shown(&app, &asked, &integration, alert));
    shown.ok_or_else(|| {
        let why = "No alert that fires is called so; one that is over is found by its id.";
        asked.refused(&app, StatusCode::NOT_FOUND, why)
    })
}

fn shown(app: &App, asked: &Asked, integration: &Integration, alert: AlertId) -> Option<Response> {
    let took_s = asked.took_s(app);
    let told = app.read(|state| {
        let alert = state.alerts.get(&alert)?;
        let standing = standing(state, alert);
        let told = opsgenie::shown(alert, &standing, integration, &asked.id, took_s);
        Some(told)
    })?;
    Some(asked.answer(StatusCode::OK, told))
}

/// Where the incident of an alert stands. Nobody has what is over.
fn standing(state: &state::State, alert: &Alert) -> Standing {
    let Some(incident) = state.incidents.get(&alert.incident) else {
        return Standing::default();
    };
    let fires = alert.is_firing();
    let is_acknowledged = fires && incident.status == Status::Acknowledged;
    let owner = owner(state, incident).filter(|_| fires);
    let owner = owner.and_then(|owner| state.users.get(&owner));
    Standing {
        is_acknowledged,
        snoozed_until: incident.snoozed_until.filter(|_| is_acknowledged),
        owner: owner.map_or_else(String::new, |owner| owner.name.clone()),
        responders: responders(state, incident),
    }
}

/// Who has an incident: who acknowledged it, or else the one to whom it was given.
fn owner(state: &state::State, incident: &Incident) -> Option<UserId> {
    let taken = incident
        .acknowledged
        .filter(|_| incident.status == Status::Acknowledged);
    let given = match people_given(state, incident).as_slice() {
        [only] => Some(*only),
        [] | [_, _, ..] => None,
    };
    taken.and_then(|(by, _)| by).or(given)
}

/// The people to whom an incident was given by hand, of those who are there.
fn people_given(state: &state::State, incident: &Incident) -> Vec<UserId> {
    let people = state.people_given(incident).unwrap_or_default().iter();
    let there = people.filter(|user| state.users.contains_key(*user));
    there.copied().collect()
}

/// Who was asked to take an incident: its team; the people to whom it was given, or the policy that it follows; and who was asked to
/// help.
fn responders(state: &state::State, incident: &Incident) -> Vec<Responder> {
    let mut people = people_given(state, incident);
    let policy = policy_of(state, incident).filter(|_| people.is_empty());
    let asked = incident.responders.iter().map(|asked| asked.user);
    let more: Vec<UserId> = asked.filter(|user| !people.contains(user)).collect();
    people.extend(more);
    let mut all = vec![Responder::Team(incident.team)];
    all.extend(policy.map(Responder::Escalation));
    all.extend(people.into_iter().map(Responder::User));
    all
}

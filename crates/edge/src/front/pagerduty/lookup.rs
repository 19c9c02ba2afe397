//! Finds what paths and bodies name, and says in PagerDuty's words when there is no such thing. It changes nothing.

use std::str::FromStr;

use tocsin_domain::id::{
    AlertId, BusinessServiceId, IncidentId, PolicyId, ScheduleId, ServiceId, TeamId, UserId,
};
use tocsin_domain::incident::Incident;
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::{Refusal, absent, id};

use super::reply::Refused;
use crate::app::App;
use crate::http::problem::Problem;
use crate::http::{incident, named};

/// What a path names by its id.
pub(crate) fn in_path<I: FromStr, T>(
    app: &App,
    noun: &str,
    id: &str,
    find: impl FnOnce(&State, I) -> Option<T>,
) -> Result<T, Refused> {
    let missing = || {
        // What PagerDuty has in the place of an id.
        let path = format!("{}s/{id}", noun.replace(' ', "_"));
        absent::in_its_place(&path).map_or_else(|| Refusal::no_such(noun), Refusal::not_found)
    };
    Ok(named::known(app, id, find).ok_or_else(missing)?)
}

/// The id of what a body names at a place, if it is known.
fn in_body<I: FromStr>(
    place: &str,
    noun: &str,
    text: &str,
    is_known: impl FnOnce(&I) -> bool,
) -> Result<I, Refused> {
    let found = text.parse::<I>().ok().filter(is_known);
    Ok(found.ok_or_else(|| Refusal::object_missing(place, noun, text))?)
}

/// The incident that a path names, by id or by number.
pub(crate) fn incident(app: &App, text: &str) -> Result<IncidentId, Refused> {
    let missing = |problem: Problem| match absent::why(&format!("incidents/{text}")) {
        // What PagerDuty has in the place of an id.
        Some(why) => Refused::from(Refusal::not_found(why)),
        None => problem.into(),
    };
    incident::find(app, text).map_err(missing)
}

/// The incident that a body names, by id or by number.
pub(crate) fn incident_in_body(app: &App, place: &str, text: &str) -> Result<IncidentId, Refused> {
    let missing = |_| Refusal::object_missing(place, "incident", text);
    Ok(incident::find(app, text).map_err(missing)?)
}

/// Refuses what is over in PagerDuty's words and with its number for that, where something is asked that only what is open takes.
pub(crate) fn open(state: &State, id: IncidentId) -> Result<(), Refused> {
    match state.incidents.get(&id) {
        Some(known) if !known.is_open() => Err(over(state, known)),
        Some(_) | None => Ok(()),
    }
}

/// The refusal for an incident that is over.
pub(crate) fn over(state: &State, known: &Incident) -> Refused {
    let number = known.number;
    let into = known
        .merged_into
        .and_then(|into| state.incidents.get(&into));
    let why = match into {
        Some(into) => format!("incident {number} was merged into #{}", into.number),
        None => format!("incident {number} is resolved already"),
    };
    Refusal::resolved_already(why).into()
}

/// The alert of an incident that a path names.
pub(crate) fn alert(state: &State, of: IncidentId, text: &str) -> Result<AlertId, Refused> {
    let missing = || Refusal::not_found(format!("the incident has no alert {text:?}"));
    Ok(incident::alert::of(state, of, text).ok_or_else(missing)?)
}

/// The alert of an incident that a body names.
pub(crate) fn alert_in_body(
    state: &State,
    of: IncidentId,
    place: &str,
    text: &str,
) -> Result<AlertId, Refused> {
    let missing = || Refusal::object_missing(place, "alert", text);
    Ok(incident::alert::of(state, of, text).ok_or_else(missing)?)
}

/// The service that a body names.
pub(crate) fn service(state: &State, place: &str, text: &str) -> Result<ServiceId, Refused> {
    let is_known = |id: &ServiceId| state.services.contains_key(id);
    in_body(place, "service", text, is_known)
}

/// The business service that a body names.
pub(crate) fn business_service(
    state: &State,
    place: &str,
    text: &str,
) -> Result<BusinessServiceId, Refused> {
    let is_known = |id: &BusinessServiceId| state.business.services.contains_key(id);
    in_body(place, "business service", text, is_known)
}

/// The team that a body names.
pub(crate) fn team(state: &State, place: &str, text: &str) -> Result<TeamId, Refused> {
    let is_known = |id: &TeamId| state.teams.contains_key(id);
    in_body(place, "team", text, is_known)
}

/// The team that a body gives something to, `Some(None)` for none; as before where it says nothing of teams.
pub(crate) fn given_to(
    state: &State,
    place: &str,
    teams: Option<&[String]>,
) -> Result<Option<Option<TeamId>>, Refused> {
    match teams {
        None => Ok(None),
        Some([]) => Ok(Some(None)),
        Some([one]) => Ok(Some(Some(team(state, place, one)?))),
        Some(_) => {
            let why = format!("'{place}' is invalid: policies and schedules have one team at most");
            Err(Refusal::bad(why).into())
        }
    }
}

/// The policy that a body names.
pub(crate) fn policy(state: &State, place: &str, text: &str) -> Result<PolicyId, Refused> {
    let is_known = |id: &PolicyId| state.policies.contains_key(id);
    in_body(place, "escalation policy", text, is_known)
}

/// The schedule that a body names.
pub(crate) fn schedule(state: &State, place: &str, text: &str) -> Result<ScheduleId, Refused> {
    let is_known = |id: &ScheduleId| state.schedules.contains_key(id);
    in_body(place, "schedule", text, is_known)
}

/// The person that a body names.
pub(crate) fn user(state: &State, place: &str, text: &str) -> Result<UserId, Refused> {
    let is_known = |id: &UserId| state.users.contains_key(id);
    in_body(place, "user", text, is_known)
}

/// The name of the priority that a body names, by its id or by its name.
pub(crate) fn priority(state: &State, place: &str, text: &str) -> Result<String, Refused> {
    let names = state.installation.iter().flat_map(|all| &all.priorities);
    let mut names = names.filter(|name| id::of_name(name) == text || *name == text);
    let missing = || Refusal::object_missing(place, "priority", text);
    Ok(names.next().cloned().ok_or_else(missing)?)
}

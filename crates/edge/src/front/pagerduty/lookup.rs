//! Finds what paths and bodies name, and says in PagerDuty's words when there is no such thing. It changes nothing.

use tocsin_domain::id::{
    AlertId, BusinessServiceId, IncidentId, PolicyId, ServiceId, TeamId, UserId,
};
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::{Refusal, id};

use super::reply::Refused;
use crate::app::App;
use crate::http::incident;

/// The incident that a path names, by id or by number.
pub(crate) fn incident(app: &App, text: &str) -> Result<IncidentId, Refused> {
    Ok(incident::find(app, text)?)
}

/// The alert of an incident that a path names.
pub(crate) fn alert(state: &State, of: IncidentId, text: &str) -> Result<AlertId, Refused> {
    let missing = || Refusal::not_found(format!("the incident has no alert {text:?}"));
    let alert: AlertId = text.parse().map_err(|_| missing())?;
    let known = state.incidents.get(&of);
    let has = known.is_some_and(|known| known.alerts.contains(&alert));
    has.then_some(alert).ok_or_else(|| missing().into())
}

/// The service that a body names.
pub(crate) fn service(state: &State, text: &str) -> Result<ServiceId, Refused> {
    let found = text.parse().ok();
    let known = found.filter(|id| state.services.contains_key(id));
    known.ok_or_else(|| Refusal::object_missing(format!("Service not found: {text:?}")).into())
}

/// The business service that a body names.
pub(crate) fn business_service(state: &State, text: &str) -> Result<BusinessServiceId, Refused> {
    let found = text.parse().ok();
    let known = found.filter(|id| state.business.services.contains_key(id));
    known.ok_or_else(|| Refusal::bad(format!("Business service not found: {text:?}")).into())
}

/// The team that a body names.
pub(crate) fn team(state: &State, text: &str) -> Result<TeamId, Refused> {
    let found = text.parse().ok();
    let known = found.filter(|id| state.teams.contains_key(id));
    known.ok_or_else(|| Refusal::bad(format!("Team not found: {text:?}")).into())
}

/// The policy that a body names.
pub(crate) fn policy(state: &State, text: &str) -> Result<PolicyId, Refused> {
    let found = text.parse().ok();
    let known = found.filter(|id| state.policies.contains_key(id));
    known.ok_or_else(|| {
        Refusal::object_missing(format!("Escalation policy not found: {text:?}")).into()
    })
}

/// The person that a body names.
pub(crate) fn user(state: &State, text: &str) -> Result<UserId, Refused> {
    let found = text.parse().ok();
    let known = found.filter(|id| state.users.contains_key(id));
    known.ok_or_else(|| Refusal::object_missing(format!("User not found: {text:?}")).into())
}

/// The name of the priority that a body names, by its id or by its name.
pub(crate) fn priority(state: &State, text: &str) -> Result<String, Refused> {
    let names = state.installation.iter().flat_map(|all| &all.priorities);
    let mut names = names.filter(|name| id::of_name(name) == text || *name == text);
    let missing = || Refusal::object_missing(format!("Priority not found: {text:?}"));
    Ok(names.next().cloned().ok_or_else(missing)?)
}

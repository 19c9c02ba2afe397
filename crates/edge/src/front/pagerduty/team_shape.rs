//! How a team looks to PagerDuty's clients.

use serde_json::{Value, json};
use tocsin_domain::id::TeamId;
use tocsin_domain::state::State;
use tocsin_domain::team::Team;
use tocsin_wire::pagerduty::rest::roster::DEFAULT_ROLE;

use super::described::told;
use super::place::{Place, whole};

/// A team.
pub(crate) fn team(state: &State, place: &Place, known: &Team) -> Value {
    let more = json!({"name": known.name, "description": told(&known.description), "default_role": DEFAULT_ROLE});
    whole(place.team(state, known.id), "team", more)
}

/// The teams of a policy or a schedule: the one that it was given to, or none, as clients read back that have said nothing of teams.
pub(super) fn own_teams(state: &State, place: &Place, given_to: Option<TeamId>) -> Vec<Value> {
    let own = given_to.into_iter();
    own.map(|team| place.team(state, team)).collect()
}

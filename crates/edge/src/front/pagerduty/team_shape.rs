//! How a team looks to PagerDuty's clients.

use serde_json::{Value, json};
use tocsin_domain::state::State;
use tocsin_domain::team::Team;

use super::described::told;
use super::place::{Place, whole};

/// A team.
pub(crate) fn team(state: &State, place: &Place, known: &Team) -> Value {
    let more = json!({"name": known.name, "description": told(&known.description), "default_role": "manager"});
    whole(place.team(state, known.id), "team", more)
}

//! How an escalation policy looks to PagerDuty's clients.

use serde_json::{Value, json};
use tocsin_domain::id::PolicyId;
use tocsin_domain::page::{Policy, Recipient};
use tocsin_domain::state::State;

use super::described::told;
use super::place::{Place, whole};
use super::team_shape::own_teams;

/// An escalation policy.
pub(crate) fn policy(state: &State, place: &Place, known: &Policy) -> Value {
    let rules: Vec<Value> = known
        .levels
        .iter()
        .enumerate()
        .map(|(index, level)| {
            let targets = level.targets.iter();
            let targets: Vec<Value> = targets.map(|one| target(state, place, *one)).collect();
            let mut rule = json!({
                "id": rule_id(known.id, index),
                "escalation_delay_in_minutes": level.delay_ms.div_ceil(60_000),
                "targets": targets,
            });
            // Some clients read a word here and others an object, and all of them take a rule without it to be for everyone.
            if level.round_robin {
                rule["escalation_rule_assignment_strategy"] = json!({"type": "round_robin"});
            }
            rule
        })
        .collect();
    let followed = |policy: Option<PolicyId>| {
        let default = state.installation.as_ref().map(|all| all.default_policy);
        policy.or(default) == Some(known.id)
    };
    let services = state.services.values().filter(|one| followed(one.policy));
    let services: Vec<Value> = services.map(|one| place.service(state, one.id)).collect();
    let more = json!({
        "name": known.name,
        "description": told(&known.description),
        "escalation_rules": rules,
        "services": services,
        "num_loops": known.repeat,
        "on_call_handoff_notifications": "if_has_services",
        "teams": own_teams(state, place, known.team),
    });
    whole(place.policy(state, known.id), "escalation_policy", more)
}

/// The id of a level, which has none of its own: it stands for its place in its policy.
pub(super) fn rule_id(policy: PolicyId, index: usize) -> String {
    tocsin_wire::pagerduty::rest::id::of_name(&format!("{policy}/{index}"))
}

/// Who is paged.
pub(crate) fn target(state: &State, place: &Place, one: Recipient) -> Value {
    match one {
        Recipient::User(user) => place.user(state, user),
        Recipient::Schedule(schedule) => place.schedule(state, schedule),
        Recipient::Team(team) => place.team(state, team),
    }
}

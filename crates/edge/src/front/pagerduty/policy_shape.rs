//! How an escalation policy looks to PagerDuty's clients.

use serde_json::{Value, json};
use tocsin_domain::id::PolicyId;
use tocsin_domain::page::{Policy, Recipient};
use tocsin_domain::state::State;
use tocsin_wire::json_text::JsonText;
use tocsin_wire::pagerduty::rest::roster::HAND_OFFS_TOLD;

use super::described::told;
use super::place::Place;
use super::team_shape::own_teams;

/// How a rule is assigned among those it names.
const STRATEGY: &str = "escalation_rule_assignment_strategy";

/// An escalation policy.
pub(crate) fn policy(state: &State, place: &Place, known: &Policy) -> Value {
    let mut out = JsonText::default();
    write_policy(&mut out, state, place, known);
    out.into_value()
}

/// Writes an escalation policy. It names every service that follows it: to make a value of each takes several times as long as to
/// write it. Its fields stand in the order of their names, as those of a value do.
pub(super) fn write_policy(out: &mut JsonText, state: &State, place: &Place, known: &Policy) {
    let rules = known.levels.iter().enumerate().map(|(index, level)| {
        let targets = level.targets.iter();
        let targets: Vec<Value> = targets.map(|one| target(state, place, *one)).collect();
        let mut rule = json!({
            "id": rule_id(known, index),
            "escalation_delay_in_minutes": shown_minutes(level.delay_ms),
            "targets": targets,
        });
        // Some clients read a word here and others an object, and all of them take a rule without it to be for everyone.
        if level.round_robin {
            rule[STRATEGY] = json!({"type": "round_robin"});
        }
        rule
    });
    let followed = |policy: Option<PolicyId>| {
        let default = state.installation.as_ref().map(|all| all.default_policy);
        policy.or(default) == Some(known.id)
    };
    let services = state.services.values().filter(|one| followed(one.policy));
    let id = known.id.as_str();
    out.object(|out| {
        let description = told(&known.description);
        out.field("description")
            .or_null(description, JsonText::text);
        out.field("escalation_rules")
            .list(rules, |out, rule| out.value(&rule));
        out.field("html_url")
            .texts(&place.page_in("oncall/policies/", id));
        out.field("id").text(id);
        out.field("name").text(&known.name);
        out.field("num_loops").number(known.repeat.into());
        out.field("on_call_handoff_notifications")
            .text(HAND_OFFS_TOLD);
        out.field("self")
            .texts(&place.api_in("escalation_policies/", id));
        out.field("services").list(services, |out, one| {
            place.known_service(one).write(out);
        });
        out.field("summary").text(&known.name);
        let teams = own_teams(state, place, known.given_to);
        out.field("teams").list(&teams, JsonText::value);
        out.field("type").text("escalation_policy");
    });
}

/// Says of every rule how it is assigned, for whoever asks: Terraform's provider takes a rule that does not say it to differ from
/// one that was written as for everyone.
pub(super) fn assignment_told(mut shown: Value) -> Value {
    let rules = shown["escalation_rules"].as_array_mut();
    for rule in rules.into_iter().flatten() {
        if let Some(rule) = rule.as_object_mut() {
            let everyone = || json!({"type": "assign_to_everyone"});
            rule.entry(STRATEGY).or_insert_with(everyone);
        }
    }
    shown
}

/// How long a level is waited for, in the whole minutes that PagerDuty's clients know: one that has begun counts.
pub(super) const fn shown_minutes(delay_ms: u64) -> u64 {
    delay_ms.div_ceil(60_000)
}

/// The id of a level, which has none of its own: it stands for its number in its policy.
pub(super) fn rule_id(policy: &Policy, index: usize) -> String {
    let number = policy.level_numbers.of(index);
    tocsin_wire::pagerduty::rest::id::of_name(&format!("{}/{number}", policy.id))
}

/// Who is paged.
pub(crate) fn target(state: &State, place: &Place, one: Recipient) -> Value {
    match one {
        Recipient::User(user) => place.user(state, user),
        Recipient::Schedule(schedule) => place.schedule(state, schedule),
        Recipient::Team(team) => place.team(state, team),
    }
}

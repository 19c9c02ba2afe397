//! Escalation policies.

use serde_json::{Value, json};
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::RosterEvent;
use tocsin_domain::id::{PolicyId, TeamId, UserId};
use tocsin_domain::numbers::Numbers;
use tocsin_domain::page::{Level, Policy, Recipient, WholePolicy};
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::roster as bodies;
use tocsin_wire::pagerduty::rest::{Refusal, body, words};

use super::asked::{Asked, Path};
use super::include::Named;
use super::lookup;
use super::parameters;
use super::policy_shape::{assignment_told, policy, rule_id, shown_minutes};
use super::reply::{Answer, Refused, Reply, refusing};
use crate::http::roster::{lost, set_in_turn};

/// What can be shown wholly, and where it stands.
pub(super) const INCLUDED: &[Named] = &[
    ("services", &["services"]),
    ("teams", &["teams"]),
    ("targets", &["escalation_rules", "targets"]),
];

/// The word of `include[]` by which a rule says how it is assigned.
pub(super) const STRATEGIES: &str = "escalation_rule_assignment_strategies";

/// What is said of a rule that names nobody.
const NO_TARGET: &str = "Each escalation rule must have at least one target";

/// Escalation policies
#[utoipa::path(get, path = "/escalation_policies", tag = "fronts",
    params(parameters::Page, parameters::Search, parameters::Teams, parameters::People, parameters::PolicyInclude),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_escalation_policies(asked: Asked) -> Answer {
    let teams: Option<Vec<TeamId>> = asked.parameters.ids("team_ids")?;
    let users: Option<Vec<UserId>> = asked.parameters.ids("user_ids")?;
    let paging = asked.paging()?;
    let mut cut = asked.app.read(|state| {
        let pages = |one: &Policy, users: &Vec<UserId>| {
            let mut targets = one.levels.iter().flat_map(|level| &level.targets);
            targets.any(|target| matches!(target, Recipient::User(user) if users.contains(user)))
        };
        let all = state.policies.values().filter(|one| {
            let own = |set: &Vec<TeamId>| one.given_to.is_some_and(|team| set.contains(&team));
            teams.as_ref().is_none_or(own) && users.as_ref().is_none_or(|set| pages(one, set))
        });
        let named = all.map(|one| (one.id, one.name.as_str(), ""));
        // Only what the page holds is shown: each asks all services which of them follow it.
        let cut = asked.named_cut(paging, named)?;
        Ok::<_, Refused>(cut.map(|id| {
            let known = state.policies.get(&id)?;
            Some(shown(&asked, state, known))
        }))
    })?;
    cut.items = asked.included(cut.items, INCLUDED).await?;
    Ok(Reply::page(paging, "escalation_policies", cut))
}

fn named(asked: &Asked, id: &str) -> Result<Policy, Refused> {
    let known = |state: &State, id: PolicyId| state.policies.get(&id).cloned();
    lookup::in_path(&asked.app, "escalation policy", id, known)
}

fn shown(asked: &Asked, state: &State, known: &Policy) -> Value {
    let shown = policy(state, &asked.place, known);
    if asked.parameters.includes(STRATEGIES) {
        assignment_told(shown)
    } else {
        shown
    }
}

async fn wrapped(asked: &Asked, known: &Policy) -> Result<Value, Refused> {
    let shown = asked.app.read(|state| shown(asked, state, known));
    let shown = asked.included_one(shown, INCLUDED).await?;
    Ok(json!({ "escalation_policy": shown }))
}

/// One escalation policy
#[utoipa::path(get, path = "/escalation_policies/{id}", tag = "fronts", params(("id" = String, Path), parameters::PolicyInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_escalation_policy(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    wrapped(&asked, &known).await.map(Reply::Done)
}

fn recipient(state: &State, place: &str, target: &body::Named) -> Result<Recipient, Refused> {
    let id = &target.id;
    match target.kind.as_str() {
        "user" => lookup::user(state, place, id).map(Recipient::User),
        "team" => lookup::team(state, place, id).map(Recipient::Team),
        _ => lookup::schedule(state, place, id).map(Recipient::Schedule),
    }
}

/// The place of the level that a rule of a body was read as. Who sends ids says by them which is which, so one without is new; who sends
/// none means the levels in their order.
fn before(known: &Policy, wanted: &[bodies::Level], index: usize) -> Option<usize> {
    let count = known.levels.len();
    if wanted.iter().all(|level| level.id.is_none()) {
        return (index < count).then_some(index);
    }
    let id = wanted.get(index)?.id.as_deref()?;
    (0..count).find(|index| rule_id(known, *index) == id)
}

/// The numbers of levels by which those of a body keep their ids.
fn numbers(known: &Policy, wanted: &[bodies::Level]) -> Numbers {
    let places = (0..wanted.len()).map(|index| before(known, wanted, index));
    known.level_numbers.after(known.levels.len(), places)
}

/// How long a level is waited for. Who sends back the minutes that they were shown means the time that is there, which may be between
/// two of them.
fn delay_ms(wanted: &bodies::Level, targets: &[Recipient], before: Option<&Level>) -> u64 {
    let kept = before.filter(|before| {
        // Without an id the place alone does not tell a level from another.
        let is_it = wanted.id.is_some() || before.targets == targets;
        is_it && shown_minutes(before.delay_ms) == wanted.delay_minutes
    });
    let said = || wanted.delay_minutes.saturating_mul(60_000);
    kept.map_or_else(said, |before| before.delay_ms)
}

/// The levels of a body. What PagerDuty's clients cannot say of a level stays as it was, and so does one on which nobody is left, since
/// whoever it named was removed: clients write back what they have read.
fn levels(
    state: &State,
    wanted: &[bodies::Level],
    known: Option<&Policy>,
) -> Result<Vec<Level>, Refused> {
    let levels = wanted.iter().enumerate().map(|(index, level)| {
        let place = format!("escalation_policy.escalation_rules[{index}].targets");
        let targets = level.targets.iter();
        let targets = targets.map(|target| recipient(state, &place, target));
        let targets = targets.collect::<Result<Vec<_>, Refused>>()?;
        let before = known.and_then(|known| {
            let place = before(known, wanted, index)?;
            known.levels.get(place)
        });
        let is_left_empty = before.is_some_and(|before| before.targets.is_empty());
        if targets.is_empty() && !is_left_empty {
            return Err(Refusal::bad(format!("'{place}' is invalid: {NO_TARGET}")).into());
        }
        Ok(Level {
            delay_ms: delay_ms(level, &targets, before),
            targets,
            round_robin: level.round_robin,
            each_must_acknowledge: before.is_some_and(|before| before.each_must_acknowledge),
        })
    });
    levels.collect()
}

/// Adds a policy or changes this one, in the turn of the roster.
async fn set(asked: &Asked, known: Option<&Policy>) -> Result<Policy, Refused> {
    let body = bodies::policy(&asked.body)?;
    let place = "escalation_policy.teams";
    let given_to = asked
        .app
        .read(|state| lookup::given_to(state, place, body.teams.as_deref()))?;
    let description = words::description(&asked.body, "escalation_policy")?;
    let name = body.name.or_else(|| known.map(|known| known.name.clone()));
    let name = name.ok_or_else(|| Refusal::bad("'escalation_policy.name' is missing or blank"))?;
    let levels = match (&body.levels, known) {
        (Some(wanted), known) => asked.app.read(|state| levels(state, wanted, known))?,
        (None, Some(known)) => known.levels.clone(),
        (None, None) => {
            return Err(Refusal::bad("'escalation_policy.escalation_rules' is missing").into());
        }
    };
    let level_numbers = body.levels.as_deref().zip(known);
    let level_numbers = level_numbers.map(|(wanted, known)| numbers(known, wanted));
    let repeat = match body.repeat {
        None => known.map_or(0, |known| known.repeat),
        Some(repeat) => u32::try_from(repeat).unwrap_or(u32::MAX),
    };
    let wanted = WholePolicy {
        id: known.map(|known| known.id),
        name,
        levels,
        repeat,
        acknowledgement_timeout_ms: known.and_then(|known| known.acknowledgement_timeout_ms),
        description,
        given_to,
        level_numbers,
    };
    set_whole(asked, wanted).await
}

async fn set_whole(asked: &Asked, wanted: WholePolicy) -> Result<Policy, Refused> {
    let ask = Ask::Roster(RosterAsk::SetWholePolicy(Box::new(wanted)));
    let event = set_in_turn(&asked.app, &asked.caller.actor, ask).await;
    let event = event.map_err(refusing(Noun::Policy))?;
    let RosterEvent::PolicySet { policy } = event else {
        return Err(lost().into());
    };
    Ok(policy)
}

/// Gives the policy of a path to a team, or takes it from that team: then it is given to none.
async fn moved(asked: &Asked, (team, id): (String, String), is_put_in: bool) -> Answer {
    let of = |state: &State, team: TeamId| state.teams.get(&team).map(|known| known.id);
    asked
        .in_turn(move |own| async move {
            let team = lookup::in_path(&own.app, "team", &team, of)?;
            let known = named(&own, &id)?;
            let is_in = known.given_to == Some(team);
            if is_in == is_put_in {
                return Ok(());
            }
            let wanted = WholePolicy {
                id: Some(known.id),
                name: known.name,
                levels: known.levels,
                repeat: known.repeat,
                acknowledgement_timeout_ms: known.acknowledgement_timeout_ms,
                description: None,
                given_to: Some(is_put_in.then_some(team)),
                level_numbers: None,
            };
            set_whole(&own, wanted).await.map(drop)
        })
        .await?;
    Ok(Reply::Empty)
}

/// Give an escalation policy to a team, whosever it was
#[utoipa::path(put, path = "/teams/{id}/escalation_policies/{policy_id}", tag = "fronts",
    params(("id" = String, Path), ("policy_id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn add_team_policy(Path(of): Path<(String, String)>, asked: Asked) -> Answer {
    moved(&asked, of, true).await
}

/// Take an escalation policy from a team, if it is that team's
#[utoipa::path(delete, path = "/teams/{id}/escalation_policies/{policy_id}", tag = "fronts",
    params(("id" = String, Path), ("policy_id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_team_policy(Path(of): Path<(String, String)>, asked: Asked) -> Answer {
    moved(&asked, of, false).await
}

/// Add an escalation policy
#[utoipa::path(post, path = "/escalation_policies", tag = "fronts", request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_escalation_policy(asked: Asked) -> Answer {
    let made = asked.in_turn(|own| async move { set(&own, None).await });
    let made = made.await?;
    wrapped(&asked, &made).await.map(Reply::Created)
}

/// Change an escalation policy
#[utoipa::path(put, path = "/escalation_policies/{id}", tag = "fronts", params(("id" = String, Path)),
    request_body = Object, responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_escalation_policy(Path(id): Path<String>, asked: Asked) -> Answer {
    let made = asked.in_turn(|own| async move {
        let known = named(&own, &id)?;
        set(&own, Some(&known)).await
    });
    let made = made.await?;
    wrapped(&asked, &made).await.map(Reply::Done)
}

/// Remove an escalation policy that no service names
#[utoipa::path(delete, path = "/escalation_policies/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn remove_escalation_policy(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let ask = Ask::Roster(RosterAsk::RemovePolicy(known.id));
    asked.app.ask(&asked.caller.actor, ask).await?;
    Ok(Reply::Empty)
}

//! The event orchestration, of which there is one: the rules about alerts of the whole installation. Its router is those rules as
//! long as each does nothing but send alerts to a service; as soon as one does more, none is shown, so that none is lost by being
//! written back.

use serde_json::{Value, json};
use tocsin_domain::command::{Ask, AskedRule, IntakeAsk};
use tocsin_domain::event::{IntakeEvent, RosterEvent};
use tocsin_domain::id::{RuleId, ServiceId};
use tocsin_domain::intake::{Action, Rule};
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::orchestration::{self as bodies, Route, SET, UNROUTED};
use tocsin_wire::pagerduty::rest::{Refusal, id, pcl, time};
use tocsin_wire::plain::cut;

use super::asked::{Asked, Path};
use super::lookup;
use super::parameters;
use super::place::{Place, whole};
use super::reply::{Answer, Refused, Reply, refusing};
use crate::http::roster::{lost, set_in_turn};

/// What the only orchestration is called.
const NAME: &str = "Tocsin";
/// What the name of a rule without a label begins with: here every rule has a name, and there not.
const UNLABELLED: &str = "Without a label, to ";
/// Characters of such a name at most.
const RULE_NAME_CHARS_MAX: usize = 100;

fn orchestration_id() -> String {
    id::of_name("event_orchestration")
}

fn path() -> String {
    format!("event_orchestrations/{}", orchestration_id())
}

/// Refuses what is not the only orchestration.
fn found(wanted: &str) -> Result<(), Refused> {
    if wanted == orchestration_id() {
        return Ok(());
    }
    Err(Refusal::no_such("event orchestration").into())
}

/// How old the rules are. Clients refuse to read a router of which that is not told.
struct Age {
    created_at: Option<String>,
    updated_at: Option<String>,
    version: Option<String>,
}

impl Age {
    fn of(state: &State) -> Self {
        let made = state.dates.set_up;
        let changed = state.dates.rules.or(made);
        Self {
            created_at: made.map(|made| time::written(made.at)),
            updated_at: changed.map(|changed| time::written(changed.at)),
            version: changed.map(|changed| changed.position.to_string()),
        }
    }
}

fn orchestration(state: &State, place: &Place) -> Value {
    let age = Age::of(state);
    let team = state.installation.as_ref();
    let team = team.map(|all| place.team(state, all.team));
    let id = orchestration_id();
    let head = place.named("event_orchestration", &id, NAME, &path(), "settings");
    let more = json!({
        "name": NAME,
        "description": "The rules about the alerts of every service",
        "team": team,
        "routes": state.rules.len(),
        "integrations": [],
        "created_at": age.created_at,
        "created_by": null,
        "updated_at": age.updated_at,
        "updated_by": null,
        "version": age.version,
    });
    whole(head, "event_orchestration", more)
}

/// The service that a rule sends alerts to, and when; or why the router cannot show the rule.
fn route_of(rule: &Rule) -> Result<(ServiceId, Vec<String>), Refused> {
    let cannot = |why: &str| {
        let why = format!(
            "the rule {:?} {why}: the rules of this installation are shown and changed in Tocsin alone",
            rule.name
        );
        Refusal::no_ability(why)
    };
    let [Action::Route { service }] = rule.then.as_slice() else {
        return Err(cannot("does more than send an alert to a service").into());
    };
    if rule.go_on {
        return Err(cannot("lets the rules after it be looked at too").into());
    }
    let when = pcl::expressions(&rule.when);
    let when = when.ok_or_else(|| cannot("asks for what PagerDuty's conditions cannot say"))?;
    Ok((*service, when))
}

fn rule_shown(rule: &Rule) -> Result<Value, Refused> {
    let (service, when) = route_of(rule)?;
    let label = Some(&rule.name).filter(|name| !name.starts_with(UNLABELLED));
    let conditions = when.iter().map(|text| json!({"expression": text}));
    Ok(json!({
        "id": rule.id.as_str(),
        "label": label,
        "conditions": conditions.collect::<Vec<_>>(),
        "actions": {"route_to": service.as_str()},
        "disabled": false,
    }))
}

/// The body that shows a router of these rules.
fn router(asked: &Asked, rules: &[Rule], age: &Age) -> Result<Value, Refused> {
    let rules = rules.iter().map(rule_shown);
    let rules = rules.collect::<Result<Vec<Value>, Refused>>()?;
    let parent = json!({
        "id": orchestration_id(),
        "type": "event_orchestration_reference",
        "self": asked.place.api(&path()),
    });
    Ok(json!({"orchestration_path": {
        "type": "router",
        "parent": parent,
        "self": asked.place.api(&format!("{}/router", path())),
        "sets": [{"id": SET, "rules": rules}],
        "catch_all": {"actions": {"route_to": UNROUTED}},
        "created_at": age.created_at,
        "created_by": null,
        "updated_at": age.updated_at,
        "updated_by": null,
        "version": age.version,
    }}))
}

/// Event orchestrations, of which there is one
#[utoipa::path(get, path = "/event_orchestrations", tag = "fronts", params(parameters::Page),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_orchestrations(asked: Asked) -> Answer {
    let paging = asked.paging()?;
    let all = asked
        .app
        .read(|state| vec![orchestration(state, &asked.place)]);
    Ok(Reply::page(paging, "orchestrations", paging.cut(all)))
}

/// The event orchestration
#[utoipa::path(get, path = "/event_orchestrations/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_orchestration(Path(id): Path<String>, asked: Asked) -> Answer {
    found(&id)?;
    let shown = asked.app.read(|state| orchestration(state, &asked.place));
    Ok(Reply::Done(json!({ "orchestration": shown })))
}

/// The router of the event orchestration: rules that send alerts to services
#[utoipa::path(get, path = "/event_orchestrations/{id}/router", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 402, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_router(Path(id): Path<String>, asked: Asked) -> Answer {
    found(&id)?;
    let (rules, age) = asked
        .app
        .read(|state| (state.rules.clone(), Age::of(state)));
    router(&asked, &rules, &age).map(Reply::Done)
}

/// The rule that a route becomes.
fn rule_for(state: &State, index: usize, route: Route) -> Result<AskedRule, Refused> {
    let place = format!("orchestration_path.sets[0].rules[{index}].actions.route_to");
    let service = lookup::service(state, &place, &route.to)?;
    let name = state.services.get(&service);
    let name = name.map_or("a service", |known| known.name.as_str());
    let id: Option<RuleId> = route.id.and_then(|id| id.parse().ok());
    Ok(AskedRule {
        id: id.filter(|id| state.rules.iter().any(|rule| rule.id == *id)),
        name: route
            .label
            .unwrap_or_else(|| cut(&format!("{UNLABELLED}{name}"), RULE_NAME_CHARS_MAX)),
        when: route.when,
        then: vec![Action::Route { service }],
        go_on: false,
    })
}

/// Replace the rules of the router
#[utoipa::path(put, path = "/event_orchestrations/{id}/router", tag = "fronts", params(("id" = String, Path)),
    request_body = Object, responses((status = 200, body = Object), (status = 400, body = Object), (status = 402, body = Object), (status = 404, body = Object)))]
pub(crate) async fn set_router(Path(id): Path<String>, asked: Asked) -> Answer {
    found(&id)?;
    let routes = bodies::router(&asked.body)?;
    let rules = asked.in_turn(|own| async move { routed(&own, routes).await });
    let rules = rules.await?;
    let age = asked.app.read(Age::of);
    router(&asked, &rules, &age).map(Reply::Done)
}

/// Puts these routes in the place of all rules, in the turn of the roster.
async fn routed(asked: &Asked, routes: Vec<Route>) -> Result<Vec<Rule>, Refused> {
    let rules = asked.app.read(|state| {
        // What it could not show would be lost.
        for rule in &state.rules {
            route_of(rule)?;
        }
        let rules = routes.into_iter().enumerate();
        let rules = rules.map(|(index, route)| rule_for(state, index, route));
        rules.collect::<Result<Vec<AskedRule>, Refused>>()
    })?;
    let ask = IntakeAsk::SetRules {
        service: None,
        rules,
    };
    let event = set_in_turn(&asked.app, &asked.caller.actor, Ask::Intake(ask)).await;
    let event = event.map_err(refusing(Noun::Router))?;
    let RosterEvent::Intake(IntakeEvent::RulesSet { rules }) = event else {
        return Err(lost().into());
    };
    Ok(rules)
}

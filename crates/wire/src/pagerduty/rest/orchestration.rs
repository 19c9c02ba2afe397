//! The router of an event orchestration in bodies: rules that send alerts to services. What Tocsin's rules cannot carry is refused
//! with the name of the rule.

use tocsin_domain::intake::Condition;

use super::body::{self, Fields, Wrong};
use super::pcl;
use super::refusal::Refusal;

/// The type of a path that is a router.
const ROUTER: &str = "router";
/// The only set of rules that a router has.
pub const SET: &str = "start";
/// Where alerts go that no rule sends anywhere.
pub const UNROUTED: &str = "unrouted";
/// Rules of a router at most.
pub const RULES_MAX: usize = 100;
/// Conditions of one rule at most.
const CONDITIONS_MAX: usize = 50;

/// A rule that sends alerts to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its id, where it has one already.
    pub id: Option<String>,
    /// What it is for.
    pub label: Option<String>,
    /// When it holds.
    pub when: Condition,
    /// The id of the service.
    pub to: String,
}

/// Reads the body of `PUT /event_orchestrations/{id}/router`.
///
/// # Errors
/// Everything that is wrong with it, and what Tocsin's rules cannot carry.
pub fn router(bytes: &[u8]) -> Result<Vec<Route>, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "orchestration_path")?;
    let mut wrong = Wrong::default();
    let kind = fields.text(&mut wrong, "type", 64);
    if kind.is_some_and(|kind| kind != ROUTER) {
        let path = fields.path("type");
        wrong.add(format!("'{path}' is invalid: it is {ROUTER}"));
    }
    let sets = fields.objects(&mut wrong, "sets");
    let Some(sets) = sets.filter(|sets| !sets.is_empty()) else {
        wrong.add("'orchestration_path.sets' is missing: it is an array with one set of rules");
        return wrong.outcome(None);
    };
    if sets.len() > 1 {
        wrong.add("'orchestration_path.sets' is not supported: a router has one set");
    }
    let mut routes = Vec::new();
    for set in sets.iter().take(1) {
        routes.extend(routes_of(set, &mut wrong));
    }
    let rest = fields.object(&mut wrong, "catch_all");
    let rest = rest.and_then(|rest| rest.object(&mut wrong, "actions"));
    if let Some(actions) = rest {
        let to = actions.text(&mut wrong, "route_to", 64);
        if to.is_some_and(|to| to != UNROUTED) {
            let path = actions.path("route_to");
            wrong.add(format!(
                "'{path}' is not supported: what no rule sends elsewhere stays with the service whose key it came by"
            ));
        }
    }
    wrong.outcome(Some(routes))
}

/// The rules of a set. One without any says so by an empty list: where it says nothing of them, all that there are would go.
fn routes_of(set: &Fields<'_>, wrong: &mut Wrong) -> Vec<Route> {
    let id = set.text(wrong, "id", 64);
    if id.is_some_and(|id| id != SET) {
        wrong.add(format!("'{}' is invalid: it is {SET}", set.path("id")));
    }
    let path = set.path("rules");
    if set.value("rules").is_none() {
        wrong.add(format!("'{path}' is missing: it is an array"));
    }
    let rules = set.objects(wrong, "rules").unwrap_or_default();
    if rules.len() > RULES_MAX {
        wrong.add(format!("'{path}' has more than {RULES_MAX} entries"));
    }
    let read = rules.iter().take(RULES_MAX);
    read.filter_map(|rule| route(rule, wrong)).collect()
}

fn route(rule: &Fields<'_>, wrong: &mut Wrong) -> Option<Route> {
    let label = rule.text(wrong, "label", 200);
    // Whoever reads a refusal looks for the rule by the name that they gave it.
    let called = match &label {
        Some(label) => format!("the rule {label:?}"),
        None => format!("the rule '{}' without a label", rule.path("label")),
    };
    if rule.flag(wrong, "disabled") == Some(true) {
        wrong.add(format!(
            "{called} is disabled, which is not supported: leave it out"
        ));
    }
    let when = when(rule, &called, wrong);
    let actions = rule.object(wrong, "actions");
    let Some(actions) = actions else {
        wrong.add(format!("{called} has no actions"));
        return None;
    };
    for name in actions.names() {
        if name != "route_to" && actions.value(name).is_some() {
            wrong.add(format!(
                "{called} has the action {name:?}, which is not supported in a router"
            ));
        }
    }
    let to = actions.required(wrong, "route_to", 64);
    if to.as_deref() == Some(UNROUTED) {
        wrong.add(format!("{called} sends alerts nowhere: leave it out"));
    }
    Some(Route {
        id: rule.text(wrong, "id", 64),
        label,
        when: when?,
        to: to?,
    })
}

/// When a rule holds: one of its conditions does, or always when it has none.
fn when(rule: &Fields<'_>, called: &str, wrong: &mut Wrong) -> Option<Condition> {
    let conditions = rule.objects(wrong, "conditions").unwrap_or_default();
    if conditions.len() > CONDITIONS_MAX {
        wrong.add(format!(
            "{called} has more than {CONDITIONS_MAX} conditions"
        ));
        return None;
    }
    let mut of = Vec::new();
    for one in &conditions {
        let text = one.required(wrong, "expression", pcl::EXPRESSION_CHARS_MAX)?;
        match pcl::parse(&text) {
            Ok(condition) => of.push(condition),
            Err(why) => {
                wrong.add(format!("{called} asks for what cannot be carried: {why}"));
                return None;
            }
        }
    }
    Some(match (of.pop(), of.is_empty()) {
        (None, _) => Condition::All { of: Vec::new() },
        (Some(single), true) => single,
        (Some(last), false) => {
            of.push(last);
            Condition::Any { of }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(rules: Value) -> Result<Vec<Route>, Refusal> {
        let sets = json!([{"id": "start", "rules": rules}]);
        let catch_all = json!({"actions": {"route_to": "unrouted"}});
        let body =
            json!({"orchestration_path": {"type": "router", "sets": sets, "catch_all": catch_all}});
        router(body.to_string().as_bytes())
    }

    #[test]
    fn rules_are_read_in_their_order_with_their_conditions() {
        let routes = read(json!([
            {"id": "QA", "label": "Disks", "conditions": [{"expression": "event.summary matches part 'disk'"}],
             "actions": {"route_to": "QB"}, "disabled": false},
            {"conditions": [{"expression": "event.class exists"}, {"expression": "event.group exists"}],
             "actions": {"route_to": "QC", "dynamic_route_to": null}},
            {"label": "Everything", "conditions": [], "actions": {"route_to": "QD"}},
        ]));
        let routes = routes.unwrap();
        let to: Vec<&str> = routes.iter().map(|one| one.to.as_str()).collect();
        assert_eq!(to, ["QB", "QC", "QD"]);
        assert_eq!(routes[0].id.as_deref(), Some("QA"));
        let written = |index: usize| pcl::expressions(&routes[index].when).unwrap();
        assert_eq!(written(0), ["event.summary matches part 'disk'"]);
        assert_eq!(written(1), ["event.class exists", "event.group exists"]);
        assert!(written(2).is_empty());
        assert_eq!(read(json!([])), Ok(Vec::new()));
    }

    #[test]
    fn what_cannot_be_carried_is_told_with_the_name_of_its_rule() {
        let to = json!({"route_to": "QB"});
        for rule in [
            json!({"label": "Night", "conditions": [{"expression": "event.summary matches regex 'x'"}], "actions": to}),
            json!({"label": "Night", "actions": {"route_to": "QB", "priority": "QP"}}),
            json!({"label": "Night", "actions": {"dynamic_route_to": {"source": "event.source"}}}),
            json!({"label": "Night", "actions": {"route_to": "unrouted"}}),
            json!({"label": "Night", "disabled": true, "actions": to}),
            json!({"label": "Night"}),
        ] {
            let refusal = read(json!([rule])).unwrap_err();
            assert_eq!((refusal.status, refusal.code), (400, 2001), "{rule}");
            assert!(refusal.errors[0].contains("\"Night\""), "{refusal}");
        }
    }

    #[test]
    fn a_router_has_one_set_and_sends_the_rest_nowhere() {
        for path in [
            json!({}),
            json!({"sets": []}),
            json!({"sets": [{"id": "start", "rules": []}, {"id": "other", "rules": []}]}),
            json!({"sets": [{"id": "other", "rules": []}]}),
            json!({"sets": [{"id": "start", "rules": []}], "catch_all": {"actions": {"route_to": "QB"}}}),
            json!({"sets": [{}]}),
            json!({"sets": [{"id": "start"}]}),
            json!({"sets": [{"id": "start", "rules": null}]}),
            json!({"sets": [{"id": "start", "rules": {}}]}),
            json!({"type": "service", "sets": [{"id": "start", "rules": []}]}),
        ] {
            let body = json!({ "orchestration_path": path }).to_string();
            assert_eq!(router(body.as_bytes()).unwrap_err().status, 400, "{path}");
        }
        // As Terraform's provider writes it before a router is forgotten, and as one is written that leaves out what is always so.
        for path in [
            json!({"type": "", "sets": [{"id": "start", "rules": []}]}),
            json!({"sets": [{"rules": []}]}),
        ] {
            let body = json!({ "orchestration_path": path }).to_string();
            assert_eq!(router(body.as_bytes()), Ok(Vec::new()), "{path}");
        }
        let many = vec![json!({"actions": {"route_to": "QB"}}); RULES_MAX + 1];
        assert!(read(json!(many)).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in "\\{\"orchestration_path\":\\PC{0,80}\\}") {
            let _ = router(body.as_bytes());
        }
    }
}

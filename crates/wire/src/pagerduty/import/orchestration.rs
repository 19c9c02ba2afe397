//! Event orchestrations. The rules of a router become rules of the installation. An orchestration that takes alerts by keys becomes a
//! service with an integration for each, and its rules ask besides that an alert was sent to it: rules of the installation are
//! asked about every alert, and a router only about those that came to it.

use serde_json::{Value, json};
use tocsin_domain::code::{
    Action, Condition, Document, Grouping, Integration, Rule, Service, Urgency,
};
use tocsin_domain::intake::{self, Field, RULES_MAX, Test};
use tocsin_domain::service::Speaks;

use super::left_out::{self, called, is_said};
use super::names::{Names, Remarks, said};
use super::walk::Account;
use super::{Keys, raw};
use crate::pagerduty::rest::orchestration::{Route, SET, UNROUTED, router};
use crate::plain::tidy;

/// Characters of the name of a rule at most, as the core has it.
const NAME_CHARS_MAX: usize = 200;

/// The place of a rule in a body that has no other.
const ALONE: &str = "orchestration_path.sets[0].rules[0]";

/// What becomes of the routers.
pub(super) fn orchestrations(
    account: &Account,
    keys: &mut Keys,
    document: &mut Document,
    remarks: &mut Remarks,
) {
    let mut rules = Vec::new();
    for known in &account.orchestrations {
        let title = known.name.as_deref().unwrap_or_default();
        let place = format!("event orchestration {title:?}");
        let taken_by = taken_by(known, title, &place, keys, remarks);
        let mut reading = Reading {
            place: &place,
            sent_to: taken_by.as_ref().map(|service| service.name.as_str()),
            keys,
            remarks,
            is_whole: true,
        };
        rules.extend(reading.router(known.router.as_ref()));
        let is_whole = reading.is_whole;
        let global = left_out::rules(
            known.global.as_ref(),
            &format!("{place}: its global orchestration"),
            remarks,
        );
        let unrouted = left_out::rules(
            known.unrouted.as_ref(),
            &format!("{place}: what it does with alerts that are sent nowhere"),
            remarks,
        );
        if let Some(mut service) = taken_by {
            if is_whole && !global && !unrouted {
                service.rules.push(quiet());
            } else {
                remarks.add(format!(
                    "{place}: alerts that are sent nowhere make no incident there, and page here by the service {:?}, since not all \
                     of its rules are carried over",
                    service.name
                ));
            }
            document.services.push(service);
        }
    }
    if rules.len() > RULES_MAX {
        remarks.add(format!(
            "event orchestrations: of {} rules the first {RULES_MAX} are kept",
            rules.len()
        ));
        rules.truncate(RULES_MAX);
        // What a rule sent elsewhere that is not kept must not be quiet.
        for service in &mut document.services {
            service.rules.clear();
        }
    }
    if !rules.is_empty() {
        document.alert_rules = Some(rules);
    }
}

/// The service that takes what was sent to an orchestration by its keys; none when it has no key.
fn taken_by(
    known: &raw::Orchestration,
    title: &str,
    place: &str,
    keys: &mut Keys,
    remarks: &mut Remarks,
) -> Option<Service> {
    let labels = known.integrations.as_deref().unwrap_or_default();
    if labels.is_empty() {
        return None;
    }
    let name = keys
        .services
        .give("service", known.id.as_deref(), title, remarks);
    let (mut integrations, mut names) = (Vec::new(), Names::default());
    let noun = format!("{place}: integration");
    for one in labels {
        let label = one.label.as_deref().unwrap_or("Events API V2");
        integrations.push(Integration {
            name: names.give(&noun, None, label, remarks),
            kind: Speaks::EventsV2,
            vendor: None,
            service_label: None,
            mapping: None,
        });
    }
    let told: Vec<String> = integrations
        .iter()
        .map(|one| format!("{:?}", one.name))
        .collect();
    remarks.add(format!(
        "{place}: what was sent by its keys ({}) comes here to the service {name:?}, by new keys, and its rules send it on",
        told.join(", ")
    ));
    Some(Service {
        description: said(known.description.as_deref(), place, remarks),
        acknowledgement_timeout: None,
        escalation_policy: None,
        urgency: Urgency::High,
        grouping: Grouping::Nothing,
        resolve_after: None,
        integrations,
        rules: Vec::new(),
        name,
    })
}

/// What no rule sends elsewhere makes no incident there.
fn quiet() -> Rule {
    Rule {
        name: "sent nowhere".to_owned(),
        when: Condition::default(),
        then: vec![Action::Suppress],
        go_on: false,
    }
}

/// A router that is being read.
struct Reading<'a> {
    place: &'a str,
    /// The service to which its alerts come; any when none.
    sent_to: Option<&'a str>,
    keys: &'a Keys,
    remarks: &'a mut Remarks,
    /// Whether everything that it sends somewhere is sent there here too.
    is_whole: bool,
}

impl Reading<'_> {
    fn router(&mut self, path: Option<&Value>) -> Vec<Rule> {
        let Some(path) = path else {
            self.is_whole = false;
            return Vec::new();
        };
        let sets = path.get("sets").and_then(Value::as_array);
        let sets = sets
            .into_iter()
            .flatten()
            .filter_map(|set| set.get("rules"));
        let all = sets.filter_map(Value::as_array).flatten();
        let mut rules = Vec::new();
        for (index, rule) in all.enumerate() {
            let name = called(rule, index + 1);
            if rule.get("disabled").and_then(Value::as_bool) == Some(true) {
                self.tell(&name, "is disabled there, and is left out");
                continue;
            }
            match self.rule(rule, &name) {
                Ok(rule) => rules.push(rule),
                Err(why) => self.lose(&name, &format!("is left out: {why}")),
            }
        }
        if self.sent_to.is_none() && !rules.is_empty() {
            self.tell(
                "its rules",
                "are asked here about the alerts of every service, since it has no keys",
            );
        }
        rules.extend(self.rest(path));
        rules
    }

    fn tell(&mut self, name: &str, what: &str) {
        self.remarks.add(format!("{}: {name} {what}", self.place));
    }

    /// The same of what does not hold here any more.
    fn lose(&mut self, name: &str, what: &str) {
        self.is_whole = false;
        self.tell(name, what);
    }

    /// A rule, without what it does besides sending alerts to a service.
    fn rule(&mut self, rule: &Value, name: &str) -> Result<Rule, String> {
        let mut alone = rule.clone();
        let actions = alone.get_mut("actions").and_then(Value::as_object_mut);
        let mut others = Vec::new();
        if let Some(actions) = actions
            && actions.get("route_to").is_some_and(is_said)
        {
            others.extend(
                actions
                    .iter()
                    .filter(|(action, value)| *action != "route_to" && is_said(value))
                    .map(|(action, _)| action.clone()),
            );
            actions.retain(|action, _| action == "route_to");
        }
        let route = route(&alone)?;
        if self.sent_to.is_none() && route.when == (intake::Condition::All { of: Vec::new() }) {
            let why = "it holds for every alert, and the orchestration has no keys, so nothing comes to it";
            return Err(why.to_owned());
        }
        let service = self.keys.services.of(Some(&route.to));
        let service = service.ok_or("the service that it sends alerts to is not carried over")?;
        let service = service.to_owned();
        let when = self.asked(route.when);
        let reasons = when.violations("its conditions");
        if !reasons.is_empty() {
            return Err(reasons.join("; "));
        }
        for action in others {
            self.tell(
                name,
                &format!("has the action {action:?}, which is left out"),
            );
        }
        let label = tidy(route.label.as_deref().unwrap_or_default(), NAME_CHARS_MAX);
        let called = if label.is_empty() {
            tidy(&format!("To {service}"), NAME_CHARS_MAX)
        } else {
            label
        };
        Ok(sending(called, &when, service))
    }

    /// Where that goes which no rule sends elsewhere.
    fn rest(&mut self, path: &Value) -> Option<Rule> {
        let to = path.pointer("/catch_all/actions/route_to");
        let to = to.and_then(Value::as_str).filter(|to| *to != UNROUTED)?;
        if self.sent_to.is_none() {
            // Without a condition it would take every alert of every service.
            self.lose(
                "what no rule sends elsewhere",
                "is left out: the orchestration has no keys, so nothing comes to it",
            );
            return None;
        }
        let Some(service) = self.keys.services.of(Some(to)) else {
            self.lose(
                "what no rule sends elsewhere",
                "goes to a service that is not carried over",
            );
            return None;
        };
        let service = service.to_owned();
        let when = self.asked(intake::Condition::All { of: Vec::new() });
        Some(sending("Everything else".to_owned(), &when, service))
    }

    /// When a rule holds, of what was sent to the orchestration alone.
    fn asked(&self, when: intake::Condition) -> intake::Condition {
        let Some(service) = self.sent_to else {
            return when;
        };
        let sent = intake::Condition::Field {
            field: Field::Service,
            test: Test::Equals(service.to_owned()),
        };
        match when {
            intake::Condition::All { of } => {
                let of = std::iter::once(sent).chain(of).collect();
                intake::Condition::All { of }
            }
            one @ (intake::Condition::Any { .. }
            | intake::Condition::Not { .. }
            | intake::Condition::Hours { .. }
            | intake::Condition::Field { .. }) => intake::Condition::All {
                of: vec![sent, one],
            },
        }
    }
}

fn sending(name: String, when: &intake::Condition, service: String) -> Rule {
    Rule {
        name,
        when: Condition::of(when),
        then: vec![Action::Route(service)],
        go_on: false,
    }
}

/// A rule of a router, read as one that is written to a router of ours.
fn route(rule: &Value) -> Result<Route, String> {
    let path = json!({"orchestration_path": {"sets": [{"id": SET, "rules": [rule]}]}});
    let label = rule.get("label").and_then(Value::as_str);
    let mut routes = router(path.to_string().as_bytes()).map_err(|refusal| {
        // Whoever reads it knows which rule it is; its place in this body would say nothing.
        let called = match label {
            Some(label) => format!("the rule {label:?}"),
            None => format!("the rule '{ALONE}' without a label"),
        };
        let errors = refusal.errors.join("; ").replace(&called, "it");
        errors.replace(&format!("{ALONE}."), "")
    })?;
    routes.pop().ok_or_else(|| "it is no rule".to_owned())
}

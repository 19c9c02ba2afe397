//! What no file can hold: it is told by its name, each thing in a line.

use serde_json::Value;

use super::names::Remarks;
use super::raw;
use super::walk::Account;
use crate::plain::tidy;

/// Characters of a name in a remark at most.
const NAME_CHARS_MAX: usize = 190;

/// Tells everything of the account that stays behind.
pub(super) fn told(account: &Account, remarks: &mut Remarks) {
    for one in &account.rulesets {
        let name = title(one);
        remarks.add(format!(
            "ruleset {name:?}: left out with its rules and its keys: rules are carried over from the routers of event orchestrations alone"
        ));
    }
    for one in &account.webhooks {
        let name = address(one);
        remarks.add(format!(
            "webhook subscription {name:?}: left out, since subscriptions stand in no file: make it again here, which gives it a new secret"
        ));
    }
    for one in &account.extensions {
        let name = title(one);
        remarks.add(format!(
            "extension {name:?}: left out, since there are none here: a webhook subscription may do the same"
        ));
    }
    for one in &account.business_services {
        let name = title(one);
        remarks.add(format!(
            "business service {name:?}: left out with what supports it, since they stand in no file: make it again here"
        ));
    }
    for one in &account.tags {
        let name = title(one);
        remarks.add(format!(
            "tag {name:?}: left out with what it was given to, since tags stand in no file: make it again here"
        ));
    }
    for service in &account.services {
        let name = service.name.as_deref().unwrap_or_default();
        let place = format!("service {name:?}: its orchestration");
        rules(service.orchestration.as_ref(), &place, remarks);
    }
}

/// Tells each rule of a part of an orchestration that stays behind wholly; whether there was any, or what is done when none holds.
pub(super) fn rules(part: Option<&Value>, place: &str, remarks: &mut Remarks) -> bool {
    let Some(part) = part else { return false };
    let sets = part.get("sets").and_then(Value::as_array);
    let sets = sets.into_iter().flatten();
    let lists = sets.filter_map(|set| set.get("rules").and_then(Value::as_array));
    let mut number = 0_usize;
    for rule in lists.flatten() {
        number += 1;
        let name = called(rule, number);
        remarks.add(format!(
            "{place}: {name} is left out: only rules of a router that send alerts to services are carried over"
        ));
    }
    let rest = part
        .pointer("/catch_all/actions")
        .and_then(Value::as_object);
    let does = rest.is_some_and(|actions| actions.values().any(is_said));
    if does {
        remarks.add(format!(
            "{place}: what it does when no rule of it holds is left out"
        ));
    }
    number > 0 || does
}

/// What a rule is called in a remark.
pub(super) fn called(rule: &Value, number: usize) -> String {
    let label = rule.get("label").and_then(Value::as_str);
    let label = tidy(label.unwrap_or_default(), NAME_CHARS_MAX);
    if label.is_empty() {
        format!("rule {number}")
    } else {
        format!("rule {label:?}")
    }
}

/// Whether an action says something: PagerDuty writes those that are not there as null, false or an empty list.
pub(super) fn is_said(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(all) => !all.is_empty(),
        Value::Object(all) => !all.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) => true,
    }
}

fn title(one: &raw::Titled) -> String {
    let names = [&one.name, &one.label, &one.summary, &one.id];
    let names = names.into_iter().flatten();
    let mut names = names.map(|name| tidy(name, NAME_CHARS_MAX));
    names.find(|name| !name.is_empty()).unwrap_or_default()
}

/// What a subscription is for, or where it goes: the host alone, since the rest of an address may be a secret.
fn address(one: &raw::Webhook) -> String {
    let url = one
        .delivery_method
        .as_ref()
        .and_then(|way| way.url.as_deref());
    let host = url.and_then(|url| {
        let (_, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest[..end].rsplit('@').next()
    });
    let names = [one.description.as_deref(), host, one.id.as_deref()];
    let names = names.into_iter().flatten();
    let mut names = names.map(|name| tidy(name, NAME_CHARS_MAX));
    names.find(|name| !name.is_empty()).unwrap_or_default()
}

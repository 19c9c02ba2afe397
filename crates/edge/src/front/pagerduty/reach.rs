//! Ways to people and their notification rules: added, changed and removed by the person themself or by an administrator. A way is
//! paged only after its owner has proved it by a code, which no request of this API can stand for.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tocsin_domain::command::{Ask, PeopleAsk};
use tocsin_domain::event::{EventBody, PeopleEvent};
use tocsin_domain::id::{ContactMethodId, NotificationRuleId, SecretId, UserId};
use tocsin_domain::people::{self, ChannelKind, ContactMethod, NotificationRule, Role, Urgency};
use tocsin_engine::handle::Done;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::reach::{self as bodies, method_word};

use super::asked::{Asked, Path};
use super::reply::{Answer, Refused, Reply, refusing};
use super::users::{methods, named, rule, shown_minutes};
use crate::access::who::Who;
use crate::http::address;
use crate::http::people::{method_added, method_removed, method_renamed};
use crate::http::problem::Problem;
use crate::http::roster::lost;

/// What PagerDuty's clients look for: they take the way that is there then.
const WAY_TWICE: &str = "User Contact method must be unique";
/// The same of a rule.
const RULE_TWICE: &str = "Channel Start delay must be unique for a given contact method";

/// The person that a path names, whose ways and rules whoever asks may change.
fn changeable(asked: &Asked, id: &str) -> Result<people::User, Refused> {
    let known = named(asked, id)?;
    asked.caller.may(Who::SelfOr(Role::Admin), Some(known.id))?;
    Ok(known)
}

fn missing_way() -> Refusal {
    Refusal::not_found("the person has no such contact method")
}

fn missing_rule() -> Refusal {
    Refusal::not_found("the person has no such rule")
}

fn way_of<'a>(known: &'a people::User, id: &str) -> Result<&'a ContactMethod, Refused> {
    let id: ContactMethodId = id.parse().map_err(|_| missing_way())?;
    Ok(known.contact_method(id).ok_or_else(missing_way)?)
}

async fn shown_way(asked: &Asked, user: UserId, id: ContactMethodId) -> Result<Value, Refused> {
    let known = named(asked, user.as_str())?;
    let mut all = methods(asked, &known).await?.into_iter();
    let found = all.find(|one| one["id"] == json!(id.as_str()));
    Ok(json!({"contact_method": found.ok_or_else(missing_way)?}))
}

/// Whether a person has this way already.
async fn has_way(
    asked: &Asked,
    known: &people::User,
    kind: ChannelKind,
    address: &SecretString,
) -> Result<bool, Refused> {
    let same = known.contact_methods.iter().filter(|one| one.kind == kind);
    let rows: Vec<SecretId> = same.map(|one| one.address).collect();
    let wanted = address.clone();
    let found = asked.app.blocking(move |parts| {
        for row in rows {
            let known = parts.vault.get(row)?;
            if known.is_some_and(|known| known.expose_secret() == wanted.expose_secret()) {
                return Ok(true);
            }
        }
        Ok(false)
    });
    Ok(found.await?)
}

/// Add a way to reach a person, which is paged only after its owner has proved it
#[utoipa::path(post, path = "/users/{id}/contact_methods", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn add_way(Path(id): Path<String>, asked: Asked) -> Answer {
    let user = changeable(&asked, &id)?.id;
    let body = bodies::method(&asked.body)?;
    let kind = body.kind()?;
    let text = body.address_as(kind);
    let text = text.ok_or_else(|| Refusal::bad("'contact_method.address' is missing or blank"))?;
    let wrong = |why: String| Refusal::bad(format!("'contact_method.address' is invalid: {why}"));
    let address = address::of(kind.into(), &text).map_err(wrong)?;
    let label = body.label.unwrap_or_else(|| kind.word().to_owned());
    let made = asked.in_turn(|own| async move {
        let known = named(&own, &id)?;
        if has_way(&own, &known, kind, &address).await? {
            return Err(Refusal::bad(WAY_TWICE).into());
        }
        let called = (kind.into(), label);
        let made = method_added(&own.app, &own.caller.actor, user, called, address, None).await;
        made.map_err(refusing(Noun::ContactMethod))
    });
    let made = made.await?;
    shown_way(&asked, user, made).await.map(Reply::Created)
}

/// Refuses another address than the one that is there. What was read before is taken back, so the hint of it is no other.
async fn keep_address(asked: &Asked, method: &ContactMethod, text: String) -> Result<(), Refused> {
    let (row, kind) = (method.address, method.kind.into());
    let same = asked.app.blocking(move |parts| {
        let known = parts.vault.get(row)?;
        let known = known.as_ref().map_or("", |known| known.expose_secret());
        let read = address::of(kind, &text);
        let is_it = read.is_ok_and(|read| read.expose_secret() == known);
        Ok(is_it || text == known || text == address::hint(kind, known))
    });
    if same.await? {
        return Ok(());
    }
    let why = "'contact_method.address' is not supported: an address is proved by a code, so add the new one and remove this";
    Err(Refusal::bad(why).into())
}

/// Call a way to reach a person something else; its kind and its address stay
#[utoipa::path(put, path = "/users/{id}/contact_methods/{method_id}", tag = "fronts",
    params(("id" = String, Path), ("method_id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_way(
    Path((id, method_id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let known = changeable(&asked, &id)?;
    let method = way_of(&known, &method_id)?;
    let body = bodies::method(&asked.body)?;
    let word = body.word.as_deref().unwrap_or_default();
    let word = word.strip_suffix("_reference").unwrap_or(word);
    if !word.is_empty() && word != method_word(method.kind) && word != "contact_method" {
        return Err(
            Refusal::bad("'contact_method.type' is not supported: a way keeps its kind").into(),
        );
    }
    if let Some(text) = body.address_as(method.kind) {
        // A hint is no number, and gets no country.
        let raw = body.address.clone().unwrap_or_default();
        let text = if raw.contains('…') { raw } else { text };
        keep_address(&asked, method, text).await?;
    }
    if let Some(label) = body.label {
        let which = (known.id, method.id);
        let renamed = method_renamed(&asked.app, &asked.caller.actor, which, label).await;
        renamed.map_err(refusing(Noun::ContactMethod))?;
    }
    shown_way(&asked, known.id, method.id)
        .await
        .map(Reply::Done)
}

/// Remove a way to reach a person, and the rules that use it
#[utoipa::path(delete, path = "/users/{id}/contact_methods/{method_id}", tag = "fronts",
    params(("id" = String, Path), ("method_id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_way(
    Path((id, method_id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let known = changeable(&asked, &id)?;
    let method = way_of(&known, &method_id)?;
    method_removed(&asked.app, &asked.caller.actor, known.id, method).await?;
    Ok(Reply::Empty)
}

/// The rules that a change has left.
fn rules_in(done: &Done) -> Result<Vec<NotificationRule>, Problem> {
    let found = done.events().iter().find_map(|event| {
        if let EventBody::People(PeopleEvent::NotificationRulesSet { rules, .. }) = &event.body {
            Some(rules.clone())
        } else {
            None
        }
    });
    found.ok_or_else(lost)
}

/// What a body makes of a rule, or of none.
fn wanted(
    body: &bodies::Rule,
    of: &people::User,
    before: Option<&NotificationRule>,
) -> Result<(Urgency, u64, ContactMethodId), Refused> {
    let missing = |name: &str| Refusal::bad(format!("'notification_rule.{name}' is missing"));
    let urgency = body.urgency.or_else(|| before.map(|before| before.urgency));
    let urgency = urgency.ok_or_else(|| missing("urgency"))?;
    let delay_ms = match (body.delay_minutes, before) {
        // Who sends back the minutes that they were shown means the time that is there.
        (Some(minutes), Some(before)) if minutes == shown_minutes(before.delay_ms) => {
            Some(before.delay_ms)
        }
        (Some(minutes), _) => Some(minutes.saturating_mul(60_000)),
        (None, before) => before.map(|before| before.delay_ms),
    };
    let delay_ms = delay_ms.ok_or_else(|| missing("start_delay_in_minutes"))?;
    let method = match (&body.method, before) {
        (Some(named), _) => {
            let place = "notification_rule.contact_method";
            let missing = || Refusal::object_missing(place, "contact method", &named.id);
            let id: Option<ContactMethodId> = named.id.parse().ok();
            let known = id.and_then(|id| of.contact_method(id));
            let known = known.ok_or_else(missing)?;
            let word = method_word(known.kind);
            if !["", "contact_method", word].contains(&named.kind.as_str()) {
                let why = format!("'{place}.type' is invalid: it is {word}");
                return Err(Refusal::bad(why).into());
            }
            known.id
        }
        (None, Some(before)) => before.contact_method,
        (None, None) => return Err(missing("contact_method").into()),
    };
    let is_there = of.rules.iter().any(|one| {
        let same = (one.urgency, one.delay_ms, one.contact_method) == (urgency, delay_ms, method);
        same && before.is_none_or(|before| before.id != one.id)
    });
    if is_there {
        return Err(Refusal::bad(RULE_TWICE).into());
    }
    Ok((urgency, delay_ms, method))
}

/// The body that shows one of the rules that a change has left.
fn shown_rule(
    asked: &Asked,
    of: &people::User,
    rules: &[NotificationRule],
    id: Option<NotificationRuleId>,
) -> Result<Value, Refused> {
    let found = match id {
        Some(id) => rules.iter().find(|one| one.id == id),
        None => rules.last(),
    };
    let found = found.ok_or_else(lost)?;
    Ok(json!({"notification_rule": rule(asked, of, found)}))
}

/// Add a notification rule of a person
#[utoipa::path(post, path = "/users/{id}/notification_rules", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn add_rule(Path(id): Path<String>, asked: Asked) -> Answer {
    let made = asked.in_turn(|own| async move {
        let known = changeable(&own, &id)?;
        let body = bodies::rule(&own.body)?;
        let ask = PeopleAsk::AddRule {
            user: known.id,
            rule: wanted(&body, &known, None)?,
        };
        let done = own.app.ask(&own.caller.actor, Ask::People(ask)).await;
        Ok((known, done.map_err(refusing(Noun::NotificationRule))?))
    });
    let (known, done) = made.await?;
    let shown = shown_rule(&asked, &known, &rules_in(&done)?, None)?;
    Ok(Reply::Created(shown))
}

fn rule_of<'a>(known: &'a people::User, id: &str) -> Result<&'a NotificationRule, Refused> {
    let found = known.rules.iter().find(|one| one.id.as_str() == id);
    Ok(found.ok_or_else(missing_rule)?)
}

/// Change a notification rule of a person
#[utoipa::path(put, path = "/users/{id}/notification_rules/{rule_id}", tag = "fronts",
    params(("id" = String, Path), ("rule_id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_rule(
    Path((id, rule_id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let changed = asked.in_turn(|own| async move {
        let known = changeable(&own, &id)?;
        let before = rule_of(&known, &rule_id)?;
        let (rule, body) = (before.id, bodies::rule(&own.body)?);
        let ask = PeopleAsk::ChangeRule {
            user: known.id,
            id: rule,
            rule: wanted(&body, &known, Some(before))?,
        };
        let done = own.app.ask(&own.caller.actor, Ask::People(ask)).await;
        let done = done.map_err(refusing(Noun::NotificationRule))?;
        Ok((known, rule, done))
    });
    let (known, rule, done) = changed.await?;
    let shown = shown_rule(&asked, &known, &rules_in(&done)?, Some(rule))?;
    Ok(Reply::Done(shown))
}

/// Remove a notification rule of a person
#[utoipa::path(delete, path = "/users/{id}/notification_rules/{rule_id}", tag = "fronts",
    params(("id" = String, Path), ("rule_id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_rule(
    Path((id, rule_id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let known = changeable(&asked, &id)?;
    let ask = PeopleAsk::RemoveRule {
        user: known.id,
        id: rule_of(&known, &rule_id)?.id,
    };
    asked.app.ask(&asked.caller.actor, Ask::People(ask)).await?;
    Ok(Reply::Empty)
}

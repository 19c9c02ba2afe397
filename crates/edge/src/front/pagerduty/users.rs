//! People: listed, read, added, changed and removed, with the ways to reach them and their rules.

use std::collections::BTreeSet;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tocsin_domain::command::{Ask, PeopleAsk};
use tocsin_domain::id::{TeamId, UserId};
use tocsin_domain::people::{self, About, ContactMethod, NotificationRule, Role};
use tocsin_domain::state::State;
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::reach::{self, method_word};
use tocsin_wire::pagerduty::rest::refusal::account_token;
use tocsin_wire::pagerduty::rest::roster as bodies;
use tocsin_wire::pagerduty::rest::words;

use super::asked::{Asked, Path};
use super::incident_shape::urgency_word;
use super::incidents::URGENCIES;
use super::include::Named;
use super::lookup;
use super::parameters;
use super::place::whole;
use super::reply::{Answer, Refused, Reply, refusing};
use super::user_shape::{Mails, user};
use crate::http::address;
use crate::http::people::{NotAdded, UserRequest, added, removed};
use crate::http::shape;

/// What can be shown wholly, and where it stands; ways and rules are theirs alone, and shown elsewhere.
pub(super) const INCLUDED: &[Named] = &[("teams", &["teams"])];
/// The words of `include[]` for the ways to a person, and for their rules.
pub(super) const WAYS: &str = "contact_methods";
pub(super) const RULES: &str = "notification_rules";
/// What PagerDuty's clients look for: they take the person who is there then.
const ADDRESS_TWICE: &str = "Email has already been taken";

/// The person that a path names.
pub(super) fn named(asked: &Asked, id: &str) -> Result<people::User, Refused> {
    let known = |state: &State, id: UserId| state.users.get(&id).cloned();
    lookup::in_path(&asked.app, "user", id, known)
}

/// People
#[utoipa::path(get, path = "/users", tag = "fronts",
    params(parameters::Page, parameters::Search, parameters::Teams, parameters::UserInclude),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_pagerduty_users(asked: Asked) -> Answer {
    let paging = asked.paging()?;
    let teams: Option<Vec<TeamId>> = asked.parameters.ids("team_ids")?;
    let people: BTreeSet<UserId> = asked.app.read(|state| {
        let among = |user: &UserId| {
            teams.as_ref().is_none_or(|set| {
                let named = set.iter().filter_map(|id| state.teams.get(id));
                named
                    .flat_map(|team| &team.members)
                    .any(|member| member == user)
            })
        };
        state
            .users
            .keys()
            .filter(|user| among(user))
            .copied()
            .collect()
    });
    // Only who is searched for is found by an address too; else the addresses of the page are enough.
    let known = if asked.parameters.get("query").is_some() {
        asked.mails(people.clone()).await?
    } else {
        Mails::new()
    };
    let cut = asked.app.read(|state| {
        let all = people.iter().filter_map(|id| state.users.get(id));
        let named = all.map(|user| {
            let mail = known.get(&user.id).map_or("", String::as_str);
            (user.id, user.name.as_str(), mail)
        });
        asked.named_cut(paging, named)
    })?;
    let mails = asked.mails(cut.items.iter().copied().collect()).await?;
    let mut page = Vec::new();
    for id in &cut.items {
        page.push(shown(&asked, *id, &mails).await?);
    }
    let page = asked.included(page, INCLUDED).await?;
    let mut page = page.into_iter();
    Ok(Reply::page(paging, "users", cut.map(|_| page.next())))
}

/// A person, with what is to be included.
async fn shown(asked: &Asked, id: UserId, mails: &Mails) -> Result<Value, Refused> {
    let known = named(asked, id.as_str())?;
    let mut shown = asked
        .app
        .read(|state| user(state, &asked.place, &known, mails));
    if asked.parameters.includes(WAYS) {
        shown["contact_methods"] = methods(asked, &known).await?.into();
    }
    if asked.parameters.includes(RULES) {
        shown["notification_rules"] = known
            .rules
            .iter()
            .map(|one| rule(asked, &known, one))
            .collect();
    }
    Ok(shown)
}

async fn wrapped(asked: &Asked, id: UserId) -> Result<Value, Refused> {
    let mails = asked.mails(BTreeSet::from([id])).await?;
    let shown = shown(asked, id, &mails).await?;
    let shown = asked.included_one(shown, INCLUDED).await?;
    Ok(json!({ "user": shown }))
}

/// Oneself
#[utoipa::path(get, path = "/users/me", tag = "fronts", params(parameters::UserInclude),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn get_me(asked: Asked) -> Answer {
    match asked.caller.user {
        Some(user) => wrapped(&asked, user).await.map(Reply::Done),
        None => Ok(Reply::Plain(account_token())),
    }
}

/// One person
#[utoipa::path(get, path = "/users/{id}", tag = "fronts", params(("id" = String, Path), parameters::UserInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_pagerduty_user(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    wrapped(&asked, known.id).await.map(Reply::Done)
}

pub(super) const fn role_of(role: bodies::Role) -> Role {
    match role {
        bodies::Role::Admin => Role::Admin,
        bodies::Role::Responder => Role::Responder,
        bodies::Role::Viewer => Role::Viewer,
    }
}

/// Add a person
#[utoipa::path(post, path = "/users", tag = "fronts", request_body = Object,
    responses((status = 201, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_pagerduty_user(asked: Asked) -> Answer {
    let body = bodies::user(&asked.body)?;
    let (Some(name), Some(email)) = (body.name, body.email) else {
        return Err(Refusal::bad("'user.name' and 'user.email' are needed").into());
    };
    let role = body.role.map_or(Role::Responder, role_of);
    asked.caller.may_give(role)?;
    let by = asked.author(Role::Admin).await?;
    let request = UserRequest {
        name,
        email,
        role: role.into(),
    };
    let about = words::about(&asked.body, &About::default())?;
    let made = added(&asked.app, &by, request, Some(about)).await;
    let made = made.map_err(|why| match why {
        NotAdded::AddressTaken => Refused(Refusal::bad(ADDRESS_TWICE)),
        NotAdded::Else(problem) => refusing(Noun::User)(problem),
    })?;
    wrapped(&asked, made).await.map(Reply::Created)
}

/// Change a person's name or role
#[utoipa::path(put, path = "/users/{id}", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_pagerduty_user(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let body = bodies::user(&asked.body)?;
    if let Some(email) = &body.email {
        let mails = asked.mails(BTreeSet::from([known.id])).await?;
        let same = mails
            .get(&known.id)
            .is_some_and(|mail| mail.eq_ignore_ascii_case(email));
        if !same {
            let why =
                "'user.email' is not supported: the address that somebody signs in with stays";
            return Err(Refusal::bad(why).into());
        }
    }
    let changed = asked.in_turn(|own| async move {
        let known = named(&own, &id)?;
        // Whoever writes back what was read gives nobody a role.
        let role = body.role.map(role_of).filter(|role| *role != known.role);
        if let Some(role) = role {
            own.caller.may_give(role)?;
        }
        let ask = PeopleAsk::Change {
            user: known.id,
            name: body.name,
            role,
            about: Some(words::about(&own.body, &known.about)?),
        };
        let changed = own.app.ask(&own.caller.actor, Ask::People(ask)).await;
        changed.map_err(refusing(Noun::User))
    });
    changed.await?;
    wrapped(&asked, known.id).await.map(Reply::Done)
}

/// Remove a person, with their addresses, sessions and tokens
#[utoipa::path(delete, path = "/users/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn remove_pagerduty_user(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    removed(&asked.app, &asked.caller.actor, known.id).await?;
    Ok(Reply::Empty)
}

/// The ways to a person. Whoever may write a mail address or a number reads it back whole, as Terraform's provider does; of all other
/// ways, and to all others, a hint is shown, as in the native API.
pub(super) async fn methods(asked: &Asked, known: &people::User) -> Result<Vec<Value>, Refused> {
    let rows: Vec<(ContactMethod, people::ChannelKind)> = known
        .contact_methods
        .iter()
        .map(|method| (method.clone(), method.kind))
        .collect();
    let open = asked.sees(known.id);
    let shown = asked.app.blocking(move |parts| {
        let shown = rows.into_iter().map(|(method, kind)| {
            let secret = parts.vault.get(method.address)?;
            let text = secret.map(|secret| secret.expose_secret().to_owned());
            let text = text.unwrap_or_default();
            let address = if open && reach::is_told(kind) {
                text
            } else {
                address::hint(shape::ChannelKind::from(kind), &text)
            };
            Ok((method, address))
        });
        shown.collect::<Result<Vec<_>, _>>()
    });
    let shown = shown.await?;
    Ok(shown
        .iter()
        .map(|(method, address)| method_shown(asked, known, method, address))
        .collect())
}

fn method_shown(asked: &Asked, of: &people::User, method: &ContactMethod, address: &str) -> Value {
    let path = format!("users/{}/contact_methods/{}", of.id, method.id);
    let kind = method_word(method.kind);
    let head = asked
        .place
        .named(kind, method.id.as_str(), &method.label, &path, "");
    // Nobody is reached by a way that its owner has not proved, which is what PagerDuty's word says of a phone.
    let mut more = json!({
        "label": method.label,
        "address": address,
        "blacklisted": false,
        "enabled": method.verified_at.is_some(),
    });
    if method.kind == people::ChannelKind::Email {
        more["send_short_email"] = json!(false);
    }
    let is_phone = [people::ChannelKind::Sms, people::ChannelKind::Voice].contains(&method.kind);
    // A hint of a number is no number, and has no country.
    let is_whole = is_phone && !address.contains('…');
    let parts = reach::country_and_number(address).filter(|_| is_whole);
    if let Some((country, number)) = parts {
        more["country_code"] = json!(country);
        more["address"] = json!(number);
    }
    whole(head, kind, more)
}

/// The ways to a person
#[utoipa::path(get, path = "/users/{id}/contact_methods", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_contact_methods(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let methods = methods(&asked, &known).await?;
    Ok(Reply::Done(json!({ "contact_methods": methods })))
}

/// One way to a person
#[utoipa::path(get, path = "/users/{id}/contact_methods/{method_id}", tag = "fronts",
    params(("id" = String, Path), ("method_id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_contact_method(
    Path((id, method)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let known = named(&asked, &id)?;
    let mut methods = methods(&asked, &known).await?.into_iter();
    let found = methods.find(|one| one["id"] == json!(method));
    let found = found.ok_or_else(|| Refusal::not_found("the person has no such contact method"))?;
    Ok(Reply::Done(json!({ "contact_method": found })))
}

/// How long a rule waits, in the whole minutes that PagerDuty's clients know.
pub(super) const fn shown_minutes(delay_ms: u64) -> u64 {
    delay_ms / 60_000
}

/// One rule of a person.
pub(super) fn rule(asked: &Asked, of: &people::User, rule: &NotificationRule) -> Value {
    let path = format!("users/{}/notification_rules/{}", of.id, rule.id);
    let kind = "assignment_notification_rule";
    let minutes = shown_minutes(rule.delay_ms);
    let summary = format!("{minutes} minutes");
    let head = asked
        .place
        .named(kind, rule.id.as_str(), &summary, &path, "");
    // PagerDuty names it by the word for the way itself, and clients compare that with what they have written.
    let method = of.contact_method(rule.contact_method).map(|method| {
        let path = format!("users/{}/contact_methods/{}", of.id, method.id);
        let kind = method_word(method.kind);
        asked
            .place
            .named(kind, method.id.as_str(), &method.label, &path, "")
    });
    let more = json!({
        "start_delay_in_minutes": minutes,
        "contact_method": method,
        "urgency": urgency_word(rule.urgency),
    });
    whole(head, kind, more)
}

/// Rules, with the way that each uses shown wholly where `include[]` names those.
async fn with_ways(
    asked: &Asked,
    of: &people::User,
    mut rules: Vec<Value>,
) -> Result<Vec<Value>, Refused> {
    if !asked.parameters.includes(WAYS) {
        return Ok(rules);
    }
    let ways = methods(asked, of).await?;
    for rule in &mut rules {
        let used = &mut rule["contact_method"];
        let way = ways.iter().find(|way| way["id"] == used["id"]).cloned();
        if let Some(way) = way {
            *used = way;
        }
    }
    Ok(rules)
}

/// The rules of a person
#[utoipa::path(get, path = "/users/{id}/notification_rules", tag = "fronts",
    params(("id" = String, Path), parameters::Rules, parameters::RuleInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn list_notification_rules(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    let wanted = asked.parameters.word("urgency", &URGENCIES)?;
    let rules = known.rules.iter();
    let rules = rules.filter(|one| wanted.is_none_or(|urgency| urgency == one.urgency));
    let rules = rules.map(|one| rule(&asked, &known, one)).collect();
    let rules = with_ways(&asked, &known, rules).await?;
    Ok(Reply::Done(json!({ "notification_rules": rules })))
}

/// One rule of a person
#[utoipa::path(get, path = "/users/{id}/notification_rules/{rule_id}", tag = "fronts",
    params(("id" = String, Path), ("rule_id" = String, Path), parameters::RuleInclude),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_notification_rule(
    Path((id, wanted)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let known = named(&asked, &id)?;
    let found = known.rules.iter().find(|one| one.id.as_str() == wanted);
    let found = found.ok_or_else(|| Refusal::not_found("the person has no such rule"))?;
    let mut shown = with_ways(&asked, &known, vec![rule(&asked, &known, found)]).await?;
    Ok(Reply::Done(json!({ "notification_rule": shown.pop() })))
}

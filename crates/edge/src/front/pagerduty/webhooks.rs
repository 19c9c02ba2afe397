//! Webhook subscriptions: made, read, changed, removed, tried. What is sent, and when, is decided elsewhere.

use reqwest::Url;
use serde_json::{Value, json};
use tocsin_domain::command::WebhookAsk;
use tocsin_domain::id::WebhookId;
use tocsin_domain::state::State;
use tocsin_domain::webhook::{Subscribed, WebhookScope};
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::called::Noun;
use tocsin_wire::pagerduty::rest::webhook::{self as bodies, Filter, REDACTED};

use super::asked::{Asked, Path};
use super::lookup;
use super::parameters;
use super::reply::{Answer, Refused, Reply, refusing};
use crate::http::webhook::subscription::{self, Made, Unset, Wanted};
use crate::webhooks::kept::Kept;

/// The words for what a subscription is to: as PagerDuty has them here, and as the subscription itself tells it.
pub(super) const SCOPES: [(&str, &str); 6] = [
    ("account", "account"),
    ("service", "service"),
    ("team", "team"),
    ("account_reference", "account"),
    ("service_reference", "service"),
    ("team_reference", "team"),
];

/// The subscription that a path names.
fn named(asked: &Asked, id: &str) -> Result<Subscribed, Refused> {
    let known = |state: &State, id: WebhookId| state.webhooks.get(&id).cloned();
    lookup::in_path(&asked.app, "webhook subscription", id, known)
}

/// A subscription; its secret only for whoever has just made it.
fn shown(asked: &Asked, known: &Subscribed, kept: Option<&Kept>, is_new: bool) -> Value {
    let webhook = &known.webhook;
    let reference = |kind: &str, id: &str| json!({"type": kind, "id": id});
    let filter = match webhook.scope {
        WebhookScope::Account => json!({"type": "account_reference"}),
        WebhookScope::Service(id) => reference("service_reference", id.as_str()),
        WebhookScope::Team(id) => reference("team_reference", id.as_str()),
    };
    let headers = kept.map(|kept| kept.headers.as_slice());
    let headers = headers.unwrap_or_default();
    let headers: Vec<Value> = headers
        .iter()
        .map(|(name, _)| json!({"name": name, "value": REDACTED}))
        .collect();
    let events: Vec<&str> = webhook.events.iter().map(|kind| kind.word()).collect();
    let id = webhook.id.as_str();
    json!({
        "id": id,
        "type": "webhook_subscription",
        "self": asked.place.api(&format!("webhook_subscriptions/{id}")),
        "description": webhook.description,
        "active": webhook.active,
        "events": events,
        "filter": filter,
        "delivery_method": {
            "id": id,
            "type": "http_delivery_method",
            "url": kept.map(|kept| kept.url.as_str()),
            "secret": kept.filter(|_| is_new).map(|kept| kept.secret.as_str()),
            "temporarily_disabled": known.is_disabled(asked.app.now()),
            "custom_headers": headers,
        },
    })
}

async fn wrapped(asked: &Asked, known: &Subscribed) -> Answer {
    let kept = subscription::kept(&asked.app, known.webhook.delivery).await?;
    let shown = shown(asked, known, kept.as_ref(), false);
    Ok(Reply::Done(json!({ "webhook_subscription": shown })))
}

/// Webhook subscriptions
#[utoipa::path(get, path = "/webhook_subscriptions", tag = "fronts", params(parameters::Page, parameters::Subscriptions),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_webhook_subscriptions(asked: Asked) -> Answer {
    let paging = asked.paging()?;
    let kind = asked.parameters.word("filter_type", &SCOPES)?;
    let id = asked.parameters.get("filter_id");
    let wanted = |one: &&Subscribed| {
        let (of, whose) = match one.webhook.scope {
            WebhookScope::Account => ("account", String::new()),
            WebhookScope::Service(id) => ("service", id.to_string()),
            WebhookScope::Team(id) => ("team", id.to_string()),
        };
        kind.is_none_or(|kind| kind == of) && id.is_none_or(|id| id == whose)
    };
    let all: Vec<Subscribed> = asked.app.read(|state| {
        let all = state.webhooks.values().filter(wanted);
        all.cloned().collect()
    });
    let cut = paging.cut(all);
    let mut page = Vec::new();
    for one in &cut.items {
        let kept = subscription::kept(&asked.app, one.webhook.delivery).await?;
        page.push(shown(&asked, one, kept.as_ref(), false));
    }
    let mut page = page.into_iter();
    let cut = cut.map(|_| page.next());
    Ok(Reply::page(paging, "webhook_subscriptions", cut))
}

/// One webhook subscription, without its secret
#[utoipa::path(get, path = "/webhook_subscriptions/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn get_webhook_subscription(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    wrapped(&asked, &known).await
}

/// An address that could be sent to.
fn checked(asked: &Asked, url: &str) -> Result<Url, Refusal> {
    subscription::reachable(&asked.app, url).map_err(|why| {
        Refusal::bad(format!(
            "'webhook_subscription.delivery_method.url' is invalid: {why}"
        ))
    })
}

fn scope(state: &State, filter: &Filter) -> Result<WebhookScope, Refused> {
    let place = "webhook_subscription.filter";
    Ok(match filter {
        Filter::Account => WebhookScope::Account,
        Filter::Service(id) => WebhookScope::Service(lookup::service(state, place, id)?),
        Filter::Team(id) => WebhookScope::Team(lookup::team(state, place, id)?),
    })
}

/// Makes or changes a subscription, and shows it.
async fn set(asked: &Asked, known: Option<WebhookId>) -> Answer {
    let body = bodies::subscription(&asked.body)?;
    let url = body.url.as_deref();
    let filter = body.filter.as_ref();
    let scope = asked
        .app
        .read(|state| filter.map(|filter| scope(state, filter)).transpose())?;
    let wanted = Wanted {
        url: url.map(|url| checked(asked, url)).transpose()?,
        description: body.description,
        active: body.active,
        events: body.events.map(|kinds| kinds.into_iter().collect()),
        scope,
        headers: body.headers,
    };
    let made = subscription::set(&asked.app, &asked.caller.actor, known, wanted).await;
    let Made {
        subscribed,
        kept,
        is_new_secret,
    } = made.map_err(unset)?;
    let shown = shown(asked, &subscribed, Some(&kept), is_new_secret);
    Ok(Reply::Done(json!({ "webhook_subscription": shown })))
}

fn unset(unset: Unset) -> Refused {
    match unset {
        Unset::NoUrl => {
            Refusal::bad("'webhook_subscription.delivery_method.url' is missing").into()
        }
        Unset::OtherHost => {
            let why = "'webhook_subscription.delivery_method.custom_headers' is missing: their values go to nobody but the host that they were given for, so they are said again with another";
            Refusal::bad(why).into()
        }
        Unset::NoEvents => Refusal::bad("'webhook_subscription.events' is missing").into(),
        Unset::Refused(problem) => refusing(Noun::Subscription)(problem),
    }
}

/// Subscribe to what happens to incidents; the secret by which it is signed is shown once
#[utoipa::path(post, path = "/webhook_subscriptions", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_webhook_subscription(asked: Asked) -> Answer {
    set(&asked, None).await
}

/// Change a webhook subscription; its secret stays
#[utoipa::path(put, path = "/webhook_subscriptions/{id}", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_webhook_subscription(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    set(&asked, Some(known.webhook.id)).await
}

async fn ask(asked: &Asked, ask: WebhookAsk) -> Result<(), Refused> {
    Ok(subscription::asked(&asked.app, &asked.caller.actor, ask).await?)
}

/// Remove a webhook subscription
#[utoipa::path(delete, path = "/webhook_subscriptions/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_webhook_subscription(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?.webhook;
    subscription::removed(&asked.app, &asked.caller.actor, known.id).await?;
    Ok(Reply::Empty)
}

/// Serve a webhook subscription again that is left alone because its receiver kept refusing
#[utoipa::path(post, path = "/webhook_subscriptions/{id}/enable", tag = "fronts", params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404, body = Object)))]
pub(crate) async fn enable_webhook_subscription(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    ask(&asked, WebhookAsk::Enable(known.webhook.id)).await?;
    wrapped(&asked, &named(&asked, &id)?).await
}

/// Send a `pagey.ping` to see whether it arrives, after what waits already
#[utoipa::path(post, path = "/webhook_subscriptions/{id}/ping", tag = "fronts", params(("id" = String, Path)),
    responses((status = 202), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn ping_webhook_subscription(Path(id): Path<String>, asked: Asked) -> Answer {
    let known = named(&asked, &id)?;
    ask(&asked, WebhookAsk::Ping(known.webhook.id)).await?;
    Ok(Reply::Accepted)
}

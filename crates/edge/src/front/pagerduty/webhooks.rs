//! Webhook subscriptions: made, read, changed, removed, tried. What is sent, and when, is decided elsewhere.

use reqwest::Url;
use serde_json::{Value, json};
use tocsin_domain::command::{Ask, WebhookAsk};
use tocsin_domain::event::RosterEvent;
use tocsin_domain::id::{SecretId, WebhookId};
use tocsin_domain::state::State;
use tocsin_domain::webhook::{Subscribed, WebhookScope};
use tocsin_wire::pagerduty::rest::Refusal;
use tocsin_wire::pagerduty::rest::webhook::{self as bodies, Filter, REDACTED, Subscription};

use super::asked::{Asked, Path};
use super::lookup;
use super::parameters;
use super::reply::{Answer, Refused, Reply};
use crate::app::App;
use crate::http::address;
use crate::http::problem::Problem;
use crate::http::roster::{lost, set_as};
use crate::secret;
use crate::webhooks::kept::Kept;

/// The words for what a subscription is to.
pub(super) const SCOPES: [&str; 3] = ["account", "service", "team"];
/// Letters and digits of a secret.
const SECRET_CHARS: usize = 64;

/// The subscription that a path names.
fn named(asked: &Asked, id: &str) -> Result<Subscribed, Refused> {
    let known = |state: &State, id: WebhookId| state.webhooks.get(&id).cloned();
    lookup::in_path(&asked.app, "webhook subscription", id, known)
}

/// Where it goes; none when that is gone from the vault.
async fn kept(asked: &Asked, row: SecretId) -> Result<Option<Kept>, Refused> {
    let kept = asked
        .app
        .blocking(move |parts| Kept::read(parts.vault.as_ref(), row));
    Ok(kept.await?)
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
    let kept = kept(asked, known.webhook.delivery).await?;
    let shown = shown(asked, known, kept.as_ref(), false);
    Ok(Reply::Done(json!({ "webhook_subscription": shown })))
}

/// Webhook subscriptions
#[utoipa::path(get, path = "/webhook_subscriptions", tag = "fronts", params(parameters::Page, parameters::Subscriptions),
    responses((status = 200, body = Object)))]
pub(crate) async fn list_webhook_subscriptions(asked: Asked) -> Answer {
    let paging = asked.paging()?;
    let kinds = SCOPES.map(|kind| (kind, kind));
    let kind = asked.parameters.word("filter_type", &kinds)?;
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
        let kept = kept(&asked, one.webhook.delivery).await?;
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
    let wrong = |why: String| {
        Refusal::bad(format!(
            "'webhook_subscription.delivery_method.url' is invalid: {why}"
        ))
    };
    let url = address::url(url).map_err(wrong)?;
    let host = url.host_str().unwrap_or_default();
    let egress = &asked.app.settings.egress;
    let reach = egress.could_reach(host, url.scheme() == "https");
    reach.map_err(|blocked| wrong(blocked.to_string()))?;
    Ok(url)
}

/// The headers that are wanted; a value that was not shown is the one that is known.
fn with_known(wanted: Vec<(String, String)>, known: &[(String, String)]) -> Vec<(String, String)> {
    let value_of = |name: &str, value: String| {
        let mut known = known.iter();
        let before = known.find(|(known, _)| known.eq_ignore_ascii_case(name));
        before
            .filter(|_| value == REDACTED)
            .map_or(value.clone(), |(_, before)| before.clone())
    };
    let wanted = wanted.into_iter();
    wanted
        .map(|(name, value)| {
            let value = value_of(&name, value);
            (name, value)
        })
        .collect()
}

fn scope(state: &State, filter: &Filter) -> Result<WebhookScope, Refused> {
    let place = "webhook_subscription.filter";
    Ok(match filter {
        Filter::Account => WebhookScope::Account,
        Filter::Service(id) => WebhookScope::Service(lookup::service(state, place, id)?),
        Filter::Team(id) => WebhookScope::Team(lookup::team(state, place, id)?),
    })
}

/// Where it is to go from now on, if that is not where it goes already.
fn delivery(
    asked: &Asked,
    body: &Subscription,
    before: Option<&Kept>,
) -> Result<Option<Kept>, Refused> {
    let url = body.url.as_deref();
    let url = url.map(|url| checked(asked, url)).transpose()?;
    let headers = body.headers.clone();
    let Some(before) = before else {
        let missing = "'webhook_subscription.delivery_method.url' is missing";
        let url = url.ok_or_else(|| Refusal::bad(missing))?;
        let secret = secret::letters(SECRET_CHARS);
        let no_bytes = |_| Problem::internal("the system gives no random bytes");
        return Ok(Some(Kept {
            url: url.to_string(),
            headers: with_known(headers.unwrap_or_default(), &[]),
            secret: secret.map_err(no_bytes)?,
        }));
    };
    let wanted = Kept {
        url: url.map_or_else(|| before.url.clone(), |url| url.to_string()),
        headers: headers.map_or_else(
            || before.headers.clone(),
            |wanted| with_known(wanted, &before.headers),
        ),
        secret: before.secret.clone(),
    };
    Ok((wanted != *before).then_some(wanted))
}

/// Makes or changes a subscription, and shows it.
async fn set(asked: &Asked, known: Option<&Subscribed>) -> Answer {
    let body = bodies::subscription(&asked.body)?;
    let before = match known {
        Some(known) => kept(asked, known.webhook.delivery).await?,
        None => None,
    };
    let wanted = delivery(asked, &body, before.as_ref())?;
    let filter = body.filter.as_ref();
    let scope = asked
        .app
        .read(|state| filter.map(|filter| scope(state, filter)).transpose())?;
    let known = known.map(|known| &known.webhook);
    let events = body.events.map(|kinds| kinds.into_iter().collect());
    let events = events.or_else(|| known.map(|known| known.events.clone()));
    let events = events.ok_or_else(|| Refusal::bad("'webhook_subscription.events' is missing"))?;
    let row = match &wanted {
        None => None,
        Some(wanted) => {
            let wanted = wanted.clone();
            let row = asked
                .app
                .blocking(move |parts| wanted.put(parts.vault.as_ref()));
            Some(row.await?)
        }
    };
    let ask = WebhookAsk::Set {
        id: known.map(|known| known.id),
        description: body
            .description
            .or_else(|| known.map(|known| known.description.clone()))
            .unwrap_or_default(),
        delivery: row,
        events,
        scope: scope
            .or_else(|| known.map(|known| known.scope))
            .unwrap_or(WebhookScope::Account),
        active: body
            .active
            .or_else(|| known.map(|known| known.active))
            .unwrap_or(true),
    };
    let webhook = set_or_forget(asked, ask, row).await?;
    let gone = known.map(|known| known.delivery);
    forget(asked, gone.filter(|_| row.is_some())).await?;
    let made = named(asked, webhook.as_str())?;
    // A secret that was made just now is shown.
    let is_new = before.is_none();
    let kept = wanted.or(before).ok_or_else(lost)?;
    let shown = shown(asked, &made, Some(&kept), is_new);
    Ok(Reply::Done(json!({ "webhook_subscription": shown })))
}

/// Asks the core; gives the subscription that was set. When it is certain that nothing was, the row made for it goes again.
async fn set_or_forget(
    asked: &Asked,
    ask: WebhookAsk,
    row: Option<SecretId>,
) -> Result<WebhookId, Refused> {
    match set_as(&asked.app, &asked.caller.actor, Ask::Webhook(ask)).await {
        Ok(set) => {
            let RosterEvent::Webhook(event) = set else {
                return Err(lost().into());
            };
            Ok(event.webhook())
        }
        Err(problem) => {
            // While it is not certain that nothing was kept, what may be needed stays.
            forget(asked, row.filter(|_| problem.outcome_known())).await?;
            Err(problem.into())
        }
    }
}

/// Changes subscriptions to the end and one after the other, so that no row with a secret stays that nothing names.
async fn in_turn(app: &App, work: impl Future<Output = Answer> + Send + 'static) -> Answer {
    App::in_turn(&app.inner().webhook_changes, work).await
}

/// Removes a row that nothing names any more.
async fn forget(asked: &Asked, row: Option<SecretId>) -> Result<(), Refused> {
    if let Some(row) = row {
        let removed = asked.app.blocking(move |parts| parts.vault.remove(&[row]));
        removed.await?;
    }
    Ok(())
}

/// Subscribe to what happens to incidents; the secret by which it is signed is shown once
#[utoipa::path(post, path = "/webhook_subscriptions", tag = "fronts", request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn add_webhook_subscription(asked: Asked) -> Answer {
    let app = asked.app.clone();
    in_turn(&app, async move { set(&asked, None).await }).await
}

/// Change a webhook subscription; its secret stays
#[utoipa::path(put, path = "/webhook_subscriptions/{id}", tag = "fronts", params(("id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object), (status = 400, body = Object), (status = 404, body = Object)))]
pub(crate) async fn change_webhook_subscription(Path(id): Path<String>, asked: Asked) -> Answer {
    let app = asked.app.clone();
    let change = async move {
        let known = named(&asked, &id)?;
        set(&asked, Some(&known)).await
    };
    in_turn(&app, change).await
}

async fn ask(asked: &Asked, ask: WebhookAsk) -> Result<(), Refused> {
    let actor = &asked.caller.actor;
    asked.app.ask(actor, Ask::Webhook(ask)).await?;
    Ok(())
}

/// Remove a webhook subscription
#[utoipa::path(delete, path = "/webhook_subscriptions/{id}", tag = "fronts", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Object)))]
pub(crate) async fn remove_webhook_subscription(Path(id): Path<String>, asked: Asked) -> Answer {
    let app = asked.app.clone();
    let removal = async move {
        let known = named(&asked, &id)?.webhook;
        ask(&asked, WebhookAsk::Remove(known.id)).await?;
        forget(&asked, Some(known.delivery)).await?;
        Ok::<_, Refused>(Reply::Empty)
    };
    in_turn(&app, removal).await
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

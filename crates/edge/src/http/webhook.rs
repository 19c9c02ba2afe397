//! Webhook subscriptions over the API. What is sent, and when, is decided elsewhere.

pub(crate) mod subscription;

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tocsin_domain::command::WebhookAsk;
use tocsin_domain::id::{ServiceId, TeamId, WebhookId};
use tocsin_domain::state;
use tocsin_domain::time::Timestamp;
use tocsin_domain::webhook::{Subscribed, WebhookKind, WebhookScope};
use tocsin_wire::pagerduty::rest::webhook::{
    EVENTS_MAX, HEADERS_MAX, NAME_CHARS_MAX, REDACTED, VALUE_CHARS_MAX, may_be_named, may_be_value,
};
use utoipa::ToSchema;

use super::body::{Json as Body, Params};
use super::disclosed::Disclosed;
use super::named;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::shape::{Id, Instant, WebhookEvent};
use crate::access::who::Caller;
use crate::app::App;
use crate::ports::StorageError;
use crate::webhooks::kept::Kept;
use subscription::{Made, Unset, Wanted, asked, found, kept, reachable, removed, set};

/// Of which incidents is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WebhookScopeKind {
    /// All.
    Account,
    /// Those of a service.
    Service,
    /// Those of a team.
    Team,
}

/// A header that is sent along.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookHeader {
    /// At most 100 characters; none that Tocsin sets itself.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Printable ASCII, at most 1024 characters. It is shown as `-- redacted --`, and stays when it is sent back so.
    #[schema(value_type = String, max_length = 1024)]
    value: Disclosed,
}

/// A subscription to what happens to incidents; its secret is never shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct WebhookShape {
    id: String,
    description: String,
    /// Where it goes; null when that is gone from the vault.
    #[schema(value_type = Option<String>)]
    url: Option<Disclosed>,
    /// Headers that are sent along.
    headers: Vec<WebhookHeader>,
    /// What is told, such as `incident.triggered`.
    events: Vec<String>,
    scope: WebhookScopeKind,
    /// The service or the team.
    scope_id: Option<String>,
    active: bool,
    /// Until when it is left alone, because its receiver kept refusing.
    disabled_until: Option<Instant>,
}

/// A subscription as it was set.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadeWebhook {
    #[serde(flatten)]
    subscription: WebhookShape,
    /// By which what is sent is signed; shown once, in the answer to whoever had it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    secret: Option<Disclosed>,
}

/// A subscription to add or to put in another's place, whose secret stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookRequest {
    /// At most 1024 characters.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: String,
    /// Where it goes, https; an address that the server may not reach is refused.
    #[schema(value_type = String)]
    url: SecretString,
    /// Headers that are sent along, at most 20. Left out, those of a known subscription stay.
    #[schema(max_items = 20)]
    headers: Option<Vec<WebhookHeader>>,
    /// What is told, such as `incident.triggered`: at least one.
    #[schema(value_type = Vec<WebhookEvent>, min_items = 1, max_items = 100)]
    events: Vec<String>,
    /// Of all incidents when it is not said.
    scope: Option<WebhookScopeKind>,
    /// The service or the team.
    #[schema(value_type = Option<Id>)]
    scope_id: Option<String>,
    /// Whether anything is sent; it is when this is not said. What happens while it is not is not told afterwards.
    active: Option<bool>,
}

fn shown(known: &Subscribed, kept: Option<&Kept>, now: Timestamp) -> WebhookShape {
    let webhook = &known.webhook;
    let disabled_until = known.disabled_until.filter(|_| known.is_disabled(now));
    let (scope, scope_id) = match webhook.scope {
        WebhookScope::Account => (WebhookScopeKind::Account, None),
        WebhookScope::Service(id) => (WebhookScopeKind::Service, Some(id.to_string())),
        WebhookScope::Team(id) => (WebhookScopeKind::Team, Some(id.to_string())),
    };
    let headers = kept.map_or(&[][..], |kept| kept.headers.as_slice());
    let events = webhook.events.iter();
    WebhookShape {
        id: webhook.id.to_string(),
        description: webhook.description.clone(),
        url: kept.map(|kept| Disclosed::from(kept.url.clone())),
        headers: headers
            .iter()
            .map(|(name, _)| WebhookHeader {
                name: name.clone(),
                value: Disclosed::from(REDACTED.to_owned()),
            })
            .collect(),
        events: events.map(|kind| kind.word().to_owned()).collect(),
        scope,
        scope_id,
        active: webhook.active,
        disabled_until: disabled_until.map(Instant),
    }
}

/// Subscriptions to what happens to incidents
#[utoipa::path(get, path = "/api/tocsin/v1/webhook-subscriptions", tag = "settings", params(PageQuery),
    responses((status = 200, body = Page<WebhookShape>)))]
pub(crate) async fn list_webhooks(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<WebhookShape>>, Problem> {
    let all: Vec<Subscribed> = app.read(|state| state.webhooks.values().cloned().collect());
    let now = app.now();
    let listed = app.blocking(move |parts| {
        let vault = parts.vault.as_ref();
        let listed = all.iter().map(|one| -> Result<WebhookShape, StorageError> {
            let kept = Kept::read(vault, one.webhook.delivery)?;
            Ok(shown(one, kept.as_ref(), now))
        });
        listed.collect::<Result<Vec<_>, _>>()
    });
    page.cut(listed.await?, |one| one.id.as_str()).map(Json)
}

fn id_in(id: &str) -> Result<WebhookId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(&format!("webhook subscription {id}")))
}

async fn shown_now(app: &App, id: WebhookId) -> Result<Json<WebhookShape>, Problem> {
    let known = found(app, id)?;
    let kept = kept(app, known.webhook.delivery).await?;
    Ok(Json(shown(&known, kept.as_ref(), app.now())))
}

/// One subscription, without its secret
#[utoipa::path(get, path = "/api/tocsin/v1/webhook-subscriptions/{id}", tag = "settings", params(("id" = String, Path)),
    responses((status = 200, body = WebhookShape), (status = 404)))]
pub(crate) async fn get_webhook(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<WebhookShape>, Problem> {
    shown_now(&app, id_in(&id)?).await
}

fn events_of(words: &[String], reasons: &mut Vec<String>) -> BTreeSet<WebhookKind> {
    if words.is_empty() || words.len() > EVENTS_MAX {
        reasons.push(format!("events: 1 to {EVENTS_MAX}"));
        return BTreeSet::new();
    }
    let mut kinds = BTreeSet::new();
    for (index, word) in words.iter().enumerate() {
        let kind = WebhookKind::of_word(word);
        if kind.is_none() {
            reasons.push(format!("events[{index}]: Tocsin has no such event"));
        }
        kinds.extend(kind);
    }
    kinds
}

fn headers_of(given: Vec<WebhookHeader>, reasons: &mut Vec<String>) -> Vec<(String, String)> {
    if given.len() > HEADERS_MAX {
        reasons.push(format!("headers: at most {HEADERS_MAX}"));
        return Vec::new();
    }
    let mut headers = Vec::new();
    for (index, WebhookHeader { name, value }) in given.into_iter().enumerate() {
        let value = value.text().trim().to_owned();
        if name.len() > NAME_CHARS_MAX || !may_be_named(&name) {
            let why = "no name of a header, or one that Tocsin sets itself";
            reasons.push(format!("headers[{index}].name: {why}"));
        } else if value.len() > VALUE_CHARS_MAX || !may_be_value(&value) {
            let why = format!("at most {VALUE_CHARS_MAX} characters of printable ASCII");
            reasons.push(format!("headers[{index}].value: {why}"));
        }
        headers.push((name, value));
    }
    headers
}

fn scope_of(
    app: &App,
    kind: WebhookScopeKind,
    id: Option<&str>,
    reasons: &mut Vec<String>,
) -> WebhookScope {
    let service = |state: &state::State, id: ServiceId| {
        let is_there = state.services.contains_key(&id);
        is_there.then_some(WebhookScope::Service(id))
    };
    let team = |state: &state::State, id: TeamId| {
        let is_there = state.teams.contains_key(&id);
        is_there.then_some(WebhookScope::Team(id))
    };
    let (scope, why) = match (kind, id) {
        (WebhookScopeKind::Account, None) => (Some(WebhookScope::Account), ""),
        (WebhookScopeKind::Account, Some(_)) => (None, "only a service or a team has one"),
        (WebhookScopeKind::Service, id) => {
            let known = id.and_then(|id| named::known(app, id, service));
            (known, "not the id of a service")
        }
        (WebhookScopeKind::Team, id) => {
            let known = id.and_then(|id| named::known(app, id, team));
            (known, "not the id of a team")
        }
    };
    scope.unwrap_or_else(|| {
        reasons.push(format!("scope_id: {why}"));
        WebhookScope::Account
    })
}

fn read(app: &App, request: WebhookRequest) -> Result<Wanted, Problem> {
    let mut reasons = Vec::new();
    let url = reachable(app, request.url.expose_secret());
    let url = url.map_err(|why| reasons.push(format!("url: {why}"))).ok();
    let headers = request.headers;
    let headers = headers.map(|given| headers_of(given, &mut reasons));
    let events = events_of(&request.events, &mut reasons);
    let kind = request.scope.unwrap_or(WebhookScopeKind::Account);
    let scope = scope_of(app, kind, request.scope_id.as_deref(), &mut reasons);
    if !reasons.is_empty() {
        return Err(Problem::invalid(reasons));
    }
    Ok(Wanted {
        description: Some(request.description),
        active: Some(request.active.unwrap_or(true)),
        events: Some(events),
        scope: Some(scope),
        url,
        headers,
    })
}

async fn set_webhook(
    app: &App,
    caller: &Caller,
    id: Option<WebhookId>,
    request: WebhookRequest,
) -> Result<Json<MadeWebhook>, Problem> {
    let wanted = read(app, request)?;
    let Made {
        subscribed,
        kept,
        is_new_secret,
    } = match set(app, &caller.actor, id, wanted).await {
        Ok(made) => made,
        Err(Unset::NoUrl) => return Err(Problem::bad("url: must be there")),
        Err(Unset::OtherHost) => {
            return Err(Problem::bad(
                "headers: say their values again, or send none: they go to nobody but the host that they were given for",
            ));
        }
        Err(Unset::NoEvents) => return Err(Problem::bad("events: at least one")),
        Err(Unset::Refused(problem)) => return Err(problem),
    };
    Ok(Json(MadeWebhook {
        subscription: shown(&subscribed, Some(&kept), app.now()),
        secret: is_new_secret.then(|| Disclosed::from(kept.secret)),
    }))
}

/// Subscribe to what happens to incidents
///
/// It is told in the form of PagerDuty's webhooks v3. The secret by which it is signed is shown once.
#[utoipa::path(post, path = "/api/tocsin/v1/webhook-subscriptions", tag = "settings", request_body = WebhookRequest,
    responses((status = 201, body = MadeWebhook), (status = 400), (status = 409)))]
pub(crate) async fn add_webhook(
    State(app): State<App>,
    caller: Caller,
    Body(request): Body<WebhookRequest>,
) -> Result<impl IntoResponse, Problem> {
    set_webhook(&app, &caller, None, request)
        .await
        .map(|made| (StatusCode::CREATED, made))
}

/// Replace a subscription; its secret stays
///
/// One whose secret is gone from the vault gets another, which is shown.
#[utoipa::path(put, path = "/api/tocsin/v1/webhook-subscriptions/{id}", tag = "settings", params(("id" = String, Path)),
    request_body = WebhookRequest, responses((status = 200, body = MadeWebhook), (status = 400), (status = 404)))]
pub(crate) async fn replace_webhook(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<WebhookRequest>,
) -> Result<Json<MadeWebhook>, Problem> {
    let id = found(&app, id_in(&id)?)?.webhook.id;
    set_webhook(&app, &caller, Some(id), request).await
}

/// Remove a subscription with its secret
#[utoipa::path(delete, path = "/api/tocsin/v1/webhook-subscriptions/{id}", tag = "settings", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(crate) async fn remove_webhook(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    removed(&app, &caller.actor, id_in(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Serve a subscription again that is left alone because its receiver kept refusing
#[utoipa::path(post, path = "/api/tocsin/v1/webhook-subscriptions/{id}/enable", tag = "settings",
    params(("id" = String, Path)), responses((status = 200, body = WebhookShape), (status = 404)))]
pub(crate) async fn enable_webhook(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<WebhookShape>, Problem> {
    let id = id_in(&id)?;
    asked(&app, &caller.actor, WebhookAsk::Enable(id)).await?;
    shown_now(&app, id).await
}

/// Send a `pagey.ping` by a subscription to see whether it arrives, after what waits already
///
/// One that is not served at present is refused: enable it first.
#[utoipa::path(post, path = "/api/tocsin/v1/webhook-subscriptions/{id}/test", tag = "settings",
    params(("id" = String, Path)),
    responses((status = 202), (status = 404), (status = 409)))]
pub(crate) async fn test_webhook(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    asked(&app, &caller.actor, WebhookAsk::Ping(id_in(&id)?)).await?;
    Ok(StatusCode::ACCEPTED)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_down_of_a_subscription_has_no_secret_in_it() {
        let request: WebhookRequest = serde_json::from_value(json!({
            "url": "https://example.org/hook?key=hunter2", "events": ["incident.triggered"],
            "headers": [{"name": "Authorization", "value": "Bearer hunter2"}],
        }))
        .unwrap();
        let told = |text: &str| Disclosed::from(text.to_owned());
        let made = MadeWebhook {
            subscription: WebhookShape {
                id: "Q".to_owned(),
                description: String::new(),
                url: Some(told("https://example.org/hunter2")),
                headers: request.headers.clone().unwrap_or_default(),
                events: request.events.clone(),
                scope: WebhookScopeKind::Account,
                scope_id: None,
                active: true,
                disabled_until: None,
            },
            secret: Some(told("hunter2")),
        };
        let answer = serde_json::to_value(&made).unwrap();
        assert_eq!(answer["secret"], "hunter2");
        assert_eq!(answer["url"], "https://example.org/hunter2");
        assert_eq!(answer["headers"][0]["value"], "Bearer hunter2");
        for written in [format!("{request:?}"), format!("{made:#?}")] {
            assert!(written.contains("incident.triggered"), "{written}");
            assert!(!written.contains("hunter2"), "{written}");
        }
    }
}

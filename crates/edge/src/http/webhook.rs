//! Webhook subscriptions, as they are: made and changed as PagerDuty's clients do it.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tocsin_domain::webhook::{Subscribed, WebhookScope};
use utoipa::ToSchema;

use super::body::Params;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::shape::Instant;
use crate::app::App;
use crate::ports::StorageError;
use crate::webhooks::kept::Kept;

/// Of which incidents is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WebhookScopeKind {
    /// All.
    Account,
    /// Those of a service.
    Service,
    /// Those of a team.
    Team,
}

/// A subscription to what happens to incidents; its secret is never shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct WebhookShape {
    id: String,
    description: String,
    /// Where it goes; null when that is gone from the vault.
    url: Option<String>,
    /// What is told, such as `incident.triggered`.
    events: Vec<String>,
    scope: WebhookScopeKind,
    /// The service or the team.
    scope_id: Option<String>,
    active: bool,
    /// Until when it is left alone, because its receiver kept refusing.
    disabled_until: Option<Instant>,
}

/// Subscriptions to what happens to incidents
///
/// They are made and changed under `/webhook_subscriptions`, as by PagerDuty's clients.
#[utoipa::path(get, path = "/api/tocsin/v1/webhook-subscriptions", tag = "settings", params(PageQuery),
    responses((status = 200, body = Page<WebhookShape>)))]
pub(crate) async fn list_webhooks(
    State(app): State<App>,
    Params(page): Params<PageQuery>,
) -> Result<Json<Page<WebhookShape>>, Problem> {
    let all: Vec<Subscribed> = app.read(|state| state.webhooks.values().cloned().collect());
    let now = app.now();
    let shown = app.blocking(move |parts| {
        let vault = parts.vault.as_ref();
        let shown = all
            .into_iter()
            .map(|one| -> Result<WebhookShape, StorageError> {
                let kept = Kept::read(vault, one.webhook.delivery)?;
                let disabled_until = one.disabled_until.filter(|_| one.is_disabled(now));
                let (scope, scope_id) = match one.webhook.scope {
                    WebhookScope::Account => (WebhookScopeKind::Account, None),
                    WebhookScope::Service(id) => (WebhookScopeKind::Service, Some(id.to_string())),
                    WebhookScope::Team(id) => (WebhookScopeKind::Team, Some(id.to_string())),
                };
                let events = one.webhook.events.iter();
                Ok(WebhookShape {
                    id: one.webhook.id.to_string(),
                    description: one.webhook.description.clone(),
                    url: kept.map(|kept| kept.url),
                    events: events.map(|kind| kind.word().to_owned()).collect(),
                    scope,
                    scope_id,
                    active: one.webhook.active,
                    disabled_until: disabled_until.map(Instant),
                })
            });
        shown.collect::<Result<Vec<_>, _>>()
    });
    page.cut(shown.await?, |one| one.id.as_str()).map(Json)
}

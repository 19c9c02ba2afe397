//! Keys of integrations that are kept in the vault, for clients that read them again: each comes and goes with its integration,
//! one change after the other. What a crash leaves of a key is removed by the next start.

use std::collections::BTreeMap;

use secrecy::SecretString;
use tocsin_domain::command::{Ask, RosterAsk};
use tocsin_domain::event::{Actor, EventBody, RosterEvent};
use tocsin_domain::id::{IntegrationId, SecretId, WebhookId};
use tocsin_domain::service::Integration;
use tocsin_domain::webhook::WebhookEvent;

use super::{lost, set_as};
use crate::app::App;
use crate::http::problem::Problem;

/// Keeps a key and adds the integration that `asked_with` its row; when it is certain that none was added, the key goes again.
pub(super) async fn added_with(
    app: &App,
    actor: &Actor,
    key: SecretString,
    asked_with: impl FnOnce(SecretId) -> RosterAsk + Send + 'static,
) -> Result<Integration, Problem> {
    let (own, actor) = (app.clone(), actor.clone());
    let work = async move {
        let row = own.blocking(move |parts| parts.vault.put_key(&key)).await?;
        match added(&own, &actor, asked_with(row)).await {
            Ok(integration) => Ok(integration),
            Err(problem) => {
                // While it is not certain that nothing was kept, what may be needed stays.
                if problem.outcome_known() {
                    own.blocking(move |parts| parts.vault.remove(&[row]))
                        .await?;
                }
                Err(problem)
            }
        }
    };
    App::in_turn(&app.inner().key_changes, work).await
}

/// Adds an integration.
pub(super) async fn added(
    app: &App,
    actor: &Actor,
    ask: RosterAsk,
) -> Result<Integration, Problem> {
    let event = set_as(app, actor, Ask::Roster(ask)).await?;
    let RosterEvent::IntegrationAdded { integration } = event else {
        return Err(lost());
    };
    Ok(integration)
}

/// Asks for something by which integrations and subscriptions go, and removes what the vault kept for those that went.
pub(crate) async fn removed(app: &App, actor: &Actor, ask: Ask) -> Result<(), Problem> {
    let (own, actor) = (app.clone(), actor.clone());
    let work = async move {
        let _turn = App::turn(&own.inner().key_changes).await?;
        removed_in_turn(&own, &actor, ask).await
    };
    // A subscription that is changed meanwhile would leave a row behind that nothing names.
    App::in_turn(&app.inner().webhook_changes, work).await
}

/// The same for whoever has both turns: that of subscriptions, and then that of keys. It takes that of the roster by itself, since
/// planned work may go with a service, and files may change everything.
pub(crate) async fn removed_in_turn(app: &App, actor: &Actor, ask: Ask) -> Result<(), Problem> {
    let (keys, deliveries) = app.read(|state| {
        let keys = state.integrations.values();
        let keys = keys.filter_map(|one| Some((one.id, one.key_row?)));
        let told = state.webhooks.values().map(|known| &known.webhook);
        let deliveries = told.map(|webhook| (webhook.id, webhook.delivery));
        let keys: BTreeMap<IntegrationId, SecretId> = keys.collect();
        let deliveries: BTreeMap<WebhookId, SecretId> = deliveries.collect();
        (keys, deliveries)
    });
    let done = {
        let _turn = App::turn(&app.inner().roster_changes).await?;
        app.ask(actor, ask).await?
    };
    let gone = done.events().iter().filter_map(|event| {
        let EventBody::Roster(removed) = &event.body else {
            return None;
        };
        if let RosterEvent::IntegrationRemoved { integration } = removed {
            keys.get(integration).copied()
        } else if let RosterEvent::Webhook(WebhookEvent::WebhookRemoved { webhook }) = removed {
            deliveries.get(webhook).copied()
        } else {
            None
        }
    });
    forget(app, gone.collect()).await;
    Ok(())
}

/// Removes rows that are good for nothing any more. What named them is gone by now, so what fails here stands in the log alone.
async fn forget(app: &App, rows: Vec<SecretId>) {
    if rows.is_empty() {
        return;
    }
    let forgotten = app
        .blocking(move |parts| {
            if let Err(error) = parts.vault.remove(&rows) {
                tracing::warn!(why = %error.why, "what the vault kept for what was removed stays there");
            }
            Ok(())
        })
        .await;
    if forgotten.is_err() {
        tracing::warn!("what the vault kept for what was removed may stay there");
    }
}

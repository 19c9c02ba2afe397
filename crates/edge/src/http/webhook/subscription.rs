//! Webhook subscriptions made, changed, removed and tried, whoever asks for it in whatever words. Where each goes is a row of the
//! vault, which comes and goes with it. What is sent, and when, is decided elsewhere.

use std::collections::BTreeSet;

use reqwest::Url;
use tocsin_domain::command::{Ask, WebhookAsk};
use tocsin_domain::event::{Actor, RosterEvent};
use tocsin_domain::id::{SecretId, WebhookId};
use tocsin_domain::webhook::{Subscribed, Webhook, WebhookKind, WebhookScope};
use tocsin_wire::pagerduty::rest::webhook::REDACTED;

use crate::app::App;
use crate::http::address;
use crate::http::problem::Problem;
use crate::http::roster::{lost, set_as};
use crate::secret;
use crate::webhooks::kept::Kept;

/// Letters and digits of a secret.
const SECRET_CHARS: usize = 64;

/// What is to be so of a subscription; what is not said stays.
pub(crate) struct Wanted {
    /// What it is for.
    pub(crate) description: Option<String>,
    /// Whether anything is sent.
    pub(crate) active: Option<bool>,
    /// What is told.
    pub(crate) events: Option<BTreeSet<WebhookKind>>,
    /// Of which incidents; of all when a new one does not say it.
    pub(crate) scope: Option<WebhookScope>,
    /// Where it goes: an address that could be reached.
    pub(crate) url: Option<Url>,
    /// Headers that are sent along, all of them.
    pub(crate) headers: Option<Vec<(String, String)>>,
}

/// Why a subscription was not made or changed.
pub(crate) enum Unset {
    /// It is not said where it goes, and nothing is known of that.
    NoUrl,
    /// It is not said what is told.
    NoEvents,
    /// It goes to another host, and values of its headers are not said again.
    OtherHost,
    /// It was refused.
    Refused(Problem),
}

impl From<Problem> for Unset {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

/// A subscription as it was set.
pub(crate) struct Made {
    pub(crate) subscribed: Subscribed,
    pub(crate) kept: Kept,
    /// Whether its secret was made just now.
    pub(crate) is_new_secret: bool,
}

/// An address that could be sent to, or why it is none.
pub(crate) fn reachable(app: &App, text: &str) -> Result<Url, String> {
    let url = address::url(text)?;
    let host = url.host_str().unwrap_or_default();
    let egress = &app.settings.egress;
    let reach = egress.could_reach(host, url.scheme() == "https");
    reach.map_err(|blocked| blocked.to_string())?;
    Ok(url)
}

/// The subscription of this id.
pub(crate) fn found(app: &App, id: WebhookId) -> Result<Subscribed, Problem> {
    let known = app.read(|state| state.webhooks.get(&id).cloned());
    known.ok_or_else(|| Problem::not_found(&format!("webhook subscription {id}")))
}

/// Where it goes; none when that is gone from the vault.
pub(crate) async fn kept(app: &App, row: SecretId) -> Result<Option<Kept>, Problem> {
    app.blocking(move |parts| Kept::read(parts.vault.as_ref(), row))
        .await
}

/// Makes a subscription, or changes the one of this id: to the end and one after the other, so that no row with a secret stays that
/// nothing names.
pub(crate) async fn set(
    app: &App,
    actor: &Actor,
    id: Option<WebhookId>,
    wanted: Wanted,
) -> Result<Made, Unset> {
    let (own, actor) = (app.clone(), actor.clone());
    let work = async move { set_in_turn(&own, &actor, id, wanted).await };
    App::in_turn(&app.inner().webhook_changes, work).await
}

async fn set_in_turn(
    app: &App,
    actor: &Actor,
    id: Option<WebhookId>,
    wanted: Wanted,
) -> Result<Made, Unset> {
    let known = id.map(|id| found(app, id)).transpose()?;
    let known = known.map(|known| known.webhook);
    let before = match &known {
        Some(known) => kept(app, known.delivery).await?,
        None => None,
    };
    let delivery = delivery(wanted.url, wanted.headers, before.as_ref())?;
    let known_events = known.as_ref().map(|known| known.events.clone());
    let events = wanted.events.or(known_events).ok_or(Unset::NoEvents)?;
    let row = match &delivery {
        None => None,
        Some(delivery) => {
            let new = delivery.clone();
            let row = app.blocking(move |parts| new.put(parts.vault.as_ref()));
            Some(row.await?)
        }
    };
    let ask = WebhookAsk::Set {
        id,
        description: wanted
            .description
            .or_else(|| known.as_ref().map(|known| known.description.clone()))
            .unwrap_or_default(),
        delivery: row,
        events,
        scope: wanted
            .scope
            .or_else(|| known.as_ref().map(|known| known.scope))
            .unwrap_or(WebhookScope::Account),
        active: wanted
            .active
            .or_else(|| known.as_ref().map(|known| known.active))
            .unwrap_or(true),
    };
    let set = set_or_forget(app, actor, ask, row).await?;
    let gone = known.map(|known| known.delivery);
    forget(app, gone.filter(|_| row.is_some())).await?;
    // A secret that was made just now is shown.
    let is_new_secret = before.is_none();
    Ok(Made {
        subscribed: found(app, set)?,
        kept: delivery.or(before).ok_or_else(lost)?,
        is_new_secret,
    })
}

/// Where it is to go from now on, if that is not where it goes already.
fn delivery(
    url: Option<Url>,
    headers: Option<Vec<(String, String)>>,
    before: Option<&Kept>,
) -> Result<Option<Kept>, Unset> {
    let Some(before) = before else {
        let url = url.ok_or(Unset::NoUrl)?;
        let secret = secret::letters(SECRET_CHARS);
        let no_bytes = |_| Problem::internal("the system gives no random bytes");
        return Ok(Some(Kept {
            url: url.to_string(),
            headers: with_known(headers.unwrap_or_default(), &[]),
            secret: secret.map_err(no_bytes)?,
        }));
    };
    let goes_elsewhere = url.as_ref().is_some_and(|url| {
        let known = Url::parse(&before.url);
        !known.is_ok_and(|known| known.origin() == url.origin())
    });
    let says_all =
        |wanted: &Vec<(String, String)>| wanted.iter().all(|(_, value)| value != REDACTED);
    // A value that is shown to nobody goes to nobody but whom it was given for.
    if goes_elsewhere && !before.headers.is_empty() && !headers.as_ref().is_some_and(says_all) {
        return Err(Unset::OtherHost);
    }
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

/// Asks the core; gives the subscription that was set. When it is certain that nothing was, the row made for it goes again.
async fn set_or_forget(
    app: &App,
    actor: &Actor,
    ask: WebhookAsk,
    row: Option<SecretId>,
) -> Result<WebhookId, Problem> {
    match set_as(app, actor, Ask::Webhook(ask)).await {
        Ok(set) => {
            let RosterEvent::Webhook(event) = set else {
                return Err(lost());
            };
            Ok(event.webhook())
        }
        Err(problem) => {
            // While it is not certain that nothing was kept, what may be needed stays.
            forget(app, row.filter(|_| problem.outcome_known())).await?;
            Err(problem)
        }
    }
}

/// Removes a row that nothing names any more.
async fn forget(app: &App, row: Option<SecretId>) -> Result<(), Problem> {
    match row {
        Some(row) => app.blocking(move |parts| parts.vault.remove(&[row])).await,
        None => Ok(()),
    }
}

/// Removes a subscription with its secret.
pub(crate) async fn removed(app: &App, actor: &Actor, id: WebhookId) -> Result<(), Problem> {
    let (own, actor) = (app.clone(), actor.clone());
    let work = async move {
        let Webhook { id, delivery, .. } = found(&own, id)?.webhook;
        asked(&own, &actor, WebhookAsk::Remove(id)).await?;
        forget(&own, Some(delivery)).await
    };
    App::in_turn(&app.inner().webhook_changes, work).await
}

/// Asks for something by which no row comes or goes: to serve a subscription again, or to try it.
pub(crate) async fn asked(app: &App, actor: &Actor, ask: WebhookAsk) -> Result<(), Problem> {
    app.ask(actor, Ask::Webhook(ask)).await.map(|_| ())
}

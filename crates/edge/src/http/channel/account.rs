//! The accounts at providers of messages: set, shown without their secrets, removed. It sends nothing.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ring::signature::KeyPair;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tocsin_domain::page::Outcome;
use tocsin_domain::people::ChannelKind;
use tocsin_wire::{base64url, pushover, telegram, twilio};
use utoipa::ToSchema;

use super::buttons::{self, Buttons};
use super::{ChannelState, further_place};
use crate::app::App;
use crate::delivery::account::{self, Account, Provider, key_pair};
use crate::delivery::place::Place;
use crate::http::address;
use crate::http::body::Json as Body;
use crate::http::problem::Problem;

/// Characters of a token at most.
const TOKEN_CHARS_MAX: usize = 300;

/// A provider whose account Tocsin uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProviderName {
    /// Text messages and calls, at Twilio or at whoever speaks its API.
    Twilio,
    /// A bot of Telegram.
    Telegram,
    /// An application of Pushover.
    Pushover,
    /// An app of Slack.
    Slack,
    /// Pushes to browsers; the key is made here.
    WebPush,
    /// PagerDuty's Events API v2.
    #[serde(rename = "pagerduty")]
    PagerDuty,
}

impl From<Provider> for ProviderName {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Twilio => Self::Twilio,
            Provider::Telegram => Self::Telegram,
            Provider::Pushover => Self::Pushover,
            Provider::Slack => Self::Slack,
            Provider::WebPush => Self::WebPush,
            Provider::PagerDuty => Self::PagerDuty,
        }
    }
}

/// An account at a provider; its tokens are never shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ProviderAccount {
    provider: ProviderName,
    /// Its place, from 1: each takes over where those before it fail.
    place: u32,
    /// Whether messages can leave by it. An incoming webhook of Slack needs no account.
    configured: bool,
    /// Where the provider is.
    base_url: String,
    /// The account's id (of Twilio).
    account_id: Option<String>,
    /// The number or name that messages come from (of Twilio); who is to be asked about pushes (of web push).
    from: Option<String>,
    /// Whether a token is kept.
    has_token: bool,
    /// Whether a token to listen for buttons is kept (of Slack).
    has_listener_token: bool,
    /// The key by which browsers subscribe to our pushes (of web push), in base64url.
    public_key: Option<String>,
    state: ChannelState,
    /// The words of the last attempt, when it failed.
    detail: Option<String>,
    /// Whether the buttons in its messages are heard (of Slack and Telegram); null while nobody listens.
    buttons: Option<Buttons>,
}

/// An account at a provider, to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountRequest {
    /// Where the provider is, when it is not where everybody's is.
    base_url: Option<String>,
    /// The account's id; Twilio's alone has one.
    account_id: Option<String>,
    /// For Twilio the number, name or messaging service that messages come from; for web push a `mailto:` or `https:` address
    /// of who is to be asked about them.
    from: Option<String>,
    /// The auth token of Twilio, the token of a bot of Telegram or Slack, of an application of Pushover. Kept as it is when
    /// not given, as long as `base_url` and `account_id` stay the same.
    #[schema(value_type = Option<String>)]
    token: Option<SecretString>,
    /// The app-level token of Slack's Socket Mode, by which buttons are heard; kept like `token`.
    #[schema(value_type = Option<String>)]
    listener_token: Option<SecretString>,
}

fn named(text: &str) -> Result<Provider, Problem> {
    let found = Provider::ALL.into_iter().find(|one| one.word() == text);
    found.ok_or_else(|| Problem::not_found(&format!("provider {text}")))
}

const fn channels_of(provider: Provider) -> &'static [ChannelKind] {
    match provider {
        Provider::Twilio => &[ChannelKind::Sms, ChannelKind::Voice],
        Provider::Telegram => &[ChannelKind::Telegram],
        Provider::Pushover => &[ChannelKind::Pushover],
        Provider::Slack => &[ChannelKind::Slack],
        Provider::WebPush => &[ChannelKind::WebPush],
        Provider::PagerDuty => &[ChannelKind::PagerDuty],
    }
}

/// Every provider with its first account.
pub(super) async fn all(app: &App) -> Result<Vec<ProviderAccount>, Problem> {
    let mut all = Vec::new();
    for provider in Provider::ALL {
        all.push(shown(app, provider, Place::First).await?);
    }
    Ok(all)
}

/// The accounts that are set up at further places.
pub(super) async fn further(app: &App) -> Result<Vec<ProviderAccount>, Problem> {
    let mut further = Vec::new();
    for provider in Provider::ALL {
        for place in provider.places().iter().skip(1) {
            let shown = shown(app, provider, *place).await?;
            further.extend(Some(shown).filter(|one| one.configured));
        }
    }
    Ok(further)
}

async fn shown(app: &App, provider: Provider, place: Place) -> Result<ProviderAccount, Problem> {
    let read = app.blocking(move |parts| {
        let (accounts, vault) = (parts.accounts.as_ref(), parts.vault.as_ref());
        let opened = account::open(accounts, vault, provider, place)?;
        let set_up = if provider.places().len() > 1 {
            // Another place says nothing of this one.
            opened.is_some()
        } else {
            account::is_set_up(accounts, provider)?
        };
        Ok((set_up, opened))
    });
    let (configured, opened) = read.await?;
    let (state, detail) = last_words(app, provider, place);
    let kept = opened.as_ref().map(|opened| &opened.account);
    let key = opened.as_ref().and_then(|opened| opened.secret.as_ref());
    let key = key
        .filter(|_| provider == Provider::WebPush)
        .and_then(key_pair);
    Ok(ProviderAccount {
        provider: provider.into(),
        place: place.number(),
        configured,
        base_url: kept
            .map(|one| one.base_url.clone())
            .filter(|url| !url.is_empty())
            .unwrap_or_else(|| provider.base_url().to_owned()),
        account_id: kept.and_then(|one| one.id.clone()),
        from: kept.and_then(|one| one.from.clone()),
        has_token: kept.is_some_and(|one| one.secret.is_some()),
        has_listener_token: kept.is_some_and(|one| one.listener.is_some()),
        public_key: key.map(|key| base64url::encode(key.public_key().as_ref())),
        state,
        detail,
        buttons: buttons::shown(app, provider),
    })
}

/// How the last attempt by the provider's channels went, by this account where there may be several.
fn last_words(app: &App, provider: Provider, place: Place) -> (ChannelState, Option<String>) {
    let last = channels_of(provider)
        .iter()
        .filter_map(|channel| {
            if provider.places().len() > 1 {
                app.tally.last_by(*channel, place.number())
            } else {
                app.tally.last(*channel)
            }
        })
        .max_by_key(|last| last.at);
    match last {
        None => (ChannelState::Unknown, None),
        Some(last) => match last.outcome {
            Outcome::Accepted => (ChannelState::Ok, None),
            Outcome::Failed | Outcome::Refused | Outcome::TimedOut | Outcome::Unanswered => {
                (ChannelState::Failing, Some(last.detail))
            }
        },
    }
}

/// Set the account at a provider
#[utoipa::path(put, path = "/api/tocsin/v1/channels/accounts/{provider}", tag = "settings",
    params(("provider" = ProviderName, Path)), request_body = AccountRequest,
    responses((status = 200, body = ProviderAccount), (status = 400), (status = 404)))]
pub(crate) async fn set_account(
    State(app): State<App>,
    Path(provider): Path<String>,
    Body(request): Body<AccountRequest>,
) -> Result<Json<ProviderAccount>, Problem> {
    set(&app, (named(&provider)?, Place::First), request).await
}

/// Set an account that takes over
///
/// The second or third account at a provider: it takes over where those before it fail. There may be several of Twilio's alone.
#[utoipa::path(put, path = "/api/tocsin/v1/channels/accounts/{provider}/{place}", tag = "settings",
    params(("provider" = ProviderName, Path), ("place" = u32, Path, description = "2 or 3")), request_body = AccountRequest,
    responses((status = 200, body = ProviderAccount), (status = 400), (status = 404)))]
pub(crate) async fn set_further_account(
    State(app): State<App>,
    Path((provider, place)): Path<(String, String)>,
    Body(request): Body<AccountRequest>,
) -> Result<Json<ProviderAccount>, Problem> {
    let provider = named(&provider)?;
    let place = further_place(provider.places(), &place)?;
    set(&app, (provider, place), request).await
}

async fn set(
    app: &App,
    (provider, place): (Provider, Place),
    request: AccountRequest,
) -> Result<Json<ProviderAccount>, Problem> {
    let wanted = Wanted::read(provider, request)?;
    let missing = app.blocking(move |parts| {
        let (accounts, vault) = (parts.accounts.as_ref(), parts.vault.as_ref());
        // The key for web push may be made at this very moment.
        let _alone = account::change_alone();
        let before = account::kept(accounts, provider, place)?.unwrap_or_default();
        // A token goes to nobody but whom it was given for.
        let same = before.base_url == wanted.account.base_url && before.id == wanted.account.id;
        let same = same || provider == Provider::WebPush;
        let mut account = wanted.account;
        account.secret = before.secret.filter(|_| same && wanted.token.is_none());
        account.listener = before
            .listener
            .filter(|_| same && wanted.listener.is_none());
        if needs_token(provider) && account.secret.is_none() && wanted.token.is_none() {
            return Ok(true);
        }
        if let Some(token) = &wanted.token {
            account.secret = Some(vault.put(token, None)?);
        }
        if let Some(token) = &wanted.listener {
            account.listener = Some(vault.put(token, None)?);
        }
        account::keep(accounts, provider, place, &account)?;
        let still = [account.secret, account.listener];
        let gone: Vec<_> = [before.secret, before.listener]
            .into_iter()
            .flatten()
            .filter(|row| !still.contains(&Some(*row)))
            .collect();
        vault.remove(&gone)?;
        Ok(false)
    });
    if missing.await? {
        return Err(Problem::bad(
            "token: give one; the one that is kept is for another place or account",
        ));
    }
    if provider == Provider::WebPush {
        // It could not be made at the start.
        let made = app.blocking(|parts| {
            account::make_push_key(parts.accounts.as_ref(), parts.vault.as_ref())
        });
        made.await?;
    }
    forget_last_words(app, provider, place);
    shown(app, provider, place).await.map(Json)
}

/// What was said of the account at this place was said of another.
fn forget_last_words(app: &App, provider: Provider, place: Place) {
    for channel in channels_of(provider) {
        app.tally.forget_account(*channel, place.number());
    }
    app.tally.ears().forget(provider);
}

const fn needs_token(provider: Provider) -> bool {
    match provider {
        Provider::Twilio | Provider::Telegram | Provider::Pushover | Provider::Slack => true,
        Provider::WebPush | Provider::PagerDuty => false,
    }
}

/// What was asked for, after it was found to be good.
struct Wanted {
    account: Account,
    token: Option<SecretString>,
    listener: Option<SecretString>,
}

impl Wanted {
    fn read(provider: Provider, request: AccountRequest) -> Result<Self, Problem> {
        let given = |text: Option<String>| {
            let text = text.map(|text| text.trim().to_owned());
            text.filter(|text| !text.is_empty())
        };
        let secret = |secret: Option<SecretString>| {
            secret.filter(|secret| !secret.expose_secret().is_empty())
        };
        let base_url = given(request.base_url);
        let wanted = Self {
            account: Account {
                base_url: base_url.unwrap_or_else(|| provider.base_url().to_owned()),
                id: given(request.account_id),
                from: given(request.from),
                secret: None,
                listener: None,
            },
            token: secret(request.token),
            listener: secret(request.listener_token),
        };
        let reasons = wanted.violations(provider);
        if reasons.is_empty() {
            let mut wanted = wanted;
            let base = wanted.account.base_url.trim_end_matches('/').to_owned();
            wanted.account.base_url = base;
            Ok(wanted)
        } else {
            Err(Problem::invalid(reasons))
        }
    }

    fn violations(&self, provider: Provider) -> Vec<String> {
        let mut reasons = Vec::new();
        let mut unless = |good: bool, reason: &str| {
            if !good {
                reasons.push(reason.to_owned());
            }
        };
        let account = &self.account;
        let base = &account.base_url;
        let is_base = |text: &str| {
            address::url(text).is_ok_and(|url| url.query().is_none() && url.fragment().is_none())
        };
        unless(
            is_base(base) || (provider == Provider::WebPush && base.is_empty()),
            "base_url: an address such as https://api.example.org, without a query",
        );
        let is = |text: &Option<String>, good: fn(&str) -> bool| text.as_deref().is_some_and(good);
        let token = |secret: &Option<SecretString>, good: fn(&str) -> bool| {
            secret.as_ref().is_none_or(|secret| {
                let text = secret.expose_secret();
                text.len() <= TOKEN_CHARS_MAX
                    && text.bytes().all(|byte| byte.is_ascii_graphic())
                    && good(text)
            })
        };
        let (of_twilio, of_slack) = (provider == Provider::Twilio, provider == Provider::Slack);
        unless(
            account.id.is_none() != of_twilio
                && (!of_twilio || is(&account.id, twilio::is_account)),
            "account_id: of Twilio alone, such as AC0123456789abcdef0123456789abcdef",
        );
        let (from, says) = (&account.from, from_of(provider));
        unless(from_is_good(provider, from.as_deref()), says);
        let (good, says): (fn(&str) -> bool, _) = match provider {
            Provider::Twilio => (|_| true, "token: the auth token, without spaces"),
            Provider::Telegram => (telegram::is_token, "token: not the token of a bot"),
            Provider::Pushover => (pushover::is_key, "token: not the token of an application"),
            Provider::Slack => (
                |text| text.starts_with("xoxb-"),
                "token: not the token of a bot, which begins with xoxb-",
            ),
            Provider::WebPush | Provider::PagerDuty => (|_| false, "token: there is none"),
        };
        unless(token(&self.token, good), says);
        let listens: fn(&str) -> bool = |text| text.starts_with("xapp-");
        unless(
            self.listener.is_none() || (of_slack && token(&self.listener, listens)),
            "listener_token: of Slack alone, an app-level token, which begins with xapp-",
        );
        reasons
    }
}

const fn from_of(provider: Provider) -> &'static str {
    match provider {
        Provider::Twilio => {
            "from: a number such as +33123456789, a name or the id of a messaging service"
        }
        Provider::WebPush => "from: an address that begins with mailto: or https://",
        Provider::Telegram | Provider::Pushover | Provider::Slack | Provider::PagerDuty => {
            "from: this provider has none"
        }
    }
}

fn from_is_good(provider: Provider, from: Option<&str>) -> bool {
    match (provider, from) {
        (Provider::Twilio, from) => from.is_some_and(twilio::is_sender),
        (_, None) => true,
        (Provider::WebPush, Some(from)) => {
            let known = from
                .strip_prefix("mailto:")
                .map(|mail| address::mail(mail).is_ok());
            known.unwrap_or_else(|| from.starts_with("https://") && address::url(from).is_ok())
        }
        (
            Provider::Telegram | Provider::Pushover | Provider::Slack | Provider::PagerDuty,
            Some(_),
        ) => false,
    }
}

/// Remove the account at a provider
#[utoipa::path(delete, path = "/api/tocsin/v1/channels/accounts/{provider}", tag = "settings",
    params(("provider" = ProviderName, Path)), responses((status = 204), (status = 404), (status = 409)))]
pub(crate) async fn remove_account(
    State(app): State<App>,
    Path(provider): Path<String>,
) -> Result<StatusCode, Problem> {
    remove(&app, named(&provider)?, Place::First).await
}

/// Remove an account that takes over
#[utoipa::path(delete, path = "/api/tocsin/v1/channels/accounts/{provider}/{place}", tag = "settings",
    params(("provider" = ProviderName, Path), ("place" = u32, Path, description = "2 or 3")),
    responses((status = 204), (status = 404)))]
pub(crate) async fn remove_further_account(
    State(app): State<App>,
    Path((provider, place)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let provider = named(&provider)?;
    let place = further_place(provider.places(), &place)?;
    remove(&app, provider, place).await
}

async fn remove(app: &App, provider: Provider, place: Place) -> Result<StatusCode, Problem> {
    if provider == Provider::WebPush {
        return Err(Problem::conflict(
            "the key for web push stays: without it every browser would have to subscribe again",
        ));
    }
    app.blocking(move |parts| {
        let (accounts, vault) = (parts.accounts.as_ref(), parts.vault.as_ref());
        account::forget(accounts, vault, provider, place)
    })
    .await?;
    forget_last_words(app, provider, place);
    Ok(StatusCode::NO_CONTENT)
}

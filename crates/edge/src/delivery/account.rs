//! The accounts at providers that messages go out by: their settings, and their secrets in the vault. It sends nothing.

use std::sync::{Mutex, MutexGuard};

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tocsin_domain::id::SecretId;
use tocsin_domain::people::ChannelKind;
use tocsin_wire::base64url;

use super::place::{Place, all_readable};
use crate::lock::lock;
use crate::ports::{Accounts, StorageError, Vault};

/// Bytes of a key of ours at most, as it is kept.
const KEY_BYTES_MAX: usize = 512;
/// Held by whoever reads an account to write it anew: only one key is ever made, however many ask for it at once, and nobody
/// overwrites what another has just kept.
static CHANGING: Mutex<()> = Mutex::new(());

/// A provider whose account Tocsin uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Provider {
    /// Text messages and calls.
    Twilio,
    /// A bot.
    Telegram,
    /// An application.
    Pushover,
    /// An app.
    Slack,
    /// Pushes to browsers; the account is a key of our own.
    WebPush,
    /// Only where it is.
    PagerDuty,
}

impl Provider {
    /// The provider of a channel, if it needs one.
    pub(crate) const fn of(channel: ChannelKind) -> Option<Self> {
        match channel {
            ChannelKind::Sms | ChannelKind::Voice => Some(Self::Twilio),
            ChannelKind::Telegram => Some(Self::Telegram),
            ChannelKind::Pushover => Some(Self::Pushover),
            ChannelKind::Slack => Some(Self::Slack),
            ChannelKind::WebPush => Some(Self::WebPush),
            ChannelKind::PagerDuty => Some(Self::PagerDuty),
            ChannelKind::Email | ChannelKind::Webhook | ChannelKind::Ntfy => None,
        }
    }

    /// The setting that its account at this place is kept under, as JSON.
    fn setting(self, place: Place) -> String {
        let first = match self {
            Self::Twilio => "channel_twilio",
            Self::Telegram => "channel_telegram",
            Self::Pushover => "channel_pushover",
            Self::Slack => "channel_slack",
            Self::WebPush => "channel_web_push",
            Self::PagerDuty => "channel_pagerduty",
        };
        place.setting(first)
    }

    /// The places that an account may stand at. Only whoever speaks Twilio's API can do the same for anybody's number: a chat, a key or
    /// a browser belongs to one bot, application or key.
    pub(crate) const fn places(self) -> &'static [Place] {
        match self {
            Self::Twilio => &Place::ALL,
            Self::Telegram | Self::Pushover | Self::Slack | Self::WebPush | Self::PagerDuty => {
                &[Place::First]
            }
        }
    }

    /// Where it is, unless somebody says otherwise.
    pub(crate) const fn base_url(self) -> &'static str {
        match self {
            Self::Twilio => "https://api.twilio.com",
            Self::Telegram => "https://api.telegram.org",
            Self::Pushover => "https://api.pushover.net",
            Self::Slack => "https://slack.com",
            // A subscription says itself where it is.
            Self::WebPush => "",
            Self::PagerDuty => "https://events.pagerduty.com",
        }
    }

    /// The word of it in the API.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Telegram => "telegram",
            Self::Pushover => "pushover",
            Self::Slack => "slack",
            Self::WebPush => "web_push",
            Self::PagerDuty => "pagerduty",
        }
    }

    /// Every one, in the order they are shown.
    pub(crate) const ALL: [Self; 6] = [
        Self::Twilio,
        Self::Telegram,
        Self::Pushover,
        Self::Slack,
        Self::WebPush,
        Self::PagerDuty,
    ];

    /// What it is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Twilio => "Twilio account",
            Self::Telegram => "Telegram bot",
            Self::Pushover => "Pushover application",
            Self::Slack => "Slack app",
            Self::WebPush => "key for web push",
            Self::PagerDuty => "PagerDuty",
        }
    }
}

/// An account, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// Where the provider is, without a slash at the end.
    pub(crate) base_url: String,
    /// The account's id, where it has one.
    #[serde(default)]
    pub(crate) id: Option<String>,
    /// From what number or name messages come; for web push, who is to be asked about them.
    #[serde(default)]
    pub(crate) from: Option<String>,
    /// Vault row of the token or key.
    #[serde(default)]
    pub(crate) secret: Option<SecretId>,
    /// Vault row of the token that listens (of Slack's app).
    #[serde(default)]
    pub(crate) listener: Option<SecretId>,
}

/// An account with its secrets.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub(crate) account: Account,
    pub(crate) secret: Option<SecretString>,
    pub(crate) listener: Option<SecretString>,
}

/// The account at a provider as it is kept at this place; none when nobody set one.
pub(crate) fn kept(
    accounts: &dyn Accounts,
    provider: Provider,
    place: Place,
) -> Result<Option<Account>, StorageError> {
    let Some(text) = accounts.setting(&provider.setting(place))? else {
        return Ok(None);
    };
    // `null` is what is left of an account that was removed.
    serde_json::from_str(&text).map_err(|error| StorageError {
        why: format!(
            "the settings of the {} cannot be read: {error}",
            provider.name()
        ),
        disk_full: false,
    })
}

/// Whether messages can leave by this provider, whatever their address.
pub(crate) fn is_set_up(accounts: &dyn Accounts, provider: Provider) -> Result<bool, StorageError> {
    match provider {
        // Everything that is needed is in the address of the contact method.
        Provider::PagerDuty => Ok(true),
        // The key for web push makes itself at the start, unless it could not be kept.
        Provider::Twilio
        | Provider::Telegram
        | Provider::Pushover
        | Provider::Slack
        | Provider::WebPush => {
            let all = all_readable(provider.places(), |place| kept(accounts, provider, place))?;
            Ok(all.iter().any(|(_, account)| account.secret.is_some()))
        }
    }
}

/// Nobody else changes an account while this is held. Whoever holds it must not [`make_push_key`], which waits for it.
pub(crate) fn change_alone() -> MutexGuard<'static, ()> {
    lock(&CHANGING)
}

/// Forgets an account. Its secrets are of no use any more.
pub(crate) fn forget(
    accounts: &dyn Accounts,
    vault: &dyn Vault,
    provider: Provider,
    place: Place,
) -> Result<(), StorageError> {
    let _alone = change_alone();
    let gone = kept(accounts, provider, place)?.unwrap_or_default();
    accounts.set_setting(&provider.setting(place), "null")?;
    let rows: Vec<SecretId> = [gone.secret, gone.listener].into_iter().flatten().collect();
    vault.remove(&rows)
}

/// Keeps an account.
pub(crate) fn keep(
    accounts: &dyn Accounts,
    provider: Provider,
    place: Place,
    account: &Account,
) -> Result<(), StorageError> {
    // Serializing strings into memory has no way to fail.
    let text = serde_json::to_string(account).unwrap_or_default();
    accounts.set_setting(&provider.setting(place), &text)
}

/// The accounts at a provider with their secrets, in the order of their places. It changes nothing.
pub(crate) fn open_all(
    accounts: &dyn Accounts,
    vault: &dyn Vault,
    provider: Provider,
) -> Result<Vec<(Place, Opened)>, StorageError> {
    all_readable(provider.places(), |place| {
        open(accounts, vault, provider, place)
    })
}

/// The account at a provider with its secrets; none when nobody set one and one is needed. It changes nothing.
pub(crate) fn open(
    accounts: &dyn Accounts,
    vault: &dyn Vault,
    provider: Provider,
    place: Place,
) -> Result<Option<Opened>, StorageError> {
    let account = match (kept(accounts, provider, place)?, provider) {
        (Some(account), _) => account,
        // Everything that is needed is in the address of the contact method.
        (None, Provider::PagerDuty | Provider::Slack) => Account {
            base_url: provider.base_url().to_owned(),
            ..Account::default()
        },
        (None, Provider::WebPush) => Account::default(),
        (None, Provider::Twilio | Provider::Telegram | Provider::Pushover) => return Ok(None),
    };
    let read = |row: Option<SecretId>| row.map_or(Ok(None), |row| vault.get(row));
    Ok(Some(Opened {
        secret: read(account.secret)?,
        listener: read(account.listener)?,
        account,
    }))
}

/// Makes the key that browsers know us by, when there is none. It is made once: with another one every subscription would be
/// lost.
pub(crate) fn make_push_key(
    accounts: &dyn Accounts,
    vault: &dyn Vault,
) -> Result<(), StorageError> {
    let _alone = change_alone();
    let mut account = kept(accounts, Provider::WebPush, Place::First)?.unwrap_or_default();
    let known = account.secret.map_or(Ok(None), |row| vault.get(row))?;
    if known.is_some() {
        return Ok(());
    }
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
    let key = key.map_err(|_| StorageError {
        why: "the system gives no random bytes for a key".to_owned(),
        disk_full: false,
    })?;
    let secret = SecretString::from(base64url::encode(key.as_ref()));
    account.secret = Some(vault.put(&secret, None)?);
    keep(accounts, Provider::WebPush, Place::First, &account)
}

/// The key pair that is kept as this text.
pub(crate) fn key_pair(secret: &SecretString) -> Option<EcdsaKeyPair> {
    let bytes = base64url::decode(secret.expose_secret(), KEY_BYTES_MAX)?;
    let random = SystemRandom::new();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes, &random).ok()
}

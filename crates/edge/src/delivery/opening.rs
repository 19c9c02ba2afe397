//! What an attempt needs of the vault: the address, the keys and the code, and the links that are signed for it.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::id::SecretId;
use tocsin_domain::people::ChannelKind;
use tocsin_wire::page_message::Kind;

use super::Courier;
use super::account::{self, Opened, Provider};
use super::by_account::Callbacks;
use super::mail;
use super::message::{Letter, Secrets, reaches_one_person};
use super::place::Place;
use super::report::Report;
use super::walk::{Carrier, Means};
use crate::links::{LinkKey, Use};
use crate::ports::StorageError;

/// What was taken out of the vault.
struct Out {
    address: SecretString,
    signing_key: Option<SecretString>,
    code: Option<SecretString>,
    accounts: Vec<(Place, Opened)>,
    link_key: Option<LinkKey>,
}

/// Whether a page by this channel carries the link that answers it: a call is answered by keys, and `PagerDuty` keeps the incident
/// itself.
fn shows_link(channel: ChannelKind, address: &str) -> bool {
    match channel {
        ChannelKind::Voice | ChannelKind::PagerDuty => false,
        ChannelKind::Email
        | ChannelKind::Webhook
        | ChannelKind::Ntfy
        | ChannelKind::Slack
        | ChannelKind::Telegram
        | ChannelKind::Pushover
        | ChannelKind::Sms
        | ChannelKind::WebPush => reaches_one_person(channel, address),
    }
}

impl Courier {
    /// Takes the address, the keys and the code out of the vault, and signs the links that the channel carries.
    pub(super) async fn open(&self, mut letter: Letter) -> Result<(Letter, Secrets), Report> {
        let opened = match self.opened_recently(&letter) {
            Some(opened) => opened,
            None => self.open_vault(&letter).await?,
        };
        let Out {
            address,
            signing_key,
            code,
            accounts,
            link_key,
        } = opened;
        let servers = if letter.channel == ChannelKind::Email {
            self.mail_servers().await?
        } else {
            Vec::new()
        };
        letter.message.verification_code = code.map(|code| code.expose_secret().to_owned());
        let (base, bound) = (&self.needs.public_url, letter.bound.as_ref());
        let signed = |place: &str, usage| {
            let token = link_key.as_ref()?.token(bound?, usage);
            Some(format!("{base}/{place}/{token}"))
        };
        let is_shown = shows_link(letter.channel, address.expose_secret());
        if letter.message.kind == Kind::Page && is_shown {
            letter.message.answer_link = signed("a", Use::Answer);
        }
        let (channel, number) = (letter.channel, letter.number);
        let status = |place| signed("twilio/status", Use::Status(number, place));
        // Each address proves by which account it was told.
        let callbacks = |place| match channel {
            ChannelKind::Voice => {
                let voice = signed("twilio/voice", Use::Voice(place));
                Callbacks::new(voice, status(place))
            }
            ChannelKind::Sms => Callbacks::new(None, status(place)),
            ChannelKind::Email
            | ChannelKind::Webhook
            | ChannelKind::Ntfy
            | ChannelKind::Slack
            | ChannelKind::Telegram
            | ChannelKind::Pushover
            | ChannelKind::WebPush
            | ChannelKind::PagerDuty => Callbacks::new(None, None),
        };
        let by_api = accounts.into_iter();
        let by_api = by_api.map(|(place, opened)| (place, Means::Api(opened)));
        let by_mail = servers.into_iter();
        let by_mail = by_mail.map(|(place, server)| (place, Means::Mail(server)));
        let carriers = by_api.chain(by_mail).map(|(place, means)| Carrier {
            place,
            means,
            callbacks: callbacks(place),
        });
        let secrets = Secrets {
            address,
            signing_key,
            carriers: carriers.collect(),
        };
        Ok((letter, secrets))
    }

    async fn mail_servers(&self) -> Result<Vec<(Place, mail::Server)>, Report> {
        let accounts = Arc::clone(&self.needs.accounts);
        let vault = Arc::clone(&self.needs.vault);
        let read = move || mail::servers(accounts.as_ref(), vault.as_ref());
        let read = tokio::task::spawn_blocking(read).await;
        let read = read.map_err(|_| Report::failed("the mail settings could not be read"))?;
        read.map_err(|error| Report::failed(format!("the mail settings: {error}")))
    }

    /// What another message needed a moment ago, where this one needs nothing else.
    fn opened_recently(&self, letter: &Letter) -> Option<Out> {
        if letter.pending_code.is_some() || Provider::of(letter.channel).is_some() {
            return None;
        }
        let now = self.needs.clock.now();
        let signing_key = match letter.signing_key {
            Some(key) => Some(self.recent.get(key, now)?),
            None => None,
        };
        Some(Out {
            address: self.recent.get(letter.address, now)?,
            signing_key,
            code: None,
            accounts: Vec::new(),
            link_key: Some(self.link_key.known()?),
        })
    }

    async fn open_vault(&self, letter: &Letter) -> Result<Out, Report> {
        let vault = Arc::clone(&self.needs.vault);
        let accounts = Arc::clone(&self.needs.accounts);
        let link_key = Arc::clone(&self.link_key);
        let (address, key, code) = (letter.address, letter.signing_key, letter.pending_code);
        let provider = Provider::of(letter.channel);
        let read_at = self.needs.clock.now();
        let opened = tokio::task::spawn_blocking(move || -> Result<_, StorageError> {
            let (accounts, vault) = (accounts.as_ref(), vault.as_ref());
            let read = |id: Option<SecretId>| id.map_or(Ok(None), |id| vault.get(id));
            let opened = match provider {
                Some(provider) => account::open_all(accounts, vault, provider)?,
                None => Vec::new(),
            };
            // On a full disk no key can be made: a page without a link is better than none.
            let link_key = link_key.get(accounts, vault).ok();
            let Some(address) = vault.get(address)? else {
                return Ok(None);
            };
            Ok(Some(Out {
                address,
                signing_key: read(key)?,
                code: read(code)?,
                accounts: opened,
                link_key,
            }))
        });
        let opened = opened
            .await
            .map_err(|_| Report::failed("the vault could not be read"))?;
        let opened = opened.map_err(|error| Report::failed(format!("the vault: {error}")))?;
        let opened = opened.ok_or_else(|| Report::refused("the address was removed"))?;
        self.recent.keep(address, &opened.address, read_at);
        if let (Some(key), Some(text)) = (key, &opened.signing_key) {
            self.recent.keep(key, text, read_at);
        }
        Ok(opened)
    }
}

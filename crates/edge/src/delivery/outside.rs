//! Sends messages to addresses that are given whole, for who has no vault and no engine: one attempt each, nothing kept.

mod senders;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::Mailbox;
use reqwest::Url;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;
use tocsin_wire::page_message::PageMessage;
use tocsin_wire::webhook::{SECRET_BYTES_MIN, SignatureError};
use tocsin_wire::{pushover, telegram, twilio};

use super::account::Provider;
use super::by_account::{self, Callbacks};
use super::egress::{Blocked, Egress};
use super::exchange::Exchange;
use super::mail::{self, MailSettings};
use super::pace::RealTime;
use super::report::Report;
use super::{ATTEMPT_WAIT, StartError, post};

pub use senders::{Sender, Senders};

/// A place that messages are sent to.
#[derive(Clone)]
pub enum Outlet {
    /// A mail address.
    Email(SecretString),
    /// A webhook, with the key that signs.
    Webhook {
        /// Its URL.
        url: SecretString,
        /// The key.
        key: SecretString,
    },
    /// A topic of an ntfy server.
    Ntfy {
        /// Its URL.
        url: SecretString,
        /// A token of that server.
        token: Option<SecretString>,
    },
    /// The number of a phone that gets a text message.
    Sms(SecretString),
    /// The number of a phone that is called.
    Voice(SecretString),
    /// A chat of Telegram.
    Telegram(SecretString),
    /// A user or a group of Pushover.
    Pushover(SecretString),
}

impl Outlet {
    /// The word of its kind.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Webhook { .. } => "webhook",
            Self::Ntfy { .. } => "ntfy",
            Self::Sms(_) => "sms",
            Self::Voice(_) => "voice",
            Self::Telegram(_) => "telegram",
            Self::Pushover(_) => "pushover",
        }
    }

    /// Its address, which is told to nobody.
    #[must_use]
    pub const fn address(&self) -> &SecretString {
        match self {
            Self::Webhook { url, .. } | Self::Ntfy { url, .. } => url,
            Self::Email(to)
            | Self::Sms(to)
            | Self::Voice(to)
            | Self::Telegram(to)
            | Self::Pushover(to) => to,
        }
    }

    /// Looks whether anything could ever be sent there by these, without asking the network.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, egress: &Egress, senders: &Senders) -> Result<(), Unusable> {
        match self {
            Self::Email(to) => match to.expose_secret().parse::<Address>() {
                Ok(_) if senders.mail.is_none() => Err(Unusable::NoAccount {
                    name: "mail server",
                    word: "mail",
                }),
                Ok(_) => Ok(()),
                Err(_) => Err(wrong("not a mail address such as ann@example.org")),
            },
            Self::Sms(to) => {
                check_phone(to)?;
                senders.need(Provider::Twilio).map(|_| ())
            }
            Self::Voice(to) => {
                check_phone(to)?;
                let sender = senders.need(Provider::Twilio)?;
                if sender.from.as_deref().is_some_and(twilio::is_number) {
                    Ok(())
                } else {
                    Err(wrong(
                        "a call comes from a number: from of the account is none",
                    ))
                }
            }
            Self::Telegram(to) => {
                if !telegram::is_chat(to.expose_secret()) {
                    return Err(wrong(
                        "not the number of a chat, such as 123456789, or the @name of a public channel",
                    ));
                }
                senders.need(Provider::Telegram).map(|_| ())
            }
            Self::Pushover(to) => {
                if !pushover::is_key(to.expose_secret()) {
                    return Err(wrong("not a user key of Pushover: 30 letters and digits"));
                }
                senders.need(Provider::Pushover).map(|_| ())
            }
            Self::Webhook { url, key } => {
                if key.expose_secret().len() < SECRET_BYTES_MIN {
                    return Err(wrong(&SignatureError::WeakSecret.to_string()));
                }
                check_url(url, egress)
            }
            Self::Ntfy { url, token } => {
                if post::topic_of(url.expose_secret()).is_none() {
                    return Err(wrong(
                        "not the URL of an ntfy topic such as https://ntfy.example.org/my-topic",
                    ));
                }
                let token = token.as_ref().map_or("", |token| token.expose_secret());
                if HeaderValue::from_str(token).is_err() {
                    return Err(wrong("the token has characters that no token has"));
                }
                check_url(url, egress)
            }
        }
    }
}

fn check_phone(to: &SecretString) -> Result<(), Unusable> {
    if twilio::is_number(to.expose_secret()) {
        Ok(())
    } else {
        Err(wrong(
            "not a phone number in the international form, such as +33123456789",
        ))
    }
}

/// Looks whether mail could ever go out by these settings, without asking the network.
fn check_mail(settings: &MailSettings, egress: &Egress) -> Result<(), Unusable> {
    if settings.host.trim().is_empty() {
        return Err(wrong("host is empty"));
    }
    if settings.from.parse::<Mailbox>().is_err() {
        return Err(wrong(
            "from is not a mail address such as tocsin@example.org",
        ));
    }
    // Whether it goes unencrypted is the choice of `tls`.
    Ok(egress.could_reach(&settings.host, true)?)
}

fn check_url(address: &SecretString, egress: &Egress) -> Result<(), Unusable> {
    let url = Url::parse(address.expose_secret())
        .map_err(|error| wrong(&format!("the address is not a URL: {error}")))?;
    let encrypted = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return Err(wrong("the address must begin with https://")),
    };
    Ok(egress.could_reach(url.host_str().unwrap_or_default(), encrypted)?)
}

fn wrong(why: &str) -> Unusable {
    Unusable::Wrong(why.to_owned())
}

/// Why nothing can ever be sent to a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is written wrongly, or its key or token is none.
    #[error("{0}")]
    Wrong(String),
    /// What it goes by is not set up.
    #[error("there is no {name}")]
    NoAccount {
        /// What that is called.
        name: &'static str,
        /// The word of it in settings.
        word: &'static str,
    },
    /// Nothing may be sent to its address.
    #[error(transparent)]
    Blocked(#[from] Blocked),
}

/// How one attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The word of the outlet's kind.
    pub kind: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// The provider's words, or what went wrong.
    pub detail: String,
}

/// What sending needs.
struct Means {
    exchange: Exchange,
    egress: Egress,
    senders: Senders,
}

/// Sends to outlets.
pub struct Outside {
    means: Arc<Means>,
    runtime: tokio::runtime::Runtime,
}

impl Outside {
    /// Makes ready; nothing is sent yet.
    ///
    /// # Errors
    /// As [`StartError`] says.
    pub fn new(egress: Egress, senders: Senders) -> Result<Self, StartError> {
        crate::tls::install_provider();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let exchange = Exchange::new(egress.clone(), Arc::new(RealTime))?;
        Ok(Self {
            means: Arc::new(Means {
                exchange,
                egress,
                senders,
            }),
            runtime,
        })
    }

    /// Sends a message once to each outlet, all at the same time, and waits for what becomes of it.
    pub fn send(&self, outlets: &[Outlet], message: &PageMessage, now: Timestamp) -> Vec<Told> {
        let attempts: Vec<_> = outlets
            .iter()
            .map(|outlet| {
                let (means, message) = (Arc::clone(&self.means), message.clone());
                let to = outlet.clone();
                let attempt = async move {
                    let attempt = means.try_once(&to, &message, now);
                    tokio::time::timeout(ATTEMPT_WAIT, attempt).await
                };
                (outlet.word(), self.runtime.spawn(attempt))
            })
            .collect();
        let done = attempts.into_iter().map(|(kind, attempt)| {
            let (outcome, detail) = match self.runtime.block_on(attempt) {
                Ok(Ok(report)) => (report.outcome, report.detail),
                Ok(Err(_)) => (Outcome::TimedOut, "no answer in time".to_owned()),
                Err(_) => (Outcome::Failed, "a fault of Tocsin itself".to_owned()),
            };
            Told {
                kind,
                outcome,
                detail,
            }
        });
        done.collect()
    }
}

impl Means {
    async fn try_once(&self, outlet: &Outlet, message: &PageMessage, now: Timestamp) -> Report {
        match outlet {
            Outlet::Webhook { url, key } => {
                post::webhook(&self.exchange, url, Some(key), message, now).await
            }
            Outlet::Ntfy { url, token } => {
                post::ntfy(&self.exchange, url, token.as_ref(), message).await
            }
            Outlet::Email(to) => {
                let Some((settings, password)) = &self.senders.mail else {
                    return Report::refused("no mail server is set up");
                };
                let micros = u64::try_from(now.as_micros()).unwrap_or_default();
                let date = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
                mail::send(settings, password.as_ref(), &self.egress, to, message, date).await
            }
            Outlet::Sms(_) | Outlet::Voice(_) => {
                self.try_by(Provider::Twilio, outlet, message).await
            }
            Outlet::Telegram(_) => self.try_by(Provider::Telegram, outlet, message).await,
            Outlet::Pushover(_) => self.try_by(Provider::Pushover, outlet, message).await,
        }
    }

    /// By an account. Nobody is there whom a provider could tell what became of it, or which key was pressed.
    async fn try_by(&self, provider: Provider, outlet: &Outlet, message: &PageMessage) -> Report {
        let Some(by) = self.senders.opened(provider) else {
            return Report::refused(format!("no {} is set up", provider.name()));
        };
        let (exchange, none) = (&self.exchange, Callbacks::new(None, None));
        match outlet {
            Outlet::Sms(to) => by_account::sms(exchange, &by, to, message, &none).await,
            Outlet::Voice(to) => by_account::voice(exchange, &by, to, message, &none).await,
            Outlet::Telegram(to) => by_account::telegram(exchange, &by, to, message, false).await,
            Outlet::Pushover(to) => by_account::pushover(exchange, &by, to, message).await,
            Outlet::Email(_) | Outlet::Webhook { .. } | Outlet::Ntfy { .. } => {
                Report::refused("this place has no provider")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "a-key-of-16-bytes-and-more";

    /// A mail server, and an account of Twilio that has a name to send from.
    fn senders() -> Senders {
        Senders {
            mail: Some((settings("mail.example", "t@example.org"), None)),
            twilio: Some(Sender {
                base_url: None,
                id: Some("AC0123456789".to_owned()),
                from: Some("Tocsin".to_owned()),
                token: "secret".into(),
            }),
            ..Senders::default()
        }
    }

    fn settings(host: &str, from: &str) -> MailSettings {
        MailSettings {
            host: host.to_owned(),
            port: 25,
            from: from.to_owned(),
            tls: mail::Encryption::None,
            username: None,
            password: None,
        }
    }

    #[track_caller]
    fn check(outlet: &Outlet, allow: &[&str], expected: Option<&str>) {
        let allow = allow.iter().map(|block| block.parse().unwrap()).collect();
        let found = outlet.check(&Egress::new(allow), &senders());
        let found = found.err().map(|why| why.to_string());
        match (&found, expected) {
            (None, None) => {}
            (Some(why), Some(expected)) => assert!(why.contains(expected), "{why}"),
            (Some(_), None) | (None, Some(_)) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    fn webhook(url: &str, key: &str) -> Outlet {
        Outlet::Webhook {
            url: url.into(),
            key: key.into(),
        }
    }

    fn ntfy(url: &str, token: Option<&str>) -> Outlet {
        Outlet::Ntfy {
            url: url.into(),
            token: token.map(SecretString::from),
        }
    }

    #[test]
    fn a_place_that_can_never_be_told_is_known_without_asking_the_network() {
        let hook = "https://hooks.example/tocsin";
        check(&webhook(hook, KEY), &[], None);
        check(&webhook(hook, "short"), &[], Some("fewer than 16 bytes"));
        check(&webhook("hooks.example", KEY), &[], Some("not a URL"));
        check(&webhook("ftp://a.example/", KEY), &[], Some("https://"));
        check(&ntfy("https://ntfy.sh/topic", Some("tk_1")), &[], None);
        check(&ntfy("https://ntfy.sh/", None), &[], Some("ntfy topic"));
        check(&ntfy("https://ntfy.sh/t", Some("a\nb")), &[], Some("token"));
        check(&Outlet::Email("ops@example.org".into()), &[], None);
        check(&Outlet::Email("ops".into()), &[], Some("mail address"));
        check(&Outlet::Sms("+33123456789".into()), &[], None);
        for odd in ["0123456789", "+33 1 23 45 67 89", ""] {
            check(&Outlet::Sms(odd.into()), &[], Some("phone number"));
            check(&Outlet::Voice(odd.into()), &[], Some("phone number"));
        }
        check(&Outlet::Telegram("me".into()), &[], Some("chat"));
        check(&Outlet::Pushover("me".into()), &[], Some("user key"));
    }

    #[test]
    fn a_place_without_what_it_goes_by_is_known_too() {
        let number = || SecretString::from("+33123456789");
        check(&Outlet::Voice(number()), &[], Some("comes from a number"));
        let telegram = Outlet::Telegram("123456789".into());
        check(&telegram, &[], Some("there is no Telegram bot"));
        let pushover = Outlet::Pushover("uQiRzpo4DXghDmr9QzzfQu27cmVRsG".into());
        check(&pushover, &[], Some("there is no Pushover application"));
        let bare = |outlet: Outlet| {
            let found = outlet.check(&Egress::new(Vec::new()), &Senders::default());
            found.unwrap_err().to_string()
        };
        assert_eq!(bare(Outlet::Sms(number())), "there is no Twilio account");
        assert_eq!(bare(Outlet::Voice(number())), "there is no Twilio account");
        let mail = Outlet::Email("ops@example.org".into());
        assert_eq!(bare(mail), "there is no mail server");
    }

    #[test]
    fn a_private_address_is_a_place_only_where_it_is_allowed() {
        let allow = ["10.0.0.0/8", "fd00::/8"];
        for url in [
            "http://10.0.0.1/x",
            "https://10.0.0.1/x",
            "http://[fd12::1]/x",
        ] {
            check(&ntfy(url, None), &[], Some("not a public address"));
            check(&ntfy(url, None), &allow, None);
        }
        check(&ntfy("http://9.9.9.9/x", None), &allow, Some("plain http"));
        check(&ntfy("http://ntfy.local/x", None), &[], Some("plain http"));
        check(&ntfy("http://ntfy.local/x", None), &allow, None);
        let metadata = "http://169.254.169.254/x";
        check(&ntfy(metadata, None), &["0.0.0.0/0"], Some("metadata"));
    }

    #[test]
    fn mail_settings_that_can_never_work_are_known_too() {
        let egress = Egress::new(Vec::new());
        let check = |host, from| check_mail(&settings(host, from), &egress);
        assert_eq!(check("mail.example", "Tocsin <t@example.org>"), Ok(()));
        assert!(check("mail.example", "tocsin").is_err());
        assert!(check(" ", "t@example.org").is_err());
        assert!(check("10.0.0.9", "t@example.org").is_err());
    }
}

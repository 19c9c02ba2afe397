//! Sends messages to addresses that are given whole, for who has no vault and no engine: one attempt each, nothing kept.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;
use tocsin_wire::page_message::PageMessage;

use super::egress::Egress;
use super::exchange::Exchange;
use super::mail::{self, MailSettings};
use super::pace::RealTime;
use super::report::Report;
use super::{ATTEMPT_WAIT, StartError, post};

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
}

impl Outlet {
    /// The word of its kind.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Webhook { .. } => "webhook",
            Self::Ntfy { .. } => "ntfy",
        }
    }
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
    mail: Option<(MailSettings, Option<SecretString>)>,
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
    pub fn new(
        egress: Egress,
        mail: Option<(MailSettings, Option<SecretString>)>,
    ) -> Result<Self, StartError> {
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
                mail,
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
                let Some((settings, password)) = &self.mail else {
                    return Report::refused("no mail server is set up");
                };
                let micros = u64::try_from(now.as_micros()).unwrap_or_default();
                let date = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
                mail::send(settings, password.as_ref(), &self.egress, to, message, date).await
            }
        }
    }
}

//! What messages leave by that are sent without a vault: a mail server, and accounts at providers, each given whole.

use secrecy::{ExposeSecret, SecretString};
use tocsin_wire::{pushover, telegram, twilio};

use super::{Unusable, check_mail, check_url, wrong};
use crate::delivery::account::{Account, Opened, Provider};
use crate::delivery::egress::Egress;
use crate::delivery::mail::MailSettings;

/// The mail server and the accounts that there are.
#[derive(Clone, Default)]
pub struct Senders {
    /// The mail server, and its password.
    pub mail: Option<(MailSettings, Option<SecretString>)>,
    /// Text messages and calls, by Twilio or whoever speaks its API.
    pub twilio: Option<Sender>,
    /// A bot of Telegram.
    pub telegram: Option<Sender>,
    /// An application of Pushover.
    pub pushover: Option<Sender>,
}

/// An account at a provider.
#[derive(Clone)]
pub struct Sender {
    /// Where the provider is; where it is for everybody when none.
    pub base_url: Option<String>,
    /// The account's id, where it has one.
    pub id: Option<String>,
    /// From what number or name messages come, where they do.
    pub from: Option<String>,
    /// Its token.
    pub token: SecretString,
}

impl Senders {
    /// Looks whether anything could ever leave by each of them, without asking the network.
    ///
    /// # Errors
    /// The word of the first that nothing can leave by, and why.
    pub fn check(&self, egress: &Egress) -> Result<(), (&'static str, Unusable)> {
        if let Some((settings, _)) = &self.mail {
            check_mail(settings, egress).map_err(|why| ("mail", why))?;
        }
        for provider in [Provider::Twilio, Provider::Telegram, Provider::Pushover] {
            if let Some(sender) = self.of(provider) {
                check(provider, sender, egress).map_err(|why| (provider.word(), why))?;
            }
        }
        Ok(())
    }

    const fn of(&self, provider: Provider) -> Option<&Sender> {
        match provider {
            Provider::Twilio => self.twilio.as_ref(),
            Provider::Telegram => self.telegram.as_ref(),
            Provider::Pushover => self.pushover.as_ref(),
            Provider::Slack | Provider::WebPush | Provider::PagerDuty => None,
        }
    }

    /// Fails where there is no account at this provider.
    pub(super) fn need(&self, provider: Provider) -> Result<&Sender, Unusable> {
        self.of(provider).ok_or(Unusable::NoAccount {
            name: provider.name(),
            word: provider.word(),
        })
    }

    /// The account as senders take it.
    pub(super) fn opened(&self, provider: Provider) -> Option<Opened> {
        let sender = self.of(provider)?;
        let account = Account {
            base_url: base_of(provider, sender).to_owned(),
            id: sender.id.clone(),
            from: sender.from.clone(),
            secret: None,
            listener: None,
        };
        Some(Opened {
            account,
            secret: Some(sender.token.clone()),
            listener: None,
        })
    }
}

fn base_of(provider: Provider, sender: &Sender) -> &str {
    let given = sender.base_url.as_deref();
    given.unwrap_or(provider.base_url())
}

fn check(provider: Provider, sender: &Sender, egress: &Egress) -> Result<(), Unusable> {
    let token = sender.token.expose_secret();
    let given =
        |text: &Option<String>, is_good: fn(&str) -> bool| text.as_deref().is_some_and(is_good);
    let (is_good, why) = match provider {
        Provider::Twilio if !given(&sender.id, twilio::is_account) => (
            false,
            "account_id: the account's id, such as AC and 32 digits",
        ),
        Provider::Twilio if !given(&sender.from, twilio::is_sender) => (
            false,
            "from: a number such as +33123456789, a name or the id of a messaging service",
        ),
        Provider::Twilio => (!token.is_empty(), "token: the account's auth token"),
        Provider::Telegram => (
            telegram::is_token(token),
            "token: the bot's, such as 110201543:AAH and so on",
        ),
        Provider::Pushover => (
            pushover::is_key(token),
            "token: the application's, 30 letters and digits",
        ),
        Provider::Slack | Provider::WebPush | Provider::PagerDuty => {
            (false, "nothing is sent by it here")
        }
    };
    if !is_good {
        return Err(wrong(why));
    }
    let base = SecretString::from(base_of(provider, sender));
    check_url(&base, egress)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
    const KEY: &str = "azGDORePK8gMaC0QOYAMyEEuzJnyUi";

    fn sender(id: Option<&str>, from: Option<&str>, token: &str) -> Sender {
        Sender {
            base_url: None,
            id: id.map(str::to_owned),
            from: from.map(str::to_owned),
            token: token.into(),
        }
    }

    #[track_caller]
    fn check(senders: &Senders, expected: Option<(&str, &str)>) {
        let found = senders.check(&Egress::new(Vec::new())).err();
        let found = found.map(|(word, why)| (word, why.to_string()));
        match (&found, expected) {
            (None, None) => {}
            (Some((word, why)), Some((expected, words))) => {
                assert_eq!(*word, expected);
                assert!(why.contains(words), "{why}");
            }
            (Some(_), None) | (None, Some(_)) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn an_account_that_nothing_can_leave_by_is_known_without_asking_the_network() {
        check(&Senders::default(), None);
        let twilio = |id: Option<&str>, from: Option<&str>, token: &str| Senders {
            twilio: Some(sender(id, from, token)),
            ..Senders::default()
        };
        let (id, from) = (Some("AC0123456789"), Some("+15005550006"));
        check(&twilio(id, from, "secret"), None);
        check(
            &twilio(None, from, "secret"),
            Some(("twilio", "account_id")),
        );
        check(&twilio(id, Some("+1"), "secret"), Some(("twilio", "from")));
        check(&twilio(id, from, ""), Some(("twilio", "token")));
        let telegram = |token: &str| Senders {
            telegram: Some(sender(None, None, token)),
            ..Senders::default()
        };
        check(&telegram(TOKEN), None);
        check(&telegram(KEY), Some(("telegram", "token")));
        let pushover = |token: &str| Senders {
            pushover: Some(sender(None, None, token)),
            ..Senders::default()
        };
        check(&pushover(KEY), None);
        check(&pushover(TOKEN), Some(("pushover", "token")));
    }

    #[test]
    fn a_provider_at_a_private_address_is_one_only_where_that_is_allowed() {
        let senders = Senders {
            pushover: Some(Sender {
                base_url: Some("http://10.0.0.9".to_owned()),
                ..sender(None, None, KEY)
            }),
            ..Senders::default()
        };
        check(&senders, Some(("pushover", "not a public address")));
        let allowed = Egress::new(vec!["10.0.0.0/8".parse().unwrap()]);
        assert!(senders.check(&allowed).is_ok());
    }
}

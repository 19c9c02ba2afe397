//! `tocsin channel account …`: the accounts at providers of messages.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Deserialize;
use serde_json::json;

use super::super::api::Api;
use super::super::failure::Failure;
use super::super::look::Look;
use super::super::plain::Plain;
use super::super::screen::Screen;
use super::super::table::facts;
use super::{at, secret_in};

/// What can be done with accounts.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show every account and how it is
    Show,
    /// Set the account at a provider
    Set(Settings),
    /// Remove the account at a provider, with its tokens
    Remove {
        /// Which
        #[arg(value_enum)]
        provider: Provider,
        /// Its place, 1 to 3
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3))]
        place: u32,
    },
}

/// A provider of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    /// Text messages and calls, at Twilio or at whoever speaks its API
    Twilio,
    /// A bot of Telegram
    Telegram,
    /// An application of Pushover
    Pushover,
    /// An app of Slack
    Slack,
    /// Pushes to browsers
    WebPush,
    /// PagerDuty's Events API v2
    #[value(name = "pagerduty")]
    PagerDuty,
}

impl Provider {
    fn word(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Telegram => "telegram",
            Self::Pushover => "pushover",
            Self::Slack => "slack",
            Self::WebPush => "web_push",
            Self::PagerDuty => "pagerduty",
        }
    }
}

/// An account.
#[derive(Clone, Debug, Args)]
pub(crate) struct Settings {
    /// Which
    #[arg(value_enum)]
    provider: Provider,
    /// Where the provider is, when it is not where everybody's is
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// The account's id (Twilio)
    #[arg(long, value_name = "ID")]
    account_id: Option<String>,
    /// The number or name that messages come from (Twilio); whom to ask about pushes, such as mailto:ops@example.org (web push)
    #[arg(long)]
    from: Option<String>,
    /// A file with the token on the first line; - reads standard input. Without it the token stays, as long as provider and
    /// account do
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A file with the app-level token by which buttons are heard (Slack)
    #[arg(long, value_name = "FILE")]
    listener_token_file: Option<PathBuf>,
    /// Its place, 1 to 3: each takes over where those before it fail (Twilio)
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=3))]
    place: u32,
}

#[derive(Debug, Deserialize)]
struct Channels {
    accounts: Vec<Account>,
    #[serde(default)]
    further_accounts: Vec<Account>,
}

#[derive(Debug, Deserialize)]
struct Account {
    provider: Plain,
    #[serde(default)]
    place: u32,
    configured: bool,
    base_url: Plain,
    #[serde(default)]
    account_id: Option<Plain>,
    #[serde(default)]
    from: Option<Plain>,
    #[serde(default)]
    state: Option<Plain>,
    #[serde(default)]
    detail: Option<Plain>,
    #[serde(default)]
    buttons: Option<Buttons>,
}

/// Whether the buttons in its messages are heard.
#[derive(Debug, Deserialize)]
struct Buttons {
    heard: bool,
    since: Plain,
    #[serde(default)]
    detail: Option<Plain>,
}

impl Buttons {
    fn shown(&self) -> String {
        let Self {
            heard,
            since,
            detail,
        } = self;
        let not = if *heard { "" } else { "not " };
        let why = detail.as_ref().map(|detail| format!(": {detail}"));
        format!("{not}heard since {since}{}", why.unwrap_or_default())
    }
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::Show => screen.show(&api.get(&["channels"], &[])?, shown),
        Verb::Set(settings) => set(settings, api, screen),
        Verb::Remove { provider, place } => {
            let number = place.to_string();
            let path = at(&["channels", "accounts", provider.word()], *place, &number);
            let answer = api.delete(&path)?;
            screen.done(&answer, "The account is removed, with its tokens.")
        }
    }
}

fn set(settings: &Settings, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let mut body = json!({});
    let given = [
        ("base_url", &settings.base_url),
        ("account_id", &settings.account_id),
        ("from", &settings.from),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    let files = [
        ("token", "--token-file", &settings.token_file),
        (
            "listener_token",
            "--listener-token-file",
            &settings.listener_token_file,
        ),
    ];
    for (name, flag, file) in files {
        if let Some(file) = file {
            body[name] = json!(secret_in(flag, file)?);
        }
    }
    let number = settings.place.to_string();
    let first = ["channels", "accounts", settings.provider.word()];
    let answer = api.put(&at(&first, settings.place, &number), &body)?;
    screen.done(
        &answer,
        "The account is set. Add a contact method of its kind, then send it a test page.",
    )
}

fn shown(channels: &Channels, look: &Look) -> String {
    let accounts = channels.accounts.iter().chain(&channels.further_accounts);
    let all = accounts.map(|account| {
        let place = if account.place > 1 {
            format!(", place {}", account.place)
        } else {
            String::new()
        };
        let state = if account.configured {
            account.state.as_ref().map(|state| look.state(state))
        } else {
            None
        };
        let mut known = vec![
            ("provider", format!("{}{place}", account.provider)),
            ("state", state.unwrap_or_else(|| "not set up".to_owned())),
            ("address", account.base_url.to_string()),
        ];
        for (name, value) in [
            ("account", &account.account_id),
            ("from", &account.from),
            ("", &account.detail),
        ] {
            known.extend(value.as_ref().map(|value| (name, value.to_string())));
        }
        let buttons = account.buttons.as_ref().map(Buttons::shown);
        known.extend(buttons.map(|buttons| ("buttons", buttons)));
        known.retain(|(_, value)| !value.is_empty());
        facts(&known, look)
    });
    all.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::super::api::Answer;
    use super::*;

    #[test]
    fn every_account_shows_its_state_and_none_its_tokens() {
        let given = r#"{"email":{"configured":false},"accounts":[
            {"provider":"twilio","configured":true,"base_url":"https://api.twilio.com","account_id":"AC1","from":"+15005550006",
             "has_token":true,"state":"failing","detail":"HTTP 401"},
            {"provider":"telegram","configured":false,"base_url":"https://api.telegram.org","state":"unknown","detail":null},
            {"provider":"slack","configured":true,"base_url":"https://slack.com","state":"ok",
             "buttons":{"heard":false,"since":"2026-11-23T07:00:00.000Z","detail":"invalid_auth"}}],
            "further_accounts":[{"provider":"twilio","place":2,"configured":true,"base_url":"https://sms.example.org","state":"ok"}]}"#;
        let channels: Channels = Answer::of(given).parsed().unwrap();
        assert_eq!(
            shown(&channels, &Look::of_test()),
            "provider  twilio\nstate     failing\naddress   https://api.twilio.com\naccount   AC1\nfrom      +15005550006\n          \
             HTTP 401\n\nprovider  telegram\nstate     not set up\naddress   https://api.telegram.org\n\n\
             provider  slack\nstate     ok\naddress   https://slack.com\n\
             buttons   not heard since 2026-11-23T07:00:00.000Z: invalid_auth\n\n\
             provider  twilio, place 2\nstate     ok\naddress   https://sms.example.org\n"
        );
    }
}

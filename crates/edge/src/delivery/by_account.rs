//! One attempt by the API of a provider: Slack, Telegram, Pushover, Twilio, PagerDuty. What each answers is read by `wire`; here
//! it becomes an outcome.

use reqwest::{StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::page::Outcome;
use tocsin_domain::people::ChannelKind;
use tocsin_wire::page_message::{PageMessage, one_line, outside_address};
use tocsin_wire::pagerduty::forward;
use tocsin_wire::{pushover, slack, telegram, twilio};

use super::account::Opened;
use super::exchange::{Answered, Call, Exchange};
use super::message::reaches_one_person;
use super::post::with_words;
use super::report::Report;
use crate::access::base64;

/// Seconds that a phone rings before nobody has picked up.
const RING_S: &str = "30";
/// Characters of what was said where only one word is right.
const FOREIGN_CHARS_MAX: usize = 200;

/// The address of one of a provider's methods.
pub(super) fn method(opened: &Opened, path: &str) -> Option<Url> {
    let base = opened.account.base_url.trim_end_matches('/');
    Url::parse(&format!("{base}{path}")).ok()
}

fn no_account(what: &str) -> Report {
    Report::refused(format!(
        "no {what} is set up: set one under Settings, or use another channel"
    ))
}

fn wrong_base() -> Report {
    Report::refused("the address of the provider in the settings is not a URL")
}

fn exposed(secret: Option<&SecretString>) -> Option<&str> {
    secret.map(ExposeSecret::expose_secret)
}

/// Sends to a channel by its incoming webhook, or to a member by our app. `is_heard`: whether a button would be.
pub(super) async fn slack(
    exchange: &Exchange,
    opened: &Opened,
    address: &SecretString,
    message: &PageMessage,
    is_heard: bool,
) -> Report {
    let address = address.expose_secret();
    if !slack::is_member(address) {
        return match Url::parse(address) {
            Ok(url) => by_webhook(exchange, url, message).await,
            Err(_) => Report::refused("the address is neither a webhook nor a member of Slack"),
        };
    }
    let Some(token) = exposed(opened.secret.as_ref()) else {
        return no_account("Slack app with a bot token");
    };
    let Some(url) = method(opened, "/api/chat.postMessage") else {
        return wrong_base();
    };
    let with_button = is_heard && opened.listener.is_some();
    let body = slack::member_body(address, message, with_button);
    let call = Call::json(url, body).with("authorization", format!("Bearer {token}"));
    let answered = match exchange.send(call).await {
        Ok(answered) => answered,
        Err(report) => return report,
    };
    if !answered.status.is_success() {
        return Report::of_status(&answered, "");
    }
    match slack::answer(&answered.body) {
        slack::Answer::Ok => Report::accepted("Slack took it"),
        slack::Answer::Error { word, is_passing } if is_passing => Report {
            retry_after_ms: answered.retry_after_ms.or(Some(0)),
            ..Report::failed(format!("Slack: {word}"))
        },
        slack::Answer::Error { word, .. } => Report::refused(format!("Slack: {word}")),
        slack::Answer::Foreign => Report::foreign(&answered),
    }
}

/// Sends to a channel of Slack. Whoever else answers, such as the page of a network that one has to sign in to, has put nothing there.
async fn by_webhook(exchange: &Exchange, url: Url, message: &PageMessage) -> Report {
    let answered = match exchange
        .send(Call::json(url, slack::webhook_body(message)))
        .await
    {
        Ok(answered) => answered,
        Err(report) => return report,
    };
    if !answered.status.is_success() {
        return with_words(&answered);
    }
    if answered.status == StatusCode::OK && slack::is_taken(&answered.body) {
        return Report::accepted("Slack took it");
    }
    let said = one_line(&String::from_utf8_lossy(&answered.body), FOREIGN_CHARS_MAX);
    let mut report = Report::foreign(&answered);
    if !said.is_empty() {
        report.detail.push_str(": ");
        report.detail.push_str(&said);
    }
    report
}

/// Sends by our Telegram bot. `is_heard`: whether a button would be.
pub(super) async fn telegram(
    exchange: &Exchange,
    opened: &Opened,
    address: &SecretString,
    message: &PageMessage,
    is_heard: bool,
) -> Report {
    let Some(token) = exposed(opened.secret.as_ref()) else {
        return no_account("Telegram bot");
    };
    let Some(url) = method(opened, &format!("/bot{token}/sendMessage")) else {
        return wrong_base();
    };
    let chat = address.expose_secret();
    // In a group nobody's press would count.
    let with_button = is_heard && reaches_one_person(ChannelKind::Telegram, chat);
    let body = telegram::body(chat, message, with_button);
    let answered = match exchange.send(Call::json(url, body)).await {
        Ok(answered) => answered,
        Err(report) => return report,
    };
    match telegram::answer(&answered.body) {
        telegram::Answer::Ok => Report::accepted("Telegram took it"),
        telegram::Answer::Error {
            words,
            retry_after_s,
            ..
        } => {
            let asked = retry_after_s.map(|seconds| seconds.min(86_400) * 1_000);
            let answered = Answered {
                retry_after_ms: asked.or(answered.retry_after_ms),
                ..answered
            };
            refusing(Report::of_status(&answered, &words))
        }
        telegram::Answer::Foreign => Report::foreign(&answered),
    }
}

/// Sends by our Pushover application.
pub(super) async fn pushover(
    exchange: &Exchange,
    opened: &Opened,
    address: &SecretString,
    message: &PageMessage,
) -> Report {
    let Some(token) = exposed(opened.secret.as_ref()) else {
        return no_account("Pushover application");
    };
    let Some(url) = method(opened, "/1/messages.json") else {
        return wrong_base();
    };
    let form = pushover::form(message);
    let mut fields = vec![("token", token), ("user", address.expose_secret())];
    fields.extend(form.iter().map(|(name, value)| (*name, value.as_str())));
    let answered = match exchange.send(Call::form(url, &fields)).await {
        Ok(answered) => answered,
        Err(report) => return report,
    };
    match pushover::answer(&answered.body) {
        pushover::Answer::Ok { receipt } => Report {
            reference: receipt,
            ..Report::accepted("Pushover took it")
        },
        pushover::Answer::Error { words } => refusing(Report::of_status(&answered, &words)),
        pushover::Answer::Foreign => Report::foreign(&answered),
    }
}

/// Where a provider of calls and texts may ask and tell about this attempt; none where it could not reach us.
pub(crate) struct Callbacks {
    /// Which key was pressed in a call.
    pub(crate) voice: Option<String>,
    /// What became of it.
    pub(crate) status: Option<String>,
}

impl Callbacks {
    /// Only what others can open is told to them: providers refuse the whole message otherwise.
    pub(crate) fn new(voice: Option<String>, status: Option<String>) -> Self {
        let outside = |url: Option<String>| url.filter(|url| outside_address(url).is_some());
        Self {
            voice: outside(voice),
            status: outside(status),
        }
    }
}

/// Sends a text message.
pub(super) async fn sms(
    exchange: &Exchange,
    opened: &Opened,
    address: &SecretString,
    message: &PageMessage,
    callbacks: &Callbacks,
) -> Report {
    let text = twilio::text(message);
    let mut fields = vec![("To", address.expose_secret()), ("Body", text.as_str())];
    let from = opened.account.from.as_deref().unwrap_or_default();
    let service = from.len() == 34 && from.starts_with("MG");
    fields.push((
        if service {
            "MessagingServiceSid"
        } else {
            "From"
        },
        from,
    ));
    if let Some(status) = &callbacks.status {
        fields.push(("StatusCallback", status));
    }
    twilio(exchange, opened, "Messages", &fields).await
}

/// Makes a call.
pub(super) async fn voice(
    exchange: &Exchange,
    opened: &Opened,
    address: &SecretString,
    message: &PageMessage,
    callbacks: &Callbacks,
) -> Report {
    let from = opened.account.from.as_deref().unwrap_or_default();
    // The words go along: they are spoken also where the provider cannot reach us, and only a key needs that it can.
    let said = twilio::twiml::announcement(message, callbacks.voice.as_deref());
    let mut fields = vec![
        ("To", address.expose_secret()),
        ("From", from),
        ("Timeout", RING_S),
        ("Twiml", said.as_str()),
    ];
    if let Some(status) = &callbacks.status {
        fields.push(("StatusCallback", status));
        fields.extend(["answered", "completed"].map(|event| ("StatusCallbackEvent", event)));
    }
    twilio(exchange, opened, "Calls", &fields).await
}

/// The header that proves us to Twilio, and the account's path; none without an account.
pub(super) fn twilio_access(opened: &Opened) -> Option<(String, String)> {
    let (id, token) = (opened.account.id.as_ref()?, opened.secret.as_ref()?);
    let pair = format!("{id}:{}", token.expose_secret());
    let header = format!("Basic {}", base64::encode(pair.as_bytes()));
    Some((header, format!("/2010-04-01/Accounts/{id}")))
}

async fn twilio(
    exchange: &Exchange,
    opened: &Opened,
    what: &str,
    fields: &[(&str, &str)],
) -> Report {
    let Some((header, path)) = twilio_access(opened) else {
        return no_account("Twilio account");
    };
    let Some(url) = method(opened, &format!("{path}/{what}.json")) else {
        return wrong_base();
    };
    let call = Call::form(url, fields).with("authorization", header);
    let answered = match exchange.send(call).await {
        Ok(answered) => answered,
        Err(report) => return report,
    };
    match twilio::answer(&answered.body) {
        twilio::Answer::Ok { id } if answered.status.is_success() => Report {
            reference: Some(id),
            ..Report::accepted("the provider took it")
        },
        twilio::Answer::Error { code, words } => {
            let words = format!("error {code}: {words}");
            Report {
                of_receiver: twilio::is_about_receiver(code),
                ..refusing(Report::of_status(&answered, &words))
            }
        }
        twilio::Answer::Ok { .. } | twilio::Answer::Foreign => Report::foreign(&answered),
    }
}

/// Forwards to a service of PagerDuty.
pub(super) async fn pagerduty(
    exchange: &Exchange,
    opened: &Opened,
    address: &SecretString,
    message: &PageMessage,
) -> Report {
    let Some(url) = method(opened, "/v2/enqueue") else {
        return wrong_base();
    };
    let body = forward::body(address.expose_secret(), message);
    match exchange.send(Call::json(url, body)).await {
        Ok(answered) if answered.status.is_success() => {
            // Whoever else answers, such as the page of a network that one has to sign in to, has opened nothing there.
            let is_theirs = answered.status == StatusCode::ACCEPTED;
            if is_theirs && forward::is_taken(&answered.body) {
                Report::of_status(&answered, "")
            } else {
                Report::foreign(&answered)
            }
        }
        Ok(answered) => {
            let words = forward::words(&answered.body);
            Report::of_status(&answered, &words)
        }
        Err(report) => report,
    }
}

/// A refusal in the provider's own form is none however friendly its status is.
fn refusing(report: Report) -> Report {
    if report.outcome == Outcome::Accepted {
        Report::refused(report.detail)
    } else {
        report
    }
}

//! Hears buttons that people press in Slack (by Socket Mode) and in Telegram (by long polls), and acknowledges in the name of
//! whose verified contact method that was. Tocsin asks; nobody has to reach it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::id::NotificationId;
use tocsin_domain::people::ChannelKind;
use tocsin_wire::slack::socket::{self, Incoming};
use tocsin_wire::telegram;
use tokio_tungstenite::tungstenite::Message;

use super::Courier;
use super::account::{Opened, Provider};
use super::by_account::method;
use super::exchange::Call;
use super::websocket;

/// How often it is looked whether there is somebody to listen to.
const LOOK: Duration = Duration::from_secs(5);
/// The shortest and the longest wait after something went wrong.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Seconds that Telegram holds a poll open.
const POLL_S: u64 = 25;
/// A poll without an answer for this long is given up.
const POLL_WAIT: Duration = Duration::from_secs(40);
/// One answer of Slack's API may take this long.
const OPEN_WAIT: Duration = Duration::from_secs(15);
/// Slack sends a ping every few seconds; a socket that is silent for this long is dead.
const SILENCE_WAIT: Duration = Duration::from_secs(90);

/// Why listening stopped for now.
enum Stopped {
    /// There is nothing to listen to.
    Idle,
    /// It is to be begun again at once.
    Renew,
    /// Something went wrong.
    Broken(String),
}

/// Listens again and again until the runtime ends.
pub(super) async fn listen(courier: Arc<Courier>, provider: Provider) {
    let mut wait = BACK_OFF.0;
    let mut offset = None;
    loop {
        let stopped = match provider {
            Provider::Telegram => poll(&courier, &mut offset).await,
            Provider::Slack => socket(&courier).await,
            Provider::Twilio | Provider::Pushover | Provider::WebPush | Provider::PagerDuty => {
                return;
            }
        };
        match stopped {
            Stopped::Renew => wait = BACK_OFF.0,
            Stopped::Idle => {
                wait = BACK_OFF.0;
                tokio::time::sleep(LOOK).await;
            }
            Stopped::Broken(why) => {
                tracing::warn!(
                    provider = provider.word(),
                    why,
                    "buttons are not heard; trying again"
                );
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(BACK_OFF.1);
            }
        }
    }
}

/// Whether anybody who could press a button is reached by this channel.
fn anybody(courier: &Courier, channel: ChannelKind) -> bool {
    courier.needs.engine.read(|state| {
        let methods = state.users.values().flat_map(|user| &user.contact_methods);
        let mut proved = methods.filter(|method| method.verified_at.is_some());
        proved.any(|method| method.kind == channel)
    })
}

/// One long poll of Telegram.
async fn poll(courier: &Courier, offset: &mut Option<i64>) -> Stopped {
    if !anybody(courier, ChannelKind::Telegram) {
        return Stopped::Idle;
    }
    let Some(opened) = courier.account(Provider::Telegram).await else {
        return Stopped::Idle;
    };
    let Some(url) = telegram_method(&opened, "getUpdates") else {
        return Stopped::Idle;
    };
    let call = Call::json(url, telegram::updates_body(*offset, POLL_S));
    let answered = match tokio::time::timeout(POLL_WAIT, courier.exchange.send(call)).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(report)) => return Stopped::Broken(report.detail),
        Err(_) => return Stopped::Broken("no answer in time".to_owned()),
    };
    let Some(updates) = telegram::updates(&answered.body) else {
        return Stopped::Broken(format!("HTTP {}", answered.status.as_u16()));
    };
    for pressed in updates.pressed {
        let person = pressed.person.to_string();
        let told = match pressed.message {
            Some(message) => {
                courier
                    .pressed(ChannelKind::Telegram, &person, &message)
                    .await
            }
            None => "This button is none of ours any more.",
        };
        let body = telegram::word_to_presser(&pressed.query, told);
        if let Some(url) = telegram_method(&opened, "answerCallbackQuery") {
            // Whoever pressed sees in Tocsin too what became of it.
            let said = courier.exchange.send(Call::json(url, body));
            let _ = tokio::time::timeout(OPEN_WAIT, said).await;
        }
    }
    // Only now: an update that was not worked off comes again.
    *offset = updates.next_offset.or(*offset);
    Stopped::Renew
}

fn telegram_method(opened: &Opened, name: &str) -> Option<Url> {
    let token = opened.secret.as_ref()?.expose_secret();
    method(opened, &format!("/bot{token}/{name}"))
}

/// One socket of Slack, from its opening to its end.
async fn socket(courier: &Courier) -> Stopped {
    if !anybody(courier, ChannelKind::Slack) {
        return Stopped::Idle;
    }
    let Some(opened) = courier.account(Provider::Slack).await else {
        return Stopped::Idle;
    };
    let (Some(token), Some(url)) = (
        &opened.listener,
        method(&opened, "/api/apps.connections.open"),
    ) else {
        return Stopped::Idle;
    };
    let header = format!("Bearer {}", token.expose_secret());
    let call = Call::form(url, &[]).with("authorization", header);
    let answered = match tokio::time::timeout(OPEN_WAIT, courier.exchange.send(call)).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(report)) => return Stopped::Broken(report.detail),
        Err(_) => return Stopped::Broken("no answer in time".to_owned()),
    };
    let Some(address) = socket::address(&answered.body) else {
        return Stopped::Broken("Slack opens no socket: is the app-level token right?".to_owned());
    };
    let opening = websocket::open(&address, &courier.needs.egress);
    let mut open = match tokio::time::timeout(OPEN_WAIT, opening).await {
        Ok(Ok(open)) => open,
        Ok(Err(why)) => return Stopped::Broken(why),
        Err(_) => return Stopped::Broken("the socket did not open in time".to_owned()),
    };
    loop {
        let text = match tokio::time::timeout(SILENCE_WAIT, open.next()).await {
            Err(_) => return Stopped::Broken("the socket fell silent".to_owned()),
            Ok(None) => return Stopped::Broken("the socket was closed".to_owned()),
            Ok(Some(Err(error))) => return Stopped::Broken(error.to_string()),
            Ok(Some(Ok(Message::Text(text)))) => text,
            Ok(Some(Ok(_))) => continue,
        };
        let envelope = match socket::incoming(&text) {
            Incoming::Hello => None,
            Incoming::Disconnect => return Stopped::Renew,
            Incoming::Other { envelope } => envelope,
            Incoming::Pressed {
                envelope,
                member,
                value,
                response_url,
            } => {
                // Slack waits three seconds for word, whatever is done about it.
                let word = socket::acknowledgement(&envelope);
                if let Err(error) = open.send(Message::text(word)).await {
                    return Stopped::Broken(error.to_string());
                }
                let told = courier.pressed(ChannelKind::Slack, &member, &value).await;
                answer_slack(courier, response_url, told).await;
                None
            }
        };
        if let Some(envelope) = envelope {
            let word = socket::acknowledgement(&envelope);
            if let Err(error) = open.send(Message::text(word)).await {
                return Stopped::Broken(error.to_string());
            }
        }
    }
}

async fn answer_slack(courier: &Courier, response_url: Option<String>, told: &str) {
    let url = response_url.and_then(|url| Url::parse(&url).ok());
    if let Some(url) = url {
        let said = courier
            .exchange
            .send(Call::json(url, socket::word_to_presser(told)));
        // Whoever pressed sees in Tocsin too what became of it.
        let _ = tokio::time::timeout(OPEN_WAIT, said).await;
    }
}

impl Courier {
    /// Somebody pressed the button of a message: acknowledges in their name, if the message went to a verified contact method
    /// that is theirs there. Says what became of it.
    async fn pressed(&self, channel: ChannelKind, who: &str, message: &str) -> &'static str {
        let Ok(id) = message.parse::<NotificationId>() else {
            return "This button is none of ours.";
        };
        let row = self.needs.engine.read(|state| {
            let message = state.notifications.get(&id)?;
            let user = state.users.get(&message.user)?;
            let method = user.contact_method(message.contact_method)?;
            let proved = method.verified_at.is_some() && method.kind == channel;
            proved.then_some(method.address)
        });
        let vault = Arc::clone(&self.needs.vault);
        let address = match row {
            None => None,
            Some(row) => tokio::task::spawn_blocking(move || vault.get(row))
                .await
                .ok()
                .and_then(Result::ok)
                .flatten(),
        };
        let is_theirs = address.is_some_and(|address: SecretString| address.expose_secret() == who);
        if !is_theirs {
            return "This page went to somebody else: only they can acknowledge it here.";
        }
        let done = self.acknowledge(id).await;
        done.unwrap_or("Nothing was done: it is over, or Tocsin cannot record it now.")
    }
}

//! Hears buttons that people press in Slack (by Socket Mode) and in Telegram (by long polls), and acknowledges in the name of
//! whose verified contact method that was. Tocsin asks; nobody has to reach it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use tocsin_domain::id::NotificationId;
use tocsin_domain::people::{ChannelKind, User};
use tocsin_wire::slack::socket::{self, Incoming};
use tocsin_wire::{slack, telegram};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;

use super::Courier;
use super::account::{Account, Opened, Provider};
use super::by_account::method;
use super::exchange::{Answered, Call, Exchange};
use super::pace::{Pace, Wait, within};
use super::redact::without_tokens;
use super::websocket::{self, Socket};

/// How often it is looked whether there is somebody to listen to, and whether the account is still the same.
const LOOK: Duration = Duration::from_secs(5);
/// The shortest and the longest wait before the next try.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Seconds that Telegram holds a poll open.
const POLL_S: u64 = 25;
/// A poll without an answer for this long is given up.
const POLL_WAIT: Duration = Duration::from_secs(40);
/// One answer of Slack's API may take this long.
const OPEN_WAIT: Duration = Duration::from_secs(15);
/// A socket that was open for this long was a good one, also when nobody pressed a button.
const GOOD_AFTER: Duration = Duration::from_secs(60);
/// Slack sends a ping every few seconds; a socket that is silent for this long is dead.
const SILENCE_WAIT: Duration = Duration::from_secs(90);
/// Words to people who pressed that are being said at the same time; more are left out.
const COURTESIES_MAX: usize = 16;

/// Why listening stopped for now.
enum Stopped {
    /// There is nothing to listen to.
    Idle,
    /// It brought something, and there may be more: it is to be begun again at once.
    More,
    /// It ended in good order: it is to be begun again, if need be after a wait since it was begun.
    Renew,
    /// Something went wrong.
    Broken(String),
}

/// The wait before the next try. Each is longer than the one before until a try was good: it brought something, or it held for
/// a while. That a provider lets us in proves nothing; it may end every connection at once.
struct BackOff(Duration);

impl BackOff {
    const fn new() -> Self {
        Self(BACK_OFF.0)
    }

    /// A try was good, or the next one is another matter.
    const fn forget(&mut self) {
        self.0 = BACK_OFF.0;
    }

    fn longer(&mut self) -> Duration {
        let wait = self.0;
        self.0 = (wait * 2).min(BACK_OFF.1);
        wait
    }
}

/// Words to people who pressed a button. They are said beside everything else and are left out when too many are being said:
/// whoever pressed sees in Tocsin too what became of it.
struct Courtesy {
    exchange: Exchange,
    pace: Arc<dyn Pace>,
    places: Arc<Semaphore>,
}

impl Courtesy {
    fn new(courier: &Courier) -> Self {
        Self {
            exchange: courier.exchange.clone(),
            pace: Arc::clone(&courier.needs.pace),
            places: Arc::new(Semaphore::new(COURTESIES_MAX)),
        }
    }

    fn say(&self, call: Call) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return;
        };
        let (exchange, pace) = (self.exchange.clone(), Arc::clone(&self.pace));
        tokio::spawn(async move {
            // Nothing depends on it.
            let _ = within(pace.as_ref(), OPEN_WAIT, Wait::Answer, exchange.send(call)).await;
            drop(place);
        });
    }
}

/// Listens again and again until the runtime ends.
pub(super) async fn listen(courier: Arc<Courier>, provider: Provider) {
    let courtesy = Courtesy::new(&courier);
    let (pace, word) = (courier.needs.pace.as_ref(), provider.word());
    let mut back_off = BackOff::new();
    let mut offset = None;
    loop {
        let begun = pace.now();
        let stopped = match provider {
            Provider::Telegram => poll(&courier, &courtesy, &mut back_off, &mut offset).await,
            Provider::Slack => socket(&courier, &courtesy, &mut back_off).await,
            Provider::Twilio | Provider::Pushover | Provider::WebPush | Provider::PagerDuty => {
                return;
            }
        };
        match stopped {
            Stopped::More => {}
            Stopped::Renew => {
                let at = begun + back_off.longer();
                pace.until(at, Wait::Listen(word)).await;
            }
            Stopped::Idle => {
                courier.needs.tally.ears().forget(provider);
                back_off.forget();
                pace.until(pace.now() + LOOK, Wait::Look(word)).await;
            }
            Stopped::Broken(why) => {
                courier.misses(provider, &why);
                tracing::warn!(provider = word, why, "buttons are not heard; trying again");
                let at = pace.now() + back_off.longer();
                pace.until(at, Wait::Listen(word)).await;
            }
        }
    }
}

/// Whether anybody who could press a button is reached by this channel.
fn anybody(courier: &Courier, channel: ChannelKind) -> bool {
    courier.needs.engine.read(|state| {
        let mut proved = state.users.values().flat_map(User::verified_methods);
        proved.any(|method| method.kind == channel)
    })
}

/// One long poll of Telegram.
async fn poll(
    courier: &Courier,
    courtesy: &Courtesy,
    back_off: &mut BackOff,
    offset: &mut Option<i64>,
) -> Stopped {
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
    let (pace, asked) = (courier.needs.pace.as_ref(), courier.exchange.send(call));
    let answered = match within(pace, POLL_WAIT, Wait::Answer, asked).await {
        Some(Ok(answered)) => answered,
        Some(Err(report)) => return Stopped::Broken(report.detail),
        None => return Stopped::Broken("no answer in time".to_owned()),
    };
    let Some(updates) = telegram::updates(&answered.body) else {
        return Stopped::Broken(turned_away(&answered, &opened));
    };
    // It was an answer, also when it brings nothing.
    back_off.forget();
    courier.hears(Provider::Telegram);
    for pressed in updates.pressed {
        let person = pressed.person.to_string();
        let told = match pressed.message {
            Some(message) => {
                courier
                    .pressed(ChannelKind::Telegram, &person, &message)
                    .await
            }
            None => "This button is none of ours any more.".to_owned(),
        };
        let body = telegram::word_to_presser(&pressed.query, &told);
        if let Some(url) = telegram_method(&opened, "answerCallbackQuery") {
            courtesy.say(Call::json(url, body));
        }
    }
    // Whoever repeats what was seen brings nothing.
    let is_new = updates.next_offset > *offset;
    // Only now: an update that was not worked off comes again.
    *offset = updates.next_offset.or(*offset);
    if is_new {
        Stopped::More
    } else {
        Stopped::Renew
    }
}

/// Why Telegram tells nothing, such as that another program asks for the same bot.
fn turned_away(answered: &Answered, opened: &Opened) -> String {
    let status = answered.status.as_u16();
    let told = match telegram::answer(&answered.body) {
        telegram::Answer::Error { words, .. } => format!("HTTP {status} {words}"),
        telegram::Answer::Ok | telegram::Answer::Foreign => format!("HTTP {status}"),
    };
    without_tokens(told.trim_end(), opened)
}

fn telegram_method(opened: &Opened, name: &str) -> Option<Url> {
    let token = opened.secret.as_ref()?.expose_secret();
    method(opened, &format!("/bot{token}/{name}"))
}

/// One socket of Slack, from its opening to its end.
async fn socket(courier: &Courier, courtesy: &Courtesy, back_off: &mut BackOff) -> Stopped {
    if !anybody(courier, ChannelKind::Slack) {
        return Stopped::Idle;
    }
    let Some(opened) = courier.account(Provider::Slack).await else {
        return Stopped::Idle;
    };
    let open = match open_socket(courier, &opened).await {
        Ok(open) => open,
        Err(stopped) => return stopped,
    };
    let pace = courier.needs.pace.as_ref();
    let good_at = pace.now() + GOOD_AFTER;
    let stopped = hear(courier, courtesy, back_off, &opened.account, open).await;
    if pace.now() >= good_at {
        back_off.forget();
    }
    stopped
}

async fn open_socket(courier: &Courier, opened: &Opened) -> Result<Socket, Stopped> {
    let (Some(token), Some(url)) = (
        &opened.listener,
        method(opened, "/api/apps.connections.open"),
    ) else {
        return Err(Stopped::Idle);
    };
    let broken = |why: &str| Err(Stopped::Broken(why.to_owned()));
    let header = format!("Bearer {}", token.expose_secret());
    let call = Call::form(url, &[]).with("authorization", header);
    let (pace, asked) = (courier.needs.pace.as_ref(), courier.exchange.send(call));
    let answered = match within(pace, OPEN_WAIT, Wait::Answer, asked).await {
        Some(Ok(answered)) => answered,
        Some(Err(report)) => return Err(Stopped::Broken(report.detail)),
        None => return broken("no answer in time"),
    };
    let Some(address) = socket::address(&answered.body) else {
        return broken(&not_opened(&answered, opened));
    };
    let opening = websocket::open(&address, &courier.needs.egress);
    match within(pace, OPEN_WAIT, Wait::Answer, opening).await {
        Some(open) => open.map_err(Stopped::Broken),
        None => broken("the socket did not open in time"),
    }
}

/// Why Slack opens no socket.
fn not_opened(answered: &Answered, opened: &Opened) -> String {
    let word = match slack::answer(&answered.body) {
        slack::Answer::Error { word, .. } => word,
        slack::Answer::Ok | slack::Answer::Foreign => format!("HTTP {}", answered.status.as_u16()),
    };
    let told = format!("Slack opens no socket ({word}): is the app-level token right?");
    without_tokens(&told, opened)
}

/// Hears what comes through the socket while the account is the one that it was opened by.
async fn hear(
    courier: &Courier,
    courtesy: &Courtesy,
    back_off: &mut BackOff,
    account: &Account,
    mut open: Socket,
) -> Stopped {
    let (pace, word) = (courier.needs.pace.as_ref(), Provider::Slack.word());
    let mut look_at = pace.now() + LOOK;
    let mut silent_at = pace.now() + SILENCE_WAIT;
    loop {
        let next = tokio::select! {
            // Looks come seldom, so nothing else waits for its turn because of them.
            biased;
            () = pace.until(look_at, Wait::Look(word)) => {
                look_at = pace.now() + LOOK;
                let now = courier.account(Provider::Slack).await;
                // An account that cannot be read now has not changed. Another token is in another row of the vault.
                if now.is_some_and(|now| now.account != *account) {
                    courier.needs.tally.ears().forget(Provider::Slack);
                    back_off.forget();
                    return Stopped::Renew;
                }
                continue;
            }
            next = open.next() => next,
            () = pace.until(silent_at, Wait::Socket) => {
                return Stopped::Broken("the socket fell silent".to_owned());
            }
        };
        silent_at = pace.now() + SILENCE_WAIT;
        let text = match next {
            None => return Stopped::Broken("the socket was closed".to_owned()),
            Some(Err(error)) => return Stopped::Broken(error.to_string()),
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(_)) => continue,
        };
        let (envelope, press) = match socket::incoming(&text) {
            Incoming::Hello => (None, None),
            Incoming::Disconnect => {
                courier.misses(Provider::Slack, "Slack closed the socket");
                return Stopped::Renew;
            }
            Incoming::Other { envelope } => (envelope, None),
            Incoming::Pressed {
                envelope,
                member,
                value,
                response_url,
            } => (Some(envelope), Some((member, value, response_url))),
        };
        courier.hears(Provider::Slack);
        // Slack waits three seconds for word, whatever is done about it.
        let said = match envelope {
            Some(envelope) => {
                let word = socket::acknowledgement(&envelope);
                open.send(Message::text(word)).await
            }
            None => Ok(()),
        };
        // A press that came counts, also when Slack cannot be told so.
        if let Some((member, value, response_url)) = press {
            back_off.forget();
            let told = courier.pressed(ChannelKind::Slack, &member, &value).await;
            answer_slack(courtesy, response_url, &told);
        }
        if let Err(error) = said {
            return Stopped::Broken(error.to_string());
        }
    }
}

fn answer_slack(courtesy: &Courtesy, response_url: Option<String>, told: &str) {
    let url = response_url.and_then(|url| Url::parse(&url).ok());
    if let Some(url) = url {
        courtesy.say(Call::json(url, socket::word_to_presser(told)));
    }
}

impl Courier {
    /// Buttons at this provider are heard.
    fn hears(&self, provider: Provider) {
        let now = self.needs.clock.now();
        self.needs.tally.ears().hear(provider, now);
    }

    /// They are not, and why.
    fn misses(&self, provider: Provider, why: &str) {
        let now = self.needs.clock.now();
        let pace = &self.needs.pace;
        self.needs.tally.ears().miss(provider, now, pace, why);
    }

    /// Somebody pressed the button of a message: acknowledges in their name, if the message went to a verified contact method
    /// that is theirs there. Says what became of it.
    async fn pressed(&self, channel: ChannelKind, who: &str, message: &str) -> String {
        let Ok(id) = message.parse::<NotificationId>() else {
            return "This button is none of ours.".to_owned();
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
            return "This page went to somebody else: only they can acknowledge it here."
                .to_owned();
        }
        let nothing = "Nothing was done: it is over, or Tocsin cannot record it now.";
        let done = self.acknowledge(id).await;
        done.unwrap_or_else(|| nothing.to_owned())
    }
}

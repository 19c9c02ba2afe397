//! Asks providers what became of messages that they took: of texts and calls while a receipt is owed, of emergencies of Pushover
//! until somebody acknowledges. What they say is told to the core, which decides.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use secrecy::ExposeSecret;
use tocsin_domain::command::{Ask, RespondAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::id::NotificationId;
use tocsin_domain::page::{Delivery, Fate, Notification, Purpose};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::State;
use tocsin_wire::{pushover, twilio};

use super::Courier;
use super::account::{Opened, Provider};
use super::by_account::{method, twilio_access};
use super::exchange::Call;
use crate::answers;

/// How often providers are asked.
pub(super) const EVERY: Duration = Duration::from_secs(5);
/// How long one answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(4);
/// Questions under way at the same time.
const AT_ONCE: usize = 8;
/// Questions in one round at most; the rest is asked in the next.
const ROUND_MAX: usize = 200;
/// Emergencies that are followed at most; older ones are forgotten.
const FOLLOWED_MAX: usize = 2_000;

/// Emergencies of Pushover that nobody is known to have seen.
#[derive(Default)]
pub(super) struct Followed(Mutex<Vec<NotificationId>>);

impl Followed {
    fn add(&self, id: NotificationId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= FOLLOWED_MAX {
            all.remove(0);
        }
        if !all.contains(&id) {
            all.push(id);
        }
    }

    fn drop(&self, id: NotificationId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| *one != id);
    }

    fn all(&self) -> Vec<NotificationId> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }
}

/// One question.
#[derive(Clone, Debug)]
struct Question {
    notification: NotificationId,
    number: u32,
    channel: ChannelKind,
    reference: String,
}

fn question(message: &Notification) -> Option<Question> {
    let last = message.attempts.last()?;
    Some(Question {
        notification: message.id,
        number: last.number,
        channel: message.channel,
        reference: last.reference.clone()?,
    })
}

/// Whether it is an emergency that may still ring.
fn rings(message: &Notification) -> bool {
    let seen = message
        .attempts
        .last()
        .and_then(|last| last.receipt.as_ref());
    let seen = seen.is_some_and(|receipt| receipt.fate == Fate::Read);
    message.channel == ChannelKind::Pushover
        && matches!(message.state, Delivery::Delivered { .. })
        && question(message).is_some()
        && !seen
}

/// Asks round after round until the runtime ends.
pub(super) async fn ask_all(courier: Arc<Courier>, every: Duration) {
    // What the run before left ringing.
    let left: Vec<NotificationId> = courier.needs.engine.read(|state| {
        let open = state.open_incidents.iter();
        let messages = open.flat_map(|id| state.messages_about(*id));
        messages
            .filter(|one| rings(one))
            .map(|one| one.id)
            .collect()
    });
    left.into_iter().for_each(|id| courier.followed.add(id));
    let mut rounds = tokio::time::interval(every);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        round(&courier).await;
    }
}

async fn round(courier: &Courier) {
    let followed = courier.followed.all();
    let questions: Vec<Question> = courier.needs.engine.read(|state| {
        let owed = state.receipts_owed().chain(followed);
        let messages = owed.filter_map(|id| state.notifications.get(&id));
        messages.filter_map(question).take(ROUND_MAX).collect()
    });
    if questions.is_empty() {
        return;
    }
    let (twilio, pushover) = (
        courier.account(Provider::Twilio).await,
        courier.account(Provider::Pushover).await,
    );
    stream::iter(questions)
        .for_each_concurrent(AT_ONCE, |question| {
            let opened = if question.channel == ChannelKind::Pushover {
                &pushover
            } else {
                &twilio
            };
            async move {
                if let Some(opened) = opened {
                    // What got no answer is asked again in the next round.
                    let asked = ask_one(courier, opened, &question);
                    let _ = tokio::time::timeout(ANSWER_WAIT, asked).await;
                }
            }
        })
        .await;
}

async fn ask_one(courier: &Courier, opened: &Opened, question: &Question) {
    match question.channel {
        ChannelKind::Sms => ask_twilio(courier, opened, question, "Messages").await,
        ChannelKind::Voice => ask_twilio(courier, opened, question, "Calls").await,
        ChannelKind::Pushover => ask_pushover(courier, opened, question).await,
        ChannelKind::Email
        | ChannelKind::Webhook
        | ChannelKind::Ntfy
        | ChannelKind::Slack
        | ChannelKind::Telegram
        | ChannelKind::WebPush
        | ChannelKind::PagerDuty => {}
    }
}

async fn ask_twilio(courier: &Courier, opened: &Opened, question: &Question, what: &str) {
    let Some((header, path)) = twilio_access(opened) else {
        return;
    };
    let path = format!("{path}/{what}/{}.json", question.reference);
    let Some(url) = method(opened, &path).filter(|_| twilio::is_id(&question.reference)) else {
        return;
    };
    let call = Call::get(url).with("authorization", header);
    let Ok(answered) = courier.exchange.send(call).await else {
        return;
    };
    let news = twilio::state(&answered.body).filter(|_| answered.status.is_success());
    if let Some((fate, detail)) = news {
        courier.tell_fate(question, fate, detail).await;
    }
}

async fn ask_pushover(courier: &Courier, opened: &Opened, question: &Question) {
    let Some(token) = &opened.secret else {
        return;
    };
    let id = question.notification;
    let place = |end: &str| {
        let path = format!("/1/receipts/{}{end}", question.reference);
        method(opened, &path).filter(|_| pushover::is_key(&question.reference))
    };
    let wanted = courier.needs.engine.read(|state| wants_answer(state, id));
    let token = token.expose_secret();
    if !wanted {
        // It is over or somebody has it: nobody is to be rung for it any more.
        let quiet = place("/cancel.json").map(|url| Call::form(url, &[("token", token)]));
        if let Some(call) = quiet
            && courier.exchange.send(call).await.is_ok()
        {
            courier.followed.drop(id);
        }
        return;
    }
    let Some(mut url) = place(".json") else {
        return;
    };
    url.query_pairs_mut().append_pair("token", token);
    let Ok(answered) = courier.exchange.send(Call::get(url)).await else {
        return;
    };
    let Some(receipt) = pushover::receipt(&answered.body) else {
        return;
    };
    if receipt.acknowledged {
        courier
            .tell_fate(question, Fate::Read, "acknowledged in Pushover".to_owned())
            .await;
        courier.acknowledge(id).await;
        courier.followed.drop(id);
    } else if receipt.delivered {
        courier
            .tell_fate(question, Fate::Delivered, "on a device".to_owned())
            .await;
    }
    if receipt.expired {
        courier.followed.drop(id);
    }
}

/// Whether somebody is still to answer the page.
fn wants_answer(state: &State, id: NotificationId) -> bool {
    let Some(message) = state.notifications.get(&id) else {
        return false;
    };
    let incident = |id| state.incidents.get(&id);
    answers::carried(state, message).any(|one| match one.purpose {
        Purpose::Page(id) => {
            let unanswered = incident(id).filter(|known| known.is_unanswered());
            unanswered.is_some_and(|known| !known.spares(one.user))
        }
        Purpose::Request(id) => incident(id).is_some_and(|known| known.awaits(one.user)),
        Purpose::Notice(_)
        | Purpose::Resolved(_)
        | Purpose::Acknowledged(_)
        | Purpose::Test
        | Purpose::Word(_) => false,
    })
}

impl Courier {
    /// Follows what was just taken, if its provider tells later who saw it.
    pub(super) fn follow(&self, channel: ChannelKind, id: NotificationId) {
        if channel == ChannelKind::Pushover {
            self.followed.add(id);
        }
    }

    async fn tell_fate(&self, question: &Question, fate: Fate, detail: String) {
        let ask = Ask::ReceiptCame {
            notification: question.notification,
            number: question.number,
            fate,
            detail,
        };
        // What could not be told now is found out again in the next round.
        let _ = self.ask(Actor::System, ask).await;
    }

    /// Acknowledges what a message told in the name of who got it. The words for what it came to; none when nothing was done.
    pub(super) async fn acknowledge(&self, id: NotificationId) -> Option<&'static str> {
        let engine = &self.needs.engine;
        let (user, channel, incidents) = engine.read(|state| {
            let message = state.notifications.get(&id)?;
            let incidents = answers::open_subjects(state, id);
            Some((message.user, message.channel, incidents))
        })?;
        let mut is_done = false;
        for incident in incidents.iter().copied() {
            let ask = Ask::Respond(RespondAsk::Acknowledge { incident, by: user });
            let answer = self.ask(Actor::Channel { user, channel }, ask).await;
            is_done |= answer.is_ok();
        }
        is_done.then(|| engine.read(|state| answers::acknowledged_words(state, &incidents)))
    }
}

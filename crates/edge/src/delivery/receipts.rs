//! Asks providers what became of messages that they took: of texts and calls while a receipt is owed, of emergencies of Pushover
//! until somebody acknowledges. What they say is told to the core, which decides.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::{StatusCode, Url};
use secrecy::ExposeSecret;
use tocsin_domain::command::Ask;
use tocsin_domain::event::Actor;
use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::page::{Delivery, Fate, Notification, Purpose};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_engine::handle::AskError;
use tocsin_wire::{pushover, twilio};

use super::Courier;
use super::account::{Opened, Provider};
use super::by_account::{method, twilio_access};
use super::exchange::Call;
use super::pace::{Wait, within};
use super::place::Place;
use super::walk::place_of;
use crate::answers;
use crate::lock::lock;

/// How often providers are asked.
pub(super) const EVERY: Duration = Duration::from_secs(5);
/// How long an emergency rings at most.
const RING_MS: u64 = pushover::EXPIRE_S as u64 * 1_000;
/// How long one answer may take.
const ANSWER_WAIT: Duration = Duration::from_secs(4);
/// Questions under way at the same time to one provider.
const AT_ONCE: usize = 8;
/// Questions to it in one round at most; the rest is asked in the next.
const ROUND_MAX: usize = 200;
/// Receipts that are asked for by turns at most, of more the newest: so many rounds there are before one counts as lost.
const OWED_MAX: usize = 12 * ROUND_MAX;
/// Emergencies that are followed at most; older ones are forgotten.
const FOLLOWED_MAX: usize = 2_000;
/// Incidents whose emergencies are looked for at a start, besides those that are open: the newest. One that was opened before so many
/// others and ended just when Tocsin did would go on to ring, for an hour at most.
const LOOKED_AT_MAX: usize = 10_000;

/// One emergency.
struct Emergency {
    id: NotificationId,
    /// What was acknowledged by it, while the engine could not keep the rest: once is enough.
    done: Vec<IncidentId>,
}

/// Emergencies of Pushover that nobody is known to have seen.
#[derive(Default)]
pub(super) struct Followed(Mutex<Vec<Emergency>>);

impl Followed {
    fn lock(&self) -> MutexGuard<'_, Vec<Emergency>> {
        lock(&self.0)
    }

    fn add(&self, id: NotificationId) {
        let mut all = self.lock();
        if all.iter().any(|one| one.id == id) {
            return;
        }
        if all.len() >= FOLLOWED_MAX {
            all.remove(0);
        }
        let done = Vec::new();
        all.push(Emergency { id, done });
    }

    fn drop(&self, id: NotificationId) {
        self.lock().retain(|one| one.id != id);
    }

    fn all(&self) -> Vec<NotificationId> {
        self.lock().iter().map(|one| one.id).collect()
    }

    fn is_done(&self, id: NotificationId, incident: IncidentId) -> bool {
        let all = self.lock();
        let known = all.iter().find(|one| one.id == id);
        known.is_some_and(|one| one.done.contains(&incident))
    }

    fn done(&self, id: NotificationId, incident: IncidentId) {
        if let Some(known) = self.lock().iter_mut().find(|one| one.id == id) {
            known.done.push(incident);
        }
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

/// Whether the run before left an emergency to be followed: it may ring on, also for what is over since, or it stopped and what it
/// told is still open, so that an answer that nobody heard counts.
fn is_left(state: &State, message: &Notification, now: Timestamp) -> bool {
    let Delivery::Delivered { at } = message.state else {
        return false;
    };
    let is_open = |incident: &IncidentId| state.open_incidents.contains(incident);
    rings(message)
        && (now < at.plus_ms(RING_MS) || answers::subjects(state, message.id).iter().any(is_open))
}

/// The emergencies that the run before left, the oldest first, among messages about incidents that are open and about so many of the
/// newest.
fn left(state: &State, now: Timestamp, newest: usize) -> Vec<NotificationId> {
    let open = state.open_incidents.iter();
    let open = open.flat_map(|incident| state.made_of(*incident));
    let newest = state.numbers.all().iter().rev().take(newest);
    let newest = newest.map(|listed| listed.id);
    let looked_at: BTreeSet<IncidentId> = open.chain(newest).collect();
    let messages = looked_at.iter().flat_map(|id| state.messages_about(*id));
    let left = messages.filter(|one| is_left(state, one, now));
    let mut left: Vec<(Timestamp, NotificationId)> =
        left.map(|one| (one.planned_at, one.id)).collect();
    left.sort_unstable();
    left.into_iter().map(|(_, id)| id).collect()
}

/// Whether it rings no more whatever becomes of it: it was taken too long ago, or is gone.
fn has_rung(state: &State, id: NotificationId, now: Timestamp) -> bool {
    let message = state.notifications.get(&id);
    let taken_at = message.and_then(|message| message.attempts.last()?.finished_at);
    taken_at.is_none_or(|at| now >= at.plus_ms(RING_MS))
}

/// Asks round after round until the runtime ends.
pub(super) async fn ask_all(courier: Arc<Courier>, every: Duration) {
    let now = courier.needs.clock.now();
    let engine = &courier.needs.engine;
    let emergencies = engine.read(|state| left(state, now, LOOKED_AT_MAX));
    emergencies
        .into_iter()
        .for_each(|id| courier.followed.add(id));
    // Each in rounds of its own: one that hangs keeps nobody waiting for what the other knows.
    tokio::join!(
        ask_provider(&courier, (Provider::Twilio, Place::First), every),
        ask_provider(&courier, (Provider::Twilio, Place::Second), every),
        ask_provider(&courier, (Provider::Twilio, Place::Third), every),
        ask_provider(&courier, (Provider::Pushover, Place::First), every),
    );
}

async fn ask_provider(courier: &Courier, asked: (Provider, Place), every: Duration) {
    let pace = &courier.needs.pace;
    let mut asked_last = None;
    let word = match asked {
        (provider, Place::First) => provider.word(),
        (_, place) => place.word(),
    };
    loop {
        let begun = pace.now();
        round(courier, asked, &mut asked_last).await;
        pace.until(begun + every, Wait::Receipts(word)).await;
    }
}

/// Everybody once in the order of their ids, beginning after who was asked last: nobody waits for ever behind the same others.
fn in_turn(
    all: &BTreeSet<NotificationId>,
    asked_last: Option<NotificationId>,
) -> impl Iterator<Item = NotificationId> {
    let first = asked_last.map_or(Bound::Unbounded, Bound::Excluded);
    let before = asked_last.map(|last| all.range(..=last));
    let after = all.range((first, Bound::Unbounded));
    after.chain(before.into_iter().flatten()).copied()
}

/// Receipts that are owed, and since when.
fn owed(state: &State) -> Vec<(Timestamp, NotificationId)> {
    let owed = state.receipts_owed().filter_map(|id| {
        let message = state.notifications.get(&id)?;
        Some((message.receipt_owed_since()?, id))
    });
    owed.collect()
}

/// Of more receipts than `most` the newest: who was called longest ago has been tried otherwise by now. And how many that leaves out.
fn newest(
    mut owed: Vec<(Timestamp, NotificationId)>,
    most: usize,
) -> (BTreeSet<NotificationId>, usize) {
    let left_out = owed.len().saturating_sub(most);
    if left_out > 0 && left_out < owed.len() {
        owed.select_nth_unstable(left_out);
    }
    let newest = owed.into_iter().skip(left_out);
    (newest.map(|(_, id)| id).collect(), left_out)
}

/// Says that there are too many receipts to ask for, when that begins, and counts them.
fn tell_left_out(courier: &Courier, left_out: usize) {
    let before = courier.needs.tally.set_unasked(left_out);
    if before == 0 && left_out > 0 {
        tracing::warn!(
            left_out,
            "more texts and calls wait for word of what became of them than can be asked for: only the newest {OWED_MAX} are"
        );
    }
}

async fn round(
    courier: &Courier,
    (provider, place): (Provider, Place),
    asked_last: &mut Option<NotificationId>,
) {
    // Where there is one account only, what is owed is looked through once.
    if place != Place::First && courier.account_at(provider, place).await.is_none() {
        return;
    }
    let followed = courier.followed.all();
    let engine = &courier.needs.engine;
    // Of many, the newest are looked for while the engine goes on.
    let (mut all, left_out) = newest(engine.read(owed), OWED_MAX);
    all.extend(followed);
    let questions = engine.read(|state| {
        let messages = in_turn(&all, *asked_last).filter_map(|id| state.notifications.get(&id));
        let theirs = messages.filter(|one| Provider::of(one.channel) == Some(provider));
        let theirs = theirs.filter(|one| place_of(one) == place);
        let questions = theirs.filter_map(question).take(ROUND_MAX);
        questions.collect::<Vec<Question>>()
    });
    if (provider, place) == (Provider::Twilio, Place::First) {
        tell_left_out(courier, left_out);
    }
    let Some(last) = questions.last() else {
        return;
    };
    *asked_last = Some(last.notification);
    let Some(opened) = courier.account_at(provider, place).await else {
        return;
    };
    let opened = &opened;
    stream::iter(questions)
        .for_each_concurrent(AT_ONCE, |question| async move {
            // What got no answer is asked again in the next round.
            let asked = ask_one(courier, opened, &question);
            let pace = courier.needs.pace.as_ref();
            let _ = within(pace, ANSWER_WAIT, Wait::Answer, asked).await;
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
        let now = courier.needs.clock.now();
        if courier.needs.engine.read(|state| has_rung(state, id, now)) {
            courier.followed.drop(id);
            return;
        }
        // It is over or somebody has it: nobody is to be rung for it any more.
        if let Some(url) = place("/cancel.json")
            && is_cancelled(courier, url, token).await
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
    let is_over = if receipt.acknowledged {
        courier.acknowledged_there(question).await
    } else {
        if receipt.delivered {
            let detail = "on a device".to_owned();
            courier.tell_fate(question, Fate::Delivered, detail).await;
        }
        receipt.expired
    };
    if is_over {
        courier.followed.drop(id);
    }
}

/// Asks Pushover to ring no more. Whether that is settled, so that it need not be asked again.
async fn is_cancelled(courier: &Courier, url: Url, token: &str) -> bool {
    let call = Call {
        // The status decides.
        reads_success: false,
        ..Call::form(url, &[("token", token)])
    };
    let answered = courier.exchange.send(call).await;
    answered.is_ok_and(|answered| is_settled(answered.status))
}

/// Whether asking again would change nothing. A redirect is none of Pushover's: it comes from a network in between.
fn is_settled(status: StatusCode) -> bool {
    let passes = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    status.is_success() || (status.is_client_error() && !passes.contains(&status))
}

/// Whether somebody is still to answer the page. One of before what it told came back is answered by nothing.
fn wants_answer(state: &State, id: NotificationId) -> bool {
    let Some(message) = state.notifications.get(&id) else {
        return false;
    };
    let incident = |id| state.incidents.get(&id);
    let mut of_now = answers::carried(state, message).filter(|one| !state.is_of_before(one, 0));
    of_now.any(|one| match one.purpose {
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

    /// Tells the core what became of a message. Whether it need not be told again.
    async fn tell_fate(&self, question: &Question, fate: Fate, detail: String) -> bool {
        let ask = Ask::ReceiptCame {
            notification: question.notification,
            number: question.number,
            fate,
            detail,
        };
        match self.ask(Actor::System, ask).await {
            Ok(()) | Err(AskError::Refused(_) | AskError::Fault) => true,
            // What could not be told now is found out again in the next round.
            Err(AskError::Busy | AskError::NotDurable(_) | AskError::Stopped) => false,
        }
    }

    /// Somebody acknowledged in Pushover. Whether nothing is left to do: what the engine could not keep now is asked of it again
    /// in the next round.
    async fn acknowledged_there(&self, question: &Question) -> bool {
        let id = question.notification;
        let Some(answerer) = self.answerer(id) else {
            return true;
        };
        let mut is_all = true;
        // What came back since rings by a message of its own.
        for incident in answerer.about.present.iter().copied() {
            if self.followed.is_done(id, incident) {
                continue;
            }
            if self.acknowledge_one(&answerer, incident).await {
                self.followed.done(id, incident);
            } else {
                is_all = false;
            }
        }
        let engine = &self.needs.engine;
        if !is_all && engine.read(|state| wants_answer(state, id)) {
            return false;
        }
        // Only now: what was read is not asked for any more after a restart.
        let detail = if answerer.about.is_of_before() {
            "acknowledged in Pushover after it came back, which answers nothing"
        } else {
            "acknowledged in Pushover"
        };
        self.tell_fate(question, Fate::Read, detail.to_owned())
            .await
    }
}

#[cfg(test)]
mod tests;

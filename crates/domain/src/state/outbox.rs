//! What the state knows of messages beyond each single one: which tell others along, how many a person got lately, and how
//! the providers that carry them fare.

use std::collections::{BTreeMap, VecDeque};

use super::State;
use crate::id::{ContactMethodId, NotificationId, UserId};
use crate::page::{
    BURST_MAX, BURST_WINDOW_MS, Delivery, Notification, Outcome, PROVIDER_FAILURES_MAX,
    PROVIDER_REST_MS, Purpose,
};
use crate::people::ChannelKind;
use crate::time::Timestamp;

/// Who carries a message on: one that all messages of a channel go by, or one that belongs to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// The one for all messages of this channel.
    Channel(ChannelKind),
    /// The one for all texts and calls.
    Phone,
    /// The one behind this address.
    Method(ContactMethodId),
}

impl Provider {
    /// Who carries messages to this address.
    #[must_use]
    pub const fn of(method: ContactMethodId, channel: ChannelKind) -> Self {
        match channel {
            ChannelKind::Email
            | ChannelKind::Telegram
            | ChannelKind::Pushover
            | ChannelKind::PagerDuty => Self::Channel(channel),
            ChannelKind::Sms | ChannelKind::Voice => Self::Phone,
            // A browser's push service is the one of its maker. An incoming webhook of Slack is any address that somebody gave; the
            // state does not know which of Slack's addresses is one.
            ChannelKind::Webhook
            | ChannelKind::Ntfy
            | ChannelKind::WebPush
            | ChannelKind::Slack => Self::Method(method),
        }
    }

    /// Who carries this message.
    #[must_use]
    pub const fn of_message(message: &Notification) -> Self {
        Self::of(message.contact_method, message.channel)
    }
}

/// How a provider fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Health {
    /// Attempts in a row that failed or got no answer.
    failures: u32,
    failed_at: Timestamp,
    /// An attempt after the rest is under way: it tells whether others are worth it.
    tried_by: Option<NotificationId>,
}

/// Which messages are told together: those to one address that are of one kind.
type Gathered = (ContactMethodId, Tone);

/// A kind of messages that are told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tone {
    Loud,
    Quiet,
    Over,
}

/// What is known of messages beyond each single one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outbox {
    /// Messages that gather others and are not sent yet, in the order in which they began; there is no entry without any.
    gathering: BTreeMap<Gathered, Vec<NotificationId>>,
    /// What a message tells along.
    together: BTreeMap<NotificationId, Vec<NotificationId>>,
    /// How much of that is not told otherwise and still needed; there is no entry without any.
    left_together: BTreeMap<NotificationId, usize>,
    /// What a message told along when it was taken.
    told: BTreeMap<NotificationId, Vec<NotificationId>>,
    /// When the last messages about incidents went to a person, [`BURST_MAX`] at most.
    sent: BTreeMap<UserId, VecDeque<Timestamp>>,
    providers: BTreeMap<Provider, Health>,
}

impl Outbox {
    /// The clock was set back.
    pub(super) fn set_back(&mut self, by_ms: u64) {
        for at in self.sent.values_mut().flatten() {
            *at = at.minus_ms(by_ms);
        }
        for health in self.providers.values_mut() {
            health.failed_at = health.failed_at.minus_ms(by_ms);
        }
    }
}

const fn gathered(message: &Notification) -> Gathered {
    let tone = match message.purpose {
        Purpose::Page(_) | Purpose::Request(_) | Purpose::Test | Purpose::Word(_) => Tone::Loud,
        Purpose::Notice(_) => Tone::Quiet,
        Purpose::Resolved(_) | Purpose::Acknowledged(_) => Tone::Over,
    };
    (message.contact_method, tone)
}

impl State {
    /// The message that waits and tells along what would be sent to the same address: of several the newest, for which an older one
    /// would have been too late.
    #[must_use]
    pub fn gathering_for(&self, message: &Notification) -> Option<NotificationId> {
        let gathering = self.outbox.gathering.get(&gathered(message))?;
        gathering.last().copied()
    }

    /// Whether a message waits for others to tell them along.
    #[must_use]
    pub fn is_gathering(&self, message: &Notification) -> bool {
        let gathering = self.outbox.gathering.get(&gathered(message));
        gathering.is_some_and(|all| all.contains(&message.id))
    }

    /// What a message tells along, in the order it was added; some of it may be told otherwise or not needed any more.
    pub fn told_along(&self, id: NotificationId) -> impl Iterator<Item = &Notification> {
        let members = self.outbox.together.get(&id).into_iter().flatten();
        members
            .filter_map(|member| self.notifications.get(member))
            .filter(move |member| matches!(member.state, Delivery::Together { by } if by == id))
    }

    /// Whether a message tells anything along. Of much that it told along most may be done with: that is not looked at.
    #[must_use]
    pub fn tells_along(&self, id: NotificationId) -> bool {
        self.outbox.left_together.contains_key(&id)
    }

    /// What a message told along when its provider took it.
    pub fn told_with(&self, id: NotificationId) -> impl Iterator<Item = &Notification> {
        let members = self.outbox.told.get(&id).into_iter().flatten();
        members.filter_map(|member| self.notifications.get(member))
    }

    /// The last message to a person, if so many went to them lately that the next is told together with others.
    #[must_use]
    pub fn burst_to(&self, user: UserId, now: Timestamp) -> Option<Timestamp> {
        let sent = self.outbox.sent.get(&user)?;
        let first = *sent.front()?;
        let full = sent.len() == BURST_MAX && now.ms_since(first) < BURST_WINDOW_MS;
        full.then(|| sent.back().copied()).flatten()
    }

    /// Until when a provider that keeps failing is left alone, by all messages but the one that tries it again.
    #[must_use]
    pub fn provider_rests(
        &self,
        provider: Provider,
        message: Option<NotificationId>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let health = self.outbox.providers.get(&provider)?;
        if health.failures < PROVIDER_FAILURES_MAX {
            return None;
        }
        let until = health.failed_at.plus_ms(PROVIDER_REST_MS);
        let tried = health.tried_by.is_some() && health.tried_by != message;
        // A clock that was set back does not make the rest longer.
        let rests = health.failed_at <= now && now < until;
        match (rests, tried) {
            (true, _) => Some(until),
            (false, true) => Some(now.plus_ms(PROVIDER_REST_MS)),
            (false, false) => None,
        }
    }

    pub(super) fn gathers(&mut self, id: NotificationId) {
        if let Some(message) = self.notifications.get(&id) {
            let gathering = self.outbox.gathering.entry(gathered(message));
            let gathering = gathering.or_default();
            // In old journals one began twice.
            gathering.retain(|one| *one != id);
            gathering.push(id);
        }
    }

    pub(super) fn join(&mut self, id: NotificationId, by: NotificationId) {
        self.outbox.together.entry(by).or_default().push(id);
    }

    /// A message was in the one state and is in the other: it may be told by another one since, or no more.
    pub(super) fn count_together(&mut self, before: &Delivery, after: &Delivery) {
        if let Delivery::Together { by } = after {
            *self.outbox.left_together.entry(*by).or_default() += 1;
        }
        if let Delivery::Together { by } = before
            && let Some(left) = self.outbox.left_together.get_mut(by)
        {
            *left -= 1;
            if *left == 0 {
                self.outbox.left_together.remove(by);
            }
        }
    }

    /// It gathers no more: it is being sent, or will not be.
    pub(super) fn stop_gathering(&mut self, id: NotificationId) {
        if let Some(message) = self.notifications.get(&id) {
            let key = gathered(message);
            if let Some(gathering) = self.outbox.gathering.get_mut(&key) {
                gathering.retain(|one| *one != id);
                if gathering.is_empty() {
                    self.outbox.gathering.remove(&key);
                }
            }
        }
    }

    pub(super) fn count_sent(&mut self, id: NotificationId, at: Timestamp) {
        let Some(message) = self.notifications.get(&id) else {
            return;
        };
        let counts = match message.purpose {
            Purpose::Page(_) | Purpose::Request(_) | Purpose::Resolved(_) => true,
            Purpose::Notice(_) | Purpose::Acknowledged(_) | Purpose::Test | Purpose::Word(_) => {
                false
            }
        };
        if counts && message.attempts.len() <= 1 {
            let sent = self.outbox.sent.entry(message.user).or_default();
            if sent.len() == BURST_MAX {
                sent.pop_front();
            }
            sent.push_back(at);
        }
        let provider = Provider::of_message(message);
        if let Some(health) = self.outbox.providers.get_mut(&provider) {
            health.tried_by = Some(id);
        }
    }

    pub(super) fn count_outcome(&mut self, id: NotificationId, outcome: Outcome, at: Timestamp) {
        let Some(message) = self.notifications.get(&id) else {
            return;
        };
        let provider = Provider::of_message(message);
        match outcome {
            // A refusal is an answer too.
            Outcome::Accepted | Outcome::Refused => {
                self.outbox.providers.remove(&provider);
            }
            Outcome::Failed | Outcome::TimedOut => {
                let before = self.outbox.providers.get(&provider);
                let failures = before.map_or(0, |health| health.failures).saturating_add(1);
                let health = Health {
                    failures,
                    failed_at: at,
                    tried_by: None,
                };
                self.outbox.providers.insert(provider, health);
            }
            // It was Tocsin that ended.
            Outcome::Unanswered => self.forget_trial(id),
        }
    }

    /// An attempt says nothing about its provider: another may try it, unless another is just doing so.
    pub(super) fn forget_trial(&mut self, id: NotificationId) {
        let Some(message) = self.notifications.get(&id) else {
            return;
        };
        let provider = Provider::of_message(message);
        let health = self.outbox.providers.get_mut(&provider);
        if let Some(health) = health.filter(|health| health.tried_by == Some(id)) {
            health.tried_by = None;
        }
    }

    /// What was told along shares the fate of what told it.
    pub(super) fn settle_together(&mut self, id: NotificationId, fate: &Delivery) {
        let mut members = self.outbox.together.remove(&id).unwrap_or_default();
        self.outbox.left_together.remove(&id);
        members.retain(|member| {
            let Some(message) = self.notifications.get_mut(member) else {
                return false;
            };
            let is_told = matches!(message.state, Delivery::Together { by } if by == id);
            if is_told {
                message.state = fate.clone();
            }
            is_told
        });
        for member in &members {
            self.settle_active(*member);
            self.refresh_message(*member);
        }
        if !members.is_empty() && matches!(fate, Delivery::Delivered { .. }) {
            self.outbox.told.insert(id, members);
        }
    }

    /// What was told along shares what became of a message after its provider took it.
    pub(super) fn settle_told(&mut self, id: NotificationId, fate: &Delivery) {
        let members = self.outbox.told.get(&id).into_iter().flatten();
        for member in members {
            if let Some(message) = self.notifications.get_mut(member) {
                message.state = fate.clone();
            }
        }
    }

    pub(super) fn forget_sent(&mut self, user: UserId) {
        self.outbox.sent.remove(&user);
    }
}

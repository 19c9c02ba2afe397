//! What the sender of a simulated process knows by itself: whether its queue has a place, which accounts carry a channel, which of
//! them rest, and how far an attempt has come among them. It knows no provider, and not what the engine makes of its word.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use tocsin_domain::page::{Attempt, Outcome, Via};
use tocsin_domain::people::ChannelKind;

use crate::providers::{Answer, CHANNELS};
use crate::random::Random;

const SECOND: i64 = 1_000_000;
/// A message that was not sent so often is put off no more.
pub(crate) const PUT_OFF_MAX: usize = 2;
/// Accounts of a channel at most.
const ACCOUNTS_MAX: u32 = 3;
/// What has waited for its place for so long is not sent any more.
pub(crate) const PLACE_WAIT: i64 = 9 * SECOND;
/// The wait for a place and for every answer together ends before the engine gives an attempt up.
const WHOLE_WAIT: i64 = 19 * SECOND;
/// An account has this long to answer, and is not tried with less than the other.
const ACCOUNT_WAIT: i64 = 15 * SECOND;
const ACCOUNT_WAIT_MIN: i64 = 10 * SECOND;
/// An account that takes nothing so often in a row is left alone for so long.
const FAILURES_MAX: u32 = 5;
const REST: i64 = 30 * SECOND;
/// Whatever an account asks for, it is left alone no longer than this.
const ASKED_REST_MAX: i64 = 60 * SECOND;
/// All places of a channel are taken for no longer than this at a time.
const RUSH_MAX: i64 = 25 * SECOND;

/// Whose accounts carry a channel; texts and calls share theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Carrier {
    Mail,
    Phone,
}

const CARRIERS: [Carrier; 2] = [Carrier::Mail, Carrier::Phone];

impl Carrier {
    /// None where a channel has one way alone.
    const fn of(channel: ChannelKind) -> Option<Self> {
        match channel {
            ChannelKind::Email => Some(Self::Mail),
            ChannelKind::Sms | ChannelKind::Voice => Some(Self::Phone),
            ChannelKind::Webhook
            | ChannelKind::Ntfy
            | ChannelKind::Slack
            | ChannelKind::Telegram
            | ChannelKind::Pushover
            | ChannelKind::WebPush
            | ChannelKind::PagerDuty => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Phone => "phone",
        }
    }
}

/// Where accounts of a channel may stand; at 0 what carries a channel that has none.
pub(crate) fn places(channel: ChannelKind) -> RangeInclusive<u32> {
    match Carrier::of(channel) {
        Some(_) => 1..=ACCOUNTS_MAX,
        None => 0..=0,
    }
}

/// How an account fares.
#[derive(Clone, Copy, Debug, Default)]
struct Health {
    /// Times in a row that it took nothing, or did not answer.
    failures: u32,
    /// Until when it rests because it kept failing.
    fails_until_us: i64,
    /// Until when it asked to be left alone.
    asks_until_us: i64,
}

/// What the sender tells the engine of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) outcome: Outcome,
    /// How long the provider wants to be left alone.
    pub(crate) wait_ms: Option<u64>,
    /// By which account it went at last, where its channel may have several.
    pub(crate) via: Option<Box<Via>>,
    /// Whether that one refused it for good, whatever all of them together come to.
    pub(crate) is_refused: bool,
    /// Whether nothing was sent: for want of a place, because it was put off, or since nobody wants it any more.
    pub(crate) is_untried: bool,
    /// Whether nobody wants it any more.
    pub(crate) is_moot: bool,
}

impl Told {
    const fn plain(outcome: Outcome) -> Self {
        Self {
            outcome,
            wait_ms: None,
            via: None,
            is_refused: false,
            is_untried: false,
            is_moot: false,
        }
    }

    /// Nothing was sent: nobody wants it any more, or there is no such address.
    pub(crate) fn moot() -> Self {
        Self {
            is_moot: true,
            ..Self::untried()
        }
    }

    /// Nothing was sent: it got no place in time.
    pub(crate) fn untried() -> Self {
        Self {
            is_untried: true,
            ..Self::plain(Outcome::Failed)
        }
    }

    /// Nothing was sent: whoever carries it asked to be left alone for so long yet.
    pub(crate) fn put_off(wait_ms: u64) -> Self {
        Self {
            wait_ms: Some(wait_ms),
            ..Self::untried()
        }
    }
}

/// The sender.
#[derive(Debug)]
pub(crate) struct Sender {
    random: Random,
    /// How many accounts there are.
    accounts: BTreeMap<Carrier, u32>,
    health: BTreeMap<(Carrier, u32), Health>,
    /// How often all places of a channel begin to be taken, in so many of 1,000 attempts, and until when they are.
    rushes: BTreeMap<ChannelKind, u64>,
    taken_until_us: BTreeMap<ChannelKind, i64>,
}

impl Sender {
    pub(crate) fn new(mut random: Random) -> Self {
        let accounts = CARRIERS.map(|carrier| (carrier, random.one_of([1, 2, 2, ACCOUNTS_MAX])));
        let rushes = CHANNELS.map(|channel| (channel, random.one_of([1, 3, 6, 10])));
        Self {
            random,
            accounts: accounts.into_iter().collect(),
            health: BTreeMap::new(),
            rushes: rushes.into_iter().collect(),
            taken_until_us: BTreeMap::new(),
        }
    }

    /// From now on there is always a place.
    pub(crate) fn heal(&mut self) {
        self.rushes.clear();
        self.taken_until_us.clear();
    }

    /// A new process remembers nothing of how accounts fare, and its queue is empty.
    pub(crate) fn forget(&mut self) {
        self.health.clear();
        self.taken_until_us.clear();
    }

    /// One of the accounts of a channel that has several, and the channels that it carries.
    pub(crate) fn some_account(&mut self) -> Option<(Vec<ChannelKind>, u32)> {
        let known = self.accounts.iter();
        let several: Vec<Carrier> = known
            .filter(|(_, count)| **count > 1)
            .map(|(carrier, _)| *carrier)
            .collect();
        let carrier = self.random.pick(&several).copied()?;
        let carried = CHANNELS.into_iter();
        let carried = carried.filter(|channel| Carrier::of(*channel) == Some(carrier));
        Some((carried.collect(), self.random.one_of([1, 1, 2])))
    }

    /// How long an attempt that comes now waits until its channel has a place.
    pub(crate) fn wait_us(&mut self, channel: ChannelKind, now_us: i64) -> i64 {
        let until_us = self.taken_until_us.get(&channel).copied();
        if let Some(until_us) = until_us.filter(|until_us| *until_us > now_us) {
            return until_us - now_us;
        }
        let rate = self.rushes.get(&channel).copied().unwrap_or_default();
        if !self.random.chance(rate) {
            return 0;
        }
        let lasts = self.random.between(SECOND, RUSH_MAX);
        self.taken_until_us.insert(channel, now_us + lasts);
        lasts
    }

    /// By which accounts an attempt goes: by none that left the message to others, nor by one that rests, as long as any other is
    /// there. Where all asked to be left alone, the error says for how many milliseconds yet, unless it is not to wait (`is_urgent`).
    /// `attempts`: those of its message; `since_us`: when it came.
    pub(crate) fn walk(
        &self,
        channel: ChannelKind,
        (attempts, is_urgent): (&[Attempt], bool),
        (since_us, now_us): (i64, i64),
    ) -> Result<Walk, u64> {
        let carrier = Carrier::of(channel);
        let count = carrier.and_then(|carrier| self.accounts.get(&carrier));
        let all: Vec<u32> = (1..=count.copied().unwrap_or(0)).collect();
        let behind = left_behind(attempts);
        let fresh = those(&all, |place| !behind.contains(&place));
        let health = |place| {
            let account = carrier.map(|carrier| (carrier, place));
            let known = account.and_then(|account| self.health.get(&account));
            known.copied().unwrap_or_default()
        };
        let asks_ms = |place| {
            let wait_us = health(place).asks_until_us - now_us;
            wait_us.max(0).unsigned_abs().div_ceil(1_000)
        };
        // To what is urgent, whoever asked for a wait is as whoever keeps failing.
        let is_asked = |place| asks_ms(place) > 0 && !is_urgent;
        // Also one that left it to others is better than a wait.
        let none_is_free = fresh.iter().all(|place| is_asked(*place));
        let fresh = if none_is_free { all } else { fresh };
        let waits = fresh.iter().map(|place| asks_ms(*place)).min();
        if let Some(wait_ms) = waits.filter(|wait_ms| *wait_ms > 0 && !is_urgent) {
            return Err(wait_ms);
        }
        let free = those(&fresh, |place| !is_asked(place));
        let left = those(&free, |place| {
            asks_ms(place) == 0 && health(place).fails_until_us <= now_us
        });
        Ok(Walk {
            carrier,
            passes_over: left.len() < fresh.len(),
            left,
            passed: Vec::new(),
            follows: !behind.is_empty(),
            since_us,
        })
    }

    /// An account is tried now. Where it kept failing, others wait for what becomes of that.
    pub(crate) fn begins(&mut self, walk: &Walk, now_us: i64) {
        let account = walk.account();
        let health = account.and_then(|account| self.health.get_mut(&account));
        if let Some(health) = health.filter(|health| health.failures >= FAILURES_MAX) {
            health.fails_until_us = now_us + REST;
        }
    }

    /// An account has answered, or did not in time.
    pub(crate) fn note(&mut self, walk: &Walk, answer: &Answer, now_us: i64) {
        let Some(account) = walk.account() else {
            return;
        };
        match answer.outcome {
            // What it took was sent before it asked for anything, and says nothing of that.
            Outcome::Accepted | Outcome::Refused => {
                if let Some(health) = self.health.get_mut(&account) {
                    health.failures = 0;
                    health.fails_until_us = 0;
                }
            }
            Outcome::Failed | Outcome::TimedOut => {
                let health = self.health.entry(account).or_default();
                health.failures += 1;
                let asked_us = answer.wait_ms.unwrap_or_default().saturating_mul(1_000);
                let asked_us = i64::try_from(asked_us).unwrap_or(i64::MAX);
                let asked_us = now_us + asked_us.min(ASKED_REST_MAX);
                health.asks_until_us = health.asks_until_us.max(asked_us);
                if health.failures >= FAILURES_MAX {
                    health.fails_until_us = now_us + REST;
                }
            }
            Outcome::Unanswered => {}
        }
    }
}

/// Those of them of which it is true; all where it is true of none.
fn those(all: &[u32], is_so: impl Fn(u32) -> bool) -> Vec<u32> {
    let some: Vec<u32> = all.iter().copied().filter(|one| is_so(*one)).collect();
    if some.is_empty() { all.to_vec() } else { some }
}

/// The accounts that left a message to others, since all were through with it the last time.
fn left_behind(attempts: &[Attempt]) -> Vec<u32> {
    let mut behind = Vec::new();
    for via in attempts.iter().rev().filter_map(|one| one.via.as_deref()) {
        if !via.elsewhere {
            break;
        }
        behind.push(via.place);
        behind.extend(&via.passed);
    }
    behind
}

/// An attempt's way through the accounts of its channel.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    carrier: Option<Carrier>,
    /// The places of those that are left, first the one that it goes by; none where its channel has none.
    left: Vec<u32>,
    /// Those that it has passed, and what they said.
    passed: Vec<(u32, Answer)>,
    /// Whether attempts before it left the message to others.
    pub(crate) follows: bool,
    /// Whether some are not tried because they rest.
    pub(crate) passes_over: bool,
    since_us: i64,
}

impl Walk {
    fn account(&self) -> Option<(Carrier, u32)> {
        self.carrier.zip(self.left.first().copied())
    }

    /// The place of the account that it goes by.
    pub(crate) fn place(&self) -> u32 {
        self.left.first().copied().unwrap_or(0)
    }

    /// How long the account that it goes by may take from now on.
    pub(crate) fn patience_us(&self, now_us: i64) -> i64 {
        ACCOUNT_WAIT.min(self.since_us + WHOLE_WAIT - now_us)
    }

    /// Whether another account is left beside the one that it goes by.
    pub(crate) fn has_more(&self) -> bool {
        self.left.len() > 1
    }

    /// Whether the next account is tried at once: this one says for sure that it did not take it, for a reason of its own.
    pub(crate) fn goes_on(&self, answer: &Answer, now_us: i64) -> bool {
        let is_sure = match answer.outcome {
            Outcome::Failed => true,
            Outcome::Refused => !answer.of_receiver,
            Outcome::Accepted | Outcome::TimedOut | Outcome::Unanswered => false,
        };
        is_sure && self.has_more() && self.patience_us(now_us) >= ACCOUNT_WAIT_MIN
    }

    /// It goes by the next account from now on.
    pub(crate) fn pass(&mut self, answer: Answer) {
        if self.has_more() {
            let place = self.left.remove(0);
            self.passed.push((place, answer));
        }
    }

    /// Whether it has passed accounts, and each of them refused it for good.
    pub(crate) fn was_refused_before(&self) -> bool {
        let mut passed = self.passed.iter();
        !self.passed.is_empty() && passed.all(|(_, said)| said.outcome == Outcome::Refused)
    }

    /// Whether none of several accounts has taken it, now that the last of them says so.
    pub(crate) fn is_through(&self, last: &Answer) -> bool {
        !self.passed.is_empty() && !self.has_more() && last.outcome != Outcome::Accepted
    }

    /// What the engine is told when the account that it goes by has said this, and no other is tried by this attempt.
    pub(crate) fn ended(&self, last: &Answer) -> Told {
        let is_taken = last.outcome == Outcome::Accepted;
        let elsewhere = self.has_more() && !is_taken && !last.of_receiver;
        let before = self.passed.iter().map(|(_, said)| said);
        let failed: Vec<&Answer> = before
            .chain([last])
            .filter(|said| said.outcome == Outcome::Failed)
            .collect();
        let is_refused = last.outcome == Outcome::Refused;
        // Whoever did not take it for a while may take it later.
        let may_later = !last.of_receiver && (self.follows || !failed.is_empty());
        let outcome = if is_refused && may_later {
            Outcome::Failed
        } else {
            last.outcome
        };
        let asks = outcome == Outcome::Failed && !elsewhere;
        let wait_ms = asks.then(|| soonest(&failed)).flatten();
        let via = self.account().map(|(carrier, place)| {
            let passed = self.passed.iter().map(|(place, _)| *place);
            Box::new(Via {
                place,
                name: format!("{}{place}.example", carrier.word()),
                elsewhere,
                passed: passed.collect(),
            })
        });
        Told {
            wait_ms,
            via,
            is_refused,
            ..Told::plain(outcome)
        }
    }
}

/// When the first of them may be asked again; at once where one asks for no wait.
fn soonest(failed: &[&Answer]) -> Option<u64> {
    let waits: Option<Vec<u64>> = failed.iter().map(|said| said.wait_ms).collect();
    waits?.into_iter().min()
}

#[cfg(test)]
mod tests;

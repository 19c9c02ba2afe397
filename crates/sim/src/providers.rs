//! Fake providers of every channel, one for each account of it: they accept, fail, refuse, hang, answer late or twice, lie, or are out
//! altogether. They know nothing of incidents, nor of each other; what reached them is noted by its key.

use std::collections::BTreeMap;

use tocsin_domain::id::NotificationId;
use tocsin_domain::page::{self, Outcome};
use tocsin_domain::people::ChannelKind;

use crate::random::Random;
use crate::sender::places;
use crate::tally::Fault;

const MS: i64 = 1_000;
const SECOND: i64 = 1_000_000;
/// Whoever takes long to say that it takes nothing takes this long at least.
const SLOW: i64 = 9 * SECOND;

/// How a provider misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Fails,
    FailsButDelivers,
    Refuses,
    Hangs,
    Loses,
    Late,
    Twice,
    Lies,
    Limits,
}

const MOODS: [Mood; 9] = [
    Mood::Fails,
    Mood::FailsButDelivers,
    Mood::Refuses,
    Mood::Hangs,
    Mood::Loses,
    Mood::Late,
    Mood::Twice,
    Mood::Lies,
    Mood::Limits,
];

/// How often a provider is in each mood, in so many of 1,000 attempts.
type Habits = [u64; MOODS.len()];

/// What is heard of an attempt: after how long, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) after_us: i64,
    pub(crate) outcome: Outcome,
    /// How long the provider wants to be left alone.
    pub(crate) wait_ms: Option<u64>,
    /// Whether it was refused because of whom it goes to, so that no other account could do better.
    pub(crate) of_receiver: bool,
}

impl Answer {
    pub(crate) const fn plain(outcome: Outcome, after_us: i64) -> Self {
        Self {
            after_us,
            outcome,
            wait_ms: None,
            of_receiver: false,
        }
    }
}

/// What a provider says later of what it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) after_us: i64,
    pub(crate) fate: page::Fate,
}

/// What becomes of an attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fate {
    pub(crate) answers: Vec<Answer>,
    /// The provider took it, whatever it says.
    pub(crate) is_accepted: bool,
    /// After how long its person reads it.
    pub(crate) read_after_us: Option<i64>,
    /// What is said of it later, where the provider gives what it takes a name.
    pub(crate) words: Vec<Word>,
    pub(crate) fault: Option<Fault>,
}

/// Who carries messages of a channel: by which account, where it may have several.
pub(crate) type Account = (ChannelKind, u32);

/// All providers.
#[derive(Debug)]
pub(crate) struct Providers {
    random: Random,
    habits: BTreeMap<Account, Habits>,
    outages: BTreeMap<Account, i64>,
    accepted: BTreeMap<NotificationId, u32>,
    is_well: bool,
    pub(crate) attempts: u64,
}

/// The channels that there are.
pub(crate) const CHANNELS: [ChannelKind; 6] = [
    ChannelKind::Email,
    ChannelKind::Webhook,
    ChannelKind::Ntfy,
    ChannelKind::Sms,
    ChannelKind::Voice,
    ChannelKind::PagerDuty,
];

impl Providers {
    pub(crate) fn new(mut random: Random) -> Self {
        let mut habits = BTreeMap::new();
        for channel in CHANNELS {
            for place in places(channel) {
                let rates = MOODS.map(|_| random.one_of([2, 8, 15, 40, 120]));
                habits.insert((channel, place), rates);
            }
        }
        Self {
            random,
            habits,
            outages: BTreeMap::new(),
            accepted: BTreeMap::new(),
            is_well: false,
            attempts: 0,
        }
    }

    /// From now on every provider does what it should.
    pub(crate) fn heal(&mut self) {
        self.is_well = true;
        self.outages.clear();
        for habits in self.habits.values_mut() {
            *habits = Habits::default();
        }
    }

    /// The whole channel is out until then.
    pub(crate) fn break_channel(&mut self, channel: ChannelKind, until_us: i64) {
        for place in places(channel) {
            self.break_account((channel, place), until_us);
        }
    }

    /// One account is out until then.
    pub(crate) fn break_account(&mut self, account: Account, until_us: i64) {
        self.outages.insert(account, until_us);
    }

    /// How often a message was accepted.
    pub(crate) fn accepted(&self, key: NotificationId) -> u32 {
        self.accepted.get(&key).copied().unwrap_or(0)
    }

    /// Times that a message was accepted although it had been before.
    pub(crate) fn repeats(&self) -> u64 {
        let times = self.accepted.values();
        times.map(|times| u64::from(times.saturating_sub(1))).sum()
    }

    /// An attempt reaches a provider; the sender gives up after its patience.
    pub(crate) fn receive(
        &mut self,
        account: Account,
        key: NotificationId,
        (now_us, patience_us): (i64, i64),
    ) -> Fate {
        self.attempts += 1;
        let is_out = self
            .outages
            .get(&account)
            .is_some_and(|until| now_us < *until);
        let mut fate = if is_out {
            self.outage(patience_us)
        } else {
            let habits = self.habits.get(&account).copied().unwrap_or_default();
            let mood = self.mood(habits);
            self.fate(mood, patience_us)
        };
        if names_what_it_takes(account.0) && fate.is_accepted {
            self.tell_later(&mut fate);
        }
        if fate.is_accepted {
            *self.accepted.entry(key).or_default() += 1;
        }
        fate
    }

    fn limited(&mut self, after_us: i64) -> Answer {
        let wait_ms = self.random.one_of([0, 2_000, 20_000, 60_000, 90_000]);
        Answer {
            wait_ms: Some(wait_ms),
            ..Answer::plain(Outcome::Failed, after_us)
        }
    }

    /// What is said later: before the answer, after it, twice, in any order, wrongly, or not at all.
    fn tell_later(&mut self, fate: &mut Fate) {
        let is_read = fate.read_after_us.is_some();
        let mut say = |random: &mut Random, said| {
            let after_us = random.between(5 * MS, 80 * SECOND);
            fate.words.push(Word {
                after_us,
                fate: said,
            });
        };
        match self.random.below(100) {
            _ if self.is_well => say(&mut self.random, page::Fate::Delivered),
            0..10 => fate.fault = fate.fault.or(Some(Fault::ReceiptMissing)),
            10..20 => {
                say(&mut self.random, page::Fate::Failed);
                fate.fault = fate.fault.or(Some(Fault::ReceiptBad));
            }
            20..30 => {
                say(&mut self.random, page::Fate::Failed);
                say(&mut self.random, page::Fate::Delivered);
            }
            30..50 => {
                say(&mut self.random, page::Fate::Delivered);
                say(&mut self.random, page::Fate::Read);
                say(&mut self.random, page::Fate::Delivered);
            }
            _ if is_read => say(&mut self.random, page::Fate::Delivered),
            _ => say(&mut self.random, page::Fate::Failed),
        }
    }

    /// It is refused for good: for a reason of the provider's own, or because of whom it goes to.
    fn refusal(&mut self, after_us: i64) -> Answer {
        Answer {
            of_receiver: self.random.chance(300),
            ..Answer::plain(Outcome::Refused, after_us)
        }
    }

    /// When a provider says that it takes nothing; now and then late, or so late that no time is left for another one.
    fn no_after(&mut self, quick_us: i64, patience_us: i64) -> i64 {
        match self.random.below(100) {
            0..15 => self.random.between(SLOW, patience_us),
            15..30 => self.random.between(quick_us, SLOW),
            _ => quick_us,
        }
    }

    fn outage(&mut self, patience_us: i64) -> Fate {
        let (outcome, after_us) = if self.random.chance(500) {
            (Outcome::Failed, self.random.between(MS, 300 * MS))
        } else {
            (Outcome::TimedOut, patience_us)
        };
        Fate {
            answers: vec![Answer::plain(outcome, after_us)],
            ..Fate::default()
        }
    }

    fn mood(&mut self, habits: Habits) -> Option<Mood> {
        let dice = self.random.below(1_000);
        let mut sum = 0;
        let mut moods = MOODS.into_iter().zip(habits);
        let found = moods.find(|(_, rate)| {
            sum += rate;
            dice < sum
        });
        found.map(|(mood, _)| mood)
    }

    fn fate(&mut self, mood: Option<Mood>, patience_us: i64) -> Fate {
        let quick = self.random.between(20 * MS, 800 * MS);
        let answer = |outcome, after_us| vec![Answer::plain(outcome, after_us)];
        let accepted = Fate {
            answers: answer(Outcome::Accepted, quick),
            is_accepted: true,
            read_after_us: Some(self.random.between(quick, 90 * SECOND)),
            ..Fate::default()
        };
        // A provider that gives no clear answer may have delivered, or not.
        let maybe = if self.random.chance(500) {
            accepted.clone()
        } else {
            Fate::default()
        };
        let Some(mood) = mood else {
            return accepted;
        };
        let either = self.random.one_of([Outcome::Accepted, Outcome::Failed]);
        let no_after = self.no_after(quick, patience_us);
        let (fate, answers, fault) = match mood {
            Mood::Fails => (
                Fate::default(),
                answer(Outcome::Failed, no_after),
                Fault::ProviderFails,
            ),
            Mood::FailsButDelivers => (
                accepted,
                answer(Outcome::Failed, no_after),
                Fault::ProviderFailsButDelivers,
            ),
            Mood::Refuses => (
                Fate::default(),
                vec![self.refusal(no_after)],
                Fault::ProviderRefuses,
            ),
            Mood::Hangs => (
                maybe,
                answer(Outcome::TimedOut, patience_us),
                Fault::ProviderHangs,
            ),
            Mood::Loses => (maybe, Vec::new(), Fault::OutcomeLost),
            Mood::Late => {
                let late = self.random.between(21 * SECOND, 120 * SECOND);
                (maybe, answer(either, late), Fault::OutcomeLate)
            }
            Mood::Twice => {
                let mut answers = accepted.answers.clone();
                answers.extend(answer(either, self.random.between(quick, 3 * SECOND)));
                (accepted, answers, Fault::OutcomeTwice)
            }
            Mood::Lies => {
                let lie = Fate {
                    read_after_us: None,
                    ..accepted
                };
                (lie, answer(Outcome::Accepted, quick), Fault::ProviderLies)
            }
            Mood::Limits => (
                Fate::default(),
                vec![self.limited(quick)],
                Fault::ProviderLimits,
            ),
        };
        Fate {
            answers,
            fault: Some(fault),
            ..fate
        }
    }
}

/// Whether what it takes gets a name under which it tells later what became of it.
pub(crate) const fn names_what_it_takes(channel: ChannelKind) -> bool {
    matches!(channel, ChannelKind::Sms | ChannelKind::Voice)
}

//! One attempt on its way through the accounts of its channel: which of them it goes by, in which order, and how it ended at last. It
//! sends nothing and looks at no clock.

use reqwest::Url;
use tocsin_domain::page::{Attempt, Notification, Outcome, Via};
use tocsin_domain::people::ChannelKind;
use tokio::time::Instant;

use super::account::{Account, Opened, Provider};
use super::by_account::Callbacks;
use super::mail;
use super::message::{Letter, Secrets};
use super::place::Place;
use super::report::Report;
use super::rests::{By, Rest};

/// One account that a message may go by.
pub(crate) struct Carrier {
    pub(crate) place: Place,
    pub(crate) means: Means,
    /// Where its provider may ask and tell about the attempt.
    pub(crate) callbacks: Callbacks,
}

/// How an account is used.
pub(crate) enum Means {
    /// By the API of its provider.
    Api(Opened),
    /// By SMTP.
    Mail(mail::Server),
}

impl Carrier {
    /// What tells it from every other account, also when they change places.
    fn identity(&self) -> String {
        match &self.means {
            Means::Api(opened) => {
                let id = opened.account.id.as_deref().unwrap_or_default();
                format!("{} {id}", opened.account.base_url)
            }
            Means::Mail((settings, _)) => {
                let name = settings.username.as_deref().unwrap_or_default();
                format!("{}:{} {name}", settings.host, settings.port)
            }
        }
    }

    /// The account, where it has an API.
    pub(super) const fn account(&self) -> Option<&Account> {
        match &self.means {
            Means::Api(opened) => Some(&opened.account),
            Means::Mail(_) => None,
        }
    }

    /// The host of its provider.
    fn host(&self) -> String {
        match &self.means {
            Means::Api(opened) => {
                let url = Url::parse(&opened.account.base_url).ok();
                let host = url.as_ref().and_then(Url::host_str);
                host.unwrap_or_default().to_owned()
            }
            Means::Mail((settings, _)) => settings.host.clone(),
        }
    }
}

/// Whether a channel may have several accounts.
const fn may_have_several(channel: ChannelKind) -> bool {
    match Provider::of(channel) {
        Some(provider) => provider.places().len() > 1,
        None => matches!(channel, ChannelKind::Email),
    }
}

/// The accounts that left a message to others since all of them were tried the last time. An attempt that was not made, or whose end
/// nobody knows, says nothing of them.
pub(super) fn aside(attempts: &[Attempt]) -> Vec<Place> {
    let told = attempts.iter().rev().filter(|one| one.via.is_some());
    let left = told.take_while(|one| one.is_left_to_another());
    let left = left.filter_map(|one| one.via.as_deref());
    left.flat_map(tried).collect()
}

/// The accounts that an attempt tried: the one that it went by at last, and those that it had passed before.
pub(super) fn tried(via: &Via) -> impl Iterator<Item = Place> {
    let all = [via.place].into_iter().chain(via.passed.iter().copied());
    all.filter_map(Place::of)
}

/// By which account the last attempt of a message went; before there were several it was the first.
pub(super) fn place_of(message: &Notification) -> Place {
    let via = message.attempts.last().and_then(|last| last.via.as_ref());
    let known = via.and_then(|via| Place::of(via.place));
    known.unwrap_or(Place::First)
}

/// Whether each address has a server for itself, or limits of its own: our account there, if there is one, says nothing of that.
const fn has_own_server(channel: ChannelKind) -> bool {
    match channel {
        ChannelKind::Webhook | ChannelKind::Ntfy | ChannelKind::WebPush => true,
        // Their limits are those of a conversation: what one asks for says nothing of the others.
        ChannelKind::Slack | ChannelKind::Telegram => true,
        ChannelKind::Email
        | ChannelKind::Pushover
        | ChannelKind::Sms
        | ChannelKind::Voice
        | ChannelKind::PagerDuty => false,
    }
}

/// Whom a message goes by, by this account.
fn goes_by(letter: &Letter, carrier: Option<&Carrier>) -> By {
    let own = has_own_server(letter.channel);
    match carrier.filter(|_| !own) {
        Some(carrier) => By::Account(carrier.identity()),
        None => By::Address(letter.address),
    }
}

/// Which of these places an attempt goes by, in their order: not by one that left the message to others, nor by one that rests. Where
/// no other is there, it goes by one of those that left it, or by those all the same that keep failing. Where there are none but such
/// that asked to be left alone, it waits for the first of them: the error says until when.
fn chosen(all: &[(Place, Rest)], aside: &[Place]) -> Result<Vec<Place>, Instant> {
    let fresh = all.iter().copied().filter(|(one, _)| !aside.contains(one));
    let mut left: Vec<(Place, Rest)> = fresh.collect();
    let all_ask = left.iter().all(|(_, rest)| matches!(rest, Rest::Asked(_)));
    if all_ask {
        // Also of those that left it to others, any other is better than a wait.
        left = all.to_vec();
    }
    let (mut awake, mut failing, mut asked) = (Vec::new(), Vec::new(), None::<Instant>);
    for (place, rest) in left {
        match rest {
            Rest::Awake => awake.push(place),
            Rest::Failing => failing.push(place),
            Rest::Asked(until) => asked = Some(asked.map_or(until, |first| first.min(until))),
        }
    }
    if !awake.is_empty() {
        return Ok(awake);
    }
    match asked.filter(|_| failing.is_empty()) {
        Some(until) => Err(until),
        None => Ok(failing),
    }
}

/// An attempt that is under way.
pub(super) struct Walk {
    pub(super) letter: Letter,
    /// Its accounts are those that are left, first the one that it goes by.
    pub(super) secrets: Secrets,
    passed: Vec<Passed>,
}

/// An account that did not take it, for certain.
struct Passed {
    place: Place,
    host: String,
    report: Report,
}

impl Walk {
    /// One that begins; the error says until when it is put off.
    pub(super) fn new(
        letter: Letter,
        mut secrets: Secrets,
        rest: impl Fn(&By) -> Rest,
    ) -> Result<Self, Instant> {
        let rest_of = |carrier: Option<&Carrier>| {
            let rest = rest(&goes_by(&letter, carrier));
            let is_asked = matches!(rest, Rest::Asked(_));
            // Who cannot wait goes by it all the same.
            if is_asked && !letter.may_wait {
                Rest::Failing
            } else {
                rest
            }
        };
        let carriers = secrets.carriers.iter();
        let all: Vec<(Place, Rest)> = carriers
            .map(|one| (one.place, rest_of(Some(one))))
            .collect();
        if let (true, Rest::Asked(until)) = (all.is_empty(), rest_of(None)) {
            return Err(until);
        }
        let chosen = chosen(&all, &letter.aside)?;
        secrets.carriers.retain(|one| chosen.contains(&one.place));
        Ok(Self {
            letter,
            secrets,
            passed: Vec::new(),
        })
    }

    /// Whom it goes by.
    pub(super) fn by(&self) -> By {
        goes_by(&self.letter, self.carrier())
    }

    /// The account that it goes by; none where the channel needs none, or none is set up.
    pub(super) fn carrier(&self) -> Option<&Carrier> {
        self.secrets.carriers.front()
    }

    /// By which account it goes, and which it has passed, as the core is told.
    pub(super) fn via(&self) -> Option<Via> {
        let carrier = self.carrier()?;
        let passed = self.passed.iter().map(|one| one.place.number());
        may_have_several(self.letter.channel).then(|| Via {
            place: carrier.place.number(),
            name: carrier.host(),
            elsewhere: false,
            passed: passed.collect(),
        })
    }

    fn has_more(&self) -> bool {
        self.secrets.carriers.len() > 1
    }

    /// Whether the next account may be tried at once: this one is known not to have taken it, for a reason of its own.
    pub(super) fn goes_on(&self, report: &Report) -> bool {
        let is_certain = match report.outcome {
            Outcome::Failed => true,
            Outcome::Refused => !report.of_receiver,
            Outcome::Accepted | Outcome::TimedOut | Outcome::Unanswered => false,
        };
        is_certain && self.has_more()
    }

    /// It goes by the next account, since it ended so by this one.
    pub(super) fn pass(&mut self, report: Report) {
        if let Some(carrier) = self.secrets.carriers.pop_front() {
            self.passed.push(Passed {
                place: carrier.place,
                host: carrier.host(),
                report,
            });
        }
    }

    /// How all of it ended, whose last account ended so. One that is left is for the next attempt, which goes by it at once.
    pub(super) fn ended(self, last: Report) -> Report {
        let elsewhere = self.has_more() && last.outcome != Outcome::Accepted && !last.of_receiver;
        let is_any_left = !self.letter.aside.is_empty();
        let (outcome, wait_ms) = together(&self.passed, &last, is_any_left);
        Report {
            outcome,
            detail: with_passed(&last.detail, &self.passed),
            retry_after_ms: wait_ms.filter(|_| !elsewhere),
            via: self.via().map(|via| Box::new(Via { elsewhere, ..via })),
            ..last
        }
    }
}

/// How an attempt ended by all its accounts together, and for how long they want to be left alone. What one of them refuses, another
/// may take later: also one that an attempt before this one had left, for what it said then.
fn together(passed: &[Passed], last: &Report, is_any_left: bool) -> (Outcome, Option<u64>) {
    let all = passed.iter().map(|one| &one.report).chain([last]);
    let failed: Vec<&Report> = all.filter(|one| one.outcome == Outcome::Failed).collect();
    let may_others = is_any_left || !failed.is_empty();
    let is_later = last.outcome == Outcome::Refused && !last.of_receiver && may_others;
    let outcome = if is_later {
        Outcome::Failed
    } else {
        last.outcome
    };
    if outcome != Outcome::Failed {
        return (outcome, None);
    }
    // One that asks for no wait may be tried soon.
    let waits: Option<Vec<u64>> = failed.iter().map(|one| one.retry_after_ms).collect();
    (outcome, waits.and_then(|waits| waits.into_iter().min()))
}

/// The words of the last account, and of those before it.
fn with_passed(detail: &str, passed: &[Passed]) -> String {
    if passed.is_empty() {
        return detail.to_owned();
    }
    let before = passed.iter();
    let before = before.map(|one| format!("{}: {}", one.host, one.report.detail));
    let before: Vec<String> = before.collect();
    format!("{detail} (before that, {})", before.join("; "))
}

#[cfg(test)]
mod tests;

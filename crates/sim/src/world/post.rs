//! The sender of the simulated process: it waits for a place, looks up what to send, gives it to the providers, by one account after the
//! other for as long as it is wanted, and reports what they said.

use std::sync::PoisonError;

use tocsin_domain::bugs::{self, Bug};
use tocsin_domain::command::Ask;
use tocsin_domain::id::{NotificationId, SecretId, UserId};
use tocsin_domain::incident::Status;
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::{Delivery, Fate, Notification, Outcome, Purpose};
use tocsin_domain::people::{ChannelKind, ContactMethod};
use tocsin_domain::state::State;

use super::agenda::Happening;
use super::{MS, Report, SECOND, Ticket, World};
use crate::check::Check;
use crate::machine::HandedOut;
use crate::providers::{self, Answer, names_what_it_takes};
use crate::sender::{PLACE_WAIT, PUT_OFF_MAX, Told, Walk};
use crate::tally::Fault;

/// An attempt without an answer for so long hangs.
const HANGS: i64 = 12 * SECOND;
/// So often the process dies between an account that may have taken a message and the next one, in so many of 1,000 cases.
const DIES_BETWEEN: u64 = 10;

/// An attempt that the sender was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    /// The run of the process that makes it.
    life: u64,
    notification: NotificationId,
    number: u32,
    /// Since when it waits for its place.
    since_us: i64,
}

/// An attempt on its way.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    given: Given,
    user: UserId,
    purpose: Purpose,
    channel: ChannelKind,
    walk: Walk,
    /// Whether the account that it goes by takes it, whatever that says.
    is_taken: bool,
}

impl Given {
    fn report(&self, told: Told) -> Report {
        Report {
            life: self.life,
            notification: self.notification,
            number: self.number,
            told,
            is_named: false,
            tries: 0,
        }
    }
}

impl Errand {
    /// What is told when the account that it goes by has said this.
    fn report(&self, answer: &Answer) -> Report {
        let told = self.walk.ended(answer);
        Report {
            is_named: told.outcome == Outcome::Accepted && names_what_it_takes(self.channel),
            ..self.given.report(told)
        }
    }
}

/// What is found when it is looked up what to send.
enum Found {
    /// This, to that address.
    Letter(Box<Errand>, SecretId),
    /// Whoever carries it asked to be left alone for so many milliseconds yet.
    PutOff(u64),
    /// Nothing of it is left to tell, or its address is gone.
    Moot,
    /// It is not under way any more.
    Over,
}

/// The message, if this attempt of it is under way.
fn under_way(state: &State, given: Given) -> Option<&Notification> {
    let message = state.notifications.get(&given.notification)?;
    let is_sending = matches!(message.state, Delivery::Sending { .. });
    let last = message.attempts.last()?;
    let is_open = last.number == given.number && last.outcome.is_none();
    (is_sending && is_open).then_some(message)
}

/// Where a message goes, as long as that is there and something of what it tells is left to tell.
fn way<'a>(state: &'a State, message: &Notification) -> Option<&'a ContactMethod> {
    let along = state.told_along(message.id);
    let mut all = std::iter::once(message).chain(along);
    let user = state.users.get(&message.user);
    let method = user.and_then(|user| user.contact_method(message.contact_method));
    method.filter(|_| all.any(|one| is_to_be_told(state, one)))
}

fn is_to_be_told(state: &State, message: &Notification) -> bool {
    let known = |incident| state.incidents.get(&incident);
    match message.purpose {
        Purpose::Page(incident) => known(incident).is_some_and(|known| {
            let is_theirs = !known.spares(message.user) && !known.has_withdrawn(message);
            state.wants_pages(known) && is_theirs
        }),
        Purpose::Request(incident) => {
            known(incident).is_some_and(|known| known.awaits(message.user))
        }
        Purpose::Notice(incident) => {
            known(incident).is_some_and(|known| known.status == Status::Triggered)
        }
        Purpose::Acknowledged(incident) => {
            known(state.part_of(incident)).is_some_and(|known| known.status == Status::Acknowledged)
        }
        Purpose::Resolved(_) | Purpose::Test | Purpose::Word(_) => true,
    }
}

impl World {
    /// What was handed out reaches the sender and whoever freezes evidence.
    pub(super) fn deliver(&mut self, out: HandedOut) {
        for (notification, number) in out.sends {
            self.line_up(Given {
                life: self.life,
                notification,
                number,
                since_us: self.now_us,
            });
        }
        for incident in out.freezes {
            let life = self.life;
            let delay = self.random.between(SECOND, 20 * SECOND);
            self.after(delay, Happening::Frozen { life, incident });
        }
    }

    /// An attempt begins as soon as its channel has a place.
    fn line_up(&mut self, given: Given) {
        let letter = self.ledger.letters.get(&given.notification);
        let channel = letter.map(|letter| letter.channel);
        let wait = channel.map(|channel| self.sender.wait_us(channel, self.now_us));
        match wait.filter(|wait| *wait > 0) {
            Some(wait) => self.after(wait.min(PLACE_WAIT), Happening::Begins(given)),
            None => self.begin(given),
        }
    }

    /// Whether the process that had this to do is no more.
    fn is_gone(&self, life: u64) -> bool {
        life != self.life || self.engine.is_none()
    }

    /// How long the machine does nothing yet.
    fn suspended_for(&self) -> Option<i64> {
        let wait = self.suspended_until_us - self.now_us;
        (wait > 0).then_some(wait)
    }

    /// It has its place, unless that came too late: the sender looks up what to send as it stands now, and makes the attempt.
    pub(super) fn begin(&mut self, given: Given) {
        if self.is_gone(given.life) {
            return;
        }
        if let Some(wait) = self.suspended_for() {
            return self.after(wait, Happening::Begins(given));
        }
        let waited = self.now_us - given.since_us;
        if waited >= PLACE_WAIT {
            let Given { notification, .. } = given;
            self.say(|| format!("no place for attempt {} of {notification}", given.number));
            return self.report(given.report(Told::untried()));
        }
        if waited > 0 {
            self.tally.note(Fault::PlaceAwaited);
        }
        match self.look_up(given) {
            Found::Letter(errand, address) => {
                if self.ledger.owners.get(&address) != Some(&errand.user) {
                    let id = given.notification;
                    let what = format!("message {id} goes to somebody else's address");
                    self.wrong(Check::RightPerson, what);
                }
                if errand.walk.passes_over {
                    self.tally.note(Fault::AccountRests);
                }
                let dies = errand.walk.follows && self.dies_between();
                if !dies {
                    self.try_account(errand);
                }
            }
            Found::PutOff(wait_ms) => {
                self.tally.note(Fault::PutOff);
                self.report(given.report(Told::put_off(wait_ms)));
            }
            Found::Moot => {
                let report = given.report(Told::moot());
                self.after(MS, Happening::Reported(report));
            }
            Found::Over => {}
        }
    }

    fn look_up(&self, given: Given) -> Found {
        let Some(engine) = &self.engine else {
            return Found::Over;
        };
        let published = engine.published();
        let state = published.read().unwrap_or_else(PoisonError::into_inner);
        let Some(message) = under_way(&state, given) else {
            return Found::Over;
        };
        let Some(method) = way(&state, message) else {
            return Found::Moot;
        };
        let times = (given.since_us, self.now_us);
        let incident = message.purpose.reaches();
        let incident = incident.and_then(|id| state.incidents.get(&id));
        let is_critical = incident.is_some_and(|known| known.severity == Severity::Critical);
        let put_off = message.attempts.iter();
        let put_off = put_off.filter(|one| one.not_tried && !one.moot).count();
        let is_urgent = is_critical || put_off >= PUT_OFF_MAX;
        let tried = (
            message.attempts.as_slice(),
            is_urgent && !message.tells_a_mirror(),
        );
        let walk = match self.sender.walk(method.kind, tried, times) {
            Ok(walk) => walk,
            Err(wait_ms) => return Found::PutOff(wait_ms),
        };
        let errand = Errand {
            given,
            user: message.user,
            purpose: message.purpose,
            channel: method.kind,
            walk,
            is_taken: false,
        };
        Found::Letter(Box::new(errand), method.address)
    }

    /// Whether an attempt that one account has not taken goes by no other any more: it is looked up anew.
    fn is_called_off(&self, given: Given) -> bool {
        let Some(engine) = &self.engine else {
            return true;
        };
        let published = engine.published();
        let state = published.read().unwrap_or_else(PoisonError::into_inner);
        let message = under_way(&state, given);
        message.and_then(|message| way(&state, message)).is_none()
    }

    /// Nobody gets by any account what is not wanted any more. What is published may lag behind the journal while the disk fails.
    fn check_wanted(&mut self, id: NotificationId) {
        let Some(engine) = &self.engine else {
            return;
        };
        let published = engine.published();
        let served = published.read().map_or(0, |state| state.position);
        if served == self.ledger.position {
            let now = self.wall();
            self.ledger.check_account(id, now);
        }
    }

    /// It goes by the account whose turn it is.
    fn try_account(&mut self, mut errand: Box<Errand>) {
        let Given {
            notification,
            number,
            ..
        } = errand.given;
        self.check_wanted(notification);
        let account = (errand.channel, errand.walk.place());
        let patience = errand.walk.patience_us(self.now_us);
        self.sender.begins(&errand.walk, self.now_us);
        let times = (self.now_us, patience);
        let fate = self.providers.receive(account, notification, times);
        if let Some(fault) = fate.fault {
            self.tally.note(fault);
        }
        self.say(|| format!("attempt {number} of {notification} by {account:?}: {fate:?}"));
        for word in &fate.words {
            let fate = word.fate;
            let told = Happening::Told {
                notification,
                number,
                fate,
            };
            self.after(word.after_us, told);
        }
        errand.is_taken = fate.is_accepted;
        self.reach(&errand, &fate);
        let mut answers = fate.answers.into_iter();
        let Some(first) = answers.next() else {
            return;
        };
        let again = answers.map(|answer| (answer.after_us, errand.report(&answer)));
        let again: Vec<(i64, Report)> = again.collect();
        let answered = Happening::Answered {
            errand,
            answer: first,
        };
        self.after(first.after_us, answered);
        for (after, report) in again {
            self.after(after, Happening::Reported(report));
        }
    }

    /// What becomes of a page that reached a provider.
    fn reach(&mut self, errand: &Errand, fate: &providers::Fate) {
        let user = errand.user;
        let Purpose::Page(incident) = errand.purpose else {
            return;
        };
        if fate.is_accepted {
            self.tally.pages += 1;
            self.check_repeats(errand.given.notification);
            self.ledger.page_accepted(errand.given.notification);
        }
        if let Some(after) = fate.read_after_us {
            self.after(after, Happening::Reads { user, incident });
        }
        let hangs = |first: &Answer| first.after_us >= HANGS;
        if fate.answers.first().is_none_or(hangs) && self.random.chance(40) {
            let after = self.random.between(SECOND, HANGS);
            self.after(after, Happening::TakesAway { user, incident });
        }
    }

    /// A provider takes a message once, and once more for each account, or attempt, that said nothing or nothing clear before. Of what was
    /// refused for good, or not sent at all, nobody owes a repeat.
    fn check_repeats(&mut self, key: NotificationId) {
        let taken = self.providers.accepted(key);
        let allowed = self
            .ledger
            .letters
            .get(&key)
            .map_or(0, |letter| letter.unanswered + 1);
        if taken > allowed {
            let what = format!("message {key} was accepted {taken} times, {allowed} are allowed");
            self.wrong(Check::RepeatsAreBounded, what);
        }
    }

    /// An account has answered, or did not in time: the next one is tried, or the engine is told.
    pub(super) fn answered(&mut self, mut errand: Box<Errand>, answer: Answer) {
        if self.is_gone(errand.given.life) {
            return;
        }
        if let Some(wait) = self.suspended_for() {
            return self.after(wait, Happening::Answered { errand, answer });
        }
        self.sender.note(&errand.walk, &answer, self.now_us);
        let may_go_on = errand.walk.goes_on(&answer, self.now_us);
        let is_left_out = bugs::on(Bug::NextAccountNotLookedUp);
        let goes_on = may_go_on && (is_left_out || !self.is_called_off(errand.given));
        self.note_walk(&errand, &answer, goes_on);
        let is_refused = answer.outcome == Outcome::Refused;
        let is_left = errand.walk.has_more() && answer.outcome != Outcome::Accepted;
        if is_left && !is_refused && self.dies_between() {
            return;
        }
        if !goes_on {
            return self.report(errand.report(&answer));
        }
        if !is_refused {
            self.ledger.note_unclear(errand.given.notification);
        }
        errand.walk.pass(answer);
        self.try_account(errand);
    }

    /// Counts what happens among the accounts of a channel.
    fn note_walk(&mut self, errand: &Errand, answer: &Answer, goes_on: bool) {
        let walk = &errand.walk;
        let is_silent = answer.outcome == Outcome::TimedOut;
        let is_next_tried = goes_on || (is_silent && walk.has_more());
        let is_taken = answer.outcome == Outcome::Accepted;
        let played = [
            (goes_on, Fault::AccountPassed),
            (errand.is_taken && is_next_tried, Fault::AccountTookUnsaid),
            (
                is_taken && walk.was_refused_before(),
                Fault::RefusedThenTaken,
            ),
            (
                answer.of_receiver && walk.has_more(),
                Fault::ReceiverRefused,
            ),
            (walk.is_through(answer), Fault::AccountsExhausted),
        ];
        for (_, fault) in played.into_iter().filter(|(it, _)| *it) {
            self.tally.note(fault);
        }
    }

    /// Whether the process dies now, between an account that may have taken a message and the next one.
    fn dies_between(&mut self) -> bool {
        let dies = self.is_rough && self.random.chance(DIES_BETWEEN);
        if dies {
            let life = self.life;
            self.after(0, Happening::Dies(life));
        }
        dies
    }

    /// The process dies, if it is still the one that was to.
    pub(super) fn dies(&mut self, life: u64) {
        if self.is_rough && !self.is_gone(life) {
            self.say(|| "the process dies between two accounts".to_owned());
            self.tally.note(Fault::CrashBetweenAccounts);
            self.fall(Vec::new());
        }
    }

    /// The sender tells the engine what came of an attempt.
    pub(super) fn report(&mut self, report: Report) {
        if report.life != self.life {
            return;
        }
        if let Some(wait) = self.suspended_for() {
            return self.after(wait, Happening::Reported(report));
        }
        let Report {
            notification,
            number,
            ..
        } = report;
        let told = report.told.clone();
        let ask = if told.is_untried {
            Ask::NotTried {
                notification,
                number,
                detail: String::new(),
                retry_after_ms: told.wait_ms,
                moot: told.is_moot,
            }
        } else {
            Ask::AttemptFinished {
                notification,
                number,
                outcome: told.outcome,
                detail: String::new(),
                retry_after_ms: told.wait_ms,
                reference: report.is_named.then(|| "SM1".to_owned()),
                via: told.via.clone(),
            }
        };
        if report.tries == 0 {
            self.ledger.note_told((notification, number), told);
        }
        self.ask(ask, Ticket::Report(report));
    }

    /// What a provider says later; nobody hears it while the process is gone.
    pub(super) fn told(&mut self, notification: NotificationId, number: u32, fate: Fate) {
        if self.engine.is_some() && self.now_us >= self.suspended_until_us {
            let ask = Ask::ReceiptCame {
                notification,
                number,
                fate,
                detail: String::new(),
            };
            self.ask(ask, Ticket::Nobody);
        }
    }
}

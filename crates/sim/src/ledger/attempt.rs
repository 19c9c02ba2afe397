//! How an attempt ends, in the second book: whether the sender told so, whether and when a repeat is owed, and what may be repeated at
//! all. What is left to another account of a channel goes by that at once, and what was not sent is no message to anybody.

use tocsin_domain::event::{Event, NotificationWhat};
use tocsin_domain::id::NotificationId;
use tocsin_domain::page::{Outcome, Via};
use tocsin_domain::time::Timestamp;

use super::{Ledger, Letter, LetterState};
use crate::check::Check;
use crate::sender::Told;

/// Attempts of one message that are made, at most.
const ATTEMPTS_MAX: u32 = 3;

/// Attempts of a message of which so many were not made: two of those cost it no other.
pub(super) fn attempts_max(untried: u32) -> u32 {
    ATTEMPTS_MAX + untried.min(2)
}

/// A repeat comes within this time.
const RETRY_MS_MAX: u64 = 5_000;
/// A provider that wants to be left alone is, but for no longer than this.
const ASKED_MS_MAX: u64 = 60_000;
/// News to another system that keeps the incident too is tried on for this long, and this often at least.
const NEWS_FOR_MS: u64 = 86_400_000;
const NEWS_EVERY_MS: u64 = 1_800_000;

/// How an attempt ended, as is journalled.
#[derive(Clone, Copy, Debug)]
struct Ending<'a> {
    number: u32,
    outcome: Outcome,
    retry_at: Option<Timestamp>,
    is_untried: bool,
    is_moot: bool,
    via: Option<&'a Via>,
}

impl Ending<'_> {
    /// Whether it left the message to another account of its channel.
    fn is_left(&self) -> bool {
        self.via.is_some_and(|via| via.elsewhere)
    }

    fn is_as(&self, told: &Told) -> bool {
        told.outcome == self.outcome
            && told.is_untried == self.is_untried
            && told.is_moot == self.is_moot
            && told.via.as_deref() == self.via
    }

    /// Whether some provider may have taken it for all that is known. What was refused for good is not taken, nor what was not sent.
    fn may_be_taken(&self, told: Option<&Told>) -> bool {
        match self.outcome {
            Outcome::Accepted | Outcome::Refused => false,
            Outcome::Failed => !self.is_untried && !told.is_some_and(|told| told.is_refused),
            Outcome::TimedOut | Outcome::Unanswered => true,
        }
    }
}

impl Ledger {
    /// The sender is about to tell how an attempt went.
    pub(crate) fn note_told(&mut self, attempt: (NotificationId, u32), told: Told) {
        self.told.entry(attempt).or_default().push(told);
    }

    /// An account said that it took nothing, which need not be so, and the same attempt goes on by the next one.
    pub(crate) fn note_unclear(&mut self, id: NotificationId) {
        if let Some(letter) = self.letters.get_mut(&id) {
            letter.unanswered += 1;
        }
    }

    /// After an attempt ended.
    pub(super) fn see_outcome(
        &mut self,
        id: NotificationId,
        what: &NotificationWhat,
        envelope: &Event,
    ) {
        let NotificationWhat::AttemptFinished {
            number,
            outcome,
            retry_at,
            reference,
            not_tried,
            moot,
            via,
            ..
        } = what
        else {
            return;
        };
        let ending = Ending {
            number: *number,
            outcome: *outcome,
            retry_at: *retry_at,
            is_untried: *not_tried,
            is_moot: *moot,
            via: via.as_deref(),
        };
        self.judge_end(id, ending, envelope);
        if *outcome == Outcome::Accepted && reference.is_some() {
            self.owe_word(id, envelope.at);
        }
    }

    fn judge_end(&mut self, id: NotificationId, ending: Ending<'_>, envelope: &Event) {
        let Some(letter) = self.letters.get(&id).cloned() else {
            return;
        };
        let number = ending.number;
        let told = self.told.remove(&(id, number)).unwrap_or_default();
        let told = told.iter().find(|told| ending.is_as(told));
        // What nobody answers for ends by itself.
        if told.is_none() && !ending.outcome.is_unsure() {
            let what = format!("nobody told that attempt {number} ended so: {ending:?}");
            self.find_about(Check::Durable, id, envelope.at, &what);
        }
        // Whoever asks to be left alone, or is silent for 15 s, keeps nobody waiting: another way is used meanwhile. So it is when nothing
        // was sent, and when a further account has not taken it either. Another account comes before another way.
        let asks = told.is_some_and(|told| told.wait_ms.is_some());
        let is_silent = ending.outcome == Outcome::TimedOut;
        let keeps_waiting = asks || is_silent || ending.is_untried || letter.is_left;
        let is_given_up = if ending.is_moot {
            // Nobody misses what nobody wants.
            !self.has_way(&letter)
        } else {
            ending.retry_at.is_none() || (keeps_waiting && !ending.is_left())
        };
        if is_given_up {
            self.given_up.insert(envelope.position);
        }
        if let Some(known) = self.letters.get_mut(&id) {
            known.is_left = ending.is_left();
            known.untried += u32::from(ending.is_untried && !ending.is_moot);
            known.moot += u32::from(ending.is_moot);
        }
        self.finish(id, &letter, &ending, told, envelope.at);
        if ending.is_moot {
            self.settle_along(id, LetterState::Due(envelope.at));
        } else if ending.retry_at.is_none() {
            self.settle_along(id, LetterState::Over);
        }
    }

    fn finish(
        &mut self,
        id: NotificationId,
        letter: &Letter,
        ending: &Ending<'_>,
        told: Option<&Told>,
        at: Timestamp,
    ) {
        let (number, retry_at) = (ending.number, ending.retry_at);
        let is_open = matches!(letter.state, LetterState::Sending(_)) && number == letter.attempts;
        if !is_open {
            let what = format!("attempt {number} has an outcome already");
            self.find_about(Check::RepeatsAreBounded, id, at, &what);
        }
        let asked = told.and_then(|told| told.wait_ms).unwrap_or_default();
        self.check_repeat(id, letter, ending, asked, at);
        self.set_state(id, retry_at.map_or(LetterState::Over, LetterState::Due));
        if let Some(letter) = self.letters.get_mut(&id) {
            letter.unanswered += u32::from(ending.may_be_taken(told));
        }
    }

    /// Whether a repeat is owed, and comes when it should. `asked`: for how many milliseconds the provider wants to be left alone.
    fn check_repeat(
        &mut self,
        id: NotificationId,
        letter: &Letter,
        ending: &Ending<'_>,
        asked: u64,
        at: Timestamp,
    ) {
        let (outcome, retry_at) = (ending.outcome, ending.retry_at);
        let is_left = ending.is_left();
        let may_help = match outcome {
            Outcome::Accepted => false,
            // What one account refuses for good, another one need not.
            Outcome::Refused => is_left,
            Outcome::Failed | Outcome::TimedOut | Outcome::Unanswered => true,
        };
        let untried = letter.untried + u32::from(ending.is_untried);
        let most = attempts_max(untried) + letter.moot;
        let is_any_left = ending.number < most || letter.is_news() || ending.is_moot;
        let longest = if is_left {
            0
        } else if letter.is_news() {
            asked.max(NEWS_EVERY_MS)
        } else {
            asked.max(RETRY_MS_MAX)
        };
        let latest = at.plus_ms(longest);
        let is_worth_it = if letter.is_news() {
            // Near the end of its time either is right.
            let end = letter.planned_at.plus_ms(NEWS_FOR_MS);
            latest <= end || retry_at.is_some_and(|at| at <= end)
        } else {
            asked <= ASKED_MS_MAX
        };
        let is_worth_it = is_worth_it || ending.is_moot;
        // What was under way to somebody who left ends on record, and nothing follows from it.
        let is_there = self.people.contains_key(&letter.user);
        let is_wanted = if ending.is_moot {
            self.has_way(letter) && self.may_be_wanted(letter, retry_at)
        } else {
            is_there && self.is_wanted_again(letter, retry_at)
        };
        let owed = may_help && is_any_left && is_worth_it && is_wanted;
        let soon = retry_at.is_some_and(|retry| retry >= at.plus_ms(asked) && retry <= latest);
        if owed != retry_at.is_some() || (owed && !soon) {
            let left = if is_left { ", left to another" } else { "" };
            let what =
                format!("after {outcome:?}{left} a repeat is owed: {owed}, due: {retry_at:?}");
            self.find_about(Check::RepeatsAreBounded, id, at, &what);
        }
    }
}

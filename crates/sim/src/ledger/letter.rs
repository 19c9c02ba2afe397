//! Messages in the second book: to whom, by which way, how often, and whether each attempt was right.

use tocsin_domain::event::{Cause, Event, NotificationEvent, NotificationWhat};
use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::page::{Notification, Outcome, Purpose};
use tocsin_domain::time::Timestamp;

use super::{Ledger, Letter, LetterState, Subject};
use crate::check::Check;

/// Attempts of one message at most.
const ATTEMPTS_MAX: u32 = 3;
/// A repeat comes within this time.
const RETRY_MS_MAX: u64 = 5_000;

impl Ledger {
    pub(super) fn see_letter(&mut self, event: &NotificationEvent, envelope: &Event) {
        let (id, at) = (event.notification, envelope.at);
        if let NotificationWhat::Planned { message } = &event.what {
            self.plan(message, envelope);
        } else if let Some(letter) = self.letters.get(&id).cloned() {
            match &event.what {
                NotificationWhat::Planned { .. } => {}
                NotificationWhat::Advanced { due_at, .. } => {
                    if letter.state == LetterState::Over {
                        self.find_about(Check::RepeatsAreBounded, id, at, "it was over");
                    }
                    self.set_state(id, LetterState::Due(*due_at));
                }
                NotificationWhat::AttemptStarted { number } => {
                    self.start(id, &letter, *number, at);
                }
                NotificationWhat::AttemptFinished {
                    number,
                    outcome,
                    retry_at,
                    ..
                } => self.finish(id, &letter, (*number, *outcome), *retry_at, at),
                NotificationWhat::Cancelled { .. } => self.cancel(id, &letter, envelope),
            }
        } else {
            let what = format!("message {id} was never planned");
            self.find(Check::Durable, at, what);
        }
        self.settle(id);
    }

    /// Works out anew when the message is due, and whether its incident has it under way.
    fn settle(&mut self, id: NotificationId) {
        let Some(letter) = self.letters.get(&id) else {
            return;
        };
        let is_over = letter.state == LetterState::Over;
        let (purpose, due) = (letter.purpose, self.letter_due(letter));
        self.set_due(Subject::Letter(id), due);
        if let Purpose::Page(incident) = purpose {
            if let Some(case) = self.cases.get_mut(&incident) {
                if is_over {
                    case.active.remove(&id);
                } else {
                    case.active.insert(id);
                }
            }
            self.touch(incident);
        }
    }

    fn find_about(&mut self, check: Check, id: NotificationId, at: Timestamp, what: &str) {
        let letter = self.letters.get(&id);
        let what = format!("message {id}: {what}: {letter:?}");
        self.find(check, at, what);
    }

    fn set_state(&mut self, id: NotificationId, state: LetterState) {
        if let Some(letter) = self.letters.get_mut(&id) {
            letter.state = state;
        }
    }

    fn plan(&mut self, message: &Notification, envelope: &Event) {
        let (id, at) = (message.id, envelope.at);
        let due = match message.state {
            tocsin_domain::page::Delivery::Due { at } => LetterState::Due(at),
            tocsin_domain::page::Delivery::Sending { .. }
            | tocsin_domain::page::Delivery::Delivered { .. }
            | tocsin_domain::page::Delivery::Failed { .. }
            | tocsin_domain::page::Delivery::Cancelled { .. } => LetterState::Over,
        };
        let letter = Letter {
            purpose: message.purpose,
            user: message.user,
            method: message.contact_method,
            attempts: 0,
            state: due,
            unanswered: 0,
        };
        if self.letters.insert(id, letter).is_some() {
            self.find_about(Check::RepeatsAreBounded, id, at, "it was planned before");
        }
        if let Purpose::Page(incident) = message.purpose {
            self.check_plan(incident, message, envelope);
        }
    }

    /// A page follows from a level, goes to one of those whom the level chose, and is the only one by that way.
    fn check_plan(&mut self, incident: IncidentId, message: &Notification, envelope: &Event) {
        let (id, at) = (message.id, envelope.at);
        let Some(case) = self.cases.get(&incident) else {
            return self.find_about(Check::RightPerson, id, at, "there is no such incident");
        };
        let follows = envelope.cause
            == Cause::Event {
                position: case.level_event,
            };
        let is_chosen = case.chosen.contains(&message.user);
        let mut others = case.active.iter().filter_map(|one| self.letters.get(one));
        let is_second = others.any(|other| other.method == message.contact_method);
        if !follows {
            self.find_about(
                Check::RepeatsAreBounded,
                id,
                at,
                "no level was reached for it",
            );
        }
        if is_second {
            let what = "a page by the same way is under way under another key";
            self.find_about(Check::RepeatsAreBounded, id, at, what);
        }
        if !is_chosen {
            self.find_about(Check::RightPerson, id, at, "that person was not chosen");
        }
        self.check_way(id, at);
    }

    /// The way is that person's own, and proved.
    fn check_way(&mut self, id: NotificationId, at: Timestamp) {
        let Some(letter) = self.letters.get(&id) else {
            return;
        };
        let person = self.people.get(&letter.user);
        let method = person.and_then(|person| person.methods.get(&letter.method));
        let wrong = match (person, method) {
            (None, _) => Some("the person was removed"),
            (Some(_), None) => Some("the contact method was removed"),
            (Some(_), Some(method)) => {
                (!method.is_verified).then_some("the contact method is not verified")
            }
        };
        if let Some(wrong) = wrong {
            self.find_about(Check::RightPerson, id, at, wrong);
        }
    }

    fn start(&mut self, id: NotificationId, letter: &Letter, number: u32, at: Timestamp) {
        let is_due = matches!(letter.state, LetterState::Due(due) if due <= at);
        if !is_due || number != letter.attempts + 1 || number > ATTEMPTS_MAX {
            let what = format!("attempt {number} is not its turn");
            self.find_about(Check::RepeatsAreBounded, id, at, &what);
        }
        match letter.purpose {
            Purpose::Page(incident) => {
                let case = self.cases.get(&incident);
                let is_wanting = case.is_some_and(super::Case::is_wanting);
                let quiet = self.quiet_until(case.and_then(|case| case.target), at);
                if !is_wanting || quiet.is_some() {
                    let standing = case.map(|case| (case.number, case.standing, case.wait));
                    let what = format!("{standing:?} wants no page, quiet until {quiet:?}");
                    self.find_about(Check::NoAttemptAfter, id, at, &what);
                }
                self.check_way(id, at);
            }
            // Whoever was paged had proved the way; a test goes to ways that are not proved yet.
            Purpose::Resolved(_) | Purpose::Test => {
                let person = self.people.get(&letter.user);
                if !person.is_some_and(|person| person.methods.contains_key(&letter.method)) {
                    self.find_about(Check::RightPerson, id, at, "that way was removed");
                }
            }
        }
        if let Some(letter) = self.letters.get_mut(&id) {
            letter.attempts = number;
            letter.state = LetterState::Sending(at);
        }
        self.started.push((id, number));
    }

    fn finish(
        &mut self,
        id: NotificationId,
        letter: &Letter,
        (number, outcome): (u32, Outcome),
        retry_at: Option<Timestamp>,
        at: Timestamp,
    ) {
        let is_open = matches!(letter.state, LetterState::Sending(_)) && number == letter.attempts;
        if !is_open {
            let what = format!("attempt {number} has an outcome already");
            self.find_about(Check::RepeatsAreBounded, id, at, &what);
        }
        let wanted = match letter.purpose {
            Purpose::Page(incident) => {
                let case = self.cases.get(&incident);
                case.is_some_and(super::Case::is_unanswered)
            }
            Purpose::Resolved(_) | Purpose::Test => true,
        };
        let may_help = match outcome {
            Outcome::Accepted | Outcome::Refused => false,
            Outcome::Failed | Outcome::TimedOut | Outcome::Unanswered => number < ATTEMPTS_MAX,
        };
        let owed = wanted && may_help;
        let soon = retry_at.is_some_and(|retry| retry <= at.plus_ms(RETRY_MS_MAX));
        if owed != retry_at.is_some() || (owed && !soon) {
            let what = format!("after {outcome:?} a repeat is owed: {owed}, due: {retry_at:?}");
            self.find_about(Check::RepeatsAreBounded, id, at, &what);
        }
        if let Some(letter) = self.letters.get_mut(&id) {
            letter.state = retry_at.map_or(LetterState::Over, LetterState::Due);
            letter.unanswered += u32::from(outcome != Outcome::Accepted);
        }
    }

    /// What somebody still has to be reached by is not taken back, unless its person or its way is gone or all is decided
    /// anew.
    fn cancel(&mut self, id: NotificationId, letter: &Letter, envelope: &Event) {
        let at = envelope.at;
        if let (Purpose::Page(incident), Cause::Event { position }) =
            (letter.purpose, &envelope.cause)
        {
            let person = self.people.get(&letter.user);
            let has_way = person.is_some_and(|person| person.methods.contains_key(&letter.method));
            let case = self.cases.get(&incident);
            let is_walked = case.is_some_and(|case| case.wait != super::Wait::Nothing);
            let is_wanting = case.is_some_and(super::Case::is_wanting);
            if has_way && is_walked && is_wanting && *position < envelope.position {
                self.find_about(Check::NothingForgotten, id, at, "it was taken back");
            }
        }
        self.set_state(id, LetterState::Over);
    }
}

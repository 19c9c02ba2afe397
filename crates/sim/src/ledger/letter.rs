//! Messages in the second book: when each is tried, and whether each attempt was right. What is planned is looked at elsewhere, and
//! how an attempt ends too.

use tocsin_domain::event::{Cause, Event, NotificationEvent, NotificationWhat};
use tocsin_domain::id::{IncidentId, NotificationId, UserId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Purpose;
use tocsin_domain::time::Timestamp;

use super::attempt::attempts_max;
use super::{Ledger, Letter, LetterState, Standing};
use crate::check::Check;

/// What is told together is told within this time, and within this one where it wakes nobody.
const GATHER_MS_MAX: u64 = 180_000;
const GATHER_QUIET_MS_MAX: u64 = 900_000;
/// A provider that does not answer is left alone for this time.
const POSTPONED_MS_MAX: u64 = 30_000;

impl Ledger {
    pub(super) fn see_letter(&mut self, event: &NotificationEvent, envelope: &Event) {
        let (id, at) = (event.notification, envelope.at);
        let Some(letter) = self.letters.get(&id).cloned() else {
            if let NotificationWhat::Planned { message } = &event.what {
                self.plan(message, envelope);
                self.settle(id);
            } else {
                let what = format!("message {id} was never planned");
                self.find(Check::Durable, at, what);
            }
            return;
        };
        let may_wait = letter.attempts == 0 && !letter.state.is_over();
        match &event.what {
            NotificationWhat::Planned { .. } => {
                self.find_about(Check::RepeatsAreBounded, id, at, "it was planned before");
            }
            NotificationWhat::Advanced { due_at, .. } => {
                if letter.state.is_over() {
                    self.find_about(Check::RepeatsAreBounded, id, at, "it was over");
                }
                self.set_state(id, LetterState::Due(*due_at));
            }
            NotificationWhat::Gathers { due_at, .. } => {
                let is_late = *due_at > at.plus_ms(gather_ms_max(letter.purpose));
                if !may_wait || is_late || self.is_for_critical(&letter) {
                    self.find_about(Check::NothingForgotten, id, at, "it must not wait");
                }
                self.set_state(id, LetterState::Due(*due_at));
            }
            NotificationWhat::ToldTogether { by } => {
                self.check_teller(id, &letter, *by, at);
                self.set_state(id, LetterState::Together(*by));
            }
            NotificationWhat::Postponed { due_at, .. } => {
                self.given_up.insert(envelope.position);
                if !may_wait || *due_at > at.plus_ms(POSTPONED_MS_MAX) {
                    self.find_about(Check::NothingForgotten, id, at, "it must not wait");
                }
                self.set_state(id, LetterState::Due(*due_at));
            }
            NotificationWhat::AttemptStarted { number } => {
                self.start(id, &letter, *number, at);
            }
            NotificationWhat::AttemptFinished { .. } => {
                self.see_outcome(id, &event.what, envelope);
            }
            NotificationWhat::Receipt { number, fate, .. } => {
                self.see_receipt(id, (*number, *fate), envelope);
            }
            NotificationWhat::Cancelled { .. } => {
                if !self.has_way(&letter) {
                    self.given_up.insert(envelope.position);
                }
                self.cancel(id, &letter, envelope);
                self.settle_along(id, LetterState::Due(at));
            }
        }
        self.settle(id);
        if let LetterState::Together(by) = letter.state {
            self.settle_due(by);
        }
    }

    /// A message is told only by one to the same address that still waits itself.
    fn check_teller(
        &mut self,
        id: NotificationId,
        letter: &Letter,
        by: NotificationId,
        at: Timestamp,
    ) {
        let way = (letter.user, letter.method);
        let waits = |one: &Letter| one.attempts == 0 && matches!(one.state, LetterState::Due(_));
        let teller = self.letters.get(&by);
        let fits =
            teller.is_some_and(|teller| waits(teller) && (teller.user, teller.method) == way);
        if !fits || letter.attempts > 0 || self.is_for_critical(letter) {
            let what = format!("it must not be told by {by}: {teller:?}");
            self.find_about(Check::NothingForgotten, id, at, &what);
        }
    }

    /// A page for something critical, or a request for help with it, is never delayed for others.
    fn is_for_critical(&self, letter: &Letter) -> bool {
        let (Purpose::Page(incident) | Purpose::Request(incident)) = letter.purpose else {
            return false;
        };
        let case = self.cases.get(&incident);
        case.is_some_and(|case| case.worst() == Some(Severity::Critical))
    }

    /// What was told along shares the fate of what told it.
    pub(super) fn settle_along(&mut self, id: NotificationId, state: LetterState) {
        for member in self.together.remove(&id).unwrap_or_default() {
            self.set_state(member, state);
            self.settle(member);
        }
    }

    /// Works out anew when the message is due, and whether its incident has it under way.
    fn settle(&mut self, id: NotificationId) {
        let Some(letter) = self.letters.get(&id) else {
            return;
        };
        let is_over = letter.state.is_over();
        let purpose = letter.purpose;
        self.settle_due(id);
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

    pub(super) fn find_about(
        &mut self,
        check: Check,
        id: NotificationId,
        at: Timestamp,
        what: &str,
    ) {
        let letter = self.letters.get(&id);
        let what = format!("message {id}: {what}: {letter:?}");
        self.find(check, at, what);
    }

    pub(super) fn set_state(&mut self, id: NotificationId, state: LetterState) {
        let Some(letter) = self.letters.get_mut(&id) else {
            return;
        };
        let before = std::mem::replace(&mut letter.state, state);
        if let LetterState::Together(by) = before
            && let Some(along) = self.together.get_mut(&by)
        {
            along.remove(&id);
        }
        if let LetterState::Together(by) = state {
            self.together.entry(by).or_default().insert(id);
        }
    }

    fn start(&mut self, id: NotificationId, letter: &Letter, number: u32, at: Timestamp) {
        let is_due = matches!(letter.state, LetterState::Due(due) if due <= at);
        let is_beyond = number > attempts_max(letter.untried) + letter.moot && !letter.is_news();
        if !is_due || number != letter.attempts + 1 || is_beyond {
            let what = format!("attempt {number} is not its turn");
            self.find_about(Check::RepeatsAreBounded, id, at, &what);
        }
        match letter.purpose {
            Purpose::Page(incident) => {
                let along = self.together.get(&id).into_iter().flatten();
                let along = along.filter_map(|one| self.letters.get(one));
                let mut wanted = along.filter(|letter| self.is_wanted(letter));
                let tells_others = wanted.next().is_some();
                let is_wanted = self.is_wanted(letter) || tells_others;
                let is_taken_away = !self.is_chosen(incident, letter.user) && !tells_others;
                if is_taken_away {
                    let what =
                        "its incident was given to others, and that person was not chosen since";
                    self.find_about(Check::RightPerson, id, at, what);
                }
                let case = self.cases.get(&incident);
                let wanting = case.filter(|case| case.is_wanting());
                let waits = wanting.is_some_and(super::Case::is_held);
                let quiet = wanting.and_then(|case| self.case_covered_until(case, at, false));
                if !is_wanted || quiet.is_some() {
                    let standing = case.map(|case| (case.number, case.standing, case.wait));
                    let what = format!("{standing:?} wants no page, quiet until {quiet:?}");
                    self.find_about(Check::NoAttemptAfter, id, at, &what);
                }
                if waits {
                    let what = "its incident waits whether it is over by then";
                    self.find_about(Check::NothingEarly, id, at, what);
                }
                self.check_way(id, at);
            }
            // Whoever was paged had proved the way; a test goes to ways that are not proved yet.
            Purpose::Notice(_)
            | Purpose::Request(_)
            | Purpose::Resolved(_)
            | Purpose::Acknowledged(_)
            | Purpose::Test
            | Purpose::Word(_) => {
                let person = self.people.get(&letter.user);
                if !person.is_some_and(|person| person.methods.contains_key(&letter.method)) {
                    self.find_about(Check::RightPerson, id, at, "that way was removed");
                }
            }
        }
        self.set_state(id, LetterState::Sending(at));
        if let Some(letter) = self.letters.get_mut(&id) {
            letter.attempts = number;
            letter.receipt = None;
        }
        self.started.push((id, number));
    }

    /// A message is given to an account: to the first one as its attempt begins, to a further one once that has not taken it. None is
    /// tried for whom it was taken from meanwhile.
    pub(crate) fn check_account(&mut self, id: NotificationId, at: Timestamp) {
        let along = self.together.get(&id).into_iter().flatten();
        let all = along.chain([&id]).filter_map(|one| self.letters.get(one));
        let all: Vec<&Letter> = all.collect();
        let is_page = all.iter().any(|one| one.purpose.page().is_some());
        let is_wanted = all.iter().any(|one| self.is_wanted(one));
        if is_page && !is_wanted {
            let what = "an account is tried for it, and nobody wants it any more";
            self.find_about(Check::NoAttemptAfter, id, at, what);
        }
    }

    /// Whether it has to be sent by itself.
    fn is_wanted(&self, letter: &Letter) -> bool {
        match letter.purpose {
            Purpose::Page(incident) => {
                let case = self.cases.get(&incident);
                let wanting = case.filter(|case| case.is_wanting());
                let is_left = |case: &super::Case| !case.spared.contains(&letter.user);
                wanting.is_some_and(is_left) && self.is_chosen(incident, letter.user)
            }
            Purpose::Notice(_)
            | Purpose::Request(_)
            | Purpose::Resolved(_)
            | Purpose::Acknowledged(_)
            | Purpose::Test
            | Purpose::Word(_) => true,
        }
    }

    /// Whether somebody was chosen for an incident, or given it, since it was given away last.
    pub(super) fn is_chosen(&self, incident: IncidentId, user: UserId) -> bool {
        let case = self.cases.get(&incident);
        case.is_some_and(|case| case.chosen.contains(&user))
    }

    /// Whether it was planned before its incident was given away last.
    fn is_of_before(&self, letter: &Letter, incident: IncidentId) -> bool {
        let case = self.cases.get(&incident);
        case.is_some_and(|case| letter.position < case.given_event)
    }

    /// Whether what was not taken is still to be told.
    pub(super) fn is_wanted_again(&self, letter: &Letter, retry_at: Option<Timestamp>) -> bool {
        match letter.purpose {
            Purpose::Page(incident) => {
                let case = self.cases.get(&incident);
                // What waits is paged for when its wait is over.
                let asks = |case: &super::Case| case.is_unanswered() && !case.is_held();
                // What was under way when it was given away may go on or not, where its person has it again.
                let goes_on = !self.is_of_before(letter, incident) || retry_at.is_some();
                case.is_some_and(|case| asks(case) && !case.spared.contains(&letter.user))
                    && goes_on
            }
            // Only as long as they have not answered.
            Purpose::Request(_) => retry_at.is_some(),
            // What is told to another system must be so.
            Purpose::Acknowledged(incident) => self.stands(incident, Standing::Taken),
            Purpose::Resolved(incident) if letter.is_news() => {
                self.stands(incident, Standing::Over)
            }
            Purpose::Notice(_) | Purpose::Resolved(_) | Purpose::Test | Purpose::Word(_) => true,
        }
    }

    /// The same of what nobody wanted when it was to be sent: it may be wanted since.
    pub(super) fn may_be_wanted(&self, letter: &Letter, retry_at: Option<Timestamp>) -> bool {
        match letter.purpose {
            // Only as long as nobody has what it is about, and that wakes nobody.
            Purpose::Notice(_) => retry_at.is_some(),
            Purpose::Page(_)
            | Purpose::Request(_)
            | Purpose::Acknowledged(_)
            | Purpose::Resolved(_)
            | Purpose::Test
            | Purpose::Word(_) => self.is_wanted_again(letter, retry_at),
        }
    }

    /// Whether an incident, or the one in which it goes on, stands so.
    pub(super) fn stands(&self, incident: IncidentId, standing: Standing) -> bool {
        let mut case = self.cases.get(&incident);
        while let Some(into) = case.and_then(|case| case.merged_into) {
            case = self.cases.get(&into);
        }
        case.is_some_and(|case| case.standing == standing)
    }

    pub(super) fn has_way(&self, letter: &Letter) -> bool {
        let person = self.people.get(&letter.user);
        person.is_some_and(|person| person.methods.contains_key(&letter.method))
    }

    /// What somebody still has to be reached by is not taken back, unless its person or its way is gone or all is decided
    /// anew.
    fn cancel(&mut self, id: NotificationId, letter: &Letter, envelope: &Event) {
        let at = envelope.at;
        if let (Purpose::Page(incident), Cause::Event { .. }) = (letter.purpose, &envelope.cause) {
            let has_way = self.has_way(letter);
            let case = self.cases.get(&incident);
            let is_walked =
                case.is_some_and(|case| case.wait != super::Wait::Nothing && !case.is_held());
            let is_wanting = self.is_wanted(letter) && !self.is_of_before(letter, incident);
            if has_way && is_walked && is_wanting {
                self.find_about(Check::NothingForgotten, id, at, "it was taken back");
            }
        }
        if matches!(letter.state, LetterState::Sending(_)) {
            let what = "it was taken back while it was on its way";
            self.find_about(Check::RepeatsAreBounded, id, at, what);
        }
        self.set_state(id, LetterState::Over);
    }
}

impl Letter {
    /// Whether it tells another system that keeps the incident too what became of it.
    pub(super) const fn is_news(&self) -> bool {
        match self.purpose {
            Purpose::Acknowledged(_) => true,
            Purpose::Resolved(_) => self.channel.mirrors_incidents(),
            Purpose::Page(_)
            | Purpose::Notice(_)
            | Purpose::Request(_)
            | Purpose::Test
            | Purpose::Word(_) => false,
        }
    }
}

const fn gather_ms_max(purpose: Purpose) -> u64 {
    match purpose {
        Purpose::Notice(_) => GATHER_QUIET_MS_MAX,
        Purpose::Page(_)
        | Purpose::Request(_)
        | Purpose::Resolved(_)
        | Purpose::Acknowledged(_)
        | Purpose::Test
        | Purpose::Word(_) => GATHER_MS_MAX,
    }
}

//! What is owed when, and whether it was done in time.

use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Purpose;
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::{Case, Ledger, Letter, LetterState, Standing, Subject, Wait};
use crate::check::Check;

/// How long all must be well before an incident is over.
const HEALTHY_MS: u64 = 15_000;
/// How long a provider may owe word of what it took.
pub(super) const RECEIPT_MS: u64 = 60_000;
/// How long an attempt may be without an answer.
const DEADLINE_MS: u64 = 20_000;
/// Steps in a row that may each leave something to the next one.
const FULL_STEPS_MAX: u32 = 1_000;

impl Ledger {
    /// The next instant at which something is owed.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Notes that something changed which may bear on everything that is open.
    pub(super) fn touch_open(&mut self) {
        self.touched.extend(self.open.iter().copied());
    }

    /// Notes that something about the incident changed.
    pub(super) fn touch(&mut self, incident: IncidentId) {
        self.touched.insert(incident);
    }

    pub(super) fn set_due(&mut self, subject: Subject, at: Option<Timestamp>) {
        if let Some(before) = self.due_of.remove(&subject) {
            self.due.remove(&(before, subject));
        }
        if let Some(at) = at {
            self.due_of.insert(subject, at);
            self.due.insert((at, subject));
        }
    }

    /// Works out anew what is owed for the incidents that changed.
    fn reckon(&mut self) -> Vec<IncidentId> {
        let touched: Vec<IncidentId> = std::mem::take(&mut self.touched).into_iter().collect();
        for incident in &touched {
            let Some(case) = self.cases.get(incident) else {
                continue;
            };
            let (due, active) = (case.due(), case.active.clone());
            self.set_due(Subject::Case(*incident), due);
            for id in active {
                self.settle_due(id);
                // Whether a message rests depends on what it tells along.
                let letter = self.letters.get(&id).map(|letter| letter.state);
                if let Some(LetterState::Together(by)) = letter {
                    self.settle_due(by);
                }
            }
            let Some(case) = self.cases.get_mut(incident) else {
                continue;
            };
            if !case.is_urgent && case.is_wanting() {
                case.is_urgent = true;
                self.urgent += 1;
            }
        }
        touched
    }

    pub(super) fn settle_due(&mut self, id: NotificationId) {
        let due = self
            .letters
            .get(&id)
            .and_then(|letter| self.letter_due(id, letter));
        self.set_due(Subject::Letter(id), due);
    }

    fn letter_due(&self, id: NotificationId, letter: &Letter) -> Option<Timestamp> {
        let tells_along = self
            .together
            .get(&id)
            .is_some_and(|along| !along.is_empty());
        match letter.state {
            LetterState::Due(at) => (tells_along || !self.rests(letter)).then_some(at),
            LetterState::Sending(since) => Some(since.plus_ms(DEADLINE_MS)),
            LetterState::Owed(since) => Some(since.plus_ms(RECEIPT_MS)),
            LetterState::Together(_) | LetterState::Over => None,
        }
    }

    /// A page for what does not fail at this moment waits until it does, or until the incident is over.
    fn rests(&self, letter: &Letter) -> bool {
        match letter.purpose {
            Purpose::Page(incident) => self
                .cases
                .get(&incident)
                .is_some_and(|case| case.is_unanswered() && !case.burns()),
            Purpose::Notice(_)
            | Purpose::Request(_)
            | Purpose::Resolved(_)
            | Purpose::Acknowledged(_)
            | Purpose::Test
            | Purpose::Word(_) => false,
        }
    }

    /// After the events of a step were read. `is_calm`: the step could commit, so that nothing may be left undone, unless it has
    /// done as much as a step has to.
    pub(crate) fn end_step(&mut self, now: Timestamp, is_calm: bool) {
        self.look_ahead(now);
        self.forget_notes();
        self.check_pages(now);
        let touched = self.reckon();
        let made = self.position - self.stepped_to;
        self.stepped_to = self.position;
        let is_full = is_calm && made >= self.step_events;
        self.full_steps = if is_full { self.full_steps + 1 } else { 0 };
        if self.full_steps > FULL_STEPS_MAX {
            let what = format!("{FULL_STEPS_MAX} steps in a row have not done all that was due");
            self.find(Check::NothingForgotten, now, what);
        }
        if !is_calm || is_full {
            // What is not looked at now is looked at after the next step.
            self.touched.extend(touched);
            return;
        }
        for incident in touched {
            self.check_standing(incident, now);
        }
        self.check_orphans(now);
        self.check_untold(now);
        self.check_hours(now);
        self.check_pulses(now);
        let Some((at, subject)) = self.due.first().copied().filter(|(at, _)| *at <= now) else {
            return;
        };
        let what = match subject {
            Subject::Case(incident) => {
                let case = self.cases.get(&incident);
                let number = case.map_or(0, |case| case.number);
                let wait = case.map(|case| case.wait);
                format!("incident {number} was due at {at} ({wait:?}), and nothing was done")
            }
            Subject::Alert(id) => format!("the alert {id} held until {at}, and is not over"),
            Subject::Letter(id) => {
                let letter = self.letters.get(&id);
                format!("message {id} was due at {at}, and nothing was done: {letter:?}")
            }
            Subject::Pulse(id) => {
                let pulse = self.pulses.get(&id);
                format!("a call was missed at {at}, and that is no alert: {pulse:?}")
            }
        };
        self.find(Check::NothingForgotten, now, what);
    }

    fn check_standing(&mut self, incident: IncidentId, now: Timestamp) {
        let Some(case) = self.cases.get(&incident) else {
            return;
        };
        let number = case.number;
        let worst = case.worst();
        let hidden = match case.standing {
            Standing::Over => (!case.firing.is_empty()).then_some("it is resolved"),
            Standing::Triggered | Standing::Taken => worst
                .filter(|worst| *worst > case.severity && !case.is_quieted)
                .map(|_| "the incident is about something lesser"),
        };
        let is_stuck = case.standing != Standing::Over
            && case.firing.is_empty()
            && case.healthy_since.is_none();
        let unpaged = case.is_wanting() && case.wait == Wait::Nothing;
        let overslept = self.overslept(case, now);
        let unasked = case.unasked.clone();
        let is_late = self.is_told_along(case);
        if let Some(why) = hidden {
            let what = format!("something fails in incident {number}, but {why}");
            self.find(Check::NothingHidden, now, what);
        }
        if is_late {
            let what = format!("incident {number} is critical, and waits to be told with others");
            self.find(Check::NothingForgotten, now, what);
        }
        self.change(incident, |case| case.is_hurried = false);
        if !unasked.is_empty() {
            let what = format!(
                "incident {number} took over who was asked to help, and {unasked:?} were not asked"
            );
            self.find(Check::NothingForgotten, now, what);
        }
        if is_stuck {
            let what = format!("nothing fails in incident {number}, but it is not about to end");
            self.find(Check::NothingForgotten, now, what);
        }
        if unpaged {
            let what = format!("incident {number} is urgent, and nobody was chosen");
            self.find(Check::NothingForgotten, now, what);
        }
        if let Some(why) = overslept {
            let what = format!("incident {number}: {why}");
            self.find(Check::NothingForgotten, now, what);
        }
    }

    /// Whether a page for what became critical by a merge is to be told along by another.
    fn is_told_along(&self, case: &Case) -> bool {
        let is_critical = case.is_wanting() && case.worst() == Some(Severity::Critical);
        let pages = case.active.iter().filter_map(|id| self.letters.get(id));
        let mut waiting = pages.filter(|page| matches!(page.state, LetterState::Together(_)));
        case.is_hurried && is_critical && !case.is_held() && waiting.next().is_some()
    }

    /// Checks that the engine means to wake up for what is owed.
    pub(crate) fn check_alarm(&mut self, alarm: Option<Timestamp>, now: Timestamp) {
        self.check_hours_alarm(alarm, now);
        let Some(owed) = self.next_due() else {
            return;
        };
        if alarm.is_none_or(|alarm| alarm > owed) {
            let what =
                format!("something is owed at {owed}, but the engine sleeps until {alarm:?}");
            self.find(Check::NothingForgotten, now, what);
        }
    }

    /// What is left once all is well, in words; empty when nothing is.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        let open = self.open.iter().filter_map(|id| self.cases.get(id));
        let open = open.map(|case| format!("incident {} is open: {case:?}", case.number));
        let due = self
            .due
            .iter()
            .map(|(at, subject)| format!("{subject:?} is due at {at}"));
        open.chain(due).collect()
    }
}

impl Case {
    fn due(&self) -> Option<Timestamp> {
        if self.standing == Standing::Over {
            return None;
        }
        if let Some(since) = self.healthy_since {
            return Some(since.plus_ms(HEALTHY_MS));
        }
        if self.snoozed_until.is_some() {
            return self.snoozed_until;
        }
        if self.standing == Standing::Taken {
            // Whoever has it has it for so long, and what fails by then is told anew, also where it wakes nobody.
            let fails = if self.urgency == Urgency::Low {
                !self.firing.is_empty()
            } else {
                self.burns()
            };
            return self.taken_until.filter(|_| fails);
        }
        if self.urgency == Urgency::Low
            && let Wait::Quiet(until) = self.wait
        {
            // What wakes nobody is told of then.
            return (!self.firing.is_empty()).then_some(until);
        }
        if !self.burns() || self.is_quieted {
            return None;
        }
        match self.wait {
            // It is looked at by itself.
            Wait::Nothing => None,
            Wait::Hold(until) | Wait::Quiet(until) => Some(until),
            Wait::Level { next_at, .. } => Some(next_at),
        }
    }
}

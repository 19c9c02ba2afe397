//! The clock in the second book: when it is set back, whatever is owed after some time is owed that much earlier by its new time.

use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::time::Timestamp;

use super::{Case, Ledger, LetterState, Wait};

impl Ledger {
    pub(super) fn set_back(&mut self, by_ms: u64) {
        self.told_back_ms += by_ms;
        let open: Vec<IncidentId> = self.open.iter().copied().collect();
        for id in open {
            self.change(id, |case| case.set_back(by_ms));
            self.touch(id);
        }
        self.groups.set_back(by_ms);
        self.set_back_alerts(by_ms);
        self.set_back_pulses(by_ms);
        self.absent_at = self.absent_at.map(|at| at.minus_ms(by_ms));
        for case in self.cases.values_mut() {
            case.opened_at = case.opened_at.minus_ms(by_ms);
            case.ended_at = case.ended_at.map(|at| at.minus_ms(by_ms));
            case.over_since = case.over_since.map(|at| at.minus_ms(by_ms));
        }
        let letters: Vec<NotificationId> = self.letters.keys().copied().collect();
        for id in letters {
            let Some(letter) = self.letters.get_mut(&id) else {
                continue;
            };
            letter.planned_at = letter.planned_at.minus_ms(by_ms);
            match &mut letter.state {
                LetterState::Due(at) | LetterState::Sending(at) | LetterState::Owed(at) => {
                    *at = at.minus_ms(by_ms);
                }
                LetterState::Together(_) | LetterState::Over => continue,
            }
            self.settle_due(id);
        }
    }
}

impl Case {
    fn set_back(&mut self, by_ms: u64) {
        let earlier = |at: Timestamp| at.minus_ms(by_ms);
        self.reached_at = self.reached_at.map(earlier);
        self.healthy_since = self.healthy_since.map(earlier);
        self.taken_until = self.taken_until.map(earlier);
        self.snoozed_until = self.snoozed_until.map(earlier);
        match &mut self.wait {
            Wait::Hold(at) | Wait::Level { next_at: at, .. } => *at = earlier(*at),
            // A target is quiet until a time of the day.
            Wait::Quiet(at) if self.is_flapping => *at = earlier(*at),
            Wait::Quiet(_) | Wait::Nothing => {}
        }
    }
}

//! Who is on call at the instant of a decision, found once for each schedule, however many incidents ask. It decides nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::id::{ScheduleId, UserId};
use crate::oncall::Schedule;
use crate::time::Timestamp;

/// At which place of the journal a schedule had been changed last, and who was on call by it then.
type Found = (Option<u64>, Option<UserId>);

/// Who has duty at one instant.
pub(super) struct OnDuty {
    now: Timestamp,
    found: RefCell<BTreeMap<ScheduleId, Found>>,
}

impl OnDuty {
    /// Nobody has asked yet.
    pub(super) const fn at(now: Timestamp) -> Self {
        Self {
            now,
            found: RefCell::new(BTreeMap::new()),
        }
    }

    /// Who is on call by a schedule that was changed last at this place of the journal.
    pub(super) fn by(&self, schedule: &Schedule, changed_at: Option<u64>) -> Option<UserId> {
        let known = self.found.borrow().get(&schedule.id).copied();
        if let Some((known_at, user)) = known
            && known_at == changed_at
        {
            return user;
        }
        let user = schedule.shift_at(self.now).map(|shift| shift.user);
        let mut found = self.found.borrow_mut();
        found.insert(schedule.id, (changed_at, user));
        user
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oncall::{Layer, Turn, TurnUnit};

    const NOW: Timestamp = Timestamp::from_millis(1_723_950_000_000);

    fn schedule_of(user: Option<UserId>) -> Schedule {
        let turn = Turn {
            every: 1,
            unit: TurnUnit::Weeks,
        };
        let layer = Layer::rotation(NOW, turn, user.into_iter().collect());
        Schedule::of_layers(
            "QAAAAAAAAAAAAA".parse().unwrap(),
            "QAAAAAAAAAAAAB".parse().unwrap(),
            "Nights".to_owned(),
            "Europe/Paris".to_owned(),
            vec![layer],
        )
    }

    #[test]
    fn a_schedule_is_looked_at_once_and_once_more_after_each_change() {
        let ada: UserId = "QAAAAAAAAAAAAC".parse().unwrap();
        let bob: UserId = "QAAAAAAAAAAAAD".parse().unwrap();
        let [adas, bobs, nobodys] = [Some(ada), Some(bob), None].map(schedule_of);
        let on_duty = OnDuty::at(NOW);
        assert_eq!(on_duty.by(&adas, Some(7)), Some(ada));
        // It is not changed as long as the place of its last change is the same.
        assert_eq!(on_duty.by(&bobs, Some(7)), Some(ada));
        assert_eq!(on_duty.by(&bobs, Some(8)), Some(bob));
        assert_eq!(on_duty.by(&nobodys, Some(9)), None);
        assert_eq!(on_duty.by(&adas, Some(9)), None, "that nobody is, too");
        assert_eq!(OnDuty::at(NOW).by(&adas, None), Some(ada));
    }
}

//! Folds what is changed of schedules by hand, and calendars; it knows no incident.

use super::State;
use crate::id::ScheduleId;
use crate::oncall_event::OncallEvent;
use crate::time::Timestamp;

impl State {
    pub(super) fn evolve_oncall(&mut self, event: &OncallEvent, at: Timestamp) {
        match event {
            OncallEvent::ScheduleChanged { schedule, change } => {
                if let Some(schedule) = self.schedules.get_mut(schedule) {
                    schedule.apply(change, at);
                }
            }
            OncallEvent::CalendarSet { calendar } => {
                self.calendars.insert(calendar.id, calendar.clone());
            }
            OncallEvent::CalendarRevoked { calendar } => {
                self.calendars.remove(calendar);
            }
        }
    }

    /// A calendar of a removed schedule shows nothing for ever: its address dies.
    pub(super) fn forget_calendars_of(&mut self, schedule: ScheduleId) {
        self.calendars
            .retain(|_, calendar| calendar.schedule != Some(schedule));
    }
}

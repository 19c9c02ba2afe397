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
            OncallEvent::DutySeen { schedule, user } => {
                self.duty.seen.insert(*schedule, *user);
            }
            OncallEvent::NoticesSwitched { user, wanted } => {
                if *wanted {
                    self.duty.unwanted.remove(user);
                } else {
                    self.duty.unwanted.insert(*user);
                }
            }
            OncallEvent::FindingAppeared { finding } => {
                let finding = finding.clone();
                self.duty.findings.insert(finding.key.clone(), finding);
            }
            OncallEvent::FindingEnded { key } => {
                self.duty.findings.remove(key);
                self.duty.told.remove(key);
            }
            OncallEvent::FindingsTold { keys } => {
                self.duty.told.extend(keys.iter().cloned());
                self.duty.told_at = Some(at);
            }
        }
    }

    /// A calendar of a removed schedule shows nothing for ever: its address dies.
    pub(super) fn forget_schedule(&mut self, schedule: ScheduleId) {
        self.duty.seen.remove(&schedule);
        self.calendars
            .retain(|_, calendar| calendar.schedule != Some(schedule));
    }
}

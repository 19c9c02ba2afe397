//! Folds what is changed of schedules by hand, and calendars; it knows no incident.

use super::State;
use crate::event::Event;
use crate::id::ScheduleId;
use crate::oncall_event::OncallEvent;

impl State {
    pub(super) fn evolve_oncall(&mut self, event: &OncallEvent, envelope: &Event) {
        let at = envelope.at;
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
                let (key, finding) = (finding.key.clone(), finding.clone());
                self.duty.appeared.insert(key.clone(), envelope.position);
                self.duty.findings.insert(key, finding);
            }
            OncallEvent::FindingsRestated { findings } => {
                for finding in findings {
                    if let Some(known) = self.duty.findings.get_mut(&finding.key) {
                        known.clone_from(finding);
                    }
                }
            }
            OncallEvent::FindingEnded { key } => {
                self.duty.findings.remove(key);
                self.duty.appeared.remove(key);
                self.duty.told.remove(key);
            }
            OncallEvent::FindingsTold { keys } => {
                self.duty.told.extend(keys.iter().cloned());
                self.duty.told_at = Some(at);
            }
            OncallEvent::ChannelsSeen { set_up } => {
                self.duty.set_up = Some(set_up.clone());
                // What was lost by a way then says nothing of it now.
                self.duty.lost_by.clear();
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

//! Somebody looks up who will have duty when the clocks change next, by each schedule that was changed just now.

use jiff::tz::TimeZone;
use tocsin_domain::id::ScheduleId;
use tocsin_domain::oncall::Schedule;
use tocsin_domain::time::Timestamp;

use super::{HOUR, MINUTE, World};
use crate::check::Check;
use crate::oncall::{next_hand_off, on_call};

/// So many changes of the clocks are looked at: one that puts them forward, and one that puts them back.
const CHANGES: usize = 2;

impl World {
    /// Compares what is told of duty with the slow calculation. Nothing is drawn for it: a world goes on as it would without.
    pub(super) fn look_up_duty(&mut self) {
        for id in std::mem::take(&mut self.ledger.redrawn) {
            if let Some(what) = self.wrong_duty(id) {
                self.wrong(Check::RightLevel, what);
            }
        }
    }

    fn wrong_duty(&self, id: ScheduleId) -> Option<String> {
        let known = self.ledger.schedules.get(&id)?;
        let told = self.shadow.schedules.get(&id)?;
        let holding = self.ledger.holding_of(id);
        let instants = around_changes(known, self.wall());
        instants.into_iter().find_map(|at| {
            let has = on_call(known, holding, at).ok()?;
            let told = told.shift_at(at).map(|shift| shift.user);
            let what = || format!("{told:?} is told to have duty at {at}, and {has:?} has");
            (told != has).then(what)
        })
    }
}

/// The moments at which clocks of a schedule change next, some in the hour after, and the end of the turn that lasts then.
fn around_changes(schedule: &Schedule, now: Timestamp) -> Vec<Timestamp> {
    let mut found = Vec::new();
    for change in changes(schedule, now) {
        let after = |us: i64| Timestamp::from_micros(change + us);
        found.extend([-1, 0, 30 * MINUTE, HOUR - 1, HOUR].map(after));
        if let Some(next) = next_hand_off(schedule, after(0)) {
            found.extend([Timestamp::from_micros(next.as_micros() - 1), next]);
        }
    }
    found
}

/// In microseconds since 1970.
fn changes(schedule: &Schedule, now: Timestamp) -> Vec<i64> {
    let layers = schedule.layers.iter();
    let zones = layers.map(|layer| layer.time_zone.as_ref().unwrap_or(&schedule.time_zone));
    let mut zones: Vec<&String> = zones.collect();
    zones.sort_unstable();
    zones.dedup();
    let mut found = Vec::new();
    for name in zones {
        let from = jiff::Timestamp::from_microsecond(now.as_micros());
        let (Ok(zone), Ok(from)) = (TimeZone::get(name), from) else {
            continue;
        };
        let next = zone.following(from).take(CHANGES);
        found.extend(next.map(|change| change.timestamp().as_microsecond()));
    }
    found
}

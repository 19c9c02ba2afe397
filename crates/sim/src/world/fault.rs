//! What befalls the machine and its surroundings, and how often.

use tocsin_domain::id::{ScheduleId, ServiceId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::page::Recipient;

use super::agenda::Happening;
use super::{DAY, HOUR, MINUTE, SECOND, World};
use crate::machine::Mishap;
use crate::oncall::{clocks_change, next_hand_off};
use crate::providers::CHANNELS;
use crate::tally::Fault;

/// Kinds of faults that come by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Crash,
    CommitMishap(Mishap),
    DiskFull,
    TakeOver,
    Outage,
    AccountOutage,
    ClockForward,
    ClockBack,
    Suspend,
    Storm,
}

/// Each kind, and how often it comes on average.
const KINDS: [(Kind, i64); 17] = [
    (Kind::Crash, 32 * HOUR),
    (Kind::CommitMishap(Mishap::CrashBefore), 50 * HOUR),
    (Kind::CommitMishap(Mishap::CrashAfter), 50 * HOUR),
    (Kind::CommitMishap(Mishap::CrashWithin(0)), 75 * HOUR),
    (Kind::CommitMishap(Mishap::CrashWithin(1)), 75 * HOUR),
    (Kind::CommitMishap(Mishap::Refused), 3 * DAY),
    (Kind::CommitMishap(Mishap::UnclearKept), 3 * DAY),
    (Kind::CommitMishap(Mishap::UnclearLost), 3 * DAY),
    (Kind::CommitMishap(Mishap::KeptThenGone), 3 * DAY),
    (Kind::DiskFull, 4 * DAY),
    (Kind::TakeOver, 4 * DAY),
    (Kind::Outage, 4 * DAY),
    (Kind::AccountOutage, 4 * DAY),
    (Kind::ClockForward, 5 * DAY),
    (Kind::ClockBack, 5 * DAY),
    (Kind::Suspend, 6 * DAY),
    (Kind::Storm, 6 * DAY),
];

impl World {
    pub(super) fn plan_faults(&mut self) {
        for (kind, mean) in KINDS {
            // Some worlds see more of one kind than others, and each may see it early.
            let first = self.random.between(0, mean);
            self.after(first, Happening::Befalls(kind));
        }
        self.some_time_after(6 * HOUR, Happening::PlansHandOff);
    }

    pub(super) fn befalls(&mut self, kind: Kind) {
        if !self.is_rough {
            return;
        }
        self.say(|| format!("{kind:?}"));
        match kind {
            Kind::Crash => {
                if self.engine.is_some() {
                    self.tally.note(Fault::CrashIdle);
                    self.fall(Vec::new());
                }
            }
            Kind::CommitMishap(mishap) => self.machine.disk().mishaps.push_back(mishap),
            Kind::DiskFull => {
                self.tally.note(Fault::DiskFull);
                self.machine.disk().is_full = true;
                let lasts = self.random.between(SECOND, 7 * MINUTE);
                self.after(lasts, Happening::DiskHeals);
            }
            Kind::TakeOver => {
                if self.engine.is_some() && self.now_us >= self.suspended_until_us {
                    self.tally.note(Fault::TakenOver);
                    self.take_over();
                }
            }
            Kind::Outage => self.break_channels(),
            Kind::AccountOutage => self.break_account(),
            Kind::ClockForward => self.set_clock(HOUR, Fault::ClockForward),
            Kind::ClockBack => self.set_clock(-HOUR, Fault::ClockBack),
            Kind::Suspend => {
                self.tally.note(Fault::Suspended);
                self.step_awake();
                self.suspended_until_us = self.now_us + 8 * HOUR;
            }
            Kind::Storm => self.storm(),
        }
        let planned = KINDS.iter().find(|(one, _)| *one == kind);
        self.some_time_after(
            planned.map_or(DAY, |(_, mean)| *mean),
            Happening::Befalls(kind),
        );
    }

    fn outage_ends(&mut self) -> i64 {
        self.now_us + self.random.between(5 * MINUTE, 2 * HOUR)
    }

    /// One channel is out with all its accounts, or every channel is.
    fn break_channels(&mut self) {
        self.tally.note(Fault::ChannelOutage);
        let until = self.outage_ends();
        let all = self.random.chance(200);
        let one = self.random.one_of(CHANNELS);
        for channel in CHANNELS
            .into_iter()
            .filter(|channel| all || *channel == one)
        {
            self.providers.break_channel(channel, until);
        }
    }

    /// One account is out, and another of its channel is not.
    fn break_account(&mut self) {
        let until = self.outage_ends();
        if let Some((channels, place)) = self.sender.some_account() {
            self.tally.note(Fault::AccountOutage);
            for channel in channels {
                self.providers.break_account((channel, place), until);
            }
        }
    }

    /// The clock of the machine jumps; it is set right again by a jump the other way, some day.
    fn set_clock(&mut self, jump: i64, fault: Fault) {
        if (self.offset_us + jump).abs() > 3 * HOUR {
            return;
        }
        self.tally.note(fault);
        self.step_awake();
        self.offset_us += jump;
        self.restless_until_us = self.restless_until_us.max(self.now_us + 3 * SECOND);
    }

    /// An engine that runs has looked at its clock within the last second.
    fn step_awake(&mut self) {
        if self.engine.is_some() && self.now_us >= self.suspended_until_us {
            self.step();
        }
    }

    pub(super) fn disk_heals(&mut self) {
        let mut disk = self.machine.disk();
        disk.is_full = false;
        disk.is_gone = false;
        drop(disk);
        self.failed_us = self.failed_us.max(self.now_us);
        self.restless_until_us = self.now_us + 10 * SECOND;
    }

    /// Hundreds of alerts within seconds.
    fn storm(&mut self) {
        self.tally.note(Fault::Storm);
        let services: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        let size = self.random.between(100, 150);
        let number = self.sources.len();
        let is_covered = self.random.chance(900);
        let covered = self.random.pick(&services).copied();
        let covered = covered.filter(|_| is_covered);
        let (when, mut cover) = (self.random.between(0, size), covered);
        for one in 0..size {
            if one == when
                && let Some(service) = cover.take()
            {
                self.cover_storm(service);
            }
            let service = self.random.pick(&services).copied();
            let severity = self.random.one_of([
                Severity::Warning,
                Severity::Info,
                Severity::Error,
                Severity::Critical,
            ]);
            let fields = self.some_fields();
            self.fail_once(service, format!("storm-{number}-{one}-9"), severity, fields);
            let source = self.sources.len() - 1;
            let lasts = self.random.between(MINUTE, 30 * MINUTE);
            self.after(lasts, Happening::Recovers(source));
        }
    }

    /// Looks up when the next shift begins, and lets a service that depends on it fail exactly then, or about then; where the
    /// clocks change before, every such service does.
    pub(super) fn plan_hand_off(&mut self) {
        if !self.is_rough {
            return;
        }
        let used = self.schedules_in_use();
        let now = self.wall();
        let chosen = self.random.index(used.len());
        for (index, (schedule, service)) in used.into_iter().enumerate() {
            let Some(schedule) = self.ledger.schedules.get(&schedule) else {
                continue;
            };
            let Some(next) = next_hand_off(schedule, now) else {
                continue;
            };
            let is_change = clocks_change(schedule, now, next);
            if index != chosen && !is_change {
                continue;
            }
            let about = match self.random.below(6) {
                0..3 if !is_change => 0,
                3 => -1,
                0 | 4 => self.random.between(-HOUR, 0),
                _ => self.random.between(0, HOUR),
            };
            let at_us = next.as_micros() + about - self.offset_us;
            if at_us > self.now_us && at_us < self.now_us + 36 * HOUR {
                self.agenda.add(at_us, Happening::HandOff(service));
            }
        }
        self.some_time_after(5 * HOUR, Happening::PlansHandOff);
    }

    /// Services whose first level pages by a schedule.
    fn schedules_in_use(&self) -> Vec<(ScheduleId, ServiceId)> {
        let mut used = Vec::new();
        for (service, known) in &self.ledger.services {
            let policy = known.policy.or(self.ledger.default_policy);
            let policy = policy.and_then(|id| self.ledger.policies.get(&id));
            let first = policy.and_then(|policy| policy.levels.first());
            for target in first.into_iter().flat_map(|level| &level.targets) {
                if let Recipient::Schedule(schedule) = target {
                    used.push((*schedule, *service));
                }
            }
        }
        used
    }

    pub(super) fn hand_off(&mut self, service: ServiceId) {
        if !self.is_rough {
            return;
        }
        self.tally.note(Fault::AlertAtHandOff);
        let key = format!("hand-off-{}-9", self.sources.len());
        self.fail_once(Some(service), key, Severity::Critical, Vec::new());
        let source = self.sources.len() - 1;
        self.some_time_after(10 * MINUTE, Happening::Recovers(source));
    }

    /// Somebody else has their turn, while whoever had theirs before may be paged again.
    pub(super) fn fails_beside(&mut self, service: ServiceId) {
        if !self.is_rough || !self.ledger.services.contains_key(&service) {
            return;
        }
        let key = format!("beside-{}-9", self.sources.len());
        self.fail_once(Some(service), key, Severity::Critical, Vec::new());
        let source = self.sources.len() - 1;
        self.some_time_after(10 * MINUTE, Happening::Recovers(source));
    }
}

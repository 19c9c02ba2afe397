//! Support hours in the second book: how urgent an alert is by them, and that what waits for them to begin asks from then on. They
//! are calculated slowly and obviously, by no code of the core.

use std::collections::BTreeMap;

use tocsin_domain::id::{AlertId, ServiceId};
use tocsin_domain::intake::{Loudness, SupportHours, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::{Alert, Case, Ledger, Standing};
use crate::check::Check;
use crate::oncall::{Unknown, is_within};

/// How often it is looked at, by the clock.
const LOOK_EVERY_MS: u64 = 60_000;
/// The hours of these worlds begin at whole and half hours.
const HALF_HOUR_MS: u64 = 1_800_000;
/// So far ahead it is looked for when they begin.
const AHEAD: u64 = 96;

/// Whether an alert pages at that hour.
pub(super) fn is_loud(
    support: &SupportHours,
    severity: Severity,
    at: Timestamp,
) -> Result<bool, Unknown> {
    let hours = &support.hours;
    Ok(if is_within(&hours.time_zone, &hours.windows, at)? {
        pages(support.during, severity)
    } else {
        pages(support.outside, severity)
    })
}

fn pages(loudness: Loudness, severity: Severity) -> bool {
    match loudness {
        Loudness::High => true,
        Loudness::Low => false,
        Loudness::Severity => severity >= Severity::Error,
    }
}

fn begins(support: &SupportHours, after: Timestamp, by: Timestamp) -> bool {
    let is_in = |at| is_within(&support.hours.time_zone, &support.hours.windows, at);
    is_in(after) == Ok(false) && is_in(by) == Ok(true)
}

impl Ledger {
    /// The services whose hours make what is open louder when they begin.
    fn raising(&self) -> BTreeMap<ServiceId, &SupportHours> {
        let services = self.services.iter();
        let raising = services.filter_map(|(id, service)| match &service.intake.urgency {
            UrgencyBy::SupportHours(support) if support.raise => Some((*id, support.as_ref())),
            UrgencyBy::SupportHours(_) | UrgencyBy::Severity | UrgencyBy::High | UrgencyBy::Low => {
                None
            }
        });
        raising.collect()
    }

    /// What fails in open incidents, pages nobody, and does in the hours of its service, with those.
    fn waiting_for_hours(&self) -> Vec<(AlertId, &Alert, &SupportHours)> {
        let raising = self.raising();
        if raising.is_empty() {
            return Vec::new();
        }
        let open = self.open.iter().filter_map(|id| self.cases.get(id));
        let open = open.filter(|case| waits(case));
        let firing = open.flat_map(|case| case.firing.keys());
        let firing = firing.filter_map(|id| Some((*id, self.alerts.get(id)?)));
        let quiet = firing.filter(|(_, known)| {
            known.urgency == Urgency::Low && known.told.suppressed().is_none()
        });
        let of_hours = quiet.filter_map(|(id, known)| {
            let support = *raising.get(&known.told.service)?;
            pages(support.during, known.severity).then_some((id, known, support))
        });
        of_hours.collect()
    }

    /// What failed before the hours of its service began asks from then on.
    pub(super) fn check_hours(&mut self, now: Timestamp) {
        let looked_at = self.hours_looked_at;
        if looked_at.is_some_and(|at| at <= now && now.ms_since(at) < LOOK_EVERY_MS) {
            return;
        }
        self.hours_looked_at = Some(now);
        let waiting = self.waiting_for_hours();
        let mut late = waiting.iter();
        let late = late.find(|(_, known, support)| begins(support, known.taken_at, now));
        if let Some((id, known, _)) = late {
            let what = format!(
                "alert {id} ({}) came before the support hours of its service, and pages nobody in them",
                known.told.title
            );
            self.find(Check::NothingForgotten, now, what);
        }
    }

    /// The engine wakes up when the hours begin for which something waits.
    pub(super) fn check_hours_alarm(&mut self, alarm: Option<Timestamp>, now: Timestamp) {
        if self.hours_looked_at != Some(now) {
            return;
        }
        let first = now.as_millis().cast_unsigned().div_euclid(HALF_HOUR_MS) + 1;
        let ahead = (first..first + AHEAD).map(|count| {
            let at_ms = (count * HALF_HOUR_MS).cast_signed();
            Timestamp::from_millis(at_ms)
        });
        let ahead = ahead.take_while(|at| alarm.is_none_or(|alarm| *at < alarm));
        let ahead: Vec<Timestamp> = ahead.collect();
        let waiting = self.waiting_for_hours();
        let slept_through = waiting.iter().find_map(|(id, _, support)| {
            let mut ahead = ahead.iter();
            let begun = ahead.find(|at| begins(support, now, **at))?;
            Some((*id, *begun))
        });
        if let Some((id, begun)) = slept_through {
            let what = format!(
                "the support hours for which alert {id} waits have begun by {begun}, but the engine sleeps until {alarm:?}"
            );
            self.find(Check::NothingForgotten, now, what);
        }
    }
}

/// Whether nobody has an incident, and nobody said that it is not urgent.
fn waits(case: &Case) -> bool {
    case.standing == Standing::Triggered && !case.is_quieted && case.healthy_since.is_none()
}

//! Support hours of services, such as begin soon, and what fails a while before they do.

use jiff::tz::TimeZone;
use tocsin_domain::id::ServiceId;
use tocsin_domain::intake::{Loudness, SupportHours, UrgencyBy};
use tocsin_domain::monitor::Severity;
use tocsin_domain::oncall::{Hours, Restriction, TimeOfDay};

use super::agenda::Happening;
use super::stage::ZONES;
use super::{MINUTE, World};

const HALF_HOUR: i64 = 30 * MINUTE;

impl World {
    /// Hours of every day that begin within two hours, by the clocks of some zone.
    pub(super) fn some_support(&mut self, service: ServiceId) -> Option<UrgencyBy> {
        let now_us = self.wall().as_micros();
        let ahead = self.random.between(1, 5);
        let begins_us = (now_us.div_euclid(HALF_HOUR) + ahead) * HALF_HOUR;
        let time_zone = self.random.one_of(ZONES);
        let zone = TimeZone::get(time_zone).ok()?;
        let begins = jiff::Timestamp::from_microsecond(begins_us).ok()?;
        let shown = zone.to_datetime(begins);
        let hour = u32::try_from(shown.hour()).ok()?;
        let minute = u32::try_from(shown.minute()).ok()?;
        let lasts = self.random.one_of([1, 4, 9]);
        let window = Restriction::Daily {
            from: TimeOfDay::at(hour, minute)?,
            until: TimeOfDay::at((hour + lasts) % 24, minute)?,
        };
        let before = self.random.between(0, 20 * MINUTE);
        self.after(
            begins_us - before - now_us,
            Happening::FailsBeforeHours(service),
        );
        Some(UrgencyBy::SupportHours(Box::new(SupportHours {
            hours: Hours {
                time_zone: time_zone.to_owned(),
                windows: vec![window],
            },
            during: self
                .random
                .one_of([Loudness::High, Loudness::Severity, Loudness::Severity]),
            outside: self
                .random
                .one_of([Loudness::Low, Loudness::Low, Loudness::Severity]),
            raise: self.random.chance(800),
        })))
    }

    pub(super) fn fails_before_hours(&mut self, service: ServiceId) {
        if !self.is_rough {
            return;
        }
        let severity = self.random.one_of([Severity::Critical, Severity::Error]);
        let key = format!("hours-{}-9", self.sources.len());
        self.fail_once(Some(service), key, severity, Vec::new());
        let source = self.sources.len() - 1;
        self.some_time_after(40 * MINUTE, Happening::Recovers(source));
    }
}

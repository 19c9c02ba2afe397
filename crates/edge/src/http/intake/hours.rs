//! Recurring hours as people write them: days of the week, from a time until a time.

use serde::{Deserialize, Serialize};
use tocsin_domain::oncall::{self, Restriction, TimeOfDay, WeekTime};
use utoipa::ToSchema;

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

const WEEK: [(Day, oncall::Weekday); 7] = [
    (Day::Monday, oncall::Weekday::Monday),
    (Day::Tuesday, oncall::Weekday::Tuesday),
    (Day::Wednesday, oncall::Weekday::Wednesday),
    (Day::Thursday, oncall::Weekday::Thursday),
    (Day::Friday, oncall::Weekday::Friday),
    (Day::Saturday, oncall::Weekday::Saturday),
    (Day::Sunday, oncall::Weekday::Sunday),
];

/// Hours of some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DayHours {
    /// Each of these days; every day when none is named.
    #[serde(default)]
    days: Vec<Day>,
    /// When they begin: `09:00`.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]
    from: String,
    /// When they end: on the next day unless this is later.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]
    until: String,
}

/// Recurring hours by the clocks of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoursShape {
    /// An IANA zone: `Europe/Paris`.
    time_zone: String,
    #[schema(min_items = 1, max_items = 50)]
    windows: Vec<DayHours>,
}

impl HoursShape {
    /// As the core has them; what cannot be read is told.
    pub(crate) fn read(&self, place: &str) -> Result<oncall::Hours, String> {
        let mut windows = Vec::new();
        for (index, window) in self.windows.iter().enumerate() {
            let time = |name: &str, text: &str| -> Result<TimeOfDay, String> {
                text.parse()
                    .map_err(|error| format!("{place}.windows[{index}].{name}: {error}"))
            };
            let (from, until) = (time("from", &window.from)?, time("until", &window.until)?);
            for (number, (day, weekday)) in WEEK.iter().enumerate() {
                if !window.days.is_empty() && !window.days.contains(day) {
                    continue;
                }
                let same_day = until > from;
                let last = if same_day {
                    number
                } else {
                    (number + 1) % WEEK.len()
                };
                windows.push(Restriction::Weekly {
                    from: WeekTime {
                        weekday: *weekday,
                        time: from,
                    },
                    until: WeekTime {
                        weekday: WEEK[last].1,
                        time: until,
                    },
                });
            }
        }
        Ok(oncall::Hours {
            time_zone: self.time_zone.clone(),
            windows,
        })
    }

    /// As people write them: days with the same hours stand together.
    pub(crate) fn of(hours: &oncall::Hours) -> Self {
        let mut windows: Vec<DayHours> = Vec::new();
        for window in &hours.windows {
            let (days, from, until) = match window {
                Restriction::Daily { from, until } => (Vec::new(), *from, *until),
                Restriction::Weekly { from, until } => {
                    let day = WEEK.iter().find(|(_, weekday)| *weekday == from.weekday);
                    (
                        day.map(|(day, _)| *day).into_iter().collect(),
                        from.time,
                        until.time,
                    )
                }
            };
            let (from, until) = (from.to_string(), until.to_string());
            match windows.last_mut() {
                Some(last) if last.from == from && last.until == until && !days.is_empty() => {
                    last.days.extend(days);
                }
                Some(_) | None => windows.push(DayHours { days, from, until }),
            }
        }
        Self {
            time_zone: hours.time_zone.clone(),
            windows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_shown_as_they_were_written() {
        let shape: HoursShape = serde_json::from_value(serde_json::json!({
            "time_zone": "Europe/Paris",
            "windows": [
                {"days": ["monday", "friday"], "from": "09:00", "until": "17:00"},
                {"days": ["sunday"], "from": "22:00", "until": "06:00"},
            ],
        }))
        .unwrap();
        let hours = shape.read("hours").unwrap();
        assert_eq!(hours.violations("hours"), Vec::<String>::new());
        assert_eq!(HoursShape::of(&hours), shape);
        let wrong = HoursShape {
            windows: vec![DayHours {
                days: Vec::new(),
                from: "9".to_owned(),
                until: "17:00".to_owned(),
            }],
            ..shape
        };
        assert!(
            wrong
                .read("hours")
                .unwrap_err()
                .starts_with("hours.windows[0].from")
        );
    }
}

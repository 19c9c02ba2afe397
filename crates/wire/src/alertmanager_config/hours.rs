//! Times of Alertmanager by the day of the week, as windows of a zone. Days of a month, months and years have no counterpart.

use tocsin_domain::code::{HourWindow, Hours};
use tocsin_domain::oncall::{self, Weekday};

use super::Windows;
use super::raw::{TimeInterval, TimeRange, Times};

/// Each of its times, in the zone of each.
pub(super) fn of(interval: &TimeInterval) -> Result<Vec<Hours>, String> {
    interval.time_intervals.iter().map(hours).collect()
}

fn hours(times: &Times) -> Result<Hours, String> {
    let by_date = [&times.days_of_month, &times.months, &times.years];
    if by_date.iter().any(|values| !values.is_empty()) {
        return Err("days of the month, months and years cannot be said here".to_owned());
    }
    let whole_day = [TimeRange {
        start_time: "00:00".to_owned(),
        end_time: "24:00".to_owned(),
    }];
    let ranges = if times.times.is_empty() {
        &whole_day[..]
    } else {
        &times.times
    };
    let days = days(&times.weekdays)?;
    let mut windows = Windows::new();
    for day in days {
        for range in ranges {
            windows.push(window(day, range)?);
        }
    }
    let hours = oncall::Hours {
        time_zone: times.location.clone().unwrap_or_else(|| "UTC".to_owned()),
        windows: windows.iter().map(|window| window.0).collect(),
    };
    if let Some(why) = hours.violations("times").first() {
        return Err(why.clone());
    }
    Ok(Hours {
        time_zone: hours.time_zone,
        windows,
    })
}

fn days(words: &[String]) -> Result<Vec<usize>, String> {
    if words.is_empty() {
        return Ok((0..Weekday::ALL.len()).collect());
    }
    let mut days = Vec::new();
    for word in words {
        let (from, until) = word.split_once(':').unwrap_or((word, word));
        let place = |day: &str| {
            let day = day.trim().to_lowercase();
            Weekday::ALL.iter().position(|known| known.word() == day)
        };
        let (Some(from), Some(until)) = (place(from), place(until)) else {
            return Err(format!("{word:?} is no day of the week"));
        };
        if from > until {
            return Err(format!("{word:?} ends before it begins"));
        }
        days.extend(from..=until);
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

fn window(day: usize, range: &TimeRange) -> Result<HourWindow, String> {
    let (mut last, mut end) = (day, range.end_time.as_str());
    if end == "24:00" {
        (last, end) = ((day + 1) % Weekday::ALL.len(), "00:00");
    }
    let text = serde_json::json!({
        "from": format!("{} {}", Weekday::ALL[day].word(), range.start_time),
        "until": format!("{} {end}", Weekday::ALL[last].word()),
    });
    serde_json::from_value(text).map_err(|error| error.to_string())
}

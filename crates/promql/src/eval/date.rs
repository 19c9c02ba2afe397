//! Parts of a UTC date; it knows no clock and no zone.

use crate::ast::DatePart;

const DAY_SECONDS: i64 = 86_400;

/// A part of the date at `seconds` since the epoch; what is no instant gives what its nearest instant gives.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float saturates, and parts of dates are small"
)]
pub(super) fn part(part: DatePart, seconds: f64) -> f64 {
    let seconds = seconds as i64;
    let days = seconds.div_euclid(DAY_SECONDS);
    let of_day = seconds.rem_euclid(DAY_SECONDS);
    let (year, month, day) = civil(days);
    let value = match part {
        DatePart::DaysInMonth => days_in_month(year, month),
        DatePart::DayOfMonth => day,
        DatePart::DayOfWeek => (days + 4).rem_euclid(7),
        DatePart::DayOfYear => {
            (1..month)
                .map(|month| days_in_month(year, month))
                .sum::<i64>()
                + day
        }
        DatePart::Hour => of_day / 3_600,
        DatePart::Minute => of_day / 60 % 60,
        DatePart::Month => month,
        DatePart::Year => year,
    };
    value as f64
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar. The year is counted from
/// March, so that the leap day is its last.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA_DAYS: i64 = 146_097;
    let shifted = days + 719_468;
    let era = shifted.div_euclid(ERA_DAYS);
    let day_of_era = shifted.rem_euclid(ERA_DAYS);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 31,
    }
}

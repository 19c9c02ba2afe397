//! How things look on this screen: its width, its colours, the reader's clock. It reads no clock and prints nothing; what is
//! drawn follows from what is given.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::plain::Plain;

/// How things look for whoever reads them.
#[derive(Clone, Debug)]
pub(super) struct Look {
    /// Whether words may be coloured.
    pub(super) colour: bool,
    /// Columns of the terminal; `None` where lines are never cut.
    pub(super) width: Option<usize>,
    /// The time.
    pub(super) now: Timestamp,
    /// The reader's time zone.
    pub(super) zone: TimeZone,
}

/// What a word means for whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Neither good nor bad.
    Plain,
    /// All is well.
    Good,
    /// Somebody should look.
    Warn,
    /// Something is broken.
    Bad,
    /// Beside the point.
    Faint,
}

impl Tone {
    /// What the words of the API's states mean.
    pub(super) fn of(word: &Plain) -> Self {
        match word.as_str() {
            "ok" | "healthy" | "delivered" | "accepted" | "resolved" | "recovered" | "good"
            | "yes" => Self::Good,
            "warn" | "warning" | "acknowledged" | "retrying" | "unknown" | "timed_out"
            | "unanswered" => Self::Warn,
            "fail" | "failing" | "failed" | "firing" | "triggered" | "refused" | "critical"
            | "error" | "bad" | "no" => Self::Bad,
            _ => Self::Plain,
        }
    }

    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Good => Some("32"),
            Self::Warn => Some("33"),
            Self::Bad => Some("31"),
            Self::Faint => Some("2"),
        }
    }
}

impl Look {
    /// Text in the colour of its meaning.
    pub(super) fn toned(&self, text: &str, tone: Tone) -> String {
        match tone.code() {
            Some(code) if self.colour && !text.trim().is_empty() => {
                format!("\u{1b}[{code}m{text}\u{1b}[0m")
            }
            Some(_) | None => text.to_owned(),
        }
    }

    /// The word of a state in its colour.
    pub(super) fn state(&self, word: &Plain) -> String {
        self.toned(word.as_str(), Tone::of(word))
    }

    /// `3 min ago, 2026-11-23 08:12:58 CET`: where it is cut, the distance stays.
    pub(super) fn moment(&self, at: Timestamp) -> String {
        format!("{}, {}", self.distance(at), self.clock(at))
    }

    /// The same with UTC beside it: `3 min ago, 2026-11-23 08:12:58 CET (07:12:58 UTC)`
    pub(super) fn moment_with_utc(&self, at: Timestamp) -> String {
        if self.zone.to_offset(at).is_zero() {
            return self.moment(at);
        }
        let utc = at.strftime("%H:%M:%S UTC");
        format!("{} ({utc})", self.moment(at))
    }

    /// `2026-11-23 08:12:58 CET`
    pub(super) fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S %Z")
            .to_string()
    }

    /// `2026-11-23 08:12:58.123 CET`
    pub(super) fn precise(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S%.3f %Z")
            .to_string()
    }

    /// `3 min ago`, `in 2 h 5 min`, `now`
    pub(super) fn distance(&self, at: Timestamp) -> String {
        let seconds = self.now.as_second() - at.as_second();
        match seconds {
            0 => "now".to_owned(),
            1.. => format!("{} ago", length(seconds.unsigned_abs())),
            _ => format!("in {}", length(seconds.unsigned_abs())),
        }
    }
}

/// A time span in the two units that matter.
pub(super) fn length(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |one: u64, unit: &str, rest: u64, rest_unit: &str| match rest {
        0 => format!("{one} {unit}"),
        rest => format!("{one} {unit} {rest} {rest_unit}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..600 => two(minutes, "min", seconds % 60, "s"),
        600..3_600 => format!("{minutes} min"),
        3_600..86_400 => two(hours, "h", minutes % 60, "min"),
        86_400..864_000 => two(days, "d", hours % 24, "h"),
        864_000.. => format!("{days} d"),
    }
}

/// Columns that text takes on a terminal.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// Text in at most so many columns, with an ellipsis where it was cut.
pub(super) fn fitted(text: &str, columns_max: usize) -> String {
    if columns(text) <= columns_max {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut used = 0;
    for letter in text.chars() {
        used += letter.width().unwrap_or(0);
        if used + 1 > columns_max {
            break;
        }
        fitted.push(letter);
    }
    fitted.push('…');
    fitted
}

#[cfg(test)]
impl Look {
    /// A reader in Paris at a fixed time, without colours.
    pub(super) fn of_test() -> Self {
        Self {
            colour: false,
            width: None,
            now: "2026-11-23T07:15:58Z".parse().unwrap(),
            zone: TimeZone::get("Europe/Paris").unwrap(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_by_the_readers_clock_and_by_its_distance() {
        let look = Look::of_test();
        let check =
            |at: &str, expected: &str| assert_eq!(look.moment(at.parse().unwrap()), expected);
        check(
            "2026-11-23T07:12:58.123Z",
            "3 min ago, 2026-11-23 08:12:58 CET",
        );
        check(
            "2026-07-01T00:00:00Z",
            "145 d ago, 2026-07-01 02:00:00 CEST",
        );
        check(
            "2026-11-23T09:20:58Z",
            "in 2 h 5 min, 2026-11-23 10:20:58 CET",
        );
        check("2026-11-23T07:15:58.900Z", "now, 2026-11-23 08:15:58 CET");
    }

    #[test]
    fn utc_stands_beside_another_zone_only() {
        let at = "2026-11-23T07:12:58Z".parse().unwrap();
        let look = Look::of_test();
        assert_eq!(
            look.moment_with_utc(at),
            "3 min ago, 2026-11-23 08:12:58 CET (07:12:58 UTC)"
        );
        let utc = Look {
            zone: TimeZone::UTC,
            ..look
        };
        assert_eq!(
            utc.moment_with_utc(at),
            "3 min ago, 2026-11-23 07:12:58 UTC"
        );
    }

    #[test]
    fn lengths_use_two_units_at_most() {
        for (seconds, expected) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (185, "3 min 5 s"),
            (601, "10 min"),
            (3_599, "59 min"),
            (7_500, "2 h 5 min"),
            (86_400, "1 d"),
            (90_000, "1 d 1 h"),
            (864_000, "10 d"),
        ] {
            assert_eq!(length(seconds), expected);
        }
    }

    #[test]
    fn text_is_cut_by_what_it_takes_on_the_screen() {
        assert_eq!(fitted("short", 5), "short");
        assert_eq!(fitted("too long", 5), "too …");
        assert_eq!(fitted("障害障害", 5), "障害…");
        assert_eq!(fitted("障害障害", 4), "障…");
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let look = Look::of_test();
        assert_eq!(look.state(&Plain::new("failing")), "failing");
        let coloured = Look {
            colour: true,
            ..look
        };
        assert_eq!(
            coloured.state(&Plain::new("failing")),
            "\u{1b}[31mfailing\u{1b}[0m"
        );
        assert_eq!(coloured.state(&Plain::new("whatever")), "whatever");
        assert_eq!(coloured.toned("  ", Tone::Bad), "  ");
    }
}

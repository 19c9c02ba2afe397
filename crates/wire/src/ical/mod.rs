//! Shifts as a calendar that other programs subscribe to (RFC 5545); it knows neither schedules nor a clock.

use tocsin_domain::id::ScheduleId;
use tocsin_domain::oncall::Shift;
use tocsin_domain::state::Revision;
use tocsin_domain::time::Timestamp;

/// The longest line in octets, without its end (RFC 5545, section 3.1).
const LINE_OCTETS_MAX: usize = 75;
/// How often a subscriber should look again.
const REFRESH: &str = "PT1H";
/// What stands where there is no event: a calendar has at least one component (RFC 5545, section 3.6), and a time zone is the one
/// that no program shows. All times are in UTC, so that it changes none.
const NOTHING: [&str; 9] = [
    "BEGIN:VTIMEZONE",
    "TZID:UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "TZNAME:UTC",
    "END:STANDARD",
    "END:VTIMEZONE",
];

/// A calendar of shifts: those of one schedule, or of one person in several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Its name, as the subscriber shows it.
    pub name: String,
    /// When it was made, which RFC 5545 wants in every event. The same stamp and shifts give the same bytes.
    pub stamp: Timestamp,
    /// In the order in which they are written.
    pub shifts: Vec<CalendarShift>,
}

/// A shift, and the words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarShift {
    /// The schedule it is of.
    pub schedule: ScheduleId,
    /// What the event is called, such as `Ada on call: Web`.
    pub summary: String,
    /// The whole shift: an event is known again by its beginning, so it must not be cut to a range.
    pub shift: Shift,
    /// That of the schedule: a subscriber may keep what it has of an event as long as nothing says that this one is newer.
    pub revision: Revision,
}

/// The calendar as `text/calendar`. Times are in UTC and whole seconds; a shift within one second is left out, since an event
/// must end after it begins.
#[must_use]
pub fn render(calendar: &Calendar) -> String {
    let mut text = String::new();
    let name = escaped(&calendar.name);
    for line in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Tocsin//On call//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        &format!("NAME:{name}"),
        &format!("X-WR-CALNAME:{name}"),
        &format!("REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}"),
        &format!("X-PUBLISHED-TTL:{REFRESH}"),
    ] {
        write_line(&mut text, line);
    }
    let shifts = calendar.shifts.iter();
    let mut events = shifts
        .filter_map(|shift| event(shift, calendar.stamp))
        .peekable();
    if events.peek().is_none() {
        for line in NOTHING {
            write_line(&mut text, line);
        }
    }
    for line in events.flatten() {
        write_line(&mut text, &line);
    }
    write_line(&mut text, "END:VCALENDAR");
    text
}

/// The lines of an event; `None` when it has no length or no place in a calendar.
fn event(entry: &CalendarShift, stamp: Timestamp) -> Option<Vec<String>> {
    let shift = &entry.shift;
    let (from, until) = (utc(shift.from)?, utc(shift.until)?);
    if from == until {
        return None;
    }
    Some(vec![
        "BEGIN:VEVENT".to_owned(),
        // Nobody has two shifts of one schedule that begin together.
        format!("UID:{}-{}-{from}@tocsin", entry.schedule, shift.user),
        // Nothing is made before it was changed.
        format!("DTSTAMP:{}", utc(stamp.max(entry.revision.at))?),
        format!("LAST-MODIFIED:{}", utc(entry.revision.at)?),
        format!("SEQUENCE:{}", entry.revision.number),
        format!("DTSTART:{from}"),
        format!("DTEND:{until}"),
        format!("SUMMARY:{}", escaped(&entry.summary)),
        // Whoever is on call can still be invited.
        "TRANSP:TRANSPARENT".to_owned(),
        "END:VEVENT".to_owned(),
    ])
}

/// `20240506T090000Z`, rounded down to the second.
fn utc(at: Timestamp) -> Option<String> {
    let instant = jiff::Timestamp::from_second(at.as_micros().div_euclid(1_000_000)).ok()?;
    Some(instant.strftime("%Y%m%dT%H%M%SZ").to_string())
}

/// `text` as a value of the type TEXT: what means something there is escaped, control characters are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push(' '),
            _ if letter.is_control() => {}
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Adds a line, folded between characters where it is too long: the rest follows after a space.
fn write_line(text: &mut String, line: &str) {
    let mut octets = 0;
    for letter in line.chars() {
        if octets + letter.len_utf8() > LINE_OCTETS_MAX {
            text.push_str("\r\n ");
            octets = 1;
        }
        text.push(letter);
        octets += letter.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tocsin_domain::oncall::By;

    use super::*;

    fn instant(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn shift(summary: &str, from: &str, until: &str) -> CalendarShift {
        CalendarShift {
            schedule: "QAAAAAAAAAAAAA".parse().unwrap(),
            summary: summary.to_owned(),
            shift: Shift {
                user: "QBBBBBBBBBBBBB".parse().unwrap(),
                from: instant(from),
                until: instant(until),
                by: By::Layer(0),
            },
            revision: Revision {
                number: 3,
                at: instant("2024-04-30T08:00:00Z"),
            },
        }
    }

    fn calendar(name: &str, shifts: Vec<CalendarShift>) -> Calendar {
        Calendar {
            name: name.to_owned(),
            stamp: instant("2024-05-01T12:00:00.5Z"),
            shifts,
        }
    }

    /// The lines as they were before they were folded.
    fn unfolded(text: &str) -> Vec<String> {
        let whole = text.replace("\r\n ", "");
        let lines = whole.strip_suffix("\r\n").unwrap().split("\r\n");
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn a_calendar_is_written_as_rfc_5545_wants_it() {
        let ada = shift(
            "Ada on call: Web",
            "2024-05-06T09:00:00+02:00",
            "2024-05-13T09:00:00+02:00",
        );
        let text = render(&calendar("Web", vec![ada]));
        let expected = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Tocsin//On call//EN",
            "CALSCALE:GREGORIAN",
            "METHOD:PUBLISH",
            "NAME:Web",
            "X-WR-CALNAME:Web",
            "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
            "X-PUBLISHED-TTL:PT1H",
            "BEGIN:VEVENT",
            "UID:QAAAAAAAAAAAAA-QBBBBBBBBBBBBB-20240506T070000Z@tocsin",
            "DTSTAMP:20240501T120000Z",
            "LAST-MODIFIED:20240430T080000Z",
            "SEQUENCE:3",
            "DTSTART:20240506T070000Z",
            "DTEND:20240513T070000Z",
            "SUMMARY:Ada on call: Web",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
            "END:VCALENDAR",
        ];
        assert_eq!(text, expected.join("\r\n") + "\r\n");
    }

    #[test]
    fn what_means_something_in_a_calendar_is_escaped() {
        let shifts = vec![shift(
            "a,b;c\\d\r\nEND:VEVENT\u{0}\u{85}\te",
            "2024-05-06T09:00:00Z",
            "2024-05-07T09:00:00Z",
        )];
        let text = render(&calendar("x\r\nX-BAD:1", shifts));
        let lines = unfolded(&text);
        assert!(lines.contains(&"SUMMARY:a\\,b\\;c\\\\d\\nEND:VEVENT e".to_owned()));
        assert!(lines.contains(&"NAME:x\\nX-BAD:1".to_owned()));
    }

    #[test]
    fn an_event_keeps_its_uid_when_its_end_moves() {
        let uid = |until| {
            let shifts = vec![shift("Ada", "2024-05-06T09:00:00Z", until)];
            let lines = unfolded(&render(&calendar("Web", shifts)));
            lines.into_iter().find(|line| line.starts_with("UID:"))
        };
        assert_eq!(uid("2024-05-07T09:00:00Z"), uid("2024-05-08T09:00:00Z"));
    }

    #[test]
    fn what_was_changed_since_the_calendar_was_made_was_made_then() {
        let mut late = shift("Ada", "2024-05-06T09:00:00Z", "2024-05-07T09:00:00Z");
        late.revision.at = instant("2024-05-01T18:00:00Z");
        let text = render(&calendar("Web", vec![late]));
        for line in ["DTSTAMP", "LAST-MODIFIED"] {
            assert!(text.contains(&format!("{line}:20240501T180000Z\r\n")));
        }
    }

    #[test]
    fn a_shift_without_a_second_of_its_own_is_left_out() {
        let short = shift("Ada", "2024-05-06T09:00:00.2Z", "2024-05-06T09:00:00.8Z");
        assert!(!render(&calendar("Web", vec![short])).contains("VEVENT"));
    }

    #[test]
    fn a_calendar_without_events_has_a_component_that_no_program_shows() {
        let short = shift("Ada", "2024-05-06T09:00:00.2Z", "2024-05-06T09:00:00.8Z");
        for shifts in [Vec::new(), vec![short]] {
            let text = render(&calendar("Web", shifts));
            let zone = "X-PUBLISHED-TTL:PT1H\r\nBEGIN:VTIMEZONE\r\nTZID:UTC\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0000\r\nTZNAME:UTC\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n";
            assert!(text.ends_with(zone), "{text}");
        }
        let ada = shift("Ada", "2024-05-06T09:00:00Z", "2024-05-07T09:00:00Z");
        assert!(!render(&calendar("Web", vec![ada])).contains("VTIMEZONE"));
    }

    #[test]
    fn a_long_line_is_folded_between_characters() {
        let name = "é".repeat(40);
        let text = render(&calendar(&name, Vec::new()));
        // `NAME:` and 35 characters of two octets fill the line.
        let folded = format!("NAME:{}\r\n {}\r\n", "é".repeat(35), "é".repeat(5));
        assert!(text.contains(&folded), "{text}");
    }

    proptest! {
        #[test]
        fn whatever_the_words_lines_are_short_and_read_back(name in any::<String>(), summary in ".{0,200}") {
            let shifts = vec![shift(&summary, "2024-05-06T09:00:00Z", "2024-05-07T09:00:00Z")];
            let text = render(&calendar(&name, shifts));
            for line in text.split("\r\n") {
                prop_assert!(line.len() <= LINE_OCTETS_MAX, "{line:?}");
                prop_assert!(!line.contains(char::is_control), "{line:?}");
            }
            let lines = unfolded(&text);
            prop_assert_eq!(lines.len(), 20);
            prop_assert_eq!(&lines[5], &format!("NAME:{}", escaped(&name)));
            prop_assert_eq!(&lines[16], &format!("SUMMARY:{}", escaped(&summary)));
        }
    }
}

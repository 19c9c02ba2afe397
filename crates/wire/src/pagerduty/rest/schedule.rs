//! Schedules in bodies: layers with their turns and restrictions, and overrides. Turns are counted as Tocsin counts them: in
//! whole hours, days or weeks of the civil clock.

use jiff::tz::TimeZone;
use tocsin_domain::oncall::{TimeOfDay, WeekTime, Weekday};
use tocsin_domain::time::Timestamp;

use super::body::{self, Fields, Wrong};
use super::refusal::Refusal;

/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 255;
/// Characters of an id at most.
const ID_CHARS_MAX: usize = 64;
/// Overrides that are added at once at most.
pub const OVERRIDES_MAX: usize = 100;
const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;
const WEEK_S: u64 = 7 * DAY_S;

/// What a turn is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Hours.
    Hours,
    /// Days.
    Days,
    /// Weeks.
    Weeks,
}

/// When a layer has somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// The day of a weekly one, Monday is 0; none for a daily one.
    pub weekday: Option<u8>,
    /// Seconds since midnight when it begins.
    pub from_s: u64,
    /// How many seconds it lasts.
    pub lasts_s: u64,
}

/// People who take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Which of the layers that are known it is.
    pub id: Option<String>,
    /// A zone of its own, which PagerDuty's layers have not.
    pub time_zone: Option<String>,
    /// Nobody has duty by it before.
    pub start: Timestamp,
    /// Nor from here on.
    pub end: Option<Timestamp>,
    /// When the first one's turn begins.
    pub virtual_start: Timestamp,
    /// How long a turn is.
    pub every: u32,
    /// In what that is counted.
    pub unit: Unit,
    /// The ids of people, in order.
    pub users: Vec<String>,
    /// When it has somebody; always when there is none.
    pub restrictions: Vec<Restriction>,
}

/// A schedule to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Its name.
    pub name: Option<String>,
    /// Its zone.
    pub time_zone: Option<String>,
    /// Its layers; one that stands later wins.
    pub layers: Option<Vec<Layer>>,
    /// The ids of teams that it shall belong to.
    pub teams: Option<Vec<String>>,
}

/// One person for a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// From when on.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
    /// The id of the person.
    pub user: String,
}

/// Reads the body of `POST /schedules`, `PUT /schedules/{id}` or `POST /schedules/preview`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn schedule(bytes: &[u8]) -> Result<Schedule, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "schedule")?;
    let mut wrong = Wrong::default();
    let layers = fields.objects(&mut wrong, "schedule_layers");
    let layers = layers.map(|layers| {
        let read = layers.iter().filter_map(|one| layer(one, &mut wrong));
        read.collect::<Vec<Layer>>()
    });
    let schedule = Schedule {
        name: fields.name(&mut wrong, "name", NAME_CHARS_MAX),
        time_zone: fields.text(&mut wrong, "time_zone", NAME_CHARS_MAX),
        layers,
        teams: fields.ids(&mut wrong, "teams", "team"),
    };
    wrong.outcome(Some(schedule))
}

fn needed_time(fields: &Fields<'_>, wrong: &mut Wrong, name: &str) -> Option<Timestamp> {
    if fields.value(name).is_none() {
        wrong.add(format!("'{}' is missing", fields.path(name)));
    }
    fields.time(wrong, name)
}

fn layer(fields: &Fields<'_>, wrong: &mut Wrong) -> Option<Layer> {
    let start = needed_time(fields, wrong, "start");
    let virtual_start = match fields.value("rotation_virtual_start") {
        None => start,
        Some(_) => fields.time(wrong, "rotation_virtual_start"),
    };
    let length = fields.number(wrong, "rotation_turn_length_seconds");
    let turn = length.and_then(turn_of);
    if turn.is_none() {
        let path = fields.path("rotation_turn_length_seconds");
        wrong.add(format!(
            "'{path}' is invalid: a turn is a whole number of hours"
        ));
    }
    let users = users(fields, wrong);
    let restrictions = fields.objects(wrong, "restrictions").unwrap_or_default();
    let restrictions = restrictions
        .iter()
        .filter_map(|one| restriction(one, wrong));
    let restrictions = restrictions.collect();
    let end = fields.time(wrong, "end");
    let id = fields.text(wrong, "id", ID_CHARS_MAX);
    let time_zone = fields.text(wrong, "time_zone", NAME_CHARS_MAX);
    let (every, unit) = turn?;
    Some(Layer {
        id,
        time_zone,
        start: start?,
        end,
        virtual_start: virtual_start?,
        every,
        unit,
        users,
        restrictions,
    })
}

/// Who takes turns. A layer that nobody is in says so by an empty list: where it says nothing, whoever has duty by it would lose it.
fn users(fields: &Fields<'_>, wrong: &mut Wrong) -> Vec<String> {
    if fields.value("users").is_none() {
        let path = fields.path("users");
        wrong.add(format!("'{path}' is missing: it is an array"));
    }
    let users = fields.objects(wrong, "users").unwrap_or_default();
    let users = users.iter().filter_map(|one| {
        let user = one.reference(wrong, "user", "user");
        if one.value("user").is_none() {
            wrong.add(format!("'{}' is missing", one.path("user")));
        }
        user
    });
    users.collect()
}

/// The largest unit that a length is a whole number of.
pub(crate) fn turn_of(seconds: u64) -> Option<(u32, Unit)> {
    let units = [
        (WEEK_S, Unit::Weeks),
        (DAY_S, Unit::Days),
        (HOUR_S, Unit::Hours),
    ];
    let mut fitting = units
        .iter()
        .filter(|(length, _)| seconds.is_multiple_of(*length));
    let (length, unit) = fitting.next().filter(|_| seconds > 0)?;
    Some((u32::try_from(seconds / length).ok()?, *unit))
}

fn restriction(fields: &Fields<'_>, wrong: &mut Wrong) -> Option<Restriction> {
    let words = [("daily_restriction", false), ("weekly_restriction", true)];
    let weekly = fields.word(wrong, "type", &words);
    if fields.value("type").is_none() {
        wrong.add(format!("'{}' is missing", fields.path("type")));
    }
    let day = weekly.filter(|weekly| *weekly).map(|_| {
        let day = fields.number(wrong, "start_day_of_week");
        let day = day.filter(|day| (1..=7).contains(day));
        if day.is_none() {
            let path = fields.path("start_day_of_week");
            wrong.add(format!("'{path}' is invalid: it is 1 (Monday) to 7"));
        }
        day
    });
    let from = fields.required(wrong, "start_time_of_day", 8);
    let from_s = from.and_then(|text| {
        let read = time_of_day(&text);
        if read.is_none() {
            let path = fields.path("start_time_of_day");
            wrong.add(format!("'{path}' is invalid: it is HH:MM:SS"));
        }
        read
    });
    let period = if weekly? { WEEK_S } else { DAY_S };
    let lasts_s = fields.number(wrong, "duration_seconds");
    let lasts_s = lasts_s.filter(|seconds| (1..period).contains(seconds));
    if lasts_s.is_none() {
        let path = fields.path("duration_seconds");
        wrong.add(format!("'{path}' is invalid: it is 1 to {}", period - 1));
    }
    let weekday = match day {
        None => None,
        Some(day) => Some(u8::try_from(day? - 1).ok()?),
    };
    Some(Restriction {
        weekday,
        from_s: from_s?,
        lasts_s: lasts_s?,
    })
}

/// Seconds since midnight.
pub(crate) fn time_of_day(text: &str) -> Option<u64> {
    let mut parts = text.split(':').map(|part| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u64>().ok().filter(|_| digits)
    });
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = match parts.next() {
        None => 0,
        Some(second) => second?,
    };
    let good = parts.next().is_none() && hour < 24 && minute < 60 && second < 60;
    good.then_some(hour * HOUR_S + minute * 60 + second)
}

/// The time of day so many seconds after midnight.
pub(crate) fn of_day(seconds: u64) -> Option<TimeOfDay> {
    clock(seconds).parse().ok()
}

/// How PagerDuty's API writes the time of day so many seconds after midnight: `HH:MM:SS`.
#[must_use]
pub fn clock(seconds: u64) -> String {
    let (hour, minute, second) = (seconds / HOUR_S, seconds / 60 % 60, seconds % 60);
    format!("{hour:02}:{minute:02}:{second:02}")
}

/// The time of the week so many seconds after the Monday's midnight.
pub(crate) fn of_week(seconds: u64) -> Option<WeekTime> {
    let day = usize::try_from(seconds / DAY_S).ok()?;
    Some(WeekTime {
        weekday: *Weekday::ALL.get(day)?,
        time: of_day(seconds % DAY_S)?,
    })
}

/// A zone by its name.
pub(crate) fn zone_of(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
}

/// Reads the body of `POST /schedules/{id}/overrides`: one override, or several.
///
/// # Errors
/// Everything that is wrong with it.
pub fn overrides(bytes: &[u8]) -> Result<(Vec<Override>, bool), Refusal> {
    let body = body::object(bytes)?;
    let mut wrong = Wrong::default();
    let is_one = body.contains_key("override");
    let list = if is_one {
        vec![body::wrapped(&body, "override")?]
    } else {
        body::wrapped_list(&body, "overrides", OVERRIDES_MAX)?
    };
    let read = list.iter().filter_map(|one| override_of(one, &mut wrong));
    let read = read.collect();
    wrong.outcome(Some(read)).map(|read| (read, is_one))
}

fn override_of(fields: &Fields<'_>, wrong: &mut Wrong) -> Option<Override> {
    let start = needed_time(fields, wrong, "start");
    let end = needed_time(fields, wrong, "end");
    let user = fields.reference(wrong, "user", "user");
    if fields.value("user").is_none() {
        wrong.add(format!("'{}' is missing", fields.path("user")));
    }
    Some(Override {
        start: start?,
        end: end?,
        user: user?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(layer: Value) -> Result<Schedule, Refusal> {
        let body = json!({"schedule": {"name": "Night", "time_zone": "Europe/Paris", "schedule_layers": [layer]}});
        schedule(body.to_string().as_bytes())
    }

    fn week() -> Value {
        json!({
            "name": "Layer 1",
            "start": "2026-11-06T20:00:00-05:00",
            "end": null,
            "rotation_virtual_start": "2026-11-06T20:00:00-05:00",
            "rotation_turn_length_seconds": 604_800,
            "users": [{"user": {"id": "QA", "type": "user_reference"}}],
            "restrictions": [
                {"type": "daily_restriction", "start_time_of_day": "08:00:00", "duration_seconds": 32_400},
                {"type": "weekly_restriction", "start_day_of_week": 1, "start_time_of_day": "00:00:00", "duration_seconds": 86_400},
            ],
        })
    }

    #[test]
    fn a_layer_is_read_as_clients_send_it() {
        let layers = read(week()).unwrap().layers.unwrap();
        let layer = &layers[0];
        assert_eq!((layer.every, layer.unit), (1, Unit::Weeks));
        assert_eq!(layer.users, ["QA"]);
        assert_eq!(layer.virtual_start, layer.start);
        assert_eq!((&layer.id, &layer.time_zone), (&None, &None));
        let daily = Restriction {
            weekday: None,
            from_s: 28_800,
            lasts_s: 32_400,
        };
        let weekly = Restriction {
            weekday: Some(0),
            from_s: 0,
            lasts_s: 86_400,
        };
        assert_eq!(layer.restrictions, [daily, weekly]);
    }

    #[test]
    fn a_layer_says_who_is_in_it_and_that_nobody_is() {
        let mut layer = week();
        layer["users"] = json!([]);
        let nobody = read(layer.clone()).unwrap().layers.unwrap();
        assert_eq!(nobody[0].users, Vec::<String>::new());
        let told = "'schedule.schedule_layers[0].users' is missing: it is an array";
        layer["users"] = Value::Null;
        assert_eq!(read(layer.clone()).unwrap_err().errors, [told]);
        layer.as_object_mut().unwrap().remove("users");
        assert_eq!(read(layer).unwrap_err().errors, [told]);
    }

    #[test]
    fn a_layer_may_say_which_it_is_and_have_a_zone_of_its_own() {
        let mut layer = week();
        layer["id"] = json!("PL1");
        layer["time_zone"] = json!("Asia/Kolkata");
        let layers = read(layer).unwrap().layers.unwrap();
        assert_eq!(layers[0].id.as_deref(), Some("PL1"));
        assert_eq!(layers[0].time_zone.as_deref(), Some("Asia/Kolkata"));
    }

    #[test]
    fn a_turn_is_counted_in_the_largest_unit_that_fits() {
        for (seconds, expected) in [
            (3_600, Some((1, Unit::Hours))),
            (43_200, Some((12, Unit::Hours))),
            (86_400, Some((1, Unit::Days))),
            (1_209_600, Some((2, Unit::Weeks))),
            (0, None),
            (5_400, None),
            (u64::MAX, None),
        ] {
            assert_eq!(turn_of(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_layer_is_told() {
        for (field, value) in [
            ("start", Value::Null),
            ("start", json!("soon")),
            ("rotation_turn_length_seconds", json!(5_400)),
            ("users", json!([{}])),
            ("restrictions", json!([{"type": "yearly"}])),
            (
                "restrictions",
                json!([{"type": "daily_restriction", "start_time_of_day": "25:00:00", "duration_seconds": 60}]),
            ),
            (
                "restrictions",
                json!([{"type": "daily_restriction", "start_time_of_day": "08:00:00", "duration_seconds": 86_400}]),
            ),
            (
                "restrictions",
                json!([{"type": "weekly_restriction", "start_day_of_week": 0, "start_time_of_day": "08:00:00", "duration_seconds": 60}]),
            ),
        ] {
            let mut layer = week();
            layer[field] = value.clone();
            assert!(
                read(layer).is_err_and(|one| !one.errors.is_empty()),
                "{field} {value}"
            );
        }
    }

    #[test]
    fn overrides_are_read_one_by_one_or_together() {
        let one = json!({"start": "2026-11-06T20:00:00Z", "end": "2026-11-07T20:00:00Z", "user": {"id": "QA", "type": "user_reference"}});
        let read = |body: Value| overrides(body.to_string().as_bytes());
        assert_eq!(read(json!({"override": one})).unwrap().0.len(), 1);
        assert_eq!(read(json!({"overrides": [one, one]})).unwrap().0.len(), 2);
        assert_eq!(
            read(json!({"overrides": vec![one; OVERRIDES_MAX + 1]}))
                .unwrap_err()
                .status,
            413
        );
        assert_eq!(read(json!({"override": {}})).unwrap_err().errors.len(), 3);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,12}", body in "\\{\"(schedule|overrides?)\":\\PC{0,60}\\}") {
            let _ = (time_of_day(&text), schedule(body.as_bytes()), overrides(body.as_bytes()));
        }
    }
}

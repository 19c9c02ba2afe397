//! How urgent the alerts of a service are, also by its support hours, in PagerDuty's words and in ours. There, hours are the same on
//! each of some days; what else is known of hours here has no form there, and stays where it is not said.

use serde_json::{Value, json};
use tocsin_domain::intake::{Loudness, SupportHours, UrgencyBy};
use tocsin_domain::oncall::{Hours, Restriction, TimeOfDay};

use super::body::{Fields, Wrong};
use super::schedule::{clock, of_day, of_week, time_of_day, zone_of};

/// The object that says how urgent they are, and of which type it is where that depends on the hour.
const RULE: &str = "incident_urgency_rule";
const BY_HOURS: &str = "use_support_hours";
const DURING: &str = "during_support_hours";
const OUTSIDE: &str = "outside_support_hours";
/// The object that says when the hours are, and its only type.
const HOURS: &str = "support_hours";
const FIXED: &str = "fixed_time_per_day";
/// The list of what happens when they begin, and the only thing that does.
const ACTIONS: &str = "scheduled_actions";
const RAISES: &str = "urgency_change";
const AT_BEGIN: &str = "support_hours_start";
/// Characters of the name of a zone, and of a time of day, at most.
const ZONE_CHARS_MAX: usize = 255;
const TIME_CHARS_MAX: usize = 8;
const DAY_S: u64 = 86_400;
const DAYS: u64 = 7;

const WORDS: [(&str, Loudness); 3] = [
    ("severity_based", Loudness::Severity),
    ("high", Loudness::High),
    ("low", Loudness::Low),
];

/// How it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// `incident_urgency_rule`.
    pub rule: Value,
    /// `support_hours`; null where there are none, or none that have a form there.
    pub hours: Value,
    /// `scheduled_actions`.
    pub actions: Value,
}

/// The same hours on each of some days.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fixed {
    time_zone: String,
    from_s: u64,
    /// On the next day unless it is later.
    until_s: u64,
    /// In their order, from 1, the Monday.
    days: Vec<u64>,
}

/// How the alerts of a service are told to be urgent.
#[must_use]
pub fn shown(by: &UrgencyBy) -> Shown {
    let support = match by {
        UrgencyBy::Severity => return alone(constant(Loudness::Severity)),
        UrgencyBy::High => return alone(constant(Loudness::High)),
        UrgencyBy::Low => return alone(constant(Loudness::Low)),
        UrgencyBy::SupportHours(support) => support,
    };
    let Some(fixed) = Fixed::of(&support.hours) else {
        return alone(json!({ "type": BY_HOURS }));
    };
    let raises = json!({"type": RAISES, "to_urgency": "high",
        "at": {"type": "named_time", "name": AT_BEGIN}});
    Shown {
        rule: json!({"type": BY_HOURS, DURING: constant(support.during),
            OUTSIDE: constant(support.outside)}),
        hours: json!({"type": FIXED, "time_zone": fixed.time_zone, "start_time": clock(fixed.from_s),
            "end_time": clock(fixed.until_s), "days_of_week": fixed.days}),
        actions: if support.raise {
            json!([raises])
        } else {
            json!([])
        },
    }
}

/// A rule without hours that are told.
fn alone(rule: Value) -> Shown {
    Shown {
        rule,
        hours: Value::Null,
        actions: json!([]),
    }
}

fn constant(loudness: Loudness) -> Value {
    let word = match loudness {
        Loudness::Severity => "severity_based",
        Loudness::High => "high",
        Loudness::Low => "low",
    };
    json!({"type": "constant", "urgency": word})
}

/// One window of every day, or one of each of these days, which are counted from 1, the Monday. Hours that end earlier than they
/// begin end on the next day.
pub(crate) fn windows(from_s: u64, until_s: u64, days: &[u64]) -> Option<Vec<Restriction>> {
    if u64::try_from(days.len()) == Ok(DAYS) {
        let (from, until) = (of_day(from_s)?, of_day(until_s)?);
        return Some(vec![Restriction::Daily { from, until }]);
    }
    let lasts_s = (until_s + DAY_S - from_s) % DAY_S;
    let each = days.iter().map(|day| {
        let begin = day.checked_sub(1)? * DAY_S + from_s;
        let (from, until) = (
            of_week(begin)?,
            of_week((begin + lasts_s) % (DAYS * DAY_S))?,
        );
        Some(Restriction::Weekly { from, until })
    });
    each.collect()
}

impl Fixed {
    /// None where the form cannot say them.
    fn of(hours: &Hours) -> Option<Self> {
        let mut told: Option<(u64, u64)> = None;
        let mut days: Vec<u64> = Vec::new();
        for window in &hours.windows {
            let (ends, of) = match window {
                Restriction::Daily { from, until } => {
                    ((seconds(*from)?, seconds(*until)?), 1..=DAYS)
                }
                Restriction::Weekly { from, until } => {
                    let ends = (seconds(from.time)?, seconds(until.time)?);
                    let day = u64::from(from.weekday.number());
                    let begin = day * DAY_S + ends.0;
                    let end = u64::from(until.weekday.number()) * DAY_S + ends.1;
                    let lasts_s = (end + DAYS * DAY_S - begin) % (DAYS * DAY_S);
                    // A day or more has no form there.
                    if !(1..DAY_S).contains(&lasts_s) {
                        return None;
                    }
                    (ends, day + 1..=day + 1)
                }
            };
            if told.is_some_and(|known| known != ends) {
                return None;
            }
            told = Some(ends);
            days.extend(of);
        }
        let (from_s, until_s) = told?;
        days.sort_unstable();
        days.dedup();
        Some(Self {
            time_zone: hours.time_zone.clone(),
            from_s,
            until_s,
            days,
        })
    }

    fn hours(self) -> Option<Hours> {
        Some(Hours {
            windows: windows(self.from_s, self.until_s, &self.days)?,
            time_zone: self.time_zone,
        })
    }
}

fn seconds(time: TimeOfDay) -> Option<u64> {
    time_of_day(&time.to_string())
}

/// Reads how urgent the alerts of a service shall be; none when nothing is said of it. What was shown and is written back changes
/// nothing, also where it cannot say all that is known.
pub fn read(service: &Fields<'_>, wrong: &mut Wrong, known: &UrgencyBy) -> Option<UrgencyBy> {
    let before = match known {
        UrgencyBy::SupportHours(support) => Some(&**support),
        UrgencyBy::Severity | UrgencyBy::High | UrgencyBy::Low => None,
    };
    let rule = service.object(wrong, RULE);
    let kinds = [("constant", false), (BY_HOURS, true)];
    let kind = rule
        .as_ref()
        .and_then(|rule| rule.word(wrong, "type", &kinds));
    // A rule that says one urgency and no type is constant, as there.
    let says_one = rule
        .as_ref()
        .is_some_and(|rule| rule.value("urgency").is_some());
    if kind.unwrap_or(before.is_some() && !says_one) {
        let support = support(service, rule.as_ref(), wrong, before)?;
        return Some(UrgencyBy::SupportHours(Box::new(support)));
    }
    refuse_unused(service, wrong, before);
    let rule = rule?;
    if kind.is_some() && !says_one && before.is_some() {
        wrong.add(format!("'{}' is missing", rule.path("urgency")));
    }
    let by = rule.word(wrong, "urgency", &WORDS)?;
    Some(match by {
        Loudness::Severity => UrgencyBy::Severity,
        Loudness::High => UrgencyBy::High,
        Loudness::Low => UrgencyBy::Low,
    })
}

/// What is not said of hours stays as it was.
fn support(
    service: &Fields<'_>,
    rule: Option<&Fields<'_>>,
    wrong: &mut Wrong,
    before: Option<&SupportHours>,
) -> Option<SupportHours> {
    let during = loudness(rule, wrong, DURING, before.map(|known| known.during));
    let outside = loudness(rule, wrong, OUTSIDE, before.map(|known| known.outside));
    let given = service.object(wrong, HOURS);
    let hours = match &given {
        Some(given) => fixed(given, wrong).and_then(|fixed| {
            let same = before.filter(|known| Fixed::of(&known.hours).as_ref() == Some(&fixed));
            same.map(|known| known.hours.clone())
                .or_else(|| fixed.hours())
        }),
        None => {
            if before.is_none() && service.value(HOURS).is_none() {
                let (path, rule) = (service.path(HOURS), service.path(RULE));
                wrong.add(format!(
                    "'{path}' is missing: '{rule}' is of the type {BY_HOURS}"
                ));
            }
            before.map(|known| known.hours.clone())
        }
    };
    let raise = raises(service, wrong, before, given.is_some());
    Some(SupportHours {
        hours: hours?,
        during: during?,
        outside: outside?,
        raise,
    })
}

fn loudness(
    rule: Option<&Fields<'_>>,
    wrong: &mut Wrong,
    name: &str,
    before: Option<Loudness>,
) -> Option<Loudness> {
    let Some(rule) = rule else {
        return before;
    };
    let given = rule.object(wrong, name);
    let said = given
        .as_ref()
        .filter(|given| given.value("urgency").is_some());
    if said.is_none() && (given.is_some() || before.is_none()) {
        wrong.add(format!("'{}.urgency' is missing", rule.path(name)));
    }
    let Some(given) = said else {
        return before;
    };
    given.word(wrong, "type", &[("constant", ())]);
    given.word(wrong, "urgency", &WORDS)
}

fn fixed(given: &Fields<'_>, wrong: &mut Wrong) -> Option<Fixed> {
    given.word(wrong, "type", &[(FIXED, ())]);
    let time_zone = given.required(wrong, "time_zone", ZONE_CHARS_MAX);
    if time_zone
        .as_deref()
        .is_some_and(|name| zone_of(name).is_none())
    {
        let path = given.path("time_zone");
        wrong.add(format!(
            "'{path}' is invalid: it is an IANA zone such as Europe/Paris"
        ));
    }
    let from_s = second_of_day(given, wrong, "start_time");
    let until_s = second_of_day(given, wrong, "end_time");
    if from_s.is_some() && from_s == until_s {
        let path = given.path("end_time");
        wrong.add(format!("'{path}' is invalid: the hours begin then"));
    }
    let days = days(given, wrong);
    Some(Fixed {
        time_zone: time_zone?,
        from_s: from_s?,
        until_s: until_s?,
        days: days?,
    })
}

fn second_of_day(given: &Fields<'_>, wrong: &mut Wrong, name: &str) -> Option<u64> {
    let text = given.required(wrong, name, TIME_CHARS_MAX)?;
    let read = time_of_day(&text);
    if read.is_none() {
        let path = given.path(name);
        wrong.add(format!(
            "'{path}' is invalid: it is a time such as 09:00:00"
        ));
    }
    read
}

fn days(given: &Fields<'_>, wrong: &mut Wrong) -> Option<Vec<u64>> {
    let name = "days_of_week";
    let list = given.value(name).and_then(Value::as_array);
    let list = list.map_or(&[][..], Vec::as_slice).iter();
    let read: Option<Vec<u64>> = list
        .map(|day| day.as_u64().filter(|day| (1..=DAYS).contains(day)))
        .collect();
    let mut days = read.unwrap_or_default();
    days.sort_unstable();
    days.dedup();
    if days.is_empty() {
        let path = given.path(name);
        wrong.add(format!(
            "'{path}' is invalid: it is a list of days, 1 (the Monday) to {DAYS}"
        ));
        return None;
    }
    Some(days)
}

/// What happens when the hours begin. Terraform's provider writes one null where nothing does.
fn actions<'a>(service: &Fields<'a>, wrong: &mut Wrong) -> Option<Vec<Fields<'a>>> {
    let list = service.value(ACTIONS).and_then(Value::as_array);
    if list.is_some_and(|list| list.iter().all(Value::is_null)) {
        return Some(Vec::new());
    }
    service.objects(wrong, ACTIONS)
}

/// Whether what is open is raised when the hours begin.
fn raises(
    service: &Fields<'_>,
    wrong: &mut Wrong,
    before: Option<&SupportHours>,
    are_hours_given: bool,
) -> bool {
    let raised_before = before.is_some_and(|known| known.raise);
    let Some(actions) = actions(service, wrong) else {
        return raised_before;
    };
    if actions.is_empty() {
        // Hours that have no form there are shown without what they do, so that an empty list says nothing of them.
        let is_untold = before.is_some_and(|known| Fixed::of(&known.hours).is_none());
        return raised_before && is_untold && !are_hours_given;
    }
    for action in &actions {
        let word = |name: &str| action.value(name).and_then(Value::as_str);
        let at = action.value("at").and_then(|at| at.get("name"));
        let raises = word("type") == Some(RAISES)
            && word("to_urgency") == Some("high")
            && at.and_then(Value::as_str) == Some(AT_BEGIN);
        if !raises {
            let path = action.path("type");
            wrong.add(format!(
                "'{path}' is not supported: what is open is raised to high ({RAISES}) at {AT_BEGIN}, or nothing is"
            ));
        }
    }
    true
}

/// Says that hours are used by nothing, unless they are those that were shown until now.
fn refuse_unused(service: &Fields<'_>, wrong: &mut Wrong, before: Option<&SupportHours>) {
    let rule = service.path(RULE);
    let refuse = |wrong: &mut Wrong, name: &str| {
        let path = service.path(name);
        wrong.add(format!(
            "'{path}' is not supported where '{rule}' is not of the type {BY_HOURS}"
        ));
    };
    let told = before.and_then(|known| Fixed::of(&known.hours));
    let given = service.object(wrong, HOURS);
    let given = given.and_then(|given| fixed(&given, wrong));
    if given.is_some() && given != told {
        refuse(wrong, HOURS);
    }
    let actions = actions(service, wrong);
    let raised_before = before.is_some_and(|known| known.raise);
    if actions.is_some_and(|actions| !actions.is_empty()) && !raised_before {
        refuse(wrong, ACTIONS);
    }
}

#[cfg(test)]
mod tests;

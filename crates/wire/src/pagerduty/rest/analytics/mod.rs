//! Analytics of incidents: what is asked in bodies, and the arithmetic of the answers. It is given what each incident came to,
//! and knows none.

mod order;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::body::{self, Fields, Wrong};
use super::refusal::Refusal;
use super::time;

pub use order::{Order, RawOrder, way_word};

/// Incidents that are measured for one answer at most.
pub const INCIDENTS_MAX: usize = 100_000;
/// Rows of a page of raw data when none says how many, and at most.
const LIMITS: (usize, usize) = (100, 1_000);
/// Entries of one filter at most.
const ENTRIES_MAX: usize = 1_000;
/// The filters that are known.
const FILTERS: [&str; 9] = [
    "created_at_start",
    "created_at_end",
    "urgency",
    "major",
    "team_ids",
    "service_ids",
    "escalation_policy_ids",
    "priority_ids",
    "priority_names",
];

/// What an answer is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Days.
    Day,
    /// Weeks, which begin on Monday.
    Week,
    /// Months.
    Month,
}

/// Which incidents are meant; a set that is not given leaves none out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// Opened from here on.
    pub since: Option<Timestamp>,
    /// Opened before.
    pub until: Option<Timestamp>,
    /// How loudly they ask.
    pub urgency: Option<Urgency>,
    /// Whether they have one of the two highest priorities.
    pub major: Option<bool>,
    /// The ids of teams.
    pub teams: Option<Vec<String>>,
    /// The ids of services.
    pub services: Option<Vec<String>>,
    /// The ids of escalation policies.
    pub policies: Option<Vec<String>>,
    /// The ids of priorities.
    pub priority_ids: Option<Vec<String>>,
    /// The names of priorities.
    pub priority_names: Option<Vec<String>>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which incidents are meant.
    pub filters: Filters,
    /// The same as it was written, for the answer.
    pub written: Value,
    /// Whose days and hours are counted.
    pub zone: TimeZone,
    /// Its name.
    pub zone_name: String,
    /// What the answer is divided by.
    pub unit: Option<Unit>,
}

/// Which page of raw data is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawPage {
    /// Rows at most.
    pub limit: usize,
    /// By what they stand in order.
    pub by: RawOrder,
    /// Whether the last of that order come first.
    pub descends: bool,
    /// The row before the page.
    pub after: Option<String>,
    /// The row after the page.
    pub before: Option<String>,
}

/// What one incident came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was over.
    pub resolved: Option<Timestamp>,
    /// When it was acknowledged.
    pub acknowledged: Option<Timestamp>,
    /// When each who worked on it began to, in order.
    pub engaged: Vec<Timestamp>,
    /// How many messages about it were sent.
    pub notifications: u64,
    /// When each who was interrupted by it was.
    pub interruptions: Vec<Timestamp>,
}

fn seconds(from: Timestamp, until: Timestamp) -> u64 {
    until.ms_since(from) / 1_000
}

impl Measure {
    /// Seconds until it was acknowledged.
    #[must_use]
    pub fn to_first_ack_s(&self) -> Option<u64> {
        self.acknowledged.map(|at| seconds(self.opened, at))
    }

    /// Seconds until it was over.
    #[must_use]
    pub fn to_resolve_s(&self) -> Option<u64> {
        self.resolved.map(|at| seconds(self.opened, at))
    }

    /// Seconds from the first who worked on it to the last; none when there were not several.
    #[must_use]
    pub fn to_engage_s(&self) -> Option<u64> {
        match self.engaged.as_slice() {
            [first, .., last] => Some(seconds(*first, *last)),
            [] | [_] => None,
        }
    }

    /// Seconds until the last of several worked on it.
    #[must_use]
    pub fn to_mobilize_s(&self) -> Option<u64> {
        match self.engaged.as_slice() {
            [_, .., last] => Some(seconds(self.opened, *last)),
            [] | [_] => None,
        }
    }

    /// Seconds that people worked on it, all together; none while it is not over.
    #[must_use]
    pub fn engaged_s(&self) -> Option<u64> {
        let resolved = self.resolved?;
        let each = self.engaged.iter().map(|from| seconds(*from, resolved));
        Some(each.sum())
    }
}

/// The part of the day and the week in which somebody is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hours {
    /// 8 to 18 on a working day.
    Business,
    /// 18 to 22 on a working day, and the day of a weekend.
    Off,
    /// 22 to 8.
    Sleep,
}

fn local(at: Timestamp, zone: &TimeZone) -> Option<jiff::civil::DateTime> {
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    Some(zone.to_datetime(instant))
}

fn hours_of(at: Timestamp, zone: &TimeZone) -> Option<Hours> {
    let shown = local(at, zone)?;
    let is_weekend = matches!(shown.weekday(), Weekday::Saturday | Weekday::Sunday);
    Some(match shown.hour() {
        8..18 if !is_weekend => Hours::Business,
        8..22 => Hours::Off,
        _ => Hours::Sleep,
    })
}

/// How many interruptions fell into business hours, off hours and sleep.
#[must_use]
pub fn interruptions(all: &[Timestamp], zone: &TimeZone) -> (u64, u64, u64) {
    let mut counts = (0, 0, 0);
    for hours in all.iter().filter_map(|at| hours_of(*at, zone)) {
        match hours {
            Hours::Business => counts.0 += 1,
            Hours::Off => counts.1 += 1,
            Hours::Sleep => counts.2 += 1,
        }
    }
    counts
}

/// The begin of the day, the week or the month in which an instant lies, by the clocks of a zone.
#[must_use]
pub fn begin_of(at: Timestamp, unit: Unit, zone: &TimeZone) -> Option<Timestamp> {
    let day = local(at, zone)?.date();
    let first = match unit {
        Unit::Day => day,
        Unit::Week => {
            let back = day.weekday().since(Weekday::Monday);
            day.checked_sub(jiff::Span::new().days(back)).ok()?
        }
        Unit::Month => day.first_of_month(),
    };
    let begin = first.to_zoned(zone.clone()).ok()?;
    Some(Timestamp::from_micros(begin.timestamp().as_microsecond()))
}

/// Means of what is known, rounded to whole numbers; none of nothing.
#[derive(Default)]
struct Mean {
    sum: u64,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: Option<u64>) {
        if let Some(value) = value {
            self.sum = self.sum.saturating_add(value);
            self.count += 1;
        }
    }

    fn value(&self) -> Option<u64> {
        let half = self.count / 2;
        self.sum.saturating_add(half).checked_div(self.count)
    }
}

/// What several incidents came to. What Tocsin does not count is null, which is not nought.
#[must_use]
pub fn totals<'a>(
    measures: impl IntoIterator<Item = &'a Measure>,
    zone: &TimeZone,
) -> Map<String, Value> {
    let (mut ack, mut resolve) = (Mean::default(), Mean::default());
    let (mut engage, mut mobilize) = (Mean::default(), Mean::default());
    let (mut people, mut engaged_s) = (Mean::default(), 0_u64);
    let (mut count, mut notifications, mut at_work) = (0_u64, 0_u64, 0_u64);
    let (mut business, mut off, mut sleep) = (0, 0, 0);
    for one in measures {
        count += 1;
        ack.add(one.to_first_ack_s());
        resolve.add(one.to_resolve_s());
        engage.add(one.to_engage_s());
        mobilize.add(one.to_mobilize_s());
        let working = one.engaged.len() as u64;
        people.add(Some(working));
        if let Some(seconds) = one.engaged_s() {
            engaged_s = engaged_s.saturating_add(seconds);
            at_work += working;
        }
        notifications += one.notifications;
        let hours = interruptions(&one.interruptions, zone);
        business += hours.0;
        off += hours.1;
        sleep += hours.2;
    }
    let each = Mean {
        sum: engaged_s,
        count: at_work,
    };
    let told = json!({
        "mean_seconds_to_first_ack": ack.value(),
        "mean_seconds_to_resolve": resolve.value(),
        "mean_seconds_to_engage": engage.value(),
        "mean_seconds_to_mobilize": mobilize.value(),
        "mean_engaged_seconds": each.value(),
        "mean_engaged_user_count": people.value(),
        "mean_assignment_count": null,
        "total_engaged_seconds": engaged_s,
        "total_incident_count": count,
        "total_incidents_acknowledged": ack.count,
        "total_incidents_auto_resolved": null,
        "total_incidents_manual_escalated": null,
        "total_incidents_reassigned": null,
        "total_incidents_timeout_escalated": null,
        "total_escalation_count": null,
        "total_interruptions": business + off + sleep,
        "total_business_hour_interruptions": business,
        "total_off_hour_interruptions": off,
        "total_sleep_hour_interruptions": sleep,
        "total_notifications": notifications,
        "total_snoozed_seconds": null,
        "up_time_pct": null,
    });
    match told {
        Value::Object(told) => told,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

/// A body, which may be left out.
fn object(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    body::object(bytes)
}

/// Reads the body of `POST /analytics/metrics/incidents/{by}`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn question(bytes: &[u8]) -> Result<(Question, Order), Refusal> {
    let body = object(bytes)?;
    let fields = Fields::new("", &body);
    let mut wrong = Wrong::default();
    let question = question_in(&fields, &mut wrong);
    let order = Order::read(&fields, &mut wrong);
    wrong.outcome(question.map(|question| (question, order)))
}

fn question_in(fields: &Fields<'_>, wrong: &mut Wrong) -> Option<Question> {
    let zone_name = fields.text(wrong, "time_zone", 64);
    let zone_name = zone_name.unwrap_or_else(|| "Etc/UTC".to_owned());
    let zone = TimeZone::get(&zone_name).ok();
    if zone.is_none() {
        wrong.add(format!(
            "'time_zone' is invalid: {zone_name:?} is no IANA zone"
        ));
    }
    let units = [
        ("day", Unit::Day),
        ("week", Unit::Week),
        ("month", Unit::Month),
    ];
    let given = fields.object(wrong, "filters");
    let filters = given.as_ref().map(|given| filters(given, wrong));
    Some(Question {
        filters: filters.unwrap_or_default(),
        written: fields
            .value("filters")
            .cloned()
            .unwrap_or_else(|| json!({})),
        unit: fields.word(wrong, "aggregate_unit", &units),
        zone: zone?,
        zone_name,
    })
}

fn filters(given: &Fields<'_>, wrong: &mut Wrong) -> Filters {
    let unknown: Vec<&str> = given
        .names()
        .filter(|name| !FILTERS.contains(name))
        .collect();
    given.refuse(wrong, &unknown);
    let filters = Filters {
        since: given.time(wrong, "created_at_start"),
        until: given.time(wrong, "created_at_end"),
        urgency: given.word(
            wrong,
            "urgency",
            &[("high", Urgency::High), ("low", Urgency::Low)],
        ),
        major: given.flag(wrong, "major"),
        teams: texts(given, wrong, "team_ids"),
        services: texts(given, wrong, "service_ids"),
        policies: texts(given, wrong, "escalation_policy_ids"),
        priority_ids: texts(given, wrong, "priority_ids"),
        priority_names: texts(given, wrong, "priority_names"),
    };
    if let (Some(since), Some(until)) = (filters.since, filters.until)
        && until <= since
    {
        let path = given.path("created_at_end");
        wrong.add(format!("'{path}' is invalid: it is after the begin"));
    }
    filters
}

/// A set of texts; an empty one leaves nothing out, as no set does.
fn texts(fields: &Fields<'_>, wrong: &mut Wrong, name: &str) -> Option<Vec<String>> {
    let value = fields.value(name)?;
    let list = value.as_array().filter(|list| list.len() <= ENTRIES_MAX);
    let read: Option<Vec<String>> = list.and_then(|list| {
        let each = list.iter().map(|one| one.as_str().map(str::to_owned));
        each.collect()
    });
    if read.is_none() {
        let path = fields.path(name);
        wrong.add(format!(
            "'{path}' is invalid: it is an array of at most {ENTRIES_MAX} strings"
        ));
    }
    read.filter(|read| !read.is_empty())
}

/// Reads the body of `POST /analytics/raw/incidents`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn raw(bytes: &[u8]) -> Result<(Question, RawPage), Refusal> {
    let body = object(bytes)?;
    let fields = Fields::new("", &body);
    let mut wrong = Wrong::default();
    let question = question_in(&fields, &mut wrong);
    let by = fields.word(&mut wrong, "order_by", &RawOrder::WORDS);
    let descends = fields.word(&mut wrong, "order", &[("asc", false), ("desc", true)]);
    let limit = fields.number(&mut wrong, "limit");
    if limit == Some(0) {
        wrong.add("'limit' is invalid: it is 1 or more");
    }
    let limit = limit.map_or(LIMITS.0, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    let page = RawPage {
        limit: limit.clamp(1, LIMITS.1),
        by: by.unwrap_or_default(),
        descends: descends.unwrap_or(true),
        after: fields.text(&mut wrong, "starting_after", 64),
        before: fields.text(&mut wrong, "ending_before", 64),
    };
    if page.after.is_some() && page.before.is_some() {
        wrong.add("'starting_after' and 'ending_before' cannot both be given");
    }
    wrong.outcome(question.map(|question| (question, page)))
}

/// The word for what an answer is divided by.
#[must_use]
pub const fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Day => "day",
        Unit::Week => "week",
        Unit::Month => "month",
    }
}

/// The begin of the part of an answer in which an incident was opened, as it is told.
#[must_use]
pub fn range_start(opened: Timestamp, question: &Question) -> Option<String> {
    let begin = begin_of(opened, question.unit?, &question.zone)?;
    Some(time::written(begin))
}

#[cfg(test)]
mod tests;

//! How a schedule looks to PagerDuty's clients, and how the layers that they send become ours. Their lists begin with the layer
//! that wins; what they send begins with the first.

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tocsin_domain::id::{ScheduleId, UserId};
use tocsin_domain::numbers::Numbers;
use tocsin_domain::oncall::{
    self, CivilTime, Restriction, Schedule, Span, TimeOfDay, TurnUnit, WeekTime, Weekday,
};
use tocsin_domain::page::{Policy, Recipient};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::schedule::{self as bodies, Unit};
use tocsin_wire::pagerduty::rest::{Refusal, id};

use super::described::told;
use super::lookup;
use super::place::{Place, whole};
use super::reply::Refused;
use super::team_shape::own_teams;

/// Who has duty in a span, as it was computed.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    /// What each layer says by itself.
    pub(crate) layers: Vec<Vec<(UserId, Span)>>,
    /// The outcome of everything.
    pub(crate) all: Vec<(UserId, Span)>,
    /// The share of the span in which somebody has duty, in percent.
    pub(crate) coverage: Option<f64>,
    /// The span.
    pub(crate) range: Option<Span>,
    /// Whether what goes on beyond it is shown as long as it is.
    pub(crate) overflow: bool,
}

impl Rendered {
    /// How many entries it has, in its layers and of everything.
    pub(super) fn entries(&self) -> usize {
        let of_layers: usize = self.layers.iter().map(Vec::len).sum();
        of_layers + self.all.len()
    }
}

/// The policies that page a schedule.
pub(super) fn policies_of(state: &State, schedule: ScheduleId) -> impl Iterator<Item = &Policy> {
    state.policies.values().filter(move |policy| {
        let mut targets = policy.levels.iter().flat_map(|level| &level.targets);
        targets.any(|target| *target == Recipient::Schedule(schedule))
    })
}

/// A schedule without its turns, as lists show it.
pub(crate) fn schedule(state: &State, place: &Place, known: &Schedule) -> Value {
    let policies = policies_of(state, known.id);
    let people = known
        .people()
        .into_iter()
        .map(|user| place.user(state, user));
    let more = json!({
        "name": known.name,
        "time_zone": known.time_zone,
        "description": told(&known.description),
        "web_cal_url": null,
        "http_cal_url": null,
        "personal_web_cal_url": null,
        "personal_http_cal_url": null,
        "escalation_policies": policies.map(|one| place.policy(state, one.id)).collect::<Vec<_>>(),
        "users": people.collect::<Vec<_>>(),
        "teams": own_teams(state, place, known.given_to),
    });
    whole(place.schedule(state, known.id), "schedule", more)
}

/// A schedule with its layers, and who has duty in the span that was asked for.
pub(crate) fn schedule_in_full(
    state: &State,
    place: &Place,
    known: &Schedule,
    rendered: &Rendered,
) -> Value {
    let mut shown = schedule(state, place, known);
    let within = |span: Span| {
        let cut = span.overlap(rendered.range?)?;
        Some(if rendered.overflow { span } else { cut })
    };
    let overrides = known.overrides.iter();
    let overrides = overrides.filter_map(|one| {
        let span = within(one.span)?;
        Some(entry(state, place, one.user, span))
    });
    let overrides: Vec<Value> = overrides.collect();
    shown["schedule_layers"] = layers(state, place, known, rendered).into();
    shown["overrides_subschedule"] = json!({
        "name": "Overrides",
        "rendered_schedule_entries": overrides,
        "rendered_coverage_percentage": null,
    });
    shown["final_schedule"] = json!({
        "name": "Final Schedule",
        "rendered_schedule_entries": entries(state, place, &rendered.all),
        "rendered_coverage_percentage": rendered.coverage,
    });
    shown
}

/// The layers of a schedule, the one that wins first.
fn layers(state: &State, place: &Place, known: &Schedule, rendered: &Rendered) -> Vec<Value> {
    let layers = known.layers.iter().enumerate().map(|(index, one)| {
        let own = rendered.layers.get(index).map_or(&[][..], Vec::as_slice);
        let entries = entries(state, place, own);
        layer(state, place, known, (index, one), entries)
    });
    let mut layers: Vec<Value> = layers.collect();
    layers.reverse();
    layers
}

fn entries(state: &State, place: &Place, all: &[(UserId, Span)]) -> Vec<Value> {
    let all = all.iter();
    all.map(|(user, span)| entry(state, place, *user, *span))
        .collect()
}

pub(super) fn entry(state: &State, place: &Place, user: UserId, span: Span) -> Value {
    json!({
        "id": id::of_name(&format!("{user}/{}/{}", span.from, span.until)),
        "start": place.time(span.from),
        "end": place.time(span.until),
        "user": place.user(state, user),
    })
}

fn layer(
    state: &State,
    place: &Place,
    of: &Schedule,
    (index, one): (usize, &oncall::Layer),
    entries: Vec<Value>,
) -> Value {
    let unit_s: u64 = match one.unit {
        TurnUnit::Hours => 3_600,
        TurnUnit::Days => 86_400,
        TurnUnit::Weeks => 604_800,
    };
    let users = one.members.iter();
    let zone = one.time_zone.as_ref().unwrap_or(&of.time_zone);
    let virtual_start = one.hand_off.and_then(|civil| instant_of(civil, zone));
    let named = of.layer_names.get(index).and_then(|name| told(name));
    let mut shown = json!({
        "id": layer_id(of, index),
        "name": named.map_or_else(|| format!("Layer {}", index + 1), str::to_owned),
        "start": place.time(one.start),
        "end": one.until.map(|at| place.time(at)),
        "rotation_virtual_start": place.time(virtual_start.unwrap_or(one.start)),
        "rotation_turn_length_seconds": u64::from(one.every) * unit_s,
        "users": users.map(|user| json!({"user": place.user(state, *user)})).collect::<Vec<_>>(),
        "restrictions": one.restrictions.iter().map(restriction).collect::<Vec<_>>(),
        "rendered_schedule_entries": entries,
        "rendered_coverage_percentage": null,
    });
    // No layer of PagerDuty's has one; where one has, its hours are by that zone.
    if let Some(own) = &one.time_zone {
        shown["time_zone"] = json!(own);
    }
    shown
}

/// The id of a layer, which has none of its own: it stands for its number in its schedule.
fn layer_id(schedule: &Schedule, index: usize) -> String {
    let number = schedule.layer_numbers.of(index);
    id::of_name(&format!("{}/layer/{number}", schedule.id))
}

fn restriction(one: &Restriction) -> Value {
    let seconds = |time: TimeOfDay| seconds_of(&time.to_string());
    let written = |time: TimeOfDay| bodies::clock(seconds(time).unsigned_abs());
    match one {
        Restriction::Daily { from, until } => {
            let lasts = (seconds(*until) - seconds(*from)).rem_euclid(86_400);
            json!({
                "type": "daily_restriction",
                "start_time_of_day": written(*from),
                "duration_seconds": lasts,
            })
        }
        Restriction::Weekly { from, until } => {
            let day = |at: &WeekTime| i64::from(at.weekday.number());
            let since = |at: &WeekTime| day(at) * 86_400 + seconds(at.time);
            json!({
                "type": "weekly_restriction",
                "start_day_of_week": day(from) + 1,
                "start_time_of_day": written(from.time),
                "duration_seconds": (since(until) - since(from)).rem_euclid(604_800),
            })
        }
    }
}

/// Seconds since midnight of `HH:MM` or `HH:MM:SS`.
fn seconds_of(text: &str) -> i64 {
    let parts = text.split(':').map(|part| part.parse::<i64>().unwrap_or(0));
    let weights = [3_600, 60, 1];
    parts.zip(weights).map(|(part, weight)| part * weight).sum()
}

/// The instant at which a zone's clocks show a civil time.
fn instant_of(civil: CivilTime, zone: &str) -> Option<Timestamp> {
    let shown: jiff::civil::DateTime = civil.to_string().parse().ok()?;
    let zone = TimeZone::get(zone).ok()?;
    let instant = zone.to_ambiguous_zoned(shown).compatible().ok()?;
    Some(Timestamp::from_micros(instant.timestamp().as_microsecond()))
}

/// What a zone's clocks show at an instant.
fn civil_of(at: Timestamp, zone: &str) -> Option<CivilTime> {
    let zone = TimeZone::get(zone).ok()?;
    let instant = jiff::Timestamp::from_microsecond(at.as_micros()).ok()?;
    let shown = zone.to_datetime(instant);
    shown.strftime("%Y-%m-%dT%H:%M:%S").to_string().parse().ok()
}

/// The place of the layer that one of a body was read as. Who sends ids says by them which is which, so one without is new; who sends
/// none means the layers in their order.
fn before(known: &Schedule, layers: &[bodies::Layer], index: usize) -> Option<usize> {
    let count = known.layers.len();
    if layers.iter().all(|one| one.id.is_none()) {
        return (index < count).then_some(index);
    }
    let id = layers.get(index)?.id.as_deref()?;
    (0..count).find(|index| layer_id(known, *index) == id)
}

/// The numbers of layers by which those of a body keep their ids.
pub(crate) fn layer_numbers_of(known: &Schedule, layers: &[bodies::Layer]) -> Numbers {
    let places = (0..layers.len()).map(|index| before(known, layers, index));
    known.layer_numbers.after(known.layers.len(), places)
}

/// The layers of a body for a schedule of this zone. A layer that is known keeps a zone of its own, which PagerDuty's clients do
/// not say.
pub(crate) fn layers_of(
    state: &State,
    layers: &[bodies::Layer],
    known: Option<&Schedule>,
    zone: &str,
) -> Result<Vec<oncall::Layer>, Refused> {
    let all = layers.iter().enumerate();
    all.map(|(index, one)| {
        let place = format!("schedule.schedule_layers[{index}]");
        let before = known.and_then(|known| {
            let place = before(known, layers, index)?;
            known.layers.get(place)
        });
        let kept = before.and_then(|before| before.time_zone.as_deref());
        // That of the schedule is none of its own.
        let own = one.time_zone.as_deref().or(kept);
        let own = own.filter(|own| *own != zone);
        layer_of(state, &place, one, (own, zone))
    })
    .collect()
}

fn layer_of(
    state: &State,
    place: &str,
    one: &bodies::Layer,
    (own, zone): (Option<&str>, &str),
) -> Result<oncall::Layer, Refused> {
    let users = format!("{place}.users");
    let members = one.users.iter();
    let members = members.map(|user| lookup::user(state, &users, user));
    let restrictions = one.restrictions.iter().enumerate();
    let restrictions = restrictions.map(|(index, one)| {
        let why = "it has a time that no clock shows";
        let wrong = || Refusal::bad(format!("'{place}.restrictions[{index}]' is invalid: {why}"));
        restriction_of(one).ok_or_else(wrong)
    });
    let clock = own.unwrap_or(zone);
    let wrong = || {
        let of = own.map_or("schedule", |_| place);
        Refusal::bad(format!(
            "'{of}.time_zone' is invalid: {clock:?} is no IANA zone"
        ))
    };
    Ok(oncall::Layer {
        start: one.start,
        until: one.end,
        time_zone: own.map(str::to_owned),
        hand_off: Some(civil_of(one.virtual_start, clock).ok_or_else(wrong)?),
        every: one.every,
        unit: match one.unit {
            Unit::Hours => TurnUnit::Hours,
            Unit::Days => TurnUnit::Days,
            Unit::Weeks => TurnUnit::Weeks,
        },
        members: members.collect::<Result<_, _>>()?,
        restrictions: restrictions.collect::<Result<_, _>>()?,
    })
}

fn restriction_of(one: &bodies::Restriction) -> Option<Restriction> {
    let time = |seconds: u64| -> Option<TimeOfDay> { bodies::clock(seconds).parse().ok() };
    match one.weekday {
        None => Some(Restriction::Daily {
            from: time(one.from_s)?,
            until: time((one.from_s + one.lasts_s) % 86_400)?,
        }),
        Some(day) => {
            let begin = u64::from(day) * 86_400 + one.from_s;
            let end = (begin + one.lasts_s) % 604_800;
            let at = |since: u64| {
                let day = usize::try_from(since / 86_400).ok()?;
                let weekday = *Weekday::ALL.get(day)?;
                let time = time(since % 86_400)?;
                Some(WeekTime { weekday, time })
            };
            Some(Restriction::Weekly {
                from: at(begin)?,
                until: at(end)?,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restriction_reads_back_as_it_was_sent() {
        for (weekday, from_s, lasts_s) in [
            (None, 28_800, 32_400),
            (None, 79_200, 28_800),
            (Some(0), 0, 432_000),
            (Some(6), 86_399, 2),
        ] {
            let sent = bodies::Restriction {
                weekday,
                from_s,
                lasts_s,
            };
            let shown = restriction(&restriction_of(&sent).unwrap());
            assert_eq!(shown["duration_seconds"], lasts_s, "{sent:?}");
            assert_eq!(shown["start_time_of_day"], bodies::clock(from_s));
            if let Some(day) = weekday {
                assert_eq!(shown["start_day_of_week"], day + 1);
            }
        }
    }

    #[test]
    fn a_first_hand_off_is_the_same_instant_when_it_is_read_back() {
        let at = Timestamp::parse_rfc3339("2026-07-06T09:00:00+02:00").unwrap();
        let civil = civil_of(at, "Europe/Paris").unwrap();
        assert_eq!(civil.to_string(), "2026-07-06T09:00");
        assert_eq!(instant_of(civil, "Europe/Paris"), Some(at));
        assert_eq!(civil_of(at, "Mars/Olympus"), None);
    }
}

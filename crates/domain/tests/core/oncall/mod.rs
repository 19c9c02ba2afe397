//! Schedules: what they say, told by examples and against a slow reference.

mod ahead;
mod by_hand;
mod changes;
mod difference;
mod duty;
mod layers;
mod leaving;
mod lost_words;
mod notices;
mod properties;
mod reference;
mod stored;
mod turns;
mod violations;
mod zoneinfo;

use tocsin_domain::id::{ScheduleId, TeamId, UserId};
use tocsin_domain::oncall::{Entry, Layer, Schedule, Span, Turn, TurnUnit};
use tocsin_domain::time::Timestamp;

use crate::world::Seeded;

fn instant(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn span(from: &str, until: &str) -> Span {
    Span::new(instant(from), instant(until))
}

/// The same people in every test, by their place.
fn person(index: usize) -> UserId {
    let mut entropy = Seeded(7);
    (0..=index)
        .map(|_| UserId::random(&mut entropy))
        .last()
        .unwrap()
}

fn people(indices: &[usize]) -> Vec<UserId> {
    indices.iter().map(|index| person(*index)).collect()
}

fn layer(start: &str, every: u32, unit: TurnUnit, members: &[usize]) -> Layer {
    Layer::rotation(instant(start), Turn { every, unit }, people(members))
}

fn of_layers(zone: &str, layers: Vec<Layer>) -> Schedule {
    let mut entropy = Seeded(1);
    Schedule::of_layers(
        ScheduleId::random(&mut entropy),
        TeamId::random(&mut entropy),
        "Rota".to_owned(),
        zone.to_owned(),
        layers,
    )
}

/// A schedule of one rotation.
fn schedule(zone: &str, start: &str, every: u32, unit: TurnUnit, members: usize) -> Schedule {
    let members: Vec<usize> = (0..members).collect();
    of_layers(zone, vec![layer(start, every, unit, &members)])
}

/// One line per entry: who (by place, `-` for nobody), from, until.
fn lines(entries: &[Entry]) -> Vec<String> {
    lines_of(entries, |user| {
        let place = (0..9).find(|index| person(*index) == user);
        place.unwrap().to_string()
    })
}

/// The same with other words for people.
fn lines_of(entries: &[Entry], name: impl Fn(UserId) -> String) -> Vec<String> {
    entries
        .iter()
        .map(|entry| {
            let who = entry.user().map_or("-".to_owned(), &name);
            let minute = |at: Timestamp| at.to_rfc3339()[5..16].replace('T', " ");
            format!(
                "{who} {} {}",
                minute(entry.span().from),
                minute(entry.span().until)
            )
        })
        .collect()
}

#[track_caller]
fn check(schedule: &Schedule, range: Span, expected: &[&str]) {
    assert_eq!(schedule.violations(), Vec::<String>::new());
    assert_eq!(lines(&schedule.render(range).unwrap()), expected);
}

//! `tocsin oncall who`, `schedule list`, `policy list`: who is paged, when and in which order.

use clap::Subcommand;
use serde::Deserialize;

use super::api::Api;
use super::failure::Failure;
use super::given::{all, choose, whole};
use super::look::{Look, Tone};
use super::plain::Plain;
use super::screen::Screen;
use super::shape::{Moment, Named, name_or};
use super::table::{Cell, Table};

/// What can be asked about who is on call.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum OncallVerb {
    /// Show who is on call now, by policy and level
    Who,
}

/// What can be done with schedules.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ScheduleVerb {
    /// List schedules and whose turn it is
    List,
}

/// What can be done with escalation policies.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// List escalation policies and their levels
    List,
}

#[derive(Debug, Deserialize)]
struct Place {
    policy: Named,
    level: u64,
    via: Via,
    user: Option<Named>,
    until: Option<Moment>,
    problem: Option<Plain>,
}

#[derive(Debug, Deserialize)]
struct Via {
    kind: Plain,
    name: Plain,
}

#[derive(Debug, Deserialize)]
struct Schedule {
    id: Plain,
    name: Plain,
    time_zone: Plain,
    #[serde(default)]
    layer: Option<Layer>,
    #[serde(default)]
    on_call_now: Option<Named>,
    #[serde(default)]
    next_handoff_at: Option<Moment>,
}

#[derive(Debug, Deserialize)]
struct Layer {
    turn: Turn,
    #[serde(default)]
    members: Vec<Plain>,
}

#[derive(Debug, Deserialize)]
struct Turn {
    every: u64,
    unit: Plain,
}

/// The escalation policy that somebody names.
pub(super) fn policy_named(api: &Api, given: &str) -> Result<Plain, Failure> {
    let policies: Vec<Named> = all(api, &["escalation-policies"])?;
    let noun = "escalation policy";
    let chosen = choose(policies, noun, given, |one| &one.id, |one| vec![&one.name])?;
    Ok(chosen.id)
}

#[derive(Debug, Deserialize)]
struct Policy {
    id: Plain,
    name: Plain,
    repeat: u64,
    #[serde(default)]
    levels: Vec<Level>,
}

#[derive(Debug, Deserialize)]
struct Level {
    delay_minutes: f64,
    #[serde(default)]
    targets: Vec<Recipient>,
    #[serde(default)]
    round_robin: bool,
    #[serde(default)]
    each_must_acknowledge: bool,
}

#[derive(Debug, Deserialize)]
struct Recipient {
    kind: Plain,
    id: Plain,
}

pub(super) fn who(verb: &OncallVerb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        OncallVerb::Who => screen.show_list(&api.get(&["oncall"], &[])?, places),
    }
}

pub(super) fn schedule(verb: &ScheduleVerb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        ScheduleVerb::List => screen.show_list(&api.get(&["schedules"], &whole())?, schedules),
    }
}

pub(super) fn policy(verb: &PolicyVerb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        PolicyVerb::List => {
            let answer = api.get(&["escalation-policies"], &whole())?;
            // Levels name people, schedules and teams by id alone.
            let known: Vec<Named> = if screen.wants_json() {
                Vec::new()
            } else {
                let (people, schedules) = (all(api, &["users"])?, all(api, &["schedules"])?);
                [people, schedules, all(api, &["teams"])?].concat()
            };
            screen.show_list(&answer, |found: &[Policy], look| {
                policies(found, &known, look)
            })
        }
    }
}

fn places(all: &[Place], look: &Look) -> String {
    let mut table = Table::new(&["POLICY", "LEVEL", "ON CALL", "BY", "UNTIL", "PROBLEM"]);
    for one in all {
        let person = match &one.user {
            Some(user) => Cell::from(&user.name),
            None => Cell::toned("nobody", Tone::Bad),
        };
        table.row([
            (&one.policy.name).into(),
            one.level.to_string().into(),
            person,
            format!("{} {}", one.via.kind, one.via.name).into(),
            one.until
                .map(|until| look.moment(until.0))
                .unwrap_or_default()
                .into(),
            Cell::toned(
                one.problem
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                Tone::Bad,
            ),
        ]);
    }
    table.draw(look, "Nobody is on call: no escalation policy is in use.")
}

fn schedules(all: &[Schedule], look: &Look) -> String {
    let mut table = Table::new(&[
        "NAME",
        "ON CALL",
        "NEXT HAND-OFF",
        "TURNS",
        "TIME ZONE",
        "ID",
    ]);
    for one in all {
        let turns = one.layer.as_ref().map(turns).unwrap_or_default();
        let next = one.next_handoff_at.map(|next| look.moment(next.0));
        table.row([
            (&one.name).into(),
            name_or(one.on_call_now.as_ref(), "nobody").into(),
            next.unwrap_or_default().into(),
            turns.into(),
            (&one.time_zone).into(),
            (&one.id).into(),
        ]);
    }
    table.draw(look, "There are no schedules.")
}

/// `3 people, every week`
fn turns(layer: &Layer) -> String {
    let people = match layer.members.len() {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    };
    let unit = layer.turn.unit.as_str();
    match layer.turn.every {
        1 => format!("{people}, every {}", unit.trim_end_matches('s')),
        every => format!("{people}, every {every} {unit}"),
    }
}

/// What is special about a level.
fn options(level: &Level) -> String {
    let turn = if level.round_robin {
        " (one in turn)"
    } else {
        ""
    };
    let each = if level.each_must_acknowledge {
        " (each must acknowledge)"
    } else {
        ""
    };
    format!("{turn}{each}")
}

fn policies(all: &[Policy], known: &[Named], look: &Look) -> String {
    let named = |one: &Recipient| {
        let found = known.iter().find(|known| known.id == one.id);
        format!(
            "{} {}",
            one.kind,
            found.map_or(&one.id, |found| &found.name)
        )
    };
    let mut table = Table::new(&["NAME", "LEVEL", "PAGES", "NEXT LEVEL AFTER", "ID"]);
    for policy in all {
        for (index, level) in policy.levels.iter().enumerate() {
            let pages: Vec<String> = level.targets.iter().map(named).collect();
            let is_first = index == 0;
            table.row([
                if is_first {
                    (&policy.name).into()
                } else {
                    "".into()
                },
                (index + 1).to_string().into(),
                format!("{}{}", pages.join(", "), options(level)).into(),
                after(policy, index, level).into(),
                if is_first {
                    (&policy.id).into()
                } else {
                    "".into()
                },
            ]);
        }
    }
    table.draw(look, "There are no escalation policies.")
}

fn after(policy: &Policy, index: usize, level: &Level) -> String {
    let minutes = format!("{} min", level.delay_minutes);
    let is_last = index + 1 == policy.levels.len();
    match policy.repeat {
        repeat if is_last && repeat > 0 => format!("{minutes}, then again {repeat} times"),
        _ => minutes,
    }
}

#[cfg(test)]
mod tests {
    use super::super::api::Answer;
    use super::super::shape::List;
    use super::*;

    fn check<T: serde::de::DeserializeOwned>(
        given: &str,
        draw: impl Fn(&[T], &Look) -> String,
        expected: &[&str],
    ) {
        let list: List<T> = Answer::of(given).parsed().unwrap();
        assert_eq!(
            draw(&list.items, &Look::of_test())
                .lines()
                .collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn who_is_on_call_names_the_shift_and_the_gap() {
        check(
            r#"{"items":[
                {"policy":{"id":"Q1","name":"Web"},"level":1,"via":{"kind":"schedule","id":"Q2","name":"Days"},
                 "user":{"id":"Q3","name":"Ann"},"until":"2026-11-23T17:15:58Z","problem":null},
                {"policy":{"id":"Q1","name":"Web"},"level":2,"via":{"kind":"schedule","id":"Q4","name":"Nights"},
                 "user":null,"until":null,"problem":"the schedule\nhas a gap"}],"next_cursor":null}"#,
            places,
            &[
                "POLICY  LEVEL  ON CALL  BY               UNTIL                             PROBLEM",
                "Web     1      Ann      schedule Days    in 10 h, 2026-11-23 18:15:58 CET",
                "Web     2      nobody   schedule Nights                                    the schedule has a gap",
            ],
        );
    }

    #[test]
    fn schedules_show_whose_turn_it_is() {
        check(
            r#"{"items":[
                {"id":"Q1","name":"Days","time_zone":"Europe/Paris","on_call_now":{"id":"Q3","name":"Ann"},
                 "next_handoff_at":"2026-11-23T17:15:58Z",
                 "layer":{"start":"2026-01-01T00:00:00Z","turn":{"every":1,"unit":"weeks"},"members":["Q3"]}},
                {"id":"Q2","name":"Nights","time_zone":"UTC",
                 "layer":{"start":"2026-01-01T00:00:00Z","turn":{"every":12,"unit":"hours"},"members":["Q3","Q4"]}}]}"#,
            schedules,
            &[
                "NAME    ON CALL  NEXT HAND-OFF                     TURNS                     TIME ZONE     ID",
                "Days    Ann      in 10 h, 2026-11-23 18:15:58 CET  1 person, every week      Europe/Paris  Q1",
                "Nights  nobody                                     2 people, every 12 hours  UTC           Q2",
            ],
        );
    }

    #[test]
    fn policies_show_their_levels_by_name() {
        let known: Vec<Named> = Answer::of(r#"[{"id":"Q3","name":"Ann"}]"#)
            .parsed()
            .unwrap();
        check(
            r#"{"items":[{"id":"Q1","name":"Web","repeat":2,"levels":[
                {"delay_minutes":5,"targets":[{"kind":"user","id":"Q3"}],"round_robin":true},
                {"delay_minutes":0.5,"targets":[{"kind":"schedule","id":"Q9"}]}]}]}"#,
            |all, look| policies(all, &known, look),
            &[
                "NAME  LEVEL  PAGES                   NEXT LEVEL AFTER             ID",
                "Web   1      user Ann (one in turn)  5 min                        Q1",
                "      2      schedule Q9             0.5 min, then again 2 times",
            ],
        );
    }
}

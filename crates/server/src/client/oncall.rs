//! `tocsin oncall …`, `policy list`: who is paged, when and in which order, and what will keep a page from somebody.

use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::failure::Failure;
use super::given::{all, choose, whole};
use super::look::{Look, Tone};
use super::plain::Plain;
use super::rota::{self, Shift};
use super::schedule::Range;
use super::screen::Screen;
use super::shape::{Moment, Named, name_or};
use super::table::{Cell, Table};
use super::user;

/// What can be asked about who is on call.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum OncallVerb {
    /// Show who is on call now, until when, and who is next
    Who,
    /// Show when somebody is on call, in any schedule
    Shifts {
        /// Who: name, mail address or id; without it, the owner of the token
        #[arg(long)]
        user: Option<String>,
        #[command(flatten)]
        range: Range,
    },
    /// Show what will keep a page from somebody in the next 14 days
    Findings,
    /// Show the list of last resort, or replace it: who is paged when a policy is through
    Fallback {
        /// Who is on it from now on, by name, first name, address or id; may be said several times
        #[arg(long = "set", value_name = "PERSON", num_args = 1..)]
        people: Vec<String>,
    },
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
struct OnCall {
    items: Vec<Place>,
    #[serde(default)]
    schedules: Vec<Duty>,
}

/// Who has duty in a schedule, and what comes then.
#[derive(Debug, Deserialize)]
struct Duty {
    schedule: Named,
    now: Option<Shift>,
    until: Option<Moment>,
    next: Option<Shift>,
}

/// Who is paged when nobody else is left.
#[derive(Debug, Deserialize)]
struct LastResort {
    users: Vec<Named>,
}

#[derive(Debug, Deserialize)]
struct Finding {
    text: Plain,
    since: Moment,
    until: Option<Moment>,
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

pub(super) fn run(verb: &OncallVerb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        OncallVerb::Who => screen.show(&api.get(&["oncall"], &[])?, who),
        OncallVerb::Shifts { user, range } => {
            let mut query = range.ends(&screen.look)?.to_vec();
            if let Some(given) = user {
                query.push(("user", user::named(api, given)?.id.to_string()));
            }
            screen.show(&api.get(&["oncall", "shifts"], &query)?, rota::shifts)
        }
        OncallVerb::Findings => screen.show_list(&api.get(&["oncall", "findings"], &[])?, findings),
        OncallVerb::Fallback { people } => {
            let path = ["fallback"];
            let answer = if people.is_empty() {
                api.get(&path, &[])?
            } else {
                api.put(&path, &json!({ "users": user::ids(api, people)? }))?
            };
            screen.show(&answer, last_resort)
        }
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

fn who(now: &OnCall, look: &Look) -> String {
    let places = places(&now.items, look);
    if now.schedules.is_empty() {
        return places;
    }
    let duties = duties(&now.schedules, look);
    format!("{places}\n{duties}")
}

fn last_resort(list: &LastResort, look: &Look) -> String {
    let mut table = Table::new(&["LAST RESORT", "ID"]);
    for one in &list.users {
        table.row([(&one.name).into(), (&one.id).into()]);
    }
    table.draw(look, "Nobody is on the list of last resort.")
}

fn duties(all: &[Duty], look: &Look) -> String {
    let mut table = Table::new(&["SCHEDULE", "NOW", "UNTIL", "NEXT", "FROM"]);
    for one in all {
        let person = match &one.now {
            Some(shift) => Cell::from(&shift.user.name),
            None => Cell::toned("nobody", Tone::Bad),
        };
        let next = one.next.as_ref();
        table.row([
            (&one.schedule.name).into(),
            person,
            one.until
                .map(|until| look.moment(until.0))
                .unwrap_or_default()
                .into(),
            name_or(next.map(|shift| &shift.user), "").into(),
            next.map(|shift| look.clock(shift.from.0))
                .unwrap_or_default()
                .into(),
        ]);
    }
    table.draw(look, "There are no schedules.")
}

fn findings(all: &[Finding], look: &Look) -> String {
    let mut table = Table::new(&["SINCE", "UNTIL", "WHAT"]);
    for one in all {
        let until = one.until.map(|until| look.clock(until.0));
        table.row([
            look.moment(one.since.0).into(),
            until.unwrap_or_default().into(),
            (&one.text).into(),
        ]);
    }
    table.draw(
        look,
        "In the next 14 days every page would find somebody who can be reached.",
    )
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
            let mut pages: Vec<String> = level.targets.iter().map(named).collect();
            if pages.is_empty() {
                pages.push("nobody".to_owned());
            }
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
    fn who_is_on_call_tells_of_each_schedule_until_when_and_who_is_next() {
        let given = r#"{"items":[],"schedules":[
            {"schedule":{"id":"Q2","name":"Days"},"time_zone":"UTC","until":"2026-11-23T17:15:58Z",
             "now":{"from":"2026-11-23T05:15:58Z","until":"2026-11-23T17:15:58Z","user":{"id":"Q3","name":"Ann"},
                    "reason":{"kind":"layer","layer":0,"id":null}},
             "next":{"from":"2026-11-23T17:15:58Z","until":"2026-11-24T05:15:58Z","user":{"id":"Q4","name":"Bob"},
                     "reason":{"kind":"override","layer":null,"id":"QO"}}},
            {"schedule":{"id":"Q5","name":"Nights"},"time_zone":"UTC","until":null,"now":null,"next":null}]}"#;
        let now: OnCall = Answer::of(given).parsed().unwrap();
        assert_eq!(
            who(&now, &Look::of_test()).lines().collect::<Vec<_>>(),
            [
                "Nobody is on call: no escalation policy is in use.",
                "",
                "SCHEDULE  NOW     UNTIL                             NEXT  FROM",
                "Days      Ann     in 10 h, 2026-11-23 18:15:58 CET  Bob   2026-11-23 18:15:58 CET",
                "Nights    nobody",
            ]
        );
    }

    #[test]
    fn findings_say_what_will_be_wrong_and_when() {
        check(
            r#"{"items":[{"key":"gap:Q1:0-5-0","kind":"gap","text":"Nobody is on call in \"Days\"\u001b[2J",
                "since":"2026-11-23T17:15:58Z","until":null,"times":1}],"days":14}"#,
            findings,
            &[
                "SINCE                             UNTIL  WHAT",
                "in 10 h, 2026-11-23 18:15:58 CET         Nobody is on call in \"Days\"[2J",
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
                {"delay_minutes":0.5,"targets":[{"kind":"schedule","id":"Q9"}]}]},
                {"id":"Q2","name":"Db","repeat":0,"levels":[{"delay_minutes":5,"targets":[]}]}]}"#,
            |all, look| policies(all, &known, look),
            &[
                "NAME  LEVEL  PAGES                   NEXT LEVEL AFTER             ID",
                "Web   1      user Ann (one in turn)  5 min                        Q1",
                "      2      schedule Q9             0.5 min, then again 2 times",
                "Db    1      nobody                  5 min                        Q2",
            ],
        );
    }
}

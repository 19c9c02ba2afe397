//! `tocsin schedule …`: whose turn it is, and what is changed of that by hand.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use jiff::Span;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::api::Api;
use super::failure::Failure;
use super::given::{self, choose, end_of, instant, whole, wire};
use super::look::{Look, Tone};
use super::plain::{Plain, line};
use super::rota::{self, Entry, Shift};
use super::screen::Screen;
use super::shape::{Moment, Named, name_or, names};
use super::swap::{self, Swap};
use super::table::{Cell, Table, facts};
use super::user;

/// Largest file of a schedule to preview, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What can be done with schedules.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// List schedules and whose turn it is
    List,
    /// Show one schedule: its layers, and what was changed by hand
    Show {
        /// Its name or id
        schedule: String,
    },
    /// Show who is on call in a span of time
    Render {
        /// Its name or id
        schedule: String,
        #[command(flatten)]
        range: Range,
        /// Show what one layer says by itself, counted from 1
        #[arg(long, value_name = "N")]
        layer: Option<usize>,
    },
    /// Put one person on call for a while, or take that back
    Override(Override),
    /// Exchange shifts between two people
    Swap {
        #[command(subcommand)]
        verb: swap::Verb,
    },
    /// Show what a change would make of who is on call; nothing is changed
    Preview {
        /// The schedule it is about, by name or id; without it a new one is previewed
        schedule: Option<String>,
        /// A JSON file of what would change: time_zone, layers, overrides, temporary, as the API takes them
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        range: Range,
    },
}

/// A span of time that is looked at.
#[derive(Clone, Debug, Args)]
pub(crate) struct Range {
    /// From when on: now, "2026-11-23 22:00" (your clock), 2026-11-23T22:00:00Z
    #[arg(long, default_value = "now", value_name = "TIME")]
    since: String,
    /// How long: 12h, 14d
    #[arg(long = "for", id = "span", value_name = "SPAN", value_parser = given::span, default_value = "14d")]
    span: Span,
}

impl Range {
    /// `since` and `until` as the API takes them.
    pub(super) fn ends(&self, look: &Look) -> Result<[(&'static str, String); 2], Failure> {
        let since = instant(&self.since, look)?;
        let until = end_of(self.span, since, look)?;
        Ok([("since", wire(since)), ("until", wire(until))])
    }
}

/// One person on call for a while.
#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["until", "span", "remove"])))]
pub(crate) struct Override {
    /// The schedule's name or id
    schedule: String,
    /// Who is on call: name, mail address or id; without it, the owner of the token
    #[arg(long)]
    user: Option<String>,
    /// When it begins: now, "2026-11-23 22:00" (your clock), 2026-11-23T22:00:00Z
    #[arg(long, default_value = "now", value_name = "TIME")]
    from: String,
    /// When it ends
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How long it lasts: 45m, 2h, 1d
    #[arg(long = "for", id = "span", value_name = "SPAN", value_parser = given::span)]
    span: Option<Span>,
    /// Take back the one with this id; one that has begun ends now
    #[arg(long, value_name = "ID", value_parser = given::id)]
    remove: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Schedule {
    id: Plain,
    name: Plain,
    time_zone: Plain,
    #[serde(default)]
    layers: Vec<Layer>,
    #[serde(default)]
    temporary: Vec<Temporary>,
    #[serde(default)]
    swaps: Vec<Swap>,
    #[serde(default)]
    overrides: Vec<Overridden>,
    #[serde(default)]
    people: Vec<Named>,
    #[serde(default)]
    on_call_now: Option<Named>,
    #[serde(default)]
    next_handoff_at: Option<Moment>,
    #[serde(default)]
    next: Option<Shift>,
}

#[derive(Debug, Deserialize)]
struct Layer {
    turn: Turn,
    #[serde(default)]
    members: Vec<Plain>,
    #[serde(default)]
    until: Option<Moment>,
    #[serde(default)]
    restrictions: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Turn {
    every: u64,
    unit: Plain,
}

#[derive(Debug, Deserialize)]
struct Temporary {
    id: Plain,
    from: Moment,
    until: Moment,
    #[serde(default)]
    members: Vec<Named>,
}

#[derive(Debug, Deserialize)]
struct Overridden {
    id: Plain,
    user: Named,
    from: Moment,
    until: Moment,
}

#[derive(Debug, Deserialize)]
struct Rendered {
    name: Plain,
    r#final: Vec<Entry>,
    #[serde(default)]
    layers: Vec<RenderedLayer>,
    #[serde(default)]
    changes: Vec<Changed>,
}

#[derive(Debug, Deserialize)]
struct RenderedLayer {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Changed {
    from: Moment,
    until: Moment,
    before: Option<Named>,
    after: Option<Named>,
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::List => screen.show_list(&api.get(&["schedules"], &whole())?, list),
        Verb::Show { schedule } => {
            let id = named(api, schedule)?.id;
            screen.show(&api.get(&["schedules", id.as_str()], &[])?, shown)
        }
        Verb::Render {
            schedule,
            range,
            layer,
        } => {
            let query = range.ends(&screen.look)?;
            let id = named(api, schedule)?.id;
            let answer = api.get(&["schedules", id.as_str(), "rendered"], &query)?;
            rendered(&answer, *layer, screen)
        }
        Verb::Override(over) => overridden(api, screen, over),
        Verb::Swap { verb } => swap::run(verb, api, screen),
        Verb::Preview {
            schedule,
            file,
            range,
        } => preview(api, screen, schedule.as_deref(), file, range),
    }
}

/// The schedule that somebody names.
pub(super) fn named(api: &Api, given: &str) -> Result<Named, Failure> {
    let all: Vec<Named> = given::all(api, &["schedules"])?;
    choose(all, "schedule", given, |one| &one.id, |one| vec![&one.name])
}

/// The person that is named, or the owner of the token.
pub(super) fn person(api: &Api, given: Option<&str>) -> Result<Named, Failure> {
    match given {
        Some(given) => {
            let user = user::named(api, given)?;
            Ok(Named {
                id: user.id,
                name: user.name,
            })
        }
        None => api.get(&["me"], &[])?.parsed(),
    }
}

fn list(all: &[Schedule], look: &Look) -> String {
    let mut table = Table::new(&[
        "NAME",
        "ON CALL",
        "NEXT HAND-OFF",
        "THEN",
        "TURNS",
        "TIME ZONE",
        "ID",
    ]);
    for one in all {
        let turns: Vec<String> = one.layers.iter().map(turns).collect();
        let next = one.next_handoff_at.map(|next| look.moment(next.0));
        let person = match &one.on_call_now {
            Some(user) => Cell::from(&user.name),
            None => Cell::toned("nobody", Tone::Bad),
        };
        table.row([
            (&one.name).into(),
            person,
            next.unwrap_or_default().into(),
            name_or(one.next.as_ref().map(|shift| &shift.user), "").into(),
            turns.join("; ").into(),
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

fn shown(one: &Schedule, look: &Look) -> String {
    let hand_off = one.next_handoff_at.map(|next| look.moment_with_utc(next.0));
    let mut told = facts(
        &[
            ("schedule", format!("{} ({})", one.name, one.id)),
            ("time zone", one.time_zone.to_string()),
            ("on call", name_or(one.on_call_now.as_ref(), "nobody")),
            ("until", hand_off.unwrap_or_default()),
            (
                "then",
                name_or(one.next.as_ref().map(|shift| &shift.user), "nobody"),
            ),
        ],
        look,
    );
    for (index, layer) in one.layers.iter().enumerate() {
        told.push_str(&format!("\n{}\n", layer_line(index, layer, one, look)));
    }
    for fixed in &one.temporary {
        let span = between(fixed.from, fixed.until, look);
        told.push_str(&format!(
            "\nTemporary shift {} {span}: {}\n",
            fixed.id,
            names(&fixed.members)
        ));
    }
    for swap in &one.swaps {
        let (id, state) = (&swap.id, &swap.state);
        told.push_str(&format!("\nSwap {id} ({state}): {}\n", swap.told(look)));
    }
    for over in &one.overrides {
        let span = between(over.from, over.until, look);
        told.push_str(&format!(
            "\nOverride {} {span}: {}\n",
            over.id, over.user.name
        ));
    }
    told
}

fn layer_line(index: usize, layer: &Layer, schedule: &Schedule, look: &Look) -> String {
    let name = |id: &Plain| {
        let mut known = schedule.people.iter();
        let found = known.find(|person| person.id == *id);
        found.map_or(id, |person| &person.name).to_string()
    };
    let members: Vec<String> = layer.members.iter().map(name).collect();
    let restricted = match layer.restrictions.len() {
        0 => String::new(),
        1 => ", in 1 window of time".to_owned(),
        count => format!(", in {count} windows of time"),
    };
    let until = layer.until.map(|until| look.clock(until.0));
    let until = until.map(|until| format!(", until {until}"));
    format!(
        "Layer {}: {}{restricted}{}: {}",
        index + 1,
        turns(layer),
        until.unwrap_or_default(),
        members.join(", ")
    )
}

fn between(from: Moment, until: Moment, look: &Look) -> String {
    format!("from {} until {}", look.clock(from.0), look.clock(until.0))
}

fn rendered(
    answer: &super::api::Answer,
    layer: Option<usize>,
    screen: &Screen,
) -> Result<(), Failure> {
    let Some(layer) = layer.filter(|_| !screen.wants_json()) else {
        return screen.show(answer, |one: &Rendered, look| {
            rota::table(&one.r#final, look)
        });
    };
    let one: Rendered = answer.parsed()?;
    let found = layer.checked_sub(1).and_then(|index| one.layers.get(index));
    let Some(found) = found else {
        return Err(Failure::Refused(format!(
            "{} has {} layers; --layer counts them from 1",
            one.name,
            one.layers.len()
        )));
    };
    screen.say(&rota::table(&found.entries, &screen.look))
}

fn overridden(api: &Api, screen: &Screen, over: &Override) -> Result<(), Failure> {
    let look = &screen.look;
    let schedule = named(api, &over.schedule)?;
    if let Some(id) = &over.remove {
        let answer = api.delete(&["schedules", schedule.id.as_str(), "overrides", id])?;
        return screen.done(
            &answer,
            &format!("The override of {} is gone.", schedule.name),
        );
    }
    let from = instant(&over.from, look)?;
    let until = match (&over.until, over.span) {
        (Some(until), _) => instant(until, look)?,
        (None, Some(span)) => end_of(span, from, look)?,
        (None, None) => {
            return Err(Failure::Usage(
                "say when it ends, by --until or --for".to_owned(),
            ));
        }
    };
    let person = person(api, over.user.as_deref())?;
    let body = json!({ "user_id": person.id.as_str(), "from": wire(from), "until": wire(until) });
    let answer = api.post(&["schedules", schedule.id.as_str(), "overrides"], &body)?;
    let sentence = format!(
        "{} is on call in {} from {} until {}.",
        person.name,
        schedule.name,
        look.clock(from),
        look.clock(until)
    );
    screen.done(&answer, &sentence)
}

fn preview(
    api: &Api,
    screen: &Screen,
    schedule: Option<&str>,
    file: &Path,
    range: &Range,
) -> Result<(), Failure> {
    let mut body = read(file)?;
    if let Some(given) = schedule {
        let id = named(api, given)?.id;
        body.insert("schedule_id".to_owned(), json!(id.as_str()));
    }
    for (key, value) in range.ends(&screen.look)? {
        body.insert(key.to_owned(), json!(value));
    }
    let answer = api.post(&["schedules", "preview"], &Value::Object(body))?;
    screen.show(&answer, previewed)
}

fn read(file: &Path) -> Result<Map<String, Value>, Failure> {
    let wrong = |why: String| {
        let file = line(&file.to_string_lossy());
        Failure::Usage(format!("--file {file}: {}", line(&why)))
    };
    let size = std::fs::metadata(file).map_err(|error| wrong(error.to_string()))?;
    if size.len() > FILE_BYTES_MAX {
        return Err(wrong(format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

fn previewed(one: &Rendered, look: &Look) -> String {
    let mut table = Table::new(&["FROM", "UNTIL", "NOW", "WOULD BE"]);
    let name = |user: Option<&Named>| match user {
        Some(user) => Cell::from(&user.name),
        None => Cell::toned("nobody", Tone::Bad),
    };
    for change in &one.changes {
        table.row([
            look.clock(change.from.0).into(),
            look.clock(change.until.0).into(),
            name(change.before.as_ref()),
            name(change.after.as_ref()),
        ]);
    }
    let gaps = one.r#final.iter().filter(|entry| entry.is_gap()).count();
    let gaps = match gaps {
        0 => String::new(),
        1 => "\nNobody would be on call in 1 gap.\n".to_owned(),
        count => format!("\nNobody would be on call in {count} gaps.\n"),
    };
    table.draw(look, "It would change nothing of who is on call.") + &gaps
}

//! `tocsin explain …` and `tocsin simulate …`: why somebody was paged, or nobody; and who would be contacted when.

use clap::ValueEnum;
use serde::Deserialize;

use super::api::Api;
use super::failure::Failure;
use super::given;
use super::look::{Look, length};
use super::plain::Plain;
use super::screen::Screen;
use super::service;
use super::shape::{Moment, Named, names};
use super::table::Table;
use super::target;

/// Reads what is to be explained: a message's id, an incident's number (`12`, `#12`) or id.
pub(super) fn page(text: &str) -> Result<String, String> {
    given::incident(text)
        .map_err(|_| "expected the id of a message, or the number or id of an incident".to_owned())
}

#[derive(Debug, Deserialize)]
pub(super) struct Explanation {
    #[serde(default)]
    incident: Option<Incident>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
struct Incident {
    number: u64,
    title: Plain,
}

#[derive(Debug, Deserialize)]
struct Step {
    text: Plain,
}

/// A number is an incident's; an id may be a message's or an incident's, so both are asked.
pub(super) fn explain(page: &str, api: &Api, screen: &Screen) -> Result<(), Failure> {
    let of_incident = || api.get(&["incidents", page, "explanation"], &[]);
    let answer = if page.bytes().all(|byte| byte.is_ascii_digit()) {
        of_incident()?
    } else {
        match api.get(&["notifications", page, "explanation"], &[]) {
            Err(Failure::Refused(_)) => of_incident()?,
            other => other?,
        }
    };
    screen.show(&answer, drawn)
}

pub(super) fn drawn(explanation: &Explanation, _: &Look) -> String {
    let mut text = String::new();
    if let Some(incident) = &explanation.incident {
        text.push_str(&format!("#{} {}\n\n", incident.number, incident.title));
    }
    for step in &explanation.steps {
        text.push_str(&format!("- {}\n", step.text));
    }
    text
}

/// How loudly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Urgency {
    /// Pages
    High,
    /// Pages nobody
    Low,
}

#[derive(Debug, Deserialize)]
pub(super) struct Simulation {
    service: Named,
    #[serde(default)]
    target: Option<Named>,
    at: Moment,
    steps: Vec<Simulated>,
    end: Plain,
    #[serde(default)]
    quiet_targets: Vec<QuietTarget>,
}

/// A target of whose own alerts nobody would be told.
#[derive(Debug, Deserialize)]
struct QuietTarget {
    target: Named,
    why: Plain,
    until: Moment,
}

#[derive(Debug, Deserialize)]
struct Simulated {
    after_ms: u64,
    kind: Plain,
    #[serde(default)]
    level: Option<u64>,
    #[serde(default, rename = "loop")]
    round: u64,
    #[serde(default)]
    user: Option<Named>,
    #[serde(default)]
    channel: Plain,
    #[serde(default)]
    label: Plain,
    #[serde(default)]
    people: Vec<Named>,
    #[serde(default)]
    skipped: Vec<Plain>,
    /// One reason, or several.
    #[serde(default)]
    why: Reasons,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Reasons {
    One(Plain),
    Several(Vec<Plain>),
}

impl Default for Reasons {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Reasons {
    fn text(&self) -> String {
        match self {
            Self::One(one) => one.to_string(),
            Self::Several(all) => joined(all),
        }
    }
}

fn joined(all: &[Plain]) -> String {
    let all: Vec<&str> = all.iter().map(Plain::as_str).collect();
    all.join("; ")
}

/// What is to be played through.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SimulateArguments {
    /// The service, by name or id
    service: String,
    /// Imagine an alert of this watched server of the service, by name or id: its mutes and planned work count then
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// When it fails: now, "2026-11-23 08:12" or 2026-11-23T07:12:58Z
    #[arg(long, default_value = "now", value_name = "TIME")]
    at: String,
    /// How loudly it asks
    #[arg(long, value_enum, default_value_t = Urgency::High)]
    urgency: Urgency,
}

pub(super) fn run_simulation(
    wanted: &SimulateArguments,
    api: &Api,
    screen: &Screen,
) -> Result<(), Failure> {
    let at = given::instant(&wanted.at, &screen.look)?;
    let service = service::named(api, &wanted.service)?;
    let urgency = match wanted.urgency {
        Urgency::High => "high",
        Urgency::Low => "low",
    };
    let mut query = vec![("at", given::wire(at)), ("urgency", urgency.to_owned())];
    if let Some(name) = &wanted.target {
        let target = target::named(api, name)?;
        query.push(("target", target.id.to_string()));
    }
    let answer = api.get(&["services", service.as_str(), "simulation"], &query)?;
    screen.show(&answer, played)
}

pub(super) fn played(simulation: &Simulation, look: &Look) -> String {
    let mut table = Table::new(&["AFTER", "WHAT", "WHO", "BY", "WHY"]);
    for step in &simulation.steps {
        let round = match step.round {
            0 => String::new(),
            round => format!(", round {}", round + 1),
        };
        let what = match (step.kind.as_str(), step.level) {
            ("contact", Some(level)) => format!("  contacts (level {level}{round})"),
            ("contact", None) => "  contacts (last resort)".to_owned(),
            ("level", Some(level)) => format!("level {level}{round}"),
            ("fallback", _) => "list of last resort".to_owned(),
            ("held", _) => "the page waits".to_owned(),
            ("suppressed", _) => "nobody is paged".to_owned(),
            (other, _) => other.to_owned(),
        };
        let who = step
            .user
            .as_ref()
            .map_or_else(|| names(&step.people), |user| user.name.to_string());
        let by = match (step.channel.as_str(), step.label.as_str()) {
            (channel, "") => channel.to_owned(),
            (channel, label) => format!("{channel} ({label})"),
        };
        let passed = joined(&step.skipped);
        let why = if passed.is_empty() {
            step.why.text()
        } else {
            format!("passed over: {passed}")
        };
        table.row([
            length(step.after_ms / 1_000).into(),
            what.into(),
            who.into(),
            by.into(),
            why.into(),
        ]);
    }
    let end = match simulation.end.as_str() {
        "repeats" => "It goes on like that every 15 minutes, until somebody takes it.",
        "day" => "What comes after 24 hours is not shown.",
        "nothing" => "Nothing more happens.",
        _ => "More happens than is shown.",
    };
    let of = simulation.target.as_ref();
    let what = of.map_or_else(
        || simulation.service.name.to_string(),
        |target| format!("{} of {}", target.name, simulation.service.name),
    );
    let mut text = format!(
        "If {what} failed {} and nobody answered:\n\n{}\n{end}\n",
        look.moment_with_utc(simulation.at.0),
        table.draw(look, "Nobody is contacted.")
    );
    for quiet in &simulation.quiet_targets {
        let (name, why) = (&quiet.target.name, &quiet.why);
        let until = look.moment_with_utc(quiet.until.0);
        text.push_str(&format!(
            "Alerts of {name} itself are suppressed until {until}: {why}.\n"
        ));
    }
    text
}

//! `tocsin heartbeat …`: jobs that must call in.

use clap::Subcommand;
use jiff::{Span, SpanRelativeTo, Unit};
use serde::Deserialize;
use serde_json::json;

use super::api::Api;
use super::failure::Failure;
use super::given::{self, choose, whole};
use super::look::{Look, Tone, length};
use super::plain::Plain;
use super::screen::Screen;
use super::service;
use super::shape::{Moment, Named};
use super::table::{Cell, Table};

/// What can be done with heartbeats.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// List jobs that must call in, and how each is
    List,
    /// Add a job that must call in; the address to call is shown this once
    Add {
        /// What the job is called
        name: String,
        /// How long after a call the next one is expected: 5m, 1h, 1d
        #[arg(long, value_name = "SPAN", value_parser = given::span)]
        every: Span,
        /// How late it may be
        #[arg(long, value_name = "SPAN", default_value = "5m", value_parser = given::span)]
        grace: Span,
        /// The service that fails when it does not call, by name or id; the default one when not given
        #[arg(long)]
        service: Option<String>,
        /// How bad it is: critical, error, warning, info
        #[arg(long, default_value = "error", value_parser = ["critical", "error", "warning", "info"])]
        severity: String,
    },
    /// Remove a job: its address is dead
    Remove {
        /// Its name or id
        heartbeat: String,
    },
}

#[derive(Debug, Deserialize)]
struct Heartbeat {
    id: Plain,
    name: Plain,
    status: Plain,
    every_seconds: u64,
    service: Named,
    #[serde(default)]
    last_call_at: Option<Moment>,
    #[serde(default)]
    missed_at: Option<Moment>,
}

#[derive(Deserialize)]
struct Made {
    url: Plain,
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::List => {
            let answer = api.get(&["heartbeats"], &whole())?;
            screen.show_list(&answer, list)
        }
        Verb::Add {
            name,
            every,
            grace,
            service,
            severity,
        } => {
            let service = service
                .as_ref()
                .map(|given| service::named(api, given))
                .transpose()?;
            let body = json!({
                "name": name,
                "service_id": service.map(|id| id.to_string()),
                "every_seconds": seconds(*every)?,
                "grace_seconds": seconds(*grace)?,
                "severity": severity,
            });
            let answer = api.post(&["heartbeats"], &body)?;
            screen.show(&answer, |made: &Made, _| made.url.to_string())?;
            screen.note(
                "This is the only time the address is shown. Call it (GET, HEAD or POST) whenever the job is done; ADDRESS/start and ADDRESS/fail say more.",
            );
            Ok(())
        }
        Verb::Remove { heartbeat } => {
            let all: Vec<Heartbeat> = given::all(api, &["heartbeats"])?;
            let found = choose(
                all,
                "heartbeat",
                heartbeat,
                |one| &one.id,
                |one| vec![&one.name],
            )?;
            let answer = api.delete(&["heartbeats", found.id.as_str()])?;
            screen.done(&answer, &format!("{} is removed.", found.name))
        }
    }
}

fn seconds(span: Span) -> Result<i64, Failure> {
    let days = SpanRelativeTo::days_are_24_hours();
    let total = span
        .total((Unit::Second, days))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a span of time that jiff takes, in seconds, fits"
    )]
    Ok(total as i64)
}

fn list(all: &[Heartbeat], look: &Look) -> String {
    let mut table = Table::new(&[
        "NAME",
        "NOW",
        "EVERY",
        "LAST CALL",
        "MISSED AT",
        "SERVICE",
        "ID",
    ]);
    let moment = |at: &Option<Moment>, none: &str| -> Cell {
        at.as_ref()
            .map_or_else(|| none.to_owned(), |at| look.moment(at.0))
            .into()
    };
    for one in all {
        let now = match one.status.as_str() {
            "up" => Cell::toned("up", Tone::Good),
            "down" => Cell::toned("down", Tone::Bad),
            other => Cell::toned(other, Tone::Faint),
        };
        table.row([
            (&one.name).into(),
            now,
            length(one.every_seconds).into(),
            moment(&one.last_call_at, "never"),
            moment(&one.missed_at, ""),
            (&one.service.name).into(),
            (&one.id).into(),
        ]);
    }
    table.draw(look, "There are no heartbeats.")
}

//! `tocsin incident …`: incidents listed, shown, acknowledged, resolved, noted on, and their postmortems. How they look is
//! drawn elsewhere.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::api::{Answer, Api};
use super::failure::Failure;
use super::given::{self, Paging};
use super::incident_respond::{self, RespondVerb};
use super::incident_view::{self, Summary};
use super::plain;
use super::screen::Screen;
use super::target;

/// Bytes of a note read from standard input at most; the server takes 4000 characters.
const NOTE_BYTES_MAX: u64 = 64 * 1024;

/// What can be done with incidents.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// List incidents, newest first
    List {
        /// Only those that stand so
        #[arg(long, value_enum, default_value_t = Status::All)]
        status: Status,
        /// Only those of this target, by name or id
        #[arg(long)]
        target: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one incident: alerts, pages, impact, why somebody was paged
    Show {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
    },
    /// Take an incident: escalation stops
    #[command(alias = "acknowledge")]
    Ack {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
    },
    /// Declare an incident over
    Resolve {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
        /// What was the matter, or what helped
        #[arg(long)]
        note: Option<String>,
    },
    #[command(flatten)]
    Respond(RespondVerb),
    /// Write a note into the timeline
    Note {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
        /// The note; - reads it from standard input
        text: String,
    },
    /// Show what happened, step by step
    Timeline {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
        #[command(flatten)]
        paging: Paging,
    },
    /// Print or save the postmortem
    Postmortem {
        /// Its number or id
        #[arg(value_parser = given::incident)]
        incident: String,
        /// How it is written; --json means json
        #[arg(long, value_enum, default_value_t = Format::Markdown)]
        format: Format,
        /// How much of it
        #[arg(long, value_enum, default_value_t = Length::Full)]
        length: Length,
        /// A draft of an incident that is not over
        #[arg(long)]
        draft: bool,
        /// Write it to this file, exactly as the server sent it
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Replace the file when there is one
        #[arg(long, requires = "output")]
        force: bool,
    },
}

/// Which incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// Not resolved
    Open,
    /// Over
    Resolved,
    /// Both
    All,
}

/// How a postmortem is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text with headings
    Markdown,
    /// One page for a browser
    Html,
    /// The facts alone
    Json,
    /// The picture of the chain
    Svg,
}

/// How much of a postmortem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Length {
    /// About 500 words
    Brief,
    /// Everything
    Full,
}

fn word(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::List {
            status,
            target,
            paging,
        } => list(api, screen, *status, target.as_deref(), paging),
        Verb::Show { incident } => {
            let answer = api.get(&["incidents", incident], &[])?;
            screen.show(&answer, incident_view::detail)
        }
        Verb::Ack { incident } => {
            let answer = api.post(&["incidents", incident, "acknowledge"], &json!({}))?;
            changed(&answer, screen)
        }
        Verb::Resolve { incident, note } => {
            let body = note
                .as_ref()
                .map_or_else(|| json!({}), |note| json!({ "note": note }));
            let answer = api.post(&["incidents", incident, "resolve"], &body)?;
            changed(&answer, screen)
        }
        Verb::Respond(verb) => incident_respond::run(verb, api, screen),
        Verb::Note { incident, text } => {
            let text = if text == "-" {
                from_stdin()?
            } else {
                text.clone()
            };
            let answer = api.post(&["incidents", incident, "notes"], &json!({ "text": text }))?;
            screen.done(&answer, "The note is in the timeline.")
        }
        Verb::Timeline { incident, paging } => {
            let answer = api.get(&["incidents", incident, "timeline"], &paging.query())?;
            screen.show_list(&answer, incident_view::timeline)
        }
        Verb::Postmortem {
            incident,
            format,
            length,
            draft,
            output,
            force,
        } => {
            let format = if screen.wants_json() {
                Format::Json
            } else {
                *format
            };
            let mut query = vec![("format", word(&format)), ("length", word(length))];
            query.extend(draft.then(|| ("draft", "1".to_owned())));
            let answer = api.get(&["incidents", incident, "postmortem"], &query)?;
            match output {
                Some(path) => save(&answer, path, *force, screen),
                None => print(&answer, format, screen),
            }
        }
    }
}

fn list(
    api: &Api,
    screen: &Screen,
    status: Status,
    target: Option<&str>,
    paging: &Paging,
) -> Result<(), Failure> {
    let mut query = paging.query();
    query.push(("status", word(&status)));
    if let Some(target) = target {
        query.push(("target", target::named(api, target)?.id.to_string()));
    }
    let answer = api.get(&["incidents"], &query)?;
    screen.show_list(&answer, incident_view::list)
}

fn changed(answer: &Answer, screen: &Screen) -> Result<(), Failure> {
    screen.show(answer, |summary: &Summary, look| {
        incident_view::changed(summary, look)
    })
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin()
        .lock()
        .take(NOTE_BYTES_MAX)
        .read_to_string(&mut text);
    read.map_err(|error| {
        Failure::Refused(format!(
            "the note cannot be read from standard input: {error}"
        ))
    })?;
    Ok(text.trim_end().to_owned())
}

fn print(answer: &Answer, format: Format, screen: &Screen) -> Result<(), Failure> {
    match format {
        Format::Json => screen.say(&answer.json()?),
        Format::Markdown | Format::Html | Format::Svg => {
            screen.say(&plain::lines(&String::from_utf8_lossy(answer.bytes())))
        }
    }
}

/// Writes the document; a file that is there may have been edited since, so it is kept unless told otherwise.
fn save(answer: &Answer, path: &Path, force: bool, screen: &Screen) -> Result<(), Failure> {
    let shown = plain::line(&path.to_string_lossy());
    let opened = if force {
        File::create(path)
    } else {
        File::create_new(path)
    };
    let mut file = opened.map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Failure::Refused(format!(
                "{shown} is there already and was kept; give another name, or --force to replace it"
            ))
        } else {
            Failure::Refused(format!("{shown}: {error}"))
        }
    })?;
    let written = file
        .write_all(answer.bytes())
        .and_then(|()| file.sync_all());
    written.map_err(|error| Failure::Refused(format!("{shown} is incomplete: {error}")))?;
    screen.note(&format!(
        "Written to {shown} ({} bytes).",
        answer.bytes().len()
    ));
    Ok(())
}

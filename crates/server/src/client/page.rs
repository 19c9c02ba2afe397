//! `tocsin page test`: a test page by every way to reach a person, and what became of it. It decides nothing about real pages.

use std::time::Duration;

use clap::Subcommand;
use serde::Deserialize;
use serde_json::json;

use super::api::{Answer, Api};
use super::failure::Failure;
use super::given::choose;
use super::look::Look;
use super::plain::Plain;
use super::screen::Screen;
use super::shape::{Moment, Named};
use super::table::{Cell, Table};
use super::user::{self, ContactMethod, User};

/// How often the state is asked for; with the pause between, about 30 s.
const POLLS_MAX: u32 = 60;
/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(500);

/// What can be done with pages.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Verb {
    /// Send a test page by every contact method of a person, and wait for what becomes of it
    Test {
        /// Whom: mail address, name or id; without it, the owner of the token
        #[arg(long)]
        user: Option<String>,
        /// Only by this contact method: its label, kind or id
        #[arg(long)]
        method: Option<String>,
    },
}

/// One message to one person by one contact method.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Notification {
    user: Named,
    channel: Plain,
    #[serde(default)]
    label: Plain,
    #[serde(default)]
    level: Option<u64>,
    #[serde(default)]
    purpose: Plain,
    state: Plain,
    #[serde(default)]
    attempts: Vec<Attempt>,
}

#[derive(Clone, Debug, Deserialize)]
struct Attempt {
    number: u64,
    started_at: Moment,
    #[serde(default)]
    finished_at: Option<Moment>,
    #[serde(default)]
    outcome: Option<Plain>,
    #[serde(default)]
    detail: Plain,
}

#[derive(Deserialize)]
struct Planned {
    notification_id: Plain,
}

pub(super) fn run(verb: &Verb, api: &Api, screen: &Screen) -> Result<(), Failure> {
    match verb {
        Verb::Test { user, method } => {
            let person = match user {
                Some(given) => user::named(api, given)?,
                None => api
                    .get(&["me"], &[])
                    .and_then(|answer| answer.parsed())
                    .map_err(without_person)?,
            };
            let methods = wanted(&person, method.as_deref())?;
            test(api, screen, &person, &methods, &mut || {
                std::thread::sleep(PAUSE)
            })
        }
    }
}

/// A token of the installation is nobody's.
fn without_person(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(text) => {
            Failure::Refused(format!("{text}\n  Say whom to page by --user."))
        }
        Failure::Usage(_) | Failure::Unreachable(_) | Failure::ReaderGone => failure,
    }
}

fn wanted<'u>(person: &'u User, method: Option<&str>) -> Result<Vec<&'u ContactMethod>, Failure> {
    let all: Vec<&ContactMethod> = person.contact_methods.iter().collect();
    if all.is_empty() {
        let text = format!(
            "{} has no contact method; add one under People in the browser",
            person.name
        );
        return Err(Failure::Refused(text));
    }
    let Some(given) = method else { return Ok(all) };
    choose(
        all,
        "contact method",
        given,
        |one| &one.id,
        |one| vec![&one.label, &one.kind],
    )
    .map(|one| vec![one])
}

/// A message that is followed to its end.
struct Followed<'u> {
    method: &'u ContactMethod,
    id: Plain,
    told: usize,
    last: Option<(Answer, Notification)>,
}

impl Followed<'_> {
    fn state(&self) -> &str {
        self.last
            .as_ref()
            .map_or("planned", |(_, message)| message.state.as_str())
    }

    fn is_decided(&self) -> bool {
        matches!(self.state(), "delivered" | "failed" | "cancelled")
    }
}

/// Sends the test pages, tells every attempt as it ends, and waits until all are decided.
pub(super) fn test(
    api: &Api,
    screen: &Screen,
    person: &User,
    methods: &[&ContactMethod],
    pause: &mut dyn FnMut(),
) -> Result<(), Failure> {
    let mut followed = Vec::new();
    for method in methods {
        let path = [
            "users",
            person.id.as_str(),
            "contact-methods",
            method.id.as_str(),
            "test",
        ];
        let planned: Planned = api.post(&path, &json!({}))?.parsed()?;
        followed.push(Followed {
            method,
            id: planned.notification_id,
            told: 0,
            last: None,
        });
        if !screen.wants_json() {
            screen.say(&announced(person, method))?;
        }
    }
    for poll in 0..POLLS_MAX {
        if poll > 0 {
            pause();
        }
        for one in followed.iter_mut().filter(|one| !one.is_decided()) {
            look_at(api, screen, one)?;
        }
        if followed.iter().all(Followed::is_decided) {
            break;
        }
    }
    verdict(screen, &followed)
}

fn announced(person: &User, method: &ContactMethod) -> String {
    let code = if method.verified {
        ""
    } else {
        "; it carries the code that confirms this way"
    };
    format!("Test page to {} by {}{code}", person.name, method.named())
}

fn look_at(api: &Api, screen: &Screen, one: &mut Followed<'_>) -> Result<(), Failure> {
    let answer = api.get(&["notifications", one.id.as_str()], &[])?;
    let message: Notification = answer.parsed()?;
    let ended = message
        .attempts
        .iter()
        .filter(|attempt| attempt.outcome.is_some());
    for attempt in ended.skip(one.told) {
        one.told += 1;
        if !screen.wants_json() {
            screen.say(&attempt_line(one.method, attempt, &screen.look))?;
        }
    }
    one.last = Some((answer, message));
    Ok(())
}

fn attempt_line(method: &ContactMethod, attempt: &Attempt, look: &Look) -> String {
    let outcome = attempt
        .outcome
        .as_ref()
        .map_or_else(|| "under way".to_owned(), |outcome| look.state(outcome));
    let took = attempt
        .finished_at
        .map(|end| end.0.duration_since(attempt.started_at.0).as_millis());
    let took = took.map(|ms| format!(" after {ms} ms"));
    let detail = if attempt.detail.as_str().is_empty() {
        String::new()
    } else {
        format!(": {}", attempt.detail)
    };
    format!(
        "  {}, attempt {}: {outcome}{}{detail}",
        method.named(),
        attempt.number,
        took.unwrap_or_default()
    )
}

fn verdict(screen: &Screen, followed: &[Followed<'_>]) -> Result<(), Failure> {
    let mut bad = Vec::new();
    for one in followed {
        if let (true, Some((answer, _))) = (screen.wants_json(), &one.last) {
            screen.say(&answer.json()?)?;
        }
        match one.state() {
            "delivered" => {}
            "failed" => bad.push(format!("{} failed", one.method.named())),
            "cancelled" => bad.push(format!("{} was cancelled", one.method.named())),
            _ => bad.push(format!(
                "{} is still {} after 30 s",
                one.method.named(),
                Plain::new(one.state())
            )),
        }
    }
    if bad.is_empty() {
        let sentence = "Delivered: every provider took the test page. Did it arrive?";
        return if screen.wants_json() {
            Ok(())
        } else {
            screen.say(sentence)
        };
    }
    Err(Failure::Refused(format!(
        "{}\n  See `tocsin doctor` for what to do.",
        bad.join("; ")
    )))
}

/// Messages as part of an incident: who was told, how, and what became of it.
pub(super) fn sent(all: &[Notification], look: &Look) -> String {
    if all.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        "TO", "BY", "FOR", "LEVEL", "STATE", "TRIES", "LAST", "ANSWER",
    ]);
    for one in all {
        let last = one.attempts.last();
        table.row([
            (&one.user.name).into(),
            format!("{} {}", one.channel, one.label).into(),
            (&one.purpose).into(),
            one.level
                .map(|level| level.to_string())
                .unwrap_or_default()
                .into(),
            Cell::state(&one.state),
            one.attempts.len().to_string().into(),
            last.map(|last| look.moment(last.started_at.0))
                .unwrap_or_default()
                .into(),
            last.map(|last| last.detail.to_string())
                .unwrap_or_default()
                .into(),
        ]);
    }
    table.draw(look, "")
}

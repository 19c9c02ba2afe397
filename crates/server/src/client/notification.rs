//! One message to one person: its shape, how it looks, and following it until it is decided. Who gets it and why is not known
//! here.

use std::time::Duration;

use serde::Deserialize;

use super::api::{Answer, Api};
use super::failure::Failure;
use super::look::Look;
use super::plain::Plain;
use super::screen::Screen;
use super::shape::{Moment, Named};
use super::table::{Cell, Table};

/// How often the state is asked for; with the pause between, about 30 s.
const POLLS_MAX: u32 = 60;
/// Pause between two questions.
const PAUSE: Duration = Duration::from_millis(500);

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
    #[serde(default)]
    via: Option<Via>,
}

/// By which account it went.
#[derive(Clone, Debug, Deserialize)]
struct Via {
    name: Plain,
}

/// What the server answers when it has planned a message.
#[derive(Deserialize)]
pub(super) struct Planned {
    notification_id: Plain,
}

/// A message that is followed to its end.
pub(super) struct Followed {
    /// What its contact method is called here.
    named: String,
    id: Plain,
    told: usize,
    last: Option<(Answer, Notification)>,
}

impl Followed {
    pub(super) fn new(named: String, planned: Planned) -> Self {
        Self {
            named,
            id: planned.notification_id,
            told: 0,
            last: None,
        }
    }

    fn state(&self) -> &str {
        self.last
            .as_ref()
            .map_or("planned", |(_, message)| message.state.as_str())
    }

    fn is_decided(&self) -> bool {
        matches!(self.state(), "delivered" | "failed" | "cancelled")
    }
}

/// Waits half a second between two questions.
pub(super) fn pause() {
    std::thread::sleep(PAUSE);
}

/// Tells every attempt as it ends until all messages are decided, or half a minute is over. `bad` is what has failed before.
pub(super) fn follow(
    api: &Api,
    screen: &Screen,
    mut followed: Vec<Followed>,
    bad: Vec<String>,
    pause: &mut dyn FnMut(),
) -> Result<(), Failure> {
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
    verdict(screen, &followed, bad)
}

fn look_at(api: &Api, screen: &Screen, one: &mut Followed) -> Result<(), Failure> {
    let answer = api.get(&["notifications", one.id.as_str()], &[])?;
    let message: Notification = answer.parsed()?;
    let ended = message
        .attempts
        .iter()
        .filter(|attempt| attempt.outcome.is_some());
    for attempt in ended.skip(one.told) {
        one.told += 1;
        if !screen.wants_json() {
            screen.say(&attempt_line(&one.named, attempt, &screen.look))?;
        }
    }
    one.last = Some((answer, message));
    Ok(())
}

fn attempt_line(named: &str, attempt: &Attempt, look: &Look) -> String {
    let outcome = attempt
        .outcome
        .as_ref()
        .map_or_else(|| "under way".to_owned(), |outcome| look.state(outcome));
    let took = attempt
        .finished_at
        .map(|end| end.0.duration_since(attempt.started_at.0).as_millis());
    let took = took.map(|ms| format!(" after {ms} ms")).unwrap_or_default();
    let detail = if attempt.detail.as_str().is_empty() {
        String::new()
    } else {
        format!(": {}", attempt.detail)
    };
    let by = attempt.via.as_ref().map(|via| format!(" by {}", via.name));
    format!(
        "  {named}, attempt {}{}: {outcome}{took}{detail}",
        attempt.number,
        by.unwrap_or_default()
    )
}

fn verdict(screen: &Screen, followed: &[Followed], mut bad: Vec<String>) -> Result<(), Failure> {
    for one in followed {
        if let (true, Some((answer, _))) = (screen.wants_json(), &one.last) {
            screen.say(&answer.json()?)?;
        }
        match one.state() {
            "delivered" => {}
            "failed" => bad.push(format!("{} failed", one.named)),
            "cancelled" => bad.push(format!("{} was cancelled", one.named)),
            state => bad.push(format!("{} is still {state} after 30 s", one.named)),
        }
    }
    if !bad.is_empty() {
        let what = bad.join("\n  ");
        return Err(Failure::Refused(format!(
            "{what}\n  See `tocsin doctor` for what to do."
        )));
    }
    let sentence = "Delivered: the provider took every test page. Did it arrive?";
    if screen.wants_json() {
        Ok(())
    } else {
        screen.say(sentence)
    }
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

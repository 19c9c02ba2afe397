//! What a press on the page of a link does: something, or nothing and why. It knows no page.

use axum::http::StatusCode;
use tocsin_domain::id::IncidentId;
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::state::State as Known;

use super::{acknowledge, field, may_resolve, resolve, told_of};
use crate::answers::{self, About};
use crate::app::App;
use crate::http::problem::Problem;
use crate::links::Bound;

/// What is said to whoever pressed a button of before what they looked at came back.
const CAME_BACK: &str = "Nothing was done: it was over and came back since the page that you pressed on. This is what fails now: press again to answer it.";

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Acknowledge,
    Resolve,
}

/// What somebody pressed, which incident they had before their eyes, and up to which position of the journal they had read of it:
/// what is shown may change at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pressed {
    pub(super) wish: Wish,
    pub(super) looked_at: Option<IncidentId>,
    pub(super) seen: Option<u64>,
}

/// Why nothing was done, in a sentence.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) words: String,
}

fn refused(status: StatusCode, words: impl Into<String>) -> Refused {
    Refused {
        status,
        words: words.into(),
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        let words = format!("Nothing was done: {}.", problem.detail());
        refused(problem.status(), words)
    }
}

/// Reads what was pressed from the form.
pub(super) fn pressed_in(form: &[u8]) -> Option<Pressed> {
    let wish = match field(form, "action")?.as_str() {
        "acknowledge" => Wish::Acknowledge,
        "resolve" => Wish::Resolve,
        _ => return None,
    };
    let looked_at = field(form, "incident").and_then(|id| id.parse().ok());
    let seen = field(form, "seen").and_then(|position| position.parse().ok());
    Some(Pressed {
        wish,
        looked_at,
        seen,
    })
}

/// Does what was pressed; the words for what it came to.
pub(super) async fn carry_out(
    app: &App,
    bound: &Bound,
    pressed: Option<Pressed>,
) -> Result<String, Refused> {
    let Some(pressed) = pressed else {
        let words = "Nothing was done: press one of the buttons.";
        return Err(refused(StatusCode::BAD_REQUEST, words));
    };
    let seen = pressed.seen.unwrap_or(0);
    let about = app.read(|state| answers::about(state, bound.notification, seen));
    if about == About::default() {
        let words = "This message is about no incident.";
        return Err(refused(StatusCode::CONFLICT, words));
    }
    let person = (bound.user, bound.channel);
    match pressed.wish {
        Wish::Acknowledge if about.is_of_before() => Err(refused(StatusCode::CONFLICT, CAME_BACK)),
        Wish::Acknowledge => {
            let words = acknowledge(app, person, &about.present).await?;
            Ok(about.with_returned(words))
        }
        Wish::Resolve => {
            let incident = app.read(|state| to_resolve(state, bound, pressed.looked_at))?;
            if about.returned.contains(&incident) {
                return Err(refused(StatusCode::CONFLICT, CAME_BACK));
            }
            // A second tap finds done what the first one did.
            if let Some(words) = app.read(|state| over_already(state, incident)) {
                return Ok(words);
            }
            resolve(app, person, incident).await?;
            Ok("It is resolved.".to_owned())
        }
    }
}

/// The incident that was looked at when Resolve was pressed, or why nothing is done. No other is guessed: resolving one that
/// nobody looked at would hide a failure.
fn to_resolve(
    state: &Known,
    bound: &Bound,
    looked_at: Option<IncidentId>,
) -> Result<IncidentId, Refused> {
    if !may_resolve(state, bound) {
        let words = "You may not resolve incidents.";
        return Err(refused(StatusCode::FORBIDDEN, words));
    }
    let Some(looked_at) = looked_at else {
        let words = "Nothing was done: the button named no incident. Press it again.";
        return Err(refused(StatusCode::BAD_REQUEST, words));
    };
    let known = state.incidents.get(&looked_at);
    let (Some(known), Some(goes_on)) = (known, told_of(state, bound, looked_at)) else {
        let words = "Nothing was done: this message is not about that incident.";
        return Err(refused(StatusCode::CONFLICT, words));
    };
    if goes_on == looked_at {
        return Ok(looked_at);
    }
    let number = known.number;
    let words =
        format!("Nothing was done: incident {number} was merged into the one that is shown here.");
    Err(refused(StatusCode::CONFLICT, words))
}

fn over_already(state: &Known, incident: IncidentId) -> Option<String> {
    let known = state.incidents.get(&incident)?;
    match known.status {
        Status::Triggered | Status::Acknowledged => None,
        Status::Resolved => {
            let number = known.number;
            Some(format!(
                "Incident {number} is over already. Nothing changed."
            ))
        }
    }
}

/// Whether what a press has come to is still to be said: of one that fails again nobody is told that it is over.
pub(super) fn still_holds(state: &Known, pressed: Pressed) -> bool {
    let looked_at = pressed.looked_at.and_then(|id| state.incidents.get(&id));
    match pressed.wish {
        Wish::Acknowledge => {
            let known = looked_at.zip(pressed.seen);
            !known.is_some_and(|(incident, seen)| state.came_back_since(incident.id, seen))
        }
        Wish::Resolve => !looked_at.is_some_and(Incident::is_open),
    }
}

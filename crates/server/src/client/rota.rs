//! Shifts and gaps as the API tells them, in tables. It asks nothing.

use serde::Deserialize;

use super::look::{Look, Tone};
use super::plain::Plain;
use super::shape::{Moment, Named};
use super::table::{Cell, Table};

/// One person on call without a break.
#[derive(Debug, Deserialize)]
pub(super) struct Shift {
    pub(super) from: Moment,
    pub(super) until: Moment,
    pub(super) user: Named,
    #[serde(default)]
    reason: Option<Reason>,
}

/// A part of a rendered span.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    from: Moment,
    until: Moment,
    user: Option<Named>,
    reason: Option<Reason>,
}

/// What puts somebody on call.
#[derive(Debug, Deserialize)]
struct Reason {
    kind: Plain,
    #[serde(default)]
    layer: Option<usize>,
}

/// The shifts of a person.
#[derive(Debug, Deserialize)]
pub(super) struct Shifts {
    pub(super) user: Named,
    pub(super) items: Vec<OwnShift>,
}

/// A shift of a person, and in which schedule it is.
#[derive(Debug, Deserialize)]
pub(super) struct OwnShift {
    pub(super) schedule: Named,
    #[serde(flatten)]
    pub(super) shift: Shift,
}

impl Entry {
    /// Whether nobody is on call.
    pub(super) fn is_gap(&self) -> bool {
        self.user.is_none()
    }
}

/// `layer 1`, `override`
fn reason(reason: Option<&Reason>) -> String {
    match reason {
        None => String::new(),
        Some(Reason {
            kind,
            layer: Some(layer),
        }) => format!("{kind} {}", layer + 1),
        Some(Reason { kind, layer: None }) => kind.to_string(),
    }
}

/// Entries under each other, gaps in the colour of trouble.
pub(super) fn table(entries: &[Entry], look: &Look) -> String {
    let mut table = Table::new(&["FROM", "UNTIL", "ON CALL", "BY"]);
    for entry in entries {
        let person = match &entry.user {
            Some(user) => Cell::from(&user.name),
            None => Cell::toned("nobody", Tone::Bad),
        };
        table.row([
            look.clock(entry.from.0).into(),
            look.clock(entry.until.0).into(),
            person,
            reason(entry.reason.as_ref()).into(),
        ]);
    }
    table.draw(look, "There is nothing to show.")
}

/// A person's shifts under each other.
pub(super) fn shifts(found: &Shifts, look: &Look) -> String {
    let mut table = Table::new(&["FROM", "UNTIL", "SCHEDULE", "BY"]);
    for one in &found.items {
        table.row([
            look.moment(one.shift.from.0).into(),
            look.clock(one.shift.until.0).into(),
            (&one.schedule.name).into(),
            reason(one.shift.reason.as_ref()).into(),
        ]);
    }
    let empty = format!("{} is not on call in that time.", found.user.name);
    table.draw(look, &empty)
}

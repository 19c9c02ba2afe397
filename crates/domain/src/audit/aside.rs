//! What Tocsin leaves alone after panics, as the engine says: nobody but a person can do anything about it.

use super::{About, FINDINGS_MAX, Finding, FindingKind};
use crate::id::NotificationId;
use crate::incident::Incident;
use crate::page::{Delivery, Notification};
use crate::state::{State, Subject};
use crate::time::Timestamp;

/// A decision that panicked is told for this long.
const UNDECIDED_MS_MAX: u64 = 15 * 60_000;

/// What could not be decided comes first: nobody was paged for it, and much that is left alone must not crowd it out.
pub(super) fn findings(state: &State, now: Timestamp) -> Vec<Finding> {
    let aside = state.all_set_aside();
    let aside = aside.filter_map(|subject| of_subject(state, subject));
    let undecided = undecided(state, now).into_iter();
    undecided.chain(aside).take(FINDINGS_MAX).collect()
}

/// The open incidents that are left alone, or that have a message which is.
pub(super) fn incidents(state: &State) -> impl Iterator<Item = &Incident> {
    let ids = state
        .all_set_aside()
        .filter_map(move |subject| match subject {
            Subject::Incident(id) => Some(id),
            Subject::Message(id) => {
                let message = state.notifications.get(&id)?;
                message.purpose.reaches().filter(|_| is_planned(message))
            }
            Subject::Alert(_) | Subject::Heartbeat(_) | Subject::Receipt(_) => None,
        });
    let known = ids.filter_map(move |id| state.incidents.get(&id));
    known.filter(|incident| incident.is_open())
}

fn of_subject(state: &State, subject: Subject) -> Option<Finding> {
    let left = "by a fault of Tocsin itself (see the log)";
    let (about, what) = match subject {
        Subject::Incident(id) => {
            let incident = state.incidents.get(&id).filter(|one| one.is_open())?;
            let what = format!(
                "incident #{} is left alone {left}: nobody is paged for it any more; take it up by hand",
                incident.number
            );
            (About::Incident(id), what)
        }
        Subject::Message(id) => of_message(state, id, left, is_planned)?,
        Subject::Receipt(id) => of_message(state, id, left, owes_receipt)?,
        Subject::Alert(id) => {
            let alert = state.alerts.get(&id).filter(|one| one.is_firing())?;
            let incident = state.incidents.get(&alert.incident)?;
            let what = format!(
                "an alert of incident #{} is left alone {left}: it does not end by itself; resolve the incident when it is over",
                incident.number
            );
            (About::Alert(id), what)
        }
        Subject::Heartbeat(id) => {
            state.pulses.get(&id)?;
            let what = format!(
                "heartbeat {id} is left alone {left}: nobody is told when it stays away; watch that job by hand"
            );
            (About::Heartbeat(id), what)
        }
    };
    Some(Finding {
        kind: FindingKind::SetAside,
        about,
        what,
    })
}

/// A message that is left alone while it waits for that. It does not wait for its attempts and for its receipt at once.
fn of_message(
    state: &State,
    id: NotificationId,
    left: &str,
    waits: fn(&Notification) -> bool,
) -> Option<(About, String)> {
    let message = state.notifications.get(&id).filter(|one| waits(one))?;
    let incident = message.purpose.incident();
    let incident = incident.and_then(|incident| state.incidents.get(&incident));
    let of = incident.map_or_else(String::new, |incident| {
        format!(" about incident #{}", incident.number)
    });
    let what = format!("a message{of} is left alone {left}: whoever was to get it may not hear");
    Some((About::Message(id), what))
}

const fn is_planned(message: &Notification) -> bool {
    match message.state {
        Delivery::Due { .. } | Delivery::Sending { .. } => true,
        Delivery::Together { .. }
        | Delivery::Delivered { .. }
        | Delivery::Failed { .. }
        | Delivery::Cancelled { .. } => false,
    }
}

fn owes_receipt(message: &Notification) -> bool {
    message.receipt_owed_since().is_some()
}

fn undecided(state: &State, now: Timestamp) -> Option<Finding> {
    let broken = state.broken()?;
    // A clock that was set back makes it no older.
    if now.ms_since(broken.at) > UNDECIDED_MS_MAX {
        return None;
    }
    let what = format!(
        "{} was asked at {} and could not be decided by a fault of Tocsin itself (see the log; {} since the start): \
         an alert among these pages nobody",
        broken.kind, broken.at, broken.count
    );
    Some(Finding {
        kind: FindingKind::Undecided,
        about: About::Tocsin,
        what,
    })
}

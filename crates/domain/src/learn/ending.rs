//! How an incident and its alerts ended or came back, in plain sentences: what was seen apart from what somebody did.

use super::case::Case;
use super::facts::Tone;
use super::mask::clean;
use super::telling::{Told, told};
use crate::event::Event;

/// The end of one alert.
pub(super) fn alert_text(title: &str, closed: Option<&str>) -> Option<Told> {
    match closed {
        Some(why) => {
            let text = format!("The alert “{title}” was closed: {}.", clean(why, 160));
            told(text, false, Tone::Info)
        }
        None => told(format!("The alert “{title}” recovered."), false, Tone::Good),
    }
}

/// The end of the last alert that was open.
pub(super) fn all_text(closed: Option<&str>) -> Option<Told> {
    match closed {
        Some(why) => {
            let why = clean(why, 160);
            let text = format!("No alert was open any more, and not all were seen healthy: {why}.");
            told(text, true, Tone::Info)
        }
        None => told(
            "All alerts were healthy again.".to_owned(),
            true,
            Tone::Good,
        ),
    }
}

/// A failure that came back by itself, before or after the resolve.
pub(super) fn return_text(reopened: bool, pages: bool) -> Option<Told> {
    let opened = if reopened {
        "; the incident was reopened"
    } else {
        ""
    };
    let paged = if pages { " and paged for anew" } else { "" };
    let text = format!("The failure came back{opened}{paged}.");
    told(text, true, Tone::Bad)
}

/// An incident that somebody reopened.
pub(super) fn reopened_text(case: &Case<'_>, event: &Event, pages: bool) -> Option<Told> {
    let who = case.actor(&event.actor);
    let paged = if pages { "; it was paged for anew" } else { "" };
    let text = format!("{who} reopened the incident{paged}.");
    told(text, true, Tone::Person)
}

/// The end of the incident.
pub(super) fn resolved_text(case: &Case<'_>, event: &Event, why: &str) -> Option<Told> {
    match resolver(case, event) {
        Some(who) => told(format!("{who} resolved the incident."), true, Tone::Person),
        None => {
            let why = clean(why, 160);
            let why = why.trim_end_matches('.');
            told(
                format!("The incident was resolved: {why}."),
                true,
                Tone::Good,
            )
        }
    }
}

/// Who resolved an incident; none where it ended because its alerts did.
pub(super) fn resolver(case: &Case<'_>, event: &Event) -> Option<String> {
    let by_hand = event.is_resolved_by_hand();
    by_hand.then(|| case.actor(&event.actor))
}
